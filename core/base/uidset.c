#include "core/base/uidset.h"

#include "core/base/varint.h"

#include <stdlib.h>
#include <string.h>

void uidset_init(struct uidset *s, struct arena *a)
{
	*s = (struct uidset){.arena = a};
}

static void reserve(struct uidset *s, size_t cap)
{
	struct uid_range *v;

	if (cap <= s->cap)
		return;
	if (cap < s->cap * 2)
		cap = s->cap * 2;
	v = ARENA_ARRAY(s->arena, struct uid_range, cap);
	if (s->n)
		memcpy(v, s->v, s->n * sizeof(*v));
	s->v = v;
	s->cap = cap;
}

struct uidset uidset_copy(const struct uidset *s, struct arena *a)
{
	struct uidset c;

	uidset_init(&c, a);
	reserve(&c, s->n);
	if (s->n)
		memcpy(c.v, s->v, s->n * sizeof(*c.v));
	c.n = s->n;
	return c;
}

/* Index of the first range whose last is >= uid, or n. */
static size_t find(const struct uidset *s, uint32_t uid)
{
	size_t lo = 0, hi = s->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (s->v[mid].last < uid)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

void uidset_add(struct uidset *s, uint32_t uid)
{
	uidset_add_range(s, uid, uid);
}

/* Replaces the ranges [from, to) by r. */
static void splice(struct uidset *s, size_t from, size_t to, struct uid_range r)
{
	if (from == to) {
		reserve(s, s->n + 1);
		memmove(s->v + from + 1, s->v + from, (s->n - from) * sizeof(*s->v));
		s->n++;
	} else {
		memmove(s->v + from + 1, s->v + to, (s->n - to) * sizeof(*s->v));
		s->n -= to - from - 1;
	}
	s->v[from] = r;
}

void uidset_add_range(struct uidset *s, uint32_t first, uint32_t last)
{
	struct uid_range r = {first, last};
	size_t from, to;

	if (first == 0)
		r.first = first = 1;
	if (first > last)
		return;
	from = find(s, first > 1 ? first - 1 : 1);
	for (to = from; to < s->n && s->v[to].first <= (last == UINT32_MAX ? last : last + 1);
		to++)
		;
	if (from < to) {
		if (s->v[from].first < r.first)
			r.first = s->v[from].first;
		if (s->v[to - 1].last > r.last)
			r.last = s->v[to - 1].last;
	}
	splice(s, from, to, r);
}

void uidset_remove(struct uidset *s, uint32_t uid)
{
	size_t i = find(s, uid);
	struct uid_range *r;

	if (i == s->n || s->v[i].first > uid)
		return;
	r = &s->v[i];
	if (r->first == r->last) {
		memmove(r, r + 1, (s->n - i - 1) * sizeof(*r));
		s->n--;
	} else if (r->first == uid) {
		r->first++;
	} else if (r->last == uid) {
		r->last--;
	} else {
		uint32_t last = r->last;

		r->last = uid - 1;
		splice(s, i + 1, i + 1, (struct uid_range){uid + 1, last});
	}
}

bool uidset_has(const struct uidset *s, uint32_t uid)
{
	size_t i = find(s, uid);

	return i < s->n && s->v[i].first <= uid;
}

bool uidset_empty(const struct uidset *s)
{
	return s->n == 0;
}

uint64_t uidset_count(const struct uidset *s)
{
	uint64_t n = 0;

	for (size_t i = 0; i < s->n; i++)
		n += (uint64_t)s->v[i].last - s->v[i].first + 1;
	return n;
}

uint32_t uidset_min(const struct uidset *s)
{
	return s->n ? s->v[0].first : 0;
}

uint32_t uidset_max(const struct uidset *s)
{
	return s->n ? s->v[s->n - 1].last : 0;
}

bool uidset_equal(const struct uidset *a, const struct uidset *b)
{
	return a->n == b->n && (a->n == 0 || memcmp(a->v, b->v, a->n * sizeof(*a->v)) == 0);
}

/* Appends a range that begins after all there are, joining it to the last one if adjacent. */
static void append(struct uidset *s, uint32_t first, uint32_t last)
{
	if (s->n && s->v[s->n - 1].last >= first - 1) {
		if (s->v[s->n - 1].last < last)
			s->v[s->n - 1].last = last;
		return;
	}
	reserve(s, s->n + 1);
	s->v[s->n++] = (struct uid_range){first, last};
}

void uidset_union(struct uidset *s, const struct uidset *o)
{
	struct uidset r;
	size_t i = 0, j = 0;

	if (o->n == 0)
		return;
	uidset_init(&r, s->arena);
	reserve(&r, s->n + o->n);
	while (i < s->n || j < o->n) {
		const struct uid_range *x;

		if (j == o->n || (i < s->n && s->v[i].first <= o->v[j].first))
			x = &s->v[i++];
		else
			x = &o->v[j++];
		append(&r, x->first, x->last);
	}
	*s = r;
}

void uidset_subtract(struct uidset *s, const struct uidset *o)
{
	struct uidset r;
	size_t j = 0;

	if (s->n == 0 || o->n == 0)
		return;
	uidset_init(&r, s->arena);
	for (size_t i = 0; i < s->n; i++) {
		uint64_t from = s->v[i].first;
		uint32_t last = s->v[i].last;

		while (j < o->n && o->v[j].last < from)
			j++;
		for (size_t k = j; k < o->n && o->v[k].first <= last && from <= last; k++) {
			if (o->v[k].first > from)
				append(&r, (uint32_t)from, o->v[k].first - 1);
			from = (uint64_t)o->v[k].last + 1;
		}
		if (from <= last)
			append(&r, (uint32_t)from, last);
	}
	*s = r;
}

void uidset_intersect(struct uidset *s, const struct uidset *o)
{
	struct uidset r;
	size_t i = 0, j = 0;

	uidset_init(&r, s->arena);
	while (i < s->n && j < o->n) {
		uint32_t first = s->v[i].first > o->v[j].first ? s->v[i].first : o->v[j].first;
		uint32_t last = s->v[i].last < o->v[j].last ? s->v[i].last : o->v[j].last;

		if (first <= last)
			append(&r, first, last);
		if (s->v[i].last < o->v[j].last)
			i++;
		else
			j++;
	}
	*s = r;
}

struct uidset uidset_greatest(const struct uidset *s, uint64_t n, struct arena *a)
{
	struct uidset r;
	size_t i = s->n;
	uint32_t cut = 0;

	uidset_init(&r, a);
	while (i > 0 && n > 0) {
		uint64_t len = (uint64_t)s->v[i - 1].last - s->v[i - 1].first + 1;

		i--;
		cut = s->v[i].first;
		if (len > n)
			cut = (uint32_t)(s->v[i].last - n + 1);
		n -= len < n ? len : n;
	}
	for (size_t k = i; k < s->n && cut; k++)
		append(&r, k == i ? cut : s->v[k].first, s->v[k].last);
	return r;
}

uint32_t uidset_below(const struct uidset *s, uint64_t uid)
{
	size_t i;

	if (uid <= 1)
		return 0;
	i = find(s, uid > UINT32_MAX ? UINT32_MAX : (uint32_t)(uid - 1));
	if (i < s->n && s->v[i].first < uid)
		return s->v[i].last < uid ? s->v[i].last : (uint32_t)(uid - 1);
	return i > 0 ? s->v[i - 1].last : 0;
}

uint32_t uidset_above(const struct uidset *s, uint32_t uid)
{
	size_t i;

	if (uid == UINT32_MAX)
		return 0;
	i = find(s, uid + 1);
	if (i == s->n)
		return 0;
	return s->v[i].first > uid ? s->v[i].first : uid + 1;
}

void uidset_format(const struct uidset *s, struct buf *b)
{
	for (size_t i = 0; i < s->n; i++) {
		if (i)
			buf_addc(b, ',');
		if (s->v[i].first == s->v[i].last)
			buf_addf(b, "%u", s->v[i].first);
		else
			buf_addf(b, "%u:%u", s->v[i].first, s->v[i].last);
	}
}

enum rc uidset_parse(struct uidset *s, struct str text, size_t max_ranges)
{
	struct str part;
	size_t n = 0;

	if (text.n == 0)
		return RC_INVALID;
	while (str_next(&text, ',', &part)) {
		size_t colon = str_find(part, ':');
		uint32_t first, last;

		if (!str_u32(str_sub(part, 0, colon), &first))
			return RC_INVALID;
		last = first;
		if (colon < part.n && !str_u32(str_sub(part, colon + 1, part.n), &last))
			return RC_INVALID;
		if (first == 0 || last == 0)
			return RC_INVALID;
		if (++n > max_ranges)
			return RC_LIMIT;
		uidset_add_range(s, first < last ? first : last, first < last ? last : first);
	}
	return RC_OK;
}

void uidset_encode(const struct uidset *s, struct buf *b)
{
	uint32_t at = 0;

	varint_put(b, s->n);
	for (size_t i = 0; i < s->n; i++) {
		varint_put(b, s->v[i].first - at);
		varint_put(b, s->v[i].last - s->v[i].first);
		at = s->v[i].last;
	}
}

enum rc uidset_decode(struct uidset *s, struct str *in)
{
	uint64_t n, at = 0;

	if (varint_get(in, &n) || n > in->n)
		return RC_INVALID;
	reserve(s, (size_t)n);
	for (uint64_t i = 0; i < n; i++) {
		uint32_t gap, len;

		if (varint_get32(in, &gap) || varint_get32(in, &len) || gap == 0)
			return RC_INVALID;
		if (i > 0 && gap < 2)
			return RC_INVALID;
		at += gap;
		if (at + len > UINT32_MAX)
			return RC_INVALID;
		append(s, (uint32_t)at, (uint32_t)(at + len));
		at += len;
	}
	return RC_OK;
}
