/*
 * Calendars over the fakes: what a phone and another client of the calendar do to each other,
 * the window that a filter opens, and trouble. [MS-ASCMD] 2.2.1.21, [MS-ASCAL].
 */
#include "core/base/clock.h"
#include "core/base/log.h"
#include "tests/support_book.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct scene s;

static const char *const versions[] = {"2.5", "12.0", "12.1", "14.0", "14.1"};

#define NOW INT64_C(1772539200) /* 2026-03-03T12:00:00Z */
#define DAY 86400

/* An object with a line that no device has an element for. */
#define OBJECT(uid, summary, more)                                                             \
	"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x\r\nBEGIN:VEVENT\r\nUID:" uid            \
	"\r\nDTSTAMP:20260101T000000Z\r\nSUMMARY:" summary "\r\n" more                         \
	"X-FOREIGN:kept\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
#define AT(day) "DTSTART:" day "T100000Z\r\nDTEND:" day "T110000Z\r\n"

#define UTC                                                                                    \
	"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"         \
	"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"         \
	"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"         \
	"AA=="
#define EVENT(subject, uid, day)                                                               \
	"calendar:Timezone \"" UTC "\"\n"                                                      \
	"calendar:AllDayEvent \"0\"\ncalendar:StartTime \"" day "T100000Z\"\n"                 \
	"calendar:EndTime \"" day "T110000Z\"\ncalendar:Subject \"" subject "\"\n"             \
	"calendar:UID \"" uid "\"\ncalendar:Sensitivity \"0\"\ncalendar:BusyStatus \"2\"\n"    \
	"calendar:MeetingStatus \"0\"\n"

static void begin(const char *version, const char *conf)
{
	clock_set_fake(NOW * 1000);
	scene_begin_calendar(&s, version, conf);
}

static void end(void)
{
	scene_end(&s);
	clock_set_fake(-1);
}

static void put(const char *name, const char *text)
{
	(void)fake_dav_put(s.dav, s.path, name, text);
}

/* One that takes place so many days from now. */
static void put_day(int days)
{
	struct arena *a = arena_new();
	struct str at = clock_compact(a, NOW + (int64_t)days * DAY);

	put(arena_printf(a, "%d.ics", days).p,
		arena_printf(a, OBJECT("u%d", "day %d|", "DTSTART:%.*s\r\nDURATION:PT1H\r\n"),
			days, days, STR_FMT(at))
			.p);
	arena_free(a);
}

static bool has_day(int days)
{
	char text[32];

	(void)snprintf(text, sizeof(text), "day %d|", days);
	return phone_book_find(&s.b, text) != NULL;
}

/* S15, C115: both ways at every version. */
static void test_events_go_both_ways(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
		begin(versions[i], "");
		put("a.ics", OBJECT("a", "Ada", AT("20260310")));
		scene_sync(&s);
		assert_int_equal(s.b.n, 1);
		assert_int_equal(
			scene_change(&s, scene_id(&s, "Ada"), EVENT("Bob", "a", "20260311")),
			1);
		assert_int_equal(scene_count(&s, s.path, "SUMMARY:Bob"), 1);
		assert_int_equal(scene_count(&s, s.path, "DTSTART:20260311T100000Z"), 1);
		assert_int_equal(scene_count(&s, s.path, "X-FOREIGN:kept"), 1);
		assert_int_equal(scene_add(&s, "1", EVENT("Own", "own", "20260312")), 1);
		scene_settled(&s);
		assert_int_equal(scene_delete(&s, scene_id(&s, "Own")), 1);
		assert_int_equal(scene_count(&s, s.path, "Own"), 0);
		scene_settled(&s);
		end();
	}
}

/* S16, K8, C117: two weeks back, one month, three, six; in the same round. */
static void test_a_filter_opens_a_window(void **state UNUSED)
{
	static const int days[] = {-200, -100, -40, -20, -10, 0, 400};
	static const struct {
		const char *filter;
		size_t n;
	} rows[] = {
		{"4", 3},
                {"7", 6},
                {"5", 4},
                {"6", 5},
                {"0", 7},
                {"4", 3}
        };

	for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
		begin(versions[i], "");
		for (size_t k = 0; k < ARRAY_LEN(days); k++)
			put_day(days[k]);
		for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
			s.b.filter = rows[k].filter;
			scene_send(&s, NULL, 0);
			assert_int_equal(s.b.n, rows[k].n);
			for (size_t d = 0; d < ARRAY_LEN(days); d++)
				assert_int_equal(
					has_day(days[d]), d >= ARRAY_LEN(days) - rows[k].n);
		}
		end();
	}
}

