#include "listener/listener.h"

#include "core/base/clock.h"
#include "core/base/log.h"
#include "listener/dav_children.h"
#include "listener/hook.h"
#include "listener/owner.h"
#include "listener/publisher.h"
#include "listener/roster.h"

#include <curl/curl.h>
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum { TICK_MS = 1000, BEAT_MS = 5000, READ_MS = 10000 };
/* A gap of this many seconds before we came: folders may have changed meanwhile. */
enum { GAP = 15 };
/* How much is told again at a time. */
enum { AGAIN_MOST = 2000 };
/* A turn that took so long may have cost events that the mail server did not wait for: it gives
 * up after a second, and then tells nothing for five (scripts/dovecot/easpool-push.lua). */
enum { STALL_MS = 500, QUIET_MS = 7000 };

static const char *const sources[] = {
	[LISTENER_URL] = "url", [LISTENER_NOTIFY] = "notify", [LISTENER_IDLE] = "idle"};

struct listener {
	const struct listener_config *lc;
	struct settings *conf;
	int source;
	char host[256], id[300];
	struct loop loop;
	struct publisher publisher;
	struct watchers watchers;
	struct roster roster;
	struct hook *hook;
	struct dav_children dav;
	struct arena *peers_arena;
	struct str *peers; /* listeners that live */
	size_t npeers;
	struct loop_io signal_io, database_io;
	int signals;
	unsigned registered; /* conn.opened of the socket in the loop */
	int64_t beat, read, tick;
	int64_t renew; /* when marks of before are given up once more; -1: not at all */
	int64_t again; /* accounts from here on are to be told again; -1: none */
	size_t scan;   /* where to go on opening connections */
	bool starved;  /* some are due and had to wait */
	bool heard, stop;
};

static struct listener *listener_of(struct dialogue *d)
{
	return watcher_of(d)->all->ctx;
}

static void on_stands(struct dialogue *d, struct str path, const struct mail_mark *mark,
	enum event_how how, bool forced)
{
	publisher_event(&listener_of(d)->publisher,
		&(struct event){str_of(watcher_of(d)->login), path, how, *mark, forced});
}

static void on_hierarchy(struct dialogue *d)
{
	publisher_hierarchy(&listener_of(d)->publisher, str_of(watcher_of(d)->login));
}

static void on_established(struct dialogue *d)
{
	struct listener *l = listener_of(d);
	struct watcher *w = watcher_of(d);

	if (w->late)
		on_hierarchy(d);
	w->late = false;
	if (l->source == LISTENER_NOTIFY && !dialogue_is_told(d) &&
		!l->watchers.without_notify) {
		log_warning("the IMAP server has no NOTIFY: mailboxes are watched with IDLE");
		l->watchers.without_notify = true;
	}
	publisher_watched(&l->publisher, w->account, true);
}

static void on_lost(struct watcher *w)
{
	struct listener *l = w->all->ctx;

	publisher_watched(&l->publisher, w->account, false);
}

static const struct watcher_ops watcher_ops = {
	{on_stands, on_hierarchy, on_established},
        on_lost
};

/* What is known of the folders, in case the database does not know it (any more). */
static void tell_again(struct watcher *w)
{
	struct dialogue *d = &w->dialogue;

	if (w->state != WATCHER_TALKING || !d->established)
		return;
	for (size_t i = 0; i < d->marks.n; i++)
		if (marks_whole(&d->marks.v[i].mark))
			on_stands(d, str_of(d->marks.v[i].path), &d->marks.v[i].mark,
				EVENT_ADDED, false);
}

/* Where the mail server tells, what it could not tell is told by nobody: whoever waits has to
 * be looked after, now, and when it tells again what happens. */
static void renew(struct listener *l, int64_t now)
{
	struct err err = ERR_INIT;
	bool again = l->publisher.incomplete;

	if (!again && (l->renew < 0 || now < l->renew))
		return;
	if (!publisher_result(&l->publisher, events_renew(&l->publisher.events, &err), &err))
		return;
	if (again)
		log_warning("changes may have been missed: waiting devices are looked after");
	l->publisher.incomplete = false;
	l->renew = again ? now + QUIET_MS : -1;
}

/* Some more of all of them. */
static void tell_all_again(struct listener *l)
{
	size_t i;

	if (l->publisher.incomplete && l->again < 0) {
		l->publisher.incomplete = false;
		l->again = 0;
	}
	if (l->again < 0)
		return;
	for (i = roster_from(&l->roster, l->again);
		i < l->roster.n && l->publisher.batch.n < AGAIN_MOST; i++) {
		struct watcher *w = l->roster.v[i];

		tell_again(w);
		if (w->state == WATCHER_TALKING && w->dialogue.established)
			publisher_watched(&l->publisher, w->account, true);
	}
	l->again = i < l->roster.n ? l->roster.v[i]->account : -1;
}

/* --- who is watched */

static bool here_only(const struct listener *l)
{
	/* Passwords are with the waiter of the host where the device waits. */
	return l->conf->imap_master_user.n == 0;
}

