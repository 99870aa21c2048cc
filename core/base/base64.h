/*
 * base64: RFC 4648, both alphabets on input, padding optional on input.
 */
#ifndef EASPOOL_CORE_BASE_BASE64_H
#define EASPOOL_CORE_BASE_BASE64_H

#include "core/base/arena.h"
#include "core/base/buf.h"
#include "core/base/stream.h"

void base64_encode(struct str bytes, struct buf *out);
/* Strict: RC_INVALID on anything outside the alphabets (padding at the end only). */
MUST_USE enum rc base64_decode(struct str text, struct arena *a, struct str *bytes_r);

/* A sink that encodes what passes, without line breaks; base64_sink_end writes the last group.
 */
struct base64_sink {
	struct sink sink; /* first */
	struct sink *to;
	unsigned char rest[3];
	unsigned nrest;
};
void base64_sink_init(struct base64_sink *s, struct sink *to);
MUST_USE enum rc base64_sink_end(struct base64_sink *s, struct err *err);

#endif
