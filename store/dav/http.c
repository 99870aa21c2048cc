/*
 * http: one exchange with the server, and what its status means.
 */
#include "store/dav/dav_internal.h"

#include "core/base/clock.h"

#include "core/base/buf.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

/* Of a body that nobody asked for. */
#define ERROR_MAX (64u * 1024)

struct transfer {
	const struct exchange *x;
	struct answer *r;
	struct arena *a;
	CURL *curl;
	struct ms_reader *ms;
	struct buf body;
	enum rc rc;
	struct err err;
};

static const struct {
	int status;
	enum rc rc;
	enum err_why why;
} results[] = {
	{400, RC_INVALID,     ERR_REFUSED  },
	{401, RC_DENIED,      ERR_PLAIN    },
	{403, RC_DENIED,      ERR_PLAIN    },
	{404, RC_ABSENT,      ERR_PLAIN    },
	{408, RC_UNAVAILABLE, ERR_TIMEOUT  },
 /* RFC 4918 section 9.7.1: the collection it is to be in is not there. */
	{409, RC_ABSENT,      ERR_PLAIN    },
	{410, RC_ABSENT,      ERR_PLAIN    },
	{412, RC_CONFLICT,    ERR_PLAIN    },
	{413, RC_LIMIT,       ERR_TOO_LARGE},
	{423, RC_UNAVAILABLE, ERR_PLAIN    },
	{425, RC_UNAVAILABLE, ERR_PLAIN    },
	{429, RC_UNAVAILABLE, ERR_PLAIN    },
	{501, RC_INVALID,     ERR_REFUSED  },
	{507, RC_LIMIT,       ERR_QUOTA    },
};

/* What an error element says is closer than the status it comes with. */
static const struct {
	unsigned error;
	enum rc rc;
	enum err_why why;
} errors[] = {
	{MS_ERR_SIZE,      RC_LIMIT,   ERR_TOO_LARGE},
	{MS_ERR_QUOTA,     RC_LIMIT,   ERR_QUOTA    },
	{MS_ERR_DATA,      RC_INVALID, ERR_REFUSED  },
	{MS_ERR_UID,       RC_INVALID, ERR_REFUSED  },
	{MS_ERR_PRIVILEGE, RC_DENIED,  ERR_PLAIN    },
};

/* The row of a status, or its class. */
static enum rc meaning(int status, enum err_why *why_r)
{
	*why_r = ERR_PLAIN;
	if (status >= 200 && status <= 299)
		return RC_OK;
	for (size_t i = 0; i < ARRAY_LEN(results); i++)
		if (results[i].status == status) {
			*why_r = results[i].why;
			return results[i].rc;
		}
	if (status >= 400 && status <= 499) {
		*why_r = ERR_REFUSED;
		return RC_INVALID;
	}
	/* A redirection that is not followed is a matter of configuration, not of the object.
	 */
	return RC_UNAVAILABLE;
}

enum rc dav_status_rc(int status)
{
	enum err_why why;

	return meaning(status, &why);
}

enum rc dav_result(const struct exchange *x, const struct answer *r, struct err *err)
{
	enum err_why why;
	enum rc rc = meaning(r->status, &why);

	if (rc == RC_OK)
		return RC_OK;
	for (size_t i = 0; i < ARRAY_LEN(errors); i++)
		if (r->ms.errors & errors[i].error) {
			rc = errors[i].rc;
			why = errors[i].why;
			break;
		}
	return err_set_why(err, rc, why, "%s of %.*s was answered with status %d%s%.*s",
		x->method, STR_FMT(x->path), r->status, r->location.n ? ", see " : "",
		STR_FMT(r->location));
}

static int status_now(const struct transfer *t)
{
	long status = 0;

	(void)curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &status);
	return (int)status;
}

static bool is_xml(struct str type)
{
	return str_isearch(type, STR("xml")) < type.n;
}

static bool give_up(struct transfer *t, enum rc rc)
{
	t->rc = rc;
	return false;
}

