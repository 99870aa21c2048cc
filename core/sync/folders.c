#include "core/sync/folders.h"

#include "core/base/log.h"
#include "core/sync/item_class.h"

#include <glib.h>
#include <stdlib.h>
#include <string.h>

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
	const struct folder *a = *(struct folder *const *)x, *b = *(struct folder *const *)y;
	int c = (a->kind > b->kind) - (a->kind < b->kind);

	return c ? c : str_cmp(a->path, b->path);
}

static int by_id(const void *x, const void *y)
{
	return str_cmp((*(struct folder *const *)x)->id, (*(struct folder *const *)y)->id);
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

struct folder **folders_sorted(
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

static int by_parent_and_name(const void *x, const void *y)
{
	const struct folder *a = *(struct folder *const *)x, *b = *(struct folder *const *)y;
	int c = str_cmp(a->parent, b->parent);

	for (size_t i = 0; c == 0 && i < a->name.n && i < b->name.n; i++)
		c = g_ascii_tolower(a->name.p[i]) - g_ascii_tolower(b->name.p[i]);
	if (c == 0)
		c = (a->name.n > b->name.n) - (a->name.n < b->name.n);
	return c ? c : str_cmp(a->path, b->path);
}

/* [MS-ASCMD] 2.2.3.49: no two folders of one parent have one name. "Inbox" may be a folder of
 * the user's besides INBOX. */
static void unique_names(struct folders *f, struct arena *a)
{
	struct folder **v = folders_sorted(f, a, by_parent_and_name);
	unsigned n = 1;

	for (size_t i = 1; i < f->n; i++) {
		struct folder *last = v[i - n], *it = v[i];

		if (!str_eq(last->parent, it->parent) || !str_ieq(last->name, it->name)) {
			n = 1;
			continue;
		}
		/* The default folder keeps its name. */
		if (it->type == TYPE_INBOX) {
			v[i - n] = it;
			v[i] = last;
			it = last;
		}
		it->name = arena_printf(a, "%.*s (%u)", STR_FMT(it->name), ++n);
	}
}

static struct folder as_folder(const struct mail_folder *m, const struct folder *known)
{
	return (struct folder){
		.row = known ? known->row : 0,
		.id = known ? known->id : STR_NONE,
		.kind = FOLDER_MAIL,
		.path = m->path,
		.uidvalidity = m->uidvalidity,
		.mailbox_id = m->mailbox_id.p ? m->mailbox_id : (struct str){"", 0},
		.name = m->use == MAIL_USE_INBOX ? STR("Inbox") : m->name,
		.type = type_of(m),
		.selectable = m->selectable,
	};
}

/* Both lists as folders; *changed_r: something differs from what is stored. */
static void reconcile(const struct mail_folders *list, const struct folders *others,
	const struct folders *stored, struct arena *a, struct folders *r, bool *changed_r)
{
	struct index x = {folders_sorted(stored, a, by_path),
		folders_sorted(stored, a, by_mailbox_id),
		folders_sorted(stored, a, by_uidvalidity), stored->n,
		ARENA_ARRAY(a, bool, stored->n + 1), stored, sorted_validities(list, a),
		list->n};
	size_t n = list->n + others->n;
	struct folder **match = ARENA_ARRAY(a, struct folder *, n + 1);

	for (size_t i = 0; i < list->n; i++)
		match[i] = known(&x, &list->v[i], true);
	for (size_t i = 0; i < list->n; i++)
		if (!match[i])
			match[i] = known(&x, &list->v[i], false);
	for (size_t i = list->n; i < n; i++)
		match[i] = take(&x, only(&x, x.path, &others->v[i - list->n], by_path));
	r->n = n;
	r->version = stored->version;
	r->v = ARENA_ARRAY(a, struct folder, n + 1);
	for (size_t i = 0; i < list->n; i++)
		r->v[i] = as_folder(&list->v[i], match[i]);
	for (size_t i = list->n; i < n; i++) {
		r->v[i] = others->v[i - list->n];
		r->v[i].row = match[i] ? match[i]->row : 0;
		r->v[i].id = match[i] ? match[i]->id : STR_NONE;
	}
	one_of_each_type(r);
	for (size_t i = 0; i < list->n; i++)
		r->v[i].parent = parent_of(list, r->v, &list->v[i], a);
	unique_names(r, a);
	*changed_r = n != stored->n;
	for (size_t i = 0; i < n; i++)
		*changed_r = *changed_r || !match[i] || !same(match[i], &r->v[i]);
}

static void add_folder(struct folders *f, enum folder_kind kind, struct str path,
	struct str name, unsigned type)
{
	f->v[f->n++] = (struct folder){
		.kind = kind,
		.path = path,
		.mailbox_id = {"", 0},
		.parent = STR("0"),
		.name = name,
		.type = type,
		.selectable = true
        };
}

/* The collection that is the default one: as before, else one that can be written to. */
static size_t default_of(const struct dav_collections *list, const struct item_class *class,
	const struct folders *stored)
{
	size_t best = 0;

	for (size_t i = 0; i < list->n; i++) {
		const struct folder *f = folders_by_path(stored, class->kind, list->v[i].path);

		if (f && f->type == class->default_type)
			return i;
	}
	while (best < list->n && list->v[best].read_only)
		best++;
	return best < list->n ? best : 0;
}

/* What the settings say of the collections of a class. */
struct custom {
	bool create, merge;
	const char *key; /* of the path of one that is made */
	struct str name;
};

static struct custom custom_of(const struct settings *conf, unsigned type)
{
	if (type == TYPE_CONTACTS || type == TYPE_USER_CONTACTS)
		return (struct custom){conf->contacts_create, conf->contacts_merge, "contacts",
			conf->contacts_name};
	if (type == TYPE_CALENDAR || type == TYPE_USER_CALENDAR)
		return (struct custom){conf->calendar_create, conf->calendar_merge, "calendar",
			conf->calendar_name};
	return (struct custom){false, false, "", STR_NONE};
}

static struct dav *server_of(const struct folder_servers *from, const struct item_class *class)
{
	return class->dav & DAV_CARDS ? from->dav : from->calendars;
}

/* A user who has none gets one. */
static enum rc create_default(const struct folder_servers *from, const struct item_class *class,
	struct arena *a, struct dav_collections *list, struct err *err)
{
	struct dav *dav = server_of(from, class);
	struct custom c = custom_of(from->conf, class->default_type);
	struct str path;
	enum rc rc;

	if (list->n || !c.create)
		return RC_OK;
	rc = dav_call(dav, create, class->dav, str_of(c.key), c.name, a, &path, err);
	if (rc && rc != RC_CONFLICT)
		return rc;
	return dav_call(dav, collections, class->dav, a, list, err);
}

static enum rc list_collections(const struct folder_servers *from,
	const struct item_class *class, struct arena *a, struct dav_collections *list,
	struct err *err)
{
	enum rc rc = dav_call(server_of(from, class), collections, class->dav, a, list, err);

	if (rc == RC_OK && list->none)
		return err_set(
			err, RC_ABSENT, "the server knows of no collections of the user");
	return rc ? rc : create_default(from, class, a, list, err);
}

/*
 * The collections of one class. What the server does not tell now is left as it is: a device
 * never loses what it has because a server has trouble, and mail goes on without it.
 */
static void add_collections(const struct folder_servers *from, const struct item_class *class,
	const struct folders *stored, struct arena *a, struct folders *r)
{
	struct dav_collections list = {NULL, 0, false};
	struct err why = ERR_INIT;
	enum rc rc = list_collections(from, class, a, &list, &why);
	struct folder *v = ARENA_ARRAY(a, struct folder, r->n + list.n + stored->n + 1);
	size_t first;

	for (size_t i = 0; i < r->n; i++)
		v[i] = r->v[i];
	r->v = v;
	if (rc) {
		log_warning(
			"folders of class %s are left as they were: %s", class->name, why.text);
		if (from->missed)
			*from->missed = true;
		for (size_t i = 0; i < stored->n; i++)
			if (stored->v[i].kind == class->kind)
				r->v[r->n++] = stored->v[i];
		return;
	}
	first = default_of(&list, class, stored);
	for (size_t i = 0; i < list.n; i++)
		add_folder(r, class->kind, list.v[i].path, list.v[i].name,
			i == first ? class->default_type : class->user_type);
}

/* What is no mailbox. */
static struct folders others(
	const struct folder_servers *from, const struct folders *stored, struct arena *a)
{
	struct folders r = {ARENA_ARRAY(a, struct folder, 1), 0, 0};

	if (from->conf->recipient_cache)
		add_folder(&r, FOLDER_RECIPIENTS, STR("recipients"), STR("RecipientInfo"),
			TYPE_RECIPIENTS);
	for (size_t i = 0; item_class_at(i); i++)
		if (server_of(from, item_class_at(i)))
			add_collections(from, item_class_at(i), stored, a, &r);
	return r;
}

bool folders_type_merged(const struct settings *conf, unsigned default_type)
{
	return custom_of(conf, default_type).merge;
}

bool folders_merged(const struct settings *conf, const struct folder *f)
{
	return (f->type == TYPE_CONTACTS || f->type == TYPE_CALENDAR) &&
	       custom_of(conf, f->type).merge;
}

/* [MS-ASCMD] 2.2.3.186.3: the recipient cache is known from 14.0 on. */
static bool is_visible(
	const struct folder *f, const struct settings *conf, enum eas_version version)
{
	if (f->kind == FOLDER_RECIPIENTS)
		return version >= V140;
	return (f->type != TYPE_USER_CONTACTS && f->type != TYPE_USER_CALENDAR) ||
	       !custom_of(conf, f->type).merge;
}

struct folders folders_visible(const struct folders *f, const struct settings *conf,
	enum eas_version version, struct arena *a)
{
	struct folders r = {ARENA_ARRAY(a, struct folder, f->n + 1), 0, f->version};

	for (size_t i = 0; i < f->n; i++)
		if (is_visible(&f->v[i], conf, version))
			r.v[r.n++] = f->v[i];
	return r;
}

static bool has_inbox(const struct mail_folders *list)
{
	for (size_t i = 0; i < list->n; i++)
		if (list->v[i].use == MAIL_USE_INBOX)
			return true;
	return false;
}

enum rc folders_refresh(
	const struct folder_servers *from, struct arena *a, struct folders *r, struct err *err)
{
	struct state *s = from->state;
	struct mail_folders list;
	struct folders stored, rest;
	enum rc rc = mail_call(from->mail, list, a, &list, err);

	if (rc)
		return rc;
	qsort(list.v, list.n, sizeof(*list.v), mail_by_path);
	/* Every user has one. Without it the list is not whole, and what it lacks must not be
	 * taken for deleted. */
	if (!has_inbox(&list))
		return err_set(err, RC_UNAVAILABLE, "the mail server lists no INBOX");
	rc = state_call(s, folders_load, from->account, a, &stored, err);
	if (rc)
		return rc;
	rest = others(from, &stored, a);
	/* Two devices may refresh at once: the later one looks again. */
	for (unsigned tries = 0; tries < 4; tries++) {
		bool changed;

		reconcile(&list, &rest, &stored, a, r, &changed);
		if (!changed)
			return RC_OK;
		rc = state_call(s, folders_store, from->account, r, a, err);
		if (rc != RC_CONFLICT)
			return rc;
		rc = state_call(s, folders_load, from->account, a, &stored, err);
		if (rc)
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

const struct folder *folders_by_id(const struct folders *f, struct str id)
{
	for (size_t i = 0; i < f->n; i++)
		if (str_eq(f->v[i].id, id))
			return &f->v[i];
	return NULL;
}

const struct folder *folders_by_path(
	const struct folders *f, enum folder_kind kind, struct str path)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->v[i].kind == kind && str_eq(f->v[i].path, path))
			return &f->v[i];
	return NULL;
}

bool folders_below(const struct folders *f, const struct folder *it, struct str id)
{
	/* A tree is not deeper than it has folders. */
	for (size_t depth = 0; it && depth <= f->n; depth++) {
		if (str_eq(it->parent, id))
			return true;
		it = folders_by_id(f, it->parent);
	}
	return false;
}

/* A path is longer than that of its parent. */
static int deepest_first(const void *x, const void *y)
{
	const struct folder *a = *(struct folder *const *)x, *b = *(struct folder *const *)y;

	return (b->path.n > a->path.n) - (b->path.n < a->path.n);
}

struct folder **folders_all_below(
	const struct folders *f, struct str id, struct arena *a, size_t *n_r)
{
	struct folder **all = folders_sorted(f, a, by_id);
	struct folder **v = ARENA_ARRAY(a, struct folder *, f->n + 1);
	size_t n = 0;

	for (size_t i = 0; i < f->n; i++) {
		struct folder *it = &f->v[i];

		for (size_t depth = 0; it && depth <= f->n; depth++) {
			struct folder key = {.id = it->parent}, *k = &key, **hit;

			if (str_eq(it->parent, id)) {
				v[n++] = &f->v[i];
				break;
			}
			hit = bsearch(&k, all, f->n, sizeof(struct folder *), by_id);
			it = hit ? *hit : NULL;
		}
	}
	qsort(v, n, sizeof(struct folder *), deepest_first);
	*n_r = n;
	return v;
}

enum rc folders_renamed(struct state *s, const struct account *ac, struct str from,
	struct str below, struct str to, struct arena *a, struct err *err)
{
	for (unsigned tries = 0; tries < 4; tries++) {
		struct folders all;
		enum rc rc = state_call(s, folders_load, ac, a, &all, err);

		if (rc)
			return rc;
		for (size_t i = 0; i < all.n; i++) {
			struct str *path = &all.v[i].path;

			if (all.v[i].kind != FOLDER_MAIL)
				continue;
			if (str_eq(*path, from))
				*path = to;
			else if (path->n > below.n && memcmp(path->p, below.p, below.n) == 0)
				*path = arena_printf(a, "%.*s%.*s", STR_FMT(to),
					STR_FMT(str_sub(*path, from.n, path->n)));
		}
		rc = state_call(s, folders_store, ac, &all, a, err);
		if (rc != RC_CONFLICT)
			return rc;
	}
	return err_set(err, RC_UNAVAILABLE, "the folders keep changing");
}

enum rc folders_need(const struct folder_servers *from, unsigned type, struct str name,
	struct arena *a, struct folder *r, struct err *err)
{
	enum mail_use use = type == TYPE_TRASH ? MAIL_USE_TRASH : MAIL_USE_SENT;
	const struct folder *f;
	struct folders all;
	enum rc rc = state_call(from->state, folders_load, from->account, a, &all, err);

	if (rc)
		return rc;
	f = folders_of_type(&all, type);
	if (!f) {
		rc = mail_call(from->mail, create, name, use, err);
		if (rc && rc != RC_CONFLICT)
			return rc;
		rc = folders_refresh(from, a, &all, err);
		if (rc)
			return rc;
		f = folders_of_type(&all, type);
	}
	if (!f)
		f = folders_by_path(&all, FOLDER_MAIL, name);
	if (!f)
		return err_set(err, RC_ABSENT, "there is no folder \"%.*s\"", STR_FMT(name));
	*r = *f;
	return RC_OK;
}
