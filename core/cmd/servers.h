/*
 * servers: what core/sync needs of a request and its services.
 */
#ifndef EASPOOL_CORE_CMD_SERVERS_H
#define EASPOOL_CORE_CMD_SERVERS_H

#include "core/cmd/request.h"
#include "core/sync/folders.h"
#include "core/sync/item_source.h"

struct folder_servers servers_of(const struct request *rq, const struct services *sv);

/* Where collections of that kind are; NULL: there is no such server. */
struct dav *servers_dav(const struct services *sv, unsigned kinds);

/* The collections behind a folder that is no mailbox, item_source_open(). */
MUST_USE enum rc servers_items(const struct request *rq, const struct services *sv,
	const struct folder *folder, struct item_source *src, struct err *err);

/* 2.5 and 12.0 may name the default folder by Class alone (empty: mail). *id_r stays as it is
 * where there is none. */
MUST_USE enum rc servers_default_folder(struct request *rq, struct services *sv,
	struct str class, struct str *id_r, struct err *err);

#endif
