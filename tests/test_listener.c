/*
 * The listener without servers: what it says to an IMAP server and makes of the answers, what
 * becomes of events on their way, who watches whom, what a mail server may tell.
 */
#include "listener/batch.h"
#include "listener/dialogue.h"
#include "listener/owner.h"
#include "listener/told.h"
#include "store/imap/reply.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* --- the dialogue: what was told, as one line of text */

struct talk {
	struct dialogue d; /* first */
	struct buf told;
};

static void on_stands(struct dialogue *d, struct str path, const struct mail_mark *m,
	enum event_how how, bool forced)
{
	struct talk *t = (struct talk *)d;

	buf_addf(&t->told, "%.*s:%u/%u/%u/%llu%c%s ", STR_FMT(path), m->uidvalidity, m->uidnext,
		m->messages, (unsigned long long)m->modseq, "fan"[how], forced ? "!" : "");
}

static void on_hierarchy(struct dialogue *d)
{
	buf_adds(&((struct talk *)d)->told, "folders ");
}

static void on_established(struct dialogue *d)
{
	buf_adds(&((struct talk *)d)->told, "established ");
}

static const struct dialogue_ops ops = {on_stands, on_hierarchy, on_established};

static void talk_init(struct talk *t)
{
	dialogue_init(&t->d, &ops);
	t->d.notify = true;
	t->d.round_ms = 60000;
	buf_init(&t->told, BUF_MAX_LINE);
}

static void talk_release(struct talk *t)
{
	dialogue_release(&t->d);
	buf_release(&t->told);
}

/* The server says these lines, '|' between; then what we say and what was told is as expected.
 */
static void hear(
	struct talk *t, int64_t now, const char *lines, const char *says, const char *tells)
{
	struct str rest = str_of(lines), line;
	struct err err = ERR_INIT;

	while (rest.n && str_next(&rest, '|', &line))
		if (dialogue_response(&t->d, line, now, &err))
			fail_msg("%s", err.text);
	assert_string_equal(t->d.out.n ? t->d.out.p : "", says);
	assert_string_equal(t->told.n ? t->told.p : "", tells);
	buf_reset(&t->d.out);
	buf_reset(&t->told);
}

static void tick(struct talk *t, int64_t now, const char *says)
{
	struct err err = ERR_INIT;

	if (dialogue_tick(&t->d, now, 30000, &err))
		fail_msg("%s", err.text);
	assert_string_equal(t->d.out.n ? t->d.out.p : "", says);
	buf_reset(&t->d.out);
}

#define EVENTS     "(MessageNew MessageExpunge FlagChange MailboxName SubscriptionChange)"
#define NOTIFY_SET "NOTIFY SET STATUS (personal " EVENTS ")\r\n"

enum { ALL = CAP_CONDSTORE | CAP_QRESYNC | CAP_NOTIFY | CAP_IDLE | CAP_LIST_STATUS };

static void to_notify(struct talk *t)
{
	dialogue_begin(&t->d, true, ALL, 0);
	hear(t, 0, "* ENABLED QRESYNC|L1 OK enabled", "L1 ENABLE QRESYNC\r\nL2 " NOTIFY_SET,
		"");
	hear(t, 0,
		"* STATUS INBOX (MESSAGES 2 UIDNEXT 9 UIDVALIDITY 5 UNSEEN 0 HIGHESTMODSEQ 70)"
		"|* STATUS \"F&APw-r\" (MESSAGES 0 UIDNEXT 1 UIDVALIDITY 6 HIGHESTMODSEQ 1)"
		"|L2 OK",
		"", "INBOX:5/9/2/70a F\xc3\xbcr:6/1/0/1a established ");
	assert_true(dialogue_is_told(&t->d));
}

static void test_with_notify_numbers_that_are_missing_are_the_old_ones(void **state UNUSED)
{
	struct talk t;

	talk_init(&t);
	to_notify(&t);
	hear(&t, 1, "* STATUS INBOX (MESSAGES 3 UIDNEXT 10 HIGHESTMODSEQ 71)", "",
		"INBOX:5/10/3/71a ");
	hear(&t, 2, "* STATUS inbox (UNSEEN 0 HIGHESTMODSEQ 72)", "", "INBOX:5/10/3/72f ");
	hear(&t, 3, "* STATUS INBOX (HIGHESTMODSEQ 72)|* OK Still here", "", "");
	talk_release(&t);
}

