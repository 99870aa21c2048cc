/*
 * contract_state: what core/model/state.h promises, checked over any store. The fake and
 * PostgreSQL have to pass the same checks.
 */
#ifndef EASPOOL_TESTS_CONTRACT_STATE_H
#define EASPOOL_TESTS_CONTRACT_STATE_H

#include "core/model/state.h"

/* Fails the running test where a promise is broken. login: a user nobody has seen. */
void contract_state(struct state *s, const char *login);
/* The part of it that is about shadows and items; contract_items.c. */
void contract_items(struct state *s, const char *login);
/* What is gone is forgotten in the end. later: lets 31 days pass. */
void contract_items_forgotten(
	struct state *s, const char *login, void (*later)(void *), void *ctx);

#endif
