/*
 * objects: read, written, removed and moved.
 */
#include "store/dav/dav_internal.h"

#include "core/base/xml.h"

#include <string.h>

/* Objects that one multiget asks for. */
#define LOT 50

static void taken(struct dav_object *o, const struct ms_response *m)
{
	o->etag = m->p.etag;
	o->bytes = m->p.data;
	o->refused = m->too_large;
}

/*
 * Whether a response says all of an object. A server that says nothing of its data, or that the
 * object alone is in trouble, is asked for the object itself.
 */
static bool settles(const struct ms_response *m, struct dav_object *o)
{
	enum rc rc = m->status ? dav_status_rc(m->status) : RC_OK;

	taken(o, m);
	if (m->too_large || (rc == RC_OK && m->p.data.n))
		return true;
	o->bytes = STR_NONE;
	return rc == RC_ABSENT;
}

static struct dav_object *find(struct dav_object *v, size_t n, struct str href)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(v[i].href, href))
			return &v[i];
	return NULL;
}

static void multiget_body(
	const struct dav_protocol *p, const struct dav_object *v, size_t n, struct buf *b)
{
	buf_addf(b, DAV_XML "<%s " DAV_XMLNS "><D:prop><D:getetag/><%s/></D:prop>", p->multiget,
		p->data);
	for (size_t i = 0; i < n; i++) {
		buf_adds(b, "<D:href>");
		xml_escape(b, v[i].href);
		buf_adds(b, "</D:href>");
	}
	buf_addf(b, "</%s>\n", p->multiget);
}

/* GET of one object, for what a multiget does not tell. */
static enum rc read_one(
	struct dav_user *u, struct dav_object *o, struct arena *a, struct err *err)
{
	struct exchange x = {.method = "GET", .path = o->href, .raw = true};
	struct answer an = {.status = 0};
	enum rc rc = dav_exchange(u, &x, a, &an, err);

	if (!rc)
		rc = dav_result(&x, &an, err);
	if (!rc) {
		o->etag = an.etag.n ? an.etag : o->etag;
		o->bytes = an.body.p ? an.body : STR("");
		return RC_OK;
	}
	if (rc == RC_ABSENT) {
		o->etag = STR_NONE;
		return RC_OK;
	}
	/* It is there. A failure of this object alone is not one of the server. */
	if (rc == RC_UNAVAILABLE && an.status != 500)
		return rc;
	if (an.status == 401)
		return rc;
	o->refused = true;
	return RC_OK;
}

/* RFC 6352 section 8.7, RFC 4791 section 7.9. The objects that were answered for are marked. */
static enum rc multiget(struct dav_user *u, struct str path, struct dav_object *v, size_t n,
	bool *settled, int *status_r, struct arena *a, struct err *err)
{
	struct exchange x = {.method = "REPORT", .path = path, .depth = DEPTH_1};
	struct multistatus ms;
	struct buf b;
	enum rc rc;

	buf_init(&b, BUF_MAX_TEXT);
	multiget_body(u->client->protocol, v, n, &b);
	x.body = buf_str(&b);
	rc = dav_multistatus(u, &x, a, &ms, err);
	buf_release(&b);
	*status_r = ms.status;
	for (size_t i = 0; !rc && i < ms.n; i++) {
		struct str href = dav_member(ms.v[i].href, path, a);
		struct dav_object *o = href.p ? find(v, n, href) : NULL;

		if (o)
			settled[o - v] = settles(&ms.v[i], o);
	}
	return rc;
}

/* Each of them by itself that is not settled. *bytes_r counts what was read; *any_r: one could
 * be. */
