#include "core/map/timezone_parts.h"

#define FIXED(olson, windows, offset)
#define SUMMER(...) {__VA_ARGS__},
static const struct summer {
	const char *olson, *windows;
	int standard, daylight;
	int standard_month, standard_week, standard_day, standard_minute;
	int daylight_month, daylight_week, daylight_day, daylight_minute;
} summers[] = {
#include "core/map/timezone_names.def"
};
#undef SUMMER
#undef FIXED

#define SUMMER(...)
#define FIXED(olson, windows, offset) {olson, windows, offset},
static const struct fixed {
	const char *olson, *windows;
	int offset;
} fixed[] = {
#include "core/map/timezone_names.def"
};
#undef SUMMER
#undef FIXED

/* To a whole minute, and the end of a day is the beginning of the next: 23:59:59 on Saturday,
 * which is how Windows has it, means 0:00 on Sunday. */
static bool is_change(const struct timezone_change *c, int month, int week, int day, int minute)
{
	int at = (c->second + 59) / 60, on = (int)c->day;

	if (at >= 24 * 60) {
		at -= 24 * 60;
		on = (on + 1) % 7;
	}
	return (int)c->month == month && (int)c->week == week && on == day && at == minute;
}

static bool has_rule(const struct summer *z, const struct timezone_rule *r)
{
	return r->standard == z->standard * 60 && r->daylight == z->daylight * 60 &&
	       is_change(&r->begins_standard, z->standard_month, z->standard_week,
		       z->standard_day, z->standard_minute) &&
	       is_change(&r->begins_daylight, z->daylight_month, z->daylight_week,
		       z->daylight_day, z->daylight_minute);
}

static bool has_name(const char *olson, const char *windows, struct str name)
{
	return name.n > 0 && (str_iis(name, olson) || str_iis(name, windows));
}

static const char *summer_name(const struct timezone_rule *r)
{
	const char *found = NULL;

	for (size_t i = 0; i < ARRAY_LEN(summers); i++) {
		const struct summer *z = &summers[i];

		if (!has_rule(z, r))
			continue;
		if (has_name(z->olson, z->windows, r->name))
			return z->olson;
		if (!found)
			found = z->olson;
	}
	return found;
}

static const char *fixed_name(const struct timezone_rule *r)
{
	const char *found = NULL;

	for (size_t i = 0; i < ARRAY_LEN(fixed); i++) {
		const struct fixed *z = &fixed[i];

		if (r->standard != z->offset * 60)
			continue;
		if (has_name(z->olson, z->windows, r->name))
			return z->olson;
		if (!found)
			found = z->olson;
	}
	return found;
}

const char *timezone_olson(struct str windows)
{
	if (!windows.n)
		return NULL;
	for (size_t i = 0; i < ARRAY_LEN(summers); i++)
		if (str_iis(windows, summers[i].windows))
			return summers[i].olson;
	for (size_t i = 0; i < ARRAY_LEN(fixed); i++)
		if (str_iis(windows, fixed[i].windows))
			return fixed[i].olson;
	return NULL;
}

static struct str change_text(const struct timezone_change *c, struct arena *a)
{
	return arena_printf(a, "%u.%u.%u.%06d", c->month, c->week, c->day,
		c->second / 3600 * 10000 + c->second / 60 % 60 * 100 + c->second % 60);
}

/* Nothing that would have to be quoted in a parameter. Two rules never share a name. */
static struct str own_name(const struct timezone_rule *r, struct arena *a)
{
	struct str standard = timezone_offset_text(r->standard, a), daylight, begins, ends;

	if (r->standard == r->daylight)
		return arena_printf(a, "UTC%.*s", STR_FMT(standard));
	daylight = timezone_offset_text(r->daylight, a);
	begins = change_text(&r->begins_daylight, a);
	ends = change_text(&r->begins_standard, a);
	return arena_printf(a, "UTC%.*s/%.*s/%.*s/%.*s", STR_FMT(standard), STR_FMT(daylight),
		STR_FMT(begins), STR_FMT(ends));
}

struct str timezone_tzid(const struct timezone_rule *r, struct arena *a)
{
	struct timezone_rule rule = timezone_sorted(r);
	const char *name =
		rule.standard == rule.daylight ? fixed_name(&rule) : summer_name(&rule);

	return name ? arena_str(a, str_of(name)) : own_name(&rule, a);
}
