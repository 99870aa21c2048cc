#include "core/cmd/item_ref.h"

#include "core/map/server_id.h"

enum rc item_ref_find(struct request *rq, struct services *sv, struct str folder_id,
	struct str server_id, struct str long_id, struct item_ref *r, struct err *err)
{
	struct str collection, section = STR_NONE;
	uint32_t uidvalidity = 0;
	enum rc rc = long_id.n ? long_id_parse(long_id, &collection, &r->uid, &uidvalidity)
			       : server_id_parse(server_id, &collection, &r->uid, &section);

	if (rc || section.p)
		return err_set(err, RC_INVALID, "not an id of an item");
	/* S3: an item is looked for in the folder that it names, and nowhere else. */
	if (!long_id.n && folder_id.n && !str_eq(folder_id, collection))
		return err_set(err, RC_ABSENT, "there is no item %.*s in folder %.*s",
			STR_FMT(server_id), STR_FMT(folder_id));
	rc = state_call(
		sv->state, folder_get, &rq->account, collection, rq->arena, &r->folder, err);
	if (rc == RC_OK && uidvalidity && uidvalidity != r->folder.uidvalidity)
		rc = err_set(err, RC_ABSENT, "the folder of that search result was made anew");
	return rc;
}
