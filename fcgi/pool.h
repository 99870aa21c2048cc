/*
 * pool: the parent of the workers. It binds the socket, gives up its rights, keeps the workers
 * running, reloads on SIGHUP, drains on SIGTERM.
 */
#ifndef EASPOOL_FCGI_POOL_H
#define EASPOOL_FCGI_POOL_H

#include "core/settings.h"

struct pool_config {
	struct settings *conf;
	/* Reads the configuration again into conf; false (and a log line) keeps the old one. */
	bool (*reload)(struct settings *conf);
	/* Opens the log file again. */
	void (*reopen_log)(const struct settings *conf);
	int fd; /* a socket that listens already; -1: bind `listen` */
};

/* Serves until SIGTERM or SIGINT. The exit code. */
int pool_run(const struct pool_config *pc);

#endif
