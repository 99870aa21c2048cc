/*
 * Stories on real servers, through nginx: phones of several versions and an IMAP client.
 */
#include "core/base/base64.h"
#include "core/base/clock.h"
#include "tests/support_certs.h"
#include "tests/support_client.h"
#include "tests/support_fcgi.h"
#include "tests/support_lab.h"
#include "tests/support_story.h"

#include <dirent.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { PHONES = 3, ROUNDS = 150, INBOX = STORY_INBOX, SENT = STORY_SENT };

static void set_up(struct phone *p, const char *user, const char *id, const char *version)
{
	phone_init(p, lab_get("EAS_URL"), user, lab_get("LAB_PASSWORD"), id, version);
	story_must(phone_provision(p) && phone_folder_sync(p), p);
}

/* S6, requirements 4.1 */
static void test_a_mail_goes_from_phone_to_phone(void **state UNUSED)
{
	static struct phone from, to;
	static const char *const versions[] = {"2.5", "12.0", "12.1", "14.0", "14.1"};

	/* S10-S12, C1-C5, C44, C45, C47 */
	for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
		char subject[64], id[32];

		(void)snprintf(subject, sizeof(subject), "a greeting at %s", versions[i]);
		(void)snprintf(id, sizeof(id), "phone%zu", i);
		set_up(&from, "user01@example.test", id, versions[i]);
		set_up(&to, "user02@example.test", id, versions[i]);
		story_must(phone_send(&from, "user02@example.test", subject, "Hi."), &from);
		story_must(phone_sync(&to, phone_folder(&to, INBOX), 100, ""), &to);
		assert_non_null(phone_item(phone_folder(&to, INBOX), subject));
		story_must(phone_sync(&from, phone_folder(&from, SENT), 100, ""), &from);
		assert_non_null(phone_item(phone_folder(&from, SENT), subject));
		phone_release(&from);
		phone_release(&to);
	}
}

static void test_windows_lose_and_double_nothing(void **state UNUSED)
{
	static struct phone p;
	struct client c;

	/* C145, C147, K12: 40 messages in windows of 7. */
	client_open(&c, "user03@example.test");
	for (unsigned i = 0; i < 40; i++) {
		char subject[32];

		(void)snprintf(subject, sizeof(subject), "number %u", i);
		(void)story_append(c.mail, "INBOX", 0, 0, subject);
	}
	set_up(&p, "user03@example.test", "windows", "14.1");
	story_must(phone_sync(&p, phone_folder(&p, INBOX), 7, ""), &p);
	assert_int_equal(phone_folder(&p, INBOX)->n, 40);
	phone_release(&p);
	client_close(&c);
}

static void test_without_credentials_there_is_a_challenge(void **state UNUSED)
{
	static struct phone p;

	/* Requirements 3.13, C22 */
	phone_init(&p, lab_get("EAS_URL"), "user01@example.test", "wrong", "stranger", "14.1");
	(void)phone_post(&p, "FolderSync",
		"folderhierarchy:FolderSync\n  folderhierarchy:SyncKey \"0\"\n");
	assert_int_equal(p.http, 401);
	phone_release(&p);
}

/* requirements 4.8 */
static void test_bad_input_gets_an_answer_and_harms_nobody(void **state UNUSED)
{
	static struct phone p;
	static const struct {
		const char *command, *type;
		struct str body;
		long http;
		const char *version;
	} cases[] = {
		{"Sync",             "application/vnd.ms-sync.wbxml", STR("garbage"),              400, "12.1"},
		{"Sync",             "text/plain",                    STR("\x03\x01\x6a\x00"),     400, "12.1"},
		{"FolderSync",       "application/vnd.ms-sync.wbxml", STR("\x03\x01\x6a\x00\x45"),
                 400,										   "2.5" },
		{"FolderSync",       "application/vnd.ms-sync.wbxml", STR(""),                     400, "12.1"},
		{"Nonsense",         "application/vnd.ms-sync.wbxml", STR("\x03\x01\x6a\x00"),     501,
                 "12.1"										       },
		{"CreateCollection", "application/vnd.ms-sync.wbxml", STR("\x03\x01\x6a\x00"),
                 501,										   "12.1"},
		{"FolderSync",       "application/vnd.ms-sync.wbxml", STR("garbage"),              400, "9.9" },
	};

	set_up(&p, "user02@example.test", "bad", "12.1");
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		p.version = cases[i].version;
		(void)phone_post_raw(&p, cases[i].command, "", cases[i].type, cases[i].body);
		assert_int_equal(p.http, cases[i].http);
	}
	p.version = "12.1";
	story_must(phone_folder_sync(&p), &p);
	phone_release(&p);
}

