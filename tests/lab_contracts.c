/*
 * The real stores keep the contracts: IMAP with every set of extensions and every TLS mode that
 * the server has, PostgreSQL, and LDAP.
 */
#include "store/dav/dav.h"
#include "store/imap/imap.h"
#include "store/imap/session.h"
#include "store/ldap/ldap.h"
#include "store/postgres/pg.h"
#include "store/postgres/schema.h"
#include "store/smtp/smtp.h"
#include "tests/contract_dav.h"
#include "tests/contract_directory.h"
#include "tests/contract_mail.h"
#include "tests/contract_state.h"
#include "tests/support_dav.h"
#include "tests/support_lab.h"
#include "tests/support_story.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct arena *a;

static struct settings settings(const char *tls)
{
	bool implicit = strcmp(tls, "implicit") == 0;
	char text[2048];
	struct settings conf;
	struct err err = ERR_INIT;

	(void)snprintf(text, sizeof(text),
		"imap_host = 127.0.0.1\nimap_port = %s\nimap_tls = %s\ntls_ca_file = %s\n"
		"database = \"%s\"\nlock_wait = 1\n"
		"smtp_host = 127.0.0.1\nsmtp_port = %s\nsmtp_tls = %s\n"
		"carddav_url = %s\ncaldav_url = %s\n",
		lab_get(implicit ? "IMAPS_PORT" : "IMAP_PORT"), tls, lab_get("TLS_CA"),
		lab_get("PG_DSN"), lab_get(implicit ? "SUBMISSIONS_PORT" : "SUBMISSION_PORT"),
		tls, lab_get("CARDDAV_URL"), lab_get("CALDAV_URL"));
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
/* C163, C164 */
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

static void test_imap_keeps_the_contract_with_implicit_tls(void **state UNUSED)
{
	imap_keeps_it("implicit", 0);
}

static enum rc submit_one(
	const struct settings *conf, const char *password, const char *to, struct err *err)
{
	struct smtp *smtp = smtp_new(conf);
	struct secret secret = {NULL, 0};
	struct str text = STR("From: user01@example.test\r\nTo: user02@example.test\r\n"
			      "Subject: over TLS\r\n\r\nline\n.\n..dots\n");
	struct str recipient = str_of(to);
	struct slice_source source;
	struct submit *submit;
	enum rc rc;

	err_clear(err);
	secret_set(&secret, str_of(password));
	submit = smtp_submit(smtp, STR("user01@example.test"), &secret);
	slice_source_init(&source, &text, 1);
	rc = submit->send(
		submit, STR("user01@example.test"), &recipient, 1, &source.source, err);
	smtp_free(smtp);
	secret_release(&secret);
	return rc;
}

/* D4: submission in each TLS mode, and its refusals. */
static void test_mail_is_submitted_in_every_tls_mode(void **state UNUSED)
{
	static const char *const modes[] = {"starttls", "implicit"};
	const char *password = lab_get("LAB_PASSWORD");
	struct settings conf;
	struct err err = ERR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
		conf = settings(modes[i]);
		if (submit_one(&conf, password, "user03@example.test", &err))
			fail_msg("%s: %s", modes[i], err.text);
		assert_int_equal(
			submit_one(&conf, "wrong", "user03@example.test", &err), RC_DENIED);
		/* The server's own words are in the log. */
		assert_int_equal(
			submit_one(&conf, password, "nobody@example.test", &err), RC_DENIED);
		assert_int_equal(err.why, ERR_BAD_RECIPIENT);
		assert_non_null(strstr(err.text, "550"));
		/* A certificate of somebody unknown. */
		conf.tls_ca_file = STR("/etc/ssl/certs/ca-certificates.crt");
		assert_int_equal(submit_one(&conf, password, "user03@example.test", &err),
			RC_UNAVAILABLE);
	}
}

/* U1, C24: whoever came with a certificate has no password; the master user acts for him, and
 * sees his mail and nobody else's. */
