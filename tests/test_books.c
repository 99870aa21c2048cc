/*
 * Address books as folders, over the fakes: which ones a phone has, several shown as one, and
 * what phones do to them: FolderCreate, FolderUpdate, FolderDelete, MoveItems.
 * [MS-ASCMD] 2.2.1.2 to 2.2.1.4, 2.2.1.12.
 */
#include "core/base/clock.h"
#include "core/base/log.h"
#include "tests/support_book.h"
#include "tests/support_story.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define MORE FAKE_DAV_HOME "more/"
#define AAA  FAKE_DAV_HOME "aaa/"

static struct scene s;

static void put(const char *path, const char *name, const char *text)
{
	(void)fake_dav_put(s.e.dav, path, name, text);
}

static void begin(const char *version, const char *conf)
{
	scene_begin(&s, version, conf);
	fake_dav_collection(s.e.dav, MORE, "More", DAV_CARDS);
	scene_must(phone_folder_sync(&s.p), &s.p);
}

static size_t folders_of(unsigned type)
{
	size_t n = 0;

	for (size_t i = 0; i < s.p.nfolders; i++)
		n += s.p.folders[i].type == type;
	return n;
}

/* The book of that name, synchronised. */
static struct phone_book *open_book(struct phone_book *b, const char *name)
{
	struct device_folder *f = phone_folder_named(&s.p, name);

	if (!f)
		fail_msg("there is no folder %s", name);
	phone_book_init(b, f);
	scene_must(phone_book_sync(&s.p, b, 100, NULL, 0), &s.p);
	return b;
}

/* C138: the default book is of type 9 and stays the one; others are of type 14. */
static void test_books_are_folders(void **state UNUSED)
{
	struct phone_book more;
	char id[72];

	begin("14.1", "");
	assert_int_equal(folders_of(TYPE_OF_CONTACTS), 1);
	assert_int_equal(folders_of(TYPE_OF_MORE_CONTACTS), 1);
	(void)snprintf(id, sizeof(id), "%s", phone_folder(&s.p, TYPE_OF_CONTACTS)->id);
	/* One that comes first by its name, and one that the server prefers from now on. */
	fake_dav_collection(s.e.dav, AAA, "Aaa", DAV_CARDS);
	fake_dav_default(s.e.dav, MORE);
	/* No book at all. */
	fake_dav_collection(s.e.dav, FAKE_DAV_HOME "cal/", "Calendar", DAV_EVENTS);
	scene_must(phone_folder_sync(&s.p), &s.p);
	assert_int_equal(folders_of(TYPE_OF_MORE_CONTACTS), 2);
	assert_null(phone_folder_named(&s.p, "Calendar"));
	assert_string_equal(phone_folder(&s.p, TYPE_OF_CONTACTS)->id, id);
	put(FAKE_DAV_CONTACTS, "a.vcf", CARD("a", "Ada"));
	put(MORE, "b.vcf", CARD("b", "Bob"));
	scene_sync(&s);
	assert_int_equal(s.b.n, 1);
	open_book(&more, "More");
	assert_non_null(phone_book_find(&more, "Bob"));
	assert_int_equal(more.n, 1);
	phone_book_release(&more);
	/* A new name is an Update, the id stays. */
	(void)snprintf(id, sizeof(id), "%s", phone_folder_named(&s.p, "More")->id);
	fake_dav_collection_rename(s.e.dav, MORE, "Other");
	scene_must(phone_folder_sync(&s.p), &s.p);
	assert_string_equal(phone_folder_named(&s.p, "Other")->id, id);
	/* When the default one is gone another takes its place. */
	fake_dav_collection_delete(s.e.dav, FAKE_DAV_CONTACTS);
	assert_false(phone_book_sync(&s.p, &s.b, 100, NULL, 0));
	assert_non_null(strstr(s.p.error, "Status 12"));
	scene_must(phone_folder_sync(&s.p), &s.p);
	assert_int_equal(folders_of(TYPE_OF_CONTACTS), 1);
	assert_int_equal(folders_of(TYPE_OF_MORE_CONTACTS), 1);
	scene_end(&s);
}

/* New contacts are for a book that can be written to. */
static void test_the_default_book_can_be_written_to(void **state UNUSED)
{
	static struct phone p;

	memset(&s, 0, sizeof(s));
	eas_init(&s.e, "");
	eas_dav(&s.e);
	fake_dav_collection(s.e.dav, AAA, "Shared", DAV_CARDS);
	fake_dav_read_only(s.e.dav, AAA, true);
	eas_phone(&s.e, &p, "phone", "14.1");
	scene_must(phone_provision(&p) && phone_folder_sync(&p), &p);
	assert_string_equal(phone_folder(&p, TYPE_OF_CONTACTS)->name, "Contacts");
	assert_string_equal(phone_folder(&p, TYPE_OF_MORE_CONTACTS)->name, "Shared");
	phone_release(&p);
	eas_release(&s.e);
}

