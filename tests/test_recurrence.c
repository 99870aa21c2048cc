/*
 * core/map/recurrence: a rule and what a device has of it come to the same days, which libical
 * is asked for before and after.
 */
#include "core/base/clock.h"
#include "core/map/meeting.h"
#include "core/map/recurrence.h"
#include "core/wire/reader.h"

#include <libical/ical.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { DAY = 86400, HOUR = 3600, OCCURRENCES = 50 };

static struct arena *a;

static int set_up(void **state UNUSED)
{
	a = arena_new();
	return 0;
}

static int tear_down(void **state UNUSED)
{
	arena_free(a);
	return 0;
}

static int64_t on(int year, unsigned month, unsigned day)
{
	return clock_days(year, month, day) * DAY + 10 * HOUR;
}

/* ---- out of a rule ---- */

/* 2026-01-15 is the third Thursday of its month. */
#define START on(2026, 1, 15)

static void test_rules_become_recurrences(void **state UNUSED)
{
	static const struct {
		const char *rule;
		/* type, interval, occurrences, days, month_day, week, month, first_day */
		unsigned want[8];
	} cases[] = {
		{"FREQ=DAILY",					 {0, 1, 0, 0, 0, 0, 0, 1}  },
		{"FREQ=DAILY;INTERVAL=3;COUNT=7",                      {0, 3, 7, 0, 0, 0, 0, 1}  },
		{"FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR",                    {1, 1, 0, 62, 0, 0, 0, 1} },
		{"FREQ=WEEKLY",					{1, 1, 0, 16, 0, 0, 0, 1} },
		{"FREQ=WEEKLY;INTERVAL=2;BYDAY=SU,SA;WKST=SU",         {1, 2, 0, 65, 0, 0, 0, 0} },
		{"FREQ=WEEKLY;BYDAY=SU,MO,TU,WE,TH,FR,SA",             {1, 1, 0, 127, 0, 0, 0, 1}},
		{"FREQ=MONTHLY",				       {2, 1, 0, 0, 15, 0, 0, 1} },
		{"FREQ=MONTHLY;BYMONTHDAY=28",                         {2, 1, 0, 0, 28, 0, 0, 1} },
		{"FREQ=MONTHLY;BYMONTHDAY=28,29;BYSETPOS=-1",          {2, 1, 0, 0, 29, 0, 0, 1} },
		{"FREQ=MONTHLY;BYMONTHDAY=28,29,30;BYSETPOS=-1",       {2, 1, 0, 0, 30, 0, 0, 1} },
		{"FREQ=MONTHLY;BYMONTHDAY=31,30,29,28;BYSETPOS=-1",    {2, 1, 0, 0, 31, 0, 0, 1} },
		{"FREQ=MONTHLY;BYMONTHDAY=-1",                         {3, 1, 0, 127, 0, 5, 0, 1}},
		{"FREQ=MONTHLY;BYDAY=2TU",                             {3, 1, 0, 4, 0, 2, 0, 1}  },
		{"FREQ=MONTHLY;BYDAY=-1FR",                            {3, 1, 0, 32, 0, 5, 0, 1} },
		{"FREQ=MONTHLY;BYDAY=FR;BYSETPOS=-1",                  {3, 1, 0, 32, 0, 5, 0, 1} },
		{"FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=1",       {3, 1, 0, 62, 0, 1, 0, 1} },
		{"FREQ=MONTHLY;BYDAY=SA,SU;BYSETPOS=-1",               {3, 1, 0, 65, 0, 5, 0, 1} },
		{"FREQ=MONTHLY;BYDAY=MO",                              {1, 1, 0, 2, 0, 0, 0, 1}  },
		{"FREQ=YEARLY",					{5, 1, 0, 0, 15, 0, 1, 1} },
		{"FREQ=YEARLY;BYMONTH=7",                              {5, 1, 0, 0, 15, 0, 7, 1} },
		{"FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=31",               {5, 1, 0, 0, 31, 0, 12, 1}},
		{"FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=28,29;BYSETPOS=-1",
                 {5, 1, 0, 0, 29, 0, 2, 1}						       },
		{"FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=-1",                {6, 1, 0, 127, 0, 5, 2, 1}},
		{"FREQ=YEARLY;BYMONTH=11;BYDAY=4TH",                   {6, 1, 0, 16, 0, 4, 11, 1}},
		{"FREQ=YEARLY;BYMONTH=3;BYDAY=SU,SA;BYSETPOS=2",       {6, 1, 0, 65, 0, 2, 3, 1} },
		{"FREQ=YEARLY;BYDAY=1MO",                              {6, 1, 0, 2, 0, 1, 1, 1}  },
		{"FREQ=YEARLY;BYDAY=-1MO",                             {6, 1, 0, 2, 0, 5, 12, 1} },
		{"freq=weekly;byday=mo",                               {1, 1, 0, 2, 0, 0, 0, 1}  },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const unsigned *n = cases[i].want;
		struct recurrence r;
		bool utc;

		if (!recurrence_of_rule(str_of(cases[i].rule), START, &r, &utc, a))
			fail_msg("%s cannot be told", cases[i].rule);
		if (r.type != n[0] || r.interval != n[1] || r.occurrences != n[2] ||
			r.days != n[3] || r.month_day != n[4] || r.week != n[5] ||
			r.month != n[6] || r.first_day != n[7] || r.has_until || utc)
			fail_msg("%s: %u %u %u %u %u %u %u %u", cases[i].rule, r.type,
				r.interval, r.occurrences, r.days, r.month_day, r.week, r.month,
				r.first_day);
	}
}

