#include "store/ldap/ldap_session.h"

#include "core/base/clock.h"

#include <errno.h>
#include <lber.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>

/*
 * The library waits for a TLS handshake without end, whatever time it was given (2.5, with
 * GnuTLS: it asks again and again). Who watches shuts the connection down when it takes too
 * long, and then the handshake fails.
 */
struct watch {
	struct ldap_conncb heard; /* first: tells of a new connection */
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t over;
	bool done;
	int fd; /* -1: there is no connection yet */
	int64_t seconds;
};

struct ldap_session {
	const struct settings *conf;
	LDAP *ld;  /* NULL: not connected */
	bool lost; /* the last call found the connection dead */
	unsigned trips;
	struct watch watch; /* lives longer than ld, which may call it */
};

struct ldap_session *ldap_session_new(const struct settings *conf)
{
	struct ldap_session *s = calloc(1, sizeof(*s));

	if (!s)
		abort();
	s->conf = conf;
	return s;
}

static void disconnect(struct ldap_session *s)
{
	if (s->ld)
		(void)ldap_unbind_ext(s->ld, NULL, NULL);
	s->ld = NULL;
}

void ldap_session_free(struct ldap_session *s)
{
	if (!s)
		return;
	disconnect(s);
	free(s);
}

unsigned ldap_session_trips(struct ldap_session *s)
{
	unsigned n = s->trips;

	s->trips = 0;
	return n;
}

static const struct {
	int code;
	enum rc rc;
} codes[] = {
	{LDAP_SUCCESS,                  RC_OK      },
	{LDAP_SIZELIMIT_EXCEEDED,       RC_LIMIT   },
	{LDAP_TIMELIMIT_EXCEEDED,       RC_LIMIT   },
	{LDAP_ADMINLIMIT_EXCEEDED,      RC_LIMIT   },
	{LDAP_INVALID_CREDENTIALS,      RC_DENIED  },
	{LDAP_INSUFFICIENT_ACCESS,      RC_DENIED  },
	{LDAP_INAPPROPRIATE_AUTH,       RC_DENIED  },
	{LDAP_STRONG_AUTH_REQUIRED,     RC_DENIED  },
	{LDAP_CONFIDENTIALITY_REQUIRED, RC_DENIED  },
	{LDAP_FILTER_ERROR,             RC_INTERNAL},
};

static enum rc rc_of(int code)
{
	for (size_t i = 0; i < ARRAY_LEN(codes); i++)
		if (codes[i].code == code)
			return codes[i].rc;
	return RC_UNAVAILABLE;
}

/* The sentence of the library, and what else it or the server had to say. */
static enum rc complain(
	struct ldap_session *s, int code, const char *said, const char *what, struct err *err)
{
	char *more = NULL;
	enum rc rc = rc_of(code);

	if (rc == RC_OK)
		return rc;
	if (!said && s->ld)
		(void)ldap_get_option(s->ld, LDAP_OPT_DIAGNOSTIC_MESSAGE, &more);
	if (!said)
		said = more;
	(void)err_set(err, rc, "%s: %s%s%s%s", what, ldap_err2string(code),
		said && said[0] ? " (" : "", said ? said : "", said && said[0] ? ")" : "");
	ldap_memfree(more);
	s->lost = code == LDAP_SERVER_DOWN || code == LDAP_UNAVAILABLE ||
		  code == LDAP_CONNECT_ERROR;
	return rc;
}

/* The next message of a request, or of any. *r is NULL on failure. */
static enum rc await(struct ldap_session *s, int id, int64_t until, const char *what,
	LDAPMessage **r, struct err *err)
{
	int64_t ms = until - clock_mono_ms();
	struct timeval tv = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
	int kind = ms > 0 ? ldap_result(s->ld, id, LDAP_MSG_ONE, &tv, r) : 0, code;

	if (kind > 0)
		return RC_OK;
	*r = NULL;
	if (kind == 0)
		return err_set_why(err, RC_UNAVAILABLE, ERR_TIMEOUT,
			"%s: no answer within %lld s", what, (long long)s->conf->ldap_timeout);
	(void)ldap_get_option(s->ld, LDAP_OPT_RESULT_CODE, &code);
	return complain(s, code == LDAP_SUCCESS ? LDAP_SERVER_DOWN : code, NULL, what, err);
}

static int64_t patience(const struct ldap_session *s)
{
	return clock_mono_ms() + s->conf->ldap_timeout * 1000;
}

/* A final message: what it says, and the cookie of the next page (which the caller frees).
 * Frees the message. */
