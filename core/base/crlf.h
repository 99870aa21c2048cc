/*
 * crlf: a source whose lines all end in CRLF, whatever the line ends of the one behind it. Its
 * size is exact: opening reads the source once.
 */
#ifndef EASPOOL_CORE_BASE_CRLF_H
#define EASPOOL_CORE_BASE_CRLF_H

#include "core/base/stream.h"

struct crlf_source {
	struct source source; /* first */
	struct source *from;
	char in[4096];
	size_t n, at;
	char last;
	bool pending; /* a LF waits whose CR was just given */
};

/* `from` is borrowed for as long as s is used. */
MUST_USE enum rc crlf_source_open(struct crlf_source *s, struct source *from, struct err *err);

#endif
