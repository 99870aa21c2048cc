/*
 * SmartForward with Forwardees, from 16.0 on, over the fakes: C51, C46, U13; and that what was
 * there before goes at 16.x as well (C45, C48, C49, C50).
 */
#include "core/base/base64.h"
#include "core/map/decode.h"
#include "core/map/invite_forward.h"
#include "tests/support_book.h"
#include "tests/support_story.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define UP "max_version = 16.1\n"
#define BERLIN                                                                                 \
	"BEGIN:VTIMEZONE\r\nTZID:Berlin\r\nBEGIN:STANDARD\r\nDTSTART:19701025T030000\r\n"      \
	"TZOFFSETFROM:+0200\r\nTZOFFSETTO:+0100\r\nRRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10"    \
	"\r\nEND:STANDARD\r\nBEGIN:DAYLIGHT\r\nDTSTART:19700329T020000\r\n"                    \
	"TZOFFSETFROM:+0100\r\nTZOFFSETTO:+0200\r\nRRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3\r\n" \
	"END:DAYLIGHT\r\nEND:VTIMEZONE\r\n"
#define CALENDAR(events)                                                                       \
	"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y\r\n" BERLIN events "END:VCALENDAR\r\n"
#define EVENT(lines)                                                                           \
	"BEGIN:VEVENT\r\nUID:u1\r\nDTSTAMP:20260301T080000Z\r\n" lines "END:VEVENT\r\n"
#define OF_BOSS                                                                                \
	"SUMMARY:Gr\xc3\xbcne Pl\xc3\xa4ne\r\nLOCATION:Room 1\\, left\r\nSEQUENCE:3\r\n"       \
	"ORGANIZER;CN=Boss;SCHEDULE-AGENT=CLIENT:mailto:boss@x.test\r\n"                       \
	"ATTENDEE;CN=Ann;PARTSTAT=ACCEPTED:mailto:ann@example.test\r\n"                        \
	"CATEGORIES:Private thoughts\r\nX-MICROSOFT-CDO-BUSYSTATUS:OOF\r\n"                    \
	"X-COLOUR:stays\r\nBEGIN:VALARM\r\nACTION:DISPLAY\r\nDESCRIPTION:wake\r\n"             \
	"TRIGGER:-PT15M\r\nEND:VALARM\r\n"
#define OF_ANN                                                                                      \
	"SUMMARY:Mine\r\nX-FOREIGN;X-P=\"a b\":st\r\n ays\r\nORGANIZER:MAILTO:Ann@Example.test\r\n" \
	"ATTENDEE;PARTSTAT=ACCEPTED:mailto:bob@x.test\r\n"
#define NOON "DTSTART;TZID=Berlin:20260310T120000\r\nDTEND;TZID=Berlin:20260310T133000\r\n"
#define RULE "RRULE:FREQ=WEEKLY;COUNT=8\r\nEXDATE;TZID=Berlin:20260324T120000\r\n"
/* The third occurrence, an hour later. */
#define MOVED(who)                                                                             \
	EVENT(who "RECURRENCE-ID;TZID=Berlin:20260331T120000\r\n"                              \
		  "DTSTART;TZID=Berlin:20260331T130000\r\n"                                    \
		  "DTEND;TZID=Berlin:20260331T140000\r\n")
#define SINGLE      CALENDAR(EVENT(OF_BOSS NOON))
#define SERIES      CALENDAR(EVENT(OF_BOSS NOON RULE) MOVED(OF_BOSS))
#define MINE        CALENDAR(EVENT(OF_ANN NOON))
#define MINE_SERIES CALENDAR(EVENT(OF_ANN NOON RULE) MOVED(OF_ANN))

#define TO(email)          "    composemail:Forwardee\n      composemail:Email \"" email "\"\n"
#define NAMED(email, name) TO(email) "      composemail:Name \"" name "\"\n"
#define ALL(who)           "  composemail:Forwardees\n" who
#define BODY(type, data)                                                                       \
	"  airsyncbase:Body\n    airsyncbase:Type \"" type "\"\n    airsyncbase:Data \"" data  \
	"\"\n"
#define CARL  ALL(NAMED("carl@x.test", "Carl C."))
#define AT(t) "    composemail:InstanceId \"" t "\"\n"

static struct scene s;
static struct arena *a;
static char folder[72], item[72];

