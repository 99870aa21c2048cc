/*
 * Folders of real servers, whatever their names and the character that parts them: S8, S20,
 * B20975.
 */
#include "tests/support_client.h"
#include "tests/support_lab.h"
#include "tests/support_story.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define USER "user01@example.test"

static struct device_folder *named(struct phone *p, const char *name)
{
	for (size_t i = 0; i < p->nfolders; i++)
		if (strcmp(p->folders[i].name, name) == 0)
			return &p->folders[i];
	fail_msg("there is no folder %s", name);
	return NULL;
}

static void make(struct mail *m, struct str path)
{
	struct err err = ERR_INIT;

	if (mail_call(m, create, path, MAIL_USE_NONE, &err))
		fail_msg("%.*s: %s", STR_FMT(path), err.text);
}

static void with_separator(const char *separator)
{
	static struct phone p;
	struct device_folder *f;
	struct str parent, child;
	struct client c;

	(void)setenv("EASPOOL_LAB_SEPARATOR", separator, 1);
	lab_up(1);
	client_open(&c, USER);
	parent = STR("Entw\xc3\xbcrfe & \"Co\" \\ 100%");
	child = arena_printf(c.arena,
		"%.*s%s\xc3\x9c"
		"bung {7}",
		STR_FMT(parent), separator);
	make(c.mail, parent);
	make(c.mail, child);
	(void)story_append(c.mail, child.p, 0, 0, "in the folder below");
	phone_init(&p, lab_get("EAS_URL"), USER, lab_get("LAB_PASSWORD"), "folders", "14.1");
	story_must(phone_provision(&p) && phone_folder_sync(&p), &p);
	(void)named(&p, parent.p);
	f = named(&p, "\xc3\x9c"
		      "bung {7}");
	assert_int_equal(f->type, 12);
	story_must(phone_sync(&p, f, 10, ""), &p);
	assert_non_null(phone_item(f, "in the folder below"));
	/* Back to the inbox, by its other name. */
	story_must(phone_move(&p, f, f->v[0].id, phone_folder(&p, STORY_INBOX)), &p);
	story_must(phone_sync(&p, phone_folder(&p, STORY_INBOX), 10, ""), &p);
	assert_non_null(phone_item(phone_folder(&p, STORY_INBOX), "in the folder below"));
	story_must(phone_sync(&p, f, 10, ""), &p);
	assert_int_equal(f->n, 0);
	phone_release(&p);
	client_close(&c);
	lab_down();
}

static void test_a_slash_parts_names(void **state UNUSED)
{
	with_separator("/");
}

static void test_a_dot_parts_names(void **state UNUSED)
{
	with_separator(".");
}

/* Requirements 3.23: what one user puts into a folder for all, another's phone gets. */
static void test_folders_for_all_are_seen(void **state UNUSED)
{
	static struct phone p;
	struct device_folder *f;
	struct client c;

	(void)setenv("EASPOOL_LAB_SEPARATOR", "/", 1);
	(void)setenv("EASPOOL_LAB_PUBLIC", "1", 1);
	lab_up(2);
	client_open(&c, USER);
	make(c.mail, STR("Public/Team"));
	(void)story_append(c.mail, "Public/Team", 0, 0, "for all");
	phone_init(&p, lab_get("EAS_URL"), "user02@example.test", lab_get("LAB_PASSWORD"),
		"public", "14.1");
	story_must(phone_provision(&p) && phone_folder_sync(&p), &p);
	f = named(&p, "Team");
	assert_int_equal(f->type, 12);
	story_must(phone_sync(&p, f, 10, ""), &p);
	assert_non_null(phone_item(f, "for all"));
	phone_release(&p);
	client_close(&c);
	lab_down();
}

/* The administrator may have it otherwise. */
static void test_folders_for_all_are_left_out(void **state UNUSED)
{
	static struct phone p;
	struct client c;

	(void)setenv("EASPOOL_LAB_CONF", "shared_folders = no", 1);
	lab_up(1);
	(void)unsetenv("EASPOOL_LAB_CONF");
	client_open(&c, USER);
	make(c.mail, STR("Public/Team"));
	phone_init(&p, lab_get("EAS_URL"), USER, lab_get("LAB_PASSWORD"), "public", "14.1");
	story_must(phone_provision(&p) && phone_folder_sync(&p), &p);
	assert_non_null(phone_folder(&p, STORY_INBOX));
	assert_null(phone_folder_named(&p, "Team"));
	phone_release(&p);
	client_close(&c);
	lab_down();
	(void)unsetenv("EASPOOL_LAB_PUBLIC");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_slash_parts_names),
		cmocka_unit_test(test_a_dot_parts_names),
		cmocka_unit_test(test_folders_for_all_are_seen),
		cmocka_unit_test(test_folders_for_all_are_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
