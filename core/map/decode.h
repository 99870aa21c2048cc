/*
 * decode: transfer encodings undone on the way, RFC 2045 section 6.
 */
#ifndef EASPOOL_CORE_MAP_DECODE_H
#define EASPOOL_CORE_MAP_DECODE_H

#include "core/base/arena.h"
#include "core/base/stream.h"

/*
 * A sink that decodes base64, quoted-printable or uuencode (anything else passes) and hands the
 * result to `to`, but only the bytes [offset, offset + length) of it; length 0: to the end.
 * Tolerant: a cut or dirty base64 text decodes as far as it goes. It lives in `a`.
 */
struct sink *decode_sink(struct arena *a, struct str encoding, uint64_t offset, uint64_t length,
	struct sink *to);
/* Bytes that came out before [offset, length) was applied: the decoded size so far. */
uint64_t decode_sink_total(const struct sink *s);
/* Flushes what the decoder holds back; call once at the end. */
MUST_USE enum rc decode_sink_end(struct sink *s, struct err *err);

/* All at once, into `a`. */
struct str decode_bytes(struct str bytes, struct str encoding, struct arena *a);

#endif
