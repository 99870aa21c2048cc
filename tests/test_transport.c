/*
 * Who is sent elsewhere, who has to wait, who finds his server: U1, U2, C17, C18, C19, C24,
 * C27, C28, C29, D2, K22, requirements 3.7, 3.12, 3.13, and Settings (C66-C70, U22).
 */
#include "fcgi/http.h"
#include "fcgi/rate.h"
#include "tests/support_eas.h"
#include "tests/support_story.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct eas e;
static struct phone p;

static bool header(const char *line)
{
	return strstr(e.seen.headers, line) != NULL;
}

static void test_a_user_of_another_server_is_sent_there(void **state UNUSED)
{
	static const char home[] = "https://other.example.test/Microsoft-Server-ActiveSync";
	struct eas_request q = {.options = true, .user = EAS_USER, .password = EAS_PASSWORD};
	struct buf answer;

	eas_init(&e, "");
	eas_phone(&e, &p, "phone", "12.1");
	story_must(phone_provision(&p) && phone_folder_sync(&p), &p);
	fake_state_home(e.state, EAS_USER, home);
	(void)phone_post(&p, "Sync", "airsync:Sync\n  airsync:Collections\n");
	assert_int_equal(p.http, 451);
	assert_true(header(
		"X-MS-Location: https://other.example.test/Microsoft-Server-ActiveSync"));
	buf_init(&answer, BUF_MAX_LINE);
	eas_request(&e, &q, &answer);
	assert_int_equal(e.seen.http, 451);
	/* Who does not prove who he is learns nothing. */
	q.password = "wrong";
	eas_request(&e, &q, &answer);
	assert_int_equal(e.seen.http, 401);
	assert_false(header("X-MS-Location"));
	fake_state_home(e.state, EAS_USER, "");
	story_must(phone_folder_sync(&p), &p);
	buf_release(&answer);
	phone_release(&p);
	eas_release(&e);
}

static int64_t wait_for;

static int64_t rate(struct services *sv, const struct request *rq)
{
	(void)sv;
	(void)rq;
	return wait_for;
}

static void open_rate(struct eas *it, struct services *sv, struct request *rq)
{
	(void)it;
	(void)rq;
	sv->rate = rate;
}

static void test_a_device_that_runs_away_waits(void **state UNUSED)
{
	eas_init(&e, "");
	e.open = open_rate;
	wait_for = 0;
	eas_phone(&e, &p, "phone", "14.1");
	story_must(phone_provision(&p) && phone_folder_sync(&p), &p);
	wait_for = 17;
	(void)phone_post(&p, "FolderSync",
		"folderhierarchy:FolderSync\n  folderhierarchy:SyncKey \"0\"\n");
	assert_int_equal(p.http, 503);
	assert_true(header("Retry-After: 17"));
	assert_true(strstr(e.seen.error, "too many requests") != NULL);
	phone_release(&p);
	eas_release(&e);
}

static void test_a_minutes_worth_is_free(void **state UNUSED)
{
	struct rate *r = rate_new();
	int64_t now = 1000000;

	for (unsigned i = 0; i < 60; i++)
		assert_int_equal(rate_take(r, STR("ann phone"), 60, now), 0);
	assert_int_equal(rate_take(r, STR("ann phone"), 60, now), 1);
	/* Others are not concerned, and it comes back one by one. */
	assert_int_equal(rate_take(r, STR("bob phone"), 60, now), 0);
	assert_int_equal(rate_take(r, STR("ann phone"), 60, now + 1000), 0);
	assert_int_equal(rate_take(r, STR("ann phone"), 60, now + 1000), 1);
	assert_int_equal(rate_take(r, STR("ann phone"), 1, now + 1000), 60);
	for (unsigned i = 0; i < 1000; i++)
		assert_int_equal(rate_take(r, STR("ann phone"), 0, now), 0);
	/* However many there are: none is refused before his time. */
	for (unsigned i = 0; i < 100000; i++) {
		char who[16];

		(void)snprintf(who, sizeof(who), "%u", i);
		(void)rate_take(r, str_of(who), 1000, now + (int64_t)i * 100);
	}
	assert_int_equal(rate_take(r, STR("new"), 60, now + 20000000), 0);
	rate_free(r);
}

/* ---- Autodiscover ---- */

struct asked {
	int http;
	char type[64];
	char body[4096];
};

static void ask(
	struct asked *r, enum discover which, const char *query, const char *body, bool known)
{
	struct eas_request q = {.query = "",
		.user = known ? EAS_USER : NULL,
		.password = known ? EAS_PASSWORD : NULL,
		.body = str_of(body),
		.discover = which,
		.query_text = query,
		.host = "mail.example.test"};
	struct buf answer;

