#include "core/map/timezone.h"

#include "core/base/base64.h"
#include "core/base/clock.h"
#include "core/base/rc.h"

#include <string.h>

enum { BLOB = 172, STANDARD_DATE = 68, DAYLIGHT_DATE = 152, DAYLIGHT_BIAS = 168 };

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

/* SYSTEMTIME as a rule: the n-th (5: the last) weekday of a month, wall clock before it. */
static void put_rule(char *p, int64_t t, int offset_before)
{
	static const unsigned lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int64_t local = t + offset_before, days = local / 86400;
	unsigned month, day, rest = (unsigned)(local % 86400), nth;
	int year;

	clock_civil(days, &year, &month, &day);
	nth = day + 7 > lengths[month - 1] ? 5 : (day - 1) / 7 + 1;
	put16(p + 2, month);
	put16(p + 4, (unsigned)((days + 4) % 7));
	put16(p + 6, nth);
	put16(p + 8, rest / 3600);
	put16(p + 10, rest / 60 % 60);
	put16(p + 12, rest % 60);
}

struct str timezone_blob(timezone_offset offset, void *ctx, int year, struct arena *a)
{
	int64_t first = clock_days(year, 1, 1) * 86400,
		last = clock_days(year + 1, 1, 1) * 86400;
	char blob[BLOB] = {0};
	int standard = 0, daylight = 0;
	bool has_daylight = false, dst = false;
	struct buf b;
	struct str r;

	if (ctx)
		standard = offset(ctx, first, &dst);
	/* In the south the year begins in summer. */
	for (int64_t t = first; ctx && t < last; t += 86400) {
		bool next_dst, now_dst;
		int now = offset(ctx, t, &now_dst), next = offset(ctx, t + 86400, &next_dst);
		int64_t at;

		if (!now_dst)
			standard = now;
		if (now == next)
			continue;
		at = change_between(offset, ctx, t, t + 86400);
		if (next_dst == now_dst)
			continue;
		has_daylight = true;
		if (next_dst)
			daylight = next;
		else
			standard = next;
		put_rule(blob + (next_dst ? DAYLIGHT_DATE : STANDARD_DATE), at, now);
	}
	/* A rule with one half only is none. */
	if (!blob[STANDARD_DATE + 2] || !blob[DAYLIGHT_DATE + 2]) {
		memset(blob, 0, sizeof(blob));
		has_daylight = false;
	}
	put32(blob, -standard / 60);
	if (has_daylight)
		put32(blob + DAYLIGHT_BIAS, -(daylight - standard) / 60);
	buf_init(&b, BUF_MAX_LINE);
	base64_encode((struct str){blob, BLOB}, &b);
	r = arena_str(a, buf_str(&b));
	buf_release(&b);
	return r;
}