static void test_with_notify_a_new_folder_is_asked_after(void **state UNUSED)
{
	struct talk t;

	talk_init(&t);
	to_notify(&t);
	hear(&t, 1, "* LIST (\\HasNoChildren) \"/\" {4}\r\nN\xc3\xa4h",
		"L3 STATUS \"N&AOQ-h\" (MESSAGES UIDNEXT UIDVALIDITY HIGHESTMODSEQ)\r\n",
		"folders ");
	hear(&t, 1,
		"* STATUS N&AOQ-h (MESSAGES 0 UIDNEXT 1 UIDVALIDITY 8 HIGHESTMODSEQ 1)|L3 OK",
		"", "N\xc3\xa4h:8/1/0/1a ");
	hear(&t, 2, "* LIST () \"/\" new (\"OLDNAME\" (N&AOQ-h))",
		"L4 STATUS \"new\" (MESSAGES UIDNEXT UIDVALIDITY HIGHESTMODSEQ)\r\n",
		"folders ");
	assert_null(marks_find(&t.d.marks, STR("N\xc3\xa4h")));
	hear(&t, 2, "L4 NO gone already|* LIST (\\NonExistent) \"/\" new", "", "folders ");
	assert_null(marks_find(&t.d.marks, STR("new")));
	/* It asks nothing of what cannot be opened. */
	hear(&t, 3, "* LIST (\\Noselect) \"/\" top", "", "folders ");
	talk_release(&t);
}

static void test_after_a_lost_connection_the_difference_is_told(void **state UNUSED)
{
	struct talk t;

	talk_init(&t);
	to_notify(&t);
	dialogue_begin(&t.d, true, ALL, 10);
	hear(&t, 10, "L1 OK", "L1 ENABLE QRESYNC\r\nL2 " NOTIFY_SET, "");
	hear(&t, 10,
		"* STATUS INBOX (MESSAGES 2 UIDNEXT 9 UIDVALIDITY 5 HIGHESTMODSEQ 77)|L2 OK",
		"", "INBOX:5/9/2/77f folders established ");
	talk_release(&t);
}

static void test_a_silent_connection_is_kept_alive_or_given_up(void **state UNUSED)
{
	struct talk t;

	talk_init(&t);
	to_notify(&t);
	tick(&t, 599000, "");
	tick(&t, 600000, "L3 NOOP\r\n");
	hear(&t, 600100, "L3 OK", "", "");
	tick(&t, 1200100, "L4 NOOP\r\n");
	assert_int_equal(dialogue_tick(&t.d, 1230000, 30000, NULL), RC_OK);
	assert_int_equal(dialogue_tick(&t.d, 1240000, 30000, NULL), RC_UNAVAILABLE);
	assert_int_equal(
		dialogue_response(&t.d, STR("* OK [NOTIFICATIONOVERFLOW] too much"), 0, NULL),
		RC_UNAVAILABLE);
	assert_int_equal(
		dialogue_response(&t.d, STR("* BYE shutting down"), 0, NULL), RC_UNAVAILABLE);
	talk_release(&t);
}

#define LIST_STATUS                                                                            \
	"LIST \"\" \"*\" RETURN (STATUS (MESSAGES UIDNEXT UIDVALIDITY HIGHESTMODSEQ))\r\n"

