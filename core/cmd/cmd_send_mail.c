#include "core/cmd/command.h"
#include "core/cmd/sending.h"
#include "core/cmd/status.h"

/* [MS-ASCMD] 2.2.1.17. Success is an empty answer. C46: a ClientId is sent once. */
enum rc cmd_send_mail(
	struct request *rq, struct services *sv, struct reply *rp, struct err *err)
{
	struct outgoing_change change = {.address = sending_address(rq)};
	struct sending m;
	unsigned status;
	enum rc rc = sending_read(rq, &m, &status, err);

	if (rc)
		return rc;
	if (status) {
		status_fail(rq, rp, status);
		return RC_OK;
	}
	rc = sending_claim(rq, sv, rp, &m, err);
	if (rc == RC_CONFLICT)
		return RC_OK;
	if (rc == RC_OK)
		rc = sending_send(rq, sv, &m, &change, err);
	if (rc == RC_OK)
		rp->status = STATUS_OK;
	return rc;
}
