#include "tests/bench/push_server.h"

#include "tests/bench/bench.h"
#include "tests/support_lab.h"

#include <dirent.h>
#include <netinet/in.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* --- the database */

PGconn *push_connect(void)
{
	PGconn *c = PQconnectdb(lab_get("PG_DSN"));

	if (PQstatus(c) != CONNECTION_OK)
		bench_die("database: %s", PQerrorMessage(c));
	return c;
}

static PGresult *query(PGconn *c, const char *sql)
{
	PGresult *r = PQexec(c, sql);
	ExecStatusType s = PQresultStatus(r);

	if (s != PGRES_COMMAND_OK && s != PGRES_TUPLES_OK)
		bench_die("database: %s", PQerrorMessage(c));
	return r;
}

void push_sql(PGconn *c, const char *fmt, ...)
{
	char sql[4096];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(sql, sizeof(sql), fmt, ap);
	va_end(ap);
	PQclear(query(c, sql));
}

int64_t push_number(PGconn *c, const char *sql)
{
	PGresult *r = query(c, sql);
	int64_t n = PQntuples(r) ? strtoll(PQgetvalue(r, 0, 0), NULL, 10) : 0;

	PQclear(r);
	return n;
}

/* --- copies of the first account and of its device */

static void copy_rows(unsigned accounts, unsigned devices)
{
	PGconn *c = push_connect();

	push_sql(c,
		"INSERT INTO account SELECT (x).* FROM (SELECT jsonb_populate_record(a,"
		" jsonb_build_object('id', nextval('account_id_seq'), 'login',"
		" format('user%%s@%s', lpad(i::text, greatest(2, length(i::text)), '0'))))"
		" AS x FROM account a, generate_series(2, %u) i) q",
		lab_get("LAB_DOMAIN"), accounts);
	push_sql(c, "INSERT INTO folder SELECT (x).* FROM (SELECT jsonb_populate_record(f,"
		    " jsonb_build_object('row', nextval('folder_row_seq'), 'account_id', a.id))"
		    " AS x FROM folder f, account a WHERE f.account_id <> a.id) q");
	push_sql(c,
		"INSERT INTO device SELECT (x).* FROM (SELECT jsonb_populate_record(d,"
		" jsonb_build_object('id', nextval('device_id_seq'), 'account_id', a.id,"
		" 'device_id', 'p' || i)) AS x FROM device d, account a, generate_series(1, %u) i"
		" WHERE d.device_id = 'seed') q",
		devices);
	push_sql(c, "INSERT INTO collection SELECT (x).* FROM (SELECT jsonb_populate_record(o,"
		    " jsonb_build_object('device', d.id)) AS x FROM collection o"
		    " JOIN device s ON s.id = o.device AND s.device_id = 'seed', device d"
		    " WHERE d.device_id <> 'seed') q");
	push_sql(c, "ANALYZE");
	PQfinish(c);
}

/* The mailbox as it is, so that the state of the first phone is true for all. */
static void copy_mailbox(unsigned account)
{
	char from[1024], to[1024], user[64];
	char *argv[] = {(char[]){"cp"}, (char[]){"-a"}, from, to, NULL};
	int status = -1;
	pid_t pid;

	fleet_user(1, user, sizeof(user));
	(void)snprintf(from, sizeof(from), "%s/mail/%s", lab_get("LAB_DIR"), user);
	fleet_user(account, user, sizeof(user));
	(void)snprintf(to, sizeof(to), "%s/mail/%s", lab_get("LAB_DIR"), user);
	if (posix_spawnp(&pid, "cp", NULL, NULL, argv, environ) != 0 ||
		waitpid(pid, &status, 0) != pid || status != 0)
		bench_die("could not copy a mailbox");
}

static struct seed set_up_seed(void)
{
	struct phone *p = calloc(1, sizeof(*p));
	struct device_folder *f;
	struct seed seed;
	char user[64];

