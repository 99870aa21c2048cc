/*
 * watcher: one account whose mailbox is watched: its IMAP connection, opened again with growing
 * pauses when it is lost, and the dialogue on it.
 *
 *     OFF --(due, a place among the logins is free)--> CONNECTING --> TALKING
 *      ^-------------- lost, refused, silent ---------------'------------'
 */
#ifndef EASPOOL_LISTENER_WATCHER_H
#define EASPOOL_LISTENER_WATCHER_H

#include "core/base/secret.h"
#include "core/settings.h"
#include "listener/dialogue.h"
#include "listener/loop.h"
#include "store/server.h"

struct watcher;

struct watcher_ops {
	struct dialogue_ops dialogue; /* watcher_of() gives the watcher */
	/* The mailbox is not watched any more; only after `established`. */
	void (*lost)(struct watcher *w);
};

/* What all watchers share. */
struct watchers {
	const struct settings *conf;
	bool notify;
	struct loop *loop;
	const struct watcher_ops *ops;
	unsigned connecting;
	int64_t no_waiter_until; /* the waiter did not answer: nobody asks it before */
	bool no_waiter;
	bool without_notify; /* it was said that the server has no NOTIFY */
	void *ctx;
};

enum watcher_state { WATCHER_OFF, WATCHER_CONNECTING, WATCHER_TALKING };

struct watcher {
	struct watchers *all;
	int64_t account;
	char *login;
	int64_t done; /* hierarchy_change.done, as last seen */
	bool late;    /* it was waiting long before we came */
	bool present; /* mark of a sweep */
	enum watcher_state state;
	struct dialogue dialogue;
	void *curl;
	int fd;
	struct loop_io io;
	struct loop_transfer transfer;
	struct server_line *said; /* while connecting */
	struct buf in;
	size_t sent;  /* of dialogue.out */
	bool blocked; /* the server does not take more now */
	int64_t due;
	unsigned tries, absent; /* in vain: to connect, to be told the password */
	enum rc trouble;        /* as last written to the log */
};

struct watcher *watcher_new(struct watchers *all, int64_t account, struct str login);
/* Says good-bye to the server. `lost` is not called. */
void watcher_free(struct watcher *w);
struct watcher *watcher_of(struct dialogue *d);

/* Opens the connection if it is due, and looks after one that is open. */
void watcher_tick(struct watcher *w, int64_t now);

#endif
