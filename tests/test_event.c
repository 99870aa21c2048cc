/*
 * Events as devices get them and what their changes make of an object: classes.md 3 to 5.
 * B19796, B20021, B20052, B20364, B20427, B20558, B20844, B20901, B20960, K7, K17, K19, K20,
 * K23, K24, K26, C115 to C126, C129, R3.20, R3.22, R4.8.
 */
#include "core/base/clock.h"
#include "tests/support_event.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BERLIN                                                                                 \
	"xP///wAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"     \
	"AAAAAAAAAAAAAAoAAAAFAAMAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"     \
	"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAMAAAAFAAIAAAAAAAAAxP///w=="
#define UTC                                                                                    \
	"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"     \
	"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"     \
	"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=="
#define TZ_BERLIN                                                                              \
	"BEGIN:VTIMEZONE\nTZID:Europe/Berlin\nBEGIN:STANDARD\nDTSTART:19701025T030000\n"       \
	"TZOFFSETFROM:+0200\nTZOFFSETTO:+0100\nRRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU\n"      \
	"END:STANDARD\nBEGIN:DAYLIGHT\nDTSTART:19700329T020000\nTZOFFSETFROM:+0100\n"          \
	"TZOFFSETTO:+0200\nRRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU\nEND:DAYLIGHT\n"             \
	"END:VTIMEZONE\n"

#define IN_JULY                                                                                \
	"StartTime \"20260710T090000Z\"\nEndTime \"20260710T110000Z\"\nSubject \"m\"\n"        \
	"Timezone \"%s\""

enum { NOW = 1772532000 }; /* 2026-03-03T10:00:00Z */

static struct arena *a;
static struct email_options options;
static struct ghosts ghosts;

static void speak(enum eas_version v)
{
	options = (struct email_options){.version = v,
		.truncation = -1,
		.mime_truncation = -1,
		.user = STR("ann@example.test")};
	if (v < V120)
		return;
	options.prefs[0] = (struct body_preference){.type = BODY_PLAIN};
	options.nprefs = 1;
}

static int set_up(void **state UNUSED)
{
	a = arena_new();
	ghosts = (struct ghosts){.kind = GHOSTS_NONE};
	speak(V141);
	return 0;
}

static int tear_down(void **state UNUSED)
{
	arena_free(a);
	return 0;
}

/* What a device is sent, as text. */
static const char *shown(struct str ics)
{
	struct err err = ERR_INIT;
	struct elem *e = event_sent(ics, &options, a, &err);

	if (!e)
		fail_msg("%s\n%.*s", err.text, STR_FMT(ics));
	return contact_text_of(e, a).p;
}

/* An ApplicationData: lines without indentation, "+" in front for a level. */
static struct elem *data_of(const char *lines)
{
	struct str rest = str_of(lines), one;
	struct buf b;
	struct elem *e;

	buf_init(&b, BUF_MAX_TEXT);
	buf_adds(&b, "airsync:ApplicationData\n");
	while (str_next(&rest, '\n', &one)) {
		buf_adds(&b, "  ");
		for (; str_starts(one, "+"); one = str_sub(one, 1, one.n))
			buf_adds(&b, "  ");
		if (!one.n)
			continue;
		if (!str_starts(one, "airsyncbase:"))
			buf_adds(&b, "calendar:");
		buf_add_str(&b, one);
		buf_addc(&b, '\n');
	}
	e = contact_tree(arena_str(a, buf_str(&b)), a);
	buf_release(&b);
	return e;
}

static enum rc try_apply(
	struct str ics, const struct elem *data, struct str *r, struct err *err)
{
	struct event_patch p = {.version = options.version,
		.ghosts = &ghosts,
		.options = &options,
		.uid = STR("uid-new"),
		.whole = !ics.p,
		.now = NOW};

	return event_apply(ics, data, &p, a, r, err);
}

static struct str applied(struct str ics, const struct elem *data)
{
	struct err err = ERR_INIT;
	struct str r = STR_NONE;

	if (try_apply(ics, data, &r, &err))
		fail_msg("%s\n%.*s", err.text, STR_FMT(ics));
	return r;
}

static struct str added(const char *lines)
{
	return applied(STR_NONE, data_of(lines));
}

static struct str changed(struct str ics, const char *lines)
{
	return applied(ics, data_of(lines));
}

static void assert_echo(struct str ics)
{
	struct err err = ERR_INIT;
	struct elem *e = event_sent(ics, &options, a, &err);
	struct str again;

	if (!e)
		fail_msg("%s\n%.*s", err.text, STR_FMT(ics));
	again = applied(ics, e);
	if (!str_eq(again, ics))
		fail_msg("an echo is a change:\n%.*s\n%s\n%.*s", STR_FMT(ics),
			contact_text_of(e, a).p, STR_FMT(again));
}

static void assert_has(const char *text, const char *what)
{
	if (!strstr(text, what))
		fail_msg("no \"%s\" in\n%s", what, text);
}

static void assert_not(const char *text, const char *what)
{
	if (strstr(text, what))
		fail_msg("\"%s\" in\n%s", what, text);
}

static struct str berlin_event(const char *lines)
{
	return event_object(arena_printf(a,
				    TZ_BERLIN "BEGIN:VEVENT\nUID:u1\nDTSTAMP:20260101T000000Z\n"
					      "%s\nEND:VEVENT\n",
				    lines)
				    .p,
		a);
}

static void test_an_event_is_shown(void **state UNUSED)
{
	struct str ics = berlin_event(
		"DTSTART;TZID=Europe/Berlin:20260310T100000\nDTEND;TZID=Europe/Berlin:"
		"20260310T113000\nSUMMARY:Gr\xc3\xbc\xc3\x9f\\, Ann\\nB\nLOCATION:Z\xc3\xbcrich\n"
		"DESCRIPTION:one\\ntwo");
	const char *s = shown(ics);

	assert_has(s, "calendar:Timezone \"" BERLIN "\"");
	assert_has(s, "calendar:AllDayEvent \"0\"");
	assert_has(s, "calendar:StartTime \"20260310T090000Z\"");
	assert_has(s, "calendar:EndTime \"20260310T103000Z\"");
	assert_has(s, "calendar:DtStamp \"20260101T000000Z\"");
	assert_has(s, "calendar:Subject \"Gr\xc3\xbc\xc3\x9f, Ann B\"");
	assert_has(s, "calendar:Location \"Z\xc3\xbcrich\"");
	assert_has(s, "calendar:UID \"u1\"");
	assert_has(s, "calendar:MeetingStatus \"0\"");
	assert_has(s, "calendar:BusyStatus \"2\"");
	assert_has(s, "calendar:Sensitivity \"0\"");
	assert_has(s, "calendar:OrganizerEmail \"ann@example.test\"");
	assert_has(s, "airsyncbase:Data \"one\\r\\ntwo\"");
	assert_not(s, "Reminder");
	assert_echo(ics);
}

static void test_an_event_is_added(void **state UNUSED)
{
	struct str ics = added("Timezone \"" BERLIN "\"\nStartTime \"20260310T090000Z\"\n"
			       "EndTime \"20260310T103000Z\"\nSubject \"a, b\"\n"
			       "Reminder \"15\"\nBusyStatus \"0\"\nSensitivity \"2\"\n"
			       "Categories\n+Category \"x\"\n+Category \"y, z\"\n"
			       "airsyncbase:Body\n+airsyncbase:Type \"1\"\n"
			       "+airsyncbase:Data \"l1\\r\\nl2\"");

	assert_has(ics.p, "\r\nDTSTART;TZID=Europe/Berlin:20260310T100000\r\n");
	assert_has(ics.p, "\r\nDTEND;TZID=Europe/Berlin:20260310T113000\r\n");
	assert_has(ics.p, "BEGIN:VTIMEZONE\r\nTZID:Europe/Berlin\r\n");
	assert_has(ics.p, "\r\nUID:uid-new\r\n");
	assert_has(ics.p, "\r\nSUMMARY:a\\, b\r\n");
	assert_has(ics.p, "\r\nDESCRIPTION:l1\\nl2\r\n");
	assert_has(ics.p, "\r\nCATEGORIES:x,y\\, z\r\n");
	assert_has(ics.p, "\r\nTRANSP:TRANSPARENT\r\n");
	assert_has(ics.p, "\r\nCLASS:PRIVATE\r\n");
	assert_has(ics.p, "\r\nTRIGGER:-PT15M\r\n");
	assert_echo(ics);
}

static void test_one_property_changes_one_line(void **state UNUSED)
{
	struct str ics = berlin_event("DTSTART;TZID=Europe/Berlin:20260310T100000\n"
				      "DURATION:PT1H\nSUMMARY;LANGUAGE=en:old\n"
				      "X-FOO;X-BAR=\"a,b\":x\\,y,z;q");
	struct str r = changed(ics, "Timezone \"" BERLIN "\"\nStartTime \"20260310T090000Z\"\n"
				    "EndTime \"20260310T100000Z\"\nSubject \"new\"\n"
				    "UID \"u1\"\nMeetingStatus \"0\"");

	assert_has(r.p, "\r\nSUMMARY;LANGUAGE=en:new\r\n");
	assert_has(r.p, "\r\nDTSTART;TZID=Europe/Berlin:20260310T100000\r\nDURATION:PT1H\r\n");
	assert_has(r.p, "\r\nX-FOO;X-BAR=\"a,b\":x\\,y,z;q\r\n");
	assert_has(r.p, "\r\nLAST-MODIFIED:20260303T100000Z\r\n");
	assert_has(r.p, "\r\nDTSTAMP:20260303T100000Z\r\n");
	assert_not(r.p, "SEQUENCE");
}

static struct str weekly(const char *more)
{
	return berlin_event(arena_printf(a,
		"DTSTART;TZID=Europe/Berlin:20260302T100000\n"
		"DTEND;TZID=Europe/Berlin:20260302T110000\nSUMMARY:weekly\n"
		"RRULE:FREQ=WEEKLY;BYDAY=MO;COUNT=10\n%s",
		more)
				    .p);
}

