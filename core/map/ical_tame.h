/*
 * ical_tame: what may be given to libical. Of a VTIMEZONE it works out each time at which the
 * clock changes up to some year to come: a zone with rules that say "each second" would keep it
 * busy for hours. It goes down into components by recursion, so there is a bound to that, too.
 */
#ifndef EASPOOL_CORE_MAP_ICAL_TAME_H
#define EASPOOL_CORE_MAP_ICAL_TAME_H

#include "core/map/ical.h"

/* Not many rules, and each for one day or a few of a year. */
bool ical_zone_is_modest(const struct ical *c, const struct ical_part *zone);
/* The object without those that are not: times in them are read as if they had none. False: it
 * is nothing for libical. */
bool ical_tamed(struct str ics, struct arena *a, struct str *r);

#endif
