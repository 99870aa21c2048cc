/* When an event is: DATE and DATE-TIME, with zone, in UTC, or floating. */
#include "core/base/clock.h"
#include "core/map/event_parts.h"

#include <libical/ical.h>

/* Of objects; what devices are told of them may be some years later, and they say it again. */
enum { YEAR_MAX = 9000, LEAST_SENT = 0, MOST_SENT = 9500 };

static bool two(struct str s, size_t at, unsigned *n_r)
{
	return str_u32(str_sub(s, at, 2), n_r) && at + 2 <= s.n;
}

/* "20260301", "20260301T100000", "20260301T100000Z" */
static bool parse(struct str s, struct event_time *t)
{
	unsigned year, month, day, h = 0, m = 0, sec = 0, had_month, had_day;
	int had_year;
	int64_t days;

	if (s.n < 8 || !str_u32(str_sub(s, 0, 4), &year) || !two(s, 4, &month) ||
		!two(s, 6, &day) || month < 1 || month > 12 || year < 1 || year > YEAR_MAX)
		return false;
	days = clock_days((int)year, month, day);
	clock_civil(days, &had_year, &had_month, &had_day);
	if (had_month != month || had_day != day)
		return false;
	t->is_date = s.n == 8;
	if (!t->is_date &&
		(s.n < 15 || (s.p[8] != 'T' && s.p[8] != 't') || !two(s, 9, &h) ||
			!two(s, 11, &m) || !two(s, 13, &sec) || h > 24 || m > 59 || sec > 60))
		return false;
	t->is_utc = s.n == 16 && (s.p[15] == 'Z' || s.p[15] == 'z');
	t->local = days * EVENT_DAY + h * 3600 + m * 60 + sec;
	return t->is_date || s.n == 15 || t->is_utc;
}

bool event_time_read(
	const struct event *e, const struct ical_line *l, struct str raw, struct event_time *t)
{
	struct str tzid;

	*t = (struct event_time){.is_date = false};
	if (!parse(str_trim(raw), t))
		return false;
	t->utc = t->local;
	if (t->is_date || t->is_utc)
		return true;
	tzid = ical_param(l, "TZID", e->a);
	t->is_floating = !tzid.p || !event_zone_named(e, tzid, &t->zone);
	if (t->is_floating) {
		t->zone = e->home;
		t->unknown = tzid;
	}
	t->utc = event_utc(&t->zone, t->local);
	return true;
}

bool event_time_of(const struct event *e, const struct ical_part *p, const char *name,
	struct event_time *t)
{
	const struct ical_line *l = ical_find(p, NULL, name);

	return l && event_time_read(e, l, l->value, t);
}

static const int64_t length_max = 36525 * (int64_t)EVENT_DAY;

/* Days are as long as they are there, RFC 5545 3.3.6. */
static bool read_duration(const struct event *e, const struct ical_line *l,
	const struct event_time *start, int64_t *r)
{
	struct icaldurationtype d;
	int64_t days;

	d = icaldurationtype_from_string(arena_cstr(e->a, str_trim(str_sub(l->value, 0, 64))));
	days = ((int64_t)d.weeks * 7 + d.days) * EVENT_DAY;
	if (icaldurationtype_is_bad_duration(d) || d.is_neg || days > length_max)
		return false;
	*r = event_utc(&start->zone, start->local + days) - start->utc +
	     (int64_t)d.hours * 3600 + (int64_t)d.minutes * 60 + d.seconds;
	return true;
}

/* RFC 5545 3.6.1: DTEND, or DURATION, or neither: a day, or no time at all. */
int64_t event_length(
	const struct event *e, const struct ical_part *p, const struct event_time *start)
{
	const struct ical_line *l = ical_find(p, NULL, "DURATION");
	struct event_time end;
	int64_t length = 0;

	if (event_time_of(e, p, "DTEND", &end)) {
		length = end.utc - start->utc;
		/* A date beside a time. */
		if (end.is_date != start->is_date)
			length = end.local - start->local;
		if (start->is_date)
			length = (length + EVENT_DAY - 1) / EVENT_DAY * EVENT_DAY;
	} else if (l && read_duration(e, l, start, &length)) {
		if (start->is_date)
			length = (length + EVENT_DAY - 1) / EVENT_DAY * EVENT_DAY;
	}
	if (length < 0)
		length = 0;
	if (length > length_max)
		length = length_max;
	return start->is_date && length < EVENT_DAY ? EVENT_DAY : length;
}

struct str event_time_raw(const struct event_time *t, struct arena *a)
{
	struct str s = clock_compact(a, t->is_utc ? t->utc : t->local);

	return str_sub(s, 0, t->is_date ? 8 : t->is_utc ? 16 : 15);
}

struct str event_time_params(const struct event_time *t, struct arena *a)
{
	struct str tzid = t->zone.tzid;

