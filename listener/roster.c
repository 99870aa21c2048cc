#include "listener/roster.h"

#include <stdlib.h>
#include <string.h>

size_t roster_from(const struct roster *r, int64_t account)
{
	size_t from = 0, to = r->n;

	while (from < to) {
		size_t middle = from + (to - from) / 2;

		if (r->v[middle]->account < account)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

struct watcher *roster_find(const struct roster *r, int64_t account)
{
	size_t i = roster_from(r, account);

	return i < r->n && r->v[i]->account == account ? r->v[i] : NULL;
}

void roster_add(struct roster *r, struct watcher *w)
{
	size_t i = roster_from(r, w->account);

	if (r->n == r->cap) {
		r->cap = r->cap ? 2 * r->cap : 64;
		r->v = reallocarray(r->v, r->cap, sizeof(struct watcher *));
		if (!r->v)
			abort();
	}
	memmove(&r->v[i + 1], &r->v[i], (r->n - i) * sizeof(struct watcher *));
	r->v[i] = w;
	r->n++;
}

void roster_remove(struct roster *r, size_t i)
{
	r->n--;
	memmove(&r->v[i], &r->v[i + 1], (r->n - i) * sizeof(struct watcher *));
}

void roster_release(struct roster *r)
{
	for (size_t i = 0; i < r->n; i++)
		watcher_free(r->v[i]);
	free(r->v);
	*r = (struct roster){NULL, 0, 0};
}
