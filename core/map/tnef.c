#include "core/map/tnef.h"

#include "core/base/rc.h"
#include "core/base/utf8.h"
#include "core/map/charset.h"

#include <string.h>

/* [MS-OXTNEF] 2.1.3.2 to 2.1.3.4 */
enum {
	SIGNATURE = 0x223e9f78,
	ATT_BODY = 0x0002800c,
	ATT_MAPI_PROPS = 0x00069003,
	ATT_ATTACH_DATA = 0x0006800f,
	ATT_ATTACH_TITLE = 0x00018010,
	ATT_ATTACH_REND_DATA = 0x00069002,
	ATT_ATTACHMENT = 0x00069005,
	ATT_OEM_CODEPAGE = 0x00069007,
};

/* Property ids, [MS-OXPROPS] */
enum {
	PR_BODY_HTML = 0x1013,
	PR_ATTACH_FILENAME = 0x3704,
	PR_ATTACH_LONG_FILENAME = 0x3707,
	PR_ATTACH_MIME_TAG = 0x370e,
	PR_DISPLAY_NAME = 0x3001,
};

struct reader {
	struct arena *a;
	struct tnef *r;
	struct str charset; /* of 8-bit texts */
};

static uint32_t le(struct str s, size_t at, unsigned bytes)
{
	uint32_t n = 0;

	for (unsigned i = 0; i < bytes && at + i < s.n; i++)
		n |= (uint32_t)(unsigned char)s.p[at + i] << (8 * i);
	return n;
}

/* Cuts n bytes off the front; false when there are not as many. */
static bool take(struct str *in, size_t n, struct str *r)
{
	if (in->n < n)
		return false;
	*r = (struct str){in->p, n};
	*in = str_sub(*in, n, in->n);
	return true;
}

static bool take_number(struct str *in, unsigned bytes, uint32_t *r)
{
	struct str s;

	if (!take(in, bytes, &s))
		return false;
	*r = le(s, 0, bytes);
	return true;
}

static struct str without_nul(struct str s)
{
	while (s.n && s.p[s.n - 1] == '\0')
		s.n--;
	return s;
}

static struct str text8(struct reader *t, struct str s)
{
	return charset_to_utf8(without_nul(s), t->charset, t->a);
}

static struct str text16(struct reader *t, struct str s)
{
	struct str r = charset_to_utf8(s, STR("utf-16le"), t->a);

	return without_nul(r);
}

static struct tnef_attachment *current(struct reader *t)
{
	return t->r->n ? &t->r->v[t->r->n - 1] : NULL;
}

static size_t padded(size_t n)
{
	return (n + 3) / 4 * 4;
}

/* Bytes of one value of a fixed size; 0: it has a length of its own, -1: unknown. */
static int fixed_size(uint32_t type)
{
	switch (type) {
	case 0x0002: /* 16-bit, in four bytes */
	case 0x0003:
	case 0x0004:
	case 0x000a:
	case 0x000b:
		return 4;
	case 0x0005:
	case 0x0006:
	case 0x0007:
	case 0x0014:
	case 0x0040:
		return 8;
	case 0x0048:
		return 16;
	case 0x000d: /* object */
	case 0x001e: /* 8-bit string */
	case 0x001f: /* UTF-16 string */
	case 0x0102: /* binary */
		return 0;
	default:
		return -1;
	}
}

static void on_property(struct reader *t, uint32_t id, uint32_t type, struct str value)
{
	struct tnef_attachment *at = current(t);
	struct str text = type == 0x001f ? text16(t, value) : text8(t, value);

	if (id == PR_BODY_HTML && !at && !t->r->html.p)
		t->r->html = type == 0x0102
				     ? charset_to_utf8(without_nul(value), t->charset, t->a)
				     : text;
	else if (!at)
		return;
	else if ((id == PR_ATTACH_LONG_FILENAME && text.n) ||
		 ((id == PR_ATTACH_FILENAME || id == PR_DISPLAY_NAME) && !at->name.n))
		at->name = text;
	else if (id == PR_ATTACH_MIME_TAG && text.n && utf8_is_clean(text))
		at->type = text;
}

