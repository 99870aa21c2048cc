#include "fcgi/trace.h"

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/wire/command.h"
#include "core/wire/dump.h"
#include "core/wire/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_MAX = 64 * 1024 * 1024, TEXT_MAX = 200 };

/* <user>-<device>.trace, of harmless characters only. */
static struct str file_name(const struct request *rq)
{
	struct str name =
		arena_printf(rq->arena, "%.*s/%.*s-%.*s.trace", STR_FMT(rq->conf->trace_dir),
			STR_FMT(rq->account.login), STR_FMT(rq->device.device_id));
	char *p = arena_cstr(rq->arena, name);

	for (size_t i = rq->conf->trace_dir.n + 1; i < name.n; i++)
		if (!((p[i] >= 'a' && p[i] <= 'z') || (p[i] >= 'A' && p[i] <= 'Z') ||
			    (p[i] >= '0' && p[i] <= '9') || p[i] == '-' || p[i] == '_' ||
			    p[i] == '@' || (p[i] == '.' && p[i - 1] != '/')))
			p[i] = '_';
	return (struct str){p, name.n};
}

static void add_document(struct buf *b, const struct elem *doc)
{
	struct dump_options o = {.max_text = TEXT_MAX, .hide_bodies = true};

	dump_elem(doc, &o, b);
}

static void add_answer(
	const struct request *rq, const struct reply *rp, struct str answer, struct buf *b)
{
	struct elem *doc;

	if (rp->wbxml && !rp->raw && answer.n &&
		wbxml_read(answer, WBXML_LIMITS, rq->arena, &doc, NULL) == RC_OK)
		add_document(b, doc);
	else if (answer.n)
		buf_addf(b, "(%zu bytes of %.*s)\n", answer.n, STR_FMT(rp->content_type));
}

void trace_dialogue(const struct request *rq, const struct reply *rp, struct str answer)
{
	struct str name;
	struct stat st;
	struct buf b;
	ssize_t n;
	int fd;

	if (rq->device.trace_until <= clock_now() || rq->device.id == 0)
		return;
	name = file_name(rq);
	fd = open(name.p, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0) {
		log_warning("could not write the trace to %s: %s", name.p, strerror(errno));
		return;
	}
	if (fstat(fd, &st) != 0 || st.st_size > FILE_MAX) {
		(void)close(fd);
		return;
	}
	buf_init(&b, BUF_MAX_TEXT);
	buf_addf(&b, "# %.*s %s %s -> HTTP %d\n", STR_FMT(clock_dashed(rq->arena, clock_now())),
		command_name(rq->query.command), version_name(rq->version), rp->http);
	if (rq->doc)
		add_document(&b, rq->doc);
	else if (rq->body.n)
		buf_addf(&b, "(%zu bytes of %.*s)\n", rq->body.n, STR_FMT(rq->content_type));
	buf_adds(&b, "# answer\n");
	add_answer(rq, rp, answer, &b);
	buf_addc(&b, '\n');
	/* One write, so that the lines of several workers do not mix. */
	n = write(fd, b.p, b.n);
	if (n != (ssize_t)b.n)
		log_warning("could not write the trace to %s", name.p);
	buf_release(&b);
	(void)close(fd);
}
