#include "tests/contract_dav.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define EVENT "text/calendar; charset=utf-8"

static struct arena *a;
static struct err err;

static void ok(enum rc rc)
{
	if (rc)
		fail_msg("%s: %s", rc_name(rc), err.text);
}

/* lines: of the VEVENT, each with its end. */
static struct str event(const char *uid, const char *lines)
{
	return arena_printf(a,
		"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//contract//EN\r\nBEGIN:VEVENT\r\n"
		"UID:%s\r\nDTSTAMP:20300101T000000Z\r\nSUMMARY:%s\r\n%sEND:VEVENT\r\n"
		"END:VCALENDAR\r\n",
		uid, uid, lines);
}

static struct str href_of(struct dav *d, struct str path, const char *name)
{
	return dav_call(d, join, path, arena_printf(a, "%s.ics", name), a);
}

static struct str put(struct dav *d, struct str path, const char *name, struct str text)
{
	struct str etag;

	ok(dav_call(d, put, href_of(d, path, name), STR(""), EVENT, text, a, &etag, &err));
	assert_true(etag.n > 0);
	return etag;
}

static struct str calendar(struct dav *d, const char *key, const char *name)
{
	struct str path, again;

	ok(dav_call(d, create, DAV_EVENTS, str_of(key), str_of(name), a, &path, &err));
	assert_int_equal(
		dav_call(d, create, DAV_EVENTS, str_of(key), str_of(name), a, &again, &err),
		RC_CONFLICT);
	assert_true(str_eq(path, again));
	return path;
}

static bool lists(struct dav *d, unsigned kinds, struct str path, const char *name)
{
	struct dav_collections c;

	ok(dav_call(d, collections, kinds, a, &c, &err));
	assert_false(c.none);
	for (size_t i = 0; i < c.n; i++) {
		assert_true(c.v[i].kinds & kinds);
		if (str_eq(c.v[i].path, path)) {
			assert_true(c.v[i].kinds & DAV_EVENTS);
			assert_false(c.v[i].read_only);
			assert_true(str_is(c.v[i].name, name));
			return true;
		}
	}
	return false;
}

static bool holds(struct str bytes, const char *text)
{
	return str_search(bytes, str_of(text)) < bytes.n;
}

/* Written, seen, read, changed, removed: as with cards. */
static void an_event_lives(struct dav *d, struct str path)
{
	struct str href = href_of(d, path, "one"), first, second;
	const char *when = "DTSTART:20300102T100000Z\r\nDTEND:20300102T110000Z\r\n";
	struct dav_object o = {.href = href};
	struct dav_changes c;

	first = put(d, path, "one", event("one", when));
	ok(dav_call(d, changes, path, STR(""), a, &c, &err));
	assert_true(c.whole && c.n == 1);
	assert_true(str_eq(c.v[0].href, href) && str_eq(c.v[0].etag, first));
	ok(dav_call(d, get, path, &o, 1, a, &err));
	assert_true(holds(o.bytes, "SUMMARY:one\r\n") && str_eq(o.etag, first));
	assert_int_equal(
		dav_call(d, put, href, STR(""), EVENT, event("one", when), a, &second, &err),
		RC_CONFLICT);
	ok(dav_call(d, put, href, first, EVENT,
		event("one", "DTSTART:20300103T100000Z\r\nLOCATION:here\r\n"), a, &second,
		&err));
	assert_false(str_eq(first, second));
	assert_int_equal(dav_call(d, remove, href, first, &err), RC_CONFLICT);
	ok(dav_call(d, get, path, &o, 1, a, &err));
	assert_true(holds(o.bytes, "LOCATION:here\r\n"));
	ok(dav_call(d, remove, href, second, &err));
	ok(dav_call(d, get, path, &o, 1, a, &err));
	assert_null(o.bytes.p);
}

static void an_event_moves(struct dav *d, struct str path, struct str other)
{
	struct str from = href_of(d, path, "mv"), to = href_of(d, other, "mv"), etag;
	struct dav_object o = {.href = to};

	(void)put(d, path, "mv", event("mv", "DTSTART:20300102T100000Z\r\n"));
	ok(dav_call(d, move, from, to, a, &etag, &err));
	ok(dav_call(d, get, other, &o, 1, a, &err));
	assert_true(holds(o.bytes, "UID:mv\r\n") && str_eq(o.etag, etag));
	ok(dav_call(d, remove, to, etag, &err));
	o.href = from;
	ok(dav_call(d, get, path, &o, 1, a, &err));
	assert_null(o.bytes.p);
}

