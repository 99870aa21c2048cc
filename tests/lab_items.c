/*
 * Shadows of DAV collections in PostgreSQL, beyond what contract_items.c says of any store: two
 * who come at once, large collections, who is told, and what a wait goes by.
 */
#include "core/base/clock.h"
#include "store/postgres/events.h"
#include "store/postgres/notices.h"
#include "store/postgres/pg.h"
#include "store/postgres/schema.h"
#include "tests/contract_state.h"
#include "tests/support_lab.h"

#include <libpq-fe.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct arena *a;
static struct settings conf;
static struct state *s;
static struct account ac;
static struct device d;
static struct folder book, other, recipients, inbox;
static PGconn *db;
static struct err err;

static void ok(enum rc rc)
{
	if (rc)
		fail_msg("%s: %s", rc_name(rc), err.text);
}

/* The first field of what a statement gives. */
static const char *one(const char *sql)
{
	PGresult *r = PQexec(db, sql);
	struct str text = STR("");

	if (PQresultStatus(r) != PGRES_TUPLES_OK && PQresultStatus(r) != PGRES_COMMAND_OK)
		fail_msg("%s: %s", sql, PQresultErrorMessage(r));
	if (PQntuples(r))
		text = arena_str(a, str_of(PQgetvalue(r, 0, 0)));
	PQclear(r);
	return text.p;
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

/* Each test has a user of its own. */
static void become(const char *login)
{
	struct device seen = {.device_id = STR("one"), .type = STR("Phone"), .version = V141};
	struct folder v[] = {folder("/dav/book/", FOLDER_CONTACTS),
		folder("/dav/other/", FOLDER_CONTACTS), folder("ri", FOLDER_RECIPIENTS),
		folder("INBOX", FOLDER_MAIL)};
	struct folders f = {v, ARRAY_LEN(v), 0}, g;

	ok(state_call(s, begin, str_of(login), &seen, a, &ac, &d, &err));
	ok(state_call(s, folders_load, &ac, a, &g, &err));
	f.version = g.version;
	ok(state_call(s, folders_store, &ac, &f, a, &err));
	book = v[0];
	other = v[1];
	recipients = v[2];
	inbox = v[3];
}

static struct shadow shadow(int64_t row)
{
	struct shadow sh = {.folder = row};

	ok(state_call(s, shadows_load, &ac, &sh, 1, a, &err));
	return sh;
}

static void seen(
	struct shadow *sh, const char *token, bool whole, struct dav_entry *v, size_t n)
{
	struct dav_changes ch = {.token = str_of(token), .whole = whole, .v = v, .n = n};

	ok(state_call(s, shadow_seen, &ac, sh, &ch, a, &err));
}

/* --- Two at once */

enum { ROUNDS = 40, EACH = 5 };

struct rival {
	struct state *state;
	struct arena *a;
	pthread_barrier_t *barrier;
	unsigned number;
	struct shadow sh;
	int64_t folder;   /* where it writes its own */
	unsigned won;     /* of the rounds */
	unsigned odd;     /* answers that are neither a victory nor a defeat */
	unsigned written; /* items of its own */
};

static void ask_once(struct rival *r, unsigned round)
{
	struct dav_entry v[EACH];
	struct dav_changes ch = {.token = arena_printf(r->a, "t%u", round), .v = v, .n = EACH};
	struct err e = ERR_INIT;
	enum rc rc;

	for (unsigned i = 0; i < EACH; i++)
		v[i] = (struct dav_entry){arena_printf(r->a, "/dav/book/%u", i),
			arena_printf(r->a, "\"%u\"", round), false};
	rc = state_call(r->state, shadow_seen, &ac, &r->sh, &ch, r->a, &e);
	r->won += rc == RC_OK;
	r->odd += rc != RC_OK && rc != RC_CONFLICT;
}

static void *compete(void *arg)
{
	struct rival *r = arg;
	struct err e = ERR_INIT;
	struct item it;

	for (unsigned round = 1; round <= ROUNDS; round++) {
		r->sh.folder = book.row;
		r->odd += state_call(r->state, shadows_load, &ac, &r->sh, 1, r->a, &e) != RC_OK;
		(void)pthread_barrier_wait(r->barrier);
		ask_once(r, round);
		r->written += state_call(r->state, item_own, &ac, r->folder,
				      arena_printf(r->a, "/own/%u/%u", r->number, round),
				      STR("\"1\""), false, r->a, &it, &e) == RC_OK;
		(void)pthread_barrier_wait(r->barrier);
	}
	return NULL;
}

/* Of two who ask from one token one wins, and the versions are given once; devices that write
 * at the same time get numbers and versions of their own. */
static void test_two_who_ask_from_one_token(void **state UNUSED)
{
	pthread_barrier_t barrier;
	pthread_t thread[2];
	struct rival r[2];
	struct items all;
	int64_t folders[2];

	become("two@example.test");
	folders[0] = other.row;
	folders[1] = recipients.row;
	assert_int_equal(pthread_barrier_init(&barrier, NULL, 2), 0);
	for (unsigned i = 0; i < 2; i++) {
		r[i] = (struct rival){.state = pg_state_new(&conf),
			.a = arena_new(),
			.barrier = &barrier,
			.number = i,
			.folder = folders[i]};
		assert_int_equal(pthread_create(&thread[i], NULL, compete, &r[i]), 0);
	}
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(pthread_join(thread[i], NULL), 0);
	assert_int_equal(r[0].odd + r[1].odd, 0);
	assert_int_equal(r[0].won + r[1].won, ROUNDS);
	assert_int_equal(r[0].written, ROUNDS);
	assert_int_equal(r[1].written, ROUNDS);
	ok(state_call(s, items_since, &ac, &book.row, 1, 0, 1000, a, &all, &err));
	assert_int_equal(all.n, EACH);
	/* Every change of the account had one version, and every item one number. */
	assert_int_equal(strtol(one(arena_printf(a,
					"SELECT item_version FROM account"
					" WHERE id = %lld",
					(long long)ac.id)
						.p),
				 NULL, 10),
		ROUNDS * EACH + 2 * ROUNDS);
	assert_string_equal(
		one(arena_printf(a,
			"SELECT count(*) = %d AND count(DISTINCT number) = %d AND"
			" count(DISTINCT version) = %d AND max(number) = %d FROM item JOIN folder f"
			" ON f.row = item.folder WHERE f.account_id = %lld",
			EACH + 2 * ROUNDS, EACH + 2 * ROUNDS, EACH + 2 * ROUNDS,
			EACH + 2 * ROUNDS, (long long)ac.id)
				.p),
		"t");
	for (unsigned i = 0; i < 2; i++) {
		pg_state_free(r[i].state);
		arena_free(r[i].a);
	}
	(void)pthread_barrier_destroy(&barrier);
}

/* --- Large collections */

enum { MANY = 10000 };

static void took(const char *what, int64_t since)
{
	print_message("%s: %lld ms\n", what, (long long)(clock_mono_ms() - since));
}

/* Rows that were written since: their xmin is another. */
static const char *written(void)
{
	return one(arena_printf(a,
		"SELECT concat_ws(' ', (SELECT xmin FROM account WHERE id = %lld),"
		" (SELECT max(xmin::text::bigint) FROM item WHERE folder = %lld))",
		(long long)ac.id, (long long)book.row)
			   .p);
}

static void test_a_large_collection(void **state UNUSED)
{
	struct dav_entry *v = ARENA_ARRAY(a, struct dav_entry, MANY);
	struct uidset numbers;
	struct shadow sh;
	const char *before;
	int64_t at;

	become("large@example.test");
	for (int i = 0; i < MANY; i++)
		v[i] = (struct dav_entry){
			arena_printf(a, "/dav/addressbooks/large@example.test/%08d.vcf", i),
			arena_printf(a, "\"0123456789abcdef-%d\"", i), false};
	sh = shadow(book.row);
	at = clock_mono_ms();
	seen(&sh, "1", true, v, MANY);
	took("10000 new", at);
	uidset_init(&numbers, a);
	at = clock_mono_ms();
	ok(state_call(s, items_numbers, &ac, &book.row, 1, &numbers, &err));
	took("their numbers", at);
	assert_int_equal(uidset_count(&numbers), MANY);
	assert_int_equal(numbers.n, 1);
	/* The same again, as a server without sync-collection tells it: only the token moves.
	 */
	before = written();
	at = clock_mono_ms();
	seen(&sh, "2", true, v, MANY);
	took("10000 that are the same", at);
	assert_string_equal(written(), before);
	assert_true(str_is(shadow(book.row).token, "2"));
	assert_int_equal(sh.version, MANY);
	v[17].etag = STR("\"other\"");
	at = clock_mono_ms();
	seen(&sh, "3", false, v + 17, 1);
	took("one of 10000", at);
	assert_int_equal(sh.version, MANY + 1);
	for (int i = 0; i < MANY; i++)
		v[i].etag = arena_printf(a, "\"second-%d\"", i);
	at = clock_mono_ms();
	seen(&sh, "4", false, v, MANY);
	took("10000 changed", at);
	assert_int_equal(sh.version, 2 * MANY + 1);
	at = clock_mono_ms();
	seen(&sh, "5", true, v, 1);
	took("9999 gone", at);
	assert_int_equal(sh.version, 3 * MANY);
	numbers.n = 0;
	ok(state_call(s, items_numbers, &ac, &book.row, 1, &numbers, &err));
	assert_int_equal(uidset_count(&numbers), 1);
}

/* --- Who is told */

/* What was told since the last time; "": nothing, NULL: several things. */
static const char *told(void)
{
	PGnotify *n;
	const char *text = "";

	(void)one("SELECT 1");
	while ((n = PQnotifies(db)) != NULL) {
		text = *text || !text ? NULL : arena_str(a, str_of(n->extra)).p;
		PQfreemem(n);
		if (!text)
			break;
	}
	return text;
}

static void must_be_told(unsigned seq, char how)
{
	const char *text = told();

	assert_non_null(text);
	assert_string_equal(text, arena_printf(a, "c %lld %lld %u 0 %c", (long long)ac.id,
					  (long long)book.row, seq, how)
					  .p);
}

static void test_who_waits_is_told(void **state UNUSED)
{
	struct dav_entry v[] = {
		{STR("/dav/book/1"), STR("\"1\""), false},
		{STR("/dav/book/2"), STR("\"2\""), false},
	};
	struct shadow sh;
	struct item it;

	become("told@example.test");
	(void)one("LISTEN easpool");
	sh = shadow(book.row);
	seen(&sh, "1", true, v, 1);
	assert_string_equal(told(), "");
	ok(state_call(s, watch_begin, &ac, &err));
	seen(&sh, "2", true, v, 2);
	must_be_told(1, 'a');
	v[0].etag = STR("\"1b\"");
	seen(&sh, "3", false, v, 1);
	must_be_told(2, 'f');
	seen(&sh, "4", false, v, 2);
	assert_string_equal(told(), "");
	ok(state_call(s, item_own, &ac, book.row, STR("/dav/book/own"), STR("\"1\""), false, a,
		&it, &err));
	must_be_told(3, 'a');
	v[0].gone = true;
	seen(&sh, "5", false, v, 1);
	must_be_told(4, 'f');
	/* A mailbox is not known by its mark any more once somebody said so; nor is this. */
	assert_string_equal(one(arena_printf(a,
				    "SELECT concat_ws(' ', seq, modseq, uidnext, uidvalidity,"
				    " messages) FROM change WHERE folder = %lld",
				    (long long)book.row)
					    .p),
		"4 0 0 0 0");
	(void)one("UNLISTEN easpool");
}

/* --- What a wait goes by */

static void listens(const char *id, const char *source, int ago)
{
	(void)one(arena_printf(a,
		"INSERT INTO listener (id, host, source, started, seen) VALUES ('%s', '%.*s', '%s',"
		" now() - interval '1 hour', now() - interval '%d seconds')"
		" ON CONFLICT (id) DO UPDATE SET seen = excluded.seen",
		id, STR_FMT(conf.host), source, ago)
			  .p);
}

static void look(struct watch *w)
{
	ok(state_call(s, watch_look, &ac, &d, a, w, &err));
}

static void asked(int ago)
{
	(void)one(arena_printf(a,
		"UPDATE shadow SET checked = now() - interval '%d seconds' WHERE folder = %lld",
		ago, (long long)book.row)
			  .p);
}

static void test_a_collection_is_current_when_it_was_looked_at(void **state UNUSED)
{
	struct watched_folder v[] = {{.id = book.id}, {.id = recipients.id}};
	struct watch w = {.v = v, .n = 2};
	struct shadow sh;

	become("current@example.test");
	v[0].id = book.id;
	v[1].id = recipients.id;
	listens("dav1", "dav", 0);
	look(&w);
	assert_false(v[0].current);
	assert_true(v[1].current);
	/* The server said what was known already: only that it was asked is noted. */
	v[0].asked = true;
	ok(state_call(s, watch_note, &ac, &w, false, &err));
	look(&w);
	assert_true(v[0].current);
	assert_int_equal(v[0].seq, 0);
	assert_int_equal(shadow(book.row).token.n, 0);
	asked((int)conf.dav_interval * 2 + 1);
	look(&w);
	assert_false(v[0].current);
	sh = shadow(book.row);
	seen(&sh, "1", false, NULL, 0);
	look(&w);
	assert_true(v[0].current);
	asked((int)conf.dav_interval * 2 - 20);
	look(&w);
	assert_true(v[0].current);
	/* Nobody else's. */
	asked((int)conf.dav_interval * 2 + 1);
	look(&w);
	ac.id++;
	ok(state_call(s, watch_note, &ac, &w, false, &err));
	ac.id--;
	look(&w);
	assert_false(v[0].current);
	/* Without somebody who asks again it is not known for long. */
	asked(0);
	look(&w);
	assert_true(v[0].current);
	listens("dav1", "dav", 20);
	look(&w);
	assert_false(v[0].current);
	(void)one("DELETE FROM listener");
}

static bool covered(const struct folder *f, size_t n)
{
	struct watched_folder v[4];
	struct watch w = {.v = v, .n = n};

	for (size_t i = 0; i < n; i++)
		v[i].id = f[i].id;
	look(&w);
	return w.covered;
}

static void test_a_wait_for_collections_needs_who_asks_for_them(void **state UNUSED)
{
	struct folder mail_only[] = {{0}, {0}}, both[] = {{0}, {0}};

	become("covered@example.test");
	mail_only[0] = both[0] = inbox;
	mail_only[1] = recipients;
	both[1] = book;
	ok(state_call(s, watch_begin, &ac, &err));
	assert_false(covered(mail_only, 2));
	listens("dav1", "dav", 0);
	/* It does not stand in for one that hears of mail. */
	assert_false(covered(mail_only, 2));
	assert_false(covered(both, 2));
	listens("url1", "url", 0);
	assert_true(covered(mail_only, 2));
	assert_true(covered(both, 2));
	listens("dav1", "dav", 20);
	assert_true(covered(mail_only, 2));
	assert_false(covered(both, 2));
	(void)one("DELETE FROM listener");
}

/* A listener that looks after collections is none of those that share the mailboxes, and may
 * clear away one that hears of mail. */
static void test_listeners_of_collections_are_apart(void **state UNUSED)
{
	struct events mail, dav;
	struct str *ids;
	size_t n;

	events_init(&mail, &conf, STR("m"), STR("h"), "url");
	events_init(&dav, &conf, STR("d"), STR("h"), "dav");
	ok(events_beat(&mail, &err));
	ok(events_beat(&dav, &err));
	ok(events_listeners(&mail, false, a, &ids, &n, &err));
	assert_int_equal(n, 1);
	assert_true(str_is(ids[0], "m"));
	ok(events_listeners(&dav, false, a, &ids, &n, &err));
	assert_int_equal(n, 1);
	assert_true(str_is(ids[0], "d"));
	/* What the dead one was to be told is lost for those that live. */
	(void)one("UPDATE listener SET started = now() - interval '1 hour'");
	listens("dead", "url", 120);
	ok(events_beat(&dav, &err));
	assert_string_equal(one("SELECT count(*) FROM listener WHERE id = 'dead'"), "0");
	assert_string_equal(
		one("SELECT started > now() - interval '1 minute' FROM listener WHERE id = 'm'"),
		"t");
	ok(events_leave(&mail, &err));
	ok(events_leave(&dav, &err));
	events_close(&mail);
	events_close(&dav);
	assert_string_equal(one("SELECT count(*) FROM listener"), "0");
}

struct heard {
	bool up, asked;
	uint64_t which;
	size_t alive;
};

static void on_event(void *ctx UNUSED, const char *payload UNUSED)
{
}

static void on_up(void *ctx, bool up)
{
	((struct heard *)ctx)->up = up;
}

static void on_listeners(void *ctx, const struct notices_listeners *l)
{
	*(struct heard *)ctx = (struct heard){true, true, l->which, l->alive};
}

/* What the waiter hears when it asks next, which it does every few seconds. */
static struct heard ask(struct notices *n, struct heard *h, int64_t *now)
{
	h->asked = false;
	if (h->up)
		*now = notices_next(n);
	for (unsigned tries = 0; !h->asked && tries < 1000; tries++) {
		struct pollfd p;

		notices_step(n, *now);
		p.fd = notices_fd(n, &p.events);
		if (!h->asked && p.fd >= 0)
			(void)poll(&p, 1, 1000);
	}
	assert_true(h->asked);
	return *h;
}

static void test_the_waiter_knows_listeners_of_mail_from_others(void **state UNUSED)
{
	struct heard h = {.up = false}, before, after;
	const struct notices_heard callbacks = {&h, on_event, on_up, on_listeners};
	struct notices *n = notices_new(&conf, &callbacks);
	int64_t now = 0;

	listens("dav1", "dav", 0);
	assert_int_equal(ask(n, &h, &now).alive, 0);
	assert_int_equal(h.which, 0);
	listens("url1", "url", 0);
	before = ask(n, &h, &now);
	assert_int_equal(before.alive, 1);
	assert_true(before.which != 0);
	(void)one("DELETE FROM listener WHERE id = 'dav1'");
	after = ask(n, &h, &now);
	assert_int_equal(after.alive, 1);
	assert_true(after.which != 0 && after.which != before.which);
	notices_free(n);
	(void)one("DELETE FROM listener");
}

static int start(void **state UNUSED)
{
	int from, to;

	lab_up_backends(1);
	a = arena_new();
	if (settings_read(arena_printf(a, "imap_host = 127.0.0.1\ndatabase = \"%s\"\n",
				  lab_get("PG_DSN")),
		    "test", &conf, a, &err)) {
		print_error("%s\n", err.text);
		return -1;
	}
	db = PQconnectdb(lab_get("PG_DSN"));
	if (schema_upgrade(db, &from, &to, &err)) {
		print_error("%s\n", err.text);
		return -1;
	}
	s = pg_state_new(&conf);
	return 0;
}

static int end(void **state UNUSED)
{
	pg_state_free(s);
	PQfinish(db);
	lab_down();
	arena_free(a);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_two_who_ask_from_one_token),
		cmocka_unit_test(test_a_large_collection),
		cmocka_unit_test(test_who_waits_is_told),
		cmocka_unit_test(test_a_collection_is_current_when_it_was_looked_at),
		cmocka_unit_test(test_a_wait_for_collections_needs_who_asks_for_them),
		cmocka_unit_test(test_listeners_of_collections_are_apart),
		cmocka_unit_test(test_the_waiter_knows_listeners_of_mail_from_others),
	};

	return cmocka_run_group_tests(tests, start, end);
}
