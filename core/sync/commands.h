/*
 * commands: the writer of airsync:Commands of one round ([MS-ASCMD] 2.2.3.32): what the server
 * tells a device, until the window, the time or the room for it is used up.
 */
#ifndef EASPOOL_CORE_SYNC_COMMANDS_H
#define EASPOOL_CORE_SYNC_COMMANDS_H

#include "core/base/arena.h"
#include "core/wire/writer.h"

struct commands {
	/* In */
	struct wbxml_writer *w;
	struct arena *a;   /* of ServerIds */
	struct str folder; /* CollectionId */
	unsigned window;   /* most commands */
	int64_t deadline_ms;
	uint64_t bytes; /* the document may grow to this size */
	/* Out */
	unsigned sent;
	/* The writer's own. */
	bool open, was_open;
	struct wbxml_mark mark;
	tag_t what;
};

/* Nothing more fits. However slow or large: the first one does, or a device would never come
 * to an end; but none with a window of 0. */
bool commands_full(const struct commands *c);
/* How many more the window takes. */
unsigned commands_left(const struct commands *c);
/* The ServerId of an item of the folder, in the arena. */
struct str commands_id(const struct commands *c, uint32_t number);

/* An Add or a Change: it is begun, the caller writes the children of ApplicationData, and then
 * either ends it or takes it back as if nothing had been written. */
void commands_begin(struct commands *c, tag_t what, uint32_t number);
void commands_end(struct commands *c);
void commands_take_back(struct commands *c);
/* A Delete or SoftDelete. */
void commands_gone(struct commands *c, tag_t what, uint32_t number);

/* Ends airsync:Commands, if it was begun at all. */
void commands_close(struct commands *c);

#endif
