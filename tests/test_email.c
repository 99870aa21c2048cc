/*
 * Properties of mail as devices get them: classes.md 1 and 8, the mails that other servers fail
 * on, and what devices may change. C88-C102, C104, C105, C111, C112, K13, K28, U8, U10.
 */
#include "core/base/base64.h"
#include "core/map/category.h"
#include "core/map/meeting.h"
#include "core/map/timezone.h"
#include "core/map/tnef.h"
#include "tests/support_eas.h"
#include "tests/support_story.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *const versions[] = {"2.5", "12.0", "12.1", "14.0", "14.1"};

static struct eas e;
static struct phone p;
static struct device_folder *inbox;
static struct arena *a;

static void begin(const char *version, const char *mail)
{
	a = arena_new();
	eas_init(&e, "");
	(void)fake_mail_add(e.mail, "INBOX", 0, 1772532000, mail);
	eas_phone(&e, &p, "phone", version);
	story_set_up(&p);
	inbox = phone_folder(&p, STORY_INBOX);
	if (inbox->n != 1)
		fail_msg("%s: the mail did not arrive", version);
}

static void end(void)
{
	phone_release(&p);
	eas_release(&e);
	arena_free(a);
}

/* A Sync of the inbox with more children in its Collection; as text. */
static const char *sync(const char *behind)
{
	const struct elem *answer = phone_post(&p, "Sync",
		arena_printf(a,
			"airsync:Sync\n  airsync:Collections\n    airsync:Collection\n%s"
			"      airsync:SyncKey \"%s\"\n      airsync:CollectionId \"%s\"\n%s",
			strcmp(p.version, "2.5") == 0 ? "      airsync:Class \"Email\"\n" : "",
			inbox->key, inbox->id, behind)
			.p);
	const struct elem *c =
		elem_child(elem_child(answer, AIRSYNC_COLLECTIONS), AIRSYNC_COLLECTION);
	struct str key = elem_text(c, AIRSYNC_SYNC_KEY);

	if (key.n)
		(void)snprintf(inbox->key, sizeof(inbox->key), "%.*s", STR_FMT(key));
	return eas_text(answer, a);
}

/* The message afresh, with these Options. */
static const char *fetch(const char *options)
{
	(void)snprintf(inbox->key, sizeof(inbox->key), "0");
	(void)sync("");
	return sync(arena_printf(a, "      airsync:Options\n%s", options).p);
}

static void has(const char *text, const char *what)
{
	if (!strstr(text, what))
		fail_msg("%s: no %s in\n%s", p.version, what, text);
}

static void lacks(const char *text, const char *what)
{
	if (strstr(text, what))
		fail_msg("%s: there is %s in\n%s", p.version, what, text);
}

static const char *change(const char *data)
{
	return sync(arena_printf(a,
		"      airsync:Commands\n        airsync:Change\n"
		"          airsync:ServerId \"%s\"\n          airsync:ApplicationData\n%s",
		inbox->v[0].id, data)
			    .p);
}

#define HTML_PREF "        airsyncbase:BodyPreference\n          airsyncbase:Type \"2\"\n"

/* ---- body ---- */

#define RICH                                                                                   \
	"From: a@x.test\nSubject: rich\nMIME-Version: 1.0\n"                                   \
	"Content-Type: multipart/alternative; boundary=b\n\n"                                  \
	"--b\nContent-Type: text/plain; charset=utf-8\n\nplain words\n"                        \
	"--b\nContent-Type: text/html; charset=utf-8\n\n<p>rich <b>words</b> here</p>\n--b--\n"

