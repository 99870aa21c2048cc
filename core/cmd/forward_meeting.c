#include "core/cmd/forward_meeting.h"

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/cmd/sending.h"
#include "core/cmd/smart_event.h"
#include "core/cmd/smart_source.h"
#include "core/cmd/status.h"
#include "core/map/body.h"
#include "core/map/invite_forward.h"

/* Every one of them is compared with everybody who is invited. */
enum { FORWARDEES_MAX = 200 };

struct forwarding {
	struct request *rq;
	struct services *sv;
	struct sending m;
	struct invite_forward f;
	struct smart_event event;
};

bool forward_meeting_asked(const struct request *rq)
{
	return rq->version >= V160 && (elem_has(rq->doc, COMPOSEMAIL_FORWARDEES) ||
					      elem_has(rq->doc, AIRSYNCBASE_BODY));
}

/* [MS-ASCMD] 2.2.3.169: there is nothing that a mail of the device's could be for. */
static bool is_mixed(const struct elem *doc)
{
	static const tag_t others[] = {COMPOSEMAIL_MIME, COMPOSEMAIL_SAVE_IN_SENT_ITEMS,
		COMPOSEMAIL_REPLACE_MIME, RM_TEMPLATE_ID};

	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		if (elem_has(doc, others[i]))
			return true;
	return false;
}

static bool is_named(const struct invite_forward *f, struct str email)
{
	for (size_t i = 0; i < f->n; i++)
		if (str_ieq(f->to[i].email, email))
			return true;
	return false;
}

/* One that nobody can be reached at spoils it all: the user has to know. */
static bool read_forwardees(struct forwarding *x)
{
	const struct elem *all = elem_child(x->rq->doc, COMPOSEMAIL_FORWARDEES);
	struct forwardee *v = ARENA_ARRAY(x->rq->arena, struct forwardee, FORWARDEES_MAX);

	x->f.to = v;
	for (const struct elem *e = all ? all->child : NULL; e; e = e->next) {
		struct str email = str_trim(elem_text(e, COMPOSEMAIL_EMAIL));

		if (e->tag != COMPOSEMAIL_FORWARDEE || !invite_forward_address(email))
			return false;
		if (is_named(&x->f, email))
			continue;
		if (x->f.n == FORWARDEES_MAX)
			return false;
		v[x->f.n++] = (struct forwardee){email, elem_text(e, COMPOSEMAIL_NAME)};
	}
	return x->f.n > 0 || !all;
}

static bool read_text(struct forwarding *x)
{
	static const struct body_tags none = {0};
	const struct elem *body = elem_child(x->rq->doc, AIRSYNCBASE_BODY);

	/* Without Data there is nothing that the user wrote. */
	return !elem_text(body, AIRSYNCBASE_DATA).n ||
	       body_read(x->rq->doc, &none, x->rq->arena, &x->f.text);
}

static unsigned read_request(struct forwarding *x, struct smart_source *source)
{
	const struct elem *doc = x->rq->doc;
	unsigned status;

	if (is_mixed(doc))
		return STATUS_INVALID_MIME_BODY_COMBINATION;
	status = smart_source_read(x->rq, source);
	if (status)
		return status;
	x->f.has_instance = source->has_instance;
	x->f.instance = source->instance;
	if (!read_forwardees(x) || !read_text(x))
		return STATUS_INVALID_SMART_FORWARD;
	return x->f.n ? 0 : STATUS_NO_RECIPIENT;
}

/* The mail. status_r: why there is none. */
static enum rc compose(struct forwarding *x, const struct smart_source *source,
	unsigned *status_r, struct err *err)
{
	struct item_ref ref;
	enum rc rc = item_ref_find(
		x->rq, x->sv, source->folder, source->item, source->long_id, &ref, err);

	if (rc == RC_OK && ref.folder.kind != FOLDER_CALENDAR) {
		*status_r = STATUS_INVALID_SMART_FORWARD;
		return RC_OK;
	}
	if (rc == RC_OK)
		rc = smart_event_open(&x->event, x->rq, x->sv, &ref, err);
	if (rc == RC_ABSENT || rc == RC_INVALID) {
		*status_r = STATUS_ITEM_NOT_FOUND;
		return RC_OK;
	}
	if (rc)
		return rc;
	x->f.stored = x->event.object.bytes;
	*status_r = smart_source_refusal(invite_forward_mail(&x->f, x->rq->arena, &x->m.mime));
	return *status_r || x->m.mime.p
		       ? RC_OK
		       : err_set_why(err, RC_LIMIT, ERR_TOO_LARGE, "the mail is too large");
}

static enum rc put(struct forwarding *x, struct err *err)
{
	struct smart_event *e = &x->event;
	struct str ics, etag;

	x->f.stored = e->object.bytes;
	if (invite_forward_stored(&x->f, x->rq->arena, &ics))
		return err_set(err, RC_INVALID, "what is stored cannot be read any more");
	if (ics.p == x->f.stored.p)
		return RC_OK;
	return dav_call(e->src.dav, put, e->item.href, e->object.etag, e->src.class->type, ics,
		x->rq->arena, &etag, err);
}

/* The organizer's own calendar knows whom he invited. The mail is out, so this only goes to the
 * log. */
static void note(struct forwarding *x)
{
	struct err why = ERR_INIT;
	enum rc rc = put(x, &why);

	/* Somebody else was there first; or it was done, and the answer got lost. */
	if (rc == RC_CONFLICT || rc == RC_UNAVAILABLE) {
		err_clear(&why);
		rc = smart_event_again(&x->event, &why);
		if (rc == RC_OK)
			rc = put(x, &why);
	}
	if (rc)
		log_warning(
			"a meeting was forwarded, but the event does not say so: %s", why.text);
}

enum rc forward_meeting(
	struct request *rq, struct services *sv, struct reply *rp, struct err *err)
{
	struct forwarding x = {.rq = rq, .sv = sv, .f = {.now = clock_now()}};
	struct outgoing_change change = {.address = sending_address(rq)};
	struct smart_source source;
	unsigned status = read_request(&x, &source);
	enum rc rc = RC_OK;

	x.f.user = change.address;
	if (!status)
		rc = sending_read_client(rq, &x.m, &status, err);
	if (rc == RC_OK && !status)
		rc = compose(&x, &source, &status, err);
	if (rc)
		return rc;
	if (status) {
		status_fail(rq, rp, status);
		return RC_OK;
	}
	rc = sending_claim(rq, sv, rp, &x.m, err);
	if (rc == RC_OK)
		rc = sending_send(rq, sv, &x.m, &change, err);
	if (rc && rc != RC_CONFLICT)
		return rc;
	/* A try that died behind the sending has not noted it. */
	note(&x);
	if (rc == RC_OK)
		rp->status = STATUS_OK;
	return RC_OK;
}
