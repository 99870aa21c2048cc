#include "tests/contract_state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static struct arena *a;
static struct err err;
static struct account ac, stranger;
static struct device d;
static struct folder book, other, recipients, inbox;

static void ok(enum rc rc)
{
	if (rc)
		fail_msg("%s: %s", rc_name(rc), err.text);
}

static void begin(struct state *s, const char *login, struct account *r)
{
	struct device seen = {.device_id = STR("one"),
		.type = STR("Phone"),
		.user_agent = STR("Test/1"),
		.version = V141};

	ok(state_call(s, begin, str_of(login), &seen, a, r, &d, &err));
}

static struct folder folder(const char *path, enum folder_kind kind)
{
	return (struct folder){
		.id = {"", 0},
		.path = str_of(path),
		.name = str_of(path),
		.parent = STR("0"),
		.mailbox_id = {"", 0},
		.kind = kind,
		.type = 14,
		.selectable = true
        };
}

static void folders_are_made(struct state *s, const char *login)
{
	struct folder v[] = {folder("/dav/book/", FOLDER_CONTACTS),
		folder("/dav/other/", FOLDER_CONTACTS), folder("ri", FOLDER_RECIPIENTS),
		folder("INBOX", FOLDER_MAIL), folder("Sent", FOLDER_MAIL)};
	struct folders f = {v, ARRAY_LEN(v), 0}, g;

	begin(s, "stranger@example.test", &stranger);
	begin(s, login, &ac);
	ok(state_call(s, folders_load, &ac, a, &g, &err));
	f.version = g.version;
	ok(state_call(s, folders_store, &ac, &f, a, &err));
	book = v[0];
	other = v[1];
	recipients = v[2];
	inbox = v[3];
	assert_true(str_is(recipients.id, "RI"));
	/* Its number is not given away to somebody else, and not missing either. */
	assert_true(str_is(v[0].id, "1"));
	assert_true(str_is(v[3].id, "3"));
	assert_true(str_is(v[4].id, "4"));
	ok(state_call(s, folder_get, &ac, STR("RI"), a, &recipients, &err));
	assert_int_equal(recipients.kind, FOLDER_RECIPIENTS);
}

static struct shadow shadow(struct state *s, const struct folder *f)
{
	struct shadow sh = {.folder = f->row};

	ok(state_call(s, shadows_load, &ac, &sh, 1, a, &err));
	assert_int_equal(sh.folder, f->row);
	return sh;
}

static enum rc seen(struct state *s, struct shadow *sh, const char *token, bool whole,
	struct dav_entry *v, size_t n)
{
	struct dav_changes ch = {.token = str_of(token), .whole = whole, .v = v, .n = n};

	return state_call(s, shadow_seen, &ac, sh, &ch, a, &err);
}

static struct items since(
	struct state *s, const int64_t *folders, size_t n, uint64_t version, size_t most)
{
	struct items r;

	ok(state_call(s, items_since, &ac, folders, n, version, most, a, &r, &err));
	for (size_t i = 0; i < r.n; i++)
		assert_true(r.v[i].version > (i ? r.v[i - 1].version : version));
	assert_true(r.n <= most);
	return r;
}

static struct item item(struct state *s, const struct folder *f, const char *href)
{
	struct items all = since(s, &f->row, 1, 0, 1000);

	for (size_t i = 0; i < all.n; i++)
		if (str_is(all.v[i].href, href))
			return all.v[i];
	fail_msg("there is no %s", href);
	abort();
}

