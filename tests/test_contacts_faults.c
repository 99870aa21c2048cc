/*
 * Contacts over the fakes, with trouble: servers that are down or lie about what changed, cards
 * that nobody can read, and the torture rule (every backend call of a story fails once). After
 * each the phone's model equals the book.
 */
#include "core/base/clock.h"
#include "core/base/log.h"
#include "tests/support_book.h"
#include "tests/support_story.h"

#include <gdk-pixbuf/gdk-pixbuf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct scene s;

static const char *const versions[] = {"2.5", "12.0", "12.1", "14.0", "14.1"};

static void put(const char *name, const char *text)
{
	(void)fake_dav_put(s.e.dav, FAKE_DAV_CONTACTS, name, text);
}

static void fill(unsigned n)
{
	char name[32], text[256];

	for (unsigned i = 0; i < n; i++) {
		(void)snprintf(name, sizeof(name), "%u.vcf", i);
		(void)snprintf(text, sizeof(text), CARD("u%u", "Person %u"), i, i, i);
		put(name, text);
	}
}

#define MORE_CONTACTS FAKE_DAV_HOME "more/"

static const enum rc troubles[] = {
	RC_UNAVAILABLE, RC_DENIED, RC_ABSENT, RC_INVALID, RC_INTERNAL};

/* How the server tells what changed. */
enum telling { SYNC, PAGES, LISTS, TELLINGS };

/* Where something goes wrong, once in a story. */
enum where { DAV, DAV_LATE, STATE, STATE_LATE, LOSE };

/* rc: what a call of DAV comes to. */
struct torturer {
	enum where where;
	enum rc rc;
};

static const struct torturer torturers[] = {
	{DAV,        RC_UNAVAILABLE},
	{DAV_LATE,   RC_UNAVAILABLE},
	{DAV,        RC_DENIED     },
	{DAV,        RC_ABSENT     },
	{DAV,        RC_INVALID    },
	{STATE,      RC_UNAVAILABLE},
	{STATE_LATE, RC_UNAVAILABLE},
	{LOSE,       RC_UNAVAILABLE},
};

/* A server that refuses must not be asked the same until it gives in: commands may fail. */
static bool refuses(const struct torturer *t)
{
	return t->rc != RC_UNAVAILABLE;
}

/* [MS-ASCMD] 2.2.3.177.17: with these the device goes on with the key that it has, after it
 * has looked at the folders anew. */
static bool goes_on(const struct phone_book *b)
{
	return b->status == 5 || b->status == 8 || b->status == 12;
}

static void sync_book(const struct torturer *t, struct phone *p, struct phone_book *b,
	unsigned window, struct phone_edit *v, size_t n)
{
	char error[sizeof(p->error)];

	if (phone_book_sync(p, b, window, v, n))
		return;
	(void)snprintf(error, sizeof(error), "%s", p->error);
	if (!refuses(t) || !goes_on(b))
		fail_msg("%s (%s): %s", p->id, p->version, error);
	/* What has its answer is not said again. */
	if (n && v[0].status)
		n = 0;
	scene_must(phone_folder_sync(p) && phone_book_sync(p, b, window, v, n), p);
}

/* Whether it went. */
static bool move(const struct torturer *t, const char *id)
{
	bool done = phone_move(&s.p, phone_folder(&s.p, TYPE_OF_CONTACTS), id,
		phone_folder(&s.p, TYPE_OF_MORE_CONTACTS));

	if (!refuses(t))
		scene_must(done, &s.p);
	return fake_dav_count(s.e.dav, MORE_CONTACTS) == 1;
}

enum { ONE, TWO, CHANGED, CONFLICTED, DELETED, EDITS };

/* What was said to be done stands in the book, and nothing else does. */
static void as_told(const struct torturer *t, const struct phone_edit *v, bool moved)
{
	static const char *const texts[] = {"N:One;", "N:Two;", "N:Changed;"};
	size_t own = 0;

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		bool done = v[i].status == 1;

		assert_int_equal(scene_count(&s, FAKE_DAV_CONTACTS, texts[i]), done);
		assert_true(done || refuses(t));
		own += v[i].what == AIRSYNC_ADD && done;
	}
	/* The server's card, by the Conflict option that was not sent. */
	assert_int_equal(scene_count(&s, FAKE_DAV_CONTACTS, "Server"), 1);
	assert_int_equal(
		scene_count(&s, FAKE_DAV_CONTACTS, "Person 2\r"), v[DELETED].status != 1);
	assert_true(v[DELETED].status == 1 || refuses(t));
	assert_int_equal(scene_count(&s, MORE_CONTACTS, "Person 6"), moved);
	assert_int_equal(scene_count(&s, FAKE_DAV_CONTACTS, "Person 6"), !moved);
	assert_true(moved || refuses(t));
	/* 5.vcf was removed by another client. */
	assert_int_equal(fake_dav_count(s.e.dav, FAKE_DAV_CONTACTS),
		10 - 1 - (v[DELETED].status == 1) - moved + own);
	assert_int_equal(scene_count(&s, FAKE_DAV_CONTACTS, FOREIGN),
		fake_dav_count(s.e.dav, FAKE_DAV_CONTACTS) - own);
}

