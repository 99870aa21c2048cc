/* Sync of the classes that live in DAV collections, and of the recipient cache. */
#include "core/cmd/quirks.h"
#include "core/cmd/sending.h"
#include "core/cmd/servers.h"
#include "core/cmd/sync_part.h"
#include "core/map/server_id.h"
#include "core/sync/item_changes.h"
#include "core/sync/item_window.h"

struct items_part {
	struct item_source src;
	struct item_round round;
	struct item_options wanted;
};

static struct items_part *of(const struct sync_part *p)
{
	return p->round;
}

static enum rc begin(struct sync *s, struct sync_part *p, struct err *err)
{
	struct items_part *it = ARENA_NEW(s->rq->arena, struct items_part);

	p->round = it;
	it->round = (struct item_round){.src = &it->src,
		.folder = &p->folder,
		.options = &p->options,
		.known = p->known != NULL,
		.wanted = &it->wanted,
		.age = true,
		.out = &p->out};
	return servers_items(s->rq, s->sv, &p->folder, &it->src, err);
}

/* What the device supports holds from its first key on, the rest until the next Options. */
static enum rc options(struct sync *s, struct sync_part *p, const struct elem *o,
	unsigned *status_r, struct err *err)
{
	struct items_part *it = of(p);
	struct arena *a = s->rq->arena;

	if (item_options_decode(p->c.options, s->rq->version, &p->options, &it->wanted, a))
		return err_set(err, RC_INTERNAL, "the stored options are unreadable");
	p->options.user = sending_address(s->rq);
	if (!item_window_filter(it->src.class, elem_u32(o, AIRSYNC_FILTER_TYPE, 0)) ||
		elem_bool(p->e, AIRSYNC_CONVERSATION_MODE, false))
		*status_r = SYNC_PROTOCOL_ERROR;
	if (p->fit == SYNC_KEY_ZERO)
		ghosts_read(elem_child(p->e, AIRSYNC_SUPPORTED), a, &it->wanted.ghosts);
	if (o) {
		email_options_read(o, s->rq->version, &p->options);
		p->options.user = sending_address(s->rq);
		it->wanted.most = elem_u32(o, AIRSYNC_MAX_ITEMS, 0);
		it->wanted.filter =
			it->src.class->end ? elem_u32(o, AIRSYNC_FILTER_TYPE, 0) : 0;
	}
	if (o || p->fit == SYNC_KEY_ZERO)
		p->c.options = item_options_encode(&p->options, &it->wanted, a);
	return RC_OK;
}

static enum rc load(struct sync_part *p, struct str bytes, struct arena *a)
{
	if (bytes.p)
		return item_state_decode(bytes, &of(p)->round.st, a);
	item_state_init(&of(p)->round.st, a);
	return RC_OK;
}

static struct str state(const struct sync_part *p, struct arena *a)
{
	return item_state_encode(&of(p)->round.st, a);
}

/* [MS-ASCMD] 2.2.3.177.17 */
static unsigned status_of_item(const struct item_command *c)
{
	static const unsigned statuses[] = {
		[RC_OK] = SYNC_OK,
		[RC_ABSENT] = SYNC_NOT_FOUND,
		[RC_CONFLICT] = SYNC_CONFLICT,
		[RC_DENIED] = SYNC_CONFLICT,
		[RC_INVALID] = SYNC_CONVERSION,
		[RC_LIMIT] = SYNC_CONVERSION,
	};

	if (c->rc == RC_LIMIT && c->why == ERR_QUOTA)
		return SYNC_NO_ROOM;
	return (size_t)c->rc < ARRAY_LEN(statuses) ? statuses[c->rc] : SYNC_SERVER_ERROR;
}

/* The Changes or Deletes of items that the device has. */
static size_t read_commands(struct sync *s, struct sync_part *p, const struct elem *commands,
	tag_t what, struct item_command **v_r)
{
	size_t max = elem_count(commands, what), n = 0;
	struct item_command *v = ARENA_ARRAY(s->rq->arena, struct item_command, max + 1);

	for (const struct elem *e = elem_child(commands, what); e; e = elem_again(e)) {
		struct str id = elem_text(e, AIRSYNC_SERVER_ID);
		const struct elem *data = elem_child(e, AIRSYNC_APPLICATION_DATA);
		uint32_t number = sync_number_of(p, id);

		if (!number || !uidset_has(&of(p)->round.st.held, number))
			sync_answer(p, what, id, SYNC_NOT_FOUND);
		/* Nothing said is not everything cleared. */
		else if (what == AIRSYNC_CHANGE && !data)
			sync_answer(p, what, id, SYNC_CONVERSION);
		else
			v[n++] = (struct item_command){.number = number,
				.data = data,
				.whole = elem_has(e, AIRSYNC_CLIENT_ID)};
	}
	*v_r = v;
	return n;
}

