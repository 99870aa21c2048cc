#include "fcgi/waiter.h"

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/varint.h"
#include "core/cmd/request.h"
#include "fcgi/answer.h"
#include "fcgi/metrics.h"
#include "fcgi/record.h"
#include "fcgi/replay.h"
#include "fcgi/wake.h"
#include "fcgi/wiring.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	EVENTS = 256,
	TICK_MS = 1000,
	IMPATIENT_MS = 25, /* how often the queue is looked at while something is in it */
	DIRECT_MS = 100,   /* how long a worker has, before something new is told at once */
	LINGER_MS = 600 * 1000, /* how long an account is watched that nobody waits for */
	ALONE_MS = 60 * 1000,
	PATIENT = 5, /* times poll_interval: how long nobody looks without the database */
	SPARE_DESCRIPTORS = 256,
	LIST_MS = 50, /* how long easctl may take to read a line; all wait for it */
	BREATH_MS = 10,
};

/* A worker, a listener or easctl. */
struct client {
	struct polled polled; /* first */
	struct client *next;
};

struct waiter {
	const struct waiter_config *config;
	const struct settings *conf;
	struct held_table *held;
	struct wake *wake;
	struct notices *notices;
	struct polled listening, signals, notices_polled;
	struct client *clients, *dead_clients;
	GQueue jobs; /* of struct held, who waits for a worker */
	/* Accounts that nobody waits for any more, and since when; negative: since when their
	 * watch is being ended. */
	GHashTable *idle;
	struct arena *a; /* of one event */
	struct buf packet, out;
	int epoll, tokens;    /* an eventfd: how many jobs there are to take */
	int64_t heard;        /* of the notice that is seen to: when it came; 0: none is */
	int64_t now, up_at;   /* up_at: since when everything is heard; 0: it is not */
	int64_t busy_at;      /* when somebody was last here */
	int64_t impatient_at; /* when to look at the queue again */
	uint64_t listeners;   /* which are alive */
	size_t most;          /* that may be held */
	unsigned dice;
	bool stop;
};

static void add_polled(struct waiter *w, struct polled *s, uint32_t events)
{
	struct epoll_event e = {.events = events, .data.ptr = s};

	if (epoll_ctl(w->epoll, EPOLL_CTL_ADD, s->fd, &e) != 0 && errno == EEXIST)
		(void)epoll_ctl(w->epoll, EPOLL_CTL_MOD, s->fd, &e);
}

/* --- Jobs: what a worker is to look at */

static void offer(struct waiter *w, uint64_t jobs)
{
	ssize_t ignored = jobs ? write(w->tokens, &jobs, sizeof(jobs)) : 0;

	(void)ignored;
}

/* As many tokens as jobs: a job that nobody took leaves one too many, a worker that died with
 * one too few. A token is read at a time. */
static void count_tokens(struct waiter *w)
{
	uint64_t one;

	while (read(w->tokens, &one, sizeof(one)) == (ssize_t)sizeof(one))
		;
	offer(w, g_queue_get_length(&w->jobs));
}

static void leave_queue(struct waiter *w, struct held *h)
{
	if (h->job)
		g_queue_delete_link(&w->jobs, h->job);
	h->job = NULL;
	h->direct = false;
}

static void drop(struct waiter *w, struct held *h)
{
	int64_t *account;

	leave_queue(w, h);
	if (!h->next && held_of_account(w->held, h->account) == h) {
		account = g_memdup2(&h->account, sizeof(h->account));
		(void)g_hash_table_insert(w->idle, account, g_memdup2(&w->now, sizeof(w->now)));
	}
	/* A worker that was given the connection has it still: closing it here is not enough.
	 */
	(void)epoll_ctl(w->epoll, EPOLL_CTL_DEL, h->polled.fd, NULL);
	held_drop(w->held, h);
}

