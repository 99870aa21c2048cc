#include "store/ldap/ldap.h"

#include "store/ldap/filter.h"
#include "store/ldap/ldap_session.h"

#include <assert.h>
#include <glib.h>
#include <stdlib.h>
#include <string.h>

enum {
	BLOBS_MAX = 32 * 1024 * 1024, /* pictures and certificates of one answer */
	SELF_MAX = 20,                /* entries among which a user's own one is looked for */
	SPARE = 256, /* matches kept beyond the window before they are sorted */
};

struct ldap_directory {
	struct directory directory; /* first */
	const struct settings *conf;
	struct arena *a; /* what follows */
	struct attributes attributes;
	const char *const *texts;
	const char *const *pictures, *const *certificates, *const *blobs;
	struct ldap_session *session;
};

enum rc ldap_check(const struct settings *conf, struct err *err)
{
	struct str rest = conf->ldap_url, url;
	struct arena *a = arena_new();
	struct attributes ignored;
	enum rc rc = attributes_read(conf->ldap_attributes, a, &ignored, err);

	while (rc == RC_OK && str_next(&rest, ' ', &url))
		if (url.n && !ldap_is_ldap_url(arena_cstr(a, url)))
			rc = err_set(err, RC_INVALID, "ldap_url: \"%.*s\" is no LDAP URL",
				STR_FMT(url));
	if (rc == RC_OK && !filter_is_sound(conf->ldap_filter))
		rc = err_set(err, RC_INVALID, "ldap_filter is no LDAP filter");
	if (rc == RC_OK &&
		!filter_is_sound(filter_of_login(conf->ldap_self_filter, STR("ann@x"), a)))
		rc = err_set(err, RC_INVALID, "ldap_self_filter is no LDAP filter");
	arena_free(a);
	return rc;
}

/* A person that matches: where he stands, and the entry. */
struct match {
	gchar *key;
	LDAPMessage *entry;
};

/*
 * The first `keep` of the matches in the order of their names, however many there are: when
 * there is no room, those that cannot be among them go.
 */
struct matches {
	struct ldap_taker taker; /* first */
	const struct attributes *attributes;
	struct arena *a; /* scratch */
	struct match *v;
	size_t keep, n, cap, total;
	bool addressed; /* only people who have an address */
	bool sorted;    /* the first `keep` were, once */
	LDAP *ld;
};

static void drop(struct matches *m, size_t from)
{
	for (size_t i = from; i < m->n; i++) {
		g_free(m->v[i].key);
		(void)ldap_msgfree(m->v[i].entry);
	}
	m->n = from < m->n ? from : m->n;
}

static int by_key(const void *x, const void *y)
{
	const struct match *a = x, *b = y;

	return strcmp(a->key, b->key);
}

static void sort(struct matches *m)
{
	qsort(m->v, m->n, sizeof(*m->v), by_key);
	m->sorted = m->n >= m->keep;
	drop(m, m->keep);
}

/* Without regard to case; a letter with an accent behind the one without. */
static gchar *fold(struct str s)
{
	bool plain = true;
	gchar *apart, *lower;

	for (size_t i = 0; i < s.n && plain; i++)
		plain = (unsigned char)s.p[i] < 0x80;
	if (plain)
		return g_ascii_strdown(s.p, (gssize)s.n);
	/* The text is clean: attributes_shown(). */
	apart = g_utf8_normalize(s.p, (gssize)s.n, G_NORMALIZE_ALL);
	lower = g_utf8_casefold(apart, -1);
	g_free(apart);
	return lower;
}

/* Whether a name comes behind all of the first `keep`, which are known and sorted. */
static bool is_beyond(const struct matches *m, const gchar *name)
{
	return m->sorted && (m->keep == 0 || strcmp(name, m->v[m->keep - 1].key) > 0);
}

/* The name of the entry decides between namesakes, so that a page follows the one before it. */
static void add(struct matches *m, const gchar *name, LDAP *ld, LDAPMessage *entry)
{
	char *dn = ldap_get_dn(ld, entry);

	if (m->n == m->cap)
		sort(m);
	m->v[m->n++] = (struct match){g_strconcat(name, "\t", dn, NULL), entry};
	ldap_memfree(dn);
}

