#include "tests/bench/push_events.h"

#include "tests/bench/bench.h"
#include "tests/support_lab.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* Answers of three digits; only the last of several lines has a space behind them. */
static void lmtp_hear(int fd, unsigned answers)
{
	char line[1024];
	size_t n = 0;

	while (answers && n < sizeof(line) - 1) {
		if (read(fd, &line[n], 1) != 1)
			bench_die("LMTP ended");
		if (line[n++] != '\n')
			continue;
		line[n] = '\0';
		if (line[0] != '2' && line[0] != '3')
			bench_die("LMTP: %s", line);
		answers -= line[3] == ' ';
		n = 0;
	}
}

static void lmtp_say(int fd, unsigned answers, const char *fmt, ...) PRINTF_LIKE(3, 4);

static void lmtp_say(int fd, unsigned answers, const char *fmt, ...)
{
	char text[1024];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (write(fd, text, (size_t)n) != n)
		bench_die("LMTP ended");
	lmtp_hear(fd, answers);
}

static void deliver(struct events *e, unsigned account)
{
	static unsigned serial;
	char user[64];

	fleet_user(account, user, sizeof(user));
	lmtp_say(e->lmtp, 3, "MAIL FROM:<sender@example.test>\r\nRCPT TO:<%s>\r\nDATA\r\n",
		user);
	lmtp_say(e->lmtp, 1,
		"From: Sender <sender@example.test>\r\nTo: <%s>\r\nSubject: Push %u\r\n"
		"Message-ID: <%u@push.example.test>\r\nDate: Tue, 3 Mar 2026 10:00:00 +0000\r\n"
		"\r\nText of message %u.\r\n.\r\n",
		user, serial, serial, serial);
	serial++;
}

/* What scripts/dovecot/easpool-push.lua would say, on a connection that stays. */
static void post(struct events *e, unsigned account)
{
	char user[64], body[256], text[1024];
	size_t have = 0;
	ssize_t n;

	fleet_user(account, user, sizeof(user));
	(void)snprintf(body, sizeof(body),
		"{\"user\":\"%s\",\"events\":[{\"event\":\"MessageNew\",\"folder\":\"INBOX\","
		"\"uid\":%u}]}",
		user, e->uidnext[account - 1]);
	n = snprintf(text, sizeof(text),
		"POST /event HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
		"Authorization: Bearer %s\r\nContent-Length: %zu\r\n\r\n%s",
		lab_get("LISTENER_SECRET"), strlen(body), body);
	if (write(e->url, text, (size_t)n) != n)
		bench_die("the listener ended");
	do {
		n = read(e->url, text + have, sizeof(text) - 1 - have);
		if (n <= 0)
			bench_die("the listener ended");
		have += (size_t)n;
		text[have] = '\0';
	} while (!strstr(text, "\r\n\r\n"));
	if (strncmp(text, "HTTP/1.1 204", 12) != 0)
		bench_die("the listener: %.40s", text);
}

void events_init(struct events *e, enum event_source source, unsigned accounts)
{
	PGresult *r;

	*e = (struct events){.source = source, .accounts = accounts, .lmtp = -1, .url = -1};
	e->c = push_connect();
	e->account = calloc(accounts, sizeof(*e->account));
	e->folder = calloc(accounts, sizeof(*e->folder));
	e->uidnext = calloc(accounts, sizeof(*e->uidnext));
	if (!e->account || !e->folder || !e->uidnext)
		abort();
	r = push_query(e->c,
		"SELECT substring(login FROM 5 FOR position('@' IN login) - 5)::int,"
		" a.id, f.row FROM account a JOIN folder f ON f.account_id = a.id"
		" AND f.type = 2");
	for (int i = 0; i < PQntuples(r); i++) {
		unsigned long which = strtoul(PQgetvalue(r, i, 0), NULL, 10);

		if (which < 1 || which > accounts)
			continue;
		e->account[which - 1] = strtoll(PQgetvalue(r, i, 1), NULL, 10);
		e->folder[which - 1] = strtoll(PQgetvalue(r, i, 2), NULL, 10);
		e->uidnext[which - 1] = 4; /* three messages are there */
	}
	PQclear(r);
	if (source == EVENT_BOTH || source == EVENT_LMTP) {
		e->lmtp = push_reach(lab_get("LMTP_PORT"), "LMTP");
		lmtp_hear(e->lmtp, 1);
		lmtp_say(e->lmtp, 1, "LHLO bench.example.test\r\n");
	}
	if (source == EVENT_URL || source == EVENT_STORED)
		e->url = push_reach(strrchr(lab_get("LISTENER_URL"), ':') + 1, "the listener");
}

