/*
 * The small things that everything stands on: slices, buffers, arenas, numbers, dates, text.
 */
#include "core/base/arena.h"
#include "core/base/base64.h"
#include "core/base/clock.h"
#include "core/base/conf.h"
#include "core/base/crlf.h"
#include "core/base/utf8.h"
#include "core/base/varint.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
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

static void test_slices_are_read_within_their_bounds(void **state UNUSED)
{
	struct str s = STR("  Hello, World \r\n"), field, rest = STR("a,,b");
	uint64_t n = 7;
	uint32_t m = 7;

	assert_true(str_is(str_trim(s), "Hello, World"));
	assert_true(str_is(str_sub(s, 2, 5), "Hello"));
	assert_int_equal(str_sub(s, 99, 5).n, 0);
	assert_int_equal(str_search(s, STR("World")), 9);
	assert_int_equal(str_isearch(s, STR("wORLD")), 9);
	assert_int_equal(str_search(s, STR("world")), s.n);
	assert_true(str_istarts(STR("SUBJECT: x"), "Subject:"));
	assert_false(str_starts(STR("Sub"), "Subject"));
	assert_true(str_cmp(STR("ab"), STR("abc")) < 0 && str_cmp(STR("b"), STR("abc")) > 0);
	assert_true(str_next(&rest, ',', &field) && str_is(field, "a"));
	assert_true(str_next(&rest, ',', &field) && str_is(field, ""));
	assert_true(str_next(&rest, ',', &field) && str_is(field, "b"));
	assert_false(str_next(&rest, ',', &field));
	assert_true(str_u64(STR("18446744073709551615"), &n) && n == UINT64_MAX);
	assert_false(str_u64(STR("18446744073709551616"), &n));
	assert_false(str_u64(STR("-1"), &n));
	assert_false(str_u64(STR(""), &n));
	assert_false(str_u32(STR("4294967296"), &m));
	assert_true(str_u32(STR("4294967295"), &m) && m == UINT32_MAX);
	assert_true(str_of(NULL).p == NULL);
}

static void test_a_buffer_never_grows_past_its_ceiling(void **state UNUSED)
{
	struct buf b;

	buf_init(&b, 10);
	buf_adds(&b, "12345");
	buf_adds(&b, "123456");
	assert_true(b.over);
	assert_true(b.n <= 10);
	buf_reset(&b);
	assert_false(b.over);
	buf_addf(&b, "%d-%s", 12, "abc");
	assert_true(str_is(buf_str(&b), "12-abc"));
	assert_null(buf_room(&b, 11));
	assert_true(b.over);
	buf_release(&b);
}

static unsigned released;

static void release(void *p)
{
	released = released * 10 + *(unsigned *)p;
}

static void test_an_arena_gives_back_what_it_is_rewound_past(void **state UNUSED)
{
	static unsigned one = 1, two = 2, three = 3;
	struct arena_mark mark;
	size_t used;

	released = 0;
	arena_defer(a, release, &one);
	used = arena_used(a);
	mark = arena_mark(a);
	for (unsigned i = 0; i < 1000; i++)
		memset(arena_alloc(a, 999), 'x', 999);
	arena_defer(a, release, &two);
	arena_defer(a, release, &three);
	arena_rewind(a, mark);
	/* Last first. */
	assert_int_equal(released, 32);
	assert_int_equal(arena_used(a), used);
	assert_int_equal((uintptr_t)arena_alloc(a, 1) % 16, 0);
	assert_int_equal(arena_printf(a, "%s", "text").p[4], '\0');
}

static void test_base64_is_strict(void **state UNUSED)
{
	static const struct {
		const char *text, *bytes;
	} cases[] = {
		{"",       ""        },
		{"Zg==",   "f"       },
		{"Zm8=",   "fo"      },
		{"Zm8",    "fo"      },
		{"Zm9v",   "foo"     },
		{"_-8=",   "\xff\xef"},
		{"/+8=",   "\xff\xef"},
		{"Z",      NULL      },
		{"Zm9v\n", NULL      },
		{"Zm=v",   NULL      },
		{"Zm9v!",  NULL      },
	};
	struct str bytes;
	struct buf b;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		enum rc rc = base64_decode(str_of(cases[i].text), a, &bytes);

		if (rc != (cases[i].bytes ? RC_OK : RC_INVALID) ||
			(cases[i].bytes && !str_is(bytes, cases[i].bytes)))
			fail_msg("\"%s\"", cases[i].text);
	}
	buf_init(&b, 100);
	base64_encode(STR("fo"), &b);
	assert_true(str_is(buf_str(&b), "Zm8="));
	buf_release(&b);
}

