#include "core/sync/sync_key.h"

#include <stdlib.h>
#include <sys/random.h>

enum sync_key_fit sync_key_fit(struct str text, const struct collection *c)
{
	struct str rest = str_trim(text), field;
	uint32_t epoch, generation;

	if (str_is(rest, "0"))
		return SYNC_KEY_ZERO;
	if (!str_next(&rest, '-', &field) || !str_u32(field, &epoch) ||
		!str_u32(rest, &generation))
		return SYNC_KEY_WRONG;
	if (epoch == 0 || generation == 0 || epoch != c->epoch)
		return SYNC_KEY_WRONG;
	if (generation == c->generation)
		return SYNC_KEY_CURRENT;
	if (generation + 1 == c->generation)
		return SYNC_KEY_PREVIOUS;
	return SYNC_KEY_WRONG;
}

struct str sync_key_format(struct arena *a, uint32_t epoch, uint32_t generation)
{
	return arena_printf(a, "%u-%u", epoch, generation);
}

uint32_t sync_key_epoch(void)
{
	uint32_t epoch = 0;

	while (epoch == 0)
		if (getrandom(&epoch, sizeof(epoch), 0) != sizeof(epoch))
			abort();
	return epoch;
}