/* C90, C91, C92 */
static void test_preview_and_body_part(void **state UNUSED)
{
	const char *text;

	begin("14.1", RICH);
	text = fetch(HTML_PREF "          airsyncbase:TruncationSize \"7\"\n"
			       "          airsyncbase:Preview \"9\"\n"
			       "        airsyncbase:BodyPartPreference\n"
			       "          airsyncbase:Type \"2\"\n"
			       "          airsyncbase:TruncationSize \"500\"\n"
			       "          airsyncbase:Preview \"4\"\n");
	has(text, "airsyncbase:Preview \"rich word\"");
	has(text, "airsyncbase:BodyPart\n");
	has(text, "airsyncbase:Status \"1\"");
	has(text, "airsyncbase:Preview \"rich\"");
	has(text, "<p>rich <b>words</b> here</p>");
	has(text, "airsyncbase:NativeBodyType \"2\"");
	/* The options stick. */
	(void)fake_mail_add(e.mail, "INBOX", 0, 1772532000, RICH);
	has(sync(""), "airsyncbase:BodyPart\n");
	end();
	/* Plain text that is there needs no preview; one that was refused does. */
	begin("14.0", "Subject: s\n\nplain words\n");
	text = fetch("        airsyncbase:BodyPreference\n          airsyncbase:Type \"1\"\n"
		     "          airsyncbase:Preview \"5\"\n");
	lacks(text, "Preview");
	text = fetch("        airsyncbase:BodyPreference\n          airsyncbase:Type \"1\"\n"
		     "          airsyncbase:TruncationSize \"5\"\n"
		     "          airsyncbase:AllOrNone \"1\"\n"
		     "          airsyncbase:Preview \"5\"\n");
	has(text, "airsyncbase:Preview \"plain\"");
	lacks(text, "airsyncbase:Data");
	end();
	/* Versions that lack them get neither. */
	begin("12.1", RICH);
	text = fetch(HTML_PREF "          airsyncbase:Preview \"9\"\n"
			       "        airsyncbase:BodyPartPreference\n"
			       "          airsyncbase:Type \"2\"\n");
	lacks(text, "Preview");
	lacks(text, "BodyPart");
	end();
}

/* ---- flags and categories ---- */

/* U8, C97: the dates of a flag come back to every device; other clients see the flag. */
static void test_all_of_a_flag_is_kept(void **state UNUSED)
{
	const char *text;

	begin("14.1", RICH);
	text = change("            email:Flag\n              email:Status \"2\"\n"
		      "              email:FlagType \"Flag for follow up\"\n"
		      "              tasks:Subject \"call them\"\n"
		      "              tasks:StartDate \"2026-03-04T00:00:00.000Z\"\n"
		      "              tasks:UtcStartDate \"2026-03-03T23:00:00.000Z\"\n"
		      "              tasks:DueDate \"2026-03-05T00:00:00.000Z\"\n"
		      "              tasks:UtcDueDate \"2026-03-04T23:00:00.000Z\"\n"
		      "              tasks:ReminderSet \"1\"\n"
		      "              tasks:ReminderTime \"2026-03-04T08:00:00.000Z\"\n");
	lacks(text, "Responses");
	assert_int_equal(fake_mail_flags(e.mail, "INBOX", 1), MAIL_FLAGGED);
	text = fetch(HTML_PREF);
	has(text, "email:Status \"2\"");
	has(text, "tasks:DueDate \"2026-03-05T00:00:00.000Z\"");
	has(text, "tasks:Subject \"call them\"");
	has(text, "tasks:ReminderTime \"2026-03-04T08:00:00.000Z\"");
	/* An update says only what is different. */
	lacks(change("            email:Flag\n"
		     "              tasks:DueDate \"2026-03-06T00:00:00.000Z\"\n"),
		"Responses");
	text = fetch(HTML_PREF);
	has(text, "tasks:DueDate \"2026-03-06T00:00:00.000Z\"");
	has(text, "tasks:Subject \"call them\"");
	/* Done: not flagged for others, complete for devices. */
	lacks(change("            email:Flag\n              email:Status \"1\"\n"
		     "              email:CompleteTime \"2026-03-05T09:00:00.000Z\"\n"
		     "              tasks:DateCompleted \"2026-03-05T09:00:00.000Z\"\n"),
		"Responses");
	assert_int_equal(fake_mail_flags(e.mail, "INBOX", 1), 0);
	text = fetch(HTML_PREF);
	has(text, "email:Status \"1\"");
	has(text, "email:CompleteTime \"2026-03-05T09:00:00.000Z\"");
	/* Another client has the last word. */
	fake_mail_set_flags(e.mail, "INBOX", 1, MAIL_FLAGGED);
	text = sync("");
	has(text, "email:Status \"2\"");
	lacks(text, "CompleteTime");
	lacks(change("            email:Flag\n"), "Responses");
	assert_int_equal(fake_mail_flags(e.mail, "INBOX", 1), 0);
	text = fetch(HTML_PREF);
	has(text, "email:Flag\n");
	lacks(text, "email:Status");
	end();
}

