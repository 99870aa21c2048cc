/*
 * What processes of a host say to the waiter: packets, and what is not one.
 */
#include "store/waiter/link.h"

#include "core/base/varint.h"
#include "fcgi/parking.h"
#include "fcgi/replay.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static struct wait_folder folders[] = {
	{1,	     {"1", sizeof("1") - 1},                   0,          0         },
	{INT64_MAX,     {"collection", sizeof("collection") - 1}, UINT64_MAX, UINT32_MAX},
	{7000000000000, {"", sizeof("") - 1},                     127,        128       },
};

static const struct link_wait full = {
	.wait = {.kind = WAIT_SYNC,
		 .additions = true,
		 .covered = true,
		 .poll = 60,
		 .hierarchy_seq = 1ull << 63,
		 .v = folders,
		 .n = ARRAY_LEN(folders)},
	.account = 3,
	.device = INT64_MAX,
	.request_id = 65535,
	.began = 1,
	.until = 3540001,
	.looked = 2,
	.request = {"with\0NUL",        8},
};

static void assert_same(const struct link_wait *x, const struct link_wait *y)
{
	assert_int_equal(x->wait.kind, y->wait.kind);
	assert_int_equal(x->wait.additions, y->wait.additions);
	assert_int_equal(x->wait.covered, y->wait.covered);
	assert_int_equal(x->wait.poll, y->wait.poll);
	assert_true(x->wait.hierarchy_seq == y->wait.hierarchy_seq);
	assert_int_equal(x->account, y->account);
	assert_int_equal(x->device, y->device);
	assert_int_equal(x->request_id, y->request_id);
	assert_int_equal(x->began, y->began);
	assert_int_equal(x->until, y->until);
	assert_int_equal(x->looked, y->looked);
	assert_true(str_eq(x->request, y->request));
	assert_int_equal(x->wait.n, y->wait.n);
	for (size_t i = 0; i < x->wait.n; i++) {
		assert_int_equal(x->wait.v[i].row, y->wait.v[i].row);
		assert_true(str_eq(x->wait.v[i].id, y->wait.v[i].id));
		assert_true(x->wait.v[i].seq == y->wait.v[i].seq);
		assert_int_equal(x->wait.v[i].uidnext, y->wait.v[i].uidnext);
	}
}

static void test_a_wait_arrives_as_it_was_sent(void **state UNUSED)
{
	const struct link_wait empty = {
		.request = {"", 0}
        };
	const struct link_wait *const cases[] = {&full, &empty};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct arena *a = arena_new();
		struct link_wait w;
		struct buf b;

		buf_init(&b, LINK_PACKET_MAX);
		link_wait_encode(cases[i], &b);
		assert_int_equal(link_wait_decode(buf_str(&b), a, &w), RC_OK);
		assert_same(&w, cases[i]);
		buf_release(&b);
		arena_free(a);
	}
}

static void test_a_packet_that_was_cut_is_refused(void **state UNUSED)
{
	struct arena *a = arena_new();
	struct link_wait w;
	struct buf b;

	buf_init(&b, LINK_PACKET_MAX);
	link_wait_encode(&full, &b);
	for (size_t n = 0; n < b.n; n++)
		assert_int_equal(
			link_wait_decode(str_sub(buf_str(&b), 0, n), a, &w), RC_INVALID);
	buf_release(&b);
	arena_free(a);
}

/* More folders than bytes, or a text longer than the packet: no memory is taken for it. */
static void test_numbers_too_large_are_refused(void **state UNUSED)
{
	struct arena *a = arena_new();
	struct link_wait w;
	struct buf b;

	buf_init(&b, LINK_PACKET_MAX);
	for (unsigned i = 0; i < 11; i++)
		varint_put(&b, 1);
	varint_put_str(&b, STR("request"));
	varint_put(&b, 1ull << 60);
	assert_int_equal(link_wait_decode(buf_str(&b), a, &w), RC_INVALID);
	buf_reset(&b);
	for (unsigned i = 0; i < 11; i++)
		varint_put(&b, 1);
	varint_put(&b, UINT64_MAX);
	assert_int_equal(link_wait_decode(buf_str(&b), a, &w), RC_INVALID);
	buf_release(&b);
	arena_free(a);
}

static const char *param(void *ctx UNUSED, const char *name)
{
	return strcmp(name, "HTTP_AUTHORIZATION") == 0 ? "Basic eDp5"
	       : strcmp(name, "QUERY_STRING") == 0     ? ""
						       : NULL;
}

