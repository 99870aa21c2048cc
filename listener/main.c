/*
 * easlistend: the mail-event listener.
 */
#include "core/base/log.h"
#include "listener/dav_watch.h"
#include "listener/listener.h"
#include "store/settings_file.h"

#include <getopt.h>
#include <stdio.h>
#include <unistd.h>

static const char *path = "/etc/easpool/easpool.conf";

static bool read_settings(struct settings *r)
{
	return settings_reload(path, NULL, r);
}

static int usage(void)
{
	(void)fprintf(stderr, "usage: easlistend [-c FILE] [--check | --version]\n");
	return 2;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"config",  required_argument, NULL, 'c'},
		{"check",   no_argument,       NULL, 'k'},
		{"version", no_argument,       NULL, 'v'},
 /* Of its own processes, listener/dav_children.h. */
		{"dav",     required_argument, NULL, 'd'},
		{NULL,      0,                 NULL, 0  },
	};
	static struct settings conf;
	struct listener_config lc = {&conf, NULL, read_settings, settings_open_log};
	const char *dav = NULL;
	char pid[16];
	int what = 0, c;

	while ((c = getopt_long(argc, argv, "c:", options, NULL)) != -1) {
		if (c == 'c')
			path = optarg;
		else if (c == 'k' || c == 'v')
			what = c;
		else if (c == 'd')
			dav = optarg;
		else
			return usage();
	}
	if (what == 'v') {
		(void)puts("easlistend " EASPOOL_VERSION);
		return 0;
	}
	(void)snprintf(pid, sizeof(pid), "%ld", (long)getpid());
	log_set_ident(dav ? "dav" : "listener", pid);
	if (!read_settings(&conf))
		return 1;
	if (what == 'k')
		return 0;
	settings_open_log(&conf);
	lc.path = path;
	return dav ? dav_watch_run(&lc, dav) : listener_run(&lc);
}
