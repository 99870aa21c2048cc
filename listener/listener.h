/*
 * listener: easlistend's work. It hears of changes in the mailboxes of which a device waits,
 * and writes them to the database, which tells the waiters.
 */
#ifndef EASPOOL_LISTENER_LISTENER_H
#define EASPOOL_LISTENER_LISTENER_H

#include "core/settings.h"

struct listener_config {
	struct settings *conf;
	const char *path; /* of the configuration, for processes of its own */
	/* Reads the configuration again into conf; false (and a log line) keeps the old one. */
	bool (*reload)(struct settings *conf);
	/* Opens the log file again. */
	void (*reopen_log)(const struct settings *conf);
};

/* Works until SIGTERM or SIGINT. The exit code. */
int listener_run(const struct listener_config *lc);

#endif
