/*
 * dialogue: what is said on a connection that watches a mailbox, once it is logged in. No I/O:
 * responses go in, commands come out, and what changed is told.
 *
 * With NOTIFY (RFC 5465) the server tells how folders stand, first of all and then of those
 * that changed. Without, the Inbox is watched with IDLE (RFC 2177), and all folders are
 * compared with what they were every round. Marks are kept from one connection to the next, so
 * that what happened between them is noticed.
 */
#ifndef EASPOOL_LISTENER_DIALOGUE_H
#define EASPOOL_LISTENER_DIALOGUE_H

#include "core/base/buf.h"
#include "core/base/err.h"
#include "listener/marks.h"
#include "store/postgres/events.h"

struct dialogue;

struct dialogue_ops {
	/* How a folder stands; forced: it changed, even if the mark is as before. */
	void (*stands)(struct dialogue *d, struct str path, const struct mail_mark *mark,
		enum event_how how, bool forced);
	/* Folders came, went, got another name. */
	void (*hierarchy)(struct dialogue *d);
	/* Everything was told once; from now on every change is. */
	void (*established)(struct dialogue *d);
};

struct dialogue {
	const struct dialogue_ops *ops;
	bool notify;      /* to be used where the server has it */
	int64_t round_ms; /* from one look at all folders to the next, without NOTIFY */
	struct marks marks;
	bool based; /* the marks are from a connection before this one */

	/* Of this connection. */
	struct buf out; /* to be sent; the caller takes it away */
	int step;
	unsigned caps, tag, open;
	int worst; /* result of the commands at hand, enum imap_status */
	unsigned round;
	bool capable, told, established, dirty, idling, refused;
	int64_t now, spoken, next, idle_since; /* spoken: either side; next: something is due */
};

void dialogue_init(struct dialogue *d, const struct dialogue_ops *ops);
void dialogue_release(struct dialogue *d);

/* A new connection. caps: what the server can do; known false: it did not say. */
void dialogue_begin(struct dialogue *d, bool known, unsigned caps, int64_t now);
/* A whole response, without its CRLF. RC_UNAVAILABLE, RC_INVALID: the connection is useless. */
MUST_USE enum rc dialogue_response(
	struct dialogue *d, struct str response, int64_t now, struct err *err);
/* To be called now and then. RC_UNAVAILABLE: silent for longer than timeout_ms. */
MUST_USE enum rc dialogue_tick(
	struct dialogue *d, int64_t now, int64_t timeout_ms, struct err *err);
/* Whether it asked for NOTIFY and got it. */
bool dialogue_is_told(const struct dialogue *d);

#endif
