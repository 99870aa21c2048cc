/*
 * Mail through nginx, easpool and Dovecot: round trips, empty Sync by mailbox size, the first
 * synchronisation, searches, the worker's own time, and requests per second.
 *
 *     bench_mail [trips|first|folders|load|empty|windows|search|cpu] ...   or all of them
 */
#include "tests/bench/bench.h"
#include "tests/support_lab.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EMPTY_TIMES = 201, LOAD_USERS = 8, LOAD_REQUESTS = 400 };

static const char *const users[] = {"user01@example.test", "user02@example.test",
	"user03@example.test", "user04@example.test", "user05@example.test",
	"user06@example.test", "user07@example.test", "user08@example.test"};

/* The trips of commands on a worker that has the session of the user. One worker. */
static void trips(void)
{
	struct phone *p = calloc(1, sizeof(*p));
	struct device_folder *inbox;
	char id[72] = "", text[1024];
	unsigned first, empty;

	if (!p)
		abort();
	bench_lab(2, 1);
	bench_fill(users[0], 500);
	bench_phone(p, users[0], "trips", "14.1");
	(void)bench_trips("FolderSync");
	if (!phone_folder_sync(p))
		bench_die("%s", p->error);
	(void)printf("trips: FolderSync without changes: %u\n", bench_trips("FolderSync"));
	inbox = phone_folder(p, 2);
	first = bench_sync(p, 100, id, sizeof(id));
	(void)printf("trips: first Sync of 500 in windows of 100: %u requests, %u trips\n",
		first, bench_trips_all("Sync", first));
	(void)bench_sync(p, 100, NULL, 0);
	empty = bench_trips("Sync");
	(void)printf("trips: empty Sync: %u\n", empty);
	bench_fill(users[0], 100);
	(void)bench_sync(p, 100, id, sizeof(id));
	(void)printf("trips: a window of 100 new messages: %u\n", bench_trips("Sync"));
	(void)snprintf(text, sizeof(text),
		"airsync:Sync\n  airsync:Collections\n    airsync:Collection\n"
		"      airsync:SyncKey \"%s\"\n      airsync:CollectionId \"%s\"\n"
		"      airsync:Commands\n        airsync:Change\n          airsync:ServerId \"%s\"\n"
		"          airsync:ApplicationData\n            email:Read \"1\"\n",
		inbox->key, inbox->id, id);
	if (!phone_post(p, "Sync", text))
		bench_die("%s", p->error);
	(void)printf(
		"trips: Sync with one message read on the phone: %u\n", bench_trips("Sync"));
	(void)snprintf(text, sizeof(text),
		"itemoperations:ItemOperations\n  itemoperations:Fetch\n"
		"    itemoperations:Store \"Mailbox\"\n    airsync:CollectionId \"%s\"\n"
		"    airsync:ServerId \"%s\"\n",
		inbox->id, id);
	if (!phone_post(p, "ItemOperations", text))
		bench_die("%s", p->error);
	(void)printf("trips: ItemOperations Fetch of a message: %u\n",
		bench_trips("ItemOperations"));
	if (!phone_move(p, inbox, id, phone_folder(p, 4)))
		bench_die("%s", p->error);
	(void)printf("trips: MoveItems of a message: %u\n", bench_trips("MoveItems"));
	if (!phone_send(p, users[1], "Hello", "There"))
		bench_die("%s", p->error);
	(void)printf("trips: SendMail with a copy in Sent (IMAP only): %u\n",
		bench_trips("SendMail"));
	phone_release(p);
	free(p);
	lab_down();
}

static int64_t empty_sync(const char *user, unsigned messages)
{
	struct phone *p = calloc(1, sizeof(*p));
	int64_t us[EMPTY_TIMES], began;

	if (!p)
		abort();
	bench_fill(user, messages);
	bench_phone(p, user, "empty", "14.1");
	(void)bench_sync(p, 512, NULL, 0);
	/* Every worker has its session now and then. */
	for (unsigned i = 0; i < 20; i++)
		(void)bench_sync(p, 512, NULL, 0);
	for (size_t i = 0; i < EMPTY_TIMES; i++) {
		began = bench_us();
		(void)bench_sync(p, 512, NULL, 0);
		us[i] = bench_us() - began;
	}
	phone_release(p);
	free(p);
	return bench_median(us, EMPTY_TIMES);
}

static void empty(void)
{
	static const unsigned sizes[] = {1000, 20000, 100000};
	int64_t us[ARRAY_LEN(sizes)];

	bench_lab(3, 0);
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		us[i] = empty_sync(users[i], sizes[i]);
		(void)printf("empty: Sync of %u messages without changes: %lld us, %.2f times "
			     "that of %u\n",
			sizes[i], (long long)us[i], (double)us[i] / (double)us[0], sizes[0]);
		(void)fflush(stdout);
	}
	lab_down();
}

