#include "core/map/vcard.h"

#include "core/base/buf.h"
#include "core/base/utf8.h"
#include "core/map/charset.h"
#include "core/map/content_line.h"
#include "core/map/decode.h"

#include <stdlib.h>

enum { FOLD_AT = 75 }; /* RFC 2426 2.6, RFC 6350 3.2: octets without the line end */

static const char *const encoding_params[] = {
	"ENCODING", "CHARSET", "QUOTED-PRINTABLE", "BASE64", "8BIT", "7BIT", NULL};

/* A buffer's text into the card's arena. */
static struct str take(struct buf *b, struct arena *a)
{
	struct str r = arena_str(a, buf_str(b));

	buf_release(b);
	return r;
}

/* "NAME=value" apart; one without a name has an empty one. */
static struct str param_value(struct str param, struct str *name_r)
{
	size_t at = content_field_end(param, '=');

	if (at == param.n) {
		*name_r = (struct str){"", 0};
		return str_trim(param);
	}
	*name_r = str_trim(str_sub(param, 0, at));
	return str_trim(str_sub(param, at + 1, param.n));
}

static struct str unquoted(struct str s)
{
	s = str_trim(s);
	return s.n >= 2 && s.p[0] == '"' && s.p[s.n - 1] == '"' ? str_sub(s, 1, s.n - 2) : s;
}

struct str vcard_param(const struct vcard_line *l, const char *name, struct arena *a)
{
	struct str rest = l->params, param, its, value;

	for (unsigned n = 0; n < VCARD_PARAMS_MAX && content_next_field(&rest, ';', &param);
		n++) {
		value = param_value(param, &its);
		if (str_iis(its, name))
			return utf8_cleaned(content_caret_decoded(unquoted(value), a), a);
	}
	return STR_NONE;
}

bool vcard_is_type(const struct vcard_line *l, struct str type)
{
	struct str rest = l->params, param, name, value, one;

	for (unsigned n = 0; n < VCARD_PARAMS_MAX && content_next_field(&rest, ';', &param);
		n++) {
		value = param_value(param, &name);
		if (name.n && !str_iis(name, "TYPE"))
			continue;
		/* TYPE="WORK,VOICE" is what some write for a list. */
		value = unquoted(value);
		while (str_next(&value, ',', &one))
			if (str_ieq(unquoted(one), type))
				return true;
	}
	return false;
}

/* 2.1 has the encoding without a name too. */
static bool is_encoded(const struct vcard_line *l, const char *encoding)
{
	struct str rest = l->params, param, name, value;

	for (unsigned n = 0; n < VCARD_PARAMS_MAX && content_next_field(&rest, ';', &param);
		n++) {
		value = param_value(param, &name);
		if ((!name.n || str_iis(name, "ENCODING")) && str_iis(value, encoding))
			return true;
	}
	return false;
}

/* Where a line ends, its line end included. */
static size_t physical_end(struct str s, size_t from)
{
	size_t n = str_find(str_sub(s, from, s.n), '\n');

	return from + n < s.n ? from + n + 1 : s.n;
}

static struct str without_eol(struct str s)
{
	if (s.n && s.p[s.n - 1] == '\n')
		s.n--;
	if (s.n && s.p[s.n - 1] == '\r')
		s.n--;
	return s;
}

/* "[group.]NAME[;params]:value" apart. False: it is something else. */
static bool parse_line(struct vcard_line *l, struct str text)
{
	size_t colon = content_field_end(text, ':'), dot;
	struct str head;

	/* A quote that is never closed hides no value. */
	if (colon == text.n)
		colon = str_find(text, ':');
	if (colon == text.n)
		return false;
	head = str_sub(text, 0, colon);
	l->value = str_sub(text, colon + 1, text.n);
	l->name = str_trim(str_sub(head, 0, str_find(head, ';')));
	l->params = str_find(head, ';') < head.n
			    ? str_sub(head, str_find(head, ';') + 1, head.n)
			    : STR_NONE;
	/* A quote there would reach into what the line is set to. */
	if (str_find(l->name, '"') < l->name.n)
		return false;
	dot = str_find(l->name, '.');
	if (dot < l->name.n) {
		l->group = str_sub(l->name, 0, dot);
		l->name = str_sub(l->name, dot + 1, l->name.n);
	}
	return l->name.n > 0;
}

static bool is_folded(struct str s, size_t end)
{
	return end < s.n && (s.p[end] == ' ' || s.p[end] == '\t');
}

/* The next line of the file, without what ends it. */
static struct str physical_line(struct str s, size_t *end)
{
	size_t from = *end;

	*end = physical_end(s, from);
	return without_eol(str_sub(s, from, *end - from));
}