static void test_an_impossible_change_is_refused(void **state UNUSED)
{
	static const char *const changes[] = {
		"            email:Flag\n              email:Status \"3\"\n",
		"            email:Flag\n              email:Status \"2\"\n"
		"              tasks:StartDate \"2026-03-04T00:00:00.000Z\"\n",
		"            email:Flag\n              email:Status \"2\"\n"
		"              tasks:StartDate \"2026-03-04T00:00:00.000Z\"\n"
		"              tasks:UtcStartDate \"2026-03-04T00:00:00.000Z\"\n"
		"              tasks:DueDate \"2026-03-03T00:00:00.000Z\"\n"
		"              tasks:UtcDueDate \"2026-03-03T00:00:00.000Z\"\n",
		"            email:Flag\n              email:Status \"2\"\n"
		"              tasks:ReminderSet \"1\"\n",
		"            email:Read \"2\"\n",
		"            email2:ConversationId x\"00\"\n",
		"            email2:ReceivedAsBcc \"1\"\n",
		"            email2:Sender \"x\"\n",
		"            email2:UmCallerID \"x\"\n",
	};

	begin("14.1", RICH);
	for (size_t i = 0; i < ARRAY_LEN(changes); i++)
		has(change(changes[i]), "airsync:Status \"6\"");
	assert_int_equal(fake_mail_flags(e.mail, "INBOX", 1), 0);
	end();
}

/* C98: both ways, whatever the name; other clients see keywords. */
static void test_categories_go_both_ways(void **state UNUSED)
{
	const char *text;

	begin("14.1", RICH);
	lacks(change("            email:Categories\n"
		     "              email:Category \"Red Category\"\n"
		     "              email:Category \"Gr\xc3\xbcn & (gut)\"\n"),
		"Responses");
	/* Its own change is not told to it. */
	lacks(sync(""), "Category");
	text = fetch(HTML_PREF);
	has(text, "email:Category \"Red Category\"");
	has(text, "email:Category \"Gr\xc3\xbcn & (gut)\"");
	/* Another client takes one away and sets one of its own. */
	fake_mail_keywords(e.mail, "INBOX", 1, "Red_Category $label1 NonJunk $MDNSent");
	text = sync("");
	has(text, "airsync:Change");
	has(text, "email:Category \"Red Category\"");
	has(text, "email:Category \"Important\"");
	lacks(text, "gut");
	lacks(text, "Junk");
	lacks(text, "email:Read");
	/* All gone, and what is no category stays. */
	lacks(change("            email:Categories\n"), "Responses");
	lacks(fetch(HTML_PREF), "Category");
	lacks(change("            email:Read \"1\"\n"), "Responses");
	fake_mail_keywords(e.mail, "INBOX", 1, "One");
	has(sync(""), "email:Category \"One\"");
	fake_mail_keywords(e.mail, "INBOX", 1, NULL);
	has(sync(""), "email:Categories\n");
	end();
	begin("12.1", RICH);
	fake_mail_keywords(e.mail, "INBOX", 1, "Red_Category");
	lacks(sync(""), "Categor");
	end();
}

