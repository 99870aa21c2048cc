/*
 * Folders made, renamed and deleted by phones and by others: U17, C35, C36, C37, C80, C161, and
 * the Status values of [MS-ASCMD] 2.2.1.2 to 2.2.1.4.
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

static void begin(const char *version)
{
	eas_init(&e, "");
	eas_phone(&e, &p, "phone", version);
	story_must(phone_provision(&p) && phone_folder_sync(&p), &p);
}

static void end(void)
{
	phone_release(&p);
	eas_release(&e);
}

/* U17: what the phone did it is not told again, and the next FolderSync has nothing. */
static void test_a_phone_makes_renames_and_deletes_folders(void **state UNUSED)
{
	static const char *const versions[] = {"2.5", "12.0", "12.1", "14.0", "14.1"};

	for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
		char top[72], below[72];
		size_t before;

		begin(versions[i]);
		before = p.nfolders;
		assert_int_equal(phone_folder_create(&p, "0", "Projects & more"), 1);
		(void)snprintf(
			top, sizeof(top), "%s", phone_folder_named(&p, "Projects & more")->id);
		assert_int_equal(phone_folder_create(&p, top, "Old"), 1);
		(void)snprintf(below, sizeof(below), "%s", phone_folder_named(&p, "Old")->id);
		story_must(phone_folder_sync(&p), &p);
		assert_true(
			fake_mail_count(e.mail, "Projects & more/Old") == 0); /* it is there */
		(void)fake_mail_add_simple(e.mail, "Projects & more/Old", 0, 0, "inside");
		story_must(phone_sync(&p, phone_folder_named(&p, "Old"), 10, ""), &p);
		assert_int_equal(phone_folder_named(&p, "Old")->n, 1);
		/* C161: below a renamed folder nothing is sent afresh. */
		assert_int_equal(phone_folder_update(&p, top, "0", "Done"), 1);
		story_must(phone_folder_sync(&p), &p);
		assert_int_equal(fake_mail_count(e.mail, "Done/Old"), 1);
		assert_int_equal(phone_folder_update(&p, below, "0", "Older"), 1);
		assert_int_equal(fake_mail_count(e.mail, "Older"), 1);
		story_must(phone_sync(&p, phone_folder_named(&p, "Older"), 10, ""), &p);
		assert_int_equal(phone_folder_named(&p, "Older")->n, 1);
		assert_int_equal(phone_folder_update(&p, below, top, "Older"), 1);
		assert_int_equal(phone_folder_delete(&p, top), 1);
		assert_null(phone_folder_named(&p, "Older"));
		story_must(phone_folder_sync(&p), &p);
		assert_int_equal(p.nfolders, before);
		assert_int_equal(phone_folder_delete(&p, top), 4);
		end();
	}
}

static void test_every_refusal_has_its_status(void **state UNUSED)
{
	char inbox[72], a[72], b[72];

	begin("14.1");
	(void)snprintf(inbox, sizeof(inbox), "%s", phone_folder(&p, STORY_INBOX)->id);
	assert_int_equal(phone_folder_create(&p, "0", "A"), 1);
	(void)snprintf(a, sizeof(a), "%s", phone_folder_named(&p, "A")->id);
	assert_int_equal(phone_folder_create(&p, a, "B"), 1);
	(void)snprintf(b, sizeof(b), "%s", phone_folder_named(&p, "B")->id);
	assert_int_equal(phone_folder_create(&p, "0", "A"), 2);
	assert_int_equal(phone_folder_create(&p, "RI", "C"), 3);
	assert_int_equal(phone_folder_create(&p, "12345", "C"), 5);
	assert_int_equal(phone_folder_create(&p, "0", ""), 10);
	assert_int_equal(phone_folder_create(&p, "0", "a/b"), 10);
	assert_int_equal(phone_folder_update(&p, inbox, "0", "Outbox"), 2);
	assert_int_equal(phone_folder_update(&p, "12345", "0", "C"), 4);
	assert_int_equal(phone_folder_update(&p, a, "12345", "A"), 5);
	assert_int_equal(phone_folder_update(&p, a, b, "A"), 5);
	assert_int_equal(phone_folder_update(&p, a, "0", "Sent"), 2);
	assert_int_equal(phone_folder_update(&p, a, "0", ""), 10);
	assert_int_equal(phone_folder_delete(&p, inbox), 3);
	assert_int_equal(phone_folder_delete(&p, "12345"), 4);
	assert_int_equal(phone_folder_delete(&p, ""), 10);
	(void)snprintf(p.hierarchy_key, sizeof(p.hierarchy_key), "1-1");
	assert_int_equal(phone_folder_create(&p, "0", "D"), 9);
	assert_int_equal(phone_folder_update(&p, a, "0", "D"), 9);
	assert_int_equal(phone_folder_delete(&p, a), 9);
	end();
}