static void test_a_request_is_run_again_as_it_came(void **state UNUSED)
{
	struct replay r;
	struct buf b;

	buf_init(&b, BUF_MAX_LINE);
	replay_pack(param, NULL, (struct str){"\3\1j\0", 4}, &b);
	assert_int_equal(replay_unpack(buf_str(&b), &r), RC_OK);
	assert_string_equal(replay_param(&r, "HTTP_AUTHORIZATION"), "Basic eDp5");
	/* Empty, and not there, are two things. */
	assert_string_equal(replay_param(&r, "QUERY_STRING"), "");
	assert_null(replay_param(&r, "HTTP_HOST"));
	assert_string_equal(replay_param(&r, "REQUEST_METHOD"), "POST");
	assert_true(str_eq(r.body, (struct str){"\3\1j\0", 4}));
	for (size_t n = 0; n < b.n; n++)
		assert_int_equal(replay_unpack(str_sub(buf_str(&b), 0, n), &r), RC_INVALID);
	/* A variable without its end would be read beyond the packet. */
	buf_reset(&b);
	for (unsigned i = 0; i < REPLAY_VARIABLES; i++)
		varint_put_str(&b, STR("x"));
	varint_put_str(&b, STR("body"));
	assert_int_equal(replay_unpack(buf_str(&b), &r), RC_INVALID);
	buf_release(&b);
}

static void test_a_descriptor_comes_along(void **state UNUSED)
{
	int s[2], p[2], fd;
	struct str body;
	struct buf b;
	char c;

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, s), 0);
	assert_int_equal(pipe(p), 0);
	buf_init(&b, 2 * LINK_PACKET_MAX);
	assert_int_equal(link_receive(s[1], 0, &b, &body, &fd), 0);
	assert_true(link_trusted(s[1]));
	assert_true(link_send(s[0], LINK_PARK, STR("hello"), p[1]));
	assert_true(link_send(s[0], LINK_TAKE, STR(""), -1));
	assert_int_equal(link_receive(s[1], 1000, &b, &body, &fd), LINK_PARK);
	assert_true(str_is(body, "hello"));
	assert_int_equal(write(fd, "!", 1), 1);
	assert_int_equal(read(p[0], &c, 1), 1);
	(void)close(fd);
	assert_int_equal(link_receive(s[1], 1000, &b, &body, &fd), LINK_TAKE);
	assert_int_equal(body.n, 0);
	assert_int_equal(fd, -1);
	(void)close(s[0]);
	assert_true(link_receive(s[1], 1000, &b, &body, &fd) < 0);
	assert_false(link_send(s[1], LINK_NONE, STR(""), -1));
	(void)close(s[1]);
	(void)close(p[0]);
	(void)close(p[1]);
	buf_release(&b);
}

