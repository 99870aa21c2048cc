/*
 * Stories on real servers, through nginx: phones of several versions and an IMAP client.
 */
#include "core/base/clock.h"
#include "store/imap/imap.h"
#include "tests/device/device.h"
#include "tests/support_lab.h"

#include <dirent.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { PHONES = 3, ROUNDS = 150, INBOX = 2, TRASH = 4, SENT = 5 };

static struct settings conf;
static struct arena *conf_arena;

/* The mailbox of a user as an IMAP client sees it. */
struct client {
	struct imap *im;
	struct mail *mail;
	struct secret password;
};

static void client_open(struct client *c, const char *user)
{
	char text[512];
	struct err err = ERR_INIT;

	if (!conf_arena) {
		conf_arena = arena_new();
		(void)snprintf(text, sizeof(text),
			"imap_host = 127.0.0.1\nimap_port = %s\nimap_tls = none\n",
			lab_get("IMAP_PORT"));
		assert_int_equal(settings_read(arena_str(conf_arena, str_of(text)), "test",
					 &conf, conf_arena, &err),
			RC_OK);
	}
	*c = (struct client){.im = imap_new(&conf)};
	secret_set(&c->password, str_of(lab_get("LAB_PASSWORD")));
	c->mail = imap_mail(c->im, str_of(user), &c->password);
}

static void client_close(struct client *c)
{
	imap_free(c->im);
	secret_release(&c->password);
}

static void must(enum rc rc, const struct err *err)
{
	if (rc)
		fail_msg("%s: %s", rc_name(rc), err->text);
}

static void client_append(struct client *c, const char *folder, const char *subject)
{
	char text[512];
	struct str part;
	struct slice_source source;
	struct err err = ERR_INIT;
	uint32_t uid;

	(void)snprintf(text, sizeof(text),
		"From: Ann <ann@example.test>\nTo: user01@example.test\nSubject: %s\n"
		"Content-Type: text/plain; charset=utf-8\n\nThe body of %s.\n",
		subject, subject);
	part = str_of(text);
	slice_source_init(&source, &part, 1);
	must(mail_call(c->mail, append, str_of(folder), 0, 0, &source.source, &uid, &err),
		&err);
}

static void client_all(
	struct client *c, const char *folder, struct arena *a, struct mail_delta *r)
{
	struct mail_look l = {.search = true, .newest = 100000};
	struct err err = ERR_INIT;

	must(mail_call(c->mail, look, str_of(folder), &l, a, r, &err), &err);
}

static void must_do(bool ok, const struct phone *p)
{
	if (!ok)
		fail_msg("%s (%s): %s", p->id, p->version, p->error);
}

static void set_up(struct phone *p, const char *user, const char *id, const char *version)
{
	phone_init(p, lab_get("EAS_URL"), user, lab_get("LAB_PASSWORD"), id, version);
	must_do(phone_provision(p) && phone_folder_sync(p), p);
}

/* A worker of the pool, killed without warning. */
static void kill_a_worker(unsigned pick)
{
	long parent = strtol(lab_get("EASPOOL_PID"), NULL, 10);
	char path[128], line[64];
	long v[64];
	size_t n = 0;
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%ld/task/%ld/children", parent, parent);
	f = fopen(path, "r");
	if (!f)
		return;
	while (n < 64 && fscanf(f, "%63s", line) == 1)
		v[n++] = strtol(line, NULL, 10);
	(void)fclose(f);
	if (n)
		(void)kill((pid_t)v[pick % n], SIGKILL);
}

static void test_a_mail_goes_from_phone_to_phone(void **state UNUSED)
{
	static struct phone from, to;
	static const char *const versions[] = {"2.5", "12.0", "12.1", "14.0", "14.1"};

	/* S10-S12, C1-C5, C44, C45, C47 */
	for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
		char subject[64], id[32];

		(void)snprintf(subject, sizeof(subject), "a greeting at %s", versions[i]);
		(void)snprintf(id, sizeof(id), "phone%zu", i);
		set_up(&from, "user01@example.test", id, versions[i]);
		set_up(&to, "user02@example.test", id, versions[i]);
		must_do(phone_send(&from, "user02@example.test", subject, "Hi."), &from);
		must_do(phone_sync(&to, phone_folder(&to, INBOX), 100, ""), &to);
		assert_non_null(phone_item(phone_folder(&to, INBOX), subject));
		must_do(phone_sync(&from, phone_folder(&from, SENT), 100, ""), &from);
		assert_non_null(phone_item(phone_folder(&from, SENT), subject));
		phone_release(&from);
		phone_release(&to);
	}
}

