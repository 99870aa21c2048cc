/*
 * utf8: text that may leave the house: valid UTF-8, only characters that XML 1.0 allows.
 */
#ifndef EASPOOL_CORE_BASE_UTF8_H
#define EASPOOL_CORE_BASE_UTF8_H

#include "core/base/arena.h"
#include "core/base/buf.h"
#include "core/base/stream.h"

/* Whether all of s is valid UTF-8 made of XML 1.0 characters. */
bool utf8_is_clean(struct str s);
/* Invalid sequences become U+FFFD, forbidden characters are left out. */
void utf8_clean(struct str s, struct buf *out);
/* The same; gives s itself when it is clean already. */
struct str utf8_cleaned(struct str s, struct arena *a);
/* The longest prefix of at most n bytes that does not end inside a character. */
struct str utf8_cut(struct str s, size_t n);
/* The same counted in characters. */
struct str utf8_cut_chars(struct str s, size_t chars);
size_t utf8_chars(struct str s);

/* A sink that hands on clean text of what passes, in pieces; utf8_sink_end writes the rest. */
struct utf8_sink {
	struct sink sink; /* first */
	struct sink *to;
	char rest[4]; /* the beginning of a character */
	size_t nrest;
};
void utf8_sink_init(struct utf8_sink *s, struct sink *to);
MUST_USE enum rc utf8_sink_end(struct utf8_sink *s, struct err *err);

#endif
