/*
 * dav_listing: whether the collections that a DAV server lists are the folders that devices
 * know.
 */
#ifndef EASPOOL_LISTENER_DAV_LISTING_H
#define EASPOOL_LISTENER_DAV_LISTING_H

#include "core/model/dav.h"
#include "core/model/state.h"

/* A number that differs when paths or names do; never 0. */
uint64_t dav_listing_mark(const struct dav_collections *list);
/*
 * Whether these folders of that kind are that list. A name may have got a number, as a second
 * one of that name has.
 */
bool dav_listing_known(const struct dav_collections *list, enum folder_kind kind,
	const struct folder *v, size_t n);

#endif
