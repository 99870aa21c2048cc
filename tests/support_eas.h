/*
 * support_eas: the whole core in one process, over the fakes: what a phone sends goes through
 * dispatch() as it does in a worker, without HTTP, servers or time.
 */
#ifndef EASPOOL_TESTS_SUPPORT_EAS_H
#define EASPOOL_TESTS_SUPPORT_EAS_H

#include "core/cmd/command.h"
#include "fcgi/loops.h"
#include "tests/device/device.h"
#include "tests/fake_dav.h"
#include "tests/fake_mail.h"
#include "tests/fake_state.h"

#define EAS_USER     "ann@example.test"
#define EAS_PASSWORD "secret"

struct eas {
	struct fake_mail *mail;
	struct fake_state *state;
	struct fake_dav *dav;       /* NULL until eas_dav(): there is no such server */
	struct fake_dav *calendars; /* likewise, eas_calendars() */
	struct settings conf;
	struct arena *conf_arena;
	struct auth auth;
	struct submit submit;

	/* Real stores instead of the fakes, when set: before and after each request. */
	void (*open)(struct eas *e, struct services *sv, struct request *rq);
	void (*close)(struct eas *e);

	struct loops *loops; /* counts devices that loop, when set */

	/* What goes wrong */
	enum rc auth_rc;   /* of a right password */
	enum rc submit_rc; /* of a submission */
	enum err_why submit_why;
	bool submit_late;             /* it fails after the mail was taken */
	unsigned lose;                /* the n-th answer from now is lost on its way; 0: none */
	unsigned pauses;              /* how often a request that waits is run again */
	void (*paused)(struct eas *); /* what happens before it is */

	/* What was seen */
	bool parked;           /* the last request would go on waiting */
	struct wait last_wait; /* what it waits for, without the folders */
	unsigned submitted;
	char last_from[256], last_to[1024];
	size_t last_nto;
	struct buf last_message;
	struct reply_seen {
		int http;
		unsigned status;
		char headers[2048]; /* "Name: value\n" each */
		char type[128];
		char error[480]; /* for the log */
	} seen;
};

/* conf: settings in the form of the file, or "". */
void eas_init(struct eas *e, const char *conf);
void eas_release(struct eas *e);
/* There is a DAV server, with an address book of the user. */
void eas_dav(struct eas *e);
/* A CalDAV server with an empty calendar. */
void eas_calendars(struct eas *e);
#define FAKE_DAV_CALENDAR "/dav/calendar/"

/* One request. Texts that are NULL were not sent. */
struct eas_request {
	bool options;
	const char *query, *user, *password, *version, *type;
	bool has_key;
	unsigned key;
	bool multipart;
	struct str body;
	enum discover discover;
	const char *query_text, *host;
};
/* The bytes of its answer are added to *answer; e->seen is the rest. */
void eas_request(struct eas *e, const struct eas_request *q, struct buf *answer);

/* A phone of EAS_USER that talks to it; phone_release() when done. */
void eas_phone(struct eas *e, struct phone *p, const char *id, const char *version);

/* The last answer of a phone as readable text, into a. */
const char *eas_text(const struct elem *answer, struct arena *a);

#endif
