#include "core/base/log.h"
#include "core/cmd/command.h"
#include "core/cmd/status.h"
#include "core/map/header.h"
#include "core/map/outgoing.h"
#include "core/sync/folders.h"

#include <glib.h>

enum { CLIENT_ID_MAX = 40, HEADER_MAX = 64 * 1024 };

struct mail_to_send {
	struct str mime, client_id;
	bool save;
};

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

/* Up to 12.1 the body is the message; from 14.0 on it is in the document. */
static enum rc read_request(struct request *rq, struct mail_to_send *m, struct err *err)
{
	*m = (struct mail_to_send){.mime = rq->body, .save = rq->query.save_in_sent};
	if (rq->version < V140) {
		if (rq->body.n == 0)
			return err_set_why(
				err, RC_INVALID, ERR_BAD_MIME, "the request has no message");
		m->client_id = own_client_id(rq->body, rq->arena);
		return RC_OK;
	}
	m->client_id = elem_text(rq->doc, COMPOSEMAIL_CLIENT_ID);
	m->save = elem_has(rq->doc, COMPOSEMAIL_SAVE_IN_SENT_ITEMS);
	m->mime = elem_text(rq->doc, COMPOSEMAIL_MIME);
	if (!m->client_id.n || m->client_id.n > CLIENT_ID_MAX)
		return err_set(err, RC_INVALID, "SendMail without a proper ClientId");
	if (!m->mime.n)
		return err_set_why(err, RC_INVALID, ERR_BAD_MIME, "SendMail without Mime");
	return RC_OK;
}

/* The mail is out: that no copy could be kept is told in the log, not to the phone. */
static void save(struct request *rq, struct services *sv, const struct outgoing *out)
{
	struct slice_source source;
	struct err why = ERR_INIT;
	struct folder sent;
	uint32_t uid;
	enum rc rc = folders_need(sv->state, &rq->account, sv->mail, TYPE_SENT,
		rq->conf->sent_name, rq->arena, &sent, &why);

	slice_source_init(&source, out->kept, out->nkept);
	source.passed = sv->body_passed;
	source.ctx = sv->ctx;
	if (rc == RC_OK)
		rc = mail_call(
			sv->mail, append, sent.path, MAIL_SEEN, 0, &source.source, &uid, &why);
	if (rc)
		log_error("a mail was sent, but no copy could be kept: %s", why.text);
}

static enum rc transmit(
	struct services *sv, const struct outgoing *out, struct str from, struct err *err)
{
	struct slice_source source;

	slice_source_init(&source, out->sent, out->nsent);
	source.passed = sv->body_passed;
	source.ctx = sv->ctx;
	return sv->submit->send(
		sv->submit, from, out->recipients, out->nrecipients, &source.source, err);
}

/* [MS-ASCMD] 2.2.1.17. Success is an empty answer. C46: a ClientId is sent once. */
enum rc cmd_send_mail(
	struct request *rq, struct services *sv, struct reply *rp, struct err *err)
{
	struct str domain =
		rq->conf->mail_domain.n ? rq->conf->mail_domain : rq->conf->login_domain;
	struct str from = query_login(rq->user, domain, rq->arena);
	struct mail_to_send m;
	struct outgoing out;
	enum rc rc = read_request(rq, &m, err);

	if (rc == RC_OK)
		rc = outgoing_read(m.mime, from, rq->arena, &out, err);
	if (rc)
		return rc;
	if (m.client_id.n) {
		rc = state_call(sv->state, sent_claim, &rq->device, m.client_id, err);
		/* Up to 12.1 there is no Status for it: the lost answer is given again. */
		if (rc == RC_CONFLICT) {
			if (rq->version >= V140)
				status_fail(rq, rp, STATUS_PREVIOUSLY_SENT);
			return RC_OK;
		}
		if (rc)
			return rc;
	}
	rc = transmit(sv, &out, from, err);
	if (rc) {
		if (m.client_id.n)
			state_call(sv->state, sent_drop, &rq->device, m.client_id);
		return rc;
	}
	if (m.client_id.n) {
		struct err why = ERR_INIT;

		if (state_call(sv->state, sent_done, &rq->device, m.client_id, &why))
			log_error("a mail was sent, but that could not be noted: %s", why.text);
	}
	if (m.save)
		save(rq, sv, &out);
	rp->status = STATUS_OK;
	return RC_OK;
}
