#include "tests/fake_state_internal.h"

#include "core/base/clock.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum rc fake_begin(struct fake_state *fs, struct err *err)
{
	fs->calls++;
	fs->fail_now = fs->fail_in && --fs->fail_in == 0;
	return fs->fail_now && !fs->fail_late
		       ? err_set(err, RC_UNAVAILABLE, "the database is gone")
		       : RC_OK;
}

enum rc fake_end(struct fake_state *fs, enum rc rc, struct err *err)
{
	return fs->fail_now ? err_set(err, RC_UNAVAILABLE, "the database is gone") : rc;
}

struct str fake_kept(struct fake_state *fs, struct str s)
{
	return s.n ? arena_str(fs->a, s) : (struct str){"", 0};
}

static struct account_row *account_of(struct fake_state *fs, struct str login)
{
	for (size_t i = 0; i < fs->naccounts; i++)
		if (str_eq(fs->accounts[i].login, login))
			return &fs->accounts[i];
	assert(fs->naccounts < ROWS);
	fs->accounts[fs->naccounts] = (struct account_row){
		.id = ++fs->next_id, .login = fake_kept(fs, login), .version = 1};
	return &fs->accounts[fs->naccounts++];
}

struct account_row *fake_account(struct fake_state *fs, int64_t id)
{
	for (size_t i = 0; i < fs->naccounts; i++)
		if (fs->accounts[i].id == id)
			return &fs->accounts[i];
	return NULL;
}

static struct device_row *device_by_id(struct fake_state *fs, int64_t id)
{
	for (size_t i = 0; i < ROWS && id; i++)
		if (fs->devices[i].d.id == id)
			return &fs->devices[i];
	return NULL;
}

static unsigned count_devices(const struct fake_state *fs, int64_t account)
{
	unsigned n = 0;

	for (size_t i = 0; i < ROWS; i++)
		n += fs->devices[i].d.id && fs->devices[i].account == account;
	return n;
}

static struct device_row *device_of(
	struct fake_state *fs, int64_t account, struct str device_id)
{
	for (size_t i = 0; i < ROWS; i++)
		if (fs->devices[i].d.id && fs->devices[i].account == account &&
			str_eq(fs->devices[i].d.device_id, device_id))
			return &fs->devices[i];
	return NULL;
}

static struct device_row *add_device(
	struct fake_state *fs, int64_t account, const struct device *seen)
{
	size_t i = 0;

	while (i < ROWS && fs->devices[i].d.id)
		i++;
	assert(i < ROWS);
	fs->devices[i] = (struct device_row){
		account, {.id = ++fs->next_id, .device_id = fake_kept(fs, seen->device_id)}
        };
	fs->devices[i].d.first_seen = clock_now();
	return &fs->devices[i];
}

static enum rc do_begin(struct state *state, struct str login, const struct device *seen,
	struct arena *a, struct account *account_r, struct device *device_r, struct err *err)
{
	struct fake_state *fs = fake_of(state);
	struct account_row *ac;
	struct device_row *d;

	(void)a;
	BEGIN(fs, err);
	ac = account_of(fs, login);
	*account_r =
		(struct account){ac->id, ac->login, ac->entitlement, ac->ceiling, ac->home};
	*device_r = *seen;
	device_r->id = 0;
	if (ac->entitlement || seen->device_id.n == 0 || str_is(seen->device_id, "validate"))
		return END(fs, RC_OK, err);
	d = device_of(fs, ac->id, seen->device_id);
	if (!d && fs->max_devices && count_devices(fs, ac->id) >= fs->max_devices)
		return err_set(err, RC_LIMIT, "too many devices");
	if (!d)
		d = add_device(fs, ac->id, seen);
	d->d.type = fake_kept(fs, seen->type);
	d->d.user_agent = fake_kept(fs, seen->user_agent);
	d->d.version = seen->version;
	d->d.last_seen = clock_now();
	*device_r = d->d;
	return END(fs, RC_OK, err);
}

static void do_end(struct state *state)
{
	fake_of(state)->nlocks = 0;
}

static enum rc do_device_save(
	struct state *state, const struct device *d, unsigned what, struct err *err)
{
	struct fake_state *fs = fake_of(state);
	struct device_row *row;