static void test_windows_lose_and_double_nothing(void **state UNUSED)
{
	static struct phone p;
	struct client c;

	/* C145, C147, K12: 40 messages in windows of 7. */
	client_open(&c, "user03@example.test");
	for (unsigned i = 0; i < 40; i++) {
		char subject[32];

		(void)snprintf(subject, sizeof(subject), "number %u", i);
		client_append(&c, "INBOX", subject);
	}
	set_up(&p, "user03@example.test", "windows", "14.1");
	must_do(phone_sync(&p, phone_folder(&p, INBOX), 7, ""), &p);
	assert_int_equal(phone_folder(&p, INBOX)->n, 40);
	phone_release(&p);
	client_close(&c);
}

static void test_without_credentials_there_is_a_challenge(void **state UNUSED)
{
	static struct phone p;

	/* Requirements 3.13, C22 */
	phone_init(&p, lab_get("EAS_URL"), "user01@example.test", "wrong", "stranger", "14.1");
	(void)phone_post(&p, "FolderSync",
		"folderhierarchy:FolderSync\n  folderhierarchy:SyncKey \"0\"\n");
	assert_int_equal(p.http, 401);
	phone_release(&p);
}

static void test_bad_input_gets_an_answer_and_harms_nobody(void **state UNUSED)
{
	static struct phone p;
	static const struct {
		const char *command, *type;
		struct str body;
		long http;
		const char *version;
	} cases[] = {
		{"Sync",       "application/vnd.ms-sync.wbxml", STR("garbage"),              400, "12.1"},
		{"Sync",       "text/plain",                    STR("\x03\x01\x6a\x00"),     400, "12.1"},
		{"FolderSync", "application/vnd.ms-sync.wbxml", STR("\x03\x01\x6a\x00\x45"),
                 400,									     "2.5" },
		{"FolderSync", "application/vnd.ms-sync.wbxml", STR(""),                     400, "12.1"},
		{"Nonsense",   "application/vnd.ms-sync.wbxml", STR("\x03\x01\x6a\x00"),     501,
                 "12.1"										 },
		{"Search",     "application/vnd.ms-sync.wbxml", STR("\x03\x01\x6a\x00"),     501,
                 "12.1"										 },
		{"FolderSync", "application/vnd.ms-sync.wbxml", STR("garbage"),              400, "9.9" },
	};

	set_up(&p, "user02@example.test", "bad", "12.1");
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		p.version = cases[i].version;
		(void)phone_post_raw(&p, cases[i].command, "", cases[i].type, cases[i].body);
		assert_int_equal(p.http, cases[i].http);
	}
	p.version = "12.1";
	must_do(phone_folder_sync(&p), &p);
	phone_release(&p);
}

/* Seeded choices, so that a failure can be had again. */
static unsigned seed = 20261122;

static unsigned choose(unsigned n)
{
	seed = seed * 1103515245u + 12345u;
	return (seed >> 16) % n;
}

/* One user's mailbox with its IMAP client, and how many messages it must hold. */
struct user {
	struct client client;
	size_t appended, removed;
};

static const char *change_of(struct phone *p, struct device_item *it, char *out, size_t size)
{
	bool flag = strcmp(p->version, "2.5") != 0 && choose(2);
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
	return out;
}

static void phone_acts(struct phone *p)
{
	struct device_folder *inbox = phone_folder(p, INBOX), *trash = phone_folder(p, TRASH);
	struct device_folder *f = choose(4) ? inbox : trash;
	char commands[512] = "";
	struct device_item *it;

	if (f->n) {
		it = &f->v[choose((unsigned)f->n)];
		switch (choose(5)) {
		case 0:
		case 1:
			(void)change_of(p, it, commands, sizeof(commands));
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
			must_do(phone_move(p, f, it->id, f == inbox ? trash : inbox), p);
			break;
		default:
			break;
		}
	}
	must_do(phone_sync(p, f, 1 + choose(10), commands), p);
	if (choose(3) == 0)
		must_do(phone_sync(p, f == inbox ? trash : inbox, 1 + choose(10), ""), p);
}

static void client_acts(struct user *u, unsigned round)
{
	struct client *c = &u->client;
	const char *folder = choose(4) ? "INBOX" : "Trash";
	struct arena *a = arena_new();
	struct err err = ERR_INIT;
	struct mail_delta all;
	char subject[32];

	client_all(c, folder, a, &all);
	if (all.summaries.n == 0 || choose(2)) {
		(void)snprintf(subject, sizeof(subject), "mail %u", round);
		client_append(c, folder, subject);
		u->appended++;
	} else {
		const struct mail_flags *f =
			&all.summaries.v[choose((unsigned)all.summaries.n)].flags;
		struct mail_flag_change change = {.uid = f->uid};
		unsigned bit = choose(2) ? MAIL_SEEN : MAIL_FLAGGED;
		struct uidset one;

		if (choose(3)) {
			change.set = f->flags & bit ? 0 : bit;
			change.clear = f->flags & bit ? bit : 0;
			must(mail_call(c->mail, store, str_of(folder), 0, &change, 1, &err),
				&err);
		} else {
			uidset_init(&one, a);
			uidset_add(&one, f->uid);
			must(mail_call(c->mail, remove, str_of(folder), 0, &one, &err), &err);
			u->removed++;
		}
	}
	arena_free(a);
}

