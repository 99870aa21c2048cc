/*
 * What a Sync may ask, and what it may not: empty and partial requests, options, limits, order.
 * U3, C145-C152, C156, C157, K12, and the Status values of [MS-ASCMD] 2.2.3.177.17.
 */
#include "tests/support_eas.h"
#include "tests/support_story.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static struct eas e;
static struct phone p;
static struct device_folder *inbox, *trash;
static struct arena *a;

static void begin(const char *version, const char *conf)
{
	a = arena_new();
	eas_init(&e, conf);
	for (unsigned i = 0; i < 3; i++) {
		char subject[16];

		(void)snprintf(subject, sizeof(subject), "mail %u", i);
		(void)fake_mail_add_simple(e.mail, "INBOX", 0, 1772532000, subject);
	}
	eas_phone(&e, &p, "phone", version);
	story_set_up(&p);
	inbox = phone_folder(&p, STORY_INBOX);
	trash = phone_folder(&p, STORY_TRASH);
}

static void end(void)
{
	phone_release(&p);
	eas_release(&e);
	arena_free(a);
}

/* A Sync of the inbox; behind: children of its Collection, indented by six; more: children of
 * Sync, indented by two. */
static const struct elem *sync(const char *behind, const char *more)
{
	return phone_post(&p, "Sync",
		arena_printf(a,
			"airsync:Sync\n  airsync:Collections\n    airsync:Collection\n"
			"      airsync:SyncKey \"%s\"\n      airsync:CollectionId \"%s\"\n%s%s",
			inbox->key, inbox->id, behind, more)
			.p);
}

static const struct elem *collection(const struct elem *answer)
{
	return elem_child(elem_child(answer, AIRSYNC_COLLECTIONS), AIRSYNC_COLLECTION);
}

static unsigned status(const struct elem *answer)
{
	return elem_u32(answer, AIRSYNC_STATUS, 0);
}

static unsigned status_of_collection(const struct elem *answer)
{
	return elem_u32(collection(answer), AIRSYNC_STATUS, 0);
}

static void take_key(const struct elem *answer)
{
	struct str key = elem_text(collection(answer), AIRSYNC_SYNC_KEY);

	assert_true(key.n > 0);
	(void)snprintf(inbox->key, sizeof(inbox->key), "%.*s", STR_FMT(key));
}

static size_t adds(const struct elem *answer)
{
	return elem_count(elem_child(collection(answer), AIRSYNC_COMMANDS), AIRSYNC_ADD);
}

/* C151, C152, U3 */
static void test_an_empty_request_repeats_the_last_one(void **state UNUSED)
{
	const struct elem *answer;

	begin("12.1", "");
	(void)sync("", "");
	assert_int_equal(p.answer_bytes, 0);
	(void)fake_mail_add_simple(e.mail, "INBOX", 0, 1772532000, "news");
	answer = phone_post(&p, "Sync", "");
	assert_int_equal(adds(answer), 1);
	/* The answer was lost: the same again, and once the phone has it, no more. */
	answer = phone_post(&p, "Sync", "");
	assert_int_equal(adds(answer), 1);
	take_key(answer);
	(void)sync("", "");
	assert_int_equal(p.answer_bytes, 0);
	(void)phone_post(&p, "Sync", "");
	assert_int_equal(p.answer_bytes, 0);
	end();
	/* Nothing to repeat: Status 13; up to 12.0 there is no such request. */
	eas_init(&e, "");
	a = arena_new();
	eas_phone(&e, &p, "phone", "14.1");
	story_must(phone_provision(&p) && phone_folder_sync(&p), &p);
	assert_int_equal(status(phone_post(&p, "Sync", "")), 13);
	p.version = "12.0";
	(void)phone_post(&p, "Sync", "");
	assert_int_equal(p.http, 400);
	end();
}

