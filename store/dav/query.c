/*
 * query: which appointments of a calendar are of use, by calendar-query (RFC 4791 section 7.8).
 */
#include "store/dav/dav_internal.h"

#include "core/base/clock.h"
#include "core/base/utf8.h"
#include "core/base/xml.h"

/* 1900 to 2100; nobody asks for more, and servers count series up to there. */
#define FIRST_SECOND (-2208988800LL)
#define LAST_SECOND  4102444800LL

/* Some years, in seconds. SabreDAV knows of none after 2037. */
#define LATER (5LL * 366 * 86400)
/* For how long a server is believed to understand series. */
enum { KNOWN_MS = 3600 * 1000 };

/* filter: what is asked of a VEVENT. */
static struct str query_body(struct str filter, struct arena *a)
{
	return arena_printf(a,
		DAV_XML "<C:calendar-query " DAV_XMLNS
			"><D:prop><D:getetag/></D:prop><C:filter>"
			"<C:comp-filter name=\"VCALENDAR\"><C:comp-filter name=\"VEVENT\">%.*s"
			"</C:comp-filter></C:comp-filter></C:filter></C:calendar-query>\n",
		STR_FMT(filter));
}

/*
 * Whether an answer says that the server cannot do this, which is no trouble of the collection.
 * 500: it stumbles over the question, or over one of the objects while it looks at all of them,
 * and will do so the next time as well.
 */
static bool cannot(enum rc rc, const struct multistatus *ms)
{
	return rc == RC_INVALID || ms->status == 500 ||
	       (rc == RC_DENIED && ms->errors & MS_ERR_FILTER);
}

/*
 * The members that are named. An answer that is cut, or names what is not in the collection, is
 * none: what it leaves out would be taken for something that does not go on.
 */
static enum rc members(const struct multistatus *ms, struct str path, struct arena *a,
	struct dav_entry **v_r, size_t *n_r, struct err *err)
{
	struct dav_entry *v = ARENA_ARRAY(a, struct dav_entry, ms->n + 1);
	size_t n = 0;

	for (size_t i = 0; i < ms->n; i++) {
		const struct ms_response *m = &ms->v[i];
		struct str href = dav_member(m->href, path, a);

		if (m->status == 404)
			continue;
		if (m->status >= 300 || !href.p || !str_starts(href_folder(href, a), path.p))
			return err_set(err, RC_INVALID, "%.*s was answered for %.*s, status %d",
				STR_FMT(m->href), STR_FMT(path), m->status);
		if (href.n > path.n && href.p[href.n - 1] != '/')
			v[n++] = (struct dav_entry){.href = href, .etag = m->p.etag};
	}
	*v_r = v;
	*n_r = n;
	return RC_OK;
}

static enum rc query(struct dav *d, struct str path, struct str filter, struct arena *a,
	struct dav_entry **v_r, size_t *n_r, struct err *err)
{
	struct dav_user *u = (struct dav_user *)d;
	struct exchange x = {.method = "REPORT", .path = path, .depth = DEPTH_1};
	struct multistatus ms = {.n = 0};
	struct err why = ERR_INIT;
	enum rc rc;

	*n_r = 0;
	if (u->client->protocol->homes != MS_CALENDAR_HOMES)
		return err_set(err, RC_INVALID, "there are no appointments at this server");
	x.body = query_body(filter, a);
	rc = dav_multistatus(u, &x, a, &ms, &why);
	if (rc)
		return err_set_why(
			err, cannot(rc, &ms) ? RC_INVALID : rc, why.why, "%s", why.text);
	return members(&ms, path, a, v_r, n_r, err);
}

struct found {
	struct dav_entry *v;
	size_t n;
};

static bool has(const struct found *f, struct str href)
{
	for (size_t i = 0; i < f->n; i++)
		if (str_eq(f->v[i].href, href))
			return true;
	return false;
}

/* RFC 4791 section 9.9: without an end it is open. */
static enum rc from_on(struct dav *d, struct str path, int64_t from, struct arena *a,
	struct found *r, struct err *err)
{
	struct str start = clock_compact(a, from);

	return query(d, path, arena_printf(a, "<C:time-range start=\"%.*s\"/>", STR_FMT(start)),
		a, &r->v, &r->n, err);
}

/* How many of the series are not among those that go on, and how many are. */
static void compare(
	const struct found *series, const struct found *going, size_t *missing_r, size_t *in_r)
{
	*missing_r = *in_r = 0;
	for (size_t i = 0; i < series->n; i++)
		*(has(going, series->v[i].href) ? in_r : missing_r) += 1;
}

/*
 * Xandikos answers with series only when their first time is late enough. Whether a server
 * knows better shows in whether a series is going on in some years. Where that cannot be seen,
 * and some series are not among those that go on, the server is not to be believed.
 */
static enum rc check_series(struct dav *d, struct str path, int64_t from,
	const struct found *going, struct arena *a, struct err *err)
{
	struct dav_client *c = ((struct dav_user *)d)->client;
	struct found series = {NULL, 0}, later = {NULL, 0};
	size_t missing, in;
	enum rc rc = query(
		d, path, STR("<C:prop-filter name=\"RRULE\"/>"), a, &series.v, &series.n, err);

	if (rc)
		return rc;
	compare(&series, going, &missing, &in);
	if (!missing)
		return RC_OK;
	if (in) {
		rc = from_on(d, path, from + LATER, a, &later, err);
		if (rc)
			return rc;
		compare(&series, &later, &missing, &in);
	}
	if (!in)
		return err_set(err, RC_INVALID,
			"it is not known whether the server understands series");
	c->series_until = clock_mono_ms() + KNOWN_MS;
	return RC_OK;
}

enum rc dav_op_since(struct dav *d, struct str path, int64_t from, struct arena *a,
	struct dav_entry **v_r, size_t *n_r, struct err *err)
{
	struct found going = {NULL, 0};
	enum rc rc;

	from = from < FIRST_SECOND ? FIRST_SECOND : from > LAST_SECOND ? LAST_SECOND : from;
	rc = from_on(d, path, from, a, &going, err);
	*n_r = 0;
	if (!rc && clock_mono_ms() >= ((struct dav_user *)d)->client->series_until)
		rc = check_series(d, path, from, &going, a, err);
	if (rc)
		return rc;
	*v_r = going.v;
	*n_r = going.n;
	return RC_OK;
}

enum rc dav_op_with_uid(struct dav *d, struct str path, struct str uid, struct arena *a,
	struct dav_entry **v_r, size_t *n_r, struct err *err)
{
	struct str filter;
	struct buf b;

	*n_r = 0;
	if (!uid.n || uid.n > DAV_UID_MAX)
		return err_set(err, RC_INVALID, "nothing is looked for by such a UID");
	buf_init(&b, BUF_MAX_LINE);
	/* All servers know this one and i;ascii-casemap (RFC 4791 section 7.5), at which
	 * Xandikos fails when there is any UID that is not ASCII. */
	buf_adds(&b, "<C:prop-filter name=\"UID\"><C:text-match collation=\"i;octet\">");
	xml_escape(&b, utf8_cleaned(uid, a));
	buf_adds(&b, "</C:text-match></C:prop-filter>");
	filter = b.over ? STR_NONE : arena_str(a, buf_str(&b));
	buf_release(&b);
	return filter.p ? query(d, path, filter, a, v_r, n_r, err)
			: err_set(err, RC_INVALID, "the UID is too long");
}
