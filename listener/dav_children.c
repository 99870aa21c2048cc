#include "listener/dav_children.h"

#include "core/base/clock.h"
#include "core/base/log.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* One that dies younger than this is not started again before PAUSE_MS, and has no row before
 * GROWN_MS. */
enum { YOUNG_MS = 10000, PAUSE_MS = 10000, GROWN_MS = 1000 };

void dav_children_init(
	struct dav_children *c, const struct listener_config *lc, struct events *events)
{
	*c = (struct dav_children){.lc = lc, .events = events};
	for (size_t i = 0; i < DAV_CHILDREN_MOST; i++)
		(void)snprintf(c->v[i].id, sizeof(c->v[i].id), "%.*s-dav%zu",
			STR_FMT(events->id), i + 1);
}

static size_t wanted(const struct dav_children *c)
{
	const struct settings *conf = c->lc->conf;

	return conf->carddav_url.n || conf->caldav_url.n ? (size_t)conf->dav_watchers : 0;
}

/* Only what it was started with is left of the listener: no connections, no memory. */
static void become(const struct dav_children *c, const struct dav_child *child, pid_t parent)
{
	sigset_t none;

	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		_exit(0);
	(void)close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
	(void)execl("/proc/self/exe", "easlistend", "-c", c->lc->path, "--dav", child->id,
		(char *)NULL);
	_exit(127);
}

static void start(const struct dav_children *c, struct dav_child *child, int64_t now)
{
	pid_t parent = getpid(), pid = fork();

	if (pid == 0)
		become(c, child, parent);
	if (pid < 0) {
		log_error("could not start a process for address books and calendars: %s",
			strerror(errno));
		child->not_before = now + PAUSE_MS;
		return;
	}
	child->pid = pid;
	child->born = now;
}

static void mourn(struct dav_child *child, bool too_many, int64_t now)
{
	int status;

	if (!child->pid || waitpid(child->pid, &status, WNOHANG) != child->pid)
		return;
	if (!too_many && WIFSIGNALED(status))
		log_warning("the process for address books and calendars %d died of signal %d",
			(int)child->pid, WTERMSIG(status));
	else if (!too_many)
		log_warning("the process for address books and calendars %d ended with %d",
			(int)child->pid, WEXITSTATUS(status));
	child->pid = 0;
	if (now - child->born < YOUNG_MS)
		child->not_before = now + PAUSE_MS;
}

static bool grown(const struct dav_child *child, int64_t now)
{
	return child->pid && now - child->born >= GROWN_MS;
}

bool dav_children_tick(struct dav_children *c, int64_t now)
{
	size_t n = wanted(c);
	bool come = false;

	for (size_t i = 0; i < DAV_CHILDREN_MOST; i++) {
		struct dav_child *child = &c->v[i];

		mourn(child, i >= n, now);
		if (i >= n && child->pid)
			(void)kill(child->pid, SIGTERM);
		else if (i < n && !child->pid && now >= child->not_before)
			start(c, child, now);
		come = come || (i < n && !child->known && grown(child, now));
	}
	return come;
}

static struct events events_of(const struct dav_children *c, const struct dav_child *child)
{
	struct events e;

	events_init_over(&e, c->events->conn, str_of(child->id), c->events->host, "dav");
	return e;
}

enum rc dav_children_beat(struct dav_children *c, int64_t now, struct err *err)
{
	for (size_t i = 0; i < DAV_CHILDREN_MOST; i++) {
		struct dav_child *child = &c->v[i];
		bool lives = grown(child, now) && i < wanted(c);
		struct events e = events_of(c, child);
		enum rc rc;

		if (!lives && (!child->known || i < wanted(c)))
			continue;
		/* One that died is about to be back; one that is not wanted will not be. */
		rc = lives ? events_beat(&e, err) : events_leave(&e, err);
		if (rc)
			return rc;
		child->known = lives;
	}
	return RC_OK;
}

void dav_children_reload(const struct dav_children *c)
{
	for (size_t i = 0; i < DAV_CHILDREN_MOST; i++)
		if (c->v[i].pid)
			(void)kill(c->v[i].pid, SIGHUP);
}

void dav_children_end(struct dav_children *c)
{
	for (size_t i = 0; i < DAV_CHILDREN_MOST; i++)
		if (c->v[i].pid)
			(void)kill(c->v[i].pid, SIGTERM);
	for (size_t i = 0; i < DAV_CHILDREN_MOST; i++) {
		if (c->v[i].pid)
			(void)waitpid(c->v[i].pid, NULL, 0);
		c->v[i].pid = 0;
	}
}

enum rc dav_children_leave(struct dav_children *c, struct err *err)
{
	for (size_t i = 0; i < DAV_CHILDREN_MOST; i++) {
		struct events e = events_of(c, &c->v[i]);
		enum rc rc = c->v[i].known ? events_leave(&e, err) : RC_OK;

		if (rc)
			return rc;
	}
	return RC_OK;
}
