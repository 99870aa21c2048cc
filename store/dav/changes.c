/*
 * changes: what changed in a collection, by sync-collection (RFC 6578) or by ETags.
 *
 * Our token is "s:" and the server's sync-token; or, where the server has no sync-collection,
 * "c:" and its ctag (a text that is another when anything in the collection is), or "e:" where
 * it has none: all is listed each time.
 */
#include "store/dav/dav_internal.h"

#include "core/base/xml.h"

#include <glib.h>

/* Pieces that a whole list may come in. */
#define PIECES 1000

struct request {
	struct dav_user *u;
	struct str path;
	struct arena *a;
	struct dav_changes *r;
	struct err *err;
	size_t cap;
	GHashTable *at; /* href -> its entry + 1; NULL: no href comes twice */
};

static void add(struct request *rq, struct dav_entry e)
{
	struct dav_changes *r = rq->r;
	size_t at = rq->at ? GPOINTER_TO_SIZE(g_hash_table_lookup(rq->at, e.href.p)) : 0;

	if (at) {
		r->v[at - 1] = e;
		return;
	}
	if (r->n == rq->cap) {
		struct dav_entry *v;

		rq->cap = rq->cap ? 2 * rq->cap : 64;
		v = ARENA_ARRAY(rq->a, struct dav_entry, rq->cap);
		for (size_t i = 0; i < r->n; i++)
			v[i] = r->v[i];
		r->v = v;
	}
	r->v[r->n++] = e;
	if (rq->at)
		(void)g_hash_table_insert(rq->at, (void *)e.href.p, GSIZE_TO_POINTER(r->n));
}

static enum rc bad_member(struct request *rq, const struct ms_response *m, int status)
{
	return err_set(rq->err, RC_UNAVAILABLE, "%.*s was answered with status %d",
		STR_FMT(m->href), status);
}

/*
 * One response of a list. What the user may not see is left out; what the server could not tell
 * fails the whole, since a list without it would say that it is gone.
 */
static enum rc take(struct request *rq, const struct ms_response *m)
{
	struct str href = dav_member(m->href, rq->path, rq->a);
	int status = m->status >= 300 ? m->status : m->p.found & MS_ETAG ? 0 : m->failed;
	enum rc rc = status ? dav_status_rc(status) : RC_OK;

	/* Left out it would be gone. */
	if (!href.p || !str_starts(href_folder(href, rq->a), rq->path.p))
		return err_set(rq->err, RC_INVALID, "%.*s was answered for %.*s",
			STR_FMT(m->href), STR_FMT(rq->path));
	if (href.n <= rq->path.n)
		return RC_OK;
	/* A collection in the collection. */
	if (href.p[href.n - 1] == '/' || m->p.types & MS_COLLECTION)
		return RC_OK;
	if (rc == RC_UNAVAILABLE || rc == RC_LIMIT)
		return bad_member(rq, m, status);
	if (rc != RC_OK && rc != RC_ABSENT)
		return RC_OK;
	add(rq, (struct dav_entry){.href = href,
			.etag = rc            ? STR_NONE
				: m->p.etag.p ? m->p.etag
					      : STR(""),
			.gone = rc == RC_ABSENT});
	return RC_OK;
}

static enum rc take_all(struct request *rq, const struct multistatus *ms)
{
	for (size_t i = 0; i < ms->n; i++) {
		enum rc rc = take(rq, &ms->v[i]);

		if (rc)
			return rc;
	}
	return RC_OK;
}

/* RFC 6578 section 3.6: the collection itself has status 507. */
static bool is_cut(struct request *rq, const struct multistatus *ms)
{
	for (size_t i = 0; i < ms->n; i++) {
		struct str href = ms->v[i].status == 507
					  ? dav_member(ms->v[i].href, rq->path, rq->a)
					  : STR_NONE;

		if (href.p && str_eq(href_folder(href, rq->a), rq->path))
			return true;
	}
	return false;
}

/* One sync-collection. *status_r: what the server said, 0: nothing. */
static enum rc report(struct request *rq, struct str token, int *status_r, unsigned *errors_r)
{
	/* RFC 6578 section 3.2: Depth 0, the level says what is meant. */
	struct exchange x = {.method = "REPORT", .path = rq->path, .depth = DEPTH_0};
	struct answer an = {.status = 0};
	struct buf b;
	enum rc rc;

	buf_init(&b, BUF_MAX_LINE);
	buf_adds(&b, DAV_XML "<D:sync-collection xmlns:D=\"DAV:\"><D:sync-token>");
	xml_escape(&b, token);
	buf_adds(&b, "</D:sync-token><D:sync-level>1</D:sync-level>"
		     "<D:prop><D:getetag/></D:prop></D:sync-collection>\n");
	x.body = arena_str(rq->a, buf_str(&b));
	buf_release(&b);
	rc = dav_exchange(rq->u, &x, rq->a, &an, rq->err);
	*status_r = an.status;
	if (rc)
		return rc;
	*errors_r = an.ms.errors;
	rc = dav_result(&x, &an, rq->err);
	if (!rc && (an.status != 207 || !an.ms.token.n)) {
		/* It knows the method, and not this report. */
		*status_r = 501;
		return err_set(rq->err, RC_INVALID, "an answer without a sync-token");
	}
	if (!rc)
		rc = take_all(rq, &an.ms);
	if (rc)
		return rc;
	rq->r->more = is_cut(rq, &an.ms);
	rq->r->token = an.ms.token;
	return RC_OK;
}

/* A list that is cut is asked for until it is whole: half a list is none. */
static enum rc report_whole(struct request *rq, int *status_r, unsigned *errors_r)
{
	struct dav_changes *r = rq->r;
	struct str token = STR("");
	enum rc rc;

