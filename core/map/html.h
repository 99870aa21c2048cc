/*
 * html: between HTML and plain text. Any input, valid or not; work and output are bounded.
 */
#ifndef EASPOOL_CORE_MAP_HTML_H
#define EASPOOL_CORE_MAP_HTML_H

#include "core/base/arena.h"

/* Readable text of a UTF-8 HTML document, CRLF line ends, at most about max bytes (0: 16 MB).
 */
struct str html_to_text(struct str html, size_t max, struct arena *a);

/* Text as a small HTML document. */
struct str html_from_text(struct str text, struct arena *a);

/* At most n bytes of it without half a character, tag or entity at the end. */
struct str html_cut(struct str html, size_t n);

#endif
