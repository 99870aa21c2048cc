/*
 * MeetingResponse, [MS-ASCMD] 2.2.1.11, up to version 14.1 (S17, C53, C54): the event gets into
 * the user's calendar, or out of it, and the invitation leaves its folder (K21).
 *
 * Each step may be the last one of a request whose worker dies, or whose answer gets lost, and
 * then all come again: the calendar object has one name (K10), a mail to the organizer goes out
 * once (K14), and what was answered is noted before the invitation is moved away, so that it is
 * known when it cannot be found any more.
 */
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/cmd/command.h"
#include "core/cmd/item_ref.h"
#include "core/cmd/quirks.h"
#include "core/cmd/sending.h"
#include "core/cmd/servers.h"
#include "core/cmd/status.h"
#include "core/map/email_parts.h"
#include "core/map/server_id.h"
#include "core/sync/meetings.h"

#include <glib.h>

/* [MS-ASCMD] 2.2.3.177.9 */
enum { MEETING_INVALID = 2, MEETING_MAILBOX_ERROR = 3, MEETING_SERVER_ERROR = 4 };
enum { REQUESTS_MAX = 100, ICS_BYTES_MAX = 2 * 1024 * 1024 };

struct response {
	struct request *rq;
	struct services *sv;
	/* Of the device */
	struct str collection, request_id, long_id, instance;
	/* Found */
	struct item_ref ref;
	struct item_source calendar;
	struct folders all;
	bool is_mail, has_calendar;
	struct meeting m;
	/* To be told */
	unsigned status; /* 0: it is still to be done */
	struct str calendar_id;
};

static void read_request(struct response *r, const struct elem *e)
{
	bool has_instance = elem_has(e, MEETINGRESPONSE_INSTANCE_ID);
	uint32_t answer = elem_u32(e, MEETINGRESPONSE_USER_RESPONSE, 0);

	r->collection = elem_text(e, MEETINGRESPONSE_COLLECTION_ID);
	r->request_id = elem_text(e, MEETINGRESPONSE_REQUEST_ID);
	r->long_id = elem_text(e, SEARCH_LONG_ID);
	r->instance = elem_text(e, MEETINGRESPONSE_INSTANCE_ID);
	r->m.invite = (struct invite){.answer = (enum invite_answer)answer,
		.user = sending_address(r->rq),
		.has_instance = has_instance,
		.now = clock_now()};
	if (r->long_id.n && (r->request_id.n || r->collection.n || has_instance))
		r->status = r->rq->version < V140 ? MEETING_INVALID
						  : STATUS_INVALID_COMBINATION_OF_IDS;
	else if (answer < INVITE_ACCEPT || answer > INVITE_DECLINE ||
		 (has_instance && r->rq->version < V141))
		r->status = MEETING_INVALID;
	else if (has_instance && clock_parse(r->instance, &r->m.invite.instance))
		r->status = STATUS_INVALID_DATE_TIME;
}

/* ---- what was answered before ---- */

/* The invitation as the device names it. */
static struct str name_of(const struct response *r)
{
	return r->long_id.n ? r->long_id : r->request_id;
}

/* The last answer to it stands in the table of moved items, where no ServerId looks like this.
 */
static struct str answer_key(const struct response *r)
{
	return arena_printf(
		r->rq->arena, "answer %.*s %.*s", STR_FMT(name_of(r)), STR_FMT(r->instance));
}

static enum rc note(const struct response *r, struct str from, struct str to, struct err *err)
{
	struct moved row = {from, to};

	return state_call(r->sv->state, moved_add, &r->rq->device, &row, 1, err);
}

static enum rc note_answer(const struct response *r, struct err *err)
{
	return note(r, answer_key(r),
		arena_printf(
			r->rq->arena, "%u %.*s", r->m.invite.answer, STR_FMT(r->calendar_id)),
		err);
}

