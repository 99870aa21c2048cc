/*
 * Contacts over the fakes: what a phone and another client of the address book do to each
 * other. [MS-ASCMD] 2.2.1.21, [MS-ASCNTC].
 */
#include "tests/support_book.h"

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

/* The text of the one object of the book that has it. */
static void book_has(const char *text, size_t n)
{
	if (scene_count(&s, FAKE_DAV_CONTACTS, text) != n)
		fail_msg("%zu cards have %s, and not %zu",
			scene_count(&s, FAKE_DAV_CONTACTS, text), text, n);
}

/* S19, C131, B20362 */
static void test_cards_reach_the_phone_and_follow_the_server(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
		char id[72];

		scene_begin(&s, versions[i], "");
		put("a.vcf", CARD("a", "Ada"));
		put("b.vcf", CARD("b", "Bob"));
		scene_sync(&s);
		assert_int_equal(s.b.n, 2);
		(void)snprintf(id, sizeof(id), "%s", scene_id(&s, "\"Ada\""));
		scene_sync(&s);
		put("a.vcf", CARD("a", "Adele"));
		fake_dav_remove(s.e.dav, FAKE_DAV_CONTACTS, "b.vcf");
		scene_sync(&s);
		assert_int_equal(s.b.n, 1);
		assert_string_equal(scene_id(&s, "\"Adele\""), id);
		/* Key 0 starts afresh, and nothing is lost. */
		phone_book_restart(&s.b);
		scene_sync(&s);
		assert_string_equal(scene_id(&s, "\"Adele\""), id);
		scene_settled(&s);
		scene_end(&s);
	}
}

/* S19, B19962: a number alone makes a contact. */
static void test_what_the_phone_does_reaches_the_server(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
		struct phone_edit v = {.what = AIRSYNC_ADD,
			.client_id = "c1",
			.data = FIELD("MobilePhoneNumber", "+49 1")};

		scene_begin(&s, versions[i], "");
		scene_send(&s, &v, 1);
		assert_int_equal(v.status, 1);
		book_has("+49 1", 1);
		scene_sync(&s);
		assert_int_equal(scene_change(&s, v.id,
					 FIELD("FirstName", "Anna") FIELD("LastName", "Lee")
						 FIELD("MobilePhoneNumber", "+49 2")),
			1);
		book_has("Anna", 1);
		book_has("+49 2", 1);
		book_has("+49 1", 0);
		scene_settled(&s);
		assert_int_equal(scene_delete(&s, v.id), 1);
		assert_int_equal(fake_dav_count(s.e.dav, FAKE_DAV_CONTACTS), 0);
		scene_settled(&s);
		scene_end(&s);
	}
}

/* What the phone did itself is no news for it. */
static void test_own_changes_do_not_come_back(void **state UNUSED)
{
	struct phone_edit v[3] = {
		{.what = AIRSYNC_ADD, .client_id = "c1", .data = LAST("One")  },
		{.what = AIRSYNC_ADD, .client_id = "c2", .data = LAST("Two")  },
		{.what = AIRSYNC_ADD, .client_id = "c3", .data = LAST("Three")},
	};
	const struct elem *c;

	scene_begin(&s, "14.1", "");
	scene_send(&s, v, 3);
	assert_null(scene_raw(&s, &s.b, ""));
	(void)scene_change(&s, v[0].id, LAST("First"));
	assert_null(scene_raw(&s, &s.b, ""));
	(void)scene_delete(&s, v[1].id);
	assert_null(scene_raw(&s, &s.b, ""));
	/* And what others do right after that is, with the very next Sync. */
	(void)scene_change(&s, v[0].id, LAST("Again"));
	put("b.vcf", CARD("b", "Bob"));
	c = scene_raw(&s, &s.b, "");
	assert_int_equal(elem_count(elem_child(c, AIRSYNC_COMMANDS), AIRSYNC_ADD), 1);
	assert_int_equal(elem_count(elem_child(c, AIRSYNC_COMMANDS), AIRSYNC_CHANGE), 0);
	scene_settled(&s);
	scene_end(&s);
}

/* C155, C174: what is refused is put back. */
static void test_a_read_only_book_stays_as_it_is(void **state UNUSED)
{
	char id[72];

	for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
		scene_begin(&s, versions[i], "");
		put("a.vcf", CARD("a", "Ada"));
		fake_dav_read_only(s.e.dav, FAKE_DAV_CONTACTS, true);
		scene_sync(&s);
		(void)snprintf(id, sizeof(id), "%s", scene_id(&s, "Ada"));
		assert_int_equal(scene_change(&s, id, LAST("Else")), 7);
		assert_string_equal(scene_id(&s, "\"Ada\""), id);
		assert_int_equal(scene_delete(&s, id), 7);
		assert_string_equal(scene_id(&s, "\"Ada\""), id);
		assert_int_equal(scene_add(&s, "n", LAST("New")), 6);
		assert_int_equal(s.b.n, 1);
		scene_settled(&s);
		scene_end(&s);
	}
}

/* C155: both sides change one card. Conflict 1 and none: the server's stays; 0: the phone's. */
static void test_a_conflict_ends_as_the_phone_asks(void **state UNUSED)
{
	static const char *const options[] = {NULL, "1", "0"};

	for (size_t v = 0; v < ARRAY_LEN(versions); v++)
		for (size_t i = 0; i < ARRAY_LEN(options); i++) {
			bool phone_wins = options[i] && options[i][0] == '0';

			scene_begin(&s, versions[v], "");
			s.b.conflict = options[i];
			put("a.vcf", CARD("a", "Ada"));
			scene_sync(&s);
			put("a.vcf", CARD("a", "Server"));
			assert_int_equal(scene_change(&s, scene_id(&s, "Ada"), LAST("Phone")),
				phone_wins ? 1 : 7);
			(void)scene_id(&s, phone_wins ? "Phone" : "Server");
			book_has(phone_wins ? "Phone" : "Server", 1);
			book_has(FOREIGN, 1);
			scene_settled(&s);
			scene_end(&s);
		}
}

#define NOTED(name, note)                                                                      \
	"BEGIN:VCARD\r\nVERSION:3.0\r\nUID:n\r\nFN:" name "\r\nN:" name ";;;;\r\nNOTE:" note   \
	"\r\nEND:VCARD\r\n"

