#include "tests/support_lab.h"

#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static char dir[64];
static pid_t owner;

static _Noreturn void die(const char *what)
{
	(void)fprintf(stderr, "lab: %s\n", what);
	exit(1);
}

static int run(char *const argv[])
{
	int status = -1;
	pid_t pid;

	if (posix_spawn(&pid, argv[0], NULL, NULL, argv, environ) != 0)
		return -1;
	if (waitpid(pid, &status, 0) != pid)
		return -1;
	return status;
}

static void script(const char *name, char *path, size_t size)
{
	const char *source = getenv("EASPOOL_SOURCE");

	(void)snprintf(path, size, "%s/tests/lab/%s", source ? source : "..", name);
}

/* Reads KEY='value' lines into the environment. */
static void read_env(const char *lab_dir)
{
	char path[128], line[4096];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/lab.env", lab_dir);
	f = fopen(path, "r");
	if (!f)
		die("no lab.env");
	while (fgets(line, sizeof(line), f)) {
		char *value = strstr(line, "='");
		char *end = value ? strrchr(value + 2, '\'') : NULL;

		if (!end)
			continue;
		*value = *end = '\0';
		(void)setenv(line, value + 2, 1);
	}
	(void)fclose(f);
}

static void start(unsigned users, bool backends)
{
	const char *running = getenv("LAB_DIR");
	char up[4096], count[16];
	char *argv[] = {up, dir, (char[]){"--users"}, count, NULL};

	if (running) {
		read_env(running);
		return;
	}
	(void)snprintf(dir, sizeof(dir), "/tmp/easpool-lab-XXXXXX");
	if (!mkdtemp(dir))
		die("no temporary folder");
	owner = getpid();
	(void)atexit(lab_down);
	script("up", up, sizeof(up));
	(void)snprintf(count, sizeof(count), "%u", users);
	if (backends)
		(void)setenv("EASPOOL_LAB_ONLY", "backends", 1);
	if (run(argv) != 0)
		die("the servers do not start");
	read_env(dir);
}

void lab_up(unsigned users)
{
	start(users, false);
}

void lab_up_backends(unsigned users)
{
	start(users, true);
}

void lab_down(void)
{
	char down[4096];
	char *argv[] = {down, dir, NULL};

	if (dir[0] == '\0' || getpid() != owner)
		return;
	script("down", down, sizeof(down));
	(void)run(argv);
	(void)unsetenv("LAB_DIR");
	dir[0] = '\0';
}

const char *lab_get(const char *key)
{
	const char *value = getenv(key);

	if (!value)
		die(key);
	return value;
}

enum { CHILDREN = 64 };

/* Of the pool: workers, and the waiter. */
static size_t children(long v[CHILDREN])
{
	long parent = strtol(lab_get("EASPOOL_PID"), NULL, 10);
	char path[128], line[64];
	size_t n = 0;
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%ld/task/%ld/children", parent, parent);
	f = fopen(path, "r");
	if (!f)
		return 0;
	while (n < CHILDREN && fscanf(f, "%63s", line) == 1)
		v[n++] = strtol(line, NULL, 10);
	(void)fclose(f);
	return n;
}

void lab_kill_a_worker(unsigned pick)
{
	long v[CHILDREN];
	size_t n = children(v);

	if (n)
		(void)kill((pid_t)v[pick % n], SIGKILL);
}

long lab_waiter(void)
{
	long v[CHILDREN];
	size_t n = children(v);

	for (size_t i = 0; i < n; i++) {
		char path[64], name[64] = "";
		FILE *f;

		(void)snprintf(path, sizeof(path), "/proc/%ld/comm", v[i]);
		f = fopen(path, "r");
		if (f && fgets(name, sizeof(name), f) &&
			strcmp(name, "easpool-waiter\n") == 0) {
			(void)fclose(f);
			return v[i];
		}
		if (f)
			(void)fclose(f);
	}
	die("there is no waiter");
}

/* R, S ...; '\0': it is gone. The name in front of it stands in brackets. */
static char state_of(long pid)
{
	char path[64], line[256];
	const char *end = NULL;
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%ld/stat", pid);
	f = fopen(path, "r");
	if (!f)
		return '\0';
	if (fgets(line, sizeof(line), f))
		end = strrchr(line, ')');
	(void)fclose(f);
	return end ? end[2] : '\0';
}

bool lab_rests(long pid)
{
	enum { SAMPLES = 50, EVERY_US = 20000 };
	unsigned running = 0;

	for (unsigned i = 0; i < SAMPLES; i++) {
		char state = state_of(pid);

		if (state == '\0')
			die("a process is gone");
		running += state == 'R';
		(void)usleep(EVERY_US);
	}
	return running < SAMPLES / 2;
}

void lab_break(const char *what)
{
	char fault[4096], lab[128], kind[32];
	char *argv[] = {fault, lab, kind, NULL};

	script("fault", fault, sizeof(fault));
	(void)snprintf(lab, sizeof(lab), "%s", lab_get("LAB_DIR"));
	(void)snprintf(kind, sizeof(kind), "%s", what);
	if (run(argv) != 0)
		die("the fault did not happen");
}
