#include "core/map/email_parts.h"

#include "core/base/clock.h"
#include "core/base/utf8.h"
#include "core/map/charset.h"
#include "core/map/decode.h"
#include "core/map/header.h"
#include "core/map/html.h"

#include <glib.h>

#define ADDRESS_MAX 32768 /* classes.md 1 */

enum { VERB_REPLIED = 1, VERB_FORWARDED = 3 };

/* [MS-ASEMAIL] 2.2.2.49; B20124, B20192: types come in lower case from the store. */
static const char *message_class(const struct mail_part *root)
{
	if (str_is(root->type, "multipart") && str_is(root->subtype, "signed"))
		return "IPM.Note.SMIME.MultipartSigned";
	if (email_is_smime(root))
		return "IPM.Note.SMIME";
	if (str_is(root->subtype, "report") && str_is(root->report_type, "delivery-status"))
		return "REPORT.IPM.NOTE.NDR";
	if (str_is(root->subtype, "report") &&
		str_iis(root->report_type, "disposition-notification"))
		return "REPORT.IPM.NOTE.IPNRN";
	return "IPM.Note";
}

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
	wbxml_text_if(w, EMAIL_REPLY_TO, header_address_list(&reply, ADDRESS_MAX, a));
	(void)v;
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

static void write_flag(unsigned flags, struct wbxml_writer *w)
{
	if (!(flags & MAIL_FLAGGED)) {
		wbxml_empty(w, EMAIL_FLAG);
		return;
	}
	wbxml_open(w, EMAIL_FLAG);
	wbxml_int(w, EMAIL_STATUS, 2);
	wbxml_cstr(w, EMAIL_FLAG_TYPE, "Flag for follow up");
	wbxml_close(w, EMAIL_FLAG);
}

/* The first message identifier of a field. */
static struct str first_id(struct str value)
{
	size_t from = str_find(value, '<');
	struct str rest = str_sub(value, from, value.n);

	return str_sub(rest, 0, str_find(rest, '>'));
}

/* classes.md 1.5: the same for all messages of a thread, whatever folder they are in. */
static void write_conversation(
	const struct mail_summary *m, struct str topic, struct arena *a, struct wbxml_writer *w)
{
	static const char *const fields[] = {"References", "In-Reply-To", "Message-ID"};
	GChecksum *sum = g_checksum_new(G_CHECKSUM_MD5);
	uint64_t filetime = ((uint64_t)m->received + 11644473600u) * 10000000u;
	struct str root = STR_NONE, index;
	guint8 digest[16];
	gsize n = sizeof(digest);
	char head[5];

	for (size_t i = 0; i < ARRAY_LEN(fields) && !root.n; i++)
		root = first_id(header_raw(m->header, fields[i], a));
	if (!root.n)
		root = topic;
	g_checksum_update(sum, (const guchar *)(root.n ? root.p : ""), (gssize)root.n);
	g_checksum_get_digest(sum, digest, &n);
	g_checksum_free(sum);
	wbxml_opaque(w, EMAIL2_CONVERSATION_ID, (struct str){(const char *)digest, n});
	for (int i = 0; i < 5; i++)
		head[i] = (char)(filetime >> (48 - 8 * i) & 0xff);
	index = (struct str){head, sizeof(head)};
	wbxml_opaque(w, EMAIL2_CONVERSATION_INDEX, index);
}

static void write_categories(struct str keywords, struct wbxml_writer *w)
{
	struct str word;
	bool any = false;

	while (str_next(&keywords, ' ', &word)) {
		if (word.n == 0 || word.p[0] == '$' || word.p[0] == '\\')
			continue;
		if (!any)
			wbxml_open(w, EMAIL_CATEGORIES);
		any = true;
		wbxml_text(w, EMAIL_CATEGORY, word);
	}
	if (any)
		wbxml_close(w, EMAIL_CATEGORIES);
}

/* A body as it goes to the device. */
struct body {
	struct str data;
	struct str text; /* plain text for a preview */
	uint64_t size;   /* of the whole */
	bool truncated, missing;
};

/* Line ends as CRLF, for plain text. */
static struct str with_crlf(struct str s, struct arena *a)
{
	struct buf b;
	struct str r;

	if (str_find(s, '\n') == s.n)
		return s;
	buf_init(&b, SIZE_MAX / 8);
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\n' && (i == 0 || s.p[i - 1] != '\r'))
			buf_addc(&b, '\r');
		buf_addc(&b, s.p[i]);
	}
	r = arena_str(a, buf_str(&b));
	buf_release(&b);
	return r;
}

