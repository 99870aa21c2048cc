/*
 * support_tree: random doings of phones and mail programs in a whole tree of folders: folders
 * made, renamed and deleted, mails moved between them, searched, answered and forwarded.
 */
#ifndef EASPOOL_TESTS_SUPPORT_TREE_H
#define EASPOOL_TESTS_SUPPORT_TREE_H

#include "core/model/mail.h"
#include "tests/device/device.h"

/* One random thing each; keeps count of how many messages there must be in all folders but
 * Sent. All fail the running test when something does not work. */
void tree_phone_acts(struct phone *p, struct mail *m, unsigned round, size_t *expected);
void tree_client_acts(struct mail *m, unsigned round, size_t *expected);

/* Fails the running test, and says what was done last, unless there are that many. */
void tree_count(struct mail *m, size_t expected, unsigned round);

/* The phone synchronises everything and then has the folders and messages that the mailbox has,
 * with their flags, and it is as many as expected. */
void tree_equal(struct phone *p, struct mail *m, size_t expected);

#endif
