#include "core/base/crlf.h"

static enum rc fill(struct crlf_source *s, struct err *err)
{
	s->at = 0;
	return s->from->read(s->from, s->in, sizeof(s->in), &s->n, err);
}

static enum rc read_some(struct source *src, void *p, size_t n, size_t *got_r, struct err *err)
{
	struct crlf_source *s = (struct crlf_source *)src;
	char *out = p;
	size_t o = 0;

	while (o < n) {
		if (s->pending) {
			out[o++] = '\n';
			s->pending = false;
			continue;
		}
		if (s->at == s->n) {
			enum rc rc = fill(s, err);

			if (rc)
				return rc;
			if (s->n == 0)
				break;
		}
		if (s->in[s->at] == '\n' && s->last != '\r') {
			out[o++] = '\r';
			s->pending = true;
		} else {
			out[o++] = s->in[s->at];
		}
		s->last = s->in[s->at++];
	}
	*got_r = o;
	return RC_OK;
}

static enum rc start_again(struct source *src, struct err *err)
{
	struct crlf_source *s = (struct crlf_source *)src;

	s->n = s->at = 0;
	s->last = '\0';
	s->pending = false;
	return s->from->rewind(s->from, err);
}

enum rc crlf_source_open(struct crlf_source *s, struct source *from, struct err *err)
{
	char chunk[4096];
	size_t got;
	enum rc rc;

	*s = (struct crlf_source){
		.source = {read_some, start_again, 0},
                  .from = from
        };
	rc = start_again(&s->source, err);
	while (rc == RC_OK) {
		rc = read_some(&s->source, chunk, sizeof(chunk), &got, err);
		if (rc || got == 0)
			break;
		s->source.size += got;
	}
	return rc ? rc : start_again(&s->source, err);
}
