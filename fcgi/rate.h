/*
 * rate: how many requests a device or a user may make: a minute's worth at once, then one after
 * the other. Kept in memory that the parent shares with its workers; single workers
 * (spawn-fcgi) each keep their own.
 */
#ifndef EASPOOL_FCGI_RATE_H
#define EASPOOL_FCGI_RATE_H

#include "core/base/str.h"

struct rate;

/* To be made before the workers are forked. */
struct rate *rate_new(void);
void rate_free(struct rate *r);

/*
 * Counts a request of `who`, unless it comes too early: then the seconds to wait, at least 1.
 * 0: it may go on. per_minute 0: always.
 */
int64_t rate_take(struct rate *r, struct str who, int64_t per_minute, int64_t now_ms);

#endif
