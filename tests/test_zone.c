/*
 * core/map/timezone: the 172 bytes of a device, the name of a zone, and VTIMEZONE, against the
 * zones of libical, which reads those of the system.
 */
#include "core/base/base64.h"
#include "core/base/clock.h"
#include "core/map/timezone.h"

#include <libical/ical.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define ZEROS16 "AAAAAAAAAAAAAAAA"
#define UTC                                                                                    \
	ZEROS16 ZEROS16 ZEROS16 ZEROS16 ZEROS16 ZEROS16 ZEROS16 ZEROS16 ZEROS16 ZEROS16        \
		ZEROS16 ZEROS16 ZEROS16 ZEROS16 "AAAAAA=="
#define BERLIN                                                                                 \
	"xP///wAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"         \
	"AAAAAAAAAAAAAAAAAAoAAAAFAAMAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"         \
	"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAMAAAAFAAIAAAAAAAAAxP//"         \
	"/w=="
#define PACIFIC                                                                                \
	"4AEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"         \
	"AAAAAAAAAAAAAAAAAAsAAAABAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"         \
	"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAMAAAACAAIAAAAAAAAAxP//"         \
	"/w=="

enum { DAY = 86400, HOUR = 3600 };

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

static int64_t at(int year, unsigned month, unsigned day, int hour, int minute)
{
	return clock_days(year, month, day) * DAY + hour * HOUR + minute * 60;
}

static struct timezone_rule read_ok(const char *base64)
{
	struct timezone_rule r;

	assert_int_equal(timezone_read(str_of(base64), a, &r, NULL), RC_OK);
	return r;
}

/* A structure in the making. */
struct blob {
	unsigned char b[172];
};

static void put16(struct blob *z, size_t i, unsigned n)
{
	z->b[i] = (unsigned char)(n & 0xff);
	z->b[i + 1] = (unsigned char)(n >> 8);
}

static void put32(struct blob *z, size_t i, int n)
{
	put16(z, i, (unsigned)n & 0xffff);
	put16(z, i + 2, (unsigned)n >> 16);
}

static void put_date(struct blob *z, size_t i, unsigned year, unsigned month, unsigned weekday,
	unsigned day, unsigned hour, unsigned minute)
{
	put16(z, i, year);
	put16(z, i + 2, month);
	put16(z, i + 4, weekday);
	put16(z, i + 6, day);
	put16(z, i + 8, hour);
	put16(z, i + 10, minute);
}

enum { STANDARD = 68, DAYLIGHT = 152 };

static struct blob berlin(void)
{
	struct blob z = {{0}};

	put32(&z, 0, -60);
	put_date(&z, STANDARD, 0, 10, 0, 5, 3, 0);
	put_date(&z, DAYLIGHT, 0, 3, 0, 5, 2, 0);
	put32(&z, 168, -60);
	return z;
}

static enum rc read_blob(const struct blob *z, struct timezone_rule *r)
{
	struct buf b;
	enum rc rc;

	buf_init(&b, BUF_MAX_LINE);
	base64_encode((struct str){(const char *)z->b, sizeof(z->b)}, &b);
	rc = timezone_read(buf_str(&b), a, r, NULL);
	buf_release(&b);
	return rc;
}

static int offset_at(struct timezone_rule r, int64_t t)
{
	bool dst;

	return timezone_rule_offset(&r, t, &dst);
}

static void named(const struct timezone_rule *r, const char *want)
{
	struct str got = timezone_tzid(r, a);

	if (!str_is(got, want))
		fail_msg("named %.*s, not %s", STR_FMT(got), want);
}

/* ---- what devices send ---- */

