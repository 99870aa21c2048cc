#include "core/base/base64.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/utf8.h"
#include "core/cmd/command.h"
#include "core/cmd/photo.h"
#include "core/cmd/resolve_contacts.h"
#include "core/cmd/status.h"

/* [MS-ASCMD] 2.2.3.177.12: of the command, of a Response, of Certificates */
enum {
	RESOLVE_OK = 1,
	RESOLVE_INVALID = 5,
	RESOLVE_SERVER_ERROR = 6,

	RESPONSE_RESOLVED = 1,
	RESPONSE_AMBIGUOUS = 2,
	RESPONSE_AMBIGUOUS_CUT = 3,
	RESPONSE_UNKNOWN = 4,

	CERTIFICATES_GIVEN = 1,
	CERTIFICATES_NONE = 7,
	CERTIFICATES_LIMIT = 8,
};

enum {
	TO_MAX = 100,        /* recipients; commands.md 21 */
	TO_LENGTH_MAX = 256, /* characters */
	NUMBER_MAX = 9999,
	/* [MS-ASCMD] 2.2.3.100 names no default: as many as a phone can show at once. */
	AMBIGUOUS_DEFAULT = 19,
	AMBIGUOUS_MAX = 100, /* suggestions of one answer, whatever is asked for */
	SPAN_DEFAULT = 7 * 86400,
	SPAN_MIN = 30 * 60,
	SPAN_MAX = 42 * 86400, /* [MS-ASCMD] note 5 */
};

/* Where a recipient was found: Type, [MS-ASCMD] 2.2.3.186.5. */
enum recipient_type { RECIPIENT_OF_DIRECTORY = 1, RECIPIENT_OF_CONTACTS = 2 };

/* CertificateRetrieval, [MS-ASCMD] 2.2.3.22 */
enum retrieval { RETRIEVE_NONE = 1, RETRIEVE_FULL, RETRIEVE_MINI };

struct resolve {
	struct request *rq;
	struct services *sv;
	/* What is asked for */
	uint32_t retrieval, certificates_max, ambiguous_max;
	struct photo_limits photos;
	bool availability;
	struct own_contacts own;
	/* What was given */
	uint32_t certificates; /* of all recipients */
	uint32_t pictures;     /* of this To */
};

/* Who may be meant by a To. */
struct candidates {
	enum recipient_type type;
	struct people people;
	bool cut; /* not all could be looked at: there may be others */
};

/* A number of the Options; false: it is none, or out of bounds. */
static bool number(const struct elem *options, tag_t tag, uint32_t least, uint32_t most,
	uint32_t fallback, uint32_t *r)
{
	*r = fallback;
	if (!elem_has(options, tag))
		return true;
	return str_u32(elem_text(options, tag), r) && *r >= least && *r <= most;
}

/* [MS-ASCMD] 2.2.3.61.1, 2.2.3.176.1 */
static bool span_is_sound(const struct elem *availability)
{
	int64_t start, end;

	if (clock_parse(elem_text(availability, RESOLVERECIPIENTS_START_TIME), &start))
		return false;
	end = start + SPAN_DEFAULT;
	if (elem_has(availability, RESOLVERECIPIENTS_END_TIME) &&
		clock_parse(elem_text(availability, RESOLVERECIPIENTS_END_TIME), &end))
		return false;
	return end - start >= SPAN_MIN && end - start <= SPAN_MAX;
}

