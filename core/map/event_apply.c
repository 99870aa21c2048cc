/* What a device sent, into an object. */
#include "core/base/clock.h"
#include "core/map/event_parts.h"

static bool is_kept(const struct event_wish *w, tag_t tag)
{
	return w->instance || ghosted(w->patch->ghosts, tag);
}

static enum rc read_number(const struct event_wish *w, const struct event_number_row *row,
	int shown, int *n, struct err *err)
{
	struct str text = elem_text(w->data, row->tag);
	uint32_t v;

	if (w->patch->version < row->since) {
		*n = shown;
		return RC_OK;
	}
	if (!elem_has(w->data, row->tag)) {
		*n = is_kept(w, row->tag) ? *n : row->absent;
		return RC_OK;
	}
	/* [MS-ASDTYPE] 2.1: an empty boolean is true. */
	if (!str_trim(text).n) {
		*n = row->most == 1 ? 1 : row->absent;
		return RC_OK;
	}
	if (!str_u32(str_trim(text), &v) || v > (uint32_t)row->most) {
		/* -1 and such: no reminder. */
		if (row->absent >= 0)
			return err_set(err, RC_INVALID, "%s is out of bounds",
				tag_info(row->tag)->name);
		*n = row->absent;
		return RC_OK;
	}
	*n = (int)v;
	return RC_OK;
}

static void read_texts(const struct event *e, const struct event_wish *w, struct event_look *r)
{
	for (size_t i = 0; i < EVENT_TEXTS; i++) {
		tag_t tag = event_texts[i].tag;

		if (elem_has(w->data, tag))
			r->texts[i] = event_line(elem_text(w->data, tag), e->a);
		else if (!is_kept(w, tag))
			r->texts[i] = STR_NONE;
	}
}

static enum rc read_categories(const struct event *e, const struct event_wish *w,
	struct event_look *r, struct err *err)
{
	const struct elem *list = elem_child(w->data, CALENDAR_CATEGORIES);

	if (!list && is_kept(w, CALENDAR_CATEGORIES))
		return RC_OK;
	if (elem_count(list, CALENDAR_CATEGORY) > EVENT_CATEGORIES_MAX)
		return err_set(
			err, RC_INVALID, "more than %d categories", EVENT_CATEGORIES_MAX);
	r->categories = ARENA_ARRAY(e->a, struct str, elem_count(list, CALENDAR_CATEGORY) + 1);
	r->ncategories = 0;
	for (const struct elem *x = elem_child(list, CALENDAR_CATEGORY); x; x = elem_again(x)) {
		struct str text = event_line(x->text, e->a);
		bool seen = !text.n;

		for (size_t i = 0; i < r->ncategories && !seen; i++)
			seen = str_eq(r->categories[i], text);
		if (!seen)
			r->categories[r->ncategories++] = text;
	}
	return RC_OK;
}

/* K4, K24, B20021 */
static void read_body(const struct event *e, const struct event_wish *w,
	const struct event_look *shown, struct event_look *r)
{
	struct str text;

	if (body_read(w->data, &event_body_tags, e->a, &text)) {
		text = event_clean(text, e->a);
		r->body = body_is_cut_echo(shown->body, text, w->patch->options, e->a)
				  ? shown->body
				  : text;
	} else if (w->patch->whole && !w->instance) {
		r->body = STR_NONE;
	}
}

/* What an Add leaves out, classes.md 3.3. */
static enum rc missing_times(
	int64_t now, bool has_start, bool has_end, struct event_look *r, struct err *err)
{
	int64_t half = (now + 900) / 1800 * 1800;

	if (has_start ? r->start > now : has_end && (r->end <= now || half > r->end))
		return err_set(err, RC_INVALID, "an event without all its times");
	if (!has_start)
		r->start = half;
	if (!has_end)
		r->end = half + 1800;
	/* It is not over before it has begun. */
	if (r->end < r->start)
		r->end = r->start;
	return RC_OK;
}

/* classes.md 3.2 */
static void read_days(const struct event_wish *w, const struct event_look *base, bool has_start,
	bool has_end, struct event_look *r)
{
	int64_t length = base->end - base->start;

	if (has_start || !base->all_day)
		r->start = event_date(&w->zone, r->start);
	if (has_end || !base->all_day)
		r->end = event_date(&w->zone, r->end);
	if (has_start && !has_end)
		r->end = r->start + (length + EVENT_DAY - 1) / EVENT_DAY * EVENT_DAY;
	if (r->end <= r->start)
		r->end = r->start + EVENT_DAY;
}