static void test_a_server_that_refuses_notify_is_watched_with_idle(void **state UNUSED)
{
	struct talk t;

	talk_init(&t);
	dialogue_begin(&t.d, false, 0, 0);
	hear(&t, 0,
		"* CAPABILITY IMAP4rev1 CONDSTORE IDLE NOTIFY LIST-STATUS|L1 OK|L2 OK|L3 BAD no",
		"L1 CAPABILITY\r\nL2 ENABLE CONDSTORE\r\nL3 " NOTIFY_SET "L4 EXAMINE INBOX\r\n",
		"");
	hear(&t, 0, "* 2 EXISTS|* OK [UIDVALIDITY 5]|L4 OK [READ-ONLY]", "L5 " LIST_STATUS, "");
	hear(&t, 0,
		"* LIST () \"/\" INBOX"
		"|* STATUS INBOX (MESSAGES 2 UIDNEXT 9 UIDVALIDITY 5 HIGHESTMODSEQ 70)"
		"|* LIST (\\Noselect) \"/\" top|L5 OK",
		"L6 IDLE\r\n", "INBOX:5/9/2/70a established ");
	assert_false(dialogue_is_told(&t.d));
	/* Something came before the server was ready for DONE. */
	hear(&t, 1, "* 3 EXISTS", "", "");
	hear(&t, 1, "+ idling", "DONE\r\n", "");
	hear(&t, 1, "* 1 RECENT|L6 OK",
		"L7 STATUS \"INBOX\" (MESSAGES UIDNEXT UIDVALIDITY HIGHESTMODSEQ)\r\n", "");
	hear(&t, 1,
		"* STATUS INBOX (MESSAGES 3 UIDNEXT 10 UIDVALIDITY 5 HIGHESTMODSEQ 71)|L7 OK",
		"L8 IDLE\r\n", "INBOX:5/10/3/71a ");
	hear(&t, 2, "+ idling", "", "");
	tick(&t, 59999, "");
	tick(&t, 60000, "DONE\r\n");
	hear(&t, 60000, "L8 OK", "L9 " LIST_STATUS, "");
	hear(&t, 60000,
		"* LIST () \"/\" INBOX|* STATUS INBOX (MESSAGES 3 UIDNEXT 10 UIDVALIDITY 5 "
		"HIGHESTMODSEQ 71)|* LIST () \"/\" more"
		"|* STATUS more (MESSAGES 0 UIDNEXT 1 UIDVALIDITY 7 HIGHESTMODSEQ 1)|L9 OK",
		"L10 IDLE\r\n", "folders more:7/1/0/1a folders ");
	talk_release(&t);
}

static void test_folders_of_others_are_watched_as_well(void **state UNUSED)
{
	static const char namespaces[] =
		"* NAMESPACE ((\"\" \"/\")) ((\"~\" \"/\")) ((\"F&APw-r/\" \"/\"))|L1 OK";
	struct talk t;

	talk_init(&t);
	t.d.foreign = true;
	dialogue_begin(&t.d, true, CAP_NAMESPACE | CAP_NOTIFY, 0);
	hear(&t, 0, namespaces,
		"L1 NAMESPACE\r\nL2 NOTIFY SET STATUS (personal " EVENTS
		") (subtree (\"~\" \"F&APw-r\") " EVENTS ")\r\n",
		"");
	dialogue_begin(&t.d, true, CAP_NAMESPACE, 0);
	hear(&t, 0, namespaces, "L1 NAMESPACE\r\nL2 EXAMINE INBOX\r\n", "");
	hear(&t, 0, "L2 OK",
		"L3 LIST \"\" \"*\"\r\nL4 LIST \"\" \"~*\"\r\nL5 LIST \"\" \"F&APw-r/*\"\r\n",
		"");
	talk_release(&t);
}

/* No LIST-STATUS, no CONDSTORE, no IDLE. */
static void test_the_least_of_servers_is_asked_for_each_folder(void **state UNUSED)
{
	struct talk t;

	talk_init(&t);
	dialogue_begin(&t.d, true, CAP_IDLE, 0);
	hear(&t, 0, "* 2 EXISTS|L1 OK", "L1 EXAMINE INBOX\r\nL2 LIST \"\" \"*\"\r\n", "");
	hear(&t, 0, "* LIST () \"/\" INBOX|* LIST () \"/\" \"a b\"|L2 OK",
		"L3 STATUS \"INBOX\" (MESSAGES UIDNEXT UIDVALIDITY)\r\n"
		"L4 STATUS \"a b\" (MESSAGES UIDNEXT UIDVALIDITY)\r\n",
		"");
	hear(&t, 0, "* STATUS INBOX (MESSAGES 2 UIDNEXT 9 UIDVALIDITY 5)|L3 OK|L4 NO not now",
		"L5 IDLE\r\n", "INBOX:5/9/2/0a established ");
	/* A change of flags shows in no number. */
	hear(&t, 1, "+ idling|* 1 FETCH (FLAGS (\\Seen))|L5 OK",
		"DONE\r\nL6 STATUS \"INBOX\" (MESSAGES UIDNEXT UIDVALIDITY)\r\n", "");
	hear(&t, 1, "* STATUS INBOX (MESSAGES 2 UIDNEXT 9 UIDVALIDITY 5)|L6 OK", "L7 IDLE\r\n",
		"INBOX:5/9/2/0f! ");
	talk_release(&t);
}

