#include "tests/fake_directory.h"

#include "core/base/base64.h"
#include "core/base/buf.h"
#include "core/base/utf8.h"

#include <assert.h>
#include <ctype.h>
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PEOPLE_MAX = 12000, VALUES_MAX = 16 };

struct fake_directory {
	struct directory directory; /* first */
	struct arena *a;
	struct person *v;
	size_t n, limit;
	enum rc rc;
	enum err_why why;
	unsigned calls;
};

/* Texts compared as a directory does: no case, and letters with accents apart. */
static gchar *folded(struct str s)
{
	gchar *plain = g_utf8_make_valid(s.p ? s.p : "", (gssize)s.n);
	gchar *apart = g_utf8_normalize(plain, -1, G_NORMALIZE_ALL);
	gchar *lower = g_utf8_casefold(apart, -1);

	g_free(plain);
	g_free(apart);
	return lower;
}

static bool begins(struct str text, struct str word, bool any_word)
{
	gchar *t = folded(text), *w = folded(word);
	bool found = text.n && strncmp(t, w, strlen(w)) == 0;

	for (const gchar *p = t; any_word && !found && (p = strchr(p, ' ')) != NULL;)
		found = strncmp(++p, w, strlen(w)) == 0;
	g_free(t);
	g_free(w);
	return found;
}

static bool is(struct str text, struct str what)
{
	gchar *t = folded(text), *w = folded(what);
	bool same = text.n && strcmp(t, w) == 0;

	g_free(t);
	g_free(w);
	return same;
}

static bool word_matches(const struct person *p, struct str word)
{
	for (size_t i = 0; i < p->naddresses; i++)
		if (begins(p->addresses[i], word, false))
			return true;
	return begins(p->display_name, word, true) || begins(p->first_name, word, false) ||
	       begins(p->last_name, word, false) || begins(p->alias, word, false);
}

static bool begin_matches(const struct person *p, struct str text)
{
	size_t words = 0;

	for (size_t i = 0; i < text.n;) {
		size_t end = i;

		while (end < text.n && !isspace((unsigned char)text.p[end]))
			end++;
		if (end > i && !word_matches(p, str_sub(text, i, end - i)))
			return false;
		words += end > i;
		i = end + 1;
	}
	return words > 0;
}

static bool matches(const struct person *p, const struct directory_query *q)
{
	struct str text = str_trim(q->text);

	if (q->match == DIRECTORY_BEGINS)
		return begin_matches(p, text);
	for (size_t i = 0; i < p->naddresses; i++)
		if (is(p->addresses[i], text))
			return true;
	return is(p->display_name, text) || is(p->alias, text);
}

static int by_name(const void *x, const void *y)
{
	const struct person *a = x, *b = y;
	gchar *s = folded(a->display_name), *t = folded(b->display_name);
	int r = strcmp(s, t);

	g_free(s);
	g_free(t);
	return r ? r : str_cmp(a->alias, b->alias);
}

static enum rc fake_search(struct directory *d, const struct directory_query *q,
	struct arena *a, struct people *r, struct err *err)
{
	struct fake_directory *fd = (struct fake_directory *)d;
	struct person *all = ARENA_ARRAY(a, struct person, fd->n + 1);
	size_t n = 0;

	*r = (struct people){.n = 0};
	fd->calls++;
	if (fd->rc)
		return err_set_why(err, fd->rc, fd->why, "the fake was told to fail");
	for (size_t i = 0; i < fd->n && (!fd->limit || n < fd->limit); i++)
		if (matches(&fd->v[i], q) && (!q->addressed || fd->v[i].email.n))
			all[n++] = fd->v[i];
	qsort(all, n, sizeof(*all), by_name);
	r->v = all + (q->first < n ? q->first : n);
	r->n = q->first < n ? n - q->first : 0;
	if (r->n > q->count)
		r->n = q->count;
	r->total = n;
	for (size_t i = 0; i < r->n; i++) {
		if (!q->pictures)
			r->v[i].picture = STR_NONE;
		if (!q->certificates)
			r->v[i].ncertificates = 0;
	}
	return fd->limit && n == fd->limit ? err_set(err, RC_LIMIT, "no more than that")
					   : RC_OK;
}

static enum rc fake_self(struct directory *d, struct str login, struct arena *a UNUSED,
	struct person *r, struct err *err)
{
	struct fake_directory *fd = (struct fake_directory *)d;

	fd->calls++;
	if (fd->rc)
		return err_set_why(err, fd->rc, fd->why, "the fake was told to fail");
	for (size_t i = 0; i < fd->n; i++)
		for (size_t k = 0; k < fd->v[i].naddresses; k++)
			if (str_ieq(fd->v[i].addresses[k], login)) {
				*r = fd->v[i];
				r->picture = STR_NONE;
				r->ncertificates = 0;
				return RC_OK;
			}
	return err_set(err, RC_ABSENT, "no such user");
}

static const struct directory_ops ops = {.search = fake_search, .self = fake_self};

struct fake_directory *fake_directory_new(void)
{
	struct fake_directory *fd = calloc(1, sizeof(*fd));

	if (!fd)
		abort();
	fd->directory.ops = &ops;
	fd->a = arena_new();
	fd->v = ARENA_ARRAY(fd->a, struct person, PEOPLE_MAX);
	return fd;
}

void fake_directory_free(struct fake_directory *fd)
{
	arena_free(fd->a);
	free(fd);
}

struct directory *fake_directory_directory(struct fake_directory *fd)
{
	return &fd->directory;
}

static struct str copy(struct fake_directory *fd, struct str s)
{
	return s.p ? arena_str(fd->a, s) : STR_NONE;
}