static void test_dates_are_read_and_written_in_both_forms(void **state UNUSED)
{
	static const struct {
		const char *text;
		int64_t seconds; /* -1: refused */
	} cases[] = {
		{"2000-12-25T08:35:00.000Z", 977733300 },
		{"2000-12-25T08:35:00Z",     977733300 },
		{"20001225T083500Z",         977733300 },
		{"1970-01-01T00:00:00.000Z", 0         },
		{"2024-02-29T23:59:59.999Z", 1709251199},
		{"2023-02-29T00:00:00.000Z", -1        },
		{"2000-13-01T00:00:00.000Z", -1        },
		{"2000-12-25T25:00:00.000Z", -1        },
		{"2000-12-25",               -1        },
		{"yesterday",                -1        },
		{"",			 -1        },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		int64_t t = -1;

		if ((clock_parse(str_of(cases[i].text), &t) == RC_OK) !=
				(cases[i].seconds >= 0) ||
			(cases[i].seconds >= 0 && t != cases[i].seconds))
			fail_msg("%s gives %lld", cases[i].text, (long long)t);
	}
	assert_true(str_is(clock_dashed(a, 977733300), "2000-12-25T08:35:00.000Z"));
	assert_true(str_is(clock_compact(a, 977733300), "20001225T083500Z"));
	for (int64_t day = -800000; day < 800000; day += 373) {
		unsigned month, dom;
		int year;

		clock_civil(day, &year, &month, &dom);
		assert_int_equal(clock_days(year, month, dom), day);
	}
}

/* B20442, K24: whatever text came in, valid XML 1.0 text goes out. */
static void test_text_is_cleaned(void **state UNUSED)
{
	static const struct {
		struct str in;
		const char *out;
	} cases[] = {
		{STR("plain"),              "plain"           },
		{STR("gr\xc3\xbc\xc3\x9f"
		     "e"),
                 "gr\xc3\xbc\xc3\x9f"
			"e"				   },
		{STR("a\0b"),               "ab"              },
		{STR("a\x01\x08\x0b\x1f"
		     "b"),
                 "ab"					 },
		{STR("a\tb\r\nc"),          "a\tb\r\nc"       },
		{STR("a\xff"
		     "b"),
                 "a\xef\xbf\xbd"
			"b"				   },
		{STR("a\xc3"),              "a\xef\xbf\xbd"   },
		{STR("\xed\xa0\x80"),       NULL              },
		{STR("\xef\xbf\xbf|"),      "|"               },
		{STR("\xf0\x9f\x98\x80"),   "\xf0\x9f\x98\x80"},
		{STR("\xc0\xaf"),           NULL              },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct str out = utf8_cleaned(cases[i].in, a);

		assert_true(utf8_is_clean(out));
		if (cases[i].out && !str_is(out, cases[i].out))
			fail_msg("case %zu: %.*s", i, STR_FMT(out));
	}
	assert_true(str_is(utf8_cut(STR("a\xc3\xbc"), 2), "a"));
	assert_true(str_is(utf8_cut(STR("a\xc3\xbc"), 3), "a\xc3\xbc"));
	assert_true(str_is(utf8_cut_chars(STR("\xc3\xbc\xc3\xbc"), 1), "\xc3\xbc"));
	assert_int_equal(utf8_chars(STR("\xf0\x9f\x98\x80\xc3\xbcx")), 3);
}

static void test_varints_survive_and_end(void **state UNUSED)
{
	static const uint64_t numbers[] = {
		0, 1, 127, 128, 16383, 16384, UINT32_MAX, UINT64_MAX};
	struct str in, text;
	uint64_t n;
	struct buf b;

	buf_init(&b, 1000);
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
		varint_put(&b, numbers[i]);
	varint_put_str(&b, STR("text"));
	in = buf_str(&b);
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		assert_int_equal(varint_get(&in, &n), RC_OK);
		assert_true(n == numbers[i]);
	}
	assert_int_equal(varint_get_str(&in, &text), RC_OK);
	assert_true(str_is(text, "text"));
	assert_int_equal(varint_get(&in, &n), RC_INVALID);
	/* Cut anywhere: never past the end. */
	for (size_t cut = 0; cut < b.n; cut++) {
		in = str_sub(buf_str(&b), 0, cut);
		while (varint_get(&in, &n) == RC_OK)
			continue;
		in = str_sub(buf_str(&b), b.n - 5, cut % 5);
		assert_int_equal(varint_get_str(&in, &text), RC_INVALID);
	}
	in = STR("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01");
	assert_int_equal(varint_get(&in, &n), RC_INVALID);
	buf_release(&b);
}

