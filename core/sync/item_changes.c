#include "core/sync/item_changes.h"

#include "core/base/log.h"
#include "core/wire/dump.h"

#include <glib.h>

/* What ends the whole request; anything else is a matter of the one item. */
static bool is_trouble(enum rc rc)
{
	return rc == RC_UNAVAILABLE || rc == RC_INTERNAL;
}

static enum rc settle(struct item_command *c, enum rc rc, struct err *err)
{
	if (is_trouble(rc))
		return rc;
	c->rc = rc;
	c->why = rc && err ? err->why : ERR_PLAIN;
	if (rc && err)
		log_debug("a change of a device was refused: %s", err->text);
	err_clear(err);
	return RC_OK;
}

/* The items of the commands; those that are not known stay zero. */
static enum rc find(const struct item_writer *w, const struct item_command *v, size_t n,
	struct item *items_r, struct err *err)
{
	const struct item_source *src = w->round->src;
	struct uidset numbers;
	struct items found;
	enum rc rc;

	uidset_init(&numbers, src->a);
	for (size_t i = 0; i < n; i++)
		uidset_add(&numbers, v[i].number);
	rc = state_call(src->state, items_get, src->account, src->rows, src->n, &numbers,
		src->a, &found, err);
	for (size_t i = 0; i < n && rc == RC_OK; i++)
		for (size_t k = 0; k < found.n; k++)
			if (found.v[k].number == v[i].number)
				items_r[i] = found.v[k];
	return rc;
}

/* What the device did is noted. known: the item is as the device has it, which is no news. */
static enum rc note(const struct item_writer *w, int64_t folder, struct str href,
	struct str etag, bool known, struct item *r, struct err *err)
{
	struct item_source *src = w->round->src;
	enum rc rc = state_call(src->state, item_own, src->account, folder, href, etag,
		etag.p == NULL, src->a, r, err);

	/* Where it is now nobody has looked yet: it is not too old because it was. */
	if (rc == RC_OK)
		uidset_remove(&w->round->st.aged, r->number);
	if (rc == RC_OK && known)
		item_state_mine(&w->round->st, r->number, r->version);
	else if (rc == RC_OK)
		item_source_moved(src, r);
	return rc;
}

/* The device is told how the item is, where it was not allowed to change it. */
static void put_back(const struct item_writer *w, uint32_t number)
{
	uidset_add(&w->round->st.pending, number);
}

/* It changed on the server since the device has last heard of it, and not by the device. */
static bool in_conflict(const struct item_writer *w, const struct item *it)
{
	return it->version > w->round->st.version &&
	       !item_state_is_mine(&w->round->st, it->number, it->version);
}

/* e: what is particular about it; the rest is the same for all. */
static enum rc apply(const struct item_writer *w, struct str bytes, const struct elem *data,
	struct item_edit e, struct str *r, struct err *err)
{
	e.version = w->version;
	e.ghosts = w->ghosts;
	e.keep_picture = w->keep_picture;
	e.options = w->round->options;
	return w->round->src->class->apply(bytes, data, &e, w->round->src->a, r, err);
}

/* Whether the item says what the device has said, and no more: a second address that was hidden
 * behind the one that the device cleared is news for it. */
static bool says_the_same(const struct item_writer *w, struct str bytes,
	const struct elem *data, struct item_edit e)
{
	struct str again;

	return apply(w, bytes, data, e, &again, NULL) == RC_OK && str_eq(again, bytes);
}

/* An ETag that is not the one that was noted, though the server has just told what changed, is
 * noted: or the next Change would be a conflict again. */
static enum rc server_wins(const struct item_writer *w, struct item *it,
	const struct dav_object *object, struct err *err)
{
	enum rc rc = str_eq(object->etag, it->etag)
			     ? RC_OK
			     : note(w, it->folder, it->href, object->etag, false, it, err);

	return rc ? rc : err_set(err, RC_CONFLICT, "it was changed on the server");
}

/*
 * One Change on top of what the server has. When the object was changed between reading and
 * writing it is read once more: then it is a conflict.
 */
