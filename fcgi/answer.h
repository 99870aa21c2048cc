/*
 * answer: a reply as a CGI response.
 */
#ifndef EASPOOL_FCGI_ANSWER_H
#define EASPOOL_FCGI_ANSWER_H

#include "core/cmd/request.h"

/* The header block with the empty line. `encoding` NULL, or "gzip". */
void answer_head(
	const struct reply *rp, uint64_t length, const char *encoding, struct buf *out);
/* gzip of the body when it is worth it; STR_NONE when not. Freed with `out`. */
bool answer_gzip(struct str body, struct buf *out);

#endif
