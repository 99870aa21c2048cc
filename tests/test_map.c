/*
 * Mail between the store and the device: header fields, charsets, HTML, ids, and what a phone
 * hands in to be sent.
 */
#include "core/base/utf8.h"
#include "core/map/charset.h"
#include "core/map/header.h"
#include "core/map/html.h"
#include "core/map/outgoing.h"
#include "core/map/server_id.h"

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

static void same(struct str got, const char *want, const char *what)
{
	if (!str_is(got, want))
		fail_msg("%s\ngives  \"%.*s\"\nwanted \"%s\"", what, STR_FMT(got), want);
}

/* B20052, B20372: RFC 2047 in all its uses and abuses, and plain 8-bit. */
static void test_header_texts_become_utf8(void **state UNUSED)
{
	static const struct {
		const char *raw, *want;
	} cases[] = {
		{"plain",			       "plain"							    },
		{"=?utf-8?Q?Gr=C3=BC=C3=9Fe?=",         "Gr\xc3\xbc\xc3\x9f"
						"e"                         },
		{"=?ISO-8859-1?q?Gr=FC=DFe?= and more", "Gr\xc3\xbc\xc3\x9f"
							"e and more"},
		{"=?utf-8?B?R3LDvMOfZQ==?=",            "Gr\xc3\xbc\xc3\x9f"
					     "e"                               },
		{"=?utf-8?Q?a?= =?utf-8?Q?b?=",         "ab"							       },
		{"=?utf-8?Q?a_b?=",                     "a b"							      },
		{"Gr\xfc\xdf"
		 "e",                  "Gr\xc3\xbc\xc3\x9f"
			"e"							  },
		{"Gr\xc3\xbc\xc3\x9f"
		 "e",                  "Gr\xc3\xbc\xc3\x9f"
			"e"							  },
		{"=?utf-8?Q?unfinished",                "=?utf-8?Q?unfinished"                                             },
		{"a & <b> \"c\"",                       "a & <b> \"c\""						    },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct str got = header_decode(str_of(cases[i].raw), a);

		same(got, cases[i].want, cases[i].raw);
		assert_true(utf8_is_clean(got));
	}
}

static void test_fields_are_found_and_unfolded(void **state UNUSED)
{
	struct str fields =
		STR("To: one@example.test,\r\n two@example.test\r\n"
		    "SUBJECT:no space\r\nSubject: second\r\nX:\r\nSubject-Line: other\r\n");

	same(header_raw(fields, "To", a), "one@example.test, two@example.test", "folded");
	same(header_raw(fields, "Subject", a), "no space", "the first of two");
	same(header_raw(fields, "X", a), "", "an empty one");
	assert_null(header_raw(fields, "Cc", a).p);
	assert_null(header_raw(fields, "Sub", a).p);
}

/* B20313: addresses in quotes, groups, and rubbish. */
static void test_addresses_of_all_kinds(void **state UNUSED)
{
	static const struct {
		const char *field, *want;
	} cases[] = {
		{"To: ann@example.test\r\n",                        "ann@example.test"               },
		{"To: Ann <ann@example.test>\r\n",                  "\"Ann\" <ann@example.test>"     },
		{"To: \"Doe, Ann\" <ann@example.test>\r\n",         "\"Doe, Ann\" <ann@example.test>"},
		{"To: \"ann@example.test\" <ann@example.test>\r\n", NULL                             },
		{"To: Team: a@x.test, b@x.test;, c@x.test\r\n",     "a@x.test, b@x.test, c@x.test"   },
		{"To: =?utf-8?Q?J=C3=B6rg?= <j@x.test>\r\n",        "\"J\xc3\xb6rg\" <j@x.test>"     },
		{"To: undisclosed-recipients:;\r\n",                ""                               },
		{"To: \r\n",					""			       },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct addresses list = header_addresses(str_of(cases[i].field), "To", a);
		struct str got = header_address_list(&list, 32768, a);

		if (cases[i].want)
			same(got, cases[i].want, cases[i].field);
		else
			assert_true(list.n == 1 && str_is(list.v[0].addr, "ann@example.test"));
	}
}

