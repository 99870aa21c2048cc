/*
 * easctl waiting: the waiter says which devices wait, by numbers; one query gives the names.
 */
#include "admin/admin.h"
#include "core/base/clock.h"
#include "store/waiter/link.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { ANSWER_MS = 5000 };

/* $1 to $6: an element a device. A folder that has gone meanwhile has no name. */
static const char names_sql[] =
	"SELECT coalesce(a.login, w.account::text) AS user,"
	" coalesce(d.device_id, w.device::text) AS device, w.command,"
	" coalesce((SELECT string_agg(coalesce(f.name, '?'), ', ' ORDER BY i.place)"
	"  FROM unnest(string_to_array(w.folders, ' ')::bigint[]) WITH ORDINALITY i(row, place)"
	"  LEFT JOIN folder f ON f.row = i.row AND f.account_id = w.account), '') AS folders,"
	" to_char(to_timestamp(w.since), 'YYYY-MM-DD HH24:MI:SS') AS since,"
	" to_char(to_timestamp(w.until), 'YYYY-MM-DD HH24:MI:SS') AS until, $7::text AS host"
	" FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::bigint[],"
	"  $6::bigint[]) w(account, device, command, folders, since, until)"
	" LEFT JOIN account a ON a.id = w.account LEFT JOIN device d ON d.id = w.device"
	" ORDER BY 1, 2";

/* The parameters of the query, as PostgreSQL writes arrays. */
enum { ACCOUNT, DEVICE, COMMAND, FOLDERS, SINCE, UNTIL, COLUMNS };
struct columns {
	struct buf v[COLUMNS];
	int64_t wall; /* wall time less that of the waiter's clock, seconds */
};

static void add_wait(struct columns *c, const struct link_wait *w)
{
	for (unsigned i = 0; i < COLUMNS; i++)
		buf_addc(&c->v[i], c->v[i].n ? ',' : '{');
	buf_addf(&c->v[ACCOUNT], "%" PRId64, w->account);
	buf_addf(&c->v[DEVICE], "%" PRId64, w->device);
	buf_adds(&c->v[COMMAND], w->wait.kind == WAIT_SYNC ? "Sync" : "Ping");
	buf_addc(&c->v[FOLDERS], '"');
	for (size_t i = 0; i < w->wait.n; i++)
		buf_addf(&c->v[FOLDERS], "%s%" PRId64, i ? " " : "", w->wait.v[i].row);
	buf_addc(&c->v[FOLDERS], '"');
	buf_addf(&c->v[SINCE], "%" PRId64, w->began / 1000 + c->wall);
	buf_addf(&c->v[UNTIL], "%" PRId64, w->until / 1000 + c->wall);
}

/* What comes next: a wait, which is added; LINK_NONE: those were all; else it went wrong. */
static int next_answer(int s, struct buf *in, struct columns *c)
{
	struct arena *a = arena_new();
	struct link_wait w;
	struct str body;
	int fd, type = link_receive(s, ANSWER_MS, in, &body, &fd);

	if (fd >= 0)
		(void)close(fd);
	if (type == LINK_WAITS) {
		if (link_wait_decode(body, a, &w) == RC_OK)
			add_wait(c, &w);
		else
			type = -1;
	}
	arena_free(a);
	return type;
}

static enum rc ask(const char *path, struct columns *c, struct err *err)
{
	int s = link_open(path), type;
	struct buf in;

	if (s < 0)
		return err_set(err, RC_UNAVAILABLE, "there is no waiter at %s: %s", path,
			strerror(errno));
	buf_init(&in, 2 * LINK_PACKET_MAX);
	(void)link_send(s, LINK_LIST, (struct str){"", 0}, -1);
	do
		type = next_answer(s, &in, c);
	while (type == LINK_HELLO || type == LINK_WAITS);
	buf_release(&in);
	(void)close(s);
	if (type == LINK_NONE)
		return RC_OK;
	return err_set(err, RC_UNAVAILABLE,
		"the waiter at %s does not answer; it answers its own user, and root", path);
}

static int print(struct admin *ad, struct columns *c, struct str host)
{
	char *args[COLUMNS + 1];

	for (unsigned i = 0; i < COLUMNS; i++) {
		buf_adds(&c->v[i], c->v[i].n ? "}" : "{}");
		if (c->v[i].over)
			return admin_complain("too many devices wait to be listed");
		args[i] = c->v[i].p;
	}
	args[COLUMNS] = (char *)(uintptr_t)host.p;
	return admin_show(ad, names_sql, args, COLUMNS + 1);
}

int admin_waiting(struct admin *ad, char **args UNUSED)
{
	struct columns c = {.wall = (clock_now_ms() - clock_mono_ms()) / 1000};
	struct arena *a = arena_new();
	struct settings conf;
	struct err err = ERR_INIT;
	int code = 1;

	for (unsigned i = 0; i < COLUMNS; i++)
		buf_init(&c.v[i], BUF_MAX_RESPONSE);
	if (admin_load(ad, a, &conf))
		code = ask(conf.waiter_socket.p, &c, &err) ? admin_complain(err.text)
							   : print(ad, &c, conf.host);
	for (unsigned i = 0; i < COLUMNS; i++)
		buf_release(&c.v[i]);
	arena_free(a);
	return code;
}