	if (!p)
		abort();
	fleet_user(1, user, sizeof(user));
	bench_fill(user, 3);
	bench_phone(p, user, "seed", "14.1");
	(void)bench_sync(p, 100, NULL, 0);
	f = phone_folder(p, 2);
	seed = (struct seed){.policy_key = p->policy_key};
	(void)snprintf(seed.inbox, sizeof(seed.inbox), "%s", f->id);
	(void)snprintf(seed.key, sizeof(seed.key), "%s", f->key);
	phone_release(p);
	free(p);
	return seed;
}

struct seed push_lab(
	unsigned accounts, unsigned devices, unsigned workers, unsigned connections)
{
	struct seed seed;
	char number[16];

	/* No limits on haste, no password asked twice, no worker that ends in between. */
	(void)setenv("EASPOOL_LAB_CONF",
		"device_rate = 0\nuser_rate = 0\nheartbeat_min = 1\nmax_requests = 0\n"
		"max_devices = 0\nauth_cache = 86400\nimap_sessions = 64\n"
		"imap_session_idle = 3600",
		1);
	(void)snprintf(number, sizeof(number), "%u", workers);
	(void)setenv("EASPOOL_LAB_WORKERS", number, 1);
	(void)snprintf(number, sizeof(number), "%u", connections);
	(void)setenv("EASPOOL_LAB_CONNECTIONS", number, 1);
	lab_up(accounts);
	seed = set_up_seed();
	copy_rows(accounts, devices);
	for (unsigned i = 2; i <= accounts; i++)
		copy_mailbox(i);
	return seed;
}

/* --- a listener that lives */

void push_listener_keep(PGconn *c, int64_t now_us)
{
	static int64_t last;

	if (!c || (last && now_us - last < 4000000))
		return;
	last = now_us;
	push_sql(c, "INSERT INTO listener (id, host, source) VALUES ('bench', 'bench', 'url')"
		    " ON CONFLICT (id) DO UPDATE SET seen = now()");
}

/* --- events */

static int connect_lmtp(void)
{
	struct sockaddr_in sa = {.sin_family = AF_INET};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	sa.sin_port = htons((uint16_t)strtoul(lab_get("LMTP_PORT"), NULL, 10));
	sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || connect(fd, (struct sockaddr *)&sa, sizeof(sa)) != 0)
		bench_die("could not connect to LMTP");
	return fd;
}

/* Answers of three digits; only the last of several lines has a space behind them. */
static void lmtp_hear(int fd, unsigned answers)
{
	char line[1024];
	size_t n = 0;

	while (answers && n < sizeof(line) - 1) {
		if (read(fd, &line[n], 1) != 1)
			bench_die("LMTP ended");
		if (line[n++] != '\n')
			continue;
		line[n] = '\0';
		if (line[0] != '2' && line[0] != '3')
			bench_die("LMTP: %s", line);
		answers -= line[3] == ' ';
		n = 0;
	}
}

static void lmtp_say(int fd, unsigned answers, const char *fmt, ...) PRINTF_LIKE(3, 4);

static void lmtp_say(int fd, unsigned answers, const char *fmt, ...)
{
	char text[1024];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (write(fd, text, (size_t)n) != n)
		bench_die("LMTP ended");
	lmtp_hear(fd, answers);
}

static void deliver(struct events *e, unsigned account)
{
	static unsigned serial;
	char user[64];

	fleet_user(account, user, sizeof(user));
	lmtp_say(e->lmtp, 3, "MAIL FROM:<sender@example.test>\r\nRCPT TO:<%s>\r\nDATA\r\n",
		user);
	lmtp_say(e->lmtp, 1,
		"From: Sender <sender@example.test>\r\nTo: <%s>\r\nSubject: Push %u\r\n"
		"Message-ID: <%u@push.example.test>\r\nDate: Tue, 3 Mar 2026 10:00:00 +0000\r\n"
		"\r\nText of message %u.\r\n.\r\n",
		user, serial, serial, serial);
	serial++;
}

