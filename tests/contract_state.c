#include "tests/contract_state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct arena *a;
static struct err err;
static struct account ac;
static struct device d;

static void ok(enum rc rc)
{
	if (rc)
		fail_msg("%s: %s", rc_name(rc), err.text);
}

static void begin(struct state *s, const char *login, const char *device)
{
	struct device seen = {.device_id = str_of(device),
		.type = STR("Phone"),
		.user_agent = STR("Test/1"),
		.version = V141};

	ok(state_call(s, begin, str_of(login), &seen, a, &ac, &d, &err));
}

static void accounts_and_devices_are_made_once(struct state *s, const char *login)
{
	int64_t account, device;

	begin(s, login, "one");
	account = ac.id;
	device = d.id;
	assert_true(account && device);
	assert_int_equal(ac.entitlement, ENTITLED);
	state_call0(s, end);
	begin(s, login, "one");
	assert_int_equal(ac.id, account);
	assert_int_equal(d.id, device);
	begin(s, login, "validate");
	assert_int_equal(d.id, 0);
	begin(s, login, "two");
	assert_true(d.id != device);
}

static void what_is_saved_of_a_device_comes_back(struct state *s, const char *login)
{
	begin(s, login, "one");
	d.model = STR("Model \"X\"; --");
	d.policy_key = 4000000000u;
	d.policy_hash = 7;
	d.ping = (struct str){"a\0b", 3};
	ok(state_call(s, device_save, &d, DEVICE_INFO | DEVICE_POLICY | DEVICE_PING, &err));
	begin(s, login, "one");
	assert_true(str_is(d.model, "Model \"X\"; --"));
	assert_int_equal(d.policy_key, 4000000000u);
	assert_int_equal(d.ping.n, 3);
	assert_memory_equal(d.ping.p, "a\0b", 3);
	d.id = 987654321;
	assert_int_equal(state_call(s, device_save, &d, DEVICE_POLICY, &err), RC_ABSENT);
}

static struct folder folder(const char *path, const char *parent)
{
	return (struct folder){
		.id = {"", 0},
		.path = str_of(path),
		.name = str_of(path),
		.parent = str_of(parent),
		.mailbox_id = {"", 0},
		.type = 12,
		.uidvalidity = 4000000000u,
		.selectable = true
        };
}

static void folders_get_ids_that_last(struct state *s, const char *login)
{
	struct folder v[] = {folder("INBOX", "0"), folder("a", "0"), folder("a/b", "+1")};
	struct folders f = {v, 3, 0}, g;
	struct folder one;
	struct str gone;

	begin(s, login, "one");
	ok(state_call(s, folders_load, &ac, a, &g, &err));
	assert_int_equal(g.n, 0);
	f.version = g.version;
	ok(state_call(s, folders_store, &ac, &f, a, &err));
	assert_true(str_eq(v[2].parent, v[1].id));
	ok(state_call(s, folder_get, &ac, v[2].id, a, &one, &err));
	assert_true(str_is(one.path, "a/b"));
	assert_int_equal(one.uidvalidity, 4000000000u);
	/* Somebody else was faster. */
	f.version--;
	assert_int_equal(state_call(s, folders_store, &ac, &f, a, &err), RC_CONFLICT);
	ok(state_call(s, folders_load, &ac, a, &g, &err));
	assert_int_equal(g.n, 3);
	gone = v[2].id;
	f = (struct folders){v, 2, g.version};
	ok(state_call(s, folders_store, &ac, &f, a, &err));
	assert_int_equal(state_call(s, folder_get, &ac, gone, a, &one, &err), RC_ABSENT);
	/* An id is never given again. */
	v[2] = folder("c", "0");
	f.n = 3;
	ok(state_call(s, folders_store, &ac, &f, a, &err));
	assert_false(str_eq(v[2].id, gone));
	/* S3: never another user's. */
	begin(s, "somebody.else@example.test", "one");
	assert_int_equal(state_call(s, folder_get, &ac, v[0].id, a, &one, &err), RC_ABSENT);
}

