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

/* Who tells of a mail. */
enum event_source {
	EVENT_NOTIFY, /* nobody: we send the notice of one that does not exist */
	EVENT_BOTH,   /* we, after having delivered it by LMTP */
	EVENT_LMTP,   /* the server's own listener; we only deliver */
};

/* A lab whose accounts are copies of the first, which a real phone has set up. */
struct seed push_lab(
	unsigned accounts, unsigned devices, unsigned workers, unsigned connections);
/* A connection to its database. */
PGconn *push_connect(void);
void push_sql(PGconn *c, const char *fmt, ...) PRINTF_LIKE(2, 3);
int64_t push_number(PGconn *c, const char *sql);

/* --- a listener, if the server has none (else c is NULL): it only lives */

void push_listener_keep(PGconn *c, int64_t now_us);

/* --- events */

struct events {
	enum event_source source;
	unsigned accounts;
	PGconn *c;
	int64_t *account, *folder; /* of account i + 1: its id, the row of its inbox */
	uint32_t *uidnext;
	int lmtp;
};

void events_init(struct events *e, enum event_source source, unsigned accounts);
void events_release(struct events *e);
/* A mail for that account. how: 'n' or, of EVENT_NOTIFY only, 'a'. */
void events_send(struct events *e, unsigned account, char how);

/* --- what it takes */

enum { PROCESSES = 512 };

struct usage {
	size_t n;
	long pss_kb, waiter_kb, workers_kb, nginx_kb, slab_kb;
	int64_t cpu_us, waiter_us;
	size_t workers, waiter_descriptors;
};

struct usage push_usage(void);
/* Descriptors of the waiter. */
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