/* What a server that cannot search, or has no RFC 6578, leaves to us. */
static void test_a_window_without_the_servers_help(void **state UNUSED)
{
	for (unsigned cannot = 0; cannot < 2; cannot++) {
		begin("14.1", "");
		fake_dav_cannot_find(s.dav, cannot);
		fake_dav_without_sync(s.dav, true);
		for (int d = -30; d < 3; d++)
			put_day(d);
		s.b.filter = "4";
		scene_must(phone_book_sync(&s.p, &s.b, 3, NULL, 0), &s.p);
		assert_int_equal(s.b.n, 17);
		end();
	}
}

/* S16: what becomes too old is taken away from the device, and from nothing else. */
static void test_days_pass(void **state UNUSED)
{
	begin("14.1", "");
	for (int d = -15; d < 3; d++)
		put_day(d);
	s.b.filter = "4";
	scene_sync(&s);
	assert_true(has_day(-13));
	clock_set_fake((NOW + 5 * DAY) * 1000);
	scene_sync(&s);
	assert_false(has_day(-10));
	assert_true(has_day(-9));
	assert_int_equal(fake_dav_count(s.dav, s.path), 18);
	/* One that is moved into the window comes, one that is moved out of it goes. */
	put("-15.ics", OBJECT("u-15", "day -15|", AT("20260401")));
	put("1.ics", OBJECT("u1", "day 1|", AT("20240401")));
	scene_sync(&s);
	assert_true(has_day(-15));
	assert_false(has_day(1));
	/* A series that has not ended is never too old. */
	put("s.ics", OBJECT("series", "day 999|",
			     "DTSTART:20200101T100000Z\r\nDURATION:PT1H\r\n"
			     "RRULE:FREQ=YEARLY\r\n"));
	put("e.ics", OBJECT("ended", "day 998|",
			     "DTSTART:20200101T100000Z\r\nDURATION:PT1H\r\n"
			     "RRULE:FREQ=YEARLY;COUNT=3\r\n"));
	scene_sync(&s);
	assert_true(has_day(999));
	assert_false(has_day(998));
	end();
}

/* [MS-ASCMD] 2.2.3.68.2: calendars have neither days nor open tasks. */
static void test_filters_that_calendars_do_not_have(void **state UNUSED)
{
	static const char *const bad[] = {"1", "2", "3", "8", "9"};

	begin("14.1", "");
	scene_sync(&s);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		char lines[128];

		(void)snprintf(lines, sizeof(lines),
			"      airsync:Options\n        airsync:FilterType \"%s\"\n", bad[i]);
		assert_int_equal(elem_u32(scene_raw(&s, &s.b, lines), AIRSYNC_STATUS, 0), 4);
	}
	scene_sync(&s);
	end();
}

static unsigned ping(void)
{
	char text[512];

	(void)snprintf(text, sizeof(text),
		"ping:Ping\n  ping:HeartbeatInterval \"300\"\n  ping:Folders\n"
		"    ping:Folder\n      ping:Id \"%s\"\n      ping:Class \"Calendar\"\n",
		s.b.id);
	return elem_u32(phone_post(&s.p, "Ping", text), PING_STATUS, 0);
}

/* C38, R3.6: a wait ends for what the next Sync will bring, and for nothing else. */
static void test_a_wait_ends_for_what_is_in_the_window(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
		begin(versions[i], "");
		put_day(-100);
		put_day(1);
		s.b.filter = "4";
		scene_sync(&s);
		assert_int_equal(ping(), 1);
		put("-100.ics", OBJECT("u-100", "still too old", AT("20250401")));
		put_day(-101);
		assert_int_equal(ping(), 1);
		assert_true(s.e.parked);
		put_day(2);
		assert_int_equal(ping(), 2);
		scene_sync(&s);
		assert_int_equal(s.b.n, 2);
		assert_int_equal(ping(), 1);
		/* Its own doing does not end it. */
		assert_int_equal(scene_add(&s, "1", EVENT("Own", "own", "20260312")), 1);
		assert_int_equal(ping(), 1);
		assert_int_equal(s.b.n, 3);
		end();
	}
}

