/* A winmail.dat of anybody's making. */
#include "core/base/utf8.h"
#include "core/map/tnef.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	struct tnef *t = ARENA_NEW(a, struct tnef);
	struct str in = {(const char *)data, size};

	if (tnef_read(in, a, t))
		for (size_t i = 0; i < t->n; i++) {
			const struct str d = t->v[i].data;

			if (!utf8_is_clean(t->v[i].name))
				abort();
			/* What it gives stands in the input. */
			if (d.n && (d.p < in.p || d.p + d.n > in.p + in.n))
				abort();
		}
	arena_free(a);
	return 0;
}
