#include "core/base/base64.h"
#include "core/base/utf8.h"
#include "core/cmd/attachment.h"
#include "core/cmd/command.h"
#include "core/cmd/item_ref.h"
#include "core/cmd/multipart.h"
#include "core/cmd/sending.h"
#include "core/cmd/servers.h"
#include "core/cmd/status.h"
#include "core/sync/conversation.h"
#include "core/sync/item_sync.h"
#include "core/sync/mail_items.h"
#include "core/wire/dump.h"
#include "core/wire/reader.h"

/* [MS-ASCMD] 2.2.3.177.9 */
enum {
	OPERATION_OK = 1,
	OPERATION_PROTOCOL_ERROR = 2,
	OPERATION_SERVER_ERROR = 3,
	OPERATION_NOT_FOUND = 6,
	OPERATION_BAD_RANGE = 8,
	OPERATION_BAD_STORE = 9,
	OPERATION_TOO_MANY = 11,
	OPERATION_CONVERSION = 14,
	OPERATION_BAD_ATTACHMENT = 15,
	OPERATION_DENIED = 16,
};

enum { OPERATIONS_MAX = 100 };

struct operations {
	struct request *rq;
	struct services *sv;
	struct wbxml_writer *w;
	struct multipart *multipart; /* NULL: everything stands in the document */
	/*
	 * The Fetch at hand can still be taken back. That ends with the first byte of its
	 * attachment: what is too large for memory cannot wait for its end.
	 */
	bool held;
	struct wbxml_mark mark;
	/* The item that the Fetch at hand names; ref.folder.row 0: it is not known. */
	struct item_ref ref;
};

static unsigned status_for(enum rc rc)
{
	return rc == RC_ABSENT    ? OPERATION_NOT_FOUND
	       : rc == RC_INVALID ? OPERATION_CONVERSION
	       : rc == RC_DENIED  ? OPERATION_DENIED
				  : OPERATION_SERVER_ERROR;
}

/* "m-n", zero-based and inclusive. */
static bool read_range(struct str text, uint64_t *from_r, uint64_t *length_r)
{
	size_t dash = str_find(text, '-');
	uint64_t last;

	if (!str_u64(str_sub(text, 0, dash), from_r) ||
		!str_u64(str_sub(text, dash + 1, text.n), &last) || last < *from_r ||
		last - *from_r > INT32_MAX)
		return false;
	*length_r = last - *from_r + 1;
	return true;
}

static void let_go(struct operations *o)
{
	if (o->held)
		wbxml_keep(o->w, o->mark);
	o->held = false;
}

/* The bytes of an attachment: into the element that is open, or into a part. */
struct data_sink {
	struct sink sink; /* first */
	struct operations *o;
	struct sink *part; /* NULL: into the element */
};

static enum rc write_data(struct sink *s, const void *p, size_t n, struct err *err)
{
	struct data_sink *d = (struct data_sink *)s;

	let_go(d->o);
	if (d->part)
		return d->part->write(d->part, p, n, err);
	wbxml_piece(d->o->w, (struct str){p, n});
	return RC_OK;
}

static enum rc inline_data(struct operations *o, const struct attachment *at, uint64_t from,
	uint64_t length, struct err *err)
{
	struct data_sink data = {{write_data}, o, NULL};
	struct base64_sink base64;
	uint64_t total;
	enum rc rc;

	base64_sink_init(&base64, &data.sink);
	wbxml_text_begin(o->w, ITEMOPERATIONS_DATA);
	rc = attachment_stream(o->rq, o->sv, at, from, length, &base64.sink, &total, err);
	if (rc == RC_OK)
		rc = base64_sink_end(&base64, err);
	wbxml_piece_end(o->w);
	return rc;
}

static enum rc part_data(struct operations *o, const struct attachment *at, unsigned part,
	uint64_t from, uint64_t length, struct err *err)
{
	struct data_sink data = {{write_data}, o, &o->multipart->sink};
	uint64_t total;
	enum rc rc = attachment_stream(o->rq, o->sv, at, from, length, &data.sink, &total, err);

	wbxml_int(o->w, ITEMOPERATIONS_PART, part);
	if (rc && o->held)
		multipart_drop(o->multipart);
	return rc;
}

