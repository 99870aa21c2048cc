#include "store/ldap/filter.h"

#include <ctype.h>
#include <string.h>

enum { FILTER_MAX = 256 * 1024, WORDS_MAX = 16, TEXT_MAX = 1024, DEPTH_MAX = 50 };

/* RFC 4515, 3: these have a meaning, and some servers take nothing but ASCII. */
static bool is_plain(unsigned char c)
{
	return c >= ' ' && c < 0x7f && c != '*' && c != '(' && c != ')' && c != '\\';
}

void filter_escape(struct buf *out, struct str value)
{
	for (size_t i = 0; i < value.n; i++) {
		unsigned char c = (unsigned char)value.p[i];

		if (is_plain(c))
			buf_addc(out, (char)c);
		else
			buf_addf(out, "\\%02x", c);
	}
}

/* Into the arena; STR_NONE when it became too long. */
static struct str taken(struct buf *b, struct arena *a)
{
	struct str r = b->over ? STR_NONE : arena_str(a, buf_str(b));

	buf_release(b);
	return r;
}

struct str filter_of_login(struct str template, struct str login, struct arena *a)
{
	size_t at = str_find(login, '@');
	struct buf b;

	buf_init(&b, FILTER_MAX);
	for (size_t i = 0; i < template.n; i++) {
		char next = i + 1 < template.n ? template.p[i + 1] : '\0';

		if (template.p[i] != '%' || !next || !strchr("und%", next)) {
			buf_addc(&b, template.p[i]);
			continue;
		}
		i++;
		if (next == 'u')
			filter_escape(&b, login);
		else if (next == 'n')
			filter_escape(&b, str_sub(login, 0, at));
		else if (next == 'd')
			filter_escape(&b, str_sub(login, at + 1, login.n));
		else
			buf_addc(&b, '%');
	}
	return taken(&b, a);
}

/* (name=<before>VALUE<behind>) for each attribute of a property. */
static void add_tests(struct buf *b, const struct attributes *m, enum property p,
	const char *before, struct str value, const char *behind)
{
	for (const char *const *name = m->v[p]; *name; name++) {
		buf_addf(b, "(%s=%s", *name, before);
		filter_escape(b, value);
		buf_addf(b, "%s)", behind);
	}
}

static void add_addresses(
	struct buf *b, const struct attributes *m, struct str value, const char *behind)
{
	add_tests(b, m, PROPERTY_EMAIL_ADDRESS, "", value, behind);
	add_tests(b, m, PROPERTY_ADDRESSES, "", value, behind);
	/* As proxyAddresses have it; capitals make no difference there. */
	add_tests(b, m, PROPERTY_ADDRESSES, "smtp:", value, behind);
}

/* (|(cn=Word*)(cn=* Word*)...): the word begins something of the entry. */
static void add_word(struct buf *b, const struct attributes *m, struct str word)
{
	static const enum property begin[] = {
		PROPERTY_DISPLAY_NAME, PROPERTY_FIRST_NAME, PROPERTY_LAST_NAME, PROPERTY_ALIAS};

	buf_adds(b, "(|");
	for (size_t i = 0; i < ARRAY_LEN(begin); i++)
		add_tests(b, m, begin[i], "", word, "*");
	add_tests(b, m, PROPERTY_DISPLAY_NAME, "* ", word, "*");
	add_addresses(b, m, word, "*");
	buf_addc(b, ')');
}

/* false: there are none, or more than anybody types. */
static bool add_words(struct buf *b, const struct attributes *m, struct str text)
{
	size_t n = 0;

	for (size_t i = 0; i < text.n;) {
		size_t end = i;

		while (end < text.n && !isspace((unsigned char)text.p[end]))
			end++;
		if (end > i && ++n <= WORDS_MAX)
			add_word(b, m, str_sub(text, i, end - i));
		i = end + 1;
	}
	return n > 0 && n <= WORDS_MAX;
}

static void add_whole(struct buf *b, const struct attributes *m, struct str text)
{
	buf_adds(b, "(|");
	add_addresses(b, m, text, "");
	add_tests(b, m, PROPERTY_ALIAS, "", text, "");
	add_tests(b, m, PROPERTY_DISPLAY_NAME, "", text, "");
	buf_addc(b, ')');
}

struct str filter_of_query(const struct attributes *m, struct str people, struct str text,
	enum directory_match match, struct arena *a)
{
	struct str t = str_trim(text);
	/* No name has a NUL, and OpenLDAP sees only what is in front of one. */
	bool any = t.n > 0 && t.n <= TEXT_MAX && str_find(t, '\0') == t.n;
	struct buf b;

	buf_init(&b, FILTER_MAX);
	buf_addf(&b, "(&%.*s", STR_FMT(people));
	if (any && match == DIRECTORY_IS)
		add_whole(&b, m, t);
	else if (any)
		any = add_words(&b, m, t);
	buf_addc(&b, ')');
	t = taken(&b, a);
	return any ? t : STR_NONE;
}

/* One test, from behind its bracket to the closing one. */
static bool take_test(struct str *in)
{
	size_t end = str_find(*in, ')'), equals = str_find(*in, '=');
	bool sound = end < in->n && equals > 0 && equals < end && str_find(*in, '(') > end;

	*in = str_sub(*in, end + 1, in->n);
	return sound;
}

static bool take_filter(struct str *in, unsigned depth)
{
	char kind = in->n > 1 ? in->p[1] : '\0';
	unsigned n = 0;

	if (!str_starts(*in, "(") || depth > DEPTH_MAX)
		return false;
	*in = str_sub(*in, 1, in->n);
	if (kind != '&' && kind != '|' && kind != '!')
		return take_test(in);
	*in = str_sub(*in, 1, in->n);
	for (; str_starts(*in, "("); n++)
		if (!take_filter(in, depth + 1))
			return false;
	if (!str_starts(*in, ")") || n == 0 || (kind == '!' && n != 1))
		return false;
	*in = str_sub(*in, 1, in->n);
	return true;
}

bool filter_is_sound(struct str filter)
{
	return take_filter(&filter, 0) && filter.n == 0;
}