static const struct {
	const char *name, *lines;
	bool since; /* it goes on at 2030-06-15T12:00:00Z or later */
} times[] = {
	{"past",        "DTSTART:20300615T100000Z\r\nDTEND:20300615T110000Z\r\n",       false},
	{"next",        "DTSTART:20300615T130000Z\r\nDTEND:20300615T140000Z\r\n",       true },
	{"far",         "DTSTART:20990101T130000Z\r\nDURATION:PT1H\r\n",                true },
	{"now",         "DTSTART:20300615T113000Z\r\nDTEND:20300615T123000Z\r\n",       true },
	{"lasting",     "DTSTART:20300614T200000Z\r\nDURATION:PT20H\r\n",               true },
	{"brief",       "DTSTART:20300614T100000Z\r\nDURATION:PT30M\r\n",               false},
	{"moment-past", "DTSTART:20300614T100000Z\r\n",                                 false},
	{"moment-next", "DTSTART:20300616T100000Z\r\n",                                 true },
	{"days",        "DTSTART;VALUE=DATE:20300613\r\nDTEND;VALUE=DATE:20300618\r\n", true },
	{"days-past",   "DTSTART;VALUE=DATE:20300610\r\nDTEND;VALUE=DATE:20300612\r\n", false},
	{"day-past",    "DTSTART;VALUE=DATE:20300610\r\n",                              false},
	{"endless",
         "DTSTART:20200101T100000Z\r\nDTEND:20200101T110000Z\r\nRRULE:FREQ=WEEKLY\r\n", true },
	{"until-past",
         "DTSTART:20300101T100000Z\r\nDTEND:20300101T110000Z\r\n"
		"RRULE:FREQ=DAILY;UNTIL=20300301T100000Z\r\n",			  false},
	{"until-next",
         "DTSTART:20300101T100000Z\r\nDTEND:20300101T110000Z\r\n"
		"RRULE:FREQ=DAILY;UNTIL=20300701T100000Z\r\n",			  true },
	{"count-past",
         "DTSTART:20300101T100000Z\r\nDTEND:20300101T110000Z\r\n"
		"RRULE:FREQ=MONTHLY;COUNT=3\r\n",				       false},
	{"count-next",
         "DTSTART:20300101T100000Z\r\nDTEND:20300101T110000Z\r\n"
		"RRULE:FREQ=MONTHLY;COUNT=12\r\n",				      true },
};

static const struct dav_entry *entry(const struct dav_entry *v, size_t n, struct str href)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(v[i].href, href))
			return &v[i];
	return NULL;
}

/* 2030-06-15T12:00:00Z */
enum { NOON = 1907755200 };

static bool comes_again(size_t i)
{
	return strstr(times[i].lines, "RRULE") != NULL;
}

static void what_goes_on_is_found(struct dav *d, struct str path, bool no_series)
{
	struct str etags[ARRAY_LEN(times)];
	struct dav_entry *v;
	size_t n;

	for (size_t i = 0; i < ARRAY_LEN(times); i++)
		if (!no_series || !comes_again(i))
			etags[i] = put(
				d, path, times[i].name, event(times[i].name, times[i].lines));
	ok(dav_call(d, since, path, NOON, a, &v, &n, &err));
	for (size_t i = 0; i < ARRAY_LEN(times); i++) {
		const struct dav_entry *e = entry(v, n, href_of(d, path, times[i].name));

		if (no_series && comes_again(i))
			continue;
		if ((e != NULL) != times[i].since)
			fail_msg("%s: found %d", times[i].name, e != NULL);
		assert_true(!e || (str_eq(e->etag, etags[i]) && !e->gone));
	}
	ok(dav_call(d, since, path, INT64_MIN, a, &v, &n, &err));
	for (size_t i = 0; i < ARRAY_LEN(times); i++)
		if (!no_series || !comes_again(i))
			assert_non_null(entry(v, n, href_of(d, path, times[i].name)));
	ok(dav_call(d, since, path, INT64_MAX, a, &v, &n, &err));
	for (size_t i = 0; i < ARRAY_LEN(times); i++)
		if (!no_series || !comes_again(i))
			ok(dav_call(
				d, remove, href_of(d, path, times[i].name), etags[i], &err));
	ok(dav_call(d, since, path, 0, a, &v, &n, &err));
	assert_int_equal(n, 0);
}

/* Not found is not the same as over: the server says that it does not know. */
static void series_are_not_found(struct dav *d, struct str path)
{
	for (size_t i = 0; i < ARRAY_LEN(times); i++) {
		struct dav_entry *v;
		struct str etag;
		size_t n;

		if (!comes_again(i))
			continue;
		etag = put(d, path, times[i].name, event(times[i].name, times[i].lines));
		assert_int_equal(dav_call(d, since, path, NOON, a, &v, &n, &err), RC_INVALID);
		err_clear(&err);
		ok(dav_call(d, remove, href_of(d, path, times[i].name), etag, &err));
	}
}

