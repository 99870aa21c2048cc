#include "core/wire/dump.h"

#include <string.h>

#define DUMP_DEPTH 32

/* What a log must not show: bodies, subjects, addresses, credentials. */
static bool is_private(tag_t tag)
{
	static const tag_t tags[] = {AIRSYNCBASE_DATA, AIRSYNCBASE_PREVIEW, EMAIL_BODY,
		EMAIL_MIME_DATA, EMAIL_SUBJECT, EMAIL_THREAD_TOPIC, EMAIL_TO, EMAIL_CC,
		EMAIL_FROM, EMAIL_REPLY_TO, EMAIL_DISPLAY_TO, COMPOSEMAIL_MIME,
		SETTINGS_PASSWORD, ITEMOPERATIONS_DATA, ITEMOPERATIONS_PASSWORD,
		ITEMOPERATIONS_USER_NAME, SEARCH_PASSWORD, SEARCH_USER_NAME};

	for (size_t i = 0; i < ARRAY_LEN(tags); i++)
		if (tags[i] == tag)
			return true;
	return false;
}

static void indent(unsigned depth, struct buf *out)
{
	for (unsigned i = 0; i < depth; i++)
		buf_adds(out, "  ");
}

static void add_text(struct str s, struct buf *out)
{
	static const char plain[] = "\"\\\n\r\t", code[] = "\"\\nrt";

	buf_addc(out, '"');
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		const char *at = c ? strchr(plain, c) : NULL;

		if (at)
			buf_addf(out, "\\%c", code[at - plain]);
		else if (c < 0x20 || c == 0x7f)
			buf_addf(out, "\\x%02x", c);
		else
			buf_addc(out, (char)c);
	}
	buf_addc(out, '"');
}

static void add_hex(struct str s, struct buf *out)
{
	buf_adds(out, "x\"");
	for (size_t i = 0; i < s.n; i++)
		buf_addf(out, "%02x", (unsigned char)s.p[i]);
	buf_addc(out, '"');
}

static void add_value(const struct elem *e, const struct dump_options *o, struct buf *out)
{
	struct str s = e->text;
	size_t more = 0;

	if (o->hide_bodies && is_private(e->tag)) {
		buf_addf(out, " <%zu bytes>", s.n);
		return;
	}
	if (o->max_text && s.n > o->max_text) {
		more = s.n - o->max_text;
		s = str_sub(s, 0, o->max_text);
	}
	buf_addc(out, ' ');
	if (e->opaque)
		add_hex(s, out);
	else
		add_text(s, out);
	if (more)
		buf_addf(out, "... (%zu more bytes)", more);
}

static void dump(
	const struct elem *e, const struct dump_options *o, unsigned depth, struct buf *out)
{
	for (; e; e = e->next) {
		const struct tag_info *info = tag_info(e->tag);

		indent(depth, out);
		buf_addf(out, "%s:%s", tag_page_prefix(TAG_PAGE(e->tag)),
			info ? info->name : "?");
		if (e->text.p)
			add_value(e, o, out);
		buf_addc(out, '\n');
		if (e->child && depth < DUMP_DEPTH)
			dump(e->child, o, depth + 1, out);
		if (depth == 0)
			break;
	}
}

void dump_elem(const struct elem *root, const struct dump_options *o, struct buf *out)
{
	dump(root, o, 0, out);
}

static int hex(char c)
{
	const char *digits = "0123456789abcdef", *at = c ? strchr(digits, c | 0x20) : NULL;

	return at && (c | 0x20) != ' ' ? (int)(at - digits) : -1;
}

/* Two hex digits. */
static bool hex_byte(const char *p, char *byte_r)
{
	int high = hex(p[0]), low = hex(p[1]);

	if (high < 0 || low < 0)
		return false;
	*byte_r = (char)((unsigned)high << 4 | (unsigned)low);
	return true;
}

