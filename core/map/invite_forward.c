#include "core/map/invite_forward.h"

#include "core/base/utf8.h"
#include "core/map/invite_parts.h"

enum { PLACE_MAX = 1000, PEOPLE_MAX = 200 };

bool invite_forward_address(struct str email)
{
	return invite_is_address(email);
}

/* A parameter cannot have such a thing in it, RFC 5545 3.2. */
static const char *common_name(struct str name, struct arena *a)
{
	struct str r = arena_str(a, invite_one_line(name, a));
	char *p = (char *)(uintptr_t)r.p;

	for (size_t i = 0; i < r.n; i++)
		if (p[i] == '"')
			p[i] = '\'';
	return arena_cstr(a, r);
}

static void add_forwardee(icalcomponent *c, const struct forwardee *to, struct arena *a)
{
	icalproperty *p =
		icalproperty_new_attendee(arena_printf(a, "mailto:%.*s", STR_FMT(to->email)).p);

	if (to->name.n)
		icalproperty_add_parameter(p, icalparameter_new_cn(common_name(to->name, a)));
	icalproperty_add_parameter(p, icalparameter_new_role(ICAL_ROLE_REQPARTICIPANT));
	icalproperty_add_parameter(p, icalparameter_new_partstat(ICAL_PARTSTAT_NEEDSACTION));
	icalproperty_add_parameter(p, icalparameter_new_rsvp(ICAL_RSVP_TRUE));
	icalcomponent_add_property(c, p);
}

/* A meeting has an organizer: an exception that of the series, else it is the user. */
static void add_organizer(icalcomponent *c, icalproperty *of_series,
	const struct invite_forward *f, struct arena *a)
{
	icalproperty *p = of_series
				  ? icalproperty_new_clone(of_series)
				  : icalproperty_new_organizer(
					    arena_printf(a, "mailto:%.*s", STR_FMT(f->user)).p);

	icalcomponent_add_property(c, p);
}

/* All of it, or one part. */
static void invite_to(
	struct invite_event *e, const struct invite_part *only, const struct invite_forward *f)
{
	icalproperty *organizer = invite_property(invite_first(e)->c, ICAL_ORGANIZER_PROPERTY);

	for (size_t i = 0; i < e->n; i++) {
		icalcomponent *c = e->v[i].c;
		struct invite_people people;

		if (only && only != &e->v[i])
			continue;
		invite_people(c, e->a, &people);
		for (size_t k = 0; k < f->n; k++)
			if (!invite_knows(&people, f->to[k].email))
				add_forwardee(c, &f->to[k], e->a);
		if (!invite_property(c, ICAL_ORGANIZER_PROPERTY))
			add_organizer(c, organizer, f, e->a);
	}
}

/* RFC 6638 7: between a calendar and its server. */
static void drop_scheduling(icalcomponent *c, icalproperty_kind kind)
{
	static const icalparameter_kind kinds[] = {ICAL_SCHEDULEAGENT_PARAMETER,
		ICAL_SCHEDULEFORCESEND_PARAMETER, ICAL_SCHEDULESTATUS_PARAMETER};

	for (icalproperty *p = invite_property(c, kind); p;
		p = icalcomponent_get_next_property(c, kind))
		for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
			icalproperty_remove_parameter_by_kind(p, kinds[i]);
}

/* What the user's programs note for themselves. */
static bool is_own(icalproperty *p)
{
	const char *name;

	if (icalproperty_isa(p) == ICAL_CATEGORIES_PROPERTY)
		return true;
	name = icalproperty_isa(p) == ICAL_X_PROPERTY ? icalproperty_get_x_name(p) : NULL;
	return str_istarts(str_of(name), "X-MOZ-") ||
	       str_iis(str_of(name), "X-MICROSOFT-CDO-BUSYSTATUS") ||
	       str_iis(str_of(name), "X-MICROSOFT-CDO-REPLYTIME");
}

static void drop_own(icalcomponent *c)
{
	icalcomponent *alarm;
	icalproperty *next;

	for (icalproperty *p = invite_property(c, ICAL_ANY_PROPERTY); p; p = next) {
		next = icalcomponent_get_next_property(c, ICAL_ANY_PROPERTY);
		if (!is_own(p))
			continue;
		icalcomponent_remove_property(c, p);
		icalproperty_free(p);
	}
	for (alarm = icalcomponent_get_first_component(c, ICAL_VALARM_COMPONENT); alarm;
		alarm = icalcomponent_get_first_component(c, ICAL_VALARM_COMPONENT)) {
		icalcomponent_remove_component(c, alarm);
		icalcomponent_free(alarm);
	}
	drop_scheduling(c, ICAL_ORGANIZER_PROPERTY);
	drop_scheduling(c, ICAL_ATTENDEE_PROPERTY);
}

static void add_time(struct buf *b, struct icaltimetype t)
{
	buf_addf(b, "%04d-%02d-%02d", t.year, t.month, t.day);
	if (!t.is_date)
		buf_addf(b, " %02d:%02d", t.hour, t.minute);
}

