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

static void add_folder(struct waited *r, struct str id)
{
	size_t n = strlen(r->folders);

	(void)snprintf(r->folders + n, sizeof(r->folders) - n, "%.*s ", STR_FMT(id));
}

static void read_ping(const struct elem *answer, struct waited *r)
{
	const struct elem *e = elem_child(elem_child(answer, PING_FOLDERS), PING_FOLDER);

	r->status = elem_u32(answer, PING_STATUS, 0);
	for (; e; e = elem_again(e))
		add_folder(r, e->text);
}

static void read_sync(const struct elem *answer, struct waited *r)
{
	const struct elem *e =
		elem_child(elem_child(answer, AIRSYNC_COLLECTIONS), AIRSYNC_COLLECTION);

	r->status = elem_u32(e, AIRSYNC_STATUS, elem_u32(answer, AIRSYNC_STATUS, 0));
	for (; e; e = elem_again(e)) {
		if (elem_has(e, AIRSYNC_COMMANDS))
			add_folder(r, elem_text(e, AIRSYNC_COLLECTION_ID));
		(void)snprintf(r->key, sizeof(r->key), "%.*s",
			STR_FMT(elem_text(e, AIRSYNC_SYNC_KEY)));
	}
}

static void ask(struct phone *p, const char *command, const char *document, struct waited *r)
{
	const struct elem *answer = phone_post(p, command, document);

	*r = (struct waited){.http = p->http};
	if (strcmp(command, "Ping") == 0)
		read_ping(answer, r);
	else
		read_sync(answer, r);
}

void waiting_start_with(
	struct waiting *w, struct phone *p, const char *command, const char *document)
{
	pid_t test = getpid();
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	w->fd = ends[0];
	w->pid = fork();
	assert_true(w->pid >= 0);
	if (w->pid == 0) {
		struct waited r;

		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != test)
			_exit(0);
		ask(p, command, document, &r);
		_exit(write(ends[1], &r, sizeof(r)) == (ssize_t)sizeof(r) ? 0 : 1);
	}
	(void)close(ends[1]);
}

void waiting_start(
	struct waiting *w, struct phone *p, const char *const *ids, size_t n, unsigned seconds)
{
	struct buf b;

	buf_init(&b, BUF_MAX_LINE);
	buf_addf(&b, "ping:Ping\n  ping:HeartbeatInterval \"%u\"\n  ping:Folders\n", seconds);
	for (size_t i = 0; i < n; i++)
		buf_addf(&b,
			"    ping:Folder\n      ping:Id \"%s\"\n      ping:Class \"Email\"\n",
			ids[i]);
	waiting_start_with(w, p, "Ping", buf_str(&b).p);
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
