#include "tests/contract_dav.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define CARD "text/vcard; charset=utf-8"

static struct arena *a;
static struct err err;

static void ok(enum rc rc)
{
	if (rc)
		fail_msg("%s: %s", rc_name(rc), err.text);
}

static struct str card(const char *uid, const char *name)
{
	return arena_printf(a,
		"BEGIN:VCARD\r\nVERSION:3.0\r\nUID:%s\r\nFN:%s\r\nN:%s;;;;\r\nEND:VCARD\r\n",
		uid, name, name);
}

static const struct dav_collection *collection(const struct dav_collections *c, struct str path)
{
	for (size_t i = 0; i < c->n; i++)
		if (str_eq(c->v[i].path, path))
			return &c->v[i];
	return NULL;
}

static const struct dav_entry *entry(const struct dav_changes *c, struct str href)
{
	for (size_t i = 0; i < c->n; i++)
		if (str_eq(c->v[i].href, href))
			return &c->v[i];
	return NULL;
}

/* What a caller knows of a collection when it asked until there was nothing more. */
static bool lists(
	struct dav *d, struct str path, struct str *token, struct str href, struct str etag)
{
	struct dav_changes c;
	bool found = false;

	do {
		ok(dav_call(d, changes, path, *token, a, &c, &err));
		*token = c.token;
		if (entry(&c, href))
			found = !entry(&c, href)->gone && str_eq(entry(&c, href)->etag, etag);
	} while (c.more);
	return found;
}

static struct str book(struct dav *d, const char *key, const char *name)
{
	struct str path, again;

	ok(dav_call(d, create, DAV_CARDS, str_of(key), str_of(name), a, &path, &err));
	assert_true(path.n > 1 && path.p[0] == '/' && path.p[path.n - 1] == '/');
	/* The same key is the same place. */
	assert_int_equal(
		dav_call(d, create, DAV_CARDS, str_of(key), str_of(name), a, &again, &err),
		RC_CONFLICT);
	assert_true(str_eq(path, again));
	return path;
}

static void collections_are_listed(struct dav *d, struct str path, const char *name)
{
	struct dav_collections c;
	const struct dav_collection *one;

	ok(dav_call(d, collections, DAV_CARDS, a, &c, &err));
	assert_false(c.none);
	one = collection(&c, path);
	assert_non_null(one);
	assert_true(str_is(one->name, name));
	assert_true(one->kinds & DAV_CARDS);
	assert_false(one->read_only);
	for (size_t i = 0; i < c.n; i++) {
		assert_true(c.v[i].kinds & DAV_CARDS);
		if (i && !c.v[i - 1].is_default)
			assert_true(str_cmp(c.v[i - 1].path, c.v[i].path) < 0);
	}
	ok(dav_call(d, collections, DAV_JOURNALS << 1, a, &c, &err));
	assert_int_equal(c.n, 0);
}

/* A place beside a collection where nothing is. */
static struct str nowhere(struct str path)
{
	return arena_printf(a, "%.*s-none/", (int)path.n - 1, path.p);
}

static void a_name_is_changed(struct dav *d, struct str path)
{
	ok(dav_call(d, rename, path,
		STR("B\xc3\xbc"
		    "cher & <more>"),
		&err));
	collections_are_listed(d, path,
		"B\xc3\xbc"
		"cher & <more>");
	assert_int_equal(dav_call(d, rename, nowhere(path), STR("x"), &err), RC_ABSENT);
}

static void get(struct dav *d, struct str path, struct str href, struct dav_object *o)
{
	*o = (struct dav_object){.href = href};
	ok(dav_call(d, get, path, o, 1, a, &err));
}

static bool holds(struct str bytes, const char *text)
{
	return str_search(bytes, str_of(text)) < bytes.n;
}

