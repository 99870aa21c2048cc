#include "store/imap/imap_internal.h"

#include "core/base/utf8.h"
#include "core/map/charset.h"

#define DEPTH_MAX 60

static struct str lowered(struct str s, struct arena *a)
{
	char *p;

	if (!s.p)
		return s;
	p = arena_cstr(a, s);
	for (size_t i = 0; i < s.n; i++)
		if (p[i] >= 'A' && p[i] <= 'Z')
			p[i] = (char)(p[i] + 32);
	return (struct str){p, s.n};
}

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* RFC 2231 4: percent-encoded octets. */
static struct str unescape(struct str s, struct arena *a)
{
	char *out = arena_alloc(a, s.n + 1);
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '%' && i + 2 < s.n && hex(s.p[i + 1]) >= 0 &&
			hex(s.p[i + 2]) >= 0) {
			out[n++] = (char)(hex(s.p[i + 1]) << 4 | hex(s.p[i + 2]));
			i += 2;
		} else {
			out[n++] = s.p[i];
		}
	}
	return (struct str){out, n};
}

static struct str plain(struct imap_value *list, struct str key)
{
	for (struct imap_value *v = list; v && v->next; v = v->next->next)
		if (str_ieq(imap_text(v), key))
			return imap_text(v->next);
	return STR_NONE;
}

/* A parameter, RFC 2231 pieces ("name*0*", "name*1") joined and decoded. */
static struct str parameter(struct imap_value *list, const char *name, struct arena *a)
{
	struct str key = str_of(name), value = plain(list, key), charset = STR_NONE;
	struct buf b;

	if (value.p)
		return value;
	value = plain(list, arena_printf(a, "%s*", name));
	buf_init(&b, BUF_MAX_LINE);
	for (unsigned i = 0; i < 100; i++) {
		struct str piece = value.p && i == 0 ? value : STR_NONE;
		bool encoded = piece.p != NULL;

		if (!piece.p) {
			piece = plain(list, arena_printf(a, "%s*%u*", name, i));
			encoded = piece.p != NULL;
		}
		if (!piece.p)
			piece = plain(list, arena_printf(a, "%s*%u", name, i));
		if (!piece.p)
			break;
		if (encoded && i == 0) {
			size_t q = str_find(piece, '\'');
			struct str rest = str_sub(piece, q + 1, piece.n);

			if (q < piece.n && str_find(rest, '\'') < rest.n) {
				charset = str_sub(piece, 0, q);
				piece = str_sub(rest, str_find(rest, '\'') + 1, rest.n);
			}
		}
		buf_add_str(&b, encoded ? unescape(piece, a) : piece);
		if (value.p)
			break;
	}
	value = b.n ? charset_to_utf8(arena_str(a, buf_str(&b)), charset, a) : STR_NONE;
	buf_release(&b);
	return value;
}

static uint32_t number(struct imap_value *v)
{
	uint32_t n = 0;

	(void)str_u32(imap_text(v), &n);
	return n;
}

static struct str without_brackets(struct str s)
{
	s = str_trim(s);
	if (s.n >= 2 && s.p[0] == '<' && s.p[s.n - 1] == '>')
		s = str_sub(s, 1, s.n - 2);
	return s;
}

static void disposition(struct imap_value *v, struct mail_part *p, struct arena *a)
{
	if (!v || v->kind != IMAP_LIST)
		return;
	p->disposition = lowered(imap_text(v->child), a);
	if (v->child && v->child->next && v->child->next->kind == IMAP_LIST)
		p->filename = parameter(v->child->next->child, "filename", a);
}

static struct str child_section(struct str section, unsigned i, struct arena *a)
{
	return section.n ? arena_printf(a, "%.*s.%u", STR_FMT(section), i)
			 : arena_printf(a, "%u", i);
}

static struct mail_part *part(
	struct imap_value *v, struct str section, bool top, unsigned depth, struct arena *a);

static struct mail_part *multipart(
	struct imap_value *v, struct str section, unsigned depth, struct arena *a)
{
	struct mail_part *p = ARENA_NEW(a, struct mail_part), **tail = &p->child;
	struct imap_value *c = v->child;
	unsigned i = 1;

	p->section = section;
	p->type = STR("multipart");
	p->encoding = STR("7bit");
	for (; c && c->kind == IMAP_LIST; c = c->next) {
		*tail = part(c, child_section(section, i++, a), false, depth + 1, a);
		if (*tail)
			tail = &(*tail)->next;
	}
	p->subtype = lowered(imap_text(c), a);
	if (c && c->next && c->next->kind == IMAP_LIST) {
		struct imap_value *params = c->next->child;

		p->protocol = lowered(parameter(params, "protocol", a), a);
		p->report_type = lowered(parameter(params, "report-type", a), a);
		disposition(c->next->next, p, a);
	}
	return p;
}

static void parameters(struct imap_value *params, struct mail_part *p, struct arena *a)
{
	p->charset = parameter(params, "charset", a);
	p->name = parameter(params, "name", a);
	p->method = parameter(params, "method", a);
	p->smime_type = lowered(parameter(params, "smime-type", a), a);
}

/* RFC 2045 5.2: what has no valid Content-Type is plain text. */
static void untyped(struct mail_part *p)
{
	p->type = STR("text");
	p->subtype = STR("plain");
}

static struct mail_part *part(
	struct imap_value *v, struct str section, bool top, unsigned depth, struct arena *a)
{
	struct mail_part *p;
	struct imap_value *c;
	size_t extension = 7;

	if (!v || v->kind != IMAP_LIST || !v->child || depth > DEPTH_MAX)
		return NULL;
	if (v->child->kind == IMAP_LIST)
		return multipart(v, section, depth, a);
	p = ARENA_NEW(a, struct mail_part);
	c = v->child;
	p->section = top ? STR("1") : section;
	p->type = lowered(imap_text(c), a);
	p->subtype = lowered(imap_text(imap_at(c, 1)), a);
	if (!p->type.n || !p->subtype.n)
		untyped(p);
	if (imap_at(c, 2) && imap_at(c, 2)->kind == IMAP_LIST)
		parameters(imap_at(c, 2)->child, p, a);
	p->id = without_brackets(imap_text(imap_at(c, 3)));
	p->description = imap_text(imap_at(c, 4));
	p->encoding = lowered(imap_text(imap_at(c, 5)), a);
	p->size = number(imap_at(c, 6));
	if (str_is(p->type, "text"))
		extension = 8;
	if (str_is(p->type, "message") && str_is(p->subtype, "rfc822")) {
		struct imap_value *inner = imap_at(c, 8);
		bool multi = inner && inner->kind == IMAP_LIST && inner->child &&
			     inner->child->kind == IMAP_LIST;

		/* The envelope: date, subject, ... */
		if (imap_at(c, 7) && imap_at(c, 7)->kind == IMAP_LIST)
			p->subject = imap_text(imap_at(imap_at(c, 7)->child, 1));
		extension = 10;
		p->child = part(inner, multi ? p->section : child_section(p->section, 1, a),
			false, depth + 1, a);
	}
	disposition(imap_at(c, extension + 1), p, a);
	p->location = imap_text(imap_at(c, extension + 3));
	return p;
}

struct mail_part *bodystructure(struct imap_value *v, struct arena *a)
{
	return part(v, (struct str){"", 0}, true, 0, a);
}
