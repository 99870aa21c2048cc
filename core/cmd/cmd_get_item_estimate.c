#include "core/cmd/command.h"
#include "core/cmd/servers.h"
#include "core/cmd/status.h"
#include "core/sync/item_sync.h"
#include "core/sync/item_window.h"
#include "core/sync/mail_sync.h"
#include "core/sync/sync_key.h"

enum { ESTIMATE_OK = 1, ESTIMATE_INVALID = 2, ESTIMATE_NOT_PRIMED = 3, ESTIMATE_BAD_KEY = 4 };
enum { COLLECTIONS_MAX = 1000, FILTER_MAX = 8 };

static void write_response(struct request *rq, struct wbxml_writer *w, struct str id,
	enum folder_kind kind, unsigned status, uint32_t n)
{
	const struct item_class *class = item_class_of(kind);

	wbxml_open(w, GETITEMESTIMATE_RESPONSE);
	wbxml_int(w, GETITEMESTIMATE_STATUS, status);
	wbxml_open(w, GETITEMESTIMATE_COLLECTION);
	/* Requirements section 4, no. 7: no Class at 14.x. */
	if (rq->version < V140)
		wbxml_cstr(w, GETITEMESTIMATE_CLASS, class ? class->name : "Email");
	wbxml_text(w, GETITEMESTIMATE_COLLECTION_ID, id);
	if (status == ESTIMATE_OK)
		wbxml_int(w, GETITEMESTIMATE_ESTIMATE, n);
	wbxml_close(w, GETITEMESTIMATE_COLLECTION);
	wbxml_close(w, GETITEMESTIMATE_RESPONSE);
}

/* FilterType stands in the collection up to 12.1, in Options from 14.0 on. */
static uint32_t filter_of(const struct elem *e, uint32_t fallback)
{
	const struct elem *o = elem_child(e, AIRSYNC_OPTIONS);

	if (elem_has(o, AIRSYNC_FILTER_TYPE))
		return elem_u32(o, AIRSYNC_FILTER_TYPE, 0);
	return elem_u32(e, AIRSYNC_FILTER_TYPE, fallback);
}

static enum rc estimate_mail(struct request *rq, struct services *sv, const struct elem *e,
	const struct folder *folder, struct collection *c, uint32_t *n_r, struct err *err)
{
	struct mail_pending pending = {.mail = sv->mail,
		.folder = folder,
		.c = c,
		.version = rq->version,
		.conf = rq->conf,
		.a = rq->arena};
	struct email_options o;
	unsigned filter;
	enum rc rc;

	if (mail_sync_options_decode(c->options, rq->version, &filter, &o))
		return err_set(err, RC_INTERNAL, "the stored options are unreadable");
	filter = filter_of(e, filter);
	c->options = mail_sync_options_encode(filter <= 5 ? filter : 0, &o, rq->arena);
	rc = mail_sync_pending(&pending, err);
	*n_r = pending.count;
	return rc;
}

static uint32_t max_items(const struct elem *e)
{
	return elem_u32(elem_child(e, AIRSYNC_OPTIONS), AIRSYNC_MAX_ITEMS, 0);
}

static enum rc estimate_items(struct request *rq, struct services *sv, const struct elem *e,
	const struct folder *folder, const struct collection *c, uint32_t *n_r, struct err *err)
{
	struct item_source src;
	struct item_pending pending = {.src = &src,
		.folder = folder,
		.c = c,
		.most = max_items(e),
		.has_filter = filter_of(e, UINT32_MAX) != UINT32_MAX,
		.filter = filter_of(e, 0)};
	enum rc rc = servers_items(rq, sv, folder, &src, err);

	if (rc == RC_OK && !item_window_filter(src.class, pending.filter))
		rc = err_set(err, RC_INVALID, "class %s has no FilterType %u", src.class->name,
			pending.filter);
	if (rc == RC_OK)
		rc = item_sync_pending(&pending, err);
	*n_r = pending.count;
	return rc;
}

static struct str class_of(const struct elem *e)
{
	return elem_has(e, GETITEMESTIMATE_CLASS) ? elem_text(e, GETITEMESTIMATE_CLASS)
						  : elem_text(e, AIRSYNC_CLASS);
}

static enum rc estimate(struct request *rq, struct services *sv, const struct elem *e,
	struct wbxml_writer *w, struct err *err)
{
	struct str id = elem_text(e, GETITEMESTIMATE_COLLECTION_ID);
	struct str key = elem_text(e, AIRSYNC_SYNC_KEY);
	struct folder folder = {.kind = FOLDER_MAIL};
	struct collection c;
	uint32_t n = 0;
	enum rc rc;

	if (!id.n)
		id = elem_text(e, AIRSYNC_COLLECTION_ID);
	rc = !id.n && rq->version < V121 ? servers_default_folder(rq, sv, class_of(e), &id, err)
					 : RC_OK;
	if (rc)
		return rc;
	rc = id.n ? state_call(sv->state, collection_peek, &rq->account, &rq->device, id,
			    rq->arena, &folder, &c, err)
		  : RC_ABSENT;
	/* [MS-ASCMD] 2.2.3.100: MaxItems is for the recipient cache alone. */
	if (rc == RC_ABSENT || (rc == RC_OK && !folder.selectable) ||
		(rc == RC_OK && max_items(e) && folder.kind != FOLDER_RECIPIENTS)) {
		write_response(rq, w, id, folder.kind, ESTIMATE_INVALID, 0);
		return RC_OK;
	}
	if (rc)
		return rc;
	if (!c.epoch || !key.n || str_is(key, "0")) {
		write_response(rq, w, id, folder.kind, ESTIMATE_NOT_PRIMED, 0);
		return RC_OK;
	}
	if (sync_key_fit(key, &c) == SYNC_KEY_WRONG) {
		write_response(rq, w, id, folder.kind, ESTIMATE_BAD_KEY, 0);
		return RC_OK;
	}
	rc = folder.kind == FOLDER_MAIL ? estimate_mail(rq, sv, e, &folder, &c, &n, err)
					: estimate_items(rq, sv, e, &folder, &c, &n, err);
	if (rc && rc != RC_ABSENT)
		return rc;
	write_response(rq, w, id, folder.kind, rc ? ESTIMATE_INVALID : ESTIMATE_OK, n);
	return RC_OK;
}

/* [MS-ASCMD] 2.2.1.9. No key is advanced. */
enum rc cmd_get_item_estimate(
	struct request *rq, struct services *sv, struct reply *rp, struct err *err)
{
	const struct elem *all = elem_child(rq->doc, GETITEMESTIMATE_COLLECTIONS);
	struct wbxml_writer *w = reply_wbxml(rp);
	enum rc rc = RC_OK;

	if (elem_count(all, GETITEMESTIMATE_COLLECTION) > COLLECTIONS_MAX)
		return err_set(err, RC_INVALID, "more than %d collections", COLLECTIONS_MAX);
	for (const struct elem *e = elem_child(all, GETITEMESTIMATE_COLLECTION); e;
		e = elem_again(e))
		if (filter_of(e, 0) > FILTER_MAX)
			return err_set(err, RC_INVALID, "a FilterType above %d", FILTER_MAX);
	wbxml_open(w, GETITEMESTIMATE_GET_ITEM_ESTIMATE);
	for (const struct elem *e = elem_child(all, GETITEMESTIMATE_COLLECTION);
		e && rc == RC_OK; e = elem_again(e))
		rc = estimate(rq, sv, e, w, err);
	if (rc == RC_OK)
		wbxml_close(w, GETITEMESTIMATE_GET_ITEM_ESTIMATE);
	return rc;
}
