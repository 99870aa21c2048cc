/*
 * The waiter's tables, and what notices do to the requests in them.
 */
#include "fcgi/held.h"
#include "fcgi/wake.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum { START = 1000 * 1000, MOST = 16 };

static struct held_table *table;
static struct wake *wake;
static struct arena *scratch;
static int ends[MOST]; /* the web servers'; -1: none */
static char said[256]; /* "tell DEVICE FOLDER;look DEVICE direct FOLDER;" */

static void say(const char *what, const struct held *h, const char *how, uint32_t folder)
{
	size_t n = strlen(said);

	(void)snprintf(said + n, sizeof(said) - n, "%s %d %s%u;", what, (int)h->device, how,
		(unsigned)folder);
}

/* As the waiter does: who was told waits no more. */
static void tell(void *ctx UNUSED, struct held *h, uint32_t folder)
{
	say("tell", h, "", folder);
	held_drop(table, h);
}

static void look(void *ctx UNUSED, struct held *h, bool direct, uint32_t folder)
{
	say("look", h, direct ? "direct " : "", folder);
}

static void uncover(void *ctx UNUSED, struct held *h)
{
	say("uncover", h, "", 0);
}

static int begin(void **state UNUSED)
{
	const struct wake_ops ops = {NULL, tell, look, uncover};

	table = held_table_new(START);
	wake = wake_new(&ops);
	scratch = arena_new();
	for (unsigned i = 0; i < MOST; i++)
		ends[i] = -1;
	said[0] = '\0';
	return 0;
}

/* The last of a pair is closed when the other end was. */
static bool closed(unsigned device)
{
	char c;

	return recv(ends[device], &c, 1, MSG_DONTWAIT) == 0;
}

static int finish(void **state UNUSED)
{
	held_table_free(table);
	wake_free(wake);
	arena_free(scratch);
	for (unsigned i = 0; i < MOST; i++)
		if (ends[i] >= 0) {
			if (!closed(i))
				return -1;
			(void)close(ends[i]);
		}
	return 0;
}

/* Folders 10, 20 and 30, of which all that is before seq 5 and UID 100 is known. */
static struct link_wait a_wait(int64_t account, unsigned device)
{
	static struct wait_folder folders[] = {
		{10, {"ten", 3},    5, 100},
		{20, {"twenty", 6}, 5, 100},
		{30, {"thirty", 6}, 5, 100},
	};

	return (struct link_wait){
		.wait = {.v = folders, .n = ARRAY_LEN(folders), .hierarchy_seq = 5},
		.account = account,
		.device = device,
		.began = START,
		.until = START + 60000,
		.looked = START,
		.request = {"request",            7                          }
        };
}

static struct held *hold(const struct link_wait *w)
{
	struct held *h;
	struct buf b;
	int s[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, s), 0);
	ends[w->device] = s[0];
	buf_init(&b, LINK_PACKET_MAX);
	link_wait_encode(w, &b);
	h = held_add(table, buf_str(&b), s[1], scratch);
	assert_non_null(h);
	buf_release(&b);
	held_schedule(table, h);
	return h;
}

static struct held *hold_simple(int64_t account, unsigned device)
{
	struct link_wait w = a_wait(account, device);

	return hold(&w);
}

/* What a notice leads to. */
static void hear(const char *payload, int64_t now, const char *expected)
{
	said[0] = '\0';
	wake_event(wake, table, payload, now);
	assert_string_equal(said, expected);
}

/* --- wake */

static void test_a_delivered_mail_ends_the_wait_once(void **state UNUSED)
{
	(void)hold_simple(1, 1);
	(void)hold_simple(1, 2);
	(void)hold_simple(2, 3);
	hear("c 1 20 6 101 n", START, "tell 1 1;tell 2 1;");
	assert_int_equal(held_count(table), 1);
	assert_true(closed(1) && closed(2) && !closed(3));
	hear("c 1 20 7 102 n", START, "");
	held_sweep(table);
}

