/*
 * The counters that processes share, and what is told of them.
 */
#include "fcgi/metrics.h"

#include "core/base/clock.h"
#include "core/base/log.h"
#include "fcgi/status_page.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char dir[64], beside[96], file[128];
static unsigned warnings;

static void count_line(void *ctx UNUSED, struct str line)
{
	warnings += str_search(line, STR(" warning ")) < line.n;
}

static int make_folder(void **state UNUSED)
{
	(void)snprintf(dir, sizeof(dir), "/tmp/easpool-metrics-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	(void)snprintf(beside, sizeof(beside), "%s/waiter.sock", dir);
	(void)snprintf(file, sizeof(file), "%s.metrics", beside);
	log_set_output(count_line, NULL);
	warnings = 0;
	return 0;
}

static int remove_folder(void **state UNUSED)
{
	metrics_close();
	clock_set_fake(-1);
	(void)unlink(file);
	return rmdir(dir);
}

/* Whether that line is told. */
static bool tells(const char *line)
{
	struct buf b;
	struct str rest, one;
	bool found = false;

	buf_init(&b, BUF_MAX_TEXT);
	metrics_print(&b);
	rest = buf_str(&b);
	while (str_next(&rest, '\n', &one))
		found = found || str_is(one, line);
	buf_release(&b);
	return found;
}

static void assert_tells(const char *line)
{
	if (!tells(line))
		fail_msg("is not told: %s", line);
}

static void count(const char *command, int http, unsigned status, int64_t ms)
{
	metrics_request(&(struct metrics_request){.command = str_of(command),
		.http = http,
		.status = status,
		.login = true,
		.ms = ms,
		.trips = 2,
		.in = 10,
		.out = 100});
}

static void test_requests_are_counted_by_command_and_outcome(void **state UNUSED)
{
	static const struct {
		const char *command;
		int http;
		unsigned status;
		const char *line;
	} cases[] = {
		{"Sync",         200, 1,   "easpool_requests_total{command=\"Sync\",outcome=\"ok\"} 1"},
		{"Sync",         200, 3,
                 "easpool_requests_total{command=\"Sync\",outcome=\"status\"} 1"                      },
		{"Sync",         503, 0,
                 "easpool_requests_total{command=\"Sync\",outcome=\"http_5xx\"} 1"                    },
		{"sync",         401, 0,
                 "easpool_requests_total{command=\"Sync\",outcome=\"http_4xx\"} 1"                    },
		{"Ping",         200, 2,   "easpool_requests_total{command=\"Ping\",outcome=\"ok\"} 1"},
		{"Ping",         200, 7,
                 "easpool_requests_total{command=\"Ping\",outcome=\"status\"} 1"                      },
		{"FolderSync",   200, 142,
                 "easpool_requests_total{command=\"FolderSync\",outcome=\"status\"} 1"                },
		{"OPTIONS",      200, 0,
                 "easpool_requests_total{command=\"OPTIONS\",outcome=\"ok\"} 1"                       },
		{"Autodiscover", 200, 0,
                 "easpool_requests_total{command=\"Autodiscover\",outcome=\"ok\"} 1"                  },
		{"?",            404, 0,
                 "easpool_requests_total{command=\"other\",outcome=\"http_4xx\"} 1"                   },
		{"N\"onsense",   404, 0,
                 "easpool_requests_total{command=\"other\",outcome=\"http_4xx\"} 2"                   },
	};

	metrics_open(beside, false);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		count(cases[i].command, cases[i].http, cases[i].status, 1);
		assert_tells(cases[i].line);
	}
	assert_tells("easpool_backend_round_trips_total 22");
	assert_tells("easpool_received_bytes_total 110");
	assert_tells("easpool_sent_bytes_total 1100");
	assert_tells("easpool_refused_logins_total 1");
	assert_tells("easpool_build_info{version=\"" EASPOOL_VERSION "\"} 1");
	assert_tells("# TYPE easpool_requests_total counter");
}

