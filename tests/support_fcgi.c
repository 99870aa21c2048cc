#include "tests/support_fcgi.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { BEGIN_REQUEST = 1, PARAMS = 4, STDIN_RECORD = 5, STDOUT_RECORD = 6, HEAD = 8 };

static void add_record(struct buf *b, unsigned type, struct str s)
{
	const char head[8] = {
		1, (char)type, 0, 1, (char)(s.n >> 8 & 0xff), (char)(s.n & 0xff), 0, 0};

	buf_add(b, head, sizeof(head));
	buf_add_str(b, s);
}

static void add_param(struct buf *b, const char *name, const char *value)
{
	size_t n = strlen(value);

	buf_addc(b, (char)strlen(name));
	/* Lengths above 127 have four bytes. */
	if (n > 127) {
		buf_addc(b, (char)0x80);
		buf_addc(b, 0);
		buf_addc(b, (char)(n >> 8 & 0xff));
	}
	buf_addc(b, (char)(n & 0xff));
	buf_adds(b, name);
	buf_adds(b, value);
}

static int reach(const char *path)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", path);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&sa, sizeof(sa)) != 0) {
		(void)close(fd);
		return -1;
	}
	return fd;
}

int fcgi_send(const char *socket_path, const char *const *params, struct str body, bool whole)
{
	int fd = reach(socket_path);
	struct buf list, all;
	bool ok;

	if (fd < 0)
		return -1;
	buf_init(&list, BUF_MAX_LINE);
	buf_init(&all, 4 * (size_t)BUF_MAX_LINE);
	for (size_t i = 0; params[i]; i += 2)
		add_param(&list, params[i], params[i + 1]);
	add_record(&all, BEGIN_REQUEST, (struct str){"\0\1\0\0\0\0\0\0", 8});
	add_record(&all, PARAMS, buf_str(&list));
	add_record(&all, PARAMS, (struct str){"", 0});
	if (body.n)
		add_record(&all, STDIN_RECORD, body);
	if (whole)
		add_record(&all, STDIN_RECORD, (struct str){"", 0});
	ok = write(fd, all.p, all.n) == (ssize_t)all.n;
	buf_release(&list);
	buf_release(&all);
	if (ok)
		return fd;
	(void)close(fd);
	return -1;
}

void fcgi_end_body(int fd)
{
	struct buf b;
	ssize_t ignored;

	buf_init(&b, BUF_MAX_LINE);
	add_record(&b, STDIN_RECORD, (struct str){"", 0});
	ignored = write(fd, b.p, b.n);
	(void)ignored;
	buf_release(&b);
}

void fcgi_unpack(struct str records, struct buf *answer)
{
	while (records.n >= HEAD) {
		const unsigned char *h = (const unsigned char *)records.p;
		size_t n = (size_t)h[4] << 8 | h[5];

		if (h[1] == STDOUT_RECORD)
			buf_add_str(answer, str_sub(records, HEAD, n));
		records = str_sub(records, HEAD + n + h[6], records.n);
	}
}

bool fcgi_request(
	const char *socket_path, const char *const *params, struct str body, struct buf *answer)
{
	int fd = fcgi_send(socket_path, params, body, true);
	char chunk[4096];
	ssize_t n;

	if (fd < 0)
		return false;
	while ((n = read(fd, chunk, sizeof(chunk))) > 0)
		buf_add(answer, chunk, (size_t)n);
	(void)close(fd);
	return true;
}
