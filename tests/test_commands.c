/*
 * Single requests through dispatch(), over the fakes: who gets in, and what each command
 * answers. Codes and Status values as in [MS-ASCMD] and [MS-ASHTTP].
 */
#include "core/base/base64.h"
#include "core/wire/reader.h"
#include "tests/support_eas.h"
#include "tests/support_story.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define FOLDER_SYNC_0 "folderhierarchy:FolderSync\n  folderhierarchy:SyncKey \"0\"\n"

static struct eas e;
static struct phone p;

/* A phone that is provisioned and knows its folders. */
static void begin(const char *version, const char *conf)
{
	eas_init(&e, conf);
	eas_phone(&e, &p, "phone", version);
	story_must(phone_provision(&p) && phone_folder_sync(&p), &p);
}

static void end(void)
{
	phone_release(&p);
	eas_release(&e);
}

static bool header(const char *line)
{
	return strstr(e.seen.headers, line) != NULL;
}

static void options(const char *user, const char *password)
{
	struct eas_request q = {.options = true, .user = user, .password = password};
	struct buf answer;

	buf_init(&answer, BUF_MAX_LINE);
	eas_request(&e, &q, &answer);
	assert_int_equal(answer.n, 0);
	buf_release(&answer);
}

/* Requirements 3.13, C22 */
/* S1, C21, C22, requirements 4.10 */
static void test_who_does_not_prove_himself_is_asked_to(void **state UNUSED)
{
	eas_init(&e, "");
	options(NULL, NULL);
	assert_int_equal(e.seen.http, 401);
	assert_true(header("WWW-Authenticate: Basic realm="));
	options(EAS_USER, "wrong");
	assert_int_equal(e.seen.http, 401);
	/* A mail server that is down is no wrong password. */
	e.auth_rc = RC_UNAVAILABLE;
	options(EAS_USER, EAS_PASSWORD);
	assert_int_equal(e.seen.http, 503);
	assert_true(header("Retry-After: 60"));
	assert_false(header("WWW-Authenticate"));
	eas_release(&e);
}

/* C8, C10, requirements 3.8 */
static void test_versions_end_at_the_ceiling(void **state UNUSED)
{
	eas_init(&e, "");
	options(EAS_USER, EAS_PASSWORD);
	assert_int_equal(e.seen.http, 200);
	assert_true(header("MS-ASProtocolVersions: 2.5,12.0,12.1,14.0,14.1\n"));
	fake_state_ceiling(e.state, EAS_USER, V121);
	options(EAS_USER, EAS_PASSWORD);
	assert_true(header("MS-ASProtocolVersions: 2.5,12.0,12.1\n"));
	eas_phone(&e, &p, "phone", "14.1");
	(void)phone_post(&p, "FolderSync", FOLDER_SYNC_0);
	assert_int_equal(e.seen.status, 138);
	p.version = "12.1";
	story_must(phone_provision(&p) && phone_folder_sync(&p), &p);
	assert_true(header("MS-ASProtocolVersions: 2.5,12.0,12.1\n"));
	end();
}

/* Requirements 3.9: new phones search by Find where 16.1 is offered, and by Search here. */
static void test_new_phones_are_not_led_to_find(void **state UNUSED)
{
	eas_init(&e, "");
	options(EAS_USER, EAS_PASSWORD);
	assert_true(header(",Search,"));
	assert_false(header("Find"));
	assert_false(header("16."));
	eas_phone(&e, &p, "phone", "14.1");
	story_must(phone_provision(&p) && phone_folder_sync(&p), &p);
	assert_true(header(",Search,"));
	assert_false(header("Find"));
	(void)phone_post(&p, "Find", FOLDER_SYNC_0);
	assert_int_equal(e.seen.status, 137);
	end();
}

