/*
 * item_sync: one round of a folder of DAV items, from the device's state to what it is sent.
 *
 * What changed stands in the shadow in the order of versions; a round tells of those after the
 * device's version, as many as fit, and the device's version moves on. So work is proportional
 * to change, and a window goes on where the last one ended without asking the server again.
 */
#ifndef EASPOOL_CORE_SYNC_ITEM_SYNC_H
#define EASPOOL_CORE_SYNC_ITEM_SYNC_H

#include "core/sync/commands.h"
#include "core/sync/item_source.h"
#include "core/sync/item_state.h"

/* Sticky options of such a collection, besides those of bodies. */
struct item_options {
	struct ghosts ghosts;
	unsigned most;   /* most recipients that the device wants to have; 0: all */
	unsigned filter; /* FilterType; 0: everything */
};

struct item_round {
	/* In */
	struct item_source *src;
	const struct folder *folder; /* as the device knows it */
	const struct email_options *options;
	bool known; /* the shadows are current: the server need not be asked */
	const struct item_options *wanted;
	bool age; /* what has become too old since is looked for, at a new day */
	struct commands *out;
	/* In and out */
	struct item_state st;
	/* Out */
	bool others;       /* other collections than before are shown */
	struct uidset top; /* with `most`: what the device is to have */
	struct items rows; /* after the state's version, or pending */
	size_t npending;   /* the first of them, which are pending */
	bool all;          /* there are no more */
	bool looked;
	bool more; /* MoreAvailable */
};

/* Works out what there is to send. RC_ABSENT: the collection is gone. */
MUST_USE enum rc item_round_look(struct item_round *r, struct err *err);
/* How many changes the rows come to. */
uint32_t item_round_count(const struct item_round *r);
/* Writes airsync:Commands with its children, at most the window; nothing when there is nothing.
 * Updates st to what the device will have. */
MUST_USE enum rc item_round_write(struct item_round *r, struct err *err);

/* One whole item, in an element `container`. RC_ABSENT. What was written before a failure is
 * the caller's to take back. */
MUST_USE enum rc item_fetch(const struct item_source *src, uint32_t number,
	const struct email_options *o, tag_t container, struct wbxml_writer *w,
	struct err *err);

/* Whether the device's state stands at that version: nothing to report. */
bool item_sync_at(const struct collection *c, uint64_t version);
/* The question what the next Sync would report. */
struct item_pending {
	/* In */
	struct item_source *src;
	const struct folder *folder;
	const struct collection *c;
	bool known;
	bool additions;  /* only new items count */
	unsigned enough; /* it is enough to know of so many; 0: of all */
	bool waiting;    /* it is a wait that would end: not each day's ageing counts */
	unsigned most;   /* recipients that the device wants to have; 0: as it said last */
	bool has_filter; /* likewise */
	unsigned filter;
	/* Out */
	uint32_t count;
	struct str state; /* none: the device's state moved on, worth storing */
};
MUST_USE enum rc item_sync_pending(struct item_pending *p, struct err *err);

/* As compact bytes. */
struct str item_options_encode(
	const struct email_options *o, const struct item_options *more, struct arena *a);
MUST_USE enum rc item_options_decode(struct str bytes, enum eas_version v,
	struct email_options *o, struct item_options *more, struct arena *a);

/* To be raised when items that could not be shown may be by now: they are tried again. */
enum { ITEM_MAP_VERSION = 1 };

#endif
