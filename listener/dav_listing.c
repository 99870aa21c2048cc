#include "listener/dav_listing.h"

#include <string.h>

/* FNV-1a, and a mark that no text has behind each. */
static uint64_t add(uint64_t h, struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		h = (h ^ (unsigned char)s.p[i]) * 1099511628211ULL;
	return (h ^ 0x100) * 1099511628211ULL;
}

uint64_t dav_listing_mark(const struct dav_collections *list)
{
	uint64_t h = 14695981039346656037ULL;

	for (size_t i = 0; i < list->n; i++)
		h = add(add(h, list->v[i].path), list->v[i].name);
	return h ? h : 1;
}

static bool named(struct str folder, struct str name)
{
	struct str rest = str_sub(folder, name.n, folder.n);

	return folder.n >= name.n && str_eq(str_sub(folder, 0, name.n), name) &&
	       (rest.n == 0 || str_starts(rest, " ("));
}

static bool has(
	const struct folder *v, size_t n, enum folder_kind kind, const struct dav_collection *c)
{
	for (size_t i = 0; i < n; i++)
		if (v[i].kind == kind && str_eq(v[i].path, c->path))
			return named(v[i].name, c->name);
	return false;
}

bool dav_listing_known(const struct dav_collections *list, enum folder_kind kind,
	const struct folder *v, size_t n)
{
	size_t same = 0;

	for (size_t i = 0; i < n; i++)
		same += v[i].kind == kind;
	if (same != list->n)
		return false;
	for (size_t i = 0; i < list->n; i++)
		if (!has(v, n, kind, &list->v[i]))
			return false;
	return true;
}
