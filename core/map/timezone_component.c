#include "core/map/timezone_parts.h"

#include "core/base/clock.h"
#include "core/base/utf8.h"

#include <stdlib.h>

enum { TZID_MAX = 255 };

struct str timezone_offset_text(int offset, struct arena *a)
{
	char sign = offset < 0 ? '-' : '+';
	unsigned n = (unsigned)abs(offset);

	return n % 60 ? arena_printf(a, "%c%02u%02u%02u", sign, n / 3600, n / 60 % 60, n % 60)
		      : arena_printf(a, "%c%02u%02u", sign, n / 3600, n / 60 % 60);
}

/* A line of iCalendar, folded at 75 bytes, never inside a character. */
static void put_line(struct buf *b, struct str line)
{
	size_t room = 75;

	while (line.n > room) {
		struct str part = utf8_cut(line, room);

		buf_add_str(b, part);
		buf_adds(b, "\r\n ");
		line = str_sub(line, part.n, line.n);
		room = 74;
	}
	buf_add_str(b, line);
	buf_adds(b, "\r\n");
}

static struct str escaped(struct str text, struct arena *a)
{
	struct buf b;
	struct str r;

	text = utf8_cleaned(utf8_cut(text, TZID_MAX), a);
	buf_init(&b, BUF_MAX_LINE);
	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];

		if (c == '\n' || c == '\r')
			continue;
		if (c == '\\' || c == ';' || c == ',')
			buf_addc(&b, '\\');
		buf_addc(&b, c);
	}
	r = arena_str(a, buf_str(&b));
	buf_release(&b);
	return r;
}

/* c NULL: in force always. */
static void put_half(struct buf *b, const char *name, int from, int to,
	const struct timezone_change *c, struct arena *a)
{
	static const char days[7][3] = {"SU", "MO", "TU", "WE", "TH", "FR", "SA"};
	struct str before = timezone_offset_text(from, a), after = timezone_offset_text(to, a);
	struct str start = STR("19700101T000000Z");

	if (c)
		start = clock_compact(a, timezone_change_local(c, 1970));
	buf_addf(b, "BEGIN:%s\r\nDTSTART:%.*s\r\n", name, (int)start.n - 1, start.p);
	if (c)
		buf_addf(b, "RRULE:FREQ=YEARLY;BYMONTH=%u;BYDAY=%d%s\r\n", c->month,
			c->week == 5 ? -1 : (int)c->week, days[c->day % 7]);
	buf_addf(b, "TZOFFSETFROM:%.*s\r\nTZOFFSETTO:%.*s\r\nEND:%s\r\n", STR_FMT(before),
		STR_FMT(after), name);
}

struct str timezone_component(const struct timezone_rule *r, struct str tzid, struct arena *a)
{
	bool summer = r->standard != r->daylight;
	struct str name = escaped(tzid.n ? tzid : timezone_tzid(r, a), a), text;
	struct buf b;

	buf_init(&b, BUF_MAX_LINE);
	buf_adds(&b, "BEGIN:VTIMEZONE\r\n");
	put_line(&b, arena_printf(a, "TZID:%.*s", STR_FMT(name)));
	put_half(&b, "STANDARD", r->daylight, r->standard, summer ? &r->begins_standard : NULL,
		a);
	if (summer)
		put_half(&b, "DAYLIGHT", r->standard, r->daylight, &r->begins_daylight, a);
	buf_adds(&b, "END:VTIMEZONE\r\n");
	text = arena_str(a, buf_str(&b));
	buf_release(&b);
	return text;
}