/* A short story with everything in it: windows, adds, changes, deletes, moves, a conflict. */
static void story(const struct torturer *t)
{
	static const char *const paths[] = {FAKE_DAV_CONTACTS, NULL};
	static const char *const more[] = {MORE_CONTACTS, NULL};
	struct phone_book other;
	struct phone_edit v[EDITS] = {
		[ONE] = {.what = AIRSYNC_ADD,    .client_id = "c1", .data = LAST("One")},
		[TWO] = {.what = AIRSYNC_ADD,   .client_id = "c2", .data = LAST("Two")},
		[CHANGED] = {.what = AIRSYNC_CHANGE,    .data = LAST("Changed")},
		[CONFLICTED] = {.what = AIRSYNC_CHANGE,   .data = LAST("Phone")},
		[DELETED] = {.what = AIRSYNC_DELETE},
	};
	bool moved;

	sync_book(t, &s.p, &s.b, 4, NULL, 0);
	assert_int_equal(s.b.n, 10);
	put("3.vcf", CARD("u3", "Server"));
	put("4.vcf", CARD("u4", "News"));
	fake_dav_remove(s.e.dav, FAKE_DAV_CONTACTS, "5.vcf");
	(void)snprintf(v[CHANGED].id, sizeof(v[0].id), "%s", scene_id(&s, "Person 1\""));
	(void)snprintf(v[CONFLICTED].id, sizeof(v[0].id), "%s", scene_id(&s, "Person 3\""));
	(void)snprintf(v[DELETED].id, sizeof(v[0].id), "%s", scene_id(&s, "Person 2\""));
	sync_book(t, &s.p, &s.b, 2, v, EDITS);
	moved = move(t, scene_id(&s, "Person 6\""));
	phone_book_init(&other, phone_folder(&s.p, TYPE_OF_MORE_CONTACTS));
	sync_book(t, &s.p, &other, 100, NULL, 0);
	sync_book(t, &s.p, &s.b, 100, NULL, 0);
	/* From here on nothing fails. */
	fake_dav_fail_after(s.e.dav, 0, false);
	fake_state_fail_after(s.e.state, 0, false);
	s.e.lose = 0;
	scene_equal(&s, &s.b, paths);
	scene_equal(&s, &other, more);
	phone_book_release(&other);
	as_told(t, v, moved);
}

/* False when the story has fewer calls than n. */
static bool torture(
	const char *version, enum telling telling, const struct torturer *t, unsigned n)
{
	unsigned trips, calls;
	bool more;

	scene_begin(&s, version, "");
	fake_dav_collection(s.e.dav, MORE_CONTACTS, "More", DAV_CARDS);
	scene_must(phone_folder_sync(&s.p), &s.p);
	fake_dav_page(s.e.dav, telling == PAGES ? 3 : 0);
	fake_dav_without_sync(s.e.dav, telling == LISTS);
	fill(10);
	trips = fake_dav_trips(s.e.dav);
	calls = fake_state_calls(s.e.state);
	if (t->where == DAV)
		fake_dav_fail_with(s.e.dav, n, t->rc);
	else if (t->where == DAV_LATE)
		fake_dav_fail_after(s.e.dav, n, true);
	else if (t->where == LOSE)
		s.e.lose = n;
	else
		fake_state_fail_after(s.e.state, n, t->where == STATE_LATE);
	story(t);
	/* The comparison at the end makes some more. */
	more = t->where == LOSE ? n < 9
	       : t->where == DAV || t->where == DAV_LATE
		       ? fake_dav_trips(s.e.dav) - trips >= n
		       : fake_state_calls(s.e.state) - calls >= n;
	scene_end(&s);
	return more;
}

/* C153, S4, B20073: whatever call fails, and however, the phone goes on with its key, nothing
 * is lost and nothing is doubled. */
static void test_every_backend_call_may_fail_once(void **state UNUSED)
{
	unsigned runs = 0;

	log_set_level(LOG_LEVEL_ERROR);
	/* How the server tells is no matter of the phone's version. */
	for (size_t v = 0; v < ARRAY_LEN(versions); v++)
		for (int telling = 0; telling < (v ? 1 : TELLINGS); telling++)
			for (size_t t = 0; t < ARRAY_LEN(torturers); t++)
				for (unsigned n = 1; torture(versions[v], (enum telling)telling,
					     &torturers[t], n);
					n++)
					runs++;
	print_message("%u stories with one failure each\n", runs);
	assert_true(runs > 500);
}

static struct phone_edit random_edit(
	struct scene *at, struct phone_book *b, unsigned round, char *data, size_t size)
{
	struct phone_edit e = {.what = AIRSYNC_ADD, .data = data};

	(void)at;
	(void)snprintf(
		data, size, LAST("R%u") FIELD("JobTitle", "T%u"), round, story_choose(100));
	(void)snprintf(e.client_id, sizeof(e.client_id), "%u", story_choose(3));
	if (b->n && story_choose(3)) {
		e.what = story_choose(3) ? AIRSYNC_CHANGE : AIRSYNC_DELETE;
		(void)snprintf(e.id, sizeof(e.id), "%s", b->v[story_choose((unsigned)b->n)].id);
	}
	return e;
}