/* The phone wins, and learns of what it did not overwrite. */
static void test_the_winner_of_a_conflict_learns_of_the_rest(void **state UNUSED)
{
	scene_begin(&s, "14.1", "");
	s.b.conflict = "0";
	put("n.vcf", NOTED("Ada", "old note"));
	scene_sync(&s);
	put("n.vcf", NOTED("Server", "new note"));
	assert_int_equal(scene_change(&s, scene_id(&s, "Ada"), LAST("Phone")), 1);
	book_has("N:Phone", 1);
	book_has("new note", 1);
	scene_settled(&s);
	scene_end(&s);
}

/* The same change on both sides is none. */
static void test_the_same_change_is_no_conflict(void **state UNUSED)
{
	scene_begin(&s, "14.1", "");
	put("n.vcf", NOTED("Ada", "x"));
	scene_sync(&s);
	put("n.vcf", NOTED("Both", "x"));
	assert_int_equal(scene_change(&s, scene_id(&s, "Ada"), LAST("Both")), 1);
	scene_settled(&s);
	scene_end(&s);
}

/* [MS-ASCMD] 2.2.3.34: a Delete beats a change on the other side, both ways. */
static void test_a_delete_beats_a_change(void **state UNUSED)
{
	for (size_t i = 0; i < 2; i++) {
		char id[72];

		scene_begin(&s, "14.1", "");
		s.b.conflict = i ? "0" : "1";
		put("a.vcf", CARD("a", "Ada"));
		put("b.vcf", CARD("b", "Bob"));
		scene_sync(&s);
		put("a.vcf", CARD("a", "Adele"));
		assert_int_equal(scene_delete(&s, scene_id(&s, "Ada")), 1);
		assert_int_equal(fake_dav_count(s.e.dav, FAKE_DAV_CONTACTS), 1);
		fake_dav_remove(s.e.dav, FAKE_DAV_CONTACTS, "b.vcf");
		(void)snprintf(id, sizeof(id), "%s", scene_id(&s, "Bob"));
		assert_int_equal(scene_change(&s, id, LAST("Robert")), 8);
		assert_int_equal(s.b.n, 0);
		assert_int_equal(fake_dav_count(s.e.dav, FAKE_DAV_CONTACTS), 0);
		/* Both have deleted it. */
		put("c.vcf", CARD("c", "Cid"));
		scene_sync(&s);
		fake_dav_remove(s.e.dav, FAKE_DAV_CONTACTS, "c.vcf");
		assert_int_equal(scene_delete(&s, scene_id(&s, "Cid")), 1);
		scene_settled(&s);
		scene_end(&s);
	}
}

static void change_meanwhile(void *ctx UNUSED)
{
	put("a.vcf", CARD("a", "Meanwhile"));
}

static void remove_meanwhile(void *ctx UNUSED)
{
	fake_dav_remove(s.e.dav, FAKE_DAV_CONTACTS, "a.vcf");
}

/* S4: 412, the card became another between reading and writing it. */
static void test_a_card_that_changes_under_the_writer(void **state UNUSED)
{
	static const char *const options[] = {"1", "0"};

	for (size_t i = 0; i < ARRAY_LEN(options); i++) {
		scene_begin(&s, "14.1", "");
		s.b.conflict = options[i];
		put("a.vcf", CARD("a", "Ada"));
		scene_sync(&s);
		fake_dav_meanwhile(s.e.dav, change_meanwhile, NULL);
		assert_int_equal(
			scene_change(&s, scene_id(&s, "Ada"), LAST("Phone")), i ? 1 : 7);
		(void)scene_id(&s, i ? "Phone" : "Meanwhile");
		scene_settled(&s);
		fake_dav_meanwhile(s.e.dav, change_meanwhile, NULL);
		assert_int_equal(scene_delete(&s, s.b.v[0].id), 1);
		assert_int_equal(fake_dav_count(s.e.dav, FAKE_DAV_CONTACTS), 0);
		put("a.vcf", CARD("a", "Ada"));
		scene_sync(&s);
		fake_dav_meanwhile(s.e.dav, remove_meanwhile, NULL);
		assert_int_equal(scene_change(&s, scene_id(&s, "Ada"), LAST("Phone")), 8);
		scene_settled(&s);
		assert_int_equal(s.b.n, 0);
		scene_end(&s);
	}
}

/* C153, C154, S4: an answer gets lost; the same request again gives the same answer. */
static void test_a_repeated_request_doubles_nothing(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
		struct phone_edit v[4] = {
			{.what = AIRSYNC_ADD,  .client_id = "c1", .data = LAST("One")},
			{.what = AIRSYNC_ADD, .client_id = "c2", .data = LAST("Two")},
			{.what = AIRSYNC_CHANGE,  .data = LAST("Adele")},
			{.what = AIRSYNC_DELETE},
		};
		struct phone_edit again[4];
		char key[32];

		scene_begin(&s, versions[i], "");
		put("a.vcf", CARD("a", "Ada"));
		put("b.vcf", CARD("b", "Bob"));
		scene_sync(&s);
		(void)snprintf(v[2].id, sizeof(v[2].id), "%s", scene_id(&s, "Ada"));
		(void)snprintf(v[3].id, sizeof(v[3].id), "%s", scene_id(&s, "Bob"));
		memcpy(again, v, sizeof(v));
		(void)snprintf(key, sizeof(key), "%s", s.b.key);
		put("d.vcf", CARD("d", "Dan"));
		s.e.lose = 1;
		scene_send(&s, v, 4);
		assert_int_equal(s.b.n, 4);
		assert_int_equal(fake_dav_count(s.e.dav, FAKE_DAV_CONTACTS), 4);
		/* Nothing was lost, and the phone asks nevertheless. */
		for (size_t k = 0; k < 2; k++) {
			const struct elem *c;
			char lines[1024];

			(void)snprintf(s.b.key, sizeof(s.b.key), "%s", key);
			(void)snprintf(lines, sizeof(lines),
				"      airsync:Commands\n"
				"        airsync:Add\n          airsync:ClientId \"c1\"\n"
				"          airsync:ApplicationData\n"
				"            contacts:LastName \"One\"\n"
				"        airsync:Add\n          airsync:ClientId \"c2\"\n"
				"          airsync:ApplicationData\n"
				"            contacts:LastName \"Two\"\n"
				"        airsync:Delete\n          airsync:ServerId \"%s\"\n",
				v[3].id);
			c = scene_raw(&s, &s.b, lines);
			assert_int_equal(elem_u32(c, AIRSYNC_STATUS, 0), 1);
			assert_true(
				str_is(elem_text(elem_child(elem_child(c, AIRSYNC_RESPONSES),
							 AIRSYNC_ADD),
					       AIRSYNC_SERVER_ID),
					v[0].id));
			assert_int_equal(
				elem_count(elem_child(c, AIRSYNC_COMMANDS), AIRSYNC_ADD), 1);
			(void)snprintf(s.b.key, sizeof(s.b.key), "%.*s",
				STR_FMT(elem_text(c, AIRSYNC_SYNC_KEY)));
		}
		assert_int_equal(fake_dav_count(s.e.dav, FAKE_DAV_CONTACTS), 4);
		scene_settled(&s);
		scene_end(&s);
	}
}

