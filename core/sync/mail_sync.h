/*
 * mail_sync: one round of a mail folder, from the device's state to what it is sent.
 *
 * STATUS comes first; equal numbers mean nothing to do. Else one look tells what changed since
 * the state's mark, so work is proportional to change. Order of what is sent: Delete,
 * SoftDelete, Change, Add, the newest first. What does not fit the window stays in the state.
 */
#ifndef EASPOOL_CORE_SYNC_MAIL_SYNC_H
#define EASPOOL_CORE_SYNC_MAIL_SYNC_H

#include "core/map/email.h"
#include "core/model/state.h"
#include "core/settings.h"
#include "core/sync/commands.h"
#include "core/sync/mail_state.h"

struct mail_round {
	/* In */
	struct mail *mail;
	struct state *state;
	const struct account *account;
	const struct folder *folder;
	const struct settings *conf;
	const struct email_options *options;
	unsigned filter;    /* FilterType, 0-5 */
	bool conversations; /* ConversationMode: the whole threads of what the filter lets
			       through */
	bool look_now;      /* the gate is not asked: something was just done to the mailbox */
	const struct mail_mark *known; /* how the mailbox stands; NULL: the gate is asked */
	struct arena *a;
	struct commands *out;
	/* In and out */
	struct mail_state st;
	/* Flags as they are, of messages that a device was not allowed to change. */
	struct mail_flag_list reverted;
	/* Out */
	struct mail_delta delta;
	uint64_t since_modseq; /* where the look started */
	bool looked;           /* st.mark is how the mailbox stands */
	bool reset;            /* UIDVALIDITY changed: the device must start over */
	bool more;             /* MoreAvailable */
};

/* Works out what there is to send: nothing, or the sets in st and delta. */
MUST_USE enum rc mail_round_look(struct mail_round *r, struct err *err);
/* How many changes are waiting after the look. */
uint32_t mail_round_count(const struct mail_round *r);
/*
 * Writes airsync:Commands with its children, at most the window; nothing at all when there is
 * nothing. Updates st to what the device will have.
 */
MUST_USE enum rc mail_round_write(struct mail_round *r, struct err *err);

/*
 * The device's state stands exactly at that mark: nothing to report, the filter still fresh.
 * additions: nothing new to report.
 */
bool mail_sync_at(const struct collection *c, const struct mail_mark *mark, bool additions);
/* The question what the next Sync would report; the device's own changes are not among that. */
struct mail_pending {
	/* In */
	struct mail *mail;
	const struct folder *folder;
	const struct collection *c;
	const struct mail_mark *known; /* how the mailbox stands; NULL: it is asked */
	bool additions;                /* only new messages count */
	enum eas_version version;
	const struct settings *conf;
	struct arena *a;
	/* Out */
	uint32_t count;
	struct str state; /* none: the device's state with that known, worth storing */
};
MUST_USE enum rc mail_sync_pending(struct mail_pending *p, struct err *err);

/* Sticky options of a mail collection: FilterType and the rest. */
struct str mail_sync_options_encode(
	unsigned filter, const struct email_options *o, struct arena *a);
MUST_USE enum rc mail_sync_options_decode(
	struct str bytes, enum eas_version v, unsigned *filter_r, struct email_options *o);

/* To be raised when messages that could not be shown may be by now: they are tried again. */
enum { MAIL_MAP_VERSION = 2 };

#endif
