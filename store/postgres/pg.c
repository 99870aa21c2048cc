#include "store/postgres/pg_internal.h"

#include <stdlib.h>

static const char lock_sql[] =
	"SELECT pg_advisory_lock(hashtextextended($1::text || '/' || $2::text, 7))";
static const char unlock_sql[] =
	"SELECT pg_advisory_unlock(hashtextextended($1::text || '/' || $2::text, 7))";
static const char unlock_all_sql[] = "SELECT pg_advisory_unlock_all()";
static const char open_sql[] =
	"SELECT c.epoch, c.generation, c.state, c.round, c.options, c.revision, " FOLDER_COLUMNS
	" FROM (SELECT 1) one LEFT JOIN collection c ON c.device = $2 AND c.id = $3"
	" LEFT JOIN folder f ON f.account_id = $1 AND f.id = $3";
static const char insert_sql[] =
	"INSERT INTO collection (device, id, epoch, generation, state, round, options, revision)"
	" SELECT $1, $2, $3, $4, $5, $6, $7, 1 WHERE EXISTS (SELECT 1 FROM device WHERE id = $1)"
	" ON CONFLICT DO NOTHING";
static const char update_sql[] =
	"UPDATE collection SET epoch = $3, generation = $4, state = $5, round = $6, options = $7,"
	" revision = revision + 1 WHERE device = $1 AND id = $2 AND revision = $8";
static const char was_sent_sql[] = "SELECT 1 FROM sent WHERE device = $1 AND client_id = $2";
static const char sent_sql[] =
	"WITH old AS (DELETE FROM sent WHERE device = $1 AND at < now() - interval '7 days')"
	" INSERT INTO sent (device, client_id) VALUES ($1, $2) ON CONFLICT DO NOTHING";
static const char moved_sql[] =
	"INSERT INTO moved (device, source, target) VALUES ($1, $2, $3)"
	" ON CONFLICT (device, source) DO UPDATE SET target = excluded.target, at = now()";
static const char find_moved_sql[] =
	"SELECT target FROM moved WHERE device = $1 AND source = $2 AND at > now() - interval '7 days'";
static const char skip_sql[] =
	"INSERT INTO skipped (folder, item, reason) SELECT row, $3, $4 FROM folder"
	" WHERE account_id = $1 AND id = $2"
	" ON CONFLICT (folder, item) DO UPDATE SET reason = excluded.reason";

static void device_key(
	struct params *p, struct arena *a, const struct device *d, struct str what)
{
	params_init(p, a);
	params_int(p, d->id);
	params_text(p, what);
}

enum rc pg_lock(struct pg_state *s, const struct device *d, struct str what, struct err *err)
{
	struct arena *a = arena_new();
	struct params p;
	enum rc rc;

	device_key(&p, a, d, what);
	/* While locks are held a new connection would not have them. */
	rc = conn_execute(&s->conn, lock_sql, &p, s->locked_at ? CONN_ONCE : CONN_REPEAT, err);
	if (rc == RC_OK) {
		s->locked_at = s->conn.opened;
		s->locks++;
	}
	arena_free(a);
	return rc;
}

void pg_unlock(struct pg_state *s, const struct device *d, struct str what)
{
	struct arena *a;
	struct params p;
	PGresult *r;

	if (!s->conn.c || s->locked_at != s->conn.opened)
		return;
	a = arena_new();
	device_key(&p, a, d, what);
	if (conn_run(&s->conn, unlock_sql, &p, CONN_ONCE, &r, NULL) != RC_OK) {
		conn_close(&s->conn);
	} else {
		/* False: it was not held. */
		if (conn_bool(r, 0, 0) && --s->locks == 0)
			s->locked_at = 0;
		PQclear(r);
	}
	arena_free(a);
}

static void pg_end(struct state *state)
{
	struct pg_state *s = (struct pg_state *)state;
	struct params p = {0};

	/* Locks live as long as the connection: when they cannot be given back, it goes. */
	if (s->locked_at && s->conn.c && s->locked_at == s->conn.opened &&
		conn_execute(&s->conn, unlock_all_sql, &p, CONN_ONCE, NULL) != RC_OK)
		conn_close(&s->conn);
	s->locked_at = 0;
	s->locks = 0;
}

