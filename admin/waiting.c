/*
 * easctl waiting: the waiter says which devices wait, by numbers; one query gives the names.
 */
#include "admin/admin.h"
#include "core/base/clock.h"
#include "store/postgres/conn.h"
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

/* The waits one after the other, as struct wait_row; their texts are in the arena. */
struct wait_row {
	int64_t account, device;
	struct str command, folders;
	int64_t since, until;
};
struct rows {
	struct arena *a;
	struct buf v;
	int64_t wall; /* wall time less that of the waiter's clock, seconds */
};

static void add_wait(struct rows *rows, const struct link_wait *w)
{
	struct wait_row row = {.account = w->account,
		.device = w->device,
		.command = w->wait.kind == WAIT_SYNC ? STR("Sync") : STR("Ping"),
		.since = w->began / 1000 + rows->wall,
		.until = w->until / 1000 + rows->wall};
	struct buf b;

	buf_init(&b, BUF_MAX_LINE);
	for (size_t i = 0; i < w->wait.n; i++)
		buf_addf(&b, "%s%" PRId64, i ? " " : "", w->wait.v[i].row);
	row.folders = arena_str(rows->a, buf_str(&b));
	buf_release(&b);
	buf_add(&rows->v, &row, sizeof(row));
}

/* What comes next: a wait, which is added; LINK_NONE: those were all; else it went wrong. */
static int next_answer(int s, struct buf *in, struct rows *rows)
{
	struct arena *a = arena_new();
	struct link_wait w;
	struct str body;
	int fd, type = link_receive(s, ANSWER_MS, in, &body, &fd);

	if (fd >= 0)
		(void)close(fd);
	if (type == LINK_WAITS) {
		if (link_wait_decode(body, a, &w) == RC_OK)
			add_wait(rows, &w);
		else
			type = -1;
	}
	arena_free(a);
	return type;
}

static enum rc ask(const char *path, struct rows *rows, struct err *err)
{
	int s = link_open(path), type;
	struct buf in;

	if (s < 0)
		return err_set(err, RC_UNAVAILABLE, "there is no waiter at %s: %s", path,
			strerror(errno));
	buf_init(&in, 2 * LINK_PACKET_MAX);
	(void)link_send(s, LINK_LIST, (struct str){"", 0}, -1);
	do
		type = next_answer(s, &in, rows);
	while (type == LINK_HELLO || type == LINK_WAITS);
	buf_release(&in);
	(void)close(s);
	if (type == LINK_NONE)
		return RC_OK;
	return err_set(err, RC_UNAVAILABLE,
		"the waiter at %s does not answer; it answers its own user, and root", path);
}

static int print(struct admin *ad, struct rows *rows, struct str host)
{
	enum { ACCOUNT, DEVICE, SINCE, UNTIL, NUMBERS };
	const struct wait_row *v = (const struct wait_row *)(const void *)rows->v.p;
	size_t n = rows->v.n / sizeof(*v);
	struct str *command = ARENA_ARRAY(rows->a, struct str, n + 1);
	struct str *folders = ARENA_ARRAY(rows->a, struct str, n + 1);
	int64_t *number[NUMBERS];
	char *args[CONN_PARAMS];
	struct params p;

	if (rows->v.over)
		return admin_complain("too many devices wait to be listed");
	for (unsigned k = 0; k < NUMBERS; k++)
		number[k] = ARENA_ARRAY(rows->a, int64_t, n + 1);
	for (size_t i = 0; i < n; i++) {
		number[ACCOUNT][i] = v[i].account;
		number[DEVICE][i] = v[i].device;
		command[i] = v[i].command;
		folders[i] = v[i].folders;
		number[SINCE][i] = v[i].since;
		number[UNTIL][i] = v[i].until;
	}
	params_init(&p, rows->a);
	params_ints(&p, number[ACCOUNT], n);
	params_ints(&p, number[DEVICE], n);
	params_texts(&p, command, n);
	params_texts(&p, folders, n);
	params_ints(&p, number[SINCE], n);
	params_ints(&p, number[UNTIL], n);
	params_text(&p, host);
	for (int i = 0; i < p.n; i++)
		args[i] = (char *)(uintptr_t)p.v[i];
	return admin_show(ad, names_sql, args, p.n);
}

int admin_waiting(struct admin *ad, char **args UNUSED)
{
	struct arena *a = arena_new();
	struct rows rows = {.a = a, .wall = (clock_now_ms() - clock_mono_ms()) / 1000};
	struct settings conf;
	struct err err = ERR_INIT;
	int code = 1;

	buf_init(&rows.v, BUF_MAX_TEXT);
	if (admin_load(ad, a, &conf))
		code = ask(conf.waiter_socket.p, &rows, &err) ? admin_complain(err.text)
							      : print(ad, &rows, conf.host);
	buf_release(&rows.v);
	arena_free(a);
	return code;
}
