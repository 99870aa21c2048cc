/*
 * ItemOperations that change something, a choice of properties, and mails too large for memory.
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

static void begin(void)
{
	eas_init(&e, "");
	eas_phone(&e, &p, "phone", "14.1");
	story_must(phone_provision(&p) && phone_folder_sync(&p), &p);
}

static void end(void)
{
	phone_release(&p);
	eas_release(&e);
}

static const char *operation(struct arena *a, const char *children)
{
	return eas_text(
		phone_post(&p, "ItemOperations",
			arena_printf(a, "itemoperations:ItemOperations\n%s", children).p),
		a);
}

/* C63 */
static void test_a_folder_is_emptied(void **state UNUSED)
{
	struct arena *a = arena_new();
	const char *trash, *text;

	begin();
	fake_mail_folder(e.mail, "Trash/Below", MAIL_USE_NONE);
	for (unsigned i = 0; i < 3; i++)
		(void)fake_mail_add_simple(e.mail, "Trash", 0, 0, "rubbish");
	(void)fake_mail_add_simple(e.mail, "Trash/Below", 0, 0, "more");
	story_must(phone_folder_sync(&p), &p);
	trash = phone_folder(&p, STORY_TRASH)->id;
	text = operation(a,
		arena_printf(a,
			"  itemoperations:EmptyFolderContents\n    airsync:CollectionId \"%s\"\n",
			trash)
			.p);
	assert_non_null(strstr(text, "itemoperations:Status \"1\""));
	assert_int_equal(fake_mail_count(e.mail, "Trash"), 0);
	assert_int_equal(fake_mail_count(e.mail, "Trash/Below"), 1);
	(void)operation(a,
		arena_printf(a,
			"  itemoperations:EmptyFolderContents\n    airsync:CollectionId \"%s\"\n"
			"    itemoperations:Options\n      itemoperations:DeleteSubFolders\n",
			trash)
			.p);
	story_must(phone_folder_sync(&p), &p);
	assert_null(phone_folder_named(&p, "Below"));
	text = operation(a, "  itemoperations:EmptyFolderContents\n"
			    "    airsync:CollectionId \"4711\"\n");
	assert_non_null(strstr(text, "itemoperations:Status \"6\""));
	end();
	arena_free(a);
}

/* C64, [MS-ASCMD] 2.2.3.177.9 */
static void test_a_move_that_is_none_has_its_status(void **state UNUSED)
{
	struct arena *a = arena_new();
	const char *text;

	begin();
	text = operation(a, "  itemoperations:Move\n    itemoperations:ConversationId x\"00\"\n"
			    "    itemoperations:DstFldId \"1\"\n");
	assert_non_null(strstr(text, "itemoperations:Status \"155\""));
	text = operation(
		a, arena_printf(a,
			   "  itemoperations:Move\n    itemoperations:ConversationId x\"00\"\n"
			   "    itemoperations:DstFldId \"%s\"\n    itemoperations:Options\n"
			   "      itemoperations:MoveAlways\n",
			   phone_folder(&p, STORY_TRASH)->id)
			   .p);
	assert_non_null(strstr(text, "itemoperations:Status \"6\""));
	end();
	arena_free(a);
}

/* C65 */
static void test_a_schema_chooses_properties(void **state UNUSED)
{
	struct arena *a = arena_new();
	const char *text;

	begin();
	(void)fake_mail_add_simple(e.mail, "INBOX", 0, 0, "chosen");
	text = operation(
		a, arena_printf(a,
			   "  itemoperations:Fetch\n    itemoperations:Store \"Mailbox\"\n"
			   "    airsync:CollectionId \"%s\"\n    airsync:ServerId \"%s:1\"\n"
			   "    itemoperations:Options\n      itemoperations:Schema\n"
			   "        email:Subject\n        email:Flag\n",
			   phone_folder(&p, STORY_INBOX)->id, phone_folder(&p, STORY_INBOX)->id)
			   .p);
	assert_non_null(strstr(text, "email:Subject \"chosen\""));
	assert_non_null(strstr(text, "email:Flag"));
	assert_null(strstr(text, "email:From"));
	assert_null(strstr(text, "airsyncbase:Body"));
	end();
	arena_free(a);
}

/* C16: a mail that is too large for memory goes through whole. */
static void test_a_large_mail_is_streamed(void **state UNUSED)
{
	enum { LINES = 60000 };
	struct arena *a = arena_new();
	const struct elem *answer;
	struct str data;
	struct buf b;

	buf_init(&b, BUF_MAX_RESPONSE);
	buf_adds(&b, "Subject: large\n\n");
	for (unsigned i = 0; i < LINES; i++)
		buf_addf(&b, "line %05u with an umlaut \xc3\xbc and a broken one \xfc\n", i);
	begin();
	(void)fake_mail_add(e.mail, "INBOX", 0, 0, b.p);
	answer = phone_post(&p, "ItemOperations",
		arena_printf(a,
			"itemoperations:ItemOperations\n  itemoperations:Fetch\n"
			"    itemoperations:Store \"Mailbox\"\n"
			"    airsync:CollectionId \"%s\"\n    airsync:ServerId \"%s:1\"\n"
			"    itemoperations:Options\n      airsync:MIMESupport \"2\"\n"
			"      airsyncbase:BodyPreference\n        airsyncbase:Type \"4\"\n",
			phone_folder(&p, STORY_INBOX)->id, phone_folder(&p, STORY_INBOX)->id)
			.p);
	answer = elem_child(elem_child(answer, ITEMOPERATIONS_RESPONSE), ITEMOPERATIONS_FETCH);
	answer = elem_child(elem_child(answer, ITEMOPERATIONS_PROPERTIES), AIRSYNCBASE_BODY);
	data = elem_text(answer, AIRSYNCBASE_DATA);
	/* CRLF, and the broken character as U+FFFD. */
	assert_int_equal(data.n, b.n + LINES + 2 + 2 * LINES);
	assert_int_equal(
		str_search(data, STR("line 59999 with an umlaut \xc3\xbc")) < data.n, 1);
	assert_false(elem_has(answer, AIRSYNCBASE_TRUNCATED));
	buf_release(&b);
	end();
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_folder_is_emptied),
		cmocka_unit_test(test_a_move_that_is_none_has_its_status),
		cmocka_unit_test(test_a_schema_chooses_properties),
		cmocka_unit_test(test_a_large_mail_is_streamed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
