/*
 * collections: a user's collections, made, named and removed.
 */
#include "store/dav/dav_internal.h"

#include "core/base/utf8.h"
#include "core/base/xml.h"

#include <stdlib.h>

/* What collections of a kind are in MKCOL and PROPFIND. */
static const struct {
	unsigned kind;
	const char *type, *component; /* NULL: it has no such set */
} makings[] = {
	{DAV_CARDS,    "<R:addressbook/>", NULL      },
	{DAV_EVENTS,   "<C:calendar/>",    "VEVENT"  },
	{DAV_TODOS,    "<C:calendar/>",    "VTODO"   },
	{DAV_JOURNALS, "<C:calendar/>",    "VJOURNAL"},
};

static unsigned kinds_of(const struct ms_props *p)
{
	unsigned kinds = 0;

	if (p->types & MS_ADDRESSBOOK)
		kinds |= DAV_CARDS;
	/* RFC 4791 section 5.2.3: without the property all components are taken. */
	if (p->types & MS_CALENDAR && !(p->types & MS_SCHEDULING))
		kinds |= p->found & MS_COMPONENTS ? p->components << 1
						  : DAV_EVENTS | DAV_TODOS | DAV_JOURNALS;
	return kinds;
}

static struct str name_of(const struct ms_props *p, struct str path, struct arena *a)
{
	return utf8_cleaned(p->name.n ? p->name : href_last(path, a), a);
}

static void show(
	const struct ms_props *p, struct str path, struct arena *a, struct dav_collection *c)
{
	*c = (struct dav_collection){
		.path = path,
		.name = name_of(p, path, a),
		.kinds = kinds_of(p),
		/* A server that does not say lets the user try. */
		.read_only = p->found & MS_PRIVILEGES && p->privileges == 0,
		.card4 = (p->versions & (MS_CARD_3 | MS_CARD_4)) == MS_CARD_4,
		.max_size = p->max_size,
	};
}

static bool has(const struct dav_collections *r, struct str path)
{
	for (size_t i = 0; i < r->n; i++)
		if (str_eq(r->v[i].path, path))
			return true;
	return false;
}

/* A member that the server could not tell about is no reason to leave it out. */
static enum rc trouble(const struct ms_response *m, struct err *err)
{
	int status = m->status >= 300 ? m->status : m->p.found & MS_TYPES ? 0 : m->failed;

	if (status && dav_status_rc(status) == RC_UNAVAILABLE)
		return err_set(err, RC_UNAVAILABLE, "%.*s was answered with status %d",
			STR_FMT(m->href), status);
	return RC_OK;
}

static enum rc list_home(struct dav_user *u, struct str home, unsigned kinds, struct arena *a,
	struct dav_collections *r, struct str *chosen_r, struct err *err)
{
	struct multistatus ms;
	struct dav_collection *v;
	enum rc rc = dav_propfind(u, home, DEPTH_1,
		"<D:resourcetype/><D:displayname/><D:current-user-privilege-set/>"
		"<R:supported-address-data/><R:max-resource-size/><R:default-addressbook-URL/>"
		"<C:supported-calendar-component-set/><C:max-resource-size/>"
		"<C:schedule-default-calendar-URL/>",
		a, &ms, err);

	if (rc)
		return rc;
	/* The home itself is in every answer. */
	if (ms.n == 0)
		return err_set(err, RC_INVALID, "%.*s is not told about", STR_FMT(home));
	v = ARENA_ARRAY(a, struct dav_collection, r->n + ms.n + 1);
	for (size_t i = 0; i < r->n; i++)
		v[i] = r->v[i];
	r->v = v;
	for (size_t i = 0; i < ms.n; i++) {
		const struct ms_response *m = &ms.v[i];
		struct str path = dav_member(m->href, home, a);

		rc = trouble(m, err);
		if (rc)
			return rc;
		/* RFC 6638 section 9.2: the one for appointments is told by the inbox, which
		 * mostly is in the home. */
		if (kinds & DAV_CARDS && m->p.default_book.n)
			*chosen_r = dav_href(u, m->p.default_book, home, a);
		if (kinds & DAV_EVENTS && m->p.default_events.n)
			*chosen_r = dav_href(u, m->p.default_events, home, a);
		if (!path.p || !(kinds_of(&m->p) & kinds))
			continue;
		path = href_folder(path, a);
		if (!has(r, path))
			show(&m->p, path, a, &r->v[r->n++]);
	}
	return RC_OK;
}

static int by_path(const void *x, const void *y)
{
	const struct dav_collection *p = x, *q = y;

	if (p->is_default != q->is_default)
		return p->is_default ? -1 : 1;
	return str_cmp(p->path, q->path);
}

static void sort(struct dav_collections *r, struct str chosen, struct arena *a)
{
	for (size_t i = 0; chosen.p && i < r->n; i++)
		r->v[i].is_default = str_eq(r->v[i].path, href_folder(chosen, a));
	if (r->n)
		qsort(r->v, r->n, sizeof(*r->v), by_path);
}

