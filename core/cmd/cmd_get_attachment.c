#include "core/cmd/attachment.h"
#include "core/cmd/command.h"
#include "core/cmd/status.h"

/* [MS-ASCMD] 2.2.1.8, up to 12.1: the decoded bytes are the answer. Gone: 500. */
enum rc cmd_get_attachment(
	struct request *rq, struct services *sv, struct reply *rp, struct err *err)
{
	struct attachment at;
	uint64_t total;
	enum rc rc = attachment_find(rq, sv, rq->query.attachment_name, &at, err);

	if (rc == RC_ABSENT || rc == RC_INVALID) {
		status_fail(rq, rp, STATUS_SERVER_ERROR);
		return RC_OK;
	}
	if (rc)
		return rc;
	rp->raw = true;
	rp->content_type = at.type;
	return attachment_stream(rq, sv, &at, 0, 0, rp->body, &total, err);
}
