#include "core/base/log.h"
#include "core/cmd/command.h"
#include "core/cmd/quirks.h"
#include "core/cmd/servers.h"
#include "core/cmd/status.h"
#include "core/cmd/sync_part.h"
#include "core/cmd/waiting.h"
#include "core/map/server_id.h"

enum { WINDOW_DEFAULT = 100 };

void sync_answer(struct sync_part *p, tag_t what, struct str id, unsigned status)
{
	if (p->nanswers < p->max_answers)
		p->answers[p->nanswers++] = (struct sync_answer){what, id, STR_NONE, status};
}

uint32_t sync_number_of(const struct sync_part *p, struct str id)
{
	struct str collection, section;
	uint32_t number;

	if (server_id_parse(id, &collection, &number, &section) || section.p ||
		!str_eq(collection, p->id))
		return 0;
	return number;
}

static const struct sync_class *class_of(const struct folder *f)
{
	return f->kind == FOLDER_MAIL ? &sync_mail_class : &sync_item_class;
}

/* airsync:Class of a folder's items. */
static const char *class_name(const struct sync_part *p)
{
	const struct item_class *class = item_class_of(p->folder.kind);

	/* Of a folder that is not known it is as the device says. */
	if (!p->folder.row)
		class = item_class_named(elem_text(p->e, AIRSYNC_CLASS));
	return class ? class->name : "Email";
}

/* A failure of one collection: the key it sent comes back, [MS-ASCMD] 2.2.3.166.4. */
static void write_failure(struct sync *s, const struct sync_part *p, unsigned status)
{
	wbxml_open(s->w, AIRSYNC_COLLECTION);
	if (s->rq->version < V121)
		wbxml_cstr(s->w, AIRSYNC_CLASS, class_name(p));
	wbxml_text(s->w, AIRSYNC_SYNC_KEY, p->key.n ? p->key : STR("0"));
	wbxml_text(s->w, AIRSYNC_COLLECTION_ID, p->id);
	wbxml_int(s->w, AIRSYNC_STATUS, status);
	wbxml_close(s->w, AIRSYNC_COLLECTION);
	s->reported = true;
}

static enum rc whole_failure(
	struct request *rq, struct reply *rp, unsigned status, unsigned limit)
{
	struct wbxml_writer *w = reply_wbxml(rp);

	wbxml_open(w, AIRSYNC_SYNC);
	wbxml_int(w, AIRSYNC_STATUS, status);
	if (limit)
		wbxml_int(w, AIRSYNC_LIMIT, limit);
	wbxml_close(w, AIRSYNC_SYNC);
	rp->status = status;
	(void)rq;
	return RC_OK;
}

static enum rc apply_commands(struct sync *s, struct sync_part *p, struct err *err)
{
	const struct elem *commands =
		sync_round_commands(p, elem_child(p->e, AIRSYNC_COMMANDS), s->rq->arena);

	p->commanded = commands->child != NULL;
	return p->commanded ? p->class->commands(s, p, commands, err) : RC_OK;
}

/* The block that is not about SMS, which we do not have. */
static const struct elem *item_options(const struct elem *e)
{
	const struct elem *o = elem_child(e, AIRSYNC_OPTIONS);

	while (o && str_iis(elem_text(o, AIRSYNC_CLASS), "SMS"))
		o = elem_again(o);
	return o;
}

/* [MS-ASCMD] 2.2.3.115.5: one block a class. */
static bool doubled(const struct elem *e)
{
	size_t sms = 0, others = 0;

	for (const struct elem *o = elem_child(e, AIRSYNC_OPTIONS); o; o = elem_again(o)) {
		if (str_iis(elem_text(o, AIRSYNC_CLASS), "SMS"))
			sms++;
		else
			others++;
	}
	return sms > 1 || others > 1;
}

/* Options stick until the next ones, which replace them as a whole. */
static enum rc read_options(
	struct sync *s, struct sync_part *p, unsigned *status_r, struct err *err)
{
	struct str before = p->c.options;
	enum rc rc;

	*status_r = s->rq->version >= V140 && doubled(p->e) ? SYNC_PROTOCOL_ERROR : 0;
	rc = p->class->options(s, p, item_options(p->e), status_r, err);
	p->new_options = !str_eq(before, p->c.options);
	if (rc == RC_OK && email_options_bad_part(&p->options))
		s->refused = STATUS_BODY_PART_TYPE;
	return rc;
}

