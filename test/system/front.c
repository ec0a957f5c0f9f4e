/*
 * front - holds the HTTP face to its promises: plays inkand and the registrar for one real `front` process, and strangers
 * who mean harm.  Prints TAP.
 *
 *   front FRONT-EXECUTABLE FOLDER
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "act/order.h"
#include "act/order_desk.h"
#include "base/json.h"
#include "edge/clock.h"
#include "edge/ipc.h"

#define SLOW 1000

static int tests, failures;
static uint16_t port;
static struct link *control, *registrar;
static pid_t front_pid;

static void
is(bool good, const char *name)
{
	tests++;
	failures += !good;
	printf("%sok %d - %s\n", good ? "" : "not ", tests, name);
	fflush(stdout);
}

static int
dial(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

	if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof a) != 0) {
		printf("Bail out! cannot connect: %s\n", strerror(errno));
		exit(1);
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	return fd;
}

static void
say(int fd, const char *s)
{
	size_t n = strlen(s);

	while (n > 0) {
		ssize_t k = send(fd, s, n, MSG_NOSIGNAL);

		if (k <= 0)
			return;
		s += k;
		n -= (size_t)k;
	}
}

/* A registrar's answers: challenge, application; one whose body begins with "HOLD" waits until released. */
static uint64_t held;
static void
turn_registrar(int wait_ms)
{
	struct pollfd p = {.fd = registrar == NULL ? -1 : link_fd(registrar), .events = POLLIN};
	struct frame f;
	bool have = true;

	if (registrar == NULL || poll(&p, 1, wait_ms) <= 0)
		return;
	if (link_fill(registrar).kind != OK)
		return;
	while (link_next(registrar, &have, &f).kind == OK && have) {
		struct buf b OWNED(buf_drop) = BUF(4096);
		struct apply_order o;

		if (f.kind == ORDER_CHALLENGE) {
			challenge_reply_put(&b, &(struct challenge_reply){LIT("the-nonce"), clock_now()});
			link_answer(registrar, &f, buf_slice(&b));
		} else if (f.kind == ORDER_APPLY && apply_order_get(f.body, &o).kind == OK) {
			if (slice_has_prefix(o.cms, LIT("HOLD"))) {
				held = f.id;
				continue;
			}
			apply_reply_put(&b, &(struct apply_reply){.dossier = {{0xAB}}, .state = DOSSIER_RECEIVED});
			link_answer(registrar, &f, buf_slice(&b));
		} else
			link_refuse(
			    registrar, &f, fail(ERR_ABSENT, "token: RFC 6750: no application stands under this number and token"));
	}
	(void)link_flush(registrar).kind;
}

/* Reads one answer (head and Content-Length body) within wait_ms, letting the registrar work meanwhile. */
static bool
hear(int fd, int wait_ms, struct buf *out)
{
	int64_t end = clock_steady_ms() + wait_ms;

	while (clock_steady_ms() < end) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		uint8_t chunk[8192];
		const uint8_t *at;
		ssize_t n;

		turn_registrar(0);
		if (poll(&p, 1, 5) <= 0)
			continue;
		n = recv(fd, chunk, sizeof chunk, MSG_DONTWAIT);
		if (n == 0 || (n < 0 && errno != EAGAIN))
			return out->n > 0;
		if (n > 0)
			buf_put(out, slice_of(chunk, (size_t)n));
		at = out->n < 4 ? NULL : memmem(out->p, out->n, "\r\n\r\n", 4);
		if (at != NULL) {
			const uint8_t *l = memmem(out->p, out->n, "Content-Length: ", 16);
			size_t need = (size_t)(at - out->p) + 4 + (l == NULL ? 0 : (size_t)strtoul((const char *)l + 16, NULL, 10));

			if (out->n >= need)
				return true;
		}
	}
	return false;
}

static bool
has(const struct buf *b, const char *what)
{
	return b->n > 0 && memmem(b->p, b->n, what, strlen(what)) != NULL;
}