/* Nothing is there; it is written, seen, changed, and removed. Answers its href. */
static void an_object_lives(struct dav *d, struct str path)
{
	struct str href = dav_call(d, join, path, STR("one-1.vcf"), a), token = STR("");
	struct str first, second, third;
	struct dav_object o;
	struct dav_changes c;

	assert_false(lists(d, path, &token, href, STR("")));
	ok(dav_call(d, put, href, STR(""), CARD, card("one-1", "Ann"), a, &first, &err));
	assert_true(first.n > 0);
	assert_true(lists(d, path, &token, href, first));
	get(d, path, href, &o);
	assert_true(holds(o.bytes, "FN:Ann\r\n"));
	assert_true(str_eq(o.etag, first));
	assert_false(o.refused);

	/* Nothing else happened. */
	ok(dav_call(d, changes, path, token, a, &c, &err));
	assert_false(c.whole && c.n != 1);
	if (!c.whole)
		assert_int_equal(c.n, 0);

	/* Something is there already. */
	assert_int_equal(
		dav_call(d, put, href, STR(""), CARD, card("one-1", "Bob"), a, &second, &err),
		RC_CONFLICT);
	ok(dav_call(d, put, href, first, CARD, card("one-1", "Bob"), a, &second, &err));
	assert_true(second.n && !str_eq(first, second));
	assert_true(lists(d, path, &token, href, second));
	/* It is not what it was. */
	assert_int_equal(
		dav_call(d, put, href, first, CARD, card("one-1", "Cid"), a, &third, &err),
		RC_CONFLICT);
	assert_int_equal(dav_call(d, remove, href, first, &err), RC_CONFLICT);
	get(d, path, href, &o);
	assert_true(holds(o.bytes, "FN:Bob\r\n"));

	ok(dav_call(d, remove, href, second, &err));
	ok(dav_call(d, changes, path, token, a, &c, &err));
	if (c.whole)
		assert_int_equal(c.n, 0);
	else
		assert_true(entry(&c, href) && entry(&c, href)->gone);
	get(d, path, href, &o);
	assert_null(o.bytes.p);
	assert_false(o.refused);
	assert_int_equal(dav_call(d, remove, href, second, &err), RC_ABSENT);
	assert_int_equal(
		dav_call(d, put, href, second, CARD, card("one-1", "Dan"), a, &third, &err),
		RC_CONFLICT);
}

/* More than one lot, and one among them that is not there. */
static void many_are_read(struct dav *d, struct str path)
{
	enum { MANY = 60 };
	struct dav_object v[MANY];
	struct str etags[MANY], token = STR("");
	struct dav_changes c;

	for (unsigned i = 0; i < MANY; i++) {
		char uid[32], name[32];

		(void)snprintf(uid, sizeof(uid), "many-%u", i);
		(void)snprintf(name, sizeof(name), "Name %u.", i);
		v[i] = (struct dav_object){
			.href = dav_call(d, join, path, arena_printf(a, "%s.vcf", uid), a)};
		if (i != 7)
			ok(dav_call(d, put, v[i].href, STR(""), CARD, card(uid, name), a,
				&etags[i], &err));
	}
	ok(dav_call(d, changes, path, token, a, &c, &err));
	assert_true(c.whole);
	assert_false(c.more);
	assert_int_equal(c.n, MANY - 1);
	ok(dav_call(d, get, path, v, MANY, a, &err));
	for (unsigned i = 0; i < MANY; i++) {
		char name[32];

		(void)snprintf(name, sizeof(name), "FN:Name %u.\r\n", i);
		assert_int_equal(v[i].bytes.p != NULL, i != 7);
		assert_int_equal(entry(&c, v[i].href) != NULL, i != 7);
		if (i == 7)
			continue;
		assert_true(holds(v[i].bytes, name));
		assert_true(str_eq(v[i].etag, etags[i]));
		assert_true(str_eq(entry(&c, v[i].href)->etag, etags[i]));
	}
	ok(dav_call(d, get, path, v, 0, a, &err));
	for (unsigned i = 0; i < MANY; i++)
		if (i != 7)
			ok(dav_call(d, remove, v[i].href, etags[i], &err));
}

