#include "tests/fake_dav.h"

#include "tests/fake_event.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_COLLECTIONS 256
#define LOT             50 /* objects that one multiget asks for */

struct object {
	char *href;
	char etag[24];
	char *bytes; /* NULL: it was removed; what stays is the mark that it was there */
	size_t n;
	uint64_t seq; /* when it changed last */
	bool refused;
};

struct book {
	char *path, *name;
	unsigned kinds;
	bool is_default, read_only, card4;
	uint64_t max_size;
	struct object **v; /* by seq */
	size_t n, cap;
};

struct fake_dav {
	struct dav dav; /* first */
	struct book *books[MAX_COLLECTIONS];
	size_t nbooks;
	uint64_t seq;
	unsigned generation; /* of tokens */
	bool without_sync, no_home, cannot_find;
	size_t page;
	unsigned trips, fail_in;
	bool fail_late;
	enum rc fail_rc, down;
	const char *reject;
	void (*meanwhile)(void *ctx);
	void *meanwhile_ctx;
};

static struct fake_dav *of(struct dav *d)
{
	return (struct fake_dav *)d;
}

static struct book *find(struct fake_dav *fd, struct str path)
{
	for (size_t i = 0; i < fd->nbooks; i++)
		if (str_is(path, fd->books[i]->path))
			return fd->books[i];
	return NULL;
}

static struct book *must(struct fake_dav *fd, const char *path)
{
	struct book *b = find(fd, str_of(path));

	assert(b);
	return b;
}

/* The collection that an href lies in. */
static struct book *home_of(struct fake_dav *fd, struct str href)
{
	size_t n = href.n;

	while (n && href.p[n - 1] != '/')
		n--;
	return find(fd, str_sub(href, 0, n));
}

static struct object *any_object(struct book *b, struct str href)
{
	for (size_t i = 0; i < b->n; i++)
		if (str_is(href, b->v[i]->href))
			return b->v[i];
	return NULL;
}

static struct object *object(struct book *b, struct str href)
{
	struct object *o = any_object(b, href);

	return o && o->bytes ? o : NULL;
}

static struct object *named(struct fake_dav *fd, const char *path, const char *name)
{
	char href[512];

	(void)snprintf(href, sizeof(href), "%s%s", path, name);
	return object(must(fd, path), str_of(href));
}

static struct str etag_of(const struct object *o)
{
	return str_of(o->etag);
}

static void object_free(struct object *o)
{
	free(o->href);
	free(o->bytes);
	free(o);
}

static void book_free(struct book *b)
{
	for (size_t i = 0; i < b->n; i++)
		object_free(b->v[i]);
	free(b->v);
	free(b->path);
	free(b->name);
	free(b);
}

static struct object *add(struct book *b, struct str href)
{
	struct object *o = calloc(1, sizeof(*o));

	if (b->n == b->cap) {
		b->cap = b->cap ? 2 * b->cap : 16;
		b->v = realloc(b->v, b->cap * sizeof(struct object *));
	}
	assert(o && b->v);
	o->href = strndup(href.p, href.n);
	b->v[b->n++] = o;
	return o;
}

/* It changes now: it is the last one. bytes STR_NONE: it goes. */
static struct object *change(
	struct fake_dav *fd, struct book *b, struct str href, struct str bytes)
{
	struct object *o = any_object(b, href);
	size_t i = 0;

	if (!o)
		o = add(b, href);
	while (b->v[i] != o)
		i++;
	for (; i + 1 < b->n; i++)
		b->v[i] = b->v[i + 1];
	b->v[b->n - 1] = o;
	free(o->bytes);
	o->bytes = bytes.p ? malloc(bytes.n + 1) : NULL;
	o->n = bytes.n;
	if (bytes.p) {
		assert(o->bytes);
		memcpy(o->bytes, bytes.p, bytes.n);
		o->bytes[bytes.n] = '\0';
	}
	o->seq = ++fd->seq;
	(void)snprintf(o->etag, sizeof(o->etag), "\"e%llu\"", (unsigned long long)o->seq);
	return o;
}

