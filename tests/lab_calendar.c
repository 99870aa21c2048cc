/*
 * Calendars on real servers, through nginx: phones of several versions and another client of
 * the same calendar.
 */
#include "core/base/clock.h"
#include "core/map/event.h"
#include "tests/device/contacts.h"
#include "tests/support_dav.h"
#include "tests/support_lab.h"
#include "tests/support_story.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { CALENDAR = 8, MORE_CALENDARS = 13, ROUNDS = 60 };

static const char *const versions[] = {"2.5", "12.0", "12.1", "14.0", "14.1"};

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

#define ZONE                                                                                   \
	"BEGIN:VTIMEZONE\r\nTZID:Europe/Berlin\r\nBEGIN:DAYLIGHT\r\nTZOFFSETFROM:+0100\r\n"    \
	"TZOFFSETTO:+0200\r\nDTSTART:19700329T020000\r\n"                                      \
	"RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU\r\nEND:DAYLIGHT\r\nBEGIN:STANDARD\r\n"         \
	"TZOFFSETFROM:+0200\r\nTZOFFSETTO:+0100\r\nDTSTART:19701025T030000\r\n"                \
	"RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n"
#define FOREIGN "X-FOREIGN;X-P=\"a b\":kept as it is\r\n"
#define OBJECT(uid, lines)                                                                     \
	"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//another client\r\n" ZONE                  \
	"BEGIN:VEVENT\r\nUID:" uid "\r\nDTSTAMP:20260101T000000Z\r\n" lines FOREIGN            \
	"END:VEVENT\r\nEND:VCALENDAR\r\n"

static void set_up(struct phone *p, struct phone_book *b, const char *user, const char *id,
	const char *version)
{
	phone_init(p, lab_get("EAS_URL"), user, lab_get("LAB_PASSWORD"), id, version);
	story_must(phone_provision(p) && phone_folder_sync(p), p);
	if (!phone_folder(p, CALENDAR))
		fail_msg("%s has no calendar", user);
	phone_book_init(b, phone_folder(p, CALENDAR));
}

static void sync_all(struct phone *p, struct phone_book *b)
{
	for (unsigned i = 0; i < 3; i++)
		story_must(phone_book_sync(p, b, 100, NULL, 0), p);
}

/* The phone ends with what one has that begins anew, and with so many events. */
static void settled(struct phone *p, struct phone_book *b, size_t n)
{
	static struct phone fresh;
	static unsigned count;
	struct phone_book anew;
	char id[48], why[4096];

	sync_all(p, b);
	(void)snprintf(id, sizeof(id), "anew%u", ++count);
	set_up(&fresh, &anew, p->user, id, p->version);
	anew.filter = b->filter;
	sync_all(&fresh, &anew);
	if (!phone_book_equal(b, &anew, why, sizeof(why)))
		fail_msg("%s (%s): %s", p->id, p->version, why);
	assert_int_equal(b->n, n);
	phone_book_release(&anew);
	phone_release(&fresh);
}

static struct phone_edit edit(tag_t what, const char *id, const char *data)
{
	struct phone_edit e = {.what = what, .data = data};

	(void)snprintf(what == AIRSYNC_ADD ? e.client_id : e.id,
		what == AIRSYNC_ADD ? sizeof(e.client_id) : sizeof(e.id), "%s", id);
	return e;
}

static void one_edit(struct phone *p, struct phone_book *b, struct phone_edit e)
{
	story_must(phone_book_sync(p, b, 100, &e, 1), p);
	if (e.status != 1)
		fail_msg("%s (%s): Status %u for\n%s", p->id, p->version, e.status, e.data);
}

/* The data of an appointment of the phone with another subject, as a phone writes a Change. */
static const char *with_subject(
	const struct phone_card *c, const char *subject, struct arena *a)
{
	struct str text = str_of(c->data), line;
	bool below = false;
	struct buf b;
	const char *r;

	buf_init(&b, BUF_MAX_TEXT);
	while (str_next(&text, '\n', &line)) {
		/* Left out, a body and exceptions stay. */
		if (!str_starts(line, " "))
			below = str_starts(line, "calendar:Exceptions") ||
				str_starts(line, "contacts:Body");
		if (!line.n || below)
			continue;
		if (str_starts(line, "calendar:Subject"))
			buf_addf(&b, "calendar:Subject \"%s\"\n", subject);
		else if (!str_starts(line, "calendar:ResponseType") &&
			 !str_starts(line, "calendar:AppointmentReplyTime"))
			buf_addf(&b, "%.*s\n", STR_FMT(line));
	}
	r = arena_str(a, buf_str(&b)).p;
	buf_release(&b);
	return r;
}

