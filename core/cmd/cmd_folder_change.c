/*
 * FolderCreate, FolderUpdate, FolderDelete: [MS-ASCMD] 2.2.1.2 to 2.2.1.4. What a device did
 * itself it is not told again, and what it repeats (its key is the previous one: the answer was
 * lost; or the server died on the way) comes to the same end.
 */
#include "core/base/utf8.h"
#include "core/cmd/command.h"
#include "core/cmd/servers.h"
#include "core/cmd/status.h"
#include "core/sync/hierarchy.h"
#include "core/sync/sync_key.h"

#include <glib.h>

/* commands.md 3 */
enum {
	FOLDER_OK = 1,
	FOLDER_EXISTS = 2, /* or a folder that must stay as it is */
	FOLDER_SPECIAL = 3,
	FOLDER_ABSENT = 4,
	FOLDER_NO_PARENT = 5,
	FOLDER_SERVER_ERROR = 6,
	FOLDER_BAD_KEY = 9,
	FOLDER_MALFORMED = 10,
};

enum { NAME_MAX_CHARS = 256 };

struct change {
	struct request *rq;
	struct services *sv;
	struct collection c;
	enum sync_key_fit fit;
	struct str told; /* what the device was told before this change */
	/* What came of it */
	const struct folder *set;
	const struct str *drop;
	size_t ndrop;
	bool refreshed; /* the folders below are those of now */
	bool missed;    /* but for those of a server that could not be asked */
	struct folders folders;
};

static enum rc refresh(struct change *ch, struct err *err)
{
	struct folder_servers servers = servers_of(ch->rq, ch->sv);

	ch->refreshed = true;
	ch->missed = false;
	servers.missed = &ch->missed;
	return folders_refresh(&servers, ch->rq->arena, &ch->folders, err);
}

/* The folder of that id, asked of the mail server only when it is not known. */
static enum rc find(struct change *ch, struct str id, const struct folder **r, struct err *err)
{
	enum rc rc = RC_OK;

	*r = folders_by_id(&ch->folders, id);
	if (!*r && !ch->refreshed) {
		rc = refresh(ch, err);
		*r = folders_by_id(&ch->folders, id);
	}
	return rc;
}

/* The path of "0" is empty. Only mailboxes stand below others. */
static enum rc find_parent(struct change *ch, struct str id, struct str *path_r,
	unsigned *status_r, struct err *err)
{
	const struct folder *f;
	enum rc rc;

	*path_r = (struct str){"", 0};
	if (str_is(id, "0"))
		return RC_OK;
	rc = find(ch, id, &f, err);
	if (rc == RC_OK && (!f || f->kind != FOLDER_MAIL))
		*status_r = FOLDER_NO_PARENT;
	else if (rc == RC_OK)
		*path_r = f->path;
	return rc;
}

/* What the mail server said, where it is not the way things go. */
static unsigned status_of_refusal(enum rc rc)
{
	return rc == RC_INVALID    ? FOLDER_MALFORMED
	       : rc == RC_CONFLICT ? FOLDER_EXISTS
	       : rc == RC_ABSENT   ? FOLDER_ABSENT
				   : FOLDER_SERVER_ERROR;
}

static bool is_trouble(enum rc rc)
{
	return rc == RC_UNAVAILABLE || rc == RC_INTERNAL;
}

static bool is_special(const struct folder *f)
{
	const struct item_class *class = item_class_of(f->kind);

	return (f->type >= TYPE_INBOX && f->type <= TYPE_SENT) ||
	       f->kind == FOLDER_RECIPIENTS || (class && f->type == class->default_type);
}

/* [MS-ASCMD] 2.2.3.49: devices mind two folders of one name at the top. f: one that was told to
 * the device, and is not the one that is to have the name. */
static bool has_name(
	const struct change *ch, const struct folder *f, struct str name, struct str but)
{
	return str_is(f->parent, "0") && !str_eq(f->id, but) && str_ieq(f->name, name) &&
	       hierarchy_has(ch->told, f->id);
}

