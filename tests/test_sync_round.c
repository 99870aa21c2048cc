/*
 * What is kept of a round for the case that its answer gets lost, in the form of today and in
 * those of before: a device that asks across an upgrade is answered.
 */
#include "core/base/varint.h"
#include "core/cmd/sync_part.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static struct arena *a;

static void add_answer(struct buf *b, const char *id, const char *server_id)
{
	varint_put(b, AIRSYNC_CHANGE);
	varint_put_str(b, str_of(id));
	varint_put(b, SYNC_CONFLICT);
	if (server_id)
		varint_put_str(b, str_of(server_id));
}

static void check(const struct sync_part *p, size_t n, const char *server_id)
{
	assert_true(str_is(p->before, "state"));
	assert_int_equal(p->nanswers, n);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(p->answers[i].what, AIRSYNC_CHANGE);
		assert_int_equal(p->answers[i].status, SYNC_CONFLICT);
		assert_true(str_eq(p->answers[i].server_id, str_of(server_id)));
	}
}

/* K16, C153 */
static void test_rounds_of_every_age_are_readable(void **state UNUSED)
{
	for (size_t n = 0; n < 4; n++)
		for (unsigned age = 0; age < 3; age++) {
			struct sync_part p = {.nanswers = 0};
			struct buf b;

			buf_init(&b, BUF_MAX_TEXT);
			varint_put_str(&b, STR("state"));
			varint_put(&b, n);
			for (size_t i = 0; i < n; i++)
				add_answer(&b, "2:17", age < 2 ? "9:1" : NULL);
			if (age == 0) {
				varint_put(&b, 1);
				varint_put(&b, 77);
			}
			assert_int_equal(sync_round_decode(buf_str(&b), &p, a), RC_OK);
			check(&p, n, age < 2 ? "9:1" : NULL);
			assert_int_equal(p.done != NULL, age == 0);
			buf_release(&b);
		}
}

static void test_what_was_kept_comes_back(void **state UNUSED)
{
	struct sync_answer answers[] = {
		{AIRSYNC_CHANGE, STR("2:17"), STR("9:1"), SYNC_CONFLICT}
        };
	uint64_t done[] = {1, UINT64_MAX};
	struct sync_part in = {.before = STR("state"),
		.answers = answers,
		.nanswers = 1,
		.done = done,
		.ndone = 2};
	struct sync_part out = {.nanswers = 0};
	struct str bytes = sync_round_encode(&in, a);

	assert_int_equal(sync_round_decode(bytes, &out, a), RC_OK);
	check(&out, 1, "9:1");
	assert_int_equal(out.ndone, 2);
	assert_true(out.done[1] == UINT64_MAX);
	/* Cut off anywhere it is refused. */
	for (size_t n = 0; n < bytes.n; n++) {
		enum rc rc = sync_round_decode(str_sub(bytes, 0, n), &out, a);

		if (rc == RC_OK && out.nanswers != 1)
			fail_msg("%zu octets were taken for a round", n);
	}
}

static int start(void **state UNUSED)
{
	a = arena_new();
	return 0;
}

static int end(void **state UNUSED)
{
	arena_free(a);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rounds_of_every_age_are_readable),
		cmocka_unit_test(test_what_was_kept_comes_back),
	};

	return cmocka_run_group_tests(tests, start, end);
}
