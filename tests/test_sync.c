/*
 * Sync of mail over the fakes: age filters, windows, defaults and refusals.
 * [MS-ASCMD] 2.2.1.21.
 */
#include "core/base/clock.h"
#include "tests/support_eas.h"
#include "tests/support_story.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { DAY = 86400 };

#define NOW 1772539200 /* 2026-03-03T12:00:00Z */

static struct eas e;
static struct phone p;
static struct device_folder *inbox;

static void begin(const char *version, const char *conf)
{
	clock_set_fake(NOW * 1000ll);
	eas_init(&e, conf);
	eas_phone(&e, &p, "phone", version);
	story_must(phone_provision(&p) && phone_folder_sync(&p), &p);
	inbox = phone_folder(&p, 2);
}

static void end(void)
{
	phone_release(&p);
	eas_release(&e);
	clock_set_fake(-1);
}

/* A Sync of the inbox with these lines in its Collection (six spaces deep); what the server
 * answers for it. The key is taken over. NULL: an empty answer. */
static const struct elem *sync_inbox(const char *lines)
{
	char text[4096];
	const struct elem *c;

	(void)snprintf(text, sizeof(text),
		"airsync:Sync\n  airsync:Collections\n    airsync:Collection\n%s"
		"      airsync:SyncKey \"%s\"\n      airsync:CollectionId \"%s\"\n%s",
		strcmp(p.version, "2.5") == 0 ? "      airsync:Class \"Email\"\n" : "",
		inbox->key, inbox->id, lines);
	c = phone_post(&p, "Sync", text);
	c = elem_child(elem_child(c, AIRSYNC_COLLECTIONS), AIRSYNC_COLLECTION);
	if (c && elem_u32(c, AIRSYNC_STATUS, 0) == 1)
		(void)snprintf(inbox->key, sizeof(inbox->key), "%.*s",
			STR_FMT(elem_text(c, AIRSYNC_SYNC_KEY)));
	return c;
}

static size_t commands(const struct elem *c, tag_t tag)
{
	return elem_count(elem_child(c, AIRSYNC_COMMANDS), tag);
}

#define FILTER(n) "      airsync:Options\n        airsync:FilterType \"" n "\"\n"

/* A message of so many days ago. */
static void add(int days)
{
	char subject[32];

	(void)snprintf(subject, sizeof(subject), "%d days old", days);
	(void)fake_mail_add_simple(e.mail, "INBOX", 0, NOW - (int64_t)days * DAY, subject);
}

/* S9, K8, 2.2.3.68.2; S9, C156 */
static void test_the_age_filter_limits_what_the_phone_holds(void **state UNUSED)
{
	static const struct {
		const char *options;
		size_t expected;
	} cases[] = {
		{FILTER("1"), 1},
		{FILTER("2"), 2},
		{FILTER("3"), 3},
		{FILTER("4"), 4},
		{FILTER("5"), 5},
		{FILTER("0"), 6},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		begin("14.1", "");
		add(0);
		add(2);
		add(5);
		add(10);
		add(20);
		add(100);
		(void)sync_inbox("");
		assert_int_equal(
			commands(sync_inbox(cases[i].options), AIRSYNC_ADD), cases[i].expected);
		end();
	}
}

/* C174: what may not be changed is told to the device as it is, though a window is used up. */
static void test_a_refused_flag_is_put_back(void **state UNUSED)
{
	for (unsigned window = 1; window < 3; window++) {
		const struct elem *c;
		char lines[512];

		begin("14.1", "");
		add(1);
		add(2);
		(void)sync_inbox("");
		assert_int_equal(commands(sync_inbox(""), AIRSYNC_ADD), 2);
		fake_mail_read_only(e.mail, "INBOX", true);
		fake_mail_expunge(e.mail, "INBOX", fake_mail_uid(e.mail, "INBOX", 1));
		(void)snprintf(lines, sizeof(lines),
			"      airsync:WindowSize \"%u\"\n      airsync:Commands\n"
			"        airsync:Change\n          airsync:ServerId \"%s:%u\"\n"
			"          airsync:ApplicationData\n            email:Read \"1\"\n",
			window, inbox->id, (unsigned)fake_mail_uid(e.mail, "INBOX", 0));
		c = sync_inbox(lines);
		assert_int_equal(commands(c, AIRSYNC_DELETE), 1);
		assert_int_equal(commands(c, AIRSYNC_CHANGE), 1);
		c = elem_child(elem_child(c, AIRSYNC_COMMANDS), AIRSYNC_CHANGE);
		assert_int_equal(
			elem_u32(elem_child(c, AIRSYNC_APPLICATION_DATA), EMAIL_READ, 9), 0);
		assert_null(sync_inbox(""));
		end();
	}
}

