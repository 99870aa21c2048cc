/*
 * arena: memory with one lifetime. All that lives as long as a request comes from its arena and
 * is never freed singly. Foreign objects join by arena_defer(); they are released last first,
 * on rewind past them or when the arena goes. Out of memory, or past the ceiling, ends the
 * process.
 *
 * A loop over items brackets its body with arena_mark()/arena_rewind(), so that one item at a
 * time is in memory.
 */
#ifndef EASPOOL_CORE_BASE_ARENA_H
#define EASPOOL_CORE_BASE_ARENA_H

#include "core/base/rc.h"
#include "core/base/str.h"

struct arena;

struct arena_mark {
	void *chunk;
	size_t used;
	void *deferred;
};

struct arena *arena_new(void);
void arena_free(struct arena *a); /* NULL is fine */

/* Aligned for any type; never NULL. The bytes are not set. */
void *arena_alloc(struct arena *a, size_t n) __attribute__((malloc, returns_nonnull));
/* n zeroed elements of `size` bytes; the product is checked. */
void *arena_zalloc(struct arena *a, size_t n, size_t size)
	__attribute__((malloc, returns_nonnull));
#define ARENA_NEW(a, type)      ((type *)arena_zalloc((a), 1, sizeof(type)))
#define ARENA_ARRAY(a, type, n) ((type *)arena_zalloc((a), (n), sizeof(type)))

/* Copies. The slice forms add a NUL behind the bytes that the slice does not count. */
struct str arena_str(struct arena *a, struct str s);
char *arena_cstr(struct arena *a, struct str s);
struct str arena_printf(struct arena *a, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* fn(p) runs when the arena is freed or rewound past this point. */
void arena_defer(struct arena *a, void (*fn)(void *), void *p);

struct arena_mark arena_mark(struct arena *a);
void arena_rewind(struct arena *a, struct arena_mark mark);

/* Bytes handed out now, for tests and for bounds. */
size_t arena_used(const struct arena *a);

#endif
