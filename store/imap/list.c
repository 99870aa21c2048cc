#include "store/imap/imap_internal.h"

#include <stdlib.h>
#include <string.h>

#define FOLDERS_MAX 20000

/* RFC 6154; and what such folders are called where the server does not say. */
static const struct {
	const char *attribute;
	enum mail_use use;
	const char *names; /* '|' between, lower case */
} uses[] = {
	{"\\Drafts",  MAIL_USE_DRAFTS,  "drafts|draft|entw\xc3\xbcrfe|brouillons"                 },
	{"\\Trash",   MAIL_USE_TRASH,
         "trash|deleted items|deleted messages|papierkorb|corbeille"                              },
	{"\\Sent",    MAIL_USE_SENT,    "sent|sent items|sent messages|gesendet|gesendete objekte"},
	{"\\Junk",    MAIL_USE_JUNK,    "junk|spam|junk e-mail"                                   },
	{"\\Archive", MAIL_USE_ARCHIVE, "archive|archives|archiv"                                 },
	{"\\All",     MAIL_USE_ALL,     ""							},
	{"\\Flagged", MAIL_USE_FLAGGED, ""							},
};

struct lister {
	struct session *s;
	struct arena *a;
	struct mail_folders *r;
	size_t cap;
	bool special; /* the server names special uses */
};

static enum mail_use use_of(struct imap_value *attributes)
{
	for (struct imap_value *v = attributes; v; v = v->next)
		for (size_t i = 0; i < ARRAY_LEN(uses); i++)
			if (imap_is(v, uses[i].attribute))
				return uses[i].use;
	return MAIL_USE_NONE;
}

static void grow(struct lister *l)
{
	size_t cap = l->cap ? 2 * l->cap : 64;
	struct mail_folder *v = ARENA_ARRAY(l->a, struct mail_folder, cap);

	if (l->r->n)
		memcpy(v, l->r->v, l->r->n * sizeof(*v));
	l->r->v = v;
	l->cap = cap;
}

/* LIST (attributes) "delimiter" name */
static void on_list(struct lister *l, struct imap_value *values)
{
	struct imap_value *attributes = imap_at(values, 1), *name = imap_at(values, 3);
	struct str delimiter = imap_text(imap_at(values, 2)), raw = imap_text(name);
	struct mail_folder *f;
	size_t at;

	if (!raw.p || !attributes || attributes->kind != IMAP_LIST || l->r->n == FOLDERS_MAX)
		return;
	if (reply_has(attributes->child, "\\NonExistent"))
		return;
	if (l->r->n == l->cap)
		grow(l);
	f = &l->r->v[l->r->n++];
	*f = (struct mail_folder){
		.path = reply_path(raw, l->a), .parent = {"", 0}
        };
	f->name = f->path;
	f->selectable = !reply_has(attributes->child, "\\Noselect");
	f->use = str_is(f->path, "INBOX") ? MAIL_USE_INBOX : use_of(attributes->child);
	l->special = l->special || (f->use > MAIL_USE_INBOX);
	if (delimiter.n != 1)
		return;
	for (at = f->path.n; at > 0 && f->path.p[at - 1] != delimiter.p[0]; at--)
		;
	if (at > 1) {
		f->parent = str_sub(f->path, 0, at - 1);
		f->name = str_sub(f->path, at, f->path.n);
	}
}

static int by_path(const void *x, const void *y)
{
	return str_cmp(
		((const struct mail_folder *)x)->path, ((const struct mail_folder *)y)->path);
}

/* STATUS name (UIDVALIDITY n MAILBOXID (id)); folders are sorted by then, or nearly all there.
 */
static void on_status(struct lister *l, struct imap_value *values)
{
	struct str path = reply_path(imap_text(imap_at(values, 1)), l->a);
	struct imap_value *items = imap_at(values, 2);
	struct mail_folder *f = NULL;

	/* LIST-STATUS sends each STATUS right behind its LIST. */
	for (size_t i = l->r->n; i-- > 0 && !f;)
		if (str_eq(l->r->v[i].path, path))
			f = &l->r->v[i];
	if (!f || !items || items->kind != IMAP_LIST)
		return;
	for (struct imap_value *v = items->child; v && v->next; v = v->next->next) {
		if (imap_is(v, "UIDVALIDITY"))
			(void)str_u32(imap_text(v->next), &f->uidvalidity);
		else if (imap_is(v, "MAILBOXID") && v->next->kind == IMAP_LIST)
			f->mailbox_id = imap_text(v->next->child);
	}
}

static enum rc on_response(void *ctx, struct imap_value *values, struct err *err UNUSED)
{
	struct lister *l = ctx;

	if (imap_is(values, "LIST") || imap_is(values, "LSUB"))
		on_list(l, values);
	else if (imap_is(values, "STATUS"))
		on_status(l, values);
	else
		(void)namespace_item(l->s, values, l->a);
	return RC_OK;
}

