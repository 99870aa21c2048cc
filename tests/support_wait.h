/*
 * support_wait: phones that wait in processes of their own, and mail that is delivered while
 * they do.
 */
#ifndef EASPOOL_TESTS_SUPPORT_WAIT_H
#define EASPOOL_TESTS_SUPPORT_WAIT_H

#include "tests/device/device.h"

#include <sys/types.h>

struct waiting {
	pid_t pid;
	int fd;
};

/* What a Ping came to, or a Sync. */
struct waited {
	long http;
	unsigned status;   /* of a Sync: of the first collection */
	char folders[512]; /* ids, each with a space behind it; of a Sync: that have changes */
	char key[32];      /* of a Sync: the new one of the last collection */
};

/* A Ping of that phone for these folders (DeviceFolder ids), in the background. */
void waiting_start(
	struct waiting *w, struct phone *p, const char *const *ids, size_t n, unsigned seconds);
/* Any such request, in the readable form. */
void waiting_start_with(
	struct waiting *w, struct phone *p, const char *command, const char *document);
/* Whether it is over; waits for that at most so long. */
bool waiting_over(struct waiting *w, unsigned timeout_ms, struct waited *r);
/* Ends the phone, as if it had lost its network. */
void waiting_break(struct waiting *w);

/* Delivers a small mail through the lab's LMTP server; fails the test if that does not work. */
void deliver(const char *to, const char *subject);

#endif
