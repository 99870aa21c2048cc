#include "core/sync/item_window.h"

#include "core/base/clock.h"

enum { DAY = 86400 };

/* [MS-ASCMD] 2.2.3.68.2; 0: all, or no filter of such a class. */
static const unsigned days_back[] = {[4] = 14, [5] = 31, [6] = 92, [7] = 183};

bool item_window_filter(const struct item_class *class, uint32_t filter)
{
	/* Of what has no end any filter is ignored. */
	if (!class->end)
		return filter <= 8;
	return filter == 0 || (filter < ARRAY_LEN(days_back) && days_back[filter]);
}

/* Both for the moment that the sets are of. */
static int64_t beginning(const struct item_state *st)
{
	return st->filter < ARRAY_LEN(days_back)
		       ? (st->day - (int64_t)days_back[st->filter]) * DAY
		       : INT64_MIN;
}

/* Adds those of one collection that are in the window; to `unknown` all of one that cannot be
 * asked, where nothing is taken away from the device nor read once more. */
static enum rc add_inside(const struct item_source *src, size_t folder, int64_t from,
	bool wider, struct uidset *inside, struct uidset *unknown, struct err *err)
{
	struct arena *a = arena_new();
	struct items some = {NULL, 0};
	struct dav_entry *v;
	size_t n;
	enum rc rc = dav_call(src->dav, since, src->folders[folder].path, from, a, &v, &n, err);

	if (rc == RC_INVALID) {
		err_clear(err);
		/* The days that pass bring nothing in. */
		rc = state_call(src->state, items_numbers, src->account, &src->rows[folder], 1,
			wider ? inside : unknown, err);
	} else if (rc == RC_OK && n) {
		struct str *hrefs = ARENA_ARRAY(a, struct str, n);

		for (size_t i = 0; i < n; i++)
			hrefs[i] = v[i].href;
		rc = state_call(src->state, items_at, src->account, src->rows[folder], hrefs, n,
			a, &some, err);
	}
	for (size_t i = 0; i < some.n && rc == RC_OK; i++)
		uidset_add(inside, some.v[i].number);
	arena_free(a);
	/* Of several one may be gone, or closed to the user. */
	if ((rc == RC_ABSENT || rc == RC_DENIED) && src->n > 1) {
		err_clear(err);
		return state_call(src->state, items_numbers, src->account, &src->rows[folder],
			1, unknown, err);
	}
	return rc;
}

/* What is in the window is to be had, what is not is to go. */
static void divide(struct item_state *st, const struct uidset *there, struct uidset *inside,
	const struct uidset *unknown)
{
	struct uidset aged = uidset_copy(&st->held, st->arena);

	st->outside = uidset_copy(there, st->arena);
	uidset_subtract(&st->outside, inside);
	uidset_subtract(&st->outside, unknown);
	uidset_intersect(&aged, &st->outside);
	st->aged = aged;
	uidset_subtract(&st->pending, &st->outside);
	uidset_subtract(&st->tried, &st->outside);
	/* At first everything is news anyway. */
	if (!st->version)
		return;
	uidset_subtract(inside, &st->held);
	uidset_subtract(inside, &st->skipped);
	uidset_union(&st->pending, inside);
}

static enum rc ask(struct item_source *src, struct item_state *st, bool wider, struct err *err)
{
	struct uidset there, inside, unknown;
	enum rc rc;

	uidset_init(&there, src->a);
	uidset_init(&inside, src->a);
	uidset_init(&unknown, src->a);
	rc = state_call(
		src->state, items_numbers, src->account, src->rows, src->n, &there, err);
	if (rc)
		return rc;
	if (!st->filter)
		inside = uidset_copy(&there, src->a);
	for (size_t i = 0; i < src->n && rc == RC_OK && st->filter; i++)
		rc = add_inside(src, i, beginning(st), wider, &inside, &unknown, err);
	if (rc)
		return rc;
	divide(st, &there, &inside, &unknown);
	st->outside_version = item_source_version(src);
	return RC_OK;
}

enum rc item_window_look(struct item_source *src, struct item_state *st, unsigned filter,
	bool others, bool age, struct err *err)
{
	int64_t today = clock_now() / DAY;
	bool wider;

	if (!src->class->end ||
		(st->filter == filter && (!filter || (!others && (!age || st->day == today)))))
		return RC_OK;
	if (filter && !src->dav)
		return err_set(err, RC_UNAVAILABLE, "no server is configured for this folder");
	wider = st->filter != filter;
	st->filter = filter;
	st->day = filter ? today : 0;
	return ask(src, st, wider, err);
}

bool item_window_hides(const struct item_state *st, const struct item *it)
{
	return it->version <= st->outside_version && uidset_has(&st->outside, it->number);
}

bool item_window_passed(const struct item_source *src, const struct item_state *st,
	struct str bytes, struct arena *a)
{
	return st->filter && src->class->end && src->class->end(bytes, a) < beginning(st);
}