static enum rc change(const struct item_writer *w, struct item_command *c, struct item *it,
	struct dav_object *object, struct err *err)
{
	struct item_source *src = w->round->src;
	const struct item_edit e = {.whole = c->whole};
	bool conflict = in_conflict(w, it);
	struct str changed, etag;
	enum rc rc = object->left ? item_source_read(src, it, 1, src->a, object, err) : RC_OK;

	if (rc)
		return rc;
	conflict = conflict || !str_eq(object->etag, it->etag);
	rc = RC_CONFLICT;
	for (unsigned tries = 0; tries < 2 && rc == RC_CONFLICT; tries++) {
		err_clear(err);
		if (tries) {
			conflict = true;
			src->asked = false;
			rc = item_source_read(src, it, 1, src->a, object, err);
			if (rc)
				return rc;
		}
		if (!object->bytes.p)
			return err_set(err, object->refused ? RC_INVALID : RC_ABSENT,
				"the item cannot be read");
		rc = apply(w, object->bytes, c->data, e, &changed, err);
		if (rc || str_eq(changed, object->bytes))
			return rc;
		if (conflict && !w->client_wins)
			return server_wins(w, it, object, err);
		rc = dav_call(src->dav, put, it->href, object->etag, src->class->type, changed,
			src->a, &etag, err);
	}
	if (rc)
		return rc;
	/* What the other side did to properties that the device did not send, it has to be
	 * told.
	 */
	return note(w, it->folder, it->href, etag,
		!conflict && says_the_same(w, changed, c->data, e), it, err);
}

/* The numbers that the server is asked of, into a list without those that are gone. */
static enum rc read_all(const struct item_writer *w, struct item_command *v, size_t n,
	struct item *items, struct dav_object *objects, struct err *err)
{
	struct item_source *src = w->round->src;
	struct item *some = ARENA_ARRAY(src->a, struct item, n + 1);
	struct dav_object *read = ARENA_ARRAY(src->a, struct dav_object, n + 1);
	size_t *back = ARENA_ARRAY(src->a, size_t, n + 1), count = 0;
	enum rc rc = find(w, v, n, items, err);

	for (size_t i = 0; i < n && rc == RC_OK; i++) {
		if (!items[i].number || items[i].gone) {
			v[i].rc = RC_ABSENT;
			continue;
		}
		back[count] = i;
		some[count++] = items[i];
	}
	if (rc == RC_OK && count)
		rc = item_source_read(src, some, count, src->a, read, err);
	for (size_t i = 0; i < count && rc == RC_OK; i++)
		objects[back[i]] = read[i];
	return rc;
}

enum rc item_changes_change(
	const struct item_writer *w, struct item_command *v, size_t n, struct err *err)
{
	struct arena *a = w->round->src->a;
	struct item *items = ARENA_ARRAY(a, struct item, n + 1);
	struct dav_object *objects = ARENA_ARRAY(a, struct dav_object, n + 1);
	enum rc rc = read_all(w, v, n, items, objects, err);

	for (size_t i = 0; i < n && rc == RC_OK; i++) {
		if (v[i].rc)
			continue;
		rc = settle(&v[i], change(w, &v[i], &items[i], &objects[i], err), err);
		/* Whatever the reason, the device has what the server has not. */
		if (v[i].rc)
			put_back(w, v[i].number);
	}
	return rc;
}

/* [MS-ASCMD] 2.2.3.34: a Delete beats a change on the other side. */
static enum rc remove_what_is_there(
	const struct item_writer *w, const struct item *it, struct err *err)
{
	struct item_source *src = w->round->src;
	struct dav_object object;
	enum rc rc;

	err_clear(err);
	rc = item_source_read(src, it, 1, src->a, &object, err);
	if (rc || (!object.etag.n && !object.refused))
		return rc;
	if (!object.etag.n)
		return err_set(err, RC_DENIED, "the item cannot be looked at");
	return dav_call(src->dav, remove, it->href, object.etag, err);
}

