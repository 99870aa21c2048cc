#include "store/imap/imap_internal.h"

#include "core/base/clock.h"

#include <string.h>

const char *set_text(const struct uidset *s, struct arena *a)
{
	struct buf b;
	struct str r;

	buf_init(&b, BUF_MAX_TEXT);
	uidset_format(s, &b);
	r = arena_str(a, buf_str(&b));
	buf_release(&b);
	return r.p;
}

static unsigned flag_bits(struct imap_value *list, struct arena *a, struct str *keywords_r)
{
	static const struct {
		const char *name;
		unsigned bit;
	} flags[] = {
		{"\\Seen",     MAIL_SEEN     },
		{"\\Flagged",  MAIL_FLAGGED  },
		{"\\Answered", MAIL_ANSWERED },
		{"$Forwarded", MAIL_FORWARDED},
		{"\\Draft",    MAIL_DRAFT    },
		{"\\Deleted",  MAIL_DELETED  },
	};
	unsigned bits = 0;
	struct buf b;

	buf_init(&b, BUF_MAX_LINE);
	for (struct imap_value *v = list; v; v = v->next) {
		size_t i = 0;

		while (i < ARRAY_LEN(flags) && !imap_is(v, flags[i].name))
			i++;
		if (i < ARRAY_LEN(flags)) {
			bits |= flags[i].bit;
		} else if (imap_text(v).n && imap_text(v).p[0] != '\\') {
			if (b.n)
				buf_addc(&b, ' ');
			buf_add_str(&b, imap_text(v));
		}
	}
	*keywords_r = b.n ? arena_str(a, buf_str(&b)) : STR_NONE;
	buf_release(&b);
	return bits;
}

/* "17-Jul-1996 02:44:25 -0700" to Unix seconds. */
static int64_t internal_date(struct str s)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	uint32_t day, year, hour, minute, second, zone;
	unsigned month = 0;
	int64_t t;

	s = str_trim(s);
	while (month < 12 && str_search(s, (struct str){months + 3 * (size_t)month, 3}) == s.n)
		month++;
	if (month == 12 || s.n < 25 || !str_u32(str_sub(s, 0, str_find(s, '-')), &day))
		return 0;
	s = str_sub(s, str_find(s, '-') + 5, s.n);
	if (!str_u32(str_sub(s, 0, 4), &year) || !str_u32(str_sub(s, 5, 2), &hour) ||
		!str_u32(str_sub(s, 8, 2), &minute) || !str_u32(str_sub(s, 11, 2), &second) ||
		!str_u32(str_sub(s, 15, 4), &zone))
		return 0;
	t = clock_days((int)year, month + 1, day) * 86400 + hour * 3600 + minute * 60 + second;
	zone = zone / 100 * 3600 + zone % 100 * 60;
	return s.p[14] == '-' ? t + zone : t - zone;
}

/* The list of pairs of a FETCH response, NULL when it is none. */
static struct imap_value *pairs(struct imap_value *values)
{
	struct imap_value *list = imap_at(values, 2);

	return imap_is(imap_at(values, 1), "FETCH") && list && list->kind == IMAP_LIST
		       ? list->child
		       : NULL;
}

bool fetch_flags(
	struct imap_value *values, struct arena *a, struct mail_flags *f, bool *flags_r)
{
	*f = (struct mail_flags){0};
	*flags_r = false;
	for (struct imap_value *v = pairs(values); v && v->next; v = v->next->next) {
		if (imap_is(v, "UID")) {
			(void)str_u32(imap_text(v->next), &f->uid);
		} else if (imap_is(v, "FLAGS")) {
			f->flags = flag_bits(v->next->child, a, &f->keywords);
			*flags_r = true;
		}
	}
	return f->uid != 0;
}

bool fetch_summary(struct imap_value *values, struct arena *a, struct mail_summary *m)
{
	bool flags, structure = false;

	*m = (struct mail_summary){0};
	if (!fetch_flags(values, a, &m->flags, &flags))
		return false;
	for (struct imap_value *v = pairs(values); v && v->next; v = v->next->next) {
		if (imap_is(v, "INTERNALDATE")) {
			m->received = internal_date(imap_text(v->next));
		} else if (imap_is(v, "RFC822.SIZE")) {
			(void)str_u32(imap_text(v->next), &m->size);
		} else if (imap_is(v, "BODYSTRUCTURE")) {
			m->root = bodystructure(v->next, a);
			structure = true;
		} else if (str_istarts(imap_text(v), "BODY[HEADER")) {
			m->header = imap_text(v->next);
		}
	}
	return structure;
}

