/*
 * search: what the stores of Search have in common, [MS-ASCMD] 2.2.1.16. A store has a file of
 * its own: search_mailbox.c, search_gal.c.
 */
#ifndef EASPOOL_CORE_CMD_SEARCH_H
#define EASPOOL_CORE_CMD_SEARCH_H

#include "core/cmd/command.h"

/* Status of a store, [MS-ASCMD] 2.2.3.177.15 */
enum {
	SEARCH_OK = 1,
	SEARCH_INVALID = 2,
	SEARCH_SERVER_ERROR = 3,
	SEARCH_DENIED = 5,
	SEARCH_NO_CONNECTION = 7,
	SEARCH_TOO_COMPLEX = 8,
	SEARCH_TIMED_OUT = 10,
	SEARCH_FOLDERS_CHANGED = 11,
	SEARCH_PAST_END = 12,
};

enum { SEARCH_HITS_MAX = 1000 };

/* The places that are asked for, both included. */
struct search_range {
	uint32_t from, to;
};

/* The Range of a Store, or the usual one, no more than a page. A status other than SEARCH_OK,
 * or 0. */
unsigned search_range_read(const struct elem *store, struct search_range *r);

/* The answer up to the Status of the store, and its end. */
void search_open(struct wbxml_writer *w, unsigned status);
void search_close(struct wbxml_writer *w);
/* Whole answers: a status alone, and that nothing was found. */
enum rc search_status(struct reply *rp, unsigned status);
enum rc search_nothing(struct reply *rp);

enum rc search_mailbox(struct request *rq, struct services *sv, const struct elem *store,
	struct reply *rp, struct err *err);
enum rc search_gal(struct request *rq, struct services *sv, const struct elem *store,
	struct reply *rp, struct err *err);

#endif
