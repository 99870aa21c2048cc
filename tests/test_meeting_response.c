/*
 * MeetingResponse over the fakes: S17, K9, K10, K14, K15, K18, K20, K21, C53, C54, and what is
 * left after a failure at any place.
 */
#include "core/base/clock.h"
#include "core/cmd/quirks.h"
#include "tests/device/contacts.h"
#include "tests/support_eas.h"
#include "tests/support_story.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define HOME     "/dav/calendar/"
#define MORE     "/dav/more/"
#define SILENT   "Apple-iPhone11C2/1607.77"
#define CALENDAR 8
#define OTHER    13

enum { ACCEPT = 1, TENTATIVE = 2, DECLINE = 3 };

static const char *const versions[] = {"2.5", "12.0", "12.1", "14.0", "14.1"};

static struct eas e;
static struct phone p;
static struct fake_dav *calendars; /* NULL: there is no CalDAV server */
static const char *user_agent;
static struct device_folder *inbox;
static char collection[80], item[80]; /* of the invitation */

#define TIMES   "DTSTART:20260310T120000Z\nDTEND:20260310T130000Z\n"
#define WEEKLY  TIMES "RRULE:FREQ=WEEKLY;COUNT=8\n"
#define SECOND  "2026-03-17T12:00:00.000Z"
#define BY(who) "ORGANIZER:mailto:" who "\n"
#define ANN     "ATTENDEE;RSVP=TRUE;PARTSTAT=NEEDS-ACTION:mailto:ann@example.test\n"
#define BOSS    BY("boss@x.test") ANN
#define EVENT(uid, seq, lines)                                                                 \
	"BEGIN:VEVENT\nUID:" uid "\nSUMMARY:Plans\nDTSTAMP:20260301T080000Z\nSEQUENCE:" seq    \
	"\n" lines "END:VEVENT\n"
#define ICS(method, events)                                                                    \
	"BEGIN:VCALENDAR\nPRODID:x\nVERSION:2.0\n" method events "END:VCALENDAR\n"
#define MAIL(ics)                                                                              \
	"From: boss@x.test\nTo: ann@example.test\nSubject: Plans\nMIME-Version: 1.0\n"         \
	"Content-Type: multipart/alternative; boundary=b\n\n--b\nContent-Type: text/plain\n\n" \
	"Come\n--b\nContent-Type: text/calendar; method=REQUEST; charset=utf-8\n\n" ics        \
	"--b--\n"
#define REQUEST    "METHOD:REQUEST\n"
#define INVITATION MAIL(ICS(REQUEST, EVENT("u1@x", "0", BOSS TIMES)))
#define SERIES     MAIL(ICS(REQUEST, EVENT("u1@x", "0", BOSS WEEKLY)))

static void hook(struct eas *eas UNUSED, struct services *sv, struct request *rq)
{
	sv->calendars = calendars ? fake_dav_dav(calendars) : NULL;
	if (user_agent)
		rq->user_agent = str_of(user_agent);
}

static void begin_with(const char *version, const char *mail, const char *conf)
{
	eas_init(&e, conf);
	e.open = hook;
	user_agent = NULL;
	calendars = fake_dav_new();
	fake_dav_collection(calendars, HOME, "Calendar", DAV_EVENTS);
	fake_dav_collection(calendars, MORE, "More", DAV_EVENTS);
	fake_dav_default(calendars, HOME);
	(void)fake_mail_add(e.mail, "INBOX", 0, 1772532000, mail);
	eas_phone(&e, &p, "phone", version);
	story_set_up(&p);
	inbox = phone_folder(&p, STORY_INBOX);
	assert_non_null(phone_folder(&p, CALENDAR));
	(void)snprintf(collection, sizeof(collection), "%s", inbox->id);
	(void)snprintf(item, sizeof(item), "%s", inbox->v[0].id);
}

static void begin(const char *version, const char *mail)
{
	begin_with(version, mail, "");
}

static void end(void)
{
	phone_release(&p);
	eas_release(&e);
	fake_dav_free(calendars);
	calendars = NULL;
}

/* The answer about the invitation; borrowed until the next request. */
static const struct elem *respond(unsigned answer, const char *instance)
{
	char text[1024], more[160] = "";

	if (instance)
		(void)snprintf(more, sizeof(more), "    meetingresponse:InstanceId \"%s\"\n",
			instance);
	(void)snprintf(text, sizeof(text),
		"meetingresponse:MeetingResponse\n  meetingresponse:Request\n"
		"    meetingresponse:UserResponse \"%u\"\n"
		"    meetingresponse:CollectionId \"%s\"\n"
		"    meetingresponse:RequestId \"%s\"\n%s",
		answer, collection, item, more);
	return elem_child(phone_post(&p, "MeetingResponse", text), MEETINGRESPONSE_RESULT);
}

static unsigned status(const struct elem *result)
{
	return elem_u32(result, MEETINGRESPONSE_STATUS, 0);
}

static struct str calendar_id(const struct elem *result)
{
	return elem_text(result, MEETINGRESPONSE_CALENDAR_ID);
}

/* From now on the item of the calendar is what is answered. */
static void point_at(struct str id)
{
	(void)snprintf(item, sizeof(item), "%.*s", STR_FMT(id));
	(void)snprintf(collection, sizeof(collection), "%.*s",
		STR_FMT(str_sub(id, 0, str_find(id, ':'))));
}

/* The i-th object of a collection; STR_NONE. */
static struct str object(const char *path, size_t i)
{
	struct str href = fake_dav_href(calendars, path, i);
	char name[256];

