#include "core/cmd/sending.h"

#include "core/base/log.h"
#include "core/cmd/servers.h"
#include "core/cmd/status.h"
#include "core/map/header.h"
#include "core/sync/recipients.h"

#include <glib.h>

enum { CLIENT_ID_MAX = 40, HEADER_MAX = 64 * 1024 };

struct str sending_address(const struct request *rq)
{
	struct str domain =
		rq->conf->mail_domain.n ? rq->conf->mail_domain : rq->conf->login_domain;

	return query_login(rq->user, domain, rq->arena);
}

/* Up to 12.1 a phone names no ClientId. The same beginning, with the same Message-ID, and the
 * same size again are the same mail again, whose answer got lost; the rest of a large mail is
 * not read for that. STR_NONE when it has no Message-ID. */
static struct str own_client_id(struct str mime, struct arena *a)
{
	struct str head = str_sub(mime, 0, HEADER_MAX), text;
	struct str id = header_raw(head, "Message-ID", a);
	gchar *sum;
	struct str r;

	if (!id.n)
		return STR_NONE;
	text = arena_printf(a, "%zu %.*s", mime.n, STR_FMT(head));
	sum = g_compute_checksum_for_data(G_CHECKSUM_SHA1, (const guchar *)text.p, text.n);
	r = arena_str(a, str_of(sum));
	g_free(sum);
	return r;
}

enum rc sending_read_client(
	const struct request *rq, struct sending *m, unsigned *status_r, struct err *err)
{
	m->client_id = elem_text(rq->doc, COMPOSEMAIL_CLIENT_ID);
	if (!m->client_id.n || m->client_id.n > CLIENT_ID_MAX)
		return err_set(err, RC_INVALID, "a mail without a proper ClientId");
	/* There is one account, which has no AccountId, and no rights management. */
	if (elem_text(rq->doc, COMPOSEMAIL_ACCOUNT_ID).n)
		*status_r = STATUS_INVALID_ACCOUNT_ID;
	else if (elem_text(rq->doc, RM_TEMPLATE_ID).n)
		*status_r = STATUS_RIGHTS_DISABLED;
	return RC_OK;
}

/* Up to 12.1 the body is the message; from 14.0 on it is in the document. */
enum rc sending_read(struct request *rq, struct sending *m, unsigned *status_r, struct err *err)
{
	enum rc rc;

	*m = (struct sending){.mime = rq->body, .save = rq->query.save_in_sent};
	*status_r = 0;
	if (rq->version < V140) {
		if (rq->body.n == 0)
			return err_set_why(
				err, RC_INVALID, ERR_BAD_MIME, "the request has no message");
		m->client_id = own_client_id(rq->body, rq->arena);
		return RC_OK;
	}
	m->save = elem_has(rq->doc, COMPOSEMAIL_SAVE_IN_SENT_ITEMS);
	m->mime = elem_text(rq->doc, COMPOSEMAIL_MIME);
	rc = sending_read_client(rq, m, status_r, err);
	return rc || m->mime.n
		       ? rc
		       : err_set_why(err, RC_INVALID, ERR_BAD_MIME, "a mail without Mime");
}

/* Slices, and whoever owns them learns how far they were read. */
static void open_source(
	struct slice_source *s, struct services *sv, const struct str *parts, size_t n)
{
	slice_source_init(s, parts, n);
	s->passed = sv->body_passed;
	s->ctx = sv->ctx;
}

/* The mail is out: that no copy could be kept is told in the log, not to the phone. */
static void save(struct request *rq, struct services *sv, const struct outgoing *out)
{
	struct slice_source source;
	struct err why = ERR_INIT;
	struct folder sent;
	uint32_t uid;
	struct folder_servers servers = servers_of(rq, sv);
	enum rc rc =
		folders_need(&servers, TYPE_SENT, rq->conf->sent_name, rq->arena, &sent, &why);

	open_source(&source, sv, out->kept, out->nkept);
	if (rc == RC_OK)
		rc = mail_call(
			sv->mail, append, sent.path, MAIL_SEEN, 0, &source.source, &uid, &why);
	if (rc)
		log_error("a mail was sent, but no copy could be kept: %s", why.text);
}

/* C139. The mail is out, whatever comes of this. */
static void note_recipients(
	struct request *rq, struct services *sv, const struct outgoing *out, struct str own)
{
	struct recipient *v = ARENA_ARRAY(rq->arena, struct recipient, out->nrecipients + 1);
	struct err why = ERR_INIT;
	size_t n = 0;
	enum rc rc;

	if (!rq->conf->recipient_cache)
		return;
	for (size_t i = 0; i < out->nrecipients; i++)
		if (!str_ieq(out->recipients[i], own))
			v[n++] = (struct recipient){out->recipients[i], out->names[i]};
	rc = n ? recipients_note(sv->state, &rq->account, v, n, rq->arena, &why) : RC_OK;
	if (rc && rc != RC_ABSENT)
		log_warning("the recipients of a mail could not be noted: %s", why.text);
}

enum rc sending_claim(struct request *rq, struct services *sv, struct reply *rp,
	const struct sending *m, struct err *err)
{
	enum rc rc;

	if (!m->client_id.n)
		return RC_OK;
	rc = state_call(sv->state, sent_claim, &rq->device, m->client_id, err);
	/* Up to 12.1 there is no Status for it: the lost answer is given again. */
	if (rc == RC_CONFLICT && rq->version >= V140)
		status_fail(rq, rp, STATUS_PREVIOUSLY_SENT);
	return rc;
}

void sending_drop(struct request *rq, struct services *sv, const struct sending *m)
{
	if (m->client_id.n)
		state_call(sv->state, sent_drop, &rq->device, m->client_id);
}

enum rc sending_send(struct request *rq, struct services *sv, struct sending *m,
	const struct outgoing_change *change, struct err *err)
{
	struct slice_source source;
	struct err why = ERR_INIT;
	struct outgoing out;
	enum rc rc = outgoing_read(m->mime, change, rq->arena, &out, err);

	if (rc == RC_OK) {
		open_source(&source, sv, out.sent, out.nsent);
		rc = sv->submit->send(sv->submit, change->address, out.recipients,
			out.nrecipients, &source.source, err);
	}
	if (rc) {
		sending_drop(rq, sv, m);
		return rc;
	}
	m->recipients = out.nrecipients;
	if (m->client_id.n && state_call(sv->state, sent_done, &rq->device, m->client_id, &why))
		log_error("a mail was sent, but that could not be noted: %s", why.text);
	if (m->save)
		save(rq, sv, &out);
	note_recipients(rq, sv, &out, change->address);
	return RC_OK;
}