static void client_acts(unsigned round)
{
	size_t n = fake_dav_count(s.e.dav, FAKE_DAV_CONTACTS);
	char name[256], text[256];

	(void)snprintf(text, sizeof(text), CARD("c%u", "C%u"), round, round, round);
	(void)snprintf(name, sizeof(name), "c%u.vcf", round);
	if (n && story_choose(2)) {
		struct str href =
			fake_dav_href(s.e.dav, FAKE_DAV_CONTACTS, story_choose((unsigned)n));

		(void)snprintf(name, sizeof(name), "%.*s",
			STR_FMT(str_sub(href, strlen(FAKE_DAV_CONTACTS), href.n)));
		if (story_choose(3) == 0) {
			fake_dav_remove(s.e.dav, FAKE_DAV_CONTACTS, name);
			return;
		}
	}
	put(name, text);
}

/* S4, C153, requirements 4.13: two phones and another client change things, answers get lost,
 * backends fail, the server forgets its tokens. */
static void test_random_changes_end_with_equal_books(void **state UNUSED)
{
	static struct phone two;

	for (unsigned run = 0; run < 40; run++) {
		struct phone_book b;

		story_seed(815 + run);
		scene_begin(&s, versions[run % ARRAY_LEN(versions)], "");
		scene_phone(&s, &two, "two");
		two.version = versions[(run + 2) % ARRAY_LEN(versions)];
		phone_book_init(&b, phone_folder(&two, TYPE_OF_CONTACTS));
		s.b.conflict = run % 3 ? "0" : NULL;
		fake_dav_without_sync(s.e.dav, run % 4 == 3);
		fake_dav_page(s.e.dav, run % 4 == 2 ? 2 : 0);
		for (unsigned round = 0; round < 60; round++) {
			bool first = story_choose(2);
			struct phone_book *book = first ? &s.b : &b;
			struct phone *p = first ? &s.p : &two;
			char data[128];
			struct phone_edit e = random_edit(&s, book, round, data, sizeof(data));
			struct torturer t = {DAV, RC_UNAVAILABLE};

			client_acts(round);
			if (story_choose(3) == 0)
				s.e.lose = 1 + story_choose(3);
			if (story_choose(3) == 0)
				fake_dav_fail_after(
					s.e.dav, 1 + story_choose(6), story_choose(2));
			else if (story_choose(4) == 0) {
				t.rc = troubles[story_choose(ARRAY_LEN(troubles) - 1)];
				fake_dav_fail_with(s.e.dav, 1 + story_choose(6), t.rc);
			}
			if (story_choose(3) == 0)
				fake_state_fail_after(
					s.e.state, 1 + story_choose(9), story_choose(2));
			if (story_choose(15) == 0)
				fake_dav_forget_tokens(s.e.dav);
			sync_book(&t, p, book, 1 + story_choose(10), &e, story_choose(4) != 0);
			fake_dav_fail_after(s.e.dav, 0, false);
			fake_state_fail_after(s.e.state, 0, false);
			s.e.lose = 0;
		}
		scene_settled(&s);
		scene_must(phone_book_sync(&two, &b, 100, NULL, 0), &two);
		scene_must(phone_book_sync(&two, &b, 100, NULL, 0), &two);
		{
			char why[2048];

			if (!phone_book_equal(&s.b, &b, why, sizeof(why)))
				fail_msg("run %u: %s", run, why);
		}
		phone_book_release(&b);
		phone_release(&two);
		scene_end(&s);
	}
}

static bool (*carry)(struct phone *p, const char *query, const char *type, struct str body,
	struct buf *answer);

/* What was made by a try whose answer got lost is changed before the next try. */
static bool carry_and_change(struct phone *p, const char *query, const char *type,
	struct str body, struct buf *answer)
{
	bool done = carry(p, query, type, body, answer);
	const char *name = scene_name(&s, "One");
	struct arena *a = arena_new();

	if (!done && name) {
		struct str was = fake_dav_text(s.e.dav, FAKE_DAV_CONTACTS, name);
		size_t at = str_search(was, STR("\r\nN:One"));

		put(name, arena_printf(a, "%.*s\r\nN:Other%.*s", STR_FMT(str_sub(was, 0, at)),
				  STR_FMT(str_sub(was, at + 7, was.n)))
				  .p);
	}
	arena_free(a);
	return done;
}

/* S4: an Add that comes again after another client has changed what its first try had made. */
static void test_an_add_that_was_changed_before_its_answer(void **state UNUSED)
{
	for (unsigned late = 0; late < 2; late++) {
		struct phone_edit v = {
			.what = AIRSYNC_ADD, .client_id = "c1", .data = LAST("One")};

		scene_begin(&s, "14.1", "");
		scene_sync(&s);
		carry = s.p.transport;
		s.p.transport = carry_and_change;
		/* The listing, and the PUT; or all is done, and the phone does not hear it. */
		if (late)
			s.e.lose = 1;
		else
			fake_dav_fail_after(s.e.dav, 2, true);
		scene_send(&s, &v, 1);
		assert_int_equal(v.status, 1);
		assert_int_equal(fake_dav_count(s.e.dav, FAKE_DAV_CONTACTS), 1);
		scene_settled(&s);
		(void)scene_id(&s, "Other");
		scene_end(&s);
	}
}