/* That there is nothing to remove is looked at once more: what stayed after all would be on no
 * device any more. */
static enum rc remove_one(const struct item_writer *w, struct item *it, struct err *err)
{
	enum rc rc = dav_call(w->round->src->dav, remove, it->href, it->etag, err);

	if (rc == RC_CONFLICT || rc == RC_ABSENT)
		rc = remove_what_is_there(w, it, err);
	return rc ? rc : note(w, it->folder, it->href, STR_NONE, true, it, err);
}

enum rc item_changes_delete(
	const struct item_writer *w, struct item_command *v, size_t n, struct err *err)
{
	struct item *items = ARENA_ARRAY(w->round->src->a, struct item, n + 1);
	struct item_state *st = &w->round->st;
	enum rc rc = find(w, v, n, items, err);

	for (size_t i = 0; i < n && rc == RC_OK; i++) {
		if (items[i].number && !items[i].gone)
			rc = settle(&v[i], remove_one(w, &items[i], err), err);
		if (rc)
			return rc;
		item_state_drop(st, v[i].number);
		/* C174: what may not be deleted comes back. */
		if (v[i].rc)
			put_back(w, v[i].number);
	}
	return rc;
}

/*
 * A new item. Its UID ends in a digest of what its first try said: so a try that says something
 * else is told from one that another client has changed something after. After a second try was
 * lost as well that is not told any more, and what the device says last counts.
 */
struct addition {
	struct str name; /* of its object: the same whenever this Add comes again */
	struct str uid;  /* begins like the name, and ends in a digest of what the item says */
	struct dav_object object;
	struct str bytes;
	bool known;  /* it is stored as the device has it */
	int64_t row; /* of the folder that it is in */
};

/* Digits of a UUID that tell one Add from all others; the rest are of what it says. */
enum { UUID_OF_ADD = 24, UUID_DIGITS = 36 };

/* UUIDs (RFC 9562, version 8). */
static void name_addition(
	const struct item_writer *w, const struct item_command *c, struct addition *r)
{
	struct arena *a = w->round->src->a;
	struct str text =
		arena_printf(a, "%.*s\n%.*s", STR_FMT(w->request), STR_FMT(c->client_id));
	char *hex = g_compute_checksum_for_data(
		G_CHECKSUM_SHA256, (const unsigned char *)text.p, text.n);

	r->name = arena_printf(
		a, "%.8s-%.4s-8%.3s-a%.3s-%.12s", hex, hex + 8, hex + 12, hex + 15, hex + 18);
	r->uid = arena_printf(a, "%.*s%012llx", UUID_OF_ADD, r->name.p,
		(unsigned long long)(dump_digest(c->data) & UINT64_C(0xffffffffffff)));
	g_free(hex);
}

/* The one that an earlier try of this Add has put there, when it said something else. */
static bool said_something_else(const struct item_writer *w, const struct addition *made)
{
	struct str uid = w->round->src->class->uid(made->object.bytes, w->round->src->a);

	return uid.n == UUID_DIGITS && !str_eq(uid, made->uid) &&
	       str_eq(str_sub(uid, 0, UUID_OF_ADD), str_sub(made->uid, 0, UUID_OF_ADD));
}

/* What the user has made of the item since the first try of its Add. */
static enum rc say_anew(const struct item_writer *w, const struct item_command *c,
	struct addition *made, struct err *err)
{
	struct item_source *src = w->round->src;
	const struct item_edit e = {.whole = true};
	struct str bytes, etag;
	enum rc rc = apply(w, made->object.bytes, c->data, e, &bytes, err);

	if (rc == RC_OK && !str_eq(bytes, made->object.bytes)) {
		rc = dav_call(src->dav, put, made->object.href, made->object.etag,
			src->class->type, bytes, src->a, &etag, err);
		if (rc == RC_OK)
			made->object.etag = etag;
	}
	/* Just now. */
	if (rc == RC_CONFLICT)
		return err_set(err, RC_UNAVAILABLE, "a new item was changed");
	if (is_trouble(rc))
		return rc;
	/* What the server does not take is not said; what the first try has put there is the
	 * item all the same, or there would be two of it. */
	made->known = rc == RC_OK && says_the_same(w, bytes, c->data, e);
	err_clear(err);
	return RC_OK;
}