static const char weekly_data[] =
	"Timezone \"" BERLIN "\"\nStartTime \"20260302T090000Z\"\n"
	"EndTime \"20260302T100000Z\"\nSubject \"weekly\"\nUID \"u1\"\n"
	"Recurrence\n+Type \"1\"\n+Interval \"1\"\n+DayOfWeek \"2\"\n+Occurrences \"10\"\n"
	"+FirstDayOfWeek \"1\"\n";

static struct str weekly_changed(struct str ics, const char *exceptions)
{
	return changed(ics, arena_printf(a, "%sExceptions\n%s", weekly_data, exceptions).p);
}

static const char moved[] =
	"END:VEVENT\nBEGIN:VEVENT\nUID:u1\nDTSTAMP:20260101T000000Z\n"
	"RECURRENCE-ID;TZID=Europe/Berlin:20260316T100000\n"
	"DTSTART;TZID=Europe/Berlin:20260317T120000\n"
	"DTEND;TZID=Europe/Berlin:20260317T130000\nSUMMARY:moved\nX-KEEP:this";

/* C116, C117 */
static void test_a_series_is_shown_with_its_exceptions(void **state UNUSED)
{
	struct str ics = weekly(arena_printf(
		a, "EXDATE;TZID=Europe/Berlin:20260309T100000,20260330T100000\n%s", moved)
					.p);
	const char *s = shown(ics);

	assert_has(s, "calendar:Type \"1\"");
	assert_has(s, "calendar:Occurrences \"10\"");
	assert_has(s, "calendar:Deleted \"1\"\n      calendar:ExceptionStartTime "
		      "\"20260309T090000Z\"");
	/* Summer by then. */
	assert_has(s, "calendar:ExceptionStartTime \"20260330T080000Z\"");
	assert_has(s, "calendar:ExceptionStartTime \"20260316T090000Z\"\n      "
		      "calendar:StartTime \"20260317T110000Z\"\n      "
		      "calendar:EndTime \"20260317T120000Z\"\n      "
		      "calendar:Subject \"moved\"\n    ");
	assert_echo(ics);
	speak(V25);
	assert_echo(ics);
}

static void test_an_instance_is_deleted(void **state UNUSED)
{
	struct str ics = weekly(moved), r;

	r = weekly_changed(ics, "+Exception\n++Deleted \"1\"\n"
				"++ExceptionStartTime \"20260330T080000Z\"");
	assert_has(r.p, "\r\nEXDATE;TZID=Europe/Berlin:20260330T100000\r\n");
	/* What was not sent stays. */
	assert_has(r.p, "SUMMARY:moved\r\nX-KEEP:this\r\n");
	assert_echo(r);
	/* A changed one goes. */
	r = weekly_changed(ics, "+Exception\n++Deleted \"1\"\n"
				"++ExceptionStartTime \"20260316T090000Z\"");
	assert_has(r.p, "\r\nEXDATE;TZID=Europe/Berlin:20260316T100000\r\n");
	assert_not(r.p, "SUMMARY:moved");
	assert_echo(r);
	/* One that there is not, is not. */
	assert_true(str_eq(weekly_changed(ics, "+Exception\n++Deleted \"1\"\n"
					       "++ExceptionStartTime \"20260331T080000Z\""),
		ics));
}

static void test_an_instance_is_changed(void **state UNUSED)
{
	struct str ics = weekly("BEGIN:VALARM\nACTION:DISPLAY\nDESCRIPTION:x\nTRIGGER:-PT5M\n"
				"END:VALARM\nX-AFTER:alarm");
	struct str r = weekly_changed(ics,
		"+Exception\n++ExceptionStartTime \"20260330T080000Z\"\n"
		"++StartTime \"20260330T120000Z\"\n++EndTime \"20260330T123000Z\"\n"
		"++Location \"there\"");
	const char *s = strstr(r.p, "RECURRENCE-ID;TZID=Europe/Berlin:20260330T100000\r\n");

	assert_non_null(s);
	assert_has(r.p, "DTSTART;TZID=Europe/Berlin:20260330T140000\r\n");
	assert_has(r.p, "DTEND;TZID=Europe/Berlin:20260330T143000\r\n");
	assert_has(r.p, "LOCATION:there\r\n");
	s = shown(r);
	assert_has(s, "calendar:StartTime \"20260330T120000Z\"");
	assert_echo(r);
	/* It is back where it was, and has no other place. */
	r = changed(r, arena_printf(a,
			       "%sReminder \"5\"\nExceptions\n+Exception\n"
			       "++ExceptionStartTime \"20260330T080000Z\"",
			       weekly_data)
			       .p);
	assert_not(r.p, "LOCATION");
	assert_has(r.p, "DTSTART;TZID=Europe/Berlin:20260330T100000\r\n");
	assert_echo(r);
}

/* clients.md: iOS, and series that were moved */
static void test_the_day_tells_which_instance_it_is(void **state UNUSED)
{
	struct str r = weekly_changed(weekly("X-A:b"),
		"+Exception\n++Deleted \"1\"\n++ExceptionStartTime \"20260329T220000Z\"");

	assert_has(r.p, "\r\nEXDATE;TZID=Europe/Berlin:20260330T100000\r\n");
	r = weekly_changed(weekly(moved), "+Exception\n++Subject \"again\"\n"
					  "++ExceptionStartTime \"20260316T100000Z\"");
	assert_has(r.p, "SUMMARY:again\r\nX-KEEP:this\r\n");
	assert_has(r.p, "RECURRENCE-ID;TZID=Europe/Berlin:20260316T100000\r\n");
}

static void test_a_midnight_in_utc_is_the_day_there(void **state UNUSED)
{
	struct str la = event_test_component(&event_test_zones[1], a);
	struct str ics = event_object(
		arena_printf(a,
			"%sBEGIN:VEVENT\nUID:u1\nDTSTART;TZID=America/Los_Angeles:"
			"20260302T100000\nDURATION:PT1H\nRRULE:FREQ=DAILY\nEND:VEVENT",
			la.p)
			.p,
		a);
	struct str r = changed(ics, "StartTime \"20260302T180000Z\"\n"
				    "EndTime \"20260302T190000Z\"\nRecurrence\n+Type \"0\"\n"
				    "+Interval \"1\"\nExceptions\n+Exception\n"
				    "++Deleted \"1\"\n"
				    "++ExceptionStartTime \"20260310T000000Z\"");

	assert_has(r.p, "EXDATE;TZID=America/Los_Angeles:20260310T100000\r\n");
}

static void test_a_deleted_instance_comes_back(void **state UNUSED)
{
	struct str ics = weekly("EXDATE;TZID=Europe/Berlin:20260309T100000,20260330T100000");
	struct str r =
		weekly_changed(ics, "+Exception\n++ExceptionStartTime \"20260309T090000Z\"\n"
				    "++Subject \"back\"");

	assert_has(r.p, "\r\nEXDATE;TZID=Europe/Berlin:20260330T100000\r\n");
	assert_has(r.p, "SUMMARY:back\r\n");
	assert_echo(r);
}

#define WEEKLY_AT_NOON                                                                         \
	"StartTime \"20260302T110000Z\"\nEndTime \"20260302T120000Z\"\nTimezone \"" BERLIN     \
	"\"\nSubject \"weekly\"\nRecurrence\n+Type \"1\"\n+Interval \"1\"\n"                   \
	"+DayOfWeek \"%d\"\n+Occurrences \"10\"\n"

static void test_exceptions_follow_a_series_that_moves(void **state UNUSED)
{
	struct str ics = weekly(
		arena_printf(a, "EXDATE;TZID=Europe/Berlin:20260309T100000\n%s", moved).p);
	struct str r;

	r = changed(ics, arena_printf(a, WEEKLY_AT_NOON, 2).p);
	assert_has(r.p, "EXDATE;TZID=Europe/Berlin:20260309T120000\r\n");
	assert_has(r.p, "RECURRENCE-ID;TZID=Europe/Berlin:20260316T120000\r\n");
	assert_has(r.p, "DTSTART;TZID=Europe/Berlin:20260317T120000\r\n");
	assert_echo(r);
	/* On Thursdays there are none of them. */
	r = changed(ics, arena_printf(a, WEEKLY_AT_NOON, 16).p);
	assert_has(r.p, "RRULE:FREQ=WEEKLY");
	assert_not(r.p, "EXDATE");
	assert_not(r.p, "RECURRENCE-ID");
	assert_echo(r);
}

static void test_a_series_becomes_one_event(void **state UNUSED)
{
	struct str ics = weekly(
		arena_printf(a, "EXDATE;TZID=Europe/Berlin:20260309T100000\n%s", moved).p);
	struct str r = changed(ics, "Timezone \"" BERLIN "\"\nSubject \"weekly\"\n"
				    "StartTime \"20260302T090000Z\"\n"
				    "EndTime \"20260302T100000Z\"");

	assert_not(r.p, "RRULE:FREQ=WEEKLY");
	assert_not(r.p, "EXDATE");
	assert_not(r.p, "RECURRENCE-ID");
	assert_echo(r);
	/* Not if the device knows nothing of such things. */
	ghosts = (struct ghosts){.kind = GHOSTS_ALL};
	assert_true(str_eq(changed(ics, "Subject \"weekly\""), ics));
}