void events_release(struct events *e)
{
	PQfinish(e->c);
	free(e->account);
	free(e->folder);
	free(e->uidnext);
	if (e->lmtp >= 0)
		(void)close(e->lmtp);
	if (e->url >= 0)
		(void)close(e->url);
}

void events_send(struct events *e, unsigned account, char how)
{
	size_t i = account - 1;
	uint32_t uidnext = 0;

	if (e->source == EVENT_URL || e->source == EVENT_STORED)
		post(e, account);
	else if (e->source != EVENT_NOTIFY)
		deliver(e, account);
	if (e->source != EVENT_NOTIFY)
		uidnext = ++e->uidnext[i];
	if (e->source >= EVENT_LMTP)
		return;
	push_sql(e->c,
		"WITH c AS (INSERT INTO change (folder, seq) VALUES (%lld, 1) ON CONFLICT (folder)"
		" DO UPDATE SET seq = change.seq + 1, modseq = 0, at = now() RETURNING seq)"
		" SELECT pg_notify('easpool', format('c %lld %lld %%s %u %c', seq)) FROM c",
		(long long)e->folder[i], (long long)e->account[i], (long long)e->folder[i],
		uidnext, how);
}

static void store_one(const char *user, const char *file)
{
	char conf[128];
	const char *argv[] = {
		"doveadm", "-c", conf, "-o", "mail_plugins=", "save", "-u", user, file, NULL};
	pid_t pid;
	int status = -1;

	(void)snprintf(conf, sizeof(conf), "%s/dovecot.conf", lab_get("LAB_DIR"));
	if (posix_spawnp(&pid, argv[0], NULL, NULL, (char *const *)(uintptr_t)argv, environ) !=
			0 ||
		waitpid(pid, &status, 0) != pid || status != 0)
		bench_die("doveadm save: %d", status);
}

void events_store(unsigned accounts, unsigned each)
{
	char file[128], user[64];

	for (unsigned i = 0; i < each; i++) {
		FILE *f;

		(void)snprintf(file, sizeof(file), "%s/stored", lab_get("LAB_DIR"));
		f = fopen(file, "w");
		if (!f)
			bench_die("%s: %s", file, strerror(errno));
		(void)fprintf(f, "From: sender@example.test\nSubject: Stored %u\n\nText.\n", i);
		(void)fclose(f);
		for (unsigned k = 1; k <= accounts; k++) {
			fleet_user(k, user, sizeof(user));
			store_one(user, file);
		}
	}
}

/* --- several that send at the same time */

static _Noreturn void send_part(const struct senders *s, enum event_source source,
	unsigned part, unsigned rate, unsigned seconds)
{
	int64_t began, now, end;
	struct events e;
	unsigned account = part, sent = 0;

	events_init(&e, source, s->accounts);
	began = bench_us();
	end = began + (int64_t)seconds * 1000000;
	while ((now = bench_us()) < end) {
		if (rate && (int64_t)sent * 1000000 >= (now - began) * rate) {
			(void)usleep(200);
			continue;
		}
		events_send(&e, account + 1, 'n');
		s->sent[account]++;
		sent++;
		account += SENDERS;
		if (account >= s->accounts)
			account = part;
	}
	_exit(0);
}

void senders_start(struct senders *s, enum event_source source, unsigned accounts,
	unsigned rate, unsigned seconds)
{
	*s = (struct senders){.accounts = accounts};
	s->sent = mmap(NULL, accounts * sizeof(*s->sent), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (s->sent == MAP_FAILED)
		bench_die("mmap: %s", strerror(errno));
	for (unsigned i = 0; i < SENDERS; i++) {
		s->pid[i] = fork();
		if (s->pid[i] < 0)
			bench_die("fork: %s", strerror(errno));
		if (s->pid[i] == 0)
			send_part(s, source, i, rate / SENDERS, seconds);
	}
}

bool senders_work(const struct senders *s)
{
	for (size_t i = 0; i < SENDERS; i++) {
		siginfo_t info = {0};

		if (waitid(P_PID, (id_t)s->pid[i], &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
			info.si_pid == 0)
			return true;
	}
	return false;
}

size_t senders_sent(const struct senders *s)
{
	size_t n = 0;

	for (unsigned i = 0; i < s->accounts; i++)
		n += s->sent[i];
	return n;
}

void senders_end(struct senders *s)
{
	int status;

	for (size_t i = 0; i < SENDERS; i++)
		if (waitpid(s->pid[i], &status, 0) != s->pid[i] || status != 0)
			bench_die("a process that sent events has died");
	(void)munmap(s->sent, s->accounts * sizeof(*s->sent));
}
