#include "core/map/timezone.h"

#include "core/base/base64.h"
#include "core/base/clock.h"
#include "core/base/utf8.h"
#include "core/map/timezone_parts.h"

#include <string.h>

enum {
	BLOB = 172,
	STANDARD_NAME = 4,
	NAME_UNITS = 32,
	STANDARD_DATE = 68,
	STANDARD_BIAS = 84,
	DAYLIGHT_DATE = 152,
	DAYLIGHT_BIAS = 168,
	DAY = 86400,
	BIAS_MAX = 24 * 60 - 1, /* minutes; what an offset of iCalendar can say */
	LAST = 5,
};

static int64_t day_of(int64_t seconds)
{
	return seconds / DAY - (seconds % DAY < 0);
}

static unsigned month_length(int year, unsigned month)
{
	return (unsigned)(clock_days(year + (month == 12), month % 12 + 1, 1) -
			  clock_days(year, month, 1));
}

/* 0 Sunday */
static unsigned weekday(int64_t days)
{
	return (unsigned)(((days + 4) % 7 + 7) % 7);
}

/* ---- a rule, and moments ---- */

static bool has_daylight(const struct timezone_rule *r)
{
	return r->standard != r->daylight;
}

int64_t timezone_change_local(const struct timezone_change *c, int year)
{
	int64_t first = clock_days(year, c->month, 1);
	unsigned day = (c->day + 7 - weekday(first)) % 7 + (c->week - 1) * 7;

	while (day >= month_length(year, c->month))
		day -= 7;
	return (first + day) * DAY + c->second;
}

static int year_of(int64_t local)
{
	unsigned month, day;
	int year;

	clock_civil(day_of(local), &year, &month, &day);
	return year;
}

/* Years that can be written with four digits: whoever asks for others has no calendar. */
static int64_t bounded(int64_t t)
{
	const int64_t lowest = -62135596800, highest = 253402300799;

	return t < lowest ? lowest : t > highest ? highest : t;
}

int timezone_rule_offset(void *ctx, int64_t t, bool *daylight_r)
{
	const struct timezone_rule *r = ctx;
	int64_t latest = INT64_MIN;
	int year;

	*daylight_r = false;
	if (!has_daylight(r))
		return r->standard;
	t = bounded(t);
	year = year_of(t + r->standard);
	/* A change on New Year's Eve may belong to the year before. */
	for (int y = year - 1; y <= year + 1; y++) {
		int64_t daylight = timezone_change_local(&r->begins_daylight, y) - r->standard;
		int64_t standard = timezone_change_local(&r->begins_standard, y) - r->daylight;

		if (daylight <= t && daylight > latest) {
			latest = daylight;
			*daylight_r = true;
		}
		if (standard <= t && standard > latest) {
			latest = standard;
			*daylight_r = false;
		}
	}
	return *daylight_r ? r->daylight : r->standard;
}

int64_t timezone_utc(const struct timezone_rule *r, int64_t local)
{
	struct timezone_rule rule = *r;
	int less = r->standard < r->daylight ? r->standard : r->daylight;
	int more = r->standard < r->daylight ? r->daylight : r->standard;
	bool daylight;

	local = bounded(local);
	if (timezone_rule_offset(&rule, local - more, &daylight) == more)
		return local - more;
	return local - less;
}

static bool same_change(const struct timezone_change *x, const struct timezone_change *y)
{
	return x->month == y->month && x->week == y->week && x->day == y->day &&
	       x->second == y->second;
}

/* Ireland's summer is its standard time, says its law, and in winter the clock goes back: to a
 * device that is the same as what its neighbours do. */
struct timezone_rule timezone_sorted(const struct timezone_rule *r)
{
	struct timezone_rule sorted = *r;

	if (r->daylight >= r->standard)
		return sorted;
	sorted.standard = r->daylight;
	sorted.begins_standard = r->begins_daylight;
	sorted.daylight = r->standard;
	sorted.begins_daylight = r->begins_standard;
	return sorted;
}

bool timezone_same(const struct timezone_rule *x, const struct timezone_rule *y)
{
	struct timezone_rule a = timezone_sorted(x), b = timezone_sorted(y);

	if (a.standard != b.standard || a.daylight != b.daylight)
		return false;
	return !has_daylight(&a) ||
	       (same_change(&a.begins_standard, &b.begins_standard) &&
		       same_change(&a.begins_daylight, &b.begins_daylight));
}