/* Something is at the place of the new item: what an earlier try has put there. Others may have
 * changed it since. */
static enum rc adopt(const struct item_writer *w, const struct item_command *c,
	struct addition *made, struct err *err)
{
	struct item_source *src = w->round->src;
	struct dav_object *object = &made->object;
	enum rc rc;

	err_clear(err);
	rc = dav_call(src->dav, get, src->folders[0].path, object, 1, src->a, err);
	if (rc)
		return rc;
	if (!object->etag.n && !object->refused)
		return err_set(err, RC_UNAVAILABLE, "a new item was removed");
	/* Of one that is not given it may be unknown; see server_wins(). */
	if (!object->etag.p)
		object->etag = (struct str){"", 0};
	made->known = object->bytes.p && str_eq(object->bytes, made->bytes);
	return object->bytes.p && said_something_else(w, made) ? say_anew(w, c, made, err)
							       : RC_OK;
}

enum { HITS_MAX = 500 };

/* That one of a lot which has the UID. *read_r: how many were looked at. */
static enum rc pick_uid(const struct item_writer *w, struct str path, struct str uid,
	const struct dav_entry *v, size_t n, struct dav_object *r, size_t *read_r,
	struct err *err)
{
	struct item_source *src = w->round->src;
	struct dav_object *lot = ARENA_ARRAY(src->a, struct dav_object, n);
	enum rc rc;

	for (size_t i = 0; i < n; i++)
		lot[i].href = v[i].href;
	rc = dav_call(src->dav, get, path, lot, n, src->a, err);
	for (*read_r = 0; rc == RC_OK && *read_r < n && !lot[*read_r].left; ++*read_r)
		if (lot[*read_r].bytes.p &&
			str_eq(src->class->uid(lot[*read_r].bytes, src->a), uid)) {
			*r = lot[*read_r];
			return RC_OK;
		}
	return rc;
}

/* The object of a collection that has the UID; of none the href is STR_NONE. */
static enum rc find_uid(const struct item_writer *w, struct str path, struct str uid,
	struct dav_object *r, struct err *err)
{
	struct item_source *src = w->round->src;
	struct dav_entry *v = NULL;
	size_t n = 0, read;
	enum rc rc = dav_call(src->dav, with_uid, path, uid, src->a, &v, &n, err);

	r->href = STR_NONE;
	/* It cannot look, or does not let us. */
	if (rc == RC_INVALID || rc == RC_DENIED) {
		err_clear(err);
		return RC_OK;
	}
	/* Some servers name those whose UID contains this one. */
	for (size_t i = 0; i < n && i < HITS_MAX && rc == RC_OK && !r->href.p; i += read)
		rc = pick_uid(w, path, uid, v + i,
			n - i < ITEM_SOURCE_LOT ? n - i : ITEM_SOURCE_LOT, r, &read, err);
	return rc;
}

/* Whether the device has what is at that place. */
static enum rc is_held(const struct item_writer *w, int64_t folder, struct str href,
	bool *held_r, struct err *err)
{
	struct item_source *src = w->round->src;
	struct items found;
	enum rc rc = state_call(
		src->state, items_at, src->account, folder, &href, 1, src->a, &found, err);

	*held_r = rc == RC_OK && found.n && uidset_has(&w->round->st.held, found.v[0].number);
	return rc;
}

static struct str place_of_addition(
	const struct item_writer *w, const struct addition *made, const struct folder *folder)
{
	struct item_source *src = w->round->src;

	return dav_call(src->dav, join, folder->path,
		arena_printf(src->a, "%.*s%s", STR_FMT(made->name), src->class->suffix),
		src->a);
}

/* A device that has the item already, and adds it once more, has two of it: the one that it had
 * is to go, so the item moves to where a new one would be. */
