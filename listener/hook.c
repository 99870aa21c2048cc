#include "listener/hook.h"

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/secret.h"
#include "listener/told.h"
#include "store/tcp.h"

#include <errno.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { BODY_MOST = 64 * 1024, CONNECTIONS = 1000, IDLE_S = 60 };

struct hook {
	const struct settings *conf;
	struct loop *loop;
	struct publisher *to;
	struct MHD_Daemon *daemon;
	struct loop_io io;
	int epoll;
};

/* A request whose body comes in. */
struct post {
	struct buf body;
};

static enum MHD_Result answer(struct MHD_Connection *c, unsigned status)
{
	struct MHD_Response *r =
		MHD_create_response_from_buffer(0, (void *)"", MHD_RESPMEM_PERSISTENT);
	enum MHD_Result ok = r ? MHD_queue_response(c, status, r) : MHD_NO;

	MHD_destroy_response(r);
	return ok;
}

static bool knows_the_secret(const struct hook *h, struct MHD_Connection *c)
{
	struct str said = str_of(
		MHD_lookup_connection_value(c, MHD_HEADER_KIND, MHD_HTTP_HEADER_AUTHORIZATION));
	struct secret ours = {NULL, 0}, theirs = {NULL, 0};
	bool same;

	if (!str_istarts(said, "Bearer "))
		return false;
	secret_set(&ours, h->conf->listener_secret);
	secret_set(&theirs, str_trim(str_sub(said, 7, said.n)));
	same = ours.n > 0 && secret_equal(&ours, &theirs);
	secret_release(&ours);
	secret_release(&theirs);
	return same;
}

static unsigned tell(struct hook *h, struct str body)
{
	struct arena *a = arena_new();
	struct told_list list;
	struct err err = ERR_INIT;
	enum rc rc = told_read(body, h->conf->login_domain, a, &list, &err);

	if (rc)
		log_warning("%s", err.text);
	h->to->incomplete = h->to->incomplete || rc || list.missed;
	for (size_t i = 0; i < list.n; i++)
		if (list.v[i].hierarchy)
			publisher_hierarchy(h->to, list.v[i].event.login);
		else
			publisher_event(h->to, &list.v[i].event);
	arena_free(a);
	return rc ? MHD_HTTP_BAD_REQUEST : MHD_HTTP_NO_CONTENT;
}

/* libmicrohttpd calls it when the header is there, with each piece of the body, and at the end.
 */
static enum MHD_Result on_request(void *ctx, struct MHD_Connection *c, const char *url,
	const char *method, const char *version UNUSED, const char *bytes, size_t *n,
	void **request)
{
	struct hook *h = ctx;
	struct post *p = *request;

	if (!p) {
		if (!knows_the_secret(h, c))
			return answer(c, MHD_HTTP_FORBIDDEN);
		if (strcmp(url, "/event") != 0)
			return answer(c, MHD_HTTP_NOT_FOUND);
		if (strcmp(method, MHD_HTTP_METHOD_POST) != 0)
			return answer(c, MHD_HTTP_METHOD_NOT_ALLOWED);
		p = malloc(sizeof(*p));
		if (!p)
			abort();
		buf_init(&p->body, BODY_MOST);
		*request = p;
		return MHD_YES;
	}
	if (*n) {
		buf_add(&p->body, bytes, *n);
		*n = 0;
		return MHD_YES;
	}
	return answer(
		c, p->body.over ? MHD_HTTP_CONTENT_TOO_LARGE : tell(h, buf_str(&p->body)));
}

static void on_end(void *ctx UNUSED, struct MHD_Connection *c UNUSED, void **request,
	enum MHD_RequestTerminationCode how UNUSED)
{
	struct post *p = *request;

	if (!p)
		return;
	buf_release(&p->body);
	free(p);
	*request = NULL;
}

static void on_ready(struct loop_io *io, unsigned events UNUSED)
{
	struct hook *h = (struct hook *)(void *)((char *)io - offsetof(struct hook, io));

	(void)MHD_run(h->daemon);
}

static bool start(struct hook *h, int listening)
{
	const union MHD_DaemonInfo *info;

	h->daemon = MHD_start_daemon(MHD_USE_EPOLL, 0, NULL, NULL, on_request, h,
		MHD_OPTION_LISTEN_SOCKET, listening, MHD_OPTION_CONNECTION_LIMIT,
		(unsigned)CONNECTIONS, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_S,
		MHD_OPTION_NOTIFY_COMPLETED, on_end, NULL, MHD_OPTION_END);
	if (!h->daemon)
		return false;
	info = MHD_get_daemon_info(h->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	h->epoll = info ? info->epoll_fd : -1;
	h->io.ready = on_ready;
	return h->epoll >= 0 && loop_add(h->loop, h->epoll, EPOLLIN, &h->io);
}

struct hook *hook_open(
	const struct settings *conf, struct loop *loop, struct publisher *to, struct err *err)
{
	struct hook *h = calloc(1, sizeof(*h));
	int listening = tcp_listen(conf->listener_url);

	if (!h)
		abort();
	*h = (struct hook){.conf = conf, .loop = loop, .to = to, .epoll = -1};
	if (listening >= 0 && fcntl(listening, F_SETFL, O_NONBLOCK) == 0 &&
		fcntl(listening, F_SETFD, FD_CLOEXEC) == 0 && start(h, listening))
		return h;
	(void)err_set(err, RC_UNAVAILABLE, "could not listen at %.*s: %s",
		STR_FMT(conf->listener_url), strerror(errno));
	if (listening >= 0 && !h->daemon)
		(void)close(listening);
	hook_close(h);
	return NULL;
}

void hook_close(struct hook *h)
{
	if (!h)
		return;
	if (h->daemon) {
		loop_remove(h->loop, h->epoll);
		MHD_stop_daemon(h->daemon);
	}
	free(h);
}

int64_t hook_due(struct hook *h)
{
	MHD_UNSIGNED_LONG_LONG ms;

	if (MHD_get_timeout(h->daemon, &ms) != MHD_YES)
		return -1;
	/* What is due now is waiting inside already, and no descriptor shows it. */
	if (ms == 0)
		(void)MHD_run(h->daemon);
	return clock_mono_ms() + (int64_t)ms;
}
