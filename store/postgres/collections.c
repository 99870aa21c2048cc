#include "store/postgres/collections.h"

#include "store/postgres/pg_internal.h"

/* Kinds of folders (core/model/state.h) that are DAV collections. */
#define IS_DAV "kind NOT IN (0, 5)"
_Static_assert(FOLDER_MAIL == 0 && FOLDER_RECIPIENTS == 5, "the statements name them");

static const char accounts_sql[] =
	"SELECT a.id, a.login FROM account a"
	" WHERE EXISTS (SELECT 1 FROM watch w WHERE w.account_id = a.id AND w.host = $1"
	"  AND w.until > now())"
	" AND EXISTS (SELECT 1 FROM device d JOIN collection c ON c.device = d.id"
	"  JOIN folder f ON f.account_id = a.id AND f.id = c.id AND f." IS_DAV
	"  WHERE d.account_id = a.id) ORDER BY a.id";

static const char of_sql[] =
	"SELECT " FOLDER_COLUMNS ", coalesce(s.token, ''), coalesce(s.version, 0),"
	" coalesce(s.purged, 0), f.selectable AND EXISTS (SELECT 1 FROM device d"
	"  JOIN collection c ON c.device = d.id"
	"  JOIN folder g ON g.account_id = $1 AND g.id = c.id"
	"  WHERE d.account_id = $1 AND (g.row = f.row OR $2::boolean AND g.kind = f.kind))"
	" FROM folder f LEFT JOIN shadow s ON s.folder = f.row"
	" WHERE f.account_id = $1 AND f." IS_DAV " ORDER BY f.row";

static const char count_sql[] =
	"UPDATE listener SET accounts = $2 WHERE id = $1 AND accounts <> $2 AND " CONN_LOOSELY;

enum { COL_TOKEN = 11, COL_VERSION, COL_PURGED, COL_WANTED };

enum rc collections_accounts(
	struct events *e, struct arena *a, struct events_accounts *out, struct err *err)
{
	struct params p;
	PGresult *r;
	enum rc rc;

	params_init(&p, a);
	params_text(&p, e->host);
	rc = conn_run(e->conn, accounts_sql, &p, CONN_REPEAT, &r, err);
	if (rc)
		return rc;
	out->n = (size_t)PQntuples(r);
	out->v = ARENA_ARRAY(a, struct events_account, out->n + 1);
	for (size_t i = 0; i < out->n; i++)
		out->v[i] = (struct events_account){
			.id = conn_int(r, (int)i, 0), .login = conn_text(r, (int)i, 1, a)};
	PQclear(r);
	return RC_OK;
}

enum rc collections_of(struct events *e, int64_t account, bool merged, struct arena *a,
	struct collections *out, struct err *err)
{
	struct params p;
	PGresult *r;
	enum rc rc;

	params_init(&p, a);
	params_int(&p, account);
	params_text(&p, merged ? STR("t") : STR("f"));
	rc = conn_run(e->conn, of_sql, &p, CONN_REPEAT, &r, err);
	if (rc)
		return rc;
	out->n = (size_t)PQntuples(r);
	out->v = ARENA_ARRAY(a, struct folder, out->n + 1);
	out->shadows = ARENA_ARRAY(a, struct shadow, out->n + 1);
	out->wanted = ARENA_ARRAY(a, bool, out->n + 1);
	for (size_t i = 0; i < out->n; i++) {
		pg_folder(r, (int)i, 0, a, &out->v[i]);
		out->shadows[i] =
			(struct shadow){out->v[i].row, conn_text(r, (int)i, COL_TOKEN, a),
				(uint64_t)conn_int(r, (int)i, COL_VERSION),
				(uint64_t)conn_int(r, (int)i, COL_PURGED)};
		out->wanted[i] = conn_bool(r, (int)i, COL_WANTED);
	}
	PQclear(r);
	return RC_OK;
}

enum rc collections_count(struct events *e, size_t accounts, struct err *err)
{
	struct arena *a = arena_new();
	struct params p;
	PGresult *r;
	enum rc rc;

	params_init(&p, a);
	params_text(&p, e->id);
	params_int(&p, (int64_t)accounts);
	rc = conn_run(e->conn, count_sql, &p, CONN_REPEAT, &r, err);
	if (rc == RC_OK)
		PQclear(r);
	arena_free(a);
	return rc;
}
