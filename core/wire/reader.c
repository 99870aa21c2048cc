#include "core/wire/reader.h"

#include <string.h>

/* [MS-ASWBXML] 2.1.1; WBXML 1.3 section 7.1. */
enum {
	SWITCH_PAGE = 0x00,
	END = 0x01,
	ENTITY = 0x02,
	STR_I = 0x03,
	STR_T = 0x83,
	OPAQUE = 0xc3,
	HAS_CONTENT = 0x40,
	HAS_ATTRIBUTES = 0x80,
	TOKEN = 0x3f,
};

#define CHARSET_UTF8 106

struct open {
	struct elem *e;     /* NULL: being skipped */
	struct elem **tail; /* where its next child goes */
};

struct reader {
	struct str bytes;
	size_t at;
	struct str table;
	struct wbxml_limits limits;
	unsigned page, depth, elements;
	struct open *open; /* limits.depth of them */
	struct elem *root;
	struct arena *a;
	struct err *err;
};

static enum rc bad(struct reader *r, const char *what)
{
	return err_set_why(
		r->err, RC_INVALID, ERR_BAD_WBXML, "WBXML byte %zu: %s", r->at, what);
}

static enum rc byte(struct reader *r, unsigned *b_r)
{
	if (r->at >= r->bytes.n)
		return bad(r, "the document ends early");
	*b_r = (unsigned char)r->bytes.p[r->at++];
	return RC_OK;
}

/* WBXML 1.3 section 5.1: seven bits a byte, high bits first. */
static enum rc multibyte(struct reader *r, uint32_t *n_r)
{
	uint32_t n = 0;
	unsigned b = 0;

	for (unsigned i = 0; i < 5; i++) {
		enum rc rc = byte(r, &b);

		if (rc)
			return rc;
		if (n >> 25)
			return bad(r, "a number is too large");
		n = n << 7 | (b & 0x7f);
		if (!(b & 0x80)) {
			*n_r = n;
			return RC_OK;
		}
	}
	return bad(r, "a number is too long");
}

static enum rc inline_string(struct reader *r, struct str *s_r)
{
	struct str rest = str_sub(r->bytes, r->at, r->bytes.n);
	size_t n = str_find(rest, '\0');

	if (n == rest.n)
		return bad(r, "a string has no end");
	*s_r = str_sub(rest, 0, n);
	r->at += n + 1;
	return RC_OK;
}

static enum rc opaque(struct reader *r, struct str *s_r)
{
	uint32_t n = 0;
	enum rc rc = multibyte(r, &n);

	if (rc)
		return rc;
	if (n > r->bytes.n - r->at)
		return bad(r, "opaque data runs past the end");
	*s_r = str_sub(r->bytes, r->at, n);
	r->at += n;
	return RC_OK;
}

static enum rc table_string(struct reader *r, struct str *s_r)
{
	uint32_t at = 0;
	struct str rest;
	size_t n;
	enum rc rc = multibyte(r, &at);

	if (rc)
		return rc;
	rest = str_sub(r->table, at, r->table.n);
	n = str_find(rest, '\0');
	if (at >= r->table.n || n == rest.n)
		return bad(r, "no such string in the table");
	*s_r = str_sub(rest, 0, n);
	return RC_OK;
}

static enum rc entity(struct reader *r, struct str *s_r)
{
	uint32_t c = 0;
	char u[4];
	size_t n;
	enum rc rc = multibyte(r, &c);

	if (rc)
		return rc;
	if (c == 0 || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return bad(r, "no such character");
	if (c < 0x80) {
		u[0] = (char)c;
		n = 1;
	} else if (c < 0x800) {
		u[0] = (char)(0xc0 | c >> 6);
		u[1] = (char)(0x80 | (c & 0x3f));
		n = 2;
	} else if (c < 0x10000) {
		u[0] = (char)(0xe0 | c >> 12);
		u[1] = (char)(0x80 | (c >> 6 & 0x3f));
		u[2] = (char)(0x80 | (c & 0x3f));
		n = 3;
	} else {
		u[0] = (char)(0xf0 | c >> 18);
		u[1] = (char)(0x80 | (c >> 12 & 0x3f));
		u[2] = (char)(0x80 | (c >> 6 & 0x3f));
		u[3] = (char)(0x80 | (c & 0x3f));
		n = 4;
	}
	*s_r = arena_str(r->a, (struct str){u, n});
	return RC_OK;
}

/* Text in several pieces is joined; one piece borrows from the request. */
static void add_text(struct reader *r, struct str s, bool is_opaque)
{
	struct elem *e = r->depth ? r->open[r->depth - 1].e : NULL;
	char *joined;

	if (!e)
		return;
	e->opaque = e->opaque || is_opaque;
	if (!e->text.p) {
		e->text = s;
		return;
	}
	joined = arena_alloc(r->a, e->text.n + s.n + 1);
	memcpy(joined, e->text.p, e->text.n);
	if (s.n)
		memcpy(joined + e->text.n, s.p, s.n);
	e->text = (struct str){joined, e->text.n + s.n};
}

static enum rc text(struct reader *r, unsigned token)
{
	struct str s = STR_NONE;
	enum rc rc;