/* S4, C153: the answer got lost, and the user goes on before the phone asks again with the key
 * it has: what is new is carried out, what was done is not done twice, and each hears of it. */
static void test_what_was_done_before_the_second_try(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
		struct phone_edit v[2] = {
			{.what = AIRSYNC_ADD, .client_id = "c1", .data = LAST("One")},
			{.what = AIRSYNC_CHANGE,                   .data = LAST("Adele")              },
		};
		char key[32], lines[2048], b[72], etag[64];

		scene_begin(&s, versions[i], "");
		put("a.vcf", CARD("a", "Ada"));
		put("b.vcf", CARD("b", "Bob"));
		scene_sync(&s);
		(void)snprintf(v[1].id, sizeof(v[1].id), "%s", scene_id(&s, "Ada"));
		(void)snprintf(b, sizeof(b), "%s", scene_id(&s, "Bob"));
		(void)snprintf(key, sizeof(key), "%s", s.b.key);
		scene_send(&s, v, 2);
		(void)snprintf(etag, sizeof(etag), "%.*s",
			STR_FMT(fake_dav_etag(s.e.dav, FAKE_DAV_CONTACTS, "a.vcf")));
		(void)snprintf(lines, sizeof(lines),
			"      airsync:Commands\n"
			"        airsync:Change\n          airsync:ServerId \"%s\"\n"
			"          airsync:ApplicationData\n"
			"            contacts:LastName \"Adele\"\n"
			"        airsync:Change\n          airsync:ServerId \"%s\"\n"
			"          airsync:ApplicationData\n"
			"            contacts:LastName \"Bert\"\n"
			"        airsync:Add\n          airsync:ClientId \"c1\"\n"
			"          airsync:ApplicationData\n"
			"            contacts:LastName \"Uno\"\n"
			"        airsync:Add\n          airsync:ClientId \"c2\"\n"
			"          airsync:ApplicationData\n"
			"            contacts:LastName \"Two\"\n",
			v[1].id, b);
		for (size_t k = 0; k < 3; k++) {
			const struct elem *c, *r;

			(void)snprintf(s.b.key, sizeof(s.b.key), "%s", key);
			c = scene_raw(&s, &s.b, lines);
			r = elem_child(c, AIRSYNC_RESPONSES);
			assert_int_equal(elem_u32(c, AIRSYNC_STATUS, 0), 1);
			assert_false(elem_has(r, AIRSYNC_CHANGE));
			assert_int_equal(elem_count(r, AIRSYNC_ADD), 2);
			r = elem_child(r, AIRSYNC_ADD);
			assert_true(str_is(elem_text(r, AIRSYNC_CLIENT_ID), "c1"));
			assert_true(str_is(elem_text(r, AIRSYNC_SERVER_ID), v[0].id));
			assert_int_equal(elem_u32(elem_again(r), AIRSYNC_STATUS, 0), 1);
			assert_false(elem_has(c, AIRSYNC_COMMANDS));
			book_has("N:Adele", 1);
			book_has("N:Bert", 1);
			book_has("N:One", 0);
			book_has("N:Uno", 1);
			book_has("N:Two", 1);
			assert_int_equal(fake_dav_count(s.e.dav, FAKE_DAV_CONTACTS), 4);
			(void)snprintf(s.b.key, sizeof(s.b.key), "%.*s",
				STR_FMT(elem_text(c, AIRSYNC_SYNC_KEY)));
		}
		/* What was there already was not written once more. */
		assert_true(str_is(fake_dav_etag(s.e.dav, FAKE_DAV_CONTACTS, "a.vcf"), etag));
		phone_book_restart(&s.b);
		scene_settled(&s);
		scene_end(&s);
	}
}

/* clients.md 1: a book that its server no longer has; phones before 12.1 do not know 12. */
static void test_a_book_that_is_gone_sends_the_phone_to_its_folders(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
		const struct elem *c;

		scene_begin(&s, versions[i], "");
		scene_sync(&s);
		fake_dav_collection_delete(s.e.dav, FAKE_DAV_CONTACTS);
		c = scene_raw(&s, &s.b, "");
		assert_int_equal(elem_u32(c, AIRSYNC_STATUS, 0), i < 2 ? 8 : 12);
		scene_end(&s);
	}
}

/* C154: phones count ClientIds from 1 again. */
static void test_a_client_id_of_another_request_is_another_item(void **state UNUSED)
{
	scene_begin(&s, "14.1", "");
	assert_int_equal(scene_add(&s, "1", LAST("One")), 1);
	assert_int_equal(scene_add(&s, "1", LAST("Two")), 1);
	phone_book_restart(&s.b);
	scene_sync(&s);
	assert_int_equal(scene_add(&s, "1", LAST("Three")), 1);
	assert_int_equal(s.b.n, 3);
	scene_settled(&s);
	scene_end(&s);
}

/* An Add without ClientId or data, ids of nobody: each gets its Status, and the rest goes on.
 */
