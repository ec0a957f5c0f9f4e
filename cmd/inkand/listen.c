#include <errno.h>
#include <netdb.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "cmd/inkand/listen.h"

err
listen_tcp(slice where, int *out)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV}, *a;
	char host[64], *colon;
	int fd, one = 1;

	if (where.n == 0 || where.n >= sizeof host)
		return fail(ERR_INPUT, "inkand-listen: house: listen is an address and a port such as 127.0.0.1:8480");
	memcpy(host, where.p, where.n);
	host[where.n] = '\0';
	colon = strrchr(host, ':');
	if (colon == NULL)
		return fail(ERR_INPUT, "inkand-listen: house: listen is an address and a port such as 127.0.0.1:8480");
	*colon = '\0';
	if (getaddrinfo(host, colon + 1, &hints, &a) != 0)
		return fail(ERR_INPUT, "inkand-listen: house: listen is an address and a port such as 127.0.0.1:8480");
	fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) != 0 ||
	    bind(fd, a->ai_addr, a->ai_addrlen) != 0 || listen(fd, 4096) != 0) {
		int why = errno;

		freeaddrinfo(a);
		if (fd >= 0)
			close(fd);
		return fail_why(ERR_WORLD, "inkand-bind: house: the address to listen on is taken or not ours", why);
	}
	freeaddrinfo(a);
	*out = fd;
	return ok;
}

err
listen_office(const char *home, int *out)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int n = snprintf(a.sun_path, sizeof a.sun_path, "%s/run/office", home), fd;

	if (n < 0 || (size_t)n >= sizeof a.sun_path)
		return fail(ERR_INPUT, "link-path: unix(7): the path of a socket is longer than the system allows");
	(void)unlink(a.sun_path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof a) != 0 || chmod(a.sun_path, 0600) != 0 ||
	    listen(fd, 64) != 0) {
		int why = errno;

		if (fd >= 0)
			close(fd);
		return fail_why(ERR_WORLD, "inkand-office: house: the office socket cannot be made", why);
	}
	*out = fd;
	return ok;
}
