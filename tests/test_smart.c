/*
 * SmartReply and SmartForward over the fakes: S10, S11, C48, C49, C50, K6, B20122, B20121,
 * B20989, and what nobody may touch (C103).
 */
#include "tests/support_eas.h"
#include "tests/support_story.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *const versions[] = {"2.5", "12.0", "12.1", "14.0", "14.1"};

#define ORIGINAL                                                                               \
	"From: Ann Other <ann@example.test>\nTo: me@example.test, you@example.test\n"          \
	"Subject: Re: The =?utf-8?Q?gr=C3=BCne?= plan\nDate: Tue, 3 Mar 2026 10:00:00 +0000\n" \
	"Message-ID: <second@example.test>\nReferences: <first@example.test>\n"                \
	"MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=outer\n\n"                 \
	"--outer\nContent-Type: multipart/alternative; boundary=inner\n\n"                     \
	"--inner\nContent-Type: text/plain; charset=iso-8859-1\n"                              \
	"Content-Transfer-Encoding: quoted-printable\n\nGr=FC=DFe & more\n"                    \
	"--inner\nContent-Type: text/html; charset=utf-8\n\n"                                  \
	"<html><head><title>t</title></head><body><p>Rich &amp; more"                          \
	"<img src=\"cid:pic@x\"></p></body></html>\n--inner--\n"                               \
	"--outer\nContent-Type: image/png; name=\"pic.png\"\nContent-ID: <pic@x>\n"            \
	"Content-Disposition: inline\nContent-Transfer-Encoding: base64\n\naW5saW5l\n"         \
	"--outer\nContent-Type: application/pdf; name=\"plan & more.pdf\"\n"                   \
	"Content-Disposition: attachment; filename=\"plan & more.pdf\"\n"                      \
	"Content-Transfer-Encoding: base64\n\nUERGIGJ5dGVz\n--outer--\n"

static struct eas e;
static struct phone p;
static struct device_folder *inbox;

static void begin(const char *version, const char *original)
{
	eas_init(&e, "");
	(void)fake_mail_add(e.mail, "INBOX", 0, 1772532000, original);
	eas_phone(&e, &p, "phone", version);
	story_set_up(&p);
	inbox = phone_folder(&p, STORY_INBOX);
	assert_int_equal(inbox->n, 1);
}

static void end(void)
{
	phone_release(&p);
	eas_release(&e);
}

static bool smart(const char *command, bool replace, const char *mime)
{
	return phone_smart(&p, command, inbox, inbox->v[0].id, replace, str_of(mime), NULL);
}

static void sent_has(const char *what)
{
	if (str_search(buf_str(&e.last_message), str_of(what)) == e.last_message.n)
		fail_msg("%s: \"%s\" is not in\n%.*s", p.version, what,
			STR_FMT(buf_str(&e.last_message)));
}

static void sent_lacks(const char *what)
{
	if (str_search(buf_str(&e.last_message), str_of(what)) < e.last_message.n)
		fail_msg("%s: \"%s\" is in\n%.*s", p.version, what,
			STR_FMT(buf_str(&e.last_message)));
}

#define PLAIN                                                                                  \
	"To: bob@example.test\r\nBcc: dora@example.test\r\nSubject: Re: The plan\r\n"          \
	"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8; format=flowed\r\n"      \
	"Content-Transfer-Encoding: 8bit\r\n\r\nI agree \xe2\x82\xac.\r\n"

static void test_a_reply_quotes_the_original(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
		begin(versions[i], ORIGINAL);
		story_must(smart("SmartReply", false, PLAIN), &p);
		assert_int_equal(e.submitted, 1);
		assert_string_equal(e.last_to, "bob@example.test dora@example.test");
		sent_lacks("Bcc");
		sent_has("I agree =E2=82=AC.");
		sent_has("-----Original Message-----");
		sent_has("From: \"Ann Other\" <ann@example.test>");
		sent_has("Subject: Re: The gr=C3=BCne plan");
		sent_has("> Gr=C3=BC=C3=9Fe & more");
		sent_has("charset=utf-8");
		sent_lacks("format=flowed");
		/* A reply carries no attachments, and threads stay. */
		sent_lacks("application/pdf");
		sent_has("In-Reply-To: <second@example.test>\r\n");
		sent_has("References:\r\n <first@example.test>\r\n <second@example.test>\r\n");
		/* K6: others see what was done. */
		assert_int_equal(
			fake_mail_flags(e.mail, "INBOX", 1) & MAIL_ANSWERED, MAIL_ANSWERED);
		assert_int_equal(fake_mail_count(e.mail, "Sent"), 1);
		end();
	}
}

static void test_a_forward_carries_text_and_attachments(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
		begin(versions[i], ORIGINAL);
		story_must(smart("SmartForward", false, PLAIN), &p);
		sent_has("I agree =E2=82=AC.");
		sent_has("\nGr=C3=BC=C3=9Fe & more");
		sent_has("Content-Type: multipart/mixed; boundary=");
		sent_has("name=\"plan & more.pdf\"");
		sent_has("UERGIGJ5dGVz");
		sent_has("Content-ID: <pic@x>");
		sent_has("aW5saW5l");
		assert_int_equal(
			fake_mail_flags(e.mail, "INBOX", 1) & MAIL_FORWARDED, MAIL_FORWARDED);
		assert_int_equal(fake_mail_count(e.mail, "Sent"), 1);
		end();
	}
}

