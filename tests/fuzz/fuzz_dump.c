/* The readable form back to a tree; what can be read can be written and read again. */
#include "core/wire/dump.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	struct dump_options o = {0};
	struct elem *root;
	struct buf text;

	if (dump_parse((struct str){(const char *)data, size}, a, &root, NULL) == RC_OK) {
		buf_init(&text, BUF_MAX_TEXT);
		dump_elem(root, &o, &text);
		if (!text.over && dump_parse(buf_str(&text), a, &root, NULL) != RC_OK)
			abort();
		buf_release(&text);
	}
	arena_free(a);
	return 0;
}