static void test_bad_commands_get_their_status(void **state UNUSED)
{
	struct phone_edit v[] = {
		{.what = AIRSYNC_CHANGE, .data = LAST("X")    },
		{				      .what = AIRSYNC_DELETE                     },
		{ .what = AIRSYNC_CHANGE,                      .id = "nonsense", .data = LAST("X")},
		{		      .what = AIRSYNC_ADD,                      .client_id = "good",                         .data = LAST("Good")},
		{								   .what = AIRSYNC_ADD,
                 .client_id = "bad",
                 .data = "contacts:Picture \"no base64 at all!\"\n"},
	};

	scene_begin(&s, "14.1", "");
	scene_sync(&s);
	(void)snprintf(v[0].id, sizeof(v[0].id), "%s:4711", s.b.id);
	(void)snprintf(v[1].id, sizeof(v[1].id), "%s:4711", s.b.id);
	scene_send(&s, v, ARRAY_LEN(v));
	assert_int_equal(v[0].status, 8);
	assert_int_equal(v[1].status, 8);
	assert_int_equal(v[2].status, 8);
	assert_int_equal(v[3].status, 1);
	assert_int_equal(v[4].status, 6);
	scene_settled(&s);
	scene_end(&s);
}

static void fill(unsigned from, unsigned n)
{
	char name[32], text[256];

	for (unsigned i = from; i < from + n; i++) {
		(void)snprintf(name, sizeof(name), "%05u.vcf", i);
		(void)snprintf(text, sizeof(text), CARD("u%u", "Person %u"), i, i, i);
		put(name, text);
	}
}

/* C145, C147: nothing is lost or doubled however the book changes between two windows. */
static void test_windows_of_a_book_that_changes(void **state UNUSED)
{
	for (unsigned window = 1; window < 8; window += 3) {
		bool more = true;

		scene_begin(&s, "14.1", "");
		fill(0, 30);
		assert_true(phone_book_round(&s.p, &s.b, window, NULL, 0, &more));
		for (unsigned i = 0; more; i++) {
			char name[32], text[256];
			size_t before = s.b.n;

			assert_true(phone_book_round(&s.p, &s.b, window, NULL, 0, &more));
			assert_true(s.b.n <= before + window);
			if (i > 12)
				continue;
			/* One that was told, or will be, becomes another; one goes; one comes.
			 */
			(void)snprintf(name, sizeof(name), "%05u.vcf", 2 * i);
			(void)snprintf(
				text, sizeof(text), CARD("u%u", "Changed %u"), 2 * i, i, i);
			put(name, text);
			(void)snprintf(name, sizeof(name), "%05u.vcf", 29 - 2 * i);
			if (29 - 2 * i > 4)
				fake_dav_remove(s.e.dav, FAKE_DAV_CONTACTS, name);
			fill(100 + i, 1);
		}
		scene_settled(&s);
		scene_end(&s);
	}
}

/* The book is listed once, and each card read once, whatever the window. */
static void test_a_large_book_is_read_once(void **state UNUSED)
{
	enum { CARDS = 3000, WINDOW = 100, LOT = 50 };
	unsigned before;

	scene_begin(&s, "14.1", "");
	fill(0, CARDS);
	before = fake_dav_trips(s.e.dav);
	scene_must(phone_book_sync(&s.p, &s.b, WINDOW, NULL, 0), &s.p);
	assert_int_equal(s.b.n, CARDS);
	assert_int_equal(s.b.rounds, 1 + CARDS / WINDOW);
	assert_int_equal(fake_dav_trips(s.e.dav) - before, 1 + CARDS / LOT);
	/* One trip finds that nothing is new, two bring one card. */
	before = fake_dav_trips(s.e.dav);
	scene_sync(&s);
	assert_int_equal(fake_dav_trips(s.e.dav) - before, 1);
	fill(CARDS / 2, 1);
	scene_sync(&s);
	assert_int_equal(fake_dav_trips(s.e.dav) - before, 3);
	scene_end(&s);
}

/* C137, K19: what Supported does not name is kept, what it names and a Change leaves out goes.
 */
/* Cards that are too much for memory together come nevertheless, one lot after the other. */
static void test_cards_that_are_large_together(void **state UNUSED)
{
	enum { CARDS = 5, NOTE = 3 * 1024 * 1024 };
	struct buf b;

	scene_begin(&s, "14.1", "");
	buf_init(&b, BUF_MAX_TEXT);
	for (unsigned i = 0; i < CARDS; i++) {
		char name[16];

		buf_reset(&b);
		buf_addf(&b,
			"BEGIN:VCARD\r\nVERSION:3.0\r\nUID:l%u\r\nFN:Large %u\r\n"
			"N:Large %u;;;;\r\nX-LONG:",
			i, i, i);
		for (unsigned k = 0; k < NOTE; k++)
			buf_addc(&b, 'x');
		buf_adds(&b, "\r\nEND:VCARD\r\n");
		(void)snprintf(name, sizeof(name), "l%u.vcf", i);
		put(name, b.p);
	}
	buf_release(&b);
	scene_sync(&s);
	assert_int_equal(s.b.n, CARDS);
	scene_settled(&s);
	scene_end(&s);
}

static void test_ghosted_properties_are_kept(void **state UNUSED)
{
	static const struct {
		const char *supported;
		bool title, mobile;
	} cases[] = {
		{NULL,					      false, false},
		{"",						true,  true },
		{"contacts:LastName\ncontacts:JobTitle\n",          false, true },
		{"contacts:LastName\ncontacts:MobilePhoneNumber\n", true,  false},
	};

	for (size_t v = 0; v < ARRAY_LEN(versions); v++)
		for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
			scene_begin(&s, versions[v], "");
			s.b.supported = cases[i].supported;
			put("a.vcf",
				"BEGIN:VCARD\r\nVERSION:3.0\r\nUID:a\r\nFN:Ada\r\nN:Ada;;;;\r\n"
				"TITLE:Countess\r\nTEL;TYPE=CELL:+44 1\r\nEND:VCARD\r\n");
			scene_sync(&s);
			(void)scene_id(&s, "Countess");
			assert_int_equal(scene_change(&s, s.b.v[0].id, LAST("Lovelace")), 1);
			book_has("Countess", cases[i].title);
			book_has("+44 1", cases[i].mobile);
			book_has("Lovelace", 1);
			/* Only what comes with the first key counts. */
			s.b.supported = "contacts:LastName\n";
			assert_int_equal(scene_change(&s, s.b.v[0].id, LAST("L")), 1);
			book_has("Countess", cases[i].title);
			scene_end(&s);
		}
}

