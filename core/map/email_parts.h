/*
 * email_parts: what email*.c know of a message's parts together, and body.c of limits. Not for
 * others.
 */
#ifndef EASPOOL_CORE_MAP_EMAIL_PARTS_H
#define EASPOOL_CORE_MAP_EMAIL_PARTS_H

#include "core/map/email.h"
#include "core/map/meeting.h"
#include "core/map/tnef.h"

/* RFC 8551: signed, or opaque signed or encrypted. */
bool email_is_smime(const struct mail_part *root);
bool email_part_is_text(const struct mail_part *p, const char *subtype);
/* The parts that are the body; NULL where there is none. */
void email_bodies(const struct mail_part *root, const struct mail_part **plain_r,
	const struct mail_part **html_r);
/* Decoded size, estimated. */
uint32_t email_part_size(const struct mail_part *p);
/* Whether the body is to be cut, and at how many bytes (2.5: characters). */
bool email_limit(
	const struct email_body *body, const struct email_options *o, uint64_t *size_r);
/* The part that an extra request of the plan is for: an invitation, a report, a winmail.dat;
 * NULL: none. */
const struct mail_part *email_extra_part(const struct mail_part *root);
bool email_part_is_tnef(const struct mail_part *p);
/* What the extra part of a plan turned out to be, once it is there. */
struct email_extra {
	const struct mail_part *part; /* NULL: there is none */
	struct str bytes;             /* decoded; a calendar's as UTF-8 */
	enum meeting_kind meeting;
	const struct tnef *tnef; /* NULL: it is none */
};
void email_read_extra(const struct email_plan *plan, struct arena *a, struct email_extra *r);
/* [MS-ASEMAIL] 2.2.2.49 */
const char *email_message_class(
	const struct mail_summary *m, const struct email_extra *x, struct arena *a);

/* The children of Attachments. server_id: see email_write(). */
void email_write_attachments(const struct email_plan *plan, const struct email_options *o,
	const struct email_extra *x, struct str server_id, struct arena *a,
	struct wbxml_writer *w);

#endif
