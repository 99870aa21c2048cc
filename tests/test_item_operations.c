/*
 * ItemOperations and GetAttachment over the fakes: [MS-ASCMD] 2.2.1.10 and 2.2.1.8.
 */
#include "core/base/base64.h"
#include "core/wire/dump.h"
#include "core/wire/reader.h"
#include "tests/support_eas.h"
#include "tests/support_story.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { LARGE = 3 * 1024 * 1024 };

static struct eas e;
static struct phone p;
static struct arena *a;
static struct str large; /* the bytes of the large attachment */
static char item[72];    /* ServerId of the message */
static const char *inbox;

/* Part 2 is small.txt (quoted-printable), part 3 large.bin (base64). */
static void add_message(void)
{
	char *bytes = arena_alloc(a, LARGE);
	struct buf text;

	for (size_t i = 0; i < LARGE; i++)
		bytes[i] = (char)(i * 7 + i / 255);
	large = (struct str){bytes, LARGE};
	buf_init(&text, BUF_MAX_TEXT);
	buf_adds(&text,
		"From: <bob@example.test>\r\nTo: <ann@example.test>\r\nSubject: files\r\n"
		"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
		"--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nThe body.\r\n"
		"--b\r\nContent-Type: text/plain; name=small.txt\r\n"
		"Content-Disposition: attachment; filename=small.txt\r\n"
		"Content-Transfer-Encoding: quoted-printable\r\n\r\n"
		"caf=C3=A9 and more\r\n"
		"--b\r\nContent-Type: application/octet-stream; name=large.bin\r\n"
		"Content-Disposition: attachment; filename=large.bin\r\n"
		"Content-Transfer-Encoding: base64\r\n\r\n");
	for (size_t i = 0; i < LARGE; i += 57) {
		base64_encode(str_sub(large, i, 57), &text);
		buf_adds(&text, "\r\n");
	}
	buf_adds(&text, "--b--\r\n");
	fake_mail_add(e.mail, "INBOX", 0, 1772532000, buf_str(&text).p);
	buf_release(&text);
}

static void begin(const char *version)
{
	struct device_folder *f;

	a = arena_new();
	eas_init(&e, "");
	add_message();
	eas_phone(&e, &p, "phone", version);
	story_must(phone_provision(&p) && phone_folder_sync(&p), &p);
	f = phone_folder(&p, 2);
	story_must(phone_sync(&p, f, 10, ""), &p);
	assert_int_equal(f->n, 1);
	(void)snprintf(item, sizeof(item), "%s", f->v[0].id);
	inbox = f->id;
}

static void end(void)
{
	phone_release(&p);
	eas_release(&e);
	arena_free(a);
}

/* A document with one Fetch per reference ("" for the item itself); options: below Fetch. */
static const struct elem *fetch(const char *const *sections, size_t n, const char *options)
{
	char text[4096];
	size_t at = (size_t)snprintf(text, sizeof(text), "itemoperations:ItemOperations\n");

	for (size_t i = 0; i < n; i++) {
		at += (size_t)snprintf(text + at, sizeof(text) - at,
			"  itemoperations:Fetch\n    itemoperations:Store \"Mailbox\"\n");
		if (sections[i][0])
			at += (size_t)snprintf(text + at, sizeof(text) - at,
				"    airsyncbase:FileReference \"%s:%s\"\n", item, sections[i]);
		else
			at += (size_t)snprintf(text + at, sizeof(text) - at,
				"    airsync:CollectionId \"%s\"\n    airsync:ServerId \"%s\"\n",
				inbox, item);
		at += (size_t)snprintf(text + at, sizeof(text) - at, "%s", options);
	}
	return elem_child(phone_post(&p, "ItemOperations", text), ITEMOPERATIONS_RESPONSE);
}

static const struct elem *fetch_one(const char *section, const char *options)
{
	return elem_child(fetch(&section, 1, options), ITEMOPERATIONS_FETCH);
}

static struct str unpacked(const struct elem *f)
{
	struct str bytes = STR_NONE, text = elem_text(elem_child(f, ITEMOPERATIONS_PROPERTIES),
					     ITEMOPERATIONS_DATA);

