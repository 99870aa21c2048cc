#include "tests/bench/push_fleet.h"

#include "core/base/arena.h"
#include "core/base/base64.h"
#include "core/wire/dump.h"
#include "core/wire/reader.h"
#include "tests/bench/bench.h"
#include "tests/support_fcgi.h"
#include "tests/support_lab.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define TYPE "application/vnd.ms-sync.wbxml"

enum { EVENTS = 256 };

void fleet_user(unsigned account, char *r, size_t size)
{
	(void)snprintf(r, size, "user%02u@%s", account, lab_get("LAB_DOMAIN"));
}

void fleet_init(struct fleet *f, const struct seed *seed, unsigned first, unsigned accounts,
	unsigned devices)
{
	*f = (struct fleet){.seed = *seed, .n = (size_t)accounts * devices, .heartbeat = 3540};
	f->v = calloc(f->n, sizeof(*f->v));
	f->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (!f->v || f->epoll < 0)
		bench_die("no memory for %zu phones", f->n);
	for (size_t i = 0; i < f->n; i++) {
		struct member *m = &f->v[i];

		m->fd = -1;
		m->account = first + (unsigned)(i % accounts);
		m->device = 1 + (unsigned)(i / accounts);
		(void)snprintf(m->key, sizeof(m->key), "%s", seed->key);
		buf_init(&m->in, BUF_MAX_TEXT);
	}
}

void fleet_release(struct fleet *f)
{
	for (size_t i = 0; i < f->n; i++) {
		if (f->v[i].fd >= 0)
			(void)close(f->v[i].fd);
		buf_release(&f->v[i].in);
	}
	(void)close(f->epoll);
	free(f->v);
}

/* --- requests */

static void write_document(
	const struct fleet *f, const struct member *m, enum doing what, struct buf *out)
{
	struct arena *a = arena_new();
	struct err err = ERR_INIT;
	struct wbxml_writer w;
	struct elem *root;
	char text[1024];

	if (what == PINGING)
		(void)snprintf(text, sizeof(text),
			"ping:Ping\n  ping:HeartbeatInterval \"%u\"\n  ping:Folders\n"
			"    ping:Folder\n      ping:Id \"%s\"\n      ping:Class \"Email\"\n",
			f->heartbeat, f->seed.inbox);
	else
		(void)snprintf(text, sizeof(text),
			"airsync:Sync\n  airsync:Collections\n    airsync:Collection\n"
			"      airsync:SyncKey \"%s\"\n      airsync:CollectionId \"%s\"\n"
			"      airsync:GetChanges \"1\"\n      airsync:WindowSize \"100\"\n",
			m->key, f->seed.inbox);
	wbxml_init(&w, NULL, BUF_MAX_LINE);
	if (dump_parse(str_of(text), a, &root, &err))
		bench_die("%s", err.text);
	dump_encode(root, &w);
	if (wbxml_finish(&w, &err))
		bench_die("%s", err.text);
	buf_add_str(out, buf_str(&w.out));
	wbxml_release(&w);
	arena_free(a);
}

/* The parts of a request that depend on who asks for what. */
struct asking {
	char query[256], basic[128], policy[16], length[16];
	struct buf body;
};

static void describe(
	const struct fleet *f, const struct member *m, enum doing what, struct asking *r)
{
	char user[64], pair[128];
	struct buf b;

	buf_init(&r->body, BUF_MAX_LINE);
	write_document(f, m, what, &r->body);
	fleet_user(m->account, user, sizeof(user));
	(void)snprintf(r->query, sizeof(r->query),
		"Cmd=%s&User=%s&DeviceId=p%u&DeviceType=Scripted",
		what == PINGING ? "Ping" : "Sync", user, m->device);
	(void)snprintf(pair, sizeof(pair), "%s:%s", user, lab_get("LAB_PASSWORD"));
	buf_init(&b, BUF_MAX_LINE);
	buf_adds(&b, "Basic ");
	base64_encode(str_of(pair), &b);
	(void)snprintf(r->basic, sizeof(r->basic), "%s", b.p);
	buf_release(&b);
	(void)snprintf(r->policy, sizeof(r->policy), "%u", f->seed.policy_key);
	(void)snprintf(r->length, sizeof(r->length), "%zu", r->body.n);
}

static int ask_straight(const struct fleet *f, const struct asking *r, bool whole)
{
	const char *const params[] = {"REQUEST_METHOD", "POST", "QUERY_STRING", r->query,
		"CONTENT_TYPE", TYPE, "CONTENT_LENGTH", r->length, "REQUEST_URI",
		"/Microsoft-Server-ActiveSync", "HTTP_AUTHORIZATION", r->basic,
		"HTTP_MS_ASPROTOCOLVERSION", "14.1", "HTTP_X_MS_POLICYKEY", r->policy, NULL};
	char path[1024], number[16] = "";

	if (f->pool)
		(void)snprintf(number, sizeof(number), "%u", f->pool);
	(void)snprintf(path, sizeof(path), "%s/run/easpool%s.sock", lab_get("LAB_DIR"), number);
	return fcgi_send(path, params, buf_str(&r->body), whole);
}

static int reach_web(void)
{
	struct sockaddr_in sa = {.sin_family = AF_INET};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	sa.sin_port = htons((uint16_t)strtoul(strrchr(lab_get("EAS_URL"), ':') + 1, NULL, 10));
	sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0)
		return fd;
	if (fd >= 0)
		(void)close(fd);
	return -1;
}

