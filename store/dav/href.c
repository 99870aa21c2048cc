#include "store/dav/href.h"

#include "core/base/buf.h"

#include <string.h>

#define HREF_MAX 4096

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The character behind "%XX" at s.p[i]; -1: there is none. */
static int encoded(struct str s, size_t i)
{
	if (s.p[i] != '%' || i + 2 >= s.n || hex(s.p[i + 1]) < 0 || hex(s.p[i + 2]) < 0)
		return -1;
	return hex(s.p[i + 1]) << 4 | hex(s.p[i + 2]);
}

/* RFC 3986 section 3.3, pchar without pct-encoded. */
static bool plain(int c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c && strchr("-._~!$&'()*+,;=:@", c));
}

static void add(struct buf *b, int c)
{
	if (plain(c))
		buf_addc(b, (char)c);
	else
		buf_addf(b, "%%%02X", (unsigned)c);
}

static struct str taken(struct buf *b, struct arena *a)
{
	struct str s = b->over ? STR_NONE : arena_str(a, buf_str(b));

	buf_release(b);
	return s;
}

/* Appends a segment, as it stands in a URL; false: no path can have it. */
static bool add_segment(struct buf *b, struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		int c = encoded(s, i);

		if (c == 0)
			return false;
		if (c < 0)
			c = (unsigned char)s.p[i];
		else
			i += 2;
		add(b, c);
	}
	return true;
}

static void cut_last(struct buf *b)
{
	size_t n = b->n;

	while (n && b->p[n - 1] != '/')
		n--;
	buf_cut(b, n ? n - 1 : 0);
}

/* RFC 3986 section 5.2.4. An empty segment is dropped: servers take "//" for "/". */
static bool add_path(struct buf *b, struct str path)
{
	struct str segment;
	bool folder = true;

	while (str_next(&path, '/', &segment)) {
		bool dots = str_is(segment, "..");

		folder = segment.n == 0 || dots || str_is(segment, ".");
		if (dots)
			cut_last(b);
		if (folder)
			continue;
		buf_addc(b, '/');
		if (!add_segment(b, segment))
			return false;
	}
	if (folder)
		buf_addc(b, '/');
	return true;
}

static struct str without_query(struct str s)
{
	s = str_sub(s, 0, str_find(s, '#'));
	return str_sub(s, 0, str_find(s, '?'));
}

struct str href_canonical(struct str ref, struct str base, struct str host, struct arena *a)
{
	struct str origin, its, path;
	struct buf b;

	ref = without_query(str_trim(ref));
	if (href_split(ref, &origin, &its, &path)) {
		if (host.p && !str_ieq(its, host))
			return STR_NONE;
		ref = path.n ? path : STR("/");
	}
	if (ref.n == 0 || str_starts(ref, "//") || memchr(ref.p, '\0', ref.n))
		return STR_NONE;
	buf_init(&b, HREF_MAX);
	if (ref.p[0] != '/') {
		size_t n = base.n;

		/* "mailto:x" is no path; one with ':' in its first segment has a '/' before. */
		if (str_find(ref, ':') < str_find(ref, '/')) {
			buf_release(&b);
			return STR_NONE;
		}
		while (n && base.p[n - 1] != '/')
			n--;
		buf_add_str(&b, str_sub(base, 0, n ? n - 1 : 0));
	}
	if (!add_path(&b, ref.p[0] == '/' ? str_sub(ref, 1, ref.n) : ref)) {
		buf_release(&b);
		return STR_NONE;
	}
	return taken(&b, a);
}

struct str href_segment(struct str text, struct arena *a)
{
	struct buf b;

	buf_init(&b, HREF_MAX);
	for (size_t i = 0; i < text.n; i++)
		add(&b, (unsigned char)text.p[i]);
	return taken(&b, a);
}

struct str href_last(struct str path, struct arena *a)
{
	struct buf b;
	size_t from;

	while (path.n && path.p[path.n - 1] == '/')
		path.n--;
	from = path.n;
	while (from && path.p[from - 1] != '/')
		from--;
	path = str_sub(path, from, path.n);
	buf_init(&b, HREF_MAX);
	for (size_t i = 0; i < path.n; i++) {
		int c = encoded(path, i);

		if (c >= 0)
			i += 2;
		buf_addc(&b, c < 0 ? path.p[i] : (char)c);
	}
	return taken(&b, a);
}

struct str href_folder(struct str path, struct arena *a)
{
	if (path.n && path.p[path.n - 1] == '/')
		return path;
	return arena_printf(a, "%.*s/", STR_FMT(path));
}

bool href_split(struct str url, struct str *origin_r, struct str *host_r, struct str *path_r)
{
	size_t scheme = str_istarts(url, "http://") ? 7 : str_istarts(url, "https://") ? 8 : 0;
	struct str authority = str_sub(url, scheme, url.n), host;

	if (!scheme)
		return false;
	authority = str_sub(authority, 0, str_find(authority, '/'));
	if (str_find(authority, '@') < authority.n)
		return false;
	host = authority;
	if (host.n && host.p[0] == '[')
		host = str_sub(host, 0, str_find(host, ']') + 1);
	else
		host = str_sub(host, 0, str_find(host, ':'));
	*origin_r = str_sub(url, 0, scheme + authority.n);
	*host_r = host;
	*path_r = str_sub(url, scheme + authority.n, url.n);
	return host.n > 0;
}

/* The letter of a place to fill in at s.p[i], 0: none. */
static char place(struct str s, size_t i)
{
	if (s.p[i] != '%' || i + 1 == s.n || !strchr("und", s.p[i + 1]) || encoded(s, i) >= 0)
		return 0;
	return s.p[i + 1];
}

bool href_is_template(struct str path)
{
	for (size_t i = 0; i < path.n; i++)
		if (place(path, i))
			return true;
	return false;
}

struct str href_template(struct str path, struct str login, struct arena *a)
{
	size_t at = str_find(login, '@');
	struct str name = str_sub(login, 0, at), domain = str_sub(login, at + 1, login.n);
	struct buf b;

	buf_init(&b, HREF_MAX);
	for (size_t i = 0; i < path.n; i++) {
		char c = place(path, i);

		if (!c) {
			buf_addc(&b, path.p[i]);
			continue;
		}
		buf_add_str(&b, href_segment(c == 'u' ? login : c == 'n' ? name : domain, a));
		i++;
	}
	return taken(&b, a);
}
