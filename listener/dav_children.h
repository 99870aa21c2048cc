/*
 * dav_children: easlistend's processes that ask the CardDAV and the CalDAV server
 * (listener/dav_watch.h): they are started when there is one of these, again when they end, and
 * end with it. Their rows in the table of listeners are kept here, since they themselves may be
 * waiting for the server.
 */
#ifndef EASPOOL_LISTENER_DAV_CHILDREN_H
#define EASPOOL_LISTENER_DAV_CHILDREN_H

#include "listener/listener.h"
#include "store/postgres/events.h"

#include <sys/types.h>

enum { DAV_CHILDREN_MOST = 64 };

struct dav_child {
	pid_t pid; /* 0: none */
	int64_t born, not_before;
	bool known; /* it has a row */
	char id[320];
};

struct dav_children {
	const struct listener_config *lc;
	struct events *events;
	struct dav_child v[DAV_CHILDREN_MOST];
};

/* Both are borrowed; events is that of the listener. */
void dav_children_init(
	struct dav_children *c, const struct listener_config *lc, struct events *events);
/* Starts those that are missing, ends those that are too many; to be called each second. True:
 * one has come of which nobody was told yet. */
bool dav_children_tick(struct dav_children *c, int64_t now);
/* Those that are there live. */
MUST_USE enum rc dav_children_beat(struct dav_children *c, int64_t now, struct err *err);
/* They read the configuration again. */
void dav_children_reload(const struct dav_children *c);
/* Ends all of them, at once. */
void dav_children_end(struct dav_children *c);
/* And takes back what the database knows of them. */
MUST_USE enum rc dav_children_leave(struct dav_children *c, struct err *err);

#endif
