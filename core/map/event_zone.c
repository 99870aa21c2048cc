/* Time zones of an object: its VTIMEZONEs, and what stands for those that are not there. */
#include "core/base/clock.h"
#include "core/map/event_parts.h"
#include "core/map/ical_tame.h"

#include <libical/ical.h>

enum {
	ZONES_MAX = 200,
};

/* Zones by name, found or not. */
struct event_zones {
	struct named {
		struct named *next;
		struct event_zone zone;
		bool found;
	} * first;
	size_t n;
};

static void free_zone(void *p)
{
	icaltimezone_free(p, 1);
}

/*
 * The library knows the changes of a zone up to 2035. The calendar of any year is that of the
 * one 28 years before (but for 2100 and its like), so the rules are too.
 */
static int zone_offset(void *ctx, int64_t t, bool *daylight_r)
{
	static const int64_t cycle = (28 * 365 + 7) * (int64_t)EVENT_DAY;
	int64_t limit = clock_days(2035, 1, 1) * EVENT_DAY;
	struct icaltimetype utc;
	int is_daylight = 0, offset;

	if (t >= limit)
		t -= ((t - limit) / cycle + 1) * cycle;
	utc = icaltime_from_timet_with_zone((time_t)t, 0, icaltimezone_get_utc_timezone());
	offset = icaltimezone_get_utc_offset_of_utc_time(ctx, &utc, &is_daylight);
	*daylight_r = is_daylight != 0;
	return offset > -EVENT_DAY && offset < EVENT_DAY ? offset : 0;
}

int64_t event_local(const struct event_zone *z, int64_t utc)
{
	bool dst;

	return z->offset ? utc + z->offset(z->ctx, utc, &dst) : utc;
}

int64_t event_utc(const struct event_zone *z, int64_t local)
{
	bool dst;
	int before, after, first, last;

	if (!z->offset)
		return local;
	before = z->offset(z->ctx, local - EVENT_DAY, &dst);
	after = z->offset(z->ctx, local + EVENT_DAY, &dst);
	first = before > after ? before : after;
	last = before > after ? after : before;
	if (z->offset(z->ctx, local - first, &dst) == first)
		return local - first;
	if (z->offset(z->ctx, local - last, &dst) == last)
		return local - last;
	return local - before;
}

int event_year(int64_t local)
{
	unsigned month, day;
	int year;

	clock_civil(local >= 0 ? local / EVENT_DAY : -((EVENT_DAY - 1 - local) / EVENT_DAY),
		&year, &month, &day);
	return year;
}

struct str event_blob(const struct event_zone *z, int year, struct arena *a)
{
	/* Whatever tells no offset is UTC. */
	return z->offset ? timezone_blob(z->offset, z->ctx, year, a)
			 : timezone_blob(zone_offset, NULL, year, a);
}

static bool from_component(
	const struct event *e, const struct ical_part *p, struct event_zone *z)
{
	icalcomponent *component;
	icaltimezone *zone;

	if (!ical_zone_is_modest(&e->ical, p))
		return false;
	component = icalparser_parse_string(arena_cstr(e->a, ical_part_bytes(&e->ical, p)));
	if (!component)
		return false;
	zone = icaltimezone_new();
	if (!icaltimezone_set_component(zone, component)) {
		icalcomponent_free(component);
		icaltimezone_free(zone, 1);
		return false;
	}
	arena_defer(e->a, free_zone, zone);
	z->offset = zone_offset;
	z->ctx = zone;
	return true;
}

static struct ical_part *component_of(const struct event *e, struct str tzid)
{
	for (struct ical_part *p = ical_part_find(e->ical.root, NULL, "VTIMEZONE"); p;
		p = ical_part_find(e->ical.root, p, "VTIMEZONE")) {
		const struct ical_line *l = ical_find(p, NULL, "TZID");

		if (l && str_eq(str_trim(l->value), tzid))
			return p;
	}
	return NULL;
}

/* RFC 7809: a zone that everybody knows may go without its component. */
static bool from_world(const struct event *e, struct str tzid, struct event_zone *z)
{
	icaltimezone *zone = icaltimezone_get_builtin_timezone(arena_cstr(e->a, tzid));

	if (!zone)
		return false;
	/* It loads the rules only now. */
	if (!icaltimezone_get_component(zone))
		return false;
	z->offset = zone_offset;
	z->ctx = zone;
	return true;
}

