#include "tests/bench/push.h"

#include "tests/bench/bench.h"
#include "tests/support_lab.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* Thousands, in processes of their own: one may not have so many descriptors. */

enum {
	DEVICES = 200, /* of an account */
	HOLD_WORKERS = 2,
	CHILD_PHONES = 9000, /* that one process of ours holds */
	CHILDREN = 16,
};

struct holder {
	pid_t pid;
	int from; /* a byte when all are waiting, then how many were told, odd and refused */
};

/* All that wait. */
struct crowd {
	struct seed seed;
	unsigned accounts, pools; /* each pool has as many of the accounts */
	bool direct;
};

static _Noreturn void hold_part(
	const struct crowd *w, unsigned pool, unsigned first, unsigned accounts, int to)
{
	struct fleet f;
	size_t result[3];

	fleet_init(&f, &w->seed, first, accounts, DEVICES);
	f.answered = push_note;
	f.direct = w->direct;
	f.pool = pool;
	push_hand_over(&f, NULL);
	push_put(to, "", 1);
	while (f.busy)
		fleet_step(&f, 1000);
	result[0] = push_counts.told;
	result[1] = push_counts.odd;
	result[2] = push_counts.refused;
	push_put(to, result, sizeof(result));
	_exit(0);
}

static struct holder start_holder(
	const struct crowd *w, unsigned pool, unsigned first, unsigned accounts)
{
	struct holder h;
	int ends[2];

	if (pipe(ends) != 0)
		bench_die("pipe: %s", strerror(errno));
	h.from = ends[0];
	h.pid = fork();
	if (h.pid < 0)
		bench_die("fork: %s", strerror(errno));
	if (h.pid == 0)
		hold_part(w, pool, first, accounts, ends[1]);
	(void)close(ends[1]);
	return h;
}

/* What a holder says; meanwhile the listener lives. */
static void hear_holder(const struct holder *h, PGconn *c, void *r, size_t n)
{
	struct pollfd p = {.fd = h->from, .events = POLLIN};

	do
		push_listener_keep(c, bench_us());
	while (poll(&p, 1, 1000) == 0);
	if (read(h->from, r, n) != (ssize_t)n)
		bench_die("a process that held phones has died");
}

static size_t start_holders(struct holder *v, const struct crowd *w, PGconn *c)
{
	const unsigned most = CHILD_PHONES / DEVICES, each = w->accounts / w->pools;
	size_t n = 0;
	char ready;

	for (unsigned done = 0; done < w->accounts && n < CHILDREN; n++) {
		unsigned pool = done / each, left = (pool + 1) * each - done;
		unsigned part = left < most ? left : most;

		v[n] = start_holder(w, pool, done + 1, part);
		hear_holder(&v[n], c, &ready, 1);
		done += part;
	}
	return n;
}

static void end_holders(const struct holder *v, size_t n, PGconn *c)
{
	size_t result[3];

	for (size_t i = 0; i < n; i++) {
		hear_holder(&v[i], c, result, sizeof(result));
		(void)waitpid(v[i].pid, NULL, 0);
		(void)close(v[i].from);
		push_counts.told += result[0];
		push_counts.odd += result[1];
		push_counts.refused += result[2];
	}
}

static void print_held(unsigned phones, const struct usage *a, const struct usage *b)
{
	(void)printf(
		"  easpool, %zu processes: PSS %ld KB before, %ld KB after: %.2f KB a phone\n"
		"  the waiters alone: %ld KB before, %ld KB after: %.2f KB a phone;"
		" %zu descriptors\n"
		"  easlistend: PSS %ld KB before, %ld KB after\n"
		"  nginx: %.2f KB a phone; kernel memory (slab): %.2f KB a phone,"
		" that of our own sockets included\n",
		b->n, a->pss_kb, b->pss_kb, (double)(b->pss_kb - a->pss_kb) / phones,
		a->waiter_kb, b->waiter_kb, (double)(b->waiter_kb - a->waiter_kb) / phones,
		b->waiter_descriptors, a->listener_kb, b->listener_kb,
		(double)(b->nginx_kb - a->nginx_kb) / phones,
		(double)(b->slab_kb - a->slab_kb) / phones);
}

/* What workers take to know all users, and to have worked at all, is not of a phone; what the
 * waiter takes is. */
