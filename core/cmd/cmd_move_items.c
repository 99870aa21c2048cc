#include "core/cmd/command.h"
#include "core/cmd/quirks.h"
#include "core/cmd/servers.h"
#include "core/cmd/status.h"
#include "core/map/server_id.h"
#include "core/sync/item_moves.h"
#include "core/sync/mail_moves.h"

/* [MS-ASCMD] 2.2.3.177.10 */
enum { MOVE_BAD_SOURCE = 1, MOVE_BAD_TARGET = 2, MOVE_OK = 3, MOVE_SAME = 4, MOVE_FAILED = 5 };
enum { MOVES_MAX = 1000 };

struct move {
	struct str from, to_folder, to;
	struct folder source, target;
	uint32_t uid;
	unsigned status; /* 0: still to be done */
};

/* Items stay among their like. */
static bool goes_to(const struct folder *from, const struct folder *to)
{
	return to->selectable && to->kind == from->kind && to->kind != FOLDER_RECIPIENTS;
}

static enum rc prepare(struct request *rq, struct services *sv, const struct elem *e,
	struct move *it, struct err *err)
{
	struct str collection, section, folder = elem_text(e, MOVE_SRC_FLD_ID);
	enum rc rc;

	it->from = elem_text(e, MOVE_SRC_MSG_ID);
	it->to_folder = elem_text(e, MOVE_DST_FLD_ID);
	it->status = MOVE_BAD_SOURCE;
	/* C52: a resent request gets the answer that it got before. */
	rc = state_call(sv->state, moved_find, &rq->device, it->from, rq->arena, &it->to, err);
	if (rc && rc != RC_ABSENT)
		return rc;
	if (rc == RC_OK && server_id_parse(it->to, &collection, &it->uid, &section) == RC_OK &&
		str_eq(collection, it->to_folder)) {
		it->status = MOVE_OK;
		return RC_OK;
	}
	if (server_id_parse(it->from, &collection, &it->uid, &section) || section.p ||
		!str_eq(collection, folder))
		return RC_OK;
	rc = state_call(
		sv->state, folder_get, &rq->account, folder, rq->arena, &it->source, err);
	if (rc)
		return rc == RC_ABSENT ? RC_OK : rc;
	if (str_eq(folder, it->to_folder)) {
		it->status = MOVE_SAME;
		return RC_OK;
	}
	rc = state_call(sv->state, folder_get, &rq->account, it->to_folder, rq->arena,
		&it->target, err);
	it->status = rc == RC_ABSENT || (rc == RC_OK && !goes_to(&it->source, &it->target))
			     ? MOVE_BAD_TARGET
			     : 0;
	return rc == RC_ABSENT ? RC_OK : rc;
}

/* All items that go the same way as v[first], in one go. */
static enum rc move_group(struct request *rq, struct services *sv, struct move *v, size_t n,
	size_t first, struct err *err)
{
	struct mail_move *moves = ARENA_ARRAY(rq->arena, struct mail_move, n);
	struct moved *moved = ARENA_ARRAY(rq->arena, struct moved, n);
	size_t *back = ARENA_ARRAY(rq->arena, size_t, n), count = 0, done = 0;
	enum rc rc;

	for (size_t i = first; i < n; i++)
		if (v[i].status == 0 && str_eq(v[i].source.id, v[first].source.id) &&
			str_eq(v[i].target.id, v[first].target.id)) {
			back[count] = i;
			moves[count++].uid = v[i].uid;
		}
	if (quirks_of(rq->device.type) & QUIRK_KNOWS_MOVES) {
		rc = state_call(sv->state, watch_own, &rq->device, err);
		if (rc)
			return rc;
	}
	rc = mail_call(sv->mail, move, v[first].source.path, v[first].source.uidvalidity,
		v[first].target.path, moves, count, err);
	if (rc == RC_UNAVAILABLE)
		return rc;
	/* The folder was made anew and the ids mean nothing; the next ones shall fit. */
	if (rc == RC_CONFLICT) {
		struct folder_servers servers = servers_of(rq, sv);
		struct folders all;
		enum rc known = folders_refresh(&servers, rq->arena, &all, err);

		if (known)
			return known;
	}
	for (size_t k = 0; k < count; k++) {
		struct move *it = &v[back[k]];

		/* K5: the target vanished meanwhile; the message stays where it is. */
		it->status = rc == RC_ABSENT     ? MOVE_BAD_TARGET
			     : rc == RC_CONFLICT ? MOVE_BAD_SOURCE
			     : rc                ? MOVE_FAILED
			     : moves[k].rc       ? MOVE_BAD_SOURCE
						 : MOVE_OK;
		if (it->status != MOVE_OK)
			continue;
		/* Without UIDPLUS the new id is not known: the next Sync tells. */
		it->to = moves[k].new_uid
				 ? server_id_format(rq->arena, it->to_folder, moves[k].new_uid)
				 : it->from;
		moved[done++] = (struct moved){it->from, it->to};
	}
	if (done == 0)
		return RC_OK;
	rc = state_call(sv->state, moved_add, &rq->device, moved, done, err);
	if (rc == RC_OK && quirks_of(rq->device.type) & QUIRK_KNOWS_MOVES)
		rc = mail_moves_known(sv->state, &rq->account, &rq->device, v[first].source.id,
			v[first].target.id, moves, count, rq->arena, err);
	return rc;
}