/* It is gone. RC_ABSENT: this was not the last answer to it. */
static enum rc recall(struct response *r, struct err *err)
{
	struct str id, answer;
	uint32_t last = 0;
	enum rc rc = state_call(r->sv->state, moved_find, &r->rq->device, answer_key(r),
		r->rq->arena, &id, err);

	if (rc)
		return rc;
	(void)(str_next(&id, ' ', &answer) && str_u32(answer, &last));
	if (last != r->m.invite.answer)
		return err_set(err, RC_ABSENT, "that was not the answer");
	r->status = STATUS_OK;
	r->calendar_id = id;
	return RC_OK;
}

/* ---- the invitation ---- */

/* The text of an invitation; STR_NONE: the message has none. RC_ABSENT: it is not there. */
static enum rc read_mail(struct response *r, struct str *ics_r, struct err *err)
{
	struct arena *a = r->rq->arena;
	const struct folder *f = &r->ref.folder;
	struct mail_summaries s = {NULL, 0};
	struct email_plan plan = {.nparts = 1};
	struct email_extra extra;
	const struct mail_part *part;
	struct uidset one;
	enum rc rc;

	*ics_r = STR_NONE;
	uidset_init(&one, a);
	uidset_add(&one, r->ref.uid);
	rc = mail_call(r->sv->mail, summaries, f->path, &one, NULL, a, &s, err);
	if (rc)
		return rc;
	if (s.n == 0 || s.v[0].flags.flags & MAIL_DELETED)
		return err_set(err, RC_ABSENT, "the invitation is gone");
	part = email_extra_part(s.v[0].root);
	if (!part || part->size > ICS_BYTES_MAX)
		return RC_OK;
	plan.summary = &s.v[0];
	plan.part[0] = part;
	plan.parts[0] = (struct mail_part_request){.uid = r->ref.uid, .section = part->section};
	rc = mail_call(r->sv->mail, parts, f->path, plan.parts, 1, a, err);
	if (rc)
		return rc;
	email_read_extra(&plan, a, &extra);
	if (extra.meeting == MEETING_REQUEST)
		*ics_r = extra.bytes;
	return RC_OK;
}

/* Where it was moved after an answer: the user may have changed his mind. */
static enum rc follow(struct response *r, struct err *err)
{
	struct str to;
	enum rc rc = state_call(
		r->sv->state, moved_find, &r->rq->device, name_of(r), r->rq->arena, &to, err);

	if (rc == RC_OK)
		rc = item_ref_find(r->rq, r->sv, STR_NONE, to, STR_NONE, &r->ref, err);
	if (rc == RC_OK && r->ref.folder.kind != FOLDER_MAIL)
		rc = RC_ABSENT;
	return rc ? rc : read_mail(r, &r->m.invite.request, err);
}

static enum rc find_mail(struct response *r, struct err *err)
{
	enum rc rc = read_mail(r, &r->m.invite.request, err);

	if (rc == RC_ABSENT) {
		err_clear(err);
		rc = follow(r, err);
	}
	if (rc != RC_ABSENT && rc != RC_INVALID)
		return rc;
	err_clear(err);
	return recall(r, err);
}

static enum rc open_calendar(struct response *r, const struct folder *f, struct err *err)
{
	enum rc rc = servers_items(r->rq, r->sv, f, &r->calendar, err);

	r->has_calendar = rc == RC_OK && r->calendar.class && r->calendar.dav;
	if (r->has_calendar)
		r->m.calendar = &r->calendar;
	return rc;
}

/* The default calendar; the event may be in any other. A device may answer before it asked for
 * folders since there is one. */
static enum rc find_calendar(struct response *r, struct err *err)
{
	struct folder_servers servers = servers_of(r->rq, r->sv);
	const struct folder *f;
	enum rc rc = r->sv->calendars ? state_call(r->sv->state, folders_load, &r->rq->account,
						r->rq->arena, &r->all, err)
				      : RC_ABSENT;

