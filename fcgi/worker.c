#include "fcgi/worker.h"

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/cmd/command.h"
#include "fcgi/answer.h"
#include "fcgi/http.h"
#include "fcgi/loops.h"
#include "fcgi/metrics.h"
#include "fcgi/parking.h"
#include "fcgi/peer.h"
#include "fcgi/rate.h"
#include "fcgi/spool.h"
#include "fcgi/status_page.h"
#include "fcgi/trace.h"
#include "fcgi/wiring.h"

#include <errno.h>
#include <fcgiapp.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static volatile sig_atomic_t stopping;
static sigset_t stops; /* the signals that stop; they are held back while a request is served */

static void on_stop(int sig UNUSED)
{
	stopping = 1;
	/* Else libfcgi goes on accepting after the interruption. Only sets a flag. */
	FCGX_ShutdownPending();
}

struct worker {
	const struct settings *conf;
	struct rate *rate;
	struct loops *loops;
	struct parking *parking;
	struct wiring *wiring;
	FCGX_Request fcgi;
};

/* One request while it is served. */
struct serving {
	struct worker *worker;
	struct peer peer;
	const struct link_wait *again; /* it has waited; NULL: it is new */
	int64_t began;                 /* this time */
	bool parked;                   /* the waiter has it now */
	struct spool body, reply, tail, scratch;
	uint64_t in, out;
};

static void body_passed(void *ctx, const char *upto)
{
	struct serving *s = ctx;

	spool_passed(&s->body, upto);
	spool_passed(&s->scratch, upto);
}

static int64_t take_rate(struct services *sv, const struct request *rq)
{
	struct serving *s = sv->ctx;
	struct str device = arena_printf(
		rq->arena, "%.*s %.*s", STR_FMT(rq->user), STR_FMT(rq->query.device_id));
	int64_t now = clock_mono_ms();
	int64_t wait;

	/* It was counted when it came. */
	if (s->again)
		return 0;
	wait = rate_take(s->worker->rate, rq->user, rq->conf->user_rate, now);
	if (!wait && rq->query.device_id.n)
		wait = rate_take(s->worker->rate, device, rq->conf->device_rate, now);
	return wait;
}

static void end_waits(struct services *sv, const struct request *rq)
{
	struct serving *s = sv->ctx;

	if (!s->again)
		parking_end(s->worker->parking, rq->device.id, s->began);
}

static int64_t count_loops(struct services *sv, const struct request *rq, uint64_t state)
{
	struct serving *s = sv->ctx;

	/* One that has waited was not told so at once. */
	return s->again ? 0
			: loops_count(s->worker->loops, rq->device.id, state, clock_mono_ms());
}

static enum rc scratch_bytes(struct services *sv, struct str *r, struct err *err)
{
	return spool_bytes(&((struct serving *)sv->ctx)->scratch, r, err);
}

/* The body, bounded. */
static enum rc read_body(struct services *sv, struct request *rq, struct err *err)
{
	struct serving *s = sv->ctx;
	const char *announced = peer_param(&s->peer, "CONTENT_LENGTH");
	uint64_t limit = http_body_limit(rq), length;
	char chunk[16 * 1024];
	enum rc rc;
	size_t n;

	while ((n = peer_read(&s->peer, chunk, sizeof(chunk))) > 0) {
		s->in += n;
		if (s->in > limit)
			return err_set_why(err, RC_LIMIT, ERR_TOO_LARGE,
				"the request is larger than %llu bytes",
				(unsigned long long)limit);
		rc = s->body.sink.write(&s->body.sink, chunk, n, err);
		if (rc)
			return rc;
	}
	/* A mail that was cut off on its way must not go out as a whole one. */
	if (str_u64(str_of(announced), &length) && length != s->in)
		return err_set(err, RC_INVALID, "%llu of %llu bytes of the request arrived",
			(unsigned long long)s->in, (unsigned long long)length);
	return spool_bytes(&s->body, &rq->body, err);
}

/* What was not read is read and forgotten, as far as a mail may be long: a web server that
 * still sends must not find a closed connection, or the answer is lost. */
static void drain(struct serving *s, const struct settings *conf)
{
	int64_t left = conf->max_mail_size;
	char chunk[16 * 1024];
	size_t n;

	while (left > 0 && (n = peer_read(&s->peer, chunk, sizeof(chunk))) > 0)
		left -= (int64_t)n;
}

/* False: the device is gone. */
static bool put(struct serving *s, struct str bytes)
{
	if (bytes.n && !peer_write(&s->peer, bytes)) {
		log_debug("the device closed the connection early");
		return false;
	}
	s->out += bytes.n;
	return true;
}

