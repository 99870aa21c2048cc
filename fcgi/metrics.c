#include "fcgi/metrics.h"

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/wire/command.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* To be raised whenever the struct below, or what a place in it means, is another one. */
enum { MAGIC = 0x4d504145, LAYOUT = 2, TRIES = 10, WAITER_DEAD_MS = 10000 };

/* Behind the commands of the protocol. */
enum { OPTIONS = CMD_UNKNOWN, AUTODISCOVER, OTHER, COMMANDS };

enum outcome { OUTCOME_OK, OUTCOME_STATUS, OUTCOME_4XX, OUTCOME_5XX, OUTCOME_PARKED, OUTCOMES };
static const char *const outcomes[OUTCOMES] = {
	"ok", "status", "http_4xx", "http_5xx", "parked"};

static const char *const ends[METRICS_ENDS] = {
	[END_TOLD] = "told",
	[END_LOOKED] = "looked",
	[END_NOTHING] = "nothing_new",
	[END_HUNG_UP] = "hung_up",
	[END_NEWER] = "newer_request",
	[END_NO_ROOM] = "turned_away",
	[END_STOP] = "stopped",
};

static const struct {
	int64_t ms;
	const char *le;
} bounds[] = {
	{5,     "0.005"},
	{10,    "0.01" },
	{25,    "0.025"},
	{50,    "0.05" },
	{100,   "0.1"  },
	{250,   "0.25" },
	{500,   "0.5"  },
	{1000,  "1"    },
	{2500,  "2.5"  },
	{5000,  "5"    },
	{10000, "10"   },
	{30000, "30"   },
};

typedef _Atomic uint64_t counter_t;
_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "counters that are shared must need no lock");

struct histogram {
	counter_t v[ARRAY_LEN(bounds) + 1]; /* each by itself; the last: longer */
	counter_t sum;                      /* ms */
};

/* Of a wake-up, from the notice to the answer. */
enum wakeup { WAKE_DIRECT, WAKE_LOOKED, WAKES };
static const char *const wakes[WAKES] = {"direct", "looked"};

enum { ERRORS = RC_INTERNAL + 1 };

/* What is in the file. */
struct shared {
	uint32_t magic, layout;
	uint64_t size;
	int64_t since;
	counter_t requests[COMMANDS][OUTCOMES];
	struct histogram duration[COMMANDS];
	counter_t errors[ERRORS];
	counter_t trips, refused, in, out, parked, looks;
	counter_t ended[METRICS_ENDS];
	struct histogram wake[WAKES];
	counter_t waiting, jobs, workers;
	counter_t listeners, watched, dav_listeners, dav_watched;
	counter_t waiter_at; /* clock_mono_ms() of `waiting` and `jobs` */
};

static struct shared own, *shared = &own;

/* --- The file */

static void begin(struct shared *s)
{
	s->since = clock_now();
	s->size = sizeof(*s);
	s->layout = LAYOUT;
	s->magic = MAGIC;
}

static struct shared *map(int fd)
{
	int how = MAP_SHARED | (fd < 0 ? MAP_ANONYMOUS : 0);
	void *p = mmap(NULL, sizeof(struct shared), PROT_READ | PROT_WRITE, how, fd, 0);

	return p == MAP_FAILED ? NULL : p;
}

/* The counters in that file; a new one is filled. NULL with errno 0: the layout is another. */
static struct shared *map_file(int fd, const struct stat *st)
{
	struct shared *s;

	errno = 0;
	if (st->st_size != 0 && st->st_size != (off_t)sizeof(*s))
		return NULL;
	if (st->st_size == 0 && ftruncate(fd, (off_t)sizeof(*s)) != 0)
		return NULL;
	s = map(fd);
	if (!s)
		return NULL;
	if (st->st_size == 0)
		begin(s);
	if (s->magic == MAGIC && s->layout == LAYOUT && s->size == sizeof(*s))
		return s;
	(void)munmap(s, sizeof(*s));
	errno = 0;
	return NULL;
}

/* Whether that is the file of that name, and ours. */
static bool is_it(const char *path, int fd, struct stat *st)
{
	struct stat named;

	return fstat(fd, st) == 0 && lstat(path, &named) == 0 && S_ISREG(st->st_mode) &&
	       st->st_ino == named.st_ino && st->st_dev == named.st_dev &&
	       st->st_uid == geteuid();
}

/*
 * One try, while all others that begin wait. A file of another layout is left to those who have
 * mapped it and another one put in its place. NULL with errno 0: to be tried again.
 */
