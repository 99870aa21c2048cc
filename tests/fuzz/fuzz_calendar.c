/* An object of anybody's making, as a phone gets it; what the phone sends back unchanged leaves
 * the object as it was, and so it is with what edits make of it. */
#include "core/wire/dump.h"
#include "tests/support_event.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char single[] = "airsync:ApplicationData\n"
			     "  calendar:StartTime \"20260310T090000Z\"\n"
			     "  calendar:EndTime \"20260310T100000Z\"\n"
			     "  calendar:Subject \"a, b\"\n"
			     "  calendar:Location \"there\"\n"
			     "  calendar:Reminder \"5\"\n"
			     "  calendar:BusyStatus \"1\"\n"
			     "  calendar:Sensitivity \"1\"\n"
			     "  calendar:Categories\n"
			     "    calendar:Category \"c\"\n"
			     "  calendar:MeetingStatus \"1\"\n"
			     "  calendar:Attendees\n"
			     "    calendar:Attendee\n"
			     "      calendar:Email \"bob@example.test\"\n"
			     "      calendar:Name \"Bob\"\n"
			     "  airsyncbase:Body\n"
			     "    airsyncbase:Type \"1\"\n"
			     "    airsyncbase:Data \"one\\ntwo\"\n";
static const char series[] = "airsync:ApplicationData\n"
			     "  calendar:AllDayEvent \"1\"\n"
			     "  calendar:StartTime \"20260309T230000Z\"\n"
			     "  calendar:EndTime \"20260310T230000Z\"\n"
			     "  calendar:Recurrence\n"
			     "    calendar:Type \"0\"\n"
			     "    calendar:Interval \"1\"\n"
			     "  calendar:Exceptions\n"
			     "    calendar:Exception\n"
			     "      calendar:Deleted \"1\"\n"
			     "      calendar:ExceptionStartTime \"20260311T230000Z\"\n"
			     "    calendar:Exception\n"
			     "      calendar:ExceptionStartTime \"20260312T230000Z\"\n"
			     "      calendar:Subject \"other\"\n";

static void fail_with(const char *what, struct str ics, struct str got)
{
	(void)fprintf(stderr, "%s\n%.*s\n---\n%.*s\n", what, STR_FMT(ics), STR_FMT(got));
	abort();
}

static struct event_patch patch(const struct email_options *o)
{
	return (struct event_patch){.version = o->version, .options = o, .now = 1772532000};
}

static bool echo(struct str ics, const struct email_options *o, struct arena *a)
{
	struct event_patch p = patch(o);
	struct elem *sent = event_sent(ics, o, a, NULL);
	struct str again;

	if (!sent)
		return false;
	if (event_apply(ics, sent, &p, a, &again, NULL))
		fail_with("an echo was refused", ics, contact_text_of(sent, a));
	if (!str_eq(ics, again))
		fail_with("an echo changed the object", ics, again);
	return true;
}

static void edit(struct str ics, const char *text, struct email_options *o, struct arena *a)
{
	struct event_patch p = patch(o);
	struct elem *tree;
	struct str got;

	if (dump_parse(str_of(text), a, &tree, NULL))
		abort();
	if (event_apply(ics, tree, &p, a, &got, NULL)) {
		/* A series whose rule devices cannot be told does not move. */
		if (str_isearch(ics, STR("RRULE")) < ics.n ||
			str_isearch(ics, STR("RDATE")) < ics.n)
			return;
		fail_with("an edit was refused", ics, STR_NONE);
	}
	/* It may have grown beyond what is read. */
	if (!echo(got, o, a) && got.n < 1000 * 1000)
		fail_with("what an edit made cannot be shown", ics, got);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	struct str ics = {(const char *)data, size}, word = STR("a");
	struct email_options o = {.version = V141,
		.truncation = -1,
		.mime_truncation = -1,
		.nprefs = 1,
		.user = STR("ann@example.test")};

	o.prefs[0] = (struct body_preference){.type = BODY_PLAIN, .has_size = true, .size = 20};
	(void)event_says(ics, &word, 1, a);
	(void)event_end(ics, a);
	if (echo(ics, &o, a)) {
		edit(ics, single, &o, a);
		edit(ics, series, &o, a);
		o.version = V25;
		(void)echo(ics, &o, a);
	}
	arena_free(a);
	return 0;
}
