/*
 * Golden dialogues: what a phone sends and what it gets, in the readable form of
 * core/wire/dump.h, word for word. The server is the core over the fakes.
 *
 *     conf NAME = VALUE              before anything else
 *     folder PATH
 *     mail FOLDER YYYY-MM-DDThh:mm:ssZ [seen] [flagged] [answered]
 *     ... the message ...
 *     .
 *     client expunge|seen|unseen FOLDER UID
 *     client create|delete|rename FOLDER [TO]
 *     calendar                       there is a CalDAV server
 *     event NAME                     another client puts an object into the calendar
 *     ... the object ...
 *     .
 *     stored TEXT                    one object of the calendar has that text
 *     stored no TEXT                 none has
 *     version 14.1                   of the requests that follow
 *     device TYPE                    DeviceType, likewise
 *     post COMMAND [MORE PARAMETERS]
 *     ... the document ...
 *     = HTTP CODE
 *     ... the document that is answered ...
 *
 * A text "$name" is a value made by the server: the first answer that has it gives it its
 * meaning. Lines that begin with '#' are comments, empty lines end a document. With
 * EASPOOL_GOLDEN=write the files are written anew from what the server answers: read the
 * difference before you keep it.
 */
#include "core/base/clock.h"
#include "core/wire/dump.h"
#include "tests/support_eas.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { VALUES = 200 };

#define NOW 1772539200000 /* 2026-03-03T12:00:00Z, in milliseconds */

struct golden {
	const char *path;
	char version[8];
	struct eas e;
	struct phone p;
	bool started;
	struct buf conf;
	struct str rest; /* of the file */
	unsigned line;
	struct {
		char name[32], value[128];
	} v[VALUES];
	size_t nv;
	unsigned nkeys, npolicies; /* of those that were named when writing */
	bool writing;
	struct buf out; /* the file anew */
	struct arena *a;
};

static bool next_line(struct golden *g, struct str *line_r)
{
	if (g->rest.n == 0)
		return false;
	*line_r = str_sub(g->rest, 0, str_find(g->rest, '\n'));
	g->rest = str_sub(g->rest, line_r->n + 1, g->rest.n);
	g->line++;
	return true;
}

static void echo(struct golden *g, struct str line)
{
	buf_add_str(&g->out, line);
	buf_addc(&g->out, '\n');
}

static void start(struct golden *g)
{
	if (g->started)
		return;
	g->started = true;
	clock_set_fake(NOW);
	buf_addc(&g->conf, '\0');
	eas_init(&g->e, g->conf.p);
	eas_phone(&g->e, &g->p, "golden", g->version);
}

static const char *value_of(const struct golden *g, struct str name)
{
	for (size_t i = 0; i < g->nv; i++)
		if (str_is(name, g->v[i].name))
			return g->v[i].value;
	return NULL;
}

static void bind(struct golden *g, struct str name, struct str value)
{
	assert_true(g->nv < VALUES);
	(void)snprintf(g->v[g->nv].name, sizeof(g->v[0].name), "%.*s", STR_FMT(name));
	(void)snprintf(g->v[g->nv].value, sizeof(g->v[0].value), "%.*s", STR_FMT(value));
	g->nv++;
}

/* "$name" of a line, and what stands before it; STR_NONE. */
static struct str variable(struct str line, struct str *before_r)
{
	size_t at = str_search(line, STR("\"$"));

	*before_r = str_sub(line, 0, at);
	return at == line.n ? STR_NONE : str_sub(line, at + 2, line.n - at - 3);
}

/* A document of the file, its variables filled in; ends at an empty line, "=" or "." */
static struct str read_document(struct golden *g, bool fill)
{
	struct buf b;
	struct str line, before, r;

	buf_init(&b, BUF_MAX_TEXT);
	while (g->rest.n && g->rest.p[0] != '\n' && g->rest.p[0] != '=') {
		struct str name;
		const char *value;

		(void)next_line(g, &line);
		if (fill)
			echo(g, line);
		name = variable(line, &before);
		value = name.p && fill ? value_of(g, name) : NULL;
		if (value)
			buf_addf(&b, "%.*s\"%s\"\n", STR_FMT(before), value);
		else
			buf_addf(&b, "%.*s\n", STR_FMT(line));
	}
	r = arena_str(g->a, buf_str(&b));
	buf_release(&b);
	return r;
}

/* One line of an answer against one of the file. */
static bool line_equal(struct golden *g, struct str want, struct str got)
{
	struct str before, name = variable(want, &before), value;
	const char *known;

	if (!name.p)
		return str_eq(want, got);
	if (!str_eq(before, str_sub(got, 0, before.n)) || got.n < before.n + 2)
		return false;
	value = str_sub(got, before.n + 1, got.n - before.n - 2);
	known = value_of(g, name);
	if (known)
		return str_is(value, known);
	bind(g, name, value);
	return true;
}

