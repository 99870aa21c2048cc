/*
 * wiring: which store stands behind which interface. The only place that knows.
 */
#ifndef EASPOOL_FCGI_WIRING_H
#define EASPOOL_FCGI_WIRING_H

#include "core/cmd/request.h"
#include "store/postgres/notices.h"

struct wiring;
/* What workers tell each other of servers. */
struct wiring_shared;

/* To be made before the workers are forked. */
struct wiring_shared *wiring_shared_new(void);
void wiring_shared_free(struct wiring_shared *shared);
/* Other servers than before: nothing is known of them. */
void wiring_shared_forget(struct wiring_shared *shared);

/* Both are borrowed. */
struct wiring *wiring_new(const struct settings *conf, struct wiring_shared *shared);
void wiring_free(struct wiring *w);
/* The services for one request of this user; password NULL: who he is was proved otherwise, and
 * the master user acts for him. */
struct services wiring_services(
	struct wiring *w, struct str login, const struct secret *password);
/* The request is over. Backend round trips that it took. */
unsigned wiring_done(struct wiring *w);

/* What the waiter hears; store/postgres/notices.h is what to do with it. */
struct notices *wiring_notices(const struct settings *conf, const struct notices_heard *heard);

#endif