/* C78: with the roots of the system, who know nobody of ours. */
static void test_certificates_are_checked(void **state UNUSED)
{
	static const char *const versions[] = {"2.5", "14.1"};
	static struct phone p;
	struct maker *m = maker_new();
	struct buf text;

	buf_init(&text, BUF_MAX_LINE);
	buf_adds(&text, "validatecert:ValidateCert\n  validatecert:Certificates\n"
			"    validatecert:Certificate \"AAAA\"\n"
			"    validatecert:Certificate \"");
	base64_encode(maker_add(m, &(struct maker_spec){.name = "self",
					   .from = clock_now() - 86400,
					   .until = clock_now() + 86400}),
		&text);
	buf_adds(&text, "\"\n");
	for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
		const struct elem *r, *c;

		set_up(&p, "user02@example.test", "checks", versions[i]);
		r = phone_post(&p, "ValidateCert", text.p);
		assert_int_equal(elem_u32(r, VALIDATECERT_STATUS, 0), 1);
		c = elem_child(r, VALIDATECERT_CERTIFICATE);
		assert_int_equal(elem_u32(c, VALIDATECERT_STATUS, 0), 10);
		c = elem_again(c);
		assert_int_equal(elem_u32(c, VALIDATECERT_STATUS, 0), 4);
		phone_release(&p);
	}
	buf_release(&text);
	maker_free(m);
}

static void append_raw(struct mail *m, struct str text)
{
	struct slice_source source;
	struct err err = ERR_INIT;
	uint32_t uid;

	slice_source_init(&source, &text, 1);
	if (mail_call(m, append, STR("INBOX"), 0, 0, &source.source, &uid, &err))
		fail_msg("%s", err.text);
}

/* Multiparts in each other, and none of them is closed. */
static struct str nested(struct arena *a, unsigned depth)
{
	struct buf b;
	struct str s;

	buf_init(&b, BUF_MAX_TEXT);
	buf_adds(&b, "Subject: nested\r\n");
	for (unsigned i = 0; i < depth; i++)
		buf_addf(&b, "Content-Type: multipart/mixed; boundary=b%u\r\n\r\n--b%u\r\n", i,
			i);
	buf_adds(&b, "Content-Type: text/plain\r\n\r\ndeep");
	s = arena_str(a, buf_str(&b));
	buf_release(&b);
	return s;
}

static struct str long_header(struct arena *a)
{
	struct buf b;
	struct str s;

	buf_init(&b, BUF_MAX_TEXT);
	buf_adds(&b, "Subject: ");
	for (unsigned i = 0; i < 130000; i++)
		buf_adds(&b, "word \xfc ");
	buf_adds(&b, "\r\nTo: ");
	for (unsigned i = 0; i < 10000; i++)
		buf_addf(&b, "<u%u@x.test>,\r\n ", i);
	buf_adds(&b, "<last@x.test>\r\n\r\nBody\r\n");
	s = arena_str(a, buf_str(&b));
	buf_release(&b);
	return s;
}

static struct str many_parts(struct arena *a)
{
	struct buf b;
	struct str s;

	buf_init(&b, BUF_MAX_TEXT);
	buf_adds(&b, "Subject: many\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n");
	for (unsigned i = 0; i < 10000; i++)
		buf_addf(&b,
			"--b\r\nContent-Type: image/png; name=\"%u&<>\xc3\xbc.png\"\r\n\r\nx\r\n",
			i);
	s = arena_str(a, buf_str(&b));
	buf_release(&b);
	return s;
}

/* S7, B20442, B20449, B20941, requirements 4.5: every mail arrives, whatever it is, on every
 * version. */
