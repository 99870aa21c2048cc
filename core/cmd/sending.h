/*
 * sending: what SendMail, SmartReply and SmartForward have in common: the mail of the request,
 * sent once, and a copy in Sent.
 */
#ifndef EASPOOL_CORE_CMD_SENDING_H
#define EASPOOL_CORE_CMD_SENDING_H

#include "core/cmd/request.h"
#include "core/map/outgoing.h"

struct sending {
	struct str mime, client_id;
	bool save;
	size_t recipients; /* result of sending_send */
};

/* The user's own address. */
struct str sending_address(const struct request *rq);

/*
 * The mail of either form of the request. *status_r: the common status of a refusal, 0 when it
 * is fine. RC_INVALID, also with ERR_BAD_MIME.
 */
MUST_USE enum rc sending_read(
	struct request *rq, struct sending *r, unsigned *status_r, struct err *err);
/* From 14.0 on: of that what is not the mail itself. */
MUST_USE enum rc sending_read_client(
	const struct request *rq, struct sending *m, unsigned *status_r, struct err *err);

/*
 * Claims the mail, so that it goes out once; RC_CONFLICT when it was sent before, and then the
 * answer is written. To be followed by sending_send(), or sending_drop() when it is not to go
 * out.
 */
MUST_USE enum rc sending_claim(struct request *rq, struct services *sv, struct reply *rp,
	const struct sending *m, struct err *err);
void sending_drop(struct request *rq, struct services *sv, const struct sending *m);
/* Sends it, changed like that, notes it, and keeps the copy if one is wanted. */
MUST_USE enum rc sending_send(struct request *rq, struct services *sv, struct sending *m,
	const struct outgoing_change *change, struct err *err);

#endif
