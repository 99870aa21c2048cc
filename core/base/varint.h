/*
 * varint: unsigned integers, seven bits a byte, low bits first, and slices with a length in
 * front: the building blocks of the compact state bytes. Readers consume from *in and fail with
 * RC_INVALID on bytes that end early or run over.
 */
#ifndef EASPOOL_CORE_BASE_VARINT_H
#define EASPOOL_CORE_BASE_VARINT_H

#include "core/base/buf.h"

void varint_put(struct buf *b, uint64_t n);
MUST_USE enum rc varint_get(struct str *in, uint64_t *n_r);
MUST_USE enum rc varint_get32(struct str *in, uint32_t *n_r);

void varint_put_str(struct buf *b, struct str s);
/* The slice borrows from *in. */
MUST_USE enum rc varint_get_str(struct str *in, struct str *s_r);

#endif