static enum rc read_times(const struct event_wish *w, const struct event_look *base,
	bool is_new, struct event_look *r, struct err *err)
{
	bool has_start, has_end;
	enum rc rc = event_time_sent(w->data, CALENDAR_START_TIME, &has_start, &r->start, err);

	if (rc == RC_OK)
		rc = event_time_sent(w->data, CALENDAR_END_TIME, &has_end, &r->end, err);
	if (rc == RC_OK && is_new && !(has_start && has_end)) {
		rc = missing_times(w->patch->now, has_start, has_end, r, err);
		has_start = has_end = true;
	}
	if (rc)
		return rc;
	if (elem_has(w->data, CALENDAR_ALL_DAY_EVENT))
		r->all_day = elem_bool(w->data, CALENDAR_ALL_DAY_EVENT, false);
	else if (!is_kept(w, CALENDAR_ALL_DAY_EVENT) && (has_start || has_end))
		r->all_day = false;
	if (r->all_day) {
		read_days(w, base, has_start, has_end, r);
		return RC_OK;
	}
	/* A date that becomes a time. */
	if (base->all_day && !has_start)
		r->start = event_utc(&w->zone, base->start);
	if (base->all_day && !has_end)
		r->end = event_utc(&w->zone, base->end);
	if (has_start && !has_end)
		r->end = r->start + (base->end - base->start);
	if (r->end < r->start)
		return err_set(err, RC_INVALID, "an event that ends before it begins");
	return RC_OK;
}

enum rc event_look_read(const struct event *e, const struct event_wish *w,
	const struct event_look *base, const struct event_look *shown, struct event_look *r,
	struct err *err)
{
	enum rc rc;

	*r = *base;
	/* What is not said of an instance, or not at all in that version, is as it is. Who is
	 * invited for the first time is asked for an answer. */
	r->asks = shown->asks || !shown->nattendees;
	r->organizer = shown->organizer;
	r->mine = shown->mine;
	rc = read_times(w, base, w->is_new, r, err);
	if (rc == RC_OK)
		rc = read_categories(e, w, r, err);
	for (size_t i = 0; i < EVENT_NUMBERS && rc == RC_OK; i++)
		rc = read_number(w, &event_numbers[i], shown->numbers[i], &r->numbers[i], err);
	if (rc == RC_OK)
		rc = event_people_read(w->data, w->patch, w->instance, e->a, r, err);
	if (rc)
		return rc;
	read_texts(e, w, r);
	read_body(e, w, shown, r);
	return RC_OK;
}

static bool same_body(
	const struct event *e, const struct event_look *x, const struct event_look *y)
{
	return str_eq(event_clean(x->body, e->a), event_clean(y->body, e->a));
}

static bool same_times(const struct event_look *x, const struct event_look *y)
{
	return x->start == y->start && x->end == y->end && x->all_day == y->all_day;
}

bool event_look_same(
	const struct event *e, const struct event_look *shown, const struct event_look *wanted)
{
	for (size_t i = 0; i < EVENT_TEXTS; i++)
		if (!str_eq(shown->texts[i], wanted->texts[i]))
			return false;
	for (size_t i = 0; i < EVENT_NUMBERS; i++)
		if (shown->numbers[i] != wanted->numbers[i])
			return false;
	return same_times(shown, wanted) && same_body(e, shown, wanted) &&
	       event_categories_same(shown, wanted) && event_people_same(shown, wanted) &&
	       (shown->cancelled == wanted->cancelled || !wanted->nattendees) &&
	       (shown->asks == wanted->asks || !wanted->nattendees);
}

static void put_stamp(struct event *e, struct ical_part *p, const char *name, int64_t now)
{
	ical_put(&e->ical, p, name, clock_compact(e->a, now));
}

void event_stamp(struct event *e, struct ical_part *p, int64_t now, bool sequence)
{
	const struct ical_line *l = ical_find(p, NULL, "SEQUENCE");
	uint32_t n = 0;

	put_stamp(e, p, "DTSTAMP", now);
	put_stamp(e, p, "LAST-MODIFIED", now);
	if (!sequence || (l && !str_u32(str_trim(l->value), &n)) || n >= INT32_MAX)
		return;
	ical_put(&e->ical, p, "SEQUENCE", arena_printf(e->a, "%u", n + 1));
}

/* Whether what is done until changes_end() changed anything. */
static bool changes_begin(struct event *e)
{
	bool before = e->ical.changed;

	e->ical.changed = false;
	return before;
}

static bool changes_end(struct event *e, bool before)
{
	bool now = e->ical.changed;

	e->ical.changed = now || before;
	return now;
}

