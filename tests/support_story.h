/*
 * support_story: what the stories of random changes have in common, over any mailbox behind
 * core/model/mail.h and any phone: over the fakes and over the real servers.
 */
#ifndef EASPOOL_TESTS_SUPPORT_STORY_H
#define EASPOOL_TESTS_SUPPORT_STORY_H

#include "core/model/mail.h"
#include "tests/device/device.h"

enum { STORY_INBOX = 2, STORY_TRASH = 4, STORY_SENT = 5 }; /* folder types */

/* All of these fail the running test when something does not work. */

/* Seeded choices, so that a failure can be had again: 0 to n - 1. */
void story_seed(unsigned seed);
unsigned story_choose(unsigned n);

void story_must(bool ok, const struct phone *p);
void story_set_up(struct phone *p); /* provisioned, folders, inbox and trash synchronised */
/* A small text message; its UID, 0 when the server does not tell. received 0: now. */
uint32_t story_append(struct mail *m, const char *folder, unsigned flags, int64_t received,
	const char *subject);

/* In one Sync: the first item of a folder changes its Read, the second is deleted; in windows.
 */
void story_change_and_delete(struct phone *p, struct device_folder *f, unsigned window);
/* One random thing that a phone does: change, delete, move; then it synchronises. */
void story_phone_acts(struct phone *p);
/* One random thing that a mail program does; keeps count of how many messages there must be. */
void story_client_acts(struct mail *m, unsigned round, size_t *expected);

/* The phone synchronises and then has exactly what inbox and trash have, with the flags that
 * its version knows, and it is as many as expected. */
void story_equal(struct phone *p, struct mail *m, size_t expected);

#endif
