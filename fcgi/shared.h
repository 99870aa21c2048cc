/*
 * shared: memory that the parent shares with the workers it forks from now on.
 */
#ifndef EASPOOL_FCGI_SHARED_H
#define EASPOOL_FCGI_SHARED_H

#include <stddef.h>

/* Zeroed. Ends the process when there is none. */
void *shared_new(size_t n);
/* p may be NULL. */
void shared_free(void *p, size_t n);

#endif
