/*
 * Search Mailbox, and what is done with its results: U18, U19, C58, C59, C61,
 * requirements 3.10, and the Status values of [MS-ASCMD] 2.2.3.177.15.
 */
#include "core/map/email.h"
#include "core/map/kql.h"
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

static void mail(const char *folder, int64_t received, const char *from, const char *subject,
	const char *body)
{
	(void)fake_mail_add(e.mail, folder, 0, received,
		arena_printf(a,
			"From: %s\nTo: ann@example.test\nSubject: %s\nMessage-ID: <%s@x>\n\n%s\n",
			from, subject, subject, body)
			.p);
}

static void begin(const char *version)
{
	a = arena_new();
	eas_init(&e, "");
	fake_mail_folder(e.mail, "Work", MAIL_USE_NONE);
	fake_mail_folder(e.mail, "Work/Old", MAIL_USE_NONE);
	mail("INBOX", 1000, "bob@x.test", "first", "The budget & the plan");
	mail("INBOX", 3000, "eve@x.test", "second",
		"budget, gr\xc3\xbc\xc3\x9f"
		"e");
	mail("Work", 2000, "bob@x.test", "third", "the budget");
	mail("Work/Old", 4000, "bob@x.test", "fourth", "no money");
	mail("Trash", 5000, "eve@x.test", "fifth", "budget");
	eas_phone(&e, &p, "phone", version);
	story_must(phone_provision(&p) && phone_folder_sync(&p), &p);
}

static void end(void)
{
	phone_release(&p);
	eas_release(&e);
	arena_free(a);
}

/* query: children of Query, indented by six; options: of Options, by six. */
static const struct elem *search(const char *query, const char *options)
{
	return phone_post(&p, "Search",
		arena_printf(a,
			"search:Search\n  search:Store\n    search:Name \"Mailbox\"\n"
			"    search:Query\n%s    search:Options\n%s",
			query, options)
			.p);
}

#define TEXT(words)                                                                            \
	"      search:And\n        airsync:Class \"Email\"\n        search:FreeText \"" words  \
	"\"\n"

static const struct elem *store(const struct elem *answer)
{
	return elem_child(elem_child(answer, SEARCH_RESPONSE), SEARCH_STORE);
}

static unsigned status(const struct elem *answer)
{
	return elem_u32(store(answer), SEARCH_STATUS, 0);
}

/* The subjects that were found, in their order. */
static const char *subjects(const struct elem *answer)
{
	struct str list = {"", 0};

	for (const struct elem *r = elem_child(store(answer), SEARCH_RESULT); r;
		r = elem_again(r)) {
		struct str one = elem_text(elem_child(r, SEARCH_PROPERTIES), EMAIL_SUBJECT);

		if (one.n)
			list = arena_printf(a, "%.*s%s%.*s", STR_FMT(list), list.n ? " " : "",
				STR_FMT(one));
	}
	return arena_cstr(a, list);
}

static const struct elem *finds(const char *query, const char *options, const char *want)
{
	const struct elem *answer = search(query, options);

	if (strcmp(subjects(answer), want) != 0)
		fail_msg("%s\nfinds \"%s\", not \"%s\"\n%s", query, subjects(answer), want,
			eas_text(answer, a));
	return answer;
}

static const char *in_folder(const char *name)
{
	return arena_printf(
		a, "        airsync:CollectionId \"%s\"\n", phone_folder_named(&p, name)->id)
		.p;
}

/* U18, C58: newest first, everywhere, with Total and Range, and what it is of. */
static void test_words_are_found_in_all_folders(void **state UNUSED)
{
	static const char *const versions[] = {"12.0", "12.1", "14.0", "14.1"};

	for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
		const struct elem *answer, *first;

		begin(versions[i]);
		answer = finds(TEXT("budget"), "      search:Range \"0-9\"\n",
			"fifth second third first");
		assert_int_equal(elem_u32(store(answer), SEARCH_TOTAL, 0), 4);
		assert_true(str_is(elem_text(store(answer), SEARCH_RANGE), "0-3"));
		first = elem_child(store(answer), SEARCH_RESULT);
		assert_true(str_is(elem_text(first, AIRSYNC_CLASS), "Email"));
		assert_true(str_is(elem_text(first, AIRSYNC_COLLECTION_ID),
			phone_folder(&p, STORY_TRASH)->id));
		(void)finds(TEXT("budget plan"), "", "first");
		(void)finds(TEXT("gr\xc3\xbc\xc3\x9f"
				 "e"),
			"", "second");
		(void)finds("      search:FreeText \"money\"\n", "", "fourth");
		end();
	}
}

