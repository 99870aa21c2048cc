#include "store/imap/imap_internal.h"

#include "core/base/clock.h"
#include "core/base/crlf.h"

#include <string.h>

static const char *flag_text(unsigned bits, struct arena *a)
{
	static const struct {
		unsigned bit;
		const char *name;
	} names[] = {
		{MAIL_SEEN,      "\\Seen"    },
		{MAIL_FLAGGED,   "\\Flagged" },
		{MAIL_ANSWERED,  "\\Answered"},
		{MAIL_FORWARDED, "$Forwarded"},
		{MAIL_DRAFT,     "\\Draft"   },
		{MAIL_DELETED,   "\\Deleted" },
	};
	struct str text = {"", 0};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (bits & names[i].bit)
			text = arena_printf(
				a, "%.*s%s%s", STR_FMT(text), text.n ? " " : "", names[i].name);
	return arena_cstr(a, text);
}

struct seen_uids {
	struct arena *a;
	struct uidset set;
};

static enum rc on_uid(void *ctx, struct imap_value *values, struct err *err UNUSED)
{
	struct seen_uids *seen = ctx;
	struct mail_flags f;
	bool flags;

	if (fetch_flags(values, seen->a, &f, &flags))
		uidset_add(&seen->set, f.uid);
	return RC_OK;
}

/* What the opening of a folder tells. */
struct opening {
	struct mail_mark mark;
	struct seen_uids seen;
};

static enum rc on_opening(void *ctx, struct imap_value *values, struct err *err)
{
	struct opening *o = ctx;

	reply_mark(&o->mark, values, values->next);
	return on_uid(&o->seen, values, err);
}

/*
 * Before a change: opens the folder, in a trip of its own, for a change must not go out before
 * it is known that the UIDs are of this folder. RC_CONFLICT: its UIDVALIDITY is not the one
 * that they belong to (0: any). With `uids` the same trip leaves in it those that are there.
 */
static enum rc open_folder(struct session *s, struct str folder, uint32_t uidvalidity,
	struct uidset *uids, struct arena *a, struct err *err)
{
	struct opening o = {.seen = {.a = a}};
	enum rc rc;

	uidset_init(&o.seen.set, a);
	(void)session_queue(s, "SELECT %.*s", STR_FMT(session_mailbox(folder, a)));
	if (uids)
		(void)session_queue(s, "UID FETCH %s (UID FLAGS)", set_text(uids, a));
	rc = session_run(s, a, on_opening, &o, err);
	if (rc == RC_OK)
		rc = mailbox_selected(s, folder, a, err);
	if (rc == RC_OK && uids)
		rc = session_result(&s->results[1], "could not look at the messages", err);
	/* The server also tells unasked what happened to other messages. */
	if (uids)
		uidset_intersect(uids, &o.seen.set);
	if (rc == RC_OK && uidvalidity && o.mark.uidvalidity != uidvalidity)
		rc = err_set(err, RC_CONFLICT,
			"the folder was made anew: UIDVALIDITY %u, now %u", uidvalidity,
			o.mark.uidvalidity);
	return rc;
}

/* Most commands that one change needs. */
enum { FLAG_COMMANDS = 5 };

/* Queues the changes from v[from] on as far as they fit; where it stopped. required_r: which
 * of the commands must succeed. */
static size_t queue_flags(struct session *s, const struct mail_flag_change *v, size_t from,
	size_t n, struct arena *a, bool required_r[SESSION_COMMANDS])
{
	for (; from < n && s->ncommands + FLAG_COMMANDS <= SESSION_COMMANDS; from++) {
		if (v[from].set)
			required_r[session_queue(s, "UID STORE %u +FLAGS (%s)", v[from].uid,
				flag_text(v[from].set, a))] = true;
		if (v[from].clear)
			required_r[session_queue(s, "UID STORE %u -FLAGS (%s)", v[from].uid,
				flag_text(v[from].clear, a))] = true;
		/* What a server thinks of keywords is its own affair. */
		if (v[from].add.n)
			(void)session_queue(s, "UID STORE %u +FLAGS (%.*s)", v[from].uid,
				STR_FMT(v[from].add));
		if (v[from].remove.n)
			(void)session_queue(s, "UID STORE %u -FLAGS (%.*s)", v[from].uid,
				STR_FMT(v[from].remove));
		/* A flag that was set already may be answered by nothing. */
		(void)session_queue(s, "UID FETCH %u (UID FLAGS)", v[from].uid);
	}
	return from;
}

