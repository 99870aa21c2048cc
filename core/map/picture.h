/*
 * picture: an image as a device can take it.
 */
#ifndef EASPOOL_CORE_MAP_PICTURE_H
#define EASPOOL_CORE_MAP_PICTURE_H

#include "core/base/arena.h"
#include "core/base/err.h"

/* Largest image that is looked at, octets and pixels: larger ones are not shown. */
#define PICTURE_BYTES_MAX  (24u * 1024 * 1024)
#define PICTURE_PIXELS_MAX (64u * 1024 * 1024)
/* Of what is no JPEG, and so is in memory as a whole before it is made smaller. */
#define PICTURE_PIXELS_MAX_WHOLE (16u * 1024 * 1024)

/*
 * The image as a JPEG of at most `max` octets, scaled down when it must be; as it is when it is
 * a JPEG that fits. Into the arena. RC_INVALID: it is no JPEG, PNG or GIF that can be read.
 * RC_LIMIT: it is beyond the bounds, or cannot be made small enough.
 */
MUST_USE enum rc picture_fit(
	struct str image, size_t max, struct arena *a, struct str *jpeg_r, struct err *err);

/* image/jpeg, image/png, image/gif by the first bytes; NULL: none of them. */
const char *picture_type(struct str image);

#endif
