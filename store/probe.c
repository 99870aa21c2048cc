#include "store/probe.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>

static enum rc connect_to(const struct settings *conf, const char *scheme, struct str host,
	int64_t port, int tls, int64_t timeout, struct err *err)
{
	CURL *c = curl_easy_init();
	char why[CURL_ERROR_SIZE] = "", url[512];
	CURLcode code;

	if (!c)
		abort();
	(void)snprintf(url, sizeof(url), "%s%s://%.*s", scheme, tls == TLS_IMPLICIT ? "s" : "",
		STR_FMT(host));
	(void)curl_easy_setopt(c, CURLOPT_URL, url);
	if (port)
		(void)curl_easy_setopt(c, CURLOPT_PORT, (long)port);
	(void)curl_easy_setopt(c, CURLOPT_USE_SSL,
		tls == TLS_STARTTLS ? (long)CURLUSESSL_ALL : (long)CURLUSESSL_NONE);
	(void)curl_easy_setopt(c, CURLOPT_CONNECT_ONLY, 1L);
	(void)curl_easy_setopt(c, CURLOPT_TIMEOUT, (long)timeout);
	(void)curl_easy_setopt(c, CURLOPT_ERRORBUFFER, why);
	if (conf->tls_ca_file.n)
		(void)curl_easy_setopt(c, CURLOPT_CAINFO, conf->tls_ca_file.p);
	if (!conf->tls_verify) {
		(void)curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 0L);
		(void)curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 0L);
	}
	code = curl_easy_perform(c);
	curl_easy_cleanup(c);
	if (code == CURLE_OK)
		return RC_OK;
	return err_set(
		err, RC_UNAVAILABLE, "%s: %s", url, why[0] ? why : curl_easy_strerror(code));
}

enum rc probe_imap(const struct settings *conf, struct err *err)
{
	return connect_to(conf, "imap", conf->imap_host, conf->imap_port, conf->imap_tls,
		conf->imap_timeout, err);
}

enum rc probe_smtp(const struct settings *conf, struct err *err)
{
	int64_t port = conf->smtp_port;

	if (!port && conf->smtp_tls != TLS_IMPLICIT)
		port = 587;
	return connect_to(
		conf, "smtp", conf->smtp_host, port, conf->smtp_tls, conf->smtp_timeout, err);
}
