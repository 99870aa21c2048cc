/*
 * What an answer makes of a calendar object, and the mail that tells of it: S17, K9, K10, K15,
 * K18, K20, C53, C54.
 */
#include "core/base/clock.h"
#include "core/map/decode.h"
#include "core/map/header.h"
#include "core/map/invite.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define ANN "ann@example.test"
#define BERLIN                                                                                 \
	"BEGIN:VTIMEZONE\r\nTZID:Berlin\r\nBEGIN:STANDARD\r\nDTSTART:19701025T030000\r\n"      \
	"TZOFFSETFROM:+0200\r\nTZOFFSETTO:+0100\r\nRRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10"    \
	"\r\nEND:STANDARD\r\nBEGIN:DAYLIGHT\r\nDTSTART:19700329T020000\r\n"                    \
	"TZOFFSETFROM:+0100\r\nTZOFFSETTO:+0200\r\nRRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3\r\n" \
	"END:DAYLIGHT\r\nEND:VTIMEZONE\r\n"
#define PEOPLE                                                                                 \
	"ORGANIZER;CN=Boss:mailto:boss@x.test\r\n"                                             \
	"ATTENDEE;CN=Ann;RSVP=TRUE;PARTSTAT=NEEDS-ACTION:MAILTO:Ann@Example.test\r\n"          \
	"ATTENDEE;PARTSTAT=ACCEPTED:mailto:bob@x.test\r\n"
#define EVENT(lines) "BEGIN:VEVENT\r\nUID:u1\r\nSUMMARY:Plans\r\n" PEOPLE lines "END:VEVENT\r\n"
#define CALENDAR(events)                                                                       \
	"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y\r\nMETHOD:REQUEST\r\n" BERLIN events \
	"END:VCALENDAR\r\n"
#define NOON   "DTSTART:20260310T120000Z\r\nDTEND:20260310T130000Z\r\n"
#define SEQ(n) "SEQUENCE:" n "\r\n"
#define STAMP  "DTSTAMP:20260301T080000Z\r\n"
#define SINGLE CALENDAR(EVENT(STAMP SEQ("1") NOON))
#define WEEKLY                                                                                 \
	"DTSTART;TZID=Berlin:20260310T120000\r\nDTEND;TZID=Berlin:20260310T130000\r\n"         \
	"RRULE:FREQ=WEEKLY;COUNT=8\r\n"
#define SERIES CALENDAR(EVENT(STAMP SEQ("1") WEEKLY))
/* Its second occurrence, an hour later. */
#define MOVED                                                                                  \
	EVENT(STAMP SEQ("1") "RECURRENCE-ID;TZID=Berlin:20260317T120000\r\n"                   \
			     "DTSTART;TZID=Berlin:20260317T130000\r\n"                         \
			     "DTEND;TZID=Berlin:20260317T140000\r\n")

static struct arena *a;
static struct str made;

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

static struct str text(const char *s)
{
	return s ? str_of(s) : STR_NONE;
}

static enum invite_result apply(
	const char *request, struct str stored, enum invite_answer answer, const char *instance)
{
	struct invite in = {.request = text(request),
		.stored = stored,
		.user = STR(ANN),
		.answer = answer,
		.has_instance = instance != NULL,
		.now = 1772800000};

	if (instance)
		assert_int_equal(clock_parse(str_of(instance), &in.instance), RC_OK);
	return invite_apply(&in, a, &made);
}

/* Lines unfolded. */
static const char *plain(struct str s)
{
	char *p = arena_cstr(a, s), *to = p;

	for (const char *from = p; *from; from++) {
		if (strncmp(from, "\r\n ", 3) == 0)
			from += 2;
		else
			*to++ = *from;
	}
	*to = '\0';
	return p;
}

static void has(const char *what)
{
	if (!made.p || !strstr(plain(made), what))
		fail_msg("\"%s\" is not in\n%.*s", what, STR_FMT(made));
}

static void lacks(const char *what)
{
	assert_non_null(made.p);
	if (strstr(plain(made), what))
		fail_msg("\"%s\" is in\n%.*s", what, STR_FMT(made));
}

