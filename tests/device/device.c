#include "tests/device/device.h"

#include "core/wire/dump.h"
#include "core/wire/reader.h"

#include <curl/curl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TRIES = 20, BODY_MAX = 80 * 1024 * 1024 };

static bool fail(struct phone *p, const char *fmt, ...) PRINTF_LIKE(2, 3);

static bool fail(struct phone *p, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(p->error, sizeof(p->error), fmt, ap);
	va_end(ap);
	return false;
}

void phone_init(struct phone *p, const char *url, const char *user, const char *password,
	const char *id, const char *version)
{
	memset(p, 0, sizeof(*p));
	p->url = url;
	p->user = user;
	p->password = password;
	p->id = id;
	p->version = version;
	p->arena = arena_new();
	(void)snprintf(p->hierarchy_key, sizeof(p->hierarchy_key), "0");
}

void phone_release(struct phone *p)
{
	for (size_t i = 0; i < p->nfolders; i++)
		free(p->folders[i].v);
	arena_free(p->arena);
}

static size_t take(char *data, size_t size, size_t n, void *ctx)
{
	buf_add(ctx, data, size * n);
	return size * n;
}

static struct curl_slist *headers(const struct phone *p, const char *type)
{
	struct curl_slist *h = NULL;
	char line[128];

	(void)snprintf(line, sizeof(line), "MS-ASProtocolVersion: %s", p->version);
	h = curl_slist_append(h, line);
	(void)snprintf(line, sizeof(line), "X-MS-PolicyKey: %u", p->policy_key);
	h = curl_slist_append(h, line);
	if (p->multipart)
		h = curl_slist_append(h, "MS-ASAcceptMultiPart: T");
	(void)snprintf(line, sizeof(line), "Content-Type: %s", type);
	h = curl_slist_append(h, line);
	return curl_slist_append(h, "Expect:");
}

/* One try; false: nothing came back that counts. */
static bool exchange(
	struct phone *p, const char *url, const char *type, struct str body, struct buf *answer)
{
	struct curl_slist *h = headers(p, type);
	CURL *c = curl_easy_init();
	CURLcode code;

	if (!c)
		abort();
	(void)curl_easy_setopt(c, CURLOPT_URL, url);
	(void)curl_easy_setopt(c, CURLOPT_USERNAME, p->user);
	(void)curl_easy_setopt(c, CURLOPT_PASSWORD, p->password);
	(void)curl_easy_setopt(c, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
	(void)curl_easy_setopt(c, CURLOPT_POST, 1L);
	(void)curl_easy_setopt(c, CURLOPT_POSTFIELDS, body.p ? body.p : "");
	(void)curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.n);
	(void)curl_easy_setopt(c, CURLOPT_HTTPHEADER, h);
	(void)curl_easy_setopt(c, CURLOPT_ACCEPT_ENCODING, "gzip");
	(void)curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take);
	(void)curl_easy_setopt(c, CURLOPT_WRITEDATA, answer);
	(void)curl_easy_setopt(c, CURLOPT_TIMEOUT, 120L);
	if (p->ca)
		(void)curl_easy_setopt(c, CURLOPT_CAINFO, p->ca);
	code = curl_easy_perform(c);
	p->http = 0;
	(void)curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &p->http);
	curl_easy_cleanup(c);
	curl_slist_free_all(h);
	return code == CURLE_OK && p->http != 502 && p->http != 503 && p->http != 504;
}

