/* Header fields and transfer encodings of any mail. */
#include "core/base/utf8.h"
#include "core/map/decode.h"
#include "core/map/header.h"
#include "core/map/outgoing.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const encodings[] = {"base64", "quoted-printable", "x-uuencode"};
	struct arena *a = arena_new();
	struct str text = arena_str(a, (struct str){(const char *)data, size});
	struct addresses to = header_addresses(text, "To", a);
	struct outgoing out;

	if (!utf8_is_clean(header_text(text, "Subject", a)) ||
		!utf8_is_clean(header_address_list(&to, 1000, a)))
		abort();
	(void)header_topic(header_decode(text, a));
	(void)(outgoing_read(text,
		       &(struct outgoing_change){.address = STR("ann@example.test")}, a, &out,
		       NULL) == RC_OK);
	for (size_t i = 0; i < sizeof(encodings) / sizeof(*encodings); i++)
		(void)decode_bytes(text, str_of(encodings[i]), a);
	arena_free(a);
	return 0;
}