static void test_the_master_user_acts_for_others(void **state UNUSED)
{
	struct settings conf = settings("starttls");
	struct imap *im;
	struct smtp *smtp;
	struct mail_folders folders;
	struct str text = STR("To: user03@example.test\r\nSubject: by the master\r\n\r\nx\r\n");
	struct str recipient = STR("user03@example.test");
	struct slice_source source;
	struct err err = ERR_INIT;

	conf.imap_master_user = STR("master");
	conf.imap_master_password = str_of(lab_get("LAB_PASSWORD"));
	im = imap_new(&conf);
	if (mail_call(imap_mail(im, STR("user02@example.test"), NULL), list, a, &folders, &err))
		fail_msg("%s", err.text);
	smtp = smtp_new(&conf);
	slice_source_init(&source, &text, 1);
	if (smtp_submit(smtp, STR("user02@example.test"), NULL)
			->send(smtp_submit(smtp, STR("user02@example.test"), NULL),
				STR("user02@example.test"), &recipient, 1, &source.source,
				&err))
		fail_msg("%s", err.text);
	imap_free(im);
	conf.imap_master_password = STR("wrong");
	im = imap_new(&conf);
	assert_int_equal(mail_call(imap_mail(im, STR("user02@example.test"), NULL), list, a,
				 &folders, &err),
		RC_DENIED);
	imap_free(im);
	smtp_free(smtp);
}

/* Two sessions of one user; what one does, the other has to see at once. */
struct pair {
	struct imap *im[2];
	struct mail *mail[2];
	struct secret password;
};

static void pair_open(struct pair *p, const struct settings *conf, const char *user)
{
	*p = (struct pair){
		.password = {NULL, 0}
        };
	secret_set(&p->password, str_of(lab_get("LAB_PASSWORD")));
	for (size_t i = 0; i < 2; i++) {
		p->im[i] = imap_new(conf);
		p->mail[i] = imap_mail(p->im[i], str_of(user), &p->password);
	}
}

static void pair_close(struct pair *p)
{
	imap_free(p->im[0]);
	imap_free(p->im[1]);
	secret_release(&p->password);
}

static void see(struct mail *m, const char *folder, struct mail_delta *d)
{
	struct mail_look l = {.search = true, .newest = 100};
	struct err err = ERR_INIT;

	if (mail_call(m, look, str_of(folder), &l, a, d, &err))
		fail_msg("%s", err.text);
}

/* S4: the server tells unasked what others changed; a move must not take that along. */
static void test_a_move_takes_nothing_else_along(void **state UNUSED)
{
	struct settings conf = settings("none");
	struct pair p;
	struct mail_delta d;
	struct mail_flag_change change = {.set = MAIL_SEEN};
	struct mail_move mv = {.uid = 0};
	struct err err = ERR_INIT;

	pair_open(&p, &conf, "user02@example.test");
	mv.uid = story_append(p.mail[0], "INBOX", 0, 0, "to be moved");
	change.uid = story_append(p.mail[0], "INBOX", 0, 0, "to stay");
	see(p.mail[0], "INBOX", &d);
	assert_int_equal(mail_call(p.mail[1], store, STR("INBOX"), 0, &change, 1, &err), RC_OK);
	assert_int_equal(mail_call(p.mail[0], move, STR("INBOX"), d.mark.uidvalidity,
				 STR("Trash"), &mv, 1, &err),
		RC_OK);
	see(p.mail[1], "INBOX", &d);
	assert_int_equal(uidset_count(&d.scope), 1);
	assert_true(uidset_has(&d.scope, change.uid));
	assert_int_equal(mail_call(p.mail[1], remove, STR("INBOX"), 0, &d.scope, &err), RC_OK);
	see(p.mail[1], "Trash", &d);
	assert_int_equal(uidset_count(&d.scope), 1);
	assert_int_equal(mail_call(p.mail[1], remove, STR("Trash"), 0, &d.scope, &err), RC_OK);
	pair_close(&p);
}

