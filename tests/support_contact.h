/*
 * support_contact: random contacts as phones and as address books write them, from a seed, and
 * what must be the same of them afterwards.
 */
#ifndef EASPOOL_TESTS_SUPPORT_CONTACT_H
#define EASPOOL_TESTS_SUPPORT_CONTACT_H

#include "core/map/contact.h"

struct chance {
	uint64_t state;
};
struct chance chance_of(uint64_t seed);
/* 0 to n - 1. */
unsigned chance(struct chance *r, unsigned n);

/* Programs that write cards, each in its own way. */
enum card_writer {
	CARD_RADICALE,
	CARD_APPLE,
	CARD_GOOGLE,
	CARD_CARDBOOK,
	CARD_EVOLUTION,
	CARD_NEXTCLOUD,
	CARD_WRITERS,
};
extern const char *const card_writer_names[CARD_WRITERS];

/* A card with its uid, and the lines in it that no device has an element for, in their order
 * (each as it stands in the card); foreign_r may be NULL. */
struct str contact_random_card(struct chance *r, enum card_writer writer, struct str uid,
	struct arena *a, struct str **foreign_r, size_t *nforeign_r);

/* An ApplicationData of a phone, in the text form of core/wire/dump.h. Properties that are
 * several of a kind (addresses, numbers) are filled from the first on, as phones do. */
struct str contact_random_data(struct chance *r, enum eas_version v, struct arena *a);

/* What a device is sent of a card, as a tree; NULL and *err set: it is sent nothing. */
struct elem *contact_sent(
	struct str card, const struct email_options *o, struct arena *a, struct err *err);
/* Text to a tree; fails the running test when it is none. */
struct elem *contact_tree(struct str text, struct arena *a);
struct str contact_text_of(const struct elem *data, struct arena *a);

/*
 * Whether two devices have the same contact. Not compared: the order of elements and of names
 * in lists, FileAs where one has none, sizes of bodies. *what_r: the first element that
 * differs.
 */
bool contact_same(
	const struct elem *x, const struct elem *y, struct arena *a, struct str *what_r);
/* The text of one property, of a body its Data; empty: none. */
struct str contact_property_text(const struct elem *data, tag_t tag, struct arena *a);

/* Whether these lines stand in the card in this order; *missing_r: the first that does not. */
bool contact_keeps(struct str card, const struct str *lines, size_t n, struct str *missing_r);
/* The names of lines ("TEL FN REV") that stand in one card and not in the other. */
struct str contact_changed_lines(struct str before, struct str after, struct arena *a);

#endif
