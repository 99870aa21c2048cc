/*
 * dav: one user's collections of objects (cards, appointments, ...) at a CardDAV or CalDAV
 * server. Implemented by store/dav and by tests/fake_dav.c; tests/contract_dav.c runs over
 * both.
 *
 * A store moves bytes that it does not interpret; core/map knows what a card says. A collection
 * is named by its `path`, an object by its `href`: both are the path of a URL of the server,
 * absolute and percent-encoded in one canonical way, so that equal texts mean the same thing.
 * Results live in the caller's arena.
 *
 * Common results: RC_ABSENT it is not there (404, 410); RC_DENIED the user may not (403, 401 to
 * a password that was right elsewhere); RC_CONFLICT the object is not what the caller believed
 * (412); RC_LIMIT with ERR_TOO_LARGE or ERR_QUOTA (413, 507); RC_INVALID the server does not
 * take the object, or speaks nonsense; RC_UNAVAILABLE no connection, time out, 5xx, 429: try
 * again later. No call ever reports an empty or smaller collection because the server had
 * trouble.
 *
 * Round trips are what counts: each call says how many it costs.
 */
#ifndef EASPOOL_CORE_MODEL_DAV_H
#define EASPOOL_CORE_MODEL_DAV_H

#include "core/base/arena.h"
#include "core/base/err.h"

/* What a collection holds; several at once are possible. */
enum {
	DAV_CARDS = 1,    /* an address book, RFC 6352 */
	DAV_EVENTS = 2,   /* VEVENT, RFC 4791 */
	DAV_TODOS = 4,    /* VTODO */
	DAV_JOURNALS = 8, /* VJOURNAL */
};

struct dav_collection {
	struct str path; /* ends in '/' */
	struct str name; /* displayname, else the last component of the path, decoded; UTF-8 */
	unsigned kinds;
	bool is_default; /* the server's choice for new objects, where it says so */
	bool read_only;  /* the user may not change what is in it (RFC 3744) */
	bool card4; /* it takes vCard 4.0 but not 3.0 (supported-address-data); false: 3.0 */
	uint64_t max_size; /* of an object, octets; 0: not said */
};

struct dav_collections {
	struct dav_collection *v; /* the default one of a kind first, then by path */
	size_t n;
	bool none; /* the server answers, and knows of no home for this user */
};

/* A member of a collection that is new, was changed, or is gone. */
struct dav_entry {
	struct str href;
	struct str etag; /* as the server writes it, quotes included */
	bool gone;
};

struct dav_changes {
	struct str token; /* what to ask from next time; the store's own text */
	bool whole;       /* the entries are all there is: what is not among them is gone */
	bool more;        /* the server did not tell all at once: ask on from `token` */
	struct dav_entry *v;
	size_t n;
};

struct dav_object {
	struct str href;  /* in */
	struct str etag;  /* out */
	struct str bytes; /* out; STR_NONE: it is gone, or `refused` */
	bool refused;     /* out: it is there, and the server does not give it, or it is larger
			     than DAV_OBJECT_MAX */
	bool left; /* out: not read. Those before it were so large (DAV_BATCH_MAX) that it is to
		      be asked for once more; never the first */
};

struct dav {
	const struct dav_ops *ops;
};

struct dav_ops {
	/*
	 * The user's collections that hold any of `kinds`, those shared with them included.
	 * One trip when the home is known already, up to three else (RFC 6764, principal, home
	 * set).
	 */
	enum rc (*collections)(struct dav *d, unsigned kinds, struct arena *a,
		struct dav_collections *r, struct err *err);

	/*
	 * What changed since `token` (empty: everything). One trip (sync-collection, RFC 6578);
	 * a server that lacks it is asked for its ctag first where it has one, and lists the
	 * collection when that differs. A token that the server no longer knows gives a whole
	 * list, as an empty one does.
	 */
	enum rc (*changes)(struct dav *d, struct str path, struct str token, struct arena *a,
		struct dav_changes *r, struct err *err);