/* The two ends of every op: fail early, or pretend that the answer got lost. */
static bool fails(struct fake_dav *fd, bool late)
{
	if (!late)
		fd->trips++;
	if (fd->fail_in == 0 || fd->fail_late != late)
		return false;
	return --fd->fail_in == 0;
}

#define BEGIN(fd, err)                                                                         \
	do {                                                                                   \
		if ((fd)->down)                                                                \
			return err_set((err), (fd)->down, "out of order (injected)");          \
		if (fails((fd), false))                                                        \
			return err_set((err), (fd)->fail_rc, "not this time (injected)");      \
	} while (0)
#define END(fd, err)                                                                           \
	(fails((fd), true) ? err_set((err), RC_UNAVAILABLE, "answer lost (injected)") : RC_OK)

static enum rc absent(struct str what, struct err *err)
{
	return err_set(err, RC_ABSENT, "there is no %.*s", STR_FMT(what));
}

static bool before(const struct dav_collection *x, const struct dav_collection *y)
{
	if (x->is_default != y->is_default)
		return x->is_default;
	return str_cmp(x->path, y->path) < 0;
}

static void show(const struct book *b, struct arena *a, struct dav_collection *c)
{
	*c = (struct dav_collection){
		.path = arena_str(a, str_of(b->path)),
		.name = arena_str(a, str_of(b->name)),
		.kinds = b->kinds,
		.is_default = b->is_default,
		.read_only = b->read_only,
		.card4 = b->card4,
		.max_size = b->max_size,
	};
}

static enum rc do_collections(struct dav *d, unsigned kinds, struct arena *a,
	struct dav_collections *r, struct err *err)
{
	struct fake_dav *fd = of(d);

	BEGIN(fd, err);
	*r = (struct dav_collections){.none = fd->no_home};
	r->v = ARENA_ARRAY(a, struct dav_collection, fd->nbooks + 1);
	for (size_t i = 0; !fd->no_home && i < fd->nbooks; i++) {
		size_t k = r->n;

		if (!(fd->books[i]->kinds & kinds))
			continue;
		show(fd->books[i], a, &r->v[r->n++]);
		for (; k > 0 && before(&r->v[k], &r->v[k - 1]); k--) {
			struct dav_collection c = r->v[k];

			r->v[k] = r->v[k - 1];
			r->v[k - 1] = c;
		}
	}
	return END(fd, err);
}

/* Where a token left off; false: everything is to be told. */
static bool token_seq(const struct fake_dav *fd, struct str token, uint64_t *seq_r)
{
	struct str generation;
	uint64_t n;

	if (!str_next(&token, ':', &generation) || !str_u64(generation, &n))
		return false;
	return n == fd->generation && str_u64(token, seq_r);
}

static struct str token_at(const struct fake_dav *fd, uint64_t seq, struct arena *a)
{
	return arena_printf(a, "%u:%llu", fd->generation, (unsigned long long)seq);
}

static uint64_t book_seq(const struct book *b)
{
	return b->n ? b->v[b->n - 1]->seq : 0;
}

static enum rc do_changes(struct dav *d, struct str path, struct str token, struct arena *a,
	struct dav_changes *r, struct err *err)
{
	struct fake_dav *fd = of(d);
	struct book *b;
	uint64_t since = 0, upto;

	BEGIN(fd, err);
	b = find(fd, path);
	if (!b)
		return absent(path, err);
	*r = (struct dav_changes){.whole = !token_seq(fd, token, &since)};
	if (fd->without_sync && since != book_seq(b))
		r->whole = true;
	if (r->whole)
		since = 0;
	upto = since;
	r->v = ARENA_ARRAY(a, struct dav_entry, b->n + 1);
	for (size_t i = 0; i < b->n; i++) {
		const struct object *o = b->v[i];

		if (o->seq <= since)
			continue;
		r->more = !r->whole && fd->page && r->n == fd->page;
		if (r->more)
			break;
		upto = o->seq;
		if (r->whole && !o->bytes)
			continue;
		r->v[r->n++] = (struct dav_entry){.href = arena_str(a, str_of(o->href)),
			.etag = o->bytes ? arena_str(a, etag_of(o)) : STR_NONE,
			.gone = !o->bytes};
	}
	r->token = token_at(fd, upto, a);
	return END(fd, err);
}

