#include "core/base/log.h"
#include "core/base/varint.h"
#include "core/cmd/search.h"
#include "core/cmd/search_items.h"
#include "core/cmd/search_query.h"
#include "core/cmd/sending.h"
#include "core/cmd/servers.h"
#include "core/cmd/status.h"
#include "core/map/server_id.h"
#include "core/sync/conversation.h"
#include "core/sync/mail_items.h"

#include <stdlib.h>

enum {
	KEPT_FOR = 3600,               /* seconds that a list of hits is good for */
	BODIES_MAX = 16 * 1024 * 1024, /* bytes of one page in memory */
};

/* A message that was found. */
struct hit {
	struct str folder; /* its id */
	uint32_t uid, uidvalidity;
	int64_t received;
};

struct search {
	struct request *rq;
	struct services *sv;
	const struct elem *store;
	/* What is asked for */
	struct search_query q;
	struct search_range range;
	/* Where */
	struct folders all;
	const struct folder **folders;
	struct str *paths;
	size_t nfolders;
	/* What was found */
	struct hit *v;
	size_t n;
	uint32_t total;
	struct items_search items; /* which come behind the mails */
	struct email_options options;
};

static bool is_searched(const struct search *s, const struct folder *f)
{
	bool all = true;

	if (!f->selectable)
		return false;
	for (const struct elem *e = s->q.ids; e; e = elem_again(e)) {
		/* clients.md 4: Outlook mobile means all folders by "0". */
		if (e->text.n == 0 || str_is(e->text, "0"))
			return true;
		all = false;
		if (str_eq(e->text, f->id) || (s->q.deep && folders_below(&s->all, f, e->text)))
			return true;
	}
	return all;
}

static enum rc choose_folders(struct search *s, unsigned *status_r, struct err *err)
{
	struct request *rq = s->rq;
	struct folder_servers servers = servers_of(rq, s->sv);
	enum rc rc =
		state_call(s->sv->state, folders_load, &rq->account, rq->arena, &s->all, err);

	if (rc == RC_OK && s->all.n == 0)
		rc = folders_refresh(&servers, rq->arena, &s->all, err);
	if (rc)
		return rc;
	for (const struct elem *e = s->q.ids; e; e = elem_again(e))
		if (e->text.n && !str_is(e->text, "0") && !folders_by_id(&s->all, e->text))
			*status_r = SEARCH_FOLDERS_CHANGED;
	s->folders = ARENA_ARRAY(rq->arena, const struct folder *, s->all.n + 1);
	s->paths = ARENA_ARRAY(rq->arena, struct str, s->all.n + 1);
	for (size_t i = 0; i < s->all.n; i++)
		if (s->all.v[i].kind == FOLDER_MAIL && is_searched(s, &s->all.v[i])) {
			s->paths[s->nfolders] = s->all.v[i].path;
			s->folders[s->nfolders++] = &s->all.v[i];
		}
	return RC_OK;
}

/* Without a Class contacts are looked for where an address book is named: a device that
 * searches its mails must not find people among them. */
static bool is_named(const struct search *s, const struct folder *f)
{
	for (const struct elem *e = s->q.ids; e; e = elem_again(e))
		if (str_eq(e->text, f->id))
			return true;
	return false;
}

/* The address books, where there is a server of them. */
static void choose_books(struct search *s)
{
	struct arena *a = s->rq->arena;
	struct folders shown = folders_visible(&s->all, s->rq->conf, s->rq->version, a);

	s->items = (struct items_search){.rq = s->rq,
		.sv = s->sv,
		.conditions = s->q.conditions,
		.folders = ARENA_ARRAY(a, const struct folder *, shown.n + 1),
		.most = SEARCH_HITS_MAX};
	for (size_t i = 0; i < shown.n && s->sv->dav; i++)
		if (shown.v[i].kind == FOLDER_CONTACTS &&
			(s->q.any ? is_named(s, &shown.v[i])
				  : s->q.contacts && is_searched(s, &shown.v[i])))
			s->items.folders[s->items.nfolders++] = &shown.v[i];
}

/* The newest first; of one folder, by UID. */
static int newest_first(const void *x, const void *y)
{
	const struct hit *a = x, *b = y;

	if (a->received != b->received)
		return a->received < b->received ? 1 : -1;
	return (a->uid < b->uid) - (a->uid > b->uid);
}

static enum rc search_now(struct search *s, struct err *err)
{
	struct arena *a = s->rq->arena;
	struct mail_hits *hits = ARENA_ARRAY(a, struct mail_hits, s->nfolders + 1);
	size_t most = 0;
	enum rc rc = RC_OK;