	BEGIN(fs, err);
	if (d->id == 0)
		return END(fs, RC_OK, err);
	row = device_by_id(fs, d->id);
	if (!row)
		return err_set(err, RC_ABSENT, "the device was removed");
	if (what & DEVICE_INFO) {
		row->d.model = fake_kept(fs, d->model);
		row->d.imei = fake_kept(fs, d->imei);
		row->d.friendly_name = fake_kept(fs, d->friendly_name);
		row->d.os = fake_kept(fs, d->os);
		row->d.os_language = fake_kept(fs, d->os_language);
		row->d.phone_number = fake_kept(fs, d->phone_number);
		row->d.mobile_operator = fake_kept(fs, d->mobile_operator);
		row->d.outbound_sms = d->outbound_sms;
	}
	if (what & DEVICE_POLICY) {
		row->d.policy_key = d->policy_key;
		row->d.policy_pending = d->policy_pending;
		row->d.policy_hash = d->policy_hash;
	}
	if (what & DEVICE_PING)
		row->d.ping = fake_kept(fs, d->ping);
	if (what & DEVICE_SYNC_REQUEST)
		row->d.sync_request = fake_kept(fs, d->sync_request);
	return END(fs, RC_OK, err);
}

static enum rc do_folders_load(struct state *state, const struct account *ac, struct arena *a,
	struct folders *r, struct err *err)
{
	struct fake_state *fs = fake_of(state);
	size_t n = 0;

	BEGIN(fs, err);
	r->v = ARENA_ARRAY(a, struct folder, ARRAY_LEN(fs->folders));
	r->version = fake_account(fs, ac->id)->version;
	for (size_t i = 0; i < ARRAY_LEN(fs->folders); i++)
		if (fs->folders[i].account == ac->id)
			r->v[n++] = fs->folders[i].f;
	r->n = n;
	return END(fs, RC_OK, err);
}

static struct folder_row *folder_row(struct fake_state *fs, int64_t account, struct str id)
{
	for (size_t i = 0; i < ARRAY_LEN(fs->folders); i++)
		if (fs->folders[i].account == account && str_eq(fs->folders[i].f.id, id))
			return &fs->folders[i];
	return NULL;
}

static struct folder_row *free_folder(struct fake_state *fs)
{
	for (size_t i = 0; i < ARRAY_LEN(fs->folders); i++)
		if (!fs->folders[i].account)
			return &fs->folders[i];
	abort();
}

static void delete_missing(struct fake_state *fs, int64_t account, const struct folders *f)
{
	for (size_t i = 0; i < ARRAY_LEN(fs->folders); i++) {
		bool found = fs->folders[i].account != account;

		for (size_t k = 0; k < f->n && !found; k++)
			found = str_eq(fs->folders[i].f.id, f->v[k].id);
		if (!found) {
			fake_items_forget(fs, fs->folders[i].f.row);
			fs->folders[i].account = 0;
		}
	}
}

static enum rc do_folders_store(struct state *state, const struct account *ac,
	struct folders *f, struct arena *a, struct err *err)
{
	struct fake_state *fs = fake_of(state);
	struct account_row *row;

	BEGIN(fs, err);
	row = fake_account(fs, ac->id);
	if (row->version != f->version)
		return err_set(err, RC_CONFLICT, "the folders were changed");
	delete_missing(fs, ac->id, f);
	for (size_t i = 0; i < f->n; i++)
		if (f->v[i].id.n == 0)
			f->v[i].id = f->v[i].kind == FOLDER_RECIPIENTS
					     ? STR("RI")
					     : arena_printf(a, "%u", ++row->next_folder);
	for (size_t i = 0; i < f->n; i++) {
		struct folder_row *to = folder_row(fs, ac->id, f->v[i].id);
		uint32_t parent;

		if (f->v[i].parent.n && f->v[i].parent.p[0] == '+' &&
			str_u32(str_sub(f->v[i].parent, 1, f->v[i].parent.n), &parent))
			f->v[i].parent = f->v[parent].id;
		if (!to)
			to = free_folder(fs);
		if (!f->v[i].row)
			f->v[i].row = ++fs->next_id;
		to->account = ac->id;
		to->f = f->v[i];
		to->f.id = fake_kept(fs, f->v[i].id);
		to->f.path = fake_kept(fs, f->v[i].path);
		to->f.name = fake_kept(fs, f->v[i].name);
		to->f.parent = fake_kept(fs, f->v[i].parent);
		to->f.mailbox_id = fake_kept(fs, f->v[i].mailbox_id);
	}
	f->version = ++row->version;
	return END(fs, RC_OK, err);
}

