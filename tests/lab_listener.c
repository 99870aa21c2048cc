/*
 * easlistend at a real Dovecot, in each of its three ways to hear of changes: what happens in a
 * mailbox is told to the waiters, and the marks are right.
 */
#include "core/base/clock.h"
#include "store/imap/imap.h"
#include "tests/support_client.h"
#include "tests/support_lab.h"
#include "tests/support_story.h"

#include <curl/curl.h>
#include <libpq-fe.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

extern char **environ;

/* Nothing is judged by its time: this is only when to give up. */
enum { GIVE_UP_MS = 60000 };

static const char user[] = "user01@example.test", other[] = "user02@example.test";

struct stand {
	const char *source;
	struct phone phone, sender;
	struct client client;
	PGconn *db;
	struct arena *arena;
};

static PGresult *sql(struct stand *t, const char *text)
{
	PGresult *r = PQexec(t->db, text);

	if (PQresultStatus(r) != PGRES_TUPLES_OK && PQresultStatus(r) != PGRES_COMMAND_OK)
		fail_msg("%s: %s", text, PQresultErrorMessage(r));
	return r;
}

/* The first value of the first row; "" without one. */
static const char *one(struct stand *t, const char *text)
{
	PGresult *r = sql(t, text);
	const char *value =
		PQntuples(r) ? arena_cstr(t->arena, str_of(PQgetvalue(r, 0, 0))) : "";

	PQclear(r);
	return value;
}

static void run_sql(struct stand *t, const char *text)
{
	PQclear(sql(t, text));
}

static void await_sql(struct stand *t, const char *text, const char *expected)
{
	int64_t until = clock_mono_ms() + GIVE_UP_MS;
	const char *is = one(t, text);

	while (strcmp(is, expected) != 0) {
		if (clock_mono_ms() > until)
			fail_msg("%s: %s: %s instead of %s", t->source, text, is, expected);
		(void)poll(NULL, 0, 50);
		is = one(t, text);
	}
}

/* Forgets what was told up to now. */
static void drain(struct stand *t)
{
	PGnotify *n;

	run_sql(t, "SELECT 1");
	for (n = PQnotifies(t->db); n; n = PQnotifies(t->db))
		PQfreemem(n);
}

/* Waits until something is told that begins so and ends in one of those letters ("": any). */
static void await_told(struct stand *t, const char *begin, const char *letters)
{
	int64_t until = clock_mono_ms() + GIVE_UP_MS;
	struct pollfd p = {.fd = PQsocket(t->db), .events = POLLIN};
	bool told = false;

	while (!told) {
		PGnotify *n;

		if (clock_mono_ms() > until)
			fail_msg("%s: nothing was told like \"%s\" [%s]", t->source, begin,
				letters);
		(void)poll(&p, 1, 100);
		assert_true(PQconsumeInput(t->db));
		for (n = PQnotifies(t->db); n; n = PQnotifies(t->db)) {
			size_t last = strlen(n->extra);

			told = told ||
			       (str_starts(str_of(n->extra), begin) &&
				       (!letters[0] ||
					       (last && strchr(letters, n->extra[last - 1]))));
			PQfreemem(n);
		}
	}
}

static const char *account(struct stand *t)
{
	return one(t, "SELECT id FROM account WHERE login = 'user01@example.test'");
}

static const char *folder_row(struct stand *t, const char *path)
{
	return one(t, arena_printf(t->arena,
			      "SELECT f.row FROM folder f JOIN account a ON a.id = f.account_id"
			      " WHERE a.login = 'user01@example.test' AND f.path = '%s'",
			      path)
			      .p);
}

static void await_change(struct stand *t, const char *path, const char *letters)
{
	await_told(t, arena_printf(t->arena, "c %s %s ", account(t), folder_row(t, path)).p,
		letters);
}

static void await_hierarchy(struct stand *t)
{
	await_told(t, arena_printf(t->arena, "h %s ", account(t)).p, "");
}

/* The row is what the mailbox says itself. */
static void await_marks(struct stand *t, const char *path)
{
	struct err err = ERR_INIT;
	struct mail_mark m;

	if (mail_call(t->client.mail, status, str_of(path), &m, &err))
		fail_msg("%s", err.text);
	await_sql(t,
		arena_printf(t->arena,
			"SELECT concat_ws(' ', uidvalidity, uidnext, messages, modseq)"
			" FROM change WHERE folder = %s",
			folder_row(t, path))
			.p,
		arena_printf(t->arena, "%u %u %u %llu", m.uidvalidity, m.uidnext, m.messages,
			(unsigned long long)m.modseq)
			.p);
}