static bool has(struct str text, const char *what)
{
	return text.p && str_search(text, str_of(what)) < text.n;
}

static void must_have(struct str text, const char *what, const char *version)
{
	if (!has(text, what))
		fail_msg("%s: \"%s\" is missing in\n%.*s", version, what, STR_FMT(text));
}

/* S15, C115, C123, C130: both ways at every version; what devices have nothing for stays. */
static void test_events_go_both_ways(void **state UNUSED)
{
	static struct phone p;

	for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
		struct dav_peer *peer = dav_peer_new_calendars("user01@example.test");
		struct str path = dav_peer_book(peer);
		struct arena *a = arena_new();
		struct phone_book b;
		char name[32];

		(void)snprintf(name, sizeof(name), "both-%zu", i);
		set_up(&p, &b, "user01@example.test", name, versions[i]);
		story_must(phone_book_sync(&p, &b, 10, NULL, 0), &p);
		assert_int_equal(b.n, 0);
		(void)dav_peer_put(peer, path, "both.ics",
			OBJECT("both", "SUMMARY:Ada\\, Köln\r\n"
				       "DTSTART;TZID=Europe/Berlin:20260309T100000\r\n"
				       "DTEND;TZID=Europe/Berlin:20260309T113000\r\n"
				       "DESCRIPTION:one\\ntwo\r\n"));
		story_must(phone_book_sync(&p, &b, 100, NULL, 0), &p);
		assert_int_equal(b.n, 1);
		assert_non_null(phone_book_find(&b, "Ada, Köln"));
		assert_non_null(phone_book_find(&b, "20260309T090000Z"));
		one_edit(&p, &b,
			edit(AIRSYNC_CHANGE, b.v[0].id, with_subject(&b.v[0], "Bob", a)));
		must_have(dav_peer_get(peer, path, "both.ics"), "SUMMARY:Bob", versions[i]);
		must_have(dav_peer_get(peer, path, "both.ics"),
			"DTSTART;TZID=Europe/Berlin:20260309T100000", versions[i]);
		must_have(dav_peer_get(peer, path, "both.ics"), "kept as it is", versions[i]);
		must_have(dav_peer_get(peer, path, "both.ics"), "one\\ntwo", versions[i]);
		one_edit(&p, &b,
			edit(AIRSYNC_ADD, "1",
				"calendar:Timezone \"" PACIFIC "\"\n"
				"calendar:AllDayEvent \"0\"\n"
				"calendar:StartTime \"20260701T160000Z\"\n"
				"calendar:EndTime \"20260701T170000Z\"\n"
				"calendar:Subject \"Own\"\ncalendar:UID \"own-uid\"\n"
				"calendar:Sensitivity \"0\"\ncalendar:BusyStatus \"2\"\n"
				"calendar:MeetingStatus \"0\"\n"));
		must_have(dav_peer_find(peer, path, "own-uid"),
			"DTSTART;TZID=America/Los_Angeles:20260701T090000", versions[i]);
		settled(&p, &b, 2);
		while (b.n)
			one_edit(&p, &b, edit(AIRSYNC_DELETE, b.v[0].id, NULL));
		assert_int_equal(dav_peer_list(peer, path).n, 0);
		settled(&p, &b, 0);
		phone_book_release(&b);
		phone_release(&p);
		arena_free(a);
		dav_peer_free(peer);
	}
}

