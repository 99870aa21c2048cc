/*
 * ValidateCert, C78, [MS-ASCMD] 2.2.1.22: over the fake, and over the real store with an
 * authority made for the test.
 */
#include "core/base/base64.h"
#include "core/base/clock.h"
#include "store/certs/certs.h"
#include "tests/fake_certs.h"
#include "tests/support_certs.h"
#include "tests/support_eas.h"
#include "tests/support_story.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static struct eas e;
static struct phone p;
static struct fake_certs *fake;
static struct certs *certs;
static struct buf text;

static void use_certs(struct eas *of UNUSED, struct services *sv, struct request *rq UNUSED)
{
	sv->certs = certs;
}

static void begin(const char *version)
{
	clock_set_fake(CERTS_NOW * 1000);
	eas_init(&e, "");
	e.open = use_certs;
	fake = fake_certs_new();
	certs = fake_certs_certs(fake);
	fake_certs_add(fake, STR("good"), CERT_VALID, CERTS_UNTIL);
	fake_certs_add(fake, STR("linked"), CERT_VALID, CERTS_UNTIL);
	fake_certs_needs(fake, STR("linked"), STR("middle"));
	fake_certs_add(fake, STR("obscure"), CERT_VALID, CERTS_UNTIL);
	fake_certs_unknown(fake, STR("obscure"));
	fake_certs_add(fake, STR("revoked"), CERT_REVOKED, CERTS_UNTIL);
	buf_init(&text, BUF_MAX_RESPONSE);
	eas_phone(&e, &p, "phone", version);
	story_must(phone_provision(&p) && phone_folder_sync(&p), &p);
}

static void end(void)
{
	phone_release(&p);
	eas_release(&e);
	fake_certs_free(fake);
	buf_release(&text);
	clock_set_fake(-1);
}

/* The document is put together in pieces, and then asked(). */
static void open_request(void)
{
	buf_reset(&text);
	buf_adds(&text, "validatecert:ValidateCert\n");
}

static void raw(const char *base64)
{
	buf_addf(&text, "    validatecert:Certificate \"%s\"\n", base64);
}

static void certificate(struct str der)
{
	struct buf base64;

	buf_init(&base64, BUF_MAX_TEXT);
	base64_encode(der, &base64);
	raw(base64.p ? base64.p : "");
	buf_release(&base64);
}

static void in(const char *container)
{
	buf_addf(&text, "  validatecert:%s\n", container);
}

static const struct elem *asked(void)
{
	const struct elem *r = phone_post(&p, "ValidateCert", text.p);

	assert_int_equal(e.seen.http, 200);
	assert_non_null(r);
	return r;
}

/* Status of the whole, and then of each certificate, as "1: 1 13". */
static void answers(const char *expected)
{
	const struct elem *r = asked();
	char got[512];
	size_t n =
		(size_t)snprintf(got, sizeof(got), "%u:", elem_u32(r, VALIDATECERT_STATUS, 0));

	for (const struct elem *c = elem_child(r, VALIDATECERT_CERTIFICATE); c;
		c = elem_again(c))
		n += (size_t)snprintf(
			got + n, sizeof(got) - n, " %u", elem_u32(c, VALIDATECERT_STATUS, 0));
	assert_string_equal(got, expected);
}

static void test_each_certificate_has_its_status_in_order(void **state UNUSED)
{
	static const char *const versions[] = {"2.5", "12.0", "12.1", "14.0", "14.1"};

	for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
		begin(versions[i]);
		open_request();
		in("Certificates");
		certificate(STR("revoked"));
		certificate(STR("good"));
		certificate(STR("nobody knows it"));
		certificate(STR("good"));
		answers("1: 13 1 10 1");
		assert_int_equal(e.seen.status, 1);
		end();
	}
}

static void test_the_chain_counts(void **state UNUSED)
{
	begin("14.1");
	open_request();
	in("Certificates");
	certificate(STR("linked"));
	answers("1: 4");
	open_request();
	in("CertificateChain");
	certificate(STR("whatever"));
	certificate(STR("middle"));
	in("Certificates");
	certificate(STR("linked"));
	answers("1: 1");
	/* What of the chain cannot be read does not spoil the rest. */
	open_request();
	in("CertificateChain");
	raw("!");
	certificate(STR("middle"));
	in("Certificates");
	certificate(STR("linked"));
	answers("1: 1");
	end();
}

static void crl(const char *value, const char *expected)
{
	open_request();
	in("Certificates");
	certificate(STR("obscure"));
	certificate(STR("good"));
	buf_addf(&text, "  validatecert:CheckCRL%s\n", value);
	answers(expected);
}

static void test_an_unknown_revocation_matters_when_asked_for(void **state UNUSED)
{
	begin("14.1");
	open_request();
	in("Certificates");
	certificate(STR("obscure"));
	answers("1: 1");
	crl(" \"0\"", "1: 1 1");
	crl(" \"1\"", "1: 16 1");
	/* [MS-ASDTYPE] 2.1 */
	crl("", "1: 16 1");
	crl(" \"2\"", "2:");
	crl(" \"yes\"", "2:");
	end();
}

