/* Sync of class Email: Read, Flag and Categories may be changed, mails deleted, none added. */
#include "core/cmd/sending.h"
#include "core/cmd/servers.h"
#include "core/cmd/sync_part.h"
#include "core/map/server_id.h"
#include "core/sync/mail_changes.h"
#include "core/sync/mail_items.h"
#include "core/sync/mail_sync.h"

enum { FILTER_ALL_MAX = 5, FILTER_TASKS = 8 };

static struct mail_round *round_of(const struct sync_part *p)
{
	return p->round;
}

static enum rc begin(struct sync *s, struct sync_part *p, struct err *err)
{
	struct mail_round *r = ARENA_NEW(s->rq->arena, struct mail_round);

	(void)err;
	*r = (struct mail_round){.mail = s->sv->mail,
		.state = s->sv->state,
		.account = &s->rq->account,
		.folder = &p->folder,
		.conf = s->rq->conf,
		.options = &p->options,
		.known = p->known ? &p->known->mark : NULL,
		.a = s->rq->arena,
		.out = &p->out};
	p->round = r;
	return RC_OK;
}

static enum rc options(struct sync *s, struct sync_part *p, const struct elem *o,
	unsigned *status_r, struct err *err)
{
	struct mail_round *r = round_of(p);
	uint32_t filter;

	r->conversations =
		s->rq->version >= V140 && elem_bool(p->e, AIRSYNC_CONVERSATION_MODE, false);
	if (!o) {
		if (mail_sync_options_decode(
			    p->c.options, s->rq->version, &r->filter, &p->options))
			return err_set(err, RC_INTERNAL, "the stored options are unreadable");
	} else {
		filter = elem_u32(o, AIRSYNC_FILTER_TYPE, 0);
		if (filter >= FILTER_TASKS)
			*status_r = SYNC_PROTOCOL_ERROR;
		/* Lenient: 6 and 7 are calendar periods; for mail they mean all. */
		r->filter = filter <= FILTER_ALL_MAX ? filter : 0;
		email_options_read(o, s->rq->version, &p->options);
		p->c.options = mail_sync_options_encode(r->filter, &p->options, s->rq->arena);
	}
	p->options.user = sending_address(s->rq);
	return RC_OK;
}

static enum rc load(struct sync_part *p, struct str bytes, struct arena *a)
{
	if (bytes.p)
		return mail_state_decode(bytes, &round_of(p)->st, a);
	mail_state_init(&round_of(p)->st, a);
	return RC_OK;
}

static struct str state(const struct sync_part *p, struct arena *a)
{
	return mail_state_encode(&round_of(p)->st, a);
}

/* Read, Flag and Categories, and nothing else, [MS-ASCMD] 2.2.3.24. What was done is known to
 * the device. */
static enum rc apply_changes(
	struct sync *s, struct sync_part *p, const struct elem *commands, struct err *err)
{
	struct arena *a = s->rq->arena;
	size_t max = elem_count(commands, AIRSYNC_CHANGE), n = 0;
	struct mail_change *v = ARENA_ARRAY(a, struct mail_change, max + 1);
	struct str *ids = ARENA_ARRAY(a, struct str, max + 1);
	enum rc rc;

	for (const struct elem *e = elem_child(commands, AIRSYNC_CHANGE); e;
		e = elem_again(e)) {
		struct str id = elem_text(e, AIRSYNC_SERVER_ID);
		uint32_t uid = sync_number_of(p, id);

		if (!uid || !uidset_has(&round_of(p)->st.held, uid)) {
			sync_answer(p, AIRSYNC_CHANGE, id, SYNC_NOT_FOUND);
			continue;
		}
		ids[n] = id;
		v[n++] = (struct mail_change){
			.uid = uid, .data = elem_child(e, AIRSYNC_APPLICATION_DATA)};
	}
	rc = n ? mail_changes_apply(round_of(p), v, n, err) : RC_OK;
	for (size_t i = 0; i < n && rc == RC_OK; i++)
		if (v[i].rc)
			sync_answer(p, AIRSYNC_CHANGE, ids[i],
				v[i].rc == RC_INVALID ? SYNC_CONVERSION : SYNC_CONFLICT);
	return rc;
}

