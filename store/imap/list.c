#include "store/imap/imap_internal.h"

#include "store/imap/utf7.h"

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

static bool has(struct imap_value *attributes, const char *name)
{
	for (struct imap_value *v = attributes; v; v = v->next)
		if (imap_is(v, name))
			return true;
	return false;
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
	if (has(attributes->child, "\\NonExistent"))
		return;
	if (l->r->n == l->cap)
		grow(l);
	f = &l->r->v[l->r->n++];
	*f = (struct mail_folder){
		.path = utf7_decode(raw, l->a), .parent = {"", 0}
        };
	if (str_iis(f->path, "INBOX"))
		f->path = STR("INBOX");
	f->name = f->path;
	f->selectable = !has(attributes->child, "\\Noselect");
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
	struct str path = utf7_decode(imap_text(imap_at(values, 1)), l->a);
	struct imap_value *items = imap_at(values, 2);
	struct mail_folder *f = NULL;

	if (str_iis(path, "INBOX"))
		path = STR("INBOX");
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
	if (imap_is(values, "LIST"))
		on_list(ctx, values);
	else if (imap_is(values, "STATUS"))
		on_status(ctx, values);
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

enum rc op_list(struct mail *m, struct arena *a, struct mail_folders *r, struct err *err)
{
	struct lister l = {.a = a, .r = r};
	struct session *s;
	const char *ids;
	enum rc rc = mailbox_session((struct imap_mailbox *)m, &s, err);

	*r = (struct mail_folders){NULL, 0};
	if (rc)
		return rc;
	ids = s->caps & CAP_OBJECTID ? " MAILBOXID" : "";
	if (s->caps & CAP_LIST_STATUS)
		(void)session_queue(s, "LIST \"\" \"*\" RETURN (%sSTATUS (UIDVALIDITY%s))",
			s->caps & CAP_SPECIAL_USE ? "SPECIAL-USE " : "", ids);
	else if (s->caps & CAP_SPECIAL_USE)
		(void)session_queue(s, "LIST \"\" \"*\" RETURN (SPECIAL-USE)");
	else
		(void)session_queue(s, "LIST \"\" \"*\"");
	rc = session_run(s, a, on_response, &l, err);
	if (rc == RC_OK)
		rc = session_result(&s->results[0], "could not list the folders", err);
	if (rc == RC_OK && !(s->caps & CAP_LIST_STATUS))
		rc = status_each(s, &l, err);
	if (rc)
		return rc;
	if (r->n == 0)
		return err_set(err, RC_UNAVAILABLE, "the IMAP server lists no folder at all");
	if (!l.special)
		guess_uses(&l);
	qsort(r->v, r->n, sizeof(*r->v), by_path);
	return RC_OK;
}

struct status_reader {
	struct arena *a;
	const struct str *folders;
	size_t n;
	struct mail_mark *marks;
};

void mark_item(struct mail_mark *m, struct imap_value *key, struct imap_value *value)
{
	if (imap_is(key, "UIDVALIDITY"))
		(void)str_u32(imap_text(value), &m->uidvalidity);
	else if (imap_is(key, "UIDNEXT"))
		(void)str_u32(imap_text(value), &m->uidnext);
	else if (imap_is(key, "MESSAGES"))
		(void)str_u32(imap_text(value), &m->messages);
	else if (imap_is(key, "HIGHESTMODSEQ"))
		(void)str_u64(imap_text(value), &m->modseq);
}

static enum rc on_mark(void *ctx, struct imap_value *values, struct err *err UNUSED)
{
	struct status_reader *r = ctx;
	struct imap_value *items = imap_at(values, 2);
	struct str path;

	if (!imap_is(values, "STATUS") || !items || items->kind != IMAP_LIST)
		return RC_OK;
	path = utf7_decode(imap_text(imap_at(values, 1)), r->a);
	for (size_t i = 0; i < r->n; i++)
		if (str_eq(path, r->folders[i]) ||
			(str_iis(path, "INBOX") && str_iis(r->folders[i], "INBOX")))
			for (struct imap_value *v = items->child; v && v->next;
				v = v->next->next)
				mark_item(&r->marks[i], v, v->next);
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
