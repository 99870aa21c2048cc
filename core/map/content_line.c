#include "core/map/content_line.h"

size_t content_field_end(struct str s, char separator)
{
	bool quoted = false;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '"')
			quoted = !quoted;
		else if (s.p[i] == separator && !quoted)
			return i;
	}
	return s.n;
}

bool content_next_field(struct str *rest, char separator, struct str *field_r)
{
	size_t at;

	if (!rest->p)
		return false;
	at = content_field_end(*rest, separator);
	*field_r = str_sub(*rest, 0, at);
	*rest = at < rest->n ? str_sub(*rest, at + 1, rest->n) : STR_NONE;
	return true;
}

struct str content_caret_decoded(struct str s, struct arena *a)
{
	struct buf b;
	struct str r;

	if (str_find(s, '^') == s.n)
		return s;
	buf_init(&b, SIZE_MAX / 8);
	for (size_t i = 0; i < s.n; i++) {
		char next = i + 1 < s.n ? s.p[i + 1] : '\0';

		if (s.p[i] != '^' || (next != 'n' && next != '^' && next != '\'')) {
			buf_addc(&b, s.p[i]);
			continue;
		}
		buf_addc(&b, next == 'n' ? '\n' : next == '^' ? '^' : '"');
		i++;
	}
	r = arena_str(a, buf_str(&b));
	buf_release(&b);
	return r;
}
