/*
 * timezone_parts: what the files of timezone.h share.
 */
#ifndef EASPOOL_CORE_MAP_TIMEZONE_PARTS_H
#define EASPOOL_CORE_MAP_TIMEZONE_PARTS_H

#include "core/map/timezone.h"

/* When the change comes in that year, as its clock before shows. */
int64_t timezone_change_local(const struct timezone_change *c, int year);
/* The rule with the later offset as daylight. */
struct timezone_rule timezone_sorted(const struct timezone_rule *r);
/* "+0530"; with seconds where there are any. */
struct str timezone_offset_text(int offset, struct arena *a);

#endif
