/*
 * vcard: the content lines of a vCard (RFC 2425 5.8, RFC 2426, RFC 6350 3; 2.1 is read too), to
 * be looked at and edited one by one. Our own, because what there is as a library writes a card
 * afresh and so loses or reorders what it does not know.
 *
 * Each line keeps its bytes with folding and line end. Only what is set, added or removed
 * changes; writing a card gives all other lines back byte for byte, also those outside of
 * BEGIN and END and those of a card inside a card (AGENT of 2.1), which are never found.
 *
 * "raw" is a value or a component of one as it stands in an unfolded line, still escaped; of
 * 2.1 with quoted-printable and charset undone. Names, groups and types are compared without
 * regard to case. All memory is the arena's; a card whose lines were set belongs to it too.
 */
#ifndef EASPOOL_CORE_MAP_VCARD_H
#define EASPOOL_CORE_MAP_VCARD_H

#include "core/base/arena.h"
#include "core/base/err.h"

enum {
	VCARD_SIZE_MAX = 48 * 1024 * 1024, /* a picture in it may be PICTURE_BYTES_MAX */
	VCARD_LINES_MAX = 4000,
	VCARD_PARAMS_MAX = 64,
	VCARD_COMPONENTS_MAX = 32,
};

enum vcard_version { VCARD_21 = 21, VCARD_30 = 30, VCARD_40 = 40 };

struct vcard_line {
	struct vcard_line *next, *prev;
	struct str raw;   /* with folding and line end */
	struct str group; /* STR_NONE: none */
	struct str name;  /* empty: this is no property of the card */
	struct str params;
	struct str value; /* raw */
};

struct vcard {
	struct arena *a;
	enum vcard_version version; /* unknown ones are 3.0 */
	struct vcard_line *first;
	struct vcard_line *end; /* END:VCARD */
	struct str bytes;       /* as read */
	const char *eol;
	bool changed;
};

/* Borrows the bytes. RC_INVALID: this is no card. RC_LIMIT: beyond the bounds above. */
MUST_USE enum rc vcard_read(
	struct str bytes, struct arena *a, struct vcard *c, struct err *err);
/* BEGIN, VERSION and END. */
void vcard_new(enum vcard_version version, struct arena *a, struct vcard *c);
/* The bytes as read when nothing was changed. */
struct str vcard_write(const struct vcard *c);

/* The next line of that name behind `after`, NULL: the first one. NULL: there is none. */
struct vcard_line *vcard_find(
	const struct vcard *c, const struct vcard_line *after, const char *name);

/* The first value of a parameter, unquoted; STR_NONE: it has no such parameter. */
struct str vcard_param(const struct vcard_line *l, const char *name, struct arena *a);
/* Whether one of its types, or in 2.1 a parameter without a name, is this. */
bool vcard_is_type(const struct vcard_line *l, struct str type);

/* Clean text of a raw value; line ends are LF. */
struct str vcard_decode(const struct vcard *c, struct str raw);
struct str vcard_text(const struct vcard *c, const struct vcard_line *l);
/* The components of a raw value between separators (';' or ','), raw. How many. */
size_t vcard_split(struct str raw, char separator, struct str *v, size_t max);

/* Text as raw value, escaped as the version wants it. uri: semicolons stay, and commas but
 * in 3.0. */
struct str vcard_encode(const struct vcard *c, struct str text, bool uri);
/* Components joined, without empty ones at the end beyond `least`. */
struct str vcard_join(
	const struct vcard *c, const struct str *v, size_t n, size_t least, char separator);

/*
 * Another value. Group, name and parameters stay, but for those of encoding and those in
 * `drop`, which ends with NULL and may be NULL.
 */
void vcard_set(struct vcard *c, struct vcard_line *l, struct str raw, const char *const *drop);
/* A line "<head>:<raw>", e.g. head "TEL;TYPE=WORK", before a line of the card; NULL: at its
 * end. */
struct vcard_line *vcard_add(
	struct vcard *c, struct vcard_line *before, struct str head, struct str raw);
/* The line, and what Apple says of its group (X-ABLabel, X-ABADR) when that has no other. */
void vcard_remove(struct vcard *c, struct vcard_line *l);
/* Two lines of the card change places. */
void vcard_swap(struct vcard *c, struct vcard_line *l, struct vcard_line *with);

#endif
