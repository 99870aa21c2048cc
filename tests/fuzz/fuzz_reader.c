/* WBXML from a device: read, written as text and as WBXML again, and read once more. */
#include "core/wire/dump.h"
#include "core/wire/reader.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	struct dump_options o = {.max_text = 40};
	struct elem *root, *again;
	struct wbxml_writer w;
	struct buf text;

	if (wbxml_read((struct str){(const char *)data, size}, WBXML_LIMITS, a, &root, NULL) ==
		RC_OK) {
		buf_init(&text, BUF_MAX_TEXT);
		dump_elem(root, &o, &text);
		buf_release(&text);
		wbxml_init(&w, NULL, BUF_MAX_TEXT);
		dump_encode(root, &w);
		if (wbxml_finish(&w, NULL) == RC_OK &&
			wbxml_read(buf_str(&w.out), WBXML_LIMITS, a, &again, NULL) != RC_OK)
			abort();
		wbxml_release(&w);
	}
	arena_free(a);
	return 0;
}
