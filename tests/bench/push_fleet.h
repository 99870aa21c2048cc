/*
 * push_fleet: thousands of phones in one process, on sockets that do not block. A phone has one
 * request on its way at a time; what comes back is told to `answered`, which may let it ask
 * again. They go through nginx, or straight to easpool's FastCGI socket.
 */
#ifndef EASPOOL_TESTS_BENCH_PUSH_FLEET_H
#define EASPOOL_TESTS_BENCH_PUSH_FLEET_H

#include "core/base/buf.h"

#include <stdint.h>

enum doing { RESTING, PINGING, SYNCING };

struct member {
	int fd;
	enum doing doing, again;  /* again: what it was refused, and will ask for once more */
	unsigned account, device; /* numbers, from 1 */
	char key[32];             /* of its inbox */
	struct buf in;
	int64_t asked;  /* bench_us() of its request */
	int64_t told;   /* of the first byte of the answer; 0: none yet */
	int64_t owed;   /* when something happened for which it was waiting; 0: nothing */
	uint64_t found; /* messages that it was sent */
	unsigned rounds;
};

struct answered {
	long http; /* 0: the connection ended without an answer */
	unsigned status;
	unsigned added;
};

/* What all phones have in common: they are copies of one that was set up by real requests. */
struct seed {
	unsigned policy_key;
	char inbox[72], key[32];
};

struct fleet {
	struct seed seed;
	bool direct;   /* the FastCGI socket instead of nginx */
	unsigned pool; /* which, if direct */
	struct member *v;
	size_t n, busy; /* busy: with a request on its way */
	int epoll;
	unsigned heartbeat;
	void (*answered)(struct fleet *f, struct member *m, const struct answered *a);
	void *ctx;
};

/* Members of accounts first, first + 1 ... with `devices` each. */
void fleet_init(struct fleet *f, const struct seed *seed, unsigned first, unsigned accounts,
	unsigned devices);
void fleet_release(struct fleet *f);

void fleet_ping(struct fleet *f, struct member *m);
void fleet_sync(struct fleet *f, struct member *m);
/* Takes what has come; waits for it at most timeout_ms. */
void fleet_step(struct fleet *f, int timeout_ms);
/* A request of that kind whose body does not end; a descriptor. */
int fleet_hold_worker(const struct fleet *f, struct member *m);

/* "user01@example.test" */
void fleet_user(unsigned account, char *r, size_t size);

#endif
