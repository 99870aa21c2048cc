#include "core/base/stream.h"

#include <string.h>

enum rc sink_write(struct sink *s, struct str bytes, struct err *err)
{
	return bytes.n ? s->write(s, bytes.p, bytes.n, err) : RC_OK;
}

static enum rc buf_sink_write(struct sink *s, const void *p, size_t n, struct err *err)
{
	struct buf *b = ((struct buf_sink *)s)->buf;

	buf_add(b, p, n);
	if (b->over)
		return err_set(err, RC_LIMIT, "more than %zu bytes", b->max);
	return RC_OK;
}

void buf_sink_init(struct buf_sink *s, struct buf *buf)
{
	*s = (struct buf_sink){{buf_sink_write}, buf};
}

static enum rc slice_read(
	struct source *src, void *p, size_t n, size_t *got_r, struct err *err UNUSED)
{
	struct slice_source *s = (struct slice_source *)src;
	struct str rest = STR_NONE;

	while (s->part < s->nparts) {
		rest = str_sub(s->parts[s->part], s->at, n);
		if (rest.n)
			break;
		s->part++;
		s->at = 0;
	}
	if (rest.n) {
		memcpy(p, rest.p, rest.n);
		if (s->passed)
			s->passed(s->ctx, rest.p);
	}
	s->at += rest.n;
	*got_r = rest.n;
	return RC_OK;
}

static enum rc slice_rewind(struct source *src, struct err *err UNUSED)
{
	struct slice_source *s = (struct slice_source *)src;

	s->part = s->at = 0;
	return RC_OK;
}

void slice_source_init(struct slice_source *s, const struct str *parts, size_t nparts)
{
	*s = (struct slice_source){
		{slice_read, slice_rewind, 0},
                parts, nparts, 0, 0, NULL, NULL
        };
	for (size_t i = 0; i < nparts; i++)
		s->source.size += parts[i].n;
}

enum rc stream_copy(struct source *from, struct sink *to, struct err *err)
{
	char chunk[16 * 1024];
	size_t got;

	for (;;) {
		enum rc rc = from->read(from, chunk, sizeof(chunk), &got, err);

		if (rc)
			return rc;
		if (got == 0)
			return RC_OK;
		rc = to->write(to, chunk, got, err);
		if (rc)
			return rc;
	}
}
