/* A time zone of a device: its text, or else (of 172 bytes) the structure itself. */
#include "core/base/base64.h"
#include "core/map/timezone.h"

#include <libical/ical.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { BLOB = 172, YEAR = 366 };

static struct str text_of(struct str bytes, struct arena *a)
{
	struct buf b;
	struct str text;

	if (bytes.n != BLOB)
		return bytes;
	buf_init(&b, BUF_MAX_LINE);
	base64_encode(bytes, &b);
	text = arena_str(a, buf_str(&b));
	buf_release(&b);
	return text;
}

/* Whatever was read can be asked of any day, written, and read again. */
static void use(struct timezone_rule *r, struct arena *a)
{
	struct timezone_rule again;
	struct str tzid = timezone_tzid(r, a), text;
	icalcomponent *c;
	bool dst;

	for (int64_t day = 20000; day < 20000 + YEAR; day++) {
		int offset = timezone_rule_offset(r, day * 86400, &dst);
		int64_t utc = timezone_utc(r, day * 86400 + offset);

		if (utc + timezone_rule_offset(r, utc, &dst) != day * 86400 + offset)
			abort();
	}
	if (!tzid.n || timezone_read(timezone_rule_blob(r, a), a, &again, NULL) ||
		!timezone_same(r, &again))
		abort();
	text = timezone_component(r, r->name.n ? r->name : tzid, a);
	c = icalparser_parse_string(arena_cstr(a, text));
	if (!c || icalcomponent_isa(c) != ICAL_VTIMEZONE_COMPONENT)
		abort();
	icalcomponent_free(c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	struct timezone_rule r;

	if (timezone_read(text_of((struct str){(const char *)data, size}, a), a, &r, NULL) ==
		RC_OK)
		use(&r, a);
	arena_free(a);
	return 0;
}
