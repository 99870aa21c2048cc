/*
 * server: a libcurl handle pointed at a mail server of the settings: address, default port,
 * TLS mode, certificates and time limit, the same for all who connect.
 */
#ifndef EASPOOL_STORE_SERVER_H
#define EASPOOL_STORE_SERVER_H

#include "core/base/secret.h"
#include "core/settings.h"

enum server { SERVER_IMAP, SERVER_SMTP };

/* curl: a CURL handle, fresh from curl_easy_init(). */
void server_options(void *curl, const struct settings *conf, enum server which);

/*
 * The last two lines that the server said while a transfer ran. libcurl keeps greetings and the
 * answers to a login to itself; they say why something failed, and what the server can do.
 * What was sent to it is never kept.
 */
struct server_line {
	char text[2048];
	char before[2048];
};
/* line: as long as the handle lives. */
void server_listen(void *curl, struct server_line *line);

/* Connects without a login, TLS included, for easctl doctor. RC_UNAVAILABLE with the reason. */
MUST_USE enum rc server_probe(const struct settings *conf, enum server which, struct err *err);

/* Who logs in: the user, or with password NULL the master user for him (RFC 4616 authzid). */
void server_login(void *curl, const struct settings *conf, const char *login,
	const struct secret *password);

#endif
