#include "core/sync/item_source.h"

#include "core/sync/folders.h"

#include <string.h>

/* A server that always has more to tell is not listened to for ever. */
enum { ANSWERS_MAX = 10000 };

/* The folders that are shown as this one. */
static enum rc merged(struct item_source *src, const struct folder *folder, struct err *err)
{
	struct folders all;
	enum rc rc = state_call(src->state, folders_load, src->account, src->a, &all, err);

	if (rc)
		return rc;
	src->folders = ARENA_ARRAY(src->a, struct folder, all.n + 1);
	src->folders[src->n++] = *folder;
	for (size_t i = 0; i < all.n; i++)
		if (all.v[i].kind == folder->kind && all.v[i].row != folder->row)
			src->folders[src->n++] = all.v[i];
	return RC_OK;
}

enum rc item_source_open(struct item_source *src, const struct folder *folder, struct err *err)
{
	enum rc rc = RC_OK;

	src->class = item_class_of(folder->kind);
	src->n = 0;
	if (folders_merged(src->conf, folder)) {
		rc = merged(src, folder, err);
	} else {
		src->folders = ARENA_NEW(src->a, struct folder);
		src->folders[src->n++] = *folder;
	}
	if (rc)
		return rc;
	src->rows = ARENA_ARRAY(src->a, int64_t, src->n);
	src->shadows = ARENA_ARRAY(src->a, struct shadow, src->n);
	for (size_t i = 0; i < src->n; i++) {
		src->rows[i] = src->folders[i].row;
		src->shadows[i] = (struct shadow){.folder = src->folders[i].row};
	}
	src->asked = folder->kind == FOLDER_RECIPIENTS;
	return state_call(
		src->state, shadows_load, src->account, src->shadows, src->n, src->a, err);
}

static bool says_nothing(const struct dav_changes *ch, const struct shadow *sh)
{
	return !ch->whole && ch->n == 0 && str_eq(ch->token, sh->token);
}

static enum rc ask_one(struct item_source *src, size_t i, struct err *err)
{
	struct shadow *sh = &src->shadows[i];

	for (unsigned tries = 0; tries < ANSWERS_MAX; tries++) {
		struct arena_mark memory = arena_mark(src->a);
		struct dav_changes ch;
		enum rc rc = dav_call(
			src->dav, changes, src->folders[i].path, sh->token, src->a, &ch, err);

		if (rc)
			return rc;
		if (says_nothing(&ch, sh)) {
			arena_rewind(src->a, memory);
			return RC_OK;
		}
		rc = state_call(src->state, shadow_seen, src->account, sh, &ch, src->a, err);
		/* Another request has asked and noted the same just now, or more. */
		if (rc == RC_CONFLICT) {
			err_clear(err);
			return state_call(
				src->state, shadows_load, src->account, sh, 1, src->a, err);
		}
		if (rc || !ch.more)
			return rc;
	}
	return err_set(err, RC_UNAVAILABLE, "the server does not end its list of changes");
}

enum rc item_source_ask(struct item_source *src, struct err *err)
{
	if (src->asked)
		return RC_OK;
	if (!src->dav)
		return err_set(err, RC_UNAVAILABLE, "no server is configured for this folder");
	for (size_t i = 0; i < src->n; i++) {
		enum rc rc = ask_one(src, i, err);

		/* Of several one may be gone, or closed to the user; FolderSync tells. */
		if ((rc == RC_ABSENT || rc == RC_DENIED) && src->n > 1)
			continue;
		if (rc)
			return rc;
	}
	src->asked = true;
	return RC_OK;
}

uint64_t item_source_version(const struct item_source *src)
{
	uint64_t r = 0;

	for (size_t i = 0; i < src->n; i++)
		if (src->shadows[i].version > r)
			r = src->shadows[i].version;
	return r;
}

void item_source_moved(struct item_source *src, const struct item *it)
{
	for (size_t i = 0; i < src->n; i++)
		if (src->rows[i] == it->folder && src->shadows[i].version < it->version)
			src->shadows[i].version = it->version;
}

uint64_t item_source_purged(const struct item_source *src)
{
	uint64_t r = 0;

	for (size_t i = 0; i < src->n; i++)
		if (src->shadows[i].purged > r)
			r = src->shadows[i].purged;
	return r;
}

uint64_t item_source_shown(const struct item_source *src)
{
	uint64_t r = 0;

	/* In whatever order. */
	for (size_t i = 0; i < src->n; i++)
		r += (uint64_t)src->rows[i] * UINT64_C(0x9e3779b97f4a7c15) ^
		     (uint64_t)src->rows[i] << 7;
	return r ? r : 1;
}

const struct folder *item_source_folder(const struct item_source *src, const struct item *it)
{
	for (size_t i = 0; i < src->n; i++)
		if (src->rows[i] == it->folder)
			return &src->folders[i];
	return &src->folders[0];
}

/* Those of one collection, which the server reads together. */
static enum rc read_some(const struct item_source *src, size_t folder, const struct item *v,
	size_t n, struct arena *a, struct dav_object *objects, struct err *err)
{
	struct dav_object *some = ARENA_ARRAY(a, struct dav_object, n + 1);
	size_t *back = ARENA_ARRAY(a, size_t, n + 1), count = 0;
	enum rc rc;

	for (size_t i = 0; i < n; i++)
		if (v[i].folder == src->rows[folder]) {
			back[count] = i;
			some[count++] = (struct dav_object){.href = v[i].href};
		}
	if (count == 0)
		return RC_OK;
	rc = dav_call(src->dav, get, src->folders[folder].path, some, count, a, err);
	for (size_t i = 0; i < count && rc == RC_OK; i++)
		objects[back[i]] = some[i];
	return rc;
}

enum rc item_source_read(const struct item_source *src, const struct item *v, size_t n,
	struct arena *a, struct dav_object *objects_r, struct err *err)
{
	enum rc rc = RC_OK;

	memset(objects_r, 0, n * sizeof(*objects_r));
	/* What the recipient cache holds stands in its etag. */
	if (src->folders[0].kind == FOLDER_RECIPIENTS) {
		for (size_t i = 0; i < n; i++)
			objects_r[i] = (struct dav_object){
				.href = v[i].href, .etag = v[i].etag, .bytes = v[i].etag};
		return RC_OK;
	}
	if (!src->dav)
		return err_set(err, RC_UNAVAILABLE, "no server is configured for this folder");
	for (size_t i = 0; i < src->n && rc == RC_OK; i++)
		rc = read_some(src, i, v, n, a, objects_r, err);
	return rc;
}