static void guess_uses(struct lister *l)
{
	for (size_t u = 0; u < ARRAY_LEN(uses); u++) {
		struct str rest = str_of(uses[u].names), name;
		bool found = false;

		while (!found && str_next(&rest, '|', &name))
			for (size_t i = 0; i < l->r->n && !found; i++) {
				struct mail_folder *f = &l->r->v[i];

				if (f->use == MAIL_USE_NONE && str_ieq(f->name, name) &&
					(f->parent.n == 0 || str_is(f->parent, "INBOX"))) {
					f->use = uses[u].use;
					found = true;
				}
			}
	}
}

static enum rc status_each(struct session *s, struct lister *l, struct err *err)
{
	for (size_t i = 0; i < l->r->n;) {
		for (unsigned n = 0; n < 200 && i < l->r->n; i++) {
			struct str name = session_mailbox(l->r->v[i].path, l->a);

			if (!l->r->v[i].selectable)
				continue;
			(void)session_queue(s, "STATUS %.*s (UIDVALIDITY%s)", STR_FMT(name),
				s->caps & CAP_OBJECTID ? " MAILBOXID" : "");
			n++;
		}
		if (s->ncommands) {
			enum rc rc = session_run(s, l->a, on_response, l, err);

			if (rc)
				return rc;
		}
	}
	return RC_OK;
}

/* Queues a LIST of what matches; selection: "(SUBSCRIBED) " and such, or "". */
static void queue_list(
	struct session *s, const char *selection, struct str pattern, struct arena *a)
{
	struct str name = session_mailbox(pattern, a);
	const char *ids = s->caps & CAP_OBJECTID ? " MAILBOXID" : "";

	if (s->caps & CAP_LIST_STATUS)
		(void)session_queue(s, "LIST %s\"\" %.*s RETURN (%sSTATUS (UIDVALIDITY%s))",
			selection, STR_FMT(name),
			s->caps & CAP_SPECIAL_USE ? "SPECIAL-USE " : "", ids);
	else if (s->caps & CAP_SPECIAL_USE)
		(void)session_queue(
			s, "LIST %s\"\" %.*s RETURN (SPECIAL-USE)", selection, STR_FMT(name));
	else
		(void)session_queue(s, "LIST %s\"\" %.*s", selection, STR_FMT(name));
}

/* All folders, or those that are subscribed and the ones that every user needs. */
static void queue_lists(struct session *s, const struct settings *conf, struct arena *a)
{
	if (conf->folders != FOLDERS_SUBSCRIBED) {
		queue_list(s, "", STR("*"), a);
		return;
	}
	if (s->caps & CAP_LIST_EXTENDED)
		queue_list(s, "(SUBSCRIBED) ", STR("*"), a);
	else
		(void)session_queue(s, "LSUB \"\" \"*\"");
	if (s->caps & CAP_LIST_EXTENDED && s->caps & CAP_SPECIAL_USE)
		queue_list(s, "(SPECIAL-USE) ", STR("*"), a);
	queue_list(s, "", STR("INBOX"), a);
}

static enum rc run_lists(struct lister *l, struct err *err)
{
	unsigned n = l->s->ncommands;
	enum rc rc = session_run(l->s, l->a, on_response, l, err);

	for (unsigned i = 0; i < n && rc == RC_OK; i++)
		rc = session_result(&l->s->results[i], "could not list the folders", err);
	return rc;
}

static bool is_under(const struct mail_folder *f, const char *prefix)
{
	size_t n = strlen(prefix);

	/* "Shared/" is the prefix of "Shared" as well. */
	return str_starts(f->path, prefix) ||
	       (f->path.n && f->path.n == n - 1 && memcmp(f->path.p, prefix, n - 1) == 0);
}

/* Folders of others that "*" does not show. */
static enum rc list_foreign(struct lister *l, struct err *err)
{
	for (unsigned k = 0; k < l->s->nforeign; k++) {
		bool shown = false;

		for (size_t i = 0; i < l->r->n && !shown; i++)
			shown = is_under(&l->r->v[i], l->s->foreign[k]);
		if (!shown)
			queue_list(l->s, "", arena_printf(l->a, "%s*", l->s->foreign[k]), l->a);
	}
	return l->s->ncommands ? run_lists(l, err) : RC_OK;
}

static void drop_foreign(struct lister *l)
{
	size_t n = 0;

	for (size_t i = 0; i < l->r->n; i++) {
		bool foreign = false;

		for (unsigned k = 0; k < l->s->nforeign && !foreign; k++)
			foreign = is_under(&l->r->v[i], l->s->foreign[k]);
		if (!foreign)
			l->r->v[n++] = l->r->v[i];
	}
	l->r->n = n;
}

