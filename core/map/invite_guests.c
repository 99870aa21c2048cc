/* Who is invited: what becomes of the stored event when others are. */
#include "core/map/ical.h"
#include "core/map/invite_forward.h"
#include "core/map/invite_parts.h"

#include <stdlib.h>

/* The occurrence that is meant, as a part of its own. */
static enum invite_result find_instance(
	const struct invite_forward *f, struct invite_event *e, struct invite_part **r)
{
	struct invite_part *m = invite_master(e), occurrence;
	struct icaltimetype t;

	if (m && !invite_recurs(m))
		return INVITE_NOT_RECURRING;
	invite_occurrence(invite_first(e), f->instance, &occurrence, &t);
	*r = invite_exception(e, &occurrence);
	if (!*r && m && invite_occurs(m, &occurrence) && !invite_exdate(m->c, &occurrence))
		*r = invite_single_out(e, occurrence, t);
	return *r ? INVITE_DONE : INVITE_NO_INSTANCE;
}

enum invite_result invite_forward_load(const struct invite_forward *f, struct arena *a,
	struct invite_event *e, struct invite_part **only_r)
{
	*only_r = NULL;
	if (!f->stored.p || !invite_load(f->stored, a, 1, e))
		return INVITE_UNREADABLE;
	return f->has_instance ? find_instance(f, e, only_r) : INVITE_DONE;
}

static struct str organizer_of(icalcomponent *c, struct arena *a)
{
	icalproperty *p = invite_property(c, ICAL_ORGANIZER_PROPERTY);

	return p ? invite_address(p, a) : STR_NONE;
}

void invite_people(icalcomponent *c, struct arena *a, struct invite_people *r)
{
	int n = icalcomponent_count_properties(c, ICAL_ATTENDEE_PROPERTY);

	*r = (struct invite_people){ARENA_ARRAY(a, struct str, (size_t)(n > 0 ? n : 0) + 1), 1};
	r->v[0] = organizer_of(c, a);
	for (icalproperty *p = invite_property(c, ICAL_ATTENDEE_PROPERTY); p && n-- > 0;
		p = icalcomponent_get_next_property(c, ICAL_ATTENDEE_PROPERTY))
		r->v[r->n++] = invite_address(p, a);
}

bool invite_knows(const struct invite_people *people, struct str email)
{
	for (size_t i = 0; i < people->n; i++)
		if (str_ieq(people->v[i], email))
			return true;
	return false;
}

static bool is_mine(icalcomponent *c, const struct invite_forward *f, struct arena *a)
{
	struct str organizer = organizer_of(c, a);

	return !organizer.n || str_ieq(organizer, f->user);
}

/* The lines of the stored object, of which all others stay as they are. */
struct stored {
	struct ical lines;
	struct ical_part **parts; /* by place those of the event */
	const struct invite_event *e;
	const struct invite_forward *f;
	bool was_meeting;
};

/* False: lines and event do not go together. */
static bool open_lines(struct stored *s, struct arena *a)
{
	struct str uid = str_of(icalcomponent_get_uid(invite_first(s->e)->c));
	size_t n = 0;

	if (ical_read(s->f->stored, a, &s->lines, NULL))
		return false;
	s->parts = ARENA_ARRAY(a, struct ical_part *, s->e->n);
	for (struct ical_part *p = ical_part_find(s->lines.root, NULL, "VEVENT"); p;
		p = ical_part_find(s->lines.root, p, "VEVENT"))
		if (str_eq(ical_text(ical_find(p, NULL, "UID"), a), uid)) {
			if (n == s->e->n)
				return false;
			s->parts[n++] = p;
		}
	/* One may have been singled out just now. */
	return n + (s->e->room == 0) == s->e->n;
}

/* The user's calendar server is not to invite them, too (RFC 6638 7.1). */
static void add_attendee(struct ical *c, struct ical_part *p, const struct forwardee *to)
{
	struct str name = ical_quote(invite_one_line(to->name, c->a), c->a);

	(void)ical_add(c, p,
		arena_printf(c->a,
			"ATTENDEE%s%.*s;ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=TRUE"
			";SCHEDULE-AGENT=CLIENT",
			name.n ? ";CN=" : "", STR_FMT(name)),
		arena_printf(c->a, "mailto:%.*s", STR_FMT(to->email)));
}

static struct ical_part *lines_of(struct stored *s, size_t at)
{
	struct arena *a = s->lines.a;
	char *text;

	if (s->parts[at])
		return s->parts[at];
	text = icalcomponent_as_ical_string_r(s->e->v[at].c);
	s->parts[at] =
		text ? ical_part_add(&s->lines, s->lines.root, arena_str(a, str_of(text)))
		     : NULL;
	free(text);
	return s->parts[at];
}

/* False: there is no place for them. */
static bool invite_in(struct stored *s, size_t at)
{
	struct ical_part *p = NULL;
	struct invite_people people;

	invite_people(s->e->v[at].c, s->lines.a, &people);
	for (size_t k = 0; k < s->f->n; k++) {
		if (invite_knows(&people, s->f->to[k].email))
			continue;
		p = lines_of(s, at);
		if (!p)
			return false;
		add_attendee(&s->lines, p, &s->f->to[k]);
	}
	if (p && !s->was_meeting && !ical_find(p, NULL, "ORGANIZER"))
		(void)ical_add(&s->lines, p, STR("ORGANIZER"),
			arena_printf(s->lines.a, "mailto:%.*s", STR_FMT(s->f->user)));
	return true;
}

static enum invite_result make_stored(
	const struct invite_forward *f, struct arena *own, struct arena *a, struct str *r)
{
	struct invite_event e;
	struct invite_part *only;
	enum invite_result result = invite_forward_load(f, own, &e, &only);
	struct stored s = {.e = &e, .f = f};

	if (result || !is_mine(invite_first(&e)->c, f, own) ||
		(!only && f->n * e.n > INVITE_GUESTS_MAX))
		return result;
	s.was_meeting = invite_property(invite_first(&e)->c, ICAL_ORGANIZER_PROPERTY) != NULL;
	if (!open_lines(&s, own))
		return INVITE_UNREADABLE;
	for (size_t i = 0; i < e.n; i++)
		if ((!only || only == &e.v[i]) && !invite_in(&s, i))
			return INVITE_UNREADABLE;
	if (s.lines.changed)
		*r = arena_str(a, ical_write(&s.lines));
	return INVITE_DONE;
}

enum invite_result invite_forward_stored(
	const struct invite_forward *f, struct arena *a, struct str *ics_r)
{
	struct arena *own = arena_new();
	enum invite_result r;

	*ics_r = f->stored;
	r = make_stored(f, own, a, ics_r);
	arena_free(own);
	return r;
}
