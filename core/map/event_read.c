/* Which component of an object is what. */
#include "core/base/utf8.h"
#include "core/map/event_parts.h"

#include <glib.h>

struct str event_clean(struct str text, struct arena *a)
{
	return str_trim(body_lf(utf8_cleaned(text, a), a));
}

/* Devices have no line ends in a subject or a place. */
struct str event_line(struct str text, struct arena *a)
{
	struct str s = event_clean(text, a);
	char *p;

	if (str_find(s, '\n') == s.n)
		return s;
	p = arena_cstr(a, s);
	for (size_t i = 0; i < s.n; i++)
		if (p[i] == '\n')
			p[i] = ' ';
	return (struct str){p, s.n};
}

static struct str uid_of(const struct ical_part *p)
{
	const struct ical_line *l = ical_find(p, NULL, "UID");

	return l ? str_trim(l->value) : STR_NONE;
}

static bool is_instance(const struct ical_part *p)
{
	return ical_find(p, NULL, "RECURRENCE-ID") != NULL;
}

struct ical_part *event_next_instance(const struct event *e, const struct ical_part *after)
{
	struct ical_part *p = ical_part_find(e->ical.root, after, "VEVENT");

	for (; p; p = ical_part_find(e->ical.root, p, "VEVENT"))
		if (p != e->master && is_instance(p) && str_eq(uid_of(p), uid_of(e->master)))
			return p;
	return NULL;
}

static struct ical_part *find_master(const struct event *e)
{
	struct ical_part *p = ical_part_find(e->ical.root, NULL, "VEVENT");

	for (; p; p = ical_part_find(e->ical.root, p, "VEVENT"))
		if (!is_instance(p))
			return p;
	return ical_part_find(e->ical.root, NULL, "VEVENT");
}

/* The rule as devices have it; false: they cannot be told. */
static bool read_rule(struct event *e)
{
	const struct ical_line *l = ical_find(e->master, NULL, "RRULE");
	bool utc;

	if (!l || ical_find(e->master, l, "RRULE") || ical_find(e->master, NULL, "RDATE") ||
		ical_find(e->master, NULL, "EXRULE") ||
		!recurrence_of_rule(l->value, e->start.local, &e->rule, &utc, e->a))
		return false;
	if (!e->rule.has_until)
		return true;
	if (e->start.is_date) {
		int64_t until = utc ? event_local(&e->home, e->rule.until) : e->rule.until;

		e->rule.until = until - until % EVENT_DAY;
	} else if (!utc) {
		e->rule.until = event_utc(&e->start.zone, e->rule.until);
	}
	return true;
}

enum rc event_place(struct event *e, struct err *err)
{
	const struct event_time none = {.is_date = false};

	e->master = find_master(e);
	if (!e->master)
		return err_set(err, RC_ABSENT, "there is no event in this object");
	e->orphan = is_instance(e->master);
	e->home = none.zone;
	event_zone_first(e, &e->home);
	if (!event_time_of(e, e->master, "DTSTART", &e->start))
		return err_set(err, RC_INVALID, "an event that begins at no time");
	e->length = event_length(e, e->master, &e->start);
	e->repeats = !e->orphan && (ical_find(e->master, NULL, "RRULE") ||
					   ical_find(e->master, NULL, "RDATE"));
	e->rule = (struct recurrence){.type = 0};
	e->told = e->repeats && read_rule(e);
	return RC_OK;
}

enum rc event_read(struct str ics, const struct email_options *o, struct arena *a,
	struct event *e, struct err *err)
{
	enum rc rc;

	*e = (struct event){.a = a, .o = o, .zones = event_zones_new(a)};
	rc = ical_read(ics, a, &e->ical, err);
	if (rc == RC_LIMIT)
		rc = RC_INVALID;
	return rc ? rc : event_place(e, err);
}

struct str event_uid(struct str ics, struct arena *a)
{
	struct ical c;
	struct event e = {.a = a};

	if (ical_read(ics, a, &c, NULL))
		return STR_NONE;
	e.ical = c;
	e.master = find_master(&e);
	return e.master ? ical_text(ical_find(e.master, NULL, "UID"), a) : STR_NONE;
}

static int64_t later(int64_t x, int64_t y)
{
	return x > y ? x : y;
}

/* The latest moment at which a time may be that is no moment. */
static int64_t latest(const struct event_time *t)
{
	return t->is_date || t->is_floating ? t->local + EVENT_DAY / 2 : t->utc;
}

/* When the last instance begins that the rule makes; INT64_MAX: there is none. */
static int64_t last_start(const struct event *e)
{
	struct event_series s;

	if (!e->told)
		return INT64_MAX;
	if (e->rule.has_until)
		return e->rule.until;
	if (!e->rule.occurrences)
		return INT64_MAX;
	event_series_of(e, INT64_MAX, &s);
	if (!s.whole || !s.n)
		return INT64_MAX;
	return event_utc(&e->start.zone, s.local[s.n - 1]);
}

int64_t event_end(struct str ics, struct arena *a)
{
	struct event e;
	enum rc rc = event_read(ics, NULL, a, &e, NULL);
	int64_t end;

	/* What cannot be read is not too old: it is for the administrator. */
	if (rc)
		return rc == RC_ABSENT ? INT64_MIN : INT64_MAX;
	end = latest(&e.start) + e.length;
	if (e.repeats) {
		int64_t last = last_start(&e);

		if (last == INT64_MAX)
			return INT64_MAX;
		end = later(end, last + (latest(&e.start) - e.start.utc) + e.length);
	}
	for (struct ical_part *p = event_next_instance(&e, NULL); p;
		p = event_next_instance(&e, p)) {
		struct event_time t;

		if (event_time_of(&e, p, "DTSTART", &t))
			end = later(end, latest(&t) + event_length(&e, p, &t));
	}
	return end;
}

/* What a person reads in an event, folded for comparing. */
static struct str words_of(const struct event *e, struct arena *a)
{
	static const char *const names[] = {"SUMMARY", "LOCATION", "DESCRIPTION", "CATEGORIES",
		"COMMENT", "CONTACT", "ORGANIZER", "ATTENDEE"};
	struct buf b;
	struct str text;

	buf_init(&b, BUF_MAX_TEXT);
	for (struct ical_part *p = ical_part_find(e->ical.root, NULL, "VEVENT"); p;
		p = ical_part_find(e->ical.root, p, "VEVENT"))
		for (size_t i = 0; i < ARRAY_LEN(names); i++)
			for (struct ical_line *l = ical_find(p, NULL, names[i]); l;
				l = ical_find(p, l, names[i])) {
				buf_add_str(&b, ical_text(l, a));
				buf_addc(&b, ' ');
				buf_add_str(&b, ical_param(l, "CN", a));
				buf_addc(&b, '\n');
			}
	text = utf8_cleaned(buf_str(&b), a);
	text = arena_str(a, text);
	buf_release(&b);
	return text;
}

static struct str folded(struct str s, struct arena *a)
{
	char *p = g_utf8_casefold(s.p ? s.p : "", (gssize)s.n);
	struct str r = arena_str(a, str_of(p));

	g_free(p);
	return r;
}

bool event_says(struct str ics, const struct str *words, size_t n, struct arena *a)
{
	struct event e = {.a = a};
	struct str text;

	if (ical_read(ics, a, &e.ical, NULL))
		return false;
	text = folded(words_of(&e, a), a);
	for (size_t i = 0; i < n; i++)
		if (str_search(text, folded(utf8_cleaned(words[i], a), a)) == text.n)
			return false;
	return true;
}