static void test_a_rule_that_devices_cannot_be_told_stays(void **state UNUSED)
{
	static const char *const rules[] = {"RRULE:FREQ=MONTHLY;BYMONTHDAY=7,9",
		"RRULE:FREQ=DAILY;BYHOUR=8,10", "RDATE;TZID=Europe/Berlin:20260305T100000",
		"RRULE:FREQ=WEEKLY\nRRULE:FREQ=DAILY;COUNT=3",
		"RRULE:FREQ=DAILY\nEXRULE:FREQ=DAILY;INTERVAL=2"};

	for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
		struct str ics = berlin_event(arena_printf(a,
			"DTSTART;TZID=Europe/Berlin:20260302T100000\nDURATION:PT1H\n"
			"SUMMARY:x\n%s\n%s",
			rules[i], moved)
						      .p);
		struct str rule = event_object(rules[i], a), r;

		assert_not(shown(ics), "Recurrence");
		assert_not(shown(ics), "Exception");
		assert_echo(ics);
		r = changed(ics, "Timezone \"" BERLIN "\"\nStartTime \"20260302T090000Z\"\n"
				 "EndTime \"20260302T100000Z\"\nSubject \"y\"");
		assert_has(r.p, "SUMMARY:y\r\n");
		assert_has(r.p, arena_cstr(a, str_sub(rule, 54 - 3, 20)));
		assert_has(r.p, "SUMMARY:moved");
		/* A rule that the device makes takes its place. */
		r = changed(ics, weekly_data);
		assert_has(r.p, "RRULE:FREQ=WEEKLY");
		assert_not(r.p, "BYHOUR");
		assert_not(r.p, "RDATE");
		assert_not(r.p, "EXRULE");
		/* What there was of the instances is of none that there are now. */
		assert_not(r.p, "SUMMARY:moved");
		assert_echo(r);
	}
}

/* It would take the exceptions from their series: the device is told again how it is. */
static void test_a_rule_that_devices_cannot_be_told_does_not_move(void **state UNUSED)
{
	static const char *const moves[] = {
		"StartTime \"20260303T090000Z\"\nEndTime \"20260303T100000Z\"",
		"StartTime \"20260302T090000Z\"\nEndTime \"20260302T110000Z\"",
		"AllDayEvent \"1\"\nStartTime \"20260301T230000Z\"\nEndTime \"20260302T230000Z\""};
	struct str ics = berlin_event(arena_printf(a,
		"DTSTART;TZID=Europe/Berlin:20260302T100000\nDURATION:PT1H\nSUMMARY:x\n"
		"RRULE:FREQ=DAILY;BYHOUR=10,12\nEXDATE;TZID=Europe/Berlin:20260309T100000\n%s",
		moved)
					      .p);
	struct err err = ERR_INIT;
	struct str r;

	for (size_t i = 0; i < ARRAY_LEN(moves); i++)
		assert_int_equal(
			try_apply(ics,
				data_of(arena_printf(a, "Timezone \"%s\"\nSubject \"x\"\n%s",
					BERLIN, moves[i])
						.p),
				&r, &err),
			RC_INVALID);
	r = changed(ics, weekly_data);
	assert_not(r.p, "EXDATE");
	assert_not(r.p, "RECURRENCE-ID");
}

static const char meeting_data[] = "Timezone \"" BERLIN "\"\nStartTime \"20260310T090000Z\"\n"
				   "EndTime \"20260310T100000Z\"\nSubject \"m\"\n";

static struct str meeting(const char *lines)
{
	return berlin_event(arena_printf(a,
		"DTSTART;TZID=Europe/Berlin:20260310T100000\nDURATION:PT1H\nSUMMARY:m\n%s",
		lines)
				    .p);
}

/* C119, C120, K17, clients.md: iOS sends no organizer */
static void test_a_meeting_is_made(void **state UNUSED)
{
	struct str r = added(arena_printf(a,
		"%sMeetingStatus \"1\"\nAttendees\n+Attendee\n++Email \"bob@example.test\"\n"
		"++Name \"Bob, B\"\n++AttendeeType \"2\"\n+Attendee\n++Name \"nobody\"\n"
		"+Attendee\n++Email \"room@example.test\"\n++Name \"room@example.test\"\n"
		"++AttendeeType \"3\"",
		meeting_data)
				     .p);
	const char *s = shown(r);

	r = (struct str){arena_cstr(a, r), r.n};
	assert_has(s, "calendar:MeetingStatus \"1\"");
	assert_has(s, "calendar:Name \"Bob, B\"");
	assert_has(s, "calendar:AttendeeType \"2\"");
	assert_has(s, "calendar:AttendeeType \"3\"");
	assert_has(s, "calendar:AttendeeStatus \"5\"");
	assert_has(s, "calendar:OrganizerEmail \"ann@example.test\"");
	assert_has(s, "calendar:ResponseType \"1\"");
	assert_not(s, "nobody");
	assert_has(r.p, "ORGANIZER:mailto:ann@example.test\r\n");
	assert_has(r.p, "CN=\"Bob, B\"");
	assert_has(r.p, "SCHEDULE-AGENT=CLIENT");
	assert_has(r.p, "RSVP=TRUE");
	assert_has(r.p, "PARTSTAT=NEEDS-ACTION");
	assert_echo(r);
	speak(V25);
	s = shown(r);
	assert_not(s, "AttendeeType");
	assert_not(s, "ResponseType");
	assert_echo(r);
}

/* K23, C121: one goes, the others stay as they are, and so does who calls the meeting. */
static void test_one_attendee_is_removed(void **state UNUSED)
{
	struct str ics = meeting(
		"ORGANIZER;CN=Ann;X-A=1:mailto:Ann@Example.test\n"
		"ATTENDEE;CN=Ann;PARTSTAT=ACCEPTED:mailto:ann@example.test\n"
		"ATTENDEE;X-NUM-GUESTS=2;CN=Bob;ROLE=OPT-PARTICIPANT;PARTSTAT=ACCEPTED:MAILTO:Bob@example.test\n"
		"ATTENDEE;CN=Cid:mailto:cid@example.test\n"
		"ATTENDEE;CN=Hall:urn:uuid:1234\nSEQUENCE:3");
	struct str r;

	assert_has(shown(ics), "calendar:AttendeeType \"2\"");
	assert_not(shown(ics), "Hall");
	assert_echo(ics);
	r = changed(ics, arena_printf(a,
				 "%sMeetingStatus \"1\"\nAttendees\n+Attendee\n"
				 "++Email \"bob@example.test\"\n++Name \"Robert\"",
				 meeting_data)
				 .p);
	assert_has(r.p, "ATTENDEE;X-NUM-GUESTS=2;CN=Robert;ROLE=OPT-PARTICIPANT;PARTSTAT=");
	assert_has(r.p, "ATTENDEE;CN=Ann;PARTSTAT=ACCEPTED:mailto:ann@example.test\r\n");
	assert_not(r.p, "cid@example.test");
	assert_has(r.p, "ATTENDEE;CN=Hall:urn:uuid:1234\r\n");
	assert_has(r.p, "ORGANIZER;CN=Ann;X-A=1:mailto:Ann@Example.test\r\n");
	/* Nobody comes: who called it stays. */
	r = changed(ics, meeting_data);
	assert_not(r.p, "bob@example.test");
	assert_has(r.p, "ORGANIZER;CN=Ann;X-A=1:mailto:Ann@Example.test\r\n");
	assert_has(r.p, "urn:uuid:1234");
	/* Another organizer is not taken over. B20844 */
	r = changed(ics, arena_printf(a,
				 "%sOrganizerEmail \"eve@example.test\"\nAttendees\n"
				 "+Attendee\n++Email \"bob@example.test\"\n++Name \"Bob\"",
				 meeting_data)
				 .p);
	assert_not(r.p, "eve@example.test");
}

/* clients.md: Windows Phone sends empty Attendees, Android the user as organizer. */
static void test_an_appointment_is_no_meeting(void **state UNUSED)
{
	struct str r = added(arena_printf(a,
		"%sMeetingStatus \"0\"\nOrganizerEmail \"ann@example.test\"\n"
		"OrganizerName \"Ann\"\nAttendees",
		meeting_data)
				     .p);

	assert_not(r.p, "ORGANIZER");
	assert_has(shown(r), "calendar:MeetingStatus \"0\"");
	assert_has(shown(r), "calendar:ResponseType \"0\"");
	assert_echo(r);
}

static void test_the_status_of_a_meeting(void **state UNUSED)
{
	static const struct {
		const char *organizer, *attendee, *status;
		int meeting, response;
	} cases[] = {
		{"ann@example.test", "bob@example.test;PARTSTAT=ACCEPTED",  "CONFIRMED", 1, 1},
		{"ANN@example.test", "bob@example.test",                    "CANCELLED", 5, 1},
		{"bob@example.test", "ann@example.test;PARTSTAT=TENTATIVE", "CONFIRMED", 3, 2},
		{"bob@example.test", "ann@example.test;PARTSTAT=ACCEPTED",  "CONFIRMED", 3, 3},
		{"bob@example.test", "Ann@example.test;PARTSTAT=DECLINED",  "CONFIRMED", 3, 4},
		{"bob@example.test", "ann@example.test",                    "CANCELLED", 7, 5},
		{"bob@example.test", "list@example.test",                   "CONFIRMED", 3, 5},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct str address = str_of(cases[i].attendee), params;
		struct str ics;
		size_t at = str_find(address, ';');

		params = str_sub(address, at, address.n);
		address = str_sub(address, 0, at);
		ics = meeting(arena_printf(a,
			"ORGANIZER:mailto:%s\nATTENDEE%.*s:mailto:%.*s\nSTATUS:%s",
			cases[i].organizer, STR_FMT(params), STR_FMT(address), cases[i].status)
				      .p);
		assert_has(shown(ics),
			arena_printf(a, "calendar:MeetingStatus \"%d\"", cases[i].meeting).p);
		assert_has(shown(ics),
			arena_printf(a, "calendar:ResponseType \"%d\"", cases[i].response).p);
		assert_echo(ics);
	}
}

/* clients.md: Outlook, when it could not answer. */
static void test_whose_a_meeting_is_that_was_received(void **state UNUSED)
{
	const char *attendees = "Attendees\n+Attendee\n++Email \"ann@example.test\"\n"
				"++Name \"Ann\"";
	struct str r =
		added(arena_printf(a, "%sMeetingStatus \"3\"\n%s", meeting_data, attendees).p);

	assert_not(r.p, "ORGANIZER");
	r = added(arena_printf(a,
		"%sMeetingStatus \"3\"\nOrganizerEmail \"bob@example.test\"\n%s", meeting_data,
		attendees)
			  .p);
	assert_has(r.p, "ORGANIZER;SCHEDULE-AGENT=CLIENT:mailto:bob@example.test\r\n");
	assert_has(shown(r), "calendar:MeetingStatus \"3\"");
	assert_echo(r);
}

