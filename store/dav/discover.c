/*
 * discover: from the URL of the setting to where a user's collections are (RFC 6764, RFC 5397,
 * RFC 6352 section 7.1.1, RFC 4791 section 6.2.1).
 */
#include "store/dav/dav_internal.h"

#include "core/base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Users whose homes a worker remembers, and for how long. */
#define KNOWN        256
#define KNOWN_MS     (60 * 60 * 1000)
#define REDIRECTIONS 4

struct known_homes {
	char login[256];
	int64_t until;
	size_t n;
	struct {
		char path[256];
		unsigned types;
	} v[MS_HOMES];
};

void dav_homes_free(struct dav_client *c)
{
	free(c->known);
	c->known = NULL;
}

static struct known_homes *known(struct dav_user *u)
{
	struct dav_client *c = u->client;
	struct known_homes *oldest;

	if (!c->known)
		c->known = calloc(KNOWN, sizeof(*c->known));
	if (!c->known)
		abort();
	oldest = &c->known[0];
	for (size_t i = 0; i < KNOWN; i++) {
		if (strcmp(c->known[i].login, u->login) == 0)
			return &c->known[i];
		if (c->known[i].until < oldest->until)
			oldest = &c->known[i];
	}
	return oldest;
}

static bool recall(struct dav_user *u, struct arena *a, struct homes *r)
{
	const struct known_homes *k = known(u);

	if (strcmp(k->login, u->login) != 0 || k->until <= clock_mono_ms())
		return false;
	for (size_t i = 0; i < k->n; i++)
		r->v[i] = (struct home){arena_str(a, str_of(k->v[i].path)), k->v[i].types};
	r->n = k->n;
	return true;
}

static void remember(struct dav_user *u, const struct homes *homes)
{
	struct known_homes *k = known(u);

	if (homes->n == 0 || homes->n > MS_HOMES)
		return;
	/* All or nothing: the place may be another user's still. */
	for (size_t i = 0; i < homes->n; i++)
		if (homes->v[i].path.n >= sizeof(k->v[i].path))
			return;
	for (size_t i = 0; i < homes->n; i++) {
		(void)snprintf(
			k->v[i].path, sizeof(k->v[i].path), "%.*s", STR_FMT(homes->v[i].path));
		k->v[i].types = homes->v[i].types;
	}
	(void)snprintf(k->login, sizeof(k->login), "%s", u->login);
	k->n = homes->n;
	k->until = clock_mono_ms() + KNOWN_MS;
}

static bool redirects(int status)
{
	return status == 301 || status == 302 || status == 303 || status == 307 ||
	       status == 308;
}

/*
 * PROPFIND of one resource; redirections are followed on the same host, and *path is where they
 * led. *status_r: what it was answered with, 0: it was not.
 */
static enum rc look(struct dav_user *u, struct str *path, struct arena *a, int *status_r,
	struct multistatus *r, struct err *err)
{
	struct exchange x = {.method = "PROPFIND", .depth = DEPTH_0};
	struct answer an = {.status = 0};
	enum rc rc;

	x.body = STR(DAV_XML "<D:propfind " DAV_XMLNS "><D:prop><D:current-user-principal/>"
			     "<R:addressbook-home-set/><C:calendar-home-set/>"
			     "</D:prop></D:propfind>\n");
	for (unsigned i = 0; i <= REDIRECTIONS; i++) {
		struct str to;

		x.path = *path;
		*status_r = 0;
		rc = dav_exchange(u, &x, a, &an, err);
		if (rc)
			return rc;
		*status_r = an.status;
		to = redirects(an.status) ? dav_href(u, an.location, *path, a) : STR_NONE;
		if (!to.p)
			break;
		*path = to;
	}
	rc = dav_result(&x, &an, err);
	if (!rc && an.status != 207)
		rc = err_set(err, RC_INVALID, "PROPFIND of %.*s was answered with status %d",
			STR_FMT(*path), an.status);
	*r = an.ms;
	return rc;
}

static void add_homes(const struct dav_user *u, const struct ms_homes *homes, unsigned type,
	struct str base, struct arena *a, struct homes *r)
{
	for (size_t i = 0; homes && i < homes->n; i++) {
		struct str path = dav_href(u, homes->v[i], base, a);
		size_t k = 0;

		if (!path.p)
			continue;
		path = href_folder(path, a);
		while (k < r->n && !str_eq(r->v[k].path, path))
			k++;
		if (k == ARRAY_LEN(r->v))
			return;
		r->v[k].path = path;
		r->v[k].types |= type;
		r->n = k == r->n ? k + 1 : r->n;
	}
}

/* Homes that an answer names; RC_UNAVAILABLE: the server could not say now. */
static enum rc homes_in(const struct dav_user *u, const struct multistatus *ms, struct str base,
	struct arena *a, struct homes *r, struct err *err)
{
	const struct ms_response *one = dav_response_for(ms, base, a);

	if (!one)
		return RC_OK;
	if (one->failed && !(one->p.found & u->client->protocol->homes))
		return err_set(err, dav_status_rc(one->failed),
			"the homes of %.*s were answered with status %d", STR_FMT(base),
			one->failed);
	add_homes(u, one->p.card_homes, MS_ADDRESSBOOK, base, a, r);
	add_homes(u, one->p.calendar_homes, MS_CALENDAR, base, a, r);
	return RC_OK;
}

