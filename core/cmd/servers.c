#include "core/cmd/servers.h"

struct folder_servers servers_of(const struct request *rq, const struct services *sv)
{
	return (struct folder_servers){.state = sv->state,
		.account = &rq->account,
		.mail = sv->mail,
		.dav = sv->dav,
		.calendars = sv->calendars,
		.conf = rq->conf};
}

struct dav *servers_dav(const struct services *sv, unsigned kinds)
{
	return kinds & DAV_CARDS ? sv->dav : sv->calendars;
}

enum rc servers_items(const struct request *rq, const struct services *sv,
	const struct folder *folder, struct item_source *src, struct err *err)
{
	const struct item_class *class = item_class_of(folder->kind);

	*src = (struct item_source){.dav = class ? servers_dav(sv, class->dav) : NULL,
		.state = sv->state,
		.account = &rq->account,
		.conf = rq->conf,
		.a = rq->arena};
	return item_source_open(src, folder, err);
}

enum rc servers_default_folder(struct request *rq, struct services *sv, struct str class,
	struct str *id_r, struct err *err)
{
	const struct item_class *items = item_class_named(class);
	struct folders all;
	const struct folder *f = NULL;
	enum rc rc = state_call(sv->state, folders_load, &rq->account, rq->arena, &all, err);

	if (rc)
		return rc;
	if (items)
		f = folders_of_type(&all, items->default_type);
	else if (!class.n || str_iis(class, "Email"))
		f = folders_of_type(&all, TYPE_INBOX);
	if (f)
		*id_r = f->id;
	return RC_OK;
}