/* What was sent is a message that a parser reads: its parts are where they belong. */
static void test_what_goes_out_is_well_formed(void **state UNUSED)
{
	struct mail_summaries s;
	struct uidset one;
	struct arena *a = arena_new();
	const struct mail_part *part;
	struct err err = ERR_INIT;

	begin("14.1", ORIGINAL);
	story_must(smart("SmartForward", false,
			   "To: b@x.test\r\nSubject: Fw\r\nMIME-Version: 1.0\r\n"
			   "Content-Type: multipart/mixed; boundary=mine\r\n\r\n"
			   "--mine\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"
			   "<html><body>See this<br></body></html>\r\n"
			   "--mine\r\nContent-Type: image/jpeg; name=own.jpg\r\n"
			   "Content-Transfer-Encoding: base64\r\n\r\nb3du\r\n--mine--\r\n"),
		&p);
	uidset_init(&one, a);
	uidset_add(&one, 1);
	assert_int_equal(mail_call(fake_mail_mail(e.mail), summaries, STR("Sent"), &one, NULL,
				 a, &s, &err),
		RC_OK);
	assert_int_equal(s.n, 1);
	part = s.v[0].root;
	assert_true(str_is(part->subtype, "mixed"));
	part = part->child;
	assert_true(str_is(part->subtype, "html"));
	part = part->next;
	assert_true(str_is(part->name, "own.jpg"));
	part = part->next;
	assert_true(str_is(part->name, "pic.png"));
	part = part->next;
	assert_true(str_is(part->filename, "plan & more.pdf"));
	assert_null(part->next);
	sent_has("See this<br><hr><div><b>From:</b>");
	sent_has("Rich &amp; more");
	sent_lacks("<title>");
	end();
	arena_free(a);
}

/* An HTML reply keeps the pictures that the quoted HTML shows, and leaves the rest. K13 */
static void test_an_html_reply_keeps_inline_pictures(void **state UNUSED)
{
	begin("14.1", ORIGINAL);
	story_must(smart("SmartReply", false,
			   "To: b@x.test\r\nSubject: Re\r\nMIME-Version: 1.0\r\n"
			   "Content-Type: text/html; charset=utf-8\r\n\r\n<p>Yes</p>\r\n"),
		&p);
	sent_has("<blockquote>");
	sent_has("cid:pic@x");
	sent_has("aW5saW5l");
	sent_lacks("UERGIGJ5dGVz");
	end();
}

/* C50, B20121: the device has put it together itself. */
static void test_replace_mime_adds_nothing(void **state UNUSED)
{
	begin("14.1", ORIGINAL);
	story_must(smart("SmartForward", true, PLAIN), &p);
	sent_has("I agree \xe2\x82\xac.");
	sent_lacks("Original Message");
	sent_lacks("UERGIGJ5dGVz");
	sent_has("References:");
	assert_int_equal(fake_mail_flags(e.mail, "INBOX", 1) & MAIL_FORWARDED, MAIL_FORWARDED);
	end();
}

/* C103: a signed or encrypted body is not touched. */
static void test_a_sealed_message_stays_as_it_is(void **state UNUSED)
{
	static const char sealed[] =
		"To: b@x.test\r\nSubject: Re\r\nMIME-Version: 1.0\r\n"
		"Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\";\r\n"
		" boundary=s\r\n\r\n--s\r\nContent-Type: text/plain\r\n\r\nexact  bytes\r\n"
		"--s\r\nContent-Type: application/pkcs7-signature\r\n\r\nMIAG\r\n--s--\r\n";

	begin("14.1", ORIGINAL);
	story_must(smart("SmartReply", false, sealed), &p);
	sent_has(strstr(sealed, "\r\n\r\n"));
	sent_lacks("Original Message");
	end();
	/* One that was sealed by its sender goes along whole. */
	begin("14.1", "From: a@x.test\nSubject: secret\nMIME-Version: 1.0\n"
		      "Content-Type: application/pkcs7-mime; smime-type=enveloped-data\n"
		      "Content-Transfer-Encoding: base64\n\nMIAGsecret\n");
	story_must(smart("SmartForward", false, PLAIN), &p);
	sent_has("Content-Type: message/rfc822");
	sent_has("smime-type=enveloped-data");
	sent_has("MIAGsecret");
	end();
}

