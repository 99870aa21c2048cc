/* What a device is told of an event. */
#include "core/base/clock.h"
#include "core/base/utf8.h"
#include "core/map/event_parts.h"

struct event_zone event_shown_zone(const struct event *e)
{
	return e->start.is_date || e->start.is_floating ? e->home : e->start.zone;
}

/* A moment; of a date the midnight in the zone that the device is told. */
static void write_time(
	const struct event *e, tag_t tag, int64_t t, bool is_date, struct wbxml_writer *w)
{
	struct event_zone zone = event_shown_zone(e);

	wbxml_text(w, tag, clock_compact(e->a, is_date ? event_utc(&zone, t) : t));
}

static void write_stamp(const struct event *e, struct wbxml_writer *w)
{
	static const char *const names[] = {"DTSTAMP", "LAST-MODIFIED"};
	struct event_time t;

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (event_time_of(e, e->master, names[i], &t)) {
			wbxml_text(w, CALENDAR_DT_STAMP, clock_compact(e->a, t.utc));
			return;
		}
}

static bool same_times(const struct event_look *x, const struct event_look *y)
{
	return x->start == y->start && x->end == y->end && x->all_day == y->all_day;
}

/* from: of an instance, the series; what is the same is left out. */
static void write_times(const struct event *e, const struct event_look *l,
	const struct event_look *from, struct wbxml_writer *w)
{
	if (!from || l->all_day != from->all_day)
		wbxml_bool(w, CALENDAR_ALL_DAY_EVENT, l->all_day);
	if (from && same_times(l, from))
		return;
	write_time(e, CALENDAR_START_TIME, l->start, l->all_day, w);
	write_time(e, CALENDAR_END_TIME, l->end, l->all_day, w);
}

static void write_texts(
	const struct event_look *l, const struct event_look *from, struct wbxml_writer *w)
{
	for (size_t i = 0; i < EVENT_TEXTS; i++) {
		if (!from)
			wbxml_text_if(w, event_texts[i].tag, l->texts[i]);
		else if (!str_eq(l->texts[i], from->texts[i]))
			/* An empty one is none here. */
			wbxml_text(
				w, event_texts[i].tag, l->texts[i].n ? l->texts[i] : STR(""));
	}
}

/* What an Exception has no element for: classes.md 5 of proposals, and before 14.1 one that
 * says that there is no reminder. */
static bool is_untold(const struct event *e, enum event_number i, const struct event_look *l)
{
	return i == EVENT_NO_COUNTER ||
	       (i == EVENT_REMINDER && l->numbers[i] < 0 && e->o->version < V141);
}

static void write_numbers(const struct event *e, const struct event_look *l,
	const struct event_look *from, struct wbxml_writer *w)
{
	for (size_t i = 0; i < EVENT_NUMBERS; i++) {
		const struct event_number_row *row = &event_numbers[i];

		if (e->o->version < row->since || (from && l->numbers[i] == from->numbers[i]))
			continue;
		if (from && is_untold(e, (enum event_number)i, l))
			continue;
		if (l->numbers[i] >= 0)
			wbxml_int(w, row->tag, l->numbers[i]);
		else if (from)
			wbxml_empty(w, row->tag);
	}
}

static void write_categories(
	const struct event_look *l, const struct event_look *from, struct wbxml_writer *w)
{
	if (from ? event_categories_same(l, from) : !l->ncategories)
		return;
	wbxml_open(w, CALENDAR_CATEGORIES);
	for (size_t i = 0; i < l->ncategories; i++)
		wbxml_text(w, CALENDAR_CATEGORY, l->categories[i]);
	wbxml_close(w, CALENDAR_CATEGORIES);
}

static void write_attendees(const struct event *e, const struct event_look *l,
	const struct event_look *from, struct wbxml_writer *w)
{
	if (from && (e->o->version < V140 || event_people_same(from, l)))
		return;
	if (!from && !l->nattendees)
		return;
	wbxml_open(w, CALENDAR_ATTENDEES);
	for (size_t i = 0; i < l->nattendees; i++) {
		const struct event_person *p = &l->attendees[i];

		wbxml_open(w, CALENDAR_ATTENDEE);
		wbxml_text(w, CALENDAR_EMAIL, p->email);
		wbxml_text(w, CALENDAR_NAME, p->name);
		if (e->o->version >= V120) {
			wbxml_int(w, CALENDAR_ATTENDEE_STATUS, p->status);
			wbxml_int(w, CALENDAR_ATTENDEE_TYPE, p->type);
		}
		wbxml_close(w, CALENDAR_ATTENDEE);
	}
	wbxml_close(w, CALENDAR_ATTENDEES);
}

/* clients.md: what is no meeting is the user's own for Android. */
static void write_organizer(
	const struct event *e, const struct event_look *l, struct wbxml_writer *w)
{
	if (!l->organizer.email.p) {
		if (l->mine)
			wbxml_text_if(w, CALENDAR_ORGANIZER_EMAIL, e->o->user);
		return;
	}
	wbxml_text(w, CALENDAR_ORGANIZER_NAME, l->organizer.name);
	wbxml_text(w, CALENDAR_ORGANIZER_EMAIL, l->organizer.email);
}