static void test_known_structures_are_read(void **state UNUSED)
{
	struct timezone_rule utc = read_ok(UTC), berlin_rule = read_ok(BERLIN),
			     pacific = read_ok(PACIFIC);

	assert_int_equal(utc.standard, 0);
	assert_int_equal(utc.daylight, 0);
	assert_int_equal(utc.name.n, 0);
	named(&utc, "Etc/UTC");

	assert_int_equal(berlin_rule.standard, HOUR);
	assert_int_equal(berlin_rule.daylight, 2 * HOUR);
	assert_int_equal(berlin_rule.begins_daylight.month, 3);
	assert_int_equal(berlin_rule.begins_daylight.week, 5);
	assert_int_equal(berlin_rule.begins_daylight.second, 2 * HOUR);
	assert_int_equal(berlin_rule.begins_standard.month, 10);
	assert_int_equal(berlin_rule.begins_standard.second, 3 * HOUR);
	assert_int_equal(offset_at(berlin_rule, at(2026, 3, 29, 0, 59)), HOUR);
	assert_int_equal(offset_at(berlin_rule, at(2026, 3, 29, 1, 0)), 2 * HOUR);
	assert_int_equal(offset_at(berlin_rule, at(2026, 10, 25, 0, 59)), 2 * HOUR);
	assert_int_equal(offset_at(berlin_rule, at(2026, 10, 25, 1, 0)), HOUR);
	named(&berlin_rule, "Europe/Berlin");

	assert_int_equal(offset_at(pacific, at(2026, 3, 8, 9, 59)), -8 * HOUR);
	assert_int_equal(offset_at(pacific, at(2026, 3, 8, 10, 0)), -7 * HOUR);
	assert_int_equal(offset_at(pacific, at(2026, 11, 1, 8, 59)), -7 * HOUR);
	assert_int_equal(offset_at(pacific, at(2026, 11, 1, 9, 0)), -8 * HOUR);
	named(&pacific, "America/Los_Angeles");
	assert_true(str_is(timezone_rule_blob(&utc, a), UTC));
	assert_true(str_is(timezone_rule_blob(&berlin_rule, a), BERLIN));
	assert_true(str_is(timezone_rule_blob(&pacific, a), PACIFIC));
}

static void test_what_is_no_time_zone_is_refused(void **state UNUSED)
{
	static const struct {
		const char *what;
		size_t at;
		unsigned value;
	} cases[] = {
		{"month 13",           STANDARD + 2,  13    },
		{"day 9 of the week",  STANDARD + 4,  9     },
		{"day 7 of the week",  DAYLIGHT + 4,  7     },
		{"week 0",             DAYLIGHT + 6,  0     },
		{"week 6",             DAYLIGHT + 6,  6     },
		{"hour 99",            STANDARD + 8,  99    },
		{"hour 24",            STANDARD + 8,  24    },
		{"minute 60",          DAYLIGHT + 10, 60    },
		{"second 60",          DAYLIGHT + 12, 60    },
		{"millisecond 1000",   DAYLIGHT + 14, 1000  },
		{"year 65535",         DAYLIGHT,      65535 },
		{"a bias of two days", 0,             0xf4c0},
		{"daylight bias",      170,           0x7fff},
	};
	static const char *const texts[] = {
		"", "AAAA", "=", "not base64!", UTC "AAAA", UTC UTC UTC UTC};
	struct timezone_rule r;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct blob z = berlin();

		put16(&z, cases[i].at, cases[i].value);
		if (read_blob(&z, &r) != RC_INVALID)
			fail_msg("%s was read", cases[i].what);
	}
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		assert_int_equal(timezone_read(str_of(texts[i]), a, &r, NULL), RC_INVALID);
	assert_int_equal(timezone_read(STR_NONE, a, &r, NULL), RC_INVALID);
}

static void test_half_a_rule_is_none(void **state UNUSED)
{
	struct blob z = berlin();
	struct timezone_rule r;

	put16(&z, DAYLIGHT + 2, 0);
	assert_int_equal(read_blob(&z, &r), RC_OK);
	assert_int_equal(r.standard, HOUR);
	assert_int_equal(r.daylight, HOUR);
	/* A bias without dates is nothing. */
	z = (struct blob){{0}};
	put32(&z, 0, -330);
	put32(&z, 168, -60);
	assert_int_equal(read_blob(&z, &r), RC_OK);
	assert_int_equal(offset_at(r, at(2026, 7, 1, 0, 0)), 19800);
	named(&r, "Asia/Kolkata");
}

