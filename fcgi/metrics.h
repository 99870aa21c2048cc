/*
 * metrics: counters that all processes of a host share, in a file beside the waiter's socket
 * that they map, or where that cannot be, in memory that children share with their parent. No
 * locks: a process that dies in the middle of anything leaves the others nothing to wait for.
 *
 * Like the log they belong to the process: metrics_open() once, before children are made.
 * Without it everything is counted for this process alone. Nothing here names a user or a
 * device.
 */
#ifndef EASPOOL_FCGI_METRICS_H
#define EASPOOL_FCGI_METRICS_H

#include "core/base/buf.h"

/* How a wait came to its end; the first and the second: something was new. */
enum metrics_end {
	END_TOLD,   /* by the waiter itself */
	END_LOOKED, /* by a worker that had looked */
	END_NOTHING,
	END_HUNG_UP,
	END_NEWER, /* the device has made another request */
	END_NO_ROOM,
	END_STOP, /* of the server */
	METRICS_ENDS
};

/* A request that a worker is done with. */
struct metrics_request {
	struct str command; /* as the log names it */
	int http;
	unsigned status; /* of the protocol; 0: none */
	enum rc error;
	bool login;      /* it came with credentials */
	bool parked;     /* it waits now */
	bool again;      /* it had waited */
	int64_t noticed; /* of such one: clock_mono_ms() of what had woken it, 0: nothing had */
	int64_t ms;
	unsigned trips;
	uint64_t in, out;
};

/* `beside`: the waiter's socket. anew: everything starts at nought. */
void metrics_open(const char *beside, bool anew);
/* Back to counting for this process alone. */
void metrics_close(void);

void metrics_request(const struct metrics_request *r);
/* The waiter has ended a wait; noticed: as above. */
void metrics_ended(enum metrics_end how, int64_t noticed);
/* The waiter has given a wait to a worker, who looks. */
void metrics_handed_over(void);
/* The waiter says every few seconds how many wait, and for a worker; else it is held for dead.
 */
void metrics_waiter(size_t waiting, size_t jobs);
/* What the waiter hears of listeners, likewise. */
void metrics_listeners(size_t alive, size_t watched);
void metrics_dav_listeners(size_t alive, size_t watched);
void metrics_workers(size_t n);

/* The text format of Prometheus, 0.0.4. */
void metrics_print(struct buf *b);

/* The same in short. */
struct metrics_now {
	int64_t since;     /* wall time, seconds */
	uint64_t requests; /* since then */
	uint64_t failed;   /* of them, by us or by a backend */
	uint64_t ended[METRICS_ENDS];
	uint64_t waiting, jobs; /* 0 without a waiter */
	uint64_t workers;       /* 0: there is no parent that knows */
	bool waiter;
};
void metrics_now(struct metrics_now *r);

#endif