/* Bytes that XML escapes, and those that it cannot hold at the edges. */
static void bytes_stay_as_they_are(struct dav *d, struct str path)
{
	struct str href = dav_call(d, join, path, STR("odd.vcf"), a), etag;
	struct str text = STR("BEGIN:VCARD\r\nVERSION:3.0\r\nUID:odd\r\nFN:]]> & <x> \"y\"\r\n"
			      "N:\xe2\x82\xac \xf0\x9f\x98\x80;;;;\r\nEND:VCARD\r\n");
	struct dav_object o;

	ok(dav_call(d, put, href, STR(""), CARD, text, a, &etag, &err));
	get(d, path, href, &o);
	assert_true(holds(o.bytes, "FN:]]> & <x> \"y\"\r\n"));
	assert_true(holds(o.bytes, "N:\xe2\x82\xac \xf0\x9f\x98\x80;;;;\r\n"));
	ok(dav_call(d, remove, href, o.etag, &err));
}

static void an_object_moves(struct dav *d, struct str path, struct str other)
{
	struct str from = dav_call(d, join, path, STR("mv.vcf"), a);
	struct str to = dav_call(d, join, other, STR("mv.vcf"), a);
	struct str etag, moved, token = STR("");
	struct dav_object o;

	ok(dav_call(d, put, from, STR(""), CARD, card("mv", "Eve"), a, &etag, &err));
	ok(dav_call(d, move, from, to, a, &moved, &err));
	get(d, path, from, &o);
	assert_null(o.bytes.p);
	get(d, other, to, &o);
	assert_true(holds(o.bytes, "FN:Eve\r\n"));
	assert_true(str_eq(o.etag, moved));
	assert_true(lists(d, other, &token, to, moved));
	assert_int_equal(dav_call(d, move, from, to, a, &etag, &err), RC_ABSENT);
	/* What is at the other place already stays. */
	ok(dav_call(d, put, from, STR(""), CARD, card("mv", "Fay"), a, &etag, &err));
	assert_int_equal(dav_call(d, move, from, to, a, &moved, &err), RC_CONFLICT);
	get(d, other, to, &o);
	assert_true(holds(o.bytes, "FN:Eve\r\n"));
	get(d, path, from, &o);
	assert_true(holds(o.bytes, "FN:Fay\r\n"));
	ok(dav_call(d, remove, from, o.etag, &err));
	/* To a collection that is not there. */
	assert_int_equal(
		dav_call(d, move, to, dav_call(d, join, nowhere(path), STR("mv.vcf"), a), a,
			&moved, &err),
		RC_ABSENT);
	get(d, other, to, &o);
	ok(dav_call(d, remove, to, o.etag, &err));
}

static void what_is_not_there_is_absent(struct dav *d, struct str path)
{
	struct str none = nowhere(path);
	struct dav_object o = {.href = dav_call(d, join, none, STR("x.vcf"), a)};
	struct dav_changes c;
	struct str etag;

	assert_int_equal(dav_call(d, changes, none, STR(""), a, &c, &err), RC_ABSENT);
	assert_int_equal(dav_call(d, get, none, &o, 1, a, &err), RC_ABSENT);
	assert_int_equal(
		dav_call(d, put, o.href, STR(""), CARD, card("x", "X"), a, &etag, &err),
		RC_ABSENT);
	assert_int_equal(dav_call(d, remove, o.href, STR("\"e\""), &err), RC_ABSENT);
	assert_int_equal(dav_call(d, erase, none, &err), RC_ABSENT);
}

/* A server that cannot search says so, and the callers look at all cards. */
static void nothing_is_found(struct dav *d, struct str path)
{
	struct str href = dav_call(d, join, path, STR("find-me.vcf"), a), etag;
	struct str word = STR("x");
	struct dav_entry *v;
	size_t n;

	ok(dav_call(d, put, href, STR(""), CARD, card("find-me", "Quux"), a, &etag, &err));
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(
			dav_call(d, find, path, &word, 1, a, &v, &n, &err), RC_INVALID);
	err_clear(&err);
	ok(dav_call(d, remove, href, etag, &err));
}

static bool finds(struct dav *d, struct str path, const char *text, struct str href)
{
	struct str words[] = {STR("zq"), str_of(text)};
	struct dav_entry *v;
	size_t n;

	ok(dav_call(d, find, path, words, 2, a, &v, &n, &err));
	for (size_t i = 0; i < n; i++) {
		assert_true(v[i].etag.n > 0 && !v[i].gone);
		if (str_eq(v[i].href, href))
			return true;
	}
	return false;
}