/* A mail that is too large for memory, on its way into the document or a part. */
struct item_stream {
	struct body_stream stream; /* first */
	struct operations *o;
	struct str path;
};

static enum rc write_message(
	struct body_stream *stream, uint32_t uid, struct wbxml_writer *w, struct err *err)
{
	struct item_stream *s = (struct item_stream *)stream;
	struct operations *o = s->o;
	unsigned part = o->multipart ? multipart_next(o->multipart) : 0;
	struct data_sink data = {{write_data}, o, part ? &o->multipart->sink : NULL};
	struct utf8_sink clean;
	enum rc rc;

	utf8_sink_init(&clean, &data.sink);
	if (!part)
		wbxml_text_begin(w, AIRSYNCBASE_DATA);
	/* A part has the bytes as they are; a text of XML cannot hold all of them. */
	rc = mail_call(o->sv->mail, stream, s->path, uid, (struct str){"", 0}, 0, 0,
		part ? &data.sink : &clean.sink, err);
	if (rc == RC_OK && !part)
		rc = utf8_sink_end(&clean, err);
	if (!part)
		wbxml_piece_end(w);
	else
		wbxml_int(w, ITEMOPERATIONS_PART, part);
	return rc;
}

/* The text of a mail's body as a part. */
struct item_parts {
	struct body_parts parts; /* first */
	struct operations *o;
};

static unsigned add_body(struct body_parts *parts, struct str data)
{
	struct operations *o = ((struct item_parts *)parts)->o;
	unsigned part = multipart_next(o->multipart);

	/* A failure stays in the writer, whose end it is. */
	if (part)
		(void)(sink_write(&o->multipart->sink, data, &o->w->err) == RC_OK);
	return part;
}

static enum rc write_item(struct operations *o, const struct email_options *options,
	struct wbxml_writer *w, struct err *err)
{
	struct mail_reader r = {.mail = o->sv->mail,
		.state = o->sv->state,
		.folder = &o->ref.folder,
		.options = options,
		.a = o->rq->arena};
	struct item_source src;
	enum rc rc;

	if (o->ref.folder.kind == FOLDER_MAIL)
		return mail_fetch(&r, o->ref.uid, ITEMOPERATIONS_PROPERTIES, w, err);
	rc = servers_items(o->rq, o->sv, &o->ref.folder, &src, err);
	return rc ? rc
		  : item_fetch(&src, o->ref.uid, options, ITEMOPERATIONS_PROPERTIES, w, err);
}

/* C65: only the properties that Schema names. What goes into a document of its own first, is
 * as large as memory allows. */
static enum rc fetch_chosen(struct operations *o, const struct email_options *options,
	const struct elem *schema, struct err *err)
{
	struct wbxml_writer whole;
	struct elem *doc = NULL;
	enum rc rc;

	wbxml_init(&whole, NULL, BUF_MAX_RESPONSE);
	rc = write_item(o, options, &whole, err);
	if (rc == RC_OK)
		rc = wbxml_finish(&whole, err);
	if (rc == RC_OK)
		rc = wbxml_read(buf_str(&whole.out), WBXML_LIMITS, o->rq->arena, &doc, err);
	if (rc == RC_OK) {
		wbxml_open(o->w, ITEMOPERATIONS_PROPERTIES);
		for (const struct elem *e = doc->child; e; e = e->next)
			if (elem_has(schema, e->tag))
				dump_encode(e, o->w);
		wbxml_close(o->w, ITEMOPERATIONS_PROPERTIES);
	}
	wbxml_release(&whole);
	return rc;
}

static enum rc fetch_item(struct operations *o, const struct elem *e, struct err *err)
{
	struct request *rq = o->rq;
	const struct elem *wanted = elem_child(e, ITEMOPERATIONS_OPTIONS);
	const struct elem *schema = elem_child(wanted, ITEMOPERATIONS_SCHEMA);
	struct item_parts parts = {{add_body}, o};
	struct item_stream stream = {{write_message}, o, STR_NONE};
	struct email_options options;