static void what_is_new_gets_numbers_and_versions(struct state *s)
{
	struct dav_entry v[] = {
		{STR("/dav/book/1.vcf"),            STR("\"1\""), false},
		{STR("/dav/book/q\"u,o\\te{}.vcf"), STR("\"2\""), false},
		{STR("/dav/book/3.vcf"),            STR("\"3\""), false},
		{STR("/dav/book/never.vcf"),        STR(""),      true },
	};
	struct shadow sh = shadow(s, &book);
	struct items all;

	assert_int_equal(sh.token.n, 0);
	assert_int_equal(sh.version, 0);
	assert_int_equal(sh.purged, 0);
	ok(seen(s, &sh, "t1", true, v, ARRAY_LEN(v)));
	assert_true(str_is(sh.token, "t1"));
	all = since(s, &book.row, 1, 0, 1000);
	assert_int_equal(all.n, 3);
	for (size_t i = 0; i < all.n; i++) {
		assert_true(str_eq(all.v[i].href, v[i].href));
		assert_true(str_eq(all.v[i].etag, v[i].etag));
		assert_int_equal(all.v[i].folder, book.row);
		assert_false(all.v[i].gone);
		assert_true(all.v[i].number > 0);
		assert_true(i == 0 || all.v[i].number != all.v[i - 1].number);
	}
	assert_int_equal(sh.version, all.v[2].version);
	sh = shadow(s, &book);
	assert_true(str_is(sh.token, "t1"));
	assert_int_equal(sh.version, all.v[2].version);
}

/* A change gets a version of its own, what is the same none; of two who ask from one token the
 * second is told. */
static void a_token_is_spent_once(struct state *s)
{
	struct dav_entry v[] = {
		{STR("/dav/book/1.vcf"), STR("\"1\""),  false},
		{STR("/dav/book/3.vcf"), STR("\"3b\""), false},
	};
	struct shadow sh = shadow(s, &book), late = sh;
	struct item before = item(s, &book, "/dav/book/3.vcf"), after;
	uint64_t version = sh.version;

	ok(seen(s, &sh, "t2", false, v, 2));
	assert_int_equal(since(s, &book.row, 1, version, 1000).n, 1);
	after = item(s, &book, "/dav/book/3.vcf");
	assert_int_equal(after.number, before.number);
	assert_true(str_is(after.etag, "\"3b\""));
	assert_int_equal(sh.version, after.version);
	v[0].gone = true;
	assert_int_equal(seen(s, &late, "t3", false, v, 1), RC_CONFLICT);
	assert_int_equal(since(s, &book.row, 1, after.version, 1000).n, 0);
	assert_true(str_is(shadow(s, &book).token, "t2"));
	/* Only the token moved. */
	ok(seen(s, &sh, "t4", false, NULL, 0));
	assert_true(str_is(shadow(s, &book).token, "t4"));
	assert_int_equal(shadow(s, &book).version, after.version);
}

/* A whole list tells of what is gone by leaving it out; an href that comes back is the same
 * item, and the last word on a member counts. */
static void what_is_gone_may_come_back(struct state *s)
{
	struct dav_entry v[] = {
		{STR("/dav/book/1.vcf"), STR("\"1\""),  false},
		{STR("/dav/book/3.vcf"), STR(""),       true },
		{STR("/dav/book/3.vcf"), STR("\"3b\""), false},
	};
	struct shadow sh = shadow(s, &book);
	struct item was = item(s, &book, "/dav/book/1.vcf"), is;
	uint64_t version = sh.version;
	struct items news;

	ok(seen(s, &sh, "t5", true, v + 1, 2));
	news = since(s, &book.row, 1, version, 1000);
	assert_int_equal(news.n, 2);
	assert_true(news.v[0].gone && news.v[1].gone);
	assert_true(item(s, &book, "/dav/book/1.vcf").gone);
	assert_false(item(s, &book, "/dav/book/3.vcf").gone);
	version = sh.version;
	/* It is gone already. */
	v[0].gone = true;
	ok(seen(s, &sh, "t6", false, v, 1));
	assert_int_equal(sh.version, version);
	v[0].gone = false;
	ok(seen(s, &sh, "t7", false, v, 1));
	is = item(s, &book, "/dav/book/1.vcf");
	assert_false(is.gone);
	assert_int_equal(is.number, was.number);
	assert_true(is.version > version);
}

