#include "core/cmd/attachment.h"

#include "core/map/decode.h"
#include "core/map/email.h"
#include "core/map/server_id.h"

enum rc attachment_find(struct request *rq, struct services *sv, struct str reference,
	struct attachment *r, struct err *err)
{
	struct mail_summaries s = {NULL, 0};
	struct str collection, section;
	struct uidset one;
	enum rc rc;

	*r = (struct attachment){.uid = 0};
	if (server_id_parse(reference, &collection, &r->uid, &section) || !section.n)
		return err_set(err, RC_INVALID, "not a FileReference");
	if (!rq->conf->policy_attachments)
		return err_set(err, RC_DENIED, "the policy forbids attachments");
	rc = state_call(
		sv->state, folder_get, &rq->account, collection, rq->arena, &r->folder, err);
	if (rc)
		return rc;
	uidset_init(&one, rq->arena);
	uidset_add(&one, r->uid);
	rc = mail_call(sv->mail, summaries, r->folder.path, &one, rq->arena, &s, err);
	if (rc)
		return rc;
	r->part = s.n ? email_part(s.v[0].root, section) : NULL;
	if (!r->part)
		return err_set(err, RC_ABSENT, "the attachment is gone");
	if (rq->conf->policy_attachment_size &&
		r->part->size / 4 * 3 > (uint64_t)rq->conf->policy_attachment_size)
		return err_set(err, RC_DENIED, "the policy forbids attachments of this size");
	r->type = email_part_type(r->part, rq->arena);
	return RC_OK;
}

enum rc attachment_stream(struct request *rq, struct services *sv, const struct attachment *at,
	uint64_t offset, uint64_t length, struct sink *to, uint64_t *total_r, struct err *err)
{
	struct sink *decoder = decode_sink(rq->arena, at->part->encoding, offset, length, to);
	enum rc rc = mail_call(sv->mail, stream, at->folder.path, at->uid, at->part->section, 0,
		0, decoder, err);

	if (rc == RC_OK)
		rc = decode_sink_end(decoder, err);
	*total_r = decode_sink_total(decoder);
	return rc;
}