	email_options_read(wanted, rq->version, &options);
	options.whole = options.nprefs == 0;
	options.user = sending_address(rq);
	if (schema)
		return fetch_chosen(o, &options, schema, err);
	if (o->multipart)
		options.parts = &parts.parts;
	stream.path = o->ref.folder.path;
	options.stream = &stream.stream;
	return write_item(o, &options, o->w, err);
}

/* clients.md 1: Range only when it was asked for. */
static enum rc fetch_attachment(
	struct operations *o, const struct elem *e, struct str reference, struct err *err)
{
	struct str range =
		elem_text(elem_child(e, ITEMOPERATIONS_OPTIONS), ITEMOPERATIONS_RANGE);
	uint64_t from = 0, length = 0, size = 0;
	struct attachment at;
	enum rc rc = attachment_find(o->rq, o->sv, reference, &at, err);
	unsigned part;

	if (rc)
		return rc;
	if (range.n && !read_range(range, &from, &length))
		return err_set(err, RC_LIMIT, "a bad range");
	if (range.n) {
		rc = attachment_size(o->rq, o->sv, &at, &size, err);
		if (rc)
			return rc;
		if (from >= size)
			return err_set(err, RC_LIMIT, "the range begins behind the end");
	}
	wbxml_open(o->w, ITEMOPERATIONS_PROPERTIES);
	if (range.n) {
		uint64_t last = from + length - 1;

		if (last >= size && size)
			last = size - 1;
		wbxml_text(o->w, ITEMOPERATIONS_RANGE,
			arena_printf(o->rq->arena, "%llu-%llu", (unsigned long long)from,
				(unsigned long long)last));
		wbxml_int(o->w, ITEMOPERATIONS_TOTAL, (int64_t)size);
	}
	wbxml_text(o->w, AIRSYNCBASE_CONTENT_TYPE, at.type);
	part = o->multipart ? multipart_next(o->multipart) : 0;
	rc = part ? part_data(o, &at, part, from, length, err)
		  : inline_data(o, &at, from, length, err);
	wbxml_close(o->w, ITEMOPERATIONS_PROPERTIES);
	return rc;
}

static void echo(struct operations *o, const struct elem *e)
{
	static const tag_t tags[] = {AIRSYNC_COLLECTION_ID, AIRSYNC_SERVER_ID, SEARCH_LONG_ID};
	const struct item_class *class = item_class_of(o->ref.folder.kind);

	for (size_t i = 0; i < ARRAY_LEN(tags); i++)
		wbxml_text_if(o->w, tags[i], elem_text(e, tags[i]));
	if (elem_has(e, AIRSYNC_SERVER_ID) || elem_has(e, SEARCH_LONG_ID))
		wbxml_cstr(o->w, AIRSYNC_CLASS, class ? class->name : "Email");
	wbxml_text_if(
		o->w, AIRSYNCBASE_FILE_REFERENCE, elem_text(e, AIRSYNCBASE_FILE_REFERENCE));
}

/* The item that is meant. An id that is none of ours names nothing. */
static enum rc find_item(struct operations *o, const struct elem *e, struct err *err)
{
	enum rc rc;

	o->ref.folder = (struct folder){.kind = FOLDER_MAIL};
	if (!elem_has(e, AIRSYNC_SERVER_ID) && !elem_has(e, SEARCH_LONG_ID))
		return RC_OK;
	rc = item_ref_find(o->rq, o->sv, elem_text(e, AIRSYNC_COLLECTION_ID),
		elem_text(e, AIRSYNC_SERVER_ID), elem_text(e, SEARCH_LONG_ID), &o->ref, err);
	if (rc)
		o->ref.folder = (struct folder){.kind = FOLDER_MAIL};
	return rc == RC_INVALID ? err_set(err, RC_ABSENT, "there is no such item") : rc;
}

static void fetch_failed(struct operations *o, const struct elem *e, unsigned status)
{
	wbxml_open(o->w, ITEMOPERATIONS_FETCH);
	wbxml_int(o->w, ITEMOPERATIONS_STATUS, status);
	echo(o, e);
	wbxml_close(o->w, ITEMOPERATIONS_FETCH);
}

