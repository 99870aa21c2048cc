#include "store/postgres/pg_internal.h"

/* What is written is found out and written in the database (schema/004_items.sql), so that it
 * is one trip and one transaction. */
static const char shadows_sql[] =
	"SELECT s.token, s.version, s.purged FROM unnest($2::bigint[]) WITH ORDINALITY e(row, place)"
	" LEFT JOIN folder f ON f.row = e.row AND f.account_id = $1"
	" LEFT JOIN shadow s ON s.folder = f.row ORDER BY e.place";
static const char seen_sql[] =
	"SELECT r_result, r_version, r_purged FROM shadow_seen($1, $2, $3, $4, $5, $6, $7, $8, $9)";
/* Columns as pg_item() reads them. */
#define ITEM_COLUMNS "i.number, i.folder, i.href, i.etag, i.version, i.gone"
static const char own_sql[] =
	"SELECT " ITEM_COLUMNS " FROM item_own($1, $2, $3, $4, $5::boolean) i";
/* Of folders $2 of account $1. */
#define ITEM_FROM                                                                              \
	" FROM item i JOIN folder f ON f.row = i.folder AND f.account_id = $1"                 \
	" WHERE i.folder = ANY ($2::bigint[])"
static const char since_sql[] =
	"SELECT " ITEM_COLUMNS ITEM_FROM
	" AND i.version > $3::bigint ORDER BY i.version LIMIT $4::bigint";
static const char get_sql[] =
	"SELECT " ITEM_COLUMNS " FROM folder f"
	" CROSS JOIN unnest($3::bigint[], $4::bigint[]) r(first, last)"
	" JOIN item i ON i.folder = f.row AND i.number BETWEEN r.first AND r.last"
	" WHERE f.account_id = $1 AND f.row = ANY ($2::bigint[]) ORDER BY i.number";
static const char at_sql[] = "SELECT " ITEM_COLUMNS ITEM_FROM " AND i.href = ANY ($3::text[])";
static const char numbers_sql[] =
	"SELECT i.number" ITEM_FROM " AND NOT i.gone ORDER BY i.number";

static void put_bool(struct params *p, bool b)
{
	params_text(p, b ? STR("true") : STR("false"));
}

enum rc pg_shadows_load(struct state *state, const struct account *ac, struct shadow *v,
	size_t n, struct arena *a, struct err *err)
{
	int64_t *folders = ARENA_ARRAY(a, int64_t, n + 1);
	struct params p;
	PGresult *r;
	enum rc rc;

	for (size_t i = 0; i < n; i++)
		folders[i] = v[i].folder;
	params_init(&p, a);
	params_int(&p, ac->id);
	params_ints(&p, folders, n);
	rc = conn_run(&((struct pg_state *)state)->conn, shadows_sql, &p, CONN_REPEAT, &r, err);
	if (rc)
		return rc;
	for (size_t i = 0; i < n; i++) {
		int row = (int)i;

		v[i] = (struct shadow){
			.folder = folders[i], .token = {"", 0}
                };
		if (PQgetisnull(r, row, 0))
			continue;
		v[i].token = conn_text(r, row, 0, a);
		v[i].version = (uint64_t)conn_int(r, row, 1);
		v[i].purged = (uint64_t)conn_int(r, row, 2);
	}
	PQclear(r);
	return RC_OK;
}

/* What the server listed as three arrays. RC_LIMIT: it is more than a statement can take. */
static enum rc put_entries(
	struct params *p, const struct dav_changes *ch, struct arena *a, struct err *err)
{
	struct str *hrefs = ARENA_ARRAY(a, struct str, ch->n + 1);
	struct str *etags = ARENA_ARRAY(a, struct str, ch->n + 1);
	struct str *gone = ARENA_ARRAY(a, struct str, ch->n + 1);
	size_t total = 0;

	for (size_t i = 0; i < ch->n; i++) {
		hrefs[i] = ch->v[i].href;
		etags[i] = ch->v[i].etag;
		gone[i] = ch->v[i].gone ? STR("t") : STR("f");
		total += hrefs[i].n + etags[i].n;
	}
	if (total > BUF_MAX_TEXT || ch->n > BUF_MAX_TEXT / 16)
		return err_set(
			err, RC_LIMIT, "the collection has too many members: %zu", ch->n);
	params_texts(p, hrefs, ch->n);
	params_texts(p, etags, ch->n);
	params_texts(p, gone, ch->n);
	return RC_OK;
}

