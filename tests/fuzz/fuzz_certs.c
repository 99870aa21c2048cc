/* Anything as a certificate, as its own chain, and as one to encrypt with. */
#include "core/base/clock.h"
#include "store/certs/certs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct settings conf = {
		.certificate_ca_file = {"", 0},
                  .certificate_crl_file = {"", 0}
        };
	static struct certs *certs;
	struct str der = {(const char *)data, size}, v[] = {der, der};
	enum cert_verdict r;

	if (!certs)
		certs = certs_new(&conf);
	clock_set_fake(1900000000000);
	for (int revocation = 0; revocation < 2; revocation++)
		(void)(certs_call(certs, check, der, v, 2, revocation, &r, NULL) == RC_OK);
	(void)certs_call(certs, usable, v, 2);
	return 0;
}