static void look(void *ctx, struct held *h, bool direct, uint32_t folder)
{
	struct waiter *w = ctx;

	if (!h->noticed)
		h->noticed = w->heard;
	if (direct && !h->direct) {
		h->direct = true;
		h->direct_folder = folder;
	}
	if (h->job)
		return;
	g_queue_push_tail(&w->jobs, h);
	h->job = g_queue_peek_tail_link(&w->jobs);
	h->job_since = w->now;
	offer(w, 1);
}

/* --- Answers */

/* The log's view of a request: who it is. */
static void log_who(struct waiter *w, const struct held *h, struct request *rq)
{
	struct link_wait wait = held_wait(h, w->a);
	struct replay again;
	struct err err = ERR_INIT;

	*rq = (struct request){.arena = w->a};
	if (replay_unpack(wait.request, &again) ||
		http_read(replay_param, &again, w->conf, rq, &err))
		return;
	log_context("user", rq->user);
	log_context("device", rq->query.device_id);
}

static void end(struct waiter *w, const struct held *h, enum metrics_end how)
{
	static const char *const sentences[METRICS_ENDS] = {
		[END_TOLD] = "status=2",
		[END_NOTHING] = "nothing new",
		[END_HUNG_UP] = "the device hung up",
		[END_NEWER] = "ended by a newer request of the device",
		[END_NO_ROOM] = "turned away: no descriptors left (raise LimitNOFILE)",
		[END_STOP] = "the server stops",
	};
	struct arena_mark mark = arena_mark(w->a);
	struct request rq;

	metrics_ended(how, h->noticed ? h->noticed : w->heard);
	log_who(w, h, &rq);
	log_info("cmd=%s waited=%llds: %s", h->sync ? "Sync" : "Ping",
		(long long)((w->now - h->began) / 1000), sentences[how]);
	secret_release(&rq.password);
	log_context_clear();
	arena_rewind(w->a, mark);
}

/* Everything that is ready at once is small: it fits the socket's buffer, or nobody reads. */
static void send_reply(
	struct waiter *w, const struct held *h, struct reply *rp, struct str body)
{
	struct buf head;

	buf_init(&head, BUF_MAX_LINE);
	answer_head(rp, body.n, NULL, &head);
	buf_add_str(&head, body);
	buf_reset(&w->out);
	record_output(&w->out, h->request_id, buf_str(&head));
	record_end(&w->out, h->request_id);
	buf_release(&head);
	if (send(h->polled.fd, w->out.p, w->out.n, MSG_DONTWAIT | MSG_NOSIGNAL) !=
		(ssize_t)w->out.n)
		log_debug("a waiting device did not take its answer");
}

/* [MS-ASCMD] 2.2.1.13: status 1, or 2 with the folder. */
static void send_ping(struct waiter *w, const struct held *h, struct str folder)
{
	struct buf body;
	struct buf_sink sink;
	struct reply rp = {.http = 200};
	struct wbxml_writer *writer;

	buf_init(&body, BUF_MAX_LINE);
	buf_sink_init(&sink, &body);
	rp.body = &sink.sink;
	writer = reply_wbxml(&rp);
	wbxml_open(writer, PING_PING);
	wbxml_int(writer, PING_STATUS, folder.n ? 2 : 1);
	if (folder.n) {
		wbxml_open(writer, PING_FOLDERS);
		wbxml_text(writer, PING_FOLDER, folder);
		wbxml_close(writer, PING_FOLDERS);
	}
	wbxml_close(writer, PING_PING);
	if (wbxml_finish(writer, NULL) == RC_OK)
		send_reply(w, h, &rp, buf_str(&body));
	wbxml_release(writer);
	buf_release(&body);
}

static void tell(void *ctx, struct held *h, uint32_t folder)
{
	struct waiter *w = ctx;
	struct arena_mark mark = arena_mark(w->a);
	struct link_wait wait = held_wait(h, w->a);

	send_ping(w, h, wait.wait.v[folder].id);
	end(w, h, END_TOLD);
	drop(w, h);
	arena_rewind(w->a, mark);
}

