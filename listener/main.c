/*
 * easlistend: the mail-event listener.
 */
#include "listener/listener.h"
#include "store/settings_file.h"

#include <getopt.h>
#include <stdio.h>

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
		{NULL,      0,                 NULL, 0  },
	};
	static struct settings conf;
	int what = 0, c;

	while ((c = getopt_long(argc, argv, "c:", options, NULL)) != -1) {
		if (c == 'c')
			path = optarg;
		else if (c == 'k' || c == 'v')
			what = c;
		else
			return usage();
	}
	if (what == 'v') {
		(void)puts("easlistend " EASPOOL_VERSION);
		return 0;
	}
	if (!read_settings(&conf))
		return 1;
	if (what == 'k')
		return 0;
	settings_open_log(&conf);
	return listener_run(&(struct listener_config){&conf, read_settings, settings_open_log});
}
