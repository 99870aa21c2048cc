#include "core/sync/item_sync.h"

#include "core/base/log.h"
#include "core/base/varint.h"
#include "core/sync/item_window.h"
#include "core/sync/recipients.h"

/* Estimates count so many, and no more. */
enum { COUNT_MAX = 1000000, LOT_OF_NEWS = 100, LOT_OF_OLD = 2000 };

static bool limited(const struct item_round *r)
{
	return r->wanted->most && r->folder->kind == FOLDER_RECIPIENTS;
}

/* What was skipped is tried again when the administrator, or a newer program, says so. */
static void retry_skipped(struct item_round *r)
{
	uint64_t now = r->folder->retries * 1000 + ITEM_MAP_VERSION;

	if (r->st.retried != now) {
		uidset_union(&r->st.pending, &r->st.skipped);
		uidset_init(&r->st.skipped, r->st.arena);
	}
	r->st.retried = now;
}

/*
 * A device that was away for long cannot be told of each item that went: it is compared. The
 * same when collections came to those that it is shown as one folder, or went from them: what
 * is in them may be older than what the device was told.
 */
static enum rc compare(struct item_round *r, struct err *err)
{
	const struct item_source *src = r->src;
	struct uidset there, lost = uidset_copy(&r->st.held, src->a);
	uint64_t shown = item_source_shown(src);
	bool others = r->st.shown && r->st.shown != shown;

	r->others = others;
	enum rc rc;

	r->st.shown = shown;
	if (!others && (!r->st.version || r->st.version >= item_source_purged(src)))
		return RC_OK;
	uidset_init(&there, src->a);
	rc = state_call(
		src->state, items_numbers, src->account, src->rows, src->n, &there, err);
	if (rc)
		return rc;
	uidset_subtract(&lost, &there);
	uidset_union(&r->st.gone, &lost);
	if (!others)
		return RC_OK;
	uidset_subtract(&there, &r->st.held);
	uidset_subtract(&there, &r->st.skipped);
	uidset_union(&r->st.pending, &there);
	return RC_OK;
}

static void append(struct items *to, const struct items *from, struct arena *a)
{
	struct item *v = ARENA_ARRAY(a, struct item, to->n + from->n + 1);

	for (size_t i = 0; i < to->n; i++)
		v[i] = to->v[i];
	for (size_t i = 0; i < from->n; i++)
		v[to->n++] = from->v[i];
	to->v = v;
}

/* What waits whatever its version. Of those that are known no more nothing is left to tell;
 * those that have a version to come are told with it. */
static enum rc load_pending(struct item_round *r, struct err *err)
{
	const struct item_source *src = r->src;
	struct uidset known;
	enum rc rc;

	r->rows = (struct items){NULL, 0};
	r->npending = 0;
	if (uidset_empty(&r->st.pending))
		return RC_OK;
	rc = state_call(src->state, items_get, src->account, src->rows, src->n, &r->st.pending,
		src->a, &r->rows, err);
	uidset_init(&known, src->a);
	for (size_t i = 0; i < r->rows.n && rc == RC_OK; i++) {
		uidset_add(&known, r->rows.v[i].number);
		if (r->rows.v[i].version <= r->st.version)
			r->rows.v[r->npending++] = r->rows.v[i];
	}
	r->rows.n = r->npending;
	uidset_intersect(&r->st.pending, &known);
	uidset_intersect(&r->st.tried, &known);
	return rc;
}

/* [MS-ASCMD] 2.2.3.100 MaxItems: of the recipient cache only what is used most. What is not
 * among that is taken away, and kept away. */
static enum rc keep_most(struct item_round *r, struct err *err)
{
	const struct item_source *src = r->src;
	struct uidset top, rest = uidset_copy(&r->st.held, src->a);
	struct items all;
	enum rc rc = state_call(src->state, items_since, src->account, src->rows, src->n, 0,
		COUNT_MAX, src->a, &all, err);