static enum rc fetch(struct operations *o, const struct elem *e, struct err *err)
{
	struct str reference = elem_text(e, AIRSYNCBASE_FILE_REFERENCE);
	struct str store = elem_text(e, ITEMOPERATIONS_STORE);
	struct err why = ERR_INIT;
	enum rc rc;

	if (!str_iis(store, "Mailbox")) {
		fetch_failed(o, e, OPERATION_BAD_STORE);
		return RC_OK;
	}
	if (reference.p && !reference.n) {
		fetch_failed(o, e, OPERATION_BAD_ATTACHMENT);
		return RC_OK;
	}
	/* One thing, named in one way. */
	if (elem_count(e, AIRSYNCBASE_FILE_REFERENCE) > 1 ||
		elem_has(e, AIRSYNC_SERVER_ID) + elem_has(e, SEARCH_LONG_ID) +
				elem_has(e, AIRSYNCBASE_FILE_REFERENCE) !=
			1) {
		fetch_failed(o, e, OPERATION_PROTOCOL_ERROR);
		return RC_OK;
	}
	rc = find_item(o, e, &why);
	o->mark = wbxml_mark(o->w);
	o->held = true;
	wbxml_open(o->w, ITEMOPERATIONS_FETCH);
	wbxml_int(o->w, ITEMOPERATIONS_STATUS, OPERATION_OK);
	echo(o, e);
	if (rc == RC_OK)
		rc = reference.n ? fetch_attachment(o, e, reference, &why)
				 : fetch_item(o, e, &why);
	if (rc == RC_OK) {
		wbxml_close(o->w, ITEMOPERATIONS_FETCH);
		let_go(o);
		return RC_OK;
	}
	/* Half of it is nothing: the whole answer is thrown away, the phone asks again. */
	if (!o->held)
		return err_set(
			err, RC_UNAVAILABLE, "what was being sent broke off: %s", why.text);
	o->held = false;
	wbxml_rollback(o->w, o->mark);
	if (rc == RC_UNAVAILABLE) {
		*err = why;
		return rc;
	}
	fetch_failed(o, e,
		!reference.n       ? status_for(rc)
		: rc == RC_INVALID ? OPERATION_BAD_ATTACHMENT
		: rc == RC_ABSENT  ? OPERATION_BAD_ATTACHMENT
		: rc == RC_LIMIT   ? OPERATION_BAD_RANGE
				   : status_for(rc));
	return RC_OK;
}

static enum rc empty_folder(struct operations *o, const struct folder *f, struct err *err)
{
	struct mail_look l = {.search = true};
	struct mail *mail = o->sv->mail;
	struct mail_delta d;
	enum rc rc = mail_call(mail, look, f->path, &l, o->rq->arena, &d, err);

	if (rc == RC_OK && !uidset_empty(&d.scope))
		rc = mail_call(mail, remove, f->path, d.mark.uidvalidity, &d.scope, err);
	return rc;
}

static enum rc erase_below(struct operations *o, const struct folder *f, struct err *err)
{
	struct request *rq = o->rq;
	struct folder_servers servers = servers_of(rq, o->sv);
	struct folder **v;
	struct folders all;
	size_t n;
	enum rc rc = folders_refresh(&servers, rq->arena, &all, err);

	if (rc)
		return rc;
	v = folders_all_below(&all, f->id, rq->arena, &n);
	for (size_t i = 0; i < n && (rc == RC_OK || rc == RC_ABSENT); i++) {
		/* What every user needs stays. */
		if (v[i]->type >= TYPE_INBOX && v[i]->type <= TYPE_SENT)
			rc = v[i]->selectable ? empty_folder(o, v[i], err) : RC_OK;
		else
			rc = mail_call(o->sv->mail, erase, v[i]->path, err);
	}
	if (rc && rc != RC_ABSENT)
		return rc;
	return n ? folders_refresh(&servers, rq->arena, &all, err) : RC_OK;
}

