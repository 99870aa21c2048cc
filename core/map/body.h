/*
 * body: the plain text of an item that is no mail (notes of a contact, a description) ↔ its
 * body in ApplicationData: elements of the class up to 2.5, airsyncbase:Body from 12.0 on;
 * classes.md 8.
 */
#ifndef EASPOOL_CORE_MAP_BODY_H
#define EASPOOL_CORE_MAP_BODY_H

#include "core/map/email.h"

/* The elements of a class at 2.5; size 0: it has none. */
struct body_tags {
	tag_t body, size, truncated, rtf;
};

/*
 * Text with LF or CRLF line ends. K7: it is called truncated only when something is missing. A
 * device that states no BodyPreference gets the whole as plain text: such items cannot be
 * fetched later ([MS-ASCMD] 2.2.3.185).
 */
void body_write(struct str text, const struct email_options *o, const struct body_tags *tags,
	struct arena *a, struct wbxml_writer *w);

/*
 * The text that a device sends, line ends LF; HTML, RTF and MIME converted (K24). False: it
 * says nothing of the body, which stays (K4); also when it says that what it sends is cut, or
 * that cannot be read.
 */
bool body_read(const struct elem *data, const struct body_tags *tags, struct arena *a,
	struct str *text_r);

/* Whether what a device sends is what it was given of the stored text, though that was cut: it
 * has not changed it. Both LF. */
bool body_is_cut_echo(
	struct str stored, struct str sent, const struct email_options *o, struct arena *a);

/* Line ends as CRLF, as LF. */
struct str body_crlf(struct str s, struct arena *a);
struct str body_lf(struct str s, struct arena *a);

#endif
