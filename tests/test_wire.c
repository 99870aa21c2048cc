/*
 * WBXML in and out, the readable form, and both query forms: [MS-ASWBXML], [MS-ASHTTP].
 */
#include "core/base/base64.h"
#include "core/wire/dump.h"
#include "core/wire/query.h"
#include "core/wire/reader.h"
#include "core/wire/writer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct arena *a;

static int set_up(void **state UNUSED)
{
	a = arena_new();
	return 0;
}

static int tear_down(void **state UNUSED)
{
	arena_free(a);
	return 0;
}

static struct str written(void (*write)(struct wbxml_writer *w))
{
	struct wbxml_writer w;
	struct err err = ERR_INIT;
	struct str bytes;

	wbxml_init(&w, NULL, BUF_MAX_TEXT);
	write(&w);
	assert_int_equal(wbxml_finish(&w, &err), RC_OK);
	bytes = arena_str(a, buf_str(&w.out));
	wbxml_release(&w);
	return bytes;
}

static const char *text_of(struct str bytes)
{
	struct dump_options o = {0};
	struct err err = ERR_INIT;
	struct elem *root;
	struct buf b;
	struct str s;

	assert_int_equal(wbxml_read(bytes, WBXML_LIMITS, a, &root, &err), RC_OK);
	buf_init(&b, BUF_MAX_TEXT);
	dump_elem(root, &o, &b);
	s = arena_str(a, buf_str(&b));
	buf_release(&b);
	return s.p;
}

static void folder_sync(struct wbxml_writer *w)
{
	wbxml_open(w, FOLDERHIERARCHY_FOLDER_SYNC);
	wbxml_cstr(w, FOLDERHIERARCHY_SYNC_KEY, "0");
	wbxml_close(w, FOLDERHIERARCHY_FOLDER_SYNC);
}

/* [MS-ASWBXML]: header 03 01 6A 00, page 7, tokens 16 and 12 with content. */
static void test_bytes_are_those_of_the_specification(void **state UNUSED)
{
	static const char want[] = "\x03\x01\x6a\x00\x00\x07\x56\x52\x03\x30\x00\x01\x01";
	struct str got = written(folder_sync);

	assert_int_equal(got.n, sizeof(want) - 1);
	assert_memory_equal(got.p, want, got.n);
}

static void with_everything(struct wbxml_writer *w)
{
	struct wbxml_mark mark;
	size_t at;

	wbxml_open(w, AIRSYNC_SYNC);
	wbxml_open(w, AIRSYNC_COLLECTIONS);
	mark = wbxml_mark(w);
	wbxml_open(w, AIRSYNC_COLLECTION);
	wbxml_cstr(w, EMAIL_SUBJECT, "forgotten");
	wbxml_rollback(w, mark);
	mark = wbxml_mark(w);
	wbxml_open(w, AIRSYNC_COLLECTION);
	wbxml_cstr(w, AIRSYNC_SYNC_KEY, "1");
	at = wbxml_maybe(w, AIRSYNC_MORE_AVAILABLE);
	wbxml_text(w, EMAIL_SUBJECT, STR("a\0b \xff & <c>"));
	wbxml_unwrite(w, at);
	wbxml_text(w, EMAIL2_CONVERSATION_ID, STR(""));
	wbxml_opaque(w, EMAIL2_CONVERSATION_INDEX, STR("\x00\x01"));
	wbxml_bool(w, EMAIL_READ, true);
	wbxml_int(w, EMAIL_IMPORTANCE, -12);
	wbxml_close(w, AIRSYNC_COLLECTION);
	wbxml_keep(w, mark);
	wbxml_close(w, AIRSYNC_COLLECTIONS);
	wbxml_close(w, AIRSYNC_SYNC);
}

static void test_marks_go_back_to_where_they_were(void **state UNUSED)
{
	assert_string_equal(text_of(written(with_everything)),
		"airsync:Sync\n  airsync:Collections\n    airsync:Collection\n"
		"      airsync:SyncKey \"1\"\n"
		"      email:Subject \"ab \xef\xbf\xbd & <c>\"\n"
		"      email2:ConversationId\n"
		"      email2:ConversationIndex x\"0001\"\n"
		"      email:Read \"1\"\n      email:Importance \"-12\"\n");
}

