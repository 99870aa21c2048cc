#include "store/imap/imap_internal.h"

#include "core/base/clock.h"

#include <stdio.h>
#include <string.h>

/* Folders in one trip: each needs two commands. */
enum { FOLDERS_AT_ONCE = SESSION_COMMANDS / 2 - 1, RANGES_MAX = 1000000 };

static bool is_ascii(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] >= 0x80)
			return false;
	return true;
}

static bool all_ascii(const struct mail_term *t)
{
	for (; t; t = t->next)
		if (!is_ascii(t->text) || !all_ascii(t->child))
			return false;
	return true;
}

/* A text as a quoted string, or beyond ASCII as a literal where the server does not have to be
 * asked for it. */
static struct str astring(const struct session *s, struct str text, struct arena *a)
{
	struct str quoted = session_quote(text, a);
	struct buf b;
	struct str r;

	if (is_ascii(text) || !(s->caps & CAP_LITERAL_PLUS))
		return quoted;
	buf_init(&b, BUF_MAX_LINE);
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] != '\r' && text.p[i] != '\n' && text.p[i] != '\0')
			buf_addc(&b, text.p[i]);
	r = arena_printf(a, "{%zu+}\r\n%.*s", b.n, STR_FMT(buf_str(&b)));
	buf_release(&b);
	return r;
}

/* RFC 5032 counts seconds; else whole days have to do. */
static void add_date(
	const struct session *s, const struct mail_term *t, bool since, struct buf *b)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	int64_t age = clock_now() - t->time, day = t->time / 86400;
	unsigned month, mday;
	int year;

	if (s->caps & CAP_WITHIN && age > 0) {
		buf_addf(b, "%s %lld", since ? "YOUNGER" : "OLDER", (long long)age);
		return;
	}
	clock_civil(since ? day : day + 1, &year, &month, &mday);
	buf_addf(b, "%s %u-%.3s-%04d", since ? "SINCE" : "BEFORE", mday,
		months + 3 * ((size_t)month - 1), year);
}

static void add_term(
	const struct session *s, const struct mail_term *t, struct arena *a, struct buf *b);

/* RFC 3501 6.4.4: OR takes two keys, a list of keys stands in parentheses. */
static void add_children(const struct session *s, const struct mail_term *child, bool any,
	struct arena *a, struct buf *b)
{
	buf_addc(b, '(');
	for (; child; child = child->next) {
		if (any && child->next)
			buf_adds(b, "OR ");
		add_term(s, child, a, b);
		if (child->next)
			buf_addc(b, ' ');
	}
	buf_addc(b, ')');
}

static void add_term(
	const struct session *s, const struct mail_term *t, struct arena *a, struct buf *b)
{
	static const char *const keys[] = {
		[MAIL_TERM_TEXT] = "TEXT",
		[MAIL_TERM_BODY] = "BODY",
		[MAIL_TERM_SUBJECT] = "SUBJECT",
		[MAIL_TERM_FROM] = "FROM",
		[MAIL_TERM_TO] = "TO",
		[MAIL_TERM_CC] = "CC",
		[MAIL_TERM_UNREAD] = "UNSEEN",
		[MAIL_TERM_FLAGGED] = "FLAGGED",
	};

	switch (t->kind) {
	case MAIL_TERM_AND:
	case MAIL_TERM_OR:
		if (t->child)
			add_children(s, t->child, t->kind == MAIL_TERM_OR, a, b);
		else
			buf_adds(b, "ALL");
		break;
	case MAIL_TERM_NOT:
		buf_adds(b, "NOT ");
		add_children(s, t->child, false, a, b);
		break;
	case MAIL_TERM_HEADER:
		buf_addf(b, "HEADER %s %.*s", t->field, STR_FMT(astring(s, t->text, a)));
		break;
	case MAIL_TERM_SINCE:
	case MAIL_TERM_BEFORE:
		add_date(s, t, t->kind == MAIL_TERM_SINCE, b);
		break;
	case MAIL_TERM_UNREAD:
	case MAIL_TERM_FLAGGED:
		buf_adds(b, keys[t->kind]);
		break;
	default:
		buf_addf(b, "%s %.*s", keys[t->kind], STR_FMT(astring(s, t->text, a)));
		break;
	}
}