static void begin(const char *version, const char *ics)
{
	a = arena_new();
	scene_begin_calendar(&s, version, UP);
	(void)fake_dav_put(s.dav, s.path, "e.ics", ics);
	scene_sync(&s);
	assert_int_equal(s.b.n, 1);
	(void)snprintf(folder, sizeof(folder), "%s", s.b.id);
	(void)snprintf(item, sizeof(item), "%s", s.b.v[0].id);
}

static void end(void)
{
	scene_end(&s);
	arena_free(a);
}

static unsigned post(const char *client_id, const char *source, const char *lines)
{
	struct str doc = arena_printf(a,
		"composemail:SmartForward\n  composemail:ClientId \"%s\"\n"
		"  composemail:Source\n%s%s",
		client_id, source, lines);

	return elem_u32(phone_post(&s.p, "SmartForward", doc.p), COMPOSEMAIL_STATUS, 0);
}

static const char *source(const char *more)
{
	return arena_printf(a,
		"    composemail:FolderId \"%s\"\n    composemail:ItemId \"%s\"\n%s", folder,
		item, more)
		.p;
}

static unsigned forward(const char *client_id, const char *more, const char *lines)
{
	return post(client_id, source(more), lines);
}

static struct str sent(void)
{
	return buf_str(&s.e.last_message);
}

static struct str unfolded(struct str text)
{
	char *p = arena_alloc(a, text.n + 1);
	size_t n = 0;

	for (size_t i = 0; i < text.n; i++) {
		if (str_starts(str_sub(text, i, 3), "\r\n "))
			i += 2;
		else
			p[n++] = text.p[i];
	}
	return (struct str){p, n};
}

/* What a part of the mail says. */
static struct str part(const char *type)
{
	size_t at = str_search(sent(), str_of(type));
	struct str rest = str_sub(sent(), at, sent().n);

	assert_true(rest.n > 0);
	rest = str_sub(rest, str_search(rest, STR("\r\n\r\n")) + 4, rest.n);
	rest = str_sub(rest, 0, str_search(rest, STR("\r\n--=_")));
	return unfolded(decode_bytes(rest, STR("base64"), a));
}

static bool has(struct str text, const char *what)
{
	return str_search(text, str_of(what)) < text.n;
}

static void must(struct str text, const char *what)
{
	if (!has(text, what))
		fail_msg("\"%s\" is not in\n%.*s", what, STR_FMT(text));
}

static void must_not(struct str text, const char *what)
{
	if (has(text, what))
		fail_msg("\"%s\" is in\n%.*s", what, STR_FMT(text));
}

static size_t count(struct str text, const char *what)
{
	size_t n = 0;

	for (size_t at = str_search(text, str_of(what)); at < text.n; n++) {
		text = str_sub(text, at + 1, text.n);
		at = str_search(text, str_of(what));
	}
	return n;
}

static struct str stored(void)
{
	return fake_dav_text(s.dav, s.path, "e.ics");
}

static void test_the_server_sends_the_invitation_on(void **state UNUSED)
{
	static const char *const versions[] = {"16.0", "16.1"};

	for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
		struct str ics;

		begin(versions[i], SINGLE);
		assert_int_equal(forward("c1", "",
					 ALL(NAMED("carl@x.test", "Carl \xc3\x84.")
							 TO("dora@x.test") TO("CARL@x.test"))
						 BODY("1", "Please come.\\nAnn")),
			0);
		assert_int_equal(s.p.http, 200);
		assert_int_equal(s.e.submitted, 1);
		assert_string_equal(s.e.last_from, EAS_USER);
		assert_string_equal(s.e.last_to, "carl@x.test dora@x.test");
		must(sent(), "From: " EAS_USER "\r\n");
		must(sent(), "Message-ID: <");
		must(sent(),
			"To: =?utf-8?B?Q2FybCDDhC4=?= <carl@x.test>,\r\n <dora@x.test>\r\n");
		must(sent(), "Subject: FW: =?utf-8?B?");
		assert_true(str_is(part("text/plain"), "Please come.\r\nAnn"));
		ics = part("text/calendar; charset=utf-8; method=REQUEST");
		must(ics, "\r\nMETHOD:REQUEST\r\n");
		must(ics, "BEGIN:VTIMEZONE");
		must(ics, "UID:u1\r\n");
		must(ics, "SEQUENCE:3\r\n");
		must(ics, "DTSTART;TZID=Berlin:20260310T120000\r\n");
		must(ics, "ORGANIZER;CN=Boss:mailto:boss@x.test\r\n");
		must(ics, "ATTENDEE;CN=Ann;PARTSTAT=ACCEPTED:mailto:ann@example.test\r\n");
		must(ics,
			"ATTENDEE;CN=Carl \xc3\x84.;ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;"
			"RSVP=TRUE:mailto:carl@x.test\r\n");
		must(ics, "PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:dora@x.test\r\n");
		assert_int_equal(count(ics, "\r\nATTENDEE"), 3);
		must(ics, "X-COLOUR:stays");
		/* What is the user's own stays his. */
		must_not(ics, "VALARM");
		must_not(ics, "thoughts");
		must_not(ics, "BUSYSTATUS");
		/* It is somebody else's meeting, and nothing of it changes here. */
		assert_true(str_is(stored(), SINGLE));
		/* No copy could be asked for. */
		assert_int_equal(fake_mail_count(s.e.mail, "Sent"), 0);
		end();
	}
}

