/*
 * find: the cards that contain a text, by addressbook-query (RFC 6352 section 8.6).
 */
#include "store/dav/dav_internal.h"

#include "core/base/xml.h"

/* Where a text is looked for. Radicale fails over values that are lists, so those come last. */
static const char *const properties[] = {"FN", "NICKNAME", "TITLE", "EMAIL", "TEL", "NOTE",
	"URL", "IMPP", "N", "ORG", "ADR", "CATEGORIES"};
enum { SIMPLE = 8 };

/* How many of them a server can be asked about, by what came of it before. */
static const size_t levels[] = {ARRAY_LEN(properties), SIMPLE};

static void query_body(struct str text, size_t n, struct buf *b)
{
	buf_adds(b, DAV_XML "<R:addressbook-query " DAV_XMLNS
			    "><D:prop><D:getetag/></D:prop><R:filter test=\"anyof\">");
	for (size_t i = 0; i < n; i++) {
		buf_addf(b,
			"<R:prop-filter name=\"%s\"><R:text-match "
			"collation=\"i;unicode-casemap\" match-type=\"contains\">",
			properties[i]);
		xml_escape(b, text);
		buf_adds(b, "</R:text-match></R:prop-filter>");
	}
	buf_adds(b, "</R:filter></R:addressbook-query>\n");
}

static enum rc query(struct dav_user *u, struct str path, struct str text, size_t n,
	struct arena *a, struct multistatus *ms, struct err *err)
{
	struct exchange x = {.method = "REPORT", .path = path, .depth = DEPTH_1};
	struct buf b;
	enum rc rc;

	*ms = (struct multistatus){.n = 0};
	buf_init(&b, BUF_MAX_LINE);
	query_body(text, n, &b);
	x.body = buf_str(&b);
	rc = b.over ? err_set(err, RC_INVALID, "the text is too long to be looked for")
		    : dav_multistatus(u, &x, a, ms, err);
	buf_release(&b);
	return rc;
}

/* A server that stumbles over the question is asked less, and then no more. */
enum rc dav_op_find(struct dav *d, struct str path, struct str text, struct arena *a,
	struct dav_entry **v_r, size_t *n_r, struct err *err)
{
	struct dav_user *u = (struct dav_user *)d;
	unsigned *level = &u->client->find_level;
	struct multistatus ms = {.n = 0};
	enum rc rc = RC_INVALID;

	*n_r = 0;
	for (; *level < ARRAY_LEN(levels); ++*level) {
		err_clear(err);
		rc = query(u, path, text, levels[*level], a, &ms, err);
		if (ms.status != 500 && rc != RC_INVALID)
			break;
	}
	if (*level == ARRAY_LEN(levels))
		return err_set(err, RC_INVALID, "the CardDAV server cannot search");
	if (rc)
		return rc;
	*v_r = ARENA_ARRAY(a, struct dav_entry, ms.n + 1);
	for (size_t i = 0; i < ms.n; i++) {
		struct str href = dav_member(ms.v[i].href, path, a);

		if (href.p && ms.v[i].p.etag.n)
			(*v_r)[(*n_r)++] =
				(struct dav_entry){.href = href, .etag = ms.v[i].p.etag};
	}
	return RC_OK;
}
