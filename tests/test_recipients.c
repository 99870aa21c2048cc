/*
 * The recipient information cache: whom the user has written to. [MS-ASCMD] 2.2.3.186.3.
 * C139
 */
#include "tests/support_eas.h"
#include "tests/support_story.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { RECIPIENTS = 19 };

static struct eas e;
static struct phone p;
static char key[64];

static void begin(const char *version, const char *conf)
{
	eas_init(&e, conf);
	eas_phone(&e, &p, "phone", version);
	story_must(phone_provision(&p) && phone_folder_sync(&p), &p);
	(void)snprintf(key, sizeof(key), "0");
}

static void end(void)
{
	phone_release(&p);
	eas_release(&e);
}

/* A Sync of the cache; its Collection in the answer, NULL when there is nothing new. */
static const struct elem *sync_cache(const char *lines)
{
	char text[2048];
	const struct elem *c;

	(void)snprintf(text, sizeof(text),
		"airsync:Sync\n  airsync:Collections\n    airsync:Collection\n"
		"      airsync:SyncKey \"%s\"\n      airsync:CollectionId \"RI\"\n%s",
		key, lines);
	c = phone_post(&p, "Sync", text);
	c = elem_child(elem_child(c, AIRSYNC_COLLECTIONS), AIRSYNC_COLLECTION);
	if (c && elem_u32(c, AIRSYNC_STATUS, 0) == 1)
		(void)snprintf(
			key, sizeof(key), "%.*s", STR_FMT(elem_text(c, AIRSYNC_SYNC_KEY)));
	return c;
}

static size_t commands(const struct elem *c, tag_t what)
{
	return elem_count(elem_child(c, AIRSYNC_COMMANDS), what);
}

static const struct elem *data(const struct elem *c, tag_t what)
{
	return elem_child(
		elem_child(elem_child(c, AIRSYNC_COMMANDS), what), AIRSYNC_APPLICATION_DATA);
}

static void test_those_who_were_written_to_are_told(void **state UNUSED)
{
	const struct elem *c;

	begin("14.1", "");
	assert_non_null(phone_folder(&p, RECIPIENTS));
	(void)sync_cache("");
	assert_null(sync_cache(""));
	story_must(phone_send(&p, "\"Bob Ross\" <Bob@Example.test>, " EAS_USER, "s", "b"), &p);
	c = sync_cache("");
	assert_int_equal(commands(c, AIRSYNC_ADD), 1);
	c = data(c, AIRSYNC_ADD);
	assert_true(str_is(elem_text(c, CONTACTS_EMAIL1_ADDRESS), "bob@example.test"));
	assert_true(str_is(elem_text(c, CONTACTS_FILE_AS), "Bob Ross"));
	assert_true(str_is(elem_text(c, CONTACTS_ALIAS), "bob"));
	assert_int_equal(elem_u32(c, CONTACTS_WEIGHTED_RANK, 0), 1);
	/* Once more, without a name: the one that is known stays. */
	story_must(phone_send(&p, "bob@example.test", "s", "b"), &p);
	c = sync_cache("");
	assert_int_equal(commands(c, AIRSYNC_CHANGE), 1);
	c = data(c, AIRSYNC_CHANGE);
	assert_int_equal(elem_u32(c, CONTACTS_WEIGHTED_RANK, 0), 2);
	assert_true(str_is(elem_text(c, CONTACTS_FILE_AS), "Bob Ross"));
	assert_null(sync_cache(""));
	end();
}

static void test_a_device_gets_as_many_as_it_wants(void **state UNUSED)
{
	static const char two[] = "      airsync:Options\n        airsync:MaxItems \"2\"\n";
	const struct elem *c;

	begin("14.1", "");
	(void)sync_cache(two);
	story_must(phone_send(&p, "a@x.test, b@x.test, c@x.test", "s", "b"), &p);
	story_must(phone_send(&p, "a@x.test, b@x.test", "s", "b"), &p);
	c = sync_cache(two);
	assert_int_equal(commands(c, AIRSYNC_ADD), 2);
	/* c overtakes one of them. */
	story_must(phone_send(&p, "c@x.test", "s", "b"), &p);
	story_must(phone_send(&p, "c@x.test", "s", "b"), &p);
	c = sync_cache("");
	assert_int_equal(commands(c, AIRSYNC_ADD), 1);
	assert_int_equal(commands(c, AIRSYNC_DELETE), 1);
	assert_true(
		str_is(elem_text(data(c, AIRSYNC_ADD), CONTACTS_EMAIL1_ADDRESS), "c@x.test"));
	assert_null(sync_cache(""));
	end();
}