/* [MS-ASCMD] 2.2.3.79: a key of 0 starts, and brings nothing. Old phones ask nevertheless. */
static bool asks_too_early(const struct sync *s, const struct sync_part *p)
{
	return s->rq->version >= V121 && p->fit == SYNC_KEY_ZERO &&
	       elem_bool(p->e, AIRSYNC_GET_CHANGES, false);
}

static unsigned window_of(const struct sync *s, const struct elem *e)
{
	unsigned n = elem_u32(e, AIRSYNC_WINDOW_SIZE, WINDOW_DEFAULT);

	if (n == 0 || n > (unsigned)s->rq->conf->window_max)
		n = (unsigned)s->rq->conf->window_max;
	return n < s->left ? n : s->left;
}

static void write_fetch(struct sync *s, struct sync_part *p, struct str id)
{
	struct err why = ERR_INIT;
	struct wbxml_mark mark;
	enum rc rc;

	wbxml_open(s->w, AIRSYNC_FETCH);
	wbxml_text(s->w, AIRSYNC_SERVER_ID, id);
	mark = wbxml_mark(s->w);
	wbxml_int(s->w, AIRSYNC_STATUS, SYNC_OK);
	rc = p->class->fetch(s, p, id, &why);
	if (rc) {
		wbxml_rollback(s->w, mark);
		wbxml_int(s->w, AIRSYNC_STATUS,
			rc == RC_ABSENT    ? SYNC_NOT_FOUND
			: rc == RC_INVALID ? SYNC_CONVERSION
					   : SYNC_SERVER_ERROR);
	} else {
		wbxml_keep(s->w, mark);
	}
	wbxml_close(s->w, AIRSYNC_FETCH);
}

/* What went well is told by silence, but for Add and Fetch. Never an empty Responses. */
static void write_responses(struct sync *s, struct sync_part *p)
{
	const struct elem *commands = elem_child(p->e, AIRSYNC_COMMANDS);
	static const tag_t order[] = {AIRSYNC_CHANGE, AIRSYNC_ADD, AIRSYNC_DELETE};

	if (!p->nanswers && !elem_has(commands, AIRSYNC_FETCH))
		return;
	wbxml_open(s->w, AIRSYNC_RESPONSES);
	for (size_t k = 0; k < ARRAY_LEN(order); k++)
		for (size_t i = 0; i < p->nanswers; i++) {
			const struct sync_answer *an = &p->answers[i];

			if (an->what != order[k])
				continue;
			wbxml_open(s->w, an->what);
			wbxml_text(s->w,
				an->what == AIRSYNC_ADD ? AIRSYNC_CLIENT_ID : AIRSYNC_SERVER_ID,
				an->id);
			wbxml_text_if(s->w, AIRSYNC_SERVER_ID, an->server_id);
			wbxml_int(s->w, AIRSYNC_STATUS, an->status);
			wbxml_close(s->w, an->what);
		}
	for (const struct elem *e = elem_child(commands, AIRSYNC_FETCH); e; e = elem_again(e))
		write_fetch(s, p, elem_text(e, AIRSYNC_SERVER_ID));
	wbxml_close(s->w, AIRSYNC_RESPONSES);
	s->reported = true;
}

static enum rc store(struct sync *s, struct sync_part *p, bool advance, struct err *err)
{
	struct str state = p->class->state(p, s->rq->arena);

	/* Nothing new costs no write. */
	if (!advance && str_eq(state, p->c.state) && !p->new_options)
		return RC_OK;
	p->c.state = state;
	return state_call(s->sv->state, collection_store, &s->rq->device, p->id, &p->c, err);
}

/* SyncKey 0: a new relationship, and nothing else, [MS-ASCMD] 2.2.3.166.4. */
static enum rc prime(struct sync *s, struct sync_part *p, struct err *err)
{
	enum rc rc = p->class->load(p, STR_NONE, s->rq->arena);

	if (rc)
		return err_set(err, rc, "a new state cannot be made");
	p->c.epoch = sync_key_epoch();
	p->c.generation = 1;
	p->c.round = STR_NONE;
	rc = store(s, p, true, err);
	if (rc)
		return rc;
	p->key = sync_key_format(s->rq->arena, p->c.epoch, p->c.generation);
	write_failure(s, p, SYNC_OK);
	return RC_OK;
}

/* Where the answer starts from: the state, or for a lost answer what it started from then; what
 * the device did since comes on top of it. */
static enum rc load(struct sync *s, struct sync_part *p, struct err *err)
{
	struct arena *a = s->rq->arena;
	struct str bytes = p->c.state;