/* C155: by the Conflict option; what wins is what both have afterwards. */
static void test_conflicts_end_by_the_option(void **state UNUSED)
{
	const char *text;

	begin("14.1", RICH);
	fake_mail_keywords(e.mail, "INBOX", 1, "Theirs");
	text = change("            email:Categories\n              email:Category \"Mine\"\n");
	has(text, "airsync:Status \"7\"");
	has(text, "email:Category \"Theirs\"");
	(void)fetch("        airsync:Conflict \"0\"\n" HTML_PREF);
	fake_mail_keywords(e.mail, "INBOX", 1, "Theirs2");
	text = change("            email:Categories\n              email:Category \"Mine\"\n");
	lacks(text, "airsync:Status \"7\"");
	has(fetch(HTML_PREF), "email:Category \"Mine\"");
	end();
}

static void test_names_of_categories_survive(void **state UNUSED)
{
	static const char *const names[] = {"Red Category", "a_b", "A&B",
		"(x) {y} %z* \"q\" \\", "\xc3\x84\xf0\x9f\x98\x80", "Junk", "To Do", "x-y.z"};

	a = arena_new();
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct str keyword = category_keyword(str_of(names[i]), a);

		for (size_t k = 0; k < keyword.n; k++)
			assert_true(keyword.p[k] > ' ' && keyword.p[k] < 0x7f &&
				    !strchr("(){%*\"\\]", keyword.p[k]));
		if (strcmp(names[i], "Junk") != 0)
			assert_true(str_is(category_of_keyword(keyword, a), names[i]));
	}
	assert_int_equal(category_hash(STR("$Forwarded NonJunk")), 0);
	assert_int_equal(category_hash(STR("a b")), category_hash(STR("b A")));
	assert_int_not_equal(category_hash(STR("a b")), category_hash(STR("a")));
	arena_free(a);
}

/* ---- message classes ---- */

static void test_every_kind_of_message_has_its_class(void **state UNUSED)
{
	static const struct {
		const char *mail, *want;
	} cases[] = {
		{"Subject: s\n\nx\n",										     "IPM.Note"               },
		{"Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; "
		 "boundary=b\n\n--b\n\nx\n--b\nContent-Type: application/pkcs7-signature\n\ny\n--b--\n",
                 "IPM.Note.SMIME.MultipartSigned"												  },
		{"Content-Type: MULTIPART/Signed; protocol=\"application/pgp-signature\"; "
		 "boundary=b\n\n--b\n\nx\n--b\nContent-Type: application/pgp-signature\n\ny\n--b--\n",
                 "IPM.Note"															},
		{"Content-Type: application/PKCS7-mime; smime-type=enveloped-data\n\nx\n",
                 "IPM.Note.SMIME"														  },
		{"Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\n\n"
		 "failed\n--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; x\n\n"
		 "Final-Recipient: rfc822; y@x\nAction: failed\n--b--\n",				"REPORT.IPM.NOTE.NDR"    },
		{"Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\n\n"
		 "late\n--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; x\n\n"
		 "Final-Recipient: rfc822; y@x\nAction: delayed\n--b--\n",			       "REPORT.IPM.NOTE.DELAYED"},
		{"Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\n\n"
		 "ok\n--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; x\n\n"
		 "Final-Recipient: rfc822; y@x\nAction: delivered\n--b--\n",			     "REPORT.IPM.NOTE.DR"     },
		{"Content-Type: multipart/report; report-type=disposition-notification; boundary=b\n\n"
		 "--b\n\nread\n--b\nContent-Type: message/disposition-notification\n\n"
		 "Disposition: manual-action/MDN-sent-manually; displayed\n--b--\n",                     "REPORT.IPM.NOTE.IPNRN"  },
		{"Content-Type: multipart/report; report-type=disposition-notification; boundary=b\n\n"
		 "--b\n\ngone\n--b\nContent-Type: message/disposition-notification\n\n"
		 "Disposition: automatic-action/MDN-sent-automatically; deleted\n--b--\n",               "REPORT.IPM.NOTE.IPNNRN" },
		{"Message-Context: voice-message\nContent-Type: audio/wav\n\nx\n",
                 "IPM.Octel.Voice"														 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char want[80];

		begin("14.1", cases[i].mail);
		(void)snprintf(want, sizeof(want), "email:MessageClass \"%s\"", cases[i].want);
		has(fetch(HTML_PREF), want);
		end();
	}
}

/* U10, C103, requirements 3.24: byte for byte, on every version. */
static void test_smime_comes_byte_for_byte(void **state UNUSED)
{
	static const char mail[] =
		"Subject: signed\nMIME-Version: 1.0\n"
		"Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; "
		"boundary=b\n\n--b\nContent-Type: text/plain\n\nexact   bytes =20 \n"
		"--b\nContent-Type: application/pkcs7-signature\n\nMIAG\n--b--\n";

	for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
		const char *text;

		begin(versions[i], mail);
		text = fetch(strcmp(versions[i], "2.5") == 0
				     ? "        airsync:MIMESupport \"1\"\n"
				     : "        airsync:MIMESupport \"1\"\n" HTML_PREF
				       "        airsyncbase:BodyPreference\n"
				       "          airsyncbase:Type \"4\"\n");
		has(text, "exact   bytes =20 ");
		has(text, "MIAG");
		has(text, "boundary=b");
		end();
	}
}

