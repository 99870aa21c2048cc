/*
 * smart_event: the appointment that a SmartReply or a SmartForward is about.
 */
#ifndef EASPOOL_CORE_CMD_SMART_EVENT_H
#define EASPOOL_CORE_CMD_SMART_EVENT_H

#include "core/cmd/item_ref.h"
#include "core/sync/item_source.h"

struct smart_event {
	struct item_source src;
	struct item item;
	struct dav_object object;
};

/* ref: in a folder that is a calendar. RC_ABSENT: it is not there, or not given. */
MUST_USE enum rc smart_event_open(struct smart_event *e, struct request *rq,
	struct services *sv, const struct item_ref *ref, struct err *err);
/* What it is now. */
MUST_USE enum rc smart_event_again(struct smart_event *e, struct err *err);

#endif