	(void)snprintf(
		name, sizeof(name), "%.*s", STR_FMT(str_sub(href, strlen(path), href.n)));
	return href.p ? fake_dav_text(calendars, path, name) : STR_NONE;
}

static void has(const char *what)
{
	struct str s = object(HOME, 0);

	if (!s.p || str_search(s, str_of(what)) == s.n)
		fail_msg("%s: \"%s\" is not in\n%.*s", p.version, what, STR_FMT(s));
}

static void lacks(const char *what)
{
	struct str s = object(HOME, 0);

	if (!s.p || str_search(s, str_of(what)) < s.n)
		fail_msg("%s: \"%s\" is in\n%.*s", p.version, what, STR_FMT(s));
}

static size_t stored(void)
{
	return fake_dav_count(calendars, HOME) + fake_dav_count(calendars, MORE);
}

#define NOW_ACCEPTED "PARTSTAT=ACCEPTED:mailto:ann@example.test"
#define NOW_MAYBE    "PARTSTAT=TENTATIVE:mailto:ann@example.test"

/* S17, K15, C53 */
static void test_an_acceptance_gets_into_the_calendar(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
		const struct elem *r;
		char id[80];

		begin(versions[i], INVITATION);
		r = respond(ACCEPT, NULL);
		assert_int_equal(status(r), 1);
		assert_true(str_is(elem_text(r, MEETINGRESPONSE_REQUEST_ID), item));
		(void)snprintf(id, sizeof(id), "%s:", phone_folder(&p, CALENDAR)->id);
		assert_true(str_starts(calendar_id(r), id));
		assert_int_equal(stored(), 1);
		has(NOW_ACCEPTED);
		has("X-MICROSOFT-CDO-BUSYSTATUS:BUSY");
		lacks("METHOD");
		/* K14: the device sends the mail. */
		assert_int_equal(e.submitted, 0);
		/* K21 */
		assert_int_equal(fake_mail_count(e.mail, "INBOX"), 0);
		assert_int_equal(fake_mail_count(e.mail, "Trash"), 1);
		story_must(phone_sync(&p, inbox, 10, ""), &p);
		assert_int_equal(inbox->n, 0);
		end();
	}
}

static void test_a_maybe_and_a_refusal(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
		const struct elem *r;

		begin(versions[i], INVITATION);
		r = respond(TENTATIVE, NULL);
		assert_int_equal(status(r), 1);
		assert_true(calendar_id(r).n > 0);
		has(NOW_MAYBE);
		has("X-MICROSOFT-CDO-BUSYSTATUS:TENTATIVE");
		end();
		begin(versions[i], INVITATION);
		r = respond(DECLINE, NULL);
		assert_int_equal(status(r), 1);
		assert_false(elem_has(r, MEETINGRESPONSE_CALENDAR_ID));
		assert_int_equal(stored(), 0);
		assert_int_equal(fake_mail_count(e.mail, "INBOX"), 0);
		end();
	}
}

/* The children of Result in the order of the schema. */
static void test_the_result_is_in_order(void **state UNUSED)
{
	static const tag_t order[] = {MEETINGRESPONSE_REQUEST_ID, MEETINGRESPONSE_STATUS,
		MEETINGRESPONSE_CALENDAR_ID, MEETINGRESPONSE_INSTANCE_ID};
	const struct elem *r;
	size_t i = 0;

	begin("14.1", SERIES);
	r = respond(ACCEPT, SECOND);
	assert_int_equal(status(r), 1);
	for (const struct elem *c = r->child; c; c = c->next)
		assert_int_equal(c->tag, order[i++]);
	assert_int_equal(i, ARRAY_LEN(order));
	end();
}

/* clients.md: the event is there already, put there by the server or another program. */
static void test_an_event_of_the_calendar_is_answered(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
		struct phone_book b;
		const struct elem *r;
		char id[80];

		begin(versions[i], INVITATION);
		point_at(calendar_id(respond(TENTATIVE, NULL)));
		(void)snprintf(id, sizeof(id), "%s", item);
		phone_book_init(&b, phone_folder(&p, CALENDAR));
		r = respond(ACCEPT, NULL);
		assert_int_equal(status(r), 1);
		assert_true(str_is(calendar_id(r), id));
		assert_int_equal(stored(), 1);
		has(NOW_ACCEPTED);
		lacks(NOW_MAYBE);
		r = respond(DECLINE, NULL);
		assert_int_equal(status(r), 1);
		assert_int_equal(calendar_id(r).n, 0);
		assert_int_equal(stored(), 0);
		/* The answer got lost. */
		assert_int_equal(status(respond(DECLINE, NULL)), 1);
		/* And this was never so. */
		assert_int_equal(status(respond(TENTATIVE, NULL)), 2);
		phone_book_release(&b);
		end();
	}
}

