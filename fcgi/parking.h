/*
 * parking: a worker's side of the waiter: handing a waiting request over, and taking one back
 * that is to be looked at.
 */
#ifndef EASPOOL_FCGI_PARKING_H
#define EASPOOL_FCGI_PARKING_H

#include "core/settings.h"
#include "store/waiter/link.h"

struct parking;

/* program: nobody else starts a waiter where none is: that is the configuration file for one.
 * NULL: somebody does. */
struct parking *parking_new(const struct settings *conf, const char *program);
void parking_free(struct parking *p);

/* Connects if need be, without insisting. What to poll for (POLLIN) beside new requests: the
 * jobs, and the connection itself; -1: there is none. */
void parking_poll(struct parking *p, int *jobs_r, int *connection_r);
/* Whether the waiter is still there; else the connection is closed. */
void parking_check(struct parking *p);

/* Hands a request over; the descriptor remains the caller's to close. */
enum parking_put { PARKING_DONE, PARKING_TOO_LARGE, PARKING_NOBODY };
enum parking_put parking_put(struct parking *p, const struct link_wait *w, int fd);
/* Ends the waits of a device that began before. */
void parking_end(struct parking *p, int64_t device, int64_t began);
/* A request to look at, with its descriptor, which is the caller's. False: none is left. Texts
 * are in the arena, a password among them. */
bool parking_take(struct parking *p, struct arena *a, struct link_wait *w, int *fd_r);

#endif
