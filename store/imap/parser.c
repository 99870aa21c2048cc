#include "store/imap/parser.h"

#define VALUES_MAX 1000000
/* Past these a list is read as an empty one, so that a mail of absurd structure costs no more
 * than its own inner parts. Lists from depth 2 on stand inside an item of FETCH. */
#define DEPTH_MAX      64
#define STRUCTURE_MAX  100000
#define STRUCTURE_FROM 2

struct parser {
	struct str in;
	size_t at;
	unsigned depth, values;
	struct arena *a;
	struct err *err;
};

static enum rc bad(struct parser *p, const char *what)
{
	return err_set(p->err, RC_INVALID, "IMAP response, byte %zu: %s", p->at, what);
}

bool imap_literal(struct str line, uint64_t *n_r)
{
	size_t open = line.n;

	if (line.n < 3 || line.p[line.n - 1] != '}')
		return false;
	line.n--;
	if (line.p[line.n - 1] == '+' || line.p[line.n - 1] == '-')
		line.n--;
	while (open > 0 && line.p[open - 1] != '{')
		open--;
	return open > 0 && open <= line.n && str_u64(str_sub(line, open, line.n - open), n_r);
}

static bool peek(const struct parser *p, char c)
{
	return p->at < p->in.n && p->in.p[p->at] == c;
}

static void spaces(struct parser *p)
{
	while (peek(p, ' '))
		p->at++;
}

static enum rc quoted(struct parser *p, struct imap_value *v)
{
	size_t from = ++p->at;
	bool escaped = false;
	char *out;
	size_t n = 0;

	while (p->at < p->in.n && p->in.p[p->at] != '"') {
		if (p->in.p[p->at] == '\\') {
			escaped = true;
			p->at++;
		}
		p->at++;
	}
	if (p->at >= p->in.n)
		return bad(p, "a quoted string has no end");
	v->kind = IMAP_STRING;
	v->text = str_sub(p->in, from, p->at - from);
	p->at++;
	if (!escaped)
		return RC_OK;
	out = arena_alloc(p->a, v->text.n + 1);
	for (size_t i = 0; i < v->text.n; i++) {
		if (v->text.p[i] == '\\' && i + 1 < v->text.n)
			i++;
		out[n++] = v->text.p[i];
	}
	v->text = (struct str){out, n};
	return RC_OK;
}

static enum rc literal(struct parser *p, struct imap_value *v)
{
	struct str rest = str_sub(p->in, p->at, p->in.n);
	size_t end = str_find(rest, '\n');
	struct str head = str_trim(str_sub(rest, 0, end));
	uint64_t n;

	if (end == rest.n || !imap_literal(head, &n) || n > rest.n - end - 1)
		return bad(p, "a literal runs past the end");
	v->kind = IMAP_STRING;
	v->text = str_sub(rest, end + 1, (size_t)n);
	p->at += end + 1 + (size_t)n;
	return RC_OK;
}

/* An atom; what stands in [] belongs to it, spaces, quotes and parentheses included. */
static enum rc atom(struct parser *p, struct imap_value *v)
{
	size_t from = p->at;
	unsigned brackets = 0;

	while (p->at < p->in.n) {
		char c = p->in.p[p->at];

		if (c == '[')
			brackets++;
		else if (c == ']' && brackets)
			brackets--;
		else if (!brackets && (c == ' ' || c == '(' || c == ')' || c == '"' ||
					      c == '\r' || c == '\n'))
			break;
		p->at++;
	}
	if (p->at == from)
		return bad(p, "an unexpected character");
	v->kind = IMAP_ATOM;
	v->text = str_sub(p->in, from, p->at - from);
	if (str_iis(v->text, "NIL"))
		*v = (struct imap_value){.kind = IMAP_NIL};
	return RC_OK;
}

static enum rc values(struct parser *p, bool in_list, struct imap_value **first_r);

static enum rc text_value(struct parser *p, struct imap_value *v)
{
	if (peek(p, '"'))
		return quoted(p, v);
	if (peek(p, '{') || (peek(p, '~') && p->at + 1 < p->in.n && p->in.p[p->at + 1] == '{'))
		return literal(p, v);
	return atom(p, v);
}

/* Reads past a list without keeping it. */
static enum rc skip_list(struct parser *p)
{
	struct imap_value ignored;
	size_t open = 0;
	enum rc rc = RC_OK;

	while (rc == RC_OK) {
		spaces(p);
		if (p->at >= p->in.n)
			return bad(p, "a list has no end");
		if (peek(p, '(')) {
			open++;
			p->at++;
		} else if (peek(p, ')')) {
			p->at++;
			if (--open == 0)
				break;
		} else {
			rc = text_value(p, &ignored);
		}
	}
	return rc;
}

static enum rc value(struct parser *p, struct imap_value *v)
{
	enum rc rc;

	if (!peek(p, '('))
		return text_value(p, v);
	v->kind = IMAP_LIST;
	if (p->depth == DEPTH_MAX || (p->depth >= STRUCTURE_FROM && p->values > STRUCTURE_MAX))
		return skip_list(p);
	p->depth++;
	p->at++;
	rc = values(p, true, &v->child);
	p->depth--;
	return rc;
}

static enum rc values(struct parser *p, bool in_list, struct imap_value **first_r)
{
	struct imap_value **tail = first_r;

	*first_r = NULL;
	for (;;) {
		enum rc rc;

		spaces(p);
		if (in_list && peek(p, ')')) {
			p->at++;
			return RC_OK;
		}
		if (p->at >= p->in.n)
			return in_list ? bad(p, "a list has no end") : RC_OK;
		if (++p->values > VALUES_MAX)
			return bad(p, "too many values");
		*tail = ARENA_NEW(p->a, struct imap_value);
		rc = value(p, *tail);
		if (rc)
			return rc;
		tail = &(*tail)->next;
	}
}

enum rc imap_parse(
	struct str response, struct arena *a, struct imap_value **first_r, struct err *err)
{
	struct parser p = {.in = response, .a = a, .err = err};

	return values(&p, false, first_r);
}

struct imap_value *imap_at(struct imap_value *v, size_t i)
{
	while (v && i--)
		v = v->next;
	return v;
}

struct str imap_text(const struct imap_value *v)
{
	if (!v || (v->kind != IMAP_ATOM && v->kind != IMAP_STRING))
		return STR_NONE;
	return v->text.p ? v->text : (struct str){"", 0};
}

bool imap_is(const struct imap_value *v, const char *text)
{
	return v && v->kind == IMAP_ATOM && str_iis(v->text, text);
}