static void test_errors_are_counted_by_kind(void **state UNUSED)
{
	struct metrics_request r = {.command = STR("Sync"), .http = 503, .login = true};

	metrics_open(beside, false);
	r.error = RC_UNAVAILABLE;
	metrics_request(&r);
	assert_tells("easpool_errors_total{kind=\"unavailable\"} 1");
	/* The first request of every device comes without a password. */
	r.error = RC_DENIED;
	r.http = 401;
	r.login = false;
	metrics_request(&r);
	assert_tells("easpool_errors_total{kind=\"denied\"} 0");
	assert_tells("easpool_refused_logins_total 0");
	r.login = true;
	metrics_request(&r);
	assert_tells("easpool_errors_total{kind=\"denied\"} 1");
	assert_tells("easpool_refused_logins_total 1");
}

#define DURATION "easpool_request_duration_seconds"

static void test_buckets_add_up(void **state UNUSED)
{
	static const int64_t ms[] = {0, 5, 6, 499, 30000, 30001, 90000};

	metrics_open(beside, false);
	for (size_t i = 0; i < ARRAY_LEN(ms); i++)
		count("Sync", 200, 1, ms[i]);
	assert_tells("# TYPE " DURATION " histogram");
	assert_tells(DURATION "_bucket{command=\"Sync\",le=\"0.005\"} 2");
	assert_tells(DURATION "_bucket{command=\"Sync\",le=\"0.01\"} 3");
	assert_tells(DURATION "_bucket{command=\"Sync\",le=\"0.25\"} 3");
	assert_tells(DURATION "_bucket{command=\"Sync\",le=\"0.5\"} 4");
	assert_tells(DURATION "_bucket{command=\"Sync\",le=\"10\"} 4");
	assert_tells(DURATION "_bucket{command=\"Sync\",le=\"30\"} 5");
	assert_tells(DURATION "_bucket{command=\"Sync\",le=\"+Inf\"} 7");
	assert_tells(DURATION "_count{command=\"Sync\"} 7");
	assert_tells(DURATION "_sum{command=\"Sync\"} 150.511");
}

static void test_a_wait_is_one_request_however_often_it_is_looked_after(void **state UNUSED)
{
	struct metrics_request r = {
		.command = STR("Ping"), .http = 200, .login = true, .parked = true};

	clock_set_fake(1000000);
	metrics_open(beside, false);
	metrics_request(&r);
	r.again = true;
	metrics_handed_over();
	metrics_request(&r);
	metrics_handed_over();
	r.parked = false;
	r.status = 2;
	r.noticed = 1000000 - 70;
	metrics_request(&r);
	assert_tells("easpool_requests_total{command=\"Ping\",outcome=\"parked\"} 1");
	assert_false(tells("easpool_requests_total{command=\"Ping\",outcome=\"ok\"} 1"));
	assert_tells("easpool_waits_total 1");
	assert_tells("easpool_waits_looked_after_total 2");
	assert_tells("easpool_waits_ended_total{how=\"looked\"} 1");
	assert_tells("easpool_wakeup_delay_seconds_bucket{way=\"looked\",le=\"0.05\"} 0");
	assert_tells("easpool_wakeup_delay_seconds_bucket{way=\"looked\",le=\"0.1\"} 1");
	assert_tells("easpool_wakeup_delay_seconds_sum{way=\"looked\"} 0.070");
	metrics_ended(END_TOLD, 1000000 - 3);
	metrics_ended(END_HUNG_UP, 1000000 - 3);
	assert_tells("easpool_waits_ended_total{how=\"told\"} 1");
	assert_tells("easpool_waits_ended_total{how=\"hung_up\"} 1");
	assert_tells("easpool_wakeup_delay_seconds_count{way=\"direct\"} 1");
}

static void test_a_dead_waiter_holds_nobody(void **state UNUSED)
{
	clock_set_fake(1000000);
	metrics_open(beside, false);
	assert_tells("easpool_waiter_up 0");
	metrics_waiter(70, 3);
	assert_tells("easpool_waiter_up 1");
	assert_tells("easpool_waiting 70");
	assert_tells("easpool_waiting_jobs 3");
	metrics_listeners(2, 40);
	assert_tells("easpool_listeners 2");
	assert_tells("easpool_listener_watches 40");
	metrics_dav_listeners(3, 50);
	assert_tells("easpool_dav_listeners 3");
	assert_tells("easpool_dav_listener_watches 50");
	metrics_waiter(7, 0);
	assert_tells("easpool_waiting 7");
	clock_set_fake(1000000 + 11000);
	assert_tells("easpool_waiter_up 0");
	assert_tells("easpool_waiting 0");
	/* The host was started again, and the file has outlived it. */
	clock_set_fake(5000);
	assert_tells("easpool_waiter_up 0");
}