static enum rc do_folder_get(struct state *state, const struct account *ac, struct str id,
	struct arena *a, struct folder *r, struct err *err)
{
	struct fake_state *fs = fake_of(state);
	struct folder_row *row;

	(void)a;
	BEGIN(fs, err);
	row = folder_row(fs, ac->id, id);
	if (!row)
		return err_set(err, RC_ABSENT, "there is no folder %.*s", STR_FMT(id));
	*r = row->f;
	return END(fs, RC_OK, err);
}

static struct collection_row *collection_row(
	struct fake_state *fs, int64_t device, struct str id)
{
	for (size_t i = 0; i < ROWS; i++)
		if (fs->collections[i].device == device && str_eq(fs->collections[i].id, id))
			return &fs->collections[i];
	return NULL;
}

/* The collection of a device, and its folder, which may not be there. */
static void peek(struct fake_state *fs, const struct account *ac, const struct device *d,
	struct str id, struct folder *folder_r, struct collection *c)
{
	struct collection_row *row;
	struct folder_row *f;

	*folder_r = (struct folder){0};
	*c = (struct collection){0};
	row = d->id ? collection_row(fs, d->id, id) : NULL;
	if (row)
		*c = row->c;
	f = folder_row(fs, ac->id, id);
	if (f)
		*folder_r = f->f;
}

static enum rc do_peek(struct state *state, const struct account *ac, const struct device *d,
	struct str id, struct arena *a, struct folder *folder_r, struct collection *c,
	struct err *err)
{
	struct fake_state *fs = fake_of(state);

	(void)a;
	BEGIN(fs, err);
	peek(fs, ac, d, id, folder_r, c);
	if (id.n && !folder_r->row)
		return err_set(err, RC_ABSENT, "there is no folder %.*s", STR_FMT(id));
	return END(fs, RC_OK, err);
}

static enum rc take(
	struct fake_state *fs, const struct device *d, struct str what, struct err *err)
{
	for (size_t i = 0; i < fs->nlocks; i++)
		if (fs->locks[i].device == d->id && str_eq(fs->locks[i].what, what))
			return err_set(err, RC_UNAVAILABLE, "taken by another request");
	assert(fs->nlocks < ROWS);
	fs->locks[fs->nlocks++] = (struct lock){d->id, fake_kept(fs, what)};
	return RC_OK;
}

static void give_back(struct fake_state *fs, const struct device *d, struct str what)
{
	for (size_t i = 0; i < fs->nlocks; i++)
		if (fs->locks[i].device == d->id && str_eq(fs->locks[i].what, what))
			fs->locks[i] = fs->locks[--fs->nlocks];
}

static enum rc do_open(struct state *state, const struct account *ac, const struct device *d,
	struct str id, struct arena *a, struct folder *folder_r, struct collection *c,
	struct err *err)
{
	enum rc rc = take(fake_of(state), d, id, err);

	return rc ? rc : do_peek(state, ac, d, id, a, folder_r, c, err);
}

static enum rc do_store(struct state *state, const struct device *d, struct str id,
	struct collection *c, struct err *err)
{
	struct fake_state *fs = fake_of(state);
	struct collection_row *row;

	BEGIN(fs, err);
	if (d->id == 0)
		return END(fs, RC_OK, err);
	if (!device_by_id(fs, d->id))
		return err_set(err, RC_CONFLICT, "the device was removed");
	row = collection_row(fs, d->id, id);
	if ((row ? row->c.revision : 0) != c->revision)
		return err_set(err, RC_CONFLICT, "changed by another request");
	for (size_t i = 0; i < ROWS && !row; i++)
		if (!fs->collections[i].device)
			row = &fs->collections[i];
	assert(row);
	c->revision++;
	*row = (struct collection_row){d->id, fake_kept(fs, id), *c};
	row->c.state = fake_kept(fs, c->state);
	row->c.round = fake_kept(fs, c->round);
	row->c.options = fake_kept(fs, c->options);
	return END(fs, RC_OK, err);
}

static void do_close(struct state *state, const struct device *d, struct str id)
{
	give_back(fake_of(state), d, id);
}

static enum rc do_sent_claim(
	struct state *state, const struct device *d, struct str client_id, struct err *err)
{
	struct fake_state *fs = fake_of(state);
	enum rc rc;