/* An occurrence that was moved counts by its own time. */
static void a_moved_occurrence_is_found(struct dav *d, struct str path)
{
	struct str text = STR("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//contract//EN\r\n"
			      "BEGIN:VEVENT\r\nUID:moved\r\nDTSTAMP:20300101T000000Z\r\n"
			      "DTSTART:20300101T100000Z\r\nDTEND:20300101T110000Z\r\n"
			      "RRULE:FREQ=DAILY;COUNT=3\r\nEND:VEVENT\r\n"
			      "BEGIN:VEVENT\r\nUID:moved\r\nDTSTAMP:20300101T000000Z\r\n"
			      "RECURRENCE-ID:20300102T100000Z\r\nDTSTART:20300620T100000Z\r\n"
			      "DTEND:20300620T110000Z\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n");
	struct str etag = put(d, path, "moved", text);
	struct dav_entry *v;
	size_t n;

	ok(dav_call(d, since, path, NOON, a, &v, &n, &err));
	assert_int_equal(n, 1);
	ok(dav_call(d, remove, href_of(d, path, "moved"), etag, &err));
}

static void a_uid_is_found(struct dav *d, struct str path)
{
	static const char *const uids[] = {
		"040000008200E00074C5B7101A82E008", "a&b<c>\"d\"", "\xc3\xa4-uid", "other"};
	struct str etags[ARRAY_LEN(uids)];
	struct dav_entry *v;
	size_t n;

	for (size_t i = 0; i < ARRAY_LEN(uids); i++)
		etags[i] = put(d, path, arena_printf(a, "uid-%zu", i).p,
			event(uids[i], "DTSTART:20300102T100000Z\r\n"));
	for (size_t i = 0; i < ARRAY_LEN(uids); i++) {
		struct str href = href_of(d, path, arena_printf(a, "uid-%zu", i).p);

		ok(dav_call(d, with_uid, path, str_of(uids[i]), a, &v, &n, &err));
		assert_int_equal(n, 1);
		assert_true(str_eq(v[0].href, href) && str_eq(v[0].etag, etags[i]));
	}
	ok(dav_call(d, with_uid, path, STR("nobody has this one"), a, &v, &n, &err));
	assert_int_equal(n, 0);
	for (size_t i = 0; i < ARRAY_LEN(uids); i++)
		ok(dav_call(d, remove, href_of(d, path, arena_printf(a, "uid-%zu", i).p),
			etags[i], &err));
}

static void queries_have_bounds(struct dav *d, struct str path)
{
	struct str none = arena_printf(a, "%.*s-none/", (int)path.n - 1, path.p);
	char uid[DAV_UID_MAX + 1];
	struct dav_entry *v;
	size_t n;

	for (size_t i = 0; i < sizeof(uid); i++)
		uid[i] = 'u';
	assert_int_equal(
		dav_call(d, with_uid, path, (struct str){uid, sizeof(uid)}, a, &v, &n, &err),
		RC_INVALID);
	ok(dav_call(d, with_uid, path, (struct str){uid, sizeof(uid) - 1}, a, &v, &n, &err));
	assert_int_equal(n, 0);
	assert_int_equal(dav_call(d, with_uid, path, STR(""), a, &v, &n, &err), RC_INVALID);
	assert_int_equal(dav_call(d, with_uid, none, STR("x"), a, &v, &n, &err), RC_ABSENT);
	assert_int_equal(dav_call(d, since, none, NOON, a, &v, &n, &err), RC_ABSENT);
	err_clear(&err);
}

/* A server that cannot says so, and what is there is looked at by the caller. */
static void nothing_is_found(struct dav *d, struct str path)
{
	struct dav_entry *v;
	size_t n;

	assert_int_equal(dav_call(d, since, path, NOON, a, &v, &n, &err), RC_INVALID);
	assert_int_equal(dav_call(d, with_uid, path, STR("x"), a, &v, &n, &err), RC_INVALID);
	err_clear(&err);
}

static void words_are_not_looked_for(struct dav *d, struct str path)
{
	struct str word = STR("x");
	struct dav_entry *v;
	size_t n;

	assert_int_equal(dav_call(d, find, path, &word, 1, a, &v, &n, &err), RC_INVALID);
	err_clear(&err);
}

void contract_calendars(struct dav *d, unsigned without)
{
	struct str path, other;

	a = arena_new();
	err_clear(&err);
	path = calendar(d, "contract-c", "Meetings & more");
	other = calendar(d, "contract-d", "Others");
	assert_true(lists(d, DAV_EVENTS, path, "Meetings & more"));
	assert_false(lists(d, DAV_CARDS, path, ""));
	an_event_lives(d, path);
	an_event_moves(d, path, other);
	if (without & CONTRACT_DAV_NO_FIND) {
		nothing_is_found(d, path);
	} else {
		what_goes_on_is_found(d, path, without & CONTRACT_DAV_NO_SERIES);
		if (without & CONTRACT_DAV_NO_SERIES)
			series_are_not_found(d, path);
		else
			a_moved_occurrence_is_found(d, path);
		a_uid_is_found(d, path);
		queries_have_bounds(d, path);
	}
	words_are_not_looked_for(d, path);
	ok(dav_call(d, erase, path, &err));
	assert_false(lists(d, DAV_EVENTS, path, ""));
	ok(dav_call(d, erase, other, &err));
	arena_free(a);
}
