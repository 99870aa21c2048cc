#include "core/sync/meetings.h"

#include <glib.h>

enum {
	TRIES_MAX = 4,
	PLACES_MAX = 50, /* collections that are looked in */
	READS_MAX = 10,  /* of what one of them gave as having the UID */
};

/* UUIDs (RFC 9562, version 8): the same for the same UID, which itself may be any text. */
static struct str href_of(const struct meeting *m)
{
	const struct item_source *src = m->calendar;
	char *hex = g_compute_checksum_for_data(
		G_CHECKSUM_SHA256, (const unsigned char *)m->about.uid.p, m->about.uid.n);
	struct str name = arena_printf(src->a, "%.8s-%.4s-8%.3s-a%.3s-%.12s%s", hex, hex + 8,
		hex + 12, hex + 15, hex + 18, src->class->suffix);

	g_free(hex);
	return dav_call(src->dav, join, src->folders[0].path, name, src->a);
}

static bool is_own(const struct item_source *src, const struct folder *f)
{
	for (size_t i = 0; i < src->n; i++)
		if (src->rows[i] == f->row)
			return true;
	return false;
}

/* Servers differ in what they take for the same UID. */
static bool is_it(const struct meeting *m, struct str bytes)
{
	const struct invite in = {.request = STR_NONE, .stored = bytes};
	struct invite_about about;

	return bytes.p && invite_about(&in, m->calendar->a, &about) &&
	       str_eq(about.uid, m->about.uid);
}

/* One trip. *done_r: how many of them need not be read any more. */
static enum rc read_lot(struct meeting *m, const struct folder *folder, struct dav_object *v,
	size_t n, size_t *done_r, struct err *err)
{
	struct item_source *src = m->calendar;
	size_t i = 0;
	enum rc rc = dav_call(src->dav, get, folder->path, v, n, src->a, err);

	for (; i < n && rc == RC_OK && !v[i].left && !m->object.href.n; i++)
		if (is_it(m, v[i].bytes)) {
			m->object = v[i];
			m->folder = folder;
		}
	*done_r = i;
	return rc;
}

static enum rc read_them(struct meeting *m, const struct folder *folder,
	const struct dav_entry *v, size_t n, struct err *err)
{
	struct item_source *src = m->calendar;
	size_t done = 0;

	for (unsigned reads = 0; done < n && reads < READS_MAX; reads++) {
		struct arena_mark memory = arena_mark(src->a);
		size_t lot = n - done < ITEM_SOURCE_LOT ? n - done : ITEM_SOURCE_LOT, read;
		struct dav_object *objects = ARENA_ARRAY(src->a, struct dav_object, lot);
		enum rc rc;

		for (size_t i = 0; i < lot; i++)
			objects[i].href = v[done + i].href;
		rc = read_lot(m, folder, objects, lot, &read, err);
		if (rc || m->object.href.n)
			return rc;
		done += read;
		arena_rewind(src->a, memory);
	}
	return RC_OK;
}

static enum rc look_in(struct meeting *m, const struct folder *folder, struct err *err)
{
	struct item_source *src = m->calendar;
	struct dav_entry *v;
	size_t n;
	enum rc rc =
		dav_call(src->dav, with_uid, folder->path, m->about.uid, src->a, &v, &n, err);

	/* It cannot look: what we have put there ourselves is found all the same. */
	if (rc == RC_INVALID) {
		err_clear(err);
		m->by_name = true;
		return RC_OK;
	}
	return rc ? rc : read_them(m, folder, v, n, err);
}

/* Once for a meeting. */
static void list_places(struct meeting *m)
{
	const struct item_source *src = m->calendar;
	struct meeting_places *p = &m->places;
	size_t others = m->all ? m->all->n : 0;

	if (p->n)
		return;
	p->v = ARENA_ARRAY(src->a, const struct folder *, src->n + others);
	for (size_t i = 0; i < src->n && p->n < PLACES_MAX; i++)
		p->v[p->n++] = &src->folders[i];
	for (size_t i = 0; i < others && p->n < PLACES_MAX; i++) {
		const struct folder *f = &m->all->v[i];

		if (f->kind == src->folders[0].kind && !is_own(src, f))
			p->v[p->n++] = f;
	}
}

static enum rc find_by_uid(struct meeting *m, struct err *err)
{
	const struct meeting_places *p = &m->places;
	struct dav_entry there = {.href = STR_NONE};

	list_places(m);
	for (size_t i = 0; i < p->n && !m->object.href.n; i++) {
		enum rc rc = i == 0 || i >= p->closed ? look_in(m, p->v[i], err) : RC_OK;

		/* It may be gone, or closed to the user: what is new does not go there. */
		if (i > 0 && (rc == RC_ABSENT || rc == RC_DENIED))
			err_clear(err);
		else if (rc)
			return rc;
	}
	if (m->object.href.n || !m->by_name)
		return RC_OK;
	there.href = href_of(m);
	return read_them(m, p->v[0], &there, 1, err);
}

