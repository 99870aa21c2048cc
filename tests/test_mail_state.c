/*
 * The bytes that a device's copy of a folder is remembered in.
 */
#include "core/base/varint.h"
#include "core/sync/mail_state.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void fill(struct mail_state *st, struct arena *a)
{
	mail_state_init(st, a);
	st->mark = (struct mail_mark){7, 100, 50, 1ull << 40};
	st->filter = 3;
	uidset_add_range(&st->held, 1, 40);
	uidset_add(&st->pending, 99);
	uidset_add(&st->tried, 99);
	uidset_add(&st->skipped, 50);
}

static void test_what_is_written_is_read(void **state UNUSED)
{
	struct arena *a = arena_new();
	struct mail_state st, again;

	fill(&st, a);
	assert_int_equal(mail_state_decode(mail_state_encode(&st, a), &again, a), RC_OK);
	assert_int_equal(again.mark.modseq, 1ull << 40);
	assert_int_equal(again.filter, 3);
	assert_int_equal(uidset_count(&again.held), 40);
	assert_true(uidset_has(&again.tried, 99));
	assert_true(uidset_has(&again.skipped, 50));
	arena_free(a);
}

/* Devices that were there before the second try was: nobody has to start over. */
static void test_a_state_of_the_first_format_is_read(void **state UNUSED)
{
	struct arena *a = arena_new();
	struct mail_state st, again;
	struct uidset *sets[] = {&st.held, &st.seen, &st.flagged, &st.answered, &st.forwarded,
		&st.pending, &st.gone, &st.soft, &st.skipped};
	const uint64_t numbers[] = {1, 7, 100, 50, 9, 0, 3, 1700000000};
	struct buf b;

	fill(&st, a);
	buf_init(&b, BUF_MAX_LINE);
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
		varint_put(&b, numbers[i]);
	for (size_t i = 0; i < ARRAY_LEN(sets); i++)
		uidset_encode(sets[i], &b);
	assert_int_equal(mail_state_decode(buf_str(&b), &again, a), RC_OK);
	assert_int_equal(again.refreshed, 1700000000);
	assert_int_equal(uidset_count(&again.held), 40);
	assert_true(uidset_empty(&again.tried));
	assert_true(uidset_has(&again.skipped, 50));
	buf_release(&b);
	arena_free(a);
}

static void test_a_cut_or_foreign_state_is_refused(void **state UNUSED)
{
	struct arena *a = arena_new();
	struct mail_state st, again;
	struct str bytes;

	fill(&st, a);
	bytes = mail_state_encode(&st, a);
	for (size_t n = 0; n < bytes.n; n++)
		assert_int_equal(
			mail_state_decode(str_sub(bytes, 0, n), &again, a), RC_INVALID);
	assert_int_equal(mail_state_decode(STR("\x09\x01\x01"), &again, a), RC_INVALID);
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_written_is_read),
		cmocka_unit_test(test_a_state_of_the_first_format_is_read),
		cmocka_unit_test(test_a_cut_or_foreign_state_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