static void test_what_cannot_be_told_is_not_told(void **state UNUSED)
{
	static const char *const rules[] = {
		"",
		"nonsense",
		"FREQ=HOURLY",
		"FREQ=SECONDLY;COUNT=5",
		"FREQ=DAILY;BYHOUR=9,17",
		"FREQ=DAILY;BYMONTH=1",
		"FREQ=DAILY;INTERVAL=2;BYDAY=MO,WE",
		"FREQ=DAILY;INTERVAL=1000",
		"FREQ=DAILY;COUNT=70000",
		"FREQ=DAILY;BYMONTHDAY=1",
		"FREQ=WEEKLY;BYMONTH=6",
		"FREQ=WEEKLY;BYDAY=MO,TU;BYSETPOS=1",
		"FREQ=MONTHLY;BYMONTHDAY=7,8",
		"FREQ=MONTHLY;BYMONTHDAY=29;COUNT=3",
		"FREQ=MONTHLY;BYMONTHDAY=31;COUNT=20",
		"FREQ=MONTHLY;BYMONTHDAY=-2",
		"FREQ=MONTHLY;BYMONTHDAY=28,30;BYSETPOS=-1",
		"FREQ=MONTHLY;BYMONTHDAY=27,28;BYSETPOS=-1",
		"FREQ=MONTHLY;BYMONTHDAY=28,29;BYSETPOS=1",
		"FREQ=MONTHLY;BYDAY=5MO",
		"FREQ=MONTHLY;BYDAY=-2MO",
		"FREQ=MONTHLY;BYDAY=1MO,3MO",
		"FREQ=MONTHLY;BYDAY=MO;BYSETPOS=1,3",
		"FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13",
		"FREQ=MONTHLY;INTERVAL=2;BYDAY=MO",
		"FREQ=MONTHLY;BYMONTH=3;BYDAY=1SU",
		"FREQ=MONTHLY;BYSETPOS=1",
		"FREQ=YEARLY;BYMONTH=1,7",
		"FREQ=YEARLY;BYMONTH=3;BYDAY=MO",
		"FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29;COUNT=5",
		"FREQ=YEARLY;BYMONTH=4;BYMONTHDAY=31",
		"FREQ=YEARLY;BYMONTHDAY=15",
		"FREQ=YEARLY;BYDAY=20MO",
		"FREQ=YEARLY;BYYEARDAY=100",
		"FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO",
		"RSCALE=HEBREW;FREQ=YEARLY;BYMONTH=5;BYMONTHDAY=8",
		"FREQ=DAILY;COUNT=3;UNTIL=20260301T000000Z",
	};
	struct recurrence r;
	bool utc;

	for (size_t i = 0; i < ARRAY_LEN(rules); i++)
		if (recurrence_of_rule(str_of(rules[i]), START, &r, &utc, a))
			fail_msg("%s was told as %.*s", rules[i],
				STR_FMT(recurrence_rule(&r, STR_NONE, a)));
	/* What the start says cannot be told either. */
	assert_false(
		recurrence_of_rule(STR("FREQ=MONTHLY;COUNT=3"), on(2026, 1, 31), &r, &utc, a));
	assert_false(
		recurrence_of_rule(STR("FREQ=YEARLY;COUNT=3"), on(2024, 2, 29), &r, &utc, a));
	/* Without a count nothing is lost. */
	assert_true(recurrence_of_rule(STR("FREQ=MONTHLY"), on(2026, 1, 31), &r, &utc, a));
	assert_int_equal(r.month_day, 31);
	assert_true(recurrence_of_rule(STR("FREQ=YEARLY"), on(2024, 2, 29), &r, &utc, a));
	assert_int_equal(r.month_day, 29);
	assert_true(recurrence_of_rule(STR("FREQ=YEARLY"), on(2024, 1, 31), &r, &utc, a));
}

