#include "core/base/base64.h"
#include "core/base/utf8.h"
#include "core/map/invite_parts.h"

#include <string.h>

enum {
	SUBJECT_MAX = 250,
	WORD_MAX = 45, /* bytes of an encoded word: RFC 2047 allows 75 characters of it all */
	LINE = 76,
};

struct str invite_one_line(struct str s, struct arena *a)
{
	struct str r = arena_str(a, utf8_cut(utf8_cleaned(s, a), SUBJECT_MAX));
	char *p = (char *)(uintptr_t)r.p;

	for (size_t i = 0; i < r.n; i++)
		if ((unsigned char)p[i] < ' ' || p[i] == 127)
			p[i] = ' ';
	return str_trim(r);
}

/* RFC 5322 3.2.3 */
static bool is_dot_atom(struct str s)
{
	bool dot = true;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] <= ' ' || s.p[i] >= 127 || strchr("<>()[],;:\\\"@", s.p[i]) ||
			(dot && s.p[i] == '.'))
			return false;
		dot = s.p[i] == '.';
	}
	return s.n && !dot;
}

/* An address that can stand in a header and in an envelope, and that whoever takes the one from
 * the other understands: quoted names and addresses of hosts are not taken. */
bool invite_is_address(struct str s)
{
	size_t at = str_find(s, '@');

	return s.n < 255 && at < s.n && is_dot_atom(str_sub(s, 0, at)) &&
	       is_dot_atom(str_sub(s, at + 1, s.n));
}

static bool load(const struct invite *in, struct arena *a, struct invite_event *r)
{
	struct str from = in->request.p ? in->request : in->stored;

	return from.p && invite_load(from, a, 0, r);
}

bool invite_about(const struct invite *in, struct arena *a, struct invite_about *r)
{
	struct arena *own = arena_new();
	struct invite_event e;
	bool ok = load(in, own, &e);

	*r = (struct invite_about){0};
	if (ok) {
		const struct invite_part *first = invite_first(&e);
		icalcomponent *c = first->c;
		int sequence = icalcomponent_get_sequence(c);
		const char *subject = icalcomponent_get_summary(c);

		r->uid = arena_str(a, str_of(icalcomponent_get_uid(c)));
		r->sequence = sequence > 0 ? (unsigned)sequence : 0;
		if (first->exception)
			r->occurrence = arena_str(a, first->id);
		r->subject = invite_one_line(str_of(subject ? subject : ""), a);
		r->organizer = arena_str(a, invite_organizer(&e, own));
	}
	arena_free(own);
	return ok;
}

static void clone_into(icalcomponent *from, icalcomponent *to, icalproperty_kind kind)
{
	icalproperty *p = invite_property(from, kind);

	if (p)
		icalcomponent_add_property(to, icalproperty_new_clone(p));
}

static void add_attendee(
	icalcomponent *from, icalcomponent *to, const struct invite *in, struct arena *a)
{
	static const icalparameter_partstat answers[] = {
		[INVITE_ACCEPT] = ICAL_PARTSTAT_ACCEPTED,
		[INVITE_TENTATIVE] = ICAL_PARTSTAT_TENTATIVE,
		[INVITE_DECLINE] = ICAL_PARTSTAT_DECLINED,
	};
	icalproperty *p = invite_attendee(from, in->user, a);

	p = p ? icalproperty_new_clone(p)
	      : icalproperty_new_attendee(arena_printf(a, "mailto:%.*s", STR_FMT(in->user)).p);
	icalproperty_remove_parameter_by_kind(p, ICAL_RSVP_PARAMETER);
	icalproperty_remove_parameter_by_kind(p, ICAL_PARTSTAT_PARAMETER);
	icalproperty_remove_parameter_by_kind(p, ICAL_SCHEDULEAGENT_PARAMETER);
	icalproperty_add_parameter(p, icalparameter_new_partstat(answers[in->answer]));
	icalcomponent_add_property(to, p);
}

static icalcomponent *reply_event(
	const struct invite_event *e, const struct invite_part *part, const struct invite *in)
{
	static const icalproperty_kind kept[] = {ICAL_UID_PROPERTY, ICAL_SEQUENCE_PROPERTY,
		ICAL_ORGANIZER_PROPERTY, ICAL_SUMMARY_PROPERTY};
	icalcomponent *r = icalcomponent_new_vevent();
	struct invite_part occurrence;
	struct icaltimetype t;
	icalproperty *p;

	for (size_t i = 0; i < ARRAY_LEN(kept); i++)
		clone_into(part->c, r, kept[i]);
	p = invite_property(r, ICAL_ORGANIZER_PROPERTY);
	if (p)
		icalproperty_remove_parameter_by_kind(p, ICAL_SCHEDULEAGENT_PARAMETER);
	icalcomponent_add_property(
		r, icalproperty_new_dtstamp(icaltime_from_timet_with_zone(
			   (time_t)in->now, 0, icaltimezone_get_utc_timezone())));
	if (part->exception || !in->has_instance) {
		clone_into(part->c, r, ICAL_DTSTART_PROPERTY);
		clone_into(part->c, r, ICAL_DTEND_PROPERTY);
		clone_into(part->c, r, ICAL_RECURRENCEID_PROPERTY);
	} else {
		icalproperty *start = invite_property(part->c, ICAL_DTSTART_PROPERTY);
		icalparameter *zone =
			start ? icalproperty_get_first_parameter(start, ICAL_TZID_PARAMETER)
			      : NULL;

		invite_occurrence(part, in->instance, &occurrence, &t);
		p = icalproperty_new_recurrenceid(t);
		if (zone)
			icalproperty_add_parameter(p, icalparameter_new_clone(zone));
		icalcomponent_add_property(r, p);
	}
	add_attendee(part->c, r, in, e->a);
	return r;
}