static enum rc move_to_trash(struct sync *s, struct sync_part *p, const struct uidset *uids,
	bool *done_r, struct err *err)
{
	struct arena *a = s->rq->arena;
	struct mail_move *v = ARENA_ARRAY(a, struct mail_move, (size_t)uidset_count(uids) + 1);
	struct folder_servers servers = servers_of(s->rq, s->sv);
	struct folder trash;
	size_t n = 0;
	enum rc rc;

	*done_r = false;
	if (p->folder.type == TYPE_TRASH)
		return RC_OK;
	rc = folders_need(&servers, TYPE_TRASH, s->rq->conf->trash_name, a, &trash, err);
	if (rc)
		return rc;
	if (str_eq(trash.id, p->id))
		return RC_OK;
	for (uint32_t u = uidset_above(uids, 0); u; u = uidset_above(uids, u))
		v[n++].uid = u;
	*done_r = true;
	return mail_call(s->sv->mail, move, p->folder.path, round_of(p)->st.mark.uidvalidity,
		trash.path, v, n, err);
}

/* B20873: without DeletesAsMoves its default applies, which is to move. */
static enum rc apply_deletes(
	struct sync *s, struct sync_part *p, const struct elem *commands, struct err *err)
{
	bool moves = elem_bool(p->e, AIRSYNC_DELETES_AS_MOVES, true), done = false;
	struct mail_state *st = &round_of(p)->st;
	struct uidset uids;
	enum rc rc = RC_OK;

	uidset_init(&uids, s->rq->arena);
	for (const struct elem *e = elem_child(commands, AIRSYNC_DELETE); e;
		e = elem_again(e)) {
		struct str id = elem_text(e, AIRSYNC_SERVER_ID);
		uint32_t uid = sync_number_of(p, id);

		if (uid && uidset_has(&st->held, uid))
			uidset_add(&uids, uid);
		else
			sync_answer(p, AIRSYNC_DELETE, id, SYNC_NOT_FOUND);
	}
	if (uidset_empty(&uids))
		return RC_OK;
	if (moves)
		rc = move_to_trash(s, p, &uids, &done, err);
	if (rc == RC_OK && !done)
		rc = mail_call(
			s->sv->mail, remove, p->folder.path, st->mark.uidvalidity, &uids, err);
	if (rc && rc != RC_DENIED)
		return rc;
	for (uint32_t u = uidset_above(&uids, 0); u; u = uidset_above(&uids, u)) {
		mail_state_drop(st, u);
		if (rc == RC_OK)
			continue;
		/* C174: what may not be deleted comes back. */
		uidset_add(&st->pending, u);
		sync_answer(p, AIRSYNC_DELETE, server_id_format(s->rq->arena, p->id, u),
			SYNC_CONFLICT);
	}
	return RC_OK;
}

/* [MS-ASCMD] 2.2.3.7.2: mail cannot be added up to 14.1. */
static void refuse_adds(struct sync_part *p, const struct elem *commands)
{
	for (const struct elem *e = elem_child(commands, AIRSYNC_ADD); e; e = elem_again(e))
		sync_answer(p, AIRSYNC_ADD, elem_text(e, AIRSYNC_CLIENT_ID), SYNC_CONVERSION);
}

static enum rc apply_commands(
	struct sync *s, struct sync_part *p, const struct elem *commands, struct err *err)
{
	enum rc rc = apply_changes(s, p, commands, err);

	if (rc == RC_OK)
		rc = apply_deletes(s, p, commands, err);
	refuse_adds(p, commands);
	return rc;
}

static enum rc look(struct sync *s, struct sync_part *p, struct err *err)
{
	struct mail_round *r = round_of(p);
	enum rc rc;

	(void)s;
	r->look_now = p->commanded;
	rc = mail_round_look(r, err);
	p->reset = r->reset;
	return rc;
}

static uint32_t count(const struct sync_part *p)
{
	return mail_round_count(round_of(p));
}

static enum rc write(struct sync_part *p, struct err *err)
{
	enum rc rc = mail_round_write(round_of(p), err);

	p->more = round_of(p)->more;
	return rc;
}

static enum rc fetch(struct sync *s, struct sync_part *p, struct str id, struct err *err)
{
	struct email_options whole = p->options;
	struct mail_reader r = {.mail = s->sv->mail,
		.state = s->sv->state,
		.folder = &p->folder,
		.options = &whole,
		.a = s->rq->arena};
	uint32_t uid = sync_number_of(p, id);

	whole.whole = true;
	return uid ? mail_fetch(&r, uid, AIRSYNC_APPLICATION_DATA, s->w, err) : RC_ABSENT;
}

static void stands(const struct sync_part *p, struct watched_folder *watched)
{
	if (round_of(p)->looked)
		watched->mark = round_of(p)->st.mark;
}

const struct sync_class sync_mail_class = {.begin = begin,
	.options = options,
	.load = load,
	.state = state,
	.commands = apply_commands,
	.look = look,
	.count = count,
	.write = write,
	.fetch = fetch,
	.stands = stands};