/* What it promised of the marks ends with it. */
static void leave(struct watcher *w)
{
	if (w->state == WATCHER_TALKING && w->dialogue.established)
		on_lost(w);
}

static void start(struct listener *l, struct watcher *w, int64_t now)
{
	watcher_tick(w, now);
	if (w->state == WATCHER_OFF && now >= w->due)
		l->starved = true;
}

static void take(struct listener *l, const struct events_account *a, int64_t now)
{
	struct watcher *w = roster_find(&l->roster, a->id);

	if (!w) {
		w = watcher_new(&l->watchers, a->id, a->login);
		w->done = a->done;
		w->late = a->waiting > GAP;
		roster_add(&l->roster, w);
		start(l, w, now);
	} else if (w->done != a->done) {
		/* Folders that nobody knew, or that had another name, are known now. */
		w->done = a->done;
		tell_again(w);
	}
	w->present = true;
}

/* only: these accounts, n = 0: all. */
static void read_waiting(struct listener *l, const int64_t *only, size_t n, int64_t now)
{
	struct arena *a = arena_new();
	struct events_accounts waiting = {NULL, 0};
	struct err err = ERR_INIT;
	enum rc rc =
		events_waiting(&l->publisher.events, here_only(l), only, n, a, &waiting, &err);

	if (!publisher_result(&l->publisher, rc, &err)) {
		arena_free(a);
		return;
	}
	for (size_t i = 0; i < l->roster.n && n == 0; i++)
		l->roster.v[i]->present = false;
	for (size_t i = 0; i < waiting.n; i++)
		if (owner_is(l->peers, l->npeers, str_of(l->id), waiting.v[i].id))
			take(l, &waiting.v[i], now);
	if (n == 0) {
		roster_sweep(&l->roster, leave);
		l->read = now + READ_MS;
	}
	arena_free(a);
}

static bool same_peers(const struct listener *l, const struct str *ids, size_t n)
{
	if (n != l->npeers)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!str_eq(ids[i], l->peers[i]))
			return false;
	return true;
}

static void read_peers(struct listener *l)
{
	struct arena *a = arena_new();
	struct err err = ERR_INIT;
	struct str *ids;
	size_t n;
	enum rc rc = events_listeners(&l->publisher.events, here_only(l), a, &ids, &n, &err);

	if (!publisher_result(&l->publisher, rc, &err) || same_peers(l, ids, n)) {
		arena_free(a);
		return;
	}
	arena_free(l->peers_arena);
	l->peers_arena = a;
	l->peers = ids;
	l->npeers = n;
	l->read = 0;
}

static void beat(struct listener *l, int64_t now)
{
	struct err err = ERR_INIT;
	enum rc rc = events_beat(&l->publisher.events, &err);

	if (rc == RC_OK)
		rc = dav_children_beat(&l->dav, now, &err);
	if (!publisher_result(&l->publisher, rc, &err))
		return;
	l->beat = now + BEAT_MS;
	if (l->source != LISTENER_URL)
		read_peers(l);
}

/* --- the loop */

static void hear_database(struct listener *l, int64_t now)
{
	struct arena *a = arena_new();
	int64_t *accounts;
	size_t n;

	l->heard = l->publisher.used = false;
	if (!events_heard(&l->publisher.events, a, &accounts, &n)) {
		/* A new connection: what was written last may have been lost with the old one.
		 */
		l->read = 0;
		if (l->source != LISTENER_URL)
			l->again = 0;
		else if (l->registered)
			l->publisher.incomplete = true;
	} else if (n && l->source != LISTENER_URL) {
		read_waiting(l, accounts, n, now);
	}
	if (l->publisher.events.conn->c && l->registered != l->publisher.events.conn->opened) {
		(void)loop_add(&l->loop, events_socket(&l->publisher.events), EPOLLIN,
			&l->database_io);
		l->registered = l->publisher.events.conn->opened;
	}
	arena_free(a);
}

static void use_database(struct listener *l, int64_t now)
{
	if (publisher_ready(&l->publisher, now) && now >= l->beat)
		beat(l, now);
	if (l->heard || l->publisher.used)
		hear_database(l, now);
	if (l->source != LISTENER_URL && publisher_ready(&l->publisher, now) && now >= l->read)
		read_waiting(l, NULL, 0, now);
	if (publisher_ready(&l->publisher, now) && l->source == LISTENER_URL)
		renew(l, now);
	else if (publisher_ready(&l->publisher, now))
		tell_all_again(l);
	publisher_run(&l->publisher, now);
}

static void tick(struct listener *l, int64_t now)
{
	l->starved = false;
	for (size_t i = 0; i < l->roster.n; i++)
		start(l, l->roster.v[i], now);
	l->scan = 0;
	if (dav_children_tick(&l->dav, now))
		l->beat = now;
	l->tick = now + TICK_MS;
}

