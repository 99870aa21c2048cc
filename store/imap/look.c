#include "store/imap/imap_internal.h"

#include "core/base/clock.h"

#include <string.h>

#define KNOWN_UIDS_MAX 8000 /* bytes of a set in one command */
#define RANGES_MAX     1000000

/* What the responses of a look are collected into. */
struct looker {
	struct arena *a;
	const struct mail_look *l;
	struct mail_delta *r;
	struct uidset vanished, existing, found;
	struct uidset *searches[2]; /* where the answers to searches go, in order */
	unsigned nsearch, at;
	struct imap_value *threads; /* RFC 5256, as lists in lists */
	size_t flags_cap, summaries_cap;
};

static void *grown(struct arena *a, void *v, size_t n, size_t *cap, size_t size)
{
	void *p;

	if (n < *cap)
		return v;
	*cap = *cap ? 2 * *cap : 64;
	p = arena_zalloc(a, *cap, size);
	if (n)
		memcpy(p, v, n * size);
	return p;
}

static void on_fetch(struct looker *k, struct imap_value *values)
{
	struct mail_delta *r = k->r;
	struct mail_summary m;
	struct mail_flags f;
	bool flags;

	if (fetch_summary(values, k->a, &m)) {
		r->summaries.v = grown(k->a, r->summaries.v, r->summaries.n, &k->summaries_cap,
			sizeof(*r->summaries.v));
		r->summaries.v[r->summaries.n++] = m;
		return;
	}
	if (!fetch_flags(values, k->a, &f, &flags) || !flags)
		return;
	if (!k->l->held || !uidset_has(k->l->held, f.uid))
		return;
	r->flags = grown(k->a, r->flags, r->nflags, &k->flags_cap, sizeof(*r->flags));
	r->flags[r->nflags++] = f;
}

/* VANISHED (EARLIER) set, or VANISHED set. */
static void on_vanished(struct looker *k, struct imap_value *values)
{
	struct imap_value *v = values->next;

	if (v && v->kind == IMAP_LIST)
		v = v->next;
	(void)(uidset_parse(&k->vanished, imap_text(v), RANGES_MAX) == RC_OK);
}

/* ESEARCH (TAG "A7") UID ALL 1:5 */
static void on_esearch(struct looker *k, struct imap_value *values)
{
	struct uidset *to = k->at < k->nsearch ? k->searches[k->at++] : NULL;

	for (struct imap_value *v = values->next; v && to; v = v->next)
		if (imap_is(v, "ALL") && v->next)
			(void)(uidset_parse(to, imap_text(v->next), RANGES_MAX) == RC_OK);
}

/* SEARCH 2 3 6 */
static void on_search(struct looker *k, struct imap_value *values)
{
	struct uidset *to = k->at < k->nsearch ? k->searches[k->at++] : NULL;
	uint32_t uid;

	for (struct imap_value *v = values->next; v && to; v = v->next)
		if (str_u32(imap_text(v), &uid) && uid)
			uidset_add(to, uid);
}

static enum rc on_response(void *ctx, struct imap_value *values, struct err *err UNUSED)
{
	struct looker *k = ctx;

	if (imap_is(values->next, "FETCH"))
		on_fetch(k, values);
	else if (imap_is(values->next, "EXISTS"))
		(void)str_u32(imap_text(values), &k->r->mark.messages);
	else if (imap_is(values, "VANISHED"))
		on_vanished(k, values);
	else if (imap_is(values, "ESEARCH"))
		on_esearch(k, values);
	else if (imap_is(values, "SEARCH"))
		on_search(k, values);
	else if (imap_is(values, "THREAD"))
		k->threads = values->next;
	else
		reply_mark(&k->r->mark, values, values->next);
	return RC_OK;
}

static void queue_search(
	struct session *s, struct looker *k, struct uidset *to, const char *what)
{
	k->searches[k->nsearch++] = to;
	(void)session_queue(
		s, "UID SEARCH %s%s", s->caps & CAP_ESEARCH ? "RETURN (ALL) " : "", what);
}

