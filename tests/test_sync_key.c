#include "core/sync/sync_key.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* S4, C153: the last key and the one before it fit; nothing else does. */
static void test_only_the_last_two_keys_fit(void **state UNUSED)
{
	static const struct {
		const char *key;
		enum sync_key_fit fit;
	} cases[] = {
		{"0",             SYNC_KEY_ZERO    },
		{" 0 ",           SYNC_KEY_ZERO    },
		{"77-5",          SYNC_KEY_CURRENT },
		{"77-4",          SYNC_KEY_PREVIOUS},
		{"77-3",          SYNC_KEY_WRONG   },
		{"77-6",          SYNC_KEY_WRONG   },
		{"78-5",          SYNC_KEY_WRONG   },
		{"77-0",          SYNC_KEY_WRONG   },
		{"",              SYNC_KEY_WRONG   },
		{"-1",            SYNC_KEY_WRONG   },
		{"77",            SYNC_KEY_WRONG   },
		{"77-",           SYNC_KEY_WRONG   },
		{"77-5-1",        SYNC_KEY_WRONG   },
		{"77-4294967301", SYNC_KEY_WRONG   },
		{"{ab}1",         SYNC_KEY_WRONG   },
	};
	struct collection c = {.epoch = 77, .generation = 5};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_int_equal(sync_key_fit(str_of(cases[i].key), &c), cases[i].fit);
}

static void test_without_a_relationship_only_zero_fits(void **state UNUSED)
{
	struct collection c = {0};

	assert_int_equal(sync_key_fit(STR("0"), &c), SYNC_KEY_ZERO);
	assert_int_equal(sync_key_fit(STR("0-0"), &c), SYNC_KEY_WRONG);
	assert_int_equal(sync_key_fit(STR("1-1"), &c), SYNC_KEY_WRONG);
}

static void test_a_key_is_read_as_it_was_written(void **state UNUSED)
{
	struct arena *a = arena_new();
	struct collection c = {.epoch = sync_key_epoch(), .generation = 4294967295u};

	assert_int_equal(
		sync_key_fit(sync_key_format(a, c.epoch, c.generation), &c), SYNC_KEY_CURRENT);
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_only_the_last_two_keys_fit),
		cmocka_unit_test(test_without_a_relationship_only_zero_fits),
		cmocka_unit_test(test_a_key_is_read_as_it_was_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
