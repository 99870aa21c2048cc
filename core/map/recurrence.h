/*
 * recurrence: a recurrence rule, RFC 5545 3.3.10 ↔ Recurrence of [MS-ASCAL] 2.2.2.35,
 * [MS-ASTASK] and [MS-ASEMAIL], classes.md 4.
 */
#ifndef EASPOOL_CORE_MAP_RECURRENCE_H
#define EASPOOL_CORE_MAP_RECURRENCE_H

#include "core/base/arena.h"
#include "core/base/err.h"
#include "core/wire/elem.h"
#include "core/wire/writer.h"

/* As devices have it. */
struct recurrence {
	unsigned type; /* 0 daily, 1 weekly, 2 monthly, 3 monthly on the nth, 5, 6 yearly */
	unsigned interval;
	unsigned occurrences;            /* 0: not said */
	bool has_until;                  /* never with occurrences */
	int64_t until;                   /* see the functions */
	unsigned days;                   /* DayOfWeek: 1 Sunday, 2 Monday ... 64 */
	unsigned month_day, week, month; /* 0: not said */
	unsigned first_day;              /* of the week: 0 Sunday ... 6 */
};

/* The elements of one class. */
struct recurrence_tags {
	tag_t recurrence, type, interval, until, occurrences, day_of_week, day_of_month,
		week_of_month, month_of_year, calendar_type, is_leap_month, first_day_of_week;
	bool dashed; /* how Until is written: clock_dashed(); else clock_compact() */
};
extern const struct recurrence_tags recurrence_calendar, recurrence_email;

/*
 * rule: the value of an RRULE. start: DTSTART by its own clock (seconds since 1970 as if it
 * were UTC), from which the rule takes what it does not say. until: as the rule has it, by
 * whichever clock; utc_r: it ended in Z (the caller converts what did not). False: devices
 * cannot be told this rule (BYHOUR, several days of a month, ...).
 */
bool recurrence_of_rule(
	struct str rule, int64_t start, struct recurrence *r, bool *utc_r, struct arena *a);

/* The value of an RRULE. until: what stands behind UNTIL=, as the caller has worked out;
 * STR_NONE: none. */
struct str recurrence_rule(const struct recurrence *r, struct str until, struct arena *a);

/* The element, in the order of classes.md 4; r->until is in UTC. */
void recurrence_write(const struct recurrence *r, const struct recurrence_tags *tags,
	enum eas_version v, struct arena *a, struct wbxml_writer *w);

/* e: the Recurrence element. start: as above, for what the device left out. r->until: UTC.
 * RC_INVALID: what is required is missing or out of its bounds. */
MUST_USE enum rc recurrence_read(const struct elem *e, const struct recurrence_tags *tags,
	int64_t start, struct recurrence *r, struct err *err);

/* Both come to the same occurrences. */
bool recurrence_same(const struct recurrence *x, const struct recurrence *y);

#endif
