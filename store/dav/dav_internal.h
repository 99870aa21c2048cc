/*
 * What the files of store/dav share: the user of a request, one HTTP exchange, and the ops.
 */
#ifndef EASPOOL_STORE_DAV_INTERNAL_H
#define EASPOOL_STORE_DAV_INTERNAL_H

#include "store/dav/dav.h"
#include "store/dav/href.h"
#include "store/dav/multistatus.h"

/* An answer is at most so large. */
#define DAV_ANSWER_MAX (48u * 1024 * 1024)

/* A protocol over WebDAV: CardDAV, CalDAV. */
struct dav_protocol {
	const char *name;
	const char *setting;    /* of its URL */
	size_t url;             /* place of that in struct settings */
	unsigned homes;         /* the property that tells of the user's, MS_CARD_HOMES, ... */
	const char *well_known; /* RFC 6764 section 5 */
	const char *multiget;   /* elements, with the prefix that `xmlns` declares */
	const char *data;
	const char *changes; /* a header of what changes objects; NULL: none */
};

/* Where the collections of a user are. */
struct homes {
	struct home {
		struct str path; /* canonical, '/' at the end */
		unsigned types;  /* MS_ADDRESSBOOK, MS_CALENDAR: whose home it is */
	} v[2 * MS_HOMES];
	size_t n;
};

/* The user of the request. */
struct dav_user {
	struct dav dav; /* first */
	struct dav_client *client;
	char login[256];
	struct secret password;
	bool no_password;
	unsigned trips;
};

struct dav_client {
	const struct settings *conf;
	const struct dav_protocol *protocol;
	struct dav_user user;
	void *curl;
	struct arena *arena;            /* what lives as long as the client */
	struct str url;                 /* the setting */
	bool usable;                    /* it could be read */
	struct str origin, host, place; /* of it; place: its path, may be a template */
	char context[512]; /* where the principal of a user is told; "": not yet known */
	struct known_homes *known;
	unsigned without; /* DAV_LACKS_ */
	/* How much the server can be asked for at a time, and until when that is believed;
	 * find.c. */
	unsigned find_level;
	int64_t find_until;
	int64_t series_until; /* until then it is believed to understand series; query.c */
	struct silence *silence, own;
};

enum depth { DEPTH_NONE, DEPTH_0, DEPTH_1 };

struct exchange {
	const char *method;
	struct str path; /* canonical */
	enum depth depth;
	struct str type, body; /* content; type STR_NONE: XML where there is a body */
	struct str if_match;
	bool if_none;           /* If-None-Match: * */
	struct str destination; /* canonical */
	bool changes;           /* objects come or go or are others then */
	bool raw;               /* the body of the answer is wanted, and it is no multistatus */
};

struct answer {
	int status;
	struct str etag, location, type, dav;
	struct str body;       /* `raw`, status 2xx */
	struct multistatus ms; /* of 207, and the errors of others */
};

/*
 * One exchange. RC_OK: the server answered, whatever its status; others: it did not, or not
 * with XML where there has to be some, or with too much (RC_LIMIT).
 */
MUST_USE enum rc dav_exchange(struct dav_user *u, const struct exchange *x, struct arena *a,
	struct answer *r, struct err *err);
/* What a status means, RC_OK for 2xx; the sentence names the exchange. */
MUST_USE enum rc dav_result(const struct exchange *x, const struct answer *r, struct err *err);
/* Both; what is not 207 is RC_INVALID. */
MUST_USE enum rc dav_multistatus(struct dav_user *u, const struct exchange *x, struct arena *a,
	struct multistatus *r, struct err *err);
/* The rc of a status alone. */
enum rc dav_status_rc(int status);

/* PROPFIND of the named properties ("<D:getetag/>...", with the prefixes of DAV_XMLNS). */
MUST_USE enum rc dav_propfind(struct dav_user *u, struct str path, enum depth depth,
	const char *props, struct arena *a, struct multistatus *r, struct err *err);
/* The canonical path of an href that was answered to a request for `base`; STR_NONE: of another
 * server, or none. */
struct str dav_href(
	const struct dav_user *u, struct str href, struct str base, struct arena *a);
/* The same for something that is at this server, whatever name it gives itself (behind a proxy
 * it may know another). */
struct str dav_member(struct str href, struct str base, struct arena *a);
/* The response for a path to a request with depth 0, NULL: there is none. */
const struct ms_response *dav_response_for(
	const struct multistatus *ms, struct str path, struct arena *a);

#define DAV_XML "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"
#define DAV_XMLNS                                                                              \
	"xmlns:D=\"DAV:\" xmlns:R=\"urn:ietf:params:xml:ns:carddav\" "                         \
	"xmlns:C=\"urn:ietf:params:xml:ns:caldav\" xmlns:S=\"http://calendarserver.org/ns/\""

/* The user's homes; none: he has none. Remembered for a while; `fresh`: asked again. */
MUST_USE enum rc dav_homes(
	struct dav_user *u, bool fresh, struct arena *a, struct homes *r, struct err *err);
void dav_homes_free(struct dav_client *c);

enum rc dav_op_collections(struct dav *d, unsigned kinds, struct arena *a,
	struct dav_collections *r, struct err *err);
enum rc dav_op_changes(struct dav *d, struct str path, struct str token, struct arena *a,
	struct dav_changes *r, struct err *err);
enum rc dav_op_get(struct dav *d, struct str path, struct dav_object *v, size_t n,
	struct arena *a, struct err *err);
enum rc dav_op_find(struct dav *d, struct str path, const struct str *words, size_t n,
	struct arena *a, struct dav_entry **v_r, size_t *n_r, struct err *err);
enum rc dav_op_since(struct dav *d, struct str path, int64_t from, struct arena *a,
	struct dav_entry **v_r, size_t *n_r, struct err *err);
enum rc dav_op_with_uid(struct dav *d, struct str path, struct str uid, struct arena *a,
	struct dav_entry **v_r, size_t *n_r, struct err *err);
/* What a query found: members of `path` with their ETags. */
void dav_found(const struct multistatus *ms, struct str path, struct arena *a,
	struct dav_entry **v_r, size_t *n_r);
enum rc dav_op_put(struct dav *d, struct str href, struct str etag, const char *type,
	struct str bytes, struct arena *a, struct str *etag_r, struct err *err);
enum rc dav_op_remove(struct dav *d, struct str href, struct str etag, struct err *err);
enum rc dav_op_move(struct dav *d, struct str href, struct str to, struct arena *a,
	struct str *etag_r, struct err *err);
struct str dav_op_join(struct dav *d, struct str path, struct str name, struct arena *a);
enum rc dav_op_create(struct dav *d, unsigned kind, struct str key, struct str name,
	struct arena *a, struct str *path_r, struct err *err);
enum rc dav_op_rename(struct dav *d, struct str path, struct str name, struct err *err);
enum rc dav_op_erase(struct dav *d, struct str path, struct err *err);

#endif