static void test_an_end_is_read_by_its_own_clock(void **state UNUSED)
{
	struct recurrence r;
	bool utc;

	assert_true(recurrence_of_rule(
		STR("FREQ=DAILY;UNTIL=20260301T093000Z"), START, &r, &utc, a));
	assert_true(r.has_until && utc);
	assert_int_equal(r.until, clock_days(2026, 3, 1) * DAY + 9 * HOUR + 1800);
	assert_true(recurrence_of_rule(
		STR("FREQ=DAILY;UNTIL=20260301T093000"), START, &r, &utc, a));
	assert_true(r.has_until && !utc);
	assert_int_equal(r.until, clock_days(2026, 3, 1) * DAY + 9 * HOUR + 1800);
	/* The day with what begins on it. */
	assert_true(recurrence_of_rule(STR("FREQ=DAILY;UNTIL=20260301"), START, &r, &utc, a));
	assert_true(r.has_until && !utc);
	assert_int_equal(r.until, on(2026, 3, 1));
}

/* ---- there and back ---- */

static unsigned expand(const char *rule, int64_t start, int64_t *days_r)
{
	struct icalrecurrencetype r = icalrecurrencetype_from_string(rule);
	struct icaltimetype t = icaltime_from_timet_with_zone((time_t)start, 0, NULL);
	icalrecur_iterator *it;
	unsigned n = 0;

	assert_int_not_equal(r.freq, ICAL_NO_RECURRENCE);
	it = icalrecur_iterator_new(r, t);
	if (!it)
		fail_msg("libical refuses %s", rule);
	while (n < OCCURRENCES) {
		t = icalrecur_iterator_next(it);
		if (icaltime_is_null_time(t))
			break;
		days_r[n++] = icaltime_as_timet(t);
	}
	icalrecur_iterator_free(it);
	return n;
}

static void same_days(const char *x, const char *y, int64_t start)
{
	int64_t want[OCCURRENCES], got[OCCURRENCES];
	unsigned nwant = expand(x, start, want), ngot = expand(y, start, got);

	for (unsigned i = 0; i < nwant && i < ngot; i++)
		if (want[i] != got[i])
			fail_msg("%s and %s from %.*s: %.*s is not %.*s", x, y,
				STR_FMT(clock_compact(a, start)),
				STR_FMT(clock_compact(a, want[i])),
				STR_FMT(clock_compact(a, got[i])));
	if (nwant != ngot)
		fail_msg("%s has %u, %s %u", x, nwant, y, ngot);
}

