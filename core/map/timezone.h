/*
 * timezone: the TimeZone structure of [MS-ASDTYPE] 2.7.6, classes.md 9: 172 bytes in base64.
 */
#ifndef EASPOOL_CORE_MAP_TIMEZONE_H
#define EASPOOL_CORE_MAP_TIMEZONE_H

#include "core/base/arena.h"
#include "core/base/err.h"

/* Offset from UTC in seconds at a moment, and whether daylight saving time is in force. */
typedef int (*timezone_offset)(void *ctx, int64_t t, bool *daylight_r);

/* The rule in force in that year, whatever form the zone's own rules have. ctx NULL: UTC. */
struct str timezone_blob(timezone_offset offset, void *ctx, int year, struct arena *a);

/* A zone as a device tells it: one rule, in force in all years. */
struct timezone_rule {
	int standard, daylight; /* seconds that local time is ahead of UTC; the same: there is
				   no daylight saving time */
	struct timezone_change {
		unsigned month; /* 1-12 */
		unsigned week;  /* 1-4; 5: the last */
		unsigned day;   /* 0 Sunday */
		int second;     /* of the day, by the clock before the change */
	} begins_standard, begins_daylight;
	struct str name; /* StandardName, UTF-8; may be empty, and in any language */
};

/* The structure that a device sent; absolute dates of change become rules. RC_INVALID. */
MUST_USE enum rc timezone_read(
	struct str base64, struct arena *a, struct timezone_rule *r, struct err *err);
/* The rule of a zone in that year, as timezone_blob() has it. Daylight is the later offset,
 * also where the law calls the winter a special time. */
void timezone_rule_of(timezone_offset offset, void *ctx, int year, struct timezone_rule *r);
/* Whether both say the same of every moment; names do not count. */
bool timezone_same(const struct timezone_rule *x, const struct timezone_rule *y);
/* The structure that says the rule; its names stay empty. */
struct str timezone_rule_blob(const struct timezone_rule *r, struct arena *a);
/* A timezone_offset; ctx: the rule. */
int timezone_rule_offset(void *ctx, int64_t t, bool *daylight_r);
/* The moment at which the local clock shows `local` (seconds since 1970 as if it were UTC). Of
 * a time that there is twice the first; one that is skipped is read with the offset before. */
int64_t timezone_utc(const struct timezone_rule *r, int64_t local);
/* An Olson name for the rule ("Europe/Berlin"), by its name where that helps, else the most
 * usual zone; where there is none a name of our own that says the offsets. Never empty. */
struct str timezone_tzid(const struct timezone_rule *r, struct arena *a);
/* The Olson name of a zone that Windows calls so; NULL: there is none. */
const char *timezone_olson(struct str windows);
/* VTIMEZONE with that TZID, whole, lines end in CRLF. */
struct str timezone_component(const struct timezone_rule *r, struct str tzid, struct arena *a);

#endif
