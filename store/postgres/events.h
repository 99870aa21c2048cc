/*
 * events: the listener's side of the database: what changed in mailboxes is written down and
 * told to the waiters, and the listeners know of each other and of who waits.
 *
 * Channel `easpool`, to the waiters:
 *     c ACCOUNT FOLDER SEQ UIDNEXT HOW   how: n a mail was delivered, a something may have been
 *                                        added, f something else changed; UIDNEXT 0: not known
 *     h ACCOUNT SEQ                      folders may have come, gone or got another name
 *     u ACCOUNT                          nobody watches it any more
 * and from the workers d DEVICE (state.h, watch_own).
 * Channel `easpool_watch`, from the workers: an account of which a device waits now.
 */
#ifndef EASPOOL_STORE_POSTGRES_EVENTS_H
#define EASPOOL_STORE_POSTGRES_EVENTS_H

#include "core/model/mail.h"
#include "store/postgres/conn.h"

enum event_how { EVENT_OTHER, EVENT_ADDED, EVENT_DELIVERED };

struct event {
	struct str login, path; /* UTF-8 */
	enum event_how how;
	/*
	 * How the folder stands now: it is an event only if that is not known yet. uidvalidity
	 * 0: not known, and it is one in any case; uidnext is then one more than the UID of the
	 * newest mail, or 0.
	 */
	struct mail_mark mark;
	bool forced; /* it is an event in any case */
};

struct events {
	struct conn own, *conn; /* conn: that, or somebody else's */
	struct str id, host;    /* of this listener; borrowed */
	const char *source;
	unsigned heard_at; /* conn->opened when LISTEN was said */
};

struct events_account {
	int64_t id;
	struct str login;
	int64_t done;    /* hierarchy_change.done */
	int64_t waiting; /* since how many seconds */
};

struct events_accounts {
	struct events_account *v; /* by id */
	size_t n;
};

/* conf, id and host are borrowed. The connection is opened when first used, and again. e stays
 * where it is. */
void events_init(struct events *e, const struct settings *conf, struct str id, struct str host,
	const char *source);
/* Over a connection that is somebody else's. */
void events_init_over(struct events *e, struct conn *conn, struct str id, struct str host,
	const char *source);
void events_close(struct events *e);

/* At most EVENTS_MOST, each (login, path) once. Accounts of which nobody waits, and folders
 * that are not known, do not count. */
enum { EVENTS_MOST = 2000 };
MUST_USE enum rc events_publish(
	struct events *e, const struct event *v, size_t n, struct err *err);
/* Folders of these logins may have come or gone. */
MUST_USE enum rc events_hierarchy(
	struct events *e, const struct str *logins, size_t n, struct err *err);

/* This listener lives. Listeners that were not seen for a minute are forgotten. */
MUST_USE enum rc events_beat(struct events *e, struct err *err);
/* It may not have heard everything until now: marks of before are no good. */
MUST_USE enum rc events_renew(struct events *e, struct err *err);
/* It ends: what it watched is not watched any more. */
MUST_USE enum rc events_leave(struct events *e, struct err *err);
/* The ids of the listeners of the same source that live; here: of this host only. */
MUST_USE enum rc events_listeners(struct events *e, bool here, struct arena *a,
	struct str **ids_r, size_t *n_r, struct err *err);

/* The accounts of which a device waits; here: at this host. only: these, n = 0: all. */
MUST_USE enum rc events_waiting(struct events *e, bool here, const int64_t *only, size_t n,
	struct arena *a, struct events_accounts *r, struct err *err);
/* From now on the marks of these accounts are kept by this listener, or are not. */
MUST_USE enum rc events_watched(
	struct events *e, const int64_t *accounts, size_t n, bool watched, struct err *err);

/* The socket to wait on, -1: none now; changes whenever conn->opened does. */
int events_socket(const struct events *e);
/*
 * The accounts that workers named since the last time, into the arena; false: all may be
 * meant, since something may have been missed. To be called whenever the socket can be read,
 * and before waiting on it.
 */
bool events_heard(struct events *e, struct arena *a, int64_t **accounts_r, size_t *n_r);

#endif
