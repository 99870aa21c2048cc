/*
 * Mails and doings that other servers are known to fail on, on every version: each arrives, is
 * shown as it is, and stops nothing.
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

static struct eas e;
static struct phone p;
static struct arena *a;

static bool is_old(void)
{
	return strcmp(p.version, "2.5") == 0;
}

/* The answer to a first Sync of the inbox, as text. type: that of the BodyPreference. */
static const char *arrives(const char *version, const char *mail, unsigned type, unsigned size)
{
	struct device_folder *inbox;
	const struct elem *answer;
	char options[512];

	a = arena_new();
	eas_init(&e, "");
	(void)fake_mail_add(e.mail, "INBOX", 0, 1772532000, mail);
	eas_phone(&e, &p, "phone", version);
	story_must(phone_provision(&p) && phone_folder_sync(&p), &p);
	inbox = phone_folder(&p, STORY_INBOX);
	if (is_old())
		(void)snprintf(options, sizeof(options), "        airsync:Truncation \"9\"\n");
	else
		(void)snprintf(options, sizeof(options),
			"        airsyncbase:BodyPreference\n          airsyncbase:Type \"%u\"\n"
			"          airsyncbase:TruncationSize \"%u\"\n",
			type, size);
	for (unsigned i = 0; i < 2; i++) {
		answer = phone_post(&p, "Sync",
			arena_printf(a,
				"airsync:Sync\n  airsync:Collections\n    airsync:Collection\n%s"
				"      airsync:SyncKey \"%s\"\n      airsync:CollectionId \"%s\"\n"
				"      airsync:Options\n%s",
				is_old() ? "      airsync:Class \"Email\"\n" : "", inbox->key,
				inbox->id, options)
				.p);
		answer =
			elem_child(elem_child(answer, AIRSYNC_COLLECTIONS), AIRSYNC_COLLECTION);
		(void)snprintf(inbox->key, sizeof(inbox->key), "%.*s",
			STR_FMT(elem_text(answer, AIRSYNC_SYNC_KEY)));
	}
	answer = elem_child(elem_child(answer, AIRSYNC_COMMANDS), AIRSYNC_ADD);
	if (!answer)
		fail_msg("%s: the mail did not arrive", version);
	return eas_text(answer, a);
}

static void done(void)
{
	phone_release(&p);
	eas_release(&e);
	arena_free(a);
}

static void has(const char *text, const char *what)
{
	if (!strstr(text, what))
		fail_msg("%s: no %s in\n%s", p.version, what, text);
}

static void lacks(const char *text, const char *what)
{
	if (strstr(text, what))
		fail_msg("%s: there is %s in\n%s", p.version, what, text);
}