static bool has_text(struct str in, struct str text)
{
	for (size_t i = 0; i + text.n <= in.n; i++)
		if (str_ieq(str_sub(in, i, text.n), text))
			return true;
	return false;
}

static enum rc do_get(struct dav *d, struct str path, struct dav_object *v, size_t n,
	struct arena *a, struct err *err)
{
	struct fake_dav *fd = of(d);
	struct book *b = find(fd, path);
	size_t bytes = 0;

	for (size_t i = 0; i < n; i++) {
		struct object *o;

		if (i % LOT == 0)
			BEGIN(fd, err);
		if (!b)
			return absent(path, err);
		v[i] = (struct dav_object){.href = v[i].href};
		v[i].left = bytes >= DAV_BATCH_MAX;
		if (v[i].left)
			continue;
		o = object(b, v[i].href);
		/* Of what it does not give a server does not tell the ETag. */
		v[i].etag = o && !o->refused ? arena_str(a, etag_of(o)) : STR_NONE;
		v[i].refused = o && (o->refused || o->n > DAV_OBJECT_MAX);
		v[i].bytes = o && !v[i].refused ? arena_str(a, (struct str){o->bytes, o->n})
						: STR_NONE;
		bytes += v[i].bytes.n;
	}
	return n ? END(fd, err) : RC_OK;
}

/* A server that looks at bytes, and not at letters. */
static enum rc do_find(struct dav *d, struct str path, const struct str *words, size_t n,
	struct arena *a, struct dav_entry **v_r, size_t *n_r, struct err *err)
{
	struct fake_dav *fd = of(d);
	struct book *b = find(fd, path);
	struct str word = words[0];

	for (size_t k = 1; k < n; k++)
		if (words[k].n > word.n)
			word = words[k];
	*n_r = 0;
	BEGIN(fd, err);
	if (!b)
		return absent(path, err);
	if (fd->cannot_find || !(b->kinds & DAV_CARDS))
		return err_set(err, RC_INVALID, "this server cannot search");
	*v_r = ARENA_ARRAY(a, struct dav_entry, b->n + 1);
	for (size_t i = 0; i < b->n; i++) {
		const struct object *o = b->v[i];

		if (o->bytes && has_text((struct str){o->bytes, o->n}, word))
			(*v_r)[(*n_r)++] =
				(struct dav_entry){.href = arena_str(a, str_of(o->href)),
					.etag = arena_str(a, etag_of(o))};
	}
	return END(fd, err);
}

/* What both queries for appointments have in common. */
typedef bool (*wanted_fn)(const struct object *o, const void *what);

static enum rc select_events(struct fake_dav *fd, struct str path, wanted_fn wanted,
	const void *what, struct arena *a, struct dav_entry **v_r, size_t *n_r, struct err *err)
{
	struct book *b = find(fd, path);

	*n_r = 0;
	BEGIN(fd, err);
	if (!b)
		return absent(path, err);
	if (fd->cannot_find || !(b->kinds & DAV_EVENTS))
		return err_set(err, RC_INVALID, "this server cannot search");
	*v_r = ARENA_ARRAY(a, struct dav_entry, b->n + 1);
	for (size_t i = 0; i < b->n; i++)
		if (b->v[i]->bytes && wanted(b->v[i], what))
			(*v_r)[(*n_r)++] =
				(struct dav_entry){.href = arena_str(a, str_of(b->v[i]->href)),
					.etag = arena_str(a, etag_of(b->v[i]))};
	return END(fd, err);
}

