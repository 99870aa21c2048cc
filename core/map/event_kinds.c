/* Properties of one text or number each, categories, and the description. */
#include "core/map/event_parts.h"

#include <libical/ical.h>
#include <stdlib.h>

struct str event_text_get(const struct event *e, const struct ical_part *p, const char *name)
{
	return event_line(ical_text(ical_find(p, NULL, name), e->a), e->a);
}

/* What a text was made of elsewhere is no longer true of another text. */
static void drop_source(struct event *e, struct ical_part *p, const char *name)
{
	struct ical_line *l = ical_find(p, NULL, name);

	if (l && ical_param(l, "ALTREP", e->a).p)
		ical_set_param(&e->ical, l, "ALTREP", STR_NONE);
}

void event_text_set(struct event *e, struct ical_part *p, const char *name, struct str text)
{
	drop_source(e, p, name);
	ical_put(&e->ical, p, name, text.n ? ical_encode(text, e->a) : STR_NONE);
}

const struct event_text_row event_texts[EVENT_TEXTS] = {
	{CALENDAR_SUBJECT,  "SUMMARY" },
	{CALENDAR_LOCATION, "LOCATION"},
};

const struct body_tags event_body_tags = {
	CALENDAR_BODY, 0, CALENDAR_BODY_TRUNCATED, CALENDAR_COMPRESSED_RTF};

struct str event_body_get(const struct event *e, const struct ical_part *p)
{
	return ical_text(ical_find(p, NULL, "DESCRIPTION"), e->a);
}

void event_body_set(struct event *e, struct ical_part *p, struct str text)
{
	struct ical_line *next;

	event_text_set(e, p, "DESCRIPTION", text);
	for (struct ical_line *l = ical_find(p, NULL, "X-ALT-DESC"); l; l = next) {
		next = ical_find(p, l, "X-ALT-DESC");
		ical_remove(&e->ical, l);
	}
}

/* CLASS, RFC 5545 3.8.1.3: what is not known is private. */
static const struct {
	const char *value;
	int n;
} classes[] = {
	{"PUBLIC",       0},
	{"X-PERSONAL",   1},
	{"PRIVATE",      2},
	{"CONFIDENTIAL", 3},
};

static struct str raw_of(const struct ical_part *p, const char *name)
{
	const struct ical_line *l = ical_find(p, NULL, name);

	return l ? str_trim(l->value) : STR_NONE;
}

static int get_sensitivity(const struct event *e UNUSED, const struct ical_part *p)
{
	struct str v = raw_of(p, "CLASS");

	for (size_t i = 0; i < ARRAY_LEN(classes); i++)
		if (str_iis(v, classes[i].value))
			return classes[i].n;
	return v.n ? 2 : 0;
}

static void set_sensitivity(struct event *e, struct ical_part *p, int n)
{
	ical_put(&e->ical, p, "CLASS", str_of(classes[n].value));
}

static const struct {
	const char *value;
	int n;
} busy[] = {
	{"FREE",             0},
	{"TENTATIVE",        1},
	{"BUSY",             2},
	{"OOF",              3},
	{"WORKINGELSEWHERE", 4},
};
#define BUSY "X-MICROSOFT-CDO-BUSYSTATUS"

/* Programs that do not know the finer word change TRANSP alone: it counts where both say
 * something else. */
static int get_busy(const struct event *e UNUSED, const struct ical_part *p)
{
	struct str v = raw_of(p, BUSY), transp = raw_of(p, "TRANSP");
	bool is_free = str_iis(transp, "TRANSPARENT");

	for (size_t i = 0; i < ARRAY_LEN(busy); i++) {
		if (!str_iis(v, busy[i].value))
			continue;
		/* Before 16.0 nobody works elsewhere. */
		if (busy[i].n == 4)
			break;
		if (!transp.n || is_free == (busy[i].n == 0))
			return busy[i].n;
	}
	if (is_free)
		return 0;
	return str_iis(raw_of(p, "STATUS"), "TENTATIVE") ? 1 : 2;
}

