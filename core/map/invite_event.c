#include "core/map/invite_parts.h"

#include "core/base/utf8.h"
#include "core/map/ical_tame.h"

#include <stdlib.h>
#include <string.h>

enum {
	ICS_MAX = 1024 * 1024,
	TEXT_MAX = 32768,
};

static void free_component(void *p)
{
	icalcomponent_free(p);
}

/* Without what stands in no text, and would not come back from the library as it went in. */
static struct str cleaned(struct str ics, struct arena *a)
{
	struct str clean = utf8_cleaned(ics, a);
	char *p = arena_alloc(a, clean.n + 1);
	size_t n = 0;

	for (size_t i = 0; i < clean.n; i++)
		if (clean.p[i] != '\r' && clean.p[i] != 127)
			p[n++] = clean.p[i];
	return (struct str){p, n};
}

static icalcomponent *parse(struct str ics, struct arena *a)
{
	icalcomponent *root;

	if (ics.n == 0 || ics.n > ICS_MAX)
		return NULL;
	ics = cleaned(ics, a);
	if (!ical_tamed(ics, a, &ics))
		return NULL;
	/* The library's complaints would go to standard error, or end the process. */
	icalerror_set_errors_are_fatal(false);
	icalerror_set_error_state(ICAL_MALFORMEDDATA_ERROR, ICAL_ERROR_NONFATAL);
	root = icalparser_parse_string(arena_cstr(a, ics));
	if (!root)
		return NULL;
	arena_defer(a, free_component, root);
	if (icalcomponent_isa(root) == ICAL_XROOT_COMPONENT)
		root = icalcomponent_get_first_component(root, ICAL_VCALENDAR_COMPONENT);
	if (!root || icalcomponent_isa(root) != ICAL_VCALENDAR_COMPONENT)
		return NULL;
	icalcomponent_strip_errors(root);
	return root;
}

static struct str uid_of(icalcomponent *c)
{
	return str_of(icalcomponent_get_uid(c));
}

static struct str id_of(icalcomponent *c, struct arena *a)
{
	icalproperty *p = invite_property(c, ICAL_RECURRENCEID_PROPERTY);
	icalparameter *zone = icalproperty_get_first_parameter(p, ICAL_TZID_PARAMETER);
	const char *value = icalproperty_get_value_as_string(p);

	return arena_printf(
		a, "%s:%s", zone ? icalparameter_get_tzid(zone) : "", value ? value : "");
}

static struct invite_part part_of(icalcomponent *c, struct arena *a)
{
	struct invite_part r = {.c = c};
	struct icaltimetype t;

	r.exception = invite_property(c, ICAL_RECURRENCEID_PROPERTY) != NULL;
	if (r.exception)
		r.id = id_of(c, a);
	if (r.exception && invite_time(c, ICAL_RECURRENCEID_PROPERTY, &t)) {
		r.is_date = t.is_date;
		r.at = invite_unix(t);
	}
	return r;
}

bool invite_load(struct str ics, struct arena *a, size_t room, struct invite_event *r)
{
	struct str uid = STR_NONE;
	struct icaltimetype start;
	size_t n;

	*r = (struct invite_event){.calendar = parse(ics, a), .room = room, .a = a};
	if (!r->calendar)
		return false;
	n = (size_t)icalcomponent_count_components(r->calendar, ICAL_VEVENT_COMPONENT);
	if (n > INVITE_PARTS_MAX)
		return false;
	r->v = ARENA_ARRAY(a, struct invite_part, n + room + 1);
	for (icalcomponent *c =
			icalcomponent_get_first_component(r->calendar, ICAL_VEVENT_COMPONENT);
		c; c = icalcomponent_get_next_component(r->calendar, ICAL_VEVENT_COMPONENT)) {
		if (!uid.n)
			uid = uid_of(c);
		if (!uid.n || !str_eq(uid, uid_of(c)))
			continue;
		/* RFC 5545 3.6.1: one without is nowhere in the calendar. */
		if (!invite_time(c, ICAL_DTSTART_PROPERTY, &start))
			return false;
		r->v[r->n++] = part_of(c, a);
	}
	return r->n > 0;
}

struct str invite_text(const struct invite_event *e, struct arena *a)
{
	char *text = icalcomponent_as_ical_string_r(e->calendar);
	struct str r = text ? arena_str(a, str_of(text)) : STR_NONE;

	free(text);
	return r;
}

struct invite_part *invite_master(const struct invite_event *e)
{
	for (size_t i = 0; i < e->n; i++)
		if (e->v[i].c && !e->v[i].exception)
			return &e->v[i];
	return NULL;
}

struct invite_part *invite_first(const struct invite_event *e)
{
	struct invite_part *r = invite_master(e);

	for (size_t i = 0; i < e->n && !r; i++)
		if (e->v[i].c)
			r = &e->v[i];
	return r;
}

struct invite_part *invite_exception(const struct invite_event *e, const struct invite_part *p)
{
	for (size_t i = 0; i < e->n; i++) {
		struct invite_part *q = &e->v[i];

		if (q->c && q->exception &&
			((q->is_date == p->is_date && q->at == p->at) ||
				(p->id.n && str_eq(q->id, p->id))))
			return q;
	}
	return NULL;
}

struct invite_part *invite_add(struct invite_event *e, const struct invite_part *p)
{
	icalcomponent *copy = e->room ? icalcomponent_new_clone(p->c) : NULL;
	struct invite_part *r = &e->v[e->n];

	if (!copy)
		return NULL;
	icalcomponent_add_component(e->calendar, copy);
	e->room--;
	e->n++;
	*r = *p;
	r->c = copy;
	/* By the zones of this calendar. */
	if (invite_property(copy, ICAL_RECURRENCEID_PROPERTY))
		*r = part_of(copy, e->a);
	return r;
}

