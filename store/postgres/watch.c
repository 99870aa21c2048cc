#include "store/postgres/pg_internal.h"

/* A listener that was not seen for this long is dead. */
#define ALIVE "seen > now() - interval '15 seconds'"

/*
 * $1 account, $2 device, $3 ids with "" for the hierarchy, $4 host.
 *
 * An IMAP connection that watches the account has compared all marks when it began. Where the
 * mail server tells of changes by itself, a mark is good when it was noted while all who hear
 * of them were there, and while the account's events were not passed over.
 */
static const char look_sql[] =
	"SELECT i.id, c.epoch, c.generation, c.state, c.round, c.options, c.revision,"
	" " FOLDER_COLUMNS ", ch.seq, ch.uidvalidity, ch.uidnext, ch.messages, ch.modseq,"
	" coalesce(ch.modseq <> 0 AND (w.imap OR ch.at > w.heard), false),"
	" w.seq, coalesce(w.seq = w.done AND (w.at > w.since OR w.at > w.heard), false),"
	" w.imap OR w.heard IS NOT NULL, w.watched"
	" FROM (SELECT d.account_id IS NOT NULL AS imap, d.since, "
	"   CASE WHEN u.started IS NOT NULL THEN greatest(u.started, t.began) END AS heard,"
	"   coalesce(t.until > now() + interval '12 hours', false) AS watched, h.seq, h.done, h.at"
	"  FROM (SELECT 1) one"
	"  LEFT JOIN watch t ON t.account_id = $1 AND t.host = $4 AND t.until > now()"
	"  LEFT JOIN (SELECT account_id, since FROM watched JOIN listener l"
	"   ON l.id = listener AND l." ALIVE ") d ON d.account_id = $1"
	"  LEFT JOIN (SELECT max(started) AS started FROM listener WHERE source = 'url'"
	"   HAVING bool_and(" ALIVE ")) u ON t.account_id IS NOT NULL"
	"  LEFT JOIN hierarchy_change h ON h.account_id = $1) w"
	" CROSS JOIN unnest($3::text[]) WITH ORDINALITY i(id, place)"
	" LEFT JOIN folder f ON f.account_id = $1 AND f.id = i.id"
	" LEFT JOIN collection c ON c.device = $2 AND c.id = i.id"
	" LEFT JOIN change ch ON ch.folder = f.row ORDER BY i.place";

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
};

/* An array of texts for PostgreSQL: {"a","b"} */
static struct str text_array(const struct watch *w, struct arena *a)
{
	struct buf b;
	struct str r;

	buf_init(&b, BUF_MAX_TEXT);
	buf_adds(&b, "{\"\"");
	for (size_t i = 0; i < w->n; i++) {
		buf_adds(&b, ",\"");
		for (size_t k = 0; k < w->v[i].id.n; k++) {
			char c = w->v[i].id.p[k];

			if (c == '"' || c == '\\')
				buf_addc(&b, '\\');
			if (c)
				buf_addc(&b, c);
		}
		buf_addc(&b, '"');
	}
	buf_addc(&b, '}');
	r = arena_str(a, buf_str(&b));
	buf_release(&b);
	return r;
}

static void read_folder(PGresult *r, int row, struct arena *a, struct watched_folder *v)
{
	*v = (struct watched_folder){.id = v->id};
	pg_collection(r, row, COL_COLLECTION, a, &v->c);
	if (!PQgetisnull(r, row, COL_FOLDER))
		pg_folder(r, row, COL_FOLDER, a, &v->folder);
	if (PQgetisnull(r, row, COL_SEQ))
		return;
	v->seq = (uint64_t)conn_int(r, row, COL_SEQ);
	v->mark = (struct mail_mark){(uint32_t)conn_int(r, row, COL_MARK),
		(uint32_t)conn_int(r, row, COL_MARK + 1),
		(uint32_t)conn_int(r, row, COL_MARK + 2),
		(uint64_t)conn_int(r, row, COL_MARK + 3)};
	v->current = conn_bool(r, row, COL_CURRENT);
}

enum rc pg_watch_look(struct state *state, const struct account *ac, const struct device *d,
	struct arena *a, struct watch *w, struct err *err)
{
	struct pg_state *s = (struct pg_state *)state;
	struct params p;
	PGresult *r;
	enum rc rc;

	params_init(&p, a);
	params_int(&p, ac->id);
	params_int(&p, d->id);
	params_text(&p, text_array(w, a));
	params_text(&p, s->conn.conf->host);
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
	PGresult *r;
	enum rc rc = conn_run(&((struct pg_state *)state)->conn, sql, p, CONN_REPEAT, &r, err);

	if (rc == RC_OK)
		PQclear(r);
	return rc;
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

/* The columns of note_sql, "{1,2}" each. */
enum { NOTE_COLUMNS = 6 };

static enum rc note_marks(struct state *state, const struct account *ac, const struct watch *w,
	struct arena *a, struct err *err)
{
	struct buf b[NOTE_COLUMNS];
	struct params p;
	bool any = false;
	enum rc rc = RC_OK;

	for (size_t k = 0; k < NOTE_COLUMNS; k++)
		buf_init(&b[k], BUF_MAX_TEXT);
	for (size_t i = 0; i < w->n; i++) {
		const struct watched_folder *v = &w->v[i];
		const uint64_t numbers[NOTE_COLUMNS] = {(uint64_t)v->folder.row, v->seq,
			v->mark.uidvalidity, v->mark.uidnext, v->mark.messages, v->mark.modseq};

		if (v->current || !v->mark.modseq || !v->folder.row)
			continue;
		for (size_t k = 0; k < NOTE_COLUMNS; k++)
			buf_addf(&b[k], "%c%llu", any ? ',' : '{',
				(unsigned long long)numbers[k]);
		any = true;
	}
	params_init(&p, a);
	for (size_t k = 0; k < NOTE_COLUMNS; k++) {
		buf_addc(&b[k], '}');
		params_text(&p, buf_str(&b[k]));
		buf_release(&b[k]);
	}
	params_int(&p, ac->id);
	if (any)
		rc = run(state, note_sql, &p, err);
	return rc;
}

enum rc pg_watch_note(struct state *state, const struct account *ac, const struct watch *w,
	bool hierarchy, struct err *err)
{
	struct arena *a = arena_new();
	struct params p;
	enum rc rc = note_marks(state, ac, w, a, err);

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
