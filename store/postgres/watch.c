#include "store/postgres/pg_internal.h"

/* Kinds of folders (core/model/state.h). */
#define IS_MAIL       "f.kind = 0"
#define IS_RECIPIENTS "f.kind = 5"
_Static_assert(FOLDER_MAIL == 0 && FOLDER_RECIPIENTS == 5, "the statements name them");

/*
 * $1 account, $2 device, $3 ids with "" for the hierarchy, $4 host, $5 dav_interval.
 *
 * An IMAP connection that watches the account has compared all marks when it began. Where the
 * mail server tells of changes by itself, a mark is good when it was noted while all who hear
 * of them were there, and while the account's events were not passed over.
 *
 * Of DAV collections another listener asks the server each interval; what is older than two of
 * them is not known to be so still. The recipient cache is all here.
 */
static const char look_sql[] =
	"SELECT i.id, c.epoch, c.generation, c.state, c.round, c.options, c.revision,"
	" " FOLDER_COLUMNS ", ch.seq, ch.uidvalidity, ch.uidnext, ch.messages, ch.modseq,"
	" coalesce(CASE WHEN " IS_MAIL " THEN ch.modseq <> 0 AND (w.imap OR ch.at > w.heard)"
	"  ELSE " IS_RECIPIENTS
	" OR sh.checked > now() - make_interval(secs => 2 * $5::integer)"
	"  END, false),"
	" w.seq, coalesce(w.seq = w.done AND (w.at > w.since OR w.at > w.heard), false),"
	" (w.imap OR w.heard IS NOT NULL)"
	"  AND (w.dav OR NOT coalesce(bool_or(NOT " IS_MAIL " AND NOT " IS_RECIPIENTS
	") OVER (), false)), w.watched, coalesce(sh.version, 0)"
	" FROM (SELECT d.account_id IS NOT NULL AS imap, d.since, "
	"   CASE WHEN u.started IS NOT NULL THEN greatest(u.started, t.began) END AS heard,"
	"   coalesce(t.until > now() + interval '12 hours', false) AS watched, h.seq, h.done, h.at,"
	"   EXISTS (SELECT 1 FROM listener WHERE source = 'dav' AND " CONN_ALIVE ") AS dav"
	"  FROM (SELECT 1) one"
	"  LEFT JOIN watch t ON t.account_id = $1 AND t.host = $4 AND t.until > now()"
	"  LEFT JOIN (SELECT account_id, since FROM watched JOIN listener l"
	"   ON l.id = listener AND l." CONN_ALIVE ") d ON d.account_id = $1"
	"  LEFT JOIN (SELECT max(started) AS started FROM listener WHERE source = 'url'"
	"   HAVING bool_and(" CONN_ALIVE ")) u ON t.account_id IS NOT NULL"
	"  LEFT JOIN hierarchy_change h ON h.account_id = $1) w"
	" CROSS JOIN unnest($3::text[]) WITH ORDINALITY i(id, place)"
	" LEFT JOIN folder f ON f.account_id = $1 AND f.id = i.id"
	" LEFT JOIN collection c ON c.device = $2 AND c.id = i.id"
	" LEFT JOIN change ch ON ch.folder = f.row"
	" LEFT JOIN shadow sh ON sh.folder = f.row ORDER BY i.place";

static const char begin_sql[] =
	"WITH w AS (INSERT INTO watch (account_id, host, until)"
	"  SELECT $1, $2, now() + interval '24 hours' WHERE " CONN_LOOSELY
	"  ON CONFLICT (account_id, host) DO UPDATE SET until = excluded.until,"
	"   began = CASE WHEN watch.until < now() THEN now() ELSE watch.began END RETURNING account_id)"
	" SELECT pg_notify('easpool_watch', account_id::text) FROM w";

