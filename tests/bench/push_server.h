/*
 * push_server: the server's side of bench_push: a lab with many accounts and devices, what its
 * processes use, what is written to its database, and the events that a mail server would
 * cause.
 */
#ifndef EASPOOL_TESTS_BENCH_PUSH_SERVER_H
#define EASPOOL_TESTS_BENCH_PUSH_SERVER_H

#include "tests/bench/push_fleet.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <sys/types.h>

struct lab_plan {
	unsigned accounts, devices, workers, connections;
	const char *source; /* of its listener; NULL: it has none, and we play it */
	bool alone;         /* the workers keep next to no IMAP sessions */
};

/* A lab whose accounts are copies of the first, which a real phone has set up. */
struct seed push_lab(const struct lab_plan *p);
/* A connection to one of its ports; what: its name. */
int push_reach(const char *port, const char *what);
/* A connection to its database. */
PGconn *push_connect(void);
PGresult *push_query(PGconn *c, const char *sql);
void push_sql(PGconn *c, const char *fmt, ...) PRINTF_LIKE(2, 3);
int64_t push_number(PGconn *c, const char *sql);

/* --- more hosts: pools of their own on the same database; number 0 is the lab's */

enum { POOLS = 4 };

void push_pool_start(unsigned pool);
void push_pools_stop(void);

/* --- a listener, if the server has none (else c is NULL): it only lives */

void push_listener_keep(PGconn *c, int64_t now_us);

/* --- what it takes */

enum { PROCESSES = 512 };

struct usage {
	size_t n;
	/* pss, cpu: of all easpool processes, of all pools */
	long pss_kb, waiter_kb, workers_kb, listener_kb, nginx_kb, dovecot_kb, slab_kb;
	int64_t cpu_us, waiter_us, listener_us;
	size_t workers, waiter_descriptors;
};

struct usage push_usage(void);
/* Descriptors of the waiters. */
size_t push_waiting(void);

/* Rows that were inserted, changed or deleted, of one table or ("") of all but that of devices.
 * What was done in the last ten seconds may be missing. */
int64_t push_writes(PGconn *c, const char *table);
/* Successful logins in the log of the IMAP server. */
size_t push_logins(void);

/* --- lines that come into easpool's log */

struct tail {
	FILE *f;
	size_t waits; /* Pings that were handed over to the waiter */
	size_t trips; /* round trips to IMAP of Pings */
};

void tail_open(struct tail *t);
void tail_read(struct tail *t);
void tail_close(struct tail *t);

#endif
