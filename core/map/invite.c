#include "core/base/clock.h"
#include "core/map/invite_parts.h"

/* Of a series no more occurrences are looked at to find one. */
enum { OCCURRENCES_MAX = 20000 };

static unsigned sequence_of(icalcomponent *c)
{
	int n = icalcomponent_get_sequence(c);

	return n > 0 ? (unsigned)n : 0;
}

/* RFC 5546 2.1.5: below 0: x is older than y. A DTSTAMP that is earlier says nothing: the
 * user's programs set it when they change what is stored. */
static int compare(const struct invite_part *x, const struct invite_part *y)
{
	struct icaltimetype sx, sy;
	unsigned a = sequence_of(x->c), b = sequence_of(y->c);

	if (a != b)
		return a < b ? -1 : 1;
	if (!invite_time(x->c, ICAL_DTSTAMP_PROPERTY, &sx) ||
		!invite_time(y->c, ICAL_DTSTAMP_PROPERTY, &sy))
		return 0;
	return invite_unix(sx) > invite_unix(sy);
}

/* Of an occurrence that was not told of before, by the series: the numbers of both need not
 * have to do with each other. */
static bool before_series(const struct invite_part *p, const struct invite_part *series)
{
	struct icaltimetype x, y;

	return series && compare(p, series) < 0 &&
	       invite_time(p->c, ICAL_DTSTAMP_PROPERTY, &x) &&
	       invite_time(series->c, ICAL_DTSTAMP_PROPERTY, &y) &&
	       invite_unix(x) < invite_unix(y);
}

bool invite_recurs(const struct invite_part *p)
{
	return invite_property(p->c, ICAL_RRULE_PROPERTY) ||
	       invite_property(p->c, ICAL_RDATE_PROPERTY);
}

static struct str value_of(icalcomponent *c, icalproperty_kind kind, struct arena *a)
{
	icalproperty *p = invite_property(c, kind);
	const char *v = p ? icalproperty_get_value_as_string(p) : NULL;

	return arena_str(a, str_of(v ? v : ""));
}

/* Both have their occurrences at the same times. */
static bool same_series(icalcomponent *x, icalcomponent *y, struct arena *a)
{
	struct icaltimetype s, t;

	return invite_time(x, ICAL_DTSTART_PROPERTY, &s) &&
	       invite_time(y, ICAL_DTSTART_PROPERTY, &t) && s.is_date == t.is_date &&
	       invite_unix(s) == invite_unix(t) &&
	       str_eq(value_of(x, ICAL_RRULE_PROPERTY, a), value_of(y, ICAL_RRULE_PROPERTY, a));
}

static void copy_properties(icalcomponent *from, icalcomponent *to, icalproperty_kind kind)
{
	for (icalproperty *p = invite_property(from, kind); p;
		p = icalcomponent_get_next_property(from, kind))
		icalcomponent_add_property(to, icalproperty_new_clone(p));
}

/* What is the user's own in an event that gets a newer version. */
static void keep_own(icalcomponent *old, icalcomponent *new, struct arena *a)
{
	icalcomponent *alarm = icalcomponent_get_first_component(new, ICAL_VALARM_COMPONENT);

	for (; alarm; alarm = icalcomponent_get_first_component(new, ICAL_VALARM_COMPONENT)) {
		icalcomponent_remove_component(new, alarm);
		icalcomponent_free(alarm);
	}
	for (alarm = icalcomponent_get_first_component(old, ICAL_VALARM_COMPONENT); alarm;
		alarm = icalcomponent_get_next_component(old, ICAL_VALARM_COMPONENT))
		icalcomponent_add_component(new, icalcomponent_new_clone(alarm));
	if (invite_property(old, ICAL_CATEGORIES_PROPERTY)) {
		invite_drop(new, ICAL_CATEGORIES_PROPERTY);
		copy_properties(old, new, ICAL_CATEGORIES_PROPERTY);
	}
	/* Occurrences that he declined or deleted. */
	if (same_series(old, new, a)) {
		invite_drop(new, ICAL_EXDATE_PROPERTY);
		copy_properties(old, new, ICAL_EXDATE_PROPERTY);
	}
}

static bool excludes(icalproperty *p, icalcomponent *c, const struct invite_part *occurrence)
{
	struct icaltimetype t = icalproperty_get_datetime_with_component(p, c);

	return t.is_date == occurrence->is_date && invite_unix(t) == occurrence->at;
}

