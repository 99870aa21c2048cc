/*
 * contact_person: a contact as the address book of a company would tell of it.
 */
#ifndef EASPOOL_CORE_MAP_CONTACT_PERSON_H
#define EASPOOL_CORE_MAP_CONTACT_PERSON_H

#include "core/model/directory.h"

/* Name, addresses and picture; in the arena. False: it is no card, or nobody who has an
 * address. */
bool contact_person(struct str card, struct arena *a, struct person *r);

#endif
