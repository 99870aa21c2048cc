/* PHOTO ↔ Picture. What the device is shown is made small enough for it; the card keeps the
 * picture that it has for as long as the device does not send another one. */
#include "core/base/base64.h"
#include "core/map/contact_parts.h"
#include "core/map/picture.h"

/* [MS-ASCNTC] 2.2.2.58: 48 KB of base64 are 36 KB of image. */
enum { IMAGE_MAX = CONTACT_PICTURE_MAX / 4 * 3 };

static struct str without_space(struct str s, struct arena *a)
{
	char *p = arena_alloc(a, s.n ? s.n : 1);
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] != ' ' && s.p[i] != '\t' && s.p[i] != '\r' && s.p[i] != '\n')
			p[n++] = s.p[i];
	return (struct str){p, n};
}

/* The base64 text of a picture inside the card; STR_NONE: it is elsewhere, and not fetched. */
static struct str inline_text(const struct contact *c, const struct vcard_line *l)
{
	static const struct str mark = {";base64", 7};
	struct str s = l->value;
	size_t at;

	if (str_istarts(s, "data:")) {
		at = str_isearch(str_sub(s, 0, 128), mark);
		s = str_sub(s, at + mark.n, s.n);
		at = str_find(str_sub(s, 0, 128), ',');
		/* Some escape the comma. */
		return at < s.n && s.p[at] == ',' ? str_sub(s, at + 1, s.n) : STR_NONE;
	}
	if (str_search(str_sub(s, 0, 64), STR("://")) < (s.n < 64 ? s.n : 64) ||
		str_iis(vcard_param(l, "VALUE", c->a), "uri"))
		return STR_NONE;
	return s;
}

/* STR_NONE: there is none in the card, or none that can be read. */
static struct str stored(const struct contact *c)
{
	const struct vcard_line *l = c->line[SLOT_PHOTO];
	struct str text = l ? inline_text(c, l) : STR_NONE, bytes;

	if (!text.n || text.n > PICTURE_BYTES_MAX / 3 * 4 + 4 ||
		base64_decode(without_space(text, c->a), c->a, &bytes))
		return STR_NONE;
	return bytes;
}

struct str contact_picture(const struct contact *c)
{
	struct str bytes = stored(c), jpeg;

	if (!bytes.n || picture_fit(bytes, IMAGE_MAX, c->a, &jpeg, NULL))
		return STR_NONE;
	return jpeg;
}

/* In place of the line that is there. */
static void replace(struct contact *c, const char *params, struct str raw)
{
	struct vcard_line *old = c->line[SLOT_PHOTO];
	struct str head = STR("PHOTO");

	if (old && old->group.n)
		head = arena_printf(c->a, "%.*s.PHOTO", STR_FMT(old->group));
	head = arena_printf(c->a, "%.*s%s", STR_FMT(head), params);
	c->line[SLOT_PHOTO] = vcard_add(&c->card, old, head, raw);
	if (old)
		vcard_remove(&c->card, old);
}

static void store(struct contact *c, struct str base64, const char *type)
{
	static const struct {
		const char *type, *params30, *params21;
	} kinds[] = {
		{"image/jpeg", ";ENCODING=b;TYPE=JPEG", ";ENCODING=BASE64;TYPE=JPEG"},
		{"image/png",  ";ENCODING=b;TYPE=PNG",  ";ENCODING=BASE64;TYPE=PNG" },
		{"image/gif",  ";ENCODING=b;TYPE=GIF",  ";ENCODING=BASE64;TYPE=GIF" },
	};
	size_t i = 0;

	while (!str_is(str_of(type), kinds[i].type))
		i++;
	if (c->card.version == VCARD_40)
		replace(c, "",
			arena_printf(c->a, "data:%s;base64,%.*s", type, STR_FMT(base64)));
	else
		replace(c, c->card.version == VCARD_21 ? kinds[i].params21 : kinds[i].params30,
			base64);
}

enum rc contact_picture_set(struct contact *c, struct str base64, struct err *err)
{
	struct str text = without_space(base64, c->a), bytes, shown = contact_picture(c);
	const char *type;

	if (text.n > CONTACT_PICTURE_MAX)
		return err_set(err, RC_LIMIT, "a picture of more than 48 KB");
	if (!text.n) {
		/* One that the device was never shown is not what it removes. */
		if (shown.n)
			vcard_remove(&c->card, c->line[SLOT_PHOTO]);
		return RC_OK;
	}
	if (base64_decode(text, c->a, &bytes))
		return err_set(err, RC_INVALID, "a picture that is no base64");
	if (str_eq(bytes, shown))
		return RC_OK;
	type = picture_type(bytes);
	if (!type)
		return err_set(err, RC_INVALID, "a picture of an unknown kind");
	store(c, text, type);
	return RC_OK;
}
