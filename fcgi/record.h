/*
 * record: answers as FastCGI records, for connections that libfcgi no longer knows of.
 * FastCGI specification 3.3, 5.3, 5.5.
 */
#ifndef EASPOOL_FCGI_RECORD_H
#define EASPOOL_FCGI_RECORD_H

#include "core/base/buf.h"

/* Bytes of the answer to the request of that id. */
void record_output(struct buf *b, unsigned id, struct str bytes);
/* Its end; the web server closes the connection. */
void record_end(struct buf *b, unsigned id);

#endif
