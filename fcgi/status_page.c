#include "fcgi/status_page.h"

#include "core/base/clock.h"
#include "fcgi/metrics.h"

#include <inttypes.h>

static void line(struct buf *b, const char *what, uint64_t n)
{
	buf_addf(b, "%-34s %" PRIu64 "\n", what, n);
}

/* "3 d 04:05:06" */
static void print_span(struct buf *b, int64_t seconds)
{
	buf_addf(b, "%" PRId64 " d %02d:%02d:%02d", seconds / 86400, (int)(seconds / 3600 % 24),
		(int)(seconds / 60 % 60), (int)(seconds % 60));
}

static void print_waits(struct buf *b, const struct metrics_now *now)
{
	static const char *const ended[METRICS_ENDS] = {
		[END_TOLD] = "waits: told by the waiter",
		[END_LOOKED] = "waits: a worker found something",
		[END_NOTHING] = "waits: nothing new",
		[END_HUNG_UP] = "waits: the device hung up",
		[END_NEWER] = "waits: a newer request came",
		[END_NO_ROOM] = "waits: turned away",
		[END_STOP] = "waits: the server stopped",
	};

	for (size_t i = 0; i < METRICS_ENDS; i++)
		line(b, ended[i], now->ended[i]);
}

static void print_status(struct buf *b)
{
	struct metrics_now now;
	int64_t up;

	metrics_now(&now);
	up = clock_now() - now.since;
	buf_addf(b, "easpool %s\n\n%-34s ", EASPOOL_VERSION, "up, and counting, for");
	print_span(b, up > 0 ? up : 0);
	buf_addc(b, '\n');
	if (now.workers)
		line(b, "workers", now.workers);
	if (now.waiter) {
		line(b, "devices that wait", now.waiting);
		line(b, "of them for a worker to look", now.jobs);
	} else {
		buf_addf(b, "%-34s none: devices cannot wait\n", "waiter");
	}
	line(b, "requests", now.requests);
	line(b, "requests a minute", now.requests * 60 / (up > 0 ? (uint64_t)up : 1));
	line(b, "requests that failed (5xx)", now.failed);
	print_waits(b, &now);
}

static const struct {
	const char *path, *type;
	void (*print)(struct buf *b);
} pages[] = {
	{"/metrics", "text/plain; version=0.0.4; charset=utf-8", metrics_print},
	{"/status",  "text/plain; charset=utf-8",                print_status },
};

static void answer(struct reply *rp, const char *type, struct buf *b, struct err *err)
{
	rp->raw = true;
	rp->content_type = str_of(type);
	if (b->over || sink_write(rp->body, buf_str(b), err))
		rp->http = 503;
}

bool status_page(http_param param, void *ctx, const struct settings *conf, struct reply *rp,
	struct err *err)
{
	struct str uri = str_of(param(ctx, "REQUEST_URI"));
	struct str path = str_sub(uri, 0, str_find(uri, '?'));
	struct buf b;

	if (!conf->metrics || !str_is(str_of(param(ctx, "REQUEST_METHOD")), "GET"))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(pages); i++) {
		if (!str_is(path, pages[i].path))
			continue;
		buf_init(&b, BUF_MAX_TEXT);
		pages[i].print(&b);
		answer(rp, pages[i].type, &b, err);
		buf_release(&b);
		return true;
	}
	return false;
}
