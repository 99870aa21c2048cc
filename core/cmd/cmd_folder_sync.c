#include "core/cmd/command.h"
#include "core/cmd/servers.h"
#include "core/cmd/status.h"
#include "core/sync/hierarchy.h"
#include "core/sync/sync_key.h"

enum { FOLDER_OK = 1, FOLDER_BAD_KEY = 9, FOLDER_MALFORMED = 10 };

static enum rc only_status(struct reply *rp, unsigned status)
{
	struct wbxml_writer *w = reply_wbxml(rp);

	wbxml_open(w, FOLDERHIERARCHY_FOLDER_SYNC);
	wbxml_int(w, FOLDERHIERARCHY_STATUS, status);
	wbxml_close(w, FOLDERHIERARCHY_FOLDER_SYNC);
	rp->status = status;
	return RC_OK;
}

static void write_change(struct wbxml_writer *w, const struct hierarchy_change *c)
{
	static const tag_t tags[] = {[HIERARCHY_UPDATE] = FOLDERHIERARCHY_UPDATE,
		[HIERARCHY_DELETE] = FOLDERHIERARCHY_DELETE,
		[HIERARCHY_ADD] = FOLDERHIERARCHY_ADD};

	wbxml_open(w, tags[c->what]);
	wbxml_text(w, FOLDERHIERARCHY_SERVER_ID, c->id);
	if (c->folder) {
		wbxml_text(w, FOLDERHIERARCHY_PARENT_ID, c->folder->parent);
		wbxml_text(w, FOLDERHIERARCHY_DISPLAY_NAME, c->folder->name);
		wbxml_int(w, FOLDERHIERARCHY_TYPE, c->folder->type);
	}
	wbxml_close(w, tags[c->what]);
}

static void write_answer(
	struct wbxml_writer *w, struct str key, const struct hierarchy_changes *changes)
{
	wbxml_open(w, FOLDERHIERARCHY_FOLDER_SYNC);
	wbxml_int(w, FOLDERHIERARCHY_STATUS, FOLDER_OK);
	wbxml_text(w, FOLDERHIERARCHY_SYNC_KEY, key);
	wbxml_open(w, FOLDERHIERARCHY_CHANGES);
	wbxml_int(w, FOLDERHIERARCHY_COUNT, (int64_t)changes->n);
	for (size_t i = 0; i < changes->n; i++)
		write_change(w, &changes->v[i]);
	wbxml_close(w, FOLDERHIERARCHY_CHANGES);
	wbxml_close(w, FOLDERHIERARCHY_FOLDER_SYNC);
}

/*
 * [MS-ASCMD] 2.2.1.5. Key 0 starts the hierarchy afresh and touches no collection (C34): ids
 * and item keys stay valid. With the previous key the difference is worked out from what was
 * told before it (`round`).
 */
enum rc cmd_folder_sync(
	struct request *rq, struct services *sv, struct reply *rp, struct err *err)
{
	struct str text = elem_text(rq->doc, FOLDERHIERARCHY_SYNC_KEY), told;
	struct hierarchy_changes changes;
	struct collection c;
	struct folder_servers servers = servers_of(rq, sv);
	struct folders folders;
	struct folder none;
	enum sync_key_fit fit;
	enum rc rc;

	if (!text.p)
		return only_status(rp, FOLDER_MALFORMED);
	if (text.n == 0)
		text = STR("0");
	rc = state_call(sv->state, collection_open, &rq->account, &rq->device,
		(struct str){"", 0}, rq->arena, &none, &c, err);
	if (rc)
		return rc;
	fit = sync_key_fit(text, &c);
	if (fit == SYNC_KEY_WRONG)
		return only_status(rp, FOLDER_BAD_KEY);
	rc = folders_refresh(&servers, rq->arena, &folders, err);
	if (rc)
		return rc;
	folders = folders_visible(&folders, rq->conf, rq->version, rq->arena);
	told = fit == SYNC_KEY_ZERO ? STR_NONE : fit == SYNC_KEY_CURRENT ? c.state : c.round;
	rc = hierarchy_diff(told, &folders, rq->arena, &changes, err);
	if (rc)
		return rc;
	if (fit == SYNC_KEY_ZERO) {
		c.epoch = sync_key_epoch();
		c.generation = 1;
		c.round = STR_NONE;
	} else if (fit == SYNC_KEY_CURRENT && changes.n) {
		c.generation++;
		c.round = c.state;
	}
	if (fit != SYNC_KEY_CURRENT || changes.n) {
		c.state = hierarchy_encode(&folders, rq->arena);
		rc = state_call(
			sv->state, collection_store, &rq->device, (struct str){"", 0}, &c, err);
		if (rc)
			return rc;
	}
	rp->status = FOLDER_OK;
	write_answer(
		reply_wbxml(rp), sync_key_format(rq->arena, c.epoch, c.generation), &changes);
	/* [MS-ASHTTP] 2.2.1.2.2.3: a device that starts afresh hears what is offered now. */
	if (fit == SYNC_KEY_ZERO) {
		struct str versions = version_list(request_ceiling(rq), rq->arena);

		reply_header(rp, "MS-ASProtocolCommands",
			command_list(request_ceiling(rq), rq->arena));
		reply_header(rp, "MS-ASProtocolVersions", versions);
		reply_header(rp, "X-MS-RP", versions);
	}
	return RC_OK;
}
