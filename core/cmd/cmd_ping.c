#include "core/base/log.h"
#include "core/base/varint.h"
#include "core/cmd/command.h"
#include "core/cmd/servers.h"
#include "core/cmd/status.h"
#include "core/cmd/waiting.h"
#include "core/sync/item_sync.h"
#include "core/sync/mail_sync.h"

/* [MS-ASCMD] 2.2.3.177.11 */
enum {
	PING_NOTHING = 1,
	PING_CHANGES = 2,
	PING_MISSING = 3,
	PING_SYNTAX = 4,
	PING_INTERVAL = 5,
	PING_TOO_MANY = 6,
	PING_FOLDER_SYNC = 7,
};

struct ping {
	uint32_t interval;
	struct str ids[5000];
	size_t n;
};

static enum rc only_status(struct reply *rp, unsigned status, tag_t tag, int64_t limit)
{
	struct wbxml_writer *w = reply_wbxml(rp);

	wbxml_open(w, PING_PING);
	wbxml_int(w, PING_STATUS, status);
	if (tag)
		wbxml_int(w, tag, limit);
	wbxml_close(w, PING_PING);
	rp->status = status;
	return RC_OK;
}

/* The cached parameters: interval, then the ids. */
static bool cached(struct str in, struct ping *p)
{
	uint64_t n;

	if (in.n == 0 || varint_get32(&in, &p->interval) || varint_get(&in, &n) ||
		n > ARRAY_LEN(p->ids))
		return false;
	for (p->n = 0; p->n < n; p->n++)
		if (varint_get_str(&in, &p->ids[p->n]))
			return false;
	return true;
}

static enum rc remember(
	struct request *rq, struct services *sv, const struct ping *p, struct err *err)
{
	struct buf b;
	enum rc rc = RC_OK;

	buf_init(&b, BUF_MAX_TEXT);
	varint_put(&b, p->interval);
	varint_put(&b, p->n);
	for (size_t i = 0; i < p->n; i++)
		varint_put_str(&b, p->ids[i]);
	if (!str_eq(buf_str(&b), rq->device.ping)) {
		rq->device.ping = arena_str(rq->arena, buf_str(&b));
		rc = state_call(sv->state, device_save, &rq->device, DEVICE_PING, err);
	}
	buf_release(&b);
	return rc;
}

/* C40: what the request leaves out is taken from the one before. 0: complete; else the status.
 */
static unsigned read_parameters(const struct request *rq, struct ping *p)
{
	const struct elem *folders = elem_child(rq->doc, PING_FOLDERS);
	bool had = cached(rq->device.ping, p);

	if (elem_has(rq->doc, PING_HEARTBEAT_INTERVAL))
		p->interval = elem_u32(rq->doc, PING_HEARTBEAT_INTERVAL, 0);
	else if (!had)
		return PING_MISSING;
	if (!folders)
		return had && p->n ? 0 : PING_MISSING;
	p->n = 0;
	for (const struct elem *e = elem_child(folders, PING_FOLDER); e; e = elem_again(e)) {
		struct str id = elem_text(e, PING_ID);

		if (!id.n)
			return PING_SYNTAX;
		for (size_t i = 0; i < p->n; i++)
			if (str_eq(p->ids[i], id))
				return PING_SYNTAX;
		if (p->n == ARRAY_LEN(p->ids) || p->n >= (size_t)rq->conf->ping_folders_max)
			return PING_TOO_MANY;
		p->ids[p->n++] = id;
	}
	return p->n ? 0 : PING_MISSING;
}

/* Nothing that the device would be told of, though the mailbox has moved on: that is kept, or
 * each Ping would have to find it out again. */
static enum rc keep_state(struct request *rq, struct services *sv,
	const struct watched_folder *v, struct str state, struct err *err)
{
	struct collection c;
	struct folder f;
	enum rc rc = state_call(sv->state, collection_open, &rq->account, &rq->device, v->id,
		rq->arena, &f, &c, err);

	if (rc)
		return rc == RC_ABSENT ? RC_OK : rc;
	if (c.revision == v->c.revision) {
		c.state = state;
		rc = state_call(sv->state, collection_store, &rq->device, v->id, &c, err);
	}
	state_call(sv->state, collection_close, &rq->device, v->id);
	return rc == RC_CONFLICT ? RC_OK : rc;
}

/* The same of a folder of items; by now its shadow is that of now. */
static enum rc items_changed(struct request *rq, struct services *sv,
	const struct watched_folder *v, bool *changed_r, struct err *err)
{
	struct item_source src;
	struct item_pending p = {.src = &src,
		.folder = &v->folder,
		.c = &v->c,
		.known = true,
		.waiting = true,
		.additions = rq->conf->wake == WAKE_ADDITIONS,
		.enough = 1};
	enum rc rc;

	*changed_r = false;
	if (item_sync_at(&v->c, v->version))
		return RC_OK;
	rc = servers_items(rq, sv, &v->folder, &src, err);
	if (rc == RC_OK)
		rc = item_sync_pending(&p, err);
	if (rc)
		return rc;
	*changed_r = p.count > 0;
	return p.state.p && !str_eq(p.state, v->c.state) ? keep_state(rq, sv, v, p.state, err)
							 : RC_OK;
}

