/* A reply and a forward, of any message about any other. */
#include "core/map/compose.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	struct str all = arena_str(a, (struct str){(const char *)data, size});
	size_t at = str_find(all, '\0');
	struct str message = str_sub(all, 0, at), other = str_sub(all, at + 1, all.n);
	struct compose_original original = {.header = other, .plain = other, .html = other};

	(void)compose_is_sealed(message, a);
	(void)compose_references(message, other, a);
	for (int forward = 0; forward < 2; forward++) {
		struct mail_part part = {.type = STR("a"), .subtype = STR("b"), .name = other};
		struct compose c;
		struct buf out;
		struct buf_sink sink;

		buf_init(&out, BUF_MAX_RESPONSE);
		buf_sink_init(&sink, &out);
		if (compose_open(&c, message, &original, forward, forward, &sink.sink, a,
			    NULL) == RC_OK) {
			if (forward)
				(void)(compose_part(&c, compose_fields(&part, other, a),
					       NULL) == RC_OK);
			(void)(compose_close(&c, NULL) == RC_OK);
		}
		buf_release(&out);
	}
	arena_free(a);
	return 0;
}