/* K4, B20018: notes that a Change leaves out stay; those that it empties go. */
static void test_notes_survive_a_change(void **state UNUSED)
{
	for (size_t v = 0; v < ARRAY_LEN(versions); v++) {
		bool old = strcmp(versions[v], "2.5") == 0;

		scene_begin(&s, versions[v], "");
		put("n.vcf", NOTED("Ada", "two\\nlines"));
		scene_sync(&s);
		(void)scene_id(&s, "two\\r\\nlines");
		assert_int_equal(scene_change(&s, s.b.v[0].id, LAST("Else")), 1);
		book_has("NOTE:two\\nlines", 1);
		scene_settled(&s);
		assert_int_equal(scene_change(&s, s.b.v[0].id,
					 old ? LAST("Else") "contacts:Body \"\"\n"
					     : LAST("Else") "airsyncbase:Body\n"
							    "  airsyncbase:Type \"1\"\n"
							    "  airsyncbase:Data \"\"\n"),
			1);
		book_has("NOTE", 0);
		scene_settled(&s);
		scene_end(&s);
	}
}

/* K4, K7: notes that were cut for the phone come back cut, and are whole nevertheless. */
static void test_notes_that_were_cut_come_back_whole(void **state UNUSED)
{
	const struct elem *c;
	char lines[1024];

	scene_begin(&s, "14.1", "");
	put("n.vcf", NOTED("Ada", "0123456789abcdef"));
	scene_must(phone_book_sync(&s.p, &s.b, 100, NULL, 0), &s.p);
	phone_book_restart(&s.b);
	c = scene_raw(&s, &s.b, "");
	(void)snprintf(
		s.b.key, sizeof(s.b.key), "%.*s", STR_FMT(elem_text(c, AIRSYNC_SYNC_KEY)));
	c = scene_raw(&s, &s.b,
		"      airsync:Options\n        airsyncbase:BodyPreference\n"
		"          airsyncbase:Type \"1\"\n          airsyncbase:TruncationSize \"10\"\n");
	(void)snprintf(
		s.b.key, sizeof(s.b.key), "%.*s", STR_FMT(elem_text(c, AIRSYNC_SYNC_KEY)));
	c = elem_child(elem_child(c, AIRSYNC_COMMANDS), AIRSYNC_ADD);
	(void)snprintf(lines, sizeof(lines),
		"      airsync:Commands\n        airsync:Change\n"
		"          airsync:ServerId \"%.*s\"\n          airsync:ApplicationData\n"
		"            contacts:LastName \"Else\"\n            airsyncbase:Body\n"
		"              airsyncbase:Type \"1\"\n"
		"              airsyncbase:Data \"%.*s\"\n",
		STR_FMT(elem_text(c, AIRSYNC_SERVER_ID)),
		STR_FMT(elem_text(
			elem_child(elem_child(c, AIRSYNC_APPLICATION_DATA), AIRSYNCBASE_BODY),
			AIRSYNCBASE_DATA)));
	c = scene_raw(&s, &s.b, lines);
	assert_null(elem_child(c, AIRSYNC_RESPONSES));
	book_has("Else", 1);
	book_has("NOTE:0123456789abcdef", 1);
	scene_end(&s);
}

/* S4, K19: what the phone clears may uncover another of its kind, which it is told of. */
static void test_what_a_change_uncovers_is_told(void **state UNUSED)
{
	scene_begin(&s, "14.1", "");
	put("a.vcf", "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:a\r\nFN:Ada\r\nN:Ada;;;;\r\n"
		     "EMAIL:1@x.test\r\nEMAIL:2@x.test\r\nEMAIL:3@x.test\r\n"
		     "EMAIL:4@x.test\r\nURL:http://1.test\r\nURL:http://2.test\r\n"
		     "END:VCARD\r\n");
	scene_sync(&s);
	assert_int_equal(scene_change(&s, s.b.v[0].id,
				 LAST("Ada") FIELD("Email1Address", "1@x.test")
					 FIELD("Email2Address", "2@x.test")
						 FIELD("WebPage", "http://1.test")),
		1);
	book_has("3@x.test", 0);
	book_has("4@x.test", 1);
	scene_settled(&s);
	scene_end(&s);
}

#define PICTURED                                                                               \
	"BEGIN:VCARD\r\nVERSION:3.0\r\nUID:a\r\nFN:Ada\r\nN:Ada;;;;\r\n"                       \
	"PHOTO;ENCODING=b;TYPE=JPEG:/9j/4AAQSkZJRg==\r\nEND:VCARD\r\n"

/* U14, C132; clients.md 1: an iPhone sends an empty picture with every change of a name. */
static void test_a_picture_survives_an_iphone(void **state UNUSED)
{
	static const struct {
		const char *type;
		bool kept;
	} cases[] = {
		{"iPhone",   true },
                {"iPad",     true },
                {"Scripted", false}
        };

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		scene_begin(&s, "14.1", "");
		s.p.type = cases[i].type;
		put("a.vcf", PICTURED);
		scene_sync(&s);
		assert_int_equal(
			scene_change(&s, s.b.v[0].id, LAST("Else") "contacts:Picture \"\"\n"),
			1);
		book_has("PHOTO", cases[i].kept);
		/* One that is left out stays with everybody. */
		put("b.vcf", PICTURED);
		scene_sync(&s);
		assert_int_equal(scene_change(&s, s.b.v[1].id, LAST("Left out")), 1);
		book_has("PHOTO", 1 + cases[i].kept);
		scene_end(&s);
	}
}

