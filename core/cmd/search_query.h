/*
 * search_query: what a Search in the mailbox asks for, [MS-ASCMD] 2.2.3.140.
 */
#ifndef EASPOOL_CORE_CMD_SEARCH_QUERY_H
#define EASPOOL_CORE_CMD_SEARCH_QUERY_H

#include "core/model/mail.h"
#include "core/wire/elem.h"

struct search_query {
	struct mail_term *term;
	struct str conversation; /* its id, STR_NONE: none */
	bool email, contacts;    /* they are among the classes */
	bool any;                /* no class was named */
	bool deep;
	const struct elem *ids;        /* the first CollectionId; NULL: all folders */
	const struct elem *conditions; /* the first one, whatever it is */
	uint64_t hash;                 /* of the question */
};

/* The Query of a Store. The Status of the store if it is not one to be answered, else 0. */
unsigned search_query_read(const struct elem *store, struct arena *a, struct search_query *q);
/* One more condition that mails must fulfil. */
void search_query_and(struct search_query *q, struct mail_term *t);

#endif
