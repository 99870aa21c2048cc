/*
 * reply: what both kinds of IMAP connections need to read a server's answers: the sessions that
 * ask and wait, and those of the listener that are told. Pure.
 */
#ifndef EASPOOL_STORE_IMAP_REPLY_H
#define EASPOOL_STORE_IMAP_REPLY_H

#include "core/model/mail.h"
#include "store/imap/parser.h"

enum imap_capability {
	CAP_CONDSTORE = 1,
	CAP_QRESYNC = 2,
	CAP_ESEARCH = 4,
	CAP_MOVE = 8,
	CAP_UIDPLUS = 16,
	CAP_LIST_STATUS = 32,
	CAP_SPECIAL_USE = 64,
	CAP_OBJECTID = 128,
	CAP_LITERAL_PLUS = 256,
	CAP_CREATE_SPECIAL_USE = 512,
	CAP_UNSELECT = 1024,
	CAP_NAMESPACE = 2048,
	CAP_LIST_EXTENDED = 4096,
	CAP_WITHIN = 8192,
	CAP_THREAD = 16384,
	CAP_NOTIFY = 32768,
	CAP_IDLE = 65536,
};

enum imap_status { IMAP_OK, IMAP_NO, IMAP_BAD };

struct imap_result {
	enum imap_status status;
	struct str code; /* without the brackets, e.g. "TRYCREATE" */
	struct str text;
};

enum reply_frame { REPLY_MORE, REPLY_WHOLE, REPLY_HUGE };

/*
 * The first whole response of what came in, literals included, without its CRLF. *scanned: 0
 * at first; with REPLY_WHOLE how much it takes, else to be handed in again when more has come.
 * REPLY_HUGE: a literal announces more than max bytes.
 */
enum reply_frame reply_frame(struct str in, uint64_t max, size_t *scanned, struct str *r);

/* "OK [CODE x] text" */
void reply_result(struct str s, struct arena *a, struct imap_result *r);
/* Of the values behind CAPABILITY. */
unsigned reply_capabilities(const struct imap_value *v);

/* A mailbox name as the server writes it, in UTF-8. */
struct str reply_path(struct str raw, struct arena *a);
/* Whether a list of attributes has that one. */
bool reply_has(const struct imap_value *attributes, const char *name);
/* One number of a STATUS or SELECT into the mark. */
void reply_mark(
	struct mail_mark *m, const struct imap_value *key, const struct imap_value *value);
/* STATUS name (...): its numbers into the mark, others stay. False: it is another response. */
bool reply_status(
	struct imap_value *values, struct arena *a, struct str *path_r, struct mail_mark *m);

#endif
