#include "tests/support_event.h"

#include "core/base/base64.h"
#include "core/base/clock.h"
#include "core/wire/reader.h"

#include <libical/ical.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

const struct event_test_zone event_test_zones[] = {
	{"Europe/Berlin",       3600,   7200,   10, 5, 0, 3, 3,  5, 0, 2},
	{"America/Los_Angeles", -28800, -25200, 11, 1, 0, 2, 3,  2, 0, 2},
	{"Pacific/Auckland",    43200,  46800,  4,  1, 0, 3, 9,  5, 0, 2},
	{"Asia/Kolkata",        19800,  19800,  0,  0, 0, 0, 0,  0, 0, 0},
	{"UTC",		 0,      0,      0,  0, 0, 0, 0,  0, 0, 0},
 /* As it was until 2018: midnight is skipped where daylight saving time begins. */
	{"America/Sao_Paulo",   -10800, -7200,  2,  3, 0, 0, 11, 1, 0, 0},
};
const size_t event_ntest_zones = ARRAY_LEN(event_test_zones);

static void put16(unsigned char *p, unsigned n)
{
	p[0] = (unsigned char)(n & 0xff);
	p[1] = (unsigned char)(n >> 8 & 0xff);
}

static void put32(unsigned char *p, int n)
{
	put16(p, (unsigned)n & 0xffff);
	put16(p + 2, (unsigned)n >> 16);
}

struct str event_test_blob(const struct event_test_zone *z, struct arena *a)
{
	unsigned char blob[172] = {0};
	struct buf b;
	struct str r;

	put32(blob, -z->standard / 60);
	if (z->month) {
		put16(blob + 68 + 2, z->month);
		put16(blob + 68 + 4, z->day);
		put16(blob + 68 + 6, z->week);
		put16(blob + 68 + 8, z->hour);
		put16(blob + 152 + 2, z->to_month);
		put16(blob + 152 + 4, z->to_day);
		put16(blob + 152 + 6, z->to_week);
		put16(blob + 152 + 8, z->to_hour);
		put32(blob + 168, (z->standard - z->daylight) / 60);
	}
	buf_init(&b, BUF_MAX_LINE);
	base64_encode((struct str){(const char *)blob, sizeof(blob)}, &b);
	r = arena_str(a, buf_str(&b));
	buf_release(&b);
	return r;
}

static struct str offset_of(int seconds, struct arena *a)
{
	int n = seconds < 0 ? -seconds : seconds;

	return arena_printf(a, "%c%02d%02d", seconds < 0 ? '-' : '+', n / 3600, n / 60 % 60);
}

static struct str observance(const char *name, int from, int to, unsigned month, unsigned week,
	unsigned day, unsigned hour, struct arena *a)
{
	static const char *const days[] = {"SU", "MO", "TU", "WE", "TH", "FR", "SA"};
	unsigned first = 1;

	/* The first of them in 1970, a year that began on a Thursday. */
	while ((unsigned)((clock_days(1970, month, first) + 4) % 7) != day)
		first++;
	if (week < 5)
		first += 7 * (week - 1);
	else
		while (first + 7 <= (month == 2 ? 28u : month == 4 || month == 9 ? 30u : 31u))
			first += 7;
	return arena_printf(a,
		"BEGIN:%s\r\nDTSTART:1970%02u%02uT%02u0000\r\nTZOFFSETFROM:%s\r\n"
		"TZOFFSETTO:%s\r\nRRULE:FREQ=YEARLY;BYMONTH=%u;BYDAY=%d%s\r\nEND:%s\r\n",
		name, month, first, hour, offset_of(from, a).p, offset_of(to, a).p, month,
		week == 5 ? -1 : (int)week, days[day], name);
}

struct str event_test_component(const struct event_test_zone *z, struct arena *a)
{
	struct str inner;