/* GetItemEstimate with that in its Options. */
static const struct elem *estimate(const char *id, const char *sync_key, const char *options)
{
	char text[512];

	(void)snprintf(text, sizeof(text),
		"getitemestimate:GetItemEstimate\n  getitemestimate:Collections\n"
		"    getitemestimate:Collection\n      airsync:SyncKey \"%s\"\n"
		"      getitemestimate:CollectionId \"%s\"\n      airsync:Options\n%s",
		sync_key, id, options);
	return elem_child(phone_post(&p, "GetItemEstimate", text), GETITEMESTIMATE_RESPONSE);
}

/* [MS-ASCMD] 2.2.3.100: an estimate counts as many as are wanted, and elsewhere nobody may want
 * a number of items. */
static void test_estimates_know_how_many_are_wanted(void **state UNUSED)
{
	static const char two[] = "        airsync:MaxItems \"2\"\n";
	struct device_folder *inbox;
	const struct elem *r;

	begin("14.1", "");
	(void)sync_cache("");
	story_must(phone_send(&p, "a@x.test, b@x.test, c@x.test", "s", "b"), &p);
	r = estimate("RI", key, two);
	assert_int_equal(elem_u32(r, GETITEMESTIMATE_STATUS, 0), 1);
	assert_int_equal(elem_u32(elem_child(r, GETITEMESTIMATE_COLLECTION),
				 GETITEMESTIMATE_ESTIMATE, 0),
		2);
	inbox = phone_folder(&p, STORY_INBOX);
	story_must(phone_sync(&p, inbox, 10, ""), &p);
	r = estimate(inbox->id, inbox->key, two);
	assert_int_equal(elem_u32(r, GETITEMESTIMATE_STATUS, 0), 2);
	end();
}

static void test_nobody_but_the_server_writes_it(void **state UNUSED)
{
	const struct elem *c;

	begin("14.0", "");
	(void)sync_cache("");
	c = sync_cache("      airsync:Commands\n        airsync:Add\n"
		       "          airsync:ClientId \"x\"\n          airsync:ApplicationData\n"
		       "            contacts:FileAs \"X\"\n");
	c = elem_child(elem_child(c, AIRSYNC_RESPONSES), AIRSYNC_ADD);
	assert_int_equal(elem_u32(c, AIRSYNC_STATUS, 0), 4);
	assert_null(sync_cache(""));
	end();
}

static void test_old_versions_and_other_sites_have_none(void **state UNUSED)
{
	begin("12.1", "");
	assert_null(phone_folder(&p, RECIPIENTS));
	end();
	begin("14.1", "recipient_cache = no\n");
	assert_null(phone_folder(&p, RECIPIENTS));
	story_must(phone_send(&p, "bob@example.test", "s", "b"), &p);
	assert_int_equal(e.submitted, 1);
	end();
}

/* The mail is out, and its answer says so, whatever becomes of the cache. */
static void test_trouble_with_the_cache_holds_no_mail_up(void **state UNUSED)
{
	for (unsigned n = 1; n < 12; n++) {
		begin("14.1", "");
		fake_state_fail_after(e.state, n, false);
		story_must(phone_send(&p, "a@x.test, b@x.test", "s", "b"), &p);
		assert_int_equal(e.submitted, 1);
		end();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_those_who_were_written_to_are_told),
		cmocka_unit_test(test_a_device_gets_as_many_as_it_wants),
		cmocka_unit_test(test_estimates_know_how_many_are_wanted),
		cmocka_unit_test(test_nobody_but_the_server_writes_it),
		cmocka_unit_test(test_old_versions_and_other_sites_have_none),
		cmocka_unit_test(test_trouble_with_the_cache_holds_no_mail_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