/* K10: however often, and from wherever. */
static void test_it_is_one_event_however_often_it_comes(void **state UNUSED)
{
	char id[80];

	begin("14.1", INVITATION);
	(void)snprintf(id, sizeof(id), "%.*s", STR_FMT(calendar_id(respond(ACCEPT, NULL))));
	/* The invitation is in Trash by now. */
	for (unsigned i = 0; i < 3; i++) {
		const struct elem *r = respond(ACCEPT, NULL);

		assert_int_equal(status(r), 1);
		assert_true(str_is(calendar_id(r), id));
	}
	/* It is sent once more. */
	(void)fake_mail_add(e.mail, "INBOX", 0, 1772532000, INVITATION);
	story_must(phone_sync(&p, inbox, 10, ""), &p);
	(void)snprintf(item, sizeof(item), "%s", inbox->v[0].id);
	assert_true(str_is(calendar_id(respond(ACCEPT, NULL)), id));
	assert_int_equal(stored(), 1);
	/* Another program has put it there under a name of its own. */
	end();
	begin("14.1", INVITATION);
	(void)fake_dav_put(calendars, HOME, "mine.ics",
		ICS("", EVENT("u1@x", "0", BOSS TIMES "X-MINE:1\n")));
	assert_int_equal(status(respond(ACCEPT, NULL)), 1);
	assert_int_equal(stored(), 1);
	has("X-MINE:1");
	has(NOW_ACCEPTED);
	end();
}

static void test_the_user_changes_his_mind(void **state UNUSED)
{
	begin("12.1", INVITATION);
	assert_int_equal(status(respond(DECLINE, NULL)), 1);
	/* The phone has not heard yet that the invitation is elsewhere. */
	assert_int_equal(status(respond(ACCEPT, NULL)), 1);
	has(NOW_ACCEPTED);
	assert_int_equal(status(respond(TENTATIVE, NULL)), 1);
	has(NOW_MAYBE);
	assert_int_equal(stored(), 1);
	end();
}

static unsigned estimate(const struct phone_book *b)
{
	char text[512];

	(void)snprintf(text, sizeof(text),
		"getitemestimate:GetItemEstimate\n  getitemestimate:Collections\n"
		"    getitemestimate:Collection\n      airsync:SyncKey \"%s\"\n"
		"      getitemestimate:CollectionId \"%s\"\n",
		b->key, b->id);
	return elem_u32(elem_child(elem_child(phone_post(&p, "GetItemEstimate", text),
					   GETITEMESTIMATE_RESPONSE),
				GETITEMESTIMATE_COLLECTION),
		GETITEMESTIMATE_ESTIMATE, 999);
}

/* The device that answered is told of the item as all others are: it may not have it. */
static void test_the_item_is_news(void **state UNUSED)
{
	struct phone_book b;

	begin("14.1", INVITATION);
	phone_book_init(&b, phone_folder(&p, CALENDAR));
	story_must(phone_book_sync(&p, &b, 10, NULL, 0), &p);
	assert_int_equal(estimate(&b), 0);
	assert_int_equal(status(respond(ACCEPT, NULL)), 1);
	assert_int_equal(estimate(&b), 1);
	/* As an invitation that was accepted, and of which others are told. */
	story_must(phone_book_sync(&p, &b, 10, NULL, 0), &p);
	assert_non_null(phone_book_find(&b, "calendar:Subject \"Plans\""));
	assert_non_null(phone_book_find(&b, "calendar:MeetingStatus \"3\""));
	assert_non_null(phone_book_find(&b, "calendar:BusyStatus \"2\""));
	assert_non_null(phone_book_find(&b, "calendar:AttendeeStatus \"3\""));
	point_at(str_of(b.v[0].id));
	assert_int_equal(status(respond(TENTATIVE, NULL)), 1);
	story_must(phone_book_sync(&p, &b, 10, NULL, 0), &p);
	assert_int_equal(b.n, 1);
	assert_non_null(phone_book_find(&b, "calendar:BusyStatus \"1\""));
	assert_non_null(phone_book_find(&b, "calendar:AttendeeStatus \"2\""));
	assert_int_equal(status(respond(DECLINE, NULL)), 1);
	story_must(phone_book_sync(&p, &b, 10, NULL, 0), &p);
	assert_int_equal(b.n, 0);
	phone_book_release(&b);
	end();
}

/* C54 */
static void test_one_occurrence_is_answered(void **state UNUSED)
{
	const struct elem *r;
	char id[80];

	begin("14.1", SERIES);
	point_at(calendar_id(respond(ACCEPT, NULL)));
	(void)snprintf(id, sizeof(id), "%s", item);
	r = respond(TENTATIVE, SECOND);
	assert_int_equal(status(r), 1);
	assert_true(str_is(elem_text(r, MEETINGRESPONSE_INSTANCE_ID), SECOND));
	assert_true(str_is(calendar_id(r), id));
	has("RECURRENCE-ID:20260317T120000Z");
	has(NOW_MAYBE);
	has(NOW_ACCEPTED);
	assert_int_equal(status(respond(DECLINE, "20260324T120000Z")), 1);
	has("EXDATE:20260324T120000Z");
	assert_int_equal(status(respond(DECLINE, SECOND)), 1);
	has("EXDATE:20260317T120000Z");
	lacks("RECURRENCE-ID");
	assert_int_equal(stored(), 1);
	assert_int_equal(status(respond(ACCEPT, "2026-03-18T12:00:00.000Z")), 2);
	assert_int_equal(status(respond(ACCEPT, "tomorrow")), 104);
	assert_int_equal(status(respond(ACCEPT, "")), 104);
	p.version = "14.0";
	assert_int_equal(status(respond(ACCEPT, SECOND)), 2);
	end();
	begin("14.1", INVITATION);
	assert_int_equal(status(respond(ACCEPT, "2026-03-10T12:00:00.000Z")), 146);
	assert_int_equal(stored(), 0);
	end();
}

