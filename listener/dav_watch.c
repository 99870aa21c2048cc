#include "listener/dav_watch.h"

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/sync/item_source.h"
#include "listener/dav_listing.h"
#include "listener/dav_plan.h"
#include "listener/owner.h"
#include "listener/publisher.h"
#include "store/dav/dav.h"
#include "store/postgres/collections.h"
#include "store/postgres/pg.h"
#include "store/waiter/link.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* How often it looks who waits, at most. */
enum { READ_MS = 10000, SLEEP_MS = 1000 };
/* Trips to find out which collections there are. */
enum { LIST_TRIPS = 4 * DAV_CLIENTS };
/* Longer than store/dav lets one trip take, in dav_timeout. */
enum { TRIP_MOST = 12 };

struct dav_watch {
	const struct listener_config *lc;
	struct settings *conf;
	struct str id;
	char host[256];
	struct state *state;
	struct dav_client *clients[DAV_CLIENTS]; /* NULL: there is no such server */
	struct publisher publisher;
	struct dav_plan plan;
	int64_t read;
	bool late, no_waiter; /* the log has it */
};

static volatile sig_atomic_t hangup;

static void on_hangup(int sig UNUSED)
{
	hangup = 1;
}

/* --- who is asked for */

static enum rc take_accounts(struct dav_watch *w, const struct str *peers, size_t npeers,
	struct arena *a, int64_t now, struct err *err)
{
	struct events_accounts waiting = {NULL, 0};
	enum rc rc = collections_accounts(&w->publisher.events, a, &waiting, err);

	if (rc)
		return rc;
	for (size_t i = 0; i < waiting.n; i++)
		if (owner_is(peers, npeers, w->id, waiting.v[i].id))
			dav_plan_take(&w->plan, waiting.v[i].id, waiting.v[i].login, now);
	dav_plan_sweep(&w->plan);
	return collections_count(&w->publisher.events, w->plan.n, err);
}

static void read_waiting(struct dav_watch *w, int64_t now)
{
	struct arena *a = arena_new();
	struct err err = ERR_INIT;
	struct str *peers;
	size_t npeers;
	enum rc rc = events_listeners(&w->publisher.events, true, a, &peers, &npeers, &err);

	if (rc == RC_OK)
		rc = take_accounts(w, peers, npeers, a, now, &err);
	(void)publisher_result(&w->publisher, rc, &err);
	w->read = now + (w->plan.interval < READ_MS ? w->plan.interval : READ_MS);
	arena_free(a);
}

/* --- asking */

/* The user at the servers; NULL: there is no such server. */
struct servers {
	struct dav *v[DAV_CLIENTS];
};

/* What came of asking for an account. */
struct outcome {
	enum rc rc;               /* of the first collection that gave trouble */
	struct err err;           /* of that one */
	bool answered;            /* another one gave none */
	bool gone;                /* one is not there any more */
	bool silent[DAV_CLIENTS]; /* there is no sense in asking it for more */
};

/* Who keeps what is of a class; NULL: it is silent, or there is no such server any more. */
static struct dav *server_for(
	const struct servers *s, const struct item_class *class, const struct outcome *o)
{
	enum dav_service service;

	if (!class || !class->dav)
		return NULL;
	service = dav_client_for(class->dav);
	return o->silent[service] ? NULL : s->v[service];
}

/* One collection. False: it could not be asked. */
static bool ask_one(struct dav_watch *w, const struct account *ac, struct dav *dav,
	struct collections *c, size_t i, struct arena *a, struct outcome *o)
{
	struct item_source src = {.dav = dav,
		.state = w->state,
		.account = ac,
		.conf = w->conf,
		.a = a,
		.folders = &c->v[i],
		.n = 1,
		.rows = &c->v[i].row,
		.shadows = &c->shadows[i]};
	struct err err = ERR_INIT;
	enum rc rc = item_source_ask(&src, &err);

	o->answered = o->answered || rc == RC_OK || rc == RC_ABSENT;
	o->gone = o->gone || rc == RC_ABSENT;
	if (rc == RC_OK || rc == RC_ABSENT)
		return true;
	if (o->rc == RC_OK) {
		o->rc = rc;
		o->err = err;
	}
	if (err.why == ERR_TIMEOUT)
		o->silent[dav_client_for(item_class_of(c->v[i].kind)->dav)] = true;
	return false;
}