/* The phone does not try again by itself. */
static bool carry_once(struct phone *p, const char *query, const char *type, struct str body,
	struct buf *answer)
{
	if (!carry(p, query, type, body, answer))
		p->http = 500;
	return true;
}

/* An Add of which the phone does not hear that it was carried out; late: everything was, but
 * for the answer. */
static void add_unheard(const char *data, bool late)
{
	struct phone_edit v = {.what = AIRSYNC_ADD, .client_id = "c1", .data = data};

	carry = s.p.transport;
	s.p.transport = carry_once;
	/* The listing, and the PUT. */
	if (late)
		s.e.lose = 1;
	else
		fake_dav_fail_after(s.e.dav, 2, true);
	assert_false(phone_book_sync(&s.p, &s.b, 100, &v, 1));
	assert_int_equal(fake_dav_count(s.e.dav, FAKE_DAV_CONTACTS), 1);
	s.p.transport = carry;
}

#define PICTURE "contacts:Picture \"/9j/4AAQSkZJRg==\"\n"
#define NOTES   "airsyncbase:Body\n  airsyncbase:Type \"1\"\n  airsyncbase:Data \"a note\"\n"

/* S4: the user has gone on with a contact before its Add came through: what was said last
 * counts, and what is not said any more is gone. */
static void test_an_add_that_the_user_has_edited_since(void **state UNUSED)
{
	static const char *const said[] = {"Pilot", "PHOTO", "NOTE"};

	for (unsigned late = 0; late < 2; late++) {
		scene_begin(&s, "14.1", "");
		scene_sync(&s);
		add_unheard(LAST("One") FIELD("JobTitle", "Pilot") PICTURE NOTES, late);
		for (size_t i = 0; i < ARRAY_LEN(said); i++)
			assert_int_equal(scene_count(&s, FAKE_DAV_CONTACTS, said[i]), 1);
		assert_int_equal(scene_add(&s, "c1", LAST("Two")), 1);
		assert_int_equal(fake_dav_count(s.e.dav, FAKE_DAV_CONTACTS), 1);
		assert_int_equal(scene_count(&s, FAKE_DAV_CONTACTS, "N:Two"), 1);
		for (size_t i = 0; i < ARRAY_LEN(said); i++)
			assert_int_equal(scene_count(&s, FAKE_DAV_CONTACTS, said[i]), 0);
		scene_settled(&s);
		(void)scene_id(&s, "Two");
		scene_end(&s);
	}
}

/* What the server does not take of that costs the user the edit, and makes no second contact.
 */
static void test_an_edited_add_that_is_not_taken(void **state UNUSED)
{
	scene_begin(&s, "14.1", "");
	scene_sync(&s);
	add_unheard(LAST("One"), false);
	fake_dav_reject(s.e.dav, "N:Two");
	assert_int_equal(scene_add(&s, "c1", LAST("Two")), 1);
	scene_settled(&s);
	assert_int_equal(s.b.n, 1);
	(void)scene_id(&s, "One");
	scene_end(&s);
}

/* A server that gives its own UIDs, or that does not give what it has taken: the phone gets on
 * all the same, and nothing is doubled. */
static void test_an_add_that_is_another_at_the_server(void **state UNUSED)
{
	for (unsigned refused = 0; refused < 2; refused++) {
		char name[256];

		scene_begin(&s, "14.1", "");
		scene_sync(&s);
		add_unheard(LAST("One"), false);
		(void)snprintf(name, sizeof(name), "%s", scene_name(&s, "One"));
		if (refused)
			fake_dav_refuse(s.e.dav, FAKE_DAV_CONTACTS, name, true);
		else
			put(name, CARD("4711", "Uno"));
		assert_int_equal(scene_add(&s, "c1", LAST("One")), 1);
		assert_int_equal(fake_dav_count(s.e.dav, FAKE_DAV_CONTACTS), 1);
		if (refused)
			fake_dav_refuse(s.e.dav, FAKE_DAV_CONTACTS, name, false);
		else
			(void)scene_id(&s, "Uno");
		/* What the server has for itself of the object is found out by the first
		 * Change.
		 */
		if (refused)
			assert_int_equal(scene_change(&s, s.b.v[0].id, LAST("Two")), 7);
		assert_int_equal(scene_change(&s, s.b.v[0].id, LAST("Tre")), 1);
		scene_settled(&s);
		(void)scene_id(&s, "Tre");
		put(name, CARD("4711", "Due"));
		scene_settled(&s);
		(void)scene_id(&s, "Due");
		scene_end(&s);
	}
}

/* A Sync of the inbox and of the book with that key, and these lines in the book's Collection;
 * what came back of the book. */
static const struct elem *sync_both(
	struct device_folder *inbox, const char *lines, const struct elem **mail_r)
{
	const struct elem *c;
	struct arena *a = arena_new();
	const char *class_mail = "", *class_cards = "";

