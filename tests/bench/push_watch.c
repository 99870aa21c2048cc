#include "tests/bench/push.h"

#include "tests/bench/bench.h"
#include "tests/support_lab.h"

#include <unistd.h>

/* What an account costs of which one phone waits, and which the listener watches. The lab's
 * Dovecot has 400 processes for IMAP at most. */

enum { WATCH_ACCOUNTS = 300, WATCH_WORKERS = 2, SETTLE_S = 10 };

static void print_watched(const struct usage *a, const struct usage *b, unsigned accounts)
{
	(void)printf("watch: %u accounts, source %s\n"
		     "  easlistend: PSS %ld KB before, %ld KB after: %.2f KB an account\n"
		     "  Dovecot: PSS %ld KB before, %ld KB after: %.0f KB an account\n",
		accounts, push_options.source, a->listener_kb, b->listener_kb,
		(double)(b->listener_kb - a->listener_kb) / accounts, a->dovecot_kb,
		b->dovecot_kb, (double)(b->dovecot_kb - a->dovecot_kb) / accounts);
}

static void rest_of_watch(PGconn *c, const struct usage *a)
{
	struct usage b;

	push_rest(c, push_options.idle);
	b = push_usage();
	(void)printf("  %u seconds of rest: %.1f ms CPU of easlistend\n", push_options.idle,
		(double)(b.listener_us - a->listener_us) / 1000);
}

void push_watch(void)
{
	struct usage before, after;
	struct seed seed;
	struct fleet f;
	PGconn *c;

	if (!push_options.source)
		push_options.source = "notify";
	seed = push_lab(&(struct lab_plan){
		WATCH_ACCOUNTS, 1, WATCH_WORKERS, 1024, push_options.source, true});
	c = push_connect();
	(void)sleep(SETTLE_S);
	before = push_usage();
	fleet_init(&f, &seed, 1, WATCH_ACCOUNTS, 1);
	f.answered = push_note;
	push_hand_over(&f, c);
	push_await_watch(c, WATCH_ACCOUNTS);
	(void)sleep(SETTLE_S);
	after = push_usage();
	print_watched(&before, &after, WATCH_ACCOUNTS);
	rest_of_watch(c, &after);
	fleet_release(&f);
	PQfinish(c);
	lab_down();
}
