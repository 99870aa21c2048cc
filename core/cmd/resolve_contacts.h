/*
 * resolve_contacts: recipients among the user's own contacts.
 */
#ifndef EASPOOL_CORE_CMD_RESOLVE_CONTACTS_H
#define EASPOOL_CORE_CMD_RESOLVE_CONTACTS_H

#include "core/cmd/servers.h"
#include "core/model/directory.h"

/* The user's address books, opened when first needed and asked once for what changed. Zero to
 * begin with. */
struct own_contacts {
	struct arena *a; /* of the sources; NULL: they are not open yet */
	struct item_source *v;
	size_t n;
	unsigned asked; /* recipients that were looked for */
	bool failed;    /* the server does not answer: it is not asked again */
};
void own_contacts_release(struct own_contacts *own);

/*
 * Contacts with that address, or of that name; where nobody is called exactly so, those of whom
 * each word of it begins a part of the name or an address; the first q->count of them. Each has
 * an address; of one who is meant by an address it is that one. The people are in the request's
 * arena. *cut_r: not all could be looked at, there may be others. After the first failure, and
 * after many recipients, nobody is found: the directory is for that.
 */
MUST_USE enum rc resolve_contacts(struct request *rq, struct services *sv,
	struct own_contacts *own, const struct directory_query *q, struct people *r,
	bool *cut_r, struct err *err);

#endif