	BEGIN(fs, err);
	rc = take(fs, d, client_id, err);
	if (rc)
		return rc;
	for (size_t i = 0; i < ROWS; i++)
		if (fs->sent[i].device == d->id && str_eq(fs->sent[i].id, client_id) && d->id)
			return err_set(err, RC_CONFLICT, "sent before");
	return END(fs, RC_OK, err);
}

static enum rc do_sent_done(
	struct state *state, const struct device *d, struct str client_id, struct err *err)
{
	struct fake_state *fs = fake_of(state);
	size_t i = 0;

	give_back(fs, d, client_id);
	BEGIN(fs, err);
	while (i < ROWS && fs->sent[i].device && fs->sent[i].at > clock_now() - WEEK)
		i++;
	assert(i < ROWS);
	fs->sent[i] = (struct sent_row){d->id, clock_now(), fake_kept(fs, client_id)};
	return END(fs, RC_OK, err);
}

static void do_sent_drop(struct state *state, const struct device *d, struct str client_id)
{
	give_back(fake_of(state), d, client_id);
}

static enum rc do_moved_add(struct state *state, const struct device *d, const struct moved *v,
	size_t n, struct err *err)
{
	struct fake_state *fs = fake_of(state);

	BEGIN(fs, err);
	for (size_t k = 0; k < n; k++) {
		size_t i = 0;

		while (i < ARRAY_LEN(fs->moved) && fs->moved[i].device &&
			!(fs->moved[i].device == d->id &&
				str_eq(fs->moved[i].m.from, v[k].from)))
			i++;
		assert(i < ARRAY_LEN(fs->moved));
		fs->moved[i] = (struct moved_row){
			d->id, clock_now(), {fake_kept(fs, v[k].from), fake_kept(fs, v[k].to)}
                };
	}
	return END(fs, RC_OK, err);
}

static enum rc do_moved_find(struct state *state, const struct device *d, struct str from,
	struct arena *a, struct str *to_r, struct err *err)
{
	struct fake_state *fs = fake_of(state);

	(void)a;
	BEGIN(fs, err);
	for (size_t i = 0; i < ARRAY_LEN(fs->moved); i++)
		if (fs->moved[i].device == d->id && d->id &&
			str_eq(fs->moved[i].m.from, from) &&
			fs->moved[i].at > clock_now() - WEEK) {
			*to_r = fs->moved[i].m.to;
			return END(fs, RC_OK, err);
		}
	return END(fs, err_set(err, RC_ABSENT, "%.*s was not moved", STR_FMT(from)), err);
}

static struct note_row *note_row(struct fake_state *fs, const struct folder *f, uint32_t uid)
{
	for (size_t i = 0; i < ROWS; i++)
		if (fs->notes[i].folder == f->row && f->row &&
			fs->notes[i].uidvalidity == f->uidvalidity && fs->notes[i].n.uid == uid)
			return &fs->notes[i];
	return NULL;
}

static enum rc do_notes_load(struct state *state, const struct folder *f,
	const struct uidset *uids, struct arena *a, struct notes *r, struct err *err)
{
	struct fake_state *fs = fake_of(state);

	*r = (struct notes){ARENA_ARRAY(a, struct note, ROWS), 0};
	if (uidset_empty(uids))
		return RC_OK;
	BEGIN(fs, err);
	for (uint32_t u = uidset_above(uids, 0); u; u = uidset_above(uids, u))
		if (note_row(fs, f, u))
			r->v[r->n++] = note_row(fs, f, u)->n;
	return END(fs, RC_OK, err);
}

static enum rc do_notes_store(struct state *state, const struct folder *f, const struct note *v,
	size_t n, struct err *err)
{
	struct fake_state *fs = fake_of(state);

	BEGIN(fs, err);
	for (size_t k = 0; k < n; k++) {
		struct note_row *row = note_row(fs, f, v[k].uid);

		for (size_t i = 0; i < ROWS && !row; i++)
			if (!fs->notes[i].folder)
				row = &fs->notes[i];
		assert(row);
		*row = (struct note_row){
			v[k].bytes.n ? f->row : 0, f->uidvalidity,
			{v[k].uid, fake_kept(fs, v[k].bytes)}
                };
	}
	return END(fs, RC_OK, err);
}

