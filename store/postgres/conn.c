#include "store/postgres/conn.h"

#include "core/base/buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void params_init(struct params *p, struct arena *a)
{
	*p = (struct params){.a = a};
}

static void put(struct params *p, const char *v, size_t n, int format)
{
	if (p->n == CONN_PARAMS)
		abort();
	p->v[p->n] = v;
	p->len[p->n] = (int)n;
	p->format[p->n++] = format;
}

void params_text(struct params *p, struct str s)
{
	char *text = arena_cstr(p->a, s);

	/* PostgreSQL's text holds no NUL. */
	put(p, text, strlen(text), 0);
}

void params_bytes(struct params *p, struct str s)
{
	put(p, s.p ? s.p : "", s.n, 1);
}

void params_int(struct params *p, int64_t n)
{
	struct str s = arena_printf(p->a, "%lld", (long long)n);

	put(p, s.p, s.n, 0);
}

/* An array literal is what its elements have between braces. */
static void add_array(struct params *p, struct buf *b)
{
	buf_addc(b, '}');
	if (b->over)
		abort();
	params_text(p, buf_str(b));
	buf_release(b);
}

void params_ints(struct params *p, const int64_t *v, size_t n)
{
	struct buf b;

	buf_init(&b, BUF_MAX_RESPONSE);
	buf_addc(&b, '{');
	for (size_t i = 0; i < n; i++)
		buf_addf(&b, "%s%lld", i ? "," : "", (long long)v[i]);
	add_array(p, &b);
}

void params_texts(struct params *p, const struct str *v, size_t n)
{
	struct buf b;

	buf_init(&b, BUF_MAX_RESPONSE);
	buf_addc(&b, '{');
	for (size_t i = 0; i < n; i++) {
		buf_adds(&b, i ? ",\"" : "\"");
		for (size_t k = 0; k < v[i].n; k++) {
			char c = v[i].p[k];

			if (c == '"' || c == '\\')
				buf_addc(&b, '\\');
			if (c)
				buf_addc(&b, c);
		}
		buf_addc(&b, '"');
	}
	add_array(p, &b);
}

void params_ranges(struct params *p, const struct uidset *s)
{
	int64_t *first = ARENA_ARRAY(p->a, int64_t, s->n + 1);
	int64_t *last = ARENA_ARRAY(p->a, int64_t, s->n + 1);

	for (size_t i = 0; i < s->n; i++) {
		first[i] = s->v[i].first;
		last[i] = s->v[i].last;
	}
	params_ints(p, first, s->n);
	params_ints(p, last, s->n);
}

static enum rc failed(struct conn *c, PGresult *r, struct err *err)
{
	const char *state = r ? PQresultErrorField(r, PG_DIAG_SQLSTATE) : NULL;
	/* lock_not_available: another request of this device is at work. */
	bool locked = state && strcmp(state, "55P03") == 0;
	char text[300];

	(void)snprintf(
		text, sizeof(text), "%s", r ? PQresultErrorMessage(r) : PQerrorMessage(c->c));
	text[strcspn(text, "\n")] = '\0';
	PQclear(r);
	if (locked)
		return err_set_why(err, RC_UNAVAILABLE, ERR_TIMEOUT,
			"another request of this device held the folder too long");
	return err_set(err, RC_UNAVAILABLE, "database: %s", text);
}

static enum rc open_connection(struct conn *c, struct err *err)
{
	const struct settings *conf = c->conf;
	struct arena *a = arena_new();
	const char *keys[] = {"dbname", "connect_timeout", "application_name", "options", NULL};
	const char *values[] = {conf->database.p,
		arena_printf(a, "%lld", (long long)conf->database_timeout).p, "easpool",
		arena_printf(a,
			"-c lock_timeout=%lld -c statement_timeout=%lld -c client_min_messages=error",
			(long long)conf->lock_wait * 1000,
			(long long)(conf->lock_wait + conf->database_timeout) * 1000)
			.p,
		NULL};

