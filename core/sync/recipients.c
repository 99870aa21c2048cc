#include "core/sync/recipients.h"

#include "core/base/utf8.h"

#include <glib.h>
#include <stdlib.h>

/* So many are kept, and so many of one mail noted. */
enum { KEPT_MAX = 500, NOTED_MAX = 20, NAME_MAX_BYTES = 200, LOOKED_AT = 100000 };

/* An etag is "<uses> <name>". */
static uint32_t uses_of(struct str etag, struct str *name_r)
{
	size_t space = str_find(etag, ' ');
	uint32_t n = 0;

	*name_r = str_sub(etag, space + 1, etag.n);
	return str_u32(str_sub(etag, 0, space), &n) ? n : 0;
}

static struct str lower(struct str s, struct arena *a)
{
	char *c = arena_cstr(a, s);

	for (size_t i = 0; i < s.n; i++)
		c[i] = g_ascii_tolower(c[i]);
	return (struct str){c, s.n};
}

static const struct item *of_address(const struct items *items, struct str href)
{
	for (size_t i = 0; i < items->n; i++)
		if (str_eq(items->v[i].href, href))
			return &items->v[i];
	return NULL;
}

static enum rc note_one(struct state *s, const struct account *ac, int64_t folder,
	const struct items *items, const struct recipient *r, struct arena *a, struct err *err)
{
	struct str href = lower(r->address, a), name = r->name, old = {"", 0};
	const struct item *it = of_address(items, href);
	uint32_t uses = it && !it->gone ? uses_of(it->etag, &old) : 0;
	struct item now;

	if (!name.n)
		name = old;
	name = utf8_cleaned(utf8_cut(name, NAME_MAX_BYTES), a);
	return state_call(s, item_own, ac, folder, href,
		arena_printf(a, "%u %.*s", uses < UINT16_MAX ? uses + 1 : uses, STR_FMT(name)),
		false, a, &now, err);
}

/* Used less, or longer ago. */
static int by_use(const void *x, const void *y)
{
	const struct item *a = *(const struct item *const *)x;
	const struct item *b = *(const struct item *const *)y;
	struct str name;
	uint32_t m = uses_of(a->etag, &name), n = uses_of(b->etag, &name);

	if (m != n)
		return m < n ? 1 : -1;
	return a->version < b->version ? 1 : -1;
}

/* The most used first. */
static const struct item **ranked(const struct items *items, struct arena *a, size_t *n_r)
{
	const struct item **v = ARENA_ARRAY(a, const struct item *, items->n + 1);
	size_t n = 0;

	for (size_t i = 0; i < items->n; i++)
		if (!items->v[i].gone)
			v[n++] = &items->v[i];
	qsort(v, n, sizeof(const struct item *), by_use);
	*n_r = n;
	return v;
}

/* Room for new ones: the least used go. */
static enum rc make_room(struct state *s, const struct account *ac, int64_t folder,
	const struct items *items, size_t fresh, struct arena *a, struct err *err)
{
	size_t n;
	const struct item **v = ranked(items, a, &n);
	struct item gone;
	enum rc rc = RC_OK;

	for (size_t i = n; i > 0 && i + fresh > KEPT_MAX && rc == RC_OK; i--)
		rc = state_call(s, item_own, ac, folder, v[i - 1]->href, v[i - 1]->etag, true,
			a, &gone, err);
	return rc;
}

enum rc recipients_note(struct state *s, const struct account *ac, const struct recipient *v,
	size_t n, struct arena *a, struct err *err)
{
	struct folder folder;
	struct items items;
	size_t fresh = 0;
	enum rc rc = state_call(s, folder_get, ac, STR("RI"), a, &folder, err);

	if (rc == RC_OK)
		rc = state_call(
			s, items_since, ac, &folder.row, 1, 0, LOOKED_AT, a, &items, err);
	if (rc)
		return rc;
	n = n < NOTED_MAX ? n : NOTED_MAX;
	for (size_t i = 0; i < n; i++)
		fresh += of_address(&items, lower(v[i].address, a)) == NULL;
	rc = make_room(s, ac, folder.row, &items, fresh, a, err);
	for (size_t i = 0; i < n && rc == RC_OK; i++)
		rc = note_one(s, ac, folder.row, &items, &v[i], a, err);
	return rc;
}

struct uidset recipients_top(const struct items *items, size_t most, struct arena *a)
{
	size_t n;
	const struct item **v = ranked(items, a, &n);
	struct uidset r;

	uidset_init(&r, a);
	for (size_t i = 0; i < n && i < most; i++)
		uidset_add(&r, v[i]->number);
	return r;
}

/* [MS-ASCNTC] 2.2.2: Alias and WeightedRank are told of these alone. */
enum rc recipients_write(const struct item *it, struct str bytes, const struct email_options *o,
	struct arena *a, struct wbxml_writer *w, struct err *err)
{
	struct str name;
	uint32_t uses = uses_of(bytes, &name);

	(void)o;
	(void)a;
	(void)err;
	wbxml_text(w, CONTACTS_EMAIL1_ADDRESS, it->href);
	wbxml_text(w, CONTACTS_FILE_AS, name.n ? name : it->href);
	wbxml_text(w, CONTACTS_ALIAS, str_sub(it->href, 0, str_find(it->href, '@')));
	wbxml_int(w, CONTACTS_WEIGHTED_RANK, uses);
	return RC_OK;
}
