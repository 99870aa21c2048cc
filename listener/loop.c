#include "listener/loop.h"

#include "core/base/clock.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

/* A socket of libcurl's. */
struct curl_io {
	struct loop_io io; /* first */
	struct loop *loop;
	curl_socket_t fd;
};

static void tell_done(struct loop *l)
{
	CURLMsg *m;
	int left;

	for (m = curl_multi_info_read(l->multi, &left); m;
		m = curl_multi_info_read(l->multi, &left)) {
		struct loop_transfer *t;
		char *data;

		if (m->msg != CURLMSG_DONE ||
			curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &data) != CURLE_OK)
			continue;
		t = (void *)data;
		t->done(t, (int)m->data.result);
	}
}

static void act(struct loop *l, curl_socket_t fd, int what)
{
	int running;

	(void)curl_multi_socket_action(l->multi, fd, what, &running);
	tell_done(l);
}

static void curl_ready(struct loop_io *io, unsigned events)
{
	struct curl_io *c = (struct curl_io *)io;
	int what = 0;

	if (events & (EPOLLIN | EPOLLHUP))
		what |= CURL_CSELECT_IN;
	if (events & EPOLLOUT)
		what |= CURL_CSELECT_OUT;
	if (events & EPOLLERR)
		what |= CURL_CSELECT_ERR;
	act(c->loop, c->fd, what);
}

static int on_socket(CURL *easy UNUSED, curl_socket_t fd, int what, void *ctx, void *of_socket)
{
	struct loop *l = ctx;
	struct curl_io *c = of_socket;
	unsigned events = 0;

	if (what == CURL_POLL_REMOVE) {
		loop_remove(l, fd);
		free(c);
		return 0;
	}
	if (what & CURL_POLL_IN)
		events |= EPOLLIN;
	if (what & CURL_POLL_OUT)
		events |= EPOLLOUT;
	if (c) {
		loop_change(l, fd, events, &c->io);
		return 0;
	}
	c = malloc(sizeof(*c));
	if (!c)
		abort();
	*c = (struct curl_io){{curl_ready}, l, fd};
	(void)curl_multi_assign(l->multi, fd, c);
	return loop_add(l, fd, events, &c->io) ? 0 : -1;
}

static int on_timer(CURLM *multi UNUSED, long ms, void *ctx)
{
	struct loop *l = ctx;

	l->curl_due = ms < 0 ? -1 : clock_mono_ms() + ms;
	return 0;
}

void loop_init(struct loop *l)
{
	*l = (struct loop){.epoll = epoll_create1(EPOLL_CLOEXEC), .curl_due = -1};
	l->multi = curl_multi_init();
	if (l->epoll < 0 || !l->multi)
		abort();
	(void)curl_multi_setopt(l->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	(void)curl_multi_setopt(l->multi, CURLMOPT_SOCKETDATA, l);
	(void)curl_multi_setopt(l->multi, CURLMOPT_TIMERFUNCTION, on_timer);
	(void)curl_multi_setopt(l->multi, CURLMOPT_TIMERDATA, l);
}

void loop_release(struct loop *l)
{
	(void)curl_multi_cleanup(l->multi);
	(void)close(l->epoll);
}

static bool control(struct loop *l, int how, int fd, unsigned events, struct loop_io *io)
{
	struct epoll_event e = {.events = events, .data = {.ptr = io}};

	return epoll_ctl(l->epoll, how, fd, &e) == 0;
}

bool loop_add(struct loop *l, int fd, unsigned events, struct loop_io *io)
{
	return control(l, EPOLL_CTL_ADD, fd, events, io);
}

void loop_change(struct loop *l, int fd, unsigned events, struct loop_io *io)
{
	(void)control(l, EPOLL_CTL_MOD, fd, events, io);
}

void loop_remove(struct loop *l, int fd)
{
	(void)control(l, EPOLL_CTL_DEL, fd, 0, NULL);
}

void loop_connect(struct loop *l, void *curl, struct loop_transfer *t)
{
	(void)curl_easy_setopt(curl, CURLOPT_PRIVATE, t);
	(void)curl_multi_add_handle(l->multi, curl);
}

void loop_drop(struct loop *l, void *curl)
{
	(void)curl_multi_remove_handle(l->multi, curl);
	curl_easy_cleanup(curl);
}

/* One event a turn: what deals with it may end what another event in the same hand would be
 * for. */
int64_t loop_turn(struct loop *l, int64_t timeout_ms)
{
	int64_t now = clock_mono_ms(), slept;
	struct epoll_event e;
	int n;

	if (l->curl_due >= 0 && l->curl_due - now < timeout_ms)
		timeout_ms = l->curl_due > now ? l->curl_due - now : 0;
	n = epoll_wait(l->epoll, &e, 1, (int)timeout_ms);
	slept = clock_mono_ms() - now;
	if (n == 1) {
		struct loop_io *io = e.data.ptr;

		io->ready(io, e.events);
	}
	if (l->curl_due >= 0 && clock_mono_ms() >= l->curl_due) {
		l->curl_due = -1;
		act(l, CURL_SOCKET_TIMEOUT, 0);
	}
	return slept;
}