/* One refusal in the form of each version: an HTTP code up to 12.1, a Status from 14.0 on. */
static void refused(unsigned status, int http)
{
	const struct elem *answer;

	p.version = "12.1";
	assert_null(phone_post(&p, "FolderSync", FOLDER_SYNC_0));
	assert_int_equal(e.seen.http, http);
	assert_int_equal(e.seen.status, status);
	p.version = "14.1";
	answer = phone_post(&p, "FolderSync", FOLDER_SYNC_0);
	assert_int_equal(e.seen.http, 200);
	assert_int_equal(elem_u32(answer, FOLDERHIERARCHY_STATUS, 0), status);
}

/* S2, K22, B20065 */
static void test_who_may_not_sync_is_told_so(void **state UNUSED)
{
	begin("14.1", "");
	for (int why = ENTITLEMENT_DISABLED; why <= ENTITLEMENT_FULL; why++) {
		fake_state_entitle(e.state, EAS_USER, (enum entitlement)why);
		refused(126, 403);
		assert_true(e.seen.error[0] != '\0');
	}
	fake_state_entitle(e.state, EAS_USER, ENTITLED);
	fake_state_access(e.state, "phone", DEVICE_BLOCKED);
	refused(129, 403);
	fake_state_access(e.state, "phone", DEVICE_ALLOWED);
	fake_state_max_devices(e.state, 1);
	p.id = "second";
	refused(177, 403);
	p.id = "phone";
	story_must(phone_folder_sync(&p), &p);
	end();
}

/* U4, [MS-ASHTTP] 2.2.1.1.1.1: version, command, device and key in the query, no header of
 * ours. */
/* C12, C13, C26 */
static void test_a_request_without_headers_is_served(void **state UNUSED)
{
	unsigned char packed[] = {121, 9, 0x09, 0x04, 5, 'p', 'h', 'o', 'n', 'e', 4, 0, 0, 0, 0,
		8, 'S', 'c', 'r', 'i', 'p', 't', 'e', 'd'};
	struct eas_request q = {.user = EAS_USER,
		.password = EAS_PASSWORD,
		.body = STR("\x03\x01\x6a\x00\x00\x07\x56\x52\x03\x30\x00\x01\x01")};
	struct buf query, answer;
	struct arena *a = arena_new();
	struct err err = ERR_INIT;
	struct elem *root;

	/* The same device as in the plain form, when its id is text. */
	eas_init(&e, "");
	eas_phone(&e, &p, "phone", "12.1");
	story_must(phone_provision(&p), &p);
	for (unsigned i = 0; i < 4; i++)
		packed[11 + i] = (unsigned char)(p.policy_key >> (8 * i) & 0xff);
	buf_init(&query, BUF_MAX_LINE);
	buf_init(&answer, BUF_MAX_TEXT);
	base64_encode((struct str){(const char *)packed, sizeof(packed)}, &query);
	q.query = query.p;
	eas_request(&e, &q, &answer);
	assert_int_equal(e.seen.http, 200);
	assert_int_equal(wbxml_read(buf_str(&answer), WBXML_LIMITS, a, &root, &err), RC_OK);
	assert_int_equal(elem_u32(root, FOLDERHIERARCHY_STATUS, 0), 1);
	assert_int_equal(
		elem_u32(elem_child(root, FOLDERHIERARCHY_CHANGES), FOLDERHIERARCHY_COUNT, 0),
		4);
	/* With another key it is sent to provision, as anybody. */
	buf_reset(&query);
	buf_reset(&answer);
	packed[11] ^= 1;
	base64_encode((struct str){(const char *)packed, sizeof(packed)}, &query);
	q.query = query.p;
	eas_request(&e, &q, &answer);
	assert_int_equal(e.seen.http, 449);
	buf_release(&query);
	buf_release(&answer);
	arena_free(a);
	end();
}

