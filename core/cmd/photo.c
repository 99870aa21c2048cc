#include "core/cmd/photo.h"

#include "core/cmd/status.h"
#include "core/map/picture.h"

void photo_read(const struct request *rq, const struct elem *picture, tag_t max_size,
	tag_t max_pictures, struct photo_limits *r)
{
	size_t ours = (size_t)rq->conf->picture_max;

	*r = (struct photo_limits){
		.wanted = picture && rq->version >= V141,
		.size = elem_u32(picture, max_size, UINT32_MAX),
		.most = elem_u32(picture, max_pictures, UINT32_MAX),
	};
	if (r->size > ours)
		r->size = ours;
}

unsigned photo_fit(const struct photo_limits *l, struct str picture, uint32_t *given,
	struct arena *a, struct str *jpeg_r)
{
	struct err why = ERR_INIT;
	enum rc rc;

	*jpeg_r = STR_NONE;
	if (!picture.n)
		return STATUS_NO_PICTURE;
	if (*given >= l->most)
		return STATUS_PICTURE_LIMIT;
	rc = picture_fit(picture, l->size, a, jpeg_r, &why);
	if (rc == RC_OK)
		++*given;
	return rc == RC_OK      ? STATUS_OK
	       : rc == RC_LIMIT ? STATUS_PICTURE_TOO_LARGE
				: STATUS_NO_PICTURE;
}
