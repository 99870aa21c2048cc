/*
 * doctor: looks at everything that easpool depends on, and says what to mend.
 */
#include "admin/admin.h"
#include "store/dav/dav.h"
#include "store/ldap/ldap.h"
#include "store/postgres/schema.h"
#include "store/server.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct findings {
	bool json;
	unsigned n, bad;
};

/* hint: NULL when all is well. */
static void report(struct findings *f, const char *what, const char *said, const char *hint)
{
	struct buf line;

	f->bad += hint != NULL;
	if (f->json) {
		buf_init(&line, BUF_MAX_LINE);
		buf_adds(&line, f->n++ ? ",\n " : " ");
		buf_adds(&line, "{\"check\": ");
		conf_json_text(&line, str_of(what));
		buf_addf(&line, ", \"ok\": %s, \"said\": ", hint ? "false" : "true");
		conf_json_text(&line, str_of(said));
		buf_adds(&line, ", \"mend\": ");
		conf_json_text(&line, str_of(hint ? hint : ""));
		buf_adds(&line, "}");
		(void)fputs(line.p, stdout);
		buf_release(&line);
		return;
	}
	(void)printf("%-8s %-14s ", hint ? "PROBLEM" : "ok", what);
	/* libpq's sentences have several lines. */
	for (const char *c = said; *c; c++)
		if (*c != '\t' && (*c != '\n' || c[1]))
			(void)putchar(*c == '\n' ? ' ' : *c);
	(void)putchar('\n');
	if (hint)
		(void)printf("%-8s %-14s %s\n", "", "", hint);
}

static void check_database(struct findings *f, const struct settings *conf)
{
	PGconn *c = PQconnectdb(conf->database.p);
	struct err err = ERR_INIT;
	char said[160];
	int version;

	if (PQstatus(c) != CONNECTION_OK) {
		report(f, "database", PQerrorMessage(c),
			"set `database`, and let this host and user in (pg_hba.conf)");
	} else if (schema_version(c, &version, &err)) {
		report(f, "database", err.text, "run easctl schema upgrade");
	} else {
		(void)snprintf(said, sizeof(said), "schema %d of %d", version, schema_newest());
		report(f, "database", said,
			version < schema_newest()   ? "run easctl schema upgrade"
			: version > schema_newest() ? "this program is older than the database"
						    : NULL);
	}
	PQfinish(c);
}

/* Whether what is sent to a host stays on this one. */
static bool is_near(struct str host)
{
	return str_is(host, "localhost") || str_starts(host, "127.") || str_is(host, "::1") ||
	       str_is(host, "[::1]");
}

static struct str url_host(struct str url)
{
	struct str host = str_sub(url, str_search(url, STR("//")) + 2, url.n);

	host = str_sub(host, 0, str_find(host, '/'));
	return str_starts(host, "[") ? str_sub(host, 0, str_find(host, ']') + 1)
				     : str_sub(host, 0, str_find(host, ':'));
}

static void check_server(struct findings *f, const struct settings *conf, enum server which)
{
	bool imap = which == SERVER_IMAP;
	const char *what = imap ? "IMAP" : "SMTP";
	struct str host = imap ? conf->imap_host : conf->smtp_host;
	struct err err = ERR_INIT;

	if (server_probe(conf, which, &err))
		report(f, what, err.text,
			imap ? "see imap_host, imap_port, imap_tls; tls_ca_file for its certificate"
			     : "see smtp_host, smtp_port, smtp_tls; tls_ca_file for its certificate");
	else
		report(f, what, "answers", NULL);
	if ((imap ? conf->imap_tls : conf->smtp_tls) == TLS_NONE && !is_near(host))
		report(f, what, "passwords go over the network in clear",
			imap ? "set imap_tls = starttls or implicit"
			     : "set smtp_tls = starttls or implicit");
}

static void check_own_entry(
	struct findings *f, struct ldap_directory *d, const char *user, struct arena *a)
{
	struct directory *book = ldap_directory_directory(d);
	struct err err = ERR_INIT;
	struct person p;

	if (directory_call(book, self, str_of(user), a, &p, &err))
		report(f, "LDAP user", err.text, "see ldap_self_filter, ldap_base");
	else
		report(f, "LDAP user",
			arena_printf(a, "%s is %.*s, %zu addresses, the first is %.*s", user,
				STR_FMT(p.display_name), p.naddresses, STR_FMT(p.email))
				.p,
			NULL);
}

static void check_ldap(
	struct findings *f, const struct settings *conf, const char *user, struct arena *a)
{
	struct ldap_directory *d;
	struct err err = ERR_INIT;
	size_t n = 0;
	enum rc rc;