/* K8: a changed filter takes effect in the same round, in both directions; K8, C157 */
static void test_a_changed_filter_takes_effect_at_once(void **state UNUSED)
{
	const struct elem *c;

	begin("14.1", "");
	add(0);
	add(10);
	(void)sync_inbox("");
	assert_int_equal(commands(sync_inbox(FILTER("2")), AIRSYNC_ADD), 1);
	c = sync_inbox(FILTER("5"));
	assert_int_equal(commands(c, AIRSYNC_ADD), 1);
	c = sync_inbox(FILTER("2"));
	assert_int_equal(commands(c, AIRSYNC_SOFT_DELETE), 1);
	assert_int_equal(commands(c, AIRSYNC_DELETE), 0);
	/* It is gone from the phone only. */
	assert_int_equal(fake_mail_count(e.mail, "INBOX"), 2);
	assert_null(sync_inbox(""));
	end();
}

/* 2.2.3.167: as days go by, messages leave the window. */
/* C158 */
static void test_messages_grow_too_old(void **state UNUSED)
{
	const struct elem *c;

	begin("12.1", "");
	add(0);
	add(2);
	(void)sync_inbox("");
	assert_int_equal(commands(sync_inbox(FILTER("2")), AIRSYNC_ADD), 2);
	assert_null(sync_inbox(""));
	clock_set_fake((NOW + 2 * DAY) * 1000ll);
	c = sync_inbox("");
	assert_int_equal(commands(c, AIRSYNC_SOFT_DELETE), 1);
	/* One that was removed is deleted, not softly. */
	fake_mail_expunge(e.mail, "INBOX", 1);
	c = sync_inbox("");
	assert_int_equal(commands(c, AIRSYNC_DELETE), 1);
	assert_int_equal(commands(c, AIRSYNC_SOFT_DELETE), 0);
	end();
}

/* K12: newest first, in windows, whatever the phone asks for. */
/* K11, K12, C145, C147, requirements 3.4, 3.5, 4.4 */
static void test_windows_are_newest_first_and_bounded(void **state UNUSED)
{
	const struct elem *c, *add_of;
	size_t got = 0, windows = 0;
	uint32_t before = UINT32_MAX;

	begin("14.1", "window_max = 5\n");
	for (int i = 13; i > 0; i--)
		add(i);
	(void)sync_inbox("");
	do {
		c = sync_inbox("      airsync:WindowSize \"500\"\n");
		assert_true(commands(c, AIRSYNC_ADD) <= 5);
		add_of = elem_child(elem_child(c, AIRSYNC_COMMANDS), AIRSYNC_ADD);
		for (; add_of; add_of = elem_again(add_of)) {
			struct str id = elem_text(add_of, AIRSYNC_SERVER_ID);
			uint32_t uid = 0;

			assert_true(str_u32(str_sub(id, str_find(id, ':') + 1, id.n), &uid));
			assert_true(uid < before);
			before = uid;
			got++;
		}
		windows++;
	} while (elem_has(c, AIRSYNC_MORE_AVAILABLE));
	assert_int_equal(got, 13);
	assert_int_equal(windows, 3);
	end();
}

static void test_no_changes_are_sent_when_none_are_wanted(void **state UNUSED)
{
	const struct elem *c;

	begin("14.1", "");
	add(1);
	(void)sync_inbox("");
	c = sync_inbox("      airsync:GetChanges \"0\"\n");
	assert_int_equal(commands(c, AIRSYNC_ADD), 0);
	c = sync_inbox("      airsync:GetChanges\n");
	assert_int_equal(commands(c, AIRSYNC_ADD), 1);
	end();
}

#define CHANGE(id, data)                                                                       \
	"      airsync:Commands\n        airsync:Change\n          airsync:ServerId \"" id     \
	"\"\n          airsync:ApplicationData\n            " data

