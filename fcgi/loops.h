/*
 * loops: devices that are told of changes again and again and do not fetch them, which costs
 * their battery and our time. In memory that the parent shares with its workers, like rate.h.
 */
#ifndef EASPOOL_FCGI_LOOPS_H
#define EASPOOL_FCGI_LOOPS_H

#include <stdint.h>

struct loops;

/* To be made before the workers are forked. */
struct loops *loops_new(void);
void loops_free(struct loops *l);

/*
 * The device was told of changes while it had what `state` stands for. The seconds that it has
 * to wait: 0, until it was told so too often without having fetched anything.
 */
int64_t loops_count(struct loops *l, int64_t device, uint64_t state, int64_t now_ms);

#endif