/* All that a spool holds; what is sent leaves the memory. */
static bool put_spool(struct serving *s, struct spool *from, struct str bytes)
{
	while (bytes.n) {
		struct str piece = str_sub(bytes, 0, 1024 * 1024);

		if (!put(s, piece))
			return false;
		bytes = str_sub(bytes, piece.n, bytes.n);
		spool_passed(from, bytes.p);
	}
	return true;
}

static void reply_passed(void *ctx, const char *upto)
{
	spool_passed(ctx, upto);
}

static void send_head(
	struct serving *s, const struct reply *rp, uint64_t length, const char *encoding)
{
	struct buf head;

	buf_init(&head, BUF_MAX_LINE);
	answer_head(rp, length, encoding, &head);
	(void)put(s, buf_str(&head));
	buf_release(&head);
}

/* False: it is not to be packed. */
static bool send_packed(struct serving *s, struct reply *rp, struct str body,
	const struct settings *conf, struct err *err)
{
	struct str bytes = STR_NONE;
	struct spool packed;
	enum rc rc;

	spool_init(&packed, conf->spool_dir.p);
	rc = answer_gzip(body, reply_passed, &s->reply, &packed.sink, err);
	if (rc == RC_OK)
		rc = spool_bytes(&packed, &bytes, err);
	if (rc == RC_OK) {
		send_head(s, rp, bytes.n, "gzip");
		(void)put_spool(s, &packed, bytes);
	}
	spool_release(&packed);
	return rc == RC_OK;
}

static void send_answer(
	struct serving *s, struct reply *rp, struct request *rq, struct err *err)
{
	bool gzip = rq->conf->gzip && !rp->raw && http_accepts_gzip(peer_param, &s->peer);
	struct str body = {"", 0}, tail = {"", 0};

	if (rp->wbxml && !rp->raw && wbxml_finish(&rp->w, err)) {
		reply_reset(rp);
		rp->http = 500;
	}
	if (spool_bytes(&s->reply, &body, err) || spool_bytes(&s->tail, &tail, err)) {
		body = tail = (struct str){"", 0};
		rp->http = 503;
	}
	trace_dialogue(rq, rp, body);
	if (gzip && tail.n == 0 && send_packed(s, rp, body, rq->conf, err))
		return;
	send_head(s, rp, body.n + tail.n, NULL);
	if (put_spool(s, &s->reply, body))
		(void)put_spool(s, &s->tail, tail);
}

static struct str number(struct arena *a, uint64_t n)
{
	return arena_printf(a, "%llu", (unsigned long long)n);
}

/* "?": the request was refused before its query was read. */
static struct str command_of_request(const struct request *rq)
{
	if (rq->discover)
		return STR("Autodiscover");
	if (rq->options)
		return STR("OPTIONS");
	if (rq->query.command_name.n)
		return rq->query.command_name;
	return rq->query.base64 ? str_of(command_name(rq->query.command)) : STR("?");
}

/* One line a request. */
static void log_request(const struct serving *s, const struct request *rq,
	const struct reply *rp, int64_t ms, unsigned trips, const struct err *err)
{
	struct arena *a = rq->arena;
	const char *version = version_name(rq->version);
	const struct log_field fields[] = {
		{"cmd",                   command_of_request(rq)},
		{"version",               str_of(version)       },
		{"http",                  number(a,               (uint64_t)rp->http)},
		{"status",                       rp->status ? number(a,                                      rp->status) : STR_NONE},
		{"ms", number(a,(uint64_t)ms)},
		{"in",               number(a,				       s->in)},
		{"out",                    number(a,                    s->out)},
		{"trips",                       number(a,					 trips)},
		{"wait",                rp->wait    ? number(a,                   (uint64_t)rp->wait->seconds)
			 : s->parked ? STR("on")
				     : STR_NONE},
		{"error",err->text[0] ? str_of(err->text) : STR_NONE},
		{NULL,                  STR_NONE  },
	};

	log_fields(LOG_LEVEL_INFO, fields);
	metrics_request(&(struct metrics_request){.command = fields[0].value,
		.http = rp->http,
		.status = rp->status,
		.error = err->rc,
		.login = rq->user.n != 0,
		.parked = s->parked,
		.again = s->again != NULL,
		.noticed = s->again ? s->again->noticed : 0,
		.ms = ms,
		.trips = trips,
		.in = s->in,
		.out = s->out});
}

/* The sink of a spool is its first member. */
static void restart_reply(struct reply *rp)
{
	spool_reset((struct spool *)rp->body);
	spool_reset((struct spool *)rp->tail);
}

