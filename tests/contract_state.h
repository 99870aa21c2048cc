/*
 * contract_state: what core/model/state.h promises, checked over any store. The fake and
 * PostgreSQL have to pass the same checks.
 */
#ifndef EASPOOL_TESTS_CONTRACT_STATE_H
#define EASPOOL_TESTS_CONTRACT_STATE_H

#include "core/model/state.h"

/* Fails the running test where a promise is broken. login: a user nobody has seen. */
void contract_state(struct state *s, const char *login);

#endif
