/*
 * waiter: the process of a host that holds its waiting requests, and the host's only LISTEN
 * connection. It answers a Ping itself, whatever the workers do; what needs another look goes
 * back to the first free worker, which runs it again from its bytes. store/waiter/link.h says
 * how it is talked to.
 */
#ifndef EASPOOL_FCGI_WAITER_H
#define EASPOOL_FCGI_WAITER_H

#include "core/settings.h"

struct waiter_config {
	const struct settings *conf;
	/* Opens the log again, on SIGHUP. */
	void (*reopen_log)(const struct settings *conf);
	/* Ends by itself when nobody has waited or been connected for a minute (it was started
	 * by a worker). */
	bool alone;
};

/* Runs until SIGTERM, when it answers everyone "nothing new". The exit code. */
int waiter_run(const struct waiter_config *c);
/* Starts one in the background with that configuration file, unless somebody else is just doing
 * so; waits until it is there, for a second. */
void waiter_spawn(const struct settings *conf, const char *file);

#endif