static void test_what_is_not_built_is_refused_by_name(void **state UNUSED)
{
	begin("14.1", "");
	(void)phone_post(&p, "Find", "find:Find\n");
	assert_int_equal(e.seen.status, 137);
	p.version = "12.1";
	(void)phone_post(&p, "Nonsense", FOLDER_SYNC_0);
	assert_int_equal(e.seen.http, 501);
	/* A command of one name with the document of another. */
	(void)phone_post(&p, "Sync", FOLDER_SYNC_0);
	assert_int_equal(e.seen.http, 400);
	end();
}

static const struct elem *acknowledge(uint32_t key, const char *status)
{
	char document[512];

	(void)snprintf(document, sizeof(document),
		"provision:Provision\n  provision:Policies\n    provision:Policy\n"
		"      provision:PolicyType \"MS-EAS-Provisioning-WBXML\"\n"
		"      provision:PolicyKey \"%u\"\n      provision:Status \"%s\"\n",
		key, status);
	return phone_post(&p, "Provision", document);
}

static const struct elem *policy(const struct elem *answer)
{
	return elem_child(elem_child(answer, PROVISION_POLICIES), PROVISION_POLICY);
}

static uint32_t offered(void)
{
	return elem_u32(policy(phone_post(&p, "Provision",
				"provision:Provision\n  provision:Policies\n"
				"    provision:Policy\n      provision:PolicyType "
				"\"MS-EAS-Provisioning-WBXML\"\n")),
		PROVISION_POLICY_KEY, 0);
}

/* [MS-ASPROV] 3.1.5.1.2: what the device says of the policy counts. */
/* C26, requirements 4.11 */
static void test_a_policy_that_is_not_applied_gives_no_key(void **state UNUSED)
{
	static const struct {
		const char *said;
		unsigned status;
	} cases[] = {
		{"3", 139},
                {"4", 145},
                {"9", 139}
        };
	const struct elem *answer;
	uint32_t key;

	eas_init(&e, "");
	eas_phone(&e, &p, "phone", "14.1");
	refused(142, 449);
	key = offered();
	assert_true(key != 0);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		answer = acknowledge(key, cases[i].said);
		assert_int_equal(elem_u32(answer, PROVISION_STATUS, 0), cases[i].status);
		assert_null(policy(answer));
		p.policy_key = key;
		refused(142, 449);
	}
	/* Neither somebody else's key nor the one that counts opens the second phase. */
	assert_int_equal(elem_u32(policy(acknowledge(key + 1, "1")), PROVISION_STATUS, 0), 5);
	/* Outlook for phones says "partially". */
	answer = acknowledge(key, "2");
	p.policy_key = elem_u32(policy(answer), PROVISION_POLICY_KEY, 0);
	assert_true(p.policy_key && p.policy_key != key);
	assert_int_equal(
		elem_u32(policy(acknowledge(key, "1")), PROVISION_POLICY_KEY, 0), p.policy_key);
	assert_int_equal(
		elem_u32(policy(acknowledge(p.policy_key, "1")), PROVISION_STATUS, 0), 5);
	story_must(phone_folder_sync(&p), &p);
	end();
}

static void test_a_loose_policy_lets_them_in(void **state UNUSED)
{
	eas_init(&e, "provision_loose = yes\n");
	eas_phone(&e, &p, "phone", "14.1");
	p.policy_key = elem_u32(policy(acknowledge(offered(), "3")), PROVISION_POLICY_KEY, 0);
	assert_true(p.policy_key != 0);
	story_must(phone_folder_sync(&p), &p);
	end();
}

/* U21, switched off: nobody is sent to provision, and who asks gets an answer that ends it. */
static void test_a_site_without_a_policy_lets_everybody_in(void **state UNUSED)
{
	const struct elem *answer;

	eas_init(&e, "provision = no\n");
	eas_phone(&e, &p, "phone", "14.1");
	story_must(phone_folder_sync(&p) && phone_sync(&p, phone_folder(&p, 2), 10, ""), &p);
	answer = phone_post(&p, "Provision",
		"provision:Provision\n  provision:Policies\n    provision:Policy\n"
		"      provision:PolicyType \"MS-EAS-Provisioning-WBXML\"\n");
	assert_int_equal(elem_u32(answer, PROVISION_STATUS, 0), 1);
	assert_true(policy(answer) != NULL);
	end();
}