static void what_the_device_wrote_is_no_news_later(struct state *s)
{
	struct dav_entry v = {STR("/dav/book/own.vcf"), STR("\"own\""), false};
	struct shadow old = shadow(s, &book), sh;
	struct item it, again;

	ok(state_call(s, item_own, &ac, book.row, v.href, v.etag, false, a, &it, &err));
	assert_true(it.number > 0);
	assert_true(it.version > old.version);
	assert_true(str_eq(it.href, v.href) && str_eq(it.etag, v.etag));
	assert_int_equal(it.folder, book.row);
	sh = shadow(s, &book);
	assert_int_equal(sh.version, it.version);
	assert_true(str_eq(sh.token, old.token));
	/* Who has listed the collection before that may not know of it. */
	assert_int_equal(seen(s, &old, "t7b", true, NULL, 0), RC_CONFLICT);
	assert_false(item(s, &book, "/dav/book/own.vcf").gone);
	ok(seen(s, &old, "t8", false, &v, 1));
	assert_int_equal(old.version, it.version);
	ok(state_call(s, item_own, &ac, book.row, v.href, v.etag, false, a, &again, &err));
	assert_int_equal(again.version, it.version);
	assert_int_equal(again.number, it.number);
	ok(state_call(s, item_own, &ac, book.row, v.href, STR(""), true, a, &again, &err));
	assert_true(again.gone);
	assert_int_equal(again.number, it.number);
	assert_true(again.version > it.version);
	v.gone = true;
	sh = shadow(s, &book);
	ok(seen(s, &sh, "t9", false, &v, 1));
	assert_int_equal(sh.version, again.version);
	/* Nobody knew it, and it is not there. */
	ok(state_call(s, item_own, &ac, book.row, STR("/dav/book/no.vcf"), STR(""), true, a,
		&again, &err));
	assert_int_equal(again.number, 0);
	assert_true(again.gone);
}

static void numbers_and_versions_are_of_the_account(struct state *s)
{
	const int64_t both[] = {book.row, other.row};
	struct dav_entry v[] = {
		{STR("/dav/book/1.vcf"), STR("\"1\""), false},
		{STR("/dav/other/x"),    STR("\"x\""), false},
	};
	struct shadow sh[] = {{.folder = other.row}, {.folder = book.row}};
	struct uidset numbers, gone;
	struct items all, some;
	struct item it;

	ok(state_call(s, shadows_load, &ac, sh, 2, a, &err));
	assert_int_equal(sh[0].token.n, 0);
	assert_true(str_is(sh[1].token, "t9"));
	ok(seen(s, &sh[0], "o1", true, v, 2));
	assert_true(sh[0].version > sh[1].version);
	all = since(s, both, 2, 0, 1000);
	some = since(s, both, 2, 0, 3);
	assert_int_equal(some.n, 3);
	for (size_t i = 0; i < some.n; i++)
		assert_int_equal(some.v[i].number, all.v[i].number);
	assert_int_equal(since(s, both, 2, some.v[2].version, 1000).n, all.n - 3);
	assert_int_equal(since(s, both, 2, 0, 0).n, 0);
	assert_int_equal(since(s, both, 0, 0, 1000).n, 0);
	uidset_init(&numbers, a);
	uidset_init(&gone, a);
	ok(state_call(s, items_numbers, &ac, both, 2, &numbers, &err));
	for (size_t i = 0; i < all.n; i++) {
		assert_int_equal(uidset_has(&numbers, all.v[i].number), !all.v[i].gone);
		if (all.v[i].gone)
			uidset_add(&gone, all.v[i].number);
	}
	/* The same href in two folders is two items. */
	assert_true(item(s, &book, "/dav/book/1.vcf").number !=
		    item(s, &other, "/dav/book/1.vcf").number);
	it = item(s, &other, "/dav/other/x");
	uidset_add(&gone, it.number);
	uidset_add(&gone, 4000000000u);
	ok(state_call(s, items_get, &ac, both, 2, &gone, a, &some, &err));
	assert_int_equal(some.n, uidset_count(&gone) - 1);
	ok(state_call(s, items_get, &ac, both, 1, &gone, a, &some, &err));
	assert_int_equal(some.n, uidset_count(&gone) - 2);
	for (size_t i = 0; i < some.n; i++)
		assert_true(some.v[i].gone && some.v[i].folder == book.row);
}

