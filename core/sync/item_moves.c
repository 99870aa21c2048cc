#include "core/sync/item_moves.h"

#include <glib.h>

/* The place in the other collection: always the same one for this item. */
static struct str target_of(
	const struct item_source *to, const struct item *it, struct arena *a)
{
	char *hex = g_compute_checksum_for_data(
		G_CHECKSUM_SHA256, (const unsigned char *)it->href.p, it->href.n);
	struct str name = arena_printf(a, "%.32s-%u%s", hex, it->number, to->class->suffix);

	g_free(hex);
	return dav_call(to->dav, join, to->folders[0].path, name, a);
}

static enum rc read_one(struct item_source *src, struct str path, struct str href,
	struct dav_object *r, struct err *err)
{
	*r = (struct dav_object){.href = href};
	return dav_call(src->dav, get, path, r, 1, src->a, err);
}

/*
 * The source is gone, or the target is there already: has an earlier try done that? Then what
 * is left of the source goes; but not what was put in its place since.
 */
static enum rc finish(struct item_source *from, const struct item *it, struct item_source *to,
	struct str href, struct str *etag_r, struct err *err)
{
	const struct folder *folder = item_source_folder(from, it);
	struct dav_object there, here;
	enum rc rc;

	err_clear(err);
	rc = read_one(to, to->folders[0].path, href, &there, err);
	if (rc == RC_ABSENT)
		return err_set_why(err, rc, ERR_NO_TARGET, "the other folder is gone");
	if (rc == RC_OK && !there.bytes.p)
		rc = err_set(err, RC_ABSENT, "there is no such item any more");
	if (rc == RC_OK)
		rc = read_one(from, folder->path, it->href, &here, err);
	if (rc)
		return rc;
	if (here.bytes.p && !str_eq(here.bytes, there.bytes))
		return err_set(err, RC_CONFLICT, "another item is there already");
	*etag_r = there.etag;
	return here.bytes.p ? dav_call(from->dav, remove, it->href, here.etag, err) : RC_OK;
}

enum rc item_move(struct item_source *from, uint32_t number, struct item_source *to,
	uint32_t *new_number_r, struct err *err)
{
	struct arena *a = from->a;
	struct str href, etag;
	struct uidset one;
	struct items items;
	struct item gone, moved;
	enum rc rc;

	if (!from->dav || !to->dav)
		return err_set(err, RC_DENIED, "such items are not moved");
	uidset_init(&one, a);
	uidset_add(&one, number);
	rc = state_call(from->state, items_get, from->account, from->rows, from->n, &one, a,
		&items, err);
	if (rc == RC_OK && items.n == 0)
		rc = err_set(err, RC_ABSENT, "there is no such item");
	if (rc)
		return rc;
	/* One that is gone may be where an earlier try has moved it. */
	href = target_of(to, &items.v[0], a);
	rc = dav_call(from->dav, move, items.v[0].href, href, a, &etag, err);
	if (rc == RC_ABSENT || rc == RC_CONFLICT)
		rc = finish(from, &items.v[0], to, href, &etag, err);
	if (rc == RC_OK)
		rc = state_call(to->state, item_own, to->account, to->rows[0], href, etag,
			false, a, &moved, err);
	if (rc == RC_OK)
		rc = state_call(from->state, item_own, from->account, items.v[0].folder,
			items.v[0].href, STR_NONE, true, a, &gone, err);
	if (rc == RC_OK)
		*new_number_r = moved.number;
	return rc;
}