static int ask_web(const struct asking *r)
{
	int fd = reach_web();
	struct buf b;
	bool ok;

	if (fd < 0)
		return -1;
	buf_init(&b, BUF_MAX_LINE);
	buf_addf(&b,
		"POST /Microsoft-Server-ActiveSync?%s HTTP/1.1\r\nHost: localhost\r\n"
		"Connection: close\r\nAuthorization: %s\r\nMS-ASProtocolVersion: 14.1\r\n"
		"X-MS-PolicyKey: %s\r\nContent-Type: " TYPE "\r\nContent-Length: %s\r\n\r\n",
		r->query, r->basic, r->policy, r->length);
	buf_add_str(&b, buf_str(&r->body));
	ok = write(fd, b.p, b.n) == (ssize_t)b.n;
	buf_release(&b);
	if (ok)
		return fd;
	(void)close(fd);
	return -1;
}

static void ask(struct fleet *f, struct member *m, enum doing what)
{
	struct epoll_event e = {.events = EPOLLIN | EPOLLRDHUP, .data.ptr = m};
	struct asking r;

	describe(f, m, what, &r);
	m->asked = bench_us();
	m->told = 0;
	m->doing = what;
	m->fd = f->direct ? ask_straight(f, &r, true) : ask_web(&r);
	buf_release(&r.body);
	if (m->fd < 0)
		bench_die("could not connect: %s (%zu phones are)", strerror(errno), f->busy);
	(void)fcntl(m->fd, F_SETFL, fcntl(m->fd, F_GETFL) | O_NONBLOCK);
	if (epoll_ctl(f->epoll, EPOLL_CTL_ADD, m->fd, &e) != 0)
		bench_die("epoll: %s", strerror(errno));
	f->busy++;
}

void fleet_ping(struct fleet *f, struct member *m)
{
	ask(f, m, PINGING);
}

void fleet_sync(struct fleet *f, struct member *m)
{
	ask(f, m, SYNCING);
}

int fleet_hold_worker(const struct fleet *f, struct member *m)
{
	struct asking r;
	int fd;

	describe(f, m, PINGING, &r);
	fd = ask_straight(f, &r, false);
	buf_release(&r.body);
	if (fd < 0)
		bench_die("could not connect: %s", strerror(errno));
	return fd;
}

/* --- answers */

static void read_sync(struct member *m, const struct elem *root, struct answered *r)
{
	const struct elem *e =
		elem_child(elem_child(root, AIRSYNC_COLLECTIONS), AIRSYNC_COLLECTION);
	struct str key = elem_text(e, AIRSYNC_SYNC_KEY);

	/* An empty answer: nothing has changed. */
	r->status = root ? elem_u32(e, AIRSYNC_STATUS, elem_u32(root, AIRSYNC_STATUS, 0)) : 1;
	if (r->status == 1 && key.n)
		(void)snprintf(m->key, sizeof(m->key), "%.*s", STR_FMT(key));
	r->added = (unsigned)elem_count(elem_child(e, AIRSYNC_COMMANDS), AIRSYNC_ADD);
}

static long http_status(struct str head, bool direct)
{
	uint32_t code;

	if (!direct)
		return str_u32(str_sub(head, sizeof("HTTP/1.1"), 3), &code) ? (long)code : 0;
	if (!str_istarts(head, "Status: "))
		return 200;
	return str_u32(str_sub(head, sizeof("Status:"), 3), &code) ? (long)code : 0;
}

static void read_answer(
	const struct fleet *f, struct member *m, struct str all, struct answered *r)
{
	size_t end = str_search(all, STR("\r\n\r\n"));
	struct arena *a = arena_new();
	struct elem *root = NULL;
	struct err err = ERR_INIT;
	struct str body = str_sub(all, end + 4, all.n);

	if (end < all.n)
		r->http = http_status(all, f->direct);
	if (r->http == 200 && body.n && wbxml_read(body, WBXML_LIMITS, a, &root, &err))
		bench_die("an answer cannot be read: %s", err.text);
	if (r->http == 200 && m->doing == PINGING)
		r->status = elem_u32(root, PING_STATUS, 0);
	else if (r->http == 200)
		read_sync(m, root, r);
	arena_free(a);
}

static void finish(struct fleet *f, struct member *m)
{
	struct answered r = {0};
	struct buf plain;

	(void)close(m->fd);
	m->fd = -1;
	f->busy--;
	buf_init(&plain, BUF_MAX_TEXT);
	if (f->direct)
		fcgi_unpack(buf_str(&m->in), &plain);
	else
		buf_add_str(&plain, buf_str(&m->in));
	read_answer(f, m, buf_str(&plain), &r);
	buf_release(&plain);
	buf_release(&m->in);
	m->found += r.added;
	f->answered(f, m, &r);
}

static void receive(struct fleet *f, struct member *m)
{
	char chunk[16384];
	ssize_t n;

	while ((n = read(m->fd, chunk, sizeof(chunk))) > 0) {
		if (!m->told)
			m->told = bench_us();
		buf_add(&m->in, chunk, (size_t)n);
	}
	if (n == 0 || errno != EAGAIN)
		finish(f, m);
}

void fleet_step(struct fleet *f, int timeout_ms)
{
	struct epoll_event events[EVENTS];
	int n = epoll_wait(f->epoll, events, EVENTS, timeout_ms);

	for (int i = 0; i < n; i++)
		receive(f, events[i].data.ptr);
}
