/*
 * invite_forward: an event on its way to people who were not invited so far, [MS-ASCMD]
 * 2.2.1.19 with Forwardees: the mail that invites them, and what becomes of the stored event
 * when it is the user who invites. Any input.
 */
#ifndef EASPOOL_CORE_MAP_INVITE_FORWARD_H
#define EASPOOL_CORE_MAP_INVITE_FORWARD_H

#include "core/map/invite.h"

struct forwardee {
	struct str email; /* invite_forward_address() */
	struct str name;  /* may be empty */
};

struct invite_forward {
	struct str stored; /* the calendar object */
	struct str user;   /* his address */
	const struct forwardee *to;
	size_t n;
	struct str text;   /* what he writes to them; empty: what the event says of itself */
	bool has_instance; /* of a series this occurrence alone */
	int64_t instance;  /* when it begins, or would by the rule */
	int64_t now;
};

/* Whether one can be invited there. */
bool invite_forward_address(struct str email);

/*
 * The mail, without From, Date and Message-ID. Alarms, categories and the like are the user's
 * own and stay with him. One who is invited already stays as he is. An event that has no
 * organizer becomes a meeting of the user's. STR_NONE in spite of INVITE_DONE: it is too large.
 */
MUST_USE enum invite_result invite_forward_mail(
	const struct invite_forward *f, struct arena *a, struct str *mail_r);
/* The object with those people in it; the very bytes of `stored` when they are already, or when
 * somebody else is the organizer. */
MUST_USE enum invite_result invite_forward_stored(
	const struct invite_forward *f, struct arena *a, struct str *ics_r);

/* The event for a mail about it that is written by the device itself: SmartReply and
 * SmartForward with Mime. Nobody is invited. */
struct invite_quote {
	struct str header, text; /* as if it were a mail: of the organizer to the others */
	int64_t stamp;
	struct str fields; /* MIME fields of the object as a part of a mail, */
	struct str part;   /* and what stands below them; a request when it is a meeting */
};
MUST_USE enum invite_result invite_quote(
	const struct invite_forward *f, struct arena *a, struct invite_quote *r);

#endif
