#include "core/map/ghost.h"

#include "core/base/varint.h"

enum { NAMED_MAX = 256 };

void ghosts_read(const struct elem *supported, struct arena *a, struct ghosts *g)
{
	*g = (struct ghosts){.kind = GHOSTS_NONE};
	if (!supported)
		return;
	g->kind = supported->child ? GHOSTS_OTHERS : GHOSTS_ALL;
	g->named = ARENA_ARRAY(a, tag_t, NAMED_MAX);
	for (const struct elem *e = supported->child; e && g->n < NAMED_MAX; e = e->next)
		if (ghosted(g, e->tag))
			g->named[g->n++] = e->tag;
}

bool ghosted(const struct ghosts *g, tag_t tag)
{
	if (!g || g->kind == GHOSTS_NONE)
		return false;
	for (size_t i = 0; g->kind == GHOSTS_OTHERS && i < g->n; i++)
		if (g->named[i] == tag)
			return false;
	return true;
}

void ghosts_encode(const struct ghosts *g, struct buf *b)
{
	varint_put(b, g->kind);
	if (g->kind != GHOSTS_OTHERS)
		return;
	varint_put(b, g->n);
	for (size_t i = 0; i < g->n; i++)
		varint_put(b, g->named[i]);
}

enum rc ghosts_decode(struct str *in, struct arena *a, struct ghosts *g)
{
	uint32_t kind, n, tag;

	*g = (struct ghosts){.kind = GHOSTS_NONE};
	if (varint_get32(in, &kind) || kind > GHOSTS_OTHERS)
		return RC_INVALID;
	g->kind = kind;
	if (g->kind != GHOSTS_OTHERS)
		return RC_OK;
	if (varint_get32(in, &n) || n > NAMED_MAX)
		return RC_INVALID;
	g->named = ARENA_ARRAY(a, tag_t, n);
	for (; g->n < n; g->n++) {
		if (varint_get32(in, &tag) || tag > UINT16_MAX)
			return RC_INVALID;
		g->named[g->n] = (tag_t)tag;
	}
	return RC_OK;
}
