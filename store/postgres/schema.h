/*
 * schema: numbered migrations, compiled in from schema/NNN_*.sql.
 */
#ifndef EASPOOL_STORE_POSTGRES_SCHEMA_H
#define EASPOOL_STORE_POSTGRES_SCHEMA_H

#include "core/base/err.h"

#include <libpq-fe.h>
#include <stddef.h>

struct schema_file {
	int number;
	const char *name;
	const char *sql;
};
extern const struct schema_file schema_files[]; /* ascending */
extern const size_t schema_nfiles;

/* The newest migration that this program has. */
int schema_newest(void);
/* The one the database stands at; 0: empty. */
MUST_USE enum rc schema_version(PGconn *c, int *version_r, struct err *err);
/*
 * Applies what is missing, each in a transaction, one upgrade at a time. RC_CONFLICT: the
 * database is newer than the program.
 */
MUST_USE enum rc schema_upgrade(PGconn *c, int *from_r, int *to_r, struct err *err);

#endif
