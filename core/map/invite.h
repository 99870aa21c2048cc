/*
 * invite: what becomes of a calendar object (RFC 5545, RFC 4791 4.1) when its user answers an
 * invitation (RFC 5546 3.2.2), and the mail that tells the organizer so (3.2.3, RFC 6047). Any
 * input.
 *
 * What was stored is patched: alarms and categories of the user, his answers to single
 * occurrences and whatever is not understood stay. A newer version of the event takes the place
 * of an older one, never the other way round. The same answer again changes nothing.
 */
#ifndef EASPOOL_CORE_MAP_INVITE_H
#define EASPOOL_CORE_MAP_INVITE_H

#include "core/base/arena.h"

/* UserResponse, [MS-ASCMD] 2.2.3.194 */
enum invite_answer { INVITE_ACCEPT = 1, INVITE_TENTATIVE = 2, INVITE_DECLINE = 3 };

struct invite {
	struct str request; /* the invitation; STR_NONE: the stored event is what is answered */
	struct str stored;  /* what the calendar has of that UID; STR_NONE: nothing */
	struct str user;    /* his address */
	enum invite_answer answer;
	bool has_instance; /* of a series this occurrence alone */
	int64_t instance;  /* when it begins, or would by the rule */
	bool stays; /* what is declined is not taken out: it is not of his own calendar */
	int64_t now;
};

enum invite_result {
	INVITE_DONE,
	INVITE_NO_REQUEST,    /* it is no invitation of somebody else */
	INVITE_OLDER,         /* the calendar has a newer version of the event */
	INVITE_NOT_RECURRING, /* an occurrence was named of what is no series */
	INVITE_NO_INSTANCE,   /* the series has no such occurrence */
	INVITE_UNREADABLE,    /* what is stored cannot be read */
};

/* The object as it is to be; the very bytes of `stored` when it is so already, STR_NONE when
 * there is to be none. */
enum invite_result invite_apply(const struct invite *in, struct arena *a, struct str *ics_r);

/* What is answered; false: it cannot be read. */
struct invite_about {
	struct str uid;
	unsigned sequence;
	struct str occurrence;         /* of an invitation to one alone its RECURRENCE-ID; else
					  empty */
	struct str subject, organizer; /* one line, and a bare address; may be empty */
};
bool invite_about(const struct invite *in, struct arena *a, struct invite_about *r);

/* The mail to the organizer, without From, Date and Message-ID; STR_NONE when it is not known
 * who that is. */
struct str invite_mail(const struct invite *in, struct arena *a);

#endif
