#include "core/base/clock.h"

#include <time.h>

static int64_t fake_ms = -1;

static int64_t read_clock(clockid_t id)
{
	struct timespec ts;

	if (fake_ms >= 0)
		return fake_ms;
	(void)clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t clock_now_ms(void)
{
	return read_clock(CLOCK_REALTIME);
}

int64_t clock_now(void)
{
	return clock_now_ms() / 1000;
}

int64_t clock_mono_ms(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

void clock_set_fake(int64_t ms)
{
	fake_ms = ms;
}

/* Both directions after the era method: 400-year cycles of 146097 days, years beginning in
 * March. */
int64_t clock_days(int year, unsigned month, unsigned day)
{
	int64_t y = (int64_t)year - (month <= 2);
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t yoe = y - era * 400;
	int64_t doy = (153 * (int64_t)(month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
	int64_t doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;

	return era * 146097 + doe - 719468;
}

void clock_civil(int64_t days, int *year_r, unsigned *month_r, unsigned *day_r)
{
	int64_t z = days + 719468;
	int64_t era = (z >= 0 ? z : z - 146096) / 146097;
	int64_t doe = z - era * 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int64_t mp = (5 * doy + 2) / 153;

	*day_r = (unsigned)(doy - (153 * mp + 2) / 5 + 1);
	*month_r = (unsigned)(mp < 10 ? mp + 3 : mp - 9);
	*year_r = (int)(yoe + era * 400 + (*month_r <= 2));
}

struct civil {
	int year;
	unsigned month, day, hour, minute, second;
};

static struct civil split(int64_t t)
{
	int64_t days = t / 86400, rest = t % 86400;
	struct civil c;

	if (rest < 0) {
		rest += 86400;
		days--;
	}
	clock_civil(days, &c.year, &c.month, &c.day);
	c.hour = (unsigned)(rest / 3600);
	c.minute = (unsigned)(rest / 60 % 60);
	c.second = (unsigned)(rest % 60);
	return c;
}

struct str clock_dashed(struct arena *a, int64_t t)
{
	struct civil c = split(t);

	return arena_printf(a, "%04d-%02u-%02uT%02u:%02u:%02u.000Z", c.year, c.month, c.day,
		c.hour, c.minute, c.second);
}

struct str clock_compact(struct arena *a, int64_t t)
{
	struct civil c = split(t);

	return arena_printf(a, "%04d%02u%02uT%02u%02u%02uZ", c.year, c.month, c.day, c.hour,
		c.minute, c.second);
}

/* Reads n digits off the front. */
static bool digits(struct str *s, size_t n, unsigned *v_r)
{
	uint32_t v;

	if (s->n < n || !str_u32(str_sub(*s, 0, n), &v))
		return false;
	*s = str_sub(*s, n, s->n);
	*v_r = v;
	return true;
}

static void skip(struct str *s, char c)
{
	if (s->n && s->p[0] == c)
		*s = str_sub(*s, 1, s->n);
}

/* No 30th of February, and no 29th in most years. */
static bool valid(const struct civil *c)
{
	unsigned month, day;
	int year;

	if (c->month < 1 || c->month > 12 || c->day < 1)
		return false;
	clock_civil(clock_days(c->year, c->month, c->day), &year, &month, &day);
	return month == c->month && day == c->day && c->hour <= 23 && c->minute <= 59 &&
	       c->second <= 60;
}

enum rc clock_parse(struct str s, int64_t *t_r)
{
	struct civil c;
	unsigned year;

	s = str_trim(s);
	if (!digits(&s, 4, &year))
		return RC_INVALID;
	c.year = (int)year;
	skip(&s, '-');
	if (!digits(&s, 2, &c.month))
		return RC_INVALID;
	skip(&s, '-');
	if (!digits(&s, 2, &c.day) || s.n == 0 || s.p[0] != 'T')
		return RC_INVALID;
	skip(&s, 'T');
	if (!digits(&s, 2, &c.hour))
		return RC_INVALID;
	skip(&s, ':');
	if (!digits(&s, 2, &c.minute))
		return RC_INVALID;
	skip(&s, ':');
	if (!digits(&s, 2, &c.second))
		return RC_INVALID;
	if (s.n && s.p[0] == '.')
		for (skip(&s, '.'); s.n && s.p[0] >= '0' && s.p[0] <= '9';)
			s = str_sub(s, 1, s.n);
	skip(&s, 'Z');
	if (s.n || !valid(&c))
		return RC_INVALID;
	*t_r = clock_days(c.year, c.month, c.day) * 86400 + c.hour * 3600 + c.minute * 60 +
	       c.second;
	return RC_OK;
}