/* Multistatus is read as it comes; other bodies are kept when they are wanted. */
static bool take(struct transfer *t, struct str bytes)
{
	int status = status_now(t);
	bool good = status >= 200 && status <= 299;

	if (status == 207 || (!good && is_xml(t->r->type))) {
		enum rc rc;

		if (!t->ms)
			t->ms = ms_new(good ? DAV_ANSWER_MAX : ERROR_MAX, t->a);
		rc = ms_feed(t->ms, bytes, good ? &t->err : NULL);
		return rc == RC_OK || !good ? true : give_up(t, rc);
	}
	if (!good || !t->x->raw)
		return true;
	buf_add_str(&t->body, bytes);
	if (!t->body.over)
		return true;
	(void)err_set_why(&t->err, RC_LIMIT, ERR_TOO_LARGE, "the answer is too large");
	return give_up(t, RC_LIMIT);
}

/* NOLINTNEXTLINE(readability-non-const-parameter): libcurl's type. */
static size_t on_body(char *p, size_t size, size_t n, void *ctx)
{
	return take(ctx, (struct str){p, size * n}) ? size * n : 0;
}

static const struct {
	const char *name;
	size_t at;
} headers[] = {
	{"etag",         offsetof(struct answer, etag)    },
	{"location",     offsetof(struct answer, location)},
	{"content-type", offsetof(struct answer, type)    },
	{"dav",          offsetof(struct answer, dav)     },
};

/* NOLINTNEXTLINE(readability-non-const-parameter): libcurl's type. */
static size_t on_header(char *p, size_t size, size_t n, void *ctx)
{
	struct transfer *t = ctx;
	struct str line = {p, size * n}, name = str_sub(line, 0, str_find(line, ':'));

	/* An interim answer has headers of its own. */
	if (str_istarts(line, "HTTP/"))
		*t->r = (struct answer){.status = 0};
	for (size_t i = 0; name.n < line.n && i < ARRAY_LEN(headers); i++)
		if (str_iis(name, headers[i].name) && line.n <= 8192)
			*(struct str *)((char *)t->r + headers[i].at) =
				arena_str(t->a, str_trim(str_sub(line, name.n + 1, line.n)));
	return size * n;
}

static bool is_weak(struct str etag)
{
	return str_starts(etag, "W/");
}

/* The same ETag comes in a header and in a property, and not every server writes it as RFC 9110
 * section 8.8.3 wants in both. */
static void quote(struct str *etag, struct arena *a)
{
	if (etag->n && etag->p[0] != '"' && !is_weak(*etag))
		*etag = arena_printf(a, "\"%.*s\"", STR_FMT(*etag));
}

static struct curl_slist *add(struct curl_slist *list, struct str line)
{
	struct curl_slist *more = curl_slist_append(list, line.p);

	if (!more)
		abort();
	return more;
}

static struct curl_slist *request_headers(
	const struct dav_user *u, const struct exchange *x, struct arena *a)
{
	struct str type = x->type.p ? x->type : STR("application/xml; charset=utf-8");
	/* No waiting for leave to send a body. */
	struct curl_slist *list = add(NULL, STR("Expect:"));

	if (x->depth != DEPTH_NONE)
		list = add(list, x->depth == DEPTH_0 ? STR("Depth: 0") : STR("Depth: 1"));
	if (x->body.p)
		list = add(list, arena_printf(a, "Content-Type: %.*s", STR_FMT(type)));
	if (x->if_none)
		list = add(list, STR("If-None-Match: *"));
	/* A weak one never matches (RFC 9110 section 13.1.1): what is there was read just now.
	 */
	if (x->if_match.n && !is_weak(x->if_match))
		list = add(list, arena_printf(a, "If-Match: %.*s", STR_FMT(x->if_match)));
	if (x->changes && u->client->protocol->changes)
		list = add(list, str_of(u->client->protocol->changes));
	if (x->destination.n) {
		/* RFC 4918 sections 10.3 and 10.6. */
		list = add(list, arena_printf(a, "Destination: %.*s%.*s",
					 STR_FMT(u->client->origin), STR_FMT(x->destination)));
		list = add(list, STR("Overwrite: F"));
	}
	return list;
}

/* To connect takes no server long, to list a large collection may. libcurl finds out about a
 * silence some seconds late. */
enum { CONNECT_SECONDS = 5, LATE_SECONDS = 5 };