icalproperty *invite_exdate(icalcomponent *c, const struct invite_part *occurrence)
{
	for (icalproperty *p = invite_property(c, ICAL_EXDATE_PROPERTY); p;
		p = icalcomponent_get_next_property(c, ICAL_EXDATE_PROPERTY))
		if (excludes(p, c, occurrence))
			return p;
	return NULL;
}

static void take_back_exdate(struct invite_event *e, const struct invite_part *occurrence)
{
	struct invite_part *m = invite_master(e);
	icalproperty *p = m ? invite_exdate(m->c, occurrence) : NULL;

	if (!p)
		return;
	icalcomponent_remove_property(m->c, p);
	icalproperty_free(p);
}

/* A time in the form of DTSTART. */
static icalproperty *with_zone_of(icalproperty *p, icalcomponent *c)
{
	icalproperty *start = invite_property(c, ICAL_DTSTART_PROPERTY);
	icalparameter *zone =
		start ? icalproperty_get_first_parameter(start, ICAL_TZID_PARAMETER) : NULL;

	if (zone)
		icalproperty_add_parameter(p, icalparameter_new_clone(zone));
	return p;
}

static void set_exdate(struct invite_event *e, const struct invite_part *occurrence)
{
	struct invite_part *m = invite_master(e), again;
	struct icaltimetype t;

	if (!m || invite_exdate(m->c, occurrence))
		return;
	invite_occurrence(m, occurrence->at, &again, &t);
	icalcomponent_add_property(m->c, with_zone_of(icalproperty_new_exdate(t), m->c));
}

/* Occurrences that the request tells of, onto the stored series. */
static bool take_exceptions(struct invite_event *stored, const struct invite_event *request)
{
	struct invite_part *series = invite_master(stored);
	bool any = false, whole = invite_master(request) != NULL;

	for (size_t i = 0; i < request->n; i++) {
		const struct invite_part *p = &request->v[i];
		struct invite_part *old, *new;
		int order;

		if (!p->exception)
			continue;
		old = invite_exception(stored, p);
		order = old ? compare(p, old) : !whole && before_series(p, series) ? -1 : 1;
		if (order == 0)
			any = old->asked = true;
		if (order <= 0)
			continue;
		new = invite_add(stored, p);
		if (!new)
			continue;
		if (old) {
			keep_own(old->c, new->c, stored->a);
			invite_remove(stored, old);
		}
		any = new->asked = true;
	}
	return any;
}

static bool onto_stored(struct invite_event *stored, const struct invite_event *request)
{
	struct invite_part *m = invite_master(stored);
	bool any;

	invite_add_zones(stored, request);
	any = take_exceptions(stored, request);
	if (m && invite_master(request))
		any = m->asked = true;
	return any;
}

/* A newer version of the series with what is still good of the stored one. */
static void onto_request(struct invite_event *request, const struct invite_event *stored)
{
	struct invite_part *new = invite_master(request), *old = invite_master(stored);

	invite_add_zones(request, stored);
	if (old)
		keep_own(old->c, new->c, request->a);
	for (size_t i = 0; i < stored->n; i++) {
		const struct invite_part *p = &stored->v[i];

		if (!p->exception || invite_exception(request, p) ||
			(old && !same_series(old->c, new->c, request->a)))
			continue;
		(void)invite_add(request, p);
	}
}

static void ask_all(struct invite_event *e)
{
	for (size_t i = 0; i < e->n; i++)
		e->v[i].asked = true;
}

/* One of the two, with the other in it; NULL: the request is older. */
static struct invite_event *merge(struct invite_event *request, struct invite_event *stored)
{
	struct invite_part *new = invite_master(request), *old = invite_master(stored);
	int order = new &&old ? compare(new, old) : new ? 1 : 0;

	if (order > 0) {
		ask_all(request);
		onto_request(request, stored);
		return request;
	}
	return order == 0 && onto_stored(stored, request) ? stored : NULL;
}

static icalparameter_partstat partstat_of(enum invite_answer answer)
{
	return answer == INVITE_ACCEPT      ? ICAL_PARTSTAT_ACCEPTED
	       : answer == INVITE_TENTATIVE ? ICAL_PARTSTAT_TENTATIVE
					    : ICAL_PARTSTAT_DECLINED;
}

