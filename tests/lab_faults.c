/*
 * The torture rule over the real mail servers: one command of a story goes wrong, each in turn
 * and in every way (refused, nonsense, good-bye, silence, a lost answer). Whatever happens, the
 * phone ends up with what the mailbox has, nothing is lost and nothing is doubled.
 */
#include "store/imap/imap.h"
#include "store/smtp/smtp.h"
#include "tests/support_client.h"
#include "tests/support_eas.h"
#include "tests/support_lab.h"
#include "tests/support_proxy.h"
#include "tests/support_story.h"
#include "tests/support_tree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define USER "user01@example.test"
#define BOB  "user02@example.test"

static const char *const names[] = {"none", "NO", "BAD", "BYE", "silence", "a cut"};

static struct proxy *imap_proxy, *smtp_proxy;
static struct arena *conf_arena;
static struct client client, bob;

/* What stands behind a phone's requests: through the proxies. */
static struct imap *imap;
static struct smtp *smtp;

static struct settings settings(const char *imap_port, const char *smtp_port)
{
	struct settings conf;
	struct err err = ERR_INIT;
	char text[1024];

	(void)snprintf(text, sizeof(text),
		"imap_host = 127.0.0.1\nimap_port = %s\nimap_tls = none\nimap_timeout = 1\n"
		"smtp_host = 127.0.0.1\nsmtp_port = %s\nsmtp_tls = none\nsmtp_timeout = 1\n",
		imap_port, smtp_port);
	if (settings_read(arena_str(conf_arena, str_of(text)), "test", &conf, conf_arena, &err))
		fail_msg("%s", err.text);
	return conf;
}

static void open_stores(struct eas *e, struct services *sv, struct request *rq)
{
	(void)e;
	sv->auth = imap_auth(imap);
	sv->mail = imap_mail(imap, rq->user, &rq->password);
	sv->submit = smtp_submit(smtp, rq->user, &rq->password);
}

static void close_stores(struct eas *e)
{
	(void)e;
	imap_release(imap);
}

static void everything(struct mail *m, const char *folder, struct arena *a, struct uidset *r)
{
	struct mail_look l = {.search = true};
	struct err err = ERR_INIT;
	struct mail_delta d;

	if (mail_call(m, look, str_of(folder), &l, a, &d, &err))
		fail_msg("%s: %s", folder, err.text);
	*r = d.scope;
}

static size_t count(struct mail *m, const char *folder)
{
	struct arena *a = arena_new();
	struct uidset all;
	size_t n;

	everything(m, folder, a, &all);
	n = uidset_count(&all);
	arena_free(a);
	return n;
}

static void empty(struct mail *m, const char *folder)
{
	struct arena *a = arena_new();
	struct err err = ERR_INIT;
	struct uidset all;

	everything(m, folder, a, &all);
	if (!uidset_empty(&all) && mail_call(m, remove, str_of(folder), 0, &all, &err))
		fail_msg("%s: %s", folder, err.text);
	arena_free(a);
}

/* Everything that a phone does with mail. A change that a server refused is one that the phone
 * does again. */
static void story(struct phone *p)
{
	struct device_folder *inbox;

	for (unsigned i = 0; i < 4; i++) {
		char subject[32];

		(void)snprintf(subject, sizeof(subject), "mail %u", i);
		(void)story_append(client.mail, "INBOX", 0, 0, subject);
	}
	story_set_up(p);
	inbox = phone_folder(p, STORY_INBOX);
	(void)story_append(client.mail, "INBOX", 0, 0, "another");
	if (inbox->n >= 2)
		story_change_and_delete(p, inbox, 2);
	if (inbox->n && !phone_move(p, inbox, inbox->v[0].id, phone_folder(p, STORY_TRASH)))
		assert_non_null(strstr(p->error, "Status"));
}

static void begin(struct eas *e, struct phone *p, const char *version)
{
	static struct settings conf;

	empty(client.mail, "INBOX");
	empty(client.mail, "Trash");
	empty(client.mail, "Sent");
	empty(bob.mail, "INBOX");
	conf = settings(proxy_port(imap_proxy), proxy_port(smtp_proxy));
	imap = imap_new(&conf);
	smtp = smtp_new(&conf);
	eas_init(e, "");
	e->open = open_stores;
	e->close = close_stores;
	eas_phone(e, p, "tortured", version);
	p->user = USER;
	p->password = lab_get("LAB_PASSWORD");
}