static void test_a_long_list_ends_between_addresses(void **state UNUSED)
{
	struct addresses list;
	struct str got;
	struct buf b;

	buf_init(&b, BUF_MAX_TEXT);
	buf_adds(&b, "To: a0@example.test");
	for (unsigned i = 1; i < 2000; i++)
		buf_addf(&b, ",\r\n \"Name %u\" <a%u@example.test>", i, i);
	buf_adds(&b, "\r\n");
	list = header_addresses(buf_str(&b), "To", a);
	assert_int_equal(list.n, 2000);
	got = header_address_list(&list, 1000, a);
	assert_true(got.n <= 1000 && got.n > 900);
	assert_int_equal(got.p[got.n - 1], '>');
	buf_release(&b);
}

static void test_topics_are_subjects_without_prefixes(void **state UNUSED)
{
	static const char *const cases[][2] = {
		{"Re: Fwd: AW: Hello",       "Hello"           },
                {"Hello",                    "Hello"           },
                {"RE:Hello",                 "Hello"           },
		{"Reply: Hello",             "Reply: Hello"    },
                {"Re: ",                     ""                },
		{"WG: SV: Hello: Re: there", "Hello: Re: there"}
        };

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		same(header_topic(str_of(cases[i][0])), cases[i][1], cases[i][0]);
}