/* One request on a connection of its own; true when the answer holds all three words. */
static bool
asks(const char *request, const char *a, const char *b, const char *c)
{
	struct buf answer OWNED(buf_drop) = BUF(1U << 20);
	int fd = dial();
	bool good;

	say(fd, request);
	good =
	    hear(fd, 3000, &answer) && has(&answer, a) && (b == NULL || has(&answer, b)) && (c == NULL || has(&answer, c));
	if (!good)
		printf(
		    "# %.*s\n", (int)(answer.n > 400 ? 400 : answer.n), answer.n == 0 ? "(nothing)" : (const char *)answer.p);
	close(fd);
	return good;
}

static void
give_wire(enum peer peer, int fd)
{
	struct buf body OWNED(buf_drop) = BUF(64);

	wire_order_put(&body, &(struct wire_order){peer, 0});
	if (ipc_send_fd(link_fd(control), &(struct frame){.kind = ORDER_WIRE, .body = buf_slice(&body)}, fd).kind != OK)
		exit(1);
	close(fd);
}

static void
new_registrar(void)
{
	int pair[2];

	link_drop(&registrar);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
		exit(1);
	give_wire(PEER_REGISTRAR, pair[1]);
	registrar = link_new(pair[0], PEER_FRONT, 0);
}

static void
start_front(const char *exe, const char *home)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof a;
	int pair[2], listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0 ||
	    bind(listener, (struct sockaddr *)&a, sizeof a) != 0 || listen(listener, 4096) != 0 ||
	    getsockname(listener, (struct sockaddr *)&a, &n) != 0)
		exit(1);
	port = ntohs(a.sin_port);
	front_pid = fork();
	if (front_pid == 0) {
		if (dup2(pair[1], 3) < 0)
			_exit(127);
		if (pair[1] == 3)
			(void)fcntl(3, F_SETFD, 0);
		execl(exe, exe, "--home", home, "--number", "0", "--uid", "0", (char *)NULL);
		_exit(127);
	}
	close(pair[1]);
	control = link_new(pair[0], PEER_FRONT, 0);
	new_registrar();
	give_wire(PEER_PUBLIC, listener);
}

static long
resident_kb(pid_t pid)
{
	char path[64], line[256];
	long kb = -1;
	FILE *f;

	snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
	f = fopen(path, "r");
	while (f != NULL && fgets(line, sizeof line, f) != NULL)
		if (sscanf(line, "VmRSS: %ld", &kb) == 1)
			break;
	if (f != NULL)
		fclose(f);
	return kb;
}

