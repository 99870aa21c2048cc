/*
 * item_moves: an item goes to another collection. A try that died half way and comes again ends
 * the same way.
 */
#ifndef EASPOOL_CORE_SYNC_ITEM_MOVES_H
#define EASPOOL_CORE_SYNC_ITEM_MOVES_H

#include "core/sync/item_source.h"

/* RC_ABSENT: there is no such item; RC_DENIED, RC_INVALID: the server does not want it. */
MUST_USE enum rc item_move(struct item_source *from, uint32_t number, struct item_source *to,
	uint32_t *new_number_r, struct err *err);

#endif
