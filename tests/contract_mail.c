#include "tests/contract_mail.h"

#include "tests/support_story.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define INBOX STR("INBOX")
#define TRASH STR("Trash")

static struct arena *a;
static struct err err;

static void ok(enum rc rc)
{
	if (rc)
		fail_msg("%s: %s", rc_name(rc), err.text);
}

static uint32_t add(struct mail *m, struct str folder, unsigned flags, const char *subject)
{
	return story_append(m, folder.p, flags, 1700000000, subject);
}

static void look(
	struct mail *m, struct str folder, const struct mail_look *l, struct mail_delta *r)
{
	ok(mail_call(m, look, folder, l, a, r, &err));
}

static void first_look(struct mail *m, struct str folder, struct mail_delta *r)
{
	look(m, folder, &(struct mail_look){.search = true, .newest = 100}, r);
}

static const struct mail_summary *summary(const struct mail_delta *d, uint32_t uid)
{
	for (size_t i = 0; i < d->summaries.n; i++)
		if (d->summaries.v[i].flags.uid == uid)
			return &d->summaries.v[i];
	return NULL;
}

static unsigned flags_of(struct mail *m, struct str folder, uint32_t uid)
{
	struct mail_delta d;

	first_look(m, folder, &d);
	return summary(&d, uid) ? summary(&d, uid)->flags.flags : ~0u;
}

static void folders_are_listed(struct mail *m)
{
	struct mail_folders f;
	bool inbox = false, trash = false;

	ok(mail_call(m, list, a, &f, &err));
	for (size_t i = 0; i < f.n; i++) {
		inbox = inbox ||
			(str_is(f.v[i].path, "INBOX") && f.v[i].use == MAIL_USE_INBOX &&
				f.v[i].selectable && f.v[i].uidvalidity);
		trash = trash || (str_is(f.v[i].path, "Trash") && f.v[i].use == MAIL_USE_TRASH);
	}
	assert_true(inbox && trash);
}

static void marks_change_with_the_folder(struct mail *m)
{
	struct mail_mark before, after, many[2];
	struct str folders[] = {INBOX, STR("nothing of the kind")};
	enum rc rcs[2];
	uint32_t uid;
	struct uidset one;

	ok(mail_call(m, status, INBOX, &before, &err));
	uid = add(m, INBOX, 0, "a mark");
	ok(mail_call(m, status, INBOX, &after, &err));
	assert_int_equal(after.messages, before.messages + 1);
	assert_true(after.uidnext > before.uidnext);
	assert_int_equal(after.uidvalidity, before.uidvalidity);
	ok(mail_call(m, status_many, folders, 2, many, rcs, &err));
	assert_int_equal(rcs[0], RC_OK);
	assert_int_equal(rcs[1], RC_ABSENT);
	assert_int_equal(many[0].uidnext, after.uidnext);
	assert_int_equal(mail_call(m, status, folders[1], &after, &err), RC_ABSENT);
	uidset_init(&one, a);
	uidset_add(&one, uid ? uid : many[0].uidnext - 1);
	ok(mail_call(m, remove, INBOX, 0, &one, &err));
	ok(mail_call(m, status, INBOX, &after, &err));
	assert_int_equal(after.messages, before.messages);
}

/* UIDs of three new messages. */
static void three(struct mail *m, uint32_t uid[3])
{
	struct mail_mark mark;

	ok(mail_call(m, status, INBOX, &mark, &err));
	(void)add(m, INBOX, 0, "one");
	(void)add(m, INBOX, MAIL_SEEN, "two");
	(void)add(m, INBOX, MAIL_FLAGGED, "three");
	for (uint32_t i = 0; i < 3; i++)
		uid[i] = mark.uidnext + i;
}

static void a_first_look_shows_all(struct mail *m, const uint32_t uid[3], struct mail_delta *d)
{
	first_look(m, INBOX, d);
	assert_int_equal(uidset_count(&d->scope), 3);
	assert_int_equal(d->summaries.n, 3);
	assert_int_equal(summary(d, uid[0])->flags.flags, 0);
	assert_int_equal(summary(d, uid[1])->flags.flags, MAIL_SEEN);
	assert_int_equal(summary(d, uid[2])->flags.flags, MAIL_FLAGGED);
	assert_int_equal(summary(d, uid[0])->received, 1700000000);
	assert_non_null(summary(d, uid[0])->root);
	assert_true(str_search(summary(d, uid[2])->header, STR("Subject: three")) <
		    summary(d, uid[2])->header.n);
}

static struct mail_flags *told(struct mail_delta *d, uint32_t uid)
{
	for (size_t i = 0; i < d->nflags; i++)
		if (d->flags[i].uid == uid)
			return &d->flags[i];
	return NULL;
}

