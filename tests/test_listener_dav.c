/*
 * Whom easlistend asks the CardDAV server for, and when; and what a list of collections says.
 */
#include "listener/dav_listing.h"
#include "listener/dav_plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { INTERVAL = 30000, START = 1000000 };

static struct dav_plan plan_of(unsigned accounts)
{
	struct dav_plan p = {.interval = INTERVAL};

	for (unsigned i = 1; i <= accounts; i++)
		dav_plan_take(&p, i, STR("ann@example.test"), START);
	dav_plan_sweep(&p);
	return p;
}

static struct dav_account *account(const struct dav_plan *p, int64_t id)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->v[i].id == id)
			return &p->v[i];
	return NULL;
}

/* Every one of them once in each interval, and about as many in each tenth of it. */
static void test_accounts_are_spread_over_the_interval(void **state UNUSED)
{
	enum { ACCOUNTS = 1000, ROUNDS = 3 };
	struct dav_plan p = plan_of(ACCOUNTS);
	unsigned tenths[10] = {0}, times[ACCOUNTS + 1] = {0};

	for (unsigned n = 0; n < ROUNDS * ACCOUNTS; n++) {
		struct dav_account *a = dav_plan_next(&p);

		assert_true(a->due >= START && a->due < START + ROUNDS * INTERVAL);
		assert_int_equal(times[a->id], (a->due - START) / INTERVAL);
		times[a->id]++;
		tenths[(a->due - START) % INTERVAL / (INTERVAL / 10)]++;
		assert_false(dav_plan_done(&p, a, a->due + 5));
	}
	for (unsigned i = 0; i < ARRAY_LEN(tenths); i++)
		assert_in_range(tenths[i], ROUNDS * 60, ROUNDS * 140);
	dav_plan_release(&p);
}

static void test_whoever_is_late_keeps_the_place(void **state UNUSED)
{
	struct dav_plan p = plan_of(1);
	struct dav_account *a = dav_plan_next(&p);
	int64_t due = a->due;

	assert_false(dav_plan_late(&p, a, due + INTERVAL));
	assert_true(dav_plan_late(&p, a, due + INTERVAL + 1));
	(void)dav_plan_done(&p, a, due + INTERVAL / 2);
	assert_int_equal(a->due, due + INTERVAL);
	/* What was missed is not made up for. */
	(void)dav_plan_done(&p, a, due + 5 * INTERVAL + 7);
	assert_int_equal(a->due, due + 6 * INTERVAL);
	dav_plan_skip(&p, a, a->due);
	assert_int_equal(a->due, due + 7 * INTERVAL);
	dav_plan_release(&p);
}

static void test_pauses_double_up_to_ten_minutes(void **state UNUSED)
{
	static const int64_t pauses[] = {60, 120, 240, 480, 600, 600, 600};
	struct dav_plan p = plan_of(2);
	struct dav_account *a = account(&p, 1), *other = account(&p, 2);
	int64_t due = other->due;

	for (unsigned i = 0; i < ARRAY_LEN(pauses); i++) {
		int64_t now = a->due + 3;

		if (i % 2)
			dav_plan_refused(&p, a, now);
		else
			(void)dav_plan_failed(&p, a, now);
		assert_int_equal(a->due, now + pauses[i] * 1000);
		assert_false(dav_plan_down(&p));
	}
	assert_int_equal(other->due, due);
	assert_ptr_equal(dav_plan_next(&p), other);
	assert_false(dav_plan_done(&p, a, a->due));
	dav_plan_refused(&p, a, START);
	assert_int_equal(a->due, START + 60000);
	/* Nobody is asked for more often because it fails. */
	dav_plan_interval(&p, 3600 * 1000, START);
	dav_plan_refused(&p, a, START);
	assert_int_equal(a->due, START + 3600 * 1000);
	dav_plan_release(&p);
}

static void test_after_an_outage_all_come_back_soon(void **state UNUSED)
{
	enum { ACCOUNTS = 50 };
	struct dav_plan p = plan_of(ACCOUNTS);
	int64_t now = START;
	unsigned told = 0;

	for (unsigned n = 0; n < 6 * ACCOUNTS; n++) {
		struct dav_account *a = dav_plan_next(&p);

		now = a->due > now ? a->due : now;
		told += dav_plan_failed(&p, a, now);
	}
	assert_int_equal(told, 1);
	assert_true(dav_plan_down(&p));
	now = dav_plan_next(&p)->due;
	assert_true(dav_plan_done(&p, dav_plan_next(&p), now));
	assert_false(dav_plan_down(&p));
	for (size_t i = 0; i < p.n; i++)
		assert_in_range(p.v[i].due, now, now + INTERVAL);
	assert_false(dav_plan_done(&p, dav_plan_next(&p), now));
	dav_plan_release(&p);
}

