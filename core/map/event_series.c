/* The instances of a series by its rule; those that are changed or deleted are among them. */
#include "core/base/clock.h"
#include "core/map/event_parts.h"

#include <libical/ical.h>

static struct icaltimetype to_library(int64_t local, bool is_date)
{
	struct icaltimetype t = icaltime_null_time();
	int64_t days = local / EVENT_DAY, rest = local % EVENT_DAY;
	unsigned month, day;

	if (rest < 0) {
		rest += EVENT_DAY;
		days--;
	}
	clock_civil(days, &t.year, &month, &day);
	t.month = (int)month;
	t.day = (int)day;
	t.is_date = is_date;
	if (!is_date) {
		t.hour = (int)(rest / 3600);
		t.minute = (int)(rest / 60 % 60);
		t.second = (int)(rest % 60);
	}
	return t;
}

static int64_t from_library(struct icaltimetype t)
{
	return clock_days(t.year, (unsigned)t.month, (unsigned)t.day) * EVENT_DAY +
	       t.hour * 3600 + t.minute * 60 + t.second;
}

/* The rule as we would write it ourselves: none that keeps the library busy. */
static struct icalrecurrencetype library_rule(const struct event *e)
{
	struct recurrence r = e->rule;

	r.has_until = false;
	return icalrecurrencetype_from_string(
		arena_cstr(e->a, recurrence_rule(&r, STR_NONE, e->a)));
}

static bool is_past(const struct event *e, int64_t local)
{
	if (!e->rule.has_until)
		return false;
	return e->start.is_date ? local > e->rule.until
				: event_utc(&e->start.zone, local) > e->rule.until;
}

void event_series_of(const struct event *e, int64_t last, struct event_series *r)
{
	icalrecur_iterator *it;
	struct icaltimetype t;
	size_t max = 64;

	*r = (struct event_series){.local = ARENA_ARRAY(e->a, int64_t, max)};
	it = icalrecur_iterator_new(
		library_rule(e), to_library(e->start.local, e->start.is_date));
	if (!it)
		return;
	r->whole = true;
	for (;;) {
		int64_t local;

		t = icalrecur_iterator_next(it);
		if (icaltime_is_null_time(t))
			break;
		local = from_library(t);
		if (local > last || is_past(e, local))
			break;
		if (r->n == EVENT_INSTANCES_MAX) {
			r->whole = false;
			break;
		}
		if (r->n == max) {
			int64_t *more = ARENA_ARRAY(e->a, int64_t, max * 2);

			for (size_t i = 0; i < max; i++)
				more[i] = r->local[i];
			r->local = more;
			max *= 2;
		}
		r->local[r->n++] = local;
	}
	icalrecur_iterator_free(it);
}

/* How many of them are before that moment. */
static size_t before(const struct event_series *s, int64_t local)
{
	size_t from = 0, to = s->n;

	while (from < to) {
		size_t mid = from + (to - from) / 2;

		if (s->local[mid] < local)
			from = mid + 1;
		else
			to = mid;
	}
	return from;
}

bool event_series_find(const struct event_series *s, int64_t local, int64_t *instance_r)
{
	int64_t day = local - (local % EVENT_DAY + EVENT_DAY) % EVENT_DAY;
	size_t i = before(s, local);

	if (i == s->n || s->local[i] != local) {
		i = before(s, day);
		if (i == s->n || s->local[i] >= day + EVENT_DAY)
			return false;
	}
	*instance_r = s->local[i];
	return true;
}
