/*
 * secret: a credential. Cleared when released, compared in constant time, never logged.
 */
#ifndef EASPOOL_CORE_BASE_SECRET_H
#define EASPOOL_CORE_BASE_SECRET_H

#include "core/base/str.h"

struct secret {
	char *p; /* NUL-terminated; NULL: none */
	size_t n;
};

void secret_set(struct secret *s, struct str text); /* releases what it held */
void secret_release(struct secret *s);
bool secret_equal(const struct secret *a, const struct secret *b);

#endif
