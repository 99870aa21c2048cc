/*
 * err: a sentence for the log, and a small reason for the program.
 *
 * The place that sees a failure calls err_set(); a layer above may prefix what it was doing
 * with err_wrap(). The sentence never holds a credential, a body or a subject. It is logged
 * once, by the request loop. Every function takes err == NULL ("nobody asks for the sentence").
 */
#ifndef EASPOOL_CORE_BASE_ERR_H
#define EASPOOL_CORE_BASE_ERR_H

#include "core/base/rc.h"

/* A finer reason where the answer to the device depends on it; ERR_PLAIN in all other cases. */
enum err_why {
	ERR_PLAIN = 0,
	ERR_QUOTA,         /* the mailbox is full */
	ERR_TOO_LARGE,     /* message or attachment larger than the backend takes */
	ERR_NO_RECIPIENT,  /* there is nobody to send to */
	ERR_BAD_RECIPIENT, /* the backend refused a recipient */
	ERR_REFUSED,       /* the backend refused the content or the sender for good */
	ERR_BAD_WBXML,     /* not decodable as WBXML */
	ERR_BAD_MIME,      /* not readable as a MIME message */
	ERR_TIMEOUT,       /* the backend was silent too long */
	ERR_NO_TARGET,     /* it is where something is to go that is not there */
};

struct err {
	enum rc rc;
	enum err_why why;
	char text[480];
};

#define ERR_INIT                                                                               \
	{                                                                                      \
		RC_OK, ERR_PLAIN, ""                                                           \
	}

/* Sets the sentence and returns rc, so that `return err_set(err, RC_ABSENT, ...)` reads well.
 */
enum rc err_set(struct err *err, enum rc rc, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* The same with a reason. */
enum rc err_set_why(struct err *err, enum rc rc, enum err_why why, const char *fmt, ...)
	PRINTF_LIKE(4, 5);

/* Puts "<what>: " in front of the sentence; returns the rc that err holds. */
enum rc err_wrap(struct err *err, const char *fmt, ...) PRINTF_LIKE(2, 3);

void err_clear(struct err *err);

#endif
