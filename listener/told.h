/*
 * told: what a mail server tells of a change, in JSON: scripts/dovecot/easpool-push.lua says
 *
 *     {"user": "a@b", "events": [{"event": "MessageNew", "folder": "INBOX", "uid": 7}, ...]}
 *
 * with "missed": true when it could not tell what happened before;
 *
 * and Dovecot's own OX driver one event at a time
 *
 *     {"user": "a@b", "event": "messageNew", "folder": "INBOX", "imap-uid": 7, ...}
 */
#ifndef EASPOOL_LISTENER_TOLD_H
#define EASPOOL_LISTENER_TOLD_H

#include "store/postgres/events.h"

struct told {
	bool hierarchy; /* of event.login's folders; else of one folder */
	struct event event;
};

struct told_list {
	struct told *v;
	size_t n;
	bool missed; /* what happened before could not be told */
};

/* Into the arena; what is of no interest is left out. domain: of logins without one.
 * RC_INVALID: it is neither form. */
MUST_USE enum rc told_read(struct str json, struct str domain, struct arena *a,
	struct told_list *r, struct err *err);

#endif
