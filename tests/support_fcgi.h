/*
 * support_fcgi: a FastCGI client that can say what no web server would.
 */
#ifndef EASPOOL_TESTS_SUPPORT_FCGI_H
#define EASPOOL_TESTS_SUPPORT_FCGI_H

#include "core/base/buf.h"

/* One request to the application behind a unix socket; its answer (header and body, as it
 * comes, with the records around it) is added to *answer. False: there is nobody. params: names
 * and values in turn, NULL at the end. body: at most 64 KB. */
bool fcgi_request(const char *socket_path, const char *const *params, struct str body,
	struct buf *answer);

#endif