	if (str_is(str_of(z->tzid), "UTC"))
		return STR("");
	inner = z->month ? arena_printf(a, "%s%s",
				   observance("STANDARD", z->daylight, z->standard, z->month,
					   z->week, z->day, z->hour, a)
					   .p,
				   observance("DAYLIGHT", z->standard, z->daylight, z->to_month,
					   z->to_week, z->to_day, z->to_hour, a)
					   .p)
			 : arena_printf(a,
				   "BEGIN:STANDARD\r\nDTSTART:19700101T000000\r\n"
				   "TZOFFSETFROM:%s\r\nTZOFFSETTO:%s\r\nEND:STANDARD\r\n",
				   offset_of(z->standard, a).p, offset_of(z->standard, a).p);
	return arena_printf(
		a, "BEGIN:VTIMEZONE\r\nTZID:%s\r\n%sEND:VTIMEZONE\r\n", z->tzid, inner.p);
}

/* The day of a change. */
static int64_t change(int year, unsigned month, unsigned week, unsigned day, unsigned hour)
{
	int64_t d = clock_days(year, month, 1);

	while ((d + 4) % 7 != day)
		d++;
	d += 7 * (int64_t)(week - 1);
	if (week == 5) {
		int y;
		unsigned m, dummy;

		clock_civil(d, &y, &m, &dummy);
		if (m != month)
			d -= 7;
	}
	return d * 86400 + hour * 3600;
}

int64_t event_test_utc(const struct event_test_zone *z, int64_t local)
{
	int64_t ends, begins;
	unsigned month, day;
	bool summer;
	int year;

	if (!z->month)
		return local - z->standard;
	clock_civil(local / 86400, &year, &month, &day);
	ends = change(year, z->month, z->week, z->day, z->hour);
	/* What is skipped is read with the offset before. */
	begins = change(year, z->to_month, z->to_week, z->to_day, z->to_hour) + z->daylight -
		 z->standard;
	summer = begins < ends ? local >= begins && local < ends
			       : local >= begins || local < ends;
	return local - (summer ? z->daylight : z->standard);
}

struct str event_object(const char *lines, struct arena *a)
{
	struct str rest = str_of(lines), one, r;
	struct buf b;

	buf_init(&b, BUF_MAX_TEXT);
	buf_adds(&b, "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//EN\r\n");
	while (str_next(&rest, '\n', &one)) {
		if (one.n && one.p[one.n - 1] == '\r')
			one.n--;
		if (!one.n)
			continue;
		buf_add_str(&b, one);
		buf_adds(&b, "\r\n");
	}
	buf_adds(&b, "END:VCALENDAR\r\n");
	r = arena_str(a, buf_str(&b));
	buf_release(&b);
	return r;
}

struct elem *event_sent(
	struct str ics, const struct email_options *o, struct arena *a, struct err *err)
{
	struct wbxml_writer w;
	struct elem *e = NULL;
	enum rc rc;

	wbxml_init(&w, NULL, BUF_MAX_RESPONSE);
	wbxml_open(&w, AIRSYNC_APPLICATION_DATA);
	rc = event_write(ics, o, a, &w, err);
	if (rc) {
		wbxml_release(&w);
		return NULL;
	}
	wbxml_close(&w, AIRSYNC_APPLICATION_DATA);
	rc = wbxml_finish(&w, err);
	if (rc == RC_OK)
		rc = wbxml_read(arena_str(a, buf_str(&w.out)), WBXML_LIMITS, a, &e, err);
	wbxml_release(&w);
	return rc ? NULL : e;
}

struct instants {
	int64_t *v;
	size_t n, max;
};

static void add_instant(icalcomponent *c, struct icaltime_span *span, void *data)
{
	struct instants *all = data;

	(void)c;
	if (all->n < all->max)
		all->v[all->n++] = span->start;
}

static int by_number(const void *x, const void *y)
{
	int64_t a = *(const int64_t *)x, b = *(const int64_t *)y;

	return (a > b) - (a < b);
}

static int64_t moment(struct icaltimetype t)
{
	return icaltime_as_timet_with_zone(
		t, t.zone ? t.zone : icaltimezone_get_utc_timezone());
}

/* Instances of the rule that have a component of their own. */
static bool is_replaced(icalcomponent *calendar, icalcomponent *master, int64_t at)
{
	icalcomponent *c = icalcomponent_get_first_component(calendar, ICAL_VEVENT_COMPONENT);

	for (; c; c = icalcomponent_get_next_component(calendar, ICAL_VEVENT_COMPONENT)) {
		icalproperty *p =
			icalcomponent_get_first_property(c, ICAL_RECURRENCEID_PROPERTY);

		if (c != master && p &&
			moment(icalproperty_get_datetime_with_component(p, c)) == at)
			return true;
	}
	return false;
}

