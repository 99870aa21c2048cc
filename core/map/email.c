#include "core/map/email_parts.h"

#include "core/base/base64.h"
#include "core/base/clock.h"
#include "core/base/utf8.h"
#include "core/map/body.h"
#include "core/map/category.h"
#include "core/map/charset.h"
#include "core/map/decode.h"
#include "core/map/header.h"
#include "core/map/html.h"

#include <glib.h>
#include <string.h>

#define ADDRESS_MAX 32768 /* classes.md 1 */

enum { CATEGORIES_MAX = 300 };

static const tag_t read_only[] = {EMAIL2_CONVERSATION_ID, EMAIL2_CONVERSATION_INDEX,
	EMAIL2_RECEIVED_AS_BCC, EMAIL2_SENDER, EMAIL2_UM_CALLER_ID, EMAIL2_UM_USER_NOTES};

/* RFC 2156 Importance, and its older cousins. B: old Androids read "absent" as low. */
static int importance(struct str fields, struct arena *a)
{
	struct str v = header_raw(fields, "Importance", a);

	if (v.n)
		return str_istarts(v, "high") ? 2 : str_istarts(v, "low") ? 0 : 1;
	v = header_raw(fields, "X-Priority", a);
	if (v.n)
		return v.p[0] == '1' || v.p[0] == '2'   ? 2
		       : v.p[0] == '4' || v.p[0] == '5' ? 0
							: 1;
	v = header_raw(fields, "Priority", a);
	if (str_iis(v, "urgent"))
		return 2;
	return str_iis(v, "non-urgent") ? 0 : 1;
}

/* [MS-ASEMAIL] 2.2.2.62: semicolons between them. */
static void write_reply_to(const struct addresses *list, struct wbxml_writer *w)
{
	struct buf b;

	buf_init(&b, BUF_MAX_TEXT);
	for (size_t i = 0; i < list->n && b.n < ADDRESS_MAX / 2; i++)
		buf_addf(&b, "%s%.*s", i ? "; " : "", STR_FMT(list->v[i].addr));
	wbxml_text_if(w, EMAIL_REPLY_TO, buf_str(&b));
	buf_release(&b);
}

/* Who sent it for the one in From, when they are two. */
static void write_sender(struct str fields, const struct addresses *from, enum eas_version v,
	struct arena *a, struct wbxml_writer *w)
{
	struct addresses sender = header_addresses(fields, "Sender", a);

	if (v < V140 || sender.n == 0 ||
		(from->n && str_ieq(from->v[0].addr, sender.v[0].addr)))
		return;
	sender.n = 1;
	wbxml_text_if(w, EMAIL2_SENDER, header_address_list(&sender, ADDRESS_MAX, a));
}

static void write_recipients(
	struct str fields, enum eas_version v, struct arena *a, struct wbxml_writer *w)
{
	struct addresses to = header_addresses(fields, "To", a);
	struct addresses cc = header_addresses(fields, "Cc", a);
	struct addresses from = header_addresses(fields, "From", a);
	struct addresses reply = header_addresses(fields, "Reply-To", a);
	struct str text;

	text = header_address_list(&to, ADDRESS_MAX, a);
	/* B20941: old Nokias drop a message without To. */
	wbxml_text(w, EMAIL_TO, text.n ? text : STR("undisclosed-recipients:;"));
	wbxml_text_if(w, EMAIL_CC, header_address_list(&cc, ADDRESS_MAX, a));
	if (from.n > 1)
		from.n = 1;
	text = header_address_list(&from, ADDRESS_MAX, a);
	if (!text.n)
		text = header_text(fields, "From", a);
	wbxml_text(w, EMAIL_FROM, text.n ? text : STR("unknown"));
	write_reply_to(&reply, w);
	write_sender(fields, &from, v, a, w);
}

static void write_display_to(struct str fields, struct arena *a, struct wbxml_writer *w)
{
	struct addresses to = header_addresses(fields, "To", a);
	struct buf b;

	buf_init(&b, BUF_MAX_TEXT);
	for (size_t i = 0; i < to.n && b.n < ADDRESS_MAX; i++) {
		if (i)
			buf_adds(&b, "; ");
		buf_add_str(&b, to.v[i].name.n ? to.v[i].name : to.v[i].addr);
	}
	wbxml_text_if(w, EMAIL_DISPLAY_TO, buf_str(&b));
	buf_release(&b);
}

/* The first message identifier of a field. */
static struct str first_id(struct str value)
{
	size_t from = str_find(value, '<');
	struct str rest = str_sub(value, from, value.n);

	return str_sub(rest, 0, str_find(rest, '>'));
}

