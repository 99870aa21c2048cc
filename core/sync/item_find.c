#include "core/sync/item_find.h"

#include <stdlib.h>

static struct str longest(const struct str *words, size_t n)
{
	struct str r = words[0];

	for (size_t i = 1; i < n; i++)
		if (words[i].n > r.n)
			r = words[i];
	return r;
}

static int by_number(const void *x, const void *y)
{
	const struct item *a = x, *b = y;

	return (a->number > b->number) - (a->number < b->number);
}

/* Those of one collection that may contain the word. */
static enum rc candidates(const struct item_source *src, size_t folder, struct str word,
	struct items *r, struct err *err)
{
	struct dav_entry *v;
	struct str *hrefs;
	size_t n;
	enum rc rc =
		dav_call(src->dav, find, src->folders[folder].path, word, src->a, &v, &n, err);

	if (rc == RC_INVALID) {
		err_clear(err);
		return state_call(src->state, items_since, src->account, &src->rows[folder], 1,
			0, SIZE_MAX, src->a, r, err);
	}
	if (rc)
		return rc;
	hrefs = ARENA_ARRAY(src->a, struct str, n + 1);
	for (size_t i = 0; i < n; i++)
		hrefs[i] = v[i].href;
	*r = (struct items){NULL, 0};
	return n ? state_call(src->state, items_at, src->account, src->rows[folder], hrefs, n,
			   src->a, r, err)
		 : RC_OK;
}

/* One lot of the candidates is read, and what does not contain the words is left out. */
static enum rc sift(struct item_source *src, const struct item *v, size_t n,
	const struct str *words, size_t nwords, struct items *r, size_t *done_r,
	struct err *err)
{
	struct arena *a = arena_new();
	struct dav_object *read = ARENA_ARRAY(a, struct dav_object, n);
	enum rc rc = item_source_read(src, v, n, a, read, err);

	*done_r = 0;
	for (size_t i = 0; i < n && rc == RC_OK && !read[i].left; i++, ++*done_r)
		if (read[i].bytes.p && src->class->says(read[i].bytes, words, nwords, a))
			r->v[r->n++] = v[i];
	arena_free(a);
	return rc;
}

static enum rc find_in(struct item_source *src, size_t folder, const struct str *words,
	size_t n, size_t most, struct items *r, struct err *err)
{
	struct items some = {NULL, 0};
	size_t kept = 0;
	enum rc rc = candidates(src, folder, longest(words, n), &some, err);

	/* Of several one may be gone, or closed to the user. */
	if ((rc == RC_ABSENT || rc == RC_DENIED) && src->n > 1) {
		err_clear(err);
		return RC_OK;
	}
	for (size_t i = 0; i < some.n && rc == RC_OK; i++)
		if (!some.v[i].gone)
			some.v[kept++] = some.v[i];
	if (rc || kept == 0)
		return rc;
	qsort(some.v, kept, sizeof(*some.v), by_number);
	for (size_t i = 0; i < kept && rc == RC_OK && r->n < most;) {
		size_t lot = kept - i < ITEM_SOURCE_LOT ? kept - i : ITEM_SOURCE_LOT, done;

		if (lot > most - r->n)
			lot = most - r->n;
		rc = sift(src, some.v + i, lot, words, n, r, &done, err);
		i += done;
	}
	return rc;
}

enum rc item_find(struct item_source *src, const struct str *words, size_t n, size_t most,
	struct items *r, struct err *err)
{
	struct item *v = ARENA_ARRAY(src->a, struct item, r->n + most + 1);
	enum rc rc = n ? item_source_ask(src, err) : RC_OK;

	for (size_t i = 0; i < r->n; i++)
		v[i] = r->v[i];
	r->v = v;
	for (size_t i = 0; i < src->n && rc == RC_OK && n && r->n < most; i++)
		rc = find_in(src, i, words, n, most, r, err);
	return rc;
}