/* A request with commands is never repeated by an empty one. */
static void test_commands_are_not_kept(void **state UNUSED)
{
	begin("14.1", "");
	(void)sync("", "");
	take_key(sync(arena_printf(a,
			      "      airsync:Commands\n        airsync:Delete\n"
			      "          airsync:ServerId \"%s\"\n",
			      inbox->v[0].id)
			      .p,
		""));
	assert_int_equal(status(phone_post(&p, "Sync", "")), 13);
	assert_int_equal(
		status(phone_post(&p, "Sync",
			"airsync:Sync\n  airsync:Partial\n  airsync:WindowSize \"5\"\n")),
		13);
	end();
}

/* C148, U3: only what is different is sent. */
static void test_a_partial_request_changes_the_last_one(void **state UNUSED)
{
	const struct elem *answer;

	begin("12.1", "");
	(void)phone_post(&p, "Sync",
		arena_printf(a,
			"airsync:Sync\n  airsync:Collections\n"
			"    airsync:Collection\n      airsync:SyncKey \"%s\"\n"
			"      airsync:CollectionId \"%s\"\n"
			"    airsync:Collection\n      airsync:SyncKey \"%s\"\n"
			"      airsync:CollectionId \"%s\"\n",
			inbox->key, inbox->id, trash->key, trash->id)
			.p);
	assert_int_equal(p.answer_bytes, 0);
	assert_int_equal(
		status(phone_post(&p, "Sync", "airsync:Sync\n  airsync:Partial\n")), 13);
	for (unsigned i = 0; i < 4; i++)
		(void)fake_mail_add_simple(e.mail, "INBOX", 0, 1772532000, "news");
	(void)fake_mail_add_simple(e.mail, "Trash", 0, 1772532000, "rubbish");
	/* Only the window of one collection is new; the other is as it was. */
	answer = phone_post(&p, "Sync",
		arena_printf(a,
			"airsync:Sync\n  airsync:Partial\n  airsync:Collections\n"
			"    airsync:Collection\n      airsync:SyncKey \"%s\"\n"
			"      airsync:CollectionId \"%s\"\n      airsync:WindowSize \"3\"\n",
			inbox->key, inbox->id)
			.p);
	assert_int_equal(
		elem_count(elem_child(answer, AIRSYNC_COLLECTIONS), AIRSYNC_COLLECTION), 2);
	assert_int_equal(adds(answer), 3);
	assert_true(elem_has(collection(answer), AIRSYNC_MORE_AVAILABLE));
	take_key(answer);
	/* What it changed is kept for the next one. */
	answer = phone_post(&p, "Sync",
		arena_printf(a,
			"airsync:Sync\n  airsync:Collections\n    airsync:Collection\n"
			"      airsync:SyncKey \"%s\"\n      airsync:CollectionId \"%s\"\n"
			"  airsync:Partial\n",
			inbox->key, inbox->id)
			.p);
	assert_int_equal(adds(answer), 1);
	end();
}

/* [MS-ASCMD] 2.2.3.31.2 */
static void test_the_order_of_a_collection_matters(void **state UNUSED)
{
	static const char wrong[] =
		"airsync:Sync\n  airsync:Collections\n    airsync:Collection\n"
		"      airsync:CollectionId \"%s\"\n      airsync:SyncKey \"%s\"\n";

	begin("14.1", "");
	assert_int_equal(
		status(phone_post(&p, "Sync", arena_printf(a, wrong, inbox->id, inbox->key).p)),
		4);
	assert_int_equal(status(sync("      airsync:WindowSize \"5\"\n"
				     "      airsync:GetChanges\n",
				 "")),
		4);
	/* Those of Sync may come in any. */
	assert_int_equal(status(sync("", "  airsync:WindowSize \"5\"\n")), 0);
	/* Old phones never cared. */
	p.version = "2.5";
	assert_int_equal(status_of_collection(phone_post(
				 &p, "Sync", arena_printf(a, wrong, inbox->id, inbox->key).p)),
		1);
	end();
}