	buf_init(&answer, BUF_MAX_LINE);
	eas_request(&e, &q, &answer);
	r->http = e.seen.http;
	(void)snprintf(r->type, sizeof(r->type), "%s", e.seen.type);
	(void)snprintf(r->body, sizeof(r->body), "%.*s", STR_FMT(buf_str(&answer)));
	buf_release(&answer);
}

static void has(const struct asked *r, const char *what)
{
	if (!strstr(r->body, what))
		fail_msg("no %s in\n%s", what, r->body);
}

#define XML(schema, address)                                                                   \
	"<?xml version=\"1.0\"?><Autodiscover xmlns=\"http://schemas.microsoft.com/exchange/"  \
	"autodiscover/mobilesync/requestschema/2006\"><Request><EMailAddress>" address         \
	"</EMailAddress><AcceptableResponseSchema>http://schemas.microsoft.com/exchange/"      \
	"autodiscover/" schema "</AcceptableResponseSchema></Request></Autodiscover>"

static void test_phones_find_their_server_by_xml(void **state UNUSED)
{
	struct asked r;

	eas_init(&e, "");
	ask(&r, DISCOVER_XML, "", XML("mobilesync/responseschema/2006", "a&amp;b@example.test"),
		true);
	assert_int_equal(r.http, 200);
	assert_true(strstr(r.type, "text/xml") == r.type);
	has(&r, "<Url>https://mail.example.test/Microsoft-Server-ActiveSync</Url>");
	has(&r, "<Name>https://mail.example.test/Microsoft-Server-ActiveSync</Name>");
	has(&r, "<Type>MobileSync</Type>");
	has(&r, "<EMailAddress>a&amp;b@example.test</EMailAddress>");
	has(&r, "<Culture>en:us</Culture>");
	/* clients.md 2: old Androids send nothing but their password. */
	ask(&r, DISCOVER_XML, "", "", true);
	has(&r, "<EMailAddress>ann@example.test</EMailAddress>");
	/* Requirements 3.13 */
	ask(&r, DISCOVER_XML, "", "", false);
	assert_int_equal(r.http, 401);
	assert_true(header("WWW-Authenticate"));
	/* A user who may not sync is not led here. K22 */
	fake_state_entitle(e.state, EAS_USER, ENTITLEMENT_DISABLED);
	ask(&r, DISCOVER_XML, "", "", true);
	assert_int_equal(r.http, 403);
	fake_state_entitle(e.state, EAS_USER, ENTITLED);
	/* D2: to his own server. */
	fake_state_home(e.state, EAS_USER, "https://other.test/Microsoft-Server-ActiveSync");
	ask(&r, DISCOVER_XML, "", "", true);
	has(&r, "<Url>https://other.test/Microsoft-Server-ActiveSync</Url>");
	eas_release(&e);
}

static void test_other_questions_have_their_error(void **state UNUSED)
{
	/* clang-format off */
	static const struct {
		const char *body, *want;
	} cases[] = {
		{"no xml", "<ErrorCode>600</ErrorCode>"},
		{"<a/>", "<ErrorCode>600</ErrorCode>"},
		{"<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><Autodiscover><Request>"
		 "<EMailAddress>&x;</EMailAddress></Request></Autodiscover>",
                 "<ErrorCode>600</ErrorCode>"},
		{"<Autodiscover><Request/><Request/></Autodiscover>", "<ErrorCode>600</ErrorCode>"},
		{XML("mobilesync/responseschema/2006", ""), "<ErrorCode>600</ErrorCode>"},
		{XML("nonsense/2006", "a@b.test"), "<ErrorCode>601</ErrorCode>"},
		{XML("outlook/responseschema/2006a", "a@b.test"), "<ErrorCode>601</ErrorCode>"},
	};
	/* clang-format on */

	eas_init(&e, "");
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct asked r;

		ask(&r, DISCOVER_XML, "", cases[i].body, true);
		assert_int_equal(r.http, 200);
		has(&r, cases[i].want);
		assert_null(strstr(r.body, "root:"));
	}
	eas_release(&e);
	/* C19 */
	eas_init(&e, "autodiscover_imap = imap.example.test:993\n"
		     "autodiscover_smtp = smtp.example.test:587\n");
	{
		struct asked r;

		ask(&r, DISCOVER_XML, "", XML("outlook/responseschema/2006a", "a@b.test"),
			true);
		has(&r, "<Type>IMAP</Type><Server>imap.example.test</Server><Port>993</Port>");
		has(&r, "<Encryption>TLS</Encryption>");
	}
	eas_release(&e);
}