/* A notice, one waiting request, and what comes of it. */
static void test_notices_lead_to_an_answer_or_a_look(void **state UNUSED)
{
	static const struct {
		const char *name, *payload;
		bool sync, additions;
		const char *expected;
	} cases[] = {
		{"delivered",                       "c 1 10 6 101 n",  false, false, "tell 1 0;"       },
		{"delivered, UIDs not known",       "c 1 30 6 0 n",    false, false, "tell 1 2;"       },
		{"delivered, additions only",       "c 1 10 6 101 n",  false, true,  "tell 1 0;"       },
		{"delivered, for a Sync",           "c 1 10 6 101 n",  true,  false, "look 1 0;"       },
		{"delivered, which the device has", "c 1 10 6 100 n",  false, false, ""                },
		{"added",			   "c 1 20 6 101 a",  false, false, "look 1 direct 1;"},
		{"added, which the device has",     "c 1 20 6 100 a",  false, false, "look 1 1;"       },
		{"added, additions only",           "c 1 20 6 101 a",  false, true,  "look 1 direct 1;"},
		{"added, for a Sync",               "c 1 20 6 101 a",  true,  false, "look 1 1;"       },
		{"flags",			   "c 1 20 6 100 f",  false, false, "look 1 1;"       },
		{"flags, additions only",           "c 1 20 6 100 f",  false, true,  ""                },
		{"what was seen already",           "c 1 10 5 101 n",  false, false, ""                },
		{"what is older",                   "c 1 10 4 101 n",  false, false, ""                },
		{"a folder nobody waits for",       "c 1 40 6 101 n",  false, false, ""                },
		{"another account",                 "c 2 10 6 101 n",  false, false, ""                },
		{"folders",                         "h 1 6",           false, false, "look 1 0;"       },
		{"folders, for a Sync",             "h 1 6",           true,  false, "look 1 0;"       },
		{"folders, seen already",           "h 1 5",           false, false, ""                },
		{"folders of another account",      "h 2 6",           false, false, ""                },
		{"nothing",                         "",                false, false, ""                },
		{"half of it",                      "c 1 10 6",        false, false, ""                },
		{"no numbers",                      "c one ten 6 1 n", false, false, ""                },
		{"unheard of",                      "x 1 10 6 101 n",  false, false, ""                },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct link_wait w = a_wait(1, 1);

		assert_int_equal(begin(NULL), 0);
		w.wait.kind = cases[i].sync ? WAIT_SYNC : WAIT_PING;
		w.wait.additions = cases[i].additions;
		(void)hold(&w);
		wake_event(wake, table, cases[i].payload, START);
		if (strcmp(said, cases[i].expected) != 0)
			fail_msg("%s: \"%s\", not \"%s\"", cases[i].name, said,
				cases[i].expected);
		assert_int_equal(finish(NULL), 0);
	}
}

/* A device that moves a mail is not told of it as if it were a new one. */
static void test_what_a_device_does_itself_is_looked_at(void **state UNUSED)
{
	(void)hold_simple(1, 1);
	(void)hold_simple(1, 2);
	hear("d 1", START, "");
	hear("u 1", START, "uncover 1 0;uncover 2 0;");
	hear("d 99", START, "");
	hear("c 1 10 6 101 n", START + 1000, "look 1 0;tell 2 0;");
	hear("c 1 10 7 102 n", START + 59999, "look 1 0;");
	hear("c 1 10 8 103 n", START + 60000, "tell 1 0;");
	held_sweep(table);
}

static void test_what_was_heard_on_the_way_counts(void **state UNUSED)
{
	struct held *h;

	hear("c 1 20 6 101 n", START, "");
	hear("c 1 20 7 101 f", START + 1, "");
	/* It was looked at before, and is here only now. Not only a mail came: somebody must
	 * look, and what is new may be told if nobody does. */
	h = hold_simple(1, 1);
	wake_check(wake, h, START + 2);
	assert_string_equal(said, "look 1 direct 1;");
	held_sweep(table);
}

