#include "fcgi/peer.h"

#include "fcgi/record.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A web server that takes nothing for so long is gone. */
enum { STUCK_MS = 60000, PIECE = 64 * 1024 };

void peer_accepted(struct peer *p, FCGX_Request *fcgi)
{
	*p = (struct peer){.fcgi = fcgi, .fd = -1};
}

void peer_again(struct peer *p, int fd, unsigned id, const struct replay *replay)
{
	*p = (struct peer){.fd = fd, .id = id, .replay = *replay};
	buf_init(&p->out, BUF_MAX_TEXT);
}

const char *peer_param(void *ctx, const char *name)
{
	struct peer *p = ctx;

	return p->fcgi ? FCGX_GetParam(name, p->fcgi->envp) : replay_param(&p->replay, name);
}

size_t peer_read(struct peer *p, char *to, size_t n)
{
	struct str rest;
	int got;

	if (!p->fcgi) {
		rest = str_sub(p->replay.body, p->read, n);
		memcpy(to, rest.p ? rest.p : "", rest.n);
		p->read += rest.n;
		return rest.n;
	}
	got = FCGX_GetStr(to, (int)n, p->fcgi->in);
	return got > 0 ? (size_t)got : 0;
}

static bool send_all(struct peer *p, struct str bytes)
{
	while (bytes.n && !p->gone) {
		ssize_t n = send(p->fd, bytes.p, bytes.n, MSG_NOSIGNAL | MSG_DONTWAIT);
		struct pollfd wait = {.fd = p->fd, .events = POLLOUT};

		if (n > 0)
			bytes = str_sub(bytes, (size_t)n, bytes.n);
		else if (errno == EAGAIN)
			p->gone = poll(&wait, 1, STUCK_MS) <= 0;
		else if (errno != EINTR)
			p->gone = true;
	}
	return !p->gone;
}

bool peer_write(struct peer *p, struct str bytes)
{
	if (p->fcgi)
		return FCGX_PutStr(bytes.p, (int)bytes.n, p->fcgi->out) == (int)bytes.n;
	while (bytes.n && !p->gone) {
		struct str piece = str_sub(bytes, 0, PIECE);

		buf_reset(&p->out);
		record_output(&p->out, p->id, piece);
		(void)send_all(p, buf_str(&p->out));
		bytes = str_sub(bytes, piece.n, bytes.n);
	}
	return !p->gone;
}

void peer_finish(struct peer *p)
{
	if (p->fcgi) {
		FCGX_Finish_r(p->fcgi);
		return;
	}
	buf_reset(&p->out);
	record_end(&p->out, p->id);
	(void)send_all(p, buf_str(&p->out));
	(void)close(p->fd);
	buf_release(&p->out);
}

int peer_descriptor(const struct peer *p, unsigned *id_r)
{
	*id_r = p->fcgi ? (unsigned)p->fcgi->requestId : p->id;
	return p->fcgi ? p->fcgi->ipcFd : p->fd;
}

void peer_leave(struct peer *p)
{
	int fd = p->fcgi ? p->fcgi->ipcFd : p->fd;

	if (p->fcgi) {
		FCGX_Free(p->fcgi, 0);
		/* Or libfcgi would close a number again that may be somebody else's by then. */
		p->fcgi->ipcFd = -1;
	}
	(void)close(fd);
	buf_release(&p->out);
}
