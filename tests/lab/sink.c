/*
 * lab_sink: the submission server of the lab. It takes mail by SMTP with AUTH and hands it on,
 * as it comes, to an LMTP server, so that what a phone sends really arrives.
 *
 *     lab_sink PORT LMTP_PORT PASSWORD
 *
 * Listens on 127.0.0.1:PORT, a process a connection. Any user may log in with PASSWORD. MAIL,
 * RCPT and DATA are refused before AUTH. A recipient that LMTP refuses is refused to the
 * client.
 */
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define LINE_MAX_BYTES 8192

struct session {
	FILE *in, *out;           /* the client */
	FILE *lmtp_in, *lmtp_out; /* the server behind */
	const char *password;
	bool authenticated;
	unsigned recipients;
};

static struct sockaddr_in loopback(const char *port)
{
	struct sockaddr_in sa = {.sin_family = AF_INET};

	sa.sin_port = htons((uint16_t)strtoul(port, NULL, 10));
	sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return sa;
}

static void say(FILE *f, const char *line)
{
	(void)fprintf(f, "%s\r\n", line);
	(void)fflush(f);
}

/* A line without its end; false at the end of the connection. */
static bool hear(FILE *f, char *line)
{
	size_t n;

	if (!fgets(line, LINE_MAX_BYTES, f))
		return false;
	n = strlen(line);
	while (n && (line[n - 1] == '\n' || line[n - 1] == '\r'))
		line[--n] = '\0';
	return true;
}

/* The last line of a reply. */
static bool hear_reply(FILE *f, char *line)
{
	do {
		if (!hear(f, line))
			return false;
	} while (strlen(line) > 3 && line[3] == '-');
	return true;
}

static void relay(struct session *s, const char *command, char *reply)
{
	say(s->lmtp_out, command);
	if (!hear_reply(s->lmtp_in, reply))
		exit(1);
}

static int base64_value(char c)
{
	static const char alphabet[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = c ? strchr(alphabet, c) : NULL;

	return at ? (int)(at - alphabet) : -1;
}

static size_t base64_read(const char *text, char *bytes)
{
	unsigned bits = 0, value = 0;
	size_t n = 0;

	for (; base64_value(*text) >= 0; text++) {
		value = value << 6 | (unsigned)base64_value(*text);
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			bytes[n++] = (char)(value >> bits & 0xff);
		}
	}
	bytes[n] = '\0';
	return n;
}

/* AUTH PLAIN with or without an initial response, and AUTH LOGIN. */
static void auth(struct session *s, char *argument)
{
	char line[LINE_MAX_BYTES], bytes[LINE_MAX_BYTES];
	const char *password = bytes;
	size_t n;

	if (strncasecmp(argument, "PLAIN", 5) == 0) {
		const char *response = argument + 5;

		if (*response == ' ') {
			response++;
		} else {
			say(s->out, "334 ");
			if (!hear(s->in, line))
				exit(0);
			response = line;
		}
		n = base64_read(response, bytes);
		for (unsigned zeros = 0; zeros < 2 && password < bytes + n; password++)
			zeros += *password == '\0';
	} else {
		say(s->out, "334 VXNlcm5hbWU6");
		if (!hear(s->in, line))
			exit(0);
		say(s->out, "334 UGFzc3dvcmQ6");
		if (!hear(s->in, line))
			exit(0);
		(void)base64_read(line, bytes);
	}
	s->authenticated = strcmp(password, s->password) == 0;
	say(s->out,
		s->authenticated ? "235 2.7.0 welcome" : "535 5.7.8 wrong user or password");
}