static void test_the_original_is_converted_to_what_the_reply_is(void **state UNUSED)
{
	begin("14.1", "From: a@x.test\nSubject: s\nContent-Type: text/html\n\n"
		      "<p>only <b>rich</b> text</p>\n");
	story_must(smart("SmartReply", false, PLAIN), &p);
	sent_has("> only rich text");
	end();
	begin("14.1", "From: a@x.test\nSubject: s\nContent-Type: text/plain\n\n1 < 2 & 3\n");
	story_must(smart("SmartForward", false,
			   "To: b@x.test\r\nContent-Type: text/html\r\n\r\n<p>Yes</p>\r\n"),
		&p);
	sent_has("1 &lt; 2 &amp;");
	end();
	/* B20587: a picture alone gets the text as a part, not as an attachment. */
	begin("14.1", "From: a@x.test\nSubject: s\nContent-Type: text/plain\n\nwords\n");
	story_must(smart("SmartForward", false,
			   "To: b@x.test\r\nContent-Type: image/png\r\n"
			   "Content-Transfer-Encoding: base64\r\n\r\nUE5H\r\n"),
		&p);
	sent_has("\nwords");
	sent_has("UE5H");
	end();
}

static unsigned status_of_source(const char *source)
{
	char document[1024];

	(void)snprintf(document, sizeof(document),
		"composemail:SmartReply\n  composemail:ClientId \"c-%s\"\n%s"
		"  composemail:Mime x\"546f3a206240782e746573740d0a0d0a7265706c79\"\n",
		strlen(source) < 20 ? "x" : "y", source);
	return elem_u32(phone_post(&p, "SmartReply", document), COMPOSEMAIL_STATUS, 1);
}

static void test_every_refusal_has_its_status(void **state UNUSED)
{
	begin("14.1", ORIGINAL);
	assert_int_equal(status_of_source(""), 103);
	assert_int_equal(status_of_source("  composemail:Source\n"), 103);
	assert_int_equal(
		status_of_source("  composemail:Source\n    composemail:ItemId \"1:99\"\n"),
		150);
	assert_int_equal(
		status_of_source("  composemail:Source\n    composemail:FolderId \"99\"\n"
				 "    composemail:ItemId \"99:1\"\n"),
		150);
	assert_int_equal(
		status_of_source("  composemail:Source\n    composemail:FolderId \"1\"\n"
				 "    composemail:LongId \"L:1:1:1\"\n"),
		105);
	assert_int_equal(
		status_of_source("  composemail:Source\n    composemail:ItemId \"1:1\"\n"
				 "    composemail:InstanceId \"yesterday\"\n"),
		104);
	assert_int_equal(status_of_source("  composemail:AccountId \"other\"\n"), 166);
	assert_int_equal(status_of_source("  rm:TemplateID \"t\"\n"), 168);
	assert_int_equal(e.submitted, 0);
	end();
	/* Up to 12.1 a lost mail is worse than one without its original. */
	begin("12.1", ORIGINAL);
	story_must(phone_smart(&p, "SmartReply", inbox, "1:99", false, STR(PLAIN), NULL), &p);
	assert_int_equal(e.submitted, 1);
	sent_lacks("Original Message");
	end();
}

/* A lost answer, or trouble at any call: it goes out once, and is marked. */
static void test_what_is_repeated_goes_out_once(void **state UNUSED)
{
	begin("14.1", ORIGINAL);
	e.lose = 1;
	story_must(smart("SmartForward", false, PLAIN), &p);
	assert_int_equal(e.submitted, 1);
	end();
	for (unsigned late = 0; late < 2; late++)
		for (unsigned n = 1; n < 20; n++) {
			begin("14.1", ORIGINAL);
			fake_mail_fail_after(e.mail, n, late);
			story_must(smart("SmartForward", false, PLAIN), &p);
			assert_int_equal(e.submitted, 1);
			fake_mail_fail_after(e.mail, 0, false);
			sent_has("UERGIGJ5dGVz");
			end();
		}
}

/* C100: 14.0 and later see the verb and its time; reply and reply to all are told apart. */
static void test_the_verb_comes_back(void **state UNUSED)
{
	const char *text;
	struct arena *a = arena_new();
	char document[512];

	begin("14.1", ORIGINAL);
	story_must(smart("SmartReply", false, PLAIN), &p);
	(void)snprintf(document, sizeof(document),
		"itemoperations:ItemOperations\n  itemoperations:Fetch\n"
		"    itemoperations:Store \"Mailbox\"\n    airsync:CollectionId \"%s\"\n"
		"    airsync:ServerId \"%s\"\n",
		inbox->id, inbox->v[0].id);
	text = eas_text(phone_post(&p, "ItemOperations", document), a);
	assert_non_null(strstr(text, "email2:LastVerbExecutionTime"));
	story_must(phone_sync(&p, inbox, 10, ""), &p);
	end();
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_reply_quotes_the_original),
		cmocka_unit_test(test_a_forward_carries_text_and_attachments),
		cmocka_unit_test(test_what_goes_out_is_well_formed),
		cmocka_unit_test(test_an_html_reply_keeps_inline_pictures),
		cmocka_unit_test(test_replace_mime_adds_nothing),
		cmocka_unit_test(test_a_sealed_message_stays_as_it_is),
		cmocka_unit_test(test_the_original_is_converted_to_what_the_reply_is),
		cmocka_unit_test(test_every_refusal_has_its_status),
		cmocka_unit_test(test_what_is_repeated_goes_out_once),
		cmocka_unit_test(test_the_verb_comes_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