static enum rc conclude(struct ldap_session *s, LDAPMessage *m, const char *what,
	struct berval *cookie, struct err *err)
{
	LDAPControl **controls = NULL, *page;
	char *said = NULL;
	ber_int_t estimate;
	int code = LDAP_OTHER;
	int bad = ldap_parse_result(s->ld, m, &code, NULL, &said, NULL, &controls, 1);
	enum rc rc = complain(s, bad == LDAP_SUCCESS ? code : bad, said, what, err);

	page = ldap_control_find(LDAP_CONTROL_PAGEDRESULTS, controls, NULL);
	if (cookie && page)
		(void)ldap_parse_pageresponse_control(s->ld, page, &estimate, cookie);
	ldap_controls_free(controls);
	ldap_memfree(said);
	return rc;
}

/* The answer to a request that has one message for an answer. */
static enum rc answered(
	struct ldap_session *s, int code, int id, const char *what, struct err *err)
{
	LDAPMessage *m;
	enum rc rc;

	s->trips++;
	if (code != LDAP_SUCCESS)
		return complain(s, code, NULL, what, err);
	rc = await(s, id, patience(s), what, &m, err);
	return rc ? rc : conclude(s, m, what, NULL, err);
}

static void options(const struct ldap_session *s)
{
	const struct settings *conf = s->conf;
	struct timeval tv = {.tv_sec = conf->ldap_timeout};
	int version = LDAP_VERSION3, fresh = 0;
	int verify = conf->tls_verify ? LDAP_OPT_X_TLS_HARD : LDAP_OPT_X_TLS_NEVER;

	(void)ldap_set_option(s->ld, LDAP_OPT_PROTOCOL_VERSION, &version);
	(void)ldap_set_option(s->ld, LDAP_OPT_NETWORK_TIMEOUT, &tv);
	(void)ldap_set_option(s->ld, LDAP_OPT_TIMEOUT, &tv);
	(void)ldap_set_option(s->ld, LDAP_OPT_REFERRALS, LDAP_OPT_OFF);
	(void)ldap_set_option(s->ld, LDAP_OPT_RESTART, LDAP_OPT_ON);
	if (conf->tls_ca_file.n)
		(void)ldap_set_option(s->ld, LDAP_OPT_X_TLS_CACERTFILE, conf->tls_ca_file.p);
	(void)ldap_set_option(s->ld, LDAP_OPT_X_TLS_REQUIRE_CERT, &verify);
	(void)ldap_set_option(s->ld, LDAP_OPT_X_TLS_NEWCTX, &fresh);
}

static void *watch_it(void *ctx)
{
	struct watch *w = ctx;
	struct timespec until;
	int late = 0;

	(void)clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += w->seconds;
	(void)pthread_mutex_lock(&w->lock);
	while (!w->done && late != ETIMEDOUT)
		late = pthread_cond_timedwait(&w->over, &w->lock, &until);
	if (!w->done && w->fd >= 0)
		(void)shutdown(w->fd, SHUT_RD);
	(void)pthread_mutex_unlock(&w->lock);
	return NULL;
}

static int hear_connection(LDAP *ld UNUSED, Sockbuf *sb, LDAPURLDesc *server UNUSED,
	struct sockaddr *address UNUSED, struct ldap_conncb *ctx)
{
	struct watch *w = (struct watch *)ctx;

	(void)pthread_mutex_lock(&w->lock);
	(void)ber_sockbuf_ctrl(sb, LBER_SB_OPT_GET_FD, &w->fd);
	(void)pthread_mutex_unlock(&w->lock);
	return 0;
}

static void hear_end(LDAP *ld UNUSED, Sockbuf *sb UNUSED, struct ldap_conncb *ctx)
{
	struct watch *w = (struct watch *)ctx;

	(void)pthread_mutex_lock(&w->lock);
	w->fd = -1;
	(void)pthread_mutex_unlock(&w->lock);
}

static void watch_begin(struct ldap_session *s)
{
	struct watch *w = &s->watch;

	*w = (struct watch){
		.heard = {.lc_add = hear_connection, .lc_del = hear_end},
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.over = PTHREAD_COND_INITIALIZER,
		.fd = -1,
		.seconds = s->conf->ldap_timeout,
	};
	(void)ldap_set_option(s->ld, LDAP_OPT_CONNECT_CB, &w->heard);
	if (pthread_create(&w->thread, NULL, watch_it, w) != 0)
		abort();
}

