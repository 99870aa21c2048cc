/*
 * replay: what it takes to run a request again that has waited: the variables that http_read()
 * asks for, and the body. A password is among them: they stay in memory.
 */
#ifndef EASPOOL_FCGI_REPLAY_H
#define EASPOOL_FCGI_REPLAY_H

#include "core/base/buf.h"
#include "fcgi/http.h"

#define REPLAY_VARIABLES 11

struct replay {
	const char *v[REPLAY_VARIABLES]; /* NULL: was not there */
	struct str body;
};

void replay_pack(http_param param, void *ctx, struct str body, struct buf *b);
/* Borrows from `bytes`. */
MUST_USE enum rc replay_unpack(struct str bytes, struct replay *r);
/* An http_param; ctx: a struct replay. */
const char *replay_param(void *ctx, const char *name);

#endif