/* An answer larger than memory goes out in pieces and is the same. */
static void test_a_sink_gets_the_same_bytes_in_pieces(void **state UNUSED)
{
	struct wbxml_writer w[2];
	struct err err = ERR_INIT;
	struct buf_sink sink;
	struct buf out;
	char piece[5000];

	memset(piece, 'p', sizeof(piece));
	buf_init(&out, BUF_MAX_TEXT);
	buf_sink_init(&sink, &out);
	wbxml_init(&w[0], &sink.sink, 512 * 1024);
	wbxml_init(&w[1], NULL, BUF_MAX_TEXT);
	for (size_t k = 0; k < 2; k++) {
		wbxml_open(&w[k], ITEMOPERATIONS_ITEM_OPERATIONS);
		for (unsigned i = 0; i < 3; i++) {
			wbxml_text_begin(&w[k], ITEMOPERATIONS_DATA);
			for (unsigned n = 0; n < 200; n++)
				wbxml_piece(&w[k], (struct str){piece, sizeof(piece)});
			wbxml_piece_end(&w[k]);
			wbxml_open(&w[k], ITEMOPERATIONS_PROPERTIES);
			wbxml_close(&w[k], ITEMOPERATIONS_PROPERTIES);
		}
		wbxml_close(&w[k], ITEMOPERATIONS_ITEM_OPERATIONS);
		assert_int_equal(wbxml_finish(&w[k], &err), RC_OK);
	}
	assert_true(str_eq(buf_str(&out), buf_str(&w[1].out)));
	assert_int_equal(wbxml_size(&w[0]), out.n);
	wbxml_release(&w[0]);
	wbxml_release(&w[1]);
	buf_release(&out);
}

static void test_what_does_not_fit_is_an_error_that_stays(void **state UNUSED)
{
	struct wbxml_writer w;
	struct err err = ERR_INIT;

	wbxml_init(&w, NULL, 100);
	wbxml_open(&w, AIRSYNC_SYNC);
	for (unsigned i = 0; i < 100; i++)
		wbxml_cstr(&w, AIRSYNC_SYNC_KEY, "12345");
	wbxml_close(&w, AIRSYNC_SYNC);
	assert_int_equal(wbxml_finish(&w, &err), RC_LIMIT);
	wbxml_release(&w);
}

static void test_bad_wbxml_is_refused_at_its_place(void **state UNUSED)
{
	static const struct {
		const char *what;
		struct str bytes;
		enum rc rc;
	} cases[] = {
		{"nothing",             STR(""),					       RC_INVALID},
		{"half a header",       STR("\x03\x01"),                                       RC_INVALID},
		{"no element",          STR("\x03\x01\x6a\x00"),                               RC_INVALID},
		{"open element",        STR("\x03\x01\x6a\x00\x45"),                           RC_INVALID},
		{"text without end",    STR("\x03\x01\x6a\x00\x45\x03zz"),                     RC_INVALID},
		{"opaque past the end", STR("\x03\x01\x6a\x00\x45\xc3\x85\x00zz"),             RC_INVALID},
		{"opaque of 4 GB",      STR("\x03\x01\x6a\x00\x45\xc3\x8f\xff\xff\xff\x7fzz"),
                 RC_INVALID									      },
		{"attributes",          STR("\x03\x01\x6a\x00\xc5\x01\x01"),                   RC_INVALID},
		{"an end at once",      STR("\x03\x01\x6a\x00\x01"),                           RC_INVALID},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err err = ERR_INIT;
		struct elem *root;

		if (wbxml_read(cases[i].bytes, WBXML_LIMITS, a, &root, &err) != cases[i].rc)
			fail_msg("%s", cases[i].what);
		assert_true(err.text[0] != '\0');
	}
}

static void test_depth_and_number_are_bounded(void **state UNUSED)
{
	char bytes[400];
	struct err err = ERR_INIT;
	struct elem *root;
	struct buf b;

	memcpy(bytes, "\x03\x01\x6a\x00", 4);
	memset(bytes + 4, 0x45, 100);
	memset(bytes + 104, 0x01, 100);
	assert_int_equal(
		wbxml_read((struct str){bytes, 204}, WBXML_LIMITS, a, &root, &err), RC_LIMIT);
	buf_init(&b, BUF_MAX_TEXT);
	buf_add(&b, "\x03\x01\x6a\x00\x45", 5);
	for (unsigned i = 0; i < 250000; i++)
		buf_addc(&b, 0x05);
	buf_addc(&b, 0x01);
	err_clear(&err);
	assert_int_equal(wbxml_read(buf_str(&b), WBXML_LIMITS, a, &root, &err), RC_LIMIT);
	buf_release(&b);
}

