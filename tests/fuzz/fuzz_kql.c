/* What somebody types into a search field. */
#include "core/map/category.h"
#include "core/map/kql.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned count(const struct mail_term *t, unsigned depth)
{
	unsigned n = 0;

	if (depth > 64)
		abort();
	for (; t; t = t->next)
		n += 1 + count(t->child, depth + 1);
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	struct str text = {(const char *)data, size}, keyword;

	if (count(kql_parse(text, a), 0) > 500)
		abort();
	/* A category is an atom of IMAP, whatever its name. */
	keyword = category_keyword(text, a);
	for (size_t i = 0; i < keyword.n; i++)
		if (keyword.p[i] <= ' ' || keyword.p[i] >= 0x7f)
			abort();
	(void)category_of_keyword(text, a);
	(void)category_hash(text);
	arena_free(a);
	return 0;
}
