/* What a mail server, or whoever knows its secret, tells easlistend. */
#include "listener/told.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	struct told_list list;

	(void)(told_read((struct str){(const char *)data, size}, STR("example.test"), a, &list,
		       NULL) == RC_OK);
	arena_free(a);
	return 0;
}