const struct elem *phone_post_raw(struct phone *p, const char *command, const char *extra,
	const char *type, struct str body)
{
	struct err err = ERR_INIT;
	struct elem *root = NULL;
	struct buf answer;
	char query[512], url[1024];
	bool done = false;

	(void)snprintf(query, sizeof(query), "Cmd=%s&User=%s&DeviceId=%s&DeviceType=%s%s",
		command, p->user, p->id, p->type ? p->type : "Scripted", extra);
	(void)snprintf(url, sizeof(url), "%s?%s", p->url ? p->url : "", query);
	arena_free(p->arena);
	p->arena = arena_new();
	p->error[0] = '\0';
	buf_init(&answer, BODY_MAX);
	for (unsigned i = 0; i < TRIES && !done; i++) {
		if (i && !p->transport)
			(void)usleep(100000);
		buf_reset(&answer);
		done = p->transport ? p->transport(p, query, type, body, &answer)
				    : exchange(p, url, type, body, &answer);
	}
	p->answer_bytes = answer.n;
	if (!done || p->http != 200)
		(void)fail(p, "%s: HTTP %ld", command, p->http);
	else if (answer.n && str_starts(buf_str(&answer), "\x03\x01\x6a") &&
		 wbxml_read(arena_str(p->arena, buf_str(&answer)), WBXML_LIMITS, p->arena,
			 &root, &err))
		(void)fail(p, "%s: %s", command, err.text);
	buf_release(&answer);
	return root;
}

const struct elem *phone_post(struct phone *p, const char *command, const char *document)
{
	struct arena *a = arena_new();
	struct err err = ERR_INIT;
	const struct elem *answer = NULL;
	struct wbxml_writer w;
	struct elem *root;

	wbxml_init(&w, NULL, BODY_MAX);
	if (document[0] == '\0') {
		answer = phone_post_raw(
			p, command, "", "application/vnd.ms-sync.wbxml", STR_NONE);
	} else if (dump_parse(str_of(document), a, &root, &err)) {
		(void)fail(p, "%s: %s", command, err.text);
	} else {
		dump_encode(root, &w);
		if (wbxml_finish(&w, &err) == RC_OK)
			answer = phone_post_raw(p, command, "", "application/vnd.ms-sync.wbxml",
				buf_str(&w.out));
	}
	wbxml_release(&w);
	arena_free(a);
	return answer;
}

static void copy(char *to, size_t size, struct str s)
{
	(void)snprintf(to, size, "%.*s", STR_FMT(s));
}

bool phone_provision(struct phone *p)
{
	bool old = strcmp(p->version, "2.5") == 0;
	const char *type = old ? "MS-WAP-Provisioning-XML" : "MS-EAS-Provisioning-WBXML";
	char document[512];
	const struct elem *e;

	for (unsigned phase = 1; phase <= 2; phase++) {
		char ack[128] = "";

		if (phase == 2)
			(void)snprintf(ack, sizeof(ack),
				"      provision:PolicyKey \"%u\"\n      provision:Status \"1\"\n",
				p->policy_key);
		(void)snprintf(document, sizeof(document),
			"provision:Provision\n  provision:Policies\n    provision:Policy\n"
			"      provision:PolicyType \"%s\"\n%s",
			type, ack);
		e = phone_post(p, "Provision", document);
		e = elem_child(elem_child(e, PROVISION_POLICIES), PROVISION_POLICY);
		if (elem_u32(e, PROVISION_STATUS, 0) != 1)
			return fail(p, "Provision, phase %u: %s", phase,
				p->error[0] ? p->error : "Status is not 1");
		p->policy_key = elem_u32(e, PROVISION_POLICY_KEY, 0);
		if (p->policy_key == 0)
			return fail(p, "Provision, phase %u: no PolicyKey", phase);
	}
	return true;
}

static struct device_folder *by_id(struct phone *p, struct str id)
{
	for (size_t i = 0; i < p->nfolders; i++)
		if (str_is(id, p->folders[i].id))
			return &p->folders[i];
	return NULL;
}

struct device_folder *phone_folder_by_id(struct phone *p, const char *id)
{
	return by_id(p, str_of(id));
}

static bool folder_change(struct phone *p, const struct elem *e)
{
	struct str id = elem_text(e, FOLDERHIERARCHY_SERVER_ID);
	struct device_folder *f = by_id(p, id);

	if (e->tag == FOLDERHIERARCHY_ADD && f)
		return fail(p, "folder %.*s is added twice", STR_FMT(id));
	if (e->tag != FOLDERHIERARCHY_ADD && !f)
		return fail(p, "folder %.*s is changed but unknown", STR_FMT(id));
	if (e->tag == FOLDERHIERARCHY_DELETE) {
		free(f->v);
		*f = p->folders[--p->nfolders];
		return true;
	}
	if (!f) {
		if (p->nfolders == DEVICE_FOLDERS)
			return fail(p, "too many folders");
		f = &p->folders[p->nfolders++];
		memset(f, 0, sizeof(*f));
		copy(f->key, sizeof(f->key), STR("0"));
		copy(f->id, sizeof(f->id), id);
	}
	copy(f->name, sizeof(f->name), elem_text(e, FOLDERHIERARCHY_DISPLAY_NAME));
	copy(f->parent, sizeof(f->parent), elem_text(e, FOLDERHIERARCHY_PARENT_ID));
	f->type = elem_u32(e, FOLDERHIERARCHY_TYPE, 0);
	return true;
}