/* S3: ids of another user's items, and of another folder, mean nothing. */
static void test_ids_of_others_mean_nothing(void **state UNUSED)
{
	static struct phone stranger;
	struct phone_book b;
	struct phone_edit v[] = {
		{.what = AIRSYNC_CHANGE, .data = LAST("Mine")},
		{.what = AIRSYNC_DELETE                     },
	};

	scene_begin(&s, "14.1", "");
	put("a.vcf", CARD("a", "Ada"));
	scene_sync(&s);
	eas_phone(&s.e, &stranger, "stranger", "14.1");
	stranger.user = "eve@example.test";
	scene_must(phone_provision(&stranger) && phone_folder_sync(&stranger), &stranger);
	phone_book_init(&b, phone_folder(&stranger, TYPE_OF_CONTACTS));
	for (size_t i = 0; i < ARRAY_LEN(v); i++)
		(void)snprintf(v[i].id, sizeof(v[i].id), "%s", s.b.v[0].id);
	scene_must(phone_book_sync(&stranger, &b, 100, v, 2), &stranger);
	assert_int_equal(v[0].status, 8);
	assert_int_equal(v[1].status, 8);
	/* Not even with the folder's name. */
	(void)snprintf(b.id, sizeof(b.id), "%s", s.b.id);
	(void)snprintf(b.key, sizeof(b.key), "%s", s.b.key);
	assert_false(phone_book_sync(&stranger, &b, 100, NULL, 0));
	book_has("Ada", 1);
	phone_book_release(&b);
	phone_release(&stranger);
	scene_end(&s);
}

/* S5's second half, C63: ItemOperations brings one whole contact, or what a Schema names. */
static void test_a_contact_is_fetched(void **state UNUSED)
{
	static const char *const ios[] = {"12.0", "12.1", "14.0", "14.1"};

	for (size_t i = 0; i < ARRAY_LEN(ios); i++) {
		struct arena *a = arena_new();
		const struct elem *e;
		char text[1024];

		scene_begin(&s, ios[i], "");
		put("n.vcf", NOTED("Ada", "a note"));
		scene_sync(&s);
		for (size_t k = 0; k < 2; k++) {
			bool schema = k && i >= 2;

			(void)snprintf(text, sizeof(text),
				"itemoperations:ItemOperations\n  itemoperations:Fetch\n"
				"    itemoperations:Store \"Mailbox\"\n"
				"    airsync:CollectionId \"%s\"\n"
				"    airsync:ServerId \"%s\"\n"
				"    itemoperations:Options\n%s"
				"      airsyncbase:BodyPreference\n"
				"        airsyncbase:Type \"1\"\n",
				s.b.id, s.b.v[0].id,
				schema ? "      itemoperations:Schema\n"
					 "        contacts:LastName\n"
				       : "");
			e = phone_post(&s.p, "ItemOperations", text);
			e = elem_child(
				elem_child(e, ITEMOPERATIONS_RESPONSE), ITEMOPERATIONS_FETCH);
			assert_int_equal(elem_u32(e, ITEMOPERATIONS_STATUS, 0), 1);
			assert_true(str_is(elem_text(e, AIRSYNC_CLASS), "Contacts"));
			e = elem_child(e, ITEMOPERATIONS_PROPERTIES);
			assert_true(str_is(elem_text(e, CONTACTS_LAST_NAME), "Ada"));
			assert_int_equal(elem_has(e, AIRSYNCBASE_BODY), !schema);
			assert_int_equal(elem_has(e, CONTACTS_FILE_AS), !schema);
		}
		(void)snprintf(text, sizeof(text),
			"itemoperations:ItemOperations\n  itemoperations:Fetch\n"
			"    itemoperations:Store \"Mailbox\"\n"
			"    airsync:CollectionId \"%s\"\n    airsync:ServerId \"%s:999\"\n",
			s.b.id, s.b.id);
		e = phone_post(&s.p, "ItemOperations", text);
		e = elem_child(elem_child(e, ITEMOPERATIONS_RESPONSE), ITEMOPERATIONS_FETCH);
		assert_int_equal(elem_u32(e, ITEMOPERATIONS_STATUS, 0), 6);
		scene_end(&s);
		arena_free(a);
	}
}

static uint32_t estimate(const char *key)
{
	char text[512];
	const struct elem *e;
	bool old = strcmp(s.p.version, "14.0") < 0 || strcmp(s.p.version, "2.5") == 0;

	(void)snprintf(text, sizeof(text),
		old ? "getitemestimate:GetItemEstimate\n  getitemestimate:Collections\n"
		      "    getitemestimate:Collection\n      getitemestimate:Class \"Contacts\"\n"
		      "      getitemestimate:CollectionId \"%s\"\n"
		      "      airsync:FilterType \"0\"\n      airsync:SyncKey \"%s\"\n"
		    : "getitemestimate:GetItemEstimate\n  getitemestimate:Collections\n"
		      "    getitemestimate:Collection\n"
		      "      getitemestimate:CollectionId \"%s\"\n"
		      "      airsync:SyncKey \"%s\"\n",
		s.b.id, key);
	if (!old) {
		/* SyncKey comes first there. */
		(void)snprintf(text, sizeof(text),
			"getitemestimate:GetItemEstimate\n  getitemestimate:Collections\n"
			"    getitemestimate:Collection\n      airsync:SyncKey \"%s\"\n"
			"      getitemestimate:CollectionId \"%s\"\n",
			key, s.b.id);
	}
	e = elem_child(phone_post(&s.p, "GetItemEstimate", text), GETITEMESTIMATE_RESPONSE);
	if (elem_u32(e, GETITEMESTIMATE_STATUS, 0) != 1)
		return 1000000 + elem_u32(e, GETITEMESTIMATE_STATUS, 0);
	e = elem_child(e, GETITEMESTIMATE_COLLECTION);
	if (old)
		assert_true(str_is(elem_text(e, GETITEMESTIMATE_CLASS), "Contacts"));
	else
		assert_false(elem_has(e, GETITEMESTIMATE_CLASS));
	return elem_u32(e, GETITEMESTIMATE_ESTIMATE, 999);
}

