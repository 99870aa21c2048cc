/*
 * mail_moves: a device knows what it moved itself: its states of both folders are told, so that
 * it hears neither of a Delete nor of an Add.
 */
#ifndef EASPOOL_CORE_SYNC_MAIL_MOVES_H
#define EASPOOL_CORE_SYNC_MAIL_MOVES_H

#include "core/model/mail.h"
#include "core/model/state.h"

MUST_USE enum rc mail_moves_known(struct state *s, const struct account *ac,
	const struct device *d, struct str source, struct str target, const struct mail_move *v,
	size_t n, struct arena *a, struct err *err);

#endif
