#include "core/sync/hierarchy.h"

#include "core/base/varint.h"
#include "core/sync/folders.h"

#include <stdlib.h>

/* What a device sees of a folder, as a number. */
static uint32_t fingerprint(const struct folder *f)
{
	uint32_t h = 2166136261u;
	const struct str texts[] = {f->parent, f->name};

	for (size_t k = 0; k < ARRAY_LEN(texts); k++) {
		for (size_t i = 0; i < texts[k].n; i++)
			h = (h ^ (unsigned char)texts[k].p[i]) * 16777619u;
		h = (h ^ 0x100u) * 16777619u;
	}
	return (h ^ f->type) * 16777619u;
}

static int by_id(const void *x, const void *y)
{
	return str_cmp((*(struct folder *const *)x)->id, (*(struct folder *const *)y)->id);
}

/* A folder as it was told. */
struct entry {
	struct str id, parent; /* the parent is empty where it is not known */
	uint32_t print;
	bool dropped;
};

/* The bytes begin with a 0, which is no number of folders, and the format. Those of the first
 * one, without parents, begin with the number. */
enum { FORMAT = 2 };

struct entries {
	struct entry *v;
	size_t n;
};

/* Number and format of the entries that follow. */
static bool decode_head(struct str *told, uint64_t *n_r, bool *parents_r)
{
	uint64_t format;

	*n_r = 0;
	*parents_r = false;
	if (told->n == 0)
		return true;
	if (varint_get(told, n_r) || *n_r > told->n)
		return false;
	if (*n_r || told->n == 0)
		return true;
	*parents_r = true;
	return varint_get(told, &format) == RC_OK && format == FORMAT &&
	       varint_get(told, n_r) == RC_OK && *n_r <= told->n;
}

/* room: for that many more. */
static enum rc entries_decode(
	struct str told, size_t room, struct arena *a, struct entries *r, struct err *err)
{
	bool parents;
	uint64_t n;

	if (!decode_head(&told, &n, &parents))
		return err_set(err, RC_INTERNAL, "the stored hierarchy is unreadable");
	*r = (struct entries){ARENA_ARRAY(a, struct entry, (size_t)n + room + 1), 0};
	for (; r->n < n; r->n++) {
		struct entry *e = &r->v[r->n];
		uint64_t print;

		if (varint_get_str(&told, &e->id) || varint_get(&told, &print) ||
			(parents && varint_get_str(&told, &e->parent)))
			return err_set(err, RC_INTERNAL, "the stored hierarchy is unreadable");
		e->print = (uint32_t)print;
	}
	return RC_OK;
}

static struct str entries_encode(const struct entries *e, struct arena *a)
{
	struct buf b;
	struct str r;

	buf_init(&b, BUF_MAX_TEXT);
	varint_put(&b, 0);
	varint_put(&b, FORMAT);
	varint_put(&b, e->n);
	for (size_t i = 0; i < e->n; i++) {
		varint_put_str(&b, e->v[i].id);
		varint_put(&b, e->v[i].print);
		varint_put_str(&b, e->v[i].parent);
	}
	r = arena_str(a, buf_str(&b));
	buf_release(&b);
	return r;
}

struct str hierarchy_encode(const struct folders *f, struct arena *a)
{
	struct folder **v = folders_sorted(f, a, by_id);
	struct entries e = {ARENA_ARRAY(a, struct entry, f->n + 1), f->n};

	for (size_t i = 0; i < f->n; i++)
		e.v[i] = (struct entry){v[i]->id, v[i]->parent, fingerprint(v[i]), false};
	return entries_encode(&e, a);
}

bool hierarchy_has(struct str told, struct str id)
{
	struct arena *a = arena_new();
	struct entries e;
	bool has = false;

	if (entries_decode(told, 0, a, &e, NULL) == RC_OK)
		for (size_t i = 0; i < e.n && !has; i++)
			has = str_eq(e.v[i].id, id);
	arena_free(a);
	return has;
}

static int entry_by_id(const void *x, const void *y)
{
	return str_cmp((*(struct entry *const *)x)->id, (*(struct entry *const *)y)->id);
}