/* A default folder is not made by a device; classes that are not served are none. */
static void test_a_default_folder_cannot_be_made(void **state UNUSED)
{
	static const char *const types[] = {"2", "5", "8", "11", "18", "19", "99", ""};

	begin("14.1");
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		char document[512];
		const struct elem *answer;

		(void)snprintf(document, sizeof(document),
			"folderhierarchy:FolderCreate\n  folderhierarchy:SyncKey \"%s\"\n"
			"  folderhierarchy:ParentId \"0\"\n  folderhierarchy:DisplayName \"X\"\n"
			"  folderhierarchy:Type \"%s\"\n",
			p.hierarchy_key, types[i]);
		answer = phone_post(&p, "FolderCreate", document);
		assert_int_equal(elem_u32(answer, FOLDERHIERARCHY_STATUS, 0), 10);
		assert_false(elem_has(answer, FOLDERHIERARCHY_SYNC_KEY));
	}
	end();
}

/* The answer is lost, or the mail server's is: the phone asks again and it is done once. */
static void test_what_is_repeated_is_done_once(void **state UNUSED)
{
	char id[72];

	for (unsigned late = 0; late < 2; late++) {
		begin("12.1");
		e.lose = 1;
		assert_int_equal(phone_folder_create(&p, "0", "Once"), 1);
		(void)snprintf(id, sizeof(id), "%s", phone_folder_named(&p, "Once")->id);
		story_must(phone_folder_sync(&p), &p);
		e.lose = 1;
		assert_int_equal(phone_folder_update(&p, id, "0", "Twice"), 1);
		story_must(phone_folder_sync(&p), &p);
		assert_non_null(phone_folder_named(&p, "Twice"));
		e.lose = 1;
		assert_int_equal(phone_folder_delete(&p, id), 1);
		story_must(phone_folder_sync(&p), &p);
		end();
	}
}

/* The torture rule: the n-th call of the mail server, or of the database, fails. */
static bool tortured(unsigned n, bool database, bool late)
{
	char id[72];
	unsigned before;

	begin("14.1");
	before = fake_mail_calls(e.mail);
	if (database)
		fake_state_fail_after(e.state, n, late);
	else
		fake_mail_fail_after(e.mail, n, late);
	assert_int_equal(phone_folder_create(&p, "0", "One"), 1);
	(void)snprintf(id, sizeof(id), "%s", phone_folder_named(&p, "One")->id);
	assert_int_equal(phone_folder_create(&p, id, "Below"), 1);
	assert_int_equal(phone_folder_update(&p, id, "0", "Two"), 1);
	assert_int_equal(phone_folder_delete(&p, id), 1);
	if (!database && n > fake_mail_calls(e.mail) - before) {
		end();
		return false;
	}
	fake_mail_fail_after(e.mail, 0, false);
	fake_state_fail_after(e.state, 0, false);
	story_must(phone_folder_sync(&p), &p);
	assert_null(phone_folder_named(&p, "One"));
	assert_null(phone_folder_named(&p, "Two"));
	assert_null(phone_folder_named(&p, "Below"));
	assert_int_equal(p.nfolders, 5);
	end();
	return !database || n < 60;
}

static void test_trouble_at_any_call_does_no_harm(void **state UNUSED)
{
	for (unsigned k = 0; k < 4; k++)
		for (unsigned n = 1; tortured(n, k & 1, k & 2); n++)
			;
}