static struct str criteria(const struct session *s, const struct mail_term *t, struct arena *a)
{
	struct buf b;
	struct str r;

	buf_init(&b, BUF_MAX_LINE);
	if (!all_ascii(t))
		buf_adds(&b, "CHARSET UTF-8 ");
	buf_adds(&b, "UNDELETED ");
	add_term(s, t, a, &b);
	r = b.over ? STR_NONE : arena_str(a, buf_str(&b));
	buf_release(&b);
	return r;
}

struct searcher {
	struct session *s;
	struct uidset *found; /* a folder each */
	struct mail_hits *hits;
	size_t n;
	unsigned first_tag;
	uint32_t uidvalidity; /* of the folder that was opened last */
	size_t at;            /* without ESEARCH, and for dates: the folder at hand */
};

/* ESEARCH (TAG "A7") UID ALL 1:5 */
static void on_esearch(struct searcher *k, struct imap_value *values)
{
	struct imap_value *correlator = imap_at(values, 1);
	struct str tag = STR_NONE;
	size_t i = k->at;
	uint32_t n;

	if (correlator && correlator->kind == IMAP_LIST)
		tag = imap_text(imap_at(correlator->child, 1));
	if (tag.n > 1 && str_u32(str_sub(tag, 1, tag.n), &n) && n >= k->first_tag)
		i = (n - k->first_tag) / 2;
	if (i >= k->n)
		return;
	k->hits[i].uidvalidity = k->uidvalidity;
	for (struct imap_value *v = values->next; v; v = v->next)
		if (imap_is(v, "ALL") && v->next)
			(void)(uidset_parse(&k->found[i], imap_text(v->next), RANGES_MAX) ==
				RC_OK);
}

static enum rc on_response(void *ctx, struct imap_value *values, struct err *err UNUSED)
{
	struct searcher *k = ctx;
	uint32_t uid;

	if (imap_is(values, "UIDVALIDITY")) {
		(void)str_u32(imap_text(values->next), &k->uidvalidity);
	} else if (imap_is(values, "ESEARCH")) {
		on_esearch(k, values);
	} else if (imap_is(values, "SEARCH") && k->at < k->n) {
		k->hits[k->at].uidvalidity = k->uidvalidity;
		for (struct imap_value *v = values->next; v; v = v->next)
			if (str_u32(imap_text(v), &uid) && uid)
				uidset_add(&k->found[k->at], uid);
	}
	return RC_OK;
}

/* Some folders; a folder that cannot be opened is no failure of the others. */
static enum rc search_some(struct searcher *k, const struct str *folders, size_t from, size_t n,
	struct str what, struct arena *a, struct err *err)
{
	bool extended = k->s->caps & CAP_ESEARCH;
	enum rc rc;

	for (size_t i = from; i < from + n; i++) {
		struct str name = session_mailbox(folders[i], a);

		(void)session_queue(k->s, "SELECT %.*s", STR_FMT(name));
		(void)session_queue(k->s, "UID SEARCH %s%.*s", extended ? "RETURN (ALL) " : "",
			STR_FMT(what));
	}
	k->at = from;
	/* The tag of a folder's search is its place. */
	k->first_tag = k->s->next_tag - k->s->ncommands - 2 * (unsigned)from;
	rc = session_run(k->s, a, on_response, k, err);
	k->s->selected[0] = '\0';
	for (size_t i = 0; i < n && rc == RC_OK; i++) {
		const struct imap_result *r = &k->s->results[2 * i];

		k->hits[from + i].rc = session_result(r, "could not open the folder", NULL);
		if (k->hits[from + i].rc == RC_OK)
			k->hits[from + i].rc =
				session_result(r + 1, "could not search the folder", NULL);
		if (r->status == IMAP_OK) {
			struct str name = session_mailbox(folders[from + i], a);

			if (name.n < sizeof(k->s->selected))
				(void)snprintf(k->s->selected, sizeof(k->s->selected), "%.*s",
					STR_FMT(name));
			k->s->fresh = true;
		}
	}
	return rc;
}