/* S16, K8: a filter keeps out what is over, and a change of it takes effect at once. */
static void test_a_filter_keeps_out_what_is_over(void **state UNUSED)
{
	static struct phone p;
	struct dav_peer *peer = dav_peer_new_calendars("user03@example.test");
	struct str path = dav_peer_book(peer);
	struct arena *a = arena_new();
	int64_t now = clock_now();
	static const int days[] = {-400, -60, -20, -3, 5};
	struct phone_book b;

	for (size_t i = 0; i < ARRAY_LEN(days); i++)
		(void)dav_peer_put(peer, path, arena_printf(a, "day%zu.ics", i).p,
			arena_printf(a,
				"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\n"
				"UID:day%zu\r\nDTSTAMP:20260101T000000Z\r\nSUMMARY:day %d\r\n"
				"DTSTART:%.*s\r\nDURATION:PT1H\r\n%sEND:VEVENT\r\n"
				"END:VCALENDAR\r\n",
				i, days[i],
				STR_FMT(clock_compact(a, now + (int64_t)days[i] * 86400)),
				i == 0 ? "RRULE:FREQ=YEARLY\r\n" : "")
				.p);
	for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
		char name[32];

		(void)snprintf(name, sizeof(name), "filter-%zu", i);
		set_up(&p, &b, "user03@example.test", name, versions[i]);
		b.filter = "4";
		story_must(phone_book_sync(&p, &b, 2, NULL, 0), &p);
		/* The yearly one is never over. */
		assert_int_equal(b.n, 3);
		b.filter = "5";
		sync_all(&p, &b);
		assert_int_equal(b.n, 4);
		assert_non_null(phone_book_find(&b, "day -20"));
		b.filter = "0";
		sync_all(&p, &b);
		assert_int_equal(b.n, 5);
		b.filter = "4";
		sync_all(&p, &b);
		assert_int_equal(b.n, 3);
		/* One that is outside is changed there: no news. One that comes in is. */
		(void)dav_peer_put(peer, path, "day1.ics",
			arena_printf(a,
				"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\n"
				"UID:day1\r\nDTSTAMP:20260101T000000Z\r\nSUMMARY:day -60\r\n"
				"LOCATION:%s\r\nDTSTART:%.*s\r\nDURATION:PT1H\r\nEND:VEVENT\r\n"
				"END:VCALENDAR\r\n",
				versions[i], STR_FMT(clock_compact(a, now - 60 * 86400)))
				.p);
		sync_all(&p, &b);
		assert_int_equal(b.n, 3);
		settled(&p, &b, 3);
		phone_book_release(&b);
		phone_release(&p);
	}
	arena_free(a);
	dav_peer_free(peer);
}

/* C124, B20427, B20558, R3.20: an event of a whole day stays on its day, whatever the zone and
 * the version, and when the phone changes something else. */
static void test_days_stay_the_days_they_are(void **state UNUSED)
{
	static const char *const zones[] = {BERLIN, PACIFIC};
	static const char *const starts[] = {"20260314T230000Z", "20260315T070000Z"};
	static const char *const ends[] = {"20260315T230000Z", "20260316T070000Z"};
	static struct phone p;
	struct dav_peer *peer = dav_peer_new_calendars("user04@example.test");
	struct str path = dav_peer_book(peer);
	struct arena *a = arena_new();

	for (size_t i = 0; i < ARRAY_LEN(versions); i++)
		for (size_t z = 0; z < ARRAY_LEN(zones); z++) {
			struct phone_book b;
			struct str stored;
			char name[32];

			(void)snprintf(name, sizeof(name), "days-%zu-%zu", i, z);
			set_up(&p, &b, "user04@example.test", name, versions[i]);
			sync_all(&p, &b);
			one_edit(&p, &b,
				edit(AIRSYNC_ADD, "1",
					arena_printf(a,
						"calendar:Timezone \"%s\"\n"
						"calendar:AllDayEvent \"1\"\n"
						"calendar:StartTime \"%s\"\n"
						"calendar:EndTime \"%s\"\n"
						"calendar:Subject \"Day\"\n"
						"calendar:UID \"%s\"\n"
						"calendar:MeetingStatus \"0\"\n",
						zones[z], starts[z], ends[z], name)
						.p));
			(void)dav_peer_put(peer, path, "theirs.ics",
				arena_printf(a,
					OBJECT("%s-t", "SUMMARY:Theirs\r\n"
						       "DTSTART;VALUE=DATE:20260329\r\n"
						       "DTEND;VALUE=DATE:20260331\r\n"),
					name)
					.p);
			sync_all(&p, &b);
			assert_int_equal(b.n, 2);
			for (size_t k = 0; k < b.n; k++)
				one_edit(&p, &b,
					edit(AIRSYNC_CHANGE, b.v[k].id,
						with_subject(&b.v[k],
							arena_printf(a, "Again %zu", k).p, a)));
			/* One day: Radicale does not write its end. */
			stored = dav_peer_find(peer, path, "VALUE=DATE:20260315");
			must_have(stored, "DTSTART;VALUE=DATE:20260315", versions[i]);
			if (has(stored, "DTEND"))
				must_have(stored, "DTEND;VALUE=DATE:20260316", versions[i]);
			must_have(dav_peer_find(peer, path, "VALUE=DATE:20260329"),
				"DTEND;VALUE=DATE:20260331", versions[i]);
			while (b.n)
				one_edit(&p, &b, edit(AIRSYNC_DELETE, b.v[0].id, NULL));
			phone_book_release(&b);
			phone_release(&p);
		}
	arena_free(a);
	dav_peer_free(peer);
}

