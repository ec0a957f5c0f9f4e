/* LINK: role/front/front.c role/front/answers.c role/front/metrics.c edge/ipc.c edge/http.c edge/clock.c edge/log.c edge/start.c */
/*
 * What a stranger can say to the HTTP face: method, path, query, headers and body, through the route table, the OCSP
 * answerer and the orders made for the registrar.  Input: method byte, then lines path, query, authorization, prefer, and
 * the rest is the body.
 */
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "role/front/front.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static struct front *
the_front(void)
{
	static struct front *f;
	int pair[2];

	if (f != NULL)
		return f;
	f = mem_new(1, sizeof *f);
	f->repository = open("/var/empty", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (f->repository < 0)
		f->repository = open("/proc/self/task", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0 || wires_open_fd(pair[0], &f->wires).kind != OK)
		abort();
	return f;
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct buf room OWNED(buf_drop) = BUF(HTTP_ROOM_MAX);
	struct front *f = the_front();
	struct http_face face = front_face(f);
	slice s = {p, n}, method;
	struct http_request q = {.room = &room};
	struct http_reply reply = {0};
	size_t most;

	if (!slice_take(&s, 1, &method) || !slice_cut(&s, '\n', &q.path) || !slice_cut(&s, '\n', &q.query) ||
	    !slice_cut(&s, '\n', &q.authorization) || !slice_cut(&s, '\n', &q.prefer))
		return 0;
	q.method = (enum http_method)(1 + method.p[0] % 4);
	q.language = q.prefer;
	most = face.body_max(f, q.method, q.path);
	if (q.path.n > HTTP_PATH_MAX || (most != HTTP_NO_ROUTE && s.n > most))
		return 0; /* the edge refuses these before the role sees them */
	q.body = most == HTTP_NO_ROUTE ? (slice){p, 0} : s;
	if (face.request(f, &q, &reply)) {
		assert(reply.status >= 200 && reply.status < 600);
		assert(reply.file || reply.type != NULL);
		if (reply.file)
			close(reply.fd);
	} else
		assert(false); /* nobody to ask: everything is answered at once */
	return 0;
}