	assert_int_equal(elem_u32(f, ITEMOPERATIONS_STATUS, 0), 1);
	assert_int_equal(base64_decode(text, a, &bytes), RC_OK);
	return bytes;
}

/* S13, C61, C93 */
static void test_attachments_come_byte_for_byte(void **state UNUSED)
{
	const struct elem *f;

	begin("14.1");
	assert_true(str_is(unpacked(fetch_one("2", "")), "caf\xc3\xa9 and more"));
	f = fetch_one("3", "");
	assert_true(str_eq(unpacked(f), large));
	assert_true(str_is(
		elem_text(elem_child(f, ITEMOPERATIONS_PROPERTIES), AIRSYNCBASE_CONTENT_TYPE),
		"application/octet-stream"));
	/* clients.md 1: Range and Total only when they were asked for. */
	assert_false(elem_has(elem_child(f, ITEMOPERATIONS_PROPERTIES), ITEMOPERATIONS_RANGE));
	end();
}

/* C62, K11 */
static void test_a_range_is_that_part_of_it(void **state UNUSED)
{
	const struct elem *f;

	begin("14.1");
	f = fetch_one("3", "    itemoperations:Options\n"
			   "      itemoperations:Range \"1000-1999999\"\n");
	assert_true(str_eq(unpacked(f), str_sub(large, 1000, 1999000)));
	f = elem_child(f, ITEMOPERATIONS_PROPERTIES);
	assert_true(str_is(elem_text(f, ITEMOPERATIONS_RANGE), "1000-1999999"));
	assert_true(elem_u32(f, ITEMOPERATIONS_TOTAL, 0) >= LARGE);
	f = fetch_one("3",
		"    itemoperations:Options\n      itemoperations:Range \"9000000-9000001\"\n");
	assert_int_equal(elem_u32(f, ITEMOPERATIONS_STATUS, 0), 8);
	f = fetch_one("3", "    itemoperations:Options\n      itemoperations:Range \"7-3\"\n");
	assert_int_equal(elem_u32(f, ITEMOPERATIONS_STATUS, 0), 8);
	end();
}

static void test_what_is_not_there_has_its_status(void **state UNUSED)
{
	const char *both[] = {"17", "2"};
	const struct elem *f;

	begin("14.1");
	f = elem_child(fetch(both, 2, ""), ITEMOPERATIONS_FETCH);
	assert_int_equal(elem_u32(f, ITEMOPERATIONS_STATUS, 0), 15);
	assert_true(str_is(unpacked(elem_again(f)), "caf\xc3\xa9 and more"));
	fake_mail_expunge(e.mail, "INBOX", 1);
	assert_int_equal(elem_u32(fetch_one("", ""), ITEMOPERATIONS_STATUS, 0), 6);
	assert_int_equal(elem_u32(fetch_one("2", ""), ITEMOPERATIONS_STATUS, 0), 15);
	end();
}

/* A server that fails in the middle must not leave half an attachment with the phone. */
/* K2, C16 */
static void test_half_an_attachment_is_none(void **state UNUSED)
{
	unsigned calls;
	const struct elem *f;

	begin("14.1");
	calls = fake_mail_calls(e.mail);
	f = fetch_one("3", "");
	calls = fake_mail_calls(e.mail) - calls;
	assert_true(str_eq(unpacked(f), large));
	for (unsigned n = 1; n <= calls; n++) {
		for (int after = 0; after <= 1; after++) {
			fake_mail_fail_after(e.mail, n, after);
			f = fetch_one("3", "");
			/* 14.x asks again when it is told to; the scripted phone does so. */
			assert_true(str_eq(unpacked(f), large));
		}
	}
	end();
}