/* $1 rows, $2 the seqs that were seen, then the marks. */
static const char note_sql[] =
	"INSERT INTO change (folder, seq, uidvalidity, uidnext, messages, modseq)"
	" SELECT f.row, e.seq, e.uidvalidity, e.uidnext, e.messages, e.modseq"
	" FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[],"
	"  $6::bigint[]) e(folder, seq, uidvalidity, uidnext, messages, modseq)"
	" JOIN folder f ON f.row = e.folder AND f.account_id = $7 WHERE " CONN_LOOSELY
	" ORDER BY f.row"
	" ON CONFLICT (folder) DO UPDATE SET uidvalidity = excluded.uidvalidity,"
	"  uidnext = excluded.uidnext, messages = excluded.messages, modseq = excluded.modseq,"
	"  at = now() WHERE change.seq = excluded.seq";

static const char note_asked_sql[] =
	"INSERT INTO shadow (folder, checked) SELECT f.row, now() FROM folder f"
	" WHERE f.account_id = $1 AND f.row = ANY ($2::bigint[]) AND " CONN_LOOSELY
	" ORDER BY f.row ON CONFLICT (folder) DO UPDATE SET checked = now()";

static const char note_hierarchy_sql[] =
	"INSERT INTO hierarchy_change (account_id, seq, done) SELECT $1, $2, $2 WHERE " CONN_LOOSELY
	" ON CONFLICT (account_id) DO UPDATE SET done = excluded.done, at = now()"
	" WHERE hierarchy_change.done <= excluded.done";

static const char own_sql[] = "SELECT pg_notify('easpool', 'd ' || $1::text)";

enum {
	COL_COLLECTION = 1,
	COL_FOLDER = 7,
	COL_SEQ = 18,
	COL_MARK = 19,
	COL_CURRENT = 23,
	COL_HIERARCHY_SEQ,
	COL_HIERARCHY_CURRENT,
	COL_COVERED,
	COL_WATCHED,
	COL_VERSION,
};

static void read_folder(PGresult *r, int row, struct arena *a, struct watched_folder *v)
{
	*v = (struct watched_folder){.id = v->id};
	pg_collection(r, row, COL_COLLECTION, a, &v->c);
	if (!PQgetisnull(r, row, COL_FOLDER))
		pg_folder(r, row, COL_FOLDER, a, &v->folder);
	v->current = conn_bool(r, row, COL_CURRENT);
	v->version = (uint64_t)conn_int(r, row, COL_VERSION);
	if (PQgetisnull(r, row, COL_SEQ))
		return;
	v->seq = (uint64_t)conn_int(r, row, COL_SEQ);
	v->mark = (struct mail_mark){(uint32_t)conn_int(r, row, COL_MARK),
		(uint32_t)conn_int(r, row, COL_MARK + 1),
		(uint32_t)conn_int(r, row, COL_MARK + 2),
		(uint64_t)conn_int(r, row, COL_MARK + 3)};
}

enum rc pg_watch_look(struct state *state, const struct account *ac, const struct device *d,
	struct arena *a, struct watch *w, struct err *err)
{
	struct pg_state *s = (struct pg_state *)state;
	struct str *ids = ARENA_ARRAY(a, struct str, w->n + 1);
	struct params p;
	PGresult *r;
	enum rc rc;

	ids[0] = STR("");
	for (size_t i = 0; i < w->n; i++)
		ids[i + 1] = w->v[i].id;
	params_init(&p, a);
	params_int(&p, ac->id);
	params_int(&p, d->id);
	params_texts(&p, ids, w->n + 1);
	params_text(&p, s->conn.conf->host);
	params_int(&p, s->conn.conf->dav_interval);
	rc = conn_run(&s->conn, look_sql, &p, CONN_REPEAT, &r, err);
	if (rc)
		return rc;
	pg_collection(r, 0, COL_COLLECTION, a, &w->hierarchy);
	w->hierarchy_seq = PQgetisnull(r, 0, COL_HIERARCHY_SEQ)
				   ? 0
				   : (uint64_t)conn_int(r, 0, COL_HIERARCHY_SEQ);
	w->hierarchy_current = conn_bool(r, 0, COL_HIERARCHY_CURRENT);
	w->covered = conn_bool(r, 0, COL_COVERED);
	w->watched = conn_bool(r, 0, COL_WATCHED);
	for (size_t i = 0; i < w->n; i++)
		read_folder(r, (int)i + 1, a, &w->v[i]);
	PQclear(r);
	return RC_OK;
}