static void a_collection_is_written_by_comparison(struct state *s, const char *login)
{
	struct collection c, old;
	struct folder f;
	struct folders all;
	struct str id;

	begin(s, login, "one");
	ok(state_call(s, folders_load, &ac, a, &all, &err));
	id = all.v[0].id;
	ok(state_call(s, collection_open, &ac, &d, id, a, &f, &c, &err));
	assert_int_equal(c.epoch, 0);
	assert_true(str_eq(f.id, id));
	c.epoch = 4000000000u;
	c.generation = 1;
	c.state = (struct str){"x\0y", 3};
	c.round = c.options = (struct str){"", 0};
	old = c;
	ok(state_call(s, collection_store, &d, id, &c, &err));
	assert_int_equal(state_call(s, collection_store, &d, id, &old, &err), RC_CONFLICT);
	c.generation = 2;
	ok(state_call(s, collection_store, &d, id, &c, &err));
	state_call(s, collection_close, &d, id);
	ok(state_call(s, collection_peek, &ac, &d, id, a, &f, &c, &err));
	assert_int_equal(c.epoch, 4000000000u);
	assert_int_equal(c.generation, 2);
	assert_int_equal(c.state.n, 3);
	assert_int_equal(state_call(s, collection_open, &ac, &d, STR("none"), a, &f, &c, &err),
		RC_ABSENT);
	state_call0(s, end);
	ok(state_call(s, collection_open, &ac, &d, STR(""), a, &f, &c, &err));
	state_call0(s, end);
}

static void a_mail_is_claimed_once(struct state *s, const char *login)
{
	struct str id = STR("client-id-1");

	begin(s, login, "one");
	ok(state_call(s, sent_claim, &d, id, &err));
	state_call(s, sent_drop, &d, id);
	ok(state_call(s, sent_claim, &d, id, &err));
	ok(state_call(s, sent_done, &d, id, &err));
	assert_int_equal(state_call(s, sent_claim, &d, id, &err), RC_CONFLICT);
	state_call0(s, end);
	begin(s, login, "two");
	ok(state_call(s, sent_claim, &d, id, &err));
	state_call0(s, end);
}

static void moves_are_remembered(struct state *s, const char *login)
{
	struct moved v[] = {
		{STR("1:2"), STR("3:4")},
                {STR("1:3"), STR("3:5")}
        };
	struct str to;

	begin(s, login, "one");
	assert_int_equal(state_call(s, moved_find, &d, v[0].from, a, &to, &err), RC_ABSENT);
	ok(state_call(s, moved_add, &d, v, 2, &err));
	ok(state_call(s, moved_find, &d, v[1].from, a, &to, &err));
	assert_true(str_is(to, "3:5"));
	begin(s, login, "two");
	assert_int_equal(state_call(s, moved_find, &d, v[0].from, a, &to, &err), RC_ABSENT);
}

static void notes_last_as_long_as_the_folder(struct state *s, const char *login)
{
	struct folders all;
	struct folder *f;
	struct uidset uids;
	struct notes r;
	struct note v[] = {
		{7, {"x\0y", 3}},
                {9, STR("nine")}
        };

	begin(s, login, "one");
	ok(state_call(s, folders_load, &ac, a, &all, &err));
	f = &all.v[0];
	uidset_init(&uids, a);
	uidset_add_range(&uids, 1, 8);
	ok(state_call(s, notes_load, f, &uids, a, &r, &err));
	assert_int_equal(r.n, 0);
	ok(state_call(s, notes_store, f, v, 2, &err));
	v[0].bytes = STR("again");
	ok(state_call(s, notes_store, f, v, 1, &err));
	ok(state_call(s, notes_load, f, &uids, a, &r, &err));
	assert_int_equal(r.n, 1);
	assert_int_equal(r.v[0].uid, 7);
	assert_true(str_is(r.v[0].bytes, "again"));
	v[0].bytes = (struct str){"", 0};
	ok(state_call(s, notes_store, f, v, 1, &err));
	ok(state_call(s, notes_load, f, &uids, a, &r, &err));
	assert_int_equal(r.n, 0);
	uidset_add(&uids, 9);
	f->uidvalidity++;
	ok(state_call(s, notes_load, f, &uids, a, &r, &err));
	assert_int_equal(r.n, 0);
}