/* classes.md 1.5: what Outlook wrote, else the time of this message. */
static struct str conversation_index(const struct mail_summary *m, struct arena *a)
{
	struct str raw = header_raw(m->header, "Thread-Index", a), bytes;
	uint64_t filetime = ((uint64_t)m->received + 11644473600u) * 10000000u;
	char head[5];

	if (raw.n && base64_decode(raw, a, &bytes) == RC_OK && bytes.n >= 22) {
		size_t levels = (bytes.n - 22) / 5 * 5;
		char *p = arena_alloc(a, 5 + levels);

		memcpy(p, bytes.p + 1, 5);
		memcpy(p + 5, bytes.p + 22, levels);
		return (struct str){p, 5 + levels};
	}
	for (int i = 0; i < 5; i++)
		head[i] = (char)(filetime >> (48 - 8 * i) & 0xff);
	return arena_str(a, (struct str){head, sizeof(head)});
}

struct str email_conversation_root(struct str header, struct arena *a)
{
	static const char *const fields[] = {"References", "In-Reply-To", "Message-ID"};
	struct str root = STR_NONE;

	for (size_t i = 0; i < ARRAY_LEN(fields) && !root.n; i++)
		root = first_id(header_raw(header, fields[i], a));
	return root.n ? root : header_topic(header_text(header, "Subject", a));
}

/* The same for all messages of a thread, whatever folder they are in. */
void email_conversation_id(
	struct str header, struct arena *a, unsigned char id_r[EMAIL_CONVERSATION_ID])
{
	GChecksum *sum = g_checksum_new(G_CHECKSUM_MD5);
	struct str root = email_conversation_root(header, a);
	gsize n = EMAIL_CONVERSATION_ID;

	g_checksum_update(sum, (const guchar *)(root.n ? root.p : ""), (gssize)root.n);
	g_checksum_get_digest(sum, id_r, &n);
	g_checksum_free(sum);
}

static void write_conversation(
	const struct mail_summary *m, struct arena *a, struct wbxml_writer *w)
{
	unsigned char id[EMAIL_CONVERSATION_ID];

	email_conversation_id(m->header, a, id);
	wbxml_opaque(w, EMAIL2_CONVERSATION_ID, (struct str){(const char *)id, sizeof(id)});
	wbxml_opaque(w, EMAIL2_CONVERSATION_INDEX, conversation_index(m, a));
}

/* In a Change the element is there also when no category is left. */
static void write_categories(
	struct str keywords, bool always, struct arena *a, struct wbxml_writer *w)
{
	bool any = false;
	struct str word;

	while (str_next(&keywords, ' ', &word)) {
		struct str name = category_of_keyword(word, a);

		if (!name.n)
			continue;
		if (!any)
			wbxml_open(w, EMAIL_CATEGORIES);
		any = true;
		wbxml_text(w, EMAIL_CATEGORY, name);
	}
	if (any)
		wbxml_close(w, EMAIL_CATEGORIES);
	else if (always)
		wbxml_empty(w, EMAIL_CATEGORIES);
}

/* A body as it goes to the device. */
struct body {
	struct str data;
	struct str text; /* plain text for a preview */
	uint64_t size;   /* of the whole */
	bool truncated, missing;
};

/* Stored bytes to the text that the device asked for, not yet cut. */
static struct str decoded(
	const struct email_plan *plan, const struct email_body *body, struct arena *a)
{
	const struct mail_part *p = plan->part[body->at];
	struct str s = plan->parts[body->at].bytes;

	if (!p)
		return s;
	s = decode_bytes(s, p->encoding, a);
	s = charset_to_utf8(s, p->charset, a);
	if (body->html_to_text)
		return html_to_text(s, 0, a);
	if (body->text_to_html)
		return html_from_text(s, a);
	return body->type == BODY_PLAIN ? body_crlf(s, a) : s;
}

/* A message whose text is inside its winmail.dat only. */
static bool tnef_text(
	const struct email_extra *x, unsigned type, struct arena *a, struct str *r)
{
	const struct tnef *t = x->tnef;

	if (!t || (!t->html.n && !t->text.n))
		return false;
	if (type == BODY_HTML)
		*r = t->html.n ? t->html : html_from_text(t->text, a);
	else
		*r = t->text.n ? body_crlf(t->text, a) : html_to_text(t->html, 0, a);
	return true;
}

/* The text, and how much there is of it; *partial_r: the server was asked for a part only. */
static enum rc read_body(const struct email_plan *plan, const struct email_body *body,
	struct arena *a, struct body *b, bool *partial_r, struct err *err)
{
	const struct mail_part_request *q = &plan->parts[body->at];
	const struct mail_part *p = plan->part[body->at];
	uint32_t stored = p ? p->size : plan->summary->size;