static bool goes_on(const struct object *o, const void *from)
{
	return fake_event_since(o->bytes, *(const int64_t *)from);
}

static enum rc do_since(struct dav *d, struct str path, int64_t from, struct arena *a,
	struct dav_entry **v_r, size_t *n_r, struct err *err)
{
	return select_events(of(d), path, goes_on, &from, a, v_r, n_r, err);
}

/* Like Radicale, which takes a part for the whole. */
static bool has_uid(const struct object *o, const void *uid)
{
	return fake_event_uid_has(o->bytes, *(const struct str *)uid);
}

static enum rc do_with_uid(struct dav *d, struct str path, struct str uid, struct arena *a,
	struct dav_entry **v_r, size_t *n_r, struct err *err)
{
	*n_r = 0;
	if (!uid.n || uid.n > DAV_UID_MAX)
		return err_set(err, RC_INVALID, "nothing is looked for by such a UID");
	return select_events(of(d), path, has_uid, &uid, a, v_r, n_r, err);
}

static void act(struct fake_dav *fd)
{
	void (*meanwhile)(void *ctx) = fd->meanwhile;

	fd->meanwhile = NULL;
	if (meanwhile)
		meanwhile(fd->meanwhile_ctx);
}

static enum rc may_write(struct book *b, struct str href, struct err *err)
{
	if (!b)
		return absent(href, err);
	if (b->read_only)
		return err_set(err, RC_DENIED, "%s may not be changed", b->path);
	return RC_OK;
}

static enum rc conflict(struct str href, struct err *err)
{
	return err_set(err, RC_CONFLICT, "%.*s is another now", STR_FMT(href));
}

static enum rc do_put(struct dav *d, struct str href, struct str etag, const char *type UNUSED,
	struct str bytes, struct arena *a, struct str *etag_r, struct err *err)
{
	struct fake_dav *fd = of(d);
	struct book *b = home_of(fd, href);
	struct object *o;
	enum rc rc;

	BEGIN(fd, err);
	act(fd);
	rc = may_write(b, href, err);
	if (rc)
		return rc;
	o = object(b, href);
	if (o ? !str_eq(etag, etag_of(o)) : etag.n > 0)
		return conflict(href, err);
	if ((b->card4 && str_search(bytes, STR("VERSION:4.0")) == bytes.n) ||
		(fd->reject && str_search(bytes, str_of(fd->reject)) < bytes.n))
		return err_set(err, RC_INVALID, "%.*s is not taken", STR_FMT(href));
	if (b->max_size && bytes.n > b->max_size)
		return err_set_why(
			err, RC_LIMIT, ERR_TOO_LARGE, "%.*s is too large", STR_FMT(href));
	*etag_r = arena_str(a, etag_of(change(fd, b, href, bytes)));
	return END(fd, err);
}

static enum rc do_remove(struct dav *d, struct str href, struct str etag, struct err *err)
{
	struct fake_dav *fd = of(d);
	struct book *b = home_of(fd, href);
	struct object *o;
	enum rc rc;

	BEGIN(fd, err);
	act(fd);
	rc = may_write(b, href, err);
	if (rc)
		return rc;
	o = object(b, href);
	if (!o)
		return absent(href, err);
	if (!str_eq(etag, etag_of(o)))
		return conflict(href, err);
	(void)change(fd, b, href, STR_NONE);
	return END(fd, err);
}

static enum rc do_move(struct dav *d, struct str href, struct str to, struct arena *a,
	struct str *etag_r, struct err *err)
{
	struct fake_dav *fd = of(d);
	struct book *b = home_of(fd, href), *t = home_of(fd, to);
	struct object *o;
	enum rc rc;

