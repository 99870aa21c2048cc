#include "store/smtp/smtp.h"

#include "core/base/crlf.h"

#include "store/server.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>

struct smtp {
	struct submit submit; /* first */
	const struct settings *conf;
	char login[256];
	struct secret password;
	bool master; /* the master user acts for him */
};

struct upload {
	struct source *source;
	struct server_line said;
	struct err err;
};

static size_t give(char *p, size_t size, size_t n, void *ctx)
{
	struct upload *u = ctx;
	size_t got = 0;

	if (u->source->read(u->source, p, size * n, &got, &u->err))
		return CURL_READFUNC_ABORT;
	return got;
}

/* An address that may stand between < and > on the wire. */
static bool address_ok(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] <= ' ' || s.p[i] == '<' || s.p[i] == '>' ||
			s.p[i] == 0x7f)
			return false;
	return s.n > 0 && s.n < 320;
}

static enum rc recipients(
	const struct str *to, size_t n, struct curl_slist **list, struct err *err)
{
	for (size_t i = 0; i < n; i++) {
		char text[330];

		if (!address_ok(to[i]))
			return err_set_why(err, RC_DENIED, ERR_BAD_RECIPIENT,
				"a recipient's address is malformed");
		(void)snprintf(text, sizeof(text), "%.*s", STR_FMT(to[i]));
		*list = curl_slist_append(*list, text);
	}
	return RC_OK;
}

static enum rc result(CURL *c, CURLcode code, const struct upload *u, struct err *err)
{
	/* On its way out libcurl has said QUIT. */
	bool bye = str_starts(str_of(u->said.text), "221");
	const char *said = bye ? u->said.before : u->said.text;
	long reply = 0;

	if (code == CURLE_OK)
		return RC_OK;
	if (u->err.rc) {
		*err = u->err;
		return u->err.rc;
	}
	(void)curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &reply);
	/* RFC 4954 6: 454 is a server that cannot tell at the moment, and 530 comes when it did
	 * not offer a login. Neither is about the mail. */
	if (reply < 500 || reply == 530)
		return err_set(err, RC_UNAVAILABLE, "submission failed: %s (%s)",
			curl_easy_strerror(code), said);
	if (code == CURLE_LOGIN_DENIED)
		return err_set(
			err, RC_DENIED, "the submission server refused the login: %s", said);
	if (reply == 552 || reply == 523)
		return err_set_why(err, RC_LIMIT, ERR_TOO_LARGE,
			"the submission server finds the message too large: %s", said);
	if (reply >= 550 && reply <= 553)
		return err_set_why(err, RC_DENIED, ERR_BAD_RECIPIENT,
			"the submission server refused a recipient: %s", said);
	return err_set_why(err, RC_DENIED, ERR_REFUSED,
		"the submission server refused the message: %s", said);
}

static void set_options(CURL *c, const struct smtp *s)
{
	const struct settings *conf = s->conf;

	server_options(c, conf, SERVER_SMTP);
	(void)curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, 1L);
	(void)curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, (long)conf->smtp_timeout);
	if (conf->smtp_auth)
		server_login(c, conf, s->login, s->master ? NULL : &s->password);
}

static enum rc send_message(struct submit *sub, struct str from, const struct str *to,
	size_t nto, struct source *message, struct err *err)
{
	struct smtp *s = (struct smtp *)sub;
	struct curl_slist *list = NULL;
	struct crlf_source lines;
	struct upload u = {.source = &lines.source};
	char sender[330];
	enum rc rc = crlf_source_open(&lines, message, err);
	CURL *c;

	if (rc == RC_OK && !address_ok(from))
		rc = err_set_why(
			err, RC_DENIED, ERR_REFUSED, "the sender's address is malformed");
	if (rc == RC_OK)
		rc = recipients(to, nto, &list, err);
	if (rc) {
		curl_slist_free_all(list);
		return rc;
	}
	c = curl_easy_init();
	if (!c)
		abort();
	set_options(c, s);
	server_listen(c, &u.said);
	(void)snprintf(sender, sizeof(sender), "%.*s", STR_FMT(from));
	(void)curl_easy_setopt(c, CURLOPT_MAIL_FROM, sender);
	(void)curl_easy_setopt(c, CURLOPT_MAIL_RCPT, list);
	(void)curl_easy_setopt(c, CURLOPT_UPLOAD, 1L);
	(void)curl_easy_setopt(c, CURLOPT_READFUNCTION, give);
	(void)curl_easy_setopt(c, CURLOPT_READDATA, &u);
	(void)curl_easy_setopt(c, CURLOPT_INFILESIZE_LARGE, (curl_off_t)lines.source.size);
	rc = result(c, curl_easy_perform(c), &u, err);
	curl_easy_cleanup(c);
	curl_slist_free_all(list);
	return rc;
}

struct smtp *smtp_new(const struct settings *conf)
{
	struct smtp *s = calloc(1, sizeof(*s));

	if (!s)
		abort();
	s->submit.send = send_message;
	s->conf = conf;
	(void)curl_global_init(CURL_GLOBAL_DEFAULT);
	return s;
}

void smtp_free(struct smtp *s)
{
	if (!s)
		return;
	secret_release(&s->password);
	free(s);
}

struct submit *smtp_submit(struct smtp *s, struct str login, const struct secret *password)
{
	(void)snprintf(s->login, sizeof(s->login), "%.*s", STR_FMT(login));
	s->master = !password;
	if (password)
		secret_set(&s->password, (struct str){password->p, password->n});
	return &s->submit;
}