/* By their places, in one folder. */
static void items_are_found_by_their_hrefs(struct state *s)
{
	struct str hrefs[] = {
		STR("/dav/book/1.vcf"), STR("/dav/nowhere"), STR("/dav/other/x"), STR("")};
	struct items r;

	ok(state_call(s, items_at, &ac, book.row, hrefs, ARRAY_LEN(hrefs), a, &r, &err));
	assert_int_equal(r.n, 1);
	assert_int_equal(r.v[0].number, item(s, &book, "/dav/book/1.vcf").number);
	assert_int_equal(r.v[0].folder, book.row);
	assert_true(str_is(r.v[0].href, "/dav/book/1.vcf"));
	ok(state_call(s, items_at, &ac, other.row, hrefs, 3, a, &r, &err));
	assert_int_equal(r.n, 2);
	ok(state_call(s, items_at, &ac, book.row, hrefs, 0, a, &r, &err));
	assert_int_equal(r.n, 0);
	ok(state_call(s, items_at, &stranger, book.row, hrefs, 3, a, &r, &err));
	assert_int_equal(r.n, 0);
}

/* S3: another account's folders give nothing, and take nothing. */
static void nobody_gets_at_the_items_of_another(struct state *s)
{
	struct account mine = ac;
	struct shadow sh = shadow(s, &book), before = sh;
	struct uidset numbers;
	struct items r;
	struct item it;

	ac = stranger;
	uidset_init(&numbers, a);
	assert_int_equal(shadow(s, &book).token.n, 0);
	assert_int_equal(shadow(s, &book).version, 0);
	assert_int_equal(since(s, &book.row, 1, 0, 1000).n, 0);
	ok(state_call(s, items_numbers, &ac, &book.row, 1, &numbers, &err));
	assert_true(uidset_empty(&numbers));
	uidset_add_range(&numbers, 1, 100);
	ok(state_call(s, items_get, &ac, &book.row, 1, &numbers, a, &r, &err));
	assert_int_equal(r.n, 0);
	assert_int_equal(seen(s, &sh, "theirs", true, NULL, 0), RC_ABSENT);
	assert_int_equal(state_call(s, item_own, &ac, book.row, STR("/dav/book/1.vcf"),
				 STR("\"y\""), false, a, &it, &err),
		RC_ABSENT);
	ac = mine;
	assert_true(str_eq(shadow(s, &book).token, before.token));
	assert_int_equal(shadow(s, &book).version, before.version);
}

/* Who waits is told of a change, and the look knows how the collection stands. */
static void waits_hear_of_changes(struct state *s)
{
	struct watched_folder v[] = {
		{.id = book.id}, {.id = recipients.id}, {.id = inbox.id}, {.id = other.id}};
	struct watch w = {.v = v, .n = ARRAY_LEN(v)};
	struct dav_entry e = {STR("/dav/book/1.vcf"), STR("\"w\""), false};
	struct shadow sh = shadow(s, &book);
	struct item it;
	uint64_t seq;

	ok(state_call(s, watch_begin, &ac, &err));
	ok(state_call(s, watch_look, &ac, &d, a, &w, &err));
	assert_int_equal(v[0].version, sh.version);
	assert_int_equal(v[1].version, 0);
	assert_true(v[1].current);
	assert_int_equal(v[2].version, 0);
	assert_false(v[2].current);
	assert_int_equal(v[3].version, shadow(s, &other).version);
	seq = v[0].seq;
	ok(seen(s, &sh, "w1", false, &e, 1));
	ok(state_call(s, watch_look, &ac, &d, a, &w, &err));
	assert_true(v[0].seq > seq);
	assert_int_equal(v[0].version, sh.version);
	seq = v[0].seq;
	/* No news: nobody is told. */
	ok(seen(s, &sh, "w2", false, &e, 1));
	ok(state_call(s, watch_look, &ac, &d, a, &w, &err));
	assert_int_equal(v[0].seq, seq);
	ok(state_call(s, item_own, &ac, recipients.row, STR("bob@example.test"), STR("1"),
		false, a, &it, &err));
	ok(state_call(s, watch_note, &ac, &w, true, &err));
	ok(state_call(s, watch_look, &ac, &d, a, &w, &err));
	assert_true(v[1].seq > 0);
	assert_true(v[1].current);
	assert_int_equal(v[1].version, it.version);
	assert_int_equal(v[0].seq, seq);
}