/* The numbers of a folder that is open are those of now, with and without UNSELECT. */
static void test_the_folder_that_is_open_has_the_numbers_of_now(void **state UNUSED)
{
	static const unsigned masks[] = {0, CAP_UNSELECT};
	struct settings conf = settings("none");

	for (size_t i = 0; i < ARRAY_LEN(masks); i++) {
		struct pair p;
		struct mail_delta d;
		struct mail_mark mark;
		struct mail_flag_change change = {.set = MAIL_SEEN};
		struct err err = ERR_INIT;

		pair_open(&p, &conf, "user03@example.test");
		imap_set_mask(p.im[0], masks[i]);
		change.uid = story_append(p.mail[1], "INBOX", 0, 0, "one");
		see(p.mail[0], "INBOX", &d);
		(void)story_append(p.mail[1], "INBOX", 0, 0, "two");
		assert_int_equal(
			mail_call(p.mail[1], store, STR("INBOX"), 0, &change, 1, &err), RC_OK);
		assert_int_equal(
			mail_call(p.mail[0], status, STR("INBOX"), &mark, &err), RC_OK);
		assert_int_equal(mark.messages, d.mark.messages + 1);
		assert_true(mark.uidnext > d.mark.uidnext);
		assert_true(mark.modseq > d.mark.modseq + 1);
		see(p.mail[1], "INBOX", &d);
		assert_int_equal(
			mail_call(p.mail[1], remove, STR("INBOX"), 0, &d.scope, &err), RC_OK);
		pair_close(&p);
	}
}

static enum rc sign_in(const struct settings *conf, const char *text)
{
	struct imap *im = imap_new(conf);
	struct secret password = {NULL, 0};
	struct err err = ERR_INIT;
	enum rc rc;

	secret_set(&password, str_of(text));
	rc = imap_auth(im)->check(imap_auth(im), STR("user01@example.test"), &password, &err);
	imap_free(im);
	secret_release(&password);
	return rc;
}

static void test_a_certificate_that_nobody_vouches_for_is_refused(void **state UNUSED)
{
	struct settings conf = settings("starttls");

	assert_int_equal(sign_in(&conf, lab_get("LAB_PASSWORD")), RC_OK);
	conf.tls_ca_file = STR("");
	assert_int_equal(sign_in(&conf, lab_get("LAB_PASSWORD")), RC_UNAVAILABLE);
	conf.tls_verify = false;
	assert_int_equal(sign_in(&conf, lab_get("LAB_PASSWORD")), RC_OK);
}

/* requirements 3.14 */
static void test_a_wrong_password_is_denied(void **state UNUSED)
{
	struct settings conf = settings("none");

	assert_int_equal(sign_in(&conf, "not the password"), RC_DENIED);
	assert_int_equal(sign_in(&conf, ""), RC_DENIED);
}

static void test_postgres_keeps_the_contract(void **state UNUSED)
{
	struct settings conf = settings("none");
	struct state *s = pg_state_new(&conf);

	contract_state(s, "ann@example.test");
	contract_items(s, "items@example.test");
	pg_state_free(s);
}

static void run_sql(const char *sql)
{
	PGconn *c = PQconnectdb(lab_get("PG_DSN"));
	PGresult *r = PQexec(c, sql);

	if (PQresultStatus(r) != PGRES_COMMAND_OK && PQresultStatus(r) != PGRES_TUPLES_OK)
		fail_msg("%s: %s", sql, PQresultErrorMessage(r));
	PQclear(r);
	PQfinish(c);
}

static void a_month_passes(void *ctx UNUSED)
{
	run_sql("UPDATE item SET at = at - interval '31 days'");
}

