/*
 * What of LDAP needs no server: filters, whatever is in them, attributes, and what is wrong in
 * the settings.
 */
#include "store/ldap/filter.h"
#include "store/ldap/ldap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct arena *a;

static int start(void **state UNUSED)
{
	a = arena_new();
	return 0;
}

static int end(void **state UNUSED)
{
	arena_free(a);
	return 0;
}

static const char *escaped(struct str s)
{
	struct str r;
	struct buf b;

	buf_init(&b, BUF_MAX_LINE);
	filter_escape(&b, s);
	r = arena_str(a, buf_str(&b));
	buf_release(&b);
	return r.p;
}

/* RFC 4515, 3 */
static void test_values_are_never_obeyed(void **state UNUSED)
{
	char all[256];

	assert_string_equal(escaped(STR("Ann Meier-1@x.test")), "Ann Meier-1@x.test");
	assert_string_equal(escaped(STR("*()\\")), "\\2a\\28\\29\\5c");
	assert_string_equal(escaped(STR("a\0b")), "a\\00b");
	assert_string_equal(escaped(STR("M\xc3\xbcller")), "M\\c3\\bcller");
	assert_string_equal(escaped(STR("\n\x7f\xff")), "\\0a\\7f\\ff");
	assert_string_equal(escaped(STR("\\2a")), "\\5c2a");
	assert_string_equal(escaped(STR("")), "");
	for (size_t i = 0; i < sizeof(all); i++)
		all[i] = (char)i;
	for (const char *c = escaped((struct str){all, sizeof(all)}); *c; c++) {
		assert_true(*c >= ' ' && *c < 0x7f && *c != '*' && *c != '(' && *c != ')');
		if (*c == '\\') {
			assert_non_null(strchr("0123456789abcdef", c[1]));
			assert_non_null(strchr("0123456789abcdef", c[2]));
			c += 2;
		}
	}
}

