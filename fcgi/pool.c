#include "fcgi/pool.h"

#include "core/base/clock.h"
#include "core/base/log.h"
#include "fcgi/metrics.h"
#include "fcgi/waiter.h"
#include "fcgi/worker.h"
#include "store/tcp.h"
#include "store/waiter/link.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define YOUNG_MS 2000 /* a worker that dies younger than this throttles the pool */
#define BACKLOG  1024

struct child {
	pid_t pid; /* 0: none */
	int64_t born;
	bool told; /* to end */
};

struct pool {
	const struct pool_config *pc;
	struct child *v;
	size_t n, wanted; /* places, and how many of them are to be filled */
	struct child waiter;
	int64_t not_before, waiter_not_before; /* no new child before this time */
	uint64_t identity;                     /* of the waiter's settings */
	struct rate *rate;                     /* shared with all workers */
	struct loops *loops;
	struct wiring_shared *servers;
};

static volatile sig_atomic_t stop, reload;

static void on_signal(int sig)
{
	if (sig == SIGHUP)
		reload = 1;
	else if (sig != SIGCHLD)
		stop = 1;
}

static int fail(const char *what, const char *where)
{
	log_error("could not %s %s: %s", what, where, strerror(errno));
	return -1;
}

static int listen_unix(const struct settings *c)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	char *end;
	unsigned long mode = strtoul(c->socket_mode.p, &end, 8);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	struct group *g = c->socket_group.n ? getgrnam(c->socket_group.p) : NULL;
	struct stat st;

	if (*end || c->socket_mode.n == 0 || mode > 0777) {
		errno = EINVAL;
		return fail("use socket_mode", c->socket_mode.p);
	}
	if (c->listen.n >= sizeof(sa.sun_path)) {
		errno = ENAMETOOLONG;
		return fail("listen on", c->listen.p);
	}
	memcpy(sa.sun_path, c->listen.p, c->listen.n);
	/* A socket that a killed predecessor left behind. */
	if (connect(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0) {
		errno = EADDRINUSE;
		return fail("listen on", c->listen.p);
	}
	(void)close(fd);
	/* Whatever else stands there is not ours to remove. */
	if (lstat(c->listen.p, &st) == 0) {
		if (!S_ISSOCK(st.st_mode)) {
			errno = EEXIST;
			return fail("listen on", c->listen.p);
		}
		(void)unlink(c->listen.p);
	}
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&sa, sizeof(sa)) != 0)
		return fail("listen on", c->listen.p);
	/* Nobody can connect before listen(): no moment with other permissions. */
	if (c->socket_group.n && (!g || chown(c->listen.p, (uid_t)-1, g->gr_gid) != 0))
		return fail("give the socket to group", c->socket_group.p);
	if (chmod(c->listen.p, (mode_t)mode) != 0)
		return fail("set the permissions of", c->listen.p);
	if (listen(fd, BACKLOG) != 0)
		return fail("listen on", c->listen.p);
	return fd;
}

static int listen_tcp(const struct settings *c)
{
	int fd = tcp_listen(c->listen);

	return fd >= 0 ? fd : fail("listen on", c->listen.p);
}

/* The rights of root are needed for the socket only. */
static int drop_rights(const struct settings *c)
{
	struct passwd *pw;
	struct group *g;
	gid_t gid;

	if (!c->user.n || getuid() != 0)
		return 0;
	pw = getpwnam(c->user.p);
	g = c->group.n ? getgrnam(c->group.p) : NULL;
	if (!pw || (c->group.n && !g)) {
		errno = ENOENT;
		return fail("become user", c->user.p);
	}
	gid = g ? g->gr_gid : pw->pw_gid;
	if (initgroups(c->user.p, gid) != 0 || setgid(gid) != 0 || setuid(pw->pw_uid) != 0)
		return fail("become user", c->user.p);
	return 0;
}

static int run_worker(const struct pool *p)
{
	const struct worker_config c = {p->pc->conf, p->rate, p->loops, p->servers, NULL};

	return worker_run(&c, p->pc->conf->max_requests);
}

static int run_waiter(const struct pool *p)
{
	int nothing = open("/dev/null", O_RDWR);

	/* The web server's socket is for the workers. */
	if (nothing >= 0 && dup2(nothing, 0) >= 0)
		(void)close(nothing);
	return waiter_run(&(struct waiter_config){p->pc->conf, p->pc->reopen_log, false});
}

static void start(
	struct pool *p, struct child *c, int (*run)(const struct pool *), int64_t *not_before)
{
	pid_t parent = getpid(), pid = fork();

	if (pid == 0) {
		sigset_t none;

		(void)sigemptyset(&none);
		(void)sigprocmask(SIG_SETMASK, &none, NULL);
		(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
		/* It may have died before it could be mourned. */
		if (getppid() != parent)
			_exit(0);
		exit(run(p));
	}
	if (pid < 0) {
		log_error("could not start a child: %s", strerror(errno));
		*not_before = clock_mono_ms() + 1000;
		return;
	}
	*c = (struct child){pid, clock_mono_ms(), false};
}

/* It was told to end before it could listen to that. */
static bool died_as_told(const struct child *c, int status)
{
	return c->told && WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM;
}

/* What a child came to. */
static void mourn(struct child *c, const char *what, int status, int64_t *not_before)
{
	pid_t pid = c->pid;

	c->pid = 0;
	if (died_as_told(c, status))
		return;
	if (WIFSIGNALED(status))
		log_warning("%s %d died of signal %d", what, (int)pid, WTERMSIG(status));
	else if (WEXITSTATUS(status))
		log_warning("%s %d ended with %d", what, (int)pid, WEXITSTATUS(status));
	/* A child that cannot even begin must not become a storm. */
	if (clock_mono_ms() - c->born < YOUNG_MS &&
		(WIFSIGNALED(status) || WEXITSTATUS(status)))
		*not_before = clock_mono_ms() + 1000;
}

static void reap(struct pool *p)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (p->waiter.pid == pid)
			mourn(&p->waiter, "the waiter", status, &p->waiter_not_before);
		for (size_t i = 0; i < p->n; i++)
			if (p->v[i].pid == pid)
				mourn(&p->v[i], "worker", status, &p->not_before);
	}
}