	BEGIN(fd, err);
	act(fd);
	rc = may_write(b, href, err);
	if (!rc)
		rc = may_write(t, to, err);
	if (rc)
		return rc;
	o = object(b, href);
	if (!o)
		return absent(href, err);
	if (object(t, to))
		return conflict(to, err);
	*etag_r = arena_str(a, etag_of(change(fd, t, to, (struct str){o->bytes, o->n})));
	(void)change(fd, b, href, STR_NONE);
	return END(fd, err);
}

static struct str do_join(
	struct dav *d UNUSED, struct str path, struct str name, struct arena *a)
{
	return arena_printf(a, "%.*s%.*s", STR_FMT(path), STR_FMT(name));
}

static enum rc do_create(struct dav *d, unsigned kind, struct str key, struct str name,
	struct arena *a, struct str *path_r, struct err *err)
{
	struct fake_dav *fd = of(d);

	BEGIN(fd, err);
	if (fd->no_home)
		return absent(STR("home"), err);
	*path_r = arena_printf(a, FAKE_DAV_HOME "%.*s/", STR_FMT(key));
	if (find(fd, *path_r))
		return err_set(err, RC_CONFLICT, "%.*s is there", STR_FMT(*path_r));
	fake_dav_collection(fd, path_r->p, arena_cstr(a, name), kind);
	return END(fd, err);
}

static enum rc do_rename(struct dav *d, struct str path, struct str name, struct err *err)
{
	struct fake_dav *fd = of(d);
	struct book *b = find(fd, path);
	enum rc rc;

	BEGIN(fd, err);
	rc = may_write(b, path, err);
	if (rc)
		return rc;
	free(b->name);
	b->name = strndup(name.p, name.n);
	return END(fd, err);
}

static void drop(struct fake_dav *fd, struct book *b)
{
	size_t i = 0;

	while (fd->books[i] != b)
		i++;
	memmove(&fd->books[i], &fd->books[i + 1], (fd->nbooks - i - 1) * sizeof(struct book *));
	fd->nbooks--;
	book_free(b);
}

static enum rc do_erase(struct dav *d, struct str path, struct err *err)
{
	struct fake_dav *fd = of(d);
	struct book *b = find(fd, path);
	enum rc rc;

	BEGIN(fd, err);
	rc = may_write(b, path, err);
	if (rc)
		return rc;
	drop(fd, b);
	return END(fd, err);
}

static const struct dav_ops ops = {
	.collections = do_collections,
	.changes = do_changes,
	.get = do_get,
	.find = do_find,
	.since = do_since,
	.with_uid = do_with_uid,
	.put = do_put,
	.remove = do_remove,
	.move = do_move,
	.join = do_join,
	.create = do_create,
	.rename = do_rename,
	.erase = do_erase,
};

struct fake_dav *fake_dav_new(void)
{
	struct fake_dav *fd = calloc(1, sizeof(*fd));

	assert(fd);
	fd->dav.ops = &ops;
	fd->generation = 1;
	fake_dav_collection(fd, FAKE_DAV_CONTACTS, "Contacts", DAV_CARDS);
	return fd;
}

void fake_dav_free(struct fake_dav *fd)
{
	if (!fd)
		return;
	for (size_t i = 0; i < fd->nbooks; i++)
		book_free(fd->books[i]);
	free(fd);
}

struct dav *fake_dav_dav(struct fake_dav *fd)
{
	return &fd->dav;
}

void fake_dav_collection(
	struct fake_dav *fd, const char *path, const char *name, unsigned kinds)
{
	struct book *b = calloc(1, sizeof(*b));

	assert(b && fd->nbooks < MAX_COLLECTIONS && !find(fd, str_of(path)));
	b->path = strdup(path);
	b->name = strdup(name);
	b->kinds = kinds;
	fd->books[fd->nbooks++] = b;
}

void fake_dav_collection_delete(struct fake_dav *fd, const char *path)
{
	drop(fd, must(fd, path));
}

void fake_dav_collection_rename(struct fake_dav *fd, const char *path, const char *name)
{
	struct book *b = must(fd, path);

	free(b->name);
	b->name = strdup(name);
}

