#include "core/cmd/servers.h"

struct folder_servers servers_of(const struct request *rq, const struct services *sv)
{
	return (struct folder_servers){.state = sv->state,
		.account = &rq->account,
		.mail = sv->mail,
		.dav = sv->dav,
		.conf = rq->conf};
}

enum rc servers_items(const struct request *rq, const struct services *sv,
	const struct folder *folder, struct item_source *src, struct err *err)
{
	*src = (struct item_source){.dav = sv->dav,
		.state = sv->state,
		.account = &rq->account,
		.conf = rq->conf,
		.a = rq->arena};
	return item_source_open(src, folder, err);
}