static void test_the_event_speaks_for_itself(void **state UNUSED)
{
	begin("16.1", SINGLE);
	assert_int_equal(forward("c1", "", CARL), 0);
	assert_true(
		str_is(part("text/plain"), "Gr\xc3\xbcne Pl\xc3\xa4ne\r\n"
					   "When: 2026-03-10 12:00 - 2026-03-10 13:30 (Berlin)"
					   "\r\nWhere: Room 1, left\r\n"));
	must(sent(), "To: \"Carl C.\" <carl@x.test>\r\n");
	/* HTML is told as text. */
	assert_int_equal(forward("c2", "", CARL BODY("2", "<p>So &amp; so</p>")), 0);
	must(part("text/plain"), "So & so");
	must_not(part("text/plain"), "<p>");
	end();
	begin("16.1", CALENDAR(EVENT("SUMMARY:Days\r\nDTSTART;VALUE=DATE:20260310\r\n"
				     "DTEND;VALUE=DATE:20260312\r\nRRULE:FREQ=YEARLY\r\n")));
	assert_int_equal(forward("c1", "", CARL), 0);
	assert_true(str_is(
		part("text/plain"), "Days\r\nWhen: 2026-03-10 - 2026-03-11, and again\r\n"));
	end();
}

static void test_the_whole_series_or_one_occurrence(void **state UNUSED)
{
	struct str ics;

	begin("16.1", SERIES);
	assert_int_equal(forward("c1", "", CARL), 0);
	ics = part("text/calendar");
	assert_int_equal(count(ics, "BEGIN:VEVENT"), 2);
	assert_int_equal(count(ics, "mailto:carl@x.test"), 2);
	must(ics, "RRULE:FREQ=WEEKLY;COUNT=8");
	must(ics, "EXDATE;TZID=Berlin:20260324T120000");
	must(ics, "RECURRENCE-ID;TZID=Berlin:20260331T120000");
	/* One that is as the rule has it. */
	assert_int_equal(forward("c2", AT("2026-03-17T11:00:00.000Z"), CARL), 0);
	ics = part("text/calendar");
	assert_int_equal(count(ics, "BEGIN:VEVENT"), 1);
	must(ics, "RECURRENCE-ID;TZID=Berlin:20260317T120000\r\n");
	must(ics, "DTSTART;TZID=Berlin:20260317T120000\r\n");
	must(ics, "DTEND;TZID=Berlin:20260317T133000\r\n");
	must(ics, "mailto:carl@x.test");
	must_not(str_sub(ics, str_search(ics, STR("BEGIN:VEVENT")), ics.n), "RRULE");
	must_not(ics, "EXDATE");
	must(part("text/plain"), "When: 2026-03-17 12:00 - 2026-03-17 13:30 (Berlin)\r\n");
	/* One that was moved, in the other form of a time. */
	assert_int_equal(forward("c3", AT("20260331T100000Z"), CARL), 0);
	ics = part("text/calendar");
	assert_int_equal(count(ics, "BEGIN:VEVENT"), 1);
	must(ics, "DTSTART;TZID=Berlin:20260331T130000\r\n");
	assert_int_equal(s.e.submitted, 3);
	/* One that was taken out, one that never was, and no time at all. */
	assert_int_equal(forward("c4", AT("2026-03-24T11:00:00.000Z"), CARL), 150);
	assert_int_equal(forward("c5", AT("2026-03-18T11:00:00.000Z"), CARL), 150);
	assert_int_equal(forward("c6", AT("soon"), CARL), 104);
	assert_int_equal(s.e.submitted, 3);
	end();
	begin("16.1", SINGLE);
	assert_int_equal(forward("c1", AT("2026-03-10T11:00:00.000Z"), CARL), 146);
	assert_int_equal(s.e.submitted, 0);
	end();
}

