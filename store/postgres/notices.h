/*
 * notices: the one connection of a host that hears what listeners and workers tell (LISTEN),
 * for a loop that must never block. A lost connection is opened again, with growing pauses.
 */
#ifndef EASPOOL_STORE_POSTGRES_NOTICES_H
#define EASPOOL_STORE_POSTGRES_NOTICES_H

#include "core/base/arena.h"
#include "core/settings.h"

struct notices;

struct notices_heard {
	void *ctx;
	void (*event)(void *ctx, const char *payload);
	/* The connection is there and hears everything from now on; or it is lost. */
	void (*up)(void *ctx, bool up);
	/* Which listeners are alive, as a number that changes with them, 0: none; how many they
	 * are, and how many accounts they watch with connections of their own. */
	void (*listeners)(void *ctx, uint64_t which, size_t alive, size_t watched);
};

struct notices *notices_new(const struct settings *conf, const struct notices_heard *heard);
void notices_free(struct notices *n);

/* The socket, -1: none now; and for what it is polled (POLLIN, POLLOUT). */
int notices_fd(const struct notices *n, short *events_r);
/* Goes on as far as that is possible without waiting. */
void notices_step(struct notices *n, int64_t now_ms);
/* When to step at the latest, whatever the socket says. */
int64_t notices_next(const struct notices *n);
/* Nobody waits for these accounts any more: no need to watch them. */
void notices_forget(struct notices *n, const int64_t *accounts, size_t count);

#endif
