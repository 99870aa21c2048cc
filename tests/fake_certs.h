/*
 * fake_certs: certificates behind core/model/certs.h whose fate a test decides. The bytes of a
 * certificate may be anything; those that were never added are CERT_INCORRECT. What the real
 * store says of the same questions is in test_certs.c.
 */
#ifndef EASPOOL_TESTS_FAKE_CERTS_H
#define EASPOOL_TESTS_FAKE_CERTS_H

#include "core/model/certs.h"

struct fake_certs;

struct fake_certs *fake_certs_new(void);
void fake_certs_free(struct fake_certs *fc);
struct certs *fake_certs_certs(struct fake_certs *fc);

/* A certificate and what is to be said of it; until: the last second of its validity. It is
 * usable when its verdict is CERT_VALID and clock_now() is not past that; past it check says
 * CERT_EXPIRED. Again: replaces. */
void fake_certs_add(struct fake_certs *fc, struct str certificate, enum cert_verdict verdict,
	int64_t until);
/* Without `issuer` in the chain that is given with it, it is CERT_UNTRUSTED. */
void fake_certs_needs(struct fake_certs *fc, struct str certificate, struct str issuer);
/* Nobody knows whether it is revoked. */
void fake_certs_unknown(struct fake_certs *fc, struct str certificate);
/* mini gives "mini:" and the certificate; before this it gives STR_NONE, like the real store.
 */
void fake_certs_mini(struct fake_certs *fc);
/* The n-th check from now (1: the next) returns RC_UNAVAILABLE, once. 0: never. */
void fake_certs_fail_after(struct fake_certs *fc, unsigned n);
/* Checks so far. */
unsigned fake_certs_calls(const struct fake_certs *fc);

#endif
