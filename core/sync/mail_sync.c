#include "core/sync/mail_sync.h"

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/varint.h"
#include "core/map/category.h"
#include "core/sync/mail_items.h"
#include "core/sync/mail_notes.h"

#define BATCH_BYTES (8u * 1024 * 1024) /* of bodies in memory at once */
#define BATCH_MAX   MAIL_ITEMS_AT_ONCE

/* FilterType to the oldest date that is in, 0: all. [MS-ASCMD] 2.2.3.68.2 */
static int64_t filter_start(unsigned filter)
{
	static const int64_t days[] = {0, 1, 3, 7, 14, 31};
	int64_t midnight = clock_now() / 86400 * 86400;

	return filter && filter < ARRAY_LEN(days) ? midnight - days[filter] * 86400 : 0;
}

static bool is_first(const struct mail_round *r)
{
	return r->st.mark.uidvalidity == 0;
}

static bool must_search(const struct mail_round *r)
{
	if (is_first(r) || r->st.filter != r->filter || r->st.conversations != r->conversations)
		return true;
	return r->filter && clock_now() - r->st.refreshed >= r->conf->filter_refresh;
}

static bool equal(const struct mail_mark *a, const struct mail_mark *b)
{
	return a->uidvalidity == b->uidvalidity && a->uidnext == b->uidnext &&
	       a->messages == b->messages && a->modseq == b->modseq && a->modseq != 0;
}

static bool waiting(const struct mail_state *st)
{
	return st->again || !uidset_empty(&st->pending) || !uidset_empty(&st->gone) ||
	       !uidset_empty(&st->soft);
}

/* Whether the device should ask again at once. */
static bool more(const struct mail_state *st)
{
	return st->again || !uidset_empty(&st->gone) || !uidset_empty(&st->soft) ||
	       uidset_count(&st->pending) > uidset_count(&st->tried);
}

/* What the summaries are wanted of: the window's share of what waits, and of what is new. */
static struct uidset wanted(const struct mail_round *r, const struct mail_mark *now)
{
	struct uidset s = uidset_copy(&r->st.pending, r->a);

	if (now && now->uidvalidity == r->st.mark.uidvalidity &&
		now->uidnext > r->st.mark.uidnext)
		uidset_add_range(&s, r->st.mark.uidnext, now->uidnext - 1);
	return uidset_greatest(&s, r->out->window, r->a);
}

/* The scope of a search: what falls out is taken away softly, what came in is added. */
static void apply_scope(struct mail_round *r)
{
	struct mail_state *st = &r->st;
	struct uidset fresh = uidset_copy(&r->delta.scope, r->a);
	struct uidset out = uidset_copy(&st->held, r->a);

	uidset_subtract(&fresh, &st->held);
	uidset_subtract(&fresh, &st->skipped);
	st->pending = fresh;
	uidset_subtract(&out, &r->delta.scope);
	uidset_subtract(&out, &st->gone);
	st->soft = out;
	st->filter = r->filter;
	st->conversations = r->conversations;
	st->refreshed = clock_now();
}

/* Messages marked \Deleted are gone for the device. */
static void apply_flags(struct mail_round *r)
{
	for (size_t i = 0; i < r->delta.nflags; i++) {
		const struct mail_flags *f = &r->delta.flags[i];

		if (!(f->flags & MAIL_DELETED))
			continue;
		if (uidset_has(&r->st.held, f->uid))
			uidset_add(&r->st.gone, f->uid);
		uidset_remove(&r->st.pending, f->uid);
	}
}

static void apply(struct mail_round *r, bool searched)
{
	struct mail_state *st = &r->st;
	struct uidset gone = uidset_copy(&r->delta.vanished, r->a);

	uidset_intersect(&gone, &st->held);
	uidset_union(&st->gone, &gone);
	uidset_subtract(&st->soft, &gone);
	uidset_subtract(&st->pending, &r->delta.vanished);
	if (searched) {
		apply_scope(r);
	} else {
		uidset_union(&st->pending, &r->delta.arrived);
		/* What the device has put here itself, mail_moves.h. */
		uidset_subtract(&st->pending, &st->held);
	}
	apply_flags(r);
	uidset_intersect(&st->tried, &st->pending);
	st->mark = r->delta.mark;
	st->again = false;
}

/* What was skipped is tried again when the administrator, or a newer program, says so. */
static void retry_skipped(struct mail_round *r)
{
	uint64_t now = r->folder->retries * 1000 + MAIL_MAP_VERSION;

	if (r->st.retried != now)
		uidset_union(&r->st.pending, &r->st.skipped);
	if (r->st.retried != now)
		uidset_init(&r->st.skipped, r->a);
	r->st.retried = now;
}