static void test_postgres_forgets_what_is_gone_for_long(void **state UNUSED)
{
	struct settings conf = settings("none");
	struct state *s = pg_state_new(&conf);

	contract_items_forgotten(s, "forgets@example.test", a_month_passes, NULL);
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

/* without: the store does as if the server lacked these; cannot: what it really cannot do. */
static void dav_keeps_it(struct settings *conf, unsigned without, unsigned cannot)
{
	struct dav_client *c = dav_client_new(conf, DAV_CLIENT_CARDS, NULL);
	struct secret password = {NULL, 0};

	dav_client_set_mask(c, without);
	secret_set(&password, str_of(lab_get("LAB_PASSWORD")));
	contract_dav(dav_client_user(c, STR("user01@example.test"), &password), cannot);
	dav_client_free(c);
	secret_release(&password);
}

/* C56: lesser servers give the same result with more work. */
static void test_dav_keeps_the_contract(void **state UNUSED)
{
	static const unsigned masks[] = {0, DAV_LACKS_MOVE, DAV_LACKS_SYNC,
		DAV_LACKS_SYNC | DAV_LACKS_CTAG | DAV_LACKS_MOVE};
	struct settings conf = settings("none");

	for (size_t i = 0; i < ARRAY_LEN(masks); i++)
		dav_keeps_it(&conf, masks[i], 0);
	/* The place of the address books instead of the root. */
	conf.carddav_url = arena_printf(a, "%s/%%u/", lab_get("CARDDAV_URL"));
	dav_keeps_it(&conf, 0, 0);
}

static void calendars_keep_it(struct settings *conf, unsigned without, unsigned cannot)
{
	struct dav_client *c = dav_client_new(conf, DAV_CLIENT_CALENDARS, NULL);
	struct secret password = {NULL, 0};

	dav_client_set_mask(c, without);
	secret_set(&password, str_of(lab_get("LAB_PASSWORD")));
	contract_calendars(dav_client_user(c, STR("user01@example.test"), &password), cannot);
	dav_client_free(c);
	secret_release(&password);
}

/* C56, and MKCALENDAR instead of MKCOL. */
static void test_calendars_keep_the_contract(void **state UNUSED)
{
	static const unsigned masks[] = {0, DAV_LACKS_MOVE, DAV_LACKS_MKCOL,
		DAV_LACKS_SYNC | DAV_LACKS_CTAG | DAV_LACKS_MOVE};
	struct settings conf = settings("none");

	for (size_t i = 0; i < ARRAY_LEN(masks); i++)
		calendars_keep_it(&conf, masks[i], 0);
	conf.caldav_url = arena_printf(a, "%s/%%u/", lab_get("CALDAV_URL"));
	calendars_keep_it(&conf, 0, 0);
}

static void test_calendars_keep_the_contract_at_xandikos(void **state UNUSED)
{
	struct settings conf = settings("none");

	calendars_keep_it(&conf, 0, CONTRACT_DAV_NO_SERIES);
	calendars_keep_it(&conf, DAV_LACKS_SYNC | DAV_LACKS_MKCOL, CONTRACT_DAV_NO_SERIES);
}

/* What one client puts into a calendar another finds by its UID, and nobody else; one trip when
 * the homes are known. */
static void test_calendars_belong_to_their_user(void **state UNUSED)
{
	struct dav_peer *ann = dav_peer_new_calendars("user01@example.test");
	struct str path = dav_peer_book(ann);
	struct settings conf = settings("none");
	struct dav_client *c = dav_client_new(&conf, DAV_CLIENT_CALENDARS, NULL);
	struct secret password = {NULL, 0};
	struct dav_collections r;
	struct dav_entry *v;
	struct err err = ERR_INIT;
	struct dav *d;
	size_t n;

	assert_string_equal(path.p, "/user01@example.test/calendar/");
	(void)dav_peer_put(ann, path, "mine.ics",
		"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//EN\r\nBEGIN:VEVENT\r\n"
		"UID:mine\r\nDTSTAMP:20300101T000000Z\r\nDTSTART:20300101T100000Z\r\n"
		"END:VEVENT\r\nEND:VCALENDAR\r\n");
	secret_set(&password, str_of(lab_get("LAB_PASSWORD")));
	d = dav_client_user(c, STR("user01@example.test"), &password);
	assert_int_equal(dav_call(d, with_uid, path, STR("mine"), a, &v, &n, &err), RC_OK);
	assert_int_equal(n, 1);
	assert_string_equal(v[0].href.p, "/user01@example.test/calendar/mine.ics");
	assert_int_equal(dav_client_trips(c), 1);
	d = dav_client_user(c, STR("user02@example.test"), &password);
	assert_int_equal(dav_call(d, since, path, 0, a, &v, &n, &err), RC_DENIED);
	assert_int_equal(dav_call(d, collections, DAV_EVENTS, a, &r, &err), RC_OK);
	assert_int_equal(r.n, 1);
	assert_string_equal(r.v[0].path.p, "/user02@example.test/calendar/");
	dav_peer_remove(ann, path, "mine.ics");
	dav_client_free(c);
	secret_release(&password);
	dav_peer_free(ann);
}

/* more: further settings, or others than the usual ones. */
static struct settings address_book(const char *more)
{
	const struct {
		const char *key, *value;
	} usual[] = {
		{"ldap_url",     lab_get("LDAP_URL") },
		{"ldap_base",    lab_get("LDAP_BASE")},
		{"tls_ca_file",  lab_get("TLS_CA")   },
		{"ldap_timeout", "5"                 },
	};
	struct str text = str_of(more);
	struct settings conf;
	struct err err = ERR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(usual); i++)
		if (!strstr(more, usual[i].key))
			text = arena_printf(a, "%.*s%s = \"%s\"\n", STR_FMT(text), usual[i].key,
				usual[i].value);
	if (settings_read(text, "test", &conf, a, &err) || ldap_check(&conf, &err))
		fail_msg("%s", err.text);
	return conf;
}

