/*
 * item_source: the DAV collections behind one folder of a device (one, or several that are
 * shown as one), or the recipient cache, which has no server behind it. What changed is known
 * by the shadows that the state keeps.
 */
#ifndef EASPOOL_CORE_SYNC_ITEM_SOURCE_H
#define EASPOOL_CORE_SYNC_ITEM_SOURCE_H

#include "core/settings.h"
#include "core/sync/item_class.h"

struct item_source {
	/* In */
	struct dav *dav; /* NULL: there is no server, or none any more */
	struct state *state;
	const struct account *account;
	const struct settings *conf;
	struct arena *a;
	/* Out */
	const struct item_class *class;
	struct folder *folders; /* new items go into the first */
	size_t n;
	int64_t *rows; /* of folders */
	struct shadow *shadows;
	bool asked; /* the shadows are those of now */
};

/* Of that folder, with its shadows: one trip to the state, one more when folders are merged. */
MUST_USE enum rc item_source_open(
	struct item_source *src, const struct folder *folder, struct err *err);
/* Asks the server what changed: one trip for each collection. RC_ABSENT: it is gone. */
MUST_USE enum rc item_source_ask(struct item_source *src, struct err *err);
/* What was just noted of an item is news for the device that did it, too. */
void item_source_moved(struct item_source *src, const struct item *it);
/* The greatest version, and the greatest of which items are forgotten. */
uint64_t item_source_version(const struct item_source *src);
uint64_t item_source_purged(const struct item_source *src);
/* Which collections these are, as a number other than 0. */
uint64_t item_source_shown(const struct item_source *src);
/* The folder that an item is in. */
const struct folder *item_source_folder(const struct item_source *src, const struct item *it);

/* Their bytes, into `a`: objects_r[i] belongs to v[i]. */
MUST_USE enum rc item_source_read(const struct item_source *src, const struct item *v, size_t n,
	struct arena *a, struct dav_object *objects_r, struct err *err);
enum { ITEM_SOURCE_LOT = 50 };

#endif
