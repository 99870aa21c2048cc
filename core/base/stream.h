/*
 * stream: bytes on their way, when they may be too many for memory.
 *
 * A sink takes bytes; a source gives them, and can be read again from the start. What stands
 * behind them (memory, a spool file, a backend connection) is the owner's affair.
 */
#ifndef EASPOOL_CORE_BASE_STREAM_H
#define EASPOOL_CORE_BASE_STREAM_H

#include "core/base/buf.h"
#include "core/base/err.h"

struct sink {
	/* All n bytes are taken, or the rc says why not. */
	enum rc (*write)(struct sink *s, const void *p, size_t n, struct err *err);
};

struct source {
	/* Up to n bytes into p; *got_r 0 is the end. */
	enum rc (*read)(struct source *s, void *p, size_t n, size_t *got_r, struct err *err);
	/* Start again from the first byte. */
	enum rc (*rewind)(struct source *s, struct err *err);
	uint64_t size; /* the exact number of bytes it will give */
};

MUST_USE enum rc sink_write(struct sink *s, struct str bytes, struct err *err);

/* A sink that appends to a buffer; RC_LIMIT when its ceiling is reached. */
struct buf_sink {
	struct sink sink; /* first */
	struct buf *buf;
};
void buf_sink_init(struct buf_sink *s, struct buf *buf);

/*
 * A source over slices, given one after another. `passed`, when set, is told how far reading
 * has come in a slice (so that the owner of mapped memory may let go of what was read).
 */
struct slice_source {
	struct source source; /* first */
	const struct str *parts;
	size_t nparts, part, at;
	void (*passed)(void *ctx, const char *upto);
	void *ctx;
};
void slice_source_init(struct slice_source *s, const struct str *parts, size_t nparts);

/* Copies everything. */
MUST_USE enum rc stream_copy(struct source *from, struct sink *to, struct err *err);

#endif