/* The user only may read what was found: that is another's business. He gets one of his own. */
static bool pass_over(struct meeting *m, enum rc rc)
{
	struct meeting_places *p = &m->places;
	size_t i = 0;

	while (i < p->n && p->v[i] != m->folder)
		i++;
	if (rc != RC_DENIED || m->item || i == 0 || i >= p->n)
		return false;
	p->closed = i + 1;
	return true;
}

static enum rc find_item(struct meeting *m, struct err *err)
{
	struct item_source *src = m->calendar;
	struct uidset one;
	struct items items;
	enum rc rc;

	uidset_init(&one, src->a);
	uidset_add(&one, m->item);
	rc = state_call(src->state, items_get, src->account, src->rows, src->n, &one, src->a,
		&items, err);
	if (rc == RC_OK && (items.n == 0 || items.v[0].gone))
		rc = err_set(err, RC_ABSENT, "there is no such item");
	if (rc == RC_OK)
		rc = item_source_read(src, items.v, 1, src->a, &m->object, err);
	if (rc)
		return rc;
	if (!m->object.bytes.p)
		return err_set(err, m->object.refused ? RC_DENIED : RC_ABSENT,
			"the item cannot be read");
	m->folder = item_source_folder(src, &items.v[0]);
	return RC_OK;
}

enum rc meetings_find(struct meeting *m, struct err *err)
{
	enum rc rc = RC_OK;
	struct arena *a;
	struct str made;

	if (!m->calendar)
		return err_set(err, RC_ABSENT, "there is no calendar");
	a = m->calendar->a;
	m->object = (struct dav_object){.href = STR_NONE};
	m->folder = &m->calendar->folders[0];
	m->invite.stored = STR_NONE;
	m->result = INVITE_NO_REQUEST;
	if (m->item) {
		rc = find_item(m, err);
	} else {
		if (!invite_about(&m->invite, a, &m->about))
			return RC_OK;
		rc = find_by_uid(m, err);
	}
	if (rc)
		return rc;
	m->invite.stored = m->object.bytes;
	/* In a calendar that is shared with the user it may be the organizer's own. */
	m->invite.stays = !is_own(m->calendar, m->folder);
	if (m->item && !invite_about(&m->invite, a, &m->about))
		return RC_OK;
	m->result = invite_apply(&m->invite, a, &made);
	return RC_OK;
}

/* Once. */
static enum rc put_there(struct meeting *m, struct str ics, struct err *err)
{
	struct item_source *src = m->calendar;
	struct dav_object *o = &m->object;
	struct str old = o->href.n ? o->etag : (struct str){"", 0};
	enum rc rc;

	if (!ics.p) {
		rc = o->href.n ? dav_call(src->dav, remove, o->href, o->etag, err) : RC_OK;
		if (rc == RC_ABSENT)
			err_clear(err);
		return rc == RC_ABSENT ? RC_OK : rc;
	}
	if (o->href.n && str_eq(ics, o->bytes))
		return RC_OK;
	if (!o->href.n)
		o->href = href_of(m);
	rc = dav_call(
		src->dav, put, o->href, old, src->class->type, ics, src->a, &o->etag, err);
	/* Something is at our place that the server did not tell of. */
	m->by_name = m->by_name || (rc == RC_CONFLICT && !old.n);
	return rc;
}

/* The item of a refusal that found nothing to take out is none. */
static enum rc note(struct meeting *m, bool gone, struct err *err)
{
	struct item_source *src = m->calendar;
	struct item it = {.number = 0};
	enum rc rc = m->object.href.n
			     ? state_call(src->state, item_own, src->account, m->folder->row,
				       m->object.href, gone ? STR_NONE : m->object.etag, gone,
				       src->a, &it, err)
			     : RC_OK;

	m->number = gone ? 0 : it.number;
	/* Of those that are shown as one, the first is what the device knows. */
	m->shown_in = is_own(src, m->folder) ? src->folders[0].id : m->folder->id;
	return rc;
}

enum rc meetings_answer(struct meeting *m, struct err *err)
{
	unsigned conflicts = 0;
	struct str made;
	enum rc rc;

	for (;;) {
		m->result = invite_apply(&m->invite, m->calendar->a, &made);
		if (m->result)
			return RC_OK;
		rc = put_there(m, made, err);
		if (!pass_over(m, rc) && (rc != RC_CONFLICT || ++conflicts == TRIES_MAX))
			return rc ? rc : note(m, !made.p, err);
		err_clear(err);
		rc = meetings_find(m, err);
		if (rc)
			return rc;
	}
}
