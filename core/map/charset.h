/*
 * charset: text in any charset to clean UTF-8 (utf8.h). Never fails: an unknown or wrong
 * charset falls back to UTF-8 where the bytes are valid UTF-8, else to windows-1252. B20372,
 * B20052, C112.
 */
#ifndef EASPOOL_CORE_MAP_CHARSET_H
#define EASPOOL_CORE_MAP_CHARSET_H

#include "core/base/arena.h"

struct str charset_to_utf8(struct str bytes, struct str charset, struct arena *a);

#endif
