#include "tests/support_eas.h"

#include "core/base/clock.h"
#include "core/wire/dump.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static struct eas *of_auth(struct auth *au)
{
	return (struct eas *)((char *)au - offsetof(struct eas, auth));
}

static enum rc check(
	struct auth *au, struct str login, const struct secret *password, struct err *err)
{
	(void)login;
	if (!password->p || strcmp(password->p, EAS_PASSWORD) != 0)
		return err_set(err, RC_DENIED, "wrong password");
	return of_auth(au)->auth_rc ? err_set(err, of_auth(au)->auth_rc, "no answer") : RC_OK;
}

static enum rc take_mail(struct eas *e, struct str from, const struct str *to, size_t nto,
	struct source *message, struct err *err)
{
	struct buf_sink sink;
	size_t n = 0;
	enum rc rc;

	buf_reset(&e->last_message);
	buf_sink_init(&sink, &e->last_message);
	rc = stream_copy(message, &sink.sink, err);
	(void)snprintf(e->last_from, sizeof(e->last_from), "%.*s", STR_FMT(from));
	e->last_to[0] = '\0';
	for (size_t i = 0; i < nto; i++)
		n += (size_t)snprintf(e->last_to + n, sizeof(e->last_to) - n, "%s%.*s",
			i ? " " : "", STR_FMT(to[i]));
	e->last_nto = nto;
	e->submitted++;
	return rc;
}

static enum rc submit(struct submit *s, struct str from, const struct str *to, size_t nto,
	struct source *message, struct err *err)
{
	struct eas *e = (struct eas *)((char *)s - offsetof(struct eas, submit));
	enum rc rc = RC_OK;

	if (!e->submit_rc || e->submit_late)
		rc = take_mail(e, from, to, nto, message, err);
	return e->submit_rc ? err_set_why(err, e->submit_rc, e->submit_why, "refused") : rc;
}

void eas_init(struct eas *e, const char *conf)
{
	struct err err = ERR_INIT;
	enum rc rc;

	memset(e, 0, sizeof(*e));
	e->conf_arena = arena_new();
	rc = settings_read(
		arena_str(e->conf_arena, str_of(conf)), "test", &e->conf, e->conf_arena, &err);
	assert(rc == RC_OK);
	(void)rc;
	e->mail = fake_mail_new();
	e->state = fake_state_new();
	e->auth.check = check;
	e->submit.send = submit;
	buf_init(&e->last_message, BUF_MAX_TEXT);
}

void eas_dav(struct eas *e)
{
	e->dav = fake_dav_new();
}

void eas_calendars(struct eas *e)
{
	e->calendars = fake_dav_new();
	fake_dav_collection(e->calendars, FAKE_DAV_CALENDAR, "Calendar", DAV_EVENTS);
}

void eas_release(struct eas *e)
{
	fake_dav_free(e->calendars);
	fake_dav_free(e->dav);
	fake_mail_free(e->mail);
	fake_state_free(e->state);
	buf_release(&e->last_message);
	arena_free(e->conf_arena);
}

static enum rc scratch_bytes(struct services *sv, struct str *r, struct err *err)
{
	(void)err;
	*r = buf_str(((struct buf_sink *)sv->scratch)->buf);
	return RC_OK;
}

static void passed(void *ctx, const char *upto)
{
	(void)ctx;
	(void)upto;
}

static struct str text(struct arena *a, const char *s)
{
	return s ? arena_str(a, str_of(s)) : STR_NONE;
}

static void note(struct eas *e, const struct reply *rp, const struct err *err)
{
	size_t n = 0;

	memset(&e->seen, 0, sizeof(e->seen));
	e->seen.http = rp->http;
	e->seen.status = rp->status;
	(void)snprintf(e->seen.type, sizeof(e->seen.type), "%.*s", STR_FMT(rp->content_type));
	(void)snprintf(e->seen.error, sizeof(e->seen.error), "%s", err->text);
	for (size_t i = 0; i < rp->nheaders; i++)
		n += (size_t)snprintf(e->seen.headers + n, sizeof(e->seen.headers) - n,
			"%s: %.*s\n", rp->headers[i].name, STR_FMT(rp->headers[i].value));
}

static void restart(struct reply *rp)
{
	buf_reset(((struct buf_sink *)rp->body)->buf);
	buf_reset(((struct buf_sink *)rp->tail)->buf);
}

static int64_t count_loops(struct services *sv, const struct request *rq, uint64_t state)
{
	struct eas *e = sv->ctx;

	return loops_count(e->loops, rq->device.id, state, clock_mono_ms());
}