/* C18 */
static void test_phones_find_their_server_by_json(void **state UNUSED)
{
	struct asked r;

	eas_init(&e, "public_url = https://eas.example.test/Microsoft-Server-ActiveSync\n");
	ask(&r, DISCOVER_JSON, "Email=a%40b.test&pROTOCOL=activeSYNC", "", true);
	assert_int_equal(r.http, 200);
	assert_string_equal(r.type, "application/json");
	assert_string_equal(r.body,
		"{\"Protocol\":\"ActiveSync\","
		"\"Url\":\"https://eas.example.test/Microsoft-Server-ActiveSync\"}");
	ask(&r, DISCOVER_JSON, "Protocol=AutodiscoverV1", "", true);
	has(&r, "\"Url\":\"https://eas.example.test/autodiscover/autodiscover.xml\"");
	ask(&r, DISCOVER_JSON, "Protocol=EWS", "", true);
	assert_int_equal(r.http, 400);
	has(&r, "InvalidProtocol");
	ask(&r, DISCOVER_JSON, "", "", true);
	assert_int_equal(r.http, 400);
	has(&r, "MandatoryParameterMissing");
	ask(&r, DISCOVER_JSON, "Protocol=ActiveSync", "", false);
	assert_int_equal(r.http, 401);
	eas_release(&e);
	eas_init(&e, "autodiscover_anonymous = yes\n");
	ask(&r, DISCOVER_JSON, "Protocol=ActiveSync", "", false);
	assert_int_equal(r.http, 200);
	has(&r, "https://mail.example.test/Microsoft-Server-ActiveSync");
	ask(&r, DISCOVER_XML, "", "", false);
	assert_int_equal(r.http, 401);
	eas_release(&e);
}

/* ---- what the web server says ---- */

static const char *const *given;

static const char *param(void *ctx, const char *name)
{
	(void)ctx;
	for (size_t i = 0; given[i]; i += 2)
		if (strcmp(given[i], name) == 0)
			return given[i + 1];
	return NULL;
}

static int read_http(struct request *rq, const char *conf_text, const char *const *v)
{
	static struct settings conf;
	static struct arena *a;
	struct err err = ERR_INIT;

	arena_free(a);
	a = arena_new();
	*rq = (struct request){.arena = a};
	assert_int_equal(settings_read(str_of(conf_text), "test", &conf, a, &err), RC_OK);
	given = v;
	return http_read(param, NULL, &conf, rq, &err);
}

/* U1, C24: only what the web server has verified counts. */
static void test_a_certificate_names_the_user(void **state UNUSED)
{
	static const char *const nginx[] = {"REQUEST_METHOD", "OPTIONS", "REQUEST_URI",
		"/Microsoft-Server-ActiveSync", "SSL_CLIENT_VERIFY", "SUCCESS",
		"SSL_CLIENT_S_DN", "CN=Ann,emailAddress=Ann@example.test,O=X", NULL};
	static const char *const old[] = {"REQUEST_METHOD", "OPTIONS", "REQUEST_URI",
		"/Microsoft-Server-ActiveSync", "SSL_CLIENT_VERIFY", "SUCCESS",
		"SSL_CLIENT_S_DN", "/O=X/CN=ann", NULL};
	static const char *const forged[] = {"REQUEST_METHOD", "OPTIONS", "REQUEST_URI",
		"/Microsoft-Server-ActiveSync", "SSL_CLIENT_VERIFY", "FAILED",
		"SSL_CLIENT_S_DN", "emailAddress=ann@example.test", "HTTP_SSL_CLIENT_VERIFY",
		"SUCCESS", NULL};
	static const char on[] = "client_certificate = yes\nimap_master_user = m\n";
	struct request rq;

	assert_int_equal(read_http(&rq, on, nginx), 0);
	assert_true(rq.certificate && str_is(rq.user, "ann@example.test"));
	assert_int_equal(read_http(&rq,
				 "client_certificate = yes\nimap_master_user = m\n"
				 "certificate_field = cn\nlogin_domain = example.test\n",
				 old),
		0);
	assert_true(rq.certificate && str_is(rq.user, "ann@example.test"));
	assert_int_equal(read_http(&rq, on, forged), 0);
	assert_false(rq.certificate || rq.user.n);
	assert_int_equal(read_http(&rq, "", nginx), 0);
	assert_false(rq.certificate || rq.user.n);
}

