#include "store/postgres/events.h"

#include <stdlib.h>
#include <string.h>

/*
 * seq 2 on its way in says that the event counts in any case. In the order of the rows, so that
 * two listeners never wait for each other.
 */
static const char publish_sql[] =
	"WITH e AS MATERIALIZED ("
	" SELECT f.row, a.id AS account, e.* FROM unnest($1::text[], $2::text[], $3::text[],"
	"  $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[])"
	"  AS e (login, path, how, seq, uidvalidity, uidnext, messages, modseq)"
	" JOIN account a ON a.login = e.login"
	" JOIN folder f ON f.account_id = a.id AND f.kind = 0 AND f.path = e.path"
	" WHERE EXISTS (SELECT 1 FROM watch w WHERE w.account_id = a.id AND w.until > now())"
	"  AND " CONN_LOOSELY " ORDER BY f.row), "
	"u AS ("
	" INSERT INTO change AS c (folder, seq, uidvalidity, uidnext, messages, modseq)"
	" SELECT row, seq, uidvalidity, uidnext, messages, modseq FROM e"
	" ON CONFLICT (folder) DO UPDATE SET seq = c.seq + 1, at = now(),"
	"  uidvalidity = CASE WHEN EXCLUDED.uidvalidity <> 0 THEN EXCLUDED.uidvalidity"
	"   ELSE c.uidvalidity END,"
	"  uidnext = CASE WHEN EXCLUDED.uidvalidity <> 0 THEN EXCLUDED.uidnext"
	"   ELSE greatest(c.uidnext, EXCLUDED.uidnext) END,"
	"  messages = CASE WHEN EXCLUDED.uidvalidity <> 0 THEN EXCLUDED.messages"
	"   ELSE c.messages END,"
	"  modseq = EXCLUDED.modseq"
	" WHERE EXCLUDED.seq > 1 OR EXCLUDED.uidvalidity = 0"
	"  OR (c.uidvalidity, c.uidnext, c.messages, c.modseq) <>"
	"   (EXCLUDED.uidvalidity, EXCLUDED.uidnext, EXCLUDED.messages, EXCLUDED.modseq)"
	" RETURNING c.folder, c.seq) "
	"SELECT pg_notify('easpool', concat_ws(' ', 'c', e.account, u.folder, u.seq, e.uidnext,"
	" e.how)) FROM u JOIN e ON e.row = u.folder";

static const char hierarchy_sql[] =
	"WITH u AS ("
	" INSERT INTO hierarchy_change AS h (account_id, seq)"
	" SELECT a.id, 1 FROM unnest($1::text[]) AS e (login) JOIN account a ON a.login = e.login"
	" WHERE EXISTS (SELECT 1 FROM watch w WHERE w.account_id = a.id AND w.until > now())"
	"  AND " CONN_LOOSELY " ORDER BY a.id"
	" ON CONFLICT (account_id) DO UPDATE SET seq = h.seq + 1, at = now()"
	" RETURNING h.account_id, h.seq) "
	"SELECT pg_notify('easpool', concat_ws(' ', 'h', account_id, seq)) FROM u";

static const char beat_sql[] =
	"INSERT INTO listener (id, host, source) SELECT $1, $2, $3"
	" WHERE " CONN_LOOSELY " ON CONFLICT (id) DO UPDATE SET seen = now()";
/* What a dead one was to be told, nobody knows: marks of before are no good, whoever of the
 * listeners clears it away. */
static const char forget_sql[] =
	"WITH dead AS (DELETE FROM listener WHERE seen < now() - interval '1 minute'"
	" RETURNING source) UPDATE listener SET started = now() WHERE source = 'url'"
	" AND seen >= now() - interval '1 minute'"
	" AND EXISTS (SELECT 1 FROM dead WHERE source = 'url')";
static const char renew_sql[] = "UPDATE listener SET started = now() WHERE id = $1";
static const char leave_sql[] = "DELETE FROM listener WHERE id = $1";
static const char listeners_sql[] =
	"SELECT id FROM listener WHERE source = $1 AND ($2 = '' OR host = $2) AND " CONN_ALIVE
	" ORDER BY id";