static void test_the_organizer_knows_whom_he_invited(void **state UNUSED)
{
	struct str once;
	size_t line;

	begin("16.1", MINE);
	assert_int_equal(
		forward("c1", "", ALL(NAMED("carl@x.test", "Carl C.") TO("bob@x.test"))), 0);
	must(part("text/calendar"), "ATTENDEE;PARTSTAT=ACCEPTED:mailto:bob@x.test\r\n");
	must(part("text/calendar"), "ORGANIZER:MAILTO:Ann@Example.test\r\n");
	must(stored(), "PARTSTAT=NEEDS-ACTION");
	must(stored(), "carl@x.test");
	must(stored(), "X-FOREIGN;X-P=\"a b\":st\r\n ays\r\n");
	/* The calendar server does not invite him once more. */
	must(unfolded(stored()), "RSVP=TRUE;SCHEDULE-AGENT=CLIENT:mailto:carl@x.test\r\n");
	must_not(part("text/calendar"), "SCHEDULE-AGENT");
	must_not(stored(), "METHOD:");
	assert_int_equal(count(stored(), "\r\nATTENDEE"), 2);
	/* All that he did not touch is as it was. */
	line = str_search(stored(), STR("ATTENDEE;CN=Carl"));
	must(stored(), OF_ANN NOON "ATTENDEE;CN=Carl C.;");
	assert_true(str_eq(str_sub(stored(), 0, line), str_sub(STR(MINE), 0, line)));
	/* Whom he has invited is invited once more, and changes nothing. */
	once = arena_str(a, stored());
	assert_int_equal(forward("c2", "", CARL), 0);
	assert_int_equal(s.e.submitted, 2);
	assert_true(str_eq(once, stored()));
	end();
	/* To one occurrence alone. */
	begin("16.1", MINE_SERIES);
	assert_int_equal(forward("c1", AT("2026-03-17T11:00:00.000Z"), CARL), 0);
	assert_int_equal(count(stored(), "BEGIN:VEVENT"), 3);
	assert_int_equal(count(stored(), "carl@x.test"), 1);
	must(stored(), "RECURRENCE-ID;TZID=Berlin:20260317T120000");
	assert_int_equal(forward("c2", AT("2026-03-31T10:00:00.000Z"), CARL), 0);
	assert_int_equal(count(stored(), "BEGIN:VEVENT"), 3);
	assert_int_equal(count(stored(), "carl@x.test"), 2);
	end();
	/* One that was nobody's meeting so far. */
	begin("16.1", CALENDAR(EVENT("SUMMARY:Alone\r\n" NOON)));
	assert_int_equal(forward("c1", "", CARL), 0);
	must(part("text/calendar"), "ORGANIZER:mailto:" EAS_USER "\r\n");
	must(stored(), "ORGANIZER:mailto:" EAS_USER "\r\n");
	must(stored(), "carl@x.test");
	end();
}

/* What comes again goes out once, also when the first try died before the end. */
static void test_it_goes_out_once(void **state UNUSED)
{
	begin("16.1", MINE);
	s.e.lose = 1;
	assert_int_equal(forward("c1", "", CARL), 118);
	assert_int_equal(s.e.submitted, 1);
	assert_int_equal(count(stored(), "carl@x.test"), 1);
	assert_int_equal(forward("c1", "", CARL), 118);
	assert_int_equal(s.e.submitted, 1);
	/* Nothing was sent: it may be tried again. */
	s.e.submit_rc = RC_UNAVAILABLE;
	(void)forward("c2", "", ALL(TO("dora@x.test")));
	assert_int_equal(s.e.submitted, 1);
	must_not(stored(), "dora@x.test");
	s.e.submit_rc = RC_OK;
	assert_int_equal(forward("c2", "", ALL(TO("dora@x.test"))), 0);
	assert_int_equal(s.e.submitted, 2);
	must(stored(), "dora@x.test");
	/* The event could not be written; the next try does it, and sends nothing. */
	fake_dav_reject(s.dav, "emil@x.test");
	assert_int_equal(forward("c3", "", ALL(TO("emil@x.test"))), 0);
	must_not(stored(), "emil@x.test");
	fake_dav_reject(s.dav, NULL);
	assert_int_equal(forward("c3", "", ALL(TO("emil@x.test"))), 118);
	must(stored(), "emil@x.test");
	assert_int_equal(s.e.submitted, 3);
	end();
}

