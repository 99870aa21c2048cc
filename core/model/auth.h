/*
 * auth: is this the user's password? Implemented by store/imap (a login) and tests/fake_auth.c.
 */
#ifndef EASPOOL_CORE_MODEL_AUTH_H
#define EASPOOL_CORE_MODEL_AUTH_H

#include "core/base/err.h"
#include "core/base/secret.h"

struct auth {
	/* RC_OK, RC_DENIED (wrong), RC_UNAVAILABLE (cannot tell now: never a 401). */
	enum rc (*check)(struct auth *au, struct str login, const struct secret *password,
		struct err *err);
};

#endif