static void first(void)
{
	struct phone *p = calloc(1, sizeof(*p));
	int64_t began, took;
	unsigned requests;

	if (!p)
		abort();
	bench_lab(1, 0);
	bench_fill(users[0], 1000);
	bench_phone(p, users[0], "first", "14.1");
	(void)bench_trips("FolderSync");
	began = bench_us();
	requests = bench_sync(p, 100, NULL, 0);
	took = bench_us() - began;
	(void)printf("first: 1000 messages in windows of 100: %lld ms, %u requests, %u trips\n",
		(long long)took / 1000, requests, bench_trips_all("Sync", requests));
	phone_release(p);
	free(p);
	lab_down();
}

/* Ten thousand folders: what the first FolderSync costs, and one without changes. */
static void folders(void)
{
	enum { FOLDERS = 10000 };
	struct phone *p = calloc(1, sizeof(*p));
	int64_t us[2], began;
	const struct elem *e;
	char document[256], key[32] = "0";

	if (!p)
		abort();
	bench_lab(1, 0);
	bench_folders(users[0], FOLDERS);
	phone_init(p, lab_get("EAS_URL"), users[0], lab_get("LAB_PASSWORD"), "folders", "14.1");
	if (!phone_provision(p))
		bench_die("%s", p->error);
	for (unsigned i = 0; i < 2; i++) {
		(void)snprintf(document, sizeof(document),
			"folderhierarchy:FolderSync\n  folderhierarchy:SyncKey \"%s\"\n", key);
		began = bench_us();
		e = phone_post(p, "FolderSync", document);
		us[i] = bench_us() - began;
		if (elem_u32(e, FOLDERHIERARCHY_STATUS, 0) != 1)
			bench_die("FolderSync: %s", p->error);
		(void)snprintf(key, sizeof(key), "%.*s",
			STR_FMT(elem_text(e, FOLDERHIERARCHY_SYNC_KEY)));
		(void)printf("folders: %u changes of %d folders: %lld ms, %u trips\n",
			elem_u32(elem_child(e, FOLDERHIERARCHY_CHANGES), FOLDERHIERARCHY_COUNT,
				0),
			FOLDERS, (long long)us[i] / 1000, bench_trips("FolderSync"));
	}
	phone_release(p);
	free(p);
	lab_down();
}

enum { MANY = 20000, WINDOW = 512 };

/* A large mailbox for the first time: the longest request of all. */
static void windows(void)
{
	struct phone *p = calloc(1, sizeof(*p));
	int64_t longest = 0, began, us, all;
	unsigned requests = 0;
	bool more = true;

	if (!p)
		abort();
	bench_lab(1, 0);
	bench_fill(users[0], MANY);
	bench_phone(p, users[0], "windows", "14.1");
	(void)bench_added();
	all = bench_us();
	for (; more; requests++) {
		began = bench_us();
		more = bench_sync_once(p, WINDOW, NULL, 0);
		us = bench_us() - began;
		longest = us > longest ? us : longest;
	}
	all = bench_us() - all;
	if (bench_added() != MANY)
		bench_die("not all messages came");
	(void)printf("windows: %d messages in windows of %d: %u requests, the longest %lld ms, "
		     "%.1f times the mean\n",
		MANY, WINDOW, requests, (long long)longest / 1000,
		(double)longest * requests / (double)all);
	phone_release(p);
	free(p);
	lab_down();
}

static void search_page(struct phone *p, const char *what, const char *query, unsigned from)
{
	char document[1024];
	const struct elem *e;
	int64_t us = bench_us();

	(void)snprintf(document, sizeof(document),
		"search:Search\n  search:Store\n    search:Name \"Mailbox\"\n    search:Query\n"
		"      search:And\n        airsync:Class \"Email\"\n"
		"        airsync:CollectionId \"%s\"\n        search:FreeText \"%s\"\n"
		"    search:Options\n      search:Range \"%u-%u\"\n"
		"      airsyncbase:BodyPreference\n        airsyncbase:Type \"1\"\n"
		"        airsyncbase:TruncationSize \"512\"\n",
		phone_folder(p, 2)->id, query, from, from + 49);
	e = phone_post(p, "Search", document);
	us = bench_us() - us;
	e = elem_child(elem_child(e, SEARCH_RESPONSE), SEARCH_STORE);
	if (elem_u32(e, SEARCH_STATUS, 0) != 1)
		bench_die("Search: %s, Status %u", p->error, elem_u32(e, SEARCH_STATUS, 0));
	(void)printf("search: %s, %u-%u of %u: %u trips, %lld ms\n", what, from, from + 49,
		elem_u32(e, SEARCH_TOTAL, 0), bench_trips("Search"), (long long)us / 1000);
}