enum rc op_store(struct mail *m, struct str folder, uint32_t uidvalidity,
	struct mail_flag_change *v, size_t n, struct err *err)
{
	struct arena *a = arena_new();
	struct seen_uids seen = {.a = a};
	struct session *s;
	enum rc rc = mailbox_session((struct imap_mailbox *)m, &s, err);

	uidset_init(&seen.set, a);
	if (rc == RC_OK)
		rc = open_folder(s, folder, uidvalidity, NULL, a, err);
	for (size_t from = 0; rc == RC_OK && from < n;) {
		bool required[SESSION_COMMANDS] = {false};

		from = queue_flags(s, v, from, n, a, required);
		rc = session_run(s, a, on_uid, &seen, err);
		for (unsigned i = 0; i < SESSION_COMMANDS && rc == RC_OK; i++)
			if (required[i])
				rc = session_result(&s->results[i], "could not set flags", err);
	}
	for (size_t i = 0; i < n && rc == RC_OK; i++)
		v[i].absent = !uidset_has(&seen.set, v[i].uid);
	arena_free(a);
	return rc;
}

/* Pairs of COPYUID, in the order of the sets: "COPYUID 38505 304,319:320 3956:3958". */
static void read_copyuid(struct str source, struct str target, struct mail_move *v, size_t n)
{
	struct arena *a = arena_new();
	struct uidset from, to;

	uidset_init(&from, a);
	uidset_init(&to, a);
	if (uidset_parse(&from, source, 10000) == RC_OK &&
		uidset_parse(&to, target, 10000) == RC_OK &&
		uidset_count(&from) == uidset_count(&to)) {
		uint32_t x = uidset_above(&from, 0), y = uidset_above(&to, 0);

		for (; x && y; x = uidset_above(&from, x), y = uidset_above(&to, y))
			for (size_t i = 0; i < n; i++)
				if (v[i].uid == x) {
					v[i].new_uid = y;
					v[i].rc = RC_OK;
				}
	}
	arena_free(a);
}

struct mover {
	struct mail_move *v;
	size_t n;
};

static enum rc on_copyuid(void *ctx, struct imap_value *values, struct err *err UNUSED)
{
	struct mover *mv = ctx;

	if (imap_is(values, "COPYUID"))
		read_copyuid(imap_text(imap_at(values, 2)), imap_text(imap_at(values, 3)),
			mv->v, mv->n);
	return RC_OK;
}

static void copyuid_of_result(const struct imap_result *r, struct mail_move *v, size_t n)
{
	struct str rest = r->code, word[4] = {STR_NONE};

	for (size_t i = 0; i < 4; i++)
		(void)str_next(&rest, ' ', &word[i]);
	if (str_iis(word[0], "COPYUID"))
		read_copyuid(word[2], word[3], v, n);
}

/* For good: \Deleted and UID EXPUNGE in the folder that is open. */
static enum rc expunge(struct session *s, const char *set, struct arena *a, struct err *err)
{
	bool uidplus = s->caps & CAP_UIDPLUS;
	enum rc rc;

	(void)session_queue(s, "UID STORE %s +FLAGS.SILENT (\\Deleted)", set);
	/* Without UIDPLUS an EXPUNGE would also take what others have marked: they stay marked,
	 * which hides them from the device. */
	if (uidplus)
		(void)session_queue(s, "UID EXPUNGE %s", set);
	rc = session_run(s, a, NULL, NULL, err);
	if (rc == RC_OK)
		rc = session_result(&s->results[0], "could not delete messages", err);
	if (rc == RC_OK && uidplus)
		rc = session_result(&s->results[1], "could not delete messages", err);
	return rc;
}

