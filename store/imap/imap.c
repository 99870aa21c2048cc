#include "store/imap/imap_internal.h"

#include "core/base/clock.h"

#include <curl/curl.h>
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define REMEMBERED 1024

/* A password that was right. */
struct proof {
	unsigned char hash[32];
	int64_t until;
};

struct idle {
	struct session *s;
	char login[256];
	unsigned char hash[32];
	int64_t since;
};

struct imap {
	const struct settings *conf;
	struct auth auth;
	struct imap_mailbox mailbox;
	unsigned char key[32];
	struct proof *proofs; /* REMEMBERED, by the hash's first bytes */
	struct idle *idle;
	size_t nidle;
	unsigned without;
};

static struct imap *of_auth(struct auth *au)
{
	return (struct imap *)((char *)au - offsetof(struct imap, auth));
}

static void keyed_hash(const struct imap *im, struct str login, const struct secret *password,
	unsigned char hash[32])
{
	GHmac *h = g_hmac_new(G_CHECKSUM_SHA256, im->key, sizeof(im->key));
	gsize n = 32;

	g_hmac_update(h, (const guchar *)login.p, (gssize)login.n);
	g_hmac_update(h, (const guchar *)(password ? "" : "m"), 1);
	if (password && password->n)
		g_hmac_update(h, (const guchar *)password->p, (gssize)password->n);
	g_hmac_get_digest(h, hash, &n);
	g_hmac_unref(h);
}

static struct proof *proof_of(struct imap *im, const unsigned char hash[32])
{
	return &im->proofs[(hash[0] | hash[1] << 8) % REMEMBERED];
}

static void forget_idle(struct imap *im, size_t i)
{
	session_close(im->idle[i].s);
	memmove(&im->idle[i], &im->idle[i + 1], (im->nidle - i - 1) * sizeof(*im->idle));
	im->nidle--;
}

/* Takes a cached session of that user and password, a living one. */
static struct session *take_idle(struct imap *im, const unsigned char hash[32])
{
	for (size_t i = im->nidle; i-- > 0;) {
		struct session *s = im->idle[i].s;

		if (memcmp(im->idle[i].hash, hash, 32) != 0)
			continue;
		im->idle[i].s = NULL;
		forget_idle(im, i);
		if (session_alive(s)) {
			s->trips = 0;
			s->fresh = false;
			return s;
		}
		session_close(s);
	}
	return NULL;
}

static void keep_idle(
	struct imap *im, struct session *s, struct str login, const unsigned char hash[32])
{
	struct idle *i;

	if (!s)
		return;
	if (s->broken || im->conf->imap_sessions == 0) {
		session_close(s);
		return;
	}
	if (im->nidle >= (size_t)im->conf->imap_sessions)
		forget_idle(im, 0);
	i = &im->idle[im->nidle++];
	i->s = s;
	(void)snprintf(i->login, sizeof(i->login), "%.*s", STR_FMT(login));
	memcpy(i->hash, hash, sizeof(i->hash));
	i->since = clock_mono_ms();
}

static enum rc check(
	struct auth *au, struct str login, const struct secret *password, struct err *err)
{
	struct imap *im = of_auth(au);
	unsigned char hash[32];
	struct proof *p;
	struct session *s;
	enum rc rc;

	if (!password->n)
		return err_set(err, RC_DENIED, "an empty password");
	keyed_hash(im, login, password, hash);
	p = proof_of(im, hash);
	if (p->until > clock_mono_ms() && memcmp(p->hash, hash, sizeof(hash)) == 0)
		return RC_OK;
	s = take_idle(im, hash);
	if (!s) {
		rc = session_open(im->conf, login, password, im->without, &s, err);
		if (rc)
			return rc;
	}
	keep_idle(im, s, login, hash);
	memcpy(p->hash, hash, sizeof(hash));
	p->until = clock_mono_ms() + im->conf->auth_cache * 1000;
	return RC_OK;
}

static const struct mail_ops ops = {
	.list = op_list,
	.status = op_status,
	.status_many = op_status_many,
	.look = op_look,
	.summaries = op_summaries,
	.parts = op_parts,
	.stream = op_stream,
	.store = op_store,
	.move = op_move,
	.remove = op_remove,
	.append = op_append,
	.flags = op_flags,
	.search = op_search,
	.join = op_join,
	.create = op_create,
	.rename = op_rename,
	.erase = op_erase,
};

