/* Calling out: what the other side may cost, and what is never followed. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test/unit/test.h"

#include "edge/net.h"

static pid_t server;
static unsigned port;

static void
put(int fd, const char *s)
{
	if (write(fd, s, strlen(s)) < 0)
		_exit(0);
}

/* One answer for each path, and then the connection is closed; bytes that came are echoed where asked. */
static void
serve(int fd)
{
	char in[8192];
	size_t n = 0;

	for (;;) {
		ssize_t r = read(fd, in + n, sizeof in - 1 - n);

		if (r <= 0)
			return;
		n += (size_t)r;
		in[n] = '\0';
		if (strstr(in, "\r\n\r\n") != NULL && (strncmp(in, "POST", 4) != 0 || strstr(in, "\r\n\r\nthe body") != NULL))
			break;
	}
	if (strstr(in, " /plain ") != NULL)
		put(fd, "HTTP/1.1 200 OK\r\nContent-Type: Text/Plain; charset=utf-8\r\nContent-Length: 5\r\nConnection: "
		        "close\r\n\r\nhello");
	else if (strstr(in, " /echo ") != NULL) {
		char head[128];

		(void)snprintf(
		    head, sizeof head, "HTTP/1.1 201 Created\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n", n);
		put(fd, head);
		put(fd, in);
	} else if (strstr(in, " /moved ") != NULL)
		put(fd, "HTTP/1.1 302 Found\r\nLocation: /plain\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
	else if (strstr(in, " /problem ") != NULL)
		put(fd, "HTTP/1.1 403 Forbidden\r\nContent-Type: application/problem+json\r\nContent-Length: 2\r\nConnection: "
		        "close\r\n\r\n{}");
	else if (strstr(in, " /short ") != NULL)
		put(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\nConnection: close\r\n\r\nonly this");
	else if (strstr(in, " /nothing ") != NULL)
		return;
	else if (strstr(in, " /garbage ") != NULL)
		put(fd, "\x16\x03\x01 this is no HTTP\r\n\r\n");
	else if (strstr(in, " /late ") != NULL)
		(void)!read(fd, in, 1); /* until the client gives up */
	else if (strstr(in, " /endless ") != NULL) {
		put(fd, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
		for (int i = 0; i < 100000; i++)
			put(fd, "and so on and on and on and on and on\n");
	} else if (strstr(in, " /headers ") != NULL) {
		put(fd, "HTTP/1.1 200 OK\r\n");
		for (int i = 0; i < 10000; i++)
			put(fd, "X-More: and so on and on and on and on\r\n");
	}
}

static int
set_up(void **state)
{
	struct sockaddr_in a = {.sin_family = AF_INET};
	socklen_t len = sizeof a;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	(void)state;
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof a) != 0 || listen(fd, 16) != 0 ||
	    getsockname(fd, (struct sockaddr *)&a, &len) != 0)
		return 1;
	port = ntohs(a.sin_port);
	server = fork();
	if (server == 0) {
		(void)signal(SIGPIPE, SIG_IGN);
		(void)signal(SIGCHLD, SIG_IGN);
		for (;;) {
			int c = accept(fd, NULL, NULL);

			if (c >= 0 && fork() == 0) {
				serve(c);
				_exit(0);
			}
			close(c);
		}
	}
	close(fd);
	return server < 0;
}

static int
clean_up(void **state)
{
	(void)state;
	(void)kill(server, SIGKILL);
	return waitpid(server, NULL, 0) != server;
}

static const char *
url(const char *path)
{
	char *p = (char *)keep(256);

	(void)snprintf(p, 256, "http://127.0.0.1:%u%s", port, path);
	return p;
}

static void
test_answers(void **state)
{
	static const char late[] = "net-late: house: the answer did not come in time";
	static const char longer[] = "net-long: house: the answer is longer than this call takes";
	static const char broken[] = "net-broken: RFC 9110: the answer ended too early or was none";
	static const struct {
		const char *path;
		size_t max;
		unsigned status;
		const char *type, *body, *expect;
	} rows[] = {
	    {"/plain", 100, 200, "text/plain", "hello", NULL},
	    {"/plain", 5, 200, "text/plain", "hello", NULL},
	    {"/plain", 4, 0, NULL, NULL, longer},
	    {"/moved", 100, 302, "", "", NULL}, /* never followed */
	    {"/problem", 100, 403, "application/problem+json", "{}", NULL},
	    {"/short", 1000, 0, NULL, NULL, broken},
	    {"/nothing", 100, 0, NULL, NULL, broken},
	    {"/garbage", 100, 0, NULL, NULL, broken},
	    {"/late", 100, 0, NULL, NULL, late},
	    {"/endless", 65536, 0, NULL, NULL, longer},
	    {"/headers", 1000, 0, NULL, NULL, longer},
	};
	struct net *n OWNED(net_close) = NULL;

	(void)state;
	expect_ok("open", net_open(&n));
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct net_answer a OWNED(net_answer_drop) = {.status = 0};
		err e = net_call(n,
		    &(struct net_ask){.method = NET_GET, .url = url(rows[i].path), .max_bytes = rows[i].max, .wait_ms = 700},
		    &a);

		expect_text(rows[i].path, e, rows[i].expect);
		if (rows[i].expect != NULL)
			continue;
		expect_number(rows[i].path, a.status, rows[i].status);
		expect_same(rows[i].path, slice_str(a.type), slice_str(rows[i].type));
		expect_same(rows[i].path, buf_slice(&a.body), slice_str(rows[i].body));
	}
}