static void watch_end(struct watch *w)
{
	(void)pthread_mutex_lock(&w->lock);
	w->done = true;
	(void)pthread_cond_signal(&w->over);
	(void)pthread_mutex_unlock(&w->lock);
	(void)pthread_join(w->thread, NULL);
}

static enum rc start_tls(struct ldap_session *s, struct err *err)
{
	int id = -1;
	int code = ldap_start_tls(s->ld, NULL, NULL, &id);
	enum rc rc = answered(s, code, id, "StartTLS", err);

	return rc ? rc : complain(s, ldap_install_tls(s->ld), NULL, "TLS", err);
}

/* Anonymously too: that connects, and tells whether it may be. */
static enum rc bind_as(struct ldap_session *s, struct err *err)
{
	const struct settings *conf = s->conf;
	bool anonymous = conf->ldap_bind_dn.n == 0;
	struct berval password = {.bv_val = (char *)"", .bv_len = 0};
	int id = -1, code;

	if (!anonymous && conf->ldap_bind_password.n)
		password = (struct berval){.bv_val = (char *)conf->ldap_bind_password.p,
			.bv_len = conf->ldap_bind_password.n};
	code = ldap_sasl_bind(s->ld, anonymous ? "" : conf->ldap_bind_dn.p, LDAP_SASL_SIMPLE,
		&password, NULL, NULL, &id);
	return answered(s, code, id, "bind", err);
}

static enum rc sign_in(struct ldap_session *s, const char *url, struct err *err)
{
	bool start = s->conf->ldap_starttls && str_istarts(str_of(url), "ldap://");
	bool tls = start || str_istarts(str_of(url), "ldaps://");
	enum rc rc = RC_OK;

	if (tls)
		watch_begin(s);
	if (start)
		rc = start_tls(s, err);
	if (rc == RC_OK)
		rc = bind_as(s, err);
	if (tls)
		watch_end(&s->watch);
	return rc;
}

static enum rc connect_to(struct ldap_session *s, const char *url, struct err *err)
{
	int code = ldap_initialize(&s->ld, url);
	enum rc rc = RC_OK;

	if (code != LDAP_SUCCESS) {
		s->ld = NULL;
		return err_set(err, RC_UNAVAILABLE, "could not connect to LDAP at %s: %s", url,
			ldap_err2string(code));
	}
	options(s);
	rc = sign_in(s, url, err);
	if (rc == RC_OK)
		return rc;
	disconnect(s);
	return err_wrap(err, "could not connect to LDAP at %s", url);
}

/* To the first server that takes us. */
static enum rc connect_any(struct ldap_session *s, struct err *err)
{
	struct str rest = s->conf->ldap_url, url;
	enum rc rc = err_set(err, RC_UNAVAILABLE, "ldap_url names no server");

	while (str_next(&rest, ' ', &url)) {
		char name[512];

		if (!url.n)
			continue;
		(void)snprintf(name, sizeof(name), "%.*s", STR_FMT(url));
		rc = connect_to(s, name, err);
		if (rc == RC_OK)
			return rc;
	}
	return rc;
}

/* Where a search stands. */
struct search {
	const struct ldap_question *q;
	struct ldap_taker *t;
	struct berval cookie; /* empty: the first page */
	size_t n;             /* entries so far */
};

static enum rc ask(struct ldap_session *s, const struct search *x, int *id_r, struct err *err)
{
	const struct ldap_question *q = x->q;
	int64_t page = s->conf->ldap_page;
	LDAPControl *control = NULL, *controls[2] = {NULL, NULL};
	struct timeval tv = {.tv_sec = s->conf->ldap_timeout};
	struct berval cookie = x->cookie;
	/* One more than wanted, to know whether there is one. */
	int limit = (int)q->most + 1, code = LDAP_SUCCESS;

	if (page > 0 && (uint64_t)page <= q->most) {
		limit = 0;
		code = ldap_create_page_control(s->ld, (ber_int_t)page, &cookie, 0, &control);
		controls[0] = control;
	}
	s->trips++;
	if (code == LDAP_SUCCESS)
		code = ldap_search_ext(s->ld, q->base, LDAP_SCOPE_SUBTREE, q->filter,
			(char **)q->attributes, 0, control ? controls : NULL, NULL, &tv, limit,
			id_r);
	if (control)
		ldap_control_free(control);
	return complain(s, code, NULL, "search", err);
}

/* The entries of one page. */
static enum rc take_page(struct ldap_session *s, struct search *x, int id, struct err *err)
{
	int64_t until = patience(s);
	LDAPMessage *m;