	if (s->q.conversation.p) {
		struct mail_term *t;

		rc = conversation_term(
			s->sv->mail, s->paths, s->nfolders, s->q.conversation, a, &t, err);
		if (rc == RC_ABSENT)
			return RC_OK;
		if (rc == RC_OK)
			search_query_and(&s->q, t);
	}
	if (rc == RC_OK && s->nfolders)
		rc = mail_call(s->sv->mail, search, s->paths, s->nfolders, s->q.term,
			SEARCH_HITS_MAX, a, hits, err);
	if (rc)
		return rc;
	for (size_t i = 0; i < s->nfolders; i++)
		most += hits[i].n;
	s->v = ARENA_ARRAY(a, struct hit, most + 1);
	for (size_t i = 0; i < s->nfolders; i++) {
		s->total += hits[i].total;
		for (size_t k = 0; k < hits[i].n; k++)
			s->v[s->n++] = (struct hit){s->folders[i]->id, hits[i].v[k].uid,
				hits[i].uidvalidity, hits[i].v[k].received};
	}
	qsort(s->v, s->n, sizeof(*s->v), newest_first);
	if (s->n > SEARCH_HITS_MAX)
		s->n = SEARCH_HITS_MAX;
	return RC_OK;
}

static enum rc keep(struct search *s, struct err *err)
{
	struct buf b;
	enum rc rc;

	/* A list that one page shows whole is not asked for again. */
	if (s->n + s->items.n <= s->range.to + 1)
		return RC_OK;
	buf_init(&b, BUF_MAX_TEXT);
	varint_put(&b, s->q.hash);
	varint_put(&b, s->total);
	varint_put(&b, s->n);
	for (size_t i = 0; i < s->n; i++) {
		varint_put_str(&b, s->v[i].folder);
		varint_put(&b, s->v[i].uid);
		varint_put(&b, s->v[i].uidvalidity);
	}
	rc = state_call(s->sv->state, search_store, &s->rq->device, buf_str(&b), err);
	buf_release(&b);
	return rc;
}

/* The list of the first page, so that the second one is of the same list. RC_ABSENT: there is
 * none, or it is of another question. */
static enum rc recall(struct search *s, struct err *err)
{
	struct arena *a = s->rq->arena;
	struct str in;
	uint64_t hash;
	uint32_t n;
	enum rc rc =
		state_call(s->sv->state, search_load, &s->rq->device, KEPT_FOR, a, &in, err);

	if (rc)
		return rc;
	if (varint_get(&in, &hash) || hash != s->q.hash || varint_get32(&in, &s->total) ||
		varint_get32(&in, &n) || n > SEARCH_HITS_MAX)
		return RC_ABSENT;
	s->v = ARENA_ARRAY(a, struct hit, (size_t)n + 1);
	for (s->n = 0; s->n < n; s->n++) {
		struct hit *h = &s->v[s->n];

		if (varint_get_str(&in, &h->folder) || varint_get32(&in, &h->uid) ||
			varint_get32(&in, &h->uidvalidity))
			return err_set(err, RC_INTERNAL, "the stored search is unreadable");
	}
	return RC_OK;
}

/* A hit of the page, read. */
struct found {
	const struct hit *hit;
	const struct folder *folder;
	const struct email_plan *plan; /* NULL: it is gone */
};

static enum rc read_folder(
	struct search *s, struct found *v, size_t n, const struct folder *f, struct err *err)
{
	struct mail_reader r = {.mail = s->sv->mail,
		.state = s->sv->state,
		.folder = f,
		.options = &s->options,
		.a = s->rq->arena};
	struct mail_items items;
	struct uidset uids;
	enum rc rc;

	uidset_init(&uids, r.a);
	for (size_t i = 0; i < n; i++)
		if (v[i].folder == f)
			uidset_add(&uids, v[i].hit->uid);
	rc = mail_items_read(&r, &uids, &items, err);
	/* A folder that vanished takes its hits with it. */
	if (rc == RC_ABSENT || rc == RC_DENIED)
		return RC_OK;
	for (size_t i = 0; i < n && rc == RC_OK; i++)
		for (size_t k = 0; k < items.n && v[i].folder == f; k++)
			if (items.v[k].summary->flags.uid == v[i].hit->uid)
				v[i].plan = &items.v[k];
	return rc;
}

/* The page, one folder after the other: a folder is opened once. */
static enum rc read_page(struct search *s, struct found *v, size_t n, struct err *err)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; i < n; i++) {
		const struct folder *f = folders_by_id(&s->all, v[i].hit->folder);

		v[i].folder = f && f->uidvalidity == v[i].hit->uidvalidity ? f : NULL;
	}
	for (size_t i = 0; i < n && rc == RC_OK; i++) {
		bool before = !v[i].folder;

		for (size_t k = 0; k < i && !before; k++)
			before = v[k].folder == v[i].folder;
		if (!before)
			rc = read_folder(s, v, n, v[i].folder, err);
	}
	return rc;
}