enum rc pg_shadow_seen(struct state *state, const struct account *ac, struct shadow *sh,
	const struct dav_changes *ch, struct arena *a, struct err *err)
{
	enum { DONE, CONFLICT, ABSENT };
	struct params p;
	PGresult *r;
	enum rc rc;
	int64_t result;

	params_init(&p, a);
	params_int(&p, ac->id);
	params_int(&p, sh->folder);
	params_text(&p, sh->token);
	params_int(&p, (int64_t)sh->version);
	params_text(&p, ch->token);
	put_bool(&p, ch->whole);
	rc = put_entries(&p, ch, a, err);
	/* Done before the connection was lost, the second time it is a conflict. */
	if (rc == RC_OK)
		rc = conn_run(
			&((struct pg_state *)state)->conn, seen_sql, &p, CONN_REPEAT, &r, err);
	if (rc)
		return rc;
	result = conn_int(r, 0, 0);
	if (result == DONE)
		*sh = (struct shadow){sh->folder, arena_str(a, ch->token),
			(uint64_t)conn_int(r, 0, 1), (uint64_t)conn_int(r, 0, 2)};
	PQclear(r);
	if (result == ABSENT)
		return err_set(err, RC_ABSENT, "there is no such folder");
	if (result == CONFLICT)
		return err_set(err, RC_CONFLICT,
			"the collection was looked at or written by another request");
	return RC_OK;
}

static struct item pg_item(PGresult *r, int row, struct arena *a)
{
	return (struct item){(uint32_t)conn_int(r, row, 0), conn_int(r, row, 1),
		conn_text(r, row, 2, a), conn_text(r, row, 3, a), (uint64_t)conn_int(r, row, 4),
		conn_bool(r, row, 5)};
}

enum rc pg_item_own(struct state *state, const struct account *ac, int64_t folder,
	struct str href, struct str etag, bool gone, struct arena *a, struct item *it_r,
	struct err *err)
{
	struct params p;
	PGresult *r;
	enum rc rc;

	params_init(&p, a);
	params_int(&p, ac->id);
	params_int(&p, folder);
	params_text(&p, href);
	params_text(&p, etag);
	put_bool(&p, gone);
	rc = conn_run(&((struct pg_state *)state)->conn, own_sql, &p, CONN_REPEAT, &r, err);
	if (rc)
		return rc;
	if (PQntuples(r))
		*it_r = pg_item(r, 0, a);
	else
		rc = err_set(err, RC_ABSENT, "there is no such folder");
	PQclear(r);
	return rc;
}

static void put_folders(struct params *p, const struct account *ac, const int64_t *folders,
	size_t n, struct arena *a)
{
	params_init(p, a);
	params_int(p, ac->id);
	params_ints(p, folders, n);
}

static enum rc read_items(struct state *state, const char *sql, const struct params *p,
	struct arena *a, struct items *out, struct err *err)
{
	PGresult *r;
	enum rc rc = conn_run(&((struct pg_state *)state)->conn, sql, p, CONN_REPEAT, &r, err);

	if (rc)
		return rc;
	out->n = (size_t)PQntuples(r);
	out->v = ARENA_ARRAY(a, struct item, out->n + 1);
	for (size_t i = 0; i < out->n; i++)
		out->v[i] = pg_item(r, (int)i, a);
	PQclear(r);
	return RC_OK;
}

enum rc pg_items_since(struct state *state, const struct account *ac, const int64_t *folders,
	size_t n, uint64_t version, size_t most, struct arena *a, struct items *r,
	struct err *err)
{
	struct params p;

	put_folders(&p, ac, folders, n, a);
	params_int(&p, (int64_t)version);
	params_int(&p, most < INT64_MAX ? (int64_t)most : INT64_MAX);
	return read_items(state, since_sql, &p, a, r, err);
}

enum rc pg_items_get(struct state *state, const struct account *ac, const int64_t *folders,
	size_t n, const struct uidset *numbers, struct arena *a, struct items *r,
	struct err *err)
{
	struct params p;

	put_folders(&p, ac, folders, n, a);
	params_ranges(&p, numbers);
	return read_items(state, get_sql, &p, a, r, err);
}

enum rc pg_items_at(struct state *state, const struct account *ac, int64_t folder,
	const struct str *hrefs, size_t n, struct arena *a, struct items *r, struct err *err)
{
	struct params p;

	put_folders(&p, ac, &folder, 1, a);
	params_texts(&p, hrefs, n);
	return read_items(state, at_sql, &p, a, r, err);
}

enum rc pg_items_numbers(struct state *state, const struct account *ac, const int64_t *folders,
	size_t n, struct uidset *out, struct err *err)
{
	struct arena *a = arena_new();
	struct params p;
	PGresult *r;
	enum rc rc;

	put_folders(&p, ac, folders, n, a);
	rc = conn_run(&((struct pg_state *)state)->conn, numbers_sql, &p, CONN_REPEAT, &r, err);
	if (rc == RC_OK) {
		for (int i = 0; i < PQntuples(r); i++)
			uidset_add(out, (uint32_t)conn_int(r, i, 0));
		PQclear(r);
	}
	arena_free(a);
	return rc;
}
