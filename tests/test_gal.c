/*
 * People of the address book in answers: Search GAL (S5, B20250, U14, C56, C57) and the user's
 * own entry in Settings.
 */
#include "tests/fake_directory.h"
#include "tests/support_eas.h"
#include "tests/support_story.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct eas e;
static struct phone p;
static struct arena *a;
static struct fake_directory *book;

static void use_book(struct eas *eas UNUSED, struct services *sv, struct request *rq UNUSED)
{
	sv->directory = book ? fake_directory_directory(book) : NULL;
}

static void begin(const char *version, const char *conf)
{
	a = arena_new();
	eas_init(&e, conf);
	book = fake_directory_new();
	fake_directory_load(book, "lab/people.ldif");
	e.open = use_book;
	eas_phone(&e, &p, "phone", version);
	story_must(phone_provision(&p) && phone_folder_sync(&p), &p);
}

static void end(void)
{
	phone_release(&p);
	eas_release(&e);
	if (book)
		fake_directory_free(book);
	book = NULL;
	arena_free(a);
}

/* options: children of Options, indented by six. */
static const struct elem *search(const char *text, const char *options)
{
	const struct elem *answer = phone_post(&p, "Search",
		arena_printf(a,
			"search:Search\n  search:Store\n    search:Name \"GAL\"\n"
			"    search:Query \"%s\"\n    search:Options\n%s",
			text, options)
			.p);

	assert_non_null(answer);
	assert_int_equal(elem_u32(answer, SEARCH_STATUS, 0), 1);
	return elem_child(elem_child(answer, SEARCH_RESPONSE), SEARCH_STORE);
}

static const struct elem *nth(const struct elem *store, size_t n)
{
	const struct elem *r = elem_child(store, SEARCH_RESULT);

	while (r && n--)
		r = elem_again(r);
	return elem_child(r, SEARCH_PROPERTIES);
}

/* The display names, in their order. */
static const char *names(const struct elem *store)
{
	struct str list = {"", 0};

	for (const struct elem *r = elem_child(store, SEARCH_RESULT); r; r = elem_again(r))
		list = arena_printf(a, "%.*s%s%.*s", STR_FMT(list), list.n ? ", " : "",
			STR_FMT(elem_text(elem_child(r, SEARCH_PROPERTIES), GAL_DISPLAY_NAME)));
	return arena_cstr(a, list);
}

/* S5, C56: in every version. */
static void test_people_are_found_by_a_part_of_their_name(void **state UNUSED)
{
	static const char *const versions[] = {"2.5", "12.0", "12.1", "14.0", "14.1"};

	for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
		const struct elem *store;

		begin(versions[i], "");
		store = search("mei", "      search:Range \"0-49\"\n");
		assert_int_equal(elem_u32(store, SEARCH_STATUS, 0), 1);
		assert_string_equal(names(store), "Ann Meier, Ann Meier");
		assert_true(str_is(elem_text(store, SEARCH_RANGE), "0-1"));
		assert_int_equal(elem_u32(store, SEARCH_TOTAL, 0), 2);
		assert_string_equal(names(search("m\xc3\xbcl", "")), "Anna M\xc3\xbcller");
		assert_string_equal(names(search("stern*", "")), "Robert (Bob) Stern*");
		end();
	}
}

/* The whole answer, in the order of the schema: Properties alone in a Result. */
static void test_every_property_has_its_place(void **state UNUSED)
{
	const char *want = "search:Store\n"
			   "  search:Status \"1\"\n"
			   "  search:Result\n"
			   "    search:Properties\n"
			   "      gal:DisplayName \"Anna M\xc3\xbcller\"\n"
			   "      gal:Phone \"+49 7121 100\"\n"
			   "      gal:Office \"B 12\"\n"
			   "      gal:Title \"Head of Sales\"\n"
			   "      gal:Company \"Example Ltd\"\n"
			   "      gal:Alias \"anna.mueller\"\n"
			   "      gal:FirstName \"Anna\"\n"
			   "      gal:LastName \"M\xc3\xbcller\"\n"
			   "      gal:HomePhone \"+49 7121 200\"\n"
			   "      gal:MobilePhone \"+49 170 300\"\n"
			   "      gal:EmailAddress \"anna.mueller@example.test\"\n"
			   "  search:Range \"0-0\"\n"
			   "  search:Total \"1\"\n";
	struct elem alone;

	begin("14.1", "");
	alone = *search("amu@", "");
	alone.next = NULL;
	assert_string_equal(eas_text(&alone, a), want);
	end();
}

