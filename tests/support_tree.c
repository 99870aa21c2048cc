#include "tests/support_tree.h"

#include "tests/support_story.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void must(enum rc rc, const struct err *err)
{
	if (rc)
		fail_msg("%s: %s", rc_name(rc), err->text);
}

/* What was done last, for who reads a failure. */
static char last[400];

static void note(const char *fmt, ...) PRINTF_LIKE(1, 2);

static void note(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(last, sizeof(last), fmt, ap);
	va_end(ap);
}

static struct mail_folders folders_of(struct mail *m, struct arena *a)
{
	struct err err = ERR_INIT;
	struct mail_folders r;

	must(mail_call(m, list, a, &r, &err), &err);
	return r;
}

static void everything(struct mail *m, struct str folder, struct arena *a, struct mail_delta *r)
{
	struct mail_look l = {.search = true, .newest = 100000};
	struct err err = ERR_INIT;

	must(mail_call(m, look, folder, &l, a, r, &err), &err);
}

static size_t count(struct mail *m, struct str folder)
{
	struct err err = ERR_INIT;
	struct mail_mark mark;

	must(mail_call(m, status, folder, &mark, &err), &err);
	return mark.messages;
}

/* A folder that users make, at random; NULL when there is none. */
static const struct mail_folder *some_folder(const struct mail_folders *f)
{
	unsigned n = 0, pick;

	for (size_t i = 0; i < f->n; i++)
		n += f->v[i].use == MAIL_USE_NONE && f->v[i].selectable;
	if (n == 0)
		return NULL;
	pick = story_choose(n);
	for (size_t i = 0; i < f->n; i++)
		if (f->v[i].use == MAIL_USE_NONE && f->v[i].selectable && pick-- == 0)
			return &f->v[i];
	return NULL;
}

static bool has_children(const struct mail_folders *f, struct str path)
{
	for (size_t i = 0; i < f->n; i++)
		if (str_eq(f->v[i].parent, path))
			return true;
	return false;
}

void tree_client_acts(struct mail *m, unsigned round, size_t *expected)
{
	struct arena *a = arena_new();
	struct mail_folders all = folders_of(m, a);
	const struct mail_folder *f = some_folder(&all);
	struct str inbox = STR("INBOX"), where = f && story_choose(2) ? f->path : inbox, path;
	struct err err = ERR_INIT;
	char name[32];

	(void)snprintf(name, sizeof(name), "theirs %u", round);
	switch (story_choose(6)) {
	case 0:
		must(mail_call(m, join, f && story_choose(2) ? f->path : (struct str){"", 0},
			     str_of(name), a, &path, &err),
			&err);
		note("the client creates %.*s", STR_FMT(path));
		must(mail_call(m, create, path, MAIL_USE_NONE, &err), &err);
		break;
	case 1:
		if (!f)
			break;
		must(mail_call(m, join, f->parent, str_of(name), a, &path, &err), &err);
		note("the client renames %.*s to %.*s", STR_FMT(f->path), STR_FMT(path));
		must(mail_call(m, rename, f->path, path, &err), &err);
		break;
	case 2:
		if (!f || has_children(&all, f->path))
			break;
		note("the client deletes %.*s", STR_FMT(f->path));
		*expected -= count(m, f->path);
		must(mail_call(m, erase, f->path, &err), &err);
		break;
	default:
		note("the client adds to %.*s", STR_FMT(where));
		(void)story_append(m, arena_cstr(a, where), 0, 0, name);
		++*expected;
		break;
	}
	arena_free(a);
}

/* Whether the folder is there still; else the phone learns of it, as phones do. */
static bool sync(struct phone *p, struct device_folder *f, unsigned window)
{
	if (phone_sync(p, f, window, ""))
		return true;
	if (!strstr(p->error, "Status 12") && !strstr(p->error, "Status 8"))
		fail_msg("%s (%s): %s", p->id, p->version, p->error);
	story_must(phone_folder_sync(p), p);
	return false;
}

/* Address books, calendars and the like are none. */
static size_t mailboxes(const struct phone *p)
{
	static const unsigned others[] = {8, 9, 13, 14, 19};
	size_t n = p->nfolders;

	for (size_t i = 0; i < p->nfolders; i++)
		for (size_t k = 0; k < ARRAY_LEN(others); k++)
			n -= p->folders[i].type == others[k];
	return n;
}