/* How the folder stands is not known, but that there is a mail with that UID. */
static void await_hint(struct stand *t, const char *path, uint32_t uid)
{
	await_sql(t,
		arena_printf(t->arena,
			"SELECT concat_ws(' ', uidnext, modseq) FROM change WHERE folder = %s",
			folder_row(t, path))
			.p,
		arena_printf(t->arena, "%u 0", uid + 1).p);
}

static void await_state(struct stand *t, const char *path, uint32_t uid)
{
	if (strcmp(t->source, "url") == 0)
		await_hint(t, path, uid);
	else
		await_marks(t, path);
}

static void must(enum rc rc, const struct err *err)
{
	if (rc)
		fail_msg("%s", err->text);
}

static void set_up(struct stand *t, const char *source)
{
	*t = (struct stand){.source = source};
	(void)setenv("EASPOOL_LAB_SOURCE", source, 1);
	(void)setenv("EASPOOL_LAB_CONF",
		"imap_master_user = master\nimap_master_password = lab-secret\n"
		"listener_round = 2s",
		1);
	lab_up(2);
	t->arena = arena_new();
	t->db = PQconnectdb(lab_get("PG_DSN"));
	assert_int_equal(PQstatus(t->db), CONNECTION_OK);
	client_open(&t->client, user);
	phone_init(&t->sender, lab_get("EAS_URL"), other, lab_get("LAB_PASSWORD"), "sender",
		"14.1");
	story_must(phone_provision(&t->sender) && phone_folder_sync(&t->sender), &t->sender);
	phone_init(
		&t->phone, lab_get("EAS_URL"), user, lab_get("LAB_PASSWORD"), "waits", "14.1");
	story_must(phone_provision(&t->phone) && phone_folder_sync(&t->phone), &t->phone);
	story_must(phone_sync(&t->phone, phone_folder(&t->phone, STORY_INBOX), 100, ""),
		&t->phone);
	/* As the worker does that parks the phone. */
	run_sql(t, "LISTEN easpool");
	run_sql(t, "INSERT INTO watch (account_id, host, until)"
		   " SELECT id, 'elsewhere', now() + interval '1 hour' FROM account"
		   " WHERE login = 'user01@example.test'");
	run_sql(t, "SELECT pg_notify('easpool_watch', id::text) FROM account"
		   " WHERE login = 'user01@example.test'");
	await_sql(t, "SELECT count(*) FROM listener WHERE source <> 'dav'", "1");
	if (strcmp(source, "url") != 0)
		await_sql(t, "SELECT count(*) FROM watched", "1");
}

/* Ended with SIGTERM, it leaves nothing behind that would be trusted. */
static void tear_down(struct stand *t)
{
	(void)kill((pid_t)strtol(lab_get("EASLISTEND_PID"), NULL, 10), SIGTERM);
	await_sql(t, "SELECT count(*) FROM watched", "0");
	await_sql(t, "SELECT count(*) FROM listener", "0");
	client_close(&t->client);
	phone_release(&t->phone);
	phone_release(&t->sender);
	PQfinish(t->db);
	arena_free(t->arena);
	lab_down();
}

/* With the URL a delivery is one; on an IMAP connection it looks like anything that is added.
 */
static void messages(struct stand *t)
{
	bool url = strcmp(t->source, "url") == 0;
	struct mail_flag_change flag = {.set = MAIL_SEEN};
	struct mail *m = t->client.mail;
	struct err err = ERR_INIT;
	struct mail_mark mark;
	struct uidset set;
	uint32_t uid;

	drain(t);
	story_must(phone_send(&t->sender, user, "delivered", "Hi."), &t->sender);
	await_change(t, "INBOX", url ? "n" : "a");
	await_state(t, "INBOX", 1);

	drain(t);
	uid = story_append(m, "INBOX", 0, 0, "appended");
	await_change(t, "INBOX", "a");
	await_state(t, "INBOX", uid);

	drain(t);
	must(mail_call(m, status, STR("INBOX"), &mark, &err), &err);
	flag.uid = uid;
	must(mail_call(m, store, STR("INBOX"), mark.uidvalidity, &flag, 1, &err), &err);
	await_change(t, "INBOX", "f");
	await_state(t, "INBOX", uid);

	drain(t);
	uidset_init(&set, t->arena);
	uidset_add(&set, uid);
	must(mail_call(m, remove, STR("INBOX"), mark.uidvalidity, &set, &err), &err);
	await_change(t, "INBOX", "f");
	await_state(t, "INBOX", uid);

	/* Not only the Inbox. */
	drain(t);
	uid = story_append(m, "Sent", 0, 0, "sent");
	await_change(t, "Sent", "a");
	await_state(t, "Sent", uid);
}

