/*
 * ResolveRecipients: C74, C76, C77 and the Status values of [MS-ASCMD] 2.2.3.177.12.
 */
#include "core/base/base64.h"
#include "core/base/clock.h"
#include "tests/fake_certs.h"
#include "tests/fake_directory.h"
#include "tests/support_eas.h"
#include "tests/support_story.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct eas e;
static struct phone p;
static struct arena *a;
static struct fake_directory *book;
static struct fake_certs *certs;

static void use_book(struct eas *eas UNUSED, struct services *sv, struct request *rq UNUSED)
{
	sv->directory = book ? fake_directory_directory(book) : NULL;
	sv->certs = fake_certs_certs(certs);
}

static void begin(const char *version)
{
	a = arena_new();
	eas_init(&e, "");
	book = fake_directory_new();
	fake_directory_load(book, "lab/people.ldif");
	certs = fake_certs_new();
	e.open = use_book;
	eas_phone(&e, &p, "phone", version);
	story_must(phone_provision(&p) && phone_folder_sync(&p), &p);
}

static void end(void)
{
	phone_release(&p);
	eas_release(&e);
	if (book)
		fake_directory_free(book);
	fake_certs_free(certs);
	arena_free(a);
}

/* tos: with "|" between; options: children of Options, indented by four. */
static const struct elem *resolve(const char *tos, const char *options)
{
	struct str rest = str_of(tos), to, text = STR("resolverecipients:ResolveRecipients\n");
	const struct elem *answer;

	while (str_next(&rest, '|', &to))
		text = arena_printf(
			a, "%.*s  resolverecipients:To \"%.*s\"\n", STR_FMT(text), STR_FMT(to));
	if (options)
		text = arena_printf(
			a, "%.*s  resolverecipients:Options\n%s", STR_FMT(text), options);
	answer = phone_post(&p, "ResolveRecipients", arena_cstr(a, text));
	assert_non_null(answer);
	return answer;
}

static unsigned status(const struct elem *answer)
{
	return elem_u32(answer, RESOLVERECIPIENTS_STATUS, 0);
}

static const struct elem *nth(const struct elem *parent, tag_t tag, size_t n)
{
	const struct elem *r = elem_child(parent, tag);

	while (r && n--)
		r = elem_again(r);
	return r;
}

static const struct elem *response(const struct elem *answer, size_t n)
{
	return nth(answer, RESOLVERECIPIENTS_RESPONSE, n);
}

static const struct elem *recipient(const struct elem *answer, size_t n)
{
	return nth(response(answer, n), RESOLVERECIPIENTS_RECIPIENT, 0);
}

/* C74: each is answered, in its place, in every version. */
static void test_each_recipient_is_answered(void **state UNUSED)
{
	static const char *const versions[] = {"2.5", "12.1", "14.0", "14.1"};
	static const struct {
		const char *to, *address;
		unsigned status;
	} cases[] = {
		{"anna.mueller@example.test", "anna.mueller@example.test", 1},
		{"ANNA@other.test",           "anna.mueller@example.test", 1},
		{"Anna M\xc3\xbcller",        "anna.mueller@example.test", 1},
		{"annika",                    "annika@example.test",       1},
		{"zola",                      "emile@example.test",        1},
		{"Zoe <zoe@example.test>",    "zoe@example.test",          1},
		{"nobody@example.test",       NULL,                        4},
		{"ann.meier@example",         NULL,                        4},
		{"nobody",                    NULL,                        4},
		{"*",			 NULL,                        4},
		{"xaver",                     NULL,                        4},
		{"",			  NULL,                        4},
		{"cher",                      "cher@example.test",         1},
		{"cher",                      "cher@example.test",         1},
	};

	for (size_t v = 0; v < ARRAY_LEN(versions); v++) {
		struct str tos = {"", 0};
		const struct elem *answer;

		begin(versions[v]);
		for (size_t i = 0; i < ARRAY_LEN(cases); i++)
			tos = arena_printf(
				a, "%.*s%s%s", STR_FMT(tos), i ? "|" : "", cases[i].to);
		answer = resolve(arena_cstr(a, tos), NULL);
		assert_int_equal(status(answer), 1);
		assert_int_equal(
			elem_count(answer, RESOLVERECIPIENTS_RESPONSE), ARRAY_LEN(cases));
		for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
			const struct elem *r = response(answer, i);

			assert_true(str_is(elem_text(r, RESOLVERECIPIENTS_TO), cases[i].to));
			assert_int_equal(status(r), cases[i].status);
			assert_true(str_eq(elem_text(recipient(answer, i),
						   RESOLVERECIPIENTS_EMAIL_ADDRESS),
				str_of(cases[i].address)));
			assert_int_equal(elem_u32(r, RESOLVERECIPIENTS_RECIPIENT_COUNT, 0),
				cases[i].address != NULL);
		}
		end();
	}
}