/* What is UTC needs no component, whichever others there are. */
static bool is_utc_name(struct str tzid)
{
	static const char *const names[] = {"UTC", "Etc/UTC", "GMT", "Etc/GMT", "Z"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (str_iis(tzid, names[i]))
			return true;
	return false;
}

/* Outlook and Exchange name zones as Windows does, and others copy the name alone. */
static bool from_windows(const struct event *e, struct str tzid, struct event_zone *z)
{
	const char *olson = timezone_olson(tzid);

	return olson && from_world(e, str_of(olson), z);
}

static bool look_up(const struct event *e, struct str tzid, struct event_zone *z)
{
	const struct ical_part *p = component_of(e, tzid);

	*z = (struct event_zone){.tzid = tzid};
	/* The library's complaints would go to standard error, or end the process. */
	icalerror_set_errors_are_fatal(false);
	icalerror_set_error_state(ICAL_MALFORMEDDATA_ERROR, ICAL_ERROR_NONFATAL);
	icalerror_set_error_state(ICAL_PARSE_ERROR, ICAL_ERROR_NONFATAL);
	if (p)
		return from_component(e, p, z);
	return is_utc_name(tzid) || from_world(e, tzid, z) || from_windows(e, tzid, z);
}

bool event_zone_named(const struct event *e, struct str tzid, struct event_zone *z)
{
	struct event_zones *all = e->zones;
	struct named *n;

	tzid = str_trim(tzid);
	for (n = all->first; n; n = n->next)
		if (str_eq(n->zone.tzid, tzid)) {
			*z = n->zone;
			return n->found;
		}
	if (all->n >= ZONES_MAX)
		return false;
	n = ARENA_NEW(e->a, struct named);
	n->found = look_up(e, arena_str(e->a, tzid), &n->zone);
	n->next = all->first;
	all->first = n;
	all->n++;
	*z = n->zone;
	return n->found;
}

void event_zone_first(const struct event *e, struct event_zone *z)
{
	for (struct ical_part *p = ical_part_find(e->ical.root, NULL, "VTIMEZONE"); p;
		p = ical_part_find(e->ical.root, p, "VTIMEZONE")) {
		const struct ical_line *l = ical_find(p, NULL, "TZID");

		if (l && event_zone_named(e, l->value, z))
			return;
	}
	*z = (struct event_zone){.offset = NULL};
}

/* What a device that is told of a zone understands of it. */
void event_zone_rule(
	const struct event_zone *z, int year, struct arena *a, struct timezone_rule *r)
{
	*r = (struct timezone_rule){.standard = 0};
	if (z->offset && timezone_read(event_blob(z, year, a), a, r, NULL))
		*r = (struct timezone_rule){.standard = 0};
}

static bool is_utc(const struct timezone_rule *r)
{
	struct timezone_rule utc = {.standard = 0};

	return timezone_same(r, &utc);
}

/* A zone of the object that says the same. */
static bool has_zone(
	struct event *e, const struct timezone_rule *r, int year, struct event_zone *z)
{
	unsigned n = 0;

	for (struct ical_part *p = ical_part_find(e->ical.root, NULL, "VTIMEZONE");
		p && n < ZONES_MAX; p = ical_part_find(e->ical.root, p, "VTIMEZONE"), n++) {
		const struct ical_line *l = ical_find(p, NULL, "TZID");
		struct timezone_rule its;

		if (!l || !event_zone_named(e, l->value, z))
			continue;
		event_zone_rule(z, year, e->a, &its);
		if (timezone_same(&its, r))
			return true;
	}
	return false;
}

void event_zone_add(
	struct event *e, const struct timezone_rule *r, int year, struct event_zone *z)
{
	struct timezone_rule *own;
	struct str tzid;
	unsigned n = 1;

	*z = (struct event_zone){.offset = NULL};
	if (is_utc(r) || has_zone(e, r, year, z))
		return;
	own = ARENA_NEW(e->a, struct timezone_rule);
	*own = *r;
	tzid = timezone_tzid(r, e->a);
	/* One of that name has another rule. */
	for (struct str name = tzid; component_of(e, tzid);)
		tzid = arena_printf(e->a, "%.*s %u", STR_FMT(name), ++n);
	(void)ical_part_add(&e->ical, e->ical.root, timezone_component(r, tzid, e->a));
	*z = (struct event_zone){.offset = timezone_rule_offset, .ctx = own, .tzid = tzid};
}

struct event_zones *event_zones_new(struct arena *a)
{
	return ARENA_NEW(a, struct event_zones);
}