/* By the clock of the event's zone. */
static void add_when(struct buf *b, icalcomponent *c, struct arena *a)
{
	icalproperty *p = invite_property(c, ICAL_DTSTART_PROPERTY);
	icalparameter *zone =
		p ? icalproperty_get_first_parameter(p, ICAL_TZID_PARAMETER) : NULL;
	struct icaltimetype start, end = icalcomponent_get_dtend(c);

	if (!invite_time(c, ICAL_DTSTART_PROPERTY, &start))
		return;
	buf_adds(b, "When: ");
	add_time(b, start);
	/* A day ends where the next one begins. */
	if (end.is_date)
		icaltime_adjust(&end, -1, 0, 0, 0);
	if (!icaltime_is_null_time(end) && end.is_date == start.is_date &&
		icaltime_compare(end, start) > 0) {
		buf_adds(b, " - ");
		add_time(b, end);
	}
	if (zone)
		buf_addf(b, " (%.*s)",
			STR_FMT(invite_one_line(str_of(icalparameter_get_tzid(zone)), a)));
	else if (icaltime_is_utc(start))
		buf_adds(b, " (UTC)");
	buf_adds(b, invite_property(c, ICAL_RRULE_PROPERTY) ? ", and again\r\n" : "\r\n");
}

static void add_where(struct buf *b, icalcomponent *c, struct arena *a)
{
	struct str place = str_of(icalcomponent_get_location(c));

	place = invite_one_line(str_sub(place, 0, PLACE_MAX), a);
	if (place.n)
		buf_addf(b, "Where: %.*s\r\n", STR_FMT(place));
}

static struct str taken(struct buf *b, struct arena *a)
{
	struct str r = b->over ? STR_NONE : arena_str(a, buf_str(b));

	buf_release(b);
	return r;
}

static struct str says_of_itself(icalcomponent *c, struct str subject, struct arena *a)
{
	struct buf b;

	buf_init(&b, BUF_MAX_LINE);
	buf_addf(&b, "%.*s\r\n", STR_FMT(subject));
	add_when(&b, c, a);
	add_where(&b, c, a);
	return taken(&b, a);
}

static void add_crlf(struct buf *b, struct str text)
{
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] == '\n' && (i == 0 || text.p[i - 1] != '\r'))
			buf_addc(b, '\r');
		buf_addc(b, text.p[i]);
	}
}

/* A name before an address, RFC 5322 3.4. */
static void add_phrase(struct buf *b, struct str name)
{
	if (!invite_is_plain(name)) {
		invite_add_words(b, name);
		return;
	}
	buf_addc(b, '"');
	for (size_t i = 0; i < name.n; i++) {
		if (name.p[i] == '"' || name.p[i] == '\\')
			buf_addc(b, '\\');
		buf_addc(b, name.p[i]);
	}
	buf_addc(b, '"');
}

/* A mailbox in a list of them. */
static void add_mailbox(
	struct buf *b, bool first, struct str name, struct str email, struct arena *a)
{
	if (!first)
		buf_adds(b, ",\r\n ");
	name = invite_one_line(name, a);
	if (name.n) {
		add_phrase(b, name);
		buf_addc(b, ' ');
	}
	buf_addf(b, "<%.*s>", STR_FMT(email));
}

static struct str write_mail(const struct invite_forward *f, struct str subject,
	struct str text, struct str calendar, struct arena *a)
{
	/* Base64 has no such thing in it. */
	struct str boundary = STR("=_forward");
	struct buf b, lines;

	buf_init(&b, BUF_MAX_TEXT);
	buf_init(&lines, BUF_MAX_TEXT);
	add_crlf(&lines, text);
	buf_adds(&b, "To: ");
	for (size_t i = 0; i < f->n; i++)
		add_mailbox(&b, i == 0, f->to[i].name, f->to[i].email, a);
	buf_adds(&b, "\r\nSubject: FW: ");
	invite_add_words(&b, subject);
	buf_addf(&b,
		"\r\nMIME-Version: 1.0\r\n"
		"Content-Type: multipart/alternative; boundary=\"%.*s\"\r\n\r\n",
		STR_FMT(boundary));
	invite_add_part(
		&b, boundary, "text/plain; charset=utf-8", buf_str(&lines), BUF_MAX_TEXT);
	invite_add_part(&b, boundary, "text/calendar; charset=utf-8; method=REQUEST", calendar,
		BUF_MAX_TEXT);
	buf_addf(&b, "--%.*s--\r\n", STR_FMT(boundary));
	b.over = b.over || lines.over;
	buf_release(&lines);
	return taken(&b, a);
}

/* Those parts that are forwarded, and nothing of the user's own. */
static void take_out(struct invite_event *e, const struct invite_part *only, int64_t now)
{
	for (size_t i = 0; i < e->n; i++) {
		if (only && only != &e->v[i])
			invite_remove(e, &e->v[i]);
		else
			drop_own(e->v[i].c);
	}
	invite_make_object(e);
	invite_stamp(e, now);
}