	for (;;) {
		enum rc rc = await(s, id, until, "search", &m, err);

		if (rc)
			return rc;
		if (ldap_msgtype(m) == LDAP_RES_SEARCH_RESULT) {
			ber_memfree(x->cookie.bv_val);
			x->cookie = (struct berval){0, NULL};
			return conclude(s, m, "search", &x->cookie, err);
		}
		if (ldap_msgtype(m) == LDAP_RES_SEARCH_ENTRY && x->n < x->q->most) {
			x->n++;
			x->t->entry(x->t, s->ld, m);
			continue;
		}
		rc = ldap_msgtype(m) == LDAP_RES_SEARCH_ENTRY
			     ? err_set(err, RC_LIMIT, "search: there are more than %zu entries",
				       x->q->most)
			     : RC_OK;
		(void)ldap_msgfree(m);
		if (rc) {
			(void)ldap_abandon_ext(s->ld, id, NULL, NULL);
			return rc;
		}
	}
}

static enum rc search(struct ldap_session *s, const struct ldap_question *q,
	struct ldap_taker *t, struct err *err)
{
	struct search x = {.q = q, .t = t};
	enum rc rc;

	do {
		int id = -1;

		rc = ask(s, &x, &id, err);
		if (rc == RC_OK)
			rc = take_page(s, &x, id, err);
	} while (rc == RC_OK && x.cookie.bv_len > 0);
	ber_memfree(x.cookie.bv_val);
	return rc;
}

/* Connected, and whether the connection was kept from before. */
static enum rc connected(struct ldap_session *s, bool *kept_r, struct err *err)
{
	*kept_r = s->ld != NULL;
	s->lost = false;
	return s->ld ? RC_OK : connect_any(s, err);
}

/* After a call: whether it may be tried again on a new connection. */
static bool again(struct ldap_session *s, bool kept, enum rc rc)
{
	if (rc == RC_UNAVAILABLE)
		disconnect(s);
	return rc == RC_UNAVAILABLE && kept && s->lost;
}

enum rc ldap_session_search(struct ldap_session *s, const struct ldap_question *q,
	struct ldap_taker *t, struct err *err)
{
	for (;;) {
		bool kept;
		enum rc rc = connected(s, &kept, err);

		if (rc == RC_OK)
			rc = search(s, q, t, err);
		if (!again(s, kept, rc))
			return rc;
		err_clear(err);
		t->restart(t);
	}
}

static size_t place_of(const int *ids, size_t n, int id)
{
	size_t i = 0;

	while (i < n && ids[i] != id)
		i++;
	return i;
}

static enum rc read_all(struct ldap_session *s, char *const *dns, int *ids, size_t n,
	const char *const *attributes,
	void (*entry)(void *ctx, size_t i, LDAP *ld, LDAPMessage *entry), void *ctx,
	struct err *err)
{
	int64_t until = patience(s);
	enum rc rc = RC_OK;
	size_t left = n;

	s->trips++;
	for (size_t i = 0; i < n && rc == RC_OK; i++)
		rc = complain(s,
			ldap_search_ext(s->ld, dns[i], LDAP_SCOPE_BASE, "(objectClass=*)",
				(char **)attributes, 0, NULL, NULL, NULL, 0, &ids[i]),
			NULL, "read", err);
	while (rc == RC_OK && left) {
		LDAPMessage *m;
		size_t i;

		rc = await(s, LDAP_RES_ANY, until, "read", &m, err);
		if (rc)
			break;
		i = place_of(ids, n, ldap_msgid(m));
		if (ldap_msgtype(m) == LDAP_RES_SEARCH_RESULT && i < n)
			left--;
		else if (ldap_msgtype(m) == LDAP_RES_SEARCH_ENTRY && i < n)
			entry(ctx, i, s->ld, m);
		(void)ldap_msgfree(m);
	}
	return rc;
}

enum rc ldap_session_read(struct ldap_session *s, char *const *dns, size_t n,
	const char *const *attributes,
	void (*entry)(void *ctx, size_t i, LDAP *ld, LDAPMessage *entry), void *ctx,
	struct err *err)
{
	int *ids = calloc(n + 1, sizeof(*ids));
	bool kept;
	enum rc rc;

	if (!ids)
		abort();
	/* It comes right behind a search: there is no second try. */
	rc = connected(s, &kept, err);
	if (rc == RC_OK && n)
		rc = read_all(s, dns, ids, n, attributes, entry, ctx, err);
	(void)again(s, kept, rc);
	free(ids);
	return rc;
}
