#include "core/base/base64.h"
#include "core/cmd/attachment.h"
#include "core/cmd/command.h"
#include "core/cmd/multipart.h"
#include "core/cmd/status.h"
#include "core/map/server_id.h"
#include "core/sync/mail_sync.h"

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

static enum rc fetch_item(struct operations *o, const struct elem *e, struct str folder_id,
	struct str id, struct err *err)
{
	struct request *rq = o->rq;
	struct str collection, section;
	struct item_parts parts = {{add_body}, o};
	struct email_options options;
	struct folder folder;
	uint32_t uid;
	enum rc rc;

	if (server_id_parse(id, &collection, &uid, &section) || section.p ||
		!str_eq(collection, folder_id))
		return err_set(err, RC_ABSENT, "there is no item %.*s", STR_FMT(id));
	rc = state_call(
		o->sv->state, folder_get, &rq->account, collection, rq->arena, &folder, err);
	if (rc)
		return rc;
	email_options_read(elem_child(e, ITEMOPERATIONS_OPTIONS), rq->version, &options);
	options.whole = options.nprefs == 0;
	if (o->multipart)
		options.parts = &parts.parts;
	return mail_fetch(&(struct mail_reader){.mail = o->sv->mail,
				  .state = o->sv->state,
				  .folder = &folder,
				  .options = &options,
				  .a = rq->arena},
		uid, ITEMOPERATIONS_PROPERTIES, o->w, err);
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

	for (size_t i = 0; i < ARRAY_LEN(tags); i++)
		wbxml_text_if(o->w, tags[i], elem_text(e, tags[i]));
	if (elem_has(e, AIRSYNC_SERVER_ID))
		wbxml_cstr(o->w, AIRSYNC_CLASS, "Email");
	wbxml_text_if(
		o->w, AIRSYNCBASE_FILE_REFERENCE, elem_text(e, AIRSYNCBASE_FILE_REFERENCE));
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
	o->mark = wbxml_mark(o->w);
	o->held = true;
	wbxml_open(o->w, ITEMOPERATIONS_FETCH);
	wbxml_int(o->w, ITEMOPERATIONS_STATUS, OPERATION_OK);
	echo(o, e);
	rc = reference.n ? fetch_attachment(o, e, reference, &why)
			 : fetch_item(o, e, elem_text(e, AIRSYNC_COLLECTION_ID),
				   elem_text(e, AIRSYNC_SERVER_ID), &why);
	if (rc == RC_OK) {
		wbxml_close(o->w, ITEMOPERATIONS_FETCH);
		let_go(o);
		return RC_OK;
	}
	/* Half an attachment is none: the whole answer is thrown away, the phone asks again. */
	if (!o->held)
		return err_set(err, RC_UNAVAILABLE, "an attachment broke off: %s", why.text);
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

/* What is not built yet says so, item by item. */
static void refuse(struct operations *o, const struct elem *e)
{
	wbxml_open(o->w, e->tag);
	wbxml_int(o->w, ITEMOPERATIONS_STATUS, OPERATION_DENIED);
	if (e->tag == ITEMOPERATIONS_EMPTY_FOLDER_CONTENTS)
		wbxml_text(o->w, AIRSYNC_COLLECTION_ID, elem_text(e, AIRSYNC_COLLECTION_ID));
	else
		wbxml_opaque(o->w, ITEMOPERATIONS_CONVERSATION_ID,
			elem_text(e, ITEMOPERATIONS_CONVERSATION_ID));
	wbxml_close(o->w, e->tag);
}

static enum rc run(struct operations *o, struct err *err)
{
	/* commands.md 12: Move, EmptyFolderContents, Fetch, in this order. */
	static const tag_t order[] = {ITEMOPERATIONS_MOVE, ITEMOPERATIONS_EMPTY_FOLDER_CONTENTS,
		ITEMOPERATIONS_FETCH};
	const struct elem *doc = o->rq->doc;
	enum rc rc = RC_OK;

	wbxml_open(o->w, ITEMOPERATIONS_ITEM_OPERATIONS);
	wbxml_int(o->w, ITEMOPERATIONS_STATUS, OPERATION_OK);
	wbxml_open(o->w, ITEMOPERATIONS_RESPONSE);
	for (size_t i = 0; i < ARRAY_LEN(order); i++)
		for (const struct elem *e = elem_child(doc, order[i]); e && rc == RC_OK;
			e = elem_again(e)) {
			if (e->tag == ITEMOPERATIONS_FETCH)
				rc = fetch(o, e, err);
			else
				refuse(o, e);
		}
	if (rc)
		return rc;
	wbxml_close(o->w, ITEMOPERATIONS_RESPONSE);
	wbxml_close(o->w, ITEMOPERATIONS_ITEM_OPERATIONS);
	return RC_OK;
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
	struct operations *o;
	size_t n = 0;
	enum rc rc;

	for (const struct elem *e = rq->doc->child; e; e = e->next)
		n++;
	if (n == 0)
		return only_status(rp, OPERATION_PROTOCOL_ERROR);
	if (n > OPERATIONS_MAX)
		return only_status(rp, OPERATION_TOO_MANY);
	o = ARENA_NEW(rq->arena, struct operations);
	*o = (struct operations){.rq = rq, .sv = sv, .w = reply_wbxml(rp)};
	if (rq->accept_multipart) {
		o->multipart = ARENA_NEW(rq->arena, struct multipart);
		multipart_begin(o->multipart, rp);
	}
	rc = run(o, err);
	return rc == RC_OK && o->multipart ? multipart_finish(o->multipart, rp, err) : rc;
}