static void note_wait(struct eas *e, const struct wait *w)
{
	e->last_wait = *w;
	e->last_wait.v = NULL;
}

void eas_request(struct eas *e, const struct eas_request *q, struct buf *answer)
{
	struct buf tail, scratch;
	struct buf_sink sink, tail_sink, scratch_sink;
	struct request rq = {.arena = arena_new(), .conf = &e->conf, .options = q->options};
	struct reply rp = {
		.http = 200, .body = &sink.sink, .tail = &tail_sink.sink, .restart = restart};
	struct services sv = {.state = fake_state_state(e->state),
		.auth = &e->auth,
		.mail = fake_mail_mail(e->mail),
		.dav = e->dav ? fake_dav_dav(e->dav) : NULL,
		.calendars = e->calendars ? fake_dav_dav(e->calendars) : NULL,
		.submit = &e->submit,
		.scratch = &scratch_sink.sink,
		.scratch_bytes = scratch_bytes,
		.body_passed = passed,
		.loops = e->loops ? count_loops : NULL,
		.ctx = e};
	struct err err = ERR_INIT;

	buf_sink_init(&sink, answer);
	buf_init(&tail, BUF_MAX_RESPONSE);
	buf_sink_init(&tail_sink, &tail);
	buf_init(&scratch, BUF_MAX_RESPONSE);
	buf_sink_init(&scratch_sink, &scratch);
	rq.content_type = text(rq.arena, q->type);
	rq.version_header = text(rq.arena, q->version);
	rq.has_policy_key = q->has_key;
	rq.policy_key = q->key;
	rq.accept_multipart = q->multipart;
	rq.body = q->body;
	rq.discover = q->discover;
	rq.query_text = text(rq.arena, q->query_text);
	rq.host = text(rq.arena, q->host);
	rq.deadline_ms = INT64_MAX;
	if (q->user)
		rq.user = query_login(text(rq.arena, q->user), STR("example.test"), rq.arena);
	if (q->password)
		secret_set(&rq.password, str_of(q->password));
	if (query_parse(text(rq.arena, q->query ? q->query : ""), rq.arena, &rq.query, &err)) {
		rp.http = 400;
	} else {
		/* As fcgi/http.c does. */
		if (rq.query.has_policy_key) {
			rq.has_policy_key = true;
			rq.policy_key = rq.query.policy_key;
		}
		if (e->open)
			e->open(e, &sv, &rq);
		dispatch(&rq, &sv, &rp, &err);
		/* As the waiter does: the whole request again once something has happened. */
		for (e->last_wait.n = 0; rp.wait && e->pauses; e->pauses--) {
			note_wait(e, rp.wait);
			if (e->paused)
				e->paused(e);
			reply_reset(&rp);
			rp.wait = NULL;
			dispatch(&rq, &sv, &rp, &err);
		}
		e->parked = rp.wait != NULL;
		if (rp.wait)
			note_wait(e, rp.wait);
		if (e->close)
			e->close(e);
		if (rp.wbxml && !rp.raw && wbxml_finish(&rp.w, &err))
			rp.http = 500;
	}
	buf_add_str(answer, buf_str(&tail));
	buf_release(&tail);
	buf_release(&scratch);
	note(e, &rp, &err);
	assert(fake_state_taken(e->state) == 0);
	if (rp.wbxml)
		wbxml_release(&rp.w);
	secret_release(&rq.password);
	arena_free(rq.arena);
}

static bool transport(struct phone *p, const char *query, const char *type, struct str body,
	struct buf *answer)
{
	struct eas *e = p->ctx;
	struct eas_request q = {.query = query,
		.user = p->user,
		.password = p->password,
		.version = p->version,
		.type = type,
		.has_key = true,
		.key = p->policy_key,
		.body = body};

	eas_request(e, &q, answer);
	p->http = e->seen.http;
	if (e->lose && --e->lose == 0)
		return false;
	return p->http != 503;
}

void eas_phone(struct eas *e, struct phone *p, const char *id, const char *version)
{
	phone_init(p, NULL, EAS_USER, EAS_PASSWORD, id, version);
	p->transport = transport;
	p->ctx = e;
}

const char *eas_text(const struct elem *answer, struct arena *a)
{
	struct dump_options o = {0};
	struct buf b;
	struct str s;

	if (!answer)
		return "";
	buf_init(&b, BUF_MAX_TEXT);
	dump_elem(answer, &o, &b);
	s = arena_str(a, buf_str(&b));
	buf_release(&b);
	return s.p;
}
