/*
 * Waiting phones: what they cost, how soon they hear of a mail, whether they hear of every one.
 *
 *     bench_push [PART ...] [options]
 *
 * The parts are hold, direct, hosts, pool, wake, burst, renew, watch and notify; without any,
 * all of them.
 *
 *     --phones N     of hold, direct and hosts (10000; what the limit of descriptors allows;
 *                    50400)
 *     --idle N       seconds of rest in which hold, direct, hosts and watch measure (60)
 *     --source url|notify|idle
 *                    of wake, burst, renew and watch: the lab has a listener with that source;
 *                    else we play it. wake delivers real mails then.
 *     --event notify|both|lmtp|url|stored
 *                    of burst: only notices; real mails by LMTP of which we give notice; real
 *                    mails of which the listener gives notice; only events at its URL; such
 *                    events of mails that were stored before. The last three have the source
 * url unless told otherwise.
 *     --rate N       events a second of burst (1000; 0, of the last two: as many as possible)
 *     --seconds N    of burst (10)
 *     --rounds N     renewals of a phone in renew (100)
 */
#include "tests/bench/bench.h"
#include "tests/bench/push.h"
#include "tests/support_lab.h"

#include <errno.h>
#include <getopt.h>
#include <string.h>
#include <unistd.h>

enum { ON_THEIR_WAY = 200 }; /* requests at a time */

struct push_options push_options = {0, 60, 1000, 10, 100, EVENT_NOTIFY, NULL};
struct counts push_counts;

void push_note(struct fleet *f, struct member *m, const struct answered *a)
{
	(void)f;
	(void)m;
	push_counts.told += a->http == 200 && a->status == 2;
	push_counts.odd += a->http == 200 && a->status != 2;
	push_counts.refused += a->http != 200;
}

void push_put(int fd, const void *p, size_t n)
{
	if (write(fd, p, n) != (ssize_t)n)
		bench_die("write: %s", strerror(errno));
}

void push_rest(PGconn *c, unsigned seconds)
{
	for (unsigned i = 0; i < seconds; i++) {
		push_listener_keep(c, bench_us());
		(void)sleep(1);
	}
}

void push_await_watch(PGconn *c, unsigned accounts)
{
	int64_t began = bench_us();

	while (push_number(c, "SELECT count(*) FROM watched") < accounts) {
		if (bench_us() - began > 120000000)
			bench_die("the listener does not watch all accounts");
		(void)usleep(100000);
	}
}

static size_t answered(void)
{
	return push_counts.told + push_counts.odd + push_counts.refused;
}

/* Some are looked after soon, and are in the log twice: it says how fast to go on, not when all
 * are there. */
void push_hand_over(struct fleet *f, PGconn *c)
{
	struct tail t;
	size_t before = answered(), all = push_waiting() + f->n;

	tail_open(&t);
	for (size_t i = 0; i < f->n || push_waiting() + answered() - before < all;) {
		size_t done = t.waits + answered() - before;

		if (i < f->n && i < done + ON_THEIR_WAY) {
			fleet_ping(f, &f->v[i++]);
			continue;
		}
		fleet_step(f, i < f->n ? 1 : 50);
		tail_read(&t);
		push_listener_keep(c, bench_us());
	}
	tail_close(&t);
}

void push_print_times(const char *what, int64_t *v, size_t n)
{
	int64_t median;

	if (!n)
		return;
	median = bench_median(v, n);
	(void)printf("%s: %zu times, median %.2f ms, p99 %.2f ms, longest %.2f ms\n", what, n,
		(double)median / 1000, (double)v[n * 99 / 100] / 1000, (double)v[n - 1] / 1000);
}

/* --- options */

static unsigned number(const char *text)
{
	uint32_t n;

	if (!str_u32(str_of(text), &n))
		bench_die("%s is not a number", text);
	return n;
}

static enum event_source event(const char *text)
{
	static const char *const names[] = {"notify", "both", "lmtp", "url", "stored"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strcmp(text, names[i]) == 0)
			return (enum event_source)i;
	bench_die("%s is not an event", text);
}

static void take_option(int c, const char *value)
{
	switch (c) {
	case 'p':
		push_options.phones = number(value);
		break;
	case 'i':
		push_options.idle = number(value);
		break;
	case 'r':
		push_options.rate = number(value);
		break;
	case 's':
		push_options.seconds = number(value);
		break;
	case 'n':
		push_options.rounds = number(value);
		break;
	case 'e':
		push_options.event = event(value);
		break;
	case 'l':
		push_options.source = value;
		break;
	default:
		bench_die("unknown option");
	}
}

int main(int argc, char **argv)
{
	static const struct option names[] = {
		{"phones",  required_argument, NULL, 'p'},
		{"idle",    required_argument, NULL, 'i'},
		{"rate",    required_argument, NULL, 'r'},
		{"seconds", required_argument, NULL, 's'},
		{"rounds",  required_argument, NULL, 'n'},
		{"event",   required_argument, NULL, 'e'},
		{"source",  required_argument, NULL, 'l'},
		{NULL,      0,                 NULL, 0  },
	};
	static const struct {
		const char *name;
		void (*run)(void);
	} all[] = {
		{"hold",   push_hold  },
		{"direct", push_direct},
		{"hosts",  push_hosts },
		{"pool",   push_pool  },
		{"wake",   push_wake  },
		{"burst",  push_burst },
		{"renew",  push_renew },
		{"watch",  push_watch },
		{"notify", push_notify},
	};
	int c;

	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	while ((c = getopt_long(argc, argv, "", names, NULL)) != -1)
		take_option(c, optarg);
	if (push_options.event >= EVENT_LMTP && !push_options.source)
		push_options.source = "url";
	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		bool wanted = optind == argc;

		for (int k = optind; k < argc; k++)
			wanted = wanted || strcmp(argv[k], all[i].name) == 0;
		if (wanted)
			all[i].run();
	}
	return 0;
}