	if (rc)
		return rc;
	top = recipients_top(&all, r->wanted->most, src->a);
	uidset_subtract(&rest, &top);
	uidset_union(&r->st.gone, &rest);
	rest = uidset_copy(&top, src->a);
	uidset_subtract(&rest, &r->st.held);
	uidset_union(&r->st.pending, &rest);
	r->top = top;
	return RC_OK;
}

/* What a device must be told of an item. */
enum news { NEWS_NONE, NEWS_ADD, NEWS_CHANGE, NEWS_DELETE };

static enum news news_of_item(const struct item_round *r, const struct item *it, bool pending)
{
	bool held = uidset_has(&r->st.held, it->number);

	if (pending ? !uidset_has(&r->st.pending, it->number)
		    : item_state_is_mine(&r->st, it->number, it->version))
		return NEWS_NONE;
	if (limited(r) && !uidset_has(&r->top, it->number))
		return NEWS_NONE;
	if (it->gone)
		return held ? NEWS_DELETE : NEWS_NONE;
	if (!held && item_window_hides(&r->st, it))
		return NEWS_NONE;
	return held ? NEWS_CHANGE : NEWS_ADD;
}

static enum news news_of(const struct item_round *r, size_t i)
{
	return news_of_item(r, &r->rows.v[i], i < r->npending);
}

/* What changed after the device's version, without what is no news for it: more than a window
 * of items that came and went must not fill its windows. */
static enum rc load_news(struct item_round *r, struct err *err)
{
	const struct item_source *src = r->src;
	/* However little is wanted: what is no news is not read row by row. */
	size_t lot = uidset_empty(&r->st.outside) ? LOT_OF_NEWS : LOT_OF_OLD;
	size_t most = (r->out->window > lot ? r->out->window : lot) + 1;
	uint64_t version = r->st.version;
	struct items news, some;
	enum rc rc;

	do {
		rc = state_call(src->state, items_since, src->account, src->rows, src->n,
			version, most, src->a, &some, err);
		if (rc)
			return rc;
		news = (struct items){some.v, 0};
		for (size_t i = 0; i < some.n; i++) {
			version = some.v[i].version;
			if (news_of_item(r, &some.v[i], false) != NEWS_NONE)
				news.v[news.n++] = some.v[i];
		}
		append(&r->rows, &news, src->a);
		r->all = some.n < most;
	} while (!r->all && r->rows.n - r->npending <= r->out->window);
	return RC_OK;
}

enum rc item_round_look(struct item_round *r, struct err *err)
{
	struct item_source *src = r->src;
	enum rc rc = RC_OK;

	retry_skipped(r);
	/* While the last answer is not told to the end, there is no need for another. What the
	 * device did itself since is none. */
	if (!r->known && !(r->st.more && r->st.version < item_source_version(src)))
		rc = item_source_ask(src, err);
	if (rc == RC_OK)
		rc = compare(r, err);
	if (rc == RC_OK && limited(r))
		rc = keep_most(r, err);
	if (rc == RC_OK)
		rc = item_window_look(src, &r->st, r->wanted->filter, r->others, r->age, err);
	if (rc == RC_OK)
		rc = load_pending(r, err);
	if (rc)
		return rc;
	r->all = true;
	if (r->st.version < item_source_version(src))
		rc = load_news(r, err);
	r->looked = rc == RC_OK && (r->known || src->asked);
	return rc;
}

uint32_t item_round_count(const struct item_round *r)
{
	uint64_t n = uidset_count(&r->st.gone) + uidset_count(&r->st.aged);

	for (size_t i = 0; i < r->rows.n; i++)
		n += news_of(r, i) != NEWS_NONE;
	return n > UINT32_MAX ? UINT32_MAX : (uint32_t)n;
}

static void write_gone(struct item_round *r, tag_t what, uint32_t number)
{
	commands_gone(r->out, what, number);
	item_state_drop(&r->st, number);
}

/* An item that cannot be shown, or that the server does not give: tried once more with the next
 * request, then told to the administrator and left out. */
static enum rc skip(
	struct item_round *r, const struct item *it, const struct err *why, struct err *err)
{
	struct item_state *st = &r->st;

