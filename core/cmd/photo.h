/*
 * photo: pictures of people in answers, from 14.1 on. [MS-ASCMD] 2.2.3.104, 2.2.3.105,
 * 2.2.3.135: a request says how large one may be and how many may come.
 */
#ifndef EASPOOL_CORE_CMD_PHOTO_H
#define EASPOOL_CORE_CMD_PHOTO_H

#include "core/cmd/request.h"

struct photo_limits {
	bool wanted;
	size_t size;   /* octets of one */
	uint32_t most; /* pictures of one query */
};

/* picture: the Picture element of the request's Options, NULL: no pictures are wanted. The tags
 * are those of its children. */
void photo_read(const struct request *rq, const struct elem *picture, tag_t max_size,
	tag_t max_pictures, struct photo_limits *r);

/*
 * The Status for a person with that picture: STATUS_OK with the JPEG, or one of
 * STATUS_NO_PICTURE, STATUS_PICTURE_TOO_LARGE, STATUS_PICTURE_LIMIT. *given counts those of the
 * query that came.
 */
unsigned photo_fit(const struct photo_limits *l, struct str picture, uint32_t *given,
	struct arena *a, struct str *jpeg_r);

#endif
