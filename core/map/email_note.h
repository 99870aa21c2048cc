/*
 * email_note: what is known of a message beyond its IMAP flags: the details of its follow-up
 * flag ([MS-ASEMAIL] 2.2.2.34, classes.md 1.2), and when it was answered. Kept as bytes in the
 * state store, next to the flags, which are what other clients see.
 */
#ifndef EASPOOL_CORE_MAP_EMAIL_NOTE_H
#define EASPOOL_CORE_MAP_EMAIL_NOTE_H

#include "core/base/err.h"
#include "core/wire/elem.h"
#include "core/wire/writer.h"

/* LastVerbExecuted */
enum { EMAIL_REPLIED = 1, EMAIL_REPLIED_ALL = 2, EMAIL_FORWARDED = 3 };
/* Status of a Flag */
enum { FLAG_CLEAR = 0, FLAG_COMPLETE = 1, FLAG_SET = 2 };

enum { EMAIL_FLAG_FIELDS = 12 };

struct email_note {
	unsigned verb; /* 0: none is known */
	int64_t verb_time;
	unsigned flag_status;
	struct str flag[EMAIL_FLAG_FIELDS]; /* STR_NONE when absent */
};

/* Unreadable bytes give an empty note. */
void email_note_decode(struct str bytes, struct email_note *r);
/* Empty when there is nothing to note. */
struct str email_note_encode(const struct email_note *n, struct arena *a);

/*
 * The flag as an ApplicationData of a client has it, over what is noted already. RC_INVALID:
 * item Status 6.
 */
MUST_USE enum rc email_note_read_flag(
	const struct elem *flag, struct email_note *n, struct err *err);
/* The Flag element of a message that is flagged in IMAP or not; note may be NULL. */
void email_note_write_flag(bool flagged, const struct email_note *note, struct wbxml_writer *w);

#endif
