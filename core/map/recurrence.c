#include "core/map/recurrence.h"

#include "core/base/clock.h"

#include <libical/ical.h>

enum {
	RULE_MAX = 1024,
	INTERVAL_MAX = 999,
	OCCURRENCES_MAX = 65535,
	DAY = 86400,
	EVERY_DAY = 127,
	LAST = 5,
	SHORTEST = 28, /* days of a month */
	LONGEST = 31,
};

enum { DAILY = 0, WEEKLY = 1, MONTHLY = 2, MONTHLY_NTH = 3, YEARLY = 5, YEARLY_NTH = 6 };

const struct recurrence_tags recurrence_calendar = {
	.recurrence = CALENDAR_RECURRENCE,
	.type = CALENDAR_TYPE,
	.interval = CALENDAR_INTERVAL,
	.until = CALENDAR_UNTIL,
	.occurrences = CALENDAR_OCCURRENCES,
	.day_of_week = CALENDAR_DAY_OF_WEEK,
	.day_of_month = CALENDAR_DAY_OF_MONTH,
	.week_of_month = CALENDAR_WEEK_OF_MONTH,
	.month_of_year = CALENDAR_MONTH_OF_YEAR,
	.calendar_type = CALENDAR_CALENDAR_TYPE,
	.is_leap_month = CALENDAR_IS_LEAP_MONTH,
	.first_day_of_week = CALENDAR_FIRST_DAY_OF_WEEK,
};

const struct recurrence_tags recurrence_email = {
	.recurrence = EMAIL_RECURRENCE,
	.type = EMAIL_TYPE,
	.interval = EMAIL_INTERVAL,
	.until = EMAIL_UNTIL,
	.occurrences = EMAIL_OCCURRENCES,
	.day_of_week = EMAIL_DAY_OF_WEEK,
	.day_of_month = EMAIL_DAY_OF_MONTH,
	.week_of_month = EMAIL_WEEK_OF_MONTH,
	.month_of_year = EMAIL_MONTH_OF_YEAR,
	.calendar_type = EMAIL2_CALENDAR_TYPE,
	.is_leap_month = EMAIL2_IS_LEAP_MONTH,
	.first_day_of_week = EMAIL2_FIRST_DAY_OF_WEEK,
};

/* What the first occurrence says of a rule. */
struct first {
	unsigned month, day, weekday; /* 1-12, 1-31, 0 Sunday */
	unsigned week;                /* 1-5 */
	int second;                   /* of its day */
};

static struct first first_of(int64_t start)
{
	int64_t days = start / DAY - (start % DAY < 0);
	struct first f;
	int year;

	clock_civil(days, &year, &f.month, &f.day);
	f.weekday = (unsigned)(((days + 4) % 7 + 7) % 7);
	f.week = (f.day - 1) / 7 + 1;
	f.second = (int)(start - days * DAY);
	return f;
}

/* The shortest that the month can be, and the longest. */
static unsigned month_length(unsigned month, bool leap)
{
	static const unsigned lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	return lengths[(month - 1) % 12] + (month == 2 && leap);
}

static bool is_type(unsigned type)
{
	return type <= MONTHLY_NTH || type == YEARLY || type == YEARLY_NTH;
}

static bool has_days(unsigned type)
{
	return type == WEEKLY || type == MONTHLY_NTH || type == YEARLY_NTH;
}

static bool has_week(unsigned type)
{
	return type == MONTHLY_NTH || type == YEARLY_NTH;
}

static bool has_month_day(unsigned type)
{
	return type == MONTHLY || type == YEARLY;
}

static bool has_month(unsigned type)
{
	return type == YEARLY || type == YEARLY_NTH;
}

/* ---- from a rule ---- */

static unsigned count(const short *by, unsigned size)
{
	unsigned n = 0;

	while (n < size && by[n] != ICAL_RECURRENCE_ARRAY_MAX)
		n++;
	return n;
}

#define COUNT(by) count((by), ARRAY_LEN(by))

/* The parts of a rule that matter, counted and decoded. */
struct parts {
	struct icalrecurrencetype rule;
	unsigned months, month_days, positions;
	unsigned days;  /* bits */
	int nth;        /* of its one day; 0: none */
	bool many_nths; /* 1MO,2TU */
};