/* Of y some may be more. */
static void days_among(const char *x, const char *y, int64_t start)
{
	int64_t want[OCCURRENCES], got[OCCURRENCES];
	unsigned nwant = expand(x, start, want), ngot = expand(y, start, got), at = 0;

	for (unsigned i = 0; i < nwant && ngot && want[i] <= got[ngot - 1]; i++) {
		while (at < ngot && got[at] < want[i])
			at++;
		if (at == ngot || got[at] != want[i])
			fail_msg("%s loses a day of %s", y, x);
	}
}

/* A day that shorter months do not have: there devices take their last. */
static bool takes_last_days(const char *rule, const char *back)
{
	return strstr(back, "BYMONTHDAY=28,") && !strstr(rule, "BYMONTHDAY=28,");
}

static const struct elem *over_the_wire(const struct recurrence *r,
	const struct recurrence_tags *tags, enum eas_version v, struct wbxml_writer *w)
{
	struct elem *doc;

	wbxml_init(w, NULL, BUF_MAX_TEXT);
	recurrence_write(r, tags, v, a, w);
	assert_int_equal(wbxml_finish(w, NULL), RC_OK);
	assert_int_equal(wbxml_read(buf_str(&w->out), WBXML_LIMITS, a, &doc, NULL), RC_OK);
	return doc;
}

static struct str end_of(const struct recurrence *r)
{
	return r->has_until ? clock_compact(a, r->until) : STR_NONE;
}

/* Rule, recurrence, elements, recurrence, rule, recurrence. */
static bool survives(const char *rule, int64_t start)
{
	static const struct recurrence_tags *const tags[] = {
		&recurrence_calendar, &recurrence_email};
	struct recurrence r, read, again;
	bool utc;

	if (!recurrence_of_rule(str_of(rule), start, &r, &utc, a))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(tags); i++) {
		struct wbxml_writer w;
		const struct elem *e = over_the_wire(&r, tags[i], V141, &w);
		const char *back;

		assert_int_equal(recurrence_read(e, tags[i], start, &read, NULL), RC_OK);
		wbxml_release(&w);
		assert_true(recurrence_same(&r, &read));
		back = arena_cstr(a, recurrence_rule(&read, end_of(&read), a));
		(takes_last_days(rule, back) ? days_among : same_days)(rule, back, start);
		assert_true(recurrence_of_rule(str_of(back), start, &again, &utc, a));
		if (!recurrence_same(&r, &again))
			fail_msg("%s, and back: %s", rule, back);
	}
	return true;
}

/* All sorts of parts, put together in all ways, whether that makes sense or not. */
static void test_all_that_can_be_told_comes_back(void **state UNUSED)
{
	static const char *const freqs[] = {"DAILY", "WEEKLY", "MONTHLY", "YEARLY",
		"MONTHLY;INTERVAL=2", "YEARLY;INTERVAL=3", "WEEKLY;INTERVAL=2",
		"DAILY;INTERVAL=5"};
	static const char *const days[] = {"", ";BYDAY=MO", ";BYDAY=TU,TH", ";BYDAY=2WE",
		";BYDAY=-1SU", ";BYDAY=5FR", ";BYDAY=MO,TU,WE,TH,FR", ";BYDAY=SA,SU",
		";BYDAY=SU,MO,TU,WE,TH,FR,SA", ";BYMONTHDAY=1", ";BYMONTHDAY=31",
		";BYMONTHDAY=-1", ";BYMONTHDAY=28", ";BYMONTHDAY=28,29,30",
		";BYMONTHDAY=28,29"};
	static const char *const months[] = {"", ";BYMONTH=2", ";BYMONTH=9", ";BYMONTH=12"};
	static const char *const positions[] = {
		"", ";BYSETPOS=1", ";BYSETPOS=3", ";BYSETPOS=-1"};
	static const char *const ends[] = {
		"", ";COUNT=9", ";UNTIL=20280930T100000Z", ";WKST=SU"};
	const int64_t starts[] = {on(2026, 1, 15), on(2026, 1, 31), on(2024, 2, 29),
		on(2025, 9, 28), on(2025, 12, 1)};
	unsigned told = 0, refused = 0;

	for (size_t f = 0; f < ARRAY_LEN(freqs); f++)
		for (size_t d = 0; d < ARRAY_LEN(days); d++)
			for (size_t m = 0; m < ARRAY_LEN(months); m++)
				for (size_t p = 0; p < ARRAY_LEN(positions); p++) {
					size_t n = f + d + m + p;
					struct arena_mark mark = arena_mark(a);
					struct str rule = arena_printf(a, "FREQ=%s%s%s%s%s",
						freqs[f], months[m], days[d], positions[p],
						ends[n % ARRAY_LEN(ends)]);

					for (size_t s = 0; s < ARRAY_LEN(starts); s++)
						if (survives(rule.p, starts[s]))
							told++;
						else
							refused++;
					arena_rewind(a, mark);
				}
	assert_true(told > 400);
	assert_true(refused > 400);
}

