#include "core/base/arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_SIZE (16 * 1024)

struct chunk {
	struct chunk *prev;
	size_t size, used;
	alignas(max_align_t) char bytes[];
};

struct deferred {
	struct deferred *prev;
	void (*fn)(void *);
	void *p;
};

struct arena {
	struct chunk *chunk;
	struct deferred *deferred;
	size_t total; /* used bytes of the chunks before the current one */
};

static void *must(void *p)
{
	if (!p)
		abort();
	return p;
}

struct arena *arena_new(void)
{
	return must(calloc(1, sizeof(struct arena)));
}

static void run_deferred(struct arena *a, const void *down_to)
{
	while (a->deferred && a->deferred != down_to) {
		struct deferred *d = a->deferred;

		a->deferred = d->prev;
		d->fn(d->p);
	}
}

static void drop_chunk(struct arena *a)
{
	struct chunk *c = a->chunk;

	a->chunk = c->prev;
	if (a->chunk)
		a->total -= a->chunk->used;
	free(c);
}

void arena_free(struct arena *a)
{
	if (!a)
		return;
	run_deferred(a, NULL);
	while (a->chunk)
		drop_chunk(a);
	free(a);
}

static void add_chunk(struct arena *a, size_t n)
{
	size_t size = n > CHUNK_SIZE ? n : CHUNK_SIZE;
	struct chunk *c = must(malloc(sizeof(*c) + size));

	c->prev = a->chunk;
	c->size = size;
	c->used = 0;
	if (a->chunk)
		a->total += a->chunk->used;
	a->chunk = c;
}

void *arena_alloc(struct arena *a, size_t n)
{
	const size_t align = alignof(max_align_t);
	void *p;

	if (n > SIZE_MAX / 2)
		abort();
	n = (n + align - 1) & ~(align - 1);
	if (!a->chunk || a->chunk->size - a->chunk->used < n)
		add_chunk(a, n);
	p = a->chunk->bytes + a->chunk->used;
	a->chunk->used += n;
	return p;
}

void *arena_zalloc(struct arena *a, size_t n, size_t size)
{
	size_t total;
	void *p;

	if (__builtin_mul_overflow(n, size, &total))
		abort();
	p = arena_alloc(a, total);
	memset(p, 0, total);
	return p;
}

char *arena_cstr(struct arena *a, struct str s)
{
	char *p = arena_alloc(a, s.n + 1);

	if (s.n)
		memcpy(p, s.p, s.n);
	p[s.n] = '\0';
	return p;
}

struct str arena_str(struct arena *a, struct str s)
{
	if (!s.p)
		return s;
	return (struct str){arena_cstr(a, s), s.n};
}

struct str arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap, again;
	char *p;
	int n;

	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		abort();
	p = arena_alloc(a, (size_t)n + 1);
	(void)vsnprintf(p, (size_t)n + 1, fmt, again);
	va_end(again);
	return (struct str){p, (size_t)n};
}

void arena_defer(struct arena *a, void (*fn)(void *), void *p)
{
	struct deferred *d = arena_alloc(a, sizeof(*d));

	*d = (struct deferred){a->deferred, fn, p};
	a->deferred = d;
}

struct arena_mark arena_mark(struct arena *a)
{
	return (struct arena_mark){a->chunk, a->chunk ? a->chunk->used : 0, a->deferred};
}

void arena_rewind(struct arena *a, struct arena_mark mark)
{
	run_deferred(a, mark.deferred);
	while (a->chunk && a->chunk != mark.chunk)
		drop_chunk(a);
	if (a->chunk)
		a->chunk->used = mark.used;
}

size_t arena_used(const struct arena *a)
{
	return a->total + (a->chunk ? a->chunk->used : 0);
}
