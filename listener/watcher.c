#include "listener/watcher.h"

#include "core/base/clock.h"
#include "core/base/log.h"
#include "store/imap/login.h"
#include "store/imap/reply.h"
#include "store/waiter/link.h"

#include <curl/curl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>

enum { RESPONSE_MOST = 1024 * 1024, READ_BYTES = 4096 };
/* Watchers are seen to once a second. */
enum { ABSENT_MS = 500, ABSENT_STEPS = 4 };
enum { PAUSE_MS = 1000, PAUSE_MOST_MS = 300 * 1000, NO_WAITER_MS = 1000 };
/* Enough for a greeting; each connection that waits keeps it. */
enum { CURL_BYTES = 4096 };

struct watcher *watcher_of(struct dialogue *d)
{
	return (struct watcher *)(void *)((char *)d - offsetof(struct watcher, dialogue));
}

static void on_connected(struct loop_transfer *t, int code);
static void on_ready(struct loop_io *io, unsigned events);

struct watcher *watcher_new(struct watchers *all, int64_t account, struct str login)
{
	struct watcher *w = calloc(1, sizeof(*w));

	if (!w)
		abort();
	w->all = all;
	w->account = account;
	w->login = strndup(login.p, login.n);
	if (!w->login)
		abort();
	w->fd = -1;
	w->io.ready = on_ready;
	w->transfer.done = on_connected;
	dialogue_init(&w->dialogue, &all->ops->dialogue);
	buf_init(&w->in, RESPONSE_MOST);
	return w;
}

/* Once a change of state, not once a try. */
static void report(struct watcher *w, enum rc rc, const struct err *err)
{
	if (rc == w->trouble)
		return;
	if (rc)
		log_warning("the mailbox of %s is not watched: %s", w->login, err->text);
	else
		log_info("the mailbox of %s is watched again", w->login);
	w->trouble = rc;
}

/* Doubling, and up to half of it more, so that not all come back at once. */
static int64_t pause_of(unsigned tries)
{
	int64_t ms = PAUSE_MS << (tries < 9 ? tries : 9);
	unsigned spread = 0;

	if (getrandom(&spread, sizeof(spread), GRND_NONBLOCK) != sizeof(spread))
		spread = 0;
	if (ms > PAUSE_MOST_MS)
		ms = PAUSE_MOST_MS;
	return ms + (int64_t)(spread % 1024) * ms / 2048;
}

static void disconnect(struct watcher *w)
{
	if (w->state == WATCHER_CONNECTING)
		w->all->connecting--;
	if (w->fd >= 0)
		loop_remove(w->all->loop, w->fd);
	if (w->curl)
		loop_drop(w->all->loop, w->curl);
	free(w->said);
	w->said = NULL;
	w->curl = NULL;
	w->fd = -1;
	w->sent = 0;
	w->blocked = false;
	buf_release(&w->in);
	buf_init(&w->in, RESPONSE_MOST);
	w->state = WATCHER_OFF;
}

static void back_off(struct watcher *w)
{
	w->due = clock_mono_ms() + pause_of(w->tries++);
}

static void lose(struct watcher *w, enum rc rc, const struct err *err)
{
	bool established = w->state == WATCHER_TALKING && w->dialogue.established;

	report(w, rc, err);
	disconnect(w);
	back_off(w);
	if (established)
		w->all->ops->lost(w);
}

void watcher_free(struct watcher *w)
{
	size_t n;

	if (w->state == WATCHER_TALKING)
		(void)curl_easy_send(w->curl, "Z LOGOUT\r\n", 10, &n);
	disconnect(w);
	dialogue_release(&w->dialogue);
	buf_release(&w->in);
	free(w->login);
	free(w);
}

/* That the waiter is not there is said once, not for each account. */
static void report_waiter(struct watchers *all, enum rc rc, const struct err *err)
{
	bool gone = rc == RC_UNAVAILABLE;

	if (gone)
		all->no_waiter_until = clock_mono_ms() + NO_WAITER_MS;
	if (gone && !all->no_waiter)
		log_warning("no mailbox is watched anew: %s", err->text);
	else if (!gone && all->no_waiter)
		log_info("the waiter answers again");
	all->no_waiter = gone;
}

