/*
 * sync_key: SyncKeys are "<epoch>-<generation>" of one (device, collection),
 * [MS-ASCMD] 2.2.3.166. The epoch is random and new with every SyncKey 0, so that a key from
 * before a reset never fits by chance.
 */
#ifndef EASPOOL_CORE_SYNC_SYNC_KEY_H
#define EASPOOL_CORE_SYNC_SYNC_KEY_H

#include "core/model/state.h"

enum sync_key_fit {
	SYNC_KEY_ZERO,     /* "0": (re)start */
	SYNC_KEY_CURRENT,  /* the last key given out */
	SYNC_KEY_PREVIOUS, /* the one before: the answer was lost, give it again */
	SYNC_KEY_WRONG,    /* anything else */
};

/* How a key that a device sent stands to what is stored. */
enum sync_key_fit sync_key_fit(struct str text, const struct collection *c);

/* The text of a key. */
struct str sync_key_format(struct arena *a, uint32_t epoch, uint32_t generation);

/* A new random epoch, never 0. */
uint32_t sync_key_epoch(void);

#endif
