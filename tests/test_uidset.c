/* uidset: sets of UIDs against a plain bitmap, and the edges of the number range. */
#include "core/base/uidset.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define UIDS 300

static void fill(struct uidset *s, bool *bits, unsigned *seed)
{
	for (int i = 0; i < 60; i++) {
		uint32_t first = 1 + (uint32_t)rand_r(seed) % (UIDS - 1);
		uint32_t last = first + (uint32_t)rand_r(seed) % 8;

		if (last >= UIDS)
			last = UIDS - 1;
		if (rand_r(seed) % 3 == 0) {
			uidset_remove(s, first);
			bits[first] = false;
			continue;
		}
		uidset_add_range(s, first, last);
		for (uint32_t u = first; u <= last; u++)
			bits[u] = true;
	}
}

static void check(const struct uidset *s, const bool *bits)
{
	uint64_t n = 0;

	for (uint32_t u = 1; u < UIDS; u++) {
		assert_int_equal(uidset_has(s, u), bits[u]);
		n += bits[u];
	}
	assert_int_equal(uidset_count(s), n);
	for (size_t i = 1; i < s->n; i++)
		assert_true(s->v[i].first > s->v[i - 1].last + 1);
}

static void test_operations_agree_with_a_bitmap(void **state)
{
	unsigned seed = 7;

	(void)state;
	for (int round = 0; round < 300; round++) {
		struct arena *a = arena_new();
		struct uidset x, y, r;
		bool bx[UIDS] = {false}, by[UIDS] = {false}, br[UIDS];
		CLEANUP(buf_release) struct buf b;
		struct str in;

		uidset_init(&x, a);
		uidset_init(&y, a);
		fill(&x, bx, &seed);
		fill(&y, by, &seed);
		check(&x, bx);

		r = uidset_copy(&x, a);
		uidset_union(&r, &y);
		for (int i = 0; i < UIDS; i++)
			br[i] = bx[i] || by[i];
		check(&r, br);
		r = uidset_copy(&x, a);
		uidset_subtract(&r, &y);
		for (int i = 0; i < UIDS; i++)
			br[i] = bx[i] && !by[i];
		check(&r, br);
		r = uidset_copy(&x, a);
		uidset_intersect(&r, &y);
		for (int i = 0; i < UIDS; i++)
			br[i] = bx[i] && by[i];
		check(&r, br);

		buf_init(&b, BUF_MAX_LINE);
		uidset_encode(&x, &b);
		in = buf_str(&b);
		uidset_init(&r, a);
		assert_int_equal(uidset_decode(&r, &in), RC_OK);
		assert_true(uidset_equal(&r, &x) && in.n == 0);
		if (!uidset_empty(&x)) {
			buf_reset(&b);
			uidset_format(&x, &b);
			uidset_init(&r, a);
			assert_int_equal(uidset_parse(&r, buf_str(&b), 1000), RC_OK);
			assert_true(uidset_equal(&r, &x));
		}
		arena_free(a);
	}
}

static void test_walks_and_greatest(void **state)
{
	struct arena *a = arena_new();
	struct uidset s, g;

	(void)state;
	uidset_init(&s, a);
	assert_int_equal(uidset_below(&s, UINT32_MAX + 1ull), 0);
	assert_int_equal(uidset_parse(&s, STR("3:5,9,4294967295"), 10), RC_OK);
	assert_int_equal(uidset_below(&s, UINT32_MAX + 1ull), UINT32_MAX);
	assert_int_equal(uidset_below(&s, UINT32_MAX), 9);
	assert_int_equal(uidset_below(&s, 5), 4);
	assert_int_equal(uidset_below(&s, 3), 0);
	assert_int_equal(uidset_above(&s, 0), 3);
	assert_int_equal(uidset_above(&s, 5), 9);
	assert_int_equal(uidset_above(&s, 9), UINT32_MAX);
	assert_int_equal(uidset_above(&s, UINT32_MAX), 0);
	g = uidset_greatest(&s, 3, a);
	assert_int_equal(uidset_count(&g), 3);
	assert_int_equal(uidset_min(&g), 5);
	g = uidset_greatest(&s, 100, a);
	assert_true(uidset_equal(&g, &s));
	arena_free(a);
}

static void test_bad_text_is_refused(void **state)
{
	static const char *const bad[] = {
		"", "0", "1:", ":1", "1,,2", "*", "1:*", "a", "1:2:3", "4294967296", "-1"};
	struct arena *a = arena_new();

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct uidset s;

		uidset_init(&s, a);
		assert_int_equal(uidset_parse(&s, str_of(bad[i]), 10), RC_INVALID);
	}
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_operations_agree_with_a_bitmap),
		cmocka_unit_test(test_walks_and_greatest),
		cmocka_unit_test(test_bad_text_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
