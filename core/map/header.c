#include "core/map/header.h"

#include "core/base/buf.h"
#include "core/base/rc.h"
#include "core/base/utf8.h"
#include "core/map/charset.h"

#include <gmime/gmime.h>

#define ADDRESSES_MAX 5000

/* The next line with its end; false at the end of the block. */
static bool next_line(struct str *rest, struct str *line_r)
{
	size_t at;

	if (rest->n == 0)
		return false;
	at = str_find(*rest, '\n');
	*line_r = str_sub(*rest, 0, at + 1);
	*rest = str_sub(*rest, at + 1, rest->n);
	return true;
}

static bool names(struct str line, const char *name)
{
	struct str want = str_of(name);

	if (!str_istarts(line, name))
		return false;
	line = str_trim(str_sub(line, want.n, line.n));
	return line.n && line.p[0] == ':';
}

struct str header_raw(struct str fields, const char *name, struct arena *a)
{
	struct str line, value = STR_NONE;
	struct buf b;

	while (next_line(&fields, &line)) {
		if (!names(line, name))
			continue;
		buf_init(&b, BUF_MAX_TEXT);
		buf_add_str(&b, str_trim(str_sub(line, str_find(line, ':') + 1, line.n)));
		while (fields.n && (fields.p[0] == ' ' || fields.p[0] == '\t') &&
			next_line(&fields, &line)) {
			buf_addc(&b, ' ');
			buf_add_str(&b, str_trim(line));
		}
		value = arena_str(a, buf_str(&b));
		buf_release(&b);
		break;
	}
	return value;
}

static void ready(void)
{
	static bool done;

	if (!done)
		g_mime_init();
	done = true;
}

struct str header_decode(struct str raw, struct arena *a)
{
	char *text;
	struct str r;

	if (!raw.p)
		return raw;
	raw = charset_to_utf8(raw, STR_NONE, a);
	if (str_search(raw, STR("=?")) == raw.n)
		return raw;
	ready();
	text = g_mime_utils_header_decode_text(NULL, arena_cstr(a, raw));
	r = utf8_cleaned(arena_str(a, str_of(text ? text : "")), a);
	g_free(text);
	return r;
}

struct str header_text(struct str fields, const char *name, struct arena *a)
{
	return header_decode(header_raw(fields, name, a), a);
}

static size_t count(InternetAddressList *list)
{
	int n = internet_address_list_length(list);
	size_t total = 0;

	for (int i = 0; i < n && total < ADDRESSES_MAX; i++) {
		InternetAddress *ia = internet_address_list_get_address(list, i);

		total += INTERNET_ADDRESS_IS_GROUP(ia)
				 ? count(internet_address_group_get_members(
					   INTERNET_ADDRESS_GROUP(ia)))
				 : 1;
	}
	return total < ADDRESSES_MAX ? total : ADDRESSES_MAX;
}

static void add_list(InternetAddressList *list, struct addresses *r, struct arena *a)
{
	int n = internet_address_list_length(list);

	for (int i = 0; i < n && r->n < ADDRESSES_MAX; i++) {
		InternetAddress *ia = internet_address_list_get_address(list, i);
		const char *addr, *name = internet_address_get_name(ia);

		if (INTERNET_ADDRESS_IS_GROUP(ia)) {
			add_list(internet_address_group_get_members(INTERNET_ADDRESS_GROUP(ia)),
				r, a);
			continue;
		}
		addr = internet_address_mailbox_get_addr(INTERNET_ADDRESS_MAILBOX(ia));
		r->v[r->n++] = (struct address){
			utf8_cleaned(arena_str(a, str_of(name ? name : "")), a),
			utf8_cleaned(arena_str(a, str_of(addr ? addr : "")), a)};
	}
}

struct addresses header_addresses(struct str fields, const char *name, struct arena *a)
{
	struct str raw = header_raw(fields, name, a);
	struct addresses r = {NULL, 0};
	InternetAddressList *list;

	if (!raw.n)
		return r;
	ready();
	raw = charset_to_utf8(raw, STR_NONE, a);
	list = internet_address_list_parse(NULL, arena_cstr(a, raw));
	if (!list)
		return r;
	r.v = ARENA_ARRAY(a, struct address, count(list) + 1);
	add_list(list, &r, a);
	g_object_unref(list);
	return r;
}

static void add_address(const struct address *ad, struct buf *b)
{
	if (ad->name.n == 0) {
		buf_add_str(b, ad->addr);
		return;
	}
	buf_addc(b, '"');
	for (size_t i = 0; i < ad->name.n; i++) {
		if (ad->name.p[i] == '"' || ad->name.p[i] == '\\')
			buf_addc(b, '\\');
		buf_addc(b, ad->name.p[i]);
	}
	buf_addf(b, "\" <%.*s>", STR_FMT(ad->addr));
}

struct str header_address_list(const struct addresses *list, size_t max, struct arena *a)
{
	struct buf b;
	struct str r;

	if (list->n == 0)
		return STR_NONE;
	buf_init(&b, BUF_MAX_TEXT);
	for (size_t i = 0; i < list->n; i++) {
		size_t before = b.n;

		if (i)
			buf_adds(&b, ", ");
		add_address(&list->v[i], &b);
		if (b.n > max) {
			buf_cut(&b, before);
			break;
		}
	}
	r = arena_str(a, buf_str(&b));
	buf_release(&b);
	return r;
}

struct str header_topic(struct str s)
{
	static const char *const prefixes[] = {
		"re:", "fw:", "fwd:", "aw:", "wg:", "sv:", "vs:", "antw:", "tr:", "rv:"};
	bool again = true;

	while (again) {
		again = false;
		s = str_trim(s);
		for (size_t i = 0; i < ARRAY_LEN(prefixes); i++)
			if (str_istarts(s, prefixes[i])) {
				s = str_sub(s, str_of(prefixes[i]).n, s.n);
				again = true;
				break;
			}
	}
	return s;
}
