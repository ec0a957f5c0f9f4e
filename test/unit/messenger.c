/* LINK: role/messenger/messenger.c role/messenger/mirror.c role/messenger/mirror_conf.c role/messenger/mirror_look.c role/messenger/mirror_own.c role/messenger/mirror_send.c role/messenger/mirror_tree.c role/messenger/heartbeat.c role/messenger/alarm.c */
/* The messenger's letters into a folder: B-12; nothing that was laid down is written over. */
#include "test/unit/test.h"

#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "act/body.h"
#include "act/order.h"
#include "act/order_send.h"
#include "edge/call.h"
#include "edge/clock.h"
#include "edge/ipc.h"
#include "role/messenger/messenger.h"
#include "role/messenger/mirror_inside.h"

/* The clock's twin: it stands. */
instant
clock_now(void)
{
	return (instant){1795312370000};
}

int64_t
clock_steady_ms(void)
{
	struct timespec t;

	if (clock_gettime(CLOCK_MONOTONIC, &t) != 0)
		abort();
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

err
clock_use_test(const char *path)
{
	(void)path;
	return ok;
}

static struct {
	char folder[64];
	struct messenger m;
	struct link *control, *registrar;
	uint64_t id;
} w;

/* A registrar, or a new one in its place. */
static void
wire_registrar(void)
{
	struct buf body OWNED(buf_drop) = BUF(64);
	int wire[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, wire), 0);
	wire_order_put(&body, &(struct wire_order){PEER_REGISTRAR, 0});
	expect_ok("wire",
	    ipc_send_fd(link_fd(w.control), &(struct frame){.kind = ORDER_WIRE, .body = buf_slice(&body)}, wire[0]));
	close(wire[0]);
	link_drop(&w.registrar);
	w.registrar = link_new(wire[1], PEER_REGISTRAR, 0);
}

static void
open_messenger_with(const char *conf)
{
	int control[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, control), 0);
	w.m = (struct messenger){0};
	expect_ok("conf", messenger_configure(&w.m, slice_str(conf)));
	w.m.mail_folder = open(w.folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(w.m.mail_folder >= 0);
	expect_ok("wires", wires_open_fd(control[0], &w.m.wires));
	w.m.calls = calls_new();
	w.control = link_new(control[1], PEER_INKAND, 0);
	wire_registrar();
}

static void
open_messenger(void)
{
	open_messenger_with("[messenger]\nmail = folder\nmail_from = inkan@example.jp\n");
}

static void
close_messenger(void)
{
	messenger_drop(&w.m);
	link_drop(&w.control);
	link_drop(&w.registrar);
}

static void
send_letter(const char *text)
{
	struct buf b OWNED(buf_drop) = BUF(8192);
	struct frame f;
	bool have = false;

	mail_order_put(&b, &(struct mail_order){LIT("taro@example.jp"), LIT("s"), slice_str(text)});
	link_order(w.registrar, ORDER_MAIL, ++w.id, buf_slice(&b));
	expect_ok("send", link_flush(w.registrar));
	for (int i = 0; i < 20 && !have; i++) {
		expect_ok("wait", wires_wait(w.m.wires, 100));
		expect_ok("turn", messenger_turn(&w.m));
		wires_flush(w.m.wires);
		expect_ok("fill", link_fill(w.registrar));
		expect_ok("answer", link_next(w.registrar, &have, &f));
	}
	expect_true("answered", have && f.id == w.id && f.fail == OK);
}

/* Letters, and what else lies there. */
static size_t
count(const char *tail)
{
	DIR *d = opendir(w.folder);
	struct dirent *e;
	size_t n = 0;

	assert_non_null(d);
	while ((e = readdir(d)) != NULL)
		n += e->d_name[0] != '.' && strstr(e->d_name, tail) != NULL;
	closedir(d);
	return n;
}

/* A clock that stands, and a count that begins anew at every start: still each letter has a place of its own. */
static void
frozen_clock(void **state)
{
	char path[160];
	struct stat st;
	int fd;

	(void)state;
	open_messenger();
	send_letter("one\n");
	expect_number("one", count(".eml"), 1);
	close_messenger();

	/* what lies under the next names: a letter, and the rest of one that a crash left */
	for (int i = 1; i < 4; i++) {
		snprintf(path, sizeof path, "%s/%s%lld-%d.eml", w.folder, i == 3 ? "." : "", (long long)clock_now().ms, i);
		fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
		assert_true(fd >= 0 && write(fd, "kept", 4) == 4);
		close(fd);
	}
	open_messenger();
	send_letter("two\n");
	send_letter("three\n");
	close_messenger();
	for (int i = 1; i < 3; i++) {
		snprintf(path, sizeof path, "%s/%lld-%d.eml", w.folder, (long long)clock_now().ms, i);
		expect_true("not written over", stat(path, &st) == 0 && st.st_size == 4);
	}
	expect_number("each its own", count(".eml"), 4);
}

