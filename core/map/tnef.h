/*
 * tnef: what Outlook packs into winmail.dat ([MS-OXTNEF]): attachments, and the text. Any
 * input; the parser never reads past the bytes, and makes nothing of what it does not know. Our
 * own, because what there is as a library was not made for hostile mail.
 */
#ifndef EASPOOL_CORE_MAP_TNEF_H
#define EASPOOL_CORE_MAP_TNEF_H

#include "core/base/arena.h"

enum { TNEF_ATTACHMENTS = 200 };

struct tnef_attachment {
	struct str name; /* UTF-8, clean; may be empty */
	struct str type; /* "type/subtype" if it says so, else STR_NONE */
	struct str data; /* a slice of the input */
};

struct tnef {
	struct tnef_attachment v[TNEF_ATTACHMENTS];
	size_t n;
	struct str text; /* plain, UTF-8; STR_NONE */
	struct str html; /* likewise */
};

/* False: it is no TNEF. What follows a broken attribute is left out. */
bool tnef_read(struct str bytes, struct arena *a, struct tnef *r);

#endif