/* The series, or each occurrence that the invitation is for. */
static struct str reply_calendar(
	const struct invite_event *e, const struct invite *in, struct arena *a)
{
	struct invite_event r = {.calendar = icalcomponent_new_vcalendar(), .a = e->a};
	const struct invite_part *m = invite_master(e);
	struct str text;

	icalcomponent_add_property(r.calendar, icalproperty_new_version("2.0"));
	icalcomponent_add_property(r.calendar, icalproperty_new_prodid("-//easpool//EN"));
	icalcomponent_add_property(r.calendar, icalproperty_new_method(ICAL_METHOD_REPLY));
	invite_add_zones(&r, e);
	for (size_t i = 0; i < e->n; i++)
		if (!m || m == &e->v[i])
			icalcomponent_add_component(r.calendar, reply_event(e, &e->v[i], in));
	text = invite_text(&r, a);
	icalcomponent_free(r.calendar);
	return text;
}

bool invite_is_plain(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < ' ' || s.p[i] >= 127)
			return false;
	return s.n < LINE - 20 && str_search(s, STR("=?")) == s.n;
}

void invite_add_words(struct buf *b, struct str s)
{
	if (invite_is_plain(s)) {
		buf_add_str(b, s);
		return;
	}
	while (s.n) {
		struct str word = utf8_cut(s, WORD_MAX);

		buf_adds(b, "=?utf-8?B?");
		base64_encode(word, b);
		buf_adds(b, "?=");
		s = str_sub(s, word.n, s.n);
		if (s.n)
			buf_adds(b, "\r\n ");
	}
}

void invite_add_base64(struct buf *b, struct str text, size_t max)
{
	struct buf coded;

	buf_init(&coded, max);
	base64_encode(text, &coded);
	b->over = b->over || coded.over;
	for (struct str rest = buf_str(&coded); rest.n; rest = str_sub(rest, LINE, rest.n))
		buf_addf(b, "%.*s\r\n", STR_FMT(str_sub(rest, 0, LINE)));
	buf_release(&coded);
}

void invite_add_part(
	struct buf *b, struct str boundary, const char *type, struct str text, size_t max)
{
	buf_addf(b, "--%.*s\r\nContent-Type: %s\r\nContent-Transfer-Encoding: base64\r\n\r\n",
		STR_FMT(boundary), type);
	invite_add_base64(b, text, max);
}

static struct str write_mail(
	struct str organizer, struct str line, struct str calendar, struct arena *a)
{
	/* Base64 has no such thing in it. */
	struct str boundary = STR("=_answer");
	struct buf b;
	struct str r;

	buf_init(&b, BUF_MAX_TEXT);
	buf_addf(&b, "To: <%.*s>\r\nSubject: ", STR_FMT(organizer));
	invite_add_words(&b, line);
	buf_addf(&b,
		"\r\nMIME-Version: 1.0\r\n"
		"Content-Type: multipart/alternative; boundary=\"%.*s\"\r\n\r\n",
		STR_FMT(boundary));
	invite_add_part(&b, boundary, "text/plain; charset=utf-8", line, BUF_MAX_LINE);
	invite_add_part(&b, boundary, "text/calendar; charset=utf-8; method=REPLY", calendar,
		BUF_MAX_TEXT);
	buf_addf(&b, "--%.*s--\r\n", STR_FMT(boundary));
	r = b.over ? STR_NONE : arena_str(a, buf_str(&b));
	buf_release(&b);
	return r;
}

struct str invite_mail(const struct invite *in, struct arena *a)
{
	static const char *const words[] = {[INVITE_ACCEPT] = "Accepted",
		[INVITE_TENTATIVE] = "Tentative",
		[INVITE_DECLINE] = "Declined"};
	struct arena *own = arena_new();
	struct invite_about about;
	struct invite_event e;
	struct str r = STR_NONE;

	if (invite_about(in, own, &about) && invite_is_address(about.organizer) &&
		load(in, own, &e))
		r = write_mail(about.organizer,
			arena_printf(
				own, "%s: %.*s", words[in->answer], STR_FMT(about.subject)),
			reply_calendar(&e, in, own), a);
	arena_free(own);
	return r;
}