static void
test_sent(void **state)
{
	static const struct {
		const char *part;
		bool there;
	} rows[] = {
	    {"POST /echo HTTP/1.1\r\n", true},
	    {"\r\nContent-Type: application/cms\r\n", true},
	    {"\r\nAuthorization: Bearer 00ff\r\n", true},
	    {"\r\nPrefer: wait=5\r\n", true},
	    {"\r\nContent-Length: 8\r\n", true},
	    {"\r\n\r\nthe body", true},
	    {"Expect:", false},
	    {"Cookie:", false},
	};
	struct net_answer a OWNED(net_answer_drop) = {.status = 0};
	struct net *n OWNED(net_close) = NULL;
	struct buf text OWNED(buf_drop) = BUF(8192);

	(void)state;
	expect_ok("open", net_open(&n));
	expect_ok("post", net_call(n,
	                      &(struct net_ask){.method = NET_POST,
	                          .url = url("/echo"),
	                          .body = LIT("the body"),
	                          .type = "application/cms",
	                          .prefer = "wait=5",
	                          .bearer = LIT("00ff"),
	                          .max_bytes = 8000,
	                          .wait_ms = 2000},
	                      &a));
	expect_number("status", a.status, 201);
	buf_put(&text, buf_slice(&a.body));
	buf_put_u8(&text, '\0');
	for (size_t i = 0; i < COUNT(rows); i++)
		expect_true(rows[i].part, (strstr((char *)text.p, rows[i].part) != NULL) == rows[i].there);
}

static void
test_refused(void **state)
{
	static const char no_url[] = "net-url: RFC 3986: the address is not one that can be called";
	static const struct {
		const char *url, *prefer;
		slice bearer;
		const char *expect;
	} rows[] = {
	    {"", NULL, {NULL, 0}, no_url},
	    {NULL, NULL, {NULL, 0}, no_url},
	    {"file:///etc/passwd", NULL, {NULL, 0}, no_url},
	    {"ftp://127.0.0.1/x", NULL, {NULL, 0}, no_url},
	    {"gopher://127.0.0.1/x", NULL, {NULL, 0}, no_url},
	    {"http://127.0.0.1:1/", NULL, {NULL, 0}, "net-unreachable: house: the server could not be reached"},
	    {"http://127.0.0.1:1/", "a\r\nX-Evil: 1", {NULL, 0},
	        "net-header: RFC 9110 5.5: a header's value is not printable"},
	    {"http://127.0.0.1:1/", NULL, {(const uint8_t *)"a\nb", 3},
	        "net-header: RFC 9110 5.5: a header's value is not printable"},
	    {"http://127.0.0.1:1/", "\xE3\x81\x82", {NULL, 0},
	        "net-header: RFC 9110 5.5: a header's value is not printable"},
	};
	struct net *n OWNED(net_close) = NULL;
	char *long_url = (char *)keep(NET_URL_MAX + 2);

	(void)state;
	expect_ok("open", net_open(&n));
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct net_answer a OWNED(net_answer_drop) = {.status = 0};

		expect_text(row_name("refused", i),
		    net_call(n,
		        &(struct net_ask){.method = NET_GET,
		            .url = rows[i].url,
		            .prefer = rows[i].prefer,
		            .bearer = rows[i].bearer,
		            .max_bytes = 100,
		            .wait_ms = 1000},
		        &a),
		    rows[i].expect);
	}
	memset(long_url, 'a', NET_URL_MAX + 1);
	long_url[NET_URL_MAX + 1] = '\0';
	memcpy(long_url, "http://127.0.0.1:1/", 19);
	{
		struct net_answer a OWNED(net_answer_drop) = {.status = 0};
		struct net_ask ask = {.method = NET_GET, .url = long_url, .max_bytes = 100, .wait_ms = 1000};

		expect_text("one byte too long", net_call(n, &ask, &a), no_url);
		long_url[NET_URL_MAX] = '\0';
		expect_text("the longest", net_call(n, &ask, &a), "net-unreachable: house: the server could not be reached");
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_answers),
	    cmocka_unit_test(test_sent),
	    cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, set_up, clean_up);
}
