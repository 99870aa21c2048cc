/*
 * http: the CGI variables of a request to struct request, [MS-ASHTTP] 2.2.1.
 */
#ifndef EASPOOL_FCGI_HTTP_H
#define EASPOOL_FCGI_HTTP_H

#include "core/cmd/request.h"

/* A CGI variable, NULL when absent. */
typedef const char *(*http_param)(void *ctx, const char *name);

/* 0: the request is read but for its body; else the HTTP code to refuse it with. */
int http_read(http_param param, void *ctx, const struct settings *conf, struct request *rq,
	struct err *err);
/* The largest body this request may have. */
uint64_t http_body_limit(const struct request *rq);
bool http_accepts_gzip(http_param param, void *ctx);

#endif