/* The next look tells what came, what went and what flags may have changed, once. */
static void the_next_look_tells_the_difference(
	struct mail *m, const uint32_t uid[3], struct mail_delta *d)
{
	struct mail_flag_change change = {.uid = uid[0], .set = MAIL_SEEN};
	struct mail_look l = {.since = d->mark};
	struct uidset held, gone;
	struct mail_delta next;

	uidset_init(&held, a);
	uidset_init(&gone, a);
	for (size_t i = 0; i < 3; i++)
		uidset_add(&held, uid[i]);
	l.held = &held;
	uidset_add(&gone, uid[1]);
	ok(mail_call(m, store, INBOX, d->mark.uidvalidity, &change, 1, &err));
	assert_false(change.absent);
	ok(mail_call(m, remove, INBOX, d->mark.uidvalidity, &gone, &err));
	(void)add(m, INBOX, 0, "four");
	look(m, INBOX, &l, &next);
	assert_false(next.reset);
	assert_int_equal(uidset_count(&next.arrived), 1);
	assert_int_equal(uidset_count(&next.vanished), 1);
	assert_true(uidset_has(&next.vanished, uid[1]));
	assert_non_null(told(&next, uid[0]));
	assert_int_equal(told(&next, uid[0])->flags, MAIL_SEEN);
	uidset_remove(&held, uid[1]);
	uidset_union(&held, &next.arrived);
	l.since = next.mark;
	look(m, INBOX, &l, d);
	assert_int_equal(uidset_count(&d->arrived), 0);
	assert_int_equal(uidset_count(&d->vanished), 0);
}

static void changes_name_their_uidvalidity(struct mail *m, const uint32_t uid[3], uint32_t v)
{
	struct mail_flag_change change = {.uid = uid[0], .set = MAIL_ANSWERED};
	struct mail_move mv = {.uid = uid[0]};
	struct uidset one;

	uidset_init(&one, a);
	uidset_add(&one, uid[0]);
	assert_int_equal(mail_call(m, store, INBOX, v + 1, &change, 1, &err), RC_CONFLICT);
	assert_int_equal(mail_call(m, move, INBOX, v + 1, TRASH, &mv, 1, &err), RC_CONFLICT);
	assert_int_equal(mail_call(m, remove, INBOX, v + 1, &one, &err), RC_CONFLICT);
	assert_int_equal(flags_of(m, INBOX, uid[0]), MAIL_SEEN);
}

static void flags_are_set_and_cleared(struct mail *m, const uint32_t uid[3])
{
	struct mail_flag_change v[] = {
		{.uid = uid[0], .set = MAIL_FLAGGED | MAIL_FORWARDED, .clear = MAIL_SEEN},
		{.uid = uid[1],             .set = MAIL_SEEN                                    },
	};

	ok(mail_call(m, store, INBOX, 0, v, 2, &err));
	assert_false(v[0].absent);
	assert_true(v[1].absent);
	assert_int_equal(flags_of(m, INBOX, uid[0]), MAIL_FLAGGED | MAIL_FORWARDED);
}

static void parts_come_as_asked(struct mail *m, const uint32_t uid[3])
{
	struct mail_part_request v[] = {
		{.uid = uid[0],       .section = STR("1")},
		{.uid = uid[0],       .section = STR("1"), .offset = 5, .length = 2},
		{.uid = uid[0],        .section = STR("")                          },
		{.uid = uid[1],.section = STR("1")},
	};
	struct buf_sink sink;
	struct buf b;

	ok(mail_call(m, parts, INBOX, v, 4, a, &err));
	assert_true(str_is(v[0].bytes, "Body of one.\r\n"));
	assert_true(str_is(v[1].bytes, "of"));
	assert_true(str_starts(v[2].bytes, "From: Ann"));
	assert_null(v[3].bytes.p);
	assert_false(v[3].refused);
	buf_init(&b, BUF_MAX_TEXT);
	buf_sink_init(&sink, &b);
	ok(mail_call(m, stream, INBOX, uid[0], STR("1"), 5, 0, &sink.sink, &err));
	assert_true(str_is(buf_str(&b), "of one.\r\n"));
	assert_int_equal(mail_call(m, stream, INBOX, uid[1], STR("1"), 0, 0, &sink.sink, &err),
		RC_ABSENT);
	buf_release(&b);
}

static void empty(struct mail *m, struct str folder)
{
	struct mail_delta d;

	first_look(m, folder, &d);
	ok(mail_call(m, remove, folder, d.mark.uidvalidity, &d.scope, &err));
	first_look(m, folder, &d);
	assert_int_equal(uidset_count(&d.scope), 0);
}

