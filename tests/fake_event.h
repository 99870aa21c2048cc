/*
 * fake_event: what a CalDAV server in memory (fake_dav.h) has to understand of an iCalendar
 * object.
 */
#ifndef EASPOOL_TESTS_FAKE_EVENT_H
#define EASPOOL_TESTS_FAKE_EVENT_H

#include "core/base/str.h"

/* Whether one of its VEVENTs takes place at `from` or later (RFC 4791 section 9.9). Text that
 * is no iCalendar does not. */
bool fake_event_since(const char *text, int64_t from);
/* Whether this is the UID of one of its VEVENTs, or a part of it, without regard to case. */
bool fake_event_uid_has(const char *text, struct str uid);

#endif
