/*
 * request: what a command handler gets, and the answer it fills in.
 *
 * A handler is a function of (request, services): it reads the parsed request, calls the
 * interfaces of core/model, commits its state, and writes the answer. It returns RC_OK when the
 * answer is complete, protocol errors included. Any other rc means that the whole command
 * failed: the dispatcher throws away what was written and answers from core/cmd/status.c, with
 * an HTTP code up to 12.1 and a Status from 14.0 on (http.md 6 and 7).
 */
#ifndef EASPOOL_CORE_CMD_REQUEST_H
#define EASPOOL_CORE_CMD_REQUEST_H

#include "core/base/arena.h"
#include "core/base/err.h"
#include "core/base/secret.h"
#include "core/model/auth.h"
#include "core/model/certs.h"
#include "core/model/dav.h"
#include "core/model/directory.h"
#include "core/model/mail.h"
#include "core/model/state.h"
#include "core/model/submit.h"
#include "core/model/wait.h"
#include "core/settings.h"
#include "core/wire/elem.h"
#include "core/wire/query.h"
#include "core/wire/writer.h"

struct request;

/* What stands behind the interfaces is known to fcgi/wiring.c alone. */
struct services {
	struct state *state;
	struct auth *auth;
	struct mail *mail;           /* of the authenticated user; connects when first used */
	struct submit *submit;       /* likewise */
	struct dav *dav;             /* of the user; NULL: there is no CardDAV server */
	struct dav *calendars;       /* likewise, of CalDAV */
	struct directory *directory; /* NULL: there is no company address book */
	struct certs *certs;
	/* A newer request of the device ends its older waits here; NULL: there are none. */
	void (*end_waits)(struct services *sv, const struct request *rq);
	/* The device was told of changes, at this state of what it has: the seconds to wait
	 * when it was told so again and again, and does not fetch them. NULL: nobody counts. */
	int64_t (*loops)(struct services *sv, const struct request *rq, uint64_t state);
	/*
	 * Reads the body of the request into rq->body, once it is known that the request will
	 * be served; NULL: it is there already. RC_LIMIT: it is too large; RC_INVALID: a part
	 * of it is missing.
	 */
	enum rc (*read_body)(struct services *sv, struct request *rq, struct err *err);
	/*
	 * A place for bytes that may be too many for memory: what is written to `scratch` is
	 * there, all of it, until the request ends.
	 */
	struct sink *scratch;
	enum rc (*scratch_bytes)(struct services *sv, struct str *r, struct err *err);
	/* Tells the owner of the request body, or of scratch, that bytes before `upto` will not
	 * be read again soon. */
	void (*body_passed)(void *ctx, const char *upto);
	/* Counts the request; the seconds to wait when it comes too early, 0: it may go on.
	 * NULL: nobody counts. */
	int64_t (*rate)(struct services *sv, const struct request *rq);
	void *ctx;
};

#define REPLY_HEADERS 12

struct header {
	const char *name;
	struct str value;
};

/* The answer. The body is what was written to `w` (if anything), or to `body` directly. */
struct reply {
	int http;                /* 200 until somebody says otherwise */
	struct str content_type; /* STR_NONE: that of WBXML when w was used, none for an empty
				    body */
	struct header headers[REPLY_HEADERS];
	size_t nheaders;
	struct wbxml_writer w; /* flushes into body */
	bool wbxml;            /* w has been begun: reply_wbxml() */
	struct sink *body;     /* where body bytes go; keeps any amount (memory, then a file) */
	struct sink *tail;     /* the same, for bytes that follow those of body */
	void (*restart)(struct reply *rp); /* forgets what body and tail have taken */
	bool raw;                          /* body was written to directly; w is not used */
	unsigned status;                   /* the protocol status, for the log; 0: none */
	/* There is nothing to tell yet: what was written is the answer when the time is over.
	 * NULL: it is the answer now. */
	const struct wait *wait;
};

struct command;

/* What is asked for in place of a command. */
enum discover { DISCOVER_NONE = 0, DISCOVER_XML, DISCOVER_JSON };

struct request {
	/* From HTTP */
	struct arena *arena;
	bool options; /* method OPTIONS */
	enum discover discover;
	struct str host;       /* as the device wrote it, with its port; STR_NONE */
	struct str query_text; /* as it came */
	bool certificate;      /* the web server has verified who `user` is */
	struct query query;
	struct str user; /* login, canonical (query_login) */
	struct secret password;
	struct str content_type; /* without parameters, lower case; STR_NONE if absent */
	struct str user_agent;
	struct str version_header; /* MS-ASProtocolVersion, STR_NONE if absent */
	bool has_policy_key;       /* header or base64 query */
	uint32_t policy_key;
	bool accept_multipart;
	struct str body; /* whole; may be a mapped file */

	/* Worked out by the dispatcher before the handler runs */
	const struct settings *conf;
	enum eas_version version;
	const struct command *command;
	const struct elem *doc; /* document element, NULL when the body is empty */
	struct account account;
	struct device device;
	int64_t deadline_ms; /* clock_mono_ms() by which a long answer should end */
};

/* Begins a WBXML answer and returns its writer. Again: starts over. */
struct wbxml_writer *reply_wbxml(struct reply *rp);
/* Throws away everything written so far. */
void reply_reset(struct reply *rp);
void reply_header(struct reply *rp, const char *name, struct str value);

#endif
