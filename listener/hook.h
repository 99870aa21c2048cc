/*
 * hook: the URL where a mail server tells of changes, POST /event. Who does not know the secret
 * learns nothing, not even which paths there are.
 */
#ifndef EASPOOL_LISTENER_HOOK_H
#define EASPOOL_LISTENER_HOOK_H

#include "core/base/err.h"
#include "core/settings.h"
#include "listener/loop.h"
#include "listener/publisher.h"

struct hook;

/* Listens at conf->listener_url; all is borrowed. NULL with a sentence. */
struct hook *hook_open(
	const struct settings *conf, struct loop *loop, struct publisher *to, struct err *err);
void hook_close(struct hook *h); /* NULL is fine */
/* When it has to be looked after next, by clock_mono_ms(); -1: not before something comes in.
 */
int64_t hook_due(struct hook *h);

#endif