static void take_newest(struct searcher *k, unsigned newest, struct arena *a)
{
	for (size_t i = 0; i < k->n; i++) {
		struct mail_hits *h = &k->hits[i];
		uint64_t total = uidset_count(&k->found[i]);
		size_t max = total < newest ? (size_t)total : newest;

		h->total = total > UINT32_MAX ? UINT32_MAX : (uint32_t)total;
		h->v = ARENA_ARRAY(a, struct mail_hit, max + 1);
		for (uint32_t u = uidset_below(&k->found[i], (uint64_t)UINT32_MAX + 1);
			u && h->n < max; u = uidset_below(&k->found[i], u))
			h->v[h->n++].uid = u;
	}
}

static enum rc on_date(void *ctx, struct imap_value *values, struct err *err UNUSED)
{
	struct searcher *k = ctx;
	uint32_t uid = 0;
	int64_t received = 0;

	if (imap_is(values, "UIDVALIDITY")) {
		/* The next folder that has hits was opened. */
		do
			k->at++;
		while (k->at < k->n && k->hits[k->at].n == 0);
		return RC_OK;
	}
	if (k->at >= k->n || !fetch_date(values, &uid, &received))
		return RC_OK;
	for (size_t i = 0; i < k->hits[k->at].n; i++)
		if (k->hits[k->at].v[i].uid == uid)
			k->hits[k->at].v[i].received = received;
	return RC_OK;
}

/* So that hits of several folders can be put in order. */
static enum rc read_dates(
	struct searcher *k, const struct str *folders, struct arena *a, struct err *err)
{
	size_t i = 0;

	k->at = (size_t)-1;
	while (i < k->n) {
		struct str last = STR_NONE;
		enum rc rc;

		for (; i < k->n && k->s->ncommands + 2 <= SESSION_COMMANDS; i++) {
			struct uidset uids;

			if (k->hits[i].n == 0)
				continue;
			uidset_init(&uids, a);
			for (size_t h = 0; h < k->hits[i].n; h++)
				uidset_add(&uids, k->hits[i].v[h].uid);
			last = session_mailbox(folders[i], a);
			(void)session_queue(k->s, "SELECT %.*s", STR_FMT(last));
			(void)session_queue(
				k->s, "UID FETCH %s (UID INTERNALDATE)", set_text(&uids, a));
		}
		if (k->s->ncommands == 0)
			break;
		rc = session_run(k->s, a, on_date, k, err);
		k->s->selected[0] = '\0';
		if (rc)
			return rc;
		if (last.n < sizeof(k->s->selected))
			(void)snprintf(
				k->s->selected, sizeof(k->s->selected), "%.*s", STR_FMT(last));
	}
	return RC_OK;
}

enum rc op_search(struct mail *m, const struct str *folders, size_t n,
	const struct mail_term *what, unsigned newest, struct arena *a,
	struct mail_hits *hits_r, struct err *err)
{
	struct searcher k = {
		.hits = hits_r, .n = n, .found = ARENA_ARRAY(a, struct uidset, n + 1)};
	struct str text;
	size_t step;
	enum rc rc = mailbox_session((struct imap_mailbox *)m, &k.s, err);

	if (rc)
		return rc;
	text = criteria(k.s, what, a);
	if (!text.p)
		return err_set(err, RC_LIMIT, "the search is too long");
	for (size_t i = 0; i < n; i++) {
		hits_r[i] = (struct mail_hits){.rc = RC_OK};
		uidset_init(&k.found[i], a);
	}
	/* A plain SEARCH response does not tell what it answers. */
	step = k.s->caps & CAP_ESEARCH ? FOLDERS_AT_ONCE : 1;
	for (size_t i = 0; i < n && rc == RC_OK; i += step)
		rc = search_some(&k, folders, i, n - i < step ? n - i : step, text, a, err);
	if (rc)
		return rc;
	take_newest(&k, newest, a);
	return n > 1 ? read_dates(&k, folders, a, err) : RC_OK;
}
