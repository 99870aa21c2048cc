/*
 * sync_request: which document a Sync is about. From 12.1 on a device may send nothing, or only
 * what is different from last time ([MS-ASCMD] 2.2.1.21, 2.2.3.130 Partial).
 */
#ifndef EASPOOL_CORE_CMD_SYNC_REQUEST_H
#define EASPOOL_CORE_CMD_SYNC_REQUEST_H

#include "core/cmd/request.h"

/* [MS-ASCMD] 2.2.3.177.17 */
enum {
	SYNC_OK = 1,
	SYNC_BAD_KEY = 3,
	SYNC_PROTOCOL_ERROR = 4,
	SYNC_SERVER_ERROR = 5,
	SYNC_CONVERSION = 6,
	SYNC_CONFLICT = 7,
	SYNC_NOT_FOUND = 8,
	SYNC_NO_ROOM = 9,
	SYNC_HIERARCHY_CHANGED = 12,
	SYNC_RESEND_FULL = 13,
	SYNC_INTERVAL = 14,
	SYNC_TOO_MANY = 15,
};

/*
 * The whole document, into the request's arena; and the Status of a refusal, 0 when it can be
 * answered. NULL with a Status.
 */
const struct elem *sync_request_read(struct request *rq, unsigned *status_r);
/* Kept for the next empty or partial request, unless repeating it would do something twice. */
MUST_USE enum rc sync_request_keep(
	struct request *rq, struct services *sv, const struct elem *doc, struct err *err);

#endif