static void folders(struct stand *t)
{
	struct mail *m = t->client.mail;
	struct err err = ERR_INIT;

	drain(t);
	must(mail_call(m, create, STR("F\xc3\xbcr & wider"), MAIL_USE_NONE, &err), &err);
	await_hierarchy(t);
	drain(t);
	must(mail_call(m, rename, STR("F\xc3\xbcr & wider"), STR("Anders"), &err), &err);
	await_hierarchy(t);
	drain(t);
	must(mail_call(m, erase, STR("Anders"), &err), &err);
	await_hierarchy(t);
	assert_string_equal(one(t, "SELECT account_id FROM hierarchy_change"), account(t));
}

/* A folder that came after the listener, and has mail before anybody knows the folder. */
static void new_folder(struct stand *t)
{
	struct mail *m = t->client.mail;
	struct err err = ERR_INIT;
	uint32_t uid;

	drain(t);
	must(mail_call(m, create,
		     STR("\xc3\x9c"
			 "ber & unter"),
		     MAIL_USE_NONE, &err),
		&err);
	await_hierarchy(t);
	(void)story_append(m,
		"\xc3\x9c"
		"ber & unter",
		0, 0, "early");
	story_must(phone_folder_sync(&t->phone), &t->phone);
	drain(t);
	uid = story_append(m,
		"\xc3\x9c"
		"ber & unter",
		0, 0, "in time");
	await_change(t,
		"\xc3\x9c"
		"ber & unter",
		"a");
	await_state(t,
		"\xc3\x9c"
		"ber & unter",
		uid);
}

/* Nobody waits for mail of the other user. */
static void nobody_waits(struct stand *t)
{
	story_must(phone_send(&t->sender, other, "to myself", "Hi."), &t->sender);
	(void)story_append(t->client.mail, "INBOX", 0, 0, "after it");
	await_change(t, "INBOX", "a");
	assert_string_equal(
		one(t, "SELECT count(*) FROM change c JOIN folder f ON f.row = c.folder"
		       " JOIN account a ON a.id = f.account_id"
		       " WHERE a.login = 'user02@example.test'"),
		"0");
}

/* The database goes away under it. */
static void database_is_lost(struct stand *t)
{
	uint32_t uid;

	run_sql(t, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
		   " WHERE pid <> pg_backend_pid() AND datname = current_database()");
	drain(t);
	uid = story_append(t->client.mail, "INBOX", 0, 0, "after the database");
	await_change(t, "INBOX", "a");
	await_state(t, "INBOX", uid);
}

static void a_source(const char *source)
{
	static struct stand t;

	set_up(&t, source);
	messages(&t);
	folders(&t);
	new_folder(&t);
	nobody_waits(&t);
	database_is_lost(&t);
	tear_down(&t);
}

static long http(const char *url, const char *authorization, const char *body, curl_off_t *n_r)
{
	CURL *c = curl_easy_init();
	struct curl_slist *headers = curl_slist_append(NULL, "Expect:");
	long code = 0;
	FILE *nowhere = fopen("/dev/null", "w");

	if (authorization)
		headers = curl_slist_append(headers, authorization);
	(void)curl_easy_setopt(c, CURLOPT_URL, url);
	(void)curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers);
	(void)curl_easy_setopt(c, CURLOPT_WRITEDATA, nowhere);
	if (body)
		(void)curl_easy_setopt(c, CURLOPT_POSTFIELDS, body);
	assert_int_equal(curl_easy_perform(c), CURLE_OK);
	(void)curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &code);
	(void)curl_easy_getinfo(c, CURLINFO_SIZE_DOWNLOAD_T, n_r);
	curl_easy_cleanup(c);
	curl_slist_free_all(headers);
	(void)fclose(nowhere);
	return code;
}

