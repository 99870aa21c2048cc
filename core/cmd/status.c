#include "core/cmd/status.h"

/* http.md 7: the counterparts up to 12.1; anything else is 500. */
static const struct {
	unsigned status;
	int http;
} https[] = {
	{101, 400},
	{102, 400},
	{103, 400},
	{104, 400},
	{105, 400},
	{106, 400},
	{107, 400},
	{108, 400},
	{109, 400},
	{110, 500},
	{111, 503},
	{112, 403},
	{113, 507},
	{114, 503},
	{123, 403},
	{124, 401},
	{125, 403},
	{126, 403},
	{127, 403},
	{128, 403},
	{129, 403},
	{130, 403},
	{131, 403},
	{132, 403},
	{133, 503},
	{137, 501},
	{138, 400},
	{139, 403},
	{140, 449},
	{141, 449},
	{142, 449},
	{143, 449},
	{144, 449},
	{145, 403},
	{147, 400},
	{149, 400},
	{177, 403},
};

static int http_of(unsigned status)
{
	for (size_t i = 0; i < ARRAY_LEN(https); i++)
		if (https[i].status == status)
			return https[i].http;
	return 500;
}

void status_fail(struct request *rq, struct reply *rp, unsigned status)
{
	enum command_id id = rq->query.command;
	struct wbxml_writer *w;

	reply_reset(rp);
	rp->status = status;
	/* Trouble that passes is an HTTP matter in every version: phones wait and come again.
	 */
	if (status == STATUS_RETRY_LATER || status == STATUS_MAILBOX_OFFLINE ||
		status == STATUS_STATE_LOCKED) {
		rp->http = 503;
		reply_header(rp, "Retry-After",
			arena_printf(rq->arena, "%lld", (long long)rq->conf->retry_after));
		return;
	}
	if (rq->version < V140 || !command_root(id) || !command_status(id)) {
		rp->http = http_of(status);
		return;
	}
	w = reply_wbxml(rp);
	wbxml_open(w, command_root(id));
	wbxml_int(w, command_status(id), status);
	wbxml_close(w, command_root(id));
}

unsigned status_of(enum rc rc, const struct err *err)
{
	static const unsigned by_rc[] = {
		[RC_OK] = STATUS_OK,
		[RC_ABSENT] = STATUS_ITEM_NOT_FOUND,
		[RC_CONFLICT] = STATUS_RETRY_LATER,
		[RC_DENIED] = STATUS_ACCESS_DENIED,
		[RC_INVALID] = STATUS_INVALID_XML,
		[RC_LIMIT] = STATUS_SERVER_ERROR,
		[RC_UNAVAILABLE] = STATUS_RETRY_LATER,
		[RC_INTERNAL] = STATUS_SERVER_ERROR,
	};
	static const unsigned by_why[] = {
		[ERR_QUOTA] = STATUS_QUOTA_EXCEEDED,
		[ERR_TOO_LARGE] = STATUS_SEND_QUOTA_EXCEEDED,
		[ERR_NO_RECIPIENT] = STATUS_NO_RECIPIENT,
		[ERR_BAD_RECIPIENT] = STATUS_RECIPIENT_UNRESOLVED,
		[ERR_REFUSED] = STATUS_SUBMISSION_FAILED,
		[ERR_BAD_WBXML] = STATUS_INVALID_WBXML,
		[ERR_BAD_MIME] = STATUS_INVALID_MIME,
	};

	if (err && (size_t)err->why < ARRAY_LEN(by_why) && by_why[err->why])
		return by_why[err->why];
	return (size_t)rc < ARRAY_LEN(by_rc) ? by_rc[rc] : STATUS_SERVER_ERROR;
}