bool phone_folder_sync(struct phone *p)
{
	char document[256];
	const struct elem *e;

	(void)snprintf(document, sizeof(document),
		"folderhierarchy:FolderSync\n  folderhierarchy:SyncKey \"%s\"\n",
		p->hierarchy_key);
	e = phone_post(p, "FolderSync", document);
	if (elem_u32(e, FOLDERHIERARCHY_STATUS, 0) != 1)
		return fail(p, "FolderSync: %s, Status %u", p->error,
			elem_u32(e, FOLDERHIERARCHY_STATUS, 0));
	copy(p->hierarchy_key, sizeof(p->hierarchy_key),
		elem_text(e, FOLDERHIERARCHY_SYNC_KEY));
	e = elem_child(e, FOLDERHIERARCHY_CHANGES);
	if (!e || !elem_has(e, FOLDERHIERARCHY_COUNT))
		return fail(p, "FolderSync: no Changes or no Count");
	for (e = e->child; e; e = e->next)
		if (e->tag != FOLDERHIERARCHY_COUNT && !folder_change(p, e))
			return false;
	return true;
}

/* One of the three commands; its answer with Status 1, else NULL and the Status. */
static const struct elem *change_folders(struct phone *p, const char *command,
	const char *children, tag_t root, unsigned *status_r)
{
	char document[1024];
	const struct elem *e;

	(void)snprintf(document, sizeof(document),
		"folderhierarchy:%s\n  folderhierarchy:SyncKey \"%s\"\n%s", command,
		p->hierarchy_key, children);
	e = phone_post(p, command, document);
	*status_r = e && e->tag == root ? elem_u32(e, FOLDERHIERARCHY_STATUS, 0) : 0;
	if (*status_r != 1)
		return NULL;
	copy(p->hierarchy_key, sizeof(p->hierarchy_key),
		elem_text(e, FOLDERHIERARCHY_SYNC_KEY));
	return e;
}

unsigned phone_folder_create(struct phone *p, const char *parent, const char *name)
{
	return phone_folder_create_type(p, parent, name, 12);
}

unsigned phone_folder_create_type(
	struct phone *p, const char *parent, const char *name, unsigned type)
{
	char children[700];
	struct device_folder *f;
	const struct elem *e;
	unsigned status;

	(void)snprintf(children, sizeof(children),
		"  folderhierarchy:ParentId \"%s\"\n  folderhierarchy:DisplayName \"%s\"\n"
		"  folderhierarchy:Type \"%u\"\n",
		parent, name, type);
	e = change_folders(p, "FolderCreate", children, FOLDERHIERARCHY_FOLDER_CREATE, &status);
	if (!e)
		return status;
	if (p->nfolders == DEVICE_FOLDERS || by_id(p, elem_text(e, FOLDERHIERARCHY_SERVER_ID)))
		return 0;
	f = &p->folders[p->nfolders++];
	memset(f, 0, sizeof(*f));
	copy(f->key, sizeof(f->key), STR("0"));
	copy(f->id, sizeof(f->id), elem_text(e, FOLDERHIERARCHY_SERVER_ID));
	copy(f->name, sizeof(f->name), str_of(name));
	copy(f->parent, sizeof(f->parent), str_of(parent));
	f->type = type;
	return status;
}

unsigned phone_folder_update(
	struct phone *p, const char *id, const char *parent, const char *name)
{
	struct device_folder *f = by_id(p, str_of(id));
	char children[700];
	unsigned status;