/* When writing: keys get names, known values their own. */
static void write_line(struct golden *g, struct str line)
{
	size_t at = str_search(line, STR("Key \""));
	struct str value = str_sub(line, at + 5, line.n - at - 6), name = STR_NONE;

	if (at == line.n || str_is(value, "0")) {
		echo(g, line);
		return;
	}
	for (size_t i = 0; i < g->nv; i++)
		if (str_is(value, g->v[i].value))
			name = str_of(g->v[i].name);
	if (!name.p) {
		bool policy = str_search(line, STR("PolicyKey")) < line.n;

		name = arena_printf(g->a, "%s%u", policy ? "policy" : "key",
			policy ? ++g->npolicies : ++g->nkeys);
		bind(g, name, value);
	}
	buf_addf(&g->out, "%.*s\"$%.*s\"\n", STR_FMT(str_sub(line, 0, at + 4)), STR_FMT(name));
}

static void compare(struct golden *g, struct str want, struct str got)
{
	struct str w, x, rest = got;
	unsigned line = g->line;

	for (struct str all = want; str_next(&all, '\n', &w);) {
		if (!str_next(&rest, '\n', &x))
			x = STR_NONE;
		if (!line_equal(g, w, x))
			fail_msg("%s, in front of line %u:\nwanted: %.*s\ngot:    %.*s\nwhole "
				 "answer:\n%.*s",
				g->path, line, STR_FMT(w), STR_FMT(x), STR_FMT(got));
	}
	if (str_next(&rest, '\n', &x) && x.n)
		fail_msg("%s, in front of line %u: more than wanted: %.*s", g->path, line,
			STR_FMT(x));
}

static struct str answer_text(struct golden *g, const struct elem *root)
{
	return arena_str(g->a, str_of(eas_text(root, g->a)));
}

static void post(struct golden *g, struct str what)
{
	struct str command = str_sub(what, 0, str_find(what, ' ')), document, line, want, got;
	struct str extra = str_trim(str_sub(what, command.n, what.n));
	const struct elem *root;
	const char *key;

	start(g);
	key = NULL;
	for (size_t i = 0; i < g->nv; i++)
		if (str_starts(str_of(g->v[i].name), "policy"))
			key = g->v[i].value;
	g->p.policy_key = key ? (unsigned)strtoul(key, NULL, 10) : 0;
	(void)snprintf(g->p.error, sizeof(g->p.error), "%s", "");
	document = read_document(g, true);
	g->p.version = g->version;
	if (extra.n)
		root = phone_post_raw(&g->p, arena_cstr(g->a, command),
			arena_printf(g->a, "&%.*s", STR_FMT(extra)).p, "message/rfc822",
			document);
	else
		root = phone_post(&g->p, arena_cstr(g->a, command), arena_cstr(g->a, document));
	if (!next_line(g, &line) || !str_starts(line, "= "))
		fail_msg("%s:%u: no answer is given", g->path, g->line);
	want = read_document(g, false);
	got = answer_text(g, root);
	if (g->writing) {
		buf_addf(&g->out, "= %d\n", g->e.seen.http);
		for (struct str all = got; str_next(&all, '\n', &line);)
			if (line.n)
				write_line(g, line);
		return;
	}
	if (!str_is(str_sub(line, 2, line.n), arena_printf(g->a, "%d", g->e.seen.http).p))
		fail_msg("%s:%u: HTTP %d (%s)", g->path, g->line, g->e.seen.http,
			g->e.seen.error);
	compare(g, want, got);
}

/* Lines up to ".", with CRLF. */
static struct str read_lines(struct golden *g)
{
	struct str line, r;
	struct buf b;

	buf_init(&b, BUF_MAX_TEXT);
	while (next_line(g, &line)) {
		echo(g, line);
		if (str_is(line, "."))
			break;
		buf_addf(&b, "%.*s\r\n", STR_FMT(line));
	}
	buf_addc(&b, '\0');
	r = arena_str(g->a, buf_str(&b));
	buf_release(&b);
	return r;
}

static void add_event(struct golden *g, struct str name)
{
	start(g);
	(void)fake_dav_put(
		g->e.calendars, FAKE_DAV_CALENDAR, arena_cstr(g->a, name), read_lines(g).p);
}

static void stored(struct golden *g, struct str what)
{
	bool none = str_starts(what, "no ");
	struct str text = none ? str_sub(what, 3, what.n) : what, href;
	size_t n = 0;

	for (size_t i = 0; (href = fake_dav_href(g->e.calendars, FAKE_DAV_CALENDAR, i)).p;
		i++) {
		struct str name = str_sub(href, strlen(FAKE_DAV_CALENDAR), href.n);
		struct str has = fake_dav_text(
			g->e.calendars, FAKE_DAV_CALENDAR, arena_cstr(g->a, name));

		n += str_search(has, text) < has.n;
		if (g->writing)
			print_message("%.*s\n", STR_FMT(has));
	}
	if (n != (none ? 0u : 1u) && !g->writing)
		fail_msg(
			"%s:%u: %zu objects have \"%.*s\"", g->path, g->line, n, STR_FMT(text));
}