/* RFC 5546 2.1.4: of these the people who come must know. */
static bool concerns(const struct event_look *shown, const struct event_look *wanted)
{
	return shown->nattendees && wanted->nattendees && wanted->mine &&
	       (!same_times(shown, wanted) ||
		       !str_eq(shown->texts[EVENT_LOCATION], wanted->texts[EVENT_LOCATION]));
}

static void put_look(struct event *e, struct ical_part *p, const struct event_form *form,
	const struct event_look *shown, const struct event_look *wanted)
{
	event_times_put(e, p, form, shown, wanted, e->reformed);
	for (size_t i = 0; i < EVENT_TEXTS; i++)
		if (!str_eq(shown->texts[i], wanted->texts[i]))
			event_text_set(e, p, event_texts[i].name, wanted->texts[i]);
	if (!same_body(e, shown, wanted))
		event_body_set(e, p, wanted->body);
	for (size_t i = 0; i < EVENT_NUMBERS; i++)
		if (shown->numbers[i] != wanted->numbers[i])
			event_numbers[i].set(e, p, wanted->numbers[i]);
	if (!event_categories_same(shown, wanted))
		event_categories_set(e, p, wanted->categories, wanted->ncategories);
	event_people_set(e, p, shown, wanted);
}

void event_look_apply(struct event *e, struct ical_part *p, const struct event_form *form,
	const struct event_look *shown, const struct event_look *wanted, int64_t now)
{
	bool before = changes_begin(e), changed;

	put_look(e, p, form, shown, wanted);
	changed = changes_end(e, before);
	if (changed)
		event_stamp(e, p, now, concerns(shown, wanted));
}

struct apply {
	struct event e, old; /* old: as it was read */
	struct event_exception *exceptions;
	size_t nexceptions;
	struct event_wish wish;
	struct event_form form;
	struct event_look shown, wanted;
	struct recurrence rule;
	bool repeats, rule_differs; /* rule_differs: from what the device was told */
	bool has_zone;
	struct timezone_rule zone;
	struct err *err;
};

/* A zone that cannot be read is none. */
static void read_zone(struct apply *p)
{
	struct str text = elem_text(p->wish.data, CALENDAR_TIMEZONE);

	p->has_zone = text.n && timezone_read(text, p->e.a, &p->zone, NULL) == RC_OK;
	p->wish.zone = event_shown_zone(&p->e);
	if (p->has_zone)
		p->wish.zone =
			(struct event_zone){.offset = timezone_rule_offset, .ctx = &p->zone};
}

/* In which zone times are to stand. One that the device was told stays whatever it is called.
 */
static void choose_form(struct apply *p, bool is_new)
{
	struct event_zone shown = event_shown_zone(&p->e), zone;
	struct timezone_rule its, utc = {.standard = 0};
	int year = event_year(event_local(&shown, p->shown.start));

	p->form = event_form_of(&p->e, p->e.master);
	/* Of a day too: devices are to be told midnight as the first one told it. */
	if (p->has_zone && p->wanted.all_day && is_new)
		event_zone_add(&p->e, &p->zone, event_year(p->wanted.start), &zone);
	/* A zone that is unknown here others may know. */
	if (!p->has_zone || p->wanted.all_day || p->form.unknown.n)
		return;
	event_zone_rule(&shown, year, p->e.a, &its);
	if (!is_new && (timezone_same(&its, &p->zone) ||
			       (same_times(&p->shown, &p->wanted) && !p->rule_differs)))
		return;
	/* Devices that know no zones say UTC; of what happens once the moment is enough. */
	if (timezone_same(&p->zone, &utc) && !is_new && shown.offset)
		return;
	zone = shown;
	event_zone_add(&p->e, &p->zone, event_year(p->wanted.start), &zone);
	p->form = (struct event_form){.is_utc = !zone.offset, .zone = zone};
	p->e.reformed = true;
}

/* A date of an UNTIL: at the offset from midnight that the start has. */
static int64_t until_date(const struct apply *p, int64_t until)
{
	int64_t start = p->wanted.start, local = event_local(&p->wish.zone, until);
	bool has;
	int64_t utc = 0;

	if (event_time_sent(p->wish.data, CALENDAR_START_TIME, &has, &utc, NULL) == RC_OK &&
		has)
		local -= event_local(&p->wish.zone, utc) - start;
	return local - (local % EVENT_DAY + EVENT_DAY) % EVENT_DAY;
}

static int64_t wanted_local(const struct apply *p)
{
	bool by_device = p->has_zone && !p->form.unknown.n;

	return p->wanted.all_day ? p->wanted.start
				 : event_local(by_device ? &p->wish.zone : &p->form.zone,
					   p->wanted.start);
}

