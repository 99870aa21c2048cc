#include "store/tcp.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 1024 };

static int open_socket(const struct addrinfo *at)
{
	int one = 1, saved, fd = socket(at->ai_family, SOCK_STREAM, 0);

	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (fd < 0 || (bind(fd, at->ai_addr, at->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0))
		return fd;
	saved = errno;
	(void)close(fd);
	errno = saved;
	return -1;
}

int tcp_listen(struct str place)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE}, *list;
	size_t colon = place.n;
	char host[256], port[16], *name = host;
	int fd;

	while (colon > 0 && place.p[colon - 1] != ':')
		colon--;
	if (colon == 0 || colon > sizeof(host) || place.n - colon >= sizeof(port)) {
		errno = EINVAL;
		return -1;
	}
	(void)snprintf(host, sizeof(host), "%.*s", (int)colon - 1, place.p);
	(void)snprintf(port, sizeof(port), "%.*s", (int)(place.n - colon), place.p + colon);
	/* [::1]:9000 */
	if (host[0] == '[' && host[strlen(host) - 1] == ']') {
		host[strlen(host) - 1] = '\0';
		name++;
	}
	if (getaddrinfo(*name ? name : NULL, port, &hints, &list) != 0) {
		errno = EADDRNOTAVAIL;
		return -1;
	}
	fd = open_socket(list);
	freeaddrinfo(list);
	return fd;
}
