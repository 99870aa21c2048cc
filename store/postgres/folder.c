#include "store/postgres/pg_internal.h"

#include <stdlib.h>

static const char version_sql[] = "SELECT folder_version FROM account WHERE id = $1";
static const char load_sql[] =
	"SELECT " FOLDER_COLUMNS " FROM folder f WHERE f.account_id = $1 ORDER BY f.row";
static const char get_sql[] =
	"SELECT " FOLDER_COLUMNS " FROM folder f WHERE f.account_id = $1 AND f.id = $2";
static const char begin_sql[] = "BEGIN";
static const char commit_sql[] = "COMMIT";
static const char rollback_sql[] = "ROLLBACK";
static const char bump_sql[] =
	"UPDATE account SET folder_version = folder_version + 1, next_folder = next_folder + $3"
	" WHERE id = $1 AND folder_version = $2 RETURNING next_folder - $3, folder_version";
static const char insert_sql[] =
	"INSERT INTO folder (account_id, id, kind, path, uidvalidity, mailbox_id, parent, name, type,"
	" selectable) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10::boolean) RETURNING row";
static const char update_sql[] =
	"UPDATE folder SET kind = $3, path = $4, uidvalidity = $5, mailbox_id = $6, parent = $7,"
	" name = $8, type = $9, selectable = $10::boolean WHERE account_id = $1 AND id = $2"
	" AND (kind, path, uidvalidity, mailbox_id, parent, name, type, selectable) IS DISTINCT FROM"
	" ($3::int, $4, $5::bigint, $6, $7, $8, $9::int, $10::boolean)";
static const char delete_sql[] =
	"DELETE FROM folder WHERE account_id = $1 AND NOT id = ANY ($2::text[])";

void pg_folder(PGresult *r, int row, int column, struct arena *a, struct folder *f)
{
	*f = (struct folder){
		.row = conn_int(r, row, column),
		.id = conn_text(r, row, column + 1, a),
		.kind = (enum folder_kind)conn_int(r, row, column + 2),
		.path = conn_text(r, row, column + 3, a),
		.uidvalidity = (uint32_t)conn_int(r, row, column + 4),
		.mailbox_id = conn_text(r, row, column + 5, a),
		.parent = conn_text(r, row, column + 6, a),
		.name = conn_text(r, row, column + 7, a),
		.type = (unsigned)conn_int(r, row, column + 8),
		.selectable = conn_bool(r, row, column + 9),
		.retries = (uint64_t)conn_int(r, row, column + 10),
	};
}

enum rc pg_folders_load(struct state *state, const struct account *ac, struct arena *a,
	struct folders *r, struct err *err)
{
	struct pg_state *s = (struct pg_state *)state;
	struct params p;
	PGresult *res;
	enum rc rc;

	params_init(&p, a);
	params_int(&p, ac->id);
	/* The version first: if the table changes in between, storing is refused. */
	rc = conn_run(&s->conn, version_sql, &p, CONN_REPEAT, &res, err);
	if (rc)
		return rc;
	r->version = PQntuples(res) ? conn_int(res, 0, 0) : 0;
	PQclear(res);
	rc = conn_run(&s->conn, load_sql, &p, CONN_REPEAT, &res, err);
	if (rc)
		return rc;
	r->n = (size_t)PQntuples(res);
	r->v = ARENA_ARRAY(a, struct folder, r->n + 1);
	for (size_t i = 0; i < r->n; i++)
		pg_folder(res, (int)i, 0, a, &r->v[i]);
	PQclear(res);
	return RC_OK;
}

static enum rc plain(struct pg_state *s, const char *sql, struct err *err)
{
	struct params p = {0};

	return conn_execute(&s->conn, sql, &p, CONN_ONCE, err);
}

static enum rc bump(struct pg_state *s, const struct account *ac, int64_t version, int64_t nnew,
	struct arena *a, int64_t *next_r, int64_t *version_r, struct err *err)
{
	struct params p;
	PGresult *r;
	enum rc rc;

	params_init(&p, a);
	params_int(&p, ac->id);
	params_int(&p, version);
	params_int(&p, nnew);
	rc = conn_run(&s->conn, bump_sql, &p, CONN_ONCE, &r, err);
	if (rc)
		return rc;
	if (PQntuples(r) == 0) {
		PQclear(r);
		return err_set(err, RC_CONFLICT, "the folders were changed by another request");
	}
	*next_r = conn_int(r, 0, 0);
	*version_r = conn_int(r, 0, 1);
	PQclear(r);
	return RC_OK;
}