/* More that is too old than a round looks at does not hide what is new behind it. */
static void test_news_behind_many_old_events_are_found(void **state UNUSED)
{
	begin("14.1", "");
	s.b.filter = "4";
	scene_sync(&s);
	for (int d = -400; d < -100; d++)
		put_day(d);
	assert_int_equal(ping(), 1);
	for (int d = -700; d < -400; d++)
		put_day(d);
	put_day(3);
	assert_int_equal(ping(), 2);
	scene_sync(&s);
	assert_int_equal(s.b.n, 1);
	assert_int_equal(ping(), 1);
	end();
}

static uint32_t estimate(const char *filter)
{
	char text[512];
	const struct elem *e;

	(void)snprintf(text, sizeof(text),
		"getitemestimate:GetItemEstimate\n  getitemestimate:Collections\n"
		"    getitemestimate:Collection\n      airsync:SyncKey \"%s\"\n"
		"      getitemestimate:CollectionId \"%s\"\n"
		"      airsync:Options\n        airsync:FilterType \"%s\"\n",
		s.b.key, s.b.id, filter);
	e = elem_child(phone_post(&s.p, "GetItemEstimate", text), GETITEMESTIMATE_RESPONSE);
	e = elem_child(e, GETITEMESTIMATE_COLLECTION);
	return elem_u32(e, GETITEMESTIMATE_ESTIMATE, 999);
}

/* [MS-ASCMD] 2.2.1.9: of the filter that is asked for. */
static void test_estimates_know_the_filter(void **state UNUSED)
{
	bool more;

	begin("14.1", "");
	assert_true(phone_book_round(&s.p, &s.b, 100, NULL, 0, &more));
	for (int d = -100; d < 5; d++)
		put_day(d);
	assert_int_equal(estimate("0"), 105);
	assert_int_equal(estimate("4"), 19);
	s.b.filter = "4";
	scene_sync(&s);
	assert_int_equal(s.b.n, 19);
	assert_int_equal(estimate("4"), 0);
	assert_int_equal(estimate("0"), 86);
	/* Two weeks more than two weeks. */
	assert_int_equal(estimate("5"), 17);
	end();
}

/* C116: a phone that says what it was told changes nothing, whatever the rule; also of those
 * that it has no words for. */
static void test_an_echo_changes_nothing(void **state UNUSED)
{
	static const char *const rules[] = {"FREQ=MONTHLY;BYMONTHDAY=31", "FREQ=YEARLY",
		"FREQ=YEARLY;COUNT=4", "FREQ=MONTHLY;BYMONTHDAY=7,8",
		"FREQ=WEEKLY;INTERVAL=2;BYDAY=MO;WKST=SU", "FREQ=DAILY;UNTIL=20260401T100000Z"};

	for (size_t i = 0; i < ARRAY_LEN(versions); i++)
		for (size_t k = 0; k < ARRAY_LEN(rules); k++) {
			char text[512];

			begin(versions[i], "");
			(void)snprintf(text, sizeof(text),
				OBJECT("a", "Ada",
					"DTSTART;VALUE=DATE:20240229\r\nRRULE:%s\r\n"),
				rules[k]);
			put("a.ics", text);
			scene_sync(&s);
			assert_int_equal(s.b.n, 1);
			assert_int_equal(scene_change(&s, s.b.v[0].id, s.b.v[0].data), 1);
			if (!str_is(fake_dav_text(s.dav, s.path, "a.ics"), text))
				fail_msg("%s: %s became\n%.*s", versions[i], rules[k],
					STR_FMT(fake_dav_text(s.dav, s.path, "a.ics")));
			scene_settled(&s);
			end();
		}
}

/* clients.md 1: what has the UID already is what the device means. */
static void test_an_add_of_a_known_uid_is_that_event(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
		struct phone_edit e = {.what = AIRSYNC_ADD,
			.client_id = "c",
			.data = EVENT("New", "a", "20260310")};

		begin(versions[i], "");
		put("a.ics", OBJECT("a", "Old", AT("20260310")));
		put("ab.ics", OBJECT("ab", "Other", AT("20260310")));
		scene_send(&s, &e, 1);
		assert_int_equal(e.status, 1);
		assert_int_equal(fake_dav_count(s.dav, s.path), 2);
		assert_int_equal(scene_count(&s, s.path, "SUMMARY:New"), 1);
		assert_int_equal(scene_count(&s, s.path, "X-FOREIGN:kept"), 2);
		scene_settled(&s);
		end();
	}
}

