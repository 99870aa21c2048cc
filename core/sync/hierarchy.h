/*
 * hierarchy: what a device was told of the folders, as compact bytes, and what it must be told
 * now.
 */
#ifndef EASPOOL_CORE_SYNC_HIERARCHY_H
#define EASPOOL_CORE_SYNC_HIERARCHY_H

#include "core/model/state.h"

struct str hierarchy_encode(const struct folders *f, struct arena *a);

/* Whether that folder was told. Unreadable bytes: no. */
bool hierarchy_has(struct str told, struct str id);
/*
 * What it was told, after the device itself has made or changed the folder `set` (NULL: none)
 * and deleted the folders `drop`, with all that it saw below them: of that it is told nothing
 * any more, or afresh where it is still there.
 */
MUST_USE enum rc hierarchy_edit(struct str told, const struct folder *set,
	const struct str *drop, size_t ndrop, struct arena *a, struct str *told_r,
	struct err *err);

struct hierarchy_change {
	enum { HIERARCHY_UPDATE, HIERARCHY_DELETE, HIERARCHY_ADD } what;
	const struct folder *folder; /* NULL for a delete */
	struct str id;
};
struct hierarchy_changes {
	struct hierarchy_change *v;
	size_t n;
};
/* From what it was told to what there is: updates, deletes, adds with parents first. */
MUST_USE enum rc hierarchy_diff(struct str told, const struct folders *now, struct arena *a,
	struct hierarchy_changes *r, struct err *err);

#endif
