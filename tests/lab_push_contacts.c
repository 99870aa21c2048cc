/*
 * Push of address books over real servers: what another client of the CardDAV server does wakes
 * the phones that wait for the book, once, and nobody else; what a phone does wakes the other
 * phones of its user, and at once.
 */
#include "tests/support_dav.h"
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

/* How long something may take that must happen; how long nothing may happen that must not: some
 * rounds of easlistend; and how soon what is told directly has to be there. */
enum { PATIENCE_MS = 40000, QUIET_MS = 3000, DIRECT_MS = 5000, HEARTBEAT = 600 };
enum { CONTACTS = 9 };

#define USER  "user01@example.test"
#define OTHER "user02@example.test"

#define CARD(uid, name)                                                                        \
	"BEGIN:VCARD\r\nVERSION:3.0\r\nUID:" uid "\r\nFN:" name "\r\nN:" name                  \
	";;;;\r\nEND:VCARD\r\n"

/* Two phones of one user and one of another, and another client of the former. */
enum { ONE, TWO, STRANGER, PHONES };
static struct phone phones[PHONES];
static struct waiting waits[PHONES];
static struct dav_peer *peer;
static struct str book;

static struct device_folder *book_of(unsigned i)
{
	struct device_folder *f = phone_folder(&phones[i], CONTACTS);

	assert_non_null(f);
	return f;
}

/* One Sync of the book with these Commands; the Commands of the answer. */
static const struct elem *sync_once(unsigned i, const char *commands)
{
	struct device_folder *f = book_of(i);
	char text[4096];
	const struct elem *c;

	(void)snprintf(text, sizeof(text),
		"airsync:Sync\n  airsync:Collections\n    airsync:Collection\n"
		"      airsync:SyncKey \"%s\"\n      airsync:CollectionId \"%s\"\n%s",
		f->key, f->id, commands);
	c = phone_post(&phones[i], "Sync", text);
	if (!c)
		story_must(phones[i].error[0] == '\0', &phones[i]);
	c = elem_child(elem_child(c, AIRSYNC_COLLECTIONS), AIRSYNC_COLLECTION);
	if (!c)
		return NULL;
	assert_int_equal(elem_u32(c, AIRSYNC_STATUS, 0), 1);
	(void)snprintf(f->key, sizeof(f->key), "%.*s", STR_FMT(elem_text(c, AIRSYNC_SYNC_KEY)));
	return elem_child(c, AIRSYNC_COMMANDS);
}

/* The book has this much news for the phone. */
static void news(unsigned i, size_t adds, size_t changes, size_t deletes)
{
	const struct elem *c = sync_once(i, "");

	assert_int_equal(elem_count(c, AIRSYNC_ADD), adds);
	assert_int_equal(elem_count(c, AIRSYNC_CHANGE), changes);
	assert_int_equal(elem_count(c, AIRSYNC_DELETE), deletes);
}

static void set_up_phone(unsigned i, const char *user, const char *id, const char *version)
{
	struct phone *p = &phones[i];

	phone_init(p, lab_get("EAS_URL"), user, lab_get("LAB_PASSWORD"), id, version);
	story_set_up(p);
	(void)sync_once(i, "");
	(void)sync_once(i, "");
}

static void wait_all(void)
{
	for (unsigned i = 0; i < PHONES; i++) {
		const char *ids[] = {phone_folder(&phones[i], STORY_INBOX)->id, book_of(i)->id};

		if (!waits[i].pid)
			waiting_start(&waits[i], &phones[i], ids, 2, HEARTBEAT);
	}
}

static void woken_within(unsigned i, unsigned ms, unsigned status, const char *folders)
{
	struct waited r;

	if (!waiting_over(&waits[i], ms, &r))
		fail_msg("phone %u was not woken", i);
	waits[i].pid = 0;
	assert_int_equal(r.http, 200);
	assert_int_equal(r.status, status);
	assert_string_equal(r.folders, folders);
}

static void woken(unsigned i, unsigned status, const char *folders)
{
	woken_within(i, PATIENCE_MS, status, folders);
}

/* Told of the book. */
static void told(unsigned i, unsigned ms)
{
	char folders[128];

	(void)snprintf(folders, sizeof(folders), "%s ", book_of(i)->id);
	woken_within(i, ms, 2, folders);
}

static void nobody_is_woken(void)
{
	struct waited r;

	for (unsigned i = 0; i < PHONES; i++)
		if (waits[i].pid && waiting_over(&waits[i], i ? 0 : QUIET_MS, &r))
			fail_msg(
				"phone %u was woken for nothing: http %ld, status %u, folders %s",
				i, r.http, r.status, r.folders);
}

/* Both phones of the user are told, and find this; then all wait. */
static void both_are_told(size_t adds, size_t changes, size_t deletes)
{
	for (unsigned i = ONE; i <= TWO; i++) {
		told(i, PATIENCE_MS);
		news(i, adds, changes, deletes);
	}
	wait_all();
	nobody_is_woken();
}

/* C198 */
static void cards_come_and_go(void)
{
	(void)dav_peer_put(peer, book, "ada.vcf", CARD("ada", "Ada"));
	both_are_told(1, 0, 0);
	(void)dav_peer_put(peer, book, "ada.vcf", CARD("ada", "Adele"));
	both_are_told(0, 1, 0);
	dav_peer_remove(peer, book, "ada.vcf");
	both_are_told(0, 0, 1);
}

#define ADD(client, name)                                                                      \
	"      airsync:Commands\n        airsync:Add\n          airsync:ClientId \"" client    \
	"\"\n          airsync:ApplicationData\n            contacts:FirstName \"" name "\"\n"

