#include "core/sync/item_find.h"

#include <stdlib.h>

static int by_number(const void *x, const void *y)
{
	const struct item *a = x, *b = y;

	return (a->number > b->number) - (a->number < b->number);
}

/* All items of a collection whose server cannot search; none of a large one. */
static enum rc all_items(const struct item_source *src, size_t folder, struct item_finder *f,
	struct arena *a, struct items *r, struct err *err)
{
	struct uidset numbers;
	enum rc rc;

	uidset_init(&numbers, a);
	rc = state_call(
		src->state, items_numbers, src->account, &src->rows[folder], 1, &numbers, err);
	if (rc)
		return rc;
	if (uidset_count(&numbers) > f->reads) {
		f->cut = true;
		return RC_OK;
	}
	return state_call(src->state, items_get, src->account, &src->rows[folder], 1, &numbers,
		a, r, err);
}

/* Those of one collection that may contain the words. */
static enum rc candidates(const struct item_source *src, size_t folder, struct item_finder *f,
	struct arena *a, struct items *r, struct err *err)
{
	struct dav_entry *v;
	struct str *hrefs;
	size_t n;
	enum rc rc = dav_call(
		src->dav, find, src->folders[folder].path, f->words, f->n, a, &v, &n, err);

	*r = (struct items){NULL, 0};
	if (rc == RC_INVALID) {
		err_clear(err);
		return all_items(src, folder, f, a, r, err);
	}
	if (rc || n == 0)
		return rc;
	hrefs = ARENA_ARRAY(a, struct str, n);
	for (size_t i = 0; i < n; i++)
		hrefs[i] = v[i].href;
	return state_call(
		src->state, items_at, src->account, src->rows[folder], hrefs, n, a, r, err);
}

/* One lot of the candidates is read, and looked at. */
static enum rc sift(struct item_source *src, const struct item *v, size_t n,
	struct item_finder *f, size_t *done_r, struct err *err)
{
	struct arena *a = arena_new();
	struct dav_object *read = ARENA_ARRAY(a, struct dav_object, n);
	enum rc rc = item_source_read(src, v, n, a, read, err);
	size_t i = 0;

	for (; i < n && rc == RC_OK && !read[i].left && f->taken < f->most; i++)
		if (read[i].bytes.p && src->class->says(read[i].bytes, f->words, f->n, a))
			f->taken += f->take(f, &v[i], read[i].bytes);
	arena_free(a);
	*done_r = i;
	return rc;
}

static size_t without_gone(struct items *some)
{
	size_t n = 0;

	for (size_t i = 0; i < some->n; i++)
		if (!some->v[i].gone)
			some->v[n++] = some->v[i];
	return n;
}

static enum rc look_through(
	struct item_source *src, struct items *some, struct item_finder *f, struct err *err)
{
	size_t n = without_gone(some), most = n < f->reads ? n : f->reads, at = 0;
	enum rc rc = RC_OK;

	if (n == 0)
		return RC_OK;
	qsort(some->v, n, sizeof(*some->v), by_number);
	while (at < most && rc == RC_OK && f->taken < f->most) {
		size_t lot = most - at < ITEM_SOURCE_LOT ? most - at : ITEM_SOURCE_LOT, done;

		rc = sift(src, some->v + at, lot, f, &done, err);
		at += done;
	}
	f->cut = f->cut || at < n;
	return rc;
}

static enum rc find_in(
	struct item_source *src, size_t folder, struct item_finder *f, struct err *err)
{
	struct arena *a = arena_new();
	struct items some;
	enum rc rc = candidates(src, folder, f, a, &some, err);

	if (rc == RC_OK)
		rc = look_through(src, &some, f, err);
	arena_free(a);
	/* Of several one may be gone, or closed to the user. */
	if ((rc == RC_ABSENT || rc == RC_DENIED) && src->n > 1) {
		err_clear(err);
		return RC_OK;
	}
	return rc;
}

enum rc item_find(struct item_source *src, struct item_finder *f, struct err *err)
{
	enum rc rc = f->n ? item_source_ask(src, err) : RC_OK;

	for (size_t i = 0; i < src->n && rc == RC_OK && f->n && f->taken < f->most; i++)
		rc = find_in(src, i, f, err);
	return rc;
}