/* What libical has for another form of the same. */
static void test_other_forms_come_to_the_same_days(void **state UNUSED)
{
	static const struct {
		const char *x, *y;
	} cases[] = {
		{"FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR",        "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR" },
		{"FREQ=MONTHLY;BYDAY=MO",                  "FREQ=WEEKLY;BYDAY=MO"             },
		{"FREQ=YEARLY;BYDAY=2MO",                  "FREQ=YEARLY;BYMONTH=1;BYDAY=2MO"  },
		{"FREQ=YEARLY;BYDAY=-1FR",                 "FREQ=YEARLY;BYMONTH=12;BYDAY=-1FR"},
		{"FREQ=MONTHLY;BYMONTHDAY=-1",
                 "FREQ=MONTHLY;BYMONTHDAY=28,29,30,31;BYSETPOS=-1"                            },
		{"FREQ=WEEKLY;BYDAY=SU,MO,TU,WE,TH,FR,SA", "FREQ=DAILY"                       },
	};
	struct recurrence x, y;
	bool utc;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		same_days(cases[i].x, cases[i].y, START);
		assert_true(recurrence_of_rule(str_of(cases[i].x), START, &x, &utc, a));
		assert_true(recurrence_of_rule(str_of(cases[i].y), START, &y, &utc, a));
		assert_true(recurrence_same(&x, &y));
	}
}

/* ---- to a rule ---- */

static void test_recurrences_become_rules(void **state UNUSED)
{
	static const struct {
		struct recurrence r;
		const char *want;
	} cases[] = {
		{{.type = 0, .interval = 1, .first_day = 0},                     "FREQ=DAILY"                   },
		{{.type = 0, .interval = 4, .occurrences = 6},                   "FREQ=DAILY;INTERVAL=4;COUNT=6"},
		{{.type = 0, .interval = 1, .days = 62, .first_day = 1},
                 "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"							     },
		{{.type = 1, .interval = 2, .days = 10, .first_day = 0},
                 "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE;WKST=SU"                                                   },
		{{.type = 2, .interval = 1, .month_day = 28},                    "FREQ=MONTHLY;BYMONTHDAY=28"   },
		{{.type = 2, .interval = 1, .month_day = 31},
                 "FREQ=MONTHLY;BYMONTHDAY=28,29,30,31;BYSETPOS=-1"                                              },
		{{.type = 3, .interval = 1, .days = 4, .week = 5},               "FREQ=MONTHLY;BYDAY=-1TU"      },
		{{.type = 3, .interval = 1, .days = 62, .week = 2},
                 "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=2"                                                 },
		{{.type = 3, .interval = 1, .days = 65, .week = 5},
                 "FREQ=MONTHLY;BYDAY=SU,SA;BYSETPOS=-1"                                                         },
		{{.type = 3, .interval = 1, .days = 127, .week = 3},
                 "FREQ=MONTHLY;BYMONTHDAY=3"								    },
		{{.type = 3, .interval = 1, .days = 127, .week = 5},
                 "FREQ=MONTHLY;BYMONTHDAY=-1"								   },
		{{.type = 5, .interval = 1, .month_day = 31, .month = 8},
                 "FREQ=YEARLY;BYMONTH=8;BYMONTHDAY=31"                                                          },
		{{.type = 5, .interval = 1, .month_day = 29, .month = 2},
                 "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=28,29;BYSETPOS=-1"                                           },
		{{.type = 6, .interval = 2, .days = 1, .week = 1, .month = 5},
                 "FREQ=YEARLY;INTERVAL=2;BYMONTH=5;BYDAY=1SU"                                                   },
		{{.type = 6, .interval = 1, .days = 127, .week = 5, .month = 2},
                 "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=-1"                                                          },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct str got = recurrence_rule(&cases[i].r, STR_NONE, a);

		if (!str_is(got, cases[i].want))
			fail_msg("%.*s, not %s", STR_FMT(got), cases[i].want);
	}
	assert_true(str_is(
		recurrence_rule(&cases[0].r, STR("20260301"), a), "FREQ=DAILY;UNTIL=20260301"));
}