/* The rule as it is with the new start, from which it may take what it does not say. */
static struct recurrence rule_from(const struct apply *p)
{
	const struct event *e = &p->e;
	const struct ical_line *l = ical_find(e->master, NULL, "RRULE");
	struct recurrence r;
	bool utc;

	if (p->shown.start == p->wanted.start ||
		!recurrence_of_rule(l->value, wanted_local(p), &r, &utc, e->a))
		return e->rule;
	r.until = e->rule.until;
	return r;
}

/* The end of a rule that stays, when dates become times or the other way round. */
static void keep_until(struct apply *p)
{
	struct event_zone zone = event_shown_zone(&p->e);
	int64_t local = wanted_local(p), until = p->rule.until;

	if (!p->rule.has_until || p->shown.all_day == p->wanted.all_day)
		return;
	if (p->wanted.all_day)
		p->rule.until = event_local(&zone, until) / EVENT_DAY * EVENT_DAY;
	else
		p->rule.until = p->wanted.start + until - local / EVENT_DAY * EVENT_DAY;
}

static int64_t time_of_day(int64_t local)
{
	return (local % EVENT_DAY + EVENT_DAY) % EVENT_DAY;
}

/* A device that has a series begin later in the day says the same end again, which may be the
 * old hour of the last instance: that one stays. */
static bool lift_until(struct apply *p)
{
	const struct event *e = &p->e;
	struct event_zone zone = event_shown_zone(e);
	int64_t later = time_of_day(event_local(&zone, p->wanted.start)) -
			time_of_day(event_local(&zone, p->shown.start));

	if (later <= 0 || !e->told || !e->rule.has_until || !p->rule.has_until ||
		p->rule.until != e->rule.until || p->shown.all_day || p->wanted.all_day)
		return false;
	p->rule.until += later;
	return true;
}

/* Some say the last day as its midnight in UTC. */
static void lift_midnight(struct apply *p)
{
	const struct event_zone *zone = &p->wish.zone;
	int64_t until = p->rule.until, hour, start;

	if (!p->rule.has_until || p->wanted.all_day || until % EVENT_DAY != 0)
		return;
	hour = time_of_day(event_local(zone, p->wanted.start));
	start = event_utc(zone, until + hour);
	/* Unless an instance begins just then. */
	if (start > until && time_of_day(event_local(zone, until)) != hour)
		p->rule.until = start;
}

static enum rc read_rule(struct apply *p)
{
	struct recurrence was;
	const struct elem *x = elem_child(p->wish.data, CALENDAR_RECURRENCE);
	const struct event *e = &p->e;
	enum rc rc;

	p->repeats = e->repeats;
	p->rule = e->rule;
	if (!x || !x->child) {
		/* One that the device was not told it does not take away. */
		if ((x || !ghosted(p->wish.patch->ghosts, CALENDAR_RECURRENCE)) && e->told) {
			p->repeats = false;
			p->rule_differs = true;
		}
		keep_until(p);
		p->rule_differs = (p->repeats && lift_until(p)) || p->rule_differs;
		return RC_OK;
	}
	if (e->orphan)
		return RC_OK;
	rc = recurrence_read(x, &recurrence_calendar, wanted_local(p), &p->rule, p->err);
	if (rc)
		return rc;
	if (e->told && !elem_has(x, CALENDAR_FIRST_DAY_OF_WEEK))
		p->rule.first_day = e->rule.first_day;
	if (p->rule.has_until && p->wanted.all_day)
		p->rule.until = until_date(p, p->rule.until);
	if (p->wish.is_new)
		lift_midnight(p);
	(void)lift_until(p);
	p->repeats = true;
	was = e->told ? rule_from(p) : p->rule;
	p->rule_differs = !e->told || !recurrence_same(&was, &p->rule);
	return RC_OK;
}

/* RFC 5545 3.3.10: of the kind that DTSTART is. */
static struct str until_raw(const struct apply *p)
{
	struct event_time t = event_time_in(&p->form, p->wanted.all_day, p->rule.until);

	if (!p->rule.has_until)
		return STR_NONE;
	t.is_utc = !p->form.is_floating;
	return event_time_raw(&t, p->e.a);
}

