/*
 * fake_state: what core/model/state.h promises, kept in memory, for unit tests. The same
 * contract (contract_state.h) runs over it and over PostgreSQL. One account and its devices
 * are made when first seen, as in the real store.
 */
#ifndef EASPOOL_TESTS_FAKE_STATE_H
#define EASPOOL_TESTS_FAKE_STATE_H

#include "core/model/state.h"

struct fake_state;

struct fake_state *fake_state_new(void);
void fake_state_free(struct fake_state *fs);
struct state *fake_state_state(struct fake_state *fs);

/* What an administrator does. max: 0 is no limit. */
void fake_state_entitle(struct fake_state *fs, const char *login, enum entitlement e);
void fake_state_max_devices(struct fake_state *fs, unsigned max);
void fake_state_ceiling(struct fake_state *fs, const char *login, enum eas_version v);
void fake_state_access(struct fake_state *fs, const char *device_id, enum device_access access);
void fake_state_forget_device(struct fake_state *fs, const char *device_id);
/* What is stored of a device; borrowed. */
const struct device *fake_state_device(struct fake_state *fs, const char *device_id);
/* How many items were recorded as impossible to show. */
size_t fake_state_skipped(struct fake_state *fs);

/* The n-th call of an op from now (1: the next) returns RC_UNAVAILABLE once; with `after` its
 * work was done nevertheless. 0: never. */
void fake_state_fail_after(struct fake_state *fs, unsigned n, bool after);
unsigned fake_state_calls(struct fake_state *fs);
/* Collections and ClientIds that are taken and not given back: 0 between requests. */
size_t fake_state_taken(struct fake_state *fs);

/* Whether a listener is at work: what was noted of folders counts. */
void fake_state_cover(struct fake_state *fs, bool covered);

/* What easctl user home and easctl item retry do. */
void fake_state_home(struct fake_state *fs, const char *login, const char *home);
void fake_state_retry(struct fake_state *fs);

#endif