static void test_dates_of_one_year_become_rules(void **state UNUSED)
{
	struct blob z = berlin();
	struct timezone_rule r, want = read_ok(BERLIN);

	/* What stands for the day of the week does not matter in a date. */
	put_date(&z, STANDARD, 2025, 10, 6, 26, 3, 0);
	put_date(&z, DAYLIGHT, 2026, 3, 0, 29, 2, 0);
	assert_int_equal(read_blob(&z, &r), RC_OK);
	assert_true(timezone_same(&r, &want));
	put_date(&z, DAYLIGHT, 2026, 2, 0, 29, 2, 0);
	assert_int_equal(read_blob(&z, &r), RC_INVALID);
	put_date(&z, DAYLIGHT, 2024, 2, 0, 29, 2, 0);
	assert_int_equal(read_blob(&z, &r), RC_OK);
	assert_int_equal(r.begins_daylight.month, 2);
	assert_int_equal(r.begins_daylight.week, 5);
	assert_int_equal(r.begins_daylight.day, 4);
}

/* Ireland: standard time in summer, and in winter an hour less. */
static void test_daylight_time_that_is_behind_is_understood(void **state UNUSED)
{
	struct blob z = {{0}}, plain = {{0}};
	struct timezone_rule irish, london;

	put32(&z, 0, -60);
	put_date(&z, STANDARD, 0, 3, 0, 5, 1, 0);
	put_date(&z, DAYLIGHT, 0, 10, 0, 5, 2, 0);
	put32(&z, 168, 60);
	assert_int_equal(read_blob(&z, &irish), RC_OK);
	put_date(&plain, STANDARD, 0, 10, 0, 5, 2, 0);
	put_date(&plain, DAYLIGHT, 0, 3, 0, 5, 1, 0);
	put32(&plain, 168, -60);
	assert_int_equal(read_blob(&plain, &london), RC_OK);
	assert_true(timezone_same(&irish, &london));
	for (int64_t t = at(2025, 12, 1, 0, 0); t < at(2027, 2, 1, 0, 0); t += HOUR)
		assert_int_equal(offset_at(irish, t), offset_at(london, t));
	named(&irish, "Europe/London");
	irish.name = STR("europe/dublin");
	named(&irish, "Europe/Dublin");
}

static void put_name(struct blob *z, const unsigned *units, size_t n)
{
	for (size_t i = 0; i < n; i++)
		put16(z, 4 + 2 * i, units[i]);
}

static void test_names_are_read_whatever_is_in_them(void **state UNUSED)
{
	static const unsigned good[] = {'M', 0xe4, 0x20ac, 0xd83d, 0xde00, 0, 'x'};
	static const unsigned bad[] = {0xd83d, 'a', 0xde00, 1, 'b'};
	struct blob z = berlin();
	struct timezone_rule r;

	put_name(&z, good, ARRAY_LEN(good));
	assert_int_equal(read_blob(&z, &r), RC_OK);
	assert_true(str_is(r.name, "M\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"));
	z = berlin();
	put_name(&z, bad, ARRAY_LEN(bad));
	assert_int_equal(read_blob(&z, &r), RC_OK);
	assert_true(str_is(r.name, "\xef\xbf\xbd"
				   "a\xef\xbf\xbd"
				   "b"));
	/* All 32, with no NUL behind. */
	z = berlin();
	for (size_t i = 0; i < 32; i++)
		put16(&z, 4 + 2 * i, i == 31 ? 0xd800 : 'z');
	assert_int_equal(read_blob(&z, &r), RC_OK);
	assert_int_equal(r.name.n, 34);
}

/* ---- names ---- */

static void test_a_name_counts_only_where_the_rule_fits(void **state UNUSED)
{
	static const struct {
		const char *says, *want;
	} cases[] = {
		{"Romance Standard Time",       "Europe/Paris" },
		{"W. Europe Standard Time",     "Europe/Berlin"},
		{"EUROPE/WARSAW",               "Europe/Warsaw"},
		{"Pacific Standard Time",       "Europe/Berlin"},
		{"America/New_York",            "Europe/Berlin"},
		{"Westeurop\xc3\xa4ische Zeit", "Europe/Berlin"},
		{"",			    "Europe/Berlin"},
	};
	struct timezone_rule r = read_ok(BERLIN);

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		r.name = str_of(cases[i].says);
		named(&r, cases[i].want);
	}
	r = read_ok(UTC);
	r.name = STR("Greenwich Standard Time");
	named(&r, "Africa/Abidjan");
	r.name = STR("UTC");
	named(&r, "Etc/UTC");
}

