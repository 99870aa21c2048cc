/*
 * certs: is a certificate good for signing and encrypting mail? Implemented by store/certs
 * (OpenSSL) and by tests/fake_certs.c. Certificates are X.509 in DER.
 */
#ifndef EASPOOL_CORE_MODEL_CERTS_H
#define EASPOOL_CORE_MODEL_CERTS_H

#include "core/base/arena.h"
#include "core/base/err.h"

/* [MS-ASCMD] 2.2.3.177.18; the numbers are those of the protocol. */
enum cert_verdict {
	CERT_VALID = 1,
	CERT_BAD_SIGNATURE = 3,
	CERT_UNTRUSTED = 4,
	CERT_BAD_CHAIN = 5,
	CERT_NOT_FOR_MAIL = 6,
	CERT_EXPIRED = 7,
	CERT_PERIODS = 8,
	CERT_WRONG_USE = 9,
	CERT_INCORRECT = 10,
	CERT_WRONG_ROLE = 11,
	CERT_ADDRESS = 12,
	CERT_REVOKED = 13,
	CERT_NO_REVOCATION_SERVER = 14,
	CERT_CHAIN_REVOKED = 15,
	CERT_REVOCATION_UNKNOWN = 16,
};

struct certs {
	const struct certs_ops *ops;
};

struct certs_ops {
	/*
	 * chain: further certificates that may lead to a trusted root, in any order.
	 * revocation: a certificate of which it is not known whether it is revoked is not
	 * valid. RC_UNAVAILABLE: the trusted roots or revocation lists cannot be read.
	 */
	enum rc (*check)(struct certs *c, struct str certificate, const struct str *chain,
		size_t nchain, bool revocation, enum cert_verdict *r, struct err *err);
	/*
	 * Of a person's certificates those that are good for encrypting mail now, in place, the
	 * one that is valid longest first; returns how many.
	 */
	size_t (*usable)(struct certs *c, struct str *v, size_t n);
	/* The certificate in the short form of [MS-ASCMD] 2.2.3.112 (MiniCertificate), into the
	 * arena; STR_NONE: there is none. */
	struct str (*mini)(struct certs *c, struct str certificate, struct arena *a);
};

#define certs_call(c, op, ...) ((c)->ops->op((c), __VA_ARGS__))

#endif