/* A DAV server does not mind two collections of one name. */
static enum rc name_taken(
	struct change *ch, struct str name, struct str but, unsigned *status_r, struct err *err)
{
	enum rc rc = ch->refreshed ? RC_OK : refresh(ch, err);

	for (size_t i = 0; i < ch->folders.n && rc == RC_OK; i++)
		if (has_name(ch, &ch->folders.v[i], name, but))
			*status_r = FOLDER_EXISTS;
	return rc;
}

/* A mail server minds two of its own, and knows nothing of collections. */
static unsigned taken_by_collection(const struct change *ch, struct str parent, struct str name)
{
	for (size_t i = 0; i < ch->folders.n && str_is(parent, "0"); i++)
		if (ch->folders.v[i].kind != FOLDER_MAIL &&
			has_name(ch, &ch->folders.v[i], name, STR_NONE))
			return FOLDER_EXISTS;
	return 0;
}

static bool good_name(struct str name)
{
	return name.n && utf8_chars(name) <= NAME_MAX_CHARS;
}

/* What a folder became on its server: the device is told its id. */
static enum rc created(struct change *ch, enum folder_kind kind, struct str path, enum rc how,
	unsigned *status_r, struct err *err)
{
	enum rc rc = refresh(ch, err);

	if (rc)
		return rc;
	ch->set = folders_by_path(&ch->folders, kind, path);
	if (!ch->set && ch->missed && kind != FOLDER_MAIL)
		return err_set(err, RC_UNAVAILABLE, "the new folder is not listed yet");
	/* One that the device knows is in the way; else it is what an earlier try has made. */
	if (how == RC_CONFLICT && (!ch->set || hierarchy_has(ch->told, ch->set->id)))
		*status_r = FOLDER_EXISTS;
	else if (!ch->set)
		*status_r = FOLDER_SERVER_ERROR;
	return RC_OK;
}

/* The same when the request comes again, and no other request has it. */
static struct str place_of(const struct request *rq, struct str name)
{
	char *hex = g_compute_checksum_for_data(
		G_CHECKSUM_SHA256, (const unsigned char *)name.p, name.n);
	struct str r = arena_printf(rq->arena, "eas-%lld-%.*s-%.8s", (long long)rq->device.id,
		STR_FMT(elem_text(rq->doc, FOLDERHIERARCHY_SYNC_KEY)), hex);

	g_free(hex);
	return r;
}

/* NULL: it is no folder of a DAV server, or there is none. */
static struct dav *dav_of(const struct change *ch, const struct folder *f)
{
	const struct item_class *class = item_class_of(f->kind);

	return class && class->dav ? servers_dav(ch->sv, class->dav) : NULL;
}

/* A collection of the DAV server. */
static enum rc create_collection(struct change *ch, const struct item_class *class,
	struct str name, unsigned *status_r, struct err *err)
{
	struct request *rq = ch->rq;
	struct dav *dav = servers_dav(ch->sv, class->dav);
	struct str path, parent = elem_text(rq->doc, FOLDERHIERARCHY_PARENT_ID);
	struct str key = place_of(rq, name);
	enum rc rc;

	if (parent.n && !str_is(parent, "0")) {
		*status_r = FOLDER_NO_PARENT;
		return RC_OK;
	}
	/* Where there is one folder for all, another one would not be seen. */
	if (!dav || folders_type_merged(rq->conf, class->default_type)) {
		*status_r = FOLDER_MALFORMED;
		return RC_OK;
	}
	rc = name_taken(ch, name, STR_NONE, status_r, err);
	if (rc || *status_r)
		return rc;
	rc = dav_call(dav, create, class->dav, key, name, rq->arena, &path, err);
	if (is_trouble(rc))
		return rc;
	if (rc && rc != RC_CONFLICT) {
		*status_r = status_of_refusal(rc);
		return RC_OK;
	}
	return created(ch, class->kind, path, rc, status_r, err);
}