/* K18, and all that is no invitation. Nothing is done then. */
static void test_what_cannot_be_answered(void **state UNUSED)
{
	static const char *const bad[] = {
		MAIL(ICS(REQUEST, EVENT("u1", "0", BY("ann@example.test") ANN TIMES))),
		MAIL(ICS(REQUEST, "")),
		MAIL("nonsense\n"),
		"From: boss@x.test\nSubject: Plans\n\nNo invitation\n",
		"From: boss@x.test\nMIME-Version: 1.0\n"
		"Content-Type: text/calendar; method=CANCEL\n\n" ICS(
			"METHOD:CANCEL\n", EVENT("u1", "0", BOSS TIMES)),
		"From: boss@x.test\nMIME-Version: 1.0\n"
		"Content-Type: text/calendar; method=REPLY\n\n" ICS(
			"METHOD:REPLY\n", EVENT("u1", "0", BOSS TIMES)),
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		begin(versions[i % ARRAY_LEN(versions)], bad[i]);
		for (unsigned answer = ACCEPT; answer <= DECLINE; answer++)
			assert_int_equal(status(respond(answer, NULL)), 2);
		assert_int_equal(stored(), 0);
		assert_int_equal(fake_mail_count(e.mail, "INBOX"), 1);
		end();
	}
}

static void test_ids_that_mean_nothing(void **state UNUSED)
{
	static const char *const ids[] = {"", "x", "99999:1", ":", "RI:1", NULL};

	begin("14.1", INVITATION);
	for (size_t i = 0; ids[i]; i++) {
		(void)snprintf(item, sizeof(item), "%s", ids[i]);
		assert_int_equal(status(respond(ACCEPT, NULL)), 2);
	}
	(void)snprintf(item, sizeof(item), "%s:77", inbox->id);
	assert_int_equal(status(respond(ACCEPT, NULL)), 2);
	/* An item of one folder in another. */
	(void)snprintf(item, sizeof(item), "%s", inbox->v[0].id);
	(void)snprintf(collection, sizeof(collection), "%s", phone_folder(&p, STORY_SENT)->id);
	assert_int_equal(status(respond(ACCEPT, NULL)), 2);
	(void)snprintf(collection, sizeof(collection), "%s", phone_folder(&p, CALENDAR)->id);
	(void)snprintf(item, sizeof(item), "%s:77", collection);
	assert_int_equal(status(respond(ACCEPT, NULL)), 2);
	assert_int_equal(status(respond(9, NULL)), 2);
	assert_int_equal(stored(), 0);
	end();
}

/* commands.md 21 */
static void test_a_request_has_bounds(void **state UNUSED)
{
	struct arena *a = arena_new();
	struct str text = STR("meetingresponse:MeetingResponse\n");
	const struct elem *r;

	begin("14.1", INVITATION);
	(void)phone_post(&p, "MeetingResponse", arena_cstr(a, text));
	assert_int_equal(e.seen.status, 103);
	for (unsigned i = 0; i < 100; i++)
		text = arena_printf(a,
			"%.*s  meetingresponse:Request\n    meetingresponse:UserResponse \"1\"\n"
			"    meetingresponse:CollectionId \"%s\"\n"
			"    meetingresponse:RequestId \"%s\"\n",
			STR_FMT(text), collection, item);
	r = phone_post(&p, "MeetingResponse", arena_cstr(a, text));
	assert_int_equal(elem_count(r, MEETINGRESPONSE_RESULT), 100);
	for (r = elem_child(r, MEETINGRESPONSE_RESULT); r; r = elem_again(r))
		assert_int_equal(status(r), 1);
	assert_int_equal(stored(), 1);
	text = arena_printf(a, "%.*s  meetingresponse:Request\n", STR_FMT(text));
	(void)phone_post(&p, "MeetingResponse", arena_cstr(a, text));
	assert_int_equal(e.seen.status, 103);
	p.version = "12.1";
	(void)phone_post(&p, "MeetingResponse", arena_cstr(a, text));
	assert_int_equal(e.seen.http, 400);
	end();
	arena_free(a);
}

static unsigned by_long_id(const char *id, const char *more)
{
	char text[512];

	(void)snprintf(text, sizeof(text),
		"meetingresponse:MeetingResponse\n  meetingresponse:Request\n"
		"    meetingresponse:UserResponse \"1\"\n    search:LongId \"%s\"\n%s",
		id, more);
	return status(
		elem_child(phone_post(&p, "MeetingResponse", text), MEETINGRESPONSE_RESULT));
}

static void test_a_hit_of_a_search_is_answered(void **state UNUSED)
{
	struct err err = ERR_INIT;
	struct mail_mark mark;
	char id[120];

	begin("12.1", INVITATION);
	assert_int_equal(
		mail_call(fake_mail_mail(e.mail), status, STR("INBOX"), &mark, &err), RC_OK);
	(void)snprintf(id, sizeof(id), "L:%s:%u", item, mark.uidvalidity);
	assert_int_equal(by_long_id(id, "    meetingresponse:RequestId \"1:1\"\n"), 2);
	p.version = "14.1";
	assert_int_equal(by_long_id(id, "    meetingresponse:RequestId \"1:1\"\n"), 105);
	assert_int_equal(by_long_id("L:1:1:7777", ""), 2);
	assert_int_equal(stored(), 0);
	assert_int_equal(by_long_id(id, ""), 1);
	assert_int_equal(by_long_id(id, ""), 1);
	assert_int_equal(stored(), 1);
	has(NOW_ACCEPTED);
	end();
}

