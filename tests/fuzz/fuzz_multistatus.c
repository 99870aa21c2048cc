/* The XML of a DAV server, in two pieces, and the hrefs in it. */
#include "store/dav/href.h"
#include "store/dav/multistatus.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_href(struct str ref, struct arena *a)
{
	struct str path = href_canonical(ref, STR("/base/x"), STR("dav.example.test"), a);

	if (!path.p)
		return;
	/* Absolute, without dots and odd characters, and stays what it is. */
	if (path.p[0] != '/' || str_search(path, STR("/../")) < path.n ||
		!str_eq(path, href_canonical(path, STR("/"), STR("x"), a)))
		abort();
	for (size_t i = 0; i < path.n; i++)
		if (path.p[i] <= ' ' || path.p[i] >= 0x7f)
			abort();
	(void)href_last(path, a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	struct str text = {(const char *)data, size};
	struct ms_reader *m = ms_new(1 << 20, a);
	struct multistatus r;
	enum rc rc = ms_feed(m, str_sub(text, 0, size / 2), NULL);

	if (!rc)
		rc = ms_feed(m, str_sub(text, size / 2, size), NULL);
	if (!rc)
		rc = ms_end(m, &r, NULL);
	ms_free(m);
	for (size_t i = 0; !rc && i < r.n; i++)
		check_href(r.v[i].href, a);
	check_href(text, a);
	(void)href_template(text, STR("ann@example.test"), a);
	arena_free(a);
	return 0;
}