static enum rc run(
	struct state *state, const char *sql, const struct params *p, struct err *err)
{
	return conn_execute(&((struct pg_state *)state)->conn, sql, p, CONN_REPEAT, err);
}

enum rc pg_watch_begin(struct state *state, const struct account *ac, struct err *err)
{
	struct arena *a = arena_new();
	struct params p;
	enum rc rc;

	params_init(&p, a);
	params_int(&p, ac->id);
	params_text(&p, ((struct pg_state *)state)->conn.conf->host);
	rc = run(state, begin_sql, &p, err);
	arena_free(a);
	return rc;
}

/* The columns of note_sql. */
enum { NOTE_COLUMNS = 6 };

static enum rc note_marks(struct state *state, const struct account *ac, const struct watch *w,
	struct arena *a, struct err *err)
{
	int64_t *column[NOTE_COLUMNS];
	struct params p;
	size_t n = 0;

	for (size_t k = 0; k < NOTE_COLUMNS; k++)
		column[k] = ARENA_ARRAY(a, int64_t, w->n + 1);
	for (size_t i = 0; i < w->n; i++) {
		const struct watched_folder *v = &w->v[i];
		const int64_t numbers[NOTE_COLUMNS] = {v->folder.row, (int64_t)v->seq,
			v->mark.uidvalidity, v->mark.uidnext, v->mark.messages,
			(int64_t)v->mark.modseq};

		if (v->current || !v->mark.modseq || !v->folder.row ||
			v->folder.kind != FOLDER_MAIL)
			continue;
		for (size_t k = 0; k < NOTE_COLUMNS; k++)
			column[k][n] = numbers[k];
		n++;
	}
	if (!n)
		return RC_OK;
	params_init(&p, a);
	for (size_t k = 0; k < NOTE_COLUMNS; k++)
		params_ints(&p, column[k], n);
	params_int(&p, ac->id);
	return run(state, note_sql, &p, err);
}

static enum rc note_asked(struct state *state, const struct account *ac, const struct watch *w,
	struct arena *a, struct err *err)
{
	int64_t *rows = ARENA_ARRAY(a, int64_t, w->n + 1);
	struct params p;
	size_t n = 0;

	for (size_t i = 0; i < w->n; i++)
		if (w->v[i].asked)
			rows[n++] = w->v[i].folder.row;
	if (!n)
		return RC_OK;
	params_init(&p, a);
	params_int(&p, ac->id);
	params_ints(&p, rows, n);
	return run(state, note_asked_sql, &p, err);
}

enum rc pg_watch_note(struct state *state, const struct account *ac, const struct watch *w,
	bool hierarchy, struct err *err)
{
	struct arena *a = arena_new();
	struct params p;
	enum rc rc = note_marks(state, ac, w, a, err);

	if (rc == RC_OK)
		rc = note_asked(state, ac, w, a, err);
	if (rc == RC_OK && hierarchy) {
		params_init(&p, a);
		params_int(&p, ac->id);
		params_int(&p, (int64_t)w->hierarchy_seq);
		rc = run(state, note_hierarchy_sql, &p, err);
	}
	arena_free(a);
	return rc;
}

enum rc pg_watch_own(struct state *state, const struct device *d, struct err *err)
{
	struct arena *a = arena_new();
	struct params p;
	enum rc rc;

	params_init(&p, a);
	params_int(&p, d->id);
	rc = run(state, own_sql, &p, err);
	arena_free(a);
	return rc;
}