static int64_t patience_ms(const struct settings *conf)
{
	return (conf->dav_timeout + CONNECT_SECONDS + LATE_SECONDS) * 1000;
}

static void options(struct dav_user *u, const struct exchange *x, struct transfer *t)
{
	const struct settings *conf = u->client->conf;
	CURL *c = t->curl;
	struct str url =
		arena_printf(t->a, "%.*s%.*s", STR_FMT(u->client->origin), STR_FMT(x->path));

	/* Everything of the exchange before is forgotten but its connection. */
	curl_easy_reset(c);
	(void)curl_easy_setopt(c, CURLOPT_URL, url.p);
	(void)curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
	(void)curl_easy_setopt(c, CURLOPT_PROXY, "");
	(void)curl_easy_setopt(c, CURLOPT_PATH_AS_IS, 1L);
	(void)curl_easy_setopt(c, CURLOPT_USERAGENT, "easpool/" EASPOOL_VERSION);
	(void)curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT,
		conf->dav_timeout < CONNECT_SECONDS ? (long)conf->dav_timeout
						    : (long)CONNECT_SECONDS);
	/* Silence, not length, is what is given up on. */
	(void)curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, 1L);
	(void)curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, (long)conf->dav_timeout);
	(void)curl_easy_setopt(c, CURLOPT_TIMEOUT, (long)conf->dav_timeout * 10);
	if (conf->tls_ca_file.n)
		(void)curl_easy_setopt(c, CURLOPT_CAINFO, conf->tls_ca_file.p);
	if (!conf->tls_verify) {
		(void)curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 0L);
		(void)curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 0L);
	}
	if (u->login[0]) {
		(void)curl_easy_setopt(c, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
		(void)curl_easy_setopt(c, CURLOPT_USERNAME, u->login);
		(void)curl_easy_setopt(c, CURLOPT_PASSWORD, u->password.p ? u->password.p : "");
	}
	(void)curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, x->method);
	if (x->body.p) {
		(void)curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)x->body.n);
		(void)curl_easy_setopt(c, CURLOPT_POSTFIELDS, x->body.p);
	}
	/* Compressed objects may have other ETags (Apache's "-gzip"). */
	if (!x->raw)
		(void)curl_easy_setopt(c, CURLOPT_ACCEPT_ENCODING, "");
	(void)curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
	(void)curl_easy_setopt(c, CURLOPT_WRITEDATA, t);
	(void)curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_header);
	(void)curl_easy_setopt(c, CURLOPT_HEADERDATA, t);
}

static enum rc no_answer(
	const struct transfer *t, CURLcode code, const char *why, struct err *err)
{
	return err_set_why(err, RC_UNAVAILABLE,
		code == CURLE_OPERATION_TIMEDOUT ? ERR_TIMEOUT : ERR_PLAIN, "%s of %.*s: %s",
		t->x->method, STR_FMT(t->x->path), why[0] ? why : curl_easy_strerror(code));
}

static enum rc finish(struct transfer *t, struct err *err)
{
	bool good = t->r->status == 207;
	enum rc rc;

	quote(&t->r->etag, t->a);
	if (!t->ms)
		return good ? err_set(err, RC_UNAVAILABLE, "%s of %.*s has an empty answer",
				      t->x->method, STR_FMT(t->x->path))
			    : RC_OK;
	rc = ms_end(t->ms, &t->r->ms, good ? err : NULL);
	for (size_t i = 0; rc == RC_OK && i < t->r->ms.n; i++)
		quote(&t->r->ms.v[i].p.etag, t->a);
	if (!good) {
		/* An error that says nothing more than its status. */
		if (rc)
			t->r->ms = (struct multistatus){.n = 0};
		return RC_OK;
	}
	return rc ? err_wrap(err, "%s of %.*s", t->x->method, STR_FMT(t->x->path)) : RC_OK;
}

static enum rc perform(
	struct dav_user *u, const struct exchange *x, struct transfer *t, struct err *err)
{
	struct curl_slist *list = request_headers(u, x, t->a);
	char why[CURL_ERROR_SIZE] = "";
	int64_t asked = clock_mono_ms();
	CURLcode code;
	enum rc rc;

