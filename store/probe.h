/*
 * probe: is a mail server there, and does its TLS hold? For easctl doctor: no login.
 */
#ifndef EASPOOL_STORE_PROBE_H
#define EASPOOL_STORE_PROBE_H

#include "core/settings.h"

/* Connects as the server would, TLS included. RC_UNAVAILABLE with a sentence that says why. */
MUST_USE enum rc probe_imap(const struct settings *conf, struct err *err);
MUST_USE enum rc probe_smtp(const struct settings *conf, struct err *err);

#endif