/* A user without any book gets one, when the administrator wants that; once. */
static void test_a_user_without_books_gets_one(void **state UNUSED)
{
	for (unsigned wanted = 0; wanted < 2; wanted++)
		for (unsigned late = 0; late < 2; late++) {
			static struct phone p;

			memset(&s, 0, sizeof(s));
			eas_init(
				&s.e, wanted ? "contacts_create = yes\ncontacts_name = People\n"
					     : "contacts_create = no\n");
			eas_dav(&s.e);
			fake_dav_collection_delete(s.e.dav, FAKE_DAV_CONTACTS);
			eas_phone(&s.e, &p, "phone", "14.1");
			scene_must(phone_provision(&p), &p);
			/* The answer to the creation is lost: it is asked for again. */
			fake_dav_fail_after(s.e.dav, late ? 2 : 0, true);
			scene_must(phone_folder_sync(&p) && phone_folder_sync(&p), &p);
			assert_int_equal(phone_folder(&p, TYPE_OF_CONTACTS) != NULL, wanted);
			if (wanted)
				assert_string_equal(
					phone_folder(&p, TYPE_OF_CONTACTS)->name, "People");
			assert_null(phone_folder(&p, TYPE_OF_MORE_CONTACTS));
			phone_release(&p);
			eas_release(&s.e);
		}
}

/* C145: the window of the whole request goes over two books. */
static void test_the_global_window_goes_over_books(void **state UNUSED)
{
	struct phone_book more;
	const struct elem *c;
	char name[32], text[1024];
	size_t adds = 0;

	begin("14.1", "");
	scene_sync(&s);
	open_book(&more, "More");
	for (unsigned i = 0; i < 5; i++) {
		(void)snprintf(name, sizeof(name), "%u.vcf", i);
		put(FAKE_DAV_CONTACTS, name, CARD("a", "Ada"));
		put(MORE, name, CARD("b", "Bob"));
	}
	for (unsigned round = 0; adds < 10; round++) {
		size_t n = 0;

		assert_true(round < 5);
		(void)snprintf(text, sizeof(text),
			"airsync:Sync\n  airsync:Collections\n    airsync:Collection\n"
			"      airsync:SyncKey \"%s\"\n      airsync:CollectionId \"%s\"\n"
			"    airsync:Collection\n"
			"      airsync:SyncKey \"%s\"\n      airsync:CollectionId \"%s\"\n"
			"  airsync:WindowSize \"4\"\n",
			s.b.key, s.b.id, more.key, more.id);
		c = elem_child(phone_post(&s.p, "Sync", text), AIRSYNC_COLLECTIONS);
		for (c = elem_child(c, AIRSYNC_COLLECTION); c; c = elem_again(c)) {
			bool first = str_is(elem_text(c, AIRSYNC_COLLECTION_ID), s.b.id);

			assert_int_equal(elem_u32(c, AIRSYNC_STATUS, 0), 1);
			n += elem_count(elem_child(c, AIRSYNC_COMMANDS), AIRSYNC_ADD);
			(void)snprintf(first ? s.b.key : more.key, sizeof(more.key), "%.*s",
				STR_FMT(elem_text(c, AIRSYNC_SYNC_KEY)));
			if (first && round == 0)
				assert_true(elem_has(c, AIRSYNC_MORE_AVAILABLE));
		}
		assert_true(n > 0 && n <= 4);
		adds += n;
	}
	assert_int_equal(adds, 10);
	phone_book_release(&more);
	scene_end(&s);
}

/* commands.md 1.3: what a phone does in a collection that is behind the global window is done
 * and answered; what is new in it waits. */
