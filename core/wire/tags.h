/*
 * tags: WBXML tags as numbers, page << 8 | token, and what the tables know of each.
 */
#ifndef EASPOOL_CORE_WIRE_TAGS_H
#define EASPOOL_CORE_WIRE_TAGS_H

#include "core/wire/version.h"

typedef uint16_t tag_t;

#define TAG_PAGE(t)  ((unsigned)(t) >> 8)
#define TAG_TOKEN(t) ((unsigned)(t)&0xff)
#define TAG_PAGES    26

enum {
#define TAG(page, token, constant, name, kind, first, last) constant = (page) << 8 | (token),
#include "core/wire/tags.def"
#undef TAG
};

enum tag_kind {
	TAG_CONTAINER,
	TAG_EMPTY,
	TAG_STRING,
	TAG_INTEGER,
	TAG_BOOLEAN,
	TAG_DOUBLE,
	TAG_DATETIME,
	TAG_DATETIME_COMPACT,
	TAG_TIMEZONE,
	TAG_BASE64,
	TAG_OPAQUE,
	TAG_MIXED, /* depends on the place, e.g. text in one command and a container in another
		    */
};

struct tag_info {
	tag_t tag;
	const char *name;
	enum tag_kind kind;
	enum eas_version first, last;
};

/* NULL for a tag that no table has. O(1). */
const struct tag_info *tag_info(tag_t tag);
/* The namespace prefix of a page ("airsync"), NULL past the last page. */
const char *tag_page_prefix(unsigned page);
/* "airsync:Sync" → the tag; 0 when unknown (0 is no tag). */
tag_t tag_of(struct str prefixed_name);

#endif