static void test_a_device_that_says_nothing_is_not_forgotten(void **state UNUSED)
{
	begin("14.1", "");
	(void)phone_post(&p, "Settings",
		"settings:Settings\n  settings:DeviceInformation\n    settings:Set\n"
		"      settings:Model \"Nine\"\n");
	assert_true(str_is(fake_state_device(e.state, "phone")->model, "Nine"));
	(void)phone_post(&p, "Settings", "settings:Settings\n  settings:DeviceInformation\n");
	assert_true(str_is(fake_state_device(e.state, "phone")->model, "Nine"));
	end();
}

/* S6, K3: trouble of the mail server takes no folder away. */
static void test_a_list_without_inbox_deletes_nothing(void **state UNUSED)
{
	size_t n;

	begin("14.1", "");
	n = p.nfolders;
	fake_mail_folder_delete(e.mail, "INBOX");
	assert_false(phone_folder_sync(&p));
	assert_int_equal(e.seen.http, 503);
	fake_mail_folder(e.mail, "INBOX", MAIL_USE_INBOX);
	story_must(phone_folder_sync(&p), &p);
	assert_int_equal(p.nfolders, n);
	end();
}

/* Many folders: all of them once, then the one that came. */
/* S20, C33, C114 */
static void test_many_folders_are_told_once(void **state UNUSED)
{
	enum { MANY = 500 };
	char path[64], document[256];
	const struct elem *answer;

	eas_init(&e, "");
	for (unsigned i = 0; i < MANY; i++) {
		(void)snprintf(path, sizeof(path), "Archive %03u%sFolder %u", i / 100,
			i % 100 ? "/" : " ", i);
		if (i % 100 == 0)
			(void)snprintf(path, sizeof(path), "Archive %03u", i / 100);
		fake_mail_folder(e.mail, path, MAIL_USE_NONE);
	}
	eas_phone(&e, &p, "phone", "14.1");
	story_must(phone_provision(&p), &p);
	answer = phone_post(&p, "FolderSync", FOLDER_SYNC_0);
	assert_int_equal(elem_u32(answer, FOLDERHIERARCHY_STATUS, 0), 1);
	assert_int_equal(
		elem_count(elem_child(answer, FOLDERHIERARCHY_CHANGES), FOLDERHIERARCHY_ADD),
		MANY + 5);
	fake_mail_folder(e.mail, "Archive 003/One more", MAIL_USE_NONE);
	(void)snprintf(document, sizeof(document),
		"folderhierarchy:FolderSync\n  folderhierarchy:SyncKey \"%.*s\"\n",
		STR_FMT(elem_text(answer, FOLDERHIERARCHY_SYNC_KEY)));
	answer = elem_child(phone_post(&p, "FolderSync", document), FOLDERHIERARCHY_CHANGES);
	assert_int_equal(elem_u32(answer, FOLDERHIERARCHY_COUNT, 0), 1);
	answer = elem_child(answer, FOLDERHIERARCHY_ADD);
	assert_true(str_is(elem_text(answer, FOLDERHIERARCHY_DISPLAY_NAME), "One more"));
	end();
}

static void test_a_renamed_folder_keeps_its_id(void **state UNUSED)
{
	char id[72];

	begin("14.1", "");
	fake_mail_folder(e.mail, "Work", MAIL_USE_NONE);
	story_must(phone_folder_sync(&p), &p);
	(void)snprintf(id, sizeof(id), "%s", p.folders[p.nfolders - 1].id);
	assert_string_equal(p.folders[p.nfolders - 1].name, "Work");
	fake_mail_folder_rename(e.mail, "Work", "Play");
	story_must(phone_folder_sync(&p), &p);
	assert_string_equal(p.folders[p.nfolders - 1].name, "Play");
	assert_string_equal(p.folders[p.nfolders - 1].id, id);
	end();
}