static size_t count_workers(const struct pool *p)
{
	size_t n = 0;

	for (size_t i = 0; i < p->n; i++)
		n += p->v[i].pid != 0;
	return n;
}

static bool alive(const struct pool *p)
{
	return p->waiter.pid != 0 || count_workers(p) != 0;
}

static void tell_child(struct child *c, int sig)
{
	if (!c->pid)
		return;
	c->told = true;
	(void)kill(c->pid, sig);
}

static void tell(struct pool *p, int sig)
{
	for (size_t i = 0; i < p->n; i++)
		tell_child(&p->v[i], sig);
}

/* Sleeps until a signal, at most ms. Signals are blocked elsewhere, so none is missed. */
static void wait_signal(const sigset_t *set, int64_t ms)
{
	struct timespec ts = {ms / 1000, ms % 1000 * 1000000};
	int sig = sigtimedwait(set, NULL, &ts);

	if (sig > 0)
		on_signal(sig);
}

/* How many workers there should be. Those too many are not replaced when they end. */
static void want(struct pool *p, size_t n)
{
	if (n > p->n) {
		p->v = realloc(p->v, n * sizeof(*p->v));
		if (!p->v)
			abort();
		memset(p->v + p->n, 0, (n - p->n) * sizeof(*p->v));
		p->n = n;
	}
	p->wanted = n;
}

/* What the waiter was started with and cannot change, as a number. */
static uint64_t waiter_settings(const struct settings *c)
{
	const struct str texts[] = {c->waiter_socket, c->login_domain, c->certificate_field};
	uint64_t h = link_identity(c) + c->client_certificate;

	for (size_t k = 0; k < ARRAY_LEN(texts); k++)
		for (size_t i = 0; i < texts[k].n; i++)
			h = h * 31 + (unsigned char)texts[k].p[i];
	return h;
}

/* Workers finish what they are doing and are replaced by ones with the new settings. The waiter
 * goes on, unless its own have changed: the others come with each request that waits. */
static void do_reload(struct pool *p)
{
	bool read = p->pc->reload(p->pc->conf);

	reload = 0;
	p->pc->reopen_log(p->pc->conf);
	if (p->waiter.pid)
		(void)kill(p->waiter.pid, SIGHUP);
	if (!read)
		return;
	log_info("configuration read again");
	wiring_shared_forget(p->servers);
	want(p, (size_t)p->pc->conf->workers);
	tell(p, SIGTERM);
	if (p->identity != waiter_settings(p->pc->conf))
		tell_child(&p->waiter, SIGTERM);
	p->identity = waiter_settings(p->pc->conf);
}

static void drain(struct pool *p, const sigset_t *set)
{
	int64_t until = clock_mono_ms() + p->pc->conf->drain * 1000;

	tell(p, SIGTERM);
	tell_child(&p->waiter, SIGTERM);
	while (alive(p) && clock_mono_ms() < until) {
		wait_signal(set, 200);
		reap(p);
	}
	tell(p, SIGKILL);
	tell_child(&p->waiter, SIGKILL);
	while (alive(p)) {
		wait_signal(set, 100);
		reap(p);
	}
}

int pool_run(const struct pool_config *pc)
{
	const struct settings *c = pc->conf;
	struct pool p = {.pc = pc,
		.rate = rate_new(),
		.loops = loops_new(),
		.servers = wiring_shared_new()};
	sigset_t set;
	int fd;

	/* Before anybody can see that we are there: a stop that comes early is a stop as well.
	 */
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGHUP);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGCHLD);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	fd = pc->fd >= 0 ? pc->fd : c->listen.p[0] == '/' ? listen_unix(c) : listen_tcp(c);
	if (fd < 0 || drop_rights(c) != 0)
		return 1;
	if (fd != 0) {
		(void)dup2(fd, 0);
		(void)close(fd);
	}
	metrics_open(c->waiter_socket.p, true);
	want(&p, (size_t)c->workers);
	p.identity = waiter_settings(c);
	log_info("easpool " EASPOOL_VERSION " listens on %s with %zu workers",
		pc->fd >= 0 ? "the socket it was given" : c->listen.p, p.n);
	while (!stop) {
		if (!p.waiter.pid && clock_mono_ms() >= p.waiter_not_before)
			start(&p, &p.waiter, run_waiter, &p.waiter_not_before);
		for (size_t i = 0; i < p.wanted && clock_mono_ms() >= p.not_before; i++)
			if (!p.v[i].pid)
				start(&p, &p.v[i], run_worker, &p.not_before);
		metrics_workers(count_workers(&p));
		wait_signal(&set, 500);
		reap(&p);
		if (reload)
			do_reload(&p);
	}
	drain(&p, &set);
	if (pc->fd < 0 && c->listen.p[0] == '/')
		(void)unlink(c->listen.p);
	free(p.v);
	rate_free(p.rate);
	loops_free(p.loops);
	wiring_shared_free(p.servers);
	return 0;
}
