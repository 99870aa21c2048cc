/*
 * login: a libcurl handle on its way to a logged-in IMAP connection, and what the server said
 * when it got there.
 */
#ifndef EASPOOL_STORE_IMAP_LOGIN_H
#define EASPOOL_STORE_IMAP_LOGIN_H

#include "core/base/arena.h"
#include "core/base/err.h"
#include "store/server.h"

/* password NULL: as the master user. The handle stays connected and is for
 * curl_easy_send() and curl_easy_recv(). */
void login_options(void *curl, const struct settings *conf, const char *login,
	const struct secret *password, struct server_line *said);
/* code: libcurl's, of the transfer that connected. RC_DENIED: wrong password. */
MUST_USE enum rc login_result(
	int code, const struct settings *conf, const struct server_line *said, struct err *err);
/* What the server said it can do while it let us in; false: it did not say. */
bool login_capabilities(const struct server_line *said, unsigned *caps_r);

#endif