	(void)snprintf(children, sizeof(children),
		"  folderhierarchy:ServerId \"%s\"\n  folderhierarchy:ParentId \"%s\"\n"
		"  folderhierarchy:DisplayName \"%s\"\n",
		id, parent, name);
	if (change_folders(
		    p, "FolderUpdate", children, FOLDERHIERARCHY_FOLDER_UPDATE, &status) &&
		f) {
		copy(f->name, sizeof(f->name), str_of(name));
		copy(f->parent, sizeof(f->parent), str_of(parent));
	}
	return status;
}

/* A folder and those below it. */
static void forget_folder(struct phone *p, const char *id)
{
	char gone[72];

	(void)snprintf(gone, sizeof(gone), "%s", id);
	for (size_t i = p->nfolders; i-- > 0;)
		if (i < p->nfolders && strcmp(p->folders[i].id, gone) == 0) {
			free(p->folders[i].v);
			p->folders[i] = p->folders[--p->nfolders];
		}
	for (size_t i = 0; i < p->nfolders; i++)
		if (strcmp(p->folders[i].parent, gone) == 0) {
			forget_folder(p, p->folders[i].id);
			i = (size_t)-1;
		}
}

unsigned phone_folder_delete(struct phone *p, const char *id)
{
	char children[200];
	unsigned status;

	(void)snprintf(children, sizeof(children), "  folderhierarchy:ServerId \"%s\"\n", id);
	if (change_folders(p, "FolderDelete", children, FOLDERHIERARCHY_FOLDER_DELETE, &status))
		forget_folder(p, id);
	return status;
}

static struct device_item *item_by_id(struct device_folder *f, struct str id)
{
	for (size_t i = 0; i < f->n; i++)
		if (str_is(id, f->v[i].id))
			return &f->v[i];
	return NULL;
}

static void read_item(struct device_item *it, const struct elem *data)
{
	if (elem_has(data, EMAIL_SUBJECT))
		copy(it->subject, sizeof(it->subject), elem_text(data, EMAIL_SUBJECT));
	if (elem_has(data, EMAIL_READ))
		it->read = elem_bool(data, EMAIL_READ, false);
	if (elem_has(data, EMAIL_FLAG))
		it->flagged = elem_u32(elem_child(data, EMAIL_FLAG), EMAIL_STATUS, 0) == 2;
}

/* One command of the server. What a phone cannot make sense of is an error. */
static bool server_command(struct phone *p, struct device_folder *f, const struct elem *e)
{
	struct str id = elem_text(e, AIRSYNC_SERVER_ID);
	struct device_item *it = item_by_id(f, id);
	const struct elem *data = elem_child(e, AIRSYNC_APPLICATION_DATA);

	if (e->tag == AIRSYNC_ADD) {
		if (it)
			return fail(p, "item %.*s is added twice", STR_FMT(id));
		if (f->n == DEVICE_ITEMS)
			return fail(p, "too many items");
		it = &f->v[f->n++];
		memset(it, 0, sizeof(*it));
		copy(it->id, sizeof(it->id), id);
		if (!elem_has(data, EMAIL_DATE_RECEIVED) || !elem_has(data, EMAIL_READ))
			return fail(p, "item %.*s lacks DateReceived or Read", STR_FMT(id));
	} else if (!it) {
		return fail(p, "item %.*s is changed or deleted but unknown", STR_FMT(id));
	}
	if (e->tag == AIRSYNC_DELETE || e->tag == AIRSYNC_SOFT_DELETE)
		*it = f->v[--f->n];
	else
		read_item(it, data);
	return true;
}

/* commands.md 1.2: SyncKey, CollectionId, Status, MoreAvailable, Responses, Commands. */
bool phone_valid_order(struct phone *p, const struct elem *collection)
{
	static const tag_t order[] = {AIRSYNC_CLASS, AIRSYNC_SYNC_KEY, AIRSYNC_COLLECTION_ID,
		AIRSYNC_STATUS, AIRSYNC_MORE_AVAILABLE, AIRSYNC_RESPONSES, AIRSYNC_COMMANDS};
	size_t at = 0;

	for (const struct elem *e = collection->child; e; e = e->next) {
		while (at < ARRAY_LEN(order) && order[at] != e->tag)
			at++;
		if (at == ARRAY_LEN(order))
			return fail(p, "Sync: the children of Collection are out of order");
		if ((e->tag == AIRSYNC_RESPONSES || e->tag == AIRSYNC_COMMANDS) && !e->child)
			return fail(p, "Sync: an empty Responses or Commands");
	}
	return true;
}

