/*
 * push_events: the events that a mail server would cause, and processes that cause as many as
 * they can.
 */
#ifndef EASPOOL_TESTS_BENCH_PUSH_EVENTS_H
#define EASPOOL_TESTS_BENCH_PUSH_EVENTS_H

#include "tests/bench/push_server.h"

/* Who tells of a mail. */
enum event_source {
	EVENT_NOTIFY, /* nobody: we send the notice of one that does not exist */
	EVENT_BOTH,   /* we, after having delivered it by LMTP */
	EVENT_LMTP,   /* the server's own listener; we only deliver */
	EVENT_URL,    /* we tell the listener's URL of a mail that does not exist */
	EVENT_STORED, /* likewise, of mails that were stored before without a word of it */
};

struct events {
	enum event_source source;
	unsigned accounts;
	PGconn *c;
	int64_t *account, *folder; /* of account i + 1: its id, the row of its inbox */
	uint32_t *uidnext;
	int lmtp, url;
};

void events_init(struct events *e, enum event_source source, unsigned accounts);
void events_release(struct events *e);
/* A mail for that account. how: 'n' or, of EVENT_NOTIFY only, 'a'. */
void events_send(struct events *e, unsigned account, char how);

/* So many mails for each account, of which Dovecot tells nobody. */
void events_store(unsigned accounts, unsigned each);

/* --- several that send at the same time, each to accounts of its own */

enum { SENDERS = 4 };

struct senders {
	pid_t pid[SENDERS];
	unsigned accounts;
	unsigned *sent; /* of account i + 1; shared with them */
};

/* For so many seconds; rate: events a second of all together, 0: as many as they can. */
void senders_start(struct senders *s, enum event_source source, unsigned accounts,
	unsigned rate, unsigned seconds);
/* Whether they are at work. */
bool senders_work(const struct senders *s);
size_t senders_sent(const struct senders *s);
void senders_end(struct senders *s);

#endif
