/*
 * writer: a WBXML document, written in order, without a tree.
 *
 * The content bit of a tag is set when its first child arrives, so an empty container needs no
 * special case. wbxml_close() names what it closes and asserts it. A mark remembers a place;
 * wbxml_rollback() goes back to it when an item fails half way, so that the device never sees a
 * broken item. Text is cleaned on its way out: NUL and whatever XML 1.0 does not allow are left
 * out, and invalid UTF-8 becomes U+FFFD, whatever the caller passes.
 *
 * The bytes collect in a buffer; when a sink is given and no mark is held they are handed on in
 * pieces of some 256 KB, so a response may be larger than memory. Errors (sink, ceiling) stick
 * and are returned by wbxml_finish().
 */
#ifndef EASPOOL_CORE_WIRE_WRITER_H
#define EASPOOL_CORE_WIRE_WRITER_H

#include "core/base/stream.h"
#include "core/wire/tags.h"

#define WBXML_DEPTH 32

struct wbxml_writer {
	struct buf out;
	struct sink *sink; /* NULL: everything stays in out */
	uint64_t flushed;  /* bytes already handed to the sink */
	unsigned page;
	unsigned depth;
	bool bare;      /* the innermost open tag has no content yet */
	unsigned marks; /* held marks: nothing is flushed */
	uint64_t items; /* elements begun: tells whether anything was written since a mark */
	tag_t open[WBXML_DEPTH];
	struct err err;
};

struct wbxml_mark {
	size_t at;
	unsigned page, depth;
	bool bare;
	uint64_t items;
};

/* Writes the header 03 01 6A 00. max: ceiling of what may wait in memory. */
void wbxml_init(struct wbxml_writer *w, struct sink *sink, size_t max);
void wbxml_release(struct wbxml_writer *w);

void wbxml_open(struct wbxml_writer *w, tag_t tag);
void wbxml_close(struct wbxml_writer *w, tag_t tag);

void wbxml_text(struct wbxml_writer *w, tag_t tag, struct str text);
void wbxml_cstr(struct wbxml_writer *w, tag_t tag, const char *text);
void wbxml_int(struct wbxml_writer *w, tag_t tag, int64_t n);
void wbxml_bool(struct wbxml_writer *w, tag_t tag, bool b); /* "1" or "0" */
void wbxml_empty(struct wbxml_writer *w, tag_t tag);
void wbxml_opaque(struct wbxml_writer *w, tag_t tag, struct str bytes);
/* Text only when there is some: STR_NONE and "" write nothing. */
void wbxml_text_if(struct wbxml_writer *w, tag_t tag, struct str text);

/*
 * One long text or opaque value in pieces. The bytes go out as given (the caller cleans text;
 * for opaque exactly `len` bytes must follow). Between begin and end only wbxml_piece may be
 * called.
 */
void wbxml_text_begin(struct wbxml_writer *w, tag_t tag);
void wbxml_opaque_begin(struct wbxml_writer *w, tag_t tag, uint64_t len);
void wbxml_piece(struct wbxml_writer *w, struct str bytes);
void wbxml_piece_end(struct wbxml_writer *w);

/* Marks nest; each mark ends with exactly one of keep or rollback. */
struct wbxml_mark wbxml_mark(struct wbxml_writer *w);
void wbxml_keep(struct wbxml_writer *w, struct wbxml_mark mark);
void wbxml_rollback(struct wbxml_writer *w, struct wbxml_mark mark);
/*
 * An empty element that may turn out not to be wanted, while a mark is held: writes it and
 * gives its place; wbxml_unwrite() takes it out again.
 */
size_t wbxml_maybe(struct wbxml_writer *w, tag_t tag);
void wbxml_unwrite(struct wbxml_writer *w, size_t at);
/* Whether anything was written since the mark. */
bool wbxml_since(const struct wbxml_writer *w, struct wbxml_mark mark);
/* Bytes of the document so far. */
uint64_t wbxml_size(const struct wbxml_writer *w);

/* All must be closed. Hands the rest to the sink, or leaves it in w->out. */
MUST_USE enum rc wbxml_finish(struct wbxml_writer *w, struct err *err);

#endif