/* RFC 2425 5.8.1: the lines that belong together, without what folds them. */
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

/* vCard 2.1: quoted-printable goes on behind "=" at the end of a line, and a space in front of
 * the next is its own; some fold it all the same. */
static struct str unfolded_printable(
	struct str s, size_t *end, struct str value, struct arena *a)
{
	struct buf b;

	buf_init(&b, SIZE_MAX / 8);
	buf_add_str(&b, value);
	while (*end < s.n) {
		bool soft = b.n && b.p[b.n - 1] == '=';
		struct str line;

		if (!soft && !is_folded(s, *end))
			break;
		line = physical_line(s, end);
		if (soft)
			buf_cut(&b, b.n - 1);
		buf_add_str(&b, str_sub(line, soft ? 0 : 1, line.n));
	}
	value = decode_bytes(buf_str(&b), STR("quoted-printable"), a);
	buf_release(&b);
	return value;
}

/* Reads the line that begins at *end; false: it is no property. */
static bool read_line(struct str s, size_t *end, struct vcard_line *l, struct arena *a)
{
	size_t from = *end;
	struct str charset;

	if (parse_line(l, physical_line(s, end)) && is_encoded(l, "QUOTED-PRINTABLE")) {
		charset = vcard_param(l, "CHARSET", a);
		l->value = unfolded_printable(s, end, l->value, a);
		l->value = charset_to_utf8(l->value, charset.n ? charset : STR("utf-8"), a);
		return true;
	}
	*end = from;
	*l = (struct vcard_line){.next = l->next, .prev = l->prev, .raw = l->raw};
	if (!parse_line(l, unfolded(s, end, a)))
		return false;
	charset = vcard_param(l, "CHARSET", a);
	if (charset.n)
		l->value = charset_to_utf8(l->value, charset, a);
	return true;
}

static void append(struct vcard *c, struct vcard_line **last, struct vcard_line *l)
{
	l->prev = *last;
	if (*last)
		(*last)->next = l;
	else
		c->first = l;
	*last = l;
}

/* A line without a name is only carried along. */
static void hide(struct vcard_line *l)
{
	l->name = (struct str){"", 0};
}

static enum vcard_version version_of_card(const struct vcard *c)
{
	const struct vcard_line *l = vcard_find(c, NULL, "VERSION");
	struct str v = l ? str_trim(l->value) : STR_NONE;

	return str_is(v, "2.1") ? VCARD_21 : str_is(v, "4.0") ? VCARD_40 : VCARD_30;
}

/* Takes note of BEGIN and END; lines of other cards, and outside, are hidden. */
static void place(struct vcard *c, struct vcard_line *l, unsigned *depth, bool *begun)
{
	bool begin = str_iis(l->name, "BEGIN") && str_iis(str_trim(l->value), "VCARD");
	bool end = str_iis(l->name, "END") && str_iis(str_trim(l->value), "VCARD");

	if (c->end || (!*begun && !begin)) {
		hide(l);
		return;
	}
	if (begin) {
		(*depth)++;
		*begun = true;
	}
	if (end && --*depth == 0)
		c->end = l;
	if (begin || end || *depth > 1)
		hide(l);
}

enum rc vcard_read(struct str bytes, struct arena *a, struct vcard *c, struct err *err)
{
	struct vcard_line *last = NULL;
	unsigned depth = 0, lines = 0;
	bool begun = false;

	*c = (struct vcard){.a = a, .bytes = bytes, .eol = "\r\n"};
	if (bytes.n > VCARD_SIZE_MAX)
		return err_set(err, RC_LIMIT, "a card of %zu octets", bytes.n);
	if (str_starts(bytes, "\xef\xbb\xbf")) {
		struct vcard_line *bom = ARENA_NEW(a, struct vcard_line);

		bom->raw = str_sub(bytes, 0, 3);
		append(c, &last, bom);
	}
	for (size_t at = last ? 3 : 0; at < bytes.n;) {
		struct vcard_line *l = ARENA_NEW(a, struct vcard_line);
		size_t end = at;

		if (++lines > VCARD_LINES_MAX)
			return err_set(
				err, RC_LIMIT, "a card of more than %d lines", VCARD_LINES_MAX);
		if (!read_line(bytes, &end, l, a))
			hide(l);
		l->raw = str_sub(bytes, at, end - at);
		append(c, &last, l);
		place(c, l, &depth, &begun);
		at = end;
	}
	if (!c->end)
		return err_set(err, RC_INVALID, "this is no vCard, or one that is cut");
	if (str_search(bytes, STR("\r\n")) == bytes.n)
		c->eol = "\n";
	c->version = version_of_card(c);
	return RC_OK;
}

