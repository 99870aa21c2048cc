#include "store/imap/imap_internal.h"

#include "core/base/utf7.h"

#include <stdio.h>
#include <string.h>

/* What came of a command about a folder. A server that gives no reason does not want it. */
static enum rc folder_result(const struct imap_result *r, const char *what, struct err *err)
{
	enum rc rc = session_result(r, what, err);

	if (str_istarts(r->code, "CANNOT"))
		return err_set(err, RC_INVALID, "%s: %.*s", what, STR_FMT(r->text));
	if (rc == RC_UNAVAILABLE && !r->code.n && r->status == IMAP_NO) {
		bool exists = str_isearch(r->text, STR("already exists")) < r->text.n;

		return err_set(err, exists ? RC_CONFLICT : RC_DENIED, "%s: %.*s", what,
			STR_FMT(r->text));
	}
	return rc;
}

enum rc op_create(struct mail *m, struct str folder, enum mail_use use, struct err *err)
{
	static const char *const attributes[] = {[MAIL_USE_DRAFTS] = "\\Drafts",
		[MAIL_USE_TRASH] = "\\Trash",
		[MAIL_USE_SENT] = "\\Sent",
		[MAIL_USE_JUNK] = "\\Junk",
		[MAIL_USE_ARCHIVE] = "\\Archive"};
	struct arena *a = arena_new();
	struct str name = session_mailbox(folder, a);
	const char *attribute = (size_t)use < ARRAY_LEN(attributes) ? attributes[use] : NULL;
	struct session *s;
	enum rc rc = mailbox_session((struct imap_mailbox *)m, &s, err);

	if (rc == RC_OK) {
		if (attribute && s->caps & CAP_CREATE_SPECIAL_USE)
			(void)session_queue(
				s, "CREATE %.*s (USE (%s))", STR_FMT(name), attribute);
		else
			(void)session_queue(s, "CREATE %.*s", STR_FMT(name));
		(void)session_queue(s, "SUBSCRIBE %.*s", STR_FMT(name));
		rc = session_run(s, a, NULL, NULL, err);
	}
	if (rc == RC_OK)
		rc = folder_result(&s->results[0], "could not make the folder", err);
	arena_free(a);
	return rc;
}

/* A folder that is open is not touched: it is left first. The index of the next command. */
static unsigned leave(struct session *s)
{
	if (!s->selected[0])
		return 0;
	s->selected[0] = '\0';
	s->fresh = false;
	(void)session_queue(s, "%s", s->caps & CAP_UNSELECT ? "UNSELECT" : "EXAMINE INBOX");
	return 1;
}

enum rc op_rename(struct mail *m, struct str folder, struct str to, struct err *err)
{
	struct arena *a = arena_new();
	struct str from = session_mailbox(folder, a), name = session_mailbox(to, a);
	struct session *s;
	unsigned at;
	enum rc rc = mailbox_session((struct imap_mailbox *)m, &s, err);

	if (rc == RC_OK) {
		at = leave(s);
		(void)session_queue(s, "RENAME %.*s %.*s", STR_FMT(from), STR_FMT(name));
		(void)session_queue(s, "SUBSCRIBE %.*s", STR_FMT(name));
		(void)session_queue(s, "UNSUBSCRIBE %.*s", STR_FMT(from));
		rc = session_run(s, a, NULL, NULL, err);
		if (rc == RC_OK)
			rc = folder_result(&s->results[at], "could not rename the folder", err);
	}
	arena_free(a);
	return rc;
}

enum rc op_erase(struct mail *m, struct str folder, struct err *err)
{
	struct arena *a = arena_new();
	struct str name = session_mailbox(folder, a);
	struct session *s;
	unsigned at;
	enum rc rc = mailbox_session((struct imap_mailbox *)m, &s, err);

	if (rc == RC_OK) {
		at = leave(s);
		(void)session_queue(s, "DELETE %.*s", STR_FMT(name));
		(void)session_queue(s, "UNSUBSCRIBE %.*s", STR_FMT(name));
		rc = session_run(s, a, NULL, NULL, err);
		if (rc == RC_OK)
			rc = folder_result(&s->results[at], "could not delete the folder", err);
	}
	arena_free(a);
	return rc;
}

bool namespace_item(struct session *s, struct imap_value *values, struct arena *a)
{
	if (imap_is(values, "LIST")) {
		/* LIST "" "": only the delimiter. */
		struct str delimiter = imap_text(imap_at(values, 2));

		if (s->ns.delimiter == '\0' && delimiter.n == 1)
			s->ns.delimiter = delimiter.p[0];
		return false;
	}
	return reply_namespaces(values, a, &s->ns);
}

static enum rc on_namespace(void *ctx, struct imap_value *values, struct err *err UNUSED)
{
	struct arena *a = arena_new();

	(void)namespace_item(ctx, values, a);
	arena_free(a);
	return RC_OK;
}

enum rc op_join(struct mail *m, struct str parent, struct str name, struct arena *a,
	struct str *path_r, struct err *err)
{
	struct session *s;
	enum rc rc = mailbox_session((struct imap_mailbox *)m, &s, err);

	if (rc)
		return rc;
	if (!s->namespaces) {
		(void)session_queue(
			s, "%s", s->caps & CAP_NAMESPACE ? "NAMESPACE" : "LIST \"\" \"\"");
		rc = session_run(s, a, on_namespace, s, err);
		if (rc)
			return rc;
		s->namespaces = true;
	}
	for (size_t i = 0; i < name.n; i++)
		if ((unsigned char)name.p[i] < ' ' || name.p[i] == 0x7f ||
			name.p[i] == s->ns.delimiter)
			return err_set(err, RC_INVALID,
				"a folder name with a character that none can have");
	if (name.n == 0 || (parent.n && !s->ns.delimiter))
		return err_set(err, RC_INVALID,
			"a folder without a name, or below another "
			"where there is no such thing");
	*path_r = parent.n ? arena_printf(a, "%.*s%c%.*s", STR_FMT(parent), s->ns.delimiter,
				     STR_FMT(name))
			   : arena_printf(a, "%s%.*s", s->ns.prefix, STR_FMT(name));
	return RC_OK;
}
