/*
 * Thousands of random events between phones and calendars: C115 to C126, K19, R3.20. What one
 * phone writes another gets; what a phone sends back unchanged leaves the object as it was,
 * byte for byte; what it changes leaves alone what it does not know, and the instances of a
 * series when they are.
 */
#include "core/base/clock.h"
#include "tests/support_event.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { ROUNDS = 3000, INSTANTS = 40, NOW = 1772532000 };

static const enum eas_version versions[] = {V25, V120, V121, V140, V141};

static struct email_options options_of(enum eas_version v)
{
	struct email_options o = {.version = v,
		.truncation = -1,
		.mime_truncation = -1,
		.user = STR("ann@example.test")};

	if (v >= V120) {
		o.prefs[0] = (struct body_preference){.type = BODY_PLAIN};
		o.nprefs = 1;
	}
	return o;
}

static struct str applied(struct str ics, const struct elem *data,
	const struct email_options *o, struct arena *a, unsigned seed)
{
	struct event_patch p = {.version = o->version,
		.options = o,
		.uid = STR("uid-1"),
		.whole = !ics.p,
		.now = NOW};
	struct err err = ERR_INIT;
	struct str r = STR_NONE;

	if (event_apply(ics, data, &p, a, &r, &err))
		fail_msg("seed %u: %s\n%.*s\n%.*s", seed, err.text, STR_FMT(ics),
			STR_FMT(contact_text_of(data, a)));
	return r;
}

static struct elem *sent(
	struct str ics, const struct email_options *o, struct arena *a, unsigned seed)
{
	struct err err = ERR_INIT;
	struct elem *e = event_sent(ics, o, a, &err);

	if (!e)
		fail_msg("seed %u: %s\n%.*s", seed, err.text, STR_FMT(ics));
	return e;
}

static void must_be_same(struct str ics, struct str again, const struct elem *data,
	struct arena *a, unsigned seed)
{
	if (!str_eq(ics, again))
		fail_msg("seed %u: not the same again\n%.*s\n%.*s\n%.*s", seed, STR_FMT(ics),
			STR_FMT(contact_text_of(data, a)), STR_FMT(again));
}

static void test_what_a_phone_writes_another_gets(void **state UNUSED)
{
	static const tag_t optional[] = {CALENDAR_LOCATION, CALENDAR_REMINDER,
		CALENDAR_CATEGORIES, CALENDAR_ATTENDEES, CALENDAR_RECURRENCE,
		CALENDAR_EXCEPTIONS};

	for (unsigned seed = 1; seed <= ROUNDS; seed++) {
		struct arena *a = arena_new();
		struct chance r = chance_of(seed);
		enum eas_version v = versions[chance(&r, ARRAY_LEN(versions))];
		struct email_options o = options_of(v);
		struct elem *data = contact_tree(event_random_data(&r, v, a), a), *got;
		struct str ics = applied(STR_NONE, data, &o, a, seed), what = STR_NONE;

		got = sent(ics, &o, a, seed);
		if (!event_has_all(data, got, a, &what))
			fail_msg("seed %u: %.*s\n%.*s\n%.*s", seed, STR_FMT(what), STR_FMT(ics),
				STR_FMT(contact_text_of(data, a)));
		for (size_t i = 0; i < ARRAY_LEN(optional); i++)
			if (elem_has(got, optional[i]) && !elem_has(data, optional[i]))
				fail_msg("seed %u: %s is new\n%.*s", seed,
					tag_info(optional[i])->name, STR_FMT(ics));
		/* Both phones send it back. */
		must_be_same(ics, applied(ics, data, &o, a, seed), data, a, seed);
		must_be_same(ics, applied(ics, got, &o, a, seed), got, a, seed);
		arena_free(a);
	}
}

static void test_an_echo_changes_no_byte(void **state UNUSED)
{
	for (unsigned seed = 1; seed <= ROUNDS; seed++) {
		struct arena *a = arena_new();
		struct chance r = chance_of(seed);
		struct email_options o = options_of(versions[chance(&r, ARRAY_LEN(versions))]);
		struct str *lines, ics;
		struct elem *e;
		size_t n;

		ics = event_random_object(&r, a, &lines, &n);
		/* Also of a description that the device has in part. */
		if (o.version >= V120 && chance(&r, 2)) {
			o.prefs[0].has_size = true;
			o.prefs[0].size = 6;
		}
		e = sent(ics, &o, a, seed);
		must_be_same(ics, applied(ics, e, &o, a, seed), e, a, seed);
		arena_free(a);
	}
}