	if (rc)
		return rc == RC_ABSENT ? RC_OK : rc;
	f = folders_of_type(&r->all, TYPE_CALENDAR);
	if (!f) {
		rc = folders_refresh(&servers, r->rq->arena, &r->all, err);
		if (rc)
			return rc;
		f = folders_of_type(&r->all, TYPE_CALENDAR);
	}
	r->m.all = &r->all;
	return f ? open_calendar(r, f, err) : RC_OK;
}

/* clients.md: iOS and Outlook name the event in the calendar, where there is one. */
static enum rc find_event(struct response *r, struct err *err)
{
	enum rc rc = open_calendar(r, &r->ref.folder, err);

	if (rc == RC_OK && !r->has_calendar)
		rc = err_set(err, RC_ABSENT, "there is no calendar server");
	r->m.item = r->ref.uid;
	return rc;
}

/* What the device means, and where it is to go. */
static enum rc find(struct response *r, struct err *err)
{
	enum rc rc = item_ref_find(
		r->rq, r->sv, r->collection, r->request_id, r->long_id, &r->ref, err);

	if (rc)
		return rc;
	r->is_mail = r->ref.folder.kind == FOLDER_MAIL;
	if (r->ref.folder.kind == FOLDER_CALENDAR)
		return find_event(r, err);
	if (!r->is_mail)
		return err_set(err, RC_INVALID, "there are no invitations in such a folder");
	rc = find_mail(r, err);
	if (rc || r->status)
		return rc;
	if (!r->m.invite.request.p)
		return err_set(err, RC_INVALID, "the message is no invitation");
	return find_calendar(r, err);
}

static enum rc look(struct response *r, struct err *err)
{
	struct str none;
	enum rc rc;

	if (r->has_calendar) {
		rc = meetings_find(&r->m, err);
		if (rc != RC_ABSENT || !r->m.item)
			return rc;
		err_clear(err);
		/* It may be gone because of that. */
		if (r->m.invite.answer == INVITE_DECLINE)
			rc = recall(r, err);
		if (rc == RC_ABSENT)
			r->status = MEETING_INVALID;
		return rc == RC_ABSENT ? RC_OK : rc;
	}
	/* What was never stored can be declined. */
	r->m.result = invite_about(&r->m.invite, r->rq->arena, &r->m.about)
			      ? invite_apply(&r->m.invite, r->rq->arena, &none)
			      : INVITE_NO_REQUEST;
	if (!r->m.result && r->m.invite.answer != INVITE_DECLINE)
		r->status = MEETING_SERVER_ERROR;
	return RC_OK;
}

static unsigned refusal(enum invite_result result)
{
	static const unsigned by_result[] = {[INVITE_NO_REQUEST] = MEETING_INVALID,
		[INVITE_OLDER] = MEETING_INVALID,
		[INVITE_NOT_RECURRING] = STATUS_NO_RECURRENCE,
		[INVITE_NO_INSTANCE] = MEETING_INVALID,
		[INVITE_UNREADABLE] = MEETING_MAILBOX_ERROR};

	return by_result[result];
}

/* ---- the mail to the organizer ---- */

static struct str digest(const struct response *r, struct str text)
{
	char *sum = g_compute_checksum_for_data(
		G_CHECKSUM_SHA1, (const unsigned char *)text.p, text.n);
	struct str hex = arena_str(r->rq->arena, str_of(sum));

	g_free(sum);
	return hex;
}

/*
 * Of one event, or one occurrence that the organizer wrote of alone, one decision is told once.
 * What was told last, and how often there was something to tell, is noted: who says yes, no,
 * and yes again has decided three times.
 */
struct told {
	struct str key;
	uint32_t count, answer;
};

static enum rc told_before(const struct response *r, struct told *t, struct err *err)
{
	struct arena *a = r->rq->arena;
	struct str last, count;
	enum rc rc;

