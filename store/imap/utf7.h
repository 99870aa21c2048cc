/*
 * utf7: mailbox names in modified UTF-7, RFC 3501 section 5.1.3.
 */
#ifndef EASPOOL_STORE_IMAP_UTF7_H
#define EASPOOL_STORE_IMAP_UTF7_H

#include "core/base/arena.h"

struct str utf7_encode(struct str utf8, struct arena *a);
/* What is not valid stays as it is. */
struct str utf7_decode(struct str name, struct arena *a);

#endif