static void set_busy(struct event *e, struct ical_part *p, int n)
{
	/* 16.0 has one more: of the others' it is busy. */
	int shown = n == 4 ? 2 : n;

	if (ical_find(p, NULL, "TRANSP") || n == 0)
		ical_put(&e->ical, p, "TRANSP", n == 0 ? STR("TRANSPARENT") : STR("OPAQUE"));
	if (ical_find(p, NULL, BUSY) || get_busy(e, p) != shown)
		ical_put(&e->ical, p, BUSY, str_of(busy[n].value));
}

enum { REMINDER_MAX = 10000000 }; /* minutes */

/* The alarm that a device is shown, and how many minutes before the start it is. RFC 5545
 * 3.8.6.3: a trigger is relative to the start unless it says otherwise. */
static struct ical_part *alarm_of(
	const struct event *e, const struct ical_part *p, int *minutes_r)
{
	for (struct ical_part *alarm = ical_part_find(p, NULL, "VALARM"); alarm;
		alarm = ical_part_find(p, alarm, "VALARM")) {
		const struct ical_line *l = ical_find(alarm, NULL, "TRIGGER");
		struct str action = raw_of(alarm, "ACTION");
		struct icaldurationtype d;
		int64_t s;

		if (!l || (!str_iis(action, "DISPLAY") && !str_iis(action, "AUDIO")) ||
			str_iis(ical_param(l, "RELATED", e->a), "END"))
			continue;
		d = icaldurationtype_from_string(
			arena_cstr(e->a, str_trim(str_sub(l->value, 0, 64))));
		if (icaldurationtype_is_bad_duration(d))
			continue;
		s = ((int64_t)d.weeks * 7 + d.days) * EVENT_DAY + (int64_t)d.hours * 3600 +
		    (int64_t)d.minutes * 60 + d.seconds;
		if ((!d.is_neg && s > 0) || s / 60 > REMINDER_MAX)
			continue;
		*minutes_r = (int)(s / 60);
		return alarm;
	}
	return NULL;
}

static int get_reminder(const struct event *e, const struct ical_part *p)
{
	int minutes = -1;

	(void)alarm_of(e, p, &minutes);
	return minutes;
}

static struct str before_start(struct event *e, int minutes)
{
	return minutes ? arena_printf(e->a, "-PT%dM", minutes) : STR("PT0S");
}

static void set_reminder(struct event *e, struct ical_part *p, int n)
{
	int minutes;
	struct ical_part *alarm = alarm_of(e, p, &minutes);

	/* The next one would come back as the reminder. */
	if (n < 0) {
		for (; alarm; alarm = alarm_of(e, p, &minutes))
			ical_part_remove(&e->ical, alarm);
		return;
	}
	if (alarm) {
		ical_put(&e->ical, alarm, "TRIGGER", before_start(e, n));
		return;
	}
	(void)ical_part_add(&e->ical, p,
		arena_printf(e->a,
			"BEGIN:VALARM\r\nACTION:DISPLAY\r\nDESCRIPTION:Reminder\r\n"
			"TRIGGER:%s\r\nEND:VALARM\r\n",
			before_start(e, n).p));
}

#define COUNTER "X-MICROSOFT-DISALLOW-COUNTER"

static int get_no_counter(const struct event *e UNUSED, const struct ical_part *p)
{
	return str_iis(raw_of(p, COUNTER), "TRUE");
}

static void set_no_counter(struct event *e, struct ical_part *p, int n)
{
	ical_put(&e->ical, p, COUNTER, n ? STR("TRUE") : STR("FALSE"));
}

const struct event_number_row event_numbers[EVENT_NUMBERS] = {
	{CALENDAR_SENSITIVITY,                V25,  0,  3,            0,  get_sensitivity, set_sensitivity},
	{CALENDAR_BUSY_STATUS,                V25,  0,  4,            2,  get_busy,        set_busy       },
	{CALENDAR_REMINDER,                   V25,  -1, REMINDER_MAX, -1, get_reminder,    set_reminder   },
	{CALENDAR_DISALLOW_NEW_TIME_PROPOSAL, V140, 0,  1,            0,  get_no_counter,  set_no_counter },
};

static bool is_among(const struct str *v, size_t n, struct str s)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(v[i], s))
			return true;
	return false;
}

