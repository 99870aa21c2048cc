/* A waiting request as the waiter gets it, and the request in it. */
#include "fcgi/replay.h"
#include "store/waiter/link.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_again(struct str request)
{
	struct replay r;

	if (replay_unpack(request, &r))
		return;
	for (size_t i = 0; i < REPLAY_VARIABLES; i++)
		if (r.v[i] && strlen(r.v[i]) >= request.n)
			abort();
}

/* What was understood can be said again, and is understood in the same way. */
static void say_again(const struct link_wait *w, struct arena *a)
{
	struct link_wait same;
	struct buf b;

	buf_init(&b, BUF_MAX_TEXT);
	link_wait_encode(w, &b);
	if (link_wait_decode(buf_str(&b), a, &same) || same.wait.n != w->wait.n ||
		!str_eq(same.request, w->request) || same.until != w->until)
		abort();
	buf_release(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	struct str bytes = arena_str(a, (struct str){(const char *)data, size});
	struct link_wait w;

	read_again(bytes);
	if (size <= LINK_PACKET_MAX && link_wait_decode(bytes, a, &w) == RC_OK) {
		read_again(w.request);
		say_again(&w, a);
	}
	arena_free(a);
	return 0;
}