static void test_paths_of_any_letter_case(void **state UNUSED)
{
	static const struct {
		const char *method, *uri;
		enum discover which;
		int code;
	} cases[] = {
		{"POST", "/Autodiscover/Autodiscover.xml",                                    DISCOVER_XML,  0  },
		{"GET",  "/autodiscover/autodiscover.XML?x=y",                                DISCOVER_XML,  0  },
		{"GET",  "/autodiscover/autodiscover.json?Protocol=ActiveSync",               DISCOVER_JSON,
                 0											      },
		{"GET",  "/AutoDiscover/Autodiscover.json/v1.0/a@b.test?Protocol=ActiveSync",
                 DISCOVER_JSON,									      0  },
		{"GET",  "/autodiscover/autodiscover.jsonx",                                  DISCOVER_NONE, 404},
		{"GET",  "/",								 DISCOVER_NONE, 404},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const char *const v[] = {"REQUEST_METHOD", cases[i].method, "REQUEST_URI",
			cases[i].uri, "HTTP_AUTHORIZATION", "Basic YTpi", NULL};
		struct request rq;

		assert_int_equal(read_http(&rq, "", v), cases[i].code);
		assert_int_equal(rq.discover, cases[i].which);
		secret_release(&rq.password);
	}
}

/* ---- Settings ---- */

static const char *settings(struct arena *a, const char *children)
{
	return eas_text(phone_post(&p, "Settings",
				arena_printf(a, "settings:Settings\n%s", children).p),
		a);
}

static void test_settings_answer_what_there_is(void **state UNUSED)
{
	struct arena *a = arena_new();
	const char *text;

	eas_init(&e, "mail_aliases = old.test  other.test\n");
	eas_phone(&e, &p, "phone", "14.1");
	story_must(phone_provision(&p) && phone_folder_sync(&p), &p);
	text = settings(a, "  settings:UserInformation\n    settings:Get\n");
	assert_non_null(strstr(text, "settings:SMTPAddress \"ann@example.test\""));
	assert_non_null(strstr(text, "settings:SMTPAddress \"ann@old.test\""));
	assert_non_null(strstr(text, "settings:SMTPAddress \"ann@other.test\""));
	assert_non_null(strstr(text, "settings:PrimarySmtpAddress \"ann@example.test\""));
	text = settings(
		a, "  settings:Oof\n    settings:Get\n      settings:BodyType \"Text\"\n");
	assert_non_null(strstr(text, "settings:OofState \"0\""));
	text = settings(a, "  settings:Oof\n    settings:Get\n");
	assert_non_null(strstr(text, "    settings:Status \"2\""));
	text = settings(a, "  settings:Oof\n    settings:Set\n      settings:OofState \"1\"\n");
	assert_non_null(strstr(text, "    settings:Status \"3\""));
	text = settings(a, "  settings:Oof\n    settings:Set\n      settings:OofState \"2\"\n");
	assert_non_null(strstr(text, "    settings:Status \"2\""));
	text = settings(a,
		"  settings:DevicePassword\n    settings:Set\n      settings:Password \"x\"\n");
	assert_non_null(strstr(text, "    settings:Status \"7\""));
	text = settings(a, "  settings:RightsManagementInformation\n    settings:Get\n");
	assert_non_null(strstr(text, "    settings:Status \"168\""));
	text = settings(a, "  settings:DeviceInformation\n    settings:Set\n"
			   "      settings:Model \"X1\"\n      settings:OS \"Y 2\"\n"
			   "  settings:UserInformation\n    settings:Get\n");
	assert_true(str_is(fake_state_device(e.state, "phone")->model, "X1"));
	assert_true(strstr(text, "settings:DeviceInformation") <
		    strstr(text, "settings:UserInformation"));
	text = settings(a, "  settings:DeviceInformation\n");
	assert_non_null(strstr(text, "    settings:Status \"2\""));
	assert_true(str_is(fake_state_device(e.state, "phone")->model, "X1"));
	text = settings(a, "");
	assert_non_null(strstr(text, "  settings:Status \"2\""));
	text = settings(a, "  settings:Model \"x\"\n");
	assert_non_null(strstr(text, "  settings:Status \"2\""));
	p.version = "12.1";
	text = settings(a, "  settings:UserInformation\n    settings:Get\n");
	assert_null(strstr(text, "settings:Accounts"));
	phone_release(&p);
	eas_release(&e);
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_user_of_another_server_is_sent_there),
		cmocka_unit_test(test_a_device_that_runs_away_waits),
		cmocka_unit_test(test_a_minutes_worth_is_free),
		cmocka_unit_test(test_phones_find_their_server_by_xml),
		cmocka_unit_test(test_other_questions_have_their_error),
		cmocka_unit_test(test_phones_find_their_server_by_json),
		cmocka_unit_test(test_a_certificate_names_the_user),
		cmocka_unit_test(test_paths_of_any_letter_case),
		cmocka_unit_test(test_settings_answer_what_there_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
