#include "listener/publisher.h"

#include "core/base/clock.h"
#include "core/base/log.h"

#include <stdlib.h>

enum { GATHER_MS = 20, PAUSE_MS = 250, PAUSE_MOST_MS = 8000, TRIES_MOST = 10 };

void publisher_init(struct publisher *p)
{
	*p = (struct publisher){.due = -1};
	batch_init(&p->batch);
}

void publisher_release(struct publisher *p)
{
	batch_release(&p->batch);
	free(p->watched.v);
	free(p->unwatched.v);
	events_close(&p->events);
}

static void gather(struct publisher *p)
{
	if (p->due < 0)
		p->due = clock_mono_ms() + GATHER_MS;
}

void publisher_event(struct publisher *p, const struct event *e)
{
	batch_add(&p->batch, e);
	gather(p);
}

void publisher_hierarchy(struct publisher *p, struct str login)
{
	batch_add_hierarchy(&p->batch, login);
	gather(p);
}

static void ids_remove(struct ids *ids, int64_t id)
{
	for (size_t i = 0; i < ids->n; i++)
		if (ids->v[i] == id)
			ids->v[i--] = ids->v[--ids->n];
}

static void ids_add(struct ids *ids, int64_t id)
{
	if (ids->n == ids->cap) {
		ids->cap = ids->cap ? 2 * ids->cap : 64;
		ids->v = reallocarray(ids->v, ids->cap, sizeof(*ids->v));
		if (!ids->v)
			abort();
	}
	ids->v[ids->n++] = id;
}

void publisher_watched(struct publisher *p, int64_t account, bool watched)
{
	ids_remove(watched ? &p->unwatched : &p->watched, account);
	ids_add(watched ? &p->watched : &p->unwatched, account);
	gather(p);
}

bool publisher_ready(const struct publisher *p, int64_t now)
{
	return now >= p->retry;
}

bool publisher_result(struct publisher *p, enum rc rc, const struct err *err)
{
	int64_t pause = PAUSE_MS;

	p->used = true;
	if (rc == RC_OK) {
		if (p->tries)
			log_info("the database answers again");
		p->tries = 0;
		return true;
	}
	if (p->tries == 0)
		log_error("%s", err->text);
	for (unsigned i = 0; i < p->tries && pause < PAUSE_MOST_MS; i++)
		pause *= 2;
	p->tries++;
	p->retry = clock_mono_ms() + pause;
	return false;
}

static enum rc write_batch(struct publisher *p, struct err *err)
{
	struct batch *b = &p->batch;
	enum rc rc = RC_OK;

	for (size_t i = 0; i < b->n && rc == RC_OK; i += EVENTS_MOST) {
		size_t rest = b->n - i;

		rc = events_publish(
			&p->events, b->v + i, rest < EVENTS_MOST ? rest : EVENTS_MOST, err);
	}
	if (rc == RC_OK && b->nhierarchies)
		rc = events_hierarchy(&p->events, b->hierarchies, b->nhierarchies, err);
	return rc;
}

static enum rc write_ids(struct publisher *p, struct ids *ids, bool watched, struct err *err)
{
	enum rc rc = RC_OK;

	if (ids->n)
		rc = events_watched(&p->events, ids->v, ids->n, watched, err);
	if (rc == RC_OK)
		ids->n = 0;
	return rc;
}

/* The marks first: `watched` says that they are there. */
static enum rc write_all(struct publisher *p, struct err *err)
{
	enum rc rc = write_batch(p, err);

	if (rc == RC_OK)
		rc = write_ids(p, &p->watched, true, err);
	if (rc == RC_OK)
		rc = write_ids(p, &p->unwatched, false, err);
	return rc;
}

void publisher_run(struct publisher *p, int64_t now)
{
	struct err err = ERR_INIT;
	bool done;

	if (p->due < 0 || now < p->due || !publisher_ready(p, now))
		return;
	done = publisher_result(p, write_all(p, &err), &err);
	if (!done && p->tries >= TRIES_MOST && events_socket(&p->events) >= 0) {
		/* It is there and does not want these. */
		log_error("%zu events were dropped: %s", p->batch.n, err.text);
		p->incomplete = true;
		done = true;
	}
	if (!done)
		return;
	p->incomplete = p->incomplete || p->batch.over;
	batch_reset(&p->batch);
	p->due = p->watched.n || p->unwatched.n ? now + GATHER_MS : -1;
}
