/*
 * item_window: which items a FilterType lets through ([MS-ASCMD] 2.2.3.68.2), of classes whose
 * items come to an end: those that end after the beginning of the window, and all that is to
 * come. The server is asked which these are when the filter changes, and once a day for what
 * has become too old since. In between, what changed is judged by what it says itself.
 */
#ifndef EASPOOL_CORE_SYNC_ITEM_WINDOW_H
#define EASPOOL_CORE_SYNC_ITEM_WINDOW_H

#include "core/sync/item_source.h"
#include "core/sync/item_state.h"

/* Whether the class knows that FilterType. */
bool item_window_filter(const struct item_class *class, uint32_t filter);

/*
 * Brings the state's window up to date: one trip for each collection when the filter is another
 * than before, other collections are shown (`others`), or (with `age`) the day is another. What
 * came into the window is then pending, what fell out of it is `aged`. A server that cannot
 * tell lets everything through, and each item is judged when it is read.
 */
MUST_USE enum rc item_window_look(struct item_source *src, struct item_state *st,
	unsigned filter, bool others, bool age, struct err *err);

/* Whether the item is known to be outside, at the version that it has. */
bool item_window_hides(const struct item_state *st, const struct item *it);
/* Whether what an object says puts it outside. */
bool item_window_passed(const struct item_source *src, const struct item_state *st,
	struct str bytes, struct arena *a);

#endif
