/*
 * find: the cards that contain a word, by addressbook-query (RFC 6352 section 8.6).
 */
#include "store/dav/dav_internal.h"

#include "core/base/clock.h"
#include "core/base/utf8.h"
#include "core/base/xml.h"

/* Where a word is looked for. Radicale fails over values that are lists, so those come last. */
static const char *const properties[] = {"FN", "NICKNAME", "TITLE", "EMAIL", "TEL", "NOTE",
	"URL", "IMPP", "N", "ORG", "ADR", "CATEGORIES"};
enum { SIMPLE = 8, LONG = 4 };

/* How many of them a server is asked about, until it does not stumble. */
static const size_t levels[] = {ARRAY_LEN(properties), SIMPLE};

/* For how long it is believed to know that, or that it cannot search: an outage may look alike.
 */
enum { KNOWN_MS = 600 * 1000, CANNOT_MS = 60 * 1000 };

static void add_match(const char *property, struct str word, struct buf *b)
{
	buf_addf(b,
		"<R:prop-filter name=\"%s\"><R:text-match collation=\"i;unicode-casemap\" "
		"match-type=\"contains\">",
		property);
	xml_escape(b, word);
	buf_adds(b, "</R:text-match></R:prop-filter>");
}

static struct str longest(const struct str *words, size_t n)
{
	struct str r = words[0];

	for (size_t i = 1; i < n; i++)
		if (words[i].n > r.n)
			r = words[i];
	return r;
}

/* The longest word tells most. Where it may stand in what cannot be asked for the others are
 * asked for as well, but those that stand in every card. */
static bool is_asked_for(struct str word, struct str most, size_t level)
{
	return str_eq(word, most) || (level > 0 && word.n >= LONG);
}

static void query_body(const struct str *words, size_t n, size_t level, struct buf *b)
{
	struct str most = longest(words, n);

	buf_adds(b, DAV_XML "<R:addressbook-query " DAV_XMLNS
			    "><D:prop><D:getetag/></D:prop><R:filter test=\"anyof\">");
	for (size_t i = 0; i < levels[level]; i++)
		for (size_t k = 0; k < n; k++)
			if (is_asked_for(words[k], most, level))
				add_match(properties[i], words[k], b);
	buf_adds(b, "</R:filter></R:addressbook-query>\n");
}

static enum rc query(struct dav_user *u, struct str path, const struct str *words, size_t n,
	size_t level, struct arena *a, struct multistatus *ms, struct err *err)
{
	struct exchange x = {.method = "REPORT", .path = path, .depth = DEPTH_1};
	struct buf b;
	enum rc rc;

	buf_init(&b, BUF_MAX_TEXT);
	query_body(words, n, level, &b);
	x.body = buf_str(&b);
	rc = dav_multistatus(u, &x, a, ms, err);
	buf_release(&b);
	return rc;
}

/* A server that stumbles over the question is asked less, and then no more for a while. */
static enum rc ask(struct dav_user *u, struct str path, const struct str *words, size_t n,
	struct arena *a, struct multistatus *ms, struct err *err)
{
	struct dav_client *c = u->client;
	int64_t now = clock_mono_ms();
	unsigned from = now < c->find_until ? c->find_level : 0;
	enum rc rc = RC_INVALID;

	for (unsigned level = from; level < ARRAY_LEN(levels); level++) {
		err_clear(err);
		*ms = (struct multistatus){.n = 0};
		rc = query(u, path, words, n, level, a, ms, err);
		if (rc == RC_OK && level > from) {
			c->find_level = level;
			c->find_until = now + KNOWN_MS;
		}
		/* 403: of a filter that the server does not know, too (RFC 6352 8.6). */
		if (ms->status != 500 && rc != RC_INVALID && rc != RC_DENIED)
			return rc;
	}
	if (rc == RC_DENIED)
		return rc;
	if (from < ARRAY_LEN(levels)) {
		c->find_level = ARRAY_LEN(levels);
		c->find_until = now + CANNOT_MS;
	}
	err_clear(err);
	return err_set(err, RC_INVALID, "the CardDAV server cannot search");
}

void dav_found(const struct multistatus *ms, struct str path, struct arena *a,
	struct dav_entry **v_r, size_t *n_r)
{
	*n_r = 0;
	*v_r = ARENA_ARRAY(a, struct dav_entry, ms->n + 1);
	for (size_t i = 0; i < ms->n; i++) {
		struct str href = dav_member(ms->v[i].href, path, a);

		if (href.p && ms->v[i].p.etag.n)
			(*v_r)[(*n_r)++] =
				(struct dav_entry){.href = href, .etag = ms->v[i].p.etag};
	}
}

enum rc dav_op_find(struct dav *d, struct str path, const struct str *words, size_t n,
	struct arena *a, struct dav_entry **v_r, size_t *n_r, struct err *err)
{
	struct multistatus ms = {.n = 0};
	struct str clean[DAV_WORDS_MAX];
	enum rc rc;

	*n_r = 0;
	/* calendar-query looks in one property only for all of a filter. */
	if (((struct dav_user *)d)->client->protocol->homes != MS_CARD_HOMES)
		return err_set(err, RC_INVALID, "words are looked for in cards alone");
	if (n > DAV_WORDS_MAX)
		n = DAV_WORDS_MAX;
	for (size_t i = 0; i < n; i++)
		clean[i] = utf8_cleaned(utf8_cut(words[i], DAV_WORD_MAX), a);
	rc = ask((struct dav_user *)d, path, clean, n, a, &ms, err);
	if (rc)
		return rc;
	dav_found(&ms, path, a, v_r, n_r);
	return RC_OK;
}