/* Puts another text into the child, or a child with it behind the others. */
static struct elem *put(struct elem *e, tag_t tag, const char *text, struct arena *a)
{
	struct elem **at = &e->child;

	while (*at && (*at)->tag != tag)
		at = &(*at)->next;
	if (!*at) {
		*at = ARENA_NEW(a, struct elem);
		(*at)->tag = tag;
	}
	(*at)->text = text ? str_of(text) : STR_NONE;
	return *at;
}

static void take_away(struct elem *e, tag_t tag)
{
	struct elem **at = &e->child;

	while (*at && (*at)->tag != tag)
		at = &(*at)->next;
	if (*at)
		*at = (*at)->next;
}

static void add_attendee(struct elem *data, struct arena *a)
{
	struct elem *list = put(data, CALENDAR_ATTENDEES, NULL, a), **end = &list->child;
	struct elem *one = ARENA_NEW(a, struct elem);

	while (*end)
		end = &(*end)->next;
	*end = one;
	one->tag = CALENDAR_ATTENDEE;
	(void)put(one, CALENDAR_EMAIL, "new@example.test", a);
	(void)put(one, CALENDAR_NAME, "New, N", a);
}

static void delay(struct elem *data, tag_t tag, struct arena *a)
{
	int64_t t = 0;

	if (clock_parse(elem_text(data, tag), &t))
		fail_msg("no time");
	(void)put(data, tag, clock_compact(a, t + 86400).p, a);
}

enum edit {
	EDIT_SUBJECT,
	EDIT_LOCATION,
	EDIT_NO_LOCATION,
	EDIT_REMINDER,
	EDIT_BUSY,
	EDIT_SENSITIVITY,
	EDIT_CATEGORIES,
	EDIT_ATTENDEES,
	EDIT_BODY,
	EDIT_TIMES,
	EDITS,
};

static void edit_data(enum edit edit, struct elem *data, enum eas_version v, struct arena *a)
{
	struct elem *list;

	switch (edit) {
	case EDIT_SUBJECT:
		(void)put(data, CALENDAR_SUBJECT, "edited; a, b", a);
		break;
	case EDIT_LOCATION:
		(void)put(data, CALENDAR_LOCATION, "edited\\n", a);
		break;
	case EDIT_NO_LOCATION:
		take_away(data, CALENDAR_LOCATION);
		break;
	case EDIT_REMINDER:
		(void)put(data, CALENDAR_REMINDER, "123", a);
		break;
	case EDIT_BUSY:
		(void)put(data, CALENDAR_BUSY_STATUS, "1", a);
		break;
	case EDIT_SENSITIVITY:
		(void)put(data, CALENDAR_SENSITIVITY, "3", a);
		break;
	case EDIT_CATEGORIES:
		list = put(data, CALENDAR_CATEGORIES, NULL, a);
		list->child = NULL;
		(void)put(list, CALENDAR_CATEGORY, "five, six", a);
		break;
	case EDIT_ATTENDEES:
		add_attendee(data, a);
		/* They make it a meeting, of his who had none; and so its instances. */
		take_away(data, CALENDAR_EXCEPTIONS);
		take_away(data, CALENDAR_MEETING_STATUS);
		take_away(data, CALENDAR_RESPONSE_TYPE);
		take_away(data, CALENDAR_RESPONSE_REQUESTED);
		break;
	case EDIT_BODY:
		if (v < V120) {
			(void)put(data, CALENDAR_BODY, "edited\r\nbody", a);
			break;
		}
		list = put(data, AIRSYNCBASE_BODY, NULL, a);
		list->child = NULL;
		(void)put(list, AIRSYNCBASE_TYPE, "1", a);
		(void)put(list, AIRSYNCBASE_DATA, "edited\r\nbody", a);
		break;
	default:
		delay(data, CALENDAR_START_TIME, a);
		delay(data, CALENDAR_END_TIME, a);
		/* A series would be another. */
		take_away(data, CALENDAR_RECURRENCE);
		take_away(data, CALENDAR_EXCEPTIONS);
		break;
	}
}

