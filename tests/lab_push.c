/*
 * Push over real servers, with each source of events: what happens in a mailbox wakes the
 * phones that wait for it, once, with the right folders, and nobody else.
 */
#include "tests/support_client.h"
#include "tests/support_lab.h"
#include "tests/support_story.h"
#include "tests/support_wait.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* How long something may take that must happen, and how long nothing may happen that must not.
 */
enum { PATIENCE_MS = 30000, QUIET_MS = 1500, HEARTBEAT = 600 };

#define USER  "user01@example.test"
#define OTHER "user02@example.test"

/* Two phones of one user and one of another, all waiting for inbox and trash. */
enum { ONE, TWO, STRANGER, PHONES };
static struct phone phones[PHONES];
static struct waiting waits[PHONES];
static struct client client;

static void set_up_phone(unsigned i, const char *user, const char *id, const char *version)
{
	struct phone *p = &phones[i];

	phone_init(p, lab_get("EAS_URL"), user, lab_get("LAB_PASSWORD"), id, version);
	story_set_up(p);
}

static const char *id_of(unsigned i, unsigned type)
{
	const struct device_folder *f = phone_folder(&phones[i], type);

	assert_non_null(f);
	return f->id;
}

static void wait_all(void)
{
	for (unsigned i = 0; i < PHONES; i++) {
		const char *ids[] = {id_of(i, STORY_INBOX), id_of(i, STORY_TRASH)};

		if (!waits[i].pid)
			waiting_start(&waits[i], &phones[i], ids, 2, HEARTBEAT);
	}
}

/* That phone is woken with this status, for these folders. */
static void woken(unsigned i, unsigned status, const char *folders)
{
	struct waited r;

	if (!waiting_over(&waits[i], PATIENCE_MS, &r))
		fail_msg("phone %u was not woken", i);
	waits[i].pid = 0;
	assert_int_equal(r.http, 200);
	assert_int_equal(r.status, status);
	assert_string_equal(r.folders, folders);
}

static void nobody_is_woken(void)
{
	struct waited r;

	for (unsigned i = 0; i < PHONES; i++)
		if (waits[i].pid && waiting_over(&waits[i], i ? 0 : QUIET_MS, &r))
			fail_msg("phone %u was woken for nothing: status %u, folders %s", i,
				r.status, r.folders);
}

/* Both phones of the user are told of that folder, and fetch what there is. Then all wait. */
static void both_are_told(unsigned type)
{
	for (unsigned i = ONE; i <= TWO; i++) {
		char folders[128];

		(void)snprintf(folders, sizeof(folders), "%s ", id_of(i, type));
		woken(i, 2, folders);
		story_must(phone_sync(&phones[i], phone_folder(&phones[i], type), 100, ""),
			&phones[i]);
	}
	wait_all();
	nobody_is_woken();
}

static void both_are_told_of_folders(void)
{
	for (unsigned i = ONE; i <= TWO; i++) {
		woken(i, 7, "");
		story_must(phone_folder_sync(&phones[i]), &phones[i]);
	}
	wait_all();
	nobody_is_woken();
}

static struct device_item *item(unsigned i, const char *subject)
{
	return phone_item(phone_folder(&phones[i], STORY_INBOX), subject);
}

static void mails_come_and_go(void)
{
	struct mail_flag_change read = {.set = MAIL_SEEN};
	struct err err = ERR_INIT;
	struct uidset uids;
	uint32_t uid;

	deliver(USER, "delivered");
	both_are_told(STORY_INBOX);
	assert_non_null(item(ONE, "delivered"));
	assert_non_null(item(TWO, "delivered"));
	uid = story_append(client.mail, "INBOX", 0, 0, "appended");
	both_are_told(STORY_INBOX);
	assert_non_null(item(TWO, "appended"));
	read.uid = uid;
	assert_int_equal(mail_call(client.mail, store, STR("INBOX"), 0, &read, 1, &err), RC_OK);
	both_are_told(STORY_INBOX);
	assert_true(item(ONE, "appended")->read);
	uidset_init(&uids, client.arena);
	uidset_add(&uids, uid);
	assert_int_equal(mail_call(client.mail, remove, STR("INBOX"), 0, &uids, &err), RC_OK);
	both_are_told(STORY_INBOX);
	assert_null(item(ONE, "appended"));
	assert_null(item(TWO, "appended"));
	(void)story_append(client.mail, "Trash", 0, 0, "thrown away");
	both_are_told(STORY_TRASH);
}

