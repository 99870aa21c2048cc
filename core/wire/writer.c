#include "core/wire/writer.h"

#include "core/base/utf8.h"

#include <assert.h>
#include <string.h>

enum {
	SWITCH_PAGE = 0x00,
	END = 0x01,
	STR_I = 0x03,
	OPAQUE = 0xc3,
	HAS_CONTENT = 0x40,
};

#define FLUSH_AT (256 * 1024)

void wbxml_init(struct wbxml_writer *w, struct sink *sink, size_t max)
{
	memset(w, 0, sizeof(*w));
	buf_init(&w->out, max);
	w->sink = sink;
	buf_add(&w->out, "\x03\x01\x6a\x00", 4);
}

void wbxml_release(struct wbxml_writer *w)
{
	buf_release(&w->out);
}

static void failed(struct wbxml_writer *w)
{
	if (w->out.over && !w->err.rc)
		(void)err_set(
			&w->err, RC_LIMIT, "the answer is larger than %zu bytes", w->out.max);
}

/* Hands on what waits. The tag whose content bit is still open stays. */
static void flush(struct wbxml_writer *w)
{
	size_t n = w->out.n - (w->bare ? 1 : 0);

	if (!w->sink || w->marks || w->err.rc || n == 0)
		return;
	if (w->sink->write(w->sink, w->out.p, n, &w->err) != RC_OK && !w->err.rc)
		(void)err_set(&w->err, RC_INTERNAL, "could not write the answer");
	w->flushed += n;
	if (w->bare)
		w->out.p[0] = w->out.p[n];
	buf_cut(&w->out, w->bare ? 1 : 0);
}

static void breathe(struct wbxml_writer *w)
{
	if (w->out.n >= FLUSH_AT)
		flush(w);
	failed(w);
}

/* The innermost open tag gets content: set its bit. */
static void fill(struct wbxml_writer *w)
{
	if (w->bare && w->out.n)
		w->out.p[w->out.n - 1] |= HAS_CONTENT;
	w->bare = false;
}

/* Page switch if needed, and the token. */
static void put_tag(struct wbxml_writer *w, tag_t tag, unsigned bits)
{
	char bytes[3];
	size_t n = 0;

	fill(w);
	w->items++;
	if (TAG_PAGE(tag) != w->page) {
		bytes[n++] = SWITCH_PAGE;
		bytes[n++] = (char)TAG_PAGE(tag);
		w->page = TAG_PAGE(tag);
	}
	bytes[n++] = (char)(TAG_TOKEN(tag) | bits);
	buf_add(&w->out, bytes, n);
}

void wbxml_open(struct wbxml_writer *w, tag_t tag)
{
	assert(w->depth < WBXML_DEPTH);
	put_tag(w, tag, 0);
	w->bare = true;
	w->open[w->depth++] = tag;
}

void wbxml_close(struct wbxml_writer *w, tag_t tag)
{
	assert(w->depth > 0 && w->open[w->depth - 1] == tag);
	(void)tag;
	w->depth--;
	if (w->bare)
		w->bare = false;
	else
		buf_addc(&w->out, END);
	breathe(w);
}

void wbxml_text(struct wbxml_writer *w, tag_t tag, struct str text)
{
	if (text.n == 0) {
		wbxml_empty(w, tag);
		return;
	}
	put_tag(w, tag, HAS_CONTENT);
	buf_addc(&w->out, STR_I);
	utf8_clean(text, &w->out);
	buf_add(&w->out, "\0\x01", 2);
	breathe(w);
}

void wbxml_cstr(struct wbxml_writer *w, tag_t tag, const char *text)
{
	wbxml_text(w, tag, str_of(text));
}

void wbxml_int(struct wbxml_writer *w, tag_t tag, int64_t n)
{
	char digits[24], *p = digits + sizeof(digits);
	uint64_t u = n < 0 ? 0 - (uint64_t)n : (uint64_t)n;

	do {
		*--p = (char)('0' + u % 10);
		u /= 10;
	} while (u);
	if (n < 0)
		*--p = '-';
	wbxml_text(w, tag, (struct str){p, (size_t)(digits + sizeof(digits) - p)});
}