void fake_dav_read_only(struct fake_dav *fd, const char *path, bool read_only)
{
	must(fd, path)->read_only = read_only;
}

void fake_dav_card4(struct fake_dav *fd, const char *path, bool card4)
{
	must(fd, path)->card4 = card4;
}

void fake_dav_default(struct fake_dav *fd, const char *path)
{
	for (size_t i = 0; i < fd->nbooks; i++)
		fd->books[i]->is_default = strcmp(fd->books[i]->path, path) == 0;
}

void fake_dav_max_size(struct fake_dav *fd, const char *path, uint64_t max)
{
	must(fd, path)->max_size = max;
}

struct str fake_dav_put(
	struct fake_dav *fd, const char *path, const char *name, const char *text)
{
	char href[512];

	(void)snprintf(href, sizeof(href), "%s%s", path, name);
	return etag_of(change(fd, must(fd, path), str_of(href), str_of(text)));
}

void fake_dav_remove(struct fake_dav *fd, const char *path, const char *name)
{
	struct object *o = named(fd, path, name);

	assert(o);
	(void)change(fd, must(fd, path), str_of(o->href), STR_NONE);
}

void fake_dav_refuse(struct fake_dav *fd, const char *path, const char *name, bool refused)
{
	struct object *o = named(fd, path, name);

	assert(o);
	o->refused = refused;
}

void fake_dav_forget_tokens(struct fake_dav *fd)
{
	fd->generation++;
}

void fake_dav_without_sync(struct fake_dav *fd, bool without)
{
	fd->without_sync = without;
}

void fake_dav_cannot_find(struct fake_dav *fd, bool cannot)
{
	fd->cannot_find = cannot;
}

void fake_dav_page(struct fake_dav *fd, size_t n)
{
	fd->page = n;
}

void fake_dav_no_home(struct fake_dav *fd, bool none)
{
	fd->no_home = none;
}

struct str fake_dav_text(struct fake_dav *fd, const char *path, const char *name)
{
	const struct object *o = named(fd, path, name);

	return o ? (struct str){o->bytes, o->n} : STR_NONE;
}

struct str fake_dav_etag(struct fake_dav *fd, const char *path, const char *name)
{
	const struct object *o = named(fd, path, name);

	return o ? etag_of(o) : STR_NONE;
}

struct str fake_dav_href(struct fake_dav *fd, const char *path, size_t i)
{
	const struct book *b = must(fd, path);

	for (size_t k = 0; k < b->n; k++)
		if (b->v[k]->bytes && i-- == 0)
			return str_of(b->v[k]->href);
	return STR_NONE;
}

size_t fake_dav_count(struct fake_dav *fd, const char *path)
{
	const struct book *b = must(fd, path);
	size_t n = 0;

	for (size_t k = 0; k < b->n; k++)
		n += b->v[k]->bytes != NULL;
	return n;
}

const char *fake_dav_name(struct fake_dav *fd, const char *path)
{
	const struct book *b = find(fd, str_of(path));

	return b ? b->name : NULL;
}

void fake_dav_fail_after(struct fake_dav *fd, unsigned n, bool after)
{
	fd->fail_in = n;
	fd->fail_late = after;
	fd->fail_rc = RC_UNAVAILABLE;
}

void fake_dav_fail_with(struct fake_dav *fd, unsigned n, enum rc rc)
{
	fake_dav_fail_after(fd, n, false);
	fd->fail_rc = rc;
}

void fake_dav_down(struct fake_dav *fd, enum rc rc)
{
	fd->down = rc;
}

void fake_dav_reject(struct fake_dav *fd, const char *text)
{
	fd->reject = text;
}

void fake_dav_meanwhile(struct fake_dav *fd, void (*meanwhile)(void *ctx), void *ctx)
{
	fd->meanwhile = meanwhile;
	fd->meanwhile_ctx = ctx;
}

unsigned fake_dav_trips(struct fake_dav *fd)
{
	return fd->trips;
}
