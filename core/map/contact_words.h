/*
 * contact_words: what is found in a contact.
 */
#ifndef EASPOOL_CORE_MAP_CONTACT_WORDS_H
#define EASPOOL_CORE_MAP_CONTACT_WORDS_H

#include "core/base/arena.h"

/*
 * Whether each of the words stands somewhere in what a person reads of the card (names,
 * addresses, numbers, notes ...), as a word or a part of one, without regard to case. False of
 * what cannot be read as a card.
 */
bool contact_says(struct str card, const struct str *words, size_t n, struct arena *a);
/* Whether each of the words begins a word of a name, or an address: who is called so. */
bool contact_is_called(struct str card, const struct str *words, size_t n, struct arena *a);

#endif
