/*
 * Contacts on real servers, through nginx: phones of several versions and another client of the
 * address book; with Radicale, and then with Xandikos.
 */
#include "core/base/log.h"
#include "store/dav/dav.h"
#include "tests/device/contacts.h"
#include "tests/support_contact.h"
#include "tests/support_lab.h"
#include "tests/support_story.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { CONTACTS = 9, MORE_CONTACTS = 14, ROUNDS = 100 };

/* Radicale takes a card apart and writes it anew: of a value it keeps what stands in front of
 * the first comma that is not escaped, be it a list, an address, or the picture of vCard 4.0.
 */
static bool server_rewrites;

static const char *const versions[] = {"2.5", "12.0", "12.1", "14.0", "14.1"};

/* A CardDAV client of one user, and what it has written. */
struct client {
	struct arena *arena;
	struct settings conf;
	struct dav_client *c;
	struct dav *dav;
	struct secret password;
	struct str path; /* of the default book */
};

static void must(enum rc rc, const struct err *err)
{
	if (rc)
		fail_msg("%s: %s", rc_name(rc), err->text);
}

static void client_open(struct client *c, const char *user)
{
	struct dav_collections all;
	struct err err = ERR_INIT;

	*c = (struct client){.arena = arena_new()};
	must(settings_read(arena_printf(c->arena, "carddav_url = %s\n", lab_get("CARDDAV_URL")),
		     "client", &c->conf, c->arena, &err),
		&err);
	c->c = dav_client_new(&c->conf, DAV_CLIENT_CARDS, NULL);
	secret_set(&c->password, str_of(lab_get("LAB_PASSWORD")));
	c->dav = dav_client_user(c->c, str_of(user), &c->password);
	must(dav_call(c->dav, collections, DAV_CARDS, c->arena, &all, &err), &err);
	assert_true(all.n > 0);
	c->path = all.v[0].path;
}

static void client_close(struct client *c)
{
	dav_client_free(c->c);
	secret_release(&c->password);
	arena_free(c->arena);
}

/* All objects of a book, with their bytes. */
static struct dav_object *client_list(
	struct client *c, struct str path, struct arena *a, size_t *n_r)
{
	struct dav_changes ch;
	struct dav_object *v;
	struct err err = ERR_INIT;

	must(dav_call(c->dav, changes, path, (struct str){"", 0}, a, &ch, &err), &err);
	v = ARENA_ARRAY(a, struct dav_object, ch.n + 1);
	for (size_t i = 0; i < ch.n; i++)
		v[i].href = ch.v[i].href;
	must(dav_call(c->dav, get, path, v, ch.n, a, &err), &err);
	*n_r = ch.n;
	return v;
}

/* How many cards of a book have that text. */
static size_t client_count(struct client *c, struct str path, const char *text)
{
	struct arena *a = arena_new();
	size_t all, n = 0;
	struct dav_object *v = client_list(c, path, a, &all);

	for (size_t i = 0; i < all; i++)
		n += str_search(v[i].bytes, str_of(text)) < v[i].bytes.n;
	arena_free(a);
	return n;
}

static void client_put(struct client *c, struct str href, struct str etag, struct str text)
{
	struct arena *a = arena_new();
	struct err err = ERR_INIT;
	struct str etag_r;

	must(dav_call(c->dav, put, href, etag, "text/vcard; charset=utf-8", text, a, &etag_r,
		     &err),
		&err);
	arena_free(a);
}

static struct str client_href(struct client *c, struct arena *a, const char *name)
{
	return dav_call(c->dav, join, c->path, arena_printf(a, "%s.vcf", name), a);
}

static void set_up(struct phone *p, struct phone_book *b, const char *user, const char *id,
	const char *version)
{
	phone_init(p, lab_get("EAS_URL"), user, lab_get("LAB_PASSWORD"), id, version);
	story_must(phone_provision(p) && phone_folder_sync(p), p);
	if (!phone_folder(p, CONTACTS))
		fail_msg("%s has no book", user);
	phone_book_init(b, phone_folder(p, CONTACTS));
	story_must(phone_book_sync(p, b, 10, NULL, 0), p);
}