static struct str principal_in(const struct dav_user *u, const struct multistatus *ms,
	struct str base, struct arena *a)
{
	/* Some answer with another href than was asked for; there is one response. */
	for (size_t i = 0; i < ms->n; i++)
		if (ms->v[i].p.principal.n)
			return dav_href(u, ms->v[i].p.principal, base, a);
	return STR_NONE;
}

/* Asks one place who the user is. *principal_r STR_NONE: it does not say. */
static enum rc ask(struct dav_user *u, struct str *path, struct arena *a, int *status_r,
	struct str *principal_r, struct homes *r, struct err *err)
{
	struct multistatus ms;
	enum rc rc = look(u, path, a, status_r, &ms, err);

	*principal_r = STR_NONE;
	if (rc)
		return rc;
	*principal_r = principal_in(u, &ms, *path, a);
	if (!principal_r->p)
		return RC_OK;
	/* It may be the principal itself. */
	return str_eq(href_folder(*principal_r, a), href_folder(*path, a))
		       ? homes_in(u, &ms, *path, a, r, err)
		       : RC_OK;
}

/*
 * The principal: asked for at the place of the setting, and where that is the root and does not
 * know, at the well-known place. The place that knew is remembered for all users.
 */
static enum rc find_principal(struct dav_user *u, struct arena *a, struct str *principal_r,
	struct homes *r, struct err *err)
{
	struct dav_client *c = u->client;
	struct str root = c->place.n ? c->place : STR("/");
	struct str places[] = {c->context[0] ? str_of(c->context) : STR_NONE, root,
		str_is(root, "/") ? str_of(c->protocol->well_known) : STR_NONE};
	struct str said;
	enum rc rc = RC_OK;

	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		struct str path = STR_NONE;
		int status;

		if (places[i].p)
			path = href_canonical(places[i], STR("/"), c->host, a);
		if (!path.p)
			continue;
		rc = ask(u, &path, a, &status, principal_r, r, err);
		if (!rc && principal_r->p) {
			if (path.n < sizeof(c->context))
				(void)snprintf(
					c->context, sizeof(c->context), "%.*s", STR_FMT(path));
			return RC_OK;
		}
		if (rc && (status == 0 || status == 401))
			return rc;
	}
	/* The configuration is at fault, or the server in trouble: not the user. */
	c->context[0] = '\0';
	said = rc && err ? arena_str(a, str_of(err->text)) : STR("no principal");
	return err_set(err, RC_UNAVAILABLE, "no %s service was found at %.*s: %.*s",
		c->protocol->name, STR_FMT(c->url), STR_FMT(said));
}

static enum rc discover(struct dav_user *u, struct arena *a, struct homes *r, struct err *err)
{
	struct str principal;
	struct multistatus ms;
	int status;
	enum rc rc = find_principal(u, a, &principal, r, err);

	if (rc || r->n)
		return rc;
	rc = look(u, &principal, a, &status, &ms, err);
	if (rc == RC_ABSENT)
		return RC_OK;
	return rc ? rc : homes_in(u, &ms, principal, a, r, err);
}

static enum rc from_template(
	struct dav_user *u, struct arena *a, struct homes *r, struct err *err)
{
	struct dav_client *c = u->client;
	struct str path = href_template(c->place, str_of(u->login), a);

	path = path.p ? href_canonical(path, STR("/"), c->host, a) : STR_NONE;
	if (!path.p)
		return err_set(err, RC_UNAVAILABLE, "%s gives no path for this user",
			c->protocol->setting);
	r->v[0] = (struct home){href_folder(path, a), MS_ADDRESSBOOK | MS_CALENDAR};
	r->n = 1;
	return RC_OK;
}

enum rc dav_homes(
	struct dav_user *u, bool fresh, struct arena *a, struct homes *r, struct err *err)
{
	enum rc rc;

	*r = (struct homes){.n = 0};
	if (href_is_template(u->client->place))
		return from_template(u, a, r, err);
	if (!fresh && recall(u, a, r))
		return RC_OK;
	rc = discover(u, a, r, err);
	if (!rc)
		remember(u, r);
	return rc;
}

enum rc dav_client_probe(
	struct dav_client *c, struct arena *a, struct str *said_r, struct err *err)
{
	struct exchange x = {.method = "OPTIONS", .path = STR("/")};
	struct answer an = {.status = 0};
	struct dav *d = dav_client_user(c, STR(""), &(struct secret){NULL, 0});
	enum rc rc;

	if (c->place.n && !href_is_template(c->place))
		x.path = href_canonical(c->place, STR("/"), c->host, a);
	if (!x.path.p)
		x.path = STR("/");
	rc = dav_exchange((struct dav_user *)d, &x, a, &an, err);
	if (!rc && an.status >= 500)
		rc = dav_result(&x, &an, err);
	dav_client_release(c);
	if (rc)
		return rc;
	*said_r = an.dav.n ? arena_printf(a, "answers, and can do: %.*s", STR_FMT(an.dav))
			   : arena_printf(a, "answers with status %d", an.status);
	return RC_OK;
}
