#include "admin/admin.h"

#include "core/base/buf.h"
#include "core/settings.h"
#include "core/wire/query.h"
#include "store/postgres/schema.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int complain(const char *what)
{
	(void)fprintf(stderr, "easctl: %s\n", what);
	return 1;
}

static bool load(struct admin *ad, struct arena *a, struct settings *conf)
{
	struct err err = ERR_INIT;
	FILE *f = fopen(ad->path, "r");
	struct buf text;
	char chunk[4096];
	size_t n;

	if (!f) {
		(void)fprintf(
			stderr, "easctl: could not read %s: %s\n", ad->path, strerror(errno));
		return false;
	}
	buf_init(&text, BUF_MAX_TEXT);
	while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0)
		buf_add(&text, chunk, n);
	(void)fclose(f);
	if (settings_read(arena_str(a, buf_str(&text)), ad->path, conf, a, &err)) {
		(void)complain(err.text);
		buf_release(&text);
		return false;
	}
	buf_release(&text);
	return true;
}

static PGconn *open_database(struct admin *ad, struct arena *a, struct settings *conf)
{
	PGconn *c;

	if (!load(ad, a, conf))
		return NULL;
	c = PQconnectdb(conf->database.p);
	if (PQstatus(c) != CONNECTION_OK) {
		(void)complain(PQerrorMessage(c));
		PQfinish(c);
		return NULL;
	}
	return c;
}

static void json_text(const char *s)
{
	(void)putchar('"');
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (c == '"' || c == '\\')
			(void)printf("\\%c", c);
		else if (c < 0x20)
			(void)printf("\\u%04x", c);
		else
			(void)putchar(c);
	}
	(void)putchar('"');
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

static void print_table(const PGresult *r)
{
	for (int i = -1; i < PQntuples(r); i++) {
		for (int k = 0; k < PQnfields(r); k++) {
			size_t width = strlen(PQfname(r, k));
			bool last = k + 1 == PQnfields(r);

			for (int j = 0; j < PQntuples(r); j++)
				if ((size_t)PQgetlength(r, j, k) > width)
					width = (size_t)PQgetlength(r, j, k);
			(void)printf("%-*s%s", last ? 0 : (int)width,
				i < 0 ? PQfname(r, k) : PQgetvalue(r, i, k),
				last ? "\n" : "  ");
		}
	}
}

enum { SHOW = 1, MUST_CHANGE = 2 };

/* Runs one statement with up to two texts. MUST_CHANGE: no row is an error. */
static int query(struct admin *ad, const char *sql, char **args, int n, unsigned how)
{
	struct arena *a = arena_new();
	struct settings conf;
	const char *v[2] = {NULL, NULL};
	PGconn *c = open_database(ad, a, &conf);
	PGresult *r;
	int code = 0;

	for (int i = 0; i < n; i++)
		v[i] = args[i];
	/* Users as the server knows them: lower case, with the domain. */
	if (n && c)
		v[0] = arena_cstr(a, query_login(str_of(args[0]), conf.login_domain, a));
	if (!c) {
		arena_free(a);
		return 1;
	}
	r = PQexecParams(c, sql, n, NULL, v, NULL, NULL, 0);
	if (PQresultStatus(r) != PGRES_TUPLES_OK && PQresultStatus(r) != PGRES_COMMAND_OK)
		code = complain(PQresultErrorMessage(r));
	else if (how & MUST_CHANGE && PQcmdTuples(r)[0] == '0')
		code = complain("there is no such user or device");
	else if (how & SHOW && ad->json)
		print_json(r);
	else if (how & SHOW)
		print_table(r);
	PQclear(r);
	PQfinish(c);
	arena_free(a);
	return code;
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
			(void)complain(err.text);
		else
			code = printf("schema %d -> %d\n", from, to) < 0;
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
			(void)complain(err.text);
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
	"AS devices"

int admin_user_list(struct admin *ad, char **args)
{
	return query(
		ad, "SELECT " USER_COLUMNS " FROM account a ORDER BY a.login", args, 0, SHOW);
}

int admin_user_show(struct admin *ad, char **args)
{
	return query(ad, "SELECT " USER_COLUMNS " FROM account a WHERE a.login = $1", args, 1,
		SHOW | MUST_CHANGE);
}

int admin_user_enable(struct admin *ad, char **args)
{
	return query(ad,
		"INSERT INTO account (login, enabled, enabled_at) VALUES ($1, true, now())"
		" ON CONFLICT (login) DO UPDATE SET enabled = true,"
		" enabled_at = coalesce(account.enabled_at, now())",
		args, 1, MUST_CHANGE);
}

int admin_user_disable(struct admin *ad, char **args)
{
	return query(ad,
		"INSERT INTO account (login, enabled) VALUES ($1, false)"
		" ON CONFLICT (login) DO UPDATE SET enabled = false, enabled_at = NULL",
		args, 1, MUST_CHANGE);
}

#define DEVICE_COLUMNS                                                                         \
	"a.login AS user, d.device_id AS device, d.type, d.version::numeric / 10 AS version,"  \
	" d.model, to_char(d.last_seen, 'YYYY-MM-DD HH24:MI') AS last_seen"
#define DEVICE_FROM " FROM device d JOIN account a ON a.id = d.account_id"

int admin_device_list(struct admin *ad, char **args)
{
	if (args[0])
		return query(ad,
			"SELECT " DEVICE_COLUMNS DEVICE_FROM " WHERE a.login = $1 ORDER BY 2",
			args, 1, SHOW);
	return query(ad, "SELECT " DEVICE_COLUMNS DEVICE_FROM " ORDER BY 1, 2", args, 0, SHOW);
}

int admin_device_show(struct admin *ad, char **args)
{
	return query(ad,
		"SELECT " DEVICE_COLUMNS ", d.user_agent, d.os, d.friendly_name, d.imei,"
		" (d.policy_key <> 0) AS policy_accepted" DEVICE_FROM
		" WHERE a.login = $1 AND d.device_id = lower($2)",
		args, 2, SHOW | MUST_CHANGE);
}

int admin_device_forget(struct admin *ad, char **args)
{
	return query(ad,
		"DELETE FROM device d USING account a WHERE a.id = d.account_id AND a.login = $1"
		" AND d.device_id = lower($2)",
		args, 2, MUST_CHANGE);
}

int admin_device_resync(struct admin *ad, char **args)
{
	return query(ad,
		"DELETE FROM collection c USING device d JOIN account a ON a.id = d.account_id"
		" WHERE c.device = d.id AND a.login = $1 AND d.device_id = lower($2)",
		args, 2, MUST_CHANGE);
}

int admin_settings(struct admin *ad, char **args UNUSED)
{
	struct arena *a = arena_new();
	struct settings conf;
	struct buf b;
	bool ok = load(ad, a, &conf);

	if (ok) {
		buf_init(&b, BUF_MAX_TEXT);
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
