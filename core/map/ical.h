/*
 * ical: the content lines of an iCalendar object (RFC 5545 3.1), to be looked at and edited one
 * by one. Our own, as vcard.h is for cards: what a library reads and writes again comes out
 * with values escaped another way, lists taken apart, and lines gone that it does not know.
 *
 * Each line keeps its bytes with folding and line end. Only what is set, added or removed
 * changes; writing an object gives all other lines back byte for byte. "raw" is a value as it
 * stands in an unfolded line, still escaped. Names are compared without regard to case. All
 * memory is the arena's.
 */
#ifndef EASPOOL_CORE_MAP_ICAL_H
#define EASPOOL_CORE_MAP_ICAL_H

#include "core/base/arena.h"
#include "core/base/err.h"

enum {
	ICAL_SIZE_MAX = 1024 * 1024,
	ICAL_LINES_MAX = 40000,
	ICAL_PARTS_MAX = 5000,
	ICAL_DEPTH_MAX = 8,
	ICAL_PARAMS_MAX = 64,
	ICAL_VALUES_MAX = 5000,
};

struct ical_line {
	struct ical_line *next, *prev;
	struct str raw;  /* with folding and line end */
	struct str name; /* empty: this is no property */
	struct str params;
	struct str value;       /* raw */
	struct ical_part *part; /* BEGIN: what it begins; else the one that it belongs to */
};

/* A component. */
struct ical_part {
	struct ical_part *up, *child, *next; /* child: the first one */
	struct str name;
	struct ical_line *begin, *end;
};

struct ical {
	struct arena *a;
	struct ical_line *first, *last;
	struct ical_part *root; /* VCALENDAR */
	struct str bytes;       /* as read */
	const char *eol;
	bool changed;
};

/* Borrows the bytes. RC_INVALID: this is no object. RC_LIMIT: beyond the bounds above. */
MUST_USE enum rc ical_read(struct str bytes, struct arena *a, struct ical *c, struct err *err);
/* The bytes as read when nothing was changed. */
struct str ical_write(const struct ical *c);
/* A component's bytes as they would be written. */
struct str ical_part_bytes(const struct ical *c, const struct ical_part *p);

/* The next property of that name behind `after`, NULL: the first one; of inner components none.
 * name NULL: any. */
struct ical_line *ical_find(
	const struct ical_part *p, const struct ical_line *after, const char *name);
/* The next component of that name inside p behind `after`. */
struct ical_part *ical_part_find(
	const struct ical_part *p, const struct ical_part *after, const char *name);

/* The first value of a parameter, unquoted; STR_NONE: it has no such parameter. */
struct str ical_param(const struct ical_line *l, const char *name, struct arena *a);
/* Clean text of a raw value; line ends are LF. */
struct str ical_decode(struct str raw, struct arena *a);
/* The same of a line; STR_NONE when there is none. */
struct str ical_text(const struct ical_line *l, struct arena *a);
struct str ical_encode(struct str text, struct arena *a);
/* A parameter's value, quoted where that is needed. */
struct str ical_quote(struct str text, struct arena *a);
/* The values of a list between commas, raw; at most ICAL_VALUES_MAX, the last with all that
 * follows. */
struct str *ical_split(struct str raw, size_t *n_r, struct arena *a);
struct str ical_join(const struct str *v, size_t n, struct arena *a);

/* Another value; name and parameters stay. */
void ical_set(struct ical *c, struct ical_line *l, struct str raw);
/* One parameter: another value, as it is to stand there; STR_NONE: without it. */
void ical_set_param(struct ical *c, struct ical_line *l, const char *name, struct str value);
/* A line "<head>:<raw>" at the end of the component's properties. */
struct ical_line *ical_add(
	struct ical *c, struct ical_part *p, struct str head, struct str raw);
void ical_remove(struct ical *c, struct ical_line *l);
/* The value in the first line of that name, in a new one if there is none; STR_NONE: all lines
 * of that name go. */
void ical_put(struct ical *c, struct ical_part *p, const char *name, struct str raw);

/* A component from its text (it must be one), the last of its kind's place or the end of p;
 * NULL: it cannot be read. */
struct ical_part *ical_part_add(struct ical *c, struct ical_part *p, struct str text);
void ical_part_remove(struct ical *c, struct ical_part *p);

#endif