/* Whatever call fails, before its work or after it: of one ClientId there is one mail, and in
 * the end the calendar knows. */
static void test_nothing_is_lost_and_nothing_doubled(void **state UNUSED)
{
	for (unsigned after = 0; after < 2; after++)
		for (unsigned n = 1; n <= 4; n++) {
			unsigned status;

			begin("16.1", MINE);
			fake_dav_fail_after(s.dav, n, after);
			status = forward("c1", "", CARL);
			assert_true(status == 0 || status == 118);
			if (s.p.http == 503) {
				assert_int_equal(s.e.submitted, 0);
				assert_int_equal(forward("c1", "", CARL), 0);
			}
			assert_int_equal(forward("c1", "", CARL), 118);
			assert_int_equal(s.e.submitted, 1);
			assert_int_equal(count(stored(), "carl@x.test"), 1);
			end();
		}
}

static void change_it(void *ctx)
{
	(void)fake_dav_put(ctx, FAKE_DAV_CALENDAR, "e.ics",
		CALENDAR(EVENT(OF_ANN NOON "X-NEWS:of another client\r\n")));
}

static void test_a_change_at_the_same_time_is_kept(void **state UNUSED)
{
	begin("16.1", MINE);
	fake_dav_meanwhile(s.dav, change_it, s.dav);
	assert_int_equal(forward("c1", "", CARL), 0);
	must(stored(), "X-NEWS:of another client");
	must(stored(), "carl@x.test");
	end();
}

static void test_what_does_not_go_together_is_refused(void **state UNUSED)
{
	static const struct {
		const char *lines;
		unsigned status;
	} rows[] = {
		{CARL "  composemail:Mime \"To: x@y.test\"\n", 178                                         },
		{CARL "  composemail:SaveInSentItems\n",       178                                         },
		{CARL "  composemail:ReplaceMime\n",           178                                         },
		{CARL "  rm:TemplateID \"t\"\n",               178                                         },
		{BODY("1",				     "x") "  composemail:Mime \"To: x@y.test\"\n", 178},
		{BODY("1",					    "x"),										 119},
		{ALL(""),					 179    },
		{ALL(TO("")), 179					},
		{ALL("    composemail:Forwardee\n"),                                         179                                            },
		{ALL("    composemail:Email \"carl@x.test\"\n"), 179},
		{ALL(TO("carl@x.test") TO("nobody")),                                         179										    },
		{ALL(TO("a@x.test, b@x.test")), 179},
		{ALL(TO("a@x.test>\\r\\nBcc: <b@x.test")),                                         179															    },
		{CARL BODY("9", "x"),179},
		{CARL "  composemail:AccountId \"other\"\n",                                        166																				},
	};

	begin("16.1", MINE);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		unsigned status = forward("c", "", rows[i].lines);

		if (status != rows[i].status)
			fail_msg("Status %u for\n%s", status, rows[i].lines);
	}
	assert_int_equal(s.e.submitted, 0);
	assert_true(str_is(stored(), MINE));
	/* None of them has used up the ClientId. */
	assert_int_equal(forward("c", "", CARL), 0);
	end();
}