/* The device is told how things are where it was not allowed to change them. */
static void add_reverted(struct mail_round *r)
{
	struct mail_flags *v;

	if (r->reverted.n == 0)
		return;
	v = ARENA_ARRAY(r->a, struct mail_flags, r->delta.nflags + r->reverted.n);
	for (size_t i = 0; i < r->delta.nflags; i++)
		v[i] = r->delta.flags[i];
	for (size_t i = 0; i < r->reverted.n; i++)
		v[r->delta.nflags++] = r->reverted.v[i];
	r->delta.flags = v;
}

enum rc mail_round_look(struct mail_round *r, struct err *err)
{
	struct mail_mark now = {0};
	struct uidset held, want;
	struct mail_look l = {.since = r->st.mark};
	bool search, first = is_first(r);
	enum rc rc;

	search = must_search(r);
	retry_skipped(r);
	r->delta = (struct mail_delta){0};
	r->since_modseq = r->st.mark.modseq;
	if (!first && !r->look_now) {
		rc = RC_OK;
		if (r->known)
			now = *r->known;
		else
			rc = mail_call(r->mail, status, r->folder->path, &now, err);
		if (rc)
			return rc;
		r->looked = true;
		if (!search && !waiting(&r->st) && equal(&now, &r->st.mark))
			return RC_OK;
	}
	held = uidset_copy(&r->st.held, r->a);
	uidset_union(&held, &r->st.pending);
	want = wanted(r, now.uidvalidity ? &now : NULL);
	l.held = &held;
	l.want = &want;
	l.search = search;
	l.after = filter_start(r->filter);
	l.conversations = r->conversations && r->filter;
	l.newest = first ? r->out->window : 0;
	rc = mail_call(r->mail, look, r->folder->path, &l, r->a, &r->delta, err);
	if (rc)
		return rc;
	if (r->delta.reset) {
		r->reset = true;
		return RC_OK;
	}
	r->looked = true;
	add_reverted(r);
	apply(r, search);
	return RC_OK;
}

/* What a device must be told of a message that it has; 0: nothing. */
static unsigned changed(const struct mail_round *r, const struct mail_flags *f)
{
	unsigned known;

	if (!uidset_has(&r->st.held, f->uid) || uidset_has(&r->st.gone, f->uid) ||
		uidset_has(&r->st.soft, f->uid))
		return 0;
	known = mail_state_flags(&r->st, f->uid);
	known = (known ^ f->flags) & MAIL_STATE_FLAGS;
	/* Versions that lack a property have nothing to tell of it. */
	if (r->options->version < V140)
		known &= ~(unsigned)(MAIL_ANSWERED | MAIL_FORWARDED);
	if (r->options->version < V120)
		known &= ~(unsigned)MAIL_FLAGGED;
	if (r->options->version >= V140 &&
		mail_state_label(&r->st, f->uid) != category_hash(f->keywords))
		known |= EMAIL_CATEGORIES_CHANGED;
	return known;
}

uint32_t mail_round_count(const struct mail_round *r)
{
	uint64_t n = uidset_count(&r->st.gone) + uidset_count(&r->st.soft) +
		     uidset_count(&r->st.pending);

	for (size_t i = 0; i < r->delta.nflags; i++)
		n += changed(r, &r->delta.flags[i]) != 0;
	return n > UINT32_MAX ? UINT32_MAX : (uint32_t)n;
}

static void write_gone(struct mail_round *r, struct uidset *set, tag_t tag)
{
	uint32_t uid;

	while (!commands_full(r->out) && (uid = uidset_above(set, 0)) != 0) {
		commands_gone(r->out, tag, uid);
		mail_state_drop(&r->st, uid);
	}
}

/* Notes of those whose flag or verb changed. */
static enum rc notes_of_changes(struct mail_round *r, struct mail_notes *notes, struct err *err)
{
	struct uidset uids;

	uidset_init(&uids, r->a);
	for (size_t i = 0; i < r->delta.nflags; i++)
		if (changed(r, &r->delta.flags[i]) &
			(MAIL_FLAGGED | MAIL_ANSWERED | MAIL_FORWARDED))
			uidset_add(&uids, r->delta.flags[i].uid);
	return mail_notes_load(r->state, r->folder, &uids, r->a, notes, err);
}

static enum rc write_changes(struct mail_round *r, struct err *err)
{
	struct mail_notes notes;
	enum rc rc = notes_of_changes(r, &notes, err);

	for (size_t i = 0; i < r->delta.nflags && rc == RC_OK; i++) {
		const struct mail_flags *f = &r->delta.flags[i];
		unsigned what = changed(r, f);

		if (!what)
			continue;
		/* The next look starts from the old MODSEQ and finds the rest again; but for
		 * what was refused (they stand last), since that is no change to the server.
		 */
		if (commands_full(r->out) && i < r->delta.nflags - r->reverted.n) {
			r->st.again = true;
			continue;
		}
		commands_begin(r->out, AIRSYNC_CHANGE, f->uid);
		email_write_flags(what, f, mail_notes_of(&notes, f->uid), clock_now(),
			r->options->version, r->a, r->out->w);
		commands_end(r->out);
		mail_state_know(&r->st, f->uid, f->flags);
		mail_state_know_label(&r->st, f->uid, category_hash(f->keywords));
	}
	return rc;
}