static struct shared *try(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	struct shared *s = NULL;
	struct stat st;
	int why = 0;

	if (fd < 0)
		return NULL;
	if (flock(fd, LOCK_EX) == 0 && is_it(path, fd, &st)) {
		s = map_file(fd, &st);
		why = errno;
		if (!s && !why && unlink(path) != 0)
			why = errno;
	}
	/* What is mapped would keep the lock as well. */
	(void)flock(fd, LOCK_UN);
	(void)close(fd);
	errno = s ? 0 : why;
	return s;
}

void metrics_open(const char *beside, bool anew)
{
	struct shared *s = NULL;
	char path[256];

	metrics_close();
	(void)snprintf(path, sizeof(path), "%s.metrics", beside);
	if (anew)
		(void)unlink(path);
	errno = 0;
	for (unsigned i = 0; i < TRIES && !s && !errno; i++)
		s = try(path);
	if (!s) {
		log_warning("could not share the metrics by %s: %s", path,
			errno ? strerror(errno) : "it is not ours");
		s = map(-1);
		if (!s)
			return;
		begin(s);
	}
	shared = s;
}

void metrics_close(void)
{
	if (shared != &own)
		(void)munmap(shared, sizeof(*shared));
	shared = &own;
}

/* --- Counting */

static void add(counter_t *c, uint64_t n)
{
	(void)atomic_fetch_add_explicit(c, n, memory_order_relaxed);
}

static uint64_t get(counter_t *c)
{
	return atomic_load_explicit(c, memory_order_relaxed);
}

static void set(counter_t *c, uint64_t n)
{
	atomic_store_explicit(c, n, memory_order_relaxed);
}

static void measure(struct histogram *h, int64_t ms)
{
	size_t i = 0;

	if (ms < 0)
		ms = 0;
	while (i < ARRAY_LEN(bounds) && ms > bounds[i].ms)
		i++;
	add(&h->v[i], 1);
	add(&h->sum, (uint64_t)ms);
}

/* A name that a device made up is "other": it cannot make the table grow. */
static unsigned command_index(struct str name)
{
	enum command_id id = command_of(name);

	if (id != CMD_UNKNOWN)
		return (unsigned)id;
	return str_is(name, "OPTIONS")        ? OPTIONS
	       : str_is(name, "Autodiscover") ? AUTODISCOVER
					      : OTHER;
}

static const char *command_label(unsigned i)
{
	static const char *const others[] = {"OPTIONS", "Autodiscover", "other"};

	return i < OPTIONS ? command_name((enum command_id)i) : others[i - OPTIONS];
}

static enum outcome outcome_of(const struct metrics_request *r, unsigned command)
{
	/* Of a Ping that is no error: there are changes. */
	bool changes = command == CMD_PING && r->status == 2;

	if (r->parked)
		return OUTCOME_PARKED;
	if (r->http >= 500)
		return OUTCOME_5XX;
	if (r->http >= 400)
		return OUTCOME_4XX;
	return r->status > 1 && !changes ? OUTCOME_STATUS : OUTCOME_OK;
}

static void woke(enum wakeup how, int64_t noticed)
{
	if (noticed)
		measure(&shared->wake[how], clock_mono_ms() - noticed);
}

/* A look of a worker is a part of the wait, not another request. */
static void count_look(const struct metrics_request *r)
{
	if (r->parked)
		return;
	add(&shared->ended[END_LOOKED], 1);
	woke(WAKE_LOOKED, r->noticed);
}

static void count_new(const struct metrics_request *r)
{
	unsigned command = command_index(r->command);

	add(&shared->requests[command][outcome_of(r, command)], 1);
	measure(&shared->duration[command], r->ms);
	if (r->parked)
		add(&shared->parked, 1);
	if (r->http == 401 && r->login)
		add(&shared->refused, 1);
	add(&shared->in, r->in);
}

void metrics_request(const struct metrics_request *r)
{
	if (r->again)
		count_look(r);
	else
		count_new(r);
	/* Whoever was asked for his password has made no mistake. */
	if (r->error && (r->http != 401 || r->login))
		add(&shared->errors[r->error], 1);
	add(&shared->trips, r->trips);
	add(&shared->out, r->out);
}

void metrics_ended(enum metrics_end how, int64_t noticed)
{
	add(&shared->ended[how], 1);
	if (how == END_TOLD)
		woke(WAKE_DIRECT, noticed);
}

void metrics_handed_over(void)
{
	add(&shared->looks, 1);
}

void metrics_listeners(size_t alive, size_t watched)
{
	set(&shared->listeners, alive);
	set(&shared->watched, watched);
}

void metrics_dav_listeners(size_t alive, size_t watched)
{
	set(&shared->dav_listeners, alive);
	set(&shared->dav_watched, watched);
}