	uidset_remove(&st->skipped, it->number);
	uidset_add(&st->pending, it->number);
	if (!uidset_has(&st->tried, it->number)) {
		uidset_add(&st->tried, it->number);
		return RC_OK;
	}
	uidset_remove(&st->tried, it->number);
	uidset_remove(&st->pending, it->number);
	uidset_add(&st->skipped, it->number);
	log_warning("item %u of folder %.*s cannot be shown: %s", it->number,
		STR_FMT(r->folder->id), why->text);
	return state_call(r->src->state, skip_add, r->src->account, r->folder,
		commands_id(r->out, it->number), str_of(why->text), err);
}

/* What devices have nothing for, or is outside of the window, does not exist for them. */
static void leave_out(struct item_round *r, tag_t what, uint32_t number)
{
	if (uidset_has(&r->st.held, number))
		write_gone(r, what, number);
	else
		item_state_drop(&r->st, number);
}

static enum rc write_item(struct item_round *r, const struct item *it, tag_t how,
	const struct dav_object *object, struct err *err)
{
	struct arena_mark memory = arena_mark(r->src->a);
	struct err why = ERR_INIT;
	enum rc rc;

	if (object->bytes.p && item_window_passed(r->src, &r->st, object->bytes, r->src->a)) {
		arena_rewind(r->src->a, memory);
		leave_out(r, AIRSYNC_SOFT_DELETE, it->number);
		return RC_OK;
	}
	commands_begin(r->out, how, it->number);
	rc = object->refused ? err_set(&why, RC_INVALID, "the server does not give it")
			     : r->src->class->write(it, object->bytes, r->options, r->src->a,
				       r->out->w, &why);
	if (rc) {
		commands_take_back(r->out);
		arena_rewind(r->src->a, memory);
		if (rc == RC_ABSENT) {
			leave_out(r, AIRSYNC_DELETE, it->number);
			return RC_OK;
		}
		if (rc == RC_INVALID || rc == RC_LIMIT)
			return skip(r, it, &why, err);
		return err_set(err, rc, "%s", why.text);
	}
	commands_end(r->out);
	arena_rewind(r->src->a, memory);
	uidset_add(&r->st.held, it->number);
	uidset_remove(&r->st.pending, it->number);
	uidset_remove(&r->st.tried, it->number);
	uidset_remove(&r->st.skipped, it->number);
	return RC_OK;
}

/* Tells one row; object: what it holds, NULL where that is not needed. */
static enum rc write_row(
	struct item_round *r, size_t i, const struct dav_object *object, struct err *err)
{
	const struct item *it = &r->rows.v[i];
	enum news news = news_of(r, i);
	enum rc rc = RC_OK;

	if (news == NEWS_DELETE)
		write_gone(r, AIRSYNC_DELETE, it->number);
	else if (news != NEWS_NONE && (object->bytes.p || object->refused))
		rc = write_item(
			r, it, news == NEWS_ADD ? AIRSYNC_ADD : AIRSYNC_CHANGE, object, err);
	/* It went after the server was asked, which will tell; one that is gone waits for
	 * nothing. */
	else
		uidset_remove(&r->st.pending, it->number);
	if (i >= r->npending)
		item_state_advance(&r->st, it->version);
	return rc;
}

/* Those of the next rows that have to be read, in one go; objects_r by the place of the row. */
static enum rc read_lot(struct item_round *r, size_t from, size_t *upto_r, struct arena *a,
	struct dav_object **objects_r, struct err *err)
{
	struct item *v = ARENA_ARRAY(a, struct item, ITEM_SOURCE_LOT);
	struct dav_object *read = ARENA_ARRAY(a, struct dav_object, ITEM_SOURCE_LOT);
	size_t places[ITEM_SOURCE_LOT], n = 0, i, left = commands_left(r->out);
	enum rc rc;