static void answer_all(
	struct sync *s, struct sync_part *p, tag_t what, const struct item_command *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (v[i].rc)
			sync_answer(p, what, server_id_format(s->rq->arena, p->id, v[i].number),
				status_of_item(&v[i]));
}

static enum rc apply_adds(struct sync *s, struct sync_part *p, const struct item_writer *w,
	const struct elem *commands, struct err *err)
{
	for (const struct elem *e = elem_child(commands, AIRSYNC_ADD); e; e = elem_again(e)) {
		struct item_command c = {.data = elem_child(e, AIRSYNC_APPLICATION_DATA),
			.client_id = elem_text(e, AIRSYNC_CLIENT_ID)};
		enum rc rc = c.data && c.client_id.n ? item_changes_add(w, &c, err) : RC_OK;

		if (rc)
			return rc;
		if (!c.data || !c.client_id.n)
			c.rc = RC_INVALID;
		/* What must not be written to takes nothing; the device keeps it. */
		if (c.rc == RC_DENIED)
			c.rc = RC_INVALID;
		sync_answer(p, AIRSYNC_ADD, c.client_id, status_of_item(&c));
		if (!c.rc)
			p->answers[p->nanswers - 1].server_id =
				server_id_format(s->rq->arena, p->id, c.number);
	}
	return RC_OK;
}

/* [MS-ASCMD] 2.2.3.33: nobody but the server writes the recipient cache. */
static void refuse_all(struct sync_part *p, const struct elem *commands)
{
	static const tag_t tags[] = {AIRSYNC_CHANGE, AIRSYNC_DELETE, AIRSYNC_ADD};

	for (size_t i = 0; i < ARRAY_LEN(tags); i++)
		for (const struct elem *e = elem_child(commands, tags[i]); e; e = elem_again(e))
			sync_answer(p, tags[i],
				elem_text(e, tags[i] == AIRSYNC_ADD ? AIRSYNC_CLIENT_ID
								    : AIRSYNC_SERVER_ID),
				SYNC_PROTOCOL_ERROR);
}

static enum rc apply_commands(
	struct sync *s, struct sync_part *p, const struct elem *commands, struct err *err)
{
	struct items_part *it = of(p);
	struct item_writer w = {.round = &it->round,
		.ghosts = &it->wanted.ghosts,
		.client_wins = p->options.client_wins,
		.keep_picture = quirks_of(s->rq->device.type) & QUIRK_LOOSE_PICTURE,
		.version = s->rq->version,
		.request = arena_printf(s->rq->arena, "%lld %.*s %.*s",
			(long long)s->rq->device.id, STR_FMT(p->id), STR_FMT(p->key))};
	struct item_command *v;
	size_t n;
	enum rc rc;

	if (p->folder.kind == FOLDER_RECIPIENTS) {
		refuse_all(p, commands);
		return RC_OK;
	}
	/* A conflict shows only against what the server has now. */
	rc = p->commanded ? item_source_ask(&it->src, err) : RC_OK;
	if (rc)
		return rc;
	n = read_commands(s, p, commands, AIRSYNC_CHANGE, &v);
	rc = n ? item_changes_change(&w, v, n, err) : RC_OK;
	answer_all(s, p, AIRSYNC_CHANGE, v, n);
	if (rc)
		return rc;
	n = read_commands(s, p, commands, AIRSYNC_DELETE, &v);
	rc = n ? item_changes_delete(&w, v, n, err) : RC_OK;
	answer_all(s, p, AIRSYNC_DELETE, v, n);
	return rc ? rc : apply_adds(s, p, &w, commands, err);
}

static enum rc look(struct sync *s, struct sync_part *p, struct err *err)
{
	(void)s;
	return item_round_look(&of(p)->round, err);
}

static uint32_t count(const struct sync_part *p)
{
	return item_round_count(&of(p)->round);
}

static enum rc write(struct sync_part *p, struct err *err)
{
	struct item_round *r = &of(p)->round;
	enum rc rc = item_round_write(r, err);

	p->more = r->more;
	return rc;
}

static enum rc fetch(struct sync *s, struct sync_part *p, struct str id, struct err *err)
{
	struct email_options whole = p->options;
	uint32_t number = sync_number_of(p, id);

	whole.whole = true;
	return number ? item_fetch(&of(p)->src, number, &whole, AIRSYNC_APPLICATION_DATA, s->w,
				err)
		      : RC_ABSENT;
}

static void stands(const struct sync_part *p, struct watched_folder *watched)
{
	watched->asked = of(p)->src.asked;
	watched->version = item_source_version(&of(p)->src);
}

const struct sync_class sync_item_class = {.begin = begin,
	.options = options,
	.load = load,
	.state = state,
	.commands = apply_commands,
	.look = look,
	.count = count,
	.write = write,
	.fetch = fetch,
	.stands = stands};