/* ---- meetings ---- */

#define CALENDAR(method, lines)                                                                \
	"From: boss@x.test\nTo: ann@example.test\nSubject: Meeting\nMIME-Version: 1.0\n"       \
	"Content-Type: multipart/alternative; boundary=b\n\n"                                  \
	"--b\nContent-Type: text/plain\n\nPlease come\n"                                       \
	"--b\nContent-Type: text/calendar; method=" method "; charset=utf-8\n\n"               \
	"BEGIN:VCALENDAR\nMETHOD:" method "\nVERSION:2.0\n"                                    \
	"BEGIN:VTIMEZONE\nTZID:Home\nBEGIN:STANDARD\nDTSTART:19701025T030000\n"                \
	"RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU\nTZOFFSETFROM:+0200\nTZOFFSETTO:+0100\n"      \
	"END:STANDARD\nBEGIN:DAYLIGHT\nDTSTART:19700329T020000\n"                              \
	"RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU\nTZOFFSETFROM:+0100\nTZOFFSETTO:+0200\n"       \
	"END:DAYLIGHT\nEND:VTIMEZONE\n"                                                        \
	"BEGIN:VEVENT\nUID:uid-1@example.com\nDTSTAMP:20260301T080000Z\n" lines                \
	"END:VEVENT\nEND:VCALENDAR\n--b--\n"

#define BERLIN                                                                                 \
	"xP///wAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"       \
	"AAAAAAAAAAAAAAAAoAAAAFAAMAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"       \
	"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAMAAAAFAAIAAAAAAAAAxP///w=="

