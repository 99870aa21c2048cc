#include "tests/fake_event.h"

#include <libical/ical.h>

struct search {
	icaltime_span limit;
	bool found;
};

/* Of each time that libical finds between the limits; it does not look at the end of one that
 * takes no time. */
static void on_time(icalcomponent *c, struct icaltime_span *span, void *ctx)
{
	struct search *s = ctx;

	(void)c;
	if (span->end > s->limit.start || span->start >= s->limit.start)
		s->found = true;
}

static bool is_endless(icalcomponent *c)
{
	for (icalproperty *p = icalcomponent_get_first_property(c, ICAL_RRULE_PROPERTY); p;
		p = icalcomponent_get_next_property(c, ICAL_RRULE_PROPERTY)) {
		struct icalrecurrencetype r = icalproperty_get_rrule(p);

		if (r.count == 0 && icaltime_is_null_time(r.until))
			return true;
	}
	return false;
}

static bool takes_place(icalcomponent *c, int64_t from)
{
	struct icaltimetype start = icalcomponent_get_dtstart(c);
	struct icaltimetype first =
		icaltime_from_timet_with_zone(0, 0, icaltimezone_get_utc_timezone());
	struct icaltimetype last = first;
	struct search s = {.limit = {.start = (time_t)from}};

	if (icaltime_is_null_time(start))
		return false;
	if (is_endless(c))
		return true;
	first.year = 1900;
	last.year = 2200;
	icalcomponent_foreach_recurrence(c, first, last, on_time, &s);
	return s.found;
}

/* Calls `is` with each VEVENT until one is. */
static bool any_event(
	const char *text, bool (*is)(icalcomponent *c, const void *what), const void *what)
{
	icalcomponent *all = icalcomponent_new_from_string(text);
	bool r = false;

	if (!all)
		return false;
	for (icalcomponent *c = icalcomponent_get_first_component(all, ICAL_VEVENT_COMPONENT);
		c && !r; c = icalcomponent_get_next_component(all, ICAL_VEVENT_COMPONENT))
		r = is(c, what);
	icalcomponent_free(all);
	return r;
}

static bool is_since(icalcomponent *c, const void *from)
{
	return takes_place(c, *(const int64_t *)from);
}

bool fake_event_since(const char *text, int64_t from)
{
	return any_event(text, is_since, &from);
}

static bool has_uid(icalcomponent *c, const void *what)
{
	const char *uid = icalcomponent_get_uid(c);
	struct str part = *(const struct str *)what;

	return uid && str_isearch(str_of(uid), part) < str_of(uid).n;
}

bool fake_event_uid_has(const char *text, struct str uid)
{
	return any_event(text, has_uid, &uid);
}