/* Hands the request over to the waiter. */
static enum parking_put park(
	struct serving *s, const struct request *rq, const struct wait *wait)
{
	struct link_wait w = {.wait = *wait,
		.account = rq->account.id,
		.device = rq->device.id,
		.began = s->again ? s->again->began : s->began,
		.until = s->again ? s->again->until : s->began + wait->seconds * 1000,
		.looked = s->began};
	struct buf request;
	enum parking_put done;
	int fd = peer_descriptor(&s->peer, &w.request_id);

	buf_init(&request, BUF_MAX_TEXT);
	replay_pack(peer_param, &s->peer, rq->body, &request);
	w.request = buf_str(&request);
	done = parking_put(s->worker->parking, &w, fd);
	if (request.p)
		explicit_bzero(request.p, request.n);
	buf_release(&request);
	return done;
}

/* Nobody can hold it: the device is to come again. */
static void cannot_wait(struct request *rq, struct reply *rp, struct err *err)
{
	reply_reset(rp);
	rp->wait = NULL;
	rp->http = 503;
	reply_header(rp, "Retry-After",
		arena_printf(rq->arena, "%lld", (long long)rq->conf->retry_after));
	(void)err_set(err, RC_UNAVAILABLE,
		"there is no waiter for waiting devices at %.*s (waiter_socket)",
		STR_FMT(rq->conf->waiter_socket));
}

/* A look that a server behind us did not let happen is no reason to send the device away: it
 * goes on waiting as it did, and is looked after later. */
static enum parking_put wait_on(struct serving *s)
{
	struct link_wait w = *s->again;

	w.looked = LINK_LOOK_FAILED;
	return parking_put(s->worker->parking, &w, peer_descriptor(&s->peer, &w.request_id));
}

/* Whether the request waits with the waiter from now on; else it is to be answered. */
static bool leave(struct serving *s, struct request *rq, struct reply *rp, struct err *err)
{
	enum parking_put put = PARKING_TOO_LARGE;

	if (s->again && rp->http == 503)
		put = wait_on(s);
	/* "validate" is a probe, and no device that could be told apart from others. */
	else if (rp->wait && rq->device.id)
		put = park(s, rq, rp->wait);
	if (put == PARKING_DONE)
		return true;
	if (rp->wait && put == PARKING_NOBODY)
		cannot_wait(rq, rp, err);
	rp->wait = NULL;
	return false;
}

static unsigned answer(struct serving *s, struct request *rq, struct reply *rp, struct err *err)
{
	struct services sv = wiring_services(
		s->worker->wiring, rq->user, rq->certificate ? NULL : &rq->password);

	sv.read_body = read_body;
	sv.body_passed = body_passed;
	sv.rate = take_rate;
	sv.end_waits = end_waits;
	sv.loops = count_loops;
	sv.scratch = &s->scratch.sink;
	sv.scratch_bytes = scratch_bytes;
	sv.ctx = s;
	dispatch(rq, &sv, rp, err);
	return wiring_done(s->worker->wiring);
}

static void serve(struct serving *s)
{
	const struct settings *conf = s->worker->conf;
	struct request rq = {.arena = arena_new()};
	struct reply rp = {.http = 200,
		.body = &s->reply.sink,
		.tail = &s->tail.sink,
		.restart = restart_reply};
	struct err err = ERR_INIT;
	unsigned trips = 0;
	int refused;

	s->began = clock_mono_ms();
	rq.deadline_ms = s->began + conf->sync_time * 1000;
	refused = http_read(peer_param, &s->peer, conf, &rq, &err);
	if (refused) {
		if (rq.user.n)
			log_context("user", rq.user);
		rp.http = refused;
	} else {
		trips = answer(s, &rq, &rp, &err);
	}
	drain(s, conf);
	s->parked = leave(s, &rq, &rp, &err);
	if (s->parked) {
		peer_leave(&s->peer);
	} else {
		send_answer(s, &rp, &rq, &err);
		peer_finish(&s->peer);
	}
	log_request(s, &rq, &rp, clock_mono_ms() - s->began, trips, &err);
	log_context_clear();
	reply_reset(&rp);
	secret_release(&rq.password);
	arena_free(rq.arena);
}

/* A page for those who watch the host, who are neither logged nor counted. False: it is
 * something else that is asked for. */
static bool serve_page(struct serving *s)
{
	struct request rq = {.arena = arena_new(), .conf = s->worker->conf};
	struct reply rp = {.http = 200, .body = &s->reply.sink, .tail = &s->tail.sink};
	struct err err = ERR_INIT;
	bool it_is = !s->again && status_page(peer_param, &s->peer, rq.conf, &rp, &err);

	if (it_is) {
		drain(s, rq.conf);
		send_answer(s, &rp, &rq, &err);
		peer_finish(&s->peer);
	}
	arena_free(rq.arena);
	return it_is;
}

