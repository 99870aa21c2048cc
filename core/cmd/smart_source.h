/*
 * smart_source: what SmartReply and SmartForward are about, composemail:Source or the query,
 * [MS-ASCMD] 2.2.3.173.
 */
#ifndef EASPOOL_CORE_CMD_SMART_SOURCE_H
#define EASPOOL_CORE_CMD_SMART_SOURCE_H

#include "core/cmd/request.h"
#include "core/map/invite.h"

struct smart_source {
	struct str folder, item, long_id;
	bool has_instance;
	int64_t instance;
};

/* Of either form of the request. The common status of a refusal, or 0. */
unsigned smart_source_read(const struct request *rq, struct smart_source *r);
/* Why an appointment cannot be sent: the same, or 0. */
unsigned smart_source_refusal(enum invite_result result);

#endif
