#include "core/map/meeting.h"

#include "core/base/base64.h"
#include "core/base/clock.h"
#include "core/base/utf8.h"
#include "core/map/ical_tame.h"
#include "core/map/recurrence.h"
#include "core/map/timezone.h"

#include <libical/ical.h>
#include <stdlib.h>
#include <string.h>

enum { ICS_MAX = 1024 * 1024, TEXT_MAX = 32768 };

/* A text of one of our own, freed with its arena. */
struct meeting {
	icalcomponent *calendar, *event;
};

static void free_component(void *p)
{
	icalcomponent_free(p);
}

static bool parse(struct str ics, struct arena *a, struct meeting *r)
{
	*r = (struct meeting){NULL, NULL};
	if (ics.n == 0 || ics.n > ICS_MAX || !ical_tamed(ics, a, &ics))
		return false;
	/* The library's complaints would go to standard error, or end the process. */
	icalerror_set_errors_are_fatal(false);
	icalerror_set_error_state(ICAL_MALFORMEDDATA_ERROR, ICAL_ERROR_NONFATAL);
	r->calendar = icalparser_parse_string(arena_cstr(a, ics));
	if (!r->calendar)
		return false;
	arena_defer(a, free_component, r->calendar);
	if (icalcomponent_isa(r->calendar) != ICAL_VCALENDAR_COMPONENT)
		return false;
	r->event = icalcomponent_get_first_component(r->calendar, ICAL_VEVENT_COMPONENT);
	return r->event != NULL;
}

static icalproperty *first(const struct meeting *m, icalproperty_kind kind)
{
	return icalcomponent_get_first_property(m->event, kind);
}

/* The value of a property by its name, as it stands; STR_NONE. */
static struct str value_of(const struct meeting *m, const char *name, struct arena *a)
{
	for (icalproperty *p = first(m, ICAL_ANY_PROPERTY); p;
		p = icalcomponent_get_next_property(m->event, ICAL_ANY_PROPERTY)) {
		const char *has = icalproperty_get_property_name(p);
		const char *v;

		if (!has || !str_iis(str_of(has), name))
			continue;
		v = icalproperty_get_value_as_string(p);
		return utf8_cleaned(utf8_cut(arena_str(a, str_of(v ? v : "")), TEXT_MAX), a);
	}
	return STR_NONE;
}

static enum meeting_kind kind_of_answer(const struct meeting *m)
{
	icalproperty *p = first(m, ICAL_ATTENDEE_PROPERTY);
	icalparameter *status =
		p ? icalproperty_get_first_parameter(p, ICAL_PARTSTAT_PARAMETER) : NULL;

	switch (status ? icalparameter_get_partstat(status) : ICAL_PARTSTAT_NONE) {
	case ICAL_PARTSTAT_ACCEPTED:
		return MEETING_ACCEPTED;
	case ICAL_PARTSTAT_DECLINED:
		return MEETING_DECLINED;
	case ICAL_PARTSTAT_TENTATIVE:
		return MEETING_TENTATIVE;
	default:
		return MEETING_NONE;
	}
}

enum meeting_kind meeting_kind(struct str ics, struct str method)
{
	struct arena *a = arena_new();
	enum meeting_kind kind = MEETING_NONE;
	struct meeting m;

	if (parse(ics, a, &m)) {
		if (!method.n)
			method = str_of(icalproperty_method_to_string(
				icalcomponent_get_method(m.calendar)));
		kind = str_iis(method, "REQUEST")  ? MEETING_REQUEST
		       : str_iis(method, "CANCEL") ? MEETING_CANCELED
		       : str_iis(method, "REPLY")  ? kind_of_answer(&m)
						   : MEETING_NONE;
	}
	arena_free(a);
	return kind;
}

static int zone_offset(void *ctx, int64_t t, bool *daylight_r)
{
	struct icaltimetype utc =
		icaltime_from_timet_with_zone((time_t)t, 0, icaltimezone_get_utc_timezone());
	int is_daylight = 0;
	int offset = icaltimezone_get_utc_offset_of_utc_time(ctx, &utc, &is_daylight);

	*daylight_r = is_daylight != 0;
	return offset;
}

struct times {
	int64_t start, end;
	int64_t local_start; /* by its own clock, as if that were UTC */
	bool all_day;
	icaltimezone *zone; /* NULL: UTC or floating */
	int year;
};

static int64_t unix_time(struct icaltimetype t)
{
	return icaltime_as_timet_with_zone(
		t, t.zone ? t.zone : icaltimezone_get_utc_timezone());
}

/* Seconds since 1970 as if the time's own clock were UTC. */
static int64_t local_time(struct icaltimetype t)
{
	t.zone = NULL;
	return unix_time(t);
}