static uint32_t get32(struct str s, size_t at)
{
	const unsigned char *b = (const unsigned char *)s.p + at;

	assert_true(at + 4 <= s.n);
	return b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

/* The i-th part of a multipart answer. */
static struct str part(struct str answer, unsigned i)
{
	uint32_t at = get32(answer, 4 + 8 * i), n = get32(answer, 8 + 8 * i);

	assert_true(i < get32(answer, 0) && (uint64_t)at + n <= answer.n);
	return str_sub(answer, at, n);
}

static void multipart(const char *document, struct buf *answer)
{
	struct eas_request q = {.query = "Cmd=ItemOperations&User=ann&DeviceId=phone"
					 "&DeviceType=Scripted",
		.user = EAS_USER,
		.password = EAS_PASSWORD,
		.version = "14.1",
		.type = "application/vnd.ms-sync.wbxml",
		.has_key = true,
		.key = p.policy_key,
		.multipart = true};
	struct err err = ERR_INIT;
	struct wbxml_writer w;
	struct elem *root;

	wbxml_init(&w, NULL, BUF_MAX_TEXT);
	assert_int_equal(dump_parse(str_of(document), a, &root, &err), RC_OK);
	dump_encode(root, &w);
	assert_int_equal(wbxml_finish(&w, &err), RC_OK);
	q.body = buf_str(&w.out);
	eas_request(&e, &q, answer);
	wbxml_release(&w);
	assert_int_equal(e.seen.http, 200);
}

/* [MS-ASCMD] 2.2.1.10.1: attachments and bodies stand behind the document. */
/* C15 */
static void test_multipart_answers_carry_bytes_as_they_are(void **state UNUSED)
{
	char document[2048];
	struct err err = ERR_INIT;
	const struct elem *f;
	struct elem *root;
	struct buf answer;

	begin("14.1");
	(void)snprintf(document, sizeof(document),
		"itemoperations:ItemOperations\n"
		"  itemoperations:Fetch\n    itemoperations:Store \"Mailbox\"\n"
		"    airsyncbase:FileReference \"%s:3\"\n"
		"  itemoperations:Fetch\n    itemoperations:Store \"Mailbox\"\n"
		"    airsyncbase:FileReference \"%s:99\"\n"
		"  itemoperations:Fetch\n    itemoperations:Store \"Mailbox\"\n"
		"    airsync:CollectionId \"%s\"\n    airsync:ServerId \"%s\"\n"
		"  itemoperations:Fetch\n    itemoperations:Store \"Mailbox\"\n"
		"    airsyncbase:FileReference \"%s:2\"\n",
		item, item, inbox, item, item);
	buf_init(&answer, BUF_MAX_RESPONSE);
	multipart(document, &answer);
	assert_string_equal(e.seen.type, "application/vnd.ms-sync.multipart");
	assert_int_equal(get32(buf_str(&answer), 0), 4);
	assert_true(str_eq(part(buf_str(&answer), 1), large));
	assert_true(str_starts(part(buf_str(&answer), 2), "The body."));
	assert_true(str_is(part(buf_str(&answer), 3), "caf\xc3\xa9 and more"));
	assert_int_equal(
		wbxml_read(part(buf_str(&answer), 0), WBXML_LIMITS, a, &root, &err), RC_OK);
	f = elem_child(elem_child(root, ITEMOPERATIONS_RESPONSE), ITEMOPERATIONS_FETCH);
	assert_int_equal(
		elem_u32(elem_child(f, ITEMOPERATIONS_PROPERTIES), ITEMOPERATIONS_PART, 0), 1);
	assert_false(elem_has(elem_child(f, ITEMOPERATIONS_PROPERTIES), ITEMOPERATIONS_DATA));
	f = elem_again(f);
	assert_int_equal(elem_u32(f, ITEMOPERATIONS_STATUS, 0), 15);
	f = elem_child(elem_child(elem_again(f), ITEMOPERATIONS_PROPERTIES), AIRSYNCBASE_BODY);
	assert_int_equal(elem_u32(f, ITEMOPERATIONS_PART, 0), 2);
	assert_false(elem_has(f, AIRSYNCBASE_DATA));
	buf_release(&answer);
	end();
}

/* B19555, C61, C85-C87 */
static void test_items_come_in_the_form_asked_for(void **state UNUSED)
{
	const struct elem *f;

	begin("14.1");
	f = elem_child(elem_child(fetch_one("", "    itemoperations:Options\n"
						"      airsyncbase:BodyPreference\n"
						"        airsyncbase:Type \"4\"\n"
						"        airsyncbase:TruncationSize \"200\"\n"
						"      airsync:MIMESupport \"2\"\n"),
			       ITEMOPERATIONS_PROPERTIES),
		AIRSYNCBASE_BODY);
	assert_int_equal(elem_u32(f, AIRSYNCBASE_TYPE, 0), 4);
	assert_true(
		str_starts(elem_text(f, AIRSYNCBASE_DATA), "From: <bob@example.test>\r\nTo: "));
	assert_int_equal(elem_text(f, AIRSYNCBASE_DATA).n, 200);
	assert_true(elem_bool(f, AIRSYNCBASE_TRUNCATED, false));
	f = elem_child(
		elem_child(fetch_one("", ""), ITEMOPERATIONS_PROPERTIES), AIRSYNCBASE_BODY);
	assert_true(str_starts(elem_text(f, AIRSYNCBASE_DATA), "The body."));
	end();
}

/* requirements 4.9 */
static void test_bad_requests_have_their_status(void **state UNUSED)
{
	const struct elem *f;

	begin("14.1");
	f = phone_post(&p, "ItemOperations", "itemoperations:ItemOperations\n");
	assert_int_equal(elem_u32(f, ITEMOPERATIONS_STATUS, 0), 2);
	f = phone_post(&p, "ItemOperations",
		"itemoperations:ItemOperations\n  itemoperations:Fetch\n"
		"    itemoperations:Store \"Attic\"\n    airsyncbase:FileReference \"1:1:2\"\n");
	f = elem_child(elem_child(f, ITEMOPERATIONS_RESPONSE), ITEMOPERATIONS_FETCH);
	assert_int_equal(elem_u32(f, ITEMOPERATIONS_STATUS, 0), 9);
	/* Ids of nothing, of another shape, and of nobody. */
	(void)snprintf(item, sizeof(item), "%s", "999:1");
	assert_true(elem_u32(fetch_one("2", ""), ITEMOPERATIONS_STATUS, 0) == 15);
	(void)snprintf(item, sizeof(item), "%s", "../../etc");
	assert_true(elem_u32(fetch_one("2", ""), ITEMOPERATIONS_STATUS, 0) == 15);
	assert_int_equal(elem_u32(fetch_one("", ""), ITEMOPERATIONS_STATUS, 0), 6);
	end();
}

static void get(const char *section, struct buf *answer)
{
	char query[256];
	struct eas_request q = {.query = query,
		.user = EAS_USER,
		.password = EAS_PASSWORD,
		.version = "12.1",
		.has_key = true,
		.key = p.policy_key};

	(void)snprintf(query, sizeof(query),
		"Cmd=GetAttachment&User=ann&DeviceId=phone&DeviceType=Scripted"
		"&AttachmentName=%s:%s",
		item, section);
	buf_reset(answer);
	eas_request(&e, &q, answer);
}

/* C79 */
static void test_get_attachment_answers_with_the_bytes(void **state UNUSED)
{
	struct buf answer;

	begin("12.1");
	buf_init(&answer, BUF_MAX_RESPONSE);
	get("3", &answer);
	assert_int_equal(e.seen.http, 200);
	assert_string_equal(e.seen.type, "application/octet-stream");
	assert_true(str_eq(buf_str(&answer), large));
	get("42", &answer);
	assert_int_equal(e.seen.http, 500);
	/* It may not break off unseen either. */
	fake_mail_fail_after(e.mail, 2, true);
	get("3", &answer);
	assert_int_equal(e.seen.http, 503);
	assert_int_equal(answer.n, 0);
	buf_release(&answer);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_attachments_come_byte_for_byte),
		cmocka_unit_test(test_a_range_is_that_part_of_it),
		cmocka_unit_test(test_what_is_not_there_has_its_status),
		cmocka_unit_test(test_half_an_attachment_is_none),
		cmocka_unit_test(test_multipart_answers_carry_bytes_as_they_are),
		cmocka_unit_test(test_items_come_in_the_form_asked_for),
		cmocka_unit_test(test_bad_requests_have_their_status),
		cmocka_unit_test(test_get_attachment_answers_with_the_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