/* The answer of an end without news: status 1, for a Sync nothing at all. */
static void tell_nothing(struct waiter *w, struct held *h, enum metrics_end why)
{
	struct reply rp = {.http = 200};

	if (h->sync)
		send_reply(w, h, &rp, (struct str){"", 0});
	else
		send_ping(w, h, STR_NONE);
	end(w, h, why);
	drop(w, h);
}

static void turn_away(struct waiter *w, struct held *h)
{
	struct reply rp = {.http = 503};

	reply_header(&rp, "Retry-After",
		arena_printf(w->a, "%lld", (long long)w->conf->retry_after));
	send_reply(w, h, &rp, (struct str){"", 0});
	end(w, h, END_NO_ROOM);
	drop(w, h);
}

/* --- Waits */

/* When to look whatever is heard: soon where nobody tells of changes. Without the database a
 * worker could not look, and all devices would come back at once; it may be there for them
 * only.
 */
static void plan(struct waiter *w, struct held *h)
{
	bool deaf = !h->covered || !w->listeners || !w->up_at;
	int64_t pause = h->poll * 1000 * (w->up_at ? 1 : PATIENT);

	h->poll_at = deaf && h->poll ? w->now + pause : 0;
	held_schedule(w->held, h);
}

/* Nobody tells of changes of that account any more. */
static void uncover(void *ctx, struct held *h)
{
	h->covered = false;
	plan(ctx, h);
}

/* Somebody waits for the account again. What was looked up for him may tell of a watch whose
 * end was on its way to the database: he is looked after as one whom nobody tells of changes.
 */
static void resume(struct waiter *w, struct held *h)
{
	const int64_t *since = g_hash_table_lookup(w->idle, &h->account);

	if (since && *since < 0)
		h->covered = false;
	else
		(void)g_hash_table_remove(w->idle, &h->account);
}

static void park(struct waiter *w, struct str packet, int fd)
{
	struct held *h = held_add(w->held, packet, fd, w->a);
	int64_t missed;

	if (!h) {
		log_warning("a waiting request came broken, or without its connection"
			    " (LimitNOFILE?); the device will come again");
		return;
	}
	resume(w, h);
	add_polled(w, &h->polled, EPOLLRDHUP);
	if (held_count(w->held) > w->most) {
		turn_away(w, h);
		return;
	}
	if (h->looked == LINK_LOOK_FAILED)
		h->covered = false;
	plan(w, h);
	if (h->looked == LINK_LOOK_FAILED)
		return;
	/* What may have been missed on its way is looked up. */
	missed = w->up_at > w->now - WAKE_MEMORY_MS ? w->up_at : w->now - WAKE_MEMORY_MS;
	if (h->looked <= missed && w->up_at)
		look(w, h, false, 0);
	wake_check(w->wake, h, w->now);
}

/* A newer request of the device: whoever waited for the older one is gone. */
static void end_older(struct waiter *w, int64_t device, int64_t began)
{
	struct held *h = held_of_device(w->held, device);

	if (h && h->began <= began)
		tell_nothing(w, h, END_NEWER);
}

static void park_newest(struct waiter *w, struct str packet, int fd)
{
	struct link_wait new;
	struct held *h;

	if (fd >= 0 && link_wait_decode(packet, w->a, &new) == RC_OK) {
		end_older(w, new.device, new.began);
		h = held_of_device(w->held, new.device);
		/* It is the older one itself, which a worker had looked after. */
		if (h) {
			metrics_ended(END_NEWER, 0);
			(void)close(fd);
			return;
		}
	}
	park(w, packet, fd);
}

/* --- Clients */

static void drop_client(struct waiter *w, struct client *p)
{
	if (p->polled.fd < 0)
		return;
	(void)close(p->polled.fd);
	p->polled.fd = -1;
	for (struct client **at = &w->clients; *at; at = &(*at)->next)
		if (*at == p) {
			*at = p->next;
			break;
		}
	p->next = w->dead_clients;
	w->dead_clients = p;
}

