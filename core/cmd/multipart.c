#include "core/cmd/multipart.h"

#include <assert.h>

static enum rc take(struct sink *sink, const void *p, size_t n, struct err *err)
{
	struct multipart *m = (struct multipart *)sink;

	assert(m->n > 0);
	/* Offsets and lengths have 32 bits. The document is far smaller than the slack. */
	if (n > UINT32_MAX - 2 * (uint64_t)BUF_MAX_RESPONSE - m->total)
		return err_set_why(
			err, RC_LIMIT, ERR_TOO_LARGE, "a multipart answer of more than 4 GB");
	m->length[m->n - 1] += (uint32_t)n;
	m->total += n;
	return m->to->write(m->to, p, n, err);
}

void multipart_begin(struct multipart *m, struct reply *rp)
{
	*m = (struct multipart){.sink = {take}, .to = rp->tail};
	rp->w.sink = NULL;
}

unsigned multipart_next(struct multipart *m)
{
	if (m->n == MULTIPART_PARTS)
		return 0;
	m->length[m->n] = 0;
	return ++m->n;
}

void multipart_drop(struct multipart *m)
{
	assert(m->n > 0 && m->length[m->n - 1] == 0);
	m->n--;
}

static void put32(struct buf *b, uint32_t n)
{
	for (int i = 0; i < 4; i++)
		buf_addc(b, (char)(n >> (8 * i) & 0xff));
}

static void put_entry(struct buf *b, uint32_t *at, uint32_t length)
{
	put32(b, *at);
	put32(b, length);
	*at += length;
}

enum rc multipart_finish(struct multipart *m, struct reply *rp, struct err *err)
{
	uint32_t at = 4 + 8 * (m->n + 1);
	enum rc rc = wbxml_finish(&rp->w, err);
	struct buf head;

	if (rc)
		return rc;
	buf_init(&head, BUF_MAX_LINE);
	put32(&head, m->n + 1);
	put_entry(&head, &at, (uint32_t)rp->w.out.n);
	for (unsigned i = 0; i < m->n; i++)
		put_entry(&head, &at, m->length[i]);
	rc = sink_write(rp->body, buf_str(&head), err);
	if (rc == RC_OK)
		rc = sink_write(rp->body, buf_str(&rp->w.out), err);
	buf_release(&head);
	rp->raw = true;
	rp->content_type = STR("application/vnd.ms-sync.multipart");
	return rc;
}