/* SINCE compares days, in the server's zone: what it lets through may be some hours too old. */
static const char *since(int64_t after, struct arena *a)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	unsigned month, day;
	int year;

	if (after <= 0)
		return "ALL";
	clock_civil(after / 86400, &year, &month, &day);
	return arena_printf(
		a, "SINCE %u-%.3s-%04d", day, months + 3 * ((size_t)month - 1), year)
		.p;
}

/* Whether the server itself tells what happened to the messages that are held. */
enum ladder { LADDER_QRESYNC, LADDER_CONDSTORE, LADDER_PLAIN };

static enum ladder ladder(const struct session *s, const struct mail_look *l)
{
	if (l->since.modseq == 0 || !(s->caps & CAP_CONDSTORE))
		return LADDER_PLAIN;
	return s->caps & CAP_QRESYNC ? LADDER_QRESYNC : LADDER_CONDSTORE;
}

static void queue_select(struct session *s, struct str name, const struct mail_look *l,
	bool qresync, struct arena *a)
{
	const char *known = "";

	if (!qresync) {
		(void)session_queue(s, "SELECT %.*s%s", STR_FMT(name),
			s->caps & CAP_CONDSTORE ? " (CONDSTORE)" : "");
		return;
	}
	if (l->held && !uidset_empty(l->held)) {
		known = set_text(l->held, a);
		if (strlen(known) > KNOWN_UIDS_MAX)
			known = "";
	}
	(void)session_queue(s, "SELECT %.*s (QRESYNC (%u %llu%s%s))", STR_FMT(name),
		l->since.uidvalidity, (unsigned long long)l->since.modseq, *known ? " " : "",
		known);
}

/* The whole question in one go. Returns whether all existing UIDs are being asked for. */
static bool queue_look(struct session *s, struct looker *k, struct str name)
{
	const struct mail_look *l = k->l;
	bool first = l->since.uidvalidity == 0, all;
	enum ladder step = ladder(s, l);

	queue_select(s, name, l, !first && step == LADDER_QRESYNC, k->a);
	all = !first && step != LADDER_QRESYNC;
	if (all)
		queue_search(s, k, &k->existing, "ALL");
	else if (!first)
		queue_search(
			s, k, &k->existing, arena_printf(k->a, "UID %u:*", l->since.uidnext).p);
	if (l->search)
		queue_search(s, k, &k->found, since(l->after, k->a));
	if (l->search && l->conversations && l->after > 0 && s->caps & CAP_THREAD)
		(void)session_queue(s, "UID THREAD REFERENCES UTF-8 ALL");
	if (!first && l->held && !uidset_empty(l->held)) {
		if (step == LADDER_CONDSTORE)
			(void)session_queue(s, "UID FETCH 1:* (UID FLAGS) (CHANGEDSINCE %llu)",
				(unsigned long long)l->since.modseq);
		else if (step == LADDER_PLAIN)
			(void)session_queue(
				s, "UID FETCH %s (UID FLAGS)", set_text(l->held, k->a));
	}
	if (l->want && !uidset_empty(l->want))
		(void)session_queue(s, "UID FETCH %s " FETCH_SUMMARY, set_text(l->want, k->a));
	return all;
}

static void thread_uids(struct imap_value *v, struct uidset *uids)
{
	uint32_t uid;

	for (; v; v = v->next) {
		if (v->kind == IMAP_LIST)
			thread_uids(v->child, uids);
		else if (str_u32(imap_text(v), &uid) && uid)
			uidset_add(uids, uid);
	}
}

/* Threads with one member that was found are found whole. */
static void add_threads(struct looker *k)
{
	for (struct imap_value *v = k->threads; v; v = v->next) {
		struct uidset thread, common;

		uidset_init(&thread, k->a);
		thread_uids(v->child, &thread);
		common = uidset_copy(&thread, k->a);
		uidset_intersect(&common, &k->found);
		if (!uidset_empty(&common))
			uidset_union(&k->found, &thread);
	}
}

