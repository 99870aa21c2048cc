/*
 * The company address book on a real LDAP server, through nginx: S5, U14, C56, C57, C74, C76,
 * C77.
 */
#include "core/base/base64.h"
#include "tests/support_client.h"
#include "tests/support_lab.h"
#include "tests/support_story.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MANY = 10000 };

#define USER "user01@example.test"

static struct phone p;
static struct arena *a;

static const struct elem *ask(const char *command, const char *text)
{
	const struct elem *answer = phone_post(&p, command, text);

	if (!answer)
		fail_msg("%s: %s", command, p.error);
	return answer;
}

/* What phones type stands in WBXML as it is, in a dump with two characters escaped. */
static const char *quoted(const char *text)
{
	struct str r = {"", 0};

	for (; *text; text++)
		r = arena_printf(a, "%.*s%s%c", STR_FMT(r),
			*text == '"' || *text == '\\' ? "\\" : "", *text);
	return arena_cstr(a, r);
}

static const struct elem *search(const char *text, const char *options)
{
	const struct elem *answer =
		ask("Search", arena_printf(a,
				      "search:Search\n  search:Store\n    search:Name \"GAL\"\n"
				      "    search:Query \"%s\"\n    search:Options\n%s",
				      quoted(text), options)
				      .p);

	assert_int_equal(elem_u32(answer, SEARCH_STATUS, 0), 1);
	return elem_child(elem_child(answer, SEARCH_RESPONSE), SEARCH_STORE);
}

static const struct elem *nth(const struct elem *parent, tag_t tag, size_t n)
{
	const struct elem *r = elem_child(parent, tag);

	while (r && n--)
		r = elem_again(r);
	return r;
}

static struct str name(const struct elem *store, size_t n)
{
	return elem_text(
		elem_child(nth(store, SEARCH_RESULT, n), SEARCH_PROPERTIES), GAL_DISPLAY_NAME);
}

static void finds(const char *text, const char *first, unsigned total)
{
	const struct elem *store = search(text, "");

	assert_int_equal(elem_u32(store, SEARCH_STATUS, 0), 1);
	if (elem_u32(store, SEARCH_TOTAL, 9999) != total)
		fail_msg("\"%s\" finds %u, not %u", text, elem_u32(store, SEARCH_TOTAL, 9999),
			total);
	if (total && !str_is(name(store, 0), first))
		fail_msg("\"%s\" finds %.*s first", text, STR_FMT(name(store, 0)));
}

/* S5, C56: in every version. */
static void test_people_are_found(void **state UNUSED)
{
	static const char *const versions[] = {"2.5", "12.0", "12.1", "14.0", "14.1"};

	for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
		p.version = versions[i];
		finds("mei", "Ann Meier", 2);
		finds("m\xc3\xbcl", "Anna M\xc3\xbcller", 1);
		finds("\xc3\x96ZDEMIR", "\xc3\x84nne \xc3\x96zdemir", 1);
		finds("cher", "Cher", 1);
		finds("user0", "Lab User01", 2);
		finds("lab user02", "Lab User02", 1);
		finds("(bob", "Robert (Bob) Stern*", 1);
		finds("stern*", "Robert (Bob) Stern*", 1);
		finds("back\\sl", "Back\\Slash", 1);
		finds("*", "", 0);
		finds("*()\\", "", 0);
		finds(")(uid=*", "", 0);
		finds("nobody", "", 0);
		finds("", "", 0);
	}
	p.version = "14.1";
}

static void test_ten_thousand_are_found_in_pages(void **state UNUSED)
{
	static const struct {
		const char *range, *answered, *first;
	} cases[] = {
		{"0-99",     "0-99",    "Anna Person000010"},
		{"100-199",  "100-199", "Anna Person001010"},
		{"900-999",  "900-999", "Anna Person009010"},
		{"950-2000", "950-999", "Anna Person009510"},
	};
	const struct elem *store;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		store = search("person",
			arena_printf(a, "      search:Range \"%s\"\n", cases[i].range).p);
		assert_int_equal(elem_u32(store, SEARCH_STATUS, 0), 1);
		/* ldap_search_max is ten thousand. */
		assert_int_equal(elem_u32(store, SEARCH_TOTAL, 0), MANY);
		assert_true(str_is(elem_text(store, SEARCH_RANGE), cases[i].answered));
		if (!str_is(name(store, 0), cases[i].first))
			fail_msg(
				"%s begins with %.*s", cases[i].range, STR_FMT(name(store, 0)));
	}
	finds("person00999", "Anna Person009990", 10);
	finds("anna person0099", "Anna Person009900", 10);
}

