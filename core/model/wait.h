/*
 * wait: what a device waits for, when a Ping or a Sync has nothing to tell it yet. The handler
 * leaves it in the answer; whoever carries out the wait (fcgi/waiter.c, tests) either gives the
 * answer of its end, or runs the whole request again once something may have happened.
 *
 * seq counts what was noticed of a folder (store/postgres/schema/003_push.sql). It was read
 * before the handler looked, so whatever comes later has a higher one.
 */
#ifndef EASPOOL_CORE_MODEL_WAIT_H
#define EASPOOL_CORE_MODEL_WAIT_H

#include "core/base/str.h"

enum wait_kind { WAIT_PING, WAIT_SYNC };

struct wait_folder {
	int64_t row;      /* folder.row */
	struct str id;    /* CollectionId */
	uint64_t seq;     /* 0: nothing was ever noticed */
	uint32_t uidnext; /* of the state that the device has; 0: not known */
};

struct wait {
	enum wait_kind kind;
	int64_t seconds;
	bool additions;         /* only what is new wakes */
	bool covered;           /* a listener notices changes; else somebody has to look */
	int64_t poll;           /* how often then, seconds */
	uint64_t hierarchy_seq; /* likewise, of the account's folders */
	struct wait_folder *v;
	size_t n;
};

#endif