static enum rc do_search_store(
	struct state *state, const struct device *d, struct str bytes, struct err *err)
{
	struct fake_state *fs = fake_of(state);
	size_t i = 0;

	BEGIN(fs, err);
	while (i < ROWS && fs->searches[i].device && fs->searches[i].device != d->id)
		i++;
	assert(i < ROWS);
	if (d->id)
		fs->searches[i] = (struct search_row){d->id, clock_now(), fake_kept(fs, bytes)};
	return END(fs, RC_OK, err);
}

static enum rc do_search_load(struct state *state, const struct device *d, int64_t age,
	struct arena *a, struct str *bytes_r, struct err *err)
{
	struct fake_state *fs = fake_of(state);

	(void)a;
	BEGIN(fs, err);
	for (size_t i = 0; i < ROWS; i++)
		if (d->id && fs->searches[i].device == d->id &&
			fs->searches[i].at > clock_now() - age) {
			*bytes_r = fs->searches[i].bytes;
			return END(fs, RC_OK, err);
		}
	return END(fs, err_set(err, RC_ABSENT, "no search"), err);
}

static struct watched_row *watched_row(struct fake_state *fs, int64_t folder)
{
	for (size_t i = 0; i < ROWS; i++)
		if (fs->changes[i].folder == folder)
			return &fs->changes[i];
	return NULL;
}

struct watched_row *fake_watched(struct fake_state *fs, int64_t folder)
{
	struct watched_row *row = watched_row(fs, folder);

	if (row)
		return row;
	row = watched_row(fs, 0);
	assert(row);
	*row = (struct watched_row){.folder = folder};
	return row;
}

static enum rc do_watch_look(struct state *state, const struct account *ac,
	const struct device *d, struct arena *a, struct watch *w, struct err *err)
{
	struct fake_state *fs = fake_of(state);
	struct folder none;

	(void)a;
	BEGIN(fs, err);
	w->covered = fs->covered;
	w->watched = fs->watched;
	w->hierarchy_seq = 0;
	w->hierarchy_current = fs->covered && fs->hierarchy_known;
	peek(fs, ac, d, (struct str){"", 0}, &none, &w->hierarchy);
	for (size_t i = 0; i < w->n; i++) {
		struct watched_folder *v = &w->v[i];
		struct watched_row *row;

		*v = (struct watched_folder){.id = v->id};
		peek(fs, ac, d, v->id, &v->folder, &v->c);
		row = v->folder.row ? watched_row(fs, v->folder.row) : NULL;
		v->seq = row ? row->seq : 0;
		if (v->folder.row && v->folder.kind != FOLDER_MAIL) {
			v->version = fake_items_version(fs, v->folder.row);
			v->current = v->folder.kind == FOLDER_RECIPIENTS ||
				     (fs->covered && row && row->asked);
			continue;
		}
		if (!row)
			continue;
		v->mark = row->mark;
		v->current = fs->covered && row->mark.modseq;
	}
	return END(fs, RC_OK, err);
}

static enum rc do_watch_begin(struct state *state, const struct account *ac, struct err *err)
{
	struct fake_state *fs = fake_of(state);

	(void)ac;
	BEGIN(fs, err);
	fs->watched = true;
	return END(fs, RC_OK, err);
}

static enum rc do_watch_note(struct state *state, const struct account *ac,
	const struct watch *w, bool hierarchy, struct err *err)
{
	struct fake_state *fs = fake_of(state);

	(void)ac;
	BEGIN(fs, err);
	fs->hierarchy_known = fs->hierarchy_known || hierarchy;
	for (size_t i = 0; i < w->n; i++) {
		const struct watched_folder *v = &w->v[i];
		struct watched_row *row;
		bool mail = v->folder.kind == FOLDER_MAIL;

		if (v->current || !v->folder.row || (mail ? !v->mark.modseq : !v->asked))
			continue;
		row = fake_watched(fs, v->folder.row);
		if (!mail)
			row->asked = true;
		else if (row->seq == v->seq)
			row->mark = v->mark;
	}
	return END(fs, RC_OK, err);
}

static enum rc do_watch_own(struct state *state, const struct device *d, struct err *err)
{
	struct fake_state *fs = fake_of(state);

	(void)d;
	BEGIN(fs, err);
	return END(fs, RC_OK, err);
}