/* An object without an event (a task, say) is not there for a device. */
static void test_what_is_no_event_is_left_out(void **state UNUSED)
{
	begin("14.1", "");
	put("t.ics", "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VTODO\r\nUID:t\r\nSUMMARY:Do\r\n"
		     "END:VTODO\r\nEND:VCALENDAR\r\n");
	put_day(1);
	scene_sync(&s);
	scene_sync(&s);
	assert_int_equal(s.b.n, 1);
	assert_int_equal(ping(), 1);
	end();
}

/* B20449, C151: one that cannot be read is skipped, the others come. */
static void skipped(const char *filter)
{
	begin("14.1", "");
	s.b.filter = filter;
	put("a.ics", "BEGIN:VCALENDAR\r\nnonsense");
	put_day(1);
	scene_sync(&s);
	scene_sync(&s);
	scene_sync(&s);
	assert_int_equal(s.b.n, 1);
	put("a.ics", OBJECT("a", "Mended", AT("20260310")));
	scene_sync(&s);
	assert_int_equal(s.b.n, 2);
	/* What the phone has it keeps. */
	put("a.ics", "BEGIN:VCALENDAR\r\nnonsense");
	scene_sync(&s);
	scene_sync(&s);
	scene_sync(&s);
	assert_non_null(phone_book_find(&s.b, "Mended"));
	end();
}

static void test_what_cannot_be_read_is_skipped(void **state UNUSED)
{
	skipped(NULL);
	skipped("4");
}

/* clients.md 2: one folder for devices that know of one calendar only. */
static void test_calendars_may_be_shown_as_one(void **state UNUSED)
{
	begin("14.1", "calendar_merge = yes\n");
	fake_dav_collection(s.dav, "/dav/more/", "More", DAV_EVENTS);
	scene_must(phone_folder_sync(&s.p), &s.p);
	assert_null(phone_folder(&s.p, 13));
	(void)fake_dav_put(s.dav, "/dav/more/", "m.ics", OBJECT("m", "M", AT("20260310")));
	put_day(1);
	s.b.filter = "4";
	scene_sync(&s);
	assert_int_equal(s.b.n, 2);
	assert_int_equal(ping(), 1);
	(void)fake_dav_put(s.dav, "/dav/more/", "n.ics", OBJECT("n", "N", AT("20260310")));
	assert_int_equal(ping(), 2);
	end();
}

/* C130, U17 */
static void test_a_calendar_is_made_renamed_and_removed(void **state UNUSED)
{
	struct phone_book more;
	char id[72];

	begin("14.1", "");
	put_day(1);
	scene_sync(&s);
	assert_int_equal(phone_folder_create_type(&s.p, "0", "Team", 13), 1);
	phone_book_init(&more, phone_folder_named(&s.p, "Team"));
	assert_string_equal(more.class, "Calendar");
	(void)snprintf(id, sizeof(id), "%s", scene_id(&s, "day 1|"));
	scene_must(phone_move(&s.p, phone_folder_by_id(&s.p, s.b.id), id,
			   phone_folder_named(&s.p, "Team")),
		&s.p);
	scene_sync(&s);
	assert_int_equal(s.b.n, 0);
	scene_must(phone_book_sync(&s.p, &more, 100, NULL, 0), &s.p);
	assert_int_equal(more.n, 1);
	assert_int_equal(phone_folder_update(&s.p, more.id, "0", "Club"), 1);
	assert_int_equal(phone_folder_delete(&s.p, more.id), 1);
	scene_must(phone_folder_sync(&s.p), &s.p);
	assert_null(phone_folder(&s.p, 13));
	phone_book_release(&more);
	end();
}

/* R3.22, R4.8: an item that cannot be stored gets its own Status, the request none. */
static void test_what_cannot_be_stored_is_told_item_by_item(void **state UNUSED)
{
	static const char *const bad[] = {
		"calendar:StartTime \"soon\"\ncalendar:EndTime \"20260310T100000Z\"\n",
		"calendar:StartTime \"20260310T100000Z\"\ncalendar:EndTime \"20260310T090000Z\"\n",
		EVENT("x", "x", "20260310") "calendar:Recurrence\n  calendar:Type \"9\"\n",
	};

	for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
		begin(versions[i], "");
		for (size_t k = 0; k < ARRAY_LEN(bad); k++)
			if (scene_add(&s, "1", bad[k]) != 6)
				fail_msg("%s: not refused: %s", versions[i], bad[k]);
		assert_int_equal(fake_dav_count(s.dav, s.path), 0);
		/* [MS-ASCAL] 3.2.4.4: times that are missing are made up. */
		assert_int_equal(scene_add(&s, "2", "calendar:Subject \"Timeless\"\n"), 1);
		assert_int_equal(scene_count(&s, s.path, "Timeless"), 1);
		end();
	}
}