/* --- the story */

static unsigned wanted(const char *name, unsigned otherwise)
{
	const char *text = getenv(name);

	return text ? (unsigned)strtoul(text, NULL, 10) : otherwise;
}

/* What another client writes. */
static const char *object_of(const char *uid, unsigned round, struct arena *a)
{
	static const char *const kinds[] = {
		"DTSTART;TZID=Europe/Berlin:20260309T100000\r\n"
		"DTEND;TZID=Europe/Berlin:20260309T113000\r\n",
		"DTSTART:20260809T100000Z\r\nDURATION:PT30M\r\nLOCATION:Raum\\, 3\r\n"
		"CATEGORIES:Red,Blue\r\n",
		"DTSTART;VALUE=DATE:20260315\r\n",
		"DTSTART;VALUE=DATE:20200229\r\nRRULE:FREQ=YEARLY\r\n",
		"DTSTART;TZID=Europe/Berlin:20260105T080000\r\n"
		"DTEND;TZID=Europe/Berlin:20260105T090000\r\n"
		"RRULE:FREQ=WEEKLY;BYDAY=MO,WE\r\n"
		"EXDATE;TZID=Europe/Berlin:20260112T080000\r\n",
		"DTSTART;VALUE=DATE:20200229\r\nRRULE:FREQ=YEARLY;COUNT=20\r\n"
		"CLASS:PRIVATE\r\n",
		"DTSTART:20260809T100000Z\r\nDTEND:20260809T110000Z\r\n"
		"ORGANIZER:mailto:boss@example.test\r\n"
		"ATTENDEE;CN=Me;PARTSTAT=ACCEPTED:mailto:user02@example.test\r\n"
		"ATTENDEE;CN=Bob;ROLE=OPT-PARTICIPANT:mailto:bob@example.test\r\n",
	};

	return arena_printf(a, OBJECT("%s", "SUMMARY:c%u\r\n%s"), uid, round,
		kinds[story_choose(ARRAY_LEN(kinds))])
		.p;
}

static void client_acts(struct dav_peer *peer, struct str path, unsigned round)
{
	struct dav_changes all = dav_peer_list(peer, path);
	struct arena *a = arena_new();
	struct str name = arena_printf(a, "story-%u.ics", round), uid = STR_NONE;

	if (all.n && story_choose(3)) {
		struct str href = all.v[story_choose((unsigned)all.n)].href;

		name = str_sub(href, path.n, href.n);
		uid = event_uid(dav_peer_get(peer, path, arena_cstr(a, name)), a);
	}
	if (uid.p && story_choose(4) == 0)
		dav_peer_remove(peer, path, arena_cstr(a, name));
	else
		(void)dav_peer_put(peer, path, arena_cstr(a, name),
			object_of(arena_cstr(a, uid.p ? uid : arena_printf(a, "u-%u", round)),
				round, a));
	arena_free(a);
}

/* A new appointment of a phone. */
static const char *appointment(const struct phone *p, unsigned round, struct arena *a)
{
	static const char *const times[] = {
		"calendar:Timezone \"" BERLIN "\"\ncalendar:AllDayEvent \"0\"\n"
		"calendar:StartTime \"20260402T080000Z\"\ncalendar:EndTime \"20260402T090000Z\"\n",
		"calendar:Timezone \"" PACIFIC "\"\ncalendar:AllDayEvent \"0\"\n"
		"calendar:StartTime \"20261231T230000Z\"\ncalendar:EndTime \"20270101T010000Z\"\n"
		"calendar:Reminder \"15\"\n",
		"calendar:Timezone \"" BERLIN "\"\ncalendar:AllDayEvent \"0\"\n"
		"calendar:StartTime \"20260402T080000Z\"\ncalendar:EndTime \"20260402T090000Z\"\n"
		"calendar:Location \"B & C\"\ncalendar:Categories\n  calendar:Category \"Red\"\n",
	};

	return arena_printf(a,
		"%scalendar:Subject \"p%u\"\ncalendar:UID \"%s-%u\"\n"
		"calendar:Sensitivity \"%u\"\ncalendar:BusyStatus \"%u\"\n"
		"calendar:MeetingStatus \"0\"\n",
		times[story_choose(ARRAY_LEN(times))], round, p->id, round,
		story_choose(2) ? 0 : 2, story_choose(4))
		.p;
}