/* What a forwarded message is called, and where its text is. */
static void a_message_in_a_message_has_its_subject(struct mail *m)
{
	struct str text = STR("Subject: outer\r\nMIME-Version: 1.0\r\n"
			      "Content-Type: multipart/mixed; boundary=b\r\n\r\n"
			      "--b\r\nContent-Type: message/rfc822\r\n\r\n"
			      "Subject: the inner one\r\n\r\ntext\r\n--b--\r\n");
	struct slice_source source;
	struct mail_delta d;
	uint32_t uid = 0;

	slice_source_init(&source, &text, 1);
	ok(mail_call(m, append, INBOX, 0, 1700000000, &source.source, &uid, &err));
	first_look(m, INBOX, &d);
	assert_int_equal(d.summaries.n, 1);
	assert_non_null(d.summaries.v[0].root->child);
	assert_true(str_is(d.summaries.v[0].root->child->subject, "the inner one"));
	assert_true(str_is(d.summaries.v[0].root->child->child->section, "1.1"));
	assert_null(d.summaries.v[0].root->child->child->subject.p);
	empty(m, INBOX);
}

/* Only what was asked for moves, whatever else is told on the way. */
static void only_what_was_asked_for_moves(struct mail *m, const uint32_t uid[3], bool uidplus)
{
	struct mail_move v[] = {{.uid = uid[0]}, {.uid = uid[1]}};
	struct mail_delta d;

	ok(mail_call(m, move, INBOX, 0, TRASH, v, 2, &err));
	assert_int_equal(v[0].rc, RC_OK);
	assert_int_equal(v[1].rc, RC_ABSENT);
	if (uidplus)
		assert_true(v[0].new_uid != 0);
	first_look(m, TRASH, &d);
	assert_int_equal(uidset_count(&d.scope), 1);
	if (uidplus)
		assert_int_equal(uidset_above(&d.scope, 0), v[0].new_uid);
	first_look(m, INBOX, &d);
	assert_int_equal(uidset_count(&d.scope), 2);
	assert_int_equal(
		mail_call(m, move, INBOX, 0, STR("no such folder"),
			&(struct mail_move){.uid = uidset_above(&d.scope, 0)}, 1, &err),
		RC_ABSENT);
	first_look(m, INBOX, &d);
	assert_int_equal(uidset_count(&d.scope), 2);
}

static bool has_folder(struct mail *m, struct str path)
{
	struct mail_folders f;

	ok(mail_call(m, list, a, &f, &err));
	for (size_t i = 0; i < f.n; i++)
		if (str_eq(f.v[i].path, path))
			return true;
	return false;
}

static void folders_are_made_renamed_and_erased(struct mail *m)
{
	struct str top, below, moved, none = {"", 0}, bad;

	ok(mail_call(m, join, none, STR("Projects \xc3\xbc"), a, &top, &err));
	ok(mail_call(m, join, top, STR("Old"), a, &below, &err));
	assert_int_equal(mail_call(m, join, none, STR("a\001b"), a, &bad, &err), RC_INVALID);
	assert_int_equal(mail_call(m, join, none, none, a, &bad, &err), RC_INVALID);
	ok(mail_call(m, create, top, MAIL_USE_NONE, &err));
	ok(mail_call(m, create, below, MAIL_USE_NONE, &err));
	assert_int_equal(mail_call(m, create, top, MAIL_USE_NONE, &err), RC_CONFLICT);
	(void)add(m, below, MAIL_SEEN, "kept through a renaming");
	ok(mail_call(m, join, none, STR("Done"), a, &moved, &err));
	assert_int_equal(mail_call(m, rename, top, TRASH, &err), RC_CONFLICT);
	assert_int_equal(mail_call(m, rename, moved, STR("Nowhere"), &err), RC_ABSENT);
	ok(mail_call(m, rename, top, moved, &err));
	assert_false(has_folder(m, top));
	ok(mail_call(m, join, moved, STR("Old"), a, &below, &err));
	assert_int_equal(flags_of(m, below, 1), MAIL_SEEN);
	ok(mail_call(m, erase, below, &err));
	ok(mail_call(m, erase, moved, &err));
	assert_int_equal(mail_call(m, erase, moved, &err), RC_ABSENT);
	assert_false(has_folder(m, moved));
}

static struct mail_flags one_flag(struct mail *m, uint32_t uid)
{
	struct mail_flag_list list;
	struct uidset uids;

