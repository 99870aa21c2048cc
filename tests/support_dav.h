/*
 * support_dav: another client of a user of the lab, at the same CardDAV or CalDAV server.
 * Fails the running test where the server does not do as it is told.
 */
#ifndef EASPOOL_TESTS_SUPPORT_DAV_H
#define EASPOOL_TESTS_SUPPORT_DAV_H

#include "core/model/dav.h"

struct dav_peer;

struct dav_peer *dav_peer_new(const char *login);
/* One of calendars: below, a book is a calendar then. */
struct dav_peer *dav_peer_new_calendars(const char *login);
void dav_peer_free(struct dav_peer *p);

/* The path of the user's first address book. What is answered here and below lives as long as
 * the peer. */
struct str dav_peer_book(struct dav_peer *p);
/* Another address book, made now. */
struct str dav_peer_make(struct dav_peer *p, const char *key, const char *name);

/* name: the last component of the href. Writes an object whatever is there; its ETag. */
struct str dav_peer_put(
	struct dav_peer *p, struct str path, const char *name, const char *text);
/* Its bytes, STR_NONE: it is not there. */
struct str dav_peer_get(struct dav_peer *p, struct str path, const char *name);
void dav_peer_remove(struct dav_peer *p, struct str path, const char *name);
/* All that is in a collection. */
struct dav_changes dav_peer_list(struct dav_peer *p, struct str path);
/* The bytes of the first object that holds `text`, STR_NONE: none does. */
struct str dav_peer_find(struct dav_peer *p, struct str path, const char *text);
/* Everything else. */
struct dav *dav_peer_dav(struct dav_peer *p);

#endif