void wbxml_bool(struct wbxml_writer *w, tag_t tag, bool b)
{
	wbxml_text(w, tag, b ? STR("1") : STR("0"));
}

void wbxml_empty(struct wbxml_writer *w, tag_t tag)
{
	put_tag(w, tag, 0);
	breathe(w);
}

static void put_length(struct wbxml_writer *w, uint64_t n)
{
	unsigned shift = 28;

	assert(n <= UINT32_MAX);
	while (shift && !(n >> shift))
		shift -= 7;
	for (; shift; shift -= 7)
		buf_addc(&w->out, (char)(0x80 | (n >> shift & 0x7f)));
	buf_addc(&w->out, (char)(n & 0x7f));
}

void wbxml_opaque(struct wbxml_writer *w, tag_t tag, struct str bytes)
{
	wbxml_opaque_begin(w, tag, bytes.n);
	buf_add_str(&w->out, bytes);
	wbxml_piece_end(w);
}

void wbxml_text_if(struct wbxml_writer *w, tag_t tag, struct str text)
{
	if (text.n)
		wbxml_text(w, tag, text);
}

void wbxml_text_begin(struct wbxml_writer *w, tag_t tag)
{
	put_tag(w, tag, HAS_CONTENT);
	buf_addc(&w->out, STR_I);
	/* Remembered so that the end knows to write the NUL. */
	assert(w->depth < WBXML_DEPTH);
	w->open[w->depth++] = 1;
}

void wbxml_opaque_begin(struct wbxml_writer *w, tag_t tag, uint64_t len)
{
	put_tag(w, tag, HAS_CONTENT);
	buf_addc(&w->out, (char)OPAQUE);
	put_length(w, len);
	assert(w->depth < WBXML_DEPTH);
	w->open[w->depth++] = 0;
}

void wbxml_piece(struct wbxml_writer *w, struct str bytes)
{
	buf_add_str(&w->out, bytes);
	breathe(w);
}

void wbxml_piece_end(struct wbxml_writer *w)
{
	assert(w->depth > 0 && w->open[w->depth - 1] <= 1);
	if (w->open[--w->depth] == 1)
		buf_addc(&w->out, '\0');
	buf_addc(&w->out, END);
	breathe(w);
}

struct wbxml_mark wbxml_mark(struct wbxml_writer *w)
{
	w->marks++;
	return (struct wbxml_mark){w->out.n, w->page, w->depth, w->bare, w->items};
}

void wbxml_keep(struct wbxml_writer *w, struct wbxml_mark mark)
{
	assert(w->marks > 0 && w->depth >= mark.depth);
	(void)mark;
	w->marks--;
	breathe(w);
}

void wbxml_rollback(struct wbxml_writer *w, struct wbxml_mark mark)
{
	assert(w->marks > 0 && w->depth >= mark.depth);
	w->marks--;
	buf_cut(&w->out, mark.at);
	if (mark.bare && w->out.n)
		w->out.p[w->out.n - 1] &= (char)~HAS_CONTENT;
	w->page = mark.page;
	w->depth = mark.depth;
	w->bare = mark.bare;
	w->items = mark.items;
	/* What did not fit is gone again. */
	if (w->out.over && !w->err.rc)
		w->out.over = false;
}

size_t wbxml_maybe(struct wbxml_writer *w, tag_t tag)
{
	assert(w->marks > 0 && !w->bare && TAG_PAGE(tag) == w->page);
	wbxml_empty(w, tag);
	return w->out.n - 1;
}

void wbxml_unwrite(struct wbxml_writer *w, size_t at)
{
	assert(w->marks > 0 && at < w->out.n);
	memmove(w->out.p + at, w->out.p + at + 1, w->out.n - at - 1);
	buf_cut(&w->out, w->out.n - 1);
}

bool wbxml_since(const struct wbxml_writer *w, struct wbxml_mark mark)
{
	return w->items != mark.items;
}

uint64_t wbxml_size(const struct wbxml_writer *w)
{
	return w->flushed + w->out.n;
}

enum rc wbxml_finish(struct wbxml_writer *w, struct err *err)
{
	assert(w->depth == 0 && w->marks == 0);
	flush(w);
	failed(w);
	if (w->err.rc && err)
		*err = w->err;
	return w->err.rc;
}
