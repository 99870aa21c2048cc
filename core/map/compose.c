#include "core/map/compose.h"

#include "core/base/clock.h"
#include "core/base/utf8.h"
#include "core/base/xml.h"
#include "core/map/charset.h"
#include "core/map/email_parts.h"
#include "core/map/header.h"
#include "core/map/html.h"
#include "core/map/mime.h"
#include "core/map/outgoing.h"

#include <gmime/gmime.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define REFERENCES_MAX 2000
#define MIME_MAX       (16 * 1024)

/* A stream of GMime's that writes to a sink. */
struct sink_stream {
	GMimeStream parent; /* first */
	struct sink *to;
	struct err *err;
};

struct sink_stream_class {
	GMimeStreamClass parent;
};

typedef struct sink_stream SinkStream;
typedef struct sink_stream_class SinkStreamClass;

GType sink_stream_get_type(void);
G_DEFINE_TYPE(SinkStream, sink_stream, GMIME_TYPE_STREAM)

static ssize_t sink_stream_write(GMimeStream *stream, const char *p, size_t n)
{
	SinkStream *s = (SinkStream *)(void *)stream;

	return s->to->write(s->to, p, n, s->err) == RC_OK ? (ssize_t)n : -1;
}

static int sink_stream_flush(GMimeStream *stream)
{
	(void)stream;
	return 0;
}

static void sink_stream_class_init(SinkStreamClass *c)
{
	c->parent.write = sink_stream_write;
	c->parent.flush = sink_stream_flush;
}

static void sink_stream_init(SinkStream *s)
{
	s->to = NULL;
}

bool compose_is_sealed(struct str message, struct arena *a)
{
	size_t body;
	struct str type = header_raw(outgoing_header(message, &body), "Content-Type", a);

	return str_istarts(type, "multipart/signed") ||
	       str_istarts(type, "multipart/encrypted") ||
	       str_istarts(type, "application/pkcs7-mime") ||
	       str_istarts(type, "application/x-pkcs7-mime");
}

static GMimeContentEncoding best_encoding(struct str s)
{
	size_t high = 0;

	for (size_t i = 0; i < s.n; i++)
		high += (unsigned char)s.p[i] >= 0x80;
	return high > s.n / 6 ? GMIME_CONTENT_ENCODING_BASE64
			      : GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE;
}

/* GMime's text has LF alone; the line ends come back when it is sent. */
static struct str without_cr(struct str s, struct arena *a)
{
	char *p = arena_alloc(a, s.n + 1);
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] != '\r')
			p[n++] = s.p[i];
	return (struct str){p, n};
}

static void set_text(GMimePart *part, struct str text, struct arena *a)
{
	const char *subtype = mime_is(GMIME_OBJECT(part), "text", "html") ? "html" : "plain";
	GMimeContentType *type = g_mime_content_type_new("text", subtype);
	GMimeDataWrapper *content;
	GMimeStream *mem;

	text = without_cr(text, a);
	mem = g_mime_stream_mem_new_with_buffer(text.p, text.n);
	content = g_mime_data_wrapper_new_with_stream(mem, GMIME_CONTENT_ENCODING_DEFAULT);
	g_mime_content_type_set_parameter(type, "charset", "utf-8");
	g_mime_object_set_content_type(GMIME_OBJECT(part), type);
	g_mime_part_set_content(part, content);
	g_mime_part_set_content_encoding(part, best_encoding(text));
	g_object_unref(type);
	g_object_unref(content);
	g_object_unref(mem);
}

/* The lines that say what the quoted text is. B20122. */
static const struct {
	const char *label, *field;
} block_rows[] = {
	{"From",    "From"   },
	{"Sent",    "Date"   },
	{"To",      "To"     },
	{"Cc",      "Cc"     },
	{"Subject", "Subject"},
};

static struct str block_value(
	const struct compose_original *o, const char *field, struct arena *a)
{
	struct addresses list;
	struct str v;

	if (strcmp(field, "Date") == 0) {
		v = header_raw(o->header, field, a);
		return v.n ? utf8_cleaned(v, a) : clock_dashed(a, o->received);
	}
	if (strcmp(field, "Subject") == 0)
		return header_text(o->header, field, a);
	list = header_addresses(o->header, field, a);
	return header_address_list(&list, 8192, a);
}

static void add_block(const struct compose_original *o, struct arena *a, struct buf *b)
{
	buf_adds(b, "-----Original Message-----\r\n");
	for (size_t i = 0; i < ARRAY_LEN(block_rows); i++) {
		struct str v = block_value(o, block_rows[i].field, a);

		if (v.n)
			buf_addf(b, "%s: %.*s\r\n", block_rows[i].label, STR_FMT(v));
	}
	buf_adds(b, "\r\n");
}