/* How many names there may be. */
static size_t count_categories(const struct ical_part *p)
{
	size_t n = 0;

	for (struct ical_line *l = ical_find(p, NULL, "CATEGORIES"); l;
		l = ical_find(p, l, "CATEGORIES")) {
		n++;
		for (size_t i = 0; i < l->value.n; i++)
			n += l->value.p[i] == ',';
	}
	return n < EVENT_CATEGORIES_MAX ? n : EVENT_CATEGORIES_MAX;
}

size_t event_categories_get(const struct event *e, const struct ical_part *p, struct str **v_r)
{
	size_t max = count_categories(p), n = 0, many;
	struct str *v = ARENA_ARRAY(e->a, struct str, max + 1), *raw;

	for (struct ical_line *l = ical_find(p, NULL, "CATEGORIES"); l && n < max;
		l = ical_find(p, l, "CATEGORIES")) {
		raw = ical_split(l->value, &many, e->a);
		for (size_t i = 0; i < many && n < max; i++) {
			struct str text = event_line(ical_decode(raw[i], e->a), e->a);

			if (text.n && !is_among(v, n, text))
				v[n++] = text;
		}
	}
	*v_r = v;
	return n;
}

/* A line without the names that are not wanted any more. */
static void prune(struct event *e, struct ical_line *l, const struct str *gone, size_t ngone)
{
	size_t many, kept = 0;
	struct str *raw = ical_split(l->value, &many, e->a);

	for (size_t i = 0; i < many; i++)
		if (!is_among(gone, ngone, event_line(ical_decode(raw[i], e->a), e->a)))
			raw[kept++] = raw[i];
	if (kept == 0)
		ical_remove(&e->ical, l);
	else if (kept < many)
		ical_set(&e->ical, l, ical_join(raw, kept, e->a));
}

void event_categories_set(struct event *e, struct ical_part *p, const struct str *v, size_t n)
{
	struct str *shown, *some;
	size_t nshown = event_categories_get(e, p, &shown), many = 0, old;
	struct ical_line *l, *next;

	some = ARENA_ARRAY(e->a, struct str, nshown + n + 1);
	for (size_t i = 0; i < nshown; i++)
		if (!is_among(v, n, shown[i]))
			some[many++] = shown[i];
	for (l = ical_find(p, NULL, "CATEGORIES"); l && many; l = next) {
		next = ical_find(p, l, "CATEGORIES");
		prune(e, l, some, many);
	}
	l = ical_find(p, NULL, "CATEGORIES");
	many = old = l && str_trim(l->value).n ? 1 : 0;
	if (old)
		some[0] = l->value;
	for (size_t i = 0; i < n; i++)
		if (!is_among(shown, nshown, v[i]))
			some[many++] = ical_encode(v[i], e->a);
	if (many > old)
		ical_put(&e->ical, p, "CATEGORIES", ical_join(some, many, e->a));
}

bool event_categories_same(const struct event_look *x, const struct event_look *y)
{
	if (x->ncategories != y->ncategories)
		return false;
	for (size_t i = 0; i < x->ncategories; i++)
		if (!is_among(y->categories, y->ncategories, x->categories[i]))
			return false;
	return true;
}

static void get_times(const struct event *e, const struct ical_part *p, struct event_look *r)
{
	struct event_time t;

	if (!event_time_of(e, p, "DTSTART", &t)) {
		/* An instance that does not say when it is, is when it was to be. */
		if (!event_time_of(e, p, "RECURRENCE-ID", &t))
			t = e->start;
		r->start = t.utc;
		r->end = t.utc + e->length;
	} else {
		r->start = t.utc;
		r->end = t.utc + event_length(e, p, &t);
	}
	r->all_day = t.is_date;
}

void event_look_of(const struct event *e, const struct ical_part *p, struct event_look *r)
{
	*r = (struct event_look){.all_day = false};
	get_times(e, p, r);
	for (size_t i = 0; i < EVENT_TEXTS; i++)
		r->texts[i] = event_text_get(e, p, event_texts[i].name);
	for (size_t i = 0; i < EVENT_NUMBERS; i++)
		r->numbers[i] = event_numbers[i].get(e, p);
	r->body = event_body_get(e, p);
	r->ncategories = event_categories_get(e, p, &r->categories);
	event_people_get(e, p, r);
}