/* Whoever waits may trust in the shadows of those that were asked. */
static void note(struct dav_watch *w, const struct account *ac, const struct collections *c,
	const bool *asked, struct arena *a)
{
	struct watch noted = {.v = ARENA_ARRAY(a, struct watched_folder, c->n + 1)};
	struct err err = ERR_INIT;
	enum rc rc;

	for (size_t i = 0; i < c->n; i++)
		if (asked[i])
			noted.v[noted.n++] =
				(struct watched_folder){.folder = c->v[i], .asked = true};
	if (!noted.n)
		return;
	rc = state_call(w->state, watch_note, ac, &noted, false, &err);
	(void)publisher_result(&w->publisher, rc, &err);
}

static void ask_all(struct dav_watch *w, const struct account *ac, const struct servers *s,
	struct collections *c, struct arena *a, struct outcome *o)
{
	bool *asked = ARENA_ARRAY(a, bool, c->n + 1);

	for (size_t i = 0; i < c->n; i++) {
		struct dav *dav = server_for(s, item_class_of(c->v[i].kind), o);

		if (c->wanted[i] && dav)
			asked[i] = ask_one(w, ac, dav, c, i, a, o);
	}
	note(w, ac, c, asked, a);
}

/* The collections of one class. Once, whatever comes of that. */
static bool is_news(struct dav_account *ac, size_t i, struct dav *dav,
	const struct collections *c, struct arena *a)
{
	const struct item_class *class = item_class_at(i);
	struct dav_collections list = {NULL, 0, false};
	struct err err = ERR_INIT;
	uint64_t before = ac->listed[i];

	if (dav_call(dav, collections, class->dav, a, &list, &err) || list.none) {
		log_debug("the collections of %s cannot be listed: %s", ac->login, err.text);
		return false;
	}
	ac->listed[i] = dav_listing_mark(&list);
	return before ? ac->listed[i] != before
		      : !dav_listing_known(&list, class->kind, c->v, c->n);
}

/* Collections that came or went: those who wait are to look at their folders. */
static void look_at_lists(struct dav_watch *w, struct dav_account *ac, const struct servers *s,
	const struct outcome *o, const struct collections *c, struct arena *a)
{
	bool news = false;

	for (size_t i = 0; item_class_at(i) && i < ARRAY_LEN(ac->listed); i++) {
		struct dav *dav = server_for(s, item_class_at(i), o);

		if (dav)
			news = is_news(ac, i, dav, c, a) || news;
	}
	if (news)
		publisher_hierarchy(&w->publisher, str_of(ac->login));
}

static void report_server(const struct err *err)
{
	if (err)
		log_warning("the DAV server does not answer: %s", err->text);
	else
		log_info("the DAV server answers again");
}

/* Once a change of state, not once a try, and not for everyone when the server is down. */
static void report(const struct dav_watch *w, struct dav_account *ac, const struct err *err)
{
	bool fails = err != NULL;

	if (fails == ac->told || (fails && dav_plan_down(&w->plan)))
		return;
	if (fails)
		log_warning("address books and calendars of %s are not all watched: %s",
			ac->login, err->text);
	else
		log_info("all address books and calendars of %s are watched again", ac->login);
	ac->told = fails;
}

static void conclude(
	struct dav_watch *w, struct dav_account *ac, const struct outcome *o, int64_t now)
{
	if (o->rc == RC_OK || o->answered) {
		if (dav_plan_done(&w->plan, ac, now))
			report_server(NULL);
	} else if (o->rc == RC_UNAVAILABLE) {
		if (dav_plan_failed(&w->plan, ac, now))
			report_server(&o->err);
	} else {
		dav_plan_refused(&w->plan, ac, now);
	}
	report(w, ac, o->rc ? &o->err : NULL);
}

/* Nobody answers for a password: the account's turn comes again. */
static void without_password(
	struct dav_watch *w, struct dav_account *ac, enum rc rc, const struct err *err)
{
	/* Who came without one, or does not wait now, is no trouble. */
	if (rc == RC_UNAVAILABLE && !w->no_waiter)
		log_warning("no address books and calendars are watched: %s", err->text);
	w->no_waiter = rc == RC_UNAVAILABLE;
	dav_plan_skip(&w->plan, ac, clock_mono_ms());
}

static void ask_server(struct dav_watch *w, struct dav_account *ac, struct collections *c,
	struct str login, const struct secret *password, struct arena *a)
{
	struct account account = {.id = ac->id, .login = str_of(ac->login)};
	struct servers s = {{NULL}};
	struct outcome o = {.rc = RC_OK, .err = ERR_INIT};
	bool list = dav_plan_lists(&w->plan, ac, clock_mono_ms());

