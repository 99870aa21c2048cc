/*
 * email_parts: what email_plan.c and email_write.c know of a message's parts together. Not for
 * others.
 */
#ifndef EASPOOL_CORE_MAP_EMAIL_PARTS_H
#define EASPOOL_CORE_MAP_EMAIL_PARTS_H

#include "core/map/email.h"

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
	const struct email_plan *plan, const struct email_options *o, uint64_t *size_r);
/* The children of Attachments. server_id: see email_write(). */
void email_write_attachments(const struct email_plan *plan, const struct email_options *o,
	struct str server_id, struct arena *a, struct wbxml_writer *w);

#endif
