/*
 * item_state: what the server remembers of one device's copy of a DAV collection, as compact
 * bytes: a version up to which everything was told, and the numbers of what the device has.
 */
#ifndef EASPOOL_CORE_SYNC_ITEM_STATE_H
#define EASPOOL_CORE_SYNC_ITEM_STATE_H

#include "core/base/uidset.h"

/* A change that the device has made itself. */
struct item_mine {
	uint32_t number;
	uint64_t version;
};

struct item_state {
	uint64_t version;      /* changes up to here are told */
	bool more;             /* the last answer was not told to the end */
	uint64_t shown;        /* which collections were told of; 0: none yet */
	struct uidset held;    /* the device has these */
	struct uidset pending; /* it is to get these, whatever their version */
	struct uidset gone;    /* of held: it is to be told that they are gone */
	struct uidset tried;   /* of pending: could not be shown once */
	struct uidset skipped; /* cannot be shown */
	uint64_t retried;      /* `skipped` was tried at this state of things */
	/* The window of a FilterType, item_window.h */
	unsigned filter;
	int64_t day;              /* that it was asked on, since 1970 */
	struct uidset aged;       /* of held: they have become too old */
	struct uidset outside;    /* too old, when they were at this version */
	uint64_t outside_version; /* or an earlier one */
	struct item_mine *mine;   /* beyond `version`: no news for it */
	size_t nmine, mine_cap;
	struct arena *arena;
};

void item_state_init(struct item_state *st, struct arena *a);
struct str item_state_encode(const struct item_state *st, struct arena *a);
MUST_USE enum rc item_state_decode(struct str bytes, struct item_state *st, struct arena *a);

/* The device made the item what it is at that version. */
void item_state_mine(struct item_state *st, uint32_t number, uint64_t version);
bool item_state_is_mine(const struct item_state *st, uint32_t number, uint64_t version);
/* Everything up to that version is told. */
void item_state_advance(struct item_state *st, uint64_t version);
/* The device no longer has it. */
void item_state_drop(struct item_state *st, uint32_t number);
/* Something waits to be told beyond what `version` says. */
bool item_state_waits(const struct item_state *st);

#endif
