#include "admin/admin.h"

#include "core/base/buf.h"
#include "core/settings.h"
#include "core/wire/query.h"
#include "core/wire/version.h"
#include "store/postgres/conn.h"
#include "store/postgres/schema.h"
#include "store/settings_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int admin_complain(const char *what)
{
	(void)fprintf(stderr, "easctl: %s\n", what);
	return 1;
}

bool admin_load(struct admin *ad, struct arena *a, struct settings *conf)
{
	struct err err = ERR_INIT;

	if (settings_file(ad->path, conf, a, &err) == RC_OK)
		return true;
	(void)admin_complain(err.text);
	return false;
}

static PGconn *open_database(struct admin *ad, struct arena *a, struct settings *conf)
{
	PGconn *c;

	if (!admin_load(ad, a, conf))
		return NULL;
	c = PQconnectdb(conf->database.p);
	if (PQstatus(c) != CONNECTION_OK) {
		(void)admin_complain(PQerrorMessage(c));
		PQfinish(c);
		return NULL;
	}
	return c;
}

static void json_text(const char *s)
{
	struct buf b;

	buf_init(&b, BUF_MAX_TEXT);
	conf_json_text(&b, str_of(s));
	(void)fputs(b.p, stdout);
	buf_release(&b);
}

static void print_json(const PGresult *r)
{
	(void)putchar('[');
	for (int i = 0; i < PQntuples(r); i++) {
		(void)fputs(i ? ",\n {" : "\n {", stdout);
		for (int k = 0; k < PQnfields(r); k++) {
			if (k)
				(void)fputs(", ", stdout);
			json_text(PQfname(r, k));
			(void)fputs(": ", stdout);
			if (PQgetisnull(r, i, k))
				(void)fputs("null", stdout);
			else
				json_text(PQgetvalue(r, i, k));
		}
		(void)putchar('}');
	}
	(void)fputs("\n]\n", stdout);
}

/* A device chose some of these texts: nothing that moves a terminal's cursor gets out. */
static void print_cell(const char *s, size_t width, bool last)
{
	size_t n = 0;

	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		(void)putchar(c < 0x20 || c == 0x7f ? '?' : c);
		n += (c & 0xc0) != 0x80;
	}
	for (; !last && n < width; n++)
		(void)putchar(' ');
	(void)fputs(last ? "\n" : "  ", stdout);
}