static bool greet(struct waiter *w, int fd)
{
	buf_reset(&w->out);
	varint_put(&w->out, link_identity(w->conf));
	return link_send(fd, LINK_HELLO, buf_str(&w->out), w->tokens);
}

static void accept_client(struct waiter *w)
{
	int fd = accept4(w->listening.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	int room = 2 * LINK_PACKET_MAX;
	struct client *p;

	/* No descriptor left: not again at once, and for ever. */
	if (fd < 0) {
		(void)poll(NULL, 0, BREATH_MS);
		return;
	}
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	if (!link_trusted(fd) || !greet(w, fd)) {
		(void)close(fd);
		return;
	}
	p = calloc(1, sizeof(*p));
	if (!p)
		abort();
	p->polled = (struct polled){POLLED_CLIENT, fd};
	p->next = w->clients;
	w->clients = p;
	add_polled(w, &p->polled, EPOLLIN);
}

static void give_job(struct waiter *w, struct client *p)
{
	struct held *h = g_queue_peek_head(&w->jobs);

	if (!h) {
		(void)link_send(p->polled.fd, LINK_NONE, (struct str){"", 0}, -1);
		return;
	}
	buf_reset(&w->out);
	varint_put(&w->out, (uint64_t)h->noticed);
	buf_add(&w->out, h->bytes, h->n);
	if (link_send(p->polled.fd, LINK_JOB, buf_str(&w->out), h->polled.fd)) {
		metrics_handed_over();
		drop(w, h);
	} else {
		drop_client(w, p);
	}
	explicit_bzero(w->out.p, w->out.n);
}

/* Who waits for an account, and with which password. */
static void give_secret(struct waiter *w, struct client *p, struct str body)
{
	uint64_t account;
	struct buf b;

	buf_init(&b, BUF_MAX_LINE);
	if (varint_get(&body, &account) == RC_OK)
		for (struct held *h = held_of_account(w->held, (int64_t)account); h && !b.n;
			h = h->next) {
			struct request rq;

			log_who(w, h, &rq);
			log_context_clear();
			if (rq.user.n && rq.password.p) {
				varint_put_str(&b, rq.user);
				varint_put_str(&b, (struct str){rq.password.p, rq.password.n});
			}
			secret_release(&rq.password);
		}
	(void)link_send(p->polled.fd, b.n ? LINK_SECRET : LINK_NONE, buf_str(&b), -1);
	if (b.p)
		explicit_bzero(b.p, b.cap);
	buf_release(&b);
}

struct list {
	struct waiter *w;
	struct client *p;
};

/* Never the request's bytes: a password is among them. */
static void list_one(void *ctx, struct held *h)
{
	struct list *l = ctx;
	struct arena_mark mark = arena_mark(l->w->a);
	struct link_wait wait = held_wait(h, l->w->a);
	struct pollfd room = {.fd = l->p->polled.fd, .events = POLLOUT};
	struct buf b;

	wait.request = (struct str){"", 0};
	buf_init(&b, 2 * LINK_PACKET_MAX);
	link_wait_encode(&wait, &b);
	/* It reads as fast as it can; if not, it gets no more. */
	if (l->p->polled.fd >= 0 &&
		(poll(&room, 1, LIST_MS) <= 0 ||
			!link_send(l->p->polled.fd, LINK_WAITS, buf_str(&b), -1)))
		drop_client(l->w, l->p);
	buf_release(&b);
	arena_rewind(l->w->a, mark);
}

static void give_list(struct waiter *w, struct client *p)
{
	struct list l = {w, p};

	held_each(w->held, list_one, &l);
	if (p->polled.fd >= 0)
		(void)link_send(p->polled.fd, LINK_NONE, (struct str){"", 0}, -1);
}

static void end_of_device(struct waiter *w, struct str body)
{
	uint64_t device, began;

	if (varint_get(&body, &device) == RC_OK && varint_get(&body, &began) == RC_OK)
		end_older(w, (int64_t)device, (int64_t)began);
}

static void hear_client(struct waiter *w, struct client *p)
{
	struct str body;
	int fd, type = link_receive(p->polled.fd, 0, &w->packet, &body, &fd);

	w->busy_at = w->now;
	switch (type) {
	case LINK_PARK:
		park_newest(w, body, fd);
		fd = -1;
		break;
	case LINK_END:
		end_of_device(w, body);
		break;
	case LINK_TAKE:
		give_job(w, p);
		break;
	case LINK_ACCOUNT:
		give_secret(w, p, body);
		break;
	case LINK_LIST:
		give_list(w, p);
		break;
	case 0:
		break;
	default:
		drop_client(w, p);
		break;
	}
	if (fd >= 0)
		(void)close(fd);
	if (w->packet.p)
		explicit_bzero(w->packet.p, w->packet.n);
}

/* --- Notices */

static void on_event(void *ctx, const char *payload)
{
	struct waiter *w = ctx;

	w->heard = w->now;
	wake_event(w->wake, w->held, payload, w->now);
	w->heard = 0;
}

/* All are looked after, one after the other: changes may have been missed. */
static void look_after(void *ctx, struct held *h)
{
	struct waiter *w = ctx;
	unsigned span = h->poll ? h->poll * 1000 : 1;

	w->dice = w->dice * 1103515245u + 12345u;
	h->poll_at = w->now + (w->dice >> 8) % span;
	held_schedule(w->held, h);
}

static void on_up(void *ctx, bool up)
{
	struct waiter *w = ctx;

	w->up_at = up ? w->now : 0;
	if (up)
		held_each(w->held, look_after, w);
}

static void on_listeners(void *ctx, const struct notices_listeners *l)
{
	struct waiter *w = ctx;

	metrics_listeners(l->alive, l->watched);
	metrics_dav_listeners(l->dav, l->dav_watched);
	if (l->which == w->listeners)
		return;
	log_info(
		l->which
			? "listeners that tell of changes: %zu"
			: "no easlistend is at work: waiting devices are looked after instead (%zu)",
		l->alive);
	w->listeners = l->which;
	held_each(w->held, look_after, w);
}

/* The socket of the connection changes while it is being opened. */
static void watch_notices(struct waiter *w)
{
	struct polled *s = &w->notices_polled;
	short wants;
	int fd = notices_fd(w->notices, &wants);
	uint32_t events = (wants & POLLIN ? EPOLLIN : 0u) | (wants & POLLOUT ? EPOLLOUT : 0u);

	s->fd = fd;
	if (fd >= 0)
		add_polled(w, s, events);
}

static void step_notices(struct waiter *w)
{
	notices_step(w->notices, w->now);
	watch_notices(w);
}

/* --- The loop */

/* Accounts that nobody has waited for in a long while. */
static void forget_idle(struct waiter *w)
{
	GHashTableIter i;
	gpointer key, value;

	g_hash_table_iter_init(&i, w->idle);
	while (g_hash_table_iter_next(&i, &key, &value)) {
		int64_t *since = value;

		if (*since < 0) {
			if (-*since < w->now - WAKE_MEMORY_MS)
				g_hash_table_iter_remove(&i);
		} else if (*since < w->now - LINGER_MS) {
			notices_forget(w->notices, key, 1);
			*since = -w->now;
		}
	}
}

static void see_to(struct waiter *w, struct held *h)
{
	if (h->until <= w->now) {
		tell_nothing(w, h, END_NOTHING);
		return;
	}
	look(w, h, false, 0);
	plan(w, h);
}

/* Something new that no worker has looked at in time is told without a look. */
static void serve_impatient(struct waiter *w)
{
	GList *next;

	if (w->now < w->impatient_at)
		return;
	w->impatient_at = w->now + IMPATIENT_MS;
	for (GList *i = w->jobs.head; i; i = next) {
		struct held *h = i->data;

		next = i->next;
		if (h->job_since > w->now - DIRECT_MS)
			break;
		if (h->direct)
			tell(w, h, h->direct_folder);
	}
}

static void tick(struct waiter *w)
{
	struct held *h;

	while ((h = held_due(w->held, w->now)) != NULL)
		see_to(w, h);
	wake_tick(w->wake, w->now);
	metrics_waiter(held_count(w->held), g_queue_get_length(&w->jobs));
	forget_idle(w);
	count_tokens(w);
	if (held_count(w->held) || w->clients)
		w->busy_at = w->now;
}

static void heed_signal(struct waiter *w)
{
	struct signalfd_siginfo info;

	if (read(w->signals.fd, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return;
	if (info.ssi_signo == SIGHUP)
		w->config->reopen_log(w->conf);
	else
		w->stop = true;
}

static void handle(struct waiter *w, struct polled *s)
{
	struct arena_mark mark = arena_mark(w->a);

	switch (s->kind) {
	case POLLED_LISTEN:
		accept_client(w);
		break;
	case POLLED_CLIENT:
		if (s->fd >= 0)
			hear_client(w, (struct client *)s);
		break;
	case POLLED_HELD:
		if (s->fd >= 0) {
			end(w, (struct held *)s, END_HUNG_UP);
			drop(w, (struct held *)s);
		}
		break;
	case POLLED_NOTICES:
		step_notices(w);
		break;
	case POLLED_SIGNAL:
		heed_signal(w);
		break;
	}
	arena_rewind(w->a, mark);
}

static void sweep(struct waiter *w)
{
	held_sweep(w->held);
	while (w->dead_clients) {
		struct client *p = w->dead_clients;

		w->dead_clients = p->next;
		free(p);
	}
}

static void loop(struct waiter *w)
{
	struct epoll_event events[EVENTS];
	int64_t next_tick = 0;

	while (!w->stop) {
		int64_t wait = w->jobs.length ? IMPATIENT_MS : TICK_MS;
		int n = epoll_wait(w->epoll, events, EVENTS, (int)wait);

		w->now = clock_mono_ms();
		for (int i = 0; i < n; i++)
			handle(w, events[i].data.ptr);
		serve_impatient(w);
		if (w->now >= next_tick) {
			next_tick = w->now + TICK_MS;
			tick(w);
		}
		if (w->now >= notices_next(w->notices))
			step_notices(w);
		sweep(w);
		if (w->config->alone && w->now - w->busy_at > ALONE_MS)
			break;
	}
}

static void say_goodbye(void *ctx, struct held *h)
{
	tell_nothing(ctx, h, END_STOP);
}

/* As many descriptors as the system lets us have; how many waits those are. */
static size_t raise_limit(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) != 0)
		return 1024 - SPARE_DESCRIPTORS;
	r.rlim_cur = r.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &r);
	return r.rlim_cur > 2 * SPARE_DESCRIPTORS ? (size_t)r.rlim_cur - SPARE_DESCRIPTORS
						  : (size_t)r.rlim_cur / 2;
}