/* Requirements 4.5: DTEND, or DURATION, or neither. */
static bool read_times(const struct meeting *m, struct times *r)
{
	struct icaltimetype start = icalcomponent_get_dtstart(m->event), end;
	icalproperty *p = first(m, ICAL_DURATION_PROPERTY);

	*r = (struct times){0};
	if (icaltime_is_null_time(start) || !icaltime_is_valid_time(start))
		return false;
	r->all_day = start.is_date;
	r->start = unix_time(start);
	r->local_start = local_time(start);
	r->year = start.year;
	if (start.zone && !icaltime_is_utc(start))
		r->zone = (icaltimezone *)(uintptr_t)start.zone;
	end = icalcomponent_get_dtend(m->event);
	if (first(m, ICAL_DTEND_PROPERTY) && !icaltime_is_null_time(end))
		r->end = unix_time(end);
	else if (p)
		r->end = r->start + icaldurationtype_as_int(icalproperty_get_duration(p));
	else
		r->end = r->start + (r->all_day ? 86400 : 0);
	if (r->end < r->start)
		r->end = r->start;
	return true;
}

static void write_time(struct wbxml_writer *w, tag_t tag, int64_t t, struct arena *a)
{
	wbxml_text(w, tag, clock_dashed(a, t));
}

/* "Name" <address> */
static void write_organizer(const struct meeting *m, struct arena *a, struct wbxml_writer *w)
{
	icalproperty *p = first(m, ICAL_ORGANIZER_PROPERTY);
	icalparameter *cn = p ? icalproperty_get_first_parameter(p, ICAL_CN_PARAMETER) : NULL;
	struct str address = p ? str_of(icalproperty_get_organizer(p)) : STR_NONE;
	struct str name = cn ? str_of(icalparameter_get_cn(cn)) : STR_NONE;

	if (str_istarts(address, "mailto:"))
		address = str_sub(address, 7, address.n);
	if (!address.n)
		return;
	wbxml_text(w, EMAIL_ORGANIZER,
		name.n ? arena_printf(a, "\"%.*s\" <%.*s>", STR_FMT(name), STR_FMT(address))
		       : address);
}

static bool is_yes(icalproperty *attendee)
{
	icalparameter *rsvp = icalproperty_get_first_parameter(attendee, ICAL_RSVP_PARAMETER);

	return rsvp && icalparameter_get_rsvp(rsvp) == ICAL_RSVP_TRUE;
}

/* Whether the user is asked for an answer: his own ATTENDEE, else any. */
static bool wants_answer(const struct meeting *m, struct str user)
{
	bool any = false;

	for (icalproperty *p = first(m, ICAL_ATTENDEE_PROPERTY); p;
		p = icalcomponent_get_next_property(m->event, ICAL_ATTENDEE_PROPERTY)) {
		struct str address = str_of(icalproperty_get_attendee(p));

		if (str_istarts(address, "mailto:"))
			address = str_sub(address, 7, address.n);
		if (user.n && str_ieq(address, user))
			return is_yes(p);
		any = any || is_yes(p);
	}
	return any;
}

static unsigned sensitivity(const struct meeting *m)
{
	icalproperty *p = first(m, ICAL_CLASS_PROPERTY);
	struct str v = p ? str_of(icalproperty_get_value_as_string(p)) : STR_NONE;

	return str_iis(v, "PRIVATE") ? 2 : str_iis(v, "CONFIDENTIAL") ? 3 : 0;
}

static unsigned busy_status(const struct meeting *m, struct arena *a)
{
	static const struct {
		const char *value;
		unsigned status;
	} rows[] = {
		{"FREE",      0},
                {"TENTATIVE", 1},
                {"BUSY",      2},
                {"OOF",       3}
        };
	struct str v = value_of(m, "X-MICROSOFT-CDO-INTENDEDSTATUS", a);

	if (!v.n)
		v = value_of(m, "X-MICROSOFT-CDO-BUSYSTATUS", a);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (str_iis(v, rows[i].value))
			return rows[i].status;
	v = value_of(m, "TRANSP", a);
	return str_iis(v, "TRANSPARENT") ? 0 : 2;
}

static void write_reminder(const struct meeting *m, struct wbxml_writer *w)
{
	icalcomponent *alarm =
		icalcomponent_get_first_component(m->event, ICAL_VALARM_COMPONENT);
	icalproperty *p =
		alarm ? icalcomponent_get_first_property(alarm, ICAL_TRIGGER_PROPERTY) : NULL;
	struct icaltriggertype t;
	int minutes;

	if (!p)
		return;
	t = icalproperty_get_trigger(p);
	if (!icaltime_is_null_time(t.time))
		return;
	minutes = -icaldurationtype_as_int(t.duration) / 60;
	if (minutes >= 0)
		wbxml_int(w, EMAIL_REMINDER, minutes);
}

/* A rule that devices cannot be told is left out: the series stays one by its InstanceType. */
static void write_recurrence(const struct meeting *m, const struct times *t, enum eas_version v,
	struct arena *a, struct wbxml_writer *w)
{
	struct str rule = value_of(m, "RRULE", a);
	struct icaltimetype until;
	struct recurrence r;
	icalproperty *p = first(m, ICAL_RRULE_PROPERTY);
	bool utc;

