/*
 * Phones that wait while mails arrive and everything breaks, one thing after the other: no mail
 * is lost, none comes twice, and all is announced: a phone synchronises only when it was told
 * to.
 */
#include "tests/support_lab.h"
#include "tests/support_story.h"
#include "tests/support_wait.h"

#include "core/base/clock.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum {
	USERS = 4,
	PHONES = 8,
	ROUNDS = 18,
	MAILS_MAX = 4000,
	HEARTBEAT = 20,
	END_SECONDS = 4 * HEARTBEAT,
};

/* What the phones tell of themselves. */
struct board {
	_Atomic unsigned seen[PHONES]; /* mails */
	_Atomic unsigned waits, told, quiet, failed;
	_Atomic int64_t delivered[MAILS_MAX], slowest;
	_Atomic bool stop;
};
static struct board *board;

static const char *const faults[] = {"worker", "waiter", "listener", "parent", "postgres",
	"postgres-crash", "dovecot", "nginx", "silence"};

static unsigned wanted(const char *name, unsigned otherwise)
{
	const char *text = getenv(name);

	return text ? (unsigned)strtoul(text, NULL, 10) : otherwise;
}

static void pause_ms(unsigned ms)
{
	(void)usleep(ms * 1000);
}

/* "mail 17" */
static void note_arrivals(const struct device_folder *inbox, size_t from)
{
	int64_t now = clock_mono_ms();

	for (size_t i = from; i < inbox->n; i++) {
		struct str subject = str_of(inbox->v[i].subject);
		uint32_t n;
		int64_t took;

		if (!str_starts(subject, "mail ") ||
			!str_u32(str_sub(subject, 5, subject.n), &n) || n >= MAILS_MAX)
			continue;
		took = now - atomic_load(&board->delivered[n]);
		if (took > atomic_load(&board->slowest))
			atomic_store(&board->slowest, took);
	}
}

/* One Ping; whether the phone was told to synchronise. */
static bool told(struct phone *p, const char *inbox)
{
	char document[256];
	const struct elem *answer;
	unsigned status;

	(void)snprintf(document, sizeof(document),
		"ping:Ping\n  ping:HeartbeatInterval \"%d\"\n  ping:Folders\n"
		"    ping:Folder\n      ping:Id \"%s\"\n      ping:Class \"Email\"\n",
		HEARTBEAT, inbox);
	answer = phone_post(p, "Ping", document);
	status = elem_u32(answer, PING_STATUS, 0);
	atomic_fetch_add(&board->waits, 1);
	if (status == 1)
		atomic_fetch_add(&board->quiet, 1);
	if (status != 2 && status != 1) {
		atomic_fetch_add(&board->failed, 1);
		pause_ms(300);
	}
	return status == 2;
}

/* A phone, until the story is over. It dies of what a phone would choke on. */
static int live(struct phone *p, unsigned place)
{
	struct device_folder *inbox = phone_folder(p, STORY_INBOX);

	while (!atomic_load(&board->stop)) {
		size_t had = inbox->n;

		if (!told(p, inbox->id))
			continue;
		atomic_fetch_add(&board->told, 1);
		if (!phone_sync(p, inbox, 100, "")) {
			/* Trouble passes; a doubled mail does not. */
			if (strstr(p->error, "Add") || strstr(p->error, "Delete")) {
				(void)fprintf(stderr, "phone %u: %s\n", place, p->error);
				return 1;
			}
			pause_ms(300);
			continue;
		}
		note_arrivals(inbox, had < inbox->n ? had : inbox->n);
		atomic_store(&board->seen[place], (unsigned)inbox->n);
	}
	return 0;
}

static void user_of(unsigned phone, char *to, size_t n)
{
	(void)snprintf(to, n, "user%02u@example.test", phone % USERS + 1);
}

static struct phone phones[PHONES];

