#include "fcgi/http.h"

#include "core/base/base64.h"
#include "core/base/utf8.h"
#include "core/cmd/autodiscover.h"
#include "core/map/charset.h"

#include <string.h>

static struct str get(http_param param, void *ctx, const char *name, struct arena *a)
{
	const char *v = param(ctx, name);

	return v ? arena_str(a, str_of(v)) : STR_NONE;
}

/* Phones encode in UTF-8, desktop Outlook in ISO-8859-1. */
static void read_credentials(struct str header, const struct settings *conf, struct request *rq)
{
	struct str text, user;
	size_t colon;

	if (!str_istarts(header, "Basic ") ||
		base64_decode(str_trim(str_sub(header, 6, header.n)), rq->arena, &text))
		return;
	if (!utf8_is_clean(text))
		text = charset_to_utf8(text, STR("iso-8859-1"), rq->arena);
	colon = str_find(text, ':');
	if (colon == text.n)
		return;
	user = str_sub(text, 0, colon);
	if (!utf8_is_clean(user) || user.n == 0 || user.n > 255)
		return;
	rq->user = query_login(user, conf->login_domain, rq->arena);
	secret_set(&rq->password, str_sub(text, colon + 1, text.n));
}

static struct str content_type(struct str s, struct arena *a)
{
	char *p;

	if (!s.n)
		return STR_NONE;
	s = str_trim(str_sub(s, 0, str_find(s, ';')));
	p = arena_cstr(a, s);
	for (size_t i = 0; i < s.n; i++)
		if (p[i] >= 'A' && p[i] <= 'Z')
			p[i] = (char)(p[i] + 32);
	return (struct str){p, s.n};
}

/* The value of an attribute in a distinguished name, as nginx ("CN=Ann,O=X") and others
 * ("/O=X/CN=Ann") write it; STR_NONE. */
static struct str attribute(struct str dn, struct str name, struct arena *a)
{
	char separator = str_starts(dn, "/") ? '/' : ',';
	struct str one;

	while (str_next(&dn, separator, &one)) {
		size_t at = str_find(one, '=');

		if (at < one.n && str_ieq(str_trim(str_sub(one, 0, at)), name))
			return arena_str(a, str_trim(str_sub(one, at + 1, one.n)));
	}
	return STR_NONE;
}

/* U1, C24: these variables are the web server's own; a device cannot set them. */
static void read_certificate(
	http_param param, void *ctx, const struct settings *conf, struct request *rq)
{
	struct arena *a = rq->arena;
	struct str login;

	if (!conf->client_certificate ||
		!str_is(get(param, ctx, "SSL_CLIENT_VERIFY", a), "SUCCESS"))
		return;
	login = attribute(get(param, ctx, "SSL_CLIENT_S_DN", a), conf->certificate_field, a);
	if (!login.n || login.n > 255 || !utf8_is_clean(login))
		return;
	rq->user = query_login(login, conf->login_domain, a);
	rq->certificate = true;
	secret_release(&rq->password);
}

static struct str path_of(struct str uri)
{
	struct str path = str_sub(uri, 0, str_find(uri, '?'));

	while (path.n > 1 && path.p[path.n - 1] == '/')
		path.n--;
	return path;
}

static enum rc read_query(struct request *rq, struct str text, struct err *err)
{
	if (query_parse(text, rq->arena, &rq->query, err))
		return RC_INVALID;
	if (rq->query.has_policy_key) {
		rq->has_policy_key = true;
		rq->policy_key = rq->query.policy_key;
	}
	rq->accept_multipart = rq->accept_multipart || rq->query.accept_multipart;
	return RC_OK;
}

int http_read(http_param param, void *ctx, const struct settings *conf, struct request *rq,
	struct err *err)
{
	struct arena *a = rq->arena;
	struct str method = get(param, ctx, "REQUEST_METHOD", a);
	struct str uri = get(param, ctx, "REQUEST_URI", a);
	uint32_t key;

	rq->conf = conf;
	rq->options = str_is(method, "OPTIONS");
	rq->content_type = content_type(get(param, ctx, "CONTENT_TYPE", a), a);
	rq->user_agent = utf8_cleaned(utf8_cut(get(param, ctx, "HTTP_USER_AGENT", a), 255), a);
	rq->version_header = get(param, ctx, "HTTP_MS_ASPROTOCOLVERSION", a);
	rq->accept_multipart = str_iis(get(param, ctx, "HTTP_MS_ASACCEPTMULTIPART", a), "T");
	if (str_u32(str_trim(get(param, ctx, "HTTP_X_MS_POLICYKEY", a)), &key)) {
		rq->has_policy_key = true;
		rq->policy_key = key;
	}
	rq->host = utf8_cleaned(utf8_cut(get(param, ctx, "HTTP_HOST", a), 255), a);
	rq->query_text = get(param, ctx, "QUERY_STRING", a);
	rq->discover = autodiscover_of(path_of(uri));
	read_credentials(get(param, ctx, "HTTP_AUTHORIZATION", a), conf, rq);
	read_certificate(param, ctx, conf, rq);
	/* Whoever brings no credentials is asked for them, whatever else is wrong. */
	if (!rq->user.n)
		return 0;
	/* Requirements 3.12: both forms are asked for in either way. */
	if (rq->discover && (str_is(method, "GET") || str_is(method, "POST")))
		return 0;
	if (!str_iis(path_of(uri), "/Microsoft-Server-ActiveSync")) {
		(void)err_set(err, RC_ABSENT, "no such path");
		return 404;
	}
	if (!rq->options && !str_is(method, "POST")) {
		(void)err_set(err, RC_INVALID, "method %.*s", STR_FMT(method));
		return 501;
	}
	if (rq->options)
		return 0;
	return read_query(rq, rq->query_text, err) ? 400 : 0;
}

uint64_t http_body_limit(const struct request *rq)
{
	bool mail = rq->query.command == CMD_SEND_MAIL ||
		    rq->query.command == CMD_SMART_REPLY ||
		    rq->query.command == CMD_SMART_FORWARD;

	return (uint64_t)(mail ? rq->conf->max_mail_size : rq->conf->max_request_size);
}

/* Whether a member of Accept-Encoding is there, and not with a weight of nothing. 1, 0; -1: it
 * is not named. RFC 9110 12.5.3. */
static int accepts(struct str list, const char *what)
{
	struct str one, weight;

	while (str_next(&list, ',', &one)) {
		if (!str_iis(str_trim(str_sub(one, 0, str_find(one, ';'))), what))
			continue;
		weight = str_sub(one, str_isearch(one, STR("q=")) + 2, one.n);
		if (weight.n == 0)
			return 1;
		for (size_t i = 0; i < weight.n; i++)
			if (weight.p[i] >= '1' && weight.p[i] <= '9')
				return 1;
		return 0;
	}
	return -1;
}

bool http_accepts_gzip(http_param param, void *ctx)
{
	struct str list = str_of(param(ctx, "HTTP_ACCEPT_ENCODING"));
	int named = accepts(list, "gzip");

	return (named < 0 ? accepts(list, "*") : named) > 0;
}