static void end(struct eas *e, struct phone *p)
{
	phone_release(p);
	eas_release(e);
	imap_free(imap);
	smtp_free(smtp);
}

/* False when the story has fewer commands than n. */
static bool imap_torture(const char *version, unsigned n, enum proxy_fault fault)
{
	static struct phone p;
	struct eas e;
	bool more;

	begin(&e, &p, version);
	proxy_fail(imap_proxy, n, fault);
	story(&p);
	more = proxy_commands(imap_proxy) >= n;
	proxy_fail(imap_proxy, 0, FAULT_NONE);
	/* Whoever was skipped gets another try. */
	story_must(phone_sync(&p, phone_folder(&p, STORY_INBOX), 100, ""), &p);
	story_must(phone_sync(&p, phone_folder(&p, STORY_TRASH), 100, ""), &p);
	story_equal(&p, client.mail, 5);
	end(&e, &p);
	return more;
}

/* B21032, B21033, B20073 */
static void test_any_imap_command_may_go_wrong(void **state UNUSED)
{
	static const char *const versions[] = {"14.1", "2.5"};
	unsigned runs = 0;

	for (size_t v = 0; v < ARRAY_LEN(versions); v++)
		for (int fault = FAULT_NO; fault < FAULTS; fault++) {
			/* Silence takes its second. Each command goes wrong in some way. */
			unsigned step = v || fault == FAULT_SILENCE ? 4 : 2;
			unsigned n = 1 + (unsigned)fault % step;

			for (;;) {
				print_message("IMAP %s at command %u, version %s\r",
					names[fault], n, versions[v]);
				if (!imap_torture(versions[v], n, (enum proxy_fault)fault))
					break;
				n += step;
				runs++;
			}
		}
	print_message("%u stories with one IMAP command gone wrong each     \n", runs);
	assert_true(runs > 60);
}

/* Leaves what every tree begins with. */
static void clear_tree(void)
{
	static const char *const paths[] = {"Made/Inner", "Named/Inner", "Made", "Named"};
	struct err err = ERR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(paths); i++)
		(void)(mail_call(client.mail, erase, str_of(paths[i]), &err) == RC_OK);
}

static void search(struct phone *p, const struct device_folder *f)
{
	char document[512];

	(void)snprintf(document, sizeof(document),
		"search:Search\n  search:Store\n    search:Name \"Mailbox\"\n"
		"    search:Query\n      search:And\n        airsync:CollectionId \"%s\"\n"
		"        search:FreeText \"mail\"\n    search:Options\n"
		"      search:Range \"0-9\"\n",
		f->id);
	(void)phone_post(p, "Search", document);
}

/*
 * Folders are made, renamed and deleted, a mail is looked for, answered and forwarded, with
 * whatever comes of it. How many mails the phone believes to have sent.
 */
static unsigned tree_story(struct phone *p)
{
	static const char *const commands[] = {"SmartReply", "SmartForward"};
	static const char mime[] = "To: " BOB "\r\nSubject: about it\r\nMIME-Version: 1.0\r\n"
				   "Content-Type: text/plain\r\n\r\nSee.\r\n";
	struct device_folder *inbox, *made;
	unsigned sent = 0;

	(void)story_append(client.mail, "INBOX", 0, 0, "mail 1");
	(void)story_append(client.mail, "INBOX", 0, 0, "mail 2");
	story_set_up(p);
	inbox = phone_folder(p, STORY_INBOX);
	(void)phone_folder_create(p, "0", "Made");
	made = phone_folder_named(p, "Made");
	if (made) {
		(void)phone_folder_create(p, made->id, "Inner");
		(void)phone_folder_update(p, made->id, "0", "Named");
	}
	search(p, inbox);
	for (size_t i = 0; i < ARRAY_LEN(commands) && inbox->n; i++)
		sent += phone_smart(
			p, commands[i], inbox, inbox->v[0].id, false, str_of(mime), NULL);
	made = phone_folder_named(p, "Named");
	if (made)
		(void)phone_folder_delete(p, made->id);
	return sent;
}

