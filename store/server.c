#include "store/server.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *scheme;
	int port, implicit_port;
} defaults[] = {
	[SERVER_IMAP] = {"imap", 143, 993},
	[SERVER_SMTP] = {"smtp", 587, 465},
};

void server_options(void *curl, const struct settings *conf, enum server which)
{
	bool imap = which == SERVER_IMAP;
	struct str host = imap ? conf->imap_host : conf->smtp_host;
	int tls = imap ? conf->imap_tls : conf->smtp_tls;
	int64_t port = imap ? conf->imap_port : conf->smtp_port;
	int64_t timeout = imap ? conf->imap_timeout : conf->smtp_timeout;
	bool implicit = tls == TLS_IMPLICIT;
	char url[512];

	if (!port)
		port = implicit ? defaults[which].implicit_port : defaults[which].port;
	(void)snprintf(url, sizeof(url), "%s%s://%.*s:%lld/", defaults[which].scheme,
		implicit ? "s" : "", STR_FMT(host), (long long)port);
	(void)curl_easy_setopt(curl, CURLOPT_URL, url);
	(void)curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)timeout);
	(void)curl_easy_setopt(curl, CURLOPT_SERVER_RESPONSE_TIMEOUT, (long)timeout);
	if (tls == TLS_STARTTLS)
		(void)curl_easy_setopt(curl, CURLOPT_USE_SSL, (long)CURLUSESSL_ALL);
	if (conf->tls_ca_file.n)
		(void)curl_easy_setopt(curl, CURLOPT_CAINFO, conf->tls_ca_file.p);
	if (!conf->tls_verify) {
		(void)curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L);
		(void)curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
	}
}

/* NOLINTNEXTLINE(readability-non-const-parameter): libcurl's type. */
static int hear(CURL *c UNUSED, curl_infotype kind, char *data, size_t n, void *ctx)
{
	struct server_line *line = ctx;

	if (kind == CURLINFO_HEADER_IN) {
		memcpy(line->before, line->text, sizeof(line->before));
		(void)snprintf(line->text, sizeof(line->text), "%.*s",
			STR_FMT(str_trim((struct str){data, n})));
	}
	return 0;
}

void server_listen(void *curl, struct server_line *line)
{
	*line = (struct server_line){.text = ""};
	(void)curl_easy_setopt(curl, CURLOPT_DEBUGFUNCTION, hear);
	(void)curl_easy_setopt(curl, CURLOPT_DEBUGDATA, line);
	(void)curl_easy_setopt(curl, CURLOPT_VERBOSE, 1L);
}

enum rc server_probe(const struct settings *conf, enum server which, struct err *err)
{
	CURL *c = curl_easy_init();
	char why[CURL_ERROR_SIZE] = "";
	CURLcode code;

	if (!c)
		abort();
	server_options(c, conf, which);
	(void)curl_easy_setopt(c, CURLOPT_CONNECT_ONLY, 1L);
	(void)curl_easy_setopt(c, CURLOPT_ERRORBUFFER, why);
	code = curl_easy_perform(c);
	curl_easy_cleanup(c);
	return code == CURLE_OK ? RC_OK
				: err_set(err, RC_UNAVAILABLE, "%s",
					  why[0] ? why : curl_easy_strerror(code));
}

void server_login(void *curl, const struct settings *conf, const char *login,
	const struct secret *password)
{
	CURL *c = curl;

	if (password) {
		(void)curl_easy_setopt(c, CURLOPT_USERNAME, login);
		(void)curl_easy_setopt(c, CURLOPT_PASSWORD, password->p ? password->p : "");
		return;
	}
	(void)curl_easy_setopt(c, CURLOPT_LOGIN_OPTIONS, "AUTH=PLAIN");
	(void)curl_easy_setopt(c, CURLOPT_SASL_AUTHZID, login);
	(void)curl_easy_setopt(c, CURLOPT_USERNAME, conf->imap_master_user.p);
	(void)curl_easy_setopt(c, CURLOPT_PASSWORD, conf->imap_master_password.p);
}