/* Dovecot's OX driver says it so; who does not know the secret learns nothing. */
static void the_url(struct stand *t)
{
	static const char event[] =
		"{\"user\": \"user01@example.test\", \"event\": \"messageNew\","
		" \"folder\": \"INBOX\", \"imap-uid\": 4000, \"from\": \"a\"}";
	const char *url = lab_get("LISTENER_URL");
	const char *right =
		arena_printf(t->arena, "Authorization: Bearer %s", lab_get("LISTENER_SECRET"))
			.p;
	const char *elsewhere = arena_printf(t->arena, "%s/x", url).p;
	char *large = memset(arena_alloc(t->arena, 100001), ' ', 100000);
	const struct {
		const char *url, *authorization, *body;
		long code;
	} cases[] = {
		{url,       NULL,                          event, 403},
		{url,       "Authorization: Bearer wrong", event, 403},
		{url,       "Authorization: Bearer",       event, 403},
		{url,       "Authorization: Basic dTpw",   event, 403},
		{url,       NULL,                          NULL,  403},
		{elsewhere, NULL,                          event, 403},
		{elsewhere, right,                         event, 404},
		{url,       right,                         NULL,  405},
		{url,       right,                         "{}",  400},
		{url,       right,                         large, 413},
		{url,       right,                         event, 204},
	};

	large[100000] = '\0';
	drain(t);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		curl_off_t n;

		assert_int_equal(http(cases[i].url, cases[i].authorization, cases[i].body, &n),
			cases[i].code);
		assert_int_equal(n, 0);
	}
	await_change(t, "INBOX", "n");
	await_hint(t, "INBOX", 4000);
}

static void test_with_notify_all_is_told(void **state UNUSED)
{
	a_source("notify");
}

static void test_with_idle_all_is_told(void **state UNUSED)
{
	a_source("idle");
}

static void test_with_the_url_all_is_told(void **state UNUSED)
{
	static struct stand t;

	a_source("url");
	set_up(&t, "url");
	the_url(&t);
	tear_down(&t);
}

static pid_t start_program(char *const argv[])
{
	pid_t pid;

	assert_int_equal(posix_spawn(&pid, argv[0], NULL, NULL, argv, environ), 0);
	return pid;
}

/* One of two listeners dies without a word: the other watches on. */
static void test_another_listener_takes_over(void **state UNUSED)
{
	static struct stand t;
	char program[4096], conf[4096], c[] = "-c";
	char *argv[] = {program, c, conf, NULL};
	pid_t second;
	uint32_t uid;

	set_up(&t, "notify");
	(void)snprintf(program, sizeof(program), "%s/easlistend", lab_get("EASPOOL_BUILD"));
	(void)snprintf(conf, sizeof(conf), "%s", lab_get("EASPOOL_CONF"));
	second = start_program(argv);
	await_sql(&t, "SELECT count(*) FROM listener WHERE source <> 'dav'", "2");
	(void)kill((pid_t)strtol(lab_get("EASLISTEND_PID"), NULL, 10), SIGKILL);
	await_sql(&t,
		arena_printf(t.arena,
			"SELECT count(*) FROM watched WHERE listener LIKE '%%-%ld-%%'",
			(long)second)
			.p,
		"1");
	drain(&t);
	uid = story_append(t.client.mail, "INBOX", 0, 0, "taken over");
	await_change(&t, "INBOX", "a");
	await_marks(&t, "INBOX");
	assert_true(uid > 0);
	(void)kill(second, SIGTERM);
	(void)waitpid(second, NULL, 0);
	run_sql(&t, "DELETE FROM listener");
	tear_down(&t);
}

/* The IMAP server cuts the connection; what happened meanwhile is told as well. */
static void test_a_lost_connection_is_opened_again(void **state UNUSED)
{
	static struct stand t;
	char conf[4096], doveadm[] = "/usr/bin/doveadm", c[] = "-c", kick[] = "kick",
			 name[] = "user01@example.test";
	char *argv[] = {doveadm, c, conf, kick, name, NULL};
	uint32_t uid;

	set_up(&t, "notify");
	(void)snprintf(conf, sizeof(conf), "%s/dovecot.conf", lab_get("LAB_DIR"));
	drain(&t);
	(void)waitpid(start_program(argv), NULL, 0);
	await_sql(&t, "SELECT count(*) FROM watched", "0");
	client_close(&t.client);
	client_open(&t.client, user);
	uid = story_append(t.client.mail, "INBOX", 0, 0, "meanwhile");
	await_change(&t, "INBOX", "a");
	await_state(&t, "INBOX", uid);
	await_sql(&t, "SELECT count(*) FROM watched", "1");
	tear_down(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_with_notify_all_is_told),
		cmocka_unit_test(test_with_idle_all_is_told),
		cmocka_unit_test(test_with_the_url_all_is_told),
		cmocka_unit_test(test_another_listener_takes_over),
		cmocka_unit_test(test_a_lost_connection_is_opened_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