static void test_lines_end_in_crlf_whatever_they_were(void **state UNUSED)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{"a\nb\n",     "a\r\nb\r\n"},
		{"a\r\nb\r\n", "a\r\nb\r\n"},
		{"\n\n",       "\r\n\r\n"  },
		{"a",          "a"         },
		{"",           ""          },
		{"a\r\n\nb",   "a\r\n\r\nb"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct str part = str_of(cases[i].in);
		struct slice_source slices;
		struct crlf_source lines;
		struct err err = ERR_INIT;
		struct buf_sink sink;
		struct buf b;

		slice_source_init(&slices, &part, 1);
		assert_int_equal(crlf_source_open(&lines, &slices.source, &err), RC_OK);
		buf_init(&b, 1000);
		buf_sink_init(&sink, &b);
		/* Twice: it can be read again from the start. */
		for (int again = 0; again < 2; again++) {
			buf_reset(&b);
			assert_int_equal(stream_copy(&lines.source, &sink.sink, &err), RC_OK);
			assert_int_equal(b.n, lines.source.size);
			assert_true(str_is(buf_str(&b), cases[i].out));
			assert_int_equal(lines.source.rewind(&lines.source, &err), RC_OK);
		}
		buf_release(&b);
	}
}

struct sample {
	struct str text;
	int64_t seconds, bytes, number;
	bool flag;
	int choice;
};

static const struct conf_row rows[] = {
	{"text",    CONF_TEXT,    "none", 0, 0,       NULL,      "A text.",    offsetof(struct sample, text)   },
	{"seconds", CONF_SECONDS, "5m",   1, 86400,   NULL,      "A time.",
         offsetof(struct sample,								       seconds)},
	{"bytes",   CONF_BYTES,   "64k",  1, 1 << 30, NULL,      "A size.",
         offsetof(struct sample,								       bytes)  },
	{"number",  CONF_NUMBER,  "4",    0, 10,      NULL,      "A number.",  offsetof(struct sample, number) },
	{"flag",    CONF_BOOL,    "yes",  0, 0,       NULL,      "Yes or no.", offsetof(struct sample, flag)   },
	{"choice",  CONF_CHOICE,  "one",  0, 0,       "one|two", "A word.",
         offsetof(struct sample,								       choice) },
};

static enum rc read_conf(const char *text, struct sample *s, struct err *err)
{
	err_clear(err);
	return conf_read(
		rows, ARRAY_LEN(rows), arena_str(a, str_of(text)), "test.conf", s, a, err);
}

static void test_settings_are_checked_line_by_line(void **state UNUSED)
{
	static const struct {
		const char *text, *error; /* NULL: accepted */
	} cases[] = {
		{"number = 7\n# comment\n\nflag=no\n", NULL         },
		{"number = 11",                        "test.conf:1"},
		{"number = x",                         "test.conf:1"},
		{"\nnumbr = 7",                        "test.conf:2"},
		{"number = 7\nnumber = 8",             "test.conf:2"},
		{"seconds = 0",                        "test.conf:1"},
		{"choice = three",                     "test.conf:1"},
		{"flag = perhaps",                     "test.conf:1"},
		{"just words",                         "test.conf:1"},
	};
	struct err err = ERR_INIT;
	struct sample s;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		enum rc rc = read_conf(cases[i].text, &s, &err);

		if ((rc == RC_OK) != !cases[i].error ||
			(cases[i].error && !strstr(err.text, cases[i].error)))
			fail_msg("\"%s\": %s", cases[i].text, err.text);
	}
	assert_int_equal(read_conf("", &s, &err), RC_OK);
	assert_true(str_is(s.text, "none") && s.seconds == 300 && s.bytes == 65536);
	assert_true(s.number == 4 && s.flag && s.choice == 0);
	assert_int_equal(
		read_conf("text = \"two words\"\nseconds = 2h\nbytes = 3M\nchoice = two", &s,
			&err),
		RC_OK);
	assert_true(str_is(s.text, "two words") && s.seconds == 7200 && s.bytes == 3 << 20);
	assert_int_equal(s.choice, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_slices_are_read_within_their_bounds),
		cmocka_unit_test(test_a_buffer_never_grows_past_its_ceiling),
		cmocka_unit_test(test_an_arena_gives_back_what_it_is_rewound_past),
		cmocka_unit_test(test_base64_is_strict),
		cmocka_unit_test(test_dates_are_read_and_written_in_both_forms),
		cmocka_unit_test(test_text_is_cleaned),
		cmocka_unit_test(test_varints_survive_and_end),
		cmocka_unit_test(test_lines_end_in_crlf_whatever_they_were),
		cmocka_unit_test(test_settings_are_checked_line_by_line),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
