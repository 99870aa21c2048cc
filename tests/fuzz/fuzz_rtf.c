/* Rich text of anybody's making, as it is and compressed: what comes out is clean text. */
#include "core/base/utf8.h"
#include "core/map/rtf.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_one(struct str rtf, struct arena *a)
{
	struct str text;

	if (rtf_to_text(rtf, a, &text) == RC_OK && !utf8_is_clean(text))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = {(const char *)data, size}, rtf;
	struct arena *a = arena_new();

	read_one(in, a);
	if (rtf_decompress(in, a, &rtf) == RC_OK)
		read_one(rtf, a);
	arena_free(a);
	return 0;
}
