/*
 * item_find: the items of DAV collections that contain some words.
 */
#ifndef EASPOOL_CORE_SYNC_ITEM_FIND_H
#define EASPOOL_CORE_SYNC_ITEM_FIND_H

#include "core/sync/item_source.h"

/*
 * Adds to r those of the source that contain each of the words, in the order of their numbers,
 * until there are `most`. The server is asked for the longest word (one trip for each
 * collection, after one for what changed), and only what it names is read; one that cannot
 * search has all its items read.
 */
MUST_USE enum rc item_find(struct item_source *src, const struct str *words, size_t n,
	size_t most, struct items *r, struct err *err);

#endif
