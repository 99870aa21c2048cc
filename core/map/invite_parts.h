/*
 * invite_parts: what invite*.c know of an event together. Not for others.
 */
#ifndef EASPOOL_CORE_MAP_INVITE_PARTS_H
#define EASPOOL_CORE_MAP_INVITE_PARTS_H

#include "core/base/buf.h"
#include "core/map/invite.h"

#include <libical/ical.h>

/* The event itself, the series, or one that takes the place of an occurrence. */
struct invite_part {
	icalcomponent *c; /* NULL: it was taken out */
	bool exception;
	bool is_date;  /* of an exception: its RECURRENCE-ID */
	int64_t at;    /* likewise, seconds since 1970, UTC */
	struct str id; /* likewise, as it stands there: zones may be missing */
	bool asked;    /* what is answered is about it */
};

struct invite_event {
	icalcomponent *calendar; /* freed with the arena */
	struct invite_part *v;   /* with room for as many again as `room` says */
	size_t n, room;
	struct arena *a;
};

enum { INVITE_PARTS_MAX = 2000 };

/* All VEVENTs with the UID of the first. False: there is none, or it cannot be read. room: for
 * parts that are added. */
bool invite_load(struct str ics, struct arena *a, size_t room, struct invite_event *r);
struct str invite_text(const struct invite_event *e, struct arena *a);

/* NULL: there are only exceptions. */
struct invite_part *invite_master(const struct invite_event *e);
/* It, or the first part; NULL when all were taken out. */
struct invite_part *invite_first(const struct invite_event *e);
/* The one that takes the place of the same occurrence; NULL. */
struct invite_part *invite_exception(const struct invite_event *e, const struct invite_part *p);
/* A copy of it, in the calendar of `e`. NULL: no room. */
struct invite_part *invite_add(struct invite_event *e, const struct invite_part *p);
void invite_remove(struct invite_event *e, struct invite_part *p);
/* Zones that `from` has and `e` has not. */
void invite_add_zones(struct invite_event *e, const struct invite_event *from);

icalproperty *invite_property(icalcomponent *c, icalproperty_kind kind);
void invite_drop(icalcomponent *c, icalproperty_kind kind);
/* The value of a property that has no kind of its own; STR_NONE. */
struct str invite_x(icalcomponent *c, const char *name, struct arena *a);
void invite_set_x(icalcomponent *c, const char *name, const char *value);
/* False: it has none that can be read. */
bool invite_time(icalcomponent *c, icalproperty_kind kind, struct icaltimetype *r);
int64_t invite_unix(struct icaltimetype t);

/* The bare address of an ORGANIZER or ATTENDEE; may be empty. */
struct str invite_address(icalproperty *p, struct arena *a);
/* That of the user; NULL. */
icalproperty *invite_attendee(icalcomponent *c, struct str user, struct arena *a);
struct str invite_organizer(const struct invite_event *e, struct arena *a);
icalparameter_partstat invite_partstat(icalproperty *attendee);

/* The occurrence of a series that a device means by a moment: of one of whole days it cannot
 * know better than by its own midnight. */
void invite_occurrence(const struct invite_part *master, int64_t instance,
	struct invite_part *r, struct icaltimetype *time_r);

/* invite.c */
bool invite_recurs(const struct invite_part *p);
/* Whether the series has an occurrence then; that it was excluded does not count. */
bool invite_occurs(const struct invite_part *m, const struct invite_part *occurrence);
/* The EXDATE that excludes it; NULL. */
icalproperty *invite_exdate(icalcomponent *c, const struct invite_part *occurrence);
/* An occurrence as the series has it, by itself. NULL: no room. */
struct invite_part *invite_single_out(
	struct invite_event *e, struct invite_part occurrence, struct icaltimetype t);
/* Takes out what a calendar does not keep of an invitation, and all that is not of the event.
 */
void invite_make_object(struct invite_event *e);
/* A DTSTAMP where there is none. */
void invite_stamp(struct invite_event *e, int64_t now);

/* invite_reply.c: the mail around it. */
/* An address that can stand in a header, and in an envelope. */
bool invite_is_address(struct str s);
struct str invite_one_line(struct str s, struct arena *a);
bool invite_is_plain(struct str s);
/* As it is, or in encoded words. */
void invite_add_words(struct buf *b, struct str s);
/* Lines of base64, at most `max` octets of it. */
void invite_add_base64(struct buf *b, struct str text, size_t max);
/* A part of a multipart, in base64. */
void invite_add_part(
	struct buf *b, struct str boundary, const char *type, struct str text, size_t max);

/* invite_guests.c */
struct invite_forward;
/* So many lines of new attendees are written at a time, each of a guest in one part. */
enum { INVITE_GUESTS_MAX = 10000 };
/* The event, and what of it is forwarded; only_r NULL: all of it. */
enum invite_result invite_forward_load(const struct invite_forward *f, struct arena *a,
	struct invite_event *e, struct invite_part **only_r);
/* The addresses of all that have to do with it. */
struct invite_people {
	struct str *v;
	size_t n;
};
void invite_people(icalcomponent *c, struct arena *a, struct invite_people *r);
bool invite_knows(const struct invite_people *people, struct str email);

#endif
