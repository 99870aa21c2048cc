/*
 * SmartReply and SmartForward, [MS-ASCMD] 2.2.1.19 and 2.2.1.20: the device sends only what its
 * user wrote, the server adds the original (S10, S11, C48-C50), a mail or an appointment (U13).
 */
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/cmd/command.h"
#include "core/cmd/forward_meeting.h"
#include "core/cmd/item_ref.h"
#include "core/cmd/sending.h"
#include "core/cmd/smart_event.h"
#include "core/cmd/smart_source.h"
#include "core/cmd/status.h"
#include "core/map/charset.h"
#include "core/map/compose.h"
#include "core/map/decode.h"
#include "core/map/email_parts.h"
#include "core/map/invite_forward.h"
#include "core/sync/mail_notes.h"

enum {
	TEXT_MAX = 4 * 1024 * 1024, /* of the original: a longer one is attached whole */
	ATTACHMENTS_MAX = 200,      /* likewise with more of them */
};

struct smart {
	struct request *rq;
	struct services *sv;
	bool forward, replace_mime;
	struct sending m;
	struct item_ref source;
	bool found; /* the original is there: */
	bool is_event;
	struct mail_summary original;
	struct invite_quote quote;
};

static enum rc find_mail(struct smart *s, struct err *err)
{
	struct arena *a = s->rq->arena;
	struct mail_summaries r = {NULL, 0};
	struct uidset one;
	enum rc rc;

	uidset_init(&one, a);
	uidset_add(&one, s->source.uid);
	rc = mail_call(s->sv->mail, summaries, s->source.folder.path, &one, NULL, a, &r, err);
	s->found = rc == RC_OK && r.n && !(r.v[0].flags.flags & MAIL_DELETED);
	if (s->found)
		s->original = r.v[0];
	return rc;
}

static enum rc find_event(
	struct smart *s, const struct smart_source *source, unsigned *status_r, struct err *err)
{
	struct invite_forward f = {.user = sending_address(s->rq),
		.has_instance = source->has_instance,
		.instance = source->instance,
		.now = clock_now()};
	struct smart_event e;
	enum rc rc = smart_event_open(&e, s->rq, s->sv, &s->source, err);

	if (rc)
		return rc;
	f.stored = e.object.bytes;
	*status_r = smart_source_refusal(invite_quote(&f, s->rq->arena, &s->quote));
	s->found = s->is_event = *status_r == 0;
	return RC_OK;
}

/* The original, if it is there; status_r: why not, where that is known. */
static enum rc find_original(
	struct smart *s, const struct smart_source *source, unsigned *status_r, struct err *err)
{
	enum rc rc = RC_ABSENT;

	if (source->item.n || source->long_id.n)
		rc = item_ref_find(s->rq, s->sv, source->folder, source->item, source->long_id,
			&s->source, err);
	if (rc == RC_OK && s->source.folder.kind == FOLDER_MAIL)
		rc = find_mail(s, err);
	else if (rc == RC_OK && s->source.folder.kind == FOLDER_CALENDAR)
		rc = find_event(s, source, status_r, err);
	/* Up to 12.1 a mail goes out without what it is about: it does not wait for a calendar
	 * server. */
	if (rc && rc != RC_INTERNAL && s->rq->version < V140 &&
		s->source.folder.kind == FOLDER_CALENDAR) {
		log_warning("a mail goes without the appointment: %s", err ? err->text : "");
		err_clear(err);
		return RC_OK;
	}
	return rc == RC_ABSENT || rc == RC_INVALID ? RC_OK : rc;
}

/* What is read of the original before it is put together. */
struct pieces {
	const struct mail_part *plain, *html;
	const struct mail_part *attached[ATTACHMENTS_MAX + 1];
	size_t nattached;
	struct mail_part_request q[ATTACHMENTS_MAX + 2]; /* the two texts, then MIME fields */
	size_t nq;
	struct compose_original text;
};

static struct str read_text(
	const struct mail_part *p, const struct mail_part_request *q, struct arena *a)
{
	struct str s = q->bytes;

	if (!p || !s.p)
		return STR_NONE;
	return charset_to_utf8(decode_bytes(s, p->encoding, a), p->charset, a);
}

static void ask(struct smart *s, struct pieces *x, struct str section)
{
	x->q[x->nq++] = (struct mail_part_request){.uid = s->source.uid, .section = section};
}

