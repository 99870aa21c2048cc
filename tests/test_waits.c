/*
 * Waiting, seen from the core: what a Ping or a Sync leaves to wait for, what it costs to be
 * renewed, and what it answers when it is run again.
 */
#include "tests/support_eas.h"
#include "tests/support_story.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct eas e;
static struct phone p;
static struct device_folder *inbox;

/* A phone that has its folders and the inbox, with two mails. */
static void begin(const char *version, const char *conf)
{
	eas_init(&e, conf);
	(void)fake_mail_add_simple(e.mail, "INBOX", 0, 0, "one");
	(void)fake_mail_add_simple(e.mail, "INBOX", 0, 0, "two");
	eas_phone(&e, &p, "phone", version);
	story_set_up(&p);
	inbox = phone_folder(&p, STORY_INBOX);
	story_must(phone_sync(&p, inbox, 10, ""), &p);
	fake_state_cover(e.state, true);
}

static void end(void)
{
	phone_release(&p);
	loops_free(e.loops);
	eas_release(&e);
}

static unsigned ping(void)
{
	char document[256];

	(void)snprintf(document, sizeof(document),
		"ping:Ping\n  ping:HeartbeatInterval \"600\"\n  ping:Folders\n"
		"    ping:Folder\n      ping:Id \"%s\"\n      ping:Class \"Email\"\n",
		inbox->id);
	return elem_u32(phone_post(&p, "Ping", document), PING_STATUS, 0);
}

/* A Sync of the inbox that has time. */
static const struct elem *sync_waiting(void)
{
	char document[512];

	(void)snprintf(document, sizeof(document),
		"airsync:Sync\n  airsync:Collections\n    airsync:Collection\n"
		"      airsync:SyncKey \"%s\"\n      airsync:CollectionId \"%s\"\n"
		"  airsync:HeartbeatInterval \"600\"\n",
		inbox->key, inbox->id);
	return phone_post(&p, "Sync", document);
}

static void a_mail_arrives(struct eas *x)
{
	(void)fake_mail_add_simple(x->mail, "INBOX", 0, 0, "new");
}

static void a_mail_is_read(struct eas *x)
{
	fake_mail_set_flags(x->mail, "INBOX", 1, MAIL_SEEN);
}

static void a_folder_is_made(struct eas *x)
{
	fake_mail_folder(x->mail, "Made elsewhere", MAIL_USE_NONE);
}

/* Requirements 3.1, 4.12, C199: what waits is a few numbers, and its renewal asks the mail
 * server nothing while a listener is at work. */
static void test_a_renewed_ping_asks_the_mail_server_nothing(void **state UNUSED)
{
	unsigned mail, stored;

	begin("14.1", "");
	assert_int_equal(ping(), 1);
	assert_true(e.parked);
	assert_int_equal(e.last_wait.kind, WAIT_PING);
	assert_int_equal(e.last_wait.seconds, 600);
	assert_int_equal(e.last_wait.n, 1);
	mail = fake_mail_calls(e.mail);
	stored = fake_state_calls(e.state);
	for (unsigned i = 0; i < 10; i++)
		assert_int_equal(ping(), 1);
	assert_true(e.parked && e.last_wait.covered);
	assert_int_equal(fake_mail_calls(e.mail), mail);
	/* begin, look, folders: three reads each. */
	assert_int_equal(fake_state_calls(e.state), stored + 30);
	end();
}

/* Without a listener every look asks. */
static void test_without_a_listener_each_ping_looks(void **state UNUSED)
{
	unsigned mail;

	begin("14.1", "");
	fake_state_cover(e.state, false);
	assert_int_equal(ping(), 1);
	mail = fake_mail_calls(e.mail);
	assert_int_equal(ping(), 1);
	assert_true(e.parked && !e.last_wait.covered);
	assert_true(fake_mail_calls(e.mail) > mail);
	(void)fake_mail_add_simple(e.mail, "INBOX", 0, 0, "new");
	assert_int_equal(ping(), 2);
	assert_false(e.parked);
	end();
}

/* C43: folders that came or went are told by both commands, but not to who made them. */
static void test_a_change_of_the_folders_ends_a_wait(void **state UNUSED)
{
	begin("14.1", "");
	fake_state_cover(e.state, false);
	e.pauses = 1;
	e.paused = a_folder_is_made;
	assert_int_equal(ping(), 7);
	assert_int_equal(elem_u32(sync_waiting(), AIRSYNC_STATUS, 0), 12);
	story_must(phone_folder_sync(&p), &p);
	assert_int_equal(ping(), 1);
	assert_int_equal(phone_folder_create(&p, "0", "Made here"), 1);
	assert_int_equal(ping(), 1);
	assert_true(e.parked);
	assert_null(sync_waiting());
	assert_true(e.parked);
	end();
}

/* C149, U3: a Sync that waits is run again, and brings what woke it. */
static void test_a_sync_waits(void **state UNUSED)
{
	const struct elem *answer;
	unsigned mail;

	begin("14.1", "");
	assert_null(sync_waiting());
	assert_int_equal(p.http, 200);
	assert_true(e.parked);
	assert_int_equal(e.last_wait.kind, WAIT_SYNC);
	mail = fake_mail_calls(e.mail);
	assert_null(sync_waiting());
	assert_int_equal(fake_mail_calls(e.mail), mail);
	fake_state_cover(e.state, false);
	e.pauses = 1;
	e.paused = a_mail_arrives;
	answer = elem_child(sync_waiting(), AIRSYNC_COLLECTIONS);
	assert_false(e.parked);
	answer = elem_child(elem_child(answer, AIRSYNC_COLLECTION), AIRSYNC_COMMANDS);
	assert_int_equal(elem_count(answer, AIRSYNC_ADD), 1);
	end();
}

