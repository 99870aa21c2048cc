/* A rule of anybody's making, and the elements that it becomes. */
#include "core/map/recurrence.h"
#include "core/wire/reader.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const int64_t start = 1768471200; /* 2026-01-15 10:00 */

static void tell(const struct recurrence *r, struct arena *a)
{
	struct recurrence read, again;
	struct wbxml_writer w;
	struct elem *doc;
	bool utc;

	wbxml_init(&w, NULL, BUF_MAX_TEXT);
	recurrence_write(r, &recurrence_calendar, V141, a, &w);
	if (wbxml_finish(&w, NULL) || wbxml_read(buf_str(&w.out), WBXML_LIMITS, a, &doc, NULL))
		abort();
	if (recurrence_read(doc, &recurrence_calendar, start, &read, NULL) ||
		!recurrence_same(r, &read))
		abort();
	/* The end is the caller's. */
	read.has_until = false;
	if (!recurrence_of_rule(recurrence_rule(&read, STR_NONE, a), start, &again, &utc, a) ||
		!recurrence_same(&read, &again))
		abort();
	wbxml_release(&w);
}

static void read_elements(struct str bytes, struct arena *a)
{
	struct recurrence r, again;
	struct elem *doc;
	bool utc;

	if (wbxml_read(bytes, WBXML_LIMITS, a, &doc, NULL) ||
		recurrence_read(doc, &recurrence_calendar, start, &r, NULL))
		return;
	r.has_until = false;
	if (!recurrence_of_rule(recurrence_rule(&r, STR_NONE, a), start, &again, &utc, a) ||
		!recurrence_same(&r, &again))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	struct str bytes = {(const char *)data, size};
	struct recurrence r;
	bool utc;

	if (recurrence_of_rule(bytes, start, &r, &utc, a))
		tell(&r, a);
	read_elements(bytes, a);
	arena_free(a);
	return 0;
}