/* The whole answer, in the order of the schema. */
static void test_every_element_has_its_place(void **state UNUSED)
{
	const struct elem *answer;
	struct str small = STR("certificate");
	struct str address = STR("new@example.test");

	begin("14.1");
	fake_certs_add(certs, small, CERT_VALID, INT64_MAX);
	fake_directory_add(book, &(struct person){.display_name = STR("New Person"),
					 .email = address,
					 .addresses = &address,
					 .naddresses = 1,
					 .certificates = &small,
					 .ncertificates = 1});
	answer = resolve("new@example.test",
		"    resolverecipients:CertificateRetrieval \"2\"\n"
		"    resolverecipients:Availability\n"
		"      resolverecipients:StartTime \"2026-01-05T08:00:00.000Z\"\n"
		"      resolverecipients:EndTime \"2026-01-06T08:00:00.000Z\"\n"
		"    resolverecipients:Picture\n");
	assert_string_equal(eas_text(answer, a),
		"resolverecipients:ResolveRecipients\n"
		"  resolverecipients:Status \"1\"\n"
		"  resolverecipients:Response\n"
		"    resolverecipients:To \"new@example.test\"\n"
		"    resolverecipients:Status \"1\"\n"
		"    resolverecipients:RecipientCount \"1\"\n"
		"    resolverecipients:Recipient\n"
		"      resolverecipients:Type \"1\"\n"
		"      resolverecipients:DisplayName \"New Person\"\n"
		"      resolverecipients:EmailAddress \"new@example.test\"\n"
		"      resolverecipients:Availability\n"
		"        resolverecipients:Status \"163\"\n"
		"      resolverecipients:Certificates\n"
		"        resolverecipients:Status \"1\"\n"
		"        resolverecipients:CertificateCount \"1\"\n"
		"        resolverecipients:RecipientCount \"1\"\n"
		"        resolverecipients:Certificate \"Y2VydGlmaWNhdGU=\"\n"
		"      resolverecipients:Picture\n"
		"        resolverecipients:Status \"173\"\n");
	end();
}

static void test_ambiguous_names_are_suggested(void **state UNUSED)
{
	static const struct {
		const char *options;
		unsigned status, recipients;
	} cases[] = {
		{NULL,						      2, 4},
		{"    resolverecipients:MaxAmbiguousRecipients \"4\"\n",    2, 4},
		{"    resolverecipients:MaxAmbiguousRecipients \"3\"\n",    3, 3},
		{"    resolverecipients:MaxAmbiguousRecipients \"1\"\n",    3, 1},
		{"    resolverecipients:MaxAmbiguousRecipients \"0\"\n",    3, 0},
		{"    resolverecipients:MaxAmbiguousRecipients \"9999\"\n", 2, 4},
	};
	struct person many = {.naddresses = 1};
	const struct elem *answer, *r;

	begin("14.1");
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		r = response(resolve("ann", cases[i].options), 0);
		assert_int_equal(status(r), cases[i].status);
		assert_int_equal(elem_u32(r, RESOLVERECIPIENTS_RECIPIENT_COUNT, 0), 4);
		assert_int_equal(
			elem_count(r, RESOLVERECIPIENTS_RECIPIENT), cases[i].recipients);
	}
	/* Namesakes, although others begin so, too. One who is meant alone is never cut. */
	r = response(resolve("Ann Meier", NULL), 0);
	assert_int_equal(status(r), 2);
	assert_int_equal(elem_count(r, RESOLVERECIPIENTS_RECIPIENT), 2);
	answer = resolve("cher", "    resolverecipients:MaxAmbiguousRecipients \"0\"\n");
	assert_int_equal(status(response(answer, 0)), 1);
	assert_non_null(recipient(answer, 0));
	/* [MS-ASCMD] 2.2.3.145: certificates, but no times of somebody who may not be meant. */
	answer = resolve("ann", "    resolverecipients:CertificateRetrieval \"2\"\n"
				"    resolverecipients:Availability\n"
				"      resolverecipients:StartTime \"20260105T080000Z\"\n");
	assert_true(elem_has(recipient(answer, 0), RESOLVERECIPIENTS_CERTIFICATES));
	assert_false(elem_has(recipient(answer, 0), RESOLVERECIPIENTS_AVAILABILITY));
	for (unsigned i = 0; i < 150; i++) {
		struct str address = arena_printf(a, "many%u@example.test", i);

		many.display_name = arena_printf(a, "Many %03u", i);
		many.email = address;
		many.addresses = &address;
		fake_directory_add(book, &many);
	}
	r = response(resolve("many", NULL), 0);
	assert_int_equal(status(r), 3);
	assert_int_equal(elem_count(r, RESOLVERECIPIENTS_RECIPIENT), 19);
	assert_int_equal(elem_u32(r, RESOLVERECIPIENTS_RECIPIENT_COUNT, 0), 150);
	r = response(
		resolve("many", "    resolverecipients:MaxAmbiguousRecipients \"9999\"\n"), 0);
	assert_int_equal(status(r), 3);
	assert_int_equal(elem_count(r, RESOLVERECIPIENTS_RECIPIENT), 100);
	end();
}