static void send(const char *client_id, const char *mime)
{
	char document[4096], hex[2048];
	size_t n = 0;

	for (const char *c = mime; *c; c++)
		n += (size_t)snprintf(hex + n, sizeof(hex) - n, "%02x", (unsigned char)*c);
	(void)snprintf(document, sizeof(document),
		"composemail:SendMail\n  composemail:ClientId \"%s\"\n"
		"  composemail:SaveInSentItems\n  composemail:Mime x\"%s\"\n",
		client_id, hex);
	(void)phone_post(&p, "SendMail", document);
}

/* C44-C47; C44-C47, C109, requirements 3.15 */
static void test_a_mail_goes_out_once_and_without_bcc(void **state UNUSED)
{
	static const char mime[] =
		"To: a@x.test\r\nBcc: hidden@x.test\r\nSubject: s\r\n\r\nHi\r\n";
	struct str kept;

	begin("14.1", "");
	send("one", mime);
	assert_int_equal(e.submitted, 1);
	assert_string_equal(e.last_from, EAS_USER);
	assert_string_equal(e.last_to, "a@x.test hidden@x.test");
	assert_true(str_search(buf_str(&e.last_message), STR("hidden")) == e.last_message.n);
	kept = fake_mail_text(e.mail, "Sent", 1);
	assert_true(str_search(kept, STR("Bcc: hidden@x.test")) < kept.n);
	send("one", mime);
	assert_int_equal(e.seen.status, 118);
	assert_int_equal(e.submitted, 1);
	assert_int_equal(fake_mail_count(e.mail, "Sent"), 1);
	/* Refused: told by its Status, and the next try is no repetition. */
	e.submit_rc = RC_DENIED;
	e.submit_why = ERR_BAD_RECIPIENT;
	send("two", mime);
	assert_int_equal(e.seen.status, 116);
	e.submit_rc = RC_OK;
	send("two", mime);
	assert_int_equal(e.submitted, 2);
	send("three", "Subject: to nobody\r\n\r\nHi\r\n");
	assert_int_equal(e.seen.status, 119);
	end();
}

/* Up to 12.1: the same mail again is a lost answer, another with that Message-ID is not. */
static void test_the_same_mail_again_is_not_sent_again(void **state UNUSED)
{
	static const struct {
		const char *mime;
		unsigned submitted;
	} mails[] = {
		{"To: a@x\r\nMessage-ID: <1@p>\r\n\r\nHi\r\n",  1},
		{"To: a@x\r\nMessage-ID: <1@p>\r\n\r\nHi\r\n",  1},
		{"To: a@x\r\nMessage-ID: <1@p>\r\n\r\nHo.\r\n", 2},
		{"To: a@x\r\nMessage-ID: <2@p>\r\n\r\nHi\r\n",  3},
		{"To: a@x\r\n\r\nHi\r\n",                       4},
		{"To: a@x\r\n\r\nHi\r\n",                       5},
	};

	begin("12.1", "");
	for (size_t i = 0; i < ARRAY_LEN(mails); i++) {
		(void)phone_post_raw(
			&p, "SendMail", "", "message/rfc822", str_of(mails[i].mime));
		assert_int_equal(e.seen.http, 200);
		assert_int_equal(e.submitted, mails[i].submitted);
	}
	end();
}

static unsigned move(const char *message, const char *from, const char *to)
{
	char document[512];

	(void)snprintf(document, sizeof(document),
		"move:MoveItems\n  move:Move\n    move:SrcMsgId \"%s\"\n"
		"    move:SrcFldId \"%s\"\n    move:DstFldId \"%s\"\n",
		message, from, to);
	return elem_u32(elem_child(phone_post(&p, "MoveItems", document), MOVE_RESPONSE),
		MOVE_STATUS, 0);
}