static void test_what_is_too_long_ago_is_forgotten(void **state UNUSED)
{
	struct held *h;

	hear("c 1 10 6 101 n", START, "");
	hear("h 1 6", START + 10000, "");
	wake_tick(wake, START + WAKE_MEMORY_MS);
	wake_tick(wake, START + WAKE_MEMORY_MS + 1);
	h = hold_simple(1, 1);
	wake_check(wake, h, START + WAKE_MEMORY_MS + 1);
	assert_string_equal(said, "look 1 0;");
	said[0] = '\0';
	wake_tick(wake, START + 2 * WAKE_MEMORY_MS);
	wake_check(wake, h, START + 2 * WAKE_MEMORY_MS);
	assert_string_equal(said, "");
}

static void test_what_was_seen_on_the_way_does_not(void **state UNUSED)
{
	struct link_wait w = a_wait(1, 1);
	struct wait_folder seen[] = {
		{10, {"ten", 3}, 7, 102}
        };

	hear("c 1 10 7 102 n", START, "");
	hear("h 1 7", START, "");
	hear("c 2 50 9 102 n", START, "");
	w.wait.v = seen;
	w.wait.n = 1;
	w.wait.hierarchy_seq = 7;
	wake_check(wake, hold(&w), START);
	assert_string_equal(said, "");
}

/* --- held */

/* The devices of an account in any order, as a set of bits. */
static unsigned devices_of(int64_t account)
{
	unsigned set = 0;

	for (struct held *h = held_of_account(table, account); h; h = h->next) {
		assert_int_equal(set & 1u << h->device, 0);
		set |= 1u << h->device;
	}
	return set;
}

/* Whichever goes, the others are still found; in every order. */
static void test_devices_of_an_account_go_in_any_order(void **state UNUSED)
{
	static const unsigned orders[][3] = {
		{1, 2, 3},
                {1, 3, 2},
                {2, 1, 3},
                {2, 3, 1},
                {3, 1, 2},
                {3, 2, 1}
        };

	for (size_t i = 0; i < ARRAY_LEN(orders); i++) {
		unsigned set = 2 | 4 | 8;

		for (unsigned d = 1; d <= 3; d++)
			(void)hold_simple(7, d);
		(void)hold_simple(8, 4);
		assert_int_equal(devices_of(7), set);
		for (unsigned k = 0; k < 3; k++) {
			unsigned d = orders[i][k];

			held_drop(table, held_of_device(table, d));
			set &= ~(1u << d);
			assert_true(closed(d));
			assert_null(held_of_device(table, d));
			assert_int_equal(devices_of(7), set);
			assert_int_equal(held_count(table), 3 - k);
			/* Nobody's key may be memory that is gone. */
			held_sweep(table);
			(void)close(ends[d]);
			ends[d] = -1;
		}
		held_drop(table, held_of_device(table, 4));
		held_sweep(table);
		(void)close(ends[4]);
		ends[4] = -1;
	}
}

static void test_one_is_dropped_once(void **state UNUSED)
{
	struct held *h = hold_simple(1, 1);

	held_drop(table, h);
	held_drop(table, h);
	held_sweep(table);
	assert_int_equal(held_count(table), 0);
}

static void test_a_broken_packet_is_not_held(void **state UNUSED)
{
	int s[2];
	char c;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, s), 0);
	assert_null(held_add(table, STR("nonsense"), s[1], scratch));
	assert_int_equal(recv(s[0], &c, 1, MSG_DONTWAIT), 0);
	assert_null(held_add(table, STR("nonsense"), -1, scratch));
	assert_int_equal(held_count(table), 0);
	(void)close(s[0]);
}

/* Who is due by then, in the order in which they come. */
static void assert_due(int64_t now, const char *expected)
{
	struct held *h;

	said[0] = '\0';
	while ((h = held_due(table, now)) != NULL)
		say("due", h, "", 0);
	assert_string_equal(said, expected);
}

static void plan(struct held *h, int64_t poll_at, int64_t until)
{
	h->poll_at = poll_at;
	h->until = until;
	held_schedule(table, h);
}