static struct entry *entry_find(struct entry **v, size_t n, struct str id)
{
	struct entry key = {.id = id}, *k = &key;
	struct entry **hit = bsearch(&k, v, n, sizeof(struct entry *), entry_by_id);

	return hit ? *hit : NULL;
}

/* By what was told: the device forgets with a folder all that it saw below it, wherever that
 * may be by now. */
static bool forgotten(struct entry **v, size_t n, const struct entry *e)
{
	for (size_t depth = 0; e && depth <= n; depth++) {
		if (e->dropped)
			return true;
		e = entry_find(v, n, e->parent);
	}
	return false;
}

enum rc hierarchy_edit(struct str told, const struct folder *set, const struct str *drop,
	size_t ndrop, struct arena *a, struct str *told_r, struct err *err)
{
	struct entries e = {0}, left;
	struct entry **v;
	enum rc rc = entries_decode(told, 1, a, &e, err);

	if (rc)
		return rc;
	left = (struct entries){ARENA_ARRAY(a, struct entry, e.n + 1), 0};
	v = ARENA_ARRAY(a, struct entry *, e.n + 1);
	for (size_t i = 0; i < e.n; i++)
		v[i] = &e.v[i];
	qsort(v, e.n, sizeof(struct entry *), entry_by_id);
	for (size_t k = 0; k < ndrop; k++) {
		struct entry *it = entry_find(v, e.n, drop[k]);

		if (it)
			it->dropped = true;
	}
	for (size_t i = 0; i < e.n; i++)
		if (!forgotten(v, e.n, &e.v[i]) && !(set && str_eq(e.v[i].id, set->id)))
			left.v[left.n++] = e.v[i];
	if (set)
		left.v[left.n++] =
			(struct entry){set->id, set->parent, fingerprint(set), false};
	*told_r = entries_encode(&left, a);
	return RC_OK;
}

static void add_change(
	struct hierarchy_changes *r, int what, const struct folder *f, struct str id)
{
	r->v[r->n++] = (struct hierarchy_change){what, f, id};
}

/* Adds in such an order that a parent comes before its children. */
static void add_with_parents(struct hierarchy_changes *r, struct folder **v, size_t n, size_t i,
	bool *wanted, unsigned depth)
{
	struct folder key = {.id = v[i]->parent}, *k = &key;
	struct folder **parent = bsearch(&k, v, n, sizeof(struct folder *), by_id);

	if (!wanted[i])
		return;
	wanted[i] = false;
	if (parent && depth < 200)
		add_with_parents(r, v, n, (size_t)(parent - v), wanted, depth + 1);
	add_change(r, HIERARCHY_ADD, v[i], v[i]->id);
}

enum rc hierarchy_diff(struct str told, const struct folders *now, struct arena *a,
	struct hierarchy_changes *r, struct err *err)
{
	struct folder **v = folders_sorted(now, a, by_id);
	bool *wanted = ARENA_ARRAY(a, bool, now->n + 1);
	struct entries e = {0};
	struct str *deleted;
	size_t ndeleted = 0;
	enum rc rc = entries_decode(told, 0, a, &e, err);

	if (rc)
		return rc;
	*r = (struct hierarchy_changes){
		ARENA_ARRAY(a, struct hierarchy_change, now->n + e.n + 1), 0};
	deleted = ARENA_ARRAY(a, struct str, e.n + 1);
	for (size_t i = 0; i < now->n; i++)
		wanted[i] = true;
	for (size_t i = 0; i < e.n; i++) {
		struct folder key = {.id = e.v[i].id}, *k = &key, **hit;

		hit = bsearch(&k, v, now->n, sizeof(struct folder *), by_id);
		if (!hit) {
			deleted[ndeleted++] = key.id;
			continue;
		}
		wanted[hit - v] = false;
		if (fingerprint(*hit) != e.v[i].print)
			add_change(r, HIERARCHY_UPDATE, *hit, (*hit)->id);
	}
	for (size_t i = 0; i < ndeleted; i++)
		add_change(r, HIERARCHY_DELETE, NULL, deleted[i]);
	for (size_t i = 0; i < now->n; i++)
		add_with_parents(r, v, now->n, i, wanted, 0);
	return RC_OK;
}
