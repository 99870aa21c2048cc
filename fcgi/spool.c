#include "fcgi/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define IN_MEMORY (1024 * 1024)

static enum rc write_fd(int fd, struct str s, struct err *err)
{
	while (s.n) {
		ssize_t n = write(fd, s.p, s.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(err, RC_UNAVAILABLE, "could not write to the spool: %s",
				strerror(errno));
		s = str_sub(s, (size_t)n, s.n);
	}
	return RC_OK;
}

static enum rc to_file(struct spool *s, struct err *err)
{
	s->fd = open(s->dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (s->fd < 0)
		return err_set(err, RC_UNAVAILABLE, "could not make a file in spool_dir %s: %s",
			s->dir, strerror(errno));
	return write_fd(s->fd, buf_str(&s->mem), err);
}

static enum rc take(struct sink *sink, const void *p, size_t n, struct err *err)
{
	struct spool *s = (struct spool *)sink;
	enum rc rc = RC_OK;

	s->size += n;
	if (s->fd < 0 && s->mem.n + n <= IN_MEMORY) {
		buf_add(&s->mem, p, n);
		return RC_OK;
	}
	if (s->fd < 0)
		rc = to_file(s, err);
	return rc ? rc : write_fd(s->fd, (struct str){p, n}, err);
}

void spool_init(struct spool *s, const char *dir)
{
	*s = (struct spool){.sink = {take}, .dir = dir, .fd = -1};
	buf_init(&s->mem, IN_MEMORY);
}

void spool_reset(struct spool *s)
{
	if (s->map)
		(void)munmap(s->map, s->mapped);
	if (s->fd >= 0)
		(void)close(s->fd);
	s->map = NULL;
	s->fd = -1;
	s->size = 0;
	buf_reset(&s->mem);
}

void spool_release(struct spool *s)
{
	spool_reset(s);
	buf_release(&s->mem);
}

enum rc spool_bytes(struct spool *s, struct str *r, struct err *err)
{
	if (s->fd < 0) {
		*r = buf_str(&s->mem);
		return RC_OK;
	}
	if (!s->map) {
		s->mapped = (size_t)s->size;
		s->map = mmap(NULL, s->mapped, PROT_READ, MAP_PRIVATE, s->fd, 0);
		if (s->map == MAP_FAILED) {
			s->map = NULL;
			return err_set(err, RC_UNAVAILABLE, "could not map the spool: %s",
				strerror(errno));
		}
	}
	*r = (struct str){s->map, s->mapped};
	return RC_OK;
}

void spool_passed(struct spool *s, const char *upto)
{
	const char *from = s->map;
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	if (!from || upto < from || upto > from + s->mapped)
		return;
	(void)madvise(s->map, (size_t)(upto - from) / page * page, MADV_DONTNEED);
}