	if (strcmp(s.p.version, "2.5") == 0) {
		class_mail = "      airsync:Class \"Email\"\n";
		class_cards = "      airsync:Class \"Contacts\"\n";
	}
	c = phone_post(&s.p, "Sync",
		arena_printf(a,
			"airsync:Sync\n  airsync:Collections\n    airsync:Collection\n%s"
			"      airsync:SyncKey \"%s\"\n      airsync:CollectionId \"%s\"\n"
			"    airsync:Collection\n%s      airsync:SyncKey \"%s\"\n"
			"      airsync:CollectionId \"%s\"\n%s",
			class_mail, inbox->key, inbox->id, class_cards, s.b.key, s.b.id, lines)
			.p);
	arena_free(a);
	*mail_r = NULL;
	c = elem_child(elem_child(c, AIRSYNC_COLLECTIONS), AIRSYNC_COLLECTION);
	for (; c; c = elem_again(c)) {
		if (str_is(elem_text(c, AIRSYNC_COLLECTION_ID), s.b.id))
			return c;
		*mail_r = c;
	}
	return NULL;
}

/* A server that is down, or answers 403, 404, 500 or nonsense, takes no folder away, and mail
 * goes on. */
static void test_folders_stay_when_the_server_is_down(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(troubles); i++) {
		static struct phone fresh;
		size_t n;

		scene_begin(&s, "14.1", "");
		scene_sync(&s);
		n = s.p.nfolders;
		fake_dav_down(s.e.dav, troubles[i]);
		(void)fake_mail_add_simple(s.e.mail, "INBOX", 0, clock_now(), "on");
		scene_must(phone_folder_sync(&s.p), &s.p);
		assert_int_equal(s.p.nfolders, n);
		scene_must(phone_sync(&s.p, phone_folder(&s.p, STORY_INBOX), 10, ""), &s.p);
		assert_int_equal(phone_folder(&s.p, STORY_INBOX)->n, 1);
		/* A phone that comes now learns of the folders that are known. */
		scene_phone(&s, &fresh, "fresh");
		assert_non_null(phone_folder(&fresh, TYPE_OF_CONTACTS));
		phone_release(&fresh);
		fake_dav_down(s.e.dav, RC_OK);
		fill(1);
		scene_must(phone_folder_sync(&s.p), &s.p);
		scene_settled(&s);
		scene_end(&s);
	}
}

/* A server that says it knows of no home for the user has not deleted his books. */
static void test_no_home_is_no_empty_home(void **state UNUSED)
{
	scene_begin(&s, "14.1", "contacts_create = yes\n");
	fill(1);
	scene_sync(&s);
	fake_dav_no_home(s.e.dav, true);
	scene_must(phone_folder_sync(&s.p), &s.p);
	assert_non_null(phone_folder(&s.p, TYPE_OF_CONTACTS));
	fake_dav_no_home(s.e.dav, false);
	scene_settled(&s);
	scene_end(&s);
}

/* Mail goes on in one Sync with contacts whose server is down; contacts come later. */
static void test_mail_goes_on_without_contacts(void **state UNUSED)
{
	for (size_t v = 0; v < ARRAY_LEN(versions); v++) {
		bool old = strcmp(versions[v], "2.5") == 0 || strcmp(versions[v], "12.0") == 0;
		struct device_folder *inbox;
		const struct elem *cards, *mail;

		scene_begin(&s, versions[v], "");
		scene_sync(&s);
		inbox = phone_folder(&s.p, STORY_INBOX);
		scene_must(phone_sync(&s.p, inbox, 10, ""), &s.p);
		fill(1);
		(void)fake_mail_add_simple(s.e.mail, "INBOX", 0, clock_now(), "on");
		fake_dav_down(s.e.dav, RC_UNAVAILABLE);
		cards = sync_both(inbox, "", &mail);
		assert_int_equal(s.p.http, 200);
		assert_int_equal(
			elem_count(elem_child(mail, AIRSYNC_COMMANDS), AIRSYNC_ADD), 1);
		(void)snprintf(inbox->key, sizeof(inbox->key), "%.*s",
			STR_FMT(elem_text(mail, AIRSYNC_SYNC_KEY)));
		/* Nothing new there, and the key is as it was. */
		assert_int_equal(cards != NULL, old);
		if (cards) {
			assert_int_equal(elem_u32(cards, AIRSYNC_STATUS, 0), 1);
			assert_true(str_is(elem_text(cards, AIRSYNC_SYNC_KEY), s.b.key));
		}
		/* What the phone did must not be taken for done. */
		cards = sync_both(inbox,
			"      airsync:Commands\n        airsync:Add\n"
			"          airsync:ClientId \"1\"\n"
			"          airsync:ApplicationData\n"
			"            contacts:LastName \"Own\"\n",
			&mail);
		assert_int_equal(elem_u32(cards, AIRSYNC_STATUS, 0), 5);
		assert_true(str_is(elem_text(cards, AIRSYNC_SYNC_KEY), s.b.key));
		fake_dav_down(s.e.dav, RC_OK);
		assert_int_equal(scene_add(&s, "1", LAST("Own")), 1);
		assert_int_equal(s.b.n, 2);
		scene_settled(&s);
		scene_end(&s);
	}
}

/* The answer to commands was lost, and then the server goes down: asked again the phone must
 * not take silence for success. */
