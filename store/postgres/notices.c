#include "store/postgres/notices.h"

#include "core/base/buf.h"
#include "core/base/log.h"
#include "store/postgres/conn.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

enum { LOOK_MS = 5000, PAUSE_MS = 500, PAUSE_MAX_MS = 15000 };

/* What a former waiter of this host left behind ends soon, unless devices come back. */
static const char listen_sql[] =
	"LISTEN easpool; UPDATE watch SET until = least(until, now() + interval '15 minutes')"
	" WHERE until > now() + interval '15 minutes' AND host = ";
/* Those that look after DAV collections stand in for no mailbox, but if they come or go, all
 * who wait are to be looked after again as well. */
static const char alive_sql[] =
	"SELECT count(*) FILTER (WHERE source <> 'dav'), coalesce(sum(hashtext(id || started::text)::bigint & 65535), 0),"
	" (SELECT count(*) FROM watched)"
	" FROM listener WHERE " CONN_ALIVE;
static const char forget_sql[] =
	"DELETE FROM watch WHERE host = $1 AND account_id = ANY ($2::bigint[])";

enum stage { DOWN, CONNECTING, STARTING, READY };

struct notices {
	const struct settings *conf;
	struct notices_heard heard;
	PGconn *c;
	enum stage stage;
	short events;
	int64_t next, pause;
	bool asked, told_down; /* a question is under way; the loss was logged */
	bool complained;       /* an error was logged */
	struct buf forget;     /* accounts, of int64_t */
};

struct notices *notices_new(const struct settings *conf, const struct notices_heard *heard)
{
	struct notices *n = calloc(1, sizeof(*n));

	if (!n)
		abort();
	n->conf = conf;
	n->heard = *heard;
	n->pause = PAUSE_MS;
	buf_init(&n->forget, BUF_MAX_TEXT);
	return n;
}

void notices_free(struct notices *n)
{
	if (!n)
		return;
	if (n->c)
		PQfinish(n->c);
	buf_release(&n->forget);
	free(n);
}

int notices_fd(const struct notices *n, short *events_r)
{
	*events_r = n->events;
	return n->c ? PQsocket(n->c) : -1;
}

int64_t notices_next(const struct notices *n)
{
	return n->next;
}

static void lost(struct notices *n, int64_t now)
{
	bool was_up = n->stage == READY;

	if (!n->told_down)
		log_warning("the waiter hears nothing from the database: %.*s",
			(int)strcspn(PQerrorMessage(n->c), "\n"), PQerrorMessage(n->c));
	n->told_down = true;
	PQfinish(n->c);
	n->c = NULL;
	n->stage = DOWN;
	n->asked = false;
	/* Who comes back meanwhile begins anew; what is left over ends by itself (listen_sql).
	 */
	buf_reset(&n->forget);
	n->next = now + n->pause;
	n->pause = n->pause * 2 < PAUSE_MAX_MS ? n->pause * 2 : PAUSE_MAX_MS;
	if (was_up)
		n->heard.up(n->heard.ctx, false);
}

static void connect_it(struct notices *n, int64_t now)
{
	const char *keys[] = {"dbname", "application_name", NULL};
	const char *values[] = {n->conf->database.p, "easpool waiter", NULL};

	n->c = PQconnectStartParams(keys, values, 1);
	if (!n->c)
		abort();
	n->stage = CONNECTING;
	n->next = now + n->conf->database_timeout * 1000;
	if (PQstatus(n->c) == CONNECTION_BAD)
		lost(n, now);
	else
		n->events = POLLOUT;
}

static void start_listening(struct notices *n, int64_t now)
{
	char *host = PQescapeLiteral(n->c, n->conf->host.p, n->conf->host.n);
	struct buf b;

	buf_init(&b, BUF_MAX_LINE);
	buf_adds(&b, listen_sql);
	buf_adds(&b, host ? host : "''");
	(void)PQsetnonblocking(n->c, 1);
	(void)PQsendQuery(n->c, b.p);
	PQfreemem(host);
	buf_release(&b);
	n->stage = STARTING;
	n->next = now + n->conf->database_timeout * 1000;
	n->asked = true;
	n->events = POLLIN;
}

