/*
 * mail_items: messages read for a device, outside a Sync round: for Fetch, Search, and the
 * like.
 */
#ifndef EASPOOL_CORE_SYNC_MAIL_ITEMS_H
#define EASPOOL_CORE_SYNC_MAIL_ITEMS_H

#include "core/map/email.h"
#include "core/model/state.h"

/* Where they are read from. */
struct mail_reader {
	struct mail *mail;
	struct state *state;
	const struct folder *folder;
	const struct email_options *options;
	struct arena *a;
};

/* Plans of these messages with their parts and notes, in no particular order; those that are
 * gone are not there. Two trips, or one where guessing helps. */
struct mail_items {
	struct email_plan *v;
	size_t n;
};
MUST_USE enum rc mail_items_read(const struct mail_reader *r, const struct uidset *uids,
	struct mail_items *items_r, struct err *err);

/* The parts that the plans still lack, in one trip; of at most MAIL_ITEMS_AT_ONCE plans. */
enum { MAIL_ITEMS_AT_ONCE = 100 };
MUST_USE enum rc mail_items_parts(struct mail *m, struct str folder, struct email_plan *v,
	size_t n, struct arena *a, struct err *err);

/* One whole item, in an element `container` (airsync:ApplicationData, ...). RC_ABSENT. What was
 * written before a failure is the caller's to take back. */
MUST_USE enum rc mail_fetch(const struct mail_reader *r, uint32_t uid, tag_t container,
	struct wbxml_writer *w, struct err *err);

#endif