/* S4: the server's one stays, and the phone is told of it. */
static void test_conflicts_end_in_one_result(void **state UNUSED)
{
	for (unsigned wins = 0; wins < 2; wins++) {
		begin("14.1", "");
		put("a.ics", OBJECT("a", "Ada", AT("20260310")));
		scene_sync(&s);
		s.b.conflict = wins ? "0" : "1";
		put("a.ics", OBJECT("a", "Server", AT("20260310")));
		assert_int_equal(
			scene_change(&s, scene_id(&s, "Ada"), EVENT("Phone", "a", "20260310")),
			wins ? 1 : 7);
		assert_int_equal(
			scene_count(&s, s.path, wins ? "SUMMARY:Phone" : "SUMMARY:Server"), 1);
		scene_settled(&s);
		end();
	}
}

/* --- trouble */

static bool one_round(unsigned window, struct phone_edit *v, size_t n)
{
	bool more;

	return phone_book_round(&s.p, &s.b, window, v, n, &more);
}

/* One that is about to be taken away, and is moved into the window by the phone, stays. */
static void test_a_change_keeps_what_was_to_go(void **state UNUSED)
{
	struct phone_edit e = {
		.what = AIRSYNC_CHANGE, .data = EVENT("Moved", "moved", "20260310")};
	int left = -16;

	begin("14.1", "");
	for (int d = -30; d < 3; d++)
		put_day(d);
	scene_sync(&s);
	s.b.filter = "4";
	assert_true(one_round(2, NULL, 0));
	while (!has_day(left))
		left--;
	(void)snprintf(e.id, sizeof(e.id), "%s",
		phone_book_find(&s.b, "day -20|") ? scene_id(&s, "day -20|") : "");
	assert_true(e.id[0] && left > -30);
	assert_true(one_round(2, &e, 1));
	assert_int_equal(e.status, 1);
	scene_sync(&s);
	assert_non_null(phone_book_find(&s.b, "Moved"));
	scene_sync(&s);
	assert_non_null(phone_book_find(&s.b, "Moved"));
	end();
}

#define MORE "/dav/more/"

/* Two calendars as one, with three events. */
static void merged(void)
{
	begin("14.1", "calendar_merge = yes\n");
	fake_dav_collection(s.dav, MORE, "More", DAV_EVENTS);
	scene_must(phone_folder_sync(&s.p), &s.p);
	(void)fake_dav_put(s.dav, MORE, "m.ics", OBJECT("m", "M1", AT("20260310")));
	(void)fake_dav_put(s.dav, MORE, "n.ics", OBJECT("n", "M2", AT("20260310")));
	put_day(1);
	s.b.filter = "4";
	scene_sync(&s);
	assert_int_equal(s.b.n, 3);
}

/* One of several calendars that cannot be asked at the first Sync of a day loses nothing. */
static void test_a_closed_calendar_is_not_emptied(void **state UNUSED)
{
	for (unsigned n = 1; n < 8; n++) {
		merged();
		clock_set_fake((NOW + DAY) * 1000);
		fake_dav_fail_with(s.dav, n, RC_DENIED);
		(void)one_round(100, NULL, 0);
		fake_dav_fail_with(s.dav, 0, RC_OK);
		s.p.error[0] = '\0';
		scene_sync(&s);
		assert_int_equal(s.b.n, 3);
		end();
	}
}

/* What is added goes into the default one, though another one is gone, or cannot be searched.
 */
static void test_an_add_needs_no_other_calendar(void **state UNUSED)
{
	merged();
	fake_dav_collection_delete(s.dav, MORE);
	assert_int_equal(scene_add(&s, "1", EVENT("Own", "own", "20260312")), 1);
	assert_int_equal(scene_count(&s, s.path, "SUMMARY:Own"), 1);
	end();
	begin("14.1", "");
	scene_sync(&s);
	/* The first call asks what changed, the second one for the UID. */
	fake_dav_fail_with(s.dav, 2, RC_DENIED);
	assert_int_equal(scene_add(&s, "1", EVENT("Own", "own", "20260312")), 1);
	assert_int_equal(fake_dav_count(s.dav, s.path), 1);
	end();
}