/* --- calls, and a registrar that starts anew meanwhile ---------------------------------------- */
static int
listen_here(unsigned *port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof a;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	assert_true(fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof a) == 0 && listen(fd, 8) == 0 &&
	            getsockname(fd, (struct sockaddr *)&a, &n) == 0);
	*port = ntohs(a.sin_port);
	return fd;
}

static void
turn(int wait_ms)
{
	expect_ok("wait", wires_wait(w.m.wires, wait_ms));
	expect_ok("turn", messenger_turn(&w.m));
	wires_flush(w.m.wires);
}

/* An order to ask J-LIS, and the connection that comes of it. */
static int
call_and_accept(int listener, uint64_t id)
{
	struct buf b OWNED(buf_drop) = BUF(256);
	int fd = -1;

	call_order_put(&b, &(struct call_order){CALL_JLIS_OCSP, LIT("?")});
	link_order(w.registrar, ORDER_CALL, id, buf_slice(&b));
	expect_ok("send", link_flush(w.registrar));
	for (int i = 0; i < 500 && fd < 0; i++) {
		turn(10);
		fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	}
	assert_true(fd >= 0);
	return fd;
}

static void
reply(int fd, const char *body)
{
	char text[200];
	int n = snprintf(
	    text, sizeof text, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n%s", strlen(body), body);

	assert_true(write(fd, text, (size_t)n) == n);
	close(fd);
}

/* A new registrar counts from the same number: what the old one asked for is no answer to it. */
static void
same_number(void **state)
{
	struct frame f = {0};
	struct part p;
	char conf[200];
	unsigned port;
	bool have = false;
	int listener = listen_here(&port), old, new;

	(void)state;
	snprintf(conf, sizeof conf, "[messenger]\njlis_ocsp = http://127.0.0.1:%u/\nmail = folder\n", port);
	open_messenger_with(conf);
	old = call_and_accept(listener, 7);
	wire_registrar();
	new = call_and_accept(listener, 7);
	reply(old, "of the old one");
	for (int i = 0; i < 30 && !have; i++) {
		turn(10);
		expect_ok("fill", link_fill(w.registrar));
		expect_ok("next", link_next(w.registrar, &have, &f));
	}
	expect_true("an answer that the old one asked for goes to nobody", !have);
	reply(new, "of the new one");
	for (int i = 0; i < 500 && !have; i++) {
		turn(10);
		expect_ok("fill", link_fill(w.registrar));
		expect_ok("next", link_next(w.registrar, &have, &f));
	}
	expect_true("its own comes", have && f.kind == ORDER_CALL && f.id == 7 && f.fail == OK);
	expect_ok("part", part_get(f.body, &p));
	expect_same("its own bytes", p.bytes, LIT("of the new one"));
	close_messenger();
	close(listener);
}

/* A mail server in a process of its own, for libcurl waits for its goodbye: one line to each command, then the goodbye. */
static pid_t
serve_mail(int listener, const char *const *says)
{
	char heard[8192];
	pid_t child = fork();
	int fd;

	assert_true(child >= 0);
	if (child > 0)
		return child;
	alarm(30);
	(void)fcntl(listener, F_SETFL, 0);
	fd = accept(listener, NULL, NULL);
	for (; fd >= 0 && *says != NULL; says++)
		if (write(fd, *says, strlen(*says)) < 0 || read(fd, heard, sizeof heard) <= 0)
			break;
	if (write(fd, "221 bye\r\n", 9) < 0)
		_exit(1);
	_exit(0);
}

/* Who a mail server refuses for good is told apart from every other trouble with it, which is tried again. */
static void
refused_mail(void **state)
{
	static const struct {
		const char *row, *says[8];
		enum err_kind kind;
		const char *what;
	} rows[] = {
	    {"taken",
	        {"220 here\r\n", "250 hello\r\n", "250 from\r\n", "250 to\r\n", "354 go on\r\n", "250 taken\r\n", NULL}, OK,
	        ""},
	    {"no such person", {"220 here\r\n", "250 hello\r\n", "250 from\r\n", "550 5.1.1 nobody\r\n", NULL}, ERR_POLICY,
	        "call-recipient: RFC 5321 4.2.1: the mail server refuses this recipient for good"},
	    {"not now", {"220 here\r\n", "250 hello\r\n", "250 from\r\n", "450 later\r\n", NULL}, ERR_WORLD,
	        "call-failed:"},
	    {"no relaying", {"220 here\r\n", "250 hello\r\n", "250 from\r\n", "554 5.7.1 not you\r\n", NULL}, ERR_WORLD,
	        "call-failed:"},
	    {"the sender", {"220 here\r\n", "250 hello\r\n", "550 not you\r\n", NULL}, ERR_WORLD, "call-failed:"},
	    {"the server", {"554 no\r\n", NULL}, ERR_WORLD, "call-failed:"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf b OWNED(buf_drop) = BUF(8192);
		struct frame f = {0};
		char conf[200];
		unsigned port;
		bool have = false;
		int listener = listen_here(&port);
		pid_t server;

		snprintf(conf, sizeof conf, "[messenger]\nmail = smtp://127.0.0.1:%u\nmail_from = inkan@example.jp\n", port);
		open_messenger_with(conf);
		close(w.m.mail_folder);
		w.m.mail_folder = -1;
		mail_order_put(&b, &(struct mail_order){LIT("taro@example.jp"), LIT("s"), LIT("text\n")});
		link_order(w.registrar, ORDER_MAIL, ++w.id, buf_slice(&b));
		expect_ok("send", link_flush(w.registrar));
		server = serve_mail(listener, rows[i].says);
		for (int k = 0; k < 500 && !have; k++) {
			turn(10);
			expect_ok("fill", link_fill(w.registrar));
			expect_ok("next", link_next(w.registrar, &have, &f));
		}
		expect_true(rows[i].row, have && f.id == w.id);
		expect_number(rows[i].row, f.fail, rows[i].kind);
		expect_true(rows[i].row, slice_has_prefix(f.what, slice_str(rows[i].what)));
		close_messenger();
		close(listener);
		assert_int_equal(server, waitpid(server, NULL, 0));
	}
}

static int
setup(void **state)
{
	(void)state;
	snprintf(w.folder, sizeof w.folder, "/tmp/inkan-mail-XXXXXX");
	if (mkdtemp(w.folder) == NULL)
		abort();
	return 0;
}

static int
teardown(void **state)
{
	char path[400];
	DIR *d = opendir(w.folder);
	struct dirent *e;

	(void)state;
	while (d != NULL && (e = readdir(d)) != NULL) {
		snprintf(path, sizeof path, "%s/%s", w.folder, e->d_name);
		(void)unlink(path);
	}
	if (d != NULL)
		closedir(d);
	(void)rmdir(w.folder);
	return 0;
}

/* What a captured publisher makes in the repository: a name with a line's end in it becomes a path of its choice. */
static void
paths_of_copies(void **state)
{
	static const char *const rows[] = {"../victim", "a/../../victim", "./victim", "../copy/../victim"};
	struct mirrors all = {.repository = open(w.folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
	struct mirror m = {.kind = MIRROR_FOLDER};
	char victim[100], name[100];

	(void)state;
	snprintf(victim, sizeof victim, "%s/victim", w.folder);
	snprintf(name, sizeof name, "%s/copy", w.folder);
	assert_int_equal(mkdir(name, 0700), 0);
	m.fd = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(all.repository >= 0 && m.fd >= 0);
	assert_int_equal(mkdirat(m.fd, "a", 0700), 0);
	close(open(victim, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct mirror_item x = {.gone = true};
		const char *end;
		bool landed;
		int fd = -1;

		snprintf(x.path, sizeof x.path, "%s", rows[i]);
		expect_err(rows[i], mirror_enter(m.fd, rows[i], false, &fd, &end), ERR_WORLD,
		    "mirror-write: house: a copy's folder cannot be written");
		/* as though it stood in the repository no more, whatever is above it */
		close(all.repository);
		all.repository = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		expect_ok(rows[i], mirror_carry(&all, &m, &x, &landed));
		assert_true(x.done && !landed);
		assert_int_equal(access(victim, F_OK), 0);
	}
	for (int kind = MIRROR_S3; kind <= MIRROR_PUT; kind++) { /* no request goes out either */
		struct mirror_item x = {.gone = true, .path = "../other/victim"};
		bool landed;

		m.kind = (enum mirror_kind)kind;
		expect_ok("request", mirror_carry(&all, &m, &x, &landed));
		assert_true(x.done && !x.flying && all.calls_made == 0);
	}
	assert_int_equal(unlinkat(m.fd, "a", AT_REMOVEDIR), 0);
	close(m.fd);
	close(all.repository);
	assert_int_equal(rmdir(name), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(frozen_clock), cmocka_unit_test(same_number),
	    cmocka_unit_test(refused_mail), cmocka_unit_test(paths_of_copies)};

	return cmocka_run_group_tests(tests, setup, teardown);
}