/* One item of a DAV collection. One that is repeated comes to the same end by itself
 * (core/sync/item_moves.h), and one that came back goes once more under the id that it had. */
static enum rc move_one(
	struct request *rq, struct services *sv, struct move *it, struct err *err)
{
	struct item_source from, to;
	struct err why = ERR_INIT;
	uint32_t number;
	enum rc rc = servers_items(rq, sv, &it->source, &from, &why);

	if (rc == RC_OK)
		rc = servers_items(rq, sv, &it->target, &to, &why);
	if (rc == RC_OK)
		rc = item_move(&from, it->uid, &to, &number, &why);
	if (rc == RC_UNAVAILABLE)
		return err_set(err, rc, "%s", why.text);
	it->status = rc == RC_OK                ? MOVE_OK
		     : rc != RC_ABSENT          ? MOVE_FAILED
		     : why.why == ERR_NO_TARGET ? MOVE_BAD_TARGET
						: MOVE_BAD_SOURCE;
	if (rc == RC_OK)
		it->to = server_id_format(rq->arena, it->to_folder, number);
	return RC_OK;
}

/* [MS-ASCMD] 2.2.1.12. Children of Response in the order of the schema. */
enum rc cmd_move_items(
	struct request *rq, struct services *sv, struct reply *rp, struct err *err)
{
	size_t n = elem_count(rq->doc, MOVE_MOVE), i = 0;
	struct move *v = ARENA_ARRAY(rq->arena, struct move, n + 1);
	struct wbxml_writer *w;
	enum rc rc = RC_OK;

	if (n == 0 || n > MOVES_MAX)
		return err_set(err, RC_INVALID, "%zu moves in one request", n);
	for (const struct elem *e = elem_child(rq->doc, MOVE_MOVE); e && rc == RC_OK;
		e = elem_again(e))
		rc = prepare(rq, sv, e, &v[i++], err);
	for (i = 0; i < n && rc == RC_OK; i++)
		if (v[i].status == 0)
			rc = v[i].source.kind == FOLDER_MAIL ? move_group(rq, sv, v, n, i, err)
							     : move_one(rq, sv, &v[i], err);
	if (rc)
		return rc;
	w = reply_wbxml(rp);
	wbxml_open(w, MOVE_MOVE_ITEMS);
	for (i = 0; i < n; i++) {
		wbxml_open(w, MOVE_RESPONSE);
		wbxml_text(w, MOVE_SRC_MSG_ID, v[i].from);
		wbxml_int(w, MOVE_STATUS, v[i].status);
		if (v[i].status == MOVE_OK)
			wbxml_text(w, MOVE_DST_MSG_ID, v[i].to);
		wbxml_close(w, MOVE_RESPONSE);
	}
	wbxml_close(w, MOVE_MOVE_ITEMS);
	return RC_OK;
}
