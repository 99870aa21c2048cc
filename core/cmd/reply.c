#include "core/cmd/request.h"

static void restart(struct reply *rp)
{
	if (rp->restart)
		rp->restart(rp);
}

struct wbxml_writer *reply_wbxml(struct reply *rp)
{
	restart(rp);
	if (rp->wbxml)
		wbxml_release(&rp->w);
	wbxml_init(&rp->w, rp->body, BUF_MAX_RESPONSE);
	rp->wbxml = true;
	return &rp->w;
}

void reply_reset(struct reply *rp)
{
	if (rp->wbxml)
		wbxml_release(&rp->w);
	restart(rp);
	rp->wbxml = rp->raw = false;
	rp->content_type = STR_NONE;
	rp->http = 200;
}

void reply_header(struct reply *rp, const char *name, struct str value)
{
	if (rp->nheaders < REPLY_HEADERS)
		rp->headers[rp->nheaders++] = (struct header){name, value};
}
