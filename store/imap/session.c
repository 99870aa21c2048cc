#include "store/imap/session.h"

#include "core/base/clock.h"
#include "core/base/utf7.h"
#include "store/imap/login.h"

#include <curl/curl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RESPONSE_MAX (96 * 1024 * 1024)
#define READ_BYTES   (64 * 1024)
#define COMMAND_MAX  (4 * 1024 * 1024)

static enum rc lost(struct session *s, const char *what, struct err *err)
{
	s->broken = true;
	return err_set(err, RC_UNAVAILABLE, "IMAP connection lost: %s", what);
}

static enum rc silent(struct session *s, struct err *err)
{
	s->broken = true;
	return err_set_why(err, RC_UNAVAILABLE, ERR_TIMEOUT,
		"the IMAP server was silent for %lld s", (long long)(s->timeout_ms / 1000));
}

/* Waits until the socket can be read (or written). */
static enum rc await(struct session *s, short events, struct err *err)
{
	struct pollfd pfd = {.events = events};
	curl_socket_t fd;
	int n;

	if (curl_easy_getinfo(s->curl, CURLINFO_ACTIVESOCKET, &fd) != CURLE_OK || fd < 0)
		return lost(s, "no socket", err);
	pfd.fd = fd;
	n = poll(&pfd, 1, (int)s->timeout_ms);
	if (n == 0)
		return silent(s, err);
	return RC_OK;
}

static enum rc send_all(struct session *s, struct str bytes, struct err *err)
{
	while (bytes.n) {
		size_t n = 0;
		CURLcode code = curl_easy_send(s->curl, bytes.p, bytes.n, &n);

		if (code == CURLE_AGAIN) {
			enum rc rc = await(s, POLLOUT, err);

			if (rc)
				return rc;
			continue;
		}
		if (code != CURLE_OK)
			return lost(s, curl_easy_strerror(code), err);
		bytes = str_sub(bytes, n, bytes.n);
	}
	return RC_OK;
}

/* Reads some more bytes. TLS may hold decrypted bytes, so recv comes before poll. */
static enum rc receive(struct session *s, struct err *err)
{
	for (;;) {
		char *room = buf_room(&s->in, READ_BYTES);
		size_t n = 0;
		CURLcode code;
		enum rc rc;

		if (!room) {
			s->broken = true;
			return err_set(err, RC_LIMIT,
				"an IMAP response is larger than %d bytes", RESPONSE_MAX);
		}
		code = curl_easy_recv(s->curl, room, READ_BYTES, &n);
		if (code == CURLE_OK && n == 0)
			return lost(s, "closed by the server", err);
		if (code == CURLE_OK) {
			buf_grew(&s->in, n);
			return RC_OK;
		}
		if (code != CURLE_AGAIN)
			return lost(s, curl_easy_strerror(code), err);
		rc = await(s, POLLIN, err);
		if (rc)
			return rc;
	}
}

/* Forgets what was consumed. */
static void compact(struct session *s)
{
	if (s->at == 0)
		return;
	memmove(s->in.p, s->in.p + s->at, s->in.n - s->at);
	buf_cut(&s->in, s->in.n - s->at);
	s->at = 0;
}

/* The next whole response, literals included, without its CRLF; valid until the next call. */
static enum rc next_response(struct session *s, struct str *r, struct err *err)
{
	size_t scanned = 0;

	compact(s);
	for (;;) {
		enum reply_frame frame =
			reply_frame(buf_str(&s->in), RESPONSE_MAX, &scanned, r);
		enum rc rc;

		if (frame == REPLY_WHOLE) {
			s->at = scanned;
			return RC_OK;
		}
		if (frame == REPLY_HUGE) {
			s->broken = true;
			return err_set(err, RC_LIMIT, "an IMAP literal is larger than %d bytes",
				RESPONSE_MAX);
		}
		rc = receive(s, err);
		if (rc)
			return rc;
	}
}

static void set_capabilities(struct session *s, unsigned caps, unsigned without)
{
	s->caps = caps & ~without;
	if (without & CAP_CONDSTORE)
		s->caps &= ~(unsigned)CAP_QRESYNC;
}

unsigned session_queue(struct session *s, const char *fmt, ...)
{
	va_list ap, again;
	char *to;
	int n;

	if (s->ncommands == SESSION_COMMANDS)
		abort();
	buf_addf(&s->out, "A%u ", s->next_tag++);
	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	to = n > 0 ? buf_room(&s->out, (size_t)n) : NULL;
	if (to) {
		(void)vsnprintf(to, (size_t)n + 1, fmt, again);
		buf_grew(&s->out, (size_t)n);
	}
	va_end(again);
	buf_adds(&s->out, "\r\n");
	return s->ncommands++;
}

struct str session_quote(struct str text, struct arena *a)
{
	char *out = arena_alloc(a, 2 * text.n + 3);
	size_t n = 0;