	if (t->is_date)
		return STR(";VALUE=DATE");
	if (t->is_floating)
		tzid = t->unknown;
	if (t->is_utc || !tzid.n)
		return (struct str){"", 0};
	return arena_printf(a, ";TZID=%.*s", STR_FMT(ical_quote(tzid, a)));
}

void event_time_put(
	struct event *e, struct ical_part *p, const char *name, const struct event_time *t)
{
	struct ical_line *l = ical_find(p, NULL, name);
	struct str raw = event_time_raw(t, e->a), params = event_time_params(t, e->a);
	bool zoned = str_istarts(params, ";TZID=");

	if (!l) {
		(void)ical_add(
			&e->ical, p, arena_printf(e->a, "%s%.*s", name, STR_FMT(params)), raw);
		return;
	}
	ical_set_param(&e->ical, l, "VALUE", t->is_date ? STR("DATE") : STR_NONE);
	/* A zone that nobody knows stays: its times are floating here. */
	if (!t->is_floating || zoned)
		ical_set_param(
			&e->ical, l, "TZID", zoned ? str_sub(params, 6, params.n) : STR_NONE);
	ical_set(&e->ical, l, raw);
}

enum rc event_time_sent(
	const struct elem *data, tag_t tag, bool *has_r, int64_t *utc_r, struct err *err)
{
	struct str text = elem_text(data, tag);

	*has_r = text.n > 0;
	if (text.n && (clock_parse(text, utc_r) || event_year(*utc_r) < LEAST_SENT ||
			      event_year(*utc_r) > MOST_SENT))
		return err_set(err, RC_INVALID, "%s is no time", tag_info(tag)->name);
	return RC_OK;
}

/* classes.md 3.2: devices are an hour off at times, and some say midnight in UTC whatever the
 * zone is that they name. */
int64_t event_date(const struct event_zone *z, int64_t utc)
{
	int64_t local = event_local(z, utc);

	if (local % EVENT_DAY != 0 && utc % EVENT_DAY == 0)
		return utc;
	local += EVENT_DAY / 2;
	return local - (local % EVENT_DAY + EVENT_DAY) % EVENT_DAY;
}

struct event_form event_form_of(const struct event *e, const struct ical_part *p)
{
	struct event_time t;

	if (e->reformed || !event_time_of(e, p, "DTSTART", &t) || t.is_date)
		t = e->start;
	if (t.is_date)
		return (struct event_form){.is_utc = !e->home.offset, .zone = e->home};
	return (struct event_form){.is_utc = t.is_utc,
		.is_floating = t.is_floating,
		.unknown = t.unknown,
		.zone = t.zone};
}

struct event_time event_time_in(const struct event_form *f, bool is_date, int64_t t)
{
	struct event_time r = {.is_date = is_date, .local = t, .utc = t};

	if (is_date)
		return r;
	r.is_utc = f->is_utc;
	r.is_floating = f->is_floating;
	r.unknown = f->unknown;
	r.zone = f->zone;
	r.local = event_local(&f->zone, t);
	return r;
}

static void put_end(struct event *e, struct ical_part *p, const struct event_form *form,
	const struct event_look *shown, const struct event_look *wanted, bool all)
{
	int64_t length = wanted->end - wanted->start;
	bool same_kind = shown->all_day == wanted->all_day;
	struct event_time end;

	if (ical_find(p, NULL, "DURATION") && same_kind && length == shown->end - shown->start)
		return;
	if (ical_find(p, NULL, "DTEND")) {
		if (same_kind && !all && shown->end == wanted->end)
			return;
	} else if (length == (wanted->all_day ? EVENT_DAY : 0)) {
		/* RFC 5545 3.6.1: that is what none means. */
		ical_put(&e->ical, p, "DURATION", STR_NONE);
		return;
	}
	ical_put(&e->ical, p, "DURATION", STR_NONE);
	end = event_time_in(form, wanted->all_day, wanted->end);
	event_time_put(e, p, "DTEND", &end);
}

void event_times_put(struct event *e, struct ical_part *p, const struct event_form *form,
	const struct event_look *shown, const struct event_look *wanted, bool all)
{
	bool same_kind = shown->all_day == wanted->all_day;

	if (!same_kind && ical_find(p, NULL, "X-MICROSOFT-CDO-ALLDAYEVENT"))
		ical_put(&e->ical, p, "X-MICROSOFT-CDO-ALLDAYEVENT",
			wanted->all_day ? STR("TRUE") : STR("FALSE"));
	/* Dates are in no zone. */
	all = all && !(same_kind && wanted->all_day);
	if (all || !same_kind || shown->start != wanted->start) {
		struct event_time start = event_time_in(form, wanted->all_day, wanted->start);

		event_time_put(e, p, "DTSTART", &start);
	}
	if (all || !same_kind || shown->start != wanted->start || shown->end != wanted->end)
		put_end(e, p, form, shown, wanted, all);
}
