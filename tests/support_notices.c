#include "tests/support_notices.h"

#include "core/base/buf.h"

#include <assert.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/* Of a length word and what follows, and of a payload. */
enum { STARTUP_MOST = 10000, PAYLOAD_MOST = 200 };

static char path[100];
static pid_t server;
static int control;

static void put16(struct buf *b, unsigned n)
{
	buf_addc(b, (char)(n >> 8));
	buf_addc(b, (char)n);
}

static void put32(struct buf *b, unsigned n)
{
	put16(b, n >> 16);
	put16(b, n & 0xffff);
}

/* PostgreSQL, Frontend/Backend Protocol: type, length with itself, content. */
static void message(struct buf *b, char type, struct str content)
{
	buf_addc(b, type);
	put32(b, (unsigned)content.n + 4);
	buf_add_str(b, content);
}

static void ready(struct buf *b)
{
	message(b, 'Z', STR("I"));
}

static void complete(struct buf *b, const char *tag)
{
	message(b, 'C', (struct str){tag, strlen(tag) + 1});
}

/* One listener, its number, one account that it watches. */
static void answer_listeners(struct buf *b)
{
	struct buf row;

	buf_init(&row, BUF_MAX_LINE);
	put16(&row, 3);
	for (int i = 0; i < 3; i++) {
		buf_add_str(&row, (struct str){"n", 2});
		put32(&row, 0);
		put16(&row, 0);
		put32(&row, 20);
		put16(&row, 8);
		put32(&row, 0xffffffff);
		put16(&row, 0);
	}
	message(b, 'T', buf_str(&row));
	buf_reset(&row);
	put16(&row, 3);
	for (int i = 0; i < 3; i++) {
		put32(&row, 1);
		buf_addc(&row, '1');
	}
	message(b, 'D', buf_str(&row));
	complete(b, "SELECT 1");
	ready(b);
	buf_release(&row);
}

static bool whole(int s, void *p, size_t n)
{
	char *at = p;

	while (n) {
		ssize_t got = read(s, at, n);

		if (got <= 0)
			return false;
		at += got;
		n -= (size_t)got;
	}
	return true;
}

static unsigned get32(const unsigned char *p)
{
	return (unsigned)p[0] << 24 | (unsigned)p[1] << 16 | (unsigned)p[2] << 8 | p[3];
}

/* What stands behind a length word; NULL: the peer is gone. To be freed. */
static char *content(int s)
{
	unsigned char length[4];
	unsigned n;
	char *p;

	if (!whole(s, length, 4))
		return NULL;
	n = get32(length);
	if (n < 4 || n > STARTUP_MOST)
		return NULL;
	p = calloc(1, n);
	if (p && !whole(s, p, n - 4)) {
		free(p);
		return NULL;
	}
	return p;
}

static bool serve(int s, int tell)
{
	char type, *text;
	struct buf out;
	bool told = false;

	if (!whole(s, &type, 1))
		return false;
	text = content(s);
	if (!text || type == 'X') {
		free(text);
		return false;
	}
	buf_init(&out, BUF_MAX_LINE);
	if (strstr(text, "FROM listener")) {
		answer_listeners(&out);
		told = true;
	} else if (strstr(text, "LISTEN easpool;")) {
		complete(&out, "LISTEN");
		complete(&out, "UPDATE 0");
		ready(&out);
	}
	(void)send(s, out.p, out.n, MSG_NOSIGNAL);
	if (told)
		(void)send(tell, "!", 1, MSG_NOSIGNAL);
	buf_release(&out);
	free(text);
	return true;
}

/* The waiter's connection, once there is one. */
static int welcome(int listening)
{
	int s = accept(listening, NULL, NULL);
	char *hello = s >= 0 ? content(s) : NULL;
	struct buf out;

	buf_init(&out, BUF_MAX_LINE);
	message(&out, 'R', (struct str){"\0\0\0", 4});
	ready(&out);
	if (hello)
		(void)send(s, out.p, out.n, MSG_NOSIGNAL);
	buf_release(&out);
	free(hello);
	return s;
}

static void notify(int s, const char *payload)
{
	struct buf text, out;

	buf_init(&text, BUF_MAX_LINE);
	buf_init(&out, BUF_MAX_LINE);
	put32(&text, 1);
	buf_add(&text, "easpool", sizeof("easpool"));
	buf_add(&text, payload, strlen(payload) + 1);
	message(&out, 'A', buf_str(&text));
	(void)send(s, out.p, out.n, MSG_NOSIGNAL);
	buf_release(&text);
	buf_release(&out);
}

static _Noreturn void run(int listening, int orders)
{
	char payload[PAYLOAD_MOST];
	int s = -1;

	for (;;) {
		struct pollfd p[] = {
			{listening, POLLIN, 0},
                        {orders,    POLLIN, 0},
                        {s,         POLLIN, 0}
                };
		ssize_t n;

		(void)poll(p, 3, -1);
		if (p[0].revents && s < 0)
			s = welcome(listening);
		if (p[1].revents) {
			n = recv(orders, payload, sizeof(payload) - 1, 0);
			if (n <= 0)
				_exit(0);
			payload[n] = '\0';
			notify(s, payload);
		}
		if (s >= 0 && p[2].revents && !serve(s, orders)) {
			(void)close(s);
			s = -1;
		}
	}
}

void notices_up(const char *dir)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	int listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), ends[2];

	(void)snprintf(path, sizeof(path), "%s/.s.PGSQL.5432", dir);
	memcpy(sa.sun_path, path, strlen(path));
	if (bind(listening, (struct sockaddr *)&sa, sizeof(sa)) != 0 ||
		listen(listening, 8) != 0 ||
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
		abort();
	server = fork();
	if (server == 0) {
		(void)close(ends[0]);
		run(listening, ends[1]);
	}
	(void)close(listening);
	(void)close(ends[1]);
	control = ends[0];
}

bool notices_awaited(int patience_ms)
{
	struct pollfd p = {.fd = control, .events = POLLIN};
	char c;

	return poll(&p, 1, patience_ms) == 1 && recv(control, &c, 1, 0) == 1;
}

void notices_tell(const char *payload)
{
	assert(strlen(payload) < PAYLOAD_MOST);
	if (send(control, payload, strlen(payload), MSG_NOSIGNAL) < 0)
		abort();
}

void notices_down(void)
{
	(void)close(control);
	(void)kill(server, SIGKILL);
	(void)waitpid(server, NULL, 0);
	(void)unlink(path);
}
