/* Instances of a series that are not as the others: EXDATE, and VEVENTs with RECURRENCE-ID. */
#include "core/map/event_parts.h"

#include <stdlib.h>

static int64_t midnight(int64_t local)
{
	return local - (local % EVENT_DAY + EVENT_DAY) % EVENT_DAY;
}

/* Which instance is meant, by the clock of the series. */
static int64_t key_of(const struct event *e, const struct event_time *t)
{
	if (e->start.is_date)
		return midnight(t->is_date || t->is_floating ? t->local
							     : event_local(&e->home, t->utc));
	if (t->is_date)
		return t->local + e->start.local - midnight(e->start.local);
	return t->is_floating ? t->local : event_local(&e->start.zone, t->utc);
}

/* Some say so of an instance that is deleted. Of a meeting it is a cancellation that the
 * device may be told. */
static bool is_deleted(const struct event *e, const struct ical_part *p)
{
	const struct ical_line *l = ical_find(p, NULL, "STATUS");

	return l && str_iis(str_trim(l->value), "CANCELLED") &&
	       !ical_find(p, NULL, "ATTENDEE") && e->told;
}

/* By time; of the same instance the component first. */
static int by_time(const void *x, const void *y)
{
	const struct event_exception *a = x, *b = y;

	if (a->local != b->local)
		return a->local < b->local ? -1 : 1;
	return (b->part != NULL) - (a->part != NULL);
}

/* How many there may be. */
static size_t count_exceptions(const struct event *e)
{
	size_t n = 0;

	for (struct ical_line *l = ical_find(e->master, NULL, "EXDATE"); l;
		l = ical_find(e->master, l, "EXDATE")) {
		n++;
		for (size_t i = 0; i < l->value.n; i++)
			n += l->value.p[i] == ',';
	}
	for (struct ical_part *p = event_next_instance(e, NULL); p;
		p = event_next_instance(e, p))
		n++;
	return n < EVENT_EXCEPTIONS_MAX ? n : EVENT_EXCEPTIONS_MAX;
}

static size_t exdates(const struct event *e, struct event_exception *v, size_t max)
{
	size_t n = 0, many;

	for (struct ical_line *l = ical_find(e->master, NULL, "EXDATE"); l && n < max;
		l = ical_find(e->master, l, "EXDATE")) {
		struct str *raw = ical_split(l->value, &many, e->a);
		struct event_time t;

		for (size_t i = 0; i < many && n < max; i++)
			if (event_time_read(e, l, raw[i], &t))
				v[n++] = (struct event_exception){
					.local = key_of(e, &t), .deleted = true};
	}
	return n;
}

/* more: room for so many beyond. */
static size_t find_exceptions(const struct event *e, size_t more, struct event_exception **v_r)
{
	size_t max = count_exceptions(e), n = 0, kept = 0;
	struct event_exception *v = ARENA_ARRAY(e->a, struct event_exception, max + more + 1);

	for (struct ical_part *p = event_next_instance(e, NULL); p && n < max;
		p = event_next_instance(e, p)) {
		struct event_time t;

		if (event_time_of(e, p, "RECURRENCE-ID", &t))
			v[n++] = (struct event_exception){
				.local = key_of(e, &t), .part = p, .deleted = is_deleted(e, p)};
	}
	n += exdates(e, v + n, max - n);
	if (n)
		qsort(v, n, sizeof(*v), by_time);
	for (size_t i = 0; i < n; i++)
		if (!kept || v[kept - 1].local != v[i].local)
			v[kept++] = v[i];
	*v_r = v;
	return kept;
}

size_t event_exceptions(const struct event *e, struct event_exception **v_r)
{
	return find_exceptions(e, 0, v_r);
}

void event_inherit(const struct event *e, const struct event_look *master, int64_t local,
	struct event_look *r)
{
	*r = *master;
	r->all_day = e->start.is_date;
	r->start = e->start.is_date ? local : event_utc(&e->start.zone, local);
	r->end = r->start + e->length;
}