static enum rc do_skip_add(struct state *state, const struct account *ac,
	const struct folder *f, struct str item, struct str reason, struct err *err)
{
	struct fake_state *fs = fake_of(state);

	(void)ac;
	(void)f;
	(void)reason;
	BEGIN(fs, err);
	for (size_t i = 0; i < fs->nskipped; i++)
		if (str_eq(fs->skipped[i], item))
			return END(fs, RC_OK, err);
	assert(fs->nskipped < ROWS);
	fs->skipped[fs->nskipped++] = fake_kept(fs, item);
	return END(fs, RC_OK, err);
}

static const struct state_ops ops = {
	.begin = do_begin,
	.end = do_end,
	.device_save = do_device_save,
	.folders_load = do_folders_load,
	.folders_store = do_folders_store,
	.folder_get = do_folder_get,
	.collection_open = do_open,
	.collection_peek = do_peek,
	.collection_store = do_store,
	.collection_close = do_close,
	.sent_claim = do_sent_claim,
	.sent_done = do_sent_done,
	.sent_drop = do_sent_drop,
	.moved_add = do_moved_add,
	.moved_find = do_moved_find,
	.notes_load = do_notes_load,
	.notes_store = do_notes_store,
	.search_store = do_search_store,
	.search_load = do_search_load,
	.shadows_load = fake_shadows_load,
	.shadow_seen = fake_shadow_seen,
	.item_own = fake_item_own,
	.items_since = fake_items_since,
	.items_get = fake_items_get,
	.items_at = fake_items_at,
	.items_numbers = fake_items_numbers,
	.watch_look = do_watch_look,
	.watch_begin = do_watch_begin,
	.watch_note = do_watch_note,
	.watch_own = do_watch_own,
	.skip_add = do_skip_add,
};

struct fake_state *fake_state_new(void)
{
	struct fake_state *fs = calloc(1, sizeof(*fs));

	assert(fs);
	fs->state.ops = &ops;
	fs->a = arena_new();
	return fs;
}

void fake_state_free(struct fake_state *fs)
{
	if (!fs)
		return;
	arena_free(fs->a);
	free(fs->items);
	free(fs);
}

struct state *fake_state_state(struct fake_state *fs)
{
	return &fs->state;
}

void fake_state_entitle(struct fake_state *fs, const char *login, enum entitlement e)
{
	account_of(fs, str_of(login))->entitlement = e;
}

void fake_state_max_devices(struct fake_state *fs, unsigned max)
{
	fs->max_devices = max;
}

void fake_state_ceiling(struct fake_state *fs, const char *login, enum eas_version v)
{
	account_of(fs, str_of(login))->ceiling = v;
}

static struct device_row *device_named(struct fake_state *fs, const char *device_id)
{
	for (size_t i = 0; i < ROWS; i++)
		if (fs->devices[i].d.id && str_is(fs->devices[i].d.device_id, device_id))
			return &fs->devices[i];
	abort();
}

void fake_state_access(struct fake_state *fs, const char *device_id, enum device_access access)
{
	device_named(fs, device_id)->d.access = access;
}

void fake_state_forget_device(struct fake_state *fs, const char *device_id)
{
	struct device_row *row = device_named(fs, device_id);

	for (size_t i = 0; i < ROWS; i++)
		if (fs->collections[i].device == row->d.id)
			fs->collections[i].device = 0;
	row->d.id = 0;
}

const struct device *fake_state_device(struct fake_state *fs, const char *device_id)
{
	return &device_named(fs, device_id)->d;
}

size_t fake_state_skipped(struct fake_state *fs)
{
	return fs->nskipped;
}

void fake_state_fail_after(struct fake_state *fs, unsigned n, bool after)
{
	fs->fail_in = n;
	fs->fail_late = after;
}

unsigned fake_state_calls(struct fake_state *fs)
{
	return fs->calls;
}

size_t fake_state_taken(struct fake_state *fs)
{
	return fs->nlocks;
}

void fake_state_home(struct fake_state *fs, const char *login, const char *home)
{
	account_of(fs, str_of(login))->home = fake_kept(fs, str_of(home));
}

void fake_state_retry(struct fake_state *fs)
{
	for (size_t i = 0; i < ARRAY_LEN(fs->folders); i++)
		fs->folders[i].f.retries++;
}

void fake_state_cover(struct fake_state *fs, bool covered)
{
	fs->covered = covered;
}