/* S5, C56: in clear and with both kinds of TLS, in pages of every size, as somebody. */
static void test_ldap_keeps_the_contract(void **state UNUSED)
{
	const char *const ways[] = {
		"",
		"ldap_starttls = yes\n",
		"ldap_page = 0\n",
		"ldap_page = 1\n",
		"ldap_page = 2\nldap_search_max = 50\n",
		arena_printf(a, "ldap_bind_dn = \"cn=admin,%s\"\nldap_bind_password = %s\n",
			lab_get("LDAP_BASE"), lab_get("LAB_PASSWORD"))
			.p,
		/* The first that answers. */
		arena_printf(a, "ldap_url = \"ldap://127.0.0.1:1 ldapi://%%2fnowhere %s\"\n",
			lab_get("LDAPS_URL"))
			.p,
	};

	for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
		struct settings conf = address_book(ways[i]);
		struct ldap_directory *d = ldap_directory_new(&conf);

		contract_directory(ldap_directory_directory(d));
		assert_true(ldap_directory_trips(d) > 50);
		ldap_directory_free(d);
	}
}

static enum rc look_up(
	struct ldap_directory *d, const char *text, struct people *r, struct err *err)
{
	struct directory_query q = {.text = str_of(text), .count = 10};

	return directory_call(ldap_directory_directory(d), search, &q, a, r, err);
}

static enum rc look_up_once(const char *more, struct people *r, struct err *err)
{
	struct settings conf = address_book(more);
	struct ldap_directory *d = ldap_directory_new(&conf);
	enum rc rc = look_up(d, "ann", r, err);

	ldap_directory_free(d);
	return rc;
}

static void test_ldap_tells_what_is_wrong(void **state UNUSED)
{
	static const char *const nowhere[] = {
		"ldap_url = ldap://127.0.0.1:1\n",
		"ldap_base = \"dc=nobody,dc=test\"\n",
		"tls_ca_file = /etc/ssl/certs/ca-certificates.crt\nldap_starttls = yes\n",
		"tls_ca_file = /nonexistent\nldap_starttls = yes\n",
	};
	struct people r;
	struct err err = ERR_INIT;
	const char *bind =
		arena_printf(a, "ldap_bind_dn = \"cn=admin,%s\"\nldap_bind_password = wrong\n",
			lab_get("LDAP_BASE"))
			.p;

	for (size_t i = 0; i < ARRAY_LEN(nowhere); i++) {
		assert_int_equal(look_up_once(nowhere[i], &r, &err), RC_UNAVAILABLE);
		assert_int_equal(r.n, 0);
		assert_true(err.text[0] != '\0');
	}
	assert_int_equal(look_up_once(bind, &r, &err), RC_DENIED);
	assert_null(strstr(err.text, "wrong"));
	assert_int_equal(look_up_once("tls_ca_file = /etc/ssl/certs/ca-certificates.crt\n"
				      "ldap_starttls = yes\ntls_verify = no\n",
				 &r, &err),
		RC_OK);
	assert_int_equal(r.n, 4);
}

