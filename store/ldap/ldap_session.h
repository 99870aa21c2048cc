/*
 * ldap_session: one connection to an LDAP server of the settings, opened when it is first
 * needed, kept, and opened again once when it turns out to be lost. Nothing waits longer than
 * ldap_timeout.
 *
 * RC_UNAVAILABLE: no server answers (ERR_TIMEOUT: it is silent); RC_DENIED: it does not let us
 * in; RC_LIMIT: it gives no more than it gave, or there is more than was asked for.
 */
#ifndef EASPOOL_STORE_LDAP_LDAP_SESSION_H
#define EASPOOL_STORE_LDAP_LDAP_SESSION_H

#include "core/base/err.h"
#include "core/settings.h"

#include <ldap.h>

struct ldap_session;

/* conf is borrowed. */
struct ldap_session *ldap_session_new(const struct settings *conf);
void ldap_session_free(struct ldap_session *s);

struct ldap_question {
	const char *base, *filter;
	const char *const *attributes; /* ended by NULL */
	size_t most;                   /* entries */
};

/* Who takes the entries of a search. */
struct ldap_taker {
	/* entry: taken; ldap_msgfree() when done with it. */
	void (*entry)(struct ldap_taker *t, LDAP *ld, LDAPMessage *entry);
	/* What came is void: the search begins again. */
	void (*restart)(struct ldap_taker *t);
};

/* All below `base`, page by page. *ld of entries lives as long as the session is not used
 * again. */
MUST_USE enum rc ldap_session_search(struct ldap_session *s, const struct ldap_question *q,
	struct ldap_taker *t, struct err *err);

/* Attributes of n entries by their names, all asked for at once; i is the place of the name.
 * One that is gone is left out. */
MUST_USE enum rc ldap_session_read(struct ldap_session *s, char *const *dns, size_t n,
	const char *const *attributes,
	void (*entry)(void *ctx, size_t i, LDAP *ld, LDAPMessage *entry), void *ctx,
	struct err *err);

/* Round trips since the last call. */
unsigned ldap_session_trips(struct ldap_session *s);

#endif