static void test_commands_do_not_wait_for_the_window(void **state UNUSED)
{
	struct phone_book more;
	const struct elem *c;
	char name[32], text[1024];

	begin("14.1", "");
	scene_sync(&s);
	put(MORE, "change.vcf", CARD("c", "Carl"));
	put(MORE, "delete.vcf", CARD("d", "Dora"));
	open_book(&more, "More");
	for (unsigned i = 0; i < 5; i++) {
		(void)snprintf(name, sizeof(name), "%u.vcf", i);
		put(FAKE_DAV_CONTACTS, name, CARD("a", "Ada"));
	}
	put(MORE, "new.vcf", CARD("b", "Bob"));
	(void)snprintf(text, sizeof(text),
		"airsync:Sync\n  airsync:Collections\n    airsync:Collection\n"
		"      airsync:SyncKey \"%s\"\n      airsync:CollectionId \"%s\"\n"
		"    airsync:Collection\n"
		"      airsync:SyncKey \"%s\"\n      airsync:CollectionId \"%s\"\n"
		"      airsync:Commands\n"
		"        airsync:Add\n          airsync:ClientId \"c1\"\n"
		"          airsync:ApplicationData\n            contacts:LastName \"Eve\"\n"
		"        airsync:Change\n          airsync:ServerId \"%s\"\n"
		"          airsync:ApplicationData\n            contacts:LastName \"Carla\"\n"
		"        airsync:Delete\n          airsync:ServerId \"%s\"\n"
		"  airsync:WindowSize \"4\"\n",
		s.b.key, s.b.id, more.key, more.id, phone_book_find(&more, "Carl")->id,
		phone_book_find(&more, "Dora")->id);
	c = elem_child(phone_post(&s.p, "Sync", text), AIRSYNC_COLLECTIONS);
	c = elem_child(c, AIRSYNC_COLLECTION);
	assert_int_equal(elem_count(elem_child(c, AIRSYNC_COMMANDS), AIRSYNC_ADD), 4);
	c = elem_again(c);
	assert_int_equal(elem_u32(c, AIRSYNC_STATUS, 0), 1);
	assert_false(elem_has(c, AIRSYNC_COMMANDS));
	assert_true(elem_has(c, AIRSYNC_MORE_AVAILABLE));
	c = elem_child(elem_child(c, AIRSYNC_RESPONSES), AIRSYNC_ADD);
	assert_int_equal(elem_u32(c, AIRSYNC_STATUS, 0), 1);
	assert_int_equal(scene_count(&s, MORE, "N:Eve"), 1);
	assert_int_equal(scene_count(&s, MORE, "N:Carla"), 1);
	assert_int_equal(scene_count(&s, MORE, "Dora"), 0);
	phone_book_release(&more);
	open_book(&more, "More");
	assert_int_equal(more.n, 3);
	phone_book_release(&more);
	scene_end(&s);
}

/* C173: several books are shown as one; new cards go into the default one, a change goes where
 * the card lives. */
static void test_books_can_be_merged(void **state UNUSED)
{
	static const char *const versions[] = {"2.5", "12.1", "14.1"};
	static const char *const paths[] = {FAKE_DAV_CONTACTS, MORE, NULL};

	for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
		begin(versions[i], "contacts_merge = yes\n");
		assert_int_equal(folders_of(TYPE_OF_MORE_CONTACTS), 0);
		put(FAKE_DAV_CONTACTS, "a.vcf", CARD("a", "Ada"));
		put(MORE, "b.vcf", CARD("b", "Bob"));
		scene_sync(&s);
		assert_int_equal(s.b.n, 2);
		assert_int_equal(scene_change(&s, scene_id(&s, "Bob"), LAST("Robert")), 1);
		assert_int_equal(scene_count(&s, MORE, "Robert"), 1);
		assert_int_equal(scene_add(&s, "1", LAST("New")), 1);
		assert_int_equal(scene_count(&s, FAKE_DAV_CONTACTS, "New"), 1);
		assert_int_equal(scene_delete(&s, scene_id(&s, "Robert")), 1);
		assert_int_equal(fake_dav_count(s.e.dav, MORE), 0);
		for (unsigned k = 0; k < 9; k++) {
			char name[32];

			(void)snprintf(name, sizeof(name), "x%u.vcf", k);
			put(k % 2 ? MORE : FAKE_DAV_CONTACTS, name, CARD("x", "Many"));
		}
		scene_must(phone_book_sync(&s.p, &s.b, 2, NULL, 0), &s.p);
		scene_equal(&s, &s.b, paths);
		assert_int_equal(s.b.n, 11);
		scene_end(&s);
	}
}

/* A merged book comes late, becomes read-only, goes: the phone follows. */
static void test_merged_books_come_and_go(void **state UNUSED)
{
	static const char *const both[] = {FAKE_DAV_CONTACTS, MORE, NULL};
	static const char *const three[] = {FAKE_DAV_CONTACTS, MORE, AAA, NULL};
	static const char *const one[] = {FAKE_DAV_CONTACTS, AAA, NULL};

	begin("14.1", "contacts_merge = yes\n");
	put(FAKE_DAV_CONTACTS, "a.vcf", CARD("a", "Ada"));
	put(MORE, "b.vcf", CARD("b", "Bob"));
	scene_equal(&s, &s.b, both);
	fake_dav_collection(s.e.dav, AAA, "Aaa", DAV_CARDS);
	put(AAA, "c.vcf", CARD("c", "Cid"));
	scene_must(phone_folder_sync(&s.p), &s.p);
	scene_equal(&s, &s.b, three);
	assert_int_equal(s.b.n, 3);
	fake_dav_collection_delete(s.e.dav, MORE);
	/* As long as nobody has asked for the folders, the others go on. */
	put(AAA, "d.vcf", CARD("d", "Dan"));
	scene_sync(&s);
	(void)scene_id(&s, "Dan");
	scene_must(phone_folder_sync(&s.p), &s.p);
	scene_equal(&s, &s.b, one);
	assert_int_equal(s.b.n, 3);
	assert_null(phone_book_find(&s.b, "Bob"));
	scene_end(&s);
}

