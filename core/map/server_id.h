/*
 * server_id: ServerIds of mail, "<CollectionId>:<uid>", and FileReferences,
 * "<CollectionId>:<uid>:<section>", and LongIds of search results,
 * "L:<CollectionId>:<uid>:<UIDVALIDITY>". Short ASCII, stable, safe in a URL.
 */
#ifndef EASPOOL_CORE_MAP_SERVER_ID_H
#define EASPOOL_CORE_MAP_SERVER_ID_H

#include "core/base/arena.h"
#include "core/base/rc.h"

struct str server_id_format(struct arena *a, struct str collection, uint32_t uid);
/* section_r STR_NONE for a ServerId. Slices borrow from the text. RC_INVALID: not of our
 * making. */
MUST_USE enum rc server_id_parse(
	struct str text, struct str *collection_r, uint32_t *uid_r, struct str *section_r);

struct str long_id_format(
	struct arena *a, struct str collection, uint32_t uid, uint32_t uidvalidity);
MUST_USE enum rc long_id_parse(
	struct str text, struct str *collection_r, uint32_t *uid_r, uint32_t *uidvalidity_r);

#endif