static void take_match(struct ldap_taker *t, LDAP *ld, LDAPMessage *entry)
{
	struct matches *m = (struct matches *)t;
	struct arena_mark mark = arena_mark(m->a);
	struct str shown = m->addressed && !attributes_addressed(m->attributes, ld, entry, m->a)
				   ? STR_NONE
				   : attributes_shown(m->attributes, ld, entry, m->a);
	gchar *name = shown.n ? fold(shown) : NULL;

	m->ld = ld;
	m->total += name != NULL;
	if (name && !is_beyond(m, name))
		add(m, name, ld, entry);
	else
		(void)ldap_msgfree(entry);
	g_free(name);
	arena_rewind(m->a, mark);
}

static void restart_matches(struct ldap_taker *t)
{
	struct matches *m = (struct matches *)t;

	drop(m, 0);
	m->total = 0;
	m->sorted = false;
}

static void matches_init(struct matches *m, struct ldap_directory *d, size_t keep)
{
	*m = (struct matches){
		.taker = {take_match, restart_matches},
		.attributes = &d->attributes,
		.a = arena_new(),
		.keep = keep,
		.cap = 2 * keep + SPARE,
	};
	m->v = calloc(m->cap, sizeof(*m->v));
	if (!m->v)
		abort();
}

static void matches_release(struct matches *m)
{
	drop(m, 0);
	free(m->v);
	arena_free(m->a);
}

static enum rc find(struct ldap_directory *d, struct str filter, size_t most,
	const char *const *attributes, struct ldap_taker *t, struct err *err)
{
	struct arena *a = arena_new();
	struct ldap_question q = {
		.base = d->conf->ldap_base.n ? d->conf->ldap_base.p : "",
		.filter = arena_cstr(a, filter),
		.attributes = attributes,
		.most = most,
	};
	enum rc rc = ldap_session_search(d->session, &q, t, err);

	arena_free(a);
	return rc;
}

/* Pictures and certificates, of those who are shown alone. */
struct filling {
	struct ldap_directory *d;
	struct person *v;
	size_t room;
	struct arena *a;
};

static void fill_one(void *ctx, size_t i, LDAP *ld, LDAPMessage *entry)
{
	struct filling *f = ctx;

	attributes_blobs(&f->d->attributes, ld, entry, &f->room, f->a, &f->v[i]);
}

static enum rc fill(struct ldap_directory *d, const struct directory_query *q,
	const struct match *v, LDAP *ld, struct people *r, struct arena *a, struct err *err)
{
	struct filling f = {d, r->v, BLOBS_MAX, a};
	char **dns = calloc(r->n + 1, sizeof(*dns));
	const char *const *what = !q->pictures      ? d->certificates
				  : q->certificates ? d->blobs
						    : d->pictures;
	enum rc rc;

	if (!dns)
		abort();
	for (size_t i = 0; i < r->n; i++)
		dns[i] = ldap_get_dn(ld, v[i].entry);
	rc = ldap_session_read(d->session, dns, r->n, what, fill_one, &f, err);
	for (size_t i = 0; i < r->n; i++)
		ldap_memfree(dns[i]);
	free(dns);
	return rc;
}

static enum rc search(struct directory *directory, const struct directory_query *q,
	struct arena *a, struct people *r, struct err *err)
{
	struct ldap_directory *d = (struct ldap_directory *)directory;
	struct str filter =
		filter_of_query(&d->attributes, d->conf->ldap_filter, q->text, q->match, a);
	struct matches m;
	enum rc rc, more = RC_OK;