static void settle(struct looker *k, bool all)
{
	struct mail_delta *r = k->r;
	const struct mail_look *l = k->l;

	for (uint32_t u = uidset_above(&k->existing, l->since.uidnext - 1); u;
		u = uidset_above(&k->existing, u))
		uidset_add(&r->arrived, u);
	if (!l->held)
		return;
	r->vanished = uidset_copy(l->held, k->a);
	if (all)
		uidset_subtract(&r->vanished, &k->existing);
	else
		uidset_intersect(&r->vanished, &k->vanished);
	uidset_subtract(&r->arrived, &k->vanished);
}

/* A second question in the folder that is selected now. */
static enum rc ask_again(struct session *s, struct looker *k, struct err *err)
{
	enum rc rc = session_run(s, k->a, on_response, k, err);

	return rc ? rc : session_result(&s->results[0], "could not read the folder", err);
}

/* Summaries of the newest n that are new, if they were not read already. */
static enum rc read_newest(struct session *s, struct looker *k, struct err *err)
{
	const struct uidset *from =
		k->l->since.uidvalidity && !k->r->reset ? &k->r->arrived : &k->r->scope;
	struct uidset newest = uidset_greatest(from, k->l->newest, k->a);

	if (k->l->want)
		uidset_subtract(&newest, k->l->want);
	if (uidset_empty(&newest))
		return RC_OK;
	(void)session_queue(s, "UID FETCH %s " FETCH_SUMMARY, set_text(&newest, k->a));
	return ask_again(s, k, err);
}

/* UIDVALIDITY changed: the scope is what counts now. */
static enum rc start_over(struct session *s, struct looker *k, struct err *err)
{
	struct mail_delta *r = k->r;

	r->reset = true;
	r->nflags = 0;
	r->summaries.n = 0;
	uidset_init(&r->arrived, k->a);
	uidset_init(&r->vanished, k->a);
	if (k->l->search) {
		r->scope = k->found;
		return RC_OK;
	}
	k->nsearch = k->at = 0;
	uidset_init(&k->found, k->a);
	queue_search(s, k, &k->found, since(k->l->after, k->a));
	if (ask_again(s, k, err))
		return err ? err->rc : RC_UNAVAILABLE;
	r->scope = k->found;
	return RC_OK;
}

enum rc op_look(struct mail *m, struct str folder, const struct mail_look *l, struct arena *a,
	struct mail_delta *r, struct err *err)
{
	struct looker k = {.a = a, .l = l, .r = r};
	struct str name = session_mailbox(folder, a);
	struct session *s;
	unsigned n;
	bool all;
	enum rc rc = mailbox_session((struct imap_mailbox *)m, &s, err);

	if (rc)
		return rc;
	*r = (struct mail_delta){0};
	uidset_init(&r->arrived, a);
	uidset_init(&r->vanished, a);
	uidset_init(&r->scope, a);
	uidset_init(&k.vanished, a);
	uidset_init(&k.existing, a);
	uidset_init(&k.found, a);
	all = queue_look(s, &k, name);
	n = s->ncommands;
	rc = session_run(s, a, on_response, &k, err);
	if (rc == RC_OK)
		rc = mailbox_selected(s, folder, a, err);
	for (unsigned i = 1; i < n && rc == RC_OK; i++)
		rc = session_result(&s->results[i], "could not read the folder", err);
	if (rc)
		return rc;
	if (r->mark.uidvalidity == 0)
		return err_set(err, RC_INVALID, "the IMAP server told no UIDVALIDITY");
	add_threads(&k);
	if (l->since.uidvalidity && l->since.uidvalidity != r->mark.uidvalidity) {
		rc = start_over(s, &k, err);
	} else {
		if (l->since.uidvalidity)
			settle(&k, all);
		r->scope = k.found;
	}
	return rc ? rc : read_newest(s, &k, err);
}
