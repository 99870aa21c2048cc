/* How the texts of properties stand in the lines of a card. */
#include "core/base/clock.h"
#include "core/base/utf8.h"
#include "core/map/contact_parts.h"

#include <string.h>

struct str contact_clean(struct str text, struct arena *a)
{
	return str_trim(body_lf(utf8_cleaned(text, a), a));
}

static struct str text_out(const struct contact *c, const struct vcard_line *l, int part UNUSED)
{
	return str_trim(vcard_text(&c->card, l));
}

/* A raw component; empty when there are not so many. */
static struct str raw_part(const struct vcard_line *l, int part)
{
	struct str v[VCARD_COMPONENTS_MAX];
	size_t n = vcard_split(l->value, ';', v, ARRAY_LEN(v));

	return (size_t)part < n ? v[part] : (struct str){"", 0};
}

static struct str part_out(const struct contact *c, const struct vcard_line *l, int part)
{
	return str_trim(vcard_decode(&c->card, raw_part(l, part)));
}

/* RFC 2426 3.1.2: a component of a name may be several, "Philip,Paul". A comma before a space
 * is one that its writer did not escape. */
static struct str name_out(const struct contact *c, const struct vcard_line *l, int part)
{
	struct str v[VCARD_COMPONENTS_MAX], r;
	size_t n = vcard_split(raw_part(l, part), ',', v, ARRAY_LEN(v));
	struct buf b;

	buf_init(&b, SIZE_MAX / 8);
	for (size_t i = 0; i < n; i++) {
		struct str one = vcard_decode(&c->card, v[i]);

		if (b.n && str_starts(one, " "))
			buf_addc(&b, ',');
		else if (b.n && one.n)
			buf_addc(&b, ' ');
		buf_add_str(&b, one);
	}
	r = arena_str(c->a, buf_str(&b));
	buf_release(&b);
	return str_trim(r);
}

/* RFC 2426 3.2.1: a box and a second line, which devices have no element for, stand below the
 * street. */
static struct str street_out(const struct contact *c, const struct vcard_line *l, int part)
{
	static const int below[] = {1, 0};
	struct buf b;
	struct str r;

	buf_init(&b, SIZE_MAX / 8);
	buf_add_str(&b, part_out(c, l, part));
	for (size_t i = 0; i < ARRAY_LEN(below); i++) {
		struct str more = part_out(c, l, below[i]);

		if (b.n && more.n)
			buf_addc(&b, '\n');
		buf_add_str(&b, more);
	}
	r = arena_str(c->a, buf_str(&b));
	buf_release(&b);
	return r;
}

/* One layer of `"Name" <addr>`, mailto: and quotes off. */
static struct str peeled(struct str s)
{
	size_t open = str_find(s, '<');

	if (open < s.n) {
		struct str in = str_sub(s, open + 1, s.n);
		size_t close = str_find(in, '>');

		if (close < in.n && close > 0)
			s = str_sub(in, 0, close);
	}
	s = str_trim(s);
	if (str_istarts(s, "mailto:"))
		s = str_trim(str_sub(s, 7, s.n));
	/* A quoted local part keeps its quotes. */
	while (s.n >= 2 && s.p[0] == '"' && s.p[s.n - 1] == '"')
		s = str_trim(str_sub(s, 1, s.n - 2));
	return s;
}

static struct str bare_address(struct str s)
{
	struct str before;

	do {
		before = s;
		s = peeled(s);
	} while (s.n < before.n);
	return s;
}

static struct str email_out(
	const struct contact *c, const struct vcard_line *l, int part UNUSED)
{
	return bare_address(vcard_text(&c->card, l));
}

/* A name of this site's own, as people type it. */
static bool is_word(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (strchr("\"'<>()[],;:/\\=@ \t\r\n", s.p[i]))
			return false;
	return s.n > 0;
}

/* RFC 5322 3.4.1, and a literal domain. */
static bool is_addr_spec(struct str s, size_t at)
{
	bool quoted = at > 1 && s.p[0] == '"' && s.p[at - 1] == '"';

	for (size_t i = 0; i < s.n; i++)
		if (i != at && !(quoted && i < at) &&
			((unsigned char)s.p[i] <= ' ' ||
				strchr(i < at ? "\"<>()[],;:\\@" : "\"<>(),;\\@/=", s.p[i])))
			return false;
	return at > 0 && at + 1 < s.n;
}

/* Not X.400 ("c=us;a= ;p=x;s=y"), addresses inside Exchange ("/o=Org/cn=ann", "EX:...") and
 * Notes ("CN=Ann/O=Org@Net"), those wrapped up as SMTP, or what is left of an address that
 * somebody has cut. */
