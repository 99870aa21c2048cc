#include "core/map/ical_tame.h"

enum {
	NESTED_MAX = 16,
	OBSERVANCES_MAX = 400,
	RULES_MAX = 100, /* of a zone */
	ZONE_BYTES_MAX = 128 * 1024,
};

/* A rule of a zone is yearly; others could keep the library busy for hours. */
static bool is_modest(struct str rule)
{
	static const char *const parts[] = {"FREQ=YEARLY",
		"BYMONTH=", "BYDAY=", "BYMONTHDAY=", "UNTIL=", "COUNT=", "INTERVAL=", "WKST="};
	struct str part;
	bool month = str_isearch(rule, STR("BYMONTH=")) < rule.n;

	while (str_next(&rule, ';', &part)) {
		size_t i = 0;

		/* Once or a few times a year, not daily. */
		if (str_istarts(part, "BYDAY=") && (!month || str_find(part, ',') < part.n))
			return false;

		while (i < ARRAY_LEN(parts) && !str_istarts(part, parts[i]))
			i++;
		if (i == ARRAY_LEN(parts))
			return false;
	}
	return true;
}

bool ical_zone_is_modest(const struct ical *c, const struct ical_part *zone)
{
	unsigned n = 0, rules = 0;

	for (const struct ical_part *p = zone->child; p; p = p->next) {
		if (++n > OBSERVANCES_MAX || !ical_find(p, NULL, "DTSTART") ||
			!ical_find(p, NULL, "TZOFFSETTO"))
			return false;
		for (struct ical_line *l = ical_find(p, NULL, "RRULE"); l;
			l = ical_find(p, l, "RRULE"))
			if (++rules > RULES_MAX || !is_modest(l->value))
				return false;
	}
	return n > 0 && ical_part_bytes(c, zone).n <= ZONE_BYTES_MAX;
}

/* Lines joined as RFC 5545 3.1 says. */
static struct str unfolded(struct str ics, struct arena *a)
{
	char *p = arena_alloc(a, ics.n + 1);
	size_t n = 0;

	for (size_t i = 0; i < ics.n; i++) {
		if (ics.p[i] == '\n' && i + 1 < ics.n &&
			(ics.p[i + 1] == ' ' || ics.p[i + 1] == '\t')) {
			i++;
			continue;
		}
		p[n++] = ics.p[i];
	}
	return (struct str){p, n};
}

/* Whether the library can be given it: not nested deeply, and not in too many pieces. */
static bool is_bounded(struct str ics, struct arena *a)
{
	struct str rest, line;
	size_t depth = 0, count = 0;

	rest = unfolded(ics, a);
	while (str_next(&rest, '\n', &line)) {
		line = str_trim(line);
		if (str_istarts(line, "BEGIN")) {
			if (++depth > NESTED_MAX || ++count > ICAL_PARTS_MAX)
				return false;
		} else if (str_istarts(line, "END:") && depth) {
			depth--;
		}
	}
	return true;
}

bool ical_tamed(struct str ics, struct arena *a, struct str *r)
{
	struct ical c;
	struct ical_part *next;
	enum rc rc;

	*r = ics;
	if (!is_bounded(ics, a))
		return false;
	rc = ical_read(ics, a, &c, NULL);
	/* What is cut or odd may be of use all the same, but its zones cannot be looked at. */
	if (rc)
		return rc == RC_INVALID && str_isearch(ics, STR("VTIMEZONE")) == ics.n;
	for (struct ical_part *p = ical_part_find(c.root, NULL, "VTIMEZONE"); p; p = next) {
		next = ical_part_find(c.root, p, "VTIMEZONE");
		if (!ical_zone_is_modest(&c, p))
			ical_part_remove(&c, p);
	}
	*r = ical_write(&c);
	return true;
}
