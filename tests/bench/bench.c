#include "tests/bench/bench.h"

#include "tests/support_lab.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

void bench_die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)fputs("bench: ", stderr);
	(void)vfprintf(stderr, fmt, ap);
	(void)fputc('\n', stderr);
	va_end(ap);
	exit(1);
}

int64_t bench_us(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int64_t bench_own_cpu_us(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

int64_t bench_median(int64_t *v, size_t n)
{
	qsort(v, n, sizeof(*v), compare);
	return v[n / 2];
}

/* --- the server */

static long log_at; /* read so far */

void bench_lab(unsigned users, unsigned workers)
{
	(void)setenv("EASPOOL_LAB_CONF", "device_rate = 0\nuser_rate = 0", 1);
	(void)setenv("EASPOOL_LAB_WORKERS", workers == 1 ? "1" : "4", 1);
	lab_up(users);
	log_at = 0;
	(void)unsetenv("EASPOOL_LAB_WORKERS");
	(void)unsetenv("EASPOOL_LAB_CONF");
}

long bench_worker(void)
{
	long waiter = lab_waiter(), child = 0;
	char path[128], number[32];
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%s/task/%s/children", lab_get("EASPOOL_PID"),
		lab_get("EASPOOL_PID"));
	f = fopen(path, "r");
	while (f && fscanf(f, "%31s", number) == 1)
		if (strtol(number, NULL, 10) != waiter)
			child = strtol(number, NULL, 10);
	if (f)
		(void)fclose(f);
	if (!child)
		bench_die("no worker");
	return child;
}

int64_t bench_cpu_us(void)
{
	char path[64], line[128];
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%ld/schedstat", bench_worker());
	f = fopen(path, "r");
	if (!f || !fgets(line, sizeof(line), f))
		bench_die("the kernel does not tell the time of the worker");
	(void)fclose(f);
	return strtoll(line, NULL, 10) / 1000;
}

long bench_peak_kb(void)
{
	char path[64], line[256];
	long kb = 0;
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%ld/status", bench_worker());
	f = fopen(path, "r");
	if (!f)
		bench_die("no worker");
	while (fgets(line, sizeof(line), f))
		if (strncmp(line, "VmHWM:", 6) == 0)
			kb = strtol(line + 6, NULL, 10);
	(void)fclose(f);
	return kb;
}

void bench_forget_peak(void)
{
	char path[64];
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%ld/clear_refs", bench_worker());
	f = fopen(path, "w");
	if (!f || fputs("5", f) < 0 || fclose(f) != 0)
		bench_die("could not reset the peak of the worker's memory");
}

/* --- IMAP, as little as it takes to fill a mailbox */

struct client {
	FILE *in, *out;
};

static void hear(struct client *c, const char *tag)
{
	char line[4096];

	do {
		if (!fgets(line, sizeof(line), c->in))
			bench_die("the IMAP server closed the connection");
	} while (strncmp(line, tag, strlen(tag)) != 0);
	if (!strstr(line, " OK"))
		bench_die("IMAP: %s", line);
}

static void client_open(struct client *c, const char *user)
{
	struct sockaddr_in sa = {.sin_family = AF_INET};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	sa.sin_port = htons((uint16_t)strtoul(lab_get("IMAP_PORT"), NULL, 10));
	sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || connect(fd, (struct sockaddr *)&sa, sizeof(sa)) != 0)
		bench_die("could not connect to IMAP");
	c->in = fdopen(fd, "r");
	c->out = fdopen(dup(fd), "w");
	if (!c->in || !c->out)
		bench_die("could not connect to IMAP");
	hear(c, "*");
	(void)fprintf(c->out, "L LOGIN %s %s\r\n", user, lab_get("LAB_PASSWORD"));
	(void)fflush(c->out);
	hear(c, "L");
}

static void client_close(struct client *c)
{
	(void)fclose(c->in);
	(void)fclose(c->out);
}