static void read_days(struct parts *p)
{
	unsigned n = COUNT(p->rule.by_day);

	p->days = 0;
	p->nth = 0;
	p->many_nths = false;
	for (unsigned i = 0; i < n; i++) {
		unsigned day = icalrecurrencetype_day_day_of_week(p->rule.by_day[i]);
		int nth = icalrecurrencetype_day_position(p->rule.by_day[i]);

		if (day >= 1 && day <= 7)
			p->days |= 1u << (day - 1);
		if (nth && n > 1)
			p->many_nths = true;
		p->nth = nth;
	}
}

static bool parse(struct str rule, struct parts *p, struct arena *a)
{
	struct icalrecurrencetype *r = &p->rule;

	rule = str_trim(rule);
	/* RFC 7529 is for other calendars than ours. */
	if (!rule.n || rule.n > RULE_MAX || str_isearch(rule, STR("RSCALE")) < rule.n)
		return false;
	icalerror_set_errors_are_fatal(false);
	icalerror_set_error_state(ICAL_MALFORMEDDATA_ERROR, ICAL_ERROR_NONFATAL);
	*r = icalrecurrencetype_from_string(arena_cstr(a, rule));
	if (r->freq < ICAL_DAILY_RECURRENCE || r->freq > ICAL_YEARLY_RECURRENCE)
		return false;
	if (COUNT(r->by_second) || COUNT(r->by_minute) || COUNT(r->by_hour) ||
		COUNT(r->by_year_day) || COUNT(r->by_week_no))
		return false;
	p->months = COUNT(r->by_month);
	p->month_days = COUNT(r->by_month_day);
	p->positions = COUNT(r->by_set_pos);
	read_days(p);
	return !p->many_nths && p->months <= 1 && p->positions <= 1 &&
	       r->interval <= INTERVAL_MAX && (!p->days || !p->month_days);
}

static bool read_end(
	const struct parts *p, const struct first *f, struct recurrence *r, bool *utc_r)
{
	const struct icaltimetype *until = &p->rule.until;

	*utc_r = false;
	r->interval = p->rule.interval > 0 ? (unsigned)p->rule.interval : 1;
	if (p->rule.count < 0 || p->rule.count > OCCURRENCES_MAX)
		return false;
	r->occurrences = (unsigned)p->rule.count;
	if (icaltime_is_null_time(*until))
		return true;
	if (r->occurrences || !icaltime_is_valid_time(*until) || until->year < 1 ||
		until->year > 9999 || until->month < 1 || until->month > 12)
		return false;
	r->has_until = true;
	r->until = clock_days(until->year, (unsigned)until->month, (unsigned)until->day) * DAY;
	/* A date is the whole day: of a series at 10:00 the occurrence of that day, too. */
	if (until->is_date) {
		r->until += f->second;
		return true;
	}
	r->until += (int64_t)until->hour * 3600 + (int64_t)until->minute * 60 + until->second;
	*utc_r = icaltime_is_utc(*until);
	return true;
}

/* The n-th of the days, as WeekOfMonth; 0: it cannot be said. The fifth is not the last. */
static unsigned week_of(const struct parts *p)
{
	int nth = p->nth;

	if (p->positions && nth)
		/* One day has no second. */
		nth = p->rule.by_set_pos[0] == 1 || p->rule.by_set_pos[0] == -1 ? nth : 0;
	else if (p->positions)
		nth = p->rule.by_set_pos[0];
	return nth == -1 ? LAST : nth >= 1 && nth < LAST ? (unsigned)nth : 0;
}

/* BYMONTHDAY=28,29,30;BYSETPOS=-1: on the 30th, or on the last day of a shorter month. */
static unsigned clamped_day(const struct parts *p)
{
	bool has[32] = {false};
	unsigned n = p->month_days;

	if (p->positions != 1 || p->rule.by_set_pos[0] != -1 || n < 2 || n > 4)
		return 0;
	for (unsigned i = 0; i < n; i++) {
		short day = p->rule.by_month_day[i];

		if (day < SHORTEST || day > 31)
			return 0;
		has[day] = true;
	}
	for (unsigned day = SHORTEST; day < SHORTEST + n; day++)
		if (!has[day])
			return 0;
	return SHORTEST + n - 1;
}

/*
 * DayOfMonth, or what says the last day of the month. Of a month that is shorter a device takes
 * the last day, and the rule none: that is told all the same where no occurrence is lost by it
 * (29 February: it is there every year), but a count would end too early. shortest, longest:
 * the days that every such month has, and that any has.
 */