static void test_only_the_users_own_appointments(void **state UNUSED)
{
	const char *ids;

	begin("16.1", SINGLE);
	ids = arena_printf(a, "    composemail:ItemId \"%s:99\"\n", folder).p;
	assert_int_equal(post("c", ids, CARL), 150);
	assert_int_equal(post("c", "    composemail:ItemId \"77:1\"\n", CARL), 150);
	assert_int_equal(post("c", "    composemail:ItemId \"nonsense\"\n", CARL), 150);
	assert_int_equal(post("c", "", CARL), 103);
	assert_int_equal(post("c", source("    composemail:LongId \"L:1:1:0\"\n"), CARL), 105);
	/* S3: it is looked for in the folder that is named. */
	ids = arena_printf(
		a, "    composemail:FolderId \"77\"\n    composemail:ItemId \"%s\"\n", item)
		      .p;
	assert_int_equal(post("c", ids, CARL), 150);
	/* A mail is forwarded with a mail. */
	(void)fake_mail_add(s.e.mail, "INBOX", 0, 1772532000, "Subject: m\n\nx\n");
	scene_must(phone_sync(&s.p, phone_folder(&s.p, STORY_INBOX), 10, ""), &s.p);
	ids = arena_printf(
		a, "    composemail:ItemId \"%s\"\n", phone_folder(&s.p, STORY_INBOX)->v[0].id)
		      .p;
	assert_int_equal(post("c", ids, CARL), 179);
	/* By the id of a search result. */
	ids = arena_printf(a, "    composemail:LongId \"L:%s:0\"\n", item).p;
	assert_int_equal(s.e.submitted, 0);
	assert_int_equal(post("c", ids, CARL), 0);
	assert_int_equal(s.e.submitted, 1);
	/* It is gone since. */
	fake_dav_remove(s.dav, s.path, "e.ics");
	assert_int_equal(forward("d", "", CARL), 150);
	fake_dav_down(s.dav, RC_UNAVAILABLE);
	(void)forward("d", "", CARL);
	assert_int_equal(s.p.http, 503);
	assert_int_equal(s.e.submitted, 1);
	end();
	/* What is no event any more. */
	begin("16.1", SINGLE);
	(void)fake_dav_put(
		s.dav, s.path, "e.ics", CALENDAR("BEGIN:VTODO\r\nUID:u1\r\nEND:VTODO\r\n"));
	assert_int_equal(forward("c", "", CARL), 150);
	end();
}

/* Another user's item has no name that he could use. */
static void test_one_user_does_not_reach_another(void **state UNUSED)
{
	struct phone other;

	begin("16.1", SINGLE);
	eas_phone(&s.e, &other, "other", "16.1");
	other.user = "bob@example.test";
	scene_must(phone_provision(&other), &other);
	assert_int_equal(elem_u32(phone_post(&other, "SmartForward",
					  arena_printf(a,
						  "composemail:SmartForward\n"
						  "  composemail:ClientId \"x\"\n"
						  "  composemail:Source\n%s%s",
						  source(""), CARL)
						  .p),
				 COMPOSEMAIL_STATUS, 0),
		150);
	assert_int_equal(s.e.submitted, 0);
	phone_release(&other);
	end();
}

/* Up to 14.1 the protocol has no such elements: a mail is what counts. */
static void test_earlier_versions_know_nothing_of_it(void **state UNUSED)
{
	static const char *const versions[] = {"14.0", "14.1"};

	for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
		begin(versions[i], MINE);
		assert_int_equal(forward("c1", "", CARL BODY("1", "x")), 107);
		assert_int_equal(s.e.submitted, 0);
		assert_true(str_is(stored(), MINE));
		end();
	}
}

#define MAIL                                                                                   \
	"To: carl@x.test\r\nSubject: Look\r\nMIME-Version: 1.0\r\n"                            \
	"Content-Type: text/plain; charset=utf-8\r\n\r\nSee this\r\n"
#define NOTES "DESCRIPTION:Bring\\nthe plans\r\n"

static bool smart(const char *command, bool replace, unsigned *status_r)
{
	return phone_smart(&s.p, command, phone_folder(&s.p, TYPE_OF_CALENDAR), item, replace,
		STR(MAIL), status_r);
}