/* Windows has the end of Saturday where the law has the beginning of Sunday. */
static void test_the_end_of_a_day_is_the_next(void **state UNUSED)
{
	struct blob z = {{0}};
	struct timezone_rule r;

	put32(&z, 0, 240);
	put_date(&z, STANDARD, 0, 4, 6, 1, 23, 59);
	put_date(&z, DAYLIGHT, 0, 9, 6, 1, 23, 59);
	put16(&z, STANDARD + 12, 59);
	put16(&z, STANDARD + 14, 999);
	put16(&z, DAYLIGHT + 12, 59);
	put16(&z, DAYLIGHT + 14, 999);
	put32(&z, 168, -60);
	assert_int_equal(read_blob(&z, &r), RC_OK);
	named(&r, "America/Santiago");
}

static void test_a_rule_of_nowhere_has_a_name_of_its_own(void **state UNUSED)
{
	struct timezone_rule r = read_ok(BERLIN), other;

	r.begins_daylight.month = 4;
	other = r;
	other.begins_daylight.week = 1;
	assert_true(str_starts(timezone_tzid(&r, a), "UTC+0100/+0200/"));
	assert_false(str_eq(timezone_tzid(&r, a), timezone_tzid(&other, a)));
	r = (struct timezone_rule){.standard = -4620, .daylight = -4620};
	named(&r, "UTC-0117");
	r = (struct timezone_rule){.standard = 53 * 60 + 28, .daylight = 53 * 60 + 28};
	named(&r, "UTC+005328");
}

/* ---- moments ---- */

static void test_local_times_find_their_moment(void **state UNUSED)
{
	struct timezone_rule r = read_ok(BERLIN);

	/* There is no 2:30: with the offset before it is 1:30 UTC. */
	assert_int_equal(timezone_utc(&r, at(2026, 3, 29, 2, 30)), at(2026, 3, 29, 1, 30));
	assert_int_equal(timezone_utc(&r, at(2026, 3, 29, 1, 59)), at(2026, 3, 29, 0, 59));
	assert_int_equal(timezone_utc(&r, at(2026, 3, 29, 3, 0)), at(2026, 3, 29, 1, 0));
	/* There are two 2:30: the first. */
	assert_int_equal(timezone_utc(&r, at(2026, 10, 25, 2, 30)), at(2026, 10, 25, 0, 30));
	assert_int_equal(timezone_utc(&r, at(2026, 10, 25, 3, 0)), at(2026, 10, 25, 2, 0));
	/* Nothing is out of bounds. */
	(void)timezone_utc(&r, INT64_MAX);
	(void)timezone_utc(&r, INT64_MIN);
	(void)offset_at(r, INT64_MAX);
	(void)offset_at(r, INT64_MIN);
}

static void goes_there_and_back(const struct timezone_rule *r, int64_t t)
{
	int64_t back = timezone_utc(r, t + offset_at(*r, t));
	int twice = r->daylight > r->standard ? r->daylight - r->standard
					      : r->standard - r->daylight;

	if (back != t && back != t - twice)
		fail_msg("%lld came back as %lld", (long long)t, (long long)back);
	assert_int_equal(back + offset_at(*r, back), t + offset_at(*r, t));
}

static struct timezone_rule south(void)
{
	return (struct timezone_rule){
		.standard = 37800,
		.daylight = 39600,
		.begins_standard = {4,  1, 0, 2 * HOUR},
		.begins_daylight = {10, 1, 0, 2 * HOUR},
	};
}

/* A change in the last minute of the year, and one in its first hour. */
static struct timezone_rule new_year(void)
{
	return (struct timezone_rule){
		.standard = -12 * HOUR,
		.daylight = 14 * HOUR,
		.begins_standard = {12, 5, 4, DAY - 1},
		.begins_daylight = {7,  4, 2, 0      },
	};
}

static void test_moments_go_there_and_back(void **state UNUSED)
{
	struct timezone_rule rules[] = {read_ok(BERLIN), read_ok(PACIFIC), south(), new_year()};

	for (size_t i = 0; i < ARRAY_LEN(rules); i++)
		for (int64_t t = at(2025, 12, 30, 0, 0); t < at(2028, 1, 3, 0, 0); t += 1800)
			goes_there_and_back(&rules[i], t);
}

/* ---- VTIMEZONE ---- */

static void free_zone(void *p)
{
	icaltimezone_free(p, 1);
}

