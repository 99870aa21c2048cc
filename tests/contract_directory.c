#include "tests/contract_directory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct arena *a;
static struct err err;

static struct people find(struct directory *d, const struct directory_query *q)
{
	struct people r;
	enum rc rc = directory_call(d, search, q, a, &r, &err);

	if (rc)
		fail_msg("%.*s: %s: %s", STR_FMT(q->text), rc_name(rc), err.text);
	assert_true(r.total >= r.n && r.n <= q->count);
	for (size_t i = 0; i < r.n; i++)
		assert_true(r.v[i].display_name.n > 0);
	return r;
}

static struct people by(struct directory *d, const char *text, enum directory_match match)
{
	return find(d,
		&(struct directory_query){.text = str_of(text), .match = match, .count = 50});
}

/* want: the aliases, in their order, with spaces between. */
static void finds(
	struct directory *d, const char *text, enum directory_match match, const char *want)
{
	struct people r = by(d, text, match);
	struct str list = {"", 0};

	for (size_t i = 0; i < r.n; i++)
		list = arena_printf(
			a, "%.*s%s%.*s", STR_FMT(list), i ? " " : "", STR_FMT(r.v[i].alias));
	if (!str_is(list, want))
		fail_msg("\"%s\" finds \"%.*s\", not \"%s\"", text, STR_FMT(list), want);
	assert_int_equal(r.total, r.n);
}