/* Nobody knows the zone: its name stays all the same. */
static void test_a_zone_that_nobody_knows(void **state UNUSED)
{
	struct str ics = event_object("BEGIN:VEVENT\nUID:u1\nDTSTART;TZID=Mars/Olympus:"
				      "20260310T090000\nDURATION:PT1H\nEND:VEVENT",
		a);

	assert_has(shown(ics), "calendar:StartTime \"20260310T090000Z\"");
	assert_echo(ics);
	assert_has(changed(ics, arena_printf(a, IN_JULY, UTC).p).p,
		"DTSTART;TZID=Mars/Olympus:20260710T090000\r\n");
}

/* Nor does what is added to it, or a device in a zone of its own, change that. */
static void test_a_zone_that_nobody_knows_stays(void **state UNUSED)
{
	struct str ics = event_object("BEGIN:VEVENT\nUID:u1\nDTSTART;TZID=Mars/Olympus:"
				      "20260302T100000\nDURATION:PT1H\nSUMMARY:x\n"
				      "RRULE:FREQ=DAILY\nEND:VEVENT",
		a);
	struct str r = changed(ics,
		"Timezone \"" BERLIN "\"\nSubject \"x\"\nStartTime \"20260302T110000Z\"\n"
		"EndTime \"20260302T130000Z\"\nRecurrence\n+Type \"0\"\n+Interval \"1\"\n"
		"Exceptions\n+Exception\n++Deleted \"1\"\n"
		"++ExceptionStartTime \"20260305T110000Z\"\n+Exception\n++Subject \"y\"\n"
		"++ExceptionStartTime \"20260306T110000Z\"");

	assert_has(r.p, "\r\nDTSTART;TZID=Mars/Olympus:20260302T110000\r\n");
	assert_has(r.p, "\r\nDTEND;TZID=Mars/Olympus:20260302T130000\r\n");
	assert_has(r.p, "\r\nEXDATE;TZID=Mars/Olympus:20260305T110000\r\n");
	assert_has(r.p, "\r\nRECURRENCE-ID;TZID=Mars/Olympus:20260306T110000\r\n");
	assert_echo(r);
}

/* Zones that need no VTIMEZONE, in an object that has another. */
static void test_zones_by_name_alone(void **state UNUSED)
{
	static const struct {
		const char *tzid, *start;
	} cases[] = {
		{"UTC",                   "20260310T100000Z"},
		{"Etc/UTC",               "20260310T100000Z"},
		{"GMT",                   "20260310T100000Z"},
		{"Z",                     "20260310T100000Z"},
		{"Eastern Standard Time", "20260310T140000Z"},
		{"Tokyo Standard Time",   "20260310T010000Z"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct str ics = berlin_event(arena_printf(a,
			"DTSTART;TZID=%s:20260310T100000\nDURATION:PT1H\nSUMMARY:x",
			cases[i].tzid)
						      .p);

		assert_has(shown(ics),
			arena_printf(a, "calendar:StartTime \"%s\"", cases[i].start).p);
		assert_echo(ics);
	}
}

static const char until_data[] =
	"Timezone \"%s\"\nStartTime \"%s\"\nEndTime \"%s\"\nSubject \"x\"\nRecurrence\n"
	"+Type \"1\"\n+Interval \"1\"\n+DayOfWeek \"2\"\n+Until \"%s\"";

/* The last instance stays when the hour of all changes. */
static void test_the_end_of_a_series_that_begins_later(void **state UNUSED)
{
	static const struct {
		const char *start, *end, *said, *until;
	} cases[] = {
		{"20260302T100000Z", "20260302T110000Z", "20260330T080000Z",
                 "20260330T090000Z"},
		{"20260302T080000Z", "20260302T090000Z", "20260330T080000Z",
                 "20260330T080000Z"},
		{"20260302T100000Z", "20260302T110000Z", "20260323T080000Z",
                 "20260323T080000Z"},
	};
	struct str ics = berlin_event("DTSTART;TZID=Europe/Berlin:20260302T100000\n"
				      "DTEND;TZID=Europe/Berlin:20260302T110000\nSUMMARY:x\n"
				      "RRULE:FREQ=WEEKLY;BYDAY=MO;UNTIL=20260330T080000Z");
	struct str r;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		r = changed(ics, arena_printf(a, until_data, BERLIN, cases[i].start,
					 cases[i].end, cases[i].said)
					 .p);
		assert_has(r.p, arena_printf(a, "UNTIL=%s", cases[i].until).p);
		assert_echo(r);
	}
	/* Also where the device does not handle rules. */
	ghosts = (struct ghosts){.kind = GHOSTS_ALL};
	r = changed(ics, "StartTime \"20260302T100000Z\"\nEndTime \"20260302T110000Z\"");
	assert_has(r.p, "UNTIL=20260330T090000Z");
}

/* An end that is a day, said as its midnight in UTC. */
static void test_the_end_of_a_series_at_midnight(void **state UNUSED)
{
	struct str la = event_test_blob(&event_test_zones[1], a);
	struct str r = added(arena_printf(a, until_data, BERLIN, "20260302T090000Z",
		"20260302T100000Z", "20260330T000000Z")
				     .p);

	assert_has(r.p, "UNTIL=20260330T080000Z");
	assert_echo(r);
	/* Four in the afternoon there: that is the last instance itself. */
	r = added(arena_printf(
		a, until_data, la.p, "20260303T000000Z", "20260303T010000Z", "20261201T000000Z")
			  .p);
	assert_has(r.p, "UNTIL=20261201T000000Z");
}

/* What attendees have to know raises the sequence. */
static void test_the_sequence_counts_changes_of_time_and_place(void **state UNUSED)
{
	struct str ics = meeting("ORGANIZER:mailto:ann@example.test\n"
				 "ATTENDEE:mailto:bob@example.test\nSEQUENCE:3");
	const char *bob = "Attendees\n+Attendee\n++Email \"bob@example.test\"\n"
			  "++Name \"bob@example.test\"\n";
	struct str r = changed(ics, arena_printf(a, "%s%sReminder \"3\"", meeting_data, bob).p);

	assert_has(r.p, "SEQUENCE:3\r\n");
	r = changed(ics, arena_printf(a, "%s%sLocation \"there\"", meeting_data, bob).p);
	assert_has(r.p, "SEQUENCE:4\r\n");
	r = changed(
		ics, arena_printf(a, "%s%sCategories\n+Category \"c\"", meeting_data, bob).p);
	assert_has(r.p, "SEQUENCE:3\r\n");
}

/* C125 */
static void test_reminders(void **state UNUSED)
{
	static const char first[] = "BEGIN:VALARM\nACTION:DISPLAY\nX-WR-ALARMUID:1\n"
				    "DESCRIPTION:d\nTRIGGER;X-B=c:-P1DT1H\nEND:VALARM\n";
	static const char others[] =
		"BEGIN:VALARM\nACTION:DISPLAY\nDESCRIPTION:d\nTRIGGER;RELATED=END:-PT1H\n"
		"END:VALARM\nBEGIN:VALARM\nACTION:DISPLAY\nDESCRIPTION:d\n"
		"TRIGGER;VALUE=DATE-TIME:20260310T080000Z\nEND:VALARM\n";
	struct str none = meeting(others),
		   ics = meeting(arena_printf(a, "%s%s", others, first).p), r;

	assert_not(shown(none), "Reminder");
	assert_echo(none);
	assert_has(shown(ics), "calendar:Reminder \"1500\"");
	assert_echo(ics);
	r = changed(ics, arena_printf(a, "%sReminder \"30\"", meeting_data).p);
	assert_has(r.p, "X-WR-ALARMUID:1\r\nDESCRIPTION:d\r\nTRIGGER;X-B=c:-PT30M\r\n");
	assert_has(r.p, "TRIGGER;RELATED=END:-PT1H\r\n");
	r = changed(ics, meeting_data);
	assert_not(r.p, "X-WR-ALARMUID:1");
	assert_has(r.p, "TRIGGER;VALUE=DATE-TIME:20260310T080000Z\r\n");
	r = changed(ics, arena_printf(a, "%sReminder", meeting_data).p);
	assert_not(r.p, "X-WR-ALARMUID:1");
	r = changed(none, arena_printf(a, "%sReminder \"0\"", meeting_data).p);
	assert_has(r.p, "TRIGGER:PT0S\r\n");
	assert_has(shown(r), "calendar:Reminder \"0\"");
	assert_echo(r);
	/* Not one that the device does not handle. */
	ghosts = (struct ghosts){.kind = GHOSTS_ALL};
	assert_true(str_eq(changed(ics, meeting_data), ics));
}

/* B20364, B20901, C126 */
static void test_sensitivity_and_busy_status(void **state UNUSED)
{
	static const struct {
		const char *lines;
		int busy, sensitivity;
	} cases[] = {
		{"X-A:b",							      2, 0},
		{"TRANSP:TRANSPARENT\nCLASS:PRIVATE",                                  0, 2},
		{"TRANSP:OPAQUE\nCLASS:CONFIDENTIAL",                                  2, 3},
		{"STATUS:TENTATIVE\nCLASS:X-PERSONAL",                                 1, 1},
		{"X-MICROSOFT-CDO-BUSYSTATUS:OOF\nCLASS:PUBLIC",                       3, 0},
		{"X-MICROSOFT-CDO-BUSYSTATUS:OOF\nTRANSP:TRANSPARENT\nCLASS:X-SECRET", 0, 2},
		{"X-MICROSOFT-CDO-BUSYSTATUS:FREE\nTRANSP:OPAQUE",                     2, 0},
		{"X-MICROSOFT-CDO-BUSYSTATUS:WORKINGELSEWHERE",                        2, 0},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct str ics = meeting(cases[i].lines), r;

		assert_has(shown(ics),
			arena_printf(a, "calendar:BusyStatus \"%d\"", cases[i].busy).p);
		assert_has(shown(ics),
			arena_printf(a, "calendar:Sensitivity \"%d\"", cases[i].sensitivity).p);
		assert_echo(ics);
		for (unsigned busy = 0; busy < 4; busy++) {
			r = changed(
				ics, arena_printf(a, "%sBusyStatus \"%u\"\nSensitivity \"%u\"",
					     meeting_data, busy, 3 - busy)
					     .p);
			assert_has(shown(r),
				arena_printf(a, "calendar:BusyStatus \"%u\"", busy).p);
			assert_has(shown(r),
				arena_printf(a, "calendar:Sensitivity \"%u\"", 3 - busy).p);
			assert_echo(r);
		}
	}
	assert_has(shown(changed(meeting("CLASS:PRIVATE"), meeting_data)),
		"calendar:Sensitivity \"0\"");
}