	if (r->depth == 0)
		return bad(r, "text outside of any element");
	if (++r->elements > r->limits.elements)
		return err_set_why(r->err, RC_LIMIT, ERR_BAD_WBXML,
			"WBXML: more than %u elements", r->limits.elements);
	switch (token) {
	case STR_I:
		rc = inline_string(r, &s);
		break;
	case OPAQUE:
		rc = opaque(r, &s);
		break;
	case STR_T:
		rc = table_string(r, &s);
		break;
	default:
		rc = entity(r, &s);
		break;
	}
	if (rc == RC_OK)
		add_text(r, s, token == OPAQUE);
	return rc;
}

/* An element begins. Tags that no table has are read over with all that is in them. */
static enum rc element(struct reader *r, unsigned token)
{
	tag_t tag = (tag_t)(r->page << 8 | (token & TOKEN));
	struct open *parent = r->depth ? &r->open[r->depth - 1] : NULL;
	struct elem *e = NULL;

	if (token & HAS_ATTRIBUTES)
		return bad(r, "attributes are not used in this protocol");
	if ((token & TOKEN) < 5)
		return bad(r, "no such token");
	if (++r->elements > r->limits.elements)
		return err_set_why(r->err, RC_LIMIT, ERR_BAD_WBXML,
			"WBXML: more than %u elements", r->limits.elements);
	if ((!parent || parent->e) && tag_info(tag)) {
		e = ARENA_NEW(r->a, struct elem);
		e->tag = tag;
	}
	if (e && parent) {
		*parent->tail = e;
		parent->tail = &e->next;
	}
	if (!parent) {
		if (!e)
			return bad(r, "the document element is unknown");
		r->root = e;
	}
	if (!(token & HAS_CONTENT))
		return RC_OK;
	if (r->depth == r->limits.depth)
		return err_set_why(r->err, RC_LIMIT, ERR_BAD_WBXML,
			"WBXML byte %zu: nested deeper than %u", r->at, r->limits.depth);
	r->open[r->depth++] = (struct open){e, e ? &e->child : NULL};
	return RC_OK;
}

static enum rc header(struct reader *r)
{
	unsigned version = 0;
	uint32_t public_id = 0, charset = 0, table = 0;
	enum rc rc = byte(r, &version);

	if (rc == RC_OK && version > 3)
		return bad(r, "not WBXML 1.3");
	if (rc == RC_OK)
		rc = multibyte(r, &public_id);
	if (rc == RC_OK && public_id == 0)
		rc = multibyte(r, &public_id);
	if (rc == RC_OK)
		rc = multibyte(r, &charset);
	if (rc == RC_OK && charset != CHARSET_UTF8 && charset != 0)
		return bad(r, "not in UTF-8");
	if (rc == RC_OK)
		rc = multibyte(r, &table);
	if (rc)
		return rc;
	if (table > r->bytes.n - r->at)
		return bad(r, "the string table runs past the end");
	r->table = str_sub(r->bytes, r->at, table);
	r->at += table;
	return RC_OK;
}

static enum rc token(struct reader *r)
{
	unsigned t = 0;
	enum rc rc = byte(r, &t);

	if (rc)
		return rc;
	switch (t) {
	case SWITCH_PAGE:
		return byte(r, &r->page);
	case END:
		if (r->depth == 0)
			return bad(r, "an end without a beginning");
		r->depth--;
		return RC_OK;
	case STR_I:
	case STR_T:
	case OPAQUE:
	case ENTITY:
		return text(r, t);
	default:
		return element(r, t);
	}
}

enum rc wbxml_read(struct str bytes, struct wbxml_limits limits, struct arena *a,
	struct elem **root_r, struct err *err)
{
	struct reader r = {.bytes = bytes, .limits = limits, .a = a, .err = err};
	enum rc rc;

	r.open = ARENA_ARRAY(a, struct open, limits.depth + 1);
	rc = header(&r);
	while (rc == RC_OK && (!r.root || r.depth))
		rc = token(&r);
	if (rc == RC_OK)
		*root_r = r.root;
	return rc;
}
