/*
 * IMAP responses as values: RFC 3501 section 9, and what no mail should look like.
 */
#include "core/base/buf.h"
#include "core/base/utf7.h"
#include "core/base/utf8.h"
#include "store/imap/parser.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct arena *arena;

static struct imap_value *parsed(const char *text)
{
	struct err err = ERR_INIT;
	struct imap_value *v = NULL;

	if (imap_parse(str_of(text), arena, &v, &err))
		fail_msg("%.60s: %s", text, err.text);
	return v;
}

static void test_values_of_every_kind(void **state UNUSED)
{
	struct imap_value *v;

	arena = arena_new();
	v = parsed("12 FETCH (UID 7 FLAGS (\\Seen $x) BODY[HEADER.FIELDS (To)] {5}\r\na(b\"c X "
		   "\"q\\\"uoted\" Y NIL)");
	assert_true(imap_is(imap_at(v, 1), "fetch"));
	v = imap_at(v, 2)->child;
	assert_true(str_is(imap_text(imap_at(v, 1)), "7"));
	assert_true(str_is(imap_text(imap_at(v, 3)->child), "\\Seen"));
	assert_true(str_is(imap_text(imap_at(v, 4)), "BODY[HEADER.FIELDS (To)]"));
	assert_true(str_is(imap_text(imap_at(v, 5)), "a(b\"c"));
	assert_true(str_is(imap_text(imap_at(v, 7)), "q\"uoted"));
	assert_int_equal(imap_at(v, 9)->kind, IMAP_NIL);
	assert_null(imap_at(v, 10));
	arena_free(arena);
}

static void test_nonsense_is_refused(void **state UNUSED)
{
	static const char *const bad[] = {"1 FETCH (UID", "1 FETCH )", "X \"open",
		"X {9}\r\nshort", "X {99999999999999999999}\r\n", "1 FETCH (((((("};

	arena = arena_new();
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct err err = ERR_INIT;
		struct imap_value *v;

		if (imap_parse(str_of(bad[i]), arena, &v, &err) != RC_INVALID)
			fail_msg("%s was read", bad[i]);
	}
	arena_free(arena);
}

/* `n` times a text, then a tail; what stands behind the structure must be read nevertheless. */
static void absurd(const char *open, const char *close, unsigned n)
{
	struct imap_value *v;
	struct buf b;

	arena = arena_new();
	buf_init(&b, 4 * (size_t)BUF_MAX_TEXT);
	buf_adds(&b, "1 FETCH (BODYSTRUCTURE (");
	for (unsigned i = 0; i < n; i++)
		buf_adds(&b, open);
	for (unsigned i = 0; i < n; i++)
		buf_adds(&b, close);
	buf_adds(&b, ") FLAGS (\\Seen \\Flagged) UID 7)");
	v = imap_at(parsed(buf_str(&b).p), 2)->child;
	assert_int_equal(imap_at(v, 1)->kind, IMAP_LIST);
	assert_true(str_is(imap_text(imap_at(v, 3)->child), "\\Seen"));
	assert_true(str_is(imap_text(imap_at(v, 5)), "7"));
	buf_release(&b);
	arena_free(arena);
}

static void test_a_mail_of_absurd_structure_hides_nothing_else(void **state UNUSED)
{
	absurd("((\"text\" \"plain\" (\"a\" \")\") NIL) ", ")", 5000);
	absurd("(\"text\" \"plain\" (\"charset\" \"x\") NIL NIL \"7bit\" 1 1 NIL NIL NIL NIL)",
		"", 200000);
}

/* RFC 3501 5.1.3, and names that only look like it. */
static void test_mailbox_names_travel_in_modified_utf7(void **state UNUSED)
{
	static const char *const pairs[][2] = {
		{"INBOX",                    "INBOX"       },
                {"R&D",                      "R&-D"        },
                {"Entw\xc3\xbcrfe",          "Entw&APw-rfe"},
		{"\xe5\x8f\xb0\xe5\x8c\x97", "&U,BTFw-"    },
                {"\xf0\x9f\x98\x80",         "&2D3eAA-"    },
		{"a/b c",                    "a/b c"       }
        };
	static const char *const odd[] = {"A & B", "&", "&nonsense", "&!!-", "&2D0-", "\xff"};

	arena = arena_new();
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		struct str there = utf7_encode(str_of(pairs[i][0]), arena);

		assert_true(str_is(there, pairs[i][1]));
		assert_true(str_is(utf7_decode(there, arena), pairs[i][0]));
	}
	for (size_t i = 0; i < ARRAY_LEN(odd); i++)
		assert_true(utf8_is_clean(utf7_decode(str_of(odd[i]), arena)));
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values_of_every_kind),
		cmocka_unit_test(test_nonsense_is_refused),
		cmocka_unit_test(test_a_mail_of_absurd_structure_hides_nothing_else),
		cmocka_unit_test(test_mailbox_names_travel_in_modified_utf7),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
