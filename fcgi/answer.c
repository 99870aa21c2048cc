#include "fcgi/answer.h"

#include <zlib.h>

enum { GZIP_LEAST = 1024, GZIP_MOST = 32 * 1024 * 1024 };

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

bool answer_gzip(struct str body, struct buf *out)
{
	z_stream z = {0};
	size_t room;
	char *to;
	int rc;

	if (body.n < GZIP_LEAST || body.n > GZIP_MOST)
		return false;
	/* 16: with a gzip header. */
	if (deflateInit2(&z, 4, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		return false;
	room = deflateBound(&z, body.n);
	to = buf_room(out, room);
	if (!to) {
		(void)deflateEnd(&z);
		return false;
	}
	z.next_in = (Bytef *)(uintptr_t)body.p;
	z.avail_in = (uInt)body.n;
	z.next_out = (Bytef *)to;
	z.avail_out = (uInt)room;
	rc = deflate(&z, Z_FINISH);
	(void)deflateEnd(&z);
	if (rc != Z_STREAM_END || z.total_out >= body.n)
		return false;
	buf_grew(out, z.total_out);
	return true;
}
