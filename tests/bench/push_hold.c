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

static _Noreturn void hold_part(
	const struct seed *seed, unsigned first, unsigned accounts, bool direct, int to)
{
	struct fleet f;
	size_t result[3];

	fleet_init(&f, seed, first, accounts, DEVICES);
	f.answered = push_note;
	f.direct = direct;
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
	const struct seed *seed, unsigned first, unsigned accounts, bool direct)
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
		hold_part(seed, first, accounts, direct, ends[1]);
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

static size_t start_holders(
	struct holder *v, const struct seed *seed, unsigned accounts, bool direct, PGconn *c)
{
	const unsigned most = CHILD_PHONES / DEVICES;
	size_t n = 0;
	char ready;

	for (unsigned done = 0; done < accounts && n < CHILDREN; n++) {
		unsigned part = accounts - done < most ? accounts - done : most;

		v[n] = start_holder(seed, done + 1, part, direct);
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
		"  the waiter alone: %ld KB before, %ld KB after: %.2f KB a phone;"
		" %zu descriptors\n"
		"  nginx: %.2f KB a phone; kernel memory (slab): %.2f KB a phone,"
		" that of our own sockets included\n",
		b->n, a->pss_kb, b->pss_kb, (double)(b->pss_kb - a->pss_kb) / phones,
		a->waiter_kb, b->waiter_kb, (double)(b->waiter_kb - a->waiter_kb) / phones,
		b->waiter_descriptors, (double)(b->nginx_kb - a->nginx_kb) / phones,
		(double)(b->slab_kb - a->slab_kb) / phones);
}

/* What workers take to know all users, and to have worked at all, is not of a phone; what the
 * waiter takes is. */
static void meet_accounts(
	const struct seed *seed, unsigned accounts, PGconn *c, struct usage *before)
{
	enum { TIMES = 6 };
	struct usage cold = *before;
	struct fleet f;

	fleet_init(&f, seed, 1, accounts, TIMES);
	f.answered = push_note;
	push_hand_over(&f, c);
	fleet_release(&f);
	(void)sleep(2);
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

static void hold_phones(unsigned phones, bool direct)
{
	unsigned accounts = phones / DEVICES;
	struct seed seed =
		push_lab(accounts, DEVICES, HOLD_WORKERS, direct ? 1024 : phones + 200);
	PGconn *c = push_connect();
	struct holder v[CHILDREN];
	struct usage before, after, later;
	int64_t began;
	size_t n;

	push_listener_keep(c, bench_us());
	before = push_usage();
	meet_accounts(&seed, accounts, c, &before);
	began = bench_us();
	n = start_holders(v, &seed, accounts, direct, c);
	(void)printf("%s: %u phones of %u accounts wait after %.2f s\n",
		direct ? "direct" : "hold", accounts * DEVICES, accounts,
		(double)(bench_us() - began) / 1e6);
	after = push_usage();
	print_held(accounts * DEVICES, &before, &after);
	push_rest(c, push_options.idle);
	later = push_usage();
	(void)printf(
		"  %u seconds of rest: %.1f ms CPU of all easpool processes, %.1f ms of the"
		" waiter\n",
		push_options.idle, (double)(later.cpu_us - after.cpu_us) / 1000,
		(double)(later.waiter_us - after.waiter_us) / 1000);
	wake_all(v, n, accounts, c);
	PQfinish(c);
	lab_down();
}

void push_hold(void)
{
	hold_phones(push_options.phones ? push_options.phones : 10000, false);
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
	hold_phones(phones, true);
}

/* What a phone would take that is held by a worker of its own. */
void push_pool(void)
{
	enum { WORKERS = 100, ACCOUNTS = 2 };
	struct seed seed = push_lab(ACCOUNTS, DEVICES, WORKERS, 2000);
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
