#include "core/map/kql.h"

#include "core/base/utf8.h"

enum { TERMS_MAX = 64, DEPTH_MAX = 16, TEXT_MAX = 256 };

struct parser {
	struct str rest;
	struct arena *a;
	unsigned terms, depth;
};

static struct mail_term *new_term(struct parser *k, enum mail_term_kind kind, struct str text)
{
	struct mail_term *t = ARENA_NEW(k->a, struct mail_term);

	t->kind = kind;
	t->text = text;
	k->terms++;
	return t;
}

static void skip_space(struct parser *k)
{
	while (k->rest.n && (unsigned char)k->rest.p[0] <= ' ')
		k->rest = str_sub(k->rest, 1, k->rest.n);
}

static bool at(const struct parser *k, char c)
{
	return k->rest.n && k->rest.p[0] == c;
}

/* A word of capitals that stands alone. */
static bool take_word(struct parser *k, const char *word)
{
	size_t n = str_of(word).n;

	skip_space(k);
	if (!str_starts(k->rest, word) ||
		(k->rest.n > n && (unsigned char)k->rest.p[n] > ' ' && k->rest.p[n] != '('))
		return false;
	k->rest = str_sub(k->rest, n, k->rest.n);
	return true;
}

/* A phrase in quotes, or a word; without the '*' that ends a prefix. */
static struct str value(struct parser *k)
{
	struct str v;
	size_t n = 0;

	if (at(k, '"')) {
		k->rest = str_sub(k->rest, 1, k->rest.n);
		n = str_find(k->rest, '"');
		v = str_sub(k->rest, 0, n);
		k->rest = str_sub(k->rest, n + 1, k->rest.n);
	} else {
		while (n < k->rest.n && (unsigned char)k->rest.p[n] > ' ' &&
			k->rest.p[n] != '(' && k->rest.p[n] != ')' && k->rest.p[n] != '"')
			n++;
		v = str_sub(k->rest, 0, n);
		k->rest = str_sub(k->rest, n, k->rest.n);
	}
	while (v.n && v.p[v.n - 1] == '*')
		v.n--;
	return utf8_cut(str_trim(v), TEXT_MAX);
}

static const struct {
	const char *name;
	enum mail_term_kind kind;
} fields[] = {
	{"from:",      MAIL_TERM_FROM   },
	{"to:",        MAIL_TERM_TO     },
	{"cc:",        MAIL_TERM_CC     },
	{"subject:",   MAIL_TERM_SUBJECT},
	{"body:",      MAIL_TERM_BODY   },
	{"isread:",    MAIL_TERM_UNREAD },
	{"isflagged:", MAIL_TERM_FLAGGED},
};

static struct mail_term *participants(struct parser *k, struct str who)
{
	struct mail_term *any = new_term(k, MAIL_TERM_OR, STR_NONE);

	any->child = new_term(k, MAIL_TERM_FROM, who);
	any->child->next = new_term(k, MAIL_TERM_TO, who);
	any->child->next->next = new_term(k, MAIL_TERM_CC, who);
	return any;
}

static struct mail_term *negated(struct parser *k, struct mail_term *t)
{
	struct mail_term *no;

	if (!t)
		return NULL;
	no = new_term(k, MAIL_TERM_NOT, STR_NONE);
	no->child = t;
	return no;
}

/* "isread:false" is what IMAP calls UNSEEN. */
static struct mail_term *yes_or_no(struct parser *k, enum mail_term_kind kind)
{
	bool yes = str_iis(value(k), "true"), as_is = kind == MAIL_TERM_UNREAD ? !yes : yes;
	struct mail_term *t = new_term(k, kind, STR_NONE);

	return as_is ? t : negated(k, t);
}

static struct mail_term *term_of(struct parser *k)
{
	struct str v;

	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		if (!str_istarts(k->rest, fields[i].name))
			continue;
		k->rest = str_sub(k->rest, str_of(fields[i].name).n, k->rest.n);
		if (fields[i].kind == MAIL_TERM_UNREAD || fields[i].kind == MAIL_TERM_FLAGGED)
			return yes_or_no(k, fields[i].kind);
		v = value(k);
		return v.n ? new_term(k, fields[i].kind, v) : NULL;
	}
	if (str_istarts(k->rest, "participants:")) {
		k->rest = str_sub(k->rest, 13, k->rest.n);
		v = value(k);
		return v.n ? participants(k, v) : NULL;
	}
	v = value(k);
	return v.n ? new_term(k, MAIL_TERM_TEXT, v) : NULL;
}

static struct mail_term *any_of(struct parser *k);

static struct mail_term *primary(struct parser *k)
{
	struct mail_term *t;

	skip_space(k);
	if (!at(k, '('))
		return term_of(k);
	k->rest = str_sub(k->rest, 1, k->rest.n);
	if (k->depth == DEPTH_MAX)
		return NULL;
	k->depth++;
	t = any_of(k);
	k->depth--;
	skip_space(k);
	if (at(k, ')'))
		k->rest = str_sub(k->rest, 1, k->rest.n);
	return t;
}

static struct mail_term *unary(struct parser *k)
{
	skip_space(k);
	if (take_word(k, "NOT"))
		return negated(k, primary(k));
	if (k->rest.n > 1 && at(k, '-') && (unsigned char)k->rest.p[1] > ' ') {
		k->rest = str_sub(k->rest, 1, k->rest.n);
		return negated(k, primary(k));
	}
	return primary(k);
}

/* One child alone stands for itself. */
static struct mail_term *joined(
	struct parser *k, enum mail_term_kind kind, struct mail_term *first, size_t n)
{
	struct mail_term *t;

	if (n < 2)
		return first;
	t = new_term(k, kind, STR_NONE);
	t->child = first;
	return t;
}

static struct mail_term *all_of(struct parser *k)
{
	struct mail_term *first = NULL, **tail = &first;
	size_t n = 0;

	while (k->terms < TERMS_MAX) {
		struct str before = k->rest;
		struct mail_term *t;

		skip_space(k);
		if (k->rest.n == 0 || at(k, ')'))
			break;
		if (take_word(k, "OR")) {
			k->rest = before;
			break;
		}
		(void)take_word(k, "AND");
		t = unary(k);
		if (t) {
			*tail = t;
			tail = &t->next;
			n++;
		} else if (k->rest.n == before.n && k->rest.n) {
			/* A character that begins nothing. */
			k->rest = str_sub(k->rest, 1, k->rest.n);
		}
	}
	return joined(k, MAIL_TERM_AND, first, n);
}

static struct mail_term *any_of(struct parser *k)
{
	struct mail_term *first = NULL, **tail = &first;
	size_t n = 0;

	do {
		struct mail_term *t = all_of(k);

		if (t) {
			*tail = t;
			tail = &t->next;
			n++;
		}
	} while (k->terms < TERMS_MAX && take_word(k, "OR"));
	return joined(k, MAIL_TERM_OR, first, n);
}

struct mail_term *kql_parse(struct str text, struct arena *a)
{
	struct parser k = {utf8_cleaned(utf8_cut(text, 4096), a), a, 0, 0};
	struct mail_term *first = NULL, **tail = &first;
	size_t n = 0;

	/* A parenthesis too many ends nothing. */
	while (k.rest.n && k.terms < TERMS_MAX) {
		struct mail_term *t = any_of(&k);

		if (t) {
			*tail = t;
			tail = &t->next;
			n++;
		}
		if (at(&k, ')'))
			k.rest = str_sub(k.rest, 1, k.rest.n);
	}
	return joined(&k, MAIL_TERM_AND, first, n);
}