	if (!p || !recurrence_of_rule(rule, t->local_start, &r, &utc, a))
		return;
	if (r.has_until && !utc) {
		until = icaltime_from_timet_with_zone((time_t)r.until, 0, NULL);
		until.zone = t->zone;
		r.until = unix_time(until);
	}
	wbxml_open(w, EMAIL_RECURRENCES);
	recurrence_write(&r, &recurrence_email, v, a, w);
	wbxml_close(w, EMAIL_RECURRENCES);
}

static void put_bytes(struct buf *b, const char *hex)
{
	for (; hex[0] && hex[1]; hex += 2) {
		char pair[3] = {hex[0], hex[1], '\0'};

		buf_addc(b, (char)strtoul(pair, NULL, 16));
	}
}

#define OUTLOOK_ID "040000008200E00074C5B7101A82E008"

static bool is_hex(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!strchr("0123456789abcdefABCDEF", s.p[i]))
			return false;
	return s.n > 0 && s.n % 2 == 0;
}

static void put_instance(char *p, int64_t days)
{
	unsigned month, day;
	int year;

	clock_civil(days, &year, &month, &day);
	p[0] = (char)(year >> 8);
	p[1] = (char)(year & 0xff);
	p[2] = (char)month;
	p[3] = (char)day;
}

struct str meeting_global_id(struct str uid, int64_t instance, struct arena *a)
{
	struct buf b, text;
	struct str r;

	buf_init(&b, BUF_MAX_LINE);
	buf_init(&text, BUF_MAX_LINE);
	uid = str_sub(uid, 0, 4096);
	if (str_istarts(uid, OUTLOOK_ID) && is_hex(uid) && uid.n >= 80) {
		put_bytes(&b, arena_cstr(a, uid));
	} else {
		uint32_t n = (uint32_t)uid.n + 13;

		put_bytes(&b, OUTLOOK_ID);
		for (unsigned i = 0; i < 20; i++)
			buf_addc(&b, '\0');
		for (unsigned i = 0; i < 4; i++)
			buf_addc(&b, (char)(n >> (8 * i) & 0xff));
		buf_add(&b, "vCal-Uid\1\0\0\0", 12);
		buf_add_str(&b, uid);
		buf_addc(&b, '\0');
	}
	if (instance && b.n >= 20)
		put_instance(b.p + 16, instance);
	base64_encode(buf_str(&b), &text);
	r = arena_str(a, buf_str(&text));
	buf_release(&b);
	buf_release(&text);
	return r;
}

void meeting_write(struct str ics, struct str user, enum eas_version v, struct arena *a,
	struct wbxml_writer *w)
{
	struct arena *own = arena_new();
	struct icaltimetype stamp, instance;
	struct meeting m;
	struct times t;
	bool recurs;

	if (!parse(ics, own, &m) || !read_times(&m, &t)) {
		arena_free(own);
		return;
	}
	stamp = icalcomponent_get_dtstamp(m.event);
	instance = icalcomponent_get_recurrenceid(m.event);
	recurs = first(&m, ICAL_RRULE_PROPERTY) != NULL;
	wbxml_open(w, EMAIL_MEETING_REQUEST);
	wbxml_bool(w, EMAIL_ALL_DAY_EVENT, t.all_day);
	write_time(w, EMAIL_START_TIME, t.start, own);
	write_time(w, EMAIL_DT_STAMP, icaltime_is_null_time(stamp) ? t.start : unix_time(stamp),
		own);
	write_time(w, EMAIL_END_TIME, t.end, own);
	wbxml_int(w, EMAIL_INSTANCE_TYPE,
		!icaltime_is_null_time(instance) ? 2
		: recurs                         ? 1
						 : 0);
	wbxml_text_if(w, EMAIL_LOCATION, str_of(icalcomponent_get_location(m.event)));
	write_organizer(&m, own, w);
	if (!icaltime_is_null_time(instance))
		write_time(w, EMAIL_RECURRENCE_ID, unix_time(instance), own);
	write_reminder(&m, w);
	wbxml_bool(w, EMAIL_RESPONSE_REQUESTED, wants_answer(&m, user));
	write_recurrence(&m, &t, v, own, w);
	wbxml_int(w, EMAIL_SENSITIVITY, sensitivity(&m));
	wbxml_int(w, EMAIL_BUSY_STATUS, busy_status(&m, own));
	wbxml_text(w, EMAIL_TIME_ZONE,
		timezone_blob(zone_offset, t.zone, t.year ? t.year : 2000, own));
	wbxml_text(w, EMAIL_GLOBAL_OBJ_ID,
		meeting_global_id(str_of(icalcomponent_get_uid(m.event)),
			icaltime_is_null_time(instance) ? 0 : unix_time(instance) / 86400,
			own));
	if (v >= V140)
		wbxml_bool(w, EMAIL_DISALLOW_NEW_TIME_PROPOSAL,
			str_iis(value_of(&m, "X-MICROSOFT-DISALLOW-COUNTER", own), "TRUE"));
	if (v >= V141)
		wbxml_int(w, EMAIL2_MEETING_MESSAGE_TYPE,
			icalcomponent_get_sequence(m.event) > 0 ? 2 : 1);
	wbxml_close(w, EMAIL_MEETING_REQUEST);
	arena_free(own);
	(void)a;
}
