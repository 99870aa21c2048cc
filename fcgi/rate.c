#include "fcgi/rate.h"

#include "fcgi/shared.h"

#include <stdatomic.h>

enum { SLOTS = 1 << 14, PROBES = 8, MINUTE_MS = 60000 };

/* Who, and when his allowance will be whole again (ms; the generic cell rate algorithm). */
struct slot {
	_Atomic uint64_t who;
	_Atomic int64_t whole_at;
};

struct rate {
	struct slot v[SLOTS];
};

struct rate *rate_new(void)
{
	return shared_new(sizeof(struct rate));
}

void rate_free(struct rate *r)
{
	shared_free(r, sizeof(*r));
}

static uint64_t hash(struct str s)
{
	uint64_t h = 14695981039346656037u;

	for (size_t i = 0; i < s.n; i++)
		h = (h ^ (unsigned char)s.p[i]) * 1099511628211u;
	return h ? h : 1;
}

/* The slot of that hash: its own, or one that nobody needs any more; else it shares one. */
static struct slot *slot_of(struct rate *r, uint64_t who, int64_t now)
{
	for (unsigned i = 0; i < PROBES; i++) {
		struct slot *s = &r->v[(who + i) % SLOTS];
		uint64_t has = atomic_load(&s->who);

		if (has == who)
			return s;
		if ((has == 0 || atomic_load(&s->whole_at) <= now) &&
			atomic_compare_exchange_strong(&s->who, &has, who))
			return s;
	}
	return &r->v[who % SLOTS];
}

int64_t rate_take(struct rate *r, struct str who, int64_t per_minute, int64_t now)
{
	struct slot *s;
	int64_t step, whole, next;

	if (per_minute <= 0)
		return 0;
	s = slot_of(r, hash(who), now);
	step = MINUTE_MS / per_minute;
	if (step < 1)
		step = 1;
	whole = atomic_load(&s->whole_at);
	do {
		next = (whole > now ? whole : now) + step;
		if (next - now > MINUTE_MS)
			return (next - now - MINUTE_MS + 999) / 1000;
	} while (!atomic_compare_exchange_weak(&s->whole_at, &whole, next));
	return 0;
}