size_t event_instants(struct str ics, int64_t *v, size_t max, struct arena *a)
{
	icalcomponent *calendar = icalparser_parse_string(arena_cstr(a, ics)), *c;
	struct icaltimetype from = icaltime_from_string("19000101T000000Z"),
			    to = icaltime_from_string("20400101T000000Z");
	size_t n = 0;

	if (!calendar)
		fail_msg("the library cannot read\n%.*s", STR_FMT(ics));
	for (c = icalcomponent_get_first_component(calendar, ICAL_VEVENT_COMPONENT); c;
		c = icalcomponent_get_next_component(calendar, ICAL_VEVENT_COMPONENT)) {
		struct instants all = {ARENA_ARRAY(a, int64_t, 4000), 0, 4000};
		bool own =
			icalcomponent_get_first_property(c, ICAL_RECURRENCEID_PROPERTY) != NULL;

		icalcomponent_foreach_recurrence(c, from, to, add_instant, &all);
		for (size_t i = 0; i < all.n && n < max; i++)
			if (own || !is_replaced(calendar, c, all.v[i]))
				v[n++] = all.v[i];
	}
	icalcomponent_free(calendar);
	qsort(v, n, sizeof(*v), by_number);
	return n;
}

static const char *const words[] = {"Lunch", "Gr\xc3\xbcn, Ann; Bob", "back\\slash",
	"\xe5\xb1\xb1\xe7\x94\xb0", "\"quoted\"", "a:b", "100% <sure>", "c\\n", ";", ",",
	"\xf0\x9f\x98\x80 smile", "a & b", "^n", "BEGIN:VEVENT"};

static const char *word(struct chance *r)
{
	return words[chance(r, ARRAY_LEN(words))];
}

/* As a value in an object. */
static const char *escaped(const char *text, struct arena *a)
{
	struct buf b;
	struct str s;

	buf_init(&b, BUF_MAX_LINE);
	for (; *text; text++) {
		if (*text == '\\' || *text == ';' || *text == ',')
			buf_addc(&b, '\\');
		buf_addc(&b, *text);
	}
	s = arena_str(a, buf_str(&b));
	buf_release(&b);
	return s.p;
}

/* As text in a dump. */
static const char *quoted(const char *text, struct arena *a)
{
	struct buf b;
	struct str s;

	buf_init(&b, BUF_MAX_LINE);
	for (; *text; text++) {
		if (*text == '\\' || *text == '"')
			buf_addc(&b, '\\');
		buf_addc(&b, *text);
	}
	s = arena_str(a, buf_str(&b));
	buf_release(&b);
	return s.p;
}

/* Lines that stay whatever a device does. */
static const char *const foreign[] = {"X-FOO;X-BAR=\"a,b;c\":x\\,y,z;q\\n",
	"STRUCTURED-DATA;FMTTYPE=text/plain:a,b;c", "GEO:48.85299;2.36885",
	"URL:https://x.test/", "ATTACH;FMTTYPE=text/plain;X-SIZE=3:https://x.test/a,b",
	"COMMENT;LANGUAGE=de:was\\, ja", "PRIORITY:5", "X-EMPTY:", "COLOR:tomato",
	"IMAGE;VALUE=URI;DISPLAY=BADGE:https://x.test/i",
	"X-APPLE-STRUCTURED-LOCATION;VALUE=URI;X-TITLE=\"a\\nb\":geo:1.0,2.0",
	"ATTENDEE;CN=Hall;CUTYPE=ROOM:urn:uuid:17", "RELATED-TO:other@example.test",
	"X-BROKEN;=\"x\":y", "REQUEST-STATUS:2.0;Success"};

struct lines {
	struct buf b;
	struct str v[64];
	size_t n;
	struct arena *a;
};

static void put(struct lines *l, const char *line, bool is_foreign)
{
	buf_adds(&l->b, line);
	buf_addc(&l->b, '\n');
	if (is_foreign)
		l->v[l->n++] = str_of(line);
}