/* A message that cannot be shown, or that the server does not give: tried once more with the
 * next request, then told to the administrator and left out. */
static enum rc skip(struct mail_round *r, uint32_t uid, const struct err *why, struct err *err)
{
	if (!uidset_has(&r->st.tried, uid)) {
		uidset_add(&r->st.tried, uid);
		return RC_OK;
	}
	uidset_remove(&r->st.tried, uid);
	uidset_remove(&r->st.pending, uid);
	uidset_add(&r->st.skipped, uid);
	log_warning("message %u of folder %.*s cannot be shown: %s", uid,
		STR_FMT(r->folder->id), why->text);
	return state_call(r->state, skip_add, r->account, r->folder, commands_id(r->out, uid),
		str_of(why->text), err);
}

static enum rc write_add(struct mail_round *r, const struct email_plan *plan, struct err *err)
{
	uint32_t uid = plan->summary->flags.uid;
	struct arena_mark memory = arena_mark(r->a);
	struct err why = ERR_INIT;
	struct str id = commands_id(r->out, uid);
	enum rc rc;

	commands_begin(r->out, AIRSYNC_ADD, uid);
	rc = email_write(plan, r->options, id, r->a, r->out->w, &why);
	if (rc) {
		commands_take_back(r->out);
		arena_rewind(r->a, memory);
		if (rc == RC_INVALID || rc == RC_DENIED)
			return skip(r, uid, &why, err);
		if (rc == RC_ABSENT) {
			uidset_remove(&r->st.pending, uid);
			uidset_remove(&r->st.tried, uid);
			return RC_OK;
		}
		return err_set(err, rc, "%s", why.text);
	}
	commands_end(r->out);
	arena_rewind(r->a, memory);
	uidset_remove(&r->st.pending, uid);
	uidset_remove(&r->st.tried, uid);
	uidset_add(&r->st.held, uid);
	mail_state_know(&r->st, uid, plan->summary->flags.flags);
	mail_state_know_label(&r->st, uid, category_hash(plan->summary->flags.keywords));
	return RC_OK;
}

/* The parts of some messages in one trip, then the messages. */
static enum rc write_batch(
	struct mail_round *r, struct email_plan *plans, size_t n, struct err *err)
{
	enum rc rc = mail_items_parts(r->mail, r->folder->path, plans, n, r->a, err);

	for (size_t i = 0; i < n && rc == RC_OK && !commands_full(r->out); i++)
		rc = write_add(r, &plans[i], err);
	return rc;
}

static size_t expected(const struct email_plan *p)
{
	size_t n = 0;

	for (size_t i = 0; i < p->nparts; i++)
		n += p->parts[i].length ? p->parts[i].length
		     : p->part[i]       ? p->part[i]->size
					: p->summary->size;
	return n;
}

static const struct mail_summary *summary_of(const struct mail_summaries *s, uint32_t uid)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->v[i].flags.uid == uid)
			return &s->v[i];
	return NULL;
}

/* The summaries of the window; those not read with the look are read now. */
static enum rc summaries(struct mail_round *r, const struct uidset *window,
	struct mail_summaries *all, struct err *err)
{
	struct uidset missing = uidset_copy(window, r->a);
	struct mail_summaries more = {NULL, 0};
	enum rc rc;

	*all = r->delta.summaries;
	for (size_t i = 0; i < all->n; i++)
		uidset_remove(&missing, all->v[i].flags.uid);
	if (uidset_empty(&missing))
		return RC_OK;
	rc = mail_call(r->mail, summaries, r->folder->path, &missing, NULL, r->a, &more, err);
	if (rc)
		return rc;
	all->v = ARENA_ARRAY(r->a, struct mail_summary, r->delta.summaries.n + more.n + 1);
	for (size_t i = 0; i < r->delta.summaries.n; i++)
		all->v[i] = r->delta.summaries.v[i];
	for (size_t i = 0; i < more.n; i++)
		all->v[all->n++] = more.v[i];
	return RC_OK;
}

/* Gone meanwhile, marked as deleted, or older than the filter lets through. */
static bool unwanted(struct mail_round *r, const struct mail_summary *m, uint32_t uid)
{
	if (m && !(m->flags.flags & MAIL_DELETED) &&
		(r->conversations || m->received >= filter_start(r->filter)))
		return false;
	uidset_remove(&r->st.pending, uid);
	uidset_remove(&r->st.tried, uid);
	return true;
}

