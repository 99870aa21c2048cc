/* The query string, both forms, and logins. */
#include "core/wire/query.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	struct str text = arena_str(a, (struct str){(const char *)data, size});
	struct query q;

	if (query_parse(text, a, &q, NULL) == RC_OK)
		(void)query_login(q.user, STR("example.test"), a);
	(void)query_login(text, STR("example.test"), a);
	arena_free(a);
	return 0;
}
