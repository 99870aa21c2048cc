/*
 * The pool, without any server behind it: start, stop, reload.
 */
#include "core/base/rc.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char dir[64], conf[128], sock[128];

static int make_folder(void **state UNUSED)
{
	FILE *f;

	(void)snprintf(dir, sizeof(dir), "/tmp/easpool-pool-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	(void)snprintf(conf, sizeof(conf), "%s/conf", dir);
	(void)snprintf(sock, sizeof(sock), "%s/sock", dir);
	f = fopen(conf, "w");
	if (!f)
		return -1;
	(void)fprintf(f,
		"listen = %s\nworkers = 1\nspool_dir = %s\nlog_file = %s/log\n"
		"waiter_socket = %s/waiter\n",
		sock, dir, dir, dir);
	return fclose(f);
}

static int remove_folder(void **state UNUSED)
{
	char log[128];

	(void)snprintf(log, sizeof(log), "%s/log", dir);
	(void)unlink(log);
	(void)snprintf(log, sizeof(log), "%s/waiter", dir);
	(void)unlink(log);
	(void)snprintf(log, sizeof(log), "%s/waiter.metrics", dir);
	(void)unlink(log);
	(void)unlink(sock);
	(void)unlink(conf);
	return rmdir(dir);
}

static pid_t start(void)
{
	char program[4096];
	const char *build = getenv("EASPOOL_BUILD");
	pid_t test = getpid(), pid;

	(void)snprintf(program, sizeof(program), "%s/easpool", build ? build : ".");
	pid = fork();
	if (pid == 0) {
		/* A test that fails leaves nobody behind. */
		(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
		if (getppid() != test)
			_exit(127);
		(void)execl(program, "easpool", "-c", conf, (char *)NULL);
		_exit(127);
	}
	return pid;
}

/* The exit code, -1 when a signal ended it. */
static int stop(pid_t pid, int sig)
{
	int status = 0;

	if (sig)
		(void)kill(pid, sig);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Waits until nobody accepts any more: the worker of a killed parent goes a moment after it. */
static void await_silence(void)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};

	(void)snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", sock);
	for (unsigned i = 0; i < 1000; i++) {
		int fd = socket(AF_UNIX, SOCK_STREAM, 0);
		int rc = connect(fd, (struct sockaddr *)&sa, sizeof(sa));

		(void)close(fd);
		if (rc != 0)
			return;
		(void)usleep(10000);
	}
	fail_msg("a worker goes on without its parent");
}

/* Connects; the socket appears when the pool is ready. */
static int reach(void)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};

	(void)snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", sock);
	for (unsigned i = 0; i < 1000; i++) {
		int fd = socket(AF_UNIX, SOCK_STREAM, 0);

		if (connect(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0)
			return fd;
		(void)close(fd);
		(void)usleep(10000);
	}
	fail_msg("easpool does not listen");
	return -1;
}

static void test_a_file_in_the_place_of_the_socket_stays(void **state UNUSED)
{
	struct stat st;
	FILE *f = fopen(sock, "w");

	assert_non_null(f);
	(void)fputs("precious", f);
	(void)fclose(f);
	assert_int_equal(stop(start(), 0), 1);
	assert_int_equal(lstat(sock, &st), 0);
	assert_true(S_ISREG(st.st_mode));
	assert_int_equal(st.st_size, 8);
	(void)unlink(sock);
}

static void test_a_socket_left_behind_is_replaced(void **state UNUSED)
{
	struct stat st;
	pid_t pid = start();

	(void)close(reach());
	assert_int_equal(stop(pid, SIGKILL), -1);
	await_silence();
	assert_int_equal(lstat(sock, &st), 0);
	pid = start();
	(void)close(reach());
	assert_int_equal(stop(pid, SIGTERM), 0);
}

static void configure(unsigned workers, const char *log, const char *mode)
{
	FILE *f = fopen(conf, "w");

	assert_non_null(f);
	(void)fprintf(f,
		"listen = %s\nworkers = %u\nspool_dir = %s\nlog_file = %s/%s\nsocket_mode = %s\n"
		"waiter_socket = %s/waiter\n",
		sock, workers, dir, dir, log, mode, dir);
	(void)fclose(f);
}

static unsigned children(pid_t pid)
{
	char path[128], word[64];
	unsigned n = 0;
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)pid, (int)pid);
	f = fopen(path, "r");
	while (f && fscanf(f, "%63s", word) == 1)
		n++;
	if (f)
		(void)fclose(f);
	return n;
}

/* Workers, and the waiter. */
static void await_children(pid_t pid, unsigned workers)
{
	unsigned n = workers + 1;

	for (unsigned i = 0; i < 1000 && children(pid) != n; i++)
		(void)usleep(10000);
	assert_int_equal(children(pid), n);
}

static void test_a_reload_heeds_the_number_of_workers_and_the_log(void **state UNUSED)
{
	char log[128];
	struct stat st;
	pid_t pid;

	configure(1, "log", "0600");
	pid = start();
	(void)close(reach());
	assert_int_equal(lstat(sock, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	await_children(pid, 1);
	configure(3, "log.new", "0600");
	(void)kill(pid, SIGHUP);
	await_children(pid, 3);
	(void)snprintf(log, sizeof(log), "%s/log.new", dir);
	assert_int_equal(lstat(log, &st), 0);
	assert_true(st.st_size > 0);
	configure(1, "log.new", "0600");
	(void)kill(pid, SIGHUP);
	await_children(pid, 1);
	(void)close(reach());
	assert_int_equal(stop(pid, SIGTERM), 0);
	(void)unlink(log);
}

static void test_a_mode_that_is_none_stops_the_start(void **state UNUSED)
{
	static const char *const modes[] = {"9999", "1777", "rw", "0660x"};

	for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
		configure(1, "log", modes[i]);
		assert_int_equal(stop(start(), 0), 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_file_in_the_place_of_the_socket_stays),
		cmocka_unit_test(test_a_socket_left_behind_is_replaced),
		cmocka_unit_test(test_a_reload_heeds_the_number_of_workers_and_the_log),
		cmocka_unit_test(test_a_mode_that_is_none_stops_the_start),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