static bool read_month_day(const struct parts *p, const struct first *f, unsigned shortest,
	unsigned longest, struct recurrence *r)
{
	int day = p->month_days ? p->rule.by_month_day[0] : (int)f->day;

	if (p->month_days > 1) {
		r->month_day = clamped_day(p);
		return r->month_day > 0;
	}
	if (p->positions && !(p->month_days == 1 && (p->rule.by_set_pos[0] == 1 ||
							    p->rule.by_set_pos[0] == -1)))
		return false;
	if (day == -1) {
		r->type = r->type == YEARLY ? YEARLY_NTH : MONTHLY_NTH;
		r->days = EVERY_DAY;
		r->week = LAST;
		return true;
	}
	if (day < 1 || day > (int)(p->rule.count ? shortest : longest))
		return false;
	r->month_day = (unsigned)day;
	return true;
}

static bool read_daily(const struct parts *p, struct recurrence *r)
{
	if (p->months || p->month_days || p->positions || p->nth)
		return false;
	if (p->days && r->interval != 1)
		return false;
	r->type = p->days ? WEEKLY : DAILY;
	r->days = p->days;
	return true;
}

static bool read_weekly(const struct parts *p, const struct first *f, struct recurrence *r)
{
	if (p->months || p->month_days || p->positions || p->nth)
		return false;
	r->type = WEEKLY;
	r->days = p->days ? p->days : 1u << f->weekday;
	return true;
}

/* Every Monday of every month is every Monday. */
static bool read_each_day(const struct parts *p, struct recurrence *r)
{
	if (r->interval != 1 || p->months)
		return false;
	r->type = WEEKLY;
	r->days = p->days;
	return true;
}

static bool read_monthly(const struct parts *p, const struct first *f, struct recurrence *r)
{
	if (p->months)
		return false;
	if (!p->days) {
		r->type = MONTHLY;
		return read_month_day(p, f, SHORTEST, LONGEST, r);
	}
	if (!p->nth && !p->positions)
		return read_each_day(p, r);
	r->type = MONTHLY_NTH;
	r->days = p->days;
	r->week = week_of(p);
	return r->week > 0;
}

static bool read_yearly(const struct parts *p, const struct first *f, struct recurrence *r)
{
	r->month = p->months ? (unsigned)p->rule.by_month[0] : f->month;
	if (r->month < 1 || r->month > 12)
		return false;
	if (!p->days) {
		/* In each month, by RFC 5545; in one, by many who write it. */
		if (p->month_days && !p->months)
			return false;
		r->type = YEARLY;
		return read_month_day(
			p, f, month_length(r->month, false), month_length(r->month, true), r);
	}
	if (!p->nth && !p->positions) {
		r->month = 0;
		return read_each_day(p, r);
	}
	r->type = YEARLY_NTH;
	r->days = p->days;
	r->week = week_of(p);
	/* Of the year, that is: of its first month or its last. */
	if (!p->months)
		r->month = r->week == LAST ? 12 : 1;
	return r->week > 0;
}

bool recurrence_of_rule(
	struct str rule, int64_t start, struct recurrence *r, bool *utc_r, struct arena *a)
{
	struct parts *p = ARENA_NEW(a, struct parts);
	struct first f = first_of(start);

	*r = (struct recurrence){0};
	*utc_r = false;
	if (!parse(rule, p, a) || !read_end(p, &f, r, utc_r))
		return false;
	r->first_day = p->rule.week_start >= ICAL_SUNDAY_WEEKDAY &&
				       p->rule.week_start <= ICAL_SATURDAY_WEEKDAY
			       ? (unsigned)p->rule.week_start - 1
			       : 1;
	switch (p->rule.freq) {
	case ICAL_DAILY_RECURRENCE:
		return read_daily(p, r);
	case ICAL_WEEKLY_RECURRENCE:
		return read_weekly(p, &f, r);
	case ICAL_MONTHLY_RECURRENCE:
		return read_monthly(p, &f, r);
	default:
		return read_yearly(p, &f, r);
	}
}

/* ---- to a rule ---- */

static const char day_names[7][3] = {"SU", "MO", "TU", "WE", "TH", "FR", "SA"};

static bool is_one(unsigned days)
{
	return days && !(days & (days - 1));
}

static void put_days(struct buf *b, unsigned days, int nth)
{
	const char *sign = "";

	buf_adds(b, ";BYDAY=");
	for (unsigned i = 0; i < 7; i++) {
		if (!(days & 1u << i))
			continue;
		buf_adds(b, sign);
		if (nth)
			buf_addf(b, "%d", nth);
		buf_adds(b, day_names[i]);
		sign = ",";
	}
}