static enum rc read_each(struct dav_user *u, struct dav_object *v, size_t n,
	const bool *settled, size_t *bytes_r, struct arena *a, bool *any_r, struct err *err)
{
	enum rc rc = RC_OK;

	*any_r = false;
	for (size_t i = 0; !rc && i < n; i++) {
		if (!settled[i] && *bytes_r >= DAV_BATCH_MAX)
			v[i].left = true;
		else if (!settled[i])
			rc = read_one(u, &v[i], a, err);
		*bytes_r += v[i].bytes.n;
		*any_r = *any_r || !v[i].refused;
	}
	return rc;
}

/* One lot; *bytes_r counts what was read. */
static enum rc read_lot(struct dav_user *u, struct str path, struct dav_object *v, size_t n,
	size_t *bytes_r, struct arena *a, struct err *err)
{
	bool settled[LOT] = {false}, any;
	struct arena_mark mark = arena_mark(a);
	struct err why = ERR_INIT;
	int status = 0;
	enum rc rc = multiget(u, path, v, n, settled, &status, a, &why);
	bool stumbled = rc == RC_UNAVAILABLE && status == 500;

	/* Too much at a time; or one of them that the server stumbles over, as Xandikos does
	 * over a letter that is folded in its middle. */
	if (rc == RC_LIMIT || stumbled) {
		arena_rewind(a, mark);
		memset(settled, 0, sizeof(settled));
		for (size_t i = 0; i < n; i++)
			v[i] = (struct dav_object){.href = v[i].href};
		rc = RC_OK;
	}
	if (rc)
		return err_set_why(err, rc, why.why, "%s", why.text);
	rc = read_each(u, v, n, settled, bytes_r, a, &any, err);
	/* It stumbles over everything. */
	if (rc == RC_OK && stumbled && !any)
		return err_set(err, RC_UNAVAILABLE, "%s", why.text);
	return rc;
}

enum rc dav_op_get(struct dav *d, struct str path, struct dav_object *v, size_t n,
	struct arena *a, struct err *err)
{
	size_t bytes = 0;
	enum rc rc = RC_OK;

	for (size_t i = 0; i < n; i++)
		v[i] = (struct dav_object){.href = v[i].href};
	for (size_t i = 0; !rc && i < n; i += LOT) {
		size_t lot = n - i < LOT ? n - i : LOT;

		if (bytes < DAV_BATCH_MAX)
			rc = read_lot((struct dav_user *)d, path, v + i, lot, &bytes, a, err);
		else
			for (size_t k = i; k < i + lot; k++)
				v[k].left = true;
	}
	return rc;
}

/* The ETag of what is stored now; RC_ABSENT: nothing is. */
static enum rc ask_etag(
	struct dav_user *u, struct str href, struct arena *a, struct str *r, struct err *err)
{
	struct multistatus ms;
	const struct ms_response *m;
	enum rc rc = dav_propfind(u, href, DEPTH_0, "<D:getetag/>", a, &ms, err);

	if (rc)
		return rc;
	m = dav_response_for(&ms, href, a);
	if (!m)
		return err_set(err, RC_INVALID, "%.*s is not told about", STR_FMT(href));
	if (m->status >= 300)
		return err_set(err, dav_status_rc(m->status), "%.*s has status %d",
			STR_FMT(href), m->status);
	if (!m->p.etag.n)
		return err_set(err, RC_INVALID, "the server tells no ETag");
	*r = m->p.etag;
	return RC_OK;
}

enum rc dav_op_put(struct dav *d, struct str href, struct str etag, const char *type,
	struct str bytes, struct arena *a, struct str *etag_r, struct err *err)
{
	struct dav_user *u = (struct dav_user *)d;
	struct exchange x = {.method = "PUT",
		.changes = true,
		.path = href,
		.type = str_of(type),
		.body = bytes.p ? bytes : STR(""),
		.if_match = etag,
		.if_none = etag.n == 0};
	struct answer an = {.status = 0};
	enum rc rc = dav_exchange(u, &x, a, &an, err);

