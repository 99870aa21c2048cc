#include "listener/batch.h"

#include "core/base/utf8.h"

#include <stdlib.h>
#include <string.h>

void batch_init(struct batch *b)
{
	*b = (struct batch){.arena = arena_new()};
}

void batch_release(struct batch *b)
{
	arena_free(b->arena);
	free(b->v);
	free(b->slots);
	free(b->hierarchies);
}

static void *grown(void *v, size_t n, size_t size)
{
	void *p = reallocarray(v, n, size);

	if (!p)
		abort();
	return p;
}

static size_t hash(struct str login, struct str path)
{
	size_t h = 5381;

	for (size_t i = 0; i < login.n; i++)
		h = h * 33 ^ (unsigned char)login.p[i];
	for (size_t i = 0; i < path.n; i++)
		h = h * 33 ^ (unsigned char)path.p[i];
	return h;
}

/* The slot of that folder, or the empty one where it goes. */
static size_t *slot_of(struct batch *b, struct str login, struct str path)
{
	size_t i = hash(login, path) & (b->nslots - 1);

	while (b->slots[i]) {
		const struct event *e = &b->v[b->slots[i] - 1];

		if (str_eq(e->login, login) && str_eq(e->path, path))
			break;
		i = (i + 1) & (b->nslots - 1);
	}
	return &b->slots[i];
}

/* At most half full. */
static void make_room(struct batch *b)
{
	if (b->n < b->cap)
		return;
	b->cap = b->cap ? 2 * b->cap : 64;
	b->v = grown(b->v, b->cap, sizeof(*b->v));
	free(b->slots);
	b->nslots = 2 * b->cap;
	b->slots = calloc(b->nslots, sizeof(*b->slots));
	if (!b->slots)
		abort();
	for (size_t i = 0; i < b->n; i++)
		*slot_of(b, b->v[i].login, b->v[i].path) = i + 1;
}

static void join(struct event *into, const struct event *e)
{
	/* A delivery and something else is not a mere delivery. */
	if (e->how != into->how)
		into->how = EVENT_ADDED;
	into->forced = into->forced || e->forced;
	if (e->mark.uidvalidity)
		into->mark = e->mark;
	else if (!into->mark.uidvalidity && e->mark.uidnext > into->mark.uidnext)
		into->mark.uidnext = e->mark.uidnext;
}

void batch_add(struct batch *b, const struct event *e)
{
	size_t *slot;

	/* The database would refuse the whole statement. */
	if (!utf8_is_clean(e->login) || !utf8_is_clean(e->path))
		return;
	make_room(b);
	slot = slot_of(b, e->login, e->path);
	if (*slot) {
		join(&b->v[*slot - 1], e);
		return;
	}
	if (b->n == BATCH_MOST) {
		b->over = true;
		return;
	}
	b->v[b->n] = *e;
	b->v[b->n].login = arena_str(b->arena, e->login);
	b->v[b->n].path = arena_str(b->arena, e->path);
	*slot = ++b->n;
}

void batch_add_hierarchy(struct batch *b, struct str login)
{
	if (!utf8_is_clean(login))
		return;
	for (size_t i = 0; i < b->nhierarchies; i++)
		if (str_eq(b->hierarchies[i], login))
			return;
	if (b->nhierarchies == BATCH_MOST) {
		b->over = true;
		return;
	}
	if (b->nhierarchies == b->hierarchies_cap) {
		b->hierarchies_cap = b->hierarchies_cap ? 2 * b->hierarchies_cap : 16;
		b->hierarchies =
			grown(b->hierarchies, b->hierarchies_cap, sizeof(*b->hierarchies));
	}
	b->hierarchies[b->nhierarchies++] = arena_str(b->arena, login);
}

bool batch_empty(const struct batch *b)
{
	return b->n == 0 && b->nhierarchies == 0;
}

void batch_reset(struct batch *b)
{
	arena_free(b->arena);
	b->arena = arena_new();
	b->n = b->nhierarchies = 0;
	b->over = false;
	if (b->slots)
		memset(b->slots, 0, b->nslots * sizeof(*b->slots));
}
