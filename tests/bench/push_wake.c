#include "tests/bench/push.h"

#include "tests/bench/bench.h"
#include "tests/bench/push_ear.h"
#include "tests/support_lab.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* --- how soon */

enum { WAKE_ACCOUNTS = 50, WAKE_DEVICES = 20, WAKE_WORKERS = 4, BUSY_S = 5 };

enum stage {
	DELIVERED, /* LMTP has said that it has the mail */
	SHOWN,     /* a connection of ours that watches the mailbox was told */
	NOTICED,   /* so was one that listens to the database */
	ANSWERED,  /* a phone has its answer */
	STAGES
};

struct waking {
	struct fleet f;
	struct events e;
	struct ear ear;
	unsigned next; /* account; each is woken once */
	int64_t us[STAGES][WAKE_ACCOUNTS * WAKE_DEVICES];
	size_t n[STAGES];
};

static void note(struct waking *w, enum stage stage, int64_t us)
{
	w->us[stage][w->n[stage]++] = us;
}

/* Waits until something comes for us or for phones. */
static void hear(struct waking *w)
{
	ear_listen(&w->ear, w->f.epoll, 10);
	fleet_step(&w->f, 0);
}

/* An event for an account, until all its phones have their answers. */
static void wake_account(struct waking *w, unsigned account, char how)
{
	int64_t began;

	ear_turn_to(&w->ear, account, w->e.account[account - 1]);
	began = bench_us();
	events_send(&w->e, account, how);
	if (w->e.source == EVENT_LMTP)
		note(w, DELIVERED, bench_us() - began);
	for (size_t i = account - 1; i < w->f.n; i += WAKE_ACCOUNTS) {
		struct member *m = &w->f.v[i];

		while (m->fd >= 0 && bench_us() - began < 20000000)
			hear(w);
		if (m->fd >= 0)
			bench_die("a phone was not told within 20 s");
		note(w, ANSWERED, m->told - began);
	}
	if (w->ear.shown)
		note(w, SHOWN, w->ear.shown - began);
	if (w->ear.noticed)
		note(w, NOTICED, w->ear.noticed - began);
	(void)usleep(2000);
}

static void wake_some(struct waking *w, unsigned n, char how, int64_t seconds, const char *what)
{
	static const char *const stages[STAGES] = {[DELIVERED] = "  LMTP's answer",
		[SHOWN] = "  the IMAP server tells us",
		[NOTICED] = "  the notice of the database"};
	int64_t until = bench_us() + seconds * 1000000;

	(void)memset(w->n, 0, sizeof(w->n));
	for (; n && w->next <= WAKE_ACCOUNTS && bench_us() < until; n--)
		wake_account(w, w->next++, how);
	for (enum stage i = 0; i < STAGES; i++)
		push_print_times(i == ANSWERED ? what : stages[i], w->us[i], w->n[i]);
}

/* Workers that read a body which does not end. */
static void wake_while_busy(struct waking *w, const struct seed *seed)
{
	int held[WAKE_WORKERS];
	struct fleet other;
	struct tail t;

	/* Phones of accounts that were told already. */
	fleet_init(&other, seed, 1, WAKE_WORKERS + 1, 1);
	other.answered = push_note;
	for (size_t i = 0; i < WAKE_WORKERS; i++)
		held[i] = fleet_hold_worker(&other, &other.v[i]);
	(void)sleep(1);
	tail_open(&t);
	fleet_ping(&other, &other.v[WAKE_WORKERS]);
	wake_some(w, 15, 'n', BUSY_S - 1, "wake: delivered, every worker busy");
	if (w->e.source == EVENT_NOTIFY)
		wake_some(w, 5, 'a', BUSY_S, "wake: perhaps added, every worker busy");
	tail_read(&t);
	(void)printf("  a new request meanwhile: %s\n", t.waits ? "served" : "waited");
	tail_close(&t);
	for (size_t i = 0; i < WAKE_WORKERS; i++)
		(void)close(held[i]);
	fleet_release(&other);
}

void push_wake(void)
{
	struct seed seed = push_lab(&(struct lab_plan){WAKE_ACCOUNTS, WAKE_DEVICES,
		WAKE_WORKERS, 2 * WAKE_ACCOUNTS * WAKE_DEVICES, push_options.source, false});
	PGconn *c = push_connect();
	static struct waking w;

	w = (struct waking){.next = 1};
	push_listener_keep(c, bench_us());
	fleet_init(&w.f, &seed, 1, WAKE_ACCOUNTS, WAKE_DEVICES);
	w.f.answered = push_note;
	push_hand_over(&w.f, c);
	if (push_options.source && strcmp(push_options.source, "url") != 0)
		push_await_watch(c, WAKE_ACCOUNTS);
	events_init(&w.e, push_options.source ? EVENT_LMTP : EVENT_NOTIFY, WAKE_ACCOUNTS);
	ear_open(&w.ear, push_options.source);
	wake_some(&w, 30, 'n', 60, "wake: delivered, workers at rest");
	push_listener_keep(c, bench_us());
	wake_while_busy(&w, &seed);
	ear_close(&w.ear);
	fleet_release(&w.f);
	events_release(&w.e);
	PQfinish(c);
	lab_down();
}

/* --- what a notice costs the database, by the number of hosts that listen */

static _Noreturn void listen_with(unsigned n, int ready)
{
	struct pollfd v[64];
	PGconn *c[64];

	for (unsigned i = 0; i < n; i++) {
		c[i] = push_connect();
		push_sql(c[i], "LISTEN easpool");
		v[i] = (struct pollfd){.fd = PQsocket(c[i]), .events = POLLIN};
	}
	push_put(ready, "", 1);
	for (;;) {
		(void)poll(v, n, -1);
		for (unsigned i = 0; i < n; i++) {
			PGnotify *note;

			if (!v[i].revents)
				continue;
			if (!PQconsumeInput(c[i]))
				_exit(0);
			while ((note = PQnotifies(c[i])) != NULL)
				PQfreemem(note);
		}
	}
}

static void notices_with(struct events *e, unsigned listeners)
{
	enum { US = 3000000 };
	size_t sent = 0;
	int64_t began;
	int ends[2];
	char ready;
	pid_t pid;

	if (pipe(ends) != 0 || (pid = fork()) < 0)
		bench_die("fork: %s", strerror(errno));
	if (pid == 0)
		listen_with(listeners, ends[1]);
	if (read(ends[0], &ready, 1) != 1)
		bench_die("nobody listens");
	began = bench_us();
	for (; bench_us() - began < US; sent++)
		events_send(e, 1 + (unsigned)(sent % e->accounts), 'n');
	(void)printf("notify: %u connections listen beside the waiter: %.0f events a second\n",
		listeners, (double)sent * 1e6 / (double)(bench_us() - began));
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
	(void)close(ends[0]);
	(void)close(ends[1]);
}

void push_notify(void)
{
	static const unsigned listeners[] = {0, 1, 3, 7, 15, 31, 63};
	struct events e;

	(void)push_lab(&(struct lab_plan){10, 1, 1, 1024, NULL, false});
	events_init(&e, EVENT_NOTIFY, 10);
	for (size_t i = 0; i < ARRAY_LEN(listeners); i++)
		notices_with(&e, listeners[i]);
	events_release(&e);
	lab_down();
}