/* What a phone did itself does not come back to it. */
/* requirements 3.6 */
static void test_own_changes_are_not_echoed(void **state UNUSED)
{
	begin("14.1", "");
	add(1);
	(void)sync_inbox("");
	(void)sync_inbox(FILTER("0"));
	(void)sync_inbox(CHANGE("2:1", "email:Read \"1\"\n"));
	assert_int_equal(fake_mail_flags(e.mail, "INBOX", 1) & MAIL_SEEN, MAIL_SEEN);
	assert_null(sync_inbox(""));
	/* Another client's is told. */
	fake_mail_set_flags(e.mail, "INBOX", 1, 0);
	assert_int_equal(commands(sync_inbox(""), AIRSYNC_CHANGE), 1);
	end();
}

/* B20873: DeletesAsMoves is on unless it is switched off; C159, B20873 */
static void test_deletes_go_to_the_trash_unless_told_otherwise(void **state UNUSED)
{
	begin("14.1", "");
	add(1);
	add(2);
	(void)sync_inbox("");
	(void)sync_inbox(FILTER("0"));
	(void)sync_inbox("      airsync:Commands\n        airsync:Delete\n"
			 "          airsync:ServerId \"2:1\"\n");
	assert_int_equal(fake_mail_count(e.mail, "INBOX"), 1);
	assert_int_equal(fake_mail_count(e.mail, "Trash"), 1);
	(void)sync_inbox("      airsync:DeletesAsMoves \"0\"\n"
			 "      airsync:Commands\n        airsync:Delete\n"
			 "          airsync:ServerId \"2:2\"\n");
	assert_int_equal(fake_mail_count(e.mail, "INBOX"), 0);
	assert_int_equal(fake_mail_count(e.mail, "Trash"), 1);
	end();
}

/* U8: flags both ways, each of its forms; C96 */
static void test_flags_go_both_ways(void **state UNUSED)
{
	const struct elem *c;

	begin("12.1", "");
	add(1);
	(void)sync_inbox("");
	(void)sync_inbox(FILTER("0"));
	(void)sync_inbox(CHANGE("2:1", "email:Flag\n              email:Status \"2\"\n"));
	assert_true(fake_mail_flags(e.mail, "INBOX", 1) & MAIL_FLAGGED);
	(void)sync_inbox(CHANGE("2:1", "email:Flag\n              email:Status \"1\"\n"));
	assert_false(fake_mail_flags(e.mail, "INBOX", 1) & MAIL_FLAGGED);
	fake_mail_set_flags(e.mail, "INBOX", 1, MAIL_FLAGGED);
	c = elem_child(elem_child(sync_inbox(""), AIRSYNC_COMMANDS), AIRSYNC_CHANGE);
	c = elem_child(c, AIRSYNC_APPLICATION_DATA);
	assert_int_equal(elem_u32(elem_child(c, EMAIL_FLAG), EMAIL_STATUS, 0), 2);
	c = sync_inbox(CHANGE("2:1", "email:Flag\n              email:Status \"9\"\n"));
	c = elem_child(elem_child(c, AIRSYNC_RESPONSES), AIRSYNC_CHANGE);
	assert_int_equal(elem_u32(c, AIRSYNC_STATUS, 0), 6);
	end();
}

/* 2.2.1.21: a Fetch is answered in Responses with the whole item. */
/* C160, B20213 */
static void test_a_fetch_brings_the_whole_body(void **state UNUSED)
{
	struct buf text;
	const struct elem *c, *body;

	begin("12.1", "");
	buf_init(&text, BUF_MAX_TEXT);
	buf_adds(&text, "Subject: long\r\nContent-Type: text/plain\r\n\r\n");
	for (unsigned i = 0; i < 3000; i++)
		buf_addf(&text, "line %u\r\n", i);
	(void)fake_mail_add(e.mail, "INBOX", 0, NOW - DAY, buf_str(&text).p);
	buf_release(&text);
	(void)sync_inbox("");
	c = sync_inbox("      airsync:Options\n        airsyncbase:BodyPreference\n"
		       "          airsyncbase:Type \"1\"\n"
		       "          airsyncbase:TruncationSize \"100\"\n");
	body = elem_child(elem_child(elem_child(c, AIRSYNC_COMMANDS), AIRSYNC_ADD),
		AIRSYNC_APPLICATION_DATA);
	body = elem_child(body, AIRSYNCBASE_BODY);
	assert_true(elem_bool(body, AIRSYNCBASE_TRUNCATED, false));
	assert_int_equal(elem_text(body, AIRSYNCBASE_DATA).n, 100);
	c = sync_inbox("      airsync:Options\n        airsyncbase:BodyPreference\n"
		       "          airsyncbase:Type \"1\"\n"
		       "      airsync:Commands\n        airsync:Fetch\n"
		       "          airsync:ServerId \"2:1\"\n");
	c = elem_child(elem_child(c, AIRSYNC_RESPONSES), AIRSYNC_FETCH);
	assert_int_equal(elem_u32(c, AIRSYNC_STATUS, 0), 1);
	body = elem_child(elem_child(c, AIRSYNC_APPLICATION_DATA), AIRSYNCBASE_BODY);
	assert_false(elem_has(body, AIRSYNCBASE_TRUNCATED));
	assert_true(str_search(elem_text(body, AIRSYNCBASE_DATA), STR("line 2999")) <
		    elem_text(body, AIRSYNCBASE_DATA).n);
	end();
}