static void test_every_charset_becomes_valid_utf8(void **state UNUSED)
{
	static const struct {
		const char *charset;
		struct str bytes;
		const char *want;
	} cases[] = {
		{"utf-8",         STR("\xc3\xbc"),        "\xc3\xbc"    },
		{"ISO-8859-1",    STR("\xfc"),            "\xc3\xbc"    },
		{"iso-8859-15",   STR("\xa4"),            "\xe2\x82\xac"},
		{"windows-1252",  STR("\x80"),            "\xe2\x82\xac"},
		{"koi8-r",        STR("\xf0"),            "\xd0\x9f"    },
		{"iso-2022-jp",   STR("\x1b$B$\"\x1b(B"), "\xe3\x81\x82"},
		{"gb18030",       STR("\xc4\xe3"),        "\xe4\xbd\xa0"},
		{"utf-16le",      STR("\xfc\x00"),        "\xc3\xbc"    },
		{"nonsense",      STR("\xfc"),            "\xc3\xbc"    },
		{"nonsense",      STR("\xc3\xbc"),        "\xc3\xbc"    },
		{"us-ascii",      STR("\xfc"),            "\xc3\xbc"    },
		{"",              STR("plain"),           "plain"       },
		{"utf-8//IGNORE", STR("\xc3\xbc"),        "\xc3\xbc"    },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		same(charset_to_utf8(cases[i].bytes, str_of(cases[i].charset), a),
			cases[i].want, cases[i].charset);
	for (unsigned c = 1; c < 256; c++) {
		char byte = (char)c;

		assert_true(utf8_is_clean(
			charset_to_utf8((struct str){&byte, 1}, STR("utf-8"), a)));
	}
}

/* B20138, B20442, K28, C112: readable, whatever the HTML. */
static void test_html_becomes_readable_text(void **state UNUSED)
{
	static const char *const cases[][2] = {
		{"<p>One</p><p>Two</p>",					    "One\r\n\r\nTwo"      },
		{"a<br>b<BR/>c",						    "a\r\nb\r\nc"         },
		{"<div>a</div><div>b</div>",                                        "a\r\nb"              },
		{"<style>p{}</style><script>x()</script>seen",                      "seen"                },
		{"a &amp; b &lt; c &#252; &nbsp;d",                                 "a & b < c \xc3\xbc  "
						    "d"},
		{"  much \n\t space  ",					     "much space"          },
		{"<p>unclosed <b>bold",					     "unclosed bold"       },
		{"<table><tr><td>1</td><td>2</td></tr><tr><td>3</td></tr></table>", "1 2\r\n3"            },
		{"<!-- hidden -->shown<![CDATA[x]]>",                               NULL                  },
		{"<",							       NULL                  },
		{"&#0;&#xD800;&#x1F600;",					   NULL                  },
		{"",								""                    },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct str got = html_to_text(str_of(cases[i][0]), 0, a);

		assert_true(utf8_is_clean(got));
		if (!cases[i][1])
			continue;
		got = str_trim(got);
		/* Cells are parted by white space of some kind. */
		if (str_search(str_of(cases[i][0]), STR("<td>")) < strlen(cases[i][0]))
			assert_true(str_starts(got, "1") &&
				    str_find(got, '2') < str_find(got, '3'));
		else
			same(got, cases[i][1], cases[i][0]);
	}
}

static void test_deep_and_large_html_is_bounded(void **state UNUSED)
{
	struct buf b;
	struct str got;

	buf_init(&b, BUF_MAX_TEXT);
	for (unsigned i = 0; i < 100000; i++)
		buf_adds(&b, "<div><blockquote>");
	buf_adds(&b, "deep");
	got = html_to_text(buf_str(&b), 0, a);
	assert_true(utf8_is_clean(got));
	buf_reset(&b);
	for (unsigned i = 0; i < 100000; i++)
		buf_adds(&b, "<p>word ");
	got = html_to_text(buf_str(&b), 1000, a);
	assert_true(got.n >= 500 && got.n < 3000);
	buf_release(&b);
}

static void test_cut_html_ends_between_things(void **state UNUSED)
{
	static const char html[] = "<p>Gr\xc3\xbc\xc3\x9f"
				   "e &amp; <a href=\"x\">link</a></p>";

	for (size_t n = 0; n <= sizeof(html); n++) {
		struct str cut = html_cut(str_of(html), n);
		size_t open = 0;

		assert_true(cut.n <= n && utf8_is_clean(cut));
		for (size_t i = 0; i < cut.n; i++)
			open += cut.p[i] == '<' ? 1 : cut.p[i] == '>' ? (size_t)-1 : 0;
		assert_int_equal(open, 0);
		if (str_find(cut, '&') < cut.n)
			assert_true(str_search(cut, STR("&amp;")) < cut.n);
	}
	same(html_cut(str_of(html), sizeof(html)), html, "enough room");
}

static void test_text_becomes_harmless_html(void **state UNUSED)
{
	struct str got = html_from_text(STR("a < b & c\r\n<script>alert(1)</script>"), a);

	assert_true(str_search(got, STR("<script>")) == got.n);
	assert_true(str_search(got, STR("a &lt; b &amp; c")) < got.n);
	same(str_trim(html_to_text(got, 0, a)), "a < b & c\r\n<script>alert(1)</script>",
		"there and back");
}

static void test_ids_are_read_as_they_were_written(void **state UNUSED)
{
	static const char *const bad[] = {"", ":", "5", "5:", "5:0", "5:x", ":7", "5:-1",
		"5:4294967296", "5:99999999999999999999",
		"1234567890123456789012345678901234567890123456789012345678901234:5"};
	struct str collection, section;
	uint32_t uid = 0;

	assert_int_equal(server_id_parse(server_id_format(a, STR("12"), UINT32_MAX),
				 &collection, &uid, &section),
		RC_OK);
	assert_true(str_is(collection, "12") && uid == UINT32_MAX && !section.p);
	assert_int_equal(
		server_id_parse(STR("12:5:1.2.MIME"), &collection, &uid, &section), RC_OK);
	assert_true(str_is(section, "1.2.MIME") && uid == 5);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (server_id_parse(str_of(bad[i]), &collection, &uid, &section) == RC_OK)
			fail_msg("\"%s\" is an id", bad[i]);
}

static struct str joined(const struct str *v, size_t n)
{
	struct buf b;
	struct str s;

	buf_init(&b, BUF_MAX_TEXT);
	for (size_t i = 0; i < n; i++)
		buf_add_str(&b, v[i]);
	s = arena_str(a, buf_str(&b));
	buf_release(&b);
	return s;
}

static bool contains(struct str s, const char *what)
{
	return str_search(s, str_of(what)) < s.n;
}

/* C44, C48, B20587: the sender is who is logged in, Bcc goes to nobody else, the body stays. */
static const struct outgoing_change as_ann = {
	.address = {"ann@example.test", 16}
};

static void test_a_mail_goes_out_as_it_should(void **state UNUSED)
{
	struct err err = ERR_INIT;
	struct outgoing out;
	struct str sent, kept;

	assert_int_equal(
		outgoing_read(
			STR("From: \"Ann\" <boss@example.test>\r\nTo: Bob <bob@x.test>,\r\n"
			    " carl@x.test\r\nCc: BOB@x.test\r\nBcc: dora@x.test,\r\n"
			    " emil@x.test\r\nReturn-Path: <x@y>\r\nSubject: S\r\n\r\n"
			    "Body\r\n.\r\nBcc: not a header\r\n"),
			&as_ann, a, &out, &err),
		RC_OK);
	assert_int_equal(out.nrecipients, 4);
	same(out.recipients[0], "bob@x.test", "the first recipient");
	same(out.recipients[3], "emil@x.test", "the last recipient");
	sent = joined(out.sent, out.nsent);
	kept = joined(out.kept, out.nkept);
	assert_true(contains(sent, "From: \"Ann\" <ann@example.test>\r\n"));
	assert_false(contains(sent, "boss@"));
	assert_false(contains(sent, "dora"));
	assert_false(contains(sent, "emil"));
	assert_false(contains(sent, "Return-Path"));
	assert_true(contains(kept, "Bcc: dora@x.test,\r\n emil@x.test\r\n"));
	assert_true(contains(sent, "\r\nDate: ") || str_starts(sent, "Date: "));
	assert_true(contains(sent, "Message-ID: <"));
	assert_true(contains(sent, "\r\n\r\nBody\r\n.\r\nBcc: not a header\r\n"));
	/* Both copies have one identity. */
	assert_true(
		str_eq(header_raw(sent, "Message-ID", a), header_raw(kept, "Message-ID", a)));
}

static void test_what_cannot_be_sent_says_why(void **state UNUSED)
{
	static const struct {
		const char *message;
		enum err_why why;
	} cases[] = {
		{"",					 ERR_BAD_MIME    },
		{"no header at all",                         ERR_BAD_MIME    },
		{"Subject: nobody\r\n\r\nBody",              ERR_NO_RECIPIENT},
		{"To: nobody\r\n\r\nBody",                   ERR_NO_RECIPIENT},
		{"To: undisclosed-recipients:;\r\n\r\nBody", ERR_NO_RECIPIENT},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err err = ERR_INIT;
		struct outgoing out;

		assert_int_equal(
			outgoing_read(str_of(cases[i].message), &as_ann, a, &out, &err),
			RC_INVALID);
		assert_int_equal(err.why, cases[i].why);
	}
}

/* clients.md: LF line ends, and a header that never ends. */
static void test_headers_of_all_line_ends(void **state UNUSED)
{
	struct err err = ERR_INIT;
	struct outgoing out;
	struct str sent;

	assert_int_equal(
		outgoing_read(STR("To: bob@x.test\nBcc: c@x.test\nSubject: S\n\nBody\n"),
			&as_ann, a, &out, &err),
		RC_OK);
	sent = joined(out.sent, out.nsent);
	assert_int_equal(out.nrecipients, 2);
	assert_false(contains(sent, "Bcc"));
	assert_true(contains(sent, "Subject: S\n"));
	assert_true(contains(sent, "\nBody\n"));
	assert_int_equal(outgoing_read(STR("To: bob@x.test\r\nSubject: only a header"), &as_ann,
				 a, &out, &err),
		RC_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_header_texts_become_utf8),
		cmocka_unit_test(test_fields_are_found_and_unfolded),
		cmocka_unit_test(test_addresses_of_all_kinds),
		cmocka_unit_test(test_a_long_list_ends_between_addresses),
		cmocka_unit_test(test_topics_are_subjects_without_prefixes),
		cmocka_unit_test(test_every_charset_becomes_valid_utf8),
		cmocka_unit_test(test_html_becomes_readable_text),
		cmocka_unit_test(test_deep_and_large_html_is_bounded),
		cmocka_unit_test(test_cut_html_ends_between_things),
		cmocka_unit_test(test_text_becomes_harmless_html),
		cmocka_unit_test(test_ids_are_read_as_they_were_written),
		cmocka_unit_test(test_a_mail_goes_out_as_it_should),
		cmocka_unit_test(test_what_cannot_be_sent_says_why),
		cmocka_unit_test(test_headers_of_all_line_ends),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