static int stop_signals(void)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGHUP);
	(void)sigprocmask(SIG_SETMASK, &set, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static bool start(struct waiter *w)
{
	const struct wake_ops ops = {w, tell, look, uncover};
	const struct notices_heard heard = {w, on_event, on_up, on_listeners};

	w->now = w->busy_at = clock_mono_ms();
	w->most = raise_limit();
	w->listening = (struct polled){POLLED_LISTEN, link_listen(w->conf->waiter_socket.p)};
	if (w->listening.fd < 0) {
		log_error("could not listen on %s (waiter_socket): %s",
			w->conf->waiter_socket.p, strerror(errno));
		return false;
	}
	w->signals = (struct polled){POLLED_SIGNAL, stop_signals()};
	w->notices_polled.kind = POLLED_NOTICES;
	w->epoll = epoll_create1(EPOLL_CLOEXEC);
	w->tokens = eventfd(0, EFD_SEMAPHORE | EFD_CLOEXEC | EFD_NONBLOCK);
	w->held = held_table_new(w->now);
	w->wake = wake_new(&ops);
	w->notices = wiring_notices(w->conf, &heard);
	w->idle = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);
	w->a = arena_new();
	g_queue_init(&w->jobs);
	buf_init(&w->packet, 2 * LINK_PACKET_MAX);
	buf_init(&w->out, BUF_MAX_TEXT);
	add_polled(w, &w->listening, EPOLLIN);
	add_polled(w, &w->signals, EPOLLIN);
	return true;
}

