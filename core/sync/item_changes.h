/*
 * item_changes: what a device adds, changes and deletes in a folder of DAV items. The state of
 * the round knows afterwards what the device knows. Asking again after a lost answer, or after
 * a worker died half way, comes to the same end: nothing is doubled, nothing is undone.
 */
#ifndef EASPOOL_CORE_SYNC_ITEM_CHANGES_H
#define EASPOOL_CORE_SYNC_ITEM_CHANGES_H

#include "core/sync/item_sync.h"

struct item_command {
	/* In */
	const struct elem *data; /* ApplicationData, of an Add or a Change */
	struct str client_id;    /* of an Add */
	bool whole;              /* a Change that says all there is, as an Add does */
	/* In for Change and Delete, out for Add */
	uint32_t number;
	/*
	 * Result: RC_INVALID, RC_LIMIT (with ERR_QUOTA: no room): it cannot be stored.
	 * RC_ABSENT: there is no such item. RC_CONFLICT: the server's one stays; RC_DENIED:
	 * likewise, since the folder must not be changed. Of an item that stayed as it was
	 * the device is told with the round.
	 */
	enum rc rc;
	enum err_why why;
};

struct item_writer {
	struct item_round *round;
	const struct ghosts *ghosts;
	bool client_wins, keep_picture;
	enum eas_version version;
	/* Tells the Adds of this request from all others, and is the same when it comes again.
	 */
	struct str request;
};

/* RC_UNAVAILABLE, RC_INTERNAL: the request must come again. */
MUST_USE enum rc item_changes_add(
	const struct item_writer *w, struct item_command *c, struct err *err);
MUST_USE enum rc item_changes_change(
	const struct item_writer *w, struct item_command *v, size_t n, struct err *err);
MUST_USE enum rc item_changes_delete(
	const struct item_writer *w, struct item_command *v, size_t n, struct err *err);

#endif