static void folders_come_and_go(void)
{
	struct err err = ERR_INIT;

	assert_int_equal(
		mail_call(client.mail, create, STR("Project"), MAIL_USE_NONE, &err), RC_OK);
	both_are_told_of_folders();
	assert_non_null(phone_folder_named(&phones[TWO], "Project"));
	assert_int_equal(
		mail_call(client.mail, rename, STR("Project"), STR("Plan"), &err), RC_OK);
	both_are_told_of_folders();
	assert_non_null(phone_folder_named(&phones[TWO], "Plan"));
	assert_int_equal(mail_call(client.mail, erase, STR("Plan"), &err), RC_OK);
	both_are_told_of_folders();
	assert_null(phone_folder_named(&phones[TWO], "Plan"));
}

/* What a phone does itself is no news to it, but to the other one. Its Sync ends its own wait
 * (C167). */
static void own_doings_wake_the_other(void)
{
	struct device_folder *inbox = phone_folder(&phones[ONE], STORY_INBOX);
	char commands[512], folders[128];

	(void)snprintf(commands, sizeof(commands),
		"        airsync:Change\n          airsync:ServerId \"%s\"\n"
		"          airsync:ApplicationData\n            email:Read \"1\"\n",
		item(ONE, "delivered")->id);
	story_must(phone_sync(&phones[ONE], inbox, 100, commands), &phones[ONE]);
	woken(ONE, 1, "");
	(void)snprintf(folders, sizeof(folders), "%s ", id_of(TWO, STORY_INBOX));
	woken(TWO, 2, folders);
	story_must(phone_sync(&phones[TWO], phone_folder(&phones[TWO], STORY_INBOX), 100, ""),
		&phones[TWO]);
	assert_true(item(TWO, "delivered")->read);
	wait_all();
	nobody_is_woken();
	/* B19923 */
	story_must(
		phone_send(&phones[ONE], OTHER, "a mail from the phone", "Hi."), &phones[ONE]);
	woken(STRANGER, 2, arena_printf(client.arena, "%s ", id_of(STRANGER, STORY_INBOX)).p);
	story_must(phone_sync(&phones[STRANGER], phone_folder(&phones[STRANGER], STORY_INBOX),
			   100, ""),
		&phones[STRANGER]);
	wait_all();
	nobody_is_woken();
}

/* C167: a newer wait of the same device ends the older one, which is told that there is
 * nothing. */
static void a_newer_wait_ends_the_older(void)
{
	const char *ids[] = {id_of(ONE, STORY_INBOX), id_of(ONE, STORY_TRASH)};
	struct waiting newer;

	waiting_start(&newer, &phones[ONE], ids, 2, HEARTBEAT);
	woken(ONE, 1, "");
	waits[ONE] = newer;
	nobody_is_woken();
	/* A phone that lost its network comes again. */
	waiting_break(&waits[ONE]);
	waits[ONE].pid = 0;
	wait_all();
	deliver(USER, "after a break");
	both_are_told(STORY_INBOX);
}

/* C202: a stop is told to everyone who waits. */
static void a_stop_ends_all(void)
{
	wait_all();
	nobody_is_woken();
	(void)kill((pid_t)strtol(lab_get("EASPOOL_PID"), NULL, 10), SIGTERM);
	for (unsigned i = 0; i < PHONES; i++)
		woken(i, 1, "");
}

static void end_all(void)
{
	for (unsigned i = 0; i < PHONES; i++) {
		if (waits[i].pid)
			waiting_break(&waits[i]);
		waits[i].pid = 0;
		phone_release(&phones[i]);
	}
	client_close(&client);
	lab_down();
}

