/*
 * session: one logged-in IMAP connection. libcurl carries the bytes (TCP, TLS, STARTTLS, SASL);
 * commands are queued, sent together and answered in one round trip.
 *
 *     session_queue(s, "SELECT %s", session_mailbox(...));
 *     session_queue(s, "UID FETCH ...");
 *     rc = session_run(s, a, on_untagged, ctx, err);     then s->results[0], s->results[1]
 *
 * After RC_UNAVAILABLE or RC_INVALID the connection is in an unknown state: `broken` is set and
 * it must be closed.
 */
#ifndef EASPOOL_STORE_IMAP_SESSION_H
#define EASPOOL_STORE_IMAP_SESSION_H

#include "core/base/buf.h"
#include "core/base/secret.h"
#include "core/base/stream.h"
#include "core/settings.h"
#include "store/imap/reply.h"

#define SESSION_COMMANDS 512
#define SESSION_FOREIGN  16

struct session {
	void *curl;
	struct buf in, out;
	size_t at; /* consumed of in */
	unsigned caps;
	unsigned next_tag, first_tag, ncommands;
	struct imap_result results[SESSION_COMMANDS]; /* texts in the arena of the run */
	char selected[1024];                          /* as it goes over the wire; "" none */
	bool fresh; /* opened for the request at hand: reading needs no new look */
	bool broken;
	bool namespaces; /* the four below are known, RFC 2342 */
	char delimiter;  /* '\0': the server has no hierarchy */
	char prefix[256];
	char foreign[SESSION_FOREIGN][256]; /* of other users and shared folders */
	unsigned nforeign;
	int64_t timeout_ms;
	unsigned trips;
};

/* What a run tells of each untagged response: the values behind "* ". */
typedef enum rc (*session_handler)(void *ctx, struct imap_value *values, struct err *err);

/* without: capabilities to do as if the server had not. password NULL: as the master user.
 * RC_DENIED: wrong password. */
MUST_USE enum rc session_open(const struct settings *conf, struct str login,
	const struct secret *password, unsigned without, struct session **r, struct err *err);
void session_close(struct session *s); /* NULL is fine */
/* Whether an idle connection is still there (no round trip). */
bool session_alive(struct session *s);

/* Queues a command without its tag. The index of its result. */
unsigned session_queue(struct session *s, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* A string as a quoted string or literal-safe text; CR, LF and NUL are dropped. */
struct str session_quote(struct str text, struct arena *a);
/* A mailbox name (UTF-8) as an astring. */
struct str session_mailbox(struct str path, struct arena *a);

MUST_USE enum rc session_run(struct session *s, struct arena *a, session_handler handler,
	void *ctx, struct err *err);
/* The queued command ends in a literal of exactly source->size bytes. */
MUST_USE enum rc session_run_literal(struct session *s, struct arena *a, struct source *literal,
	session_handler handler, void *ctx, struct err *err);

/* A NO or BAD as the store's result; OK gives RC_OK. */
enum rc session_result(const struct imap_result *r, const char *what, struct err *err);

#endif
