/*
 * mail_state: what the server remembers of one device's copy of a mail folder, as compact
 * bytes.
 */
#ifndef EASPOOL_CORE_SYNC_MAIL_STATE_H
#define EASPOOL_CORE_SYNC_MAIL_STATE_H

#include "core/model/mail.h"

/* A message with categories, and which the device knows (category_hash). */
struct mail_label {
	uint32_t uid, hash;
};

struct mail_state {
	struct mail_mark mark; /* the mailbox when it was last looked at */
	bool again;      /* that look had more than was sent: look again whatever STATUS says */
	unsigned filter; /* FilterType that the sets below stand for */
	int64_t refreshed;  /* when the filter's date was last applied */
	struct uidset held; /* the device has these */
	struct uidset seen, flagged, answered,
		forwarded;         /* of held: as the device knows them */
	struct uidset pending;     /* it is to get these */
	struct uidset gone, soft;  /* of held: it is to be told Delete, SoftDelete */
	struct uidset tried;       /* of pending: could not be shown once */
	struct uidset skipped;     /* cannot be shown */
	uint64_t retried;          /* `skipped` was tried at this state of things */
	bool conversations;        /* ConversationMode that the sets stand for */
	struct mail_label *labels; /* of held, by UID; those with none are not here */
	size_t nlabels, labels_cap;
	struct arena *arena;
};

void mail_state_init(struct mail_state *st, struct arena *a);
struct str mail_state_encode(const struct mail_state *st, struct arena *a);
MUST_USE enum rc mail_state_decode(struct str bytes, struct mail_state *st, struct arena *a);

/* Flags of a held message as the device knows them, and noting what it knows now. */
unsigned mail_state_flags(const struct mail_state *st, uint32_t uid);
void mail_state_know(struct mail_state *st, uint32_t uid, unsigned flags);
/* The same of its categories; 0: it has none. */
uint32_t mail_state_label(const struct mail_state *st, uint32_t uid);
void mail_state_know_label(struct mail_state *st, uint32_t uid, uint32_t hash);
/* The device no longer has it. */
void mail_state_drop(struct mail_state *st, uint32_t uid);

/* The flags that a device is told of. */
#define MAIL_STATE_FLAGS (MAIL_SEEN | MAIL_FLAGGED | MAIL_ANSWERED | MAIL_FORWARDED)

#endif