/* One that fails is no outage, and does not come back early when others are well. */
static void test_one_that_fails_is_no_outage(void **state UNUSED)
{
	struct dav_plan p = plan_of(2);
	struct dav_account *a = account(&p, 1), *other = account(&p, 2);

	for (unsigned i = 0; i < 10; i++) {
		int64_t due;

		assert_false(dav_plan_failed(&p, a, START));
		due = a->due;
		assert_false(dav_plan_done(&p, other, START));
		assert_int_equal(a->due, due);
	}
	dav_plan_release(&p);
}

static void test_who_waits_no_more_is_forgotten(void **state UNUSED)
{
	struct dav_plan p = plan_of(3);
	int64_t due = account(&p, 3)->due;

	dav_plan_take(&p, 3, STR("ann@example.test"), START + 5);
	dav_plan_take(&p, 7, STR("bob@example.test"), START + 5);
	dav_plan_take(&p, 5, STR("eve@example.test"), START + 5);
	dav_plan_sweep(&p);
	assert_int_equal(p.n, 3);
	assert_int_equal(p.v[0].id, 3);
	assert_int_equal(p.v[0].due, due);
	assert_int_equal(p.v[1].id, 5);
	assert_string_equal(p.v[1].login, "eve@example.test");
	assert_int_equal(p.v[2].id, 7);
	dav_plan_sweep(&p);
	assert_null(dav_plan_next(&p));
	dav_plan_release(&p);
}

static void test_a_shorter_interval_counts_at_once(void **state UNUSED)
{
	struct dav_plan p = plan_of(20);

	dav_plan_interval(&p, 1000, START);
	for (size_t i = 0; i < p.n; i++)
		assert_in_range(p.v[i].due, START, START + 999);
	dav_plan_release(&p);
}

static void test_collections_are_listed_every_tenth_round(void **state UNUSED)
{
	struct dav_plan p = plan_of(1);
	struct dav_account *a = account(&p, 1);
	unsigned n = 0;

	for (unsigned i = 0; i < 100; i++) {
		n += dav_plan_lists(&p, a, a->due);
		(void)dav_plan_done(&p, a, a->due);
	}
	assert_in_range(n, 9, 10);
	/* And every ten minutes when rounds are long. */
	dav_plan_interval(&p, 600 * 1000, a->due);
	for (unsigned i = n = 0; i < 10; i++) {
		n += dav_plan_lists(&p, a, a->due);
		(void)dav_plan_done(&p, a, a->due);
	}
	assert_in_range(n, 9, 10);
	dav_plan_release(&p);
}

static struct folder folder(const char *path, const char *name, enum folder_kind kind)
{
	return (struct folder){.kind = kind, .path = str_of(path), .name = str_of(name)};
}

static struct dav_collection listed(const char *path, const char *name)
{
	return (struct dav_collection){.path = str_of(path), .name = str_of(name)};
}

static void test_what_is_listed_is_known_or_not(void **state UNUSED)
{
	const struct folder v[] = {folder("/a/one/", "Contacts", FOLDER_CONTACTS),
		folder("/a/two/", "Contacts (2)", FOLDER_CONTACTS),
		folder("INBOX", "Inbox", FOLDER_MAIL)};
	struct dav_collection c[] = {listed("/a/two/", "Contacts"),
		listed("/a/one/", "Contacts"), listed("/a/three/", "More")};
	struct dav_collections list = {c, 2, false};
	uint64_t mark = dav_listing_mark(&list);

	assert_true(dav_listing_known(&list, FOLDER_CONTACTS, v, ARRAY_LEN(v)));
	assert_false(dav_listing_known(&list, FOLDER_TASKS, v, ARRAY_LEN(v)));
	assert_true(mark == dav_listing_mark(&list));
	list.n = 3;
	assert_false(dav_listing_known(&list, FOLDER_CONTACTS, v, ARRAY_LEN(v)));
	assert_true(mark != dav_listing_mark(&list));
	list.n = 1;
	assert_false(dav_listing_known(&list, FOLDER_CONTACTS, v, ARRAY_LEN(v)));
	assert_true(mark != dav_listing_mark(&list));
	list.n = 2;
	c[1] = listed("/a/one/", "Con");
	assert_false(dav_listing_known(&list, FOLDER_CONTACTS, v, ARRAY_LEN(v)));
	assert_true(mark != dav_listing_mark(&list));
	c[1] = listed("/a/oneC", "ontacts");
	assert_true(mark != dav_listing_mark(&list));
	list.n = 0;
	assert_true(dav_listing_known(&list, FOLDER_TASKS, v, ARRAY_LEN(v)));
	assert_true(dav_listing_mark(&list) != 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_accounts_are_spread_over_the_interval),
		cmocka_unit_test(test_whoever_is_late_keeps_the_place),
		cmocka_unit_test(test_pauses_double_up_to_ten_minutes),
		cmocka_unit_test(test_after_an_outage_all_come_back_soon),
		cmocka_unit_test(test_one_that_fails_is_no_outage),
		cmocka_unit_test(test_who_waits_no_more_is_forgotten),
		cmocka_unit_test(test_a_shorter_interval_counts_at_once),
		cmocka_unit_test(test_collections_are_listed_every_tenth_round),
		cmocka_unit_test(test_what_is_listed_is_known_or_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
