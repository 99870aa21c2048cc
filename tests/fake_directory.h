/*
 * fake_directory: an address book in memory behind core/model/directory.h. Its people come from
 * a file of LDIF with the usual attributes, the same that the lab's LDAP server has.
 */
#ifndef EASPOOL_TESTS_FAKE_DIRECTORY_H
#define EASPOOL_TESTS_FAKE_DIRECTORY_H

#include "core/model/directory.h"

struct fake_directory;

struct fake_directory *fake_directory_new(void);
void fake_directory_free(struct fake_directory *fd);
struct directory *fake_directory_directory(struct fake_directory *fd);

/* Adds the people of a file; ends the process when it cannot be read. */
void fake_directory_load(struct fake_directory *fd, const char *path);
/* Adds one, copied. */
void fake_directory_add(struct fake_directory *fd, const struct person *p);

/* Every call gives that from now on; RC_LIMIT: the first `limit` matches are found. */
void fake_directory_fail(struct fake_directory *fd, enum rc rc, enum err_why why);
void fake_directory_limit(struct fake_directory *fd, size_t limit);
/* Calls so far. */
unsigned fake_directory_calls(const struct fake_directory *fd);

#endif
