/*
 * meeting: invitations, cancellations and answers that come by mail (RFC 5546, text/calendar)
 * as MeetingRequest of [MS-ASEMAIL], classes.md 1.3. Any input.
 */
#ifndef EASPOOL_CORE_MAP_MEETING_H
#define EASPOOL_CORE_MAP_MEETING_H

#include "core/base/arena.h"
#include "core/wire/writer.h"

enum meeting_kind {
	MEETING_NONE, /* it is no such thing, or cannot be read */
	MEETING_REQUEST,
	MEETING_CANCELED,
	MEETING_ACCEPTED,
	MEETING_DECLINED,
	MEETING_TENTATIVE,
};

/* What the text is about. method: parameter of Content-Type, STR_NONE when it has none; then
 * what the text itself says counts. */
enum meeting_kind meeting_kind(struct str ics, struct str method);

/*
 * The MeetingRequest element of a request or a cancellation; nothing when the text cannot be
 * read. user: the address whose answer is asked for, may be empty.
 */
void meeting_write(struct str ics, struct str user, enum eas_version v, struct arena *a,
	struct wbxml_writer *w);

/* GlobalObjId of a UID, base64, [MS-ASEMAIL] 2.2.2.37. instance: day of the instance in days
 * since 1970, or 0. */
struct str meeting_global_id(struct str uid, int64_t instance, struct arena *a);

#endif
