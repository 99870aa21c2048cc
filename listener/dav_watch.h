/*
 * dav_watch: the process of easlistend that asks the CardDAV and the CalDAV server what changed
 * in the collections that devices of this host wait for: each once a dav_interval, however many
 * wait. What it hears goes into the shadows of the collections, which tells the waiters
 * (core/model/state.h, shadow_seen).
 *
 * A plain loop that may wait for the server at any time; so it does nothing else, and there may
 * be several (listener/dav_children.h), who share the accounts as listeners do. Passwords come
 * from the waiter for the moment of asking. It may be killed at any time.
 */
#ifndef EASPOOL_LISTENER_DAV_WATCH_H
#define EASPOOL_LISTENER_DAV_WATCH_H

#include "listener/listener.h"

/* id: its row in the table of listeners, which its parent keeps. Works until a signal ends it;
 * SIGHUP as for easlistend. */
int dav_watch_run(const struct listener_config *lc, const char *id);

#endif
