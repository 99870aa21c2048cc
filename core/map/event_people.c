/* Who calls a meeting, and who comes: ORGANIZER and ATTENDEE. */
#include "core/base/clock.h"
#include "core/map/event_parts.h"

static bool is_address(struct str email)
{
	bool at = false;

	for (size_t i = 0; email.p && i < email.n; i++) {
		if ((unsigned char)email.p[i] <= ' ' || email.p[i] == '\x7f')
			return false;
		at = at || email.p[i] == '@';
	}
	return at;
}

/* What a device is shown, and what counts of what it sends: the same, or an echo would be a
 * change. STR_NONE: it is no address. */
static struct str mail_address(struct str text, struct arena *a)
{
	struct str email = event_clean(text, a);

	while (str_istarts(email, "mailto:"))
		email = str_trim(str_sub(email, 7, email.n));
	return is_address(email) ? email : STR_NONE;
}

/* "mailto:" is the only scheme that devices can do something with; STR_NONE: another. */
static struct str address_of(const struct ical_line *l, struct arena *a)
{
	struct str v = str_trim(l->value);

	if (str_istarts(v, "mailto:"))
		return mail_address(v, a);
	/* Apple and others write principals of theirs, with the address beside it. */
	return mail_address(ical_param(l, "EMAIL", a), a);
}

static struct str name_of(const struct ical_line *l, struct str email, struct arena *a)
{
	struct str cn = event_clean(ical_param(l, "CN", a), a);

	return cn.n ? cn : email;
}

static const struct {
	const char *partstat;
	int status, response;
} statuses[] = {
	{"NEEDS-ACTION", 5, 5},
	{"TENTATIVE",    2, 2},
	{"ACCEPTED",     3, 3},
	{"DECLINED",     4, 4},
};

/* RFC 5545 3.2.12: NEEDS-ACTION where it is not said; 0: something that we do not know. */
static int status_of(const struct ical_line *l, struct arena *a)
{
	struct str v = ical_param(l, "PARTSTAT", a);

	if (!v.n)
		return 5;
	for (size_t i = 0; i < ARRAY_LEN(statuses); i++)
		if (str_iis(v, statuses[i].partstat))
			return statuses[i].status;
	return 0;
}

static int type_of(const struct ical_line *l, struct arena *a)
{
	struct str kind = ical_param(l, "CUTYPE", a), role = ical_param(l, "ROLE", a);

	if (str_iis(kind, "RESOURCE") || str_iis(kind, "ROOM"))
		return 3;
	return str_iis(role, "OPT-PARTICIPANT") || str_iis(role, "NON-PARTICIPANT") ? 2 : 1;
}

static bool is_asked(const struct ical_line *l, struct arena *a)
{
	return str_iis(ical_param(l, "RSVP", a), "TRUE");
}

static struct event_person *find_person(struct event_person *v, size_t n, struct str email)
{
	for (size_t i = 0; i < n; i++)
		if (str_ieq(v[i].email, email))
			return &v[i];
	return NULL;
}

static bool is_user(const struct event *e, struct str email)
{
	return e->o && e->o->user.n && str_ieq(e->o->user, email);
}

static void get_attendees(
	const struct event *e, const struct ical_part *p, struct event_look *r)
{
	size_t max = 0, looked = 0;

	for (struct ical_line *l = ical_find(p, NULL, "ATTENDEE");
		l && max < EVENT_ATTENDEES_MAX; l = ical_find(p, l, "ATTENDEE"))
		max++;
	r->attendees = ARENA_ARRAY(e->a, struct event_person, max + 1);
	for (struct ical_line *l = ical_find(p, NULL, "ATTENDEE"); l && looked < max;
		l = ical_find(p, l, "ATTENDEE"), looked++) {
		struct str email = address_of(l, e->a);

		if (!email.p || find_person(r->attendees, r->nattendees, email))
			continue;
		r->attendees[r->nattendees++] = (struct event_person){.email = email,
			.name = name_of(l, email, e->a),
			.status = status_of(l, e->a),
			.type = type_of(l, e->a),
			.rsvp = is_asked(l, e->a)};
	}
}

