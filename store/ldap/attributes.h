/*
 * attributes: which LDAP attributes a person is made of, and a person made of an entry.
 *
 * Each property of the protocol has a list of attributes; the first that has a value is taken.
 * Setting ldap_attributes replaces lists: "Office=roomNumber DisplayName=displayName,cn".
 */
#ifndef EASPOOL_STORE_LDAP_ATTRIBUTES_H
#define EASPOOL_STORE_LDAP_ATTRIBUTES_H

#include "core/model/directory.h"

#include <ldap.h>

enum property {
	PROPERTY_DISPLAY_NAME,
	PROPERTY_PHONE,
	PROPERTY_OFFICE,
	PROPERTY_TITLE,
	PROPERTY_COMPANY,
	PROPERTY_ALIAS,
	PROPERTY_FIRST_NAME,
	PROPERTY_LAST_NAME,
	PROPERTY_HOME_PHONE,
	PROPERTY_MOBILE_PHONE,
	PROPERTY_EMAIL_ADDRESS,
	PROPERTY_ADDRESSES, /* the further ones */
	PROPERTIES_OF_TEXT,
	PROPERTY_PICTURE = PROPERTIES_OF_TEXT,
	PROPERTY_CERTIFICATE,
	PROPERTIES,
};

enum { ATTRIBUTES_EACH = 8 };

struct attributes {
	const char *v[PROPERTIES][ATTRIBUTES_EACH + 1]; /* NULL behind the last */
};

/* The usual attributes, changed as the setting says; the names live in `a`. RC_INVALID. */
MUST_USE enum rc attributes_read(
	struct str setting, struct arena *a, struct attributes *r, struct err *err);

/* The attributes of a range of properties, ended by NULL, into `a`. */
const char *const *attributes_names(
	const struct attributes *m, enum property first, enum property behind, struct arena *a);

/* The texts of an entry. False: it has neither a name nor an address, so nobody could be shown.
 */
bool attributes_person(const struct attributes *m, LDAP *ld, LDAPMessage *entry,
	struct arena *a, struct person *r);
/* Its picture and its certificates, as far as they were asked for; at most *room octets of
 * both together, which are taken off. */
void attributes_blobs(const struct attributes *m, LDAP *ld, LDAPMessage *entry, size_t *room,
	struct arena *a, struct person *r);
/* Whether it has an SMTP address. */
bool attributes_addressed(
	const struct attributes *m, LDAP *ld, LDAPMessage *entry, struct arena *a);
/* What it is shown as; STR_NONE when attributes_person() would be false. */
struct str attributes_shown(
	const struct attributes *m, LDAP *ld, LDAPMessage *entry, struct arena *a);

/* The SMTP address in a value of mail or proxyAddresses; STR_NONE: it is one of another kind.
 */
struct str attributes_smtp(struct str value);

#endif