/* C104, requirements 4.5: with DTEND and with DURATION, in every version. */
/* requirements 3.21, 4.5 */
static void test_an_invitation_shows_its_fields(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
		const char *text;

		begin(versions[i],
			CALENDAR("REQUEST",
				"DTSTART;TZID=Home:20260310T100000\nDURATION:PT90M\n"
				"SUMMARY:Plan\nLOCATION:Room 5\\, upstairs\nCLASS:PRIVATE\n"
				"ORGANIZER;CN=The Boss:mailto:boss@x.test\n"
				"ATTENDEE;RSVP=TRUE:mailto:ann@example.test\n"
				"RRULE:FREQ=WEEKLY;INTERVAL=2;COUNT=5;BYDAY=TU,TH\n"
				"BEGIN:VALARM\nACTION:DISPLAY\nTRIGGER:-PT15M\nEND:VALARM\n"));
		text = fetch(strcmp(versions[i], "2.5") == 0 ? "        airsync:Truncation "
							       "\"4\"\n"
							     : HTML_PREF);
		has(text, "email:MessageClass \"IPM.Schedule.Meeting.Request\"");
		has(text, "email:StartTime \"2026-03-10T09:00:00.000Z\"");
		has(text, "email:EndTime \"2026-03-10T10:30:00.000Z\"");
		has(text, "email:DtStamp \"2026-03-01T08:00:00.000Z\"");
		has(text, "email:Location \"Room 5, upstairs\"");
		has(text, "The Boss");
		has(text, "email:ResponseRequested \"1\"");
		has(text, "email:Reminder \"15\"");
		has(text, "email:Sensitivity \"2\"");
		has(text, "email:BusyStatus \"2\"");
		has(text, "email:InstanceType \"1\"");
		has(text, "email:Type \"1\"");
		has(text, "email:Interval \"2\"");
		has(text, "email:Occurrences \"5\"");
		has(text, "email:DayOfWeek \"20\"");
		has(text, "email:TimeZone \"" BERLIN "\"");
		has(text,
			"email:GlobalObjId \"BAAAAIIA4AB0xbcQGoLgCAAAAAAAAAAAAAAAAAAAAAAAAAAAHgA"
			"AAHZDYWwtVWlkAQAAAHVpZC0xQGV4YW1wbGUuY29tAA==\"");
		end();
	}
}

/* B19796: the phone shows when a cancelled meeting would have been; C105. */
static void test_cancellations_and_answers(void **state UNUSED)
{
	static const struct {
		const char *mail, *want;
		bool shown;
	} cases[] = {
		{CALENDAR("CANCEL",  "DTSTART:20260310T100000Z\nDTEND:20260310T110000Z\n"
				    "STATUS:CANCELLED\n"),
                 "IPM.Schedule.Meeting.Canceled",  true },
		{CALENDAR("REPLY",   "DTSTART:20260310T100000Z\n"
				   "ATTENDEE;PARTSTAT=ACCEPTED:mailto:x@x.test\n"),
                 "IPM.Schedule.Meeting.Resp.Pos",  false},
		{CALENDAR("REPLY",   "DTSTART:20260310T100000Z\n"
				   "ATTENDEE;PARTSTAT=DECLINED:mailto:x@x.test\n"),
                 "IPM.Schedule.Meeting.Resp.Neg",  false},
		{CALENDAR("REPLY",   "DTSTART:20260310T100000Z\n"
				   "ATTENDEE;PARTSTAT=TENTATIVE:mailto:x@x.test\n"),
                 "IPM.Schedule.Meeting.Resp.Tent", false},
		{CALENDAR("REQUEST", "DTSTART;VALUE=DATE:20260310\n"),
                 "IPM.Schedule.Meeting.Request",   true },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const char *text;
		char want[80];

		begin("14.1", cases[i].mail);
		(void)snprintf(want, sizeof(want), "email:MessageClass \"%s\"", cases[i].want);
		text = fetch(HTML_PREF);
		has(text, want);
		has(text, "urn:content-classes:calendarmessage");
		if (cases[i].shown)
			has(text, "email:StartTime \"2026-03-10T");
		else
			lacks(text, "MeetingRequest");
		end();
	}
}

/* An invitation that is none is a mail. */
static void test_broken_invitations_arrive(void **state UNUSED)
{
	static const char *const mails[] = {
		CALENDAR("REQUEST", ""),
		CALENDAR("REQUEST", "DTSTART:yesterday\nRRULE:FREQ=NEVER\n"),
		CALENDAR("REQUEST",
			"DTSTART:20260310T100000Z\nDTEND:20250310T100000Z\n"
			"RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3;UNTIL=20300101T000000Z\n"
			"ORGANIZER:nobody\nRECURRENCE-ID:20260310T100000Z\n"),
		"Content-Type: text/calendar; method=REQUEST\n\nBEGIN:VCALENDAR\n",
	};

	for (size_t i = 0; i < ARRAY_LEN(mails); i++)
		for (size_t v = 0; v < ARRAY_LEN(versions); v++) {
			begin(versions[v], mails[i]);
			end();
		}
}

