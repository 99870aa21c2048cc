#include "store/settings_file.h"

#include "core/base/log.h"
#include "store/ldap/ldap.h"

#include <errno.h>
#include <fcntl.h>
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
	if (rc == RC_OK && ldap_check(s, err))
		rc = err_wrap(err, "%s", path);
	return rc;
}

static int log_fd = STDERR_FILENO;
static struct arena *in_force; /* texts */

static void write_line(void *ctx UNUSED, struct str line)
{
	ssize_t n = write(log_fd, line.p, line.n);

	(void)n;
}

bool settings_reload(
	const char *path, void (*adjust)(struct settings *conf), struct settings *r)
{
	struct arena *a = arena_new();
	struct settings conf;
	struct err err = ERR_INIT;

	if (settings_file(path, &conf, a, &err)) {
		log_error("%s", err.text);
		arena_free(a);
		return false;
	}
	if (adjust)
		adjust(&conf);
	*r = conf;
	arena_free(in_force);
	in_force = a;
	log_set_level((enum log_level)conf.log_level);
	return true;
}

void settings_open_log(const struct settings *conf)
{
	int fd;

	if (!conf->log_file.n)
		return;
	fd = open(conf->log_file.p, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
	if (fd < 0) {
		log_error("could not open %s: %s", conf->log_file.p, strerror(errno));
		return;
	}
	if (log_fd != STDERR_FILENO)
		(void)close(log_fd);
	log_fd = fd;
	log_set_output(write_line, NULL);
}