	if (p->fit == SYNC_KEY_PREVIOUS) {
		/* The key before the first answer has an empty state. */
		if (p->c.round.n == 0 || sync_round_decode(p->c.round, p, a))
			return err_set(err, RC_INTERNAL, "the stored round is unreadable");
		bytes = p->before;
	}
	if (p->class->load(p, bytes, a))
		return err_set(err, RC_INTERNAL, "the stored state is unreadable");
	return RC_OK;
}

static void write_head(struct sync *s, const struct sync_part *p, struct str key)
{
	wbxml_open(s->w, AIRSYNC_COLLECTION);
	/* Windows Mobile wants it up to 12.0; from 14.0 it must not be there. */
	if (s->rq->version < V121)
		wbxml_cstr(s->w, AIRSYNC_CLASS, class_name(p));
	wbxml_text(s->w, AIRSYNC_SYNC_KEY, key);
	wbxml_text(s->w, AIRSYNC_COLLECTION_ID, p->id);
	wbxml_int(s->w, AIRSYNC_STATUS, SYNC_OK);
}

/* The round of a collection whose key fits. On failure nothing of it is written or stored. */
static enum rc run_round(struct sync *s, struct sync_part *p, struct err *err)
{
	struct arena *a = s->rq->arena;
	bool changes = elem_bool(p->e, AIRSYNC_GET_CHANGES, true), advance;
	struct wbxml_mark mark;
	uint32_t generation = p->c.generation + (p->fit == SYNC_KEY_CURRENT ? 1 : 0);
	size_t more_at;
	enum rc rc = load(s, p, err);

	if (rc == RC_OK)
		rc = apply_commands(s, p, err);
	/* The ids of the commands are those of a folder that is no more. */
	if (rc == RC_CONFLICT) {
		p->reset = true;
		return RC_OK;
	}
	if (rc)
		return rc;
	p->before = p->class->state(p, a);
	if (changes)
		rc = p->class->look(s, p, err);
	if (rc || p->reset)
		return rc;
	mark = wbxml_mark(s->w);
	advance = p->fit == SYNC_KEY_PREVIOUS || p->commanded ||
		  (changes && p->class->count(p) > 0);
	if (!advance)
		generation = p->c.generation;
	write_head(s, p, sync_key_format(a, p->c.epoch, generation));
	more_at = wbxml_maybe(s->w, AIRSYNC_MORE_AVAILABLE);
	write_responses(s, p);
	if (changes)
		rc = p->class->write(p, err);
	if (rc == RC_OK) {
		if (advance) {
			p->c.generation = generation;
			p->c.round = sync_round_encode(p, a);
		}
		rc = store(s, p, advance, err);
	}
	if (rc) {
		wbxml_rollback(s->w, mark);
		return rc;
	}
	if (!p->more)
		wbxml_unwrite(s->w, more_at);
	wbxml_close(s->w, AIRSYNC_COLLECTION);
	wbxml_keep(s->w, mark);
	s->reported = s->reported || advance || p->more;
	s->left -= p->out.sent < s->left ? p->out.sent : s->left;
	return RC_OK;
}

/* What is known of a folder without asking. */
static struct watched_folder *known_of(struct sync *s, struct str id)
{
	for (size_t i = 0; i < s->watch.n; i++)
		if (str_eq(s->watch.v[i].id, id))
			return &s->watch.v[i];
	return NULL;
}

/*
 * A DAV server that cannot be asked does not keep mail from the device: of its folders there is
 * nothing to tell now. When nothing else is asked for the device comes again later.
 */
static bool goes_on_without(const struct sync *s, const struct sync_part *p)
{
	return p->folder.kind != FOLDER_MAIL && s->ncollections > 1;
}

/* What the device sends it has to send again: without an answer it would take it for done. From
 * 12.1 on a collection that is not there has nothing new. */
static enum rc write_later(struct sync *s, const struct sync_part *p)
{
	bool commands = elem_has(p->e, AIRSYNC_COMMANDS);

	if (commands || s->rq->version < V121)
		write_failure(s, p, commands ? SYNC_SERVER_ERROR : SYNC_OK);
	return RC_OK;
}

/* clients.md 1: phones go to FolderSync on 12; 8 confuses some. */
static unsigned gone_status(const struct sync *s)
{
	return s->rq->version < V121 ? SYNC_NOT_FOUND : SYNC_HIERARCHY_CHANGED;
}

