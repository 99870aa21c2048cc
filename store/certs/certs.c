#include "store/certs/certs.h"

#include "core/base/clock.h"

#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
	CERT_BYTES_MAX = 64 * 1024,
	CHAIN_MAX = 32,
	CHAIN_BYTES_MAX = 256 * 1024,
	DEPTH_MAX = 10,
	USABLE_MAX = 100,
	SECURITY_LEVEL = 1,
};

/* What a file looked like when it was read. */
struct stamp {
	struct timespec changed;
	off_t size;
	ino_t inode;
};

struct openssl_certs {
	struct certs certs; /* first */
	const struct settings *conf;
	X509_STORE *store; /* NULL: not read yet */
	struct stamp roots, lists;
};

static const char *reason(void)
{
	const char *why = ERR_reason_error_string(ERR_peek_last_error());

	return why ? why : "there is nothing in it";
}

/* The queue of OpenSSL is shared with libcurl, which takes what it finds there for its own. */
static void forget_errors(void)
{
	ERR_clear_error();
}

/*
 * Trusted roots and revocation lists
 */

/* Settings end in a NUL. */
static const char *path_of(struct str setting)
{
	return setting.n ? setting.p : "";
}

static enum rc look(const char *path, struct stamp *r, struct err *err)
{
	struct stat st;

	*r = (struct stamp){.size = 0};
	if (!*path)
		return RC_OK;
	if (stat(path, &st) != 0)
		return err_set(
			err, RC_UNAVAILABLE, "could not read %s: %s", path, strerror(errno));
	*r = (struct stamp){st.st_mtim, st.st_size, st.st_ino};
	return RC_OK;
}

static bool same(const struct stamp *a, const struct stamp *b)
{
	return a->changed.tv_sec == b->changed.tv_sec &&
	       a->changed.tv_nsec == b->changed.tv_nsec && a->size == b->size &&
	       a->inode == b->inode;
}

static enum rc fill(X509_STORE *store, const char *roots, const char *lists, struct err *err)
{
	X509_LOOKUP *files = X509_STORE_add_lookup(store, X509_LOOKUP_file());

	if (!files)
		return err_set(err, RC_INTERNAL, "could not read certificates: %s", reason());
	if (!*roots && !X509_STORE_set_default_paths(store))
		return err_set(err, RC_UNAVAILABLE,
			"could not read the certificates of the system: %s", reason());
	if (*roots && X509_load_cert_file(files, roots, X509_FILETYPE_PEM) <= 0)
		return err_set(err, RC_UNAVAILABLE, "could not read certificates in %s: %s",
			roots, reason());
	if (*lists && X509_load_crl_file(files, lists, X509_FILETYPE_PEM) <= 0)
		return err_set(err, RC_UNAVAILABLE, "could not read revocation lists in %s: %s",
			lists, reason());
	return RC_OK;
}

static void close_store(struct openssl_certs *oc)
{
	X509_STORE_free(oc->store);
	oc->store = NULL;
}

/* The store, read again when a file is not the one that was read. */
static enum rc open_store(struct openssl_certs *oc, struct err *err)
{
	const char *roots = path_of(oc->conf->certificate_ca_file);
	const char *lists = path_of(oc->conf->certificate_crl_file);
	struct stamp r, l;
	enum rc rc = look(roots, &r, err);

	if (rc == RC_OK)
		rc = look(lists, &l, err);
	if (rc)
		return rc;
	if (oc->store && same(&r, &oc->roots) && same(&l, &oc->lists))
		return RC_OK;
	close_store(oc);
	oc->store = X509_STORE_new();
	if (!oc->store)
		abort();
	rc = fill(oc->store, roots, lists, err);
	if (rc) {
		close_store(oc);
		return rc;
	}
	oc->roots = r;
	oc->lists = l;
	return RC_OK;
}

/*
 * Verdicts
 */

/*
 * What OpenSSL finds, and the Status for it, [MS-ASCMD] 2.2.3.177.18: when the certificate
 * itself has it, and when one of its issuers has it. Of several findings the first in this
 * order is told, and of equal ones that of the certificate itself. The last ones only say that
 * revocation is not known.
 */