static const char *busy_status(icalcomponent *c, enum invite_answer answer, struct arena *a)
{
	static const char *const known[] = {"FREE", "TENTATIVE", "BUSY", "OOF"};
	struct str v = invite_x(c, "X-MICROSOFT-CDO-INTENDEDSTATUS", a);

	if (answer == INVITE_TENTATIVE)
		return "TENTATIVE";
	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (str_iis(v, known[i]))
			return known[i];
	return str_iis(value_of(c, ICAL_TRANSP_PROPERTY, a), "TRANSPARENT") ? "FREE" : "BUSY";
}

/* RFC 6638 7.1: up to 14.1 the answer comes from the device, or from us, and so not from the
 * CalDAV server as well (K14). */
static void answer_ourselves(icalcomponent *c)
{
	icalproperty *p = invite_property(c, ICAL_ORGANIZER_PROPERTY);

	if (!p)
		return;
	icalproperty_remove_parameter_by_kind(p, ICAL_SCHEDULEAGENT_PARAMETER);
	icalproperty_add_parameter(
		p, icalparameter_new_scheduleagent(ICAL_SCHEDULEAGENT_CLIENT));
}

/* One whose address is not among the attendees was invited by another of his addresses, or by
 * somebody who was: he is one from now on. */
static void answer_part(
	const struct invite_part *part, const struct invite *in, struct arena *a)
{
	icalcomponent *c = part->c;
	icalproperty *p = invite_attendee(c, in->user, a);
	icalparameter_partstat now = partstat_of(in->answer);

	if (!p) {
		p = icalproperty_new_attendee(
			arena_printf(a, "mailto:%.*s", STR_FMT(in->user)).p);
		icalcomponent_add_property(c, p);
	}
	if (invite_partstat(p) != now) {
		invite_set_x(c, "X-MICROSOFT-CDO-BUSYSTATUS", busy_status(c, in->answer, a));
		invite_set_x(c, "X-MICROSOFT-CDO-REPLYTIME", clock_compact(a, in->now).p);
	}
	icalproperty_remove_parameter_by_kind(p, ICAL_RSVP_PARAMETER);
	icalproperty_remove_parameter_by_kind(p, ICAL_PARTSTAT_PARAMETER);
	icalproperty_add_parameter(p, icalparameter_new_partstat(now));
	answer_ourselves(c);
}

/* An answer to a series is one to those of its occurrences that had none of their own. */
static void ask_those_that_follow(struct invite_event *e, struct str user)
{
	struct invite_part *m = invite_master(e);
	icalparameter_partstat of_series;

	if (!m || !m->asked)
		return;
	of_series = invite_partstat(invite_attendee(m->c, user, e->a));
	for (size_t i = 0; i < e->n; i++) {
		struct invite_part *p = &e->v[i];
		icalparameter_partstat own;

		if (!p->c || p->asked)
			continue;
		own = invite_partstat(invite_attendee(p->c, user, e->a));
		p->asked = own == of_series || own == ICAL_PARTSTAT_NEEDSACTION;
	}
}

static bool any_left(const struct invite_event *e)
{
	for (size_t i = 0; i < e->n; i++)
		if (e->v[i].c)
			return true;
	return false;
}

/* Whether what is answered is taken out of the calendar. */
static bool takes_out(const struct invite *in)
{
	return in->answer == INVITE_DECLINE && !in->stays;
}

/* All that was asked. False: nothing of the event stays. */
static bool answer(struct invite_event *e, const struct invite *in)
{
	struct invite_part *m = invite_master(e);

	if (takes_out(in) && m && m->asked)
		return false;
	if (in->answer != INVITE_DECLINE)
		ask_those_that_follow(e, in->user);
	for (size_t i = 0; i < e->n; i++) {
		struct invite_part *p = &e->v[i];

		if (!p->c || !p->asked)
			continue;
		if (!takes_out(in)) {
			if (p->exception && in->answer != INVITE_DECLINE)
				take_back_exdate(e, p);
			answer_part(p, in, e->a);
			continue;
		}
		set_exdate(e, p);
		invite_remove(e, p);
	}
	return any_left(e);
}