/* C63. Done twice it does nothing more. */
static enum rc empty(
	struct operations *o, const struct elem *e, unsigned *status_r, struct err *err)
{
	const struct elem *options = elem_child(e, ITEMOPERATIONS_OPTIONS);
	struct request *rq = o->rq;
	struct folder f;
	enum rc rc = state_call(o->sv->state, folder_get, &rq->account,
		elem_text(e, AIRSYNC_COLLECTION_ID), rq->arena, &f, err);

	if (rc == RC_OK && f.kind != FOLDER_MAIL)
		rc = err_set(err, RC_DENIED, "only folders of mail are emptied");
	if (rc == RC_OK && f.selectable)
		rc = empty_folder(o, &f, err);
	if (rc == RC_OK && elem_has(options, ITEMOPERATIONS_DELETE_SUB_FOLDERS))
		rc = erase_below(o, &f, err);
	*status_r = rc ? status_for(rc) : OPERATION_OK;
	return rc == RC_UNAVAILABLE ? rc : RC_OK;
}

static enum rc move_hits(struct operations *o, const struct folder *from,
	const struct mail_hits *hits, const struct folder *to, struct err *err)
{
	struct mail_move *v;

	if (hits->n == 0 || str_eq(from->id, to->id))
		return RC_OK;
	v = ARENA_ARRAY(o->rq->arena, struct mail_move, hits->n);
	for (size_t i = 0; i < hits->n; i++)
		v[i].uid = hits->v[i].uid;
	return mail_call(
		o->sv->mail, move, from->path, hits->uidvalidity, to->path, v, hits->n, err);
}

/* What the user sent stays where it is. */
static bool takes_part(const struct folder *f)
{
	return f->selectable && f->kind == FOLDER_MAIL && f->type != TYPE_SENT &&
	       f->type != TYPE_DRAFTS;
}

static enum rc move_all(
	struct operations *o, const struct elem *e, const struct folder *to, struct err *err)
{
	enum { MOST = 1000 };
	struct request *rq = o->rq;
	struct arena *a = rq->arena;
	const struct folder **folders;
	struct mail_term *term;
	struct mail_hits *hits;
	struct folders all;
	struct str *paths;
	size_t n = 0, total = 0;
	enum rc rc = state_call(o->sv->state, folders_load, &rq->account, a, &all, err);

	if (rc)
		return rc;
	folders = ARENA_ARRAY(a, const struct folder *, all.n + 1);
	paths = ARENA_ARRAY(a, struct str, all.n + 1);
	hits = ARENA_ARRAY(a, struct mail_hits, all.n + 1);
	for (size_t i = 0; i < all.n; i++)
		if (takes_part(&all.v[i])) {
			paths[n] = all.v[i].path;
			folders[n++] = &all.v[i];
		}
	rc = conversation_term(o->sv->mail, paths, n,
		elem_text(e, ITEMOPERATIONS_CONVERSATION_ID), a, &term, err);
	if (rc == RC_OK)
		rc = mail_call(o->sv->mail, search, paths, n, term, MOST, a, hits, err);
	for (size_t i = 0; i < n && rc == RC_OK; i++) {
		total += hits[i].n;
		rc = move_hits(o, folders[i], &hits[i], to, err);
	}
	return rc == RC_OK && total == 0 ? err_set(err, RC_ABSENT, "no such conversation") : rc;
}

/* C64: the messages of a conversation that are there now. Those to come are not moved: there is
 * no place for such a rule. */
static enum rc move_conversation(
	struct operations *o, const struct elem *e, unsigned *status_r, struct err *err)
{
	struct request *rq = o->rq;
	struct folder to;
	enum rc rc = state_call(o->sv->state, folder_get, &rq->account,
		elem_text(e, ITEMOPERATIONS_DST_FLD_ID), rq->arena, &to, err);

	if (rc == RC_OK && (!to.selectable || to.kind != FOLDER_MAIL)) {
		*status_r = STATUS_MOVE_BAD_TARGET;
		return RC_OK;
	}
	if (rc == RC_OK)
		rc = move_all(o, e, &to, err);
	*status_r = rc ? status_for(rc) : OPERATION_OK;
	return rc == RC_UNAVAILABLE ? rc : RC_OK;
}