/* Reads hex digits up to the quote. */
static bool read_hex(struct str s, struct arena *a, struct str *r)
{
	char *out = arena_alloc(a, s.n / 2 + 1);

	if (s.n % 2)
		return false;
	for (size_t i = 0; i < s.n; i += 2) {
		if (!hex_byte(s.p + i, &out[i / 2]))
			return false;
	}
	*r = (struct str){out, s.n / 2};
	return true;
}

static bool read_text(struct str s, struct arena *a, struct str *r)
{
	static const char plain[] = "\"\\\n\r\t", code[] = "\"\\nrt";
	char *out = arena_alloc(a, s.n + 1);
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		const char *at;

		if (s.p[i] == '"')
			return false;
		if (s.p[i] != '\\') {
			out[n++] = s.p[i];
			continue;
		}
		if (++i == s.n)
			return false;
		at = strchr(code, s.p[i]);
		if (s.p[i] == 'x' && s.n - i >= 3 && hex_byte(s.p + i + 1, &out[n])) {
			n++;
			i += 2;
		} else if (at && *at) {
			out[n++] = plain[at - code];
		} else {
			return false;
		}
	}
	*r = (struct str){out, n};
	return true;
}

static bool read_value(struct str s, struct arena *a, struct elem *e)
{
	bool opaque = s.n && s.p[0] == 'x';

	if (opaque)
		s = str_sub(s, 1, s.n);
	if (s.n < 2 || s.p[0] != '"' || s.p[s.n - 1] != '"')
		return false;
	e->opaque = opaque;
	s = str_sub(s, 1, s.n - 2);
	return opaque ? read_hex(s, a, &e->text) : read_text(s, a, &e->text);
}

enum rc dump_parse(struct str text, struct arena *a, struct elem **root_r, struct err *err)
{
	struct elem **tails[DUMP_DEPTH + 1] = {NULL};
	struct elem *root = NULL;
	struct str line;
	unsigned top = 0;

	for (unsigned no = 1; str_next(&text, '\n', &line); no++) {
		unsigned depth = 0;
		struct elem *e;
		struct str body = str_trim(line);
		size_t space;

		if (body.n == 0 || body.p[0] == '#')
			continue;
		while (2 * depth + 1 < line.n && line.p[2 * depth] == ' ' &&
			line.p[2 * depth + 1] == ' ')
			depth++;
		if (depth > top || depth >= DUMP_DEPTH || (root && depth == 0))
			return err_set(err, RC_INVALID, "line %u: wrong indentation", no);
		space = str_find(body, ' ');
		e = ARENA_NEW(a, struct elem);
		e->tag = tag_of(str_sub(body, 0, space));
		if (!e->tag)
			return err_set(err, RC_INVALID, "line %u: no such element", no);
		if (space < body.n && !read_value(str_sub(body, space + 1, body.n), a, e))
			return err_set(err, RC_INVALID, "line %u: not a value", no);
		if (depth == 0) {
			root = e;
		} else {
			*tails[depth] = e;
			tails[depth] = &e->next;
		}
		tails[depth + 1] = &e->child;
		top = depth + 1;
	}
	if (!root)
		return err_set(err, RC_INVALID, "there is no element");
	*root_r = root;
	return RC_OK;
}

void dump_encode(const struct elem *e, struct wbxml_writer *w)
{
	if (e->child) {
		wbxml_open(w, e->tag);
		for (const struct elem *c = e->child; c; c = c->next)
			dump_encode(c, w);
		wbxml_close(w, e->tag);
	} else if (e->opaque) {
		wbxml_opaque(w, e->tag, e->text);
	} else {
		wbxml_text(w, e->tag, e->text);
	}
}

uint64_t dump_digest(const struct elem *root)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);
	struct wbxml_writer w;
	struct str bytes;

	wbxml_init(&w, NULL, BUF_MAX_RESPONSE);
	dump_encode(root, &w);
	(void)(wbxml_finish(&w, NULL) == RC_OK);
	bytes = buf_str(&w.out);
	for (size_t i = 0; i < bytes.n; i++)
		h = (h ^ (unsigned char)bytes.p[i]) * UINT64_C(0x100000001b3);
	wbxml_release(&w);
	return h;
}
