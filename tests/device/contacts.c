#include "tests/device/contacts.h"

#include "core/wire/dump.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHILDREN = 512, ROUNDS = 10000 };

static bool fail(struct phone *p, const char *what, const char *id)
{
	if (!p->error[0])
		(void)snprintf(p->error, sizeof(p->error), "contacts: %s %s", what, id);
	return false;
}

void phone_book_init(struct phone_book *b, const struct device_folder *f)
{
	*b = (struct phone_book){
		.class = f->type == 8 || f->type == 13 ? "Calendar" : "Contacts"};
	(void)snprintf(b->id, sizeof(b->id), "%s", f->id);
	(void)snprintf(b->key, sizeof(b->key), "0");
}

static void forget_all(struct phone_book *b)
{
	for (size_t i = 0; i < b->n; i++)
		free(b->v[i].data);
	b->n = 0;
}

void phone_book_release(struct phone_book *b)
{
	forget_all(b);
	free(b->v);
	b->v = NULL;
	b->cap = 0;
}

void phone_book_restart(struct phone_book *b)
{
	forget_all(b);
	(void)snprintf(b->key, sizeof(b->key), "0");
}

struct phone_card *phone_book_card(const struct phone_book *b, const char *id)
{
	for (size_t i = 0; i < b->n; i++)
		if (strcmp(b->v[i].id, id) == 0)
			return &b->v[i];
	return NULL;
}

struct phone_card *phone_book_find(const struct phone_book *b, const char *text)
{
	for (size_t i = 0; i < b->n; i++)
		if (strstr(b->v[i].data, text))
			return &b->v[i];
	return NULL;
}

/* One child of ApplicationData as text, an empty one when it is left out. */
static char *child_text(const struct elem *e)
{
	struct elem one = *e, notes = {.tag = CONTACTS_BODY};
	struct dump_options o = {0};
	struct buf b;
	char *r;

	one.next = NULL;
	if (e->tag == CONTACTS_FILE_AS || e->tag == CONTACTS_BODY_SIZE ||
		e->tag == AIRSYNCBASE_NATIVE_BODY_TYPE || e->tag == CALENDAR_DT_STAMP ||
		e->tag == CALENDAR_ORGANIZER_NAME || e->tag == CALENDAR_ORGANIZER_EMAIL ||
		e->tag == CALENDAR_BODY_TRUNCATED || e->tag == CALENDAR_RESPONSE_TYPE ||
		e->tag == CALENDAR_RESPONSE_REQUESTED ||
		e->tag == CALENDAR_APPOINTMENT_REPLY_TIME ||
		e->tag == CALENDAR_DISALLOW_NEW_TIME_PROPOSAL)
		return NULL;
	if (e->tag == AIRSYNCBASE_BODY || e->tag == CALENDAR_BODY) {
		notes.text = e->tag == CALENDAR_BODY ? e->text : elem_text(e, AIRSYNCBASE_DATA);
		one = notes;
	}
	/* An element without anything in it says that there is nothing. */
	if (!one.text.n && !one.child)
		return NULL;
	one.opaque = false;
	buf_init(&b, BUF_MAX_TEXT);
	dump_elem(&one, &o, &b);
	r = strdup(b.p);
	buf_release(&b);
	return r;
}

static int by_text(const void *x, const void *y)
{
	return strcmp(*(char *const *)x, *(char *const *)y);
}

static char *canonical(const struct elem *data)
{
	char *v[CHILDREN], *r;
	struct buf b;
	size_t n = 0;

	for (const struct elem *e = data ? data->child : NULL; e && n < CHILDREN; e = e->next) {
		v[n] = child_text(e);
		n += v[n] != NULL;
	}
	qsort(v, n, sizeof(*v), by_text);
	buf_init(&b, BUF_MAX_RESPONSE);
	buf_adds(&b, "");
	for (size_t i = 0; i < n; i++) {
		buf_adds(&b, v[i]);
		free(v[i]);
	}
	r = strndup(b.n ? b.p : "", b.n);
	buf_release(&b);
	return r;
}