static void put_foreign(struct lines *l, struct chance *r)
{
	if (chance(r, 3) == 0 && l->n < ARRAY_LEN(l->v))
		put(l, foreign[chance(r, ARRAY_LEN(foreign))], true);
}

static const char *civil(int64_t local, struct arena *a)
{
	return arena_cstr(a, str_sub(clock_compact(a, local), 0, 15));
}

/* How an object writes its times. */
struct writing {
	const struct event_test_zone *zone;
	enum { IN_ZONE, IN_UTC, FLOATING, DATES, WRITINGS } how;
};

static const char *time_line(
	const char *name, const struct writing *w, int64_t local, struct arena *a)
{
	switch (w->how) {
	case DATES:
		return arena_printf(a, "%s;VALUE=DATE:%.8s", name, civil(local, a)).p;
	case IN_UTC:
		return arena_printf(a, "%s:%sZ", name, civil(local, a)).p;
	case FLOATING:
		return arena_printf(a, "%s:%s", name, civil(local, a)).p;
	default:
		return arena_printf(a, "%s;TZID=%s:%s", name, w->zone->tzid, civil(local, a)).p;
	}
}

static const char *const rules[] = {"FREQ=DAILY", "FREQ=DAILY;COUNT=30", "FREQ=WEEKLY",
	"FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE,FR;WKST=MO", "FREQ=MONTHLY;COUNT=12",
	"FREQ=MONTHLY;BYDAY=2TU", "FREQ=MONTHLY;BYDAY=-1FR;COUNT=20", "FREQ=YEARLY",
	"FREQ=YEARLY;BYMONTH=5;BYDAY=2SU", "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
	/* Devices cannot be told these. */
	"FREQ=MONTHLY;BYMONTHDAY=7,9", "FREQ=DAILY;BYHOUR=8,10;COUNT=9",
	"FREQ=WEEKLY;BYDAY=MO;BYMONTH=3,5", "FREQ=YEARLY;BYYEARDAY=100;COUNT=5"};

static void put_alarms(struct lines *l, struct chance *r)
{
	static const char *const triggers[] = {"TRIGGER:-PT15M", "TRIGGER;RELATED=END:PT0S",
		"TRIGGER;VALUE=DATE-TIME:20260101T000000Z", "TRIGGER;X-A=b:-P1D"};

	for (unsigned i = chance(r, 3); i > 0; i--) {
		put(l, "BEGIN:VALARM", false);
		put(l, "ACTION:DISPLAY", false);
		put(l, "DESCRIPTION:x", false);
		put(l, triggers[chance(r, ARRAY_LEN(triggers))], false);
		put(l, "END:VALARM", false);
	}
}

static void put_people(struct lines *l, struct chance *r)
{
	static const char *const who[] = {"ORGANIZER;CN=Ann:mailto:ann@example.test",
		"ORGANIZER;SENT-BY=\"mailto:x@example.test\":MAILTO:eve@example.test"};

	put(l, who[chance(r, 2)], true);
	for (unsigned i = chance(r, 4); i > 0; i--)
		put(l,
			arena_printf(l->a,
				"ATTENDEE;X-N=%u;CN=\"P, %u\";PARTSTAT=%s%s:mailto:p%u@example.test",
				i, i, chance(r, 2) ? "ACCEPTED" : "NEEDS-ACTION;RSVP=TRUE",
				chance(r, 2) ? ";ROLE=OPT-PARTICIPANT" : "", i)
				.p,
			false);
	if (chance(r, 3) == 0)
		put(l, "ATTENDEE;PARTSTAT=TENTATIVE:mailto:ann@example.test", false);
}

