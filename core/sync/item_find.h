/*
 * item_find: the items of DAV collections that contain some words.
 */
#ifndef EASPOOL_CORE_SYNC_ITEM_FIND_H
#define EASPOOL_CORE_SYNC_ITEM_FIND_H

#include "core/sync/item_source.h"

struct item_finder {
	/* In */
	const struct str *words;
	size_t n;
	size_t most;  /* no more is taken */
	size_t reads; /* no more is read of a collection; of one that has more items than that
			 and a server that cannot search nothing is */
	/* What contains each of the words: whether it is taken. The bytes are gone afterwards.
	 */
	bool (*take)(struct item_finder *f, const struct item *it, struct str bytes);
	/* Out */
	size_t taken;
	bool cut; /* not all was looked at */
};

/*
 * In the order of their numbers, collection by collection. The server is asked for the words
 * (one trip for each collection, after one for what changed), and only what it names is read;
 * what it cannot look for (core/model/dav.h) is not found. One that cannot search has all its
 * items read.
 */
MUST_USE enum rc item_find(struct item_source *src, struct item_finder *f, struct err *err);

#endif
