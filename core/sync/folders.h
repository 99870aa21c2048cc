/*
 * folders: the account's folders after the mail server's list, and what a device is told of
 * them. Ids survive renames: by OBJECTID where the server has it, else by UIDVALIDITY when only
 * one folder has it.
 */
#ifndef EASPOOL_CORE_SYNC_FOLDERS_H
#define EASPOOL_CORE_SYNC_FOLDERS_H

#include "core/model/mail.h"
#include "core/model/state.h"

/* EAS folder types, [MS-ASCMD] 2.2.3.186.3 */
enum {
	TYPE_GENERIC = 1,
	TYPE_INBOX = 2,
	TYPE_DRAFTS = 3,
	TYPE_TRASH = 4,
	TYPE_SENT = 5,
	TYPE_USER_MAIL = 12,
};

/* Lists the mailboxes, brings the stored folders up to date, gives them back. */
MUST_USE enum rc folders_refresh(struct state *s, const struct account *ac, struct mail *m,
	struct arena *a, struct folders *r, struct err *err);
/* The first folder of a type, NULL. */
const struct folder *folders_of_type(const struct folders *f, unsigned type);
/*
 * The folder of that type, made on the server under `name` when there is none.
 */
MUST_USE enum rc folders_need(struct state *s, const struct account *ac, struct mail *m,
	unsigned type, struct str name, struct arena *a, struct folder *r, struct err *err);

/* What a device was told: compact bytes. */
struct str hierarchy_encode(const struct folders *f, struct arena *a);

struct hierarchy_change {
	enum { HIERARCHY_UPDATE, HIERARCHY_DELETE, HIERARCHY_ADD } what;
	const struct folder *folder; /* NULL for a delete */
	struct str id;
};
struct hierarchy_changes {
	struct hierarchy_change *v;
	size_t n;
};
/* From what it was told to what there is: updates, deletes, adds with parents first. */
MUST_USE enum rc hierarchy_diff(struct str told, const struct folders *now, struct arena *a,
	struct hierarchy_changes *r, struct err *err);

#endif
