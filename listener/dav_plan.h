/*
 * dav_plan: for which accounts a process asks the DAV servers what changed, and when. Each
 * is asked for once an interval, at a moment of its own, so that the server sees a steady
 * trickle. One that fails is left alone for a while that doubles each time. When nobody was
 * answered for some time and somebody is again, all of them come back within an interval. No
 * I/O; times are those of clock_mono_ms().
 */
#ifndef EASPOOL_LISTENER_DAV_PLAN_H
#define EASPOOL_LISTENER_DAV_PLAN_H

#include "core/base/str.h"

/* As many failures in a row, of whomever: the server is down. */
enum { DAV_PLAN_DOWN = 3 };
/* The longest pause of an account that fails. */
enum { DAV_PLAN_PAUSE_MS = 600 * 1000 };

/* Classes of collections that are listed. */
enum { DAV_PLAN_LISTS = 4 };

struct dav_account {
	int64_t id;
	char *login;
	int64_t due;
	int64_t list_due; /* when to look which collections there are */
	/* What those of each class were then, as a number; 0: not known. */
	uint64_t listed[DAV_PLAN_LISTS];
	unsigned tries; /* that failed in a row */
	bool told;      /* the log has it that it fails */
	bool present;   /* mark of a sweep */
};

struct dav_plan {
	struct dav_account *v; /* by id */
	size_t n, cap;
	int64_t interval;
	unsigned failures; /* in a row, of whomever */
};

void dav_plan_release(struct dav_plan *p);
/* Also of accounts that are there already. */
void dav_plan_interval(struct dav_plan *p, int64_t ms, int64_t now);

/* The account is one of them, from now on if it was not, and `present`. */
void dav_plan_take(struct dav_plan *p, int64_t id, struct str login, int64_t now);
/* Forgets those that are not `present`, and takes the mark off the others. */
void dav_plan_sweep(struct dav_plan *p);

/* Whose turn comes next; NULL: there is nobody. Good until the next take or sweep. */
struct dav_account *dav_plan_next(const struct dav_plan *p);
/* Whether the one whose turn it is has been waiting for longer than an interval. */
bool dav_plan_late(const struct dav_plan *p, const struct dav_account *a, int64_t now);

/* The server has answered. True: it was down before. */
bool dav_plan_done(struct dav_plan *p, struct dav_account *a, int64_t now);
/* It has refused this account; it is there for others. */
void dav_plan_refused(struct dav_plan *p, struct dav_account *a, int64_t now);
/* It has not answered. True: it is down from now on. */
bool dav_plan_failed(struct dav_plan *p, struct dav_account *a, int64_t now);
/* It was not asked. */
void dav_plan_skip(const struct dav_plan *p, struct dav_account *a, int64_t now);
bool dav_plan_down(const struct dav_plan *p);

/* Whether the collections are to be listed in this round; the next time is noted. */
bool dav_plan_lists(const struct dav_plan *p, struct dav_account *a, int64_t now);

#endif