/* The administrator merges the books, or parts them, of a phone that has them already. */
static void test_merging_can_be_turned_on_and_off(void **state UNUSED)
{
	static const char *const both[] = {FAKE_DAV_CONTACTS, MORE, NULL};
	struct phone_book more;

	begin("14.1", "");
	put(FAKE_DAV_CONTACTS, "a.vcf", CARD("a", "Ada"));
	put(MORE, "b.vcf", CARD("b", "Bob"));
	scene_sync(&s);
	phone_book_release(open_book(&more, "More"));
	s.e.conf.contacts_merge = true;
	scene_must(phone_folder_sync(&s.p), &s.p);
	assert_int_equal(folders_of(TYPE_OF_MORE_CONTACTS), 0);
	scene_equal(&s, &s.b, both);
	assert_int_equal(s.b.n, 2);
	s.e.conf.contacts_merge = false;
	scene_must(phone_folder_sync(&s.p), &s.p);
	assert_int_equal(folders_of(TYPE_OF_MORE_CONTACTS), 1);
	scene_settled(&s);
	assert_int_equal(s.b.n, 1);
	phone_book_release(open_book(&more, "More"));
	scene_end(&s);
}

static unsigned ping(const char *id)
{
	char text[512];

	(void)snprintf(text, sizeof(text),
		"ping:Ping\n  ping:HeartbeatInterval \"300\"\n  ping:Folders\n"
		"    ping:Folder\n      ping:Id \"%s\"\n      ping:Class \"Contacts\"\n",
		id);
	return elem_u32(phone_post(&s.p, "Ping", text), PING_STATUS, 0);
}

/* C38: a change in any of the merged books ends a wait, with a listener and without. */
static void test_a_wait_for_merged_books(void **state UNUSED)
{
	for (unsigned covered = 0; covered < 2; covered++) {
		begin("14.1", "contacts_merge = yes\n");
		put(FAKE_DAV_CONTACTS, "a.vcf", CARD("a", "Ada"));
		scene_sync(&s);
		fake_state_cover(s.e.state, covered);
		assert_int_equal(ping(s.b.id), 1);
		assert_int_equal(s.e.last_wait.n, 2);
		put(MORE, "b.vcf", CARD("b", "Bob"));
		/* What a listener does: it asks, and notes what it was told. */
		if (covered) {
			static struct phone two;
			struct phone_book b;

			scene_phone(&s, &two, "two");
			phone_book_init(&b, phone_folder(&two, TYPE_OF_CONTACTS));
			scene_must(phone_book_sync(&two, &b, 100, NULL, 0), &two);
			phone_book_release(&b);
			phone_release(&two);
		}
		assert_int_equal(ping(s.b.id), 2);
		scene_sync(&s);
		assert_int_equal(s.b.n, 2);
		assert_int_equal(ping(s.b.id), 1);
		scene_end(&s);
	}
}

