#include "tests/support_story.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static unsigned dice;

void story_seed(unsigned seed)
{
	dice = seed;
}

unsigned story_choose(unsigned n)
{
	dice = dice * 1103515245u + 12345u;
	return (dice >> 16) % n;
}

void story_must(bool ok, const struct phone *p)
{
	if (!ok)
		fail_msg("%s (%s): %s", p->id, p->version, p->error);
}

static void must(enum rc rc, const struct err *err)
{
	if (rc)
		fail_msg("%s: %s", rc_name(rc), err->text);
}

void story_set_up(struct phone *p)
{
	story_must(phone_provision(p) && phone_folder_sync(p) &&
			   phone_sync(p, phone_folder(p, STORY_INBOX), 10, "") &&
			   phone_sync(p, phone_folder(p, STORY_TRASH), 10, ""),
		p);
}

uint32_t story_append(struct mail *m, const char *folder, unsigned flags, int64_t received,
	const char *subject)
{
	char text[512];
	struct str part;
	struct slice_source source;
	struct err err = ERR_INIT;
	uint32_t uid = 0;

	(void)snprintf(text, sizeof(text),
		"From: Ann <ann@example.test>\r\nTo: user01@example.test\r\nSubject: %s\r\n"
		"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
		"Body of %s.\r\n",
		subject, subject);
	part = str_of(text);
	slice_source_init(&source, &part, 1);
	must(mail_call(m, append, str_of(folder), flags, received, &source.source, &uid, &err),
		&err);
	return uid;
}

void story_change_and_delete(struct phone *p, struct device_folder *f, unsigned window)
{
	char commands[512];

	f->v[0].read = !f->v[0].read;
	(void)snprintf(commands, sizeof(commands),
		"        airsync:Change\n          airsync:ServerId \"%s\"\n"
		"          airsync:ApplicationData\n            email:Read \"%d\"\n"
		"        airsync:Delete\n          airsync:ServerId \"%s\"\n",
		f->v[0].id, f->v[0].read, f->v[1].id);
	f->v[1] = f->v[--f->n];
	story_must(phone_sync(p, f, window, commands), p);
}

static void change_of(struct phone *p, struct device_item *it, char *out, size_t size)
{
	bool flag = strcmp(p->version, "2.5") != 0 && story_choose(2);
	char what[128];

	if (flag)
		it->flagged = !it->flagged;
	else
		it->read = !it->read;
	if (flag && it->flagged)
		(void)snprintf(what, sizeof(what),
			"            email:Flag\n              email:Status \"2\"\n"
			"              email:FlagType \"for follow-up\"\n");
	else if (flag)
		(void)snprintf(what, sizeof(what), "            email:Flag\n");
	else
		(void)snprintf(what, sizeof(what), "            email:Read \"%d\"\n", it->read);
	(void)snprintf(out, size,
		"        airsync:Change\n          airsync:ServerId \"%s\"\n"
		"          airsync:ApplicationData\n%s",
		it->id, what);
}

void story_phone_acts(struct phone *p)
{
	struct device_folder *inbox = phone_folder(p, STORY_INBOX);
	struct device_folder *trash = phone_folder(p, STORY_TRASH);
	struct device_folder *f = story_choose(4) ? inbox : trash;
	char commands[512] = "";
	struct device_item *it;

	if (f->n) {
		it = &f->v[story_choose((unsigned)f->n)];
		switch (story_choose(5)) {
		case 0:
		case 1:
			change_of(p, it, commands, sizeof(commands));
			break;
		case 2:
			/* In the trash a Delete is for good; kept out, to be able to count. */
			if (f == trash)
				break;
			(void)snprintf(commands, sizeof(commands),
				"        airsync:Delete\n          airsync:ServerId \"%s\"\n",
				it->id);
			*it = f->v[--f->n];
			break;
		case 3:
			story_must(phone_move(p, f, it->id, f == inbox ? trash : inbox), p);
			break;
		default:
			break;
		}
	}
	story_must(phone_sync(p, f, 1 + story_choose(10), commands), p);
	if (story_choose(3) == 0)
		story_must(
			phone_sync(p, f == inbox ? trash : inbox, 1 + story_choose(10), ""), p);
}

static void everything(
	struct mail *m, const char *folder, struct arena *a, struct mail_delta *r)
{
	struct mail_look l = {.search = true, .newest = 100000};
	struct err err = ERR_INIT;

	must(mail_call(m, look, str_of(folder), &l, a, r, &err), &err);
}

void story_client_acts(struct mail *m, unsigned round, size_t *expected)
{
	const char *folder = story_choose(4) ? "INBOX" : "Trash";
	struct arena *a = arena_new();
	struct err err = ERR_INIT;
	struct mail_delta all;
	char subject[32];

	everything(m, folder, a, &all);
	if (all.summaries.n == 0 || story_choose(2)) {
		(void)snprintf(subject, sizeof(subject), "mail %u", round);
		(void)story_append(m, folder, 0, 0, subject);
		++*expected;
	} else {
		const struct mail_flags *f =
			&all.summaries.v[story_choose((unsigned)all.summaries.n)].flags;
		struct mail_flag_change change = {.uid = f->uid};
		unsigned bit = story_choose(2) ? MAIL_SEEN : MAIL_FLAGGED;
		struct uidset one;

		if (story_choose(3)) {
			change.set = f->flags & bit ? 0 : bit;
			change.clear = f->flags & bit ? bit : 0;
			must(mail_call(m, store, str_of(folder), 0, &change, 1, &err), &err);
		} else {
			uidset_init(&one, a);
			uidset_add(&one, f->uid);
			must(mail_call(m, remove, str_of(folder), 0, &one, &err), &err);
			--*expected;
		}
	}
	arena_free(a);
}

static size_t folder_equal(
	struct phone *p, struct mail *m, const char *path, struct device_folder *f)
{
	struct arena *a = arena_new();
	struct mail_delta all;

	story_must(phone_sync(p, f, 100, ""), p);
	everything(m, path, a, &all);
	for (size_t i = 0; i < all.summaries.n; i++) {
		const struct mail_flags *has = &all.summaries.v[i].flags;
		bool flagged = has->flags & MAIL_FLAGGED, read = has->flags & MAIL_SEEN;
		char id[96];
		size_t k = 0;

		(void)snprintf(id, sizeof(id), "%s:%u", f->id, has->uid);
		while (k < f->n && strcmp(f->v[k].id, id) != 0)
			k++;
		if (k == f->n)
			fail_msg("%s (%s) does not have %s", p->id, p->version, id);
		if (f->v[k].read != read)
			fail_msg("%s (%s) has %s read %d", p->id, p->version, id, !read);
		if (f->v[k].flagged != flagged && strcmp(p->version, "2.5") != 0)
			fail_msg("%s (%s) has %s flagged %d", p->id, p->version, id, !flagged);
	}
	assert_int_equal(f->n, all.summaries.n);
	arena_free(a);
	return f->n;
}

void story_equal(struct phone *p, struct mail *m, size_t expected)
{
	size_t inbox = folder_equal(p, m, "INBOX", phone_folder(p, STORY_INBOX));
	size_t trash = folder_equal(p, m, "Trash", phone_folder(p, STORY_TRASH));

	assert_int_equal(inbox + trash, expected);
}
