/*
 * conn: one libpq connection, statements prepared when first used, lost connections opened
 * again.
 */
#ifndef EASPOOL_STORE_POSTGRES_CONN_H
#define EASPOOL_STORE_POSTGRES_CONN_H

#include "core/base/arena.h"
#include "core/base/err.h"
#include "core/base/uidset.h"
#include "core/settings.h"

#include <libpq-fe.h>

#define CONN_PARAMS     20
#define CONN_STATEMENTS 64

struct conn {
	const struct settings *conf;
	PGconn *c;
	const char *prepared[CONN_STATEMENTS]; /* texts, by place */
	unsigned opened;                       /* counts connections: locks die with them */
};

/* Parameters of one statement; texts are copied, bytes borrowed. */
struct params {
	struct arena *a;
	const char *v[CONN_PARAMS];
	int len[CONN_PARAMS], format[CONN_PARAMS];
	int n;
};

void params_init(struct params *p, struct arena *a);
void params_text(struct params *p, struct str s);  /* STR_NONE as '' */
void params_bytes(struct params *p, struct str s); /* bytea */
void params_int(struct params *p, int64_t n);
/* Arrays, as PostgreSQL writes them: for unnest() and = ANY. A NUL in a text is left out;
 * callers bound what they put in. */
void params_ints(struct params *p, const int64_t *v, size_t n);
void params_texts(struct params *p, const struct str *v, size_t n);
/* Two arrays: the first and the last of each range. */
void params_ranges(struct params *p, const struct uidset *s);

enum { CONN_ONCE = 0, CONN_REPEAT = 1 };

/* A condition for WHERE: this statement is committed without waiting for the disk. */
#define CONN_LOOSELY "set_config('synchronous_commit', 'off', true) IS NOT NULL"

/* A condition on rows of `listener`: one that was not seen for longer is dead. */
#define CONN_ALIVE "seen > now() - interval '15 seconds'"

/*
 * Runs a statement (its text must be a constant: the pointer is the key). CONN_REPEAT: if the
 * connection turns out to be lost, it is opened again and the statement run once more.
 * The caller clears the result.
 */
MUST_USE enum rc conn_run(struct conn *c, const char *sql, const struct params *p, unsigned how,
	PGresult **r, struct err *err);
/* The same for a statement whose rows nobody needs. */
MUST_USE enum rc conn_execute(
	struct conn *c, const char *sql, const struct params *p, unsigned how, struct err *err);
void conn_close(struct conn *c);

/* Fields of a row, into the arena. */
struct str conn_text(PGresult *r, int row, int column, struct arena *a);
struct str conn_bytes(PGresult *r, int row, int column, struct arena *a);
int64_t conn_int(PGresult *r, int row, int column);
bool conn_bool(PGresult *r, int row, int column);

#endif
