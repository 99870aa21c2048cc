/*
 * multipart: an ItemOperations answer whose binaries stand behind the document, [MS-ASCMD]
 * 2.2.1.10.1. Parts are streamed to reply.tail, so none of them is ever held in memory.
 */
#ifndef EASPOOL_CORE_CMD_MULTIPART_H
#define EASPOOL_CORE_CMD_MULTIPART_H

#include "core/cmd/request.h"

#define MULTIPART_PARTS 100

struct multipart {
	struct sink sink; /* first: bytes of the part that multipart_next() began */
	struct sink *to;
	uint32_t length[MULTIPART_PARTS];
	uint64_t total;
	unsigned n;
};

/* rp->w keeps its document in memory from now on: its length is written in front of it. */
void multipart_begin(struct multipart *m, struct reply *rp);
/* Begins a part: its number (1 ...), 0 when there is no room for one more. */
unsigned multipart_next(struct multipart *m);
/* Takes back a part that has got no bytes. */
void multipart_drop(struct multipart *m);
/* Finishes the document and writes it behind the table of the parts. */
MUST_USE enum rc multipart_finish(struct multipart *m, struct reply *rp, struct err *err);

#endif
