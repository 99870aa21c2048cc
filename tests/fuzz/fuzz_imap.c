/* What an IMAP server sends. */
#include "core/base/utf7.h"
#include "store/imap/imap_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	struct str text = {(const char *)data, size};
	struct imap_value *v;
	struct mail_summary m;
	struct mail_flags f;
	struct uidset set;
	uint64_t n;
	bool flags;

	(void)imap_literal(text, &n);
	(void)utf7_encode(utf7_decode(text, a), a);
	uidset_init(&set, a);
	(void)(uidset_parse(&set, text, 1000) == RC_OK);
	if (imap_parse(text, a, &v, NULL) == RC_OK) {
		(void)fetch_summary(v, a, &m);
		(void)fetch_flags(v, a, &f, &flags);
		(void)bodystructure(v, a);
	}
	arena_free(a);
	return 0;
}
