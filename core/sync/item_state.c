#include "core/sync/item_state.h"

#include "core/base/varint.h"

#include <string.h>

enum { FORMAT = 1 };

#define SETS(st)                                                                               \
	{                                                                                      \
		&(st)->held, &(st)->pending, &(st)->gone, &(st)->tried, &(st)->skipped         \
	}

void item_state_init(struct item_state *st, struct arena *a)
{
	struct uidset *sets[] = SETS(st);

	*st = (struct item_state){.arena = a};
	for (size_t i = 0; i < ARRAY_LEN(sets); i++)
		uidset_init(sets[i], a);
	uidset_init(&st->aged, a);
	uidset_init(&st->outside, a);
}

/* States of folders without a window end here, as those did that were written before there were
 * any. What is outside counts only until everything was told. */
static void encode_window(const struct item_state *st, struct buf *b)
{
	struct uidset none;

	if (!st->filter && uidset_empty(&st->aged))
		return;
	uidset_init(&none, st->arena);
	varint_put(b, st->filter);
	varint_put(b, (uint64_t)st->day);
	uidset_encode(&st->aged, b);
	varint_put(b, st->outside_version);
	uidset_encode(st->version < st->outside_version ? &st->outside : &none, b);
}

static enum rc decode_window(struct str *in, struct item_state *st)
{
	uint64_t day;

	if (in->n == 0)
		return RC_OK;
	if (varint_get32(in, &st->filter) || varint_get(in, &day) ||
		uidset_decode(&st->aged, in) || varint_get(in, &st->outside_version))
		return RC_INVALID;
	st->day = (int64_t)day;
	return uidset_decode(&st->outside, in);
}

struct str item_state_encode(const struct item_state *st, struct arena *a)
{
	const struct uidset *sets[] = SETS(st);
	struct buf b;
	struct str r;

	buf_init(&b, BUF_MAX_TEXT);
	varint_put(&b, FORMAT);
	varint_put(&b, st->version);
	varint_put(&b, st->retried);
	varint_put(&b, st->more);
	varint_put(&b, st->shown);
	for (size_t i = 0; i < ARRAY_LEN(sets); i++)
		uidset_encode(sets[i], &b);
	varint_put(&b, st->nmine);
	for (size_t i = 0; i < st->nmine; i++) {
		varint_put(&b, st->mine[i].number);
		varint_put(&b, st->mine[i].version);
	}
	encode_window(st, &b);
	r = arena_str(a, buf_str(&b));
	buf_release(&b);
	return r;
}

enum rc item_state_decode(struct str in, struct item_state *st, struct arena *a)
{
	struct uidset *sets[] = SETS(st);
	uint32_t format, more, n;

	item_state_init(st, a);
	if (varint_get32(&in, &format) || format != FORMAT || varint_get(&in, &st->version) ||
		varint_get(&in, &st->retried) || varint_get32(&in, &more) ||
		varint_get(&in, &st->shown))
		return RC_INVALID;
	st->more = more;
	for (size_t i = 0; i < ARRAY_LEN(sets); i++)
		if (uidset_decode(sets[i], &in))
			return RC_INVALID;
	if (varint_get32(&in, &n) || n > in.n)
		return RC_INVALID;
	for (uint32_t i = 0; i < n; i++) {
		uint32_t number;
		uint64_t version;

		if (varint_get32(&in, &number) || varint_get(&in, &version))
			return RC_INVALID;
		item_state_mine(st, number, version);
	}
	return decode_window(&in, st);
}

void item_state_mine(struct item_state *st, uint32_t number, uint64_t version)
{
	if (st->nmine == st->mine_cap) {
		size_t cap = st->mine_cap ? 2 * st->mine_cap : 16;
		struct item_mine *v = ARENA_ARRAY(st->arena, struct item_mine, cap);

		if (st->nmine)
			memcpy(v, st->mine, st->nmine * sizeof(*v));
		st->mine = v;
		st->mine_cap = cap;
	}
	st->mine[st->nmine++] = (struct item_mine){number, version};
}

bool item_state_is_mine(const struct item_state *st, uint32_t number, uint64_t version)
{
	for (size_t i = 0; i < st->nmine; i++)
		if (st->mine[i].number == number && st->mine[i].version == version)
			return true;
	return false;
}

void item_state_advance(struct item_state *st, uint64_t version)
{
	size_t n = 0;

	if (version > st->version)
		st->version = version;
	for (size_t i = 0; i < st->nmine; i++)
		if (st->mine[i].version > st->version)
			st->mine[n++] = st->mine[i];
	st->nmine = n;
}

void item_state_drop(struct item_state *st, uint32_t number)
{
	struct uidset *sets[] = SETS(st);

	for (size_t i = 0; i < ARRAY_LEN(sets); i++)
		uidset_remove(sets[i], number);
	uidset_remove(&st->aged, number);
}

bool item_state_waits(const struct item_state *st)
{
	return !uidset_empty(&st->gone) || !uidset_empty(&st->aged) ||
	       uidset_count(&st->pending) > uidset_count(&st->tried);
}