	out[n++] = '"';
	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];

		if (c == '\r' || c == '\n' || c == '\0')
			continue;
		if (c == '"' || c == '\\')
			out[n++] = '\\';
		out[n++] = c;
	}
	out[n++] = '"';
	out[n] = '\0';
	return (struct str){out, n};
}

struct str session_mailbox(struct str path, struct arena *a)
{
	return session_quote(utf7_encode(path, a), a);
}

/* The code of an untagged OK is worth as much as a response: "* OK [UIDNEXT 7] ..." */
static enum rc untagged(struct session *s, struct str line, struct arena *a,
	session_handler handler, void *ctx, struct err *err)
{
	struct imap_value *values;
	enum rc rc;

	if (str_istarts(line, "BYE"))
		return lost(s, "BYE", err);
	if (str_istarts(line, "OK ") || str_istarts(line, "NO ") || str_istarts(line, "BAD ")) {
		struct imap_result r;

		reply_result(line, a, &r);
		if (!r.code.p || r.status != IMAP_OK)
			return RC_OK;
		line = r.code;
	} else {
		line = arena_str(a, line);
	}
	rc = imap_parse(line, a, &values, err);
	if (rc) {
		s->broken = true;
		return rc;
	}
	return handler ? handler(ctx, values, err) : RC_OK;
}

static enum rc read_answers(struct session *s, struct arena *a, session_handler handler,
	void *ctx, bool until_go_ahead, struct err *err)
{
	unsigned open = s->ncommands;
	enum rc failed = RC_OK;
	struct err first = ERR_INIT;

	while (open) {
		struct str line = STR_NONE, tag;
		uint32_t n;
		enum rc rc = next_response(s, &line, err);

		if (rc)
			return rc;
		if (str_starts(line, "* ")) {
			rc = untagged(s, str_sub(line, 2, line.n), a, handler, ctx,
				failed ? &first : err);
			if (rc && s->broken)
				return rc;
			if (rc)
				failed = rc;
			continue;
		}
		if (line.n && line.p[0] == '+') {
			if (until_go_ahead)
				return RC_OK;
			continue;
		}
		tag = str_sub(line, 0, str_find(line, ' '));
		if (tag.n < 2 || tag.p[0] != 'A' || !str_u32(str_sub(tag, 1, tag.n), &n) ||
			n < s->first_tag || n - s->first_tag >= s->ncommands)
			return lost(s, "an answer to nothing", err);
		reply_result(
			str_sub(line, tag.n + 1, line.n), a, &s->results[n - s->first_tag]);
		open--;
	}
	return failed;
}

static void reset(struct session *s)
{
	s->ncommands = 0;
	buf_reset(&s->out);
}

enum rc session_run(
	struct session *s, struct arena *a, session_handler handler, void *ctx, struct err *err)
{
	enum rc rc;

	if (s->broken)
		return lost(s, "broken before", err);
	s->first_tag = s->next_tag - s->ncommands;
	rc = s->out.over ? err_set(err, RC_LIMIT, "an IMAP command is too long")
			 : send_all(s, buf_str(&s->out), err);
	s->trips++;
	if (rc == RC_OK)
		rc = read_answers(s, a, handler, ctx, false, err);
	reset(s);
	return rc;
}

enum rc session_run_literal(struct session *s, struct arena *a, struct source *literal,
	session_handler handler, void *ctx, struct err *err)
{
	char chunk[16 * 1024];
	size_t got;
	enum rc rc;

	if (s->broken)
		return lost(s, "broken before", err);
	s->first_tag = s->next_tag - s->ncommands;
	rc = send_all(s, buf_str(&s->out), err);
	s->trips++;
	s->results[0] = (struct imap_result){.status = IMAP_OK};
	if (rc == RC_OK)
		rc = read_answers(s, a, handler, ctx, true, err);
	/* Refused before the literal was asked for. */
	if (rc || s->results[0].status != IMAP_OK) {
		reset(s);
		return rc;
	}
	for (;;) {
		rc = literal->read(literal, chunk, sizeof(chunk), &got, err);
		if (rc || got == 0)
			break;
		rc = send_all(s, (struct str){chunk, got}, err);
		if (rc)
			break;
	}
	if (rc == RC_OK)
		rc = send_all(s, STR("\r\n"), err);
	if (rc == RC_OK)
		rc = read_answers(s, a, handler, ctx, false, err);
	else
		s->broken = true;
	s->trips++;
	reset(s);
	return rc;
}

enum rc session_result(const struct imap_result *r, const char *what, struct err *err)
{
	static const struct {
		const char *code;
		enum rc rc;
		enum err_why why;
	} codes[] = {
		{"NONEXISTENT",   RC_ABSENT,      ERR_PLAIN    },
		{"TRYCREATE",     RC_ABSENT,      ERR_PLAIN    },
		{"ALREADYEXISTS", RC_CONFLICT,    ERR_PLAIN    },
		{"NOPERM",        RC_DENIED,      ERR_PLAIN    },
		{"OVERQUOTA",     RC_LIMIT,       ERR_QUOTA    },
		{"LIMIT",         RC_LIMIT,       ERR_TOO_LARGE},
		{"TOOBIG",        RC_LIMIT,       ERR_TOO_LARGE},
		{"UNAVAILABLE",   RC_UNAVAILABLE, ERR_PLAIN    },
		{"INUSE",         RC_UNAVAILABLE, ERR_PLAIN    },
		{"SERVERBUG",     RC_UNAVAILABLE, ERR_PLAIN    },
	};