/* U19, C59 */
static void test_conditions_narrow_it(void **state UNUSED)
{
	begin("14.1");
	(void)finds(TEXT("from:bob budget"), "", "third first");
	(void)finds(TEXT("subject:fourth OR plan"), "", "fourth first");
	(void)finds(TEXT("budget NOT from:eve"), "", "third first");
	(void)finds(
		arena_printf(a, TEXT("budget") "%s", in_folder("Inbox")).p, "", "second first");
	(void)finds(arena_printf(a, TEXT("from:bob") "%s", in_folder("Work")).p, "", "third");
	(void)finds(arena_printf(a, TEXT("from:bob") "%s", in_folder("Work")).p,
		"      search:DeepTraversal\n", "fourth third");
	(void)finds(
		arena_printf(a, TEXT("from:bob") "%s%s", in_folder("Work"), in_folder("Inbox"))
			.p,
		"", "third first");
	(void)finds(TEXT("budget") "        search:GreaterThan\n"
				   "          email:DateReceived\n"
				   "          search:Value \"1970-01-01T00:40:00.000Z\"\n"
				   "        search:LessThan\n"
				   "          email:DateReceived\n"
				   "          search:Value \"1970-01-01T01:00:00.000Z\"\n",
		"", "second");
	(void)finds("      search:And\n        search:Or\n"
		    "          search:FreeText \"plan\"\n"
		    "          search:FreeText \"money\"\n",
		"", "fourth first");
	/* clients.md 4: folder 0 is all folders. */
	(void)finds(TEXT("money") "        airsync:CollectionId \"0\"\n", "", "fourth");
	/* Another class finds nothing, and says so with a Total. */
	assert_true(
		elem_has(store(search("      search:And\n        airsync:Class \"Calendar\"\n"
				      "        search:FreeText \"budget\"\n",
				 "")),
			SEARCH_TOTAL));
	end();
}

/* Page 2 is page 2, whatever arrives in between; RebuildResults looks anew. */
static void test_pages_are_of_one_list(void **state UNUSED)
{
	const struct elem *answer;

	begin("14.1");
	answer = finds(TEXT("budget"), "      search:Range \"0-1\"\n", "fifth second");
	assert_int_equal(elem_u32(store(answer), SEARCH_TOTAL, 0), 4);
	mail("INBOX", 9000, "bob@x.test", "sixth", "budget");
	answer = finds(TEXT("budget"), "      search:Range \"2-3\"\n", "third first");
	assert_true(str_is(elem_text(store(answer), SEARCH_RANGE), "2-3"));
	assert_int_equal(elem_u32(store(answer), SEARCH_TOTAL, 0), 4);
	(void)finds(TEXT("budget"), "      search:Range \"2-3\"\n      search:RebuildResults\n",
		"second third");
	/* Another question has another list. */
	(void)finds(TEXT("from:bob"), "      search:Range \"2-3\"\n", "third first");
	assert_int_equal(status(search(TEXT("budget"), "      search:Range \"50-60\"\n")), 12);
	assert_int_equal(
		status(search(TEXT("budget"), "      search:Range \"1000-1001\"\n")), 12);
	end();
}