/* RFC 3502: many messages by one command. */
static void append(struct client *c, struct str message, bool first)
{
	(void)fprintf(c->out, "%s {%zu+}\r\n", first ? "A APPEND INBOX" : "", message.n);
	(void)fwrite(message.p, 1, message.n, c->out);
}

static void append_end(struct client *c)
{
	(void)fputs("\r\n", c->out);
	(void)fflush(c->out);
	hear(c, "A");
}

static void make_message(struct buf *b, const char *user, unsigned i)
{
	buf_reset(b);
	buf_addf(b,
		"From: Sender %u <sender%u@example.test>\r\nTo: <%s>\r\n"
		"Subject: Message %u of the benchmark\r\nMessage-ID: <%u@bench.example.test>\r\n"
		"Date: Tue, 3 Mar 2026 10:00:00 +0000\r\nMIME-Version: 1.0\r\n"
		"Content-Type: text/plain; charset=utf-8\r\n\r\n",
		i % 97, i % 97, user, i, i);
	for (unsigned k = 0; k < 24; k++)
		buf_addf(b,
			"Line %u of message %u, long enough to look like a line of text.\r\n",
			k, i);
}

void bench_fill(const char *user, unsigned messages)
{
	enum { BATCH = 500 };
	struct client c;
	struct buf b;

	buf_init(&b, BUF_MAX_TEXT);
	client_open(&c, user);
	for (unsigned done = 0; done < messages;) {
		unsigned n = messages - done < BATCH ? messages - done : BATCH;

		for (unsigned i = 0; i < n; i++) {
			make_message(&b, user, done + i);
			append(&c, buf_str(&b), i == 0);
		}
		append_end(&c);
		done += n;
	}
	client_close(&c);
	buf_release(&b);
}

/* A folder that belongs to whom its parent belongs to. */
static void make_folder(const char *path, const struct stat *like)
{
	if (mkdir(path, 0700) != 0 && errno != EEXIST)
		bench_die("%s: %s", path, strerror(errno));
	if (chown(path, like->st_uid, like->st_gid) != 0)
		bench_die("%s: %s", path, strerror(errno));
}

/* Dovecot needs minutes to create so many one by one; mailboxes of dbox are just folders. */
void bench_folders(const char *user, unsigned folders)
{
	char path[1024];
	struct stat like;
	int n;

	n = snprintf(path, sizeof(path), "%s/mail", lab_get("LAB_DIR"));
	if (stat(path, &like) != 0)
		bench_die("%s: %s", path, strerror(errno));
	n += snprintf(path + n, sizeof(path) - (size_t)n, "/%s", user);
	make_folder(path, &like);
	n += snprintf(path + n, sizeof(path) - (size_t)n, "/mailboxes");
	make_folder(path, &like);
	for (unsigned i = 0; i < folders; i++) {
		size_t room = sizeof(path) - (size_t)n;

		(void)snprintf(path + n, room, "/Archive %03u", i / 100);
		make_folder(path, &like);
		(void)snprintf(path + n, room, "/Archive %03u/Folder %u", i / 100, i);
		make_folder(path, &like);
		(void)snprintf(
			path + n, room, "/Archive %03u/Folder %u/dbox-Mails", i / 100, i);
		make_folder(path, &like);
	}
}

void bench_append(const char *user, struct str message)
{
	struct client c;

	client_open(&c, user);
	append(&c, message, true);
	append_end(&c);
	client_close(&c);
}

/* --- a phone */

void bench_phone(struct phone *p, const char *user, const char *id, const char *version)
{
	phone_init(p, lab_get("EAS_URL"), user, lab_get("LAB_PASSWORD"), id, version);
	if (!phone_provision(p) || !phone_folder_sync(p))
		bench_die("%s", p->error);
}

