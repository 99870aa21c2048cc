/*
 * The real stores keep the contracts: IMAP with every set of extensions and every TLS mode that
 * the server has, and PostgreSQL.
 */
#include "store/imap/imap.h"
#include "store/imap/session.h"
#include "store/postgres/pg.h"
#include "store/postgres/schema.h"
#include "tests/contract_mail.h"
#include "tests/contract_state.h"
#include "tests/support_lab.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct arena *a;

static struct settings settings(const char *tls)
{
	char text[2048];
	struct settings conf;
	struct err err = ERR_INIT;

	(void)snprintf(text, sizeof(text),
		"imap_host = 127.0.0.1\nimap_port = %s\nimap_tls = %s\ntls_ca_file = %s\n"
		"database = \"%s\"\nlock_wait = 1\n",
		lab_get("IMAP_PORT"), tls, lab_get("TLS_CA"), lab_get("PG_DSN"));
	if (settings_read(arena_str(a, str_of(text)), "test", &conf, a, &err))
		fail_msg("%s", err.text);
	return conf;
}

static void imap_keeps_it(const char *tls, unsigned without)
{
	struct settings conf = settings(tls);
	struct imap *im = imap_new(&conf);
	struct secret password = {NULL, 0};

	imap_set_mask(im, without);
	secret_set(&password, str_of(lab_get("LAB_PASSWORD")));
	contract_mail(imap_mail(im, STR("user01@example.test"), &password), true);
	imap_free(im);
	secret_release(&password);
}

/* Lesser servers: the result is the same, the work is more. */
static void test_imap_keeps_the_contract_without_extensions(void **state UNUSED)
{
	static const unsigned masks[] = {
		0,
		CAP_QRESYNC,
		CAP_CONDSTORE,
		CAP_ESEARCH,
		CAP_MOVE,
		CAP_LIST_STATUS,
		CAP_SPECIAL_USE,
		CAP_OBJECTID,
		CAP_UNSELECT,
		CAP_UNSELECT | CAP_QRESYNC,
		CAP_CONDSTORE | CAP_QRESYNC | CAP_ESEARCH | CAP_MOVE | CAP_LIST_STATUS |
			CAP_SPECIAL_USE | CAP_OBJECTID | CAP_LITERAL_PLUS | CAP_UNSELECT,
	};

	for (size_t i = 0; i < ARRAY_LEN(masks); i++)
		imap_keeps_it("none", masks[i]);
}

static void test_imap_keeps_the_contract_with_starttls(void **state UNUSED)
{
	imap_keeps_it("starttls", 0);
}

static void test_a_certificate_that_nobody_vouches_for_is_refused(void **state UNUSED)
{
	struct settings conf = settings("starttls");
	struct imap *im;
	struct secret password = {NULL, 0};
	struct err err = ERR_INIT;

	conf.tls_ca_file = STR("");
	im = imap_new(&conf);
	secret_set(&password, str_of(lab_get("LAB_PASSWORD")));
	assert_int_equal(imap_auth(im)->check(
				 imap_auth(im), STR("user01@example.test"), &password, &err),
		RC_UNAVAILABLE);
	imap_free(im);
	secret_release(&password);
}

static void test_a_wrong_password_is_denied(void **state UNUSED)
{
	struct settings conf = settings("none");
	struct imap *im = imap_new(&conf);
	struct secret password = {NULL, 0};
	struct err err = ERR_INIT;

	secret_set(&password, STR("not the password"));
	assert_int_equal(imap_auth(im)->check(
				 imap_auth(im), STR("user01@example.test"), &password, &err),
		RC_DENIED);
	imap_free(im);
	secret_release(&password);
}

static void test_postgres_keeps_the_contract(void **state UNUSED)
{
	struct settings conf = settings("none");
	struct state *s = pg_state_new(&conf);

	contract_state(s, "ann@example.test");
	pg_state_free(s);
}

/* Two requests of one device take turns; the one that waits too long is told to come again. */
static void test_a_taken_collection_is_waited_for(void **state UNUSED)
{
	struct settings conf = settings("none");
	struct state *x = pg_state_new(&conf), *y = pg_state_new(&conf);
	struct device seen = {.device_id = STR("turns"), .type = STR("Phone")}, d;
	struct account ac;
	struct folder f;
	struct collection c;
	struct err err = ERR_INIT;
	struct str login = STR("turns@example.test");

	assert_int_equal(state_call(x, begin, login, &seen, a, &ac, &d, &err), RC_OK);
	assert_int_equal(
		state_call(x, collection_open, &ac, &d, STR(""), a, &f, &c, &err), RC_OK);
	assert_int_equal(state_call(y, collection_open, &ac, &d, STR(""), a, &f, &c, &err),
		RC_UNAVAILABLE);
	state_call0(x, end);
	assert_int_equal(
		state_call(y, collection_open, &ac, &d, STR(""), a, &f, &c, &err), RC_OK);
	state_call0(y, end);
	pg_state_free(x);
	pg_state_free(y);
}

static int start(void **state UNUSED)
{
	struct err err = ERR_INIT;
	PGconn *c;
	int from, to;

	lab_up_backends(1);
	a = arena_new();
	c = PQconnectdb(lab_get("PG_DSN"));
	if (schema_upgrade(c, &from, &to, &err)) {
		print_error("%s\n", err.text);
		return -1;
	}
	PQfinish(c);
	return 0;
}

static int end(void **state UNUSED)
{
	lab_down();
	arena_free(a);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_imap_keeps_the_contract_without_extensions),
		cmocka_unit_test(test_imap_keeps_the_contract_with_starttls),
		cmocka_unit_test(test_a_certificate_that_nobody_vouches_for_is_refused),
		cmocka_unit_test(test_a_wrong_password_is_denied),
		cmocka_unit_test(test_postgres_keeps_the_contract),
		cmocka_unit_test(test_a_taken_collection_is_waited_for),
	};

	return cmocka_run_group_tests(tests, start, end);
}