void vcard_new(enum vcard_version version, struct arena *a, struct vcard *c)
{
	struct str text = version == VCARD_40
				  ? STR("BEGIN:VCARD\r\nVERSION:4.0\r\nEND:VCARD\r\n")
				  : STR("BEGIN:VCARD\r\nVERSION:3.0\r\nEND:VCARD\r\n");

	/* It cannot fail. */
	if (vcard_read(text, a, c, NULL))
		abort();
}

struct str vcard_write(const struct vcard *c)
{
	struct buf b;

	if (!c->changed)
		return c->bytes;
	buf_init(&b, SIZE_MAX / 8);
	for (const struct vcard_line *l = c->first; l; l = l->next)
		buf_add_str(&b, l->raw);
	return take(&b, c->a);
}

struct vcard_line *vcard_find(
	const struct vcard *c, const struct vcard_line *after, const char *name)
{
	struct vcard_line *l = after ? after->next : c->first;

	for (; l; l = l->next)
		if (l->name.n && str_iis(l->name, name))
			return l;
	return NULL;
}

/* What stands for the character behind a backslash; 0: the backslash is one. 2.1 knows only
 * the semicolon. */
static char escaped(const struct vcard *c, char next)
{
	if (c->version == VCARD_21)
		return next == ';' ? ';' : '\0';
	switch (next) {
	case 'n':
	case 'N':
		return '\n';
	case ',':
	case ';':
	case ':':
	case '\\':
		return next;
	default:
		return '\0';
	}
}

struct str vcard_decode(const struct vcard *c, struct str raw)
{
	struct buf b;
	struct str s = charset_to_utf8(raw, STR("utf-8"), c->a);

	if (str_find(s, '\\') == s.n && str_find(s, '\r') == s.n)
		return utf8_cleaned(s, c->a);
	buf_init(&b, SIZE_MAX / 8);
	for (size_t i = 0; i < s.n; i++) {
		char next = i + 1 < s.n ? s.p[i + 1] : '\0';
		char stands = s.p[i] == '\\' ? escaped(c, next) : '\0';

		if (stands) {
			buf_addc(&b, stands);
			i++;
		} else if (s.p[i] == '\r') {
			if (next != '\n')
				buf_addc(&b, '\n');
		} else {
			buf_addc(&b, s.p[i]);
		}
	}
	return utf8_cleaned(take(&b, c->a), c->a);
}

struct str vcard_text(const struct vcard *c, const struct vcard_line *l)
{
	return l ? vcard_decode(c, l->value) : STR_NONE;
}

size_t vcard_split(struct str raw, char separator, struct str *v, size_t max)
{
	size_t n = 0, from = 0;

	for (size_t i = 0; i < raw.n && n + 1 < max; i++) {
		if (raw.p[i] == '\\') {
			i++;
		} else if (raw.p[i] == separator) {
			v[n++] = str_sub(raw, from, i - from);
			from = i + 1;
		}
	}
	v[n++] = str_sub(raw, from, raw.n);
	return n;
}

/* A comma in a URI is none of the grammar's business, but there are servers that take what
 * stands behind one for another value of a 3.0 card and lose it. */
static bool must_escape(const struct vcard *c, char ch, bool uri)
{
	if (ch == ';')
		return !uri;
	if (c->version == VCARD_21)
		return false;
	return ch == '\\' || (ch == ',' && (!uri || c->version == VCARD_30));
}

struct str vcard_encode(const struct vcard *c, struct str text, bool uri)
{
	struct buf b;
	bool old = c->version == VCARD_21;

	buf_init(&b, SIZE_MAX / 8);
	for (size_t i = 0; i < text.n; i++) {
		char ch = text.p[i];

		if (ch == '\r')
			continue;
		if (ch == '\n' && !old) {
			buf_adds(&b, "\\n");
			continue;
		}
		if (must_escape(c, ch, uri))
			buf_addc(&b, '\\');
		buf_addc(&b, ch);
	}
	return take(&b, c->a);
}

struct str vcard_join(
	const struct vcard *c, const struct str *v, size_t n, size_t least, char separator)
{
	struct buf b;

	while (n > least && v[n - 1].n == 0)
		n--;
	buf_init(&b, SIZE_MAX / 8);
	for (size_t i = 0; i < n; i++) {
		if (i)
			buf_addc(&b, separator);
		buf_add_str(&b, v[i]);
	}
	return take(&b, c->a);
}

static bool needs_printable(struct str raw)
{
	for (size_t i = 0; i < raw.n; i++)
		if ((unsigned char)raw.p[i] >= 0x80 || raw.p[i] == '\n')
			return true;
	return false;
}