/* What came until the limit is answered, whoever sets it. */
static void test_ldap_answers_what_came_until_a_limit(void **state UNUSED)
{
	static const char *const ways[] = {"ldap_search_max = 3\n",
		"ldap_search_max = 3\nldap_page = 0\n", "ldap_search_max = 3\nldap_page = 2\n"};
	struct people r;
	struct err err = ERR_INIT;
	const char *limited =
		arena_printf(a, "ldap_bind_dn = \"cn=limited,%s\"\nldap_bind_password = %s\n",
			lab_get("LDAP_BASE"), lab_get("LAB_PASSWORD"))
			.p;

	for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
		assert_int_equal(look_up_once(ways[i], &r, &err), RC_LIMIT);
		assert_int_equal(r.n, 3);
		assert_int_equal(r.total, 3);
	}
	assert_int_equal(look_up_once(limited, &r, &err), RC_LIMIT);
	assert_int_equal(r.n, 3);
	assert_int_equal(
		look_up_once(arena_printf(a, "%sldap_page = 0\n", limited).p, &r, &err),
		RC_LIMIT);
	assert_int_equal(r.n, 3);
	/* As many as there are is not too many. */
	assert_int_equal(look_up_once("ldap_search_max = 4\n", &r, &err), RC_OK);
	assert_int_equal(look_up_once("ldap_search_max = 4\nldap_page = 0\n", &r, &err), RC_OK);
}

static void test_ldap_attributes_are_those_of_the_settings(void **state UNUSED)
{
	struct settings conf = address_book(
		"ldap_attributes = \"Office=roomNumber,telephoneNumber displayname=sn\"\n"
		"ldap_filter = (uid=ann*)\nldap_self_filter = (mailAlternateAddress=%n.alias@%d)\n");
	struct ldap_directory *d = ldap_directory_new(&conf);
	struct directory_query q = {.text = STR("m\xc3\xbcller"), .count = 10};
	struct people r;
	struct person p;
	struct err err = ERR_INIT;
	size_t n;

	assert_int_equal(
		directory_call(ldap_directory_directory(d), search, &q, a, &r, &err), RC_OK);
	assert_int_equal(r.n, 1);
	assert_true(str_is(r.v[0].office, "+49 7121 100"));
	assert_true(str_is(r.v[0].display_name, "M\xc3\xbcller"));
	assert_int_equal(directory_call(ldap_directory_directory(d), self,
				 STR("user02@example.test"), a, &p, &err),
		RC_OK);
	assert_true(str_is(p.email, "user02@example.test"));
	assert_int_equal(ldap_directory_count(d, &n, &err), RC_OK);
	assert_int_equal(n, 4);
	ldap_directory_free(d);
}

/* A server that was away is asked again by itself, on a connection of its own. */
static void test_ldap_connects_again(void **state UNUSED)
{
	struct settings conf = address_book("");
	struct ldap_directory *d = ldap_directory_new(&conf);
	struct people r;
	struct err err = ERR_INIT;

	assert_int_equal(look_up(d, "ann", &r, &err), RC_OK);
	(void)ldap_directory_trips(d);
	assert_int_equal(look_up(d, "ann", &r, &err), RC_OK);
	/* The connection was kept. */
	assert_int_equal(ldap_directory_trips(d), 1);
	lab_break("ldap-stop");
	assert_int_equal(look_up(d, "ann", &r, &err), RC_UNAVAILABLE);
	lab_break("ldap");
	assert_int_equal(look_up(d, "ann", &r, &err), RC_OK);
	lab_break("ldap-stop");
	lab_break("ldap");
	/* Lost and opened again within one call. */
	assert_int_equal(look_up(d, "ann", &r, &err), RC_OK);
	assert_int_equal(r.n, 4);
	ldap_directory_free(d);
}

