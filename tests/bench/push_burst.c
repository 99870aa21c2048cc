#include "tests/bench/push.h"

#include "tests/bench/bench.h"
#include "tests/support_lab.h"

#include <stdlib.h>
#include <string.h>

enum { BURST_ACCOUNTS = 40, BURST_DEVICES = 25, BURST_WORKERS = 8, RETRY_US = 200000 };

struct burst {
	struct events e;
	unsigned delivered[BURST_ACCOUNTS];
	size_t woken, syncs, found, refused, odd;
	int64_t *us; /* from an event until the phone had it */
	size_t nus, most;
	int64_t last; /* when something last came */
	bool mails, over;
};

static void has_heard(struct burst *b, struct member *m)
{
	if (m->owed && b->nus < b->most)
		b->us[b->nus++] = bench_us() - m->owed;
	m->owed = 0;
}

static void next_of_burst(struct fleet *f, struct member *m, const struct answered *a)
{
	struct burst *b = f->ctx;
	bool ping = m->doing == PINGING, good = a->http == 200 && a->status == (ping ? 2 : 1);

	b->last = bench_us();
	if (!good) {
		b->refused += a->http != 200;
		b->odd += a->http == 200;
		/* Rests for a moment, then the same again. */
		m->again = m->doing;
		m->doing = RESTING;
		return;
	}
	b->woken += ping;
	b->syncs += !ping;
	b->found += a->added > 0;
	if (a->added)
		has_heard(b, m);
	m->again = m->doing = RESTING;
	if (ping && (!b->over || b->mails))
		fleet_sync(f, m);
	else if (!ping)
		fleet_ping(f, m);
}

static void retry(struct fleet *f)
{
	int64_t now = bench_us();

	for (size_t i = 0; i < f->n; i++) {
		struct member *m = &f->v[i];

		if (m->doing != RESTING || m->again == RESTING || now - m->asked < RETRY_US)
			continue;
		if (m->again == PINGING)
			fleet_ping(f, m);
		else
			fleet_sync(f, m);
	}
}

static void one_event(struct fleet *f, struct burst *b, unsigned account)
{
	events_send(&b->e, account, 'n');
	b->delivered[account - 1]++;
	for (size_t i = account - 1; i < f->n; i += BURST_ACCOUNTS)
		if (!f->v[i].owed)
			f->v[i].owed = bench_us();
}

/* Afterwards most workers know most of the users: a burst does not begin with logins. */
static void warm_up(struct fleet *f)
{
	enum { AT_A_TIME = 100 };

	f->answered = push_note;
	for (size_t i = 0; i < f->n || f->busy;) {
		if (i < f->n && f->busy < AT_A_TIME)
			fleet_sync(f, &f->v[i++]);
		else
			fleet_step(f, 50);
	}
}

/* Until nothing has come for so long. */
static void settle(struct fleet *f, struct burst *b, PGconn *c, int64_t quiet_us)
{
	b->last = bench_us();
	while (bench_us() - b->last < quiet_us) {
		fleet_step(f, 50);
		retry(f);
		push_listener_keep(c, bench_us());
	}
}

static size_t send_burst(struct fleet *f, struct burst *b, PGconn *c)
{
	int64_t began = bench_us(), end = began + (int64_t)push_options.seconds * 1000000, now;
	size_t sent = 0;

	while ((now = bench_us()) < end) {
		if (sent < (size_t)((now - began) / 1000 * push_options.rate / 1000))
			one_event(f, b, 1 + (unsigned)(sent++ % BURST_ACCOUNTS));
		fleet_step(f, sent < (size_t)((now - began) / 1000 * push_options.rate / 1000)
				      ? 0
				      : 1);
		if (sent % 64 == 0) {
			retry(f);
			push_listener_keep(c, now);
		}
	}
	return sent;
}

/* The same by processes of their own, which do not wait for the phones. */
static size_t send_at_once(struct fleet *f, struct burst *b)
{
	struct senders s;
	size_t sent;

	senders_start(&s, b->e.source, BURST_ACCOUNTS, push_options.rate, push_options.seconds);
	while (senders_work(&s)) {
		fleet_step(f, 10);
		retry(f);
	}
	for (unsigned i = 0; i < BURST_ACCOUNTS; i++) {
		if (b->e.source != EVENT_STORED)
			b->delivered[i] = s.sent[i];
		b->e.uidnext[i] += s.sent[i];
	}
	sent = senders_sent(&s);
	senders_end(&s);
	return sent;
}

/* Notices of nothing: whoever waits now hears of one more, or has been forgotten. */
static void count_deaf(struct fleet *f, struct burst *b, PGconn *c)
{
	size_t deaf = 0;

	b->over = true;
	for (unsigned i = 1; i <= BURST_ACCOUNTS; i++)
		one_event(f, b, i);
	settle(f, b, c, 5000000);
	for (size_t i = 0; i < f->n; i++)
		deaf += f->v[i].fd >= 0;
	(void)printf(
		"  one more event for each afterwards: %zu phones did not hear it\n", deaf);
}

