/*
 * event: an iCalendar object (RFC 5545) with a VEVENT and its exceptions ↔ ApplicationData of
 * class Calendar, [MS-ASCAL], classes.md 3 to 5, up to version 14.1. Any input.
 *
 * An object is patched, never composed afresh: components, properties and parameters that
 * Exchange ActiveSync cannot express, or that the device did not change, stay.
 */
#ifndef EASPOOL_CORE_MAP_EVENT_H
#define EASPOOL_CORE_MAP_EVENT_H

#include "core/map/email.h"
#include "core/map/ghost.h"

/*
 * The children of ApplicationData. o->user: the address whose calendar it is. RC_INVALID: this
 * cannot be shown (the sentence says why); the caller rolls back. RC_ABSENT: there is no event
 * in it (a VTODO, say).
 */
MUST_USE enum rc event_write(struct str ics, const struct email_options *o, struct arena *a,
	struct wbxml_writer *w, struct err *err);

/* What a device's Add or Change is applied with. */
struct event_patch {
	enum eas_version version;
	const struct ghosts *ghosts;
	const struct email_options *options; /* what it is sent bodies with; user */
	struct str uid;                      /* of a new object whose data has none */
	bool whole;                          /* an Add, or a Change that says all there is */
	int64_t now;
};

/*
 * The object with what `data` (an ApplicationData) says; ics STR_NONE: a new one. An object in
 * which nothing changes comes back as the very same bytes. RC_INVALID: the data cannot be
 * stored (item Status 6).
 */
MUST_USE enum rc event_apply(struct str ics, const struct elem *data,
	const struct event_patch *p, struct arena *a, struct str *ics_r, struct err *err);

/* The UID of an object; STR_NONE: it has none. */
struct str event_uid(struct str ics, struct arena *a);
/* What is the end of it all: of the last instance of a series. INT64_MAX: there is none, or it
 * cannot be told; INT64_MIN: there is no event. Seconds since 1970, UTC; of a floating time the
 * latest moment that it may be. */
int64_t event_end(struct str ics, struct arena *a);
/* Whether what a person reads in it contains each of the words, without regard to case. */
bool event_says(struct str ics, const struct str *words, size_t n, struct arena *a);

#endif