/* What a phone writes is told by easpool itself; and it is no news to that phone, whoever asks
 * the server afterwards. */
static void a_phone_wakes_the_other(const char *add, unsigned ms)
{
	(void)sync_once(ONE, add);
	woken(ONE, 1, "");
	told(TWO, ms);
	news(TWO, 1, 0, 0);
	wait_all();
	nobody_is_woken();
}

static void a_sync_that_waits(void)
{
	struct device_folder *f = book_of(TWO);
	char text[1024], folders[128];
	struct waited r;

	waiting_break(&waits[TWO]);
	(void)snprintf(text, sizeof(text),
		"airsync:Sync\n  airsync:Collections\n    airsync:Collection\n"
		"      airsync:SyncKey \"%s\"\n      airsync:CollectionId \"%s\"\n"
		"  airsync:Wait \"%d\"\n",
		f->key, f->id, HEARTBEAT / 60);
	waiting_start_with(&waits[TWO], &phones[TWO], "Sync", text);
	nobody_is_woken();
	(void)dav_peer_put(peer, book, "bob.vcf", CARD("bob", "Bob"));
	if (!waiting_over(&waits[TWO], PATIENCE_MS, &r))
		fail_msg("the Sync did not come back");
	waits[TWO].pid = 0;
	(void)snprintf(folders, sizeof(folders), "%s ", f->id);
	assert_int_equal(r.status, 1);
	assert_string_equal(r.folders, folders);
	(void)snprintf(f->key, sizeof(f->key), "%s", r.key);
	news(TWO, 0, 0, 0);
	told(ONE, PATIENCE_MS);
	news(ONE, 1, 0, 0);
	wait_all();
	nobody_is_woken();
}

/* Another book: phones look at their folders, and wait for it as well if they like. */
static void a_book_comes(void)
{
	(void)dav_peer_make(peer, "more", "More");
	for (unsigned i = ONE; i <= TWO; i++) {
		woken(i, 7, "");
		story_must(phone_folder_sync(&phones[i]), &phones[i]);
	}
	assert_non_null(phone_folder_named(&phones[TWO], "More"));
	wait_all();
	nobody_is_woken();
}

/* Nobody is told while there is nothing to be known, and everybody afterwards. */
static void the_server_goes_and_comes(void)
{
	lab_break("dav-stop");
	nobody_is_woken();
	nobody_is_woken();
	lab_break("dav");
	nobody_is_woken();
	(void)dav_peer_put(peer, book, "cid.vcf", CARD("cid", "Cid"));
	both_are_told(1, 0, 0);
}

static unsigned kill_children(void)
{
	char path[128], pid[32];
	unsigned n = 0;
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%s/task/%s/children",
		lab_get("EASLISTEND_PID"), lab_get("EASLISTEND_PID"));
	f = fopen(path, "r");
	assert_non_null(f);
	for (; fscanf(f, "%31s", pid) == 1; n++)
		(void)kill((pid_t)strtol(pid, NULL, 10), SIGKILL);
	(void)fclose(f);
	return n;
}

static void whoever_asks_dies(void)
{
	assert_int_equal(kill_children(), 2);
	(void)dav_peer_put(peer, book, "dan.vcf", CARD("dan", "Dan"));
	both_are_told(1, 0, 0);
	assert_int_equal(kill_children(), 2);
}

static void begin(const char *conf)
{
	(void)setenv("EASPOOL_LAB_SOURCE", "notify", 1);
	(void)setenv("EASPOOL_LAB_CONF", conf, 1);
	lab_up(2);
	peer = dav_peer_new(USER);
	book = dav_peer_book(peer);
	set_up_phone(ONE, USER, "one", "14.1");
	set_up_phone(TWO, USER, "two", "12.1");
	set_up_phone(STRANGER, OTHER, "three", "14.0");
	wait_all();
}

static void end(void)
{
	for (unsigned i = 0; i < PHONES; i++) {
		if (waits[i].pid)
			waiting_break(&waits[i]);
		waits[i].pid = 0;
		phone_release(&phones[i]);
	}
	dav_peer_free(peer);
	lab_down();
}

static void test_another_client_changes_the_book(void **state UNUSED)
{
	begin("poll_interval = 3600\ndav_interval = 1\ndav_timeout = 3");
	cards_come_and_go();
	a_sync_that_waits();
	a_phone_wakes_the_other(ADD("c1", "Eve"), PATIENCE_MS);
	a_book_comes();
	the_server_goes_and_comes();
	whoever_asks_dies();
	end();
}

/* Without anybody who would ask the server in time. */
static void test_a_phone_wakes_another_at_once(void **state UNUSED)
{
	begin("poll_interval = 3600\ndav_interval = 3600");
	nobody_is_woken();
	a_phone_wakes_the_other(ADD("c1", "Eve"), DIRECT_MS);
	end();
}

/* Phones are looked after. */
static void test_without_easlistend(void **state UNUSED)
{
	(void)setenv("EASPOOL_LAB_LISTENER", "0", 1);
	begin("poll_interval = 2");
	(void)unsetenv("EASPOOL_LAB_LISTENER");
	nobody_is_woken();
	(void)dav_peer_put(peer, book, "ada.vcf", CARD("ada", "Ada"));
	both_are_told(1, 0, 0);
	a_phone_wakes_the_other(ADD("c1", "Eve"), DIRECT_MS);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_another_client_changes_the_book),
		cmocka_unit_test(test_a_phone_wakes_another_at_once),
		cmocka_unit_test(test_without_easlistend),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
