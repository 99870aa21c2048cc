/*
 * support_client: a mail program at the lab's IMAP server, straight and without TLS.
 */
#ifndef EASPOOL_TESTS_SUPPORT_CLIENT_H
#define EASPOOL_TESTS_SUPPORT_CLIENT_H

#include "core/base/arena.h"
#include "core/base/secret.h"
#include "core/model/mail.h"
#include "core/settings.h"

struct client {
	struct arena *arena;
	struct settings conf;
	struct imap *imap;
	struct mail *mail; /* what it is for */
	struct secret password;
};

/* A running lab is needed (support_lab.h). c stays where it is until it is closed. */
void client_open(struct client *c, const char *user);
void client_close(struct client *c);

#endif