void invite_remove(struct invite_event *e, struct invite_part *p)
{
	icalcomponent_remove_component(e->calendar, p->c);
	icalcomponent_free(p->c);
	p->c = NULL;
}

static struct str zone_id(icalcomponent *zone)
{
	icalproperty *p = invite_property(zone, ICAL_TZID_PROPERTY);

	return p ? str_of(icalproperty_get_tzid(p)) : STR_NONE;
}

static bool has_zone(icalcomponent *calendar, struct str id)
{
	for (icalcomponent *c =
			icalcomponent_get_first_component(calendar, ICAL_VTIMEZONE_COMPONENT);
		c; c = icalcomponent_get_next_component(calendar, ICAL_VTIMEZONE_COMPONENT))
		if (str_eq(zone_id(c), id))
			return true;
	return false;
}

void invite_add_zones(struct invite_event *e, const struct invite_event *from)
{
	for (icalcomponent *c = icalcomponent_get_first_component(
		     from->calendar, ICAL_VTIMEZONE_COMPONENT);
		c;
		c = icalcomponent_get_next_component(from->calendar, ICAL_VTIMEZONE_COMPONENT))
		if (!has_zone(e->calendar, zone_id(c)))
			icalcomponent_add_component(e->calendar, icalcomponent_new_clone(c));
	/* What was the time of nowhere may have its zone now. */
	for (size_t i = 0; i < e->n; i++) {
		bool asked = e->v[i].asked;

		if (e->v[i].c)
			e->v[i] = part_of(e->v[i].c, e->a);
		e->v[i].asked = asked;
	}
}

icalproperty *invite_property(icalcomponent *c, icalproperty_kind kind)
{
	return icalcomponent_get_first_property(c, kind);
}

void invite_drop(icalcomponent *c, icalproperty_kind kind)
{
	for (icalproperty *p = invite_property(c, kind); p; p = invite_property(c, kind)) {
		icalcomponent_remove_property(c, p);
		icalproperty_free(p);
	}
}

static icalproperty *find_x(icalcomponent *c, const char *name)
{
	for (icalproperty *p = invite_property(c, ICAL_X_PROPERTY); p;
		p = icalcomponent_get_next_property(c, ICAL_X_PROPERTY))
		if (str_iis(str_of(icalproperty_get_x_name(p)), name))
			return p;
	return NULL;
}

struct str invite_x(icalcomponent *c, const char *name, struct arena *a)
{
	icalproperty *p = find_x(c, name);
	const char *v = p ? icalproperty_get_value_as_string(p) : NULL;

	return v ? utf8_cleaned(utf8_cut(arena_str(a, str_of(v)), TEXT_MAX), a) : STR_NONE;
}

void invite_set_x(icalcomponent *c, const char *name, const char *value)
{
	icalproperty *p;

	for (p = find_x(c, name); p; p = find_x(c, name)) {
		icalcomponent_remove_property(c, p);
		icalproperty_free(p);
	}
	p = icalproperty_new_x(value);
	icalproperty_set_x_name(p, name);
	icalcomponent_add_property(c, p);
}

bool invite_time(icalcomponent *c, icalproperty_kind kind, struct icaltimetype *r)
{
	icalproperty *p = invite_property(c, kind);

	if (!p)
		return false;
	*r = icalproperty_get_datetime_with_component(p, c);
	return !icaltime_is_null_time(*r) && icaltime_is_valid_time(*r);
}

int64_t invite_unix(struct icaltimetype t)
{
	return icaltime_as_timet_with_zone(
		t, t.zone ? t.zone : icaltimezone_get_utc_timezone());
}

struct str invite_address(icalproperty *p, struct arena *a)
{
	const char *v = icalproperty_get_value_as_string(p);
	struct str r = str_trim(v ? arena_str(a, str_sub(str_of(v), 0, 1024)) : STR_NONE);

	return str_istarts(r, "mailto:") ? str_trim(str_sub(r, 7, r.n)) : r;
}

icalproperty *invite_attendee(icalcomponent *c, struct str user, struct arena *a)
{
	for (icalproperty *p = invite_property(c, ICAL_ATTENDEE_PROPERTY); p;
		p = icalcomponent_get_next_property(c, ICAL_ATTENDEE_PROPERTY))
		if (str_ieq(invite_address(p, a), user))
			return p;
	return NULL;
}

struct str invite_organizer(const struct invite_event *e, struct arena *a)
{
	icalproperty *p = invite_property(invite_first(e)->c, ICAL_ORGANIZER_PROPERTY);

	return p ? invite_address(p, a) : STR_NONE;
}

icalparameter_partstat invite_partstat(icalproperty *attendee)
{
	icalparameter *p =
		attendee ? icalproperty_get_first_parameter(attendee, ICAL_PARTSTAT_PARAMETER)
			 : NULL;

	return p ? icalparameter_get_partstat(p) : ICAL_PARTSTAT_NEEDSACTION;
}

void invite_occurrence(const struct invite_part *master, int64_t instance,
	struct invite_part *r, struct icaltimetype *time_r)
{
	struct icaltimetype start = icaltime_null_time(), t;
	const icaltimezone *zone;

	(void)invite_time(master->c, ICAL_DTSTART_PROPERTY, &start);
	if (start.is_date) {
		instance = (instance + 43200) / 86400 * 86400;
		t = icaltime_from_timet_with_zone((time_t)instance, 1, NULL);
	} else {
		zone = start.zone ? start.zone : icaltimezone_get_utc_timezone();
		t = icaltime_from_timet_with_zone((time_t)instance, 0, zone);
		t.zone = start.zone;
	}
	*r = (struct invite_part){.exception = true, .is_date = start.is_date, .at = instance};
	*time_r = t;
}
