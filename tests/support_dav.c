#include "tests/support_dav.h"

#include "store/dav/dav.h"
#include "tests/support_lab.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

struct dav_peer {
	unsigned kind;
	const char *type; /* of its objects */
	struct arena *a;
	struct settings conf;
	struct dav_client *client;
	struct dav *dav;
	struct err err;
};

static void ok(const struct dav_peer *p, enum rc rc)
{
	if (rc)
		fail_msg("%s: %s", rc_name(rc), p->err.text);
}

static struct dav_peer *peer(unsigned kind, const char *type, const char *login)
{
	struct dav_peer *p = calloc(1, sizeof(*p));
	struct secret password = {NULL, 0};

	assert_non_null(p);
	p->kind = kind;
	p->type = type;
	p->a = arena_new();
	ok(p, settings_read(arena_printf(p->a, "carddav_url = %s\ncaldav_url = %s\n",
				    lab_get("CARDDAV_URL"), lab_get("CALDAV_URL")),
		      "test", &p->conf, p->a, &p->err));
	p->client = dav_client_new(&p->conf, dav_client_for(kind), NULL);
	secret_set(&password, str_of(lab_get("LAB_PASSWORD")));
	p->dav = dav_client_user(p->client, str_of(login), &password);
	secret_release(&password);
	return p;
}

struct dav_peer *dav_peer_new(const char *login)
{
	return peer(DAV_CARDS, "text/vcard; charset=utf-8", login);
}

struct dav_peer *dav_peer_new_calendars(const char *login)
{
	return peer(DAV_EVENTS, "text/calendar; charset=utf-8", login);
}

void dav_peer_free(struct dav_peer *p)
{
	if (!p)
		return;
	dav_client_free(p->client);
	arena_free(p->a);
	free(p);
}

struct str dav_peer_book(struct dav_peer *p)
{
	struct dav_collections c;

	ok(p, dav_call(p->dav, collections, p->kind, p->a, &c, &p->err));
	assert_true(c.n > 0);
	return c.v[0].path;
}

struct str dav_peer_make(struct dav_peer *p, const char *key, const char *name)
{
	struct str path;

	ok(p, dav_call(p->dav, create, p->kind, str_of(key), str_of(name), p->a, &path,
		      &p->err));
	return path;
}

static struct dav_object look(struct dav_peer *p, struct str path, const char *name)
{
	struct dav_object o = {.href = dav_call(p->dav, join, path, str_of(name), p->a)};

	ok(p, dav_call(p->dav, get, path, &o, 1, p->a, &p->err));
	return o;
}

struct str dav_peer_put(struct dav_peer *p, struct str path, const char *name, const char *text)
{
	struct dav_object o = look(p, path, name);
	struct str etag;

	ok(p, dav_call(p->dav, put, o.href, o.etag, p->type, str_of(text), p->a, &etag,
		      &p->err));
	return etag;
}

struct str dav_peer_get(struct dav_peer *p, struct str path, const char *name)
{
	return look(p, path, name).bytes;
}

void dav_peer_remove(struct dav_peer *p, struct str path, const char *name)
{
	struct dav_object o = look(p, path, name);

	ok(p, dav_call(p->dav, remove, o.href, o.etag, &p->err));
}

struct dav_changes dav_peer_list(struct dav_peer *p, struct str path)
{
	struct dav_changes c;

	ok(p, dav_call(p->dav, changes, path, STR(""), p->a, &c, &p->err));
	assert_true(c.whole);
	return c;
}

struct str dav_peer_find(struct dav_peer *p, struct str path, const char *text)
{
	struct dav_changes c = dav_peer_list(p, path);
	struct dav_object *v = ARENA_ARRAY(p->a, struct dav_object, c.n + 1);

	for (size_t i = 0; i < c.n; i++)
		v[i].href = c.v[i].href;
	ok(p, dav_call(p->dav, get, path, v, c.n, p->a, &p->err));
	for (size_t i = 0; i < c.n; i++)
		if (v[i].bytes.p && str_search(v[i].bytes, str_of(text)) < v[i].bytes.n)
			return v[i].bytes;
	return STR_NONE;
}

struct dav *dav_peer_dav(struct dav_peer *p)
{
	return p->dav;
}
