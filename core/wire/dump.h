/*
 * dump: WBXML documents as readable text and back, for logs, golden files and the test device.
 *
 *     airsync:Sync
 *       airsync:Collections
 *         airsync:SyncKey "0"
 *         airsync:MoreAvailable
 *         email2:ConversationId x"00ff"
 *
 * One element a line, two spaces a level; text in double quotes with \" \\ \n \r \t \xNN;
 * opaque bytes as x"hex". A line beginning with '#' and an empty line are comments when read.
 */
#ifndef EASPOOL_CORE_WIRE_DUMP_H
#define EASPOOL_CORE_WIRE_DUMP_H

#include "core/base/buf.h"
#include "core/wire/elem.h"
#include "core/wire/writer.h"

struct dump_options {
	size_t max_text;  /* longer values are cut: "abc"... (120 more bytes); 0: no limit */
	bool hide_bodies; /* message bodies, subjects, addresses and passwords as <n bytes> */
};

void dump_elem(const struct elem *root, const struct dump_options *o, struct buf *out);

/* Text to a tree in `a`; RC_INVALID with the line number. */
MUST_USE enum rc dump_parse(
	struct str text, struct arena *a, struct elem **root_r, struct err *err);

/* A tree as WBXML. */
void dump_encode(const struct elem *root, struct wbxml_writer *w);
/* Tells one tree from another; nothing that an attacker could not imitate. */
uint64_t dump_digest(const struct elem *root);

#endif
