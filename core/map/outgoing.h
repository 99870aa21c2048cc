/*
 * outgoing: a message as a phone hands it in, to what is submitted and what is kept in Sent.
 * The body is never copied: the result is slices.
 */
#ifndef EASPOOL_CORE_MAP_OUTGOING_H
#define EASPOOL_CORE_MAP_OUTGOING_H

#include "core/base/arena.h"
#include "core/base/err.h"

struct outgoing {
	struct str sent[4], kept[4]; /* slices, one after the other; kept has Bcc */
	size_t nsent, nkept;
	struct str *recipients; /* bare addresses of To, Cc and Bcc, each once */
	size_t nrecipients;
};

/*
 * From becomes `address` (the display name stays), Date and Message-ID are added when missing,
 * Bcc is left out of what is sent. RC_INVALID with ERR_BAD_MIME, or ERR_NO_RECIPIENT.
 */
MUST_USE enum rc outgoing_read(struct str message, struct str address, struct arena *a,
	struct outgoing *r, struct err *err);

#endif
