/*
 * mail: one user's mailbox as the core sees it. Implemented by store/imap and by
 * tests/fake_mail.c; tests/contract_mail.c runs over both.
 *
 * A store moves bytes that it does not interpret: headers and bodies come as they are stored,
 * in their transfer encoding; core/map decodes them. Folders are named by `path`, the store's
 * own full name in UTF-8 (the IMAP store translates modified UTF-7). Results live in the
 * caller's arena.
 *
 * Common results: RC_ABSENT the folder (or message) is not there; RC_DENIED the user may not;
 * RC_UNAVAILABLE connection lost, BYE, time out, [UNAVAILABLE], [INUSE]: try again later;
 * RC_LIMIT with ERR_QUOTA or ERR_TOO_LARGE; RC_INVALID the server speaks nonsense.
 * No call ever reports an empty or smaller mailbox because the server had trouble.
 *
 * Round trips are what counts: each call says how many it costs on a server with the
 * extensions.
 */
#ifndef EASPOOL_CORE_MODEL_MAIL_H
#define EASPOOL_CORE_MODEL_MAIL_H

#include "core/base/err.h"
#include "core/base/stream.h"
#include "core/base/uidset.h"

/* What a folder is for: RFC 6154 SPECIAL-USE, or INBOX. */
enum mail_use {
	MAIL_USE_NONE = 0,
	MAIL_USE_INBOX,
	MAIL_USE_DRAFTS,
	MAIL_USE_TRASH,
	MAIL_USE_SENT,
	MAIL_USE_JUNK,
	MAIL_USE_ARCHIVE,
	MAIL_USE_ALL,
	MAIL_USE_FLAGGED,
};

struct mail_folder {
	struct str path;       /* whole name, UTF-8 */
	struct str name;       /* last component, UTF-8 */
	struct str parent;     /* path of the parent folder, empty at the top */
	enum mail_use use;     /* from SPECIAL-USE; without it guessed from well-known names */
	bool selectable;       /* false: \Noselect, only there to hold children */
	uint32_t uidvalidity;  /* 0: the server did not say (not selectable, or no LIST-STATUS
				  and too many) */
	struct str mailbox_id; /* RFC 8474 OBJECTID, STR_NONE where the server has none */
};

struct mail_folders {
	struct mail_folder *v;
	size_t n;
};

/* System flags as bits; everything else is a keyword. */
enum {
	MAIL_SEEN = 1,
	MAIL_FLAGGED = 2,
	MAIL_ANSWERED = 4,
	MAIL_FORWARDED = 8, /* the keyword $Forwarded */
	MAIL_DRAFT = 16,
	MAIL_DELETED = 32, /* marked \Deleted, not expunged: the device must not see it */
	MAIL_ALL_FLAGS = 63,
};

/* Where a mailbox stands; equal marks mean that nothing changed. */
struct mail_mark {
	uint32_t uidvalidity, uidnext, messages;
	uint64_t modseq; /* HIGHESTMODSEQ; 0: the server has none for this mailbox */
};

struct mail_flags {
	uint32_t uid;
	unsigned flags;
	struct str keywords; /* space-separated, other than $Forwarded; STR_NONE if there are
				none */
};

/* A node of BODYSTRUCTURE. Texts as the server gave them (names may be encoded words or RFC
 * 2231). */
struct mail_part {
	struct str section;       /* "1", "1.2"; "" for the root of a multipart; see below */
	struct str type, subtype; /* lower case */
	struct str charset, name; /* parameters of Content-Type; name with RFC 2231 pieces
				     joined and decoded to UTF-8 */
	struct str method;        /* text/calendar; method=..., STR_NONE */
	struct str smime_type, protocol, report_type; /* parameters, STR_NONE when absent */
	struct str id;                                /* Content-ID without angle brackets */
	struct str description, location;             /* Content-Location */
	struct str encoding;                          /* lower case: "7bit", "base64", ... */
	uint32_t size;                                /* octets in the transfer encoding */
	struct str disposition; /* lower case: "attachment", "inline"; STR_NONE when absent */
	struct str filename;    /* parameter of Content-Disposition, decoded like name */
	struct str subject;     /* of a message/rfc822: the Subject in it, as it stands there */
	struct mail_part *child,
		*next; /* parts of a multipart; the one body of a message/rfc822 */
};
/*
 * Sections follow RFC 3501 6.4.5: the only part of a message that is no multipart is "1". The
 * children of a message/rfc822 part N are N.1 ... (its own multipart root, if any, has section
 * "N").
 */

