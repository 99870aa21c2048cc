/*
 * state: all that the server remembers between two requests. Implemented by store/postgres and
 * by tests/fake_state.c; tests/contract_state.c runs over both.
 *
 * Any worker serves any request, and a worker may die between any two calls. Nothing here keeps
 * a transaction open between calls. Results live in the caller's arena. RC_UNAVAILABLE: the
 * database cannot answer now; a lost connection is retried inside where that is safe.
 */
#ifndef EASPOOL_CORE_MODEL_STATE_H
#define EASPOOL_CORE_MODEL_STATE_H

#include "core/base/arena.h"
#include "core/base/err.h"
#include "core/base/uidset.h"
#include "core/model/dav.h"
#include "core/model/mail.h"
#include "core/wire/version.h"

enum entitlement {
	ENTITLED = 0,
	ENTITLEMENT_DISABLED,   /* switched off for this user */
	ENTITLEMENT_NOT_LISTED, /* users must be enabled one by one, and this one is not */
	ENTITLEMENT_EXPIRED,    /* the pool's date has passed */
	ENTITLEMENT_FULL, /* more users enabled than the pool has places: the latest are refused
			   */
};

struct account {
	int64_t id;
	struct str login; /* lower-cased login name */
	enum entitlement entitlement;
	enum eas_version ceiling; /* V_NONE: no ceiling of its own */
	struct str home; /* URL of the server that this user belongs to; empty: this one */
};

enum device_access { DEVICE_ALLOWED = 0, DEVICE_BLOCKED, DEVICE_QUARANTINED };

struct device {
	int64_t id; /* 0: known for this request only (the probe "validate"), nothing is stored
		     */
	struct str device_id, type, user_agent;
	struct str model, imei, friendly_name, os, os_language, phone_number, mobile_operator;
	bool outbound_sms;
	enum eas_version version, ceiling;
	enum device_access access;
	unsigned wipe;           /* 0 none; values come with the wipe */
	uint32_t policy_key;     /* permanent, 0: none */
	uint32_t policy_pending; /* temporary key of phase 1, 0: none */
	uint32_t policy_hash;    /* of the policy that policy_key stands for */
	struct str ping;         /* cached Ping parameters, bytes of core/cmd/cmd_ping.c */
	struct str sync_request; /* cached Sync request, bytes of core/cmd/cmd_sync.c */
	int64_t first_seen, last_seen;
	bool waits;          /* of a request: it only waits, which alone is noted twice a day */
	int64_t trace_until; /* the dialogue is written down until then; 0: it is not */
};

/* What device_save() writes. */
enum {
	DEVICE_INFO = 1,         /* model ... outbound_sms */
	DEVICE_POLICY = 2,       /* the three policy fields */
	DEVICE_PING = 4,         /* durable loosely: synchronous commit off */
	DEVICE_SYNC_REQUEST = 8, /* likewise */
};

enum folder_kind {
	FOLDER_MAIL = 0,
	FOLDER_CALENDAR,
	FOLDER_CONTACTS,
	FOLDER_TASKS,
	FOLDER_NOTES,
	FOLDER_RECIPIENTS, /* whom the user has written to; its id is "RI" */
};

/* A folder of an account. The id is given once and never used again for another folder. */
struct folder {
	int64_t row;
	struct str id; /* CollectionId: short ASCII */
	enum folder_kind kind;
	struct str path; /* backend path */
	uint32_t uidvalidity;
	struct str mailbox_id;
	struct str parent; /* CollectionId of the parent, "0" at the top */
	struct str name;   /* as the device shows it */
	unsigned type;     /* EAS folder type, commands.md 2 */
	bool selectable;
	uint64_t retries; /* how often skipped items were asked to be tried again */
};

struct folders {
	struct folder *v;
	size_t n;
	int64_t version; /* of the account's folder table, for folders_store */
};

/*
 * The state of one (device, collection) relationship. The hierarchy is the collection with the
 * id "". A SyncKey is "<epoch>-<generation>", core/sync/sync_key.h.
 *
 * `state` belongs to the current generation. `round` is what its round sent and answered: the
 * key before it again means that the answer was lost, and `round` lets it be given again.
 */
struct collection {
	uint32_t epoch; /* 0: there is no relationship */
	uint32_t generation;
	struct str state; /* bytes of core/sync */
	struct str round;
	struct str options; /* sticky Options, Supported, class */
	int64_t revision;   /* counts every store; for the comparison */
};

struct moved {
	struct str from, to; /* ServerIds */
};

/* What the mail server has no place for, of one message; opaque here. */
struct note {
	uint32_t uid;
	struct str bytes;
};

struct notes {
	struct note *v;
	size_t n;
};

/* A member of a DAV collection as it was last seen, or an entry of the recipient cache. */
struct item {
	uint32_t number; /* of its ServerId; unique in the account and never given again */
	int64_t folder;  /* row of its folder */
	struct str href, etag;
	uint64_t version; /* when it changed last: grows from change to change in the account */
	bool gone;
};