static enum rc move_held(const struct item_writer *w, const struct item_command *c,
	const struct folder *folder, struct addition *made, struct err *err)
{
	struct item_source *src = w->round->src;
	struct str from = made->object.href, etag;
	struct item it;
	bool held;
	enum rc rc = is_held(w, made->row, from, &held, err);

	if (rc || !held)
		return rc;
	name_addition(w, c, made);
	made->object.href = place_of_addition(w, made, folder);
	rc = dav_call(src->dav, move, from, made->object.href, src->a, &etag, err);
	/* A server that does not move it: then it stays. */
	if (rc == RC_DENIED || rc == RC_INVALID) {
		err_clear(err);
		made->object.href = from;
		return RC_OK;
	}
	if (rc)
		return rc;
	made->object.etag = etag;
	return note(w, made->row, from, STR_NONE, false, &it, err);
}

/* clients.md 1: what an earlier try has put there, or an invitation that found its way into the
 * calendar, is the item that the device means: there are no two with one UID (commands.md 1.3).
 */
static enum rc add_to_known(const struct item_writer *w, const struct item_command *c,
	struct addition *made, struct err *err)
{
	struct item_source *src = w->round->src;
	struct str uid = src->class->data_uid ? src->class->data_uid(c->data) : STR_NONE;
	const struct folder *folder = src->folders;
	enum rc rc = RC_OK;

	made->object.href = STR_NONE;
	for (size_t i = 0; uid.n && i < src->n && rc == RC_OK && !made->object.href.p; i++) {
		folder = &src->folders[i];
		made->row = folder->row;
		rc = find_uid(w, folder->path, uid, &made->object, err);
		/* Of several one may be gone. */
		if (rc == RC_ABSENT && src->n > 1) {
			err_clear(err);
			rc = RC_OK;
		}
	}
	if (rc == RC_OK && made->object.href.p)
		rc = move_held(w, c, folder, made, err);
	return rc == RC_OK && made->object.href.p ? say_anew(w, c, made, err) : rc;
}

static enum rc add_new(const struct item_writer *w, const struct item_command *c,
	struct addition *made_r, struct err *err)
{
	struct item_source *src = w->round->src;
	const struct folder *folder = &src->folders[0];
	struct addition made = {.known = true, .row = folder->row};
	enum rc rc = RC_INVALID;

	name_addition(w, c, &made);
	made.object.href = place_of_addition(w, &made, folder);
	/* Few servers want the newer format; those refuse the older one. */
	for (unsigned newer = 0; newer < 2 && rc == RC_INVALID; newer++) {
		err_clear(err);
		rc = apply(w, STR_NONE, c->data,
			(struct item_edit){.uid = made.uid, .newer = newer}, &made.bytes, err);
		if (rc)
			return rc;
		rc = dav_call(src->dav, put, made.object.href, (struct str){"", 0},
			src->class->type, made.bytes, src->a, &made.object.etag, err);
	}
	if (rc == RC_CONFLICT)
		rc = adopt(w, c, &made, err);
	*made_r = made;
	return rc;
}

static enum rc add(const struct item_writer *w, struct item_command *c, struct err *err)
{
	struct item_source *src = w->round->src;
	struct addition made = {.known = true};
	struct item it;
	enum rc rc = add_to_known(w, c, &made, err);

	if (rc == RC_OK && !made.object.href.p)
		rc = add_new(w, c, &made, err);
	if (rc == RC_OK)
		rc = note(
			w, made.row, made.object.href, made.object.etag, made.known, &it, err);
	if (rc == RC_OK) {
		/* RFC 6578 section 3.5: of what comes and goes between two questions a server
		 * need not tell. The next one follows at once. */
		src->asked = false;
		c->number = it.number;
		uidset_add(&w->round->st.held, it.number);
	}
	return rc;
}

enum rc item_changes_add(const struct item_writer *w, struct item_command *c, struct err *err)
{
	return settle(c, add(w, c, err), err);
}
