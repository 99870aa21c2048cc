#include "core/base/utf7.h"

#include "core/base/base64.h"
#include "core/base/utf8.h"

#include <glib.h>

static bool printable(unsigned char c)
{
	return c >= 0x20 && c <= 0x7e;
}

/* A run of characters as UTF-16BE in base64 with ',' for '/', without padding. */
static void encode_run(struct str run, struct buf *out)
{
	glong n = 0;
	gunichar2 *units = g_utf8_to_utf16(run.p, (glong)run.n, NULL, &n, NULL);
	struct buf bytes, text;

	buf_init(&bytes, BUF_MAX_LINE);
	buf_init(&text, BUF_MAX_LINE);
	for (glong i = 0; units && i < n; i++) {
		buf_addc(&bytes, (char)(units[i] >> 8));
		buf_addc(&bytes, (char)(units[i] & 0xff));
	}
	g_free(units);
	base64_encode(buf_str(&bytes), &text);
	buf_addc(out, '&');
	for (size_t i = 0; i < text.n && text.p[i] != '='; i++)
		buf_addc(out, text.p[i] == '/' ? ',' : text.p[i]);
	buf_addc(out, '-');
	buf_release(&bytes);
	buf_release(&text);
}

struct str utf7_encode(struct str s, struct arena *a)
{
	return utf7_encode_with(s, printable, a);
}

struct str utf7_encode_with(struct str s, bool (*direct)(unsigned char c), struct arena *a)
{
	struct buf out;
	struct str r;

	s = utf8_cleaned(s, a);
	buf_init(&out, BUF_MAX_LINE);
	for (size_t i = 0; i < s.n;) {
		size_t from = i;

		if (direct((unsigned char)s.p[i])) {
			buf_addc(&out, s.p[i]);
			if (s.p[i++] == '&')
				buf_addc(&out, '-');
			continue;
		}
		while (i < s.n && !direct((unsigned char)s.p[i]))
			i++;
		encode_run(str_sub(s, from, i - from), &out);
	}
	r = arena_str(a, buf_str(&out));
	buf_release(&out);
	return r;
}

static bool decode_run(struct str run, struct arena *a, struct buf *out)
{
	char *text = arena_cstr(a, run), *utf8;
	gunichar2 *units;
	struct str bytes;
	glong n;

	for (size_t i = 0; i < run.n; i++)
		if (text[i] == ',')
			text[i] = '/';
	if (base64_decode((struct str){text, run.n}, a, &bytes) || bytes.n % 2)
		return false;
	n = (glong)(bytes.n / 2);
	units = ARENA_ARRAY(a, gunichar2, (size_t)n + 1);
	for (glong i = 0; i < n; i++)
		units[i] = (gunichar2)((unsigned char)bytes.p[2 * i] << 8 |
				       (unsigned char)bytes.p[2 * i + 1]);
	utf8 = g_utf16_to_utf8(units, n, NULL, NULL, NULL);
	if (!utf8)
		return false;
	buf_adds(out, utf8);
	g_free(utf8);
	return true;
}

struct str utf7_decode(struct str s, struct arena *a)
{
	struct buf out;
	struct str r;

	if (str_find(s, '&') == s.n)
		return utf8_cleaned(s, a);
	buf_init(&out, BUF_MAX_LINE);
	for (size_t i = 0; i < s.n;) {
		struct str rest = str_sub(s, i + 1, s.n);
		size_t end = str_find(rest, '-');

		/* What is no run stands for itself. */
		if (s.p[i] == '&' && end == 0) {
			buf_addc(&out, '&');
			i += 2;
		} else if (s.p[i] == '&' && end < rest.n &&
			   decode_run(str_sub(rest, 0, end), a, &out)) {
			i += end + 2;
		} else {
			buf_addc(&out, s.p[i++]);
		}
	}
	r = utf8_cleaned(arena_str(a, buf_str(&out)), a);
	buf_release(&out);
	return r;
}
