/*
 * The waiter, without workers, web server or database: what it says on its socket.
 */
#include "core/base/clock.h"
#include "core/base/varint.h"
#include "core/settings.h"
#include "fcgi/waiter.h"
#include "store/waiter/link.h"

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

static int start_waiter(void **state UNUSED)
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
	waiter = fork();
	if (waiter == 0)
		_exit(waiter_run(&(struct waiter_config){&conf, reopen, false}));
	arena_free(a);
	return waiter < 0 ? -1 : 0;
}

static int stop_waiter(void **state UNUSED)
{
	(void)kill(waiter, SIGTERM);
	(void)waitpid(waiter, NULL, 0);
	(void)unlink(path);
	return rmdir(dir);
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

/* A request that somebody has to look after in a second. Our end of its connection. */
static int park(int s, int64_t device)
{
	int64_t now = clock_mono_ms();
	struct link_wait w = {
		.wait = {.seconds = 600, .poll = 1},
		.account = device,
		.device = device,
		.request_id = 1,
		.began = now,
		.until = now + 600000,
		.looked = now
        };
	struct buf b;
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	buf_init(&b, LINK_PACKET_MAX);
	link_wait_encode(&w, &b);
	assert_true(link_send(s, LINK_PARK, buf_str(&b), ends[0]));
	buf_release(&b);
	(void)close(ends[0]);
	return ends[1];
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_as_many_jobs_are_offered_as_there_are, start_waiter, stop_waiter),
		cmocka_unit_test_setup_teardown(
			test_what_a_worker_had_is_forgotten, start_waiter, stop_waiter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