static void meet_accounts(const struct crowd *w, PGconn *c, struct usage *before)
{
	enum { TIMES = 6 };
	const unsigned each = w->accounts / w->pools;
	struct usage cold = *before;
	struct fleet f;

	for (unsigned i = 0; i < w->pools; i++) {
		fleet_init(&f, &w->seed, 1 + i * each, each, TIMES);
		f.answered = push_note;
		f.direct = w->direct;
		f.pool = i;
		push_hand_over(&f, c);
		fleet_release(&f);
		/* The waiters notice that they are gone. */
		(void)sleep(2);
	}
	*before = push_usage();
	before->pss_kb += cold.waiter_kb - before->waiter_kb;
	before->waiter_kb = cold.waiter_kb;
}

static void wake_all(const struct holder *v, size_t n, unsigned accounts, PGconn *c)
{
	struct events e;
	int64_t began;

	events_init(&e, EVENT_NOTIFY, accounts);
	push_counts = (struct counts){0};
	began = bench_us();
	for (unsigned i = 1; i <= accounts; i++)
		events_send(&e, i, 'n');
	end_holders(v, n, c);
	(void)printf("  all woken by %u events: %.2f s; %zu told, %zu answered otherwise, %zu"
		     " refused, of %u\n",
		accounts, (double)(bench_us() - began) / 1e6, push_counts.told, push_counts.odd,
		push_counts.refused, accounts * DEVICES);
	events_release(&e);
}

static void hold_phones(unsigned phones, bool direct, unsigned pools, const char *source)
{
	struct crowd w = {.accounts = phones / DEVICES / pools * pools, .pools = pools};
	PGconn *c;
	struct holder v[CHILDREN];
	struct usage before, after, later;
	int64_t began;
	size_t n;

	w.direct = direct;
	w.seed = push_lab(&(struct lab_plan){w.accounts, DEVICES, HOLD_WORKERS,
		direct ? 1024 : phones + 200, source, false});
	c = push_connect();
	for (unsigned i = 1; i < pools; i++)
		push_pool_start(i);
	push_listener_keep(c, bench_us());
	before = push_usage();
	meet_accounts(&w, c, &before);
	began = bench_us();
	n = start_holders(v, &w, c);
	(void)printf("%s: %u phones of %u accounts wait at %u pools after %.2f s\n",
		direct ? "direct" : "hold", w.accounts * DEVICES, w.accounts, pools,
		(double)(bench_us() - began) / 1e6);
	after = push_usage();
	print_held(w.accounts * DEVICES, &before, &after);
	push_rest(c, push_options.idle);
	later = push_usage();
	(void)printf(
		"  %u seconds of rest: %.1f ms CPU of all easpool processes, %.1f ms of the"
		" waiters, %.1f ms of easlistend\n",
		push_options.idle, (double)(later.cpu_us - after.cpu_us) / 1000,
		(double)(later.waiter_us - after.waiter_us) / 1000,
		(double)(later.listener_us - after.listener_us) / 1000);
	wake_all(v, n, w.accounts, c);
	push_pools_stop();
	PQfinish(c);
	lab_down();
}

void push_hold(void)
{
	hold_phones(push_options.phones ? push_options.phones : 10000, false, 1, NULL);
}

/* The waiter may have as many descriptors as the limit says, and keeps 256 for other things. */
void push_direct(void)
{
	struct rlimit r;
	unsigned phones = push_options.phones;

	if (getrlimit(RLIMIT_NOFILE, &r) != 0)
		bench_die("getrlimit: %s", strerror(errno));
	if (!phones)
		phones = r.rlim_max > 50300 ? 50000 : (unsigned)r.rlim_max - 300;
	(void)printf(
		"direct: at most %llu descriptors a process\n", (unsigned long long)r.rlim_max);
	hold_phones(phones, true, 1, NULL);
}

/* One process may not have as many descriptors as there are phones: hosts of a third each. */
void push_hosts(void)
{
	hold_phones(push_options.phones ? push_options.phones : 50400, true, 3, "url");
}

/* What a phone would take that is held by a worker of its own. */
void push_pool(void)
{
	enum { WORKERS = 100, ACCOUNTS = 2 };
	struct seed seed =
		push_lab(&(struct lab_plan){ACCOUNTS, DEVICES, WORKERS, 2000, NULL, false});
	PGconn *c = push_connect();
	struct usage u;
	struct fleet f;

	push_listener_keep(c, bench_us());
	fleet_init(&f, &seed, 1, ACCOUNTS, DEVICES);
	f.answered = push_note;
	push_hand_over(&f, c);
	u = push_usage();
	(void)printf("pool: %zu workers that have served %zu Pings: PSS %.0f KB each\n",
		u.workers, f.n, (double)u.workers_kb / (double)u.workers);
	fleet_release(&f);
	PQfinish(c);
	lab_down();
}
