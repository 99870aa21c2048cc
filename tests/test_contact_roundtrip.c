/*
 * Thousands of random contacts between phones and cards: S19, K19, C131, C133, C134, C135,
 * C136, R3.19. What one phone writes another gets; what a phone sends back unchanged leaves the
 * card as it was, byte for byte; what it changes changes those lines only.
 */
#include "tests/support_contact.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ROUNDS = 3000 };

static const enum eas_version versions[] = {V25, V120, V121, V140, V141, V160, V161};

static struct email_options options_of(enum eas_version v)
{
	struct email_options o = {.version = v, .truncation = -1, .mime_truncation = -1};

	if (v >= V120) {
		o.prefs[0] = (struct body_preference){.type = BODY_PLAIN};
		o.nprefs = 1;
	}
	return o;
}

static struct str applied(struct str card, const struct elem *data,
	const struct contact_patch *p, struct arena *a, unsigned seed)
{
	struct err err = ERR_INIT;
	struct str r = STR_NONE;

	if (contact_apply(card, data, p, a, &r, &err))
		fail_msg("seed %u: %s\n%.*s\n%.*s", seed, err.text, STR_FMT(card),
			STR_FMT(contact_text_of(data, a)));
	return r;
}

static struct elem *sent(
	struct str card, const struct email_options *o, struct arena *a, unsigned seed)
{
	struct err err = ERR_INIT;
	struct elem *e = contact_sent(card, o, a, &err);

	if (!e)
		fail_msg("seed %u: %s\n%.*s", seed, err.text, STR_FMT(card));
	return e;
}

static void test_what_a_phone_writes_another_gets(void **state UNUSED)
{
	for (unsigned seed = 1; seed <= ROUNDS; seed++) {
		struct arena *a = arena_new();
		struct chance r = chance_of(seed);
		enum eas_version v = versions[chance(&r, ARRAY_LEN(versions))];
		struct email_options o = options_of(v);
		struct contact_patch p = {
			.version = v, .uid = STR("uid-1"), .card4 = chance(&r, 2) != 0};
		struct elem *data = contact_tree(contact_random_data(&r, v, a), a);
		struct str card = applied(STR_NONE, data, &p, a, seed), what = STR_NONE;

		if (!contact_same(data, sent(card, &o, a, seed), a, &what))
			fail_msg("seed %u: %.*s\n%.*s", seed, STR_FMT(what), STR_FMT(card));
		assert_true(str_is(contact_uid(card, a), "uid-1"));
		/* The phone sends it back. */
		if (!str_eq(applied(card, data, &p, a, seed), card))
			fail_msg("seed %u: not the same again\n%.*s", seed, STR_FMT(card));
		arena_free(a);
	}
}

static void test_an_echo_changes_no_byte(void **state UNUSED)
{
	for (unsigned seed = 1; seed <= ROUNDS; seed++) {
		struct arena *a = arena_new();
		struct chance r = chance_of(seed);
		enum eas_version v = versions[chance(&r, ARRAY_LEN(versions))];
		enum card_writer writer = chance(&r, CARD_WRITERS);
		struct email_options o = options_of(v);
		struct contact_patch p = {.version = v, .options = &o};
		struct str card = contact_random_card(&r, writer, STR("u"), a, NULL, NULL);
		struct str again;

		/* Also of notes that the device has in part. */
		if (v >= V120 && chance(&r, 2)) {
			o.prefs[0].has_size = true;
			o.prefs[0].size = 10;
		}
		again = applied(card, sent(card, &o, a, seed), &p, a, seed);
		if (!str_eq(again, card))
			fail_msg("seed %u (%s): %.*s\n%.*s\n%.*s", seed,
				card_writer_names[writer],
				STR_FMT(contact_changed_lines(card, again, a)), STR_FMT(card),
				STR_FMT(again));
		arena_free(a);
	}
}

/* Which lines may change with a property, beside FN, the name to file under, and REV. */
static const struct {
	tag_t tag;
	const char *names;
} lines_of[] = {
	{CONTACTS_FILE_AS,                 ""							      },
	{CONTACTS_LAST_NAME,               "N"							     },
	{CONTACTS_FIRST_NAME,              "N"							     },
	{CONTACTS_SUFFIX,                  "N"							     },
	{CONTACTS_COMPANY_NAME,            "ORG"							   },
	{CONTACTS_DEPARTMENT,              "ORG"							   },
	{CONTACTS_JOB_TITLE,               "TITLE"							 },
	{CONTACTS_EMAIL1_ADDRESS,          "EMAIL X-ABLABEL"                                               },
	{CONTACTS_EMAIL3_ADDRESS,          "EMAIL X-ABLABEL"                                               },
	{CONTACTS_MOBILE_PHONE_NUMBER,     "TEL X-ABLABEL"                                                 },
	{CONTACTS_HOME_PHONE_NUMBER,       "TEL X-ABLABEL"                                                 },
	{CONTACTS_BUSINESS2_PHONE_NUMBER,  "TEL X-ABLABEL"                                                 },
	{CONTACTS_BUSINESS_FAX_NUMBER,     "TEL"							   },
	{CONTACTS_PAGER_NUMBER,            "TEL"							   },
	{CONTACTS_HOME_ADDRESS_STREET,     "ADR"							   },
	{CONTACTS_BUSINESS_ADDRESS_STREET, "ADR"							   },
	{CONTACTS_OTHER_ADDRESS_CITY,      "ADR"							   },
	{CONTACTS_WEB_PAGE,                "URL X-ABLABEL"						 },
	{CONTACTS_SPOUSE,                  "RELATED X-SPOUSE X-EVOLUTION-SPOUSE X-ABRELATEDNAMES X-ABLABEL"},
	{CONTACTS_ASSISTANT_NAME,          "X-ASSISTANT X-EVOLUTION-ASSISTANT"                             },
	{CONTACTS_OFFICE_LOCATION,         "X-OFFICE"						      },
	{CONTACTS2_NICK_NAME,              "NICKNAME"						      },
	{CONTACTS2_MANAGER_NAME,           "X-MANAGER X-EVOLUTION-MANAGER"                                 },
	{CONTACTS2_IM_ADDRESS,             "IMPP X-JABBER X-AIM X-SKYPE"                                   },
	{CONTACTS2_CUSTOMER_ID,            "X-CUSTOMER-ID"						 },
};