/* With a master user none is needed. */
static enum rc credentials(struct watcher *w, struct arena *a, struct str *login_r,
	struct secret *password_r, struct err *err)
{
	int64_t now = clock_mono_ms();
	enum rc rc;

	*login_r = str_of(w->login);
	if (w->all->conf->imap_master_user.n)
		return RC_OK;
	if (now < w->all->no_waiter_until)
		return err_set(
			err, RC_UNAVAILABLE, "no waiter at %s", w->all->conf->waiter_socket.p);
	rc = link_credentials(
		w->all->conf->waiter_socket.p, w->account, a, login_r, password_r, err);
	report_waiter(w->all, rc, err);
	return rc;
}

static void connect_now(struct watcher *w)
{
	const struct settings *conf = w->all->conf;
	struct secret password = {NULL, 0};
	struct arena *a = arena_new();
	struct err err = ERR_INIT;
	struct str login;
	enum rc rc = credentials(w, a, &login, &password, &err);

	if (rc == RC_UNAVAILABLE) {
		/* It is the waiter that is not there, for all of them. */
		w->due = w->all->no_waiter_until;
	} else if (rc == RC_ABSENT) {
		/* It is about to be handed over to the waiter; or nobody waits just now. */
		w->due = clock_mono_ms() + (ABSENT_MS << w->absent);
		w->absent += w->absent < ABSENT_STEPS;
	} else if (rc) {
		lose(w, rc, &err);
	} else {
		w->absent = 0;
		w->said = calloc(1, sizeof(*w->said));
		w->curl = curl_easy_init();
		if (!w->curl || !w->said)
			abort();
		login_options(w->curl, conf, arena_cstr(a, login),
			conf->imap_master_user.n ? NULL : &password, w->said);
		(void)curl_easy_setopt(w->curl, CURLOPT_BUFFERSIZE, (long)CURL_BYTES);
		(void)curl_easy_setopt(w->curl, CURLOPT_TCP_KEEPALIVE, 1L);
		w->state = WATCHER_CONNECTING;
		w->all->connecting++;
		loop_connect(w->all->loop, w->curl, &w->transfer);
	}
	secret_release(&password);
	arena_free(a);
}

static void want(struct watcher *w, bool blocked)
{
	if (w->blocked == blocked)
		return;
	w->blocked = blocked;
	loop_change(w->all->loop, w->fd, blocked ? EPOLLIN | EPOLLOUT : EPOLLIN, &w->io);
}

static enum rc send_out(struct watcher *w, struct err *err)
{
	struct buf *out = &w->dialogue.out;

	if (out->over)
		return err_set(err, RC_LIMIT, "an IMAP command is too long");
	while (w->sent < out->n) {
		size_t n = 0;
		CURLcode code = curl_easy_send(w->curl, out->p + w->sent, out->n - w->sent, &n);

		if (code == CURLE_AGAIN) {
			want(w, true);
			return RC_OK;
		}
		if (code != CURLE_OK)
			return err_set(err, RC_UNAVAILABLE, "IMAP connection lost: %s",
				curl_easy_strerror(code));
		w->sent += n;
	}
	buf_release(out);
	buf_init(out, RESPONSE_MOST);
	w->sent = 0;
	want(w, false);
	return RC_OK;
}

/* The whole responses of what came in. */
static enum rc hear(struct watcher *w, struct err *err)
{
	size_t at = 0;