static void test_a_repeated_request_while_the_server_is_down(void **state UNUSED)
{
	static const char add[] = "      airsync:Commands\n        airsync:Add\n"
				  "          airsync:ClientId \"1\"\n"
				  "          airsync:ApplicationData\n"
				  "            contacts:LastName \"Own\"\n";
	struct device_folder *inbox;
	const struct elem *cards, *mail;

	scene_begin(&s, "14.1", "");
	scene_sync(&s);
	inbox = phone_folder(&s.p, STORY_INBOX);
	scene_must(phone_sync(&s.p, inbox, 10, ""), &s.p);
	(void)sync_both(inbox, add, &mail);
	fake_dav_down(s.e.dav, RC_UNAVAILABLE);
	cards = sync_both(inbox, add, &mail);
	assert_int_equal(elem_u32(cards, AIRSYNC_STATUS, 0), 5);
	fake_dav_down(s.e.dav, RC_OK);
	assert_int_equal(scene_add(&s, "1", LAST("Own")), 1);
	assert_int_equal(fake_dav_count(s.e.dav, FAKE_DAV_CONTACTS), 1);
	scene_settled(&s);
	scene_end(&s);
}

/* A Sync of contacts alone asks to be repeated, and nothing is consumed. */
static void test_contacts_alone_ask_to_come_again(void **state UNUSED)
{
	bool more;

	scene_begin(&s, "14.1", "");
	fill(1);
	assert_true(phone_book_round(&s.p, &s.b, 10, NULL, 0, &more));
	fake_dav_down(s.e.dav, RC_UNAVAILABLE);
	assert_false(phone_book_round(&s.p, &s.b, 10, NULL, 0, &more));
	assert_int_equal(s.p.http, 503);
	assert_non_null(strstr(s.e.seen.headers, "Retry-After"));
	fake_dav_down(s.e.dav, RC_OK);
	scene_sync(&s);
	assert_int_equal(s.b.n, 1);
	scene_end(&s);
}

/* C168, requirements 3.17: a card that cannot be shown holds up nothing, is recorded, and is
 * tried again when it changes or the administrator says so. */
static void test_a_card_that_cannot_be_shown_is_skipped(void **state UNUSED)
{
	for (unsigned refused = 0; refused < 2; refused++) {
		unsigned trips;

		scene_begin(&s, "14.1", "");
		fill(3);
		if (refused)
			fake_dav_refuse(s.e.dav, FAKE_DAV_CONTACTS, "1.vcf", true);
		else
			put("1.vcf", "this is no card");
		scene_sync(&s);
		assert_int_equal(s.b.n, 2);
		assert_int_equal(fake_state_skipped(s.e.state), 0);
		scene_sync(&s);
		assert_int_equal(fake_state_skipped(s.e.state), 1);
		scene_sync(&s);
		scene_sync(&s);
		assert_int_equal(fake_state_skipped(s.e.state), 1);
		assert_int_equal(s.b.n, 2);
		/* It is tried again, twice, when the administrator says so. */
		fake_state_retry(s.e.state);
		trips = fake_dav_trips(s.e.dav);
		for (unsigned i = 0; i < 4; i++)
			scene_sync(&s);
		assert_int_equal(fake_dav_trips(s.e.dav) - trips, 4 + 2);
		assert_int_equal(fake_state_skipped(s.e.state), 1);
		if (refused) {
			fake_dav_refuse(s.e.dav, FAKE_DAV_CONTACTS, "1.vcf", false);
			fake_state_retry(s.e.state);
		} else {
			put("1.vcf", CARD("u1", "Readable"));
		}
		scene_settled(&s);
		assert_int_equal(s.b.n, 3);
		/* One that the phone has and that breaks stays as it was. */
		put("2.vcf", "broken");
		for (unsigned i = 0; i < 3; i++)
			scene_sync(&s);
		assert_int_equal(s.b.n, 3);
		(void)scene_id(&s, "Person 2\"");
		scene_end(&s);
	}
}

#define GROUP                                                                                  \
	"BEGIN:VCARD\r\nVERSION:4.0\r\nKIND:group\r\nUID:g\r\nFN:Friends\r\n"                  \
	"MEMBER:urn:uuid:u1\r\nEND:VCARD\r\n"

/* Lists of persons are no contacts, and nobody has to be told of each. */
static void test_groups_are_left_out(void **state UNUSED)
{
	scene_begin(&s, "14.1", "");
	fill(2);
	put("g.vcf", GROUP);
	for (unsigned i = 0; i < 3; i++)
		scene_sync(&s);
	assert_int_equal(s.b.n, 2);
	assert_int_equal(fake_state_skipped(s.e.state), 0);
	/* What was a person and becomes a list goes, and the other way round. */
	put("0.vcf", GROUP);
	put("g.vcf", CARD("g", "Person after all"));
	scene_sync(&s);
	assert_int_equal(s.b.n, 2);
	(void)scene_id(&s, "Person after all");
	assert_null(phone_book_find(&s.b, "Person 0"));
	assert_int_equal(fake_state_skipped(s.e.state), 0);
	assert_null(scene_raw(&s, &s.b, ""));
	scene_end(&s);
}