static void finish(struct waiter *w)
{
	held_each(w->held, say_goodbye, w);
	metrics_waiter(0, 0);
	(void)unlink(w->conf->waiter_socket.p);
	while (w->clients)
		drop_client(w, w->clients);
	sweep(w);
	held_table_free(w->held);
	wake_free(w->wake);
	notices_free(w->notices);
	g_hash_table_unref(w->idle);
	g_queue_clear(&w->jobs);
	buf_release(&w->packet);
	buf_release(&w->out);
	arena_free(w->a);
	(void)close(w->listening.fd);
	(void)close(w->signals.fd);
	(void)close(w->epoll);
	(void)close(w->tokens);
}

int waiter_run(const struct waiter_config *c)
{
	struct waiter w = {.config = c, .conf = c->conf, .dice = (unsigned)getpid()};
	char pid[16];

	(void)snprintf(pid, sizeof(pid), "%d", (int)getpid());
	log_set_ident("waiter", pid);
	(void)prctl(PR_SET_NAME, "easpool-waiter");
	if (!start(&w))
		return 1;
	log_info("the waiter holds waiting devices, at most %zu", w.most);
	loop(&w);
	finish(&w);
	return 0;
}

/* A process of its own, that belongs to nobody. None of the worker's descriptors may live as
 * long as it does: the web server's socket, a phone's connection, the database's with its
 * locks, the lock on starting a waiter. */
