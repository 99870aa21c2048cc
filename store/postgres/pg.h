/*
 * pg: the state of core/model/state.h in PostgreSQL. One connection a worker, opened when first
 * used and opened again when it was lost.
 */
#ifndef EASPOOL_STORE_POSTGRES_PG_H
#define EASPOOL_STORE_POSTGRES_PG_H

#include "core/model/state.h"
#include "core/settings.h"

/* conf is borrowed. */
struct state *pg_state_new(const struct settings *conf);
void pg_state_free(struct state *s);

/* Its connection, for what else this process asks the database (conn.h). */
struct conn;
struct conn *pg_state_conn(struct state *s);

#endif
