/*
 * peer: the web server at the other end of a request, whether libfcgi has just accepted it or
 * the waiter had it.
 */
#ifndef EASPOOL_FCGI_PEER_H
#define EASPOOL_FCGI_PEER_H

#include "fcgi/replay.h"

#include <fcgiapp.h>

struct peer {
	FCGX_Request *fcgi; /* NULL: the one below */
	int fd;
	unsigned id;
	struct replay replay;
	size_t read;
	struct buf out; /* records */
	bool gone;
};

void peer_accepted(struct peer *p, FCGX_Request *fcgi);
/* fd is taken over. */
void peer_again(struct peer *p, int fd, unsigned id, const struct replay *replay);

/* An http_param; ctx: a struct peer. */
const char *peer_param(void *ctx, const char *name);
/* Some of the body; 0: that was all. */
size_t peer_read(struct peer *p, char *to, size_t n);
/* False: the device is gone. */
bool peer_write(struct peer *p, struct str bytes);
/* The answer is complete. */
void peer_finish(struct peer *p);

/* The connection and the request's id on it, to be handed over... */
int peer_descriptor(const struct peer *p, unsigned *id_r);
/* ... and this, instead of peer_finish(), when it was. */
void peer_leave(struct peer *p);

#endif