static struct str picture(const struct elem *store, size_t n, unsigned *status_r)
{
	const struct elem *one = elem_child(
		elem_child(nth(store, SEARCH_RESULT, n), SEARCH_PROPERTIES), GAL_PICTURE);

	*status_r = elem_u32(one, GAL_STATUS, 0);
	return elem_text(one, GAL_DATA);
}

/* U14, C57 */
static void test_pictures_are_shown(void **state UNUSED)
{
	const struct elem *store = search("bild", "      search:Picture\n");
	struct str jpeg;
	unsigned status;

	jpeg = picture(store, 0, &status);
	assert_int_equal(status, 1);
	assert_memory_equal(jpeg.p, "\xff\xd8\xff", 3);
	(void)picture(store, 1, &status);
	assert_int_equal(status, 173);
	jpeg = picture(store, 2, &status);
	assert_int_equal(status, 1);
	assert_memory_equal(jpeg.p, "\xff\xd8\xff", 3);
	/* One of 117 KB, made smaller. */
	store = search("user01", "      search:Picture\n        search:MaxSize \"20000\"\n");
	jpeg = picture(store, 0, &status);
	assert_int_equal(status, 1);
	assert_true(jpeg.n > 100 && jpeg.n <= 20000);
	assert_memory_equal(jpeg.p, "\xff\xd8\xff", 3);
	store = search("user01", "      search:Picture\n        search:MaxSize \"10\"\n");
	(void)picture(store, 0, &status);
	assert_int_equal(status, 174);
}

static unsigned resolve_status(const struct elem *e)
{
	return elem_u32(e, RESOLVERECIPIENTS_STATUS, 0);
}

/* C74, C76, C77 */
static void test_recipients_are_resolved(void **state UNUSED)
{
	const struct elem *answer =
		ask("ResolveRecipients", "resolverecipients:ResolveRecipients\n"
					 "  resolverecipients:To \"zoe@example.test\"\n"
					 "  resolverecipients:To \"ann\"\n"
					 "  resolverecipients:To \"nobody@example.test\"\n"
					 "  resolverecipients:To \"person\"\n"
					 "  resolverecipients:To \"carla\"\n"
					 "  resolverecipients:Options\n"
					 "    resolverecipients:CertificateRetrieval \"2\"\n"
					 "    resolverecipients:Picture\n");
	const struct elem *one, *certificates;
	struct str der;

	assert_int_equal(resolve_status(answer), 1);
	one = nth(answer, RESOLVERECIPIENTS_RESPONSE, 0);
	assert_int_equal(resolve_status(one), 1);
	certificates = elem_child(
		elem_child(one, RESOLVERECIPIENTS_RECIPIENT), RESOLVERECIPIENTS_CERTIFICATES);
	assert_int_equal(resolve_status(certificates), 1);
	assert_int_equal(elem_count(certificates, RESOLVERECIPIENTS_CERTIFICATE), 2);
	assert_int_equal(
		base64_decode(elem_text(certificates, RESOLVERECIPIENTS_CERTIFICATE), a, &der),
		RC_OK);
	assert_memory_equal(der.p, "\x30\x82", 2);
	one = nth(answer, RESOLVERECIPIENTS_RESPONSE, 1);
	/* Four of the file, and a thousand of ten thousand. */
	assert_int_equal(resolve_status(one), 3);
	assert_int_equal(elem_u32(one, RESOLVERECIPIENTS_RECIPIENT_COUNT, 0), 4 + MANY / 10);
	assert_int_equal(elem_count(one, RESOLVERECIPIENTS_RECIPIENT), 19);
	assert_int_equal(resolve_status(nth(answer, RESOLVERECIPIENTS_RESPONSE, 2)), 4);
	one = nth(answer, RESOLVERECIPIENTS_RESPONSE, 3);
	assert_int_equal(elem_u32(one, RESOLVERECIPIENTS_RECIPIENT_COUNT, 0), MANY);
	one = elem_child(
		nth(answer, RESOLVERECIPIENTS_RESPONSE, 4), RESOLVERECIPIENTS_RECIPIENT);
	assert_int_equal(resolve_status(elem_child(one, RESOLVERECIPIENTS_CERTIFICATES)), 7);
	one = elem_child(one, RESOLVERECIPIENTS_PICTURE);
	assert_int_equal(resolve_status(one), 1);
	assert_true(elem_text(one, RESOLVERECIPIENTS_DATA).n > 100);
}