void pg_collection(PGresult *r, int row, int column, struct arena *a, struct collection *c)
{
	*c = (struct collection){0};
	if (PQgetisnull(r, row, column))
		return;
	c->epoch = (uint32_t)conn_int(r, row, column);
	c->generation = (uint32_t)conn_int(r, row, column + 1);
	c->state = conn_bytes(r, row, column + 2, a);
	c->round = conn_bytes(r, row, column + 3, a);
	c->options = conn_bytes(r, row, column + 4, a);
	c->revision = conn_int(r, row, column + 5);
}

static enum rc pg_peek(struct state *state, const struct account *ac, const struct device *d,
	struct str id, struct arena *a, struct folder *folder_r, struct collection *c,
	struct err *err)
{
	struct pg_state *s = (struct pg_state *)state;
	struct params p;
	PGresult *r;
	enum rc rc;

	params_init(&p, a);
	params_int(&p, ac->id);
	params_int(&p, d->id);
	params_text(&p, id);
	*c = (struct collection){0};
	*folder_r = (struct folder){0};
	rc = conn_run(&s->conn, open_sql, &p, CONN_REPEAT, &r, err);
	if (rc)
		return rc;
	pg_collection(r, 0, 0, a, c);
	if (!PQgetisnull(r, 0, 6))
		pg_folder(r, 0, 6, a, folder_r);
	else if (id.n)
		rc = err_set(err, RC_ABSENT, "there is no folder %.*s", STR_FMT(id));
	PQclear(r);
	return rc;
}

static enum rc pg_open(struct state *state, const struct account *ac, const struct device *d,
	struct str id, struct arena *a, struct folder *folder_r, struct collection *c,
	struct err *err)
{
	enum rc rc = pg_lock((struct pg_state *)state, d, id, err);

	/* The look comes after the lock, in a statement of its own: its snapshot must be newer.
	 */
	return rc ? rc : pg_peek(state, ac, d, id, a, folder_r, c, err);
}

static enum rc pg_store(struct state *state, const struct device *d, struct str id,
	struct collection *c, struct err *err)
{
	struct pg_state *s = (struct pg_state *)state;
	struct arena *a;
	struct params p;
	PGresult *r;
	bool stored = false;
	enum rc rc;

	if (d->id == 0)
		return RC_OK;
	a = arena_new();
	params_init(&p, a);
	params_int(&p, d->id);
	params_text(&p, id);
	params_int(&p, c->epoch);
	params_int(&p, c->generation);
	params_bytes(&p, c->state);
	params_bytes(&p, c->round);
	params_bytes(&p, c->options);
	if (c->revision)
		params_int(&p, c->revision);
	rc = conn_run(&s->conn, c->revision ? update_sql : insert_sql, &p, CONN_ONCE, &r, err);
	if (rc == RC_OK) {
		stored = PQcmdTuples(r)[0] == '1';
		PQclear(r);
	}
	arena_free(a);
	if (rc)
		return rc;
	if (!stored)
		return err_set(
			err, RC_CONFLICT, "the collection was changed by another request");
	c->revision++;
	return RC_OK;
}

static void pg_close(struct state *state, const struct device *d, struct str id)
{
	pg_unlock((struct pg_state *)state, d, id);
}

static struct str sent_lock(struct str client_id, struct arena *a)
{
	return arena_printf(a, "sent/%.*s", STR_FMT(client_id));
}

static enum rc pg_sent_claim(
	struct state *state, const struct device *d, struct str client_id, struct err *err)
{
	struct pg_state *s = (struct pg_state *)state;
	struct arena *a = arena_new();
	struct params p;
	PGresult *r;
	enum rc rc = pg_lock(s, d, sent_lock(client_id, a), err);

	if (rc == RC_OK) {
		device_key(&p, a, d, client_id);
		rc = conn_run(&s->conn, was_sent_sql, &p, CONN_REPEAT, &r, err);
	}
	if (rc == RC_OK) {
		if (PQntuples(r))
			rc = err_set(err, RC_CONFLICT, "this mail was sent before");
		PQclear(r);
	}
	arena_free(a);
	return rc;
}