static struct str *copies(struct fake_directory *fd, const struct str *v, size_t n)
{
	struct str *r = ARENA_ARRAY(fd->a, struct str, n + 1);

	for (size_t i = 0; i < n; i++)
		r[i] = copy(fd, v[i]);
	return r;
}

void fake_directory_add(struct fake_directory *fd, const struct person *p)
{
	struct person *r = &fd->v[fd->n++];
	struct str *const texts[] = {&r->display_name, &r->first_name, &r->last_name, &r->alias,
		&r->email, &r->phone, &r->home_phone, &r->mobile_phone, &r->office, &r->title,
		&r->company, &r->picture};

	assert(fd->n < PEOPLE_MAX);
	*r = *p;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		*texts[i] = copy(fd, *texts[i]);
	r->addresses = copies(fd, p->addresses, p->naddresses);
	r->certificates = copies(fd, p->certificates, p->ncertificates);
}

/* --- LDIF (RFC 2849): values on one or several lines, plain or in base64 */

/* No two spaces, no controls: what the interface promises. */
static struct str tidy(struct str s, struct arena *a)
{
	struct str text = utf8_cleaned(s, a);
	char *p = arena_cstr(a, text);

	for (size_t i = 0; i < text.n; i++) {
		if ((unsigned char)p[i] < 0x20)
			p[i] = ' ';
		if ((unsigned char)p[i] == 0xc2 && (unsigned char)p[i + 1] < 0xa0)
			p[i] = p[i + 1] = ' ';
	}
	return str_trim((struct str){p, text.n});
}

static void add_address(struct person *p, struct str s)
{
	size_t colon = str_find(s, ':');

	if (colon < s.n) {
		if (!str_istarts(s, "smtp:"))
			return;
		s = str_sub(s, colon + 1, s.n);
	}
	for (size_t i = 0; i < p->naddresses; i++)
		if (str_ieq(p->addresses[i], s))
			return;
	p->addresses[p->naddresses++] = s;
}

static void set(struct person *p, struct str name, struct str value, struct arena *a)
{
	const struct {
		const char *name;
		struct str *at;
	} texts[] = {
		{"displayName",                &p->display_name},
		{"cn",			 &p->display_name},
		{"givenName",                  &p->first_name  },
		{"sn",			 &p->last_name   },
		{"uid",			&p->alias       },
		{"telephoneNumber",            &p->phone       },
		{"homePhone",                  &p->home_phone  },
		{"mobile",                     &p->mobile_phone},
		{"physicalDeliveryOfficeName", &p->office      },
		{"title",                      &p->title       },
		{"o",			  &p->company     },
	};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		if (str_iis(name, texts[i].name) && !texts[i].at->n)
			*texts[i].at = tidy(value, a);
	if (str_iis(name, "mail") || str_iis(name, "mailAlternateAddress") ||
		str_iis(name, "proxyAddresses"))
		add_address(p, value);
	if (str_iis(name, "jpegPhoto") || str_iis(name, "thumbnailPhoto"))
		p->picture = value;
	if (str_iis(name, "userCertificate;binary"))
		p->certificates[p->ncertificates++] = value;
}

static void read_line(struct person *p, struct str line, struct arena *a)
{
	size_t colon = str_find(line, ':');
	struct str name = str_sub(line, 0, colon), value = str_sub(line, colon + 1, line.n);

	if (str_starts(value, ":")) {
		enum rc rc = base64_decode(str_trim(str_sub(value, 1, value.n)), a, &value);

		assert(rc == RC_OK);
		(void)rc;
	} else {
		value = str_trim(value);
	}
	set(p, name, value, a);
}

static void read_entry(struct fake_directory *fd, struct str text)
{
	struct arena *a = arena_new();
	struct person p = {.addresses = ARENA_ARRAY(a, struct str, VALUES_MAX),
		.certificates = ARENA_ARRAY(a, struct str, VALUES_MAX)};
	struct str line = STR_NONE, next;

	/* A line that begins with a space goes on with the one before it. */
	while (str_next(&text, '\n', &next)) {
		if (str_starts(next, " ")) {
			line = arena_printf(a, "%.*s%.*s", STR_FMT(line),
				STR_FMT(str_sub(next, 1, next.n)));
			continue;
		}
		if (line.n && line.p[0] != '#')
			read_line(&p, line, a);
		line = next;
	}
	if (line.n && line.p[0] != '#')
		read_line(&p, line, a);
	p.email = p.naddresses ? p.addresses[0] : STR_NONE;
	if (p.display_name.n)
		fake_directory_add(fd, &p);
	arena_free(a);
}

void fake_directory_load(struct fake_directory *fd, const char *path)
{
	FILE *f = fopen(path, "r");
	char chunk[4096];
	struct buf text;
	struct str rest;
	size_t n;

	if (!f) {
		perror(path);
		abort();
	}
	buf_init(&text, BUF_MAX_TEXT);
	while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0)
		buf_add(&text, chunk, n);
	(void)fclose(f);
	for (rest = buf_str(&text); rest.n;) {
		size_t end = str_search(rest, STR("\n\n"));

		read_entry(fd, str_sub(rest, 0, end));
		rest = str_sub(rest, end + 2, rest.n);
	}
	buf_release(&text);
}

void fake_directory_fail(struct fake_directory *fd, enum rc rc, enum err_why why)
{
	fd->rc = rc;
	fd->why = why;
}

void fake_directory_limit(struct fake_directory *fd, size_t limit)
{
	fd->limit = limit;
}

unsigned fake_directory_calls(const struct fake_directory *fd)
{
	return fd->calls;
}