	if (q->refused)
		return err_set(err, RC_DENIED, "the server does not give message %u",
			plan->summary->flags.uid);
	if (!q->bytes.p)
		return err_set(err, RC_ABSENT, "message %u is gone", plan->summary->flags.uid);
	b->data = decoded(plan, body, a);
	*partial_r = q->length && q->bytes.n >= q->length && stored > q->length;
	b->size = b->data.n;
	if (*partial_r)
		b->size = p ? email_part_size(p) : stored;
	if (b->size < b->data.n)
		b->size = b->data.n;
	return RC_OK;
}

/* Nothing was asked for: what there would be. */
static void missing_body(const struct email_plan *plan, const struct email_body *body,
	const struct email_extra *x, struct arena *a, struct body *b)
{
	const struct mail_part *plain, *html, *p;

	email_bodies(plan->summary->root, &plain, &html);
	p = body->type == BODY_HTML && html ? html : plain ? plain : html;
	if (!p && body->type != BODY_MIME && tnef_text(x, body->type, a, &b->data)) {
		b->size = b->data.n;
		return;
	}
	b->size = body->type == BODY_MIME ? plan->summary->size : p ? email_part_size(p) : 0;
	b->missing = b->size > 0 && !body->streamed;
}

static enum rc make_body(const struct email_plan *plan, const struct email_body *body,
	const struct email_options *o, const struct email_extra *x, struct arena *a,
	struct body *b, struct err *err)
{
	uint64_t limit = 0;
	bool cut = email_limit(body, o, &limit), partial = false;

	*b = (struct body){
		.data = {"", 0}
        };
	if (body->at != EMAIL_PLAN_NONE) {
		enum rc rc = read_body(plan, body, a, b, &partial, err);

		if (rc)
			return rc;
	} else {
		missing_body(plan, body, x, a, b);
	}
	b->text = body->type == BODY_HTML ? STR_NONE : b->data;
	if (body->type == BODY_HTML && body->pref && body->pref->preview)
		b->text = html_to_text(b->data, 4096, a);
	if (cut && b->data.n > limit) {
		if (o->version < V120 && body->type != BODY_MIME)
			b->data = utf8_cut_chars(b->data, (size_t)limit);
		else if (body->type == BODY_HTML)
			b->data = html_cut(b->data, (size_t)limit);
		else
			b->data = utf8_cut(b->data, (size_t)limit);
		b->truncated = true;
	}
	b->truncated = b->truncated || partial || b->missing;
	if (body->pref && body->pref->all_or_none && body->pref->has_size && b->truncated)
		b->data = (struct str){"", 0};
	return RC_OK;
}

/* classes.md 1.4. B20240: an empty body is not announced as truncated. */
static void write_body_25(
	const struct email_plan *plan, const struct body *b, struct wbxml_writer *w)
{
	if (plan->body.type == BODY_MIME) {
		wbxml_bool(w, EMAIL_MIME_TRUNCATED, b->truncated);
		wbxml_text(w, EMAIL_MIME_DATA, b->data);
		wbxml_int(w, EMAIL_MIME_SIZE, (int64_t)b->size);
		return;
	}
	wbxml_bool(w, EMAIL_BODY_TRUNCATED, b->truncated);
	wbxml_int(w, EMAIL_BODY_SIZE, (int64_t)b->size);
	/* A missing Body is read as "to be fetched". */
	wbxml_text(w, EMAIL_BODY, b->data.n ? b->data : STR(" "));
}

static void write_data(const struct email_options *o, struct str data, struct wbxml_writer *w)
{
	unsigned part = data.n && o->parts ? o->parts->add(o->parts, data) : 0;

	if (part)
		wbxml_int(w, ITEMOPERATIONS_PART, part);
	else
		wbxml_text_if(w, AIRSYNCBASE_DATA, data);
}

static void write_preview(
	const struct email_body *body, const struct body *b, struct wbxml_writer *w)
{
	/* Not beside the text itself, [MS-ASAIRS] 2.2.2.35. */
	if (body->pref && body->pref->preview && body->type != BODY_MIME &&
		(body->type != BODY_PLAIN || !b->data.n))
		wbxml_text_if(w, AIRSYNCBASE_PREVIEW,
			utf8_cut_chars(str_trim(b->text), body->pref->preview));
}

