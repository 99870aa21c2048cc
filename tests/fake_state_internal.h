/*
 * fake_state_internal: what the files of the fake of core/model/state.h share.
 */
#ifndef EASPOOL_TESTS_FAKE_STATE_INTERNAL_H
#define EASPOOL_TESTS_FAKE_STATE_INTERNAL_H

#include "tests/fake_state.h"

enum { ROWS = 400, WEEK = 7 * 86400 };

struct account_row {
	int64_t id, version;
	struct str login;
	enum entitlement entitlement;
	enum eas_version ceiling;
	struct str home;
	unsigned next_folder;
	uint64_t item_version;
	uint32_t next_item;
};

struct device_row {
	int64_t account;
	struct device d; /* id 0: a free row */
};

struct folder_row {
	int64_t account; /* 0: a free row */
	struct folder f;
};

struct collection_row {
	int64_t device; /* 0: a free row */
	struct str id;
	struct collection c;
};

struct sent_row {
	int64_t device, at;
	struct str id;
};

struct moved_row {
	int64_t device, at;
	struct moved m;
};

struct lock {
	int64_t device;
	struct str what;
};

/* Texts are never freed singly: a test is short. */
struct fake_state {
	struct state state; /* first */
	struct arena *a;
	struct account_row accounts[ROWS];
	struct device_row devices[ROWS];
	struct folder_row folders[20 * ROWS];
	struct collection_row collections[ROWS];
	struct sent_row sent[ROWS];
	struct moved_row moved[4 * ROWS];
	struct note_row {
		int64_t folder; /* 0: a free row */
		uint32_t uidvalidity;
		struct note n;
	} notes[ROWS];
	struct search_row {
		int64_t device, at;
		struct str bytes;
	} searches[ROWS];
	struct watched_row {
		int64_t folder; /* 0: a free row */
		uint64_t seq;
		struct mail_mark mark;
		bool asked; /* the server of a collection was */
	} changes[ROWS];
	struct str skipped[ROWS];
	struct shadow shadows[ROWS]; /* folder 0: a free row */
	struct item_row {
		struct item it; /* folder 0: forgotten */
		int64_t at;
	} * items;
	bool covered, watched, hierarchy_known;
	struct lock locks[ROWS];
	size_t naccounts, nskipped, nlocks, nitems, items_cap;
	int64_t next_id;
	unsigned max_devices, calls, fail_in;
	bool fail_late, fail_now;
};

static inline struct fake_state *fake_of(struct state *s)
{
	return (struct fake_state *)s;
}

/* Each op begins and ends so: it may be the one that is to fail. */
enum rc fake_begin(struct fake_state *fs, struct err *err);
enum rc fake_end(struct fake_state *fs, enum rc rc, struct err *err);
#define BEGIN(fs, err)                                                                         \
	do {                                                                                   \
		if (fake_begin((fs), (err)))                                                   \
			return RC_UNAVAILABLE;                                                 \
	} while (0)
#define END(fs, rc, err) fake_end((fs), (rc), (err))

/* A copy that lives as long as the fake; empty stays empty and present. */
struct str fake_kept(struct fake_state *fs, struct str s);
struct account_row *fake_account(struct fake_state *fs, int64_t id);
/* What was noticed of a folder; made when there is none. */
struct watched_row *fake_watched(struct fake_state *fs, int64_t folder);

/* fake_items.c */
enum rc fake_shadows_load(struct state *, const struct account *, struct shadow *, size_t,
	struct arena *, struct err *);
enum rc fake_shadow_seen(struct state *, const struct account *, struct shadow *,
	const struct dav_changes *, struct arena *, struct err *);
enum rc fake_item_own(struct state *, const struct account *, int64_t, struct str, struct str,
	bool, struct arena *, struct item *, struct err *);
enum rc fake_items_since(struct state *, const struct account *, const int64_t *, size_t,
	uint64_t, size_t, struct arena *, struct items *, struct err *);
enum rc fake_items_at(struct state *, const struct account *, int64_t, const struct str *,
	size_t, struct arena *, struct items *, struct err *);
enum rc fake_items_get(struct state *, const struct account *, const int64_t *, size_t,
	const struct uidset *, struct arena *, struct items *, struct err *);
enum rc fake_items_numbers(struct state *, const struct account *, const int64_t *, size_t,
	struct uidset *, struct err *);
/* The version of a collection's shadow. */
uint64_t fake_items_version(struct fake_state *fs, int64_t folder);
/* What went with its folder. */
void fake_items_forget(struct fake_state *fs, int64_t folder);

#endif