/* Whether the series has an occurrence then; that it was excluded does not count. */
bool invite_occurs(const struct invite_part *m, const struct invite_part *occurrence)
{
	icalproperty *p = invite_property(m->c, ICAL_RRULE_PROPERTY);
	struct icaltimetype start, t;
	struct icalrecurrencetype rule;
	icalrecur_iterator *it;
	bool found = false;

	if (!invite_time(m->c, ICAL_DTSTART_PROPERTY, &start))
		return false;
	if (invite_unix(start) == occurrence->at)
		return true;
	for (icalproperty *d = invite_property(m->c, ICAL_RDATE_PROPERTY); d;
		d = icalcomponent_get_next_property(m->c, ICAL_RDATE_PROPERTY)) {
		t = icalproperty_get_rdate(d).time;
		t.zone = t.zone ? t.zone : start.zone;
		if (!icaltime_is_null_time(t) && invite_unix(t) == occurrence->at)
			return true;
	}
	if (!p)
		return false;
	rule = icalproperty_get_rrule(p);
	/* No device shows more than one a day. */
	if (rule.freq < ICAL_DAILY_RECURRENCE || rule.freq > ICAL_YEARLY_RECURRENCE)
		return false;
	it = icalrecur_iterator_new(rule, start);
	for (unsigned i = 0; it && i < OCCURRENCES_MAX && !found; i++) {
		t = icalrecur_iterator_next(it);
		if (icaltime_is_null_time(t) || invite_unix(t) > occurrence->at)
			break;
		found = invite_unix(t) == occurrence->at;
	}
	if (it)
		icalrecur_iterator_free(it);
	return found;
}

static void set_time(icalcomponent *c, icalproperty_kind kind, struct icaltimetype t)
{
	icalproperty *p = invite_property(c, kind);

	if (p)
		icalproperty_set_value(
			p, t.is_date ? icalvalue_new_date(t) : icalvalue_new_datetime(t));
}

static void move_end(icalcomponent *c, int64_t by)
{
	struct icaltimetype end;

	if (!invite_time(c, ICAL_DTEND_PROPERTY, &end))
		return;
	if (end.is_date) {
		icaltime_adjust(&end, (int)(by / 86400), 0, 0, 0);
	} else {
		const icaltimezone *zone = end.zone;

		end = icaltime_from_timet_with_zone((time_t)(invite_unix(end) + by), 0,
			zone ? zone : icaltimezone_get_utc_timezone());
		end.zone = zone;
	}
	set_time(c, ICAL_DTEND_PROPERTY, end);
}

/* An occurrence as the series has it, to be answered by itself. */
struct invite_part *invite_single_out(
	struct invite_event *e, struct invite_part occurrence, struct icaltimetype t)
{
	static const icalproperty_kind of_series[] = {ICAL_RRULE_PROPERTY, ICAL_RDATE_PROPERTY,
		ICAL_EXDATE_PROPERTY, ICAL_EXRULE_PROPERTY};
	struct invite_part *m = invite_master(e), *r;
	struct icaltimetype start;

	if (!invite_time(m->c, ICAL_DTSTART_PROPERTY, &start))
		return NULL;
	occurrence.c = m->c;
	r = invite_add(e, &occurrence);
	if (!r)
		return NULL;
	for (size_t i = 0; i < ARRAY_LEN(of_series); i++)
		invite_drop(r->c, of_series[i]);
	set_time(r->c, ICAL_DTSTART_PROPERTY, t);
	move_end(r->c, occurrence.at - invite_unix(start));
	icalcomponent_add_property(r->c, with_zone_of(icalproperty_new_recurrenceid(t), r->c));
	return r;
}

static enum invite_result answer_instance(struct invite_event *e, const struct invite *in)
{
	struct invite_part *m = invite_master(e), *first = invite_first(e), *p, occurrence;
	struct icaltimetype t;

	if (!first)
		return INVITE_NO_INSTANCE;
	if (m && !invite_recurs(m))
		return INVITE_NOT_RECURRING;
	invite_occurrence(first, in->instance, &occurrence, &t);
	p = invite_exception(e, &occurrence);
	if (!p && !(m && (invite_exdate(m->c, &occurrence) || invite_occurs(m, &occurrence))))
		return INVITE_NO_INSTANCE;
	if (takes_out(in)) {
		set_exdate(e, &occurrence);
		if (p)
			invite_remove(e, p);
		return INVITE_DONE;
	}
	if (!p)
		p = invite_single_out(e, occurrence, t);
	if (!p)
		return INVITE_NO_INSTANCE;
	take_back_exdate(e, &occurrence);
	answer_part(p, in, e->a);
	return INVITE_DONE;
}

/* RFC 5545 3.6.1 wants it, and an invitation may lack it. */
void invite_stamp(struct invite_event *e, int64_t now)
{
	for (size_t i = 0; i < e->n; i++)
		if (e->v[i].c && !invite_property(e->v[i].c, ICAL_DTSTAMP_PROPERTY))
			icalcomponent_add_property(e->v[i].c,
				icalproperty_new_dtstamp(icaltime_from_timet_with_zone(
					(time_t)now, 0, icaltimezone_get_utc_timezone())));
}