static bool is_phone(tag_t tag)
{
	const char *name = tag_info(tag)->name;

	return strstr(name, "Phone") || strstr(name, "Number");
}

static bool may_change(struct str line, const char *names)
{
	struct str rest = str_of(names), name;

	while (str_next(&rest, ' ', &name))
		if (str_ieq(name, line))
			return true;
	return str_iis(line, "FN") || str_iis(line, "X-EVOLUTION-FILE-AS") ||
	       str_iis(line, "REV");
}

/* In some property: the second address without a first one is the first. */
static bool is_shown(const struct elem *data, struct str text, struct arena *a)
{
	for (const struct elem *e = data->child; e; e = e->next)
		if (str_eq(contact_property_text(data, e->tag, a), text))
			return true;
	return false;
}

/* The tree without one child, or with another text in it. */
static void edit(struct elem *data, tag_t tag, struct str text, struct arena *a)
{
	struct elem **at = &data->child, *e;

	while (*at && (*at)->tag != tag)
		at = &(*at)->next;
	if (*at)
		*at = (*at)->next;
	if (!text.n)
		return;
	e = ARENA_NEW(a, struct elem);
	e->tag = tag;
	e->text = text;
	e->next = data->child;
	data->child = e;
}

static void check_others(const struct elem *before, const struct elem *after, tag_t tag,
	struct str text, struct arena *a, unsigned seed, struct str card)
{
	for (const struct elem *e = before->child; e; e = e->next) {
		struct str has = contact_property_text(after, e->tag, a);

		/* A number may move to another slot when one goes. */
		if (e->tag == tag || e->tag == CONTACTS_FILE_AS ||
			(is_phone(tag) && is_phone(e->tag)))
			continue;
		if (!text.n &&
			(tag == CONTACTS_EMAIL1_ADDRESS || tag == CONTACTS2_IM_ADDRESS ||
				tag == CONTACTS_COMPANY_NAME || tag == CONTACTS_LAST_NAME))
			continue;
		if (!str_eq(contact_property_text(before, e->tag, a), has))
			fail_msg("seed %u: %s changed %s: \"%.*s\" to \"%.*s\"\n%.*s", seed,
				tag_info(tag)->name, tag_info(e->tag)->name,
				STR_FMT(contact_property_text(before, e->tag, a)), STR_FMT(has),
				STR_FMT(card));
	}
}

static void test_an_edit_changes_its_lines_only(void **state UNUSED)
{
	for (unsigned seed = 1; seed <= ROUNDS; seed++) {
		struct arena *a = arena_new();
		struct chance r = chance_of(seed);
		enum card_writer writer = chance(&r, CARD_WRITERS);
		struct email_options o = options_of(V141);
		struct contact_patch p = {.version = V141, .options = &o};
		size_t nforeign = 0, which = chance(&r, ARRAY_LEN(lines_of));
		struct str *foreign = NULL, missing = STR_NONE;
		struct str card =
			contact_random_card(&r, writer, STR("u"), a, &foreign, &nforeign);
		tag_t tag = lines_of[which].tag;
		struct str text = chance(&r, 3) ? arena_printf(a, "new@%u", chance(&r, 1000000))
						: (struct str){"", 0};
		struct elem *before = sent(card, &o, a, seed), *after;
		struct elem *data = contact_tree(contact_text_of(before, a), a);
		struct str got, changed, name;

		edit(data, tag, text, a);
		got = applied(card, data, &p, a, seed);
		changed = contact_changed_lines(card, got, a);
		while (changed.n && str_next(&changed, ' ', &name))
			if (!may_change(name, lines_of[which].names))
				fail_msg("seed %u (%s): %s changed %.*s\n%.*s\n%.*s", seed,
					card_writer_names[writer], tag_info(tag)->name,
					STR_FMT(name), STR_FMT(card), STR_FMT(got));
		if (!contact_keeps(got, foreign, nforeign, &missing))
			fail_msg("seed %u: %s lost %.*s\n%.*s", seed, tag_info(tag)->name,
				STR_FMT(missing), STR_FMT(got));
		after = sent(got, &o, a, seed);
		if (text.n && !is_shown(after, text, a))
			fail_msg("seed %u: %s is \"%.*s\", not \"%.*s\"\n%.*s", seed,
				tag_info(tag)->name,
				STR_FMT(contact_property_text(after, tag, a)), STR_FMT(text),
				STR_FMT(got));
		check_others(before, after, tag, text, a, seed, got);
		arena_free(a);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_a_phone_writes_another_gets),
		cmocka_unit_test(test_an_echo_changes_no_byte),
		cmocka_unit_test(test_an_edit_changes_its_lines_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