/* B20250, clients.md 8 */
static void test_nobody_is_without_a_name(void **state UNUSED)
{
	struct str address = STR("info@example.test");
	const struct elem *one;

	begin("2.5", "");
	one = nth(search("cher", ""), 0);
	assert_true(elem_has(one, GAL_FIRST_NAME));
	assert_int_equal(elem_text(one, GAL_FIRST_NAME).n, 0);
	assert_true(str_is(elem_text(one, GAL_LAST_NAME), "Cher"));
	/* Whose entry has neither is shown by what he is called. */
	fake_directory_add(book, &(struct person){.display_name = address,
					 .email = address,
					 .addresses = &address,
					 .naddresses = 1});
	one = nth(search("info", ""), 0);
	assert_true(elem_has(one, GAL_FIRST_NAME));
	assert_true(str_is(elem_text(one, GAL_LAST_NAME), "info@example.test"));
	/* X.400 alone: shown, without an address that no phone could use. */
	one = nth(search("xaver", ""), 0);
	assert_true(str_is(elem_text(one, GAL_PHONE), "+49 7121 400"));
	assert_false(elem_has(one, GAL_EMAIL_ADDRESS));
	end();
}

static void test_pages_and_their_ends(void **state UNUSED)
{
	static const struct {
		const char *range, *answered;
		unsigned status, results;
	} cases[] = {
		{"0-1",       "0-1", 1,  2},
		{"2-99",      "2-4", 1,  3},
		{"0-999",     "0-4", 1,  5},
		{"4-4",       "4-4", 1,  1},
		{"5-6",       "",    12, 0},
		{"1000-1001", "",    12, 0},
		{"3-2",       "",    2,  0},
		{"x",         "",    2,  0},
	};
	struct person many = {.naddresses = 0};
	const struct elem *store;

	begin("14.1", "");
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		store = search(
			"b", arena_printf(a, "      search:Range \"%s\"\n", cases[i].range).p);
		assert_int_equal(elem_u32(store, SEARCH_STATUS, 0), cases[i].status);
		assert_int_equal(elem_count(store, SEARCH_RESULT), cases[i].results);
		assert_true(str_is(elem_text(store, SEARCH_RANGE), cases[i].answered));
		assert_int_equal(elem_u32(store, SEARCH_TOTAL, 0), cases[i].results ? 5 : 0);
	}
	/* A hundred at most, and so many without a word. */
	for (unsigned i = 0; i < 250; i++) {
		many.display_name = arena_printf(a, "Person %03u", i);
		fake_directory_add(book, &many);
	}
	store = search("person", "");
	assert_true(str_is(elem_text(store, SEARCH_RANGE), "0-99"));
	assert_int_equal(elem_u32(store, SEARCH_TOTAL, 0), 250);
	store = search("person", "      search:Range \"200-999\"\n");
	assert_true(str_is(elem_text(store, SEARCH_RANGE), "200-249"));
	assert_true(str_is(elem_text(nth(store, 49), GAL_DISPLAY_NAME), "Person 249"));
	store = search("person", "      search:Range \"100-400\"\n");
	assert_true(str_is(elem_text(store, SEARCH_RANGE), "100-199"));
	end();
}

static void test_nobody_is_found(void **state UNUSED)
{
	static const char *const texts[] = {"nobody", "*", "", " ", "\\\\2a"};
	const struct elem *store;

	begin("14.1", "");
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		store = search(texts[i], "");
		assert_int_equal(elem_u32(store, SEARCH_STATUS, 0), 1);
		assert_int_equal(elem_u32(store, SEARCH_TOTAL, 9), 0);
		assert_false(elem_has(store, SEARCH_RANGE));
		/* [MS-ASCMD] 2.2.3.155.3 */
		assert_false(elem_has(store, SEARCH_RESULT));
	}
	store = elem_child(elem_child(phone_post(&p, "Search",
					      "search:Search\n  search:Store\n"
					      "    search:Name \"GAL\"\n"),
				   SEARCH_RESPONSE),
		SEARCH_STORE);
	assert_int_equal(elem_u32(store, SEARCH_STATUS, 0), 2);
	/* Without an address book, too. */
	fake_directory_free(book);
	book = NULL;
	store = search("ann", "");
	assert_int_equal(elem_u32(store, SEARCH_STATUS, 0), 1);
	assert_int_equal(elem_u32(store, SEARCH_TOTAL, 9), 0);
	end();
}

static void test_a_directory_that_fails_has_a_status(void **state UNUSED)
{
	static const struct {
		enum rc rc;
		enum err_why why;
		unsigned status;
	} cases[] = {
		{RC_UNAVAILABLE, ERR_PLAIN,   7 },
		{RC_UNAVAILABLE, ERR_TIMEOUT, 10},
		{RC_LIMIT,       ERR_PLAIN,   10},
		{RC_DENIED,      ERR_PLAIN,   3 },
		{RC_INTERNAL,    ERR_PLAIN,   3 },
	};
	const struct elem *store;

	begin("14.1", "");
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		fake_directory_fail(book, cases[i].rc, cases[i].why);
		store = search("ann", "");
		assert_int_equal(elem_u32(store, SEARCH_STATUS, 0), cases[i].status);
		assert_false(elem_has(store, SEARCH_RESULT));
	}
	/* What came until a limit is worth showing. */
	fake_directory_fail(book, RC_OK, ERR_PLAIN);
	fake_directory_limit(book, 2);
	store = search("ann", "");
	assert_int_equal(elem_u32(store, SEARCH_STATUS, 0), 1);
	assert_int_equal(elem_count(store, SEARCH_RESULT), 2);
	assert_int_equal(elem_u32(store, SEARCH_TOTAL, 0), 2);
	end();
}

