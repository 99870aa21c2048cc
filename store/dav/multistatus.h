/*
 * multistatus: reads the XML bodies of a DAV server, 207 Multi-Status (RFC 4918 section 13) and
 * the error element (section 16), as they arrive. It knows the properties that the store asks
 * for and passes over all others.
 *
 * Depth, number of responses, size of a text and size of the whole are bounded. A document type
 * is refused, so there are no entities but the five of XML, and nothing is ever fetched.
 */
#ifndef EASPOOL_STORE_DAV_MULTISTATUS_H
#define EASPOOL_STORE_DAV_MULTISTATUS_H

#include "core/base/arena.h"
#include "core/base/err.h"

/* Properties, for ms_props.found. */
enum {
	MS_TYPES = 1,
	MS_NAME = 2,
	MS_ETAG = 4,
	MS_DATA = 8,
	MS_CTAG = 16,
	MS_TOKEN = 32,
	MS_PRINCIPAL = 64,
	MS_CARD_HOMES = 128,
	MS_CALENDAR_HOMES = 256,
	MS_DEFAULT = 512,
	MS_PRIVILEGES = 1024,
	MS_CARD_VERSIONS = 2048,
	MS_COMPONENTS = 4096,
	MS_MAX_SIZE = 8192,
	MS_DEFAULT_EVENT = 16384,
};

/* resourcetype */
enum {
	MS_COLLECTION = 1,
	MS_ADDRESSBOOK = 2,
	MS_CALENDAR = 4,
	MS_SCHEDULING = 8, /* an inbox or outbox, RFC 6638 */
};
/* current-user-privilege-set, RFC 3744 */
enum { MS_MAY_ALL = 1, MS_MAY_WRITE = 2, MS_MAY_CONTENT = 4, MS_MAY_BIND = 8 };
/* supported-address-data */
enum { MS_CARD_3 = 1, MS_CARD_4 = 2 };
/* supported-calendar-component-set */
enum { MS_VEVENT = 1, MS_VTODO = 2, MS_VJOURNAL = 4 };

/* What an error element names (RFC 4918 section 16, RFC 6352 section 6.3.2.1, RFC 6578). */
enum {
	MS_ERR_SYNC_TOKEN = 1, /* the token is not known (any more) */
	MS_ERR_UID = 2,        /* another object has this UID */
	MS_ERR_DATA = 4,       /* not an object of this kind, or not one it takes */
	MS_ERR_SIZE = 8,       /* larger than it takes */
	MS_ERR_QUOTA = 16,     /* no room */
	MS_ERR_PRIVILEGE = 32, /* the user may not */
	MS_ERR_FILTER = 64,    /* a query that it does not know (RFC 4791 section 7.8) */
};

#define MS_HOMES 8

struct ms_homes {
	struct str v[MS_HOMES];
	size_t n;
};

struct ms_props {
	unsigned found; /* MS_TYPES ...: those that the server gave */
	unsigned types, privileges, versions, components;
	struct str name, etag, data, ctag, token, principal, default_book, default_events;
	uint64_t max_size;
	struct ms_homes *card_homes, *calendar_homes; /* NULL: none */
};

struct ms_response {
	struct str href; /* as the server writes it, trimmed */
	int status;      /* of the whole; 0: see the properties */
	int failed;      /* the last status of properties that are neither given nor missing */
	bool too_large;  /* its data is larger than DAV_OBJECT_MAX; dropped */
	struct ms_props p;
};

struct multistatus {
	int status; /* of the whole; 0: there was no answer */
	struct ms_response *v;
	size_t n;
	struct str token; /* DAV:sync-token, STR_NONE */
	unsigned errors;  /* MS_ERR_ of all error elements */
};

#define MS_MAX_RESPONSES 100000
#define MS_MAX_DEPTH     32

struct ms_reader;

/* Texts come from the caller's arena. max: bytes of the whole. */
struct ms_reader *ms_new(size_t max, struct arena *a);
/* RC_LIMIT (ERR_TOO_LARGE): a bound was reached; RC_INVALID: not XML. Both stay. */
MUST_USE enum rc ms_feed(struct ms_reader *m, struct str bytes, struct err *err);
/* There are no more bytes. RC_UNAVAILABLE: it ended early; RC_INVALID: something else than
 * multistatus, mkcol-response or error. */
MUST_USE enum rc ms_end(struct ms_reader *m, struct multistatus *r, struct err *err);
void ms_free(struct ms_reader *m); /* NULL is fine */

/* All at once. */
MUST_USE enum rc ms_read(
	struct str bytes, size_t max, struct arena *a, struct multistatus *r, struct err *err);

#endif
