#include "core/cmd/waiting.h"

#include "core/base/log.h"
#include "core/cmd/servers.h"
#include "core/sync/hierarchy.h"

/* How soon a wait is looked after whose account a listener is about to watch, seconds. */
enum { SOON = 5 };

static struct watched_folder *place_of(const struct watch *w, struct str id)
{
	for (size_t i = 0; i < w->n; i++)
		if (str_eq(w->v[i].id, id))
			return &w->v[i];
	return NULL;
}

/* Behind the ids those of the folders that are shown as one of them. */
static void add_merged(
	struct request *rq, const struct folders *all, size_t class, struct watch *w)
{
	const struct item_class *items = item_class_at(class);
	const struct folder *shown = folders_of_type(all, items->default_type);

	if (!shown || !folders_merged(rq->conf, shown) || !place_of(w, shown->id))
		return;
	for (size_t i = 0; i < all->n; i++)
		if (all->v[i].kind == shown->kind && all->v[i].row != shown->row)
			w->v[w->nall++].id = all->v[i].id;
}

static enum rc name_folders(struct request *rq, struct services *sv, const struct str *ids,
	size_t n, struct watch *w, struct err *err)
{
	struct folders all = {NULL, 0, 0};
	enum rc rc = RC_OK;

	if (rq->conf->contacts_merge || rq->conf->calendar_merge)
		rc = state_call(sv->state, folders_load, &rq->account, rq->arena, &all, err);
	*w = (struct watch){.v = ARENA_ARRAY(rq->arena, struct watched_folder, n + all.n + 1),
		.n = n,
		.nall = n};
	for (size_t i = 0; i < n; i++)
		w->v[i].id = ids[i];
	for (size_t i = 0; rc == RC_OK && all.n && item_class_at(i); i++)
		add_merged(rq, &all, i, w);
	return rc;
}

/* The one of the n that a folder behind them is shown as; NULL: none is. */
static struct watched_folder *merged(
	const struct settings *conf, const struct watch *w, enum folder_kind kind)
{
	for (size_t i = 0; i < w->n; i++)
		if (w->v[i].folder.kind == kind && folders_merged(conf, &w->v[i].folder))
			return &w->v[i];
	return NULL;
}

/* Such a folder stands where the last of its collections does. */
static void fold(const struct settings *conf, struct watch *w)
{
	for (size_t i = w->n; i < w->nall; i++) {
		struct watched_folder *shown = merged(conf, w, w->v[i].folder.kind);

		if (!shown)
			continue;
		shown->current = shown->current && w->v[i].current;
		if (w->v[i].version > shown->version)
			shown->version = w->v[i].version;
	}
}

enum rc waiting_look(struct request *rq, struct services *sv, const struct str *ids, size_t n,
	struct watch *w, struct err *err)
{
	enum rc rc = name_folders(rq, sv, ids, n, w, err);

	if (rc)
		return rc;
	w->n = w->nall;
	rc = state_call(sv->state, watch_look, &rq->account, &rq->device, rq->arena, w, err);
	w->n = n;
	fold(rq->conf, w);
	if (rc || w->watched)
		return rc;
	return state_call(sv->state, watch_begin, &rq->account, err);
}

enum rc waiting_note(
	struct request *rq, struct services *sv, const struct watch *w, struct err *err)
{
	struct watch all = *w;

	for (size_t i = w->n; i < w->nall; i++) {
		const struct watched_folder *shown = merged(rq->conf, w, w->v[i].folder.kind);

		if (shown)
			all.v[i].asked = shown->asked;
	}
	all.n = w->nall;
	return state_call(sv->state, watch_note, &rq->account, &all, false, err);
}

enum rc waiting_hierarchy(struct request *rq, struct services *sv, const struct watch *w,
	bool *changed_r, struct err *err)
{
	struct hierarchy_changes changes;
	struct watch none = {.hierarchy_seq = w->hierarchy_seq};
	struct folder_servers servers = servers_of(rq, sv);
	struct folders now;
	enum rc rc;

	*changed_r = false;
	/* A device that never asked for folders has none that could change. */
	if (!w->hierarchy.epoch)
		return RC_OK;
	if (w->hierarchy_current)
		rc = state_call(sv->state, folders_load, &rq->account, rq->arena, &now, err);
	else
		rc = folders_refresh(&servers, rq->arena, &now, err);
	if (rc == RC_OK && !w->hierarchy_current)
		rc = state_call(sv->state, watch_note, &rq->account, &none, true, err);
	if (rc)
		return rc;
	now = folders_visible(&now, rq->conf, rq->version, rq->arena);
	rc = hierarchy_diff(w->hierarchy.state, &now, rq->arena, &changes, err);
	if (rc == RC_OK)
		*changed_r = changes.n > 0;
	return rc;
}

