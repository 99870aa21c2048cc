#include "fcgi/loops.h"

#include "fcgi/shared.h"

#include <stdatomic.h>

/* How often a device may be told the same; then it waits, longer each time. */
enum { SLOTS = 1 << 13, PATIENCE = 5, STEP = 30, STEPS_MAX = 20, FORGET_MS = 1800 * 1000 };

/* Devices that share a slot forget each other: then one of them is damped later. */
struct slot {
	_Atomic int64_t device;
	_Atomic uint64_t state;
	_Atomic int64_t at;
	_Atomic uint32_t count;
};

struct loops {
	struct slot v[SLOTS];
};

struct loops *loops_new(void)
{
	return shared_new(sizeof(struct loops));
}

void loops_free(struct loops *l)
{
	shared_free(l, sizeof(*l));
}

int64_t loops_count(struct loops *l, int64_t device, uint64_t state, int64_t now)
{
	struct slot *s = &l->v[(uint64_t)device % SLOTS];
	uint32_t count;

	if (atomic_load(&s->device) != device || atomic_load(&s->state) != state ||
		now - atomic_load(&s->at) > FORGET_MS)
		atomic_store(&s->count, 0);
	atomic_store(&s->device, device);
	atomic_store(&s->state, state);
	atomic_store(&s->at, now);
	count = atomic_fetch_add(&s->count, 1) + 1;
	if (count <= PATIENCE)
		return 0;
	count -= PATIENCE;
	return (count < STEPS_MAX ? (int64_t)count : STEPS_MAX) * STEP;
}