void metrics_waiter(size_t waiting, size_t jobs)
{
	set(&shared->waiting, waiting);
	set(&shared->jobs, jobs);
	set(&shared->waiter_at, (uint64_t)clock_mono_ms());
}

void metrics_workers(size_t n)
{
	set(&shared->workers, n);
}

void metrics_now(struct metrics_now *r)
{
	uint64_t now = (uint64_t)clock_mono_ms(), at = get(&shared->waiter_at);

	*r = (struct metrics_now){.since = shared->since, .workers = get(&shared->workers)};
	for (unsigned c = 0; c < COMMANDS; c++)
		for (unsigned o = 0; o < OUTCOMES; o++)
			r->requests += get(&shared->requests[c][o]);
	for (unsigned c = 0; c < COMMANDS; c++)
		r->failed += get(&shared->requests[c][OUTCOME_5XX]);
	for (unsigned i = 0; i < METRICS_ENDS; i++)
		r->ended[i] = get(&shared->ended[i]);
	/* A file may be older than the clock. */
	r->waiter = at && at <= now && now - at < WAITER_DEAD_MS;
	if (r->waiter) {
		r->waiting = get(&shared->waiting);
		r->jobs = get(&shared->jobs);
	}
}

/* --- Telling */

static void sample(struct buf *b, const char *name, const char *labels, uint64_t n)
{
	buf_addf(b, "%s%s%s%s %" PRIu64 "\n", name, *labels ? "{" : "", labels,
		*labels ? "}" : "", n);
}

static void sample_by(
	struct buf *b, const char *name, const char *key, const char *value, uint64_t n)
{
	char labels[64];

	(void)snprintf(labels, sizeof(labels), "%s=\"%s\"", key, value);
	sample(b, name, labels, n);
}

/* The count is what the buckets hold, so that it is never another number than theirs. */
static void print_histogram(struct buf *b, const char *name, const char *key, const char *value,
	struct histogram *h)
{
	uint64_t n = 0, sum = get(&h->sum);

	for (size_t i = 0; i <= ARRAY_LEN(bounds); i++) {
		n += get(&h->v[i]);
		buf_addf(b, "%s_bucket{%s=\"%s\",le=\"%s\"} %" PRIu64 "\n", name, key, value,
			i < ARRAY_LEN(bounds) ? bounds[i].le : "+Inf", n);
	}
	buf_addf(b, "%s_sum{%s=\"%s\"} %" PRIu64 ".%03u\n", name, key, value, sum / 1000,
		(unsigned)(sum % 1000));
	buf_addf(b, "%s_count{%s=\"%s\"} %" PRIu64 "\n", name, key, value, n);
}

/* Only of commands that were there: a host sees a few of them. */
static void print_requests(struct buf *b, const char *name)
{
	char labels[64];

	for (unsigned c = 0; c < COMMANDS; c++)
		for (unsigned o = 0; o < OUTCOMES; o++) {
			uint64_t n = get(&shared->requests[c][o]);

			(void)snprintf(labels, sizeof(labels), "command=\"%s\",outcome=\"%s\"",
				command_label(c), outcomes[o]);
			if (n)
				sample(b, name, labels, n);
		}
}

static void print_duration(struct buf *b, const char *name)
{
	for (unsigned c = 0; c < COMMANDS; c++) {
		uint64_t n = 0;

		for (unsigned o = 0; o < OUTCOMES; o++)
			n += get(&shared->requests[c][o]);
		if (n)
			print_histogram(
				b, name, "command", command_label(c), &shared->duration[c]);
	}
}

static void print_errors(struct buf *b, const char *name)
{
	for (unsigned i = RC_OK + 1; i < ERRORS; i++)
		sample_by(b, name, "kind", rc_name((enum rc)i), get(&shared->errors[i]));
}

static void print_ends(struct buf *b, const char *name)
{
	for (unsigned i = 0; i < METRICS_ENDS; i++)
		sample_by(b, name, "how", ends[i], get(&shared->ended[i]));
}

static void print_wakes(struct buf *b, const char *name)
{
	for (unsigned i = 0; i < WAKES; i++)
		print_histogram(b, name, "way", wakes[i], &shared->wake[i]);
}

static void print_since(struct buf *b, const char *name)
{
	sample(b, name, "", (uint64_t)shared->since);
}

static void print_build(struct buf *b, const char *name)
{
	sample_by(b, name, "version", EASPOOL_VERSION, 1);
}

static void print_waiting(struct buf *b, const char *name)
{
	struct metrics_now now;

	metrics_now(&now);
	sample(b, name, "", now.waiting);
}