	for (;;) {
		struct str rest = str_sub(buf_str(&w->in), at, w->in.n), line;
		size_t taken = 0;
		enum reply_frame frame = reply_frame(rest, RESPONSE_MOST, &taken, &line);
		enum rc rc;

		if (frame == REPLY_HUGE)
			return err_set(err, RC_LIMIT, "an IMAP response is too large");
		if (frame == REPLY_MORE)
			break;
		rc = dialogue_response(&w->dialogue, line, clock_mono_ms(), err);
		if (rc)
			return rc;
		at += taken;
	}
	if (at == w->in.n) {
		/* Nothing is kept while nothing happens. */
		buf_release(&w->in);
		buf_init(&w->in, RESPONSE_MOST);
	} else if (at) {
		memmove(w->in.p, w->in.p + at, w->in.n - at);
		buf_cut(&w->in, w->in.n - at);
	}
	return RC_OK;
}

/* All that is there: TLS may hold decrypted bytes that no poll shows. */
static enum rc receive(struct watcher *w, struct err *err)
{
	for (;;) {
		char chunk[READ_BYTES];
		size_t n = 0;
		CURLcode code = curl_easy_recv(w->curl, chunk, sizeof(chunk), &n);
		enum rc rc;

		if (code == CURLE_AGAIN)
			return RC_OK;
		if (code != CURLE_OK || n == 0)
			return err_set(err, RC_UNAVAILABLE, "IMAP connection lost: %s",
				code == CURLE_OK ? "closed by the server"
						 : curl_easy_strerror(code));
		buf_add(&w->in, chunk, n);
		if (w->in.over)
			return err_set(err, RC_LIMIT, "an IMAP response is too large");
		rc = hear(w, err);
		if (rc)
			return rc;
	}
}

static void on_ready(struct loop_io *io, unsigned events UNUSED)
{
	struct watcher *w =
		(struct watcher *)(void *)((char *)io - offsetof(struct watcher, io));
	struct err err = ERR_INIT;
	enum rc rc = receive(w, &err);

	if (rc == RC_OK)
		rc = send_out(w, &err);
	if (rc) {
		lose(w, rc, &err);
		return;
	}
	if (w->dialogue.established && w->tries) {
		w->tries = 0;
		report(w, RC_OK, NULL);
	}
}

/* The connection is up and logged in. */
static enum rc begin(struct watcher *w, struct err *err)
{
	unsigned caps = 0;
	bool known = login_capabilities(w->said, &caps);
	curl_socket_t fd;

	if (curl_easy_getinfo(w->curl, CURLINFO_ACTIVESOCKET, &fd) != CURLE_OK || fd < 0 ||
		!loop_add(w->all->loop, fd, EPOLLIN, &w->io))
		return err_set(err, RC_UNAVAILABLE, "IMAP connection lost: no socket");
	w->fd = fd;
	w->dialogue.notify = w->all->notify;
	w->dialogue.foreign = w->all->conf->shared_folders;
	w->dialogue.round_ms = w->all->conf->listener_round * 1000;
	dialogue_begin(&w->dialogue, known, caps, clock_mono_ms());
	return send_out(w, err);
}

static void on_connected(struct loop_transfer *t, int code)
{
	struct watcher *w =
		(struct watcher *)(void *)((char *)t - offsetof(struct watcher, transfer));
	struct err err = ERR_INIT;
	enum rc rc;

	(void)curl_easy_setopt(w->curl, CURLOPT_VERBOSE, 0L);
	rc = login_result(code, w->all->conf, w->said, &err);
	if (rc == RC_OK) {
		w->all->connecting--;
		w->state = WATCHER_TALKING;
		rc = begin(w, &err);
	}
	free(w->said);
	w->said = NULL;
	if (rc)
		lose(w, rc, &err);
}

void watcher_tick(struct watcher *w, int64_t now)
{
	struct err err = ERR_INIT;
	enum rc rc;

	if (w->state == WATCHER_OFF && now >= w->due &&
		w->all->connecting < (unsigned)w->all->conf->listener_logins)
		connect_now(w);
	if (w->state != WATCHER_TALKING)
		return;
	rc = dialogue_tick(&w->dialogue, now, w->all->conf->imap_timeout * 1000, &err);
	if (rc == RC_OK)
		rc = send_out(w, &err);
	if (rc)
		lose(w, rc, &err);
}
