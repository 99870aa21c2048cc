#include "core/sync/mail_moves.h"

#include "core/sync/mail_state.h"

/* What the device knew of a message, to be known of it in its new place. */
struct known {
	uint32_t uid;
	unsigned flags;
	uint32_t label;
};

struct mover {
	struct state *s;
	const struct account *ac;
	const struct device *d;
	struct arena *a;
	struct known *v;
	size_t n;
};

static void leave(
	struct mover *m, struct mail_state *st, const struct mail_move *moves, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint32_t uid = moves[i].uid;

		if (moves[i].rc || !moves[i].new_uid || !uidset_has(&st->held, uid))
			continue;
		m->v[m->n++] = (struct known){
			moves[i].new_uid, mail_state_flags(st, uid), mail_state_label(st, uid)};
		mail_state_drop(st, uid);
	}
}

static void arrive(struct mover *m, struct mail_state *st)
{
	for (size_t i = 0; i < m->n; i++) {
		uidset_add(&st->held, m->v[i].uid);
		mail_state_know(st, m->v[i].uid, m->v[i].flags);
		mail_state_know_label(st, m->v[i].uid, m->v[i].label);
		uidset_remove(&st->pending, m->v[i].uid);
	}
}

/* The state of one folder, changed; its key stays. moves NULL: they arrive. */
static enum rc edit(struct mover *m, struct str id, const struct mail_move *moves, size_t n,
	struct err *err)
{
	struct mail_state st;
	struct collection c;
	struct folder f;
	enum rc rc = state_call(m->s, collection_open, m->ac, m->d, id, m->a, &f, &c, err);

	if (rc)
		return rc == RC_ABSENT ? RC_OK : rc;
	/* A folder that was never synchronised is told everything anyway. */
	if (c.epoch && c.state.n && mail_state_decode(c.state, &st, m->a) == RC_OK &&
		st.mark.uidvalidity) {
		if (moves)
			leave(m, &st, moves, n);
		else
			arrive(m, &st);
		c.state = mail_state_encode(&st, m->a);
		rc = state_call(m->s, collection_store, m->d, id, &c, err);
	}
	state_call(m->s, collection_close, m->d, id);
	return rc;
}

enum rc mail_moves_known(struct state *s, const struct account *ac, const struct device *d,
	struct str source, struct str target, const struct mail_move *v, size_t n,
	struct arena *a, struct err *err)
{
	struct mover m = {s, ac, d, a, ARENA_ARRAY(a, struct known, n + 1), 0};
	enum rc rc = edit(&m, source, v, n, err);

	return rc || m.n == 0 ? rc : edit(&m, target, NULL, 0, err);
}