static enum rc one_collection(struct sync *s, const struct elem *e, struct err *err)
{
	struct request *rq = s->rq;
	struct sync_part p = {.e = e,
		.key = elem_text(e, AIRSYNC_SYNC_KEY),
		.id = elem_text(e, AIRSYNC_COLLECTION_ID)};
	struct watched_folder *watched = known_of(s, p.id);
	unsigned status;
	enum rc rc;

	if (!p.key.n)
		p.key = STR("0");
	if (!p.id.n && rq->version < V121) {
		rc = servers_default_folder(rq, s->sv, elem_text(e, AIRSYNC_CLASS), &p.id, err);
		if (rc)
			return rc;
	}
	if (!p.id.n) {
		write_failure(s, &p, SYNC_PROTOCOL_ERROR);
		return RC_OK;
	}
	rc = state_call(s->sv->state, collection_open, &rq->account, &rq->device, p.id,
		rq->arena, &p.folder, &p.c, err);
	if (rc == RC_ABSENT && quirks_of(rq->device.type) & QUIRK_NO_GONE_COLLECTIONS)
		return RC_OK;
	if (rc == RC_ABSENT || (rc == RC_OK && !p.folder.selectable)) {
		write_failure(s, &p, gone_status(s));
		return RC_OK;
	}
	if (rc)
		return rc;
	p.fit = sync_key_fit(p.key, &p.c);
	p.class = class_of(&p.folder);
	p.known = watched && watched->current ? watched : NULL;
	p.out = (struct commands){.w = s->w,
		.a = rq->arena,
		.folder = p.id,
		.window = window_of(s, e),
		.deadline_ms = rq->deadline_ms,
		.bytes = (uint64_t)rq->conf->sync_bytes};
	if (p.fit == SYNC_KEY_WRONG) {
		write_failure(s, &p, SYNC_BAD_KEY);
		return RC_OK;
	}
	rc = p.class->begin(s, &p, err);
	if (rc)
		return rc;
	rc = read_options(s, &p, &status, err);
	if (asks_too_early(s, &p))
		status = SYNC_PROTOCOL_ERROR;
	if (rc == RC_OK && status)
		write_failure(s, &p, status);
	else if (rc == RC_OK && !s->refused)
		rc = p.fit == SYNC_KEY_ZERO ? prime(s, &p, err) : run_round(s, &p, err);
	state_call(s->sv->state, collection_close, &rq->device, p.id);
	/* Where the round left the device, if it has looked at the mailbox. */
	if (watched && !watched->current)
		p.class->stands(&p, watched);
	if (rc == RC_OK && p.reset)
		write_failure(s, &p, SYNC_BAD_KEY);
	if (rc == RC_ABSENT) {
		write_failure(s, &p, gone_status(s));
		return RC_OK;
	}
	if (rc == RC_UNAVAILABLE && goes_on_without(s, &p)) {
		log_warning("folder %.*s: %s", STR_FMT(p.id), err->text);
		err_clear(err);
		return write_later(s, &p);
	}
	/* The device asks again with the same key. */
	if (rc == RC_UNAVAILABLE || rc == RC_CONFLICT)
		return rc;
	if (rc) {
		log_warning("folder %.*s: %s", STR_FMT(p.id), err->text);
		write_failure(s, &p, SYNC_SERVER_ERROR);
	}
	return RC_OK;
}

static enum rc run_collections(
	struct sync *s, struct reply *rp, const struct elem *doc, struct err *err)
{
	unsigned global = elem_u32(doc, AIRSYNC_WINDOW_SIZE, (uint32_t)s->rq->conf->window_max);
	const struct elem *e;
	enum rc rc = RC_OK;

	s->left = global && global < (unsigned)s->rq->conf->window_max
			  ? global
			  : (unsigned)s->rq->conf->window_max;
	s->w = reply_wbxml(rp);
	s->reported = false;
	s->ncollections = elem_count(elem_child(doc, AIRSYNC_COLLECTIONS), AIRSYNC_COLLECTION);
	wbxml_open(s->w, AIRSYNC_SYNC);
	wbxml_open(s->w, AIRSYNC_COLLECTIONS);
	/* When the window is used up the others wait, but for what the device has done in them:
	 * of an Add it must hear, and no answer to a Change means that it was carried out. */
	for (e = elem_child(elem_child(doc, AIRSYNC_COLLECTIONS), AIRSYNC_COLLECTION);
		e && rc == RC_OK && !s->refused; e = elem_again(e))
		if (s->left || elem_has(e, AIRSYNC_COMMANDS))
			rc = one_collection(s, e, err);
	if (rc || s->refused)
		return rc;
	wbxml_close(s->w, AIRSYNC_COLLECTIONS);
	wbxml_close(s->w, AIRSYNC_SYNC);
	return RC_OK;
}