/* [MS-ASCMD] 2.2.1.9 */
static void test_estimates_count_what_comes(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
		bool more;

		scene_begin(&s, versions[i], "");
		assert_int_equal(estimate("0"), 1000003);
		assert_true(phone_book_round(&s.p, &s.b, 100, NULL, 0, &more));
		fill(0, 3);
		assert_int_equal(estimate(s.b.key), 3);
		assert_int_equal(estimate("12-34"), 1000004);
		scene_sync(&s);
		assert_int_equal(estimate(s.b.key), 0);
		fill(2, 2);
		fake_dav_remove(s.e.dav, FAKE_DAV_CONTACTS, "00000.vcf");
		assert_int_equal(estimate(s.b.key), 3);
		/* The phone's own doing is none of it. */
		assert_int_equal(scene_add(&s, "1", LAST("Own")), 1);
		assert_int_equal(estimate(s.b.key), 0);
		scene_end(&s);
	}
}

/* clients.md: old phones name the default folder by its Class alone. */
static void test_old_phones_name_the_class_alone(void **state UNUSED)
{
	static const char *const old[] = {"2.5", "12.0"};

	for (size_t i = 0; i < ARRAY_LEN(old); i++) {
		const struct elem *c = NULL;
		char key[32] = "0", text[512];

		scene_begin(&s, old[i], "");
		put("a.vcf", CARD("a", "Ada"));
		for (size_t k = 0; k < 2; k++) {
			(void)snprintf(text, sizeof(text),
				"airsync:Sync\n  airsync:Collections\n    airsync:Collection\n"
				"      airsync:Class \"Contacts\"\n"
				"      airsync:SyncKey \"%s\"\n",
				key);
			c = phone_post(&s.p, "Sync", text);
			c = elem_child(elem_child(c, AIRSYNC_COLLECTIONS), AIRSYNC_COLLECTION);
			assert_int_equal(elem_u32(c, AIRSYNC_STATUS, 0), 1);
			assert_true(str_is(elem_text(c, AIRSYNC_CLASS), "Contacts"));
			assert_true(str_is(elem_text(c, AIRSYNC_COLLECTION_ID), s.b.id));
			(void)snprintf(key, sizeof(key), "%.*s",
				STR_FMT(elem_text(c, AIRSYNC_SYNC_KEY)));
		}
		assert_int_equal(elem_count(elem_child(c, AIRSYNC_COMMANDS), AIRSYNC_ADD), 1);
		scene_end(&s);
	}
}

static unsigned ping(void)
{
	char text[512];

	(void)snprintf(text, sizeof(text),
		"ping:Ping\n  ping:HeartbeatInterval \"300\"\n  ping:Folders\n"
		"    ping:Folder\n      ping:Id \"%s\"\n      ping:Class \"Contacts\"\n",
		s.b.id);
	return elem_u32(phone_post(&s.p, "Ping", text), PING_STATUS, 0);
}

/* C38, C41: a change in a book ends a wait; what the phone did itself, or has seen, does not.
 */
static void test_a_wait_ends_with_a_change_of_others(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
		scene_begin(&s, versions[i], "");
		fill(0, 3);
		scene_sync(&s);
		assert_int_equal(ping(), 1);
		assert_true(s.e.parked);
		assert_int_equal(scene_add(&s, "1", LAST("Own")), 1);
		assert_int_equal(ping(), 1);
		assert_int_equal(scene_change(&s, scene_id(&s, "Own"), LAST("Changed")), 1);
		assert_int_equal(ping(), 1);
		assert_int_equal(scene_delete(&s, scene_id(&s, "Changed")), 1);
		assert_int_equal(ping(), 1);
		fill(1, 1);
		assert_int_equal(ping(), 2);
		scene_sync(&s);
		assert_int_equal(ping(), 1);
		fake_dav_remove(s.e.dav, FAKE_DAV_CONTACTS, "00001.vcf");
		assert_int_equal(ping(), 2);
		scene_sync(&s);
		assert_int_equal(ping(), 1);
		/* A server that cannot be asked is no change. */
		fake_dav_down(s.e.dav, RC_UNAVAILABLE);
		assert_int_equal(ping(), 1);
		fake_dav_down(s.e.dav, RC_OK);
		scene_end(&s);
	}
}

/* `wake = additions`: what was changed or removed waits for the next Sync. */
static void test_a_wait_for_additions_alone(void **state UNUSED)
{
	scene_begin(&s, "14.1", "wake = additions\n");
	fill(0, 3);
	scene_sync(&s);
	put("00001.vcf", CARD("u1", "Else"));
	fake_dav_remove(s.e.dav, FAKE_DAV_CONTACTS, "00002.vcf");
	assert_int_equal(ping(), 1);
	assert_true(s.e.parked);
	fill(3, 1);
	assert_int_equal(ping(), 2);
	scene_settled(&s);
	(void)scene_id(&s, "Else");
	assert_int_equal(ping(), 1);
	scene_end(&s);
}

/* Search of the mailbox; the Store of the answer. */
static const struct elem *search(const char *query, const char *options)
{
	char text[2048];

	(void)snprintf(text, sizeof(text),
		"search:Search\n  search:Store\n    search:Name \"Mailbox\"\n"
		"    search:Query\n      search:And\n%s    search:Options\n%s",
		query, options);
	return elem_child(
		elem_child(phone_post(&s.p, "Search", text), SEARCH_RESPONSE), SEARCH_STORE);
}

#define PEOPLE(words)                                                                          \
	"        airsync:Class \"Contacts\"\n        search:FreeText \"" words "\"\n"

static void finds(const char *query, const char *options, const char *const *names, size_t n)
{
	const struct elem *found = search(query, options), *r;

	assert_int_equal(elem_u32(found, SEARCH_STATUS, 0), 1);
	assert_int_equal(elem_u32(found, SEARCH_TOTAL, 99), n);
	r = elem_child(found, SEARCH_RESULT);
	for (size_t i = 0; i < n; i++, r = elem_again(r)) {
		assert_true(str_is(elem_text(r, AIRSYNC_CLASS), "Contacts"));
		assert_true(
			str_is(elem_text(elem_child(r, SEARCH_PROPERTIES), CONTACTS_LAST_NAME),
				names[i]));
	}
	assert_null(elem_child(r, SEARCH_PROPERTIES));
}

#define NAMES(...)                                                                             \
	(const char *const[]){__VA_ARGS__}, ARRAY_LEN(((const char *const[]){__VA_ARGS__}))

/* C58, C59: contacts are found by words in them, with a server that can search and with one
 * that cannot. */