/* Texts in one trip, the MIME fields of what is attached in a second one. */
static enum rc read_pieces(struct smart *s, struct pieces *x, struct err *err)
{
	struct arena *a = s->rq->arena;
	struct mail *mail = s->sv->mail;
	struct str path = s->source.folder.path;
	size_t first;
	enum rc rc = RC_OK;

	email_bodies(s->original.root, &x->plain, &x->html);
	if (x->plain)
		ask(s, x, x->plain->section);
	if (x->html)
		ask(s, x, x->html->section);
	if (x->nq)
		rc = mail_call(mail, parts, path, x->q, x->nq, a, err);
	if (rc)
		return rc;
	x->text = (struct compose_original){
		.header = s->original.header, .received = s->original.received};
	x->text.plain = read_text(x->plain, &x->q[0], a);
	x->text.html = read_text(x->html, &x->q[x->plain ? 1 : 0], a);
	x->nattached = compose_attachments(s->original.root, s->forward,
		x->text.html.p ? x->text.html : (struct str){"", 0}, x->attached,
		ATTACHMENTS_MAX + 1);
	first = x->nq;
	/* The one part of a message has the message's own fields. */
	if (!s->original.root->child || x->nattached > ATTACHMENTS_MAX)
		return RC_OK;
	for (size_t i = 0; i < x->nattached; i++)
		ask(s, x, arena_printf(a, "%.*s.MIME", STR_FMT(x->attached[i]->section)));
	return x->nq > first ? mail_call(mail, parts, path, x->q + first, x->nq - first, a, err)
			     : RC_OK;
}

static bool too_large(const struct mail_part *p)
{
	return p && p->size > TEXT_MAX;
}

/* Whether the original is better attached as it is: sealed, unreadable, or huge. */
static bool attach_whole(const struct smart *s)
{
	const struct mail_part *plain, *html;

	if (!s->original.root || email_is_smime(s->original.root))
		return true;
	email_bodies(s->original.root, &plain, &html);
	return too_large(plain) || too_large(html);
}

static enum rc stream_part(struct smart *s, struct compose *c, struct str section,
	struct str fields, struct err *err)
{
	enum rc rc = compose_part(c, fields, err);

	return rc ? rc
		  : mail_call(s->sv->mail, stream, s->source.folder.path, s->source.uid,
			    section, 0, 0, s->sv->scratch, err);
}

static enum rc compose_whole(struct smart *s, struct err *err)
{
	struct compose_original none = {.plain = STR_NONE};
	struct arena *a = s->rq->arena;
	struct compose c;
	/* A reply to what cannot be quoted has nothing to add. */
	enum rc rc = compose_open(
		&c, s->m.mime, &none, s->forward, s->forward, s->sv->scratch, a, err);

	if (rc == RC_OK && s->forward)
		rc = stream_part(s, &c, (struct str){"", 0},
			compose_message_fields(s->original.header, a), err);
	return rc ? rc : compose_close(&c, err);
}

static enum rc compose_pieces(struct smart *s, struct err *err)
{
	struct arena *a = s->rq->arena;
	struct pieces *x = ARENA_NEW(a, struct pieces);
	size_t first;
	struct compose c;
	enum rc rc = read_pieces(s, x, err);

	if (rc)
		return rc;
	if (x->nattached > ATTACHMENTS_MAX)
		return compose_whole(s, err);
	rc = compose_open(
		&c, s->m.mime, &x->text, s->forward, x->nattached > 0, s->sv->scratch, a, err);
	first = x->nq - (s->original.root->child ? x->nattached : 0);
	for (size_t i = 0; i < x->nattached && rc == RC_OK; i++) {
		const struct mail_part *p = x->attached[i];
		struct str mime = first + i < x->nq ? x->q[first + i].bytes : STR_NONE;

		rc = stream_part(s, &c, p->section, compose_fields(p, mime, a), err);
	}
	return rc ? rc : compose_close(&c, err);
}

/* A reply has its text; a forward the event as well. */
static enum rc compose_event(struct smart *s, struct err *err)
{
	const struct invite_quote *q = &s->quote;
	struct compose_original original = {
		.header = q->header, .received = q->stamp, .plain = q->text, .html = STR_NONE};
	struct compose c;
	enum rc rc = compose_open(&c, s->m.mime, &original, s->forward, s->forward,
		s->sv->scratch, s->rq->arena, err);

