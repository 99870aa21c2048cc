/*
 * filter: LDAP search filters as text (RFC 4515). Whatever a user typed goes through
 * filter_escape(), so that it is looked for and never obeyed.
 */
#ifndef EASPOOL_STORE_LDAP_FILTER_H
#define EASPOOL_STORE_LDAP_FILTER_H

#include "core/base/buf.h"
#include "store/ldap/attributes.h"

/* Any bytes as a value; what is not a plain character becomes \xx. */
void filter_escape(struct buf *out, struct str value);

/* The template with the login in it, escaped: %u the whole, %n without domain, %d the domain;
 * %% is a percent sign. */
struct str filter_of_login(struct str template, struct str login, struct arena *a);

/* Who of those that `people` lets through is meant by a text. STR_NONE: nobody can be. */
struct str filter_of_query(const struct attributes *m, struct str people, struct str text,
	enum directory_match match, struct arena *a);

/* Whether it is a filter at all. */
bool filter_is_sound(struct str filter);

#endif
