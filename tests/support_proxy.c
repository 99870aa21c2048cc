#include "tests/support_proxy.h"

#include "core/base/err.h"

#include <netinet/in.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define LINE_BYTES 65536

struct proxy {
	enum proxy_protocol protocol;
	char port[16], server_port[16];
	int fd;
	pthread_t thread;
	pthread_mutex_t lock; /* of what follows */
	unsigned commands, at;
	enum proxy_fault fault;
};

/* A connection and the one behind it. */
struct relay {
	struct proxy *p;
	FILE *client_in, *client_out, *server_in, *server_out;
};

static _Noreturn void die(const char *what)
{
	(void)fprintf(stderr, "proxy: %s\n", what);
	exit(1);
}

static struct sockaddr_in loopback(const char *port)
{
	struct sockaddr_in sa = {.sin_family = AF_INET};

	sa.sin_port = htons((uint16_t)strtoul(port, NULL, 10));
	sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return sa;
}

/* Counts a command: what is to happen to it. */
static enum proxy_fault next_fault(struct proxy *p)
{
	enum proxy_fault fault = FAULT_NONE;

	(void)pthread_mutex_lock(&p->lock);
	if (++p->commands == p->at)
		fault = p->fault;
	(void)pthread_mutex_unlock(&p->lock);
	return fault;
}

static bool pass(FILE *from, FILE *to, size_t n)
{
	char chunk[4096];

	while (n) {
		size_t want = n < sizeof(chunk) ? n : sizeof(chunk);

		if (fread(chunk, 1, want, from) != want || fwrite(chunk, 1, want, to) != want)
			return false;
		n -= want;
	}
	return true;
}

/* "... {12}" or "{12+}" at the end of a line: 12. */
static bool literal(const char *line, size_t *n_r, bool *waits_r)
{
	const char *open = strrchr(line, '{');
	char *end;

	if (!open)
		return false;
	*n_r = strtoul(open + 1, &end, 10);
	*waits_r = *end != '+';
	if (*end == '+')
		end++;
	return end > open + 1 && strcmp(end, "}\r\n") == 0;
}

/* Until nothing more comes; the caller closes. */
static void swallow(FILE *f)
{
	while (fgetc(f) != EOF)
		continue;
}

static bool flush(FILE *f)
{
	return fflush(f) == 0;
}

/* --- IMAP */

/* Answers of the server up to the tagged one, or a go-ahead (*go_r). cut: stops in the first
 * of them. */
static bool imap_answers(struct relay *r, const char *tag, bool cut, bool *go_r)
{
	static const size_t few = 7;
	char line[LINE_BYTES];
	bool start = true, waits;
	size_t n;

	*go_r = false;
	while (fgets(line, sizeof(line), r->server_in)) {
		bool more = literal(line, &n, &waits);
		bool last = start && strncmp(line, tag, strlen(tag)) == 0;
		bool go = start && line[0] == '+';

		if (cut && !go) {
			(void)fwrite(line, 1, strlen(line) < few ? strlen(line) : few,
				r->client_out);
			(void)flush(r->client_out);
			return false;
		}
		if (fputs(line, r->client_out) < 0)
			return false;
		if (more && !pass(r->server_in, r->client_out, n))
			return false;
		start = !more;
		*go_r = go;
		if ((last || go) && !more)
			return flush(r->client_out);
	}
	return false;
}

/* A command that goes wrong without the server. */
static bool imap_refuse(
	struct relay *r, const char *tag, const char *line, enum proxy_fault fault)
{
	const char *name = line + strlen(tag);

	if (fault == FAULT_BYE) {
		(void)fputs("* BYE the test says so\r\n", r->client_out);
		(void)flush(r->client_out);
		return false;
	}
	if (fault == FAULT_SILENCE) {
		swallow(r->client_in);
		return false;
	}
	if (strncasecmp(name, "AUTHENTICATE", 12) == 0 || strncasecmp(name, "LOGIN", 5) == 0)
		(void)fprintf(r->client_out, "%sNO [UNAVAILABLE] the test says so\r\n", tag);
	else
		(void)fprintf(r->client_out, "%s%s the test says so\r\n", tag,
			fault == FAULT_NO ? "NO" : "BAD");
	return flush(r->client_out);
}

/* One command with its literals. */
static bool imap_command(struct relay *r)
{
	char line[LINE_BYTES], tag[32];
	enum proxy_fault fault;
	bool go = false, waits;
	size_t n, end;

	if (!fgets(line, sizeof(line), r->client_in))
		return false;
	end = strcspn(line, " ");
	(void)snprintf(tag, sizeof(tag), "%.*s ", (int)end, line);
	fault = next_fault(r->p);
	if (fault != FAULT_NONE && fault != FAULT_CUT)
		return imap_refuse(r, tag, line, fault);
	for (;;) {
		bool more = literal(line, &n, &waits);

		if (fputs(line, r->server_out) < 0 || !flush(r->server_out))
			return false;
		if (!more || waits) {
			if (!imap_answers(r, tag, fault == FAULT_CUT, &go))
				return false;
			if (!go)
				return true;
		}
		if (more && !pass(r->client_in, r->server_out, n))
			return false;
		if (!fgets(line, sizeof(line), r->client_in))
			return false;
	}
}

/* --- SMTP */

/* A reply, its continuation lines first. code_r: its first digit. */
static bool smtp_reply(struct relay *r, bool cut, char *code_r)
{
	char line[LINE_BYTES];

	while (fgets(line, sizeof(line), r->server_in)) {
		if (cut) {
			(void)fwrite(line, 1, 2, r->client_out);
			(void)flush(r->client_out);
			return false;
		}
		if (fputs(line, r->client_out) < 0)
			return false;
		*code_r = line[0];
		if (line[3] != '-')
			return flush(r->client_out);
	}
	return false;
}