	if (rc == RC_OK && s->forward)
		rc = compose_part(&c, q->fields, err);
	if (rc == RC_OK && s->forward)
		rc = sink_write(s->sv->scratch, q->part, err);
	return rc ? rc : compose_close(&c, err);
}

/* The entity with the original in it; STR_NONE where the device's own is to stay. */
static enum rc compose_entity(struct smart *s, struct str *entity_r, struct err *err)
{
	enum rc rc;

	*entity_r = STR_NONE;
	if (!s->found || s->replace_mime || compose_is_sealed(s->m.mime, s->rq->arena))
		return RC_OK;
	rc = s->is_event       ? compose_event(s, err)
	     : attach_whole(s) ? compose_whole(s, err)
			       : compose_pieces(s, err);
	if (rc == RC_OK)
		rc = s->sv->scratch_bytes(s->sv, entity_r, err);
	/* What vanishes half way is not there: the device learns it. */
	return rc;
}

/* K6: other clients see what was done with it. The mail is out, so this only goes to the log.
 */
static void mark(struct smart *s)
{
	struct mail_flag_change change = {
		.uid = s->source.uid, .set = s->forward ? MAIL_FORWARDED : MAIL_ANSWERED};
	struct folder *f = &s->source.folder;
	struct err why = ERR_INIT;
	enum rc rc;

	if (!s->found || s->is_event)
		return;
	rc = mail_call(s->sv->mail, store, f->path, f->uidvalidity, &change, 1, &why);
	if (rc == RC_OK && s->m.recipients)
		rc = mail_notes_verb(s->sv->state, f, s->source.uid,
			s->forward            ? EMAIL_FORWARDED
			: s->m.recipients > 1 ? EMAIL_REPLIED_ALL
					      : EMAIL_REPLIED,
			s->rq->arena, &why);
	if (rc)
		log_warning(
			"a mail was sent, but the original could not be marked: %s", why.text);
}

static enum rc send(struct smart *s, struct err *err)
{
	struct arena *a = s->rq->arena;
	struct outgoing_change change = {.address = sending_address(s->rq)};
	size_t body;
	enum rc rc = compose_entity(s, &change.entity, err);

	if (rc) {
		sending_drop(s->rq, s->sv, &s->m);
		return rc;
	}
	if (s->found && !s->is_event)
		change.header = compose_references(
			outgoing_header(s->m.mime, &body), s->original.header, a);
	return sending_send(s->rq, s->sv, &s->m, &change, err);
}

static enum rc smart(struct request *rq, struct services *sv, struct reply *rp, bool forward,
	struct err *err)
{
	struct smart s = {.rq = rq,
		.sv = sv,
		.forward = forward,
		.replace_mime = elem_has(rq->doc, COMPOSEMAIL_REPLACE_MIME)};
	struct smart_source source;
	unsigned status, refused = smart_source_read(rq, &source);
	enum rc rc = sending_read(rq, &s.m, &status, err);

	if (rc)
		return rc;
	if (!status)
		status = refused;
	if (!status) {
		rc = find_original(&s, &source, &status, err);
		if (rc)
			return rc;
		/* Up to 12.1 there is no way to tell: the mail goes out without it. */
		if (rq->version < V140)
			status = 0;
		else if (!s.found && !status)
			status = STATUS_ITEM_NOT_FOUND;
	}
	if (status) {
		status_fail(rq, rp, status);
		return RC_OK;
	}
	rc = sending_claim(rq, sv, rp, &s.m, err);
	if (rc == RC_OK)
		rc = send(&s, err);
	else if (rc != RC_CONFLICT)
		return rc;
	if (rc && rc != RC_CONFLICT)
		return rc;
	/* A try that died behind the sending has not marked it. */
	mark(&s);
	if (rc == RC_OK)
		rp->status = STATUS_OK;
	return RC_OK;
}

enum rc cmd_smart_reply(
	struct request *rq, struct services *sv, struct reply *rp, struct err *err)
{
	return smart(rq, sv, rp, false, err);
}

enum rc cmd_smart_forward(
	struct request *rq, struct services *sv, struct reply *rp, struct err *err)
{
	return forward_meeting_asked(rq) ? forward_meeting(rq, sv, rp, err)
					 : smart(rq, sv, rp, true, err);
}