static enum rc write_body(const struct email_plan *plan, const struct email_options *o,
	const struct body *b, struct wbxml_writer *w, struct err *err)
{
	const struct email_body *body = &plan->body;
	enum rc rc = RC_OK;

	wbxml_open(w, AIRSYNCBASE_BODY);
	wbxml_int(w, AIRSYNCBASE_TYPE, body->type);
	wbxml_int(w, AIRSYNCBASE_ESTIMATED_DATA_SIZE, (int64_t)b->size);
	/* Windows Phone stops at Truncated 0: left out then. */
	if (b->truncated)
		wbxml_bool(w, AIRSYNCBASE_TRUNCATED, true);
	if (body->streamed)
		rc = o->stream->write(o->stream, plan->summary->flags.uid, w, err);
	else
		write_data(o, b->data, w);
	write_preview(body, b, w);
	wbxml_close(w, AIRSYNCBASE_BODY);
	return rc;
}

/* [MS-ASAIRS] 2.2.2.10: here the whole message is its own part of the conversation. */
static void write_body_part(
	const struct email_body *body, const struct body *b, struct wbxml_writer *w)
{
	wbxml_open(w, AIRSYNCBASE_BODY_PART);
	wbxml_int(w, AIRSYNCBASE_STATUS, 1);
	wbxml_int(w, AIRSYNCBASE_TYPE, body->type);
	wbxml_int(w, AIRSYNCBASE_ESTIMATED_DATA_SIZE, (int64_t)b->size);
	if (b->truncated)
		wbxml_bool(w, AIRSYNCBASE_TRUNCATED, true);
	wbxml_text_if(w, AIRSYNCBASE_DATA, b->data);
	write_preview(body, b, w);
	wbxml_close(w, AIRSYNCBASE_BODY_PART);
}

static unsigned native_type(const struct mail_part *root)
{
	const struct mail_part *plain, *html;

	email_bodies(root, &plain, &html);
	return html ? BODY_HTML : BODY_PLAIN;
}

/* The note knows which answer it was, and when; other clients only set the flag. always: also
 * that there is none. */
static void write_verbs(unsigned flags, const struct email_note *note, int64_t received,
	bool always, struct arena *a, struct wbxml_writer *w)
{
	unsigned verb = flags & MAIL_ANSWERED    ? EMAIL_REPLIED
			: flags & MAIL_FORWARDED ? EMAIL_FORWARDED
						 : 0;
	bool noted = note && note->verb &&
		     flags & (note->verb == EMAIL_FORWARDED ? MAIL_FORWARDED : MAIL_ANSWERED);

	if (!verb && !always)
		return;
	wbxml_int(w, EMAIL2_LAST_VERB_EXECUTED, noted ? note->verb : verb);
	if (verb)
		wbxml_text(w, EMAIL2_LAST_VERB_EXECUTION_TIME,
			clock_dashed(a, noted ? note->verb_time : received));
}

static void write_meeting(const struct email_extra *x, const struct email_options *o,
	struct arena *a, struct wbxml_writer *w)
{
	/* B19796: a cancellation says when it would have been. */
	if (x->meeting == MEETING_REQUEST || x->meeting == MEETING_CANCELED)
		meeting_write(x->bytes, o->user, o->version, a, w);
}

enum rc email_write(const struct email_plan *plan, const struct email_options *o,
	struct str server_id, struct arena *a, struct wbxml_writer *w, struct err *err)
{
	const struct mail_summary *m = plan->summary;
	struct email_extra x;
	struct str subject;
	struct body body, part = {.size = 0};
	enum rc rc;

	if (!m->root)
		return err_set_why(err, RC_INVALID, ERR_BAD_MIME,
			"message %.*s has no readable structure", STR_FMT(server_id));
	email_read_extra(plan, a, &x);
	rc = make_body(plan, &plan->body, o, &x, a, &body, err);
	if (rc == RC_OK && plan->has_part)
		rc = make_body(plan, &plan->body_part, o, &x, a, &part, err);
	if (rc)
		return rc;
	subject = header_text(m->header, "Subject", a);
	write_recipients(m->header, o->version, a, w);
	wbxml_text_if(w, EMAIL_SUBJECT, subject);
	wbxml_text(w, EMAIL_DATE_RECEIVED, clock_dashed(a, m->received));
	write_display_to(m->header, a, w);
	wbxml_text_if(w, EMAIL_THREAD_TOPIC, header_topic(subject));
	wbxml_int(w, EMAIL_IMPORTANCE, importance(m->header, a));
	wbxml_bool(w, EMAIL_READ, m->flags.flags & MAIL_SEEN);
	email_write_attachments(plan, o, &x, server_id, a, w);
	if (o->version < V120)
		write_body_25(plan, &body, w);
	else
		rc = write_body(plan, o, &body, w, err);
	if (rc)
		return rc;
	if (plan->has_part)
		write_body_part(&plan->body_part, &part, w);
	wbxml_cstr(w, EMAIL_MESSAGE_CLASS, email_message_class(m, &x, a));
	write_meeting(&x, o, a, w);
	wbxml_int(w, EMAIL_INTERNET_CPID, 65001);
	if (o->version < V120)
		return RC_OK;
	email_note_write_flag(m->flags.flags & MAIL_FLAGGED, plan->note, w);
	wbxml_cstr(w, EMAIL_CONTENT_CLASS,
		x.meeting != MEETING_NONE ? "urn:content-classes:calendarmessage"
					  : "urn:content-classes:message");
	wbxml_int(w, AIRSYNCBASE_NATIVE_BODY_TYPE, native_type(m->root));
	if (o->version < V140)
		return RC_OK;
	write_conversation(m, a, w);
	write_verbs(m->flags.flags, plan->note, m->received, false, a, w);
	write_categories(m->flags.keywords, false, a, w);
	return RC_OK;
}