static icaltimezone *zone_of(struct str text)
{
	icalcomponent *c = icalparser_parse_string(arena_cstr(a, text));
	icaltimezone *zone = icaltimezone_new();

	assert_non_null(c);
	assert_int_equal(icalcomponent_isa(c), ICAL_VTIMEZONE_COMPONENT);
	if (icalcomponent_count_errors(c))
		fail_msg("%s", icalcomponent_as_ical_string(c));
	assert_true(icaltimezone_set_component(zone, c));
	arena_defer(a, free_zone, zone);
	return zone;
}

static int libical_offset(void *ctx, int64_t t, bool *daylight_r)
{
	struct icaltimetype utc =
		icaltime_from_timet_with_zone((time_t)t, 0, icaltimezone_get_utc_timezone());
	int dst = 0;
	int offset = icaltimezone_get_utc_offset_of_utc_time(ctx, &utc, &dst);

	*daylight_r = dst != 0;
	return offset;
}

static void agrees(const struct timezone_rule *r, icaltimezone *zone, int64_t from, int64_t to,
	int64_t step, const char *what)
{
	bool dst;

	for (int64_t t = from; t < to; t += step) {
		int want = libical_offset(zone, t, &dst);

		if (offset_at(*r, t) != want)
			fail_msg("%s at %.*s: %d, libical has %d", what,
				STR_FMT(clock_compact(a, t)), offset_at(*r, t), want);
	}
}

static void test_a_component_says_the_rule(void **state UNUSED)
{
	struct timezone_rule rules[] = {
		read_ok(BERLIN), read_ok(PACIFIC), read_ok(UTC), south(),
		{.standard = 20700,                       .daylight = 20700},
		{.standard = HOUR,
								   .daylight = 0,
								   .begins_standard = {3, 5, 0, HOUR},
								   .begins_daylight = {10, 5, 0, 2 * HOUR}},
		{.standard = -100, .daylight = -100                 }
        };

	for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
		struct str text = timezone_component(&rules[i], timezone_tzid(&rules[i], a), a);
		icaltimezone *zone = zone_of(text);

		agrees(&rules[i], zone, at(1971, 1, 1, 0, 0), at(1972, 1, 1, 0, 0), HOUR,
			"1971");
		agrees(&rules[i], zone, at(2026, 1, 1, 0, 0), at(2029, 1, 1, 0, 0), HOUR,
			"2026");
		assert_true(str_is(timezone_tzid(&rules[i], a), icaltimezone_get_tzid(zone)));
	}
}

static void test_a_component_is_written_in_full(void **state UNUSED)
{
	struct timezone_rule r = read_ok(PACIFIC);

	assert_true(str_is(timezone_component(&r, STR("America/Los_Angeles"), a),
		"BEGIN:VTIMEZONE\r\nTZID:America/Los_Angeles\r\n"
		"BEGIN:STANDARD\r\nDTSTART:19701101T020000\r\n"
		"RRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=1SU\r\n"
		"TZOFFSETFROM:-0700\r\nTZOFFSETTO:-0800\r\nEND:STANDARD\r\n"
		"BEGIN:DAYLIGHT\r\nDTSTART:19700308T020000\r\n"
		"RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=2SU\r\n"
		"TZOFFSETFROM:-0800\r\nTZOFFSETTO:-0700\r\nEND:DAYLIGHT\r\n"
		"END:VTIMEZONE\r\n"));
}

/* A name may be long, and hold what would end a line or a value. */
static void test_no_name_breaks_a_component(void **state UNUSED)
{
	struct timezone_rule r = read_ok(BERLIN);
	struct buf b;
	struct str text, line, rest;

	buf_init(&b, BUF_MAX_LINE);
	buf_adds(&b, "a;b,c\\d\r\nEND:VTIMEZONE\r\n");
	for (unsigned i = 0; i < 5000; i++)
		buf_adds(&b, "\xe2\x82\xac");
	text = timezone_component(&r, buf_str(&b), a);
	buf_release(&b);
	assert_true(text.n < 2000);
	rest = text;
	while (str_next(&rest, '\n', &line))
		assert_true(line.n <= 76);
	assert_true(str_starts(str_of(icaltimezone_get_tzid(zone_of(text))),
		"a;b,c\\dEND:VTIMEZONE\xe2\x82\xac"));
}

/* ---- all zones of the system ---- */

/* A copy: the first look into a zone loads it anew. */
static const char *location(icaltimezone *zone)
{
	return arena_cstr(a, str_of(icaltimezone_get_location(zone)));
}

