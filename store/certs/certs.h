/*
 * certs: X.509 certificates checked with OpenSSL, for S/MIME on phones: ValidateCert, and the
 * certificates that ResolveRecipients gives out.
 *
 * Roots come from certificate_ca_file, or are those of the system; revocation lists come from
 * certificate_crl_file, any number of them in one PEM file. Both are read when first needed and
 * again when a file has changed. Nothing is ever fetched from the network: CERT_NO_REVOCATION_-
 * SERVER does not occur, and neither does CERT_ADDRESS, since no address is given to compare.
 *
 * Time is clock_now(). A signature by MD5 or SHA-1, or with RSA below 1024 bits, is none
 * (security level 1 of OpenSSL). A certificate of more than 64 KB is CERT_INCORRECT; of the
 * chain the first 32 members are looked at, as far as they fit in 256 KB together.
 *
 * mini always answers STR_NONE: [MS-ASCMD] 2.2.3.112 says of MiniCertificate that it is a
 * mini-certificate BLOB in base64 and leaves open what is in it, and no published
 * document of the protocol defines it.
 */
#ifndef EASPOOL_STORE_CERTS_CERTS_H
#define EASPOOL_STORE_CERTS_CERTS_H

#include "core/model/certs.h"
#include "core/settings.h"

/* conf is borrowed. */
struct certs *certs_new(const struct settings *conf);
void certs_free(struct certs *c);

#endif
