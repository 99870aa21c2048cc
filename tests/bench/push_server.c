#include "tests/bench/push_server.h"

#include "tests/bench/bench.h"
#include "tests/support_lab.h"

#include <dirent.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* --- its services */

int push_reach(const char *port, const char *what)
{
	struct sockaddr_in sa = {.sin_family = AF_INET};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	sa.sin_port = htons((uint16_t)strtoul(port, NULL, 10));
	sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || connect(fd, (struct sockaddr *)&sa, sizeof(sa)) != 0)
		bench_die("could not connect to %s", what);
	return fd;
}

/* --- the database */

PGconn *push_connect(void)
{
	PGconn *c = PQconnectdb(lab_get("PG_DSN"));

	if (PQstatus(c) != CONNECTION_OK)
		bench_die("database: %s", PQerrorMessage(c));
	return c;
}

PGresult *push_query(PGconn *c, const char *sql)
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
	PQclear(push_query(c, sql));
}

int64_t push_number(PGconn *c, const char *sql)
{
	PGresult *r = push_query(c, sql);
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

/* Whether the server has a listener, so that we need not play it. */
static bool has_listener;

static void set_number(const char *name, unsigned n)
{
	char text[16];

	(void)snprintf(text, sizeof(text), "%u", n);
	(void)setenv(name, text, 1);
}

struct seed push_lab(const struct lab_plan *p)
{
	struct seed seed;
	char conf[512];

	/* No limits on haste, no password asked twice, no worker that ends in between. */
	(void)snprintf(conf, sizeof(conf),
		"device_rate = 0\nuser_rate = 0\nheartbeat_min = 1\nmax_requests = 0\n"
		"max_devices = 0\nauth_cache = 86400\nimap_sessions = %u\n"
		"imap_session_idle = 3600",
		p->alone ? 1 : 64);
	(void)setenv("EASPOOL_LAB_CONF", conf, 1);
	has_listener = p->source != NULL;
	(void)setenv("EASPOOL_LAB_SOURCE", p->source ? p->source : "notify", 1);
	(void)setenv("EASPOOL_LAB_LISTENER", p->source ? "1" : "0", 1);
	set_number("EASPOOL_LAB_WORKERS", p->workers);
	set_number("EASPOOL_LAB_CONNECTIONS", p->connections);
	lab_up(p->accounts);
	seed = set_up_seed();
	copy_rows(p->accounts, p->devices);
	for (unsigned i = 2; i <= p->accounts; i++)
		copy_mailbox(i);
	return seed;
}

/* --- more hosts: pools of their own on the same database */

static pid_t more_pools[POOLS];
static size_t npools;

static void write_conf(const char *to, unsigned pool)
{
	FILE *in = fopen(lab_get("EASPOOL_CONF"), "r"), *out = fopen(to, "w");
	char line[4096];

	if (!in || !out)
		bench_die("could not write %s", to);
	while (fgets(line, sizeof(line), in))
		if (strncmp(line, "listen = ", 9) != 0 &&
			strncmp(line, "waiter_socket", 13) != 0)
			(void)fputs(line, out);
	(void)fprintf(out,
		"listen = %s/run/easpool%u.sock\nwaiter_socket = %s/run/waiter%u.sock\n"
		"host = host%u\n",
		lab_get("LAB_DIR"), pool, lab_get("LAB_DIR"), pool, pool);
	(void)fclose(in);
	(void)fclose(out);
}

void push_pool_start(unsigned pool)
{
	char program[1024], conf[1024], sock[1024];
	char *argv[] = {program, (char[]){"-c"}, conf, NULL};

	(void)snprintf(program, sizeof(program), "%s/easpool", lab_get("EASPOOL_BUILD"));
	(void)snprintf(conf, sizeof(conf), "%s/easpool%u.conf", lab_get("LAB_DIR"), pool);
	(void)snprintf(sock, sizeof(sock), "%s/run/easpool%u.sock", lab_get("LAB_DIR"), pool);
	write_conf(conf, pool);
	if (npools == POOLS ||
		posix_spawn(&more_pools[npools++], program, NULL, NULL, argv, environ) != 0)
		bench_die("could not start a pool");
	for (unsigned i = 0; i < 100 && access(sock, F_OK) != 0; i++)
		(void)usleep(100000);
}

void push_pools_stop(void)
{
	for (size_t i = 0; i < npools; i++) {
		(void)kill(more_pools[i], SIGTERM);
		(void)waitpid(more_pools[i], NULL, 0);
	}
	npools = 0;
}

/* --- a listener that lives */

void push_listener_keep(PGconn *c, int64_t now_us)
{
	static int64_t last;

	if (!c || has_listener || (last && now_us - last < 4000000))
		return;
	last = now_us;
	push_sql(c, "INSERT INTO listener (id, host, source) VALUES ('bench', 'bench', 'url')"
		    " ON CONFLICT (id) DO UPDATE SET seen = now()");
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

static long pid_in(const char *name)
{
	char path[1024];
	long pid;
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s", lab_get("LAB_DIR"), name);
	f = fopen(path, "r");
	if (!f || fscanf(f, "%ld", &pid) != 1)
		bench_die("no process in %s", name);
	(void)fclose(f);
	return pid;
}

static void add_pool(struct usage *u, long parent)
{
	long v[PROCESSES];
	size_t n = children(parent, v);

	u->n += n + 1;
	u->pss_kb += pss_kb(parent);
	u->cpu_us += cpu_us(parent);
	for (size_t i = 0; i < n; i++) {
		long kb = pss_kb(v[i]);
		int64_t us = cpu_us(v[i]);

		u->pss_kb += kb;
		u->cpu_us += us;
		if (is_waiter(v[i])) {
			u->waiter_kb += kb;
			u->waiter_us += us;
			u->waiter_descriptors += descriptors(v[i]);
		} else {
			u->workers_kb += kb;
			u->workers++;
		}
	}
}

/* A process and all that came of it. */
static long family_kb(long pid)
{
	long v[PROCESSES], sum = pss_kb(pid);
	size_t n = children(pid, v);

	for (size_t i = 0; i < n; i++)
		sum += family_kb(v[i]);
	return sum;
}

static size_t pools(long *v)
{
	v[0] = strtol(lab_get("EASPOOL_PID"), NULL, 10);
	for (size_t i = 0; i < npools; i++)
		v[i + 1] = more_pools[i];
	return npools + 1;
}

struct usage push_usage(void)
{
	struct usage u = {0};
	long v[POOLS + 1];
	size_t n = pools(v);

	for (size_t i = 0; i < n; i++)
		add_pool(&u, v[i]);
	if (has_listener) {
		u.listener_kb = pss_kb(strtol(lab_get("EASLISTEND_PID"), NULL, 10));
		u.listener_us = cpu_us(strtol(lab_get("EASLISTEND_PID"), NULL, 10));
	}
	u.nginx_kb = family_kb(pid_in("nginx.pid"));
	u.dovecot_kb = family_kb(pid_in("run/master.pid"));
	u.slab_kb = field_kb("/proc/meminfo", "Slab:");
	return u;
}

size_t push_waiting(void)
{
	long parents[POOLS + 1], v[PROCESSES];
	size_t n = pools(parents), all = 0;

	for (size_t k = 0; k < n; k++) {
		size_t workers = children(parents[k], v);

		for (size_t i = 0; i < workers; i++)
			if (is_waiter(v[i]))
				all += descriptors(v[i]);
	}
	return all;
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