/* What one client does, another sees; and nobody sees what is another user's. */
static void test_address_books_belong_to_their_user(void **state UNUSED)
{
	struct dav_peer *ann = dav_peer_new("user01@example.test"),
			*bob = dav_peer_new("user02@example.test");
	struct str book = dav_peer_book(ann);
	struct dav_changes c;
	struct err err = ERR_INIT;

	assert_string_equal(book.p, "/user01@example.test/contacts/");
	(void)dav_peer_put(ann, book, "cid.vcf",
		"BEGIN:VCARD\r\nVERSION:3.0\r\nUID:cid\r\nFN:Cid\r\nN:Cid;;;;\r\nEND:VCARD\r\n");
	assert_true(dav_peer_find(ann, book, "FN:Cid").p != NULL);
	assert_int_equal(dav_peer_list(bob, dav_peer_book(bob)).n, 0);
	assert_int_equal(
		dav_call(dav_peer_dav(bob), changes, book, STR(""), a, &c, &err), RC_DENIED);
	dav_peer_remove(ann, book, "cid.vcf");
	assert_null(dav_peer_get(ann, book, "cid.vcf").p);
	dav_peer_free(ann);
	dav_peer_free(bob);
}

/* A server with TLS that speaks no HTTP tells enough: whether it was believed. */
static void test_dav_verifies_certificates(void **state UNUSED)
{
	struct settings conf = settings("none");
	struct dav_client *c;
	struct str said;
	struct err err = ERR_INIT;

	conf.carddav_url = arena_printf(a, "https://127.0.0.1:%s/", lab_get("IMAPS_PORT"));
	for (unsigned i = 0; i < 3; i++) {
		if (i == 1)
			conf.tls_ca_file = STR("");
		if (i == 2)
			conf.tls_verify = false;
		c = dav_client_new(&conf, DAV_CLIENT_CARDS, NULL);
		assert_int_equal(dav_client_probe(c, a, &said, &err), RC_UNAVAILABLE);
		assert_int_equal(strstr(err.text, "certificate") != NULL, i == 1);
		assert_int_equal(strstr(err.text, "HTTP/0.9") != NULL, i != 1);
		dav_client_free(c);
	}
}

/* One worker serves many: each with his own password. */
static void test_a_wrong_password_opens_no_address_book(void **state UNUSED)
{
	struct settings conf = settings("none");
	struct dav_client *c = dav_client_new(&conf, DAV_CLIENT_CARDS, NULL);
	struct secret right = {NULL, 0}, wrong = {NULL, 0};
	struct dav_collections r;
	struct err err = ERR_INIT;

	secret_set(&right, str_of(lab_get("LAB_PASSWORD")));
	secret_set(&wrong, STR("not the password"));
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(
			dav_call(dav_client_user(c, STR("user01@example.test"), &right),
				collections, DAV_CARDS, a, &r, &err),
			RC_OK);
		assert_int_equal(r.n, 1);
		/* The homes are known the second time: one trip. */
		assert_int_equal(dav_client_trips(c), i ? 1 : 3);
		assert_int_equal(
			dav_call(dav_client_user(c, STR("user01@example.test"), &wrong),
				collections, DAV_CARDS, a, &r, &err),
			RC_DENIED);
		assert_int_equal(dav_call(dav_client_user(c, STR("user01@example.test"), NULL),
					 collections, DAV_CARDS, a, &r, &err),
			RC_DENIED);
	}
	/* Appointments are listed where they are asked for. */
	assert_int_equal(dav_call(dav_client_user(c, STR("user01@example.test"), &right),
				 collections, DAV_EVENTS, a, &r, &err),
		RC_OK);
	assert_int_equal(r.n, 1);
	assert_string_equal(r.v[0].path.p, "/user01@example.test/calendar/");
	dav_client_free(c);
	secret_release(&right);
	secret_release(&wrong);
}

/* C56: it has no MOVE, and fails with 500 over a token that it does not know. */
static void test_dav_keeps_the_contract_at_xandikos(void **state UNUSED)
{
	struct settings conf = settings("none");

	dav_keeps_it(&conf, 0, CONTRACT_DAV_NO_FIND);
	dav_keeps_it(&conf, DAV_LACKS_SYNC, CONTRACT_DAV_NO_FIND);
}

static void signal_slapd(int number)
{
	FILE *f = fopen(arena_printf(a, "%s/slapd.pid", lab_get("LAB_DIR")).p, "r");
	char pid[32] = "";

	assert_non_null(f);
	assert_non_null(fgets(pid, sizeof(pid), f));
	(void)fclose(f);
	assert_int_equal(kill((pid_t)strtol(pid, NULL, 10), number), 0);
}