static void test_one_listens_and_a_file_is_no_socket(void **state UNUSED)
{
	char dir[] = "/tmp/easpool-link-XXXXXX", path[64];
	struct stat st;
	int s, c;
	FILE *f;

	assert_non_null(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/s", dir);
	assert_int_equal(link_open(path), -1);
	s = link_listen(path);
	assert_true(s >= 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(link_listen(path), -1);
	c = link_open(path);
	assert_true(c >= 0);
	(void)close(c);
	/* What somebody who died has left behind is replaced. */
	(void)close(s);
	s = link_listen(path);
	assert_true(s >= 0);
	(void)close(s);
	(void)unlink(path);
	f = fopen(path, "w");
	assert_non_null(f);
	(void)fclose(f);
	assert_int_equal(link_listen(path), -1);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(dir), 0);
}

/* A waiter that has one job, for one worker. */
static void give_one_job(int listening, const struct link_wait *w, const struct settings *conf)
{
	int s = accept(listening, NULL, NULL), tokens = eventfd(1, EFD_SEMAPHORE), fd;
	struct str body;
	struct buf in, out;

	buf_init(&in, 2 * LINK_PACKET_MAX);
	buf_init(&out, 2 * LINK_PACKET_MAX);
	varint_put(&out, link_identity(conf));
	(void)link_send(s, LINK_HELLO, buf_str(&out), tokens);
	buf_reset(&out);
	varint_put(&out, INT64_MAX);
	link_wait_encode(w, &out);
	if (link_receive(s, 5000, &in, &body, &fd) == LINK_TAKE)
		(void)link_send(s, LINK_JOB, buf_str(&out), tokens);
	buf_release(&in);
	buf_release(&out);
	_exit(0);
}

/* Also the longest wait that is handed over at all, with the longest number in front. */
static void test_a_job_says_when_it_was_woken(void **state UNUSED)
{
	char dir[] = "/tmp/easpool-link-XXXXXX", path[64];
	static char text[LINK_WAIT_MAX];
	struct link_wait w = full, taken;
	struct settings conf = {
		.host = {"", 0}
        };
	struct arena *a = arena_new();
	int listening, jobs, connection, fd, status = 0;
	struct parking *p;
	struct buf b;

	assert_non_null(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/s", dir);
	conf.waiter_socket = str_of(path);
	buf_init(&b, 2 * LINK_PACKET_MAX);
	w.request = (struct str){text, sizeof(text) - 1000};
	link_wait_encode(&w, &b);
	w.request.n += LINK_WAIT_MAX - b.n;
	listening = link_listen(path);
	assert_true(listening >= 0);
	if (fork() == 0)
		give_one_job(listening, &w, &conf);
	(void)close(listening);
	p = parking_new(&conf, NULL);
	parking_poll(p, &jobs, &connection);
	assert_true(jobs >= 0 && connection >= 0);
	assert_true(parking_take(p, a, &taken, &fd));
	assert_true(taken.noticed == INT64_MAX);
	assert_same(&taken, &w);
	assert_int_equal(close(fd), 0);
	/* The only token is taken. */
	(void)fcntl(jobs, F_SETFL, O_NONBLOCK);
	assert_false(parking_take(p, a, &taken, &fd));
	(void)wait(&status);
	assert_int_equal(status, 0);
	parking_free(p);
	arena_free(a);
	buf_release(&b);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(dir), 0);
}

/* A waiter of another easpool: exit code 0 when nobody gives it anything until it is told
 * (LINK_NONE) that this is all. */
static void be_foreign(int listening, const struct settings *conf)
{
	int tokens = eventfd(0, EFD_SEMAPHORE), fd, type = -1;
	struct str body;
	struct buf b;

	buf_init(&b, 2 * LINK_PACKET_MAX);
	while (type < 0) {
		int s = accept(listening, NULL, NULL);

		buf_reset(&b);
		varint_put(&b, link_identity(conf));
		(void)link_send(s, LINK_HELLO, buf_str(&b), tokens);
		type = link_receive(s, 10000, &b, &body, &fd);
		(void)close(s);
	}
	_exit(type == LINK_NONE ? 0 : 1);
}

/* Two easpools with one waiter_socket: a request, with the password in it, stays with its own.
 */
static void test_the_waiter_of_another_easpool_gets_nothing(void **state UNUSED)
{
	char dir[] = "/tmp/easpool-link-XXXXXX", path[64];
	struct settings ours = {.database = STR("dbname=ours"),
		.host = STR("here"),
		.imap_host = STR("mail"),
		.imap_port = 143};
	struct settings theirs[] = {ours, ours, ours, ours, ours};
	int status = 0, jobs, connection;

	theirs[0].database = STR("dbname=theirs");
	theirs[1].host = STR("there");
	theirs[2].imap_host = STR("post");
	theirs[3].imap_port = 993;
	/* The same letters, divided elsewhere. */
	theirs[4].host = STR("her");
	theirs[4].imap_host = STR("email");
	assert_non_null(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/s", dir);
	ours.waiter_socket = str_of(path);
	for (size_t i = 0; i < ARRAY_LEN(theirs); i++) {
		int listening = link_listen(path);
		struct parking *p = parking_new(&ours, NULL);

		assert_true(listening >= 0);
		if (fork() == 0)
			be_foreign(listening, &theirs[i]);
		(void)close(listening);
		assert_int_equal(parking_put(p, &full, STDIN_FILENO), PARKING_NOBODY);
		parking_end(p, full.device, full.began);
		parking_poll(p, &jobs, &connection);
		assert_true(jobs < 0 && connection < 0);
		connection = link_open(path);
		assert_true(link_send(connection, LINK_NONE, STR(""), -1));
		(void)wait(&status);
		(void)close(connection);
		assert_int_equal(status, 0);
		parking_free(p);
	}
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(dir), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_wait_arrives_as_it_was_sent),
		cmocka_unit_test(test_a_packet_that_was_cut_is_refused),
		cmocka_unit_test(test_numbers_too_large_are_refused),
		cmocka_unit_test(test_a_request_is_run_again_as_it_came),
		cmocka_unit_test(test_a_descriptor_comes_along),
		cmocka_unit_test(test_one_listens_and_a_file_is_no_socket),
		cmocka_unit_test(test_a_job_says_when_it_was_woken),
		cmocka_unit_test(test_the_waiter_of_another_easpool_gets_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