	*t = (struct told){.count = 0};
	t->key = arena_printf(a, "told %.*s",
		STR_FMT(digest(
			r, arena_printf(a, "%.*s\n%u\n%.*s\n%.*s", STR_FMT(r->m.about.uid),
				   r->m.about.sequence, STR_FMT(r->instance),
				   STR_FMT(r->m.about.occurrence)))));
	rc = state_call(r->sv->state, moved_find, &r->rq->device, t->key, a, &last, err);
	if (rc == RC_OK && str_next(&last, ' ', &count)) {
		(void)str_u32(count, &t->count);
		(void)str_u32(last, &t->answer);
	}
	if (rc == RC_ABSENT)
		err_clear(err);
	return rc == RC_ABSENT ? RC_OK : rc;
}

static enum rc send(const struct response *r, struct str client_id, struct err *err)
{
	struct outgoing_change change = {.address = sending_address(r->rq)};
	struct sending mail = {.client_id = client_id, .save = true};
	enum rc rc;

	mail.mime = invite_mail(&r->m.invite, r->rq->arena);
	if (!mail.mime.p)
		return err_set_why(err, RC_DENIED, ERR_NO_RECIPIENT, "there is no organizer");
	rc = state_call(r->sv->state, sent_claim, &r->rq->device, client_id, err);
	if (rc == RC_CONFLICT) {
		err_clear(err);
		return RC_OK;
	}
	return rc ? rc : sending_send(r->rq, r->sv, &mail, &change, err);
}

/* K9: for devices that do not do it. */
static enum rc tell_organizer(const struct response *r, struct err *err)
{
	struct arena *a = r->rq->arena;
	struct told t;
	enum rc rc;

	if (!(quirks_of_program(r->rq->user_agent) & QUIRK_NO_REPLY))
		return RC_OK;
	rc = told_before(r, &t, err);
	if (rc || t.answer == r->m.invite.answer)
		return rc;
	rc = send(r,
		digest(r, arena_printf(a, "%.*s %u %u", STR_FMT(t.key), t.count + 1,
				  r->m.invite.answer)),
		err);
	return rc ? rc
		  : note(r, t.key, arena_printf(a, "%u %u", t.count + 1, r->m.invite.answer),
			    err);
}

/* ---- the end ---- */

/* K21. A folder that only may be read keeps it: that is for the log. */
static enum rc move_to_trash(const struct response *r, struct err *err)
{
	struct folder_servers servers = servers_of(r->rq, r->sv);
	const struct folder *f = &r->ref.folder;
	struct mail_move move = {.uid = r->ref.uid};
	struct arena *a = r->rq->arena;
	struct folder trash;
	enum rc rc;

	if (!r->is_mail || f->type == TYPE_TRASH)
		return RC_OK;
	rc = folders_need(&servers, TYPE_TRASH, r->rq->conf->trash_name, a, &trash, err);
	if (rc == RC_OK)
		rc = mail_call(
			r->sv->mail, move, f->path, f->uidvalidity, trash.path, &move, 1, err);
	if (rc == RC_OK && move.rc == RC_OK && move.new_uid)
		return note(r, name_of(r), server_id_format(a, trash.id, move.new_uid), err);
	if (rc == RC_OK || rc == RC_UNAVAILABLE)
		return rc;
	log_warning("an invitation was answered, but stays where it is: %s", err->text);
	err_clear(err);
	return RC_OK;
}

static enum rc store(struct response *r, struct err *err)
{
	enum rc rc = r->has_calendar ? meetings_answer(&r->m, err) : RC_OK;

	if (rc == RC_OK && r->m.result)
		r->status = refusal(r->m.result);
	if (rc == RC_OK && r->m.number && r->m.invite.answer != INVITE_DECLINE)
		r->calendar_id = server_id_format(r->rq->arena, r->m.shown_in, r->m.number);
	return rc;
}