	for (unsigned i = 0; i < PIECES; i++) {
		rc = report(rq, token, status_r, errors_r);
		if (rc || !r->more)
			return rc;
		if (str_eq(token, r->token))
			break;
		token = r->token;
		if (!rq->at) {
			rq->at = g_hash_table_new(g_str_hash, g_str_equal);
			for (size_t k = 0; k < r->n; k++)
				(void)g_hash_table_insert(rq->at, (void *)r->v[k].href.p,
					GSIZE_TO_POINTER(k + 1));
		}
	}
	return err_set(
		rq->err, RC_UNAVAILABLE, "the list of %.*s does not end", STR_FMT(rq->path));
}

static void only_present(struct dav_changes *r)
{
	size_t n = 0;

	for (size_t i = 0; i < r->n; i++)
		if (!r->v[i].gone)
			r->v[n++] = r->v[i];
	r->n = n;
}

/*
 * Whether another way is tried after an answer. Servers say in many ways that they do not know
 * a token, or the report: 400, 403, 405, 409, 412, 415, 422, 500, 501. What would be the same
 * on any way is left alone.
 */
static bool other_way(int status)
{
	return status == 500 || status == 501 ||
	       (status >= 400 && status <= 499 && status != 401 && status != 404 &&
		       status != 408 && status != 410 && status != 413 && status != 429);
}

static void forget(struct request *rq)
{
	*rq->r = (struct dav_changes){.v = NULL};
	rq->cap = 0;
}

static enum rc sync_collection(struct request *rq, struct str token, bool *other_r)
{
	struct dav_changes *r = rq->r;
	unsigned errors = 0;
	int status = 0;
	enum rc rc = RC_INVALID;

	*other_r = true;
	if (rq->u->client->without & DAV_LACKS_SYNC)
		return err_set(rq->err, RC_INVALID, "not tried");
	if (token.n) {
		rc = report(rq, token, &status, &errors);
		if (rc && !other_way(status) && !(errors & MS_ERR_SYNC_TOKEN)) {
			*other_r = false;
			return rc;
		}
	}
	if (rc) {
		forget(rq);
		r->whole = true;
		rc = report_whole(rq, &status, &errors);
		only_present(r);
	}
	*other_r = rc && other_way(status);
	if (!rc)
		r->token = arena_printf(rq->a, "s:%.*s", STR_FMT(r->token));
	return rc;
}

/* The ctag, STR_NONE: the server has none; and whether it has sync-collection after all. */
static enum rc ask_ctag(struct request *rq, struct str *ctag_r, bool *sync_r)
{
	struct multistatus ms;
	const struct ms_response *m;
	enum rc rc = dav_propfind(
		rq->u, rq->path, DEPTH_0, "<S:getctag/><D:sync-token/>", rq->a, &ms, rq->err);

	if (rc)
		return rc;
	m = dav_response_for(&ms, rq->path, rq->a);
	if (!m || m->status >= 300)
		return err_set(rq->err, m ? dav_status_rc(m->status) : RC_INVALID,
			"%.*s is not told about", STR_FMT(rq->path));
	*ctag_r = m->p.ctag.n && !(rq->u->client->without & DAV_LACKS_CTAG) ? m->p.ctag
									    : STR_NONE;
	*sync_r = m->p.token.n > 0 && !(rq->u->client->without & DAV_LACKS_SYNC);
	return RC_OK;
}

static enum rc list(struct request *rq, struct str ctag)
{
	struct multistatus ms;
	enum rc rc;

	forget(rq);
	rq->r->whole = true;
	/* The ctag is older than the list: at worst the next one is the same. */
	rq->r->token = ctag.p ? arena_printf(rq->a, "c:%.*s", STR_FMT(ctag)) : STR("e:");
	rc = dav_propfind(
		rq->u, rq->path, DEPTH_1, "<D:getetag/><D:resourcetype/>", rq->a, &ms, rq->err);
	if (!rc && ms.n == 0)
		rc = err_set(rq->err, RC_INVALID, "%.*s is not told about", STR_FMT(rq->path));
	return rc ? rc : take_all(rq, &ms);
}

static enum rc by_etags(struct request *rq, struct str token, bool may_sync)
{
	struct str ctag = STR_NONE;
	bool has_sync = false, other = false;
	enum rc rc = ask_ctag(rq, &ctag, &has_sync);

	if (rc)
		return rc;
	if (ctag.p && str_starts(token, "c:") && str_eq(str_sub(token, 2, token.n), ctag)) {
		*rq->r = (struct dav_changes){.token = arena_str(rq->a, token)};
		return RC_OK;
	}
	/* The server has learned it since. */
	if (has_sync && may_sync) {
		rc = sync_collection(rq, STR(""), &other);
		if (!rc || !other)
			return rc;
	}
	return list(rq, ctag);
}

enum rc dav_op_changes(struct dav *d, struct str path, struct str token, struct arena *a,
	struct dav_changes *r, struct err *err)
{
	struct err own = ERR_INIT;
	struct request rq = {.u = (struct dav_user *)d,
		.path = arena_str(a, path),
		.a = a,
		.r = r,
		.err = err ? err : &own};
	bool etags = str_starts(token, "c:") || str_starts(token, "e:"), other = true;
	enum rc rc = RC_INVALID;

	forget(&rq);
	if (!etags)
		rc = sync_collection(&rq,
			str_starts(token, "s:") ? str_sub(token, 2, token.n) : STR(""), &other);
	if (rc && other)
		rc = by_etags(&rq, token, etags);
	if (rq.at)
		g_hash_table_destroy(rq.at);
	if (!rc)
		err_clear(rq.err);
	return rc;
}