/* Characters of UTF-8. */
static size_t characters(const char *s)
{
	size_t n = 0;

	for (; *s; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

static void print_table(const PGresult *r)
{
	for (int i = -1; i < PQntuples(r); i++) {
		for (int k = 0; k < PQnfields(r); k++) {
			size_t width = strlen(PQfname(r, k));
			bool last = k + 1 == PQnfields(r);

			for (int j = 0; j < PQntuples(r); j++)
				if (characters(PQgetvalue(r, j, k)) > width)
					width = characters(PQgetvalue(r, j, k));
			print_cell(i < 0 ? PQfname(r, k) : PQgetvalue(r, i, k), width, last);
		}
	}
}

enum { SHOW = 1, MUST_CHANGE = 2, USER = 4, DEVICE = 8 };

/* Users are there once they have synchronised or been enabled. */
static int nothing_there(const char *const *v, unsigned how, struct arena *a)
{
	if (how & DEVICE)
		return admin_complain(
			arena_printf(a, "there is no device %s of user %s", v[1], v[0]).p);
	return admin_complain(
		arena_printf(a, "there is no user %s, or he has never been here", v[0]).p);
}

/* Runs one statement with texts as its parameters. USER: the first is a login, as the server
 * knows it: lower case, with the domain. MUST_CHANGE: no row is an error. */
static int query(struct admin *ad, const char *sql, char **args, int n, unsigned how)
{
	struct arena *a = arena_new();
	struct settings conf;
	const char *v[ADMIN_ARGS_MAX] = {NULL};
	PGconn *c = open_database(ad, a, &conf);
	PGresult *r;
	int code = 0;

	if (!c) {
		arena_free(a);
		return 1;
	}
	for (int i = 0; i < n; i++)
		v[i] = args[i];
	if (how & USER)
		v[0] = arena_cstr(a, query_login(str_of(args[0]), conf.login_domain, a));
	r = PQexecParams(c, sql, n, NULL, v, NULL, NULL, 0);
	if (PQresultStatus(r) != PGRES_TUPLES_OK && PQresultStatus(r) != PGRES_COMMAND_OK)
		code = admin_complain(PQresultErrorMessage(r));
	else if (how & MUST_CHANGE && PQcmdTuples(r)[0] == '0')
		code = nothing_there(v, how, a);
	else if (how & SHOW && ad->json)
		print_json(r);
	else if (how & SHOW)
		print_table(r);
	else if (ad->json)
		(void)printf("{\"ok\": true}\n");
	PQclear(r);
	PQfinish(c);
	arena_free(a);
	return code;
}

int admin_show(struct admin *ad, const char *sql, char **args, int n)
{
	return query(ad, sql, args, n, SHOW);
}

int admin_schema_upgrade(struct admin *ad, char **args UNUSED)
{
	struct arena *a = arena_new();
	struct settings conf;
	struct err err = ERR_INIT;
	PGconn *c = open_database(ad, a, &conf);
	int from, to, code = 1;

	if (c) {
		if (schema_upgrade(c, &from, &to, &err))
			(void)admin_complain(err.text);
		else
			code = printf(ad->json ? "{\"from\": %d, \"to\": %d}\n"
					       : "schema %d -> %d\n",
				       from, to) < 0;
		PQfinish(c);
	}
	arena_free(a);
	return code;
}

int admin_schema_status(struct admin *ad, char **args UNUSED)
{
	struct arena *a = arena_new();
	struct settings conf;
	struct err err = ERR_INIT;
	PGconn *c = open_database(ad, a, &conf);
	int version, code = 1;

	if (c) {
		if (schema_version(c, &version, &err)) {
			(void)admin_complain(err.text);
		} else if (ad->json) {
			(void)printf("{\"version\": %d, \"needed\": %d}\n", version,
				schema_newest());
			code = version != schema_newest();
		} else if (version == schema_newest()) {
			code = printf("schema %d, up to date\n", version) < 0;
		} else {
			(void)printf(
				"schema %d, this program needs %d: run easctl schema upgrade\n",
				version, schema_newest());
		}
		PQfinish(c);
	}
	arena_free(a);
	return code;
}

#define USER_COLUMNS                                                                              \
	"a.login AS user, CASE a.enabled WHEN true THEN 'enabled' WHEN false THEN 'disabled' "    \
	"ELSE 'default' END AS state, (SELECT count(*) FROM device d WHERE d.account_id = a.id) " \
	"AS devices, a.home"

int admin_user_list(struct admin *ad, char **args)
{
	return query(
		ad, "SELECT " USER_COLUMNS " FROM account a ORDER BY a.login", args, 0, SHOW);
}

int admin_user_show(struct admin *ad, char **args)
{
	return query(ad, "SELECT " USER_COLUMNS " FROM account a WHERE a.login = $1", args, 1,
		USER | SHOW | MUST_CHANGE);
}

int admin_user_enable(struct admin *ad, char **args)
{
	return query(ad,
		"INSERT INTO account (login, enabled, enabled_at) VALUES ($1, true, now())"
		" ON CONFLICT (login) DO UPDATE SET enabled = true,"
		" enabled_at = coalesce(account.enabled_at, now())",
		args, 1, USER | MUST_CHANGE);
}

int admin_user_disable(struct admin *ad, char **args)
{
	return query(ad,
		"INSERT INTO account (login, enabled) VALUES ($1, false)"
		" ON CONFLICT (login) DO UPDATE SET enabled = false, enabled_at = NULL",
		args, 1, USER | MUST_CHANGE);
}

int admin_user_home(struct admin *ad, char **args)
{
	char nowhere[] = "", *texts[] = {args[0], args[1]};

	if (strcmp(args[1], "none") == 0)
		texts[1] = nowhere;
	else if (!str_starts(str_of(args[1]), "https://") &&
		 !str_starts(str_of(args[1]), "http://"))
		return admin_complain(
			"the home is a URL, e.g. "
			"https://mail.example.org/Microsoft-Server-ActiveSync, or none");
	return query(ad,
		"INSERT INTO account (login, home) VALUES ($1, $2)"
		" ON CONFLICT (login) DO UPDATE SET home = excluded.home",
		texts, 2, USER | MUST_CHANGE);
}

#define DEVICE_COLUMNS                                                                                  \
	"a.login AS user, d.device_id AS device, d.type, (d.version / 10.0)::numeric(4, 1) AS version," \
	" d.model, to_char(d.last_seen, 'YYYY-MM-DD HH24:MI') AS last_seen"
#define DEVICE_FROM " FROM device d JOIN account a ON a.id = d.account_id"

int admin_device_list(struct admin *ad, char **args)
{
	if (args[0])
		return query(ad,
			"SELECT " DEVICE_COLUMNS DEVICE_FROM " WHERE a.login = $1 ORDER BY 2",
			args, 1, USER | SHOW);
	return query(ad, "SELECT " DEVICE_COLUMNS DEVICE_FROM " ORDER BY 1, 2", args, 0, SHOW);
}

int admin_device_show(struct admin *ad, char **args)
{
	return query(ad,
		"SELECT " DEVICE_COLUMNS ", d.user_agent, d.os, d.friendly_name, d.imei,"
		" (d.policy_key <> 0) AS policy_accepted" DEVICE_FROM
		" WHERE a.login = $1 AND d.device_id = lower($2)",
		args, 2, USER | DEVICE | SHOW | MUST_CHANGE);
}

int admin_device_forget(struct admin *ad, char **args)
{
	return query(ad,
		"DELETE FROM device d USING account a WHERE a.id = d.account_id AND a.login = $1"
		" AND d.device_id = lower($2)",
		args, 2, USER | DEVICE | MUST_CHANGE);
}

/* A device without any collection has nothing to forget, which is no error. */
int admin_device_resync(struct admin *ad, char **args)
{
	return query(ad,
		"WITH it AS (SELECT d.id FROM device d JOIN account a ON a.id = d.account_id"
		" WHERE a.login = $1 AND d.device_id = lower($2)),"
		" gone AS (DELETE FROM collection WHERE device IN (SELECT id FROM it))"
		" SELECT id FROM it",
		args, 2, USER | DEVICE | MUST_CHANGE);
}

/* A version, or none, in a place for texts of arguments; false and a complaint otherwise. */
static bool ceiling(char **arg, char number[16])
{
	enum eas_version v = version_of(str_of(*arg));

	if (!v && strcmp(*arg, "none") != 0) {
		(void)admin_complain("the ceiling is a protocol version, e.g. 14.1, or none");
		return false;
	}
	(void)snprintf(number, 16, "%d", (int)v);
	*arg = number;
	return true;
}

int admin_user_ceiling(struct admin *ad, char **args)
{
	char number[16];

	if (!ceiling(&args[1], number))
		return 1;
	return query(ad,
		"INSERT INTO account (login, ceiling) VALUES ($1, $2::integer)"
		" ON CONFLICT (login) DO UPDATE SET ceiling = excluded.ceiling",
		args, 2, USER | MUST_CHANGE);
}

int admin_device_ceiling(struct admin *ad, char **args)
{
	char number[16];

	if (!ceiling(&args[2], number))
		return 1;
	return query(ad,
		"UPDATE device d SET ceiling = $3::integer FROM account a WHERE a.id = d.account_id"
		" AND a.login = $1 AND d.device_id = lower($2)",
		args, 3, USER | DEVICE | MUST_CHANGE);
}

int admin_entitlement_show(struct admin *ad, char **args)
{
	return query(ad,
		"SELECT coalesce(e.size::text, 'unlimited') AS places,"
		" (SELECT count(*) FROM account WHERE enabled) AS enabled,"
		" coalesce(to_char(e.expires, 'YYYY-MM-DD'), 'never') AS expires"
		" FROM (SELECT 1) one LEFT JOIN entitlement e ON true",
		args, 0, SHOW);
}

int admin_entitlement_set(struct admin *ad, char **args)
{
	char never[] = "never", *texts[] = {args[0], args[1] ? args[1] : never};
	uint32_t n;

	if (strcmp(texts[0], "unlimited") != 0 &&
		(!str_u32(str_of(texts[0]), &n) || n > INT32_MAX))
		return admin_complain("the number of places is a number or unlimited");
	if (strcmp(texts[1], "never") != 0 && strlen(texts[1]) != strlen("YYYY-MM-DD"))
		return admin_complain("the date is YYYY-MM-DD or never");
	return query(ad,
		"INSERT INTO entitlement (size, expires)"
		" VALUES (nullif($1, 'unlimited')::integer, nullif($2, 'never')::date)"
		" ON CONFLICT (single) DO UPDATE SET size = excluded.size,"
		" expires = excluded.expires",
		texts, 2, MUST_CHANGE);
}

/* Of a collection the path says little; its name, and the object at the DAV server, do. */
#define ITEM_LIST                                                                              \
	"SELECT a.login AS user, CASE WHEN f.kind = 0 THEN f.path ELSE f.name END AS folder,"  \
	" s.item, to_char(s.at, 'YYYY-MM-DD HH24:MI') AS since,"                               \
	" coalesce(i.href, '') AS object, s.reason FROM skipped s"                             \
	" JOIN folder f ON f.row = s.folder JOIN account a ON a.id = f.account_id"             \
	" LEFT JOIN item i ON i.folder = f.row AND s.item = f.id || ':' || i.number"

int admin_item_list(struct admin *ad, char **args)
{
	if (args[0])
		return query(ad, ITEM_LIST " WHERE a.login = $1 ORDER BY 2, 3", args, 1,
			USER | SHOW);
	return query(ad, ITEM_LIST " ORDER BY 1, 2, 3", args, 0, SHOW);
}

int admin_item_retry(struct admin *ad, char **args)
{
	return query(ad,
		"WITH gone AS (DELETE FROM skipped s USING folder f, account a"
		" WHERE f.row = s.folder AND a.id = f.account_id"
		" AND ($1::text IS NULL OR a.login = $1) RETURNING s.folder),"
		" told AS (UPDATE folder SET retries = retries + 1"
		" WHERE row IN (SELECT folder FROM gone))"
		" SELECT count(*) AS items FROM gone",
		args, 1, (args[0] ? USER : 0) | SHOW);
}

int admin_listener_status(struct admin *ad, char **args)
{
	return query(ad,
		"SELECT l.id, l.host, l.source,"
		" to_char(l.started, 'YYYY-MM-DD HH24:MI:SS') AS since,"
		" to_char(l.seen, 'YYYY-MM-DD HH24:MI:SS') AS seen,"
		" CASE WHEN l." CONN_ALIVE " THEN 'alive' ELSE 'dead' END"
		" AS state, (SELECT count(*) FROM watched w WHERE w.listener = l.id) AS watched,"
		" (SELECT count(DISTINCT account_id) FROM watch WHERE until > now()) AS waiting"
		" FROM listener l ORDER BY l.host, l.started",
		args, 0, SHOW);
}

int admin_trace(struct admin *ad, char **args)
{
	char hour[] = "60", zero[] = "0",
	     *texts[] = {args[0], args[1], args[2] ? args[2] : hour};
	struct arena *a = arena_new();
	struct settings conf;
	uint32_t minutes;
	int code;

	if (strcmp(texts[2], "off") == 0)
		texts[2] = zero;
	if (!str_u32(str_of(texts[2]), &minutes) || minutes > 7 * 24 * 60) {
		arena_free(a);
		return admin_complain(
			"the time is a number of minutes, at most a week, or off");
	}
	code = query(ad,
		"UPDATE device d SET trace_until = CASE WHEN $3::integer = 0 THEN NULL"
		" ELSE now() + make_interval(mins => $3::integer) END"
		" FROM account a WHERE a.id = d.account_id AND a.login = $1"
		" AND d.device_id = lower($2)",
		texts, 3, USER | DEVICE | MUST_CHANGE);
	if (code == 0 && minutes && !ad->json && admin_load(ad, a, &conf))
		(void)printf("written to %s/*-%s.trace\n", conf.trace_dir.p, args[1]);
	arena_free(a);
	return code;
}

int admin_settings(struct admin *ad, char **args UNUSED)
{
	struct arena *a = arena_new();
	struct settings conf;
	struct buf b;
	bool ok = admin_load(ad, a, &conf);

	if (ok) {
		buf_init(&b, BUF_MAX_TEXT);
		if (ad->json)
			conf_print_json(settings_rows, settings_nrows, &conf, &b);
		else
			conf_print(settings_rows, settings_nrows, &conf, &b);
		(void)fputs(b.p, stdout);
		buf_release(&b);
	}
	arena_free(a);
	return !ok;
}

int admin_sample(struct admin *ad UNUSED, char **args UNUSED)
{
	struct buf b;

	buf_init(&b, BUF_MAX_TEXT);
	conf_print_sample(settings_rows, settings_nrows, &b);
	(void)fputs(b.p, stdout);
	buf_release(&b);
	return 0;
}