/* One user never sees what is another's, whatever ids he sends. */
static void test_ids_of_others_mean_nothing(void **state UNUSED)
{
	static struct phone other;
	char text[512];
	const struct elem *c;

	begin("14.1", "");
	add(1);
	(void)sync_inbox("");
	(void)sync_inbox(FILTER("0"));
	/* Another user on the same phone, with the first one's key. */
	eas_phone(&e, &other, "phone", "14.1");
	other.user = "mallory@example.test";
	story_must(phone_provision(&other), &other);
	(void)snprintf(text, sizeof(text),
		"airsync:Sync\n  airsync:Collections\n    airsync:Collection\n"
		"      airsync:SyncKey \"%s\"\n      airsync:CollectionId \"%s\"\n",
		inbox->key, inbox->id);
	c = elem_child(elem_child(phone_post(&other, "Sync", text), AIRSYNC_COLLECTIONS),
		AIRSYNC_COLLECTION);
	assert_true(
		elem_u32(c, AIRSYNC_STATUS, 0) == 12 || elem_u32(c, AIRSYNC_STATUS, 0) == 3);
	assert_false(elem_has(c, AIRSYNC_COMMANDS));
	phone_release(&other);
	end();
}

static enum rc too_much(struct services *sv, struct request *rq, struct err *err)
{
	(void)sv;
	(void)rq;
	return err_set(err, RC_LIMIT, "too large");
}

static void refuse_bodies(struct eas *eas, struct services *sv, struct request *rq)
{
	(void)eas;
	(void)rq;
	sv->read_body = too_much;
}

/* http.md 6 and 7: 413 is what phones know least about. */
/* C30 */
static void test_a_mail_that_is_too_large_is_refused_in_its_own_way(void **state UNUSED)
{
	const struct elem *answer;

	begin("14.1", "");
	e.open = refuse_bodies;
	answer = phone_post(&p, "SendMail", "composemail:SendMail\n");
	assert_int_equal(elem_u32(answer, COMPOSEMAIL_STATUS, 0), 115);
	p.version = "12.1";
	assert_null(
		phone_post_raw(&p, "SendMail", "", "message/rfc822", STR("To: x@y.z\r\n\r\n")));
	assert_int_equal(e.seen.http, 507);
	assert_null(phone_post(&p, "Sync", "airsync:Sync\n"));
	assert_int_equal(e.seen.http, 413);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_age_filter_limits_what_the_phone_holds),
		cmocka_unit_test(test_a_refused_flag_is_put_back),
		cmocka_unit_test(test_a_changed_filter_takes_effect_at_once),
		cmocka_unit_test(test_messages_grow_too_old),
		cmocka_unit_test(test_windows_are_newest_first_and_bounded),
		cmocka_unit_test(test_no_changes_are_sent_when_none_are_wanted),
		cmocka_unit_test(test_own_changes_are_not_echoed),
		cmocka_unit_test(test_deletes_go_to_the_trash_unless_told_otherwise),
		cmocka_unit_test(test_flags_go_both_ways),
		cmocka_unit_test(test_a_fetch_brings_the_whole_body),
		cmocka_unit_test(test_ids_of_others_mean_nothing),
		cmocka_unit_test(test_a_mail_that_is_too_large_is_refused_in_its_own_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
