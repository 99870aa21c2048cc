/*
 * submit: hand a message over for delivery. Implemented by store/smtp and tests/fake_submit.c.
 */
#ifndef EASPOOL_CORE_MODEL_SUBMIT_H
#define EASPOOL_CORE_MODEL_SUBMIT_H

#include "core/base/err.h"
#include "core/base/stream.h"

struct submit {
	/*
	 * Addresses are bare ("user@example.org"). The message comes with CRLF or LF line ends
	 * and goes out with CRLF. RC_OK: the server took responsibility. RC_UNAVAILABLE: not
	 * taken, try again (4xx, no connection). RC_LIMIT with ERR_TOO_LARGE or ERR_QUOTA.
	 * RC_DENIED with ERR_BAD_RECIPIENT (a recipient was refused: nothing is sent to
	 * anybody) or ERR_REFUSED.
	 */
	enum rc (*send)(struct submit *s, struct str from, const struct str *to, size_t nto,
		struct source *message, struct err *err);
};

#endif
