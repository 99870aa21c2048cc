/*
 * folders: the account's folders after what the servers list: mailboxes, and collections of the
 * DAV server. Ids of mailboxes survive renames: by OBJECTID where the server has it, else by
 * UIDVALIDITY when only one folder has it. A DAV server that cannot be asked leaves its folders
 * as they were.
 */
#ifndef EASPOOL_CORE_SYNC_FOLDERS_H
#define EASPOOL_CORE_SYNC_FOLDERS_H

#include "core/model/mail.h"
#include "core/model/state.h"
#include "core/settings.h"

/* EAS folder types, [MS-ASCMD] 2.2.3.186.3 */
enum {
	TYPE_GENERIC = 1,
	TYPE_INBOX = 2,
	TYPE_DRAFTS = 3,
	TYPE_TRASH = 4,
	TYPE_SENT = 5,
	TYPE_CALENDAR = 8,
	TYPE_CONTACTS = 9,
	TYPE_USER_MAIL = 12,
	TYPE_USER_CALENDAR = 13,
	TYPE_USER_CONTACTS = 14,
	TYPE_RECIPIENTS = 19,
};

/* Whose folders, and where they are. */
struct folder_servers {
	struct state *state;
	const struct account *account;
	struct mail *mail;
	struct dav *dav;       /* CardDAV; NULL: there is no such server */
	struct dav *calendars; /* CalDAV, likewise */
	const struct settings *conf;
	bool *missed; /* out, or NULL: a DAV server could not be asked, its folders are those
			 that were known */
};

/* Lists what the servers have, brings the stored folders up to date, gives them back. */
MUST_USE enum rc folders_refresh(
	const struct folder_servers *from, struct arena *a, struct folders *r, struct err *err);
/* Those that a device of this version is shown. */
struct folders folders_visible(const struct folders *f, const struct settings *conf,
	enum eas_version version, struct arena *a);
/* Whether all folders of a default type are shown as one. */
bool folders_type_merged(const struct settings *conf, unsigned default_type);
/* Whether all folders of its kind are shown as this one. */
bool folders_merged(const struct settings *conf, const struct folder *f);
/* All of them in an order, as qsort() has it of pointers to them; in the arena. */
struct folder **folders_sorted(
	const struct folders *f, struct arena *a, int (*compare)(const void *, const void *));
/* By id, by kind and path; NULL. */
const struct folder *folders_by_id(const struct folders *f, struct str id);
const struct folder *folders_by_path(
	const struct folders *f, enum folder_kind kind, struct str path);
/* Whether `it` stands below the folder of that id, however deep. */
bool folders_below(const struct folders *f, const struct folder *it, struct str id);
/* All of them, the deepest first; in the arena. */
struct folder **folders_all_below(
	const struct folders *f, struct str id, struct arena *a, size_t *n_r);
/*
 * Notes that the mail server has renamed a folder, so that it and those below it keep their
 * ids. below: what the paths of the latter begin with.
 */
MUST_USE enum rc folders_renamed(struct state *s, const struct account *ac, struct str from,
	struct str below, struct str to, struct arena *a, struct err *err);
/* The first folder of a type, NULL. */
const struct folder *folders_of_type(const struct folders *f, unsigned type);
/*
 * The folder of that type, made on the server under `name` when there is none.
 */
MUST_USE enum rc folders_need(const struct folder_servers *from, unsigned type, struct str name,
	struct arena *a, struct folder *r, struct err *err);

#endif
