#include "core/base/utf8.h"

#include <string.h>

/* Length of the valid sequence at the front, its code point in *c_r; 0 when it is not valid. */
static size_t decode(struct str s, uint32_t *c_r)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	const unsigned char *p = (const unsigned char *)s.p;
	size_t n;
	uint32_t c;

	if (p[0] < 0x80) {
		*c_r = p[0];
		return 1;
	}
	if (p[0] < 0xc2 || p[0] > 0xf4)
		return 0;
	n = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	if (s.n < n)
		return 0;
	c = p[0] & (0x7fu >> n);
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3f);
	}
	if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*c_r = c;
	return n;
}

/* XML 1.0 section 2.2, Char. */
static bool allowed(uint32_t c)
{
	if (c < 0x20)
		return c == '\t' || c == '\n' || c == '\r';
	return c != 0xfffe && c != 0xffff;
}

/* How many bytes at the front are plain characters that need no look. */
static size_t plain(struct str s)
{
	size_t i = 0;

	while (i < s.n && (unsigned char)s.p[i] >= 0x20 && (unsigned char)s.p[i] < 0x80)
		i++;
	return i;
}

bool utf8_is_clean(struct str s)
{
	uint32_t c;

	while (s.n) {
		size_t n = plain(s);

		if (n == 0) {
			n = decode(s, &c);
			if (n == 0 || !allowed(c))
				return false;
		}
		s = str_sub(s, n, s.n);
	}
	return true;
}

void utf8_clean(struct str s, struct buf *out)
{
	uint32_t c;

	while (s.n) {
		size_t n = plain(s);

		if (n == 0) {
			n = decode(s, &c);
			if (n && allowed(c))
				buf_add(out, s.p, n);
			else if (n == 0)
				buf_adds(out, "\xef\xbf\xbd");
			n = n ? n : 1;
		} else {
			buf_add(out, s.p, n);
		}
		s = str_sub(s, n, s.n);
	}
}

struct str utf8_cleaned(struct str s, struct arena *a)
{
	struct str r;
	struct buf b;

	if (utf8_is_clean(s))
		return s;
	buf_init(&b, SIZE_MAX / 8);
	utf8_clean(s, &b);
	r = arena_str(a, buf_str(&b));
	buf_release(&b);
	return r;
}

struct str utf8_cut(struct str s, size_t n)
{
	if (n >= s.n)
		return s;
	while (n && ((unsigned char)s.p[n] & 0xc0) == 0x80)
		n--;
	return str_sub(s, 0, n);
}

struct str utf8_cut_chars(struct str s, size_t chars)
{
	for (size_t i = 0; i < s.n; i++) {
		if (((unsigned char)s.p[i] & 0xc0) == 0x80)
			continue;
		if (chars-- == 0)
			return str_sub(s, 0, i);
	}
	return s;
}

size_t utf8_chars(struct str s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += ((unsigned char)s.p[i] & 0xc0) != 0x80;
	return n;
}

static enum rc write_clean(struct utf8_sink *s, struct str text, struct err *err)
{
	struct buf b;
	enum rc rc;

	buf_init(&b, SIZE_MAX / 8);
	utf8_clean(text, &b);
	rc = sink_write(s->to, buf_str(&b), err);
	buf_release(&b);
	return rc;
}

/* Bytes at the end that may be the beginning of a character. */
static size_t unfinished(struct str s)
{
	for (size_t n = 1; n <= 3 && n <= s.n; n++) {
		unsigned char c = (unsigned char)s.p[s.n - n];

		if (c < 0x80)
			return 0;
		if (c >= 0xc0)
			return n < (c >= 0xf0 ? 4u : c >= 0xe0 ? 3u : 2u) ? n : 0;
	}
	return 0;
}

static enum rc utf8_sink_write(struct sink *sink, const void *p, size_t n, struct err *err)
{
	struct utf8_sink *s = (struct utf8_sink *)sink;
	struct buf all;
	size_t rest;
	enum rc rc;

	buf_init(&all, SIZE_MAX / 8);
	buf_add(&all, s->rest, s->nrest);
	buf_add(&all, p, n);
	rest = unfinished(buf_str(&all));
	rc = write_clean(s, str_sub(buf_str(&all), 0, all.n - rest), err);
	memcpy(s->rest, all.p + all.n - rest, rest);
	s->nrest = rest;
	buf_release(&all);
	return rc;
}

void utf8_sink_init(struct utf8_sink *s, struct sink *to)
{
	*s = (struct utf8_sink){.sink = {utf8_sink_write}, .to = to};
}

enum rc utf8_sink_end(struct utf8_sink *s, struct err *err)
{
	struct str rest = {s->rest, s->nrest};

	s->nrest = 0;
	return rest.n ? write_clean(s, rest, err) : RC_OK;
}