bool fetch_date(struct imap_value *values, uint32_t *uid_r, int64_t *received_r)
{
	*uid_r = 0;
	*received_r = 0;
	for (struct imap_value *v = pairs(values); v && v->next; v = v->next->next) {
		if (imap_is(v, "UID"))
			(void)str_u32(imap_text(v->next), uid_r);
		else if (imap_is(v, "INTERNALDATE"))
			*received_r = internal_date(imap_text(v->next));
	}
	return *uid_r && *received_r;
}

struct collector {
	struct arena *a;
	struct mail_summaries *r;
	const struct mail_guess *g; /* NULL: none */
	size_t cap;
};

/* "BODY[1.1]<0>" of the sections that were guessed. */
static void take_guesses(
	struct imap_value *values, const struct mail_guess *g, struct mail_summary *m)
{
	for (struct imap_value *v = pairs(values); v && v->next; v = v->next->next) {
		struct str key = imap_text(v);

		if (!str_istarts(key, "BODY[") || v->next->kind == IMAP_NIL)
			continue;
		key = str_sub(key, 5, str_find(key, ']') - 5);
		for (size_t i = 0; i < MAIL_GUESSES && g->sections[i]; i++)
			if (str_is(key, g->sections[i]))
				m->guessed[i] = imap_text(v->next);
	}
}

static enum rc collect(void *ctx, struct imap_value *values, struct err *err UNUSED)
{
	struct collector *c = ctx;
	struct mail_summary m;

	if (!fetch_summary(values, c->a, &m))
		return RC_OK;
	if (c->g)
		take_guesses(values, c->g, &m);
	if (c->r->n == c->cap) {
		size_t cap = c->cap ? 2 * c->cap : 64;
		struct mail_summary *v = ARENA_ARRAY(c->a, struct mail_summary, cap);

		if (c->r->n)
			memcpy(v, c->r->v, c->r->n * sizeof(*v));
		c->r->v = v;
		c->cap = cap;
	}
	c->r->v[c->r->n++] = m;
	return RC_OK;
}

static const char *guess_items(const struct mail_guess *g, struct arena *a)
{
	struct str items = {"", 0};

	for (size_t i = 0; g && i < MAIL_GUESSES && g->sections[i]; i++)
		items = arena_printf(a, "%.*s BODY.PEEK[%s]<0.%u>", STR_FMT(items),
			g->sections[i], g->length);
	return items.p;
}

enum rc op_summaries(struct mail *m, struct str folder, const struct uidset *uids,
	const struct mail_guess *g, struct arena *a, struct mail_summaries *r, struct err *err)
{
	struct collector c = {a, r, g, 0};
	struct session *s;
	bool opened;
	unsigned i;
	enum rc rc = mailbox_session((struct imap_mailbox *)m, &s, err);

	*r = (struct mail_summaries){NULL, 0};
	if (rc || uidset_empty(uids))
		return rc;
	opened = mailbox_select(s, folder, a);
	i = session_queue(s, "UID FETCH %s (" FETCH_SUMMARY_ITEMS "%s)", set_text(uids, a),
		guess_items(g, a));
	rc = session_run(s, a, collect, &c, err);
	if (rc == RC_OK && opened)
		rc = mailbox_selected(s, folder, a, err);
	return rc ? rc : session_result(&s->results[i], "could not read messages", err);
}

struct flag_collector {
	struct arena *a;
	struct mail_flag_list *r;
	const struct uidset *uids;
	size_t cap;
};

static enum rc collect_flags(void *ctx, struct imap_value *values, struct err *err UNUSED)
{
	struct flag_collector *c = ctx;
	struct mail_flags f;
	bool flags;

	/* The server tells of others unasked. */
	if (!fetch_flags(values, c->a, &f, &flags) || !flags || !uidset_has(c->uids, f.uid) ||
		c->r->n == c->cap)
		return RC_OK;
	c->r->v[c->r->n++] = f;
	return RC_OK;
}

enum rc op_flags(struct mail *m, struct str folder, const struct uidset *uids, struct arena *a,
	struct mail_flag_list *r, struct err *err)
{
	/* A server may tell the flags of one message twice. */
	struct flag_collector c = {a, r, uids, 2 * (size_t)uidset_count(uids)};
	struct session *s;
	bool opened;
	unsigned i;
	enum rc rc = mailbox_session((struct imap_mailbox *)m, &s, err);

	*r = (struct mail_flag_list){NULL, 0};
	if (rc || uidset_empty(uids))
		return rc;
	r->v = ARENA_ARRAY(a, struct mail_flags, c.cap);
	opened = mailbox_select(s, folder, a);
	i = session_queue(s, "UID FETCH %s (UID FLAGS)", set_text(uids, a));
	rc = session_run(s, a, collect_flags, &c, err);
	if (rc == RC_OK && opened)
		rc = mailbox_selected(s, folder, a, err);
	return rc ? rc : session_result(&s->results[i], "could not read flags", err);
}

