/*
 * ghost: which properties a device handles, as it said with its first key ([MS-ASCMD]
 * 2.2.3.178 Supported). One that it handles and leaves out of a Change is cleared; a ghosted
 * one is kept.
 */
#ifndef EASPOOL_CORE_MAP_GHOST_H
#define EASPOOL_CORE_MAP_GHOST_H

#include "core/base/arena.h"
#include "core/base/buf.h"
#include "core/wire/elem.h"

struct ghosts {
	/* No Supported: nothing is ghosted. An empty one: everything is. Else all but what it
	 * names. */
	enum { GHOSTS_NONE = 0, GHOSTS_ALL, GHOSTS_OTHERS } kind;
	tag_t *named;
	size_t n;
};

/* supported: the element; NULL: the device sent none. Into the arena. */
void ghosts_read(const struct elem *supported, struct arena *a, struct ghosts *g);
bool ghosted(const struct ghosts *g, tag_t tag);
/* Compact bytes, for the sticky options. */
void ghosts_encode(const struct ghosts *g, struct buf *b);
MUST_USE enum rc ghosts_decode(struct str *in, struct arena *a, struct ghosts *g);

#endif