static struct device_folder *own_folder(struct phone *p)
{
	unsigned n = 0, pick;

	for (size_t i = 0; i < p->nfolders; i++)
		n += p->folders[i].type == 12 && strstr(p->folders[i].name, " ") != NULL;
	if (n == 0)
		return NULL;
	pick = story_choose(n);
	for (size_t i = 0; i < p->nfolders; i++)
		if (p->folders[i].type == 12 && strstr(p->folders[i].name, " ") != NULL &&
			pick-- == 0)
			return &p->folders[i];
	return NULL;
}

/* What the server says to a folder that is no longer what the phone thinks. */
static void accept_status(struct phone *p, unsigned status)
{
	if (status != 1 && status != 2 && status != 4 && status != 5)
		fail_msg("%s (%s): Status %u, %s", p->id, p->version, status, p->error);
	if (status != 1)
		story_must(phone_folder_sync(p), p);
}

/* Messages in a folder and all below it, by the path that the server has for it. */
static size_t count_below(struct mail *m, const char *name)
{
	struct arena *a = arena_new();
	struct mail_folders all = folders_of(m, a);
	size_t n = 0;

	for (size_t i = 0; i < all.n; i++) {
		struct str path = all.v[i].path;
		bool inside = false;

		/* A name is given once. */
		for (size_t k = 0; k < all.n; k++)
			if (str_is(all.v[k].name, name) &&
				(str_eq(path, all.v[k].path) ||
					(str_starts(path, arena_cstr(a, all.v[k].path)) &&
						path.n > all.v[k].path.n &&
						path.p[all.v[k].path.n] == '/')))
				inside = true;
		if (inside && all.v[i].selectable)
			n += count(m, path);
	}
	arena_free(a);
	return n;
}

static void change_tree(struct phone *p, struct mail *m, unsigned round, size_t *expected)
{
	struct device_folder *f = own_folder(p);
	char name[32], id[72], parent[72];
	size_t n;
	unsigned status;

	(void)snprintf(name, sizeof(name), "ours %u", round);
	if (f) {
		(void)snprintf(id, sizeof(id), "%s", f->id);
		(void)snprintf(parent, sizeof(parent), "%s", f->parent);
	}
	switch (story_choose(f ? 3 : 1)) {
	case 0:
		note("%s creates %s", p->id, name);
		accept_status(p, phone_folder_create(p, f && story_choose(2) ? id : "0", name));
		break;
	case 1:
		note("%s renames %s (%s) to %s", p->id, f->name, id, name);
		accept_status(
			p, phone_folder_update(p, id, story_choose(2) ? "0" : parent, name));
		break;
	default:
		/* To count what goes, its name must be the one that it has by now. */
		story_must(phone_folder_sync(p), p);
		f = phone_folder_by_id(p, id);
		if (!f)
			break;
		n = count_below(m, f->name);
		note("%s deletes %s (%s) and %zu messages", p->id, f->name, id, n);
		status = phone_folder_delete(p, id);
		if (status == 1)
			*expected -= n;
		accept_status(p, status);
		break;
	}
}

static void move_one(struct phone *p, struct device_folder *from, struct device_folder *to)
{
	if (!to || !from->n || from == to)
		return;
	note("%s moves from %s to %s", p->id, from->name, to->name);
	if (!phone_move(p, from, from->v[story_choose((unsigned)from->n)].id, to)) {
		if (!strstr(p->error, "Status 2"))
			fail_msg("%s (%s): %s", p->id, p->version, p->error);
		story_must(phone_folder_sync(p), p);
	}
}

static void search(struct phone *p)
{
	const struct elem *answer;

	if (strcmp(p->version, "2.5") == 0)
		return;
	answer = phone_post(p, "Search",
		"search:Search\n  search:Store\n    search:Name \"Mailbox\"\n    search:Query\n"
		"      search:And\n        airsync:Class \"Email\"\n"
		"        search:FreeText \"theirs\"\n    search:Options\n"
		"      search:Range \"0-9\"\n");
	answer = elem_child(elem_child(answer, SEARCH_RESPONSE), SEARCH_STORE);
	if (elem_u32(answer, SEARCH_STATUS, 0) != 1 || !elem_has(answer, SEARCH_TOTAL))
		fail_msg("%s (%s): the search failed: %s", p->id, p->version, p->error);
}