/* How the series writes a time that names an instance. */
static struct event_time name_of(const struct event *e, int64_t local)
{
	struct event_time t = e->start;

	t.local = local;
	t.utc = e->start.is_date ? local : event_utc(&e->start.zone, local);
	return t;
}

static void add_exdate(struct event *e, int64_t local)
{
	struct event_time t = name_of(e, local);

	(void)ical_add(&e->ical, e->master,
		arena_printf(e->a, "EXDATE%.*s", STR_FMT(event_time_params(&t, e->a))),
		event_time_raw(&t, e->a));
}

static void remove_exdate(struct event *e, int64_t local)
{
	struct ical_line *l = ical_find(e->master, NULL, "EXDATE"), *next;

	for (; l; l = next) {
		size_t many, kept = 0;
		struct str *raw = ical_split(l->value, &many, e->a);
		struct event_time t;

		next = ical_find(e->master, l, "EXDATE");
		for (size_t i = 0; i < many; i++)
			if (!event_time_read(e, l, raw[i], &t) || key_of(e, &t) != local)
				raw[kept++] = raw[i];
		if (!kept)
			ical_remove(&e->ical, l);
		else if (kept < many)
			ical_set(&e->ical, l, ical_join(raw, kept, e->a));
	}
}

void event_exceptions_drop(struct event *e)
{
	for (struct ical_part *p = event_next_instance(e, NULL), *next; p; p = next) {
		next = event_next_instance(e, p);
		ical_part_remove(&e->ical, p);
	}
	ical_put(&e->ical, e->master, "EXDATE", STR_NONE);
}

/* An instance of its own: all that the series says, but not how it repeats. */
static struct ical_part *new_instance(
	struct event *e, const struct event_look *master, int64_t local)
{
	static const char *const names[] = {"RRULE", "RDATE", "EXDATE", "EXRULE"};
	struct ical_part *p =
		ical_part_add(&e->ical, e->ical.root, ical_part_bytes(&e->ical, e->master));
	struct event_time name = name_of(e, local);
	struct event_form form = event_form_of(e, e->master);
	struct event_look its;

	/* It was a component before. */
	if (!p)
		abort();
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		ical_put(&e->ical, p, names[i], STR_NONE);
	event_time_put(e, p, "RECURRENCE-ID", &name);
	event_inherit(e, master, local, &its);
	event_times_put(e, p, &form, master, &its, false);
	return p;
}

/* What the device means by an instance, among what there is. */
struct instances {
	struct event_exception *v;
	size_t n;
	struct event_series series;
};

static struct event_exception *exception_at(struct instances *in, int64_t local, bool same_day)
{
	for (size_t i = 0; i < in->n; i++)
		if (same_day ? midnight(in->v[i].local) == midnight(local)
			     : in->v[i].local == local)
			return &in->v[i];
	return NULL;
}

/*
 * clients.md: iOS has the hours wrong at times; then the day counts, and that of a midnight in
 * UTC is the day in UTC. False: there is no such instance.
 */
static bool find_instance(
	struct instances *in, int64_t utc, int64_t *local, struct event_exception **x_r)
{
	int64_t at = *local;
	bool found = event_series_find(&in->series, *local, &at);

	*x_r = exception_at(in, *local, false);
	if (*x_r || (found && at == *local))
		return true;
	if (utc % EVENT_DAY == 0 && *local % EVENT_DAY != 0) {
		*local = utc;
		found = event_series_find(&in->series, utc, &at);
	}
	*x_r = exception_at(in, *local, true);
	if (*x_r) {
		*local = (*x_r)->local;
		return true;
	}
	if (!found && !in->series.whole)
		return in->series.n == 0 || *local > in->series.local[in->series.n - 1];
	*local = at;
	return found;
}

/* Of a series that had times before: the device may still name the instance by its time. */
static int64_t sent_date(const struct event_wish *w, const struct event_look *was, int64_t utc)
{
	int64_t local = event_local(&w->zone, utc), before = event_local(&w->zone, was->start);

	return !was->all_day && local - midnight(local) == before - midnight(before)
		       ? midnight(local)
		       : event_date(&w->zone, utc);
}

