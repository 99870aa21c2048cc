#include "core/sync/mail_state.h"

#include "core/base/varint.h"

#include <string.h>

/* Older ones are read as well: what they lack is as if it had never been. */
enum { FORMAT = 3, FORMAT_WITHOUT_LABELS = 2, FORMAT_WITHOUT_TRIED = 1 };

#define SETS(st)                                                                               \
	{                                                                                      \
		&(st)->held, &(st)->seen, &(st)->flagged, &(st)->answered, &(st)->forwarded,   \
			&(st)->pending, &(st)->gone, &(st)->soft, &(st)->tried, &(st)->skipped \
	}

void mail_state_init(struct mail_state *st, struct arena *a)
{
	struct uidset *sets[] = SETS(st);

	*st = (struct mail_state){.arena = a};
	for (size_t i = 0; i < ARRAY_LEN(sets); i++)
		uidset_init(sets[i], a);
}

struct str mail_state_encode(const struct mail_state *st, struct arena *a)
{
	const struct uidset *sets[] = SETS(st);
	struct buf b;
	struct str r;

	buf_init(&b, BUF_MAX_TEXT);
	varint_put(&b, FORMAT);
	varint_put(&b, st->mark.uidvalidity);
	varint_put(&b, st->mark.uidnext);
	varint_put(&b, st->mark.messages);
	varint_put(&b, st->mark.modseq);
	varint_put(&b, st->again);
	varint_put(&b, st->filter);
	varint_put(&b, (uint64_t)st->refreshed);
	for (size_t i = 0; i < ARRAY_LEN(sets); i++)
		uidset_encode(sets[i], &b);
	varint_put(&b, st->retried);
	varint_put(&b, st->conversations);
	varint_put(&b, st->nlabels);
	for (size_t i = 0; i < st->nlabels; i++) {
		varint_put(&b, st->labels[i].uid);
		varint_put(&b, st->labels[i].hash);
	}
	r = arena_str(a, buf_str(&b));
	buf_release(&b);
	return r;
}

static enum rc decode_labels(struct str *in, struct mail_state *st)
{
	uint32_t conversations, n;

	if (varint_get(in, &st->retried) || varint_get32(in, &conversations) ||
		varint_get32(in, &n) || n > in->n)
		return RC_INVALID;
	st->conversations = conversations != 0;
	st->labels_cap = n;
	st->labels = ARENA_ARRAY(st->arena, struct mail_label, (size_t)n + 1);
	for (; st->nlabels < n; st->nlabels++) {
		struct mail_label *l = &st->labels[st->nlabels];

		if (varint_get32(in, &l->uid) || varint_get32(in, &l->hash))
			return RC_INVALID;
	}
	return RC_OK;
}

enum rc mail_state_decode(struct str in, struct mail_state *st, struct arena *a)
{
	struct uidset *sets[] = SETS(st);
	uint32_t format, again, filter;
	uint64_t refreshed;

	mail_state_init(st, a);
	if (varint_get32(&in, &format) || format < FORMAT_WITHOUT_TRIED || format > FORMAT ||
		varint_get32(&in, &st->mark.uidvalidity) ||
		varint_get32(&in, &st->mark.uidnext) || varint_get32(&in, &st->mark.messages) ||
		varint_get(&in, &st->mark.modseq) || varint_get32(&in, &again) ||
		varint_get32(&in, &filter) || varint_get(&in, &refreshed))
		return RC_INVALID;
	st->again = again != 0;
	st->filter = filter;
	st->refreshed = (int64_t)refreshed;
	for (size_t i = 0; i < ARRAY_LEN(sets); i++)
		if ((sets[i] != &st->tried || format != FORMAT_WITHOUT_TRIED) &&
			uidset_decode(sets[i], &in))
			return RC_INVALID;
	return format == FORMAT ? decode_labels(&in, st) : RC_OK;
}

unsigned mail_state_flags(const struct mail_state *st, uint32_t uid)
{
	return (uidset_has(&st->seen, uid) ? MAIL_SEEN : 0u) |
	       (uidset_has(&st->flagged, uid) ? MAIL_FLAGGED : 0u) |
	       (uidset_has(&st->answered, uid) ? MAIL_ANSWERED : 0u) |
	       (uidset_has(&st->forwarded, uid) ? MAIL_FORWARDED : 0u);
}

static void put(struct uidset *s, uint32_t uid, bool in)
{
	if (in)
		uidset_add(s, uid);
	else
		uidset_remove(s, uid);
}

void mail_state_know(struct mail_state *st, uint32_t uid, unsigned flags)
{
	put(&st->seen, uid, flags & MAIL_SEEN);
	put(&st->flagged, uid, flags & MAIL_FLAGGED);
	put(&st->answered, uid, flags & MAIL_ANSWERED);
	put(&st->forwarded, uid, flags & MAIL_FORWARDED);
}

/* Where the label of that message stands, or would. */
static size_t label_at(const struct mail_state *st, uint32_t uid)
{
	size_t lo = 0, hi = st->nlabels;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (st->labels[mid].uid < uid)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

uint32_t mail_state_label(const struct mail_state *st, uint32_t uid)
{
	size_t i = label_at(st, uid);

	return i < st->nlabels && st->labels[i].uid == uid ? st->labels[i].hash : 0;
}

static void grow_labels(struct mail_state *st)
{
	size_t cap = st->labels_cap ? 2 * st->labels_cap : 16;
	struct mail_label *v = ARENA_ARRAY(st->arena, struct mail_label, cap);

	if (st->nlabels)
		memcpy(v, st->labels, st->nlabels * sizeof(*v));
	st->labels = v;
	st->labels_cap = cap;
}

void mail_state_know_label(struct mail_state *st, uint32_t uid, uint32_t hash)
{
	size_t i = label_at(st, uid), after;
	bool there = i < st->nlabels && st->labels[i].uid == uid;

	if (there && hash) {
		st->labels[i].hash = hash;
	} else if (there) {
		after = st->nlabels-- - i - 1;
		memmove(&st->labels[i], &st->labels[i + 1], after * sizeof(*st->labels));
	} else if (hash) {
		if (st->nlabels == st->labels_cap)
			grow_labels(st);
		after = st->nlabels++ - i;
		memmove(&st->labels[i + 1], &st->labels[i], after * sizeof(*st->labels));
		st->labels[i] = (struct mail_label){uid, hash};
	}
}

void mail_state_drop(struct mail_state *st, uint32_t uid)
{
	struct uidset *sets[] = {&st->held, &st->seen, &st->flagged, &st->answered,
		&st->forwarded, &st->gone, &st->soft};

	for (size_t i = 0; i < ARRAY_LEN(sets); i++)
		uidset_remove(sets[i], uid);
	mail_state_know_label(st, uid, 0);
}
