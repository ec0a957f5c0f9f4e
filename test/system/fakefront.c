/*
 * fakefront.c - a service made of files, for testing a client alone.
 *
 *	fakefront DIR PORT
 *
 * GET /a/b?q answers DIR/get/a_b, POST /a/b answers DIR/post/a_b and keeps what came in DIR/came/a_b.N (N from 1).  An
 * answer file's first line is its status, its second the Content-Type, the rest the body.  A file that is not there is
 * 404.  The test changes the files while we serve.  Listens on 127.0.0.1 only; writes DIR/ready when it does.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "edge/http.h"

#define BODY_MAX (128U << 10)

static const char *dir;

/* "/a/b" of this method as a file of ours, NUL-ended. */
static void
name_of(struct buf *out, const char *folder, slice path)
{
	buf_clear(out);
	buf_put_str(out, dir);
	buf_put_str(out, folder);
	for (size_t i = 1; i < path.n; i++)
		buf_put_u8(out, path.p[i] == '/' ? '_' : path.p[i]);
	buf_put_u8(out, '\0');
}

static bool
read_file(const char *name, struct buf *out)
{
	uint8_t part[4096];
	ssize_t n;
	int fd = open(name, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return false;
	while ((n = read(fd, part, sizeof part)) > 0)
		buf_put(out, slice_of(part, (size_t)n));
	close(fd);
	return true;
}

static void
keep(const struct http_request *q)
{
	struct buf name OWNED(buf_drop) = BUF(1024);

	for (unsigned i = 1; i < 1000; i++) {
		int fd;

		name_of(&name, "/came/", q->path);
		name.n--;
		buf_put_u8(&name, '.');
		buf_put_decimal(&name, i);
		buf_put_u8(&name, '\0');
		fd = open((char *)name.p, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
		if (fd < 0)
			continue;
		if (write(fd, q->body.p, q->body.n) != (ssize_t)q->body.n)
			abort();
		close(fd);
		return;
	}
}

static size_t
body_max(void *role, enum http_method m, slice path)
{
	(void)role;
	(void)path;
	return m == HTTP_POST ? BODY_MAX : 0;
}

static bool
request(void *role, const struct http_request *q, struct http_reply *reply)
{
	static char type[128];
	static struct buf file = {.max = 1U << 20}; /* copied once we return */
	struct buf name OWNED(buf_drop) = BUF(1024);
	slice rest, line;

	(void)role;
	if (q->method == HTTP_POST)
		keep(q);
	name_of(&name, q->method == HTTP_POST ? "/post/" : "/get/", q->path);
	*reply = (struct http_reply){.status = 404, .type = "text/plain"};
	buf_clear(&file);
	if (!read_file((char *)name.p, &file))
		return true;
	rest = buf_slice(&file);
	if (!slice_cut(&rest, '\n', &line))
		abort();
	reply->status = 0;
	for (size_t i = 0; i < line.n; i++)
		reply->status = reply->status * 10 + (unsigned)(line.p[i] - '0');
	if (!slice_cut(&rest, '\n', &line))
		abort();
	(void)snprintf(type, sizeof type, "%.*s", (int)line.n, (const char *)line.p);
	reply->type = type;
	reply->body = rest;
	return true;
}

static void
refuse(void *role, unsigned status, struct http_reply *reply, struct buf *body)
{
	(void)role;
	(void)body;
	*reply = (struct http_reply){.status = status, .type = "text/plain"};
}

int
main(int argc, char **argv)
{
	struct sockaddr_in a = {.sin_family = AF_INET};
	struct http_face face = {.body_max = body_max, .request = request, .refuse = refuse};
	struct http *h = NULL;
	char ready[1024];
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), one = 1;

	if (argc != 3 || fd < 0)
		return 2;
	dir = argv[1];
	a.sin_port = htons((uint16_t)strtoul(argv[2], NULL, 10));
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (bind(fd, (struct sockaddr *)&a, sizeof a) != 0 || listen(fd, 64) != 0 || http_open(fd, &face, &h).kind != OK) {
		perror("fakefront");
		return 1;
	}
	(void)snprintf(ready, sizeof ready, "%s/ready", dir);
	close(open(ready, O_WRONLY | O_CREAT, 0644));
	for (;;) {
		struct pollfd p = {.fd = http_fd(h), .events = POLLIN};

		(void)poll(&p, 1, http_timeout_ms(h) < 0 ? 1000 : http_timeout_ms(h));
		http_turn(h);
	}
}
