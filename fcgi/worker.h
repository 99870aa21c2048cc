/*
 * worker: one process, one request at a time, from descriptor 0 or from the waiter.
 */
#ifndef EASPOOL_FCGI_WORKER_H
#define EASPOOL_FCGI_WORKER_H

#include "core/settings.h"
#include "fcgi/loops.h"
#include "fcgi/rate.h"
#include "fcgi/wiring.h"

struct worker_config {
	const struct settings *conf;
	/* Shared with the other workers, or its own. */
	struct rate *rate;
	struct loops *loops;
	struct wiring_shared *servers;
	const char *program; /* no parent starts a waiter: the configuration file for one */
};

/*
 * Serves until SIGTERM, or that many requests are done (0: any number; without a parent nobody
 * would replace it). The exit code.
 */
int worker_run(const struct worker_config *c, int64_t max_requests);

#endif