/* requirements 3.10: iOS fetches hits by their LongId alone, and answers them. */
static void test_a_long_id_is_good_for_everything(void **state UNUSED)
{
	const struct elem *answer;
	const char *text;
	struct str id;

	begin("14.1");
	answer = search(TEXT("money"), "");
	id = arena_str(a, elem_text(elem_child(store(answer), SEARCH_RESULT), SEARCH_LONG_ID));
	text = eas_text(
		phone_post(&p, "ItemOperations",
			arena_printf(a,
				"itemoperations:ItemOperations\n  itemoperations:Fetch\n"
				"    itemoperations:Store \"Mailbox\"\n    search:LongId \"%.*s\"\n"
				"    itemoperations:Options\n"
				"      airsyncbase:BodyPreference\n"
				"        airsyncbase:Type \"1\"\n",
				STR_FMT(id))
				.p),
		a);
	assert_non_null(strstr(text, "no money"));
	assert_non_null(strstr(text, "airsync:Class \"Email\""));
	answer = phone_post(&p, "SmartReply",
		arena_printf(a,
			"composemail:SmartReply\n  composemail:ClientId \"c\"\n"
			"  composemail:Source\n    composemail:LongId \"%.*s\"\n"
			"  composemail:Mime x\"546f3a206240782e746573740d0a0d0a7265706c79\"\n",
			STR_FMT(id))
			.p);
	assert_null(answer);
	assert_int_equal(e.submitted, 1);
	assert_int_equal(fake_mail_flags(e.mail, "Work/Old", 1), MAIL_ANSWERED);
	/* In a folder that was made anew it names nothing. */
	fake_mail_new_uidvalidity(e.mail, "Work/Old");
	story_must(phone_folder_sync(&p), &p);
	text = eas_text(
		phone_post(&p, "ItemOperations",
			arena_printf(a,
				"itemoperations:ItemOperations\n  itemoperations:Fetch\n"
				"    itemoperations:Store \"Mailbox\"\n    search:LongId \"%.*s\"\n",
				STR_FMT(id))
				.p),
		a);
	assert_non_null(strstr(text, "itemoperations:Status \"6\""));
	end();
}

static void test_every_refusal_has_its_status(void **state UNUSED)
{
	static const struct {
		const char *query, *options;
		unsigned status;
	} cases[] = {
		{"",										 "",			     2 },
		{TEXT(""),									   "",                             2 },
		{"      airsync:Class \"Email\"\n",                                                  "",                             8 },
		{"      airsync:CollectionId \"1\"\n",                                               "",                             8 },
		{"      search:And\n        search:And\n          search:FreeText \"x\"\n",          "",
                 8														     },
		{"      search:And\n      search:And\n",                                             "",                             8 },
		{"      search:And\n        email:Subject \"x\"\n",                                  "",                             2 },
		{"      search:And\n        airsync:Class \"Nonsense\"\n",                           "",                             2 },
		{TEXT("x") "        search:GreaterThan\n          email:Subject\n"
			   "          search:Value \"2026-01-01T00:00:00.000Z\"\n", "",			     2 },
		{TEXT("x") "        search:GreaterThan\n          email:DateReceived\n"
			   "          search:Value \"yesterday\"\n",                "",			     2 },
		{TEXT("x"),									  "      search:Range \"5-3\"\n", 2 },
		{TEXT("x"),									  "      search:Range \"x\"\n",   2 },
		{TEXT("x") "        airsync:CollectionId \"4711\"\n",                                "",                             11},
	};

	begin("14.1");
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct elem *answer = search(cases[i].query, cases[i].options);

		if (status(answer) != cases[i].status)
			fail_msg("%s%sgives %u, not %u", cases[i].query, cases[i].options,
				status(answer), cases[i].status);
	}
	assert_int_equal(elem_u32(search(TEXT("x"), "      airsyncbase:BodyPartPreference\n"
						    "        airsyncbase:Type \"1\"\n"),
				 SEARCH_STATUS, 0),
		164);
	end();
}

/* C60 */
static void test_other_stores(void **state UNUSED)
{
	const struct elem *answer;

	begin("2.5");
	/* There is no address book: nobody is found. */
	answer = phone_post(&p, "Search",
		"search:Search\n  search:Store\n    search:Name \"GAL\"\n"
		"    search:Query \"ann\"\n");
	assert_int_equal(status(answer), 1);
	assert_int_equal(elem_u32(store(answer), SEARCH_TOTAL, 9), 0);
	answer = phone_post(&p, "Search",
		"search:Search\n  search:Store\n    search:Name \"Mailbox\"\n"
		"    search:Query\n      search:FreeText \"x\"\n");
	assert_int_equal(status(answer), 2);
	p.version = "14.1";
	answer = phone_post(&p, "Search",
		"search:Search\n  search:Store\n    search:Name \"DocumentLibrary\"\n"
		"    search:Query\n");
	assert_int_equal(status(answer), 5);
	end();
}