static pid_t start_phone(unsigned i)
{
	static char users[PHONES][64], ids[PHONES][16];
	pid_t test = getpid(), pid;

	user_of(i, users[i], sizeof(users[i]));
	(void)snprintf(ids[i], sizeof(ids[i]), "fault%u", i);
	phone_init(&phones[i], lab_get("EAS_URL"), users[i], lab_get("LAB_PASSWORD"), ids[i],
		i % 2 ? "12.1" : "14.1");
	story_set_up(&phones[i]);
	pid = fork();
	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != test)
			_exit(0);
		_exit(live(&phones[i], i));
	}
	return pid;
}

/* Some mails to everybody, as long as there is somebody to take them. */
static unsigned send_some(unsigned sent, unsigned *per_user)
{
	unsigned n = 1 + story_choose(3);

	for (unsigned k = 0; k < n && sent < MAILS_MAX; k++) {
		char to[64], subject[32];
		unsigned user = story_choose(USERS);

		user_of(user, to, sizeof(to));
		(void)snprintf(subject, sizeof(subject), "mail %u", sent);
		atomic_store(&board->delivered[sent++], clock_mono_ms());
		deliver(to, subject);
		per_user[user]++;
		pause_ms(story_choose(400));
	}
	return sent;
}

static unsigned missing(const unsigned *per_user)
{
	unsigned n = 0;

	for (unsigned i = 0; i < PHONES; i++)
		if (atomic_load(&board->seen[i]) < per_user[i % USERS])
			n += per_user[i % USERS] - atomic_load(&board->seen[i]);
	return n;
}

static void story(const char *source, const char *conf)
{
	unsigned rounds = wanted("EASPOOL_STORY_ROUNDS", ROUNDS), sent = 0,
		 per_user[USERS] = {0};
	pid_t pids[PHONES];

	board = mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		-1, 0);
	assert_ptr_not_equal(board, MAP_FAILED);
	story_seed(wanted("EASPOOL_STORY_SEED", 4));
	(void)setenv("EASPOOL_LAB_SOURCE", source, 1);
	(void)setenv("EASPOOL_LAB_CONF", conf, 1);
	lab_up(USERS);
	for (unsigned i = 0; i < PHONES; i++)
		pids[i] = start_phone(i);
	for (unsigned round = 0; round < rounds; round++) {
		sent = send_some(sent, per_user);
		lab_break(faults[round % ARRAY_LEN(faults)]);
		sent = send_some(sent, per_user);
	}
	for (unsigned i = 0; i < END_SECONDS * 10 && missing(per_user); i++)
		pause_ms(100);
	print_message("%s: %u faults, %u mails, %u waits, %u told, %u ended quietly, %u failed,"
		      " slowest %lld ms, lost %u\n",
		source, rounds, sent, atomic_load(&board->waits), atomic_load(&board->told),
		atomic_load(&board->quiet), atomic_load(&board->failed),
		(long long)atomic_load(&board->slowest), missing(per_user));
	atomic_store(&board->stop, true);
	for (unsigned i = 0; i < PHONES; i++) {
		int status = 0;

		/* One that still waits has nothing to say. */
		if (waitpid(pids[i], &status, WNOHANG) == 0)
			(void)kill(pids[i], SIGKILL);
		(void)waitpid(pids[i], NULL, 0);
		assert_int_equal(status, 0);
		phone_release(&phones[i]);
	}
	for (unsigned i = 0; i < PHONES; i++)
		assert_int_equal(atomic_load(&board->seen[i]), per_user[i % USERS]);
	(void)munmap(board, sizeof(*board));
	lab_down();
}

#define BEATS "heartbeat_min = 1\npoll_interval = 5\nretry_after = 1\nlistener_round = 2\n"

static void test_nothing_is_lost_when_the_mail_server_tells(void **state UNUSED)
{
	story("url", BEATS);
}

static void test_nothing_is_lost_with_imap_notify(void **state UNUSED)
{
	story("notify", BEATS);
}

static void test_nothing_is_lost_with_imap_idle(void **state UNUSED)
{
	story("idle", BEATS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_is_lost_when_the_mail_server_tells),
		cmocka_unit_test(test_nothing_is_lost_with_imap_notify),
		cmocka_unit_test(test_nothing_is_lost_with_imap_idle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
