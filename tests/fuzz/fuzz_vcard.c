/* A card of anybody's making: its lines are its bytes, and a line that is set says what it was
 * set to while the others stay. */
#include "core/base/utf8.h"
#include "core/map/vcard.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
	if (!ok)
		abort();
}

static struct vcard_line *line_at(const struct vcard *c, size_t n)
{
	struct vcard_line *l = c->first;

	while (l && n--)
		l = l->next;
	return l;
}

/* The value of line n set to its own text; read again it is that. */
static void set_and_read(struct str in, size_t n, struct arena *a)
{
	struct vcard c, again;
	struct vcard_line *l;
	struct str text, raw[VCARD_COMPONENTS_MAX], written;
	size_t parts;

	check(vcard_read(in, a, &c, NULL) == RC_OK);
	l = line_at(&c, n);
	/* What makes a card what it is, is not set. */
	if (!l || !l->name.n || str_iis(l->name, "VERSION") || str_iis(l->name, "BEGIN") ||
		str_iis(l->name, "END"))
		return;
	text = vcard_text(&c, l);
	check(utf8_is_clean(text) && str_find(text, '\r') == text.n);
	parts = vcard_split(l->value, ';', raw, VCARD_COMPONENTS_MAX);
	check(str_eq(vcard_join(&c, raw, parts, parts, ';'), l->value));
	(void)vcard_param(l, "TYPE", a);
	(void)vcard_is_type(l, STR("WORK"));
	vcard_set(&c, l, vcard_encode(&c, text, false), NULL);
	check(str_eq(vcard_text(&c, l), text));
	written = vcard_write(&c);
	if (vcard_read(written, a, &again, NULL))
		return; /* it has grown beyond the bounds */
	check(again.version == c.version);
	l = line_at(&again, n);
	check(l && str_eq(vcard_text(&again, l), text));
	vcard_remove(&again, l);
	(void)vcard_write(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	struct str in = {(const char *)data, size};
	struct vcard c;
	size_t at = 0, n = 0;

	if (size < 2 || vcard_read(str_sub(in, 1, size), a, &c, NULL)) {
		arena_free(a);
		return 0;
	}
	in = str_sub(in, 1, size);
	for (const struct vcard_line *l = c.first; l; l = l->next) {
		check(str_eq(l->raw, str_sub(in, at, l->raw.n)) && l->raw.n);
		at += l->raw.n;
		n++;
	}
	check(at == in.n && str_eq(vcard_write(&c), in));
	if (n)
		set_and_read(in, data[0] % n, a);
	arena_free(a);
	return 0;
}