void events_init(struct events *e, enum event_source source, unsigned accounts)
{
	PGresult *r;

	*e = (struct events){.source = source, .accounts = accounts, .lmtp = -1};
	e->c = push_connect();
	e->account = calloc(accounts, sizeof(*e->account));
	e->folder = calloc(accounts, sizeof(*e->folder));
	e->uidnext = calloc(accounts, sizeof(*e->uidnext));
	if (!e->account || !e->folder || !e->uidnext)
		abort();
	r = query(e->c, "SELECT substring(login FROM 5 FOR position('@' IN login) - 5)::int,"
			" a.id, f.row FROM account a JOIN folder f ON f.account_id = a.id"
			" AND f.type = 2");
	for (int i = 0; i < PQntuples(r); i++) {
		unsigned long which = strtoul(PQgetvalue(r, i, 0), NULL, 10);

		if (which < 1 || which > accounts)
			continue;
		e->account[which - 1] = strtoll(PQgetvalue(r, i, 1), NULL, 10);
		e->folder[which - 1] = strtoll(PQgetvalue(r, i, 2), NULL, 10);
		e->uidnext[which - 1] = 4; /* three messages are there */
	}
	PQclear(r);
	if (source != EVENT_NOTIFY) {
		e->lmtp = connect_lmtp();
		lmtp_hear(e->lmtp, 1);
		lmtp_say(e->lmtp, 1, "LHLO bench.example.test\r\n");
	}
}

void events_release(struct events *e)
{
	PQfinish(e->c);
	free(e->account);
	free(e->folder);
	free(e->uidnext);
	if (e->lmtp >= 0)
		(void)close(e->lmtp);
}

void events_send(struct events *e, unsigned account, char how)
{
	size_t i = account - 1;
	uint32_t uidnext = 0;

	if (e->source != EVENT_NOTIFY) {
		deliver(e, account);
		uidnext = ++e->uidnext[i];
	}
	if (e->source == EVENT_LMTP)
		return;
	push_sql(e->c,
		"WITH c AS (INSERT INTO change (folder, seq) VALUES (%lld, 1) ON CONFLICT (folder)"
		" DO UPDATE SET seq = change.seq + 1, modseq = 0, at = now() RETURNING seq)"
		" SELECT pg_notify('easpool', format('c %lld %lld %%s %u %c', seq)) FROM c",
		(long long)e->folder[i], (long long)e->account[i], (long long)e->folder[i],
		uidnext, how);
}

/* --- what it takes */

static long field_kb(const char *path, const char *name)
{
	char line[256];
	long kb = 0;
	FILE *f = fopen(path, "r");

	while (f && fgets(line, sizeof(line), f))
		if (strncmp(line, name, strlen(name)) == 0)
			kb = strtol(line + strlen(name), NULL, 10);
	if (f)
		(void)fclose(f);
	return kb;
}

static long pss_kb(long pid)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%ld/smaps_rollup", pid);
	return field_kb(path, "Pss:");
}

static int64_t cpu_us(long pid)
{
	char path[64], line[128];
	int64_t ns = 0;
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%ld/schedstat", pid);
	f = fopen(path, "r");
	if (f && fgets(line, sizeof(line), f))
		ns = strtoll(line, NULL, 10);
	if (f)
		(void)fclose(f);
	return ns / 1000;
}

static size_t descriptors(long pid)
{
	char path[64];
	size_t n = 0;
	DIR *d;

	(void)snprintf(path, sizeof(path), "/proc/%ld/fd", pid);
	d = opendir(path);
	while (d && readdir(d))
		n++;
	if (d)
		(void)closedir(d);
	return n > 2 ? n - 2 : 0;
}

static size_t children(long pid, long *v)
{
	char path[64];
	size_t n = 0;
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%ld/task/%ld/children", pid, pid);
	f = fopen(path, "r");
	while (f && n < PROCESSES && fscanf(f, "%ld", &v[n]) == 1)
		n++;
	if (f)
		(void)fclose(f);
	return n;
}