static unsigned count(const char *what)
{
	unsigned n = 0;

	for (const char *p = plain(made); (p = strstr(p, what)); p++)
		n++;
	return n;
}

/* S17, K15 */
static void test_an_accepted_invitation_is_an_object_of_the_calendar(void **state UNUSED)
{
	assert_int_equal(apply(SINGLE, STR_NONE, INVITE_ACCEPT, NULL), INVITE_DONE);
	has("ATTENDEE;CN=Ann;PARTSTAT=ACCEPTED:MAILTO:Ann@Example.test\r\n");
	has("ATTENDEE;PARTSTAT=ACCEPTED:mailto:bob@x.test\r\n");
	has("SCHEDULE-AGENT=CLIENT");
	has("X-MICROSOFT-CDO-BUSYSTATUS:BUSY\r\n");
	has("X-MICROSOFT-CDO-REPLYTIME:20260306T122640Z\r\n");
	has("BEGIN:VTIMEZONE");
	lacks("METHOD");
	lacks("RSVP");
	assert_int_equal(apply(SINGLE, STR_NONE, INVITE_TENTATIVE, NULL), INVITE_DONE);
	has("PARTSTAT=TENTATIVE:MAILTO:Ann@Example.test\r\n");
	has("X-MICROSOFT-CDO-BUSYSTATUS:TENTATIVE\r\n");
	assert_int_equal(apply(SINGLE, STR_NONE, INVITE_DECLINE, NULL), INVITE_DONE);
	assert_null(made.p);
}

static void test_the_organizer_says_how_busy_one_is(void **state UNUSED)
{
	assert_int_equal(
		apply(CALENDAR(EVENT(STAMP NOON "X-MICROSOFT-CDO-BUSYSTATUS:TENTATIVE\r\n"
						"X-MICROSOFT-CDO-INTENDEDSTATUS:OOF\r\n")),
			STR_NONE, INVITE_ACCEPT, NULL),
		INVITE_DONE);
	has("X-MICROSOFT-CDO-BUSYSTATUS:OOF\r\n");
	lacks("CDO-BUSYSTATUS:TENTATIVE");
	assert_int_equal(apply(CALENDAR(EVENT(STAMP NOON "TRANSP:TRANSPARENT\r\n")), STR_NONE,
				 INVITE_ACCEPT, NULL),
		INVITE_DONE);
	has("X-MICROSOFT-CDO-BUSYSTATUS:FREE\r\n");
}

/* K10: the bytes are the same, so nothing is written. */
static void test_the_same_answer_again_changes_nothing(void **state UNUSED)
{
	static const char *const requests[] = {SINGLE, SERIES, CALENDAR(MOVED), NULL};
	struct str first;

	for (size_t i = 0; requests[i]; i++) {
		assert_int_equal(
			apply(requests[i], STR_NONE, INVITE_ACCEPT, NULL), INVITE_DONE);
		first = made;
		assert_int_equal(apply(requests[i], first, INVITE_ACCEPT, NULL), INVITE_DONE);
		assert_ptr_equal(made.p, first.p);
		assert_int_equal(apply(NULL, first, INVITE_ACCEPT, NULL), INVITE_DONE);
		assert_ptr_equal(made.p, first.p);
		assert_int_equal(
			apply(requests[i], first, INVITE_TENTATIVE, NULL), INVITE_DONE);
		has("PARTSTAT=TENTATIVE:MAILTO:Ann@Example.test");
		lacks("CDO-BUSYSTATUS:BUSY");
	}
}

static void test_an_alias_becomes_an_attendee(void **state UNUSED)
{
	assert_int_equal(
		apply(CALENDAR("BEGIN:VEVENT\r\nUID:u1\r\n"
			       "ORGANIZER:mailto:boss@x.test\r\n"
			       "ATTENDEE:mailto:team@x.test\r\n" NOON "END:VEVENT\r\n"),
			STR_NONE, INVITE_ACCEPT, NULL),
		INVITE_DONE);
	has("ATTENDEE;PARTSTAT=ACCEPTED:mailto:" ANN "\r\n");
	has("ATTENDEE:mailto:team@x.test\r\n");
	/* What a calendar needs and an invitation lacked. */
	has("DTSTAMP:20260306T");
}

