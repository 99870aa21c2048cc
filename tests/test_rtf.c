/*
 * core/map/rtf: rich text to plain text, the examples of [MS-OXRTFCP] 4 and what phones write.
 * K24, C88
 */
#include "core/map/rtf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct arena *a;

#define BYTES(text) ((struct str){text, sizeof(text) - 1})

static void unpacks(struct str bytes, const char *want)
{
	struct str got;

	assert_int_equal(rtf_decompress(bytes, a, &got), RC_OK);
	if (!str_is(got, want))
		fail_msg("\"%.*s\", not \"%s\"", STR_FMT(got), want);
}

/* [MS-OXRTFCP] 4.1.1, 4.1.2 */
static void test_compressed_text_is_unpacked(void **state UNUSED)
{
	unpacks(BYTES("\x2d\0\0\0\x2b\0\0\0LZFu\xf1\xc5\xc7\xa7\x03\0\x0a\0rcpg125B2\x0a\xf3 hel"
		      "\x09\0 bw\x05\xb0ld}\x0a\x80\x0f\xa0"),
		"{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n");
	/* A reference that overtakes the place that is written to. */
	unpacks(BYTES("\x1a\0\0\0\x1c\0\0\0LZFu\xe2\xd4\x4bQA\0\x04 WXYZ\x0dn}\x01\x0e\xb0"),
		"{\\rtf1 WXYZWXYZWXYZWXYZWXYZ}");
	unpacks(BYTES("\x12\0\0\0\x06\0\0\0MELA\0\0\0\0{\\rtf1}"), "{\\rtf1");
}

static void test_what_is_not_compressed_is_refused(void **state UNUSED)
{
	struct str got;

	assert_int_equal(rtf_decompress(STR(""), a, &got), RC_INVALID);
	assert_int_equal(rtf_decompress(STR("{\\rtf1 hello and so on}"), a, &got), RC_INVALID);
	assert_int_equal(
		rtf_decompress(BYTES("\x12\0\0\0\xff\xff\xff\x7fLZFu\0\0\0\0"), a, &got),
		RC_LIMIT);
	/* It ends early: what there is. */
	unpacks(BYTES("\x12\0\0\0\xff\0\0\0LZFu\0\0\0\0\x01\x00"), "");
	unpacks(BYTES("\x12\0\0\0\xff\0\0\0LZFu\0\0\0\0\x00"
		      "abc"),
		"abc");
	unpacks(BYTES("\x12\0\0\0\xff\0\0\0MELA\0\0\0\0abc"), "abc");
}

static void test_text_is_what_is_shown(void **state UNUSED)
{
	static const struct {
		const char *rtf, *text;
	} cases[] = {
		{"{\\rtf1\\ansi hello\\par world}",                                        "hello\nworld"                                  },
		{"{\\rtf1 one\r\ntwo \\{\\}\\\\}",                                         "onetwo {}\\"                                   },
		{"{\\rtf1{\\fonttbl{\\f0\\fnil Arial;}}{\\colortbl;\\red0;}\\f0\\fs20 a}", "a"                                             },
		{"{\\rtf1{\\*\\generator x{y};}{\\info{\\author me}}a\\tab b\\line c}",
                 "a\tb\nc"														 },
		{"{\\rtf1\\ansicpg1252 Gr\\'fc\\'DFe \\'80}",                              "Gr\xc3\xbc\xc3\x9f"
							      "e \xe2\x82\xac"},
		{"{\\rtf1\\ansicpg1251 \\'cf\\'f0}",                                       "\xd0\x9f\xd1\x80"                              },
 /* Two bytes for one character. */
		{"{\\rtf1\\ansicpg932 \\'82\\'a0}",                                        "\xe3\x81\x82"                                  },
		{"{\\rtf1 \\u8364?\\u-10179?\\u-8704?!}",                                  "\xe2\x82\xac\xf0\x9f\x98\x80!"                 },
		{"{\\rtf1\\uc2 \\u8364\\'80\\'80x{\\uc0\\u65 b}\\u66  cd}",
                 "\xe2\x82\xacxAbBd"												       },
 /* Half a character of two. */
		{"{\\rtf1 \\u-10179?a}",						   "a"					     },
		{"{\\rtf1 a{\\v hidden\\v0  shown}{\\v b}c\\~d\\_e\\emdash f}",
                 "a shownc\xc2\xa0"
			"d-e\xe2\x80\x94"
			"f"														},
		{"{\\rtf1 a{\\pict\\bin3 }}}x}b}",                                         "ab"                                            },
		{"{\\rtf1\\bin-1 a\\bin999999999999 b}",                                   "a"                                             },
		{"{\\rtf1 a{b{c",							  "abc"					   },
		{"{\\rtf1 a}}}}b\\",						       "ab"					    },
		{"{\\rtf1\\u99999999999999999999? \\'zza}",                                "\xee\x9f\xbf a"                                },
 /* What is RTF inside of which there is HTML ([MS-OXRTFEX]). */
		{"{\\rtf1\\ansi\\fromhtml1{\\*\\htmltag19 <html>}\\htmlrtf \\par\\htmlrtf0 text"
		 "{\\*\\htmltag84 <br>}\\htmlrtf \\line\\htmlrtf0 more}", "textmore"				      },
	};
	char deep[1024] = "{\\rtf1 a";
	struct str got;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_int_equal(rtf_to_text(str_of(cases[i].rtf), a, &got), RC_OK);
		if (!str_is(got, cases[i].text))
			fail_msg("%s: \"%.*s\"", cases[i].rtf, STR_FMT(got));
	}
	/* What is in groups beyond all reason is left out, and what comes after them is not. */
	memset(deep + 8, '{', 300);
	deep[308] = 'x';
	memset(deep + 309, '}', 300);
	deep[609] = 'b';
	assert_int_equal(rtf_to_text(str_of(deep), a, &got), RC_OK);
	assert_true(str_is(got, "ab"));
	assert_int_equal(rtf_to_text(STR("hello"), a, &got), RC_INVALID);
	assert_int_equal(rtf_to_text(STR(""), a, &got), RC_INVALID);
}

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_compressed_text_is_unpacked),
		cmocka_unit_test(test_what_is_not_compressed_is_refused),
		cmocka_unit_test(test_text_is_what_is_shown),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
