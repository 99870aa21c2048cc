/*
 * meetings: the object of a user's calendar that an invitation is about, and what his answer
 * makes of it. Asking again after a lost answer, or after a worker died half way, comes to the
 * same end: a new object has a name that is made of its UID (K10).
 */
#ifndef EASPOOL_CORE_SYNC_MEETINGS_H
#define EASPOOL_CORE_SYNC_MEETINGS_H

#include "core/map/invite.h"
#include "core/sync/item_source.h"

struct meeting {
	/* In */
	struct item_source *calendar; /* what is new goes into its first collection; NULL: there
					 is none, and nothing but a refusal is possible */
	const struct folders *all;    /* where the event may be as well: the others of its kind
					 among them; NULL */
	uint32_t item;                /* the item that is answered; 0: that of the request */
	struct invite invite;         /* without what is stored */
	/* Out */
	struct invite_about about;
	enum invite_result result;
	uint32_t number;     /* of the item; 0: there is none any more */
	struct str shown_in; /* id of the folder that a device has it in */
	/* Own */
	const struct folder *folder;
	struct dav_object object;
	struct meeting_places {
		const struct folder **v; /* the calendar's own first */
		size_t n, closed;        /* the first `closed` are not looked in any more, but
					    for the very first */
	} places;
	bool by_name;
};

/*
 * What the calendar or one of the others has of it, and as m->result whether the answer is
 * possible; nothing is written yet. One trip for each collection, of which 50 at most are
 * looked in, until it is found, and one to read it; more where a server takes parts of a UID
 * for the whole, 10 for each at most. RC_ABSENT: there is no such item.
 */
MUST_USE enum rc meetings_find(struct meeting *m, struct err *err);
/* After that, with INVITE_DONE: the answer gets into the calendar, or to where it was found,
 * and the state knows of it. What only may be read does not count as found, unless it is the
 * first collection or the item. m->result may be another one now. RC_CONFLICT: others change
 * the object all the time. */
MUST_USE enum rc meetings_answer(struct meeting *m, struct err *err);

#endif
