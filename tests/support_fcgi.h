/*
 * support_fcgi: a FastCGI client that can say what no web server would.
 */
#ifndef EASPOOL_TESTS_SUPPORT_FCGI_H
#define EASPOOL_TESTS_SUPPORT_FCGI_H

#include "core/base/buf.h"

/*
 * Sends one request to the application behind a unix socket: the descriptor on which its answer
 * will come, -1 when there is nobody. params: names and values in turn, NULL at the end. body:
 * at most 64 KB. whole: else the end of the body is kept back, and who serves the request waits
 * for it until fcgi_end_body() or until the descriptor is closed.
 */
int fcgi_send(const char *socket_path, const char *const *params, struct str body, bool whole);
void fcgi_end_body(int fd);
/* What the application wrote, without the records around it. */
void fcgi_unpack(struct str records, struct buf *answer);

/* The same, and its answer (header and body, as it comes, with the records around it) is added
 * to *answer. False: there is nobody. */
bool fcgi_request(const char *socket_path, const char *const *params, struct str body,
	struct buf *answer);

#endif
