/*
 * support_certs: a certificate authority for tests, in memory, made anew each time.
 * Certificates are known by their common name; keys are P-256, so that making one takes no
 * time.
 */
#ifndef EASPOOL_TESTS_SUPPORT_CERTS_H
#define EASPOOL_TESTS_SUPPORT_CERTS_H

#include "core/base/str.h"

/* The time of these tests, and the usual validity around it. */
#define CERTS_NOW   INT64_C(1900000000)
#define CERTS_FROM  (CERTS_NOW - 86400)
#define CERTS_UNTIL (CERTS_NOW + 86400)

struct maker;

struct maker *maker_new(void);
void maker_free(struct maker *m);

struct maker_spec {
	const char *name;    /* also of its issuer for those that follow */
	const char *issuer;  /* NULL: itself */
	int64_t from, until; /* 0: CERTS_FROM, CERTS_UNTIL */
	/* Extensions as in a file for openssl; NULL: not there. */
	const char *basic, *usage, *extended, *critical;
	bool broken;    /* its signature is not that of its content */
	bool impostor;  /* signed with another key than that of the issuer, named like it */
	bool weak_hash; /* SHA-1 */
};

/* The certificate in DER, which lives as long as m. */
struct str maker_add(struct maker *m, const struct maker_spec *s);
struct str maker_der(struct maker *m, const char *name);

/* Writes these certificates as PEM; the names end in NULL. */
void maker_write(struct maker *m, const char *path, const char *const *names);
/* Adds to the file a list of that issuer which revokes these. until: its nextUpdate. */
void maker_write_list(struct maker *m, const char *path, const char *issuer,
	const char *const *revoked, int64_t until);

#endif