struct mail_part_request {
	uint32_t uid;
	struct str section; /* "1.2", "1.2.MIME", "HEADER", "" the whole message */
	uint64_t offset;
	uint32_t length;  /* 0: to the end */
	struct str bytes; /* result, raw; STR_NONE when the message or part is not there */
	bool refused;     /* result: it may be there, and the server does not give it */
};

/* Sections that are read along with a summary, in the hope that the one that will be needed is
 * among them: that saves a trip. */
enum { MAIL_GUESSES = 4 };
struct mail_guess {
	const char *sections[MAIL_GUESSES]; /* NULL ends them */
	uint32_t length;                    /* of each, from its beginning */
};

/* What a Sync window needs of one message. */
struct mail_summary {
	struct mail_flags flags; /* with the uid */
	int64_t received;        /* INTERNALDATE, Unix seconds */
	uint32_t size;           /* RFC822.SIZE */
	struct str header;       /* raw header fields of MAIL_HEADER_FIELDS, CRLF lines */
	struct mail_part *root;
	struct str guessed[MAIL_GUESSES]; /* by the place of the section; STR_NONE: not there */
};

struct mail_summaries {
	struct mail_summary
		*v; /* in no particular order; vanished messages are simply not there */
	size_t n;
};

#define MAIL_HEADER_FIELDS                                                                     \
	"From Sender Reply-To To Cc Bcc Subject Date Message-ID In-Reply-To References "       \
	"Importance X-Priority Priority Thread-Topic Thread-Index Message-Context"

/* The question of a Sync round. */
struct mail_look {
	struct mail_mark since;    /* as the last look returned it; uidvalidity 0: first look */
	const struct uidset *held; /* messages whose vanishing and flags matter */
	bool search;               /* work out `scope` anew */
	int64_t after;      /* with search: only messages received at or after this, 0: all */
	bool conversations; /* with search: and all that are in one thread with them, where the
			       server knows threads (RFC 5256) */
	const struct uidset *want; /* summaries to read on the same trip; may be NULL */
	unsigned newest;           /* and those of the newest n arrivals */
};

/* The answer. All of it describes one moment, that of `mark`. */
struct mail_delta {
	struct mail_mark mark;
	bool reset; /* UIDVALIDITY is not the one of `since`: nothing of the old state holds */
	struct uidset arrived;  /* UIDs >= since.uidnext that exist now (first look or reset:
				   empty, see scope) */
	struct uidset vanished; /* members of held that are gone */
	struct mail_flags
		*flags; /* messages of held whose flags may differ from what they were */
	size_t nflags;
	struct uidset scope; /* with search (forced on reset): all messages that the date lets
				through */
	struct mail_summaries summaries; /* of want and newest, those that exist */
};

struct mail_flag_change {
	uint32_t uid;
	unsigned set, clear;
	/* Keywords, space-separated; one that the server does not keep is no error. */
	struct str add, remove;
	bool absent; /* result: the message is gone */
};

struct mail_flag_list {
	struct mail_flags *v;
	size_t n;
};

/* What a search asks for: a tree. */
enum mail_term_kind {
	MAIL_TERM_AND, /* of its children; without any: everything */
	MAIL_TERM_OR,
	MAIL_TERM_NOT,  /* of its one child */
	MAIL_TERM_TEXT, /* anywhere in the message */
	MAIL_TERM_BODY,
	MAIL_TERM_SUBJECT,
	MAIL_TERM_FROM,
	MAIL_TERM_TO,
	MAIL_TERM_CC,
	MAIL_TERM_HEADER, /* `text` in the header field `field` */
	MAIL_TERM_SINCE,  /* received at or after `time`; servers may compare whole days */
	MAIL_TERM_BEFORE, /* received before it; likewise */
	MAIL_TERM_UNREAD,
	MAIL_TERM_FLAGGED,
};

struct mail_term {
	enum mail_term_kind kind;
	struct str text;
	const char *field;
	int64_t time;
	struct mail_term *child, *next;
};

struct mail_hit {
	uint32_t uid;
	int64_t received; /* 0 when only one folder was searched: the UID tells the order */
};

/* Of one folder. */
struct mail_hits {
	uint32_t uidvalidity;
	uint32_t total;
	struct mail_hit *v; /* the newest, by UID downwards */
	size_t n;
	enum rc rc; /* RC_OK, or why this folder could not be searched */
};

struct mail_move {
	uint32_t uid;
	uint32_t new_uid; /* result: 0 when the server cannot tell (no UIDPLUS) */
	enum rc rc;       /* result: RC_OK, RC_ABSENT, ... */
};

struct mail {
	const struct mail_ops *ops;
};