/* What follows 354, up to the line with the dot. */
static bool smtp_data(struct relay *r, bool pass_on)
{
	char line[LINE_BYTES];

	while (fgets(line, sizeof(line), r->client_in)) {
		if (pass_on && fputs(line, r->server_out) < 0)
			return false;
		if (strcmp(line, ".\r\n") == 0)
			return !pass_on || flush(r->server_out);
	}
	return false;
}

static bool smtp_refuse(struct relay *r, const char *line, enum proxy_fault fault)
{
	if (fault == FAULT_SILENCE) {
		swallow(r->client_in);
		return false;
	}
	if (fault == FAULT_BYE) {
		(void)fputs("421 the test says so\r\n", r->client_out);
		(void)flush(r->client_out);
		return false;
	}
	if (strncasecmp(line, "AUTH", 4) == 0)
		(void)fputs("454 4.7.0 the test says so\r\n", r->client_out);
	else
		(void)fprintf(r->client_out, "%s the test says so\r\n",
			fault == FAULT_NO ? "451" : "554");
	return flush(r->client_out);
}

/* One command; the end of the data counts as one of its own. */
static bool smtp_command(struct relay *r)
{
	char line[LINE_BYTES], code = 0;
	enum proxy_fault fault;

	if (!fgets(line, sizeof(line), r->client_in))
		return false;
	fault = next_fault(r->p);
	if (fault != FAULT_NONE && fault != FAULT_CUT)
		return smtp_refuse(r, line, fault);
	if (fputs(line, r->server_out) < 0 || !flush(r->server_out) ||
		!smtp_reply(r, fault == FAULT_CUT, &code))
		return false;
	if (strncasecmp(line, "DATA", 4) != 0 || code != '3')
		return true;
	fault = next_fault(r->p);
	if (fault != FAULT_NONE && fault != FAULT_CUT)
		return smtp_data(r, false) && smtp_refuse(r, ".", fault);
	return smtp_data(r, true) && smtp_reply(r, fault == FAULT_CUT, &code);
}

/* --- connections */

static void open_streams(int fd, FILE **in, FILE **out)
{
	*in = fdopen(fd, "r");
	*out = fdopen(dup(fd), "w");
	if (!*in || !*out)
		die("no memory");
}

static void *serve(void *arg)
{
	struct relay *r = arg;
	char greeting[LINE_BYTES];
	bool going = fgets(greeting, sizeof(greeting), r->server_in) &&
		     fputs(greeting, r->client_out) >= 0 && flush(r->client_out);

	while (going)
		going = r->p->protocol == PROXY_IMAP ? imap_command(r) : smtp_command(r);
	(void)fclose(r->client_in);
	(void)fclose(r->client_out);
	(void)fclose(r->server_in);
	(void)fclose(r->server_out);
	free(r);
	return NULL;
}

static void *listen_for(void *arg)
{
	struct proxy *p = arg;
	int client;

	while ((client = accept(p->fd, NULL, NULL)) >= 0) {
		struct sockaddr_in sa = loopback(p->server_port);
		int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		struct relay *r = calloc(1, sizeof(*r));
		pthread_t thread;

		if (!r || server < 0 || connect(server, (struct sockaddr *)&sa, sizeof(sa)))
			die("no connection to the server");
		r->p = p;
		open_streams(client, &r->client_in, &r->client_out);
		open_streams(server, &r->server_in, &r->server_out);
		if (pthread_create(&thread, NULL, serve, r) != 0)
			die("no thread");
		(void)pthread_detach(thread);
	}
	return NULL;
}

struct proxy *proxy_new(enum proxy_protocol protocol, const char *server_port)
{
	/* Connections may outlive the test that made them. */
	static struct proxy all[8];
	static size_t n;
	struct proxy *p = n < ARRAY_LEN(all) ? &all[n++] : NULL;
	struct sockaddr_in sa = loopback("0");
	socklen_t size = sizeof(sa);

	if (!p)
		die("too many of them");
	p->protocol = protocol;
	(void)snprintf(p->server_port, sizeof(p->server_port), "%s", server_port);
	p->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (p->fd < 0 || bind(p->fd, (struct sockaddr *)&sa, sizeof(sa)) != 0 ||
		listen(p->fd, 50) != 0 ||
		getsockname(p->fd, (struct sockaddr *)&sa, &size) != 0)
		die("no port");
	(void)snprintf(p->port, sizeof(p->port), "%u", ntohs(sa.sin_port));
	(void)pthread_mutex_init(&p->lock, NULL);
	if (pthread_create(&p->thread, NULL, listen_for, p) != 0)
		die("no thread");
	return p;
}

void proxy_stop(struct proxy *p)
{
	(void)shutdown(p->fd, SHUT_RDWR);
	(void)pthread_join(p->thread, NULL);
	(void)close(p->fd);
}

const char *proxy_port(const struct proxy *p)
{
	return p->port;
}

void proxy_fail(struct proxy *p, unsigned n, enum proxy_fault fault)
{
	(void)pthread_mutex_lock(&p->lock);
	p->commands = 0;
	p->at = n;
	p->fault = fault;
	(void)pthread_mutex_unlock(&p->lock);
}

unsigned proxy_commands(struct proxy *p)
{
	unsigned n;

	(void)pthread_mutex_lock(&p->lock);
	n = p->commands;
	(void)pthread_mutex_unlock(&p->lock);
	return n;
}
