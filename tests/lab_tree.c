/*
 * The story of random changes in a whole tree of folders, by phones and by IMAP, with workers
 * killed on the way; on servers with and without QRESYNC and CONDSTORE. U17, U18, S4, S10, S11,
 * C52, C153, C161, C163, C164, requirements 3.15, 3.16, 3.18, 4.13.
 */
#include "tests/support_client.h"
#include "tests/support_lab.h"
#include "tests/support_story.h"
#include "tests/support_tree.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define USER "user01@example.test"

enum { PHONES = 2, ROUNDS = 60 };

static unsigned wanted(const char *name, unsigned otherwise)
{
	const char *text = getenv(name);

	return text ? (unsigned)strtoul(text, NULL, 10) : otherwise;
}

static void story(const char *capability)
{
	static struct phone phones[PHONES];
	static const char *const ids[PHONES] = {"tree1", "tree2"};
	static const char *const versions[PHONES] = {"12.1", "14.1"};
	unsigned rounds = wanted("EASPOOL_STORY_ROUNDS", ROUNDS), killed = 0;
	struct client c;
	size_t expected = 0;

	(void)setenv("EASPOOL_LAB_CAPABILITY", capability, 1);
	lab_up(2);
	client_open(&c, USER);
	story_seed(wanted("EASPOOL_STORY_SEED", 20261127));
	for (size_t i = 0; i < PHONES; i++) {
		phone_init(&phones[i], lab_get("EAS_URL"), USER, lab_get("LAB_PASSWORD"),
			ids[i], versions[i]);
		story_must(phone_provision(&phones[i]) && phone_folder_sync(&phones[i]),
			&phones[i]);
	}
	for (unsigned round = 0; round < rounds; round++) {
		tree_client_acts(c.mail, round, &expected);
		tree_count(c.mail, expected, round);
		if (story_choose(4) == 0) {
			lab_kill_a_worker(story_choose(100));
			killed++;
		}
		tree_phone_acts(
			&phones[story_choose(PHONES)], c.mail, round + 100000, &expected);
		tree_count(c.mail, expected, round);
	}
	for (size_t i = 0; i < PHONES; i++)
		tree_equal(&phones[i], c.mail, expected);
	print_message("%s: %u rounds, %u workers killed, %zu messages left\n",
		capability[0] ? capability : "all that there is", rounds, killed, expected);
	for (size_t i = 0; i < PHONES; i++)
		phone_release(&phones[i]);
	client_close(&c);
	lab_down();
}

static void test_trees_end_equal(void **state UNUSED)
{
	story("");
}

#define COMMON                                                                                 \
	"IMAP4rev1 LITERAL+ ENABLE NAMESPACE UIDPLUS MOVE LIST-EXTENDED LIST-STATUS ESEARCH "  \
	"SPECIAL-USE UNSELECT"

static void test_trees_end_equal_without_qresync(void **state UNUSED)
{
	story(COMMON " CONDSTORE");
}

static void test_trees_end_equal_without_condstore(void **state UNUSED)
{
	story(COMMON);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_trees_end_equal),
		cmocka_unit_test(test_trees_end_equal_without_qresync),
		cmocka_unit_test(test_trees_end_equal_without_condstore),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
