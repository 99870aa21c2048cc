/* Any HTML to text that is clean UTF-8, and cut anywhere. */
#include "core/base/utf8.h"
#include "core/map/charset.h"
#include "core/map/html.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	struct str html =
		charset_to_utf8((struct str){(const char *)data, size}, STR("utf-8"), a);
	struct str cut = html_cut(html, size / 2);

	if (!utf8_is_clean(html_to_text(html, 0, a)) || cut.n > size / 2)
		abort();
	(void)html_to_text(cut, 100, a);
	(void)html_from_text(html, a);
	arena_free(a);
	return 0;
}