/* Moves those that exist, which are `uids`. */
static enum rc move_all(struct session *s, const struct uidset *uids, struct str target,
	struct mail_move *v, size_t n, struct arena *a, struct err *err)
{
	struct mover mv = {v, n};
	const char *set = set_text(uids, a);
	bool moves = s->caps & CAP_MOVE;
	enum rc rc;

	(void)session_queue(s, "UID %s %s %.*s", moves ? "MOVE" : "COPY", set, STR_FMT(target));
	rc = session_run(s, a, on_copyuid, &mv, err);
	if (rc == RC_OK)
		rc = session_result(&s->results[0], "could not move messages", err);
	if (rc)
		return rc;
	copyuid_of_result(&s->results[0], v, n);
	return moves ? RC_OK : expunge(s, set, a, err);
}

enum rc op_move(struct mail *m, struct str folder, uint32_t uidvalidity, struct str to,
	struct mail_move *v, size_t n, struct err *err)
{
	struct arena *a = arena_new();
	struct uidset uids;
	struct session *s;
	enum rc rc = mailbox_session((struct imap_mailbox *)m, &s, err);

	uidset_init(&uids, a);
	for (size_t i = 0; i < n; i++) {
		uidset_add(&uids, v[i].uid);
		v[i].new_uid = 0;
		v[i].rc = RC_ABSENT;
	}
	if (rc == RC_OK && n)
		rc = open_folder(s, folder, uidvalidity, &uids, a, err);
	if (rc == RC_OK && !uidset_empty(&uids))
		rc = move_all(s, &uids, session_mailbox(to, a), v, n, a, err);
	for (size_t i = 0; i < n && rc == RC_OK; i++)
		if (uidset_has(&uids, v[i].uid))
			v[i].rc = RC_OK;
	arena_free(a);
	return rc;
}

enum rc op_remove(struct mail *m, struct str folder, uint32_t uidvalidity,
	const struct uidset *uids, struct err *err)
{
	struct arena *a = arena_new();
	struct session *s;
	enum rc rc = mailbox_session((struct imap_mailbox *)m, &s, err);

	if (rc == RC_OK && !uidset_empty(uids))
		rc = open_folder(s, folder, uidvalidity, NULL, a, err);
	if (rc == RC_OK && !uidset_empty(uids))
		rc = expunge(s, set_text(uids, a), a, err);
	arena_free(a);
	return rc;
}

static const char *date_time(int64_t t, struct arena *a)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	unsigned month, day, rest = (unsigned)(t % 86400);
	int year;

	if (t <= 0)
		return "";
	clock_civil(t / 86400, &year, &month, &day);
	return arena_printf(a, "\"%02u-%.3s-%04d %02u:%02u:%02u +0000\" ", day,
		months + 3 * ((size_t)month - 1), year, rest / 3600, rest / 60 % 60, rest % 60)
		.p;
}

enum rc op_append(struct mail *m, struct str folder, unsigned flags, int64_t received,
	struct source *message, uint32_t *uid_r, struct err *err)
{
	struct arena *a = arena_new();
	struct str name = session_mailbox(folder, a), rest, word;
	struct crlf_source lines;
	struct session *s;
	enum rc rc = mailbox_session((struct imap_mailbox *)m, &s, err);

	*uid_r = 0;
	if (rc == RC_OK)
		rc = crlf_source_open(&lines, message, err);
	if (rc == RC_OK) {
		(void)session_queue(s, "APPEND %.*s (%s) %s{%llu}", STR_FMT(name),
			flag_text(flags, a), date_time(received, a),
			(unsigned long long)lines.source.size);
		rc = session_run_literal(s, a, &lines.source, NULL, NULL, err);
	}
	if (rc == RC_OK)
		rc = session_result(&s->results[0], "could not store the message", err);
	if (rc == RC_OK) {
		rest = s->results[0].code;
		if (str_next(&rest, ' ', &word) && str_iis(word, "APPENDUID") &&
			str_next(&rest, ' ', &word))
			(void)str_u32(rest, uid_r);
		/* What is selected may have changed under us: look afresh next time. */
		s->fresh = s->fresh && !str_is(name, s->selected);
	}
	arena_free(a);
	return rc;
}