/* Who has no address cannot be written to, and counts for nobody. */
static void test_people_without_an_address_are_nobody(void **state UNUSED)
{
	struct person one = {.display_name = STR("Meta Aa")};
	struct str address = STR("meta@example.test");
	const struct elem *answer;

	begin("14.1");
	fake_directory_add(book, &one);
	fake_directory_add(book, &one);
	answer = resolve("meta", NULL);
	assert_int_equal(status(response(answer, 0)), 4);
	one = (struct person){.display_name = STR("Meta Zz"),
		.email = address,
		.addresses = &address,
		.naddresses = 1};
	fake_directory_add(book, &one);
	answer = resolve("meta", "    resolverecipients:MaxAmbiguousRecipients \"1\"\n");
	assert_int_equal(status(response(answer, 0)), 1);
	assert_true(str_eq(
		elem_text(recipient(answer, 0), RESOLVERECIPIENTS_EMAIL_ADDRESS), address));
	end();
}

/* A directory that gives up half way has not said that somebody is the only one, or that there
 * is nobody. */
static void test_a_directory_that_gives_up(void **state UNUSED)
{
	const struct elem *answer;

	begin("14.1");
	fake_directory_limit(book, 1);
	answer = resolve("cher", NULL);
	assert_int_equal(status(response(answer, 0)), 3);
	assert_non_null(recipient(answer, 0));
	fake_directory_fail(book, RC_LIMIT, ERR_PLAIN);
	answer = resolve("cher", NULL);
	assert_int_equal(status(answer), 6);
	assert_null(response(answer, 0));
	end();
}

static void put_card(const char *name, const char *lines)
{
	(void)fake_dav_put(e.dav, FAKE_DAV_CONTACTS, name,
		arena_printf(a, "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:%s\r\n%sEND:VCARD\r\n", name,
			lines)
			.p);
}

/* [MS-ASCMD] 2.2.3.186.5: whom the directory does not know may be one of the user's contacts.
 */
