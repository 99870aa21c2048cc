#include "core/sync/folders.h"

#include "core/base/varint.h"

#include <stdlib.h>

static unsigned type_of(const struct mail_folder *m)
{
	static const unsigned types[] = {
		[MAIL_USE_INBOX] = TYPE_INBOX,
		[MAIL_USE_DRAFTS] = TYPE_DRAFTS,
		[MAIL_USE_TRASH] = TYPE_TRASH,
		[MAIL_USE_SENT] = TYPE_SENT,
	};

	if (!m->selectable)
		return TYPE_GENERIC;
	if ((size_t)m->use < ARRAY_LEN(types) && types[m->use])
		return types[m->use];
	return TYPE_USER_MAIL;
}

static int by_path(const void *x, const void *y)
{
	return str_cmp((*(struct folder *const *)x)->path, (*(struct folder *const *)y)->path);
}

static int by_mailbox_id(const void *x, const void *y)
{
	return str_cmp((*(struct folder *const *)x)->mailbox_id,
		(*(struct folder *const *)y)->mailbox_id);
}

static int by_uidvalidity(const void *x, const void *y)
{
	uint32_t a = (*(struct folder *const *)x)->uidvalidity,
		 b = (*(struct folder *const *)y)->uidvalidity;

	return (a > b) - (a < b);
}

/* The stored folders in three orders. */
struct index {
	struct folder **path, **mailbox_id, **uidvalidity;
	size_t n;
	bool *taken; /* by place in the stored list */
	const struct folders *stored;
	uint32_t *validities; /* of the new list, sorted */
	size_t nlist;
};

static struct folder **sorted(
	const struct folders *f, struct arena *a, int (*compare)(const void *, const void *))
{
	struct folder **v = ARENA_ARRAY(a, struct folder *, f->n + 1);

	for (size_t i = 0; i < f->n; i++)
		v[i] = &f->v[i];
	qsort(v, f->n, sizeof(struct folder *), compare);
	return v;
}

/* The one folder that compares equal and is not taken; NULL if none or several. */
static struct folder *only(const struct index *x, struct folder **v, struct folder *key,
	int (*compare)(const void *, const void *))
{
	struct folder **hit = bsearch(&key, v, x->n, sizeof(struct folder *), compare);
	size_t at;

	if (!hit)
		return NULL;
	at = (size_t)(hit - v);
	if ((at > 0 && compare(&v[at - 1], &key) == 0) ||
		(at + 1 < x->n && compare(&v[at + 1], &key) == 0))
		return NULL;
	return x->taken[v[at] - x->stored->v] ? NULL : v[at];
}

static struct folder *take(const struct index *x, struct folder *f)
{
	if (f)
		x->taken[f - x->stored->v] = true;
	return f;
}

static int by_number(const void *x, const void *y)
{
	uint32_t a = *(const uint32_t *)x, b = *(const uint32_t *)y;

	return (a > b) - (a < b);
}

/* Several folders of the new list have that UIDVALIDITY: it identifies none. */
static bool shared(const struct index *x, uint32_t uidvalidity)
{
	const uint32_t *v = x->validities;
	const uint32_t *hit = bsearch(&uidvalidity, v, x->nlist, sizeof(*v), by_number);
	size_t at = hit ? (size_t)(hit - v) : 0;

	return hit &&
	       ((at > 0 && v[at - 1] == *hit) || (at + 1 < x->nlist && v[at + 1] == *hit));
}

static struct folder *known(const struct index *x, const struct mail_folder *m, bool by_name)
{
	struct folder key = {
		.path = m->path, .mailbox_id = m->mailbox_id, .uidvalidity = m->uidvalidity};
	struct folder *f = NULL;

	if (m->mailbox_id.n)
		f = only(x, x->mailbox_id, &key, by_mailbox_id);
	if (f)
		return take(x, f);
	if (by_name) {
		f = only(x, x->path, &key, by_path);
		/* Another mailbox under the old name has another identity. */
		if (f && m->mailbox_id.n && f->mailbox_id.n)
			f = NULL;
		return take(x, f);
	}
	if (m->uidvalidity && !m->mailbox_id.n && !shared(x, m->uidvalidity))
		f = only(x, x->uidvalidity, &key, by_uidvalidity);
	return take(x, f);
}

