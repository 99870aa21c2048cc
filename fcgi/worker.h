/*
 * worker: one process, one request at a time, from descriptor 0.
 */
#ifndef EASPOOL_FCGI_WORKER_H
#define EASPOOL_FCGI_WORKER_H

#include "core/settings.h"
#include "fcgi/rate.h"

/*
 * Serves until SIGTERM, or that many requests are done (0: any number; without a parent nobody
 * would replace it). The exit code.
 */
/* rate: shared with the other workers, or its own. */
int worker_run(const struct settings *conf, int64_t max_requests, struct rate *rate);

#endif