static void test_the_users_own_contacts(void **state UNUSED)
{
	static const struct {
		const char *to;
		unsigned status, count;
		const char *type, *address;
	} cases[] = {
		{"Zacharias",      1, 1, "2",  "zac@own.test"     },
		{"zachari quux",   1, 1, "2",  "zac@own.test"     },
		{"ZAC2@own.test",  1, 1, "2",  "zac2@own.test"    },
		{"ac2@own.test",   4, 0, NULL, NULL               },
		{"Quux",           1, 1, "2",  "quux@own.test"    },
		{"qu",             2, 2, "2",  NULL               },
		{"No Address",     4, 0, NULL, NULL               },
		{"cher",           1, 1, "1",  "cher@example.test"},
 /* Who is called so, and not what else stands in a card, or the domain. */
		{"own.test",       4, 0, NULL, NULL               },
		{"test",           4, 0, NULL, NULL               },
		{"smithe",         1, 1, "2",  "smithers@own.test"},
		{"Berlin",         4, 0, NULL, NULL               },
		{"harias",         4, 0, NULL, NULL               },
		{"Bob Smith",      1, 1, "2",  "bob@own.test"     },
		{"fifth@own.test", 1, 1, "2",  "fifth@own.test"   },
 /* The first of them have no address; and one who is called exactly so. */
		{"Smith",          2, 2, "2",  NULL               },
		{"Smithers",       1, 1, "2",  "smithers@own.test"},
	};

	const struct elem *many;

	begin("14.1");
	eas_dav(&e);
	put_card("a.vcf", "FN:Zacharias Quux\r\nN:Quux;Zacharias;;;\r\nEMAIL:zac@own.test\r\n"
			  "EMAIL:zac2@own.test\r\n");
	put_card("b.vcf", "FN:Quux\r\nN:Quux;;;;\r\nEMAIL:quux@own.test\r\n");
	put_card("c.vcf", "FN:No Address\r\nN:Address;No;;;\r\n");
	for (unsigned i = 0; i < 5; i++)
		put_card(arena_printf(a, "0%u.vcf", i).p,
			"FN:Smith Phone\r\nN:Smith;Phone;;;\r\nTEL:1\r\n");
	put_card("e.vcf", "FN:Bob Smith\r\nN:Smith;Robert;;;\r\nEMAIL:bob@own.test\r\n"
			  "NOTE:born in Berlin\r\n");
	put_card("f.vcf", "FN:Smithers\r\nN:Smithers;;;;\r\nEMAIL:smithers@own.test\r\n"
			  "EMAIL:2@x.test\r\nEMAIL:3@x.test\r\nEMAIL:4@x.test\r\n"
			  "EMAIL:fifth@own.test\r\n");
	put_card("d.vcf", "FN:Cher Own\r\nN:Own;Cher;;;\r\nEMAIL:other@own.test\r\n");
	story_must(phone_folder_sync(&p), &p);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct elem *answer = resolve(cases[i].to, NULL);

		assert_int_equal(status(answer), 1);
		if (status(response(answer, 0)) != cases[i].status)
			fail_msg("%s: %u", cases[i].to, status(response(answer, 0)));
		assert_int_equal(elem_count(response(answer, 0), RESOLVERECIPIENTS_RECIPIENT),
			cases[i].count);
		if (cases[i].type)
			assert_true(
				str_is(elem_text(recipient(answer, 0), RESOLVERECIPIENTS_TYPE),
					cases[i].type));
		if (cases[i].address)
			assert_true(str_is(elem_text(recipient(answer, 0),
						   RESOLVERECIPIENTS_EMAIL_ADDRESS),
				cases[i].address));
	}
	/* Five of them have no address. */
	many = response(
		resolve("Smith", "    resolverecipients:MaxAmbiguousRecipients \"2\"\n"), 0);
	assert_int_equal(status(many), 2);
	assert_int_equal(elem_u32(many, RESOLVERECIPIENTS_RECIPIENT_COUNT, 0), 2);
	/* One who stands in two books is one. */
	fake_dav_collection(e.dav, FAKE_DAV_HOME "more/", "More", DAV_CARDS);
	(void)fake_dav_put(e.dav, FAKE_DAV_HOME "more/", "a.vcf",
		"BEGIN:VCARD\r\nVERSION:3.0\r\nUID:a\r\nFN:Zacharias Quux\r\n"
		"N:Quux;Zacharias;;;\r\nEMAIL:ZAC@own.test\r\nEND:VCARD\r\n");
	story_must(phone_folder_sync(&p), &p);
	assert_int_equal(status(response(resolve("zac@own.test", NULL), 0)), 1);
	assert_int_equal(status(response(resolve("zachari", NULL), 0)), 1);
	/* A book that is closed to the user takes no other along. */
	fake_dav_collection(e.dav, FAKE_DAV_HOME "aaa/", "Aaa", DAV_CARDS);
	story_must(phone_folder_sync(&p), &p);
	fake_dav_collection_delete(e.dav, FAKE_DAV_HOME "aaa/");
	assert_int_equal(status(response(resolve("zachari", NULL), 0)), 1);
	/* A server that cannot search: all are looked at. */
	fake_dav_cannot_find(e.dav, true);
	assert_int_equal(status(response(resolve("zachari", NULL), 0)), 1);
	fake_dav_cannot_find(e.dav, false);
	/* All of them at once, and without the server of contacts. */
	assert_int_equal(status(response(resolve("zachari|cher|Quux", NULL), 2)), 1);
	fake_dav_down(e.dav, RC_UNAVAILABLE);
	assert_int_equal(status(response(resolve("zachari|cher", NULL), 0)), 4);
	assert_int_equal(status(response(resolve("zachari|cher", NULL), 1)), 1);
	end();
}