/* Of the event, or of an instance of it. */
static void put_event(struct lines *l, struct chance *r, const struct writing *w, int64_t start)
{
	int64_t length = w->how == DATES ? 86400 * (1 + chance(r, 3)) : 900 * chance(r, 9);
	struct arena *a = l->a;

	put(l, time_line("DTSTART", w, start, a), false);
	put_foreign(l, r);
	switch (chance(r, 3)) {
	case 0:
		put(l, time_line("DTEND", w, start + length, a), false);
		break;
	case 1:
		put(l,
			w->how == DATES
				? arena_printf(a, "DURATION:P%dD", (int)(length / 86400)).p
				: arena_printf(a, "DURATION:PT%dM", (int)(length / 60)).p,
			false);
		break;
	default:
		break;
	}
	put(l, arena_printf(a, "SUMMARY:%s", escaped(word(r), a)).p, false);
	put_foreign(l, r);
	if (chance(r, 2))
		put(l, arena_printf(a, "LOCATION;X-Q=1:%s", escaped(word(r), a)).p, false);
	if (chance(r, 2))
		put(l,
			arena_printf(a, "DESCRIPTION:%s\\n%s", escaped(word(r), a),
				escaped(word(r), a))
				.p,
			false);
	if (chance(r, 3) == 0)
		put(l, "CATEGORIES:one,two\\, three\nCATEGORIES:four", false);
	if (chance(r, 3) == 0)
		put(l, "CLASS:PRIVATE", false);
	if (chance(r, 3) == 0)
		put(l, chance(r, 2) ? "TRANSP:TRANSPARENT" : "TRANSP:OPAQUE", false);
	if (chance(r, 4) == 0)
		put(l, "X-MICROSOFT-CDO-BUSYSTATUS:OOF", false);
	if (chance(r, 3) == 0)
		put(l, chance(r, 2) ? "STATUS:TENTATIVE" : "STATUS:CANCELLED", false);
	put_foreign(l, r);
	if (chance(r, 3) == 0)
		put_people(l, r);
	put_foreign(l, r);
	put_alarms(l, r);
}

struct str event_random_object(
	struct chance *r, struct arena *a, struct str **foreign_r, size_t *nforeign_r)
{
	struct lines l = {.n = 0, .a = a};
	struct writing w = {.zone = &event_test_zones[chance(r, (unsigned)event_ntest_zones)],
		.how = chance(r, WRITINGS)};
	/* A day in 2026, at eight in the morning or later. */
	int64_t start = (clock_days(2026, 1, 1) + chance(r, 27) + 28 * chance(r, 12)) * 86400;
	struct str ics;

	if (w.how == IN_ZONE && str_is(str_of(w.zone->tzid), "UTC"))
		w.how = IN_UTC;
	if (w.how != DATES)
		start += 28800 + 900 * chance(r, 40);
	buf_init(&l.b, BUF_MAX_TEXT);
	if (w.how == IN_ZONE || chance(r, 3) == 0)
		put(&l, event_test_component(w.zone, a).p, false);
	if (chance(r, 4) == 0)
		put(&l, "BEGIN:VTODO\nUID:t\nSUMMARY:todo\nEND:VTODO", false);
	put(&l, "BEGIN:VEVENT\nUID:u1\nDTSTAMP:20260101T000000Z", false);
	if (chance(r, 2))
		put(&l, "SEQUENCE:2", false);
	put_event(&l, r, &w, start);
	if (chance(r, 2)) {
		/* Not behind its alarms, where libical would not mind either. */
		struct str all = arena_str(a, buf_str(&l.b));
		size_t at = str_search(all, STR("\nSUMMARY:"));
		struct str rule =
			arena_printf(a, "\nRRULE:%s", rules[chance(r, ARRAY_LEN(rules))]);

		if (chance(r, 3) == 0)
			rule = arena_printf(a, "%.*s\n%s", STR_FMT(rule),
				time_line("EXDATE", &w, start + 7 * 86400, a));
		buf_cut(&l.b, at);
		buf_add_str(&l.b, rule);
		buf_add_str(&l.b, str_sub(all, at, all.n));
		put(&l, "END:VEVENT", false);
		for (unsigned i = chance(r, 3); i > 0; i--) {
			int64_t instance = start + (int64_t)(14 * i) * 86400;
			int64_t moved = w.how == DATES ? 86400 : 3600;

			put(&l, "BEGIN:VEVENT\nUID:u1\nDTSTAMP:20260101T000000Z", false);
			put(&l, time_line("RECURRENCE-ID", &w, instance, a), false);
			put_event(&l, r, &w, instance + (chance(r, 2) ? moved : 0));
			put(&l, "END:VEVENT", false);
		}
	} else {
		put(&l, "END:VEVENT", false);
	}
	ics = event_object(arena_cstr(a, buf_str(&l.b)), a);
	buf_release(&l.b);
	*foreign_r = ARENA_ARRAY(a, struct str, l.n + 1);
	for (size_t i = 0; i < l.n; i++)
		(*foreign_r)[i] = l.v[i];
	*nforeign_r = l.n;
	return ics;
}