static void add_mail(struct golden *g, struct str what)
{
	struct str folder, date, word;
	unsigned flags = 0;
	int64_t received = 0;

	start(g);
	(void)str_next(&what, ' ', &folder);
	(void)str_next(&what, ' ', &date);
	assert_int_equal(clock_parse(date, &received), RC_OK);
	while (str_next(&what, ' ', &word))
		flags |= str_is(word, "seen")       ? MAIL_SEEN
			 : str_is(word, "flagged")  ? MAIL_FLAGGED
			 : str_is(word, "answered") ? MAIL_ANSWERED
						    : 0;
	(void)fake_mail_add(
		g->e.mail, arena_cstr(g->a, folder), flags, received, read_lines(g).p);
}

static void client(struct golden *g, struct str what)
{
	struct str verb, folder, uid;
	uint32_t n = 0;
	char *path;

	start(g);
	(void)str_next(&what, ' ', &verb);
	(void)str_next(&what, ' ', &folder);
	path = arena_cstr(g->a, folder);
	if (str_is(verb, "create") || str_is(verb, "delete") || str_is(verb, "rename")) {
		if (str_is(verb, "create"))
			fake_mail_folder(g->e.mail, path, MAIL_USE_NONE);
		else if (str_is(verb, "delete"))
			fake_mail_folder_delete(g->e.mail, path);
		else
			fake_mail_folder_rename(g->e.mail, path, arena_cstr(g->a, what));
		return;
	}
	(void)str_next(&what, ' ', &uid);
	assert_true(str_u32(uid, &n));
	if (str_is(verb, "expunge"))
		fake_mail_expunge(g->e.mail, path, n);
	else
		fake_mail_set_flags(g->e.mail, path, n, str_is(verb, "seen") ? MAIL_SEEN : 0);
}

static void directive(struct golden *g, struct str line)
{
	struct str rest = line, word;

	(void)str_next(&rest, ' ', &word);
	if (str_is(word, "conf"))
		buf_addf(&g->conf, "%.*s\n", STR_FMT(rest));
	else if (str_is(word, "version"))
		(void)snprintf(g->version, sizeof(g->version), "%.*s", STR_FMT(rest));
	else if (str_is(word, "device")) {
		start(g);
		g->p.type = arena_cstr(g->a, rest);
	} else if (str_is(word, "mail"))
		add_mail(g, rest);
	else if (str_is(word, "calendar")) {
		start(g);
		eas_calendars(&g->e);
	} else if (str_is(word, "event"))
		add_event(g, rest);
	else if (str_is(word, "stored"))
		stored(g, rest);
	else if (str_is(word, "client"))
		client(g, rest);
	else if (str_is(word, "post"))
		post(g, rest);
	else if (str_is(word, "folder")) {
		start(g);
		fake_mail_folder(g->e.mail, arena_cstr(g->a, rest), MAIL_USE_NONE);
	} else if (word.n && word.p[0] != '#')
		fail_msg("%s:%u: what is \"%.*s\"?", g->path, g->line, STR_FMT(line));
}

static struct str read_file(const char *path, struct arena *a)
{
	FILE *f = fopen(path, "r");
	char chunk[4096];
	struct buf b;
	struct str s;
	size_t n;

	if (!f)
		fail_msg("%s is not there", path);
	buf_init(&b, BUF_MAX_TEXT);
	while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0)
		buf_add(&b, chunk, n);
	(void)fclose(f);
	s = arena_str(a, buf_str(&b));
	buf_release(&b);
	return s;
}

static void write_file(const char *path, struct str s)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	(void)fwrite(s.p, 1, s.n, f);
	(void)fclose(f);
}

static void play(const char *path, bool writing)
{
	struct golden *g = calloc(1, sizeof(*g));
	struct str line;

	assert_non_null(g);
	g->path = path;
	g->writing = writing;
	g->a = arena_new();
	(void)snprintf(g->version, sizeof(g->version), "14.1");
	buf_init(&g->conf, BUF_MAX_LINE);
	buf_init(&g->out, BUF_MAX_TEXT);
	g->rest = read_file(path, g->a);
	while (next_line(g, &line)) {
		echo(g, line);
		directive(g, line);
	}
	if (writing)
		write_file(path, buf_str(&g->out));
	start(g);
	phone_release(&g->p);
	eas_release(&g->e);
	buf_release(&g->conf);
	buf_release(&g->out);
	arena_free(g->a);
	free(g);
	clock_set_fake(-1);
}

/* requirements 4.7 */
static void test_dialogues_are_word_for_word(void **state UNUSED)
{
	const char *how = getenv("EASPOOL_GOLDEN");
	DIR *d = opendir("golden");
	struct dirent *entry;
	unsigned n = 0;

	if (!d)
		fail_msg("no folder golden: run it in tests/");
	while ((entry = readdir(d))) {
		char path[512];

		if (entry->d_name[0] == '.')
			continue;
		(void)snprintf(path, sizeof(path), "golden/%s", entry->d_name);
		play(path, how && strcmp(how, "write") == 0);
		n++;
	}
	(void)closedir(d);
	print_message("%u dialogues\n", n);
	assert_true(n > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dialogues_are_word_for_word),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
