/*
 * Stories of phones over the fakes: random changes, lost answers, and the torture rule (every
 * backend call of a story fails once). After each the phone's model equals the mailbox.
 */
#include "core/base/clock.h"
#include "tests/support_eas.h"
#include "tests/support_story.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *const versions[] = {"2.5", "12.0", "12.1", "14.0", "14.1"};

/* S4, C153: answers get lost and backends fail while everybody changes things. */
/* S4, C32, B20073, requirements 3.16, 4.13 */
static void test_random_changes_end_with_equal_models(void **state UNUSED)
{
	for (unsigned run = 0; run < 40; run++) {
		static struct phone phones[2];
		struct eas e;
		struct mail *m;
		size_t expected = 0;

		story_seed(4711 + run);
		eas_init(&e, "");
		m = fake_mail_mail(e.mail);
		for (size_t i = 0; i < 2; i++) {
			eas_phone(&e, &phones[i], i ? "two" : "one",
				versions[(run + 2 * i) % ARRAY_LEN(versions)]);
			story_set_up(&phones[i]);
		}
		for (unsigned round = 0; round < 60; round++) {
			story_client_acts(m, round, &expected);
			if (story_choose(3) == 0)
				e.lose = 1 + story_choose(3);
			if (story_choose(3) == 0)
				fake_mail_fail_after(
					e.mail, 1 + story_choose(6), story_choose(2));
			if (story_choose(3) == 0)
				fake_state_fail_after(
					e.state, 1 + story_choose(6), story_choose(2));
			story_phone_acts(&phones[story_choose(2)]);
			fake_mail_fail_after(e.mail, 0, false);
			fake_state_fail_after(e.state, 0, false);
			e.lose = 0;
		}
		for (size_t i = 0; i < 2; i++) {
			story_equal(&phones[i], m, expected);
			phone_release(&phones[i]);
		}
		eas_release(&e);
	}
}

static void add_some(struct eas *e)
{
	for (unsigned i = 0; i < 5; i++) {
		char subject[32];

		(void)snprintf(subject, sizeof(subject), "mail %u", i);
		(void)fake_mail_add_simple(e->mail, "INBOX", 0, clock_now(), subject);
	}
}

/* A short story with everything in it. */
static void story(struct eas *e, struct phone *p)
{
	struct device_folder *inbox;

	add_some(e);
	story_set_up(p);
	inbox = phone_folder(p, STORY_INBOX);
	fake_mail_set_flags(e->mail, "INBOX", 2, MAIL_SEEN);
	fake_mail_expunge(e->mail, "INBOX", 3);
	story_change_and_delete(p, inbox, 2);
	story_must(phone_move(p, inbox, inbox->v[0].id, phone_folder(p, STORY_TRASH)), p);
	story_must(phone_send(p, "bob@example.test", "torture", "Hi."), p);
	story_must(phone_sync(p, inbox, 100, ""), p);
	story_must(phone_sync(p, phone_folder(p, STORY_TRASH), 100, ""), p);
}

enum torturer { FAIL_MAIL, FAIL_MAIL_LATE, FAIL_STATE, FAIL_STATE_LATE, LOSE, TORTURERS };

/* False when the story has fewer calls than n. */
static bool torture(const char *version, enum torturer how, unsigned n)
{
	static struct phone p;
	struct eas e;
	bool more = true;

	eas_init(&e, "");
	eas_phone(&e, &p, "tortured", version);
	switch (how) {
	case FAIL_MAIL:
	case FAIL_MAIL_LATE:
		fake_mail_fail_after(e.mail, n, how == FAIL_MAIL_LATE);
		break;
	case FAIL_STATE:
	case FAIL_STATE_LATE:
		fake_state_fail_after(e.state, n, how == FAIL_STATE_LATE);
		break;
	default:
		e.lose = n;
	}
	story(&e, &p);
	if (how == FAIL_MAIL || how == FAIL_MAIL_LATE)
		more = fake_mail_calls(e.mail) >= n;
	else if (how == LOSE)
		more = e.lose == 0;
	else
		more = fake_state_calls(e.state) >= n;
	/* A failure that the story was too short for is not for what follows. */
	fake_mail_fail_after(e.mail, 0, false);
	fake_state_fail_after(e.state, 0, false);
	e.lose = 0;
	story_equal(&p, fake_mail_mail(e.mail), 4);
	/* C45, C47: whatever happened, nothing goes out twice. The one window that no server
	 * can close is between the submission and the note that it was made. */
	if (how == FAIL_STATE || how == FAIL_STATE_LATE)
		assert_true(e.submitted == 1 || e.submitted == 2);
	else
		assert_int_equal(e.submitted, 1);
	phone_release(&p);
	eas_release(&e);
	return more;
}

/* B20073, B21033, C153 */
static void test_every_backend_call_may_fail_once(void **state UNUSED)
{
	unsigned runs = 0;

	for (size_t v = 0; v < ARRAY_LEN(versions); v++)
		for (int how = 0; how < TORTURERS; how++)
			for (unsigned n = 1; torture(versions[v], (enum torturer)how, n); n++)
				runs++;
	print_message("%u stories with one failure each\n", runs);
	assert_true(runs > 300);
}

/* A new UIDVALIDITY resyncs that folder and no other, C150. */
/* C162 */
static void test_a_folder_made_anew_is_synchronised_anew(void **state UNUSED)
{
	static struct phone p;
	struct device_folder *inbox;
	struct eas e;
	char commands[256];

	eas_init(&e, "");
	eas_phone(&e, &p, "anew", "14.1");
	add_some(&e);
	story_set_up(&p);
	inbox = phone_folder(&p, STORY_INBOX);
	assert_int_equal(inbox->n, 5);
	fake_mail_new_uidvalidity(e.mail, "INBOX");
	(void)snprintf(commands, sizeof(commands),
		"        airsync:Delete\n          airsync:ServerId \"%s\"\n", inbox->v[0].id);
	assert_false(phone_sync(&p, inbox, 10, commands));
	assert_non_null(strstr(p.error, "Status 3"));
	/* What the old ids meant was not touched in the new folder. */
	assert_int_equal(fake_mail_count(e.mail, "INBOX"), 5);
	(void)snprintf(inbox->key, sizeof(inbox->key), "0");
	inbox->n = 0;
	story_equal(&p, fake_mail_mail(e.mail), 5);
	phone_release(&p);
	eas_release(&e);
}

/* S7, 3.9: one mail that cannot be shown holds up nothing and is recorded. */
/* C168, B20449, requirements 3.17 */
static void test_a_mail_that_cannot_be_shown_is_skipped(void **state UNUSED)
{
	static struct phone p;
	struct device_folder *inbox;
	struct eas e;

	eas_init(&e, "");
	eas_phone(&e, &p, "skip", "14.1");
	add_some(&e);
	fake_mail_poison(e.mail, "INBOX", 3, true);
	story_set_up(&p);
	inbox = phone_folder(&p, STORY_INBOX);
	assert_int_equal(inbox->n, 4);
	assert_int_equal(fake_state_skipped(e.state), 0);
	story_must(phone_sync(&p, inbox, 10, ""), &p);
	assert_int_equal(fake_state_skipped(e.state), 1);
	story_must(phone_sync(&p, inbox, 10, ""), &p);
	assert_int_equal(inbox->n, 4);
	phone_release(&p);
	eas_release(&e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_changes_end_with_equal_models),
		cmocka_unit_test(test_every_backend_call_may_fail_once),
		cmocka_unit_test(test_a_folder_made_anew_is_synchronised_anew),
		cmocka_unit_test(test_a_mail_that_cannot_be_shown_is_skipped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