static const char waiting_sql[] =
	"SELECT a.id, a.login, coalesce(max(h.done), 0),"
	" extract(epoch FROM now() - min(w.began))::bigint"
	" FROM watch w JOIN account a ON a.id = w.account_id"
	" LEFT JOIN hierarchy_change h ON h.account_id = a.id"
	" WHERE w.until > now() AND ($1 = '' OR w.host = $1)"
	" AND (cardinality($2::bigint[]) = 0 OR w.account_id = ANY ($2::bigint[]))"
	" GROUP BY a.id ORDER BY a.id";
static const char watched_sql[] =
	"INSERT INTO watched (account_id, listener)"
	" SELECT a.id, $2 FROM account a WHERE a.id = ANY ($1::bigint[]) AND " CONN_LOOSELY
	" ORDER BY a.id"
	" ON CONFLICT (account_id) DO UPDATE SET listener = EXCLUDED.listener, since = now()";
static const char unwatched_sql[] =
	"WITH gone AS (DELETE FROM watched WHERE account_id IN"
	"  (SELECT account_id FROM watched WHERE account_id = ANY ($1::bigint[]) AND listener = $2"
	"   AND " CONN_LOOSELY " ORDER BY account_id FOR UPDATE) RETURNING account_id)"
	" SELECT pg_notify('easpool', 'u ' || account_id) FROM gone";
static const char listen_sql[] = "LISTEN easpool_watch";

static const char hows[] = {[EVENT_OTHER] = 'f', [EVENT_ADDED] = 'a', [EVENT_DELIVERED] = 'n'};

void events_init(struct events *e, const struct settings *conf, struct str id, struct str host,
	const char *source)
{
	*e = (struct events){.conn = {.conf = conf}, .id = id, .host = host, .source = source};
}

void events_close(struct events *e)
{
	conn_close(&e->conn);
}

static enum rc execute(
	struct events *e, const char *sql, const struct params *p, struct err *err)
{
	return conn_execute(&e->conn, sql, p, CONN_REPEAT, err);
}

enum rc events_publish(struct events *e, const struct event *v, size_t n, struct err *err)
{
	enum { LOGIN, PATH, HOW, TEXTS };
	enum { SEQ, UIDVALIDITY, UIDNEXT, MESSAGES, MODSEQ, NUMBERS };
	struct arena *a = arena_new();
	struct str *text[TEXTS];
	int64_t *number[NUMBERS];
	struct params p;
	enum rc rc;

	for (size_t k = 0; k < TEXTS; k++)
		text[k] = ARENA_ARRAY(a, struct str, n + 1);
	for (size_t k = 0; k < NUMBERS; k++)
		number[k] = ARENA_ARRAY(a, int64_t, n + 1);
	for (size_t i = 0; i < n; i++) {
		text[LOGIN][i] = v[i].login;
		text[PATH][i] = v[i].path;
		text[HOW][i] = (struct str){&hows[v[i].how], 1};
		number[SEQ][i] = v[i].forced ? 2 : 1;
		number[UIDVALIDITY][i] = v[i].mark.uidvalidity;
		number[UIDNEXT][i] = v[i].mark.uidnext;
		number[MESSAGES][i] = v[i].mark.messages;
		number[MODSEQ][i] = (int64_t)v[i].mark.modseq;
	}
	params_init(&p, a);
	for (size_t k = 0; k < TEXTS; k++)
		params_texts(&p, text[k], n);
	for (size_t k = 0; k < NUMBERS; k++)
		params_ints(&p, number[k], n);
	rc = execute(e, publish_sql, &p, err);
	arena_free(a);
	return rc;
}

enum rc events_hierarchy(struct events *e, const struct str *logins, size_t n, struct err *err)
{
	struct arena *a = arena_new();
	struct params p;
	enum rc rc;

	params_init(&p, a);
	params_texts(&p, logins, n);
	rc = execute(e, hierarchy_sql, &p, err);
	arena_free(a);
	return rc;
}

/* A statement about this listener: the first `n` of its id, host and source. */
static enum rc about_itself(struct events *e, const char *sql, size_t n, struct err *err)
{
	const struct str v[] = {e->id, e->host, str_of(e->source)};
	struct arena *a = arena_new();
	struct params p;
	enum rc rc;