/* C165: what wakes is a setting. */
static void test_only_additions_wake_when_so_set(void **state UNUSED)
{
	begin("14.1", "wake = additions\n");
	fake_state_cover(e.state, false);
	e.pauses = 1;
	e.paused = a_mail_is_read;
	assert_int_equal(ping(), 1);
	assert_true(e.parked && e.last_wait.additions);
	e.pauses = 1;
	e.paused = a_mail_arrives;
	assert_int_equal(ping(), 2);
	end();
	begin("14.1", "");
	fake_state_cover(e.state, false);
	e.pauses = 1;
	e.paused = a_mail_is_read;
	assert_int_equal(ping(), 2);
	end();
}

/* Requirements 3.6: what a version does not tell of is no change, and is looked at once. */
static void test_what_is_not_told_wakes_nobody(void **state UNUSED)
{
	unsigned mail;

	begin("12.1", "");
	fake_state_cover(e.state, false);
	fake_mail_set_flags(e.mail, "INBOX", 1, MAIL_ANSWERED);
	assert_int_equal(ping(), 1);
	fake_state_cover(e.state, true);
	mail = fake_mail_calls(e.mail);
	assert_int_equal(ping(), 1);
	assert_int_equal(fake_mail_calls(e.mail), mail);
	story_must(phone_sync(&p, inbox, 10, ""), &p);
	end();
}

/* Requirements 3.6: a device that is told and does not fetch is damped, until it does. */
static void test_a_device_that_loops_is_damped(void **state UNUSED)
{
	begin("14.1", "");
	e.loops = loops_new();
	fake_state_cover(e.state, false);
	(void)fake_mail_add_simple(e.mail, "INBOX", 0, 0, "new");
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(ping(), 2);
	(void)ping();
	assert_int_equal(p.http, 503);
	assert_non_null(strstr(e.seen.headers, "Retry-After: "));
	story_must(phone_sync(&p, inbox, 10, ""), &p);
	assert_int_equal(ping(), 1);
	(void)fake_mail_add_simple(e.mail, "INBOX", 0, 0, "newer");
	assert_int_equal(ping(), 2);
	end();
}

/* C39, C42, C200: bounds are told with their limits. */
static void test_limits_of_a_ping_are_told(void **state UNUSED)
{
	const struct elem *answer;

	begin("14.1", "ping_folders_max = 1\nheartbeat_max = 900\n");
	answer = phone_post(&p, "Ping",
		"ping:Ping\n  ping:HeartbeatInterval \"900\"\n  ping:Folders\n"
		"    ping:Folder\n      ping:Id \"2\"\n      ping:Class \"Email\"\n"
		"    ping:Folder\n      ping:Id \"3\"\n      ping:Class \"Email\"\n");
	assert_int_equal(elem_u32(answer, PING_STATUS, 0), 6);
	assert_int_equal(elem_u32(answer, PING_MAX_FOLDERS, 0), 1);
	answer = phone_post(&p, "Ping",
		"ping:Ping\n  ping:HeartbeatInterval \"901\"\n  ping:Folders\n"
		"    ping:Folder\n      ping:Id \"2\"\n      ping:Class \"Email\"\n");
	assert_int_equal(elem_u32(answer, PING_STATUS, 0), 5);
	assert_int_equal(elem_u32(answer, PING_HEARTBEAT_INTERVAL, 0), 900);
	answer = phone_post(&p, "Ping",
		"ping:Ping\n  ping:HeartbeatInterval \"900\"\n  ping:Folders\n"
		"    ping:Folder\n      ping:Id \"2\"\n      ping:Class \"Email\"\n"
		"    ping:Folder\n      ping:Id \"2\"\n      ping:Class \"Email\"\n");
	assert_int_equal(elem_u32(answer, PING_STATUS, 0), 4);
	end();
}

/* A folder that was never synchronised is passed over; one that is not there is told. */
static void test_odd_folders_in_a_ping(void **state UNUSED)
{
	begin("14.1", "");
	inbox = phone_folder(&p, 3);
	(void)fake_mail_add_simple(e.mail, "Drafts", 0, 0, "unfinished");
	assert_int_equal(ping(), 1);
	assert_true(e.parked);
	assert_int_equal(e.last_wait.n, 0);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_renewed_ping_asks_the_mail_server_nothing),
		cmocka_unit_test(test_without_a_listener_each_ping_looks),
		cmocka_unit_test(test_a_change_of_the_folders_ends_a_wait),
		cmocka_unit_test(test_a_sync_waits),
		cmocka_unit_test(test_only_additions_wake_when_so_set),
		cmocka_unit_test(test_what_is_not_told_wakes_nobody),
		cmocka_unit_test(test_a_device_that_loops_is_damped),
		cmocka_unit_test(test_limits_of_a_ping_are_told),
		cmocka_unit_test(test_odd_folders_in_a_ping),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