/* http.md 8: what a later client knows and we do not is passed over. */
static void test_unknown_tokens_and_pages_are_skipped(void **state UNUSED)
{
	assert_string_equal(
		text_of(STR("\x03\x01\x6a\x00\x45\x5c\x7f\x03x\x00\x01\x00\x3f\x45\x03y\x00\x01"
			    "\x00\x00\x4b\x03"
			    "1\x00\x01\x01\x01")),
		"airsync:Sync\n  airsync:Collections\n    airsync:SyncKey \"1\"\n");
}

static void test_text_and_back_is_the_same(void **state UNUSED)
{
	static const char text[] =
		"airsync:Sync\n  airsync:Collections\n    airsync:Collection\n"
		"      airsync:SyncKey \"\\\"quoted\\\" \\\\ \\n\\t\"\n"
		"      airsync:MoreAvailable\n      email2:ConversationId x\"00ff\"\n";
	static const char *const bad[] = {"nonsense:Sync\n", "airsync:Sync \"x\n",
		"airsync:Sync\n      airsync:SyncKey \"too deep\"\n", "airsync:Sync x\"0g\"\n",
		""};
	struct err err = ERR_INIT;
	struct wbxml_writer w;
	struct elem *root;

	assert_int_equal(dump_parse(str_of(text), a, &root, &err), RC_OK);
	wbxml_init(&w, NULL, BUF_MAX_TEXT);
	dump_encode(root, &w);
	assert_int_equal(wbxml_finish(&w, &err), RC_OK);
	assert_string_equal(text_of(arena_str(a, buf_str(&w.out))), text);
	wbxml_release(&w);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (dump_parse(str_of(bad[i]), a, &root, &err) != RC_INVALID)
			fail_msg("\"%s\" was read", bad[i]);
}

/* What may stand in a log: D16, and no secret of anybody. */
static void test_a_log_hides_what_is_private(void **state UNUSED)
{
	struct dump_options o = {.max_text = 20, .hide_bodies = true};
	struct err err = ERR_INIT;
	struct elem *root;
	struct buf b;

	assert_int_equal(
		dump_parse(STR("airsync:ApplicationData\n  email:Subject \"very secret\"\n"
			       "  email:From \"bob@example.test\"\n"
			       "  airsyncbase:Body\n    airsyncbase:Data \"private\"\n"
			       "  airsync:ServerId \"123456789012345678901234567890\"\n"),
			a, &root, &err),
		RC_OK);
	buf_init(&b, BUF_MAX_LINE);
	dump_elem(root, &o, &b);
	assert_null(strstr(b.p, "secret"));
	assert_null(strstr(b.p, "bob@"));
	assert_null(strstr(b.p, "private"));
	assert_non_null(strstr(b.p, "12345678901234567890\"..."));
	buf_release(&b);
}

static struct query parsed(const char *text)
{
	struct query q;
	struct err err = ERR_INIT;

	if (query_parse(str_of(text), a, &q, &err))
		fail_msg("%s: %s", text, err.text);
	return q;
}

/* C11 */
static void test_plain_queries(void **state UNUSED)
{
	struct query q = parsed("Cmd=GetAttachment&User=EX%5cann%40x&DeviceId=ABC123"
				"&DeviceType=PocketPC&AttachmentName=5%3a1%3A2&Other=1");

	assert_int_equal(q.command, CMD_GET_ATTACHMENT);
	assert_true(str_is(q.user, "EX\\ann@x"));
	assert_true(str_is(q.device_id, "abc123"));
	assert_true(str_is(q.device_type, "PocketPC"));
	assert_true(str_is(q.attachment_name, "5:1:2"));
	assert_false(q.base64);
	q = parsed("Cmd=SendMail&SaveInSent=T&DeviceId=a&DeviceType=b");
	assert_true(q.save_in_sent);
	q = parsed("Cmd=Frobnicate&DeviceId=a&DeviceType=b");
	assert_int_equal(q.command, CMD_UNKNOWN);
	assert_true(str_is(q.command_name, "Frobnicate"));
}

/* U4, [MS-ASHTTP] 2.2.1.1.1.1: version, command, locale, DeviceId, key, DeviceType, parameters.
 */
static const unsigned char packed[] = {121, 0, 0x09, 0x04, 4, 'a', 'b', 0x01, 0xfe, 4, 0x78,
	0x56, 0x34, 0x12, 7, 'i', 'P', 'h', 'o', 'n', 'e', '5', 7, 1, 0x01, 1, 2, '1', '2'};

