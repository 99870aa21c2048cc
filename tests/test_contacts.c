/*
 * Contacts over the fakes: what a phone and another client of the address book do to each
 * other. [MS-ASCMD] 2.2.1.21, [MS-ASCNTC].
 */
#include "core/base/clock.h"
#include "tests/support_eas.h"
#include "tests/support_story.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { CONTACTS = 9, MORE_CONTACTS = 14 };

static struct eas e;
static struct phone p;
static struct device_folder *book;

#define CARD(uid, name)                                                                        \
	"BEGIN:VCARD\r\nVERSION:3.0\r\nUID:" uid "\r\nFN:" name "\r\nN:" name                  \
	";;;;\r\nX-FOREIGN;X-P=\"a b\":kept as it is\r\nEND:VCARD\r\n"

static void begin(const char *version, const char *conf)
{
	eas_init(&e, conf);
	eas_dav(&e);
	eas_phone(&e, &p, "phone", version);
	story_must(phone_provision(&p) && phone_folder_sync(&p), &p);
	book = phone_folder(&p, CONTACTS);
	assert_non_null(book);
}

static void end(void)
{
	phone_release(&p);
	eas_release(&e);
}

/* A Sync of a book with these lines in its Collection (six spaces deep); the Collection of the
 * answer, NULL when it is empty. The key is taken over. */
static const struct elem *sync_folder(struct device_folder *f, const char *lines)
{
	char text[8192];
	const struct elem *c;

	(void)snprintf(text, sizeof(text),
		"airsync:Sync\n  airsync:Collections\n    airsync:Collection\n%s"
		"      airsync:SyncKey \"%s\"\n      airsync:CollectionId \"%s\"\n%s",
		strcmp(p.version, "2.5") == 0 ? "      airsync:Class \"Contacts\"\n" : "",
		f->key, f->id, lines);
	c = phone_post(&p, "Sync", text);
	c = elem_child(elem_child(c, AIRSYNC_COLLECTIONS), AIRSYNC_COLLECTION);
	if (c && elem_u32(c, AIRSYNC_STATUS, 0) == 1)
		(void)snprintf(f->key, sizeof(f->key), "%.*s",
			STR_FMT(elem_text(c, AIRSYNC_SYNC_KEY)));
	return c;
}

static const struct elem *sync_book(const char *lines)
{
	return sync_folder(book, lines);
}

static size_t commands(const struct elem *c, tag_t what)
{
	return elem_count(elem_child(c, AIRSYNC_COMMANDS), what);
}

static const struct elem *first(const struct elem *c, tag_t what)
{
	return elem_child(elem_child(c, AIRSYNC_COMMANDS), what);
}

static const struct elem *response(const struct elem *c, tag_t what)
{
	return elem_child(elem_child(c, AIRSYNC_RESPONSES), what);
}

static const char *data_of(const struct elem *command, struct arena *a)
{
	return command ? eas_text(elem_child(command, AIRSYNC_APPLICATION_DATA), a) : "";
}

#define ADD(client, fields)                                                                    \
	"      airsync:Commands\n        airsync:Add\n          airsync:ClientId \"" client    \
	"\"\n          airsync:ApplicationData\n" fields
#define FIELD(name, value) "            contacts:" name " \"" value "\"\n"

static const char *change(const char *id, const char *fields, struct arena *a)
{
	return arena_printf(a,
		"      airsync:Commands\n        airsync:Change\n"
		"          airsync:ServerId \"%s\"\n          airsync:ApplicationData\n%s",
		id, fields)
		.p;
}

static const char *deletion(const char *id, struct arena *a)
{
	return arena_printf(a,
		"      airsync:Commands\n        airsync:Delete\n"
		"          airsync:ServerId \"%s\"\n",
		id)
		.p;
}

static const char *id_of(const struct elem *command, struct arena *a)
{
	return arena_cstr(a, elem_text(command, AIRSYNC_SERVER_ID));
}