static void a_search_is_kept_for_a_while(struct state *s, const char *login)
{
	struct str bytes;

	begin(s, login, "one");
	assert_int_equal(state_call(s, search_load, &d, 600, a, &bytes, &err), RC_ABSENT);
	ok(state_call(s, search_store, &d, STR("first"), &err));
	ok(state_call(s, search_store, &d, (struct str){"a\0b", 3}, &err));
	ok(state_call(s, search_load, &d, 600, a, &bytes, &err));
	assert_int_equal(bytes.n, 3);
	assert_int_equal(state_call(s, search_load, &d, -10, a, &bytes, &err), RC_ABSENT);
	begin(s, login, "two");
	assert_int_equal(state_call(s, search_load, &d, 600, a, &bytes, &err), RC_ABSENT);
}

/* What was said of a folder is known until something else is noticed; a stranger's folder is
 * none. */
static void what_is_known_of_folders_is_noted(struct state *s, const char *login)
{
	struct watched_folder v[2];
	struct watch w = {.v = v, .n = 2};
	struct folders all;
	struct account other = {.id = 987654321};

	begin(s, login, "one");
	ok(state_call(s, folders_load, &ac, a, &all, &err));
	assert_true(all.n > 0);
	v[0].id = all.v[0].id;
	v[1].id = STR("no \"such\\ folder");
	ok(state_call(s, watch_look, &ac, &d, a, &w, &err));
	assert_false(w.watched);
	assert_true(str_eq(v[0].folder.path, all.v[0].path));
	assert_int_equal(v[0].seq, 0);
	assert_false(v[0].current);
	assert_int_equal(v[1].folder.row, 0);
	ok(state_call(s, watch_begin, &ac, &err));
	v[0].mark = (struct mail_mark){4000000000u, 7, 6, 5000000000u};
	ok(state_call(s, watch_note, &ac, &w, true, &err));
	v[0].mark = (struct mail_mark){0};
	ok(state_call(s, watch_look, &ac, &d, a, &w, &err));
	assert_true(w.watched);
	assert_int_equal(v[0].mark.uidvalidity, 4000000000u);
	assert_int_equal(v[0].mark.uidnext, 7);
	assert_int_equal(v[0].mark.messages, 6);
	assert_int_equal(v[0].mark.modseq, 5000000000u);
	/* It was noted of something else than what is there by now. */
	v[0].seq = 3;
	v[0].current = false;
	v[0].mark.uidnext = 99;
	ok(state_call(s, watch_note, &ac, &w, false, &err));
	ok(state_call(s, watch_look, &ac, &d, a, &w, &err));
	assert_int_equal(v[0].mark.uidnext, 7);
	ok(state_call(s, watch_look, &other, &d, a, &w, &err));
	assert_int_equal(v[0].folder.row, 0);
	ok(state_call(s, watch_own, &d, &err));
}

void contract_state(struct state *s, const char *login)
{
	a = arena_new();
	accounts_and_devices_are_made_once(s, login);
	what_is_saved_of_a_device_comes_back(s, login);
	folders_get_ids_that_last(s, login);
	a_collection_is_written_by_comparison(s, login);
	a_mail_is_claimed_once(s, login);
	moves_are_remembered(s, login);
	notes_last_as_long_as_the_folder(s, login);
	a_search_is_kept_for_a_while(s, login);
	what_is_known_of_folders_is_noted(s, login);
	state_call0(s, end);
	arena_free(a);
}
