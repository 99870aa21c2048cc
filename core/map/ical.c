#include "core/map/ical.h"

#include "core/base/buf.h"
#include "core/base/utf8.h"
#include "core/map/charset.h"
#include "core/map/content_line.h"

#include <string.h>

enum { FOLD_AT = 75 }; /* RFC 5545 3.1: octets without the line end */

/* A buffer's text into the arena. */
static struct str take(struct buf *b, struct arena *a)
{
	struct str r = arena_str(a, buf_str(b));

	buf_release(b);
	return r;
}

static struct str param_name(struct str param)
{
	return str_trim(str_sub(param, 0, content_field_end(param, '=')));
}

struct str ical_param(const struct ical_line *l, const char *name, struct arena *a)
{
	struct str rest = l->params, param, value;

	for (unsigned n = 0; n < ICAL_PARAMS_MAX && content_next_field(&rest, ';', &param);
		n++) {
		if (!str_iis(param_name(param), name))
			continue;
		value = str_trim(str_sub(param, content_field_end(param, '=') + 1, param.n));
		if (value.n >= 2 && value.p[0] == '"' && value.p[value.n - 1] == '"')
			value = str_sub(value, 1, value.n - 2);
		value = charset_to_utf8(content_caret_decoded(value, a), STR("utf-8"), a);
		return value.p ? value : (struct str){"", 0};
	}
	return STR_NONE;
}

struct str ical_quote(struct str text, struct arena *a)
{
	bool quote = false;
	struct buf b;

	for (size_t i = 0; i < text.n; i++)
		quote = quote || strchr(":;,", text.p[i]) != NULL;
	buf_init(&b, SIZE_MAX / 8);
	if (quote)
		buf_addc(&b, '"');
	for (size_t i = 0; i < text.n; i++) {
		char ch = text.p[i];

		if (ch == '"')
			buf_adds(&b, "^'");
		else if (ch == '^')
			buf_adds(&b, "^^");
		else if (ch == '\n')
			buf_adds(&b, "^n");
		else if ((unsigned char)ch >= ' ' && ch != '\x7f')
			buf_addc(&b, ch);
	}
	if (quote)
		buf_addc(&b, '"');
	return take(&b, a);
}

/* "NAME[;params]:value" apart. False: it is something else. */
static bool parse_line(struct ical_line *l, struct str text)
{
	size_t colon = content_field_end(text, ':'), semicolon;
	struct str head;

	/* A quote that is never closed hides no value. */
	if (colon == text.n)
		colon = str_find(text, ':');
	if (colon == text.n)
		return false;
	head = str_sub(text, 0, colon);
	semicolon = str_find(head, ';');
	l->value = str_sub(text, colon + 1, text.n);
	l->name = str_trim(str_sub(head, 0, semicolon));
	l->params = semicolon < head.n ? str_sub(head, semicolon + 1, head.n) : STR_NONE;
	/* A quote there would reach into what the line is set to. */
	return l->name.n > 0 && str_find(l->name, '"') == l->name.n;
}

static bool is_folded(struct str s, size_t end)
{
	return end < s.n && (s.p[end] == ' ' || s.p[end] == '\t');
}

/* The next line of the file, without what ends it. */
static struct str physical_line(struct str s, size_t *end)
{
	struct str line = str_sub(s, *end, s.n);
	size_t n = str_find(line, '\n');

	*end += n < line.n ? n + 1 : n;
	line.n = n;
	if (line.n && line.p[line.n - 1] == '\r')
		line.n--;
	return line;
}

/* The lines that belong together, without what folds them. */
static struct str unfolded(struct str s, size_t *end, struct arena *a)
{
	struct str line = physical_line(s, end);
	struct buf b;

	if (!is_folded(s, *end))
		return line;
	buf_init(&b, SIZE_MAX / 8);
	buf_add_str(&b, line);
	while (is_folded(s, *end)) {
		line = physical_line(s, end);
		buf_add_str(&b, str_sub(line, 1, line.n));
	}
	return take(&b, a);
}

static void read_line(struct str s, size_t *end, struct ical_line *l, struct arena *a)
{
	size_t from = *end;
	struct str text = unfolded(s, end, a);

	if (!parse_line(l, text)) {
		l->name = (struct str){"", 0};
		l->params = l->value = STR_NONE;
	}
	l->raw = str_sub(s, from, *end - from);
}