static void serve_peer(struct worker *k, struct serving *s)
{
	s->worker = k;
	spool_init(&s->body, k->conf->spool_dir.p);
	spool_init(&s->reply, k->conf->spool_dir.p);
	spool_init(&s->tail, k->conf->spool_dir.p);
	spool_init(&s->scratch, k->conf->spool_dir.p);
	if (!serve_page(s))
		serve(s);
	spool_release(&s->body);
	spool_release(&s->reply);
	spool_release(&s->tail);
	spool_release(&s->scratch);
}

/* A request that the waiter had, because something may have happened. */
static bool serve_woken(struct worker *k)
{
	struct arena *a = arena_new();
	struct serving s = {.again = NULL};
	struct replay replay;
	struct link_wait w;
	int fd;
	bool taken = parking_take(k->parking, a, &w, &fd);

	if (taken && replay_unpack(w.request, &replay) == RC_OK) {
		peer_again(&s.peer, fd, w.request_id, &replay);
		s.again = &w;
		serve_peer(k, &s);
	} else if (taken) {
		(void)close(fd);
	}
	arena_free(a);
	return taken;
}

/* 1: a request was served, 0: there was none, -1: there will be none. */
static int serve_new(struct worker *k)
{
	struct serving s = {.again = NULL};
	int code = FCGX_Accept_r(&k->fcgi);

	/* Another worker was faster. */
	if (code == -EAGAIN || code == -EWOULDBLOCK)
		return 0;
	if (code < 0)
		return -1;
	peer_accepted(&s.peer, &k->fcgi);
	serve_peer(k, &s);
	return 1;
}

/* Waits for a new request, or for one to look at, and serves it. */
static int serve_next(struct worker *k)
{
	struct pollfd v[3] = {
		{.fd = 0, .events = POLLIN},
                {.events = POLLIN      },
                {.events = POLLIN}
        };
	sigset_t open;
	int served = 0;

	parking_poll(k->parking, &v[1].fd, &v[2].fd);
	/* ppoll() hears no signal when there is work at once, as there always may be. */
	(void)sigprocmask(SIG_UNBLOCK, &stops, &open);
	(void)sigprocmask(SIG_BLOCK, &stops, NULL);
	if (stopping)
		return -1;
	for (int i = 1; i < NSIG; i++)
		if (sigismember(&stops, i) == 1)
			(void)sigdelset(&open, i);
	if (ppoll(v, ARRAY_LEN(v), v[2].fd < 0 ? &(struct timespec){1, 0} : NULL, &open) < 0)
		return stopping ? -1 : 0;
	if (v[2].revents)
		parking_check(k->parking);
	else if (v[1].revents)
		served = serve_woken(k);
	if (v[0].revents) {
		int more = serve_new(k);

		return more < 0 ? more : served + more;
	}
	return served;
}

/* libfcgi installs its own in FCGX_Init: ours come after it. No SA_RESTART: accept must end. */
static void set_signals(void)
{
	struct sigaction stop = {.sa_handler = on_stop}, ignore = {.sa_handler = SIG_IGN};

	(void)sigaction(SIGTERM, &stop, NULL);
	(void)sigaction(SIGINT, &ignore, NULL);
	(void)sigaction(SIGHUP, &ignore, NULL);
	(void)sigaction(SIGPIPE, &ignore, NULL);
	(void)sigaction(SIGUSR1, &stop, NULL);
	(void)sigemptyset(&stops);
	(void)sigaddset(&stops, SIGTERM);
	(void)sigaddset(&stops, SIGUSR1);
}

int worker_run(const struct worker_config *c, int64_t max_requests)
{
	struct worker k = {.conf = c->conf, .rate = c->rate, .loops = c->loops};
	char pid[16];
	int64_t served = 0;
	int code = 0;

	(void)snprintf(pid, sizeof(pid), "%d", (int)getpid());
	log_set_ident("worker", pid);
	if (FCGX_Init() != 0 || FCGX_InitRequest(&k.fcgi, 0, 0) != 0) {
		log_error("could not start FastCGI on descriptor 0");
		return 1;
	}
	set_signals();
	/* Signals come while it waits for a request, never in the middle of one. */
	(void)sigprocmask(SIG_BLOCK, &stops, NULL);
	(void)fcntl(0, F_SETFL, fcntl(0, F_GETFL) | O_NONBLOCK);
	k.wiring = wiring_new(c->conf, c->servers);
	k.parking = parking_new(c->conf, c->program);
	while (!stopping && (max_requests == 0 || served < max_requests)) {
		int n = serve_next(&k);

		if (n < 0) {
			/* The parent waits before it tries again. */
			if (!stopping) {
				log_error("could not accept a request");
				code = 1;
			}
			break;
		}
		served += n;
	}
	parking_free(k.parking);
	wiring_free(k.wiring);
	return code;
}