/* libical would go down into them by recursion. */
static void test_an_invitation_without_a_bottom_is_none(void **state UNUSED)
{
	struct buf b;

	buf_init(&b, BUF_MAX_TEXT);
	buf_adds(&b, "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\n");
	while (b.n < 1000000)
		buf_adds(&b, "BEGIN:VEVENT\r\n");
	assert_int_equal(meeting_kind(buf_str(&b), STR("REQUEST")), MEETING_NONE);
	buf_release(&b);
}

static int fixed(void *ctx, int64_t t, bool *daylight_r)
{
	(void)t;
	*daylight_r = false;
	return *(int *)ctx;
}

static void test_time_zones_as_numbers(void **state UNUSED)
{
	int offset = 19800; /* India: no daylight saving time */
	struct str blob;

	a = arena_new();
	blob = timezone_blob(NULL, NULL, 2026, a);
	assert_int_equal(blob.n, 232);
	for (size_t i = 0; i < 228; i++)
		assert_int_equal(blob.p[i], 'A');
	assert_true(str_starts(timezone_blob(fixed, &offset, 2026, a), "tv7//wAA"));
	/* An id of Outlook's own stays itself. */
	assert_true(str_starts(
		meeting_global_id(
			STR("040000008200E00074C5B7101A82E00800000000A0B1C2D3E4F5C601"
			    "0000000000000000100000001234567890ABCDEF1234567890ABCDEF"),
			0, a),
		"BAAAAIIA4AB0xbcQGoLgCAAAAACgscLT5PXGAQ"));
	arena_free(a);
}

/* ---- winmail.dat ---- */

static void put(struct buf *b, uint64_t n, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		buf_addc(b, (char)(n >> (8 * i) & 0xff));
}

static void attribute(struct buf *b, unsigned level, uint32_t id, struct str data)
{
	put(b, level, 1);
	put(b, id, 4);
	put(b, data.n, 4);
	buf_add_str(b, data);
	put(b, 0, 2);
}

/* A TNEF file with a text and two attachments. */
static struct str winmail(void)
{
	struct buf b, props;
	struct str r;

	buf_init(&b, BUF_MAX_LINE);
	buf_init(&props, BUF_MAX_LINE);
	put(&b, 0x223e9f78, 4);
	put(&b, 1, 2);
	attribute(&b, 1, 0x0002800c, STR("Hello from Outlook\0"));
	attribute(&b, 2, 0x00069002, STR("12345678901234"));
	attribute(&b, 2, 0x00018010, STR("SHORT~1.PDF\0"));
	attribute(&b, 2, 0x0006800f, STR("%PDF of the first"));
	put(&props, 1, 4);
	put(&props, 0x3707001f, 4);
	put(&props, 1, 4);
	put(&props, 20, 4);
	buf_add(&props, "L\0\xe4\0n\0g\0.\0p\0d\0f\0&\0\0\0", 20);
	attribute(&b, 2, 0x00069005, buf_str(&props));
	attribute(&b, 2, 0x00069002, STR("12345678901234"));
	attribute(&b, 2, 0x00018010, STR("two.txt\0"));
	attribute(&b, 2, 0x0006800f, STR("second"));
	r = arena_str(a, buf_str(&b));
	buf_release(&b);
	buf_release(&props);
	return r;
}

static struct str mail_with_winmail(void)
{
	struct buf packed;
	struct str r;

	buf_init(&packed, BUF_MAX_LINE);
	base64_encode(winmail(), &packed);
	r = arena_printf(a,
		"From: a@x.test\nSubject: from Outlook\nMIME-Version: 1.0\n"
		"Content-Type: APPLICATION/MS-TNEF; name=winmail.dat\n"
		"Content-Transfer-Encoding: base64\n\n%s\n",
		packed.p);
	buf_release(&packed);
	return r;
}