static enum rc create(struct change *ch, unsigned *status_r, struct err *err)
{
	const struct elem *doc = ch->rq->doc;
	struct str name = str_trim(elem_text(doc, FOLDERHIERARCHY_DISPLAY_NAME));
	struct str parent, path, parent_id = elem_text(doc, FOLDERHIERARCHY_PARENT_ID);
	uint32_t type = elem_u32(doc, FOLDERHIERARCHY_TYPE, 0);
	const struct item_class *class = item_class_of_type(type);
	struct arena *a = ch->rq->arena;
	struct mail *mail = ch->sv->mail;
	enum rc rc;

	/* A default folder is not made by a device. */
	if (!good_name(name) || (type != TYPE_GENERIC && type != TYPE_USER_MAIL &&
					(!class || type != class->user_type))) {
		*status_r = FOLDER_MALFORMED;
		return RC_OK;
	}
	if (str_is(parent_id, "RI")) {
		*status_r = FOLDER_SPECIAL;
		return RC_OK;
	}
	if (class)
		return create_collection(ch, class, name, status_r, err);
	if (!parent_id.n)
		parent_id = STR("0");
	rc = find_parent(ch, parent_id, &parent, status_r, err);
	if (rc == RC_OK && !*status_r)
		*status_r = taken_by_collection(ch, parent_id, name);
	if (rc || *status_r)
		return rc;
	rc = mail_call(mail, join, parent, name, a, &path, err);
	if (rc == RC_OK)
		rc = mail_call(mail, create, path, MAIL_USE_NONE, err);
	if (is_trouble(rc))
		return rc;
	if (rc && rc != RC_CONFLICT) {
		*status_r = rc == RC_ABSENT ? FOLDER_NO_PARENT : status_of_refusal(rc);
		return RC_OK;
	}
	return created(ch, FOLDER_MAIL, path, rc, status_r, err);
}

/* Renames on the server, and in what is known of the folders. */
static enum rc rename_folder(struct change *ch, struct str id, struct str from, struct str to,
	unsigned *status_r, struct err *err)
{
	struct arena *a = ch->rq->arena;
	struct mail *mail = ch->sv->mail;
	struct str below;
	enum rc rc = mail_call(mail, join, from, STR("x"), a, &below, err);

	if (rc == RC_OK)
		rc = mail_call(mail, rename, from, to, err);
	if (is_trouble(rc))
		return rc;
	if (rc == RC_OK)
		rc = folders_renamed(ch->sv->state, &ch->rq->account, from,
			str_sub(below, 0, below.n - 1), to, a, err);
	else if (rc != RC_ABSENT)
		*status_r = status_of_refusal(rc);
	if (*status_r)
		return RC_OK;
	if (rc && rc != RC_ABSENT)
		return rc;
	if (refresh(ch, err))
		return err ? err->rc : RC_UNAVAILABLE;
	/* A try that died behind its RENAME has left it under the new path. */
	ch->set = folders_by_id(&ch->folders, id);
	if (!ch->set || !str_eq(ch->set->path, to))
		*status_r = FOLDER_ABSENT;
	return RC_OK;
}

static enum rc rename_collection(struct change *ch, const struct folder *f, struct str name,
	unsigned *status_r, struct err *err)
{
	struct str parent = elem_text(ch->rq->doc, FOLDERHIERARCHY_PARENT_ID);
	struct dav *dav = dav_of(ch, f);
	enum rc rc;

	if (!str_is(parent, "0") || !dav) {
		*status_r = FOLDER_NO_PARENT;
		return RC_OK;
	}
	ch->set = f;
	if (str_eq(f->name, name))
		return RC_OK;
	rc = name_taken(ch, name, f->id, status_r, err);
	if (rc || *status_r)
		return rc;
	rc = dav_call(dav, rename, f->path, name, err);
	if (rc) {
		*status_r = is_trouble(rc) ? 0 : status_of_refusal(rc);
		return is_trouble(rc) ? rc : RC_OK;
	}
	return created(ch, f->kind, f->path, RC_OK, status_r, err);
}