struct mail_ops {
	/* All folders of the user, parents before children. One trip (LIST RETURN (SPECIAL-USE
	 * STATUS ...)). */
	enum rc (*list)(
		struct mail *m, struct arena *a, struct mail_folders *r, struct err *err);

	/* The numbers only. One trip. */
	enum rc (*status)(
		struct mail *m, struct str folder, struct mail_mark *r, struct err *err);
	/* The same of several folders, pipelined; rc_r[i] per folder. One trip. */
	enum rc (*status_many)(struct mail *m, const struct str *folders, size_t n,
		struct mail_mark *marks_r, enum rc *rc_r, struct err *err);

	/*
	 * What changed. One trip (SELECT with QRESYNC, SEARCH and FETCH pipelined). On lesser
	 * servers the result is the same and the work more: CONDSTORE without QRESYNC, or
	 * neither, when flags has an entry for every message of held.
	 */
	enum rc (*look)(struct mail *m, struct str folder, const struct mail_look *l,
		struct arena *a, struct mail_delta *r, struct err *err);

	/* Summaries of these messages, with guesses unless `g` is NULL. One trip when the
	 * folder is selected already. */
	enum rc (*summaries)(struct mail *m, struct str folder, const struct uidset *uids,
		const struct mail_guess *g, struct arena *a, struct mail_summaries *r,
		struct err *err);

	/* Parts of messages, BODY.PEEK, pipelined: one trip for all. Results are filled into
	 * `v`. */
	enum rc (*parts)(struct mail *m, struct str folder, struct mail_part_request *v,
		size_t n, struct arena *a, struct err *err);

	/*
	 * One part (or "" the whole message), streamed in bounded memory. length 0: to the end.
	 * RC_ABSENT when message or part is gone and nothing was written.
	 */
	enum rc (*stream)(struct mail *m, struct str folder, uint32_t uid, struct str section,
		uint64_t offset, uint64_t length, struct sink *to, struct err *err);

	/*
	 * The changes take the UIDVALIDITY that their UIDs belong to, 0 when that is not known.
	 * RC_CONFLICT: the folder has another one by now, and nothing was done.
	 *
	 * Flags. Two trips. RC_DENIED in a read-only folder.
	 */
	enum rc (*store)(struct mail *m, struct str folder, uint32_t uidvalidity,
		struct mail_flag_change *v, size_t n, struct err *err);

	/* To another folder, MOVE or COPY + \Deleted + UID EXPUNGE. Two trips for all
	 * with MOVE, three without. */
	enum rc (*move)(struct mail *m, struct str folder, uint32_t uidvalidity, struct str to,
		struct mail_move *v, size_t n, struct err *err);

	/* For good. Messages that are gone already are no error. Two trips. */
	enum rc (*remove)(struct mail *m, struct str folder, uint32_t uidvalidity,
		const struct uidset *uids, struct err *err);

	/* Adds a message; uid_r 0 without UIDPLUS. received 0: now. */
	enum rc (*append)(struct mail *m, struct str folder, unsigned flags, int64_t received,
		struct source *message, uint32_t *uid_r, struct err *err);

	/* Flags of these messages, those that exist. One trip. */
	enum rc (*flags)(struct mail *m, struct str folder, const struct uidset *uids,
		struct arena *a, struct mail_flag_list *r, struct err *err);

	/* The newest `newest` hits in each folder. One trip for all folders, and a second one
	 * for their dates when there are several. */
	enum rc (*search)(struct mail *m, const struct str *folders, size_t n,
		const struct mail_term *what, unsigned newest, struct arena *a,
		struct mail_hits *hits_r, struct err *err);

	/*
	 * Folders. RC_CONFLICT: there is one of that name. RC_DENIED: the server does not want
	 * it.
	 *
	 * The path of a folder `name` under `parent` (empty: at the top of what is the user's
	 * own). RC_INVALID: no folder can be called so. At most one trip.
	 */
	enum rc (*join)(struct mail *m, struct str parent, struct str name, struct arena *a,
		struct str *path_r, struct err *err);
	enum rc (*create)(
		struct mail *m, struct str folder, enum mail_use use, struct err *err);
	/* With all folders below it. */
	enum rc (*rename)(struct mail *m, struct str folder, struct str to, struct err *err);
	/* For good, with its messages but not the folders below it. */
	enum rc (*erase)(struct mail *m, struct str folder, struct err *err);
};

/* For callers: mail_status(m, ...) instead of m->ops->status(m, ...). */
#define mail_call(m, op, ...) ((m)->ops->op((m), __VA_ARGS__))

#endif
