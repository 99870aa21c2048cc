/*
 * content_line: what the lines of vCard and iCalendar (RFC 6350 3.3, RFC 5545 3.1) have in
 * common.
 */
#ifndef EASPOOL_CORE_MAP_CONTENT_LINE_H
#define EASPOOL_CORE_MAP_CONTENT_LINE_H

#include "core/base/arena.h"
#include "core/base/buf.h"

/* Where the next field ends: at `separator` or the end, not inside quotes. */
size_t content_field_end(struct str s, char separator);
/* Cuts the next field off; false when all were read. */
bool content_next_field(struct str *rest, char separator, struct str *field_r);
/* A parameter's value without the escapes of RFC 6868. */
struct str content_caret_decoded(struct str s, struct arena *a);

#endif