static void answer_one(struct phone *p, struct device_folder *f)
{
	static const char mime[] =
		"To: user02@example.test\r\nSubject: an answer\r\nMIME-Version: 1.0\r\n"
		"Content-Type: text/plain\r\n\r\nYes.\r\n";
	unsigned status = 0;

	if (!f->n)
		return;
	if (!phone_smart(p, story_choose(2) ? "SmartReply" : "SmartForward", f,
		    f->v[story_choose((unsigned)f->n)].id, false, str_of(mime), &status) &&
		status != 150)
		fail_msg("%s (%s): %s", p->id, p->version, p->error);
}

void tree_phone_acts(struct phone *p, struct mail *m, unsigned round, size_t *expected)
{
	struct device_folder *inbox = phone_folder(p, STORY_INBOX), *own;

	if (!sync(p, inbox, 1 + story_choose(10)))
		return;
	switch (story_choose(6)) {
	case 0:
	case 1:
		change_tree(p, m, round, expected);
		break;
	case 2:
		move_one(p, inbox, own_folder(p));
		break;
	case 3:
		own = own_folder(p);
		if (own && sync(p, own, 5) && own_folder(p))
			move_one(p, own, phone_folder(p, STORY_INBOX));
		break;
	case 4:
		search(p);
		break;
	default:
		answer_one(p, inbox);
		break;
	}
	if (story_choose(3) == 0)
		story_must(phone_folder_sync(p), p);
}

static size_t folder_equal(struct phone *p, struct mail *m, const struct mail_folder *f)
{
	struct arena *a = arena_new();
	struct device_folder *has = NULL;
	struct mail_delta all;
	size_t n;

	for (size_t i = 0; i < p->nfolders; i++)
		if (str_is(f->name, p->folders[i].name) ||
			(f->use == MAIL_USE_INBOX && p->folders[i].type == STORY_INBOX))
			has = &p->folders[i];
	if (!has)
		fail_msg("%s (%s) has no folder %.*s", p->id, p->version, STR_FMT(f->path));
	story_must(phone_sync(p, has, 100, ""), p);
	everything(m, f->path, a, &all);
	for (size_t i = 0; i < all.summaries.n; i++) {
		const struct mail_flags *flags = &all.summaries.v[i].flags;
		char id[96];
		size_t k = 0;

		(void)snprintf(id, sizeof(id), "%s:%u", has->id, flags->uid);
		while (k < has->n && strcmp(has->v[k].id, id) != 0)
			k++;
		if (k == has->n)
			fail_msg("%s (%s) does not have %s of %.*s", p->id, p->version, id,
				STR_FMT(f->path));
		assert_int_equal(has->v[k].read, (flags->flags & MAIL_SEEN) != 0);
	}
	n = all.summaries.n;
	if (has->n != n)
		fail_msg("%s (%s) has %zu of %zu messages in %.*s", p->id, p->version, has->n,
			n, STR_FMT(f->path));
	arena_free(a);
	return n;
}

void tree_count(struct mail *m, size_t expected, unsigned round)
{
	struct arena *a = arena_new();
	struct mail_folders all = folders_of(m, a);
	size_t total = 0;

	for (size_t i = 0; i < all.n; i++)
		if (all.v[i].selectable && all.v[i].use != MAIL_USE_SENT)
			total += count(m, all.v[i].path);
	if (total != expected)
		fail_msg("round %u: %zu messages instead of %zu; last: %s", round, total,
			expected, last);
	arena_free(a);
}

void tree_equal(struct phone *p, struct mail *m, size_t expected)
{
	struct arena *a = arena_new();
	struct mail_folders all;
	size_t total = 0, n;

	story_must(phone_folder_sync(p), p);
	all = folders_of(m, a);
	for (size_t i = 0; i < all.n; i++) {
		if (!all.v[i].selectable)
			continue;
		n = folder_equal(p, m, &all.v[i]);
		if (all.v[i].use != MAIL_USE_SENT)
			total += n;
	}
	assert_int_equal(mailboxes(p), all.n);
	assert_int_equal(total, expected);
	arena_free(a);
}
