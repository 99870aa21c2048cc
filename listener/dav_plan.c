#include "listener/dav_plan.h"

#include <stdlib.h>
#include <string.h>

/* Collections are listed once in so many rounds, and not more seldom than this. */
enum { LIST_ROUNDS = 10, LIST_MS = 600 * 1000 };

/* The finish of MurmurHash3: neighbours are far from each other. */
static uint64_t mix(uint64_t h)
{
	h = (h ^ (h >> 33)) * 0xff51afd7ed558ccdULL;
	h = (h ^ (h >> 33)) * 0xc4ceb9fe1a85ec53ULL;
	return h ^ (h >> 33);
}

/* The account's place in a span of time. */
static int64_t place(int64_t id, int64_t span)
{
	return span > 0 ? (int64_t)(mix((uint64_t)id) % (uint64_t)span) : 0;
}

static int64_t list_span(const struct dav_plan *p)
{
	int64_t ms = p->interval * LIST_ROUNDS;

	return ms < LIST_MS ? ms : LIST_MS;
}

void dav_plan_release(struct dav_plan *p)
{
	for (size_t i = 0; i < p->n; i++)
		free(p->v[i].login);
	free(p->v);
	*p = (struct dav_plan){.interval = p->interval};
}

/* Soon, but not all at once. */
static void bring_forward(const struct dav_plan *p, struct dav_account *a, int64_t now)
{
	int64_t soon = now + place(a->id, p->interval);

	if (soon < a->due)
		a->due = soon;
}

void dav_plan_interval(struct dav_plan *p, int64_t ms, int64_t now)
{
	if (ms == p->interval)
		return;
	p->interval = ms;
	for (size_t i = 0; i < p->n; i++)
		bring_forward(p, &p->v[i], now);
}

/* The first whose id is not below that one. */
static size_t from(const struct dav_plan *p, int64_t id)
{
	size_t lo = 0, hi = p->n;

	while (lo < hi) {
		size_t middle = lo + (hi - lo) / 2;

		if (p->v[middle].id < id)
			lo = middle + 1;
		else
			hi = middle;
	}
	return lo;
}

static void grow(struct dav_plan *p)
{
	p->cap = p->cap ? 2 * p->cap : 64;
	p->v = reallocarray(p->v, p->cap, sizeof(*p->v));
	if (!p->v)
		abort();
}

void dav_plan_take(struct dav_plan *p, int64_t id, struct str login, int64_t now)
{
	size_t i = from(p, id);

	if (i == p->n || p->v[i].id != id) {
		if (p->n == p->cap)
			grow(p);
		memmove(&p->v[i + 1], &p->v[i], (p->n - i) * sizeof(*p->v));
		p->n++;
		p->v[i] = (struct dav_account){.id = id,
			.login = strndup(login.p, login.n),
			.due = now + place(id, p->interval),
			.list_due = now + place(id, list_span(p))};
		if (!p->v[i].login)
			abort();
	}
	p->v[i].present = true;
}

void dav_plan_sweep(struct dav_plan *p)
{
	size_t kept = 0;

	for (size_t i = 0; i < p->n; i++) {
		if (!p->v[i].present) {
			free(p->v[i].login);
			continue;
		}
		p->v[kept] = p->v[i];
		p->v[kept++].present = false;
	}
	p->n = kept;
}

struct dav_account *dav_plan_next(const struct dav_plan *p)
{
	struct dav_account *r = NULL;

	for (size_t i = 0; i < p->n; i++)
		if (!r || p->v[i].due < r->due)
			r = &p->v[i];
	return r;
}

bool dav_plan_late(const struct dav_plan *p, const struct dav_account *a, int64_t now)
{
	return now - a->due > p->interval;
}

bool dav_plan_down(const struct dav_plan *p)
{
	return p->failures >= DAV_PLAN_DOWN;
}

/* It keeps its place in the interval, however long it took. */
void dav_plan_skip(const struct dav_plan *p, struct dav_account *a, int64_t now)
{
	int64_t late = now > a->due ? now - a->due : 0;

	a->due += (late / p->interval + 1) * p->interval;
}

bool dav_plan_done(struct dav_plan *p, struct dav_account *a, int64_t now)
{
	bool down = dav_plan_down(p);

	p->failures = 0;
	a->tries = 0;
	dav_plan_skip(p, a, now);
	for (size_t i = 0; down && i < p->n; i++)
		if (p->v[i].tries)
			bring_forward(p, &p->v[i], now);
	return down;
}

static void leave_alone(const struct dav_plan *p, struct dav_account *a, int64_t now)
{
	int64_t pause = p->interval;

	a->tries++;
	for (unsigned i = 0; i < a->tries && pause < DAV_PLAN_PAUSE_MS; i++)
		pause *= 2;
	if (pause > DAV_PLAN_PAUSE_MS)
		pause = DAV_PLAN_PAUSE_MS;
	/* An interval may be longer than that. */
	a->due = now + (pause > p->interval ? pause : p->interval);
}

void dav_plan_refused(struct dav_plan *p, struct dav_account *a, int64_t now)
{
	p->failures = 0;
	leave_alone(p, a, now);
}

bool dav_plan_failed(struct dav_plan *p, struct dav_account *a, int64_t now)
{
	leave_alone(p, a, now);
	p->failures++;
	return p->failures == DAV_PLAN_DOWN;
}

bool dav_plan_lists(const struct dav_plan *p, struct dav_account *a, int64_t now)
{
	if (now < a->list_due)
		return false;
	a->list_due = now + list_span(p);
	return true;
}