/* What phones send */

static void put_body(
	struct buf *b, const char *pad, struct chance *r, enum eas_version v, struct arena *a)
{
	const char *text = arena_printf(a, "%s\\r\\n%u", quoted(word(r), a), chance(r, 1000)).p;

	if (v < V120)
		buf_addf(b, "%scalendar:Body \"%s\"\n", pad, text);
	else
		buf_addf(b,
			"%sairsyncbase:Body\n%s  airsyncbase:Type \"1\"\n"
			"%s  airsyncbase:Data \"%s\"\n",
			pad, pad, pad, text);
}

/* Rules whose instances are easily counted. */
static void put_series(struct buf *b, struct chance *r, const struct event_test_zone *z,
	int64_t start, int64_t length, bool all_day, enum eas_version v, struct arena *a)
{
	unsigned weekly = chance(r, 2), interval = 1 + chance(r, 3), k = 1;
	unsigned day = (unsigned)((start / 86400 + 4) % 7);

	buf_addf(b,
		"  calendar:Recurrence\n    calendar:Type \"%u\"\n    calendar:Interval \"%u\"\n",
		weekly, interval);
	if (chance(r, 2))
		buf_addf(b, "    calendar:Occurrences \"%u\"\n", 40 + chance(r, 9));
	else if (chance(r, 2))
		buf_addf(b, "    calendar:Until \"%s\"\n",
			clock_compact(a, event_test_utc(z, start + 400 * (int64_t)86400)).p);
	if (weekly)
		buf_addf(b, "    calendar:DayOfWeek \"%u\"\n", 1u << day);
	if (chance(r, 2))
		return;
	buf_adds(b, "  calendar:Exceptions\n");
	for (unsigned i = 0; i < 3; i++, k += 1 + chance(r, 4)) {
		int64_t local = start + (int64_t)(k * interval * (weekly ? 7 : 1)) * 86400;
		int64_t moved = local + (all_day ? 86400 : 3600);

		buf_adds(b, "    calendar:Exception\n");
		if (chance(r, 3) == 0)
			buf_adds(b, "      calendar:Deleted \"1\"\n");
		buf_addf(b, "      calendar:ExceptionStartTime \"%s\"\n",
			clock_compact(a, event_test_utc(z, local)).p);
		if (str_search(str_sub(buf_str(b), b->n - 110, 110), STR("Deleted")) < 110)
			continue;
		if (chance(r, 2))
			buf_addf(b,
				"      calendar:StartTime \"%s\"\n      calendar:EndTime \"%s\"\n",
				clock_compact(a, event_test_utc(z, moved)).p,
				clock_compact(a, event_test_utc(z, moved + length)).p);
		buf_addf(b, "      calendar:Subject \"other %u\"\n", chance(r, 1000));
		if (chance(r, 2))
			buf_adds(b, "      calendar:Location \"elsewhere\"\n");
		if (chance(r, 3) == 0)
			buf_adds(b, "      calendar:Reminder \"77\"\n");
		if (chance(r, 3) == 0)
			put_body(b, "      ", r, v, a);
	}
}

static void put_attendees(struct buf *b, struct chance *r, enum eas_version v, struct arena *a)
{
	static const unsigned status[] = {2, 3, 4, 5};

	buf_adds(b, "  calendar:MeetingStatus \"1\"\n  calendar:OrganizerName \"Ann\"\n"
		    "  calendar:OrganizerEmail \"ann@example.test\"\n  calendar:Attendees\n");
	for (unsigned i = 1 + chance(r, 4); i > 0; i--) {
		buf_addf(b,
			"    calendar:Attendee\n      calendar:Email \"p%u@example.test\"\n"
			"      calendar:Name \"%s\"\n",
			i, quoted(word(r), a));
		if (v >= V120)
			buf_addf(b,
				"      calendar:AttendeeStatus \"%u\"\n"
				"      calendar:AttendeeType \"%u\"\n",
				status[chance(r, ARRAY_LEN(status))], 1 + chance(r, 3));
	}
	if (v >= V140)
		buf_addf(b, "  calendar:ResponseRequested \"%u\"\n", chance(r, 2));
}