/* commands.md 3: what a phone makes, renames and deletes, with every Status. */
static void test_a_phone_makes_books(void **state UNUSED)
{
	static const char *const versions[] = {"2.5", "12.0", "12.1", "14.0", "14.1"};

	for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
		struct phone_book b;
		char id[72], def[72];

		begin(versions[i], "");
		(void)snprintf(def, sizeof(def), "%s", s.b.id);
		assert_int_equal(phone_folder_create_type(&s.p, "0", "Friends", 14), 1);
		(void)snprintf(id, sizeof(id), "%s", phone_folder_named(&s.p, "Friends")->id);
		/* What it made itself it is not told again. */
		scene_must(phone_folder_sync(&s.p), &s.p);
		assert_string_equal(phone_folder_named(&s.p, "Friends")->id, id);
		assert_int_equal(folders_of(14), 2);
		open_book(&b, "Friends");
		phone_book_release(&b);
		assert_int_equal(phone_folder_create_type(&s.p, "0", "Friends", 14), 2);
		assert_int_equal(phone_folder_create_type(&s.p, "0", "friends", 14), 2);
		assert_int_equal(phone_folder_create_type(&s.p, "0", "Mine", 9), 10);
		assert_int_equal(phone_folder_create_type(&s.p, "0", "", 14), 10);
		assert_int_equal(phone_folder_create_type(&s.p, id, "Below", 14), 5);
		assert_int_equal(phone_folder_create_type(&s.p, "RI", "Below", 14), 3);
		assert_int_equal(phone_folder_update(&s.p, id, "0", "More"), 2);
		assert_int_equal(phone_folder_update(&s.p, id, "0", "Pals"), 1);
		assert_int_equal(phone_folder_update(&s.p, id, "0", "Pals"), 1);
		assert_int_equal(phone_folder_update(&s.p, id, def, "Pals"), 5);
		assert_int_equal(phone_folder_update(&s.p, id, id, "Pals"), 5);
		assert_int_equal(phone_folder_update(&s.p, id, "0", ""), 10);
		assert_int_equal(phone_folder_update(&s.p, def, "0", "Mine"), 2);
		assert_int_equal(phone_folder_update(&s.p, "RI", "0", "Mine"), 3);
		/* A mail folder beside them does not get the name of one. */
		assert_int_equal(phone_folder_create_type(&s.p, "0", "pals", 12), 2);
		assert_int_equal(phone_folder_create_type(&s.p, "0", "Post", 12), 1);
		assert_int_equal(phone_folder_update(&s.p, phone_folder_named(&s.p, "Post")->id,
					 "0", "Pals"),
			2);
		assert_int_equal(phone_folder_update(&s.p, "4711", "0", "Mine"), 4);
		assert_int_equal(phone_folder_delete(&s.p, def), 3);
		assert_int_equal(phone_folder_delete(&s.p, "4711"), 4);
		scene_must(phone_folder_sync(&s.p), &s.p);
		assert_string_equal(phone_folder_named(&s.p, "Pals")->id, id);
		/* A read-only one may not be renamed or deleted. */
		fake_dav_read_only(s.e.dav, MORE, true);
		assert_int_equal(phone_folder_update(&s.p, phone_folder_named(&s.p, "More")->id,
					 "0", "Less"),
			6);
		assert_int_equal(
			phone_folder_delete(&s.p, phone_folder_named(&s.p, "More")->id), 6);
		/* Somebody else has deleted it: it is gone, as the phone wants. */
		assert_int_equal(phone_folder_delete(&s.p, id), 1);
		scene_must(phone_folder_sync(&s.p), &s.p);
		assert_null(phone_folder_named(&s.p, "Pals"));
		assert_string_equal(fake_dav_name(s.e.dav, MORE), "More");
		scene_end(&s);
	}
}

enum torturer { FAIL_DAV, FAIL_DAV_LATE, FAIL_STATE, FAIL_STATE_LATE, LOSE, TORTURERS };

static void break_at(enum torturer how, unsigned n)
{
	fake_dav_fail_after(
		s.e.dav, how == FAIL_DAV || how == FAIL_DAV_LATE ? n : 0, how == FAIL_DAV_LATE);
	fake_state_fail_after(s.e.state, how == FAIL_STATE || how == FAIL_STATE_LATE ? n : 0,
		how == FAIL_STATE_LATE);
	s.e.lose = how == LOSE ? n : 0;
}

/* C153, requirements 4.13: each of the three comes to the same end when it is repeated. */
static void test_folder_changes_may_fail_anywhere(void **state UNUSED)
{
	log_set_level(LOG_LEVEL_ERROR);
	for (int how = 0; how < TORTURERS; how++)
		for (unsigned n = 1; n < 25; n++) {
			begin("14.1", "");
			break_at((enum torturer)how, n);
			assert_int_equal(phone_folder_create_type(&s.p, "0", "Friends", 14), 1);
			assert_int_equal(
				phone_folder_update(&s.p,
					phone_folder_named(&s.p, "Friends")->id, "0", "Pals"),
				1);
			scene_must(phone_folder_sync(&s.p), &s.p);
			assert_int_equal(folders_of(14), 2);
			assert_int_equal(
				phone_folder_delete(&s.p, phone_folder_named(&s.p, "Pals")->id),
				1);
			break_at(TORTURERS, 0);
			scene_must(phone_folder_sync(&s.p), &s.p);
			assert_int_equal(folders_of(14), 1);
			assert_int_equal(folders_of(9), 1);
			scene_end(&s);
		}
}

static const enum rc refusals[] = {RC_DENIED, RC_ABSENT, RC_INVALID};

static unsigned create_friends(void)
{
	return phone_folder_create_type(&s.p, "0", "Friends", 14);
}

static unsigned rename_to_pals(void)
{
	return phone_folder_update(&s.p, phone_folder_named(&s.p, "Friends")->id, "0", "Pals");
}

static unsigned delete_pals(void)
{
	return phone_folder_delete(&s.p, phone_folder_named(&s.p, "Pals")->id);
}

/* What the user tries again after it was refused once is done then, and the phone has the
 * folders that there are. */