static _Noreturn void become_waiter(const char *file)
{
	int nothing = open("/dev/null", O_RDWR);

	if (setsid() < 0 || fork() != 0)
		_exit(0);
	if (nothing >= 0)
		(void)dup2(nothing, STDIN_FILENO);
	(void)close_range(STDERR_FILENO + 1, ~0u, 0);
	(void)execl("/proc/self/exe", "easpool", "-c", file, "--waiter-alone", (char *)NULL);
	_exit(1);
}

/* Whoever starts one has the lock until it is there. */
static int lock_start(const struct settings *conf)
{
	char path[256];
	int lock;

	(void)snprintf(path, sizeof(path), "%.*s.lock", STR_FMT(conf->waiter_socket));
	lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (lock >= 0 && flock(lock, LOCK_EX | LOCK_NB) == 0)
		return lock;
	if (lock < 0 || errno != EWOULDBLOCK)
		log_error("could not lock %s: %s", path, strerror(errno));
	if (lock >= 0)
		(void)close(lock);
	return -1;
}

/* Until it answers, for a second. */
static void await_waiter(const struct settings *conf)
{
	int s = -1;

	for (int i = 0; i < 50 && s < 0; i++) {
		(void)poll(NULL, 0, 20);
		s = link_open(conf->waiter_socket.p);
	}
	if (s >= 0)
		(void)close(s);
}

void waiter_spawn(const struct settings *conf, const char *file)
{
	int lock = lock_start(conf), s;
	pid_t pid;

	if (lock < 0) {
		await_waiter(conf);
		return;
	}
	s = link_open(conf->waiter_socket.p);
	if (s >= 0) {
		(void)close(s);
	} else {
		pid = fork();
		if (pid == 0)
			become_waiter(file);
		(void)waitpid(pid, NULL, 0);
		await_waiter(conf);
	}
	(void)close(lock);
}
