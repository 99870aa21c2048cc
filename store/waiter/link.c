#include "store/waiter/link.h"

#include "core/base/varint.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 256, ANSWER_MS = 2000 };

static bool address(const char *path, struct sockaddr_un *sa)
{
	*sa = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (strlen(path) >= sizeof(sa->sun_path)) {
		errno = ENAMETOOLONG;
		return false;
	}
	memcpy(sa->sun_path, path, strlen(path));
	return true;
}

static int new_socket(void)
{
	int s = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0), room = 2 * LINK_PACKET_MAX;
	struct timeval patience = {ANSWER_MS / 1000, 0};

	/* A waiter that hangs must not hold up everybody. */
	if (s >= 0) {
		(void)setsockopt(s, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
		(void)setsockopt(s, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	}
	return s;
}

static int failed(int s)
{
	int saved = errno;

	(void)close(s);
	errno = saved;
	return -1;
}

uint64_t link_identity(const struct settings *conf)
{
	const struct str parts[] = {conf->database, conf->host, conf->imap_host};
	uint64_t h = 14695981039346656037u ^ (uint64_t)conf->imap_port;

	for (size_t k = 0; k < ARRAY_LEN(parts); k++)
		for (size_t i = 0; i <= parts[k].n; i++)
			h = (h ^ (i < parts[k].n ? (unsigned char)parts[k].p[i] : 0x100u)) *
			    1099511628211u;
	return h;
}

int link_open(const char *path)
{
	struct sockaddr_un sa;
	int s;

	if (!address(path, &sa))
		return -1;
	s = new_socket();
	if (s < 0)
		return -1;
	return connect(s, (struct sockaddr *)&sa, sizeof(sa)) == 0 ? s : failed(s);
}

int link_listen(const char *path)
{
	struct sockaddr_un sa;
	int s = link_open(path);
	struct stat st;

	if (s >= 0) {
		errno = EADDRINUSE;
		return failed(s);
	}
	if (!address(path, &sa))
		return -1;
	if (lstat(path, &st) == 0) {
		if (!S_ISSOCK(st.st_mode)) {
			errno = EEXIST;
			return -1;
		}
		(void)unlink(path);
	}
	s = new_socket();
	if (s < 0)
		return -1;
	/* Nobody can connect before listen(). */
	if (bind(s, (struct sockaddr *)&sa, sizeof(sa)) != 0 || chmod(path, 0600) != 0 ||
		listen(s, BACKLOG) != 0)
		return failed(s);
	return s;
}

bool link_trusted(int s)
{
	struct ucred who;
	socklen_t n = sizeof(who);

	return getsockopt(s, SOL_SOCKET, SO_PEERCRED, &who, &n) == 0 &&
	       (who.uid == geteuid() || who.uid == 0);
}

/* Room for one descriptor. */
union control {
	struct cmsghdr head;
	char bytes[CMSG_SPACE(sizeof(int))];
};

bool link_send(int s, enum link_type type, struct str body, int fd)
{
	char first = (char)type;
	struct iovec io[2] = {
		{&first,                    1     },
                {(void *)(uintptr_t)body.p, body.n}
        };
	union control control = {.bytes = {0}};
	struct msghdr m = {.msg_iov = io, .msg_iovlen = 2};
	ssize_t n;

	if (fd >= 0) {
		struct cmsghdr *c;

		m.msg_control = control.bytes;
		m.msg_controllen = sizeof(control.bytes);
		c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &fd, sizeof(int));
	}
	do {
		n = sendmsg(s, &m, MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	return n == (ssize_t)(body.n + 1);
}

static bool readable(int s, int timeout_ms)
{
	struct pollfd p = {.fd = s, .events = POLLIN};

	return poll(&p, 1, timeout_ms) > 0;
}

int link_receive(int s, int timeout_ms, struct buf *b, struct str *body_r, int *fd_r)
{
	struct iovec io;
	union control control;
	struct msghdr m = {.msg_iov = &io,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes)};
	struct cmsghdr *c;
	ssize_t n;

	*fd_r = -1;
	if (timeout_ms && !readable(s, timeout_ms))
		return 0;
	buf_reset(b);
	io.iov_base = buf_room(b, LINK_PACKET_MAX);
	io.iov_len = LINK_PACKET_MAX;
	if (!io.iov_base)
		return -1;
	do {
		n = recvmsg(s, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == EAGAIN ? 0 : -1;
	c = CMSG_FIRSTHDR(&m);
	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
		memcpy(fd_r, CMSG_DATA(c), sizeof(int));
	if (n == 0 || m.msg_flags & MSG_TRUNC) {
		if (*fd_r >= 0)
			(void)close(*fd_r);
		*fd_r = -1;
		return -1;
	}
	buf_grew(b, (size_t)n);
	*body_r = str_sub(buf_str(b), 1, (size_t)n);
	return (unsigned char)b->p[0];
}

void link_wait_encode(const struct link_wait *w, struct buf *b)
{
	const struct wait *v = &w->wait;

	varint_put(b, v->kind);
	varint_put(b, v->additions);
	varint_put(b, v->covered);
	varint_put(b, (uint64_t)v->poll);
	varint_put(b, v->hierarchy_seq);
	varint_put(b, (uint64_t)w->account);
	varint_put(b, (uint64_t)w->device);
	varint_put(b, w->request_id);
	varint_put(b, (uint64_t)w->began);
	varint_put(b, (uint64_t)w->until);
	varint_put(b, (uint64_t)w->looked);
	varint_put_str(b, w->request);
	varint_put(b, v->n);
	for (size_t i = 0; i < v->n; i++) {
		varint_put(b, (uint64_t)v->v[i].row);
		varint_put_str(b, v->v[i].id);
		varint_put(b, v->v[i].seq);
		varint_put(b, v->v[i].uidnext);
	}
}

static enum rc get_folder(struct str *in, struct wait_folder *f)
{
	uint64_t row;

	if (varint_get(in, &row) || varint_get_str(in, &f->id) || varint_get(in, &f->seq) ||
		varint_get32(in, &f->uidnext))
		return RC_INVALID;
	f->row = (int64_t)row;
	return RC_OK;
}

enum rc link_wait_decode(struct str in, struct arena *a, struct link_wait *w)
{
	uint64_t v[11], n;

	for (size_t i = 0; i < ARRAY_LEN(v); i++)
		if (varint_get(&in, &v[i]))
			return RC_INVALID;
	*w = (struct link_wait){
		.wait = {.kind = v[0] == WAIT_SYNC ? WAIT_SYNC : WAIT_PING,
			 .additions = v[1] != 0,
			 .covered = v[2] != 0,
			 .poll = (int64_t)v[3],
			 .hierarchy_seq = v[4]},
		.account = (int64_t)v[5],
		.device = (int64_t)v[6],
		.request_id = (unsigned)v[7],
		.began = (int64_t)v[8],
		.until = (int64_t)v[9],
		.looked = (int64_t)v[10]
        };
	if (varint_get_str(&in, &w->request) || varint_get(&in, &n) || n > in.n)
		return RC_INVALID;
	w->wait.v = ARENA_ARRAY(a, struct wait_folder, (size_t)n + 1);
	for (; w->wait.n < n; w->wait.n++)
		if (get_folder(&in, &w->wait.v[w->wait.n]))
			return RC_INVALID;
	return RC_OK;
}

static enum rc read_secret(struct str body, struct arena *a, struct str *login_r,
	struct secret *password_r, struct err *err)
{
	struct str login, password;

	if (varint_get_str(&body, &login) || varint_get_str(&body, &password))
		return err_set(err, RC_INVALID, "the waiter speaks nonsense");
	*login_r = arena_str(a, login);
	secret_set(password_r, password);
	return RC_OK;
}

enum rc link_credentials(const char *path, int64_t account, struct arena *a,
	struct str *login_r, struct secret *password_r, struct err *err)
{
	int s = link_open(path), fd, type;
	struct buf b, answer;
	struct str body;
	enum rc rc;

	if (s < 0)
		return err_set(
			err, RC_UNAVAILABLE, "no waiter at %s: %s", path, strerror(errno));
	buf_init(&b, BUF_MAX_LINE);
	buf_init(&answer, 2 * LINK_PACKET_MAX);
	varint_put(&b, (uint64_t)account);
	(void)link_send(s, LINK_ACCOUNT, buf_str(&b), -1);
	do {
		type = link_receive(s, ANSWER_MS, &answer, &body, &fd);
		if (fd >= 0)
			(void)close(fd);
	} while (type == LINK_HELLO);
	if (type == LINK_SECRET)
		rc = read_secret(body, a, login_r, password_r, err);
	else if (type == LINK_NONE)
		rc = err_set(err, RC_ABSENT, "no device of that account waits here");
	else
		rc = err_set(err, RC_UNAVAILABLE, "the waiter at %s does not answer", path);
	if (answer.p)
		explicit_bzero(answer.p, answer.cap);
	buf_release(&answer);
	buf_release(&b);
	(void)close(s);
	return rc;
}