/* The messages of one conversation, wherever they are. */
static void test_a_conversation_is_found_by_its_id(void **state UNUSED)
{
	static const char hex[] = "0123456789abcdef";
	unsigned char id[EMAIL_CONVERSATION_ID];
	char text[2 * EMAIL_CONVERSATION_ID + 1] = "";

	begin("14.1");
	(void)fake_mail_add(e.mail, "Trash", 0, 6000,
		"Subject: answer\nMessage-ID: <a@x>\nReferences: <fourth@x> <z@x>\n\nx\n");
	email_conversation_id(STR("Message-ID: <fourth@x>\r\n"), a, id);
	for (size_t i = 0; i < sizeof(id); i++) {
		text[2 * i] = hex[id[i] >> 4];
		text[2 * i + 1] = hex[id[i] & 15];
	}
	(void)finds(arena_printf(a,
			    "      search:And\n        airsync:Class \"Email\"\n"
			    "        search:ConversationId x\"%s\"\n",
			    text)
			    .p,
		"", "answer fourth");
	(void)finds("      search:And\n        search:ConversationId x\"00\"\n", "", "");
	/* C64: and moved as a whole. */
	assert_non_null(phone_post(&p, "ItemOperations",
		arena_printf(a,
			"itemoperations:ItemOperations\n  itemoperations:Move\n"
			"    itemoperations:ConversationId x\"%s\"\n"
			"    itemoperations:DstFldId \"%s\"\n"
			"    itemoperations:Options\n      itemoperations:MoveAlways\n",
			text, phone_folder_named(&p, "Work")->id)
			.p));
	assert_int_equal(fake_mail_count(e.mail, "Work"), 3);
	assert_int_equal(fake_mail_count(e.mail, "Work/Old"), 0);
	end();
}

static void dump(const struct mail_term *t, struct buf *b)
{
	static const char *const names[] = {"and", "or", "not", "text", "body", "subject",
		"from", "to", "cc", "header", "since", "before", "unread", "flagged"};

	for (; t; t = t->next) {
		buf_addf(b, "%s", names[t->kind]);
		if (t->text.n)
			buf_addf(b, ":%.*s", STR_FMT(t->text));
		if (t->child) {
			buf_addc(b, '(');
			dump(t->child, b);
			buf_addc(b, ')');
		}
		if (t->next)
			buf_addc(b, ' ');
	}
}

/* C84: what iOS and people write. */
static void test_queries_of_all_kinds(void **state UNUSED)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{"word",                      "text:word"						     },
		{"two words",                 "and(text:two text:words)"                                      },
		{"\"a phrase\" more",         "and(text:a phrase text:more)"                                  },
		{"to:\"Test\" OR cc:\"Test\" OR from:\"Test\" OR subject:\"Test\" OR \"Test\" OR "
		 "\"Test\"", "or(to:Test cc:Test from:Test subject:Test text:Test text:Test)"},
		{"a OR b c",                  "or(text:a and(text:b text:c))"                                 },
		{"(a OR b) c",                "and(or(text:a text:b) text:c)"                                 },
		{"a AND NOT b",               "and(text:a not(text:b))"                                       },
		{"a -b",                      "and(text:a not(text:b))"                                       },
		{"pre*",                      "text:pre"						      },
		{"participants:x",            "or(from:x to:x cc:x)"                                          },
		{"isread:false",              "unread"							},
		{"isread:true",               "not(unread)"						   },
		{"a@x.test",                  "text:a@x.test"						 },
		{"12:30",                     "text:12:30"						    },
		{"OR",			""							      },
		{"",			  ""							      },
		{"   ",                       ""							      },
		{"\"\"",                      ""							      },
		{"from:",                     ""							      },
		{"((((",                      ""							      },
		{")))) a",                    "text:a"							},
		{"a ) b",                     "and(text:a text:b)"                                            },
		{"NOT",                       ""							      },
	};

	a = arena_new();
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf b;

		buf_init(&b, BUF_MAX_LINE);
		dump(kql_parse(str_of(cases[i].text), a), &b);
		if (!str_is(buf_str(&b), cases[i].want))
			fail_msg("\"%s\" is %.*s, not %s", cases[i].text, STR_FMT(buf_str(&b)),
				cases[i].want);
		buf_release(&b);
	}
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words_are_found_in_all_folders),
		cmocka_unit_test(test_conditions_narrow_it),
		cmocka_unit_test(test_pages_are_of_one_list),
		cmocka_unit_test(test_a_long_id_is_good_for_everything),
		cmocka_unit_test(test_every_refusal_has_its_status),
		cmocka_unit_test(test_other_stores),
		cmocka_unit_test(test_a_conversation_is_found_by_its_id),
		cmocka_unit_test(test_queries_of_all_kinds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