/* What the phone has is what the folder has; how many that is. */
static size_t folder_equal(
	struct phone *p, struct client *c, const char *path, struct device_folder *f)
{
	struct arena *a = arena_new();
	struct mail_delta all;

	must_do(phone_sync(p, f, 100, ""), p);
	client_all(c, path, a, &all);
	for (size_t i = 0; i < all.summaries.n; i++) {
		const struct mail_flags *m = &all.summaries.v[i].flags;
		bool flagged = m->flags & MAIL_FLAGGED, read = m->flags & MAIL_SEEN;
		char id[96];
		size_t k = 0;

		(void)snprintf(id, sizeof(id), "%s:%u", f->id, m->uid);
		while (k < f->n && strcmp(f->v[k].id, id) != 0)
			k++;
		if (k == f->n)
			fail_msg("%s does not have %s", p->id, id);
		if (f->v[k].read != read)
			fail_msg("%s (%s) has %s read %d", p->id, p->version, id, !read);
		if (f->v[k].flagged != flagged && strcmp(p->version, "2.5") != 0)
			fail_msg("%s (%s) has %s flagged %d", p->id, p->version, id, !flagged);
	}
	assert_int_equal(f->n, all.summaries.n);
	arena_free(a);
	return f->n;
}

static void models_equal(struct phone *p, struct user *u)
{
	size_t n = folder_equal(p, &u->client, "INBOX", phone_folder(p, INBOX)) +
		   folder_equal(p, &u->client, "Trash", phone_folder(p, TRASH));

	assert_int_equal(n, u->appended - u->removed);
}

/* A number from the environment, to run the story longer or with another seed. */
static unsigned wanted(const char *name, unsigned otherwise)
{
	const char *text = getenv(name);

	return text ? (unsigned)strtoul(text, NULL, 10) : otherwise;
}

static void test_random_changes_end_with_equal_models(void **state UNUSED)
{
	static struct phone phones[PHONES];
	struct user one = {.appended = 0}, two = {.appended = 0};
	unsigned rounds = wanted("EASPOOL_STORY_ROUNDS", ROUNDS), killed = 0;

	seed = wanted("EASPOOL_STORY_SEED", seed);
	/* S4, C153: workers are killed while two phones of one user, one of another and IMAP
	 * clients change things. */
	set_up(&phones[0], "user04@example.test", "story1", "2.5");
	set_up(&phones[1], "user04@example.test", "story2", "14.1");
	set_up(&phones[2], "user05@example.test", "story3", "12.1");
	client_open(&one.client, "user04@example.test");
	client_open(&two.client, "user05@example.test");
	for (size_t i = 0; i < PHONES; i++)
		must_do(phone_sync(&phones[i], phone_folder(&phones[i], INBOX), 10, "") &&
				phone_sync(&phones[i], phone_folder(&phones[i], TRASH), 10, ""),
			&phones[i]);
	for (unsigned round = 0; round < rounds; round++) {
		client_acts(&one, round);
		client_acts(&two, round);
		if (choose(4) == 0) {
			kill_a_worker(choose(100));
			killed++;
		}
		phone_acts(&phones[choose(PHONES)]);
	}
	models_equal(&phones[0], &one);
	models_equal(&phones[1], &one);
	models_equal(&phones[2], &two);
	print_message("%u rounds, %u workers killed, %zu and %zu messages left\n", rounds,
		killed, one.appended - one.removed, two.appended - two.removed);
	for (size_t i = 0; i < PHONES; i++)
		phone_release(&phones[i]);
	client_close(&one.client);
	client_close(&two.client);
}

static int start(void **state UNUSED)
{
	lab_up(5);
	return 0;
}

static int end(void **state UNUSED)
{
	lab_down();
	arena_free(conf_arena);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_mail_goes_from_phone_to_phone),
		cmocka_unit_test(test_windows_lose_and_double_nothing),
		cmocka_unit_test(test_without_credentials_there_is_a_challenge),
		cmocka_unit_test(test_bad_input_gets_an_answer_and_harms_nobody),
		cmocka_unit_test(test_random_changes_end_with_equal_models),
	};

	return cmocka_run_group_tests(tests, start, end);
}
