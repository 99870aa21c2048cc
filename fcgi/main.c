/*
 * easpool: the FastCGI program. With `listen` it is the parent of the workers, without it one
 * worker on descriptor 0.
 */
#include "fcgi/metrics.h"
#include "fcgi/pool.h"
#include "fcgi/waiter.h"
#include "fcgi/worker.h"
#include "store/settings_file.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char *path = "/etc/easpool/easpool.conf", *listen_on, *workers;

/* The command line counts more than the file. */
static void adjust(struct settings *conf)
{
	if (listen_on)
		conf->listen = str_of(listen_on);
	if (workers)
		conf->workers = strtol(workers, NULL, 10);
}

static bool read_settings(struct settings *r)
{
	return settings_reload(path, adjust, r);
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
		{"config",       required_argument, NULL, 'c'},
		{"listen",       required_argument, NULL, 'l'},
		{"workers",      required_argument, NULL, 'w'},
		{"check",        no_argument,       NULL, 'k'},
		{"settings",     no_argument,       NULL, 's'},
		{"waiter",       no_argument,       NULL, 'h'},
		{"waiter-alone", no_argument,       NULL, 'a'},
		{"version",      no_argument,       NULL, 'v'},
		{NULL,           0,                 NULL, 0  },
	};
	static struct settings conf;
	int what = 0, fd, c;
	bool waiter;

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
		case 'a':
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
	settings_open_log(&conf);
	/* 'a': started by a worker; it ends with the last of them. */
	waiter = what == 'h' || what == 'a';
	fd = waiter ? -1 : handed_over();
	if (!waiter && (conf.listen.n || fd >= 0))
		return pool_run(
			&(struct pool_config){&conf, read_settings, settings_open_log, fd});
	metrics_open(conf.waiter_socket.p, false);
	if (waiter)
		return waiter_run(
			&(struct waiter_config){&conf, settings_open_log, what == 'a'});
	return worker_run(&(struct worker_config){&conf, rate_new(), loops_new(),
				  wiring_shared_new(), path},
		0);
}