/* A card that the server refuses, or that is too large: Status 6, and nothing is stored. */
static void test_a_card_that_the_server_refuses(void **state UNUSED)
{
	struct phone_edit v[] = {
		{.what = AIRSYNC_ADD,   .client_id = "1", .data = LAST("Reject me")},
		{.what = AIRSYNC_ADD,                     .client_id = "2",                   .data = LAST("Good")},
		{.what = AIRSYNC_CHANGE, .data = LAST("Reject me")},
	};

	scene_begin(&s, "14.1", "");
	fill(1);
	scene_sync(&s);
	fake_dav_reject(s.e.dav, "Reject me");
	(void)snprintf(v[2].id, sizeof(v[2].id), "%s", s.b.v[0].id);
	scene_send(&s, v, ARRAY_LEN(v));
	assert_int_equal(v[0].status, 6);
	assert_int_equal(v[1].status, 1);
	assert_int_equal(v[2].status, 6);
	assert_int_equal(fake_dav_count(s.e.dav, FAKE_DAV_CONTACTS), 2);
	fake_dav_max_size(s.e.dav, FAKE_DAV_CONTACTS, 10);
	assert_int_equal(scene_add(&s, "3", LAST("Long")), 6);
	assert_int_equal(fake_dav_count(s.e.dav, FAKE_DAV_CONTACTS), 2);
	scene_end(&s);
}

/* A server that takes vCard 4.0 alone gets it. */
static void test_a_server_of_the_newer_cards(void **state UNUSED)
{
	scene_begin(&s, "14.1", "");
	fake_dav_card4(s.e.dav, FAKE_DAV_CONTACTS, true);
	assert_int_equal(scene_add(&s, "1", LAST("New")), 1);
	assert_int_equal(scene_count(&s, FAKE_DAV_CONTACTS, "VERSION:4.0"), 1);
	scene_settled(&s);
	scene_end(&s);
}

/* Two cards with one UID are two contacts. */
static void test_two_cards_with_one_uid(void **state UNUSED)
{
	scene_begin(&s, "14.1", "");
	put("a.vcf", CARD("same", "Ada"));
	put("b.vcf", CARD("same", "Bob"));
	scene_sync(&s);
	assert_int_equal(s.b.n, 2);
	assert_int_equal(scene_change(&s, scene_id(&s, "Ada"), LAST("Adele")), 1);
	assert_int_equal(scene_count(&s, FAKE_DAV_CONTACTS, "Bob"), 1);
	assert_int_equal(scene_count(&s, FAKE_DAV_CONTACTS, "Adele"), 1);
	scene_settled(&s);
	scene_end(&s);
}

/* Servers that list everything: because they know no better, or have forgotten their tokens, or
 * tell a little at a time. */
static void test_however_the_server_tells(void **state UNUSED)
{
	for (int telling = 0; telling < TELLINGS; telling++) {
		scene_begin(&s, "14.1", "");
		fake_dav_page(s.e.dav, telling == PAGES ? 2 : 0);
		fake_dav_without_sync(s.e.dav, telling == LISTS);
		fill(20);
		scene_sync(&s);
		for (unsigned i = 0; i < 5; i++) {
			char name[32];

			put("7.vcf", i % 2 ? CARD("u7", "Odd") : CARD("u7", "Even"));
			(void)snprintf(name, sizeof(name), "%u.vcf", 10 + i);
			fake_dav_remove(s.e.dav, FAKE_DAV_CONTACTS, name);
			if (i % 2)
				fake_dav_forget_tokens(s.e.dav);
			assert_int_equal(scene_add(&s, "1", LAST("Own")), 1);
			scene_settled(&s);
		}
		assert_int_equal(s.b.n, 20);
		/* Nothing changed: nothing is told, however long the list. */
		fake_dav_forget_tokens(s.e.dav);
		assert_null(scene_raw(&s, &s.b, ""));
		scene_end(&s);
	}
}

/* A phone that was away for longer than deleted items are remembered. */
static void test_a_phone_that_was_away_for_long(void **state UNUSED)
{
	static struct phone two;
	struct phone_book b;
	const int64_t day = 86400 * 1000;
	int64_t now = clock_now_ms();

	scene_begin(&s, "14.1", "");
	fill(6);
	scene_sync(&s);
	scene_phone(&s, &two, "two");
	phone_book_init(&b, phone_folder(&two, TYPE_OF_CONTACTS));
	scene_must(phone_book_sync(&two, &b, 100, NULL, 0), &two);
	fake_dav_remove(s.e.dav, FAKE_DAV_CONTACTS, "1.vcf");
	fake_dav_remove(s.e.dav, FAKE_DAV_CONTACTS, "2.vcf");
	scene_must(phone_book_sync(&two, &b, 100, NULL, 0), &two);
	clock_set_fake(now + 40 * day);
	put("3.vcf", CARD("u3", "Later"));
	scene_must(phone_book_sync(&two, &b, 100, NULL, 0), &two);
	clock_set_fake(now + 41 * day);
	put("6.vcf", CARD("u6", "New"));
	/* One in a window, so that what is gone takes more than one. */
	scene_must(phone_book_sync(&s.p, &s.b, 1, NULL, 0), &s.p);
	scene_settled(&s);
	assert_int_equal(s.b.n, 5);
	clock_set_fake(-1);
	phone_book_release(&b);
	phone_release(&two);
	scene_end(&s);
}