/* C52, K5 */
static void test_moves_answer_by_their_status(void **state UNUSED)
{
	const char *inbox, *trash;
	char id[96], other[96];

	begin("14.1", "");
	inbox = phone_folder(&p, STORY_INBOX)->id;
	trash = phone_folder(&p, STORY_TRASH)->id;
	(void)snprintf(id, sizeof(id), "%s:%u", inbox,
		story_append(fake_mail_mail(e.mail), "INBOX", 0, 0, "one"));
	(void)snprintf(other, sizeof(other), "%s:%u", inbox,
		story_append(fake_mail_mail(e.mail), "INBOX", 0, 0, "two"));
	assert_int_equal(move("nonsense", inbox, trash), 1);
	assert_int_equal(move(id, trash, inbox), 1);
	assert_int_equal(move(id, inbox, "99999"), 2);
	assert_int_equal(move(id, inbox, inbox), 4);
	assert_int_equal(fake_mail_count(e.mail, "INBOX"), 2);
	assert_int_equal(move(id, inbox, trash), 3);
	assert_int_equal(move(id, inbox, trash), 3);
	assert_int_equal(fake_mail_count(e.mail, "Trash"), 1);
	/* The folder was made anew: an old id must not move a new message. */
	fake_mail_new_uidvalidity(e.mail, "INBOX");
	assert_int_equal(move(other, inbox, trash), 1);
	assert_int_equal(fake_mail_count(e.mail, "INBOX"), 1);
	end();
}

static const struct elem *ping(const char *beat, const char *id)
{
	char document[512], folders[256] = "";

	if (id)
		(void)snprintf(folders, sizeof(folders),
			"  ping:Folders\n    ping:Folder\n      ping:Id \"%s\"\n"
			"      ping:Class \"Email\"\n",
			id);
	(void)snprintf(document, sizeof(document), "ping:Ping\n%s%s%s%s",
		beat ? "  ping:HeartbeatInterval \"" : "", beat ? beat : "", beat ? "\"\n" : "",
		folders);
	return phone_post(&p, "Ping", document);
}

static unsigned ping_status(const struct elem *answer)
{
	return elem_u32(answer, PING_STATUS, 0);
}

static void a_mail_arrives(struct eas *x)
{
	(void)story_append(fake_mail_mail(x->mail), "INBOX", 0, 0, "while waiting");
}

/* C40, C41; S7 */
static void test_a_ping_waits_and_tells(void **state UNUSED)
{
	struct device_folder *inbox;
	const struct elem *answer;

	begin("14.1", "");
	inbox = phone_folder(&p, STORY_INBOX);
	story_must(phone_sync(&p, inbox, 10, ""), &p);
	assert_int_equal(ping_status(ping(NULL, NULL)), 3);
	answer = ping("5", inbox->id);
	assert_int_equal(ping_status(answer), 5);
	assert_int_equal(elem_u32(answer, PING_HEARTBEAT_INTERVAL, 0), 60);
	answer = ping("9999", inbox->id);
	assert_int_equal(elem_u32(answer, PING_HEARTBEAT_INTERVAL, 0), 3540);
	assert_int_equal(ping_status(ping("60", inbox->id)), 1);
	e.pauses = 2;
	e.paused = a_mail_arrives;
	/* What it left out is taken from the last one. */
	answer = ping(NULL, NULL);
	assert_int_equal(ping_status(answer), 2);
	assert_true(
		str_is(elem_text(elem_child(answer, PING_FOLDERS), PING_FOLDER), inbox->id));
	story_must(phone_sync(&p, inbox, 10, ""), &p);
	assert_int_equal(inbox->n, 1);
	e.pauses = 0;
	assert_int_equal(ping_status(ping("60", inbox->id)), 1);
	assert_int_equal(ping_status(ping("60", "99999")), 7);
	end();
}