	/* Reads objects of one collection (multiget), some 50 at a time; one trip for each
	 * lot. */
	enum rc (*get)(struct dav *d, struct str path, struct dav_object *v, size_t n,
		struct arena *a, struct err *err);

	/*
	 * The cards of a collection that may contain all of the words (n > 0, DAV_WORDS_MAX at
	 * most) in a name, an address, a number, a note or the like, without regard to case:
	 * at least the longest word stands there. Hrefs and ETags alone. A server that cannot
	 * look everywhere (Radicale: not at N, ORG, ADR and CATEGORIES) is asked for any of
	 * them, and leaves out what has none of the words elsewhere. RC_INVALID: it cannot
	 * search. One trip (addressbook-query,
	 * RFC 6352 8.6), some more when it is found out what the server can.
	 */
	enum rc (*find)(struct dav *d, struct str path, const struct str *words, size_t n,
		struct arena *a, struct dav_entry **v_r, size_t *n_r, struct err *err);

	/*
	 * The objects of a calendar that have something going on at or after `from` (seconds
	 * since 1970 UTC): hrefs and ETags alone. Those that come again are among them when
	 * one of their times is; a server may tell of some that are over as well, and where a
	 * time has no zone (a whole day) it may be some hours off. RC_INVALID: it cannot, or
	 * there are no appointments here. One trip (calendar-query, RFC 4791 7.8), two more
	 * until it is found out that the server can.
	 */
	enum rc (*since)(struct dav *d, struct str path, int64_t from, struct arena *a,
		struct dav_entry **v_r, size_t *n_r, struct err *err);
	/*
	 * The objects of a calendar with that UID, likewise. Servers differ in what they take
	 * for the same (case; a part of it), so the caller looks at what is found. RC_INVALID
	 * also of a UID that is empty or longer than DAV_UID_MAX. One trip.
	 */
	enum rc (*with_uid)(struct dav *d, struct str path, struct str uid, struct arena *a,
		struct dav_entry **v_r, size_t *n_r, struct err *err);

	/*
	 * Writes an object. etag: what is there now; empty: nothing is, and RC_CONFLICT when
	 * something is. etag_r: of what is stored now; where the server does not say it is
	 * asked (a second trip), so it is never empty.
	 */
	enum rc (*put)(struct dav *d, struct str href, struct str etag, const char *type,
		struct str bytes, struct arena *a, struct str *etag_r, struct err *err);
	/* Removes an object that still has that etag. */
	enum rc (*remove)(struct dav *d, struct str href, struct str etag, struct err *err);
	/*
	 * Moves an object to another collection of the same server (MOVE, and where the server
	 * cannot: GET, PUT, DELETE). RC_CONFLICT: something is at `to` already.
	 */
	enum rc (*move)(struct dav *d, struct str href, struct str to, struct arena *a,
		struct str *etag_r, struct err *err);

	/* The href of a new object `name` (ASCII letters, digits, '-', '.') in a collection. */
	struct str (*join)(struct dav *d, struct str path, struct str name, struct arena *a);

	/*
	 * Collections. create: of one kind, in the user's home, under a path made of `key`
	 * (ASCII, the same key always gives the same path): RC_CONFLICT: it is there already,
	 * and path_r is its path.
	 */
	enum rc (*create)(struct dav *d, unsigned kind, struct str key, struct str name,
		struct arena *a, struct str *path_r, struct err *err);
	enum rc (*rename)(struct dav *d, struct str path, struct str name, struct err *err);
	/* With all that is in it. */
	enum rc (*erase)(struct dav *d, struct str path, struct err *err);
};

enum { DAV_WORDS_MAX = 16, DAV_WORD_MAX = 256 }; /* longer ones are cut */
enum { DAV_UID_MAX = 1024 };

/* Larger objects are not read: `refused`. */
#define DAV_OBJECT_MAX (32u * 1024 * 1024)
/* Objects of which the sum is larger are not held in memory at once by callers. */
#define DAV_BATCH_MAX (8u * 1024 * 1024)

#define dav_call(d, op, ...) ((d)->ops->op((d), __VA_ARGS__))

#endif