/* ---- the rule of a zone ---- */

/* The second at which the offset changes between two moments. */
static int64_t change_between(timezone_offset offset, void *ctx, int64_t from, int64_t to)
{
	bool dst;
	int before = offset(ctx, from, &dst);

	while (to - from > 1) {
		int64_t mid = from + (to - from) / 2;

		if (offset(ctx, mid, &dst) == before)
			from = mid;
		else
			to = mid;
	}
	return to;
}

/* The n-th (5: the last) weekday of a month, by the clock before the change. */
static struct timezone_change change_at(int64_t local)
{
	struct timezone_change c;
	int64_t days = day_of(local);
	unsigned day;
	int year;

	clock_civil(days, &year, &c.month, &day);
	c.week = day + 7 > month_length(year, c.month) ? LAST : (day - 1) / 7 + 1;
	c.day = weekday(days);
	c.second = (int)(local - days * DAY);
	return c;
}

void timezone_rule_of(timezone_offset offset, void *ctx, int year, struct timezone_rule *r)
{
	int64_t first = clock_days(year, 1, 1) * DAY, last = clock_days(year + 1, 1, 1) * DAY;
	bool begins = false, ends = false, dst = false;

	*r = (struct timezone_rule){0};
	if (ctx)
		r->standard = offset(ctx, first, &dst);
	/* In the south the year begins in summer. */
	for (int64_t t = first; ctx && t < last; t += DAY) {
		bool now_dst, next_dst;
		int now = offset(ctx, t, &now_dst), next = offset(ctx, t + DAY, &next_dst);
		struct timezone_change at;

		if (!now_dst)
			r->standard = now;
		if (now == next || now_dst == next_dst)
			continue;
		at = change_at(change_between(offset, ctx, t, t + DAY) + now);
		if (next_dst) {
			begins = true;
			r->daylight = next;
			r->begins_daylight = at;
		} else {
			ends = true;
			r->standard = next;
			r->begins_standard = at;
		}
	}
	/* A rule with one half only is none. */
	if (!begins || !ends)
		*r = (struct timezone_rule){.standard = r->standard, .daylight = r->standard};
	*r = timezone_sorted(r);
}

/* ---- the structure ---- */

static void put16(char *p, unsigned n)
{
	p[0] = (char)(n & 0xff);
	p[1] = (char)(n >> 8 & 0xff);
}

static void put32(char *p, int32_t n)
{
	uint32_t u = (uint32_t)n;

	put16(p, u & 0xffff);
	put16(p + 2, u >> 16);
}

/* SYSTEMTIME as a rule: its year is 0. */
static void put_change(char *p, const struct timezone_change *c)
{
	unsigned second = (unsigned)c->second;

	put16(p + 2, c->month);
	put16(p + 4, c->day);
	put16(p + 6, c->week);
	put16(p + 8, second / 3600);
	put16(p + 10, second / 60 % 60);
	put16(p + 12, second % 60);
}

struct str timezone_rule_blob(const struct timezone_rule *r, struct arena *a)
{
	char blob[BLOB] = {0};
	struct buf b;
	struct str text;

	put32(blob, -r->standard / 60);
	if (has_daylight(r)) {
		put_change(blob + STANDARD_DATE, &r->begins_standard);
		put_change(blob + DAYLIGHT_DATE, &r->begins_daylight);
		put32(blob + DAYLIGHT_BIAS, -(r->daylight - r->standard) / 60);
	}
	buf_init(&b, BUF_MAX_LINE);
	base64_encode((struct str){blob, BLOB}, &b);
	text = arena_str(a, buf_str(&b));
	buf_release(&b);
	return text;
}

struct str timezone_blob(timezone_offset offset, void *ctx, int year, struct arena *a)
{
	struct timezone_rule r;

	timezone_rule_of(offset, ctx, year, &r);
	return timezone_rule_blob(&r, a);
}

static unsigned get16(const char *p)
{
	return (unsigned)(unsigned char)p[0] | (unsigned)(unsigned char)p[1] << 8;
}

static int32_t get32(const char *p)
{
	return (int32_t)(get16(p) | (uint32_t)get16(p + 2) << 16);
}

