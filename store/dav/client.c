#include "store/dav/dav_internal.h"

#include <curl/curl.h>
#include <libxml/parser.h>
#include <stdio.h>
#include <stdlib.h>

static const struct dav_protocol carddav = {
	.name = "CardDAV",
	.setting = "carddav_url",
	.url = offsetof(struct settings, carddav_url),
	.homes = MS_CARD_HOMES,
	.well_known = "/.well-known/carddav",
	.multiget = "R:addressbook-multiget",
	.data = "R:address-data",
};

static const struct dav_protocol caldav = {
	.name = "CalDAV",
	.setting = "caldav_url",
	.url = offsetof(struct settings, caldav_url),
	.homes = MS_CALENDAR_HOMES,
	.well_known = "/.well-known/caldav",
	.multiget = "C:calendar-multiget",
	.data = "C:calendar-data",
	/* RFC 6638 section 8.1: who is invited or answered is told by the device, or by us, and
	 * not by the server once more. Some servers heed it with PUT as well. */
	.changes = "Schedule-Reply: F",
};

static const struct dav_protocol *const protocols[] = {
	[DAV_CLIENT_CARDS] = &carddav,
	[DAV_CLIENT_CALENDARS] = &caldav,
};

enum dav_service dav_client_for(unsigned kinds)
{
	return kinds & DAV_CARDS ? DAV_CLIENT_CARDS : DAV_CLIENT_CALENDARS;
}

static const struct dav_ops ops = {
	.collections = dav_op_collections,
	.changes = dav_op_changes,
	.get = dav_op_get,
	.find = dav_op_find,
	.since = dav_op_since,
	.with_uid = dav_op_with_uid,
	.put = dav_op_put,
	.remove = dav_op_remove,
	.move = dav_op_move,
	.join = dav_op_join,
	.create = dav_op_create,
	.rename = dav_op_rename,
	.erase = dav_op_erase,
};

struct dav_client *dav_client_new(
	const struct settings *conf, enum dav_service service, struct silence *shared)
{
	const struct dav_protocol *p = protocols[service];
	struct str url = *(const struct str *)((const char *)conf + p->url);
	struct dav_client *c = url.n ? calloc(1, sizeof(*c)) : NULL;

	if (!url.n)
		return NULL;
	if (!c)
		abort();
	c->conf = conf;
	c->silence = shared ? shared : &c->own;
	c->protocol = p;
	c->url = url;
	c->user.dav.ops = &ops;
	c->user.client = c;
	c->arena = arena_new();
	c->usable = href_split(url, &c->origin, &c->host, &c->place);
	(void)curl_global_init(CURL_GLOBAL_DEFAULT);
	xmlInitParser();
	c->curl = curl_easy_init();
	if (!c->curl)
		abort();
	return c;
}

void dav_client_free(struct dav_client *c)
{
	if (!c)
		return;
	dav_client_release(c);
	dav_homes_free(c);
	curl_easy_cleanup(c->curl);
	arena_free(c->arena);
	free(c);
}

struct dav *dav_client_user(
	struct dav_client *c, struct str login, const struct secret *password)
{
	struct dav_user *u;

	if (!c)
		return NULL;
	u = &c->user;
	dav_client_release(c);
	(void)snprintf(u->login, sizeof(u->login), "%.*s", STR_FMT(login));
	/* Half a login may be another's. */
	u->no_password = !password || login.n >= sizeof(u->login);
	if (password)
		secret_set(&u->password, (struct str){password->p, password->n});
	u->trips = 0;
	return &u->dav;
}

void dav_client_release(struct dav_client *c)
{
	if (!c)
		return;
	secret_release(&c->user.password);
	c->user.no_password = true;
}

unsigned dav_client_trips(const struct dav_client *c)
{
	return c ? c->user.trips : 0;
}

void dav_client_set_mask(struct dav_client *c, unsigned without)
{
	c->without = without;
}
