#include "tests/support_certs.h"

#include "core/base/arena.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MADE_MAX = 64 };

struct made {
	const char *name;
	X509 *x;
	EVP_PKEY *key;
	struct str der;
};

struct maker {
	struct made v[MADE_MAX];
	size_t n;
	long serial;
	struct arena *arena;
};

/* What cannot fail in a test ends it. */
static void must(bool worked)
{
	if (!worked)
		abort();
}

struct maker *maker_new(void)
{
	struct maker *m = calloc(1, sizeof(*m));

	must(m != NULL);
	m->arena = arena_new();
	return m;
}

void maker_free(struct maker *m)
{
	if (!m)
		return;
	for (size_t i = 0; i < m->n; i++) {
		X509_free(m->v[i].x);
		EVP_PKEY_free(m->v[i].key);
	}
	arena_free(m->arena);
	free(m);
}

static struct made *find(struct maker *m, const char *name)
{
	for (size_t i = 0; i < m->n; i++)
		if (strcmp(m->v[i].name, name) == 0)
			return &m->v[i];
	abort();
}

static void extension(X509 *x, X509 *issuer, int nid, const char *value)
{
	X509_EXTENSION *e;
	X509V3_CTX ctx;

	if (!value)
		return;
	X509V3_set_ctx_nodb(&ctx);
	X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);
	e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	must(e && X509_add_ext(x, e, -1));
	X509_EXTENSION_free(e);
}

/* One that nobody knows, and which must be understood. */
static void unknown_extension(X509 *x, const char *oid)
{
	ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
	ASN1_OBJECT *id = oid ? OBJ_txt2obj(oid, 1) : NULL;
	X509_EXTENSION *e;

	if (id) {
		must(value && ASN1_OCTET_STRING_set(value, (const unsigned char *)"\5", 2));
		e = X509_EXTENSION_create_by_OBJ(NULL, id, 1, value);
		must(e && X509_add_ext(x, e, -1));
		X509_EXTENSION_free(e);
	}
	ASN1_OBJECT_free(id);
	ASN1_OCTET_STRING_free(value);
}

static void name_it(X509 *x, const char *name)
{
	must(X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_UTF8,
		     (const unsigned char *)name, -1, -1, 0) == 1);
}

static struct str der_of(struct maker *m, X509 *x, bool broken)
{
	unsigned char *der = NULL;
	int n = i2d_X509(x, &der);
	struct str s;
	char *copy;

	must(n > 0);
	copy = arena_alloc(m->arena, (size_t)n);
	memcpy(copy, der, (size_t)n);
	/* The signature comes last. */
	if (broken)
		copy[n - 1] = (char)(copy[n - 1] ^ 1);
	s = (struct str){copy, (size_t)n};
	OPENSSL_free(der);
	return s;
}

struct str maker_add(struct maker *m, const struct maker_spec *s)
{
	struct made *own = &m->v[m->n];
	const struct made *by = s->issuer ? find(m, s->issuer) : own;
	EVP_PKEY *other = s->impostor ? EVP_EC_gen("P-256") : NULL;
	X509 *x = X509_new();

	must(m->n < MADE_MAX && x);
	*own = (struct made){.name = s->name, .x = x, .key = EVP_EC_gen("P-256")};
	must(own->key != NULL);
	must(X509_set_version(x, X509_VERSION_3));
	must(ASN1_INTEGER_set(X509_get_serialNumber(x), ++m->serial));
	name_it(x, s->name);
	must(X509_set_issuer_name(x, X509_get_subject_name(by->x)));
	must(ASN1_TIME_set(X509_getm_notBefore(x), (time_t)(s->from ? s->from : CERTS_FROM)) !=
		NULL);
	must(ASN1_TIME_set(X509_getm_notAfter(x),
		     (time_t)(s->until ? s->until : CERTS_UNTIL)) != NULL);
	must(X509_set_pubkey(x, own->key));
	extension(x, by->x, NID_basic_constraints, s->basic);
	extension(x, by->x, NID_key_usage, s->usage);
	extension(x, by->x, NID_ext_key_usage, s->extended);
	unknown_extension(x, s->critical);
	must(X509_sign(x, other ? other : by->key, s->weak_hash ? EVP_sha1() : EVP_sha256()));
	EVP_PKEY_free(other);
	own->der = der_of(m, x, s->broken);
	m->n++;
	return own->der;
}

struct str maker_der(struct maker *m, const char *name)
{
	return find(m, name)->der;
}

void maker_write(struct maker *m, const char *path, const char *const *names)
{
	FILE *f = fopen(path, "w");

	must(f != NULL);
	for (; *names; names++)
		must(PEM_write_X509(f, find(m, *names)->x));
	must(fclose(f) == 0);
}

void maker_write_list(struct maker *m, const char *path, const char *issuer,
	const char *const *revoked, int64_t until)
{
	const struct made *by = find(m, issuer);
	ASN1_TIME *from = ASN1_TIME_set(NULL, (time_t)CERTS_FROM);
	ASN1_TIME *to = ASN1_TIME_set(NULL, (time_t)until);
	X509_CRL *list = X509_CRL_new();
	FILE *f = fopen(path, "a");

	must(f && list && from && to && X509_CRL_set_version(list, X509_CRL_VERSION_2));
	must(X509_CRL_set_issuer_name(list, X509_get_subject_name(by->x)));
	must(X509_CRL_set1_lastUpdate(list, from) && X509_CRL_set1_nextUpdate(list, to));
	for (; *revoked; revoked++) {
		X509_REVOKED *r = X509_REVOKED_new();

		must(r && X509_REVOKED_set_serialNumber(
				  r, X509_get_serialNumber(find(m, *revoked)->x)));
		must(X509_REVOKED_set_revocationDate(r, from) &&
			X509_CRL_add0_revoked(list, r));
	}
	must(X509_CRL_sort(list) && X509_CRL_sign(list, by->key, EVP_sha256()));
	must(PEM_write_X509_CRL(f, list) && fclose(f) == 0);
	X509_CRL_free(list);
	ASN1_TIME_free(from);
	ASN1_TIME_free(to);
}
