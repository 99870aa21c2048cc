/*
 * owner: which of several listeners watches an account. Each works it out for itself, and when
 * one comes or goes only its own accounts change hands (rendezvous hashing).
 */
#ifndef EASPOOL_LISTENER_OWNER_H
#define EASPOOL_LISTENER_OWNER_H

#include "core/base/str.h"

/* Whether it is `own`, one of the n listeners. With nobody else known it is. */
bool owner_is(const struct str *listeners, size_t n, struct str own, int64_t account);

#endif