static enum rc write_adds(struct mail_round *r, struct err *err)
{
	unsigned left = commands_left(r->out);
	struct uidset window = uidset_greatest(&r->st.pending, left, r->a);
	struct email_options bodyless = *r->options;
	struct email_plan *plans;
	struct mail_summaries all;
	struct mail_notes notes = {NULL, NULL, 0};
	size_t n = 0, bytes = 0;
	enum rc rc;

	if (commands_full(r->out) || uidset_empty(&window))
		return RC_OK;
	rc = summaries(r, &window, &all, err);
	if (rc == RC_OK && r->options->version >= V120)
		rc = mail_notes_load(r->state, r->folder, &window, r->a, &notes, err);
	/* [MS-ASCMD] 2.2.3.36: what only belongs to a conversation comes without its text. */
	bodyless.nprefs = 0;
	bodyless.has_part = false;
	plans = ARENA_ARRAY(r->a, struct email_plan, BATCH_MAX);
	for (uint32_t u = uidset_below(&window, (uint64_t)UINT32_MAX + 1); u && rc == RC_OK;
		u = uidset_below(&window, u)) {
		const struct mail_summary *m = summary_of(&all, u);

		if (unwanted(r, m, u))
			continue;
		email_plan(m, m->received < filter_start(r->filter) ? &bodyless : r->options,
			r->a, &plans[n]);
		plans[n].note = mail_notes_of(&notes, u);
		bytes += expected(&plans[n++]);
		if (n == BATCH_MAX || bytes >= BATCH_BYTES) {
			rc = write_batch(r, plans, n, err);
			n = bytes = 0;
			if (commands_full(r->out))
				break;
		}
	}
	return rc == RC_OK && n ? write_batch(r, plans, n, err) : rc;
}

enum rc mail_round_write(struct mail_round *r, struct err *err)
{
	uint64_t modseq = r->st.mark.modseq;
	enum rc rc;

	/* Kept for the case that changes are left over; see write_changes(). */
	write_gone(r, &r->st.gone, AIRSYNC_DELETE);
	write_gone(r, &r->st.soft, AIRSYNC_SOFT_DELETE);
	rc = write_changes(r, err);
	if (r->st.again && modseq)
		r->st.mark.modseq = r->since_modseq;
	if (rc == RC_OK)
		rc = write_adds(r, err);
	if (rc)
		return rc;
	commands_close(r->out);
	r->more = more(&r->st);
	return RC_OK;
}

bool mail_sync_at(const struct collection *c, const struct mail_mark *mark, bool additions)
{
	struct arena *a = arena_new();
	struct mail_state st;
	bool at = mail_state_decode(c->state, &st, a) == RC_OK;

	if (at && additions)
		at = !st.again && uidset_empty(&st.pending) &&
		     st.mark.uidvalidity == mark->uidvalidity &&
		     st.mark.uidnext == mark->uidnext;
	else if (at)
		at = !waiting(&st) && equal(&st.mark, mark);
	arena_free(a);
	return at;
}

enum rc mail_sync_pending(struct mail_pending *p, struct err *err)
{
	struct commands unwritten = {.window = 0};
	struct email_options o;
	struct mail_round r = {.mail = p->mail,
		.folder = p->folder,
		.conf = p->conf,
		.options = &o,
		.known = p->known,
		.a = p->a,
		.out = &unwritten};
	enum rc rc;

	p->count = 0;
	p->state = STR_NONE;
	if (mail_state_decode(p->c->state, &r.st, p->a) ||
		mail_sync_options_decode(p->c->options, p->version, &r.filter, &o))
		return err_set(err, RC_INTERNAL, "the stored state is unreadable");
	r.conversations = r.st.conversations;
	rc = mail_round_look(&r, err);
	if (rc)
		return rc;
	if (r.reset)
		p->count = 1;
	else if (p->additions)
		p->count = (uint32_t)uidset_count(&r.st.pending);
	else
		p->count = mail_round_count(&r);
	if (!p->count && !p->additions)
		p->state = mail_state_encode(&r.st, p->a);
	return RC_OK;
}

struct str mail_sync_options_encode(
	unsigned filter, const struct email_options *o, struct arena *a)
{
	struct buf b;
	struct str r;

	buf_init(&b, BUF_MAX_LINE);
	varint_put(&b, filter);
	email_options_encode(o, &b);
	r = arena_str(a, buf_str(&b));
	buf_release(&b);
	return r;
}

enum rc mail_sync_options_decode(
	struct str in, enum eas_version v, unsigned *filter_r, struct email_options *o)
{
	uint32_t filter;

	*filter_r = 0;
	if (in.n == 0) {
		email_options_read(NULL, v, o);
		return RC_OK;
	}
	if (varint_get32(&in, &filter))
		return RC_INVALID;
	*filter_r = filter;
	return email_options_decode(&in, v, o);
}