struct part_collector {
	struct mail_part_request *v;
	size_t n;
	struct arena *a;
};

/* "BODY[1.2]<0>" belongs to the request of that section and uid. */
static bool names_part(struct str key, const struct mail_part_request *q)
{
	size_t end = str_find(key, ']');
	struct str origin = str_sub(key, end + 1, key.n);
	bool partial = q->length || q->offset;
	uint64_t at;

	if (!str_istarts(key, "BODY[") || !str_ieq(str_sub(key, 5, end - 5), q->section))
		return false;
	if (!origin.n || !partial)
		return !origin.n == !partial;
	return origin.p[0] == '<' && str_u64(str_sub(origin, 1, origin.n - 2), &at) &&
	       at == q->offset;
}

static enum rc collect_part(void *ctx, struct imap_value *values, struct err *err UNUSED)
{
	struct part_collector *c = ctx;
	uint32_t uid = 0;

	for (struct imap_value *v = pairs(values); v && v->next; v = v->next->next)
		if (imap_is(v, "UID"))
			(void)str_u32(imap_text(v->next), &uid);
	for (struct imap_value *v = pairs(values); v && v->next; v = v->next->next)
		for (size_t i = 0; i < c->n; i++)
			if (c->v[i].uid == uid && !c->v[i].bytes.p &&
				names_part(imap_text(v), &c->v[i]) && v->next->kind != IMAP_NIL)
				c->v[i].bytes = imap_text(v->next);
	return RC_OK;
}

enum rc op_parts(struct mail *m, struct str folder, struct mail_part_request *v, size_t n,
	struct arena *a, struct err *err)
{
	struct part_collector c = {v, n, a};
	struct session *s;
	bool opened;
	enum rc rc = mailbox_session((struct imap_mailbox *)m, &s, err);

	for (size_t i = 0; i < n; i++) {
		v[i].bytes = STR_NONE;
		v[i].refused = false;
	}
	if (rc || n == 0)
		return rc;
	if (n > SESSION_COMMANDS - 1)
		return err_set(err, RC_INTERNAL, "too many parts at once");
	opened = mailbox_select(s, folder, a);
	for (size_t i = 0; i < n; i++) {
		if (v[i].length || v[i].offset)
			(void)session_queue(s, "UID FETCH %u (BODY.PEEK[%.*s]<%llu.%u>)",
				v[i].uid, STR_FMT(v[i].section),
				(unsigned long long)v[i].offset,
				v[i].length ? v[i].length : UINT32_MAX / 2);
		else
			(void)session_queue(s, "UID FETCH %u (BODY.PEEK[%.*s])", v[i].uid,
				STR_FMT(v[i].section));
	}
	rc = session_run(s, a, collect_part, &c, err);
	if (rc == RC_OK && opened)
		rc = mailbox_selected(s, folder, a, err);
	/* RFC 5530, RFC 2180 4.1.3: a message that is gone is answered by nothing, or so. */
	for (size_t i = 0; i < n && rc == RC_OK; i++) {
		const struct imap_result *one = &s->results[i + (opened ? 1 : 0)];

		if (str_istarts(one->code, "UNAVAILABLE") || str_istarts(one->code, "INUSE"))
			return session_result(one, "could not read messages", err);
		v[i].refused = one->status != IMAP_OK && !v[i].bytes.p &&
			       !str_istarts(one->code, "EXPUNGEISSUED");
	}
	return rc;
}

#define STREAM_CHUNK (512 * 1024)

enum rc op_stream(struct mail *m, struct str folder, uint32_t uid, struct str section,
	uint64_t offset, uint64_t length, struct sink *to, struct err *err)
{
	uint64_t done = 0;

	for (;;) {
		struct arena *a = arena_new();
		struct mail_part_request q = {.uid = uid,
			.section = section,
			.offset = offset + done,
			.length = STREAM_CHUNK};
		enum rc rc;
		bool last;

		if (length && length - done < STREAM_CHUNK)
			q.length = (uint32_t)(length - done);
		rc = op_parts(m, folder, &q, 1, a, err);
		if (rc == RC_OK && q.refused)
			rc = err_set(err, RC_UNAVAILABLE,
				"the IMAP server does not give part %.*s of message %u",
				STR_FMT(section), uid);
		if (rc == RC_OK && !q.bytes.p && done == 0)
			rc = err_set(err, RC_ABSENT, "message %u or its part %.*s is gone", uid,
				STR_FMT(section));
		if (rc == RC_OK)
			rc = sink_write(to, q.bytes, err);
		done += q.bytes.n;
		last = q.bytes.n < q.length || (length && done >= length);
		arena_free(a);
		if (rc || last)
			return rc;
	}
}