static void add_html_block(const struct compose_original *o, struct arena *a, struct buf *b)
{
	buf_adds(b, "<hr><div>");
	for (size_t i = 0; i < ARRAY_LEN(block_rows); i++) {
		struct str v = block_value(o, block_rows[i].field, a);

		if (!v.n)
			continue;
		buf_addf(b, "<b>%s:</b> ", block_rows[i].label);
		xml_escape(b, v);
		buf_adds(b, "<br>\r\n");
	}
	buf_adds(b, "</div><br>\r\n");
}

/* Replies quote line by line. */
static void add_quoted(struct str text, bool quote, struct buf *b)
{
	while (text.n) {
		size_t at = str_find(text, '\n');
		struct str line = str_sub(text, 0, at);

		text = str_sub(text, at + 1, text.n);
		if (line.n && line.p[line.n - 1] == '\r')
			line.n--;
		if (quote)
			buf_adds(b, "> ");
		buf_add_str(b, line);
		buf_adds(b, "\r\n");
	}
}

static struct str finish(struct buf *b, struct arena *a)
{
	struct str r = arena_str(a, buf_str(b));

	buf_release(b);
	return r;
}

static struct str plain_below(
	struct str text, const struct compose_original *o, bool forward, struct arena *a)
{
	struct str below = o->plain.p ? o->plain : html_to_text(o->html, 0, a);
	struct buf b;

	buf_init(&b, BUF_MAX_RESPONSE);
	buf_add_str(&b, text);
	buf_adds(&b, "\r\n\r\n");
	add_block(o, a, &b);
	add_quoted(below, !forward, &b);
	return finish(&b, a);
}

/* Where the last "</name" stands, else s.n. */
static size_t last_end_tag(struct str s, struct str name)
{
	size_t at = s.n, from = 0;

	while (from < s.n) {
		size_t hit = str_isearch(str_sub(s, from, s.n), name);

		if (from + hit >= s.n)
			break;
		at = from + hit;
		from = at + 1;
	}
	return at;
}

/* What stands inside <body>, or all that there is. */
static struct str html_inner(struct str html)
{
	size_t open = str_isearch(html, STR("<body"));

	if (open < html.n) {
		html = str_sub(html, open, html.n);
		html = str_sub(html, str_find(html, '>') + 1, html.n);
	}
	html = str_sub(html, 0, last_end_tag(html, STR("</html")));
	return str_sub(html, 0, last_end_tag(html, STR("</body")));
}

static struct str html_below(
	struct str html, const struct compose_original *o, bool forward, struct arena *a)
{
	struct str below = html_inner(o->html.p ? o->html : html_from_text(o->plain, a));
	size_t at = last_end_tag(html, STR("</body"));
	struct buf b;

	if (at == html.n)
		at = last_end_tag(html, STR("</html"));
	buf_init(&b, BUF_MAX_RESPONSE);
	buf_add_str(&b, str_sub(html, 0, at));
	add_html_block(o, a, &b);
	buf_adds(&b, forward ? "<div>" : "<blockquote>");
	buf_add_str(&b, below);
	buf_adds(&b, forward ? "</div>\r\n" : "</blockquote>\r\n");
	buf_add_str(&b, str_sub(html, at, html.n));
	return finish(&b, a);
}

static struct str new_boundary(struct arena *a)
{
	uint64_t bits[2];

	if (getrandom(bits, sizeof(bits), 0) != sizeof(bits))
		abort();
	return arena_printf(a, "=_%016llx%016llx", (unsigned long long)bits[0],
		(unsigned long long)bits[1]);
}

static enum rc write_object(GMimeObject *o, struct sink *to, struct err *err)
{
	SinkStream *s = (SinkStream *)g_object_new(sink_stream_get_type(), NULL);
	ssize_t n;

	g_mime_stream_construct(&s->parent, 0, -1);
	s->to = to;
	s->err = err;
	n = g_mime_object_write_to_stream(o, NULL, &s->parent);
	g_object_unref(s);
	if (n >= 0)
		return RC_OK;
	return err && err->rc ? err->rc
			      : err_set_why(err, RC_INVALID, ERR_BAD_MIME,
					"the message cannot be written anew");
}

static enum rc part_line(struct compose *c, struct err *err)
{
	return sink_write(
		c->to, arena_printf(c->a, "\r\n--%.*s\r\n", STR_FMT(c->boundary)), err);
}

/* The device's message as the first parts of a multipart of ours; a multipart/mixed of its own
 * is opened. */