static const struct elem *account(void)
{
	const struct elem *answer = ask("Settings",
		"settings:Settings\n  settings:UserInformation\n    settings:Get\n");

	answer = elem_child(elem_child(answer, SETTINGS_USER_INFORMATION), SETTINGS_GET);
	return elem_child(elem_child(answer, SETTINGS_ACCOUNTS), SETTINGS_ACCOUNT);
}

static void test_users_learn_who_they_are(void **state UNUSED)
{
	const struct elem *e = account(), *addresses;

	assert_true(str_is(elem_text(e, SETTINGS_USER_DISPLAY_NAME), "Lab User01"));
	addresses = elem_child(e, SETTINGS_EMAIL_ADDRESSES);
	assert_true(str_is(elem_text(addresses, SETTINGS_PRIMARY_SMTP_ADDRESS), USER));
	assert_int_equal(elem_count(addresses, SETTINGS_SMTP_ADDRESS), 2);
	assert_true(str_is(
		nth(addresses, SETTINGS_SMTP_ADDRESS, 1)->text, "user01.alias@example.test"));
}

/* The address book is away: it is said so, mail goes on, and it is back by itself. */
static void test_mail_goes_on_without_the_directory(void **state UNUSED)
{
	const struct elem *e;

	lab_break("ldap-stop");
	for (unsigned i = 0; i < 6; i++)
		assert_int_equal(elem_u32(search("ann", ""), SEARCH_STATUS, 0), 7);
	assert_int_equal(
		resolve_status(ask("ResolveRecipients", "resolverecipients:ResolveRecipients\n"
							"  resolverecipients:To \"ann\"\n")),
		6);
	e = account();
	assert_false(elem_has(e, SETTINGS_USER_DISPLAY_NAME));
	assert_true(str_is(elem_text(elem_child(e, SETTINGS_EMAIL_ADDRESSES),
				   SETTINGS_PRIMARY_SMTP_ADDRESS),
		USER));
	story_must(phone_send(&p, USER, "without a directory", "Hi."), &p);
	story_must(phone_sync(&p, phone_folder(&p, STORY_INBOX), 100, ""), &p);
	assert_non_null(phone_item(phone_folder(&p, STORY_INBOX), "without a directory"));
	lab_break("ldap");
	for (unsigned i = 0; i < 6; i++)
		finds("mei", "Ann Meier", 2);
}

static int start(void **state UNUSED)
{
	char many[16];

	(void)snprintf(many, sizeof(many), "%d", MANY);
	(void)setenv("EASPOOL_LAB_LDAP_PEOPLE", many, 1);
	lab_up(2);
	a = arena_new();
	phone_init(&p, lab_get("EAS_URL"), USER, lab_get("LAB_PASSWORD"), "book", "14.1");
	story_must(phone_provision(&p) && phone_folder_sync(&p) &&
			   phone_sync(&p, phone_folder(&p, STORY_INBOX), 100, ""),
		&p);
	return 0;
}

static int end(void **state UNUSED)
{
	phone_release(&p);
	arena_free(a);
	lab_down();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_people_are_found),
		cmocka_unit_test(test_ten_thousand_are_found_in_pages),
		cmocka_unit_test(test_pictures_are_shown),
		cmocka_unit_test(test_recipients_are_resolved),
		cmocka_unit_test(test_users_learn_who_they_are),
		cmocka_unit_test(test_mail_goes_on_without_the_directory),
	};

	return cmocka_run_group_tests(tests, start, end);
}