static void insist(unsigned (*act)(void), bool *refused)
{
	unsigned status = act();

	*refused = *refused || status != 1;
	scene_must(phone_folder_sync(&s.p), &s.p);
	if (status != 1)
		assert_int_equal(act(), 1);
	scene_must(phone_folder_sync(&s.p), &s.p);
}

/* 403, 404 and nonsense at each call: a clear Status, no book is lost and none is doubled. */
static void test_folder_changes_may_be_refused_anywhere(void **state UNUSED)
{
	enum { CREATE, RENAME, DELETE, ACTS };
	bool refused[ARRAY_LEN(refusals)][ACTS] = {{false}};

	log_set_level(LOG_LEVEL_ERROR);
	for (size_t i = 0; i < ARRAY_LEN(refusals); i++)
		for (unsigned n = 1; n < 16; n++) {
			begin("14.1", "");
			fake_dav_fail_with(s.e.dav, n, refusals[i]);
			insist(create_friends, &refused[i][CREATE]);
			assert_int_equal(folders_of(14), 2);
			insist(rename_to_pals, &refused[i][RENAME]);
			assert_int_equal(folders_of(14), 2);
			insist(delete_pals, &refused[i][DELETE]);
			/* Told that it is not there the server has to show it again. */
			if (phone_folder_named(&s.p, "Pals"))
				insist(delete_pals, &refused[i][DELETE]);
			assert_int_equal(folders_of(14), 1);
			assert_int_equal(folders_of(9), 1);
			assert_string_equal(phone_folder_named(&s.p, "More")->name,
				fake_dav_name(s.e.dav, MORE));
			scene_end(&s);
		}
	/* Each was refused, but for what is not there and is to be deleted: it counts as done.
	 */
	for (size_t i = 0; i < ARRAY_LEN(refusals); i++)
		for (size_t act = 0; act < ACTS; act++)
			assert_int_equal(
				refused[i][act], refusals[i] != RC_ABSENT || act != DELETE);
}

/* A first try that made the book and was not answered; the user takes another name then. */
static void test_a_second_try_under_another_name(void **state UNUSED)
{
	char key[32];

	begin("14.1", "");
	(void)snprintf(key, sizeof(key), "%s", s.p.hierarchy_key);
	assert_int_equal(phone_folder_create_type(&s.p, "0", "Friends", 14), 1);
	/* The phone heard nothing of that. */
	s.p.nfolders--;
	(void)snprintf(s.p.hierarchy_key, sizeof(s.p.hierarchy_key), "%s", key);
	assert_int_equal(phone_folder_create_type(&s.p, "0", "Pals", 14), 1);
	scene_must(phone_folder_sync(&s.p), &s.p);
	/* Both are there, each under its own name. */
	assert_non_null(phone_folder_named(&s.p, "Pals"));
	assert_non_null(phone_folder_named(&s.p, "Friends"));
	assert_int_equal(folders_of(14), 3);
	scene_end(&s);
}

/* Where all books are one, a phone makes no more of them. */
static void test_merged_books_are_not_made(void **state UNUSED)
{
	begin("14.1", "contacts_merge = yes\n");
	assert_int_equal(phone_folder_create_type(&s.p, "0", "Friends", 14), 10);
	assert_int_equal(phone_folder_create_type(&s.p, "0", "Mail", 12), 1);
	scene_end(&s);
}

/* MoveItems of one card; its Status, and the new id. */
static unsigned move_from(struct phone *p, const char *id, const char *from, const char *to,
	char *new_id, size_t size)
{
	char text[512];
	const struct elem *e;

	(void)snprintf(text, sizeof(text),
		"move:MoveItems\n  move:Move\n    move:SrcMsgId \"%s\"\n"
		"    move:SrcFldId \"%s\"\n    move:DstFldId \"%s\"\n",
		id, from, to);
	e = elem_child(phone_post(p, "MoveItems", text), MOVE_RESPONSE);
	(void)snprintf(new_id, size, "%.*s", STR_FMT(elem_text(e, MOVE_DST_MSG_ID)));
	return elem_u32(e, MOVE_STATUS, 0);
}

static unsigned move(
	const char *id, const char *from, const char *to, char *new_id, size_t size)
{
	return move_from(&s.p, id, from, to, new_id, size);
}

