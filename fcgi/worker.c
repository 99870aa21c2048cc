#include "fcgi/worker.h"

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/cmd/command.h"
#include "fcgi/answer.h"
#include "fcgi/http.h"
#include "fcgi/rate.h"
#include "fcgi/spool.h"
#include "fcgi/trace.h"
#include "fcgi/wiring.h"

#include <errno.h>
#include <fcgiapp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static volatile sig_atomic_t stopping;
static sigset_t stops; /* the signals that stop; they are held back while a request is served */

/* Interrupts accept(), and again every second in case it was just about to be called. */
static void on_stop(int sig UNUSED)
{
	stopping = 1;
	/* Else libfcgi goes on accepting after the interruption. Only sets a flag. */
	FCGX_ShutdownPending();
	(void)alarm(1);
}

/* One request while it is served. */
struct serving {
	struct rate *rate;
	const struct settings *conf;
	FCGX_Request *fcgi;
	struct spool body, reply, tail, scratch;
	uint64_t in, out;
};

static const char *param(void *ctx, const char *name)
{
	return FCGX_GetParam(name, ((struct serving *)ctx)->fcgi->envp);
}

/* Waits for a Ping; ends early when the server stops or the device has hung up. */
static bool pause_for(struct services *sv, int64_t ms)
{
	struct serving *s = sv->ctx;
	struct pollfd pfd = {.fd = s->fcgi->ipcFd, .events = POLLRDHUP};
	int64_t until = clock_mono_ms() + ms, left = ms;
	struct timespec wait;
	sigset_t open;

	(void)sigprocmask(SIG_SETMASK, NULL, &open);
	for (int i = 1; i < NSIG; i++)
		if (sigismember(&stops, i) == 1)
			(void)sigdelset(&open, i);
	for (; !stopping && left > 0; left = until - clock_mono_ms()) {
		wait = (struct timespec){left / 1000, left % 1000 * 1000000};
		/* K16: a device that closed the connection is nothing odd. */
		if (ppoll(&pfd, 1, &wait, &open) > 0)
			return false;
	}
	return !stopping;
}

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
	int64_t wait = rate_take(s->rate, rq->user, s->conf->user_rate, now);

	if (!wait && rq->query.device_id.n)
		wait = rate_take(s->rate, device, s->conf->device_rate, now);
	return wait;
}

static enum rc scratch_bytes(struct services *sv, struct str *r, struct err *err)
{
	return spool_bytes(&((struct serving *)sv->ctx)->scratch, r, err);
}

/* The body, bounded. */
static enum rc read_body(struct services *sv, struct request *rq, struct err *err)
{
	struct serving *s = sv->ctx;
	const char *announced = param(s, "CONTENT_LENGTH");
	uint64_t limit = http_body_limit(rq), length;
	char chunk[16 * 1024];
	enum rc rc;
	int n;

	while ((n = FCGX_GetStr(chunk, sizeof(chunk), s->fcgi->in)) > 0) {
		s->in += (uint64_t)n;
		if (s->in > limit)
			return err_set_why(err, RC_LIMIT, ERR_TOO_LARGE,
				"the request is larger than %llu bytes",
				(unsigned long long)limit);
		rc = s->body.sink.write(&s->body.sink, chunk, (size_t)n, err);
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
	int n;

	while (left > 0 && (n = FCGX_GetStr(chunk, sizeof(chunk), s->fcgi->in)) > 0)
		left -= n;
}

/* False: the device is gone. */
static bool put(struct serving *s, struct str bytes)
{
	if (bytes.n && FCGX_PutStr(bytes.p, (int)bytes.n, s->fcgi->out) != (int)bytes.n) {
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
	bool gzip = rq->conf->gzip && !rp->raw && http_accepts_gzip(param, s);
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
		{"error",                err->text[0] ? str_of(err->text) : STR_NONE                  },
		{NULL,STR_NONE},
	};

	log_fields(LOG_LEVEL_INFO, fields);
}

/* The sink of a spool is its first member. */
static void restart_reply(struct reply *rp)
{
	spool_reset((struct spool *)rp->body);
	spool_reset((struct spool *)rp->tail);
}

static void serve(struct serving *s, struct wiring *w, const struct settings *conf)
{
	struct request rq = {.arena = arena_new()};
	struct reply rp = {.http = 200,
		.body = &s->reply.sink,
		.tail = &s->tail.sink,
		.restart = restart_reply};
	struct err err = ERR_INIT;
	int64_t began = clock_mono_ms();
	unsigned trips = 0;
	int refused;

	rq.deadline_ms = began + conf->sync_time * 1000;
	refused = http_read(param, s, conf, &rq, &err);
	if (refused) {
		if (rq.user.n)
			log_context("user", rq.user);
		rp.http = refused;
	} else {
		struct services sv =
			wiring_services(w, rq.user, rq.certificate ? NULL : &rq.password);

		sv.pause = pause_for;
		sv.read_body = read_body;
		sv.body_passed = body_passed;
		sv.rate = take_rate;
		sv.scratch = &s->scratch.sink;
		sv.scratch_bytes = scratch_bytes;
		sv.ctx = s;
		dispatch(&rq, &sv, &rp, &err);
		trips = wiring_done(w);
	}
	drain(s, conf);
	send_answer(s, &rp, &rq, &err);
	log_request(s, &rq, &rp, clock_mono_ms() - began, trips, &err);
	log_context_clear();
	reply_reset(&rp);
	secret_release(&rq.password);
	arena_free(rq.arena);
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
	(void)sigaction(SIGALRM, &stop, NULL);
	(void)sigemptyset(&stops);
	(void)sigaddset(&stops, SIGTERM);
	(void)sigaddset(&stops, SIGUSR1);
	(void)sigaddset(&stops, SIGALRM);
}

int worker_run(const struct settings *conf, int64_t max_requests, struct rate *rate)
{
	char pid[16];
	struct wiring *w;
	FCGX_Request fcgi;
	int64_t served = 0;
	int code = 0;

	(void)snprintf(pid, sizeof(pid), "%d", (int)getpid());
	log_set_ident("worker", pid);
	if (FCGX_Init() != 0 || FCGX_InitRequest(&fcgi, 0, 0) != 0) {
		log_error("could not start FastCGI on descriptor 0");
		return 1;
	}
	set_signals();
	w = wiring_new(conf);
	while (!stopping && (max_requests == 0 || served < max_requests)) {
		struct serving s = {.fcgi = &fcgi, .rate = rate, .conf = conf};

		if (FCGX_Accept_r(&fcgi) < 0) {
			/* The parent waits before it tries again. */
			if (!stopping) {
				log_error("could not accept a request");
				code = 1;
			}
			break;
		}
		(void)sigprocmask(SIG_BLOCK, &stops, NULL);
		spool_init(&s.body, conf->spool_dir.p);
		spool_init(&s.reply, conf->spool_dir.p);
		spool_init(&s.tail, conf->spool_dir.p);
		spool_init(&s.scratch, conf->spool_dir.p);
		serve(&s, w, conf);
		FCGX_Finish_r(&fcgi);
		spool_release(&s.body);
		spool_release(&s.reply);
		spool_release(&s.tail);
		spool_release(&s.scratch);
		(void)sigprocmask(SIG_UNBLOCK, &stops, NULL);
		served++;
	}
	wiring_free(w);
	return code;
}
