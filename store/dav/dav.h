/*
 * dav: collections and their objects by CardDAV (RFC 6352) and CalDAV (RFC 4791) over HTTP,
 * with libcurl. One struct dav_client a worker and server; it keeps connections, and for a
 * while where the collections of a user are. Passwords are kept no longer than a request.
 */
#ifndef EASPOOL_STORE_DAV_DAV_H
#define EASPOOL_STORE_DAV_DAV_H

#include "core/base/secret.h"
#include "core/model/dav.h"
#include "core/settings.h"
#include "store/silence.h"

struct dav_client;

/* Which server: that of carddav_url or that of caldav_url. */
enum dav_service { DAV_CLIENT_CARDS, DAV_CLIENT_CALENDARS, DAV_CLIENTS };

/* conf is borrowed. NULL: its URL is not set, there is no such server. shared: what is known of
 * the server's silence, borrowed; NULL: nothing but what the client finds out. */
struct dav_client *dav_client_new(
	const struct settings *conf, enum dav_service service, struct silence *shared);
/* That of the two which keeps collections of these kinds (core/model/dav.h). */
enum dav_service dav_client_for(unsigned kinds);

/* All that follows, but the probe and the mask, takes NULL for a server that is not there. */
void dav_client_free(struct dav_client *c);

/* The user's collections for this request; connects when first used; borrowed until
 * dav_client_release(). password NULL: he came without one, and every call is RC_DENIED. */
struct dav *dav_client_user(
	struct dav_client *c, struct str login, const struct secret *password);
/* The request is over: the password is forgotten, connections stay. */
void dav_client_release(struct dav_client *c);
/* Round trips since dav_client_user(). */
unsigned dav_client_trips(const struct dav_client *c);

/* Whether a server answers at its URL, for easctl doctor; nobody logs in, so a status of
 * 401 is an answer as well. said_r: a sentence of what it said. */
MUST_USE enum rc dav_client_probe(
	struct dav_client *c, struct arena *a, struct str *said_r, struct err *err);

/* Tests: do as if the server lacked these. */
enum {
	DAV_LACKS_SYNC = 1, /* sync-collection */
	DAV_LACKS_MOVE = 2,
	DAV_LACKS_MKCOL = 4, /* extended MKCOL */
	DAV_LACKS_CTAG = 8,
};
void dav_client_set_mask(struct dav_client *c, unsigned without);

#endif
