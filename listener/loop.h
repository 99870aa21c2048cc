/*
 * loop: the one place where easlistend waits: epoll, with libcurl's connections that are being
 * opened in it.
 */
#ifndef EASPOOL_LISTENER_LOOP_H
#define EASPOOL_LISTENER_LOOP_H

#include <stdbool.h>
#include <stdint.h>

/* Part of whatever waits for a descriptor. events: EPOLLIN and so on. */
struct loop_io {
	void (*ready)(struct loop_io *io, unsigned events);
};

/* Part of whatever opens a connection. code: libcurl's. */
struct loop_transfer {
	void (*done)(struct loop_transfer *t, int code);
};

struct loop {
	int epoll;
	void *multi;
	int64_t curl_due; /* -1: never */
};

void loop_init(struct loop *l);
void loop_release(struct loop *l);

bool loop_add(struct loop *l, int fd, unsigned events, struct loop_io *io);
void loop_change(struct loop *l, int fd, unsigned events, struct loop_io *io);
void loop_remove(struct loop *l, int fd);

/* curl: a CONNECT_ONLY handle. It stays in until loop_drop(), which ends it. */
void loop_connect(struct loop *l, void *curl, struct loop_transfer *t);
void loop_drop(struct loop *l, void *curl);

/* Waits at most timeout_ms for something, and deals with it. How long it has waited. */
int64_t loop_turn(struct loop *l, int64_t timeout_ms);

#endif