static unsigned estimate(const char *key, const char *id, uint32_t *n_r)
{
	char document[512];
	const struct elem *r;

	(void)snprintf(document, sizeof(document),
		"getitemestimate:GetItemEstimate\n  getitemestimate:Collections\n"
		"    getitemestimate:Collection\n      airsync:SyncKey \"%s\"\n"
		"      getitemestimate:CollectionId \"%s\"\n",
		key, id);
	r = elem_child(phone_post(&p, "GetItemEstimate", document), GETITEMESTIMATE_RESPONSE);
	*n_r = elem_u32(elem_child(r, GETITEMESTIMATE_COLLECTION), GETITEMESTIMATE_ESTIMATE, 0);
	return elem_u32(r, GETITEMESTIMATE_STATUS, 0);
}

/* C38 */
static void test_an_estimate_counts_what_the_next_sync_brings(void **state UNUSED)
{
	struct device_folder *inbox;
	uint32_t n;

	begin("14.1", "");
	inbox = phone_folder(&p, STORY_INBOX);
	assert_int_equal(estimate("0", inbox->id, &n), 3);
	assert_int_equal(estimate("1-1", "99999", &n), 2);
	story_must(phone_sync(&p, inbox, 10, ""), &p);
	assert_int_equal(estimate("1-1", inbox->id, &n), 4);
	for (unsigned i = 0; i < 3; i++)
		a_mail_arrives(&e);
	assert_int_equal(estimate(inbox->key, inbox->id, &n), 1);
	assert_int_equal(n, 3);
	story_must(phone_sync(&p, inbox, 10, ""), &p);
	assert_int_equal(inbox->n, 3);
	assert_int_equal(estimate(inbox->key, inbox->id, &n), 1);
	assert_int_equal(n, 0);
	end();
}

/* S3: ids of somebody else, or of nothing. */
static void test_nobody_sees_another_users_folders(void **state UNUSED)
{
	struct device_folder theirs;
	char message[96];

	begin("14.1", "");
	theirs = *phone_folder(&p, STORY_INBOX);
	(void)snprintf(message, sizeof(message), "%s:%u", theirs.id,
		story_append(fake_mail_mail(e.mail), "INBOX", 0, 0, "private"));
	p.user = "bob@example.test";
	story_must(phone_provision(&p), &p);
	theirs.v = NULL;
	theirs.n = 0;
	assert_false(phone_sync(&p, &theirs, 10, ""));
	assert_non_null(strstr(p.error, "Status 12"));
	assert_int_equal(move(message, theirs.id, "1"), 1);
	assert_int_equal(fake_mail_count(e.mail, "INBOX"), 1);
	free(theirs.v);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_who_does_not_prove_himself_is_asked_to),
		cmocka_unit_test(test_versions_end_at_the_ceiling),
		cmocka_unit_test(test_new_phones_are_not_led_to_find),
		cmocka_unit_test(test_who_may_not_sync_is_told_so),
		cmocka_unit_test(test_a_request_without_headers_is_served),
		cmocka_unit_test(test_what_is_not_built_is_refused_by_name),
		cmocka_unit_test(test_a_policy_that_is_not_applied_gives_no_key),
		cmocka_unit_test(test_a_loose_policy_lets_them_in),
		cmocka_unit_test(test_a_site_without_a_policy_lets_everybody_in),
		cmocka_unit_test(test_a_device_that_says_nothing_is_not_forgotten),
		cmocka_unit_test(test_a_list_without_inbox_deletes_nothing),
		cmocka_unit_test(test_many_folders_are_told_once),
		cmocka_unit_test(test_a_renamed_folder_keeps_its_id),
		cmocka_unit_test(test_a_mail_goes_out_once_and_without_bcc),
		cmocka_unit_test(test_the_same_mail_again_is_not_sent_again),
		cmocka_unit_test(test_moves_answer_by_their_status),
		cmocka_unit_test(test_a_ping_waits_and_tells),
		cmocka_unit_test(test_an_estimate_counts_what_the_next_sync_brings),
		cmocka_unit_test(test_nobody_sees_another_users_folders),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
