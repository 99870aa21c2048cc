#include "core/cmd/smart_source.h"

#include "core/base/clock.h"
#include "core/cmd/status.h"

static struct str read_ids(const struct request *rq, struct smart_source *r)
{
	const struct query *q = &rq->query;
	const struct elem *e = elem_child(rq->doc, COMPOSEMAIL_SOURCE);

	if (rq->version < V140) {
		*r = (struct smart_source){q->collection_id, q->item_id, q->long_id, false, 0};
		return q->occurrence;
	}
	*r = (struct smart_source){elem_text(e, COMPOSEMAIL_FOLDER_ID),
		elem_text(e, COMPOSEMAIL_ITEM_ID), elem_text(e, COMPOSEMAIL_LONG_ID), false, 0};
	return elem_text(e, COMPOSEMAIL_INSTANCE_ID);
}

unsigned smart_source_read(const struct request *rq, struct smart_source *r)
{
	struct str instance = read_ids(rq, r);

	if (r->long_id.n && (r->item.n || r->folder.n))
		return STATUS_INVALID_COMBINATION_OF_IDS;
	/* Without an original it is a plain mail up to 12.1, where losing it is worse. */
	if (!r->long_id.n && !r->item.n)
		return rq->version < V140 ? 0 : STATUS_INVALID_XML;
	r->has_instance = instance.n && clock_parse(instance, &r->instance) == RC_OK;
	return instance.n && !r->has_instance && rq->version >= V140 ? STATUS_INVALID_DATE_TIME
								     : 0;
}

unsigned smart_source_refusal(enum invite_result result)
{
	return result == INVITE_DONE            ? 0
	       : result == INVITE_NOT_RECURRING ? STATUS_NO_RECURRENCE
						: STATUS_ITEM_NOT_FOUND;
}