/* What came and went before a phone came does not fill its windows. */
static void test_what_is_gone_fills_no_window(void **state UNUSED)
{
	static struct phone fresh;
	struct phone_book b;

	scene_begin(&s, "14.1", "");
	for (unsigned i = 0; i < 40; i++) {
		put("x.vcf", CARD("x", "Short-lived"));
		fill(5);
		scene_sync(&s);
		fake_dav_remove(s.e.dav, FAKE_DAV_CONTACTS, "x.vcf");
		scene_sync(&s);
		assert_int_equal(scene_add(&s, "1", LAST("Own")), 1);
		assert_int_equal(scene_delete(&s, scene_id(&s, "Own")), 1);
	}
	put("last.vcf", CARD("last", "Last"));
	scene_phone(&s, &fresh, "fresh");
	phone_book_init(&b, phone_folder(&fresh, TYPE_OF_CONTACTS));
	scene_must(phone_book_sync(&fresh, &b, 2, NULL, 0), &fresh);
	assert_int_equal(b.n, 6);
	assert_int_equal(b.rounds, 1 + 3);
	scene_settled(&s);
	phone_book_release(&b);
	phone_release(&fresh);
	scene_end(&s);
}

/* A picture of noise, which no format makes smaller, in Base64; g_free() it. */
static gchar *photo_of(int width, int height, size_t *bytes_r)
{
	GdkPixbuf *image = gdk_pixbuf_new(GDK_COLORSPACE_RGB, FALSE, 8, width, height);
	size_t n = (size_t)gdk_pixbuf_get_rowstride(image) * (size_t)height;
	guchar *p = gdk_pixbuf_get_pixels(image);
	gchar *png = NULL, *r;
	uint32_t dice = 1;

	for (size_t i = 0; i < n; i++) {
		dice = dice * 1664525 + 1013904223;
		p[i] = (guchar)(dice >> 24);
	}
	assert_true(gdk_pixbuf_save_to_buffer(image, &png, bytes_r, "png", NULL, NULL));
	r = g_base64_encode((const guchar *)png, *bytes_r);
	g_free(png);
	g_object_unref(image);
	return r;
}

/* A photo of 20 MB: the phone gets a small one, whatever it changes leaves the large one as it
 * is; what is no picture at all costs the phone no contact. */
static void test_a_photo_of_20_mb(void **state UNUSED)
{
	size_t bytes = 0;
	gchar *photo = photo_of(2700, 2500, &bytes);
	gchar *line = g_strdup_printf("PHOTO;ENCODING=b;TYPE=PNG:%s\r\n", photo);
	gchar *card = g_strdup_printf("BEGIN:VCARD\r\nVERSION:3.0\r\nUID:a\r\nFN:Ada\r\n"
				      "N:Ada;;;;\r\n%sEND:VCARD\r\n",
		line);
	struct phone_card *ada;

	assert_true(bytes > (size_t)20 * 1000 * 1000);
	scene_begin(&s, "14.1", "");
	put("a.vcf", card);
	/* The same octets, beginning as no picture does. */
	card[strstr(card, "b;TYPE=PNG:") - card + 11] = '/';
	put("b.vcf", card);
	scene_sync(&s);
	assert_int_equal(s.b.n, 2);
	ada = phone_book_find(&s.b, "contacts:Picture");
	assert_non_null(ada);
	assert_true(strlen(ada->data) < (size_t)50 * 1024);
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(
			scene_change(&s, s.b.v[i].id, LAST("Ada") FIELD("JobTitle", "Pilot")),
			1);
	assert_int_equal(scene_count(&s, FAKE_DAV_CONTACTS, "Pilot"), 2);
	assert_int_equal(scene_count(&s, FAKE_DAV_CONTACTS, line), 1);
	assert_int_equal(scene_count(&s, FAKE_DAV_CONTACTS, line + 27), 2);
	scene_settled(&s);
	scene_end(&s);
	g_free(card);
	g_free(line);
	g_free(photo);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_backend_call_may_fail_once),
		cmocka_unit_test(test_random_changes_end_with_equal_books),
		cmocka_unit_test(test_an_add_that_was_changed_before_its_answer),
		cmocka_unit_test(test_an_add_that_the_user_has_edited_since),
		cmocka_unit_test(test_an_edited_add_that_is_not_taken),
		cmocka_unit_test(test_an_add_that_is_another_at_the_server),
		cmocka_unit_test(test_folders_stay_when_the_server_is_down),
		cmocka_unit_test(test_no_home_is_no_empty_home),
		cmocka_unit_test(test_mail_goes_on_without_contacts),
		cmocka_unit_test(test_a_repeated_request_while_the_server_is_down),
		cmocka_unit_test(test_contacts_alone_ask_to_come_again),
		cmocka_unit_test(test_a_card_that_cannot_be_shown_is_skipped),
		cmocka_unit_test(test_groups_are_left_out),
		cmocka_unit_test(test_a_card_that_the_server_refuses),
		cmocka_unit_test(test_a_server_of_the_newer_cards),
		cmocka_unit_test(test_two_cards_with_one_uid),
		cmocka_unit_test(test_a_photo_of_20_mb),
		cmocka_unit_test(test_however_the_server_tells),
		cmocka_unit_test(test_a_phone_that_was_away_for_long),
		cmocka_unit_test(test_what_is_gone_fills_no_window),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