/* Each line so much deeper. */
static void indent(struct buf *b, const char *lines, const char *by)
{
	while (*lines) {
		size_t n = strcspn(lines, "\n");

		buf_addf(b, "%s%.*s\n", by, (int)n, lines);
		lines += n + (lines[n] == '\n');
	}
}

char *phone_book_canonical(const char *data)
{
	struct arena *a = arena_new();
	struct elem *root = NULL;
	struct buf b;
	char *r;

	buf_init(&b, BUF_MAX_TEXT);
	buf_adds(&b, "airsync:ApplicationData\n");
	indent(&b, data, "  ");
	if (dump_parse(buf_str(&b), a, &root, NULL)) {
		(void)fprintf(stderr, "not in the readable form:\n%s", b.p);
		abort();
	}
	r = canonical(root);
	buf_release(&b);
	arena_free(a);
	return r;
}

static struct phone_card *add(struct phone_book *b, const char *id)
{
	struct phone_card *c;

	if (b->n == b->cap) {
		b->cap = b->cap ? 2 * b->cap : 64;
		b->v = realloc(b->v, b->cap * sizeof(*b->v));
		if (!b->v)
			abort();
	}
	c = &b->v[b->n++];
	*c = (struct phone_card){.data = NULL};
	(void)snprintf(c->id, sizeof(c->id), "%s", id);
	return c;
}

static void drop(struct phone_book *b, struct phone_card *c)
{
	free(c->data);
	*c = b->v[--b->n];
}

static void set(struct phone_card *c, char *data)
{
	free(c->data);
	c->data = data;
}

/* The lines of one child ("contacts:Body", its text and what is below it) of a card's data. */
static size_t child_at(const char *data, const char *name, size_t *n_r)
{
	const char *at = data, *end;

	while (*at && (strncmp(at, name, strlen(name)) != 0 || at[strlen(name)] > ' '))
		at += strcspn(at, "\n") + (at[strcspn(at, "\n")] == '\n');
	end = at;
	do
		end += strcspn(end, "\n") + (end[strcspn(end, "\n")] == '\n');
	while (*end == ' ');
	*n_r = *at ? (size_t)(end - at) : 0;
	return (size_t)(at - data);
}

/* Whether ApplicationData names what a Change may leave out without changing it. */
static bool names(const char *data, const char *name)
{
	return strstr(data, name) ||
	       (strncmp(name, "contacts:Body", 13) == 0 &&
		       (strstr(data, "airsyncbase:Body") || strstr(data, "calendar:Body")));
}

/* [MS-ASCMD] 2.2.3.24: notes, a picture and exceptions that a Change leaves out stay. */
static char *changed(const char *before, const char *data)
{
	static const char *const kept[] = {
		"contacts:Body", "contacts:Picture", "calendar:Exceptions"};
	char *now = phone_book_canonical(data), *all;
	struct buf b;

	buf_init(&b, BUF_MAX_RESPONSE);
	buf_adds(&b, now);
	for (size_t i = 0; i < ARRAY_LEN(kept); i++) {
		size_t n, at = child_at(before, kept[i], &n);

		if (!names(data, kept[i]))
			buf_add(&b, before + at, n);
	}
	free(now);
	all = phone_book_canonical(b.n ? b.p : "");
	buf_release(&b);
	return all;
}

/* What the phone did itself it has at once. */
static void apply_own(struct phone_book *b, const struct phone_edit *e)
{
	struct phone_card *c = phone_book_card(b, e->id);

	if (e->what == AIRSYNC_DELETE && c)
		drop(b, c);
	else if (e->what == AIRSYNC_CHANGE && c)
		set(c, changed(c->data, e->data));
}

