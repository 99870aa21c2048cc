/* An invitation of anybody's making. */
#include "core/map/meeting.h"
#include "core/wire/reader.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	struct str ics = arena_str(a, (struct str){(const char *)data, size});
	struct wbxml_writer w;
	struct elem *doc;

	(void)meeting_kind(ics, STR_NONE);
	wbxml_init(&w, NULL, BUF_MAX_TEXT);
	wbxml_open(&w, AIRSYNC_APPLICATION_DATA);
	meeting_write(ics, STR("ann@example.test"), V141, a, &w);
	wbxml_close(&w, AIRSYNC_APPLICATION_DATA);
	/* Whatever comes of it, a device can read it. */
	if (wbxml_finish(&w, NULL) || wbxml_read(buf_str(&w.out), WBXML_LIMITS, a, &doc, NULL))
		abort();
	wbxml_release(&w);
	arena_free(a);
	return 0;
}
