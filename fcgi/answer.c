#include "fcgi/answer.h"

#include <zlib.h>

enum { GZIP_LEAST = 1024, GZIP_MOST = 32 * 1024 * 1024, PIECE = 64 * 1024 };

void answer_head(const struct reply *rp, uint64_t length, const char *encoding, struct buf *out)
{
	struct str type = rp->content_type;

	buf_addf(out, "Status: %d\r\n", rp->http);
	if (!type.p && rp->wbxml)
		type = STR("application/vnd.ms-sync.wbxml");
	if (length && type.n)
		buf_addf(out, "Content-Type: %.*s\r\n", STR_FMT(type));
	buf_addf(out, "Content-Length: %llu\r\n", (unsigned long long)length);
	buf_adds(out, "Cache-Control: private\r\n");
	if (encoding)
		buf_addf(out, "Content-Encoding: %s\r\n", encoding);
	for (size_t i = 0; i < rp->nheaders; i++) {
		buf_addf(out, "%s: ", rp->headers[i].name);
		for (size_t k = 0; k < rp->headers[i].value.n; k++)
			if ((unsigned char)rp->headers[i].value.p[k] >= ' ')
				buf_addc(out, rp->headers[i].value.p[k]);
		buf_adds(out, "\r\n");
	}
	buf_adds(out, "\r\n");
}

enum rc answer_gzip(struct str body, void (*passed)(void *ctx, const char *upto), void *ctx,
	struct sink *to, struct err *err)
{
	z_stream z = {0};
	unsigned char out[16 * 1024];
	enum rc rc = RC_OK;
	int state = Z_OK;

	if (body.n < GZIP_LEAST || body.n > GZIP_MOST)
		return RC_ABSENT;
	/* 16: with a gzip header. */
	if (deflateInit2(&z, 4, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		return RC_ABSENT;
	while (rc == RC_OK && state != Z_STREAM_END) {
		if (z.avail_in == 0 && body.n) {
			passed(ctx, body.p);
			z.next_in = (Bytef *)(uintptr_t)body.p;
			z.avail_in = body.n > PIECE ? PIECE : (uInt)body.n;
			body = str_sub(body, z.avail_in, body.n);
		}
		z.next_out = out;
		z.avail_out = sizeof(out);
		state = deflate(&z, body.n ? Z_NO_FLUSH : Z_FINISH);
		rc = sink_write(to, (struct str){(char *)out, sizeof(out) - z.avail_out}, err);
	}
	if (rc == RC_OK && z.total_out >= z.total_in)
		rc = RC_ABSENT;
	(void)deflateEnd(&z);
	return rc;
}
