/*
 * rtf: the text of rich text, as old phones send notes: RTF 1.9.1, compressed as [MS-OXRTFCP]
 * says. What cannot be shown as text (pictures, objects, tables of fonts) is left out.
 */
#ifndef EASPOOL_CORE_MAP_RTF_H
#define EASPOOL_CORE_MAP_RTF_H

#include "core/base/arena.h"
#include "core/base/rc.h"

/* Larger rich text is none: RC_LIMIT. */
#define RTF_MAX (1024u * 1024)

/* Undoes the compression. RC_INVALID: it is none. The checksum, which not every phone gets
 * right, does not matter. */
MUST_USE enum rc rtf_decompress(struct str bytes, struct arena *a, struct str *rtf_r);
/* Clean UTF-8 with LF line ends. RC_INVALID: it does not begin as rich text does. */
MUST_USE enum rc rtf_to_text(struct str rtf, struct arena *a, struct str *text_r);

#endif