struct str event_random_data(struct chance *r, enum eas_version v, struct arena *a)
{
	const struct event_test_zone *z =
		&event_test_zones[chance(r, (unsigned)event_ntest_zones)];
	int64_t start = (clock_days(2026, 1, 1) + chance(r, 360)) * 86400;
	bool all_day = chance(r, 3) == 0;
	int64_t length = all_day ? 86400 * (1 + chance(r, 3)) : 900 * chance(r, 9);
	struct buf b;
	struct str s;

	if (!all_day)
		start += 28800 + 900 * chance(r, 40);
	buf_init(&b, BUF_MAX_TEXT);
	buf_addf(&b,
		"airsync:ApplicationData\n  calendar:Timezone \"%s\"\n"
		"  calendar:AllDayEvent \"%d\"\n  calendar:StartTime \"%s\"\n"
		"  calendar:EndTime \"%s\"\n",
		event_test_blob(z, a).p, all_day, clock_compact(a, event_test_utc(z, start)).p,
		clock_compact(a, event_test_utc(z, start + length)).p);
	buf_addf(&b, "  calendar:Subject \"%s\"\n", quoted(word(r), a));
	if (chance(r, 2))
		buf_addf(&b, "  calendar:Location \"%s\"\n", quoted(word(r), a));
	if (chance(r, 2))
		buf_addf(&b, "  calendar:Reminder \"%u\"\n", chance(r, 20000));
	if (chance(r, 2))
		buf_addf(&b, "  calendar:Sensitivity \"%u\"\n", chance(r, 4));
	if (chance(r, 2))
		buf_addf(&b, "  calendar:BusyStatus \"%u\"\n", chance(r, 4));
	if (chance(r, 2))
		buf_addf(&b, "  calendar:UID \"uid %u\"\n", chance(r, 1000));
	if (chance(r, 3) == 0)
		buf_addf(&b,
			"  calendar:Categories\n    calendar:Category \"%s\"\n"
			"    calendar:Category \"%u\"\n",
			quoted(word(r), a), chance(r, 100));
	if (v >= V140 && chance(r, 2))
		buf_addf(&b, "  calendar:DisallowNewTimeProposal \"%u\"\n", chance(r, 2));
	if (chance(r, 3) == 0)
		put_attendees(&b, r, v, a);
	if (chance(r, 2))
		put_body(&b, "  ", r, v, a);
	if (chance(r, 2))
		put_series(&b, r, z, start, length, all_day, v, a);
	s = arena_str(a, buf_str(&b));
	buf_release(&b);
	return s;
}

static bool is_organizer(tag_t tag)
{
	return tag == CALENDAR_ORGANIZER_EMAIL || tag == CALENDAR_ORGANIZER_NAME;
}

bool event_has_all(
	const struct elem *x, const struct elem *y, struct arena *a, struct str *what_r)
{
	for (const struct elem *e = x->child; e; e = e->next) {
		const struct elem *o = elem_child(y, e->tag);

		if (e->tag == CALENDAR_DT_STAMP ||
			(is_organizer(e->tag) && !elem_has(x, CALENDAR_ATTENDEES)))
			continue;
		for (const struct elem *p = x->child; p != e && o; p = p->next)
			if (p->tag == e->tag)
				o = elem_again(o);
		/* Of an instance: it is not as in the series, which now has none either. */
		if (!o && !e->text.n && !e->child)
			continue;
		if (o && str_eq(e->text, o->text)) {
			if (!event_has_all(e, o, a, what_r))
				return false;
			continue;
		}
		*what_r = arena_printf(a, "%s: \"%.*s\" and \"%.*s\"", tag_info(e->tag)->name,
			STR_FMT(e->text), STR_FMT(o ? o->text : STR("nothing")));
		return false;
	}
	return true;
}