static void test_contacts_are_found_in_the_mailbox(void **state UNUSED)
{
	for (unsigned cannot = 0; cannot < 2; cannot++) {
		const struct elem *r;
		char id[300], query[512];

		scene_begin(&s, "14.1", "");
		fake_dav_cannot_find(s.e.dav, cannot);
		put("a.vcf", CARD("a", "Meier"));
		put("b.vcf", CARD("b", "Meierling\r\nNOTE:plays the tuba"));
		put("c.vcf", CARD("c", "Schulze"));
		put("d.vcf", "no card, but Meier stands in it");
		finds(PEOPLE("meier"), "", NAMES("Meier", "Meierling"));
		finds(PEOPLE("tuba mei"), "", NAMES("Meierling"));
		finds(PEOPLE("\\\"MEIERL*\\\""), "", NAMES("Meierling"));
		finds(PEOPLE("tuba schulze"), "", NULL, 0);
		/* The name of a property, and what no person reads, is not looked at. */
		finds(PEOPLE("VERSION"), "", NULL, 0);
		finds(PEOPLE("FOREIGN"), "", NULL, 0);
		/* Mails alone, and people not among them. */
		finds("        airsync:Class \"Email\"\n        search:FreeText \"meier\"\n",
			"", NULL, 0);
		finds("        search:FreeText \"meier\"\n", "", NULL, 0);
		finds(PEOPLE("meier") "        search:GreaterThan\n          email:DateReceived\n"
				      "          search:Value \"2020-01-01T00:00:00.000Z\"\n",
			"", NULL, 0);
		/* In one book. */
		(void)snprintf(query, sizeof(query),
			"        airsync:CollectionId \"%s\"\n        search:FreeText \"meier\"\n",
			s.b.id);
		finds(query, "", NAMES("Meier", "Meierling"));
		/* Page 2 is page 2, and the LongId is good for ItemOperations. */
		r = search(PEOPLE("meier"), "      search:Range \"1-5\"\n");
		assert_true(str_is(elem_text(r, SEARCH_RANGE), "1-1"));
		assert_int_equal(elem_u32(r, SEARCH_TOTAL, 0), 2);
		r = elem_child(r, SEARCH_RESULT);
		assert_true(str_is(elem_text(r, AIRSYNC_COLLECTION_ID), s.b.id));
		(void)snprintf(id, sizeof(id),
			"itemoperations:ItemOperations\n  itemoperations:Fetch\n"
			"    itemoperations:Store \"Mailbox\"\n    search:LongId \"%.*s\"\n",
			STR_FMT(elem_text(r, SEARCH_LONG_ID)));
		r = elem_child(phone_post(&s.p, "ItemOperations", id), ITEMOPERATIONS_RESPONSE);
		r = elem_child(elem_child(r, ITEMOPERATIONS_FETCH), ITEMOPERATIONS_PROPERTIES);
		assert_true(str_is(elem_text(r, CONTACTS_LAST_NAME), "Meierling"));
		r = search(PEOPLE("meier"), "      search:Range \"2-5\"\n");
		assert_int_equal(elem_u32(r, SEARCH_STATUS, 0), 12);
		scene_end(&s);
	}
}

/* [MS-ASCMD] 2.2.3.11: a Change without ApplicationData says nothing, and clears nothing. */
static void test_a_change_that_says_nothing(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
		const struct elem *c;
		char text[256];

		scene_begin(&s, versions[i], "");
		put("a.vcf", PICTURED);
		scene_sync(&s);
		(void)snprintf(text, sizeof(text),
			"      airsync:Commands\n        airsync:Change\n"
			"          airsync:ServerId \"%s\"\n",
			s.b.v[0].id);
		c = scene_raw(&s, &s.b, text);
		c = elem_child(elem_child(c, AIRSYNC_RESPONSES), AIRSYNC_CHANGE);
		assert_int_equal(elem_u32(c, AIRSYNC_STATUS, 0), 6);
		assert_true(
			str_is(fake_dav_text(s.e.dav, FAKE_DAV_CONTACTS, "a.vcf"), PICTURED));
		scene_end(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cards_reach_the_phone_and_follow_the_server),
		cmocka_unit_test(test_what_the_phone_does_reaches_the_server),
		cmocka_unit_test(test_own_changes_do_not_come_back),
		cmocka_unit_test(test_a_read_only_book_stays_as_it_is),
		cmocka_unit_test(test_a_conflict_ends_as_the_phone_asks),
		cmocka_unit_test(test_the_winner_of_a_conflict_learns_of_the_rest),
		cmocka_unit_test(test_the_same_change_is_no_conflict),
		cmocka_unit_test(test_a_delete_beats_a_change),
		cmocka_unit_test(test_a_card_that_changes_under_the_writer),
		cmocka_unit_test(test_a_repeated_request_doubles_nothing),
		cmocka_unit_test(test_what_was_done_before_the_second_try),
		cmocka_unit_test(test_a_book_that_is_gone_sends_the_phone_to_its_folders),
		cmocka_unit_test(test_a_client_id_of_another_request_is_another_item),
		cmocka_unit_test(test_bad_commands_get_their_status),
		cmocka_unit_test(test_windows_of_a_book_that_changes),
		cmocka_unit_test(test_a_large_book_is_read_once),
		cmocka_unit_test(test_cards_that_are_large_together),
		cmocka_unit_test(test_ghosted_properties_are_kept),
		cmocka_unit_test(test_notes_survive_a_change),
		cmocka_unit_test(test_notes_that_were_cut_come_back_whole),
		cmocka_unit_test(test_what_a_change_uncovers_is_told),
		cmocka_unit_test(test_a_picture_survives_an_iphone),
		cmocka_unit_test(test_ids_of_others_mean_nothing),
		cmocka_unit_test(test_a_contact_is_fetched),
		cmocka_unit_test(test_estimates_count_what_comes),
		cmocka_unit_test(test_old_phones_name_the_class_alone),
		cmocka_unit_test(test_a_wait_ends_with_a_change_of_others),
		cmocka_unit_test(test_a_wait_for_additions_alone),
		cmocka_unit_test(test_a_change_that_says_nothing),
		cmocka_unit_test(test_contacts_are_found_in_the_mailbox),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
