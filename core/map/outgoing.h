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
	struct str *names;      /* of recipients, as they stand there; may be empty */
	size_t nrecipients;
};

/* What the device's message is to become. */
struct outgoing_change {
	struct str address; /* From becomes it; the display name stays */
	struct str header;  /* fields to be added, with their line ends; may be empty */
	struct str entity;  /* MIME fields and body in place of its own; STR_NONE: its own */
};

/*
 * Date and Message-ID are added when missing, Bcc is left out of what is sent. RC_INVALID with
 * ERR_BAD_MIME, or ERR_NO_RECIPIENT.
 */
MUST_USE enum rc outgoing_read(struct str message, const struct outgoing_change *change,
	struct arena *a, struct outgoing *r, struct err *err);

/* The header block of a message, and where its body begins: the first empty line, whatever the
 * line ends are. */
struct str outgoing_header(struct str message, size_t *body_r);

#endif