	params_init(&p, a);
	for (size_t i = 0; i < n; i++)
		params_text(&p, v[i]);
	rc = execute(e, sql, &p, err);
	arena_free(a);
	return rc;
}

enum rc events_beat(struct events *e, struct err *err)
{
	enum rc rc = about_itself(e, beat_sql, 3, err);

	return rc ? rc : about_itself(e, forget_sql, 0, err);
}

enum rc events_renew(struct events *e, struct err *err)
{
	return about_itself(e, renew_sql, 1, err);
}

enum rc events_leave(struct events *e, struct err *err)
{
	return about_itself(e, leave_sql, 1, err);
}

enum rc events_listeners(struct events *e, bool here, struct arena *a, struct str **ids_r,
	size_t *n_r, struct err *err)
{
	struct params p;
	PGresult *r;
	enum rc rc;

	params_init(&p, a);
	params_text(&p, str_of(e->source));
	params_text(&p, here ? e->host : STR(""));
	rc = conn_run(&e->conn, listeners_sql, &p, CONN_REPEAT, &r, err);
	if (rc)
		return rc;
	*n_r = (size_t)PQntuples(r);
	*ids_r = ARENA_ARRAY(a, struct str, *n_r + 1);
	for (size_t i = 0; i < *n_r; i++)
		(*ids_r)[i] = conn_text(r, (int)i, 0, a);
	PQclear(r);
	return RC_OK;
}

enum rc events_waiting(struct events *e, bool here, const int64_t *only, size_t n,
	struct arena *a, struct events_accounts *out, struct err *err)
{
	struct params p;
	PGresult *r;
	enum rc rc;

	params_init(&p, a);
	params_text(&p, here ? e->host : STR(""));
	params_ints(&p, only, n);
	rc = conn_run(&e->conn, waiting_sql, &p, CONN_REPEAT, &r, err);
	if (rc)
		return rc;
	out->n = (size_t)PQntuples(r);
	out->v = ARENA_ARRAY(a, struct events_account, out->n + 1);
	for (size_t i = 0; i < out->n; i++)
		out->v[i] = (struct events_account){conn_int(r, (int)i, 0),
			conn_text(r, (int)i, 1, a), conn_int(r, (int)i, 2),
			conn_int(r, (int)i, 3)};
	PQclear(r);
	return RC_OK;
}

enum rc events_watched(
	struct events *e, const int64_t *accounts, size_t n, bool watched, struct err *err)
{
	struct arena *a = arena_new();
	struct params p;
	enum rc rc;

	params_init(&p, a);
	params_ints(&p, accounts, n);
	params_text(&p, e->id);
	rc = execute(e, watched ? watched_sql : unwatched_sql, &p, err);
	arena_free(a);
	return rc;
}

int events_socket(const struct events *e)
{
	return e->conn.c ? PQsocket(e->conn.c) : -1;
}

static bool listen(struct events *e)
{
	struct arena *a;
	struct params none;
	bool ok;

	/* Where the mail server tells of everybody, nobody need be named. */
	if (strcmp(e->source, "url") == 0) {
		e->heard_at = e->conn.opened;
		return true;
	}
	a = arena_new();

	params_init(&none, a);
	ok = execute(e, listen_sql, &none, NULL) == RC_OK;
	if (ok)
		e->heard_at = e->conn.opened;
	arena_free(a);
	return ok;
}

bool events_heard(struct events *e, struct arena *a, int64_t **accounts_r, size_t *n_r)
{
	enum { MOST = 1000 };
	int64_t *v = ARENA_ARRAY(a, int64_t, MOST);
	PGnotify *note;
	size_t n = 0;

	*accounts_r = v;
	*n_r = 0;
	if (!e->conn.c)
		return true;
	if (e->heard_at != e->conn.opened) {
		(void)listen(e);
		return false;
	}
	if (!PQconsumeInput(e->conn.c)) {
		conn_close(&e->conn);
		return true;
	}
	for (note = PQnotifies(e->conn.c); note; note = PQnotifies(e->conn.c)) {
		if (n < MOST)
			v[n] = strtoll(note->extra, NULL, 10);
		n++;
		PQfreemem(note);
	}
	*n_r = n < MOST ? n : 0;
	return n <= MOST;
}