static void put_nth(struct buf *b, const struct recurrence *r)
{
	int nth = r->week == LAST ? -1 : (int)r->week;

	if ((r->days & EVERY_DAY) == EVERY_DAY) {
		buf_addf(b, ";BYMONTHDAY=%d", nth);
	} else if (is_one(r->days)) {
		put_days(b, r->days, nth);
	} else {
		put_days(b, r->days, 0);
		buf_addf(b, ";BYSETPOS=%d", nth);
	}
}

/* Where a month is too short a device means its last day; a rule would leave the month out. */
static void put_month_day(struct buf *b, const struct recurrence *r)
{
	unsigned longest = r->type == YEARLY ? month_length(r->month, false) : SHORTEST;

	if (r->month_day <= longest) {
		buf_addf(b, ";BYMONTHDAY=%u", r->month_day);
		return;
	}
	buf_addf(b, ";BYMONTHDAY=%d", (int)SHORTEST);
	for (unsigned day = SHORTEST + 1; day <= r->month_day && day <= 31; day++)
		buf_addf(b, ",%u", day);
	buf_adds(b, ";BYSETPOS=-1");
}

static const char *frequency(const struct recurrence *r)
{
	switch (r->type) {
	case DAILY:
		return r->days ? "WEEKLY" : "DAILY";
	case WEEKLY:
		return "WEEKLY";
	case MONTHLY:
	case MONTHLY_NTH:
		return "MONTHLY";
	default:
		return "YEARLY";
	}
}

struct str recurrence_rule(const struct recurrence *r, struct str until, struct arena *a)
{
	bool weekly = r->type == WEEKLY || (r->type == DAILY && r->days);
	struct buf b;
	struct str rule;

	buf_init(&b, BUF_MAX_LINE);
	buf_addf(&b, "FREQ=%s", frequency(r));
	if (r->interval > 1)
		buf_addf(&b, ";INTERVAL=%u", r->interval);
	if (until.n)
		buf_addf(&b, ";UNTIL=%.*s", STR_FMT(until));
	else if (r->occurrences)
		buf_addf(&b, ";COUNT=%u", r->occurrences);
	if (has_month(r->type))
		buf_addf(&b, ";BYMONTH=%u", r->month);
	if (weekly)
		put_days(&b, r->days, 0);
	if (has_week(r->type))
		put_nth(&b, r);
	if (has_month_day(r->type))
		put_month_day(&b, r);
	/* Monday is what is meant without a word. */
	if (weekly && r->first_day != 1)
		buf_addf(&b, ";WKST=%s", day_names[r->first_day % 7]);
	rule = arena_str(a, buf_str(&b));
	buf_release(&b);
	return rule;
}

/* ---- elements ---- */

/* The order is that of Email; Calendar and Tasks have none. */
void recurrence_write(const struct recurrence *r, const struct recurrence_tags *tags,
	enum eas_version v, struct arena *a, struct wbxml_writer *w)
{
	wbxml_open(w, tags->recurrence);
	wbxml_int(w, tags->type, r->type);
	wbxml_int(w, tags->interval, r->interval);
	if (r->occurrences)
		wbxml_int(w, tags->occurrences, r->occurrences);
	else if (r->has_until)
		wbxml_text(w, tags->until,
			tags->dashed ? clock_dashed(a, r->until) : clock_compact(a, r->until));
	if (has_week(r->type))
		wbxml_int(w, tags->week_of_month, r->week);
	if (has_month_day(r->type))
		wbxml_int(w, tags->day_of_month, r->month_day);
	if (r->days)
		wbxml_int(w, tags->day_of_week, r->days);
	if (has_month(r->type))
		wbxml_int(w, tags->month_of_year, r->month);
	if (v >= V140) {
		wbxml_int(w, tags->calendar_type, 0);
		wbxml_int(w, tags->is_leap_month, 0);
	}
	if (v >= V141)
		wbxml_int(w, tags->first_day_of_week, r->first_day);
	wbxml_close(w, tags->recurrence);
}

/* A number between bounds; absent or empty: the fallback. */
static bool number(const struct elem *e, tag_t tag, uint32_t low, uint32_t high,
	uint32_t fallback, unsigned *n_r)
{
	struct str text = str_trim(elem_text(e, tag));
	uint32_t n = fallback;

	if (text.n && (!str_u32(text, &n) || n < low || n > high))
		return false;
	*n_r = n;
	return true;
}

/* A rule in another calendar than ours is another rule. Of the calendars the eastern ones
 * differ in their years only. */
