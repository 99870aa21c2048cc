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
	bool master;    /* the master user acts for him */
	unsigned trips; /* of sessions closed meanwhile */
};

/* The session, opened if need be. */
MUST_USE enum rc mailbox_session(struct imap_mailbox *mb, struct session **r, struct err *err);
/*
 * A folder that is open shows what was there at its last look, however often one says NOOP:
 * Dovecot answers the commands behind a NOOP first, from the old view. So a change always
 * opens the folder anew, and so does the first read of a request.
 */

/* Before a read: queues a SELECT unless this request has opened the folder already. True when
 * it did; then mailbox_selected() after the run. */
bool mailbox_select(struct session *s, struct str folder, struct arena *a);
/* The first command of the run was a SELECT: what came of it. */
MUST_USE enum rc mailbox_selected(
	struct session *s, struct str folder, struct arena *a, struct err *err);

/* The ops, a file each group. */
enum rc op_list(struct mail *, struct arena *, struct mail_folders *, struct err *);
enum rc op_status(struct mail *, struct str, struct mail_mark *, struct err *);
enum rc op_status_many(
	struct mail *, const struct str *, size_t, struct mail_mark *, enum rc *, struct err *);
enum rc op_look(struct mail *, struct str, const struct mail_look *, struct arena *,
	struct mail_delta *, struct err *);
enum rc op_summaries(struct mail *, struct str, const struct uidset *,
	const struct mail_guess *, struct arena *, struct mail_summaries *, struct err *);
enum rc op_parts(struct mail *, struct str, struct mail_part_request *, size_t, struct arena *,
	struct err *);
enum rc op_stream(struct mail *, struct str, uint32_t, struct str, uint64_t, uint64_t,
	struct sink *, struct err *);
enum rc op_store(
	struct mail *, struct str, uint32_t, struct mail_flag_change *, size_t, struct err *);
enum rc op_move(struct mail *, struct str, uint32_t, struct str, struct mail_move *, size_t,
	struct err *);
enum rc op_remove(struct mail *, struct str, uint32_t, const struct uidset *, struct err *);
enum rc op_append(struct mail *, struct str, unsigned, int64_t, struct source *, uint32_t *,
	struct err *);
enum rc op_create(struct mail *, struct str, enum mail_use, struct err *);
enum rc op_rename(struct mail *, struct str, struct str, struct err *);
enum rc op_erase(struct mail *, struct str, struct err *);
enum rc op_join(
	struct mail *, struct str, struct str, struct arena *, struct str *, struct err *);
enum rc op_flags(struct mail *, struct str, const struct uidset *, struct arena *,
	struct mail_flag_list *, struct err *);
enum rc op_search(struct mail *, const struct str *, size_t, const struct mail_term *, unsigned,
	struct arena *, struct mail_hits *, struct err *);

/* folder.c: notes what a NAMESPACE response, or LIST "" "", tells. False: it is another one. */
bool namespace_item(struct session *s, struct imap_value *values, struct arena *a);
/* imap.c */
const struct settings *mailbox_settings(const struct mail *m);

/* fetch.c */
#define FETCH_SUMMARY_ITEMS                                                                             \
	"UID FLAGS INTERNALDATE RFC822.SIZE BODYSTRUCTURE BODY.PEEK[HEADER.FIELDS (" MAIL_HEADER_FIELDS \
	")]"
#define FETCH_SUMMARY "(" FETCH_SUMMARY_ITEMS ")"
/* A FETCH response ("7 FETCH (...)") into a summary; false: it is none, or has no UID. */
bool fetch_summary(struct imap_value *values, struct arena *a, struct mail_summary *m);
bool fetch_flags(
	struct imap_value *values, struct arena *a, struct mail_flags *f, bool *flags_r);
/* The INTERNALDATE of a FETCH response; false: it has none, or no UID. */
bool fetch_date(struct imap_value *values, uint32_t *uid_r, int64_t *received_r);
/* The set as text. */
const char *set_text(const struct uidset *s, struct arena *a);
/* bodystructure.c */
struct mail_part *bodystructure(struct imap_value *v, struct arena *a);

#endif
