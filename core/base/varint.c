#include "core/base/varint.h"

void varint_put(struct buf *b, uint64_t n)
{
	while (n >= 0x80) {
		buf_addc(b, (char)(0x80 | (n & 0x7f)));
		n >>= 7;
	}
	buf_addc(b, (char)n);
}

enum rc varint_get(struct str *in, uint64_t *n_r)
{
	uint64_t n = 0;

	for (unsigned shift = 0; shift < 64 && in->n; shift += 7) {
		unsigned char c = (unsigned char)*in->p;

		*in = str_sub(*in, 1, in->n);
		if (shift == 63 && c > 1)
			return RC_INVALID;
		n |= (uint64_t)(c & 0x7f) << shift;
		if (!(c & 0x80)) {
			*n_r = n;
			return RC_OK;
		}
	}
	return RC_INVALID;
}

enum rc varint_get32(struct str *in, uint32_t *n_r)
{
	uint64_t n;

	if (varint_get(in, &n) || n > UINT32_MAX)
		return RC_INVALID;
	*n_r = (uint32_t)n;
	return RC_OK;
}

void varint_put_str(struct buf *b, struct str s)
{
	varint_put(b, s.n);
	buf_add_str(b, s);
}

enum rc varint_get_str(struct str *in, struct str *s_r)
{
	uint64_t n;

	if (varint_get(in, &n) || n > in->n)
		return RC_INVALID;
	*s_r = str_sub(*in, 0, (size_t)n);
	*in = str_sub(*in, (size_t)n, in->n);
	return RC_OK;
}