static enum rc write_parts(struct compose *c, GMimeObject *root, struct err *err)
{
	int n = mime_is(root, "multipart", "mixed") && GMIME_IS_MULTIPART(root)
			? g_mime_multipart_get_count(GMIME_MULTIPART(root))
			: -1;
	enum rc rc = RC_OK;

	for (int i = 0; i < (n < 0 ? 1 : n) && rc == RC_OK; i++) {
		rc = part_line(c, err);
		if (rc == RC_OK)
			rc = write_object(
				n < 0 ? root
				      : g_mime_multipart_get_part(GMIME_MULTIPART(root), i),
				c->to, err);
	}
	return rc;
}

/* A message without any text gets the original's as a part of its own. */
static enum rc write_lone_text(
	struct compose *c, const struct compose_original *o, bool forward, struct err *err)
{
	struct str text = plain_below((struct str){"", 0}, o, forward, c->a);
	GMimePart *part = g_mime_part_new_with_type("text", "plain");
	enum rc rc = part_line(c, err);

	set_text(part, text, c->a);
	if (rc == RC_OK)
		rc = write_object(GMIME_OBJECT(part), c->to, err);
	g_object_unref(part);
	return rc;
}

enum rc compose_open(struct compose *c, struct str message,
	const struct compose_original *original, bool forward, bool parts, struct sink *to,
	struct arena *a, struct err *err)
{
	bool any = original->plain.p || original->html.p;
	struct mime_texts t = {NULL, NULL};
	struct mime p;
	enum rc rc;

	*c = (struct compose){.to = to, .a = a};
	mime_parse(message, &p);
	if (!p.root) {
		mime_release(&p);
		return err_set_why(err, RC_INVALID, ERR_BAD_MIME, "the message cannot be read");
	}
	mime_find_texts(p.root, &t);
	if (any && t.plain)
		set_text(t.plain, plain_below(mime_part_text(t.plain, a), original, forward, a),
			a);
	if (any && t.html)
		set_text(
			t.html, html_below(mime_part_text(t.html, a), original, forward, a), a);
	rc = sink_write(to, STR("MIME-Version: 1.0\r\n"), err);
	if (parts || (any && !t.plain && !t.html)) {
		c->boundary = new_boundary(a);
		if (rc == RC_OK)
			rc = sink_write(to,
				arena_printf(a,
					"Content-Type: multipart/mixed; boundary=\"%.*s\"\r\n",
					STR_FMT(c->boundary)),
				err);
		if (rc == RC_OK && any && !t.plain && !t.html)
			rc = write_lone_text(c, original, forward, err);
		if (rc == RC_OK)
			rc = write_parts(c, p.root, err);
	} else if (rc == RC_OK) {
		rc = write_object(p.root, to, err);
	}
	mime_release(&p);
	return rc;
}

enum rc compose_part(struct compose *c, struct str fields, struct err *err)
{
	enum rc rc = part_line(c, err);

	if (rc == RC_OK)
		rc = sink_write(c->to, fields, err);
	return rc ? rc : sink_write(c->to, STR("\r\n"), err);
}

enum rc compose_close(struct compose *c, struct err *err)
{
	if (!c->boundary.p)
		return RC_OK;
	return sink_write(
		c->to, arena_printf(c->a, "\r\n--%.*s--\r\n", STR_FMT(c->boundary)), err);
}

struct collector {
	const struct mail_part *plain, *html, **v;
	struct str text; /* of the HTML body */
	size_t n, max;
	bool forward;
};

static void collect(struct collector *c, const struct mail_part *p, unsigned depth)
{
	for (; p && c->n < c->max && depth < 64; p = p->next) {
		if (str_is(p->type, "multipart")) {
			collect(c, p->child, depth + 1);
			continue;
		}
		if (p == c->plain || p == c->html)
			continue;
		if (!c->forward && (!p->id.n || str_isearch(c->text, p->id) == c->text.n))
			continue;
		c->v[c->n++] = p;
	}
}

size_t compose_attachments(const struct mail_part *root, bool forward, struct str html,
	const struct mail_part **v, size_t max)
{
	struct collector c = {.v = v, .max = max, .forward = forward, .text = html};

	email_bodies(root, &c.plain, &c.html);
	collect(&c, root, 0);
	return c.n;
}

static void add_param(struct buf *b, const char *name, struct str value)
{
	if (!value.n)
		return;
	buf_addf(b, "; %s=\"", name);
	for (size_t i = 0; i < value.n; i++) {
		unsigned char ch = (unsigned char)value.p[i];

		if (ch == '"' || ch == '\\')
			buf_addc(b, '\\');
		if (ch >= ' ' && ch != 0x7f)
			buf_addc(b, (char)ch);
	}
	buf_addc(b, '"');
}