static void sync_all(struct phone *p, struct phone_book *b)
{
	for (unsigned i = 0; i < 3; i++)
		story_must(phone_book_sync(p, b, 100, NULL, 0), p);
}

static struct elem *tree_of(const char *data, struct arena *a)
{
	struct buf b;
	struct elem *e;

	buf_init(&b, BUF_MAX_RESPONSE);
	buf_adds(&b, "airsync:ApplicationData\n");
	while (*data) {
		size_t n = strcspn(data, "\n");

		buf_addf(&b, "  %.*s\n", (int)n, data);
		data += n + (data[n] == '\n');
	}
	e = contact_tree(arena_str(a, buf_str(&b)), a);
	buf_release(&b);
	return e;
}

/* Both have the same cards, and each says the same of everything that it can say. */
static void same_books(const struct phone_book *x, const struct phone_book *y, const char *who)
{
	struct arena *a = arena_new();

	for (size_t i = 0; i < x->n; i++) {
		const struct phone_card *d = phone_book_card(y, x->v[i].id);
		struct str what = STR_NONE;

		if (!d)
			fail_msg("%s: %s is missing\n%s", who, x->v[i].id, x->v[i].data);
		if (!contact_same(tree_of(x->v[i].data, a), tree_of(d->data, a), a, &what))
			fail_msg("%s: %s differs: %.*s\n%s\n%s", who, x->v[i].id, STR_FMT(what),
				x->v[i].data, d->data);
	}
	assert_int_equal(x->n, y->n);
	arena_free(a);
}

/* The phone ends with what one has that begins anew, and with so many cards. */
static void settled(struct phone *p, struct phone_book *b, size_t n)
{
	static struct phone fresh;
	static unsigned count;
	struct phone_book anew;
	char id[48];

	sync_all(p, b);
	(void)snprintf(id, sizeof(id), "anew%u", ++count);
	set_up(&fresh, &anew, p->user, id, p->version);
	/* What could not be read at once is tried again. */
	sync_all(&fresh, &anew);
	same_books(b, &anew, p->id);
	assert_int_equal(b->n, n);
	phone_book_release(&anew);
	phone_release(&fresh);
}

static struct phone_edit edit(tag_t what, const char *id, const char *data)
{
	struct phone_edit e = {.what = what, .data = data};

	(void)snprintf(what == AIRSYNC_ADD ? e.client_id : e.id,
		what == AIRSYNC_ADD ? sizeof(e.client_id) : sizeof(e.id), "%s", id);
	return e;
}

static void one_edit(struct phone *p, struct phone_book *b, struct phone_edit e)
{
	story_must(phone_book_sync(p, b, 100, &e, 1), p);
	if (e.status != 1)
		fail_msg("%s (%s): Status %u", p->id, p->version, e.status);
}

#define CARD                                                                                   \
	"BEGIN:VCARD\r\nVERSION:3.0\r\nUID:%s\r\nFN:%s\r\nN:%s;;;;\r\n"                        \
	"X-FOREIGN;X-P=\"a b\":kept as it is\r\nEND:VCARD\r\n"

/* S19, C131, C133, C138, C153: both ways at every version, a book of the phone's own, a move.
 */