static bool is_home_of(const struct home *h, unsigned kinds)
{
	return (kinds & DAV_CARDS && h->types & MS_ADDRESSBOOK) ||
	       (kinds & ~(unsigned)DAV_CARDS && h->types & MS_CALENDAR);
}

/* RC_ABSENT: none of the homes is there. */
static enum rc list_homes(struct dav_user *u, const struct homes *homes, unsigned kinds,
	struct arena *a, struct dav_collections *r, struct err *err)
{
	struct str chosen = STR_NONE;
	bool there = false, any = false;

	*r = (struct dav_collections){.v = NULL};
	for (size_t i = 0; i < homes->n; i++) {
		enum rc rc;

		if (!is_home_of(&homes->v[i], kinds))
			continue;
		any = true;
		rc = list_home(u, homes->v[i].path, kinds, a, r, &chosen, err);
		/* Homes of others that the user may no longer see. */
		if (rc == RC_ABSENT || (rc == RC_DENIED && there))
			continue;
		if (rc)
			return rc;
		there = true;
	}
	sort(r, chosen, a);
	r->none = !any;
	return any && !there ? err_set(err, RC_ABSENT, "the user's home is not there") : RC_OK;
}

enum rc dav_op_collections(struct dav *d, unsigned kinds, struct arena *a,
	struct dav_collections *r, struct err *err)
{
	struct dav_user *u = (struct dav_user *)d;
	bool remembered = true;

	for (;;) {
		unsigned before = u->trips;
		struct homes homes;
		enum rc rc = dav_homes(u, !remembered, a, &homes, err);

		if (rc)
			return rc;
		remembered = u->trips == before && !href_is_template(u->client->place);
		rc = list_homes(u, &homes, kinds, a, r, err);
		if (rc != RC_ABSENT)
			return rc;
		/* It may have moved since it was found. */
		if (!remembered)
			break;
		remembered = false;
	}
	err_clear(err);
	*r = (struct dav_collections){.none = true};
	return RC_OK;
}

static struct str escaped(struct str text, struct arena *a)
{
	struct buf b;
	struct str s;

	buf_init(&b, BUF_MAX_LINE);
	xml_escape(&b, utf8_cleaned(text, a));
	s = b.over ? STR_NONE : arena_str(a, buf_str(&b));
	buf_release(&b);
	return s;
}

/* PROPPATCH; what the server does not set is RC_DENIED. */
static enum rc set_props(
	struct dav_user *u, struct str path, struct str props, struct arena *a, struct err *err)
{
	struct exchange x = {.method = "PROPPATCH", .path = path};
	struct multistatus ms;
	enum rc rc;

	x.body = arena_printf(a,
		DAV_XML "<D:propertyupdate " DAV_XMLNS "><D:set><D:prop>%.*s</D:prop></D:set>"
			"</D:propertyupdate>\n",
		STR_FMT(props));
	rc = dav_multistatus(u, &x, a, &ms, err);
	for (size_t i = 0; !rc && i < ms.n; i++) {
		int status = ms.v[i].status >= 300 ? ms.v[i].status : ms.v[i].failed;

		if (status)
			rc = err_set(err, dav_status_rc(status),
				"properties of %.*s were answered with status %d",
				STR_FMT(path), status);
	}
	return rc;
}

static struct str name_element(struct str name, struct arena *a)
{
	return arena_printf(
		a, "<D:displayname>%.*s</D:displayname>", STR_FMT(escaped(name, a)));
}

/* Whether a collection of that kind is at a path. */
static enum rc look_for(struct dav_user *u, struct str path, unsigned kind, struct arena *a,
	bool *is_r, struct err *err)
{
	struct multistatus ms;
	const struct ms_response *m;
	enum rc rc = dav_propfind(u, path, DEPTH_0,
		"<D:resourcetype/><C:supported-calendar-component-set/>", a, &ms, err);

	if (rc)
		return rc;
	m = dav_response_for(&ms, path, a);
	*is_r = m && kinds_of(&m->p) & kind;
	return !m || m->status == 404
		       ? err_set(err, RC_ABSENT, "nothing is at %.*s", STR_FMT(path))
		       : RC_OK;
}

static enum rc there_already(struct str path, struct err *err)
{
	return err_set(err, RC_CONFLICT, "%.*s is there already", STR_FMT(path));
}

/* Extended MKCOL, RFC 5689. */
static enum rc make_extended(
	struct dav_user *u, struct str path, struct str props, struct arena *a, struct err *err)
{
	struct exchange x = {.method = "MKCOL", .path = path};
	struct answer an = {.status = 0};
	enum rc rc;

	if (u->client->without & DAV_LACKS_MKCOL)
		return err_set(err, RC_INVALID, "not tried");
	x.body = arena_printf(a,
		DAV_XML "<D:mkcol " DAV_XMLNS "><D:set><D:prop>%.*s</D:prop></D:set>"
			"</D:mkcol>\n",
		STR_FMT(props));
	rc = dav_exchange(u, &x, a, &an, err);
	return rc ? rc : dav_result(&x, &an, err);
}