/* A series of which the device knows no more than the first instance does not move. */
static bool is_refused(enum edit edit, struct str ics, struct elem *data,
	const struct email_options *o, struct arena *a)
{
	struct event_patch p = {.version = o->version, .options = o, .now = NOW};
	struct str event = str_sub(ics, str_search(ics, STR("BEGIN:VEVENT")), ics.n);
	bool repeats = str_search(event, STR("\nRRULE")) < event.n ||
		       str_search(event, STR("\nRDATE")) < event.n;
	struct err err = ERR_INIT;
	struct str r;

	if (edit != EDIT_TIMES || !repeats || elem_has(data, CALENDAR_RECURRENCE))
		return false;
	edit_data(edit, data, o->version, a);
	assert_int_equal(event_apply(ics, data, &p, a, &r, &err), RC_INVALID);
	return true;
}

static void test_an_edit_leaves_alone_what_it_does_not_know(void **state UNUSED)
{
	for (unsigned seed = 1; seed <= ROUNDS; seed++) {
		struct arena *a = arena_new();
		struct chance r = chance_of(seed);
		struct email_options o = options_of(versions[chance(&r, ARRAY_LEN(versions))]);
		int64_t before[INSTANTS], after[INSTANTS];
		struct str *lines, ics, got, what = STR_NONE;
		enum edit edit = chance(&r, EDITS);
		struct elem *data, *again;
		size_t n, nbefore;

		ics = event_random_object(&r, a, &lines, &n);
		data = sent(ics, &o, a, seed);
		if (is_refused(edit, ics, data, &o, a)) {
			arena_free(a);
			continue;
		}
		nbefore = event_instants(ics, before, INSTANTS, a);
		edit_data(edit, data, o.version, a);
		got = applied(ics, data, &o, a, seed);
		again = sent(got, &o, a, seed);
		/* An instance may be as the series is now. */
		take_away(data, CALENDAR_EXCEPTIONS);
		if (!event_has_all(data, again, a, &what))
			fail_msg("seed %u, edit %d: %.*s\n%.*s\n%.*s\n%.*s", seed, edit,
				STR_FMT(what), STR_FMT(ics), STR_FMT(contact_text_of(data, a)),
				STR_FMT(got));
		if (edit != EDIT_TIMES && !contact_keeps(got, lines, n, &what))
			fail_msg("seed %u, edit %d: %.*s is gone\n%.*s\n%.*s", seed, edit,
				STR_FMT(what), STR_FMT(ics), STR_FMT(got));
		if (edit != EDIT_TIMES) {
			assert_int_equal(event_instants(got, after, INSTANTS, a), nbefore);
			assert_memory_equal(before, after, nbefore * sizeof(*before));
		}
		must_be_same(got, applied(got, again, &o, a, seed), again, a, seed);
		arena_free(a);
	}
}

/* What a series of a phone comes to is what the phone means by it: the library's own reading
 * of the object gives instances at the phone's hour, summer and winter. */
static void test_instances_are_at_the_hour_of_their_zone(void **state UNUSED)
{
	for (size_t z = 0; z < event_ntest_zones; z++) {
		struct arena *a = arena_new();
		const struct event_test_zone *zone = &event_test_zones[z];
		struct email_options o = options_of(V141);
		int64_t local = clock_days(2026, 1, 5) * 86400 + 36000, v[INSTANTS];
		struct str text = arena_printf(a,
			"airsync:ApplicationData\n  calendar:Timezone \"%s\"\n"
			"  calendar:StartTime \"%s\"\n  calendar:EndTime \"%s\"\n"
			"  calendar:Recurrence\n    calendar:Type \"1\"\n"
			"    calendar:DayOfWeek \"2\"\n    calendar:Interval \"1\"\n",
			event_test_blob(zone, a).p,
			clock_compact(a, event_test_utc(zone, local)).p,
			clock_compact(a, event_test_utc(zone, local) + 1800).p);
		struct str ics = applied(STR_NONE, contact_tree(text, a), &o, a, 0);

		assert_int_equal(event_instants(ics, v, INSTANTS, a), INSTANTS);
		for (int i = 0; i < INSTANTS; i++)
			assert_true(v[i] == event_test_utc(zone, local + i * 7 * 86400));
		arena_free(a);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_a_phone_writes_another_gets),
		cmocka_unit_test(test_an_echo_changes_no_byte),
		cmocka_unit_test(test_an_edit_leaves_alone_what_it_does_not_know),
		cmocka_unit_test(test_instances_are_at_the_hour_of_their_zone),
	};

	return cmocka_run_group_tests_name("event roundtrip", tests, NULL, NULL);
}
