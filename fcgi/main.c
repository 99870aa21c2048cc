/*
 * easpool: the FastCGI program. With `listen` it is the parent of the workers, without it one
 * worker on descriptor 0.
 */
#include "core/base/log.h"
#include "fcgi/metrics.h"
#include "fcgi/pool.h"
#include "fcgi/waiter.h"
#include "fcgi/worker.h"
#include "store/settings_file.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *path = "/etc/easpool/easpool.conf", *listen_on, *workers;
static int log_fd = STDERR_FILENO;
static struct arena *settings_arena; /* the texts of the settings in force */

static void write_line(void *ctx UNUSED, struct str line)
{
	ssize_t n = write(log_fd, line.p, line.n);

	(void)n;
}

static bool read_settings(struct settings *r)
{
	struct arena *a = arena_new();
	struct settings conf;
	struct err err = ERR_INIT;

	if (settings_file(path, &conf, a, &err)) {
		log_error("%s", err.text);
		arena_free(a);
		return false;
	}
	if (listen_on)
		conf.listen = str_of(listen_on);
	if (workers)
		conf.workers = strtol(workers, NULL, 10);
	*r = conf;
	arena_free(settings_arena);
	settings_arena = a;
	log_set_level((enum log_level)conf.log_level);
	return true;
}

static void open_log(const struct settings *conf)
{
	int fd;

	if (!conf->log_file.n)
		return;
	fd = open(conf->log_file.p, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
	if (fd < 0) {
		log_error("could not open %s: %s", conf->log_file.p, strerror(errno));
		return;
	}
	if (log_fd != STDERR_FILENO)
		(void)close(log_fd);
	log_fd = fd;
	log_set_output(write_line, NULL);
}

/* The listening socket of systemd's socket activation, sd_listen_fds(3); -1: none. */
static int handed_over(void)
{
	const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");

	if (!pid || !fds || strtol(pid, NULL, 10) != (long)getpid() ||
		strtol(fds, NULL, 10) < 1)
		return -1;
	(void)unsetenv("LISTEN_PID");
	(void)unsetenv("LISTEN_FDS");
	return 3;
}

static int usage(void)
{
	(void)fprintf(stderr,
		"usage: easpool [-c FILE] [--listen PATH|HOST:PORT] [--workers N]\n"
		"       easpool [-c FILE] --waiter | --check | --settings | --version\n");
	return 2;
}

static int print_settings(const struct settings *conf)
{
	struct buf b;

	buf_init(&b, BUF_MAX_TEXT);
	conf_print(settings_rows, settings_nrows, conf, &b);
	(void)fputs(b.p, stdout);
	buf_release(&b);
	return 0;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"config",   required_argument, NULL, 'c'},
		{"listen",   required_argument, NULL, 'l'},
		{"workers",  required_argument, NULL, 'w'},
		{"check",    no_argument,       NULL, 'k'},
		{"settings", no_argument,       NULL, 's'},
		{"waiter",   no_argument,       NULL, 'h'},
		{"version",  no_argument,       NULL, 'v'},
		{NULL,       0,                 NULL, 0  },
	};
	static struct settings conf;
	int what = 0, fd, c;

	while ((c = getopt_long(argc, argv, "c:", options, NULL)) != -1) {
		switch (c) {
		case 'c':
			path = optarg;
			break;
		case 'l':
			listen_on = optarg;
			break;
		case 'w':
			workers = optarg;
			break;
		case 'h':
		case 'k':
		case 's':
		case 'v':
			what = c;
			break;
		default:
			return usage();
		}
	}
	if (what == 'v') {
		(void)puts("easpool " EASPOOL_VERSION);
		return 0;
	}
	if (!read_settings(&conf) || (workers && (conf.workers < 1 || conf.workers > 1024)))
		return 1;
	if (what == 'k')
		return 0;
	if (what == 's')
		return print_settings(&conf);
	open_log(&conf);
	fd = what == 'h' ? -1 : handed_over();
	if (what != 'h' && (conf.listen.n || fd >= 0))
		return pool_run(&(struct pool_config){&conf, read_settings, open_log, fd});
	metrics_open(conf.waiter_socket.p, false);
	if (what == 'h')
		return waiter_run(&conf, false);
	return worker_run(&(struct worker_config){&conf, rate_new(), loops_new(), true}, 0);
}