	if (r->status == IMAP_OK)
		return RC_OK;
	for (size_t i = 0; i < ARRAY_LEN(codes); i++)
		if (str_istarts(r->code, codes[i].code))
			return err_set_why(err, codes[i].rc, codes[i].why, "%s: %.*s", what,
				STR_FMT(r->text));
	/* Servers without RFC 5530 codes say it in words only. */
	if (str_isearch(r->text, STR("doesn't exist")) < r->text.n ||
		str_isearch(r->text, STR("not exist")) < r->text.n ||
		str_isearch(r->text, STR("not found")) < r->text.n)
		return err_set(err, RC_ABSENT, "%s: %.*s", what, STR_FMT(r->text));
	return err_set(err, RC_UNAVAILABLE, "%s: IMAP %s %.*s", what,
		r->status == IMAP_NO ? "NO" : "BAD", STR_FMT(r->text));
}

struct greeting {
	struct session *s;
	unsigned without;
	bool heard; /* what the server can do */
};

static enum rc on_capability(void *ctx, struct imap_value *values, struct err *err UNUSED)
{
	struct greeting *g = ctx;

	if (!imap_is(values, "CAPABILITY"))
		return RC_OK;
	set_capabilities(g->s, reply_capabilities(values->next), g->without);
	g->heard = true;
	return RC_OK;
}

/* What is useful is enabled. Without QRESYNC a server may still have CONDSTORE, and refuse. */
static enum rc greet(
	struct session *s, unsigned without, const struct server_line *said, struct err *err)
{
	struct greeting g = {s, without, false};
	struct arena *a = arena_new();
	unsigned caps;
	enum rc rc = RC_OK;

	g.heard = login_capabilities(said, &caps);
	if (g.heard) {
		set_capabilities(s, caps, without);
	} else {
		(void)session_queue(s, "CAPABILITY");
		rc = session_run(s, a, on_capability, &g, err);
		/* Lesser ways lead to other results: they are for lesser servers only. */
		if (rc == RC_OK && !g.heard)
			rc = err_set(err, RC_UNAVAILABLE,
				"the IMAP server does not say what it can do");
	}
	if (rc == RC_OK && s->caps & (CAP_QRESYNC | CAP_CONDSTORE)) {
		(void)session_queue(
			s, "ENABLE %s", s->caps & CAP_QRESYNC ? "QRESYNC" : "CONDSTORE");
		rc = session_run(s, a, NULL, NULL, err);
		if (rc == RC_OK && s->results[0].status != IMAP_OK)
			s->caps &= ~(unsigned)(CAP_QRESYNC | CAP_CONDSTORE);
	}
	arena_free(a);
	return rc;
}

enum rc session_open(const struct settings *conf, struct str login,
	const struct secret *password, unsigned without, struct session **r, struct err *err)
{
	struct session *s = calloc(1, sizeof(*s));
	struct server_line said = {.text = ""};
	struct arena *a = arena_new();
	CURLcode code;
	enum rc rc;

	if (!s)
		abort();
	s->next_tag = 1;
	s->timeout_ms = conf->imap_timeout * 1000;
	buf_init(&s->in, RESPONSE_MAX + 2 * READ_BYTES);
	buf_init(&s->out, COMMAND_MAX);
	s->curl = curl_easy_init();
	if (!s->curl)
		abort();
	login_options(s->curl, conf, arena_cstr(a, login), password, &said);
	code = curl_easy_perform(s->curl);
	/* From now on the session does its own listening. */
	(void)curl_easy_setopt(s->curl, CURLOPT_VERBOSE, 0L);
	arena_free(a);
	s->trips = 1;
	rc = login_result(code, conf, &said, err);
	if (rc == RC_OK)
		rc = greet(s, without, &said, err);
	if (rc) {
		session_close(s);
		return rc;
	}
	*r = s;
	return RC_OK;
}

void session_close(struct session *s)
{
	size_t n;

	if (!s)
		return;
	if (!s->broken && s->curl)
		(void)curl_easy_send(s->curl, "Z LOGOUT\r\n", 10, &n);
	curl_easy_cleanup(s->curl);
	buf_release(&s->in);
	buf_release(&s->out);
	free(s);
}

bool session_alive(struct session *s)
{
	struct pollfd pfd = {.events = POLLIN};
	curl_socket_t fd;

	if (s->broken || curl_easy_getinfo(s->curl, CURLINFO_ACTIVESOCKET, &fd) != CURLE_OK ||
		fd < 0)
		return false;
	pfd.fd = fd;
	/* An idle server has nothing to say but BYE, or that it hung up. */
	return poll(&pfd, 1, 0) == 0;
}