static void put_rule(struct apply *p)
{
	static const char *const others[] = {"RDATE", "EXRULE"};
	struct event *e = &p->e;
	bool other = e->reformed || p->shown.all_day != p->wanted.all_day;
	struct ical_line *l, *next;

	/* UNTIL is of the kind that DTSTART is. */
	if (!p->rule_differs && !(other && e->told && e->rule.has_until))
		return;
	if (!p->repeats) {
		event_exceptions_drop(e);
		ical_put(&e->ical, e->master, "RRULE", STR_NONE);
	} else {
		ical_put(&e->ical, e->master, "RRULE",
			recurrence_rule(&p->rule, until_raw(p), e->a));
		l = ical_find(e->master, NULL, "RRULE");
		for (l = ical_find(e->master, l, "RRULE"); l; l = next) {
			next = ical_find(e->master, l, "RRULE");
			ical_remove(&e->ical, l);
		}
	}
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		ical_put(&e->ical, e->master, others[i], STR_NONE);
}

/* The event itself. */
static void apply_master(struct apply *p)
{
	struct event *e = &p->e;
	bool before = changes_begin(e), changed;

	put_look(e, e->master, &p->form, &p->shown, &p->wanted);
	put_rule(p);
	changed = changes_end(e, before);
	if (changed)
		event_stamp(e, e->master, p->wish.patch->now,
			concerns(&p->shown, &p->wanted) ||
				(p->rule_differs && p->shown.nattendees && p->shown.mine));
}

static bool series_moved(const struct apply *p)
{
	return p->e.reformed || p->rule_differs || p->shown.start != p->wanted.start ||
	       p->shown.all_day != p->wanted.all_day;
}

/* A rule that the device was not told: it takes the series for a single event, and what it says
 * of times or of instances is not meant of these. */
static enum rc guard_untold(struct apply *p)
{
	struct event *e = &p->e;

	if (!e->repeats || e->told)
		return RC_OK;
	if (p->rule_differs)
		event_exceptions_drop(e);
	else if (!same_times(&p->shown, &p->wanted))
		return err_set(
			p->err, RC_INVALID, "a series moves whose rule devices cannot be told");
	return RC_OK;
}

static enum rc apply(struct apply *p, bool is_new)
{
	struct event *e = &p->e;
	enum rc rc;

	read_zone(p);
	event_look_of(e, e->master, &p->shown);
	p->wish.is_new = is_new;
	rc = event_look_read(e, &p->wish, &p->shown, &p->shown, &p->wanted, p->err);
	p->form = event_form_of(e, e->master);
	if (rc == RC_OK)
		rc = read_rule(p);
	if (rc == RC_OK)
		rc = guard_untold(p);
	if (rc)
		return rc;
	choose_form(p, is_new);
	p->wish.is_new = false;
	p->old = *e;
	if (e->repeats)
		p->nexceptions = event_exceptions(e, &p->exceptions);
	apply_master(p);
	rc = event_place(e, p->err);
	if (rc || !e->told)
		return rc;
	if (p->old.repeats && series_moved(p))
		event_exceptions_follow(e, &p->old, p->exceptions, p->nexceptions);
	return event_exceptions_apply(e, p->wish.data, &p->wish, &p->shown, p->err);
}

/* RFC 5545 3.6 and 3.6.1: what an object must have. */
static struct str skeleton(
	const struct elem *data, const struct event_patch *p, struct arena *a)
{
	struct str uid = event_line(elem_text(data, CALENDAR_UID), a);
	struct str now = clock_compact(a, p->now);

	if (!uid.n || uid.n > EVENT_UID_MAX)
		uid = p->uid;
	return arena_printf(a,
		"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n"
		"PRODID:-//easpool//easpool " EASPOOL_VERSION "//EN\r\n"
		"BEGIN:VEVENT\r\nUID:%.*s\r\nDTSTAMP:%.*s\r\nCREATED:%.*s\r\n"
		"DTSTART:19700101T000000Z\r\nSEQUENCE:0\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
		STR_FMT(ical_encode(uid, a)), STR_FMT(now), STR_FMT(now));
}

enum rc event_apply(struct str ics, const struct elem *data, const struct event_patch *p,
	struct arena *a, struct str *ics_r, struct err *err)
{
	struct apply apply_to = {
		.wish = {.patch = p, .data = data},
                  .err = err
        };
	bool is_new = !ics.p;
	enum rc rc;

	if (is_new)
		ics = skeleton(data, p, a);
	rc = event_read(ics, p->options, a, &apply_to.e, err);
	if (rc == RC_OK)
		rc = apply(&apply_to, is_new);
	if (rc)
		return rc;
	*ics_r = ical_write(&apply_to.e.ical);
	/* It has to be within the bounds in which objects are read. */
	return apply_to.e.ical.changed ? event_read(*ics_r, p->options, a, &apply_to.e, err)
				       : RC_OK;
}
