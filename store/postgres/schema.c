#include "store/postgres/schema.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#define LOCK_KEY "7231950417"

static enum rc run(PGconn *c, const char *sql, PGresult **r, struct err *err)
{
	PGresult *res = PQexec(c, sql);
	ExecStatusType status = PQresultStatus(res);

	if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
		(void)err_set(err, RC_UNAVAILABLE, "database: %s", PQresultErrorMessage(res));
		PQclear(res);
		return RC_UNAVAILABLE;
	}
	if (r)
		*r = res;
	else
		PQclear(res);
	return RC_OK;
}

int schema_newest(void)
{
	return schema_nfiles ? schema_files[schema_nfiles - 1].number : 0;
}

enum rc schema_version(PGconn *c, int *version_r, struct err *err)
{
	PGresult *res;
	enum rc rc = run(c, "SELECT to_regclass('schema_version') IS NOT NULL", &res, err);
	bool there;

	if (rc)
		return rc;
	there = PQgetvalue(res, 0, 0)[0] == 't';
	PQclear(res);
	*version_r = 0;
	if (!there)
		return RC_OK;
	rc = run(c, "SELECT coalesce(max(number), 0) FROM schema_version", &res, err);
	if (rc)
		return rc;
	*version_r = (int)strtol(PQgetvalue(res, 0, 0), NULL, 10);
	PQclear(res);
	return RC_OK;
}

static enum rc apply(PGconn *c, const struct schema_file *f, struct err *err)
{
	char note[160];
	enum rc rc;

	(void)snprintf(note, sizeof(note), "INSERT INTO schema_version (number) VALUES (%d)",
		f->number);
	rc = run(c, "BEGIN", NULL, err);
	if (rc == RC_OK)
		rc = run(c, f->sql, NULL, err);
	if (rc == RC_OK)
		rc = run(c, note, NULL, err);
	if (rc == RC_OK)
		return run(c, "COMMIT", NULL, err);
	PQclear(PQexec(c, "ROLLBACK"));
	return err_wrap(err, "migration %s", f->name);
}

enum rc schema_upgrade(PGconn *c, int *from_r, int *to_r, struct err *err)
{
	enum rc rc = run(c, "SELECT pg_advisory_lock(" LOCK_KEY ")", NULL, err);

	if (rc == RC_OK)
		rc = run(c,
			"CREATE TABLE IF NOT EXISTS schema_version"
			" (number integer PRIMARY KEY, at timestamptz NOT NULL DEFAULT now())",
			NULL, err);
	if (rc == RC_OK)
		rc = schema_version(c, from_r, err);
	*to_r = schema_newest();
	if (rc == RC_OK && *from_r > *to_r)
		rc = err_set(err, RC_CONFLICT,
			"the database is at schema %d, this program knows %d: upgrade the program",
			*from_r, *to_r);
	for (size_t i = 0; i < schema_nfiles && rc == RC_OK; i++)
		if (schema_files[i].number > *from_r)
			rc = apply(c, &schema_files[i], err);
	PQclear(PQexec(c, "SELECT pg_advisory_unlock(" LOCK_KEY ")"));
	return rc;
}