/* K18, and what is no invitation. */
static void test_what_is_no_invitation_of_another_is_refused(void **state UNUSED)
{
	static const char own[] =
		"BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\n"
		"UID:u1\r\nORGANIZER:MAILTO:Ann@example.test\r\n"
		"ATTENDEE:mailto:ann@example.test\r\n" NOON "END:VEVENT\r\nEND:VCALENDAR\r\n";
	static const char alone[] = "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:u1\r\n" NOON
				    "END:VEVENT\r\nEND:VCALENDAR\r\n";
	static const char *const bad[] = {own, "", "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n",
		"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n" NOON "END:VEVENT\r\nEND:VCALENDAR\r\n",
		"nonsense", "BEGIN:VEVENT\r\nUID:u1\r\nEND:VEVENT\r\n", CALENDAR(EVENT(STAMP)),
		NULL};

	for (size_t i = 0; bad[i]; i++) {
		assert_int_equal(
			apply(bad[i], STR_NONE, INVITE_ACCEPT, NULL), INVITE_NO_REQUEST);
		assert_null(made.p);
	}
	/* Of the calendar: nobody has invited to it. */
	assert_int_equal(apply(NULL, str_of(own), INVITE_DECLINE, NULL), INVITE_NO_REQUEST);
	assert_int_equal(apply(NULL, str_of(alone), INVITE_DECLINE, NULL), INVITE_NO_REQUEST);
	assert_int_equal(
		apply(SINGLE, STR("nonsense"), INVITE_ACCEPT, NULL), INVITE_UNREADABLE);
	/* Of another event: the caller has mixed them up. */
	assert_int_equal(apply(SINGLE,
				 STR("BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:u2\r\n" NOON
				     "END:VEVENT\r\nEND:VCALENDAR\r\n"),
				 INVITE_ACCEPT, NULL),
		INVITE_UNREADABLE);
}

/* RFC 5546 2.1.5 */
static void test_a_newer_version_wins(void **state UNUSED)
{
	static const char stored[] = CALENDAR(
		EVENT(STAMP SEQ("3") NOON "CATEGORIES:Mine\r\nLOCATION:Old\r\n"
					  "BEGIN:VALARM\r\nACTION:DISPLAY\r\nDESCRIPTION:x\r\n"
					  "TRIGGER:-PT5M\r\nEND:VALARM\r\n"));

	assert_int_equal(apply(CALENDAR(EVENT(STAMP SEQ("4") "LOCATION:New\r\n"
							     "DTSTART:20260311T120000Z\r\n")),
				 str_of(stored), INVITE_ACCEPT, NULL),
		INVITE_DONE);
	has("LOCATION:New");
	has("DTSTART:20260311T120000Z");
	lacks("LOCATION:Old");
	has("CATEGORIES:Mine");
	has("TRIGGER:-PT5M");
	assert_int_equal(count("BEGIN:VEVENT"), 1);
	/* The same number, and said later. */
	assert_int_equal(apply(CALENDAR(EVENT("DTSTAMP:20260302T080000Z\r\n" SEQ("3") NOON
				       "LOCATION:Newer\r\n")),
				 str_of(stored), INVITE_ACCEPT, NULL),
		INVITE_DONE);
	has("LOCATION:Newer");
	/* The same number, and said before: what is stored was changed by the user. */
	assert_int_equal(apply(CALENDAR(EVENT("DTSTAMP:20260228T080000Z\r\n" SEQ("3") NOON
				       "LOCATION:Sent\r\n")),
				 str_of(stored), INVITE_ACCEPT, NULL),
		INVITE_DONE);
	has("LOCATION:Old");
	has("PARTSTAT=ACCEPTED:MAILTO:Ann");
	/* An old invitation neither undoes nor removes what is newer. */
	assert_int_equal(apply(CALENDAR(EVENT(STAMP SEQ("2") NOON)), str_of(stored),
				 INVITE_ACCEPT, NULL),
		INVITE_OLDER);
	assert_int_equal(apply(CALENDAR(EVENT(STAMP SEQ("2") NOON)), str_of(stored),
				 INVITE_DECLINE, NULL),
		INVITE_OLDER);
	/* K20 */
	assert_int_equal(apply(CALENDAR(EVENT(STAMP SEQ("4") NOON)), str_of(stored),
				 INVITE_DECLINE, NULL),
		INVITE_DONE);
	assert_null(made.p);
}