void event_people_get(const struct event *e, const struct ical_part *p, struct event_look *r)
{
	const struct ical_line *l = ical_find(p, NULL, "ORGANIZER");
	const struct event_person *own;

	get_attendees(e, p, r);
	r->organizer = (struct event_person){.email = STR_NONE};
	if (l) {
		r->organizer.email = address_of(l, e->a);
		r->organizer.name = name_of(l, r->organizer.email, e->a);
	}
	/* A meeting of which nobody says whose it is, is the user's; one of somebody without an
	 * address is not. */
	r->mine = !l || is_user(e, r->organizer.email);
	l = ical_find(p, NULL, "STATUS");
	r->cancelled = l && str_iis(str_trim(l->value), "CANCELLED");
	own = e->o ? find_person(r->attendees, r->nattendees, e->o->user) : NULL;
	if (!r->mine && own)
		r->asks = own->rsvp;
	for (size_t i = 0; i < r->nattendees && (r->mine || !own); i++)
		r->asks = r->asks || r->attendees[i].rsvp;
}

int event_meeting_status(const struct event_look *l)
{
	/* What another called off is off, whether or not it says who was to come. */
	if (!l->nattendees && (l->mine || !l->cancelled))
		return 0;
	return (l->mine ? 1 : 3) + (l->cancelled ? 4 : 0);
}

int event_response_type(const struct event *e, const struct ical_part *p,
	const struct event_look *l, struct str *at_r)
{
	const struct event_person *own;
	const struct ical_line *reply;
	int64_t t;

	*at_r = STR_NONE;
	if (!l->nattendees)
		return 0;
	if (l->mine)
		return 1;
	own = e->o ? find_person(l->attendees, l->nattendees, e->o->user) : NULL;
	if (!own || own->status < 2 || own->status > 4)
		return 5;
	reply = ical_find(p, NULL, "X-MICROSOFT-CDO-REPLYTIME");
	if (reply && clock_parse(reply->value, &t) == RC_OK)
		*at_r = clock_compact(e->a, t);
	return own->status;
}

static enum rc read_attendee(
	const struct elem *x, enum eas_version v, struct arena *a, struct event_person *r)
{
	struct str email = mail_address(elem_text(x, CALENDAR_EMAIL), a);
	struct str name = event_clean(elem_text(x, CALENDAR_NAME), a);

	*r = (struct event_person){.email = email, .name = name.n ? name : email};
	r->status = r->type = -1;
	if (v >= V120) {
		r->status = (int)elem_u32(x, CALENDAR_ATTENDEE_STATUS, UINT32_MAX);
		r->type = (int)elem_u32(x, CALENDAR_ATTENDEE_TYPE, UINT32_MAX);
	}
	/* 0: the device does not know. */
	if (r->status < 2 || r->status > 5)
		r->status = -1;
	if (r->type < 1 || r->type > 3)
		r->type = -1;
	/* Outlook lists people without an address: there is nothing to hold of them. */
	return email.p ? RC_OK : RC_ABSENT;
}

static enum rc read_attendees(const struct elem *list, enum eas_version v, struct arena *a,
	struct event_look *r, struct err *err)
{
	size_t max = elem_count(list, CALENDAR_ATTENDEE);

	if (max > EVENT_ATTENDEES_MAX)
		return err_set(err, RC_INVALID, "more than %d attendees", EVENT_ATTENDEES_MAX);
	r->attendees = ARENA_ARRAY(a, struct event_person, max + 1);
	r->nattendees = 0;
	for (const struct elem *x = elem_child(list, CALENDAR_ATTENDEE); x; x = elem_again(x)) {
		struct event_person one;

		if (read_attendee(x, v, a, &one) == RC_OK &&
			!find_person(r->attendees, r->nattendees, one.email))
			r->attendees[r->nattendees++] = one;
	}
	return RC_OK;
}

/* clients.md: Android names the user as organizer of what is no meeting, iOS nobody of what is
 * one. */
