/*
 * timezone: the TimeZone structure of [MS-ASDTYPE] 2.7.6, classes.md 9: 172 bytes in base64.
 */
#ifndef EASPOOL_CORE_MAP_TIMEZONE_H
#define EASPOOL_CORE_MAP_TIMEZONE_H

#include "core/base/arena.h"

/* Offset from UTC in seconds at a moment, and whether daylight saving time is in force. */
typedef int (*timezone_offset)(void *ctx, int64_t t, bool *daylight_r);

/* The rule in force in that year, whatever form the zone's own rules have. ctx NULL: UTC. */
struct str timezone_blob(timezone_offset offset, void *ctx, int year, struct arena *a);

#endif