/* Seconds a request wants to be held; SYNC_INTERVAL with the limit when out of bounds. */
static enum rc hold_time(struct request *rq, const struct elem *doc, struct reply *rp,
	int64_t *seconds_r, bool *answered_r)
{
	bool minutes = elem_has(doc, AIRSYNC_WAIT) && rq->version >= V121;
	bool beats = elem_has(doc, AIRSYNC_HEARTBEAT_INTERVAL) && rq->version >= V140;
	int64_t seconds = minutes ? (int64_t)elem_u32(doc, AIRSYNC_WAIT, 0) * 60
			  : beats ? elem_u32(doc, AIRSYNC_HEARTBEAT_INTERVAL, 0)
				  : 0;
	int64_t least = rq->conf->heartbeat_min, most = rq->conf->heartbeat_max;
	size_t n = elem_count(elem_child(doc, AIRSYNC_COLLECTIONS), AIRSYNC_COLLECTION);

	*seconds_r = 0;
	*answered_r = true;
	if (minutes && beats)
		return whole_failure(rq, rp, SYNC_PROTOCOL_ERROR, 0);
	if ((minutes || beats) && (seconds < least || seconds > most)) {
		int64_t limit = seconds < least ? least : most;

		return whole_failure(rq, rp, SYNC_INTERVAL,
			(unsigned)(minutes ? (limit + (seconds < least ? 59 : 0)) / 60
					   : limit));
	}
	if (seconds && n > (size_t)rq->conf->ping_folders_max)
		return whole_failure(
			rq, rp, SYNC_TOO_MANY, (unsigned)rq->conf->ping_folders_max);
	*answered_r = false;
	*seconds_r = seconds;
	return RC_OK;
}

/* Before a request that wants to wait is carried out. */
static enum rc look_first(struct sync *s, const struct elem *doc, struct err *err)
{
	const struct elem *all = elem_child(doc, AIRSYNC_COLLECTIONS);
	struct str *ids =
		ARENA_ARRAY(s->rq->arena, struct str, elem_count(all, AIRSYNC_COLLECTION) + 1);
	bool changed = false;
	size_t n = 0;
	enum rc rc;

	for (const struct elem *e = elem_child(all, AIRSYNC_COLLECTION); e; e = elem_again(e))
		ids[n++] = elem_text(e, AIRSYNC_COLLECTION_ID);
	rc = waiting_look(s->rq, s->sv, ids, n, &s->watch, err);
	if (rc == RC_OK)
		rc = waiting_hierarchy(s->rq, s->sv, &s->watch, &changed, err);
	if (changed)
		s->refused = SYNC_HIERARCHY_CHANGED;
	return rc;
}

/* [MS-ASCMD] 2.2.1.21.1: nothing to report, and the device has time. */
static enum rc park(struct sync *s, struct reply *rp, int64_t seconds, struct err *err)
{
	enum rc rc = waiting_note(s->rq, s->sv, &s->watch, err);

	if (rc == RC_OK)
		rp->wait = waiting_park(s->rq, WAIT_SYNC, seconds, &s->watch);
	return rc;
}

/* [MS-ASCMD] 2.2.1.21 */
enum rc cmd_sync(struct request *rq, struct services *sv, struct reply *rp, struct err *err)
{
	struct sync s = {.rq = rq, .sv = sv};
	const struct elem *doc;
	unsigned status;
	int64_t hold;
	bool answered;
	enum rc rc;

	if (sv->end_waits)
		sv->end_waits(sv, rq);
	if (!rq->doc && rq->version < V121)
		return err_set(err, RC_INVALID, "an empty Sync before 12.1");
	doc = sync_request_read(rq, &status);
	if (!doc)
		return whole_failure(rq, rp, status, 0);
	rc = hold_time(rq, doc, rp, &hold, &answered);
	if (rc || answered)
		return rc;
	rc = sync_request_keep(rq, sv, doc, err);
	if (rc == RC_OK && hold)
		rc = look_first(&s, doc, err);
	if (rc == RC_OK && !s.refused)
		rc = run_collections(&s, rp, doc, err);
	if (rc)
		return rc;
	if (s.refused)
		return whole_failure(rq, rp, s.refused, 0);
	rp->status = SYNC_OK;
	/* C152: nothing to report is an empty answer, and the keys stay. */
	if (!s.reported && rq->version >= V121)
		reply_reset(rp);
	return !s.reported && hold ? park(&s, rp, hold, err) : RC_OK;
}