static bool read_options(struct resolve *r)
{
	const struct elem *options = elem_child(r->rq->doc, RESOLVERECIPIENTS_OPTIONS);
	const struct elem *when = elem_child(options, RESOLVERECIPIENTS_AVAILABILITY);

	photo_read(r->rq, elem_child(options, RESOLVERECIPIENTS_PICTURE),
		RESOLVERECIPIENTS_MAX_SIZE, RESOLVERECIPIENTS_MAX_PICTURES, &r->photos);
	r->availability = when && r->rq->version >= V140;
	return number(options, RESOLVERECIPIENTS_CERTIFICATE_RETRIEVAL, RETRIEVE_NONE,
		       RETRIEVE_MINI, RETRIEVE_NONE, &r->retrieval) &&
	       number(options, RESOLVERECIPIENTS_MAX_CERTIFICATES, 0, NUMBER_MAX, NUMBER_MAX,
		       &r->certificates_max) &&
	       number(options, RESOLVERECIPIENTS_MAX_AMBIGUOUS_RECIPIENTS, 0, NUMBER_MAX,
		       AMBIGUOUS_DEFAULT, &r->ambiguous_max) &&
	       (!r->availability || span_is_sound(when));
}

static bool request_is_sound(const struct request *rq)
{
	size_t n = elem_count(rq->doc, RESOLVERECIPIENTS_TO);

	if (n == 0 || n > TO_MAX)
		return false;
	for (const struct elem *to = elem_child(rq->doc, RESOLVERECIPIENTS_TO); to;
		to = elem_again(to))
		if (utf8_chars(to->text) > TO_LENGTH_MAX)
			return false;
	return true;
}

/* "Ann <ann@x.test>" is the address. */
static struct str meant(struct str to)
{
	size_t open = str_find(to, '<');
	struct str inside = str_sub(to, open + 1, to.n);
	size_t close = str_find(inside, '>');

	return str_trim(close < inside.n ? str_sub(inside, 0, close) : to);
}

/* Only who has an address can be written to. */
static struct directory_query question(
	const struct resolve *r, struct str text, enum directory_match match)
{
	size_t n = r->ambiguous_max > AMBIGUOUS_MAX ? AMBIGUOUS_MAX : r->ambiguous_max;

	return (struct directory_query){
		.text = text,
		.match = match,
		/* Whether it is one or many is to be known in any case. */
		.count = n < 2 ? 2 : n,
		.pictures = r->photos.wanted,
		.certificates = r->retrieval != RETRIEVE_NONE,
		.addressed = true,
	};
}

static enum rc ask_directory(struct resolve *r, struct str text, enum directory_match match,
	struct candidates *c, struct err *err)
{
	const struct directory_query q = question(r, text, match);
	enum rc rc;

	rc = directory_call(r->sv->directory, search, &q, r->rq->arena, &c->people, err);
	c->cut = rc == RC_LIMIT;
	return c->cut && c->people.total ? RC_OK : rc;
}

/* The directory, by the whole text first: who is called exactly so is meant. An address that is
 * not known is no beginning of another one. */
static enum rc from_directory(
	struct resolve *r, struct str text, struct candidates *c, struct err *err)
{
	enum rc rc;

	c->type = RECIPIENT_OF_DIRECTORY;
	if (!r->sv->directory)
		return RC_OK;
	rc = ask_directory(r, text, DIRECTORY_IS, c, err);
	if (rc == RC_OK && c->people.total == 0 && str_find(text, '@') == text.n)
		rc = ask_directory(r, text, DIRECTORY_BEGINS, c, err);
	return rc;
}

/* The user's own contacts. Without their server there are none, and mail goes on. */
static enum rc from_contacts(
	struct resolve *r, struct str text, struct candidates *c, struct err *err)
{
	const struct directory_query q = question(r, text, DIRECTORY_BEGINS);
	enum rc rc;

	c->type = RECIPIENT_OF_CONTACTS;
	if (!r->sv->dav)
		return RC_OK;
	rc = resolve_contacts(r->rq, r->sv, &r->own, &q, &c->people, &c->cut, err);
	if (rc == RC_OK || rc == RC_INTERNAL)
		return rc;
	log_warning("contacts were not searched: %s", err->text);
	err_clear(err);
	c->people = (struct people){.n = 0};
	return RC_OK;
}