/* An update, and what was sent before it. */
static void test_a_newer_event_is_not_undone(void **state UNUSED)
{
	static const char newer[] =
		ICS("", EVENT("u1@x", "3", BOSS "DTSTART:20260311T120000Z\nLOCATION:There\n"));

	begin("14.1", INVITATION);
	(void)fake_dav_put(calendars, HOME, "mine.ics", newer);
	for (unsigned answer = ACCEPT; answer <= DECLINE; answer++)
		assert_int_equal(status(respond(answer, NULL)), 2);
	assert_true(str_is(object(HOME, 0), newer));
	end();
	/* K20: the update is declined, and nothing stays at the old time. */
	begin("14.1", MAIL(ICS(REQUEST, EVENT("u1@x", "4", BOSS TIMES))));
	(void)fake_dav_put(calendars, HOME, "mine.ics", newer);
	assert_int_equal(status(respond(DECLINE, NULL)), 1);
	assert_int_equal(stored(), 0);
	end();
}

static void another_writes(void *ctx)
{
	(void)fake_dav_put(calendars, HOME, ctx,
		ICS("", EVENT("u1@x", "0", BOSS TIMES "X-MEANWHILE:1\n")));
}

static void test_what_another_writes_meanwhile_stays(void **state UNUSED)
{
	static char name[] = "mine.ics";

	begin("14.1", INVITATION);
	(void)fake_dav_put(calendars, HOME, name, ICS("", EVENT("u1@x", "0", BOSS TIMES)));
	fake_dav_meanwhile(calendars, another_writes, name);
	assert_int_equal(status(respond(ACCEPT, NULL)), 1);
	has("X-MEANWHILE:1");
	has(NOW_ACCEPTED);
	assert_int_equal(stored(), 1);
	end();
}

static void remove_it(void *ctx UNUSED)
{
	fake_dav_remove(calendars, HOME, "mine.ics");
}

static void test_what_another_removes_meanwhile(void **state UNUSED)
{
	for (unsigned answer = ACCEPT; answer <= DECLINE; answer += 2) {
		begin("14.1", INVITATION);
		(void)fake_dav_put(
			calendars, HOME, "mine.ics", ICS("", EVENT("u1@x", "0", BOSS TIMES)));
		fake_dav_meanwhile(calendars, remove_it, NULL);
		assert_int_equal(status(respond(answer, NULL)), 1);
		assert_int_equal(stored(), answer == ACCEPT);
		end();
	}
}

static void test_a_server_that_cannot_look_for_a_uid(void **state UNUSED)
{
	begin("14.1", INVITATION);
	fake_dav_cannot_find(calendars, true);
	assert_int_equal(status(respond(TENTATIVE, NULL)), 1);
	assert_int_equal(status(respond(ACCEPT, NULL)), 1);
	assert_int_equal(stored(), 1);
	has(NOW_ACCEPTED);
	end();
}

static void test_without_a_calendar_one_can_only_decline(void **state UNUSED)
{
	begin("14.1", INVITATION);
	fake_dav_free(calendars);
	calendars = NULL;
	assert_int_equal(status(respond(ACCEPT, NULL)), 4);
	assert_int_equal(status(respond(TENTATIVE, NULL)), 4);
	assert_int_equal(fake_mail_count(e.mail, "INBOX"), 1);
	assert_int_equal(status(respond(DECLINE, NULL)), 1);
	assert_int_equal(status(respond(DECLINE, NULL)), 1);
	assert_int_equal(fake_mail_count(e.mail, "INBOX"), 0);
	end();
}

static void test_a_calendar_that_only_may_be_read(void **state UNUSED)
{
	begin("14.1", INVITATION);
	fake_dav_read_only(calendars, HOME, true);
	assert_int_equal(status(respond(ACCEPT, NULL)), 3);
	assert_int_equal(stored(), 0);
	assert_int_equal(fake_mail_count(e.mail, "INBOX"), 1);
	end();
}

/* All calendars as one: the event is looked for in each of them, and stays where it is. */
static void test_calendars_that_are_shown_as_one(void **state UNUSED)
{
	const struct elem *r;
	char id[80];

	begin_with("14.1", INVITATION, "calendar_merge = yes\n");
	(void)fake_dav_put(
		calendars, MORE, "mine.ics", ICS("", EVENT("u1@x", "0", BOSS TIMES)));
	r = respond(ACCEPT, NULL);
	assert_int_equal(status(r), 1);
	(void)snprintf(id, sizeof(id), "%s:", phone_folder(&p, CALENDAR)->id);
	assert_true(str_starts(calendar_id(r), id));
	assert_int_equal(fake_dav_count(calendars, HOME), 0);
	assert_true(str_search(object(MORE, 0), STR(NOW_ACCEPTED)) < object(MORE, 0).n);
	end();
}

static void put_elsewhere(void)
{
	(void)fake_dav_put(calendars, MORE, "mine.ics",
		ICS("", EVENT("u1@x", "0", BOSS TIMES "X-MINE:1\n")));
}

static bool elsewhere_has(const char *what)
{
	struct str s = object(MORE, 0);

	return s.p && str_search(s, str_of(what)) < s.n;
}

