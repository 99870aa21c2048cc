/*
 * answer: a reply as a CGI response.
 */
#ifndef EASPOOL_FCGI_ANSWER_H
#define EASPOOL_FCGI_ANSWER_H

#include "core/cmd/request.h"

/* The header block with the empty line. `encoding` NULL, or "gzip". */
void answer_head(
	const struct reply *rp, uint64_t length, const char *encoding, struct buf *out);
/*
 * gzip of the body when it is worth it. RC_ABSENT: it is not, whatever `to` has taken. passed:
 * told that the body in front of `upto` has been read.
 */
MUST_USE enum rc answer_gzip(struct str body, void (*passed)(void *ctx, const char *upto),
	void *ctx, struct sink *to, struct err *err);

#endif