/* C12 */
static void test_packed_queries(void **state UNUSED)
{
	struct query q;
	struct err err = ERR_INIT;
	struct buf b;

	buf_init(&b, BUF_MAX_LINE);
	base64_encode((struct str){(const char *)packed, sizeof(packed)}, &b);
	q = parsed(buf_str(&b).p);
	assert_true(q.base64);
	assert_int_equal(q.version_number, 121);
	assert_int_equal(q.command, CMD_SYNC);
	assert_true(str_is(q.device_id, "616201fe"));
	assert_true(str_is(q.device_type, "iPhone5"));
	assert_true(q.has_policy_key && q.policy_key == 0x12345678);
	assert_int_equal(q.locale, 0x0409);
	assert_true(q.save_in_sent);
	assert_true(str_is(q.collection_id, "12"));
	/* The URL-safe alphabet, and without padding: the same. */
	for (size_t i = 0; i < b.n; i++)
		b.p[i] = b.p[i] == '+' ? '-' : b.p[i] == '/' ? '_' : b.p[i];
	while (b.n && b.p[b.n - 1] == '=')
		buf_cut(&b, b.n - 1);
	q = parsed(buf_str(&b).p);
	assert_true(str_is(q.device_id, "616201fe"));
	/* Cut anywhere: refused, or at least not read past the end. */
	for (size_t n = 0; n < sizeof(packed); n++) {
		buf_reset(&b);
		base64_encode((struct str){(const char *)packed, n}, &b);
		(void)(query_parse(buf_str(&b), a, &q, &err) == RC_OK);
	}
	buf_release(&b);
}

static void test_bad_queries_are_refused(void **state UNUSED)
{
	static const char *const bad[] = {
		"Cmd=Sync&DeviceId=a%0",
		"Cmd=Sync&DeviceId=a%zz",
		"Cmd=Sync&DeviceId=a%00b",
		"Cmd=Sync&DeviceId=a%20b",
		"Cmd=Sync&DeviceId=123456789012345678901234567890123456789012345678901234567890abcde",
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct err err = ERR_INIT;
		struct query q;

		if (query_parse(str_of(bad[i]), a, &q, &err) != RC_INVALID)
			fail_msg("%s was read", bad[i]);
	}
}

/* D12, [MS-ASHTTP] 2.2.1.1.2.1; C31, D12 */
static void test_logins_of_all_forms_are_one(void **state UNUSED)
{
	static const struct {
		const char *login, *domain, *want;
	} cases[] = {
		{"ann",                 "example.test", "ann@example.test"},
		{"ann@example.test",    "example.test", "ann@example.test"},
		{"ann@other.test",      "example.test", "ann@other.test"  },
		{"EXAMPLE\\ann",        "example.test", "ann@example.test"},
		{"\\ann",               "example.test", "ann@example.test"},
		{"EXAMPLE\\ann@b.test", "example.test", "ann@b.test"      },
		{"ann",                 "",             "ann"             },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_true(
			str_is(query_login(str_of(cases[i].login), str_of(cases[i].domain), a),
				cases[i].want));
}

static void test_tags_are_known_by_name_and_number(void **state UNUSED)
{
	unsigned n = 0;

	for (unsigned page = 0; page < 26; page++)
		for (unsigned token = 5; token < 64; token++) {
			const struct tag_info *t = tag_info((tag_t)(page << 8 | token));
			struct str name;

			if (!t)
				continue;
			n++;
			name = arena_printf(a, "%s:%s", tag_page_prefix(page), t->name);
			assert_int_equal(tag_of(name), t->tag);
		}
	/* The 654 tokens of the specification, and those of pages for later versions. */
	assert_true(n >= 654);
	assert_int_equal(tag_of(STR("airsync:Nonsense")), 0);
	assert_null(tag_page_prefix(26));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bytes_are_those_of_the_specification),
		cmocka_unit_test(test_marks_go_back_to_where_they_were),
		cmocka_unit_test(test_a_sink_gets_the_same_bytes_in_pieces),
		cmocka_unit_test(test_what_does_not_fit_is_an_error_that_stays),
		cmocka_unit_test(test_bad_wbxml_is_refused_at_its_place),
		cmocka_unit_test(test_depth_and_number_are_bounded),
		cmocka_unit_test(test_unknown_tokens_and_pages_are_skipped),
		cmocka_unit_test(test_text_and_back_is_the_same),
		cmocka_unit_test(test_a_log_hides_what_is_private),
		cmocka_unit_test(test_plain_queries),
		cmocka_unit_test(test_packed_queries),
		cmocka_unit_test(test_bad_queries_are_refused),
		cmocka_unit_test(test_logins_of_all_forms_are_one),
		cmocka_unit_test(test_tags_are_known_by_name_and_number),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