/* [MS-ASCMD] 2.2.3.177.10; C52: repeated it gets the same answer. */
static void test_cards_move_between_books(void **state UNUSED)
{
	struct phone_book more;
	const char *inbox;
	char id[72], new_id[72], again[72];

	begin("14.1", "");
	put(FAKE_DAV_CONTACTS, "a.vcf", CARD("a", "Ada"));
	scene_sync(&s);
	open_book(&more, "More");
	inbox = phone_folder(&s.p, STORY_INBOX)->id;
	(void)snprintf(id, sizeof(id), "%s", scene_id(&s, "Ada"));
	assert_int_equal(move(id, s.b.id, inbox, new_id, sizeof(new_id)), 2);
	assert_int_equal(move(id, s.b.id, "4711", new_id, sizeof(new_id)), 2);
	assert_int_equal(move(id, s.b.id, s.b.id, new_id, sizeof(new_id)), 4);
	assert_int_equal(move("4:1", inbox, more.id, new_id, sizeof(new_id)), 1);
	assert_int_equal(move("nonsense", s.b.id, more.id, new_id, sizeof(new_id)), 1);
	assert_int_equal(move(id, s.b.id, more.id, new_id, sizeof(new_id)), 3);
	assert_int_equal(move(id, s.b.id, more.id, again, sizeof(again)), 3);
	assert_string_equal(new_id, again);
	assert_int_equal(scene_count(&s, MORE, FOREIGN), 1);
	assert_int_equal(fake_dav_count(s.e.dav, FAKE_DAV_CONTACTS), 0);
	scene_settled(&s);
	scene_must(phone_book_sync(&s.p, &more, 100, NULL, 0), &s.p);
	assert_non_null(phone_book_card(&more, new_id));
	/* And back. */
	assert_int_equal(move(new_id, more.id, s.b.id, again, sizeof(again)), 3);
	scene_settled(&s);
	assert_non_null(phone_book_card(&s.b, again));
	assert_int_equal(s.b.n, 1);
	/* Out of a book that must not be changed. */
	fake_dav_read_only(s.e.dav, FAKE_DAV_CONTACTS, true);
	assert_int_equal(move(again, s.b.id, more.id, new_id, sizeof(new_id)), 5);
	scene_settled(&s);
	assert_int_equal(s.b.n, 1);
	/* Into one that another client has just deleted: K5, it stays where it is. */
	fake_dav_read_only(s.e.dav, FAKE_DAV_CONTACTS, false);
	fake_dav_collection_delete(s.e.dav, MORE);
	assert_int_equal(move(again, s.b.id, more.id, new_id, sizeof(new_id)), 2);
	scene_sync(&s);
	assert_non_null(phone_book_card(&s.b, again));
	fake_dav_collection(s.e.dav, MORE, "More", DAV_CARDS);
	/* One that another client has removed meanwhile. */
	fake_dav_remove(s.e.dav, FAKE_DAV_CONTACTS, scene_name(&s, "Ada"));
	assert_int_equal(move(again, s.b.id, more.id, new_id, sizeof(new_id)), 1);
	scene_settled(&s);
	assert_int_equal(s.b.n, 0);
	phone_book_release(&more);
	scene_end(&s);
}

/* Another client moves a card back to where it was: it has the id that it had, and a phone that
 * moves it again is not taken for one that repeats itself. */
static void test_a_card_that_came_back_moves_again(void **state UNUSED)
{
	static const char *const paths[] = {MORE, NULL};
	struct phone_book more;
	char id[72], new_id[72], name[256];

	begin("14.1", "");
	put(FAKE_DAV_CONTACTS, "a.vcf", CARD("a", "Ada"));
	scene_sync(&s);
	open_book(&more, "More");
	(void)snprintf(id, sizeof(id), "%s", scene_id(&s, "Ada"));
	assert_int_equal(move(id, s.b.id, more.id, new_id, sizeof(new_id)), 3);
	scene_settled(&s);
	(void)snprintf(
		name, sizeof(name), "%s", fake_dav_href(s.e.dav, MORE, 0).p + strlen(MORE));
	fake_dav_remove(s.e.dav, MORE, name);
	put(FAKE_DAV_CONTACTS, "a.vcf", CARD("a", "Ada"));
	scene_sync(&s);
	assert_string_equal(scene_id(&s, "Ada"), id);
	assert_int_equal(move(id, s.b.id, more.id, new_id, sizeof(new_id)), 3);
	assert_int_equal(fake_dav_count(s.e.dav, FAKE_DAV_CONTACTS), 0);
	assert_int_equal(fake_dav_count(s.e.dav, MORE), 1);
	scene_settled(&s);
	scene_equal(&s, &more, paths);
	assert_non_null(phone_book_card(&more, new_id));
	phone_book_release(&more);
	scene_end(&s);
}

/* What another client has put where a card was before it moved is another card: a move of it
 * neither removes it nor takes the one that is there for it. */