/* A plain collection that is told what it is; one that does not become it goes again. */
static enum rc make_plain(struct dav_user *u, struct str path, struct str props, unsigned kind,
	struct arena *a, struct err *err)
{
	struct exchange x = {.method = "MKCOL", .path = path};
	struct answer an = {.status = 0};
	bool is = false;
	enum rc rc = dav_exchange(u, &x, a, &an, err);

	if (!rc)
		rc = dav_result(&x, &an, err);
	if (rc)
		return rc;
	rc = set_props(u, path, props, a, err);
	if (!rc)
		rc = look_for(u, path, kind, a, &is, err);
	if (!rc && is)
		return RC_OK;
	if (!rc)
		rc = err_set(err, RC_DENIED, "the server makes no such collection");
	(void)dav_op_erase(&u->dav, path, NULL);
	return rc;
}

static enum rc home_path(struct dav_user *u, unsigned kind, struct str key, struct arena *a,
	struct str *path_r, struct err *err)
{
	struct homes homes;
	enum rc rc = dav_homes(u, false, a, &homes, err);

	for (size_t i = 0; !rc && i < homes.n; i++)
		if (is_home_of(&homes.v[i], kind)) {
			*path_r = arena_printf(a, "%.*s%.*s/", STR_FMT(homes.v[i].path),
				STR_FMT(href_segment(key, a)));
			return RC_OK;
		}
	return rc ? rc : err_set(err, RC_ABSENT, "the user has no home at the server");
}

/* MKCALENDAR, RFC 4791 section 5.3.1. */
static enum rc make_calendar(
	struct dav_user *u, struct str path, struct str props, struct arena *a, struct err *err)
{
	struct exchange x = {.method = "MKCALENDAR", .path = path};
	struct answer an = {.status = 0};
	enum rc rc;

	x.body = arena_printf(a,
		DAV_XML "<C:mkcalendar " DAV_XMLNS "><D:set><D:prop>%.*s</D:prop></D:set>"
			"</C:mkcalendar>\n",
		STR_FMT(props));
	rc = dav_exchange(u, &x, a, &an, err);
	return rc ? rc : dav_result(&x, &an, err);
}

/* The properties of a new collection but its type; STR_NONE: there is no such kind. */
static struct str new_props(
	unsigned kind, struct str name, struct arena *a, const char **type_r)
{
	for (size_t i = 0; i < ARRAY_LEN(makings); i++) {
		struct str set = STR("");

		if (makings[i].kind != kind)
			continue;
		*type_r = makings[i].type;
		if (makings[i].component)
			set = arena_printf(a,
				"<C:supported-calendar-component-set><C:comp name=\"%s\"/>"
				"</C:supported-calendar-component-set>",
				makings[i].component);
		return arena_printf(
			a, "%.*s%.*s", STR_FMT(set), STR_FMT(name_element(name, a)));
	}
	return STR_NONE;
}

enum rc dav_op_create(struct dav *d, unsigned kind, struct str key, struct str name,
	struct arena *a, struct str *path_r, struct err *err)
{
	struct dav_user *u = (struct dav_user *)d;
	const char *type = NULL;
	struct str props = new_props(kind, name, a, &type), typed;
	bool is = false;
	enum rc rc;

	if (!props.p)
		return err_set(err, RC_INVALID, "no kind of collection");
	rc = home_path(u, kind, key, a, path_r, err);
	if (rc)
		return rc;
	typed = arena_printf(a, "<D:resourcetype><D:collection/>%s</D:resourcetype>%.*s", type,
		STR_FMT(props));
	rc = make_extended(u, *path_r, typed, a, err);
	if (rc == RC_OK || rc == RC_UNAVAILABLE)
		return rc;
	/* 405, and others, also say that something is there (RFC 4918 section 9.3.1). */
	rc = look_for(u, *path_r, kind, a, &is, err);
	if (rc == RC_OK)
		return there_already(*path_r, err);
	if (rc != RC_ABSENT)
		return rc;
	err_clear(err);
	return kind == DAV_CARDS ? make_plain(u, *path_r, typed, kind, a, err)
				 : make_calendar(u, *path_r, props, a, err);
}

enum rc dav_op_rename(struct dav *d, struct str path, struct str name, struct err *err)
{
	struct arena *a = arena_new();
	enum rc rc = set_props((struct dav_user *)d, path, name_element(name, a), a, err);

	arena_free(a);
	return rc;
}

enum rc dav_op_erase(struct dav *d, struct str path, struct err *err)
{
	struct arena *a = arena_new();
	struct exchange x = {.method = "DELETE", .changes = true, .path = path};
	struct answer an = {.status = 0};
	enum rc rc = dav_exchange((struct dav_user *)d, &x, a, &an, err);

	if (!rc)
		rc = dav_result(&x, &an, err);
	/* RFC 4918 section 9.6.1: 207 names what could not be removed. */
	for (size_t i = 0; !rc && i < an.ms.n; i++)
		if (an.status == 207 && an.ms.v[i].status >= 300)
			rc = err_set(err, dav_status_rc(an.ms.v[i].status),
				"something in %.*s stays, status %d", STR_FMT(path),
				an.ms.v[i].status);
	arena_free(a);
	return rc;
}