/* Pages of 50 in a large mailbox, whose server has no index of the words. */
static void search(void)
{
	struct phone *p = calloc(1, sizeof(*p));

	if (!p)
		abort();
	bench_lab(1, 1);
	bench_fill(users[0], MANY);
	bench_phone(p, users[0], "search", "14.1");
	search_page(p, "all messages", "benchmark", 0);
	search_page(p, "all messages", "benchmark", 50);
	search_page(p, "all messages", "benchmark", 100);
	search_page(p, "some", "Message 12", 0);
	search_page(p, "some", "Message 12", 50);
	search_page(p, "none", "nowhere", 0);
	phone_release(p);
	free(p);
	lab_down();
}

/* The time that a worker itself computes. */
static void cpu(void)
{
	enum { EMPTY = 2000, MESSAGES = 10000 };
	struct phone *p = calloc(1, sizeof(*p));
	int64_t us;
	unsigned n = 0;

	if (!p)
		abort();
	bench_lab(1, 1);
	bench_fill(users[0], MESSAGES);
	bench_phone(p, users[0], "cpu", "14.1");
	(void)bench_sync_once(p, 100, NULL, 0);
	us = bench_cpu_us();
	do
		n++;
	while (bench_sync_once(p, 100, NULL, 0));
	us = bench_cpu_us() - us;
	(void)printf("cpu: a window of 100: %lld us of the worker\n", (long long)us / n);
	us = bench_cpu_us();
	for (unsigned i = 0; i < EMPTY; i++)
		(void)bench_sync_once(p, 100, NULL, 0);
	us = bench_cpu_us() - us;
	(void)printf("cpu: an empty Sync: %lld us of the worker\n", (long long)us / EMPTY);
	phone_release(p);
	free(p);
	lab_down();
}

/* --- requests per second */

struct runner {
	pthread_t thread;
	struct phone *p;
	bool bare; /* no password: the way through nginx and the pool, and back */
};

static void *keep_asking(void *arg)
{
	struct runner *r = arg;

	for (unsigned i = 0; i < LOAD_REQUESTS; i++) {
		if (!r->bare) {
			(void)bench_sync(r->p, 100, NULL, 0);
			continue;
		}
		(void)phone_post(r->p, "Sync", "");
		if (r->p->http != 401)
			bench_die("HTTP %ld instead of 401", r->p->http);
	}
	return NULL;
}

static double rate(struct runner *r, bool bare)
{
	int64_t began = bench_us();

	for (unsigned i = 0; i < LOAD_USERS; i++) {
		r[i].bare = bare;
		r[i].p->user = bare ? "" : users[i];
		if (pthread_create(&r[i].thread, NULL, keep_asking, &r[i]) != 0)
			bench_die("no thread");
	}
	for (unsigned i = 0; i < LOAD_USERS; i++)
		(void)pthread_join(r[i].thread, NULL);
	return (double)LOAD_USERS * LOAD_REQUESTS * 1e6 / (double)(bench_us() - began);
}

static void load(void)
{
	struct runner r[LOAD_USERS];
	double bare, sync;

	bench_lab(LOAD_USERS, 0);
	for (unsigned i = 0; i < LOAD_USERS; i++) {
		r[i].p = calloc(1, sizeof(*r[i].p));
		if (!r[i].p)
			abort();
		bench_fill(users[i], 1000);
		bench_phone(r[i].p, users[i], "load", "14.1");
		(void)bench_sync(r[i].p, 512, NULL, 0);
	}
	(void)rate(r, false);
	sync = rate(r, false);
	bare = rate(r, true);
	(void)printf(
		"load: %d users at once: %.0f empty Syncs a second, %.2f of the %.0f requests "
		"a second that are only refused\n",
		LOAD_USERS, sync, sync / bare, bare);
	for (unsigned i = 0; i < LOAD_USERS; i++) {
		phone_release(r[i].p);
		free(r[i].p);
	}
	lab_down();
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} all[] = {
		{"trips",   trips  },
		{"first",   first  },
		{"folders", folders},
		{"load",    load   },
		{"empty",   empty  },
		{"windows", windows},
		{"search",  search },
		{"cpu",     cpu    },
	};

	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		bool wanted = argc == 1;

		for (int k = 1; k < argc; k++)
			wanted = wanted || strcmp(argv[k], all[i].name) == 0;
		if (wanted)
			all[i].run();
		(void)fflush(stdout);
	}
	return 0;
}
