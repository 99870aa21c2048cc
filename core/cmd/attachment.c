#include "core/cmd/attachment.h"

#include "core/map/decode.h"
#include "core/map/email.h"
#include "core/map/server_id.h"
#include "core/map/tnef.h"

#define TNEF_MAX (64u * 1024 * 1024)

/* One of those inside a winmail.dat: "<section>~<number>". */
static enum rc find_inner(struct request *rq, struct services *sv, struct str number,
	struct attachment *r, struct err *err)
{
	struct tnef *t = ARENA_NEW(rq->arena, struct tnef);
	struct mail_part_request q = {.uid = r->uid, .section = r->part->section};
	uint32_t i;
	enum rc rc;

	if (!str_u32(number, &i))
		return err_set(err, RC_INVALID, "not a FileReference");
	if (r->part->size > TNEF_MAX)
		return err_set(err, RC_LIMIT, "the winmail.dat is too large to be opened");
	rc = mail_call(sv->mail, parts, r->folder.path, &q, 1, rq->arena, err);
	if (rc)
		return rc;
	if (!q.bytes.p ||
		!tnef_read(decode_bytes(q.bytes, r->part->encoding, rq->arena), rq->arena, t) ||
		i >= t->n)
		return err_set(err, RC_ABSENT, "the attachment is gone");
	r->inner = t->v[i].data;
	r->type = t->v[i].type.n ? t->v[i].type : STR("application/octet-stream");
	return RC_OK;
}

static bool too_large(const struct request *rq, const struct attachment *at)
{
	uint64_t size = at->inner.p ? at->inner.n : at->part->size / 4 * 3;

	return rq->conf->policy_attachment_size &&
	       size > (uint64_t)rq->conf->policy_attachment_size;
}

enum rc attachment_find(struct request *rq, struct services *sv, struct str reference,
	struct attachment *r, struct err *err)
{
	struct mail_summaries s = {NULL, 0};
	struct str collection, section, number;
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
	if (r->folder.kind != FOLDER_MAIL)
		return err_set(err, RC_ABSENT, "items of that folder have no attachments");
	uidset_init(&one, rq->arena);
	uidset_add(&one, r->uid);
	rc = mail_call(sv->mail, summaries, r->folder.path, &one, NULL, rq->arena, &s, err);
	if (rc)
		return rc;
	number = str_sub(section, str_find(section, '~') + 1, section.n);
	section = str_sub(section, 0, str_find(section, '~'));
	r->part = s.n ? email_part(s.v[0].root, section) : NULL;
	if (!r->part)
		return err_set(err, RC_ABSENT, "the attachment is gone");
	r->type = email_part_type(r->part, rq->arena);
	if (number.n)
		rc = find_inner(rq, sv, number, r, err);
	if (rc == RC_OK && too_large(rq, r))
		rc = err_set(err, RC_DENIED, "the policy forbids attachments of this size");
	return rc;
}

/* The bytes of base64 lines of one length, as all programs write them: `head` and `tail` are
 * the first and the last of `size` encoded bytes. */
static uint64_t base64_size(struct str head, struct str tail, uint64_t size)
{
	size_t line = str_find(head, '\n') + 1, ends;
	uint64_t rest = size, digits;
	unsigned padding = 0;

	while (tail.n && (tail.p[tail.n - 1] == '\n' || tail.p[tail.n - 1] == '\r')) {
		tail.n--;
		rest--;
	}
	while (padding < 2 && tail.n > padding && tail.p[tail.n - 1 - padding] == '=')
		padding++;
	if (line > head.n)
		return rest / 4 * 3 - padding;
	ends = line > 1 && head.p[line - 2] == '\r' ? 2 : 1;
	digits = rest / line * (line - ends) + rest % line;
	return digits / 4 * 3 - padding;
}

static enum rc ignore(struct sink *s, const void *p, size_t n, struct err *err)
{
	(void)s;
	(void)p;
	(void)n;
	(void)err;
	return RC_OK;
}

enum rc attachment_size(struct request *rq, struct services *sv, const struct attachment *at,
	uint64_t *size_r, struct err *err)
{
	const struct mail_part *p = at->part;
	struct mail_part_request q[2] = {
		{.uid = at->uid,        .section = p->section,  .length = 1024},
		{ .uid = at->uid,
                 .section = p->section,
                 .offset = p->size > 1024 ? p->size - 1024 : 0,
                 .length = 1025}
        };
	struct sink nothing = {ignore};
	enum rc rc;

	*size_r = at->inner.p ? at->inner.n : p->size;
	if (at->inner.p || p->size == 0)
		return RC_OK;
	if (str_is(p->encoding, "quoted-printable"))
		return attachment_stream(rq, sv, at, 0, 0, &nothing, size_r, err);
	if (!str_is(p->encoding, "base64"))
		return RC_OK;
	rc = mail_call(sv->mail, parts, at->folder.path, q, 2, rq->arena, err);
	if (rc)
		return rc;
	if (!q[0].bytes.p || !q[1].bytes.p)
		return err_set(err, RC_ABSENT, "the attachment is gone");
	*size_r = base64_size(q[0].bytes, q[1].bytes, p->size);
	return RC_OK;
}

enum rc attachment_stream(struct request *rq, struct services *sv, const struct attachment *at,
	uint64_t offset, uint64_t length, struct sink *to, uint64_t *total_r, struct err *err)
{
	struct sink *decoder;
	enum rc rc;

	if (at->inner.p) {
		*total_r = at->inner.n;
		return sink_write(to,
			str_sub(at->inner, (size_t)offset,
				length ? (size_t)length : at->inner.n),
			err);
	}
	decoder = decode_sink(rq->arena, at->part->encoding, offset, length, to);
	rc = mail_call(sv->mail, stream, at->folder.path, at->uid, at->part->section, 0, 0,
		decoder, err);
	if (rc == RC_OK)
		rc = decode_sink_end(decoder, err);
	*total_r = decode_sink_total(decoder);
	return rc;
}
