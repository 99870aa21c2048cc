/*
 * item_class: what the objects of a DAV collection say, and how that reads to a device: a table
 * with one row a class. The engine (item_sync.h) moves them without looking inside.
 */
#ifndef EASPOOL_CORE_SYNC_ITEM_CLASS_H
#define EASPOOL_CORE_SYNC_ITEM_CLASS_H

#include "core/map/email.h"
#include "core/map/ghost.h"
#include "core/model/state.h"

/* How a device's Add or Change is to be understood. */
struct item_edit {
	enum eas_version version;
	const struct ghosts *ghosts;
	bool keep_picture;                   /* an absent or empty Picture means nothing */
	const struct email_options *options; /* what it is sent bodies with */
	struct str uid;                      /* of a new object whose data has none */
	bool newer; /* a new object in the newer format: the server refused the other */
	bool whole; /* it says all there is: notes and a picture that it lacks go */
};

struct item_class {
	enum folder_kind kind;
	const char *name;                 /* airsync:Class */
	unsigned dav;                     /* DAV_CARDS, ... */
	const char *type;                 /* media type of its objects */
	const char *suffix;               /* of the names of new ones */
	unsigned default_type, user_type; /* FolderTypes */
	/* The children of ApplicationData; RC_INVALID: it cannot be shown; RC_ABSENT: devices
	 * have no such thing. */
	enum rc (*write)(const struct item *it, struct str bytes, const struct email_options *o,
		struct arena *a, struct wbxml_writer *w, struct err *err);
	/* The object with what `data` says; bytes STR_NONE: a new one. The same bytes when
	 * nothing changes. */
	enum rc (*apply)(struct str bytes, const struct elem *data, const struct item_edit *e,
		struct arena *a, struct str *r, struct err *err);
	struct str (*uid)(struct str bytes, struct arena *a);
	/* The UID that a device gives a new object; NULL: there is no such thing. An object
	 * that has it already is the one that is meant. */
	struct str (*data_uid)(const struct elem *data);
	/* When it is over, seconds since 1970; INT64_MAX: never; INT64_MIN: there is nothing
	 * in it for a device. NULL: such things have no end. */
	int64_t (*end)(struct str bytes, struct arena *a);
	/* Whether what a person reads in the object contains each of the words. */
	bool (*says)(struct str bytes, const struct str *words, size_t n, struct arena *a);
};

/* NULL: folders of that kind hold no such items. */
const struct item_class *item_class_of(enum folder_kind kind);
/* NULL: there is no such class. */
const struct item_class *item_class_named(struct str name);
/* That of folders of a type; NULL. */
const struct item_class *item_class_of_type(unsigned folder_type);
/* All that are kept in DAV collections, by place; NULL past the end. */
const struct item_class *item_class_at(size_t i);

#endif
