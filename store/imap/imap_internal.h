/*
 * imap_internal: what the files of store/imap share.
 */
#ifndef EASPOOL_STORE_IMAP_IMAP_INTERNAL_H
#define EASPOOL_STORE_IMAP_IMAP_INTERNAL_H

#include "store/imap/imap.h"
#include "store/imap/session.h"

struct imap_mailbox {
	struct mail mail; /* first */
	struct imap *im;
	struct session *s; /* NULL until first used */
	char login[256];
	struct secret password;
	unsigned trips; /* of sessions closed meanwhile */
};

/* The session, opened if need be. */
MUST_USE enum rc mailbox_session(struct imap_mailbox *mb, struct session **r, struct err *err);
/*
 * Queues a SELECT, or a NOOP when the folder is open already: what came since must be seen, or
 * a command for a new message would find nothing. *queued_r: it was a SELECT.
 */
void mailbox_select(struct session *s, struct str folder, struct arena *a, bool *queued_r);
/* After the run: notes what is selected now. what: for the error. */
MUST_USE enum rc mailbox_selected(
	struct session *s, struct str folder, bool queued, struct arena *a, struct err *err);

/* The ops, a file each group. */
enum rc op_list(struct mail *, struct arena *, struct mail_folders *, struct err *);
enum rc op_status(struct mail *, struct str, struct mail_mark *, struct err *);
enum rc op_status_many(
	struct mail *, const struct str *, size_t, struct mail_mark *, enum rc *, struct err *);
enum rc op_look(struct mail *, struct str, const struct mail_look *, struct arena *,
	struct mail_delta *, struct err *);
enum rc op_summaries(struct mail *, struct str, const struct uidset *, struct arena *,
	struct mail_summaries *, struct err *);
enum rc op_parts(struct mail *, struct str, struct mail_part_request *, size_t, struct arena *,
	struct err *);
enum rc op_stream(struct mail *, struct str, uint32_t, struct str, uint64_t, uint64_t,
	struct sink *, struct err *);
enum rc op_store(struct mail *, struct str, struct mail_flag_change *, size_t, struct err *);
enum rc op_move(
	struct mail *, struct str, struct str, struct mail_move *, size_t, struct err *);
enum rc op_remove(struct mail *, struct str, const struct uidset *, struct err *);
enum rc op_append(struct mail *, struct str, unsigned, int64_t, struct source *, uint32_t *,
	struct err *);
enum rc op_create(struct mail *, struct str, enum mail_use, struct err *);

/* fetch.c */
#define FETCH_SUMMARY                                                                                    \
	"(UID FLAGS INTERNALDATE RFC822.SIZE BODYSTRUCTURE BODY.PEEK[HEADER.FIELDS (" MAIL_HEADER_FIELDS \
	")])"
/* A FETCH response ("7 FETCH (...)") into a summary; false: it is none, or has no UID. */
bool fetch_summary(struct imap_value *values, struct arena *a, struct mail_summary *m);
bool fetch_flags(
	struct imap_value *values, struct arena *a, struct mail_flags *f, bool *flags_r);
/* The set as text. */
const char *set_text(const struct uidset *s, struct arena *a);
/* One number of a STATUS or SELECT into the mark. */
void mark_item(struct mail_mark *m, struct imap_value *key, struct imap_value *value);
/* bodystructure.c */
struct mail_part *bodystructure(struct imap_value *v, struct arena *a);

#endif