static const struct finding {
	int error;
	enum cert_verdict own, issuer;
} findings[] = {
	{X509_V_ERR_CERT_SIGNATURE_FAILURE,             CERT_BAD_SIGNATURE,      CERT_BAD_CHAIN         },
	{X509_V_ERR_UNABLE_TO_DECRYPT_CERT_SIGNATURE,   CERT_BAD_SIGNATURE,      CERT_BAD_CHAIN         },
	{X509_V_ERR_UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY, CERT_BAD_SIGNATURE,      CERT_BAD_CHAIN         },
	{X509_V_ERR_SIGNATURE_ALGORITHM_MISMATCH,       CERT_BAD_SIGNATURE,      CERT_BAD_CHAIN         },
	{X509_V_ERR_CA_MD_TOO_WEAK,                     CERT_BAD_SIGNATURE,      CERT_BAD_CHAIN         },
	{X509_V_ERR_CA_KEY_TOO_SMALL,                   CERT_BAD_SIGNATURE,      CERT_BAD_CHAIN         },
	{X509_V_ERR_EE_KEY_TOO_SMALL,                   CERT_INCORRECT,          CERT_BAD_CHAIN         },
	{X509_V_ERR_ERROR_IN_CERT_NOT_BEFORE_FIELD,     CERT_INCORRECT,          CERT_BAD_CHAIN         },
	{X509_V_ERR_ERROR_IN_CERT_NOT_AFTER_FIELD,      CERT_INCORRECT,          CERT_BAD_CHAIN         },
	{X509_V_ERR_INVALID_EXTENSION,                  CERT_INCORRECT,          CERT_BAD_CHAIN         },
	{X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION,       CERT_INCORRECT,          CERT_BAD_CHAIN         },
	{X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT,        CERT_UNTRUSTED,          CERT_UNTRUSTED         },
	{X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN,          CERT_UNTRUSTED,          CERT_UNTRUSTED         },
	{X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT,          CERT_UNTRUSTED,          CERT_UNTRUSTED         },
	{X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,  CERT_UNTRUSTED,          CERT_UNTRUSTED         },
	{X509_V_ERR_CERT_UNTRUSTED,                     CERT_UNTRUSTED,          CERT_UNTRUSTED         },
	{X509_V_ERR_CERT_REJECTED,                      CERT_UNTRUSTED,          CERT_UNTRUSTED         },
	{X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE,    CERT_UNTRUSTED,          CERT_UNTRUSTED         },
	{X509_V_ERR_CERT_CHAIN_TOO_LONG,                CERT_BAD_CHAIN,          CERT_BAD_CHAIN         },
	{X509_V_ERR_CERT_REVOKED,                       CERT_REVOKED,            CERT_CHAIN_REVOKED     },
	{X509_V_ERR_INVALID_CA,                         CERT_WRONG_ROLE,         CERT_WRONG_ROLE        },
	{X509_V_ERR_INVALID_NON_CA,                     CERT_WRONG_ROLE,         CERT_WRONG_ROLE        },
	{X509_V_ERR_PATH_LENGTH_EXCEEDED,               CERT_WRONG_ROLE,         CERT_WRONG_ROLE        },
	{X509_V_ERR_KEYUSAGE_NO_CERTSIGN,               CERT_WRONG_ROLE,         CERT_WRONG_ROLE        },
	{X509_V_ERR_INVALID_PURPOSE,                    CERT_NOT_FOR_MAIL,       CERT_WRONG_USE         },
	{X509_V_ERR_PERMITTED_VIOLATION,                CERT_BAD_CHAIN,          CERT_BAD_CHAIN         },
	{X509_V_ERR_EXCLUDED_VIOLATION,                 CERT_BAD_CHAIN,          CERT_BAD_CHAIN         },
	{X509_V_ERR_CERT_HAS_EXPIRED,                   CERT_EXPIRED,            CERT_PERIODS           },
	{X509_V_ERR_CERT_NOT_YET_VALID,                 CERT_EXPIRED,            CERT_PERIODS           },
	{X509_V_ERR_UNABLE_TO_GET_CRL,                  CERT_REVOCATION_UNKNOWN, CERT_REVOCATION_UNKNOWN},
	{X509_V_ERR_UNABLE_TO_GET_CRL_ISSUER,           CERT_REVOCATION_UNKNOWN, CERT_REVOCATION_UNKNOWN},
	{X509_V_ERR_UNABLE_TO_DECRYPT_CRL_SIGNATURE,    CERT_REVOCATION_UNKNOWN,
         CERT_REVOCATION_UNKNOWN									},
	{X509_V_ERR_CRL_SIGNATURE_FAILURE,              CERT_REVOCATION_UNKNOWN, CERT_REVOCATION_UNKNOWN},
	{X509_V_ERR_CRL_NOT_YET_VALID,                  CERT_REVOCATION_UNKNOWN, CERT_REVOCATION_UNKNOWN},
	{X509_V_ERR_CRL_HAS_EXPIRED,                    CERT_REVOCATION_UNKNOWN, CERT_REVOCATION_UNKNOWN},
	{X509_V_ERR_ERROR_IN_CRL_LAST_UPDATE_FIELD,     CERT_REVOCATION_UNKNOWN,
         CERT_REVOCATION_UNKNOWN									},
	{X509_V_ERR_ERROR_IN_CRL_NEXT_UPDATE_FIELD,     CERT_REVOCATION_UNKNOWN,
         CERT_REVOCATION_UNKNOWN									},
	{X509_V_ERR_KEYUSAGE_NO_CRL_SIGN,               CERT_REVOCATION_UNKNOWN, CERT_REVOCATION_UNKNOWN},
	{X509_V_ERR_UNHANDLED_CRITICAL_CRL_EXTENSION,   CERT_REVOCATION_UNKNOWN,
         CERT_REVOCATION_UNKNOWN									},
	{X509_V_ERR_DIFFERENT_CRL_SCOPE,                CERT_REVOCATION_UNKNOWN, CERT_REVOCATION_UNKNOWN},
	{X509_V_ERR_CRL_PATH_VALIDATION_ERROR,          CERT_REVOCATION_UNKNOWN,
         CERT_REVOCATION_UNKNOWN									},
};