static void test_contacts_go_both_ways(void **state UNUSED)
{
	static struct phone p;
	struct client c;

	client_open(&c, "user01@example.test");
	for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
		struct arena *a = arena_new();
		struct device_folder *f;
		struct phone_book b, friends;
		char id[72], name[32];
		struct str href;

		(void)snprintf(name, sizeof(name), "both-%zu", i);
		set_up(&p, &b, "user01@example.test", name, versions[i]);
		assert_int_equal(b.n, 0);
		href = client_href(&c, a, name);
		client_put(&c, href, (struct str){"", 0},
			arena_printf(a, CARD, name, "Ada", "Ada"));
		story_must(phone_book_sync(&p, &b, 100, NULL, 0), &p);
		assert_int_equal(b.n, 1);
		(void)snprintf(id, sizeof(id), "%s", b.v[0].id);
		one_edit(&p, &b,
			edit(AIRSYNC_CHANGE, id,
				"contacts:LastName \"Lovelace\"\n"
				"contacts:MobilePhoneNumber \"+44 1\"\n"));
		assert_int_equal(client_count(&c, c.path, "+44 1"), 1);
		assert_int_equal(client_count(&c, c.path, "kept as it is"), 1);
		one_edit(&p, &b, edit(AIRSYNC_ADD, "1", "contacts:LastName \"Own\"\n"));
		assert_int_equal(client_count(&c, c.path, "N:Own"), 1);
		settled(&p, &b, 2);
		if (phone_folder_create_type(&p, "0", name, MORE_CONTACTS) != 1)
			fail_msg("%s: no book is made: %s", versions[i], p.error);
		f = phone_folder_named(&p, name);
		phone_book_init(&friends, f);
		story_must(phone_book_sync(&p, &friends, 100, NULL, 0), &p);
		story_must(phone_move(&p, phone_folder_by_id(&p, b.id), id, f), &p);
		story_must(phone_book_sync(&p, &friends, 100, NULL, 0), &p);
		assert_int_equal(friends.n, 1);
		assert_non_null(phone_book_find(&friends, "Lovelace"));
		settled(&p, &b, 1);
		one_edit(&p, &b, edit(AIRSYNC_DELETE, b.v[0].id, NULL));
		assert_int_equal(client_count(&c, c.path, "VCARD"), 0);
		settled(&p, &b, 0);
		assert_int_equal(phone_folder_update(&p, friends.id, "0", "Pals"), 1);
		assert_int_equal(phone_folder_delete(&p, friends.id), 1);
		story_must(phone_folder_sync(&p), &p);
		assert_null(phone_folder(&p, MORE_CONTACTS));
		phone_book_release(&friends);
		phone_book_release(&b);
		phone_release(&p);
		arena_free(a);
	}
	client_close(&c);
}

/* RFC 6578 section 3.5: what came and went between two tokens a server need not mention. */
static void test_an_own_card_that_goes_at_once_is_gone(void **state UNUSED)
{
	static struct phone p;
	struct arena *a = arena_new();
	struct err err = ERR_INIT;
	struct dav_object *v;
	struct phone_book b;
	struct client c;
	size_t n;

	client_open(&c, "user01@example.test");
	set_up(&p, &b, "user01@example.test", "at-once", "14.1");
	one_edit(&p, &b, edit(AIRSYNC_ADD, "1", "contacts:LastName \"Short\"\n"));
	v = client_list(&c, c.path, a, &n);
	assert_int_equal(n, 1);
	must(dav_call(c.dav, remove, v[0].href, v[0].etag, &err), &err);
	settled(&p, &b, 0);
	phone_book_release(&b);
	phone_release(&p);
	client_close(&c);
	arena_free(a);
}

/* C145, C147 */
static void test_windows_lose_and_double_nothing(void **state UNUSED)
{
	static struct phone p;
	struct arena *a = arena_new();
	struct phone_book b;
	struct client c;

	client_open(&c, "user01@example.test");
	for (unsigned i = 0; i < 40; i++) {
		char name[32];

		(void)snprintf(name, sizeof(name), "window-%u", i);
		client_put(&c, client_href(&c, a, name), (struct str){"", 0},
			arena_printf(a, CARD, name, name, name));
	}
	set_up(&p, &b, "user01@example.test", "windows", "14.1");
	assert_int_equal(b.n, 40);
	assert_int_equal(b.rounds, 5);
	phone_book_release(&b);
	phone_release(&p);
	client_close(&c);
	arena_free(a);
}

