#include "core/base/utf8.h"

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