/* What is said of anything else: before what only concerns revocation. */
static const struct finding unforeseen = {0, CERT_INCORRECT, CERT_BAD_CHAIN};

struct inquiry {
	bool revocation;
	size_t rank; /* of what is to be told, in findings; past the end: nothing yet */
	enum cert_verdict verdict;
};

static const struct finding *finding_of(int error, size_t *rank_r)
{
	for (size_t i = 0; i < ARRAY_LEN(findings); i++)
		if (findings[i].error == error) {
			*rank_r = i;
			return &findings[i];
		}
	*rank_r = 0;
	return &unforeseen;
}

/* RFC 8551 4.4.4: any purpose includes mail, which OpenSSL does not hold. */
static bool purpose_is_mail(X509 *x)
{
	return (X509_get_extension_flags(x) & EXFLAG_INVALID) == 0 &&
	       (X509_get_extended_key_usage(x) & (XKU_SMIME | XKU_ANYEKU)) != 0;
}

static bool key_may_sign(X509 *x)
{
	return (X509_get_key_usage(x) & (KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION)) != 0;
}

/* OpenSSL checks the role of issuers apart from their purpose. */
static bool purpose_fits(X509_STORE_CTX *ctx)
{
	X509 *x = X509_STORE_CTX_get_current_cert(ctx);

	return x && purpose_is_mail(x) &&
	       (X509_STORE_CTX_get_error_depth(ctx) > 0 || key_may_sign(x));
}

/* Collects everything, and lets OpenSSL go on: it would stop at the least of several. */
static int note(int ok, X509_STORE_CTX *ctx)
{
	struct inquiry *q = X509_STORE_CTX_get_app_data(ctx);
	int error = X509_STORE_CTX_get_error(ctx);
	bool own = X509_STORE_CTX_get_error_depth(ctx) == 0;
	enum cert_verdict verdict;
	const struct finding *f;
	size_t rank;

	if (ok || (error == X509_V_ERR_INVALID_PURPOSE && purpose_fits(ctx)))
		return 1;
	f = finding_of(error, &rank);
	verdict = own ? f->own : f->issuer;
	if (verdict == CERT_REVOCATION_UNKNOWN && !q->revocation)
		return 1;
	if (rank < q->rank || (rank == q->rank && own)) {
		q->rank = rank;
		q->verdict = verdict;
	}
	return 1;
}

/* NULL: it is not one certificate in DER, or is too large. */
static X509 *parse(struct str der)
{
	const unsigned char *p = (const unsigned char *)der.p;
	X509 *x;

	if (!der.n || der.n > CERT_BYTES_MAX)
		return NULL;
	x = d2i_X509(NULL, &p, (long)der.n);
	if (x && p != (const unsigned char *)der.p + der.n) {
		X509_free(x);
		return NULL;
	}
	return x;
}

/* *whole_r: all of the chain could be read. */
static STACK_OF(X509) * parse_chain(const struct str *v, size_t n, bool *whole_r)
{
	STACK_OF(X509) *chain = sk_X509_new_null();
	size_t bytes = 0;

	if (!chain)
		abort();
	*whole_r = n <= CHAIN_MAX;
	for (size_t i = 0; i < n && i < CHAIN_MAX; i++) {
		X509 *x = v[i].n <= CHAIN_BYTES_MAX - bytes ? parse(v[i]) : NULL;

		if (!x) {
			*whole_r = false;
			continue;
		}
		bytes += v[i].n;
		if (!sk_X509_push(chain, x))
			abort();
	}
	return chain;
}