static bool is_gregorian(const struct elem *e, const struct recurrence_tags *tags)
{
	static const bool gregorian[] = {
		[0] = true,
		[1] = true,
		[2] = true,
		[3] = true,
		[4] = true,
		[5] = true,
		[7] = true,
		[9] = true,
		[10] = true,
		[11] = true,
		[12] = true,
	};
	unsigned type;

	return number(e, tags->calendar_type, 0, 12, 0, &type) && gregorian[type];
}

static bool read_numbers(const struct elem *e, const struct recurrence_tags *tags,
	const struct first *f, struct recurrence *r)
{
	return number(e, tags->interval, 0, INTERVAL_MAX, 1, &r->interval) &&
	       number(e, tags->occurrences, 0, OCCURRENCES_MAX, 0, &r->occurrences) &&
	       number(e, tags->day_of_week, 0, EVERY_DAY, 0, &r->days) &&
	       number(e, tags->day_of_month, 1, 31, f->day, &r->month_day) &&
	       number(e, tags->week_of_month, 1, LAST, f->week, &r->week) &&
	       number(e, tags->month_of_year, 1, 12, f->month, &r->month) &&
	       number(e, tags->first_day_of_week, 0, 6, 1, &r->first_day);
}

/* Forbidden elements are passed over, missing ones taken from the first occurrence. */
static void settle(struct recurrence *r, const struct first *f)
{
	if (!r->interval)
		r->interval = 1;
	if (r->type == DAILY && r->days)
		r->type = WEEKLY;
	if (!has_days(r->type))
		r->days = 0;
	else if (!r->days)
		r->days = 1u << f->weekday;
	if (!has_week(r->type))
		r->week = 0;
	if (!has_month_day(r->type))
		r->month_day = 0;
	if (!has_month(r->type))
		r->month = 0;
}

enum rc recurrence_read(const struct elem *e, const struct recurrence_tags *tags, int64_t start,
	struct recurrence *r, struct err *err)
{
	struct first f = first_of(start);
	struct str until = str_trim(elem_text(e, tags->until));

	*r = (struct recurrence){0};
	if (!number(e, tags->type, 0, YEARLY_NTH, 4, &r->type) || !is_type(r->type))
		return err_set(err, RC_INVALID, "a recurrence without a type that there is");
	if (!read_numbers(e, tags, &f, r))
		return err_set(err, RC_INVALID, "a recurrence with a number out of its bounds");
	if (r->type > WEEKLY && !is_gregorian(e, tags))
		return err_set(err, RC_INVALID, "a recurrence of another calendar");
	/* With both, the number counts. */
	if (!r->occurrences && until.n) {
		if (clock_parse(until, &r->until))
			return err_set(err, RC_INVALID, "a recurrence until no date");
		r->has_until = true;
	}
	settle(r, &f);
	return RC_OK;
}

/* ---- comparing ---- */

/* One form of those that come to the same. */
static struct recurrence canonical(const struct recurrence *x)
{
	struct recurrence r = *x;

	if (r.type == DAILY && r.days)
		r.type = WEEKLY;
	if (has_week(r.type) && r.days == EVERY_DAY) {
		r.type = r.type == YEARLY_NTH ? YEARLY : MONTHLY;
		r.month_day = r.week == LAST ? 31 : r.week;
	}
	if (r.type == WEEKLY && r.days == EVERY_DAY && r.interval <= 1)
		r.type = DAILY;
	if (!has_days(r.type))
		r.days = 0;
	if (!has_week(r.type))
		r.week = 0;
	if (!has_month_day(r.type))
		r.month_day = 0;
	if (!has_month(r.type))
		r.month = 0;
	else if (r.month_day > month_length(r.month, true))
		r.month_day = month_length(r.month, true);
	/* Where a week begins matters only where weeks are left out. */
	if (r.type != WEEKLY || r.interval <= 1)
		r.first_day = 0;
	if (r.occurrences || !r.has_until) {
		r.has_until = false;
		r.until = 0;
	}
	return r;
}

bool recurrence_same(const struct recurrence *x, const struct recurrence *y)
{
	struct recurrence a = canonical(x), b = canonical(y);

	return a.type == b.type && a.interval == b.interval && a.occurrences == b.occurrences &&
	       a.has_until == b.has_until && a.until == b.until && a.days == b.days &&
	       a.month_day == b.month_day && a.week == b.week && a.month == b.month &&
	       a.first_day == b.first_day;
}