static void fill(unsigned from, unsigned n)
{
	for (unsigned i = from; i < from + n; i++)
		put_card(arena_printf(a, "t%03u.vcf", i).p,
			arena_printf(a,
				"FN:Twin %u\r\nN:Twin;%u;;;\r\nEMAIL:twin%u@own.test\r\n", i, i,
				i)
				.p);
}

/* A name that more cards have than are read is nobody's alone; an address is. Of a large book
 * at a server that cannot search nothing is read, and what is gone makes no book large. */
static void test_large_books(void **state UNUSED)
{
	begin("14.1");
	eas_dav(&e);
	put_card("a.vcf", "FN:Ann Twin\r\nN:Twin;Ann;;;\r\nEMAIL:ann.twin@own.test\r\n");
	fill(0, 310);
	story_must(phone_folder_sync(&p), &p);
	assert_int_equal(status(response(resolve("Ann Twin", NULL), 0)), 3);
	assert_int_equal(status(response(resolve("ann.twin@own.test", NULL), 0)), 1);
	assert_int_equal(status(response(resolve("Twin 309", NULL), 0)), 4);
	fake_dav_cannot_find(e.dav, true);
	assert_int_equal(status(response(resolve("ann.twin@own.test", NULL), 0)), 4);
	for (unsigned i = 0; i < 200; i++)
		fake_dav_remove(e.dav, FAKE_DAV_CONTACTS, arena_printf(a, "t%03u.vcf", i).p);
	assert_int_equal(status(response(resolve("ann.twin@own.test", NULL), 0)), 1);
	assert_int_equal(status(response(resolve("Twin 309", NULL), 0)), 1);
	end();
}

static const struct elem *certificates(const struct elem *answer, size_t n)
{
	return elem_child(recipient(answer, n), RESOLVERECIPIENTS_CERTIFICATES);
}

/* As many of Zoe's two certificates and Anna's one are good. */
static void are_good(unsigned zoe, unsigned anna)
{
	struct directory_query q = {.match = DIRECTORY_IS, .count = 1, .certificates = true};
	static const char *const who[] = {"zoe@example.test", "anna.mueller@example.test"};
	const unsigned good[] = {zoe, anna};
	struct people r;

	for (size_t i = 0; i < ARRAY_LEN(who); i++) {
		q.text = str_of(who[i]);
		assert_int_equal(
			directory_call(fake_directory_directory(book), search, &q, a, &r, NULL),
			RC_OK);
		for (size_t k = 0; k < r.v[0].ncertificates; k++)
			fake_certs_add(certs, r.v[0].certificates[k],
				k < good[i] ? CERT_VALID : CERT_EXPIRED, INT64_MAX);
	}
}

