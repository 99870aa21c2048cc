/*
 * autodiscover: where a device finds its server: the XML service (mobilesync and Outlook
 * schema, [MS-ASCMD] 2.2.2.1 ff., [MS-OXDSCLI]) and the JSON one (version 2). commands.md 22.
 */
#ifndef EASPOOL_CORE_CMD_AUTODISCOVER_H
#define EASPOOL_CORE_CMD_AUTODISCOVER_H

#include "core/cmd/request.h"

/* Which of the two a path asks for, whatever its letter case; DISCOVER_NONE. */
enum discover autodiscover_of(struct str path);

/* Answers; RC_OK also when what is answered is an error of that protocol. */
MUST_USE enum rc autodiscover(
	struct request *rq, struct services *sv, struct reply *rp, struct err *err);

#endif
