#include "tests/bench/push.h"

#include "tests/bench/bench.h"
#include "tests/support_lab.h"

enum { RENEW_ACCOUNTS = 10, RENEW_DEVICES = 20, RENEW_WORKERS = 4, WARM = 10, SYNCS = 5 };

enum { STATISTICS_S = 12 }; /* after which PostgreSQL has counted all that was done */

static unsigned rounds_wanted;
static bool rounds_of_sync;

static void next_round(struct fleet *f, struct member *m, const struct answered *a)
{
	if (a->http != 200 || a->status != 1)
		bench_die("a renewal: HTTP %ld, Status %u", a->http, a->status);
	m->doing = RESTING;
	if (++m->rounds >= rounds_wanted)
		return;
	if (rounds_of_sync)
		fleet_sync(f, m);
	else
		fleet_ping(f, m);
}

/* last_seen is in device; of all tables, the listener's own aside. */
static const char *const tables[] = {
	"collection", "device", "change", "hierarchy_change", "watch", "account", "folder"};

struct books {
	int64_t writes, rows[ARRAY_LEN(tables)];
	size_t logins;
	struct usage u;
};

/* The processes as they are now, the database once it has counted. */
static struct books take_books(PGconn *c)
{
	struct books b = {.u = push_usage()};

	push_rest(c, STATISTICS_S);
	b.writes = push_writes(c, "");
	for (size_t i = 0; i < ARRAY_LEN(tables); i++)
		b.rows[i] = push_writes(c, tables[i]);
	b.logins = push_logins();
	return b;
}

static void print_books(const struct books *a, const struct books *b, double n)
{
	(void)printf("  %zu IMAP logins, %lld rows written outside of device, %.0f us CPU each,"
		     " %.0f of them the waiter's\n",
		b->logins - a->logins, (long long)(b->writes - a->writes),
		(double)(b->u.cpu_us - a->u.cpu_us) / n,
		(double)(b->u.waiter_us - a->u.waiter_us) / n);
	for (size_t i = 0; i < ARRAY_LEN(tables); i++)
		if (b->rows[i] != a->rows[i])
			(void)printf("  rows of %s: %lld\n", tables[i],
				(long long)(b->rows[i] - a->rows[i]));
}

static void run_rounds(struct fleet *f, PGconn *c)
{
	for (size_t i = 0; i < f->n; i++) {
		f->v[i].rounds = 0;
		if (rounds_of_sync)
			fleet_sync(f, &f->v[i]);
		else
			fleet_ping(f, &f->v[i]);
	}
	while (f->busy) {
		fleet_step(f, 100);
		push_listener_keep(c, bench_us());
	}
}

static void count_rounds(
	struct fleet *f, PGconn *c, unsigned rounds, bool sync, const char *what)
{
	struct books a = take_books(c), b;
	int64_t began = bench_us();
	struct tail t;

	tail_open(&t);
	rounds_wanted = rounds;
	rounds_of_sync = sync;
	run_rounds(f, c);
	(void)printf("renew: %s, %u each of %zu phones, in %.0f s:\n", what, rounds, f->n,
		(double)(bench_us() - began) / 1e6);
	b = take_books(c);
	tail_read(&t);
	(void)printf("  %zu round trips of Pings to IMAP\n", t.trips);
	tail_close(&t);
	print_books(&a, &b, (double)f->n * rounds);
}

void push_renew(void)
{
	struct seed seed = push_lab(&(struct lab_plan){RENEW_ACCOUNTS, RENEW_DEVICES,
		RENEW_WORKERS, 1000, push_options.source, false});
	PGconn *c = push_connect();
	struct fleet f;

	push_listener_keep(c, bench_us());
	fleet_init(&f, &seed, 1, RENEW_ACCOUNTS, RENEW_DEVICES);
	f.heartbeat = 1;
	f.answered = next_round;
	count_rounds(&f, c, WARM, false, "the first Pings");
	count_rounds(&f, c, push_options.rounds, false, "Pings");
	count_rounds(&f, c, SYNCS, true, "empty Syncs");
	fleet_release(&f);
	PQfinish(c);
	lab_down();
}