static void
refusals(void)
{
	char *huge = mem_new(80000, 1);

	is(asks("GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n", "404", "application/problem+json", "\"type\":\"not-found\""),
	    "an unknown address: 404");
	is(asks("DELETE /challenges HTTP/1.1\r\nHost: x\r\n\r\n", "405", "Allow: POST", "\"type\":\"method\""),
	    "another method: 405 with Allow");
	is(asks("POST /applications HTTP/1.1\r\nHost: x\r\n\r\n", "411", "\"type\":\"length\"", NULL),
	    "a body not announced: 411");
	is(asks("POST /applications HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", "411",
	       "\"type\":\"length\"", NULL),
	    "an endless body: 411");
	is(asks("POST /applications HTTP/1.1\r\nHost: x\r\nContent-Length: 65537\r\n\r\n", "413", "\"type\":\"body-long\"",
	       NULL),
	    "a body one byte too long: 413 before a byte of it is read");
	is(asks("POST /applications HTTP/1.1\r\nHost: x\r\nContent-Length: 7\r\nContent-Length: 0\r\n\r\nanybody", "400",
	       "\"type\":\"request\"", NULL),
	    "two lengths: 400");
	is(asks("POST /applications HTTP/1.1\r\nHost: x\r\nContent-Length: 7\r\ncontent-length: 7\r\n\r\nanybody", "400",
	       "\"type\":\"request\"", NULL),
	    "though both say the same");
	is(asks("POST /challenges HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
	       "411", "\"type\":\"length\"", NULL),
	    "a length and an endless body: refused");
	is(asks("GET /ca/hello.txt HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", "400", "\"type\":\"request\"", NULL),
	    "two hosts: 400");
	is(asks("GET /applications/00 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer a\r\nAuthorization: Bearer b\r\n\r\n",
	       "400", "\"type\":\"request\"", NULL),
	    "two tokens: 400");
	is(asks("POST /applications HTTP/1.1\r\nHost: x\r\nContent-Length: 7\r\n\r\nanybody", "202",
	       "\"state\":\"received\"", "Location: /applications/ab"),
	    "an application goes to the registrar and its answer comes back");
	is(asks(
	       "POST /challenges HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", "201", "\"nonce\":\"the-nonce\"", NULL),
	    "a challenge");
	is(asks("GET /applications/00 HTTP/1.1\r\nHost: x\r\n\r\n", "404", "\"type\":\"token\"", NULL),
	    "an application without its token: 404");
	is(asks("GET /terms/../../inkan.conf HTTP/1.1\r\nHost: x\r\n\r\n", "404", NULL, NULL),
	    "no path leaves the repository");
	is(asks("GET /ca/../../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n", "404", NULL, NULL),
	    "no path leaves the repository by dots");
	is(asks("GET /ca/%2e%2e/secret HTTP/1.1\r\nHost: x\r\n\r\n", "404", NULL, NULL), "nor escaped");
	is(asks("GET /ca/hello.txt HTTP/1.1\r\nHost: x\r\n\r\n", "200", "published", NULL), "a published file");
	is(asks("GET /ca/secret HTTP/1.1\r\nHost: x\r\n\r\n", "404", NULL, NULL),
	    "a symbolic link out of the repository is not followed");
	is(asks("POST /ocsp HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nxyz", "application/ocsp-response", NULL, NULL),
	    "OCSP answers garbage as OCSP");
	is(asks("GET /ocsp/%zz HTTP/1.1\r\nHost: x\r\n\r\n", "application/ocsp-response", NULL, NULL),
	    "a broken escape in an OCSP path");
	memset(huge, 'a', 79999);
	memcpy(huge, "GET / HTTP/1.1\r\nHost: x\r\nX: ", 28);
	is(asks(huge, " 431 ", NULL, NULL), "huge headers: 431");
	is(asks("\x16\x03\x01 garbage\r\n\r\n\r\nPOST POST POST\r\n\r\n", "HTTP/1.1 4", NULL, NULL),
	    "pipelined garbage: refused");
	is(asks("GET /ca/hello.txt HTTP/1.1\r\nHost: x\r\n\r\n", "200", "published", NULL), "and others are served");
	free(huge);
}

