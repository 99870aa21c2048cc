/*
 * clock: the only source of time, so that a test can set it.
 */
#ifndef EASPOOL_CORE_BASE_CLOCK_H
#define EASPOOL_CORE_BASE_CLOCK_H

#include "core/base/arena.h"

int64_t clock_now_ms(void);  /* wall time, milliseconds since 1970 UTC */
int64_t clock_now(void);     /* wall time, seconds */
int64_t clock_mono_ms(void); /* never goes back; for durations and timeouts */

/* Tests: both clocks show `ms` from now on (until set again); a negative value gives them back.
 */
void clock_set_fake(int64_t ms);

/* EAS date formats, classes.md section 0: "2000-12-25T08:35:00.000Z" and "20001225T083500Z". */
struct str clock_dashed(struct arena *a, int64_t unix_seconds);
struct str clock_compact(struct arena *a, int64_t unix_seconds);
/* Reads either form, milliseconds optional; RC_INVALID otherwise. */
MUST_USE enum rc clock_parse(struct str text, int64_t *unix_seconds_r);

/* Days since 1970-01-01 of a proleptic Gregorian date, and back: date arithmetic without libc.
 */
int64_t clock_days(int year, unsigned month, unsigned day);
void clock_civil(int64_t days, int *year_r, unsigned *month_r, unsigned *day_r);

#endif
