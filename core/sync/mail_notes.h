/*
 * mail_notes: the notes of some messages, read in one go.
 */
#ifndef EASPOOL_CORE_SYNC_MAIL_NOTES_H
#define EASPOOL_CORE_SYNC_MAIL_NOTES_H

#include "core/map/email_note.h"
#include "core/model/state.h"

struct mail_notes {
	uint32_t *uids;
	struct email_note *v;
	size_t n;
};

MUST_USE enum rc mail_notes_load(struct state *s, const struct folder *f,
	const struct uidset *uids, struct arena *a, struct mail_notes *r, struct err *err);
/* NULL when there is none. */
const struct email_note *mail_notes_of(const struct mail_notes *n, uint32_t uid);

/* Notes that a message was answered or forwarded just now. */
MUST_USE enum rc mail_notes_verb(struct state *s, const struct folder *f, uint32_t uid,
	unsigned verb, struct arena *a, struct err *err);

#endif