static void add_field(struct buf *b, const char *name, struct str value)
{
	if (!value.n)
		return;
	buf_addf(b, "%s: ", name);
	for (size_t i = 0; i < value.n; i++)
		if ((unsigned char)value.p[i] >= ' ')
			buf_addc(b, value.p[i]);
	buf_adds(b, "\r\n");
}

/* A file name that may hold anything, as an encoded word. */
static struct str encoded_name(struct str name, struct arena *a)
{
	char *c;
	struct str r;

	if (!name.n)
		return STR_NONE;
	g_mime_init();
	c = g_mime_utils_header_encode_text(NULL, arena_cstr(a, name), "utf-8");
	r = arena_str(a, str_of(c));
	g_free(c);
	return r;
}

static struct str known_fields(const struct mail_part *p, struct arena *a)
{
	struct str name = email_part_name(p, a);
	struct buf b;

	buf_init(&b, BUF_MAX_LINE);
	buf_addf(&b, "Content-Type: %.*s", STR_FMT(email_part_type(p, a)));
	add_param(&b, "charset", p->charset);
	add_param(&b, "method", p->method);
	add_param(&b, "smime-type", p->smime_type);
	add_param(&b, "name", encoded_name(name, a));
	buf_adds(&b, "\r\n");
	add_field(&b, "Content-Transfer-Encoding", p->encoding);
	buf_addf(&b, "Content-Disposition: %s",
		str_is(p->disposition, "inline") && p->id.n ? "inline" : "attachment");
	add_param(&b, "filename", encoded_name(name, a));
	buf_adds(&b, "\r\n");
	if (p->id.n)
		add_field(&b, "Content-ID", arena_printf(a, "<%.*s>", STR_FMT(p->id)));
	return finish(&b, a);
}

struct str compose_fields(const struct mail_part *p, struct str mime, struct arena *a)
{
	struct buf b;
	bool take = false, type = false;

	if (!mime.n || mime.n > MIME_MAX)
		return known_fields(p, a);
	buf_init(&b, BUF_MAX_LINE);
	while (mime.n) {
		size_t at = str_find(mime, '\n');
		struct str line = str_sub(mime, 0, at);

		mime = str_sub(mime, at + 1, mime.n);
		if (line.n && line.p[line.n - 1] == '\r')
			line.n--;
		if (line.n && line.p[0] != ' ' && line.p[0] != '\t') {
			take = str_istarts(line, "Content-");
			type = type || str_istarts(line, "Content-Type:");
		}
		if (take && line.n) {
			buf_add_str(&b, line);
			buf_adds(&b, "\r\n");
		}
	}
	if (type)
		return finish(&b, a);
	buf_release(&b);
	return known_fields(p, a);
}

struct str compose_message_fields(struct str header, struct arena *a)
{
	struct str subject = header_topic(header_text(header, "Subject", a));
	struct buf b;

	buf_init(&b, BUF_MAX_LINE);
	buf_adds(&b, "Content-Type: message/rfc822\r\nContent-Disposition: attachment");
	add_param(&b, "filename",
		encoded_name(
			arena_printf(a, "%.*s.eml",
				STR_FMT(subject.n ? utf8_cut(subject, 100) : STR("message"))),
			a));
	buf_adds(&b, "\r\n");
	return finish(&b, a);
}

/* One a line: a line has an end, RFC 5322 2.1.1. */
static void add_ids(struct buf *b, struct str ids)
{
	struct str id;

	while (str_next(&ids, ' ', &id))
		if (id.n)
			buf_addf(b, "\r\n %.*s", STR_FMT(id));
}

struct str compose_references(struct str head, struct str original, struct arena *a)
{
	struct str id = header_raw(original, "Message-ID", a), refs;
	struct buf b;

	if (!id.n || id.n > REFERENCES_MAX)
		return (struct str){"", 0};
	buf_init(&b, BUF_MAX_LINE);
	if (!header_raw(head, "In-Reply-To", a).n)
		add_field(&b, "In-Reply-To", id);
	if (!header_raw(head, "References", a).n) {
		refs = header_raw(original, "References", a);
		if (!refs.n)
			refs = header_raw(original, "In-Reply-To", a);
		/* The root of the thread stays, what is in the middle may go. */
		if (refs.n > REFERENCES_MAX)
			refs = str_sub(refs, 0, str_find(refs, '>') + 1);
		if (refs.n > REFERENCES_MAX)
			refs = STR_NONE;
		buf_adds(&b, "References:");
		add_ids(&b, refs);
		add_ids(&b, id);
		buf_adds(&b, "\r\n");
	}
	return finish(&b, a);
}
