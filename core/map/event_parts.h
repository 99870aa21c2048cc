/*
 * event_parts: what event*.c know of an event together. Not for others.
 *
 * A look is what a device is told of an event, or of one instance of a series. Writing shows
 * the look of a VEVENT; applying reads the look that the device wants, and changes in the
 * VEVENT what differs.
 */
#ifndef EASPOOL_CORE_MAP_EVENT_PARTS_H
#define EASPOOL_CORE_MAP_EVENT_PARTS_H

#include "core/map/body.h"
#include "core/map/event.h"
#include "core/map/ical.h"
#include "core/map/recurrence.h"
#include "core/map/timezone.h"

enum {
	EVENT_CATEGORIES_MAX = 300,
	EVENT_ATTENDEES_MAX = 1000,
	EVENT_EXCEPTIONS_READ = 1000,   /* from a device */
	EVENT_EXCEPTIONS_WRITTEN = 256, /* [MS-ASCAL] 2.2.2.19 */
	EVENT_EXCEPTIONS_MAX = 5000,    /* of an object, looked at */
	EVENT_INSTANCES_MAX = 40000,    /* of a series, looked at */
	EVENT_UID_MAX = 300,
	EVENT_DAY = 86400,
};

/* Times: "local" is what a clock on the wall shows, in seconds since 1970 as if it were UTC.
 */
struct event_zone {
	timezone_offset offset; /* NULL: UTC */
	void *ctx;
	struct str tzid; /* STR_NONE: UTC, or no zone at all */
};
int64_t event_local(const struct event_zone *z, int64_t utc);
/* Of a time that there is twice the first; one that is skipped is read with the offset before.
 */
int64_t event_utc(const struct event_zone *z, int64_t local);
struct str event_blob(const struct event_zone *z, int year, struct arena *a);
int event_year(int64_t local);

/* DTSTART, RECURRENCE-ID, a value of EXDATE ... */
struct event_time {
	bool is_date;
	bool is_utc;        /* it ends in Z */
	bool is_floating;   /* neither that, nor a zone that is known */
	struct str unknown; /* the TZID of a floating one; it stays */
	struct event_zone zone;
	int64_t local; /* a date: its midnight */
	int64_t utc;   /* a date: the same as local */
};

struct event {
	struct arena *a;
	struct ical ical;
	struct ical_part *master; /* without RECURRENCE-ID; of an orphan that itself */
	bool orphan;              /* there is only an instance of something */
	struct event_zone home;   /* what dates and floating times are shown by */
	struct event_time start;  /* of the master */
	int64_t length;           /* of the master, seconds */
	bool reformed;            /* times are to be written in another zone than they were */
	bool repeats;             /* it has a rule or more dates */
	bool told;                /* and devices can be told them: */
	struct recurrence rule;   /* until: UTC, of all-day ones the date */
	const struct email_options *o;
	struct event_zones *zones; /* those that were looked for */
};

/* event_read.c. o may be NULL. */
MUST_USE enum rc event_read(struct str ics, const struct email_options *o, struct arena *a,
	struct event *e, struct err *err);
/* Which component is which, and its times, anew. */
MUST_USE enum rc event_place(struct event *e, struct err *err);
/* The next VEVENT that is an instance of the master's. */
struct ical_part *event_next_instance(const struct event *e, const struct ical_part *after);
/* Text as it is compared and stored: clean, LF, without white space around. */
struct str event_clean(struct str text, struct arena *a);

/* The same as one line. */
struct str event_line(struct str text, struct arena *a);

/* event_zone.c. False: the object has no such zone, and neither has the world. */
bool event_zone_named(const struct event *e, struct str tzid, struct event_zone *z);
struct event_zones *event_zones_new(struct arena *a);
/* What a device that is told of a zone understands of it. */
void event_zone_rule(
	const struct event_zone *z, int year, struct arena *a, struct timezone_rule *r);
/* The first VTIMEZONE of the object, else UTC. */
void event_zone_first(const struct event *e, struct event_zone *z);
/* A zone for the rule that a device sent, with its VTIMEZONE in the object; UTC has none. */
void event_zone_add(
	struct event *e, const struct timezone_rule *r, int year, struct event_zone *z);

/* event_times.c */
bool event_time_read(
	const struct event *e, const struct ical_line *l, struct str raw, struct event_time *t);
/* The value of a line, DTSTART say; false: it has none, or one that cannot be read. */
bool event_time_of(const struct event *e, const struct ical_part *p, const char *name,
	struct event_time *t);
/* Seconds between start and end: DTEND, DURATION, or what there is without. */
int64_t event_length(
	const struct event *e, const struct ical_part *p, const struct event_time *start);
struct str event_time_raw(const struct event_time *t, struct arena *a);
/* The parameters that such a value has, with a semicolon in front; empty: none. */
struct str event_time_params(const struct event_time *t, struct arena *a);
/* The time of a line, anew. */
void event_time_put(
	struct event *e, struct ical_part *p, const char *name, const struct event_time *t);
/* Reads what a device sent. False: absent. */
MUST_USE enum rc event_time_sent(
	const struct elem *data, tag_t tag, bool *has_r, int64_t *utc_r, struct err *err);
/* A date of what a device says is the midnight of a day. */
int64_t event_date(const struct event_zone *z, int64_t utc);