/* Texts that must be there on every version, as plain text. */
/* C85 */
static void test_texts_arrive_whole(void **state UNUSED)
{
	static const struct {
		const char *mail, *want;
	} cases[] = {
  /* B20335: blank lines and special characters */
		{"Subject: s\nContent-Type: text/plain; charset=utf-8\n\none\n\n\n\xc3\xa4 & <b>\n",
                 "one\\r\\n\\r\\n\\r\\n\xc3\xa4 & <b>"								  },
 /* B20842, B19892, B20839: never the encoding itself */
		{"Content-Transfer-Encoding: BASE64\nContent-Type: text/plain\n\naGVsbG8gd29ybGQ=\n",
                 "hello world"											  },
 /* B20053, C112: what is cut decodes as far as it goes */
		{"Content-Transfer-Encoding: base64\nContent-Type: text/plain\n\naGVsbG8gd29ybGQ\n",
                 "hello world"											  },
		{"Content-Transfer-Encoding: Quoted-Printable\nContent-Type: text/plain\n\n=41=\nBC\n",
                 "ABC"												  },
 /* B20124, B20192, B20191: capitals */
		{"CONTENT-TYPE: TEXT/PLAIN; CHARSET=ISO-8859-1\n\nGr\xfc\xdf\x65\n",
                 "Gr\xc3\xbc\xc3\x9f"
			"e"											     },
 /* B20372, C112: no charset, a wrong one, one that there is not */
		{"Subject: s\n\nGr\xfc\xdf\x65\n",						      "Gr\xc3\xbc\xc3\x9f"
						   "e"                },
		{"Content-Type: text/plain; charset=utf-8\n\nGr\xfc\xdf\x65\n",
                 "Gr\xc3\xbc\xc3\x9f"
			"e"											     },
		{"Content-Type: text/plain; charset=x-none\n\nGr\xfc\xdf\x65\n",
                 "Gr\xc3\xbc\xc3\x9f"
			"e"											     },
 /* B20001, B20138, K28: HTML alone, as text where text is asked for */
		{"Content-Type: text/html\n\n<p>only <b>rich</b></p>\n",                                "only rich"     },
 /* B20442: HTML that is none */
		{"Content-Type: text/html\n\n<p>a<b>b</i>&#0;&#xffff;&nope;<script>x</script><td>c\n",
                 "ab"												   },
 /* B20989: odd line ends */
		{"Subject: s\r\nContent-Type: text/plain\n\nbody\r\nmore\n",                            "body\\r\\nmore"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		for (size_t v = 0; v < ARRAY_LEN(versions); v++) {
			has(arrives(versions[v], cases[i].mail, 1, 5000), cases[i].want);
			done();
		}
}

/* S14, C86, B20139, B20059: HTML where it is asked for; also of what is plain. */
static void test_html_comes_as_html(void **state UNUSED)
{
	for (size_t v = 1; v < ARRAY_LEN(versions); v++) {
		const char *text = arrives(versions[v],
			"Content-Type: TEXT/HTML; charset=us-ascii\n\n<p>a &amp; b</p>\n", 2,
			5000);

		has(text, "airsyncbase:Type \"2\"");
		has(text, "<p>a &amp; b</p>");
		done();
		text = arrives(versions[v], "Subject: s\n\nplain & <tag>\n", 2, 5000);
		has(text, "plain &amp; &lt;tag&gt;");
		done();
		/* Asked for text, and there is HTML alone. */
		text = arrives(versions[v], "Content-Type: text/html\n\n<p>only &uuml;</p>\n",
			1, 5000);
		has(text, "airsyncbase:Type \"1\"");
		has(text, "only \xc3\xbc");
		lacks(text, "<p>");
		done();
	}
}

/* Requirements 4.6, C89, B20240: Truncated where something is missing, and only there. */
static void test_truncated_tells_the_truth(void **state UNUSED)
{
	for (size_t v = 1; v < ARRAY_LEN(versions); v++) {
		const char *text =
			arrives(versions[v], "Subject: s\n\n\xc3\xa4\xc3\xa4\xc3\xa4\n", 1, 3);

		has(text, "airsyncbase:Truncated \"1\"");
		has(text, "airsyncbase:EstimatedDataSize \"8\"");
		has(text, "airsyncbase:Data \"\xc3\xa4\"");
		done();
		text = arrives(versions[v], "Subject: s\n\nabc", 1, 3);
		lacks(text, "Truncated");
		done();
		text = arrives(versions[v], "Subject: empty\n\n", 1, 0);
		lacks(text, "Truncated");
		done();
	}
	has(arrives("2.5", "Subject: empty\n\n", 1, 0), "email:BodyTruncated \"0\"");
	done();
}

#define WITH_FILES                                                                                \
	"Subject: files\nContent-Type: Multipart/Mixed; boundary=b\n\n"                           \
	"--b\nContent-Type: Text/Plain\n\ntext\n"                                                 \
	"--b\nContent-Type: Application/PDF; name=\"a & b <c> \\\"d\\\".pdf\"\n"                  \
	"Content-Disposition: Attachment\nContent-Transfer-Encoding: base64\n\nUERG\n"            \
	"--b\nContent-Type: image/png\nContent-ID: <pic&1@x>\nContent-Disposition: inline\n\nx\n" \
	"--b\nContent-Type: message/rfc822\n\nSubject: inner & outer\n\nin\n--b--\n"

/* B20910, S13, C93, C94: names with anything in them, and every kind of attachment. */
static void test_attachments_have_their_names(void **state UNUSED)
{
	for (size_t v = 0; v < ARRAY_LEN(versions); v++) {
		const char *text = arrives(versions[v], WITH_FILES, 1, 5000);

		has(text, "DisplayName \"a & b <c> \\\"d\\\".pdf\"");
		has(text, "inner & outer.eml\"");
		if (!is_old()) {
			has(text, "airsyncbase:ContentId \"pic&1@x\"");
			has(text, "airsyncbase:IsInline \"1\"");
			has(text, "airsyncbase:Method \"5\"");
		}
		/* B20133, B20016: nothing of ours in what a user reads. */
		lacks(text, "easpool");
		lacks(text, "error");
		done();
	}
}

/* B20313, B20052, C111: headers with anything in them. */
static void test_headers_of_all_kinds(void **state UNUSED)
{
	for (size_t v = 0; v < ARRAY_LEN(versions); v++) {
		const char *text = arrives(versions[v],
			"From: \"O'Neil, \\\"Bob\\\"\" <bob@x.test>\n"
			"To: \"a@b\" <a@b.test>, =?utf-8?q?J=C3=B6rg_=26_Co?= <j@x.test>\n"
			"Subject: Gr\xc3\xbc\xc3\x9f"
			"e & <b> \"q\" =?iso-8859-1?q?=FC?=\n\nx\n",
			1, 500);

		has(text, "bob@x.test");
		has(text, "J\xc3\xb6rg & Co");
		has(text, "Gr\xc3\xbc\xc3\x9f"
			  "e & <b> \\\"q\\\" \xc3\xbc");
		done();
		/* B20941: only Bcc */
		text = arrives(versions[v], "From: a@x.test\nBcc: me@x.test\n\nx\n", 1, 500);
		has(text, "email:To \"");
		done();
	}
}

/* C109, B20587, B20255, K24: what is sent keeps its text, its files and its Bcc in Sent. */
static void test_what_was_sent_is_kept_as_it_was(void **state UNUSED)
{
	static const char mime[] =
		"To: bob@x.test\r\nBcc: dora@x.test\r\nSubject: picture\r\nMIME-Version: 1.0\r\n"
		"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n"
		"\r\nsee this\r\n--b\r\nContent-Type: image/jpeg; name=p.jpg\r\n"
		"Content-Disposition: inline; filename=p.jpg\r\n"
		"Content-Transfer-Encoding: base64\r\n\r\nSlBH\r\n--b--\r\n";
	const char *text;
	struct device_folder *sent;

	for (size_t v = 0; v < 3; v++) {
		(void)arrives(versions[v], "Subject: s\n\nx\n", 1, 500);
		(void)phone_post_raw(
			&p, "SendMail", "&SaveInSent=T", "message/rfc822", str_of(mime));
		assert_int_equal(p.http, 200);
		assert_true(
			str_search(buf_str(&e.last_message), STR("Bcc")) == e.last_message.n);
		assert_string_equal(e.last_to, "bob@x.test dora@x.test");
		assert_true(
			str_search(fake_mail_text(e.mail, "Sent", 1), STR("Bcc: dora@x.test")) <
			fake_mail_text(e.mail, "Sent", 1).n);
		sent = phone_folder(&p, STORY_SENT);
		story_must(phone_sync(&p, sent, 10, ""), &p);
		assert_int_equal(sent->n, 1);
		done();
	}
	text = arrives("14.1", mime, 1, 500);
	has(text, "see this");
	has(text, "DisplayName \"p.jpg\"");
	done();
}

/* B20367, B21032, K2, K27, C160, B20213: a fetch of what is there brings all of it, again and
 * again; of what is gone, that it is gone; and the rest of the request is answered. */
static void test_fetches_end_well(void **state UNUSED)
{
	for (size_t v = 0; v < ARRAY_LEN(versions); v++) {
		struct device_folder *inbox;
		const struct elem *answer;
		const char *text;

		(void)arrives(versions[v], "Subject: s\n\nthe whole text\n", 1, 3);
		inbox = phone_folder(&p, STORY_INBOX);
		for (unsigned i = 0; i < 2; i++) {
			answer = phone_post(&p, "Sync",
				arena_printf(a,
					"airsync:Sync\n  airsync:Collections\n    airsync:Collection\n"
					"%s      airsync:SyncKey \"%s\"\n"
					"      airsync:CollectionId \"%s\"\n      airsync:Commands\n"
					"        airsync:Fetch\n          airsync:ServerId \"%s:1\"\n"
					"        airsync:Fetch\n          airsync:ServerId \"%s:99\"\n",
					is_old() ? "      airsync:Class \"Email\"\n" : "",
					inbox->key, inbox->id, inbox->id, inbox->id)
					.p);
			text = eas_text(answer, a);
			has(text, "the whole text");
			has(text, "airsync:Status \"8\"");
			answer = elem_child(
				elem_child(answer, AIRSYNC_COLLECTIONS), AIRSYNC_COLLECTION);
			(void)snprintf(inbox->key, sizeof(inbox->key), "%.*s",
				STR_FMT(elem_text(answer, AIRSYNC_SYNC_KEY)));
		}
		/* What is marked afterwards does not bring the short text back. */
		fake_mail_set_flags(e.mail, "INBOX", 1, MAIL_SEEN);
		text = eas_text(
			phone_post(&p, "Sync",
				arena_printf(a,
					"airsync:Sync\n  airsync:Collections\n"
					"    airsync:Collection\n%s"
					"      airsync:SyncKey \"%s\"\n"
					"      airsync:CollectionId \"%s\"\n",
					is_old() ? "      airsync:Class \"Email\"\n" : "",
					inbox->key, inbox->id)
					.p),
			a);
		has(text, "email:Read \"1\"");
		lacks(text, "Body");
		done();
	}
}

/* Requirements 4.2, 4.11, 3.15: an empty folder has a key that works, and the first mail after
 * it arrives; the inbox is called so; a repeated Add of a mail is refused, not multiplied. */
/* C154 */
static void test_an_empty_folder_is_one(void **state UNUSED)
{
	for (size_t v = 0; v < ARRAY_LEN(versions); v++) {
		struct device_folder *trash;

		(void)arrives(versions[v], "Subject: s\n\nx\n", 1, 500);
		assert_non_null(phone_folder_named(&p, "Inbox"));
		trash = phone_folder(&p, STORY_TRASH);
		for (unsigned i = 0; i < 3; i++)
			story_must(phone_sync(&p, trash, 10, ""), &p);
		(void)fake_mail_add_simple(e.mail, "Trash", 0, 0, "first");
		story_must(phone_sync(&p, trash, 10, ""), &p);
		assert_int_equal(trash->n, 1);
		story_must(phone_sync(&p, trash, 10,
				   "        airsync:Add\n          airsync:ClientId \"1\"\n"
				   "          airsync:ApplicationData\n"
				   "            email:Subject \"made here\"\n"),
			&p);
		assert_int_equal(fake_mail_count(e.mail, "Trash"), 1);
		done();
	}
}

/* Requirements 3.11, 3.16, 3.18; C34: FolderSync with key 0, again and again, loses nothing. */
static void test_a_hierarchy_from_the_start_keeps_the_mail(void **state UNUSED)
{
	for (size_t v = 0; v < ARRAY_LEN(versions); v++) {
		struct device_folder *inbox;
		char id[72], key[32];

		(void)arrives(versions[v], "Subject: s\n\nx\n", 1, 500);
		inbox = phone_folder(&p, STORY_INBOX);
		(void)snprintf(id, sizeof(id), "%s", inbox->id);
		(void)snprintf(key, sizeof(key), "%s", inbox->key);
		for (unsigned i = 0; i < 3; i++) {
			p.nfolders = 0;
			(void)snprintf(p.hierarchy_key, sizeof(p.hierarchy_key), "0");
			story_must(phone_folder_sync(&p), &p);
		}
		inbox = phone_folder(&p, STORY_INBOX);
		assert_string_equal(inbox->id, id);
		(void)snprintf(inbox->key, sizeof(inbox->key), "%s", key);
		story_must(phone_sync(&p, inbox, 10, ""), &p);
		assert_int_equal(inbox->n, 0);
		(void)fake_mail_add_simple(e.mail, "INBOX", 0, 0, "next");
		story_must(phone_sync(&p, inbox, 10, ""), &p);
		assert_int_equal(inbox->n, 1);
		done();
	}
}

/* Requirements 4.3, K1: a window costs a few calls, however many messages are in it, and none
 * for folders that nobody asks for. */
static void test_a_window_costs_a_few_calls(void **state UNUSED)
{
	struct device_folder *inbox;
	unsigned before;

	(void)arrives("14.1", "Subject: s\n\nx\n", 1, 500);
	for (unsigned i = 0; i < 50; i++) {
		(void)fake_mail_add_simple(e.mail, "INBOX", 0, 1772532000, "many");
		(void)fake_mail_add_simple(e.mail, "Sent", 0, 1772532000, "not asked for");
	}
	inbox = phone_folder(&p, STORY_INBOX);
	before = fake_mail_calls(e.mail);
	story_must(phone_sync(&p, inbox, 100, ""), &p);
	assert_int_equal(inbox->n, 50);
	assert_true(fake_mail_calls(e.mail) - before <= 3);
	done();
}

/* C166: what changed and changed back is nothing to tell; what came and went was never there.
 */
static void test_opposite_changes_are_none(void **state UNUSED)
{
	struct device_folder *inbox;

	(void)arrives("14.1", "Subject: s\n\nx\n", 1, 500);
	inbox = phone_folder(&p, STORY_INBOX);
	fake_mail_set_flags(e.mail, "INBOX", 1, MAIL_SEEN);
	fake_mail_set_flags(e.mail, "INBOX", 1, 0);
	fake_mail_expunge(
		e.mail, "INBOX", fake_mail_add_simple(e.mail, "INBOX", 0, 0, "came and went"));
	story_must(phone_sync(&p, inbox, 10, ""), &p);
	assert_int_equal(inbox->n, 0);
	/* And the other way round: read and unread by two clients in turn. */
	fake_mail_set_flags(e.mail, "INBOX", 1, MAIL_SEEN);
	(void)phone_post(&p, "Sync",
		arena_printf(a,
			"airsync:Sync\n  airsync:Collections\n    airsync:Collection\n"
			"      airsync:SyncKey \"%s\"\n      airsync:CollectionId \"%s\"\n",
			inbox->key, inbox->id)
			.p);
	assert_true(p.answer_bytes > 0);
	done();
}

static const char *ping(void)
{
	return eas_text(
		phone_post(&p, "Ping",
			arena_printf(a,
				"ping:Ping\n  ping:HeartbeatInterval \"60\"\n"
				"  ping:Folders\n    ping:Folder\n      ping:Id \"%s\"\n"
				"      ping:Class \"Email\"\n",
				phone_folder(&p, STORY_INBOX)->id)
				.p),
		a);
}

static void mark_it(struct eas *it)
{
	fake_mail_set_flags(it->mail, "INBOX", 1, MAIL_SEEN);
}

static void send_one(struct eas *it)
{
	static struct phone other;

	eas_phone(it, &other, "phone", "14.1");
	other.policy_key = p.policy_key;
	story_must(phone_send(&other, "bob@x.test", "while waiting", "Hi."), &other);
	phone_release(&other);
}

/* C165: a read mark of another client ends the wait. B19923: a mail that the phone sends does
 * not. */
static void test_what_ends_a_wait(void **state UNUSED)
{
	(void)arrives("14.1", "Subject: s\n\nx\n", 1, 500);
	e.pauses = 2;
	e.paused = send_one;
	has(ping(), "ping:Status \"1\"");
	assert_int_equal(e.submitted, 2);
	e.pauses = 2;
	e.paused = mark_it;
	has(ping(), "ping:Status \"2\"");
	done();
}

/* C106: drafts are mails in their folder. */
static void test_drafts_are_shown(void **state UNUSED)
{
	struct device_folder *drafts;

	(void)arrives("12.1", "Subject: s\n\nx\n", 1, 500);
	(void)fake_mail_add(
		e.mail, "Drafts", MAIL_DRAFT | MAIL_SEEN, 0, "Subject: unfinished\n\nDear\n");
	drafts = phone_folder(&p, 3);
	story_must(phone_sync(&p, drafts, 10, ""), &p);
	assert_non_null(phone_item(drafts, "unfinished"));
	done();
}

/* C9, C10: a device that starts afresh hears what is offered. */
static void test_a_fresh_start_hears_the_versions(void **state UNUSED)
{
	(void)arrives("12.1", "Subject: s\n\nx\n", 1, 500);
	p.nfolders = 0;
	(void)snprintf(p.hierarchy_key, sizeof(p.hierarchy_key), "0");
	story_must(phone_folder_sync(&p), &p);
	has(e.seen.headers, "X-MS-RP: 2.5,12.0,12.1,14.0,14.1\n");
	has(e.seen.headers, "MS-ASProtocolVersions: 2.5,12.0,12.1,14.0,14.1\n");
	story_must(phone_folder_sync(&p), &p);
	lacks(e.seen.headers, "X-MS-RP");
	done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_texts_arrive_whole),
		cmocka_unit_test(test_html_comes_as_html),
		cmocka_unit_test(test_truncated_tells_the_truth),
		cmocka_unit_test(test_attachments_have_their_names),
		cmocka_unit_test(test_headers_of_all_kinds),
		cmocka_unit_test(test_what_was_sent_is_kept_as_it_was),
		cmocka_unit_test(test_fetches_end_well),
		cmocka_unit_test(test_an_empty_folder_is_one),
		cmocka_unit_test(test_a_hierarchy_from_the_start_keeps_the_mail),
		cmocka_unit_test(test_a_window_costs_a_few_calls),
		cmocka_unit_test(test_opposite_changes_are_none),
		cmocka_unit_test(test_what_ends_a_wait),
		cmocka_unit_test(test_drafts_are_shown),
		cmocka_unit_test(test_a_fresh_start_hears_the_versions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
