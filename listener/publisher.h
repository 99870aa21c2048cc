/*
 * publisher: what is to be written to the database is gathered for a moment and then written,
 * or held while the database is away.
 */
#ifndef EASPOOL_LISTENER_PUBLISHER_H
#define EASPOOL_LISTENER_PUBLISHER_H

#include "listener/batch.h"

struct ids {
	int64_t *v;
	size_t n, cap;
};

struct publisher {
	struct events events;
	struct batch batch;
	struct ids watched, unwatched;
	int64_t due;     /* when to write, -1: there is nothing */
	int64_t retry;   /* not before: the database is away */
	unsigned tries;  /* that failed in a row */
	bool used;       /* the connection was used: it may have heard something */
	bool incomplete; /* something was dropped: all has to be told again */
};

void publisher_init(struct publisher *p);
void publisher_release(struct publisher *p);

void publisher_event(struct publisher *p, const struct event *e);
void publisher_hierarchy(struct publisher *p, struct str login);
/* The marks of the account are complete in the database from now on, or not kept any more. */
void publisher_watched(struct publisher *p, int64_t account, bool watched);

/* Whether the database may be used now. */
bool publisher_ready(const struct publisher *p, int64_t now);
/* What came of using it, of everyone who does; written to the log when that changes. */
bool publisher_result(struct publisher *p, enum rc rc, const struct err *err);
/* Writes what is due. */
void publisher_run(struct publisher *p, int64_t now);

#endif
