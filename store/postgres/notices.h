/*
 * notices: the one connection of a host that hears what listeners and workers tell (LISTEN),
 * for a loop that must never block. A lost connection is opened again, with growing pauses.
 */
#ifndef EASPOOL_STORE_POSTGRES_NOTICES_H
#define EASPOOL_STORE_POSTGRES_NOTICES_H

#include "core/base/arena.h"
#include "core/settings.h"

struct notices;

/* Listeners that are alive. */
struct notices_listeners {
	uint64_t which;        /* they, as a number that changes with them; 0: none for mail */
	size_t alive, watched; /* for mail, and accounts they watch with IMAP connections */
	size_t dav, dav_watched; /* for DAV collections, and accounts they ask for */
};

struct notices_heard {
	void *ctx;
	void (*event)(void *ctx, const char *payload);
	/* The connection is there and hears everything from now on; or it is lost. */
	void (*up)(void *ctx, bool up);
	void (*listeners)(void *ctx, const struct notices_listeners *l);
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