/* A server that takes connections and says nothing is not waited for longer than ldap_timeout,
 * on a connection that is there and on new ones, with TLS or without. */
static void test_ldap_is_silent(void **state UNUSED)
{
	const char *const ways[] = {"ldap_timeout = 1\n",
		"ldap_timeout = 1\nldap_starttls = yes\n",
		arena_printf(a, "ldap_timeout = 1\nldap_url = %s\n", lab_get("LDAPS_URL")).p};
	struct settings conf = address_book(ways[0]);
	struct ldap_directory *d = ldap_directory_new(&conf);
	struct people r;
	struct err err = ERR_INIT;
	enum rc rc = look_up(d, "ann", &r, &err);

	assert_int_equal(rc, RC_OK);
	signal_slapd(SIGSTOP);
	/* A thread of it may have an answer on its way yet. */
	for (unsigned tries = 0; rc == RC_OK && tries < 100; tries++)
		rc = look_up(d, "ann", &r, &err);
	assert_int_equal(rc, RC_UNAVAILABLE);
	assert_int_equal(err.why, ERR_TIMEOUT);
	for (size_t i = 0; i < ARRAY_LEN(ways); i++)
		assert_int_equal(look_up_once(ways[i], &r, &err), RC_UNAVAILABLE);
	signal_slapd(SIGCONT);
	assert_int_equal(look_up(d, "ann", &r, &err), RC_OK);
	ldap_directory_free(d);
}

static int start(void **state UNUSED)
{
	struct err err = ERR_INIT;
	PGconn *c;
	int from, to;

	lab_up_backends(3);
	a = arena_new();
	c = PQconnectdb(lab_get("PG_DSN"));
	if (schema_upgrade(c, &from, &to, &err)) {
		print_error("%s\n", err.text);
		return -1;
	}
	PQfinish(c);
	return 0;
}

/* Another server for address books; the rest is the same. */
static int start_xandikos(void **state UNUSED)
{
	(void)setenv("EASPOOL_LAB_DAV", "xandikos", 1);
	lab_up_backends(1);
	a = arena_new();
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
		cmocka_unit_test(test_imap_keeps_the_contract_with_implicit_tls),
		cmocka_unit_test(test_mail_is_submitted_in_every_tls_mode),
		cmocka_unit_test(test_the_master_user_acts_for_others),
		cmocka_unit_test(test_a_move_takes_nothing_else_along),
		cmocka_unit_test(test_the_folder_that_is_open_has_the_numbers_of_now),
		cmocka_unit_test(test_a_certificate_that_nobody_vouches_for_is_refused),
		cmocka_unit_test(test_a_wrong_password_is_denied),
		cmocka_unit_test(test_dav_keeps_the_contract),
		cmocka_unit_test(test_calendars_keep_the_contract),
		cmocka_unit_test(test_calendars_belong_to_their_user),
		cmocka_unit_test(test_ldap_keeps_the_contract),
		cmocka_unit_test(test_ldap_tells_what_is_wrong),
		cmocka_unit_test(test_ldap_answers_what_came_until_a_limit),
		cmocka_unit_test(test_ldap_attributes_are_those_of_the_settings),
		cmocka_unit_test(test_ldap_connects_again),
		cmocka_unit_test(test_address_books_belong_to_their_user),
		cmocka_unit_test(test_dav_verifies_certificates),
		cmocka_unit_test(test_a_wrong_password_opens_no_address_book),
		cmocka_unit_test(test_ldap_is_silent),
		cmocka_unit_test(test_postgres_keeps_the_contract),
		cmocka_unit_test(test_postgres_forgets_what_is_gone_for_long),
		cmocka_unit_test(test_a_taken_collection_is_waited_for),
	};

	const struct CMUnitTest others[] = {
		cmocka_unit_test(test_dav_keeps_the_contract_at_xandikos),
		cmocka_unit_test(test_calendars_keep_the_contract_at_xandikos),
	};

	return cmocka_run_group_tests(tests, start, end) +
	       cmocka_run_group_tests(others, start_xandikos, end);
}
