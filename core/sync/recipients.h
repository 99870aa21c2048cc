/*
 * recipients: the recipient information cache, whom the user has written to, for completing
 * addresses ([MS-ASCMD] 2.2.3.186.3). It is kept as items (core/model/state.h) of a folder that
 * has no server behind it: the href is the address in lower case, the etag says how often it
 * was used and under which name.
 */
#ifndef EASPOOL_CORE_SYNC_RECIPIENTS_H
#define EASPOOL_CORE_SYNC_RECIPIENTS_H

#include "core/map/email.h"
#include "core/model/state.h"

struct recipient {
	struct str address, name; /* name: empty when there was none */
};

/* They were written to once more. RC_ABSENT: the account has no such folder (yet). */
MUST_USE enum rc recipients_note(struct state *s, const struct account *ac,
	const struct recipient *v, size_t n, struct arena *a, struct err *err);
/* The numbers of those that are used most, at most `most`. */
struct uidset recipients_top(const struct items *items, size_t most, struct arena *a);

/* The children of ApplicationData, item_class.write. */
MUST_USE enum rc recipients_write(const struct item *it, struct str bytes,
	const struct email_options *o, struct arena *a, struct wbxml_writer *w,
	struct err *err);

#endif