/* ---- elements ---- */

static struct elem elems[16];

struct child {
	tag_t tag;
	const char *text;
};

static const struct elem *element(const struct child *children, size_t n)
{
	memset(elems, 0, sizeof(elems));
	elems[0].tag = CALENDAR_RECURRENCE;
	elems[0].child = n ? &elems[1] : NULL;
	for (size_t i = 0; i < n; i++) {
		elems[i + 1].tag = children[i].tag;
		elems[i + 1].text = str_of(children[i].text);
		elems[i + 1].next = i + 1 < n ? &elems[i + 2] : NULL;
	}
	return &elems[0];
}

static void reads_as(const struct child *children, size_t n, const char *want)
{
	struct recurrence r;
	struct str got;

	if (recurrence_read(element(children, n), &recurrence_calendar, START, &r, NULL))
		fail_msg("what is %s was refused", want);
	got = recurrence_rule(&r, end_of(&r), a);
	if (!str_is(got, want))
		fail_msg("%.*s, not %s", STR_FMT(got), want);
}

#define READS_AS(want, ...)                                                                    \
	do {                                                                                   \
		const struct child children[] = {__VA_ARGS__};                                 \
		reads_as(children, ARRAY_LEN(children), want);                                 \
	} while (0)

static void test_elements_are_read(void **state UNUSED)
{
	READS_AS("FREQ=DAILY", {CALENDAR_TYPE, "0"});
	READS_AS("FREQ=WEEKLY;BYDAY=TH", {CALENDAR_TYPE, "1"});
	READS_AS("FREQ=MONTHLY;BYMONTHDAY=15", {CALENDAR_TYPE, "2"}, {CALENDAR_INTERVAL, "0"});
	READS_AS("FREQ=MONTHLY;BYDAY=3TH", {CALENDAR_TYPE, "3"});
	READS_AS("FREQ=YEARLY;BYMONTH=1;BYMONTHDAY=15", {CALENDAR_TYPE, "5"});
	READS_AS("FREQ=YEARLY;BYMONTH=1;BYDAY=3TH", {CALENDAR_TYPE, "6"});
	READS_AS("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO;WKST=SU", {CALENDAR_TYPE, "0"},
		{CALENDAR_INTERVAL, "2"}, {CALENDAR_DAY_OF_WEEK, "2"},
		{CALENDAR_FIRST_DAY_OF_WEEK, "0"});
	/* Both: the number counts. What is out of place is passed over. */
	READS_AS("FREQ=DAILY;COUNT=5", {CALENDAR_TYPE, "0"}, {CALENDAR_OCCURRENCES, "5"},
		{CALENDAR_UNTIL, "20260301T000000Z"}, {CALENDAR_DAY_OF_MONTH, "4"},
		{CALENDAR_MONTH_OF_YEAR, "2"});
	READS_AS("FREQ=DAILY;UNTIL=20260301T000000Z", {CALENDAR_TYPE, "0"},
		{CALENDAR_UNTIL, "2026-03-01T00:00:00.000Z"});
	/* Thai years are other years, the days are the same. */
	READS_AS("FREQ=YEARLY;BYMONTH=7;BYMONTHDAY=4", {CALENDAR_TYPE, "5"},
		{CALENDAR_DAY_OF_MONTH, "4"}, {CALENDAR_MONTH_OF_YEAR, "7"},
		{CALENDAR_CALENDAR_TYPE, "7"});
}

