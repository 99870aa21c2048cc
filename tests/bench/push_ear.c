#include "tests/bench/push_ear.h"

#include "tests/bench/bench.h"
#include "tests/support_lab.h"

#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

void ear_open(struct ear *e, const char *source)
{
	*e = (struct ear){.c = push_connect(), .source = source ? source : "", .imap = -1};
	push_sql(e->c, "LISTEN easpool");
}

static void turn_away(struct ear *e)
{
	if (e->imap >= 0)
		(void)close(e->imap);
	e->imap = -1;
}

void ear_close(struct ear *e)
{
	turn_away(e);
	PQfinish(e->c);
}

/* Sends a command and waits for a line that begins so. */
static void say(int fd, const char *command, const char *until)
{
	char line[4096];
	size_t n = 0;

	if (write(fd, command, strlen(command)) != (ssize_t)strlen(command))
		bench_die("IMAP ended");
	for (;;) {
		if (n == sizeof(line) || read(fd, &line[n], 1) != 1)
			bench_die("IMAP ended");
		if (line[n++] != '\n')
			continue;
		if (strncmp(line, until, strlen(until)) == 0)
			return;
		n = 0;
	}
}

static void watch(struct ear *e, unsigned account)
{
	char user[64], login[256];

	fleet_user(account, user, sizeof(user));
	(void)snprintf(
		login, sizeof(login), "1 LOGIN %s %s\r\n", user, lab_get("LAB_PASSWORD"));
	e->imap = push_reach(lab_get("IMAP_PORT"), "IMAP");
	say(e->imap, "", "* OK");
	say(e->imap, login, "1 OK");
	if (strcmp(e->source, "notify") == 0) {
		say(e->imap,
			"2 NOTIFY SET (personal (MessageNew MessageExpunge FlagChange))\r\n",
			"2 OK");
	} else {
		say(e->imap, "2 SELECT INBOX\r\n", "2 OK");
		say(e->imap, "3 IDLE\r\n", "+ ");
	}
}

void ear_turn_to(struct ear *e, unsigned account, int64_t id)
{
	turn_away(e);
	if (strcmp(e->source, "notify") == 0 || strcmp(e->source, "idle") == 0) {
		watch(e, account);
		/* Its watching is set up after it has answered. */
		(void)usleep(300000);
	}
	e->account = id;
	e->shown = e->noticed = 0;
}

static void hear_database(struct ear *e)
{
	char wanted[32];
	PGnotify *note;

	(void)snprintf(wanted, sizeof(wanted), "c %lld ", (long long)e->account);
	(void)PQconsumeInput(e->c);
	while ((note = PQnotifies(e->c)) != NULL) {
		if (!e->noticed && strncmp(note->extra, wanted, strlen(wanted)) == 0)
			e->noticed = bench_us();
		PQfreemem(note);
	}
}

static void hear_imap(struct ear *e)
{
	char line[4096];
	ssize_t n = recv(e->imap, line, sizeof(line) - 1, 0);

	if (n <= 0)
		bench_die("IMAP ended");
	line[n] = '\0';
	if (!e->shown && (strstr(line, " EXISTS") || strstr(line, "* STATUS ")))
		e->shown = bench_us();
}

void ear_listen(struct ear *e, int other_fd, int timeout_ms)
{
	struct pollfd v[] = {
		{.fd = other_fd,       .events = POLLIN},
		{.fd = PQsocket(e->c), .events = POLLIN},
		{.fd = e->imap,        .events = POLLIN},
	};

	(void)poll(v, ARRAY_LEN(v), timeout_ms);
	if (v[1].revents)
		hear_database(e);
	if (v[2].revents)
		hear_imap(e);
}