bool contact_is_smtp(struct str s)
{
	static const char *const odd[] = {
		"/o=", "/c=", "ex:", "x400:", "x.400:", "imcea", "cn="};
	size_t at = s.n;

	for (size_t i = 0; i < ARRAY_LEN(odd); i++)
		if (str_istarts(s, odd[i]))
			return false;
	/* The last one: a quoted local part may have others. */
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == '@')
			at = i;
	return at < s.n ? is_addr_spec(s, at) : is_word(s);
}

struct str contact_address(const struct contact *c, const struct vcard_line *l)
{
	struct str s = bare_address(vcard_text(&c->card, l));

	return contact_is_smtp(s) ? s : STR_NONE;
}

static enum rc email_normal(
	const struct contact *c UNUSED, struct str *text, struct err *err UNUSED)
{
	*text = bare_address(*text);
	if (text->n && !contact_is_smtp(*text))
		*text = STR_NONE;
	return RC_OK;
}

/* RFC 6350 6.4.1: a number may be a URI. */
static struct str phone_out(
	const struct contact *c, const struct vcard_line *l, int part UNUSED)
{
	struct str s = str_trim(vcard_text(&c->card, l));

	return str_istarts(s, "tel:") ? str_trim(str_sub(s, 4, s.n)) : s;
}

/* The scheme of a URI with its colon; 0: it has none. RFC 3986 3.1. */
static size_t scheme(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		char ch = s.p[i] | 0x20;
		bool letter = ch >= 'a' && ch <= 'z';

		if (s.p[i] == ':')
			return i && i + 1 < s.n && s.p[i + 1] != ' ' ? i + 1 : 0;
		if (!letter && (i == 0 || !strchr("0123456789+-.", s.p[i]) || !s.p[i]))
			return 0;
	}
	return 0;
}

static int hex(char ch)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = ch ? strchr(digits, ch >= 'A' && ch <= 'F' ? ch + 32 : ch) : NULL;

	return at ? (int)(at - digits) : -1;
}

static struct str percent_decoded(struct str s, struct arena *a)
{
	char *p;
	size_t n = 0;

	if (str_find(s, '%') == s.n)
		return s;
	p = arena_alloc(a, s.n);
	for (size_t i = 0; i < s.n; i++) {
		int high = i + 2 < s.n && s.p[i] == '%' ? hex(s.p[i + 1]) : -1;
		int low = high >= 0 ? hex(s.p[i + 2]) : -1;

		p[n++] = low >= 0 ? (char)(high * 16 + low) : s.p[i];
		i += low >= 0 ? 2 : 0;
	}
	return contact_clean((struct str){p, n}, a);
}

static struct str percent_encoded(struct str s, struct arena *a)
{
	struct buf b;
	struct str r;

	buf_init(&b, SIZE_MAX / 8);
	for (size_t i = 0; i < s.n; i++) {
		unsigned char ch = (unsigned char)s.p[i];

		if (ch > 0x20 && ch < 0x7f && !strchr("%\\,;\"<>^`{|}", ch))
			buf_addc(&b, (char)ch);
		else
			buf_addf(&b, "%%%02X", ch);
	}
	r = arena_str(a, buf_str(&b));
	buf_release(&b);
	return r;
}

static bool is_impp(const struct vcard_line *l)
{
	return !l || str_iis(l->name, "IMPP");
}

/* RFC 4770: IMPP is a URI. "im:" in front says nothing to a reader; other schemes do. */
static struct str im_out(const struct contact *c, const struct vcard_line *l, int part UNUSED)
{
	struct str s = str_trim(vcard_text(&c->card, l));

	if (!is_impp(l))
		return s;
	if (str_istarts(s, "im:"))
		s = str_sub(s, 3, s.n);
	return percent_decoded(s, c->a);
}

static struct str im_in(const struct contact *c, const struct vcard_line *l, struct str text)
{
	struct str uri;

	if (!is_impp(l))
		return vcard_encode(&c->card, text, false);
	uri = percent_encoded(text, c->a);
	if (scheme(text) && !str_istarts(text, "im:"))
		return uri;
	return arena_printf(c->a, "im:%.*s", STR_FMT(uri));
}

struct str contact_im_account(struct str text)
{
	return str_sub(text, scheme(text), text.n);
}

static struct str uri_in(
	const struct contact *c, const struct vcard_line *l UNUSED, struct str text)
{
	return vcard_encode(&c->card, text, true);
}