static void test_elements_out_of_bounds_are_refused(void **state UNUSED)
{
	static const struct child cases[][2] = {
		{{CALENDAR_INTERVAL, "1"}, {CALENDAR_DAY_OF_WEEK, "2"}      },
		{{CALENDAR_TYPE, ""},      {CALENDAR_DAY_OF_WEEK, "2"}      },
		{{CALENDAR_TYPE, "4"},     {CALENDAR_DAY_OF_WEEK, "2"}      },
		{{CALENDAR_TYPE, "7"},     {CALENDAR_DAY_OF_WEEK, "2"}      },
		{{CALENDAR_TYPE, "daily"}, {CALENDAR_DAY_OF_WEEK, "2"}      },
		{{CALENDAR_TYPE, "1"},     {CALENDAR_DAY_OF_WEEK, "128"}    },
		{{CALENDAR_TYPE, "1"},     {CALENDAR_DAY_OF_WEEK, "-1"}     },
		{{CALENDAR_TYPE, "0"},     {CALENDAR_INTERVAL, "1000"}      },
		{{CALENDAR_TYPE, "0"},     {CALENDAR_OCCURRENCES, "many"}   },
		{{CALENDAR_TYPE, "0"},     {CALENDAR_UNTIL, "tomorrow"}     },
		{{CALENDAR_TYPE, "2"},     {CALENDAR_DAY_OF_MONTH, "32"}    },
		{{CALENDAR_TYPE, "2"},     {CALENDAR_DAY_OF_MONTH, "0"}     },
		{{CALENDAR_TYPE, "3"},     {CALENDAR_WEEK_OF_MONTH, "6"}    },
		{{CALENDAR_TYPE, "5"},     {CALENDAR_MONTH_OF_YEAR, "13"}   },
		{{CALENDAR_TYPE, "1"},     {CALENDAR_FIRST_DAY_OF_WEEK, "7"}},
		{{CALENDAR_TYPE, "5"},     {CALENDAR_CALENDAR_TYPE, "8"}    },
		{{CALENDAR_TYPE, "5"},     {CALENDAR_CALENDAR_TYPE, "99"}   },
	};
	struct recurrence r;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		if (recurrence_read(element(cases[i], 2), &recurrence_calendar, START, &r,
			    NULL) != RC_INVALID)
			fail_msg("case %zu was read", i);
	assert_int_equal(
		recurrence_read(element(NULL, 0), &recurrence_calendar, START, &r, NULL),
		RC_INVALID);
	assert_int_equal(
		recurrence_read(NULL, &recurrence_calendar, START, &r, NULL), RC_INVALID);
}

static void test_each_version_gets_what_it_knows(void **state UNUSED)
{
	struct recurrence r = {.type = 6,
		.interval = 1,
		.has_until = true,
		.until = 0,
		.days = 2,
		.week = 5,
		.month = 4,
		.first_day = 1};
	static const tag_t order[] = {EMAIL_TYPE, EMAIL_INTERVAL, EMAIL_UNTIL,
		EMAIL_WEEK_OF_MONTH, EMAIL_DAY_OF_WEEK, EMAIL_MONTH_OF_YEAR,
		EMAIL2_CALENDAR_TYPE, EMAIL2_IS_LEAP_MONTH, EMAIL2_FIRST_DAY_OF_WEEK};
	static const struct {
		enum eas_version v;
		size_t n;
	} cases[] = {
		{V25,  6},
                {V121, 6},
                {V140, 8},
                {V141, 9},
                {V161, 9}
        };

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct wbxml_writer w;
		const struct elem *e = over_the_wire(&r, &recurrence_email, cases[i].v, &w);
		size_t n = 0;

		assert_int_equal(e->tag, EMAIL_RECURRENCE);
		assert_true(str_is(elem_text(e, EMAIL_UNTIL), "19700101T000000Z"));
		for (const struct elem *c = e->child; c; c = c->next, n++) {
			assert_true(n < ARRAY_LEN(order));
			assert_int_equal(c->tag, order[n]);
		}
		assert_int_equal(n, cases[i].n);
		wbxml_release(&w);
	}
}