/* What a calendar does not keep of an invitation, RFC 4791 4.1, and what it needs. */
void invite_make_object(struct invite_event *e)
{
	icalcomponent *c = e->calendar, *next;

	invite_drop(c, ICAL_METHOD_PROPERTY);
	if (!invite_property(c, ICAL_VERSION_PROPERTY))
		icalcomponent_add_property(c, icalproperty_new_version("2.0"));
	if (!invite_property(c, ICAL_PRODID_PROPERTY))
		icalcomponent_add_property(c, icalproperty_new_prodid("-//easpool//EN"));
	for (icalcomponent *x = icalcomponent_get_first_component(c, ICAL_ANY_COMPONENT); x;
		x = next) {
		bool stays = icalcomponent_isa(x) == ICAL_VTIMEZONE_COMPONENT;

		next = icalcomponent_get_next_component(c, ICAL_ANY_COMPONENT);
		for (size_t i = 0; i < e->n && !stays; i++)
			stays = e->v[i].c == x;
		if (stays)
			continue;
		icalcomponent_remove_component(c, x);
		icalcomponent_free(x);
	}
}

/* The user's own meeting is none that he is invited to (K18). */
static bool is_of_another(const struct invite_event *e, const struct invite *in)
{
	struct str organizer = invite_organizer(e, e->a);

	return in->user.n && !str_ieq(organizer, in->user) && (in->request.p || organizer.n);
}

/* Who knows the UID of a meeting can send an invitation to it; only its organizer changes it. A
 * copy that a phone has stored may name none. */
static bool is_of_same_organizer(
	const struct invite_event *request, const struct invite_event *stored)
{
	struct str organizer = invite_organizer(stored, stored->a);

	if (organizer.n)
		return str_ieq(organizer, invite_organizer(request, request->a));
	return invite_property(invite_first(stored)->c, ICAL_ATTENDEE_PROPERTY) != NULL;
}

static bool same_uid(const struct invite_event *x, const struct invite_event *y)
{
	return str_eq(str_of(icalcomponent_get_uid(invite_first(x)->c)),
		str_of(icalcomponent_get_uid(invite_first(y)->c)));
}

static enum invite_result apply(
	const struct invite *in, struct arena *own, struct arena *a, struct str *r)
{
	struct invite_event request, stored, *e = &stored;
	struct str before = STR_NONE, after;
	enum invite_result result = INVITE_DONE;

	*r = STR_NONE;
	if (in->request.p && (!invite_load(in->request, own, INVITE_PARTS_MAX, &request) ||
				     !is_of_another(&request, in)))
		return INVITE_NO_REQUEST;
	if (in->stored.p && !invite_load(in->stored, own, INVITE_PARTS_MAX, &stored))
		return INVITE_UNREADABLE;
	if (!in->request.p && (!in->stored.p || !is_of_another(&stored, in)))
		return INVITE_NO_REQUEST;
	if (in->request.p && in->stored.p && !same_uid(&request, &stored))
		return INVITE_UNREADABLE;
	if (in->request.p && in->stored.p && !is_of_same_organizer(&request, &stored))
		return INVITE_NO_REQUEST;
	if (in->request.p)
		invite_make_object(&request);
	if (in->stored.p)
		before = invite_text(&stored, own);
	if (!in->stored.p)
		e = &request;
	else if (in->request.p)
		e = merge(&request, &stored);
	if (!e)
		return INVITE_OLDER;
	if (!in->request.p || !in->stored.p)
		ask_all(e);
	if (in->has_instance)
		result = answer_instance(e, in);
	else if (!answer(e, in))
		return INVITE_DONE;
	/* What is not in the calendar needs not be taken out of it. */
	if (result || !any_left(e) || (!in->stored.p && in->answer == INVITE_DECLINE))
		return result;
	if (in->request.p)
		invite_stamp(e, in->now);
	after = invite_text(e, own);
	*r = str_eq(before, after) ? in->stored : arena_str(a, after);
	return INVITE_DONE;
}

enum invite_result invite_apply(const struct invite *in, struct arena *a, struct str *ics_r)
{
	struct arena *own = arena_new();
	enum invite_result r = apply(in, own, a, ics_r);

	arena_free(own);
	return r;
}
