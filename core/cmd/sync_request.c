#include "core/cmd/sync_request.h"

#include "core/wire/dump.h"
#include "core/wire/reader.h"

enum { COLLECTIONS_MAX = 1000, COMMANDS_MAX = 200 };

static const struct elem *collections(const struct elem *doc)
{
	return elem_child(elem_child(doc, AIRSYNC_COLLECTIONS), AIRSYNC_COLLECTION);
}

static const struct elem *stored(struct request *rq)
{
	struct elem *doc;

	if (rq->device.sync_request.n == 0 ||
		wbxml_read(rq->device.sync_request, WBXML_LIMITS, rq->arena, &doc, NULL))
		return NULL;
	return doc;
}

static struct elem *copy(const struct elem *e, struct arena *a)
{
	struct elem *r = ARENA_NEW(a, struct elem);

	*r = *e;
	r->next = NULL;
	return r;
}

static void append(struct elem *parent, struct elem *e)
{
	struct elem **at = &parent->child;

	while (*at)
		at = &(*at)->next;
	*at = e;
}

/* The children in this order, those of `news` before those of `old`. A tag is taken from one of
 * them only. */
static struct elem *merged(tag_t tag, const struct elem *news, const struct elem *old,
	const tag_t *order, size_t n, struct arena *a)
{
	struct elem *r = ARENA_NEW(a, struct elem);

	r->tag = tag;
	for (size_t i = 0; i < n; i++) {
		const struct elem *from = elem_has(news, order[i]) ? news : old;

		for (const struct elem *e = elem_child(from, order[i]); e; e = elem_again(e))
			append(r, copy(e, a));
	}
	return r;
}

/* What is not said of a collection is as it was; but nothing is done again. */
static struct elem *merge_collection(
	const struct elem *news, const struct elem *old, struct arena *a)
{
	static const tag_t order[] = {AIRSYNC_CLASS, AIRSYNC_SYNC_KEY, AIRSYNC_COLLECTION_ID,
		AIRSYNC_SUPPORTED, AIRSYNC_DELETES_AS_MOVES, AIRSYNC_GET_CHANGES,
		AIRSYNC_WINDOW_SIZE, AIRSYNC_CONVERSATION_MODE, AIRSYNC_OPTIONS};
	struct elem *r = merged(AIRSYNC_COLLECTION, news, old, order, ARRAY_LEN(order), a);
	const struct elem *commands = elem_child(news, AIRSYNC_COMMANDS);

	if (commands)
		append(r, copy(commands, a));
	return r;
}

static const struct elem *same_collection(const struct elem *list, const struct elem *like)
{
	struct str id = elem_text(like, AIRSYNC_COLLECTION_ID);

	for (const struct elem *e = elem_child(list, AIRSYNC_COLLECTION); e; e = elem_again(e))
		if (str_eq(elem_text(e, AIRSYNC_COLLECTION_ID), id))
			return e;
	return NULL;
}

/* The stored collections with what is new of them, and those that are new. */
static struct elem *merge_collections(
	const struct elem *news, const struct elem *old, struct arena *a)
{
	struct elem *r = ARENA_NEW(a, struct elem);

	r->tag = AIRSYNC_COLLECTIONS;
	for (const struct elem *e = elem_child(old, AIRSYNC_COLLECTION); e; e = elem_again(e)) {
		const struct elem *it = same_collection(news, e);

		append(r, it ? merge_collection(it, e, a) : copy(e, a));
	}
	for (const struct elem *e = elem_child(news, AIRSYNC_COLLECTION); e; e = elem_again(e))
		if (!same_collection(old, e))
			append(r, copy(e, a));
	return r;
}

static const struct elem *merge(
	const struct elem *news, const struct elem *old, struct arena *a)
{
	static const tag_t limits[] = {AIRSYNC_WINDOW_SIZE},
			   waits[] = {AIRSYNC_WAIT, AIRSYNC_HEARTBEAT_INTERVAL};
	struct elem *r = merged(AIRSYNC_SYNC, news, old, limits, ARRAY_LEN(limits), a);
	/* Wait and HeartbeatInterval exclude each other: one replaces the other. */
	bool waits_anew =
		elem_has(news, AIRSYNC_WAIT) || elem_has(news, AIRSYNC_HEARTBEAT_INTERVAL);
	struct elem *wait = merged(0, waits_anew ? news : NULL, waits_anew ? NULL : old, waits,
		ARRAY_LEN(waits), a);

	if (wait->child)
		append(r, wait->child);
	append(r, merge_collections(elem_child(news, AIRSYNC_COLLECTIONS),
			  elem_child(old, AIRSYNC_COLLECTIONS), a));
	return r;
}

