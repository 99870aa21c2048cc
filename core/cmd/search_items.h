/*
 * search_items: the part of a Search in the mailbox that is about items of DAV collections
 * (contacts), [MS-ASCMD] 2.2.1.16.
 */
#ifndef EASPOOL_CORE_CMD_SEARCH_ITEMS_H
#define EASPOOL_CORE_CMD_SEARCH_ITEMS_H

#include "core/cmd/servers.h"
#include "core/map/email.h"

struct items_search {
	/* In */
	struct request *rq;
	struct services *sv;
	const struct elem *conditions; /* the first one of the Query */
	const struct folder **folders; /* as the device sees them */
	size_t nfolders;
	size_t most;
	/* Out */
	struct item_hit {
		const struct folder *folder;
		struct item item;
	} * v;
	size_t n;
};

/* What contains all words of all FreeTexts; nothing where there are other conditions, for an
 * item has no date of receipt and is in no conversation. */
MUST_USE enum rc search_items_find(struct items_search *s, struct err *err);
/* A Result for each of n hits from `from` on that can be shown. */
MUST_USE enum rc search_items_write(struct items_search *s, size_t from, size_t n,
	const struct email_options *o, struct wbxml_writer *w, struct err *err);

#endif
