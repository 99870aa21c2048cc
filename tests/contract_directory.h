/*
 * contract_directory: what core/model/directory.h promises, checked over any address book with
 * the people of tests/lab/people.ldif in it. The fake and LDAP have to pass the same checks.
 */
#ifndef EASPOOL_TESTS_CONTRACT_DIRECTORY_H
#define EASPOOL_TESTS_CONTRACT_DIRECTORY_H

#include "core/model/directory.h"

/* Fails the running test where a promise is broken. */
void contract_directory(struct directory *d);

#endif
