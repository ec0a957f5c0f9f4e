/*
 * load - sends prepared HTTP requests over keep-alive connections and times the answers.
 *
 *   load HOST PORT FILE CONNECTIONS [WORD]
 *
 * FILE holds requests, each with its length before it (4 bytes, big-endian).  Each connection has one request under way.
 * An answer counts when its status is 2xx and, where WORD is given, its body contains it; anything else is counted as
 * failed and the first such answer is shown.  Prints one line of JSON; exit 1 when anything failed.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base.h"
#include "edge/clock.h"

#define CONNECTIONS_MAX 256
#define ANSWER_MAX (256U << 10)

struct connection {
	int fd;
	slice left; /* of the request */
	struct buf answer;
	int64_t since;
	bool busy;
};

static slice requests;
static size_t n_done, n_failed;
static double *took;

static bool
next_request(slice *out)
{
	slice l;
	size_t n;

	if (!slice_take(&requests, 4, &l))
		return false;
	n = (size_t)l.p[0] << 24 | (size_t)l.p[1] << 16 | (size_t)l.p[2] << 8 | l.p[3];
	return slice_take(&requests, n, out);
}

static int
dial(const char *host, const char *port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)strtoul(port, NULL, 10))};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

	if (fd < 0 || inet_pton(AF_INET, host, &a.sin_addr) != 1 || connect(fd, (struct sockaddr *)&a, sizeof a) != 0) {
		perror("load: connect");
		exit(2);
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	(void)fcntl(fd, F_SETFL, O_NONBLOCK);
	return fd;
}

/* The whole answer is there: head, Content-Length, body. */
static bool
is_whole(const struct buf *b, slice *head, slice *body)
{
	static const char end[] = "\r\n\r\n", length[] = "Content-Length: ";
	const uint8_t *at = b->n < 4 ? NULL : memmem(b->p, b->n, end, 4), *l;
	size_t n = 0, from;

	if (at == NULL)
		return false;
	from = (size_t)(at - b->p) + 4;
	l = memmem(b->p, from, length, sizeof length - 1);
	for (const uint8_t *p = l == NULL ? at : l + sizeof length - 1; *p >= '0' && *p <= '9'; p++)
		n = n * 10 + (size_t)(*p - '0');
	if (b->n < from + n)
		return false;
	*head = (slice){b->p, from};
	*body = (slice){b->p + from, n};
	return true;
}

static void
finish(struct connection *c, const char *word, slice head, slice body)
{
	bool good = head.n > 9 && head.p[9] == '2' && (word == NULL || memmem(body.p, body.n, word, strlen(word)) != NULL);

	took[n_done++] = (double)(clock_steady_ms() - c->since);
	if (!good && n_failed++ == 0)
		fprintf(stderr, "load: first failure: %.*s%.*s\n", (int)head.n, (const char *)head.p,
		    (int)(body.n > 600 ? 600 : body.n), (const char *)body.p);
	c->busy = false;
	buf_clear(&c->answer);
}

static void
turn(struct connection *c, short events, const char *word)
{
	slice head, body;

	if (c->left.n > 0 && events & POLLOUT) {
		ssize_t n = write(c->fd, c->left.p, c->left.n);

		if (n > 0)
			c->left = (slice){c->left.p + n, c->left.n - (size_t)n};
	}
	if (events & (POLLIN | POLLHUP)) {
		uint8_t chunk[16384];
		ssize_t n = read(c->fd, chunk, sizeof chunk);

		if (n == 0 || (n < 0 && errno != EAGAIN)) {
			fprintf(stderr, "load: the server closed a connection\n");
			exit(1);
		}
		if (n > 0)
			buf_put(&c->answer, slice_of(chunk, (size_t)n));
		if (is_whole(&c->answer, &head, &body))
			finish(c, word, head, body);
	}
}

static int
compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

int
main(int argc, char **argv)
{
	static struct connection c[CONNECTIONS_MAX];
	size_t n_c = argc < 5 ? 0 : (size_t)strtoul(argv[4], NULL, 10), busy = 0;
	const char *word = argc > 5 ? argv[5] : NULL;
	struct stat st;
	int64_t start;
	double seconds;
	int fd;

	if (n_c == 0 || n_c > CONNECTIONS_MAX || (fd = open(argv[3], O_RDONLY)) < 0 || fstat(fd, &st) != 0) {
		fprintf(stderr, "usage: load HOST PORT FILE CONNECTIONS [WORD]\n");
		return 2;
	}
	requests =
	    slice_of(mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0), (size_t)st.st_size);
	took = mem_new((size_t)st.st_size / 8 + 1, sizeof *took);
	for (size_t i = 0; i < n_c; i++)
		c[i] = (struct connection){.fd = dial(argv[1], argv[2]), .answer = BUF(ANSWER_MAX)};
	start = clock_steady_ms();
	do {
		struct pollfd p[CONNECTIONS_MAX];

		busy = 0;
		for (size_t i = 0; i < n_c; i++) {
			if (!c[i].busy && next_request(&c[i].left)) {
				c[i].busy = true;
				c[i].since = clock_steady_ms();
			}
			busy += c[i].busy;
			p[i] = (struct pollfd){
			    .fd = c[i].fd, .events = (short)(c[i].busy ? POLLIN | (c[i].left.n > 0 ? POLLOUT : 0) : 0)};
		}
		if (busy > 0)
			(void)poll(p, (nfds_t)n_c, 60000);
		for (size_t i = 0; i < n_c; i++)
			if (c[i].busy && p[i].revents != 0)
				turn(&c[i], p[i].revents, word);
	} while (busy > 0);
	seconds = (double)(clock_steady_ms() - start) / 1000;
	qsort(took, n_done, sizeof *took, compare);
	printf("{\"requests\":%zu,\"failed\":%zu,\"seconds\":%.3f,\"per_second\":%.1f,\"p50_ms\":%.0f,\"p99_ms\":%.0f}\n",
	    n_done, n_failed, seconds, seconds > 0 ? (double)n_done / seconds : 0, n_done == 0 ? 0 : took[n_done / 2],
	    n_done == 0 ? 0 : took[n_done * 99 / 100]);
	return n_failed > 0 || n_done == 0;
}
