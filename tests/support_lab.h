/*
 * support_lab: the real servers for a test, started by tests/lab/up. When LAB_DIR is set
 * already, the lab that runs there is used and left alone.
 */
#ifndef EASPOOL_TESTS_SUPPORT_LAB_H
#define EASPOOL_TESTS_SUPPORT_LAB_H

#include <stdbool.h>

/* Starts a lab with that many users ("user01@example.test" ...); ends the process on failure.
 */
void lab_up(unsigned users);
/* The same without nginx and easpool: PostgreSQL, Dovecot and the submission server. */
void lab_up_backends(unsigned users);
/* Stops it. Also done at exit. */
void lab_down(void);

/* A variable of lab.env; ends the process when there is none. */
const char *lab_get(const char *key);
/* A worker of the pool, or its waiter, killed without warning. */
void lab_kill_a_worker(unsigned pick);
/* The process that holds the waiting requests. */
long lab_waiter(void);
/* Whether a process sleeps more than it runs, seen for a second in which it has nothing to do.
 */
bool lab_rests(long pid);
/* Something breaks, and is started again as a supervisor would; tests/lab/fault has the list.
 */
void lab_break(const char *what);

#endif