static void test_processes_count_together(void **state UNUSED)
{
	enum { PROCESSES = 8, EACH = 5000 };

	/* Some were there before, and some opened the file by themselves. */
	metrics_open(beside, false);
	for (unsigned i = 0; i < PROCESSES; i++)
		if (fork() == 0) {
			if (i % 2)
				metrics_open(beside, false);
			for (unsigned k = 0; k < EACH; k++)
				count("Sync", 200, 1, 20);
			_exit(0);
		}
	for (unsigned i = 0; i < PROCESSES; i++) {
		int status = 0;

		(void)wait(&status);
		assert_int_equal(status, 0);
	}
	assert_tells("easpool_requests_total{command=\"Sync\",outcome=\"ok\"} 40000");
	assert_tells(DURATION "_sum{command=\"Sync\"} 800.000");
	assert_int_equal(warnings, 0);
}

/* All begin at once: there is one file at the end, and all are in it. */
static void test_processes_that_begin_together_agree(void **state UNUSED)
{
	enum { PROCESSES = 16 };
	int go[2], status;
	char c;

	assert_int_equal(pipe(go), 0);
	for (unsigned i = 0; i < PROCESSES; i++)
		if (fork() == 0) {
			(void)close(go[1]);
			/* Its end: the other one is closed everywhere. */
			if (read(go[0], &c, 1) != 0)
				_exit(9);
			metrics_open(beside, false);
			count("Sync", 200, 1, 20);
			_exit((int)warnings);
		}
	(void)close(go[0]);
	(void)close(go[1]);
	for (unsigned i = 0; i < PROCESSES; i++) {
		(void)wait(&status);
		assert_int_equal(status, 0);
	}
	metrics_open(beside, false);
	assert_tells("easpool_requests_total{command=\"Sync\",outcome=\"ok\"} 16");
}

static void test_counters_outlive_a_process_and_begin_anew_when_told(void **state UNUSED)
{
	struct stat st;

	metrics_open(beside, false);
	count("Sync", 200, 1, 20);
	metrics_close();
	metrics_open(beside, false);
	assert_tells("easpool_requests_total{command=\"Sync\",outcome=\"ok\"} 1");
	assert_int_equal(stat(file, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	metrics_open(beside, true);
	assert_false(tells("easpool_requests_total{command=\"Sync\",outcome=\"ok\"} 1"));
}

/* Writes bytes into the file; of = -1: as the whole of it. */
static void spoil(off_t at, const char *bytes, size_t n)
{
	int fd = open(file, O_RDWR | O_CREAT | (at < 0 ? O_TRUNC : 0), 0600);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, bytes, n, at < 0 ? 0 : at), n);
	(void)close(fd);
}

static void test_a_file_of_another_layout_is_left_to_its_users(void **state UNUSED)
{
	struct metrics_now before;

	metrics_open(beside, false);
	count("Sync", 200, 1, 20);
	/* A later version has written its own layout there; this process goes on in the old. */
	spoil(4, "\x7f", 1);
	if (fork() == 0) {
		metrics_open(beside, false);
		_exit(tells("easpool_requests_total{command=\"Sync\",outcome=\"ok\"} 1") ||
			warnings);
	} else {
		int status = 0;

		(void)wait(&status);
		assert_int_equal(status, 0);
	}
	metrics_now(&before);
	assert_int_equal(before.requests, 1);
	/* Rubbish, of any size. */
	spoil(-1, "rubbish", 7);
	metrics_open(beside, false);
	count("Sync", 200, 1, 20);
	assert_tells("easpool_requests_total{command=\"Sync\",outcome=\"ok\"} 1");
	assert_int_equal(warnings, 0);
}

static void test_without_a_file_children_are_counted_nevertheless(void **state UNUSED)
{
	int status = 0;

	metrics_open("/nowhere/at/all", false);
	assert_int_equal(warnings, 1);
	if (fork() == 0) {
		count("Sync", 200, 1, 20);
		_exit(0);
	}
	(void)wait(&status);
	assert_tells("easpool_requests_total{command=\"Sync\",outcome=\"ok\"} 1");
}

