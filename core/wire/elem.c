#include "core/wire/elem.h"

const struct elem *elem_child(const struct elem *e, tag_t tag)
{
	const struct elem *c = e ? e->child : NULL;

	while (c && c->tag != tag)
		c = c->next;
	return c;
}

const struct elem *elem_again(const struct elem *e)
{
	const struct elem *c = e->next;

	while (c && c->tag != e->tag)
		c = c->next;
	return c;
}

bool elem_has(const struct elem *e, tag_t tag)
{
	return elem_child(e, tag) != NULL;
}

struct str elem_text(const struct elem *e, tag_t tag)
{
	const struct elem *c = elem_child(e, tag);
	struct str s;

	if (!c)
		return STR_NONE;
	s = c->text.p ? c->text : (struct str){"", 0};
	while (s.n && s.p[s.n - 1] == '\0')
		s.n--;
	return s;
}

uint32_t elem_u32(const struct elem *e, tag_t tag, uint32_t fallback)
{
	uint32_t n;

	return str_u32(str_trim(elem_text(e, tag)), &n) ? n : fallback;
}

bool elem_bool(const struct elem *e, tag_t tag, bool fallback)
{
	struct str s = str_trim(elem_text(e, tag));

	if (!s.p)
		return fallback;
	if (s.n == 0 || str_is(s, "1"))
		return true;
	return str_is(s, "0") ? false : fallback;
}

size_t elem_count(const struct elem *e, tag_t tag)
{
	size_t n = 0;

	for (const struct elem *c = elem_child(e, tag); c; c = elem_again(c))
		n++;
	return n;
}
