/* An invitation of anybody's making, answered on top of a stored object of anybody's making. */
#include "core/map/invite.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was made of them can be answered once more. */
static void answer(struct invite *in, struct arena *a)
{
	struct str once, again;

	if (invite_apply(in, a, &once) || !once.p || once.n > 512u * 1024)
		return;
	in->stored = once;
	if (invite_apply(in, a, &again) == INVITE_UNREADABLE)
		abort();
}

/* First what is answered, and how; then the invitation; behind a NUL what is stored. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	struct str all = arena_str(a, (struct str){(const char *)data, size});
	struct str ics = str_sub(all, 1, all.n), request;
	struct invite in = {.user = STR("ann@example.test"),
		.stored = STR_NONE,
		.now = 1772800000,
		.instance = 1773748800};
	struct invite_about about;

	if (size == 0) {
		arena_free(a);
		return 0;
	}
	request = str_sub(ics, 0, str_find(ics, '\0'));
	if (request.n < ics.n)
		in.stored = str_sub(ics, request.n + 1, ics.n);
	in.answer = (enum invite_answer)(INVITE_ACCEPT + data[0] % 3);
	in.has_instance = data[0] & 4;
	in.request = data[0] & 8 ? STR_NONE : request;
	if (data[0] & 8)
		in.stored = request;
	(void)invite_about(&in, a, &about);
	(void)invite_mail(&in, a);
	answer(&in, a);
	arena_free(a);
	return 0;
}