/* What is one number, or one of a few. */
enum event_number {
	EVENT_SENSITIVITY,
	EVENT_BUSY,
	EVENT_REMINDER, /* minutes; -1: none */
	EVENT_NO_COUNTER,
	EVENT_NUMBERS,
};
enum event_text {
	EVENT_SUBJECT,
	EVENT_LOCATION,
	EVENT_TEXTS,
};
struct event_number_row {
	tag_t tag;
	enum eas_version since;
	int least, most;
	int absent; /* what it means that there is none */
	int (*get)(const struct event *e, const struct ical_part *p);
	void (*set)(struct event *e, struct ical_part *p, int n);
};
struct event_text_row {
	tag_t tag;
	const char *name;
};
extern const struct event_number_row event_numbers[EVENT_NUMBERS];
extern const struct event_text_row event_texts[EVENT_TEXTS];

/* event_kinds.c */
struct str event_text_get(const struct event *e, const struct ical_part *p, const char *name);
void event_text_set(struct event *e, struct ical_part *p, const char *name, struct str text);
size_t event_categories_get(const struct event *e, const struct ical_part *p, struct str **v_r);
void event_categories_set(struct event *e, struct ical_part *p, const struct str *v, size_t n);
struct str event_body_get(const struct event *e, const struct ical_part *p);
void event_body_set(struct event *e, struct ical_part *p, struct str text);

struct event_person {
	struct str email, name; /* name: never empty */
	int status;             /* AttendeeStatus; -1: not said */
	int type;               /* AttendeeType; -1: not said */
	bool rsvp;
};

struct event_look {
	bool all_day;
	int64_t start, end; /* UTC; all-day: the dates, as if UTC */
	struct str texts[EVENT_TEXTS], body;
	int numbers[EVENT_NUMBERS];
	struct str *categories;
	size_t ncategories;
	struct event_person *attendees;
	size_t nattendees;
	struct event_person organizer; /* email STR_NONE: not known */
	bool mine;                     /* the user is the organizer */
	bool cancelled;
	bool asks; /* ResponseRequested */
};

void event_look_of(const struct event *e, const struct ical_part *p, struct event_look *r);
bool event_categories_same(const struct event_look *x, const struct event_look *y);

/* event_people.c */
void event_people_get(const struct event *e, const struct ical_part *p, struct event_look *r);
int event_meeting_status(const struct event_look *l);
/* at_r: AppointmentReplyTime; STR_NONE: not known. */
int event_response_type(const struct event *e, const struct ical_part *p,
	const struct event_look *l, struct str *at_r);
/* What a device sent; the others stay as `r` has them. */
MUST_USE enum rc event_people_read(const struct elem *data, const struct event_patch *p,
	bool instance, struct arena *a, struct event_look *r, struct err *err);
bool event_people_same(const struct event_look *shown, const struct event_look *wanted);
void event_people_set(struct event *e, struct ical_part *p, const struct event_look *shown,
	const struct event_look *wanted);

/* event_series.c: the instances of a series, by the clock of its zone. */
struct event_series {
	int64_t *local;
	size_t n;
	bool whole; /* no instance up to the limit was left out */
};
/* Up to and with that local time. */
void event_series_of(const struct event *e, int64_t last, struct event_series *r);
/* The instance at that moment, else the one on that day; false: there is none. */
bool event_series_find(const struct event_series *s, int64_t local, int64_t *instance_r);

/* What is sent of an event, or of an instance. */
struct event_wish {
	const struct event_patch *patch;
	const struct elem *data;
	bool is_new;            /* an Add: times that are absent are now */
	bool instance;          /* it is an Exception: what is absent is as in the series */
	struct event_zone zone; /* by which dates are sent */
};

/* event_exceptions.c */
struct event_exception {
	int64_t local;          /* which instance, by the clock of the series */
	struct ical_part *part; /* NULL: an EXDATE */
	bool deleted;
};
/* By time, each instance once. */
size_t event_exceptions(const struct event *e, struct event_exception **v_r);
/* What an instance is told like as long as nothing of it is changed. */
void event_inherit(const struct event *e, const struct event_look *master, int64_t local,
	struct event_look *r);
/* was: what the device was told of the series before. */
MUST_USE enum rc event_exceptions_apply(struct event *e, const struct elem *data,
	const struct event_wish *w, const struct event_look *was, struct err *err);
/* After the start or the rule have changed: e as it was, and its exceptions then. */
void event_exceptions_follow(
	struct event *e, const struct event *old, const struct event_exception *v, size_t n);
/* A single event has none. */
void event_exceptions_drop(struct event *e);

/* event_kinds.c */
extern const struct body_tags event_body_tags;

/* How a time is written that is no date. */
struct event_form {
	bool is_utc, is_floating;
	struct str unknown;
	struct event_zone zone;
};
/* As in this event or instance, else as in the series. */
struct event_form event_form_of(const struct event *e, const struct ical_part *p);
/* The zone that a device is told. */
struct event_zone event_shown_zone(const struct event *e);
/* As a look has it: UTC, or a date. */
struct event_time event_time_in(const struct event_form *f, bool is_date, int64_t t);

/* event_apply.c */
/* base: what it is where the data says nothing. shown: of the event or the instance as it is.
 */
MUST_USE enum rc event_look_read(const struct event *e, const struct event_wish *w,
	const struct event_look *base, const struct event_look *shown, struct event_look *r,
	struct err *err);
bool event_look_same(
	const struct event *e, const struct event_look *shown, const struct event_look *wanted);
/* Changes what differs, and stamps it. */
void event_look_apply(struct event *e, struct ical_part *p, const struct event_form *form,
	const struct event_look *shown, const struct event_look *wanted, int64_t now);
/* all: also what is the same, in another zone. */
void event_times_put(struct event *e, struct ical_part *p, const struct event_form *form,
	const struct event_look *shown, const struct event_look *wanted, bool all);
/* DTSTAMP, LAST-MODIFIED, and SEQUENCE if attendees have to know. */
void event_stamp(struct event *e, struct ical_part *p, int64_t now, bool sequence);

#endif