static void pg_sent_drop(struct state *state, const struct device *d, struct str client_id)
{
	struct arena *a = arena_new();

	pg_unlock((struct pg_state *)state, d, sent_lock(client_id, a));
	arena_free(a);
}

static enum rc pg_sent_done(
	struct state *state, const struct device *d, struct str client_id, struct err *err)
{
	struct arena *a = arena_new();
	struct params p;
	enum rc rc = RC_OK;

	device_key(&p, a, d, client_id);
	if (d->id)
		rc = conn_execute(
			&((struct pg_state *)state)->conn, sent_sql, &p, CONN_REPEAT, err);
	arena_free(a);
	pg_sent_drop(state, d, client_id);
	return rc;
}

static enum rc pg_moved_add(struct state *state, const struct device *d, const struct moved *v,
	size_t n, struct err *err)
{
	struct arena *a = arena_new();
	enum rc rc = RC_OK;

	for (size_t i = 0; i < n && rc == RC_OK && d->id; i++) {
		struct params p;

		device_key(&p, a, d, v[i].from);
		params_text(&p, v[i].to);
		rc = conn_execute(
			&((struct pg_state *)state)->conn, moved_sql, &p, CONN_REPEAT, err);
	}
	arena_free(a);
	return rc;
}

static enum rc pg_moved_find(struct state *state, const struct device *d, struct str from,
	struct arena *a, struct str *to_r, struct err *err)
{
	struct pg_state *s = (struct pg_state *)state;
	struct params p;
	PGresult *r;
	enum rc rc;

	device_key(&p, a, d, from);
	rc = conn_run(&s->conn, find_moved_sql, &p, CONN_REPEAT, &r, err);
	if (rc)
		return rc;
	if (PQntuples(r))
		*to_r = conn_text(r, 0, 0, a);
	else
		rc = err_set(err, RC_ABSENT, "%.*s was not moved", STR_FMT(from));
	PQclear(r);
	return rc;
}

static enum rc pg_skip_add(struct state *state, const struct account *ac,
	const struct folder *f, struct str item, struct str reason, struct err *err)
{
	struct arena *a = arena_new();
	struct params p;
	enum rc rc;

	params_init(&p, a);
	params_int(&p, ac->id);
	params_text(&p, f->id);
	params_text(&p, item);
	params_text(&p, reason);
	rc = conn_execute(&((struct pg_state *)state)->conn, skip_sql, &p, CONN_REPEAT, err);
	arena_free(a);
	return rc;
}

static const struct state_ops ops = {
	.begin = pg_begin,
	.end = pg_end,
	.device_save = pg_device_save,
	.folders_load = pg_folders_load,
	.folders_store = pg_folders_store,
	.folder_get = pg_folder_get,
	.collection_open = pg_open,
	.collection_peek = pg_peek,
	.collection_store = pg_store,
	.collection_close = pg_close,
	.sent_claim = pg_sent_claim,
	.sent_done = pg_sent_done,
	.sent_drop = pg_sent_drop,
	.moved_add = pg_moved_add,
	.moved_find = pg_moved_find,
	.notes_load = pg_notes_load,
	.notes_store = pg_notes_store,
	.search_store = pg_search_store,
	.search_load = pg_search_load,
	.shadows_load = pg_shadows_load,
	.shadow_seen = pg_shadow_seen,
	.item_own = pg_item_own,
	.items_since = pg_items_since,
	.items_get = pg_items_get,
	.items_at = pg_items_at,
	.items_numbers = pg_items_numbers,
	.watch_look = pg_watch_look,
	.watch_begin = pg_watch_begin,
	.watch_note = pg_watch_note,
	.watch_own = pg_watch_own,
	.skip_add = pg_skip_add,
};

struct state *pg_state_new(const struct settings *conf)
{
	struct pg_state *s = calloc(1, sizeof(*s));

	if (!s)
		abort();
	s->state.ops = &ops;
	s->conn.conf = conf;
	return &s->state;
}

void pg_state_free(struct state *state)
{
	struct pg_state *s = (struct pg_state *)state;

	if (!s)
		return;
	conn_close(&s->conn);
	free(s);
}

struct conn *pg_state_conn(struct state *s)
{
	return &((struct pg_state *)s)->conn;
}