static void test_a_malformed_request_is_a_protocol_error(void **state UNUSED)
{
	begin("14.1");
	open_request();
	answers("2:");
	assert_int_equal(e.seen.status, 2);
	in("Certificates");
	answers("2:");
	open_request();
	in("CertificateChain");
	certificate(STR("good"));
	answers("2:");
	assert_int_equal(fake_certs_calls(fake), 0);
	end();
}

static void many(const char *container, size_t n)
{
	in(container);
	for (size_t i = 0; i < n; i++)
		certificate(STR("good"));
}

/* [MS-ASCMD] 3.1.5.10 */
static void test_a_hundred_certificates_and_no_more(void **state UNUSED)
{
	const struct elem *r;

	begin("14.1");
	open_request();
	many("CertificateChain", 100);
	many("Certificates", 100);
	r = asked();
	assert_int_equal(elem_u32(r, VALIDATECERT_STATUS, 0), 1);
	assert_int_equal(elem_count(r, VALIDATECERT_CERTIFICATE), 100);
	open_request();
	many("Certificates", 101);
	answers("2:");
	open_request();
	many("CertificateChain", 101);
	many("Certificates", 1);
	answers("2:");
	end();
}

static void test_what_is_not_base64_is_incorrect(void **state UNUSED)
{
	size_t n = 130 * 1024;
	char *big = malloc(n + 1);

	assert_non_null(big);
	memset(big, 'A', n);
	big[n] = '\0';
	begin("12.1");
	open_request();
	in("Certificates");
	raw("");
	raw("%%%");
	raw("Z29vZA=="); /* "good" */
	raw("Z2\\r\\n9v\\r\\nZA==\\r\\n");
	raw(big);
	answers("1: 10 10 1 1 10");
	end();
	free(big);
}

static void test_trouble_of_the_server_is_17(void **state UNUSED)
{
	begin("14.1");
	open_request();
	in("Certificates");
	certificate(STR("good"));
	certificate(STR("good"));
	fake_certs_fail_after(fake, 2);
	answers("17:");
	assert_int_equal(e.seen.status, 17);
	answers("1: 1 1");
	end();
}

static void test_it_is_announced(void **state UNUSED)
{
	struct eas_request q = {.options = true, .user = EAS_USER, .password = EAS_PASSWORD};
	struct buf answer;

	begin("14.1");
	buf_init(&answer, BUF_MAX_LINE);
	eas_request(&e, &q, &answer);
	assert_non_null(strstr(e.seen.headers, ",ValidateCert"));
	buf_release(&answer);
	end();
}

/* The same over the store that the server uses. */
static void test_certificates_of_an_authority(void **state UNUSED)
{
	static const struct maker_spec specs[] = {
		{.name = "root",                  .basic = "critical,CA:TRUE", .usage = "keyCertSign,cRLSign"},
		{.name = "middle",
                 .issuer = "root",
                 .basic = "critical,CA:TRUE",
                 .usage = "keyCertSign,cRLSign"},
		{.name = "ann",                .issuer = "middle", .extended = "emailProtection"},
		{.name = "gone",     .issuer = "middle"},
		{.name = "old",                               .issuer = "root", .until = CERTS_NOW - 10},
		{.name = "self"},
	};
	static const char *const trusted[] = {"root", NULL}, *const gone[] = {"gone", NULL},
				 *const none[] = {NULL};
	char folder[] = "/tmp/easpool-validate-XXXXXX", roots[64], lists[64];
	struct maker *m = maker_new();

	begin("14.1");
	for (size_t i = 0; i < ARRAY_LEN(specs); i++)
		(void)maker_add(m, &specs[i]);
	assert_non_null(mkdtemp(folder));
	(void)snprintf(roots, sizeof(roots), "%s/roots", folder);
	(void)snprintf(lists, sizeof(lists), "%s/lists", folder);
	maker_write(m, roots, trusted);
	maker_write_list(m, lists, "middle", gone, CERTS_UNTIL);
	e.conf.certificate_ca_file = str_of(roots);
	e.conf.certificate_crl_file = str_of(lists);
	certs = certs_new(&e.conf);
	for (int whole = 0; whole < 2; whole++) {
		open_request();
		in("CertificateChain");
		certificate(maker_der(m, "middle"));
		in("Certificates");
		for (size_t i = 2; i < ARRAY_LEN(specs); i++)
			certificate(maker_der(m, specs[i].name));
		certificate(STR("nonsense"));
		answers("1: 1 13 7 4 10");
		in("CheckCRL");
		answers(whole ? "1: 1 13 7 4 10" : "1: 16 13 7 4 10");
		maker_write_list(m, lists, "root", none, CERTS_UNTIL);
	}
	assert_true(unlink(lists) == 0 && unlink(roots) == 0 && rmdir(folder) == 0);
	answers("17:");
	certs_free(certs);
	maker_free(m);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_certificate_has_its_status_in_order),
		cmocka_unit_test(test_the_chain_counts),
		cmocka_unit_test(test_an_unknown_revocation_matters_when_asked_for),
		cmocka_unit_test(test_a_malformed_request_is_a_protocol_error),
		cmocka_unit_test(test_a_hundred_certificates_and_no_more),
		cmocka_unit_test(test_what_is_not_base64_is_incorrect),
		cmocka_unit_test(test_trouble_of_the_server_is_17),
		cmocka_unit_test(test_it_is_announced),
		cmocka_unit_test(test_certificates_of_an_authority),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