struct items {
	struct item *v;
	size_t n;
};

/* A DAV collection as it was last seen. */
struct shadow {
	int64_t folder;   /* in: its row */
	struct str token; /* to ask the server from; empty: it was never looked at */
	uint64_t version; /* the greatest of its items, those that are gone included */
	uint64_t purged;  /* items gone at a version up to this one are forgotten */
};

/* What is known, without asking the server, of a folder that a device waits for. */
struct watched_folder {
	struct str id;         /* in: the CollectionId */
	struct folder folder;  /* row 0: there is no such folder */
	struct collection c;   /* the device's; epoch 0: it never synchronised it */
	uint64_t seq;          /* grows with every change that is noticed; 0: none was so far */
	bool current;          /* mark, or version, is how the folder stands now */
	bool asked;            /* a collection: the server was asked just now, for watch_note */
	struct mail_mark mark; /* of a mailbox */
	uint64_t version;      /* of a collection: shadow.version */
};

struct watch {
	struct watched_folder *v; /* in: the ids */
	size_t n;
	size_t nall; /* of core/cmd/waiting.h: behind the n others that are shown as one of them
		      */
	struct collection hierarchy; /* of the device */
	uint64_t hierarchy_seq;      /* like seq, of the account's folders */
	bool hierarchy_current;      /* the stored folders are those of the mail server */
	bool covered;                /* a listener notices every change from now on */
	bool watched; /* listeners know that a device of the account waits at this host */
};

struct state {
	const struct state_ops *ops;
};

struct state_ops {
	/*
	 * Finds or makes account and device, in one round trip; notes version, type, user agent
	 * and last-seen time (loosely durable, not more than once a minute, and hardly ever for
	 * a device that only waits). An account that is
	 * not entitled is reported, not made. RC_LIMIT: the user has too many devices. DeviceId
	 * "validate": nothing is stored, device id 0. An empty device_id (OPTIONS): account
	 * only.
	 */
	enum rc (*begin)(struct state *s, struct str login, const struct device *seen,
		struct arena *a, struct account *account_r, struct device *device_r,
		struct err *err);
	/* The request is over: releases whatever it still holds. Never fails. */
	void (*end)(struct state *s);

	/* RC_ABSENT: an administrator has removed the device meanwhile. */
	enum rc (*device_save)(
		struct state *s, const struct device *d, unsigned what, struct err *err);

	enum rc (*folders_load)(struct state *s, const struct account *ac, struct arena *a,
		struct folders *r, struct err *err);
	/*
	 * Makes the account's folders equal to the list: a folder with an empty id is new and
	 * gets one (written into v), a known id is updated, what is missing is deleted. A
	 * parent that is new itself is named "+<index in v>" and becomes its id. One
	 * transaction. RC_CONFLICT: the table is no longer at `version`; load again. The new
	 * version goes into f.
	 */
	enum rc (*folders_store)(struct state *s, const struct account *ac, struct folders *f,
		struct arena *a, struct err *err);
	/* One folder by CollectionId; RC_ABSENT. Only folders of this account. */
	enum rc (*folder_get)(struct state *s, const struct account *ac, struct str id,
		struct arena *a, struct folder *r, struct err *err);

	/*
	 * Takes the (device, collection) for this request (a session advisory lock, waited for
	 * at most the configured time: RC_UNAVAILABLE), and reads its state and folder in the
	 * same round trip. No relationship: epoch 0. RC_ABSENT: no such folder ("" is always
	 * there; then folder_r is zeroed). Taken until collection_close() or end().
	 */
	enum rc (*collection_open)(struct state *s, const struct account *ac,
		const struct device *d, struct str id, struct arena *a, struct folder *folder_r,
		struct collection *r, struct err *err);
	/* Without the lock, for a look only (Ping, GetItemEstimate). */
	enum rc (*collection_peek)(struct state *s, const struct account *ac,
		const struct device *d, struct str id, struct arena *a, struct folder *folder_r,
		struct collection *r, struct err *err);
	/*
	 * Writes epoch, generation, state, round, options if the stored revision is still
	 * c->revision (none stored: 0), by one statement, synchronously committed. RC_CONFLICT
	 * otherwise. On success c->revision is the new one.
	 */
	enum rc (*collection_store)(struct state *s, const struct device *d, struct str id,
		struct collection *c, struct err *err);
	void (*collection_close)(struct state *s, const struct device *d, struct str id);

	/*
	 * ClientIds of sent mail, per device. claim: RC_OK, the mail is ours to send (also when
	 * a former try died before sent_done); RC_CONFLICT, it was sent. The claim is held
	 * (lock) until sent_done(), sent_drop() or end(). Entries older than a week may go.
	 */
	enum rc (*sent_claim)(
		struct state *s, const struct device *d, struct str client_id, struct err *err);
	enum rc (*sent_done)(
		struct state *s, const struct device *d, struct str client_id, struct err *err);
	void (*sent_drop)(struct state *s, const struct device *d, struct str client_id);