/* Stored bytes to the text that the device asked for, not yet cut. */
static struct str decoded(const struct email_plan *plan, struct arena *a)
{
	const struct mail_part *p = plan->part[0];
	struct str s = plan->parts[0].bytes;

	if (!p)
		return s;
	s = decode_bytes(s, p->encoding, a);
	s = charset_to_utf8(s, p->charset, a);
	if (plan->html_to_text)
		return html_to_text(s, 0, a);
	if (plan->text_to_html)
		return html_from_text(s, a);
	return plan->type == BODY_PLAIN ? with_crlf(s, a) : s;
}

static enum rc make_body(const struct email_plan *plan, const struct email_options *o,
	struct arena *a, struct body *b, struct err *err)
{
	uint64_t limit = 0;
	bool cut = email_limit(plan, o, &limit), partial = false;
	const struct mail_part *p = plan->part[0];

	*b = (struct body){
		.data = {"", 0}
        };
	if (plan->nparts && plan->parts[0].refused)
		return err_set(err, RC_DENIED, "the server does not give message %u",
			plan->summary->flags.uid);
	if (plan->nparts && !plan->parts[0].bytes.p)
		return err_set(err, RC_ABSENT, "message %u is gone", plan->summary->flags.uid);
	if (plan->nparts) {
		const struct mail_part_request *q = &plan->parts[0];
		uint32_t stored = p ? p->size : plan->summary->size;

		b->data = decoded(plan, a);
		partial = q->length && q->bytes.n >= q->length && stored > q->length;
		b->size = b->data.n;
		if (partial)
			b->size = p ? email_part_size(p) : stored;
		if (b->size < b->data.n)
			b->size = b->data.n;
	} else {
		const struct mail_part *plain, *html;

		email_bodies(plan->summary->root, &plain, &html);
		p = plan->type == BODY_HTML && html ? html : plain ? plain : html;
		b->size = plan->type == BODY_MIME ? plan->summary->size
			  : p                     ? email_part_size(p)
						  : 0;
		b->missing = b->size > 0;
	}
	b->text = plan->type == BODY_HTML ? STR_NONE : b->data;
	if (plan->type == BODY_HTML && plan->pref && plan->pref->preview)
		b->text = html_to_text(b->data, 4096, a);
	if (cut && b->data.n > limit) {
		if (o->version < V120 && plan->type != BODY_MIME)
			b->data = utf8_cut_chars(b->data, (size_t)limit);
		else if (plan->type == BODY_HTML)
			b->data = html_cut(b->data, (size_t)limit);
		else
			b->data = utf8_cut(b->data, (size_t)limit);
		b->truncated = true;
	}
	b->truncated = b->truncated || partial || b->missing;
	if (plan->pref && plan->pref->all_or_none && plan->pref->has_size && b->truncated)
		b->data = (struct str){"", 0};
	return RC_OK;
}