static bool tree_torture(const char *version, unsigned n, enum proxy_fault fault)
{
	static struct phone p;
	unsigned sent;
	struct eas e;
	bool more;

	begin(&e, &p, version);
	clear_tree();
	proxy_fail(imap_proxy, n, fault);
	sent = tree_story(&p);
	more = proxy_commands(imap_proxy) >= n;
	proxy_fail(imap_proxy, 0, FAULT_NONE);
	/* Mails and folders are what both have, and what was sent went out once. */
	tree_equal(&p, client.mail, 2);
	assert_int_equal(count(bob.mail, "INBOX"), sent);
	end(&e, &p);
	return more;
}

/* S4, S10, S11, C35-C37, C52: folders, searches, replies and forwards. */
static void test_any_imap_command_about_folders_may_go_wrong(void **state UNUSED)
{
	static const char *const versions[] = {"14.1", "12.0"};
	unsigned runs = 0;

	for (size_t v = 0; v < ARRAY_LEN(versions); v++)
		for (int fault = FAULT_NO; fault < FAULTS; fault++) {
			/* Silence takes its second. Each command goes wrong in some way. */
			unsigned step = v || fault == FAULT_SILENCE ? 7 : 3;

			for (unsigned n = 1 + (unsigned)fault % step;; n += step) {
				print_message("IMAP %s at command %u, folders, version %s\r",
					names[fault], n, versions[v]);
				if (!tree_torture(versions[v], n, (enum proxy_fault)fault))
					break;
				runs++;
			}
		}
	print_message(
		"%u stories of folders with one IMAP command gone wrong each     \n", runs);
	assert_true(runs > 60);
}

/* C45, C47: a mail goes out once, or the phone is told and keeps it. */
static bool smtp_torture(const char *version, unsigned n, enum proxy_fault fault)
{
	static struct phone p;
	size_t arrived, kept;
	struct eas e;
	bool more, sent;

	begin(&e, &p, version);
	story_must(phone_provision(&p) && phone_folder_sync(&p), &p);
	proxy_fail(smtp_proxy, n, fault);
	sent = phone_send(&p, BOB, "torture", "Hi.");
	more = proxy_commands(smtp_proxy) >= n;
	proxy_fail(smtp_proxy, 0, FAULT_NONE);
	arrived = count(bob.mail, "INBOX");
	kept = count(client.mail, "Sent");
	if (fault == FAULT_BAD && more && !sent)
		assert_int_equal(arrived + kept, 0);
	else if (fault == FAULT_CUT)
		/* RFC 1047: the answer to the whole message is lost, and no client can know. */
		assert_true(sent && (arrived == 1 || arrived == 2) && kept == 1);
	else
		assert_true(sent && arrived == 1 && kept == 1);
	end(&e, &p);
	return more;
}

/* S12, C46 */
static void test_any_smtp_command_may_go_wrong(void **state UNUSED)
{
	static const char *const versions[] = {"14.1", "12.1"};
	unsigned runs = 0;

	for (size_t v = 0; v < ARRAY_LEN(versions); v++)
		for (int fault = FAULT_NO; fault < FAULTS; fault++)
			for (unsigned n = 1;; n++) {
				print_message("SMTP %s at command %u, version %s\r",
					names[fault], n, versions[v]);
				if (!smtp_torture(versions[v], n, (enum proxy_fault)fault))
					break;
				runs++;
			}
	print_message("%u mails with one SMTP command gone wrong each     \n", runs);
	assert_true(runs > 40);
}

static int start(void **state UNUSED)
{
	lab_up_backends(2);
	conf_arena = arena_new();
	imap_proxy = proxy_new(PROXY_IMAP, lab_get("IMAP_PORT"));
	smtp_proxy = proxy_new(PROXY_SMTP, lab_get("SMTP_PORT"));
	client_open(&client, USER);
	client_open(&bob, BOB);
	return 0;
}

static int stop(void **state UNUSED)
{
	proxy_stop(imap_proxy);
	proxy_stop(smtp_proxy);
	client_close(&client);
	client_close(&bob);
	arena_free(conf_arena);
	lab_down();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_any_imap_command_may_go_wrong),
		cmocka_unit_test(test_any_imap_command_about_folders_may_go_wrong),
		cmocka_unit_test(test_any_smtp_command_may_go_wrong),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