/* B20021, B20960, K4, K7, K24, K26 */
static void test_descriptions(void **state UNUSED)
{
	struct str ics = meeting("DESCRIPTION;ALTREP=\"cid:x\":one\\ntwo three four five six\n"
				 "X-ALT-DESC;FMTTYPE=text/html:<p>one</p>\nX-B:c");
	struct str r;

	assert_has(shown(ics), "airsyncbase:Data \"one\\r\\ntwo three four five six\"");
	assert_not(shown(ics), "Truncated");
	assert_echo(ics);
	/* Absent: it stays. */
	assert_true(str_eq(changed(ics, meeting_data), ics));
	/* In part. */
	options.prefs[0].has_size = true;
	options.prefs[0].size = 8;
	assert_has(shown(ics), "airsyncbase:Truncated \"1\"");
	assert_echo(ics);
	r = changed(ics, arena_printf(a,
				 "%sairsyncbase:Body\n+airsyncbase:Type \"2\"\n"
				 "+airsyncbase:Data \"<p>a &amp; b</p><p>c</p>\"",
				 meeting_data)
				 .p);
	assert_has(r.p, "\r\nDESCRIPTION:a & b\\n");
	assert_not(r.p, "X-ALT-DESC");
	assert_not(r.p, "ALTREP");
	assert_has(r.p, "X-B:c\r\n");
	r = changed(ics, arena_printf(a,
				 "%sairsyncbase:Body\n+airsyncbase:Type \"1\"\n"
				 "+airsyncbase:Data \"\"",
				 meeting_data)
				 .p);
	assert_not(r.p, "DESCRIPTION");
	speak(V25);
	assert_has(shown(ics), "calendar:Body \"one\\r\\ntwo three four five six\"");
	assert_not(shown(ics), "BodyTruncated");
	assert_not(shown(ics), "airsyncbase");
	assert_echo(ics);
	r = changed(ics, arena_printf(a, "%sBody \"x\\r\\ny\"", meeting_data).p);
	assert_has(r.p, "\r\nDESCRIPTION:x\\ny\r\n");
	options.truncation = 0;
	assert_has(shown(ics), "calendar:BodyTruncated \"1\"");
	assert_echo(ics);
}

/* C123 */
static void test_a_time_stays_in_its_zone(void **state UNUSED)
{
	/* A name of somebody's own, the same rule. */
	struct str own = event_object(
		"BEGIN:VTIMEZONE\nTZID:My Zone\nBEGIN:STANDARD\nDTSTART:19701025T030000\n"
		"TZOFFSETFROM:+0200\nTZOFFSETTO:+0100\nRRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU\n"
		"END:STANDARD\nBEGIN:DAYLIGHT\nDTSTART:19700329T020000\nTZOFFSETFROM:+0100\n"
		"TZOFFSETTO:+0200\nRRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU\nEND:DAYLIGHT\n"
		"END:VTIMEZONE\nBEGIN:VEVENT\nUID:u1\nDTSTART;TZID=My Zone:20260310T100000\n"
		"DTEND;TZID=My Zone:20260310T110000\nSUMMARY:m\nEND:VEVENT",
		a);
	struct str utc = event_object("BEGIN:VEVENT\nUID:u1\nDTSTART:20260310T090000Z\n"
				      "DURATION:PT1H\nSUMMARY:m\nEND:VEVENT",
		a);
	struct str floating = event_object("BEGIN:VEVENT\nUID:u1\nDTSTART:20260310T090000\n"
					   "DURATION:PT1H\nSUMMARY:m\nEND:VEVENT",
		a);
	struct str la = event_test_blob(&event_test_zones[1], a), r;

	assert_echo(own);
	assert_echo(utc);
	assert_echo(floating);
	r = changed(own, arena_printf(a, IN_JULY, BERLIN).p);
	assert_has(r.p, "DTSTART;TZID=My Zone:20260710T110000\r\n");
	assert_has(r.p, "DTEND;TZID=My Zone:20260710T130000\r\n");
	assert_not(r.p, "Europe/Berlin");
	r = changed(own, arena_printf(a, IN_JULY, la.p).p);
	assert_has(r.p, "DTSTART;TZID=America/Los_Angeles:20260710T020000\r\n");
	assert_has(r.p, "TZID:America/Los_Angeles\r\n");
	assert_has(r.p, "TZID:My Zone\r\n");
	assert_echo(r);
	r = changed(utc, arena_printf(a, IN_JULY, UTC).p);
	assert_has(r.p, "DTSTART:20260710T090000Z\r\n");
	assert_has(r.p, "DTEND:20260710T110000Z\r\n");
	assert_not(r.p, "DURATION");
	r = changed(floating, arena_printf(a, IN_JULY, UTC).p);
	assert_has(r.p, "DTSTART:20260710T090000\r\n");
	r = changed(floating, arena_printf(a, IN_JULY, BERLIN).p);
	assert_has(r.p, "DTSTART;TZID=Europe/Berlin:20260710T110000\r\n");
	/* No zone is said: it is the old one. */
	r = changed(own, "StartTime \"20260710T090000Z\"\nEndTime \"20260710T100000Z\"");
	assert_has(r.p, "DTSTART;TZID=My Zone:20260710T110000\r\n");
	r = added("StartTime \"20260710T090000Z\"\nEndTime \"20260710T100000Z\"");
	assert_has(r.p, "DTSTART:20260710T090000Z\r\n");
	assert_has(r.p, "DTEND:20260710T100000Z\r\n");
	/* A zone of the same name that has another rule. */
	r = changed(
		event_object("BEGIN:VTIMEZONE\nTZID:Europe/Berlin\nBEGIN:STANDARD\n"
			     "DTSTART:19700101T000000\nTZOFFSETFROM:+0300\nTZOFFSETTO:+0300\n"
			     "END:STANDARD\nEND:VTIMEZONE\nBEGIN:VEVENT\nUID:u1\n"
			     "DTSTART;TZID=Europe/Berlin:20260310T100000\nEND:VEVENT",
			a),
		arena_printf(a, IN_JULY, BERLIN).p);
	assert_has(r.p, "DTSTART;TZID=Europe/Berlin 2:20260710T110000\r\n");
	assert_echo(r);
}

/* R4.8, classes.md 3.3 */
static void test_missing_times(void **state UNUSED)
{
	struct err err = ERR_INIT;
	struct str r;

	r = added("Subject \"x\"");
	assert_has(r.p, "DTSTART:20260303T100000Z\r\n");
	assert_has(r.p, "DTEND:20260303T103000Z\r\n");
	r = added("EndTime \"20260303T120000Z\"");
	assert_has(r.p, "DTSTART:20260303T100000Z\r\n");
	assert_has(r.p, "DTEND:20260303T120000Z\r\n");
	r = added("StartTime \"20260303T080000Z\"");
	assert_has(r.p, "DTSTART:20260303T080000Z\r\n");
	assert_has(r.p, "DTEND:20260303T103000Z\r\n");
	assert_int_equal(try_apply(STR_NONE, data_of("EndTime \"20260303T080000Z\""), &r, &err),
		RC_INVALID);
	assert_int_equal(
		try_apply(STR_NONE, data_of("StartTime \"20260304T080000Z\""), &r, &err),
		RC_INVALID);
	assert_int_equal(
		try_apply(STR_NONE, data_of("StartTime \"now\""), &r, &err), RC_INVALID);
	assert_int_equal(try_apply(STR_NONE,
				 data_of("StartTime \"20260304T080000Z\"\n"
					 "EndTime \"20260304T070000Z\""),
				 &r, &err),
		RC_INVALID);
}

/* C126 */
static void test_categories(void **state UNUSED)
{
	struct str ics = meeting("CATEGORIES;X-A=b:one,two\\, three\nCATEGORIES:four"), r;

	assert_has(shown(ics), "calendar:Category \"two, three\"");
	assert_echo(ics);
	r = changed(ics,
		arena_printf(a, "%sCategories\n+Category \"two, three\"\n+Category \"five\"",
			meeting_data)
			.p);
	assert_has(r.p, "CATEGORIES;X-A=b:two\\, three,five\r\n");
	assert_not(r.p, "four");
	r = changed(ics, meeting_data);
	assert_not(r.p, "CATEGORIES");
}

/* K19 */
static void test_what_a_device_does_not_handle_stays(void **state UNUSED)
{
	tag_t named[] = {
		CALENDAR_SUBJECT, CALENDAR_START_TIME, CALENDAR_END_TIME, CALENDAR_TIMEZONE};
	struct str ics = meeting("LOCATION:here\nCLASS:PRIVATE\nCATEGORIES:c\n"
				 "ORGANIZER:mailto:ann@example.test\n"
				 "ATTENDEE:mailto:bob@example.test");
	struct str r;

	ghosts = (struct ghosts){.kind = GHOSTS_OTHERS, .named = named, .n = ARRAY_LEN(named)};
	assert_true(str_eq(changed(ics, meeting_data), ics));
	r = changed(ics, "StartTime \"20260310T090000Z\"\nEndTime \"20260310T100000Z\"");
	assert_not(r.p, "SUMMARY");
	assert_has(r.p, "LOCATION:here\r\n");
	ghosts = (struct ghosts){.kind = GHOSTS_NONE};
	r = changed(ics, meeting_data);
	assert_not(r.p, "LOCATION");
	assert_not(r.p, "bob@");
}