static void test_exceptions_of_a_series_stay(void **state UNUSED)
{
	static const char stored[] = CALENDAR(
		EVENT(STAMP SEQ("1") WEEKLY "EXDATE;TZID=Berlin:20260324T120000\r\n") MOVED);

	assert_int_equal(apply(CALENDAR(EVENT(STAMP SEQ("2") WEEKLY "LOCATION:New\r\n")),
				 str_of(stored), INVITE_ACCEPT, NULL),
		INVITE_DONE);
	has("LOCATION:New");
	has("RECURRENCE-ID;TZID=Berlin:20260317T120000");
	has("EXDATE;TZID=Berlin:20260324T120000");
	assert_int_equal(count("BEGIN:VEVENT"), 2);
	assert_int_equal(count("BEGIN:VTIMEZONE"), 1);
	assert_int_equal(count("PARTSTAT=ACCEPTED:MAILTO:Ann"), 2);
	/* At other times there are no such occurrences. */
	assert_int_equal(apply(CALENDAR(EVENT(STAMP SEQ("2") "DTSTART:20260311T120000Z\r\n"
							     "RRULE:FREQ=DAILY\r\n")),
				 str_of(stored), INVITE_ACCEPT, NULL),
		INVITE_DONE);
	lacks("RECURRENCE-ID");
	lacks("EXDATE");
}

static void test_an_invitation_to_one_occurrence(void **state UNUSED)
{
	struct str series;

	/* Alone. */
	assert_int_equal(apply(CALENDAR(MOVED), STR_NONE, INVITE_ACCEPT, NULL), INVITE_DONE);
	has("RECURRENCE-ID;TZID=Berlin:20260317T120000");
	assert_int_equal(count("BEGIN:VEVENT"), 1);
	/* Onto the series, of which the answer says nothing. */
	assert_int_equal(apply(CALENDAR(MOVED), STR(SERIES), INVITE_ACCEPT, NULL), INVITE_DONE);
	assert_int_equal(count("BEGIN:VEVENT"), 2);
	assert_int_equal(count("PARTSTAT=ACCEPTED:MAILTO:Ann"), 1);
	assert_int_equal(count("PARTSTAT=NEEDS-ACTION:MAILTO:Ann"), 1);
	series = made;
	/* Declined: it is taken out of the series, which stays. */
	assert_int_equal(apply(CALENDAR(MOVED), series, INVITE_DECLINE, NULL), INVITE_DONE);
	assert_int_equal(count("BEGIN:VEVENT"), 1);
	has("EXDATE;TZID=Berlin:20260317T120000");
	has("RRULE");
	/* And accepted after all. */
	assert_int_equal(apply(CALENDAR(MOVED), made, INVITE_ACCEPT, NULL), INVITE_DONE);
	assert_int_equal(count("BEGIN:VEVENT"), 2);
	lacks("EXDATE");
	/* One of which nothing else is stored. */
	assert_int_equal(apply(CALENDAR(MOVED), STR(CALENDAR(MOVED)), INVITE_DECLINE, NULL),
		INVITE_DONE);
	assert_null(made.p);
}

/* Whoever sent it left the zone out: it is the one of the series all the same. */
static void test_an_occurrence_without_its_zone(void **state UNUSED)
{
	static const char request[] =
		"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nMETHOD:REQUEST\r\n" MOVED
		"END:VCALENDAR\r\n";
	struct str first;

	assert_int_equal(apply(request, STR(SERIES), INVITE_ACCEPT, NULL), INVITE_DONE);
	assert_int_equal(count("BEGIN:VEVENT"), 2);
	first = made;
	assert_int_equal(apply(request, first, INVITE_ACCEPT, NULL), INVITE_DONE);
	assert_ptr_equal(made.p, first.p);
	assert_int_equal(apply(request, first, INVITE_DECLINE, NULL), INVITE_DONE);
	has("EXDATE;TZID=Berlin:20260317T120000");
	assert_int_equal(count("BEGIN:VEVENT"), 1);
	first = made;
	assert_int_equal(apply(request, first, INVITE_DECLINE, NULL), INVITE_DONE);
	assert_ptr_equal(made.p, first.p);
}