	*r = (struct people){.n = 0};
	if (!filter.n)
		return RC_OK;
	matches_init(&m, d, q->first + q->count);
	m.addressed = q->addressed;
	rc = find(d, filter, (size_t)d->conf->ldap_search_max, d->texts, &m.taker, err);
	if (rc == RC_OK || rc == RC_LIMIT) {
		sort(&m);
		r->total = m.total;
		r->v = ARENA_ARRAY(a, struct person, m.n + 1);
		for (size_t i = q->first; i < m.n; i++)
			(void)attributes_person(
				&d->attributes, m.ld, m.v[i].entry, a, &r->v[r->n++]);
		if (r->n && (q->pictures || q->certificates))
			more = fill(d, q, m.v + q->first, m.ld, r, a, err);
	}
	matches_release(&m);
	return more ? more : rc;
}

static bool has_address(const struct person *p, struct str address)
{
	for (size_t i = 0; i < p->naddresses; i++)
		if (str_ieq(p->addresses[i], address))
			return true;
	return false;
}

/* The one who has the login for an address; else the only one there is: a name without its
 * domain may well be that of somebody else, too. */
static enum rc self(struct directory *directory, struct str login, struct arena *a,
	struct person *r, struct err *err)
{
	struct ldap_directory *d = (struct ldap_directory *)directory;
	struct str filter = filter_of_login(d->conf->ldap_self_filter, login, a);
	struct matches m;
	bool found = false;
	enum rc rc;

	matches_init(&m, d, SELF_MAX);
	rc = find(d, filter, SELF_MAX, d->texts, &m.taker, err);
	if (rc == RC_OK || rc == RC_LIMIT) {
		for (size_t i = 0; i < m.n && !found; i++)
			found = attributes_person(&d->attributes, m.ld, m.v[i].entry, a, r) &&
				(m.total == 1 || has_address(r, login));
		rc = found ? RC_OK
			   : err_set(err, RC_ABSENT, "the directory has no entry of the user");
	}
	matches_release(&m);
	return rc;
}

static const struct directory_ops ops = {.search = search, .self = self};

struct ldap_directory *ldap_directory_new(const struct settings *conf)
{
	struct ldap_directory *d = calloc(1, sizeof(*d));
	const struct attributes *m;
	enum rc rc;

	if (!d)
		abort();
	d->directory.ops = &ops;
	d->conf = conf;
	d->a = arena_new();
	rc = attributes_read(conf->ldap_attributes, d->a, &d->attributes, NULL);
	assert(rc == RC_OK);
	(void)rc;
	m = &d->attributes;
	d->texts = attributes_names(m, PROPERTY_DISPLAY_NAME, PROPERTIES_OF_TEXT, d->a);
	d->pictures = attributes_names(m, PROPERTY_PICTURE, PROPERTY_CERTIFICATE, d->a);
	d->certificates = attributes_names(m, PROPERTY_CERTIFICATE, PROPERTIES, d->a);
	d->blobs = attributes_names(m, PROPERTY_PICTURE, PROPERTIES, d->a);
	d->session = ldap_session_new(conf);
	return d;
}

void ldap_directory_free(struct ldap_directory *d)
{
	if (!d)
		return;
	ldap_session_free(d->session);
	arena_free(d->a);
	free(d);
}

struct directory *ldap_directory_directory(struct ldap_directory *d)
{
	return &d->directory;
}

unsigned ldap_directory_trips(struct ldap_directory *d)
{
	return ldap_session_trips(d->session);
}

struct counting {
	struct ldap_taker taker; /* first */
	size_t n;
};

static void count_one(struct ldap_taker *t, LDAP *ld UNUSED, LDAPMessage *entry)
{
	((struct counting *)t)->n++;
	(void)ldap_msgfree(entry);
}

static void count_again(struct ldap_taker *t)
{
	((struct counting *)t)->n = 0;
}

enum rc ldap_directory_count(struct ldap_directory *d, size_t *r, struct err *err)
{
	static const char *const nothing[] = {LDAP_NO_ATTRS, NULL};
	struct counting c = {
		.taker = {count_one, count_again}
        };
	enum rc rc = find(d, d->conf->ldap_filter, (size_t)d->conf->ldap_search_max, nothing,
		&c.taker, err);

	*r = c.n;
	return rc;
}