/* Another calendar that is shown as well brings its own events, and none that are too old. */
static void test_a_calendar_more_is_looked_at_alone(void **state UNUSED)
{
	unsigned trips;

	begin("14.1", "calendar_merge = yes\n");
	for (int d = -300; d < 3; d++)
		put_day(d);
	s.b.filter = "4";
	scene_sync(&s);
	assert_int_equal(s.b.n, 17);
	assert_int_equal(ping(), 1);
	fake_dav_collection(s.dav, MORE, "More", DAV_EVENTS);
	scene_must(phone_folder_sync(&s.p), &s.p);
	assert_int_equal(estimate("4"), 0);
	trips = fake_dav_trips(s.dav);
	assert_true(one_round(10, NULL, 0));
	assert_true(fake_dav_trips(s.dav) - trips < 6);
	assert_int_equal(s.b.n, 17);
	end();
}

/* A server that cannot tell is not read through every day. */
static void test_a_day_costs_little_without_the_servers_help(void **state UNUSED)
{
	begin("14.1", "");
	fake_dav_cannot_find(s.dav, true);
	for (int d = -300; d < 3; d++)
		put_day(d);
	s.b.filter = "4";
	scene_sync(&s);
	assert_int_equal(s.b.n, 17);
	for (unsigned i = 1; i < 4; i++) {
		unsigned trips;

		clock_set_fake((NOW + i * DAY) * 1000);
		assert_int_equal(estimate("4"), 0);
		trips = fake_dav_trips(s.dav);
		scene_sync(&s);
		assert_true(fake_dav_trips(s.dav) - trips < 4);
	}
	end();
}

/* A first synchronisation that goes on after midnight loses nothing. */
static void test_midnight_between_windows(void **state UNUSED)
{
	for (unsigned cannot = 0; cannot < 2; cannot++) {
		begin("14.1", "");
		fake_dav_cannot_find(s.dav, cannot);
		for (int d = -30; d < 30; d++)
			put_day(d);
		s.b.filter = "4";
		assert_true(one_round(10, NULL, 0) && one_round(10, NULL, 0));
		clock_set_fake((NOW + DAY) * 1000);
		scene_sync(&s);
		for (int d = -13; d < 30; d++)
			assert_true(has_day(d));
		end();
	}
}

/* R3.2: trouble with a calendar does not keep a phone from hearing of its mail. */
static void test_trouble_with_a_calendar_is_none_of_mail(void **state UNUSED)
{
	static const enum rc rcs[] = {RC_DENIED, RC_ABSENT, RC_INVALID};

	for (unsigned k = 0; k < ARRAY_LEN(rcs); k++)
		for (unsigned n = 1; n < 5; n++) {
			unsigned status;

			begin("14.1", "");
			s.b.filter = "4";
			put_day(1);
			scene_sync(&s);
			(void)ping();
			put_day(-100);
			fake_dav_fail_with(s.dav, n, rcs[k]);
			status = ping();
			/* 7: a folder that is gone is one of the hierarchy. */
			if (status != 1 && status != 2 && !(rcs[k] == RC_ABSENT && status == 7))
				fail_msg("rc %d at call %u: Status %u", rcs[k], n, status);
			end();
		}
}

enum where { DAV, DAV_LATE, STATE, STATE_LATE, LOSE, WHERES };

static void fail_at(enum where where, unsigned n)
{
	if (where == DAV || where == DAV_LATE)
		fake_dav_fail_after(s.dav, n, where == DAV_LATE);
	else if (where == LOSE)
		s.e.lose = n;
	else
		fake_state_fail_after(s.e.state, n, where == STATE_LATE);
}