static void write_hit(struct search *s, struct wbxml_writer *w, const struct found *it)
{
	struct arena *a = s->rq->arena;
	struct wbxml_mark mark = wbxml_mark(w);
	struct str id = server_id_format(a, it->folder->id, it->hit->uid);
	struct err why = ERR_INIT;

	wbxml_open(w, SEARCH_RESULT);
	wbxml_cstr(w, AIRSYNC_CLASS, "Email");
	wbxml_text(w, SEARCH_LONG_ID,
		long_id_format(a, it->folder->id, it->hit->uid, it->hit->uidvalidity));
	wbxml_text(w, AIRSYNC_COLLECTION_ID, it->folder->id);
	wbxml_open(w, SEARCH_PROPERTIES);
	/* One that cannot be shown is none. */
	if (email_write(it->plan, &s->options, id, a, w, &why)) {
		wbxml_rollback(w, mark);
		return;
	}
	wbxml_close(w, SEARCH_PROPERTIES);
	wbxml_close(w, SEARCH_RESULT);
	wbxml_keep(w, mark);
}

/* How many hits fit into memory with their bodies. */
static size_t page_size(const struct search *s)
{
	uint64_t each = 64 * 1024;
	size_t n = s->range.to - s->range.from + 1;

	for (size_t i = 0; i < s->options.nprefs; i++)
		if (!s->options.prefs[i].has_size)
			each = 1024 * 1024;
		else if (s->options.prefs[i].size * 4ull > each)
			each = s->options.prefs[i].size * 4ull;
	if (each * n > BODIES_MAX)
		n = (size_t)(BODIES_MAX / each);
	return n ? n : 1;
}

/* The mails of the page. */
static enum rc write_mails(struct search *s, size_t n, struct wbxml_writer *w, struct err *err)
{
	struct found *v = ARENA_ARRAY(s->rq->arena, struct found, n + 1);
	enum rc rc;

	for (size_t i = 0; i < n; i++)
		v[i].hit = &s->v[s->range.from + i];
	rc = read_page(s, v, n, err);
	for (size_t i = 0; i < n && rc == RC_OK; i++)
		if (v[i].folder && v[i].plan)
			write_hit(s, w, &v[i]);
	return rc;
}

/* Mails, and what is left of the page with items. */
static enum rc write_page(struct search *s, struct reply *rp, struct err *err)
{
	size_t all = s->n + s->items.n, from = s->range.from, n = page_size(s), mails = 0;
	struct wbxml_writer *w = reply_wbxml(rp);
	enum rc rc;

	if (all - from < n)
		n = all - from;
	if (from < s->n)
		mails = s->n - from < n ? s->n - from : n;
	search_open(w, SEARCH_OK);
	rc = write_mails(s, mails, w, err);
	if (rc == RC_OK && n > mails)
		rc = search_items_write(
			&s->items, from + mails - s->n, n - mails, &s->options, w, err);
	if (rc)
		return rc;
	wbxml_text(w, SEARCH_RANGE,
		arena_printf(s->rq->arena, "%u-%zu", s->range.from, from + n - 1));
	wbxml_int(w, SEARCH_TOTAL, (int64_t)s->total + (int64_t)s->items.n);
	search_close(w);
	rp->status = SEARCH_OK;
	return RC_OK;
}

/* Mails are found without the server of the contacts. */
static enum rc find_items(struct search *s, struct err *err)
{
	enum rc rc = search_items_find(&s->items, err);

	if (rc != RC_UNAVAILABLE || !s->q.email)
		return rc;
	log_warning("contacts were not searched: %s", err->text);
	s->items.n = 0;
	err_clear(err);
	return RC_OK;
}

/* The list of mails of the first page holds for the ones behind it. */
static enum rc find_mails(struct search *s, bool anew, struct err *err)
{
	enum rc rc = !s->q.email ? RC_OK : s->range.from && !anew ? recall(s, err) : RC_ABSENT;

	if (rc != RC_ABSENT)
		return rc;
	rc = search_now(s, err);
	return rc ? rc : keep(s, err);
}

static enum rc run(struct search *s, struct reply *rp, struct err *err)
{
	const struct elem *options = elem_child(s->store, SEARCH_OPTIONS);
	unsigned status = search_query_read(s->store, s->rq->arena, &s->q);
	enum rc rc;

	if (!status)
		status = search_range_read(s->store, &s->range);
	if (status)
		return search_status(rp, status);
	email_options_read(options, s->rq->version, &s->options);
	s->options.user = sending_address(s->rq);
	if (email_options_bad_part(&s->options)) {
		status_fail(s->rq, rp, STATUS_BODY_PART_TYPE);
		return RC_OK;
	}
	rc = choose_folders(s, &status, err);
	if (rc)
		return rc;
	if (status)
		return search_status(rp, status);
	choose_books(s);
	rc = find_items(s, err);
	if (rc == RC_OK)
		rc = find_mails(s, elem_has(options, SEARCH_REBUILD_RESULTS), err);
	if (rc)
		return rc;
	if (s->n + s->items.n == 0)
		return search_nothing(rp);
	return s->range.from < s->n + s->items.n ? write_page(s, rp, err)
						 : search_status(rp, SEARCH_PAST_END);
}

enum rc search_mailbox(struct request *rq, struct services *sv, const struct elem *store,
	struct reply *rp, struct err *err)
{
	struct search s = {.rq = rq, .sv = sv, .store = store};

	return run(&s, rp, err);
}
