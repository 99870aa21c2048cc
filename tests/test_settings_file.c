/*
 * The configuration file: what is accepted, and that a mistake names its line.
 */
#include "store/settings_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static enum rc load(const char *text, struct settings *s, struct arena *a, struct err *err)
{
	char path[] = "/tmp/easpool-settings-XXXXXX";
	int fd = mkstemp(path);
	enum rc rc;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	(void)close(fd);
	rc = settings_file(path, s, a, err);
	(void)unlink(path);
	return rc;
}

static void test_a_file_is_read(void **state UNUSED)
{
	struct arena *a = arena_new();
	struct err err = ERR_INIT;
	struct settings s;

	assert_int_equal(
		load("\xef\xbb\xbf# a comment\nworkers = 3\ndatabase = \"a b\"\nsync_time = 1m\n",
			&s, a, &err),
		RC_OK);
	assert_int_equal(s.workers, 3);
	assert_int_equal(s.sync_time, 60);
	assert_true(str_is(s.database, "a b"));
	assert_int_equal(s.imap_timeout, 30);
	arena_free(a);
}

static void test_a_mistake_names_its_line(void **state UNUSED)
{
	static const char *const texts[] = {"\nno_such = 1\n", "\nworkers = 0\n",
		"\nworkers = x\n", "\ndatabase = \"open\n", "workers = 1\nworkers = 2\n",
		"\nworkers\n"};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct arena *a = arena_new();
		struct err err = ERR_INIT;
		struct settings s;

		assert_int_equal(load(texts[i], &s, a, &err), RC_INVALID);
		if (!strstr(err.text, ":2:"))
			fail_msg("no line in: %s", err.text);
		arena_free(a);
	}
}

static void test_a_folder_or_nothing_is_no_configuration(void **state UNUSED)
{
	struct arena *a = arena_new();
	struct err err = ERR_INIT;
	struct settings s;

	assert_int_equal(settings_file("/tmp", &s, a, &err), RC_ABSENT);
	assert_non_null(strstr(err.text, "/tmp"));
	assert_int_equal(settings_file("/nothing/here", &s, a, &err), RC_ABSENT);
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_file_is_read),
		cmocka_unit_test(test_a_mistake_names_its_line),
		cmocka_unit_test(test_a_folder_or_nothing_is_no_configuration),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