static void read_organizer(const struct elem *data, struct arena *a, struct event_look *r)
{
	struct str email = mail_address(elem_text(data, CALENDAR_ORGANIZER_EMAIL), a);
	struct str name = event_clean(elem_text(data, CALENDAR_ORGANIZER_NAME), a);

	/* B20844, K23: it stays who it is. */
	if (r->organizer.email.p || !email.p)
		return;
	r->organizer.email = email;
	r->organizer.name = name.n ? name : email;
}

enum rc event_people_read(const struct elem *data, const struct event_patch *p, bool instance,
	struct arena *a, struct event_look *r, struct err *err)
{
	const struct elem *list = elem_child(data, CALENDAR_ATTENDEES);
	uint32_t status = elem_u32(data, CALENDAR_MEETING_STATUS, UINT32_MAX);
	enum rc rc = RC_OK;

	/* Of another's meeting a device that names nobody takes nobody away. */
	if (!instance && !r->mine && !elem_has(list, CALENDAR_ATTENDEE))
		;
	else if (list && (!instance || p->version >= V140))
		rc = read_attendees(list, p->version, a, r, err);
	else if (!instance && !ghosted(p->ghosts, CALENDAR_ATTENDEES))
		r->nattendees = 0;
	if (!instance)
		read_organizer(data, a, r);
	if (status <= 15) {
		r->cancelled = (status & 4) != 0;
		/* clients.md: Outlook adds what it was invited to, and says not by whom. */
		if (!instance && !r->organizer.email.n && r->mine)
			r->mine = (status & 2) == 0;
	}
	if (p->version >= V140)
		r->asks = elem_bool(data, CALENDAR_RESPONSE_REQUESTED, r->asks);
	return rc;
}

static bool same_person(const struct event_person *shown, const struct event_person *wanted)
{
	return str_eq(shown->name, wanted->name) &&
	       (wanted->status < 0 || wanted->status == shown->status) &&
	       (wanted->type < 0 || wanted->type == shown->type);
}

bool event_people_same(const struct event_look *shown, const struct event_look *wanted)
{
	if (shown->nattendees != wanted->nattendees)
		return false;
	for (size_t i = 0; i < wanted->nattendees; i++) {
		const struct event_person *o = find_person(
			shown->attendees, shown->nattendees, wanted->attendees[i].email);

		if (!o || !same_person(o, &wanted->attendees[i]))
			return false;
	}
	return true;
}

static void set_status(struct event *e, struct ical_line *l, int status)
{
	for (size_t i = 0; i < ARRAY_LEN(statuses); i++)
		if (status == statuses[i].status)
			ical_set_param(&e->ical, l, "PARTSTAT", str_of(statuses[i].partstat));
}

static void set_type(struct event *e, struct ical_line *l, int type)
{
	if (type == 3) {
		ical_set_param(&e->ical, l, "CUTYPE", STR("RESOURCE"));
		return;
	}
	if (type_of(l, e->a) == 3)
		ical_set_param(&e->ical, l, "CUTYPE", STR_NONE);
	ical_set_param(&e->ical, l, "ROLE",
		type == 2 ? STR("OPT-PARTICIPANT") : STR("REQ-PARTICIPANT"));
}

/* classes.md 3.1: up to 14.1 the device itself sends the invitations. */
static struct ical_line *new_attendee(
	struct event *e, struct ical_part *p, const struct event_person *w, bool asks)
{
	struct str name = ical_quote(w->name, e->a);
	struct str cn = str_eq(w->name, w->email)
				? (struct str){"", 0}
				: arena_printf(e->a, ";CN=%.*s", STR_FMT(name));

	return ical_add(&e->ical, p,
		arena_printf(e->a, "ATTENDEE%.*s;PARTSTAT=NEEDS-ACTION%s;SCHEDULE-AGENT=CLIENT",
			STR_FMT(cn), asks ? ";RSVP=TRUE" : ""),
		arena_printf(e->a, "mailto:%.*s", STR_FMT(w->email)));
}

static struct ical_line *line_of(const struct event *e, struct ical_part *p, struct str email)
{
	struct ical_line *l = ical_find(p, NULL, "ATTENDEE");

