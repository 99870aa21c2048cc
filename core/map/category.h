/*
 * category: names of categories as phones know them to and from IMAP keywords, which are atoms
 * of ASCII (RFC 3501 formal syntax): a space is '_', what no atom can hold is modified UTF-7
 * between '&' and '-'. The five labels that Thunderbird made have names of their own.
 */
#ifndef EASPOOL_CORE_MAP_CATEGORY_H
#define EASPOOL_CORE_MAP_CATEGORY_H

#include "core/base/arena.h"

/* STR_NONE for a keyword that is none: those with $ in front, and what spam filters write. */
struct str category_of_keyword(struct str keyword, struct arena *a);
struct str category_keyword(struct str name, struct arena *a);
/* A number for a set of keywords, 0 when none of them is a category; their order does not
 * matter. */
uint32_t category_hash(struct str keywords);

#endif
