/*
 * held: the requests that wait at the waiter, found by account, by device, and by the time at
 * which something is to be done with them. One a device. Some 150 bytes each beside what it
 * takes to run the request again.
 */
#ifndef EASPOOL_FCGI_HELD_H
#define EASPOOL_FCGI_HELD_H

#include "store/waiter/link.h"

/* What is in an epoll set. */
enum polled_kind { POLLED_LISTEN, POLLED_CLIENT, POLLED_HELD, POLLED_NOTICES, POLLED_SIGNAL };
struct polled {
	enum polled_kind kind;
	int fd; /* -1: closed meanwhile */
};

struct held {
	struct polled polled; /* first */
	uint32_t n;           /* of bytes */
	int64_t account, device;
	int64_t began, until, looked;
	int64_t poll_at;           /* when to look whatever was heard; 0: not at all */
	int64_t own_until;         /* until then the device is moving mails itself */
	struct held *next, **back; /* those of the account */
	struct held *later, **due; /* those to be seen to in the same second */
	void *job;                 /* its place in the queue for workers; NULL: not in it */
	int64_t job_since;
	int64_t noticed; /* when the first notice came that may end it; 0: none did */
	unsigned request_id, poll;
	bool covered, additions, sync;
	bool direct; /* in the queue, and may be told of changes without another look */
	uint32_t direct_folder; /* of which; an index */
	char bytes[];           /* the packet of its hand-over */
};

struct held_table;

struct held_table *held_table_new(int64_t now_ms);
/* All that are still held are forgotten, their descriptors closed. */
void held_table_free(struct held_table *t);
size_t held_count(const struct held_table *t);

/* Takes a packet and its descriptor over. NULL: it is unreadable, the descriptor closed. */
struct held *held_add(struct held_table *t, struct str packet, int fd, struct arena *scratch);
/* Forgets it, closes its descriptor. The memory goes with held_sweep(). */
void held_drop(struct held_table *t, struct held *h);
/* To be called when nobody has pointers to dropped ones any more. */
void held_sweep(struct held_table *t);

/* The first of an account, the others behind `next`; NULL. */
struct held *held_of_account(struct held_table *t, int64_t account);
struct held *held_of_device(struct held_table *t, int64_t device);
/* Its times were changed. */
void held_schedule(struct held_table *t, struct held *h);
/* One whose time has come, by until or poll_at; NULL: none. It is scheduled no more. */
struct held *held_due(struct held_table *t, int64_t now_ms);
/* Calls for each. */
void held_each(struct held_table *t, void (*each)(void *ctx, struct held *h), void *ctx);

/* What it waits for, decoded into the arena. */
struct link_wait held_wait(const struct held *h, struct arena *a);

#endif
