#include "core/map/body.h"

#include "core/base/base64.h"
#include "core/base/utf8.h"
#include "core/map/email_parts.h"
#include "core/map/html.h"
#include "core/map/mime.h"
#include "core/map/rtf.h"

struct str body_crlf(struct str s, struct arena *a)
{
	struct buf b;
	struct str r;

	if (str_find(s, '\n') == s.n)
		return s;
	buf_init(&b, SIZE_MAX / 8);
	for (size_t at = 0; at < s.n;) {
		struct str line = str_sub(s, at, s.n);

		line.n = str_find(line, '\n');
		buf_add_str(&b, line);
		at += line.n + 1;
		if (at <= s.n)
			buf_adds(&b, line.n && line.p[line.n - 1] == '\r' ? "\n" : "\r\n");
	}
	r = arena_str(a, buf_str(&b));
	buf_release(&b);
	return r;
}

struct str body_lf(struct str s, struct arena *a)
{
	char *p;
	size_t n = 0;

	if (str_find(s, '\r') == s.n)
		return s;
	p = arena_alloc(a, s.n);
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] != '\r')
			p[n++] = s.p[i];
		else if (i + 1 == s.n || s.p[i + 1] != '\n')
			p[n++] = '\n';
	}
	return (struct str){p, n};
}

/* What a device gets of a text. */
struct shown {
	struct email_body body; /* type, and preference if there is one */
	struct str data;
	size_t size, chars; /* of the whole */
	bool truncated;
};

static void show(struct str text, const struct body_preference *pref,
	const struct email_options *o, struct arena *a, struct shown *r)
{
	uint64_t limit = 0;

	*r = (struct shown){
		.body = {.type = pref ? pref->type : BODY_PLAIN, .pref = pref},
                  .data = text
        };
	if (r->body.type == BODY_HTML && text.n)
		r->data = html_from_text(text, a);
	r->size = r->data.n;
	r->chars = o->version < V120 ? utf8_chars(r->data) : 0;
	if (!email_limit(&r->body, o, &limit))
		return;
	if (o->version < V120)
		r->data = utf8_cut_chars(r->data, (size_t)limit);
	else if (r->body.type == BODY_HTML)
		r->data = html_cut(r->data, (size_t)limit);
	else
		r->data = utf8_cut(r->data, (size_t)limit);
	r->truncated = r->data.n < r->size;
	if (r->truncated && pref && pref->all_or_none && pref->has_size)
		r->data = (struct str){"", 0};
}

static bool is_refused(const struct shown *s)
{
	return s->truncated && s->body.pref && s->body.pref->all_or_none &&
	       s->body.pref->has_size;
}

/* classes.md 8.1: plain text is what there is; HTML when only that is wanted, or when plain
 * text does not fit and must be whole. */
static void choose(
	struct str text, const struct email_options *o, struct arena *a, struct shown *r)
{
	static const unsigned types[] = {BODY_PLAIN, BODY_HTML};
	bool any = false;

	text = body_crlf(text, a);
	for (size_t t = 0; t < ARRAY_LEN(types); t++)
		for (size_t i = 0; i < o->nprefs; i++) {
			if (o->prefs[i].type != types[t])
				continue;
			show(text, &o->prefs[i], o, a, r);
			any = true;
			if (!is_refused(r))
				return;
		}
	if (!any)
		show(text, NULL, o, a, r);
}

static void write_25(
	const struct shown *s, const struct body_tags *tags, struct wbxml_writer *w)
{
	wbxml_text_if(w, tags->body, s->data);
	/* [MS-ASCNTC] 2.2.2.8: characters, and only when it was truncated. */
	if (!s->truncated)
		return;
	if (tags->size)
		wbxml_int(w, tags->size, (int64_t)s->chars);
	wbxml_bool(w, tags->truncated, true);
}

void body_write(struct str text, const struct email_options *o, const struct body_tags *tags,
	struct arena *a, struct wbxml_writer *w)
{
	struct shown s;
	const struct body_preference *pref;
	unsigned part;

	choose(text, o, a, &s);
	if (o->version < V120) {
		write_25(&s, tags, w);
		return;
	}
	wbxml_open(w, AIRSYNCBASE_BODY);
	wbxml_int(w, AIRSYNCBASE_TYPE, s.body.type);
	wbxml_int(w, AIRSYNCBASE_ESTIMATED_DATA_SIZE, (int64_t)s.size);
	/* Windows Phone stops at Truncated 0: left out then. */
	if (s.truncated)
		wbxml_bool(w, AIRSYNCBASE_TRUNCATED, true);
	part = s.data.n && o->parts ? o->parts->add(o->parts, s.data) : 0;
	if (part)
		wbxml_int(w, ITEMOPERATIONS_PART, part);
	else
		wbxml_text_if(w, AIRSYNCBASE_DATA, s.data);
	pref = s.body.pref;
	/* Not beside the text itself, [MS-ASAIRS] 2.2.2.35. */
	if (pref && pref->preview && (s.body.type != BODY_PLAIN || !s.data.n))
		wbxml_text_if(
			w, AIRSYNCBASE_PREVIEW, utf8_cut_chars(str_trim(text), pref->preview));
	wbxml_close(w, AIRSYNCBASE_BODY);
}

static bool read_plain(struct str data, struct arena *a UNUSED, struct str *r)
{
	*r = data;
	return true;
}

static bool read_html(struct str data, struct arena *a, struct str *r)
{
	*r = html_to_text(utf8_cleaned(data, a), 0, a);
	return true;
}

/* clients.md 8: an empty one says nothing. */
static bool read_rtf(struct str data, struct arena *a, struct str *r)
{
	struct str bytes;

	return base64_decode(data, a, &bytes) == RC_OK && bytes.n &&
	       rtf_decompress(bytes, a, r) == RC_OK && rtf_to_text(*r, a, r) == RC_OK;
}

static bool (*const readers[])(struct str data, struct arena *a, struct str *r) = {
	[BODY_PLAIN] = read_plain,
	[BODY_HTML] = read_html,
	[BODY_RTF] = read_rtf,
	[BODY_MIME] = mime_to_text,
};

bool body_read(const struct elem *data, const struct body_tags *tags, struct arena *a,
	struct str *text_r)
{
	const struct elem *body = elem_child(data, AIRSYNCBASE_BODY);
	uint32_t type = BODY_PLAIN;
	struct str text;
	bool cut;

	if (body) {
		type = elem_u32(body, AIRSYNCBASE_TYPE, BODY_PLAIN);
		text = elem_text(body, AIRSYNCBASE_DATA);
		cut = elem_bool(body, AIRSYNCBASE_TRUNCATED, false);
	} else {
		type = elem_has(data, tags->body) ? BODY_PLAIN : BODY_RTF;
		text = elem_text(data, type == BODY_RTF ? tags->rtf : tags->body);
		cut = elem_bool(data, tags->truncated, false);
	}
	if (!text.p || cut || type >= ARRAY_LEN(readers) || !readers[type] ||
		!readers[type](text, a, text_r))
		return false;
	*text_r = body_lf(utf8_cleaned(*text_r, a), a);
	return true;
}

bool body_is_cut_echo(
	struct str stored, struct str sent, const struct email_options *o, struct arena *a)
{
	struct shown s;
	struct str text;

	if (!o)
		return false;
	choose(stored, o, a, &s);
	if (!s.truncated && s.body.type != BODY_HTML)
		return false;
	/* What was sent is read in the same way. */
	text = s.body.type == BODY_HTML ? html_to_text(s.data, 0, a) : s.data;
	return str_eq(str_trim(body_lf(text, a)), str_trim(sent));
}