static enum cert_verdict verify(
	struct openssl_certs *oc, X509 *x, STACK_OF(X509) * chain, bool revocation)
{
	struct inquiry q = {revocation, ARRAY_LEN(findings), CERT_VALID};
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	X509_VERIFY_PARAM *param;

	if (!ctx || !X509_STORE_CTX_init(ctx, oc->store, x, chain))
		abort();
	/* S/MIME also asks that the root be trusted for mail, where that is said of it. */
	if (!X509_STORE_CTX_set_purpose(ctx, X509_PURPOSE_SMIME_SIGN))
		abort();
	param = X509_STORE_CTX_get0_param(ctx);
	X509_VERIFY_PARAM_set_time(param, (time_t)clock_now());
	X509_VERIFY_PARAM_set_depth(param, DEPTH_MAX);
	X509_VERIFY_PARAM_set_auth_level(param, SECURITY_LEVEL);
	if (revocation || oc->conf->certificate_crl_file.n)
		(void)X509_VERIFY_PARAM_set_flags(
			param, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
	(void)X509_STORE_CTX_set_app_data(ctx, &q);
	X509_STORE_CTX_set_verify_cb(ctx, note);
	if (X509_verify_cert(ctx) <= 0 && q.verdict == CERT_VALID)
		q.verdict = CERT_INCORRECT;
	X509_STORE_CTX_free(ctx);
	return q.verdict;
}

static void free_chain(STACK_OF(X509) * chain)
{
	sk_X509_pop_free(chain, X509_free);
}

static enum rc openssl_check(struct certs *c, struct str certificate, const struct str *chain,
	size_t nchain, bool revocation, enum cert_verdict *r, struct err *err)
{
	struct openssl_certs *oc = (struct openssl_certs *)c;
	enum rc rc = open_store(oc, err);
	X509 *x = rc ? NULL : parse(certificate);
	STACK_OF(X509) * further;
	bool whole;

	*r = CERT_INCORRECT;
	if (x) {
		further = parse_chain(chain, nchain, &whole);
		*r = verify(oc, x, further, revocation);
		/* What is missing may be what could not be read. */
		if (*r == CERT_UNTRUSTED && !whole)
			*r = CERT_BAD_CHAIN;
		free_chain(further);
	}
	X509_free(x);
	forget_errors();
	return rc;
}

/*
 * Certificates to encrypt with
 */

/* The end of its validity in Unix seconds; false: it is not good for encrypting mail now. */
static bool usable_until(X509 *x, int64_t *until_r)
{
	time_t now = (time_t)clock_now();
	int days, seconds;
	ASN1_TIME *t;
	bool known;

	/* Key agreement is the way of keys on elliptic curves, RFC 8551 4.4.2. */
	if (!purpose_is_mail(x) ||
		(X509_get_key_usage(x) & (KU_KEY_ENCIPHERMENT | KU_KEY_AGREEMENT)) == 0)
		return false;
	if (X509_cmp_time(X509_get0_notBefore(x), &now) >= 0 ||
		X509_cmp_time(X509_get0_notAfter(x), &now) <= 0)
		return false;
	t = ASN1_TIME_set(NULL, now);
	if (!t)
		abort();
	known = ASN1_TIME_diff(&days, &seconds, t, X509_get0_notAfter(x)) == 1;
	ASN1_TIME_free(t);
	*until_r = known ? (int64_t)now + (int64_t)days * 86400 + seconds : 0;
	return known;
}

static size_t openssl_usable(struct certs *c UNUSED, struct str *v, size_t n)
{
	int64_t until[USABLE_MAX], its = 0;
	size_t kept = 0;

	for (size_t i = 0; i < n && i < USABLE_MAX; i++) {
		struct str der = v[i];
		X509 *x = parse(der);
		bool good = x && usable_until(x, &its);
		size_t at = kept;

		X509_free(x);
		if (!good)
			continue;
		for (; at > 0 && until[at - 1] < its; at--) {
			v[at] = v[at - 1];
			until[at] = until[at - 1];
		}
		v[at] = der;
		until[at] = its;
		kept++;
	}
	forget_errors();
	return kept;
}

static struct str openssl_mini(
	struct certs *c UNUSED, struct str certificate UNUSED, struct arena *a UNUSED)
{
	return STR_NONE;
}

static const struct certs_ops ops = {
	.check = openssl_check, .usable = openssl_usable, .mini = openssl_mini};

struct certs *certs_new(const struct settings *conf)
{
	struct openssl_certs *oc = calloc(1, sizeof(*oc));

	if (!oc)
		abort();
	oc->certs.ops = &ops;
	oc->conf = conf;
	return &oc->certs;
}

void certs_free(struct certs *c)
{
	if (!c)
		return;
	close_store((struct openssl_certs *)c);
	free(c);
}