/* RFC 2045 6.7, as vCard 2.1 has it. */
static void add_printable(struct str raw, size_t used, struct buf *b, const char *eol)
{
	for (size_t i = 0; i < raw.n; i++) {
		unsigned char ch = (unsigned char)raw.p[i];
		bool plain = ch >= 0x20 && ch < 0x7f && ch != '=' && i + 1 < raw.n;

		if (used + 7 > FOLD_AT) {
			buf_addf(b, "=%s", eol);
			used = 0;
		}
		if (ch == '\n') {
			buf_adds(b, "=0D=0A");
			used += 6;
		} else if (plain) {
			buf_addc(b, (char)ch);
			used++;
		} else {
			buf_addf(b, "=%02X", ch);
			used += 3;
		}
	}
}

/* RFC 6350 3.2: not inside a character. */
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
static void build(struct vcard *c, struct vcard_line *l, struct str head, struct str raw)
{
	struct buf b;
	size_t end = 0;

	buf_init(&b, SIZE_MAX / 8);
	if (c->version == VCARD_21 && needs_printable(raw)) {
		size_t name = str_find(head, ';');

		/* In front, where a reader's bound on parameters does not hide it. */
		buf_add_str(&b, str_sub(head, 0, name));
		buf_adds(&b, ";CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE");
		buf_add_str(&b, str_sub(head, name, head.n));
		buf_addc(&b, ':');
		add_printable(raw, b.n, &b, c->eol);
	} else {
		struct str both[] = {head, raw};

		add_folded(vcard_join(c, both, 2, 2, ':'), &b, c->eol);
	}
	buf_adds(&b, c->eol);
	l->raw = take(&b, c->a);
	if (!read_line(l->raw, &end, l, c->a))
		hide(l);
	c->changed = true;
}

static bool is_one_of(struct str name, const char *const *names)
{
	for (; names && *names; names++)
		if (str_iis(name, *names))
			return true;
	return false;
}

static bool is_balanced(struct str param)
{
	bool balanced = true;

	for (size_t i = 0; i < param.n; i++)
		if (param.p[i] == '"')
			balanced = !balanced;
	return balanced;
}

void vcard_set(struct vcard *c, struct vcard_line *l, struct str raw, const char *const *drop)
{
	struct str rest = l->params, param, name, value;
	struct buf b;

	buf_init(&b, SIZE_MAX / 8);
	if (l->group.p) {
		buf_add_str(&b, l->group);
		buf_addc(&b, '.');
	}
	buf_add_str(&b, l->name);
	while (content_next_field(&rest, ';', &param)) {
		value = param_value(param, &name);
		name = name.n ? name : value;
		/* One whose quotes are not closed would take in what follows. */
		if (is_one_of(name, drop) || is_one_of(name, encoding_params) ||
			!is_balanced(param))
			continue;
		buf_addc(&b, ';');
		buf_add_str(&b, param);
	}
	build(c, l, take(&b, c->a), raw);
}

struct vcard_line *vcard_add(
	struct vcard *c, struct vcard_line *before, struct str head, struct str raw)
{
	struct vcard_line *l = ARENA_NEW(c->a, struct vcard_line);

	before = before ? before : c->end;
	l->next = before;
	l->prev = before->prev;
	if (l->prev)
		l->prev->next = l;
	else
		c->first = l;
	before->prev = l;
	build(c, l, head, raw);
	return l;
}

static void unlink_line(struct vcard *c, struct vcard_line *l)
{
	if (l->prev)
		l->prev->next = l->next;
	else
		c->first = l->next;
	if (l->next)
		l->next->prev = l->prev;
	c->changed = true;
}

/* X-ABLabel and X-ABADR, which are about the other lines of their group. */
static bool is_label(const struct vcard_line *l)
{
	return str_iis(l->name, "X-ABLABEL") || str_iis(l->name, "X-ABADR");
}

static bool is_in_group(const struct vcard_line *l, struct str group)
{
	return l->name.n && str_ieq(l->group, group);
}

void vcard_remove(struct vcard *c, struct vcard_line *l)
{
	unlink_line(c, l);
	if (!l->group.n)
		return;
	for (struct vcard_line *o = c->first; o; o = o->next)
		if (is_in_group(o, l->group) && !is_label(o))
			return;
	for (struct vcard_line *o = c->first; o; o = o->next)
		if (is_in_group(o, l->group))
			unlink_line(c, o);
}

void vcard_swap(struct vcard *c, struct vcard_line *l, struct vcard_line *with)
{
	struct vcard_line content = *l;

	l->raw = with->raw;
	l->group = with->group;
	l->name = with->name;
	l->params = with->params;
	l->value = with->value;
	with->raw = content.raw;
	with->group = content.group;
	with->name = content.name;
	with->params = content.params;
	with->value = content.value;
	c->changed = true;
}
