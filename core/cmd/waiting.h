/*
 * waiting: what Ping and a Sync that waits have in common: what is known of the folders without
 * asking the mail server, whether the folders themselves changed, and the wait that is left
 * when there is nothing to tell.
 */
#ifndef EASPOOL_CORE_CMD_WAITING_H
#define EASPOOL_CORE_CMD_WAITING_H

#include "core/cmd/request.h"

/* Ids of the folders into *w, what is known of them out of it; and from now on listeners know
 * that somebody waits. */
MUST_USE enum rc waiting_look(struct request *rq, struct services *sv, const struct str *ids,
	size_t n, struct watch *w, struct err *err);
/* Notes what the servers have said since, of the folders of w: watch_note. */
MUST_USE enum rc waiting_note(
	struct request *rq, struct services *sv, const struct watch *w, struct err *err);
/* Whether the device must ask for its folders anew (FolderSync). At most one trip to the mail
 * server, and none while a listener watches. */
MUST_USE enum rc waiting_hierarchy(struct request *rq, struct services *sv,
	const struct watch *w, bool *changed_r, struct err *err);
/* Asks how those folders stand of which it is not known: one trip. *gone_r: one is not there.
 */
MUST_USE enum rc waiting_marks(struct request *rq, struct services *sv, struct watch *w,
	bool *gone_r, struct err *err);
/* Whether that folder can be waited for: synchronised once, and no mere container. */
bool waiting_for(const struct watched_folder *v);
/* The wait, in the request's arena. */
const struct wait *waiting_park(
	const struct request *rq, enum wait_kind kind, int64_t seconds, const struct watch *w);

#endif