/* The answers to the commands; an Add must have one, and then the phone knows its ServerId. */
static bool read_responses(struct phone *p, struct phone_book *b, const struct elem *responses,
	struct phone_edit *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		bool is_add = v[i].what == AIRSYNC_ADD;
		const struct elem *e = elem_child(responses, v[i].what);

		while (e &&
			!str_is(elem_text(e, is_add ? AIRSYNC_CLIENT_ID : AIRSYNC_SERVER_ID),
				is_add ? v[i].client_id : v[i].id))
			e = elem_again(e);
		v[i].status = e ? elem_u32(e, AIRSYNC_STATUS, 0) : is_add ? 0 : 1;
		if (!v[i].status)
			return fail(p, "no answer to the Add", v[i].client_id);
		if (!is_add)
			continue;
		(void)snprintf(v[i].id, sizeof(v[i].id), "%.*s",
			STR_FMT(elem_text(e, AIRSYNC_SERVER_ID)));
		if ((v[i].status == 1) != (v[i].id[0] != '\0'))
			return fail(
				p, "Status and ServerId of an Add disagree:", v[i].client_id);
		if (v[i].status != 1)
			continue;
		if (phone_book_card(b, v[i].id))
			return fail(p, "an Add got the id of another item:", v[i].id);
		set(add(b, v[i].id), phone_book_canonical(v[i].data));
	}
	return true;
}

static bool server_command(struct phone *p, struct phone_book *b, const struct elem *e)
{
	char id[72];
	struct phone_card *c;

	(void)snprintf(id, sizeof(id), "%.*s", STR_FMT(elem_text(e, AIRSYNC_SERVER_ID)));
	c = phone_book_card(b, id);
	if (e->tag == AIRSYNC_ADD && c)
		return fail(p, "added twice:", id);
	if (e->tag != AIRSYNC_ADD && !c)
		return fail(p, "changed or deleted but unknown:", id);
	if (e->tag == AIRSYNC_DELETE || (e->tag == AIRSYNC_SOFT_DELETE && b->filter)) {
		drop(b, c);
		return true;
	}
	if (e->tag != AIRSYNC_ADD && e->tag != AIRSYNC_CHANGE)
		return fail(p, "a command that such items do not have, of", id);
	if (!elem_has(e, AIRSYNC_APPLICATION_DATA))
		return fail(p, "no ApplicationData:", id);
	set(c ? c : add(b, id), canonical(elem_child(e, AIRSYNC_APPLICATION_DATA)));
	return true;
}

static void write_edits(struct buf *b, const struct phone_edit *v, size_t n)
{
	if (n)
		buf_adds(b, "      airsync:Commands\n");
	for (size_t i = 0; i < n; i++) {
		bool is_add = v[i].what == AIRSYNC_ADD;

		buf_addf(b, "        airsync:%s\n          airsync:%s \"%s\"\n",
			is_add                        ? "Add"
			: v[i].what == AIRSYNC_CHANGE ? "Change"
						      : "Delete",
			is_add ? "ClientId" : "ServerId", is_add ? v[i].client_id : v[i].id);
		if (v[i].what == AIRSYNC_DELETE)
			continue;
		buf_adds(b, "          airsync:ApplicationData\n");
		indent(b, v[i].data, "            ");
	}
}

static void write_options(struct buf *b, const struct phone *p, const struct phone_book *book)
{
	bool old = strcmp(p->version, "2.5") == 0;

	if (old && !book->conflict && !book->filter)
		return;
	buf_adds(b, "      airsync:Options\n");
	if (book->filter)
		buf_addf(b, "        airsync:FilterType \"%s\"\n", book->filter);
	if (book->conflict)
		buf_addf(b, "        airsync:Conflict \"%s\"\n", book->conflict);
	if (!old)
		buf_adds(b, "        airsyncbase:BodyPreference\n"
			    "          airsyncbase:Type \"1\"\n");
}