/* C54 */
static void test_one_occurrence_of_a_series_is_answered(void **state UNUSED)
{
	static const char second[] = "2026-03-17T11:00:00.000Z";
	struct str stored = STR(SERIES), first;

	assert_int_equal(apply(NULL, stored, INVITE_TENTATIVE, second), INVITE_DONE);
	assert_int_equal(count("BEGIN:VEVENT"), 2);
	assert_int_equal(count("RRULE:FREQ=WEEKLY"), 1);
	has("RECURRENCE-ID;TZID=Berlin:20260317T120000");
	has("DTSTART;TZID=Berlin:20260317T120000");
	has("DTEND;TZID=Berlin:20260317T130000");
	assert_int_equal(count("PARTSTAT=TENTATIVE:MAILTO:Ann"), 1);
	first = made;
	assert_int_equal(apply(NULL, first, INVITE_TENTATIVE, second), INVITE_DONE);
	assert_ptr_equal(made.p, first.p);
	/* His answer to the series is none to the occurrence that has one. */
	assert_int_equal(apply(NULL, first, INVITE_ACCEPT, NULL), INVITE_DONE);
	assert_int_equal(count("PARTSTAT=ACCEPTED:MAILTO:Ann"), 2);
	assert_int_equal(apply(NULL, stored, INVITE_ACCEPT, second), INVITE_DONE);
	assert_int_equal(apply(SERIES, made, INVITE_TENTATIVE, NULL), INVITE_DONE);
	assert_int_equal(count("PARTSTAT=ACCEPTED:MAILTO:Ann"), 1);
	assert_int_equal(count("PARTSTAT=TENTATIVE:MAILTO:Ann"), 1);
	/* Winter time is over. */
	assert_int_equal(apply(NULL, stored, INVITE_ACCEPT, "20260331T100000Z"), INVITE_DONE);
	has("RECURRENCE-ID;TZID=Berlin:20260331T120000");
	assert_int_equal(apply(NULL, first, INVITE_DECLINE, second), INVITE_DONE);
	has("EXDATE;TZID=Berlin:20260317T120000");
	assert_int_equal(count("BEGIN:VEVENT"), 1);
	first = made;
	assert_int_equal(apply(NULL, first, INVITE_DECLINE, second), INVITE_DONE);
	assert_ptr_equal(made.p, first.p);
}

static void test_an_occurrence_that_there_is_not(void **state UNUSED)
{
	static const char *const bad[] = {"2026-03-17T12:00:00.000Z", "2026-03-03T11:00:00Z",
		"2026-05-05T10:00:00Z", "9999-12-31T00:00:00Z", NULL};

	for (size_t i = 0; bad[i]; i++)
		for (enum invite_answer answer = INVITE_ACCEPT; answer <= INVITE_DECLINE;
			answer++)
			assert_int_equal(
				apply(NULL, STR(SERIES), answer, bad[i]), INVITE_NO_INSTANCE);
	assert_int_equal(apply(NULL, STR(SINGLE), INVITE_ACCEPT, "2026-03-10T12:00:00.000Z"),
		INVITE_NOT_RECURRING);
	assert_int_equal(apply(SERIES, STR_NONE, INVITE_DECLINE, "2026-03-17T11:00:00.000Z"),
		INVITE_DONE);
	assert_null(made.p);
}

