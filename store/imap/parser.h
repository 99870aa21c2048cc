/*
 * parser: IMAP responses (RFC 3501 section 9) to a small tree of values. Pure, bounded in depth
 * and in the number of values.
 */
#ifndef EASPOOL_STORE_IMAP_PARSER_H
#define EASPOOL_STORE_IMAP_PARSER_H

#include "core/base/arena.h"
#include "core/base/err.h"

enum imap_kind { IMAP_NIL, IMAP_ATOM, IMAP_STRING, IMAP_LIST };

struct imap_value {
	enum imap_kind kind;
	struct str text;          /* atom or string; an atom keeps its [section] and <origin> */
	struct imap_value *child; /* of a list */
	struct imap_value *next;
};

/* A whole response with its literals, without the "* " in front and the CRLF behind. Lists
 * inside an item of FETCH that are nested absurdly deep, or that follow an absurd number of
 * values, are there but empty. */
MUST_USE enum rc imap_parse(
	struct str response, struct arena *a, struct imap_value **first_r, struct err *err);

/* Bytes of the literal that a line announces at its end ("{12}", "{12+}", "~{12}"); false:
 * none. */
bool imap_literal(struct str line, uint64_t *n_r);

/* NULL-tolerant helpers. */
struct imap_value *imap_at(struct imap_value *list, size_t i);
struct str imap_text(const struct imap_value *v);           /* STR_NONE for NIL, lists, NULL */
bool imap_is(const struct imap_value *v, const char *atom); /* case ignored */

#endif
