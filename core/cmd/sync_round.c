/*
 * What is kept of a round for the case that its answer gets lost: the state before it, the
 * answers, and which commands they were for. A device that asks again with the same key may
 * have gone on meanwhile, and sends what its user did since together with the rest.
 */
#include "core/base/varint.h"
#include "core/cmd/sync_part.h"
#include "core/wire/dump.h"

struct str sync_round_encode(const struct sync_part *p, struct arena *a)
{
	struct buf b;
	struct str r;

	buf_init(&b, BUF_MAX_TEXT);
	varint_put_str(&b, p->before);
	varint_put(&b, p->nanswers);
	for (size_t i = 0; i < p->nanswers; i++) {
		varint_put(&b, p->answers[i].what);
		varint_put_str(&b, p->answers[i].id);
		varint_put(&b, p->answers[i].status);
		varint_put_str(&b, p->answers[i].server_id);
	}
	varint_put(&b, p->ndone);
	for (size_t i = 0; i < p->ndone; i++)
		varint_put(&b, p->done[i]);
	r = arena_str(a, buf_str(&b));
	buf_release(&b);
	return r;
}

static enum rc read_done(struct str *in, struct sync_part *p, struct arena *a)
{
	uint64_t n;

	/* One of a program that did not keep them. */
	if (in->n == 0)
		return RC_OK;
	if (varint_get(in, &n) || n > in->n)
		return RC_INVALID;
	p->done = ARENA_ARRAY(a, uint64_t, (size_t)n + 1);
	for (; p->ndone < n; p->ndone++)
		if (varint_get(in, &p->done[p->ndone]))
			return RC_INVALID;
	return RC_OK;
}

/* ids: answers have the ServerIds of what was added, and the commands stand behind them. */
static enum rc read_answers(struct str in, bool ids, struct sync_part *p, struct arena *a)
{
	uint64_t n;

	if (varint_get(&in, &n) || n > in.n)
		return RC_INVALID;
	p->answers = ARENA_ARRAY(a, struct sync_answer, (size_t)n + 1);
	p->max_answers = (size_t)n;
	p->nanswers = 0;
	for (uint64_t i = 0; i < n; i++) {
		uint32_t what, status;
		struct str id, server_id = STR_NONE;

		if (varint_get32(&in, &what) || varint_get_str(&in, &id) ||
			varint_get32(&in, &status) || (ids && varint_get_str(&in, &server_id)))
			return RC_INVALID;
		sync_answer(p, (tag_t)what, id, status);
		p->answers[p->nanswers - 1].server_id = server_id;
	}
	if (ids && read_done(&in, p, a))
		return RC_INVALID;
	return in.n ? RC_INVALID : RC_OK;
}

enum rc sync_round_decode(struct str in, struct sync_part *p, struct arena *a)
{
	p->done = NULL;
	p->ndone = 0;
	if (varint_get_str(&in, &p->before))
		return RC_INVALID;
	if (read_answers(in, true, p, a) == RC_OK)
		return RC_OK;
	/* One of a program that knew of mail alone. */
	p->done = NULL;
	p->ndone = 0;
	return read_answers(in, false, p, a);
}

static bool is_done(const struct sync_part *p, uint64_t it)
{
	for (size_t i = 0; i < p->ndone; i++)
		if (p->done[i] == it)
			return true;
	return false;
}

static struct elem *element(tag_t tag, struct str text, struct elem *next, struct arena *a)
{
	struct elem *r = ARENA_NEW(a, struct elem);

	*r = (struct elem){.tag = tag, .text = text, .next = next};
	return r;
}

/* A Change of what an Add has made, to what the device has made of it since. The ClientId in it
 * tells that it says all there is. */
static struct elem *change_of(struct str server_id, const struct elem *add, struct arena *a)
{
	const struct elem *data = elem_child(add, AIRSYNC_APPLICATION_DATA);
	struct elem *r = element(AIRSYNC_CHANGE, STR_NONE, NULL, a);

	if (data) {
		struct elem *copy = element(data->tag, data->text, NULL, a);

		copy->child = data->child;
		r->child = copy;
	}
	r->child = element(AIRSYNC_CLIENT_ID, elem_text(add, AIRSYNC_CLIENT_ID), r->child, a);
	r->child = element(AIRSYNC_SERVER_ID, server_id, r->child, a);
	return r;
}

/* A command as it is to be carried out. If there is an answer already, it was for another one
 * that the device has thought better of. */
static struct elem *anew(struct sync_part *p, const struct elem *e, struct arena *a)
{
	bool adds = e->tag == AIRSYNC_ADD;
	struct str id = elem_text(e, adds ? AIRSYNC_CLIENT_ID : AIRSYNC_SERVER_ID);
	struct elem *r;

	for (size_t i = 0; i < p->nanswers; i++) {
		if (p->answers[i].what != e->tag || !str_eq(p->answers[i].id, id))
			continue;
		if (p->answers[i].server_id.n)
			return change_of(p->answers[i].server_id, e, a);
		p->answers[i] = p->answers[--p->nanswers];
		break;
	}
	r = element(e->tag, e->text, NULL, a);
	r->child = e->child;
	return r;
}

/* Room for the answers to n more. */
static void make_room(struct sync_part *p, size_t n, struct arena *a)
{
	struct sync_answer *v = ARENA_ARRAY(a, struct sync_answer, p->nanswers + n + 1);

	for (size_t i = 0; i < p->nanswers; i++)
		v[i] = p->answers[i];
	p->answers = v;
	p->max_answers = p->nanswers + n;
}

const struct elem *sync_round_commands(
	struct sync_part *p, const struct elem *commands, struct arena *a)
{
	struct elem *r = element(AIRSYNC_COMMANDS, STR_NONE, NULL, a), **at = &r->child;
	bool again = p->fit == SYNC_KEY_PREVIOUS;
	size_t n = elem_count(commands, AIRSYNC_CHANGE) + elem_count(commands, AIRSYNC_DELETE) +
		   elem_count(commands, AIRSYNC_ADD);
	uint64_t *done = ARENA_ARRAY(a, uint64_t, p->ndone + n + 1);
	size_t ndone = p->ndone;

	if (n == 0 || (again && !p->done))
		return r;
	for (size_t i = 0; i < ndone; i++)
		done[i] = p->done[i];
	make_room(p, n, a);
	for (const struct elem *e = commands->child; e; e = e->next) {
		uint64_t it;

		if (e->tag != AIRSYNC_CHANGE && e->tag != AIRSYNC_DELETE &&
			e->tag != AIRSYNC_ADD)
			continue;
		it = dump_digest(e);
		if (again && is_done(p, it))
			continue;
		done[ndone++] = it;
		*at = anew(p, e, a);
		at = &(*at)->next;
	}
	p->done = done;
	p->ndone = ndone;
	return r;
}