static void test_they_are_due_in_the_order_of_time(void **state UNUSED)
{
	struct held *h[5];

	for (unsigned d = 1; d <= 4; d++)
		h[d] = hold_simple(d, d);
	plan(h[1], 0, START + 9000);
	plan(h[2], START + 3000, START + 60000);
	plan(h[3], 0, START + 3001);
	plan(h[4], 0, START + 500);
	assert_due(START, "");
	assert_due(START + 499, "");
	/* Up to a second late, never early. */
	assert_due(START + 1000, "due 4 0;");
	assert_due(START + 2999, "");
	assert_due(START + 3000, "due 2 0;");
	/* Nobody is due twice, unless planned again. */
	assert_due(START + 3999, "");
	plan(h[2], START + 8000, START + 60000);
	assert_due(START + 20000, "due 3 0;due 2 0;due 1 0;");
	/* What should have been long ago comes next. */
	plan(h[1], 0, START);
	assert_due(START + 21000, "due 1 0;");
	held_drop(table, h[4]);
	held_sweep(table);
	assert_due(START + 70000, "");
}

/* The wheel has 4096 seconds: neither its end nor a time beyond a round is mistaken. */
static void test_the_wheel_goes_round(void **state UNUSED)
{
	enum { ROUND = 4096 * 1000 };
	struct held *h = hold_simple(1, 1), *other = hold_simple(2, 2);
	int64_t now = START;

	plan(h, 0, now + 3540 * 1000);
	plan(other, 0, now + ROUND + 904 * 1000);
	for (; now < START + 3540 * 1000; now += 1000)
		assert_due(now, "");
	assert_due(now, "due 1 0;");
	/* Over the end of the wheel. */
	plan(h, 0, now + 3540 * 1000);
	for (; now < START + ROUND + 904 * 1000; now += 1000)
		assert_due(now, "");
	assert_due(now, "due 2 0;");
	for (; now < START + 2 * 3540 * 1000; now += 1000)
		assert_due(now, "");
	assert_due(now, "due 1 0;");
	/* The host was asleep for days. */
	plan(h, 0, now + 5000);
	assert_due(now + 200 * (int64_t)ROUND, "due 1 0;");
}

static void count_one(void *ctx, struct held *h)
{
	*(unsigned *)ctx |= 1u << h->device;
	held_drop(table, h);
}

static void test_each_may_be_dropped_on_the_way(void **state UNUSED)
{
	unsigned set = 0;
	struct link_wait w;

	(void)hold_simple(1, 1);
	(void)hold_simple(1, 2);
	w = held_wait(hold_simple(2, 3), scratch);
	assert_int_equal(w.device, 3);
	assert_int_equal(w.wait.n, 3);
	assert_true(str_is(w.wait.v[1].id, "twenty"));
	held_each(table, count_one, &set);
	held_sweep(table);
	assert_int_equal(set, 2 | 4 | 8);
	assert_int_equal(held_count(table), 0);
}

#define WITH_TABLE(f) cmocka_unit_test_setup_teardown(f, begin, finish)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_TABLE(test_a_delivered_mail_ends_the_wait_once),
		cmocka_unit_test(test_notices_lead_to_an_answer_or_a_look),
		WITH_TABLE(test_what_a_device_does_itself_is_looked_at),
		WITH_TABLE(test_what_was_heard_on_the_way_counts),
		WITH_TABLE(test_what_is_too_long_ago_is_forgotten),
		WITH_TABLE(test_what_was_seen_on_the_way_does_not),
		WITH_TABLE(test_devices_of_an_account_go_in_any_order),
		WITH_TABLE(test_one_is_dropped_once),
		WITH_TABLE(test_a_broken_packet_is_not_held),
		WITH_TABLE(test_they_are_due_in_the_order_of_time),
		WITH_TABLE(test_the_wheel_goes_round),
		WITH_TABLE(test_each_may_be_dropped_on_the_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
