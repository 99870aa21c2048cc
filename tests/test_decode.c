#include "core/map/decode.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void decodes(const char *encoding, const char *text, const char *want)
{
	struct arena *a = arena_new();
	struct str got = decode_bytes(str_of(text), str_of(encoding), a);

	assert_string_equal(arena_cstr(a, got), want);
	arena_free(a);
}

/* B19892, B20053: all transfer encodings, also when cut or dirty. */
static void test_encodings_are_undone(void **state UNUSED)
{
	static const struct {
		const char *encoding, *text, *want;
	} cases[] = {
		{"base64",           "aGVsbG8=",                         "hello" },
		{"BASE64",           "aGVs\r\nbG8=\r\n",                 "hello" },
		{"base64",           "aGVsbG",                           "hell"  },
		{"base64",           "a!G*V s?b#G8=",                    "hello" },
		{"quoted-printable", "gr=C3=BC=C3=9Fe",
                 "gr\xc3\xbc\xc3\x9f"
			"e"						      },
		{"quoted-printable", "a=\r\nb",                          "ab"    },
		{"quoted-printable", "a  \r\nb",                         "a\r\nb"},
		{"quoted-printable", "a=",                               "a"     },
		{"quoted-printable", "a=ZZb",                            "a=ZZb" },
		{"x-uuencode",       "begin 644 f\n%:&5L;&\\\n`\nend\n", "hello" },
		{"7bit",             "a=20b",                            "a=20b" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		decodes(cases[i].encoding, cases[i].text, cases[i].want);
}

static void test_spaces_of_uuencode_are_zeros(void **state UNUSED)
{
	static const char *const texts[] = {
		"text\nbegin 644 f\n#80  \n`\nend\n", "begin 644 f\r\n#80\r\n`\r\nend\r\n"};
	struct arena *a = arena_new();

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct str got = decode_bytes(str_of(texts[i]), STR("x-uuencode"), a);

		assert_int_equal(got.n, 3);
		assert_memory_equal(got.p, "a\0\0", 3);
	}
	arena_free(a);
}

static void test_many_short_lines_lose_nothing(void **state UNUSED)
{
	struct arena *a = arena_new();
	struct str got;
	struct buf b;

	buf_init(&b, BUF_MAX_TEXT);
	for (unsigned i = 0; i < 5000; i++)
		buf_adds(&b, "ab\n\n");
	got = decode_bytes(buf_str(&b), STR("quoted-printable"), a);
	assert_int_equal(got.n, 5000 * 6);
	buf_release(&b);
	arena_free(a);
}

/* C62: a window of the decoded bytes, whatever the pieces in which they come. */
static void test_a_window_is_cut_exactly(void **state UNUSED)
{
	static const char text[] = "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo=";
	static const char all[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

	for (size_t from = 0; from < 26; from++)
		for (size_t step = 1; step < 9; step += 3)
			for (uint64_t length = 1; length < 40; length += 7) {
				struct arena *a = arena_new();
				struct buf_sink out;
				struct sink *s;
				struct buf b;
				size_t want = length < 26 - from ? (size_t)length : 26 - from;

				buf_init(&b, BUF_MAX_LINE);
				buf_sink_init(&out, &b);
				s = decode_sink(a, STR("base64"), from, length, &out.sink);
				for (size_t i = 0; i < sizeof(text) - 1; i += step)
					assert_int_equal(
						sink_write(s, str_sub(str_of(text), i, step),
							NULL),
						RC_OK);
				assert_int_equal(decode_sink_end(s, NULL), RC_OK);
				assert_int_equal(decode_sink_total(s), 26);
				assert_int_equal(b.n, want);
				assert_memory_equal(b.p, all + from, want);
				buf_release(&b);
				arena_free(a);
			}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_encodings_are_undone),
		cmocka_unit_test(test_spaces_of_uuencode_are_zeros),
		cmocka_unit_test(test_many_short_lines_lose_nothing),
		cmocka_unit_test(test_a_window_is_cut_exactly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