struct imap *imap_new(const struct settings *conf)
{
	struct imap *im = calloc(1, sizeof(*im));

	if (!im)
		abort();
	im->conf = conf;
	im->auth.check = check;
	im->mailbox.mail.ops = &ops;
	im->mailbox.im = im;
	im->proofs = calloc(REMEMBERED, sizeof(*im->proofs));
	im->idle = calloc((size_t)conf->imap_sessions + 1, sizeof(*im->idle));
	if (!im->proofs || !im->idle ||
		getrandom(im->key, sizeof(im->key), 0) != sizeof(im->key))
		abort();
	(void)curl_global_init(CURL_GLOBAL_DEFAULT);
	return im;
}

void imap_free(struct imap *im)
{
	if (!im)
		return;
	imap_release(im);
	while (im->nidle)
		forget_idle(im, 0);
	explicit_bzero(im->key, sizeof(im->key));
	free(im->proofs);
	free(im->idle);
	free(im);
}

struct auth *imap_auth(struct imap *im)
{
	return &im->auth;
}

struct mail *imap_mail(struct imap *im, struct str login, const struct secret *password)
{
	struct imap_mailbox *mb = &im->mailbox;

	imap_release(im);
	(void)snprintf(mb->login, sizeof(mb->login), "%.*s", STR_FMT(login));
	mb->master = !password;
	if (password)
		secret_set(&mb->password, (struct str){password->p, password->n});
	mb->trips = 0;
	return &mb->mail;
}

void imap_release(struct imap *im)
{
	struct imap_mailbox *mb = &im->mailbox;
	int64_t old = clock_mono_ms() - im->conf->imap_session_idle * 1000;
	unsigned char hash[32];

	if (mb->s) {
		keyed_hash(im, str_of(mb->login), mb->master ? NULL : &mb->password, hash);
		keep_idle(im, mb->s, str_of(mb->login), hash);
		mb->s = NULL;
	}
	secret_release(&mb->password);
	for (size_t i = im->nidle; i-- > 0;)
		if (im->idle[i].since < old)
			forget_idle(im, i);
}

unsigned imap_trips(const struct imap *im)
{
	return im->mailbox.trips + (im->mailbox.s ? im->mailbox.s->trips : 0);
}

void imap_set_mask(struct imap *im, unsigned without)
{
	im->without = without;
}

const struct settings *mailbox_settings(const struct mail *m)
{
	return ((const struct imap_mailbox *)m)->im->conf;
}

enum rc mailbox_session(struct imap_mailbox *mb, struct session **r, struct err *err)
{
	struct imap *im = mb->im;
	unsigned char hash[32];
	enum rc rc = RC_OK;

	if (mb->s && mb->s->broken) {
		mb->trips += mb->s->trips;
		session_close(mb->s);
		mb->s = NULL;
	}
	if (!mb->s) {
		keyed_hash(im, str_of(mb->login), mb->master ? NULL : &mb->password, hash);
		mb->s = take_idle(im, hash);
	}
	if (!mb->s)
		rc = session_open(im->conf, str_of(mb->login),
			mb->master ? NULL : &mb->password, im->without, &mb->s, err);
	*r = mb->s;
	return rc;
}

bool mailbox_select(struct session *s, struct str folder, struct arena *a)
{
	struct str name = session_mailbox(folder, a);

	if (s->fresh && str_is(name, s->selected))
		return false;
	(void)session_queue(s, "SELECT %.*s", STR_FMT(name));
	return true;
}

enum rc mailbox_selected(struct session *s, struct str folder, struct arena *a, struct err *err)
{
	enum rc rc = session_result(&s->results[0], "could not open the folder", err);
	struct str name = session_mailbox(folder, a);

	s->selected[0] = '\0';
	s->fresh = false;
	if (rc == RC_OK && name.n < sizeof(s->selected)) {
		(void)snprintf(s->selected, sizeof(s->selected), "%.*s", STR_FMT(name));
		s->fresh = true;
	}
	return rc;
}