static void sync_document(struct buf *b, const struct device_folder *f, unsigned window)
{
	buf_reset(b);
	buf_addf(b,
		"airsync:Sync\n  airsync:Collections\n    airsync:Collection\n"
		"      airsync:SyncKey \"%s\"\n      airsync:CollectionId \"%s\"\n",
		f->key, f->id);
	if (strcmp(f->key, "0") != 0)
		buf_addf(b,
			"      airsync:GetChanges \"1\"\n      airsync:WindowSize \"%u\"\n"
			"      airsync:Options\n        airsync:FilterType \"0\"\n"
			"        airsyncbase:BodyPreference\n          airsyncbase:Type \"1\"\n"
			"          airsyncbase:TruncationSize \"1024\"\n",
			window);
}

static unsigned added;

unsigned bench_added(void)
{
	unsigned n = added;

	added = 0;
	return n;
}

static void note_last(const struct elem *commands, char *keep, size_t size)
{
	const struct elem *e = commands ? commands->child : NULL;
	struct str id;

	added += elem_count(commands, AIRSYNC_ADD);
	while (e && e->next)
		e = e->next;
	id = elem_text(e, AIRSYNC_SERVER_ID);
	if (keep && id.n)
		(void)snprintf(keep, size, "%.*s", STR_FMT(id));
}

bool bench_sync_once(struct phone *p, unsigned window, char *keep, size_t size)
{
	struct device_folder *f = phone_folder(p, 2);
	const struct elem *e;
	struct buf b;
	bool first;

	if (!f)
		bench_die("no inbox");
	first = strcmp(f->key, "0") == 0;
	buf_init(&b, BUF_MAX_LINE);
	sync_document(&b, f, window);
	e = phone_post(p, "Sync", buf_str(&b).p);
	buf_release(&b);
	if (!e && p->error[0])
		bench_die("%s", p->error);
	if (!e)
		return false;
	e = elem_child(elem_child(e, AIRSYNC_COLLECTIONS), AIRSYNC_COLLECTION);
	if (elem_u32(e, AIRSYNC_STATUS, 0) != 1)
		bench_die("Sync: Status %u", elem_u32(e, AIRSYNC_STATUS, 0));
	(void)snprintf(f->key, sizeof(f->key), "%.*s", STR_FMT(elem_text(e, AIRSYNC_SYNC_KEY)));
	note_last(elem_child(e, AIRSYNC_COMMANDS), keep, size);
	return first || elem_has(e, AIRSYNC_MORE_AVAILABLE);
}

unsigned bench_sync(struct phone *p, unsigned window, char *keep, size_t size)
{
	unsigned requests = 1;

	while (bench_sync_once(p, window, keep, size))
		requests++;
	return requests;
}

/* --- the log */

/* Adds up new lines of a command, so many at least; the line of a request may come after its
 * answer. */
static unsigned read_log(const char *command, unsigned requests, unsigned *last_r)
{
	char line[8192], name[64];
	unsigned sum = 0, lines = 0;

	(void)snprintf(name, sizeof(name), " cmd=%s ", command);
	for (unsigned tries = 0; lines < requests && tries < 1000; tries++) {
		FILE *f = fopen(lab_get("EASPOOL_LOG"), "r");

		(void)usleep(20000);
		if (!f || fseek(f, log_at, SEEK_SET) != 0)
			bench_die("could not read the log");
		while (fgets(line, sizeof(line), f)) {
			const char *trips = strstr(line, " trips=");

			if (!strstr(line, name) || !trips)
				continue;
			*last_r = (unsigned)strtoul(trips + 7, NULL, 10);
			sum += *last_r;
			lines++;
		}
		log_at = ftell(f);
		(void)fclose(f);
	}
	if (lines < requests)
		bench_die("%u %s in the log, not %u", lines, command, requests);
	return sum;
}

unsigned bench_trips(const char *command)
{
	unsigned last = 0;

	(void)read_log(command, 1, &last);
	return last;
}

unsigned bench_trips_all(const char *command, unsigned requests)
{
	unsigned last = 0;

	return read_log(command, requests, &last);
}
