#include "tests/support_wait.h"

#include "tests/support_lab.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static void ask(struct phone *p, const char *document, struct waited *r)
{
	const struct elem *answer = phone_post(p, "Ping", document);
	size_t n = 0;

	*r = (struct waited){.http = p->http, .status = elem_u32(answer, PING_STATUS, 0)};
	for (const struct elem *e = elem_child(elem_child(answer, PING_FOLDERS), PING_FOLDER);
		e && n < sizeof(r->folders); e = elem_again(e))
		n += (size_t)snprintf(
			r->folders + n, sizeof(r->folders) - n, "%.*s ", STR_FMT(e->text));
}

void waiting_start(
	struct waiting *w, struct phone *p, const char *const *ids, size_t n, unsigned seconds)
{
	pid_t test = getpid();
	struct buf b;
	int ends[2];

	buf_init(&b, BUF_MAX_LINE);
	buf_addf(&b, "ping:Ping\n  ping:HeartbeatInterval \"%u\"\n  ping:Folders\n", seconds);
	for (size_t i = 0; i < n; i++)
		buf_addf(&b,
			"    ping:Folder\n      ping:Id \"%s\"\n      ping:Class \"Email\"\n",
			ids[i]);
	assert_int_equal(pipe(ends), 0);
	w->fd = ends[0];
	w->pid = fork();
	assert_true(w->pid >= 0);
	if (w->pid == 0) {
		struct waited r;

		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != test)
			_exit(0);
		ask(p, b.p, &r);
		_exit(write(ends[1], &r, sizeof(r)) == (ssize_t)sizeof(r) ? 0 : 1);
	}
	(void)close(ends[1]);
	buf_release(&b);
}

bool waiting_over(struct waiting *w, unsigned timeout_ms, struct waited *r)
{
	struct pollfd p = {.fd = w->fd, .events = POLLIN};

	*r = (struct waited){0};
	if (poll(&p, 1, (int)timeout_ms) <= 0)
		return false;
	assert_int_equal(read(w->fd, r, sizeof(*r)), sizeof(*r));
	(void)close(w->fd);
	(void)waitpid(w->pid, NULL, 0);
	return true;
}

void waiting_break(struct waiting *w)
{
	(void)kill(w->pid, SIGKILL);
	(void)waitpid(w->pid, NULL, 0);
	(void)close(w->fd);
}

/* One line to the server, and its last one back. */
static void talk(FILE *f, const char *line, char first)
{
	char answer[512];

	if (line)
		(void)fprintf(f, "%s\r\n", line);
	(void)fflush(f);
	do {
		if (!fgets(answer, sizeof(answer), f))
			fail_msg("LMTP: no answer to %s", line ? line : "a connection");
	} while (answer[3] == '-');
	if (answer[0] != first)
		fail_msg("LMTP: %s", answer);
}

void deliver(const char *to, const char *subject)
{
	struct sockaddr_in sa = {.sin_family = AF_INET,
		.sin_port = htons((uint16_t)strtoul(lab_get("LMTP_PORT"), NULL, 10)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int s = socket(AF_INET, SOCK_STREAM, 0);
	char line[1024];
	FILE *f;

	assert_int_equal(connect(s, (struct sockaddr *)&sa, sizeof(sa)), 0);
	f = fdopen(s, "r+");
	assert_non_null(f);
	talk(f, NULL, '2');
	talk(f, "LHLO test", '2');
	talk(f, "MAIL FROM:<sender@example.test>", '2');
	(void)snprintf(line, sizeof(line), "RCPT TO:<%s>", to);
	talk(f, line, '2');
	talk(f, "DATA", '3');
	(void)snprintf(line, sizeof(line),
		"From: sender@example.test\r\nTo: %s\r\nSubject: %s\r\n\r\nHello.\r\n.", to,
		subject);
	talk(f, line, '2');
	talk(f, "QUIT", '2');
	(void)fclose(f);
}
