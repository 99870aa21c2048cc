#include "store/silence.h"

#include "core/base/clock.h"

enum { FIRST_MS = 10000, MOST_MS = 120000 };

bool silence_may_ask(struct silence *s, int64_t patience_ms)
{
	int64_t now = clock_mono_ms(), until;

	if (atomic_load(&s->ms) == 0)
		return true;
	until = atomic_load(&s->until);
	/* Of all who come now one asks. */
	return now >= until &&
	       atomic_compare_exchange_strong(&s->until, &until, now + patience_ms);
}

void silence_note(struct silence *s, int64_t asked_ms, bool silent)
{
	int64_t ms = atomic_load(&s->ms), now = clock_mono_ms();

	if (!silent) {
		atomic_store(&s->answered, now);
		if (ms)
			atomic_store(&s->ms, 0);
		return;
	}
	/* Others have found out the same, or better, while this question was under way. */
	if (atomic_load(&s->noted) > asked_ms || atomic_load(&s->answered) > asked_ms)
		return;
	ms = ms ? 2 * ms : FIRST_MS;
	ms = ms < MOST_MS ? ms : MOST_MS;
	atomic_store(&s->noted, now);
	atomic_store(&s->until, now + ms);
	atomic_store(&s->ms, ms);
}

void silence_forget(struct silence *s)
{
	silence_note(s, 0, false);
}