/* A device knows whole days by its own midnight. */
static void test_an_occurrence_of_whole_days(void **state UNUSED)
{
	static const char *const midnights[] = {"2026-03-11T00:00:00Z",
		"2026-03-10T23:00:00.000Z", "2026-03-11T08:00:00Z", NULL};
	static const char series[] = CALENDAR(
		EVENT(STAMP "DTSTART;VALUE=DATE:20260310\r\nDTEND;VALUE=DATE:20260311\r\n"
			    "RRULE:FREQ=DAILY;COUNT=3\r\n"));

	for (size_t i = 0; midnights[i]; i++) {
		assert_int_equal(
			apply(NULL, str_of(series), INVITE_ACCEPT, midnights[i]), INVITE_DONE);
		has("RECURRENCE-ID;VALUE=DATE:20260311");
		has("DTSTART;VALUE=DATE:20260311");
		has("DTEND;VALUE=DATE:20260312");
		assert_int_equal(
			apply(NULL, str_of(series), INVITE_DECLINE, midnights[i]), INVITE_DONE);
		has("EXDATE;VALUE=DATE:20260311");
	}
}

static void test_components_of_others_are_left_out(void **state UNUSED)
{
	assert_int_equal(
		apply(CALENDAR(EVENT(STAMP NOON
			      "X-KEPT;X-P=\"a b\":c\r\n") "BEGIN:VEVENT\r\nUID:other\r\n" NOON
							  "END:VEVENT\r\n"
							  "BEGIN:VTODO\r\nUID:u1\r\nEND:VTODO\r\n"),
			STR_NONE, INVITE_ACCEPT, NULL),
		INVITE_DONE);
	lacks("UID:other");
	lacks("VTODO");
	has("X-KEPT;X-P=a b:c\r\n");
}

/* No recursion without end, no list without end. */
static void test_a_bomb_is_refused(void **state UNUSED)
{
	struct buf b;

	buf_init(&b, BUF_MAX_TEXT);
	for (unsigned i = 0; i < 50000; i++)
		buf_adds(&b, i % 2 ? "BEGIN:VEVENT\r\n" : "BEG\r\n IN:VCALENDAR\r\n");
	assert_int_equal(apply(arena_cstr(a, buf_str(&b)), STR_NONE, INVITE_ACCEPT, NULL),
		INVITE_NO_REQUEST);
	buf_reset(&b);
	buf_adds(&b, "BEGIN:VCALENDAR\r\n");
	for (unsigned i = 0; i < 5000; i++)
		buf_adds(&b, EVENT(""));
	buf_adds(&b, "END:VCALENDAR\r\n");
	assert_int_equal(apply(arena_cstr(a, buf_str(&b)), STR_NONE, INVITE_ACCEPT, NULL),
		INVITE_NO_REQUEST);
	buf_release(&b);
}

/* ---- the mail ---- */

static struct str mail_of(const char *request, const char *stored, enum invite_answer answer,
	const char *instance)
{
	struct invite in = {.request = text(request),
		.stored = text(stored),
		.user = STR(ANN),
		.answer = answer,
		.has_instance = instance != NULL,
		.now = 1772800000};

	if (instance)
		assert_int_equal(clock_parse(str_of(instance), &in.instance), RC_OK);
	return invite_mail(&in, a);
}

/* The n-th part, decoded. */
static struct str part_of(struct str mail, unsigned n)
{
	struct str rest = mail;
	size_t end;

	for (unsigned i = 0; i < n; i++) {
		rest = str_sub(rest, str_search(rest, STR("\r\n--=_answer\r\n")) + 2, rest.n);
		assert_true(rest.n > 0);
	}
	rest = str_sub(rest, str_search(rest, STR("\r\n\r\n")) + 4, rest.n);
	end = str_search(rest, STR("\r\n--=_answer"));
	assert_true(end < rest.n);
	return decode_bytes(str_sub(rest, 0, end), STR("base64"), a);
}

/* K9; RFC 5546 3.2.3 */
static void test_the_mail_tells_the_organizer(void **state UNUSED)
{
	struct str mail = mail_of(SINGLE, NULL, INVITE_ACCEPT, NULL);

	assert_true(str_starts(mail, "To: <boss@x.test>\r\nSubject: Accepted: Plans\r\n"));
	assert_true(str_eq(part_of(mail, 1), STR("Accepted: Plans")));
	assert_true(str_search(mail, STR("Content-Type: text/calendar; charset=utf-8; "
					 "method=REPLY\r\n")) < mail.n);
	made = part_of(mail, 2);
	has("METHOD:REPLY\r\n");
	has("UID:u1\r\n");
	has("SEQUENCE:1\r\n");
	has("DTSTAMP:20260306T122640Z\r\n");
	has("ORGANIZER;CN=Boss:mailto:boss@x.test\r\n");
	has("ATTENDEE;CN=Ann;PARTSTAT=ACCEPTED:MAILTO:Ann@Example.test\r\n");
	assert_int_equal(count("ATTENDEE"), 1);
	lacks("RSVP");
	lacks("RECURRENCE-ID");
}