/* Whoever comes next never gets the answer of one who left. */
static void
left_client(void)
{
	struct buf answer OWNED(buf_drop) = BUF(1U << 16), b OWNED(buf_drop) = BUF(256);
	int fd = dial();

	held = 0;
	say(fd, "POST /applications HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nHOLD");
	for (int i = 0; i < 200 && held == 0; i++)
		turn_registrar(10);
	is(held != 0, "an application waits for the registrar");
	close(fd);
	fd = dial();
	say(fd, "POST /challenges HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
	apply_reply_put(&b, &(struct apply_reply){.dossier = {{0xEE}}, .state = DOSSIER_RECEIVED});
	link_put(registrar, &(struct frame){.kind = ORDER_APPLY, .id = held, .body = buf_slice(&b)});
	(void)link_flush(registrar).kind;
	is(hear(fd, 3000, &answer) && has(&answer, "the-nonce") && !has(&answer, "eeee"), "its answer goes to nobody else");
	close(fd);
}

static void
lost_registrar(void)
{
	struct buf answer OWNED(buf_drop) = BUF(1U << 16);
	int fd = dial();

	held = 0;
	say(fd, "POST /applications HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nHOLD");
	for (int i = 0; i < 200 && held == 0; i++)
		turn_registrar(10);
	link_drop(&registrar);
	is(hear(fd, 5000, &answer) && has(&answer, "503") && has(&answer, "Retry-After"),
	    "the registrar dies: who waits is told to try again");
	close(fd);
	is(asks("POST /challenges HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", "503", "\"type\":\"busy\"", NULL),
	    "no registrar: 503");
	new_registrar();
	{
		bool good = false;

		for (int i = 0; i < 100 && !good; i++) {
			good = asks("POST /challenges HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", "the-nonce", NULL, NULL);
		}
		is(good, "a new wire: served again");
	}
}

static void
slow_clients(void)
{
	static int slow[SLOW];
	int64_t start, worst = 0;
	int trickle = dial(), closed = 0;
	long kb;

	say(trickle, "POST /applications HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\n");
	for (int i = 0; i < SLOW; i++) {
		slow[i] = dial();
		say(slow[i],
		    i % 2 == 0 ? "GET / HT" : "POST /applications HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\nhalf");
	}
	for (int i = 0; i < 20; i++) {
		bool good;

		start = clock_steady_ms();
		good = asks("GET /ca/hello.txt HTTP/1.1\r\nHost: x\r\n\r\n", "200", "published", NULL);
		if (!good)
			worst = INT32_MAX;
		if (clock_steady_ms() - start > worst)
			worst = clock_steady_ms() - start;
	}
	printf("# worst GET beside %d slow connections: %lld ms\n", SLOW, (long long)worst);
	is(worst < 2000, "a thousand slow connections: others are served");
	kb = resident_kb(front_pid);
	printf("# resident: %ld KiB\n", kb);
	is(kb > 0 && kb < 64 * 1024, "and memory is bounded");
	/* a byte now and then keeps libmicrohttpd's inactivity time-out away: our own deadline ends it */
	start = clock_steady_ms();
	while (clock_steady_ms() - start < 25000 && closed == 0) {
		struct pollfd p = {.fd = trickle, .events = POLLIN};
		char c;

		say(trickle, "x");
		if (poll(&p, 1, 200) > 0 && recv(trickle, &c, 1, MSG_DONTWAIT) <= 0)
			closed = 1;
		turn_registrar(0);
	}
	is(closed == 1, "a body that trickles is ended by its deadline");
	close(trickle);
	for (int i = 0; i < SLOW; i++)
		close(slow[i]);
}

int
main(int argc, char **argv)
{
	char path[1024];
	int status, fd;

	if (argc != 3)
		return 2;
	signal(SIGPIPE, SIG_IGN);
	snprintf(path, sizeof path, "%s/repository", argv[2]);
	(void)mkdir(path, 0755);
	snprintf(path, sizeof path, "%s/secret", argv[2]);
	fd = open(path, O_WRONLY | O_CREAT, 0644);
	if (write(fd, "secret", 6) != 6)
		return 1;
	close(fd);
	snprintf(path, sizeof path, "%s/repository/ca", argv[2]);
	(void)mkdir(path, 0755);
	snprintf(path, sizeof path, "%s/repository/ca/hello.txt", argv[2]);
	fd = open(path, O_WRONLY | O_CREAT, 0644);
	if (write(fd, "published\n", 10) != 10)
		return 1;
	close(fd);
	snprintf(path, sizeof path, "%s/repository/ca/secret", argv[2]);
	if (symlink("../../secret", path) != 0)
		return 1;
	start_front(argv[1], argv[2]);
	refusals();
	left_client();
	lost_registrar();
	slow_clients();
	is(asks("GET /ca/hello.txt HTTP/1.1\r\nHost: x\r\n\r\n", "200", "published", NULL), "and it serves on");
	link_order(control, ORDER_STOP, 0, (slice){NULL, 0});
	(void)link_flush(control).kind;
	is(waitpid(front_pid, &status, 0) == front_pid && WIFEXITED(status) && WEXITSTATUS(status) == 0,
	    "told to stop, it stops");
	printf("1..%d\n", tests);
	return failures != 0;
}
