#include "core/map/charset.h"

#include "core/base/utf8.h"

#include <errno.h>
#include <iconv.h>

/* Bytes that cannot be read become U+FFFD one by one. */
static struct str convert(iconv_t cd, struct str bytes, struct arena *a)
{
	struct buf out;
	struct str r;
	char *in = (char *)(uintptr_t)bytes.p;
	size_t left = bytes.n;

	buf_init(&out, SIZE_MAX / 8);
	while (left) {
		char chunk[4096], *p = chunk;
		size_t room = sizeof(chunk);
		size_t n = iconv(cd, &in, &left, &p, &room);

		buf_add(&out, chunk, sizeof(chunk) - room);
		if (n != (size_t)-1 || errno == E2BIG)
			continue;
		if (left == 0)
			break;
		buf_adds(&out, "\xef\xbf\xbd");
		in++;
		left--;
	}
	r = arena_str(a, buf_str(&out));
	buf_release(&out);
	return r;
}

/* A name that iconv can be asked for: short, plain, without its "//" suffixes. */
static const char *name_of(struct str charset, char name[40])
{
	size_t n = 0;

	charset = str_trim(charset);
	for (; n < charset.n && n < 39; n++) {
		char c = charset.p[n];

		if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
			    (c >= 'a' && c <= 'z') || c == '-' || c == '_' || c == '.' ||
			    c == ':' || c == '+'))
			return NULL;
		name[n] = c;
	}
	name[n] = '\0';
	/* What is labelled Latin-1 is windows-1252 in practice, as browsers read it. */
	if (str_iis(charset, "iso-8859-1") || str_iis(charset, "us-ascii") ||
		str_iis(charset, "latin1") || str_iis(charset, "ascii"))
		return "windows-1252";
	return n ? name : NULL;
}

static struct str from(const char *name, struct str bytes, struct arena *a)
{
	iconv_t cd = iconv_open("UTF-8", name);
	struct str r;

	if (cd == (iconv_t)-1)
		return STR_NONE;
	r = convert(cd, bytes, a);
	(void)iconv_close(cd);
	return utf8_cleaned(r, a);
}

static bool is_ascii(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] >= 0x80 || s.p[i] == 0x1b || s.p[i] == '\0')
			return false;
	return true;
}

struct str charset_to_utf8(struct str bytes, struct str charset, struct arena *a)
{
	char buffer[40];
	const char *name = name_of(charset, buffer);
	bool utf8 = utf8_is_clean(bytes);
	struct str r = STR_NONE;

	if (is_ascii(bytes) && (!name || !str_istarts(charset, "utf-")))
		if (!name || !(str_istarts(charset, "utf") || str_istarts(charset, "ucs")))
			return utf8_cleaned(bytes, a);
	if (str_iis(charset, "utf-8") || str_iis(charset, "utf8") ||
		(utf8 && (!name || name != buffer)))
		return utf8 ? bytes : from("windows-1252", bytes, a);
	if (name)
		r = from(name, bytes, a);
	if (!r.p)
		r = utf8 ? bytes : from("windows-1252", bytes, a);
	return r.p ? r : utf8_cleaned(bytes, a);
}