static void data(struct session *s)
{
	char line[LINE_MAX_BYTES], reply[LINE_MAX_BYTES], bad[LINE_MAX_BYTES] = "";

	relay(s, "DATA", reply);
	if (reply[0] != '3') {
		say(s->out, reply);
		return;
	}
	say(s->out, "354 go on");
	for (;;) {
		if (!fgets(line, sizeof(line), s->in))
			exit(1);
		(void)fputs(line, s->lmtp_out);
		if (strcmp(line, ".\r\n") == 0)
			break;
	}
	(void)fflush(s->lmtp_out);
	/* LMTP answers once a recipient. */
	for (; s->recipients; s->recipients--) {
		if (!hear_reply(s->lmtp_in, reply))
			exit(1);
		if (reply[0] != '2')
			memcpy(bad, reply, sizeof(bad));
	}
	say(s->out, bad[0] ? bad : "250 2.0.0 delivered");
}

static void command(struct session *s, char *line)
{
	char reply[LINE_MAX_BYTES];

	if (strncasecmp(line, "EHLO", 4) == 0) {
		say(s->out,
			"250-lab\r\n250-SIZE 67108864\r\n250-8BITMIME\r\n250 AUTH PLAIN LOGIN");
	} else if (strncasecmp(line, "AUTH ", 5) == 0) {
		auth(s, line + 5);
	} else if (strncasecmp(line, "QUIT", 4) == 0) {
		say(s->out, "221 bye");
		exit(0);
	} else if (strncasecmp(line, "NOOP", 4) == 0) {
		say(s->out, "250 ok");
	} else if (!s->authenticated) {
		say(s->out, "530 5.7.0 authentication required");
	} else if (strncasecmp(line, "DATA", 4) == 0) {
		data(s);
	} else if (strncasecmp(line, "MAIL", 4) == 0 || strncasecmp(line, "RCPT", 4) == 0 ||
		   strncasecmp(line, "RSET", 4) == 0) {
		/* The parameters of submission (AUTH=, SIZE=) are not for LMTP. */
		char *end = strchr(line, '>');

		if (end)
			end[1] = '\0';
		relay(s, line, reply);
		if (strncasecmp(line, "RCPT", 4) == 0)
			s->recipients += reply[0] == '2';
		else
			s->recipients = 0;
		say(s->out, reply);
	} else {
		say(s->out, "500 5.5.1 not known here");
	}
}

static void serve(int fd, const char *lmtp_port, const char *password)
{
	struct sockaddr_in sa = loopback(lmtp_port);
	struct session s = {.password = password};
	char line[LINE_MAX_BYTES];
	int lmtp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	s.in = fdopen(fd, "r");
	s.out = fdopen(dup(fd), "w");
	if (lmtp < 0 || connect(lmtp, (struct sockaddr *)&sa, sizeof(sa)) != 0) {
		say(s.out, "421 4.3.0 the mail store is away");
		exit(1);
	}
	s.lmtp_in = fdopen(lmtp, "r");
	s.lmtp_out = fdopen(dup(lmtp), "w");
	if (!hear_reply(s.lmtp_in, line))
		exit(1);
	relay(&s, "LHLO lab", line);
	say(s.out, "220 lab ESMTP");
	while (hear(s.in, line))
		command(&s, line);
	exit(0);
}

int main(int argc, char **argv)
{
	struct sockaddr_in sa;
	int one = 1, fd;

	if (argc != 4) {
		(void)fprintf(stderr, "usage: lab_sink PORT LMTP_PORT PASSWORD\n");
		return 2;
	}
	(void)signal(SIGCHLD, SIG_IGN);
	sa = loopback(argv[1]);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (fd < 0 || bind(fd, (struct sockaddr *)&sa, sizeof(sa)) != 0 ||
		listen(fd, 64) != 0) {
		perror("lab_sink");
		return 1;
	}
	for (;;) {
		int client = accept(fd, NULL, NULL);
		pid_t pid;

		if (client < 0) {
			if (errno == EINTR)
				continue;
			perror("lab_sink: accept");
			return 1;
		}
		pid = fork();
		if (pid == 0) {
			(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
			(void)close(fd);
			serve(client, argv[2], argv[3]);
		}
		(void)close(client);
	}
}