/* C36, C161: a folder that somebody else renames keeps its id and what the phone has of it. */
static void test_a_renaming_by_others_keeps_the_id(void **state UNUSED)
{
	struct device_folder *f;
	char id[72];

	begin("14.1");
	fake_mail_folder(e.mail, "Theirs", MAIL_USE_NONE);
	(void)fake_mail_add_simple(e.mail, "Theirs", 0, 0, "inside");
	story_must(phone_folder_sync(&p), &p);
	f = phone_folder_named(&p, "Theirs");
	(void)snprintf(id, sizeof(id), "%s", f->id);
	story_must(phone_sync(&p, f, 10, ""), &p);
	fake_mail_folder_rename(e.mail, "Theirs", "Ours");
	story_must(phone_folder_sync(&p), &p);
	f = phone_folder_named(&p, "Ours");
	assert_non_null(f);
	assert_string_equal(f->id, id);
	story_must(phone_sync(&p, f, 10, ""), &p);
	assert_int_equal(f->n, 1);
	end();
}

/* With a folder the phone forgets all that it saw below it; what somebody has taken out of it
 * meanwhile is there, and is told afresh. */
static void test_what_was_taken_out_of_a_deleted_folder_is_told_again(void **state UNUSED)
{
	begin("14.1");
	fake_mail_folder(e.mail, "Top", MAIL_USE_NONE);
	fake_mail_folder(e.mail, "Top/Kept", MAIL_USE_NONE);
	story_must(phone_folder_sync(&p), &p);
	fake_mail_folder_rename(e.mail, "Top/Kept", "Kept");
	{
		static struct phone other;

		eas_phone(&e, &other, "other", "14.1");
		story_must(phone_provision(&other) && phone_folder_sync(&other), &other);
		phone_release(&other);
	}
	assert_int_equal(phone_folder_delete(&p, phone_folder_named(&p, "Top")->id), 1);
	assert_null(phone_folder_named(&p, "Kept"));
	story_must(phone_folder_sync(&p), &p);
	assert_non_null(phone_folder_named(&p, "Kept"));
	end();
}

/* Two folders of one name under one parent: "Inbox" of the user's own beside INBOX. */
static void test_names_are_unique_under_one_parent(void **state UNUSED)
{
	eas_init(&e, "");
	fake_mail_folder(e.mail, "Inbox2", MAIL_USE_NONE);
	fake_mail_folder(e.mail, "TRASH", MAIL_USE_NONE);
	eas_phone(&e, &p, "phone", "14.1");
	story_must(phone_provision(&p) && phone_folder_sync(&p), &p);
	assert_non_null(phone_folder_named(&p, "Inbox"));
	assert_true((phone_folder_named(&p, "Trash") != NULL) ==
		    (phone_folder_named(&p, "TRASH (2)") != NULL));
	story_must(phone_folder_sync(&p), &p);
	end();
}

/* C80, B20975: up to 12.1, the mail folders with the ids of FolderSync. */
static void test_get_hierarchy_lists_the_mail_folders(void **state UNUSED)
{
	const struct elem *answer;

	begin("2.5");
	answer = phone_post(&p, "GetHierarchy", "");
	assert_non_null(answer);
	assert_int_equal(answer->tag, FOLDERHIERARCHY_FOLDERS);
	assert_int_equal(elem_count(answer, FOLDERHIERARCHY_FOLDER), p.nfolders);
	for (const struct elem *f = answer->child; f; f = f->next) {
		struct str id = elem_text(f, FOLDERHIERARCHY_SERVER_ID);
		bool known = false;

		for (size_t i = 0; i < p.nfolders; i++)
			known = known || str_is(id, p.folders[i].id);
		assert_true(known);
		assert_int_equal(f->child->tag, FOLDERHIERARCHY_DISPLAY_NAME);
	}
	p.version = "14.1";
	(void)phone_post(&p, "GetHierarchy", "");
	assert_int_equal(e.seen.status, 137);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_phone_makes_renames_and_deletes_folders),
		cmocka_unit_test(test_every_refusal_has_its_status),
		cmocka_unit_test(test_a_default_folder_cannot_be_made),
		cmocka_unit_test(test_what_is_repeated_is_done_once),
		cmocka_unit_test(test_trouble_at_any_call_does_no_harm),
		cmocka_unit_test(test_a_renaming_by_others_keeps_the_id),
		cmocka_unit_test(test_what_was_taken_out_of_a_deleted_folder_is_told_again),
		cmocka_unit_test(test_names_are_unique_under_one_parent),
		cmocka_unit_test(test_get_hierarchy_lists_the_mail_folders),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