	if (!conf->ldap_url.n) {
		report(f, "LDAP", "there is no company address book (ldap_url)", NULL);
		return;
	}
	d = ldap_directory_new(conf);
	rc = ldap_directory_count(d, &n, &err);
	if (rc == RC_OK || rc == RC_LIMIT)
		report(f, "LDAP",
			arena_printf(a, "%zu people%s", n, rc ? ", and more than it gives" : "")
				.p,
			n == 0 ? "see ldap_base, ldap_filter" : NULL);
	else
		report(f, "LDAP", err.text,
			"see ldap_url, ldap_base, ldap_bind_dn; tls_ca_file for its certificate");
	if (user && (rc == RC_OK || rc == RC_LIMIT))
		check_own_entry(f, d, user, a);
	ldap_directory_free(d);
}

/* By enum dav_service. */
static const struct {
	const char *what, *none, *mend, *clear;
	size_t url; /* place of the setting */
} dav_checks[] = {
	{"CardDAV", "not used: devices get no contacts (carddav_url)",
         "see carddav_url; tls_ca_file for the certificate of the server", "use https:// in carddav_url", offsetof(struct settings, carddav_url)},
	{"CalDAV",  "not used: devices get no calendars (caldav_url)",
         "see caldav_url; tls_ca_file for the certificate of the server",  "use https:// in caldav_url",  offsetof(struct settings, caldav_url) },
};

static void check_dav(struct findings *f, const struct settings *conf, enum dav_service service,
	struct arena *a)
{
	struct dav_client *c = dav_client_new(conf, service, NULL);
	const char *what = dav_checks[service].what;
	struct str url = *(const struct str *)((const char *)conf + dav_checks[service].url);
	struct err err = ERR_INIT;
	struct str said;

	if (!c) {
		report(f, what, dav_checks[service].none, NULL);
		return;
	}
	if (dav_client_probe(c, a, &said, &err))
		report(f, what, err.text, dav_checks[service].mend);
	else
		report(f, what, said.p, NULL);
	dav_client_free(c);
	if (str_istarts(url, "http://") && !is_near(url_host(url)))
		report(f, what, "passwords go over the network in clear",
			dav_checks[service].clear);
}

static void check_spool(struct findings *f, const struct settings *conf)
{
	struct stat st;

	if (stat(conf->spool_dir.p, &st) != 0)
		report(f, "spool_dir", strerror(errno), "make the folder, or set spool_dir");
	else if (!S_ISDIR(st.st_mode) || access(conf->spool_dir.p, W_OK) != 0)
		report(f, "spool_dir", "cannot be written",
			"give it to the user that easpool runs as");
	else
		report(f, "spool_dir", conf->spool_dir.p, NULL);
}

/* Seconds behind `word` in a configuration, comments left out; -1: it is not there. */
static long long seconds_behind(struct str text, const char *word)
{
	struct str line;

	while (str_next(&text, '\n', &line)) {
		size_t at = str_search(line, str_of(word));
		char number[32];
		long long n;
		char *end;

		if (at == line.n || str_find(line, '#') < at)
			continue;
		(void)snprintf(number, sizeof(number), "%.*s",
			STR_FMT(str_sub(line, at + strlen(word), sizeof(number) - 1)));
		n = strtoll(number + strspn(number, " \t="), &end, 10);
		return *end == 'm' ? n * 60 : *end == 'h' ? n * 3600 : n;
	}
	return -1;
}

static void check_web(struct findings *f, const struct settings *conf, const char *path)
{
	char text[65536], said[160];
	FILE *in = fopen(path, "r");
	struct str all;
	long long seconds;
	size_t n;

	if (!in) {
		report(f, "web server", strerror(errno), "name its configuration file");
		return;
	}
	n = fread(text, 1, sizeof(text) - 1, in);
	(void)fclose(in);
	all = (struct str){text, n};
	seconds = seconds_behind(all, "fastcgi_read_timeout");
	if (seconds < 0)
		seconds = seconds_behind(all, "server.max-read-idle");
	if (seconds < 0)
		seconds = 60;
	(void)snprintf(said, sizeof(said),
		"waits %lld s for an answer, heartbeat_max is %lld s", seconds,
		(long long)conf->heartbeat_max);
	report(f, "web server", said,
		seconds > conf->heartbeat_max
			? NULL
			: "raise fastcgi_read_timeout (nginx) or server.max-read-idle (lighttpd)");
}

int admin_doctor(struct admin *ad, char **args)
{
	struct findings f = {.json = ad->json};
	struct arena *a = arena_new();
	struct settings conf;

	if (!admin_load(ad, a, &conf)) {
		arena_free(a);
		return 1;
	}
	if (f.json)
		(void)puts("[");
	report(&f, "configuration", ad->path, NULL);
	check_database(&f, &conf);
	check_server(&f, &conf, SERVER_IMAP);
	check_server(&f, &conf, SERVER_SMTP);
	check_dav(&f, &conf, DAV_CLIENT_CARDS, a);
	check_dav(&f, &conf, DAV_CLIENT_CALENDARS, a);
	check_ldap(&f, &conf, ad->user, a);
	check_spool(&f, &conf);
	if (args[0])
		check_web(&f, &conf, args[0]);
	else
		report(&f, "web server", "not looked at: easctl doctor web FILE", NULL);
	if (f.json)
		(void)puts("\n]");
	arena_free(a);
	return f.bad > 0;
}
