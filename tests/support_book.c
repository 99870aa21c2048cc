#include "tests/support_book.h"

#include "tests/support_story.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

void scene_must(bool ok, const struct phone *p)
{
	story_must(ok, p);
}

void scene_phone(struct scene *s, struct phone *p, const char *id)
{
	eas_phone(&s->e, p, id, s->p.version);
	p->type = s->p.type;
	scene_must(phone_provision(p) && phone_folder_sync(p), p);
}

/* A phone that knows its folders. */
static void begin(struct scene *s, const char *version, int type)
{
	s->p.version = version;
	eas_phone(&s->e, &s->p, "phone", version);
	scene_must(phone_provision(&s->p) && phone_folder_sync(&s->p), &s->p);
	assert_non_null(phone_folder(&s->p, type));
	phone_book_init(&s->b, phone_folder(&s->p, type));
}

void scene_begin(struct scene *s, const char *version, const char *conf)
{
	memset(s, 0, sizeof(*s));
	eas_init(&s->e, conf);
	eas_dav(&s->e);
	begin(s, version, TYPE_OF_CONTACTS);
	s->dav = s->e.dav;
	s->path = FAKE_DAV_CONTACTS;
}

void scene_begin_calendar(struct scene *s, const char *version, const char *conf)
{
	memset(s, 0, sizeof(*s));
	eas_init(&s->e, conf);
	eas_calendars(&s->e);
	begin(s, version, TYPE_OF_CALENDAR);
	s->dav = s->e.calendars;
	s->path = FAKE_DAV_CALENDAR;
}

void scene_end(struct scene *s)
{
	phone_book_release(&s->b);
	phone_release(&s->p);
	eas_release(&s->e);
}

void scene_send(struct scene *s, struct phone_edit *v, size_t n)
{
	scene_must(phone_book_sync(&s->p, &s->b, 100, v, n), &s->p);
}

void scene_sync(struct scene *s)
{
	scene_send(s, NULL, 0);
}

unsigned scene_add(struct scene *s, const char *client_id, const char *data)
{
	struct phone_edit e = {.what = AIRSYNC_ADD, .data = data};

	(void)snprintf(e.client_id, sizeof(e.client_id), "%s", client_id);
	scene_send(s, &e, 1);
	return e.status;
}

unsigned scene_change(struct scene *s, const char *id, const char *data)
{
	struct phone_edit e = {.what = AIRSYNC_CHANGE, .data = data};

	(void)snprintf(e.id, sizeof(e.id), "%s", id);
	scene_send(s, &e, 1);
	return e.status;
}

unsigned scene_delete(struct scene *s, const char *id)
{
	struct phone_edit e = {.what = AIRSYNC_DELETE};

	(void)snprintf(e.id, sizeof(e.id), "%s", id);
	scene_send(s, &e, 1);
	return e.status;
}

const char *scene_id(struct scene *s, const char *text)
{
	struct phone_card *c = phone_book_find(&s->b, text);

	if (!c)
		fail_msg("the phone has no card with %s", text);
	return c->id;
}

static bool has(struct str text, const char *what)
{
	return text.p && str_search(text, str_of(what)) < text.n;
}

/* Of the i-th object of a collection; false past the end. */
static bool name_at(struct scene *s, const char *path, size_t i, char *name, size_t size)
{
	struct str href = fake_dav_href(s->dav, path, i);

	if (!href.p)
		return false;
	(void)snprintf(name, size, "%.*s", STR_FMT(str_sub(href, strlen(path), href.n)));
	return true;
}

const char *scene_name(struct scene *s, const char *text)
{
	static char name[256];

	for (size_t i = 0; name_at(s, s->path, i, name, sizeof(name)); i++)
		if (has(fake_dav_text(s->dav, s->path, name), text))
			return name;
	return NULL;
}

size_t scene_count(struct scene *s, const char *path, const char *text)
{
	char name[256];
	size_t n = 0;

	for (size_t i = 0; name_at(s, path, i, name, sizeof(name)); i++)
		n += has(fake_dav_text(s->dav, path, name), text);
	return n;
}

void scene_equal(struct scene *s, struct phone_book *b, const char *const *paths)
{
	static struct phone fresh;
	static unsigned count;
	struct phone_book anew;
	struct device_folder *f;
	char why[2048] = "", id[32];
	size_t n = 0;

	/* What was tried once is tried again. */
	for (unsigned i = 0; i < 3; i++)
		scene_must(phone_book_sync(&s->p, b, 100, NULL, 0), &s->p);
	(void)snprintf(id, sizeof(id), "fresh%u", ++count);
	scene_phone(s, &fresh, id);
	f = phone_folder_by_id(&fresh, b->id);
	assert_non_null(f);
	phone_book_init(&anew, f);
	anew.filter = b->filter;
	scene_must(phone_book_sync(&fresh, &anew, 7, NULL, 0), &fresh);
	if (!phone_book_equal(b, &anew, why, sizeof(why)))
		fail_msg("%s (%s): %s", s->p.id, s->p.version, why);
	for (; *paths; paths++)
		n += fake_dav_count(s->dav, *paths);
	assert_int_equal(b->n, n);
	phone_book_release(&anew);
	phone_release(&fresh);
	fake_state_forget_device(s->e.state, id);
}

void scene_settled(struct scene *s)
{
	const char *const paths[] = {s->path, NULL};

	scene_equal(s, &s->b, paths);
}

const struct elem *scene_raw(struct scene *s, const struct phone_book *b, const char *lines)
{
	bool old = strcmp(s->p.version, "2.5") == 0;
	struct arena *a = arena_new();
	const struct elem *e = phone_post(&s->p, "Sync",
		arena_printf(a,
			"airsync:Sync\n  airsync:Collections\n    airsync:Collection\n%s%s%s"
			"      airsync:SyncKey \"%s\"\n      airsync:CollectionId \"%s\"\n%s",
			old ? "      airsync:Class \"" : "", old ? b->class : "",
			old ? "\"\n" : "", b->key, b->id, lines)
			.p);

	arena_free(a);
	return elem_child(elem_child(e, AIRSYNC_COLLECTIONS), AIRSYNC_COLLECTION);
}
