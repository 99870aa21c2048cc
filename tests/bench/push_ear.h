/*
 * push_ear: hears of a mail itself, from the database and (as the listener does) from the IMAP
 * server, so that what a phone waits for is not mistaken for what the server takes.
 */
#ifndef EASPOOL_TESTS_BENCH_PUSH_EAR_H
#define EASPOOL_TESTS_BENCH_PUSH_EAR_H

#include "tests/bench/push_server.h"

struct ear {
	PGconn *c;
	const char *source; /* notify or idle: how it watches the mailbox; else it does not */
	int imap;
	int64_t account;
	int64_t shown, noticed; /* bench_us() of the first time; 0: not yet */
};

void ear_open(struct ear *e, const char *source);
void ear_close(struct ear *e);
/* Forgets what it heard, and is for that account only: its number, its id. */
void ear_turn_to(struct ear *e, unsigned account, int64_t id);
/* Until something comes, or other_fd can be read, or for timeout_ms. */
void ear_listen(struct ear *e, int other_fd, int timeout_ms);

#endif
