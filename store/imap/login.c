#include "store/imap/login.h"

#include "store/imap/reply.h"

#include <curl/curl.h>

void login_options(void *curl, const struct settings *conf, const char *login,
	const struct secret *password, struct server_line *said)
{
	server_options(curl, conf, SERVER_IMAP);
	(void)curl_easy_setopt(curl, CURLOPT_SASL_IR, 1L);
	(void)curl_easy_setopt(curl, CURLOPT_CONNECT_ONLY, 1L);
	server_login(curl, conf, login, password);
	(void)curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)conf->imap_timeout);
	server_listen(curl, said);
}

/* RFC 5530: a server that is in trouble, or has enough of this user's connections, says nothing
 * about the password. */
static enum rc refused(const struct server_line *said, struct err *err)
{
	static const char *const troubles[] = {"UNAVAILABLE", "INUSE", "LIMIT", "SERVERBUG"};
	struct str line = str_of(said->text);
	size_t open = str_find(line, '[');
	struct str code = str_sub(line, open + 1, line.n);

	for (size_t i = 0; i < ARRAY_LEN(troubles); i++)
		if (str_istarts(code, troubles[i]))
			return err_set(err, RC_UNAVAILABLE,
				"the IMAP server takes no login now: %s", said->text);
	return err_set(err, RC_DENIED, "the IMAP server refused the login");
}

enum rc login_result(
	int code, const struct settings *conf, const struct server_line *said, struct err *err)
{
	if (code == CURLE_OK)
		return RC_OK;
	if (code == CURLE_LOGIN_DENIED)
		return refused(said, err);
	return err_set(err, RC_UNAVAILABLE, "could not connect to IMAP at %.*s: %s",
		STR_FMT(conf->imap_host), curl_easy_strerror((CURLcode)code));
}

static bool hear(struct str line, struct arena *a, unsigned *caps_r)
{
	struct imap_value *values;

	if (!str_istarts(line, "CAPABILITY ") || imap_parse(line, a, &values, NULL) != RC_OK)
		return false;
	*caps_r = reply_capabilities(values->next);
	return true;
}

/* "A003 OK [CAPABILITY ...] Logged in", or "* CAPABILITY ..." in front of it, say it without a
 * question. */
bool login_capabilities(const struct server_line *said, unsigned *caps_r)
{
	struct arena *a = arena_new();
	struct str line = str_of(said->text), before = str_of(said->before);
	struct imap_result r;
	bool heard;

	reply_result(str_sub(line, str_find(line, ' ') + 1, line.n), a, &r);
	heard = r.status == IMAP_OK &&
		(hear(r.code, a, caps_r) ||
			(str_starts(before, "* ") &&
				hear(str_sub(before, 2, before.n), a, caps_r)));
	arena_free(a);
	return heard;
}