static const struct elem *request(struct phone *p, const struct phone_book *book,
	unsigned window, const struct phone_edit *v, size_t n)
{
	bool first = strcmp(book->key, "0") == 0;
	const struct elem *e;
	struct buf b;

	buf_init(&b, BUF_MAX_RESPONSE);
	buf_adds(&b, "airsync:Sync\n  airsync:Collections\n    airsync:Collection\n");
	if (strcmp(p->version, "2.5") == 0)
		buf_addf(&b, "      airsync:Class \"%s\"\n", book->class);
	buf_addf(&b, "      airsync:SyncKey \"%s\"\n      airsync:CollectionId \"%s\"\n",
		book->key, book->id);
	if (first && book->supported) {
		buf_adds(&b, "      airsync:Supported\n");
		indent(&b, book->supported, "        ");
	}
	if (!first) {
		buf_addf(&b,
			"      airsync:GetChanges \"1\"\n      airsync:WindowSize \"%u\"\n",
			window);
		write_options(&b, p, book);
		write_edits(&b, v, n);
	}
	e = phone_post(p, "Sync", buf_str(&b).p);
	buf_release(&b);
	return e;
}

bool phone_book_round(struct phone *p, struct phone_book *b, unsigned window,
	struct phone_edit *v, size_t n, bool *more_r)
{
	const struct elem *e = request(p, b, window, v, n), *c;
	bool ok;

	*more_r = false;
	b->rounds++;
	b->status = 0;
	/* Nothing to report. */
	if (!e)
		return n ? fail(p, "no answer to commands in", b->id) : !p->error[0];
	c = elem_child(elem_child(e, AIRSYNC_COLLECTIONS), AIRSYNC_COLLECTION);
	b->status = elem_u32(c, AIRSYNC_STATUS, 0);
	if (b->status != 1) {
		(void)snprintf(p->error, sizeof(p->error),
			"Sync: Status %u of the collection, %u of all", b->status,
			elem_u32(e, AIRSYNC_STATUS, 0));
		return false;
	}
	if (!phone_valid_order(p, c))
		return false;
	*more_r = strcmp(b->key, "0") == 0 || elem_has(c, AIRSYNC_MORE_AVAILABLE);
	(void)snprintf(b->key, sizeof(b->key), "%.*s", STR_FMT(elem_text(c, AIRSYNC_SYNC_KEY)));
	for (size_t i = 0; i < n; i++)
		apply_own(b, &v[i]);
	ok = read_responses(p, b, elem_child(c, AIRSYNC_RESPONSES), v, n);
	c = elem_child(c, AIRSYNC_COMMANDS);
	for (c = c ? c->child : NULL; c && ok; c = c->next)
		ok = server_command(p, b, c);
	return ok;
}

bool phone_book_sync(
	struct phone *p, struct phone_book *b, unsigned window, struct phone_edit *v, size_t n)
{
	bool more = true;

	b->rounds = 0;
	for (unsigned i = 0; more && i < ROUNDS; i++) {
		bool first = strcmp(b->key, "0") == 0;

		if (!phone_book_round(p, b, window, v, first ? 0 : n, &more))
			return false;
		n = first ? n : 0;
	}
	return more ? fail(p, "MoreAvailable without an end in", b->id) : true;
}

bool phone_book_equal(
	const struct phone_book *x, const struct phone_book *y, char *why, size_t size)
{
	for (size_t i = 0; i < x->n; i++) {
		const struct phone_card *c = &x->v[i], *d = phone_book_card(y, c->id);

		if (!d || strcmp(c->data, d->data) != 0) {
			(void)snprintf(why, size, "%s is here\n%sand there\n%s", c->id, c->data,
				d ? d->data : "(nothing)");
			return false;
		}
	}
	for (size_t i = 0; i < y->n; i++)
		if (!phone_book_card(x, y->v[i].id)) {
			(void)snprintf(
				why, size, "%s is there alone\n%s", y->v[i].id, y->v[i].data);
			return false;
		}
	return true;
}
