#include "core/map/outgoing.h"

#include "core/base/buf.h"
#include "core/base/clock.h"
#include "core/map/header.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define HEADER_MAX     (1024 * 1024)
#define RECIPIENTS_MAX 2000

/* Nine: CRLF lines, and LF LF in front of the body. The header block ends at the first empty
 * line. */
static size_t header_end(struct str s, size_t *body_r)
{
	for (size_t i = 0; i < s.n && i < HEADER_MAX; i++) {
		if (s.p[i] != '\n')
			continue;
		if (i + 1 < s.n && s.p[i + 1] == '\n') {
			*body_r = i + 2;
			return i + 1;
		}
		if (i + 2 < s.n && s.p[i + 1] == '\r' && s.p[i + 2] == '\n') {
			*body_r = i + 3;
			return i + 1;
		}
	}
	*body_r = s.n;
	return s.n;
}

static bool is_field(struct str line, const char *name)
{
	return str_istarts(line, name) && line.n > strlen(name) && line.p[strlen(name)] == ':';
}

struct str outgoing_header(struct str message, size_t *body_r)
{
	return str_sub(message, 0, header_end(message, body_r));
}

/* The header with LF or CRLF as it came, without some fields. */
static void copy_header(struct str head, bool keep_bcc, bool keep_mime, struct buf *out)
{
	bool take = true;

	while (head.n) {
		size_t at = str_find(head, '\n');
		struct str line = str_sub(head, 0, at + 1);

		head = str_sub(head, at + 1, head.n);
		if (line.p[0] != ' ' && line.p[0] != '\t')
			take = !is_field(line, "From") && !is_field(line, "Return-Path") &&
			       (keep_bcc || !is_field(line, "Bcc")) &&
			       (keep_mime || !(str_istarts(line, "Content-") ||
						     is_field(line, "MIME-Version")));
		if (!take)
			continue;
		buf_add_str(out, line);
		if (line.p[line.n - 1] != '\n')
			buf_adds(out, "\r\n");
	}
}

static void add_from(struct str head, struct str address, struct arena *a, struct buf *out)
{
	struct str raw = header_raw(head, "From", a);
	size_t open = str_find(raw, '<');
	struct str name = open < raw.n ? str_trim(str_sub(raw, 0, open)) : STR_NONE;

	buf_adds(out, "From: ");
	if (name.n)
		buf_addf(out, "%.*s <%.*s>\r\n", STR_FMT(name), STR_FMT(address));
	else
		buf_addf(out, "%.*s\r\n", STR_FMT(address));
}

/* RFC 5322 3.3 */
static void add_date(struct buf *out)
{
	static const char days[] = "ThuFriSatSunMonTueWed",
			  months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	int64_t now = clock_now();
	unsigned month, day, rest = (unsigned)(now % 86400);
	int year;

	clock_civil(now / 86400, &year, &month, &day);
	buf_addf(out, "Date: %.3s, %u %.3s %04d %02u:%02u:%02u +0000\r\n",
		days + 3 * (size_t)(now / 86400 % 7), day, months + 3 * ((size_t)month - 1),
		year, rest / 3600, rest / 60 % 60, rest % 60);
}

static void add_message_id(struct str address, struct buf *out)
{
	uint64_t bits[2];
	size_t at = str_find(address, '@');
	struct str domain =
		at < address.n ? str_sub(address, at + 1, address.n) : STR("localhost");

	if (getrandom(bits, sizeof(bits), 0) != sizeof(bits))
		abort();
	buf_addf(out, "Message-ID: <%016llx%016llx@%.*s>\r\n", (unsigned long long)bits[0],
		(unsigned long long)bits[1], STR_FMT(domain));
}

static void add_recipient(struct outgoing *r, const struct address *to)
{
	r->names[r->nrecipients] = to->name;
	r->recipients[r->nrecipients++] = to->addr;
}

static void add_recipients(
	struct str head, const char *field, struct arena *a, struct outgoing *r)
{
	struct addresses list = header_addresses(head, field, a);

	for (size_t i = 0; i < list.n && r->nrecipients < RECIPIENTS_MAX; i++) {
		size_t k = 0;

		while (k < r->nrecipients && !str_ieq(r->recipients[k], list.v[i].addr))
			k++;
		if (k == r->nrecipients && str_find(list.v[i].addr, '@') < list.v[i].addr.n)
			add_recipient(r, &list.v[i]);
	}
}

static struct str build(
	struct str head, const struct outgoing_change *change, bool keep_bcc, struct arena *a)
{
	bool own = !change->entity.p;
	struct buf b;
	struct str r;

	buf_init(&b, 2 * HEADER_MAX + BUF_MAX_LINE);
	add_from(head, change->address, a, &b);
	if (!header_raw(head, "Date", a).n)
		add_date(&b);
	copy_header(head, keep_bcc, own, &b);
	buf_add_str(&b, change->header);
	/* The entity has fields of its own in front. */
	if (own)
		buf_adds(&b, "\r\n");
	r = arena_str(a, buf_str(&b));
	buf_release(&b);
	return r;
}

enum rc outgoing_read(struct str message, const struct outgoing_change *change, struct arena *a,
	struct outgoing *r, struct err *err)
{
	static const char *const fields[] = {"To", "Cc", "Bcc"};
	size_t body, end = header_end(message, &body);
	struct str head = str_sub(message, 0, end), id = {"", 0};
	struct buf b;

	*r = (struct outgoing){.nsent = 0};
	if (str_find(head, ':') == head.n)
		return err_set_why(err, RC_INVALID, ERR_BAD_MIME, "the message has no header");
	r->recipients = ARENA_ARRAY(a, struct str, RECIPIENTS_MAX);
	r->names = ARENA_ARRAY(a, struct str, RECIPIENTS_MAX);
	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		add_recipients(head, fields[i], a, r);
	if (r->nrecipients == 0)
		return err_set_why(
			err, RC_INVALID, ERR_NO_RECIPIENT, "the message has no recipient");
	if (!header_raw(head, "Message-ID", a).n) {
		/* One identity for both copies. */
		buf_init(&b, BUF_MAX_LINE);
		add_message_id(change->address, &b);
		id = arena_str(a, buf_str(&b));
		buf_release(&b);
	}
	r->sent[0] = r->kept[0] = id;
	r->sent[1] = build(head, change, false, a);
	r->kept[1] = build(head, change, true, a);
	r->sent[2] = r->kept[2] =
		change->entity.p ? change->entity : str_sub(message, body, message.n);
	r->nsent = r->nkept = 3;
	return RC_OK;
}