static void test_a_server_that_speaks_nonsense_is_left(void **state UNUSED)
{
	struct talk t;

	talk_init(&t);
	to_notify(&t);
	assert_int_equal(dialogue_response(&t.d, STR("L9 OK"), 1, NULL), RC_INVALID);
	assert_int_equal(dialogue_response(&t.d, STR("* STATUS ("), 1, NULL), RC_INVALID);
	hear(&t, 1,
		"* STATUS|* STATUS INBOX|* STATUS INBOX ()|* LIST|* LIST () \"/\""
		"|* LIST () \"/\" \"\"|* 7",
		"", "");
	talk_release(&t);
}

/* --- events on their way */

static struct event event(
	const char *path, enum event_how how, uint32_t uidvalidity, uint32_t uidnext)
{
	return (struct event){
		STR("a@b"), str_of(path), how, {.uidvalidity = uidvalidity, .uidnext = uidnext},
		false
        };
}

static void test_events_of_a_folder_are_joined(void **state UNUSED)
{
	static const struct {
		const char *name;
		struct {
			enum event_how how;
			uint32_t uidvalidity, uidnext;
		} first, second, joined;
		bool forced;
	} cases[] = {
		{"two kinds are an addition",           {EVENT_OTHER, 5, 9},     {EVENT_ADDED, 5, 10},
                 {EVENT_ADDED, 5, 10},											 false},
		{"the newest mark wins",                {EVENT_DELIVERED, 5, 9}, {EVENT_OTHER, 5, 9},
                 {EVENT_ADDED, 5, 9},											  false},
		{"the highest UID",                     {EVENT_DELIVERED, 0, 9}, {EVENT_DELIVERED, 0, 7},
                 {EVENT_DELIVERED, 0, 9},										      false},
		{"a flag and a mail that may be known", {EVENT_OTHER, 0, 0},
                 {EVENT_DELIVERED, 0, 9},								 {EVENT_ADDED, 0, 9}, false},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct batch b;
		struct event first = event("x", cases[i].first.how, cases[i].first.uidvalidity,
				     cases[i].first.uidnext),
			     second = event("x", cases[i].second.how,
				     cases[i].second.uidvalidity, cases[i].second.uidnext);

		batch_init(&b);
		batch_add(&b, &first);
		batch_add(&b, &second);
		if (b.n != 1 || b.v[0].how != cases[i].joined.how ||
			b.v[0].mark.uidvalidity != cases[i].joined.uidvalidity ||
			b.v[0].mark.uidnext != cases[i].joined.uidnext ||
			b.v[0].forced != cases[i].forced)
			fail_msg("%s", cases[i].name);
		batch_release(&b);
	}
}

static void test_a_batch_is_bounded_and_can_be_used_again(void **state UNUSED)
{
	struct batch b;

	batch_init(&b);
	for (unsigned round = 0; round < 2; round++) {
		for (unsigned i = 0; i < BATCH_MOST + 100; i++) {
			char path[32];
			struct event e;

			(void)snprintf(path, sizeof(path), "folder %u", i);
			e = event(path, EVENT_OTHER, 0, 0);
			batch_add(&b, &e);
		}
		assert_int_equal(b.n, BATCH_MOST);
		assert_true(b.over);
		assert_true(str_is(b.v[BATCH_MOST - 1].path, "folder 19999"));
		batch_reset(&b);
		assert_true(batch_empty(&b) && !b.over);
	}
	batch_add_hierarchy(&b, STR("a@b"));
	batch_add_hierarchy(&b, STR("a@b"));
	assert_int_equal(b.nhierarchies, 1);
	/* PostgreSQL would refuse all of them for the one. */
	batch_add(&b, &(struct event){.login = STR("a@b"), .path = STR("\xff")});
	assert_int_equal(b.n, 0);
	batch_release(&b);
}

/* --- whose is an account */

static unsigned owner(const struct str *v, size_t n, int64_t account)
{
	unsigned found = 99;

	for (unsigned i = 0; i < n; i++)
		if (owner_is(v, n, v[i], account)) {
			assert_int_equal(found, 99);
			found = i;
		}
	assert_int_not_equal(found, 99);
	return found;
}

