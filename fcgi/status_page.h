/*
 * status_page: what a worker tells whoever watches the host: /metrics for Prometheus, /status
 * for people. No login: the web server decides who may ask.
 */
#ifndef EASPOOL_FCGI_STATUS_PAGE_H
#define EASPOOL_FCGI_STATUS_PAGE_H

#include "fcgi/http.h"

/* False: the request is for something else, and nothing was written. */
bool status_page(http_param param, void *ctx, const struct settings *conf, struct reply *rp,
	struct err *err);

#endif