/* D5, requirements 4.9 */
static void test_limits_have_their_status(void **state UNUSED)
{
	struct buf b;

	begin("14.1", "ping_folders_max = 1\n");
	buf_init(&b, BUF_MAX_TEXT);
	buf_adds(&b, "      airsync:Commands\n");
	for (unsigned i = 0; i < 201; i++)
		buf_addf(&b, "        airsync:Fetch\n          airsync:ServerId \"%s:%u\"\n",
			inbox->id, i);
	assert_int_equal(status(sync(b.p, "")), 4);
	buf_release(&b);
	/* C150 */
	assert_int_equal(status(sync("", "  airsync:HeartbeatInterval \"10\"\n")), 14);
	assert_int_equal(
		elem_u32(sync("", "  airsync:HeartbeatInterval \"10\"\n"), AIRSYNC_LIMIT, 0),
		60);
	assert_int_equal(
		elem_u32(sync("", "  airsync:HeartbeatInterval \"9999\"\n"), AIRSYNC_LIMIT, 0),
		3540);
	assert_int_equal(elem_u32(sync("", "  airsync:Wait \"60\"\n"), AIRSYNC_LIMIT, 0), 59);
	assert_int_equal(elem_u32(sync("", "  airsync:Wait \"0\"\n"), AIRSYNC_LIMIT, 0), 1);
	assert_int_equal(
		status(sync("", "  airsync:Wait \"1\"\n  airsync:HeartbeatInterval \"60\"\n")),
		4);
	assert_int_equal(
		elem_u32(
			phone_post(&p, "Sync",
				arena_printf(a,
					"airsync:Sync\n  airsync:Collections\n"
					"    airsync:Collection\n      airsync:SyncKey \"%s\"\n"
					"      airsync:CollectionId \"%s\"\n"
					"    airsync:Collection\n      airsync:SyncKey \"%s\"\n"
					"      airsync:CollectionId \"%s\"\n"
					"  airsync:Wait \"1\"\n",
					inbox->key, inbox->id, trash->key, trash->id)
					.p),
			AIRSYNC_LIMIT, 0),
		1);
	end();
}

static void test_forbidden_combinations_are_refused(void **state UNUSED)
{
	begin("14.1", "");
	assert_int_equal(status_of_collection(sync("      airsync:Options\n"
						   "        airsync:FilterType \"8\"\n",
				 "")),
		4);
	/* Calendar periods mean all. */
	assert_int_equal(status_of_collection(sync("      airsync:Options\n"
						   "        airsync:FilterType \"7\"\n",
				 "")),
		0);
	assert_int_equal(status_of_collection(sync("      airsync:Options\n"
						   "        airsync:Class \"Email\"\n"
						   "      airsync:Options\n"
						   "        airsync:Class \"Email\"\n",
				 "")),
		4);
	/* One about SMS beside it is fine, and nothing comes of it. */
	assert_int_equal(status_of_collection(sync("      airsync:Options\n"
						   "        airsync:Class \"Email\"\n"
						   "      airsync:Options\n"
						   "        airsync:Class \"SMS\"\n",
				 "")),
		0);
	assert_int_equal(status(sync("      airsync:Options\n"
				     "        airsyncbase:BodyPartPreference\n"
				     "          airsyncbase:Type \"1\"\n",
				 "")),
		164);
	(void)snprintf(inbox->key, sizeof(inbox->key), "0");
	assert_int_equal(status_of_collection(sync("      airsync:GetChanges\n", "")), 4);
	assert_int_equal(status_of_collection(sync("", "")), 1);
	end();
}

/* Nothing is asked of the server, but commands are done. */
static void test_get_changes_0_brings_nothing(void **state UNUSED)
{
	const struct elem *answer;

	begin("14.1", "");
	(void)fake_mail_add_simple(e.mail, "INBOX", 0, 1772532000, "news");
	answer = sync(
		arena_printf(a,
			"      airsync:GetChanges \"0\"\n      airsync:Commands\n"
			"        airsync:Change\n          airsync:ServerId \"%s\"\n"
			"          airsync:ApplicationData\n            email:Read \"1\"\n",
			inbox->v[0].id)
			.p,
		"");
	assert_int_equal(status_of_collection(answer), 1);
	assert_int_equal(adds(answer), 0);
	take_key(answer);
	assert_int_equal(adds(sync("", "")), 1);
	end();
}