/* C95: what is inside is shown, and can be downloaded. */
static void test_winmail_is_opened(void **state UNUSED)
{
	struct arena *own = a = arena_new();
	struct tnef t;
	struct str mail;

	assert_true(tnef_read(winmail(), a, &t));
	assert_int_equal(t.n, 2);
	assert_true(str_is(t.v[0].data, "%PDF of the first"));
	/* However it is cut, it is read as far as it goes. */
	for (size_t n = 0; n < winmail().n; n++)
		(void)tnef_read(str_sub(winmail(), 0, n), a, &t);
	mail = mail_with_winmail();
	for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
		bool old = strcmp(versions[i], "2.5") == 0;
		const char *text, *reference;
		char id[80];

		begin(versions[i], mail.p);
		text = fetch(old ? "        airsync:Truncation \"4\"\n"
				 : "        airsyncbase:BodyPreference\n"
				   "          airsyncbase:Type \"1\"\n");
		has(text, "Hello from Outlook");
		has(text, "L\xc3\xa4ng.pdf&");
		has(text, "two.txt");
		lacks(text, "winmail");
		reference = strstr(text, old ? "email:AttName \"" : "FileReference \"");
		assert_non_null(reference);
		reference = strchr(reference, '"') + 1;
		(void)snprintf(
			id, sizeof(id), "%.*s", (int)strcspn(reference, "\""), reference);
		if (strcmp(versions[i], "14.0") >= 0 && !old) {
			text = eas_text(
				phone_post(&p, "ItemOperations",
					arena_printf(a,
						"itemoperations:ItemOperations\n"
						"  itemoperations:Fetch\n"
						"    itemoperations:Store \"Mailbox\"\n"
						"    airsyncbase:FileReference \"%s\"\n",
						id)
						.p),
				a);
			has(text, "JVBERiBvZiB0aGUgZmlyc3Q=");
		}
		end();
	}
	arena_free(own);
}

/* ---- headers ---- */

static void test_headers_become_properties(void **state UNUSED)
{
	const char *text;

	begin("14.1", "From: Boss <boss@x.test>\nSender: Secretary <sec@x.test>\n"
		      "Reply-To: a@x.test, B <b@x.test>\nTo: ann@example.test\n"
		      "Subject: Re: AW: Topic\nImportance: High\nMessage-ID: <own@x>\n"
		      "In-Reply-To: <parent@x>\n"
		      "Thread-Index: AdGOo8EGO0GmSjmLQhe3OAEjGXFzaAAAVqRQ\n\nx\n");
	text = fetch(HTML_PREF);
	has(text, "email:ReplyTo \"a@x.test; b@x.test\"");
	has(text, "email2:Sender \"\\\"Secretary\\\" <sec@x.test>\"");
	has(text, "email:ThreadTopic \"Topic\"");
	has(text, "email:Importance \"2\"");
	/* The header without its first byte and the GUID, and one level. */
	has(text, "email2:ConversationIndex x\"d18ea3c106000056a450\"");
	end();
	begin("12.1", "From: boss@x.test\nSender: sec@x.test\n\nx\n");
	lacks(fetch(HTML_PREF), "email2:");
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_preview_and_body_part),
		cmocka_unit_test(test_all_of_a_flag_is_kept),
		cmocka_unit_test(test_an_impossible_change_is_refused),
		cmocka_unit_test(test_categories_go_both_ways),
		cmocka_unit_test(test_conflicts_end_by_the_option),
		cmocka_unit_test(test_names_of_categories_survive),
		cmocka_unit_test(test_every_kind_of_message_has_its_class),
		cmocka_unit_test(test_smime_comes_byte_for_byte),
		cmocka_unit_test(test_an_invitation_shows_its_fields),
		cmocka_unit_test(test_cancellations_and_answers),
		cmocka_unit_test(test_broken_invitations_arrive),
		cmocka_unit_test(test_an_invitation_without_a_bottom_is_none),
		cmocka_unit_test(test_time_zones_as_numbers),
		cmocka_unit_test(test_winmail_is_opened),
		cmocka_unit_test(test_headers_become_properties),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