/* [MS-ASCMD] 2.2.3.31.2: the children of Collection stand in this order. Phones of 2.5 and 12.0
 * never cared. */
static bool in_order(const struct elem *collection)
{
	static const tag_t order[] = {AIRSYNC_CLASS, AIRSYNC_SYNC_KEY, AIRSYNC_COLLECTION_ID,
		AIRSYNC_SUPPORTED, AIRSYNC_DELETES_AS_MOVES, AIRSYNC_GET_CHANGES,
		AIRSYNC_WINDOW_SIZE, AIRSYNC_CONVERSATION_MODE, AIRSYNC_OPTIONS,
		AIRSYNC_COMMANDS};
	size_t at = 0;

	for (const struct elem *e = collection->child; e; e = e->next) {
		size_t i = 0;

		while (i < ARRAY_LEN(order) && order[i] != e->tag)
			i++;
		if (i == ARRAY_LEN(order))
			continue;
		if (i < at)
			return false;
		at = i;
	}
	return true;
}

/* commands.md 21 */
static size_t count_commands(const struct elem *doc)
{
	size_t n = 0;

	for (const struct elem *c = collections(doc); c; c = elem_again(c)) {
		const struct elem *commands = elem_child(c, AIRSYNC_COMMANDS);

		for (const struct elem *e = commands ? commands->child : NULL; e; e = e->next)
			n++;
	}
	return n;
}

static unsigned check(const struct request *rq, const struct elem *doc)
{
	if (elem_count(elem_child(doc, AIRSYNC_COLLECTIONS), AIRSYNC_COLLECTION) >
		COLLECTIONS_MAX)
		return SYNC_PROTOCOL_ERROR;
	/* clients.md 1: an answer with an empty Collections crashes old iPhones. From 12.1 on
	 * it is an empty one (ZP-172: Android with nothing switched on). */
	if (rq->version < V121)
		return collections(doc) ? 0 : SYNC_PROTOCOL_ERROR;
	for (const struct elem *e = collections(doc); e; e = elem_again(e))
		if (!in_order(e))
			return SYNC_PROTOCOL_ERROR;
	if (rq->version >= V140 && count_commands(doc) > COMMANDS_MAX)
		return SYNC_PROTOCOL_ERROR;
	return 0;
}

const struct elem *sync_request_read(struct request *rq, unsigned *status_r)
{
	const struct elem *doc = rq->doc, *old;
	bool partial = elem_has(doc, AIRSYNC_PARTIAL);

	*status_r = 0;
	if (!doc || partial) {
		old = stored(rq);
		if (!old || rq->version < V121 ||
			(partial && !elem_has(doc, AIRSYNC_WAIT) &&
				!elem_has(doc, AIRSYNC_HEARTBEAT_INTERVAL) &&
				!elem_has(doc, AIRSYNC_WINDOW_SIZE) &&
				!elem_has(doc, AIRSYNC_COLLECTIONS))) {
			*status_r = SYNC_RESEND_FULL;
			return NULL;
		}
		doc = partial ? merge(doc, old, rq->arena) : old;
	}
	if (!elem_has(doc, AIRSYNC_COLLECTIONS))
		*status_r = SYNC_PROTOCOL_ERROR;
	else
		*status_r = check(rq, doc);
	return *status_r ? NULL : doc;
}

/* A request that may be repeated by an empty one: no command that would be carried out twice.
 */
static bool repeatable(const struct elem *doc)
{
	for (const struct elem *e = collections(doc); e; e = elem_again(e))
		if (elem_has(e, AIRSYNC_COMMANDS) ||
			str_is(elem_text(e, AIRSYNC_SYNC_KEY), "0"))
			return false;
	return elem_has(doc, AIRSYNC_COLLECTIONS);
}

enum rc sync_request_keep(
	struct request *rq, struct services *sv, const struct elem *doc, struct err *err)
{
	struct device *d = &rq->device;
	struct wbxml_writer w;
	struct str bytes = {"", 0};

	if (rq->version < V121 || !rq->doc)
		return RC_OK;
	wbxml_init(&w, NULL, BUF_MAX_TEXT);
	if (repeatable(doc)) {
		dump_encode(doc, &w);
		if (wbxml_finish(&w, NULL) == RC_OK)
			bytes = arena_str(rq->arena, buf_str(&w.out));
	}
	wbxml_release(&w);
	if (str_eq(bytes, d->sync_request))
		return RC_OK;
	d->sync_request = bytes;
	return state_call(sv->state, device_save, d, DEVICE_SYNC_REQUEST, err);
}
