/*
 * email: a message in the store ↔ ApplicationData of class Email, classes.md 1 and 8.
 *
 * In two steps, so that the parts of a whole window are fetched in one round trip: email_plan()
 * decides from the summary and the device's Options which parts are needed and how much of
 * each; the caller fetches them; email_write() writes the properties in one go. Attachments are
 * listed, never fetched.
 */
#ifndef EASPOOL_CORE_MAP_EMAIL_H
#define EASPOOL_CORE_MAP_EMAIL_H

#include "core/map/email_note.h"
#include "core/model/mail.h"
#include "core/wire/elem.h"
#include "core/wire/writer.h"

enum { BODY_PLAIN = 1, BODY_HTML = 2, BODY_RTF = 3, BODY_MIME = 4 };

struct body_preference {
	unsigned type; /* 1-4 */
	bool has_size;
	uint32_t size; /* TruncationSize */
	bool all_or_none;
	unsigned preview; /* characters, 0: none */
};

/* Where the text of a body goes when it is not to stand in the document. */
struct body_parts {
	/* The number of the part that holds it; 0: no room, it has to stand in the document. */
	unsigned (*add)(struct body_parts *p, struct str data);
};

/* Where a whole message comes from that is too large for memory. */
struct body_stream {
	/* Writes it as airsyncbase:Data, or as a part. */
	enum rc (*write)(
		struct body_stream *s, uint32_t uid, struct wbxml_writer *w, struct err *err);
};
enum { EMAIL_STREAM_LEAST = 1024 * 1024 };

/* The Options that concern mail. */
struct email_options {
	enum eas_version version;
	unsigned mime_support;           /* 0 never, 1 S/MIME only, 2 always */
	int truncation;                  /* 2.5: 0-9, -1 absent */
	int mime_truncation;             /* 0-8, -1 absent */
	struct body_preference prefs[4]; /* in request order */
	size_t nprefs;
	bool client_wins;            /* Conflict 0; absent: the server wins */
	bool has_part;               /* 14.1: BodyPartPreference */
	struct body_preference part; /* its type is HTML; BODY_BAD_PART: it was another */
	struct str user;             /* the user's own address, for meetings; may be empty */
	bool whole;                  /* Fetch without preferences: nothing is cut */
	struct body_parts *parts;    /* multipart answers from 12.0 on; NULL: none */
	struct body_stream
		*stream; /* large MIME bodies do not go through memory; NULL: they do */
};

/* Reads an airsync:Options element (or an ItemOperations one: same children); e NULL: the
 * defaults. */
void email_options_read(const struct elem *e, enum eas_version v, struct email_options *o);
/* Compact bytes, for the sticky options. */
void email_options_encode(const struct email_options *o, struct buf *b);
MUST_USE enum rc email_options_decode(
	struct str *in, enum eas_version v, struct email_options *o);

/* [MS-ASAIRS] 2.2.2.11: a BodyPart is HTML; STATUS 164 otherwise. */
bool email_options_bad_part(const struct email_options *o);

#define EMAIL_PLAN_PARTS 4
#define EMAIL_PLAN_NONE  (-1)

/* One rendering of the body. */
struct email_body {
	unsigned type; /* BODY_* */
	bool html_to_text, text_to_html;
	int at;                             /* place of its part; EMAIL_PLAN_NONE */
	bool streamed;                      /* the whole message, by email_options.stream */
	const struct body_preference *pref; /* the one chosen, NULL: none */
};

struct email_plan {
	const struct mail_summary *summary;
	const struct email_note *note; /* NULL: there is none; set by the caller */
	struct email_body body;
	bool has_part;
	struct email_body body_part; /* BodyPart, 14.1 */
	int extra;                   /* place of a calendar, report or TNEF part */
	struct mail_part_request
		parts[EMAIL_PLAN_PARTS]; /* to be fetched before email_write() */
	size_t nparts;
	const struct mail_part
		*part[EMAIL_PLAN_PARTS]; /* the node of each, NULL for the whole message */
};

void email_plan(const struct mail_summary *m, const struct email_options *o, struct arena *a,
	struct email_plan *plan_r);

/* Sections worth a guess for these Options, for mail_summary.guessed; false: none is. */
bool email_guess(const struct email_options *o, struct mail_guess *r);
/* Takes the bytes of planned parts from what was guessed, where that is enough. */
void email_use_guesses(struct email_plan *plan, const struct mail_guess *g);

/*
 * The children of ApplicationData. server_id: "<collection>:<uid>", the stem of FileReferences
 * "<collection>:<uid>:<section>". RC_INVALID: this message cannot be shown (the sentence says
 * why); the caller rolls back. RC_ABSENT: a planned part has no bytes because the message is
 * gone. RC_DENIED: the server does not give it.
 */
MUST_USE enum rc email_write(const struct email_plan *plan, const struct email_options *o,
	struct str server_id, struct arena *a, struct wbxml_writer *w, struct err *err);

/* What a device is told of in a Change; the flags are those of core/model/mail.h. */
enum { EMAIL_CATEGORIES_CHANGED = 1 << 16 };

/* What a flag-only Change needs: Read, Flag, Categories and the last verb, as `changed`
 * (MAIL_SEEN, MAIL_FLAGGED, ..., EMAIL_CATEGORIES_CHANGED) says. note may be NULL. */
void email_write_flags(unsigned changed, const struct mail_flags *f,
	const struct email_note *note, int64_t received, enum eas_version v, struct arena *a,
	struct wbxml_writer *w);

/* What an ApplicationData of a client asks for. */
struct email_change {
	struct mail_flag_change flags;
	const struct elem *flag;       /* the Flag element, NULL: it says nothing of it */
	const struct elem *categories; /* likewise */
};

/* RC_INVALID: item Status 6. */
MUST_USE enum rc email_read_change(
	const struct elem *data, enum eas_version v, struct email_change *c, struct err *err);
/* The keywords to be added and removed, so that a message with these `keywords` gets the
 * categories of the change. */
void email_change_categories(struct email_change *c, struct str keywords, struct arena *a);

/* The Message-ID that a thread begins with, or its topic when it has none: what the
 * ConversationId is made of. */
struct str email_conversation_root(struct str header, struct arena *a);
/* The ConversationId of a message with that header (MAIL_HEADER_FIELDS). */
enum { EMAIL_CONVERSATION_ID = 16 };
void email_conversation_id(
	struct str header, struct arena *a, unsigned char id_r[EMAIL_CONVERSATION_ID]);

/* The part with that section, or NULL. */
const struct mail_part *email_part(const struct mail_part *root, struct str section);
/* Content type "type/subtype" for the device and the file name it should show (never empty). */
struct str email_part_type(const struct mail_part *p, struct arena *a);
struct str email_part_name(const struct mail_part *p, struct arena *a);

#endif
