#include "core/base/clock.h"
#include "core/base/varint.h"
#include "core/cmd/command.h"
#include "core/cmd/status.h"
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

enum { HOLD_MAX = 60, HOLD_STEP = 3 };

struct watched {
	struct str id;
	struct folder folder;
	struct collection c;
	bool changed;
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

/* The folders that can be watched; one that was never synchronised is passed over. */
static enum rc open_folders(struct request *rq, struct services *sv, const struct ping *p,
	struct watched *v, size_t *n_r, bool *gone_r, struct err *err)
{
	*n_r = 0;
	*gone_r = false;
	for (size_t i = 0; i < p->n; i++) {
		struct watched *x = &v[*n_r];
		enum rc rc = state_call(sv->state, collection_peek, &rq->account, &rq->device,
			p->ids[i], rq->arena, &x->folder, &x->c, err);

		if (rc == RC_ABSENT) {
			*gone_r = true;
			continue;
		}
		if (rc)
			return rc;
		x->id = p->ids[i];
		x->changed = false;
		if (x->c.epoch && x->folder.selectable)
			(*n_r)++;
	}
	return RC_OK;
}

/* One look at all folders: a trip for the numbers, more only where they differ. */
static enum rc look(struct request *rq, struct services *sv, struct watched *v, size_t n,
	bool *any_r, bool *gone_r, struct err *err)
{
	struct str *paths = ARENA_ARRAY(rq->arena, struct str, n + 1);
	struct mail_mark *marks = ARENA_ARRAY(rq->arena, struct mail_mark, n + 1);
	enum rc *rcs = ARENA_ARRAY(rq->arena, enum rc, n + 1), rc;

	*any_r = false;
	for (size_t i = 0; i < n; i++)
		paths[i] = v[i].folder.path;
	rc = mail_call(sv->mail, status_many, paths, n, marks, rcs, err);
	for (size_t i = 0; i < n && rc == RC_OK; i++) {
		uint32_t count = 0;

		if (rcs[i] == RC_ABSENT)
			*gone_r = true;
		if (rcs[i] || mail_sync_at(&v[i].c, &marks[i]))
			continue;
		rc = mail_sync_pending(
			sv->mail, &v[i].folder, &v[i].c, rq->conf, rq->arena, &count, err);
		if (rc == RC_ABSENT)
			rc = RC_OK;
		v[i].changed = count > 0;
		*any_r = *any_r || v[i].changed;
	}
	return rc;
}

static enum rc write_changes(struct reply *rp, const struct watched *v, size_t n)
{
	struct wbxml_writer *w = reply_wbxml(rp);

	wbxml_open(w, PING_PING);
	wbxml_int(w, PING_STATUS, PING_CHANGES);
	wbxml_open(w, PING_FOLDERS);
	for (size_t i = 0; i < n; i++)
		if (v[i].changed)
			wbxml_text(w, PING_FOLDER, v[i].id);
	wbxml_close(w, PING_FOLDERS);
	wbxml_close(w, PING_PING);
	rp->status = PING_CHANGES;
	return RC_OK;
}

/* [MS-ASCMD] 2.2.1.13. Held by this worker for at most HOLD_MAX seconds. */
enum rc cmd_ping(struct request *rq, struct services *sv, struct reply *rp, struct err *err)
{
	struct ping *p = ARENA_NEW(rq->arena, struct ping);
	unsigned status = read_parameters(rq, p);
	int64_t least = rq->conf->heartbeat_min, most = rq->conf->heartbeat_max, until;
	struct watched *v;
	bool gone, any;
	size_t n;
	enum rc rc;

	if (status == PING_TOO_MANY)
		return only_status(rp, status, PING_MAX_FOLDERS, rq->conf->ping_folders_max);
	if (status)
		return only_status(rp, status, 0, 0);
	if (p->interval < least || p->interval > most)
		return only_status(rp, PING_INTERVAL, PING_HEARTBEAT_INTERVAL,
			p->interval < least ? least : most);
	rc = remember(rq, sv, p, err);
	if (rc)
		return rc;
	v = ARENA_ARRAY(rq->arena, struct watched, p->n + 1);
	rc = open_folders(rq, sv, p, v, &n, &gone, err);
	if (rc)
		return rc;
	until = clock_mono_ms() + (p->interval < HOLD_MAX ? p->interval : HOLD_MAX) * 1000;
	while (!gone) {
		struct arena_mark mark = arena_mark(rq->arena);

		rc = look(rq, sv, v, n, &any, &gone, err);
		if (rc)
			return rc;
		if (any && !gone)
			return write_changes(rp, v, n);
		arena_rewind(rq->arena, mark);
		if (gone || clock_mono_ms() >= until || !sv->pause(sv, HOLD_STEP * 1000))
			break;
	}
	return only_status(rp, gone ? PING_FOLDER_SYNC : PING_NOTHING, 0, 0);
}