static struct str parent_of(const struct mail_folders *list, const struct folder *v,
	const struct mail_folder *m, struct arena *a)
{
	size_t lo = 0, hi = list->n;

	if (m->parent.n == 0)
		return STR("0");
	/* The list is sorted by path. */
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int c = str_cmp(list->v[mid].path, m->parent);

		if (c == 0)
			return v[mid].id.n ? v[mid].id : arena_printf(a, "+%zu", mid);
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return STR("0");
}

static bool same(const struct folder *x, const struct folder *y)
{
	return str_eq(x->id, y->id) && str_eq(x->path, y->path) && x->type == y->type &&
	       x->uidvalidity == y->uidvalidity && str_eq(x->mailbox_id, y->mailbox_id) &&
	       str_eq(x->parent, y->parent) && str_eq(x->name, y->name) &&
	       x->selectable == y->selectable;
}

static int mail_by_path(const void *x, const void *y)
{
	return str_cmp(
		((const struct mail_folder *)x)->path, ((const struct mail_folder *)y)->path);
}

static void one_of_each_type(struct folders *f)
{
	bool seen[TYPE_SENT + 1] = {false};

	for (size_t i = 0; i < f->n; i++) {
		if (f->v[i].type > TYPE_SENT || f->v[i].type == TYPE_GENERIC)
			continue;
		if (seen[f->v[i].type])
			f->v[i].type = TYPE_USER_MAIL;
		seen[f->v[i].type <= TYPE_SENT ? f->v[i].type : 0] = true;
	}
}

static uint32_t *sorted_validities(const struct mail_folders *list, struct arena *a)
{
	uint32_t *v = ARENA_ARRAY(a, uint32_t, list->n + 1);

	for (size_t i = 0; i < list->n; i++)
		v[i] = list->v[i].uidvalidity;
	qsort(v, list->n, sizeof(*v), by_number);
	return v;
}

/* The list as folders; *changed_r: something differs from what is stored. */
static void reconcile(const struct mail_folders *list, const struct folders *stored,
	struct arena *a, struct folders *r, bool *changed_r)
{
	struct index x = {sorted(stored, a, by_path), sorted(stored, a, by_mailbox_id),
		sorted(stored, a, by_uidvalidity), stored->n,
		ARENA_ARRAY(a, bool, stored->n + 1), stored, sorted_validities(list, a),
		list->n};
	struct folder **match = ARENA_ARRAY(a, struct folder *, list->n + 1);

	for (size_t i = 0; i < list->n; i++)
		match[i] = known(&x, &list->v[i], true);
	for (size_t i = 0; i < list->n; i++)
		if (!match[i])
			match[i] = known(&x, &list->v[i], false);
	r->n = list->n;
	r->version = stored->version;
	r->v = ARENA_ARRAY(a, struct folder, list->n + 1);
	for (size_t i = 0; i < list->n; i++) {
		const struct mail_folder *m = &list->v[i];

		r->v[i] = (struct folder){
			.row = match[i] ? match[i]->row : 0,
			.id = match[i] ? match[i]->id : STR_NONE,
			.kind = FOLDER_MAIL,
			.path = m->path,
			.uidvalidity = m->uidvalidity,
			.mailbox_id = m->mailbox_id.p ? m->mailbox_id : (struct str){"", 0},
			.name = m->use == MAIL_USE_INBOX ? STR("Inbox") : m->name,
			.type = type_of(m),
			.selectable = m->selectable
                };
	}
	one_of_each_type(r);
	*changed_r = list->n != stored->n;
	for (size_t i = 0; i < list->n; i++) {
		r->v[i].parent = parent_of(list, r->v, &list->v[i], a);
		*changed_r = *changed_r || !match[i] || !same(match[i], &r->v[i]);
	}
}

static bool has_inbox(const struct mail_folders *list)
{
	for (size_t i = 0; i < list->n; i++)
		if (list->v[i].use == MAIL_USE_INBOX)
			return true;
	return false;
}

enum rc folders_refresh(struct state *s, const struct account *ac, struct mail *m,
	struct arena *a, struct folders *r, struct err *err)
{
	struct mail_folders list;
	enum rc rc = mail_call(m, list, a, &list, err);