static void test_logins_stand_in_filters(void **state UNUSED)
{
	static const struct {
		const char *template, *login, *want;
	} cases[] = {
		{"(|(mail=%u)(uid=%n))", "ann@x.test", "(|(mail=ann@x.test)(uid=ann))"},
		{"(&(uid=%n)(o=%d))",    "ann@x.test", "(&(uid=ann)(o=x.test))"       },
		{"(&(uid=%n)(o=%d))",    "ann",        "(&(uid=ann)(o=))"             },
		{"(uid=%u)",             "*)(uid=*",   "(uid=\\2a\\29\\28uid=\\2a)"   },
		{"(uid=%n)",             "\\@x",       "(uid=\\5c)"                   },
		{"(cn=100%%)",           "ann",        "(cn=100%)"                    },
		{"(cn=%x%)",             "ann",        "(cn=%x%)"                     },
		{"(cn=%",                "ann",        "(cn=%"                        },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_string_equal(
			filter_of_login(str_of(cases[i].template), str_of(cases[i].login), a).p,
			cases[i].want);
}

static struct str query(const char *text, enum directory_match match)
{
	struct attributes m;

	assert_int_equal(attributes_read(STR("DisplayName=cn FirstName=givenName Addresses=pa"),
				 a, &m, NULL),
		RC_OK);
	return filter_of_query(&m, STR("(mail=*)"), str_of(text), match, a);
}

static void test_queries_become_filters(void **state UNUSED)
{
	static const struct {
		const char *text;
		enum directory_match match;
		const char *want;
	} cases[] = {
		{"mei",     DIRECTORY_BEGINS,
                 "(&(mail=*)(|(cn=mei*)(givenName=mei*)(sn=mei*)(uid=mei*)(cn=* mei*)"
			"(mail=mei*)(pa=mei*)(pa=smtp:mei*)))"},
		{" a\tb ",  DIRECTORY_BEGINS,
                 "(&(mail=*)(|(cn=a*)(givenName=a*)(sn=a*)(uid=a*)(cn=* a*)(mail=a*)(pa=a*)"
			"(pa=smtp:a*))(|(cn=b*)(givenName=b*)(sn=b*)(uid=b*)(cn=* b*)(mail=b*)"
			"(pa=b*)(pa=smtp:b*)))"               },
		{" a (b) ", DIRECTORY_IS,
                 "(&(mail=*)(|(mail=a \\28b\\29)(pa=a \\28b\\29)(pa=smtp:a \\28b\\29)"
			"(uid=a \\28b\\29)(cn=a \\28b\\29)))" },
	};
	struct str many = {"", 0};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_string_equal(query(cases[i].text, cases[i].match).p, cases[i].want);
	/* Nobody can be meant. */
	assert_null(query("", DIRECTORY_BEGINS).p);
	assert_null(query(" \t", DIRECTORY_BEGINS).p);
	assert_null(query("", DIRECTORY_IS).p);
	for (unsigned i = 0; i < 17; i++)
		many = arena_printf(a, "%.*s x", STR_FMT(many));
	assert_null(query(many.p, DIRECTORY_BEGINS).p);
	assert_non_null(query(many.p + 2, DIRECTORY_BEGINS).p);
	many = arena_printf(a, "x%01024d", 0);
	assert_null(query(many.p, DIRECTORY_IS).p);
	assert_non_null(query(many.p + 1, DIRECTORY_IS).p);
}

static void test_filters_are_told_from_nonsense(void **state UNUSED)
{
	static const struct {
		const char *filter;
		bool sound;
	} cases[] = {
		{"(mail=*)",                        true },
		{"(&(objectClass=person)(mail=*))", true },
		{"(&(a=b)(|(c=d)(!(e>=f))))",       true },
		{"(1.2.3:=x)",                      true },
		{"",				false},
		{"mail=*",                          false},
		{"(mail=*",                         false},
		{"(mail=*))",                       false},
		{"(mail)",                          false},
		{"(=x)",			    false},
		{"(&)",			     false},
		{"(!(a=b)(c=d))",                   false},
		{"(&(a=b)c=d)",                     false},
		{"(a=(b=c))",                       false},
		{"(a=b)(c=d)",                      false},
	};
	struct str deep = STR("(a=b)");

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		if (filter_is_sound(str_of(cases[i].filter)) != cases[i].sound)
			fail_msg("%s", cases[i].filter);
	for (unsigned i = 0; i < 100; i++)
		deep = arena_printf(a, "(!%.*s)", STR_FMT(deep));
	assert_false(filter_is_sound(deep));
}

static void test_addresses_are_those_of_smtp(void **state UNUSED)
{
	static const struct {
		const char *value, *want;
	} cases[] = {
		{"ann@x.test",          "ann@x.test"},
		{"smtp:ann@x.test",     "ann@x.test"},
		{"SMTP:ann@x.test",     "ann@x.test"},
		{"X400:c=de;a= ;s=Ann", NULL        },
		{"X500:/o=x/cn=ann@x",  NULL        },
		{"sip:ann@x.test",      NULL        },
		{"c=de;a= ;s=Ann",      NULL        },
		{"ann",                 NULL        },
		{"@x.test",             NULL        },
		{"ann@",                NULL        },
		{"a@b@c",               NULL        },
		{"a b@c",               NULL        },
		{"<ann@x.test>",        NULL        },
		{"smtp:",               NULL        },
		{"",                    NULL        },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		if (!str_eq(attributes_smtp(str_of(cases[i].value)), str_of(cases[i].want)))
			fail_msg("%s", cases[i].value);
}

static void test_attributes_are_chosen(void **state UNUSED)
{
	const char *const *names;
	struct attributes m;

	assert_int_equal(attributes_read(STR(""), a, &m, NULL), RC_OK);
	assert_string_equal(m.v[PROPERTY_DISPLAY_NAME][0], "displayName");
	assert_string_equal(m.v[PROPERTY_DISPLAY_NAME][1], "cn");
	assert_null(m.v[PROPERTY_DISPLAY_NAME][2]);
	assert_string_equal(m.v[PROPERTY_CERTIFICATE][0], "userCertificate;binary");
	assert_int_equal(attributes_read(STR("  office=roomNumber,l   Picture=thumbnailPhoto"),
				 a, &m, NULL),
		RC_OK);
	assert_string_equal(m.v[PROPERTY_OFFICE][0], "roomNumber");
	assert_string_equal(m.v[PROPERTY_OFFICE][1], "l");
	assert_null(m.v[PROPERTY_OFFICE][2]);
	assert_string_equal(m.v[PROPERTY_PICTURE][0], "thumbnailPhoto");
	assert_null(m.v[PROPERTY_PICTURE][1]);
	names = attributes_names(&m, PROPERTY_PICTURE, PROPERTIES, a);
	assert_string_equal(names[0], "thumbnailPhoto");
	assert_string_equal(names[1], "userCertificate;binary");
	assert_null(names[2]);
}

/* D4: the start stops, and says where. */
static void test_wrong_settings_stop_the_start(void **state UNUSED)
{
	static const struct {
		const char *text, *said;
	} cases[] = {
		{"ldap_attributes = Colour=red\n",                          "no property \"Colour\""              },
		{"ldap_attributes = Office\n",                              "\"Office\" is not PROPERTY=ATTRIBUTE"},
		{"ldap_attributes = \"Office=\"\n",                         "is not PROPERTY=ATTRIBUTE"           },
		{"ldap_attributes = \"Office=room)(x\"\n",                  "no name of an attribute"             },
		{"ldap_attributes = \"Office=a,\"\n",                       "no name of an attribute"             },
		{"ldap_attributes = \"Office=a,a,a,a,a,a,a,a,a\"\n",        "more than 8"                         },
		{"ldap_filter = mail=*\n",                                  "ldap_filter"                         },
		{"ldap_self_filter = \"(uid=%u\"\n",                        "ldap_self_filter"                    },
		{"ldap_url = \"ldap.example.org\"\n",                       "ldap_url"                            },
		{"ldap_url = \"ldap://a.test http://b.test\"\n",            "ldap_url"                            },
		{"ldap_url = \"ldap://a.test ldaps://b.test ldapi:///\"\n", NULL                                  },
		{"",							NULL				  },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct settings conf;
		struct err err = ERR_INIT;

		assert_int_equal(
			settings_read(str_of(cases[i].text), "test", &conf, a, &err), RC_OK);
		assert_int_equal(ldap_check(&conf, &err), cases[i].said ? RC_INVALID : RC_OK);
		if (cases[i].said && !strstr(err.text, cases[i].said))
			fail_msg("%s: %s", cases[i].text, err.text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values_are_never_obeyed),
		cmocka_unit_test(test_logins_stand_in_filters),
		cmocka_unit_test(test_queries_become_filters),
		cmocka_unit_test(test_filters_are_told_from_nonsense),
		cmocka_unit_test(test_addresses_are_those_of_smtp),
		cmocka_unit_test(test_attributes_are_chosen),
		cmocka_unit_test(test_wrong_settings_stop_the_start),
	};

	return cmocka_run_group_tests(tests, start, end);
}