/* C124, R3.20, B20427, B20558: styles of devices */
enum style {
	STYLE_MIDNIGHTS,
	STYLE_NO_ZONE_UTC,
	STYLE_HOUR_OFF,
	STYLE_UTC_MIDNIGHTS,
	STYLE_ZERO,
	STYLE_ALMOST,
	STYLES
};

static struct str all_day_data(
	const struct event_test_zone *z, enum style style, int64_t day, unsigned days)
{
	int64_t start = event_test_utc(z, day * 86400);
	int64_t end = event_test_utc(z, (day + days) * 86400);
	bool blob = style != STYLE_NO_ZONE_UTC;

	if (style == STYLE_NO_ZONE_UTC || style == STYLE_UTC_MIDNIGHTS) {
		start = day * 86400;
		end = (day + days) * 86400;
	} else if (style == STYLE_HOUR_OFF) {
		start += 3600;
		end += 3600;
	} else if (style == STYLE_ZERO) {
		end = start;
	} else if (style == STYLE_ALMOST) {
		end -= 60;
	}
	return arena_printf(a,
		"%s%s%sAllDayEvent \"1\"\nStartTime \"%s\"\nEndTime \"%s\"\n"
		"Subject \"day\"",
		blob ? "Timezone \"" : "", blob ? event_test_blob(z, a).p : "",
		blob ? "\"\n" : "", clock_compact(a, start).p, clock_compact(a, end).p);
}

static const char *date_of(int64_t day)
{
	return arena_cstr(a, str_sub(clock_compact(a, day * 86400), 0, 8));
}

static void test_a_day_is_the_same_day_everywhere(void **state UNUSED)
{
	static const enum eas_version versions[] = {V25, V120, V121, V140, V141};
	/* Winter, summer, around changes, new year. */
	static const int days[][3] = {
		{2026, 1,  15},
                {2026, 7,  15},
                {2026, 3,  29},
                {2026, 10, 25},
                {2026, 11, 1 },
		{2026, 12, 31},
                {2027, 1,  1 },
                {2026, 3,  8 },
                {2026, 4,  5 }
        };

	for (size_t z = 0; z < event_ntest_zones; z++)
		for (size_t v = 0; v < ARRAY_LEN(versions); v++)
			for (size_t d = 0; d < ARRAY_LEN(days); d++)
				for (enum style style = 0; style < STYLES; style++)
					for (unsigned n = 1; n <= 3; n += 2) {
						int64_t day = clock_days(days[d][0],
							(unsigned)days[d][1],
							(unsigned)days[d][2]);
						struct str data = all_day_data(
								   &event_test_zones[z], style,
								   day, n),
							   r;
						unsigned length = style == STYLE_ZERO ? 1 : n;

						speak(versions[v]);
						r = added(data.p);
						assert_has(r.p,
							arena_printf(a,
								"\r\nDTSTART;VALUE=DATE:%s\r\n",
								date_of(day))
								.p);
						if (length > 1)
							assert_has(r.p,
								arena_printf(a,
									"\r\nDTEND;VALUE=DATE:%s\r\n",
									date_of(day + length))
									.p);
						else if (strstr(r.p, "DTEND"))
							assert_has(r.p,
								arena_printf(a,
									"\r\nDTEND;VALUE=DATE:%s\r\n",
									date_of(day + 1))
									.p);
						assert_echo(r);
						/* The same device says it again, in its own
						 * way. */
						if (!str_eq(changed(r, data.p), r))
							fail_msg("%s: another day\n%s", data.p,
								r.p);
					}
}

/* Days that stand in an object, with its zone or without. */
static void test_days_of_others_come_back_as_they_are(void **state UNUSED)
{
	for (size_t z = 0; z < event_ntest_zones; z++) {
		const char *tz = event_test_component(&event_test_zones[z], a).p;
		struct str ics = event_object(
			arena_printf(a,
				"%sBEGIN:VEVENT\nUID:u1\nDTSTART;VALUE=DATE:20260329\n"
				"DTEND;VALUE=DATE:20260330\nRRULE:FREQ=YEARLY;UNTIL=20300329\n"
				"EXDATE;VALUE=DATE:20270329\nSUMMARY:day\nEND:VEVENT\nBEGIN:VEVENT\n"
				"UID:u1\nRECURRENCE-ID;VALUE=DATE:20280329\nDTSTART;VALUE=DATE:20280330\n"
				"SUMMARY:other\nEND:VEVENT",
				tz)
				.p,
			a);
		struct str r;

		assert_has(shown(ics), "calendar:AllDayEvent \"1\"");
		assert_has(shown(ics),
			arena_printf(a, "calendar:StartTime \"%s\"",
				clock_compact(a, event_test_utc(&event_test_zones[z],
							 clock_days(2026, 3, 29) * 86400))
					.p)
				.p);
		assert_echo(ics);
		speak(V25);
		assert_echo(ics);
		speak(V141);
		/* Another instance is deleted, by its midnight. */
		r = applied(ics,
			data_of(arena_printf(a,
				"Timezone \"%s\"\nAllDayEvent \"1\"\nStartTime \"%s\"\nEndTime \"%s\"\n"
				"Subject \"day\"\nRecurrence\n+Type \"5\"\n+Interval \"1\"\n"
				"+Until \"%s\"\n+DayOfMonth \"29\"\n+MonthOfYear \"3\"\nExceptions\n"
				"+Exception\n++Deleted \"1\"\n++ExceptionStartTime \"%s\"",
				event_test_blob(&event_test_zones[z], a).p,
				clock_compact(a, event_test_utc(&event_test_zones[z],
							 clock_days(2026, 3, 29) * 86400))
					.p,
				clock_compact(a, event_test_utc(&event_test_zones[z],
							 clock_days(2026, 3, 30) * 86400))
					.p,
				clock_compact(a, event_test_utc(&event_test_zones[z],
							 clock_days(2030, 3, 29) * 86400))
					.p,
				clock_compact(a, event_test_utc(&event_test_zones[z],
							 clock_days(2029, 3, 29) * 86400))
					.p)
					.p));
		assert_has(r.p, "\r\nEXDATE;VALUE=DATE:20290329\r\n");
		assert_has(r.p, "\r\nRRULE:FREQ=YEARLY;UNTIL=20300329\r\n");
		assert_has(r.p, "SUMMARY:other\r\n");
		assert_echo(r);
	}
}

/* The device names the instance by the time that it was told. */
static void test_an_instance_is_deleted_of_what_becomes_days(void **state UNUSED)
{
	static const char *const names[] = {"20260305T130000Z", "20260304T230000Z"};
	struct str ics = berlin_event("DTSTART;TZID=Europe/Berlin:20260302T140000\n"
				      "DURATION:PT1H\nSUMMARY:x\nRRULE:FREQ=DAILY\n"
				      "EXDATE;TZID=Europe/Berlin:20260304T140000");

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct str r = changed(ics,
			arena_printf(a,
				"Timezone \"%s\"\nAllDayEvent \"1\"\nSubject \"x\"\n"
				"StartTime \"20260301T230000Z\"\nEndTime \"20260302T230000Z\"\n"
				"Recurrence\n+Type \"0\"\n+Interval \"1\"\nExceptions\n+Exception\n"
				"++Deleted \"1\"\n++ExceptionStartTime \"%s\"",
				BERLIN, names[i])
				.p);

		assert_has(r.p, "EXDATE;VALUE=DATE:20260304\r\n");
		assert_has(r.p, "EXDATE;VALUE=DATE:20260305\r\n");
		assert_not(r.p, "20260306");
		assert_echo(r);
	}
}

static void test_a_timed_event_becomes_a_day_and_back(void **state UNUSED)
{
	struct str ics = weekly("EXDATE;TZID=Europe/Berlin:20260309T100000"), r;

	r = changed(ics, "Timezone \"" BERLIN "\"\nAllDayEvent \"1\"\nSubject \"weekly\"\n"
			 "StartTime \"20260301T230000Z\"\nEndTime \"20260302T230000Z\"\n"
			 "Recurrence\n+Type \"1\"\n+DayOfWeek \"2\"\n+Occurrences \"10\"");
	assert_has(r.p, "DTSTART;VALUE=DATE:20260302\r\n");
	assert_has(r.p, "EXDATE;VALUE=DATE:20260309\r\n");
	assert_echo(r);
	r = changed(r, weekly_data);
	assert_has(r.p, "DTSTART;TZID=Europe/Berlin:20260302T100000\r\n");
	assert_has(r.p, "EXDATE;TZID=Europe/Berlin:20260309T100000\r\n");
	assert_echo(r);
}

static void test_objects_that_are_none(void **state UNUSED)
{
	static const struct {
		const char *ics;
		enum rc rc;
	} cases[] = {
		{"",								   RC_INVALID},
		{"BEGIN:VCARD\r\nEND:VCARD\r\n",                                       RC_INVALID},
		{"BEGIN:VCALENDAR\r\n",						RC_INVALID},
		{"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nEND:VCALENDAR\r\nEND:VEVENT\r\n",
                 RC_INVALID								      },
		{"BEGIN:VCALENDAR\r\nBEGIN:VTODO\r\nEND:VTODO\r\nEND:VCALENDAR\r\n",   RC_ABSENT },
		{"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
                 RC_INVALID								      },
		{"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART:20261340T000000\r\nEND:VEVENT\r\n"
		 "END:VCALENDAR\r\n",				 RC_INVALID},
	};
	struct buf deep;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err err = ERR_INIT;

		assert_null(event_sent(str_of(cases[i].ics), &options, a, &err));
		assert_int_equal(err.rc, cases[i].rc);
		/* What cannot be read is not over: the administrator is to know. */
		assert_true(event_end(str_of(cases[i].ics), a) ==
			    (cases[i].rc == RC_ABSENT ? INT64_MIN : INT64_MAX));
	}
	buf_init(&deep, BUF_MAX_TEXT);
	buf_adds(&deep, "BEGIN:VCALENDAR\r\n");
	for (unsigned i = 0; i < 100; i++)
		buf_adds(&deep, "BEGIN:VEVENT\r\n");
	for (unsigned i = 0; i < 100; i++)
		buf_adds(&deep, "END:VEVENT\r\n");
	buf_adds(&deep, "END:VCALENDAR\r\n");
	assert_null(event_sent(buf_str(&deep), &options, a, NULL));
	buf_release(&deep);
}