	if (rc)
		return rc;
	qsort(list.v, list.n, sizeof(*list.v), mail_by_path);
	/* Every user has one. Without it the list is not whole, and what it lacks must not be
	 * taken for deleted. */
	if (!has_inbox(&list))
		return err_set(err, RC_UNAVAILABLE, "the mail server lists no INBOX");
	/* Two devices may refresh at once: the later one looks again. */
	for (unsigned tries = 0; tries < 4; tries++) {
		struct folders stored;
		bool changed;

		rc = state_call(s, folders_load, ac, a, &stored, err);
		if (rc)
			return rc;
		reconcile(&list, &stored, a, r, &changed);
		if (!changed)
			return RC_OK;
		rc = state_call(s, folders_store, ac, r, a, err);
		if (rc != RC_CONFLICT)
			return rc;
	}
	return err_set(err, RC_UNAVAILABLE, "the folders keep changing");
}

const struct folder *folders_of_type(const struct folders *f, unsigned type)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->v[i].type == type)
			return &f->v[i];
	return NULL;
}

enum rc folders_need(struct state *s, const struct account *ac, struct mail *m, unsigned type,
	struct str name, struct arena *a, struct folder *r, struct err *err)
{
	enum mail_use use = type == TYPE_TRASH ? MAIL_USE_TRASH : MAIL_USE_SENT;
	const struct folder *f;
	struct folders all;
	enum rc rc = state_call(s, folders_load, ac, a, &all, err);

	if (rc)
		return rc;
	f = folders_of_type(&all, type);
	if (!f) {
		rc = mail_call(m, create, name, use, err);
		if (rc && rc != RC_CONFLICT)
			return rc;
		rc = folders_refresh(s, ac, m, a, &all, err);
		if (rc)
			return rc;
		f = folders_of_type(&all, type);
	}
	for (size_t i = 0; i < all.n && !f; i++)
		if (str_eq(all.v[i].path, name))
			f = &all.v[i];
	if (!f)
		return err_set(err, RC_ABSENT, "there is no folder \"%.*s\"", STR_FMT(name));
	*r = *f;
	return RC_OK;
}

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

struct str hierarchy_encode(const struct folders *f, struct arena *a)
{
	struct folder **v = sorted(f, a, by_id);
	struct buf b;
	struct str r;

	buf_init(&b, BUF_MAX_TEXT);
	varint_put(&b, f->n);
	for (size_t i = 0; i < f->n; i++) {
		varint_put_str(&b, v[i]->id);
		varint_put(&b, fingerprint(v[i]));
	}
	r = arena_str(a, buf_str(&b));
	buf_release(&b);
	return r;
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
	struct folder **v = sorted(now, a, by_id);
	bool *wanted = ARENA_ARRAY(a, bool, now->n + 1);
	struct str *deleted;
	size_t ndeleted = 0;
	uint64_t n = 0;

	if (told.n && (varint_get(&told, &n) || n > told.n))
		return err_set(err, RC_INTERNAL, "the stored hierarchy is unreadable");
	*r = (struct hierarchy_changes){
		ARENA_ARRAY(a, struct hierarchy_change, now->n + (size_t)n + 1), 0};
	deleted = ARENA_ARRAY(a, struct str, (size_t)n + 1);
	for (size_t i = 0; i < now->n; i++)
		wanted[i] = true;
	for (uint64_t i = 0; i < n; i++) {
		struct folder key = {0}, *k = &key, **hit;
		uint64_t print;

		if (varint_get_str(&told, &key.id) || varint_get(&told, &print))
			return err_set(err, RC_INTERNAL, "the stored hierarchy is unreadable");
		hit = bsearch(&k, v, now->n, sizeof(struct folder *), by_id);
		if (!hit) {
			deleted[ndeleted++] = key.id;
			continue;
		}
		wanted[hit - v] = false;
		if (fingerprint(*hit) != (uint32_t)print)
			add_change(r, HIERARCHY_UPDATE, *hit, (*hit)->id);
	}
	for (size_t i = 0; i < ndeleted; i++)
		add_change(r, HIERARCHY_DELETE, NULL, deleted[i]);
	for (size_t i = 0; i < now->n; i++)
		add_with_parents(r, v, now->n, i, wanted, 0);
	return RC_OK;
}
