/*
 * support_notices: as much of PostgreSQL as the waiter sees of it, in a process of its own: it
 * takes the waiter's statements, says that one listener is alive, and notifies as it is told.
 */
#ifndef EASPOOL_TESTS_SUPPORT_NOTICES_H
#define EASPOOL_TESTS_SUPPORT_NOTICES_H

#include <stdbool.h>

/* At "host=DIR" from now on. */
void notices_up(const char *dir);
/* Until the waiter listens and has been told of the listener; false: it does not come. */
bool notices_awaited(int patience_ms);
/* A notice of the channel. */
void notices_tell(const char *payload);
void notices_down(void);

#endif