/* C76 */
static void test_certificates_that_are_good_are_given(void **state UNUSED)
{
	static const struct {
		unsigned zoe, anna; /* good ones */
		const char *most;   /* MaxCertificates */
		unsigned status[2]; /* for Zoe, for Anna */
		unsigned count[2], sent[2];
	} cases[] = {
		{2, 1, NULL, {1, 1}, {2, 1}, {2, 1}},
		{1, 0, NULL, {1, 7}, {1, 0}, {1, 0}},
		{0, 1, NULL, {7, 1}, {0, 1}, {0, 1}},
		{2, 1, "3",  {1, 1}, {2, 1}, {2, 1}},
		{2, 1, "2",  {1, 8}, {2, 1}, {2, 0}},
 /* Nobody gets a part; who comes behind may fit. */
		{2, 1, "1",  {8, 1}, {2, 1}, {0, 1}},
		{2, 0, "0",  {8, 7}, {2, 0}, {0, 0}},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct elem *answer;
		struct str options = STR("    resolverecipients:CertificateRetrieval \"2\"\n");

		begin("12.1");
		are_good(cases[i].zoe, cases[i].anna);
		if (cases[i].most)
			options = arena_printf(a,
				"%.*s    resolverecipients:MaxCertificates \"%s\"\n",
				STR_FMT(options), cases[i].most);
		answer = resolve("zoe|nobody|anna.mueller", options.p);
		for (size_t k = 0; k < 2; k++) {
			const struct elem *c = certificates(answer, k * 2);

			assert_int_equal(status(response(answer, k * 2)), 1);
			assert_int_equal(status(c), cases[i].status[k]);
			assert_int_equal(elem_u32(c, RESOLVERECIPIENTS_CERTIFICATE_COUNT, 99),
				cases[i].count[k]);
			assert_int_equal(elem_u32(c, RESOLVERECIPIENTS_RECIPIENT_COUNT, 0), 1);
			assert_int_equal(
				elem_count(c, RESOLVERECIPIENTS_CERTIFICATE), cases[i].sent[k]);
		}
		end();
	}
}

static void test_the_short_form_of_certificates(void **state UNUSED)
{
	const char *mini = "    resolverecipients:CertificateRetrieval \"3\"\n";
	const struct elem *c;
	struct str bytes;

	begin("14.1");
	are_good(2, 0);
	/* There is none of them. */
	c = certificates(resolve("zoe", mini), 0);
	assert_int_equal(status(c), 7);
	fake_certs_mini(certs);
	c = certificates(resolve("zoe", mini), 0);
	assert_int_equal(status(c), 1);
	assert_int_equal(elem_u32(c, RESOLVERECIPIENTS_CERTIFICATE_COUNT, 0), 1);
	assert_int_equal(elem_count(c, RESOLVERECIPIENTS_MINI_CERTIFICATE), 1);
	assert_int_equal(elem_count(c, RESOLVERECIPIENTS_CERTIFICATE), 0);
	assert_int_equal(
		base64_decode(elem_text(c, RESOLVERECIPIENTS_MINI_CERTIFICATE), a, &bytes),
		RC_OK);
	assert_true(str_starts(bytes, "mini:"));
	/* None are wanted. */
	assert_null(certificates(
		resolve("zoe", "    resolverecipients:CertificateRetrieval \"1\"\n"), 0));
	assert_null(certificates(resolve("zoe", NULL), 0));
	end();
}

static const struct elem *picture(const struct elem *answer, size_t to, size_t n)
{
	return elem_child(nth(response(answer, to), RESOLVERECIPIENTS_RECIPIENT, n),
		RESOLVERECIPIENTS_PICTURE);
}

/* C77: so many of each query. */
static void test_pictures_come_from_14_1_on(void **state UNUSED)
{
	const char *one = "    resolverecipients:Picture\n"
			  "      resolverecipients:MaxPictures \"1\"\n";
	const struct elem *answer;
	struct str bytes;

	begin("14.0");
	assert_null(picture(resolve("carla", one), 0, 0));
	end();
	begin("14.1");
	answer = resolve("bild|carla|karl|paul", one);
	assert_int_equal(status(picture(answer, 0, 0)), 1);
	assert_int_equal(status(picture(answer, 0, 1)), 173);
	assert_int_equal(status(picture(answer, 0, 2)), 175);
	assert_int_equal(status(picture(answer, 1, 0)), 1);
	assert_int_equal(status(picture(answer, 2, 0)), 173);
	assert_int_equal(status(picture(answer, 3, 0)), 1);
	assert_int_equal(base64_decode(elem_text(picture(answer, 3, 0), RESOLVERECIPIENTS_DATA),
				 a, &bytes),
		RC_OK);
	assert_memory_equal(bytes.p, "\xff\xd8\xff", 3);
	answer = resolve("carla", "    resolverecipients:Picture\n"
				  "      resolverecipients:MaxSize \"10\"\n");
	assert_int_equal(status(picture(answer, 0, 0)), 174);
	assert_null(picture(resolve("carla", NULL), 0, 0));
	end();
}

