/*
 * pg_internal: what the files of the state store share.
 */
#ifndef EASPOOL_STORE_POSTGRES_PG_INTERNAL_H
#define EASPOOL_STORE_POSTGRES_PG_INTERNAL_H

#include "store/postgres/conn.h"
#include "store/postgres/pg.h"

struct pg_state {
	struct state state; /* first */
	struct conn conn;
	unsigned locked_at; /* conn.opened when a lock was taken; 0: none is held */
	unsigned locks;     /* that are held */
};

enum rc pg_begin(struct state *, struct str, const struct device *, struct arena *,
	struct account *, struct device *, struct err *);
enum rc pg_device_save(struct state *, const struct device *, unsigned, struct err *);

enum rc pg_folders_load(
	struct state *, const struct account *, struct arena *, struct folders *, struct err *);
enum rc pg_folders_store(
	struct state *, const struct account *, struct folders *, struct arena *, struct err *);
enum rc pg_folder_get(struct state *, const struct account *, struct str, struct arena *,
	struct folder *, struct err *);
/* Columns row, id, kind, path, uidvalidity, mailbox_id, parent, name, type, selectable,
 * retries.
 */
#define FOLDER_COLUMNS                                                                         \
	"f.row, f.id, f.kind, f.path, f.uidvalidity, f.mailbox_id, f.parent, f.name, f.type, " \
	"f.selectable, f.retries"
void pg_folder(PGresult *r, int row, int column, struct arena *a, struct folder *f);

/* note.c */
enum rc pg_notes_load(struct state *, const struct folder *, const struct uidset *,
	struct arena *, struct notes *, struct err *);
enum rc pg_notes_store(
	struct state *, const struct folder *, const struct note *, size_t, struct err *);
enum rc pg_search_store(struct state *, const struct device *, struct str, struct err *);
enum rc pg_search_load(struct state *, const struct device *, int64_t, struct arena *,
	struct str *, struct err *);

/* items.c */
enum rc pg_shadows_load(struct state *, const struct account *, struct shadow *, size_t,
	struct arena *, struct err *);
enum rc pg_shadow_seen(struct state *, const struct account *, struct shadow *,
	const struct dav_changes *, struct arena *, struct err *);
enum rc pg_item_own(struct state *, const struct account *, int64_t, struct str, struct str,
	bool, struct arena *, struct item *, struct err *);
enum rc pg_items_since(struct state *, const struct account *, const int64_t *, size_t,
	uint64_t, size_t, struct arena *, struct items *, struct err *);
enum rc pg_items_at(struct state *, const struct account *, int64_t, const struct str *, size_t,
	struct arena *, struct items *, struct err *);
enum rc pg_items_get(struct state *, const struct account *, const int64_t *, size_t,
	const struct uidset *, struct arena *, struct items *, struct err *);
enum rc pg_items_numbers(struct state *, const struct account *, const int64_t *, size_t,
	struct uidset *, struct err *);

/* watch.c */
enum rc pg_watch_look(struct state *, const struct account *, const struct device *,
	struct arena *, struct watch *, struct err *);
enum rc pg_watch_begin(struct state *, const struct account *, struct err *);
enum rc pg_watch_note(
	struct state *, const struct account *, const struct watch *, bool, struct err *);
enum rc pg_watch_own(struct state *, const struct device *, struct err *);
/* Columns epoch, generation, state, round, options, revision; not there: all zero. */
void pg_collection(PGresult *r, int row, int column, struct arena *a, struct collection *c);

/* A session advisory lock on (device, text), held until pg_unlock() or the end of the request.
 */
MUST_USE enum rc pg_lock(
	struct pg_state *s, const struct device *d, struct str what, struct err *err);
void pg_unlock(struct pg_state *s, const struct device *d, struct str what);

#endif
