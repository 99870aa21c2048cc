/*
 * store/certs over a small authority: each Status of [MS-ASCMD] 2.2.3.177.18 that can be found
 * without the network, C78; what is usable for encrypting, for C56.
 */
#include "core/base/clock.h"
#include "store/certs/certs.h"
#include "tests/support_certs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define SIGNS    "critical,digitalSignature"
#define ENCRYPTS "critical,keyEncipherment"
#define CA_USAGE "critical,keyCertSign,cRLSign"
#define CA       "critical,CA:TRUE"

static struct maker *m;
static struct certs *certs;
static struct settings conf;
static char folder[64], roots[96], lists[96];

static const struct maker_spec specs[] = {
	{.name = "root",                     .basic = CA,                              .usage = CA_USAGE},
	{.name = "stranger",				  .basic = CA,							 .usage = CA_USAGE},
	{.name = "middle",                 .issuer = "root", .basic = CA, .usage = CA_USAGE},
	{.name = "old middle",
         .issuer = "root",
         .basic = CA,
         .usage = CA_USAGE,
         .until = CERTS_NOW - 10},
	{.name = "web middle",
         .issuer = "root",
         .basic = CA,
         .usage = CA_USAGE,
         .extended = "serverAuth"},
	{.name = "no middle",                        .issuer = "root",							    .basic = "critical,CA:FALSE", .usage = SIGNS},
	{.name = "short middle",
         .issuer = "root",
         .basic = "critical,CA:TRUE,pathlen:0",
         .usage = CA_USAGE},
	{.name = "below short",                        .issuer = "short middle",							    .basic = CA, .usage = CA_USAGE},
	{.name = "broken middle",
         .issuer = "root",
         .basic = CA,
         .usage = CA_USAGE,
         .impostor = true},

	{.name = "ann",      .issuer = "middle",.usage = SIGNS, .extended = "emailProtection"},
	{.name = "plain",             .issuer = "middle"							    },
	{.name = "any",                  .issuer = "middle",							  .usage = SIGNS, .extended = "anyExtendedKeyUsage"},
	{.name = "direct",.issuer = "root",.usage = SIGNS},
	{.name = "gone",				  .issuer = "middle",						    .usage = SIGNS},
	{.name = "expired",                        .issuer = "middle",							    .until = CERTS_NOW - 10},
	{.name = "early",				  .issuer = "middle",							      .from = CERTS_NOW + 10},
	{.name = "web",                    .issuer = "middle",							   .extended = "serverAuth"},
	{.name = "any encrypts",
         .issuer = "middle",
         .usage = ENCRYPTS,
         .extended = "anyExtendedKeyUsage"},
	{.name = "encrypts",                      .issuer = "middle",                           .usage = ENCRYPTS},
	{.name = "self"},
	{.name = "strange",				.issuer = "stranger"                                        },
	{.name = "bent",                     .issuer = "middle",												      .broken = true},
	{.name = "bent and old",				  .issuer = "middle",          .broken = true, .until = CERTS_NOW - 10},
	{.name = "false",           .issuer = "middle",							  .impostor = true},
	{.name = "sha1",.issuer = "middle",.weak_hash = true},
	{.name = "odd",                      .issuer = "middle",.critical = "1.3.6.1.4.1.99999.1"},
	{.name = "under old",				  .issuer = "old middle"                        },
	{.name = "under web",                  .issuer = "web middle"						    },
	{.name = "under no",                 .issuer = "no middle"                                           },
	{.name = "too deep",				  .issuer = "below short"                 },
	{.name = "under broken",                  .issuer = "broken middle"							    },
};

static const char *const all_chain[] = {"below short", "short middle", "middle", "old middle",
	"web middle", "no middle", "broken middle", "stranger"};

static int set_up(void **state UNUSED)
{
	static const char *const trusted[] = {"root", NULL};

	clock_set_fake(CERTS_NOW * 1000);
	m = maker_new();
	for (size_t i = 0; i < ARRAY_LEN(specs); i++)
		(void)maker_add(m, &specs[i]);
	(void)snprintf(folder, sizeof(folder), "/tmp/easpool-certs-XXXXXX");
	assert_non_null(mkdtemp(folder));
	(void)snprintf(roots, sizeof(roots), "%s/roots.pem", folder);
	(void)snprintf(lists, sizeof(lists), "%s/lists.pem", folder);
	maker_write(m, roots, trusted);
	conf = (struct settings){
		.certificate_ca_file = str_of(roots), .certificate_crl_file = STR("")};
	certs = certs_new(&conf);
	return 0;
}

