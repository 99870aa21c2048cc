/* clang-format off: the list. */
/*
 * link: how the processes of a host talk to its waiter: packets on a unix socket
 * (SOCK_SEQPACKET), some with a descriptor. Only processes of the same user, or root's, are
 * heard. The waiter greets with LINK_HELLO: what it works with (link_identity()), and an
 * eventfd that holds how many woken requests there are to take.
 *
 *   worker    LINK_PARK     a waiting request with its descriptor
 *             LINK_END      the older waits of a device end
 *             LINK_TAKE     answered by LINK_JOB, a woken request with its descriptor and, in
 *                           front, when it was that it woke; or by LINK_NONE
 *   listener  LINK_ACCOUNT  answered by LINK_SECRET, the account's credentials, or LINK_NONE
 *   easctl    LINK_LIST     answered by LINK_WAITS for each waiting request, then LINK_NONE
 */
/* clang-format on */
#ifndef EASPOOL_STORE_WAITER_LINK_H
#define EASPOOL_STORE_WAITER_LINK_H

#include "core/base/arena.h"
#include "core/base/buf.h"
#include "core/base/err.h"
#include "core/base/secret.h"
#include "core/model/wait.h"
#include "core/settings.h"

enum link_type {
	LINK_HELLO = 'h',
	LINK_PARK = 'p',
	LINK_END = 'e',
	LINK_TAKE = 't',
	LINK_JOB = 'j',
	LINK_NONE = 'n',
	LINK_ACCOUNT = 'a',
	LINK_SECRET = 's',
	LINK_LIST = 'l',
	LINK_WAITS = 'w',
};

/* A packet, and a waiting request in one: its type and a number stand in front. */
enum { LINK_PACKET_MAX = 160 * 1024, LINK_WAIT_MAX = LINK_PACKET_MAX - 16 };

/* Nobody could look: it is to be done later, whatever was heard. */
enum { LINK_LOOK_FAILED = 0 };

/* A waiting request on its way. Times are clock_mono_ms(), the same for all of a host. */
struct link_wait {
	struct wait wait;
	int64_t account, device;
	unsigned request_id;  /* FastCGI's */
	int64_t began, until; /* of the whole wait, however often it was looked after */
	int64_t looked;     /* the seqs were read after this; LINK_LOOK_FAILED: they are old */
	int64_t noticed;    /* of LINK_JOB, not encoded: when the notice came; 0: none did */
	struct str request; /* what it takes to run it again; opaque here */
};

/* What a waiter works with, as a number: its database and mail server. */
uint64_t link_identity(const struct settings *conf);

/* A connected socket, -1 with errno. */
int link_open(const char *path);
/* A listening socket at that path, in place of one that nobody listens on; -1 with errno. */
int link_listen(const char *path);
/* Whether the peer may talk to us. */
bool link_trusted(int s);

/* Sends a packet; fd -1: without one. False: the peer is gone, or (MSG_DONTWAIT) has no room.
 */
bool link_send(int s, enum link_type type, struct str body, int fd);
/*
 * The next packet, waited for at most timeout_ms. The body is in b until the next call; a
 * descriptor that came along is the caller's (*fd_r, -1: none). 0 when there is none; negative
 * when the peer is gone.
 */
int link_receive(int s, int timeout_ms, struct buf *b, struct str *body_r, int *fd_r);

void link_wait_encode(const struct link_wait *w, struct buf *b);
/* Texts borrow from `in`; the folders are in the arena. */
MUST_USE enum rc link_wait_decode(struct str in, struct arena *a, struct link_wait *w);

/*
 * Login and password of an account of which a device waits here. RC_ABSENT: nobody does, or he
 * came without a password (the master user is for him); RC_UNAVAILABLE: there is no waiter.
 */
MUST_USE enum rc link_credentials(const char *path, int64_t account, struct arena *a,
	struct str *login_r, struct secret *password_r, struct err *err);

#endif
