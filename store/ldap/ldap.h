/*
 * ldap: the company address book in an LDAP directory. One struct ldap_directory a worker; it
 * keeps one connection.
 */
#ifndef EASPOOL_STORE_LDAP_LDAP_H
#define EASPOOL_STORE_LDAP_LDAP_H

#include "core/model/directory.h"
#include "core/settings.h"

struct ldap_directory;

/* What of the settings only this store can judge: attributes, filters, addresses. RC_INVALID
 * with a sentence that begins with the setting's name. */
MUST_USE enum rc ldap_check(const struct settings *conf, struct err *err);

/* conf is borrowed, and has passed ldap_check(). */
struct ldap_directory *ldap_directory_new(const struct settings *conf);
void ldap_directory_free(struct ldap_directory *d);
struct directory *ldap_directory_directory(struct ldap_directory *d);

/* Round trips since the last call. */
unsigned ldap_directory_trips(struct ldap_directory *d);

/* How many people there are; RC_LIMIT: at least so many. For easctl doctor. */
MUST_USE enum rc ldap_directory_count(struct ldap_directory *d, size_t *r, struct err *err);

#endif
