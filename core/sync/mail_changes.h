/*
 * mail_changes: what a device asks to change in messages that it has: Read, Flag, Categories
 * ([MS-ASCMD] 2.2.3.24). In IMAP where other clients see it, the rest in a note.
 */
#ifndef EASPOOL_CORE_SYNC_MAIL_CHANGES_H
#define EASPOOL_CORE_SYNC_MAIL_CHANGES_H

#include "core/sync/mail_sync.h"

struct mail_change {
	uint32_t uid;            /* of a message that the device has */
	const struct elem *data; /* its ApplicationData */
	enum rc rc; /* result: RC_INVALID, nothing was done; RC_DENIED, or RC_CONFLICT where the
		       server wins: the round tells the device how things are */
};

/* The state of the round knows afterwards what the device knows. */
MUST_USE enum rc mail_changes_apply(
	struct mail_round *r, struct mail_change *v, size_t n, struct err *err);

#endif