	for (i = from; i < r->rows.n && n < ITEM_SOURCE_LOT && n < left; i++) {
		enum news news = news_of(r, i);

		if (news != NEWS_ADD && news != NEWS_CHANGE)
			continue;
		places[n] = i - from;
		v[n++] = r->rows.v[i];
	}
	*upto_r = i;
	*objects_r = ARENA_ARRAY(a, struct dav_object, i - from + 1);
	rc = n ? item_source_read(r->src, v, n, a, read, err) : RC_OK;
	for (size_t k = 0; k < n && rc == RC_OK; k++) {
		/* The lot ends in front of what was too much for it. */
		if (read[k].left) {
			*upto_r = from + places[k];
			break;
		}
		(*objects_r)[places[k]] = read[k];
	}
	return rc;
}

static enum rc write_rows(struct item_round *r, struct err *err)
{
	size_t i = 0;
	enum rc rc = RC_OK;

	while (i < r->rows.n && rc == RC_OK && !commands_full(r->out)) {
		/* What a lot holds does not stay in memory until the request ends. */
		struct arena *a = arena_new();
		struct dav_object *objects;
		size_t from = i, upto;

		rc = read_lot(r, from, &upto, a, &objects, err);
		for (; i < upto && rc == RC_OK && !commands_full(r->out); i++)
			rc = write_row(r, i, &objects[i - from], err);
		arena_free(a);
	}
	/* What is no news does not have to wait for the next window. */
	while (i < r->rows.n && rc == RC_OK && i >= r->npending && news_of(r, i) == NEWS_NONE)
		item_state_advance(&r->st, r->rows.v[i++].version);
	if (rc == RC_OK && i == r->rows.n && r->all)
		item_state_advance(&r->st, item_source_version(r->src));
	r->st.more = i < r->rows.n || !r->all;
	r->more = r->st.more || item_state_waits(&r->st);
	return rc;
}

enum rc item_round_write(struct item_round *r, struct err *err)
{
	uint32_t number;
	enum rc rc;

	while (!commands_full(r->out) && (number = uidset_above(&r->st.gone, 0)) != 0)
		write_gone(r, AIRSYNC_DELETE, number);
	while (!commands_full(r->out) && (number = uidset_above(&r->st.aged, 0)) != 0)
		write_gone(r, AIRSYNC_SOFT_DELETE, number);
	rc = write_rows(r, err);
	if (rc == RC_OK)
		commands_close(r->out);
	return rc;
}

enum rc item_fetch(const struct item_source *src, uint32_t number,
	const struct email_options *o, tag_t container, struct wbxml_writer *w, struct err *err)
{
	struct dav_object object;
	struct uidset one;
	struct items items;
	enum rc rc;

	uidset_init(&one, src->a);
	uidset_add(&one, number);
	rc = state_call(src->state, items_get, src->account, src->rows, src->n, &one, src->a,
		&items, err);
	if (rc == RC_OK && (items.n == 0 || items.v[0].gone))
		rc = err_set(err, RC_ABSENT, "there is no such item");
	if (rc == RC_OK)
		rc = item_source_read(src, items.v, 1, src->a, &object, err);
	if (rc)
		return rc;
	if (!object.bytes.p)
		return object.refused
			       ? err_set(err, RC_INVALID, "the server does not give it")
			       : err_set(err, RC_ABSENT, "there is no such item any more");
	wbxml_open(w, container);
	rc = src->class->write(&items.v[0], object.bytes, o, src->a, w, err);
	wbxml_close(w, container);
	return rc;
}

/* Whether only the item itself can tell that it is in the window: the server was not asked
 * since. */
static bool is_doubtful(const struct item_round *r, size_t i)
{
	return news_of(r, i) == NEWS_ADD && r->rows.v[i].version > r->st.outside_version;
}

/* One lot of the rows from *at_r on. What is outside of the window is none of the device's
 * business, as if it had done it itself. */
static enum rc judge_lot(struct item_round *r, size_t *at_r, struct err *err)
{
	struct arena *a = arena_new();
	struct item *v = ARENA_ARRAY(a, struct item, ITEM_SOURCE_LOT);
	struct dav_object *read = ARENA_ARRAY(a, struct dav_object, ITEM_SOURCE_LOT);
	size_t n = 0;
	enum rc rc;