/* S4: both sides change a card before either has heard of the other. */
static void test_conflicts_end_as_the_phone_asks(void **state UNUSED)
{
	static struct phone p;
	struct client c;

	client_open(&c, "user01@example.test");
	for (unsigned wins = 0; wins < 2; wins++) {
		struct arena *a = arena_new();
		struct phone_book b;
		struct phone_edit e;
		struct err err = ERR_INIT;
		struct dav_object it;
		char name[32];
		struct phone_card *card;

		(void)snprintf(name, sizeof(name), "conflict-%u", wins);
		it.href = client_href(&c, a, name);
		client_put(&c, it.href, (struct str){"", 0},
			arena_printf(a, CARD, name, name, name));
		set_up(&p, &b, "user01@example.test", name, "14.1");
		b.conflict = wins ? "0" : "1";
		must(dav_call(c.dav, get, c.path, &it, 1, a, &err), &err);
		client_put(
			&c, it.href, it.etag, arena_printf(a, CARD, name, "Server", "Server"));
		card = phone_book_find(&b, name);
		assert_non_null(card);
		e = edit(AIRSYNC_CHANGE, card->id, "contacts:LastName \"Phone\"\n");
		story_must(phone_book_sync(&p, &b, 100, &e, 1), &p);
		assert_int_equal(e.status, wins ? 1 : 7);
		must(dav_call(c.dav, get, c.path, &it, 1, a, &err), &err);
		assert_true(str_search(it.bytes, str_of(wins ? "N:Phone" : "N:Server")) <
			    it.bytes.n);
		settled(&p, &b, b.n);
		phone_book_release(&b);
		phone_release(&p);
		arena_free(a);
	}
	client_close(&c);
}

/* A number from the environment, to run the story longer or with another seed. */
static unsigned wanted(const char *name, unsigned otherwise)
{
	const char *text = getenv(name);

	return text ? (unsigned)strtoul(text, NULL, 10) : otherwise;
}

/* What the other client wrote last, and must find again. */
struct written {
	struct str href;
	struct str *lines;
	size_t n;
};

struct story {
	struct client client;
	struct chance chance;
	struct arena *a;
	struct written v[4096];
	size_t n;
};

static struct written *written_of(struct story *s, struct str href)
{
	for (size_t i = 0; i < s->n; i++)
		if (str_eq(s->v[i].href, href))
			return &s->v[i];
	assert_true(s->n < ARRAY_LEN(s->v));
	s->v[s->n] = (struct written){.href = arena_str(s->a, href)};
	return &s->v[s->n++];
}

static bool stands_in(struct str card, struct str line)
{
	return str_search(card, line) < card.n;
}

/* Of the lines that no device has an element for those that the server has taken as they were.
 * A second note, or picture, is shown once the first one is gone, and a birthday that a device
 * sets takes the place of one that it cannot be shown: a card has one. */
static void keep_lines(struct story *s, struct written *w)
{
	struct dav_object it = {.href = w->href};
	struct err err = ERR_INIT;
	size_t n = 0;

	must(dav_call(s->client.dav, get, s->client.path, &it, 1, s->a, &err), &err);
	for (size_t i = 0; i < w->n; i++)
		if (stands_in(it.bytes, w->lines[i]) && !str_starts(w->lines[i], "NOTE") &&
			!str_starts(w->lines[i], "PHOTO") && !str_starts(w->lines[i], "BDAY"))
			w->lines[n++] = w->lines[i];
	w->n = n;
}