/* S19, C131, B20362 */
static void test_cards_reach_the_phone_and_follow_the_server(void **state UNUSED)
{
	static const char *const versions[] = {"2.5", "12.0", "12.1", "14.0", "14.1"};

	for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
		struct arena *a = arena_new();
		const struct elem *c;
		const char *id;

		begin(versions[i], "");
		fake_dav_put(e.dav, FAKE_DAV_CONTACTS, "a.vcf", CARD("a", "Ada"));
		fake_dav_put(e.dav, FAKE_DAV_CONTACTS, "b.vcf", CARD("b", "Bob"));
		(void)sync_book("");
		c = sync_book("");
		assert_int_equal(commands(c, AIRSYNC_ADD), 2);
		assert_non_null(strstr(data_of(first(c, AIRSYNC_ADD), a), "\"Ada\""));
		id = id_of(first(c, AIRSYNC_ADD), a);
		c = sync_book("");
		assert_int_equal(commands(c, AIRSYNC_ADD) + commands(c, AIRSYNC_CHANGE), 0);
		fake_dav_put(e.dav, FAKE_DAV_CONTACTS, "a.vcf", CARD("a", "Adele"));
		fake_dav_remove(e.dav, FAKE_DAV_CONTACTS, "b.vcf");
		c = sync_book("");
		assert_int_equal(commands(c, AIRSYNC_CHANGE), 1);
		assert_int_equal(commands(c, AIRSYNC_DELETE), 1);
		assert_string_equal(id_of(first(c, AIRSYNC_CHANGE), a), id);
		assert_non_null(strstr(data_of(first(c, AIRSYNC_CHANGE), a), "\"Adele\""));
		/* Key 0 starts afresh, and nothing is lost. */
		(void)snprintf(book->key, sizeof(book->key), "0");
		(void)sync_book("");
		c = sync_book("");
		assert_int_equal(commands(c, AIRSYNC_ADD), 1);
		end();
		arena_free(a);
	}
}

/* S19, B19962 */
static void test_what_the_phone_does_reaches_the_server(void **state UNUSED)
{
	static const char *const versions[] = {"2.5", "12.0", "12.1", "14.0", "14.1"};

	for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
		struct arena *a = arena_new();
		const struct elem *c;
		const char *id;
		struct str text;

		begin(versions[i], "");
		(void)sync_book("");
		c = sync_book(ADD("c1", FIELD("FirstName", "Ann") FIELD("LastName", "Lee")));
		assert_int_equal(elem_u32(response(c, AIRSYNC_ADD), AIRSYNC_STATUS, 0), 1);
		id = id_of(response(c, AIRSYNC_ADD), a);
		assert_int_equal(fake_dav_count(e.dav, FAKE_DAV_CONTACTS), 1);
		/* Its own doing is no news. */
		c = sync_book("");
		assert_int_equal(commands(c, AIRSYNC_ADD) + commands(c, AIRSYNC_CHANGE), 0);
		c = sync_book(change(id,
			FIELD("FirstName", "Anna") FIELD("LastName", "Lee")
				FIELD("MobilePhoneNumber", "+49 1"),
			a));
		assert_null(response(c, AIRSYNC_CHANGE));
		assert_int_equal(commands(c, AIRSYNC_CHANGE), 0);
		text = fake_dav_href(e.dav, FAKE_DAV_CONTACTS, 0);
		text = fake_dav_text(e.dav, FAKE_DAV_CONTACTS,
			arena_cstr(a, str_sub(text, strlen(FAKE_DAV_CONTACTS), text.n)));
		assert_non_null(strstr(arena_cstr(a, text), "Anna"));
		assert_non_null(strstr(arena_cstr(a, text), "+49 1"));
		c = sync_book(deletion(id, a));
		assert_null(response(c, AIRSYNC_DELETE));
		assert_int_equal(fake_dav_count(e.dav, FAKE_DAV_CONTACTS), 0);
		c = sync_book("");
		assert_int_equal(commands(c, AIRSYNC_DELETE), 0);
		end();
		arena_free(a);
	}
}

/* C155: what is refused is put back. */
static void test_a_read_only_book_stays_as_it_is(void **state UNUSED)
{
	struct arena *a = arena_new();
	const struct elem *c;
	const char *id;

	begin("14.1", "");
	fake_dav_put(e.dav, FAKE_DAV_CONTACTS, "a.vcf", CARD("a", "Ada"));
	fake_dav_read_only(e.dav, FAKE_DAV_CONTACTS, true);
	(void)sync_book("");
	id = id_of(first(sync_book(""), AIRSYNC_ADD), a);
	c = sync_book(change(id, FIELD("LastName", "Else"), a));
	assert_int_equal(elem_u32(response(c, AIRSYNC_CHANGE), AIRSYNC_STATUS, 0), 7);
	assert_int_equal(commands(c, AIRSYNC_CHANGE), 1);
	assert_non_null(strstr(data_of(first(c, AIRSYNC_CHANGE), a), "\"Ada\""));
	c = sync_book(deletion(id, a));
	assert_int_equal(elem_u32(response(c, AIRSYNC_DELETE), AIRSYNC_STATUS, 0), 7);
	assert_int_equal(commands(c, AIRSYNC_ADD), 1);
	c = sync_book(ADD("n", FIELD("LastName", "New")));
	assert_int_equal(elem_u32(response(c, AIRSYNC_ADD), AIRSYNC_STATUS, 0), 6);
	assert_int_equal(fake_dav_count(e.dav, FAKE_DAV_CONTACTS), 1);
	end();
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cards_reach_the_phone_and_follow_the_server),
		cmocka_unit_test(test_what_the_phone_does_reaches_the_server),
		cmocka_unit_test(test_a_read_only_book_stays_as_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