/* C75: times are asked for within their bounds; until there is a calendar there are none. */
static void test_what_is_wrong_has_its_status(void **state UNUSED)
{
#define SPAN(rest)                                                                             \
	"    resolverecipients:Availability\n"                                                 \
	"      resolverecipients:StartTime \"2026-01-05T08:00:00.000Z\"\n" rest
#define UNTIL(text) SPAN("      resolverecipients:EndTime \"" text "\"\n")
	static const struct {
		const char *options;
		unsigned status;
	} cases[] = {
		{"    resolverecipients:CertificateRetrieval \"0\"\n",    5},
		{"    resolverecipients:CertificateRetrieval \"4\"\n",    5},
		{"    resolverecipients:CertificateRetrieval \"all\"\n",  5},
		{"    resolverecipients:MaxCertificates \"10000\"\n",     5},
		{"    resolverecipients:MaxAmbiguousRecipients \"-1\"\n", 5},
		{"    resolverecipients:Availability\n",                  5},
		{SPAN(""),						1},
		{UNTIL("2026-01-05T08:29:59.000Z"),                       5},
		{UNTIL("2026-01-05T08:30:00.000Z"),                       1},
		{UNTIL("2026-01-04T08:00:00.000Z"),                       5},
		{UNTIL("2026-02-16T08:00:00.000Z"),                       1},
		{UNTIL("2026-02-16T08:00:01.000Z"),                       5},
		{UNTIL("tomorrow"),				       5},
	};
	struct str tos = STR("x"), text;

	begin("14.1");
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		if (status(resolve("cher", cases[i].options)) != cases[i].status)
			fail_msg("%s is not %u", cases[i].options, cases[i].status);
	assert_int_equal(
		status(phone_post(&p, "ResolveRecipients",
			"resolverecipients:ResolveRecipients\n  resolverecipients:Options\n")),
		5);
	for (unsigned i = 1; i < 100; i++)
		tos = arena_printf(a, "%.*s|x", STR_FMT(tos));
	assert_int_equal(status(resolve(tos.p, NULL)), 1);
	assert_int_equal(status(resolve(arena_printf(a, "%s|x", tos.p).p, NULL)), 5);
	text = arena_printf(a, "%256s", "x");
	assert_int_equal(status(resolve(text.p, NULL)), 1);
	assert_int_equal(status(resolve(arena_printf(a, "%sx", text.p).p, NULL)), 5);
	/* Before 14.0 nobody asks for times. */
	p.version = "12.1";
	assert_int_equal(status(resolve("cher", NULL)), 1);
	end();
}

static void test_a_directory_that_fails_or_is_not_there(void **state UNUSED)
{
	const struct elem *answer;

	begin("14.1");
	fake_directory_fail(book, RC_UNAVAILABLE, ERR_PLAIN);
	answer = resolve("cher|zoe", NULL);
	assert_int_equal(status(answer), 6);
	assert_false(elem_has(answer, RESOLVERECIPIENTS_RESPONSE));
	fake_directory_fail(book, RC_OK, ERR_PLAIN);
	assert_int_equal(status(resolve("cher", NULL)), 1);
	fake_directory_limit(book, 2);
	assert_int_equal(status(resolve("ann", NULL)), 1);
	fake_directory_free(book);
	book = NULL;
	answer = resolve("cher|zoe", NULL);
	assert_int_equal(status(answer), 1);
	assert_int_equal(status(response(answer, 0)), 4);
	assert_int_equal(status(response(answer, 1)), 4);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_recipient_is_answered),
		cmocka_unit_test(test_every_element_has_its_place),
		cmocka_unit_test(test_ambiguous_names_are_suggested),
		cmocka_unit_test(test_people_without_an_address_are_nobody),
		cmocka_unit_test(test_a_directory_that_gives_up),
		cmocka_unit_test(test_the_users_own_contacts),
		cmocka_unit_test(test_large_books),
		cmocka_unit_test(test_certificates_that_are_good_are_given),
		cmocka_unit_test(test_the_short_form_of_certificates),
		cmocka_unit_test(test_pictures_come_from_14_1_on),
		cmocka_unit_test(test_what_is_wrong_has_its_status),
		cmocka_unit_test(test_a_directory_that_fails_or_is_not_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
