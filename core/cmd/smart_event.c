#include "core/cmd/smart_event.h"

#include "core/cmd/servers.h"

enum rc smart_event_again(struct smart_event *e, struct err *err)
{
	enum rc rc = item_source_read(&e->src, &e->item, 1, e->src.a, &e->object, err);

	if (rc == RC_OK && !e->object.bytes.p)
		rc = err_set(err, RC_ABSENT, "the appointment is not there, or not given");
	return rc;
}

enum rc smart_event_open(struct smart_event *e, struct request *rq, struct services *sv,
	const struct item_ref *ref, struct err *err)
{
	struct item_source *src = &e->src;
	struct uidset one;
	struct items items;
	enum rc rc = servers_items(rq, sv, &ref->folder, src, err);

	uidset_init(&one, rq->arena);
	uidset_add(&one, ref->uid);
	if (rc == RC_OK)
		rc = state_call(sv->state, items_get, &rq->account, src->rows, src->n, &one,
			rq->arena, &items, err);
	if (rc == RC_OK && (items.n == 0 || items.v[0].gone))
		rc = err_set(err, RC_ABSENT, "there is no such appointment");
	if (rc)
		return rc;
	e->item = items.v[0];
	return smart_event_again(e, err);
}