/* Where recipients are looked for, in this order; the first that knows somebody answers. */
static enum rc find(struct resolve *r, struct str to, struct candidates *c, struct err *err)
{
	static enum rc (*const places[])(struct resolve * r, struct str text,
		struct candidates * c, struct err * err) = {from_directory, from_contacts};
	struct str text = meant(to);
	enum rc rc = RC_OK;

	*c = (struct candidates){.people = {.n = 0}};
	for (size_t i = 0; i < ARRAY_LEN(places) && rc == RC_OK && !c->people.total; i++)
		rc = places[i](r, text, c, err);
	return rc;
}

static void write_base64(struct wbxml_writer *w, tag_t tag, struct str bytes)
{
	struct buf b;

	buf_init(&b, BUF_MAX_TEXT);
	base64_encode(bytes, &b);
	wbxml_text(w, tag, buf_str(&b));
	buf_release(&b);
}

/* What there is of certificates in the form that was asked for: of the short form one. */
static size_t certificates_of(struct resolve *r, const struct person *p, struct str *mini_r)
{
	size_t n = certs_call(r->sv->certs, usable, p->certificates, p->ncertificates);

	*mini_r = STR_NONE;
	if (r->retrieval != RETRIEVE_MINI || n == 0)
		return n;
	*mini_r = certs_call(r->sv->certs, mini, p->certificates[0], r->rq->arena);
	return mini_r->n ? 1 : 0;
}

/* [MS-ASCMD] 2.2.3.101: nobody gets a part of his certificates. */
static void write_certificates(
	struct resolve *r, const struct person *p, struct wbxml_writer *w)
{
	struct str mini;
	size_t n = certificates_of(r, p, &mini);
	bool fits = n <= r->certificates_max - r->certificates;

	wbxml_open(w, RESOLVERECIPIENTS_CERTIFICATES);
	wbxml_int(w, RESOLVERECIPIENTS_STATUS,
		n == 0 ? CERTIFICATES_NONE
		: fits ? CERTIFICATES_GIVEN
		       : CERTIFICATES_LIMIT);
	wbxml_int(w, RESOLVERECIPIENTS_CERTIFICATE_COUNT, (int64_t)n);
	wbxml_int(w, RESOLVERECIPIENTS_RECIPIENT_COUNT, 1);
	if (fits)
		r->certificates += (uint32_t)n;
	for (size_t i = 0; i < n && fits && !mini.n; i++)
		write_base64(w, RESOLVERECIPIENTS_CERTIFICATE, p->certificates[i]);
	if (fits && mini.n)
		write_base64(w, RESOLVERECIPIENTS_MINI_CERTIFICATE, mini);
	wbxml_close(w, RESOLVERECIPIENTS_CERTIFICATES);
}

static void write_picture(struct resolve *r, const struct person *p, struct wbxml_writer *w)
{
	struct str jpeg;

	wbxml_open(w, RESOLVERECIPIENTS_PICTURE);
	wbxml_int(w, RESOLVERECIPIENTS_STATUS,
		photo_fit(&r->photos, p->picture, &r->pictures, r->rq->arena, &jpeg));
	if (jpeg.n)
		write_base64(w, RESOLVERECIPIENTS_DATA, jpeg);
	wbxml_close(w, RESOLVERECIPIENTS_PICTURE);
}

/* sure: nobody else can be meant. Times of somebody who is only suggested are not told
 * ([MS-ASCMD] 2.2.3.16), his certificates are. */
