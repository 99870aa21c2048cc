#include "core/cmd/command.h"
#include "core/cmd/servers.h"
#include "core/cmd/status.h"

/* [MS-ASCMD] 2.2.1.8, up to 12.1: the mail folders, with the ids of FolderSync. */
enum rc cmd_get_hierarchy(
	struct request *rq, struct services *sv, struct reply *rp, struct err *err)
{
	struct folder_servers servers = servers_of(rq, sv);
	struct folders folders;
	struct wbxml_writer *w;
	enum rc rc = folders_refresh(&servers, rq->arena, &folders, err);

	if (rc)
		return rc;
	w = reply_wbxml(rp);
	wbxml_open(w, FOLDERHIERARCHY_FOLDERS);
	for (size_t i = 0; i < folders.n; i++) {
		const struct folder *f = &folders.v[i];

		if (f->kind != FOLDER_MAIL)
			continue;
		wbxml_open(w, FOLDERHIERARCHY_FOLDER);
		wbxml_text(w, FOLDERHIERARCHY_DISPLAY_NAME, f->name);
		wbxml_text(w, FOLDERHIERARCHY_SERVER_ID, f->id);
		wbxml_int(w, FOLDERHIERARCHY_TYPE, f->type);
		wbxml_text(w, FOLDERHIERARCHY_PARENT_ID, f->parent);
		wbxml_close(w, FOLDERHIERARCHY_FOLDER);
	}
	wbxml_close(w, FOLDERHIERARCHY_FOLDERS);
	rp->status = STATUS_OK;
	return RC_OK;
}
