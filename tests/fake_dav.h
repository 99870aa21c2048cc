/*
 * fake_dav: a DAV server in memory behind core/model/dav.h, for unit tests. It keeps ETags and
 * the order of changes like a server with sync-collection (RFC 6578). The same contract
 * (contract_dav.h) runs over it and over the real store.
 */
#ifndef EASPOOL_TESTS_FAKE_DAV_H
#define EASPOOL_TESTS_FAKE_DAV_H

#include "core/model/dav.h"

struct fake_dav;

/* Where the user's collections are, and the address book that is there from the start. */
#define FAKE_DAV_HOME     "/dav/"
#define FAKE_DAV_CONTACTS "/dav/contacts/"

struct fake_dav *fake_dav_new(void);
void fake_dav_free(struct fake_dav *fd);
struct dav *fake_dav_dav(struct fake_dav *fd);

/* What another client, or the server's administrator, does. Paths end in '/'; `name` is the
 * last component of an object's href. */
void fake_dav_collection(
	struct fake_dav *fd, const char *path, const char *name, unsigned kinds);
void fake_dav_collection_delete(struct fake_dav *fd, const char *path);
void fake_dav_collection_rename(struct fake_dav *fd, const char *path, const char *name);
void fake_dav_read_only(struct fake_dav *fd, const char *path, bool read_only);
/* It takes vCard 4.0 alone. */
void fake_dav_card4(struct fake_dav *fd, const char *path, bool card4);
void fake_dav_default(struct fake_dav *fd, const char *path);
/* 0: objects may have any size. */
void fake_dav_max_size(struct fake_dav *fd, const char *path, uint64_t max);
/* Writes an object, new or not; its ETag, borrowed until it changes. */
struct str fake_dav_put(
	struct fake_dav *fd, const char *path, const char *name, const char *text);
void fake_dav_remove(struct fake_dav *fd, const char *path, const char *name);
/* The server does not give this object from now on. */
void fake_dav_refuse(struct fake_dav *fd, const char *path, const char *name, bool refused);

/* The server knows none of the tokens that it gave out: whole lists. */
void fake_dav_forget_tokens(struct fake_dav *fd);
/* It has no sync-collection: whole lists whenever something is different. */
void fake_dav_without_sync(struct fake_dav *fd, bool without);
/* It knows neither addressbook-query nor calendar-query. */
void fake_dav_cannot_find(struct fake_dav *fd, bool cannot);
/* It tells at most so many changes at a time (`more`). 0: all. A whole list is never cut. */
void fake_dav_page(struct fake_dav *fd, size_t n);
/* It knows of no home for this user. */
void fake_dav_no_home(struct fake_dav *fd, bool none);

/* What is there. The bytes of an object, STR_NONE when gone; the i-th href, STR_NONE past the
 * end; all borrowed until it changes. */
struct str fake_dav_text(struct fake_dav *fd, const char *path, const char *name);
struct str fake_dav_etag(struct fake_dav *fd, const char *path, const char *name);
struct str fake_dav_href(struct fake_dav *fd, const char *path, size_t i);
size_t fake_dav_count(struct fake_dav *fd, const char *path);
/* The displayname of a collection; NULL: there is no such collection. */
const char *fake_dav_name(struct fake_dav *fd, const char *path);

/* The n-th call of an op from now (1: the next) returns RC_UNAVAILABLE once, before it does
 * anything, or with `after` only after its work was done (an answer that got lost). 0: never.
 */
void fake_dav_fail_after(struct fake_dav *fd, unsigned n, bool after);
/* The same with another result, before it does anything: 403 (RC_DENIED), 404 (RC_ABSENT), ...
 */
void fake_dav_fail_with(struct fake_dav *fd, unsigned n, enum rc rc);
/* Every call fails like that from now on, before it does anything; RC_OK: no more. */
void fake_dav_down(struct fake_dav *fd, enum rc rc);
/* An object with this text in it is none that the server takes (RC_INVALID); NULL: no more. */
void fake_dav_reject(struct fake_dav *fd, const char *text);
/* Once, before the next object is written, removed or moved: what another client does just
 * then. */
void fake_dav_meanwhile(struct fake_dav *fd, void (*act)(void *ctx), void *ctx);
/* Round trips so far. */
unsigned fake_dav_trips(struct fake_dav *fd);

#endif