static enum rc sent_instance(const struct event *e, const struct elem *x,
	const struct event_wish *w, const struct event_look *was, int64_t *utc_r,
	int64_t *local_r, struct err *err)
{
	bool has;
	enum rc rc = event_time_sent(x, CALENDAR_EXCEPTION_START_TIME, &has, utc_r, err);

	if (rc)
		return rc;
	if (!has)
		return err_set(err, RC_INVALID, "an exception that says not of which instance");
	*local_r = e->start.is_date ? sent_date(w, was, *utc_r)
				    : event_local(&e->start.zone, *utc_r);
	return RC_OK;
}

static void delete_instance(struct event *e, struct event_exception *x)
{
	if (x->deleted)
		return;
	if (x->part)
		ical_part_remove(&e->ical, x->part);
	x->part = NULL;
	x->deleted = true;
	add_exdate(e, x->local);
}

static void restore_instance(struct event *e, struct event_exception *x)
{
	if (!x->deleted)
		return;
	if (x->part)
		ical_put(&e->ical, x->part, "STATUS", STR_NONE);
	else
		remove_exdate(e, x->local);
	x->deleted = false;
}

/* Each instance of its own is as large as the series: not all that could be made are, only to
 * be thrown away. */
static bool has_room(const struct event *e)
{
	size_t bytes = 0, lines = 0;

	for (const struct ical_line *l = e->ical.first; l; l = l->next, lines++)
		bytes += l->raw.n;
	return bytes <= ICAL_SIZE_MAX && lines <= ICAL_LINES_MAX;
}

/* What the device was not told, or is told only where it differs, it does not change by saying
 * nothing of it. was: of the series, as it was told. */
static void keep_own(const struct event *e, enum eas_version v, const struct event_look *was,
	const struct event_look *shown, struct event_look *base)
{
	/* A body that is absent is unchanged; that of the series may have changed. */
	if (!str_eq(event_clean(shown->body, e->a), event_clean(was->body, e->a)))
		base->body = shown->body;
	/* Before 14.0 nothing is said of who comes to one instance; later what they answered
	 * is left out by a device that moves it. */
	if (!event_people_same(was, shown)) {
		base->attendees = shown->attendees;
		base->nattendees = shown->nattendees;
	}
	base->numbers[EVENT_NO_COUNTER] = shown->numbers[EVENT_NO_COUNTER];
	if (v < V141 && shown->numbers[EVENT_REMINDER] < 0)
		base->numbers[EVENT_REMINDER] = -1;
}

static enum rc change_instance(struct event *e, struct event_exception *x,
	const struct event_wish *w, const struct event_look *was, struct err *err)
{
	struct event_look master, base, shown, wanted;
	struct event_form form;
	enum rc rc;

	event_look_of(e, e->master, &master);
	event_inherit(e, &master, x->local, &base);
	shown = base;
	if (x->part)
		event_look_of(e, x->part, &shown);
	if (x->part)
		keep_own(e, w->patch->version, was, &shown, &base);
	rc = event_look_read(e, w, &base, &shown, &wanted, err);
	if (rc)
		return rc;
	restore_instance(e, x);
	if (!x->part && event_look_same(e, &shown, &wanted))
		return RC_OK;
	if (!x->part && !has_room(e))
		return err_set(err, RC_INVALID, "too many instances of a large series");
	if (!x->part)
		x->part = new_instance(e, &master, x->local);
	form = event_form_of(e, x->part);
	event_look_apply(e, x->part, &form, &shown, &wanted, w->patch->now);
	return RC_OK;
}

static enum rc apply_one(struct event *e, const struct elem *x, const struct event_wish *w,
	struct instances *in, const struct event_look *was, struct err *err)
{
	struct event_exception *has;
	struct event_wish its = *w;
	int64_t local = 0, utc;
	enum rc rc = sent_instance(e, x, w, was, &utc, &local, err);

