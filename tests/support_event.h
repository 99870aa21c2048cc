/*
 * support_event: events as devices and calendars write them, and what must be the same of them
 * afterwards.
 */
#ifndef EASPOOL_TESTS_SUPPORT_EVENT_H
#define EASPOOL_TESTS_SUPPORT_EVENT_H

#include "core/map/event.h"
#include "tests/support_contact.h"

/* Zones of the world, as devices send them and as calendars have them. */
struct event_test_zone {
	const char *tzid;
	int standard, daylight;                      /* seconds ahead of UTC */
	unsigned month, week, day, hour;             /* when daylight saving time ends */
	unsigned to_month, to_week, to_day, to_hour; /* and begins; by the clock before */
};
extern const struct event_test_zone event_test_zones[];
extern const size_t event_ntest_zones;

/* The TimeZone of a device. */
struct str event_test_blob(const struct event_test_zone *z, struct arena *a);
/* VTIMEZONE, lines end in CRLF; empty for UTC. */
struct str event_test_component(const struct event_test_zone *z, struct arena *a);
/* The moment of a local time, both in seconds since 1970. */
int64_t event_test_utc(const struct event_test_zone *z, int64_t local);

/* An object around these lines, "\n" between them: components of a VCALENDAR. */
struct str event_object(const char *lines, struct arena *a);

/* What a device is sent of an object, as a tree; NULL and *err set: it is sent nothing. */
struct elem *event_sent(
	struct str ics, const struct email_options *o, struct arena *a, struct err *err);

/* An object of some calendar program; the lines in it that no device has an element for, in
 * their order. */
struct str event_random_object(
	struct chance *r, struct arena *a, struct str **foreign_r, size_t *nforeign_r);
/* An ApplicationData of a new event, in the text form of core/wire/dump.h; what is written of
 * it must be the same again. */
struct str event_random_data(struct chance *r, enum eas_version v, struct arena *a);
/* Whether all that x has is in y, in the same order where there are several of a kind. DtStamp
 * and, of what is no meeting, the organizer are not compared. */
bool event_has_all(
	const struct elem *x, const struct elem *y, struct arena *a, struct str *what_r);

/* When the first instances of all that is in an object begin, by the library's own reading of
 * it; sorted, at most max. */
size_t event_instants(struct str ics, int64_t *v, size_t max, struct arena *a);

#endif