	for (; *at_r < r->rows.n && n < ITEM_SOURCE_LOT; ++*at_r)
		if (is_doubtful(r, *at_r))
			v[n++] = r->rows.v[*at_r];
	rc = n ? item_source_read(r->src, v, n, a, read, err) : RC_OK;
	for (size_t i = 0; i < n && rc == RC_OK; i++)
		if (read[i].bytes.p && item_window_passed(r->src, &r->st, read[i].bytes, a))
			item_state_mine(&r->st, v[i].number, v[i].version);
	arena_free(a);
	return rc;
}

/* Of what is new only that counts which is in the window. */
static enum rc judge(struct item_round *r, struct err *err)
{
	enum rc rc = RC_OK;

	while (rc == RC_OK) {
		size_t at = r->npending;

		while (at < r->rows.n && rc == RC_OK)
			rc = judge_lot(r, &at, err);
		/* What cannot be looked at now counts as news; other folders wait on. */
		if (rc && rc != RC_INTERNAL) {
			err_clear(err);
			return RC_OK;
		}
		if (rc || r->all || item_round_count(r))
			break;
		item_state_advance(&r->st, r->rows.v[r->rows.n - 1].version);
		r->rows.n = r->npending;
		rc = load_news(r, err);
	}
	return rc;
}

static uint32_t count_additions(const struct item_round *r)
{
	uint32_t n = 0;

	for (size_t i = 0; i < r->rows.n; i++)
		n += news_of(r, i) == NEWS_ADD;
	return n;
}

bool item_sync_at(const struct collection *c, uint64_t version)
{
	struct arena *a = arena_new();
	struct item_state st;
	bool at = item_state_decode(c->state, &st, a) == RC_OK && !item_state_waits(&st) &&
		  st.version >= version;

	arena_free(a);
	return at;
}

enum rc item_sync_pending(struct item_pending *p, struct err *err)
{
	/* Among changes additions may be far behind. */
	struct commands unwritten = {
		.window = p->enough && !p->additions ? p->enough : COUNT_MAX};
	struct item_options wanted;
	struct item_round r = {.src = p->src,
		.folder = p->folder,
		.known = p->known,
		.wanted = &wanted,
		.age = !p->waiting,
		.out = &unwritten};
	struct email_options o;
	enum rc rc;

	p->count = 0;
	p->state = STR_NONE;
	if (item_state_decode(p->c->state, &r.st, p->src->a) ||
		item_options_decode(p->c->options, V141, &o, &wanted, p->src->a))
		return err_set(err, RC_INTERNAL, "the stored state is unreadable");
	if (p->most)
		wanted.most = p->most;
	if (p->has_filter)
		wanted.filter = p->filter;
	rc = item_round_look(&r, err);
	if (rc == RC_OK && r.st.filter && p->src->dav)
		rc = judge(&r, err);
	if (rc)
		return rc;
	p->count = p->additions ? count_additions(&r) : item_round_count(&r);
	if (p->count || p->additions)
		return RC_OK;
	item_state_advance(&r.st, item_source_version(p->src));
	p->state = item_state_encode(&r.st, p->src->a);
	return RC_OK;
}

struct str item_options_encode(
	const struct email_options *o, const struct item_options *more, struct arena *a)
{
	struct buf b;
	struct str r;

	buf_init(&b, BUF_MAX_LINE);
	varint_put(&b, more->most);
	email_options_encode(o, &b);
	ghosts_encode(&more->ghosts, &b);
	/* Without one they end here, as they did before there were any. */
	if (more->filter)
		varint_put(&b, more->filter);
	r = arena_str(a, buf_str(&b));
	buf_release(&b);
	return r;
}

enum rc item_options_decode(struct str in, enum eas_version v, struct email_options *o,
	struct item_options *more, struct arena *a)
{
	*more = (struct item_options){
		.ghosts = {GHOSTS_NONE, NULL, 0}
        };
	email_options_read(NULL, v, o);
	if (in.n == 0)
		return RC_OK;
	if (varint_get32(&in, &more->most) || email_options_decode(&in, v, o) ||
		ghosts_decode(&in, a, &more->ghosts))
		return RC_INVALID;
	return in.n ? varint_get32(&in, &more->filter) : RC_OK;
}
