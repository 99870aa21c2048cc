#include "store/settings_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define FILE_MAX (1024 * 1024)

static enum rc slurp(const char *path, struct buf *text, struct err *err)
{
	FILE *f = fopen(path, "r");
	char chunk[4096];
	bool bad;
	size_t n;

	if (!f)
		return err_set(err, RC_ABSENT, "could not read %s: %s", path, strerror(errno));
	while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0)
		buf_add(text, chunk, n);
	bad = ferror(f) != 0;
	if (bad)
		(void)err_set(err, RC_ABSENT, "could not read %s: %s", path, strerror(errno));
	(void)fclose(f);
	if (bad)
		return RC_ABSENT;
	return text->over
		       ? err_set(err, RC_INVALID, "%s is larger than %d bytes", path, FILE_MAX)
		       : RC_OK;
}

static struct str host_name(struct arena *a)
{
	char name[256] = "localhost";

	if (gethostname(name, sizeof(name) - 1) != 0)
		return STR("localhost");
	return arena_str(a, str_of(name));
}

enum rc settings_file(const char *path, struct settings *s, struct arena *a, struct err *err)
{
	CLEANUP(buf_release) struct buf text;
	struct str bytes;
	enum rc rc;

	buf_init(&text, FILE_MAX);
	rc = slurp(path, &text, err);
	if (rc)
		return rc;
	bytes = buf_str(&text);
	/* A byte order mark is an editor's doing. */
	if (str_starts(bytes, "\xef\xbb\xbf"))
		bytes = str_sub(bytes, 3, bytes.n);
	rc = settings_read(arena_str(a, bytes), path, s, a, err);
	if (rc == RC_OK && !s->host.n)
		s->host = host_name(a);
	return rc;
}
