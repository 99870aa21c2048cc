/*
 * support_proxy: stands between a mail server and its client and lets one command go wrong, so
 * that every point of a dialogue can be tried against the real server. IMAP and SMTP; commands
 * are passed on one at a time, whatever the client pipelines.
 */
#ifndef EASPOOL_TESTS_SUPPORT_PROXY_H
#define EASPOOL_TESTS_SUPPORT_PROXY_H

enum proxy_protocol { PROXY_IMAP, PROXY_SMTP };

enum proxy_fault {
	FAULT_NONE,
	FAULT_NO,      /* the command is not carried out: NO, 451 */
	FAULT_BAD,     /* likewise: BAD, 554 */
	FAULT_BYE,     /* the server says good-bye and closes: BYE, 421 */
	FAULT_SILENCE, /* the command is swallowed, and nothing more is heard */
	FAULT_CUT,     /* carried out, but the connection ends within the answer */
	FAULTS
};

struct proxy;

/* Listens on a free port of loopback; connects to the server's. Ends the process on failure. */
struct proxy *proxy_new(enum proxy_protocol protocol, const char *server_port);
/* Takes no more connections. Those that are open go on, and so the struct stays. */
void proxy_stop(struct proxy *p);
const char *proxy_port(const struct proxy *p);

/*
 * The n-th command from now (1: the next; a login counts as one) goes wrong, once. A login is
 * never refused as such: NO and BAD come as a server in trouble (NO [UNAVAILABLE], 454).
 */
void proxy_fail(struct proxy *p, unsigned n, enum proxy_fault fault);
/* Commands since proxy_fail(). */
unsigned proxy_commands(struct proxy *p);

#endif