/* Another client writes a new card, or another one in the place of one, or removes one. */
static void client_acts(struct story *s, unsigned round)
{
	struct arena *a = arena_new();
	size_t n;
	struct dav_object *v = client_list(&s->client, s->client.path, a, &n), *old = NULL;
	struct err err = ERR_INIT;
	struct str card, uid, href, etag;
	struct written *w;
	enum rc rc = RC_INVALID;

	if (n && story_choose(3))
		old = &v[story_choose((unsigned)n)];
	if (old && story_choose(4) == 0) {
		must(dav_call(s->client.dav, remove, old->href, old->etag, &err), &err);
		arena_free(a);
		return;
	}
	uid = old ? contact_uid(old->bytes, a) : arena_printf(a, "story-%u", round);
	href = old ? old->href : client_href(&s->client, a, uid.p);
	w = written_of(s, href);
	/* Not every server takes what every program writes. */
	for (unsigned tries = 0; tries < 100 && rc == RC_INVALID; tries++) {
		card = contact_random_card(&s->chance,
			server_rewrites ? CARD_RADICALE
					: (enum card_writer)story_choose(CARD_WRITERS),
			uid, s->a, &w->lines, &w->n);
		if (server_rewrites && stands_in(card, STR("VERSION:4.0")))
			continue;
		err_clear(&err);
		rc = dav_call(s->client.dav, put, href, old ? old->etag : (struct str){"", 0},
			"text/vcard; charset=utf-8", card, a, &etag, &err);
	}
	must(rc, &err);
	keep_lines(s, w);
	arena_free(a);
}

/* Lines come back sorted by their names as well, so that an IM address of another kind may take
 * the first place. */