static void link_before(struct ical *c, struct ical_line *before, struct ical_line *l)
{
	l->next = before;
	l->prev = before ? before->prev : c->last;
	if (l->prev)
		l->prev->next = l;
	else
		c->first = l;
	if (before)
		before->prev = l;
	else
		c->last = l;
}

static void add_child(struct ical_part *up, struct ical_part *p)
{
	struct ical_part **at = &up->child;

	while (*at)
		at = &(*at)->next;
	*at = p;
	p->up = up;
}

/* Reading: where we are in the tree. */
struct place {
	struct ical_part *part;
	unsigned depth, parts;
	struct ical_part *last_child[ICAL_DEPTH_MAX + 1];
};

static enum rc begin(struct ical *c, struct place *at, struct ical_line *l, struct err *err)
{
	struct ical_part *p;

	if (++at->parts > ICAL_PARTS_MAX || at->depth >= ICAL_DEPTH_MAX)
		return err_set(err, RC_LIMIT, "a calendar object of too many components");
	p = ARENA_NEW(c->a, struct ical_part);
	*p = (struct ical_part){
		.up = at->part, .name = arena_str(c->a, str_trim(l->value)), .begin = l};
	l->part = p;
	if (at->last_child[at->depth])
		at->last_child[at->depth]->next = p;
	else if (at->part)
		at->part->child = p;
	at->last_child[at->depth] = p;
	at->part = p;
	at->depth++;
	at->last_child[at->depth] = NULL;
	if (!c->root)
		c->root = p;
	return RC_OK;
}

/* RFC 5545 3.6: one VCALENDAR, and nothing open at its end. What follows it is carried along.
 */
static enum rc place(struct ical *c, struct place *at, struct ical_line *l, struct err *err)
{
	l->part = at->part;
	if (c->root && c->root->end)
		return RC_OK;
	if (str_iis(l->name, "BEGIN"))
		return begin(c, at, l, err);
	if (!str_iis(l->name, "END") || !at->part)
		return RC_OK;
	if (!str_ieq(str_trim(l->value), at->part->name))
		return err_set(err, RC_INVALID, "the components of a calendar object cross");
	at->part->end = l;
	at->part = at->part->up;
	at->depth--;
	return RC_OK;
}

static enum rc read_part(struct str bytes, struct arena *a, struct ical *c, struct err *err)
{
	struct place at = {.part = NULL};
	unsigned lines = 0;

	*c = (struct ical){.a = a, .bytes = bytes, .eol = "\r\n"};
	if (bytes.n > ICAL_SIZE_MAX)
		return err_set(err, RC_LIMIT, "a calendar object of %zu octets", bytes.n);
	for (size_t end = str_starts(bytes, "\xef\xbb\xbf") ? 3 : 0; end < bytes.n;) {
		struct ical_line *l = ARENA_NEW(a, struct ical_line);
		enum rc rc;

		if (++lines > ICAL_LINES_MAX)
			return err_set(err, RC_LIMIT, "a calendar object of more than %d lines",
				ICAL_LINES_MAX);
		read_line(bytes, &end, l, a);
		/* With the byte order mark. */
		if (lines == 1)
			l->raw = str_sub(bytes, 0, end);
		link_before(c, NULL, l);
		rc = place(c, &at, l, err);
		if (rc)
			return rc;
	}
	if (!c->root || !c->root->end)
		return err_set(
			err, RC_INVALID, "this is no calendar object, or one that is cut");
	if (str_search(bytes, STR("\r\n")) == bytes.n)
		c->eol = "\n";
	return RC_OK;
}

enum rc ical_read(struct str bytes, struct arena *a, struct ical *c, struct err *err)
{
	enum rc rc = read_part(bytes, a, c, err);

	if (rc == RC_OK && !str_iis(c->root->name, "VCALENDAR"))
		return err_set(err, RC_INVALID, "this is no calendar object");
	return rc;
}

static void put_lines(struct buf *b, const struct ical_line *l, const struct ical_line *end)
{
	for (; l && l != end; l = l->next)
		buf_add_str(b, l->raw);
}

struct str ical_write(const struct ical *c)
{
	struct buf b;

	if (!c->changed)
		return c->bytes;
	buf_init(&b, SIZE_MAX / 8);
	put_lines(&b, c->first, NULL);
	return take(&b, c->a);
}