	if (!rc)
		rc = dav_result(&x, &an, err);
	/* What is not there is not what the caller believed. */
	if (rc == RC_ABSENT && etag.n)
		return err_set(err, RC_CONFLICT, "%.*s is gone", STR_FMT(href));
	if (rc)
		return rc;
	*etag_r = an.etag;
	/* RFC 6352 section 6.3.2.3: none, since what is stored is not what was sent. */
	return an.etag.n ? RC_OK : ask_etag(u, href, a, etag_r, err);
}

enum rc dav_op_remove(struct dav *d, struct str href, struct str etag, struct err *err)
{
	struct arena *a = arena_new();
	struct dav_user *u = (struct dav_user *)d;
	struct exchange x = {
		.method = "DELETE", .changes = true, .path = href, .if_match = etag};
	struct answer an = {.status = 0};
	struct str now;
	enum rc rc = dav_exchange(u, &x, a, &an, err);

	if (!rc)
		rc = dav_result(&x, &an, err);
	/* 412 may be that there is nothing (RFC 9110 section 13.1.1). */
	if (rc == RC_CONFLICT) {
		rc = ask_etag(u, href, a, &now, err);
		if (rc == RC_OK)
			rc = err_set(err, RC_CONFLICT, "%.*s is another now", STR_FMT(href));
	}
	arena_free(a);
	return rc;
}

/* What a server that cannot MOVE does not do at once: a copy, and the original goes when it is
 * still the same. */
static enum rc copy_and_remove(struct dav_user *u, struct str href, struct str to,
	struct arena *a, struct str *etag_r, struct err *err)
{
	struct exchange x = {.method = "GET", .path = href, .raw = true};
	struct answer an = {.status = 0};
	struct str etag;
	enum rc rc = dav_exchange(u, &x, a, &an, err);

	if (!rc)
		rc = dav_result(&x, &an, err);
	if (rc)
		return rc;
	etag = an.etag;
	if (!etag.n)
		rc = ask_etag(u, href, a, &etag, err);
	if (!rc)
		rc = dav_op_put(
			&u->dav, to, STR(""), arena_cstr(a, an.type), an.body, a, etag_r, err);
	if (rc)
		return rc;
	rc = dav_op_remove(&u->dav, href, etag, err);
	if (rc == RC_OK || rc == RC_ABSENT)
		return RC_OK;
	(void)dav_op_remove(&u->dav, to, *etag_r, NULL);
	/* Changed meanwhile: the next try moves what is there then. */
	return rc == RC_CONFLICT ? err_set(err, RC_UNAVAILABLE, "%.*s was changed meanwhile",
					   STR_FMT(href))
				 : rc;
}

/* MOVE is not for this server, or this destination (RFC 4918 section 9.9.4; 502: it does not
 * know itself by the name we know it by). */
static bool cannot_move(int status)
{
	return status == 400 || status == 403 || status == 405 || status == 415 ||
	       status == 501 || status == 502;
}

enum rc dav_op_move(struct dav *d, struct str href, struct str to, struct arena *a,
	struct str *etag_r, struct err *err)
{
	struct dav_user *u = (struct dav_user *)d;
	struct exchange x = {
		.method = "MOVE", .changes = true, .path = href, .destination = to};
	struct answer an = {.status = 0};
	enum rc rc;

	if (u->client->without & DAV_LACKS_MOVE)
		return copy_and_remove(u, href, to, a, etag_r, err);
	rc = dav_exchange(u, &x, a, &an, err);
	if (!rc && cannot_move(an.status))
		return copy_and_remove(u, href, to, a, etag_r, err);
	if (!rc)
		rc = dav_result(&x, &an, err);
	if (rc)
		return rc;
	*etag_r = an.etag;
	return an.etag.n ? RC_OK : ask_etag(u, to, a, etag_r, err);
}

struct str dav_op_join(struct dav *d UNUSED, struct str path, struct str name, struct arena *a)
{
	return arena_printf(a, "%.*s%.*s", STR_FMT(path), STR_FMT(href_segment(name, a)));
}