static void test_the_end_of_it_all(void **state UNUSED)
{
	static const struct {
		const char *lines, *end;
	} cases[] = {
		{"DTSTART:20260310T090000Z\nDURATION:PT1H",                                          "20260310T100000Z"},
 /* In the last zone of the world. */
		{"DTSTART:20260310T090000\nDURATION:PT1H",                                           "20260310T220000Z"},
		{"DTSTART;VALUE=DATE:20260310",						      "20260311T120000Z"},
		{"DTSTART;TZID=Europe/Berlin:20260310T100000\nDURATION:PT1H\n"
		 "RRULE:FREQ=DAILY;COUNT=3",					"20260312T100000Z"},
		{"DTSTART:20260310T090000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY;UNTIL=20260401T090000Z",
                 "20260401T100000Z"										    },
		{"DTSTART:20260310T090000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY",                        NULL              },
		{"DTSTART:20260310T090000Z\nRDATE:20270310T090000Z",                                 NULL              },
		{"DTSTART;TZID=Europe/Berlin:20260302T100000\nRRULE:FREQ=WEEKLY;COUNT=4\n"
		 "END:VEVENT\nBEGIN:VEVENT\nUID:u1\nRECURRENCE-ID;TZID=Europe/Berlin:"
		 "20260316T100000\nDTSTART:20270101T000000Z\nDURATION:PT5M",        "20270101T000500Z"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		int64_t end = event_end(berlin_event(cases[i].lines), a);

		if (!cases[i].end)
			assert_true(end == INT64_MAX);
		else
			assert_string_equal(clock_compact(a, end).p, cases[i].end);
	}
}

static void test_words_are_found(void **state UNUSED)
{
	struct str ics =
		meeting("LOCATION:Z\xc3\x9cRICH\\, Halle\nDESCRIPTION:Kaffee\\nund Tee\n"
			"ATTENDEE;CN=Bob Builder:mailto:bob@example.test");
	struct str both[] = {STR("z\xc3\xbcrich"), STR("TEE")};
	struct str one[] = {STR("builder")}, none[] = {STR("tee"), STR("wasser")};

	assert_true(event_says(ics, both, 2, a));
	assert_true(event_says(ics, one, 1, a));
	assert_false(event_says(ics, none, 2, a));
	assert_true(str_is(event_uid(ics, a), "u1"));
	assert_true(str_eq(event_uid(STR("BEGIN:VCALENDAR\nEND:VCALENDAR\n"), a), STR_NONE));
}

/* C129 */
static void test_links_and_proposals(void **state UNUSED)
{
	struct str ics = meeting("CONFERENCE;VALUE=URI:https://meet.example.test/x\n"
				 "X-MICROSOFT-DISALLOW-COUNTER:TRUE");

	assert_has(shown(ics), "calendar:OnlineMeetingExternalLink "
			       "\"https://meet.example.test/x\"");
	assert_has(shown(ics), "calendar:DisallowNewTimeProposal \"1\"");
	assert_echo(ics);
	speak(V140);
	assert_not(shown(ics), "OnlineMeeting");
	speak(V121);
	assert_not(shown(ics), "DisallowNewTimeProposal");
	assert_echo(ics);
}

static const char own_instance[] =
	"END:VEVENT\nBEGIN:VEVENT\nUID:u1\nDTSTAMP:20260101T000000Z\n"
	"RECURRENCE-ID;TZID=Europe/Berlin:20260316T100000\n"
	"DTSTART;TZID=Europe/Berlin:20260316T100000\n"
	"DTEND;TZID=Europe/Berlin:20260316T110000\nSUMMARY:own";

/* classes.md 5: what an Exception has no element for, it does not change either. */
static void test_what_is_not_said_of_an_instance(void **state UNUSED)
{
	static const enum eas_version versions[] = {V25, V121, V140, V141};
	struct str ics = weekly(arena_printf(a,
		"X-MICROSOFT-DISALLOW-COUNTER:TRUE\nBEGIN:VALARM\nACTION:DISPLAY\n"
		"DESCRIPTION:x\nTRIGGER:-PT15M\nEND:VALARM\n%s",
		own_instance)
					.p);

	for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
		const char *s;

		speak(versions[i]);
		s = strstr(shown(ics), "Exceptions");
		assert_not(s, "DisallowNewTimeProposal");
		if (versions[i] >= V141)
			assert_has(s, "calendar:Reminder\n");
		else
			assert_not(s, "Reminder");
		assert_echo(ics);
	}
}

/* Who comes to an instance stays who it was when a device moves it. */
static void test_an_instance_keeps_its_answers(void **state UNUSED)
{
	struct str ics = weekly(arena_printf(a,
		"ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:bob@example.test\n%s\n"
		"ATTENDEE;PARTSTAT=ACCEPTED:mailto:bob@example.test",
		own_instance)
					.p);
	struct str r = changed(ics,
		arena_printf(a,
			"%sAttendees\n+Attendee\n++Email \"bob@example.test\"\n"
			"++Name \"bob@example.test\"\nExceptions\n+Exception\n++Subject \"own\"\n"
			"++ExceptionStartTime \"20260316T090000Z\"\n"
			"++StartTime \"20260316T100000Z\"\n++EndTime \"20260316T110000Z\"",
			weekly_data)
			.p);

	assert_has(r.p, "DTSTART;TZID=Europe/Berlin:20260316T110000\r\n");
	assert_has(r.p, "ATTENDEE;PARTSTAT=ACCEPTED:mailto:bob@example.test\r\n");
	assert_not(r.p, "ORGANIZER");
	/* Nor does one who is invited to it alone call the meeting. */
	r = changed(ics,
		arena_printf(a,
			"%sAttendees\n+Attendee\n++Email \"bob@example.test\"\n"
			"++Name \"bob@example.test\"\nExceptions\n+Exception\n++Subject \"own\"\n"
			"++ExceptionStartTime \"20260316T090000Z\"\n++Attendees\n+++Attendee\n"
			"++++Email \"eve@example.test\"\n++++Name \"Eve\"",
			weekly_data)
			.p);
	assert_has(r.p, "ATTENDEE;CN=Eve");
	assert_not(r.p, "ORGANIZER");
}

static void test_reminders_that_are_not_told(void **state UNUSED)
{
	struct str ics = meeting("BEGIN:VALARM\nACTION:DISPLAY\nTRIGGER:-PT15M\nEND:VALARM\n"
				 "BEGIN:VALARM\nACTION:EMAIL\nTRIGGER:-PT20M\nEND:VALARM\n"
				 "BEGIN:VALARM\nACTION:DISPLAY\nTRIGGER:-P1D\nEND:VALARM");
	struct str r = changed(ics, meeting_data);

	/* None takes the place of the one that the device has taken away. */
	assert_not(r.p, "DISPLAY");
	assert_has(r.p, "ACTION:EMAIL");
	assert_not(shown(r), "Reminder");
	ics = meeting("BEGIN:VALARM\nACTION:DISPLAY\nTRIGGER:-P10000D\nEND:VALARM");
	assert_not(shown(ics), "Reminder");
	assert_echo(ics);
	r = meeting("BEGIN:VALARM\nACTION:DISPLAY\nTRIGGER:-PT10000000M\nEND:VALARM");
	assert_has(shown(r), "calendar:Reminder \"10000000\"");
}

/* Of somebody without an address a meeting is not the user's. */
static void test_an_organizer_without_an_address(void **state UNUSED)
{
	struct str ics = meeting("ORGANIZER;CN=Boss:urn:uuid:1234\n"
				 "ATTENDEE;PARTSTAT=ACCEPTED:mailto:ann@example.test\n"
				 "ATTENDEE:mailto:bob@example.test");

	assert_has(shown(ics), "calendar:MeetingStatus \"3\"");
	assert_has(shown(ics), "calendar:ResponseType \"3\"");
	assert_not(shown(ics), "OrganizerEmail");
	assert_echo(ics);
	ics = meeting("ORGANIZER:mailto:boss@example.test\nSTATUS:CANCELLED");
	assert_has(shown(ics), "calendar:MeetingStatus \"7\"");
	assert_echo(ics);
	ics = meeting("ORGANIZER:mailto:ann@example.test\nSTATUS:CANCELLED");
	assert_has(shown(ics), "calendar:MeetingStatus \"0\"");
	ics = meeting("ORGANIZER:mailto:boss@example.test");
	assert_has(shown(ics), "calendar:MeetingStatus \"0\"");
}

/* An address that is told is one that is accepted. */
static void test_addresses_of_people(void **state UNUSED)
{
	struct str ics = meeting("ORGANIZER:mailto:ann@example.test\n"
				 "ATTENDEE:mailto: mailto:bob@example.test\n"
				 "ATTENDEE;EMAIL=\"mailto:eve@example.test\":urn:uuid:1");

	assert_has(shown(ics), "calendar:Email \"bob@example.test\"");
	assert_has(shown(ics), "calendar:Email \"eve@example.test\"");
	assert_echo(ics);
}