static bool is_waiter(long pid)
{
	char path[64], name[32];
	bool is = false;
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%ld/comm", pid);
	f = fopen(path, "r");
	if (f) {
		is = fgets(name, sizeof(name), f) && strcmp(name, "easpool-waiter\n") == 0;
		(void)fclose(f);
	}
	return is;
}

static long nginx_kb(void)
{
	long v[PROCESSES], pid, sum;
	char path[1024];
	size_t n;
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/nginx.pid", lab_get("LAB_DIR"));
	f = fopen(path, "r");
	if (!f || fscanf(f, "%ld", &pid) != 1)
		bench_die("no nginx");
	(void)fclose(f);
	n = children(pid, v);
	sum = pss_kb(pid);
	for (size_t i = 0; i < n; i++)
		sum += pss_kb(v[i]);
	return sum;
}

struct usage push_usage(void)
{
	long parent = strtol(lab_get("EASPOOL_PID"), NULL, 10), v[PROCESSES];
	size_t n = children(parent, v);
	struct usage u = {.n = n + 1};

	u.pss_kb = pss_kb(parent);
	u.cpu_us = cpu_us(parent);
	for (size_t i = 0; i < n; i++) {
		long kb = pss_kb(v[i]);
		int64_t us = cpu_us(v[i]);

		u.pss_kb += kb;
		u.cpu_us += us;
		if (is_waiter(v[i])) {
			u.waiter_kb = kb;
			u.waiter_us = us;
			u.waiter_descriptors = descriptors(v[i]);
		} else {
			u.workers_kb += kb;
			u.workers++;
		}
	}
	u.nginx_kb = nginx_kb();
	u.slab_kb = field_kb("/proc/meminfo", "Slab:");
	return u;
}

size_t push_waiting(void)
{
	long v[PROCESSES];
	size_t n = children(strtol(lab_get("EASPOOL_PID"), NULL, 10), v);

	for (size_t i = 0; i < n; i++)
		if (is_waiter(v[i]))
			return descriptors(v[i]);
	return 0;
}

int64_t push_writes(PGconn *c, const char *table)
{
	char sql[512];

	(void)snprintf(sql, sizeof(sql),
		"SELECT coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0)::bigint"
		" FROM pg_stat_user_tables WHERE relname = '%s' OR ('%s' = '' AND relname NOT IN"
		" ('device', 'listener'))",
		table, table);
	return push_number(c, sql);
}

size_t push_logins(void)
{
	char path[1024], line[4096];
	size_t n = 0;
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/log/dovecot", lab_get("LAB_DIR"));
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f))
		n += strstr(line, "imap-login: Info: Login: ") != NULL;
	if (f)
		(void)fclose(f);
	return n;
}

/* --- easpool's log */

void tail_open(struct tail *t)
{
	*t = (struct tail){.f = fopen(lab_get("EASPOOL_LOG"), "r")};
	if (!t->f || fseek(t->f, 0, SEEK_END) != 0)
		bench_die("could not read the log");
}

/* The last line may be there in part only: it is read again when it is whole. */
void tail_read(struct tail *t)
{
	char line[8192];
	const char *trips;
	long at = ftell(t->f);

	clearerr(t->f);
	while (fgets(line, sizeof(line), t->f)) {
		if (!strchr(line, '\n'))
			break;
		at = ftell(t->f);
		trips = strstr(line, " cmd=Ping ") ? strstr(line, " trips=") : NULL;
		if (!trips)
			continue;
		t->trips += strtoul(trips + strlen(" trips="), NULL, 10);
		t->waits += strstr(line, " wait=") != NULL;
	}
	(void)fseek(t->f, at, SEEK_SET);
}

void tail_close(struct tail *t)
{
	(void)fclose(t->f);
}