	options(u, x, t);
	(void)curl_easy_setopt(t->curl, CURLOPT_HTTPHEADER, list);
	(void)curl_easy_setopt(t->curl, CURLOPT_ERRORBUFFER, why);
	u->trips++;
	code = curl_easy_perform(t->curl);
	silence_note(u->client->silence, asked, code == CURLE_OPERATION_TIMEDOUT);
	t->r->status = status_now(t);
	/* The handle outlives the request; what it knows of the user does not. */
	curl_easy_reset(t->curl);
	curl_slist_free_all(list);
	if (t->rc) {
		*err = t->err;
		return err_wrap(err, "%s of %.*s", x->method, STR_FMT(x->path));
	}
	if (code != CURLE_OK)
		return no_answer(t, code, why, err);
	rc = finish(t, err);
	if (!rc && x->raw)
		t->r->body = arena_str(t->a, buf_str(&t->body));
	return rc;
}

enum rc dav_exchange(struct dav_user *u, const struct exchange *x, struct arena *a,
	struct answer *r, struct err *err)
{
	struct transfer t = {.x = x, .r = r, .a = a, .curl = u->client->curl};
	const struct dav_protocol *p = u->client->protocol;
	struct err own = ERR_INIT;
	enum rc rc;

	if (!u->client->usable)
		return err_set(
			err, RC_UNAVAILABLE, "%s is not an http or https URL", p->setting);
	if (u->no_password)
		return err_set(err, RC_DENIED,
			"the user came without a password, and the %s server asks for one",
			p->name);
	/* RFC 7617 section 2. */
	if (strchr(u->login, ':'))
		return err_set(err, RC_DENIED, "a login with a colon cannot be told by HTTP");
	/* One silence is enough for a request, which may be about many collections, and for
	 * those that come right after it: mail must not wait for contacts, nor for a calendar.
	 */
	if (!silence_may_ask(u->client->silence, patience_ms(u->client->conf)))
		return err_set_why(err, RC_UNAVAILABLE, ERR_TIMEOUT,
			"the %s server was silent just now", p->name);
	*r = (struct answer){.status = 0};
	buf_init(&t.body, x->raw ? DAV_OBJECT_MAX : ERROR_MAX);
	rc = perform(u, x, &t, err ? err : &own);
	buf_release(&t.body);
	ms_free(t.ms);
	return rc;
}

enum rc dav_multistatus(struct dav_user *u, const struct exchange *x, struct arena *a,
	struct multistatus *r, struct err *err)
{
	struct answer an = {.status = 0};
	enum rc rc = dav_exchange(u, x, a, &an, err);

	*r = an.ms;
	r->status = an.status;
	if (!rc)
		rc = dav_result(x, &an, err);
	if (rc)
		return rc;
	if (an.status != 207)
		return err_set(err, RC_INVALID,
			"%s of %.*s was answered with status %d, not 207", x->method,
			STR_FMT(x->path), an.status);
	return RC_OK;
}

enum rc dav_propfind(struct dav_user *u, struct str path, enum depth depth, const char *props,
	struct arena *a, struct multistatus *r, struct err *err)
{
	struct exchange x = {.method = "PROPFIND", .path = path, .depth = depth};

	x.body = arena_printf(a,
		DAV_XML "<D:propfind " DAV_XMLNS "><D:prop>%s</D:prop></D:propfind>\n", props);
	return dav_multistatus(u, &x, a, r, err);
}

struct str dav_href(const struct dav_user *u, struct str href, struct str base, struct arena *a)
{
	return href_canonical(href, base, u->client->host, a);
}

struct str dav_member(struct str href, struct str base, struct arena *a)
{
	return href_canonical(href, base, STR_NONE, a);
}

const struct ms_response *dav_response_for(
	const struct multistatus *ms, struct str path, struct arena *a)
{
	/* Xandikos writes "http%3A//host/path" for what is not there. */
	if (ms->n == 1)
		return &ms->v[0];
	for (size_t i = 0; i < ms->n; i++) {
		struct str its = dav_member(ms->v[i].href, path, a);

		if (its.p && str_eq(href_folder(its, a), href_folder(path, a)))
			return &ms->v[i];
	}
	return NULL;
}