static void test_bounds_of_what_devices_send(void **state UNUSED)
{
	struct err err = ERR_INIT;
	struct str r;
	struct buf b;

	assert_int_equal(
		try_apply(STR_NONE, data_of("BusyStatus \"9\""), &r, &err), RC_INVALID);
	assert_int_equal(
		try_apply(STR_NONE, data_of("Sensitivity \"4\""), &r, &err), RC_INVALID);
	buf_init(&b, BUF_MAX_TEXT);
	buf_adds(&b, weekly_data);
	buf_adds(&b, "Exceptions\n");
	for (unsigned i = 0; i < 1001; i++)
		buf_adds(&b, "+Exception\n++Deleted \"1\"\n"
			     "++ExceptionStartTime \"20260309T090000Z\"\n");
	assert_int_equal(
		try_apply(weekly("X-A:b"), data_of(arena_cstr(a, buf_str(&b))), &r, &err),
		RC_INVALID);
	buf_release(&b);
	assert_int_equal(
		try_apply(weekly("X-A:b"),
			data_of(arena_printf(
				a, "%sExceptions\n+Exception\n++Deleted \"1\"", weekly_data)
					.p),
			&r, &err),
		RC_INVALID);
	/* Instances as large as their series are no more than an object may hold. */
	buf_init(&b, BUF_MAX_TEXT);
	buf_adds(&b, "X-A:");
	for (unsigned i = 0; i < 30000; i++)
		buf_adds(&b, "0123456789");
	r = weekly(arena_cstr(a, buf_str(&b)));
	buf_release(&b);
	buf_init(&b, BUF_MAX_TEXT);
	buf_addf(&b, "%sExceptions\n", weekly_data);
	for (unsigned i = 9; i < 31; i += 7)
		buf_addf(&b,
			"+Exception\n++Subject \"y\"\n++ExceptionStartTime "
			"\"202603%02uT090000Z\"\n",
			i);
	assert_int_equal(
		try_apply(r, data_of(arena_cstr(a, buf_str(&b))), &r, &err), RC_INVALID);
	assert_has(err.text, "instances of a large series");
	buf_release(&b);
	/* Nothing is made that could not be read again. */
	buf_init(&b, BUF_MAX_TEXT);
	buf_adds(&b, "airsyncbase:Body\n+airsyncbase:Type \"1\"\n+airsyncbase:Data \"");
	for (unsigned i = 0; i < 110000; i++)
		buf_adds(&b, "0123456789");
	buf_adds(&b, "\"");
	assert_int_equal(
		try_apply(STR_NONE, data_of(arena_cstr(a, buf_str(&b))), &r, &err), RC_INVALID);
	buf_release(&b);
	/* No reminder, in the words of some. */
	assert_not(shown(added("Reminder \"-1\"")), "Reminder");
}

/* What the series was called by goes with it into another zone. */
static void test_a_series_in_another_zone(void **state UNUSED)
{
	struct str la = event_test_blob(&event_test_zones[1], a);
	struct str ics = weekly(
		arena_printf(a, "EXDATE;TZID=Europe/Berlin:20260309T100000\n%s", moved).p);
	static const char data[] = "Timezone \"%s\"\nStartTime \"%s\"\nEndTime \"%s\"\n"
				   "Subject \"weekly\"\nRecurrence\n+Type \"1\"\n"
				   "+DayOfWeek \"2\"\n+Interval \"1\"\n+Occurrences \"10\"";
	/* Nine o'clock there. */
	struct str r = changed(
		ics, arena_printf(a, data, la.p, "20260302T170000Z", "20260302T180000Z").p);

	assert_has(r.p, "DTSTART;TZID=America/Los_Angeles:20260302T090000\r\n");
	assert_has(r.p, "EXDATE;TZID=America/Los_Angeles:20260309T090000\r\n");
	assert_has(r.p, "RECURRENCE-ID;TZID=America/Los_Angeles:20260316T090000\r\n");
	assert_has(r.p, "X-KEEP:this\r\n");
	assert_echo(r);
	/* A phone that names its own zone, or UTC, and moves nothing moves nothing. */
	r = changed(ics, arena_printf(a, data, la.p, "20260302T090000Z", "20260302T100000Z").p);
	assert_true(str_eq(r, ics));
	r = changed(ics, arena_printf(a, data, event_test_blob(&event_test_zones[4], a).p,
				 "20260302T090000Z", "20260302T100000Z")
				 .p);
	assert_true(str_eq(r, ics));
}

/* Google and others cancel an instance so. */
static void test_a_cancelled_instance_is_a_deleted_one(void **state UNUSED)
{
	struct str ics = weekly("END:VEVENT\nBEGIN:VEVENT\nUID:u1\nSTATUS:CANCELLED\n"
				"RECURRENCE-ID:20260316T090000Z\nDTSTART:20260316T090000Z");
	struct str r;

	assert_has(shown(ics), "calendar:Deleted \"1\"\n      calendar:ExceptionStartTime "
			       "\"20260316T090000Z\"");
	assert_echo(ics);
	r = weekly_changed(ics, "+Exception\n++ExceptionStartTime \"20260316T090000Z\"\n"
				"++Subject \"back\"");
	assert_not(r.p, "STATUS:CANCELLED");
	assert_has(shown(r), "calendar:Subject \"back\"");
	assert_echo(r);
}

/* An invitation to one instance of somebody's series. */
static void test_an_instance_alone_is_an_event(void **state UNUSED)
{
	struct str ics = berlin_event("RECURRENCE-ID;TZID=Europe/Berlin:20260316T100000\n"
				      "DTSTART;TZID=Europe/Berlin:20260316T110000\n"
				      "DURATION:PT1H\nSUMMARY:one of many");
	struct str r;

	assert_has(shown(ics), "calendar:StartTime \"20260316T100000Z\"");
	assert_not(shown(ics), "Recurrence");
	assert_echo(ics);
	r = changed(ics, "StartTime \"20260316T100000Z\"\nEndTime \"20260316T110000Z\"\n"
			 "Subject \"two\"");
	assert_has(r.p, "SUMMARY:two\r\n");
	assert_has(r.p, "RECURRENCE-ID;TZID=Europe/Berlin:20260316T100000\r\n");
}

static void test_more_exceptions_than_devices_take(void **state UNUSED)
{
	struct buf b;
	struct str ics;
	struct elem *e;
	struct err err = ERR_INIT;

	buf_init(&b, BUF_MAX_TEXT);
	buf_adds(&b, "DTSTART;TZID=Europe/Berlin:20200101T100000\nDURATION:PT1H\n"
		     "RRULE:FREQ=DAILY");
	for (int64_t i = 0; i < 600; i++)
		buf_addf(&b, "\nEXDATE;TZID=Europe/Berlin:%sT100000",
			date_of(clock_days(2020, 1, 2) + 2 * i));
	ics = berlin_event(arena_cstr(a, buf_str(&b)));
	buf_release(&b);
	e = event_sent(ics, &options, a, &err);
	assert_non_null(e);
	assert_int_equal(
		elem_count(elem_child(e, CALENDAR_EXCEPTIONS), CALENDAR_EXCEPTION), 256);
	/* The latest are those that matter. */
	assert_has(contact_text_of(e, a).p, date_of(clock_days(2020, 1, 2) + 2 * 599));
	assert_echo(ics);
}

/* Line ends, a byte order mark and folding stay as they are. */
static void test_bytes_that_are_not_touched_stay(void **state UNUSED)
{
	static const char text[] =
		"\xef\xbb\xbf"
		"BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:u1\nDTSTART:20260310T\n 090000Z\nSUM\n"
		" MARY:a long\n  tale\nDESCRIPTION:\nX-MICROSOFT-CDO-ALLDAYEVENT:FALSE\n"
		"END:VEVENT\nEND:VCALENDAR\n\n";
	struct str ics = str_of(text), r;

	assert_has(shown(ics), "calendar:Subject \"a long tale\"");
	assert_echo(ics);
	r = changed(ics, "StartTime \"20260310T090000Z\"\nEndTime \"20260310T090000Z\"\n"
			 "Subject \"a long tale\"\nLocation \"x\"");
	assert_has(r.p, "\xef\xbb\xbf"
			"BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:u1\nDTSTART:20260310T\n 090000Z\n"
			"SUM\n MARY:a long\n  tale\nDESCRIPTION:\n");
	assert_has(r.p, "\nLOCATION:x\n");
	assert_not(r.p, "\r");
	r = changed(ics, "AllDayEvent \"1\"\nStartTime \"20260310T000000Z\"\n"
			 "EndTime \"20260311T000000Z\"");
	assert_has(r.p, "\nX-MICROSOFT-CDO-ALLDAYEVENT:TRUE\n");
	assert_has(r.p, "\nDTSTART;VALUE=DATE:20260310\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_an_event_is_shown, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_an_event_is_added, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_one_property_changes_one_line, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_a_series_is_shown_with_its_exceptions, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_an_instance_is_deleted, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_an_instance_is_changed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_the_day_tells_which_instance_it_is, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_a_midnight_in_utc_is_the_day_there, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_a_deleted_instance_comes_back, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_exceptions_follow_a_series_that_moves, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_a_series_becomes_one_event, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_a_rule_that_devices_cannot_be_told_stays, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_a_rule_that_devices_cannot_be_told_does_not_move, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			test_an_instance_is_deleted_of_what_becomes_days, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_meeting_is_made, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_one_attendee_is_removed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_an_appointment_is_no_meeting, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_the_status_of_a_meeting, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_whose_a_meeting_is_that_was_received, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_a_zone_that_nobody_knows, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_a_zone_that_nobody_knows_stays, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_zones_by_name_alone, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_the_end_of_a_series_that_begins_later, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_the_end_of_a_series_at_midnight, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_the_sequence_counts_changes_of_time_and_place, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_reminders, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_sensitivity_and_busy_status, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_descriptions, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_a_time_stays_in_its_zone, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_missing_times, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_categories, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_what_a_device_does_not_handle_stays, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_a_day_is_the_same_day_everywhere, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_days_of_others_come_back_as_they_are, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_a_timed_event_becomes_a_day_and_back, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_objects_that_are_none, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_the_end_of_it_all, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_words_are_found, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_links_and_proposals, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_bounds_of_what_devices_send, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_what_is_not_said_of_an_instance, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_an_instance_keeps_its_answers, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_reminders_that_are_not_told, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_an_organizer_without_an_address, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_addresses_of_people, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_a_series_in_another_zone, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_a_cancelled_instance_is_a_deleted_one, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_an_instance_alone_is_an_event, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_more_exceptions_than_devices_take, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_bytes_that_are_not_touched_stay, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("event", tests, NULL, NULL);
}