static enum rc write_folder(struct pg_state *s, const struct account *ac, struct folder *f,
	bool fresh, struct arena *a, struct err *err)
{
	struct params p;
	PGresult *r;
	enum rc rc;

	params_init(&p, a);
	params_int(&p, ac->id);
	params_text(&p, f->id);
	params_int(&p, f->kind);
	params_text(&p, f->path);
	params_int(&p, f->uidvalidity);
	params_text(&p, f->mailbox_id);
	params_text(&p, f->parent);
	params_text(&p, f->name);
	params_int(&p, f->type);
	params_text(&p, f->selectable ? STR("true") : STR("false"));
	rc = conn_run(&s->conn, fresh ? insert_sql : update_sql, &p, CONN_ONCE, &r, err);
	if (rc)
		return rc;
	if (fresh)
		f->row = conn_int(r, 0, 0);
	PQclear(r);
	return RC_OK;
}

static enum rc delete_others(struct pg_state *s, const struct account *ac,
	const struct folders *f, struct arena *a, struct err *err)
{
	struct str *ids = ARENA_ARRAY(a, struct str, f->n + 1);
	struct params p;

	for (size_t i = 0; i < f->n; i++)
		ids[i] = f->v[i].id;
	params_init(&p, a);
	params_int(&p, ac->id);
	params_texts(&p, ids, f->n);
	return conn_execute(&s->conn, delete_sql, &p, CONN_ONCE, err);
}

/* A folder that is still to get a number as its id; there is one recipient cache. */
static bool unnumbered(const struct folder *f)
{
	return f->id.n == 0 && f->kind != FOLDER_RECIPIENTS;
}

/* Parents may be new as well: their place holders ("+<index>") become ids. */
static void give_ids(struct folders *f, bool *fresh, int64_t next, struct arena *a)
{
	for (size_t i = 0; i < f->n; i++) {
		fresh[i] = f->v[i].id.n == 0;
		if (unnumbered(&f->v[i]))
			f->v[i].id = arena_printf(a, "%lld", (long long)next++);
		else if (fresh[i])
			f->v[i].id = STR("RI");
	}
	for (size_t i = 0; i < f->n; i++) {
		uint32_t k;

		if (f->v[i].parent.n && f->v[i].parent.p[0] == '+' &&
			str_u32(str_sub(f->v[i].parent, 1, f->v[i].parent.n), &k) && k < f->n)
			f->v[i].parent = f->v[k].id;
	}
}

enum rc pg_folders_store(struct state *state, const struct account *ac, struct folders *f,
	struct arena *a, struct err *err)
{
	struct pg_state *s = (struct pg_state *)state;
	bool *fresh = ARENA_ARRAY(a, bool, f->n + 1);
	int64_t nnew = 0, next = 0, version = 0;
	enum rc rc;

	for (size_t i = 0; i < f->n; i++)
		nnew += unnumbered(&f->v[i]);
	rc = plain(s, begin_sql, err);
	if (rc)
		return rc;
	rc = bump(s, ac, f->version, nnew, a, &next, &version, err);
	if (rc)
		goto rollback;
	give_ids(f, fresh, next, a);
	for (size_t i = 0; i < f->n && rc == RC_OK; i++)
		rc = write_folder(s, ac, &f->v[i], fresh[i], a, err);
	if (rc == RC_OK)
		rc = delete_others(s, ac, f, a, err);
	if (rc == RC_OK)
		rc = plain(s, commit_sql, err);
	if (rc)
		goto rollback;
	f->version = version;
	return RC_OK;
rollback:
	if (s->conn.c)
		(void)(plain(s, rollback_sql, NULL) == RC_OK);
	return rc;
}

enum rc pg_folder_get(struct state *state, const struct account *ac, struct str id,
	struct arena *a, struct folder *f, struct err *err)
{
	struct pg_state *s = (struct pg_state *)state;
	struct params p;
	PGresult *r;
	enum rc rc;

	params_init(&p, a);
	params_int(&p, ac->id);
	params_text(&p, id);
	rc = conn_run(&s->conn, get_sql, &p, CONN_REPEAT, &r, err);
	if (rc)
		return rc;
	if (PQntuples(r))
		pg_folder(r, 0, 0, a, f);
	else
		rc = err_set(err, RC_ABSENT, "there is no folder %.*s", STR_FMT(id));
	PQclear(r);
	return rc;
}
