/* A stored object of anybody's making, forwarded to somebody of any name. C51. */
#include "core/map/invite_forward.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whom he has invited he does not invite again. */
static void store(struct invite_forward *f, struct arena *a)
{
	struct str once, again;

	if (invite_forward_stored(f, a, &once) || once.n > 512u * 1024)
		return;
	f->stored = once;
	if (invite_forward_stored(f, a, &again) || again.p != once.p)
		abort();
}

/* First whether it is one instance; then a name; behind a NUL the object. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	struct str all = arena_str(a, (struct str){(const char *)data, size}), mail;
	struct forwardee to = {.email = STR("carl@example.test")};
	struct invite_forward f = {
		.user = STR("ann@example.test"), .to = &to, .n = 1, .now = 1772800000};
	struct invite_quote quote;
	size_t end = str_find(all, '\0');

	if (end < all.n && end > 0) {
		to.name = str_sub(all, 1, end - 1);
		f.stored = str_sub(all, end + 1, all.n);
		f.has_instance = data[0] & 1;
		f.instance = data[0] & 2 ? 1774951200 : 1773748800;
		if ((invite_forward_mail(&f, a, &mail) == INVITE_DONE) !=
			(invite_quote(&f, a, &quote) == INVITE_DONE))
			abort();
		store(&f, a);
	}
	arena_free(a);
	return 0;
}
