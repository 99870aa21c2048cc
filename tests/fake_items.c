#include "core/base/clock.h"
#include "tests/fake_state_internal.h"

#include <assert.h>
#include <stdlib.h>

enum { MONTH = 30 * 86400 };

static bool is_of(struct fake_state *fs, const struct account *ac, int64_t folder)
{
	for (size_t i = 0; i < ARRAY_LEN(fs->folders); i++)
		if (fs->folders[i].account == ac->id && fs->folders[i].f.row == folder)
			return true;
	return false;
}

/* The shadow of a folder, made when it is not there. */
static struct shadow *shadow_of(struct fake_state *fs, int64_t folder)
{
	struct shadow *unused = NULL;

	for (size_t i = 0; i < ROWS; i++) {
		if (fs->shadows[i].folder == folder)
			return &fs->shadows[i];
		if (!fs->shadows[i].folder && !unused)
			unused = &fs->shadows[i];
	}
	assert(unused);
	*unused = (struct shadow){
		.folder = folder, .token = {"", 0}
        };
	return unused;
}

uint64_t fake_items_version(struct fake_state *fs, int64_t folder)
{
	return shadow_of(fs, folder)->version;
}

void fake_items_forget(struct fake_state *fs, int64_t folder)
{
	*shadow_of(fs, folder) = (struct shadow){.folder = 0};
	for (size_t i = 0; i < fs->nitems; i++)
		if (fs->items[i].it.folder == folder)
			fs->items[i].it.folder = 0;
}

static struct item_row *find(struct fake_state *fs, int64_t folder, struct str href)
{
	for (size_t i = 0; i < fs->nitems; i++)
		if (fs->items[i].it.folder == folder && str_eq(fs->items[i].it.href, href))
			return &fs->items[i];
	return NULL;
}

static struct item_row *add(
	struct fake_state *fs, struct account_row *ac, int64_t folder, struct str href)
{
	if (fs->nitems == fs->items_cap) {
		fs->items_cap = fs->items_cap ? 2 * fs->items_cap : 64;
		fs->items = realloc(fs->items, fs->items_cap * sizeof(*fs->items));
		assert(fs->items);
	}
	fs->items[fs->nitems] = (struct item_row){
		.it = {.number = ++ac->next_item, .folder = folder}
        };
	fs->items[fs->nitems].it.href = fake_kept(fs, href);
	return &fs->items[fs->nitems++];
}

/* Whether that is news. */
static bool put(struct fake_state *fs, struct account_row *ac, struct shadow *sh,
	const struct dav_entry *e)
{
	struct item_row *row = find(fs, sh->folder, e->href);
	bool same =
		row && row->it.gone == e->gone && (e->gone || str_eq(row->it.etag, e->etag));

	if (same || (!row && e->gone))
		return false;
	if (!row)
		row = add(fs, ac, sh->folder, e->href);
	if (!e->gone)
		row->it.etag = fake_kept(fs, e->etag);
	row->it.gone = e->gone;
	row->it.version = sh->version = ++ac->item_version;
	row->at = clock_now();
	return true;
}

static bool listed(const struct dav_changes *ch, size_t from, struct str href)
{
	for (size_t i = from; i < ch->n; i++)
		if (str_eq(ch->v[i].href, href))
			return true;
	return false;
}

static bool take_list(struct fake_state *fs, struct account_row *ac, struct shadow *sh,
	const struct dav_changes *ch)
{
	bool news = false;

	/* Of two that say something of the same member the last one counts. */
	for (size_t i = 0; i < ch->n; i++)
		if (!listed(ch, i + 1, ch->v[i].href))
			news |= put(fs, ac, sh, &ch->v[i]);
	for (size_t i = 0; i < fs->nitems && ch->whole; i++) {
		const struct item *it = &fs->items[i].it;

		if (it->folder == sh->folder && !it->gone && !listed(ch, 0, it->href))
			news |= put(fs, ac, sh, &(struct dav_entry){it->href, it->etag, true});
	}
	return news;
}

/* Something of the folder changed: who waits is told, and what is gone for long is forgotten.
 */
static void changed(struct fake_state *fs, struct shadow *sh)
{
	for (size_t i = 0; i < fs->nitems; i++) {
		struct item *it = &fs->items[i].it;

		if (it->folder != sh->folder || !it->gone ||
			fs->items[i].at > clock_now() - MONTH)
			continue;
		if (it->version > sh->purged)
			sh->purged = it->version;
		it->folder = 0;
	}
	if (fs->watched)
		fake_watched(fs, sh->folder)->seq++;
}

enum rc fake_shadows_load(struct state *state, const struct account *ac, struct shadow *v,
	size_t n, struct arena *a, struct err *err)
{
	struct fake_state *fs = fake_of(state);

	(void)a;
	BEGIN(fs, err);
	for (size_t i = 0; i < n; i++)
		v[i] = is_of(fs, ac, v[i].folder)
			       ? *shadow_of(fs, v[i].folder)
			       : (struct shadow){
					 .folder = v[i].folder, .token = {"", 0}
                };
	return END(fs, RC_OK, err);
}