static enum rc update(struct change *ch, unsigned *status_r, struct err *err)
{
	const struct elem *doc = ch->rq->doc;
	struct str id = elem_text(doc, FOLDERHIERARCHY_SERVER_ID);
	struct str name = str_trim(elem_text(doc, FOLDERHIERARCHY_DISPLAY_NAME));
	struct str parent_id = elem_text(doc, FOLDERHIERARCHY_PARENT_ID), parent, to;
	const struct folder *f;
	enum rc rc;

	if (!id.n || !parent_id.n || !good_name(name)) {
		*status_r = FOLDER_MALFORMED;
		return RC_OK;
	}
	rc = find(ch, id, &f, err);
	if (rc)
		return rc;
	*status_r = !f                             ? FOLDER_ABSENT
		    : f->kind == FOLDER_RECIPIENTS ? FOLDER_SPECIAL
		    : is_special(f)                ? FOLDER_EXISTS
		    : str_is(parent_id, "RI")      ? FOLDER_SPECIAL
		    : str_eq(parent_id, id)        ? FOLDER_NO_PARENT
						   : 0;
	if (*status_r)
		return RC_OK;
	if (f->kind != FOLDER_MAIL)
		return rename_collection(ch, f, name, status_r, err);
	rc = find_parent(ch, parent_id, &parent, status_r, err);
	if (rc == RC_OK && !*status_r)
		*status_r = taken_by_collection(ch, parent_id, name);
	if (rc || *status_r)
		return rc;
	/* Not into itself. */
	f = folders_by_id(&ch->folders, id);
	if (!f || (!str_is(parent_id, "0") &&
			  folders_below(
				  &ch->folders, folders_by_id(&ch->folders, parent_id), id))) {
		*status_r = f ? FOLDER_NO_PARENT : FOLDER_ABSENT;
		return RC_OK;
	}
	rc = mail_call(ch->sv->mail, join, parent, name, ch->rq->arena, &to, err);
	if (rc) {
		*status_r = is_trouble(rc) ? 0 : FOLDER_MALFORMED;
		return is_trouble(rc) ? rc : RC_OK;
	}
	ch->set = f;
	return str_eq(f->path, to) ? RC_OK : rename_folder(ch, id, f->path, to, status_r, err);
}

/* A folder with all below it, itself last: a second try finds it as long as anything is left.
 */
static enum rc erase_all(
	struct change *ch, const struct folder *top, unsigned *status_r, struct err *err)
{
	struct arena *a = ch->rq->arena;
	size_t n;
	struct folder **below = folders_all_below(&ch->folders, top->id, a, &n);
	struct str *drop = ARENA_ARRAY(a, struct str, n + 1);

	for (size_t i = 0; i <= n; i++)
		if (is_special(i < n ? below[i] : top)) {
			*status_r = FOLDER_SPECIAL;
			return RC_OK;
		}
	for (size_t i = 0; i <= n; i++) {
		const struct folder *f = i < n ? below[i] : top;
		struct dav *dav = dav_of(ch, f);
		enum rc rc = f->kind == FOLDER_MAIL
				     ? mail_call(ch->sv->mail, erase, f->path, err)
			     : dav ? dav_call(dav, erase, f->path, err)
				   : RC_DENIED;

		if (is_trouble(rc))
			return rc;
		if (rc && rc != RC_ABSENT && f->selectable) {
			*status_r = FOLDER_SERVER_ERROR;
			return RC_OK;
		}
		drop[i] = f->id;
	}
	ch->drop = drop;
	ch->ndrop = n + 1;
	return RC_OK;
}

static enum rc erase(struct change *ch, unsigned *status_r, struct err *err)
{
	struct str id = elem_text(ch->rq->doc, FOLDERHIERARCHY_SERVER_ID), *gone;
	const struct folder *f;
	enum rc rc;