/* False when the story has fewer calls than n. */
static bool torture(const char *version, enum where where, unsigned n)
{
	struct phone_edit v[] = {
		{.what = AIRSYNC_ADD,
                 .client_id = "1",
                 .data = EVENT("One", "one", "20260312")},
		{.what = AIRSYNC_ADD,
                 .client_id = "2",
                 .data = EVENT("Ten", "u-10", "20260312")},
		{.what = AIRSYNC_CHANGE,        .data = EVENT("Changed", "u1", "20260313")},
		{.what = AIRSYNC_DELETE},
	};
	unsigned trips, calls;
	bool more;

	begin(version, "");
	for (int d = -20; d < 5; d++)
		put_day(d);
	s.b.filter = "4";
	trips = fake_dav_trips(s.dav);
	calls = fake_state_calls(s.e.state);
	fail_at(where, n);
	scene_must(phone_book_sync(&s.p, &s.b, 4, NULL, 0), &s.p);
	put("3.ics", OBJECT("u3", "Server", AT("20260310")));
	fake_dav_remove(s.dav, s.path, "4.ics");
	(void)snprintf(v[2].id, sizeof(v[2].id), "%s", scene_id(&s, "day 1|"));
	(void)snprintf(v[3].id, sizeof(v[3].id), "%s", scene_id(&s, "day 2|"));
	scene_must(phone_book_sync(&s.p, &s.b, 2, v, ARRAY_LEN(v)), &s.p);
	s.b.filter = "5";
	scene_sync(&s);
	s.b.filter = "4";
	scene_sync(&s);
	more = where == LOSE                       ? n < 12
	       : where == DAV || where == DAV_LATE ? fake_dav_trips(s.dav) - trips >= n
						   : fake_state_calls(s.e.state) - calls >= n;
	fail_at(where, 0);
	for (size_t i = 0; i < ARRAY_LEN(v); i++)
		assert_int_equal(v[i].status, 1);
	/* 25, one removed there, one here, one new, and one that the phone had already. */
	assert_int_equal(fake_dav_count(s.dav, s.path), 24);
	assert_int_equal(scene_count(&s, s.path, "SUMMARY:One"), 1);
	assert_int_equal(scene_count(&s, s.path, "UID:u-10\r"), 1);
	assert_int_equal(scene_count(&s, s.path, "SUMMARY:Changed"), 1);
	assert_int_equal(scene_count(&s, s.path, "X-FOREIGN:kept"), 23);
	scene_sync(&s);
	assert_int_equal(s.b.n, 18);
	end();
	return more;
}

/* S4, C153, requirements 4.1: whatever call fails, and however, the phone goes on with its key,
 * nothing is lost and nothing is doubled. */
static void test_every_backend_call_may_fail_once(void **state UNUSED)
{
	unsigned runs = 0;

	log_set_level(LOG_LEVEL_ERROR);
	for (size_t v = 0; v < ARRAY_LEN(versions); v += 2)
		for (int where = 0; where < WHERES; where++)
			for (unsigned n = 1; torture(versions[v], (enum where)where, n); n++)
				runs++;
	print_message("%u stories with one failure each\n", runs);
	assert_true(runs > 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_events_go_both_ways),
		cmocka_unit_test(test_a_filter_opens_a_window),
		cmocka_unit_test(test_a_window_without_the_servers_help),
		cmocka_unit_test(test_days_pass),
		cmocka_unit_test(test_filters_that_calendars_do_not_have),
		cmocka_unit_test(test_a_wait_ends_for_what_is_in_the_window),
		cmocka_unit_test(test_news_behind_many_old_events_are_found),
		cmocka_unit_test(test_estimates_know_the_filter),
		cmocka_unit_test(test_an_echo_changes_nothing),
		cmocka_unit_test(test_an_add_of_a_known_uid_is_that_event),
		cmocka_unit_test(test_what_is_no_event_is_left_out),
		cmocka_unit_test(test_what_cannot_be_read_is_skipped),
		cmocka_unit_test(test_calendars_may_be_shown_as_one),
		cmocka_unit_test(test_a_calendar_is_made_renamed_and_removed),
		cmocka_unit_test(test_what_cannot_be_stored_is_told_item_by_item),
		cmocka_unit_test(test_conflicts_end_in_one_result),
		cmocka_unit_test(test_a_change_keeps_what_was_to_go),
		cmocka_unit_test(test_a_closed_calendar_is_not_emptied),
		cmocka_unit_test(test_an_add_needs_no_other_calendar),
		cmocka_unit_test(test_a_calendar_more_is_looked_at_alone),
		cmocka_unit_test(test_a_day_costs_little_without_the_servers_help),
		cmocka_unit_test(test_midnight_between_windows),
		cmocka_unit_test(test_trouble_with_a_calendar_is_none_of_mail),
		cmocka_unit_test(test_every_backend_call_may_fail_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