/* Adds, changes and deletes, up to three of them, each of another event; then it synchronises.
 */
static void phone_acts(struct phone *p, struct phone_book *b, unsigned round)
{
	struct arena *a = arena_new();
	struct phone_edit v[3];
	size_t n = story_choose(ARRAY_LEN(v) + 1);

	for (size_t i = 0; i < n; i++) {
		size_t at = b->n / ARRAY_LEN(v) * i + story_choose(1 + (unsigned)b->n / 4);
		unsigned mark = round * 10 + (unsigned)i;

		if (story_choose(3) == 0 || b->n < 12)
			v[i] = edit(AIRSYNC_ADD, arena_printf(a, "%zu", i).p,
				appointment(p, mark, a));
		else if (story_choose(4))
			v[i] = edit(AIRSYNC_CHANGE, b->v[at].id,
				with_subject(&b->v[at], arena_printf(a, "p%u", mark).p, a));
		else
			v[i] = edit(AIRSYNC_DELETE, b->v[at].id, NULL);
	}
	story_must(phone_book_sync(p, b, 1 + story_choose(10), v, n), p);
	for (size_t i = 0; i < n; i++)
		if (v[i].status != 1 && v[i].status != 7 && v[i].status != 8)
			fail_msg("%s: Status %u for\n%s", p->id, v[i].status, v[i].data);
	arena_free(a);
}

/* S4, K10, C153, requirements 4.1: workers are killed while two phones and another client
 * change the same events. No event is there twice. */
static void test_random_changes_end_with_equal_calendars(void **state UNUSED)
{
	static const char *const at[] = {"14.1", "2.5"};
	static struct phone phones[2];
	struct dav_peer *peer = dav_peer_new_calendars("user02@example.test");
	struct str path = dav_peer_book(peer);
	struct phone_book books[2];
	unsigned rounds = wanted("EASPOOL_STORY_ROUNDS", ROUNDS), killed = 0;
	size_t n;

	story_seed(wanted("EASPOOL_STORY_SEED", 20261128));
	for (size_t i = 0; i < ARRAY_LEN(phones); i++) {
		set_up(&phones[i], &books[i], "user02@example.test", i ? "story-b" : "story-a",
			at[i]);
		sync_all(&phones[i], &books[i]);
	}
	books[0].conflict = "0";
	for (unsigned round = 0; round < rounds; round++) {
		unsigned who = story_choose(2);

		client_acts(peer, path, round);
		if (story_choose(4) == 0) {
			lab_kill_a_worker(story_choose(100));
			killed++;
		}
		phone_acts(&phones[who], &books[who], round);
	}
	n = dav_peer_list(peer, path).n;
	for (size_t i = 0; i < ARRAY_LEN(phones); i++)
		settled(&phones[i], &books[i], n);
	for (size_t i = 0; i < books[0].n; i++)
		assert_non_null(phone_book_card(&books[1], books[0].v[i].id));
	print_message("%u rounds, %u workers killed, %zu events left\n", rounds, killed, n);
	for (size_t i = 0; i < ARRAY_LEN(phones); i++) {
		phone_book_release(&books[i]);
		phone_release(&phones[i]);
	}
	dav_peer_free(peer);
}

static int start(void **state UNUSED)
{
	lab_up(4);
	return 0;
}

static int end(void **state UNUSED)
{
	lab_down();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_events_go_both_ways),
		cmocka_unit_test(test_a_filter_keeps_out_what_is_over),
		cmocka_unit_test(test_days_stay_the_days_they_are),
		cmocka_unit_test(test_random_changes_end_with_equal_calendars),
	};

	return cmocka_run_group_tests(tests, start, end);
}