/* U13, at every version: the device writes the mail, the server adds the appointment. */
static void test_mails_about_an_appointment(void **state UNUSED)
{
	static const char *const versions[] = {
		"2.5", "12.0", "12.1", "14.0", "14.1", "16.0", "16.1"};

	for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
		struct str ics;

		begin(versions[i], CALENDAR(EVENT(OF_BOSS NOTES NOON)));
		scene_must(smart("SmartReply", false, NULL), &s.p);
		must(sent(), "See this");
		must(sent(), "> When: 2026-03-10 12:00 - 2026-03-10 13:30 (Berlin)\n");
		must(sent(), "> Where: Room 1, left\n");
		must(sent(), "> the plans\n");
		must(sent(), "From: \"Boss\" <boss@x.test>\n");
		must(sent(), "To: \"Ann\" <ann@example.test>\n");
		must(sent(), "Subject: Gr=C3=BCne Pl=C3=A4ne\n");
		must_not(sent(), "text/calendar");
		scene_must(smart("SmartForward", false, NULL), &s.p);
		must(sent(), "See this");
		must(sent(), "\nthe plans");
		must(sent(), "filename=\"invite.ics\"");
		ics = part("text/calendar; charset=utf-8; method=REQUEST");
		must(ics, "ORGANIZER;CN=Boss:mailto:boss@x.test\r\n");
		must(ics, "METHOD:REQUEST\r\n");
		must_not(ics, "carl@x.test");
		must_not(ics, "VALARM");
		must_not(ics, "thoughts");
		assert_int_equal(s.e.submitted, 2);
		assert_int_equal(fake_mail_count(s.e.mail, "Sent"), 2);
		/* C50: the device has put it together itself. */
		if (i >= 3) {
			scene_must(smart("SmartForward", true, NULL), &s.p);
			must_not(sent(), "When:");
			must_not(sent(), "text/calendar");
		}
		end();
		/* One that is nobody's meeting is an event and no invitation. */
		begin(versions[i], CALENDAR(EVENT("SUMMARY:Alone\r\n" NOON)));
		scene_must(smart("SmartForward", false, NULL), &s.p);
		must_not(sent(), "method=");
		must_not(part("text/calendar"), "METHOD");
		must(part("text/calendar"), "SUMMARY:Alone");
		end();
	}
}

static void test_mails_about_one_occurrence(void **state UNUSED)
{
	static const char mail[] = "  composemail:Mime \"To: carl@x.test\\n\\nSee this\\n\"\n";
	unsigned status;
	struct str ics;

	begin("14.1", SERIES);
	assert_int_equal(forward("c1", AT("2026-03-17T11:00:00.000Z"), mail), 0);
	must(sent(), "When: 2026-03-17 12:00 - 2026-03-17 13:30 (Berlin)");
	ics = part("text/calendar");
	assert_int_equal(count(ics, "BEGIN:VEVENT"), 1);
	must(ics, "RECURRENCE-ID;TZID=Berlin:20260317T120000\r\n");
	assert_int_equal(forward("c2", "", mail), 0);
	assert_int_equal(count(part("text/calendar"), "BEGIN:VEVENT"), 2);
	assert_int_equal(forward("c3", AT("2026-03-18T11:00:00.000Z"), mail), 150);
	assert_int_equal(s.e.submitted, 2);
	end();
	/* Up to 12.1 the mail is worth more than what it is about. */
	begin("12.1", SERIES);
	fake_dav_remove(s.dav, s.path, "e.ics");
	scene_must(smart("SmartForward", false, NULL), &s.p);
	must(sent(), "See this");
	must_not(sent(), "text/calendar");
	end();
	begin("14.1", SERIES);
	fake_dav_remove(s.dav, s.path, "e.ics");
	(void)smart("SmartForward", false, &status);
	assert_int_equal(status, 150);
	assert_int_equal(s.e.submitted, 0);
	end();
}

#define ORIGINAL                                                                               \
	"From: Ann Other <ann@example.test>\nTo: me@example.test\nSubject: Plan\n"             \
	"Message-ID: <second@example.test>\nMIME-Version: 1.0\n"                               \
	"Content-Type: multipart/mixed; boundary=outer\n\n--outer\n"                           \
	"Content-Type: text/plain\n\nOld text\n--outer\n"                                      \
	"Content-Type: application/pdf; name=\"plan.pdf\"\n"                                   \
	"Content-Disposition: attachment; filename=\"plan.pdf\"\n"                             \
	"Content-Transfer-Encoding: base64\n\nUERGIGJ5dGVz\n--outer--\n"
#define PLAIN                                                                                  \
	"To: bob@example.test\r\nSubject: Fw: Plan\r\nMIME-Version: 1.0\r\n"                   \
	"Content-Type: text/plain; charset=utf-8\r\n\r\nSee this\r\n"