static int tear_down(void **state UNUSED)
{
	certs_free(certs);
	maker_free(m);
	(void)unlink(roots);
	(void)unlink(lists);
	assert_int_equal(rmdir(folder), 0);
	clock_set_fake(-1);
	return 0;
}

static enum cert_verdict judge_der(
	struct str der, const struct str *chain, size_t n, bool revocation)
{
	enum cert_verdict r = 0;
	struct err err = ERR_INIT;

	if (certs_call(certs, check, der, chain, n, revocation, &r, &err))
		fail_msg("%s", err.text);
	return r;
}

/* With all that there is as its chain. */
static enum cert_verdict judge(const char *name, bool revocation)
{
	struct str chain[ARRAY_LEN(all_chain)];

	for (size_t i = 0; i < ARRAY_LEN(all_chain); i++)
		chain[i] = maker_der(m, all_chain[i]);
	return judge_der(maker_der(m, name), chain, ARRAY_LEN(all_chain), revocation);
}

static void test_each_fault_has_its_status(void **state UNUSED)
{
	static const struct {
		const char *name;
		enum cert_verdict verdict;
	} cases[] = {
		{"ann",          CERT_VALID        },
		{"plain",        CERT_VALID        },
		{"any",          CERT_VALID        },
		{"direct",       CERT_VALID        },
		{"root",         CERT_NOT_FOR_MAIL },
		{"expired",      CERT_EXPIRED      },
		{"early",        CERT_EXPIRED      },
		{"web",          CERT_NOT_FOR_MAIL },
		{"encrypts",     CERT_NOT_FOR_MAIL },
		{"any encrypts", CERT_NOT_FOR_MAIL },
		{"self",         CERT_UNTRUSTED    },
		{"strange",      CERT_UNTRUSTED    },
		{"bent",         CERT_BAD_SIGNATURE},
		{"bent and old", CERT_BAD_SIGNATURE},
		{"false",        CERT_BAD_SIGNATURE},
		{"sha1",         CERT_BAD_SIGNATURE},
		{"odd",          CERT_INCORRECT    },
		{"under old",    CERT_PERIODS      },
		{"under web",    CERT_WRONG_USE    },
		{"under no",     CERT_WRONG_ROLE   },
		{"too deep",     CERT_WRONG_ROLE   },
		{"under broken", CERT_BAD_CHAIN    },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		if (judge(cases[i].name, false) != cases[i].verdict)
			fail_msg("%s: %d, not %d", cases[i].name, judge(cases[i].name, false),
				cases[i].verdict);
}

static void test_time_is_that_of_the_clock(void **state UNUSED)
{
	clock_set_fake((CERTS_UNTIL + 1) * 1000);
	assert_int_equal(judge("direct", false), CERT_EXPIRED);
	clock_set_fake((CERTS_FROM - 1) * 1000);
	assert_int_equal(judge("direct", false), CERT_EXPIRED);
	clock_set_fake(CERTS_NOW * 1000);
	assert_int_equal(judge("direct", false), CERT_VALID);
}

static void test_a_chain_is_needed_and_may_be_in_any_order(void **state UNUSED)
{
	struct str ann = maker_der(m, "ann"), middle = maker_der(m, "middle");
	struct str bad = STR("\x30\x03garbage");
	struct str mixed[] = {maker_der(m, "stranger"), bad, middle};
	struct str useless[] = {bad, maker_der(m, "stranger")};

	assert_int_equal(judge_der(ann, NULL, 0, false), CERT_UNTRUSTED);
	assert_int_equal(judge_der(ann, &middle, 1, false), CERT_VALID);
	assert_int_equal(judge_der(ann, mixed, 3, false), CERT_VALID);
	/* What could not be read may have been the link. */
	assert_int_equal(judge_der(ann, useless, 2, false), CERT_BAD_CHAIN);
	/* A chain does not make its own root trusted. */
	assert_int_equal(
		judge_der(maker_der(m, "strange"), &useless[1], 1, false), CERT_UNTRUSTED);
}

static void test_what_is_no_certificate_is_incorrect(void **state UNUSED)
{
	struct str whole = maker_der(m, "direct");
	size_t n = 70 * 1024;
	char *long_one = calloc(1, n);

	assert_non_null(long_one);
	assert_int_equal(judge_der(STR_NONE, NULL, 0, false), CERT_INCORRECT);
	assert_int_equal(judge_der(STR(""), NULL, 0, false), CERT_INCORRECT);
	assert_int_equal(judge_der(STR("MIIB"), NULL, 0, false), CERT_INCORRECT);
	for (size_t i = 1; i < whole.n; i++)
		assert_int_equal(
			judge_der(str_sub(whole, 0, i), NULL, 0, false), CERT_INCORRECT);
	/* More behind it, and more than is looked at. */
	memcpy(long_one, whole.p, whole.n);
	assert_int_equal(
		judge_der((struct str){long_one, whole.n}, NULL, 0, false), CERT_VALID);
	assert_int_equal(
		judge_der((struct str){long_one, whole.n + 1}, NULL, 0, false), CERT_INCORRECT);
	assert_int_equal(judge_der((struct str){long_one, n}, NULL, 0, false), CERT_INCORRECT);
	free(long_one);
}

/* Every byte of a certificate turned over: never valid unless it is what was signed. */
static void test_no_altered_certificate_is_valid(void **state UNUSED)
{
	struct str whole = maker_der(m, "direct");
	char *copy = malloc(whole.n);

	assert_non_null(copy);
	for (size_t i = 0; i < whole.n; i++) {
		memcpy(copy, whole.p, whole.n);
		copy[i] = (char)(copy[i] ^ 0x15);
		assert_int_not_equal(
			judge_der((struct str){copy, whole.n}, NULL, 0, false), CERT_VALID);
	}
	free(copy);
}

static void test_a_chain_too_long_to_look_at_is_a_bad_one(void **state UNUSED)
{
	struct str many[40];

	for (size_t i = 0; i < ARRAY_LEN(many); i++)
		many[i] = maker_der(m, "stranger");
	many[39] = maker_der(m, "middle");
	assert_int_equal(judge_der(maker_der(m, "ann"), many, 40, false), CERT_BAD_CHAIN);
	many[0] = many[39];
	assert_int_equal(judge_der(maker_der(m, "ann"), many, 40, false), CERT_VALID);
}

static void test_without_lists_revocation_is_unknown(void **state UNUSED)
{
	assert_int_equal(judge("ann", false), CERT_VALID);
	assert_int_equal(judge("ann", true), CERT_REVOCATION_UNKNOWN);
	/* What is worse is told. */
	assert_int_equal(judge("web", true), CERT_NOT_FOR_MAIL);
	assert_int_equal(judge("self", true), CERT_UNTRUSTED);
}

static void with_lists(void)
{
	conf.certificate_crl_file = str_of(lists);
}

static void test_what_is_revoked_is_so_asked_or_not(void **state UNUSED)
{
	static const char *const gone[] = {"gone", NULL}, *const none[] = {NULL};

	with_lists();
	maker_write_list(m, lists, "middle", gone, CERTS_UNTIL);
	assert_int_equal(judge("gone", false), CERT_REVOKED);
	assert_int_equal(judge("gone", true), CERT_REVOKED);
	assert_int_equal(judge("ann", false), CERT_VALID);
	/* Nothing is known of the middle. */
	assert_int_equal(judge("ann", true), CERT_REVOCATION_UNKNOWN);
	maker_write_list(m, lists, "root", none, CERTS_UNTIL);
	assert_int_equal(judge("ann", true), CERT_VALID);
	assert_int_equal(judge("gone", true), CERT_REVOKED);
}

static void test_an_issuer_may_be_revoked(void **state UNUSED)
{
	static const char *const middle[] = {"middle", NULL};

	with_lists();
	maker_write_list(m, lists, "root", middle, CERTS_UNTIL);
	assert_int_equal(judge("ann", false), CERT_CHAIN_REVOKED);
	assert_int_equal(judge("ann", true), CERT_CHAIN_REVOKED);
	assert_int_equal(judge("direct", true), CERT_VALID);
}

static void test_an_old_list_still_revokes_and_vouches_for_nothing(void **state UNUSED)
{
	static const char *const gone[] = {"gone", NULL}, *const none[] = {NULL};

	with_lists();
	maker_write_list(m, lists, "middle", gone, CERTS_NOW - 10);
	maker_write_list(m, lists, "root", none, CERTS_UNTIL);
	assert_int_equal(judge("gone", false), CERT_REVOKED);
	assert_int_equal(judge("ann", false), CERT_VALID);
	assert_int_equal(judge("ann", true), CERT_REVOCATION_UNKNOWN);
}

/* A list that the administrator put there is in force with the next question. */
static void test_files_are_read_again_when_they_change(void **state UNUSED)
{
	static const char *const direct[] = {"direct", NULL}, *const none[] = {NULL};
	static const char *const both[] = {"root", "stranger", NULL};

	with_lists();
	maker_write_list(m, lists, "root", none, CERTS_UNTIL);
	assert_int_equal(judge("direct", true), CERT_VALID);
	assert_int_equal(unlink(lists), 0);
	maker_write_list(m, lists, "root", direct, CERTS_UNTIL);
	assert_int_equal(judge("direct", true), CERT_REVOKED);

	assert_int_equal(judge("strange", false), CERT_UNTRUSTED);
	maker_write(m, roots, both);
	assert_int_equal(judge("strange", false), CERT_VALID);
}

static void refused(void)
{
	enum cert_verdict r = CERT_VALID;
	struct err err = ERR_INIT;

	assert_int_equal(
		certs_call(certs, check, maker_der(m, "direct"), NULL, 0, false, &r, &err),
		RC_UNAVAILABLE);
	assert_int_not_equal(r, CERT_VALID);
	assert_non_null(strstr(err.text, folder));
}

static void test_files_that_cannot_be_read_are_no_answer(void **state UNUSED)
{
	static const char *const trusted[] = {"root", NULL};
	FILE *f;

	with_lists();
	refused(); /* there is no list */
	f = fopen(lists, "w");
	assert_non_null(f);
	refused(); /* none in it */
	assert_true(fputs("-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n", f) > 0);
	assert_int_equal(fclose(f), 0);
	refused();
	conf.certificate_crl_file = STR("");
	assert_int_equal(judge("direct", false), CERT_VALID);
	/* Roots that were there a moment ago are not used either. */
	assert_int_equal(unlink(roots), 0);
	refused();
	maker_write(m, roots, trusted);
	assert_int_equal(judge("direct", false), CERT_VALID);
}

static void test_the_system_does_not_trust_our_root(void **state UNUSED)
{
	conf.certificate_ca_file = STR("");
	assert_int_equal(judge("direct", false), CERT_UNTRUSTED);
}

/* C56: the one that is valid longest first. */
static void test_usable_is_what_encrypts_now(void **state UNUSED)
{
	static const struct maker_spec more[] = {
		{.name = "e1",        .issuer = "middle",    .usage = ENCRYPTS, .until = CERTS_NOW + 100 },
		{.name = "e2",
                 .issuer = "middle",
                 .usage = ENCRYPTS,
                 .until = CERTS_NOW + 300,
                 .extended = "emailProtection"},
		{.name = "e3",
                 .usage = "keyAgreement",
                 .until = CERTS_NOW + 200,
                 .extended = "anyExtendedKeyUsage"								},
		{.name = "e4",                   .until = CERTS_NOW + 250                            },
		{.name = "signs", .issuer = "middle",        .usage = SIGNS   },
		{.name = "for the web",
                 .issuer = "middle",
                 .usage = ENCRYPTS,
                 .extended = "serverAuth"},
		{.name = "was",  .issuer = "middle", .usage = ENCRYPTS,                                    .until = CERTS_NOW - 1                   },
		{.name = "will be",
                 .issuer = "middle",
                 .usage = ENCRYPTS,
                 .from = CERTS_NOW + 1														},
	};
	static const char *const best[] = {"e2", "e4", "e3", "e1"};
	struct str v[ARRAY_LEN(more) + 2];

	for (size_t i = 0; i < ARRAY_LEN(more); i++)
		v[i] = maker_add(m, &more[i]);
	v[ARRAY_LEN(more)] = STR("no certificate");
	v[ARRAY_LEN(more) + 1] = STR_NONE;
	assert_int_equal(certs_call(certs, usable, v, ARRAY_LEN(v)), ARRAY_LEN(best));
	for (size_t i = 0; i < ARRAY_LEN(best); i++)
		assert_true(str_eq(v[i], maker_der(m, best[i])));
	assert_int_equal(certs_call(certs, usable, v, 0), 0);
}

static void test_there_is_no_short_form(void **state UNUSED)
{
	struct arena *a = arena_new();

	assert_null(certs_call(certs, mini, maker_der(m, "ann"), a).p);
	arena_free(a);
}

#define CASE(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_each_fault_has_its_status),
		CASE(test_time_is_that_of_the_clock),
		CASE(test_a_chain_is_needed_and_may_be_in_any_order),
		CASE(test_what_is_no_certificate_is_incorrect),
		CASE(test_no_altered_certificate_is_valid),
		CASE(test_a_chain_too_long_to_look_at_is_a_bad_one),
		CASE(test_without_lists_revocation_is_unknown),
		CASE(test_what_is_revoked_is_so_asked_or_not),
		CASE(test_an_issuer_may_be_revoked),
		CASE(test_an_old_list_still_revokes_and_vouches_for_nothing),
		CASE(test_files_are_read_again_when_they_change),
		CASE(test_files_that_cannot_be_read_are_no_answer),
		CASE(test_the_system_does_not_trust_our_root),
		CASE(test_usable_is_what_encrypts_now),
		CASE(test_there_is_no_short_form),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