/* One who declines is not told to be coming after all, whatever fails: his mail goes out while
 * the event is still there to be declined. */
static enum rc carry_out(struct response *r, struct err *err)
{
	bool declined = r->m.invite.answer == INVITE_DECLINE;
	enum rc rc = declined ? tell_organizer(r, err) : RC_OK;

	if (rc == RC_OK)
		rc = store(r, err);
	if (rc || r->status)
		return rc;
	if (!declined)
		rc = tell_organizer(r, err);
	if (rc == RC_OK)
		rc = note_answer(r, err);
	if (rc == RC_OK)
		rc = move_to_trash(r, err);
	if (rc == RC_OK)
		r->status = STATUS_OK;
	return rc;
}

static bool is_nothing(enum rc rc)
{
	return rc == RC_INVALID || rc == RC_ABSENT;
}

static enum rc respond(struct response *r, struct err *err)
{
	enum rc rc = find(r, err);

	if (is_nothing(rc))
		r->status = MEETING_INVALID;
	if (rc || r->status)
		return is_nothing(rc) ? RC_OK : rc;
	rc = look(r, err);
	if (rc == RC_OK && !r->status && r->m.result)
		r->status = refusal(r->m.result);
	return rc || r->status ? rc : carry_out(r, err);
}

/* RC_UNAVAILABLE: all of it comes again; anything else is a matter of the one meeting. */
static enum rc respond_to(struct response *r, struct err *err)
{
	enum rc rc = r->status ? RC_OK : respond(r, err);

	if (rc == RC_UNAVAILABLE || rc == RC_INTERNAL)
		return rc;
	if (rc) {
		r->status = rc == RC_CONFLICT || err->why == ERR_NO_RECIPIENT ||
					    err->why == ERR_BAD_RECIPIENT ||
					    err->why == ERR_REFUSED
				    ? MEETING_SERVER_ERROR
				    : MEETING_MAILBOX_ERROR;
		log_warning("an invitation could not be answered: %s", err->text);
	}
	err_clear(err);
	return RC_OK;
}

static void write_result(const struct response *r, struct wbxml_writer *w)
{
	wbxml_open(w, MEETINGRESPONSE_RESULT);
	if (r->request_id.n)
		wbxml_text(w, MEETINGRESPONSE_REQUEST_ID, r->request_id);
	wbxml_int(w, MEETINGRESPONSE_STATUS, r->status);
	if (r->status == STATUS_OK && r->calendar_id.n)
		wbxml_text(w, MEETINGRESPONSE_CALENDAR_ID, r->calendar_id);
	if (r->instance.n && r->rq->version >= V141)
		wbxml_text(w, MEETINGRESPONSE_INSTANCE_ID, r->instance);
	wbxml_close(w, MEETINGRESPONSE_RESULT);
}

enum rc cmd_meeting_response(
	struct request *rq, struct services *sv, struct reply *rp, struct err *err)
{
	size_t n = elem_count(rq->doc, MEETINGRESPONSE_REQUEST), i = 0;
	struct response *v = ARENA_ARRAY(rq->arena, struct response, n + 1);
	struct wbxml_writer *w;

	if (n == 0 || n > REQUESTS_MAX)
		return err_set(err, RC_INVALID, "%zu answers in one request", n);
	for (const struct elem *e = elem_child(rq->doc, MEETINGRESPONSE_REQUEST); e;
		e = elem_again(e), i++) {
		enum rc rc;

		v[i] = (struct response){.rq = rq, .sv = sv};
		read_request(&v[i], e);
		rc = respond_to(&v[i], err);
		if (rc)
			return rc;
	}
	w = reply_wbxml(rp);
	wbxml_open(w, MEETINGRESPONSE_MEETING_RESPONSE);
	for (i = 0; i < n; i++)
		write_result(&v[i], w);
	wbxml_close(w, MEETINGRESPONSE_MEETING_RESPONSE);
	return RC_OK;
}