/* One round. *more_r: there is more to come. */
static bool round_trip(struct phone *p, struct device_folder *f, unsigned window,
	const char *commands, bool *more_r)
{
	bool old = strcmp(p->version, "2.5") == 0, first = strcmp(f->key, "0") == 0;
	struct buf b;
	const struct elem *e, *c;
	bool ok = true;

	buf_init(&b, BUF_MAX_TEXT);
	buf_adds(&b, "airsync:Sync\n  airsync:Collections\n    airsync:Collection\n");
	if (old)
		buf_adds(&b, "      airsync:Class \"Email\"\n");
	buf_addf(&b, "      airsync:SyncKey \"%s\"\n      airsync:CollectionId \"%s\"\n",
		f->key, f->id);
	if (!first)
		buf_addf(&b,
			"      airsync:GetChanges \"1\"\n      airsync:WindowSize \"%u\"\n"
			"      airsync:Options\n        airsync:FilterType \"0\"\n%s",
			window,
			old ? "        airsync:Truncation \"4\"\n"
			    : "        airsyncbase:BodyPreference\n"
			      "          airsyncbase:Type \"1\"\n"
			      "          airsyncbase:TruncationSize \"1024\"\n");
	if (commands[0] && !first)
		buf_addf(&b, "      airsync:Commands\n%s", commands);
	e = phone_post(p, "Sync", buf_str(&b).p);
	buf_release(&b);
	*more_r = false;
	if (!e)
		return p->error[0] == '\0';
	c = elem_child(elem_child(e, AIRSYNC_COLLECTIONS), AIRSYNC_COLLECTION);
	if (!c || elem_u32(c, AIRSYNC_STATUS, 0) != 1)
		return fail(p, "Sync: Status %u of the collection, %u of all",
			elem_u32(c, AIRSYNC_STATUS, 0), elem_u32(e, AIRSYNC_STATUS, 0));
	if (!phone_valid_order(p, c))
		return false;
	copy(f->key, sizeof(f->key), elem_text(c, AIRSYNC_SYNC_KEY));
	*more_r = first || elem_has(c, AIRSYNC_MORE_AVAILABLE);
	c = elem_child(c, AIRSYNC_COMMANDS);
	for (c = c ? c->child : NULL; c && ok; c = c->next)
		ok = server_command(p, f, c);
	return ok;
}

bool phone_sync(struct phone *p, struct device_folder *f, unsigned window, const char *commands)
{
	bool more = true;

	if (!f->v)
		f->v = calloc(DEVICE_ITEMS, sizeof(*f->v));
	if (!f->v)
		abort();
	for (unsigned i = 0; more && i < 10000; i++) {
		bool first = strcmp(f->key, "0") == 0;

		if (!round_trip(p, f, window, commands, &more))
			return false;
		/* They were carried out with the first round that took any. */
		if (!first)
			commands = "";
	}
	return more ? fail(p, "Sync: MoreAvailable without an end") : true;
}

bool phone_move(
	struct phone *p, struct device_folder *from, const char *id, struct device_folder *to)
{
	char document[512];
	const struct elem *e;
	uint32_t status;

	(void)snprintf(document, sizeof(document),
		"move:MoveItems\n  move:Move\n    move:SrcMsgId \"%s\"\n"
		"    move:SrcFldId \"%s\"\n    move:DstFldId \"%s\"\n",
		id, from->id, to->id);
	e = elem_child(phone_post(p, "MoveItems", document), MOVE_RESPONSE);
	status = elem_u32(e, MOVE_STATUS, 0);
	if (status != 1 && status != 3)
		return fail(p, "MoveItems: %s, Status %u", p->error, status);
	if (status == 3 && !elem_has(e, MOVE_DST_MSG_ID))
		return fail(p, "MoveItems: no DstMsgId");
	return true;
}

