/*
 * compose: a reply or a forward, put together from what the device wrote and the message that
 * it is about: the text of the original below the device's, its attachments behind it
 * ([MS-ASCMD] 2.2.1.19 and 2.2.1.20).
 *
 * What comes out is an entity: MIME fields, an empty line, a body. Nothing large is held in
 * memory: the device's own attachments go from its bytes to the sink, and those of the original
 * are written by the caller between compose_part() and the next call.
 *
 *     compose_open(...)           the device's message with the original's text
 *     compose_part(...), bytes    each attachment
 *     compose_close(...)
 */
#ifndef EASPOOL_CORE_MAP_COMPOSE_H
#define EASPOOL_CORE_MAP_COMPOSE_H

#include "core/base/stream.h"
#include "core/model/mail.h"

struct compose_original {
	struct str header; /* raw, the fields of MAIL_HEADER_FIELDS */
	int64_t received;
	struct str plain, html; /* its body, UTF-8; STR_NONE where it has none */
};

struct compose {
	struct str boundary; /* of the multipart that is open; STR_NONE: there is none */
	struct sink *to;
	struct arena *a;
};

/* The device has signed or encrypted it: nothing may be added to the body. */
bool compose_is_sealed(struct str message, struct arena *a);

/*
 * parts: attachments will follow. RC_INVALID with ERR_BAD_MIME when the message cannot be read.
 */
MUST_USE enum rc compose_open(struct compose *c, struct str message,
	const struct compose_original *original, bool forward, bool parts, struct sink *to,
	struct arena *a, struct err *err);
/* The fields of the next part; its bytes are the caller's to write, in the encoding that the
 * fields name. */
MUST_USE enum rc compose_part(struct compose *c, struct str fields, struct err *err);
MUST_USE enum rc compose_close(struct compose *c, struct err *err);

/*
 * The parts of the original that go along: all that is no body in a forward, only the pictures
 * inside the HTML body in a reply. At most max; how many.
 */
size_t compose_attachments(const struct mail_part *root, bool forward, struct str html,
	const struct mail_part **v, size_t max);
/* MIME fields of a part for compose_part(): of what the mail server gave for "<section>.MIME",
 * or when that is no use, of what is known of the part. */
struct str compose_fields(const struct mail_part *p, struct str mime, struct arena *a);
/* The same for a whole message as an attachment. */
struct str compose_message_fields(struct str header, struct arena *a);

/* In-Reply-To and References, RFC 5322 3.6.4, with line ends, as far as the device's header
 * lacks them; may be empty. */
struct str compose_references(struct str head, struct str original_header, struct arena *a);

#endif