static void test_the_mail_names_the_occurrence(void **state UNUSED)
{
	made = part_of(mail_of(NULL, SERIES, INVITE_DECLINE, "2026-03-17T11:00:00.000Z"), 2);
	has("RECURRENCE-ID;TZID=Berlin:20260317T120000\r\n");
	has("TZID:Berlin\r\n");
	has("PARTSTAT=DECLINED");
	lacks("DTSTART;");
	made = part_of(mail_of(CALENDAR(MOVED), NULL, INVITE_TENTATIVE, NULL), 2);
	has("RECURRENCE-ID;TZID=Berlin:20260317T120000\r\n");
	has("PARTSTAT=TENTATIVE");
	made = part_of(mail_of(SERIES, NULL, INVITE_ACCEPT, NULL), 2);
	lacks("RECURRENCE-ID");
	assert_int_equal(count("BEGIN:VEVENT"), 1);
}

/* What somebody else has written does not get out of its place. */
static void test_the_mail_has_nothing_but_its_own_fields(void **state UNUSED)
{
	static const char *const nobody[] = {"ORGANIZER:mailto:a b@x.test\r\n",
		"ORGANIZER:mailto:boss\r\n", "ORGANIZER:mailto:a@x.test>\\, <b@x.test\r\n",
		"ORGANIZER:urn:uuid:1\r\n", "", NULL};
	struct str mail =
		mail_of(CALENDAR("BEGIN:VEVENT\r\nUID:u1\r\n"
				 "SUMMARY:Gr\xc3\xbc\xc3\x9f\x65\\nBcc: all@x.test\r\n"
				 "ORGANIZER:mailto:boss@x.test\r\n" NOON "END:VEVENT\r\n"),
			NULL, INVITE_ACCEPT, NULL);

	assert_true(str_search(mail, STR("Bcc:")) == mail.n);
	assert_true(str_eq(header_text(mail, "Subject", a),
		STR("Accepted: Gr\xc3\xbc\xc3\x9f\x65 Bcc: all@x.test")));
	for (size_t i = 0; nobody[i]; i++) {
		struct str ics = arena_printf(a,
			"BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nUID:u1\r\n%s" NOON
			"END:VEVENT\r\nEND:VCALENDAR\r\n",
			nobody[i]);

		assert_null(mail_of(ics.p, NULL, INVITE_ACCEPT, NULL).p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_accepted_invitation_is_an_object_of_the_calendar),
		cmocka_unit_test(test_the_organizer_says_how_busy_one_is),
		cmocka_unit_test(test_the_same_answer_again_changes_nothing),
		cmocka_unit_test(test_an_alias_becomes_an_attendee),
		cmocka_unit_test(test_what_is_no_invitation_of_another_is_refused),
		cmocka_unit_test(test_a_newer_version_wins),
		cmocka_unit_test(test_exceptions_of_a_series_stay),
		cmocka_unit_test(test_an_invitation_to_one_occurrence),
		cmocka_unit_test(test_an_occurrence_without_its_zone),
		cmocka_unit_test(test_one_occurrence_of_a_series_is_answered),
		cmocka_unit_test(test_an_occurrence_that_there_is_not),
		cmocka_unit_test(test_an_occurrence_of_whole_days),
		cmocka_unit_test(test_components_of_others_are_left_out),
		cmocka_unit_test(test_a_bomb_is_refused),
		cmocka_unit_test(test_the_mail_tells_the_organizer),
		cmocka_unit_test(test_the_mail_names_the_occurrence),
		cmocka_unit_test(test_the_mail_has_nothing_but_its_own_fields),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