/* What several lists had is one folder; and the user's own namespace is the top. */
static void settle(struct lister *l)
{
	struct str prefix = str_of(l->s->prefix);
	size_t n = 0;

	for (size_t i = 0; i < l->r->n; i++) {
		struct mail_folder *f = &l->r->v[i], *last = n ? &l->r->v[n - 1] : NULL;

		if (last && str_eq(last->path, f->path)) {
			if (f->use != MAIL_USE_NONE)
				last->use = f->use;
			if (f->uidvalidity)
				last->uidvalidity = f->uidvalidity;
			if (f->mailbox_id.n)
				last->mailbox_id = f->mailbox_id;
			continue;
		}
		if (prefix.n > 1 && f->parent.n + 1 == prefix.n &&
			str_eq(f->parent, str_sub(prefix, 0, prefix.n - 1)))
			f->parent = (struct str){"", 0};
		l->r->v[n++] = *f;
	}
	l->r->n = n;
}

enum rc op_list(struct mail *m, struct arena *a, struct mail_folders *r, struct err *err)
{
	const struct settings *conf = mailbox_settings(m);
	struct lister l = {.a = a, .r = r};
	enum rc rc = mailbox_session((struct imap_mailbox *)m, &l.s, err);

	*r = (struct mail_folders){NULL, 0};
	if (rc)
		return rc;
	if (!l.s->namespaces && l.s->caps & CAP_NAMESPACE)
		(void)session_queue(l.s, "NAMESPACE");
	queue_lists(l.s, conf, a);
	rc = run_lists(&l, err);
	l.s->namespaces = l.s->namespaces || (rc == RC_OK && l.s->caps & CAP_NAMESPACE);
	if (rc == RC_OK && conf->shared_folders)
		rc = list_foreign(&l, err);
	if (rc)
		return rc;
	if (!conf->shared_folders)
		drop_foreign(&l);
	if (!(l.s->caps & CAP_LIST_STATUS))
		rc = status_each(l.s, &l, err);
	if (rc)
		return rc;
	if (r->n == 0)
		return err_set(err, RC_UNAVAILABLE, "the IMAP server lists no folder at all");
	qsort(r->v, r->n, sizeof(*r->v), by_path);
	settle(&l);
	if (!l.special)
		guess_uses(&l);
	return RC_OK;
}

struct status_reader {
	struct arena *a;
	const struct str *folders;
	size_t n;
	struct mail_mark *marks;
};

static enum rc on_mark(void *ctx, struct imap_value *values, struct err *err UNUSED)
{
	struct status_reader *r = ctx;
	struct mail_mark mark = {0};
	struct str path;

	if (!reply_status(values, r->a, &path, &mark))
		return RC_OK;
	for (size_t i = 0; i < r->n; i++)
		if (str_eq(path, r->folders[i]) ||
			(str_is(path, "INBOX") && str_iis(r->folders[i], "INBOX")))
			r->marks[i] = mark;
	return RC_OK;
}

enum rc op_status_many(struct mail *m, const struct str *folders, size_t n,
	struct mail_mark *marks_r, enum rc *rc_r, struct err *err)
{
	struct arena *a;
	struct session *s;
	unsigned first = 0;
	enum rc rc = mailbox_session((struct imap_mailbox *)m, &s, err);

	if (rc)
		return rc;
	if (n >= SESSION_COMMANDS)
		return err_set(err, RC_INTERNAL, "too many folders at once");
	a = arena_new();
	/* RFC 3501 6.3.10: of the folder that is open STATUS may tell the numbers of the last
	 * look, and Dovecot does. */
	if (s->selected[0]) {
		if (s->caps & CAP_UNSELECT) {
			(void)session_queue(s, "UNSELECT");
			s->selected[0] = '\0';
		} else {
			(void)session_queue(s, "SELECT %s", s->selected);
		}
		first = 1;
	}
	for (size_t i = 0; i < n; i++) {
		struct str name = session_mailbox(folders[i], a);

		marks_r[i] = (struct mail_mark){0};
		(void)session_queue(s, "STATUS %.*s (UIDVALIDITY UIDNEXT MESSAGES%s)",
			STR_FMT(name), s->caps & CAP_CONDSTORE ? " HIGHESTMODSEQ" : "");
	}
	rc = session_run(s, a, on_mark, &(struct status_reader){a, folders, n, marks_r}, err);
	for (size_t i = 0; i < n && rc == RC_OK; i++) {
		rc_r[i] = session_result(
			&s->results[first + i], "could not look at the folder", NULL);
		if (rc_r[i] == RC_OK && marks_r[i].uidvalidity == 0)
			rc_r[i] = RC_UNAVAILABLE;
	}
	arena_free(a);
	return rc;
}

enum rc op_status(struct mail *m, struct str folder, struct mail_mark *r, struct err *err)
{
	enum rc one, rc = op_status_many(m, &folder, 1, r, &one, err);

	if (rc || one == RC_OK)
		return rc;
	return err_set(err, one, "could not look at the folder \"%.*s\"", STR_FMT(folder));
}