static void with_source(const char *source, const char *conf)
{
	(void)setenv("EASPOOL_LAB_SOURCE", source, 1);
	(void)setenv("EASPOOL_LAB_CONF", conf, 1);
	lab_up(PHONES);
	client_open(&client, USER);
	set_up_phone(ONE, USER, "one", "14.1");
	set_up_phone(TWO, USER, "two", "12.1");
	set_up_phone(STRANGER, OTHER, "three", "14.0");
	wait_all();
	mails_come_and_go();
	folders_come_and_go();
	own_doings_wake_the_other();
	a_newer_wait_ends_the_older();
	assert_true(lab_rests(strtol(lab_get("EASLISTEND_PID"), NULL, 10)));
	assert_true(lab_rests(lab_waiter()));
	a_stop_ends_all();
	end_all();
}

static void test_a_mail_server_that_tells(void **state UNUSED)
{
	with_source("url", "poll_interval = 3600");
}

static void test_imap_notify(void **state UNUSED)
{
	with_source("notify", "poll_interval = 3600");
}

static void test_imap_idle(void **state UNUSED)
{
	with_source("idle", "poll_interval = 3600\nlistener_round = 1");
}

/* With as many descriptors the waiter holds half as many devices. */
#define DESCRIPTORS "128"
enum { ROOM = 64, CROWD = 70 };
static struct phone crowd[CROWD];
static struct waiting crowd_waits[CROWD]; /* pid 0: it does not wait */

static void crowd_wait(unsigned i)
{
	const char *inbox = phone_folder(&crowd[i], STORY_INBOX)->id;

	waiting_start(&crowd_waits[i], &crowd[i], &inbox, 1, HEARTBEAT);
}

/* How many of those that wait have been answered so, after at most so long for all of them. */
static unsigned crowd_answered(long http, unsigned status, unsigned most)
{
	unsigned n = 0;

	for (unsigned ms = 0; ms < PATIENCE_MS && n < most; ms += 100) {
		(void)usleep(100000);
		for (unsigned i = 0; i < CROWD; i++) {
			struct waited r;

			if (!crowd_waits[i].pid || !waiting_over(&crowd_waits[i], 0, &r))
				continue;
			crowd_waits[i].pid = 0;
			assert_int_equal(r.http, http);
			assert_int_equal(r.status, status);
			n++;
		}
	}
	return n;
}

/* C201: when the waiter has no room left, some are told to come again later, and the others are
 * told of their mail; and when there is room again, it is used. */
static void test_there_is_room_for_so_many(void **state UNUSED)
{
	static char ids[CROWD][16];
	unsigned i = 0;

	(void)setenv("EASPOOL_LAB_SOURCE", "url", 1);
	(void)setenv("EASPOOL_LAB_DESCRIPTORS", DESCRIPTORS, 1);
	(void)setenv("EASPOOL_LAB_CONF", "poll_interval = 3600", 1);
	lab_up(1);
	(void)unsetenv("EASPOOL_LAB_DESCRIPTORS");
	for (i = 0; i < CROWD; i++) {
		(void)snprintf(ids[i], sizeof(ids[i]), "crowd%u", i);
		phone_init(&crowd[i], lab_get("EAS_URL"), USER, lab_get("LAB_PASSWORD"), ids[i],
			"14.1");
		story_set_up(&crowd[i]);
		crowd_wait(i);
	}
	assert_int_equal(crowd_answered(503, 0, CROWD - ROOM), CROWD - ROOM);
	for (i = 0; !crowd_waits[i].pid; i++)
		;
	waiting_break(&crowd_waits[i]);
	crowd_waits[i].pid = 0;
	(void)usleep(QUIET_MS * 1000);
	crowd_wait(i);
	(void)usleep(QUIET_MS * 1000);
	deliver(USER, "to the crowd");
	assert_int_equal(crowd_answered(200, 2, ROOM), ROOM);
	for (i = 0; i < CROWD; i++)
		phone_release(&crowd[i]);
	lab_down();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_mail_server_that_tells),
		cmocka_unit_test(test_imap_notify),
		cmocka_unit_test(test_imap_idle),
		cmocka_unit_test(test_there_is_room_for_so_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