struct str ical_part_bytes(const struct ical *c, const struct ical_part *p)
{
	struct buf b;

	buf_init(&b, SIZE_MAX / 8);
	put_lines(&b, p->begin, p->end->next);
	return take(&b, c->a);
}

struct ical_line *ical_find(
	const struct ical_part *p, const struct ical_line *after, const char *name)
{
	for (struct ical_line *l = after ? after->next : p->begin->next; l && l != p->end;
		l = l->next) {
		/* An inner component is passed over as a whole. */
		if (l->part != p)
			l = l->part->end;
		else if (l->name.n && (!name || str_iis(l->name, name)))
			return l;
	}
	return NULL;
}

struct ical_part *ical_part_find(
	const struct ical_part *p, const struct ical_part *after, const char *name)
{
	for (struct ical_part *o = after ? after->next : p->child; o; o = o->next)
		if (str_iis(o->name, name))
			return o;
	return NULL;
}

struct str ical_decode(struct str raw, struct arena *a)
{
	struct str s = charset_to_utf8(raw, STR("utf-8"), a);
	struct buf b;

	if (str_find(s, '\\') == s.n && str_find(s, '\r') == s.n)
		return utf8_cleaned(s, a);
	buf_init(&b, SIZE_MAX / 8);
	for (size_t i = 0; i < s.n; i++) {
		char next = i + 1 < s.n ? s.p[i + 1] : '\0';

		if (s.p[i] == '\r') {
			buf_adds(&b, next == '\n' ? "" : "\n");
		} else if (s.p[i] == '\\' && next && strchr("nN,;:\\\"", next)) {
			buf_addc(&b, next == 'n' || next == 'N' ? '\n' : next);
			i++;
		} else {
			buf_addc(&b, s.p[i]);
		}
	}
	return utf8_cleaned(take(&b, a), a);
}

struct str ical_text(const struct ical_line *l, struct arena *a)
{
	return l ? ical_decode(l->value, a) : STR_NONE;
}

struct str ical_encode(struct str text, struct arena *a)
{
	struct buf b;

	buf_init(&b, SIZE_MAX / 8);
	for (size_t i = 0; i < text.n; i++) {
		char ch = text.p[i];

		if (ch == '\r')
			continue;
		if (ch == '\n') {
			buf_adds(&b, "\\n");
			continue;
		}
		if (ch == '\\' || ch == ';' || ch == ',')
			buf_addc(&b, '\\');
		buf_addc(&b, ch);
	}
	return take(&b, a);
}

struct str *ical_split(struct str raw, size_t *n_r, struct arena *a)
{
	size_t max = 1, n = 0, from = 0;
	struct str *v;

	for (size_t i = 0; i < raw.n && max < ICAL_VALUES_MAX; i++)
		max += raw.p[i] == ',';
	v = ARENA_ARRAY(a, struct str, max);
	for (size_t i = 0; i < raw.n && n + 1 < max; i++) {
		if (raw.p[i] == '\\') {
			i++;
		} else if (raw.p[i] == ',') {
			v[n++] = str_sub(raw, from, i - from);
			from = i + 1;
		}
	}
	v[n++] = str_sub(raw, from, raw.n);
	*n_r = n;
	return v;
}

struct str ical_join(const struct str *v, size_t n, struct arena *a)
{
	struct buf b;

	buf_init(&b, SIZE_MAX / 8);
	for (size_t i = 0; i < n; i++) {
		if (i)
			buf_addc(&b, ',');
		buf_add_str(&b, v[i]);
	}
	return take(&b, a);
}

static void add_folded(struct str text, struct buf *b, const char *eol)
{
	size_t room = FOLD_AT;

	while (text.n > room) {
		size_t n = utf8_cut(text, room).n;

		/* Bytes that are no UTF-8 may be cut anywhere. */
		n = n ? n : room;
		buf_add(b, text.p, n);
		buf_addf(b, "%s ", eol);
		text = str_sub(text, n, text.n);
		room = FOLD_AT - 1;
	}
	buf_add_str(b, text);
}

/* The line anew. */
static void build(struct ical *c, struct ical_line *l, struct str head, struct str raw)
{
	struct buf b;
	size_t end = 0;
	struct str text = arena_printf(c->a, "%.*s:%.*s", STR_FMT(head), STR_FMT(raw));

	buf_init(&b, SIZE_MAX / 8);
	add_folded(text, &b, c->eol);
	buf_adds(&b, c->eol);
	read_line(take(&b, c->a), &end, l, c->a);
	c->changed = true;
}