/* K10: the user has put it into another of his calendars, and there it stays. */
static void test_an_event_of_another_calendar(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
		const struct elem *r;
		char id[80];

		begin(versions[i], INVITATION);
		put_elsewhere();
		(void)snprintf(id, sizeof(id), "%s:", phone_folder(&p, OTHER)->id);
		r = respond(ACCEPT, NULL);
		assert_int_equal(status(r), 1);
		assert_true(str_starts(calendar_id(r), id));
		assert_int_equal(fake_dav_count(calendars, HOME), 0);
		assert_true(elsewhere_has(NOW_ACCEPTED));
		assert_true(elsewhere_has("X-MINE:1"));
		/* It is what the device finds there. */
		point_at(calendar_id(r));
		assert_int_equal(status(respond(TENTATIVE, NULL)), 1);
		assert_true(elsewhere_has(NOW_MAYBE));
		assert_int_equal(stored(), 1);
		end();
		begin(versions[i], INVITATION);
		put_elsewhere();
		/* It may be the organizer's own, shared with the user: he is out, it stays. */
		assert_int_equal(status(respond(DECLINE, NULL)), 1);
		assert_int_equal(stored(), 1);
		assert_true(elsewhere_has("PARTSTAT=DECLINED"));
		end();
	}
	/* Of two of them it is that of the default calendar. */
	begin("14.1", INVITATION);
	put_elsewhere();
	(void)fake_dav_put(
		calendars, HOME, "mine.ics", ICS("", EVENT("u1@x", "0", BOSS TIMES)));
	assert_int_equal(status(respond(ACCEPT, NULL)), 1);
	has(NOW_ACCEPTED);
	assert_false(elsewhere_has(NOW_ACCEPTED));
	end();
}

/* Nothing but the default calendar is needed. */
static void test_another_calendar_that_is_gone_or_closed(void **state UNUSED)
{
	static const enum rc failures[] = {RC_ABSENT, RC_DENIED};

	for (size_t i = 0; i < ARRAY_LEN(failures); i++)
		for (unsigned answer = ACCEPT; answer <= DECLINE; answer += 2) {
			begin("14.1", INVITATION);
			fake_dav_fail_with(calendars, 2, failures[i]);
			assert_int_equal(status(respond(answer, NULL)), 1);
			assert_int_equal(
				fake_dav_count(calendars, HOME), answer == ACCEPT ? 1 : 0);
			end();
			begin("14.1", INVITATION);
			fake_dav_fail_with(calendars, 1, failures[i]);
			assert_int_equal(status(respond(answer, NULL)), 3);
			assert_int_equal(stored(), 0);
			assert_int_equal(fake_mail_count(e.mail, "INBOX"), 1);
			end();
		}
	begin("14.1", INVITATION);
	fake_dav_collection_delete(calendars, MORE);
	assert_int_equal(status(respond(ACCEPT, NULL)), 1);
	assert_int_equal(fake_dav_count(calendars, HOME), 1);
	end();
}

/* A calendar of others, who have the same meeting: the user gets one of his own. */
static void test_another_calendar_that_only_may_be_read(void **state UNUSED)
{
	char id[80];

	for (unsigned answer = ACCEPT; answer <= DECLINE; answer++) {
		const struct elem *r;

		begin("14.1", INVITATION);
		put_elsewhere();
		fake_dav_read_only(calendars, MORE, true);
		(void)snprintf(id, sizeof(id), "%s:", phone_folder(&p, CALENDAR)->id);
		r = respond(answer, NULL);
		assert_int_equal(status(r), 1);
		assert_true(answer == DECLINE || str_starts(calendar_id(r), id));
		assert_int_equal(fake_dav_count(calendars, HOME), answer == DECLINE ? 0 : 1);
		assert_int_equal(fake_dav_count(calendars, MORE), 1);
		assert_false(elsewhere_has("X-MICROSOFT-CDO-BUSYSTATUS"));
		end();
	}
}

/* K10: a worker dies, or an answer gets lost, and the event is in another calendar. */
static void test_a_failure_with_another_calendar(void **state UNUSED)
{
	for (unsigned answer = ACCEPT; answer <= DECLINE; answer += 2)
		for (unsigned n = 1; n <= 12; n++) {
			const struct elem *r;

			begin("14.1", INVITATION);
			put_elsewhere();
			fake_dav_fail_after(calendars, (n + 1) / 2, n % 2 == 0);
			r = respond(answer, NULL);
			fake_dav_fail_after(calendars, 0, false);
			if (status(r) != 1)
				r = respond(answer, NULL);
			assert_int_equal(status(r), 1);
			assert_int_equal(stored(), 1);
			assert_true(elsewhere_has(
				answer == DECLINE ? "PARTSTAT=DECLINED" : NOW_ACCEPTED));
			end();
		}
}

/* However many calendars there are. */
static void test_only_so_many_calendars_are_looked_in(void **state UNUSED)
{
	unsigned before;

	begin("14.1", INVITATION);
	for (unsigned i = 0; i < 80; i++) {
		char path[32];

		(void)snprintf(path, sizeof(path), "/dav/x%u/", i);
		fake_dav_collection(calendars, path, "X", DAV_EVENTS);
	}
	story_must(phone_folder_sync(&p), &p);
	before = fake_dav_trips(calendars);
	assert_int_equal(status(respond(ACCEPT, NULL)), 1);
	assert_int_equal(fake_dav_count(calendars, HOME), 1);
	/* 50, and the event is written. */
	assert_in_range(fake_dav_trips(calendars) - before, 51, 55);
	end();
}

/* Events whose UID has that of the invitation in it, before it. */
static void put_similar(unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		char name[32], text[512];

		(void)snprintf(name, sizeof(name), "a%03u.ics", i);
		(void)snprintf(
			text, sizeof(text), ICS("", EVENT("u1@x%u", "0", BOSS TIMES)), i);
		(void)fake_dav_put(calendars, HOME, name, text);
	}
}

