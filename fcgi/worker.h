/*
 * worker: one process, one request at a time, from descriptor 0.
 */
#ifndef EASPOOL_FCGI_WORKER_H
#define EASPOOL_FCGI_WORKER_H

#include "core/settings.h"

/* Serves until SIGTERM, or max_requests are done. The exit code. */
int worker_run(const struct settings *conf);

#endif
