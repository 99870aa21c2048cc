#include "core/map/picture.h"

#include <gdk-pixbuf/gdk-pixbuf.h>
#include <string.h>

/* Sides and qualities that are tried, best first. */
static const struct {
	int side;
	const char *quality;
} tries[] = {
	{720, "85"},
	{480, "85"},
	{480, "70"},
	{320, "80"},
	{320, "60"},
	{200, "70"},
	{128, "60"},
	{96,  "50"},
	{48,  "40"},
};

enum { CHUNK = 64 * 1024 };

const char *picture_type(struct str image)
{
	static const struct {
		struct str magic;
		const char *type;
	} types[] = {
		{{"\xff\xd8\xff", 3},      "image/jpeg"},
		{{"\x89PNG\r\n\x1a\n", 8}, "image/png" },
		{{"GIF8", 4},              "image/gif" },
	};

	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (str_eq(str_sub(image, 0, types[i].magic.n), types[i].magic))
			return types[i].type;
	return NULL;
}

/* The sides of what is not to exceed `side`. */
static void limit_sides(int side, int *width, int *height)
{
	int longer = *width > *height ? *width : *height;

	if (longer <= side)
		return;
	*width = (int)((int64_t)*width * side / longer);
	*height = (int)((int64_t)*height * side / longer);
	*width = *width > 0 ? *width : 1;
	*height = *height > 0 ? *height : 1;
}

struct sizes {
	int side;     /* the longer side is not to exceed it */
	uint64_t max; /* pixels */
	bool huge;
};

/* Before anything is decoded: what is too large stops here, the rest is decoded small where
 * the format can. */
static void size_prepared(GdkPixbufLoader *loader, int width, int height, gpointer p)
{
	struct sizes *s = p;

	s->huge = width <= 0 || height <= 0 || (uint64_t)width * (uint64_t)height > s->max;
	if (s->huge) {
		gdk_pixbuf_loader_set_size(loader, 0, 0);
		return;
	}
	limit_sides(s->side, &width, &height);
	gdk_pixbuf_loader_set_size(loader, width, height);
}

/* Decoded, not larger than `side`, the right way up; NULL: it cannot be. */
static GdkPixbuf *load(struct str image, const char *type, int side, bool *huge_r)
{
	GdkPixbufLoader *loader = gdk_pixbuf_loader_new_with_mime_type(type, NULL);
	bool jpeg = strcmp(type, "image/jpeg") == 0;
	struct sizes sizes = {
		side, jpeg ? PICTURE_PIXELS_MAX : PICTURE_PIXELS_MAX_WHOLE, false};
	GdkPixbuf *got = NULL, *upright;
	bool ok = true;

	*huge_r = false;
	if (!loader)
		return NULL;
	g_signal_connect(loader, "size-prepared", G_CALLBACK(size_prepared), &sizes);
	for (size_t at = 0; at < image.n && ok && !sizes.huge; at += CHUNK) {
		struct str piece = str_sub(image, at, CHUNK);

		ok = gdk_pixbuf_loader_write(loader, (const guchar *)piece.p, piece.n, NULL);
	}
	/* A loader must be closed, whatever came of it. */
	ok = gdk_pixbuf_loader_close(loader, NULL) && ok && !sizes.huge;
	*huge_r = sizes.huge;
	if (ok)
		got = gdk_pixbuf_loader_get_pixbuf(loader);
	/* EXIF orientation, which the JPEG that is written does not have. */
	upright = got ? gdk_pixbuf_apply_embedded_orientation(got) : NULL;
	g_object_unref(loader);
	return upright;
}

/* On white: JPEG knows no transparency. */
static GdkPixbuf *flat(GdkPixbuf *image)
{
	int width = gdk_pixbuf_get_width(image), height = gdk_pixbuf_get_height(image);
	GdkPixbuf *r;

	if (!gdk_pixbuf_get_has_alpha(image))
		return g_object_ref(image);
	r = gdk_pixbuf_new(GDK_COLORSPACE_RGB, FALSE, 8, width, height);
	if (!r)
		return NULL;
	gdk_pixbuf_fill(r, 0xffffffffu);
	gdk_pixbuf_composite(
		image, r, 0, 0, width, height, 0, 0, 1, 1, GDK_INTERP_NEAREST, 255);
	return r;
}

static bool encode(
	GdkPixbuf *image, const char *quality, size_t max, struct arena *a, struct str *jpeg_r)
{
	gchar *p = NULL;
	gsize n = 0;
	bool ok = gdk_pixbuf_save_to_buffer(
			  image, &p, &n, "jpeg", NULL, "quality", quality, NULL) &&
		  n <= max;

	if (ok)
		*jpeg_r = arena_str(a, (struct str){p, n});
	g_free(p);
	return ok;
}

/* As a JPEG, smaller and worse until it fits. */
static bool shrink(GdkPixbuf *image, size_t max, struct arena *a, struct str *jpeg_r)
{
	bool ok = false;

	for (size_t i = 0; i < ARRAY_LEN(tries) && !ok; i++) {
		int width = gdk_pixbuf_get_width(image), height = gdk_pixbuf_get_height(image);
		GdkPixbuf *scaled;

		limit_sides(tries[i].side, &width, &height);
		scaled = gdk_pixbuf_scale_simple(image, width, height, GDK_INTERP_BILINEAR);
		if (!scaled)
			return false;
		ok = encode(scaled, tries[i].quality, max, a, jpeg_r);
		g_object_unref(scaled);
	}
	return ok;
}

enum rc picture_fit(
	struct str image, size_t max, struct arena *a, struct str *jpeg_r, struct err *err)
{
	const char *type = picture_type(image);
	GdkPixbuf *loaded, *plain;
	bool huge, fits;

	if (image.n > PICTURE_BYTES_MAX)
		return err_set(err, RC_LIMIT, "an image of %zu octets", image.n);
	if (type && image.n <= max && strcmp(type, "image/jpeg") == 0) {
		*jpeg_r = image;
		return RC_OK;
	}
	/* Other kinds are not tried: their decoders (SVG, TIFF) are no place for foreign bytes.
	 */
	if (!type)
		return err_set(err, RC_INVALID, "an image of an unknown kind");
	loaded = load(image, type, tries[0].side, &huge);
	if (huge)
		return err_set(err, RC_LIMIT, "an image of too many pixels");
	plain = loaded ? flat(loaded) : NULL;
	if (loaded)
		g_object_unref(loaded);
	if (!plain)
		return err_set(err, RC_INVALID, "this is no image that can be read");
	fits = shrink(plain, max, a, jpeg_r);
	g_object_unref(plain);
	return fits ? RC_OK
		    : err_set(err, RC_LIMIT, "the image does not fit into %zu octets", max);
}