static void test_mails_that_no_parser_likes_arrive(void **state UNUSED)
{
	static const char *const versions[] = {"2.5", "12.0", "12.1", "14.0", "14.1"};
	static const struct str mails[] = {
		STR("\r\n"),
		STR("no header at all\r\n"),
		STR("Subject: only a header\r\n\r\n"),
		STR("Subject: LF only\nTo: <a@b>\n\nBody\n"),
		STR("Subject: \xff\xfe 8 bit \xfc\r\nFrom: \xfc <a@b>\r\n\r\n\xff\xfe\x80\r\n"),
		STR("Subject: =?utf-8?B?broken?= =?nonsense?Q?=FC?=\r\n\r\nBody\r\n"),
		STR("Content-Type: text/html; charset=nonsense\r\n\r\n<p>\xfc<b><i>&#0;&bogus;<"),
		STR("Content-Type: text/plain; charset=utf-16\r\n\r\nx\r\n"),
		STR("Content-Type: TEXT/HTML\r\nContent-Transfer-Encoding: BASE64\r\n\r\n!!!PHA+=\r\n"),
		STR("Content-Type: multipart/mixed\r\n\r\nno boundary\r\n"),
		STR("Content-Type: multipart/mixed; boundary=\"\"\r\n\r\n--\r\n\r\nx\r\n"),
		STR("Content-Type: multipart/alternative; boundary=b\r\n\r\n--b--\r\n"),
		STR("Content-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\n"
		    "Content-Type: no header\r\n"),
		STR("Content-Type: ;;;\r\nContent-Disposition: ???\r\n\r\nx\r\n"),
		STR("Content-Type: application/pkcs7-mime\r\n\r\nnot really\r\n"),
		STR("From: \r\nTo: ,,,;:<>\r\nDate: yesterday\r\nSubject:\r\n\r\n"),
		STR("Content-Type: text/calendar; method=REQUEST\r\n\r\nBEGIN:NOTHING\r\n"),
		STR("Subject: R&D \"<quoted>\"\r\nBcc: \"A & B\" <a&b@x.test>\r\n\r\nx & y < z\r\n"),
		STR("Subject: CR only\r\rBody\r"),
		STR("Content-Type: text/calendar; method=REQUEST\r\n\r\nBEGIN:VCALENDAR\r\n"
		    "VERSION:2.0\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nUID:duration-only\r\n"
		    "DTSTAMP:20260301T100000Z\r\nDTSTART:20260310T100000Z\r\n"
		    "DURATION:PT90M\r\nORGANIZER:mailto:bob@x.test\r\nEND:VEVENT\r\n"
		    "END:VCALENDAR\r\n"),
		STR("Content-Type: application/ms-tnef; name=winmail.dat\r\n"
		    "Content-Transfer-Encoding: base64\r\n\r\n"
		    "eJ8+IgEAAQOQBgBAAAAAAgAAAB4AAYBHR0dHR0dHR0dHR0dHR0dHAQAAAAQA\r\n"
		    "AABuAAAAAQAAAAQAAAB2YWwAAgETEAEAAAAEAAAAPHA+AAAA\r\n"),
	};
	size_t n = ARRAY_LEN(mails) + 3;
	struct arena *a = arena_new();
	static struct phone p;
	struct client c;

	client_open(&c, "user06@example.test");
	for (size_t i = 0; i < ARRAY_LEN(mails); i++)
		append_raw(c.mail, mails[i]);
	append_raw(c.mail, nested(a, 100));
	append_raw(c.mail, long_header(a));
	append_raw(c.mail, many_parts(a));
	for (size_t v = 0; v < ARRAY_LEN(versions); v++) {
		set_up(&p, "user06@example.test", "nasty", versions[v]);
		story_must(phone_sync(&p, phone_folder(&p, INBOX), 100, ""), &p);
		story_must(phone_sync(&p, phone_folder(&p, INBOX), 100, ""), &p);
		if (phone_folder(&p, INBOX)->n != n)
			fail_msg("%zu of %zu mails arrived at %s", phone_folder(&p, INBOX)->n,
				n, versions[v]);
		phone_release(&p);
	}
	client_close(&c);
	arena_free(a);
}

/* A SendMail at 12.1 of user02, with that Content-Length, straight to the pool. */
static int submit(const char *password, const char *length, struct str body)
{
	char path[256], text[512] = "Basic ";
	const char *const params[] = {"REQUEST_METHOD", "POST", "REQUEST_URI",
		"/Microsoft-Server-ActiveSync", "QUERY_STRING",
		"Cmd=SendMail&User=u&DeviceId=cut&DeviceType=TestActiveSyncConnectivity",
		"CONTENT_TYPE", "message/rfc822", "CONTENT_LENGTH", length,
		"HTTP_MS_ASPROTOCOLVERSION", "12.1", "HTTP_X_MS_POLICYKEY", "0",
		"HTTP_AUTHORIZATION", text, NULL};
	struct buf answer, login, packed;
	int http = 0;
	size_t at;

	buf_init(&answer, BUF_MAX_TEXT);
	buf_init(&login, BUF_MAX_LINE);
	buf_init(&packed, BUF_MAX_LINE);
	buf_addf(&login, "user02@example.test:%s", password);
	base64_encode(buf_str(&login), &packed);
	(void)snprintf(text, sizeof(text), "Basic %s", packed.p);
	(void)snprintf(path, sizeof(path), "%s/run/easpool.sock", lab_get("LAB_DIR"));
	assert_true(fcgi_request(path, params, body, &answer));
	at = str_search(buf_str(&answer), STR("Status: "));
	if (at < answer.n)
		http = (int)strtol(answer.p + at + 8, NULL, 10);
	buf_release(&answer);
	buf_release(&login);
	buf_release(&packed);
	return http;
}