static struct str head_of(const struct ical *c, const struct ical_line *l)
{
	return l->params.p
		       ? arena_printf(c->a, "%.*s;%.*s", STR_FMT(l->name), STR_FMT(l->params))
		       : l->name;
}

void ical_set(struct ical *c, struct ical_line *l, struct str raw)
{
	build(c, l, head_of(c, l), raw);
}

static bool is_balanced(struct str param)
{
	bool balanced = true;

	for (size_t i = 0; i < param.n; i++)
		if (param.p[i] == '"')
			balanced = !balanced;
	return balanced;
}

void ical_set_param(struct ical *c, struct ical_line *l, const char *name, struct str value)
{
	struct str rest = l->params, param;
	bool put = !value.p;
	struct buf b;

	buf_init(&b, SIZE_MAX / 8);
	buf_add_str(&b, l->name);
	while (content_next_field(&rest, ';', &param)) {
		/* One whose quotes are not closed would take in what follows. */
		if (!is_balanced(param))
			continue;
		if (!str_iis(param_name(param), name)) {
			buf_addc(&b, ';');
			buf_add_str(&b, param);
		} else if (!put) {
			buf_addf(&b, ";%s=%.*s", name, STR_FMT(value));
			put = true;
		}
	}
	if (!put)
		buf_addf(&b, ";%s=%.*s", name, STR_FMT(value));
	build(c, l, take(&b, c->a), l->value);
}

/* Properties stand before inner components, as everybody writes them. */
static struct ical_line *end_of_properties(const struct ical_part *p)
{
	return p->child ? p->child->begin : p->end;
}

struct ical_line *ical_add(struct ical *c, struct ical_part *p, struct str head, struct str raw)
{
	struct ical_line *l = ARENA_NEW(c->a, struct ical_line);

	l->part = p;
	link_before(c, end_of_properties(p), l);
	build(c, l, head, raw);
	return l;
}

static void unlink_lines(struct ical *c, struct ical_line *from, struct ical_line *to)
{
	if (from->prev)
		from->prev->next = to->next;
	else
		c->first = to->next;
	if (to->next)
		to->next->prev = from->prev;
	else
		c->last = from->prev;
	c->changed = true;
}

void ical_remove(struct ical *c, struct ical_line *l)
{
	unlink_lines(c, l, l);
}

void ical_put(struct ical *c, struct ical_part *p, const char *name, struct str raw)
{
	struct ical_line *l = ical_find(p, NULL, name), *next;

	if (raw.p && l) {
		if (!str_eq(l->value, raw))
			ical_set(c, l, raw);
		return;
	}
	if (raw.p) {
		(void)ical_add(c, p, str_of(name), raw);
		return;
	}
	for (; l; l = next) {
		next = ical_find(p, l, name);
		ical_remove(c, l);
	}
}

/* Text with the line ends of the object. */
static struct str with_eol(const struct ical *c, struct str text)
{
	struct buf b;

	buf_init(&b, SIZE_MAX / 8);
	for (size_t end = 0; end < text.n;) {
		buf_add_str(&b, physical_line(text, &end));
		buf_adds(&b, c->eol);
	}
	return take(&b, c->a);
}

struct ical_part *ical_part_add(struct ical *c, struct ical_part *p, struct str text)
{
	struct ical_line *before = p->end;
	struct ical in;

	if (read_part(with_eol(c, text), c->a, &in, NULL) || !in.root ||
		in.last != in.root->end || in.first != in.root->begin)
		return NULL;
	/* Time zones stand in front of what refers to them. */
	if (str_iis(in.root->name, "VTIMEZONE"))
		before = end_of_properties(p);
	for (struct ical_line *l = in.first, *next; l; l = next) {
		next = l->next;
		link_before(c, before, l);
	}
	if (before == p->end) {
		add_child(p, in.root);
	} else {
		in.root->next = p->child;
		in.root->up = p;
		p->child = in.root;
	}
	c->changed = true;
	return in.root;
}

void ical_part_remove(struct ical *c, struct ical_part *p)
{
	struct ical_part **at = &p->up->child;

	while (*at != p)
		at = &(*at)->next;
	*at = p->next;
	unlink_lines(c, p->begin, p->end);
}
