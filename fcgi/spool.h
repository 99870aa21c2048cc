/*
 * spool: bytes that may be many. Up to a megabyte they stay in memory, then they go to a file
 * without a name.
 */
#ifndef EASPOOL_FCGI_SPOOL_H
#define EASPOOL_FCGI_SPOOL_H

#include "core/base/stream.h"

struct spool {
	struct sink sink; /* first */
	struct buf mem;
	const char *dir;
	int fd;        /* -1: all in memory */
	uint64_t size; /* bytes taken */
	void *map;
	size_t mapped;
};

void spool_init(struct spool *s, const char *dir);
void spool_release(struct spool *s);
void spool_reset(struct spool *s);
/* All of it; a file is mapped. Valid until release or reset. */
MUST_USE enum rc spool_bytes(struct spool *s, struct str *r, struct err *err);
/* Bytes in front of `upto` will not be read again: their pages may go. */
void spool_passed(struct spool *s, const char *upto);

#endif
