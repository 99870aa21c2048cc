/*
 * wake: what the notices of listeners and workers do to the waiting requests. Only a mail that
 * was delivered ends a Ping without another look: all else goes to a worker first, so that a
 * device is told of changes only when its next Sync has some. If no worker comes soon, what may
 * be new is told nevertheless: early beats exact there.
 */
#ifndef EASPOOL_FCGI_WAKE_H
#define EASPOOL_FCGI_WAKE_H

#include "fcgi/held.h"

struct wake;

struct wake_ops {
	void *ctx;
	/* Changes are in that folder (an index of the wait): the Ping is over. */
	void (*tell)(void *ctx, struct held *h, uint32_t folder);
	/* Somebody must look. direct: if nobody does soon, changes in that folder may be told.
	 */
	void (*look)(void *ctx, struct held *h, bool direct, uint32_t folder);
	/* Nobody tells of changes any more: it has to be looked after. */
	void (*uncover)(void *ctx, struct held *h);
};

struct wake *wake_new(const struct wake_ops *ops);
void wake_free(struct wake *w);

/* A payload of the channel easpool. */
void wake_event(struct wake *w, struct held_table *t, const char *payload, int64_t now_ms);
/* A request that has just come: what was heard since it was looked after. */
void wake_check(struct wake *w, struct held *h, int64_t now_ms);
/* Forgets what is too old to matter. */
void wake_tick(struct wake *w, int64_t now_ms);
/* How long a request may be on its way here and still miss nothing, ms. */
enum { WAKE_MEMORY_MS = 90000 };

#endif