static void test_what_is_not_ours_is_left_alone(void **state UNUSED)
{
	char elsewhere[96];
	struct stat st;

	(void)snprintf(elsewhere, sizeof(elsewhere), "%s/elsewhere", dir);
	assert_int_equal(symlink(elsewhere, file), 0);
	metrics_open(beside, false);
	assert_int_equal(warnings, 1);
	assert_int_not_equal(stat(elsewhere, &st), 0);
}

/* Every line is a comment, or a name of ours with a number, and each family is explained once.
 */
static void test_the_text_is_what_prometheus_reads(void **state UNUSED)
{
	struct buf b;
	struct str rest, one;
	unsigned helps = 0, types = 0;

	metrics_open(beside, false);
	count("Sync", 200, 1, 20);
	buf_init(&b, BUF_MAX_TEXT);
	metrics_print(&b);
	assert_int_equal(b.p[b.n - 1], '\n');
	rest = (struct str){b.p, b.n - 1};
	while (str_next(&rest, '\n', &one)) {
		helps += str_starts(one, "# HELP easpool_");
		types += str_starts(one, "# TYPE easpool_");
		if (str_starts(one, "# "))
			continue;
		assert_true(str_starts(one, "easpool_"));
		assert_true(one.p[one.n - 1] >= '0' && one.p[one.n - 1] <= '9');
	}
	assert_int_equal(helps, types);
	assert_true(helps > 10);
	buf_release(&b);
}

struct asked {
	const char *method, *uri;
};

static const char *param(void *ctx, const char *name)
{
	const struct asked *q = ctx;

	return strcmp(name, "REQUEST_METHOD") == 0 ? q->method
	       : strcmp(name, "REQUEST_URI") == 0  ? q->uri
						   : NULL;
}

static void test_pages_have_exact_paths_and_can_be_switched_off(void **state UNUSED)
{
	static const struct {
		struct asked q;
		const char *begin; /* NULL: no page */
	} cases[] = {
		{{"GET", "/metrics"},      "# HELP easpool_"         },
		{{"GET", "/metrics?x=y"},  "# HELP easpool_"         },
		{{"GET", "/status"},       "easpool " EASPOOL_VERSION},
		{{"POST", "/metrics"},     NULL                      },
		{{"GET", "/metrics/"},     NULL                      },
		{{"GET", "/Metrics"},      NULL                      },
		{{"GET", "//status"},      NULL                      },
		{{"GET", "/x/../metrics"}, NULL                      },
		{{"GET", NULL},            NULL                      },
		{{NULL, "/metrics"},       NULL                      },
	};
	struct settings conf = {.metrics = true};

	for (size_t i = 0; i < 2 * ARRAY_LEN(cases); i++) {
		size_t k = i % ARRAY_LEN(cases);
		struct asked q = cases[k].q;
		struct reply rp = {.http = 200};
		struct buf_sink sink;
		struct buf b;

		conf.metrics = i < ARRAY_LEN(cases);
		buf_init(&b, BUF_MAX_TEXT);
		buf_sink_init(&sink, &b);
		rp.body = &sink.sink;
		assert_int_equal(status_page(param, &q, &conf, &rp, NULL),
			conf.metrics && cases[k].begin != NULL);
		if (conf.metrics && cases[k].begin)
			assert_true(str_starts(buf_str(&b), cases[k].begin));
		else
			assert_int_equal(b.n, 0);
		buf_release(&b);
	}
}

#define WITH_FOLDER(f) cmocka_unit_test_setup_teardown(f, make_folder, remove_folder)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_FOLDER(test_requests_are_counted_by_command_and_outcome),
		WITH_FOLDER(test_errors_are_counted_by_kind),
		WITH_FOLDER(test_buckets_add_up),
		WITH_FOLDER(test_a_wait_is_one_request_however_often_it_is_looked_after),
		WITH_FOLDER(test_a_dead_waiter_holds_nobody),
		WITH_FOLDER(test_processes_count_together),
		WITH_FOLDER(test_processes_that_begin_together_agree),
		WITH_FOLDER(test_counters_outlive_a_process_and_begin_anew_when_told),
		WITH_FOLDER(test_a_file_of_another_layout_is_left_to_its_users),
		WITH_FOLDER(test_without_a_file_children_are_counted_nevertheless),
		WITH_FOLDER(test_what_is_not_ours_is_left_alone),
		WITH_FOLDER(test_the_text_is_what_prometheus_reads),
		WITH_FOLDER(test_pages_have_exact_paths_and_can_be_switched_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