/* Whether the next Sync of that folder would bring something. */
static enum rc mail_changed(struct request *rq, struct services *sv,
	const struct watched_folder *v, bool *changed_r, struct err *err)
{
	struct mail_pending p = {.mail = sv->mail,
		.folder = &v->folder,
		.c = &v->c,
		.known = &v->mark,
		.additions = rq->conf->wake == WAKE_ADDITIONS,
		.version = rq->version,
		.conf = rq->conf,
		.a = rq->arena};
	enum rc rc;

	*changed_r = false;
	/* Its mark is not known: the mail server does not give the folder now. */
	if (!v->mark.uidvalidity || mail_sync_at(&v->c, &v->mark, p.additions))
		return RC_OK;
	rc = mail_sync_pending(&p, err);
	if (rc == RC_ABSENT)
		return RC_OK;
	*changed_r = p.count > 0;
	return rc == RC_OK && p.state.p && !str_eq(p.state, v->c.state)
		       ? keep_state(rq, sv, v, p.state, err)
		       : rc;
}

static enum rc look(struct request *rq, struct services *sv, const struct watch *w,
	bool *changed, bool *any_r, struct err *err)
{
	enum rc rc = RC_OK;

	*any_r = false;
	for (size_t i = 0; i < w->n && rc == RC_OK; i++) {
		if (!waiting_for(&w->v[i]))
			continue;
		rc = w->v[i].folder.kind == FOLDER_MAIL
			     ? mail_changed(rq, sv, &w->v[i], &changed[i], err)
			     : items_changed(rq, sv, &w->v[i], &changed[i], err);
		*any_r = *any_r || changed[i];
	}
	return rc;
}

static enum rc write_changes(struct reply *rp, const struct watch *w, const bool *changed)
{
	struct wbxml_writer *writer = reply_wbxml(rp);

	wbxml_open(writer, PING_PING);
	wbxml_int(writer, PING_STATUS, PING_CHANGES);
	wbxml_open(writer, PING_FOLDERS);
	for (size_t i = 0; i < w->n; i++)
		if (changed[i])
			wbxml_text(writer, PING_FOLDER, w->v[i].id);
	wbxml_close(writer, PING_FOLDERS);
	wbxml_close(writer, PING_PING);
	rp->status = PING_CHANGES;
	return RC_OK;
}

/* What the device has, as a number: it changes when the device fetches something. */
static uint64_t device_state(const struct watch *w)
{
	uint64_t h = w->hierarchy.epoch * 1000003u + w->hierarchy.generation;

	for (size_t i = 0; i < w->n; i++)
		h = (h * 1000003u + w->v[i].c.epoch) * 1000003u + w->v[i].c.generation;
	return h;
}

/* D39: a device that is told of changes again and again, and does not fetch them. */
static bool damped(struct request *rq, struct services *sv, struct reply *rp,
	const struct watch *w, struct err *err)
{
	int64_t wait = sv->loops ? sv->loops(sv, rq, device_state(w)) : 0;

	if (!wait)
		return false;
	(void)err_set(err, RC_LIMIT,
		"the device is told of changes again and again, and does not fetch them:"
		" it is to wait %lld s",
		(long long)wait);
	log_warning("%s", err->text);
	reply_reset(rp);
	rp->http = 503;
	rp->status = STATUS_RETRY_LATER;
	reply_header(rp, "Retry-After", arena_printf(rq->arena, "%lld", (long long)wait));
	reply_header(rp, "X-MS-ASThrottle", STR("SyncCommands"));
	return true;
}

static enum rc wait_or_tell(struct request *rq, struct services *sv, struct reply *rp,
	const struct ping *p, struct err *err)
{
	bool *changed = ARENA_ARRAY(rq->arena, bool, p->n + 1), any = false, gone = false;
	struct watch w;
	enum rc rc = waiting_look(rq, sv, p->ids, p->n, &w, err);

	for (size_t i = 0; i < w.n && rc == RC_OK; i++)
		gone = gone || !w.v[i].folder.row;
	if (rc == RC_OK && !gone)
		rc = waiting_hierarchy(rq, sv, &w, &gone, err);
	if (rc == RC_OK && !gone)
		rc = waiting_marks(rq, sv, &w, &gone, err);
	if (rc == RC_OK && !gone)
		rc = look(rq, sv, &w, changed, &any, err);
	if (rc)
		return rc;
	if ((gone || any) && damped(rq, sv, rp, &w, err))
		return RC_OK;
	if (gone)
		return only_status(rp, PING_FOLDER_SYNC, 0, 0);
	if (any)
		return write_changes(rp, &w, changed);
	rp->wait = waiting_park(rq, WAIT_PING, p->interval, &w);
	return only_status(rp, PING_NOTHING, 0, 0);
}

/* [MS-ASCMD] 2.2.1.13 */
enum rc cmd_ping(struct request *rq, struct services *sv, struct reply *rp, struct err *err)
{
	struct ping *p = ARENA_NEW(rq->arena, struct ping);
	unsigned status = read_parameters(rq, p);
	int64_t least = rq->conf->heartbeat_min, most = rq->conf->heartbeat_max;
	enum rc rc;

	if (sv->end_waits)
		sv->end_waits(sv, rq);
	if (status == PING_TOO_MANY)
		return only_status(rp, status, PING_MAX_FOLDERS, rq->conf->ping_folders_max);
	if (status)
		return only_status(rp, status, 0, 0);
	if (p->interval < least || p->interval > most)
		return only_status(rp, PING_INTERVAL, PING_HEARTBEAT_INTERVAL,
			p->interval < least ? least : most);
	rc = remember(rq, sv, p, err);
	return rc ? rc : wait_or_tell(rq, sv, rp, p, err);
}