/* SYSTEMTIME; month 0: there is no change. Milliseconds are let go: Windows says 23:59:59.999
 * where it means the end of a day. */
static bool get_change(const char *p, struct timezone_change *c)
{
	unsigned year = get16(p), day = get16(p + 6), hour = get16(p + 8);
	unsigned minute = get16(p + 10), second = get16(p + 12);

	*c = (struct timezone_change){.month = get16(p + 2), .day = get16(p + 4), .week = day};
	if (c->month == 0)
		return true;
	if (c->month > 12 || hour > 23 || minute > 59 || second > 59 || get16(p + 14) > 999)
		return false;
	c->second = (int)(hour * 3600 + minute * 60 + second);
	if (year == 0)
		return c->day <= 6 && c->week >= 1 && c->week <= LAST;
	/* A date of one year only: the rule that has it. */
	if (year < 1601 || year > 9999 || day < 1 || day > month_length((int)year, c->month))
		return false;
	*c = change_at(clock_days((int)year, c->month, day) * DAY + c->second);
	return true;
}

static void add_character(struct buf *b, unsigned c)
{
	if (c < 0x80) {
		buf_addc(b, (char)c);
		return;
	}
	if (c < 0x800) {
		buf_addc(b, (char)(0xc0 | c >> 6));
	} else {
		if (c < 0x10000) {
			buf_addc(b, (char)(0xe0 | c >> 12));
		} else {
			buf_addc(b, (char)(0xf0 | c >> 18));
			buf_addc(b, (char)(0x80 | (c >> 12 & 0x3f)));
		}
		buf_addc(b, (char)(0x80 | (c >> 6 & 0x3f)));
	}
	buf_addc(b, (char)(0x80 | (c & 0x3f)));
}

/* UTF-16LE up to its first NUL; half a pair becomes U+FFFD. */
static struct str get_name(const char *p, struct arena *a)
{
	struct buf b;
	struct str name;

	buf_init(&b, BUF_MAX_LINE);
	for (unsigned i = 0; i < NAME_UNITS; i++) {
		unsigned c = get16(p + (size_t)2 * i);
		unsigned low = i + 1 < NAME_UNITS ? get16(p + (size_t)2 * i + 2) : 0;

		if (c == 0)
			break;
		if (c >= 0xd800 && c < 0xdc00 && low >= 0xdc00 && low < 0xe000) {
			c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
			i++;
		} else if (c >= 0xd800 && c < 0xe000) {
			c = 0xfffd;
		}
		add_character(&b, c);
	}
	name = utf8_cleaned(arena_str(a, buf_str(&b)), a);
	buf_release(&b);
	return name;
}

static bool get_offset(int64_t bias, int *offset_r)
{
	if (bias < -BIAS_MAX || bias > BIAS_MAX)
		return false;
	*offset_r = (int)-bias * 60;
	return true;
}

static bool get_rule(const char *p, struct timezone_rule *r)
{
	int64_t bias = get32(p);

	if (!get_change(p + STANDARD_DATE, &r->begins_standard) ||
		!get_change(p + DAYLIGHT_DATE, &r->begins_daylight))
		return false;
	/* One half only, or both at once, is no daylight saving time; its bias is nothing. */
	if (!r->begins_standard.month || !r->begins_daylight.month ||
		same_change(&r->begins_standard, &r->begins_daylight)) {
		r->begins_standard = r->begins_daylight = (struct timezone_change){0};
		if (!get_offset(bias, &r->standard))
			return false;
		r->daylight = r->standard;
		return true;
	}
	return get_offset(bias + get32(p + STANDARD_BIAS), &r->standard) &&
	       get_offset(bias + get32(p + DAYLIGHT_BIAS), &r->daylight);
}

enum rc timezone_read(
	struct str base64, struct arena *a, struct timezone_rule *r, struct err *err)
{
	struct str blob;

	*r = (struct timezone_rule){0};
	base64 = str_trim(base64);
	if (base64.n > (size_t)2 * BLOB || base64_decode(base64, a, &blob) || blob.n != BLOB)
		return err_set(err, RC_INVALID, "a time zone that is not %d bytes", (int)BLOB);
	if (!get_rule(blob.p, r))
		return err_set(err, RC_INVALID,
			"a time zone with a date or an offset that "
			"there cannot be");
	r->name = get_name(blob.p + STANDARD_NAME, a);
	return RC_OK;
}
