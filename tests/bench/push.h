/*
 * push: the parts of bench_push, and what they share.
 */
#ifndef EASPOOL_TESTS_BENCH_PUSH_H
#define EASPOOL_TESTS_BENCH_PUSH_H

#include "tests/bench/push_events.h"

struct push_options {
	unsigned phones, idle, rate, seconds, rounds;
	enum event_source event;
	const char *source; /* of the lab's listener; NULL: there is none */
};
extern struct push_options push_options;

/* The parts. */
void push_hold(void);
void push_direct(void);
void push_hosts(void);
void push_pool(void);
void push_watch(void);
void push_wake(void);
void push_burst(void);
void push_renew(void);
void push_notify(void);

/* Answers: Status 2, any other, HTTP errors. */
struct counts {
	size_t told, odd, refused;
};
extern struct counts push_counts;
/* A fleet's `answered` that counts them. */
void push_note(struct fleet *f, struct member *m, const struct answered *a);

/* Until all those accounts are watched by the lab's listener. */
void push_await_watch(PGconn *c, unsigned accounts);
/* To the process that we belong to. */
void push_put(int fd, const void *p, size_t n);
/* Time passes in which the listener, which there is not, lives. */
void push_rest(PGconn *c, unsigned seconds);
/* Lets all wait: returns when the last is held by the waiter, or answered. c: NULL for no
 * listener to keep alive. */
void push_hand_over(struct fleet *f, PGconn *c);
/* Median and so on of microseconds; sorts them. */
void push_print_times(const char *what, int64_t *v, size_t n);

#endif