static unsigned picture_status(const struct elem *store, size_t n)
{
	return elem_u32(elem_child(nth(store, n), GAL_PICTURE), GAL_STATUS, 0);
}

static struct str picture_data(const struct elem *store, size_t n)
{
	return elem_text(elem_child(nth(store, n), GAL_PICTURE), GAL_DATA);
}

#define PICTURE(limits) "      search:Picture\n" limits

/* U14, C57: Carla has a JPEG, Karl nothing, Paul a PNG. */
static void test_pictures_come_from_14_1_on(void **state UNUSED)
{
	const struct elem *store;

	begin("14.0", "");
	assert_false(elem_has(nth(search("bild", ""), 0), GAL_PICTURE));
	end();
	begin("14.1", "");
	assert_false(elem_has(nth(search("bild", ""), 0), GAL_PICTURE));
	store = search("bild", PICTURE(""));
	assert_int_equal(picture_status(store, 0), 1);
	assert_memory_equal(picture_data(store, 0).p, "\xff\xd8\xff", 3);
	assert_int_equal(picture_status(store, 1), 173);
	assert_int_equal(picture_data(store, 1).n, 0);
	assert_int_equal(picture_status(store, 2), 1);
	assert_memory_equal(picture_data(store, 2).p, "\xff\xd8\xff", 3);
	store = search("bild", PICTURE("        search:MaxPictures \"1\"\n"));
	assert_int_equal(picture_status(store, 0), 1);
	assert_int_equal(picture_status(store, 1), 173);
	assert_int_equal(picture_status(store, 2), 175);
	store = search("bild", PICTURE("        search:MaxPictures \"0\"\n"));
	assert_int_equal(picture_status(store, 0), 175);
	store = search("bild", PICTURE("        search:MaxSize \"10\"\n"));
	assert_int_equal(picture_status(store, 0), 174);
	assert_int_equal(picture_status(store, 1), 173);
	assert_int_equal(picture_status(store, 2), 174);
	assert_int_equal(picture_data(store, 0).n, 0);
	end();
}

static void test_what_is_no_picture_is_none(void **state UNUSED)
{
	begin("14.1", "");
	fake_directory_add(book, &(struct person){.display_name = STR("Noise"),
					 .picture = STR("\xff\xd8 noise")});
	assert_int_equal(picture_status(search("noise", PICTURE("")), 0), 173);
	end();
}

static const char *user_information(void)
{
	return eas_text(
		phone_post(&p, "Settings",
			"settings:Settings\n  settings:UserInformation\n    settings:Get\n"),
		a);
}

/* C74 for the user: the directory's addresses first, then those of the settings. */
static void test_users_learn_their_addresses(void **state UNUSED)
{
	struct str all[] = {
		STR("a.other@example.test"), STR("ANN@example.test"), STR("ann@second.test")};
	const char *text;

	begin("14.1",
		"login_domain = example.test\nmail_aliases = \"second.test third.test\"\n");
	text = user_information();
	assert_null(strstr(text, "UserDisplayName"));
	assert_non_null(strstr(text, "settings:PrimarySmtpAddress \"ann@example.test\""));
	fake_directory_add(book, &(struct person){.display_name = STR("Ann Other"),
					 .email = all[0],
					 .addresses = all,
					 .naddresses = 3});
	text = user_information();
	assert_non_null(
		strstr(text, "        settings:Account\n"
			     "          settings:UserDisplayName \"Ann Other\"\n"
			     "          settings:EmailAddresses\n"
			     "            settings:SMTPAddress \"ann@example.test\"\n"
			     "            settings:SMTPAddress \"a.other@example.test\"\n"
			     "            settings:SMTPAddress \"ann@second.test\"\n"
			     "            settings:SMTPAddress \"ann@third.test\"\n"
			     "            settings:PrimarySmtpAddress "
			     "\"ann@example.test\"\n"));
	fake_directory_fail(book, RC_UNAVAILABLE, ERR_PLAIN);
	text = user_information();
	assert_null(strstr(text, "a.other"));
	assert_non_null(strstr(text, "settings:PrimarySmtpAddress \"ann@example.test\""));
	assert_non_null(strstr(text, "\"ann@third.test\""));
	fake_directory_fail(book, RC_OK, ERR_PLAIN);
	p.version = "14.0";
	text = user_information();
	assert_null(strstr(text, "UserDisplayName"));
	assert_non_null(strstr(text, "settings:SMTPAddress \"a.other@example.test\""));
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_people_are_found_by_a_part_of_their_name),
		cmocka_unit_test(test_every_property_has_its_place),
		cmocka_unit_test(test_nobody_is_without_a_name),
		cmocka_unit_test(test_pages_and_their_ends),
		cmocka_unit_test(test_nobody_is_found),
		cmocka_unit_test(test_a_directory_that_fails_has_a_status),
		cmocka_unit_test(test_pictures_come_from_14_1_on),
		cmocka_unit_test(test_what_is_no_picture_is_none),
		cmocka_unit_test(test_users_learn_their_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