/* C146: the window of the whole request is shared. */
static void test_the_window_of_the_request_ends_it(void **state UNUSED)
{
	const struct elem *answer;

	begin("12.1", "");
	for (unsigned i = 0; i < 5; i++) {
		(void)fake_mail_add_simple(e.mail, "INBOX", 0, 1772532000, "news");
		(void)fake_mail_add_simple(e.mail, "Trash", 0, 1772532000, "news");
	}
	answer = phone_post(&p, "Sync",
		arena_printf(a,
			"airsync:Sync\n  airsync:Collections\n"
			"    airsync:Collection\n      airsync:SyncKey \"%s\"\n"
			"      airsync:CollectionId \"%s\"\n      airsync:WindowSize \"4\"\n"
			"    airsync:Collection\n      airsync:SyncKey \"%s\"\n"
			"      airsync:CollectionId \"%s\"\n      airsync:WindowSize \"4\"\n"
			"  airsync:WindowSize \"6\"\n",
			inbox->key, inbox->id, trash->key, trash->id)
			.p);
	assert_int_equal(adds(answer), 4);
	assert_true(elem_has(collection(answer), AIRSYNC_MORE_AVAILABLE));
	assert_int_equal(
		elem_count(elem_child(elem_again(collection(answer)), AIRSYNC_COMMANDS),
			AIRSYNC_ADD),
		2);
	assert_true(elem_has(elem_again(collection(answer)), AIRSYNC_MORE_AVAILABLE));
	end();
}

/* [MS-ASCMD] 2.2.3.36 */
static void test_conversation_mode_brings_whole_threads(void **state UNUSED)
{
	const struct elem *answer;
	const char *text;
	struct device_folder *f = NULL;

	begin("14.1", "");
	fake_mail_folder(e.mail, "Threads", MAIL_USE_NONE);
	(void)fake_mail_add(e.mail, "Threads", 0, 1600000000,
		"Subject: old root\nMessage-ID: <root@x>\n\nThe root.\n");
	(void)fake_mail_add(e.mail, "Threads", 0, 1600000000,
		"Subject: old other\nMessage-ID: <other@x>\n\nAnother.\n");
	(void)fake_mail_add(e.mail, "Threads", 0, time(NULL) - 60,
		"Subject: Re: root\nMessage-ID: <reply@x>\nReferences: <root@x>\n\nNew.\n");
	story_must(phone_folder_sync(&p), &p);
	f = phone_folder_named(&p, "Threads");
	inbox = f;
	take_key(sync("", ""));
	answer = sync("      airsync:ConversationMode \"1\"\n      airsync:Options\n"
		      "        airsync:FilterType \"1\"\n"
		      "        airsyncbase:BodyPreference\n          airsyncbase:Type \"1\"\n",
		"");
	text = eas_text(answer, a);
	assert_int_equal(adds(answer), 2);
	assert_non_null(strstr(text, "old root"));
	assert_null(strstr(text, "old other"));
	/* What is only there for the thread comes without its text. */
	assert_non_null(strstr(text, "New."));
	assert_null(strstr(text, "The root."));
	take_key(answer);
	/* Switched off, what the filter does not let through goes. */
	answer = sync("      airsync:Options\n        airsync:FilterType \"1\"\n", "");
	assert_int_equal(elem_count(elem_child(collection(answer), AIRSYNC_COMMANDS),
				 AIRSYNC_SOFT_DELETE),
		1);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_empty_request_repeats_the_last_one),
		cmocka_unit_test(test_commands_are_not_kept),
		cmocka_unit_test(test_a_partial_request_changes_the_last_one),
		cmocka_unit_test(test_the_order_of_a_collection_matters),
		cmocka_unit_test(test_limits_have_their_status),
		cmocka_unit_test(test_forbidden_combinations_are_refused),
		cmocka_unit_test(test_get_changes_0_brings_nothing),
		cmocka_unit_test(test_the_window_of_the_request_ends_it),
		cmocka_unit_test(test_conversation_mode_brings_whole_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