static bool is_old(const struct phone *p)
{
	return strcmp(p->version, "14.0") < 0 || strcmp(p->version, "2.5") == 0;
}

bool phone_send(struct phone *p, const char *to, const char *subject, const char *body)
{
	bool raw = is_old(p);
	static unsigned count;
	char mime[4096];
	struct buf b;
	const struct elem *e;

	(void)snprintf(mime, sizeof(mime),
		"From: <%s>\r\nTo: %s\r\nSubject: %s\r\nMIME-Version: 1.0\r\n"
		"Message-ID: <%s.%d.%u@phone>\r\n"
		"Content-Type: text/plain; charset=utf-8\r\n\r\n%s\r\n",
		p->user, to, subject, p->id, (int)getpid(), ++count, body);
	if (raw) {
		e = phone_post_raw(
			p, "SendMail", "&SaveInSent=T", "message/rfc822", str_of(mime));
	} else {
		buf_init(&b, BUF_MAX_TEXT);
		buf_addf(&b,
			"composemail:SendMail\n  composemail:ClientId \"%s-%d-%u\"\n"
			"  composemail:SaveInSentItems\n  composemail:Mime x\"",
			p->id, (int)getpid(), count);
		for (const char *c = mime; *c; c++)
			buf_addf(&b, "%02x", (unsigned char)*c);
		buf_adds(&b, "\"\n");
		e = phone_post(p, "SendMail", buf_str(&b).p);
		buf_release(&b);
	}
	/* 118: it has been sent, and the answer was lost. */
	if (e && elem_u32(e, COMPOSEMAIL_STATUS, 0) != 118)
		return fail(p, "SendMail: Status %u", elem_u32(e, COMPOSEMAIL_STATUS, 0));
	return p->error[0] == '\0';
}

bool phone_smart(struct phone *p, const char *command, const struct device_folder *f,
	const char *id, bool replace_mime, struct str mime, unsigned *status_r)
{
	static unsigned count;
	const struct elem *e;
	char extra[256];
	struct buf b;
	unsigned status;

	if (is_old(p)) {
		(void)snprintf(extra, sizeof(extra), "&CollectionId=%s&ItemId=%s&SaveInSent=T",
			f->id, id);
		e = phone_post_raw(p, command, extra, "message/rfc822", mime);
	} else {
		buf_init(&b, BUF_MAX_RESPONSE);
		buf_addf(&b,
			"composemail:%s\n  composemail:ClientId \"%s-smart-%d-%u\"\n"
			"  composemail:SaveInSentItems\n%s  composemail:Source\n"
			"    composemail:FolderId \"%s\"\n    composemail:ItemId \"%s\"\n"
			"  composemail:Mime x\"",
			command, p->id, (int)getpid(), ++count,
			replace_mime ? "  composemail:ReplaceMime\n" : "", f->id, id);
		for (size_t i = 0; i < mime.n; i++)
			buf_addf(&b, "%02x", (unsigned char)mime.p[i]);
		buf_adds(&b, "\"\n");
		e = phone_post(p, command, b.p);
		buf_release(&b);
	}
	status = elem_u32(e, COMPOSEMAIL_STATUS, 0);
	if (status_r)
		*status_r = status;
	if (status && status != 118)
		return fail(p, "%s: Status %u", command, status);
	return p->error[0] == '\0';
}

struct device_folder *phone_folder(struct phone *p, unsigned type)
{
	for (size_t i = 0; i < p->nfolders; i++)
		if (p->folders[i].type == type)
			return &p->folders[i];
	return NULL;
}

struct device_folder *phone_folder_named(struct phone *p, const char *name)
{
	for (size_t i = 0; i < p->nfolders; i++)
		if (strcmp(p->folders[i].name, name) == 0)
			return &p->folders[i];
	return NULL;
}

struct device_item *phone_item(struct device_folder *f, const char *subject)
{
	for (size_t i = 0; i < f->n; i++)
		if (strcmp(f->v[i].subject, subject) == 0)
			return &f->v[i];
	return NULL;
}