/* C45, C48, C49, C50 at 16.x: what was there before works as it does at 14.1. */
static void test_mail_goes_as_before(void **state UNUSED)
{
	static const char *const versions[] = {"14.1", "16.0", "16.1"};

	for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
		struct eas e;
		struct phone p;
		struct device_folder *inbox;

		a = arena_new();
		eas_init(&e, UP);
		(void)fake_mail_add(e.mail, "INBOX", 0, 1772532000, ORIGINAL);
		eas_phone(&e, &p, "phone", versions[i]);
		story_set_up(&p);
		inbox = phone_folder(&p, STORY_INBOX);
		assert_int_equal(inbox->n, 1);
		scene_must(phone_send(&p, "bob@example.test", "Hello", "Text"), &p);
		must(buf_str(&e.last_message), "Subject: Hello");
		scene_must(phone_smart(&p, "SmartForward", inbox, inbox->v[0].id, false,
				   STR(PLAIN), NULL),
			&p);
		must(buf_str(&e.last_message), "See this");
		must(buf_str(&e.last_message), "Old text");
		must(buf_str(&e.last_message), "UERGIGJ5dGVz");
		assert_int_equal(
			fake_mail_flags(e.mail, "INBOX", 1) & MAIL_FORWARDED, MAIL_FORWARDED);
		scene_must(phone_smart(&p, "SmartReply", inbox, inbox->v[0].id, false,
				   STR(PLAIN), NULL),
			&p);
		must(buf_str(&e.last_message), "> Old text");
		must_not(buf_str(&e.last_message), "UERGIGJ5dGVz");
		scene_must(phone_smart(&p, "SmartForward", inbox, inbox->v[0].id, true,
				   STR(PLAIN), NULL),
			&p);
		must(buf_str(&e.last_message), "See this");
		must_not(buf_str(&e.last_message), "Old text");
		assert_int_equal(e.submitted, 4);
		assert_int_equal(fake_mail_count(e.mail, "Sent"), 4);
		phone_release(&p);
		eas_release(&e);
		arena_free(a);
	}
}

/* Names and objects of any kind do no harm. */
static void test_any_input(void **state UNUSED)
{
	static const char *const objects[] = {"", "BEGIN:VCALENDAR", "\xff\xfe",
		"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
		CALENDAR("BEGIN:VEVENT\r\nUID:x\r\nEND:VEVENT\r\n"),
		CALENDAR(
			EVENT("DTSTART:nonsense\r\nDTEND;VALUE=DATE:20269999\r\n"
			      "SUMMARY:\\\r\nORGANIZER:\r\nATTENDEE:\r\nRRULE:FREQ=NEVER\r\n")),
		CALENDAR(MOVED(OF_BOSS))};
	struct forwardee to = {STR("carl@x.test"), STR("a\"b;c:d,e\r\nX-EVIL:1\\\xff")};

	a = arena_new();
	for (size_t i = 0; i < ARRAY_LEN(objects); i++)
		for (unsigned instance = 0; instance < 2; instance++) {
			struct invite_forward f = {.stored = str_of(objects[i]),
				.user = STR(EAS_USER),
				.to = &to,
				.n = 1,
				.has_instance = instance,
				.instance = 1774951200};
			struct invite_quote quote;
			struct str mail, ics;
			enum invite_result r = invite_forward_mail(&f, a, &mail);

			assert_int_equal(r == INVITE_DONE, mail.p != NULL);
			assert_int_equal(invite_forward_stored(&f, a, &ics), r);
			assert_int_equal(invite_quote(&f, a, &quote), r);
			must_not(quote.header, "\nX-EVIL");
			must_not(ics, "\nX-EVIL");
			must_not(mail, "\nX-EVIL");
		}
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_server_sends_the_invitation_on),
		cmocka_unit_test(test_the_event_speaks_for_itself),
		cmocka_unit_test(test_the_whole_series_or_one_occurrence),
		cmocka_unit_test(test_the_organizer_knows_whom_he_invited),
		cmocka_unit_test(test_it_goes_out_once),
		cmocka_unit_test(test_nothing_is_lost_and_nothing_doubled),
		cmocka_unit_test(test_a_change_at_the_same_time_is_kept),
		cmocka_unit_test(test_what_does_not_go_together_is_refused),
		cmocka_unit_test(test_only_the_users_own_appointments),
		cmocka_unit_test(test_one_user_does_not_reach_another),
		cmocka_unit_test(test_earlier_versions_know_nothing_of_it),
		cmocka_unit_test(test_mails_about_an_appointment),
		cmocka_unit_test(test_mails_about_one_occurrence),
		cmocka_unit_test(test_mail_goes_as_before),
		cmocka_unit_test(test_any_input),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