static void test_recurrences_compare_by_their_days(void **state UNUSED)
{
	struct recurrence x = {.type = 2, .interval = 1, .month_day = 31, .first_day = 1};
	struct recurrence y = {.type = 3, .interval = 1, .days = 127, .week = 5};

	assert_true(recurrence_same(&x, &y));
	y.week = 4;
	assert_false(recurrence_same(&x, &y));
	x.month_day = 4;
	assert_true(recurrence_same(&x, &y));
	x.occurrences = 3;
	assert_false(recurrence_same(&x, &y));
	y.has_until = true;
	assert_false(recurrence_same(&x, &y));
	x = (struct recurrence){.type = 1, .interval = 1, .days = 3, .first_day = 0};
	y = x;
	y.first_day = 1;
	assert_true(recurrence_same(&x, &y));
	x.interval = y.interval = 2;
	assert_false(recurrence_same(&x, &y));
}

/* ---- invitations ---- */

static const struct elem *invitation(const char *rule, struct wbxml_writer *w)
{
	struct str ics = arena_printf(a,
		"BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nUID:1\r\n"
		"DTSTAMP:20260101T000000Z\r\nDTSTART:20260115T100000Z\r\n"
		"DTEND:20260115T110000Z\r\nRRULE:%s\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
		rule);
	struct elem *doc;

	wbxml_init(w, NULL, BUF_MAX_TEXT);
	meeting_write(ics, STR("ann@example.test"), V141, a, w);
	assert_int_equal(wbxml_finish(w, NULL), RC_OK);
	assert_int_equal(wbxml_read(buf_str(&w->out), WBXML_LIMITS, a, &doc, NULL), RC_OK);
	return doc;
}

static void test_an_invitation_tells_its_rule_or_none(void **state UNUSED)
{
	struct wbxml_writer w;
	const struct elem *e = invitation("FREQ=MONTHLY;BYDAY=3TH;UNTIL=20270101", &w);
	const struct elem *r = elem_child(elem_child(e, EMAIL_RECURRENCES), EMAIL_RECURRENCE);

	assert_true(str_is(elem_text(e, EMAIL_INSTANCE_TYPE), "1"));
	assert_true(str_is(elem_text(r, EMAIL_TYPE), "3"));
	assert_true(str_is(elem_text(r, EMAIL_WEEK_OF_MONTH), "3"));
	assert_true(str_is(elem_text(r, EMAIL_DAY_OF_WEEK), "16"));
	assert_true(str_is(elem_text(r, EMAIL_UNTIL), "20270101T100000Z"));
	wbxml_release(&w);
	e = invitation("FREQ=MONTHLY;BYMONTHDAY=7,8", &w);
	assert_true(str_is(elem_text(e, EMAIL_INSTANCE_TYPE), "1"));
	assert_false(elem_has(e, EMAIL_RECURRENCES));
	wbxml_release(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rules_become_recurrences),
		cmocka_unit_test(test_what_cannot_be_told_is_not_told),
		cmocka_unit_test(test_an_end_is_read_by_its_own_clock),
		cmocka_unit_test(test_all_that_can_be_told_comes_back),
		cmocka_unit_test(test_other_forms_come_to_the_same_days),
		cmocka_unit_test(test_recurrences_become_rules),
		cmocka_unit_test(test_elements_are_read),
		cmocka_unit_test(test_elements_out_of_bounds_are_refused),
		cmocka_unit_test(test_each_version_gets_what_it_knows),
		cmocka_unit_test(test_recurrences_compare_by_their_days),
		cmocka_unit_test(test_an_invitation_tells_its_rule_or_none),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