static void count_lost(struct fleet *f, const struct burst *b)
{
	size_t expected = 0, missing = 0, doubled = 0;

	for (size_t i = 0; i < f->n; i++) {
		uint64_t want = b->delivered[f->v[i].account - 1];

		expected += want;
		missing += f->v[i].found < want ? want - f->v[i].found : 0;
		doubled += f->v[i].found > want ? f->v[i].found - want : 0;
	}
	(void)printf("  mails that phones should have: %zu; lost: %zu; sent twice: %zu\n",
		expected, missing, doubled);
}

static void print_burst(
	const struct burst *b, size_t sent, double seconds, const struct usage v[2])
{
	static const char *const names[] = {"notices only", "mails, notices of ours", "mails",
		"events at the URL", "events at the URL, of stored mails"};

	(void)printf(
		"burst: %zu events in %.1f s to %d phones of %d accounts (%s): %zu woken,"
		" %zu Syncs, %zu of them with mail; refused and asked again: %zu, odd: %zu\n",
		sent, seconds, BURST_ACCOUNTS * BURST_DEVICES, BURST_ACCOUNTS,
		names[b->e.source], b->woken, b->syncs, b->found, b->refused, b->odd);
	if (b->nus)
		push_print_times(
			"  from the event until the phone has the mail", b->us, b->nus);
	(void)printf("  CPU of easpool: %.2f s, of the waiter: %.2f s, of easlistend: %.2f s,"
		     " until all was quiet\n",
		(double)(v[1].cpu_us - v[0].cpu_us) / 1e6,
		(double)(v[1].waiter_us - v[0].waiter_us) / 1e6,
		(double)(v[1].listener_us - v[0].listener_us) / 1e6);
}

/* What was written, once PostgreSQL has counted it. */
struct rows {
	int64_t all, change, device;
};

static struct rows count_rows(PGconn *c)
{
	enum { STATISTICS_S = 12 };

	push_rest(c, STATISTICS_S);
	return (struct rows){
		push_writes(c, ""), push_writes(c, "change"), push_writes(c, "device")};
}

static void print_rows(const struct rows *a, const struct rows *b)
{
	(void)printf("  rows written: %lld, of them of change %lld; of device %lld\n",
		(long long)(b->all - a->all), (long long)(b->change - a->change),
		(long long)(b->device - a->device));
}

/* As many as there will be events. */
static void store_before(struct burst *b)
{
	unsigned each = push_options.rate * push_options.seconds / BURST_ACCOUNTS;

	events_store(BURST_ACCOUNTS, each);
	for (unsigned i = 0; i < BURST_ACCOUNTS; i++)
		b->delivered[i] = each;
}

static void burst_through(struct fleet *f, struct burst *b, PGconn *c)
{
	struct rows rows[2] = {count_rows(c)};
	struct usage v[2] = {push_usage()};
	int64_t began;
	double seconds;
	size_t sent;

	if (b->e.source == EVENT_STORED)
		store_before(b);
	began = bench_us();
	sent = b->e.source >= EVENT_LMTP ? send_at_once(f, b) : send_burst(f, b, c);
	seconds = (double)(bench_us() - began) / 1e6;
	settle(f, b, c, 8000000);
	v[1] = push_usage();
	print_burst(b, sent, seconds, v);
	rows[1] = count_rows(c);
	print_rows(&rows[0], &rows[1]);
	if (b->mails)
		count_lost(f, b);
	else
		count_deaf(f, b, c);
}

void push_burst(void)
{
	struct seed seed = push_lab(&(struct lab_plan){BURST_ACCOUNTS, BURST_DEVICES,
		BURST_WORKERS, 2 * BURST_ACCOUNTS * BURST_DEVICES, push_options.source, false});
	PGconn *c = push_connect();
	struct burst b = {.most = 1000000};
	struct fleet f;

	push_listener_keep(c, bench_us());
	fleet_init(&f, &seed, 1, BURST_ACCOUNTS, BURST_DEVICES);
	warm_up(&f);
	push_hand_over(&f, c);
	if (push_options.source && strcmp(push_options.source, "url") != 0)
		push_await_watch(c, BURST_ACCOUNTS);
	b.us = calloc(b.most, sizeof(*b.us));
	if (!b.us)
		abort();
	events_init(&b.e, push_options.event, BURST_ACCOUNTS);
	b.mails = b.e.source != EVENT_NOTIFY && b.e.source != EVENT_URL;
	f.answered = next_of_burst;
	f.ctx = &b;
	burst_through(&f, &b, c);
	free(b.us);
	events_release(&b.e);
	fleet_release(&f);
	PQfinish(c);
	lab_down();
}
