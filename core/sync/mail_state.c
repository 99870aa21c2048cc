#include "core/sync/mail_state.h"

#include "core/base/varint.h"

#define FORMAT               2
#define FORMAT_WITHOUT_TRIED 1

#define SETS(st)                                                                               \
	{                                                                                      \
		&(st)->held, &(st)->seen, &(st)->flagged, &(st)->answered, &(st)->forwarded,   \
			&(st)->pending, &(st)->gone, &(st)->soft, &(st)->tried, &(st)->skipped \
	}

void mail_state_init(struct mail_state *st, struct arena *a)
{
	struct uidset *sets[] = SETS(st);

	*st = (struct mail_state){.mark = {0}};
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
	r = arena_str(a, buf_str(&b));
	buf_release(&b);
	return r;
}

enum rc mail_state_decode(struct str in, struct mail_state *st, struct arena *a)
{
	struct uidset *sets[] = SETS(st);
	uint32_t format, again, filter;
	uint64_t refreshed;

	mail_state_init(st, a);
	if (varint_get32(&in, &format) ||
		(format != FORMAT && format != FORMAT_WITHOUT_TRIED) ||
		varint_get32(&in, &st->mark.uidvalidity) ||
		varint_get32(&in, &st->mark.uidnext) || varint_get32(&in, &st->mark.messages) ||
		varint_get(&in, &st->mark.modseq) || varint_get32(&in, &again) ||
		varint_get32(&in, &filter) || varint_get(&in, &refreshed))
		return RC_INVALID;
	st->again = again != 0;
	st->filter = filter;
	st->refreshed = (int64_t)refreshed;
	for (size_t i = 0; i < ARRAY_LEN(sets); i++)
		if ((sets[i] != &st->tried || format == FORMAT) && uidset_decode(sets[i], &in))
			return RC_INVALID;
	return RC_OK;
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

void mail_state_drop(struct mail_state *st, uint32_t uid)
{
	struct uidset *sets[] = {&st->held, &st->seen, &st->flagged, &st->answered,
		&st->forwarded, &st->gone, &st->soft};

	for (size_t i = 0; i < ARRAY_LEN(sets); i++)
		uidset_remove(sets[i], uid);
}
