#include "fcgi/parking.h"

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/varint.h"
#include "fcgi/waiter.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ANSWER_MS = 2000, TRIES = 20, PAUSE_MS = 100, QUIET_MS = 1000 };

struct parking {
	const struct settings *conf;
	const char *program; /* the configuration to start a waiter with; NULL: others do */
	int s, jobs;         /* -1: not connected */
	int64_t tried;
	bool foreign; /* the last that was found belongs to another easpool */
	struct buf in, out;
};

struct parking *parking_new(const struct settings *conf, const char *program)
{
	struct parking *p = calloc(1, sizeof(*p));

	if (!p)
		abort();
	p->conf = conf;
	p->program = program;
	p->s = p->jobs = -1;
	buf_init(&p->in, 2 * LINK_PACKET_MAX);
	buf_init(&p->out, 2 * LINK_PACKET_MAX);
	return p;
}

static void disconnect(struct parking *p)
{
	if (p->s >= 0)
		(void)close(p->s);
	if (p->jobs >= 0)
		(void)close(p->jobs);
	p->s = p->jobs = -1;
}

void parking_free(struct parking *p)
{
	if (!p)
		return;
	disconnect(p);
	buf_release(&p->in);
	buf_release(&p->out);
	free(p);
}

static bool is_ours(struct parking *p, struct str greeting)
{
	uint64_t identity;

	if (varint_get(&greeting, &identity) == RC_OK && identity == link_identity(p->conf))
		return true;
	p->foreign = true;
	log_error("the waiter at %s has another database, host or imap_host: each easpool needs"
		  " a waiter_socket of its own",
		p->conf->waiter_socket.p);
	return false;
}

/* Greeted, so it is a waiter that is at work. */
static bool connected(struct parking *p)
{
	struct str body;
	int fd;

	if (p->s >= 0)
		return true;
	p->foreign = false;
	p->s = link_open(p->conf->waiter_socket.p);
	if (p->s < 0)
		return false;
	/* Passwords go to nobody else. */
	if (!link_trusted(p->s)) {
		log_error("whoever listens at %s (waiter_socket) is another user's",
			p->conf->waiter_socket.p);
		disconnect(p);
		return false;
	}
	if (link_receive(p->s, ANSWER_MS, &p->in, &body, &fd) == LINK_HELLO && fd >= 0 &&
		is_ours(p, body)) {
		p->jobs = fd;
		return true;
	}
	if (fd >= 0)
		(void)close(fd);
	disconnect(p);
	return false;
}

void parking_poll(struct parking *p, int *jobs_r, int *connection_r)
{
	int64_t now = clock_mono_ms();

	if (p->s < 0 && now - p->tried >= QUIET_MS) {
		p->tried = now;
		if (!connected(p) && p->program) {
			waiter_spawn(p->conf, p->program);
			(void)connected(p);
		}
	}
	*jobs_r = p->jobs;
	*connection_r = p->s;
}

void parking_check(struct parking *p)
{
	struct str body;
	int fd;

	/* The waiter says nothing that it was not asked. */
	if (p->s >= 0 && link_receive(p->s, 0, &p->in, &body, &fd) != 0) {
		if (fd >= 0)
			(void)close(fd);
		disconnect(p);
	}
}

enum parking_put parking_put(struct parking *p, const struct link_wait *w, int fd)
{
	bool done = false;

	buf_reset(&p->out);
	link_wait_encode(w, &p->out);
	if (p->out.n > LINK_WAIT_MAX) {
		log_warning("a request that waits for %zu folders is too large to be held",
			w->wait.n);
		return PARKING_TOO_LARGE;
	}
	p->foreign = false;
	for (int i = 0; i < TRIES && !done && !p->foreign; i++) {
		if (i)
			(void)poll(NULL, 0, PAUSE_MS);
		if (!connected(p) && p->program)
			waiter_spawn(p->conf, p->program);
		done = connected(p) && link_send(p->s, LINK_PARK, buf_str(&p->out), fd);
		if (!done)
			disconnect(p);
	}
	explicit_bzero(p->out.p, p->out.n);
	if (!done)
		log_error("no waiter at %s holds the request", p->conf->waiter_socket.p);
	return done ? PARKING_DONE : PARKING_NOBODY;
}

void parking_end(struct parking *p, int64_t device, int64_t began)
{
	if (p->s < 0 || !device)
		return;
	buf_reset(&p->out);
	varint_put(&p->out, (uint64_t)device);
	varint_put(&p->out, (uint64_t)began);
	if (!link_send(p->s, LINK_END, buf_str(&p->out), -1))
		disconnect(p);
}

bool parking_take(struct parking *p, struct arena *a, struct link_wait *w, int *fd_r)
{
	struct str body;
	uint64_t token, noticed;
	int type;

	*fd_r = -1;
	/* Somebody else may have been faster. */
	if (p->s < 0 || read(p->jobs, &token, sizeof(token)) != (ssize_t)sizeof(token))
		return false;
	if (!link_send(p->s, LINK_TAKE, (struct str){"", 0}, -1)) {
		disconnect(p);
		return false;
	}
	type = link_receive(p->s, ANSWER_MS, &p->in, &body, fd_r);
	body = type == LINK_JOB ? arena_str(a, body) : body;
	if (type == LINK_JOB && *fd_r >= 0 && varint_get(&body, &noticed) == RC_OK &&
		link_wait_decode(body, a, w) == RC_OK) {
		explicit_bzero(p->in.p, p->in.n);
		w->noticed = (int64_t)noticed;
		return true;
	}
	if (*fd_r >= 0)
		(void)close(*fd_r);
	/* Only "none left" is an answer to go on with. */
	if (type != LINK_NONE)
		disconnect(p);
	return false;
}
