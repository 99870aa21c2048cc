/*
 * attachment: a FileReference to the decoded bytes behind it, streamed.
 */
#ifndef EASPOOL_CORE_CMD_ATTACHMENT_H
#define EASPOOL_CORE_CMD_ATTACHMENT_H

#include "core/cmd/request.h"

struct attachment {
	struct folder folder;
	uint32_t uid;
	const struct mail_part *part;
	struct str type;  /* "image/png" */
	struct str inner; /* of one that is inside a winmail.dat: its bytes; else STR_NONE */
};

/* RC_INVALID: no FileReference of ours; RC_ABSENT; RC_DENIED: the policy forbids attachments.
 */
MUST_USE enum rc attachment_find(struct request *rq, struct services *sv, struct str reference,
	struct attachment *r, struct err *err);
/* How many decoded bytes there are. */
MUST_USE enum rc attachment_size(struct request *rq, struct services *sv,
	const struct attachment *at, uint64_t *size_r, struct err *err);
/* Decoded bytes [offset, offset + length) (0: to the end); *total_r decoded bytes in all. */
MUST_USE enum rc attachment_stream(struct request *rq, struct services *sv,
	const struct attachment *at, uint64_t offset, uint64_t length, struct sink *to,
	uint64_t *total_r, struct err *err);

#endif