/* A named property has a GUID, and a number or a name. */
static bool skip_name(struct str *in)
{
	uint32_t kind, n;
	struct str s;

	if (!take(in, 16, &s) || !take_number(in, 4, &kind) || !take_number(in, 4, &n))
		return false;
	return kind != 1 || take(in, padded(n), &s);
}

static bool read_values(struct reader *t, struct str *in, uint32_t id, uint32_t type)
{
	int size = fixed_size(type & 0x0fff);
	uint32_t count = 1, n;
	struct str value;

	if (size < 0)
		return false;
	if ((size == 0 || type & 0x1000) && !take_number(in, 4, &count))
		return false;
	for (uint32_t i = 0; i < count; i++) {
		if (size) {
			if (!take(in, (size_t)size, &value))
				return false;
			continue;
		}
		if (!take_number(in, 4, &n) || in->n < n)
			return false;
		value = str_sub(*in, 0, n);
		*in = str_sub(*in, padded(n), in->n);
		if (i == 0)
			on_property(t, id, type & 0x0fff, value);
	}
	return true;
}

/* [MS-OXTNEF] 2.1.3.4 */
static void read_properties(struct reader *t, struct str in)
{
	uint32_t count;

	if (!take_number(&in, 4, &count))
		return;
	for (uint32_t i = 0; i < count; i++) {
		uint32_t type, id;

		if (!take_number(&in, 2, &type) || !take_number(&in, 2, &id))
			return;
		if (id >= 0x8000 && !skip_name(&in))
			return;
		if (!read_values(t, &in, id, type))
			return;
	}
}

static void read_codepage(struct reader *t, struct str data)
{
	uint32_t page = le(data, 0, 4);

	t->charset = page == 65001 ? STR("utf-8") : arena_printf(t->a, "cp%u", page);
}

static void on_attribute(struct reader *t, uint32_t id, struct str data)
{
	struct tnef_attachment *at = current(t);

	switch (id) {
	case ATT_OEM_CODEPAGE:
		read_codepage(t, data);
		break;
	case ATT_BODY:
		t->r->text = text8(t, data);
		break;
	case ATT_MAPI_PROPS:
		read_properties(t, data);
		break;
	case ATT_ATTACH_REND_DATA:
		/* Begins the next attachment. */
		if (t->r->n < TNEF_ATTACHMENTS)
			t->r->v[t->r->n++] = (struct tnef_attachment){
				.name = {"", 0},
                                  .type = STR_NONE, .data = {"", 0}
                        };
		break;
	case ATT_ATTACH_TITLE:
		if (at && !at->name.n)
			at->name = text8(t, data);
		break;
	case ATT_ATTACH_DATA:
		if (at)
			at->data = data;
		break;
	case ATT_ATTACHMENT:
		if (at)
			read_properties(t, data);
		break;
	default:
		break;
	}
}

bool tnef_read(struct str in, struct arena *a, struct tnef *r)
{
	struct reader t = {a, r, STR("windows-1252")};
	uint32_t signature, key;

	memset(r, 0, sizeof(*r));
	if (!take_number(&in, 4, &signature) || signature != SIGNATURE ||
		!take_number(&in, 2, &key))
		return false;
	while (in.n) {
		uint32_t level, id, n, checksum;
		struct str data;

		/* A cut file ends in the middle of an attribute, which is left out. */
		if (!take_number(&in, 1, &level) || !take_number(&in, 4, &id) ||
			!take_number(&in, 4, &n) || !take(&in, n, &data) ||
			!take_number(&in, 2, &checksum))
			break;
		on_attribute(&t, id, data);
	}
	return true;
}
