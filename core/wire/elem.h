/*
 * elem: a parsed request as a light element tree in the request's arena.
 *
 * Text borrows from the request's bytes where it can. STR_I and OPAQUE are the same on input:
 * some clients send one where the other is due. The helpers take NULL as an element without
 * children, so a chain of look-ups needs no checks in between.
 */
#ifndef EASPOOL_CORE_WIRE_ELEM_H
#define EASPOOL_CORE_WIRE_ELEM_H

#include "core/base/arena.h"
#include "core/base/err.h"
#include "core/wire/tags.h"

struct elem {
	tag_t tag;
	bool opaque;     /* the text came as OPAQUE */
	struct str text; /* all text of the element, STR_NONE if it had none */
	struct elem *child, *next;
};

/* First child with that tag, or NULL. */
const struct elem *elem_child(const struct elem *e, tag_t tag);
/* Next sibling with the same tag, or NULL. */
const struct elem *elem_again(const struct elem *e);
bool elem_has(const struct elem *e, tag_t tag);
/* Text of the first child with that tag, NULs at its end stripped; STR_NONE when absent, empty
 * when empty. */
struct str elem_text(const struct elem *e, tag_t tag);
/* Number in the first child with that tag; `fallback` when absent, empty or not a number. */
uint32_t elem_u32(const struct elem *e, tag_t tag, uint32_t fallback);
/* [MS-ASDTYPE] 2.1: an empty boolean is true; absent or anything but 0/1: the fallback. */
bool elem_bool(const struct elem *e, tag_t tag, bool fallback);
size_t elem_count(const struct elem *e, tag_t tag);

#endif
