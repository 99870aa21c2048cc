/*
 * roster: the watchers of a listener, by account.
 */
#ifndef EASPOOL_LISTENER_ROSTER_H
#define EASPOOL_LISTENER_ROSTER_H

#include "listener/watcher.h"

struct roster {
	struct watcher **v;
	size_t n, cap;
};

/* The first whose account is not below that one: its place. */
size_t roster_from(const struct roster *r, int64_t account);
struct watcher *roster_find(const struct roster *r, int64_t account);
/* Takes it; there must be none of that account. */
void roster_add(struct roster *r, struct watcher *w);
/* Without freeing it. */
void roster_remove(struct roster *r, size_t i);
/* Frees all of them. */
void roster_release(struct roster *r);

#endif
