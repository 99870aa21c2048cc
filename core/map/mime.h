/*
 * mime: messages that are at hand as a whole, read by GMime.
 */
#ifndef EASPOOL_CORE_MAP_MIME_H
#define EASPOOL_CORE_MAP_MIME_H

#include "core/base/arena.h"

#include <gmime/gmime.h>

/* The bytes are borrowed, not copied: they must outlive what is parsed. */
struct mime {
	GByteArray *bytes;
	GMimeMessage *message;
	GMimeObject *root; /* NULL: it cannot be read */
};

void mime_parse(struct str message, struct mime *r);
void mime_release(struct mime *p);

bool mime_is(GMimeObject *o, const char *type, const char *subtype);

/* The first text parts of a multipart that are no attachments; NULL: there is none. */
struct mime_texts {
	GMimePart *plain, *html;
};
void mime_find_texts(GMimeObject *root, struct mime_texts *r);

/* What a part says, as clean UTF-8. */
struct str mime_part_text(GMimePart *part, struct arena *a);

/* What a message says, as plain text. False: it has no text. */
bool mime_to_text(struct str message, struct arena *a, struct str *text_r);

#endif
