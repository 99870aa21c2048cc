/*
 * collections: the DAV collections that devices of this host wait for, for those who ask the
 * server on behalf of all of them (listener/dav_watch.h).
 */
#ifndef EASPOOL_STORE_POSTGRES_COLLECTIONS_H
#define EASPOOL_STORE_POSTGRES_COLLECTIONS_H

#include "core/model/state.h"
#include "store/postgres/events.h"

/* The accounts of which a device waits at this host, and one has such a folder; id and login
 * only. */
MUST_USE enum rc collections_accounts(
	struct events *e, struct arena *a, struct events_accounts *r, struct err *err);

struct collections {
	struct folder *v;
	struct shadow *shadows; /* of v[i] */
	bool *wanted;           /* a device has synchronised it, or what is shown with it */
	size_t n;
};

/* All of an account; merged: those of one kind are shown as one. One trip. */
MUST_USE enum rc collections_of(struct events *e, int64_t account, bool merged, struct arena *a,
	struct collections *r, struct err *err);

/* For `easctl listener status`: for how many accounts this listener asks. */
MUST_USE enum rc collections_count(struct events *e, size_t accounts, struct err *err);

#endif