/* classes.md 1.4. B20240: an empty body is not announced as truncated. */
static void write_body_25(
	const struct email_plan *plan, const struct body *b, struct wbxml_writer *w)
{
	if (plan->type == BODY_MIME) {
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

static void write_body(const struct email_plan *plan, const struct email_options *o,
	const struct body *b, struct wbxml_writer *w)
{
	wbxml_open(w, AIRSYNCBASE_BODY);
	wbxml_int(w, AIRSYNCBASE_TYPE, plan->type);
	wbxml_int(w, AIRSYNCBASE_ESTIMATED_DATA_SIZE, (int64_t)b->size);
	/* Windows Phone stops at Truncated 0: left out then. */
	if (b->truncated)
		wbxml_bool(w, AIRSYNCBASE_TRUNCATED, true);
	write_data(o, b->data, w);
	if (plan->pref && plan->pref->preview && plan->type != BODY_PLAIN &&
		plan->type != BODY_MIME)
		wbxml_text_if(w, AIRSYNCBASE_PREVIEW,
			utf8_cut_chars(str_trim(b->text), plan->pref->preview));
	wbxml_close(w, AIRSYNCBASE_BODY);
}

static unsigned native_type(const struct mail_part *root)
{
	const struct mail_part *plain, *html;

	email_bodies(root, &plain, &html);
	return html ? BODY_HTML : BODY_PLAIN;
}

static void write_verbs(
	unsigned flags, int64_t received, struct arena *a, struct wbxml_writer *w)
{
	if (!(flags & (MAIL_ANSWERED | MAIL_FORWARDED)))
		return;
	wbxml_int(w, EMAIL2_LAST_VERB_EXECUTED,
		flags & MAIL_ANSWERED ? VERB_REPLIED : VERB_FORWARDED);
	wbxml_text(w, EMAIL2_LAST_VERB_EXECUTION_TIME, clock_dashed(a, received));
}

enum rc email_write(const struct email_plan *plan, const struct email_options *o,
	struct str server_id, struct arena *a, struct wbxml_writer *w, struct err *err)
{
	const struct mail_summary *m = plan->summary;
	struct str subject, topic;
	struct body body;
	enum rc rc;

	if (!m->root)
		return err_set_why(err, RC_INVALID, ERR_BAD_MIME,
			"message %.*s has no readable structure", STR_FMT(server_id));
	rc = make_body(plan, o, a, &body, err);
	if (rc)
		return rc;
	subject = header_text(m->header, "Subject", a);
	topic = header_topic(subject);
	write_recipients(m->header, o->version, a, w);
	wbxml_text_if(w, EMAIL_SUBJECT, subject);
	wbxml_text(w, EMAIL_DATE_RECEIVED, clock_dashed(a, m->received));
	write_display_to(m->header, a, w);
	wbxml_text_if(w, EMAIL_THREAD_TOPIC, topic);
	wbxml_int(w, EMAIL_IMPORTANCE, importance(m->header, a));
	wbxml_bool(w, EMAIL_READ, m->flags.flags & MAIL_SEEN);
	email_write_attachments(plan, o, server_id, a, w);
	if (o->version < V120)
		write_body_25(plan, &body, w);
	else
		write_body(plan, o, &body, w);
	wbxml_cstr(w, EMAIL_MESSAGE_CLASS, message_class(m->root));
	wbxml_int(w, EMAIL_INTERNET_CPID, 65001);
	if (o->version < V120)
		return RC_OK;
	write_flag(m->flags.flags, w);
	wbxml_cstr(w, EMAIL_CONTENT_CLASS, "urn:content-classes:message");
	wbxml_int(w, AIRSYNCBASE_NATIVE_BODY_TYPE, native_type(m->root));
	if (o->version < V140)
		return RC_OK;
	write_conversation(m, topic, a, w);
	write_verbs(m->flags.flags, m->received, a, w);
	write_categories(m->flags.keywords, w);
	return RC_OK;
}

void email_write_flags(
	unsigned changed, unsigned flags, enum eas_version v, struct wbxml_writer *w)
{
	if (changed & MAIL_SEEN)
		wbxml_bool(w, EMAIL_READ, flags & MAIL_SEEN);
	if (changed & MAIL_FLAGGED && v >= V120)
		write_flag(flags, w);
	if (changed & (MAIL_ANSWERED | MAIL_FORWARDED) && v >= V140)
		wbxml_int(w, EMAIL2_LAST_VERB_EXECUTED,
			flags & MAIL_ANSWERED    ? VERB_REPLIED
			: flags & MAIL_FORWARDED ? VERB_FORWARDED
						 : 0);
}

/* classes.md 1.2, leniently: HTC and Nine send an empty Flag or only its Status. */
static enum rc read_flag(const struct elem *flag, struct mail_flag_change *c, struct err *err)
{
	uint32_t status = elem_u32(flag, EMAIL_STATUS, 0);

	if (status > 2)
		return err_set(err, RC_INVALID, "a Flag Status of %u", status);
	if (status == 2)
		c->set |= MAIL_FLAGGED;
	else
		c->clear |= MAIL_FLAGGED;
	return RC_OK;
}

enum rc email_read_change(const struct elem *data, enum eas_version v,
	struct mail_flag_change *c, struct err *err)
{
	struct str read = elem_text(data, EMAIL_READ);
	const struct elem *flag = elem_child(data, EMAIL_FLAG);

	if (read.p) {
		if (read.n && !str_is(read, "0") && !str_is(read, "1"))
			return err_set(err, RC_INVALID, "Read is neither 0 nor 1");
		if (elem_bool(data, EMAIL_READ, false))
			c->set |= MAIL_SEEN;
		else
			c->clear |= MAIL_SEEN;
	}
	return flag && v >= V120 ? read_flag(flag, c, err) : RC_OK;
}