static void test_accounts_are_shared_and_few_change_hands(void **state UNUSED)
{
	static const struct str ids[] = {
		STR("host-1-aa"), STR("host-2-bb"), STR("other-7-cc"), STR("other-8-dd")};
	unsigned count[4] = {0}, moved = 0;

	for (int64_t account = 1; account <= 4000; account++) {
		unsigned four = owner(ids, 4, account), three = owner(ids, 3, account);

		count[four]++;
		if (four != 3 && three != four)
			moved++;
	}
	for (size_t i = 0; i < 4; i++)
		assert_in_range(count[i], 800, 1200);
	assert_int_equal(moved, 0);
	assert_true(owner_is(NULL, 0, STR("alone"), 5));
}

/* --- what a mail server tells */

static void test_both_forms_of_an_event_are_read(void **state UNUSED)
{
	struct arena *a = arena_new();
	struct told_list list;

	assert_int_equal(
		told_read(STR("{\"user\":\"Bob\",\"events\":["
			      "{\"event\":\"MessageNew\",\"folder\":\"inbox\",\"uid\":7},"
			      "{\"event\":\"FlagsSet\",\"folder\":\"F\xc3\xbcr\",\"uid\":7},"
			      "{\"event\":\"MessageNew\"},{\"event\":\"Login\"},7,"
			      "{\"event\":\"MailboxRename\",\"folder\":\"x\"}]}"),
			STR("example.test"), a, &list, NULL),
		RC_OK);
	assert_int_equal(list.n, 3);
	assert_true(str_is(list.v[0].event.login, "bob@example.test"));
	assert_true(str_is(list.v[0].event.path, "INBOX"));
	assert_int_equal(list.v[0].event.how, EVENT_DELIVERED);
	assert_int_equal(list.v[0].event.mark.uidnext, 8);
	assert_int_equal(list.v[0].event.mark.uidvalidity, 0);
	assert_true(str_is(list.v[1].event.path, "F\xc3\xbcr"));
	assert_int_equal(list.v[1].event.how, EVENT_OTHER);
	assert_int_equal(list.v[1].event.mark.uidnext, 0);
	assert_true(list.v[2].hierarchy);
	assert_int_equal(told_read(STR("{\"user\":\"a@b\",\"event\":\"messageNew\","
				       "\"folder\":\"INBOX\",\"imap-uid\":3,\"unseen\":1}"),
				 STR("example.test"), a, &list, NULL),
		RC_OK);
	assert_int_equal(list.n, 1);
	assert_true(str_is(list.v[0].event.login, "a@b"));
	assert_int_equal(list.v[0].event.mark.uidnext, 4);
	arena_free(a);
}

static void test_what_is_no_event_is_refused(void **state UNUSED)
{
	static const struct str cases[] = {STR(""), STR("x"), STR("[]"), STR("{}"), STR("null"),
		STR("{\"user\":7}"), STR("{\"user\":\"a\",\"events\":7}"),
		STR("{\"user\":\"a\\u0000b\",\"events\":[]}"), STR("{\"user\":\"\xff\"}"),
		STR("{\"user\":\"a\"} and more")};
	struct arena *a = arena_new();
	struct told_list list;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		if (told_read(cases[i], STR("d"), a, &list, NULL) != RC_INVALID)
			fail_msg("case %zu", i);
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_with_notify_numbers_that_are_missing_are_the_old_ones),
		cmocka_unit_test(test_with_notify_a_new_folder_is_asked_after),
		cmocka_unit_test(test_after_a_lost_connection_the_difference_is_told),
		cmocka_unit_test(test_a_silent_connection_is_kept_alive_or_given_up),
		cmocka_unit_test(test_a_server_that_refuses_notify_is_watched_with_idle),
		cmocka_unit_test(test_folders_of_others_are_watched_as_well),
		cmocka_unit_test(test_the_least_of_servers_is_asked_for_each_folder),
		cmocka_unit_test(test_a_server_that_speaks_nonsense_is_left),
		cmocka_unit_test(test_events_of_a_folder_are_joined),
		cmocka_unit_test(test_a_batch_is_bounded_and_can_be_used_again),
		cmocka_unit_test(test_accounts_are_shared_and_few_change_hands),
		cmocka_unit_test(test_both_forms_of_an_event_are_read),
		cmocka_unit_test(test_what_is_no_event_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