/* How often the offset changes in that year: a rule has two changes, and the same ones in the
 * years around. */
static bool has_a_rule(icaltimezone *zone, int year)
{
	int64_t from = at(year, 1, 1, 0, 0), to = at(year + 1, 1, 1, 0, 0);
	bool dst;
	int before = libical_offset(zone, from, &dst), now = before;
	unsigned changes = 0;

	for (int64_t t = from; t <= to; t += DAY / 2) {
		int offset = libical_offset(zone, t, &dst);

		changes += offset != now;
		now = offset;
	}
	return changes == 0 || (changes == 2 && now == before);
}

static void test_all_zones_survive(void **state UNUSED)
{
	icalarray *zones = icaltimezone_get_builtin_timezones();
	unsigned tried = 0, with_names = 0, summers = 0;
	const int year = 2026;

	for (size_t i = 0; i < zones->num_elements; i++) {
		struct arena_mark mark = arena_mark(a);
		icaltimezone *zone = icalarray_element_at(zones, i);
		const char *name = location(zone);
		struct timezone_rule r, direct;

		if (!has_a_rule(zone, year)) {
			arena_rewind(a, mark);
			continue;
		}
		assert_int_equal(timezone_read(timezone_blob(libical_offset, zone, year, a), a,
					 &r, NULL),
			RC_OK);
		timezone_rule_of(libical_offset, zone, year, &direct);
		assert_true(timezone_same(&r, &direct));
		agrees(&r, zone, at(year, 1, 1, 0, 0), at(year + 1, 1, 1, 0, 0), 6 * HOUR,
			name);
		tried++;
		if (r.standard != r.daylight) {
			struct str text = timezone_component(&r, str_of(name), a);

			summers++;
			agrees(&r, zone_of(text), at(year, 1, 1, 0, 0),
				at(year + 1, 1, 1, 0, 0), 6 * HOUR, name);
		}
		with_names += !str_starts(timezone_tzid(&r, a), "UTC");
		arena_rewind(a, mark);
	}
	/* Nothing to try would be nothing tried. */
	assert_true(tried > 300);
	assert_true(summers > 80);
	assert_int_equal(with_names, tried);
}

/* The name that a rule is given is that of a zone with this rule. */
static void test_a_name_never_lies(void **state UNUSED)
{
	icalarray *zones = icaltimezone_get_builtin_timezones();
	const int year = 2026;

	for (size_t i = 0; i < zones->num_elements; i++) {
		struct arena_mark mark = arena_mark(a);
		icaltimezone *zone = icalarray_element_at(zones, i), *named_zone;
		const char *name = location(zone);
		struct timezone_rule r, other;
		struct str tzid;

		timezone_rule_of(libical_offset, zone, year, &r);
		r.name = str_of(name);
		tzid = timezone_tzid(&r, a);
		named_zone = icaltimezone_get_builtin_timezone(arena_cstr(a, tzid));
		if (named_zone) {
			timezone_rule_of(libical_offset, named_zone, year, &other);
			if (!timezone_same(&r, &other))
				fail_msg("%s was called %.*s", name, STR_FMT(tzid));
		}
		arena_rewind(a, mark);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known_structures_are_read),
		cmocka_unit_test(test_what_is_no_time_zone_is_refused),
		cmocka_unit_test(test_half_a_rule_is_none),
		cmocka_unit_test(test_dates_of_one_year_become_rules),
		cmocka_unit_test(test_daylight_time_that_is_behind_is_understood),
		cmocka_unit_test(test_names_are_read_whatever_is_in_them),
		cmocka_unit_test(test_a_name_counts_only_where_the_rule_fits),
		cmocka_unit_test(test_the_end_of_a_day_is_the_next),
		cmocka_unit_test(test_a_rule_of_nowhere_has_a_name_of_its_own),
		cmocka_unit_test(test_local_times_find_their_moment),
		cmocka_unit_test(test_moments_go_there_and_back),
		cmocka_unit_test(test_a_component_says_the_rule),
		cmocka_unit_test(test_a_component_is_written_in_full),
		cmocka_unit_test(test_no_name_breaks_a_component),
		cmocka_unit_test(test_all_zones_survive),
		cmocka_unit_test(test_a_name_never_lies),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