/* K10 */
static void test_a_server_that_takes_a_part_for_the_whole(void **state UNUSED)
{
	unsigned before;

	begin("14.1", INVITATION);
	put_similar(499);
	(void)fake_dav_put(
		calendars, HOME, "mine.ics", ICS("", EVENT("u1@x", "0", BOSS TIMES)));
	assert_int_equal(status(respond(ACCEPT, NULL)), 1);
	assert_int_equal(stored(), 500);
	assert_true(str_search(fake_dav_text(calendars, HOME, "mine.ics"), STR(NOW_ACCEPTED)) <
		    fake_dav_text(calendars, HOME, "mine.ics").n);
	end();
	/* But not for ever. */
	begin("14.1", INVITATION);
	put_similar(900);
	before = fake_dav_trips(calendars);
	assert_int_equal(status(respond(DECLINE, NULL)), 1);
	assert_int_equal(stored(), 900);
	/* 10 to read, and two calendars to look in. */
	assert_int_equal(fake_dav_trips(calendars) - before, 12);
	end();
}

/* ---- the mail to the organizer ---- */

static void test_programs_that_leave_the_mail_to_the_server(void **state UNUSED)
{
	static const struct {
		const char *agent;
		bool silent;
	} rows[] = {
		{"Apple-iPhone11C2/1607.77", true },
		{"Apple-iPad6C4/1707.68",    true },
		{"apple-ipod9c1/1701.577",   true },
		{"Apple-iPhone9C3/1606.1",   false},
		{"Apple-iPhone9C3/1708.1",   false},
		{"Apple-iPhone9C3/",         false},
		{"Android/1607.1",           false},
		{"Apple-iPhone",             false},
		{"",			 false},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_int_equal(
			(quirks_of_program(str_of(rows[i].agent)) & QUIRK_NO_REPLY) != 0,
			rows[i].silent);
	assert_int_equal(quirks_of_program(STR_NONE), 0);
}

static void sent_has(const char *what)
{
	if (str_search(buf_str(&e.last_message), str_of(what)) == e.last_message.n)
		fail_msg("\"%s\" is not in\n%.*s", what, STR_FMT(buf_str(&e.last_message)));
}

/* K9, K14 */
static void test_the_organizer_is_told_once_of_each_decision(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
		begin(versions[i], INVITATION);
		user_agent = SILENT;
		for (unsigned k = 0; k < 3; k++)
			assert_int_equal(status(respond(ACCEPT, NULL)), 1);
		assert_int_equal(e.submitted, 1);
		assert_string_equal(e.last_to, "boss@x.test");
		assert_string_equal(e.last_from, "ann@example.test");
		sent_has("Subject: Accepted: Plans\r\n");
		sent_has("method=REPLY");
		assert_int_equal(fake_mail_count(e.mail, "Sent"), 1);
		/* No, and yes after all. */
		assert_int_equal(status(respond(DECLINE, NULL)), 1);
		sent_has("Subject: Declined: Plans\r\n");
		assert_int_equal(status(respond(ACCEPT, NULL)), 1);
		sent_has("Subject: Accepted: Plans\r\n");
		assert_int_equal(e.submitted, 3);
		/* From the calendar: nothing new. */
		point_at(calendar_id(respond(ACCEPT, NULL)));
		assert_int_equal(status(respond(ACCEPT, NULL)), 1);
		assert_int_equal(e.submitted, 3);
		end();
	}
}

#define MOVED(day)                                                                             \
	MAIL(ICS(REQUEST,                                                                      \
		EVENT("u1@x", "1",                                                             \
			BOSS "RECURRENCE-ID:202603" day "T120000Z\nDTSTART:202603" day         \
			     "T140000Z\nDTEND:202603" day "T150000Z\n")))

static void another_mail(const char *text)
{
	(void)fake_mail_add(e.mail, "INBOX", 0, 1772532000, text);
	story_must(phone_sync(&p, inbox, 10, ""), &p);
	(void)snprintf(item, sizeof(item), "%s", inbox->v[0].id);
}

/* K9: each occurrence that was moved is a meeting by itself, with whatever number. */
static void test_the_organizer_is_told_of_each_occurrence(void **state UNUSED)
{
	static const char *const moved[] = {MOVED("17"), MOVED("24"), MOVED("31")};

	begin("14.1", SERIES);
	user_agent = SILENT;
	assert_int_equal(status(respond(ACCEPT, NULL)), 1);
	assert_int_equal(e.submitted, 1);
	for (unsigned i = 0; i < ARRAY_LEN(moved); i++) {
		another_mail(moved[i]);
		assert_int_equal(status(respond(ACCEPT, NULL)), 1);
		assert_int_equal(e.submitted, i + 2);
		/* Once of each. */
		assert_int_equal(status(respond(ACCEPT, NULL)), 1);
		another_mail(moved[i]);
		assert_int_equal(status(respond(ACCEPT, NULL)), 1);
		assert_int_equal(e.submitted, i + 2);
	}
	assert_int_equal(stored(), 1);
	end();
}

