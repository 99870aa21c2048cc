#include "listener/marks.h"

#include "core/base/rc.h"

#include <stdlib.h>
#include <string.h>

#define FOLDERS_MOST 20000

void marks_release(struct marks *m)
{
	for (size_t i = 0; i < m->n; i++)
		free(m->v[i].path);
	free(m->v);
	*m = (struct marks){NULL, 0, 0};
}

/* The place of that path, or where it would go. */
static size_t place(const struct marks *m, struct str path)
{
	size_t from = 0, to = m->n;

	while (from < to) {
		size_t middle = from + (to - from) / 2;

		if (str_cmp(str_of(m->v[middle].path), path) < 0)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

struct marked *marks_find(const struct marks *m, struct str path)
{
	size_t i = place(m, path);

	return i < m->n && str_is(path, m->v[i].path) ? &m->v[i] : NULL;
}

struct marked *marks_add(struct marks *m, struct str path, bool *new_r)
{
	size_t i = place(m, path);

	*new_r = i == m->n || !str_is(path, m->v[i].path);
	if (!*new_r)
		return &m->v[i];
	if (m->n == FOLDERS_MOST)
		return NULL;
	if (m->n == m->cap) {
		m->cap = m->cap ? 2 * m->cap : 8;
		m->v = reallocarray(m->v, m->cap, sizeof(*m->v));
		if (!m->v)
			abort();
	}
	memmove(&m->v[i + 1], &m->v[i], (m->n - i) * sizeof(*m->v));
	m->v[i] = (struct marked){.path = strndup(path.p, path.n)};
	if (!m->v[i].path)
		abort();
	m->n++;
	return &m->v[i];
}

static void take_out(struct marks *m, size_t i)
{
	free(m->v[i].path);
	m->n--;
	memmove(&m->v[i], &m->v[i + 1], (m->n - i) * sizeof(*m->v));
}

void marks_remove(struct marks *m, struct str path)
{
	size_t i = place(m, path);

	if (i < m->n && str_is(path, m->v[i].path))
		take_out(m, i);
}

bool marks_sweep(struct marks *m, unsigned round)
{
	bool any = false;

	for (size_t i = m->n; i-- > 0;)
		if (m->v[i].round != round) {
			take_out(m, i);
			any = true;
		}
	return any;
}

bool marks_whole(const struct mail_mark *m)
{
	return m->uidvalidity != 0 && m->uidnext != 0;
}
