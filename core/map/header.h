/*
 * header: raw header fields of a message to clean UTF-8, RFC 5322, RFC 2047. Any input.
 */
#ifndef EASPOOL_CORE_MAP_HEADER_H
#define EASPOOL_CORE_MAP_HEADER_H

#include "core/base/arena.h"

struct address {
	struct str name; /* decoded, may be empty */
	struct str addr; /* bare */
};

struct addresses {
	struct address *v;
	size_t n;
};

/* The value of the first field of that name, unfolded, not decoded; STR_NONE. */
struct str header_raw(struct str fields, const char *name, struct arena *a);
/* The same decoded: encoded words, 8-bit bytes of any charset. */
struct str header_text(struct str fields, const char *name, struct arena *a);
/* A value decoded on its own (file names in encoded words). */
struct str header_decode(struct str raw, struct arena *a);

/* The mailboxes of a field, groups opened. */
struct addresses header_addresses(struct str fields, const char *name, struct arena *a);
/* `"Name" <addr>, ...`, cut at a comma before max bytes. */
struct str header_address_list(const struct addresses *list, size_t max, struct arena *a);

/* The subject without reply and forward prefixes, [MS-ASEMAIL] ThreadTopic. */
struct str header_topic(struct str subject);

#endif
