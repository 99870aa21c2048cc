/*
 * The waiter, without workers, web server or database: what it says on its socket, and when it
 * lets a request be looked after.
 */
#include "core/base/clock.h"
#include "core/base/varint.h"
#include "core/settings.h"
#include "fcgi/replay.h"
#include "fcgi/waiter.h"
#include "store/waiter/link.h"
#include "tests/support_notices.h"

#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { WAITS = 20, PATIENCE_MS = 10000 };

static char dir[64], path[128];
static pid_t waiter;

static void reopen(const struct settings *conf UNUSED)
{
}

static int start(bool database)
{
	struct arena *a = arena_new();
	struct settings conf;
	struct err err = ERR_INIT;
	char text[256];

	(void)snprintf(dir, sizeof(dir), "/tmp/easpool-waiter-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	(void)snprintf(path, sizeof(path), "%s/socket", dir);
	(void)snprintf(
		text, sizeof(text), "waiter_socket = %s\ndatabase = host=%s\n", path, dir);
	if (settings_read(str_of(text), "test", &conf, a, &err))
		return -1;
	if (database)
		notices_up(dir);
	waiter = fork();
	if (waiter == 0)
		_exit(waiter_run(&(struct waiter_config){&conf, reopen, false}));
	arena_free(a);
	return waiter < 0 ? -1 : 0;
}

static int start_waiter(void **state UNUSED)
{
	return start(false);
}

static int start_waiter_and_database(void **state UNUSED)
{
	return start(true);
}

static int stop_waiter(void **state UNUSED)
{
	(void)kill(waiter, SIGTERM);
	(void)waitpid(waiter, NULL, 0);
	(void)unlink(path);
	return rmdir(dir);
}

static int stop_waiter_and_database(void **state)
{
	notices_down();
	return stop_waiter(state);
}

/* A connection to it, and the descriptor that tells of jobs. */
static int greet(int *tokens_r)
{
	struct buf in;
	struct str body;
	int s = -1;

	for (int i = 0; i < PATIENCE_MS / 20 && s < 0; i++) {
		s = link_open(path);
		if (s < 0)
			(void)poll(NULL, 0, 20);
	}
	assert_true(s >= 0);
	buf_init(&in, 2 * LINK_PACKET_MAX);
	assert_int_equal(link_receive(s, PATIENCE_MS, &in, &body, tokens_r), LINK_HELLO);
	buf_release(&in);
	return s;
}

/* A request that somebody has to look after in a second. */
static struct link_wait request(int64_t device)
{
	int64_t now = clock_mono_ms();

	return (struct link_wait){
		.wait = {.seconds = 600, .poll = 1},
		.account = device,
		.device = device,
		.request_id = 1,
		.began = now,
		.until = now + 600000,
		.looked = now
        };
}

/* Our end of its connection. */
static int park_it(int s, const struct link_wait *w)
{
	struct buf b;
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	buf_init(&b, LINK_PACKET_MAX);
	link_wait_encode(w, &b);
	assert_true(link_send(s, LINK_PARK, buf_str(&b), ends[0]));
	buf_release(&b);
	(void)close(ends[0]);
	return ends[1];
}

static int park(int s, int64_t device)
{
	struct link_wait w = request(device);

	return park_it(s, &w);
}

/* Takes what there is like a worker, for each token one. Whether it was a job. */
static bool take(int s, int tokens)
{
	struct pollfd p = {.fd = tokens, .events = POLLIN};
	struct buf in;
	struct str body;
	uint64_t one;
	int type, fd;

	assert_int_equal(poll(&p, 1, PATIENCE_MS), 1);
	assert_int_equal(read(tokens, &one, sizeof(one)), sizeof(one));
	assert_true(link_send(s, LINK_TAKE, (struct str){"", 0}, -1));
	buf_init(&in, 2 * LINK_PACKET_MAX);
	type = link_receive(s, PATIENCE_MS, &in, &body, &fd);
	buf_release(&in);
	if (fd >= 0)
		(void)close(fd);
	assert_true(type == LINK_JOB || type == LINK_NONE);
	return type == LINK_JOB;
}

/* Each token that is too many is a worker that comes for nothing. A few may be: the waiter
 * counts anew each second, also while a worker is on its way. */
static void test_as_many_jobs_are_offered_as_there_are(void **state UNUSED)
{
	int tokens, s = greet(&tokens), ends[WAITS], jobs = 0, surplus = 0;
	uint64_t one;

	for (int i = 0; i < WAITS; i++)
		ends[i] = park(s, i + 1);
	while (jobs < WAITS) {
		bool job = take(s, tokens);

		jobs += job;
		surplus += !job;
	}
	while (read(tokens, &one, sizeof(one)) == (ssize_t)sizeof(one))
		surplus++;
	assert_in_range(surplus, 0, WAITS / 4);
	for (int i = 0; i < WAITS; i++)
		(void)close(ends[i]);
	(void)close(tokens);
	(void)close(s);
}

enum { MOVED = 5 };

/* Takes the next job and keeps its connection. */
static int take_and_keep(int s, int tokens, struct buf *packet)
{
	struct pollfd p = {.fd = tokens, .events = POLLIN};
	struct buf in;
	struct str body;
	uint64_t number;
	int fd = -1;

	buf_init(&in, 2 * LINK_PACKET_MAX);
	while (fd < 0) {
		assert_int_equal(poll(&p, 1, PATIENCE_MS), 1);
		if (read(tokens, &number, sizeof(number)) != (ssize_t)sizeof(number))
			continue;
		assert_true(link_send(s, LINK_TAKE, (struct str){"", 0}, -1));
		(void)link_receive(s, PATIENCE_MS, &in, &body, &fd);
	}
	/* In front stands when it was woken. */
	assert_int_equal(varint_get(&body, &number), RC_OK);
	buf_init(packet, LINK_PACKET_MAX);
	buf_add_str(packet, body);
	buf_release(&in);
	return fd;
}

static size_t listed(int s)
{
	struct buf in;
	struct str body;
	size_t n = 0;
	int fd;

	buf_init(&in, 2 * LINK_PACKET_MAX);
	assert_true(link_send(s, LINK_LIST, (struct str){"", 0}, -1));
	while (link_receive(s, PATIENCE_MS, &in, &body, &fd) == LINK_WAITS)
		n++;
	buf_release(&in);
	return n;
}

/* Requests that workers had looked after wait again, under other numbers, and then their
 * devices hang up: each wait ends, and the waiter has nothing left of those that were before.
 */
static void test_what_a_worker_had_is_forgotten(void **state UNUSED)
{
	int tokens, s = greet(&tokens), ends[MOVED], fds[MOVED];
	struct buf packets[MOVED];

	for (int i = 0; i < MOVED; i++)
		ends[i] = park(s, i + 1);
	for (int i = 0; i < MOVED; i++)
		fds[i] = take_and_keep(s, tokens, &packets[i]);
	assert_int_equal(listed(s), 0);
	for (int i = MOVED; i-- > 0;) {
		assert_true(link_send(s, LINK_PARK, buf_str(&packets[i]), fds[i]));
		buf_release(&packets[i]);
	}
	assert_int_equal(listed(s), MOVED);
	for (int i = 0; i < MOVED; i++) {
		(void)close(ends[i]);
		/* As long as a worker has it, the waiter may still hear of it. */
		(void)poll(NULL, 0, 20);
		(void)close(fds[i]);
	}
	for (int i = 0; i < PATIENCE_MS / 20 && listed(s); i++)
		(void)poll(NULL, 0, 20);
	assert_int_equal(listed(s), 0);
	(void)close(tokens);
	(void)close(s);
}

/* What came on a connection that the waiter closed. */
static void answer(int end, struct buf *b)
{
	struct pollfd p = {.fd = end, .events = POLLIN};
	char bytes[4096];
	ssize_t n = 1;

	buf_init(b, BUF_MAX_LINE);
	while (n > 0) {
		assert_int_equal(poll(&p, 1, PATIENCE_MS), 1);
		n = read(end, bytes, sizeof(bytes));
		if (n > 0)
			buf_add(b, bytes, (size_t)n);
	}
	(void)close(end);
}

static bool holds(const struct buf *b, struct str what)
{
	return str_search(buf_str(b), what) < b->n;
}

/* Ping with Status 1, and with what comes before it in a document. */
#define NOTHING_NEW                                                                            \
	STR("\x45\x47\x03"                                                                     \
	    "1\0")

static void end_waits(int s, int64_t device, int64_t began)
{
	struct buf b;

	buf_init(&b, LINK_PACKET_MAX);
	varint_put(&b, (uint64_t)device);
	varint_put(&b, (uint64_t)began);
	assert_true(link_send(s, LINK_END, buf_str(&b), -1));
	buf_release(&b);
}

/* C167: LINK_END, from a request of the device that is answered at once. */
static void test_a_newer_request_ends_the_older_wait(void **state UNUSED)
{
	int tokens, s = greet(&tokens), ping, sync, other;
	struct link_wait w = request(1);
	struct buf b;

	ping = park_it(s, &w);
	other = park(s, 3);
	/* One that came before it, another device, and nonsense. */
	end_waits(s, 1, w.began - 1);
	end_waits(s, 2, w.began + 1);
	assert_true(link_send(s, LINK_END, STR("\xff"), -1));
	assert_int_equal(listed(s), 2);
	end_waits(s, 1, w.began + 1);
	answer(ping, &b);
	assert_true(holds(&b, STR("Status: 200")) && holds(&b, NOTHING_NEW));
	buf_release(&b);
	assert_int_equal(listed(s), 1);

	w = request(2);
	w.wait.kind = WAIT_SYNC;
	sync = park_it(s, &w);
	assert_int_equal(listed(s), 2);
	end_waits(s, 2, w.began);
	answer(sync, &b);
	assert_true(holds(&b, STR("Status: 200")) && holds(&b, STR("Content-Length: 0\r\n")));
	buf_release(&b);
	assert_int_equal(listed(s), 1);
	(void)close(other);
	(void)close(tokens);
	(void)close(s);
}

/* The same when the newer one waits as well; an older one that comes late does not. */
static void test_of_two_waits_of_a_device_the_newer_stays(void **state UNUSED)
{
	int tokens, s = greet(&tokens), first, second, late;
	struct link_wait w = request(1), newer = w;
	struct buf b;
	char c;

	first = park_it(s, &w);
	newer.began++;
	second = park_it(s, &newer);
	answer(first, &b);
	assert_true(holds(&b, NOTHING_NEW));
	buf_release(&b);
	late = park_it(s, &w);
	assert_int_equal(read(late, &c, 1), 0);
	(void)close(late);
	assert_int_equal(listed(s), 1);
	assert_int_equal(recv(second, &c, 1, MSG_DONTWAIT), -1);
	(void)close(second);
	(void)close(tokens);
	(void)close(s);
}

/* An http_param; ctx: the header with the credentials, or NULL. */
static const char *param(void *ctx, const char *name)
{
	return strcmp(name, "HTTP_AUTHORIZATION") == 0 ? ctx : NULL;
}

static enum rc ask_for(int64_t account, char *got, size_t size)
{
	struct arena *a = arena_new();
	struct secret password = {NULL, 0};
	struct err err = ERR_INIT;
	struct str login = STR_NONE;
	enum rc rc = link_credentials(path, account, a, &login, &password, &err);

	if (rc == RC_OK)
		(void)snprintf(
			got, size, "%.*s %.*s", STR_FMT(login), (int)password.n, password.p);
	secret_release(&password);
	arena_free(a);
	return rc;
}

/* LINK_ACCOUNT: what easlistend asks without a master user. */
static void test_the_password_of_an_account_that_waits(void **state UNUSED)
{
	/* ann@example.test:se:cret */
	static char header[] = "Basic YW5uQGV4YW1wbGUudGVzdDpzZTpjcmV0";
	int tokens, s = greet(&tokens), nobody, ann;
	struct link_wait w = request(7);
	char got[200] = "";
	struct buf b;

	assert_int_equal(ask_for(7, got, sizeof(got)), RC_ABSENT);
	/* One who came without a password (a certificate), and then one with it. */
	buf_init(&b, LINK_PACKET_MAX);
	replay_pack(param, NULL, STR(""), &b);
	w.request = buf_str(&b);
	nobody = park_it(s, &w);
	assert_int_equal(listed(s), 1);
	assert_int_equal(ask_for(7, got, sizeof(got)), RC_ABSENT);
	buf_reset(&b);
	replay_pack(param, header, STR(""), &b);
	w = request(8);
	w.account = 7;
	w.request = buf_str(&b);
	ann = park_it(s, &w);
	assert_int_equal(listed(s), 2);
	assert_int_equal(ask_for(7, got, sizeof(got)), RC_OK);
	assert_string_equal(got, "ann@example.test se:cret");
	assert_int_equal(ask_for(8, got, sizeof(got)), RC_ABSENT);
	/* It is gone with the device. */
	(void)close(ann);
	for (int i = 0; i < PATIENCE_MS / 20 && listed(s) > 1; i++)
		(void)poll(NULL, 0, 20);
	assert_int_equal(ask_for(7, got, sizeof(got)), RC_ABSENT);
	(void)close(nobody);
	(void)close(tokens);
	(void)close(s);
	buf_release(&b);
	(void)kill(waiter, SIGTERM);
	(void)waitpid(waiter, NULL, 0);
	assert_int_equal(ask_for(7, got, sizeof(got)), RC_UNAVAILABLE);
}

/* The waiter hears everything; and what it was sent before has been seen to. */
static int greet_hearing(int *tokens_r)
{
	int s = greet(tokens_r);

	assert_true(notices_awaited(PATIENCE_MS));
	/* The answer to the first may come from the same turn of its loop. */
	(void)listed(s);
	(void)listed(s);
	return s;
}

/* Whether a worker would get nothing. A token may be there nevertheless. */
static bool nothing_to_take(int s)
{
	struct buf in;
	struct str body;
	int type, fd;

	buf_init(&in, 2 * LINK_PACKET_MAX);
	assert_true(link_send(s, LINK_TAKE, (struct str){"", 0}, -1));
	type = link_receive(s, PATIENCE_MS, &in, &body, &fd);
	if (fd >= 0)
		(void)close(fd);
	buf_release(&in);
	return type == LINK_NONE;
}

/* The device whose request a worker gets next. */
static int64_t next_device(int s, int tokens)
{
	struct arena *a = arena_new();
	struct link_wait w;
	struct buf packet;
	int fd = take_and_keep(s, tokens, &packet);

	assert_int_equal(link_wait_decode(buf_str(&packet), a, &w), RC_OK);
	(void)close(fd);
	buf_release(&packet);
	arena_free(a);
	return w.device;
}

static struct wait_folder folder = {
	90, {"5", 1},
         0, 0
};

/* Waits for that folder; every change in it is told. */
static struct link_wait covered(int64_t device, int64_t poll_s)
{
	struct link_wait w = request(device);

	w.account = 9;
	w.wait.covered = true;
	w.wait.poll = poll_s;
	w.wait.v = &folder;
	w.wait.n = 1;
	/* After the waiter began to hear, which may have been in this very millisecond. */
	w.looked++;
	return w;
}

/* LINK_LOOK_FAILED: a server behind us does not answer. The device is looked after at its next
 * turn, though a listener tells of changes; and not for what was told already, which would be
 * at once, again and again. */
static void test_a_look_that_failed_is_made_later(void **state UNUSED)
{
	int tokens, s = greet_hearing(&tokens), quiet, failed, patient, seen;
	struct link_wait w = covered(1, 1);

	quiet = park_it(s, &w);
	w = covered(2, 1);
	w.looked = LINK_LOOK_FAILED;
	failed = park_it(s, &w);
	assert_int_equal(listed(s), 2);
	assert_int_equal(next_device(s, tokens), 2);
	assert_int_equal(listed(s), 1);
	(void)close(failed);

	/* A flag changes: whoever waits is woken, and who comes just now. */
	notices_tell("c 9 90 5 0 f");
	assert_int_equal(next_device(s, tokens), 1);
	(void)close(quiet);
	w = covered(3, 3600);
	seen = park_it(s, &w);
	assert_int_equal(next_device(s, tokens), 3);
	(void)close(seen);
	w = covered(4, 3600);
	w.looked = LINK_LOOK_FAILED;
	patient = park_it(s, &w);
	assert_int_equal(listed(s), 1);
	assert_true(nothing_to_take(s));
	/* The next one wakes it like all others. */
	notices_tell("c 9 90 6 0 f");
	assert_int_equal(next_device(s, tokens), 4);
	(void)close(patient);
	(void)close(tokens);
	(void)close(s);
}

/* Who was promised to be told is not looked after, until the promise is taken back ('u'). */
static void test_who_is_told_of_no_more_is_looked_after(void **state UNUSED)
{
	int tokens, s = greet_hearing(&tokens), told, other;
	struct link_wait w = covered(1, 1);

	told = park_it(s, &w);
	w = covered(2, 1);
	w.account = 10;
	other = park_it(s, &w);
	assert_int_equal(listed(s), 2);
	notices_tell("u 10");
	assert_int_equal(next_device(s, tokens), 2);
	assert_int_equal(listed(s), 1);
	notices_tell("u 9");
	assert_int_equal(next_device(s, tokens), 1);
	(void)close(told);
	(void)close(other);
	(void)close(tokens);
	(void)close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_as_many_jobs_are_offered_as_there_are, start_waiter, stop_waiter),
		cmocka_unit_test_setup_teardown(
			test_what_a_worker_had_is_forgotten, start_waiter, stop_waiter),
		cmocka_unit_test_setup_teardown(
			test_a_newer_request_ends_the_older_wait, start_waiter, stop_waiter),
		cmocka_unit_test_setup_teardown(test_of_two_waits_of_a_device_the_newer_stays,
			start_waiter, stop_waiter),
		cmocka_unit_test_setup_teardown(
			test_the_password_of_an_account_that_waits, start_waiter, stop_waiter),
		cmocka_unit_test_setup_teardown(test_a_look_that_failed_is_made_later,
			start_waiter_and_database, stop_waiter_and_database),
		cmocka_unit_test_setup_teardown(test_who_is_told_of_no_more_is_looked_after,
			start_waiter_and_database, stop_waiter_and_database),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
