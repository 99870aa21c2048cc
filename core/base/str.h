/*
 * str: a borrowed slice of bytes. It owns nothing, may hold NUL, and need not end in one.
 * {NULL, 0} is "not there"; an empty but present text has a non-NULL p.
 */
#ifndef EASPOOL_CORE_BASE_STR_H
#define EASPOOL_CORE_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct str {
	const char *p;
	size_t n;
};

#define STR_NONE ((struct str){NULL, 0})
/* A slice of a string literal. */
#define STR(lit) ((struct str){"" lit, sizeof(lit) - 1})
/* For printf("%.*s"). */
#define STR_FMT(s) (int)(s).n, (s).p ? (s).p : ""

/* The slice of a C string; NULL gives STR_NONE. */
struct str str_of(const char *c);

bool str_eq(struct str a, struct str b);
bool str_is(struct str a, const char *c); /* equal to a C string */
bool str_ieq(struct str a, struct str b); /* ASCII case ignored */
bool str_iis(struct str a, const char *c);
bool str_starts(struct str s, const char *prefix);
bool str_istarts(struct str s, const char *prefix);
int str_cmp(struct str a, struct str b); /* memcmp order, shorter first */

/* Without ASCII white space at both ends. */
struct str str_trim(struct str s);

/* The rest from offset `from` (clamped), at most n bytes. */
struct str str_sub(struct str s, size_t from, size_t n);

/* Index of the first byte c, or s.n. */
size_t str_find(struct str s, char c);
/* Index of the first occurrence of `what`, or s.n. ASCII case ignored in str_ifind. */
size_t str_search(struct str s, struct str what);
size_t str_isearch(struct str s, struct str what);

/* Cuts the next field ending at `sep` off *rest; false when *rest is STR_NONE (all were read).
 */
bool str_next(struct str *rest, char sep, struct str *field_r);

/* Decimal digits only, the whole slice, no sign, no overflow; false and *n_r untouched
 * otherwise. */
bool str_u64(struct str s, uint64_t *n_r);
bool str_u32(struct str s, uint32_t *n_r);

#endif
