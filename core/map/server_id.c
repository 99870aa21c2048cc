#include "core/map/server_id.h"

#define SERVER_ID_MAX 64

struct str server_id_format(struct arena *a, struct str collection, uint32_t uid)
{
	return arena_printf(a, "%.*s:%u", STR_FMT(collection), uid);
}

enum rc server_id_parse(
	struct str text, struct str *collection_r, uint32_t *uid_r, struct str *section_r)
{
	struct str rest = text, uid;

	*section_r = STR_NONE;
	if (text.n > SERVER_ID_MAX || !str_next(&rest, ':', collection_r) ||
		collection_r->n == 0)
		return RC_INVALID;
	if (!str_next(&rest, ':', &uid) || !str_u32(uid, uid_r) || *uid_r == 0)
		return RC_INVALID;
	*section_r = rest;
	return RC_OK;
}

struct str long_id_format(
	struct arena *a, struct str collection, uint32_t uid, uint32_t uidvalidity)
{
	return arena_printf(a, "L:%.*s:%u:%u", STR_FMT(collection), uid, uidvalidity);
}

enum rc long_id_parse(
	struct str text, struct str *collection_r, uint32_t *uid_r, uint32_t *uidvalidity_r)
{
	struct str section;

	if (!str_starts(text, "L:") ||
		server_id_parse(str_sub(text, 2, text.n), collection_r, uid_r, &section) ||
		!str_u32(section, uidvalidity_r))
		return RC_INVALID;
	return RC_OK;
}