bool waiting_for(const struct watched_folder *v)
{
	return v->folder.row && v->folder.selectable && v->c.epoch;
}

/* What a DAV collection says now. */
static enum rc ask_items(struct request *rq, struct services *sv, struct watched_folder *v,
	bool *gone_r, struct err *err)
{
	struct item_source src;
	struct err why = ERR_INIT;
	enum rc rc = servers_items(rq, sv, &v->folder, &src, err);

	if (rc)
		return rc;
	rc = item_source_ask(&src, &why);
	v->asked = rc == RC_OK;
	v->version = rc ? 0 : item_source_version(&src);
	*gone_r = *gone_r || rc == RC_ABSENT;
	/* The other folders are waited for nevertheless; this one is looked after again. */
	if (rc && rc != RC_ABSENT)
		log_warning("folder %.*s cannot be asked for changes: %s", STR_FMT(v->id),
			why.text);
	return RC_OK;
}

enum rc waiting_marks(
	struct request *rq, struct services *sv, struct watch *w, bool *gone_r, struct err *err)
{
	bool asked = false;
	struct str *paths = ARENA_ARRAY(rq->arena, struct str, w->n + 1);
	size_t *places = ARENA_ARRAY(rq->arena, size_t, w->n + 1), n = 0;
	struct mail_mark *marks = ARENA_ARRAY(rq->arena, struct mail_mark, w->n + 1);
	enum rc *rcs = ARENA_ARRAY(rq->arena, enum rc, w->n + 1), rc;

	for (size_t i = 0; i < w->n; i++) {
		if (w->v[i].current || !waiting_for(&w->v[i]))
			continue;
		if (w->v[i].folder.kind != FOLDER_MAIL) {
			rc = ask_items(rq, sv, &w->v[i], gone_r, err);
			if (rc)
				return rc;
			asked = true;
			continue;
		}
		paths[n] = w->v[i].folder.path;
		places[n++] = i;
	}
	if (n == 0 && !asked)
		return RC_OK;
	rc = n ? mail_call(sv->mail, status_many, paths, n, marks, rcs, err) : RC_OK;
	if (rc)
		return rc;
	for (size_t i = 0; i < n; i++) {
		struct watched_folder *v = &w->v[places[i]];

		v->mark = rcs[i] ? (struct mail_mark){0} : marks[i];
		*gone_r = *gone_r || rcs[i] == RC_ABSENT;
	}
	return waiting_note(rq, sv, w, err);
}

const struct wait *waiting_park(
	const struct request *rq, enum wait_kind kind, int64_t seconds, const struct watch *w)
{
	struct wait *r = ARENA_NEW(rq->arena, struct wait);
	int64_t poll = rq->conf->poll_interval;

	*r = (struct wait){.kind = kind,
		.seconds = seconds,
		.additions = rq->conf->wake == WAKE_ADDITIONS,
		.covered = w->covered,
		.poll = w->watched || poll < SOON ? poll : SOON,
		.hierarchy_seq = w->hierarchy_seq,
		.v = ARENA_ARRAY(rq->arena, struct wait_folder, w->nall + 1)};
	for (size_t i = 0; i < w->n; i++) {
		const struct watched_folder *v = &w->v[i];

		if (waiting_for(v))
			r->v[r->n++] = (struct wait_folder){
				v->folder.row, v->id, v->seq, v->mark.uidnext};
	}
	for (size_t i = w->n; i < w->nall; i++) {
		const struct watched_folder *shown = merged(rq->conf, w, w->v[i].folder.kind);

		if (shown && waiting_for(shown) && w->v[i].folder.row)
			r->v[r->n++] = (struct wait_folder){
				w->v[i].folder.row, shown->id, w->v[i].seq, 0};
	}
	return r;
}
