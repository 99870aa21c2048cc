/*
 * item_ref: the message that a device means, by ServerId or by the LongId of a search result.
 */
#ifndef EASPOOL_CORE_CMD_ITEM_REF_H
#define EASPOOL_CORE_CMD_ITEM_REF_H

#include "core/cmd/request.h"

struct item_ref {
	struct folder folder;
	uint32_t uid;
};

/*
 * folder_id may be missing: the ServerId names its folder. long_id, when it is there, is used
 * alone. RC_INVALID: no id of ours; RC_ABSENT: there is no such folder (any more). Whether the
 * message is there is not asked.
 */
MUST_USE enum rc item_ref_find(struct request *rq, struct services *sv, struct str folder_id,
	struct str server_id, struct str long_id, struct item_ref *r, struct err *err);

#endif
