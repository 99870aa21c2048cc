/*
 * buf: text or bytes being built. Every buffer has a ceiling fixed when it is made, so a peer
 * can never choose our memory use. Appending past it sets `over` and drops the data; the owner
 * asks once, at the end. Owned by the one who called buf_init; buf_release frees.
 */
#ifndef EASPOOL_CORE_BASE_BUF_H
#define EASPOOL_CORE_BASE_BUF_H

#include "core/base/rc.h"
#include "core/base/str.h"

struct buf {
	char *p; /* NUL-terminated whenever not NULL */
	size_t n, cap, max;
	bool over; /* something did not fit */
};

/* Ceilings, all in one place. */
enum {
	BUF_MAX_LINE = 64 * 1024,
	BUF_MAX_TEXT = 16 * 1024 * 1024,
	BUF_MAX_RESPONSE = 64 * 1024 * 1024,
};

void buf_init(struct buf *b, size_t max);
void buf_release(struct buf *b);

void buf_add(struct buf *b, const void *p, size_t n);
void buf_add_str(struct buf *b, struct str s);
void buf_adds(struct buf *b, const char *c);
void buf_addc(struct buf *b, char c);
void buf_addf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Room for n more bytes at the returned place, to be followed by buf_grew; NULL (and over) if
 * none. */
char *buf_room(struct buf *b, size_t n);
void buf_grew(struct buf *b, size_t n);

void buf_cut(struct buf *b, size_t n); /* keep the first n bytes */
void buf_reset(struct buf *b);         /* empty, over cleared, memory kept */

struct str buf_str(const struct buf *b); /* borrowed until the next call */

#endif