	/* What MoveItems answered, so that a resent request gets the same. Entries older than a
	 * week may go. */
	enum rc (*moved_add)(struct state *s, const struct device *d, const struct moved *v,
		size_t n, struct err *err);
	/* RC_ABSENT when that item was not moved by this device. */
	enum rc (*moved_find)(struct state *s, const struct device *d, struct str from,
		struct arena *a, struct str *to_r, struct err *err);

	/*
	 * Notes on messages of a folder, as long as it has its UIDVALIDITY. Empty bytes: the
	 * note goes. Missing ones are no error.
	 */
	enum rc (*notes_load)(struct state *s, const struct folder *f,
		const struct uidset *uids, struct arena *a, struct notes *r, struct err *err);
	enum rc (*notes_store)(struct state *s, const struct folder *f, const struct note *v,
		size_t n, struct err *err);

	/* The list that a device's search found, opaque; loosely durable. RC_ABSENT: none, or
	 * older than `age` seconds. */
	enum rc (*search_store)(
		struct state *s, const struct device *d, struct str bytes, struct err *err);
	enum rc (*search_load)(struct state *s, const struct device *d, int64_t age,
		struct arena *a, struct str *bytes_r, struct err *err);

	/* Shadows of these folders of the account; one trip. */
	enum rc (*shadows_load)(struct state *s, const struct account *ac, struct shadow *v,
		size_t n, struct arena *a, struct err *err);
	/*
	 * The server was asked from sh->token on and said this. What differs from what was
	 * known gets a version, what is new a number, and whoever waits for the folder is
	 * woken. One trip, one transaction; sh becomes what is stored then. RC_CONFLICT: the
	 * shadow is no longer at sh->token, somebody else has asked meanwhile, or the list is
	 * whole and a device has written (the shadow is no longer at sh->version), so that it
	 * may be older than that; nothing was done. RC_ABSENT: the account has no such folder.
	 */
	enum rc (*shadow_seen)(struct state *s, const struct account *ac, struct shadow *sh,
		const struct dav_changes *ch, struct arena *a, struct err *err);
	/*
	 * The device itself wrote, or removed (gone), this member: what the server will tell of
	 * it later is no news. r: the item as it is now; number 0 when it was not known and is
	 * gone. Others who wait are woken. RC_ABSENT: the account has no such folder.
	 */
	enum rc (*item_own)(struct state *s, const struct account *ac, int64_t folder,
		struct str href, struct str etag, bool gone, struct arena *a, struct item *r,
		struct err *err);
	/* Items of these folders of the account that changed after `version`, in the order of
	 * their versions, at most `most`. */
	enum rc (*items_since)(struct state *s, const struct account *ac,
		const int64_t *folders, size_t n, uint64_t version, size_t most,
		struct arena *a, struct items *r, struct err *err);
	/* Those with these numbers, that are gone and still known included. */
	enum rc (*items_get)(struct state *s, const struct account *ac, const int64_t *folders,
		size_t n, const struct uidset *numbers, struct arena *a, struct items *r,
		struct err *err);
	/* Those of one folder with these hrefs, in no order; what is not known is left out. */
	enum rc (*items_at)(struct state *s, const struct account *ac, int64_t folder,
		const struct str *hrefs, size_t n, struct arena *a, struct items *r,
		struct err *err);
	/* Adds the numbers of all that are not gone. */
	enum rc (*items_numbers)(struct state *s, const struct account *ac,
		const int64_t *folders, size_t n, struct uidset *r, struct err *err);

	/*
	 * What a wait goes by. Look first and ask the mail server afterwards: what changes in
	 * between has a higher seq. One trip, and no write.
	 */
	enum rc (*watch_look)(struct state *s, const struct account *ac, const struct device *d,
		struct arena *a, struct watch *w, struct err *err);
	/* Tells the listeners that a device of this account waits at this host. */
	enum rc (*watch_begin)(struct state *s, const struct account *ac, struct err *err);
	/*
	 * What the servers have said since: the marks of those mailboxes of w that were not
	 * current and have one; collections that were not current have been asked just now;
	 * hierarchy: the stored folders are those of the servers.
	 * No mark is noted where a change was noticed meanwhile. Loosely durable.
	 */
	enum rc (*watch_note)(struct state *s, const struct account *ac, const struct watch *w,
		bool hierarchy, struct err *err);
	/* The device is about to put messages into folders itself, which it will know of:
	 * its waits look again before they end. */
	enum rc (*watch_own)(struct state *s, const struct device *d, struct err *err);

	/* For the administrator: an item of this folder that cannot be shown to devices, and
	 * why. */
	enum rc (*skip_add)(struct state *s, const struct account *ac, const struct folder *f,
		struct str item, struct str reason, struct err *err);
};

#define state_call(s, op, ...) ((s)->ops->op((s), __VA_ARGS__))
#define state_call0(s, op)     ((s)->ops->op(s))

#endif