static enum rc change(struct operations *o, const struct elem *e, struct err *err)
{
	bool empties = e->tag == ITEMOPERATIONS_EMPTY_FOLDER_CONTENTS;
	unsigned status = OPERATION_OK;
	enum rc rc =
		empties ? empty(o, e, &status, err) : move_conversation(o, e, &status, err);

	if (rc)
		return rc;
	wbxml_open(o->w, e->tag);
	wbxml_int(o->w, ITEMOPERATIONS_STATUS, status);
	if (empties)
		wbxml_text(o->w, AIRSYNC_COLLECTION_ID, elem_text(e, AIRSYNC_COLLECTION_ID));
	else
		wbxml_opaque(o->w, ITEMOPERATIONS_CONVERSATION_ID,
			elem_text(e, ITEMOPERATIONS_CONVERSATION_ID));
	wbxml_close(o->w, e->tag);
	return RC_OK;
}

/* In the order in which they were asked for: a Fetch behind an EmptyFolderContents finds
 * nothing any more. */
static enum rc run(struct operations *o, struct err *err)
{
	enum rc rc = RC_OK;

	wbxml_open(o->w, ITEMOPERATIONS_ITEM_OPERATIONS);
	wbxml_int(o->w, ITEMOPERATIONS_STATUS, OPERATION_OK);
	wbxml_open(o->w, ITEMOPERATIONS_RESPONSE);
	for (const struct elem *e = o->rq->doc->child; e && rc == RC_OK; e = e->next) {
		if (e->tag == ITEMOPERATIONS_FETCH)
			rc = fetch(o, e, err);
		else if (e->tag == ITEMOPERATIONS_MOVE ||
			 e->tag == ITEMOPERATIONS_EMPTY_FOLDER_CONTENTS)
			rc = change(o, e, err);
	}
	if (rc)
		return rc;
	wbxml_close(o->w, ITEMOPERATIONS_RESPONSE);
	wbxml_close(o->w, ITEMOPERATIONS_ITEM_OPERATIONS);
	return RC_OK;
}

/* What refuses the whole request; 0: nothing. */
static unsigned check(const struct request *rq)
{
	size_t n = 0;

	for (const struct elem *e = rq->doc->child; e; e = e->next) {
		const struct elem *options = elem_child(e, ITEMOPERATIONS_OPTIONS);
		struct email_options o;

		n++;
		email_options_read(options, rq->version, &o);
		if (email_options_bad_part(&o))
			return STATUS_BODY_PART_TYPE;
		if (e->tag == ITEMOPERATIONS_MOVE && rq->version >= V140 &&
			!elem_has(options, ITEMOPERATIONS_MOVE_ALWAYS))
			return STATUS_MOVE_NOT_ALWAYS;
	}
	return n == 0 ? OPERATION_PROTOCOL_ERROR : n > OPERATIONS_MAX ? OPERATION_TOO_MANY : 0;
}

static enum rc only_status(struct reply *rp, unsigned status)
{
	struct wbxml_writer *w = reply_wbxml(rp);

	wbxml_open(w, ITEMOPERATIONS_ITEM_OPERATIONS);
	wbxml_int(w, ITEMOPERATIONS_STATUS, status);
	wbxml_close(w, ITEMOPERATIONS_ITEM_OPERATIONS);
	rp->status = status;
	return RC_OK;
}

/* [MS-ASCMD] 2.2.1.10 */
enum rc cmd_item_operations(
	struct request *rq, struct services *sv, struct reply *rp, struct err *err)
{
	unsigned status = check(rq);
	struct operations *o;
	enum rc rc;

	if (status)
		return only_status(rp, status);
	o = ARENA_NEW(rq->arena, struct operations);
	*o = (struct operations){.rq = rq, .sv = sv, .w = reply_wbxml(rp)};
	if (rq->accept_multipart) {
		o->multipart = ARENA_NEW(rq->arena, struct multipart);
		multipart_begin(o->multipart, rp);
	}
	rc = run(o, err);
	return rc == RC_OK && o->multipart ? multipart_finish(o->multipart, rp, err) : rc;
}