void email_write_flags(unsigned changed, const struct mail_flags *f,
	const struct email_note *note, int64_t received, enum eas_version v, struct arena *a,
	struct wbxml_writer *w)
{
	if (changed & MAIL_SEEN)
		wbxml_bool(w, EMAIL_READ, f->flags & MAIL_SEEN);
	if (changed & MAIL_FLAGGED && v >= V120)
		email_note_write_flag(f->flags & MAIL_FLAGGED, note, w);
	if (v < V140)
		return;
	if (changed & (MAIL_ANSWERED | MAIL_FORWARDED))
		write_verbs(f->flags, note, received, true, a, w);
	if (changed & EMAIL_CATEGORIES_CHANGED)
		write_categories(f->keywords, true, a, w);
}

enum rc email_read_change(
	const struct elem *data, enum eas_version v, struct email_change *c, struct err *err)
{
	struct str read = elem_text(data, EMAIL_READ);

	c->flag = v >= V120 ? elem_child(data, EMAIL_FLAG) : NULL;
	c->categories = v >= V140 ? elem_child(data, EMAIL_CATEGORIES) : NULL;
	if (elem_count(c->categories, EMAIL_CATEGORY) > CATEGORIES_MAX)
		return err_set(err, RC_INVALID, "more than %d categories", CATEGORIES_MAX);
	/* classes.md 1: these are the server's alone. */
	for (size_t i = 0; i < ARRAY_LEN(read_only); i++)
		if (elem_has(data, read_only[i]))
			return err_set(
				err, RC_INVALID, "a property that a device cannot change");
	if (!read.p)
		return RC_OK;
	if (read.n && !str_is(read, "0") && !str_is(read, "1"))
		return err_set(err, RC_INVALID, "Read is neither 0 nor 1");
	if (elem_bool(data, EMAIL_READ, false))
		c->flags.set |= MAIL_SEEN;
	else
		c->flags.clear |= MAIL_SEEN;
	return RC_OK;
}

static void add_word(struct buf *b, struct str word)
{
	if (b->n)
		buf_addc(b, ' ');
	buf_add_str(b, word);
}

static bool wants_keyword(const struct elem *categories, struct str keyword, struct arena *a)
{
	for (const struct elem *e = elem_child(categories, EMAIL_CATEGORY); e;
		e = elem_again(e))
		if (str_ieq(category_keyword(e->text, a), keyword))
			return true;
	return false;
}

static bool has_keyword(struct str keywords, struct str keyword)
{
	struct str word;

	while (str_next(&keywords, ' ', &word))
		if (str_ieq(word, keyword))
			return true;
	return false;
}

void email_change_categories(struct email_change *c, struct str keywords, struct arena *a)
{
	struct str rest = keywords, word;
	struct buf add, remove;

	buf_init(&add, BUF_MAX_LINE);
	buf_init(&remove, BUF_MAX_LINE);
	while (str_next(&rest, ' ', &word))
		if (category_of_keyword(word, a).n && !wants_keyword(c->categories, word, a))
			add_word(&remove, word);
	for (const struct elem *e = elem_child(c->categories, EMAIL_CATEGORY); e;
		e = elem_again(e)) {
		word = category_keyword(e->text, a);
		if (word.n && !has_keyword(keywords, word))
			add_word(&add, word);
	}
	c->flags.add = arena_str(a, buf_str(&add));
	c->flags.remove = arena_str(a, buf_str(&remove));
	buf_release(&add);
	buf_release(&remove);
}