/* A mail that was cut off on its way must not go out as a whole one. */
static void test_a_mail_that_was_cut_off_is_refused(void **state UNUSED)
{
	static struct phone to;
	size_t had;

	set_up(&to, "user03@example.test", "cut", "12.1");
	story_must(phone_sync(&to, phone_folder(&to, INBOX), 100, ""), &to);
	had = phone_folder(&to, INBOX)->n;
	/* The phone of the sender has no policy: a device that never provisions. */
	assert_int_equal(
		submit("wrong", "37", STR("To: user03@example.test\r\n\r\nhalf a mail")), 401);
	assert_int_equal(submit(lab_get("LAB_PASSWORD"), "1000",
				 STR("To: user03@example.test\r\n\r\nhalf a m")),
		400);
	story_must(phone_sync(&to, phone_folder(&to, INBOX), 100, ""), &to);
	assert_int_equal(phone_folder(&to, INBOX)->n, had);
	assert_int_equal(submit(lab_get("LAB_PASSWORD"), "35",
				 STR("To: user03@example.test\r\n\r\nhalf a m")),
		200);
	story_must(phone_sync(&to, phone_folder(&to, INBOX), 100, ""), &to);
	assert_int_equal(phone_folder(&to, INBOX)->n, had + 1);
	phone_release(&to);
}

/* A number from the environment, to run the story longer or with another seed. */
static unsigned wanted(const char *name, unsigned otherwise)
{
	const char *text = getenv(name);

	return text ? (unsigned)strtoul(text, NULL, 10) : otherwise;
}

static void test_random_changes_end_with_equal_models(void **state UNUSED)
{
	static struct phone phones[PHONES];
	static const char *const users[PHONES] = {
		"user04@example.test", "user04@example.test", "user05@example.test"};
	static const char *const ids[PHONES] = {"story1", "story2", "story3"};
	static const char *const versions[PHONES] = {"2.5", "14.1", "12.1"};
	unsigned rounds = wanted("EASPOOL_STORY_ROUNDS", ROUNDS), killed = 0;
	struct client one, two;
	size_t ones = 0, twos = 0;

	/* S4, C153: workers are killed while two phones of one user, one of another and IMAP
	 * clients change things. */
	story_seed(wanted("EASPOOL_STORY_SEED", 20261122));
	client_open(&one, users[0]);
	client_open(&two, users[2]);
	for (size_t i = 0; i < PHONES; i++) {
		phone_init(&phones[i], lab_get("EAS_URL"), users[i], lab_get("LAB_PASSWORD"),
			ids[i], versions[i]);
		story_set_up(&phones[i]);
	}
	for (unsigned round = 0; round < rounds; round++) {
		story_client_acts(one.mail, round, &ones);
		story_client_acts(two.mail, round, &twos);
		if (story_choose(4) == 0) {
			lab_kill_a_worker(story_choose(100));
			killed++;
		}
		story_phone_acts(&phones[story_choose(PHONES)]);
	}
	story_equal(&phones[0], one.mail, ones);
	story_equal(&phones[1], one.mail, ones);
	story_equal(&phones[2], two.mail, twos);
	print_message("%u rounds, %u workers killed, %zu and %zu messages left\n", rounds,
		killed, ones, twos);
	for (size_t i = 0; i < PHONES; i++)
		phone_release(&phones[i]);
	client_close(&one);
	client_close(&two);
}

static int start(void **state UNUSED)
{
	lab_up(6);
	return 0;
}

static int end(void **state UNUSED)
{
	lab_down();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_mail_goes_from_phone_to_phone),
		cmocka_unit_test(test_windows_lose_and_double_nothing),
		cmocka_unit_test(test_without_credentials_there_is_a_challenge),
		cmocka_unit_test(test_bad_input_gets_an_answer_and_harms_nobody),
		cmocka_unit_test(test_certificates_are_checked),
		cmocka_unit_test(test_mails_that_no_parser_likes_arrive),
		cmocka_unit_test(test_a_mail_that_was_cut_off_is_refused),
		cmocka_unit_test(test_random_changes_end_with_equal_models),
	};

	return cmocka_run_group_tests(tests, start, end);
}