static void test_a_move_does_not_take_one_card_for_another(void **state UNUSED)
{
	static const char *const paths[] = {MORE, NULL};
	struct phone_book more, theirs;
	struct phone two;
	char id[72], new_id[72];

	begin("14.1", "");
	put(FAKE_DAV_CONTACTS, "a.vcf", CARD("a", "Ada"));
	scene_sync(&s);
	open_book(&more, "More");
	(void)snprintf(id, sizeof(id), "%s", scene_id(&s, "Ada"));
	assert_int_equal(move(id, s.b.id, more.id, new_id, sizeof(new_id)), 3);
	put(FAKE_DAV_CONTACTS, "a.vcf", CARD("a", "Adele"));
	scene_phone(&s, &two, "two");
	phone_book_init(&theirs, phone_folder(&two, TYPE_OF_CONTACTS));
	scene_must(phone_book_sync(&two, &theirs, 100, NULL, 0), &two);
	assert_string_equal(phone_book_find(&theirs, "Adele")->id, id);
	assert_int_equal(move_from(&two, id, s.b.id, more.id, new_id, sizeof(new_id)), 5);
	assert_int_equal(scene_count(&s, FAKE_DAV_CONTACTS, "Adele"), 1);
	assert_int_equal(scene_count(&s, MORE, "Ada"), 1);
	scene_settled(&s);
	scene_equal(&s, &more, paths);
	phone_book_release(&theirs);
	phone_book_release(&more);
	phone_release(&two);
	scene_end(&s);
}

/* C52, requirements 4.13: a move that fails anywhere and is repeated ends as if it had not. */
static void test_moves_may_fail_anywhere(void **state UNUSED)
{
	static const char *const more_path[] = {MORE, NULL};

	log_set_level(LOG_LEVEL_ERROR);
	for (int how = 0; how < TORTURERS; how++)
		for (unsigned n = 1; n < 20; n++) {
			struct phone_book more;
			char id[72], new_id[72];

			begin("14.1", "");
			put(FAKE_DAV_CONTACTS, "a.vcf", CARD("a", "Ada"));
			scene_sync(&s);
			open_book(&more, "More");
			(void)snprintf(id, sizeof(id), "%s", scene_id(&s, "Ada"));
			break_at((enum torturer)how, n);
			assert_int_equal(move(id, s.b.id, more.id, new_id, sizeof(new_id)), 3);
			break_at(TORTURERS, 0);
			scene_settled(&s);
			assert_int_equal(s.b.n, 0);
			scene_equal(&s, &more, more_path);
			assert_non_null(phone_book_card(&more, new_id));
			assert_int_equal(more.n, 1);
			phone_book_release(&more);
			scene_end(&s);
		}
}

/* The same of a move: the card is in one of the two books, and the phone knows in which. */
static void test_moves_may_be_refused_anywhere(void **state UNUSED)
{
	static const char *const more_path[] = {MORE, NULL};

	log_set_level(LOG_LEVEL_ERROR);
	for (size_t i = 0; i < ARRAY_LEN(refusals); i++)
		for (unsigned n = 1; n < 8; n++) {
			struct phone_book more;
			char id[72], new_id[72];
			unsigned status;

			begin("14.1", "");
			put(FAKE_DAV_CONTACTS, "a.vcf", CARD("a", "Ada"));
			scene_sync(&s);
			open_book(&more, "More");
			(void)snprintf(id, sizeof(id), "%s", scene_id(&s, "Ada"));
			fake_dav_fail_with(s.e.dav, n, refusals[i]);
			status = move(id, s.b.id, more.id, new_id, sizeof(new_id));
			fake_dav_fail_after(s.e.dav, 0, false);
			assert_true(status == 3 || status == 1 || status == 2 || status == 5);
			scene_settled(&s);
			assert_int_equal(s.b.n, status != 3);
			scene_equal(&s, &more, more_path);
			assert_int_equal(more.n, status == 3);
			assert_true(n > 1 || status != 3);
			phone_book_release(&more);
			scene_end(&s);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_books_are_folders),
		cmocka_unit_test(test_the_default_book_can_be_written_to),
		cmocka_unit_test(test_a_user_without_books_gets_one),
		cmocka_unit_test(test_the_global_window_goes_over_books),
		cmocka_unit_test(test_commands_do_not_wait_for_the_window),
		cmocka_unit_test(test_books_can_be_merged),
		cmocka_unit_test(test_merged_books_come_and_go),
		cmocka_unit_test(test_merging_can_be_turned_on_and_off),
		cmocka_unit_test(test_a_wait_for_merged_books),
		cmocka_unit_test(test_a_phone_makes_books),
		cmocka_unit_test(test_folder_changes_may_fail_anywhere),
		cmocka_unit_test(test_folder_changes_may_be_refused_anywhere),
		cmocka_unit_test(test_a_second_try_under_another_name),
		cmocka_unit_test(test_merged_books_are_not_made),
		cmocka_unit_test(test_cards_move_between_books),
		cmocka_unit_test(test_a_card_that_came_back_moves_again),
		cmocka_unit_test(test_a_move_does_not_take_one_card_for_another),
		cmocka_unit_test(test_moves_may_fail_anywhere),
		cmocka_unit_test(test_moves_may_be_refused_anywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
