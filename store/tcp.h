/*
 * tcp: a socket that listens at HOST:PORT.
 */
#ifndef EASPOOL_STORE_TCP_H
#define EASPOOL_STORE_TCP_H

#include "core/base/str.h"

/* place: as in the settings, also [::1]:PORT, and :PORT for every address. -1 with errno. */
int tcp_listen(struct str place);

#endif