	uidset_init(&uids, a);
	uidset_add(&uids, uid);
	uidset_add(&uids, 4000000000u);
	ok(mail_call(m, flags, INBOX, &uids, a, &list, &err));
	assert_int_equal(list.n, 1);
	assert_int_equal(list.v[0].uid, uid);
	return list.v[0];
}

static void keywords_are_added_and_removed(struct mail *m, uint32_t uid)
{
	struct mail_flag_change change = {
		.uid = uid, .set = MAIL_SEEN, .add = STR("Red Green&AOQ-")};
	struct str words;

	ok(mail_call(m, store, INBOX, 0, &change, 1, &err));
	words = one_flag(m, uid).keywords;
	assert_true(str_search(words, STR("Red")) < words.n);
	assert_true(str_search(words, STR("Green&AOQ-")) < words.n);
	assert_int_equal(one_flag(m, uid).flags & MAIL_SEEN, MAIL_SEEN);
	change = (struct mail_flag_change){.uid = uid, .remove = STR("Red Unknown")};
	ok(mail_call(m, store, INBOX, 0, &change, 1, &err));
	words = one_flag(m, uid).keywords;
	assert_true(str_search(words, STR("Red")) == words.n);
	assert_true(str_search(words, STR("Green&AOQ-")) < words.n);
}

static struct mail_hits hits_of(struct mail *m, struct mail_term *what, unsigned newest)
{
	struct str folder = INBOX;
	struct mail_hits h;

	ok(mail_call(m, search, &folder, 1, what, newest, a, &h, &err));
	ok(h.rc);
	return h;
}

static void searches_find_what_is_there(struct mail *m, const uint32_t uid[3])
{
	struct mail_term two = {.kind = MAIL_TERM_SUBJECT, .text = STR("two")},
			 three = {.kind = MAIL_TERM_TEXT, .text = STR("three")},
			 umlaut = {.kind = MAIL_TERM_TEXT, .text = STR("\xc3\xbc \"x\\")};
	struct mail_term either = {.kind = MAIL_TERM_OR, .child = &two},
			 neither = {.kind = MAIL_TERM_NOT, .child = &either},
			 all = {.kind = MAIL_TERM_AND},
			 both = {.kind = MAIL_TERM_AND, .child = &two},
			 late = {.kind = MAIL_TERM_SINCE, .time = 1800000000},
			 early = {.kind = MAIL_TERM_BEFORE, .time = 1600000000};
	struct str folders[] = {INBOX, STR("nothing of the kind"), TRASH};
	struct mail_hits h, many[3];

	h = hits_of(m, &two, 10);
	assert_int_equal(h.total, 1);
	assert_int_equal(h.v[0].uid, uid[1]);
	assert_true(h.uidvalidity != 0);
	assert_int_equal(hits_of(m, &umlaut, 10).total, 0);
	two.next = &three;
	assert_int_equal(hits_of(m, &either, 10).total, 2);
	assert_int_equal(hits_of(m, &both, 10).total, 0);
	h = hits_of(m, &neither, 10);
	assert_int_equal(h.total, 1);
	assert_int_equal(h.v[0].uid, uid[0]);
	h = hits_of(m, &all, 2);
	assert_int_equal(h.total, 3);
	assert_int_equal(h.n, 2);
	assert_int_equal(h.v[0].uid, uid[2]);
	assert_int_equal(hits_of(m, &late, 2).total, 0);
	assert_int_equal(hits_of(m, &early, 2).total, 0);
	ok(mail_call(m, search, folders, 3, &either, 5, a, many, &err));
	assert_int_equal(many[0].n, 2);
	assert_int_equal(many[0].v[0].received, 1700000000);
	assert_true(many[1].rc != RC_OK);
	assert_int_equal(many[2].total, 0);
}

void contract_mail(struct mail *m, bool uidplus)
{
	struct mail_delta d;
	uint32_t uid[3];

	a = arena_new();
	folders_are_listed(m);
	marks_change_with_the_folder(m);
	three(m, uid);
	a_first_look_shows_all(m, uid, &d);
	searches_find_what_is_there(m, uid);
	the_next_look_tells_the_difference(m, uid, &d);
	changes_name_their_uidvalidity(m, uid, d.mark.uidvalidity);
	flags_are_set_and_cleared(m, uid);
	keywords_are_added_and_removed(m, uid[2]);
	parts_come_as_asked(m, uid);
	only_what_was_asked_for_moves(m, uid, uidplus);
	empty(m, INBOX);
	empty(m, TRASH);
	a_message_in_a_message_has_its_subject(m);
	assert_int_equal(mail_call(m, create, INBOX, MAIL_USE_NONE, &err), RC_CONFLICT);
	folders_are_made_renamed_and_erased(m);
	arena_free(a);
}
