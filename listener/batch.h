/*
 * batch: events on their way to the database, gathered for a moment: what happens to a folder
 * meanwhile is one event, and a thousand folders are one statement.
 */
#ifndef EASPOOL_LISTENER_BATCH_H
#define EASPOOL_LISTENER_BATCH_H

#include "store/postgres/events.h"

/* What the database could not take yet is held up to here. */
enum { BATCH_MOST = 20000 };

struct batch {
	struct arena *arena;
	struct event *v; /* texts in the arena */
	size_t n, cap;
	struct str *hierarchies; /* logins */
	size_t nhierarchies, hierarchies_cap;
	size_t *slots; /* open addressing: index + 1 into v */
	size_t nslots;
	bool over; /* something was dropped */
};

void batch_init(struct batch *b);
void batch_release(struct batch *b);
/* Copies. An event of a folder that is there already is joined with it. */
void batch_add(struct batch *b, const struct event *e);
void batch_add_hierarchy(struct batch *b, struct str login);
bool batch_empty(const struct batch *b);
/* Empties it. */
void batch_reset(struct batch *b);

#endif