static void go_on_connecting(struct notices *n, int64_t now)
{
	switch (PQconnectPoll(n->c)) {
	case PGRES_POLLING_READING:
		n->events = POLLIN;
		break;
	case PGRES_POLLING_WRITING:
		n->events = POLLOUT;
		break;
	case PGRES_POLLING_OK:
		start_listening(n, now);
		break;
	default:
		lost(n, now);
		break;
	}
}

static void take_listeners(const struct notices *n, const PGresult *r)
{
	uint64_t alive = strtoull(PQgetvalue(r, 0, 0), NULL, 10);
	uint64_t which = strtoull(PQgetvalue(r, 0, 1), NULL, 10);
	uint64_t watched = strtoull(PQgetvalue(r, 0, 2), NULL, 10);

	n->heard.listeners(
		n->heard.ctx, alive ? alive << 32 | which : 0, (size_t)alive, (size_t)watched);
}

static void take_results(struct notices *n, int64_t now)
{
	PGresult *r;
	bool good = true;

	while (n->asked && !PQisBusy(n->c)) {
		r = PQgetResult(n->c);
		if (!r) {
			n->asked = false;
			break;
		}
		if (PQresultStatus(r) == PGRES_TUPLES_OK && PQnfields(r) == 3) {
			take_listeners(n, r);
		} else if (PQresultStatus(r) == PGRES_FATAL_ERROR) {
			good = false;
			if (n->stage == READY && !n->complained)
				log_error("the waiter asks in vain: %.*s",
					(int)strcspn(PQresultErrorMessage(r), "\n"),
					PQresultErrorMessage(r));
			n->complained = true;
		}
		PQclear(r);
	}
	if (n->asked || n->stage != STARTING)
		return;
	if (!good) {
		lost(n, now);
		return;
	}
	n->stage = READY;
	n->pause = PAUSE_MS;
	n->next = now;
	if (n->told_down)
		log_info("the waiter hears the database again");
	n->told_down = n->complained = false;
	n->heard.up(n->heard.ctx, true);
}

static void take_events(struct notices *n)
{
	PGnotify *note;

	while ((note = PQnotifies(n->c)) != NULL) {
		n->heard.event(n->heard.ctx, note->extra);
		PQfreemem(note);
	}
}

static void send_forget(struct notices *n)
{
	struct arena *a = arena_new();
	struct params p;

	params_init(&p, a);
	params_text(&p, n->conf->host);
	params_ints(
		&p, (const int64_t *)(const void *)n->forget.p, n->forget.n / sizeof(int64_t));
	n->asked = PQsendQueryParams(n->c, forget_sql, p.n, NULL, p.v, p.len, p.format, 0) == 1;
	buf_reset(&n->forget);
	arena_free(a);
}

static void ask(struct notices *n, int64_t now)
{
	if (n->forget.n) {
		send_forget(n);
		return;
	}
	n->asked = PQsendQuery(n->c, alive_sql) == 1;
	n->next = now + LOOK_MS;
}

void notices_step(struct notices *n, int64_t now)
{
	if (n->stage == DOWN) {
		if (now >= n->next)
			connect_it(n, now);
		return;
	}
	if (n->stage == CONNECTING) {
		if (now >= n->next)
			lost(n, now);
		else
			go_on_connecting(n, now);
		return;
	}
	if (!PQconsumeInput(n->c)) {
		lost(n, now);
		return;
	}
	take_results(n, now);
	if (n->stage == STARTING && now >= n->next)
		lost(n, now);
	if (n->stage != READY)
		return;
	take_events(n);
	if (!n->asked && (now >= n->next || n->forget.n))
		ask(n, now);
	n->events = (short)(PQflush(n->c) == 1 ? POLLIN | POLLOUT : POLLIN);
	/* No answer for long: the connection is dead and does not say so. */
	if (n->asked && now > n->next + n->conf->database_timeout * 1000)
		lost(n, now);
}

void notices_forget(struct notices *n, const int64_t *accounts, size_t count)
{
	if (n->stage == READY)
		buf_add(&n->forget, accounts, count * sizeof(*accounts));
}