/* S5 */
static void parts_of_names_are_found(struct directory *d)
{
	static const struct {
		const char *text, *aliases;
	} cases[] = {
		{"mei",                "ann.meier ann.meier2"                    },
		{"MEIER",              "ann.meier ann.meier2"                    },
		{"ann mei",            "ann.meier ann.meier2"                    },
		{"meier  ann",         "ann.meier ann.meier2"                    },
		{"ann",                "ann.meier ann.meier2 anna.mueller annika"},
		{"eier",               ""					},
		{"ann nobody",         ""					},
		{"m\xc3\xbcl",         "anna.mueller"                            },
		{"M\xc3\x9cLLER",      "anna.mueller"                            },
		{"\xc3\x84nne",        "aenne"                                   },
		{"\xc3\xb6zd",         "aenne"                                   },
		{"\xd0\x98\xd0\xb2",   "ivan"                                    },
		{"\xe5\xb1\xb1",       "hana"                                    },
		{"cher",               "cher"				    },
		{"vega",               "long.name"                               },
		{"carmen",             "long.name"                               },
		{"maria vega",         "long.name"                               },
		{"cert.t",             "cert.two"                                },
		{"anna@oth",           "anna.mueller"                            },
		{"amu@",               "anna.mueller"                            },
		{"petra.old",          "proxy"                                   },
		{"bild",               "carla karl paul"                         },
 /* What means something in a filter means nothing here. */
		{"*",                  ""					},
		{"a*",                 ""					},
		{"stern*",             "bob.stern"                               },
		{"(bob)",              "bob.stern"                               },
		{"(bob",               "bob.stern"                               },
		{"back\\",             "slash"				   },
		{"\\2a",               ""					},
		{")(uid=*",            ""					},
		{"*)(uid=*))(|(uid=*", ""                                        },
		{"\xff\xfe",           ""					},
 /* Nothing is not everything. */
		{"",                   ""					},
		{"  ",                 ""					},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		finds(d, cases[i].text, DIRECTORY_BEGINS, cases[i].aliases);
	assert_int_equal(
		find(d, &(struct directory_query){.text = STR("ann\0x"), .count = 5}).n, 0);
}

static void the_whole_is_found(struct directory *d)
{
	static const struct {
		const char *text, *aliases;
	} cases[] = {
		{"ann.meier@example.test", "ann.meier"           },
		{"ANN.MEIER@example.TEST", "ann.meier"           },
		{"ann meier",              "ann.meier ann.meier2"},
		{"anna m\xc3\xbcller",     "anna.mueller"        },
		{"anna@other.test",        "anna.mueller"        },
		{"petra.old@example.test", "proxy"               },
		{"annika",                 "annika"              },
		{"ann",                    ""                    },
		{"meier",                  ""                    },
		{"nobody@example.test",    ""                    },
		{"*",		      ""                    },
		{"robert (bob) stern*",    "bob.stern"           },
		{"",		       ""                    },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		finds(d, cases[i].text, DIRECTORY_IS, cases[i].aliases);
}

static void matches_are_sorted_and_cut(struct directory *d)
{
	struct directory_query q = {.text = STR("b"), .count = 2};
	struct people r = find(d, &q);

	/* Back, Carla Bild, Karl Bild, Paul Bild, bob.stern by his alias */
	assert_int_equal(r.total, 5);
	assert_int_equal(r.n, 2);
	assert_true(str_is(r.v[0].alias, "slash"));
	assert_true(str_is(r.v[1].alias, "carla"));
	q.first = 2;
	q.count = 100;
	r = find(d, &q);
	assert_int_equal(r.total, 5);
	assert_int_equal(r.n, 3);
	assert_true(str_is(r.v[0].alias, "karl"));
	assert_true(str_is(r.v[2].alias, "bob.stern"));
	q.first = 5;
	r = find(d, &q);
	assert_int_equal(r.total, 5);
	assert_int_equal(r.n, 0);
	q.first = q.count = 0;
	r = find(d, &q);
	assert_int_equal(r.total, 5);
	assert_int_equal(r.n, 0);
	/* Small letters are no reason to come last, nor are accents. */
	finds(d, "z", DIRECTORY_BEGINS, "emil zebra cert.two");
}

static void texts_are_complete_and_clean(struct directory *d)
{
	struct people r = by(d, "anna.mueller", DIRECTORY_IS);
	const struct person *p = r.v;

	assert_int_equal(r.n, 1);
	assert_true(str_is(p->display_name, "Anna M\xc3\xbcller"));
	assert_true(str_is(p->first_name, "Anna"));
	assert_true(str_is(p->last_name, "M\xc3\xbcller"));
	assert_true(str_is(p->email, "anna.mueller@example.test"));
	assert_true(str_is(p->phone, "+49 7121 100"));
	assert_true(str_is(p->home_phone, "+49 7121 200"));
	assert_true(str_is(p->mobile_phone, "+49 170 300"));
	assert_true(str_is(p->office, "B 12"));
	assert_true(str_is(p->title, "Head of Sales"));
	assert_true(str_is(p->company, "Example Ltd"));
	assert_int_equal(p->naddresses, 3);
	assert_true(str_eq(p->addresses[0], p->email));
	assert_null(p->picture.p);
	assert_int_equal(p->ncertificates, 0);
	r = by(d, "cher", DIRECTORY_IS);
	assert_null(r.v[0].first_name.p);
	assert_null(r.v[0].phone.p);
	r = by(d, "odd", DIRECTORY_IS);
	assert_true(str_starts(r.v[0].title, "Head of "));
	for (size_t i = 0; i < r.v[0].title.n; i++)
		assert_true((unsigned char)r.v[0].title.p[i] >= 0x20);
	/* SMTP addresses, the main one first; others are none of ours. */
	r = by(d, "proxy", DIRECTORY_IS);
	assert_int_equal(r.v[0].naddresses, 2);
	assert_true(str_is(r.v[0].addresses[0], "petra@example.test"));
	assert_true(str_is(r.v[0].addresses[1], "petra.old@example.test"));
	r = by(d, "xaver", DIRECTORY_IS);
	assert_int_equal(r.n, 1);
	assert_int_equal(r.v[0].naddresses, 0);
	assert_null(r.v[0].email.p);
}

/* Who has an X.400 address alone has none. */
static void people_without_an_address_can_be_left_out(struct directory *d)
{
	struct directory_query q = {
		.text = STR("xaver"), .match = DIRECTORY_IS, .count = 9, .addressed = true};

	assert_int_equal(find(d, &q).total, 0);
	q.addressed = false;
	assert_int_equal(find(d, &q).total, 1);
	q = (struct directory_query){
		.text = STR("cher"), .match = DIRECTORY_IS, .count = 9, .addressed = true};
	assert_int_equal(find(d, &q).total, 1);
}

static void pictures_and_certificates_come_when_asked_for(struct directory *d)
{
	struct directory_query q = {.text = STR("bild"), .count = 10, .pictures = true};
	struct people r = find(d, &q);

	assert_int_equal(r.n, 3);
	assert_memory_equal(r.v[0].picture.p, "\xff\xd8\xff", 3);
	assert_null(r.v[1].picture.p);
	assert_memory_equal(r.v[2].picture.p, "\x89PNG", 4);
	q.first = 1;
	r = find(d, &q);
	assert_null(r.v[0].picture.p);
	assert_memory_equal(r.v[1].picture.p, "\x89PNG", 4);
	q = (struct directory_query){.text = STR("zoe@example.test"),
		.match = DIRECTORY_IS,
		.count = 10,
		.certificates = true};
	r = find(d, &q);
	assert_int_equal(r.v[0].ncertificates, 2);
	assert_memory_equal(r.v[0].certificates[0].p, "\x30\x82", 2);
	assert_null(r.v[0].picture.p);
	q.text = STR("anna.mueller");
	q.pictures = true;
	r = find(d, &q);
	assert_int_equal(r.v[0].ncertificates, 1);
	assert_memory_equal(r.v[0].picture.p, "\xff\xd8\xff", 3);
}

static void users_are_found_by_their_login(struct directory *d)
{
	struct person p;

	assert_int_equal(
		directory_call(d, self, STR("ann.meier2@example.test"), a, &p, &err), RC_OK);
	assert_true(str_is(p.alias, "ann.meier2"));
	assert_true(str_is(p.email, "ann.meier2@example.test"));
	assert_int_equal(
		directory_call(d, self, STR("*@example.test"), a, &p, &err), RC_ABSENT);
	assert_int_equal(
		directory_call(d, self, STR("nobody@example.test"), a, &p, &err), RC_ABSENT);
	assert_int_equal(directory_call(d, self, STR("x)(uid=*"), a, &p, &err), RC_ABSENT);
}

void contract_directory(struct directory *d)
{
	a = arena_new();
	parts_of_names_are_found(d);
	the_whole_is_found(d);
	matches_are_sorted_and_cut(d);
	texts_are_complete_and_clean(d);
	people_without_an_address_can_be_left_out(d);
	pictures_and_certificates_come_when_asked_for(d);
	users_are_found_by_their_login(d);
	arena_free(a);
}