static void print_jobs(struct buf *b, const char *name)
{
	struct metrics_now now;

	metrics_now(&now);
	sample(b, name, "", now.jobs);
}

/* As the waiter last heard of them; without one nobody knows. */
static void heard(struct buf *b, const char *name, counter_t *c)
{
	struct metrics_now now;

	metrics_now(&now);
	sample(b, name, "", now.waiter ? get(c) : 0);
}

static void print_listeners(struct buf *b, const char *name)
{
	heard(b, name, &shared->listeners);
}

static void print_watched(struct buf *b, const char *name)
{
	heard(b, name, &shared->watched);
}

static void print_dav_listeners(struct buf *b, const char *name)
{
	heard(b, name, &shared->dav_listeners);
}

static void print_dav_watched(struct buf *b, const char *name)
{
	heard(b, name, &shared->dav_watched);
}

static void print_waiter(struct buf *b, const char *name)
{
	struct metrics_now now;

	metrics_now(&now);
	sample(b, name, "", now.waiter);
}

/* A number by itself has its place, all else a function. */
static const struct family {
	const char *name, *type, *help;
	void (*print)(struct buf *b, const char *name);
	size_t place;
} families[] = {
	{"easpool_build_info",                   "gauge",                    "The version of easpool.",                                                   print_build,               0													 },
	{"easpool_counting_since_seconds",       "gauge",
         "When counting began, in seconds since 1970.",												   print_since,               0													 },
	{"easpool_workers",                      "gauge",                    "Worker processes; 0 where no parent counts them.",                          NULL,
         offsetof(struct shared,																																 workers)},
	{"easpool_requests_total",				      "counter",                                         "Requests by command and outcome.",
         print_requests,                     0																																	},
	{"easpool_request_duration_seconds",                                      "histogram",
         "How long a worker was busy with a request.",                                                          print_duration,															       0																				 },
	{"easpool_backend_round_trips_total",                                      "counter",
         "Round trips to IMAP and submission servers.",                                                           NULL,
         offsetof(struct shared,																					  trips)},
	{"easpool_errors_total",                                "counter",							  "Requests with an error, by its kind.",
         print_errors,												 0},
	{"easpool_refused_logins_total",                                     "counter",							       "Requests whose password was wrong.",													     NULL,
         offsetof(struct shared,							       refused)},
	{"easpool_received_bytes_total",                 "counter",                                   "Bytes of requests.",													      NULL,
         offsetof(struct shared,															     in)},
	{"easpool_sent_bytes_total",                                  "counter",                                             "Bytes of answers that workers gave.",														     NULL,
         offsetof(struct shared,												   out)},
	{"easpool_waits_total", "counter","Requests that were left with the waiter.",															  NULL,
         offsetof(struct shared,																		       parked)},
	{"easpool_waits_ended_total",                             "counter",                                   "Waits that are over, by how they ended.",
         print_ends,																		     0												 },
	{"easpool_waits_looked_after_total",            "counter",
         "Waiting requests that a worker was given to look.", NULL,
         offsetof(struct shared,														      looks)},
	{"easpool_wakeup_delay_seconds",     "histogram",
         "From the notice of a change to the answer of the waiting request.",											     print_wakes,														  0																																},
	{"easpool_waiting",				      "gauge",                                   "Devices that wait now.",											       print_waiting,													0													  },
	{"easpool_waiting_jobs",				      "gauge",						"Of them, those that wait for a worker to look.",
         print_jobs,					      0},
	{"easpool_listeners",				      "gauge",					   "Running easlistend programs, of all hosts.",
         print_listeners,    0																																	    },
	{"easpool_listener_watches",				      "gauge",					      "Accounts that they watch with IMAP connections.",
         print_watched,                0																																       },
	{"easpool_dav_listeners",				      "gauge",
         "Processes of easlistend that ask for changes in address books.",								      print_dav_listeners, 0																																	 },
	{"easpool_dav_listener_watches",                                      "gauge",                                          "Accounts for which they ask.",
         print_dav_watched,													   0															    },
	{"easpool_waiter_up",				      "gauge",                                   "Whether there is a waiter.",                                                                  print_waiter,                    0																																     },
};

void metrics_print(struct buf *b)
{
	for (size_t i = 0; i < ARRAY_LEN(families); i++) {
		const struct family *f = &families[i];

		buf_addf(b, "# HELP %s %s\n# TYPE %s %s\n", f->name, f->help, f->name, f->type);
		if (f->print)
			f->print(b, f->name);
		else
			sample(b, f->name, "", get((counter_t *)((char *)shared + f->place)));
	}
}