	for (size_t i = 0; i < DAV_CLIENTS; i++)
		s.v[i] = dav_client_user(w->clients[i], login, password);
	/* Whatever holds it up so long is not worth waiting for: the parent starts it anew. */
	(void)alarm(
		(unsigned)(w->conf->dav_timeout * TRIP_MOST) * ((unsigned)c->n + LIST_TRIPS));
	ask_all(w, &account, &s, c, a, &o);
	if (list || o.gone)
		look_at_lists(w, ac, &s, &o, c, a);
	for (size_t i = 0; i < DAV_CLIENTS; i++)
		dav_client_release(w->clients[i]);
	(void)alarm(0);
	conclude(w, ac, &o, clock_mono_ms());
}

static void ask(struct dav_watch *w, struct dav_account *ac)
{
	struct arena *a = arena_new();
	struct collections c = {NULL, NULL, NULL, 0};
	struct secret password = {NULL, 0};
	struct err err = ERR_INIT;
	struct str login;
	/* Some more than needed are wanted where one kind is shown as one and another is not.
	 */
	bool merged = w->conf->contacts_merge || w->conf->calendar_merge;
	enum rc rc = collections_of(&w->publisher.events, ac->id, merged, a, &c, &err);

	if (!publisher_result(&w->publisher, rc, &err)) {
		arena_free(a);
		return;
	}
	rc = link_credentials(w->conf->waiter_socket.p, ac->id, a, &login, &password, &err);
	if (rc) {
		without_password(w, ac, rc, &err);
	} else {
		w->no_waiter = false;
		ask_server(w, ac, &c, login, &password, a);
	}
	secret_release(&password);
	arena_free(a);
}

/* --- the loop */

static void tell_late(struct dav_watch *w, const struct dav_account *ac, int64_t now)
{
	bool late = !dav_plan_down(&w->plan) && dav_plan_late(&w->plan, ac, now);

	if (late && !w->late)
		log_warning("address books and calendars are asked for more seldom than each "
			    "dav_interval: more dav_watchers would help");
	w->late = late;
}

static void connect_client(struct dav_watch *w)
{
	for (size_t i = 0; i < DAV_CLIENTS; i++) {
		dav_client_free(w->clients[i]);
		w->clients[i] = dav_client_new(w->conf, (enum dav_service)i, NULL);
	}
	dav_plan_interval(&w->plan, w->conf->dav_interval * 1000, clock_mono_ms());
}

static bool has_server(const struct dav_watch *w)
{
	for (size_t i = 0; i < DAV_CLIENTS; i++)
		if (w->clients[i])
			return true;
	return false;
}

static void reload(struct dav_watch *w)
{
	hangup = 0;
	if (!w->lc->reload(w->conf))
		return;
	w->lc->reopen_log(w->conf);
	connect_client(w);
}

static int64_t earlier(int64_t a, int64_t b)
{
	return b >= 0 && b < a ? b : a;
}

static void rest(const struct dav_watch *w, const struct dav_account *next, int64_t now)
{
	int64_t until = earlier(now + SLEEP_MS, w->read);

	until = earlier(until, w->publisher.due);
	if (next)
		until = earlier(until, next->due);
	if (!publisher_ready(&w->publisher, now))
		until = earlier(now + SLEEP_MS, w->publisher.retry);
	if (until > now)
		(void)poll(NULL, 0, (int)(until - now));
}

static void turn(struct dav_watch *w)
{
	int64_t now = clock_mono_ms();
	struct dav_account *next;

	if (hangup)
		reload(w);
	if (publisher_ready(&w->publisher, now) && now >= w->read)
		read_waiting(w, now);
	publisher_run(&w->publisher, now);
	next = has_server(w) ? dav_plan_next(&w->plan) : NULL;
	if (next && next->due <= now && publisher_ready(&w->publisher, now)) {
		tell_late(w, next, now);
		ask(w, next);
		return;
	}
	rest(w, next, now);
}

int dav_watch_run(const struct listener_config *lc, const char *id)
{
	static struct dav_watch w;
	const struct sigaction action = {.sa_handler = on_hangup};

	w = (struct dav_watch){.lc = lc, .conf = lc->conf, .id = str_of(id)};
	(void)sigaction(SIGHUP, &action, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)snprintf(w.host, sizeof(w.host), "%.*s", STR_FMT(w.conf->host));
	w.state = pg_state_new(w.conf);
	publisher_init(&w.publisher);
	events_init_over(
		&w.publisher.events, pg_state_conn(w.state), w.id, str_of(w.host), "dav");
	connect_client(&w);
	log_info("asking for changes in address books and calendars as %s", id);
	for (;;)
		turn(&w);
}