static void write_recipient(struct resolve *r, enum recipient_type type, const struct person *p,
	bool sure, struct wbxml_writer *w)
{
	wbxml_open(w, RESOLVERECIPIENTS_RECIPIENT);
	wbxml_int(w, RESOLVERECIPIENTS_TYPE, type);
	wbxml_text(w, RESOLVERECIPIENTS_DISPLAY_NAME, p->display_name);
	wbxml_text(w, RESOLVERECIPIENTS_EMAIL_ADDRESS, p->email);
	/* There is no calendar to look into. */
	if (sure && r->availability) {
		wbxml_open(w, RESOLVERECIPIENTS_AVAILABILITY);
		wbxml_int(w, RESOLVERECIPIENTS_STATUS, STATUS_AVAILABILITY_FAILURE);
		wbxml_close(w, RESOLVERECIPIENTS_AVAILABILITY);
	}
	if (r->retrieval != RETRIEVE_NONE)
		write_certificates(r, p, w);
	if (r->photos.wanted)
		write_picture(r, p, w);
	wbxml_close(w, RESOLVERECIPIENTS_RECIPIENT);
}

static void write_response(
	struct resolve *r, struct str to, const struct candidates *c, struct wbxml_writer *w)
{
	const struct people *people = &c->people;
	bool sure = people->total == 1 && !c->cut;
	size_t n = sure || people->n < r->ambiguous_max ? people->n : r->ambiguous_max;

	wbxml_open(w, RESOLVERECIPIENTS_RESPONSE);
	wbxml_text(w, RESOLVERECIPIENTS_TO, to);
	wbxml_int(w, RESOLVERECIPIENTS_STATUS,
		people->total == 0            ? RESPONSE_UNKNOWN
		: sure                        ? RESPONSE_RESOLVED
		: n < people->total || c->cut ? RESPONSE_AMBIGUOUS_CUT
					      : RESPONSE_AMBIGUOUS);
	if (people->total)
		wbxml_int(w, RESOLVERECIPIENTS_RECIPIENT_COUNT, (int64_t)people->total);
	r->pictures = 0;
	for (size_t i = 0; i < n; i++)
		write_recipient(r, c->type, &people->v[i], sure, w);
	wbxml_close(w, RESOLVERECIPIENTS_RESPONSE);
}

static enum rc only_status(struct reply *rp, unsigned status)
{
	struct wbxml_writer *w = reply_wbxml(rp);

	wbxml_open(w, RESOLVERECIPIENTS_RESOLVE_RECIPIENTS);
	wbxml_int(w, RESOLVERECIPIENTS_STATUS, status);
	wbxml_close(w, RESOLVERECIPIENTS_RESOLVE_RECIPIENTS);
	rp->status = status;
	return RC_OK;
}

static enum rc resolve_all(struct resolve *r, struct reply *rp)
{
	struct request *rq = r->rq;
	struct wbxml_writer *w = reply_wbxml(rp);

	wbxml_open(w, RESOLVERECIPIENTS_RESOLVE_RECIPIENTS);
	wbxml_int(w, RESOLVERECIPIENTS_STATUS, RESOLVE_OK);
	for (const struct elem *to = elem_child(rq->doc, RESOLVERECIPIENTS_TO); to;
		to = elem_again(to)) {
		struct arena_mark mark = arena_mark(rq->arena);
		struct candidates c;
		struct err why = ERR_INIT;

		if (find(r, to->text, &c, &why)) {
			log_warning("recipients were not resolved: %s", why.text);
			return only_status(rp, RESOLVE_SERVER_ERROR);
		}
		write_response(r, to->text, &c, w);
		arena_rewind(rq->arena, mark);
	}
	wbxml_close(w, RESOLVERECIPIENTS_RESOLVE_RECIPIENTS);
	rp->status = RESOLVE_OK;
	return RC_OK;
}

/* [MS-ASCMD] 2.2.1.15: a Response for each To, in their order. */
enum rc cmd_resolve_recipients(
	struct request *rq, struct services *sv, struct reply *rp, struct err *err UNUSED)
{
	struct resolve r = {.rq = rq, .sv = sv};
	enum rc rc;

	if (!request_is_sound(rq) || !read_options(&r))
		return only_status(rp, RESOLVE_INVALID);
	rc = resolve_all(&r, rp);
	own_contacts_release(&r.own);
	return rc;
}
