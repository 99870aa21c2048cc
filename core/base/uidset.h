/*
 * uidset: a set of 32-bit message UIDs as sorted, disjoint, non-adjacent ranges. Work and
 * memory are proportional to the ranges, not to the messages. Memory comes from the arena given
 * at init and lives as long as it; 0 is never a member.
 */
#ifndef EASPOOL_CORE_BASE_UIDSET_H
#define EASPOOL_CORE_BASE_UIDSET_H

#include "core/base/arena.h"
#include "core/base/buf.h"

struct uid_range {
	uint32_t first, last; /* inclusive */
};

struct uidset {
	struct uid_range *v;
	size_t n, cap;
	struct arena *arena;
};

void uidset_init(struct uidset *s, struct arena *a);
struct uidset uidset_copy(const struct uidset *s, struct arena *a);

void uidset_add(struct uidset *s, uint32_t uid);
void uidset_add_range(struct uidset *s, uint32_t first, uint32_t last);
void uidset_remove(struct uidset *s, uint32_t uid);
bool uidset_has(const struct uidset *s, uint32_t uid);
bool uidset_empty(const struct uidset *s);
uint64_t uidset_count(const struct uidset *s);
uint32_t uidset_min(const struct uidset *s); /* 0 when empty */
uint32_t uidset_max(const struct uidset *s);
bool uidset_equal(const struct uidset *a, const struct uidset *b);

/* s becomes: s or o; s without o; s and o. */
void uidset_union(struct uidset *s, const struct uidset *o);
void uidset_subtract(struct uidset *s, const struct uidset *o);
void uidset_intersect(struct uidset *s, const struct uidset *o);

/* The n greatest members as a new set (all, if fewer). */
struct uidset uidset_greatest(const struct uidset *s, uint64_t n, struct arena *a);

/* Walks downwards: the greatest member below `uid` (start with UINT32_MAX + 1ull), 0 at the
 * end. */
uint32_t uidset_below(const struct uidset *s, uint64_t uid);
/* Walks upwards: the least member above `uid` (start with 0), 0 at the end. */
uint32_t uidset_above(const struct uidset *s, uint32_t uid);

/* RFC 3501 sequence-set text "1:5,7"; empty set: nothing is added. */
void uidset_format(const struct uidset *s, struct buf *b);
/* Reads the same; ranges in either order, '*' refused. RC_INVALID, RC_LIMIT past max_ranges. */
MUST_USE enum rc uidset_parse(struct uidset *s, struct str text, size_t max_ranges);

/* Compact bytes (varints of gaps and lengths, count first); decode consumes them from *in. */
void uidset_encode(const struct uidset *s, struct buf *b);
MUST_USE enum rc uidset_decode(struct uidset *s, struct str *in);

#endif