/* A part of a name, an address, a note; without regard to case; signs are no orders. */
static void cards_are_found(struct dav *d, struct str path)
{
	struct str href = dav_call(d, join, path, STR("find-me.vcf"), a), etag;
	struct str text =
		STR("BEGIN:VCARD\r\nVERSION:3.0\r\nUID:find-me\r\nFN:Ada Quux & Co\r\n"
		    "N:Quux;Ada;;;\r\nEMAIL;TYPE=INTERNET:ada@quux.test\r\n"
		    "TEL;TYPE=CELL:+49 7071 4711\r\nNOTE:likes <engines>\r\n"
		    "END:VCARD\r\n");
	struct str ada = STR("ada");
	struct dav_entry *v;
	size_t n;

	ok(dav_call(d, put, href, STR(""), CARD, text, a, &etag, &err));
	assert_true(finds(d, path, "Quux", href));
	assert_true(finds(d, path, "quu", href));
	assert_true(finds(d, path, "QUUX.TEST", href));
	assert_true(finds(d, path, "4711", href));
	assert_true(finds(d, path, "<engines>", href));
	assert_true(finds(d, path, "x & C", href));
	assert_false(finds(d, path, "nobody of that name", href));
	assert_false(finds(d, path, "]]>", href));
	assert_int_equal(dav_call(d, find, dav_call(d, join, path, STR("not-there/"), a), &ada,
				 1, a, &v, &n, &err),
		RC_ABSENT);
	err_clear(&err);
	ok(dav_call(d, remove, href, etag, &err));
	assert_false(finds(d, path, "Quux", href));
}

/* A token that nobody gave out is like none. */
static void an_unknown_token_gives_a_whole_list(struct dav *d, struct str path)
{
	static const char *const tokens[] = {
		"", "nonsense", "s:http://example.test/ns/9", "c:9"};
	struct str href = dav_call(d, join, path, STR("t.vcf"), a), etag;
	struct dav_changes c;

	ok(dav_call(d, put, href, STR(""), CARD, card("t", "T"), a, &etag, &err));
	for (size_t i = 0; i < ARRAY_LEN(tokens); i++) {
		ok(dav_call(d, changes, path, str_of(tokens[i]), a, &c, &err));
		assert_true(c.whole);
		assert_int_equal(c.n, 1);
		assert_true(str_eq(c.v[0].href, href) && str_eq(c.v[0].etag, etag));
	}
	ok(dav_call(d, remove, href, etag, &err));
}

static void a_collection_goes_with_all_that_is_in_it(struct dav *d, struct str path)
{
	struct str href = dav_call(d, join, path, STR("last.vcf"), a), etag;
	struct dav_collections c;
	struct dav_changes ch;

	ok(dav_call(d, put, href, STR(""), CARD, card("last", "L"), a, &etag, &err));
	ok(dav_call(d, erase, path, &err));
	ok(dav_call(d, collections, DAV_CARDS, a, &c, &err));
	assert_null(collection(&c, path));
	assert_int_equal(dav_call(d, changes, path, STR(""), a, &ch, &err), RC_ABSENT);
}

void contract_dav(struct dav *d, unsigned without)
{
	struct str path, other;

	a = arena_new();
	err_clear(&err);
	path = book(d, "contract-a", "People & more");
	other = book(d, "contract-b", "Others");
	collections_are_listed(d, path, "People & more");
	if (!(without & CONTRACT_DAV_NO_RENAME))
		a_name_is_changed(d, path);
	an_object_lives(d, path);
	many_are_read(d, path);
	bytes_stay_as_they_are(d, path);
	an_object_moves(d, path, other);
	what_is_not_there_is_absent(d, path);
	if (without & CONTRACT_DAV_NO_FIND)
		nothing_is_found(d, path);
	else
		cards_are_found(d, path);
	an_unknown_token_gives_a_whole_list(d, path);
	a_collection_goes_with_all_that_is_in_it(d, path);
	a_collection_goes_with_all_that_is_in_it(d, other);
	arena_free(a);
}
