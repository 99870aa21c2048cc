/*
 * forward_meeting: SmartForward as it is from 16.0 on for an appointment: the device names
 * whom it is to go to, and the server invites them, [MS-ASCMD] 2.2.1.19 and 2.2.3.79 (C51,
 * U13).
 */
#ifndef EASPOOL_CORE_CMD_FORWARD_MEETING_H
#define EASPOOL_CORE_CMD_FORWARD_MEETING_H

#include "core/cmd/request.h"

/* Whether the request is of that form. */
bool forward_meeting_asked(const struct request *rq);
MUST_USE enum rc forward_meeting(
	struct request *rq, struct services *sv, struct reply *rp, struct err *err);

#endif