	conn_close(c);
	c->c = PQconnectdbParams(keys, values, 1);
	arena_free(a);
	if (PQstatus(c->c) != CONNECTION_OK) {
		enum rc rc = failed(c, NULL, err);

		conn_close(c);
		return rc;
	}
	c->opened++;
	return RC_OK;
}

void conn_close(struct conn *c)
{
	if (c->c)
		PQfinish(c->c);
	c->c = NULL;
	memset(c->prepared, 0, sizeof(c->prepared));
}

/* The statement's name; prepared if this connection does not know it. */
static enum rc prepare(struct conn *c, const char *sql, char name[16], struct err *err)
{
	size_t i = 0;
	PGresult *r;

	while (i < CONN_STATEMENTS && c->prepared[i] && c->prepared[i] != sql)
		i++;
	if (i == CONN_STATEMENTS)
		abort();
	(void)snprintf(name, 16, "s%zu", i);
	if (c->prepared[i])
		return RC_OK;
	r = PQprepare(c->c, name, sql, 0, NULL);
	if (PQresultStatus(r) != PGRES_COMMAND_OK)
		return failed(c, r, err);
	PQclear(r);
	c->prepared[i] = sql;
	return RC_OK;
}

/* Serialization failure, deadlock: the other one went on, and now it is our turn. */
static bool collided(PGresult *r)
{
	const char *state = PQresultErrorField(r, PG_DIAG_SQLSTATE);

	return state && (strcmp(state, "40P01") == 0 || strcmp(state, "40001") == 0);
}

static enum rc run_once(struct conn *c, const char *sql, const struct params *p, unsigned how,
	PGresult **r, struct err *err)
{
	char name[16];
	enum rc rc = prepare(c, sql, name, err);
	ExecStatusType status;

	if (rc)
		return rc;
	*r = PQexecPrepared(c->c, name, p->n, p->v, p->len, p->format, 0);
	if (how & CONN_REPEAT && collided(*r)) {
		PQclear(*r);
		*r = PQexecPrepared(c->c, name, p->n, p->v, p->len, p->format, 0);
	}
	status = PQresultStatus(*r);
	if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK)
		return failed(c, *r, err);
	return RC_OK;
}

enum rc conn_run(struct conn *c, const char *sql, const struct params *p, unsigned how,
	PGresult **r, struct err *err)
{
	bool fresh = false;
	enum rc rc;

	if (!c->c) {
		rc = open_connection(c, err);
		if (rc)
			return rc;
		fresh = true;
	}
	rc = run_once(c, sql, p, how, r, err);
	if (rc == RC_OK || PQstatus(c->c) == CONNECTION_OK)
		return rc;
	/* Lost. A statement that never began, or may be repeated, gets another try. */
	conn_close(c);
	if (fresh || !(how & CONN_REPEAT))
		return rc;
	rc = open_connection(c, err);
	return rc ? rc : run_once(c, sql, p, how, r, err);
}

enum rc conn_execute(
	struct conn *c, const char *sql, const struct params *p, unsigned how, struct err *err)
{
	PGresult *r;
	enum rc rc = conn_run(c, sql, p, how, &r, err);

	if (rc == RC_OK)
		PQclear(r);
	return rc;
}

struct str conn_text(PGresult *r, int row, int column, struct arena *a)
{
	return arena_str(a,
		(struct str){PQgetvalue(r, row, column), (size_t)PQgetlength(r, row, column)});
}

struct str conn_bytes(PGresult *r, int row, int column, struct arena *a)
{
	size_t n;
	unsigned char *p =
		PQunescapeBytea((const unsigned char *)PQgetvalue(r, row, column), &n);
	struct str s;

	if (!p)
		abort();
	s = arena_str(a, (struct str){(const char *)p, n});
	PQfreemem(p);
	return s;
}

int64_t conn_int(PGresult *r, int row, int column)
{
	return strtoll(PQgetvalue(r, row, column), NULL, 10);
}

bool conn_bool(PGresult *r, int row, int column)
{
	return PQgetvalue(r, row, column)[0] == 't';
}