enum rc fake_shadow_seen(struct state *state, const struct account *ac, struct shadow *sh,
	const struct dav_changes *ch, struct arena *a, struct err *err)
{
	struct fake_state *fs = fake_of(state);
	struct shadow *stored;

	(void)a;
	BEGIN(fs, err);
	if (!is_of(fs, ac, sh->folder))
		return err_set(err, RC_ABSENT, "there is no such folder");
	stored = shadow_of(fs, sh->folder);
	if (!str_eq(stored->token, sh->token) || (ch->whole && stored->version != sh->version))
		return err_set(err, RC_CONFLICT, "somebody else has looked meanwhile");
	if (take_list(fs, fake_account(fs, ac->id), stored, ch))
		changed(fs, stored);
	stored->token = fake_kept(fs, ch->token);
	*sh = *stored;
	fake_watched(fs, sh->folder)->asked = true;
	return END(fs, RC_OK, err);
}

enum rc fake_item_own(struct state *state, const struct account *ac, int64_t folder,
	struct str href, struct str etag, bool gone, struct arena *a, struct item *r,
	struct err *err)
{
	struct fake_state *fs = fake_of(state);
	struct item_row *row;

	(void)a;
	BEGIN(fs, err);
	if (!is_of(fs, ac, folder))
		return err_set(err, RC_ABSENT, "there is no such folder");
	if (put(fs, fake_account(fs, ac->id), shadow_of(fs, folder),
		    &(struct dav_entry){href, etag, gone}))
		changed(fs, shadow_of(fs, folder));
	row = find(fs, folder, href);
	*r = row ? row->it : (struct item){.folder = folder, .href = href, .gone = true};
	return END(fs, RC_OK, err);
}

static bool wanted(struct fake_state *fs, const struct account *ac, const int64_t *folders,
	size_t n, const struct item *it)
{
	bool named = false;

	for (size_t i = 0; i < n; i++)
		named |= folders[i] == it->folder;
	return named && it->folder && is_of(fs, ac, it->folder);
}

static int by_version(const void *x, const void *y)
{
	const struct item *i = x, *k = y;

	return i->version < k->version ? -1 : i->version > k->version;
}

enum rc fake_items_since(struct state *state, const struct account *ac, const int64_t *folders,
	size_t n, uint64_t version, size_t most, struct arena *a, struct items *r,
	struct err *err)
{
	struct fake_state *fs = fake_of(state);

	BEGIN(fs, err);
	*r = (struct items){ARENA_ARRAY(a, struct item, fs->nitems + 1), 0};
	for (size_t i = 0; i < fs->nitems; i++)
		if (fs->items[i].it.version > version &&
			wanted(fs, ac, folders, n, &fs->items[i].it))
			r->v[r->n++] = fs->items[i].it;
	qsort(r->v, r->n, sizeof(*r->v), by_version);
	r->n = r->n < most ? r->n : most;
	return END(fs, RC_OK, err);
}

enum rc fake_items_get(struct state *state, const struct account *ac, const int64_t *folders,
	size_t n, const struct uidset *numbers, struct arena *a, struct items *r,
	struct err *err)
{
	struct fake_state *fs = fake_of(state);

	BEGIN(fs, err);
	*r = (struct items){ARENA_ARRAY(a, struct item, fs->nitems + 1), 0};
	for (size_t i = 0; i < fs->nitems; i++)
		if (uidset_has(numbers, fs->items[i].it.number) &&
			wanted(fs, ac, folders, n, &fs->items[i].it))
			r->v[r->n++] = fs->items[i].it;
	return END(fs, RC_OK, err);
}

enum rc fake_items_at(struct state *state, const struct account *ac, int64_t folder,
	const struct str *hrefs, size_t n, struct arena *a, struct items *r, struct err *err)
{
	struct fake_state *fs = fake_of(state);

	BEGIN(fs, err);
	*r = (struct items){ARENA_ARRAY(a, struct item, fs->nitems + 1), 0};
	for (size_t i = 0; i < fs->nitems; i++)
		for (size_t k = 0; k < n; k++)
			if (str_eq(fs->items[i].it.href, hrefs[k]) &&
				wanted(fs, ac, &folder, 1, &fs->items[i].it))
				r->v[r->n++] = fs->items[i].it;
	return END(fs, RC_OK, err);
}

enum rc fake_items_numbers(struct state *state, const struct account *ac,
	const int64_t *folders, size_t n, struct uidset *r, struct err *err)
{
	struct fake_state *fs = fake_of(state);

	BEGIN(fs, err);
	for (size_t i = 0; i < fs->nitems; i++)
		if (!fs->items[i].it.gone && wanted(fs, ac, folders, n, &fs->items[i].it))
			uidset_add(r, fs->items[i].it.number);
	return END(fs, RC_OK, err);
}
