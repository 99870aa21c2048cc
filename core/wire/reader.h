/*
 * reader: WBXML bytes to an element tree, [MS-ASWBXML] 2.1, http.md section 8.
 *
 * Bounded in depth, elements and bytes. Reading ends with the document element; what follows is
 * not looked at. Unknown tokens of a known page and unknown pages are
 * skipped with their subtree; attributes, literals, processing instructions, entities out of
 * range and truncated input are RC_INVALID with err->why ERR_BAD_WBXML and the byte offset.
 */
#ifndef EASPOOL_CORE_WIRE_READER_H
#define EASPOOL_CORE_WIRE_READER_H

#include "core/wire/elem.h"

struct wbxml_limits {
	unsigned depth;    /* nested elements */
	unsigned elements; /* in all */
};

#define WBXML_LIMITS                                                                           \
	(struct wbxml_limits)                                                                  \
	{                                                                                      \
		.depth = 32, .elements = 200000                                                \
	}

/* The tree borrows `bytes` and lives in `a`. RC_INVALID, or RC_LIMIT past a limit. */
MUST_USE enum rc wbxml_read(struct str bytes, struct wbxml_limits limits, struct arena *a,
	struct elem **root_r, struct err *err);

#endif