static bool number(struct str *s, size_t n, unsigned *r)
{
	uint32_t v;

	if (s->n < n || !str_u32(str_sub(*s, 0, n), &v))
		return false;
	*s = str_sub(*s, n, s->n);
	*r = v;
	return true;
}

static void skip_dash(struct str *s)
{
	if (s->n && s->p[0] == '-')
		*s = str_sub(*s, 1, s->n);
}

enum { NO_YEAR = 1604 }; /* what iOS means by it, and Apple's cards (X-APPLE-OMIT-YEAR) */

static bool is_date(unsigned year, unsigned month, unsigned day)
{
	unsigned m, d;
	int y;

	if (year < 1 || year > 9999 || month < 1 || month > 12 || day < 1)
		return false;
	clock_civil(clock_days((int)year, month, day), &y, &m, &d);
	return m == month && d == day;
}

/* classes.md 6: a date has no zone, so midnight UTC stands for it. */
static struct str date_shown(struct arena *a, unsigned year, unsigned month, unsigned day)
{
	return clock_dashed(a, clock_days((int)year, month, day) * 86400);
}

/*
 * RFC 6350 4.3.1 and RFC 2426: 19850412, 1985-04-12, --0412, either with a time behind it. What
 * names no day of a year (1985-04, free text) is not shown.
 */
static struct str date_out(const struct contact *c, const struct vcard_line *l, int part UNUSED)
{
	struct str s = str_trim(vcard_text(&c->card, l));
	unsigned year = NO_YEAR, month, day;

	if (str_starts(s, "--"))
		s = str_sub(s, 2, s.n);
	else if (!number(&s, 4, &year))
		return STR_NONE;
	skip_dash(&s);
	if (!number(&s, 2, &month))
		return STR_NONE;
	skip_dash(&s);
	if (!number(&s, 2, &day) || (s.n && s.p[0] != 'T' && s.p[0] != ' '))
		return STR_NONE;
	year = year ? year : NO_YEAR;
	return is_date(year, month, day) ? date_shown(c->a, year, month, day) : STR_NONE;
}

/* classes.md 6: from noon on it is the local midnight of the next day, but noon itself is what
 * some send for the day. */
static enum rc date_normal(const struct contact *c, struct str *text, struct err *err)
{
	int64_t t = 0, days;
	unsigned month, day;
	int year;

	if (!text->n)
		return RC_OK;
	if (clock_parse(*text, &t) &&
		clock_parse(arena_printf(c->a, "%.*sT000000Z", STR_FMT(*text)), &t))
		return err_set(err, RC_INVALID, "a date that is none");
	days = t / 86400 - (t % 86400 < 0);
	if (t - days * 86400 > 12 * 3600)
		days++;
	clock_civil(days, &year, &month, &day);
	if (year < 1 || year > 9999)
		return err_set(err, RC_INVALID, "a date out of bounds");
	*text = date_shown(c->a, (unsigned)year, month, day);
	return RC_OK;
}

static struct str date_in(
	const struct contact *c, const struct vcard_line *l UNUSED, struct str text)
{
	struct str year = str_sub(text, 0, 4), month = str_sub(text, 5, 2),
		   day = str_sub(text, 8, 2);

	if (c->card.version != VCARD_40)
		return str_sub(text, 0, 10);
	if (str_is(year, "1604"))
		return arena_printf(c->a, "--%.*s%.*s", STR_FMT(month), STR_FMT(day));
	return arena_printf(c->a, "%.*s%.*s%.*s", STR_FMT(year), STR_FMT(month), STR_FMT(day));
}

static const char *const drop_value[] = {"VALUE", NULL};
static const char *const drop_date[] = {
	"VALUE", "CALSCALE", "X-APPLE-OMIT-YEAR", "LANGUAGE", NULL};
static const char *const drop_name[] = {"SORT-AS", "LABEL", NULL};

const struct contact_kind contact_text_kind = {text_out, NULL, NULL, NULL};
const struct contact_kind contact_part_kind = {part_out, NULL, NULL, drop_name};
const struct contact_kind contact_name_kind = {name_out, NULL, NULL, drop_name};
const struct contact_kind contact_street_kind = {street_out, NULL, NULL, drop_name};
const struct contact_kind contact_email_kind = {email_out, email_normal, NULL, NULL};
const struct contact_kind contact_phone_kind = {phone_out, NULL, NULL, drop_value};
const struct contact_kind contact_im_kind = {im_out, NULL, im_in, drop_value};
const struct contact_kind contact_uri_kind = {text_out, NULL, uri_in, NULL};
const struct contact_kind contact_date_kind = {date_out, date_normal, date_in, drop_date};