static void test_a_mail_that_is_refused(void **state UNUSED)
{
	begin("14.1", INVITATION);
	user_agent = SILENT;
	e.submit_rc = RC_DENIED;
	e.submit_why = ERR_BAD_RECIPIENT;
	assert_int_equal(status(respond(ACCEPT, NULL)), 4);
	assert_int_equal(fake_mail_count(e.mail, "INBOX"), 1);
	e.submit_rc = RC_OK;
	assert_int_equal(status(respond(ACCEPT, NULL)), 1);
	assert_int_equal(e.submitted, 1);
	assert_int_equal(stored(), 1);
	end();
	/* Nobody to write to. */
	begin("14.1", MAIL(ICS(REQUEST, EVENT("u1", "0", ANN TIMES))));
	user_agent = SILENT;
	assert_int_equal(status(respond(ACCEPT, NULL)), 4);
	end();
}

/* ---- failures ---- */

/* The n-th call of each backend fails, before or after its work; the phone asks again. */
static void with_failure(unsigned answer, unsigned which, unsigned n, bool after)
{
	const struct elem *r;

	begin("14.1", INVITATION);
	user_agent = SILENT;
	(void)fake_dav_put(
		calendars, HOME, "mine.ics", ICS("", EVENT("u1@x", "0", BOSS TIMES)));
	if (which == 0)
		fake_dav_fail_after(calendars, n, after);
	else if (which == 1)
		fake_mail_fail_after(e.mail, n, after);
	else
		fake_state_fail_after(e.state, n, after);
	r = respond(answer, NULL);
	fake_state_fail_after(e.state, 0, false);
	fake_mail_fail_after(e.mail, 0, false);
	fake_dav_fail_after(calendars, 0, false);
	if (status(r) != 1)
		r = respond(answer, NULL);
	assert_int_equal(status(r), 1);
	assert_int_equal(calendar_id(r).n > 0, answer != DECLINE);
	assert_int_equal(stored(), answer != DECLINE);
	if (answer != DECLINE)
		has(NOW_ACCEPTED);
	assert_int_equal(e.submitted, 1);
	assert_int_equal(fake_mail_count(e.mail, "INBOX"), 0);
	assert_int_equal(fake_mail_count(e.mail, "Trash"), 1);
	end();
}

/* K10, K14 */
static void test_a_failure_anywhere_is_survived(void **state UNUSED)
{
	static const unsigned calls[] = {8, 8, 30};

	for (unsigned answer = ACCEPT; answer <= DECLINE; answer += 2)
		for (unsigned which = 0; which < 3; which++)
			for (unsigned n = 1; n <= calls[which]; n++) {
				with_failure(answer, which, n, false);
				with_failure(answer, which, n, true);
			}
}

static void test_an_answer_that_gets_lost(void **state UNUSED)
{
	for (unsigned answer = ACCEPT; answer <= DECLINE; answer++) {
		begin("14.1", INVITATION);
		user_agent = SILENT;
		e.lose = 1;
		assert_int_equal(status(respond(answer, NULL)), 1);
		assert_int_equal(e.submitted, 1);
		assert_int_equal(stored(), answer != DECLINE);
		end();
	}
}

static void test_a_calendar_server_that_is_down(void **state UNUSED)
{
	begin("14.1", INVITATION);
	fake_dav_down(calendars, RC_UNAVAILABLE);
	assert_null(respond(ACCEPT, NULL));
	assert_int_equal(e.seen.http, 503);
	assert_int_equal(fake_mail_count(e.mail, "INBOX"), 1);
	fake_dav_down(calendars, RC_OK);
	assert_int_equal(status(respond(ACCEPT, NULL)), 1);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_acceptance_gets_into_the_calendar),
		cmocka_unit_test(test_a_maybe_and_a_refusal),
		cmocka_unit_test(test_the_result_is_in_order),
		cmocka_unit_test(test_an_event_of_the_calendar_is_answered),
		cmocka_unit_test(test_it_is_one_event_however_often_it_comes),
		cmocka_unit_test(test_the_user_changes_his_mind),
		cmocka_unit_test(test_the_item_is_news),
		cmocka_unit_test(test_one_occurrence_is_answered),
		cmocka_unit_test(test_what_cannot_be_answered),
		cmocka_unit_test(test_ids_that_mean_nothing),
		cmocka_unit_test(test_a_request_has_bounds),
		cmocka_unit_test(test_a_hit_of_a_search_is_answered),
		cmocka_unit_test(test_a_newer_event_is_not_undone),
		cmocka_unit_test(test_what_another_writes_meanwhile_stays),
		cmocka_unit_test(test_what_another_removes_meanwhile),
		cmocka_unit_test(test_a_server_that_cannot_look_for_a_uid),
		cmocka_unit_test(test_without_a_calendar_one_can_only_decline),
		cmocka_unit_test(test_a_calendar_that_only_may_be_read),
		cmocka_unit_test(test_calendars_that_are_shown_as_one),
		cmocka_unit_test(test_an_event_of_another_calendar),
		cmocka_unit_test(test_another_calendar_that_is_gone_or_closed),
		cmocka_unit_test(test_another_calendar_that_only_may_be_read),
		cmocka_unit_test(test_a_failure_with_another_calendar),
		cmocka_unit_test(test_only_so_many_calendars_are_looked_in),
		cmocka_unit_test(test_a_server_that_takes_a_part_for_the_whole),
		cmocka_unit_test(test_programs_that_leave_the_mail_to_the_server),
		cmocka_unit_test(test_the_organizer_is_told_once_of_each_decision),
		cmocka_unit_test(test_the_organizer_is_told_of_each_occurrence),
		cmocka_unit_test(test_a_mail_that_is_refused),
		cmocka_unit_test(test_a_failure_anywhere_is_survived),
		cmocka_unit_test(test_an_answer_that_gets_lost),
		cmocka_unit_test(test_a_calendar_server_that_is_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
