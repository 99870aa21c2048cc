/*
 * utf7: mailbox names in modified UTF-7, RFC 3501 section 5.1.3.
 */
#ifndef EASPOOL_CORE_BASE_UTF7_H
#define EASPOOL_CORE_BASE_UTF7_H

#include "core/base/arena.h"

struct str utf7_encode(struct str utf8, struct arena *a);
/* The same where only the bytes that `direct` lets through stand for themselves. */
struct str utf7_encode_with(struct str utf8, bool (*direct)(unsigned char c), struct arena *a);
/* What is not valid stays as it is. */
struct str utf7_decode(struct str name, struct arena *a);

#endif