	if (!id.n || str_is(id, "RI")) {
		*status_r = id.n ? FOLDER_SPECIAL : FOLDER_MALFORMED;
		return RC_OK;
	}
	/* What others have put below it goes with it. */
	rc = refresh(ch, err);
	if (rc)
		return rc;
	f = folders_by_id(&ch->folders, id);
	if (f)
		return erase_all(ch, f, status_r, err);
	if (!hierarchy_has(ch->told, id)) {
		*status_r = FOLDER_ABSENT;
		return RC_OK;
	}
	/* Somebody else has deleted it, or an earlier try has. */
	gone = ARENA_NEW(ch->rq->arena, struct str);
	*gone = id;
	ch->drop = gone;
	ch->ndrop = 1;
	return RC_OK;
}

/* The device knows of its change: the key of what it knows now. */
static enum rc store(struct change *ch, struct err *err)
{
	struct collection *c = &ch->c;
	struct str now;
	enum rc rc = hierarchy_edit(
		ch->told, ch->set, ch->drop, ch->ndrop, ch->rq->arena, &now, err);

	if (rc)
		return rc;
	if (ch->fit == SYNC_KEY_CURRENT) {
		c->generation++;
		c->round = c->state;
	}
	c->state = now;
	return state_call(
		ch->sv->state, collection_store, &ch->rq->device, (struct str){"", 0}, c, err);
}

static void write_answer(struct change *ch, struct reply *rp, unsigned status)
{
	tag_t root = command_root(ch->rq->query.command);
	struct wbxml_writer *w = reply_wbxml(rp);

	wbxml_open(w, root);
	wbxml_int(w, FOLDERHIERARCHY_STATUS, status);
	if (status == FOLDER_OK) {
		wbxml_text(w, FOLDERHIERARCHY_SYNC_KEY,
			sync_key_format(ch->rq->arena, ch->c.epoch, ch->c.generation));
		if (root == FOLDERHIERARCHY_FOLDER_CREATE)
			wbxml_text(w, FOLDERHIERARCHY_SERVER_ID, ch->set->id);
	}
	wbxml_close(w, root);
	rp->status = status;
}

static enum rc change(struct request *rq, struct services *sv, struct reply *rp,
	enum rc (*how)(struct change *ch, unsigned *status_r, struct err *err), struct err *err)
{
	struct str key = elem_text(rq->doc, FOLDERHIERARCHY_SYNC_KEY);
	struct change ch = {.rq = rq, .sv = sv};
	struct folder none;
	unsigned status = 0;
	enum rc rc;

	if (!key.n) {
		write_answer(&ch, rp, FOLDER_MALFORMED);
		return RC_OK;
	}
	rc = state_call(sv->state, collection_open, &rq->account, &rq->device,
		(struct str){"", 0}, rq->arena, &none, &ch.c, err);
	if (rc)
		return rc;
	ch.fit = sync_key_fit(key, &ch.c);
	if (ch.fit != SYNC_KEY_CURRENT && ch.fit != SYNC_KEY_PREVIOUS) {
		write_answer(&ch, rp, FOLDER_BAD_KEY);
		return RC_OK;
	}
	ch.told = ch.fit == SYNC_KEY_CURRENT ? ch.c.state : ch.c.round;
	rc = state_call(sv->state, folders_load, &rq->account, rq->arena, &ch.folders, err);
	if (rc == RC_OK)
		rc = how(&ch, &status, err);
	if (rc == RC_OK && !status)
		rc = store(&ch, err);
	if (rc)
		return rc;
	write_answer(&ch, rp, status ? status : FOLDER_OK);
	return RC_OK;
}

enum rc cmd_folder_create(
	struct request *rq, struct services *sv, struct reply *rp, struct err *err)
{
	return change(rq, sv, rp, create, err);
}

enum rc cmd_folder_update(
	struct request *rq, struct services *sv, struct reply *rp, struct err *err)
{
	return change(rq, sv, rp, update, err);
}

enum rc cmd_folder_delete(
	struct request *rq, struct services *sv, struct reply *rp, struct err *err)
{
	return change(rq, sv, rp, erase, err);
}