static bool is_lost(struct str line)
{
	static const char *const names[] = {"  contacts2:IMAddress"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (str_starts(line, names[i]))
			return true;
	return false;
}

/* The children of a random ApplicationData. */
static const char *random_data(struct story *s, const struct phone *p, struct arena *a)
{
	enum eas_version v = version_of(str_of(p->version));
	struct str text = contact_random_data(&s->chance, v, a), line;
	struct buf b;
	const char *r;

	buf_init(&b, BUF_MAX_RESPONSE);
	(void)str_next(&text, '\n', &line);
	while (str_next(&text, '\n', &line)) {
		if (line.n && !(server_rewrites && is_lost(line)))
			buf_addf(&b, "%.*s\n", STR_FMT(str_sub(line, 2, line.n)));
	}
	r = arena_str(a, buf_str(&b)).p;
	buf_release(&b);
	return r;
}

/* Adds, changes and deletes, up to three of them, each of another card; then it synchronises.
 */
static void phone_acts(struct story *s, struct phone *p, struct phone_book *b)
{
	struct arena *a = arena_new();
	struct phone_edit v[3];
	size_t n = story_choose(ARRAY_LEN(v) + 1);

	for (size_t i = 0; i < n; i++) {
		size_t at = b->n / ARRAY_LEN(v) * i + story_choose(1 + (unsigned)b->n / 4);
		char client_id[16];

		(void)snprintf(client_id, sizeof(client_id), "%zu", i);
		if (story_choose(3) == 0 || b->n < 12)
			v[i] = edit(AIRSYNC_ADD, client_id, random_data(s, p, a));
		else if (story_choose(4))
			v[i] = edit(AIRSYNC_CHANGE, b->v[at].id, random_data(s, p, a));
		else
			v[i] = edit(AIRSYNC_DELETE, b->v[at].id, NULL);
	}
	story_must(phone_book_sync(p, b, 1 + story_choose(10), v, n), p);
	for (size_t i = 0; i < n; i++)
		if (v[i].status != 1 && v[i].status != 7 && v[i].status != 8)
			fail_msg("%s: Status %u for\n%s", p->id, v[i].status, v[i].data);
	arena_free(a);
}

/* Every line that a device has no element for is as the other client wrote it. */
static void foreign_lines_stay(struct story *s)
{
	size_t n, checked = 0;
	struct dav_object *v = client_list(&s->client, s->client.path, s->a, &n);

	for (size_t i = 0; i < n; i++) {
		const struct written *w = written_of(s, v[i].href);

		for (size_t k = 0; k < w->n; k++)
			if (!stands_in(v[i].bytes, w->lines[k]))
				fail_msg("%.*s lacks\n%.*s\nand is\n%.*s", STR_FMT(v[i].href),
					STR_FMT(w->lines[k]), STR_FMT(v[i].bytes));
		checked += w->n;
	}
	assert_true(checked > 0);
}

static void random_changes(const char *user, unsigned rounds)
{
	static const char *const at[] = {"14.1", "2.5"};
	static struct phone phones[2];
	static struct story s;
	struct phone_book books[2];
	unsigned seed = wanted("EASPOOL_STORY_SEED", 20261127), killed = 0;
	size_t n;

	story_seed(seed);
	s = (struct story){.chance = chance_of(seed), .a = arena_new()};
	client_open(&s.client, user);
	for (size_t i = 0; i < ARRAY_LEN(phones); i++)
		set_up(&phones[i], &books[i], user, i ? "story-b" : "story-a", at[i]);
	books[0].conflict = "0";
	for (unsigned round = 0; round < rounds; round++) {
		unsigned who = story_choose(2);

		client_acts(&s, round);
		if (story_choose(4) == 0) {
			lab_kill_a_worker(story_choose(100));
			killed++;
		}
		phone_acts(&s, &phones[who], &books[who]);
	}
	(void)client_list(&s.client, s.client.path, s.a, &n);
	for (size_t i = 0; i < ARRAY_LEN(phones); i++)
		settled(&phones[i], &books[i], n);
	same_books(&books[0], &books[1], "two phones");
	foreign_lines_stay(&s);
	print_message("%u rounds, %u workers killed, %zu cards left\n", rounds, killed, n);
	for (size_t i = 0; i < ARRAY_LEN(phones); i++) {
		phone_book_release(&books[i]);
		phone_release(&phones[i]);
	}
	client_close(&s.client);
	arena_free(s.a);
}

/* S4, C153, requirements 4.1, 4.13: workers are killed while two phones and another client
 * change the same cards. */
static void test_random_changes_end_with_equal_books(void **state UNUSED)
{
	random_changes("user02@example.test", wanted("EASPOOL_STORY_ROUNDS", ROUNDS));
}

/* Xandikos has one user. */
static void test_random_changes_of_the_one_user(void **state UNUSED)
{
	random_changes("user01@example.test", wanted("EASPOOL_STORY_ROUNDS", ROUNDS) / 2);
}

static int start(void **state UNUSED)
{
	lab_up(2);
	return 0;
}

static int end(void **state UNUSED)
{
	lab_down();
	return 0;
}

int main(void)
{
	const struct CMUnitTest radicale[] = {
		cmocka_unit_test(test_contacts_go_both_ways),
		cmocka_unit_test(test_an_own_card_that_goes_at_once_is_gone),
		cmocka_unit_test(test_windows_lose_and_double_nothing),
		cmocka_unit_test(test_conflicts_end_as_the_phone_asks),
		cmocka_unit_test(test_random_changes_end_with_equal_books),
	};
	const struct CMUnitTest xandikos[] = {
		cmocka_unit_test(test_contacts_go_both_ways),
		cmocka_unit_test(test_an_own_card_that_goes_at_once_is_gone),
		cmocka_unit_test(test_windows_lose_and_double_nothing),
		cmocka_unit_test(test_conflicts_end_as_the_phone_asks),
		cmocka_unit_test(test_random_changes_of_the_one_user),
	};
	const char *server = getenv("EASPOOL_LAB_DAV");
	int failed = 0;

	/* Both, if none is named; a lab that runs already has the one that it has. */
	server_rewrites = true;
	if (!server || strcmp(server, "xandikos") != 0)
		failed += cmocka_run_group_tests(radicale, start, end);
	if (!server && getenv("LAB_DIR"))
		return failed;
	(void)setenv("EASPOOL_LAB_DAV", "xandikos", 1);
	server_rewrites = false;
	if (!server || strcmp(server, "xandikos") == 0)
		failed += cmocka_run_group_tests(xandikos, start, end);
	return failed;
}
