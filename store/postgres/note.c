#include "store/postgres/pg_internal.h"

static const char load_sql[] =
	"SELECT n.uid, n.bytes FROM unnest($3::bigint[], $4::bigint[]) r(first, last) JOIN note n"
	" ON n.folder = $1 AND n.uidvalidity = $2 AND n.uid BETWEEN r.first AND r.last";
static const char put_sql[] =
	"INSERT INTO note (folder, uidvalidity, uid, bytes) VALUES ($1, $2, $3, $4)"
	" ON CONFLICT (folder, uidvalidity, uid) DO UPDATE SET bytes = excluded.bytes";
static const char drop_sql[] =
	"DELETE FROM note WHERE folder = $1 AND (uidvalidity <> $2 OR uid = $3)";
static const char search_put_sql[] =
	"INSERT INTO search (device, bytes) SELECT $1, $2 WHERE " CONN_LOOSELY
	" ON CONFLICT (device) DO UPDATE SET bytes = excluded.bytes, at = now()";
static const char search_get_sql[] =
	"SELECT bytes FROM search WHERE device = $1 AND at > now() - make_interval(secs => $2)";

enum rc pg_notes_load(struct state *state, const struct folder *f, const struct uidset *uids,
	struct arena *a, struct notes *r, struct err *err)
{
	struct pg_state *s = (struct pg_state *)state;
	struct params p;
	PGresult *res;
	enum rc rc;

	*r = (struct notes){NULL, 0};
	if (uidset_empty(uids))
		return RC_OK;
	params_init(&p, a);
	params_int(&p, f->row);
	params_int(&p, f->uidvalidity);
	params_ranges(&p, uids);
	rc = conn_run(&s->conn, load_sql, &p, CONN_REPEAT, &res, err);
	if (rc)
		return rc;
	r->v = ARENA_ARRAY(a, struct note, (size_t)PQntuples(res) + 1);
	for (; r->n < (size_t)PQntuples(res); r->n++)
		r->v[r->n] = (struct note){(uint32_t)conn_int(res, (int)r->n, 0),
			conn_bytes(res, (int)r->n, 1, a)};
	PQclear(res);
	return RC_OK;
}

enum rc pg_notes_store(struct state *state, const struct folder *f, const struct note *v,
	size_t n, struct err *err)
{
	struct pg_state *s = (struct pg_state *)state;
	struct arena *a = arena_new();
	enum rc rc = RC_OK;

	for (size_t i = 0; i < n && rc == RC_OK; i++) {
		struct params p;

		params_init(&p, a);
		params_int(&p, f->row);
		params_int(&p, f->uidvalidity);
		params_int(&p, v[i].uid);
		if (v[i].bytes.n)
			params_bytes(&p, v[i].bytes);
		rc = conn_execute(
			&s->conn, v[i].bytes.n ? put_sql : drop_sql, &p, CONN_REPEAT, err);
	}
	arena_free(a);
	return rc;
}

enum rc pg_search_store(
	struct state *state, const struct device *d, struct str bytes, struct err *err)
{
	struct pg_state *s = (struct pg_state *)state;
	struct arena *a;
	struct params p;
	enum rc rc;

	if (d->id == 0)
		return RC_OK;
	a = arena_new();
	params_init(&p, a);
	params_int(&p, d->id);
	params_bytes(&p, bytes);
	rc = conn_execute(&s->conn, search_put_sql, &p, CONN_REPEAT, err);
	arena_free(a);
	return rc;
}

enum rc pg_search_load(struct state *state, const struct device *d, int64_t age,
	struct arena *a, struct str *bytes_r, struct err *err)
{
	struct pg_state *s = (struct pg_state *)state;
	struct params p;
	PGresult *r;
	enum rc rc;

	params_init(&p, a);
	params_int(&p, d->id);
	params_int(&p, age);
	rc = conn_run(&s->conn, search_get_sql, &p, CONN_REPEAT, &r, err);
	if (rc)
		return rc;
	if (PQntuples(r))
		*bytes_r = conn_bytes(r, 0, 0, a);
	else
		rc = err_set(err, RC_ABSENT, "there is no stored search");
	PQclear(r);
	return rc;
}