	if (rc || !find_instance(in, utc, &local, &has))
		return rc;
	if (!has) {
		has = &in->v[in->n++];
		*has = (struct event_exception){.local = local};
	}
	its.data = x;
	its.instance = true;
	if (elem_bool(x, CALENDAR_DELETED, false)) {
		delete_instance(e, has);
		return RC_OK;
	}
	return change_instance(e, has, &its, was, err);
}

enum rc event_exceptions_apply(struct event *e, const struct elem *data,
	const struct event_wish *w, const struct event_look *was, struct err *err)
{
	const struct elem *list = elem_child(data, CALENDAR_EXCEPTIONS);
	size_t many = elem_count(list, CALENDAR_EXCEPTION);
	struct instances in;
	int64_t last = INT64_MIN;
	enum rc rc = RC_OK;

	if (many > EVENT_EXCEPTIONS_READ)
		return err_set(
			err, RC_INVALID, "more than %d exceptions", EVENT_EXCEPTIONS_READ);
	for (const struct elem *x = elem_child(list, CALENDAR_EXCEPTION); x && rc == RC_OK;
		x = elem_again(x)) {
		int64_t local = 0, utc;

		rc = sent_instance(e, x, w, was, &utc, &local, err);
		last = local > last ? local : last;
	}
	if (rc || last == INT64_MIN)
		return rc;
	event_series_of(e, last + EVENT_DAY, &in.series);
	in.n = find_exceptions(e, many, &in.v);
	for (const struct elem *x = elem_child(list, CALENDAR_EXCEPTION); x && rc == RC_OK;
		x = elem_again(x))
		rc = apply_one(e, x, w, &in, was, err);
	return rc;
}

/* An instance that was not moved goes with the series. */
static void move_instance(struct event *e, const struct event *old,
	const struct event_exception *x, int64_t local)
{
	struct event_time name = name_of(e, local);
	struct event_form form = event_form_of(e, e->master);
	struct event_look shown, wanted;
	int64_t was = old->start.is_date ? x->local : event_utc(&old->start.zone, x->local);

	event_look_of(e, x->part, &shown);
	wanted = shown;
	if (shown.start == was && shown.all_day == old->start.is_date) {
		wanted.all_day = e->start.is_date;
		wanted.start = name.utc;
		wanted.end = wanted.start + (shown.end - shown.start == old->length
							    ? e->length
							    : shown.end - shown.start);
	}
	event_time_put(e, x->part, "RECURRENCE-ID", &name);
	event_times_put(e, x->part, &form, &shown, &wanted, false);
}

/* An instance by the clock that the series has now. */
static int64_t by_new_clock(const struct event *e, const struct event *old, int64_t local)
{
	if (!e->reformed || e->start.is_date || old->start.is_date)
		return local;
	return event_local(&e->start.zone, event_utc(&old->start.zone, local));
}

void event_exceptions_follow(
	struct event *e, const struct event *old, const struct event_exception *v, size_t n)
{
	struct event_series s;
	bool dates = false;

	if (!n)
		return;
	event_series_of(e, v[n - 1].local + 2 * EVENT_DAY, &s);
	for (size_t i = 0; i < n; i++) {
		int64_t local = by_new_clock(e, old, v[i].local);
		bool is = event_series_find(&s, local, &local);
		bool same = is && local == v[i].local && !e->reformed;

		if (!v[i].part)
			dates = dates || !same;
		else if (!is)
			ical_part_remove(&e->ical, v[i].part);
		else if (!same)
			move_instance(e, old, &v[i], local);
	}
	if (!dates)
		return;
	ical_put(&e->ical, e->master, "EXDATE", STR_NONE);
	for (size_t i = 0; i < n; i++) {
		int64_t local = by_new_clock(e, old, v[i].local);

		if (!v[i].part && event_series_find(&s, local, &local))
			add_exdate(e, local);
	}
}
