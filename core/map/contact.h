/*
 * contact: a vCard (RFC 2426, RFC 6350) ↔ ApplicationData of class Contacts, [MS-ASCNTC],
 * classes.md 6.
 *
 * A card is patched, never composed afresh: lines that Exchange ActiveSync cannot express, or
 * that the device did not change, come out byte for byte as they went in.
 *
 * Which line is which property follows from the card alone (contact_slots.c), so a second
 * address without a first one comes back as the first. A birthday without a year is one of
 * 1604, as iOS and Apple's cards have it. FileAs is built when the card has none, and kept when
 * a device leaves it out.
 */
#ifndef EASPOOL_CORE_MAP_CONTACT_H
#define EASPOOL_CORE_MAP_CONTACT_H

#include "core/map/email.h"
#include "core/map/ghost.h"

/* A list of persons (KIND:group, and what Apple writes in 3.0): devices have no such thing. */
bool contact_is_group(struct str card, struct arena *a);

/*
 * The children of ApplicationData. RC_INVALID: this is no card, or one that cannot be shown
 * (the sentence says why); the caller rolls back. A group is RC_INVALID with the sentence "not
 * a person but a group"; callers that would leave it out ask contact_is_group() first.
 */
MUST_USE enum rc contact_write(struct str card, const struct email_options *o, struct arena *a,
	struct wbxml_writer *w, struct err *err);

/* What a device's Add or Change is applied with. */
struct contact_patch {
	enum eas_version version;
	const struct ghosts *ghosts;
	bool keep_picture; /* an absent or empty Picture means nothing (iOS) */
	bool whole;        /* an Add: an absent Picture or Body says that there is none */
	/* What the device is sent notes with: notes that come back as they were cut for it are
	 * unchanged. NULL: nothing is known of it. */
	const struct email_options *options;
	/* Of a new card */
	struct str uid;
	bool card4; /* written as vCard 4.0, else 3.0; one that exists stays what it is */
};

/*
 * The card with what `data` (an ApplicationData) says; card STR_NONE: a new one. A card in
 * which nothing changes comes back as the very same bytes. RC_INVALID: the data cannot be
 * stored (item Status 6); RC_LIMIT: the picture is too large (likewise).
 */
MUST_USE enum rc contact_apply(struct str card, const struct elem *data,
	const struct contact_patch *p, struct arena *a, struct str *card_r, struct err *err);

/* The UID of a card; STR_NONE: it has none. */
struct str contact_uid(struct str card, struct arena *a);

#endif