static void make_request(struct invite_event *e)
{
	icalcomponent_add_property(e->calendar, icalproperty_new_method(ICAL_METHOD_REQUEST));
}

static enum invite_result make_mail(
	const struct invite_forward *f, struct arena *own, struct arena *a, struct str *r)
{
	struct invite_event e;
	struct invite_part *only;
	enum invite_result result = invite_forward_load(f, own, &e, &only);
	struct str subject, text = f->text;
	icalcomponent *c;

	/* Too large, as it is found to be at the end. */
	if (result || (!only && f->n * e.n > INVITE_GUESTS_MAX))
		return result;
	invite_to(&e, only, f);
	take_out(&e, only, f->now);
	make_request(&e);
	c = invite_first(&e)->c;
	subject = invite_one_line(str_of(icalcomponent_get_summary(c)), own);
	if (!str_trim(text).n)
		text = says_of_itself(c, subject, own);
	*r = write_mail(f, subject, text, invite_text(&e, own), a);
	return INVITE_DONE;
}

enum invite_result invite_forward_mail(
	const struct invite_forward *f, struct arena *a, struct str *mail_r)
{
	struct arena *own = arena_new();
	enum invite_result r;

	*mail_r = STR_NONE;
	r = make_mail(f, own, a, mail_r);
	arena_free(own);
	return r;
}

static struct str name_of(icalproperty *p)
{
	icalparameter *cn = icalproperty_get_first_parameter(p, ICAL_CN_PARAMETER);

	return cn ? str_of(icalparameter_get_cn(cn)) : STR_NONE;
}

/* Those of a kind as a header field, in so far as they have addresses. */
static void add_people(struct buf *b, const char *field, icalcomponent *c,
	icalproperty_kind kind, struct arena *a)
{
	size_t n = 0;

	for (icalproperty *p = invite_property(c, kind); p && n < PEOPLE_MAX;
		p = icalcomponent_get_next_property(c, kind)) {
		struct str email = invite_address(p, a);

		if (!invite_is_address(email))
			continue;
		if (n == 0)
			buf_addf(b, "%s: ", field);
		add_mailbox(b, n++ == 0, name_of(p), email, a);
	}
	if (n)
		buf_adds(b, "\r\n");
}

static struct str quoted_header(icalcomponent *c, struct arena *a)
{
	struct buf b;

	buf_init(&b, BUF_MAX_TEXT);
	add_people(&b, "From", c, ICAL_ORGANIZER_PROPERTY, a);
	add_people(&b, "To", c, ICAL_ATTENDEE_PROPERTY, a);
	buf_adds(&b, "Subject: ");
	invite_add_words(&b, invite_one_line(str_of(icalcomponent_get_summary(c)), a));
	buf_adds(&b, "\r\n");
	return taken(&b, a);
}

static struct str quoted_text(icalcomponent *c, struct arena *a)
{
	struct str notes = utf8_cleaned(str_of(icalcomponent_get_description(c)), a);
	struct buf b;

	buf_init(&b, BUF_MAX_TEXT);
	add_when(&b, c, a);
	add_where(&b, c, a);
	if (notes.n) {
		buf_adds(&b, "\r\n");
		add_crlf(&b, notes);
		buf_adds(&b, "\r\n");
	}
	return taken(&b, a);
}

static struct str in_base64(struct str text, struct arena *a)
{
	struct buf b;

	buf_init(&b, BUF_MAX_TEXT);
	invite_add_base64(&b, text, BUF_MAX_TEXT);
	return taken(&b, a);
}

static enum invite_result make_quote(const struct invite_forward *f, struct arena *own,
	struct arena *a, struct invite_quote *r)
{
	struct invite_event e;
	struct invite_part *only;
	enum invite_result result = invite_forward_load(f, own, &e, &only);
	struct icaltimetype stamp;
	icalcomponent *c;
	bool is_meeting;

	if (result)
		return result;
	take_out(&e, only, f->now);
	c = invite_first(&e)->c;
	r->header = quoted_header(c, a);
	r->text = quoted_text(c, a);
	r->stamp = invite_time(c, ICAL_DTSTAMP_PROPERTY, &stamp) ? invite_unix(stamp) : f->now;
	is_meeting = invite_property(c, ICAL_ORGANIZER_PROPERTY) != NULL;
	if (is_meeting)
		make_request(&e);
	r->fields = arena_printf(a,
		"Content-Type: text/calendar; charset=utf-8%s\r\n"
		"Content-Disposition: attachment; filename=\"invite.ics\"\r\n"
		"Content-Transfer-Encoding: base64\r\n",
		is_meeting ? "; method=REQUEST" : "");
	r->part = in_base64(invite_text(&e, own), a);
	return INVITE_DONE;
}

enum invite_result invite_quote(
	const struct invite_forward *f, struct arena *a, struct invite_quote *r)
{
	struct arena *own = arena_new();
	enum invite_result result;

	*r = (struct invite_quote){.header = STR_NONE};
	result = make_quote(f, own, a, r);
	arena_free(own);
	return result;
}