/* A place among the logins became free. */
static void open_more(struct listener *l, int64_t now)
{
	while (l->starved && l->watchers.connecting < (unsigned)l->conf->listener_logins) {
		if (l->scan >= l->roster.n) {
			l->scan = 0;
			l->starved = false;
			break;
		}
		watcher_tick(l->roster.v[l->scan++], now);
	}
}

static void reload(struct listener *l)
{
	if (!l->lc->reload(l->conf))
		return;
	l->lc->reopen_log(l->conf);
	dav_children_reload(&l->dav);
	log_info("the configuration was read again");
}

static void on_signal(struct loop_io *io, unsigned events UNUSED)
{
	struct listener *l =
		(struct listener *)(void *)((char *)io - offsetof(struct listener, signal_io));
	struct signalfd_siginfo info;

	while (read(l->signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		if (info.ssi_signo == SIGHUP)
			reload(l);
		else
			l->stop = true;
	}
}

static void on_database(struct loop_io *io, unsigned events UNUSED)
{
	struct listener *l = (struct listener *)(void *)((char *)io - offsetof(struct listener,
									      database_io));

	l->heard = true;
}

static int64_t earlier(int64_t a, int64_t b)
{
	return b >= 0 && b < a ? b : a;
}

static void work(struct listener *l)
{
	while (!l->stop) {
		int64_t began = clock_mono_ms(), now = began, due, slept;

		use_database(l, now);
		if (now >= l->tick)
			tick(l, now);
		open_more(l, now);
		due = earlier(l->tick, l->publisher.due);
		if (l->hook)
			due = earlier(due, hook_due(l->hook));
		now = clock_mono_ms();
		if (due < now && !publisher_ready(&l->publisher, now))
			due = earlier(l->tick, l->publisher.retry);
		if (l->publisher.used || l->again >= 0)
			due = earlier(
				due, now + (publisher_ready(&l->publisher, now) ? 0 : TICK_MS));
		due = due > now ? due : now;
		slept = loop_turn(&l->loop, due - now);
		if (clock_mono_ms() - began - earlier(slept, due - now) > STALL_MS && l->hook)
			l->publisher.incomplete = true;
	}
}

/* --- beginning and end */

/* Each account is a connection. */
static void raise_limits(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) == 0) {
		r.rlim_cur = r.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &r);
	}
}

static bool catch_signals(struct listener *l)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGHUP);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
	l->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	l->signal_io.ready = on_signal;
	return l->signals >= 0 && loop_add(&l->loop, l->signals, EPOLLIN, &l->signal_io);
}

static void name_it(struct listener *l)
{
	unsigned random = 0;

	(void)snprintf(l->host, sizeof(l->host), "%.*s", STR_FMT(l->conf->host));
	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		abort();
	(void)snprintf(l->id, sizeof(l->id), "%s-%ld-%08x", l->host, (long)getpid(), random);
}

static bool set_up(struct listener *l)
{
	struct err err = ERR_INIT;

	(void)curl_global_init(CURL_GLOBAL_DEFAULT);
	raise_limits();
	name_it(l);
	loop_init(&l->loop);
	publisher_init(&l->publisher);
	events_init(&l->publisher.events, l->conf, str_of(l->id), str_of(l->host),
		sources[l->source]);
	dav_children_init(&l->dav, l->lc, &l->publisher.events);
	l->watchers = (struct watchers){.conf = l->conf,
		.notify = l->source == LISTENER_NOTIFY,
		.loop = &l->loop,
		.ops = &watcher_ops,
		.ctx = l};
	l->database_io.ready = on_database;
	if (!catch_signals(l)) {
		log_error("could not catch signals: %s", strerror(errno));
		return false;
	}
	if (l->source != LISTENER_URL)
		return true;
	l->hook = hook_open(l->conf, &l->loop, &l->publisher, &err);
	if (!l->hook)
		log_error("%s", err.text);
	return l->hook != NULL;
}

static void tear_down(struct listener *l)
{
	struct err err = ERR_INIT;

	hook_close(l->hook);
	dav_children_end(&l->dav);
	roster_release(&l->roster);
	l->publisher.retry = 0;
	if (l->publisher.due >= 0)
		publisher_run(&l->publisher, l->publisher.due);
	if (l->registered &&
		(events_leave(&l->publisher.events, &err) || dav_children_leave(&l->dav, &err)))
		log_error("%s", err.text);
	publisher_release(&l->publisher);
	loop_release(&l->loop);
	arena_free(l->peers_arena);
	(void)close(l->signals);
	curl_global_cleanup();
}

int listener_run(const struct listener_config *lc)
{
	static struct listener l;
	bool ok;

	l = (struct listener){.lc = lc,
		.conf = lc->conf,
		.source = lc->conf->listener_source,
		.again = -1,
		.renew = clock_mono_ms() + QUIET_MS,
		.signals = -1};
	ok = set_up(&l);
	if (ok) {
		log_info("listening as %s, source %s", l.id, sources[l.source]);
		work(&l);
	}
	tear_down(&l);
	return ok ? 0 : 1;
}