static void write_answers(const struct event *e, const struct ical_part *p,
	const struct event_look *l, const struct event_look *from, struct wbxml_writer *w)
{
	struct str at;
	int type = event_response_type(e, p, l, &at);

	if (e->o->version < V140)
		return;
	if (!from && l->nattendees)
		wbxml_bool(w, CALENDAR_RESPONSE_REQUESTED, l->asks);
	wbxml_text_if(w, CALENDAR_APPOINTMENT_REPLY_TIME, at);
	if (!from || type != 0)
		wbxml_int(w, CALENDAR_RESPONSE_TYPE, type);
}

static void write_body(const struct event *e, const struct event_look *l,
	const struct event_look *from, struct wbxml_writer *w)
{
	if (from && str_eq(event_clean(l->body, e->a), event_clean(from->body, e->a)))
		return;
	body_write(l->body, e->o, &event_body_tags, e->a, w);
	if (!from && e->o->version >= V120)
		wbxml_int(w, AIRSYNCBASE_NATIVE_BODY_TYPE, BODY_PLAIN);
}

/* C129: where the meeting is held on the net. */
static void write_links(const struct event *e, struct wbxml_writer *w)
{
	static const char *const names[] = {
		"CONFERENCE", "X-GOOGLE-CONFERENCE", "X-MICROSOFT-SKYPETEAMSMEETINGURL"};

	for (size_t i = 0; i < ARRAY_LEN(names) && e->o->version >= V141; i++) {
		const struct ical_line *l = ical_find(e->master, NULL, names[i]);
		struct str link = event_clean(ical_text(l, e->a), e->a);

		if (!str_istarts(link, "https://") && !str_istarts(link, "http://"))
			continue;
		wbxml_text(w, CALENDAR_ONLINE_MEETING_EXTERNAL_LINK, link);
		return;
	}
}

static void write_rule(const struct event *e, struct wbxml_writer *w)
{
	struct recurrence r = e->rule;
	struct event_zone zone = event_shown_zone(e);

	if (r.has_until && e->start.is_date)
		r.until = event_utc(&zone, r.until);
	recurrence_write(&r, &recurrence_calendar, e->o->version, e->a, w);
}

static void write_exception(const struct event *e, const struct event_look *master,
	const struct event_exception *x, struct wbxml_writer *w)
{
	struct event_look from, l;
	struct event_zone zone = event_shown_zone(e);

	wbxml_open(w, CALENDAR_EXCEPTION);
	if (x->deleted)
		wbxml_int(w, CALENDAR_DELETED, 1);
	wbxml_text(w, CALENDAR_EXCEPTION_START_TIME,
		clock_compact(e->a, event_utc(&zone, x->local)));
	if (!x->deleted) {
		event_inherit(e, master, x->local, &from);
		event_look_of(e, x->part, &l);
		write_times(e, &l, &from, w);
		write_texts(&l, &from, w);
		write_numbers(e, &l, &from, w);
		write_categories(&l, &from, w);
		if (event_meeting_status(&l) != event_meeting_status(&from))
			wbxml_int(w, CALENDAR_MEETING_STATUS, event_meeting_status(&l));
		write_attendees(e, &l, &from, w);
		write_body(e, &l, &from, w);
		write_answers(e, x->part, &l, &from, w);
	}
	wbxml_close(w, CALENDAR_EXCEPTION);
}

/* [MS-ASCAL] 2.2.2.19: no more than 256; then the latest. */
static void write_exceptions(
	const struct event *e, const struct event_look *master, struct wbxml_writer *w)
{
	struct event_exception *v;
	size_t n = event_exceptions(e, &v);

	if (!n)
		return;
	wbxml_open(w, CALENDAR_EXCEPTIONS);
	for (size_t i = n > EVENT_EXCEPTIONS_WRITTEN ? n - EVENT_EXCEPTIONS_WRITTEN : 0; i < n;
		i++)
		write_exception(e, master, &v[i], w);
	wbxml_close(w, CALENDAR_EXCEPTIONS);
}

static void write_all(const struct event *e, struct wbxml_writer *w)
{
	struct event_zone zone = event_shown_zone(e);
	struct event_look l;

	event_look_of(e, e->master, &l);
	wbxml_text(w, CALENDAR_TIMEZONE, event_blob(&zone, event_year(e->start.local), e->a));
	write_times(e, &l, NULL, w);
	write_stamp(e, w);
	write_texts(&l, NULL, w);
	write_numbers(e, &l, NULL, w);
	write_organizer(e, &l, w);
	wbxml_text_if(w, CALENDAR_UID,
		utf8_cut(event_clean(ical_text(ical_find(e->master, NULL, "UID"), e->a), e->a),
			EVENT_UID_MAX));
	wbxml_int(w, CALENDAR_MEETING_STATUS, event_meeting_status(&l));
	write_attendees(e, &l, NULL, w);
	write_categories(&l, NULL, w);
	if (e->told) {
		write_rule(e, w);
		write_exceptions(e, &l, w);
	}
	write_body(e, &l, NULL, w);
	write_answers(e, e->master, &l, NULL, w);
	write_links(e, w);
}

enum rc event_write(struct str ics, const struct email_options *o, struct arena *a,
	struct wbxml_writer *w, struct err *err)
{
	struct event e;
	enum rc rc = event_read(ics, o, a, &e, err);

	if (rc == RC_OK)
		write_all(&e, w);
	return rc;
}