/* An item goes with its folder; its number is not given again. */
static void numbers_outlive_folders(struct state *s)
{
	struct folders f;
	struct shadow sh;
	struct dav_entry e = {STR("/dav/other/new"), STR("\"n\""), false};
	struct items all = since(s, &book.row, 1, 0, 1000);
	struct items theirs = since(s, &other.row, 1, 0, 1000);
	struct item it;
	size_t kept = 0;

	ok(state_call(s, folders_load, &ac, a, &f, &err));
	for (size_t i = 0; i < f.n; i++)
		if (!str_eq(f.v[i].id, other.id))
			f.v[kept++] = f.v[i];
	assert_int_equal(kept, f.n - 1);
	f.v[kept] = folder("/dav/other/", FOLDER_CONTACTS);
	ok(state_call(s, folders_store, &ac, &f, a, &err));
	assert_int_equal(since(s, &other.row, 1, 0, 1000).n, 0);
	other = f.v[kept];
	sh = shadow(s, &other);
	assert_int_equal(sh.token.n, 0);
	ok(seen(s, &sh, "n1", true, &e, 1));
	it = item(s, &other, "/dav/other/new");
	for (size_t i = 0; i < all.n; i++)
		assert_true(it.number != all.v[i].number && it.version > all.v[i].version);
	for (size_t i = 0; i < theirs.n; i++)
		assert_true(it.number != theirs.v[i].number);
}

void contract_items(struct state *s, const char *login)
{
	a = arena_new();
	folders_are_made(s, login);
	what_is_new_gets_numbers_and_versions(s);
	a_token_is_spent_once(s);
	what_is_gone_may_come_back(s);
	what_the_device_wrote_is_no_news_later(s);
	numbers_and_versions_are_of_the_account(s);
	items_are_found_by_their_hrefs(s);
	nobody_gets_at_the_items_of_another(s);
	waits_hear_of_changes(s);
	numbers_outlive_folders(s);
	state_call0(s, end);
	arena_free(a);
}

void contract_items_forgotten(
	struct state *s, const char *login, void (*later)(void *), void *ctx)
{
	struct dav_entry v[] = {
		{STR("/dav/book/old"),    STR("\"1\""), false},
		{STR("/dav/book/recent"), STR("\"2\""), false},
		{STR("/dav/book/there"),  STR("\"3\""), false},
	};
	struct shadow sh;
	struct items all;
	struct item old;

	a = arena_new();
	folders_are_made(s, login);
	sh = shadow(s, &book);
	ok(seen(s, &sh, "1", true, v, 3));
	ok(seen(s, &sh, "2", true, v + 1, 2));
	old = item(s, &book, "/dav/book/old");
	assert_true(old.gone);
	later(ctx);
	/* Nothing changes: nothing is done. */
	ok(seen(s, &sh, "3", true, v + 1, 2));
	assert_int_equal(sh.purged, 0);
	ok(seen(s, &sh, "4", true, v + 2, 1));
	assert_int_equal(sh.purged, old.version);
	assert_int_equal(shadow(s, &book).purged, old.version);
	all = since(s, &book.row, 1, 0, 1000);
	assert_int_equal(all.n, 2);
	assert_true(str_eq(all.v[1].href, v[1].href) && all.v[1].gone);
	/* It is somebody else now. */
	ok(seen(s, &sh, "5", false, v, 1));
	assert_true(item(s, &book, "/dav/book/old").number > old.number);
	state_call0(s, end);
	arena_free(a);
}