	for (; l; l = ical_find(p, l, "ATTENDEE")) {
		struct str has = address_of(l, e->a);

		if (has.p && str_ieq(has, email))
			return l;
	}
	return NULL;
}

static void remove_attendees(struct event *e, struct ical_part *p,
	const struct event_look *shown, const struct event_look *wanted)
{
	for (size_t i = 0; i < shown->nattendees; i++) {
		struct str email = shown->attendees[i].email;
		struct ical_line *l;

		/* K23: as long as anybody comes, the one who calls the meeting does. */
		if (find_person(wanted->attendees, wanted->nattendees, email) ||
			(wanted->nattendees && str_ieq(email, shown->organizer.email)))
			continue;
		while ((l = line_of(e, p, email)) != NULL)
			ical_remove(&e->ical, l);
	}
}

static void set_attendee(struct event *e, struct ical_part *p, const struct event_look *shown,
	const struct event_person *w, bool asks)
{
	const struct event_person *has =
		find_person(shown->attendees, shown->nattendees, w->email);
	struct ical_line *l = has ? line_of(e, p, w->email) : new_attendee(e, p, w, asks);

	if (has && !str_eq(has->name, w->name))
		ical_set_param(&e->ical, l, "CN",
			str_eq(w->name, has->email) ? STR_NONE : ical_quote(w->name, e->a));
	if (w->status >= 0 && w->status != status_of(l, e->a))
		set_status(e, l, w->status);
	if (w->type >= 0 && w->type != type_of(l, e->a))
		set_type(e, l, w->type);
}

static void set_organizer(struct event *e, struct ical_part *p, const struct event_look *wanted)
{
	struct event_person o = wanted->organizer;
	struct str cn, name;

	if (ical_find(p, NULL, "ORGANIZER") || !wanted->nattendees)
		return;
	/* RFC 6638 3.1: an instance has the organizer of its series, which is a meeting without
	 * one. */
	if (p != e->master && ical_find(e->master, NULL, "ATTENDEE") &&
		!ical_find(e->master, NULL, "ORGANIZER"))
		return;
	if (!o.email.p && wanted->mine && e->o && e->o->user.n)
		o = (struct event_person){.email = e->o->user, .name = e->o->user};
	if (!is_address(o.email))
		return;
	name = ical_quote(o.name, e->a);
	cn = str_eq(o.name, o.email) ? (struct str){"", 0}
				     : arena_printf(e->a, ";CN=%.*s", STR_FMT(name));
	/* RFC 6638 7.1: of another's meeting the answers go by mail too. */
	(void)ical_add(&e->ical, p,
		arena_printf(e->a, "ORGANIZER%.*s%s", STR_FMT(cn),
			is_user(e, o.email) ? "" : ";SCHEDULE-AGENT=CLIENT"),
		arena_printf(e->a, "mailto:%.*s", STR_FMT(o.email)));
}

static void set_asks(struct event *e, struct ical_part *p, const struct event_look *wanted)
{
	for (struct ical_line *l = ical_find(p, NULL, "ATTENDEE"); l;
		l = ical_find(p, l, "ATTENDEE"))
		if (address_of(l, e->a).p && is_asked(l, e->a) != wanted->asks &&
			(wanted->mine || is_user(e, address_of(l, e->a))))
			ical_set_param(
				&e->ical, l, "RSVP", wanted->asks ? STR("TRUE") : STR("FALSE"));
}

void event_people_set(struct event *e, struct ical_part *p, const struct event_look *shown,
	const struct event_look *wanted)
{
	if (!event_people_same(shown, wanted)) {
		remove_attendees(e, p, shown, wanted);
		for (size_t i = 0; i < wanted->nattendees; i++)
			set_attendee(e, p, shown, &wanted->attendees[i], wanted->asks);
		set_organizer(e, p, wanted);
	}
	if (wanted->asks != shown->asks && shown->nattendees && wanted->nattendees)
		set_asks(e, p, wanted);
	if (wanted->nattendees && wanted->cancelled != shown->cancelled)
		ical_put(&e->ical, p, "STATUS",
			wanted->cancelled ? STR("CANCELLED") : STR("CONFIRMED"));
}
